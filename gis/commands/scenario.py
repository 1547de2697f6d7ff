"""``wuqu scenario``: drafts of a plan, and what each would change.

Libraries are imported inside the commands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gis.commands.common import (
    AsOfOption,
    Ceiling,
    CeilingOption,
    FormatOption,
    Output,
    PlanOption,
    as_json,
    day_given,
    existing,
    open_plan,
    progress,
    stderr,
    stdout,
    writing,
)
from gis.errors import ClaimError

if TYPE_CHECKING:
    from gis.plan import Plan
    from gis.scenario import Change, Wish
    from gis.scenario.changes import How

scenario_app = typer.Typer(help="情景：改动图层，比较改动的后果。", no_args_is_help=True)


@scenario_app.callback()
def _group() -> None:
    """情景：改动图层，比较改动的后果。"""


@scenario_app.command("new")
def scenario_new(
    folder: Annotated[Path, typer.Argument(help="情景保存的文件夹，还不存在。")],
    title: Annotated[str, typer.Option("--title", help="情景的名称，如“扩大开发边界”。")],
    add: Annotated[
        list[str] | None,
        typer.Option("--add", help="划入土地：图层=文件，或 图层/类别=文件；可重复。"),
    ] = None,
    remove: Annotated[
        list[str] | None, typer.Option("--remove", help="划出土地：图层=文件；可重复。")
    ] = None,
    replace: Annotated[
        list[str] | None, typer.Option("--replace", help="整个图层换成另一文件：图层=文件。")
    ] = None,
    version: Annotated[
        str | None, typer.Option("--version", help="版本（默认：原版本+文件夹名）。")
    ] = None,
    plan: PlanOption = None,
    output: FormatOption = Output.text,
) -> None:
    """改动规划的图层，另存为状态为草案的规划数据包；原数据包不变。

    依次替换、划出、划入。
    """
    from gis.console.scenario import print_scenario
    from gis.scenario import make_scenario
    from gis.scenario.land import changed_layers

    changes = list(_changes(add or [], remove or [], replace or []))
    opened = open_plan(plan)
    with progress() as bar, writing(folder):
        bar.add_task("生成情景", total=None)
        made = make_scenario(opened, folder, changes, title=title, version=version)
        rows = list(changed_layers(opened, made))
    document = {"folder": str(folder), "plan": made.ref.to_dict(), "layers": rows}
    if output is Output.json:
        return typer.echo(as_json(document))
    print_scenario(stdout(), document)
    return None


def _changes(add: list[str], remove: list[str], replace: list[str]) -> Iterator[Change]:
    given: list[tuple[How, list[str]]] = [("replace", replace), ("remove", remove), ("add", add)]
    for how, texts in given:
        for text in texts:
            yield change_of(how, text)


def change_of(how: How, text: str) -> Change:
    """Return the change that one option says.

    Raises
    ------
    ClaimError
        It is not written as ``layer=file``, or there is no such file.
    """
    from gis.scenario import Change

    place, equals, file = text.partition("=")
    layer, slash, cls = place.partition("/")
    if not (equals and layer and file) or (slash and (how != "add" or not cls)):
        expected = "图层=文件，或 图层/类别=文件" if how == "add" else "图层=文件"
        raise ClaimError(f"--{how} 为“{text}”", expected=expected)
    return Change(layer, how, existing(Path(file)), cls or None)


@scenario_app.command("compare")
def scenario_compare(
    folders: Annotated[list[Path], typer.Argument(help="情景的文件夹，可以有几个。")],
    find: Annotated[
        list[str] | None,
        typer.Option("--find", help="同时找地：用途代码:亩数[:功能区]，如 100101:200:Z3；可重复。"),
    ] = None,
    attr: Annotated[
        list[str] | None, typer.Option(help="找地的属性，形如 emission_class=zero，可重复。")
    ] = None,
    as_of: AsOfOption = None,
    csv: Annotated[Path | None, typer.Option("--csv", help="另存表格 CSV。")] = None,
    map_file: Annotated[
        Path | None, typer.Option("--map", help="另存左右对照图：现行规划与第一个情景。")
    ] = None,
    ceiling: CeilingOption = Ceiling.public,
    plan: PlanOption = None,
    output: FormatOption = Output.text,
) -> None:
    """把现行规划和几个情景逐项并列：图层、公布指标、用地平衡、稀缺指标、可用土地、项目结论。"""
    from gis.console.scenario import print_comparison
    from gis.scenario import compare_scenarios

    wishes = [wish_of(text, attr or []) for text in find or []]
    day = day_given(as_of, "时点")
    opened, others = open_plan(plan), [open_plan(folder) for folder in folders]
    with progress() as bar:
        task = bar.add_task("比较", total=None)
        found = compare_scenarios(
            opened,
            others,
            wishes=wishes,
            as_of=day,
            each=lambda what: bar.update(task, description=what),
        )
    for path, write in ((csv, found.to_csv), (map_file, partial(_draw, found.plans, ceiling))):
        if path is not None:
            with writing(path):
                write(path)
            stderr().print(f"已写出：{path}", markup=False, soft_wrap=True)
    if output is Output.json:
        return typer.echo(as_json(found.to_dict()))
    print_comparison(stdout(), found.to_dict())
    return None


def _draw(plans: Sequence[Plan], ceiling: Ceiling, path: Path) -> None:
    from gis.output.maps import comparison_map

    page = comparison_map(plans[0], plans[1], ceiling=ceiling.value)
    path.write_text(page, encoding="utf-8")


def wish_of(text: str, attributes: list[str]) -> Wish:
    """Return the wish that one ``--find`` says.

    Raises
    ------
    ClaimError
        It is not written as ``use:mu`` or ``use:mu:zone``.
    """
    from gis.claims import parse_attributes, parse_pairs
    from gis.scenario import Wish

    use, _, rest = text.partition(":")
    mu, _, zone = rest.partition(":")
    try:
        area = float(mu)
    except ValueError:
        raise ClaimError(
            f"--find 为“{text}”", expected="用途代码:亩数[:功能区]，如 100101:200:Z3"
        ) from None
    claims = parse_attributes(parse_pairs(attributes, separator="="))
    return Wish(use, area, {"zone": zone or None, "attributes": claims})
