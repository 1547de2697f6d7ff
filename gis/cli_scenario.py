"""``wuqu scenario``: drafts of a plan, and what each would change.

Libraries are imported inside the commands.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gis.cli_common import (
    FormatOption,
    Output,
    PlanOption,
    as_json,
    existing,
    open_plan,
    progress,
    stdout,
    writing,
)
from gis.errors import ClaimError

if TYPE_CHECKING:
    from gis.scenario import Change
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
    from gis.console_scenario import print_scenario
    from gis.scenario import make_scenario
    from gis.scenario.land import changed_layers

    changes = list(_changes(add or [], remove or [], replace or []))
    opened = open_plan(plan)
    with progress() as bar, writing(folder):
        bar.add_task("生成情景", total=None)
        made = make_scenario(opened, folder, changes, title=title, version=version)
        rows = list(changed_layers(opened, made))
    document = {"folder": str(folder), "plan": asdict(made.ref), "layers": rows}
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
