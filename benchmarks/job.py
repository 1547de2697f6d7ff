"""W1, said once: what every engine is asked, what it answers, and how answers are compared.

For each parcel and polygon layer: planar m² of the overlap, and the number of source features of
which the parcel has more than ``TOLERANCE_M2``; and metres to the nearest road centre line. Layers
are prepared before the clock starts, as each engine likes them best.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import county
import numpy as np
import shapely

Array = np.ndarray[Any, Any]
TOLERANCE_M2 = 1.0
# Less than this is rounding of coordinates, and our engine does not report it as shared land.
NOISE_M2 = 1e-4


class Answers(NamedTuple):
    """``area`` and ``features`` have a row per parcel and a column per layer of ``POLYGONS``."""

    area: Array
    features: Array
    distance: Array


class MissingError(Exception):
    """A peer cannot run here; the message says what is not installed."""


@dataclass(frozen=True)
class Engine:
    """How an engine is run.

    Parameters
    ----------
    load
        Prepares the layers of a county and returns the run. Its second argument are the parcels,
        for engines that must bring them into tables of their own first.
    packages
        Whose versions are printed.
    most
        Parcels that it is asked at most, because it takes too long for more.
    """

    name: str
    load: Callable[[Path, Array], Callable[[], Answers]]
    packages: tuple[str, ...]
    most: int | None = None


def empty(parcels: int, layers: int) -> Answers:
    """Return answers that say nothing yet."""
    shape = parcels, layers
    return Answers(np.zeros(shape), np.zeros(shape, dtype=np.int64), np.full(parcels, np.nan))


def gathered(parcel: Array, layer: Array, feature: Array, area: Array, shape: Answers) -> Answers:
    """Sum pieces: rows of parcel, layer, source feature and m² into one table of answers."""
    order = np.lexsort((feature, layer, parcel))
    parcel, layer, feature = parcel[order], layer[order], feature[order]
    area = area[order]
    np.add.at(shape.area, (parcel, layer), area)
    if len(parcel):
        new = np.r_[True, np.diff(parcel) | np.diff(layer) | np.diff(feature)].astype(bool)
        starts = np.flatnonzero(new)
        over = starts[np.add.reduceat(area, starts) > TOLERANCE_M2]
        np.add.at(shape.features, (parcel[over], layer[over]), 1)
    return shape


def agreement(ours: Answers, theirs: Answers) -> dict[str, Any]:
    """Return the largest differences between two answers to the same parcels.

    What ours leaves out as noise stands apart: ``unreported`` overlaps, the largest of so many m².
    """
    count = min(len(ours.area), len(theirs.area))
    gap = np.abs(ours.area[:count] - theirs.area[:count])
    noise = (ours.area[:count] == 0.0) & (gap <= NOISE_M2)
    left_out = gap[noise & (gap > 1e-5)]
    gap[noise] = 0.0
    far = np.abs(ours.distance[:count] - theirs.distance[:count])
    equal = ours.features[:count] == theirs.features[:count]
    return {
        "max_abs_diff_m2": float(gap.max()),
        "counts_equal": bool(equal.all()),
        "counts_differing": int((~equal).sum()),
        "max_abs_diff_m": float(far.max()),
        "unreported": len(left_out),
        "unreported_m2": float(left_out.max(initial=0.0)),
    }


# Beside an engine that nothing else was compared with.
NOT_COMPARED = {"max_abs_diff_m2": None, "counts_equal": None}


def to_edge(name: str, answers: Answers) -> Answers:
    """Return distances to the land edge of roads; peers measure to the axis, ours to the edge."""
    if name.startswith("wuqu"):
        return answers
    edge = (answers.distance - county.HALF_WIDTH_M).clip(min=0.0)
    return answers._replace(distance=edge)


def rows_of(answers: Answers, chosen: Array) -> Answers:
    """Return the answers to some of the parcels."""
    return Answers(*(column[chosen] for column in answers))


def save(answers: Answers, path: Path) -> None:
    """Write answers where another process reads them."""
    np.savez(path, **answers._asdict())


def read(path: Path) -> Answers:
    """Read answers."""
    with np.load(path) as stored:
        return Answers(*(stored[name] for name in Answers._fields))


def wkb(shapes: Array) -> list[bytes]:
    """Return shapes as WKB, for databases."""
    return list(shapely.to_wkb(shapes))
