"""Which scarce kinds of land does a plan have, and how much is there of each, in all and by zone?

The accounts of the quota ledger with their totals, measured once per plan. Nothing is known here
of reservations or of sites that wait, and nothing is judged.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Mapping, Sequence
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
from gis.plan.areas import PlanArea, division_name, divisions, find_area
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
from gis.plan.quota.amounts import amount
from gis.plan.quota.cut import areas_of
from gis.plan.quota.probe import Probe
from gis.plan.quota.roles import RoleSet, is_changing, scheme_of
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
_AT_LEAST = {Kind.GREEN_WATER: "部分土地没有规划用地类别，合计和占比为下限"}
_SHARED_M2 = 1.0  # less is edges drawn twice
_QUOTA_OF = {Kind.CONVERSION: "conversion", Kind.REPLACEMENT: "replacement"}


@dataclass(frozen=True, slots=True, eq=False)
class Zone:
    """A zone of the plan; where zones overlap, the land belongs to the first in order."""

    cls: str
    name: str
    polygon: BaseGeometry


class Ledger:
    """The accounts of a plan in the order of print; read-only, so that threads may share it.

    It keeps no reference to the plan, so that a plan can be let go. ``lent`` are accounts that were
    measured elsewhere; without them they are measured here.
    """

    def __init__(self, plan: Plan, lent: tuple[Account, ...] | None = None) -> None:
        self.epsg = plan.work_epsg
        self.roles = {role: RoleSet(plan, role, apart=role == "dev_boundary") for role in _ROLES}
        self.definition = land_classes.green_water(DEFINITION)
        self.area = _default_area(plan)
        self._quotas = plan.file.quota
        self._zone_layers = plan.with_role("zone")
        self._extent = _extent(plan)
        self.lands = _lands(plan, self.area)
        self.masks: dict[str, Array] = self._chosen() | dict(self._boundary_masks())
        self.accounts = tuple(self._accounts()) if lent is None else lent

    def _chosen(self) -> dict[str, Array]:
        """Return which features of their role count as what."""
        use, planned = self.roles["landuse"], self.roles["planned_use"]
        return {
            "construction": use.where(lambda x, c: _major(x, c) == CONSTRUCTION),
            "agricultural": use.where(lambda x, c: _major(x, c) == AGRICULTURAL),
            "classed": use.where(lambda x, c: _major(x, c) != ""),
            "cultivated": use.where(_is_cultivated),
            "water": use.where(_is_water),
            "planned": planned.where(_is_in_scheme),
            "green": planned.where(lambda x, c: self._is_green(x, c)),
        }

    def _boundary_masks(self) -> Iterator[tuple[str, Array]]:
        """Yield which development boundaries belong to each account, by its id."""
        own = self.roles["dev_boundary"]
        for info in own.usable:
            for cls in _classes(own, info):
                mask = (own.layer_ids == info.id) & (own.classes == cls)
                yield _account_id(info, cls), mask

    @property
    def _green_scheme(self) -> land_classes.Scheme:
        return land_classes.scheme(self.definition.scheme, self.definition.edition)

    def _is_green(self, info: LayerInfo, cls: str | None) -> bool:
        kept = (*self.definition.green, *self.definition.water)
        return scheme_of(info) is self._green_scheme and class_matches(cls, kept)

    # --- accounts ---

    def _accounts(self) -> Iterator[Account]:
        boundaries = [a for x in self.roles["dev_boundary"].infos for a in self._boundary(x)]
        yield from self._told_apart(boundaries)
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
        for cls in _classes(own, info):
            account_id = _account_id(info, cls)
            mask = self.masks[account_id]
            name = own.name_of(mask) or cls or title
            account = Account(
                account_id,
                kind,
                title,
                name,
                info.id,
                cls,
                info.vintage,
                is_changing=is_changing(info),
            )
            probe = Probe(self, shapely.union_all(own.features.geometries[mask]))
            land = probe.measure(account)
            remarks = self._meaning(probe.water_m2(account), land)
            yield replace(account, land=land, reason=self._lacks_classes(land), remarks=remarks)

    def _meaning(self, water_m2: float, land: Land) -> tuple[str, ...]:
        """Return what "used" is, and that the rest of a boundary is not all to be built on."""
        if not land.is_known:
            return ()
        wet = f"，未用部分有水面 {amount(water_m2)}" if water_m2 > _SHARED_M2 else ""
        return (f"已用指现状建设用地{wet}", *self._doubled("landuse"))

    def _told_apart(self, accounts: Sequence[Account]) -> Iterator[Account]:
        """Yield the boundary accounts, those that share land with a remark that says so."""
        own = self.roles["dev_boundary"].features
        if own.disjoint:
            yield from accounts
            return
        masks = [self.masks.get(account.id) for account in accounts]
        unions = [None if m is None else shapely.union_all(own.geometries[m]) for m in masks]
        for account, union in zip(accounts, unions, strict=True):
            shared = [
                f"与{_label(other)}重叠 {amount(m2)}，两项各计一次，不能相加"
                for other, land in zip(accounts, unions, strict=True)
                if other is not account and (m2 := _common_m2(union, land, self.epsg)) > _SHARED_M2
            ]
            yield replace(account, remarks=(*account.remarks, *shared))

    def _doubled(self, role: str) -> tuple[str, ...]:
        """Return which layers of a role do not count, and where several speak of one place."""
        own = self.roles[role]
        titles = "、".join(f"“{title}”" for title in own.left_out)
        left_out = f"图层{titles}正在调整，未计入" if titles else ""
        first = f"，以“{own.usable[0].title}”在先" if own.usable else ""
        same = f"同类图层重叠 {amount(own.doubled_m2)}{first}，只计一次"
        return tuple(filter(None, (left_out, same if own.doubled_m2 > _SHARED_M2 else "")))

    def gap(self, role: str) -> BaseGeometry:
        """Return the part of the planning area on which a role has no feature."""
        if self._extent is None:
            return shapely.Polygon()
        return shapely.difference(self._extent, self.roles[role].features.union())

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
        account = Account(
            kind.value,
            kind,
            title,
            name,
            first.id,
            vintage=first.vintage,
            remarks=self._doubled(_ROLE_OF[kind]),
            is_changing=own.is_changing,
        )
        if lacks := self._lacks(kind):
            return replace(account, lacks=lacks)
        land = whole.measure(account)
        reason = "" if land.is_known else _AT_LEAST.get(kind, "部分用地地类不明，合计为下限")
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
            remarks=self._doubled("landuse"),
            is_changing=use.is_changing,
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
        """The zones of the first layer that can be used, disjoint; named as everywhere."""
        usable = (x for x in self._zone_layers if x.state is LayerState.CHECKED)
        layer = next((x for x in usable if len(x.index)), None)
        if layer is None:
            return ()
        found: list[Zone] = []
        index = layer.index
        taken: BaseGeometry = shapely.Polygon()
        for cls, at in divisions(layer).items():
            polygon = shapely.union_all(index.geometries[at])
            if not index.is_coverage:
                polygon, taken = shapely.difference(polygon, taken), taken.union(polygon)
            found.append(Zone(cls, division_name(layer, at) or cls, polygon))
        return tuple(found)

    @property
    def zones_lack(self) -> str:
        """Why nothing is divided by zone; empty when it is, or when the plan knows no zones."""
        if self.zones or not self._zone_layers:
            return ""
        reasons = "；".join(x.reason or "没有要素" for x in self._zone_layers)
        return f"功能区图层无数据（{reasons}），未按功能区分列"

    @cached_property
    def zone_lands(self) -> Mapping[str, tuple[Land, ...]]:
        """Per account what each zone holds, in the order of ``zones``; quotas are not divided."""
        probes = [Probe(self, zone.polygon) for zone in self.zones]
        return {
            account.id: tuple(probe.measure(account) for probe in probes)
            for account in self.accounts
            if account.land is not None
        }


def _classes(own: RoleSet, info: LayerInfo) -> list[str | None]:
    """Return the classes that a layer of a role has, sorted."""
    return sorted(set(own.classes[own.layer_ids == info.id]), key=str)


def _account_id(info: LayerInfo, cls: str | None) -> str:
    return info.id if cls is None else f"{info.id}:{cls}"


def _major(info: LayerInfo, cls: str | None) -> str:
    scheme = scheme_of(info)
    return major(scheme, cls) if scheme else ""


def _is_in_scheme(info: LayerInfo, cls: str | None) -> bool:
    scheme = scheme_of(info)
    return scheme is not None and scheme.exists(cls or "")


def _is_water(info: LayerInfo, cls: str | None) -> bool:
    scheme = scheme_of(info)
    return any(
        land_classes.scheme(d.scheme, d.edition) is scheme and class_matches(cls, d.water)
        for d in land_classes.green_water_definitions()
    )


def _label(account: Account) -> str:
    """Return what a boundary account is called beside the others, the layer only where it tells."""
    return f"“{account.title}”" if account.cls is None else f"“{account.title}{account.name}”"


def _common_m2(one: BaseGeometry | None, other: BaseGeometry | None, epsg: int) -> float:
    if one is None or other is None:
        return 0.0
    parts = shapely.get_parts(shapely.intersection(one, other))
    return math.fsum(areas_of(parts, epsg))


def _extent(plan: Plan) -> BaseGeometry | None:
    """Return the planning area, None when the plan does not say how far it reaches."""
    layers = [x for x in plan.with_role("planning_area") if x.state is LayerState.CHECKED]
    return shapely.union_all([x.index.union for x in layers]) if layers else None


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


def _lands(plan: Plan, area: PlanArea | None) -> dict[int, str]:
    """Return the layers whose land is a coverage or the area, by the identity of that land."""
    names = {layer.info.coverage for layer in plan.layers.values()}
    if area is not None and area.layer is not None:
        names.add(area.layer.id)
    own = (layer for name, layer in plan.layers.items() if name in names)
    return {id(x.index.union): x.info.id for x in own if len(x.index) and x.index.is_coverage}


def ledger_of(plan: Plan) -> Ledger:
    """Return the ledger of a plan, built when it is first asked for."""
    found = _LEDGERS.get(plan)
    if found is None:
        with _LOCK:
            found = _LEDGERS.get(plan) or Ledger(plan)
            _LEDGERS[plan] = found
    return found


def lend(plan: Plan, accounts: tuple[Account, ...], area: PlanArea | None) -> None:
    """Give a plan that holds only the features around some sites the accounts of the whole plan.

    ``area`` is the one whose share of green and water is watched, of the whole plan too.
    """
    ledger = Ledger(plan, accounts)
    nothing = np.zeros(len(ledger.roles["dev_boundary"].classes), dtype=bool)
    ledger.masks = {account.id: nothing for account in accounts} | ledger.masks
    ledger.area = area
    with _LOCK:
        _LEDGERS[plan] = ledger
