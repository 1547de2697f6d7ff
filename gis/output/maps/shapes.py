"""What is the lightest geometry that still looks right?

Simplifies, cuts and rounds for the screen, and finds where a label stands. The results are for
showing only: no area, share or verdict is ever computed from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis.crs import geographic_code, transform

# 1e-6 degrees is 0.1 m: finer than one pixel at any zoom of the map, and for showing only.
SHOWN_DECIMALS = 6
Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Detail:
    """How fine a page draws: tolerance in metres, and an optional box in the work CRS."""

    work_epsg: int
    tolerance_m: float
    box: tuple[float, float, float, float] | None = None


def shown(geometries: Sequence[BaseGeometry] | Array, detail: Detail) -> Array:
    """Return the geometries cut to the box and simplified, in the same order, in the work CRS.

    Polygons that form a coverage are simplified as one, so that no gap opens between neighbours.
    What vanishes becomes an empty geometry.
    """
    shapes = np.asarray(geometries, dtype=object)
    if not len(shapes):
        return shapes
    if detail.box is not None:
        shapes = shapely.clip_by_rect(shapes, *detail.box)
    polygons = np.isin(shapely.get_type_id(shapes), (3, 6))
    if polygons.all() and shapely.coverage_is_valid(shapes):
        return np.asarray(shapely.coverage_simplify(shapes, detail.tolerance_m))
    return np.asarray(shapely.simplify(shapes, detail.tolerance_m))


def touching(geometries: Sequence[BaseGeometry] | Array, detail: Detail) -> Array:
    """Return for each geometry whether its box meets the box of the detail."""
    shapes = np.asarray(geometries, dtype=object)
    if detail.box is None:
        return np.ones(len(shapes), dtype=bool)
    west, south, east, north = detail.box
    left, bottom, right, top = shapely.bounds(shapes).T
    return np.asarray((left <= east) & (right >= west) & (bottom <= north) & (top >= south))


def dissolved(geometries: Sequence[BaseGeometry]) -> BaseGeometry:
    """Return one geometry of many; fast where they form a coverage, right where they do not."""
    shapes = np.asarray(geometries, dtype=object)
    if np.isin(shapely.get_type_id(shapes), (3, 6)).all() and shapely.coverage_is_valid(shapes):
        return shapely.coverage_union_all(shapes)
    return shapely.union_all(shapes)


def to_geojson(geometry: BaseGeometry, work_epsg: int) -> dict[str, Any]:
    """Return a geometry of the work CRS as GeoJSON in longitude/latitude, six decimals."""
    degrees = transform(geometry, work_epsg, geographic_code(work_epsg))
    rounded = shapely.transform(degrees, lambda xy: xy.round(SHOWN_DECIMALS))
    return dict(shapely.geometry.mapping(rounded))


def label_points(
    geometry: BaseGeometry, work_epsg: int, *, count: int = 1
) -> tuple[tuple[float, float], ...]:
    """Return where a label may stand, as latitude/longitude, the best place first.

    Inside an area these are the middles of its largest free circles; a line is named mid-way.
    """
    if shapely.get_dimensions(geometry) == 2:
        points = _roomy_points(geometry, count)
    elif shapely.get_dimensions(geometry) == 1:
        parts = shapely.get_parts(shapely.line_merge(geometry))
        longest = parts[int(np.argmax(shapely.length(parts)))]
        points = [shapely.line_interpolate_point(longest, 0.5, normalized=True)]
    else:
        points = [geometry.centroid]
    return tuple(latlon(point, work_epsg) for point in points)


def _roomy_points(geometry: BaseGeometry, count: int) -> list[BaseGeometry]:
    """Take the largest inscribed circle away and look again, as often as asked."""
    points = []
    rest = shapely.simplify(geometry, geometry.length / 2000)
    tolerance = max(geometry.length / 1000, 1.0)
    for _ in range(count):
        if rest.is_empty or rest.area < geometry.area / 100:
            break
        # The stubs know Polygon and MultiPolygon only; the dimension was checked by the caller.
        radius: Any = shapely.maximum_inscribed_circle(rest, tolerance)  # type: ignore[call-overload]  # see above
        middle = shapely.get_point(radius, 0)
        points.append(middle)
        rest = rest.difference(middle.buffer(radius.length))
    return points or [geometry.representative_point()]


def latlon(point: BaseGeometry, work_epsg: int) -> tuple[float, float]:
    """Return latitude and longitude of a point of the work CRS."""
    moved = transform(point, work_epsg, geographic_code(work_epsg))
    x, y = moved.coords[0][:2]
    return round(y, SHOWN_DECIMALS), round(x, SHOWN_DECIMALS)


def leaflet_bounds(
    geometry: BaseGeometry, work_epsg: int
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return south-west and north-east corner as latitude/longitude pairs."""
    moved = transform(geometry, work_epsg, geographic_code(work_epsg))
    west, south, east, north = (round(float(v), SHOWN_DECIMALS) for v in moved.bounds)
    return (south, west), (north, east)
