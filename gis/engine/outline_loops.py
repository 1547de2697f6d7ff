"""The compiled loops of overlays of polygons whose outlines can be followed; see ``outlines``.

The area kernel says how large the result is, the walk along the boundaries what it looks like, and
only where both agree is it one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gis.engine import kernel_loops
from gis.engine.compiled import compiled
from gis.engine.neighbour_loops import groups, totals
from gis.engine.ring_loops import area_of, copy_row, copy_rows
from gis.engine.trace_loops import room_for, traced

Array = np.ndarray[Any, Any]
# Metres by which boundaries that touch are told apart.
_NUDGE = 1e-6
# So much, m², may all outlines together differ from what the kernel is sure of: land over land over
# land stays good to 1e-5 m².
_LOST = 2e-6


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
    and left out alone; where it only touches more nothing is sure.
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
            copy_rows(own, begin, end, rows, first)
            offsets[pieces + 1] = last
            sums[pieces, 0] = area
            _describe(own, begin, end, area, sums[pieces])
            pieces += 1
        begin = end
    return rows, offsets, sums, pieces


@compiled
def _larger(table: Array, used: int, size: int) -> Array:
    more = np.empty((size, table.shape[1]))
    copy_rows(table, 0, used, more, 0)
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
    group, _, touches = groups(offsets, rows, sums[:, 3:7].copy(), areas, noise)
    total = totals(group, areas)
    kept, n = 0, 0
    for p in range(len(areas)):
        if total[group[p]] <= noise:
            if touches[p]:
                return offsets[:0], rows[:0], sums[:0]
            continue
        n = copy_rows(rows, offsets[p], offsets[p + 1], rows, n)
        copy_row(sums, p, sums, kept)
        kept += 1
        offsets[kept] = n
    return offsets[: kept + 1], rows[:n], sums[:kept]
