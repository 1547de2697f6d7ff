"""How much of each scarce kind of land lies on one polygon: a site, a zone, a reservation?

Each layer is cut once, when the first account needs it. Land about which no layer speaks, or whose
class nobody knows, is counted as unknown and never as free.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

import shapely
from shapely.geometry.base import BaseGeometry

from gis.model.answer import ClassTaken
from gis.plan.quota.accounts import Account, Kind, Land
from gis.plan.quota.cut import Cut, areas_of, cut, known, screened, whole

if TYPE_CHECKING:
    from gis.plan.quota.ledger import Ledger
    from gis.plan.quota.roles import RoleSet
    from gis.plan.quota.seen import Seen

# A piece that differs from the whole polygon by less is the polygon.
_ROUNDING_M2 = 1e-4


# Accounts whose land is a layer of its own.
_DRAWN = {Kind.DEV_BOUNDARY: "dev_boundary", Kind.FARMLAND: "farmland"}


class Probe:
    """One polygon in the work CRS against the accounts of a ledger; None means the whole plan."""

    def __init__(
        self, ledger: Ledger, polygon: BaseGeometry | None, seen: Seen | None = None
    ) -> None:
        self._ledger = ledger
        self._polygon = polygon
        self._seen = seen
        self._cuts: dict[str, Cut] = {}
        self._lands: dict[str, Land] = {}
        self._known: dict[str, float] = {}

    def measure(self, account: Account) -> Land:
        """Return what an account has on the polygon."""
        match account.kind:
            case Kind.DEV_BOUNDARY:
                return self._boundary(account)
            case Kind.FARMLAND:
                return self._farmland()
            case Kind.CULTIVATED | Kind.REPLACEMENT:
                return self._current("cultivated")
            case Kind.CONVERSION:
                return self._current("agricultural")
            case Kind.GREEN_WATER:
                return self._green()

    def is_off(self, account: Account) -> bool:
        """Whether the polygon surely lies off the land of an account, and off all unknown land."""
        role = _DRAWN.get(account.kind)
        return role is not None and not len(self._cut(role).at) and not self._beyond(role)

    def area_m2(self) -> float:
        """Return the area of the polygon."""
        if self._seen:
            return self._seen.whole_m2
        return self._once("area", lambda: self._area_of(self._polygon))

    # --- the kinds ---

    def _boundary(self, account: Account) -> Land:
        own = self._cut("dev_boundary").where(self._ledger.masks[account.id])
        beyond = self._beyond("dev_boundary")
        covered = own.area()
        if not covered:
            return Land(0.0, beyond_m2=beyond)
        masks, ground = self._ledger.masks, self._cut("landuse")
        # Where all of the polygon has a class, so has every part of it: then only the construction
        # land needs to be cut, and mostly there is none.
        if self._polygon is not None and self._unclassed() < _ROUNDING_M2:
            used = self._on(own, ground.where(masks["construction"])).area()
            return Land(covered, min(used, covered), 0.0, beyond)
        ground = self._on(own, ground)
        used = ground.where(masks["construction"]).area()
        classed = ground.where(masks["classed"]).area()
        return Land(covered, min(used, covered), max(covered - classed, 0.0), beyond)

    def _on(self, own: Cut, ground: Cut) -> Cut:
        """Return current land of the polygon as far as it lies on a part of that."""
        if not len(ground.at):
            return ground
        if self._polygon is not None and abs(own.area() - self.area_m2()) < _ROUNDING_M2:
            return ground
        return self._both(own, ground)

    def _both(self, own: Cut, ground: Cut) -> Cut:
        """Return current land as far as it lies on a part of a boundary, cut only if need be."""
        roles = self._ledger.roles
        first, second = roles["dev_boundary"], roles["landuse"]
        apart = second.features.disjoint and (first.features.disjoint or len(own.at) < 2)
        if self._seen and apart and first.only and second.only:
            areas = self._seen.on_both(first.only, own.at.tolist(), second.only, ground.at)
            if areas is not None:
                return known(ground, areas, own.union)
        return ground.within(own.union())

    def _farmland(self) -> Land:
        return Land(self._cut("farmland").area(), beyond_m2=self._beyond("farmland"))

    def _current(self, mask: str) -> Land:
        if mask not in self._lands:
            own = self._cut("landuse").where(self._ledger.masks[mask])
            parts = tuple(self._parts(own))
            self._lands[mask] = Land(own.area(), beyond_m2=self._unclassed(), parts=parts)
        return self._lands[mask]

    def _parts(self, own: Cut) -> Iterator[ClassTaken]:
        """Yield the land class by class."""
        role = self._ledger.roles["landuse"]
        for cls, area in own.area_by(role.classes[own.at].tolist()).items():
            yield ClassTaken(str(cls), role.class_name(cls), area)

    def _green(self) -> Land:
        ledger = self._ledger
        own = self._cut("planned_use").where(ledger.masks["green"])
        if ledger.area is None:
            return Land(own.area())
        area, polygon = ledger.area.polygon, self._polygon
        planned = self._cut("planned_use").where(ledger.masks["planned"])
        told = self._seen is not None and self._seen.is_inside(area)
        if polygon is not None and not told and _are_apart(polygon, area):
            return Land(own.area())
        if told or (polygon is not None and shapely.covers(area, polygon)):
            # Land of the area that nobody has planned, or of an unknown class, may be green or not.
            beyond = max(self.area_m2() - planned.area(), 0.0)
            return Land(own.area(), inside_m2=own.area(), beyond_m2=beyond)
        inside = self._inside_m2(area)
        if not inside:
            return Land(own.area())
        beyond = max(inside - self._on_area(planned, area), 0.0)
        return Land(own.area(), inside_m2=self._on_area(own, area), beyond_m2=beyond)

    def _inside_m2(self, area: BaseGeometry) -> float:
        """Return how much of the polygon lies inside the area of the plan."""
        if self._polygon is None:
            return self._area_of(area)
        told = self._seen.inside_m2(area) if self._seen else None
        return self._area_of(shapely.intersection(self._polygon, area)) if told is None else told

    def _on_area(self, own: Cut, area: BaseGeometry) -> float:
        """Return how much of some planned land lies inside the area of the plan."""
        role = self._ledger.roles["planned_use"]
        if self._seen and role.only and own.features.disjoint:
            told = self._seen.on_land(role.only, own.at, area)
            if told is not None:
                return math.fsum(told)
        return own.within(area).area()

    def water_m2(self, account: Account) -> float:
        """Return the water on the land of a boundary account that is not construction land."""
        ledger = self._ledger
        own = self._cut("dev_boundary").where(ledger.masks[account.id])
        ground = self._on(own, self._cut("landuse"))
        return ground.where(ledger.masks["water"] & ~ledger.masks["construction"]).area()

    # --- land that no layer speaks about ---

    def _beyond(self, role: str) -> float:
        if self._polygon is None:
            return 0.0
        polygon = self._polygon
        return self._once(f"beyond {role}", lambda: self._beyond_m2(polygon, role))

    def _beyond_m2(self, polygon: BaseGeometry, role: str) -> float:
        """Return how much of a polygon no layer of a role speaks about."""
        told = self._told_beyond(self._ledger.roles[role], self._cut(role)) if self._seen else None
        if told is not None:
            return told
        rest = self._ledger.roles[role].outside(polygon)
        return 0.0 if rest.is_empty else self._area_of(rest.difference(self._cut(role).union()))

    def _told_beyond(self, role: RoleSet, own: Cut) -> float | None:
        """Return the same from the screening: what is off the coverage, less features there."""
        seen, coverage = self._seen, role.only_coverage
        if seen is None or coverage is None or not role.only or not own.features.disjoint:
            return None
        if seen.is_inside(coverage):
            return 0.0
        inside, on_features = seen.inside_m2(coverage), seen.on_land(role.only, own.at, coverage)
        if inside is None or on_features is None:
            return None
        beyond = seen.whole_m2 - inside - (own.area() - math.fsum(on_features))
        return max(beyond, 0.0)

    def _unclassed(self) -> float:
        """Return the land without a current class that somebody knows."""
        return self._once("unclassed", self._without_class)

    def _without_class(self) -> float:
        ground, classed = self._cut("landuse"), self._ledger.masks["classed"]
        if self._polygon is None:
            return ground.where(~classed).area() + self._area_of(self._ledger.gap("landuse"))
        return max(self.area_m2() - ground.where(classed).area(), 0.0)

    # --- each thing once ---

    def _cut(self, role: str) -> Cut:
        if role not in self._cuts:
            self._cuts[role] = self._cut_of(self._ledger.roles[role])
        return self._cuts[role]

    def _cut_of(self, role: RoleSet) -> Cut:
        if self._polygon is None:
            return whole(role.features)
        if self._seen and role.only:
            areas = self._seen.areas(role.only)
            ground = partial(self._seen.ground, role.only)
            return screened(role.features, self._polygon, areas, ground)
        return cut(role.features, self._polygon)

    def _once(self, name: str, compute: Callable[[], float]) -> float:
        if name not in self._known:
            self._known[name] = compute()
        return self._known[name]

    def _area_of(self, polygon: BaseGeometry | None) -> float:
        if polygon is None or polygon.is_empty:
            return 0.0
        return math.fsum(areas_of(shapely.get_parts(polygon), self._ledger.epsg))


def _are_apart(one: BaseGeometry, other: BaseGeometry) -> bool:
    """Whether the boxes of two geometries do not meet."""
    west, south, east, north = one.bounds
    left, low, right, high = other.bounds
    return west > right or east < left or south > high or north < low
