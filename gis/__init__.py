"""wuqu (五区): check candidate project sites against zones, control lines and the law.

>>> import gis
>>> plan = gis.load_plan()
>>> site = gis.read_site("data/samples/yizhong_xinxiao.txt", plan)
>>> check = gis.check_site(site, plan, use="080403")
>>> check.verdict.label, round(check.site.area.mu, 2)
('有条件符合', 419.17)

Public names are loaded when first used, so that ``import gis`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gis.batch.run import check_sites
    from gis.canonical import to_dict
    from gis.check import check_site
    from gis.comparison import compare
    from gis.errors import WuquError
    from gis.intake.boundary.lint import lint_boundary_txt
    from gis.intake.read import read_site, read_sites
    from gis.model import Site, SiteCheck, Verdict
    from gis.output.figures import land_balance_chart
    from gis.output.maps import comparison_map, plan_map, portfolio_map, search_map, site_map
    from gis.output.notebook import use_chinese_font
    from gis.output.report import site_report, sites_report
    from gis.output.sites_txt import write_txt
    from gis.parcels import overlap_table
    from gis.plan.area import Plan, load_plan
    from gis.plan.balance import LandBalance
    from gis.plan.booking import book
    from gis.plan.budgets import budgets
    from gis.plan.landcover import index_share, raster_rows, raster_share
    from gis.plan.new.package import new_plan
    from gis.plan.reservations import release, reservations, reserve
    from gis.plan.samples import load_samples
    from gis.portfolio.check import check_portfolio
    from gis.portfolio.register import load_projects
    from gis.rulebook.class_mapping import convert
    from gis.scenario import Change, Wish, compare_scenarios, make_scenario
    from gis.siting import SiteSearch, find_sites

__version__ = "0.1.0"

_HOMES = {
    "Change": "gis.scenario",
    "LandBalance": "gis.plan.balance",
    "Plan": "gis.plan.area",
    "Site": "gis.model",
    "SiteCheck": "gis.model",
    "SiteSearch": "gis.siting",
    "Verdict": "gis.model",
    "Wish": "gis.scenario",
    "WuquError": "gis.errors",
    "book": "gis.plan.booking",
    "budgets": "gis.plan.budgets",
    "check_portfolio": "gis.portfolio.check",
    "check_site": "gis.check",
    "check_sites": "gis.batch.run",
    "compare": "gis.comparison",
    "compare_scenarios": "gis.scenario",
    "comparison_map": "gis.output.maps",
    "convert": "gis.rulebook.class_mapping",
    "find_sites": "gis.siting",
    "index_share": "gis.plan.landcover",
    "land_balance_chart": "gis.output.figures",
    "lint_boundary_txt": "gis.intake.boundary.lint",
    "load_plan": "gis.plan.area",
    "load_projects": "gis.portfolio.register",
    "load_samples": "gis.plan.samples",
    "make_scenario": "gis.scenario",
    "new_plan": "gis.plan.new.package",
    "overlap_table": "gis.parcels",
    "plan_map": "gis.output.maps",
    "portfolio_map": "gis.output.maps",
    "raster_rows": "gis.plan.landcover",
    "raster_share": "gis.plan.landcover",
    "read_site": "gis.intake.read",
    "read_sites": "gis.intake.read",
    "release": "gis.plan.reservations",
    "reservations": "gis.plan.reservations",
    "reserve": "gis.plan.reservations",
    "search_map": "gis.output.maps",
    "site_map": "gis.output.maps",
    "site_report": "gis.output.report",
    "sites_report": "gis.output.report",
    "to_dict": "gis.canonical",
    "use_chinese_font": "gis.output.notebook",
    "write_txt": "gis.output.sites_txt",
}

__all__ = [
    "Change",
    "LandBalance",
    "Plan",
    "Site",
    "SiteCheck",
    "SiteSearch",
    "Verdict",
    "Wish",
    "WuquError",
    "__version__",
    "book",
    "budgets",
    "check_portfolio",
    "check_site",
    "check_sites",
    "compare",
    "compare_scenarios",
    "comparison_map",
    "convert",
    "find_sites",
    "index_share",
    "land_balance_chart",
    "lint_boundary_txt",
    "load_plan",
    "load_projects",
    "load_samples",
    "make_scenario",
    "new_plan",
    "overlap_table",
    "plan_map",
    "portfolio_map",
    "raster_rows",
    "raster_share",
    "read_site",
    "read_sites",
    "release",
    "reservations",
    "reserve",
    "search_map",
    "site_map",
    "site_report",
    "sites_report",
    "to_dict",
    "use_chinese_font",
    "write_txt",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'gis' has no attribute {name!r}")
    value: object = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
