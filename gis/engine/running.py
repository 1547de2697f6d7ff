"""How much of each code do the marks of a row count? With running sums along the row.

A running sum tells the pixels of a code left of any column, so a mark costs one look-up, however
wide the polygon is. One word of 64 bits holds several running sums side by side, each with as many
bits as the widest polygon can fill; they may overflow on the way, because only differences within
one polygon are read. Only one row is held at a time.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gis.engine.compiled import compiled

Array = np.ndarray[Any, Any]

# Less of a pixel than this is rounding; it must not turn into a class that is not there. Marks of a
# row are at most 1, their sums cancel to a few units in the last place of the polygon's width.
DUST = 1e-10


@compiled
def count(
    codes: Array, weights: Array, meant: Array, low: int, bits: int, exact: Array,
    begins: Array, owner: Array, col: Array, run: Array, own: Array,
    out: Array,
) -> None:  # fmt: skip
    """Add to ``out`` (polygons, codes) what the marks of a window count.

    ``codes`` count up from ``low``; ``meant`` has the column of ``out`` for each. ``weights`` are
    one per row; ``bits`` can hold the width of the widest polygon in the window, in pixels. Marks
    come row by row, those of a polygon together.
    """
    kinds = low + len(meant)
    side = min(63 // bits, kinds)  # codes in a word; two words are summed at once
    sums = np.empty((codes.shape[1] + 1, 2), dtype=np.int64)
    found = np.empty(2 * side)
    for first in range(low, kinds, 2 * side):
        step = _steps(first, kinds, side, bits)
        most = min(2 * side, kinds - first)
        for r in range(codes.shape[0]):
            at, end = begins[r], begins[r + 1]
            if at < end:
                left, right = _reach(col, at, end)
                _sum_row(codes, r, step, left, right, sums)
            while at < end:
                stop = _next_polygon(owner, at, end)
                if exact[owner[at]]:
                    _sum_parts(col, run, at, stop, sums, side, most, bits, found)
                    _add_own(col, own, at, stop, codes, r, first, most, found)
                else:
                    _sum_whole(col, run, at, stop, sums, side, bits, found)
                for k in range(most):
                    if found[k] > DUST:
                        out[owner[at], meant[first - low + k]] += found[k] * weights[r]
                at = stop


@compiled
def _steps(first: int, kinds: int, side: int, bits: int) -> Array:
    """Return what a pixel of each code adds to the two words."""
    step = np.zeros((kinds, 2), dtype=np.int64)
    for k in range(min(2 * side, kinds - first)):
        step[first + k, k // side] = np.int64(1) << (bits * (k % side))
    return step


@compiled
def _reach(col: Array, at: int, end: int) -> tuple[int, int]:
    low, high = col[at], col[at]
    for n in range(at + 1, end):
        low, high = min(low, col[n]), max(high, col[n])
    return low, high


@compiled
def _sum_row(codes: Array, r: int, step: Array, low: int, high: int, sums: Array) -> None:
    """Fill the running sums of a row from a column to before another."""
    one, two = np.int64(0), np.int64(0)
    sums[low, 0], sums[low, 1] = 0, 0
    for c in range(low, high):
        one += step[codes[r, c], 0]
        two += step[codes[r, c], 1]
        sums[c + 1, 0], sums[c + 1, 1] = one, two


@compiled
def _next_polygon(owner: Array, at: int, end: int) -> int:
    stop = at + 1
    while stop < end and owner[stop] == owner[at]:
        stop += 1
    return stop


@compiled
def _sum_whole(
    col: Array, run: Array, at: int, stop: int, sums: Array, side: int, bits: int, found: Array
) -> None:
    """Set the pixels that the marks of one polygon in a row count, all of them whole.

    Words are added up as they are: what remains in the end is no less than zero for every code.
    """
    one, two = np.int64(0), np.int64(0)
    for n in range(at, stop):
        way = np.int64(run[n])
        one += way * sums[col[n], 0]
        two += way * sums[col[n], 1]
    mask = (np.int64(1) << bits) - 1
    for k in range(side):
        found[k], found[side + k] = one & mask, two & mask
        one >>= bits
        two >>= bits


@compiled
def _sum_parts(
    col: Array, run: Array, at: int, stop: int,
    sums: Array, side: int, most: int, bits: int,
    found: Array,
) -> None:  # fmt: skip
    """Set the pixels left of the marks, by the part with which each mark counts them."""
    west, _ = _reach(col, at, stop)
    base_one, base_two, mask = sums[west, 0], sums[west, 1], (np.int64(1) << bits) - 1
    found[:] = 0.0
    for n in range(at, stop):
        one, two = sums[col[n], 0] - base_one, sums[col[n], 1] - base_two
        for k in range(min(side, most)):
            found[k] += run[n] * (one & mask)
            one >>= bits
        for k in range(side, most):
            found[k] += run[n] * (two & mask)
            two >>= bits


@compiled
def _add_own(
    col: Array, own: Array, at: int, stop: int,
    codes: Array, r: int, first: int, most: int, found: Array,
) -> None:  # fmt: skip
    """Add the parts of the pixels in which the marks stand."""
    for n in range(at, stop):
        if own[n] != 0.0:
            code = codes[r, col[n]] - first
            if 0 <= code < most:
                found[code] += own[n]
