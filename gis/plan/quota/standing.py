"""What is left on each account of a plan, now that some land is promised?

Joins the ledger (what there is) with the reservations (what is promised). A register that cannot
be read leaves every remainder unknown; it never counts as "nothing is reserved".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis.errors import PlanError
from gis.plan.quota.accounts import Account, Kind, Land, takes
from gis.plan.quota.ledger import Ledger, ledger_of
from gis.plan.quota.probe import Probe
from gis.plan.quota.register import Register
from gis.plan.reservations import is_sliver, reservations

if TYPE_CHECKING:
    from gis.plan.area import Plan


@dataclass(frozen=True, slots=True, eq=False)
class Holding:
    """Land that somebody has been promised: outline in the work CRS, use, and the name to tell."""

    geometry: BaseGeometry
    use: str | None
    label: str


class Holdings:
    """Several pieces of land that are promised, in order."""

    def __init__(self, holdings: Iterable[Holding]) -> None:
        self.holdings = tuple(holdings)
        self._shapes = np.array([c.geometry for c in self.holdings], dtype=object)

    def meeting(self, polygon: BaseGeometry) -> Holdings:
        """Return the holdings that meet a polygon."""
        if not self.holdings:
            return self
        at = np.flatnonzero(shapely.intersects(self._shapes, polygon))
        return Holdings(self.holdings[n] for n in at)

    def on(self, kind: Kind) -> Holdings:
        """Return the holdings whose use takes from accounts of a kind."""
        return Holdings(c for c in self.holdings if takes(kind, c.use))

    def key(self) -> tuple[int, ...]:
        """Return what tells one selection of holdings from another."""
        return tuple(id(c) for c in self.holdings)

    def union(self) -> BaseGeometry:
        """Return all the land together; land claimed twice counts once."""
        return shapely.union_all(self._shapes)

    def labels(self, polygon: BaseGeometry) -> tuple[str, ...]:
        """Return the names of the holdings that overlap a polygon by more than slivers."""
        if not self.holdings:
            return ()
        cut = shapely.intersection(self._shapes, polygon)
        pairs = zip(self.holdings, cut, strict=True)
        return tuple(c.label for c, shape in pairs if not is_sliver(shape))


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of an account, m², in all and within the area of its share; None if unknown."""

    free_m2: float | None
    inside_m2: float | None = None


class Standing:
    """The accounts of a plan with what is promised on them; read-only."""

    def __init__(self, ledger: Ledger, register: Register | None, problem: str = "") -> None:
        self.ledger = ledger
        self.register = register
        self.problem = problem
        entries = register.open if register else ()
        self.holdings = Holdings(Holding(r.geometry, r.use, r.label) for r in entries)
        self._probes: dict[tuple[int, ...], Probe] = {}

    def reserved(self, account: Account) -> Land | None:
        """Return what the reservations take from an account.

        None when they cannot be read, or when the layer of the account has no data.
        """
        if self.problem or account.lacks:
            return None
        own = self.holdings.on(account.kind)
        return self._probe(own).measure(account) if own.holdings else Land(0.0)

    def free_m2(self, account: Account) -> float | None:
        """Return what is left of an account; None when that cannot be known."""
        reserved, there = self.reserved(account), account.open_m2
        if reserved is None or there is None:
            return None
        if account.kind.is_quota and not reserved.is_known:
            return None
        return max(there - reserved.open_m2, 0.0)

    def inside_m2(self, account: Account) -> float | None:
        """Return what is left of an account within the area of its share."""
        reserved = self.reserved(account)
        if reserved is None or account.land is None:
            return None
        return account.land.inside_m2 - reserved.inside_m2

    @cached_property
    def left(self) -> Mapping[str, Left]:
        """What is left of each account, by id."""
        return {a.id: Left(self.free_m2(a), self.inside_m2(a)) for a in self.ledger.accounts}

    def _probe(self, holdings: Holdings) -> Probe:
        if holdings.key() not in self._probes:
            self._probes[holdings.key()] = Probe(self.ledger, holdings.union())
        return self._probes[holdings.key()]

    @cached_property
    def zone_reserved(self) -> Mapping[str, tuple[Land, ...]]:
        """Return per account what is promised in each zone; empty when it cannot be read."""
        if self.problem:
            return {}
        return {a.id: tuple(self._in_zones(a)) for a in self.ledger.accounts if a.land is not None}

    def _in_zones(self, account: Account) -> Iterator[Land]:
        own = self.holdings.on(account.kind)
        union = own.union() if own.holdings else None
        for zone in self.ledger.zones:
            cut = None if union is None else shapely.intersection(union, zone.polygon)
            empty = cut is None or cut.is_empty
            yield Land(0.0) if empty else Probe(self.ledger, cut).measure(account)


_STANDINGS: WeakKeyDictionary[Plan, tuple[Register | str, Standing]] = WeakKeyDictionary()


def standing_of(plan: Plan) -> Standing:
    """Return the accounts of a plan as they stand now; built anew when a reservation is added."""
    found: Register | str
    try:
        found = reservations(plan)
    except PlanError as problem:
        found = f"预留台账无法读取：{problem.detail}"
    known = _STANDINGS.get(plan)
    if known is not None and (known[0] is found or known[0] == found):
        return known[1]
    ledger = ledger_of(plan)
    standing = Standing(ledger, None, found) if isinstance(found, str) else Standing(ledger, found)
    _STANDINGS[plan] = (found, standing)
    return standing


def take_as_left(plan: Plan, left: Mapping[str, Left]) -> None:
    """Give a plan that holds only the features around some sites what is left in the whole plan."""
    standing_of(plan).__dict__["left"] = left
