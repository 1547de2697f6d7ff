"""Which features does a site meet, and how much of it does each one cover?

The first look at a site, or at thousands at once: one search over the pieces of all layers, then
the area kernel. It settles most questions before any overlap is built: nearly every layer is
somewhere else, or covers the whole site.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis.engine.index import Array, LayerIndex
from gis.engine.kernel import TOUCH_M, Edges, Mode, edges_of
from gis.engine.lazy import lazy
from gis.engine.stack import GROUND, Stack

# Two polygons that share an edge may overlap by rounding: 1e-8 m times a kilometre is 1e-5 m².
# Parts under 1e-4 m² are that noise, a hundred times below the last printed digit.
NOISE_M2 = 1e-4
# Of the outlines together and of the area kernel; both are good to 1e-7 m² at this size.
_AGREES_M2 = 1e-5
# What rounding leaves of the overlap with a single piece that only touches.
_ROUNDING_M2 = 1e-7
# Beyond this an overlay with the whole feature takes longer than joining its pieces on the site.
_LARGE_VERTICES = 2_000


class Share(NamedTuple):
    """What one part of a site shares with one piece: planar m², centroid, crossings.

    ``least`` is the planar m² of its smallest polygon, 0 when that is not sure. ``alone`` tells
    that the piece has no hole, so that also the rest of the site may be in one piece; ``piece`` is
    its place in the stack, ``part`` that of the part of the site in its table.
    """

    area: float
    x: float
    y: float
    crossings: int
    least: float
    alone: bool
    piece: int = -1

    @property
    def is_one_piece(self) -> bool:
        """Whether the shared land is known to be in one piece."""
        return 0 <= self.crossings <= 2


def pieces_of(shares: Iterable[Share]) -> Array:
    """Return the places in the stack of the pieces that some land is shared with, each once."""
    return np.array(list({share.piece for share in shares}), dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Met:
    """What one site shares with the features of one layer, by position; noise left out.

    ``areas`` are the planar m² of the site in each feature, ``shares`` what they consist of,
    ``stack`` has the pieces.
    """

    areas: Mapping[int, float] = field(default_factory=dict)
    shares: Mapping[int, Sequence[Share]] = field(default_factory=dict)
    stack: Stack | None = field(default=None, compare=False, repr=False)

    def ground(self, position: int) -> BaseGeometry | None:
        """Return a feature as far as it lies on the site, joined from its pieces.

        What lies beyond the site is missing. Where a cut of the stack met an edge, one more vertex
        lies on it.
        """
        if self.stack is None:
            return None
        pieces = dict.fromkeys(share.piece for share in self.shares[position])
        return shapely.union_all([self.stack.shape(piece) for piece in pieces])


def ground_of(layer: LayerIndex, met: Met, position: int) -> BaseGeometry:
    """Return a feature; of a very large one what lies on the site, as an overlay reads it all."""
    feature: BaseGeometry = layer.geometries[position]
    if layer.sizes[position] <= _LARGE_VERTICES:
        return feature
    return met.ground(position) or feature


NOTHING_MET = Met()


class Screened(dict[str, Met]):
    """What one site meets, by layer id.

    Parameters
    ----------
    layers
        Only those that share land with the site.
    stack
        Of all layers.
    table, first, last
        The edges of the parts of some sites; this one has the parts ``first`` up to ``last``.
    mode
        How the sites were screened; in mode ``geos`` nothing may be traced later either.
    """

    def __init__(
        self,
        layers: Mapping[str, Met],
        stack: Stack,
        table: Edges,
        first: int,
        last: int,
        mode: Mode = "kernel",
    ) -> None:
        super().__init__(layers)
        self.stack = stack
        self.may_trace = mode == "kernel"
        self._table, self._first, self._last = table, first, last

    @lazy
    def edges(self) -> Edges:
        """The edges of the parts of the site."""
        own, (first, last) = self._table, (self._first, self._last)
        begin, end = own.offsets[first], own.offsets[last]
        parts = slice(first, last)
        offsets = own.offsets[first : last + 1] - begin
        return Edges(
            offsets, own.rows[begin:end], own.boxes[parts], own.parts[parts], own.rings[parts]
        )


def screen(sites: Array, stack: Stack, *, mode: Mode = "kernel") -> list[Screened]:
    """Return what each of n valid sites (polygons in the work CRS) meets, layer by layer.

    In mode ``geos`` every overlap is built; nothing is then known about its pieces.
    """
    if len(sites) == 1 and sites[0].geom_type == "Polygon":
        parts, owner = sites, _FIRST
    else:
        parts, owner = shapely.get_parts(sites, return_index=True)
    edges = edges_of(parts)
    at, piece = stack.near(parts)
    if mode == "geos":
        pairs = _by_geos(parts, stack, edges, at, piece)
    else:
        pairs = _pairs(edges, stack.edges, at, piece, stack.feature)
    places = owner[pairs.part].tolist(), stack.layer[pairs.piece].tolist()
    features = stack.feature[pairs.piece].tolist()
    found = _grouped(len(sites), stack, zip(*places, features, _shares(pairs), strict=True))
    first = np.searchsorted(owner, np.arange(len(sites) + 1)).tolist()
    spans = zip(found, pairwise(first), strict=True)
    return [Screened(own, stack, edges, *span, mode) for own, span in spans]


_FIRST = np.zeros(1, dtype=np.int64)


class _Pairs(NamedTuple):
    """Parts of sites and the pieces that they share land with; columns of equal length.

    ``alone`` tells that a piece has no hole.
    """

    part: Array
    piece: Array
    area: Array
    x: Array
    y: Array
    crossings: Array
    least: Array
    alone: Array


def _pairs(site: Edges, land: Edges, at: Array, piece: Array, feature: Array) -> _Pairs:
    """Return those of some pairs that share land; ``feature`` is that of each piece."""
    from gis.engine import screen_loops

    columns = [np.empty(len(at), dtype=kind) for kind in _COLUMNS]
    count = screen_loops.met(
        at, piece, feature,
        site.offsets, site.rows, site.boxes, land.offsets, land.rows, land.boxes,
        TOUCH_M, _ROUNDING_M2, _AGREES_M2, *columns,
    )  # fmt: skip
    own = [column[:count] for column in columns]
    return _Pairs._make([*own, land.rings[own[1]] == 1])


_COLUMNS = (np.int64, np.int64, float, float, float, np.int32, float)


def _by_geos(parts: Array, stack: Stack, site: Edges, at: Array, piece: Array) -> _Pairs:
    """Return the same from overlaps that are built; nothing is known about their pieces."""
    own = stack.feature[piece] != GROUND
    at, piece = at[own], piece[own]
    shared = stack.shared(parts, site, at, piece, "geos")
    real = np.flatnonzero(shared.area > _ROUNDING_M2)
    at, piece = at[real], piece[real]
    told = [column[real] for column in shared]
    alone = stack.edges.rings[piece] == 1
    return _Pairs._make([at, piece, *told, np.zeros(len(real)), alone])


def _shares(pairs: _Pairs) -> Iterator[Share]:
    """Yield what parts of sites share with pieces of land."""
    columns = *pairs[2:7], pairs.alone, pairs.piece
    return map(Share, *(column.tolist() for column in columns))


def _grouped(
    count: int, stack: Stack, rows: Iterable[tuple[int, int, int, Share]]
) -> list[dict[str, Met]]:
    found: list[dict[str, dict[int, list[Share]]]] = [{} for _ in range(count)]
    for site, layer, feature, share in rows:
        features = found[site].setdefault(stack.ids[layer], {})
        features.setdefault(feature, []).append(share)
    return [
        {name: met for name, shares in layers.items() if (met := _met(shares, stack)).areas}
        for layers in found
    ]


def _met(shares: Mapping[int, Sequence[Share]], stack: Stack) -> Met:
    areas = {feature: math.fsum(s.area for s in own) for feature, own in shares.items()}
    real = {feature: area for feature, area in areas.items() if area > NOISE_M2}
    return Met(real, {feature: shares[feature] for feature in real}, stack)


def shares_of(site: Edges, land: Edges) -> list[Share]:
    """Return what the parts of one site share with the parts of some land."""
    west, south, east, north = site.boxes.T[:, :, None]
    own = land.boxes.T[:, None, :]
    near = (own[0] < east) & (own[2] > west) & (own[1] < north) & (own[3] > south)
    at, piece = np.nonzero(near)
    nowhere = np.zeros(len(land.boxes), dtype=np.int64)
    return list(_shares(_pairs(site, land, at, piece, nowhere)))
