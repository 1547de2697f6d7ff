"""How do the findings of a raster read as JSON, and what must be said beside them?

Rows of the balance: plain values, shares rounded to six decimals, and sentences in Chinese that
keep a remote-sensing figure from being taken for a planned one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from gis.model import LayerState
from gis.plan.areas import PlanArea
from gis.plan.raster.agreement import Agreement
from gis.plan.raster.file import Raster
from gis.plan.raster.series import Dated, SeriesRange
from gis.plan.raster.share import CoverShares, IndexShare, Seen
from gis.plan.schema import STATUS_LABELS

NAMES = {"ndvi": "NDVI 植被占比", "ndwi": "NDWI 水面占比"}
COVER_NAME = "遥感绿地和水域占比"
_FORMULAS = {
    "ndvi": "NDVI =（近红外 − 红）/（近红外 + 红）",
    "ndwi": "NDWI =（绿 − 近红外）/（绿 + 近红外），McFeeters（1996）",
}
# An even spread of values has 0.75; below, the histogram has one hump and Otsu cuts through it.
_SEPARABLE = 0.75
_LITTLE_SEEN = 0.8


def index_sentence(index: str, day: date) -> str:
    """Return what an index share is, and what it is not."""
    return f"{NAMES[index]}，是 {day.isoformat()} 的遥感指标，不是规划绿地和水域占比"


def cover_sentence(day: date) -> str:
    """Return what a land-cover share is, and what it is not."""
    return f"遥感土地覆盖的绿地和水域占比，日期 {day.isoformat()}，不是规划绿地和水域占比"


# --- rows ----------------------------------------------------------------------------------------


def cover_row(
    raster: Raster, area: PlanArea, cover: CoverShares, agreement: Agreement | None
) -> dict[str, Any]:
    """Return the row of a class raster."""
    row = _head(raster, None, area, *_state(cover.seen))
    return row | {
        "definition": raster.table.definition if raster.table else "",
        "rule": cover.rule,
        "share": rounded(cover.share),
        "green_share": rounded(cover.share_of("green")),
        "water_share": rounded(cover.share_of("water")),
        "classes": [
            {
                "value": _number(c.value),
                "name": c.name,
                "colour": c.colour or None,
                "counted_as": c.counted_as or None,
                "area_m2": round(c.area_m2, 2),
                "share": rounded(c.share),
            }
            for c in cover.classes
        ],
        "unknown": [
            {"value": _number(u.value), "pixels": round(u.pixels, 2), "share": rounded(u.share)}
            for u in cover.unknown
        ],
        **_seen(cover.seen),
        "agreement": None if agreement is None else agreement_row(agreement),
        "notes": [*_head_notes(raster), *_seen_notes(cover.seen), *_cover_notes(cover)],
        "sentence": cover_sentence(raster.entry.date),
    }


def index_row(raster: Raster, area: PlanArea, found: IndexShare) -> dict[str, Any]:
    """Return the row of one index of an image."""
    row = _head(raster, found.index, area, *_state(found.seen))
    return row | {
        "definition": _FORMULAS[found.index],
        "threshold": round(found.threshold, 4),
        "method": found.method,
        "separability": rounded(found.separability),
        "rule": found.rule,
        "share": rounded(found.share),
        "area_m2": round(found.area_m2, 2) if found.share is not None else None,
        "saturated_pixels": round(found.saturated_pixels, 2),
        **_seen(found.seen),
        "notes": [*_head_notes(raster), *_seen_notes(found.seen), *_index_notes(found)],
        "sentence": index_sentence(found.index, raster.entry.date),
    }


def empty_row(
    raster: Raster, index: str | None, area: PlanArea | None, state: LayerState, reason: str
) -> dict[str, Any]:
    """Return the row of a raster that says nothing, with the reason; no figure reads as zero."""
    day = raster.entry.date
    if index:
        sentence = index_sentence(index, day)
    elif raster.entry.kind == "classes":
        sentence = cover_sentence(day)
    else:
        sentence = f"{day.isoformat()} 的影像，没有可计算的指数"
    return _head(raster, index, area, state, reason) | {"sentence": sentence}


def with_series(
    row: dict[str, Any], ranges: Mapping[tuple[str, str], SeriesRange]
) -> dict[str, Any]:
    """Return the row with the range of its series, when it belongs to one."""
    found = ranges.get((str(row["series"]), str(row["index"]))) if row["series"] else None
    return row | {"series": None if found is None else series_row(found)}


def series_row(found: SeriesRange) -> dict[str, Any]:
    """Return the range of a series with all its dates."""
    return {
        "id": found.series,
        "min": _end(found.lowest),
        "max": _end(found.highest),
        "median": rounded(found.median),
        "used": len(found.used),
        "threshold": _common_threshold(found),
        "valid_limit": found.valid_limit,
        "dates": [
            {
                "date": d.date.isoformat(),
                "raster": d.raster,
                "share": rounded(d.share),
                "valid_share": rounded(d.valid_share),
                "threshold": None if d.threshold is None else round(d.threshold, 4),
                "used": d.used,
                "reason": d.reason,
            }
            for d in found.dates
        ],
        "sentence": _series_sentence(found),
    }


def agreement_row(found: Agreement) -> dict[str, Any]:
    """Return raster beside vector, in shares and in percentage points."""
    return {
        "vector_layer": found.layer,
        "raster_share": rounded(found.raster_share),
        "vector_share": rounded(found.vector_share),
        "difference": rounded(found.difference),
        "difference_points": round(100 * found.difference, 4) + 0.0,
        "classes": [
            {
                "value": None if r.value is None else _number(r.value),
                "name": r.name,
                "vector_classes": list(r.classes),
                "raster_share": rounded(r.raster_share),
                "vector_share": rounded(r.vector_share),
                "difference": rounded(r.difference),
            }
            for r in found.rows
        ],
    }


def _head(
    raster: Raster, index: str | None, area: PlanArea | None, state: LayerState, reason: str
) -> dict[str, Any]:
    entry, form = raster.entry, raster.form
    return {
        "id": f"{entry.id}:{index}" if index else entry.id,
        "raster": entry.id,
        "title": f"{entry.title} {_measured(raster, index)}".rstrip(),
        "kind": "landcover" if entry.kind == "classes" else "indicator",
        "index": index,
        "state": state.value,
        "reason": reason,
        "date": entry.date.isoformat(),
        "series": entry.series,
        "status": entry.status,
        "source": entry.source,
        "area": None
        if area is None
        else {
            "id": area.id,
            "title": area.title,
            "area_m2": round(area.area.ellipsoidal_m2, 2),
        },
        "pixel_size": None if form is None else [round(v, 9) for v in form.grid.pixel_size],
        "pixel_unit": None if form is None else form.crs.axis_info[0].unit_name,
        "share": None,
        "valid_share": None,
        "agreement": None,
        "notes": [],
    }


def _measured(raster: Raster, index: str | None) -> str:
    """Return the name of the share; an image of which no index can be computed has none."""
    if index:
        return NAMES[index]
    return COVER_NAME if raster.entry.kind == "classes" else ""


def _state(seen: Seen) -> tuple[LayerState, str]:
    if seen.valid_share > 0:
        return LayerState.CHECKED, ""
    return LayerState.NO_DATA, "范围内没有有效像元"


def _seen(seen: Seen) -> dict[str, Any]:
    return {
        "valid_share": rounded(seen.valid_share),
        "nodata_share": rounded(seen.nodata_share),
        "outside_share": rounded(seen.outside_share),
        "fill_share": rounded(seen.fill_share),
        "fill_value": None if seen.fill_value is None else _number(seen.fill_value),
        "unexplained_share": rounded(seen.unexplained_share),
    }


def _common_threshold(found: SeriesRange) -> float | None:
    """Return the threshold of all dates, None when they differ."""
    first = next((d.threshold for d in found.used), None)
    return round(first, 4) if first is not None and found.is_comparable else None


def _end(found: Dated | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {"date": found.date.isoformat(), "share": rounded(found.share)}


def rounded(share: float | None) -> float | None:
    """Return a share as it is printed in JSON; minus zero is zero."""
    return None if share is None else round(share, 6) + 0.0


def _number(value: float) -> float | int:
    return int(value) if value.is_integer() else value


# --- sentences -----------------------------------------------------------------------------------


def _head_notes(raster: Raster) -> Iterator[str]:
    if raster.entry.status == "schematic":
        yield f"{STATUS_LABELS['schematic']}数据，不能说明实地情况"


def _seen_notes(seen: Seen) -> Iterator[str]:
    if seen.fill_share > 0:
        number = _number(seen.fill_value or 0.0)
        yield f"未标记的填充像元（各波段同为 {number}）占 {_percent(seen.fill_share)}，已剔除"
    if seen.outside_share > 0:
        yield f"范围有 {_percent(seen.outside_share)} 在栅格之外，按无数据计"
    if seen.valid_share < _LITTLE_SEEN:
        yield f"有效像元仅占 {_percent(seen.valid_share)}，占比只代表看得见的部分"


def _cover_notes(cover: CoverShares) -> Iterator[str]:
    if cover.unknown:
        values = "、".join(str(_number(u.value)) for u in cover.unknown)
        share = _percent(cover.seen.unexplained_share)
        yield f"取值 {values} 没有编码说明，占 {share}，未计入任何一类"


def _index_notes(found: IndexShare) -> Iterator[str]:
    if found.seen.unexplained_share > 0:
        share = _percent(found.seen.unexplained_share)
        yield f"指数无意义（两个波段之和不大于 0，或超出 -1 至 1）的像元占 {share}，已剔除"
    if found.saturated_pixels > 0:
        yield f"有 {found.saturated_pixels:.0f} 个像元至少一个波段饱和，指数不准确"
    if found.separability is not None and found.separability < _SEPARABLE:
        yield "影像的指数没有明显分成两群，大津法阈值仅供参考"


def _series_sentence(found: SeriesRange) -> str:
    name, low, high = NAMES[found.index], found.lowest, found.highest
    left = len(found.dates) - len(found.used)
    unused = f"；另有 {left} 个日期有效像元不足或无法读取，未采用" if left else ""
    if low is None or high is None:
        return f"{name}没有可用的日期{unused}"
    if not found.is_comparable:
        limits = [d.threshold for d in found.used if d.threshold is not None]
        return (
            f"{name}各日期阈值不同（{min(limits):.2f} 至 {max(limits):.2f}），"
            f"{_percent(low.share)} 至 {_percent(high.share)} 不能说明季节变化，"
            f"应在 plan.toml 的 thresholds 中写明同一阈值；共 {len(found.used)} 个日期{unused}"
        )
    return (
        f"{name}随季节变化：{_percent(low.share)}（{low.date.isoformat()}）至 "
        f"{_percent(high.share)}（{high.date.isoformat()}），共 {len(found.used)} 个日期{unused}"
    )


def _percent(share: float | None) -> str:
    """Return a share in percent; what is there but tiny must not read as nothing."""
    value = share or 0.0
    return "不足 0.01%" if 0 < value < 1e-4 else f"{value:.2%}"
