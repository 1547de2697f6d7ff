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
    """Return the edges of valid polygons and multipolygons; an empty one has none."""
    xy, rings, parts, owners = _ragged(shapes)
    ends = np.delete(np.arange(1, len(xy) + 1), rings[1:] - 1)  # a step to the next ring is no edge
    x0, y0 = np.ascontiguousarray(xy[ends - 1].T)
    x1, y1 = np.ascontiguousarray(xy[ends].T)
    counts = np.maximum(np.diff(rings) - 1, 0)
    turned = np.repeat(_to_turn(xy, rings, parts), counts)
    for a, b in ((x0, x1), (y0, y1)):
        a[turned], b[turned] = b[turned], a[turned]
    # Rings before each polygon, then edges before each ring.
    starts = np.concatenate([[0], np.cumsum(counts)])[parts[owners]]
    owner = np.repeat(np.arange(len(shapes)), np.diff(starts))
    return Edges(owner, x0, y0, x1, y1, starts)


def _ragged(shapes: Array) -> tuple[Array, Array, Array, Array]:
    """Return coordinates and where rings, parts and polygons begin in what stands before them."""
    if not len(shapes):
        return np.zeros((0, 2)), np.zeros(1, int), np.zeros(1, int), np.zeros(1, int)
    # No object is made for a ring, so a million polygons need no more than their coordinates.
    _, xy, offsets = shapely.to_ragged_array(shapes, include_z=False)
    rings, parts = (np.asarray(o, dtype=np.int64) for o in offsets[:2])
    owners = np.asarray(offsets[2]) if len(offsets) > 2 else np.arange(len(shapes) + 1)
    return xy, rings, parts, owners


def _to_turn(xy: Array, rings: Array, parts: Array) -> Array:
    """Return which rings run the wrong way: outer ones anticlockwise, holes clockwise."""
    count = len(rings) - 1
    outer = np.zeros(count, dtype=bool)
    outer[parts[:-1][np.diff(parts) > 0]] = True
    # Relative to the first corner of each ring, or large coordinates would swallow a small ring.
    sizes = np.diff(rings)
    x, y = (xy - np.repeat(xy[rings[:-1]], sizes, axis=0)).T if len(xy) else (xy[:, 0], xy[:, 1])
    cross = np.zeros(len(xy) + 1)
    cross[1:-1] = x[:-1] * y[1:] - x[1:] * y[:-1]
    # The step from one ring to the next begins at its last corner, which is its first: nothing.
    twice = np.add.reduceat(cross[1:], rings[:-1]) if count else np.zeros(0)
    return np.asarray((twice > 0) == outer)
