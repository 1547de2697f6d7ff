"""If these sites were built one after another, when does which budget run out?

A rehearsal: nothing is written. The sites are drawn in the caller's order on top of what is
reserved already; land that an earlier site or a reservation holds counts once and is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gis.canonical import impact_row
from gis.errors import ClaimError
from gis.model import Impact, Site, SiteCheck
from gis.plan.areas import belongs
from gis.plan.impact import impact_of
from gis.plan.quota.accounts import Account, checked_use
from gis.plan.quota.amounts import amount
from gis.plan.quota.drawing import Drawing, Drawn
from gis.plan.quota.sentences import summed
from gis.plan.quota.standing import Holding, Holdings, Left, Standing, standing_of

if TYPE_CHECKING:
    from gis.plan.area import Plan

_NOTHING_M2 = 0.01  # less than this is what rounding leaves of land that is used up


@dataclass(frozen=True, slots=True)
class BookedSite:
    """One site of a booking; ``number`` counts from 1 in the order of the caller.

    ``held_by`` is who holds land of the site already, scarce or not: reservations and earlier
    sites. ``doubt`` says why its place is uncertain; its areas are then those as drawn.
    """

    number: int
    name: str
    use: str | None
    area_m2: float
    impact: tuple[Impact, ...]
    held_by: tuple[str, ...] = ()
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class BookedBudget:
    """What a booking leaves of one budget, m².

    ``taken_m2`` is what fitted, ``shortfall_m2`` what did not. ``ends_at`` is the number of the
    first site after which nothing is left or whose land did not fit, ``short_there_m2`` the part
    of that site that did not. ``unknown_at`` is the first site of which nobody knows what it takes:
    from there on what is left is unknown too.
    """

    id: str
    title: str
    total_m2: float | None
    initial_m2: float | None
    taken_m2: float
    free_m2: float | None
    shortfall_m2: float
    ends_at: int | None
    short_there_m2: float
    unknown_at: int | None
    share_before: float | None
    share_after: float | None
    text: str


@dataclass(frozen=True, slots=True)
class Booking:
    """Sites booked in order against all budgets of a plan."""

    sites: tuple[BookedSite, ...]
    budgets: tuple[BookedBudget, ...]

    def budget(self, budget_id: str) -> BookedBudget:
        """Return one budget; raise KeyError when the plan has none of that id."""
        for found in self.budgets:
            if found.id == budget_id:
                return found
        raise KeyError(budget_id)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, without any outline."""
        return {
            "sites": [
                {
                    "number": site.number,
                    "name": site.name,
                    "use": site.use,
                    "area_m2": round(site.area_m2, 2),
                    "held_by": list(site.held_by),
                    "doubt": site.doubt,
                    "impact": [impact_row(row) for row in site.impact],
                }
                for site in self.sites
            ],
            "budgets": [_budget_row(budget) for budget in self.budgets],
        }


def _budget_row(budget: BookedBudget) -> dict[str, Any]:
    row = {name: getattr(budget, name) for name in BookedBudget.__slots__}
    digits = {"share_before": 6, "share_after": 6}
    return {
        key: round(value, digits.get(key, 2)) + 0.0 if isinstance(value, float) else value
        for key, value in row.items()
    }


def book(
    plan: Plan,
    sites: Iterable[Site | SiteCheck],
    *,
    uses: str | Sequence[str | None] | Mapping[str, str] | None = None,
) -> Booking:
    """Book sites in order against what is left of the scarce land; nothing is written.

    Parameters
    ----------
    plan
        An opened plan package; its reservations count as they stand now.
    sites
        From ``read_site`` with this plan, or checks of such sites. The order is the caller's.
    uses
        2023 land-use codes: one for all sites, one per site, or by the name of the site. Default
        the use of each site; without one the worst is assumed.

    Raises
    ------
    ClaimError
        An unknown use, another number of uses than of sites, or a use for a site that is not there.
    CrsError, OutsidePlanError
        A site was read for another plan, or lies outside this one.

    Examples
    --------
    >>> import gis
    >>> plan = gis.load_plan()
    >>> site = gis.read_site("data/samples/yizhong_xinxiao.txt", plan)
    >>> gis.book(plan, [site], uses=["080403"]).budgets[0].text
    '未占用，余 426.87 公顷'
    """
    own = [given.site if isinstance(given, SiteCheck) else given for given in sites]
    for site in own:
        belongs(site, plan)
    standing = standing_of(plan)
    running = _Running(standing)
    booked = [
        running.add(number, site, use)
        for number, (site, use) in enumerate(zip(own, _uses(own, uses), strict=True), start=1)
    ]
    return Booking(tuple(booked), tuple(running.budgets()))


def _uses(
    sites: Sequence[Site], uses: str | Sequence[str | None] | Mapping[str, str] | None
) -> list[str | None]:
    if uses is None or isinstance(uses, str):
        given = [uses] * len(sites)
    elif isinstance(uses, Mapping):
        _all_there(uses, sites)
        given = [uses.get(site.name) for site in sites]
    else:
        given = list(uses)
    if len(given) != len(sites):
        raise ClaimError(f"给出了 {len(given)} 个用途", expected=f"与地块数相同（{len(sites)} 个）")
    pairs = zip(sites, given, strict=True)
    return [checked_use(use if use is not None else site.use) for site, use in pairs]


def _all_there(uses: Mapping[str, str], sites: Sequence[Site]) -> None:
    names = {site.name for site in sites}
    unknown = [name for name in uses if name not in names]
    if unknown:
        found = "、".join(f"“{name[:40]}”" for name in unknown[:3])
        raise ClaimError(f"没有名为{found}的地块", expected="、".join(sorted(names)[:9]))


# --- one site after another ----------------------------------------------------------------------


@dataclass(slots=True)
class _Tally:
    """What happened to one account so far."""

    account: Account
    first: Left
    left: Left
    taken_m2: float = 0.0
    shortfall_m2: float = 0.0
    ends_at: int | None = None
    short_there_m2: float = 0.0
    unknown_at: int | None = None

    def add(self, number: int, drawn: Drawn) -> None:
        if drawn.area_m2 is None:
            self.unknown_at = self.unknown_at or number
        else:
            short = drawn.shortfall_m2 or 0.0
            self.taken_m2 += drawn.area_m2 - short
            self.shortfall_m2 += short
            self._watch(number, drawn, short)
        self.left = drawn.after

    def _watch(self, number: int, drawn: Drawn, short: float) -> None:
        """Note the first site that leaves nothing, or does not fit."""
        free = drawn.after.free_m2
        spent = bool(drawn.area_m2) and free is not None and free < _NOTHING_M2
        if self.ends_at is None and (short or spent):
            self.ends_at, self.short_there_m2 = number, short


class _Running:
    """The accounts while sites are booked."""

    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self._holdings = list(standing.holdings.holdings)
        left, accounts = standing.left, standing.ledger.accounts
        self._tallies = {a.id: _Tally(a, left[a.id], left[a.id]) for a in accounts}

    def add(self, number: int, site: Site, use: str | None) -> BookedSite:
        """Draw one site on top of all that is held already."""
        ledger = self._standing.ledger
        drawing = Drawing(ledger, site.geometry, use, Holdings(self._holdings))
        left = {account_id: tally.left for account_id, tally in self._tallies.items()}
        rows = list(drawing.draw(left))
        for drawn in rows:
            self._tallies[drawn.account.id].add(number, drawn)
        label = f"地块“{site.name}”（第 {number} 个）"
        self._holdings.append(Holding(site.geometry, use, label))
        impact = tuple(impact_of(drawn, self._standing.problem) for drawn in rows)
        doubt = site.doubt.reason if site.doubt else ""
        area_m2 = site.area.ellipsoidal_m2
        return BookedSite(number, site.name, use, area_m2, impact, drawing.held_by, doubt)

    def budgets(self) -> Iterable[BookedBudget]:
        """Yield what is left of each account in the end."""
        area = self._standing.ledger.area
        for tally in self._tallies.values():
            account = tally.account
            share = _shares(tally, area.area.ellipsoidal_m2) if area else (None, None)
            yield BookedBudget(
                id=account.id,
                title=account.name if account.cls is None else account.title + account.name,
                total_m2=account.total_m2,
                initial_m2=tally.first.free_m2,
                taken_m2=tally.taken_m2,
                free_m2=tally.left.free_m2,
                shortfall_m2=tally.shortfall_m2,
                ends_at=tally.ends_at,
                short_there_m2=tally.short_there_m2,
                unknown_at=tally.unknown_at,
                share_before=share[0],
                share_after=share[1],
                text=_told(tally),
            )


def _shares(tally: _Tally, area_m2: float) -> tuple[float | None, float | None]:
    if tally.account.kind.value != "planned_green_water":
        return None, None
    first, last = tally.first.inside_m2, tally.left.inside_m2
    before = None if first is None else first / area_m2
    return before, None if last is None else last / area_m2


def _told(tally: _Tally) -> str:
    taken = tally.taken_m2
    if tally.account.lacks:
        return f"{tally.account.lacks}，占用量未知"
    if tally.unknown_at is not None:
        return f"自第 {tally.unknown_at} 个地块起占用量未知，余量无法确定"
    if tally.first.free_m2 is None:
        reason = tally.account.reason or "余量未知"
        return f"合计占用 {amount(taken)}；{reason}，不能判断是否足够"
    left = amount(tally.left.free_m2 or 0.0)
    if not taken and not tally.shortfall_m2:
        return f"未占用，余 {left}"
    if tally.ends_at is None:
        return f"合计占用 {amount(taken)}，余 {summed(taken, tally.left.free_m2 or 0.0)[1]}"
    if not tally.shortfall_m2:
        return f"合计占用 {amount(taken)}，到第 {tally.ends_at} 个地块用完"
    short, there = amount(tally.shortfall_m2), amount(tally.short_there_m2)
    return f"到第 {tally.ends_at} 个地块用完，该地块有 {there}无法安排；合计不足 {short}"
