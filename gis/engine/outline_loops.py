"""The compiled loops of overlays of polygons whose outlines can be followed; see ``outlines``.

The area kernel says how large the result is, the walk along the boundaries what it looks like, and
only where both agree is it one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gis.engine import kernel_loops
from gis.engine.compiled import compiled
from gis.engine.ring_loops import area_of, copy_row
from gis.engine.trace_loops import room_for, traced

Array = np.ndarray[Any, Any]
# Metres by which boundaries that touch are told apart.
_NUDGE = 1e-6
# Edges so near to each other, for at least so long, are one edge of two neighbours.
_BESIDE, _ALONG = 1e-8, 1e-3
# So much, m², may all outlines together differ from what the kernel is sure of: land over land over
# land stays good to 1e-5 m².
_LOST = 2e-6
# A shorter edge in common is a point. Nobody asks for the perimeter of noise, so that whatever is
# longer joins it.
_POINT = 1e-7
# Outlines without an edge in common that come nearer than this may hang together.
_NEAR = 1e-6


@compiled
def overlaid(
    a_offsets: Array, a_rows: Array, a_boxes: Array,
    b_offsets: Array, b_rows: Array, b_boxes: Array,
    among: Array, inside: bool, touch: float, noise: float, agrees: float,
) -> tuple[Array, Array, Array]:  # fmt: skip
    """Return outlines of the land of all ``a`` on those ``b`` that are ``among``, or off them.

    Where each outline begins, nothing at all where it is not sure; edges; and of each outline its
    area, the place of its centroid, its box and how many rings it has. Off several ``b`` at once
    nothing is sure. What is no larger than noise is kept beside land that it shares an edge with,
    and left out alone.
    """
    ia, ib, area, _, _, crossings = pairs(
        a_offsets, a_rows, a_boxes, b_offsets, b_rows, b_boxes, among, touch
    )
    rows, offsets, sums = np.empty((64, 4)), np.zeros(9, dtype=np.int64), np.empty((8, 8))
    pieces, k, sure = 0, 0, 0.0
    for i in range(len(a_offsets) - 1):
        a = a_rows[a_offsets[i] : a_offsets[i + 1]]
        whole, met = area_of(a, 0, len(a)), 0
        while k < len(ia) and ia[k] == i:
            if area[k] > agrees:
                met += 1
                b = b_rows[b_offsets[ib[k]] : b_offsets[ib[k] + 1]]
                wanted = area[k] if inside else whole - area[k]
                own, ends = _pair(a, b, whole, wanted, crossings[k], inside, agrees)
                if (len(ends) and ends[0] < 0) or (met > 1 and not inside):
                    return offsets[:0], rows[:0], sums[:0]
                rows, offsets, sums, pieces = _kept(own, ends, agrees, rows, offsets, sums, pieces)
                sure += wanted
            elif inside:
                sure += area[k]
            k += 1
        if met == 0 and not inside:
            ends = np.array([len(a)])
            rows, offsets, sums, pieces = _kept(a, ends, agrees, rows, offsets, sums, pieces)
            sure += whole
    if abs(sums[:pieces, 0].sum() - sure) > _LOST:
        return offsets[:0], rows[:0], sums[:0]
    return _without_noise(offsets[: pieces + 1], rows[: offsets[pieces]], sums[:pieces], noise)


@compiled
def pairs(
    a_offsets: Array, a_rows: Array, a_boxes: Array,
    b_offsets: Array, b_rows: Array, b_boxes: Array,
    among: Array, touch: float,
) -> tuple[Array, Array, Array, Array, Array, Array]:  # fmt: skip
    """Return which pairs may share land, sorted, and what the kernel says of each."""
    ia, ib = _near(a_boxes, b_boxes, among)
    area, x, y = np.zeros(len(ia)), np.empty(len(ia)), np.empty(len(ia))
    crossings = np.zeros(len(ia), dtype=np.int32)
    kernel_loops.shared(
        a_offsets, a_rows, a_boxes, b_offsets, b_rows, b_boxes, ia, ib, area, x, y, crossings, touch
    )
    return ia, ib, area, x, y, crossings


@compiled
def _near(a_boxes: Array, b_boxes: Array, among: Array) -> tuple[Array, Array]:
    """Return the pairs whose boxes meet, sorted by the first."""
    ia = np.empty(len(a_boxes) * len(among), dtype=np.int64)
    ib = np.empty(len(ia), dtype=np.int64)
    n = 0
    for i in range(len(a_boxes)):
        for j in among:
            apart = b_boxes[j, 0] > a_boxes[i, 2] or b_boxes[j, 2] < a_boxes[i, 0]
            if apart or b_boxes[j, 1] > a_boxes[i, 3] or b_boxes[j, 3] < a_boxes[i, 1]:
                continue
            ia[n], ib[n] = i, j
            n += 1
    return ia[:n], ib[:n]


@compiled
def _pair(
    a: Array, b: Array, whole: float, wanted: float, crossings: int,
    inside: bool, agrees: float,
) -> tuple[Array, Array]:  # fmt: skip
    """Return the outlines of one pair and where each ends; an end below 0 says that none is sure.

    ``whole`` is the area of ``a``, ``wanted`` that of the result.
    """
    if wanted <= agrees:
        return a[:0], np.zeros(0, dtype=np.int64)
    if whole - wanted <= agrees:
        return a, np.array([len(a)])
    if inside and abs(area_of(b, 0, len(b)) - wanted) <= agrees:
        return b, np.array([len(b)])
    other = b if inside else _backwards(b)
    if crossings >= 0:
        return _walked(a, other, crossings, 0.0, wanted, agrees)
    rows, ends = _walked(a, other, crossings, _NUDGE, wanted, agrees)
    if ends[0] >= 0:
        return rows, ends
    # What is thinner than the nudge is only seen where nothing is moved.
    return _walked(a, other, crossings, 0.0, wanted, agrees)


@compiled
def _walked(
    a: Array, b: Array, crossings: int, nudge: float, wanted: float, agrees: float
) -> tuple[Array, Array]:
    """Return the outlines that a walk finds and where each ends; an end below 0 for none."""
    unsure = np.array([-1])
    most = crossings if crossings >= 0 else len(a) + len(b)
    rows, ends = room_for(a, b, most)
    pieces = traced(a, b, crossings, most, nudge, rows, ends)
    total, begin = 0.0, 0
    for n in range(pieces):
        own = area_of(rows, begin, ends[n])
        if own < -agrees:
            return rows[:0], unsure
        total, begin = total + own, ends[n]
    if pieces < 1 or abs(total - wanted) > agrees:
        return rows[:0], unsure
    return rows, ends[:pieces]


@compiled
def _backwards(edges: Array) -> Array:
    """Return the edges with the interior to the right."""
    turned = np.empty_like(edges)
    for e in range(len(edges)):
        own = edges[len(edges) - 1 - e]
        turned[e, 0], turned[e, 1], turned[e, 2], turned[e, 3] = own[2], own[3], own[0], own[1]
    return turned


@compiled
def _kept(
    own: Array, ends: Array, least: float, rows: Array, offsets: Array, sums: Array, pieces: int
) -> tuple[Array, Array, Array, int]:
    """Add outlines larger than ``least`` to those that there are already."""
    begin = 0
    for end in ends:
        area = area_of(own, begin, end)
        if area > least:
            first, last = offsets[pieces], offsets[pieces] + end - begin
            if last > len(rows):
                rows = _larger(rows, first, 2 * last)
            if pieces == len(sums):
                sums = _larger(sums, pieces, 2 * pieces)
                offsets = np.append(offsets, np.zeros(pieces, dtype=np.int64))
            for r in range(begin, end):
                copy_row(own, r, rows, first + r - begin)
            offsets[pieces + 1] = last
            sums[pieces, 0] = area
            _describe(own, begin, end, area, sums[pieces])
            pieces += 1
        begin = end
    return rows, offsets, sums, pieces


@compiled
def _larger(table: Array, used: int, size: int) -> Array:
    more = np.empty((size, table.shape[1]))
    for r in range(used):
        copy_row(table, r, more, r)
    return more


@compiled
def _describe(rows: Array, begin: int, end: int, area: float, sums: Array) -> None:
    """Fill in the centroid, the box and the number of rings of an outline."""
    x0, y0 = rows[begin, 0], rows[begin, 1]
    mx, my, sums[7] = 0.0, 0.0, 1.0
    sums[3], sums[4], sums[5], sums[6] = x0, y0, x0, y0
    for r in range(begin, end):
        x1, y1, x2, y2 = rows[r, 0] - x0, rows[r, 1] - y0, rows[r, 2] - x0, rows[r, 3] - y0
        turn = x1 * y2 - x2 * y1
        mx += (x1 + x2) * turn
        my += (y1 + y2) * turn
        sums[3], sums[4] = min(sums[3], rows[r, 0]), min(sums[4], rows[r, 1])
        sums[5], sums[6] = max(sums[5], rows[r, 0]), max(sums[6], rows[r, 1])
        if r > begin and (rows[r, 0] != rows[r - 1, 2] or rows[r, 1] != rows[r - 1, 3]):
            sums[7] += 1.0
    sums[1], sums[2] = x0 + mx / (6 * area), y0 + my / (6 * area)


@compiled
def _without_noise(
    offsets: Array, rows: Array, sums: Array, noise: float
) -> tuple[Array, Array, Array]:
    """Leave out what is no larger than noise together with all that it shares an edge with."""
    areas = sums[:, 0].copy()
    if not (areas <= noise).any():
        return offsets, rows, sums
    group, _, _ = _groups(offsets, rows, sums[:, 3:7].copy(), areas, noise, _POINT)
    total = _totals(group, areas)
    kept, n = 0, 0
    for p in range(len(areas)):
        if total[group[p]] <= noise:
            continue
        begin, end = offsets[p], offsets[p + 1]
        for r in range(begin, end):
            copy_row(rows, r, rows, n + r - begin)
        copy_row(sums, p, sums, kept)
        n, kept = n + end - begin, kept + 1
        offsets[kept] = n
    return offsets[: kept + 1], rows[:n], sums[:kept]


@compiled
def _totals(group: Array, areas: Array) -> Array:
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
    group, length, touches = _groups(offsets, rows, boxes, areas, small, _ALONG)
    total = _totals(group, areas)
    for p in range(len(areas)):
        if total[group[p]] < small and (touches[p] or _goes_back(rows, offsets[p], offsets[p + 1])):
            return group[:0], length[:0]
    return group, length


@compiled
def _groups(
    offsets: Array, rows: Array, boxes: Array, areas: Array, small: float, along: float
) -> tuple[Array, Array, Array]:
    """Return the group of each outline, its part of the perimeter, and whether it only touches.

    Those are together that share an edge for more than ``along`` metres; as in ``together``, only
    outlines below ``small`` are looked at.
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
            if shared > along:
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
        if length <= _ALONG:
            continue
        for j in range(begin, end):
            x1, y1, x2, y2 = rows[j, 0] - x, rows[j, 1] - y, rows[j, 2] - x, rows[j, 3] - y
            off = max(abs(dx * y1 - dy * x1), abs(dx * y2 - dy * x2)) / length
            first, last = (dx * x2 + dy * y2) / length, (dx * x1 + dy * y1) / length
            # Only an edge that runs the other way has its end before its begin.
            if off <= _NEAR and min(last, length) - max(first, 0.0) > _ALONG:
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
