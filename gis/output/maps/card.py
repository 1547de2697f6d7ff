"""What do both cards share: how a verdict, a status and a place are written?

Formats only; every verdict and number stands in the document of the check.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gis.model import Verdict
from gis.output.maps import style

Row = dict[str, Any]

_STATUS = {
    "schematic": ("示意", "示意数据，非法定规划成果"),
    "draft": ("草案", "规划草案，尚未批准"),
    "approved": ("", "已批准"),
}


def verdict_of(value: object) -> Verdict:
    """Return the verdict of a document; anything unknown is to be verified, never fine."""
    try:
        return Verdict(str(value))
    except ValueError:
        return Verdict.UNDETERMINED


def verdict_view(value: object) -> Row:
    """Return word, icon and colours of a verdict."""
    verdict = verdict_of(value)
    look = style.VERDICTS[verdict]
    return {
        "id": verdict.value,
        "label": verdict.label,
        "icon": style.icon(verdict),
        "pattern": look.pattern,
        "rank": verdict.rank,
    }


def verdict_keys() -> list[Row]:
    """Return the verdicts for the legend of a map with several sites, worst first."""
    decisive = [v for v in Verdict if v is not Verdict.NOT_APPLICABLE]
    return [verdict_view(v) for v in sorted(decisive, key=lambda v: -v.rank)]


def status_mark(status: str, note: str) -> Row:
    """Return the mark that stands on every page of a plan that is not approved."""
    word, text = _STATUS.get(status, ("未知", "规划状态不明"))
    return {"word": word, "text": text, "note": note}


def bounds_text(bounds: Sequence[Sequence[float]]) -> str:
    """Return corners as ``south,west,north,east`` for a data attribute."""
    return ",".join(str(v) for corner in bounds for v in corner)


def geojson_bounds(geometry: Mapping[str, Any] | None) -> list[list[float]] | None:
    """Return south-west and north-east corner of a GeoJSON geometry, None when there is none."""
    shape = geometry or {}
    parts = shape.get("geometries", [shape])
    points = [p for part in parts for p in _positions(part.get("coordinates", ()))]
    if not points:
        return None
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    return [[min(ys), min(xs)], [max(ys), max(xs)]]


def _positions(value: Any) -> Iterable[tuple[float, float]]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return
    if len(value) >= 2 and all(isinstance(v, int | float) for v in value[:2]):
        yield float(value[0]), float(value[1])
        return
    for part in value:
        yield from _positions(part)


def vintage_span(vintages: Iterable[object]) -> str:
    """Return the oldest and newest vintage of layers, as written in the plan."""
    known = sorted({str(v) for v in vintages if v})
    return " 至 ".join(dict.fromkeys([known[0], known[-1]])) if known else "未注明"
