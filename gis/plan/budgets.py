"""What does a site take from the land that is scarce?

Development-boundary land by kind, permanent farmland, cultivated land, planned green and water:
for each, what the site covers and how much of it the plan has in all.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from gis.model import Evidence, Impact, class_matches
from gis.plan.area import Plan
from gis.plan.balance import DEFAULT_DEFINITION
from gis.rulebook import land_classes

# Class 01 is 耕地 in every scheme in use.
_CULTIVATED = ("01*",)


def impact(plan: Plan, evidence: Iterable[Evidence]) -> tuple[Impact, ...]:
    """Return what the site takes from each scarce kind of land, in m² on the ellipsoid."""
    rows = [e for e in evidence if e.kind == "area"]
    return (*_by_class(plan, rows, "dev_boundary"), *_takes(plan, rows))


def _by_class(plan: Plan, rows: list[Evidence], role: str) -> Iterator[Impact]:
    for layer in plan.with_role(role):
        for row in (r for r in rows if r.layer == layer.info.id):
            label = row.name or row.cls or layer.info.title
            total = plan.class_totals[layer.info.id].get(row.cls or "")
            yield Impact(f"{row.layer}:{row.cls}", f"占用{label}", row.area_m2 or 0.0, total)


def _takes(plan: Plan, rows: list[Evidence]) -> Iterator[Impact]:
    green_water = land_classes.green_water(DEFAULT_DEFINITION)
    planned = (*green_water.green, *green_water.water)
    for role, item, title, patterns in (
        ("farmland", "permanent_farmland", "占用永久基本农田", ()),
        ("landuse", "cultivated_land", "占用现状耕地", _CULTIVATED),
        ("planned_use", "planned_green_water", "占用规划绿地和水域", planned),
    ):
        for layer in plan.with_role(role):
            own = [r for r in rows if r.layer == layer.info.id]
            taken = [r.area_m2 or 0.0 for r in own if _of(r.cls, patterns)]
            totals = plan.class_totals[layer.info.id]
            total = math.fsum(m2 for cls, m2 in totals.items() if _of(cls, patterns))
            if taken:
                yield Impact(item, title, math.fsum(taken), total)


def _of(cls: str | None, patterns: tuple[str, ...]) -> bool:
    return not patterns or class_matches(cls, patterns)
