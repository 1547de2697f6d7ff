"""The compiled loops that tell for how many metres lines run inside a polygon.

A segment is cut where it meets an edge, and every piece is inside or outside as its middle is. No
geometry is built, and where the answer hangs on rounding there is none: a piece that runs along an
edge, or so short that it may only touch, is left to an overlay.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gis.engine.compiled import compiled

Array = np.ndarray[Any, Any]
# Metres: cuts so near to each other are one; shorter lengths may be a touch, or two lines on one.
_POINT, _SHORT = 1e-9, 1e-3
# How far beyond its ends, as a part of itself, an edge still cuts: no corner may be missed.
_CORNER = 1e-9
# Segments on a site that are compared with each other; there are seldom more than a dozen.
_MOST = 256


@compiled
def inside(
    rows: Array, box: Array,
    ends: Array, feature: Array, starts: Array, items: Array, columns: int, lines: int,
    west: float, south: float, cell: float, touch: float,
    found: Array, metres: Array,
) -> int:  # fmt: skip
    """Write the features that run inside a polygon, and for how many metres; return how many.

    ``rows`` are the edges of the polygon and ``box`` is around them; the grid of segments is as in
    ``nearest_loops``. -1 where a line is so near to an edge (``touch``, metres) or to itself that
    an overlay must tell.
    """
    own = np.empty(_MOST, dtype=np.int64)
    cuts = np.empty(len(rows) + 2)
    c0, c1 = max(int((box[0] - west) // cell), 0), int((box[2] - west) // cell)
    r0, r1 = max(int((box[1] - south) // cell), 0), int((box[3] - south) // cell)
    count, used = 0, 0
    for r in range(r0, min(r1, lines - 1) + 1):
        for c in range(c0, min(c1, columns - 1) + 1):
            for k in range(starts[r * columns + c], starts[r * columns + c + 1]):
                s = items[k]
                # A segment stands in many cells and counts in the first one of those looked at.
                column = max(int((min(ends[s, 0], ends[s, 2]) - west) // cell), c0)
                line = max(int((min(ends[s, 1], ends[s, 3]) - south) // cell), r0)
                if c != column or r != line or _is_beside(box, ends[s]):
                    continue
                length = _length(rows, ends[s], cuts, touch)
                if length == 0.0:
                    continue
                if length < 0.0 or used == _MOST or _is_doubled(ends, feature, own[:used], s):
                    return -1
                own[used] = s
                used += 1
                count = _added(feature[s], length, found, metres, count)
    return -1 if (metres[:count] < _SHORT).any() else count


@compiled
def _added(feature: int, length: float, found: Array, metres: Array, count: int) -> int:
    """Add metres to those of a feature; return how many features there are by now."""
    at = 0
    while at < count and found[at] != feature:
        at += 1
    if at == count:
        found[at], metres[at] = feature, 0.0
        count += 1
    metres[at] += length
    return count


@compiled
def _is_beside(box: Array, s: Array) -> bool:
    """Whether the boxes of a polygon and a segment are apart."""
    if max(s[0], s[2]) < box[0] or min(s[0], s[2]) > box[2]:
        return True
    return bool(max(s[1], s[3]) < box[1] or min(s[1], s[3]) > box[3])


@compiled
def _length(rows: Array, s: Array, cuts: Array, touch: float) -> float:
    """Return for how many metres a segment runs inside a polygon, -1 where that is not sure."""
    x, y = s[0], s[1]
    rx, ry = s[2] - x, s[3] - y
    length = np.hypot(rx, ry)
    if length <= _POINT:
        return 0.0
    count = _cut(rows, x, y, rx, ry, cuts)
    total = 0.0
    for k in range(1, count):
        step = cuts[k] - cuts[k - 1]
        if step * length <= _POINT:
            continue
        middle = cuts[k - 1] + step / 2
        place = _place(rows, x + middle * rx, y + middle * ry, touch)
        if place < 0:
            return -1.0
        total += step * length * place
    return total


@compiled
def _cut(rows: Array, x: float, y: float, rx: float, ry: float, cuts: Array) -> int:
    """Write where edges cut a segment, as sorted parts of it with its ends; return how many."""
    cuts[0], cuts[1] = 0.0, 1.0
    count = 2
    for e in range(len(rows)):
        sx, sy = rows[e, 2] - rows[e, 0], rows[e, 3] - rows[e, 1]
        turn = rx * sy - ry * sx
        if turn == 0.0:
            continue
        qx, qy = rows[e, 0] - x, rows[e, 1] - y
        t, u = (qx * sy - qy * sx) / turn, (qx * ry - qy * rx) / turn
        if 0.0 < t < 1.0 and -_CORNER <= u <= 1.0 + _CORNER:
            n = count
            while cuts[n - 1] > t:
                cuts[n] = cuts[n - 1]
                n -= 1
            cuts[n] = t
            count += 1
    return count


@compiled
def _place(rows: Array, x: float, y: float, touch: float) -> int:
    """Return 1 for a place inside a polygon, 0 outside, -1 so near to an edge that it may be on."""
    inside = 0
    for e in range(len(rows)):
        x1, y1, x2, y2 = rows[e, 0] - x, rows[e, 1] - y, rows[e, 2] - x, rows[e, 3] - y
        if _may_touch(x1, y1, x2, y2, touch) and _off(x1, y1, x2, y2) <= touch:
            return -1
        if (y1 > 0.0) != (y2 > 0.0) and x1 > (x2 - x1) * (y1 / (y2 - y1)):
            inside = 1 - inside
    return inside


@compiled
def _may_touch(x1: float, y1: float, x2: float, y2: float, touch: float) -> bool:
    """Whether the box of an edge comes as near to 0, 0 as a touch."""
    beside = min(x1, x2) > touch or max(x1, x2) < -touch
    return not (beside or min(y1, y2) > touch or max(y1, y2) < -touch)


@compiled
def _off(x1: float, y1: float, x2: float, y2: float) -> float:
    """Return the distance of the line through two places from 0, 0."""
    length = np.hypot(x2 - x1, y2 - y1)
    return np.inf if length == 0.0 else abs(x1 * y2 - x2 * y1) / length


@compiled
def _is_doubled(ends: Array, feature: Array, own: Array, s: int) -> bool:
    """Whether a segment runs along another one of its feature: an overlay counts that once."""
    dx, dy = ends[s, 2] - ends[s, 0], ends[s, 3] - ends[s, 1]
    length = np.hypot(dx, dy)
    for o in own:
        if feature[o] != feature[s]:
            continue
        x1, y1, x2, y2 = (
            ends[o, 0] - ends[s, 0], ends[o, 1] - ends[s, 1],
            ends[o, 2] - ends[s, 0], ends[o, 3] - ends[s, 1],
        )  # fmt: skip
        if max(abs(dx * y1 - dy * x1), abs(dx * y2 - dy * x2)) > _SHORT * length:
            continue
        one, two = (dx * x1 + dy * y1) / length, (dx * x2 + dy * y2) / length
        if min(max(one, two), length) - max(min(one, two), 0.0) > _SHORT:
            return True
    return False
