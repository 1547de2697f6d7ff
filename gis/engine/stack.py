"""All layers of a plan, cut into small pieces and laid under one tree.

Made once and only read afterwards, by threads and processes alike; it holds arrays and a tree, no
prepared geometry. Pieces of features tell what a site meets (``screen``); for layers whose features
overlap there are pieces of their dissolved ground as well, so that areas count once (``overlaps``).
Lines are kept as single segments (``lines``).
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
from gis.engine.lines import Lines, Segments, segments_of
from gis.engine.subdivide import subdivide
from gis.model import LayerState

# A piece of dissolved ground belongs to no feature.
GROUND = -1


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
            segments=segments_of(usable),
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

    def shared(
        self, polygons: Array, edges: Edges, at: Array, piece: Array, mode: Mode = "kernel"
    ) -> Shared:
        """Return what polygon ``at[k]`` shares with piece ``piece[k]``; ``edges`` are theirs."""
        if mode == "geos":
            return kernel.shared_by_geos(polygons, self.shapes, at, piece)
        return kernel.shared(edges, self.edges, at, piece)

    def lines(self, layer: int) -> Lines:
        """Return the segments of one line layer under a tree."""
        return self._lines[layer]

    def lines_of(self, layer: str) -> Lines | None:
        """Return the same by the id of the layer, None when it has no line at all."""
        return self._lines.get(self._places.get(layer, -1))

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: n for n, name in enumerate(self.ids)}

    @cached_property
    def _lines(self) -> dict[int, Lines]:
        segments = self.segments
        return {int(n): Lines(segments.of(segments.layer == n)) for n in np.unique(segments.layer)}

    def tell(self, layers: Sequence[LayerIndex]) -> None:
        """Tell layers whether they are coverages: a county takes half a minute to find out."""
        known = dict(zip(self.ids, self.disjoint.tolist(), strict=True))
        for layer in layers:
            is_known = layer.info.geometry == "polygon" and len(layer) > 1
            if is_known and layer.info.id in known:
                layer.__dict__.setdefault("is_coverage", known[layer.info.id])

    def prepare(self) -> Stack:
        """Build the trees now, before threads share the stack."""
        _ = self.tree, self._lines, self.bears_land
        return self


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


def _joined(arrays: Sequence[Array], dtype: type) -> Array:
    return np.concatenate([np.array([], dtype=dtype), *arrays])
