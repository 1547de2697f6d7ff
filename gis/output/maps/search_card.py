"""What does the card beside the map of a search say?

The answer in one sentence, the candidates with their scores, the land by class, and the rules that
bind. Formats the JSON document of a search; every number and verdict stands in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gis.output.maps.card import Row, bounds_text, geojson_bounds, status_mark, verdict_view
from gis.output.maps.numbers import percent
from gis.output.maps.site_card import impact_row

# Class of land -> the verdict whose colour, pattern and icon it has.
VERDICT_OF = {
    "permitted": "pass",
    "conditional": "conditional",
    "undetermined": "undetermined",
    "excluded": "fail",
}
_RULES = 6


def search_card(document: Mapping[str, Any]) -> Row:
    """Return the rows of the card of one search."""
    query, plan, miss = document["query"], document["plan"], document["nearest_miss"]
    found = document["candidates"]
    return {
        "title": f"{query['use_label']}　{mu(query['area_mu'])} 亩",
        "sentence": sentence(document),
        "verdict": verdict_view(found[0]["verdict"] if found else _miss_verdict(miss)),
        "word": f"{len(found)} 处候选" if found else "没有合适的地块",
        "wishes": wishes(query),
        "sites": [site_row(s) for s in (found or miss["sites"])],
        "are_candidates": bool(found),
        "classes": [class_row(c) for c in document["feasible"]["classes"]],
        "everywhere": [_asked(r) for r in document["feasible"]["everywhere"]],
        "note": document["feasible"]["note"],
        "binding": [binding_row(b, n) for n, b in enumerate(document["binding"])],
        "rejected": [r["reason"] for r in document["rejected"]],
        "hidden": document["hidden_layers"],
        "as_of": query["as_of"],
        "plan": plan,
        "mark": status_mark(plan["status"], plan["status_note"]),
    }


def sentence(document: Mapping[str, Any]) -> str:
    """Return the answer in one sentence for a reader with ten seconds."""
    found, query = document["candidates"], document["query"]
    if not found:
        # The head of the card has said already that there is none, of which use and size.
        return str(document["nearest_miss"]["text"]).partition("；")[2]
    best = found[0]
    return (
        f"{query['within']}内有 {len(found)} 处可容纳 {mu(query['area_mu'])} 亩，"
        f"最好的一处{best['verdict_label']}，得分 {best['score']:.2f}。"
    )


def _miss_verdict(miss: Mapping[str, Any]) -> str:
    return str(miss["sites"][0]["verdict"]) if miss["sites"] else "fail"


def mu(value: float) -> str:
    """Return an area in mu without idle decimals.

    >>> mu(2000.0), mu(419.17)
    ('2,000', '419.17')
    """
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def wishes(query: Mapping[str, Any]) -> list[str]:
    """Return what was asked for beyond use and size."""
    said = [f"范围：{query['within']}"]
    if query["min_width_m"]:
        said.append(f"最小宽度 {query['min_width_m']:g} 米")
    if query["near_road_m"]:
        said.append(f"距道路不超过 {query['near_road_m']:g} 米")
    said += [f"距 {name} 不小于 {metres:g} 米" for name, metres in query["away"].items()]
    said += [f"保留指标 {name} {kept:g} 亩" for name, kept in query["keep"].items()]
    return said


def site_row(site: Mapping[str, Any]) -> Row:
    """Return one candidate, or near miss, with its scores and what it needs."""
    bounds = geojson_bounds(site["geometry"])
    return {
        "name": site["name"],
        "verdict": verdict_view(site["verdict"]),
        "area": f"{site['area_mu']:,.2f} 亩",
        "score": f"{site['score']:.2f}",
        "bounds": bounds_text(bounds) if bounds else "",
        "criteria": [criterion_row(c) for c in site["criteria"]],
        "costs": [_asked(f) for f in site["costs"]],
        "against": [_asked(f) for f in site["against"]],
        "impact": [impact_row(i) for i in site["impact"]],
        "digest": site["digest"],
    }


def criterion_row(row: Mapping[str, Any]) -> Row:
    """Return one criterion as printed; what nobody knows is not counted, and says so."""
    if row["value"] is None:
        return {"title": row["title"], "value": "未知", "score": "不计", "weight": ""}
    value = percent(row["value"]) if row["unit"] == "share" else f"{row['value']:,.0f} 米"
    return {
        "title": row["title"],
        "value": value,
        "score": f"{row['score']:.2f}",
        "weight": percent(row["weight"]),
    }


def _asked(finding: Mapping[str, Any]) -> Row:
    return {
        "title": finding["title"],
        "verdict": verdict_view(finding["verdict"]),
        "reason": finding["reason"],
        "remedy": finding["remedy"],
        "office": finding["office"],
    }


def class_row(land: Mapping[str, Any]) -> Row:
    """Return one class of land with the rules that make it so."""
    rules = land["rules"]
    return {
        "id": land["class"],
        "label": land["label"],
        "verdict": verdict_view(VERDICT_OF[land["class"]]),
        "area": f"{land['area_mu']:,.0f} 亩",
        "share": percent(land["share"]),
        "rules": [{"title": r["title"], "area": f"{r['area_mu']:,.0f} 亩"} for r in rules[:_RULES]],
        "more": max(len(rules) - _RULES, 0),
    }


def binding_row(row: Mapping[str, Any], number: int) -> Row:
    """Return one rule that binds; its key is that of its land on the map."""
    return {
        "key": f"f{number}",
        "title": row["title"],
        "verdict": verdict_view(row["verdict"]),
        "alone": f"{row['alone_mu']:,.0f} 亩",
        "last": f"{row['last_mu']:,.0f} 亩",
        "excluded": f"{row['excluded_mu']:,.0f} 亩",
        "open": f"{row['open_mu']:,.0f} 亩",
        "threshold": row["threshold"],
        "remedy": row["remedy"],
        "office": row["office"],
        "geometry": False,  # whether its land is on the map; the page knows
    }


def bounds_of(sites: Sequence[Mapping[str, Any]]) -> list[list[float]] | None:
    """Return the box of all outlines, None when there is none to show."""
    boxes = [b for s in sites if (b := geojson_bounds(s["geometry"])) is not None]
    if not boxes:
        return None
    south, west = (min(b[0][n] for b in boxes) for n in (0, 1))
    north, east = (max(b[1][n] for b in boxes) for n in (0, 1))
    return [[south, west], [north, east]]
