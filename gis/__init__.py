"""wuqu (五区): check candidate project sites against zones, control lines and the law.

>>> import gis
>>> plan = gis.load_plan()                                    # doctest: +SKIP
>>> site = gis.read_site("data/samples/yizhong_xinxiao.txt", plan)  # doctest: +SKIP
>>> check = gis.check_site(site, plan, use="080403")          # doctest: +SKIP
>>> check.verdict.label, check.site.area.mu                   # doctest: +SKIP
('符合', 419.17)

Public names are loaded when first used, so that ``import gis`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gis.canonical import to_dict
    from gis.check import check_site
    from gis.errors import WuquError
    from gis.intake.read import read_site, read_sites
    from gis.model import Site, SiteCheck, Verdict
    from gis.output.maps import plan_map, site_map
    from gis.plan.area import Plan, load_plan
    from gis.plan.samples import load_samples

__version__ = "0.1.0"

_HOMES = {
    "Plan": "gis.plan.area",
    "Site": "gis.model",
    "SiteCheck": "gis.model",
    "Verdict": "gis.model",
    "WuquError": "gis.errors",
    "check_site": "gis.check",
    "load_plan": "gis.plan.area",
    "load_samples": "gis.plan.samples",
    "plan_map": "gis.output.maps",
    "read_site": "gis.intake.read",
    "read_sites": "gis.intake.read",
    "site_map": "gis.output.maps",
    "to_dict": "gis.canonical",
}

__all__ = [
    "Plan",
    "Site",
    "SiteCheck",
    "Verdict",
    "WuquError",
    "__version__",
    "check_site",
    "load_plan",
    "load_samples",
    "plan_map",
    "read_site",
    "read_sites",
    "site_map",
    "to_dict",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'gis' has no attribute {name!r}")
    value: object = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
