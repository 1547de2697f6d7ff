"""Which land do polygons share, as outlines, without an overlay of geometries?

Most land that a site has on two layers at once is simple: outlines that follow from walking along
the boundaries. They are found in microseconds, with the areas of the kernel, and can be laid over
the next layer. What is not simple (boundaries that touch in a way that is not plain) is None, and
built by an overlay instead.

Exactness: outlines are only believed where their area is that of the kernel within 1e-6 m², so that
land over land over land is good to 1e-5 m². Parts under 1e-4 m² are rounding, as everywhere, unless
they share an edge with more land: then an overlay would see one piece, and so they stay. Where
boundaries lie on each other, what hangs together is told with one of them moved by 1e-6 m (see
``trace_loops``); outlines that come nearer to themselves than 5e-6 m are not believed, as an
overlay may see two polygons there.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from gis.engine.index import Array
from gis.engine.kernel import TOUCH_M, Edges
from gis.engine.screen import NOISE_M2

_AGREES_M2 = 1e-6


class Outlines(NamedTuple):
    """Disjoint pieces of land, each with its holes.

    ``sums`` are of each piece the planar m² and the place of the centroid.
    """

    edges: Edges
    sums: Array

    @property
    def planar_m2(self) -> float:
        """Their area together."""
        return math.fsum(self.sums[:, 0])


Overlay = Callable[[Edges, Edges, Array | None], Outlines | None]


def common(land: Edges, other: Edges, among: Array | None = None) -> Outlines | None:
    """Return the land that polygons share with disjoint others; None where that is not simple.

    ``among`` are the positions of the others that count, by default all.
    """
    return _overlaid(land, other, among, inside=True)


def apart(land: Edges, other: Edges, among: Array | None = None) -> Outlines | None:
    """Return the land of polygons off others; None where that is not simple."""
    found = _overlaid(land, other, among, inside=False)
    chosen = range(len(other.boxes)) if among is None else among.tolist()
    if found is not None or len(chosen) < 2:
        return found
    for one in chosen:
        found = _overlaid(land, other, np.array([one]), inside=False)
        if found is None:
            return None
        land = found.edges
    return found


def shared_with(land: Edges, other: Edges, among: Array) -> list[tuple[int, float, float, float]]:
    """Return which of some pieces polygons share land with: the piece, planar m², its centroid.

    Areas only, which are sure whatever touches.
    """
    from gis.engine import outline_loops

    _, piece, area, x, y, _ = outline_loops.pairs(
        land.offsets, land.rows, land.boxes, other.offsets, other.rows, other.boxes, among, TOUCH_M
    )
    rows = zip(piece.tolist(), area.tolist(), x.tolist(), y.tolist(), strict=True)
    return [row for row in rows if row[1] > NOISE_M2]


class SmallLand(NamedTuple):
    """A piece of land of one or more outlines that share edges.

    ``sums`` are those of its outlines, ``perimeter_m`` is that of the whole piece.
    """

    sums: Array
    perimeter_m: float

    @property
    def planar_m2(self) -> float:
        """Its area."""
        return math.fsum(self.sums[:, 0])

    @property
    def centre(self) -> tuple[float, float]:
        """The place of its centroid."""
        weights = self.sums[:, 0] / self.planar_m2
        return float(weights @ self.sums[:, 1]), float(weights @ self.sums[:, 2])


def small_lands(land: Outlines, below_m2: float) -> list[SmallLand] | None:
    """Return the pieces of land smaller than ``below_m2``, planar; None where that is not sure.

    Neighbours that share an edge are one piece. Where outlines only touch, or nearly, an overlay
    may see one piece or two.
    """
    from gis.engine import neighbour_loops

    areas = np.ascontiguousarray(land.sums[:, 0])
    if not (areas < below_m2).any():
        return []
    edges = land.edges
    group, length = neighbour_loops.together(
        edges.offsets, edges.rows, edges.boxes, areas, below_m2
    )
    if not len(group):
        return None
    groups = (group == number for number in np.unique(group[areas < below_m2]))
    found = (SmallLand(land.sums[own], math.fsum(length[own])) for own in groups)
    return [one for one in found if one.planar_m2 < below_m2]


def _overlaid(land: Edges, other: Edges, among: Array | None, *, inside: bool) -> Outlines | None:
    from gis.engine import outline_loops

    chosen = np.arange(len(other.boxes)) if among is None else among
    offsets, rows, told = outline_loops.overlaid(
        land.offsets, land.rows, land.boxes, other.offsets, other.rows, other.boxes,
        chosen, inside, TOUCH_M, NOISE_M2, _AGREES_M2,
    )  # fmt: skip
    if not len(offsets):
        return None
    ones, rings = np.ones(len(told), dtype=np.int64), told[:, 7].astype(np.int64)
    return Outlines(Edges(offsets, rows, told[:, 3:7], ones, rings), told[:, :3])
