"""``wuqu find-sites``: where could a project stand, and which rules keep it from standing there?

Libraries are imported inside the functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gis.commands.common import (
    AsOfOption,
    Ceiling,
    CeilingOption,
    MapFormatOption,
    MapOutput,
    PlanOption,
    as_json,
    day_given,
    open_plan,
    progress,
    stderr,
    stdout,
    writing,
)
from gis.commands.outputs import RecipientOption
from gis.errors import ClaimError

if TYPE_CHECKING:
    from gis.plan import Plan
    from gis.siting import SiteSearch

_AWAY, _KEEP = "--away", "--keep"


def find_sites(
    use: Annotated[str, typer.Option(help="拟建用途：2023 年版用地用海代码。")],
    area_mu: Annotated[float, typer.Option("--area-mu", help="所需面积（亩）。")],
    zone: Annotated[
        str | None, typer.Option(help="只在一个功能区、镇街或其他有名称的范围内找，如 Z1、core。")
    ] = None,
    min_width: Annotated[
        float | None, typer.Option("--min-width", help="地块各处的最小宽度（米）。")
    ] = None,
    near_road: Annotated[
        float | None, typer.Option("--near-road", help="地块到道路边缘的最大距离（米）。")
    ] = None,
    away: Annotated[
        list[str] | None,
        typer.Option(_AWAY, help="与图层保持的距离（米），形如 water:200，可重复。"),
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option(_KEEP, help="占用后要保留的指标（亩），形如 dev_boundary:50，可重复。"),
    ] = None,
    attr: Annotated[
        list[str] | None, typer.Option(help="属性，形如 plot_ratio=1.8，可重复。")
    ] = None,
    as_of: AsOfOption = None,
    most: Annotated[int, typer.Option("--most", help="最多给出几个候选地块。")] = 5,
    weight: Annotated[
        list[str] | None, typer.Option(help="评分项的权重，形如 road=0.3，可重复。")
    ] = None,
    map_file: Annotated[Path | None, typer.Option("--map", help="另存地图 HTML。")] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="另存候选地块和用地分类：.gpkg。")
    ] = None,
    recipient: RecipientOption = "",
    ceiling: CeilingOption = Ceiling.public,
    plan: PlanOption = None,
    output: MapFormatOption = MapOutput.text,
) -> None:
    """找地：按全部规则找出可容纳项目的地块；没有时说明最接近的地块和起决定作用的规则。"""
    from gis.claims import parse_pairs
    from gis.siting import find_sites as search_in

    _refuse_unknown(map_file, out)
    wishes: dict[str, Any] = {
        "away": _numbers(_AWAY, away, ":"),
        "keep": _numbers(_KEEP, keep, ":"),
        "attributes": parse_pairs(attr or [], separator="="),
        "weights": _numbers("--weight", weight, "="),
    }
    day = day_given(as_of, "时点")
    opened = open_plan(plan)
    with progress() as bar:
        bar.add_task("找地", total=None)
        search = search_in(
            opened, use=use, area_mu=area_mu, zone=zone, min_width_m=min_width,
            near_road_m=near_road, as_of=day, most=most, **wishes,
        )  # fmt: skip
    _write(search, opened, map_file, out, recipient, ceiling)
    _print(search, opened, output, ceiling)


def _print(search: SiteSearch, plan: Plan, output: MapOutput, ceiling: Ceiling) -> None:
    from gis.output.siting import search_document, search_geojson

    if output is MapOutput.geojson:
        return typer.echo(as_json(search_geojson(search, plan, ceiling.value)))
    document = search_document(search, plan, ceiling.value)
    if output is MapOutput.json:
        return typer.echo(as_json(document))
    from gis.console.siting import print_search

    print_search(stdout(), document)
    return None


def _write(
    search: SiteSearch,
    plan: Plan,
    map_file: Path | None,
    out: Path | None,
    recipient: str,
    ceiling: Ceiling,
) -> None:
    if map_file is not None:
        from gis.output.maps import search_map
        from gis.output.sharing import sharing_of_environment

        sharing = sharing_of_environment(recipient)
        page = search_map(search, plan, ceiling=ceiling.value, sharing=sharing)
        with writing(map_file):
            map_file.write_text(page, encoding="utf-8")
        stderr().print(f"已写出：{map_file}", markup=False, soft_wrap=True)
    if out is not None:
        from gis.output.siting_file import write_search

        with writing(out):
            hidden = write_search(search, out, plan, ceiling.value)
        said = f"（{'、'.join(hidden)}不公开坐标，未写出图形）" if hidden else ""
        stderr().print(f"已写出：{out}{said}", markup=False, soft_wrap=True)


def _refuse_unknown(map_file: Path | None, out: Path | None) -> None:
    for path, option, suffix in ((map_file, "--map", ".html"), (out, "-o", ".gpkg")):
        if path is not None and path.suffix.lower() != suffix:
            raise ClaimError(
                f"{option} 不能写出“{path.name}”",
                expected=f"以 {suffix} 结尾的文件名",
                advice=f"改写 {option} 的文件名",
            )


def _numbers(option: str, pairs: Sequence[str] | None, mark: str) -> dict[str, float]:
    """Return ``NAME:NUMBER`` texts as a mapping; the last mark divides, a name may have one."""
    found: dict[str, float] = {}
    for pair in pairs or ():
        name, divided, text = pair.rpartition(mark)
        try:
            number = float(text)
        except ValueError:
            divided = ""
        if not divided or not name.strip():
            raise ClaimError(f"{option} 为“{pair[:60]}”", expected=f"形如 名称{mark}数值")
        if name.strip() in found:
            raise ClaimError(f"{option} 中“{name.strip()}”给出了两次", advice="每个名称只给一次")
        found[name.strip()] = number
    return found
