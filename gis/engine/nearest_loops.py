"""The compiled loops that find the nearest segment of a polygon in a grid of segments.

Rings of cells around the box of the polygon are searched, further out each time, until nothing
further out can be nearer. A segment that enters the polygon is at no distance.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gis.engine.compiled import compiled

Array = np.ndarray[Any, Any]
# What is as far as a limit must not be lost by the last digit of a square.
_ROUNDED = 1.0 + 1e-12


@compiled
def nearest(
    offsets: Array, rows: Array, boxes: Array,
    ends: Array, halves: Array, feature: Array,
    starts: Array, items: Array, columns: int, lines: int,
    west: float, south: float, cell: float, widest: float, reach: float,
    distance: Array, found: Array,
) -> None:  # fmt: skip
    """Fill for each polygon the distance to the nearest land edge, and its feature.

    ``offsets``, ``rows``, ``boxes`` are the edge table of the polygons; ``ends`` x1, y1, x2, y2 of
    the segments, ``halves`` the way from line to edge, ``widest`` the longest;
    ``items[starts[c]:starts[c + 1]]`` are the segments of cell c, ``columns`` by ``lines`` cells
    from a corner. NaN and -1 where none is in reach.
    """
    furthest = cell * (columns + lines) + _beyond(boxes, west, south, cell, columns, lines)
    for i in range(len(boxes)):
        distance[i], found[i] = np.nan, -1
        if offsets[i] == offsets[i + 1]:
            continue
        best, owner, radius = np.inf, -1, cell
        done = np.array([0, -1, 0, -1])  # columns and lines that were searched before
        while True:
            c0 = max(int((boxes[i, 0] - radius - west) // cell), 0)
            c1 = min(int((boxes[i, 2] + radius - west) // cell), columns - 1)
            r0 = max(int((boxes[i, 1] - radius - south) // cell), 0)
            r1 = min(int((boxes[i, 3] + radius - south) // cell), lines - 1)
            for r in range(r0, r1 + 1):
                for c in range(c0, c1 + 1):
                    if done[0] <= c <= done[1] and done[2] <= r <= done[3]:
                        continue
                    at = r * columns + c
                    for k in range(starts[at], starts[at + 1]):
                        s = items[k]
                        limit = best + halves[s]
                        if _far(boxes[i], ends[s]) > limit:
                            continue
                        axis = _apart(rows, offsets[i], offsets[i + 1], ends[s], limit)
                        edge = max(axis - halves[s], 0.0)
                        if edge < best or (edge == best and feature[s] < owner):
                            best, owner = edge, feature[s]
            done[0], done[1], done[2], done[3] = c0, c1, r0, r1
            # Whatever was not looked at has its line beyond the radius.
            if best <= radius - widest or radius > min(reach + widest, furthest):
                break
            radius *= 2.0
        if best <= reach:
            distance[i], found[i] = best, owner


@compiled
def near(
    rows: Array,
    ends: Array, feature: Array, starts: Array, items: Array, columns: int, lines: int,
    west: float, south: float, cell: float, reach: float,
    found: Array, apart: Array,
) -> int:  # fmt: skip
    """Write the features whose segments are at most ``reach`` from a polygon; return how many.

    ``rows`` are the edges of the polygon, the grid is as in ``nearest``; ``apart`` takes the
    distances, 0 where a segment meets the polygon.
    """
    box = np.array([np.inf, np.inf, -np.inf, -np.inf])
    for r in range(len(rows)):
        box[0], box[1] = min(box[0], rows[r, 0]), min(box[1], rows[r, 1])
        box[2], box[3] = max(box[2], rows[r, 0]), max(box[3], rows[r, 1])
    c0, c1 = max(int((box[0] - reach - west) // cell), 0), int((box[2] + reach - west) // cell)
    r0, r1 = max(int((box[1] - reach - south) // cell), 0), int((box[3] + reach - south) // cell)
    count = 0
    for r in range(r0, min(r1, lines - 1) + 1):
        for c in range(c0, min(c1, columns - 1) + 1):
            for k in range(starts[r * columns + c], starts[r * columns + c + 1]):
                s = items[k]
                far = _far(box, ends[s])
                if far > reach:
                    continue
                at = 0
                while at < count and found[at] != feature[s]:
                    at += 1
                if at < count and far > apart[at]:
                    continue
                limit = apart[at] if at < count else reach
                axis = _apart(rows, 0, len(rows), ends[s], limit)
                if axis > reach:
                    continue
                if at == count:
                    found[at], apart[at] = feature[s], axis
                    count += 1
                apart[at] = min(apart[at], axis)
    return count


@compiled
def _beyond(
    boxes: Array, west: float, south: float, cell: float, columns: int, lines: int
) -> float:
    """Return how far any polygon lies outside the grid."""
    most = 0.0
    for i in range(len(boxes)):
        most = max(most, west - boxes[i, 0], south - boxes[i, 1])
        most = max(most, boxes[i, 2] - west - cell * columns, boxes[i, 3] - south - cell * lines)
    return most


@compiled
def _far(box: Array, end: Array) -> float:
    """Return the distance of the boxes of a polygon and a segment."""
    dx = max(box[0] - max(end[0], end[2]), min(end[0], end[2]) - box[2], 0.0)
    dy = max(box[1] - max(end[1], end[3]), min(end[1], end[3]) - box[3], 0.0)
    return float(np.sqrt(dx * dx + dy * dy))


@compiled
def _apart(rows: Array, begin: int, end: int, s: Array, limit: float) -> float:
    """Return the distance of a polygon and a segment, 0 when the segment lies inside.

    Where it is more than a limit, something more than the limit.
    """
    least, inside = np.inf, False
    nearest = limit * limit * _ROUNDED
    x, y = s[0], s[1]
    west, east = min(s[0], s[2]), max(s[0], s[2])
    south, north = min(s[1], s[3]), max(s[1], s[3])
    for r in range(begin, end):
        x1, y1, x2, y2 = rows[r, 0], rows[r, 1], rows[r, 2], rows[r, 3]
        if (y1 > y) != (y2 > y) and x < x1 + (x2 - x1) * ((y - y1) / (y2 - y1)):
            inside = not inside
        dx = max(min(x1, x2) - east, west - max(x1, x2), 0.0)
        dy = max(min(y1, y2) - north, south - max(y1, y2), 0.0)
        # Most edges are farther off by their boxes than what is known to be near.
        if dx * dx + dy * dy > nearest:
            continue
        least = min(least, _squared(x1, y1, x2, y2, s[0], s[1], s[2], s[3]))
        if least == 0.0:
            return 0.0
        nearest = min(nearest, least)
    return 0.0 if inside else float(np.sqrt(least))


@compiled
def _squared(
    ax: float, ay: float, bx: float, by: float, cx: float, cy: float, dx: float, dy: float
) -> float:
    """Return the squared distance of two segments, coordinates relative to the first."""
    bx, by, cx, cy, dx, dy = bx - ax, by - ay, cx - ax, cy - ay, dx - ax, dy - ay
    c, d = bx * cy - by * cx, bx * dy - by * dx
    ex, ey = dx - cx, dy - cy
    a, b = ex * -cy - ey * -cx, ex * (by - cy) - ey * (bx - cx)
    if ((c > 0.0) != (d > 0.0)) and ((a > 0.0) != (b > 0.0)):
        return 0.0
    least = min(_to(bx, by, cx, cy), _to(bx, by, dx, dy))
    return min(least, _to(ex, ey, -cx, -cy), _to(ex, ey, bx - cx, by - cy))


@compiled
def _to(x: float, y: float, px: float, py: float) -> float:
    """Return the squared distance of a point and the segment from 0, 0 to x, y."""
    length = x * x + y * y
    t = 0.0 if length == 0.0 else min(max((px * x + py * y) / length, 0.0), 1.0)
    ox, oy = px - t * x, py - t * y
    return ox * ox + oy * oy
