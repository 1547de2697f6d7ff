"""``wuqu balance``: figures, areas and land balance of a plan at a terminal and as files.

Exit codes and output as everywhere in the command line. Nothing is computed here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gis.commands.common import (
    Ceiling,
    CrsOption,
    EncodingOption,
    FormatOption,
    Output,
    PlanOption,
    WhichOption,
    WidthOption,
    as_json,
    one_number,
    open_plan,
    progress,
    sites_of,
    stderr,
    stdout,
    writing,
)
from gis.errors import ClaimError

if TYPE_CHECKING:
    from gis.model import Site
    from gis.plan import LandBalance, Plan


def balance(
    area: Annotated[
        str | None,
        typer.Option(help="范围：resort、core、approval、镇街或功能区代码（默认：核心区）。"),
    ] = None,
    definition: Annotated[
        str | None, typer.Option(help="绿地和水域口径 A、B、C 或 D（默认：B）。")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="自定义范围的文件，格式与 wuqu check 相同。")
    ] = None,
    explain_id: Annotated[
        str | None,
        typer.Option(
            "--explain", help="说明一个数：指标、范围、台账或栅格的编号，地类编码，或 share。"
        ),
    ] = None,
    csv: Annotated[Path | None, typer.Option("--csv", help="另存用地平衡表 CSV。")] = None,
    gpkg: Annotated[Path | None, typer.Option("--gpkg", help="另存分类图斑 GeoPackage。")] = None,
    ceiling: Annotated[
        Ceiling | None, typer.Option(help="--gpkg 图形的密级上限（默认：public）。")
    ] = None,
    which: WhichOption = None,
    width: WidthOption = None,
    repair: Annotated[bool, typer.Option("--repair", help="修复自相交的范围。")] = False,
    crs: CrsOption = None,
    encoding: EncodingOption = None,
    plan: PlanOption = None,
    output: FormatOption = Output.text,
) -> None:
    """列出公布值与计算值、范围面积、用地平衡和绿地水域占比。"""
    from gis.plan.figures import balance_document
    from gis.plan.land.explain import explain

    options = {"--which": which, "--width": width, "--crs": crs, "--encoding": encoding}
    _refuse_idle(area, file, options | {"--repair": repair or None})
    if ceiling is not None and gpkg is None:
        raise _idle(["--ceiling"], "--gpkg")
    opened = open_plan(plan)
    wanted: str | Site | None = area
    if file is not None:
        wanted = _polygon(file, opened, which, width, crs, encoding, repair=repair)
    if csv or gpkg:
        found = opened.land_balance(wanted, definition=definition)
        _write(found, csv, gpkg, ceiling or Ceiling.public)
    with progress() as bar:
        bar.add_task("计算用地平衡", total=None)
        if explain_id is None:
            document = balance_document(opened, wanted, definition)
        else:
            document = explain(opened, explain_id, wanted, definition)
    _show(opened, document, output, explained=explain_id is not None)


def _refuse_idle(area: str | None, file: Path | None, options: Mapping[str, object]) -> None:
    """Refuse what would be ignored: an ignored option answers another question."""
    if area is not None and file is not None:
        raise ClaimError("同时给出了 --area 和 --file", expected="其中一个", advice="去掉一个")
    idle = [name for name, value in options.items() if value is not None]
    if idle and file is None:
        raise _idle(idle, "--file")


def _idle(names: Sequence[str], partner: str) -> ClaimError:
    return ClaimError(
        f"{'、'.join(names)} 没有作用",
        expected=f"与 {partner} 一起使用",
        advice=f"去掉，或加上 {partner}",
    )


def _polygon(
    file: Path,
    plan: Plan,
    which: str | None,
    width: float | None,
    crs: str | None,
    encoding: str | None,
    *,
    repair: bool,
) -> Site:
    which = one_number(which, "一个范围的序号", "逐个计算")
    sites = sites_of(
        file, plan, which=which, crs=crs, encoding=encoding, width=width, repair=repair, ask=True
    )
    return sites[0]


def _write(balance: LandBalance, csv: Path | None, gpkg: Path | None, ceiling: Ceiling) -> None:
    if csv is not None:
        with writing(csv):
            balance.to_csv(csv)
        stderr().print(f"已写出：{csv}")
    if gpkg is not None:
        with writing(gpkg):
            balance.to_gpkg(gpkg, ceiling=ceiling.value)
        stderr().print(f"已写出：{gpkg}")


def _show(plan: Plan, document: dict[str, object], output: Output, *, explained: bool) -> None:
    from gis.console.plan import print_balance, print_explained
    from gis.plan.budgets import budgets

    if output is Output.json:
        typer.echo(as_json(document))
    elif explained:
        print_explained(stdout(), document)
    else:
        print_balance(stdout(), document, budgets(plan))
