"""Which outlines does the land have that two polygons share? Compiled loops.

Where two boundaries cross, one runs into the other polygon and the other one out of it. So both are
rings that go in and out by turns, and the outlines of the shared land follow from walking along
them: where one enters the other it is followed up to the crossing where it leaves again, then the
other one is followed to where the first comes back in. Every ring runs with the interior of its
polygon to the left, holes too, and so do the outlines.

A ring that crosses nothing bounds the shared land where it lies inside the other polygon. What
encloses less than nothing is a hole, of the smallest outline that it lies in (``ring_loops``).

A walk that went wrong somewhere does not have the area that the kernel finds without any walk; the
two are compared, and what is not sure is left to an overlay.

Boundaries that touch cross nowhere for sure. To tell inside from outside there, the second polygon
may be looked at with its edges moved inwards by a nudge, less than any length that means something:
which crossings there are and how they follow each other is then plain, neighbours share nothing,
and land that hangs together at a point falls apart, as in an overlay. The outlines themselves run
along the polygons as they are; where two edges lie on each other a crossing is somewhere on both.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gis.engine.compiled import compiled
from gis.engine.ring_loops import area_of, ring_of, uncrossed, with_holes, without_points

Array = np.ndarray[Any, Any]
# How sharp a corner may be, as 1 + cos of the turn, that edges moved by the nudge still meet in.
_SPIKE = 0.1


@compiled
def least(
    a_offsets: Array, a_rows: Array, b_offsets: Array, b_rows: Array,
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
        a, b = a_rows[a_offsets[i] : a_offsets[i + 1]], b_rows[b_offsets[j] : b_offsets[j + 1]]
        rows, ends = room_for(a, b, count)
        smallest, total, begin = np.inf, 0.0, 0
        for n in range(traced(a, b, count, count, 0.0, rows, ends)):
            own = area_of(rows, begin, ends[n])
            smallest, total, begin = min(smallest, own), total + own, ends[n]
        if 0.0 < smallest < np.inf and abs(total - area[k]) <= agrees:
            least[k] = smallest


@compiled
def room_for(a: Array, b: Array, most: int) -> tuple[Array, Array]:
    """Return tables for the edges of all outlines, and for where each stops."""
    edges = len(a) + len(b)
    return np.empty((edges + 2 * most, 4)), np.empty(edges + most, dtype=np.int64)


@compiled
def traced(
    a: Array, b: Array, count: int, most: int, nudge: float, rows: Array, ends: Array
) -> int:
    """Write the outlines of what two polygons share; return how many, -1 where it is not sure.

    ``a`` and ``b`` are edges x1, y1, x2, y2, ring after ring, interior to the left; ``count`` is
    how often they are known to cross, -1 where nobody knows, and ``most`` how many crossings are
    followed. ``nudge`` is how far, metres, edges of the second one are moved inwards to see how
    they cross. ``rows`` takes the edges of the outlines, holes after their shell, ``ends`` where
    each stops; both as from ``room_for``.
    """
    at = np.empty((most, 2))  # how far along each polygon a crossing lies: edge plus part of it
    xy = np.empty((most, 2))
    enters = np.empty(most, dtype=np.bool_)
    a_ring, b_ring = ring_of(a), ring_of(b)
    moved = _moved(b, b_ring, nudge)
    found = _crossings(a, b, moved, at, xy, enters)
    if found > most or (count >= 0 and found != count):
        return -1
    next_a, next_b = np.empty(found, dtype=np.int64), np.empty(found, dtype=np.int64)
    if not _follow(at[:found, 0], enters, a_ring, next_a):
        return -1
    if not _follow(at[:found, 1], enters, b_ring, next_b):
        return -1
    may_touch = count < 0 or a_ring[0, 1] < len(a) or b_ring[0, 1] < len(b)
    used = np.zeros(found, dtype=np.bool_)
    n, pieces = 0, 0
    for first in range(found):
        if used[first] or not enters[first]:
            continue
        begin, here = n, first
        while True:
            used[here] = True
            out = next_a[here]
            n = _along(a, a_ring, at[here, 0], at[out, 0], xy[here], xy[out], rows, n)
            back = next_b[out]
            n = _along(b, b_ring, at[out, 1], at[back, 1], xy[out], xy[back], rows, n)
            here = back
            if here == first:
                break
            if used[here]:
                return -1
        if may_touch:
            n = without_points(rows, begin, n)
        if n - begin < 2:
            return -1
        ends[pieces] = n
        pieces += 1
    n, pieces = uncrossed(a, a, a_ring, at[:found, 0], moved, rows, n, ends, pieces)
    n, pieces = uncrossed(b, moved, b_ring, at[:found, 1], a, rows, n, ends, pieces)
    return with_holes(rows, ends, pieces, may_touch)


@compiled
def _crossings(a: Array, b: Array, moved: Array, at: Array, xy: Array, enters: Array) -> int:
    """Find where the edges cross; return how often.

    Whether they do is told by the ``moved`` edges of ``b``, the place is that of the edges as they
    are.
    """
    found = 0
    for i in range(len(a)):
        px, py = a[i, 0], a[i, 1]
        rx, ry = a[i, 2] - px, a[i, 3] - py
        west, east = min(px, a[i, 2]), max(px, a[i, 2])
        south, north = min(py, a[i, 3]), max(py, a[i, 3])
        for j in range(len(b)):
            if max(moved[j, 0], moved[j, 2]) < west or min(moved[j, 0], moved[j, 2]) > east:
                continue
            if max(moved[j, 1], moved[j, 3]) < south or min(moved[j, 1], moved[j, 3]) > north:
                continue
            sx, sy = moved[j, 2] - moved[j, 0], moved[j, 3] - moved[j, 1]
            turn = rx * sy - ry * sx
            if turn == 0.0:
                continue
            qx, qy = moved[j, 0] - px, moved[j, 1] - py
            t = (qx * sy - qy * sx) / turn
            u = (qx * ry - qy * rx) / turn
            if not (0.0 < t < 1.0 and 0.0 < u < 1.0):
                continue
            if found == len(at):
                return found + 1
            part = _part(a[i], b[j], t)
            at[found, 0], at[found, 1] = i + t, j + u
            xy[found, 0], xy[found, 1] = px + part * rx, py + part * ry
            enters[found] = turn < 0.0  # it comes from the right of an edge whose left is inside
            found += 1
    return found


@compiled
def _part(one: Array, other: Array, usual: float) -> float:
    """Return how far along an edge another one crosses it; anywhere where they lie on one line."""
    qx, qy = other[0] - one[0], other[1] - one[1]
    sx, sy = other[2] - other[0], other[3] - other[1]
    turn = (one[2] - one[0]) * sy - (one[3] - one[1]) * sx
    return usual if turn == 0.0 else min(max((qx * sy - qy * sx) / turn, 0.0), 1.0)


@compiled
def _moved(edges: Array, ring: Array, nudge: float) -> Array:
    """Return the edges moved to their left, so that they still meet at their ends."""
    if nudge == 0.0:
        return edges
    moved = np.empty_like(edges)
    for e in range(len(edges)):
        before = e - 1 if e > ring[e, 0] else ring[e, 1] - 1
        x1, y1 = edges[before, 2] - edges[before, 0], edges[before, 3] - edges[before, 1]
        x2, y2 = edges[e, 2] - edges[e, 0], edges[e, 3] - edges[e, 1]
        one, two = np.hypot(x1, y1), np.hypot(x2, y2)
        # Left of both edges by the nudge; around a spike not much farther.
        far = nudge / max(1.0 + (x1 * x2 + y1 * y2) / (one * two), _SPIKE)
        moved[e, 0] = edges[e, 0] - far * (y1 / one + y2 / two)
        moved[e, 1] = edges[e, 1] + far * (x1 / one + x2 / two)
        moved[before, 2], moved[before, 3] = moved[e, 0], moved[e, 1]
    return moved


@compiled
def _follow(at: Array, enters: Array, ring: Array, after: Array) -> bool:
    """Fill in for each crossing the one that follows on its ring.

    False where a ring does not go in and out by turns, or crossings cannot be told apart.
    """
    order = _order(at)
    first = 0
    for k in range(len(order)):
        here = order[k]
        last = k + 1 == len(order) or at[order[k + 1]] >= ring[int(at[here]), 1]
        there = order[first] if last else order[k + 1]
        if enters[here] == enters[there] or at[here] == at[there]:
            return False
        after[here] = there
        if last:
            first = k + 1
    return True


@compiled
def _order(at: Array) -> Array:
    """Return what sorts some numbers; they are few."""
    order = np.arange(len(at))
    for k in range(1, len(at)):
        own, n = order[k], k
        while n > 0 and at[order[n - 1]] > at[own]:
            order[n] = order[n - 1]
            n -= 1
        order[n] = own
    return order


@compiled
def _along(
    edges: Array, ring: Array, begin: float, end: float, start: Array, stop: Array,
    rows: Array, n: int,
) -> int:  # fmt: skip
    """Write the edges of a ring between two places on it; return how many are written by now."""
    edge, last = int(begin), int(end)
    first, after = ring[edge, 0], ring[edge, 1]
    x, y = start[0], start[1]
    # All around where the end lies before the beginning, also on one and the same edge.
    left = (last - edge) % (after - first)
    if left == 0 and end < begin:
        left = after - first
    for _ in range(left):
        rows[n, 0], rows[n, 1], rows[n, 2], rows[n, 3] = x, y, edges[edge, 2], edges[edge, 3]
        x, y = edges[edge, 2], edges[edge, 3]
        n += 1
        edge = edge + 1 if edge + 1 < after else first
    rows[n, 0], rows[n, 1], rows[n, 2], rows[n, 3] = x, y, stop[0], stop[1]
    return n + 1
