"""Which scarce kinds of land does a plan have, and how much is there of each, in all and by zone?

The accounts of the quota ledger with their totals, measured once per plan. Nothing is known here
of reservations or of sites that wait, and nothing is judged.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis.engine.index import Array
from gis.errors import WuquError
from gis.model import LayerInfo, LayerState, class_matches
from gis.plan.areas import PlanArea, find_area
from gis.plan.quota.accounts import (
    AGRICULTURAL,
    CONSTRUCTION,
    DEFINITION,
    Account,
    Kind,
    Land,
    cultivated,
    major,
    stated_m2,
)
from gis.plan.quota.probe import Probe
from gis.plan.quota.roles import RoleSet, scheme_of
from gis.rulebook import land_classes

if TYPE_CHECKING:
    from gis.plan.area import Plan

_ROLES = ("dev_boundary", "farmland", "landuse", "planned_use")
_ROLE_OF = {
    Kind.FARMLAND: "farmland",
    Kind.CULTIVATED: "landuse",
    Kind.CONVERSION: "landuse",
    Kind.REPLACEMENT: "landuse",
    Kind.GREEN_WATER: "planned_use",
}
_NAMES = {
    Kind.FARMLAND: "永久基本农田",
    Kind.CULTIVATED: "现状耕地",
    Kind.CONVERSION: "农用地转用指标",
    Kind.REPLACEMENT: "补充耕地指标",
    Kind.GREEN_WATER: "规划绿地和水域",
}
_QUOTA_OF = {Kind.CONVERSION: "conversion", Kind.REPLACEMENT: "replacement"}


@dataclass(frozen=True, slots=True, eq=False)
class Zone:
    """A zone of the plan; where zones overlap, the land belongs to the first in order."""

    cls: str
    name: str
    polygon: BaseGeometry


class Ledger:
    """The accounts of a plan in the order of print; read-only, so that threads may share it.

    It keeps no reference to the plan, so that a plan can be let go.
    """

    def __init__(self, plan: Plan) -> None:
        self.epsg = plan.work_epsg
        self.roles = {role: RoleSet(plan, role) for role in _ROLES}
        self.definition = land_classes.green_water(DEFINITION)
        self.area = _default_area(plan)
        self._quotas = plan.file.quota
        self._zone_layers = plan.with_role("zone")
        self.masks: dict[str, Array] = self._chosen()
        self.accounts = tuple(self._accounts())

    def _chosen(self) -> dict[str, Array]:
        """Return which features of their role count as what."""
        use, planned = self.roles["landuse"], self.roles["planned_use"]
        return {
            "construction": use.where(lambda x, c: _major(x, c) == CONSTRUCTION),
            "agricultural": use.where(lambda x, c: _major(x, c) == AGRICULTURAL),
            "classed": use.where(lambda x, c: _major(x, c) != ""),
            "cultivated": use.where(_is_cultivated),
            "green": planned.where(lambda x, c: self._is_green(x, c)),
        }

    @property
    def _green_scheme(self) -> land_classes.Scheme:
        return land_classes.scheme(self.definition.scheme, self.definition.edition)

    def _is_green(self, info: LayerInfo, cls: str | None) -> bool:
        kept = (*self.definition.green, *self.definition.water)
        return scheme_of(info) is self._green_scheme and class_matches(cls, kept)

    # --- accounts ---

    def _accounts(self) -> Iterator[Account]:
        for info in self.roles["dev_boundary"].infos:
            yield from self._boundary(info)
        whole = Probe(self, None)
        for kind in _ROLE_OF:
            found = self._quota(kind) if kind.is_quota else self._stock(kind, whole)
            if found is not None:
                yield found

    def _boundary(self, info: LayerInfo) -> Iterator[Account]:
        """Yield one account per kind of development boundary."""
        own, kind, title = self.roles["dev_boundary"], Kind.DEV_BOUNDARY, info.title
        if info not in own.usable:
            yield Account(
                info.id, kind, title, title, info.id, vintage=info.vintage, lacks=own.missing
            )
            return
        for cls in sorted(set(own.classes[own.layer_ids == info.id]), key=str):
            account_id = info.id if cls is None else f"{info.id}:{cls}"
            mask = (own.layer_ids == info.id) & (own.classes == cls)
            self.masks[account_id] = mask
            name = own.name_of(mask) or cls or title
            account = Account(account_id, kind, title, name, info.id, cls, info.vintage)
            union = shapely.union_all(own.features.geometries[mask])
            land = Probe(self, union).measure(account)
            yield replace(account, land=land, reason=self._lacks_classes(land))

    def _lacks_classes(self, land: Land) -> str:
        if land.is_known:
            return ""
        use = self.roles["landuse"]
        return use.missing or ("现状地类未覆盖或地类不明" if use.infos else "没有现状地类图层")

    def _stock(self, kind: Kind, whole: Probe) -> Account | None:
        """Return the account of what the layers of one role hold, None when there is no layer."""
        own = self.roles[_ROLE_OF[kind]]
        if not own.infos:
            return None
        first, name = own.infos[0], _NAMES[kind]
        title = first.title if kind is Kind.FARMLAND else name
        account = Account(kind.value, kind, title, name, first.id, vintage=first.vintage)
        if lacks := self._lacks(kind):
            return replace(account, lacks=lacks)
        land = whole.measure(account)
        reason = "" if land.is_known else "部分用地地类不明，合计为下限"
        return replace(account, land=land, reason=reason)

    def _quota(self, kind: Kind) -> Account | None:
        """Return the account of a granted amount; without one its total is not known."""
        own = tuple(q for q in self._quotas if q.kind == _QUOTA_OF[kind])
        use, name = self.roles["landuse"], _NAMES[kind]
        if not (own or use.infos):
            return None
        return Account(
            kind.value,
            kind,
            name,
            name,
            use.infos[0].id if use.infos else None,
            vintage=use.infos[0].vintage if use.infos else "",
            stated_m2=stated_m2(own),
            lacks=self._lacks(kind),
            reason="" if own else "指标未提供",
            quotas=own,
        )

    def _lacks(self, kind: Kind) -> str:
        """Return why nothing can be measured for an account; empty when it can."""
        own = self.roles[_ROLE_OF[kind]]
        if not own.infos:
            return "没有现状地类图层"
        schemes = [scheme_of(info) for info in own.usable]
        wanted = self._green_scheme
        if kind is Kind.GREEN_WATER and any(s is not wanted for s in schemes):
            return f"规划用地图层未采用{wanted.id}（{wanted.edition}）"
        if kind in {Kind.CULTIVATED, Kind.REPLACEMENT}:
            unsaid = [s for s in schemes if s is None or cultivated(s) is None]
            return own.missing or ("没有规定哪些地类按耕地核算" if unsaid else "")
        return own.missing

    # --- zones ---

    @cached_property
    def zones(self) -> tuple[Zone, ...]:
        """The zones of the plan, disjoint."""
        found: list[Zone] = []
        for layer in (x for x in self._zone_layers if x.state is LayerState.CHECKED):
            index = layer.index
            taken: BaseGeometry = shapely.Polygon()
            for cls in sorted({c for c in index.classes if c is not None}):
                at = np.flatnonzero(index.classes == cls)
                polygon = shapely.union_all(index.geometries[at])
                if not index.is_coverage:
                    polygon, taken = shapely.difference(polygon, taken), taken.union(polygon)
                found.append(Zone(str(cls), str(index.names[at[0]] or cls), polygon))
        return tuple(found)

    @cached_property
    def zone_lands(self) -> Mapping[str, tuple[Land, ...]]:
        """Per account what each zone holds, in the order of ``zones``; quotas are not divided."""
        probes = [Probe(self, zone.polygon) for zone in self.zones]
        return {
            account.id: tuple(probe.measure(account) for probe in probes)
            for account in self.accounts
            if account.land is not None
        }


def _major(info: LayerInfo, cls: str | None) -> str:
    scheme = scheme_of(info)
    return major(scheme, cls) if scheme else ""


def _is_cultivated(info: LayerInfo, cls: str | None) -> bool:
    scheme = scheme_of(info)
    if scheme is None or not scheme.exists(cls or ""):
        return False
    return class_matches(cls, cultivated(scheme) or ())


def _default_area(plan: Plan) -> PlanArea | None:
    """Return the area whose share of green and water is watched; None when it has no data."""
    try:
        return find_area(plan, None)
    except WuquError:
        return None


_LEDGERS: WeakKeyDictionary[Plan, Ledger] = WeakKeyDictionary()
_LOCK = threading.Lock()


def ledger_of(plan: Plan) -> Ledger:
    """Return the ledger of a plan, built when it is first asked for."""
    found = _LEDGERS.get(plan)
    if found is None:
        with _LOCK:
            found = _LEDGERS.get(plan) or Ledger(plan)
            _LEDGERS[plan] = found
    return found
