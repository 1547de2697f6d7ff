"""How large on the ellipsoid is a part of a site, when its planar area and centroid are known?

The area on the ellipsoid is the integral of ``f``, the ellipsoidal m² in one planar m², over the
planar polygon with its straight edges. Across one site ``f`` is all but linear, so that the
integral is ``area * f(centroid)``: it needs no geometry, and the areas of parts add up to that of
the whole. The slope of ``f`` comes from the projection; its value from the site, whose own area is
known.

Error bound. In a transverse Mercator projection ``f`` is ``1 - x² / R²`` at x metres from the
central meridian; what a linear ``f`` leaves out is at most ``r² / R²`` of the area within r metres
of the centroid, and half of it is in the value taken from the site: less than 1e-9 of a part of a
site 450 m wide (0.0001 m²), 3e-7 of one 8 km wide. Larger sites are measured part by part
(``gis.crs.ellipsoidal_area``).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from pyproj import Proj, Transformer

from gis.crs import geographic_code
from gis.model import Site

# Extent of a site, metres, up to which the areal factor is taken as linear.
LARGEST_M = 8_000.0
# The slope is linear across a square of this size; third derivatives of ``f`` are below 1e-20.
_TILE_M = 8_000.0


class ArealFactor:
    """Ellipsoidal m² per planar m², linear across one site.

    Parameters
    ----------
    site
        In a projected work CRS, with both areas.
    """

    def __init__(self, site: Site) -> None:
        centre = site.geometry.centroid
        self._x, self._y = centre.x, centre.y
        self._value = site.area.ellipsoidal_m2 / site.area.planar_m2
        self._slope_x, self._slope_y = _slope(site.crs.work_epsg, self._x, self._y)

    def area(self, planar_m2: float, x: float, y: float) -> float:
        """Return the ellipsoidal area, m², of a part with this planar area and centroid."""
        return planar_m2 * self.at(x, y)

    def at(self, x: float, y: float) -> float:
        """Return the factor at a place in the work CRS."""
        return self._value + self._slope_x * (x - self._x) + self._slope_y * (y - self._y)


def is_small(site: Site) -> bool:
    """Whether a site is small enough for a linear factor."""
    west, south, east, north = site.geometry.bounds
    return max(east - west, north - south) <= LARGEST_M


def _slope(epsg: int, x: float, y: float) -> tuple[float, float]:
    """Return how the factor changes per metre east and north."""
    column, row = x // _TILE_M, y // _TILE_M
    sx, sy, xx, xy, yy = _tile(epsg, int(column), int(row))
    dx, dy = x - (column + 0.5) * _TILE_M, y - (row + 0.5) * _TILE_M
    return sx + xx * dx + xy * dy, sy + xy * dx + yy * dy


@lru_cache(maxsize=4_096)
def _tile(epsg: int, column: int, row: int) -> tuple[float, float, float, float, float]:
    """Return first and second derivatives of the factor in the middle of a tile."""
    steps = np.array([-_TILE_M, 0.0, _TILE_M])
    x = (column + 0.5) * _TILE_M + np.tile(steps, 3)
    y = (row + 0.5) * _TILE_M + np.repeat(steps, 3)
    f = factors_at(epsg, x, y).reshape(3, 3)  # rows go north
    h = _TILE_M
    return (
        float(f[1, 2] - f[1, 0]) / (2 * h),
        float(f[2, 1] - f[0, 1]) / (2 * h),
        float(f[1, 2] - 2 * f[1, 1] + f[1, 0]) / h**2,
        float(f[2, 2] - f[2, 0] - f[0, 2] + f[0, 0]) / (4 * h**2),
        float(f[2, 1] - 2 * f[1, 1] + f[0, 1]) / h**2,
    )


def factors_at(epsg: int, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the ellipsoidal m² per planar m² at places in a projected CRS (PROJ's areal scale)."""
    if not len(x):
        return np.array([], dtype=float)
    project, to_geographic = _projection(epsg)
    lon, lat = to_geographic.transform(x, y)
    return np.asarray(1.0 / np.asarray(project.get_factors(lon, lat).areal_scale), dtype=float)


@lru_cache(maxsize=16)
def _projection(epsg: int) -> tuple[Proj, Transformer]:
    base = geographic_code(epsg)
    return Proj(f"EPSG:{epsg}"), Transformer.from_crs(epsg, base, always_xy=True)
