"""The compiled loops that tell which outlines make one piece of land.

What is cut from the pieces of a layer lies beside each other as they did: what shares an edge is
one polygon to whoever looks for slivers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gis.engine.compiled import compiled

Array = np.ndarray[Any, Any]
# Edges so near to each other, for longer than that, are one edge of two neighbours.
_BESIDE, _ALONG = 1e-8, 1e-6
# Outlines without an edge in common that come nearer than this may hang together: where slivers
# meet at a point an overlay sees one or two, as its vertices are rounded.
_NEAR = 1e-6
# A way out and back is no shorter.
_WAY = 1e-3


@compiled
def totals(group: Array, areas: Array) -> Array:
    """Return the area of each group, at its number."""
    total = np.zeros(len(areas))
    for p in range(len(areas)):
        total[group[p]] += areas[p]
    return total


@compiled
def together(
    offsets: Array, rows: Array, boxes: Array, areas: Array, small: float
) -> tuple[Array, Array]:  # fmt: skip
    """Return which outlines make one piece of land, and how much of its perimeter each one has.

    Outlines that share an edge are together. Only those below ``small`` are looked at, and what
    they are together with; the perimeter of the others is not told. Empty where one of a piece
    below ``small`` comes so near to another without an edge in common, or so near to itself, that
    nobody knows.
    """
    group, length, touches = groups(offsets, rows, boxes, areas, small)
    total = totals(group, areas)
    for p in range(len(areas)):
        if total[group[p]] < small and (touches[p] or _goes_back(rows, offsets[p], offsets[p + 1])):
            return group[:0], length[:0]
    return group, length


@compiled
def groups(
    offsets: Array, rows: Array, boxes: Array, areas: Array, small: float
) -> tuple[Array, Array, Array]:
    """Return the group of each outline, its part of the perimeter, and whether it may have more.

    As in ``together``; more where it touches another one without an edge in common.
    """
    group, length = np.arange(len(areas)), np.zeros(len(areas))
    touches = np.zeros(len(areas), dtype=np.bool_)
    for p in range(len(areas)):
        if areas[p] >= small:
            continue
        for i in range(offsets[p], offsets[p + 1]):
            length[p] += np.hypot(rows[i, 2] - rows[i, 0], rows[i, 3] - rows[i, 1])
        for q in range(len(areas)):
            if q == p or (q < p and areas[q] < small) or _are_apart(boxes, p, q):
                continue
            shared, touch = _shared_m(rows, offsets, p, q)
            if shared > _ALONG:
                length[p], length[q] = length[p] - shared, length[q] - shared
                group[group == group[p]] = group[q]
            elif touch:
                touches[p] = touches[q] = True
    return group, length, touches


@compiled
def _goes_back(rows: Array, begin: int, end: int) -> bool:
    """Whether an outline runs back along itself: a way out and back has a length and no area."""
    for i in range(begin, end):
        x, y = rows[i, 0], rows[i, 1]
        dx, dy = rows[i, 2] - x, rows[i, 3] - y
        length = np.hypot(dx, dy)
        if length <= _WAY:
            continue
        for j in range(begin, end):
            x1, y1, x2, y2 = rows[j, 0] - x, rows[j, 1] - y, rows[j, 2] - x, rows[j, 3] - y
            off = max(abs(dx * y1 - dy * x1), abs(dx * y2 - dy * x2)) / length
            first, last = (dx * x2 + dy * y2) / length, (dx * x1 + dy * y1) / length
            # Only an edge that runs the other way has its end before its begin.
            if off <= _NEAR and min(last, length) - max(first, 0.0) > _WAY:
                return True
    return False


@compiled
def _are_apart(boxes: Array, p: int, q: int) -> bool:
    for low, high in ((0, 2), (1, 3)):
        if boxes[p, low] > boxes[q, high] + _NEAR or boxes[p, high] < boxes[q, low] - _NEAR:
            return True
    return False


@compiled
def _shared_m(rows: Array, offsets: Array, p: int, q: int) -> tuple[float, bool]:
    """Return for how long two outlines run along each other, and whether they come near at all."""
    shared, touch = 0.0, False
    for i in range(offsets[p], offsets[p + 1]):
        x, y = rows[i, 0], rows[i, 1]
        dx, dy = rows[i, 2] - x, rows[i, 3] - y
        length = np.hypot(dx, dy)
        if length == 0.0:
            continue
        for j in range(offsets[q], offsets[q + 1]):
            # The edge of q in metres along the edge of p and off it.
            x1, y1, x2, y2 = rows[j, 0] - x, rows[j, 1] - y, rows[j, 2] - x, rows[j, 3] - y
            off1, off2 = (dx * y1 - dy * x1) / length, (dx * y2 - dy * x2) / length
            if min(abs(off1), abs(off2)) > _NEAR and (off1 > 0.0) == (off2 > 0.0):
                continue
            along1, along2 = (dx * x1 + dy * y1) / length, (dx * x2 + dy * y2) / length
            begin, end = min(along1, along2), max(along1, along2)
            if end < -_NEAR or begin > length + _NEAR:
                continue
            touch = True
            if max(abs(off1), abs(off2)) <= _BESIDE:
                shared += max(0.0, min(end, length) - max(begin, 0.0))
    return shared, touch
