"""How much of each class of pixels lies in each polygon?

Large polygons take the pixels whose centre they hold; small and thin ones take the exact part of
every pixel, because a parcel of half a hectare has only fifty pixels of 10 m. A polygon that
reaches beyond the raster keeps that part: it is in ``total`` and in no class. Codes come window by
window, so the whole raster is never in memory. Nothing here reads a file or knows what a class
means.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import shapely

from gis.engine.grid import Edges, Grid, Window, edges_of
from gis.engine.index import Array

# The centre rule errs by the pixels of the border: about 0.1 % of a compact polygon of 5,000
# pixels (50 ha at 10 m), and without limit for a strip that is only a few pixels wide.
EXACT_BELOW_PIXELS = 5_000.0
EXACT_BELOW_WIDTH = 8.0
# Pixels whose marks are held at once: a few megabytes for ten thousand parcels.
STRIP_PIXELS = 2_000_000
# Up to so many codes the running sums need no list of those that occur.
_FEW_CODES = 32

RowWeights = Callable[[Array], Array]


@dataclass(frozen=True, slots=True)
class Tally:
    """What lies in each polygon, in pixels (times the weight of their row).

    ``areas`` has one array per code that occurs, one number per polygon. ``total`` is the whole
    polygon, also beyond the raster, and ``outside`` the part beyond it; ``exact`` says which rule
    was used.
    """

    areas: Mapping[int, Array]
    total: Array
    outside: Array
    exact: Array


def exact_rule(shapes: Array) -> Array:
    """Return which polygons in pixel space are measured by exact coverage of pixels.

    Those under 5,000 pixels, and those whose mean width (2 · area / perimeter) is under 8 pixels.
    """
    area, around = shapely.area(shapes), shapely.length(shapes)
    return np.asarray((area < EXACT_BELOW_PIXELS) | (2 * area < EXACT_BELOW_WIDTH * around))


@dataclass(slots=True, eq=False)
class Counter:
    """Counts codes in polygons, one window of pixels after the other.

    Parameters
    ----------
    grid
        Size of the raster.
    edges
        Edges of the polygons in pixel space.
    exact
        Boolean array: which polygons are measured by exact coverage.
    weights
        Weight of the pixels of a row, given row numbers that may lie beyond the raster; None when
        all pixels weigh the same.
    """

    grid: Grid
    edges: Edges
    exact: Array
    weights: RowWeights | None = None
    _boxes: Array = field(init=False)
    _areas: Array = field(init=False)

    def __post_init__(self) -> None:
        self._boxes = _boxes(self.edges, len(self.exact))
        self._areas = np.zeros((len(self.exact), 0))

    def needed(self, window: Window) -> Window | None:
        """Return the part of a window in which polygons may have pixels, or None."""
        boxes = self._boxes[:, self._near(window)]
        if not boxes.size:
            return None
        low, high = boxes[:2].min(axis=1), boxes[2:].max(axis=1)
        return _overlap(np.concatenate([low, high]), window)

    def add(self, window: Window, codes: Array) -> None:
        """Count the codes (integers from 0) of a window; no pixel may be given twice."""
        rows = max(STRIP_PIXELS // max(window.cols, 1), 1)
        for start in range(0, window.rows, rows):
            part = codes[start : start + rows]
            self._add(Window(window.row + start, window.col, len(part), window.cols), part)

    def result(self) -> Tally:
        """Return what was counted so far."""
        total = sizes(self.edges, self.exact, self.weights)
        seen = self._areas.sum(axis=1)
        areas = {int(c): self._areas[:, c].copy() for c in np.flatnonzero(self._areas.any(axis=0))}
        return Tally(areas, total, np.maximum(total - seen, 0.0), self.exact)

    def _near(self, window: Window) -> Array:
        west, north, east, south = self._boxes
        across = (west < window.col + window.cols) & (east > window.col)
        return np.flatnonzero(across & (north < window.row + window.rows) & (south > window.row))

    def _add(self, window: Window, codes: Array) -> None:
        near = self._near(window)
        if not near.size or not codes.size:
            return
        found, dense, low = _dense(codes)
        lacking = int(found[-1]) + 1 - self._areas.shape[1]
        if lacking > 0:
            self._areas = np.pad(self._areas, ((0, 0), (0, lacking)))
        self._count(near, window, found, dense, low)

    def _count(self, near: Array, window: Window, found: Array, codes: Array, low: int) -> None:
        # The compiler is heavy to import, and most of what opens a plan counts no pixels.
        from gis.engine import marks, running

        e, place = self.edges, (window.row, window.col, window.rows, window.cols)
        ends = e.x0, e.y0, e.x1, e.y1
        most = marks.rooms(near, e.starts, ends, place)
        row, owner, col = (np.empty(most, dtype=np.int32) for _ in range(3))
        run, own = np.empty(most), np.empty(most)
        n = marks.marks(near, self.exact, e.starts, ends, place, row, owner, col, run, own)
        sorted_marks = marks.by_row(window.rows, n, row, owner, col, run, own)
        weights = _weights(self.weights, window.row, window.rows)
        wide = (self._boxes[2, near] - self._boxes[0, near]).max()
        bits = int(min(wide, window.cols)).bit_length()
        areas, exact = self._areas, self.exact
        running.count(codes, weights, found, low, bits, exact, *sorted_marks, areas)


def counter(
    grid: Grid, shapes: Array, *, exact: bool | None = None, weights: RowWeights | None = None
) -> Counter:
    """Return a counter for polygons in pixel space.

    Parameters
    ----------
    grid
        Size of the raster.
    shapes
        Valid polygons and multipolygons in pixel space.
    exact
        True or False for one rule for all; by default ``exact_rule`` chooses.
    weights
        See ``Counter``.
    """
    chosen = exact_rule(shapes) if exact is None else np.full(len(shapes), exact)
    return Counter(grid, edges_of(shapes), chosen, weights)


def tally(
    codes: Array, shapes: Array, *, exact: bool | None = None, weights: RowWeights | None = None
) -> Tally:
    """Return what lies in each polygon for a raster that is wholly in memory.

    Parameters
    ----------
    codes
        Array (rows, cols) of integers from 0.
    shapes
        Valid polygons and multipolygons in pixel space.
    exact, weights
        See ``counter``.

    Examples
    --------
    >>> half = shapely.box(0.5, 0.5, 2, 2)
    >>> tally(np.array([[0, 1], [1, 1]]), np.array([half]), exact=True).areas[1]
    array([2.])
    """
    grid = Grid(codes.shape[0], codes.shape[1], (1.0, 0.0, 0.0, 0.0, 1.0, 0.0))
    counting = counter(grid, shapes, exact=exact, weights=weights)
    if codes.size:
        counting.add(grid.whole, codes)
    return counting.result()


def sizes(edges: Edges, exact: Array, weights: RowWeights | None = None) -> Array:
    """Return the size of whole polygons in pixels times the weight of their row.

    Exact ones by their area, the others by the pixel centres in them, also beyond the raster.
    """
    from gis.engine import marks

    out = np.zeros(len(exact))
    if len(edges.y0):
        ends = (edges.x0, edges.y0, edges.x1, edges.y1)
        first, last = int(np.floor(edges.y0.min())), int(np.ceil(edges.y0.max()))
        of_rows = _weights(weights, first, last - first)
        marks.sizes(exact, edges.starts, ends, first, of_rows, out)
    return out


def _weights(weights: RowWeights | None, first: int, count: int) -> Array:
    if weights is None:
        return np.ones(count)
    return np.asarray(weights(np.arange(first, first + count)), dtype=float)


def _dense(codes: Array) -> tuple[Array, Array, int]:
    """Return the codes that may occur, the window in dense codes, and the lowest of these."""
    low, most = int(codes.min()), int(codes.max()) + 1
    if most <= _FEW_CODES:
        return np.arange(low, most), np.ascontiguousarray(codes, dtype=np.uint8), low
    seen = np.zeros(most, dtype=bool)
    seen[codes] = True
    found = np.flatnonzero(seen)
    position = np.zeros(most, dtype=np.int32)
    position[found] = np.arange(len(found))
    return found, position[codes], 0


def _boxes(edges: Edges, count: int) -> Array:
    """Return west, north, east, south of every polygon in pixels; an empty one meets nothing."""
    boxes = np.full((4, count), np.nan)
    has = np.flatnonzero(np.diff(edges.starts))
    if len(has):
        at = edges.starts[has]
        boxes[:, has] = [
            np.floor(np.minimum.reduceat(edges.x0, at)),
            np.floor(np.minimum.reduceat(edges.y0, at)),
            np.ceil(np.maximum.reduceat(edges.x0, at)),
            np.ceil(np.maximum.reduceat(edges.y0, at)),
        ]
    return boxes


def _overlap(box: Array, window: Window) -> Window:
    west, north, east, south = (int(v) for v in box)
    row, col = max(north, window.row), max(west, window.col)
    rows = min(south, window.row + window.rows) - row
    cols = min(east, window.col + window.cols) - col
    return Window(row, col, rows, cols)
