"""Ellipsoidal areas from planar area and centroid, against two formulas that know the geometry."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from pyproj import Geod, Transformer

from gis.crs import ellipsoidal_area, geographic_code
from gis.engine.areal import LARGEST_M, ArealFactor, factors_at, is_small
from gis.model import Area, CrsDecision, Site, Source

# A place in each CRS, near the central meridian and far from it; Lambert conformal; UTM.
PLACES = [
    (4548, 500_000.0, 4_030_000.0),
    (4548, 400_000.0, 4_020_000.0),
    (4548, 380_000.0, 3_500_000.0),
    (4527, 39_590_000.0, 4_030_000.0),
    (2154, 700_000.0, 6_600_000.0),
    (2154, 950_000.0, 6_250_000.0),
    (32650, 440_000.0, 4_020_000.0),
]


def site_of(shape: shapely.Polygon, epsg: int) -> Site:
    area = Area(ellipsoidal_area(shape, epsg), shape.area)
    return Site("t", shape, area, CrsDecision(epsg, epsg, "given"), Source("wkt", "t", ""))


def cut(site: shapely.Polygon) -> list[shapely.Polygon]:
    """Four unequal parts of a square."""
    west, south, east, north = site.bounds
    x, y = west + 0.3 * (east - west), south + 0.8 * (north - south)
    return [
        shapely.box(west, south, x, y),
        shapely.box(x, south, east, y),
        shapely.box(west, y, x, north),
        shapely.box(x, y, east, north),
    ]


def geodesic_m2(shape: shapely.Polygon, epsg: int) -> float:
    """Karney's area of the densified ring on GRS 80."""
    dense = shapely.segmentize(shape, 5.0)
    lonlat = Transformer.from_crs(epsg, geographic_code(epsg), always_xy=True)
    lon, lat = lonlat.transform(*np.array(dense.exterior.coords).T)
    ellipsoid = "WGS84" if epsg == 32650 else "GRS80"
    return abs(Geod(ellps=ellipsoid).polygon_area_perimeter(lon, lat)[0])


@pytest.mark.parametrize(("epsg", "x", "y"), PLACES)
@pytest.mark.parametrize(
    ("size", "relative"), [(100, 1e-9), (450, 1e-9), (2000, 2e-8), (7900, 3e-7)]
)
def test_parts_have_the_exact_area_and_add_up(epsg, x, y, size, relative) -> None:
    site = site_of(shapely.box(x, y, x + size, y + size), epsg)
    factor = ArealFactor(site)
    found = [factor.area(p.area, p.centroid.x, p.centroid.y) for p in cut(site.geometry)]
    exact = [ellipsoidal_area(p, epsg) for p in cut(site.geometry)]
    assert found == pytest.approx(exact, rel=relative, abs=1e-6)
    assert sum(found) == pytest.approx(site.area.ellipsoidal_m2, rel=1e-12)


@pytest.mark.parametrize(("epsg", "x", "y"), PLACES)
def test_parts_have_the_geodesic_area(epsg, x, y) -> None:
    site = site_of(shapely.box(x, y, x + 300, y + 300), epsg)
    part = cut(site.geometry)[0]
    found = ArealFactor(site).area(part.area, part.centroid.x, part.centroid.y)
    assert found == pytest.approx(geodesic_m2(part, epsg), abs=1e-3)


@pytest.mark.parametrize(("epsg", "x", "y"), PLACES)
def test_the_factor_of_the_projection_is_that_of_a_small_square(epsg, x, y) -> None:
    square = shapely.box(x - 5, y - 5, x + 5, y + 5)
    (factor,) = factors_at(epsg, np.array([x]), np.array([y]))
    assert factor == pytest.approx(ellipsoidal_area(square, epsg) / 100.0, rel=2e-8)


def test_nothing_jumps_at_the_edge_of_a_tile() -> None:
    # Tiles are 8 km wide: 400,000 m is such an edge. Factors 4 km from the centre show the slope.
    found = []
    for x in (399_899.99, 399_900.01):
        site = site_of(shapely.box(x, 4_020_000, x + 200, 4_020_200), 4548)
        found.append(ArealFactor(site).at(x + 4_100, 4_024_000.0) - ArealFactor(site).at(x, 4e6))
    # The slope is 5e-9 per metre, so the difference 2e-5; both sides of the edge agree on it.
    assert found[0] == pytest.approx(found[1], rel=1e-4)
    assert abs(found[0]) > 1e-5


def test_no_places_have_no_factors() -> None:
    assert len(factors_at(4548, np.array([]), np.array([]))) == 0


@pytest.mark.parametrize(("size", "small"), [(LARGEST_M - 1, True), (LARGEST_M + 1, False)])
def test_only_sites_of_some_kilometres_are_small(size: float, small: bool) -> None:
    site = site_of(shapely.box(4e5, 4e6, 4e5 + size, 4e6 + 100), 4548)
    assert is_small(site) is small
