"""What has the screening of a site told of the lands that budgets count?

Areas of the site on features, on features of two layers at once, and off what a layer covers: from
the sums of the area kernel, without building any of it. ``None`` says that a budget must be cut.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from shapely.geometry.base import BaseGeometry

from gis.engine import Screened
from gis.engine.areal import ArealFactor
from gis.engine.index import Array, LayerIndex
from gis.engine.kernel import Edges
from gis.engine.lazy import lazy
from gis.engine.outlines import common, shared_with
from gis.engine.screen import NOISE_M2, NOTHING_MET, Share, ground_of, pieces_of
from gis.model import Site


class Seen:
    """One screened site, small enough for a linear areal factor.

    Parameters
    ----------
    site
        In the work CRS.
    met
        What it meets.
    layers
        By id, those that budgets look at.
    lands
        By the identity of a geometry the layer whose whole land it is, where its features do not
        overlap: coverages and the area of the plan.
    """

    def __init__(
        self,
        site: Site,
        met: Screened,
        layers: Mapping[str, LayerIndex],
        lands: Mapping[int, str],
    ) -> None:
        self.whole_m2 = site.area.ellipsoidal_m2
        self._planar_m2 = site.area.planar_m2
        self._factor = ArealFactor(site)
        self._met = met
        self._layers = layers
        self._lands = lands
        self._areas: dict[str, dict[int, float]] = {}
        self._edges: dict[tuple[str, tuple[int, ...]], Edges | None] = {}

    def areas(self, layer: str) -> Mapping[int, float]:
        """Return the m² on the ellipsoid on each feature of a layer, by position."""
        if layer not in self._areas:
            shares = self._met.get(layer, NOTHING_MET).shares
            self._areas[layer] = {
                position: self._m2((s.area, s.x, s.y) for s in own)
                for position, own in shares.items()
            }
        return self._areas[layer]

    def ground(self, layer: str, position: int) -> BaseGeometry:
        """Return a feature, or at least what of it lies on the site."""
        return ground_of(self._layers[layer], self._met[layer], position)

    def is_inside(self, land: BaseGeometry) -> bool:
        """Whether the site is known to lie on one feature of the layer whose land this is."""
        areas = self._met.get(self._lands.get(id(land), ""), NOTHING_MET).areas.values()
        return any(area >= self._planar_m2 - NOISE_M2 for area in areas)

    def inside_m2(self, land: BaseGeometry) -> float | None:
        """Return how much of the site lies on the whole land of a layer."""
        name = self._lands.get(id(land))
        return None if name is None else math.fsum(self.areas(name).values())

    def on_land(self, layer: str, at: Array, land: BaseGeometry) -> Array | None:
        """Return how much of each of some features lies on the whole land of another layer."""
        name = self._lands.get(id(land))
        if name is None:
            return None
        return self.on_both(name, tuple(self.areas(name)), layer, at)

    def on_both(self, first: str, chosen: Sequence[int], second: str, at: Array) -> Array | None:
        """Return how much of the second layer's features ``at`` lies on those of the first.

        Features of the first layer must not overlap.
        """
        if not len(at) or not len(chosen):
            return np.zeros(len(at))
        if not self._met.may_trace:
            return None
        edges = self._edges_on(first, tuple(chosen))
        if edges is None:
            return None
        shares = self._met[second].shares
        owner = {s.piece: i for i in at.tolist() for s in shares[i]}
        found: dict[int, list[tuple[float, float, float]]] = {i: [] for i in at.tolist()}
        for piece, *share in shared_with(edges, self._stack, np.array(list(owner))):
            found[owner[piece]].append((share[0], share[1], share[2]))
        return np.array([self._m2(rows) for rows in found.values()])

    def _edges_on(self, layer: str, positions: tuple[int, ...]) -> Edges | None:
        """Return the edges of the site's land on some features, None where it is not simple."""
        key = layer, positions
        if key not in self._edges:
            shares = [s for i in positions for s in self._met[layer].shares[i]]
            self._edges[key] = self._traced(shares)
        return self._edges[key]

    def _traced(self, shares: Sequence[Share]) -> Edges | None:
        outlines = common(self._met.edges, self._stack, pieces_of(shares))
        return None if outlines is None else outlines.edges

    @lazy
    def _stack(self) -> Edges:
        return self._met.stack.edges

    def _m2(self, shares: Iterable[tuple[float, float, float]]) -> float:
        return math.fsum([self._factor.area(*share) for share in shares])
