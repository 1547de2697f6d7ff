"""How far does a site lie inside the coverage of a layer, and what would have been seen around it?

A coverage is the polygon inside which absence of a feature means absence.
"""

from __future__ import annotations

import math

import shapely
from shapely.geometry import MultiPolygon
from shapely.geometry.base import BaseGeometry

from gis.engine.index import Array
from gis.engine.kernel import Edges
from gis.engine.lazy import lazy
from gis.engine.lines import Lines, ring_segments
from gis.engine.outlines import Outlines, common
from gis.engine.ruler import NOTHING, Parts, Ruler, parts_of
from gis.model import Site

# A site drawn at the very distance from the edge of a coverage may miss it by rounding.
_EDGE_M = 1e-6
# Borders of coverages that are remembered; a plan has a handful.
_KEPT = 64


def share_of(area_m2: float, site: Site) -> float:
    """Return an area as share of the site, 0-1."""
    return min(area_m2 / site.area.ellipsoidal_m2, 1.0)


class Known:
    """How far a site lies inside a coverage; most layers of a plan share the same one.

    ``coverage`` is the polygon inside which absence of a feature means absence, None when that is
    unknown; ``whole`` tells that the site is known to lie inside, ``off`` that none of its area
    does. ``reach_m`` is how far features around the site will be asked for. ``ground``, where the
    coverage is the land of a layer, is an edge table and the places in it of what the site meets.
    """

    def __init__(
        self,
        ruler: Ruler,
        coverage: BaseGeometry | None,
        *,
        whole: bool = False,
        off: bool = False,
        reach_m: float = 0.0,
        ground: tuple[Edges, Array] | None = None,
    ) -> None:
        self.site = ruler.site
        self.ruler = ruler
        self.coverage = coverage
        self._whole = whole
        self._off = off
        self._reach_m = reach_m
        self._ground = ground
        self._border: tuple[float, float] | None = None

    @lazy
    def is_whole(self) -> bool:
        """Whether the site lies inside the coverage."""
        if self.coverage is None:
            return False
        if self._off:
            return False
        return self._whole or bool(self.coverage.covers(self.site.geometry))

    @lazy
    def uncovered_share(self) -> float | None:
        """Share of the site outside the coverage, 0-1; None when the coverage is unknown."""
        if self.coverage is None or self.is_whole:
            return None if self.coverage is None else 0.0
        if self._off and self._is_apart(_EDGE_M):
            return 1.0
        if self._outlines is not None:
            whole = self.site.area.ellipsoidal_m2
            return share_of(whole - self.parts.area.ellipsoidal_m2, self.site)
        outside = parts_of(shapely.difference(self.site.geometry, self.coverage))
        return share_of(self.ruler.measured(outside).area.ellipsoidal_m2, self.site)

    @lazy
    def _outlines(self) -> Outlines | None:
        """Outlines of the land inside the coverage, None where they are not simple."""
        return self._traced(self.ruler.edges)

    @lazy
    def land(self) -> BaseGeometry:
        """The part of the site inside the coverage; nothing when the coverage is unknown."""
        if self.coverage is None:
            return MultiPolygon()
        if self.is_whole:
            return self.site.geometry
        return shapely.intersection(self.site.geometry, self.coverage)

    @lazy
    def parts(self) -> Parts:
        """The same land as disjoint parts with their areas."""
        if self.is_whole:
            return self.ruler.whole
        if self._outlines is None or self.coverage is None:
            return self.ruler.measured(parts_of(self.land))
        site, coverage = self.site.geometry, self.coverage
        return self.ruler.outlined(
            self._outlines, lambda: parts_of(shapely.intersection(site, coverage))
        )

    def within(self, parts: Parts) -> Parts:
        """Return land of the site as far as it lies inside the coverage."""
        if self.is_whole or not parts:
            return parts
        if self.coverage is None:
            return NOTHING
        coverage = self.coverage
        return self.ruler.outlined(
            self._traced(parts.edges),
            lambda: parts_of(shapely.intersection(MultiPolygon(parts.shapes), coverage)),
        )

    def _traced(self, land: Edges) -> Outlines | None:
        """Return the outlines of land inside the coverage, None where they are not simple."""
        if self._ground is None:
            return None
        return self.ruler.overlaid(common, land, *self._ground)

    def reaches(self, within_m: float) -> bool:
        """Return whether every feature within the distance of the site would have been seen."""
        if self.coverage is None or self.uncovered_share:
            return False
        return self._is_apart(within_m - _EDGE_M)

    def _is_apart(self, distance_m: float) -> bool:
        """Whether the border of the coverage is farther from the site than a distance.

        It is looked for as far as anybody will ask, once.
        """
        if self._border is None or self._border[0] < distance_m:
            reach = max(self._reach_m, distance_m)
            border = border_of(self.coverage) if self.coverage is not None else None
            apart = border.nearest_m(self.ruler.edges, reach) if border else 0.0
            self._border = reach, math.inf if math.isnan(apart) else apart
        return self._border[1] > distance_m


_BORDERS: dict[int, tuple[BaseGeometry, Lines]] = {}


def border_of(coverage: BaseGeometry) -> Lines:
    """Return the segments of the border of a coverage, drawn up once.

    Known by identity, and kept beside the geometry so that no other can take its place. Threads
    that ask at once may make it twice; a dictionary is changed in one step each.
    """
    known = _BORDERS.get(id(coverage))
    if known is None:
        if len(_BORDERS) >= _KEPT:
            _BORDERS.clear()
        known = _BORDERS[id(coverage)] = (coverage, Lines(ring_segments(coverage)))
    return known[1]
