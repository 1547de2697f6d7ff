"""Areas of the plan by name, polygons of the user, both areas against two other computations."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import shapely
from pyproj import Geod, Transformer
from shapely import Polygon, box

from gis.errors import ClaimError, CrsError, GeometryError, NotFoundError, OutsidePlanError
from gis.intake import read_site
from gis.model import LayerState
from gis.plan import Plan
from gis.plan.areas import area_ids, divisions, find_area, plan_areas
from gis.plan.catalogue import Layer
from gis.plan.figures import area_rows

X, Y = 408_000.0, 4_030_000.0  # EPSG:4548, inside the resort


def with_layer(plan: Plan, layer_id: str, **changes) -> Plan:
    """The plan with one layer changed: ``role``, ``state``, or arrays of its features."""
    layer = plan.layers[layer_id]
    info = replace(layer.info, role=changes.pop("role", layer.info.role))
    index = replace(layer.index, info=info, **changes)
    changed = Layer(info, index, layer.path, layer.frame)
    return replace(plan, layers={**plan.layers, layer_id: changed})


# --- the numbers, computed in two other ways -----------------------------------------------------


def dense_degrees(polygon, step_m: float = 10.0):
    """The rings in degrees of CGCS2000, edges straight in EPSG:4548, a point every 10 m."""
    back = Transformer.from_crs(4548, 4490, always_xy=True)
    for part in shapely.get_parts(polygon):
        for n, ring in enumerate([part.exterior, *part.interiors]):
            xy = shapely.get_coordinates(shapely.segmentize(ring, step_m))
            lon, lat = back.transform(xy[:, 0], xy[:, 1])
            yield (1 if n == 0 else -1), np.asarray(lon), np.asarray(lat)


def geodesic_m2(polygon) -> float:
    """Karney's area of geodesic polygons on GRS 80, from PROJ."""
    geod = Geod(ellps="GRS80")
    rings = dense_degrees(polygon)
    return math.fsum(s * abs(geod.polygon_area_perimeter(lon, lat)[0]) for s, lon, lat in rings)


def survey_m2(polygon) -> float:
    """国土调查办发〔2008〕32号: trapezoids between each edge and a meridian, CGCS2000 constants."""
    a, f = 6_378_137.0, 1 / 298.257222101
    b, e2 = a * (1 - f), f * (2 - f)
    e4, e6, e8 = e2**2, e2**3, e2**4
    factors = (
        1 + 3 / 6 * e2 + 30 / 80 * e4 + 35 / 112 * e6 + 630 / 2304 * e8,
        -(1 / 6 * e2 + 15 / 80 * e4 + 21 / 112 * e6 + 420 / 2304 * e8),
        3 / 80 * e4 + 7 / 112 * e6 + 180 / 2304 * e8,
        -(1 / 112 * e6 + 45 / 2304 * e8),
        5 / 2304 * e8,
    )
    total = 0.0
    for sign, lon, lat in dense_degrees(polygon):
        rad_l, rad_b = np.radians(lon - 117.0), np.radians(lat)
        north, middle = np.diff(rad_b), (rad_b[1:] + rad_b[:-1]) / 2
        strip = sum(
            c * np.sin((2 * k + 1) * north / 2) * np.cos((2 * k + 1) * middle)
            for k, c in enumerate(factors)
        )
        edges = 2 * b**2 * (rad_l[1:] + rad_l[:-1]) / 2 * strip
        total += sign * abs(math.fsum(edges))
    return total


@pytest.mark.parametrize("name", ["core", "resort", "approval_area", "Z4", "dev_boundary"])
def test_the_ellipsoidal_area_is_that_of_two_other_computations(plan: Plan, name: str) -> None:
    # Measured: within 0.003 m² of both, on 38.3 as on 226 km².
    area = find_area(plan, name)
    assert area.area.ellipsoidal_m2 == pytest.approx(geodesic_m2(area.polygon), abs=0.01)
    assert area.area.ellipsoidal_m2 == pytest.approx(survey_m2(area.polygon), abs=0.01)
    assert area.area.planar_m2 == area.polygon.area


def test_the_planar_area_is_206_parts_in_a_million_larger_here(plan: Plan) -> None:
    # practice of the field: EPSG:4548 at the core is about +206 ppm (+161 to +286 over the resort).
    area = find_area(plan, "core").area
    ppm = 1e6 * (area.planar_m2 - area.ellipsoidal_m2) / area.ellipsoidal_m2
    assert 161 < ppm < 286


# --- names ---------------------------------------------------------------------------------------


def test_every_named_area_is_found_with_its_layer(plan: Plan) -> None:
    areas = plan_areas(plan)
    assert [a.id for a in areas] == area_ids(plan)
    assert {"resort", "core", "approval_area", "dev_boundary", "Z1", "Z5"} <= {a.id for a in areas}
    assert [a.id for a in areas if a.kind == "district"] == sorted(divisions(plan.layers["towns"]))
    assert all(a.layer is not None and a.layer.vintage for a in areas)
    assert plan.areas == areas


def test_the_default_is_the_core_and_a_role_is_a_name_too(plan: Plan) -> None:
    assert find_area(plan, None).id == "core"
    assert find_area(plan, "approval").id == "approval_area"
    without = replace(plan, layers={k: v for k, v in plan.layers.items() if k != "core"})
    assert find_area(without, None).id == "resort"


def test_a_plan_without_core_and_range_has_no_default(plan: Plan) -> None:
    bare = {k: v for k, v in plan.layers.items() if k not in ("core", "resort")}
    with pytest.raises(NotFoundError, match=r"没有默认范围.*approval_area"):
        find_area(replace(plan, layers=bare), None)


def test_a_core_without_data_is_never_replaced_by_another_denominator(plan: Plan) -> None:
    lacking = with_layer(plan, "core", state=LayerState.NO_DATA, reason="数据文件不存在：HXQ.shp")
    with pytest.raises(NotFoundError, match=r"HXQ\.shp"):
        find_area(lacking, None)


def test_an_unknown_name_lists_those_there_are(plan: Plan) -> None:
    with pytest.raises(NotFoundError, match=r"dev_boundary、.*Z5"):
        find_area(plan, "Z9")


def test_a_layer_of_lines_is_no_area(plan: Plan) -> None:
    with pytest.raises(ClaimError, match="不是面"):
        find_area(plan, "roads")


def test_a_role_of_several_layers_is_refused_with_their_ids(plan: Plan) -> None:
    with pytest.raises(ClaimError, match="green_line、blue_line"):
        find_area(plan, "control_line")


def test_a_name_of_a_town_and_a_zone_must_be_told_apart(plan: Plan) -> None:
    towns = plan.layers["towns"].index
    same = with_layer(plan, "towns", classes=np.array(["Z1", *towns.classes[1:]], dtype=object))
    with pytest.raises(ClaimError, match="towns:Z1、zones:Z1"):
        find_area(same, "Z1")
    assert {"towns:Z1", "zones:Z1"} <= set(area_ids(same))
    assert find_area(same, "zones:Z1").area == find_area(plan, "Z1").area
    assert find_area(same, "towns:Z1").title == str(towns.names[0])
    assert len(plan_areas(same)) == len(plan_areas(plan))


def test_a_zone_drawn_as_two_features_is_one_area(plan: Plan) -> None:
    zones = plan.layers["zones"].index
    joined = with_layer(plan, "zones", classes=np.array(["Z1", "Z1", *zones.classes[2:]], object))
    expected = shapely.union_all(zones.geometries[:2]).area
    assert find_area(joined, "Z1").area.planar_m2 == pytest.approx(expected, abs=1e-6)


def test_a_zone_without_class_goes_by_its_id(plan: Plan) -> None:
    zones = plan.layers["zones"].index
    bare = with_layer(plan, "zones", classes=np.array([None, *zones.classes[1:]], dtype=object))
    assert find_area(bare, str(zones.ids[0])).area == find_area(plan, "Z1").area


# --- polygons of the user ------------------------------------------------------------------------


def test_a_zone_named_like_a_layer_or_a_role_keeps_its_own_area(plan: Plan) -> None:
    # A reserve of core, buffer and transition; the plan has a layer "core" and a role "approval".
    classes = np.array(["core", "approval", "a:b", "", None], dtype=object)
    named = with_layer(plan, "zones", classes=classes)
    areas = {area.id: area for area in plan_areas(named)}
    own = {z: named.layer("zones").index.geometries[n] for n, z in enumerate(classes[:3])}
    for zone, name in (("core", "zones:core"), ("approval", "zones:approval"), ("a:b", "a:b")):
        assert areas[name].polygon.equals(own[zone])
    assert areas["core"].area == plan.area_of("core")
    assert "" not in areas  # a zone with an empty class goes by its id, like one without
    with pytest.raises(ClaimError, match="zones:approval"):
        find_area(named, "approval")


def test_zones_of_one_class_with_several_names_are_not_called_by_the_first(plan: Plan) -> None:
    names = np.array(["一区", "二区", "三区", "三区", None], dtype=object)
    named = with_layer(plan, "zones", classes=np.array([*"UUVVW"], dtype=object), names=names)
    assert [find_area(named, zone).title for zone in "UVW"] == ["U", "三区", "W"]


def test_a_polygon_of_the_user_has_both_areas_and_no_layer(plan: Plan) -> None:
    hole = box(X + 10, Y + 10, X + 20, Y + 20)
    area = find_area(plan, box(X, Y, X + 100, Y + 100) - hole)
    assert (area.id, area.kind, area.layer) == ("user", "user", None)
    assert area.area.planar_m2 == 9_900
    assert area.area.ellipsoidal_m2 == pytest.approx(geodesic_m2(area.polygon), abs=0.01)


def test_a_site_brings_its_name_areas_and_remarks(plan: Plan, samples_dir) -> None:
    site = read_site(samples_dir / "yizhong_xinxiao.txt", plan)
    area = find_area(plan, site)
    assert (area.title, area.area) == (site.name, site.area)
    assert area.notes == site.notes


@pytest.mark.parametrize(
    "shape",
    [
        Polygon(),
        shapely.Point(X, Y),
        shapely.LineString([(X, Y), (X + 9, Y)]),
        Polygon([(X, Y), (X + 9, Y), (X, Y)]),
    ],
)
def test_what_has_no_area_is_no_area(plan: Plan, shape) -> None:
    with pytest.raises(GeometryError, match="面积"):
        find_area(plan, shape)


def test_a_bow_tie_is_refused_with_its_place(plan: Plan) -> None:
    bow = Polygon([(X, Y), (X + 20, Y + 10), (X + 20, Y), (X, Y + 30)])
    with pytest.raises(GeometryError, match=r"自相交.*东 4080\d\d.*北 40300\d\d"):
        find_area(plan, bow)


def test_a_polygon_in_another_crs_is_outside_the_plan(plan: Plan) -> None:
    with pytest.raises(OutsidePlanError, match="EPSG:4548"):
        find_area(plan, box(115.9, 36.3, 116.0, 36.4))


def test_a_site_read_for_another_plan_is_refused(plan: Plan, samples_dir) -> None:
    site = read_site(samples_dir / "yizhong_xinxiao.txt", plan)
    other = replace(site, crs=replace(site.crs, work_epsg=4547))
    with pytest.raises(CrsError, match="4547"):
        find_area(plan, other)


# --- as printed ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["district", "zone"])
@pytest.mark.parametrize(
    ("key", "digits"), [("ellipsoidal_m2", 2), ("km2", 4), ("ha", 2), ("mu", 2)]
)
def test_towns_and_zones_add_up_to_the_resort_as_printed(
    plan: Plan, kind: str, key: str, digits: int
) -> None:
    rows = area_rows(plan)
    (whole,) = [row[key] for row in rows if row["kind"] == "planning_area"]
    parts = [row[key] for row in rows if row["kind"] == kind]
    assert len(parts) >= 4
    assert round(math.fsum(parts), digits) == whole


def test_zones_that_leave_a_gap_are_printed_as_they_are(plan: Plan) -> None:
    zones = plan.layers["zones"].index
    torn = zones.geometries.copy()
    torn[0] = torn[0].buffer(-5)
    rows = {row["id"]: row for row in area_rows(with_layer(plan, "zones", geometries=torn))}
    assert rows["Z1"]["ellipsoidal_m2"] == pytest.approx(geodesic_m2(torn[0]), abs=0.02)
    assert rows["Z2"] == {row["id"]: row for row in area_rows(plan)}["Z2"]


def test_each_area_says_where_it_comes_from(plan: Plan) -> None:
    for row in area_rows(plan):
        assert row["layer_title"]
        assert row["vintage"]
        assert row["status"] == "schematic"
        assert row["planar_difference_m2"] == pytest.approx(
            row["planar_m2"] - row["ellipsoidal_m2"], abs=1e-6
        )
