"""What do a site and the features of one layer share?

One site over one layer: every feature is cut at most once, however many rows and demands ask for
it, and not at all where the screening has told enough. A shared edge or corner is no overlap;
overlapping features count once; sums are exact (``math.fsum``), so that equal input gives equal
bits.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cached_property

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from gis.engine.crop import Crops
from gis.engine.index import Array, LayerIndex
from gis.engine.ruler import NOTHING, Parts, Ruler, parts_of
from gis.engine.screen import NOISE_M2, Met, Share
from gis.model import Site

# A site drawn at the very distance from the edge of a coverage may miss it by rounding.
_EDGE_M = 1e-6
# Rounding leaves no thousand parts of noise that would be taken for this much land together.
_LAND_M2 = 1.0


def share_of(area_m2: float, site: Site) -> float:
    """Return an area as share of the site, 0-1."""
    return min(area_m2 / site.area.ellipsoidal_m2, 1.0)


class Known:
    """How far a site lies inside a coverage; most layers of a plan share the same one.

    ``coverage`` is the polygon inside which absence of a feature means absence, None when that is
    unknown; ``whole`` tells that the site is known to lie inside.
    """

    def __init__(self, ruler: Ruler, coverage: BaseGeometry | None, *, whole: bool = False) -> None:
        self.site = ruler.site
        self.ruler = ruler
        self.coverage = coverage
        self._told = whole
        self._reached_m = -math.inf

    @cached_property
    def is_whole(self) -> bool:
        """Whether the site lies inside the coverage."""
        if self.coverage is None:
            return False
        return self._told or bool(self.coverage.covers(self.site.geometry))

    @cached_property
    def uncovered_share(self) -> float | None:
        """Share of the site outside the coverage, 0-1; None when the coverage is unknown."""
        if self.coverage is None or self.is_whole:
            return None if self.coverage is None else 0.0
        outside = parts_of(shapely.difference(self.site.geometry, self.coverage))
        return share_of(self.ruler.measured(outside).area.ellipsoidal_m2, self.site)

    @cached_property
    def land(self) -> BaseGeometry:
        """The part of the site inside the coverage; nothing when the coverage is unknown."""
        if self.coverage is None:
            return MultiPolygon()
        if self.is_whole:
            return self.site.geometry
        return shapely.intersection(self.site.geometry, self.coverage)

    @cached_property
    def parts(self) -> Parts:
        """The same land as disjoint parts with their areas."""
        if self.is_whole:
            return self.ruler.whole
        return self.ruler.measured(parts_of(self.land))

    def reaches(self, within_m: float) -> bool:
        """Return whether every feature within the distance of the site would have been seen."""
        if self.coverage is None or self.uncovered_share:
            return False
        if within_m > self._reached_m:
            distance = within_m - _EDGE_M
            border = border_of(self.coverage)
            if border.query(self.site.geometry, predicate="dwithin", distance=distance).size:
                return False
            self._reached_m = within_m
        return True


_BORDERS: dict[int, tuple[BaseGeometry, shapely.STRtree]] = {}
_KEPT = 64


def border_of(coverage: BaseGeometry) -> shapely.STRtree:
    """Return the segments of the border of a coverage under a tree, drawn up once.

    Known by identity, and kept beside the geometry so that no other can take its place. Threads
    that ask at once may make it twice; a dictionary is changed in one step each.
    """
    known = _BORDERS.get(id(coverage))
    if known is None:
        xy, ring = shapely.get_coordinates(
            shapely.get_rings(shapely.get_parts(coverage)), return_index=True
        )
        inner = ring[1:] == ring[:-1]
        segments = np.stack([xy[:-1][inner], xy[1:][inner]], axis=1)
        tree = shapely.STRtree(np.asarray(shapely.linestrings(segments)))
        tree.query(shapely.Point(0, 0))  # a tree sorts itself at the first query, not before
        if len(_BORDERS) >= _KEPT:
            _BORDERS.clear()
        known = _BORDERS[id(coverage)] = (coverage, tree)
    return known[1]


class Cut:
    """One site over one layer; what was cut once is kept for the next demand.

    ``hits`` are the positions of the features that overlap the site, or for lines and points meet
    or touch it.
    """

    def __init__(self, crops: Crops, layer: LayerIndex, known: Known, met: Met) -> None:
        self.site = known.site
        self.layer = layer
        self.known = known
        self._ruler = known.ruler
        self._met = met
        self._crops = crops
        self._chosen: dict[tuple[tuple[str, ...], bool], tuple[int, ...]] = {}
        self._near: tuple[float, Array, Array] | None = None
        self._pieces: dict[int, list[Polygon]] = {}
        self._on: dict[tuple[int, ...], Parts] = {}
        self._off: dict[tuple[int, ...], Parts] = {}
        self._features: dict[tuple[int, ...], BaseGeometry] = {}

    @cached_property
    def hits(self) -> Array:
        """Positions, sorted."""
        if self.layer.info.geometry == "polygon":
            return np.array(sorted(self._met.areas), dtype=int)
        return self.layer.meeting(self.site.geometry)

    def pieces(self, position: int) -> list[Polygon]:
        """Return the polygons of the overlap with one feature."""
        if position not in self._pieces:
            feature = self.layer.geometries[position]
            cut = shapely.intersection(self._crops.around(feature), feature)
            self._pieces[position] = parts_of(cut)
        return self._pieces[position]

    def chosen(self, classes: tuple[str, ...], *, excluding: bool = False) -> tuple[int, ...]:
        """Return the features of some classes, or of all others, that overlap the site."""
        key = classes, excluding
        found = self._chosen.get(key)
        if found is None:
            found = self.touched(self.layer.select(self.hits, classes, excluding=excluding))
            self._chosen[key] = found
        return found

    def near(self, distance_m: float, reach_m: float) -> tuple[Array, Array]:
        """Return the features at most ``distance_m`` from the site, and their distances.

        The layer is searched as far as ``reach_m`` once, for everybody who asks for less.
        """
        if self._near is None or self._near[0] < distance_m:
            reach = max(reach_m, distance_m)
            found = self.layer.within(self.site.geometry, reach)
            apart = shapely.distance(self.site.geometry, self.layer.geometries[found])
            self._near = reach, found, apart
        _, found, apart = self._near
        if not len(found):
            return found, apart
        within = apart <= distance_m
        return found[within], apart[within]

    def touched(self, positions: Iterable[int]) -> tuple[int, ...]:
        """Return those of the positions whose features overlap the site."""
        return tuple(i for i in map(int, positions) if self._overlaps(i))

    def _overlaps(self, position: int) -> bool:
        area = self._met.areas.get(position, 0.0)
        return area > _LAND_M2 or (area > 0 and bool(self.pieces(position)))

    def on(self, touched: tuple[int, ...]) -> Parts:
        """Return disjoint parts: neighbouring features joined, overlapping ones counted once."""
        if not touched:
            return NOTHING
        if touched not in self._on:
            self._on[touched] = self._joined(touched)
        return self._on[touched]

    def _joined(self, touched: tuple[int, ...]) -> Parts:
        if not self._covering.isdisjoint(touched):
            return self._ruler.whole
        if len(touched) > 1 and not self.layer.is_coverage:
            return self._ruler.measured(self._merged(touched))
        shares = self._shares(touched)
        return self._ruler.over(
            shares, lambda: self._merged(touched), lambda: min(map(self._least, touched))
        )

    def _shares(self, touched: tuple[int, ...]) -> list[Share]:
        return [s for i in touched for s in self._met.shares[i]]

    def _least(self, position: int) -> float:
        """Return the planar area of the smallest part of the overlap with one feature.

        Neighbours can only make it larger.
        """
        shares = self._met.shares[position]
        if all(s.is_one_piece for s in shares):
            return min(s.area for s in shares)
        return min((p.area for p in self.pieces(position)), default=0.0)

    @cached_property
    def _covering(self) -> frozenset[int]:
        """The features that cover the whole site."""
        whole = self.site.area.planar_m2 - NOISE_M2
        return frozenset(i for i, area in self._met.areas.items() if area >= whole)

    def covers(self, touched: tuple[int, ...]) -> bool:
        """Return whether features cover the whole site."""
        return bool(touched) and self.on(touched) is self._ruler.whole

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
            rest = self._rest(touched) if self.known.is_whole else None
            self._off[touched] = self.off_land(self.features(touched)) if rest is None else rest
        return self._off[touched]

    def _rest(self, touched: tuple[int, ...]) -> Parts | None:
        """Return the land off some features where that is known without cutting it, else None."""
        if self.covers(touched):
            return NOTHING
        if (others := self._others(touched)) is not None:
            return self.on(others)
        shares = self._shares(touched)
        if len(shares) > 1 or not (shares[0].alone and shares[0].is_one_piece):
            return None
        rest = _without(self.site, shares[0])
        return self._ruler.over([rest], lambda: self._off_pieces(touched)) if rest else None

    def _others(self, touched: tuple[int, ...]) -> tuple[int, ...] | None:
        """Return the other features, if the site is divided among the features of the layer."""
        if len(self.hits) == len(touched) or not self.layer.is_coverage:
            return None
        everything = self.touched(self.hits)
        if not self.covers(everything):
            return None
        return tuple(i for i in everything if i not in touched)

    def _off_pieces(self, touched: tuple[int, ...]) -> list[Polygon]:
        return parts_of(shapely.difference(self.site.geometry, self.features(touched)))

    def off_land(self, land: BaseGeometry) -> Parts:
        """Return the land of the site off some ground, inside the coverage of the layer.

        Nothing is known to be off a layer whose reach is not known.
        """
        return self._ruler.measured(parts_of(shapely.difference(self.known.land, land)))

    def features(self, touched: tuple[int, ...]) -> BaseGeometry:
        """Return features as one geometry: cutting with computed pieces would leave noise."""
        if len(touched) == 1:
            feature: BaseGeometry = self.layer.geometries[touched[0]]
            return feature
        if touched not in self._features:
            # Neighbours of a coverage share their vertices, so that no edges need be cut.
            join = shapely.coverage_union_all if self.layer.is_coverage else shapely.union_all
            self._features[touched] = join(self.layer.geometries[list(touched)])
        return self._features[touched]

    def lengths(self, positions: Array) -> Array:
        """Return how many metres of each line run inside the site."""
        cut = shapely.intersection(self.site.geometry, self.layer.geometries[positions])
        # A line along the boundary touches the site; only what runs inside restricts it.
        inside = shapely.difference(cut, self.site.geometry.boundary)
        return np.asarray(shapely.length(inside), dtype=float)


def _without(site: Site, share: Share) -> Share | None:
    """Return the rest of a site of one part beside a shared piece that has no hole."""
    whole = site.area.planar_m2
    left = whole - share.area
    if site.geometry.geom_type != "Polygon" or left < _LAND_M2:
        return None
    centre = site.geometry.centroid
    x = (whole * centre.x - share.area * share.x) / left
    y = (whole * centre.y - share.area * share.y) / left
    return Share(left, x, y, share.crossings, alone=False)
