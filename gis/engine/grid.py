"""Where do polygons lie on the grid of a raster?

In pixel space one unit is one pixel: x counts columns from the left edge of the raster, y rows from
its first row, and the centre of the first pixel is (0.5, 0.5). The way there is affine, straight
lines stay straight, so rotated, mirrored and south-up rasters need no rule of their own. Nothing
here knows a coordinate reference system.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import shapely

from gis.engine.index import Array


class Window(NamedTuple):
    """A rectangle of pixels: its first row and column, and how many of each."""

    row: int
    col: int
    rows: int
    cols: int


@dataclass(frozen=True, slots=True)
class Grid:
    """Size of a raster and the affine way from pixels to coordinates.

    ``transform`` is (a, b, c, d, e, f): x = a·column + b·row + c, y = d·column + e·row + f, in the
    units of the raster's CRS. It must be invertible.
    """

    rows: int
    cols: int
    transform: tuple[float, float, float, float, float, float]

    @property
    def pixel_area(self) -> float:
        """Planar area of one pixel in the units of the CRS."""
        a, b, _, d, e, _ = self.transform
        return abs(a * e - b * d)

    @property
    def pixel_size(self) -> tuple[float, float]:
        """Width and height of one pixel in the units of the CRS."""
        a, b, _, d, e, _ = self.transform
        return float(np.hypot(a, d)), float(np.hypot(b, e))

    @property
    def is_rotated(self) -> bool:
        """Whether rows do not run along the x axis of the CRS."""
        return self.transform[1] != 0 or self.transform[3] != 0

    @property
    def whole(self) -> Window:
        """The window of all pixels."""
        return Window(0, 0, self.rows, self.cols)

    def to_pixels(self, shapes: Array) -> Array:
        """Return polygons of the raster's CRS in pixel space.

        The origin is subtracted first, so that coordinates of millions of metres cost no digits.
        """
        a, b, c, d, e, f = self.transform
        det = a * e - b * d

        def move(xy: Array) -> Array:
            x, y = xy[:, 0] - c, xy[:, 1] - f
            return np.column_stack([(e * x - b * y) / det, (a * y - d * x) / det])

        return np.asarray(shapely.transform(shapes, move), dtype=object)

    def to_coordinates(self, columns: Array, rows: Array) -> tuple[Array, Array]:
        """Return x and y in the raster's CRS of places in pixel space."""
        a, b, c, d, e, f = self.transform
        return a * columns + b * rows + c, d * columns + e * rows + f


@dataclass(frozen=True, slots=True)
class Edges:
    """Directed edges of many polygons in pixel space, in the order of the polygons.

    The inside lies to the right of every edge as pixel space is drawn on paper with y upwards:
    outer rings clockwise, holes counter-clockwise. ``starts[i]:starts[i + 1]`` are the edges of
    polygon i; ``owner`` repeats its number.
    """

    owner: Array
    x0: Array
    y0: Array
    x1: Array
    y1: Array
    starts: Array

    def of(self, polygon: int) -> Edges:
        """Return the edges of one polygon, as polygon 0."""
        at = slice(self.starts[polygon], self.starts[polygon + 1])
        count = at.stop - at.start
        arrays = (self.x0[at], self.y0[at], self.x1[at], self.y1[at])
        return Edges(np.zeros(count, dtype=np.int64), *arrays, np.array([0, count]))


def edges_of(shapes: Array) -> Edges:
    """Return the edges of valid polygons and multipolygons; what has no area has none."""
    oriented = shapely.orient_polygons(shapes, exterior_cw=True)
    parts, part_owner = shapely.get_parts(oriented, return_index=True)
    rings, ring_part = shapely.get_rings(parts, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    within = np.flatnonzero(ring[1:] == ring[:-1])  # a step to the next ring is no edge
    owner = part_owner[ring_part[ring[within]]].astype(np.int64)
    starts = np.searchsorted(owner, np.arange(len(shapes) + 1))
    (x0, y0), (x1, y1) = xy[within].T, xy[within + 1].T
    return Edges(owner, x0, y0, x1, y1, starts)
