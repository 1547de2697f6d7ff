"""How are large polygons cut into small ones, so that a search and a sum read only what is near?

A polygon with many vertices is halved across the longer side of its box, again and again. The cuts
are artefacts: pieces are summed and searched, never shown, and each remembers whose piece it is.
"""

from __future__ import annotations

import numpy as np
import shapely
from shapely.geometry import MultiPolygon
from shapely.geometry.base import BaseGeometry

from gis.engine.index import Array

# Beyond this a sum over edge pairs costs more than one more piece.
MOST_VERTICES = 128
# Halves must have the area of the whole, but for rounding: 1e-9 m along their edges.
_ROUNDING_M = 1e-9


def subdivide(polygons: Array, most: int = MOST_VERTICES) -> tuple[Array, Array]:
    """Return pieces of at most about ``most`` vertices, and the polygon that each belongs to.

    Parameters
    ----------
    polygons
        Valid polygons and multipolygons in a projected CRS.

    Returns
    -------
    pieces, owner
        Polygons that cover the same land without overlapping, and positions in ``polygons``, in
        ascending order. Memory stays within a few times that of the largest polygon.
    """
    parts, owner = shapely.get_parts(polygons, return_index=True)
    done, done_owner = [], []
    while len(parts):
        small = shapely.get_num_coordinates(parts) <= most
        done.append(parts[small])
        done_owner.append(owner[small])
        parts, owner = _halves(parts[~small], owner[~small])
    if not done:
        return np.array([], dtype=object), np.array([], dtype=np.int64)
    pieces, owners = np.concatenate(done), np.concatenate(done_owner)
    order = np.argsort(owners, kind="stable")
    return pieces[order], owners[order]


def _halves(parts: Array, owner: Array) -> tuple[Array, Array]:
    """Cut each polygon once; whatever falls apart becomes pieces of its own."""
    if not len(parts):
        return parts, owner
    west, south, east, north = shapely.bounds(parts).T
    wide = (east - west) >= (north - south)
    x, y = np.where(wide, (west + east) / 2, east), np.where(wide, north, (south + north) / 2)
    first = np.asarray(shapely.box(west, south, x, y))
    x, y = np.where(wide, (west + east) / 2, west), np.where(wide, south, (south + north) / 2)
    second = np.asarray(shapely.box(x, y, east, north))
    cut = np.array([_clipped(*row) for row in zip(parts, first, second, strict=True)], dtype=object)
    polygons, at = shapely.get_parts(cut, return_index=True)
    return polygons, owner[at]


def _clipped(polygon: BaseGeometry, first: BaseGeometry, second: BaseGeometry) -> MultiPolygon:
    """Return both halves as one multipolygon.

    Clipping by a box is ten times faster than an overlay, and wrong in rare cases where an edge
    runs along the box; the area tells.
    """
    halves = [shapely.clip_by_rect(polygon, *box.bounds) for box in (first, second)]
    pieces = _polygons(halves)
    lost = abs(shapely.area(pieces).sum() - polygon.area)
    if lost > _ROUNDING_M * polygon.length or not shapely.is_valid(pieces).all():
        pieces = _polygons([shapely.intersection(polygon, box) for box in (first, second)])
    return MultiPolygon(list(pieces))


def _polygons(geometries: list[BaseGeometry]) -> Array:
    parts = shapely.get_parts(shapely.get_parts(geometries))
    return np.asarray(parts[(shapely.get_dimensions(parts) == 2) & (shapely.area(parts) > 0)])
