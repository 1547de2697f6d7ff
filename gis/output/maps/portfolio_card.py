"""What does the card beside the map of the projects say?

One sentence, what projects wait for by class of problem, all projects in order, what is left of
the scarce land, and what the list states in total. Formats the document of ``Portfolio.to_dict``;
every verdict and number stands in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gis.output.maps.card import Row, bounds_text, geojson_bounds, status_mark, verdict_view
from gis.units import m2_to_ha

Document = Mapping[str, Any]
_UNKNOWN = "未知"


def portfolio_card(
    document: Document, places: Mapping[str, Mapping[str, Any]], *, hidden: bool
) -> Row:
    """Return the rows of the card.

    Parameters
    ----------
    document
        From ``Portfolio.to_dict``.
    places
        GeoJSON outline by the id of the project, for those that may be shown.
    hidden
        Whether outlines are there and must not be shown.
    """
    plan, register = document["plan"], document["register"]
    rows = {row["id"]: project_row(row, places.get(row["id"])) for row in document["projects"]}
    return {
        "title": "重点项目",
        "plan": plan["title"],
        "version": plan["version"],
        "mark": status_mark(plan["status"], plan["status_note"]),
        "sentence": document["sentence"],
        "waiting": [_class_row(group, rows) for group in document["waiting"]],
        "projects": list(rows.values()),
        "budgets": [budget_row(row) for row in document["budgets"]],
        "totals": [total["text"] for total in document["totals"]],
        "notes": document["notes"],
        "hidden": hidden,
        "as_of": document["as_of"],
        "register": register,
        "source": "，".join(filter(None, (register["title"], register["source"]))),
    }


def project_row(row: Mapping[str, Any], outline: Mapping[str, Any] | None) -> Row:
    """Return one project as a row of the list and of the table on paper."""
    bounds, label = geojson_bounds(outline), row["verdict_label"]
    following = row["next_stage"]
    return {
        "order": row["order"],
        "id": row["id"],
        "name": row["name"],
        "verdict": verdict_view(row["verdict"] or "not_applicable") | {"label": label},
        "why": row["deciding_title"] or row["lacks"] or "各项规则均符合",
        "area": f"{row['area']['mu']:,.2f} 亩" if row["area"] else "—",
        "investment": _wan(row["investment_wan"]),
        "approvals": [
            {"title": a["title"], "state": a["state"], "text": a["text"]} for a in row["approvals"]
        ],
        "next": following["todo"] if following else "三项手续齐备",
        "problem": "：".join(filter(None, (row["problem_class"], row["problem"])))
        if row["problem_open"]
        else "",
        "takes": [
            {"text": t["text"], "short": bool(t["exceeded"])}
            for t in row["takes"] or ()
            if t["area_m2"] != 0
        ],
        "held_by": "、".join(row["held_by"]),
        "bounds": bounds_text(bounds) if bounds else "",
    }


def budget_row(row: Mapping[str, Any]) -> Row:
    """Return one budget in hectares; unknown is never nothing."""
    return {
        "title": row["title"],
        "initial": _ha(row["initial_m2"]),
        "taken": _ha(None if row["unknown_at"] else row["taken_m2"]),
        "left": _ha(row["free_m2"]),
        "ends": row["ends_at"]["name"] if row["ends_at"] else "",
        "short": bool(row["shortfall_m2"]),
        "text": row["text"],
    }


def _class_row(group: Mapping[str, Any], rows: Mapping[str, Row]) -> Row:
    total, known = group["investment_wan"], group["investment_rows"]
    partly = f"（{known} 个写明）" if known < group["count"] else ""
    return {
        "title": group["class"],
        "count": group["count"],
        "investment": "总投资未知" if total is None else f"总投资 {_wan(total)}{partly}",
        "projects": [rows[project["id"]] for project in group["projects"]],
    }


def _ha(area_m2: float | None) -> str:
    return _UNKNOWN if area_m2 is None else f"{m2_to_ha(area_m2):,.2f}"


def _wan(value: float | None) -> str:
    return "—" if value is None else f"{value:,.10g} 万元"
