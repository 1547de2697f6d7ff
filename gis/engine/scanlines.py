"""Which pixel centres lie in many polygons, row by row?

A scan line runs through the centres of each row; its crossings with the edges of a polygon, in
order, open and close the spans of pixels inside (even-odd rule, so holes and parts need no rule of
their own). A span then costs two look-ups in the running sums of the row, however long it is.

An edge through a centre gives it to one side only, and neighbours that share the edge agree which:
a centre belongs to the polygon on its right in the order of columns, as GDAL decides, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gis.engine.grid import Edges, Window
from gis.engine.index import Array


@dataclass(frozen=True, slots=True)
class Spans:
    """Runs of pixels inside polygons, sorted by row: columns ``start`` to before ``stop``.

    They reach as far as the polygons do, also beyond the raster.
    """

    owner: Array
    row: Array
    start: Array
    stop: Array

    @property
    def length(self) -> Array:
        """Pixels of each run."""
        return self.stop - self.start

    def within(self, window: Window) -> Spans:
        """Return the runs cut to a window, rows and columns counted from its corner."""
        low, high = np.searchsorted(self.row, [window.row, window.row + window.rows])
        start = np.clip(self.start[low:high] - window.col, 0, window.cols)
        stop = np.clip(self.stop[low:high] - window.col, 0, window.cols)
        kept = stop > start
        owner, row = self.owner[low:high][kept], self.row[low:high][kept] - window.row
        return Spans(owner, row, start[kept], stop[kept])


def spans(edges: Edges, chosen: Array) -> Spans:
    """Return the spans of the chosen polygons.

    Parameters
    ----------
    edges
        Edges of all polygons in pixel space.
    chosen
        Boolean array, one per polygon.
    """
    used = np.flatnonzero(chosen[edges.owner])
    y0, y1 = edges.y0[used], edges.y1[used]
    # Half-open in y: a vertex on a scan line counts for one of its two edges.
    first = np.ceil(np.minimum(y0, y1) - 0.5).astype(np.int64)
    count = np.ceil(np.maximum(y0, y1) - 0.5).astype(np.int64) - first
    source = np.repeat(used, count)
    ends = np.cumsum(count)
    row = np.arange(len(source)) - np.repeat(ends - count - first, count)
    x = _crossings(edges, source, row)
    order = np.lexsort((x, edges.owner[source], row))
    # Rings are closed, so each polygon meets a scan line an even number of times.
    column = np.floor(x[order] + 0.5).astype(np.int64)
    start, stop = column[0::2], column[1::2]
    full = stop > start
    opening = order[0::2][full]
    return Spans(edges.owner[source[opening]], row[opening], start[full], stop[full])


def _crossings(edges: Edges, source: Array, row: Array) -> Array:
    x0, y0 = edges.x0[source], edges.y0[source]
    x1, y1 = edges.x1[source], edges.y1[source]
    crossing: Array = x0 + (row + 0.5 - y0) * (x1 - x0) / (y1 - y0)
    return crossing


def count_in_spans(found: Spans, codes: Array) -> Iterator[tuple[int, Array]]:
    """Yield each code of a window with how many of its pixels every span holds.

    One running sum along the rows counts several codes at once: each has bits of its own, as many
    as a whole row can fill, so the difference of two sums holds every count apart.

    Parameters
    ----------
    found
        Spans within the window.
    codes
        Array of the window, integers from 0.
    """
    seen = np.zeros(int(codes.max()) + 1, dtype=bool)
    seen[codes] = True
    present = np.flatnonzero(seen)
    bits = codes.shape[1].bit_length()
    running = np.zeros((codes.shape[0], codes.shape[1] + 1), dtype=np.int64)
    for start in range(0, len(present), 63 // bits):
        group = present[start : start + 63 // bits]
        step = np.zeros(len(seen), dtype=np.int64)
        step[group] = 1 << (bits * np.arange(len(group)))
        np.cumsum(step[codes], axis=1, out=running[:, 1:])
        packed = running[found.row, found.stop] - running[found.row, found.start]
        for place, code in enumerate(group):
            yield int(code), (packed >> (bits * place)) & ((1 << bits) - 1)
