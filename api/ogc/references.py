"""In which coordinate reference systems are features told, and in which order of their axes?

OGC API writes coordinates in the order that the CRS itself defines: northing first in the
Gauss-Krüger zones of CGCS2000, latitude first in EPSG:4490, longitude first in CRS84 only. Nothing
here knows a request.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis.crs import coordinates_of, crs_of, geographic_code, transform, transform_all
from gis.plan import Plan

Array = np.ndarray[Any, Any]

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
# A tenth of a millimetre on the ground, in degrees and in metres.
_DECIMALS_DEG, _DECIMALS_M = 9, 4
# Sides of a box are curves in another CRS; at a 128th of 40 km they are followed to 2 mm.
_PIECES = 128


@dataclass(frozen=True, slots=True)
class Reference:
    """A CRS as OGC API names it.

    ``epsg`` is the code to compute with, in the order x, y; ``is_north_first`` whether its
    coordinates are written the other way round.
    """

    uri: str
    epsg: int
    is_north_first: bool

    @property
    def is_geographic(self) -> bool:
        """Whether coordinates are degrees."""
        return bool(crs_of(self.epsg).is_geographic)


def storage_uri(plan: Plan) -> str:
    """Return the name of the CRS that the layers of a plan are kept in."""
    return f"{_EPSG}{plan.work_epsg}"


def references(plan: Plan) -> Mapping[str, Reference]:
    """Return what may be asked for, by name: CRS84 first, then every CRS that the plan accepts."""
    degrees = geographic_code(plan.work_epsg)
    found = {CRS84: Reference(CRS84, degrees, is_north_first=False)}
    for code in dict.fromkeys((plan.work_epsg, degrees, *plan.crs_policy.accepted)):
        # WGS 84 and the datum of the plan are taken as one, as everywhere else.
        used = degrees if code == 4326 else code
        first = crs_of(code).axis_info[0].direction
        found[f"{_EPSG}{code}"] = Reference(f"{_EPSG}{code}", used, first == "north")
    return found


def geojson(geometries: Array, work_epsg: int, reference: Reference) -> list[dict[str, Any]]:
    """Return geometries of the work CRS as GeoJSON in another one, axes as that one defines.

    Raises
    ------
    CrsError
        A coordinate has no image there.
    """
    moved = transform_all(geometries, work_epsg, reference.epsg)
    if reference.is_north_first:
        moved = shapely.transform(moved, lambda xy: xy[:, ::-1])
    decimals = _DECIMALS_DEG if reference.is_geographic else _DECIMALS_M
    return [{"type": g.geom_type, "coordinates": coordinates_of(g, decimals)} for g in moved]


@dataclass(frozen=True, slots=True)
class Box:
    """What a ``bbox`` asks for, as a polygon with x, y in the CRS of its reference."""

    outline: BaseGeometry
    reference: Reference

    def meets(self, geometries: Array, work_epsg: int) -> Array:
        """Return which geometries of the work CRS touch the box or lie in it."""
        if not len(geometries):
            return np.zeros(0, dtype=bool)
        image = self._in_work_crs(geometries, work_epsg)
        if image.is_empty:
            return np.zeros(len(geometries), dtype=bool)
        shapely.prepare(image)
        found: Array = shapely.intersects(image, geometries)
        return found

    def _in_work_crs(self, geometries: Array, work_epsg: int) -> BaseGeometry:
        own = self.reference.epsg
        if own == work_epsg:
            return self.outline
        # A box far outside the zone has no image in the work CRS, so the layer comes to the box.
        edges = shapely.box(*shapely.total_bounds(geometries))
        around = transform(edges.segmentize(_step(edges)), work_epsg, own)
        around = around.buffer(max(1e-3 * around.length, 1e-6))
        wanted = self.outline.intersection(around)
        if wanted.is_empty:
            return wanted
        return transform(wanted.segmentize(_step(wanted)), own, work_epsg)


def _step(area: BaseGeometry) -> float:
    west, south, east, north = area.bounds
    # A layer may be a single point.
    return max(east - west, north - south, 1e-9) / _PIECES
