"""What does the card beside the map of a plan say?

One sentence, the checked sites, the zones with their areas, and every stated figure beside the
computed one. Formats only; the one thing computed here is the printed area of a zone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gis.canonical import deciding_finding
from gis.crs import ellipsoidal_area
from gis.output.maps import style
from gis.output.maps.card import (
    Row,
    bounds_text,
    geojson_bounds,
    status_mark,
    verdict_of,
    verdict_view,
    vintage_span,
)
from gis.output.maps.layers import Shown
from gis.output.maps.numbers import short_area, with_unit
from gis.output.maps.shapes import dissolved, leaflet_bounds
from gis.output.maps.visible import drawable, zones_of

if TYPE_CHECKING:
    from gis.plan.area import Plan


def plan_card(plan: Plan, checks: Sequence[Mapping[str, Any]], drawn: Iterable[Shown]) -> Row:
    """Return the rows of the card of the plan map."""
    ref = plan.ref
    figures = [figure_row(f) for f in plan.figures()]
    return {
        "title": ref.title,
        "version": ref.version,
        "mark": status_mark(ref.status, ref.status_note),
        "sentence": plan_sentence(plan, checks),
        "figures": figures,
        "sites": [site_row(c) for c in checks],
        "vintage": vintage_span(layer.info.vintage for layer in plan.layers.values()),
        "layers": [
            {"title": s.title, "vintage": s.vintage} for s in drawn if s.role != "zone_outline"
        ],
        "as_of": "、".join(sorted({str(c["as_of"]) for c in checks})),
    }


def plan_sentence(plan: Plan, checks: Sequence[Mapping[str, Any]]) -> str:
    """Return the one sentence for a reader with ten seconds."""
    if checks:
        counts = _counts(checks)
        # No-break blanks: a number never stands apart from its word.
        parts = "，".join(f"{n}\N{NO-BREAK SPACE}个{v}" for v, n in counts)
        return f"{len(checks)}\N{NO-BREAK SPACE}个地块检测：{parts}。"
    areas = [(f.computed, f) for f in plan.figures() if f.unit == "km2" and f.computed]
    zones = sum(len(zones_of(z)) for z in plan.with_role("zone") if z.frame is not None)
    if areas:
        computed, largest = max(areas, key=lambda pair: pair[0])
        parts = f"，划为 {zones} 个功能区" if zones else ""
        return f"{largest.title} {computed:,.1f} 平方公里{parts}。"
    return f"共 {zones} 个分区。" if zones else f"{plan.ref.title}。"


def _counts(checks: Sequence[Mapping[str, Any]]) -> list[tuple[str, int]]:
    verdicts = [verdict_of(c["verdict"]) for c in checks]
    found = sorted(set(verdicts), key=lambda v: -v.rank)
    return [(v.label, verdicts.count(v)) for v in found]


def figure_row(figure: Any) -> Row:
    """Return one stated figure beside the computed one."""
    ratio = None
    if figure.computed is not None and figure.stated:
        ratio = figure.difference / figure.stated
    return {
        "title": figure.title,
        "stated": with_unit(figure.stated, figure.unit),
        "computed": with_unit(figure.computed, figure.unit),
        "difference": _difference(figure),
        "known": figure.computed is not None,
        "large": ratio is not None and abs(ratio) > 0.01,
        "definition": figure.definition,
        "denominator": figure.denominator,
        "reason": figure.reason,
        "source": figure.source,
    }


def _difference(figure: Any) -> str:
    if figure.difference is None:
        return ""
    if round(figure.difference * (100 if figure.unit == "share" else 1), 2) == 0:
        return "一致"
    return "差 " + with_unit(figure.difference, figure.unit, signed=True)


def zone_rows(plan: Plan, ceiling: str) -> list[Row]:
    """Return the zones with number, colour, area and bounds."""
    rows = []
    for layer in drawable(plan, "zone", ceiling):
        for zone in zones_of(layer):
            whole = dissolved(zone.frame.geometry.to_numpy())
            rows.append(
                {
                    "name": zone.name,
                    "number": zone.number,
                    "fill": style.zone_fill(zone.number),
                    "area": short_area(ellipsoidal_area(whole, plan.work_epsg)),
                    "bounds": bounds_text(leaflet_bounds(whole, plan.work_epsg)),
                }
            )
    return rows


def site_row(document: Mapping[str, Any]) -> Row:
    """Return one checked site as a row of the list."""
    site = document["site"]
    deciding = deciding_finding(document)
    bounds = geojson_bounds(site.get("geometry"))
    return {
        "name": site["name"],
        "area": f"{site['area']['mu']:,.2f} 亩",
        "verdict": verdict_view(document["verdict"]),
        "why": deciding["title"] if deciding else "各项规则均符合",
        "bounds": bounds_text(bounds) if bounds else "",
    }
