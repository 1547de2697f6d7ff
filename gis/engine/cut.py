"""What do a site and the features of one layer share?

One site over one layer: every feature is cut once, however many rows and demands ask for it.
A shared edge or corner is no overlap; overlapping features count once; sums run in the order of
feature ids (``math.fsum``), so that equal input gives equal bits.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cached_property
from typing import NamedTuple

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from gis.crs import ellipsoidal_area
from gis.engine.crop import Crops
from gis.engine.index import Array, LayerIndex
from gis.model import Area, Site

# Two polygons that share an edge may overlap by rounding: 1e-8 m times a kilometre is 1e-5 m².
# Parts under 1e-4 m² are that noise, a hundred times below the last printed digit.
NOISE_M2 = 1e-4
# A site drawn at the very distance from the edge of a coverage may miss it by rounding.
_EDGE_M = 1e-6


def parts_of(geometry: BaseGeometry) -> list[Polygon]:
    """Return the polygons of an overlay result, without lines, points and rounding noise."""
    parts = shapely.get_parts(geometry, return_index=False)
    return [p for g in parts for p in shapely.get_parts(g) if p.geom_type == "Polygon" and _real(p)]


def _real(part: BaseGeometry) -> bool:
    return bool(part.area > NOISE_M2)


def share_of(area_m2: float, site: Site) -> float:
    """Return an area as share of the site, 0-1."""
    return min(area_m2 / site.area.ellipsoidal_m2, 1.0)


class Parts(NamedTuple):
    """Disjoint polygons of a site and their ellipsoidal areas, m²."""

    shapes: list[Polygon]
    areas: list[float]

    @property
    def area(self) -> Area:
        """Both areas of all parts together."""
        return Area(math.fsum(self.areas), math.fsum(p.area for p in self.shapes))


class Ruler:
    """Measures parts of one site; a part that many layers cut alike is measured once."""

    def __init__(self, site: Site) -> None:
        self._epsg = site.crs.work_epsg
        self._known: dict[bytes, float] = {}

    def measured(self, shapes: list[Polygon]) -> Parts:
        """Return disjoint parts with their areas."""
        return Parts(shapes, [self._area(p) for p in shapes])

    def _area(self, part: Polygon) -> float:
        key = shapely.to_wkb(part)
        if key not in self._known:
            self._known[key] = ellipsoidal_area(part, self._epsg)
        return self._known[key]


class Known:
    """How far a site lies inside a coverage; most layers of a plan share the same one.

    ``coverage`` is the polygon inside which absence of a feature means absence, None when that is
    unknown. Lives as long as one measurement: prepared geometries are never shared by threads.
    """

    def __init__(self, site: Site, ruler: Ruler, coverage: BaseGeometry | None) -> None:
        self.site = site
        self.ruler = ruler
        self.coverage = coverage

    @cached_property
    def uncovered_share(self) -> float | None:
        """Share of the site outside the coverage, 0-1; None when the coverage is unknown."""
        if self.coverage is None:
            return None
        outside = parts_of(shapely.difference(self.site.geometry, self.coverage))
        return share_of(self.ruler.measured(outside).area.ellipsoidal_m2, self.site)

    @cached_property
    def land(self) -> BaseGeometry:
        """The part of the site inside the coverage; nothing when the coverage is unknown."""
        if self.coverage is None:
            return MultiPolygon()
        return shapely.intersection(self.site.geometry, self.coverage)

    @cached_property
    def parts(self) -> Parts:
        """The same land as disjoint parts with their areas."""
        return self.ruler.measured(parts_of(self.land))

    @cached_property
    def _border(self) -> BaseGeometry | None:
        """The edge of the coverage with an index over its segments, None without any reach."""
        if self.coverage is None or self.uncovered_share:
            return None
        border = self.coverage.boundary
        shapely.prepare(border)
        return border

    def reaches(self, within_m: float) -> bool:
        """Return whether every feature within the distance of the site would have been seen."""
        if self._border is None:
            return False
        return not shapely.dwithin(self._border, self.site.geometry, within_m - _EDGE_M)


class Cut:
    """One site over one layer; what was cut once is kept for the next demand.

    ``hits`` are the positions of the features that meet or touch the site.
    """

    def __init__(self, site: Site, crops: Crops, layer: LayerIndex, known: Known) -> None:
        self.site = site
        self.layer = layer
        self.known = known
        self.hits = layer.meeting(site.geometry)
        self._crops = crops
        self._pieces: dict[int, list[Polygon]] = {}
        self._on: dict[tuple[int, ...], Parts] = {}
        self._off: dict[tuple[int, ...], Parts] = {}
        self._features: dict[tuple[int, ...], BaseGeometry] = {}

    def pieces(self, position: int) -> list[Polygon]:
        """Return the polygons of the overlap with one feature."""
        if position not in self._pieces:
            feature = self.layer.geometries[position]
            cut = shapely.intersection(self._crops.around(feature), feature)
            self._pieces[position] = parts_of(cut)
        return self._pieces[position]

    def touched(self, positions: Iterable[int]) -> tuple[int, ...]:
        """Return those of the positions whose features overlap the site."""
        return tuple(int(i) for i in positions if self.pieces(int(i)))

    def on(self, touched: tuple[int, ...]) -> Parts:
        """Return disjoint parts: neighbouring features joined, overlapping ones counted once."""
        if touched not in self._on:
            self._on[touched] = self.known.ruler.measured(self._merged(touched))
        return self._on[touched]

    def _merged(self, touched: tuple[int, ...]) -> list[Polygon]:
        if len(touched) < 2:
            return [p for i in touched for p in self.pieces(i)]
        # Join the features before cutting: their shared vertices are equal, those of cuts are not.
        return parts_of(shapely.intersection(self.site.geometry, self.features(touched)))

    def off(self, touched: tuple[int, ...]) -> Parts:
        """Return the land of the site off some features, inside the coverage of the layer."""
        if not touched:
            return self.known.parts
        if touched not in self._off:
            self._off[touched] = self.off_land(self.features(touched))
        return self._off[touched]

    def off_land(self, land: BaseGeometry) -> Parts:
        """Return the land of the site off some ground, inside the coverage of the layer.

        Nothing is known to be off a layer whose reach is not known.
        """
        return self.known.ruler.measured(parts_of(shapely.difference(self.known.land, land)))

    def features(self, touched: tuple[int, ...]) -> BaseGeometry:
        """Return features as one geometry: cutting with computed pieces would leave noise."""
        if touched not in self._features:
            self._features[touched] = shapely.union_all(self.layer.geometries[list(touched)])
        return self._features[touched]

    def lengths(self, positions: Array) -> Array:
        """Return how many metres of each line run inside the site."""
        cut = shapely.intersection(self.site.geometry, self.layer.geometries[positions])
        # A line along the boundary touches the site; only what runs inside restricts it.
        inside = shapely.difference(cut, self.site.geometry.boundary)
        return np.asarray(shapely.length(inside), dtype=float)
