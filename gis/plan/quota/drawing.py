"""What does one site draw from each account: how much, from what is left, and who is in the way?

The step that a check and a booking share. It writes nothing down and words nothing: the numbers
become sentences in ``gis.plan.quota.sentences``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import shapely
from shapely.geometry.base import BaseGeometry

from gis.engine.lazy import lazy
from gis.engine.screen import NOISE_M2
from gis.plan.areas import PlanArea
from gis.plan.quota.accounts import Account, Kind, Land, is_small, takes
from gis.plan.quota.ledger import Ledger
from gis.plan.quota.probe import Probe
from gis.plan.quota.seen import Seen
from gis.plan.quota.standing import Holdings, Left

# A hundredth of a square metre is the last printed digit; half of it is nothing.
_NOTHING_M2 = 0.005


@dataclass(frozen=True)
class Drawn:
    """What one site draws from one account.

    ``land`` is all that the site covers, ``rest`` the part of it that nobody else holds.
    ``lacks`` says why it cannot be known at all.
    """

    account: Account
    use: str | None
    land: Land
    rest: Land
    held_by: tuple[str, ...]
    before: Left
    area: PlanArea | None
    lacks: str = ""

    @lazy
    def taking(self) -> bool:
        """Whether the use takes from the account at all."""
        return takes(self.account.kind, self.use)

    @lazy
    def area_m2(self) -> float | None:
        """What the site takes of the land that is still free; None when that is not known."""
        if self.lacks:
            return None
        if not self.taking:
            return 0.0
        return self.rest.open_m2 if self.rest.is_known else None

    @lazy
    def reserved_m2(self) -> float | None:
        """What the site covers of land that is promised to others."""
        return None if self.lacks else max(self.land.open_m2 - self.rest.open_m2, 0.0)

    @lazy
    def shortfall_m2(self) -> float | None:
        """What does not fit into what is left."""
        if self.area_m2 is None or self.before.free_m2 is None:
            return None
        missing = self.area_m2 - self.before.free_m2
        return missing if missing > _NOTHING_M2 else 0.0

    @lazy
    def after(self) -> Left:
        """What is left when the site has been drawn."""
        free, inside = self.before.free_m2, self.before.inside_m2
        if self.area_m2 is None:
            return Left(None, None)
        taken = self.rest.inside_m2 if self.taking else 0.0
        return Left(
            None if free is None else max(free - self.area_m2, 0.0),
            None if inside is None else inside - taken,
        )

    def share(self, left: Left) -> float | None:
        """Return what is left as a share of its area, 0-1; None for accounts without one."""
        if self.account.kind is not Kind.GREEN_WATER or self.area is None:
            return None
        if left.inside_m2 is None:
            return None
        return left.inside_m2 / self.area.area.ellipsoidal_m2


class Drawing:
    """One site against the accounts of a ledger and the land that is spoken for.

    Parameters
    ----------
    ledger
        The accounts of the plan.
    polygon
        The site in the work CRS.
    use
        Its 2023 land-use code, None when nobody said.
    holdings
        Land that others have been promised, whatever its use.
    seen
        What the screening of the site has told, where there was one.
    """

    def __init__(
        self,
        ledger: Ledger,
        polygon: BaseGeometry,
        use: str | None,
        holdings: Holdings,
        seen: Seen | None = None,
    ) -> None:
        self._ledger = ledger
        self._polygon = polygon
        self._use = use
        self._holdings = holdings.meeting(polygon)
        self._whole = Probe(ledger, polygon, seen)
        self._rests: dict[tuple[int, ...], Probe] = {(): self._whole}

    @property
    def held_by(self) -> tuple[str, ...]:
        """Who has been promised land of the site, whatever that land counts as."""
        return self._holdings.labels(self._polygon)

    def draw(self, left: Mapping[str, Left]) -> Iterator[Drawn]:
        """Yield what the site draws, from every account that it meets or may meet.

        Parameters
        ----------
        left
            What is left of each account, by id.
        """
        beyond: list[Drawn] = []
        boundary = False
        for account in self._ledger.accounts:
            if not account.lacks and self._whole.is_off(account):
                continue
            drawn = self._drawn(account, left[account.id])
            if drawn.lacks or drawn.land.covered_m2 > NOISE_M2:
                boundary |= account.kind is Kind.DEV_BOUNDARY
                yield drawn
            elif not is_small(drawn.land.beyond_m2, 0.0):
                if account.kind is Kind.DEV_BOUNDARY:
                    beyond.append(drawn)
                else:
                    yield drawn
        # Land of which no boundary is known belongs to no kind: said once, not for each kind.
        if beyond and not boundary:
            yield beyond[0]

    def _drawn(self, account: Account, left: Left) -> Drawn:
        if account.lacks:
            return self._nothing(account, left)
        land = self._whole.measure(account)
        own = self._holdings.on(account.kind)
        rest = self._rest(own).measure(account) if own.holdings else land
        labels = own.labels(self._polygon) if land.covered_m2 > NOISE_M2 else ()
        return Drawn(account, self._use, land, rest, labels, left, self._ledger.area)

    def _nothing(self, account: Account, left: Left) -> Drawn:
        empty = Land(0.0)
        return Drawn(
            account, self._use, empty, empty, (), left, self._ledger.area, lacks=account.lacks
        )

    def _rest(self, holdings: Holdings) -> Probe:
        """Return the site without the land that others have, each selection of them once."""
        if holdings.key() not in self._rests:
            rest = shapely.difference(self._polygon, holdings.union())
            self._rests[holdings.key()] = Probe(self._ledger, rest)
        return self._rests[holdings.key()]
