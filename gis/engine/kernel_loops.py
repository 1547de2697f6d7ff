"""The compiled loops of the area kernel; see ``kernel`` for what they compute and why.

Compiled once per machine and kept on disk; loaded when the first area is asked for, because the
compiler itself takes half a second to import.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from gis.engine.compiled import compiled

Array = np.ndarray[Any, Any]


@compiled
def shared(
    a_offsets: Array, a_rows: Array, a_boxes: Array,
    b_offsets: Array, b_rows: Array, b_boxes: Array,
    ia: Array, ib: Array,
    area: Array, x: Array, y: Array, crossings: Array,
    touch: float,
) -> None:  # fmt: skip
    """Fill area, centroid and crossings of each pair."""
    a, a_walls = _scratch(a_offsets, ia)
    b, b_walls = _scratch(b_offsets, ib)
    over = np.empty(len(b), dtype=np.int64)
    box = np.empty(4)
    for k in range(len(ia)):
        i, j = ia[k], ib[k]
        for side in range(2):
            box[side] = max(a_boxes[i, side], b_boxes[j, side])
            box[side + 2] = min(a_boxes[i, side + 2], b_boxes[j, side + 2])
        x[k] = y[k] = np.nan
        if not (box[2] > box[0] and box[3] > box[1]):
            continue
        crossings[k], sums = _overlap(
            a_rows, a_offsets[i], a_offsets[i + 1], a, a_walls,
            b_rows, b_offsets[j], b_offsets[j + 1], b, b_walls, box, touch, over,
        )  # fmt: skip
        area[k] = max(sums[0], 0.0)
        if sums[0] > 0.0:
            x[k] = box[0] + sums[1] / sums[0]
            y[k] = box[1] + sums[2] / sums[0]


_Sums: TypeAlias = tuple[float, float, float]
_NOTHING = (0.0, 0.0, 0.0)


@compiled
def _overlap(
    a_rows: Array, a_begin: int, a_end: int, a: Array, a_walls: Array,
    b_rows: Array, b_begin: int, b_end: int, b: Array, b_walls: Array,
    box: Array, touch: float, over: Array,
) -> tuple[int, _Sums]:  # fmt: skip
    """Return how often the boundaries of one pair cross, -1 if unsure, and area and moments.

    Where one boundary stays clear of the box that both share, its polygon holds all of the other
    one or nothing of it, and no edge is paired with another.
    """
    n, n_walls, meets = _within(a_rows, a_begin, a_end, box, touch, a, a_walls)
    if not meets:
        return 0, _whole(b_rows, b_begin, b_end, box) if _holds(a, n, box) else _NOTHING
    m, m_walls, meets = _within(b_rows, b_begin, b_end, box, touch, b, b_walls)
    if not meets:
        return 0, _whole(a_rows, a_begin, a_end, box) if _holds(b, m, box) else _NOTHING
    found, sure, sums = _summed(a, n, b, m, touch, over)
    walls, sure_too = _through_walls(a, n, a_walls, n_walls, b, m, b_walls, m_walls, touch)
    return found + walls if sure and sure_too else -1, sums


@compiled
def _scratch(offsets: Array, at: Array) -> tuple[Array, Array]:
    """Return room for the edges of the largest polygon of a list: slanted ones, vertical ones."""
    most = 1
    for i in at:
        most = max(most, offsets[i + 1] - offsets[i])
    return np.empty((most, 8)), np.empty((most, 3))


@compiled
def _within(
    rows: Array, begin: int, end: int, box: Array, touch: float, slanted: Array, walls: Array
) -> tuple[int, int, bool]:
    """Keep the edges that lie in or above the box, relative to its corner and cut to its width.

    A slanted one is x1 < x2, y1, y2, slope, sign, and its uncut x range; a vertical one bears no
    area: x, y1 < y2. One that only touches the box is kept with no width: what lies along the side
    of the box may be the boundary that it touches. Return how many, and whether any of them comes
    so near to the box that it may touch it.
    """
    n, n_walls, meets = 0, 0, False
    width, height = box[2] - box[0], box[3] - box[1]
    for r in range(begin, end):
        x1, y1 = rows[r, 0] - box[0], rows[r, 1] - box[1]
        x2, y2 = rows[r, 2] - box[0], rows[r, 3] - box[1]
        if max(y1, y2) < -touch:
            continue
        if x1 == x2:
            if -touch <= x1 <= width + touch:
                low, high = min(y1, y2), max(y1, y2)
                walls[n_walls, 0], walls[n_walls, 1], walls[n_walls, 2] = x1, low, high
                n_walls += 1
                meets = meets or low <= height + touch
            continue
        sign = -1.0
        if x1 > x2:
            x1, y1, x2, y2, sign = x2, y2, x1, y1, 1.0
        if x2 < -touch or x1 > width + touch:
            continue
        slope = (y2 - y1) / (x2 - x1)
        slanted[n, 6], slanted[n, 7] = x1, x2
        if x1 < 0.0:
            x1, y1 = 0.0, y1 - slope * x1
        if x2 > width:
            x2, y2 = width, y2 - slope * (x2 - width)
        slanted[n, 0], slanted[n, 1], slanted[n, 2] = x1, x2, y1
        slanted[n, 3], slanted[n, 4], slanted[n, 5] = y2, slope, sign
        near = touch * (1.0 + abs(slope))
        clear = max(y1, y2) < -near or min(y1, y2) > height + near
        meets = meets or x2 <= x1 or not clear
        n += 1
    return n, n_walls, meets


@compiled
def _holds(edges: Array, n: int, box: Array) -> bool:
    """Whether a polygon none of whose edges meets the box holds it: an odd number lies above."""
    inside, x = False, 0.5 * (box[2] - box[0])
    for p in range(n):
        if edges[p, 0] <= x < edges[p, 1]:
            above = edges[p, 2] + edges[p, 4] * (x - edges[p, 0]) > 0.0
            inside = inside != above
    return inside


@compiled
def _whole(rows: Array, begin: int, end: int, box: Array) -> _Sums:
    """Return area and moments of a whole polygon, edge by edge."""
    area = x = y = 0.0
    for r in range(begin, end):
        x1, y1 = rows[r, 0] - box[0], rows[r, 1] - box[1]
        x2, y2 = rows[r, 2] - box[0], rows[r, 3] - box[1]
        twice = x1 * y2 - x2 * y1
        area += twice * 0.5
        x += (x1 + x2) * twice / 6.0
        y += (y1 + y2) * twice / 6.0
    return area, x, y


@compiled
def _summed(
    a: Array, n: int, b: Array, m: int, touch: float, over: Array
) -> tuple[int, bool, _Sums]:
    """Sum area and moments over all pairs of slanted edges; return how many cross, and if sure.

    ``over`` takes the edges of ``b`` that lie over or under one of ``a``: picked out without a
    branch, because no processor guesses which they are.
    """
    found, sure, sums = 0, True, (0.0, 0.0, 0.0)
    for p in range(n):
        ax1, ax2, ay1, a_slope, a_sign = a[p, 0], a[p, 1], a[p, 2], a[p, 4], a[p, 5]
        low, high, count = ax1 - touch, ax2 + touch, 0
        for q in range(m):
            over[count] = q
            count += int(b[q, 1] >= low) & int(b[q, 0] <= high)
        for k in range(count):
            q = over[k]
            x1 = max(ax1, b[q, 0])
            x2 = min(ax2, b[q, 1])
            if x2 <= x1:
                if x1 - x2 <= touch and _meet(a[p], b[q], touch):
                    sure = False
                continue
            e1 = ay1 + a_slope * (x1 - ax1)
            e2 = ay1 + a_slope * (x2 - ax1)
            f1 = b[q, 2] + b[q, 4] * (x1 - b[q, 0])
            f2 = b[q, 2] + b[q, 4] * (x2 - b[q, 0])
            d1, d2 = e1 - f1, e2 - f2
            sign = a_sign * b[q, 5]
            near = touch * (1.0 + abs(a_slope) + abs(b[q, 4]))
            sure &= min(abs(d1), abs(d2)) > near
            if d1 * d2 >= 0.0:
                sums = _add(x1, min(e1, f1), x2, min(e2, f2), sign, sums)
                continue
            found += 1
            part = d1 / (d1 - d2)
            xm, ym = x1 + part * (x2 - x1), e1 + part * (e2 - e1)
            sums = _add(x1, min(e1, f1), xm, ym, sign, sums)
            sums = _add(xm, ym, x2, min(e2, f2), sign, sums)
    return found, sure, sums


@compiled
def _meet(a: Array, b: Array, touch: float) -> bool:
    """Whether one edge begins where the other one ends."""
    if a[0] >= b[1]:
        return bool(abs(a[2] - b[3]) <= touch)
    return bool(abs(a[3] - b[2]) <= touch)


@compiled
def _add(x1: float, y1: float, x2: float, y2: float, sign: float, sums: _Sums) -> _Sums:
    """Add the trapezoid between a line and the foot of the box, without what lies below."""
    if y1 <= 0.0 and y2 <= 0.0:
        return sums
    if y1 < 0.0:
        x1 += (x2 - x1) * (-y1 / (y2 - y1))
        y1 = 0.0
    elif y2 < 0.0:
        x2 -= (x2 - x1) * (-y2 / (y1 - y2))
        y2 = 0.0
    w = (x2 - x1) * sign
    # Integrals of x * y and of y² / 2 along the line.
    x = w * (x1 * (y1 + y2) * 0.5 + (x2 - x1) * (y1 + 2.0 * y2) / 6.0)
    y = w * (y1 * y1 + y1 * y2 + y2 * y2) / 6.0
    return sums[0] + w * (y1 + y2) * 0.5, sums[1] + x, sums[2] + y


@compiled
def _through_walls(
    a: Array, n: int, a_walls: Array, n_walls: int,
    b: Array, m: int, b_walls: Array, m_walls: int,
    touch: float,
) -> tuple[int, bool]:  # fmt: skip
    """Count the crossings of vertical edges of one polygon with edges of the other."""
    found, sure = _through(a_walls, n_walls, b, m, touch)
    more, sure_too = _through(b_walls, m_walls, a, n, touch)
    for p in range(n_walls):
        for q in range(m_walls):
            apart = max(a_walls[p, 1], b_walls[q, 1]) > min(a_walls[p, 2], b_walls[q, 2]) + touch
            if abs(a_walls[p, 0] - b_walls[q, 0]) <= touch and not apart:
                sure = False
    return found + more, sure and sure_too


@compiled
def _through(walls: Array, n_walls: int, edges: Array, n: int, touch: float) -> tuple[int, bool]:
    found, sure = 0, True
    for p in range(n_walls):
        x, low, high = walls[p, 0], walls[p, 1], walls[p, 2]
        for q in range(n):
            if x < edges[q, 6] - touch or x > edges[q, 7] + touch:
                continue
            y = edges[q, 2] + edges[q, 4] * (x - edges[q, 0])
            if y < low - touch or y > high + touch:
                continue
            at_end = abs(x - edges[q, 6]) <= touch or abs(x - edges[q, 7]) <= touch
            if at_end or y <= low + touch or y >= high - touch:
                sure = False
            else:
                found += 1
    return found, sure


@compiled
def ring(xy: Array, begin: int, end: int, hole: bool, rows: Array, n: int, box: Array) -> None:
    """Write the edges of a closed ring, interior of the polygon to the left; widen its box.

    ``xy[begin:end]`` are its vertices, the last one the first again; rows from ``n`` on are taken.
    """
    twice, last = 0.0, end - 1
    x0, y0 = xy[begin, 0], xy[begin, 1]
    for k in range(begin, last):
        x, y = xy[k, 0] - x0, xy[k, 1] - y0
        twice += x * (xy[k + 1, 1] - y0) - (xy[k + 1, 0] - x0) * y
        box[0], box[1] = min(box[0], xy[k, 0]), min(box[1], xy[k, 1])
        box[2], box[3] = max(box[2], xy[k, 0]), max(box[3], xy[k, 1])
    backwards = twice > 0.0 if hole else twice < 0.0
    for k in range(last - begin):
        here, there = (last - k, last - k - 1) if backwards else (begin + k, begin + k + 1)
        rows[n + k, 0], rows[n + k, 1] = xy[here, 0], xy[here, 1]
        rows[n + k, 2], rows[n + k, 3] = xy[there, 0], xy[there, 1]


@compiled
def tables(
    xy: Array, ring_of: Array, part_of: Array, owner: Array,
    rows: Array, offsets: Array, boxes: Array, parts: Array, rings: Array,
) -> None:  # fmt: skip
    """Fill the edge table of polygons from the vertices of their rings.

    ``ring_of`` is the ring of each vertex, ``part_of`` the part of each ring, ``owner`` the polygon
    of each part; the first ring of a part is its exterior.
    """
    boxes[:, :2], boxes[:, 2:] = np.inf, -np.inf
    parts[:], rings[:], offsets[:] = 0, 0, 0
    n, begin = 0, 0
    for part in range(len(owner)):
        parts[owner[part]] += 1
    while begin < len(xy):
        end, own = begin, ring_of[begin]
        while end < len(xy) and ring_of[end] == own:
            end += 1
        of = owner[part_of[own]]
        hole = own > 0 and part_of[own - 1] == part_of[own]
        ring(xy, begin, end, hole, rows, n, boxes[of])
        n += end - begin - 1
        rings[of] += 1
        offsets[of + 1] = n
        begin = end
    for of in range(len(boxes)):
        offsets[of + 1] = max(offsets[of + 1], offsets[of])  # an empty one has no edge
        if boxes[of, 0] > boxes[of, 2]:
            boxes[of, :] = np.nan
