"""What stands on the verdict card? The rows of card and one-page brief, from a check document.

Every verdict, number and sentence comes from the document; the roles of the three lines come from
the plan. Texts are made visible here (no direction overrides, no controls); they reach the page as
data and never as markup.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gis.canonical import deciding_finding
from gis.model import citation
from gis.output.maps import style
from gis.output.maps.card import status_mark, verdict_of
from gis.output.maps.numbers import percent
from gis.output.maps.site_card import area_view, measure_text, site_sentence
from gis.output.maps.text import visible
from gis.units import m2_to_mu

if TYPE_CHECKING:
    from gis.plan.area import Plan

Document = Mapping[str, Any]

# 三区三线: the control lines that every reader asks for first, in the order of their strictness.
_THREE_LINES = (
    ("redline", "生态保护红线"),
    ("farmland", "永久基本农田"),
    ("dev_boundary", "城镇开发边界内"),
)
_LONGEST = 240
_MOST_FINDINGS = 5
_MOST_BUDGETS = 5
_ICON = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">{}</svg>'


def card_content(document: Document, plan: Plan, *, recipient: str = "") -> dict[str, Any]:
    """Return the rows of one card.

    Parameters
    ----------
    document
        The JSON document of a check.
    plan
        The plan that was checked against: says which layers are the three lines.
    recipient
        For whom this copy is; printed across it.
    """
    site, ref = document["site"], document["plan"]
    mark = status_mark(ref["status"], ref["status_note"])
    return {
        "name": shown(site["name"]),
        "verdict": _verdict(document["verdict"]),
        "sentence": shown(site_sentence(document)),
        "areas": area_view(site["area"]),
        "deciding": _deciding(document),
        "counts": _counts(document),
        "others": _others(document),
        "lines": [line_row(document, plan, role, title) for role, title in _THREE_LINES],
        "budgets": [shown(i["text"]) for i in document["impact"][:_MOST_BUDGETS]],
        "unchecked": sum(row["state"] != "checked" for row in document["layers"]),
        "mark": {key: shown(value) for key, value in mark.items()},
        "plan": shown(f"{ref['title']}，版本 {ref['version']}"),
        "as_of": str(document["as_of"]),
        "map_number": shown(plan.map_number),
        "code": document["digest"],
        "recipient": shown(recipient),
    }


def shown(value: object) -> str:
    """Return a text as a page may print it: visible characters only, of limited length."""
    text = visible("" if value is None else str(value))
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def line_row(document: Document, plan: Plan, role: str, title: str) -> dict[str, Any]:
    """Return how much of the site lies on the layers of a role; never a zero without data."""
    ids = {layer.info.id for layer in plan.with_role(role)}
    states = [row["state"] for row in document["layers"] if row["id"] in ids]
    if not states or any(state != "checked" for state in states):
        return {"title": title, "value": "未检查", "details": ["无数据"]}
    rows = [e for e in document["evidence"] if e["layer"] in ids and e["kind"] == "area"]
    area = sum(e["area_m2"] for e in rows)
    if not area:
        return {"title": title, "value": "0", "details": ["不涉及"]}
    share = area / document["site"]["area"]["ellipsoidal_m2"]
    return {
        "title": title,
        "value": f"{m2_to_mu(area):,.2f} 亩",
        "details": [f"{area:,.2f} m²", f"占地块 {percent(share)}"],
    }


def _verdict(value: object) -> dict[str, str]:
    verdict = verdict_of(value)
    look = style.VERDICTS[verdict]
    return {
        "label": verdict.label,
        "colour": look.colour,
        "tint": look.tint,
        "icon": _ICON.format(look.icon),
    }


def _deciding(document: Document) -> dict[str, str] | None:
    finding = deciding_finding(document)
    return None if finding is None else _finding(finding)


def _finding(finding: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "title": shown(finding["title"]),
        "verdict": _verdict(finding["verdict"]),
        "measure": shown(measure_text(finding.get("measure"))),
        "reason": shown(finding["reason"]),
        "basis": shown("；".join(citation(b) for b in finding["basis"])),
        "office": shown(finding.get("office")),
        "remedy": shown(finding["remedy"]),
    }


def _others(document: Document) -> list[dict[str, Any]]:
    """Return what else is not simply met, after the deciding finding, as the document sorts it."""
    open_ones: Sequence[Mapping[str, Any]] = [
        f
        for f in document["findings"]
        if f["verdict"] not in ("pass", "not_applicable") and f["rule"] != document["deciding_rule"]
    ]
    return [_finding(f) for f in open_ones[:_MOST_FINDINGS]]


def _counts(document: Document) -> list[dict[str, Any]]:
    order = sorted(style.VERDICTS, key=lambda v: -v.rank)
    found = [(v, sum(f["verdict"] == v.value for f in document["findings"])) for v in order]
    return [_verdict(v.value) | {"count": n} for v, n in found if n and v.value != "not_applicable"]
