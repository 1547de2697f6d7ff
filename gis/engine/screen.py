"""Which features does a site meet, and how much of it does each one cover?

The first look at a site, or at thousands at once: one search over the pieces of all layers, then
the area kernel. It settles most questions before any overlap is built: nearly every layer is
somewhere else, or covers the whole site.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis.engine import kernel
from gis.engine.index import Array, LayerIndex
from gis.engine.kernel import Edges, Mode
from gis.engine.stack import GROUND, Stack

# Two polygons that share an edge may overlap by rounding: 1e-8 m times a kilometre is 1e-5 m².
# Parts under 1e-4 m² are that noise, a hundred times below the last printed digit.
NOISE_M2 = 1e-4
# What rounding leaves of the overlap with a single piece that only touches.
_ROUNDING_M2 = 1e-7
# Beyond this an overlay with the whole feature takes longer than joining its pieces on the site.
_LARGE_VERTICES = 2_000


class Share(NamedTuple):
    """What one part of a site shares with one piece: planar m², centroid, crossings.

    ``alone`` tells that the piece has no hole, so that also the rest of the site may be in one
    piece; ``piece`` is its place in the stack.
    """

    area: float
    x: float
    y: float
    crossings: int
    alone: bool
    piece: int = -1

    @property
    def is_one_piece(self) -> bool:
        """Whether the shared land is known to be in one piece."""
        return 0 <= self.crossings <= 2


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
# What one site meets, by layer id.
Screened = Mapping[str, Met]


def screen(sites: Array, stack: Stack, *, mode: Mode = "kernel") -> list[Screened]:
    """Return what each of n valid sites (polygons in the work CRS) meets, layer by layer.

    In mode ``geos`` every overlap is built; nothing is then known about its pieces.
    """
    parts, owner = shapely.get_parts(sites, return_index=True)
    at, piece = stack.near(parts)
    own = stack.feature[piece] != GROUND
    at, piece = at[own], piece[own]
    shared = stack.shared(parts, at, piece, mode)
    real = np.flatnonzero(shared.area > _ROUNDING_M2)
    piece = piece[real]
    rows = zip(
        owner[at[real]].tolist(),
        stack.layer[piece].tolist(),
        stack.feature[piece].tolist(),
        shared.area[real].tolist(),
        shared.x[real].tolist(),
        shared.y[real].tolist(),
        shared.crossings[real].tolist(),
        (stack.edges.rings[piece] == 1).tolist(),
        piece.tolist(),
        strict=True,
    )
    return _grouped(len(sites), stack, rows)


def _grouped(
    count: int,
    stack: Stack,
    rows: Iterable[tuple[int, int, int, float, float, float, int, bool, int]],
) -> list[Screened]:
    found: list[dict[str, dict[int, list[Share]]]] = [{} for _ in range(count)]
    for site, layer, feature, area, x, y, crossings, alone, piece in rows:
        features = found[site].setdefault(stack.ids[layer], {})
        share = Share(area, x, y, crossings, alone, piece)
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
    found = kernel.shared(site, land, at, piece)
    return [
        Share(float(a), float(x), float(y), int(n), bool(land.rings[p] == 1))
        for a, x, y, n, p in zip(*found, piece, strict=True)
        if a > _ROUNDING_M2
    ]
