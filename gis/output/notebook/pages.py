"""Which map belongs to an object? The same offline page as everywhere, framed in the notebook."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

from gis.canonical import to_dict
from gis.errors import ClaimError
from gis.model import SiteCheck
from gis.output.maps import comparison_map, plan_map, portfolio_map, search_map, site_map
from gis.output.maps.page import Page
from gis.plan import Plan
from gis.portfolio.portfolio import Portfolio
from gis.scenario import Comparison
from gis.siting import SiteSearch


@singledispatch
def explore(shown: object, *_: Any, **__: Any) -> Page:
    """Return the map page of an object."""
    raise ClaimError(f"{type(shown).__name__} 没有地图", advice="用 to_frame().explore()")


@explore.register
def _plan(plan: Plan, checks: Any = (), **options: Any) -> Page:
    documents = [to_dict(c) if isinstance(c, SiteCheck) else c for c in checks]
    return Page(plan_map(plan, documents, **options))


@explore.register
def _check(check: SiteCheck, plan: Plan | None = None, **options: Any) -> Page:
    return Page(site_map(to_dict(check), of_plan(plan, "check.explore(plan)"), **options))


@explore.register
def _search(search: SiteSearch, plan: Plan | None = None, **options: Any) -> Page:
    return Page(search_map(search, of_plan(plan, "search.explore(plan)"), **options))


@explore.register
def _portfolio(portfolio: Portfolio, plan: Plan | None = None, **options: Any) -> Page:
    return Page(portfolio_map(portfolio, of_plan(plan, "portfolio.explore(plan)"), **options))


@explore.register
def _comparison(found: Comparison, **options: Any) -> Page:
    return Page(comparison_map(found.plans[0], found.plans[1], **options))


def of_plan(plan: Plan | None, call: str) -> Plan:
    """Return the plan; raise ClaimError when it was left out: an answer does not carry its map."""
    if not isinstance(plan, Plan):
        raise ClaimError(
            "缺少规划：答案本身不带图层", expected=call, advice="把 load_plan 的结果交给它"
        )
    return plan
