"""Which cells do the rules see alike, and what is measured on one cell of each kind?

For every rule the cells are sorted by what of each of its lands lies on them: nothing, all, or
some. One cell of each kind is measured by the engine, like any site; what is measured there stands
for all of its kind. None of this depends on the use, so that it is done once for a plan and a grid.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np

from gis.crs import ellipsoidal_areas
from gis.engine import Measurement, Screened, screen, surveyed
from gis.engine.index import Array
from gis.model import Area, CrsDecision, Rule, Site, Source
from gis.plan import Plan
from gis.siting.cells import FULL, Cells
from gis.siting.lands import Lands

_STATES = 3


@dataclass(frozen=True, eq=False, slots=True)
class Kinds:
    """The cells as one rule sees them.

    ``code`` numbers the kind of each cell, None when there is only one; ``samples`` has for each
    kind the place, among the cells, of the one that stands for it.
    """

    code: Array | None
    samples: Array

    def spread(self, values: Array) -> Array:
        """Return for each cell the value of its kind; one value when there is only one kind."""
        return values if self.code is None else values[self.code]


@dataclass(frozen=True, eq=False)
class Ground:
    """A plan on a day, on cells, before anybody says what it is wanted for."""

    plan: Plan
    day: date
    cells: Cells
    rules: tuple[Rule, ...]
    kinds: Mapping[str, Kinds]

    @cached_property
    def samples(self) -> dict[int, Sample]:
        """What is measured on each cell that stands for others, by its place among the cells."""
        wanted = sorted({int(n) for own in self.kinds.values() for n in own.samples})
        boxes = self.cells.boxes(self.cells.at[wanted])
        areas = ellipsoidal_areas(boxes, self.cells.epsg)
        survey, found = self.plan.survey(self.day), {}
        met = screen(boxes, self.plan.stack)
        for n, box, m2, own in zip(wanted, boxes, areas.tolist(), met, strict=True):
            site = plain_site(box, self.cells.epsg, float(m2))
            found[n] = Sample(site, own, surveyed(site, survey, own, with_evidence=False))
        return found


@dataclass(frozen=True, eq=False, slots=True)
class Sample:
    """A cell that stands for others, what it meets and what is measured on it."""

    site: Site
    met: Screened
    measured: Measurement


def plain_site(outline: object, epsg: int, ellipsoidal_m2: float, name: str = "") -> Site:
    """Return an outline in the work CRS as a site that nobody has handed in."""
    crs = CrsDecision(epsg, epsg, "given")
    area = Area(ellipsoidal_m2, float(outline.area))  # type: ignore[attr-defined]  # a polygon
    return Site(name, outline, area, crs, Source("search", name, ""))  # type: ignore[arg-type]  # a polygon


def ground_of(plan: Plan, day: date, cells: Cells) -> Ground:
    """Return the ground to look for sites on."""
    rules, lands = tuple(plan.rulebook.in_force(day)), Lands(plan, cells)
    chosen: list[int] = []
    kinds = {}
    for rule in rules:
        own = kinds[rule.id] = _sorted(len(cells), lands.of(rule), chosen)
        chosen.extend(sorted(set(own.samples.tolist()) - set(chosen)))
    return Ground(plan, day, cells, rules, kinds)


def _sorted(count: int, lands: Iterable[Array], chosen: list[int]) -> Kinds:
    """Sort the cells by the lands of one rule."""
    code, most = np.zeros(count, dtype=np.int32), 1
    mixed = np.zeros(count, dtype=np.int32)
    for land in lands:
        state = (land > 0).astype(np.int32) + (land == FULL)
        code, most = _relabelled(code * _STATES + state, most * _STATES)
        mixed += np.minimum(land, FULL - land)
    samples = _samples(code, most, mixed, chosen)
    return Kinds(code.astype(np.int16 if most < 2**15 else np.int32) if most > 1 else None, samples)


def _relabelled(code: Array, most: int) -> tuple[Array, int]:
    """Return codes numbered from 0 as they occur, and how many there are."""
    seen = np.bincount(code, minlength=most) > 0
    number = np.cumsum(seen, dtype=np.int32) - 1
    return number[code], int(number[-1]) + 1


def _samples(code: Array, most: int, mixed: Array, chosen: list[int]) -> Array:
    """Choose a cell for each kind: where lands meet, the one that has most of them all.

    A cell that merely grazes some land would not show what the rule says of it. A cell that stands
    for others already is taken again where that makes no difference.
    """
    found = np.zeros(most, dtype=np.int64)
    order = np.argsort(mixed, kind="stable") if mixed.any() else np.arange(len(code))
    found[code[order]] = order  # of several the last one stays
    again = np.array([n for n in chosen if not mixed[n]], dtype=np.int64)
    pure = np.zeros(most, dtype=bool)
    pure[code[again]] = True
    pure &= mixed[found] == 0
    own = again[pure[code[again]]]
    found[code[own]] = own
    return found
