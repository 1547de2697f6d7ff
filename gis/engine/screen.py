"""Which features does a site meet, and how much of it does each one cover?

The first look at a site, or at thousands at once: one search over the pieces of all layers, then
the area kernel. It settles most questions before any overlap is built: nearly every layer is
somewhere else, or covers the whole site.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
import shapely

from gis.engine import kernel
from gis.engine.index import Array, LayerIndex
from gis.engine.kernel import Edges, Mode
from gis.model import LayerState

# Two polygons that share an edge may overlap by rounding: 1e-8 m times a kilometre is 1e-5 m².
# Parts under 1e-4 m² are that noise, a hundred times below the last printed digit.
NOISE_M2 = 1e-4
# What rounding leaves of the overlap with a single piece that only touches.
_ROUNDING_M2 = 1e-7


class Pieces(Protocol):
    """The polygons of many layers, cut into pieces, under one tree.

    ``layer`` and ``feature`` say for each piece to which layer (a place in ``ids``) and to which of
    its features (a position in its ``LayerIndex``) it belongs.
    """

    @property
    def ids(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def tree(self) -> shapely.STRtree: ...  # noqa: D102
    @property
    def layer(self) -> Array: ...  # noqa: D102
    @property
    def feature(self) -> Array: ...  # noqa: D102
    @property
    def edges(self) -> Edges: ...  # noqa: D102


class Share(NamedTuple):
    """What one part of a site shares with one piece: planar m², centroid, crossings.

    ``alone`` tells that the piece has no hole, so that also the rest of the site may be in one
    piece.
    """

    area: float
    x: float
    y: float
    crossings: int
    alone: bool

    @property
    def is_one_piece(self) -> bool:
        """Whether the shared land is known to be in one piece."""
        return 0 <= self.crossings <= 2


@dataclass(frozen=True, slots=True)
class Met:
    """What one site shares with the features of one layer, by position; noise left out.

    ``areas`` are the planar m² of the site in each feature, ``shares`` what they consist of.
    """

    areas: Mapping[int, float] = field(default_factory=dict)
    shares: Mapping[int, Sequence[Share]] = field(default_factory=dict)


NOTHING_MET = Met()
# What one site meets, by layer id.
Screened = Mapping[str, Met]


def screen(sites: Array, pieces: Pieces, *, mode: Mode = "kernel") -> list[Screened]:
    """Return what each of n valid sites (polygons in the work CRS) meets, layer by layer.

    In mode ``geos`` every overlap is built; nothing is then known about its pieces.
    """
    parts, owner = shapely.get_parts(sites, return_index=True)
    at, piece = pieces.tree.query(parts)
    order = np.lexsort((piece, pieces.feature[piece], at, pieces.layer[piece], owner[at]))
    at, piece = at[order], piece[order]
    shared = _shared(parts, pieces, at, piece, mode)
    real = np.flatnonzero(shared.area > _ROUNDING_M2)
    rows = zip(
        owner[at[real]].tolist(),
        pieces.layer[piece[real]].tolist(),
        pieces.feature[piece[real]].tolist(),
        shared.area[real].tolist(),
        shared.x[real].tolist(),
        shared.y[real].tolist(),
        shared.crossings[real].tolist(),
        (pieces.edges.rings[piece[real]] == 1).tolist(),
        strict=True,
    )
    return _grouped(len(sites), pieces.ids, rows)


def _shared(parts: Array, pieces: Pieces, at: Array, piece: Array, mode: Mode) -> kernel.Shared:
    if mode == "kernel":
        return kernel.shared(kernel.edges_of(parts), pieces.edges, at, piece)
    return kernel.shared_by_geos(parts, pieces.tree.geometries, at, piece)


def _grouped(
    count: int,
    ids: Sequence[str],
    rows: Iterable[tuple[int, int, int, float, float, float, int, bool]],
) -> list[Screened]:
    found: list[dict[str, dict[int, list[Share]]]] = [{} for _ in range(count)]
    for site, layer, feature, area, x, y, crossings, alone in rows:
        features = found[site].setdefault(ids[layer], {})
        features.setdefault(feature, []).append(Share(area, x, y, crossings, alone))
    return [
        {name: met for name, shares in layers.items() if (met := _met(shares)).areas}
        for layers in found
    ]


def _met(shares: Mapping[int, Sequence[Share]]) -> Met:
    areas = {feature: math.fsum(s.area for s in own) for feature, own in shares.items()}
    real = {feature: area for feature, area in areas.items() if area > NOISE_M2}
    return Met(real, {feature: shares[feature] for feature in real})


def shares_of(site: Edges, land: Edges) -> list[Share]:
    """Return what the parts of one site share with the parts of some land."""
    west, south, east, north = site.boxes.T[:, :, None]
    own = land.boxes.T[:, None, :]
    near = (own[0] < east) & (own[2] > west) & (own[1] < north) & (own[3] > south)
    at, piece = np.nonzero(near)
    found = kernel.shared(site, land, at, piece)
    return [
        Share(float(a), float(x), float(y), int(n), bool(land.rings[p] == 1))
        for a, x, y, n, p in zip(*found, piece, strict=True)
        if a > _ROUNDING_M2
    ]


# --- pieces without a plan -----------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class PlainPieces:
    """The polygons of a few layers as they are, a multipolygon by its parts."""

    ids: Sequence[str]
    tree: shapely.STRtree
    layer: Array
    feature: Array
    edges: Edges


def plain_pieces(layers: Iterable[LayerIndex]) -> PlainPieces:
    """Return the polygons of the layers that could be read, uncut."""
    usable = [
        layer
        for layer in layers
        if layer.info.geometry == "polygon" and layer.state is LayerState.CHECKED
    ]
    parts = [shapely.get_parts(layer.geometries, return_index=True) for layer in usable]
    polygons = np.concatenate([p for p, _ in parts] or [np.array([], dtype=object)])
    numbers = np.repeat(np.arange(len(parts)), [len(p) for p, _ in parts])
    return PlainPieces(
        ids=[layer.info.id for layer in usable],
        tree=shapely.STRtree(polygons),
        layer=numbers,
        feature=np.concatenate([f for _, f in parts] or [np.array([], dtype=np.int64)]),
        edges=kernel.edges_of(polygons),
    )
