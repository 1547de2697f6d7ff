"""What do the edges of polygons leave on the rows of a raster? Marks, for two rules.

A mark stands in a row at a column: ``run`` counts every pixel left of the column, ``own`` the pixel
in it. Added up over the marks of one polygon in one row, they count each pixel once for the part of
it that the polygon takes.

*Pixel centres*: a scan line runs through the centres of each row; an edge going down crosses it at
some column and takes away all that lies left of it, an edge going up adds it (holes and parts come
out right by the direction of their rings). A centre on an edge that neighbours share belongs to the
polygon on its right in the order of columns, as GDAL decides, too.

*Exact coverage*: every edge is cut where it crosses the lines of the grid. A piece inside column c
that descends by dy at the mean column x covers dy · (c + 1 - x) of its own pixel and dy of all
later ones (Green's theorem, row by row). Pieces that share a cut use the same number for it, so
nothing leaks between pixels; no pixel is sampled and no polygon is built.

Pixel space is that of ``grid``; coordinates here count from the corner of a window. What lies left
of the window stands at its first column, what lies right of it behind the last, and what lies above
or below is left out.
"""

from __future__ import annotations

from math import ceil, floor
from typing import Any

import numpy as np

from gis.engine.compiled import compiled

Array = np.ndarray[Any, Any]


@compiled
def rooms(
    polygons: Array, starts: Array, ends: tuple[Array, Array, Array, Array],
    window: tuple[int, int, int, int],
) -> int:  # fmt: skip
    """Return how many marks polygons can leave in a window at most."""
    x0, y0, x1, y1 = ends
    north, west, rows, cols = window
    most = 0
    for polygon in polygons:
        for e in range(starts[polygon], starts[polygon + 1]):
            low, high = min(y0[e], y1[e]) - north, max(y0[e], y1[e]) - north
            if high <= 0.0 or low >= rows:
                continue
            # In a row an edge is one piece, or two where rounding takes it over a line of the grid.
            most += 2 * (ceil(min(high, rows)) - floor(max(low, 0.0)))
            left = max(min(x0[e], x1[e]) - west, 0.0)
            right = min(max(x0[e], x1[e]) - west, cols)
            if right > left:
                most += ceil(right) - floor(left) + 2
    return most


@compiled
def marks(
    polygons: Array, exact: Array, starts: Array, ends: tuple[Array, Array, Array, Array],
    window: tuple[int, int, int, int],
    row: Array, owner: Array, col: Array, run: Array, own: Array,
) -> int:  # fmt: skip
    """Fill the marks of polygons in a window, polygon after polygon; return how many."""
    x0, y0, x1, y1 = ends
    north, west, rows, cols = window
    n = 0
    for polygon in polygons:
        begun = n
        for e in range(starts[polygon], starts[polygon + 1]):
            if max(y0[e], y1[e]) <= north or min(y0[e], y1[e]) >= north + rows:
                continue
            edge = (x0[e] - west, y0[e] - north, x1[e] - west, y1[e] - north)
            if exact[polygon]:
                n = _pieces(edge, (rows, cols), row, col, run, own, n)
            else:
                n = _crossings(edge, (rows, cols), row, col, run, own, n)
        owner[begun:n] = polygon
    return n


@compiled
def _downwards(
    edge: tuple[float, float, float, float],
) -> tuple[float, float, float, float, float]:
    """Return an edge from its upper end to its lower one, and 1 if it was so, else -1.

    Neighbours have the edge that they share in opposite directions; cut like this both get the
    same number, to the last digit.
    """
    x0, y0, x1, y1 = edge
    if y0 > y1:
        return x1, y1, x0, y0, -1.0
    return x0, y0, x1, y1, 1.0


@compiled
def _crossings(
    edge: tuple[float, float, float, float], shape: tuple[int, int],
    row: Array, col: Array, run: Array, own: Array, n: int,
) -> int:  # fmt: skip
    """Mark where an edge crosses scan lines; half-open, so that a vertex counts for one edge."""
    x0, y0, x1, y1, way = _downwards(edge)
    first, last = max(ceil(y0 - 0.5), 0), min(ceil(y1 - 0.5), shape[0])
    for r in range(first, last):
        x = x0 + (r + 0.5 - y0) * (x1 - x0) / (y1 - y0)
        row[n], run[n], own[n] = r, -way, 0.0
        col[n] = int(min(max(floor(x + 0.5), 0.0), shape[1]))
        n += 1
    return n


@compiled
def _pieces(
    edge: tuple[float, float, float, float], shape: tuple[int, int],
    row: Array, col: Array, run: Array, own: Array, n: int,
) -> int:  # fmt: skip
    """Mark the pieces of an edge, from its upper end to its lower one."""
    x0, y0, x1, y1, way = _downwards(edge)
    if y0 == y1:
        return n
    first, last = max(floor(y0), 0), min(ceil(y1), shape[0])
    for r in range(first, last):
        top, bottom = max(y0, float(r)), min(y1, r + 1.0)
        xa = x0 if top == y0 else x0 + (r - y0) * (x1 - x0) / (y1 - y0)
        xb = x1 if bottom == y1 else x0 + (r + 1 - y0) * (x1 - x0) / (y1 - y0)
        begun = n
        if xa <= xb:
            n = _across(xa, top, xb, bottom, way, shape[1], col, run, own, n)
        else:
            n = _across(xb, bottom, xa, top, -way, shape[1], col, run, own, n)
        row[begun:n] = r
    return n


@compiled
def _across(
    xa: float, ya: float, xb: float, yb: float, way: float, cols: int,
    col: Array, run: Array, own: Array, n: int,
) -> int:  # fmt: skip
    """Mark a piece within one row, from left to right, column by column."""
    x, y = xa, ya
    while True:
        c = min(max(floor(x), -1.0), float(cols))
        cut = c + 1.0
        ends_here = c == cols or cut >= xb
        x_next = xb if ends_here else cut
        y_next = yb if ends_here else ya + (cut - xa) * (yb - ya) / (xb - xa)
        dy = way * (y_next - y)
        col[n], run[n], own[n] = int(max(c, 0.0)), -dy, 0.0
        if 0.0 <= c < cols:
            own[n] = dy * (c - (x + x_next) / 2)  # dy · (c + 1 - x) without the dy in ``run``
        n += 1
        if ends_here:
            return n
        x, y = x_next, y_next


@compiled
def by_row(
    rows: int, n: int, row: Array, owner: Array, col: Array, run: Array, own: Array
) -> tuple[Array, Array, Array, Array, Array]:
    """Return where each row begins, and owner, column, run and own of n marks, row by row."""
    begins = np.zeros(rows + 1, dtype=np.int64)
    for i in range(n):
        begins[row[i] + 1] += 1
    for r in range(rows):
        begins[r + 1] += begins[r]
    place = begins[:-1].copy()
    owners, cols = np.empty(n, dtype=np.int32), np.empty(n, dtype=np.int32)
    runs, owns = np.empty(n), np.empty(n)
    for i in range(n):
        at = place[row[i]]
        place[row[i]] += 1
        owners[at], cols[at], runs[at], owns[at] = owner[i], col[i], run[i], own[i]
    return begins, owners, cols, runs, owns


@compiled
def sizes(
    exact: Array, starts: Array, ends: tuple[Array, Array, Array, Array],
    first_row: int, weights: Array,
    out: Array,
) -> None:  # fmt: skip
    """Add the size of whole polygons, however far they reach: ``weights`` from ``first_row`` on."""
    x0, y0, x1, y1 = ends
    for polygon in range(len(exact)):
        base = floor(x0[starts[polygon]]) if starts[polygon] < starts[polygon + 1] else 0
        for e in range(starts[polygon], starts[polygon + 1]):
            edge = (x0[e] - base, y0[e], x1[e] - base, y1[e])
            if exact[polygon]:
                out[polygon] -= _area_beside(edge, first_row, weights)
            else:
                out[polygon] -= _centres_beside(edge, first_row, weights)


@compiled
def _area_beside(edge: tuple[float, float, float, float], first_row: int, weights: Array) -> float:
    """Return the weighted area left of an edge, negative when it goes up."""
    x0, y0, x1, y1, way = _downwards(edge)
    total = 0.0
    for r in range(floor(y0), ceil(y1) if y1 > y0 else floor(y0)):
        top, bottom = max(y0, float(r)), min(y1, r + 1.0)
        middle = x0 + ((top + bottom) / 2 - y0) * (x1 - x0) / (y1 - y0)
        total += (bottom - top) * middle * weights[r - first_row]
    return way * total


@compiled
def _centres_beside(
    edge: tuple[float, float, float, float], first_row: int, weights: Array
) -> float:
    """Return the weighted number of pixel centres left of an edge, negative when it goes up."""
    x0, y0, x1, y1, way = _downwards(edge)
    total = 0.0
    for r in range(ceil(y0 - 0.5), ceil(y1 - 0.5)):
        x = x0 + (r + 0.5 - y0) * (x1 - x0) / (y1 - y0)
        total += floor(x + 0.5) * weights[r - first_row]
    return way * total
