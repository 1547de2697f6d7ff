"""What of a stack is needed around some sites, where only the features around them are known?

Cutting a large polygon into pieces takes seconds, and it is large however little of it is near. So
its pieces near by travel, and are laid among those of the small polygons, which are cheap to make
anew: the result has the same pieces in the same order as the whole stack, less those further away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from gis.engine.index import Array, LayerIndex
from gis.engine.kernel import Edges, edges_of
from gis.engine.lines import segments_of
from gis.engine.stack import GROUND, Stack
from gis.engine.subdivide import MOST_VERTICES
from gis.model import LayerState


@dataclass(frozen=True, slots=True, eq=False)
class Nearby:
    """The pieces of large polygons and of dissolved ground around some place.

    ``layer`` is a place in ``ids``, ``feature`` a position among the features that are known there.
    """

    ids: Sequence[str]
    disjoint: Array
    layer: Array
    feature: Array
    edges: Edges


def nearby(
    stack: Stack,
    layers: Mapping[str, LayerIndex],
    known: Mapping[str, Array],
    around: shapely.Polygon,
) -> Nearby:
    """Return the pieces whose boxes meet a rectangle, those of small polygons left out.

    Parameters
    ----------
    stack, layers
        All pieces, and the layers that they were made of, by id.
    known
        For each layer the positions of the features that are known where the pieces go, ascending.
    """
    piece = np.sort(stack.tree.query(around))
    layer, feature = stack.layer[piece], stack.feature[piece]
    own = feature == GROUND
    place = np.full(len(piece), GROUND, dtype=np.int64)
    for n, name in enumerate(stack.ids):
        at = np.flatnonzero((layer == n) & (feature != GROUND))
        sizes = layers[name].sizes
        at = at[(sizes[feature[at]] > MOST_VERTICES) & np.isin(feature[at], known[name])]
        own[at], place[at] = True, np.searchsorted(known[name], feature[at])
    ids, edges = list(stack.ids), _taken(stack.edges, piece[own])
    return Nearby(ids, np.array(stack.disjoint), layer[own], place[own], edges)


def stack_of(found: Nearby, layers: Sequence[LayerIndex]) -> Stack:
    """Return the stack of layers of which only the features around some place are known."""
    usable = [layer for layer in layers if layer.state is LayerState.CHECKED]
    small = [_small(layer) for layer in usable]
    shapes = np.concatenate([np.array([], dtype=object), *(parts for parts, _ in small)])
    counts = [len(parts) for parts, _ in small]
    layer = np.concatenate([np.repeat(np.arange(len(small)), counts), found.layer])
    feature = np.concatenate([*(owner for _, owner in small), found.feature]).astype(np.int64)
    # Ground comes behind the features of its layer; pieces of one feature keep their order.
    rank = np.where(feature == GROUND, np.iinfo(np.int64).max, feature)
    order = np.lexsort((rank, layer))
    edges = _taken(_joined(edges_of(shapes), found.edges), order)
    segments = segments_of(usable)
    return Stack(found.ids, found.disjoint, layer[order], feature[order], edges, segments)


def _small(layer: LayerIndex) -> tuple[Array, Array]:
    """Return the parts of the polygons that were never cut, and the feature of each."""
    if layer.info.geometry != "polygon" or not len(layer):
        return np.array([], dtype=object), np.array([], dtype=np.int64)
    at = np.flatnonzero(layer.sizes <= MOST_VERTICES)
    parts, owner = shapely.get_parts(layer.geometries[at], return_index=True)
    return parts, at[owner]


def _taken(edges: Edges, at: Array) -> Edges:
    """Return the edges of some polygons, in the order that is asked for."""
    lengths = np.diff(edges.offsets)[at]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    row = np.arange(offsets[-1]) + np.repeat(edges.offsets[:-1][at] - offsets[:-1], lengths)
    return Edges(offsets, edges.rows[row], edges.boxes[at], edges.parts[at], edges.rings[at])


def _joined(one: Edges, other: Edges) -> Edges:
    offsets = np.concatenate([one.offsets, other.offsets[1:] + one.offsets[-1]])
    rest = (np.concatenate(pair) for pair in zip(one[1:], other[1:], strict=True))
    return Edges(offsets, *rest)
