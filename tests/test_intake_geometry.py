"""Validity with the place of the fault, repair on request, corridors, and limits."""

import time

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, MultiPolygon, Polygon, box, mapping

from gis.crs import CrsPolicy, transform
from gis.errors import ClaimError, GeometryError, InputError, LimitError
from gis.intake.read import read_site, read_sites

POLICY = CrsPolicy(
    4548, (4490, 4326, 4527, 4548, 4526, 4547, 4498, 4509), (115.80, 36.22, 116.18, 36.47)
)
X, Y = 408500.0, 4030400.0


def codes(remarks):
    return {remark.code for remark in remarks}


def moved(*points):
    return [(X + x, Y + y) for x, y in points]


BOW_TIE = Polygon(moved((0, 0), (200, 200), (200, 0), (0, 200)))


def test_a_bow_tie_names_both_edges_and_the_crossing_in_the_coordinates_of_the_input():
    with pytest.raises(GeometryError) as error:
        read_site(BOW_TIE.wkt, POLICY)
    (fault,) = error.value.faults
    assert fault.where == "第 1 个图形第 1 环第 1 点 与 第 1 个图形第 1 环第 3 点"
    assert "东 408600.000，北 4030500.000" in fault.message


def test_a_bow_tie_in_degrees_names_the_crossing_in_degrees():
    with pytest.raises(GeometryError) as error:
        read_site(mapping(transform(BOW_TIE, 4548, 4490)), POLICY)
    assert error.value.faults[0].where == "$.coordinates[0][0] 与 $.coordinates[0][2]"
    assert "经度 115.98" in error.value.faults[0].message


def test_repair_happens_on_request_and_gives_both_areas():
    # The two triangles of the bow-tie: 2 x (200 x 100 / 2) = 20,000 m²; by vertex order 0.
    site = read_site(BOW_TIE.wkt, POLICY, repair=True)
    assert site.area.planar_m2 == pytest.approx(20_000)
    (warning,) = site.warnings
    assert warning.code == "repaired"
    assert " 0.00 m²" in warning.message
    assert "20000.00 m²" in warning.message


def test_repair_leaves_a_valid_polygon_alone():
    site = read_site(box(X, Y, X + 100, Y + 100).wkt, POLICY, repair=True)
    assert site.warnings == ()


def test_all_crossings_are_told_at_once():
    zigzag = moved((0, 0), (300, 0), (300, 50), (200, -50), (100, 50), (0, -50))
    with pytest.raises(GeometryError) as error:
        read_site(Polygon(zigzag).wkt, POLICY)
    # By hand: the zigzag crosses the base y = 0 at x = 250, 150 and 50.
    places = " ".join(fault.message for fault in error.value.faults)
    assert [f"东 {X + x:.3f}" in places for x in (250, 150, 50)] == [True] * 3


@pytest.mark.parametrize(
    "shape",
    [
        Polygon(box(X, Y, X + 100, Y + 100).exterior, [box(X + 200, Y, X + 210, Y + 10).exterior]),
        Polygon(box(X, Y, X + 100, Y + 100).exterior, [box(X + 90, Y, X + 110, Y + 10).exterior]),
        Polygon(
            box(X, Y, X + 100, Y + 100).exterior,
            [
                box(X + 10, Y + 10, X + 50, Y + 50).exterior,
                box(X + 20, Y + 20, X + 30, Y + 30).exterior,
            ],
        ),
        MultiPolygon([box(X, Y, X + 100, Y + 100), box(X + 50, Y + 50, X + 150, Y + 150)]),
        MultiPolygon([box(X, Y, X + 100, Y + 100), box(X + 10, Y + 10, X + 20, Y + 20)]),
        MultiPolygon([box(X, Y, X + 100, Y + 100), box(X, Y, X + 100, Y + 100)]),
        MultiPolygon([box(X, Y, X + 100, Y + 100), box(X + 100, Y, X + 200, Y + 100)]),
        Polygon(moved((0, 0), (100, 0), (50, 50), (100, 100), (0, 100), (50, 50))),
    ],
    ids=[
        "hole outside",
        "hole across the shell",
        "hole in hole",
        "overlapping parts",
        "nested parts",
        "equal parts",
        "parts sharing an edge",
        "ring touching itself",
    ],
)
def test_what_is_no_valid_polygon_is_refused_with_a_place_and_repairable(shape):
    with pytest.raises(GeometryError) as error:
        read_site(shape.wkt, POLICY)
    assert error.value.faults
    assert all(
        f.where.startswith("第 1 个图形") and "位置" in f.message for f in error.value.faults
    )
    site = read_site(shape.wkt, POLICY, repair=True)
    assert shapely.is_valid(site.geometry)
    assert "repaired" in codes(site.warnings)


def test_parts_touching_in_a_corner_are_valid():
    shape = MultiPolygon([box(X, Y, X + 100, Y + 100), box(X + 100, Y + 100, X + 200, Y + 200)])
    assert read_site(shape.wkt, POLICY).area.planar_m2 == pytest.approx(20_000)


def test_an_unclosed_ring_and_repeated_points_are_warnings():
    points = [[X, Y], [X + 100, Y], [X + 100, Y], [X + 100, Y + 100], [X, Y + 100]]
    site = read_site({"type": "Polygon", "coordinates": [points]}, POLICY)
    assert codes(site.warnings) == {"ring_closed", "duplicate_points"}
    assert site.area.planar_m2 == pytest.approx(10_000)


def test_a_clockwise_ring_is_a_note():
    square = box(X, Y, X + 100, Y + 100)
    clockwise = Polygon(list(square.exterior.coords)[::-1])
    counter = square if square.exterior.is_ccw else clockwise
    other = clockwise if square.exterior.is_ccw else square
    assert "clockwise" not in codes(read_site(counter.wkt, POLICY).notes)
    site = read_site(other.wkt, POLICY)
    assert "clockwise" in codes(site.notes)
    assert site.warnings == ()


@pytest.mark.parametrize(
    "points",
    [
        moved((0, 0)),
        moved((0, 0), (1, 1)),
        moved((0, 0), (1, 1), (0, 0)),
        moved((0, 0), (1, 1), (2, 2)),
        moved((0, 0), (0, 0), (0, 0), (0, 0)),
    ],
)
def test_rings_without_area_are_refused_with_or_without_repair(points):
    for repair in (False, True):
        with pytest.raises(GeometryError):
            read_site(mapping_of(points), POLICY, repair=repair)


def mapping_of(points):
    return {"type": "Polygon", "coordinates": [[list(p) for p in points]]}


def test_a_site_of_a_square_millimetre_is_refused():
    with pytest.raises(GeometryError, match="面积不足"):
        read_site(box(X, Y, X + 0.001, Y + 0.001).wkt, POLICY)


def test_faults_of_several_sites_are_collected():
    features = [{"type": "Feature", "properties": None, "geometry": mapping(BOW_TIE)}] * 3
    with pytest.raises(GeometryError, match="3 个地块") as error:
        read_sites({"type": "FeatureCollection", "features": features}, POLICY)
    assert [f.where[:14] for f in error.value.faults] == [f"$.features[{i}]." for i in range(3)]


# --- lines ----------------------------------------------------------------------------------------


def test_a_line_with_a_width_becomes_a_corridor_with_flat_ends():
    line = LineString([(X, Y), (X + 300, Y)])
    site = read_site(line.wkt, POLICY, width_m=20)
    assert site.area.planar_m2 == pytest.approx(300 * 20)
    assert "corridor" in codes(site.notes)
    assert site.warnings == ()


def test_a_line_in_degrees_gets_its_width_in_metres():
    line = transform(LineString([(X, Y), (X + 300, Y)]), 4548, 4490)
    site = read_site(mapping(line), POLICY, width_m=20)
    assert site.area.planar_m2 == pytest.approx(6_000, abs=0.01)


def test_a_line_without_a_width_is_refused():
    with pytest.raises(GeometryError, match="width_m"):
        read_site(LineString([(X, Y), (X + 300, Y)]).wkt, POLICY)


@pytest.mark.parametrize("width", [0, -1, float("nan"), float("inf"), 1e6, True])
def test_a_width_that_is_none_is_refused(width):
    with pytest.raises(ClaimError):
        read_site(LineString([(X, Y), (X + 300, Y)]).wkt, POLICY, width_m=width)


def test_a_width_on_a_polygon_is_ignored_with_a_warning():
    site = read_site(box(X, Y, X + 100, Y + 100).wkt, POLICY, width_m=5)
    assert codes(site.warnings) == {"width_ignored"}
    assert site.area.planar_m2 == pytest.approx(10_000)


# --- limits ---------------------------------------------------------------------------------------


def random_ring(count):
    return Polygon(np.random.default_rng(0).random((count, 2)) * 1000 + (X, Y))


def test_random_vertices_are_refused_quickly_and_repaired_quickly():
    start = time.perf_counter()
    with pytest.raises(GeometryError):
        read_site(random_ring(300).wkt, POLICY)
    read_site(random_ring(300).wkt, POLICY, repair=True)
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize("repair", [False, True])
def test_many_random_vertices_end_in_a_clear_error_quickly(repair):
    start = time.perf_counter()
    with pytest.raises((GeometryError, LimitError)):
        read_site(random_ring(20_000).wkt, POLICY, repair=repair)
    with pytest.raises(LimitError):
        read_site(random_ring(100_000).wkt, POLICY, repair=repair)
    assert time.perf_counter() - start < 8


def test_a_valid_comb_with_slanted_teeth_is_a_limit_not_a_standstill():
    teeth = np.arange(30_000)
    left = np.column_stack([X + teeth * 0.01, np.full(len(teeth), Y)])
    tips = left + np.array([1000.003, 1000.0])
    points = np.stack([left, tips, left + np.array([0.006, 0.0])], axis=1).reshape(-1, 2)
    comb = Polygon([*points, (X + 300, Y - 1), (X, Y - 1)])
    with pytest.raises(LimitError):
        read_site(comb.wkt, POLICY)


def test_a_zigzag_with_a_wide_corridor_is_a_limit_not_a_standstill():
    line = LineString([(X + i * 0.4, Y + 1000 * (i % 2)) for i in range(4_900)])
    with pytest.raises(LimitError):
        read_site(line.wkt, POLICY, width_m=1000)


def test_a_long_road_with_close_vertices_is_no_problem():
    east = np.arange(0, 15_000, 5.0)
    line = LineString(np.column_stack([X + east, Y + 300 * np.sin(east / 2_000)]))
    site = read_site(line.wkt, POLICY, width_m=40)
    assert site.area.planar_m2 == pytest.approx(line.length * 40, rel=1e-4)


def test_a_long_calm_outline_is_no_problem():
    angle = np.linspace(0, 2 * np.pi, 100_001)[:-1]
    circle = Polygon(np.column_stack([X + 500 * np.cos(angle), Y + 500 * np.sin(angle)]))
    site = read_site(circle.wkt, POLICY)
    assert site.area.planar_m2 == pytest.approx(np.pi * 500**2, rel=1e-6)


def test_a_border_of_thousands_of_kilometres_is_a_limit():
    rows = [(X + (i % 4 in (1, 2)) * 20_000, Y + i // 2 * 10.0) for i in range(1_000)]
    zigzag = Polygon([*rows, (X - 10, rows[-1][1]), (X - 10, Y - 10)])
    with pytest.raises(LimitError, match="边界总长"):
        read_site(zigzag.wkt, POLICY)


@pytest.mark.parametrize(
    ("ring", "area"),
    [
        # By hand: 1.0 and 0.5 m²; 4.0 and 0.5 m². Both pairs share a stretch of an edge.
        ([(0, 1), (3, 1), (2, 1), (3, 2), (1, 1), (2, 1), (2, 3), (2, 0)], 1.5),
        ([(2, 0), (1, 2), (1, 1), (2, 0), (1, 2), (0, 3), (3, 3)], 4.5),
    ],
)
def test_a_repair_that_leaves_shared_edges_is_mended_once_more(ring, area):
    site = read_site(mapping_of(moved(*ring)), POLICY, repair=True)
    assert shapely.is_valid(site.geometry)
    assert site.area.planar_m2 == pytest.approx(area, abs=1e-6)


# --- laws -----------------------------------------------------------------------------------------

point = st.tuples(st.floats(0, 300), st.floats(0, 300))


@settings(max_examples=60)
@given(points=st.lists(point, min_size=0, max_size=9), repair=st.booleans())
def test_any_ring_gives_a_valid_site_or_an_input_error(points, repair):
    try:
        site = read_site(mapping_of(moved(*points)), POLICY, repair=repair)
    except InputError:
        return
    assert shapely.is_valid(site.geometry)
    assert site.area.ellipsoidal_m2 > 0


@settings(max_examples=30)
@given(start=st.integers(0, 4), backwards=st.booleans())
def test_the_starting_point_and_direction_do_not_change_the_area(start, backwards):
    ring = moved((0, 0), (100, 0), (120, 80), (40, 130), (-10, 60))
    turned = ring[start:] + ring[:start]
    site = read_site(mapping_of(turned[::-1] if backwards else turned), POLICY)
    assert site.area.planar_m2 == pytest.approx(Polygon(ring).area, abs=1e-6)
