"""Where does an outline of the wanted size fit, and which shape does it take?

On a mask of free cells: all outlines are made of squares of the least width, each a step of one
cell from another one of them, so that nobody has to pass a neck that is narrower. Rectangles are
tried first, from a square to one three times as long as wide; where none fits, an outline grows
square by square around the deepest place of a piece that is large enough, of squares as large as
the land has room for. So one is found wherever there is one.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gis.engine.index import Array

_RATIOS = (1.0, 1.25, 1.6, 2.0, 3.0)


@dataclass(frozen=True, slots=True)
class Shape:
    """Cells of an outline as a mask over (rows, cols), and the rectangle when it is one.

    ``rectangle`` is its first row, its first column, its rows and its columns.
    """

    cells: Array
    rectangle: tuple[int, int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class Room:
    """What outlines may be made of.

    Parameters
    ----------
    width
        Cells of the least width.
    count
        Cells that an outline has at least.
    merit
        For each cell (rows, cols) how good it is, 0-1; only the order matters.
    compact
        What a square gains over an outline with no compactness at all, on the same scale.
    reach
        Cells of which an outline must have one, None for any.
    """

    width: int
    count: int
    merit: Array
    compact: float
    reach: Array | None = None


def best_shape(free: Array, room: Room) -> Shape | None:
    """Return the best rectangle of free cells, else a grown outline, None where none fits."""
    return _rectangle(free, room) or _grown(free, room)


def opened(free: Array, width: int) -> tuple[Array, Array]:
    """Return where squares of a width fit (by their first cell), and all cells of them."""
    if width == 1:
        return free, free
    starts = _starts(free, width, width)
    return starts, _spread(starts, width)


def pieces(free: Array, width: int, least: int = 1) -> Iterator[tuple[Array, Array]]:
    """Yield pieces of at least so many cells: where squares begin, and the cells, as masks."""
    starts, _ = opened(free, width)
    for own in _connected(starts, width, least):
        cells = _spread(own, width)
        if int(cells.sum()) >= least:
            yield own, cells


def _connected(starts: Array, width: int, least: int) -> Iterator[Array]:
    """Yield places that are a step from one another, as masks; boxes too small are left out."""
    if not starts.any():
        return
    # The library for rasters is heavy to import, and a service starts without it.
    from rasterio import features

    marked = starts.astype(np.uint8)
    found = [g for g, _ in features.shapes(marked, mask=starts, connectivity=4)]
    boxes = (np.ptp(np.array(g["coordinates"][0]), axis=0) + width - 1 for g in found)
    kept = [g for g, box in zip(found, boxes, strict=True) if box[0] * box[1] >= least]
    if not kept:
        return
    labels = features.rasterize(
        [(g, n) for n, g in enumerate(kept, 1)], out_shape=starts.shape, dtype="int32"
    )
    for n in range(1, len(kept) + 1):
        yield labels == n


def _starts(free: Array, rows: int, cols: int) -> Array:
    """Return where a rectangle of free cells begins."""
    fits = np.zeros(free.shape, dtype=bool)
    if rows > free.shape[0] or cols > free.shape[1]:
        return fits
    full = _windows(_sums(free), rows, cols) == rows * cols
    fits[: full.shape[0], : full.shape[1]] = full
    return fits


def _spread(starts: Array, width: int) -> Array:
    """Return the cells of squares that begin at places."""
    cells = starts.copy()
    for axis in (0, 1):
        whole = cells.copy()
        for step in range(1, width):
            ahead = [slice(None)] * 2
            behind = [slice(None)] * 2
            ahead[axis], behind[axis] = slice(step, None), slice(None, -step)
            whole[tuple(ahead)] |= cells[tuple(behind)]
        cells = whole
    return cells


def _sums(values: Array) -> Array:
    """Return running sums over rows and columns, with a first row and column of nothing."""
    kind = np.int64 if values.dtype == bool else float
    sums = np.zeros((values.shape[0] + 1, values.shape[1] + 1), dtype=kind)
    np.cumsum(np.cumsum(values, axis=0, dtype=kind), axis=1, out=sums[1:, 1:])
    return sums


def _windows(sums: Array, rows: int, cols: int) -> Array:
    """Return the sum over every window of so many rows and columns."""
    below, above = sums[rows:], sums[:-rows]
    total: Array = below[:, cols:] - below[:, :-cols] - above[:, cols:] + above[:, :-cols]
    return total


# --- rectangles ----------------------------------------------------------------------------------


def sides(room: Room) -> list[tuple[int, int]]:
    """Return rows and columns of the rectangles to try."""
    found = []
    for ratio in _RATIOS:
        short = max(math.ceil(math.sqrt(room.count / ratio)), room.width)
        long = max(math.ceil(room.count / short), room.width)
        found += [(short, long), (long, short)]
    return list(dict.fromkeys(found))


def compactness(area: float, around: float) -> float:
    """Return how compact an outline is: 1 for a square, less for a strip (isoperimetric quotient).

    >>> compactness(4.0, 8.0), round(compactness(3.0, 8.0), 4)
    (1.0, 0.75)
    """
    return min(16.0 * area / around**2, 1.0)


def _rectangle(free: Array, room: Room) -> Shape | None:
    box = _box(free)
    if box is None:
        return None
    sums, merits = _sums(free[box]), _sums(room.merit[box])
    reach = None if room.reach is None else _sums(room.reach[box])
    best: tuple[float, tuple[int, int, int, int]] | None = None
    for rows, cols in sides(room):
        if rows >= sums.shape[0] or cols >= sums.shape[1]:
            continue
        fits = _windows(sums, rows, cols) == rows * cols
        if reach is not None:
            fits &= _windows(reach, rows, cols) > 0
        at = np.argwhere(fits)
        if not len(at):
            continue
        gained = _windows(merits, rows, cols)[fits] / (rows * cols)
        n = int(gained.argmax())
        score = float(gained[n]) + room.compact * compactness(rows * cols, 2 * (rows + cols))
        if best is None or score > best[0] + 1e-12:
            row, col = (int(v) for v in at[n])
            best = score, (row + box[0].start, col + box[1].start, rows, cols)
    if best is None:
        return None
    row, col, rows, cols = best[1]
    cells = np.zeros(free.shape, dtype=bool)
    cells[row : row + rows, col : col + cols] = True
    return Shape(cells, best[1])


def _box(free: Array) -> tuple[slice, slice] | None:
    rows, cols = np.flatnonzero(free.any(axis=1)), np.flatnonzero(free.any(axis=0))
    if not len(rows):
        return None
    return slice(rows[0], rows[-1] + 1), slice(cols[0], cols[-1] + 1)


# --- grown outlines ------------------------------------------------------------------------------


def _grown(free: Array, room: Room) -> Shape | None:
    """Return an outline grown of squares as large as possible, so that it has few corners."""
    side = math.isqrt(room.count)
    widths = {max(side * part // 8, room.width) for part in range(8, 0, -1)}
    for width in sorted({*widths, room.width}, reverse=True):
        cells = _grown_of(free, room, width)
        if cells is not None:
            return Shape(cells)
    return None


def _grown_of(free: Array, room: Room, width: int) -> Array | None:
    """Return an outline of squares of a width in the piece that has the deepest place."""
    best: tuple[int, int] | None = None
    found: tuple[Array, tuple[int, int]] | None = None
    for starts, cells in pieces(free, width, room.count):
        seeds = starts if room.reach is None else starts & _reached(room.reach, width)
        if seeds.any():
            seed, depth = _deepest(starts, seeds)
            rank = depth, int(cells.sum())
            if best is None or rank > best:
                best, found = rank, (starts, seed)
    return None if found is None else _grow(*found, width, room.count)


def _reached(reach: Array, width: int) -> Array:
    """Return where squares begin that have a cell of those that must be reached."""
    fits = np.zeros(reach.shape, dtype=bool)
    if width <= min(reach.shape):
        found = _windows(_sums(reach), width, width) > 0
        fits[: found.shape[0], : found.shape[1]] = found
    return fits


def _deepest(starts: Array, seeds: Array) -> tuple[tuple[int, int], int]:
    """Return the seed that is farthest from the rim, and how many steps that is."""
    depth, left = np.zeros(starts.shape, dtype=np.int32), starts.copy()
    while left.any():
        depth += left
        inner = np.zeros_like(left)
        inner[1:-1, 1:-1] = (
            left[1:-1, 1:-1] & left[:-2, 1:-1] & left[2:, 1:-1] & left[1:-1, :-2] & left[1:-1, 2:]
        )
        left = inner
    own = np.where(seeds, depth, -1)
    most = int(own.max())
    places = np.argwhere(own == most)
    middle = np.argwhere(starts).mean(axis=0)
    row, col = places[int(((places - middle) ** 2).sum(axis=1).argmin())]
    return (int(row), int(col)), most


def _grow(starts: Array, seed: tuple[int, int], width: int, count: int) -> Array:
    """Add squares to the one at the seed, ring by ring, until there are enough cells."""
    cells, total = np.zeros(starts.shape, dtype=bool), 0
    heap, seen = [(0, 0.0, seed)], {seed}
    while heap and total < count:
        _, _, (row, col) = heapq.heappop(heap)
        block = cells[row : row + width, col : col + width]
        total += block.size - int(block.sum())
        block[...] = True
        for near in ((row - 1, col), (row + 1, col), (row, col - 1), (row, col + 1)):
            inside = 0 <= near[0] < starts.shape[0] and 0 <= near[1] < starts.shape[1]
            if inside and near not in seen and starts[near]:
                seen.add(near)
                ring = max(abs(near[0] - seed[0]), abs(near[1] - seed[1]))
                heapq.heappush(heap, (ring, math.dist(near, seed), near))
    return cells
