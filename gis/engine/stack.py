"""All layers of a plan, cut into small pieces and laid under one tree.

Made once and only read afterwards, by threads and processes alike; it holds arrays and a tree, no
prepared geometry. Pieces of features tell what a site meets (``screen``); for layers whose features
overlap there are pieces of their dissolved ground as well, so that areas count once (``overlaps``).
Lines are kept as single segments with the half width of their feature.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis.engine import kernel
from gis.engine.index import Array, LayerIndex
from gis.engine.kernel import Edges, Mode, Shared, edges_of, polygon_of, polygons_of
from gis.engine.subdivide import subdivide
from gis.model import LayerState

# A piece of dissolved ground belongs to no feature.
GROUND = -1


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


@dataclass(frozen=True, eq=False)
class Stack:
    """Pieces and segments of many layers.

    Parameters
    ----------
    ids
        Layer ids; ``layer`` and ``Segments.layer`` are places in it.
    disjoint
        For each layer, whether its features never overlap.
    layer, feature
        For each piece its layer, and the position of its feature in the ``LayerIndex``, ``GROUND``
        for dissolved ground.
    edges
        Of the pieces, in the same order.
    segments
        Of the line layers.
    """

    ids: Sequence[str]
    disjoint: Array
    layer: Array
    feature: Array
    edges: Edges
    segments: Segments
    _shapes: Array | None = field(default=None, repr=False)

    @classmethod
    def of(cls, layers: Iterable[LayerIndex]) -> Stack:
        """Return the stack of the layers that could be read."""
        usable = [layer for layer in layers if layer.state is LayerState.CHECKED]
        cuts = [_pieces(layer) for layer in usable]
        shapes = _joined([pieces for pieces, _ in cuts], object)
        return cls(
            ids=[layer.info.id for layer in usable],
            disjoint=np.array([_is_disjoint(layer) for layer in usable], dtype=bool),
            layer=np.repeat(np.arange(len(cuts)), [len(pieces) for pieces, _ in cuts]),
            feature=_joined([feature for _, feature in cuts], np.int64),
            edges=edges_of(shapes),
            segments=_segments(usable),
            _shapes=shapes,
        )

    @cached_property
    def shapes(self) -> Array:
        """The pieces as polygons; drawn from their edges when the stack was read from a file."""
        return polygons_of(self.edges) if self._shapes is None else self._shapes

    def shape(self, piece: int) -> BaseGeometry:
        """Return one piece as a polygon, without drawing all others."""
        if self._shapes is not None:
            own: BaseGeometry = self._shapes[piece]
            return own
        rows = self.edges.rows[self.edges.offsets[piece] : self.edges.offsets[piece + 1]]
        return polygon_of(np.asarray(rows))

    @cached_property
    def tree(self) -> shapely.STRtree:
        """Tree over the boxes of the pieces."""
        tree = shapely.STRtree(np.asarray(shapely.box(*self.edges.boxes.T)))
        tree.query(shapely.Point(0, 0))  # a tree sorts itself at the first query, not before
        return tree

    @cached_property
    def bears_land(self) -> Array:
        """Which pieces make up the land of their layer, each place once."""
        return np.asarray((self.feature == GROUND) | self.disjoint[self.layer])

    def near(self, polygons: Array) -> tuple[Array, Array]:
        """Return which polygon and which piece may meet, by their boxes, in ascending order."""
        at, piece = self.tree.query(polygons)
        # One sort of one number is faster than a sort by two.
        pairs = np.sort(at * len(self.layer) + piece)
        return np.divmod(pairs, max(len(self.layer), 1))

    def shared(self, polygons: Array, at: Array, piece: Array, mode: Mode = "kernel") -> Shared:
        """Return what polygon ``at[k]`` shares with piece ``piece[k]``."""
        if mode == "geos":
            return kernel.shared_by_geos(polygons, self.shapes, at, piece)
        return kernel.shared(edges_of(polygons), self.edges, at, piece)

    def lines(self, layer: int) -> Lines:
        """Return the segments of one line layer under a tree."""
        return self._lines[layer]

    @cached_property
    def _lines(self) -> dict[int, Lines]:
        segments = self.segments
        return {int(n): Lines(segments, segments.layer == n) for n in np.unique(segments.layer)}

    def prepare(self) -> Stack:
        """Build the trees now, before threads share the stack."""
        _ = self.tree, self._lines, self.bears_land
        return self


class Lines:
    """The segments of one line layer in a grid of square cells.

    A segment stands in every cell that its box meets; a cell is about as large as a segment, and
    holds a few of them.
    """

    def __init__(self, segments: Segments, own: Array) -> None:
        self.ends = np.ascontiguousarray(segments.ends[own])
        self.feature = np.ascontiguousarray(segments.feature[own])
        # A line of unknown width is its own edge.
        self.halves = np.nan_to_num(segments.half_width[own], nan=0.0)
        low, high = np.minimum(*self._corners()), np.maximum(*self._corners())
        self.corner = low.min(axis=0)
        extent = high.max(axis=0) - self.corner
        self.cell = _cell_size(extent, (high - low).max(axis=1))
        self.size = np.maximum((extent // self.cell).astype(np.int64) + 1, 1)
        self.starts, self.items = self._cells(low, high)

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


def _cell_size(extent: Array, lengths: Array) -> float:
    """Return the size of a cell: some segments each, no longer than needed for the median one."""
    even = np.sqrt(max(float(extent[0] * extent[1]), 1.0) / max(len(lengths), 1))
    longest = float(extent.max())
    # A few very long segments must not fill millions of cells.
    return float(max(even, np.median(lengths), longest / 2_000, 1.0))


def _is_disjoint(layer: LayerIndex) -> bool:
    return layer.info.geometry != "polygon" or len(layer) < 2 or layer.is_coverage


def _pieces(layer: LayerIndex) -> tuple[Array, Array]:
    """Return the pieces of a layer and the feature of each."""
    if layer.info.geometry != "polygon" or not len(layer):
        return np.array([], dtype=object), np.array([], dtype=np.int64)
    pieces, feature = subdivide(layer.geometries)
    if _is_disjoint(layer):
        return pieces, feature
    ground, _ = subdivide(np.array([layer.union], dtype=object))
    unowned = np.full(len(ground), GROUND, dtype=np.int64)
    return np.concatenate([pieces, ground]), np.concatenate([feature, unowned])


def _segments(layers: Sequence[LayerIndex]) -> Segments:
    found = [(n, *_ends(layer)) for n, layer in enumerate(layers) if layer.info.geometry == "line"]
    feature = _joined([f for _, _, f in found], np.int64)
    halves = [layers[n].half_widths[f] for n, _, f in found]
    return Segments(
        ends=np.concatenate([np.empty((0, 4)), *(ends for _, ends, _ in found)]),
        layer=np.repeat([n for n, _, _ in found], [len(f) for _, _, f in found]).astype(np.int64),
        feature=feature,
        half_width=_joined(halves, float),
    )


def _ends(layer: LayerIndex) -> tuple[Array, Array]:
    """Return the segments of a line layer as x1, y1, x2, y2, and the feature of each."""
    lines, feature = shapely.get_parts(layer.geometries, return_index=True)
    xy, line = shapely.get_coordinates(lines, return_index=True)
    inner = line[1:] == line[:-1]
    return np.hstack([xy[:-1], xy[1:]])[inner], feature[line[:-1][inner]]


def _joined(arrays: Sequence[Array], dtype: type) -> Array:
    return np.concatenate([np.array([], dtype=dtype), *arrays])
