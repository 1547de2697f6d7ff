"""What the numbers mean: the coordinate rows of one point, zones, swaps, and places elsewhere.

The rows for 115.98E 36.40N were computed with pyproj against the EPSG definitions.
"""

import pytest
from shapely.geometry import Polygon, box

from gis.crs import CrsPolicy, transform
from gis.errors import CrsError, OutsidePlanError
from gis.intake.read import read_site

POLICY = CrsPolicy(
    4548, (4490, 4326, 4527, 4548, 4526, 4547, 4498, 4509), (115.80, 36.22, 116.18, 36.47)
)
ROWS = {
    4527: (39408498.27, 4030411.11),
    4548: (408498.27, 4030411.11),
    4498: (20408498.27, 4030411.11),
    4509: (408498.27, 4030411.11),
    4490: (115.98, 36.40),
    4326: (115.98, 36.40),
}
SQUARE = box(408498.27, 4030411.11, 408698.27, 4030511.11)


def at(x, y, size):
    return box(x, y, x + size, y + size).wkt


def codes(remarks):
    return {remark.code for remark in remarks}


@pytest.mark.parametrize("epsg", ROWS)
def test_the_row_of_each_crs_is_the_same_place(epsg):
    x, y = ROWS[epsg]
    site = read_site(f"SRID={epsg};" + at(x, y, 0.001 if x < 180 else 100), POLICY)
    west, south = site.geometry.bounds[:2]
    assert (west, south) == pytest.approx((408498.27, 4030411.11), abs=3.0 if x < 180 else 0.01)
    assert site.crs.how == "declared"


@pytest.mark.parametrize(
    ("epsg", "how", "understood"),
    [
        (4527, "prefix", 4527),
        (4498, "prefix", 4498),
        (4548, "guessed", 4548),
        (4509, "guessed", 4548),  # identical numbers: the work CRS names them
        (4490, "guessed", 4490),
    ],
)
def test_numbers_without_a_declaration_are_understood(epsg, how, understood):
    x, y = ROWS[epsg]
    site = read_site(at(x, y, 0.001 if x < 180 else 100), POLICY)
    assert (site.crs.source_epsg, site.crs.how) == (understood, how)


def test_the_user_goes_before_the_file():
    site = read_site("SRID=4509;" + SQUARE.wkt, POLICY, crs="EPSG:4548")
    assert (site.crs.source_epsg, site.crs.how) == (4548, "given")
    assert site.warnings == ()


@pytest.mark.parametrize("crs", ["EPSG:2362", 4610, "西安80", "EPSG:4549", 3857, "abc", "9" * 5000])
def test_a_given_crs_that_is_not_accepted_is_refused(crs):
    with pytest.raises(CrsError):
        read_site(SQUARE.wkt, POLICY, crs=crs)


def test_the_refusal_names_what_was_found_and_what_is_accepted():
    with pytest.raises(CrsError, match=r"EPSG:4549.*EPSG:4527"):
        read_site(SQUARE.wkt, POLICY, crs=4549)


def test_a_declared_code_with_the_other_spelling_of_its_zone_is_a_warning():
    prefixed = at(*ROWS[4527], 100)
    site = read_site("SRID=4548;" + prefixed, POLICY)
    assert site.crs.source_epsg == 4527
    assert codes(site.warnings) == {"zone_prefix"}
    site = read_site("SRID=4527;" + SQUARE.wkt, POLICY)
    assert site.crs.source_epsg == 4548
    assert codes(site.warnings) == {"zone_prefix"}


@pytest.mark.parametrize("epsg", [4526, 4547, 4498, 4509])
def test_a_declared_zone_against_the_prefix_is_refused(epsg):
    with pytest.raises(CrsError, match="带号 39"):
        read_site(f"SRID={epsg};" + at(*ROWS[4527], 100), POLICY)


def test_six_degree_zones_are_accepted_with_a_warning():
    site = read_site("SRID=4498;" + at(*ROWS[4498], 100), POLICY)
    assert codes(site.warnings) == {"six_degree_zone"}


@pytest.mark.parametrize("epsg", [4547, 4526])
@pytest.mark.parametrize("declared", [True, False])
def test_a_neighbour_zone_is_reprojected_with_a_warning(epsg, declared):
    moved = transform(SQUARE, 4548, epsg)
    # 115.98E in zone 38: easting 677,629 (practice.md section 2).
    assert moved.bounds[0] % 1e6 == pytest.approx(677_600, abs=100)
    site = read_site((f"SRID={epsg};" if declared else "") + moved.wkt, POLICY)
    assert codes(site.warnings) == {"neighbour_zone"}
    assert site.geometry.symmetric_difference(SQUARE).area < 0.01
    assert site.crs.source_epsg == epsg


def swapped(polygon):
    return Polygon([(y, x) for x, y in polygon.exterior.coords])


@pytest.mark.parametrize("epsg", [4490, 4548, 4527])
@pytest.mark.parametrize("declared", [True, False])
def test_swapped_axes_are_refused_and_named(epsg, declared):
    text = swapped(transform(SQUARE, 4548, epsg)).wkt
    with pytest.raises(CrsError, match="顺序相反"):
        read_site((f"SRID={epsg};" if declared else "") + text, POLICY)


def test_web_mercator_without_a_declaration_is_refused_and_named():
    with pytest.raises(CrsError, match="Web 墨卡托"):
        read_site(transform(SQUARE, 4548, 3857).wkt, POLICY)


def test_degrees_declared_as_metres_and_metres_declared_as_degrees_are_refused():
    with pytest.raises(CrsError, match="不符"):
        read_site("SRID=4548;" + transform(SQUARE, 4548, 4490).wkt, POLICY)
    with pytest.raises(CrsError, match="不符"):
        read_site("SRID=4490;" + SQUARE.wkt, POLICY)


@pytest.mark.parametrize(
    "text",
    [
        "SRID=4490;" + at(120.0, 30.0, 0.01),
        at(120.0, 30.0, 0.01),
        at(0.0, 0.0, 0.01),
        "SRID=4548;" + at(408498, 3030411, 100),
        at(39408498, 3030411, 100),
    ],
)
def test_a_place_elsewhere_is_refused_with_coordinates_and_bounds(text):
    with pytest.raises(OutsidePlanError, match=r"115\.8–116\.18") as error:
        read_site(text, POLICY)
    assert "经度" in error.value.detail


def test_a_site_near_the_plan_but_outside_is_refused():
    with pytest.raises(OutsidePlanError):
        read_site(at(115.70, 36.30, 0.05), POLICY)


def test_a_site_partly_outside_the_bounds_is_a_warning():
    site = read_site(at(115.79, 36.30, 0.05), POLICY)
    assert codes(site.warnings) == {"partly_outside_bounds"}


@pytest.mark.parametrize(
    "text",
    [
        at(1000, 2000, 100),
        at(40408498, 4030411, 100),
        at(1e12, 1e12, 100),
        at(-408498, 4030411, 100),
        at(1e300, 1e300, 1e299),
    ],
)
def test_numbers_that_fit_no_accepted_crs_are_refused(text):
    with pytest.raises((CrsError, OutsidePlanError)):
        read_site(text, POLICY)


def test_a_zone_that_the_plan_does_not_accept_is_named():
    with pytest.raises(CrsError, match="带号为 40"):
        read_site(at(40408498, 4030411, 100), POLICY)


def test_one_mistyped_vertex_is_named_and_not_taken_for_another_crs():
    text = SQUARE.wkt.replace("408698.27 4030511.11", "408698.27 403511.11")
    with pytest.raises(OutsidePlanError, match=r"第 1 环第 [12] 点"):
        read_site(text, POLICY)


def test_ambiguous_numbers_in_a_wide_plan_must_be_declared():
    wide = CrsPolicy(4548, (4527, 4548, 4526, 4547), (110.0, 30.0, 122.0, 42.0))
    with pytest.raises(CrsError, match="都落在规划范围内"):
        read_site(SQUARE.wkt, wide)
    assert read_site("SRID=4548;" + SQUARE.wkt, wide).crs.source_epsg == 4548
    assert read_site(at(*ROWS[4527], 100), wide).crs.source_epsg == 4527


def test_a_plan_with_another_kind_of_work_crs_is_served():
    elsewhere = CrsPolicy(32633, (32633, 4326), (14.0, 50.0, 16.0, 51.0))
    site = read_site(at(15.0, 50.5, 0.01), elsewhere)
    assert site.crs.work_epsg == 32633
    # 0.01 deg x 0.01 deg at 50.505N on WGS 84: 709.6 m x 1112.5 m.
    assert site.area.ellipsoidal_m2 == pytest.approx(709.6 * 1112.5, rel=2e-3)


def test_degrees_are_refused_where_the_plan_does_not_list_them():
    metric = CrsPolicy(4548, (4548, 4527), POLICY.bounds)
    with pytest.raises(CrsError):
        read_site("SRID=4490;" + at(115.98, 36.40, 0.001), metric)
    with pytest.raises(CrsError):
        read_site(at(115.98, 36.40, 0.001), metric)


def test_a_six_degree_zone_on_another_meridian_is_never_guessed():
    # Work zone 38 (3 degrees, 114E); the 6-degree zone 20 has 117E.
    policy = CrsPolicy(4547, (4490, 4526, 4547, 4498, 4509), (113.8, 39.85, 114.2, 40.15))
    place = transform(box(114.0, 40.0, 114.001, 40.001), 4490, 4509)
    with pytest.raises(CrsError, match="没有声明坐标系"):
        read_site(place.wkt, policy)
    assert read_site(f"SRID=4509;{place.wkt}", policy).crs.how == "declared"
