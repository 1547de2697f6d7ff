"""What does the card beside the map of a plan say?

One sentence, the checked sites, the zones with their areas, every stated figure beside the
computed one, the land balance, what is left of scarce land, and what dated images say. Formats
only; the one thing computed here is the printed area of a zone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gis.canonical import deciding_finding
from gis.crs import ellipsoidal_area
from gis.errors import NotFoundError
from gis.model import Verdict
from gis.output.maps import style
from gis.output.maps.balance_card import balance_card
from gis.output.maps.budget_card import budget_cards
from gis.output.maps.card import (
    Row,
    bounds_text,
    geojson_bounds,
    status_mark,
    verdict_of,
    verdict_view,
    vintage_span,
)
from gis.output.maps.indicator_card import indicator_cards, series_sentences
from gis.output.maps.layers import Shown
from gis.output.maps.numbers import short_area, with_unit
from gis.output.maps.shapes import dissolved, leaflet_bounds
from gis.output.maps.visible import drawable, zones_of
from gis.plan.balance import DEFAULT_DEFINITION, LandBalance
from gis.plan.budgets import budget_rows
from gis.plan.land.rows import share_text
from gis.plan.landcover import raster_rows
from gis.plan.schema import STATUS_LABELS
from gis.plan.stated import Figure, Reason, amount
from gis.rulebook.land_classes import green_water_definitions

if TYPE_CHECKING:
    from gis.plan.area import Plan

# A difference that rounding explains is quiet; any other one is to be seen.
_LOUD = frozenset({Reason.AREA_BASIS, Reason.MISMATCH, Reason.UNDETERMINED})


def plan_card(plan: Plan, checks: Sequence[Mapping[str, Any]], drawn: Iterable[Shown]) -> Row:
    """Return the rows of the card of the plan map."""
    ref = plan.ref
    figures = [figure_row(f, plan.work_epsg) | _at_least(plan, f) for f in plan.figures()]
    return {
        "title": ref.title,
        "version": ref.version,
        "mark": status_mark(ref.status, ref.status_note),
        "sentence": plan_sentence(plan, checks),
        "figures": figures,
        "sites": [site_row(c) for c in checks],
        "problems": problem_rows(checks) if len(checks) > 1 else [],
        "vintage": vintage_span(layer.info.vintage for layer in plan.layers.values()),
        "layers": [
            {"title": s.title, "vintage": s.vintage} for s in drawn if s.role != "zone_outline"
        ],
        "as_of": "、".join(sorted({str(c["as_of"]) for c in checks})),
        **land_sections(plan),
    }


def land_sections(plan: Plan) -> Row:
    """Return the sections about the land of a plan: balance, scarce land, dated indicators.

    A plan that names no land-class layer has no balance; one whose layers cannot be used says why.
    Where there are neither budgets nor rasters their sections are empty.
    """
    balance, lacking = _balance(plan)
    named = any(plan.with_role(role) for role in ("planned_use", "landuse"))
    rasters = raster_rows(plan)
    return {
        "balance": None if balance is None else balance_card(balance),
        "lacking": lacking if named else "",
        "budgets": budget_cards(budget_rows(plan)),
        "indicators": indicator_cards(rasters),
        "series": series_sentences(rasters),
    }


def _balance(plan: Plan) -> tuple[LandBalance | None, str]:
    """Return the balance by the default definition, else by the first that has a layer.

    The text says what the default definition lacks; it is empty when nothing is missing.
    """
    lacking = ""
    for letter in (DEFAULT_DEFINITION, *(d.id for d in green_water_definitions())):
        try:
            return plan.land_balance(definition=letter), ""
        except NotFoundError as problem:
            lacking = lacking or problem.found
    return None, lacking


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


def figure_row(figure: Figure, epsg: int) -> Row:
    """Return one stated figure beside the computed one, with all that explains it."""
    planar = _square_metres(figure.planar_m2)
    return {
        "title": figure.title,
        "stated": with_unit(figure.stated, figure.unit),
        "computed": with_unit(figure.computed, figure.unit),
        "difference": _difference(figure),
        "known": figure.computed is not None,
        "loud": figure.reason_code in _LOUD,
        "definition": figure.definition,
        "denominator": _with_area(figure.denominator, figure.denominator_m2),
        "layer": figure.layer_title,
        "vintage": figure.vintage,
        "status": STATUS_LABELS.get(figure.status, figure.status),
        "tolerance": f"±{amount(figure.tolerance, figure.unit)}",
        "ellipsoidal": _square_metres(figure.ellipsoidal_m2),
        "planar": f"{planar}（EPSG:{epsg}）" if planar else "",
        "reason": figure.reason,
        "source": figure.source,
    }


def _at_least(plan: Plan, figure: Figure) -> Row:
    """Return how a share is printed that may be larger, because some of the land is not known."""
    if figure.unit != "share" or figure.computed is None:
        return {}
    stated = next(s for s in plan.file.stated if s.id == figure.id)
    balance = plan.land_balance(stated.within, definition=stated.definition)
    share = share_text(balance.green_water_share, balance.share_range)
    if not share.startswith("不低于"):
        return {}
    return {"computed": share, "difference": f"按下限{_difference(figure)}"}


def _with_area(title: str, area_m2: float | None) -> str:
    return title if area_m2 is None else f"{title}（{_square_metres(area_m2)}）"


def _square_metres(area_m2: float | None) -> str:
    return "" if area_m2 is None else f"{area_m2:,.2f} m²"


def _difference(figure: Figure) -> str:
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


def problem_rows(checks: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Return what stands against several sites, rule by rule, the worst and most frequent first.

    A rule on a layer whose law is changing decides nothing and is left out.
    """
    found: dict[str, list[tuple[Mapping[str, Any], Mapping[str, Any]]]] = {}
    for document in checks:
        for finding in document["findings"]:
            if finding["decides"] and verdict_of(finding["verdict"]).rank > Verdict.PASS.rank:
                found.setdefault(finding["rule"], []).append((finding, document))
    rows = [_problem(pairs) for pairs in found.values()]
    rows.sort(key=lambda row: (-row["rank"], -row["count"], row["title"]))
    return rows


def _problem(pairs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> Row:
    worst = max((verdict_of(f["verdict"]) for f, _ in pairs), key=lambda v: v.rank)
    return {
        "title": pairs[0][0]["title"],
        "rank": worst.rank,
        "verdict": verdict_view(worst.value),
        "count": len(pairs),
        "sites": [site_row(d) | {"verdict": verdict_view(f["verdict"])} for f, d in pairs],
    }
