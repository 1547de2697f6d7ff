"""What changes for one site when a draft plan takes the place of the plan in force?

Two whole checks, rule by rule side by side. Nothing is judged here that ``check_site`` does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from gis.canonical import SCHEMA_VERSION, to_dict
from gis.check import check_site, legal_day
from gis.model import Site, Verdict
from gis.plan import Plan

Row = dict[str, Any]
_HEAD = ("verdict", "verdict_label", "verdict_en", "deciding_rule", "plan", "rulebook", "digest")
_SIDE = ("verdict", "verdict_label", "measure", "reason", "decides")


def compare(
    site: Site,
    plan: Plan,
    draft: Plan | None = None,
    *,
    use: str | None = None,
    attributes: Mapping[str, object] | None = None,
    as_of: date | None = None,
) -> dict[str, Any]:
    """Check one site against a plan and a draft of it, and say rule by rule what differs.

    Parameters
    ----------
    site
        From ``read_site`` with the plan in force.
    plan
        The plan in force.
    draft
        The draft; default the plan with its own changing layers in place (``Plan.draft``).
    use, attributes, as_of
        As for ``check_site``; the same for both.

    Returns
    -------
    document
        Plain JSON values: ``site``, ``as_of``, ``in_force`` and ``draft`` (verdict, deciding rule,
        plan), ``changed``, and ``rules`` with both findings, changed ones first. A rule that only
        one of the plans has is null on the other side.

    Raises
    ------
    NotFoundError
        No draft is given and the plan has no changing layer.
    ClaimError, OutsidePlanError, CrsError
        As ``check_site``; also when the draft is another place or has another work CRS.
    """
    other = draft or plan.draft()
    day = as_of or legal_day()
    now, then = (
        to_dict(check_site(site, p, use=use, attributes=attributes, as_of=day, remedies=False))
        for p in (plan, other)
    )
    rules = rules_beside(now, then)
    return {
        "schema_version": SCHEMA_VERSION,
        "site": now["site"],
        "as_of": now["as_of"],
        "in_force": {key: now[key] for key in _HEAD},
        "draft": {key: then[key] for key in _HEAD},
        "changed": now["verdict"] != then["verdict"] or any(row["changed"] for row in rules),
        "rules": rules,
    }


def rules_beside(now: Row, then: Row) -> list[Row]:
    """Return the findings of two checks rule by rule, ``in_force`` and ``draft``, changed first."""
    before = {f["rule"]: f for f in now["findings"]}
    after = {f["rule"]: f for f in then["findings"]}
    rows = [_row(rule, before.get(rule), after.get(rule)) for rule in before | after]
    return sorted(rows, key=lambda row: (not row["changed"], -_worst(row), row["rule"]))


def _row(rule: str, before: Row | None, after: Row | None) -> Row:
    named = before or after or {}
    return {
        "rule": rule,
        "title": named["title"],
        "title_en": named["title_en"],
        "changed": _said(before) != _said(after),
        "in_force": _side(before),
        "draft": _side(after),
    }


def _said(finding: Row | None) -> tuple[Any, ...]:
    """Return what counts as a change: the verdict or the number, not the wording."""
    return (finding["verdict"], finding["measure"]) if finding else ()


def _side(finding: Row | None) -> Row | None:
    return {key: finding[key] for key in _SIDE} if finding else None


def _worst(row: Row) -> int:
    sides = (row["in_force"], row["draft"])
    return max(Verdict(side["verdict"]).rank for side in sides if side)
