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

from gis.engine.coverage import coverage, row_areas
from gis.engine.grid import Edges, Grid, Window, edges_of
from gis.engine.index import Array
from gis.engine.scanlines import Spans, count_in_spans, spans

# The centre rule errs by the pixels of the border: about 0.1 % of a compact polygon of 5,000
# pixels (50 ha at 10 m), and without limit for a strip that is only a few pixels wide.
EXACT_BELOW_PIXELS = 5_000.0
EXACT_BELOW_WIDTH = 8.0

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
    _spans: Spans = field(init=False)
    _boxes: Array = field(init=False)
    _areas: dict[int, Array] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._spans = spans(self.edges, ~self.exact)
        self._boxes = _boxes(self.edges, len(self.exact))

    def needed(self, window: Window) -> Window | None:
        """Return the part of a window in which polygons may have pixels, or None."""
        boxes = self._boxes[:, self._near(window)]
        if not boxes.size:
            return None
        low, high = boxes[:2].min(axis=1), boxes[2:].max(axis=1)
        return _overlap(np.concatenate([low, high]), window)

    def add(self, window: Window, codes: Array) -> None:
        """Count the codes (integers from 0) of a window; no pixel may be given twice."""
        self._add_spans(self._spans.within(window), window, codes)
        near = self._near(window)
        for polygon in near[self.exact[near]]:
            self._add_exact(int(polygon), window, codes)

    def result(self) -> Tally:
        """Return what was counted so far."""
        total = self._totals()
        seen = sum(self._areas.values(), np.zeros(len(total)))
        areas = dict(sorted(self._areas.items()))
        return Tally(areas, total, np.maximum(total - seen, 0.0), self.exact)

    def _near(self, window: Window) -> Array:
        west, north, east, south = self._boxes
        across = (west < window.col + window.cols) & (east > window.col)
        return np.flatnonzero(across & (north < window.row + window.rows) & (south > window.row))

    def _add_spans(self, found: Spans, window: Window, codes: Array) -> None:
        if not len(found.owner):
            return
        first, last = int(found.row[0]), int(found.row[-1]) + 1
        part = codes[first:last]
        found = Spans(found.owner, found.row - first, found.start, found.stop)
        weight = self._weight(found.row + first + window.row)
        for code, counts in count_in_spans(found, part):
            self._book(code, np.bincount(found.owner, counts * weight, len(self.exact)))

    def _add_exact(self, polygon: int, window: Window, codes: Array) -> None:
        cut = _overlap(self._boxes[:, polygon], window)
        parts = coverage(self.edges.of(polygon), cut)
        parts *= self._weight(np.arange(cut.row, cut.row + cut.rows))[:, None]
        row, col = cut.row - window.row, cut.col - window.col
        own = codes[row : row + cut.rows, col : col + cut.cols]
        sums = np.bincount(own.ravel(), parts.ravel())
        for code in np.flatnonzero(sums):
            self._areas_of(int(code))[polygon] += sums[code]

    def _weight(self, rows: Array) -> Array:
        return np.ones(len(rows)) if self.weights is None else self.weights(rows)

    def _areas_of(self, code: int) -> Array:
        return self._areas.setdefault(code, np.zeros(len(self.exact)))

    def _book(self, code: int, amounts: Array) -> None:
        if amounts.any():
            self._areas_of(code)[:] += amounts

    def _totals(self) -> Array:
        """Return the size of whole polygons: exact ones by area, the others by their centres."""
        owner, row, area = row_areas(self.edges)
        exact = np.bincount(owner, area * self._weight(row), len(self.exact))
        centre = self._spans.length * self._weight(self._spans.row)
        counted = np.bincount(self._spans.owner, centre, len(self.exact))
        return np.where(self.exact, exact, counted)


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
