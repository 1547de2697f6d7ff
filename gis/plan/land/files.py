"""How does a land balance leave the house: as a table for offices, as polygons for a map program?

The table is the printed one under a head that says what it is; the polygons are the land by class
and zone with the areas that were measured. Polygons show where layers lie, so a layer that is more
secret than the ceiling stops them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import shapely
from shapely.geometry import MultiPolygon
from shapely.geometry.base import BaseGeometry

from gis.errors import ClaimError
from gis.files import safe_text, write_gpkg, write_table
from gis.model import LayerInfo, may_show
from gis.plan.land.ground import Label
from gis.plan.land.rows import (
    COUNTED_LABELS,
    UNCOVERED,
    major_rows,
    share_text,
    table,
    to_dict,
)
from gis.plan.schema import STATUS_LABELS

if TYPE_CHECKING:
    from gis.plan.balance import LandBalance


def to_csv(balance: LandBalance, path: Path) -> Path:
    """Write the head, the table of classes by zones, and the other figures."""
    lines = table(balance)
    return write_table(
        [
            *_head(balance),
            [],
            ["地类（公顷）", *lines.columns, "占比 %", "计入"],
            *_lines(balance, lines),
            [],
            ["三大类（按农用地转用审批的归类）", "公顷", "亩", "占比 %", "说明"],
            *_majors(balance),
            [],
            ["绿地和水域口径", "内容", "占比", "图层", "现势性", "说明"],
            *_definitions(balance),
            [],
            ["有争议的地类", "编码", "公顷", "现计入", _other_share(balance), "变化（百分点）"],
            *_sensitivity(balance),
        ],
        path,
    )


def _head(balance: LandBalance) -> Iterator[Sequence[Any]]:
    """Yield what the table is, so that it can be understood without this program."""
    plan, info, area = balance.plan, balance.source, balance.area
    yield "规划", f"{plan.ref.title} {plan.ref.version}"
    yield "规划状态", plan.status_label, plan.ref.status_note
    yield "范围（分母）", area.title, f"{area.area.ha:,.4f} 公顷（椭球面积）"
    yield "平面面积", "", f"{area.area.planar_m2:,.2f} m²"
    yield "图层", info.title, f"{balance.counts.scheme}（{balance.counts.edition}）"
    yield "图层现势性和状态", info.vintage, STATUS_LABELS.get(info.status, info.status)
    yield "绿地和水域口径", balance.definition, balance.definition_text
    yield "结论", balance.sentence
    yield from (("注意", warning.message) for warning in area.warnings)


def _lines(balance: LandBalance, lines: Any) -> Iterator[Sequence[Any]]:
    percents = [row.percent for row in balance.printed.rows]
    counted = [COUNTED_LABELS.get(row.row.counted_as, "") for row in balance.printed.rows]
    for (label, cells), percent, mark in zip(
        lines.iterrows(), [*percents, 100.0], [*counted, ""], strict=True
    ):
        yield [label, *(_number(cell) for cell in cells), _number(percent), mark]


def _majors(balance: LandBalance) -> Iterator[Sequence[Any]]:
    for row in major_rows(balance):
        numbers = (_number(row[key]) for key in ("ha", "mu", "percent"))
        yield [row["label"], *numbers, "；".join(row["notes"])]


def _definitions(balance: LandBalance) -> Iterator[Sequence[Any]]:
    for d in balance.definitions:
        about = (d.layer.title, d.layer.vintage) if d.layer else ("", "")
        yield d.id, d.text, share_text(d.share, d.range), *about, d.reason


def _sensitivity(balance: LandBalance) -> Iterator[Sequence[Any]]:
    for row in to_dict(balance)["sensitivity"]:
        yield (
            row["title"],
            "、".join(row["classes"]),
            _number(row["ha"]),
            "是" if row["counted"] else "否",
            f"{row['other_share']:.2%}",
            _number(row["difference_points"]),
        )


def _other_share(balance: LandBalance) -> str:
    return "改变后占比" if balance.share_range.is_exact else "改变后占比（下限）"


def _number(value: float) -> Decimal:
    """Return a number with its two decimals; as text, a negative one would count as a formula."""
    return Decimal(f"{value:.2f}")


# --- polygons ------------------------------------------------------------------------------------


def to_gpkg(balance: LandBalance, path: Path, *, ceiling: str) -> Path:
    """Write the layers ``land_balance`` (polygons) and ``figures`` (a table)."""
    _refuse_secret(balance, ceiling)
    return write_gpkg({"land_balance": _polygons(balance), "figures": _figures(balance)}, path)


def _refuse_secret(balance: LandBalance, ceiling: str) -> None:
    try:
        secret = [x for x in _shown(balance) if not may_show(x.secrecy, ceiling)]
    except ValueError:
        raise ClaimError(
            f"保密等级“{ceiling[:40]}”无法识别", expected="public、internal 或 restricted"
        ) from None
    if secret:
        names = "、".join(f"“{x.title}”（{x.secrecy}）" for x in dict.fromkeys(secret))
        raise ClaimError(
            f"图层{names}的密级高于输出上限 {ceiling}，不能写出图形",
            expected=f"密级不高于 {ceiling} 的图层",
            advice="只输出表格（CSV），或由有权限的人员提高上限",
        )


def _shown(balance: LandBalance) -> Iterator[LayerInfo]:
    """Yield the layers whose outlines the polygons show."""
    yield balance.source
    if balance.zoned is not None and balance.zone_layer is not None:
        yield balance.zone_layer.info
    if balance.area.layer is not None:
        yield balance.area.layer


Piece = tuple[Label, Label, BaseGeometry, float]


def _pieces(balance: LandBalance) -> list[Piece]:
    zoned, ground = balance.zoned, balance.ground
    if zoned is not None:
        return list(zip(zoned.labels, zoned.zones, zoned.shapes, zoned.areas.tolist(), strict=True))
    nowhere = itertools.repeat((), len(ground.labels))
    return list(zip(ground.labels, nowhere, ground.shapes, ground.areas.tolist(), strict=True))


def _polygons(balance: LandBalance) -> Any:
    """Return one feature per set of classes and set of zones; they do not overlap.

    Land that several classes claim is a feature of its own that names them all.
    """
    import geopandas as gpd

    found: dict[tuple[Label, Label], list[Piece]] = {}
    for piece in _pieces(balance):
        found.setdefault(piece[:2], []).append(piece)
    cells = [_cell(balance, *key, found[key]) for key in sorted(found)]
    shapes = [_outline([shape for _, _, shape, _ in found[key]]) for key in sorted(found)]
    return gpd.GeoDataFrame(cells, geometry=shapes, crs=balance.ground.epsg)


def _cell(
    balance: LandBalance, classes: Label, zones: Label, pieces: Sequence[Piece]
) -> dict[str, Any]:
    names = {row.cls: row.name for row in balance.rows}
    columns = {c.id: c.name for c in balance.matrix.columns if c.kind == "zone"}
    area = (
        balance.zoned.cells[classes, zones] if balance.zoned else balance.ground.by_label[classes]
    )
    counted = [c for c in classes if balance.counted.of(c)]
    return {
        "class": "、".join(classes) or None,
        "name": safe_text("、".join(names[c] for c in classes)) or UNCOVERED,
        "counted_as": balance.counted.of(counted[0]) if counted else None,
        "zone": safe_text("、".join(zones)) or None,
        "zone_name": safe_text("、".join(columns[z] for z in zones)) or None,
        "area_m2": area,
        "planar_m2": sum(shape.area for _, _, shape, _ in pieces),
        "share": area / balance.denominator_m2,
        **_marks(balance),
    }


def _outline(shapes: Sequence[BaseGeometry]) -> BaseGeometry:
    """Return polygons as one; the type is the same for all, because map programs refuse a mix."""
    polygons = [p for p in _polygonal(shapes) if p.geom_type == "Polygon"]
    union = shapely.union_all(polygons)
    return MultiPolygon([p for p in shapely.get_parts(union) if p.geom_type == "Polygon"])


def _polygonal(shapes: Sequence[BaseGeometry]) -> Any:
    return shapely.get_parts(shapely.get_parts(shapes))


def _marks(balance: LandBalance) -> dict[str, Any]:
    """Return what every row says about its origin."""
    plan, info = balance.plan.ref, balance.source
    return {
        "layer": info.id,
        "vintage": info.vintage,
        "layer_status": STATUS_LABELS.get(info.status, info.status),
        "scheme": f"{balance.counts.scheme} {balance.counts.edition}",
        "definition": balance.definition,
        "plan": safe_text(f"{plan.title} {plan.version}"),
        "plan_status": balance.plan.status_label,
        "status_note": safe_text(plan.status_note),
    }


def _figures(balance: LandBalance) -> Any:
    import pandas as pd

    document = to_dict(balance)
    keys = ("denominator_m2", "green_m2", "water_m2", "green_water_m2", "uncovered_m2")
    found = [(key, document[key], "m2") for key in (*keys, "overlap_m2", "repeated_m2")]
    found.append(("green_water_share", document["green_water_share"], "share"))
    found += [
        (f"green_water_share_{d['id']}", d["share"], "share") for d in document["definitions"]
    ]
    return pd.DataFrame(
        [
            {
                "id": name,
                "value": value,
                "unit": unit,
                "area": safe_text(balance.area.title),
                "sentence": safe_text(document["sentence"]),
                **_marks(balance),
            }
            for name, value, unit in found
        ]
    )
