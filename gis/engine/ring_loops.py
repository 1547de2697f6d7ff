"""The compiled loops of rings: which ones bound a polygon, and which are holes of which?

Rows are edges x1, y1, x2, y2, ring after ring, the interior to the left: what a ring encloses is
counted positive for a shell and negative for a hole.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gis.engine.compiled import compiled

Array = np.ndarray[Any, Any]
# What of an outline comes nearer to itself than the neck, metres, may hang together by a nudge
# alone, or at a point where a hole touches its shell. Vertices nearer than a point are one.
_NECK = 5e-6
_POINT = 1e-8
# Outlines no larger than noise, m², may be as narrow as a neck; no hole is as small as nothing.
_NOISE_M2 = 1e-4
_NOTHING_M2 = 1e-6


@compiled
def area_of(rows: Array, begin: int, end: int) -> float:
    """Return the area of one outline."""
    x0, y0 = rows[begin, 0], rows[begin, 1]
    twice = 0.0
    for r in range(begin, end):
        x, y = rows[r, 0] - x0, rows[r, 1] - y0
        twice += x * (rows[r, 3] - y0) - (rows[r, 2] - x0) * y
    return twice / 2


@compiled
def copy_row(table: Array, row: int, to: Array, place: int) -> None:
    """Copy one row; assigned as a whole it would take a second more to compile."""
    for column in range(table.shape[1]):
        to[place, column] = table[row, column]


@compiled
def copy_rows(table: Array, begin: int, end: int, to: Array, place: int) -> int:
    """Copy some rows to a place, which may lie before them; return the place behind them."""
    for row in range(begin, end):
        copy_row(table, row, to, place + row - begin)
    return int(place + end - begin)


@compiled
def ring_of(edges: Array) -> Array:
    """Return for each edge where its ring begins, and where the next one does."""
    bounds = np.empty((len(edges), 2), dtype=np.int64)
    begin = 0
    for e in range(len(edges)):
        last = e + 1 == len(edges)
        if last or edges[e, 2] != edges[e + 1, 0] or edges[e, 3] != edges[e + 1, 1]:
            bounds[begin : e + 1, 0], bounds[begin : e + 1, 1] = begin, e + 1
            begin = e + 1
    return bounds


@compiled
def without_points(rows: Array, begin: int, end: int) -> int:
    """Leave out the edges of an outline that are no longer than a point; return where it ends."""
    n = begin
    for r in range(begin, end):
        if abs(rows[r, 2] - rows[r, 0]) + abs(rows[r, 3] - rows[r, 1]) > _POINT:
            copy_row(rows, r, rows, n)
            n += 1
    for r in range(begin, n):
        after = r + 1 if r + 1 < n else begin
        rows[r, 2], rows[r, 3] = rows[after, 0], rows[after, 1]
    return n


@compiled
def uncrossed(
    edges: Array, seen: Array, ring: Array, at: Array, other: Array,
    rows: Array, n: int, ends: Array, pieces: int,
) -> tuple[int, int]:  # fmt: skip
    """Add the rings of a polygon that lie inside another one and nowhere cross it.

    ``seen`` are its edges as they are looked at, which may be moved by a nudge; ``ring`` is from
    ``ring_of``, ``at`` where the polygon is crossed: edge plus part of it. Returns how many rows
    and rings there are by now.
    """
    begin = 0
    while begin < len(edges):
        after = ring[begin, 1]
        is_crossed = False
        for place in at:
            if begin <= place < after:
                is_crossed = True
                break
        if not is_crossed and _is_in(other, 0, len(other), seen[begin, 0], seen[begin, 1]):
            n = copy_rows(edges, begin, after, rows, n)
            ends[pieces] = n
            pieces += 1
        begin = after
    return n, pieces


@compiled
def _is_in(rows: Array, begin: int, end: int, x: float, y: float) -> bool:
    """Whether a place lies inside a polygon, which may be all the world but for some rings."""
    inside = False
    for r in range(begin, end):
        x1, y1, x2, y2 = rows[r, 0], rows[r, 1], rows[r, 2], rows[r, 3]
        if (y1 > y) != (y2 > y) and x < x1 + (x2 - x1) * ((y - y1) / (y2 - y1)):
            inside = not inside
    # What encloses less than nothing has all that is far away inside.
    return inside != (area_of(rows, begin, end) < 0.0)


@compiled
def with_holes(rows: Array, ends: Array, count: int, may_touch: bool) -> int:
    """Make outlines of rings, holes behind their shell; return how many, -1 where it is not sure.

    ``rows`` and ``ends`` have ``count`` rings and are written anew. ``may_touch`` says that an
    outline may come so near to itself that it may be two pieces of land.
    """
    area = np.empty(count)
    begin = 0
    for k in range(count):
        area[k] = area_of(rows, begin, ends[k])
        begin = ends[k]
    if (area < -_NOTHING_M2).any():
        count = _sorted(rows, ends, area)
    begin = 0
    for k in range(count):
        if may_touch and _is_pinched(rows, begin, ends[k]):
            return -1
        begin = ends[k]
    return count


@compiled
def _sorted(rows: Array, ends: Array, area: Array) -> int:
    """Write each hole behind the smallest outline that it lies in; -1 where there is none."""
    count = len(area)
    owner = _owners(rows, ends, area)
    if (owner < 0).any():
        return -1
    old, old_ends = rows[: ends[count - 1]].copy(), ends[:count].copy()
    n = pieces = 0
    for k in range(count):
        if owner[k] != k:
            continue
        n = copy_rows(old, _begin_of(old_ends, k), old_ends[k], rows, n)
        for hole in range(count):
            if hole != k and owner[hole] == k:
                n = copy_rows(old, _begin_of(old_ends, hole), old_ends[hole], rows, n)
        ends[pieces] = n
        pieces += 1
    return pieces


@compiled
def _begin_of(ends: Array, ring: int) -> int:
    return int(ends[ring - 1]) if ring else 0


@compiled
def _owners(rows: Array, ends: Array, area: Array) -> Array:
    """Return the outline of each ring: itself if it is no hole, -1 where there is none."""
    owner = np.arange(len(area))
    for k in range(len(area)):
        if area[k] >= -_NOTHING_M2:
            continue
        first = _begin_of(ends, k)
        owner[k] = -1
        for j in range(len(area)):
            if area[j] <= _NOTHING_M2 or (owner[k] >= 0 and area[j] >= area[owner[k]]):
                continue
            if _is_in(rows, _begin_of(ends, j), ends[j], rows[first, 0], rows[first, 1]):
                owner[k] = j
    return owner


@compiled
def _is_pinched(rows: Array, begin: int, end: int) -> bool:
    """Whether an outline comes so near to itself that it may be two pieces of land."""
    if area_of(rows, begin, end) <= _NOISE_M2:
        return False
    ring = ring_of(rows[begin:end])
    for p in range(begin, end):
        first, last = begin + ring[p - begin, 0], begin + ring[p - begin, 1]
        for q in range(begin, end):
            if not _is_near(rows[p, 0], rows[p, 1], rows[q]):
                continue
            if not (first <= q < last and _is_beside(rows, first, last, p, q)):
                return True
    return False


@compiled
def _is_beside(rows: Array, first: int, last: int, corner: int, edge: int) -> bool:
    """Whether a ring runs from a corner to an edge, either way, over no more than a neck.

    Nothing worth mentioning lies between them then, and a corner begins the edge of its number.
    """
    length, e = 0.0, corner
    while e != edge and length <= _NECK:
        length += _length_of(rows[e])
        e = e + 1 if e + 1 < last else first
    if length <= _NECK:
        return True
    length, e = 0.0, corner - 1 if corner > first else last - 1
    while e != edge and length <= _NECK:
        length += _length_of(rows[e])
        e = e - 1 if e > first else last - 1
    return length <= _NECK


@compiled
def _length_of(edge: Array) -> float:
    return float(np.hypot(edge[2] - edge[0], edge[3] - edge[1]))


@compiled
def _is_near(x: float, y: float, edge: Array) -> bool:
    """Whether a place is within a neck of an edge."""
    x1, y1, x2, y2 = edge[0], edge[1], edge[2], edge[3]
    west, east = min(x1, x2) - _NECK, max(x1, x2) + _NECK
    south, north = min(y1, y2) - _NECK, max(y1, y2) + _NECK
    if x < west or x > east or y < south or y > north:
        return False
    dx, dy = x2 - x1, y2 - y1
    along = min(max(((x - x1) * dx + (y - y1) * dy) / (dx * dx + dy * dy), 0.0), 1.0)
    off_x, off_y = x - (x1 + along * dx), y - (y1 + along * dy)
    return bool(off_x * off_x + off_y * off_y <= _NECK * _NECK)
