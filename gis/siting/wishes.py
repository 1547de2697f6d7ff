"""What does the one who asks wish beyond the law: away from something, near a road, land left over?

Wishes on land become masks over the cells like the land of a rule; those on the whole site are
looked at when there is one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis.engine import LayerIndex
from gis.engine.index import Array
from gis.model import Impact
from gis.plan import Plan
from gis.plan.budgets import budgets
from gis.siting.cells import Cells
from gis.siting.query import Query, belongs_to
from gis.siting.verdicts import FAIL, PASS, RuleLand
from gis.units import m2_to_mu, mu_to_m2

_QUARTER = 64
# Boundary points are known to a millimetre.
_MM = 1e-3


def wish_lands(plan: Plan, query: Query, cells: Cells) -> Iterator[RuleLand]:
    """Yield the land that wishes keep away from."""
    for name, metres in query.away.items():
        index = plan.layers[name].index
        near = near_to(index, cells, metres - _MM)
        rank = np.where(near, FAIL, PASS).astype(np.uint8)
        title = f"距“{index.info.title}”不小于 {metres:g} 米（本次要求）"
        yield RuleLand(f"wish.away:{name}", title, rank)


def near_to(index: LayerIndex, cells: Cells, metres: float) -> Array:
    """Return which cells come nearer to the features of a layer than a distance."""
    if not len(index):
        return np.zeros(len(cells), dtype=bool)
    reach = metres + np.nan_to_num(index.half_widths)
    strips = shapely.buffer(index.geometries, reach, quad_segs=_QUARTER)
    own = strips[shapely.area(strips) > 0]
    return np.asarray(cells.covered(own) > 0)


def near_roads(plan: Plan, cells: Cells, metres: float) -> Array:
    """Return which cells come nearer to a road edge than a distance."""
    found = np.zeros(len(cells), dtype=bool)
    for layer in plan.with_role("road"):
        found |= near_to(layer.index, cells, metres)
    return found


def distance_to(plan: Plan, role: str, place: BaseGeometry) -> float | None:
    """Return how far a place is from the nearest edge of a role, m; None when there is none."""
    best: float | None = None
    for index in (layer.index for layer in plan.with_role(role)):
        if len(index):
            axis = shapely.distance(index.geometries, place)
            edge = max(float((axis - np.nan_to_num(index.half_widths)).min()), 0.0)
            best = edge if best is None else min(best, edge)
    return best


def what_is_not_kept(plan: Plan, query: Query, taken: tuple[Impact, ...]) -> str:
    """Say which budget would fall below what is to be kept; empty when all are kept."""
    if not query.keep:
        return ""
    drawn = {row.id: row.area_m2 for row in taken}
    free = {b.id: b.amounts.free_m2 or 0.0 for b in budgets(plan)}
    for name, mu in query.keep.items():
        own = [key for key in free if belongs_to(key, name)]
        left = math.fsum(free[key] - (drawn.get(key) or 0.0) for key in own)
        if left < mu_to_m2(mu):
            return (
                f"指标“{name}”占用后剩余 {m2_to_mu(max(left, 0.0)):,.2f} 亩，少于要保留的 {mu:g} 亩"
            )
    return ""
