"""Which parts of a set of features lie on a polygon, and how large are they on the ellipsoid?

The small tool under the budgets: features of one or several layers as one set, cut by a site, a
zone or a whole boundary. It knows nothing of classes and laws, and never changes a layer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from shapely.geometry import MultiPolygon
from shapely.geometry.base import BaseGeometry

from gis.crs import ellipsoidal_areas
from gis.engine.crop import Crops
from gis.engine.index import Array, LayerIndex

# From here on an outline is cropped around each feature; below, one call for all is faster.
_LARGE_VERTICES = 5_000
_COLLECTION = 7  # shapely.GeometryType.GEOMETRYCOLLECTION


@dataclass(frozen=True, eq=False, slots=True)
class Features:
    """Polygons in the work CRS as one set; ``disjoint`` when no two of them overlap."""

    geometries: Array
    tree: shapely.STRtree
    disjoint: bool
    epsg: int

    def union(self) -> BaseGeometry:
        """Return the land as one geometry."""
        join = shapely.coverage_union_all if self.disjoint else shapely.union_all
        return join(self.geometries)

    @classmethod
    def of(cls, indexes: Sequence[LayerIndex], epsg: int, *, apart: bool = False) -> Features:
        """Return the features of some layers, in the order of the layers and of their ids.

        Land of an earlier layer is taken out of the later ones, unless each is looked at ``apart``.
        """
        if len(indexes) == 1:
            index = indexes[0]
            return cls(index.geometries, index.tree, index.is_coverage, epsg)
        arrays = [
            index.geometries if apart else _off(index, indexes[:n])
            for n, index in enumerate(indexes)
        ]
        geometries = np.concatenate(arrays) if arrays else np.array([], dtype=object)
        return cls(geometries, shapely.STRtree(geometries), not len(geometries), epsg)


def _off(index: LayerIndex, earlier: Sequence[LayerIndex]) -> Array:
    """Return the features of a layer without the land of the layers before it."""
    shapes = index.geometries
    for other in earlier:
        at = index.tree.query(other.union, predicate="intersects")
        if len(at):
            shapes = shapes.copy()
            shapes[at] = _polygonal(np.asarray(shapely.difference(shapes[at], other.union)))
    return shapes


def doubled_m2(indexes: Sequence[LayerIndex], epsg: int) -> float:
    """Return the land, m², of which several of the layers speak."""
    found: list[BaseGeometry] = []
    seen: BaseGeometry = shapely.Polygon()
    for index in indexes if len(indexes) > 1 else ():
        found.append(shapely.intersection(index.union, seen))
        seen = seen.union(index.union)
    return math.fsum(areas_of(shapely.get_parts(found), epsg)) if found else 0.0


class Cut:
    """What a polygon cuts out of a set.

    Parameters
    ----------
    features
        The set.
    at, areas
        Position and area, m², of each shape.
    draw
        Returns the shapes; they are only drawn when somebody asks for them.
    """

    def __init__(
        self, features: Features, at: Array, areas: Array, draw: Callable[[], Array]
    ) -> None:
        self.features = features
        self.at = at
        self.areas = areas
        self._draw = draw

    @cached_property
    def shapes(self) -> Array:
        """Polygons and multipolygons."""
        return self._draw()

    def where(self, mask: Array) -> Cut:
        """Return the shapes of the features that a mask over the whole set chooses."""
        return self.of(mask[self.at]) if len(self.at) else self

    def of(self, own: Array) -> Cut:
        """Return the shapes that a mask over the shapes themselves, or their places, choose."""
        return Cut(self.features, self.at[own], self.areas[own], lambda: self.shapes[own])

    def within(self, polygon: BaseGeometry) -> Cut:
        """Return the shapes cut once more."""
        if not len(self.at):
            return self
        shapes = np.asarray(shapely.intersection(self.shapes, polygon))
        return _measured(self.features, self.at, shapes)

    def area(self) -> float:
        """Return the area in m²; land under several features counts once."""
        if self.features.disjoint or len(self.at) < 2:
            return math.fsum(self.areas)
        return math.fsum(areas_of([self.union()], self.features.epsg))

    def area_by(self, labels: Sequence[str]) -> dict[str, float]:
        """Return the area, m², of the shapes of each label, sorted by label."""
        rows: dict[str, list[int]] = {}
        for n, label in enumerate(labels):
            rows.setdefault(label, []).append(n)
        if self.features.disjoint:
            areas = self.areas.tolist()
            return {label: math.fsum([areas[n] for n in rows[label]]) for label in sorted(rows)}
        return {label: self.of(np.array(rows[label])).area() for label in sorted(rows)}

    def union(self) -> BaseGeometry:
        """Return the land as one geometry."""
        return shapely.union_all(self.shapes)


def cut(features: Features, polygon: BaseGeometry) -> Cut:
    """Return what lies on a polygon in the work CRS; features wholly inside are not cut."""
    at = np.sort(features.tree.query(polygon, predicate="intersects"))
    shapes = features.geometries[at]
    inside = np.isin(at, features.tree.query(polygon, predicate="contains"))
    if not inside.all():
        shapes[~inside] = _intersections(shapes[~inside], polygon)
    return _measured(features, at, shapes)


def screened(
    features: Features,
    polygon: BaseGeometry,
    areas: Mapping[int, float],
    ground: Callable[[int], BaseGeometry],
) -> Cut:
    """Return what lies on a polygon when the area in each feature, m², is known already.

    ``ground`` gives a feature, or at least what of it lies on the polygon.
    """
    at = np.array(sorted(areas), dtype=np.int64)
    found = np.array([areas[i] for i in at.tolist()], dtype=float)

    def draw() -> Array:
        shapes = np.array([ground(i) for i in at.tolist()], dtype=object)
        return _polygonal(_intersections(shapes, polygon))

    return Cut(features, at, found, draw)


def known(own: Cut, areas: Array, land: Callable[[], BaseGeometry]) -> Cut:
    """Return shapes as far as they lie on some land, when the area of each, m², is known."""
    return Cut(own.features, own.at, areas, lambda: _polygonal(_intersections(own.shapes, land())))


def whole(features: Features) -> Cut:
    """Return the whole set, uncut."""
    return _measured(features, np.arange(len(features.geometries)), features.geometries)


def areas_of(shapes: Sequence[BaseGeometry] | Array, epsg: int) -> list[float]:
    """Return the area of each shape in m² on the ellipsoid; points and lines have none."""
    given = np.asarray(shapes, dtype=object)
    areas = np.zeros(len(given))
    real = shapely.area(given) > 0  # nothing at all has no place to be measured at
    areas[real] = ellipsoidal_areas(given[real], epsg)
    return [float(m2) for m2 in areas]


def _measured(features: Features, at: Array, shapes: Array) -> Cut:
    shapes = _polygonal(shapes)
    areas = np.array(areas_of(shapes, features.epsg))
    real = areas > 0
    kept = shapes[real]
    return Cut(features, at[real], areas[real], lambda: kept)


def _polygonal(shapes: Array) -> Array:
    """Return the shapes without the lines and points of touching edges, which no overlay takes."""
    mixed = np.flatnonzero(shapely.get_type_id(shapes) == _COLLECTION)
    if not len(mixed):
        return shapes
    shapes = shapes.copy()
    for n in mixed:
        parts = shapely.get_parts(shapes[n])
        shapes[n] = MultiPolygon([p for p in parts if p.geom_type == "Polygon"])
    return shapes


def _intersections(shapes: Array, polygon: BaseGeometry) -> Array:
    if shapely.get_num_coordinates(polygon) < _LARGE_VERTICES:
        return np.asarray(shapely.intersection(shapes, polygon))
    crops = Crops(polygon)
    return np.array([shapely.intersection(crops.around(s), s) for s in shapes], dtype=object)
