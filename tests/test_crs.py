"""CRS: codes, refusals, and areas against independent formulas."""

from __future__ import annotations

import json

import numpy as np
import pytest
import shapely
from pyproj import Geod

from gis.crs import (
    coordinates_of,
    crs_of,
    densified,
    ellipsoidal_area,
    ellipsoidal_areas,
    gauss_kruger,
    gauss_kruger_epsg,
    parse_epsg,
    refuse_old_datum,
    to_lonlat,
    transform,
)
from gis.errors import CrsError

CORE = shapely.box(404_000, 4_026_000, 410_188.7, 4_032_188.7)  # 38.3 km² planar


@pytest.mark.parametrize(
    ("epsg", "width", "zone", "prefixed", "meridian"),
    [
        (4527, 3, 39, True, 117.0),
        (4548, 3, 39, False, 117.0),
        (4526, 3, 38, True, 114.0),
        (4498, 6, 20, True, 117.0),
        (4509, 6, 20, False, 117.0),
    ],
)
def test_zone_numbers_follow_the_epsg_registry(epsg, width, zone, prefixed, meridian) -> None:
    found = gauss_kruger(epsg)
    assert found is not None
    assert (found.width, found.zone, found.prefixed) == (width, zone, prefixed)
    assert found.central_meridian == meridian
    assert gauss_kruger_epsg(zone, prefixed=prefixed) == epsg
    # The name in PROJ's own copy of the registry says the same.
    name = crs_of(epsg).name
    assert (f"zone {zone}" in name) if prefixed else (f"CM {meridian:.0f}E" in name)


def test_a_point_of_the_plan_has_the_published_coordinates() -> None:
    # 115.98 E, 36.40 N is E 39 408 498.27, N 4 030 411.11 in zone 39 (measured with PROJ 9.5.1).
    moved = transform(shapely.Point(115.98, 36.40), 4490, 4527)
    assert (moved.x, moved.y) == pytest.approx((39_408_498.27, 4_030_411.11), abs=0.005)


@pytest.mark.parametrize("code", [4610, 2327, 2390, 4214, 2401, 2442, 21413, 21463])
def test_old_chinese_datums_are_refused(code: int) -> None:
    with pytest.raises(CrsError, match="测绘单位"):
        crs_of(code)


@pytest.mark.parametrize("name", ["1980西安坐标系", "Xian_1980_3_Degree_GK_Zone_39", "北京54"])
def test_old_chinese_datums_are_refused_by_name(name: str) -> None:
    with pytest.raises(CrsError):
        refuse_old_datum(name)


@pytest.mark.parametrize(
    ("text", "epsg"),
    [
        ("EPSG:4548", 4548),
        (4527, 4527),
        ("urn:ogc:def:crs:EPSG::4490", 4490),
        ("http://www.opengis.net/def/crs/EPSG/0/4326", 4326),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", 4326),
    ],
)
def test_crs_names_are_understood(text, epsg: int) -> None:
    assert parse_epsg(text) == epsg


@pytest.mark.parametrize("text", ["", "GCJ-02", "EPSG:", "EPSG:45x8", "EPSG:٤٥٤٨"])
def test_names_that_are_no_epsg_code_are_refused(text: str) -> None:
    with pytest.raises(CrsError):
        parse_epsg(text)


def test_an_unknown_code_is_refused() -> None:
    with pytest.raises(CrsError, match="999999"):
        crs_of(999999)


def test_coordinates_outside_a_projection_raise_instead_of_becoming_infinite() -> None:
    with pytest.raises(CrsError):
        transform(shapely.Point(36.40, 115.98), 4490, 4548)  # latitude 115.98


def test_38_km2_agree_with_an_independent_geodesic_area_to_a_tenth_of_a_square_metre() -> None:
    # Oracle: Karney's geodesic polygon area over edges densified to 10 m in the work CRS.
    dense = transform(shapely.segmentize(CORE, 10.0), 4548, 4490)
    oracle = abs(Geod(ellps="GRS80").geometry_area_perimeter(dense)[0])
    assert ellipsoidal_area(CORE, 4548) == pytest.approx(oracle, abs=0.1)
    # The planar area is 206 ppm larger here: 7.9 thousand m² on 38.3 km².
    assert CORE.area - oracle == pytest.approx(8_150, abs=300)


def test_a_hole_counts_negative_and_parts_add_up() -> None:
    outer, hole = (
        shapely.box(4e5, 4e6, 4e5 + 1000, 4e6 + 1000),
        shapely.box(4e5 + 100, 4e6 + 100, 4e5 + 200, 4e6 + 300),
    )
    holed = shapely.difference(outer, hole)
    whole = ellipsoidal_area(outer, 4548)
    assert ellipsoidal_area(holed, 4548) + ellipsoidal_area(hole, 4548) == pytest.approx(
        whole, abs=1e-4
    )


def test_a_polygon_with_a_needle_keeps_its_area() -> None:
    # What a difference leaves where an edge was missed by a rounding. Densified by GEOS it is
    # empty. It is a triangle of 260.4 m by 0.188 m: 24.444 m² in the plane, 216 ppm less here.
    needle = shapely.Polygon(
        [
            (408070.5637250404, 4031677.574142336),
            (408356.4120000005, 4031715.86),
            (408240.60744721536, 4031700.349405698),
            (408328.7070000003, 4031712.149),
            (408328.731, 4031711.962999999),
        ]
    )
    assert needle.is_valid
    assert ellipsoidal_area(needle, 4548) == pytest.approx(24.439, abs=1e-3)
    two = shapely.MultiPolygon([needle, shapely.box(4.1e5, 4e6, 4.1e5 + 10, 4e6 + 10)])
    assert ellipsoidal_areas(np.array([needle, two]), 4548) == pytest.approx(
        [24.439, 124.418], abs=2e-3
    )


def test_densified_polygons_are_the_same_polygons() -> None:
    holed = shapely.box(0, 0, 1000, 500).difference(shapely.box(100, 100, 300, 200))
    shapes = np.array(
        [holed, shapely.MultiPolygon([holed]), shapely.LineString([(0, 0), (120, 0)]), None,
         shapely.Polygon()]
    )  # fmt: skip
    dense = densified(shapes, 50.0)
    assert shapely.area(dense[:2]).tolist() == [480_000.0, 480_000.0]
    # A vertex each 50 m, and the first one once more: 3000 / 50 + 1 and 600 / 50 + 1.
    assert shapely.get_num_coordinates(dense).tolist() == [74, 74, 4, 0, 0]
    assert dense[3] is None


def test_lines_points_and_nothing_have_no_area() -> None:
    for wkt in ("POINT (4e5 4e6)", "LINESTRING (4e5 4e6, 4.1e5 4e6)", "POLYGON EMPTY"):
        assert ellipsoidal_area(shapely.from_wkt(wkt), 4548) == 0.0


def test_many_areas_at_once_equal_the_single_ones() -> None:
    shapes = np.array([shapely.box(4e5 + i, 4e6, 4e5 + i + 250, 4e6 + 400) for i in range(5)])
    single = [ellipsoidal_area(s, 4548) for s in shapes]
    assert ellipsoidal_areas(shapes, 4548) == pytest.approx(single, abs=1e-5)
    assert len(ellipsoidal_areas(np.array([], dtype=object), 4548)) == 0


def test_shown_coordinates_keep_a_tenth_of_a_millimetre() -> None:
    shown = to_lonlat(shapely.box(408_000, 4_030_000, 408_500, 4_030_500), 4548)
    back = transform(shapely.from_geojson(json.dumps(shown)), 4490, 4548)
    expected = shapely.box(408_000, 4_030_000, 408_500, 4_030_500)
    assert shapely.hausdorff_distance(back, expected) < 2e-4


def test_coordinates_are_nested_as_geojson_has_them_whatever_the_shape() -> None:
    hole = "((0 0, 9 0, 9 9, 0 0), (5 1, 6 1, 6 2, 5 1), (7 2, 8 2, 8 3, 7 2))"
    shapes = [
        f"POLYGON {hole}",
        f"MULTIPOLYGON ({hole}, ((20 0, 21 0, 21 1, 20 0)))",
        "MULTIPOLYGON EMPTY",
        "POINT (1 2)",
        "MULTIPOINT ((1 2), (3 4))",
        "LINESTRING (0 0, 1 1, 2 0)",
        "MULTILINESTRING ((0 0, 1 1), (2 2, 3 3, 4 4))",
    ]
    for text in shapes:
        shape = shapely.from_wkt(text)
        assert coordinates_of(shape) == json.loads(shapely.to_geojson(shape))["coordinates"]
    mixed = shapely.from_wkt(f"GEOMETRYCOLLECTION (POINT EMPTY, POINT (1 2), POLYGON {hole})")
    assert coordinates_of(mixed) == [[], [1, 2], coordinates_of(shapely.from_wkt(shapes[0]))]
    assert coordinates_of(shapely.from_wkt("POINT Z (1 2 3)")) == [1, 2]
    assert coordinates_of(shapely.from_wkt("POLYGON EMPTY")) == []


def test_nothing_is_shown_that_has_no_place() -> None:
    with pytest.raises(CrsError, match="超出其适用范围"):
        to_lonlat(shapely.box(1e30, 1e30, 1.1e30, 1.1e30), 4548)


def test_the_coordinates_that_are_given_stay_as_they_are() -> None:
    site = shapely.box(408_000, 4_030_000, 408_500, 4_030_500)
    before = site.wkb
    moved = transform(site, 4548, 4490)
    ellipsoidal_area(site, 4548)
    to_lonlat(site, 4548)
    assert site.wkb == before != moved.wkb
