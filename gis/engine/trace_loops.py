"""How large is the smallest piece of the land that two polygons share? Compiled loops.

The area kernel counts how often two boundaries cross, and knows when they do so for sure: no vertex
lies on the other boundary, or so near that rounding decides. Then every crossing is a plain one and
the outlines of the shared land follow from walking along both rings. Two polygons without holes
share pieces without holes, as what lies outside of either is connected; so each outline is a piece.
Whatever is not sure is left to an overlay: holes, touching boundaries, areas that do not add up.

Both rings run with their interior to the left. Where one enters the other it is followed up to the
crossing where it leaves again, then the other one is followed to where the first comes back in: the
walk closes around one piece of the shared land. Every piece begins at a crossing of its own.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gis.engine.compiled import compiled

Array = np.ndarray[Any, Any]


@compiled
def least(
    a_offsets: Array, a_rows: Array, a_rings: Array,
    b_offsets: Array, b_rows: Array, b_rings: Array,
    ia: Array, ib: Array, crossings: Array, area: Array, agrees: float,
    least: Array,
) -> None:  # fmt: skip
    """Fill in the area of the smallest piece that each pair shares, 0 where it is not sure.

    ``crossings`` and ``area`` are those that the area kernel found; outlines that differ from the
    area by more than ``agrees`` are none.
    """
    for k in range(len(ia)):
        i, j, count = ia[k], ib[k], crossings[k]
        if count <= 2:
            least[k] = area[k] if count >= 0 else 0.0
            continue
        least[k] = 0.0
        if a_rings[i] != 1 or b_rings[j] != 1:
            continue
        a, b = a_rows[a_offsets[i] : a_offsets[i + 1]], b_rows[b_offsets[j] : b_offsets[j + 1]]
        rows = np.empty((len(a) + len(b) + 2 * count, 4))
        ends = np.zeros(count, dtype=np.int64)
        smallest, total, begin = np.inf, 0.0, 0
        for n in range(traced(a, b, count, rows, ends)):
            own = _area(rows, begin, ends[n])
            smallest, total, begin = min(smallest, own), total + own, ends[n]
        if smallest > 0.0 and abs(total - area[k]) <= agrees:
            least[k] = smallest


@compiled
def _area(rows: Array, begin: int, end: int) -> float:
    """Return the area of one outline."""
    x0, y0 = rows[begin, 0], rows[begin, 1]
    twice = 0.0
    for r in range(begin, end):
        x, y = rows[r, 0] - x0, rows[r, 1] - y0
        twice += x * (rows[r, 3] - y0) - (rows[r, 2] - x0) * y
    return twice / 2


@compiled
def traced(a: Array, b: Array, count: int, rows: Array, ends: Array) -> int:
    """Write the outlines of what two rings enclose; return how many, -1 where it is not sure.

    ``a`` and ``b`` are edges x1, y1, x2, y2 in order, interior to the left, ``count`` how often
    they are known to cross; ``rows`` takes the edges of the outlines, ``ends`` where each stops.
    """
    at = np.empty((count, 2))  # how far along each ring a crossing lies: edge plus part of it
    xy = np.empty((count, 2))
    enters = np.empty(count, dtype=np.bool_)
    if _crossings(a, b, at, xy, enters) != count:
        return -1
    along_a, along_b = np.argsort(at[:, 0]), np.argsort(at[:, 1])
    if not (_turns(along_a, enters, at[:, 0]) and _turns(along_b, enters, at[:, 1])):
        return -1
    next_a, next_b = _next(along_a), _next(along_b)
    used = np.zeros(count, dtype=np.bool_)
    n, pieces = 0, 0
    for first in range(count):
        if used[first] or not enters[first]:
            continue
        begin, here = n, first
        while True:
            used[here] = True
            out = next_a[here]
            n = _along(a, at[here, 0], at[out, 0], xy[here], xy[out], rows, n)
            back = next_b[out]
            n = _along(b, at[out, 1], at[back, 1], xy[out], xy[back], rows, n)
            here = back
            if here == first:
                break
            if used[here]:
                return -1
        if n - begin < 2:
            return -1
        ends[pieces] = n
        pieces += 1
    return pieces


@compiled
def _crossings(a: Array, b: Array, at: Array, xy: Array, enters: Array) -> int:
    """Find where the edges cross, coordinates relative to the first vertex; return how often."""
    x0, y0 = a[0, 0], a[0, 1]
    found = 0
    for i in range(len(a)):
        px, py = a[i, 0] - x0, a[i, 1] - y0
        rx, ry = a[i, 2] - a[i, 0], a[i, 3] - a[i, 1]
        west, east = min(a[i, 0], a[i, 2]), max(a[i, 0], a[i, 2])
        south, north = min(a[i, 1], a[i, 3]), max(a[i, 1], a[i, 3])
        for j in range(len(b)):
            if max(b[j, 0], b[j, 2]) < west or min(b[j, 0], b[j, 2]) > east:
                continue
            if max(b[j, 1], b[j, 3]) < south or min(b[j, 1], b[j, 3]) > north:
                continue
            sx, sy = b[j, 2] - b[j, 0], b[j, 3] - b[j, 1]
            turn = rx * sy - ry * sx
            if turn == 0.0:
                continue
            qx, qy = b[j, 0] - x0 - px, b[j, 1] - y0 - py
            t = (qx * sy - qy * sx) / turn
            u = (qx * ry - qy * rx) / turn
            if not (0.0 < t < 1.0 and 0.0 < u < 1.0):
                continue
            if found == len(at):
                return found + 1
            at[found, 0], at[found, 1] = i + t, j + u
            xy[found, 0], xy[found, 1] = x0 + px + t * rx, y0 + py + t * ry
            enters[found] = turn < 0.0  # it comes from the right of an edge whose left is inside
            found += 1
    return found


@compiled
def _turns(order: Array, enters: Array, at: Array) -> bool:
    """Whether a ring goes in and out by turns, at places that can be told apart."""
    for k in range(len(order)):
        here, after = order[k], order[(k + 1) % len(order)]
        if enters[here] == enters[after] or at[here] == at[after]:
            return False
    return True


@compiled
def _next(order: Array) -> Array:
    """Return for each crossing the one that follows along a ring."""
    after = np.empty(len(order), dtype=np.int64)
    for k in range(len(order)):
        after[order[k]] = order[(k + 1) % len(order)]
    return after


@compiled
def _along(
    ring: Array, begin: float, end: float, start: Array, stop: Array, rows: Array, n: int
) -> int:
    """Write the edges of a ring between two places on it; return how many are written by now."""
    edge, last = int(begin), int(end)
    x, y = start[0], start[1]
    # All around where the end lies before the beginning, also on one and the same edge.
    left = (last - edge) % len(ring)
    if left == 0 and end < begin:
        left = len(ring)
    for _ in range(left):
        rows[n, 0], rows[n, 1], rows[n, 2], rows[n, 3] = x, y, ring[edge, 2], ring[edge, 3]
        x, y = ring[edge, 2], ring[edge, 3]
        n += 1
        edge = (edge + 1) % len(ring)
    rows[n, 0], rows[n, 1], rows[n, 2], rows[n, 3] = x, y, stop[0], stop[1]
    return n + 1
