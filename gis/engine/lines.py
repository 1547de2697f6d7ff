"""The lines of a plan as single segments in a grid: which of them run near a site, and how near?

A search over whole lines measures each line from end to end; a road runs through all of a county.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis.engine.index import Array, Kinds, LayerIndex
from gis.engine.kernel import TOUCH_M, Edges

# Rings of a layer with more vertices would take more memory than a search through them is worth.
_MOST_VERTICES = 500_000


@dataclass(frozen=True, eq=False)
class Segments:
    """The lines of all line layers as single segments.

    ``ends`` are x1, y1, x2, y2; ``layer`` is a place in the ``ids`` of the stack, ``feature`` a
    position in the layer, ``half_width`` metres from the line to the land edge, NaN where unknown.
    """

    ends: Array
    layer: Array
    feature: Array
    half_width: Array

    def of(self, own: Array) -> Segments:
        """Return some of the segments."""
        return Segments(*(c[own] for c in (self.ends, self.layer, self.feature, self.half_width)))


class Lines:
    """The segments of one line layer in a grid of square cells.

    A segment stands in every cell that its box meets; a cell is about as large as a segment, and
    holds a few of them.
    """

    def __init__(self, segments: Segments) -> None:
        self.ends = np.ascontiguousarray(segments.ends)
        self.feature = np.ascontiguousarray(segments.feature)
        # A line of unknown width is its own edge.
        self.halves = np.nan_to_num(segments.half_width, nan=0.0)
        low, high = np.minimum(*self._corners()), np.maximum(*self._corners())
        self.corner = low.min(axis=0)
        extent = high.max(axis=0) - self.corner
        self._box = (*self.corner.tolist(), *high.max(axis=0).tolist())
        self.cell = _cell_size(extent, (high - low).max(axis=1))
        self.size = np.maximum((extent // self.cell).astype(np.int64) + 1, 1)
        self.starts, self.items = self._cells(low, high)
        self._features = len(np.unique(self.feature))
        (columns, lines), (west, south) = self.size.tolist(), self.corner.tolist()
        self._grid = self.starts, self.items, columns, lines, west, south, self.cell
        self._widest = float(self.halves.max(initial=0.0))

    def _is_far(self, site: Edges, distance_m: float) -> bool:
        """Whether no segment can be so near, because none is anywhere around."""
        west, south, east, north = _box_of(site)[0].tolist()
        own = self._box
        beside = own[0] > east + distance_m or own[2] < west - distance_m
        above_or_below = own[1] > north + distance_m or own[3] < south - distance_m
        return bool(beside or above_or_below)

    def _corners(self) -> tuple[Array, Array]:
        return self.ends[:, :2], self.ends[:, 2:]

    def _cells(self, low: Array, high: Array) -> tuple[Array, Array]:
        first = ((low - self.corner) // self.cell).astype(np.int64)
        last = ((high - self.corner) // self.cell).astype(np.int64)
        columns, lines = (last - first + 1).T
        count = columns * lines
        segment = np.repeat(np.arange(len(count)), count)
        nth = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        column = first[segment, 0] + nth % columns[segment]
        line = first[segment, 1] + nth // columns[segment]
        cell = line * self.size[0] + column
        order = np.argsort(cell, kind="stable")
        starts = np.searchsorted(cell[order], np.arange(self.size.prod() + 1))
        return starts.astype(np.int64), segment[order].astype(np.int64)

    def nearest_m(self, site: Edges, reach_m: float = math.inf) -> float:
        """Return the distance, m, from a site to the nearest land edge, NaN with none in reach."""
        whole, box = np.array([0, len(site.rows)]), _box_of(site)
        distance, _ = self.nearest(whole, site.rows, box, reach_m)
        return float(distance[0])

    def nearest(
        self, offsets: Array, rows: Array, boxes: Array, reach_m: float
    ) -> tuple[Array, Array]:
        """Return the distances, m, from polygons to the nearest land edge, and its feature.

        NaN and -1 where none is in reach; the polygons are given by their edges.
        """
        from gis.engine import nearest_loops

        distance, found = np.empty(len(boxes)), np.empty(len(boxes), dtype=np.int64)
        segments = self.ends, self.halves, self.feature, *self._grid, self._widest
        nearest_loops.nearest(offsets, rows, boxes, *segments, reach_m, distance, found)
        return distance, found

    def near(self, site: Edges, reach_m: float) -> tuple[Array, Array]:
        """Return the features at most ``reach_m`` from a site, and their distances, m.

        Distances run to the line, 0 where it meets the site; the order is that of the features.
        """
        from gis.engine import nearest_loops

        if self._is_far(site, reach_m):
            return _NONE, _NO_DISTANCE
        found = np.empty(self._features, dtype=np.int64)
        apart = np.empty(self._features)
        segments = self.ends, self.feature, *self._grid
        count = nearest_loops.near(site.rows, *segments, reach_m, found, apart)
        order = np.argsort(found[:count])
        return found[:count][order], apart[:count][order]

    def inside_m(self, site: Edges) -> dict[int, float] | None:
        """Return for how many metres features run inside a site, by position.

        None where one runs so near along an edge, or along itself, that it must be cut to be told.
        """
        from gis.engine import length_loops

        found, metres = np.empty(self._features, dtype=np.int64), np.empty(self._features)
        segments = self.ends, self.feature, *self._grid
        box = _box_of(site)[0]
        count = length_loops.inside(site.rows, box, *segments, TOUCH_M, found, metres)
        if count < 0:
            return None
        return dict(zip(found[:count].tolist(), metres[:count].tolist(), strict=True))


_NONE, _NO_DISTANCE = np.array([], dtype=np.int64), np.array([], dtype=float)


def _box_of(site: Edges) -> Array:
    """Return the box around all parts of a site."""
    if len(site.boxes) == 1:
        return site.boxes
    return np.hstack([site.boxes[:, :2].min(axis=0), site.boxes[:, 2:].max(axis=0)])[None]


def _cell_size(extent: Array, lengths: Array) -> float:
    """Return the size of a cell: some segments each, no longer than needed for the median one."""
    even = np.sqrt(max(float(extent[0] * extent[1]), 1.0) / max(len(lengths), 1))
    longest = float(extent.max())
    # A few very long segments must not fill millions of cells.
    return float(max(even, np.median(lengths), longest / 2_000, 1.0))


def segments_of(layers: Sequence[LayerIndex]) -> Segments:
    """Return the segments of the line layers among some layers, in their order."""
    found = [(n, *_ends(layer)) for n, layer in enumerate(layers) if layer.info.geometry == "line"]
    features = [f for _, _, f in found]
    halves = [layers[n].half_widths[f] for n, _, f in found]
    none = np.array([], dtype=np.int64)
    return Segments(
        ends=np.concatenate([np.empty((0, 4)), *(ends for _, ends, _ in found)]),
        layer=np.repeat([n for n, _, _ in found], [len(f) for _, _, f in found]).astype(np.int64),
        feature=np.concatenate([none, *features]),
        half_width=np.concatenate([np.array([], dtype=float), *halves]),
    )


def ring_segments(polygons: BaseGeometry) -> Segments:
    """Return the boundary of a polygon or multipolygon, as one feature without width."""
    lines = shapely.get_rings(shapely.get_parts(polygons))
    ends, _ = _segmented(lines)
    none = np.zeros(len(ends), dtype=np.int64)
    return Segments(ends, none, none, np.zeros(len(ends)))


def outline_of(layer: LayerIndex, kinds: Kinds | None = None) -> Lines | None:
    """Return the rings of polygons, of some classes or all, in a grid that is drawn up once.

    None where there are too many, or none. Threads that ask at once may draw it up twice and get
    the same.
    """
    if kinds not in layer.rings:
        classes = layer.classes.tolist()
        chosen = [i for i, cls in enumerate(classes) if kinds is None or cls in kinds]
        own = np.array(chosen, dtype=np.int64)
        few = 0 < int(layer.sizes[own].sum()) <= _MOST_VERTICES
        layer.rings[kinds] = Lines(_rings(layer, own)) if few else None
    found: Lines | None = layer.rings[kinds]
    return found


def _rings(layer: LayerIndex, own: Array) -> Segments:
    parts, feature = shapely.get_parts(layer.geometries[own], return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    ends, ring = _segmented(rings)
    none = np.zeros(len(ends), dtype=np.int64)
    return Segments(ends, none, own[feature[part[ring]]], np.zeros(len(ends)))


def _ends(layer: LayerIndex) -> tuple[Array, Array]:
    """Return the segments of a line layer as x1, y1, x2, y2, and the feature of each."""
    lines, feature = shapely.get_parts(layer.geometries, return_index=True)
    ends, line = _segmented(lines)
    return ends, feature[line]


def _segmented(lines: Array) -> tuple[Array, Array]:
    """Return the segments of some lines, and the line of each."""
    xy, line = shapely.get_coordinates(lines, return_index=True)
    inner = line[1:] == line[:-1]
    return np.hstack([xy[:-1], xy[1:]])[inner], line[:-1][inner]
