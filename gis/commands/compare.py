"""``wuqu plan compare``: one site under the plan in force and under a draft of it.

With ``--records`` two versions are compared over all recorded sites (``gis.commands.versions``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gis.commands.common import (
    AsOfOption,
    CrsOption,
    EncodingOption,
    FormatOption,
    Output,
    PlanOption,
    RepairOption,
    UseOption,
    WhichOption,
    WidthOption,
    as_json,
    day_given,
    one_number,
    open_plan,
    sites_of,
    stdout,
)
from gis.commands.versions import compare_on_records, refuse_idle

plan_app = typer.Typer(help="规划数据包：新建、发布、退回、比较。", no_args_is_help=True)


@plan_app.callback()
def _group() -> None:
    """规划数据包：新建、发布、退回、比较。"""


@plan_app.command("compare")
def plan_compare(
    file: Annotated[
        Path,
        typer.Argument(help="地块文件，格式与 wuqu check 相同；与 --records 合用时为原版本。"),
    ],
    new: Annotated[
        Path | None, typer.Argument(help="新版本：文件夹或发布过的版本，与 --records 合用。")
    ] = None,
    draft: Annotated[
        Path | None,
        typer.Option("--draft", help="草案的规划数据包文件夹（默认：本数据包自己的草案图层）。"),
    ] = None,
    use: UseOption = None,
    attr: Annotated[
        list[str] | None, typer.Option(help="属性，形如 plot_ratio=1.8，可重复。")
    ] = None,
    width: WidthOption = None,
    which: WhichOption = None,
    repair: RepairOption = False,
    as_of: AsOfOption = None,
    crs: CrsOption = None,
    encoding: EncodingOption = None,
    records: Annotated[
        str | None,
        typer.Option("--records", help="记录库：比较两个版本对全部已检测地块的结论。"),
    ] = None,
    csv: Annotated[
        Path | None, typer.Option("--csv", help="与 --records 合用：另存表格 CSV。")
    ] = None,
    plan: PlanOption = None,
    output: FormatOption = Output.text,
) -> None:
    """比较一个地块在现行规划和草案下的结论；或者两个版本对全部记录的结论（--records）。"""
    if records is not None:
        idle = {"--draft": draft, "--use": use, "--attr": attr, "--width": width}
        idle |= {"--which": which, "--repair": repair, "--as-of": as_of}
        idle |= {"--crs": crs, "--encoding": encoding}
        return compare_on_records(file, new, records, csv, plan, output, idle)
    refuse_idle(new, csv)
    from gis.claims import parse_attributes, parse_pairs
    from gis.comparison import compare
    from gis.console.compare import print_comparison

    which = one_number(which, "一个地块的序号", "逐个比较")
    attributes = parse_attributes(parse_pairs(attr or [], separator="="))
    day = day_given(as_of, "时点")
    opened = open_plan(plan)
    # A plan without draft layers is refused before the file is read.
    other = open_plan(draft) if draft else opened.draft()
    site = sites_of(
        file, opened, which=which, crs=crs, encoding=encoding, width=width, repair=repair, ask=True
    )[0]
    document = compare(site, opened, other, use=use, attributes=attributes, as_of=day)
    if output is Output.json:
        return typer.echo(as_json(document))
    print_comparison(stdout(), document)
    return None
