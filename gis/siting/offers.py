"""Which outlines are offered, in which order, and how near is the nearest miss?

Every outline is checked by ``check_site`` before anybody sees it. One that does not comply is put
aside with the reason, and its place is left alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis.check import check_site
from gis.claims import with_claims
from gis.engine.index import Array
from gis.model import Site, SiteCheck, Verdict
from gis.siting.answer import Candidate, Rejected
from gis.siting.criteria import CRITERIA, Criterion, scored, total
from gis.siting.outlines import outline_of, smoothed
from gis.siting.query import Query
from gis.siting.shapes import Room, Shape, best_shape, compactness
from gis.siting.summary import Summary
from gis.siting.verdicts import CONDITIONAL
from gis.siting.wishes import distance_to, near_roads, what_is_not_kept

# Outlines that are checked at most for one candidate that is wanted.
_TRIES = 4
# Places at which distances are looked up to choose between outlines; the scores are exact.
_PLACES = 4_000
# Times the wanted land, from which an outline without stairs is cut.
_ROOMY = (1.08, 1.16, 1.3)
_BUDGETS = ("cultivated_land",)


class Offers:
    """Outlines for a query on judged land."""

    def __init__(self, query: Query, summary: Summary) -> None:
        self._query = query
        self._summary = summary
        self._cells = summary.cells
        self._plan = summary.judged.ground.plan
        self.rejected: list[Rejected] = []

    # --- candidates ----------------------------------------------------------------------------

    def candidates(self) -> tuple[Candidate, ...]:
        """Return sites that comply, perhaps under conditions, the best first."""
        free = self._summary.mask(self._summary.judged.rank, CONDITIONAL)
        found = list(self._offered(free, self._query.most, self._complies))
        return self._ranked(found)

    def misses(self, free: Array, most: int) -> tuple[Candidate, ...]:
        """Return the best outlines on some land, whatever their checks say."""
        found = list(self._offered(free, most, lambda _: None))
        found.sort(key=lambda c: (c.verdict.rank, len(c.against), -c.score))
        named = (replace(c, name=f"最接近的地块 {n}") for n, c in enumerate(found, 1))
        return tuple(named)

    def _ranked(self, found: list[Candidate]) -> tuple[Candidate, ...]:
        # Outlines whose scores differ by rounding stay in the order in which they were found.
        found.sort(key=lambda c: -round(c.score, 9))
        return tuple(replace(c, rank=n, name=f"候选地块 {n}") for n, c in enumerate(found, 1))

    def _complies(self, check: SiteCheck) -> Rejected | None:
        """Return why a checked outline is not offered, None when it is."""
        if check.verdict.rank > Verdict.CONDITIONAL.rank:
            own = [f for f in check.findings if f.decides and f.verdict is check.verdict]
            why = "；".join(f"{f.title}：{f.verdict.label}" for f in own[:3])
            return Rejected(
                f"检测结论为“{check.verdict.label}”（{why}）", tuple(f.rule for f in own)
            )
        short = what_is_not_kept(self._plan, self._query, check.impact)
        return Rejected(short, ()) if short else None

    def _offered(
        self, free: Array, most: int, refuse: Callable[[SiteCheck], Rejected | None]
    ) -> Iterator[Candidate]:
        free, given = free.copy(), 0
        for _ in range(most * _TRIES):
            made = self._fitted(free)
            if made is None:
                return
            shape, site = made
            free &= ~shape.cells
            check = self._checked(site)
            refused = refuse(check)
            if refused is not None:
                self.rejected.append(refused)
                continue
            yield self._candidate(check, shape.cells)
            given += 1
            if given == most:
                return

    def _fitted(self, free: Array) -> tuple[Shape, Site] | None:
        """Return the best shape with its outline; one more cell where the size needs it."""
        for more in range(3):
            shape = best_shape(free, replace(self.room, count=self.room.count + more))
            if shape is None:
                return None
            if shape.rectangle is None and not more:
                made = self._smoothed(free)
                if made is not None:
                    return made
            site = outline_of(
                self._cells,
                shape.cells,
                self._query.wanted_m2,
                self._query.min_width_m,
                self._reaches,
            )
            if site is not None:
                return shape, site
        return None

    def _smoothed(self, free: Array) -> tuple[Shape, Site] | None:
        """Return an outline without stairs, out of a little more land than it will have."""
        query = self._query
        for times in _ROOMY:
            roomy = replace(self.room, count=math.ceil(self.room.count * times))
            shape = best_shape(free, roomy)
            if shape is None:
                return None
            wanted, width = query.wanted_m2, query.min_width_m
            site = smoothed(self._cells, shape.cells, wanted, width, self._reaches)
            if site is not None:
                met = self._cells.covered(np.array([site.geometry], dtype=object)) > 0
                return Shape(self._cells.on_grid(met, elsewhere=False)), site
        return None

    def _reaches(self, outline: BaseGeometry) -> bool:
        most = self._query.near_road_m
        if most is None:
            return True
        apart = distance_to(self._plan, "road", outline)
        return apart is not None and apart <= most

    # --- where the least stands against it -------------------------------------------------------

    def least_bad(self, rank: Array) -> Array | None:
        """Return the cells of the rectangle with the least land against it; None when none fits."""
        inside = self._cells.on_grid(np.ones(len(self._cells), dtype=bool), elsewhere=False)
        bad = self._cells.on_grid((rank > CONDITIONAL) + 3.0 * (rank > CONDITIONAL + 1))
        merit = 1.0 - bad / 4.0
        shape = best_shape(inside, replace(self.room, merit=merit, compact=0.01, reach=None))
        return None if shape is None else shape.cells

    # --- what shapes are made of -----------------------------------------------------------------

    @cached_property
    def room(self) -> Room:
        """What outlines are made of, and what makes one better than another."""
        weights, cells = self._query.weights, self._cells
        counted = math.ceil(self._query.wanted_m2 / cells.cell_m2 * (1 - 1e-9))
        good = weights["conditional"] * (self._summary.by_place < CONDITIONAL)
        merit = cells.on_grid(np.asarray(good, dtype=float))
        for role, criterion in (("road", _by_id("road")), ("built_up", _by_id("built_up"))):
            merit += weights[criterion.id] * self._nearness(role, criterion)
        reach = None
        if self._query.near_road_m is not None:
            near = near_roads(self._plan, cells, self._query.near_road_m)
            reach = cells.on_grid(near, elsewhere=False)
        return Room(self._summary.width, max(counted, 1), merit, weights["compact"], reach)

    def _nearness(self, role: str, criterion: Criterion) -> Array:
        """Return a rough score of the distance of each cell to a role, (rows, cols)."""
        grid = self._cells.grid
        step = max(math.isqrt(grid.rows * grid.cols // _PLACES), 1)
        layers = [x.index.geometries for x in self._plan.with_role(role) if len(x.index)]
        if not layers:
            return np.zeros((grid.rows, grid.cols))
        rows, cols = np.arange(0, grid.rows, step), np.arange(0, grid.cols, step)
        at = np.add.outer(rows * grid.cols, cols).ravel()
        points = shapely.points(self._cells.centres(at))
        tree = shapely.STRtree(np.concatenate(layers))
        _, apart = tree.query_nearest(points, return_distance=True, all_matches=False)
        rough = 1.0 - np.clip(apart / criterion.worst, 0.0, 1.0)
        wide = np.repeat(np.repeat(rough.reshape(len(rows), -1), step, axis=0), step, axis=1)
        return np.asarray(wide[: grid.rows, : grid.cols])

    # --- one candidate ---------------------------------------------------------------------------

    def _checked(self, site: Site) -> SiteCheck:
        own = with_claims(site, self._query.use, self._query.attributes)
        day = self._query.as_of
        return check_site(own, self._plan, as_of=day, remedies=False, geometry=True)

    def _candidate(self, check: SiteCheck, chosen: Array) -> Candidate:
        rows = scored(self._values(check, chosen), self._query.weights)
        return Candidate(0, "", check, rows, total(rows))

    def _values(self, check: SiteCheck, chosen: Array) -> dict[str, float | None]:
        site = check.site
        own = chosen.ravel()[self._cells.at]
        asks = (self._summary.by_place[own] >= CONDITIONAL).mean()
        rows = {row.id: row for row in check.impact}
        farmland = [rows[key].covered_m2 for key in _BUDGETS if key in rows]
        left = [
            (row.free_after_m2 or 0.0) / row.free_before_m2
            for row in check.impact
            if row.area_m2 and row.free_before_m2
        ]
        cultivated = sum(m2 or 0.0 for m2 in farmland) / site.area.ellipsoidal_m2
        return {
            "conditional": float(asks),
            "farmland": None if None in farmland else min(cultivated, 1.0),
            "compact": compactness(site.geometry.area, site.geometry.length),
            "road": distance_to(self._plan, "road", site.geometry),
            "built_up": distance_to(self._plan, "built_up", site.geometry),
            "budget": min(left, default=1.0),
        }


def _by_id(name: str) -> Criterion:
    return next(c for c in CRITERIA if c.id == name)
