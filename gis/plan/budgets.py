"""How much of the scarce land of a plan is there, used, promised and free: by kind and by zone?

The quota ledger as a table, computed from the layers and the reservations. What a site takes from
it stands in ``gis.plan.impact``. A number that the data do not give is None with its reason.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gis.plan.quota.accounts import Account, Kind, Land, is_small
from gis.plan.quota.amounts import amount
from gis.plan.quota.standing import Standing, standing_of
from gis.units import round_table

if TYPE_CHECKING:
    from gis.plan.area import Plan

OFF_ZONES = "不在功能区内"
_STRAY_M2 = 0.01  # less than this off every zone is rounding
_PARTS = ("used_m2", "reserved_m2", "unknown_m2", "free_m2")


@dataclass(frozen=True, slots=True)
class Amounts:
    """What there is of one kind of land, m²: total = used + reserved + unknown + free.

    ``used_m2`` is construction land, None where it does not matter or is not known;
    ``unknown_m2`` has no known current class. None is never nothing.
    """

    total_m2: float | None
    used_m2: float | None
    reserved_m2: float | None
    unknown_m2: float | None
    free_m2: float | None


@dataclass(frozen=True, slots=True)
class ZoneBudget:
    """The part of a budget in one zone; ``zone`` is None for land off every zone."""

    zone: str | None
    name: str
    amounts: Amounts


@dataclass(frozen=True, slots=True)
class ClassBudget:
    """The part of a budget of one current land class, m²."""

    cls: str
    name: str
    total_m2: float | None
    reserved_m2: float | None


@dataclass(frozen=True, slots=True)
class Budget:
    """One scarce kind of land of a plan.

    ``share`` is 0-1 of the area named in ``area``, by the ``definition``; only green and water
    have one. It is a lower bound where some of the area has no planned class. ``note`` says what
    is missing and how the numbers are meant.
    """

    id: str
    kind: str
    layer: str | None
    cls: str | None
    vintage: str
    title: str
    name: str
    amounts: Amounts
    by_zone: tuple[ZoneBudget, ...] = ()
    by_class: tuple[ClassBudget, ...] = ()
    share: float | None = None
    share_is_lower_bound: bool = False
    area: str | None = None
    area_title: str | None = None
    definition: str | None = None
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; zones and parts add up to the totals as printed."""
        whole, zones = printed(self)
        return {
            "id": self.id,
            "kind": self.kind,
            "layer": self.layer,
            "class": self.cls,
            "vintage": self.vintage,
            "title": self.title,
            "name": self.name,
            "unit": "m2",
            **whole,
            "share": None if self.share is None else round(self.share, 6),
            "share_is_lower_bound": self.share_is_lower_bound,
            "area": self.area,
            "area_title": self.area_title,
            "definition": self.definition,
            "by_zone": [
                {"zone": z.zone, "name": z.name, **row}
                for z, row in zip(self.by_zone, zones, strict=True)
            ],
            "by_class": [
                {
                    "class": c.cls,
                    "name": c.name,
                    "total_m2": _rounded(c.total_m2),
                    "reserved_m2": _rounded(c.reserved_m2),
                }
                for c in self.by_class
            ],
            "note": self.note,
        }


_Row = dict[str, float | None]


def printed(budget: Budget, *, per_m2: float = 1.0) -> tuple[_Row, list[_Row]]:
    """Return the amounts of a budget and of its zones to two decimals, adding up as printed.

    Rounded together where all is known, each by itself otherwise.

    Parameters
    ----------
    budget
        With its zones.
    per_m2
        Square metres of the unit to print in: 10,000 for hectares.
    """
    zones = [_values(zone.amounts, per_m2) for zone in budget.by_zone]
    whole = _values(budget.amounts, per_m2)
    rows = zones or [whole]
    if not all(_adds_up(row) for row in (whole, *rows)):
        return _plain(whole), [_plain(row) for row in zones]
    parts = [key for key in _PARTS if all(row[key] is not None for row in rows)]
    cells = round_table([[row[key] or 0.0 for key in parts] for row in rows], 2)
    told = [_row(parts, cell) for cell in cells]
    if not zones:
        return told[0], []
    return _row(parts, [math.fsum(column) for column in zip(*cells, strict=True)]), told


def _row(parts: Sequence[str], values: Sequence[float]) -> _Row:
    given: _Row = dict(zip(parts, values, strict=True))
    total = round(math.fsum(values), 2)
    return {"total_m2": total, **{key: _rounded(given.get(key)) for key in _PARTS}}


def _adds_up(row: _Row) -> bool:
    """Whether all is known and the parts make the total; more may be promised than there is."""
    if row["total_m2"] is None or row["free_m2"] is None:
        return False
    rest = math.fsum(row[key] or 0.0 for key in _PARTS) - row["total_m2"]
    return abs(rest) <= _STRAY_M2


def _plain(row: _Row) -> _Row:
    return {key: _rounded(value) for key, value in row.items()}


def _values(amounts: Amounts, per_m2: float) -> _Row:
    given = {key: getattr(amounts, key) for key in ("total_m2", *_PARTS)}
    return {key: None if value is None else value / per_m2 for key, value in given.items()}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2) + 0.0


def budgets(plan: Plan) -> tuple[Budget, ...]:
    """Return the scarce kinds of land of a plan, with what is used, promised and free of each.

    Parameters
    ----------
    plan
        An opened plan package; its reservations are read as they stand now.

    Examples
    --------
    >>> import gis
    >>> plan = gis.load_plan()
    >>> [(b.name, round(b.amounts.free_m2 / 1e4, 2)) for b in gis.budgets(plan)[:2]]
    [('集中建设区', 426.87), ('弹性发展区', 79.16)]
    """
    return _Table(standing_of(plan)).rows()


def budget_rows(plan: Plan) -> list[dict[str, Any]]:
    """Return the budgets as plain JSON values."""
    return [budget.to_dict() for budget in budgets(plan)]


class _Table:
    """The accounts of a plan as they stand, row by row."""

    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self._ledger = standing.ledger

    def rows(self) -> tuple[Budget, ...]:
        return tuple(self._row(account) for account in self._ledger.accounts)

    def _row(self, account: Account) -> Budget:
        green = account.kind is Kind.GREEN_WATER
        area = self._ledger.area if green else None
        share = None
        if area and account.land:
            share = account.land.inside_m2 / area.area.ellipsoidal_m2
        return Budget(
            id=account.id,
            kind=account.kind.value,
            layer=account.layer,
            cls=account.cls,
            vintage=account.vintage,
            title=account.title,
            name=account.name,
            amounts=self._amounts(account),
            by_zone=tuple(self._zones(account)),
            by_class=tuple(self._classes(account)),
            share=share,
            share_is_lower_bound=share is not None and account.open_m2 is None,
            area=area.id if area else None,
            area_title=area.title if area else None,
            definition=self._ledger.definition.id if green else None,
            note=self._note(account),
        )

    def _amounts(self, account: Account) -> Amounts:
        reserved = None if account.lacks else self._standing.reserved(account)
        held = None if reserved is None else reserved.open_m2
        if account.land is not None:
            return _amounts(account, account.land, held, self._standing.free_m2(account))
        unknown = 0.0 if account.kind.is_quota else None
        free = None if account.lacks else self._standing.free_m2(account)
        return Amounts(account.total_m2, None, held, unknown, free)

    def _zones(self, account: Account) -> Iterator[ZoneBudget]:
        """Yield what each zone has, then what lies off every zone."""
        lands = self._ledger.zone_lands.get(account.id, ())
        if account.land is None or not lands:
            return
        held: list[float | None] = [None] * len(lands)
        if reserved := self._standing.zone_reserved.get(account.id):
            held = [land.open_m2 for land in reserved]
        for zone, land, m2 in zip(self._ledger.zones, lands, held, strict=True):
            if land.covered_m2 > 0:
                yield ZoneBudget(zone.cls, zone.name, _in_zone(account, land, m2))
        rest = _off_zones(account.land, lands)
        if rest.covered_m2 > _STRAY_M2:
            off = _in_zone(account, rest, self._off_zones_m2(account, held))
            yield ZoneBudget(None, OFF_ZONES, off)

    def _off_zones_m2(self, account: Account, held: Sequence[float | None]) -> float | None:
        reserved = self._standing.reserved(account)
        if reserved is None:
            return None
        return max(reserved.open_m2 - math.fsum(m2 or 0.0 for m2 in held), 0.0)

    def _classes(self, account: Account) -> Iterator[ClassBudget]:
        reserved = None if account.lacks else self._standing.reserved(account)
        held = {part.cls: part for part in reserved.parts} if reserved else {}
        there = {part.cls: part for part in account.land.parts} if account.land else {}
        for cls in sorted({*held, *there}):
            name = (there.get(cls) or held[cls]).name
            total = there[cls].area_m2 if cls in there else None
            own = None if reserved is None else held[cls].area_m2 if cls in held else 0.0
            yield ClassBudget(cls, name, total, own)

    def _note(self, account: Account) -> str:
        said = {
            Kind.FARMLAND: "保有量，不分已用",
            Kind.CULTIVATED: "保有量，含可调整地类",
            Kind.CONVERSION: "此前已批用的不在额度内" if account.quotas else "",
            Kind.REPLACEMENT: "补充耕地须数量相同、质量相当，按地类分列",
        }
        over = self._over(account)
        register = self._standing.register
        torn = "预留台账末尾有一行未写完，未计入" if register and register.torn else ""
        changing = "图层正在调整，仅供参考" if account.is_changing else ""
        zones = self._ledger.zones_lack if account.land is not None else ""
        parts = (account.lacks, account.reason, over, said.get(account.kind, ""), changing)
        last = (*account.remarks, zones, torn, self._standing.problem)
        return "；".join(filter(None, (*parts, *last)))

    def _over(self, account: Account) -> str:
        """Return by how much more is promised than there is."""
        there, reserved = account.open_m2, self._standing.reserved(account)
        if there is None or reserved is None or account.lacks:
            return ""
        missing = reserved.open_m2 - there
        return f"预留已超出 {amount(missing)}" if missing > _STRAY_M2 else ""


def _in_zone(account: Account, land: Land, held_m2: float | None) -> Amounts:
    free = max(land.open_m2 - held_m2, 0.0) if land.is_known and held_m2 is not None else None
    return _amounts(account, land, held_m2, free)


def _amounts(account: Account, land: Land, held_m2: float | None, free_m2: float | None) -> Amounts:
    known = is_small(land.unclassed_m2, land.covered_m2)
    used = land.used_m2 if known and account.kind is Kind.DEV_BOUNDARY else None
    return Amounts(land.covered_m2, used, held_m2, land.unclassed_m2, free_m2)


def _off_zones(whole: Land, zones: Sequence[Land]) -> Land:
    return Land(
        max(whole.covered_m2 - math.fsum(x.covered_m2 for x in zones), 0.0),
        max(whole.used_m2 - math.fsum(x.used_m2 for x in zones), 0.0),
        max(whole.unclassed_m2 - math.fsum(x.unclassed_m2 for x in zones), 0.0),
    )
