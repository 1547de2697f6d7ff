"""How large are the parts of one site, and which polygons are they?

Areas come first and polygons only when somebody asks for them: most answers are a number, and most
numbers are known from the area kernel before any overlap is built.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Point, Polygon
from shapely.geometry.base import BaseGeometry

from gis.crs import ellipsoidal_area
from gis.engine.areal import ArealFactor, is_small
from gis.engine.index import Array
from gis.engine.kernel import Edges, edges_of
from gis.engine.lazy import lazy
from gis.engine.outlines import Outlines, Overlay, SmallLand, apart, common, small_lands
from gis.engine.screen import NOISE_M2, Share
from gis.model import Area, Site

Maker = Callable[[], list[Polygon]]
Tracer = Callable[[], Outlines | None]


def parts_of(geometry: BaseGeometry) -> list[Polygon]:
    """Return the polygons of an overlay result, without lines, points and rounding noise."""
    if isinstance(geometry, Polygon):
        return [geometry] if geometry.area > NOISE_M2 else []
    parts = shapely.get_parts(geometry)
    if not isinstance(geometry, MultiPolygon):
        parts = shapely.get_parts(parts)
    # Lines and points have no area.
    return parts[shapely.area(parts) > NOISE_M2].tolist()  # type: ignore[no-any-return]  # numpy knows no type of a list


def _real(part: BaseGeometry) -> bool:
    return bool(part.area > NOISE_M2)


class Parts:
    """Disjoint polygons of a site.

    Parameters
    ----------
    areas
        Ellipsoidal areas, m², that add up to that of the land.
    planar_m2
        Planar area of the land.
    make
        Builds the polygons.
    least
        Tells an area of these parts, planar, that no polygon falls below; 0 when nobody knows.
    each
        Whether the areas are those of the polygons, one by one.

    ``ground``, where it is set, gives the features that the land was cut from, uncut; ``trace``
    gives its outlines where they are simple. None of the functions may hold the parts themselves:
    what no cycle holds together is gone without the collector, whose pauses a single check feels.
    """

    ground: Callable[[], BaseGeometry] | None = None
    trace: Tracer | None = None

    def __init__(
        self,
        areas: Sequence[float],
        planar_m2: float,
        make: Maker,
        least: Callable[[Parts], float] = lambda _: 0.0,
        *,
        each: bool = False,
    ) -> None:
        self.areas = areas
        self.planar_m2 = planar_m2
        self.each = each
        self._make = make
        self._least = least

    def __bool__(self) -> bool:
        """Whether there is any land."""
        return bool(self.areas)

    @lazy
    def shapes(self) -> list[Polygon]:
        """The polygons themselves."""
        return self._make()

    @lazy
    def outlines(self) -> Outlines | None:
        """Outlines of the land, None where they are not known without building it."""
        return self.trace() if self.trace else None

    @lazy
    def edges(self) -> Edges:
        """The edges of the land; pieces of one polygon may stand beside each other."""
        return self.outlines.edges if self.outlines else edges_of(self.shapes)

    @lazy
    def least_m2(self) -> float:
        """No polygon is smaller than this; 0 when nobody knows."""
        return self._least(self)

    def small(self, below_m2: float) -> Sequence[SmallLand] | None:
        """Return its pieces smaller than this, planar; None where they must be built to be known.

        No outlines are asked for where all pieces are known to be larger.
        """
        if self.least_m2 >= below_m2:
            return ()
        if self.outlines is None:
            return None
        return small_lands(self.outlines, below_m2)

    @lazy
    def area(self) -> Area:
        """Both areas of all parts together."""
        return Area(math.fsum(self.areas), self.planar_m2)


NOTHING = Parts((), 0.0, list)


def joined(lands: Sequence[Parts]) -> Parts:
    """Return lands that do not overlap as one; neighbours stay apart."""
    areas = [a for land in lands for a in land.areas]
    planar = math.fsum(land.planar_m2 for land in lands)
    return Parts(areas, planar, lambda: [p for land in lands for p in land.shapes])


def _smallest(parts: Parts) -> float:
    """Return an area that no polygon of some land falls below."""
    if parts.outlines is not None:
        return float(parts.outlines.sums[:, 0].min(initial=math.inf))
    return min((p.area for p in parts.shapes), default=0.0)


class Shape:
    """Land that is drawn when somebody looks at it; ``drawn`` does so."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @lazy
    def geometry(self) -> MultiPolygon:
        """The land as one geometry in the work CRS."""
        return MultiPolygon(self._parts.shapes)


class Piece(Shape):
    """A piece of some land, told by its centroid."""

    def __init__(self, parts: Parts, centre: tuple[float, float]) -> None:
        super().__init__(parts)
        self._centre = Point(centre)

    @lazy
    def geometry(self) -> Polygon:  # type: ignore[override]  # a piece is one polygon
        """The polygon whose centroid it is."""
        shapes = np.array(self._parts.shapes, dtype=object)
        apart = shapely.distance(shapely.centroid(shapes), self._centre)
        found: Polygon = shapes[int(np.argmin(apart))]
        return found


def drawn(land: Any) -> Any:
    """Return the geometry of land that may not have been drawn yet; None stays None."""
    return land.geometry if isinstance(land, Shape) else land


class Ruler:
    """Measures parts of one site.

    ``edges`` are those of its parts; ``may_trace`` says whether land may be known by its outlines.
    """

    def __init__(self, site: Site, edges: Edges, *, may_trace: bool = True) -> None:
        self.site = site
        self.edges = edges
        self._factor = ArealFactor(site) if is_small(site) else None
        self._may_trace = may_trace and self._factor is not None
        self._known: dict[bytes, float] = {}

    @property
    def is_exact(self) -> bool:
        """Whether the site is so large that every part must be measured for itself."""
        return self._factor is None

    def is_whole(self, planar_m2: float) -> bool:
        """Whether an area is all of the site but for noise."""
        return planar_m2 >= self.site.area.planar_m2 - NOISE_M2

    @lazy
    def extent_m(self) -> float:
        """No two points of the site are farther apart than this."""
        west, south, east, north = self.site.geometry.bounds
        return math.hypot(east - west, north - south)

    @lazy
    def whole(self) -> Parts:
        """The whole site."""
        site = self.site.geometry
        parts = [site] if isinstance(site, Polygon) else shapely.get_parts(site)
        shapes: list[Polygon] = [p for p in parts if _real(p)]
        if len(shapes) > 1:
            return self.measured(shapes)
        area = self.site.area
        planar = area.planar_m2
        found = Parts([area.ellipsoidal_m2], planar, lambda: shapes, lambda _: planar, each=True)
        found.edges = self.edges
        return found

    def measured(self, shapes: list[Polygon]) -> Parts:
        """Return disjoint polygons with their areas."""
        if not shapes:
            return NOTHING
        planar = math.fsum(p.area for p in shapes)
        return Parts([self._area(p) for p in shapes], planar, lambda: shapes, each=True)

    def over(self, shares: Sequence[Share], make: Maker, trace: Tracer) -> Parts:
        """Return the land that a site shares with disjoint pieces; ``make`` builds it.

        It is built only when somebody asks for it, or for a part of it that may be a sliver and
        cannot be traced.
        """
        planar = math.fsum(s.area for s in shares)
        if planar <= NOISE_M2:
            return NOTHING
        if self.is_whole(planar):
            return self.whole
        if self._factor is None:
            return self.measured(make())
        areas = [self._factor.area(s.area, s.x, s.y) for s in shares]
        least = min([s.least for s in shares])
        found = Parts(areas, planar, make, (lambda _: least) if least else _smallest)
        found.trace = trace
        return found

    def outlined(self, outlines: Outlines | None, make: Maker) -> Parts:
        """Return land by its outlines; where there are none ``make`` builds it."""
        factor = self._factor
        if outlines is None or factor is None:
            return self.measured(make())
        planar = outlines.planar_m2
        if planar <= NOISE_M2:
            return NOTHING
        if self.is_whole(planar):
            return self.whole
        rows = outlines.sums.tolist()
        areas = [factor.area(area, x, y) for area, x, y in rows]
        found = Parts(areas, planar, make, lambda _: min([area for area, _, _ in rows]))
        found.trace = lambda: outlines
        return found

    # --- one land over another -------------------------------------------------------------------

    def overlaid(
        self, how: Overlay, land: Edges, other: Edges, among: Array | None = None
    ) -> Outlines | None:
        """Return what one land has of another, or off it; None where that must be built."""
        return how(land, other, among) if self._may_trace else None

    def both(self, one: Parts, other: Parts, land: Callable[[], BaseGeometry]) -> Parts:
        """Return what lies on two lands; ``land`` gives the second as it is cut with."""
        if not one or not other:
            return NOTHING
        outlines = self.overlaid(common, one.edges, other.edges)
        return self.outlined(outlines, lambda: _cut(shapely.intersection, one, land()))

    def first(self, one: Parts, other: Parts, land: Callable[[], BaseGeometry]) -> Parts:
        """Return what lies on the first of two lands only."""
        if not one or not other:
            return one
        outlines = self.overlaid(apart, one.edges, other.edges)
        return self.outlined(outlines, lambda: _cut(shapely.difference, one, land()))

    # --- polygons --------------------------------------------------------------------------------

    def size(self, land: SmallLand) -> float:
        """Return the ellipsoidal area of a piece of land that was traced."""
        if self._factor is None:
            raise ValueError("land of a site so large is not traced")
        return math.fsum([self._factor.area(*row) for row in land.sums.tolist()])

    def built(self, parts: Parts) -> Iterator[tuple[Polygon, float]]:
        """Yield each polygon of some parts with its ellipsoidal area."""
        known = (
            parts.areas if len(parts.areas) == len(parts.shapes) and not parts.least_m2 else None
        )
        for n, part in enumerate(parts.shapes):
            yield part, (known[n] if known else self._area(part))

    def _area(self, part: Polygon) -> float:
        if self._factor is not None:
            centre = part.centroid
            return self._factor.area(part.area, centre.x, centre.y)
        # What many layers cut alike is measured once.
        key = shapely.to_wkb(part)
        if key not in self._known:
            self._known[key] = ellipsoidal_area(part, self.site.crs.work_epsg)
        return self._known[key]


def _cut(
    how: Callable[[BaseGeometry, BaseGeometry], BaseGeometry], parts: Parts, land: BaseGeometry
) -> list[Polygon]:
    return parts_of(how(MultiPolygon(parts.shapes), land))
