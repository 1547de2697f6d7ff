"""How is a land balance shown: as JSON values, as data frames, as one sentence?

Everything printed comes from the printed table, whose numbers add up; shares that have a range say
so. Nothing is measured here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gis.model import LayerInfo, LayerState, Remark
from gis.plan.land.share import Sensitivity, ShareRange
from gis.plan.land.table import Column, PrintedRow, printed_sum
from gis.plan.schema import STATUS_LABELS
from gis.rulebook import class_majors, land_classes
from gis.units import m2_to_ha

if TYPE_CHECKING:
    from gis.plan.balance import DefinitionShare, LandBalance

COUNTED_LABELS = {"green": "绿地", "water": "水域"}
UNCOVERED, OVERLAP, TOTAL = "图层未覆盖", "重叠（重复计算，扣除）", "合计"


def to_dict(balance: LandBalance) -> dict[str, Any]:
    """Return a land balance as plain JSON values."""
    return {
        "area": area_row(balance),
        **_layer_row(balance.source),
        "source": balance.source.source,
        "scheme": balance.counts.scheme,
        "edition": balance.counts.edition,
        "definition": balance.definition,
        "definition_text": balance.definition_text,
        "denominator_m2": round(balance.denominator_m2, 2),
        **_share_rows(balance),
        **_defect_rows(balance),
        "classes": [_class_row(balance, row) for row in _classes(balance)],
        "rest": [
            _rest_row(balance, row) for row in balance.printed.rows if row.row.kind != "class"
        ],
        "total": _total_row(balance),
        "majors": major_rows(balance),
        "counted": [_counted_row(balance, r) for r in _classes(balance) if r.row.counted_as],
        "not_counted": [
            _counted_row(balance, r) for r in _classes(balance) if not r.row.counted_as
        ],
        "zones": None if balance.zoned is None else _zone_table(balance),
        "zones_note": zones_note(balance),
        "sensitivity": [_sensitivity_row(balance, s) for s in balance.sensitivity],
        "definitions": [_definition_row(balance, d) for d in balance.definitions],
        "stated": _stated_row(balance),
    }


def area_row(balance: LandBalance) -> dict[str, Any]:
    """Return the denominator with both areas, and what is to be said about the input."""
    area = balance.area
    return {
        "id": area.id,
        "title": area.title,
        "kind": area.kind,
        "ellipsoidal_m2": round(area.area.ellipsoidal_m2, 2),
        "planar_m2": round(area.area.planar_m2, 2),
        "ha": round(area.area.ha, 4),
        "mu": round(area.area.mu, 2),
        "notes": [_remark(r) for r in area.notes],
        "warnings": [_remark(r) for r in area.warnings],
    }


def _remark(remark: Remark) -> dict[str, str]:
    return {"code": remark.code, "message": remark.message}


def _layer_row(layer: LayerInfo) -> dict[str, Any]:
    return {
        "layer": layer.id,
        "layer_title": layer.title,
        "vintage": layer.vintage,
        "status": layer.status,
    }


def _share_rows(balance: LandBalance) -> dict[str, Any]:
    found, share = balance.share_range, balance.green_water_share
    green_water = round(balance.green_water_m2, 2)
    if balance.overlap_m2 > 0:
        green, water = round(balance.green_m2, 2), round(balance.water_m2, 2)
    else:  # as printed, the classes make these, and these make their sum
        green, water = (balance.printed.sum_m2([kind]) for kind in COUNTED_LABELS)
        green_water = round(green + water, 2)
    twice = round(balance.printed.sum_m2(list(COUNTED_LABELS)) - green_water, 2) + 0.0
    sizes = {
        "green_m2": green,
        "water_m2": water,
        "green_water_m2": green_water,
        "counted_twice_m2": twice,
    }
    return {
        # Where the layer says nothing, nothing is not what is known.
        **(sizes if balance.is_known else dict.fromkeys(sizes)),
        "green_water_share": None if share is None else round(share, 6),
        "share_is_lower_bound": share is not None and not found.is_exact,
        "share_range": {"min": round(found.low, 6), "max": round(found.high, 6)},
        "sentence": sentence(balance),
    }


def _defect_rows(balance: LandBalance) -> dict[str, Any]:
    rows = {r.row.kind: r for r in balance.printed.rows if r.row.kind != "class"}
    bare, twice = rows.get("uncovered"), rows.get("overlap")
    return {
        "uncovered_m2": bare.total_m2 if bare else 0.0,
        "uncovered_ha": bare.total_ha if bare else 0.0,
        "unknown_m2": round(balance.share_range.unknown_m2, 2),
        "overlap_m2": -twice.total_m2 if twice else 0.0,
        "overlap_ha": -twice.total_ha if twice else 0.0,
        "repeated_m2": round(balance.repeated_m2, 2) + 0.0,
    }


# --- classes and zones ---------------------------------------------------------------------------


def _classes(balance: LandBalance) -> list[PrintedRow]:
    return [row for row in balance.printed.rows if row.row.kind == "class"]


def row_name(balance: LandBalance, row: PrintedRow) -> str:
    """Return how a row of the table is called."""
    if row.row.kind == "class":
        return next(r.name for r in balance.rows if r.cls == row.row.cls)
    return UNCOVERED if row.row.kind == "uncovered" else OVERLAP


def _class_row(balance: LandBalance, row: PrintedRow) -> dict[str, Any]:
    return {
        "class": row.row.cls,
        "name": row_name(balance, row),
        "area_m2": row.total_m2,
        "ha": row.total_ha,
        "mu": row.total_mu,
        "share": row.share,
        "percent": row.percent,
        "counted_as": row.row.counted_as or None,
    }


def _rest_row(balance: LandBalance, row: PrintedRow) -> dict[str, Any]:
    """Return one of the rows that make the classes the whole area; a deduction is negative."""
    keys = ("name", "area_m2", "ha", "mu", "share", "percent")
    found = _class_row(balance, row)
    return {"kind": row.row.kind, **{key: found[key] for key in keys}}


def _total_row(balance: LandBalance) -> dict[str, Any]:
    found = balance.printed
    return {"area_m2": found.total_m2, "ha": found.total_ha, "mu": found.total_mu}


def major_rows(balance: LandBalance) -> list[dict[str, Any]]:
    """Return the classes summed to 农用地, 建设用地, 未利用地, as an approval has them.

    Sums of the printed classes, so that they add up with them; what is doubtful says why.
    """
    scheme = land_classes.scheme(balance.counts.scheme, balance.counts.edition)
    found: dict[str, list[tuple[PrintedRow, land_classes.Major]]] = {}
    for row in _classes(balance):
        major = land_classes.major(scheme, row.row.cls)
        found.setdefault(major.label, []).append((row, major))
    order = {name: n for n, name in enumerate(class_majors.names())}
    return [
        {
            "label": label,
            "area_m2": printed_sum(row.total_m2 for row, _ in own),
            "ha": printed_sum(row.total_ha for row, _ in own),
            "mu": printed_sum(row.total_mu for row, _ in own),
            "percent": printed_sum(row.percent for row, _ in own),
            "classes": [row.row.cls for row, _ in own],
            "notes": list(dict.fromkeys(f"{m.code} {m.name}：{m.note}" for _, m in own if m.note)),
        }
        for label, own in sorted(found.items(), key=lambda item: order.get(item[0], len(order)))
    ]


def _counted_row(balance: LandBalance, row: PrintedRow) -> dict[str, Any]:
    keys = ("class", "name", "area_m2", "ha", "counted_as")
    return {key: value for key, value in _class_row(balance, row).items() if key in keys}


def _zone_table(balance: LandBalance) -> dict[str, Any]:
    table, layer = balance.printed, balance.zone_layer
    columns = zip(table.columns, table.columns_m2, table.columns_ha, strict=True)
    return {
        **(_layer_row(layer.info) if layer else {}),
        "columns": [
            {
                "kind": c.kind,
                "zone": c.id or None,
                "name": c.name,
                "area_m2": m2,
                "ha": ha,
                **_zone_share(balance, c),
            }
            for c, m2, ha in columns
        ],
        "rows": [
            {
                "kind": row.row.kind,
                "class": row.row.cls if row.row.kind == "class" else None,
                "name": row_name(balance, row),
                "cells_m2": list(row.m2),
                "cells_ha": list(row.ha),
                "total_m2": row.total_m2,
                "total_ha": row.total_ha,
            }
            for row in table.rows
        ],
        "total_m2": table.total_m2,
        "total_ha": table.total_ha,
    }


def _zone_share(balance: LandBalance, column: Column) -> dict[str, Any]:
    found = None if column.kind == "overlap" else balance.share_in(column.id)
    return {
        "green_water_share": None if found is None else round(found.low, 6),
        "share_is_lower_bound": found is not None and not found.is_exact,
    }


def zones_note(balance: LandBalance) -> str:
    """Return why there is no table by zone, or which layer of zones is left out of it."""
    layers = balance.plan.with_role("zone")
    if not layers:
        return "规划数据包没有功能区图层"
    lacking = [x for x in layers if x.state is not LayerState.CHECKED]
    notes = [f"图层“{x.info.title}”无数据（{x.reason}）" for x in lacking]
    used = balance.zone_layer
    idle = [x for x in layers if used and x is not used and x not in lacking]
    notes += [f"图层“{x.info.title}”未用于本表" for x in idle]
    if balance.zoned is None and not lacking:
        notes.append("功能区图层没有要素")
    return "；".join(notes)


def to_frame(balance: LandBalance) -> Any:
    """Return one row per class and zone, unrounded; only pairs that occur."""
    import pandas as pd

    names = {row.cls: row.name for row in balance.rows}
    kinds = {"uncovered": UNCOVERED, "overlap": OVERLAP}
    table = balance.matrix
    rows = [
        {
            "kind": row.kind,
            "class": row.cls if row.kind == "class" else None,
            "name": kinds.get(row.kind) or names[row.cls],
            "counted_as": row.counted_as or None,
            "zone": column.id or None,
            "zone_name": column.name or None,
            "area_m2": m2,
            "ha": m2_to_ha(m2),
            "share": m2 / balance.denominator_m2,
        }
        for row, cells in zip(table.rows, table.cells, strict=True)
        for column, m2 in zip(table.columns, cells, strict=True)
        if m2
    ]
    return pd.DataFrame(rows, columns=list(rows[0]) if rows else None)


def table(balance: LandBalance) -> Any:
    """Return classes by zones in hectares as printed, with the totals of rows and columns."""
    import pandas as pd

    found = balance.printed
    heads = [column_label(column) for column in found.columns]
    lines = {row_label(balance, row): [*row.ha, row.total_ha] for row in found.rows}
    lines[TOTAL] = [*found.columns_ha, found.total_ha]
    frame = pd.DataFrame.from_dict(lines, orient="index", columns=[*heads, TOTAL])
    # Without zones the only column is the total.
    return frame[[TOTAL]] if balance.zoned is None else frame


def column_label(column: Column) -> str:
    """Return the head of a column: id and name of the zone."""
    return " ".join(part for part in (column.id, column.name) if part)


def row_label(balance: LandBalance, row: PrintedRow) -> str:
    """Return the head of a row: code and name of the class."""
    return " ".join(part for part in (row.row.cls, row_name(balance, row)) if part)


# --- shares --------------------------------------------------------------------------------------


def _sensitivity_row(balance: LandBalance, s: Sensitivity) -> dict[str, Any]:
    own = [row for row in _classes(balance) if row.row.cls in s.classes]
    # As printed with the classes, unless features overlap and the group is less than their sum.
    overlaps = balance.overlap_m2 > 0
    m2, ha = round(s.area_m2, 2), round(m2_to_ha(s.area_m2), 2)
    return {
        "id": s.id,
        "title": s.title,
        "note": s.note,
        "classes": list(s.classes),
        "counts_as": s.counts_as,
        "counted": s.counted,
        "area_m2": m2 if overlaps else round(math.fsum(row.total_m2 for row in own), 2),
        "ha": ha if overlaps else round(math.fsum(row.total_ha for row in own), 2),
        "other_share": round(s.other_share, 6),
        "difference_points": round(100 * s.difference, 4) + 0.0,
    }


def _definition_row(balance: LandBalance, d: DefinitionShare) -> dict[str, Any]:
    info = d.layer
    return {
        "id": d.id,
        "text": d.text,
        "layer": info.id if info else None,
        "layer_title": info.title if info else None,
        "vintage": info.vintage if info else None,
        "status": info.status if info else None,
        "denominator": balance.area.title,
        "denominator_m2": round(balance.denominator_m2, 2),
        "share": None if d.share is None else round(d.share, 6),
        "share_max": None if d.share is None or d.range is None else round(d.range.high, 6),
        "share_text": share_text(d.share, d.range),
        "is_lower_bound": d.share is not None and d.range is not None and not d.range.is_exact,
        "reason": d.reason,
    }


def _stated_row(balance: LandBalance) -> dict[str, Any] | None:
    stated = balance.stated
    if stated is None:
        return None
    return {"id": stated.id, "value": stated.value, "source": stated.source}


def share_text(share: float | None, found: ShareRange | None) -> str:
    """Return a share in percent; one that may be larger says 不低于.

    >>> share_text(0.08812, ShareRange(0.08812, 0.9, 9.0))
    '不低于 8.81%'
    """
    if share is None or found is None:
        return "无数据"
    if prints_exactly(found):
        return f"{share:.2%}"
    # What the share is at least must not be rounded up.
    return f"不低于 {math.floor(share * 1e4 + 1e-9) / 100:.2f}%"


def prints_exactly(found: ShareRange) -> bool:
    """Whether the unknown land is too small to show in the printed digits."""
    return found.is_exact or f"{found.low:.2%}" == f"{found.high:.2%}"


def sentence(balance: LandBalance) -> str:
    """Return the share in one sentence, with definition, denominator, layer, date and status."""
    info, found = balance.source, balance.share_range
    of = f"图层“{info.title}”（{info.vintage}，{STATUS_LABELS.get(info.status, info.status)}）"
    if not balance.is_known:
        return f"{of}没有覆盖{balance.area.title}，绿地和水域占比无法确定。"
    parts = [
        f"{balance.area.title}绿地和水域占比{_spaced(share_text(found.low, found))}",
        f"口径 {balance.definition}：{balance.definition_text}",
        f"分母 {balance.area.area.ha:,.2f} 公顷",
        of,
    ]
    return "；".join([*parts, *_doubts(balance, found)]) + "。"


def _spaced(text: str) -> str:
    return text if text.startswith("不") else f" {text}"


def _doubts(balance: LandBalance, found: ShareRange) -> Sequence[str]:
    unknown = found.unknown_m2
    if found.is_exact:
        return ()
    what = f"图层未覆盖或编码不明的土地 {_size(unknown)}，占 {unknown / balance.denominator_m2:.2%}"
    if prints_exactly(found):
        return (what + "，不影响所列位数",)
    return (f"{what}，如全部计入则不高于 {math.ceil(found.high * 1e4 - 1e-9) / 100:.2f}%",)


def _size(area_m2: float) -> str:
    return f"{area_m2:,.2f} m²" if area_m2 < 100 else f"{m2_to_ha(area_m2):,.2f} 公顷"
