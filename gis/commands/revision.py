"""``wuqu compare-sites OLD NEW``: two versions of the red line of one project.

Libraries are imported inside the command.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from gis.commands.common import (
    AsOfOption,
    CrsOption,
    EncodingOption,
    MapFormatOption,
    MapOutput,
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
    stderr,
    stdout,
    writing,
)
from gis.commands.records import opened


def compare_sites(
    old: Annotated[Path, typer.Argument(help="原红线的文件，格式与 wuqu check 相同。")],
    new: Annotated[Path, typer.Argument(help="新红线的文件。")],
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
        str | None, typer.Option("--records", help="记录库：列出该项目的历次检测。")
    ] = None,
    svg: Annotated[Path | None, typer.Option("--svg", help="另存小图 SVG。")] = None,
    plan: PlanOption = None,
    output: MapFormatOption = MapOutput.text,
) -> None:
    """比较同一项目的两条红线：增加和减少的面积、结论的变化、历次检测。"""
    from gis.claims import parse_attributes, parse_pairs
    from gis.console.revision import print_revision
    from gis.output.revision import compare_sites as compared
    from gis.output.revision import to_geojson
    from gis.output.revision_picture import picture

    number = one_number(which, "一个地块的序号", "逐个比较")
    attributes = parse_attributes(parse_pairs(attr or [], separator="="))
    day = day_given(as_of, "时点")
    place = open_plan(plan)
    before, after = (
        sites_of(
            file, place, which=number, crs=crs, encoding=encoding, width=width, repair=repair,
            ask=True,
        )[0]
        for file in (old, new)
    )  # fmt: skip
    with ExitStack() as open_:
        store = open_.enter_context(opened(records)) if records else None
        document = compared(
            before, after, place, use=use, attributes=attributes, as_of=day, records=store
        )
    if svg:
        with writing(svg):
            svg.write_text(picture(document, place.work_epsg), encoding="utf-8")
    if output is MapOutput.text:
        print_revision(stdout(), document)
    else:
        geojson = output is MapOutput.geojson
        typer.echo(as_json(to_geojson(document) if geojson else document))
    if svg:
        stderr().print(f"已写出：{svg}", markup=False, soft_wrap=True)
