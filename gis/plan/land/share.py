"""Which land counts as green and water, and how far does the share move with each reading?

Classes are counted by one definition; a class that the classification does not have is never
counted, and land that nobody classified may be anything. So a share has a range, and every class
that is open to argument says by how much it would change the share.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from gis.model import class_matches
from gis.plan.land.ground import STRAY_M2, Ground, Zoned
from gis.rulebook.land_classes import Ambiguous, GreenWater, Scheme, ambiguous_classes


@dataclass(frozen=True, slots=True)
class Counting:
    """Which of the classes that occur count, by one definition.

    ``unknown`` are codes that the classification does not have, and land without any code.
    """

    green: frozenset[str]
    water: frozenset[str]
    unknown: frozenset[str]

    @property
    def both(self) -> frozenset[str]:
        """What counts as either."""
        return self.green | self.water

    def of(self, cls: str) -> str:
        """Return green, water, or an empty text for what does not count."""
        return "green" if cls in self.green else "water" if cls in self.water else ""


def counting(ground: Ground, definition: GreenWater, scheme: Scheme) -> Counting:
    """Return which classes of a ground count."""
    known = [cls for cls in ground.classes() if scheme.exists(cls)]
    green = {cls for cls in known if class_matches(cls, definition.green)}
    water = {cls for cls in known if class_matches(cls, definition.water)} - green
    return Counting(
        frozenset(green), frozenset(water), frozenset(set(ground.classes()).difference(known))
    )


@dataclass(frozen=True, slots=True)
class ShareRange:
    """A share as 0-1: what it is at least, and at most if all unknown land counted.

    ``unknown_m2`` is the land about which the layer says nothing, or nothing that can be read.
    """

    low: float
    high: float
    unknown_m2: float

    @property
    def is_exact(self) -> bool:
        """Whether the unknown land is no more than the noise of digitising."""
        return self.unknown_m2 <= STRAY_M2


def share_range(ground: Ground, counted: Counting, denominator_m2: float) -> ShareRange:
    """Return the share of what counts, and what it is at most."""
    low = ground.union_m2(counted.both)
    unknown = ground.union_m2(counted.both | counted.unknown) - low + ground.uncovered_m2
    return ShareRange(
        min(low / denominator_m2, 1.0),
        min((low + unknown) / denominator_m2, 1.0),
        unknown,
    )


def zone_range(zoned: Zoned, zone: str, counted: Counting) -> ShareRange | None:
    """Return the share inside one zone, an empty name for land outside of all.

    None when the layer says nothing about any of it.
    """
    own = [
        (set(classes), m2)
        for (classes, zones), m2 in zoned.cells.items()
        if (zone in zones if zone else not zones)
    ]
    whole = math.fsum(m2 for _, m2 in own)
    if whole - math.fsum(m2 for classes, m2 in own if not classes) <= STRAY_M2:
        return None
    low = math.fsum(m2 for classes, m2 in own if classes & counted.both)
    unknown = math.fsum(
        m2
        for classes, m2 in own
        if not classes & counted.both and (not classes or classes & counted.unknown)
    )
    return ShareRange(low / whole, (low + unknown) / whole, unknown)


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """Classes that may be counted or left out with good reason, and what the other way would give.

    ``other_share`` is the share if they were treated the other way round, ``difference`` the same
    minus the share as it is; both 0-1.
    """

    id: str
    title: str
    note: str
    classes: tuple[str, ...]
    counts_as: str
    counted: bool
    area_m2: float
    other_share: float
    difference: float


def sensitivity(
    ground: Ground, counted: Counting, definition: GreenWater, denominator_m2: float
) -> Iterator[Sensitivity]:
    """Yield each group of doubtful classes that occurs, in the order of the table."""
    now = ground.union_m2(counted.both)
    for group in ambiguous_classes(definition):
        own = {cls for cls in ground.classes() if class_matches(cls, group.classes)}
        own -= counted.unknown
        if own:
            yield _moved(ground, counted, group, own, now, denominator_m2)


def _moved(
    ground: Ground,
    counted: Counting,
    group: Ambiguous,
    own: set[str],
    now_m2: float,
    denominator_m2: float,
) -> Sensitivity:
    # A group of which only some classes count is counted in full the other way round.
    is_counted = own <= counted.both
    other = ground.union_m2(counted.both - own if is_counted else counted.both | own)
    return Sensitivity(
        id=group.id,
        title=group.title,
        note=group.note,
        classes=tuple(sorted(own)),
        counts_as=group.counts_as,
        counted=is_counted,
        area_m2=ground.union_m2(own),
        other_share=min(other / denominator_m2, 1.0),
        difference=(other - now_m2) / denominator_m2,
    )
