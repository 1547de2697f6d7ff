"""Land around features, on and off other layers, feature by feature: expected values by hand.

All areas are planar; how planar ones become ellipsoidal is tested in test_crs.py.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import shapely
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.crs import ellipsoidal_area
from gis.engine import LayerIndex, Measurement, drawn, measure
from gis.engine.around import window_of
from gis.model import (
    Area,
    CrsDecision,
    Demand,
    LayerClasses,
    LayerInfo,
    LayerState,
    Measure,
    Quantity,
    Site,
    Source,
)

E, N = 400_000.0, 4_020_000.0


def box(x0: float, y0: float, x1: float, y1: float) -> shapely.Polygon:
    return shapely.box(E + x0, N + y0, E + x1, N + y1)


def point(x: float, y: float) -> shapely.Point:
    return shapely.Point(E + x, N + y)


def line(*xy: tuple[float, float]) -> shapely.LineString:
    return shapely.LineString([(E + x, N + y) for x, y in xy])


def layer_of(
    name: str,
    *features: tuple[str, str | None, object],
    geometry: str = "polygon",
    halves: list[float] | None = None,
    values: dict[str, list[object]] | None = None,
) -> LayerIndex:
    return LayerIndex(
        info=LayerInfo(name, "图层", "other", geometry, "2026", "draft"),
        state=LayerState.CHECKED,
        content_sha256="x",
        ids=np.array([f[0] for f in features], dtype=object),
        classes=np.array([f[1] for f in features], dtype=object),
        names=np.array([None] * len(features), dtype=object),
        half_widths=np.array(halves or [0.0] * len(features), dtype=float),
        geometries=np.array([f[2] for f in features], dtype=object),
        values={k: np.array(v, dtype=object) for k, v in (values or {}).items()},
    )


EVERYWHERE = box(-1e5, -1e5, 1e5, 1e5)


def measured(site, demand: Demand, *layers: LayerIndex, **coverages) -> Measurement:
    area = Area(ellipsoidal_area(site, 4548), site.area)
    plot = Site("t", site, area, CrsDecision(4548, 4548, "given"), Source("wkt", "t", ""))
    reach = {layer.info.id: coverages.get(layer.info.id, EVERYWHERE) for layer in layers}
    return measure(plot, layers, [demand], coverages=reach)


def answer(site, demand: Demand, *layers: LayerIndex, **coverages) -> Measure:
    return measured(site, demand, *layers, **coverages).measures[demand]


def around(within: float, beyond: float = 0.0, **more) -> Demand:
    quantity = more.pop("quantity", Quantity.INSIDE)
    return Demand("l", quantity, within_m=within, beyond_m=beyond, **more)


# --- distances from an edge ----------------------------------------------------------------------

BANK = layer_of("l", ("a", "河道", box(-50, -9000, 0, 9000)))


@pytest.mark.parametrize(
    ("within", "beyond", "expected"),
    [
        (2000, 0, 10_000),  # the western half of a plot from 1,900 to 2,100 m
        (2000, 1000, 10_000),
        (2000, 1950, 5_000),
        (1950, 0, 5_000),
        (3000, 2000, 10_000),
        (3000, 1000, 20_000),
        (1900, 0, 0),  # it begins where the land ends
    ],
)
def test_land_along_a_straight_edge_is_exact(within, beyond, expected) -> None:
    found = answer(box(1900, 0, 2100, 100), around(within, beyond), BANK)
    assert found.area.planar_m2 == pytest.approx(expected, abs=1e-4)
    assert found.feature_ids == (("a",) if expected else ())


def test_outside_is_the_rest_of_the_site() -> None:
    demand = around(1950, quantity=Quantity.OUTSIDE)
    found = answer(box(1900, 0, 2100, 100), demand, BANK)
    assert found.area.planar_m2 == pytest.approx(15_000, abs=1e-4)


def test_the_features_belong_to_their_surroundings_unless_a_nearest_distance_is_named() -> None:
    site = box(-50, 0, 50, 100)
    assert answer(site, around(20), BANK).area.planar_m2 == pytest.approx(7_000, abs=1e-4)
    assert answer(site, around(20, 5), BANK).area.planar_m2 == pytest.approx(1_500, abs=1e-4)


def test_land_around_a_point_is_a_circle() -> None:
    layer = layer_of("l", ("a", None, point(0, 0)), geometry="point")
    for within, beyond in ((100, 0), (1000, 0), (2000, 1000), (50, 49)):
        exact = math.pi * (within**2 - beyond**2)
        found = answer(box(-2500, -2500, 2500, 2500), around(within, beyond), layer)
        assert 0 < 1 - found.area.planar_m2 / exact < 1e-6


def test_land_around_a_square_has_four_quarter_circles_at_its_corners() -> None:
    layer = layer_of("l", ("a", None, box(0, 0, 100, 100)))
    found = answer(box(-500, -500, 600, 600), around(50), layer)
    exact = 100 * 100 + 4 * 100 * 50 + math.pi * 50**2
    assert found.area.planar_m2 == pytest.approx(exact, rel=1e-6)


def test_surroundings_that_overlap_count_once() -> None:
    twice = layer_of("l", ("a", None, box(-50, -900, 0, 900)), ("b", None, box(-90, -900, 0, 900)))
    assert answer(box(0, 0, 30, 100), around(20), twice).area.planar_m2 == pytest.approx(2_000)


def test_land_near_one_feature_is_no_ring_of_another() -> None:
    # 10 to 20 m from the eastern one is less than 10 m from the western one.
    pair = layer_of("l", ("a", None, box(0, -90, 10, 90)), ("b", None, box(25, -90, 35, 90)))
    assert answer(box(10, 0, 15, 10), around(20, 10), pair).area.planar_m2 == 0.0


def test_the_edge_of_a_road_is_its_half_width_away_from_the_centre_line() -> None:
    road = layer_of("l", ("a", "国道", line((0, -900), (0, 900))), geometry="line", halves=[12.0])
    found = answer(box(0, 0, 100, 100), around(20, 0), road)
    assert found.area.planar_m2 == pytest.approx(3_200, abs=1e-4)
    beside = answer(box(0, 0, 100, 100), around(20, 15), road)
    assert beside.area.planar_m2 == pytest.approx(500, abs=1e-4)
    assert found.reach_covered


def test_a_road_of_unknown_width_leaves_the_reach_open() -> None:
    road = layer_of("l", ("a", None, line((0, -9), (0, 99))), geometry="line", halves=[math.nan])
    assert not answer(box(0, 0, 100, 100), around(20), road).reach_covered


@pytest.mark.parametrize(("border", "covered"), [(2000.0, True), (1999.0, False), (50.0, False)])
def test_features_beyond_the_coverage_may_be_unseen(border: float, covered: bool) -> None:
    site = box(0, 0, 100, 100)
    coverage = box(-1e5, -1e5, 100 + border, 1e5)
    assert answer(site, around(2000), layer_of("l"), l=coverage).reach_covered is covered


def test_classes_choose_the_features_whose_surroundings_count() -> None:
    two = layer_of("l", ("a", "河道", box(-9, -99, 0, 199)), ("b", "渠道", box(100, -99, 109, 199)))
    site = box(0, 0, 100, 100)
    assert answer(site, around(10, classes=("河道",)), two).feature_ids == ("a",)
    other = answer(site, around(10, classes=("河道",), excluding=True), two)
    assert other.feature_ids == ("b",)
    assert other.area.planar_m2 == pytest.approx(1_000, abs=1e-4)


@settings(max_examples=examples(25))
@given(st.integers(0, 10_000))
def test_a_place_is_in_the_land_exactly_when_its_distance_says_so(seed: int) -> None:
    random = np.random.default_rng(seed)
    rough = [(x, random.uniform(-80, 80)) for x in np.arange(-800, 801, 40.0)]
    layer = layer_of("l", ("a", None, line(*rough)), geometry="line")
    within = random.uniform(40, 200)
    demand = around(within, within * random.uniform(0.1, 0.9), geometry=True)
    site = box(-300, -300, 300, 300)
    land = drawn(answer(site, demand, layer).geometry)
    places = [point(*random.uniform(-300, 300, 2)) for _ in range(60)]
    for place in places:
        distance = place.distance(layer.geometries[0])
        if min(abs(distance - within), abs(distance - demand.beyond_m)) > 0.05:
            assert land.covers(place) is (demand.beyond_m < distance < within)


def test_what_was_drawn_for_one_site_is_right_for_its_neighbours_too() -> None:
    coast = [(x, 300 * math.sin(x / 700)) for x in range(-9000, 9001, 150)]
    kept = layer_of("l", ("a", None, line(*coast)), geometry="line")
    for x in range(-4000, 4001, 500):
        site = box(x, 0, x + 300, 300)
        once = answer(site, around(250, 100), replace(kept))
        assert answer(site, around(250, 100), kept) == once
    assert 1 < len(kept.surroundings) <= 64


def test_sites_of_one_neighbourhood_share_a_window() -> None:
    assert window_of(box(10, 10, 50, 50)).equals(window_of(box(900, 900, 950, 950)))
    assert window_of(box(10, 10, 50, 50)).covers(box(10, 10, 50, 50))
    assert window_of(box(-10, 10, 50, 50)).covers(box(-10, 10, 50, 50))


# --- on and off other layers ---------------------------------------------------------------------

PLAN = layer_of("l", ("a", "x", box(0, 0, 60, 100)))
TOWN = layer_of("town", ("t", "建成区", box(0, 0, 100, 30)), ("u", "其他", box(0, 30, 100, 40)))
FARM = layer_of("farm", ("f", "0103", box(50, 0, 100, 100)))
SITE = box(0, 0, 100, 100)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, 6_000),
        ({"on": (LayerClasses("town"),)}, 60 * 40),
        ({"on": (LayerClasses("town", ("建成区",)),)}, 60 * 30),
        ({"off": (LayerClasses("town"),)}, 60 * 60),
        ({"off": (LayerClasses("town", ("建成区",)),)}, 60 * 70),
        ({"on": (LayerClasses("farm"),), "off": (LayerClasses("town"),)}, 10 * 60),
        ({"on": (LayerClasses("farm"), LayerClasses("town"))}, 10 * 40),
        ({"within_m": 20.0, "on": (LayerClasses("farm"),)}, 30 * 100),
        ({"within_m": 20.0, "off": (LayerClasses("farm"), LayerClasses("town"))}, 50 * 60),
        ({"within_m": 20.0, "beyond_m": 5.0, "off": (LayerClasses("town"),)}, 15 * 60),
    ],
)
def test_land_is_kept_on_and_off_other_layers(more, expected) -> None:
    demand = Demand("l", Quantity.INSIDE, geometry=True, **more)
    found = answer(SITE, demand, PLAN, TOWN, FARM)
    assert found.area.planar_m2 == pytest.approx(expected, abs=1e-4)
    assert drawn(found.geometry).area == pytest.approx(expected, abs=1e-4)


def test_land_outside_is_kept_in_the_same_way() -> None:
    demand = Demand("l", Quantity.OUTSIDE, on=(LayerClasses("town"),))
    assert answer(SITE, demand, PLAN, TOWN).area.planar_m2 == pytest.approx(40 * 40, abs=1e-4)


def test_land_is_known_to_be_off_a_layer_only_inside_its_coverage() -> None:
    demand = Demand("l", Quantity.INSIDE, off=(LayerClasses("town"),))
    west = box(-1e5, -1e5, 20, 1e5)
    found = answer(SITE, demand, PLAN, TOWN, town=west)
    assert found.area.planar_m2 == pytest.approx(20 * 60, abs=1e-4)
    assert answer(SITE, demand, PLAN, TOWN, town=None).area.planar_m2 == 0.0


@pytest.mark.parametrize("place", ["on", "off"])
def test_a_demand_that_names_a_layer_without_answer_has_none(place: str) -> None:
    demand = Demand("l", Quantity.INSIDE, **{place: (LayerClasses("town"),)})
    absent = replace(layer_of("town"), state=LayerState.NO_DATA)
    assert demand not in measured(SITE, demand, PLAN, absent).measures
    assert demand not in measured(SITE, demand, PLAN).measures
    elsewhere = measured(SITE, demand, PLAN, TOWN, town=box(500, 0, 600, 100))
    assert demand not in elsewhere.measures


def test_the_order_of_the_layers_changes_nothing() -> None:
    demand = Demand("l", Quantity.INSIDE, within_m=20.0, off=(LayerClasses("town"),))
    forth = answer(SITE, demand, PLAN, TOWN, FARM)
    assert answer(SITE, demand, FARM, TOWN, PLAN) == forth


# --- feature by feature --------------------------------------------------------------------------


def test_touched_features_come_one_by_one_with_their_values() -> None:
    parcels = layer_of(
        "l",
        ("a", "0701", box(0, 0, 60, 100)),
        ("b", "0901", box(60, 0, 200, 100)),
        ("c", "0701", box(100, 0, 200, 100)),  # shares an edge with the site
        ("d", "0701", box(-50, 0, 0.05, 10)),  # a sliver of 0.05 m by 10 m
        values={"plot_ratio_max": [1.5, None, 9.0, 2.0]},
    )
    demand = Demand("l", Quantity.INSIDE, values=("plot_ratio_max", "height_max"))
    found = answer(SITE, demand, parcels).features
    assert [f.feature_id for f in found] == ["a", "b", "d"]
    scale = ellipsoidal_area(SITE, 4548) / 10_000
    assert [f.area_m2 for f in found] == pytest.approx(
        [6_000 * scale, 4_000 * scale, 0.5 * scale], rel=1e-6
    )
    assert [f.decisive_m2 > 0 for f in found] == [True, True, False]
    assert dict(found[0].values) == {"plot_ratio_max": 1.5, "height_max": None}
    assert found[1].values["plot_ratio_max"] is None


def test_features_are_listed_only_when_values_are_asked_for() -> None:
    assert answer(SITE, Demand("l", Quantity.INSIDE), PLAN).features == ()


def test_the_share_of_each_feature_is_taken_on_the_same_land() -> None:
    demand = Demand("l", Quantity.INSIDE, off=(LayerClasses("town"),), values=("x",))
    (only,) = answer(SITE, demand, PLAN, TOWN).features
    assert only.area_m2 == pytest.approx(answer(SITE, demand, PLAN, TOWN).area.ellipsoidal_m2)


def test_a_feature_near_the_site_brings_its_values() -> None:
    rails = layer_of(
        "l",
        ("a", "高速铁路", line((130, -900), (130, 900))),
        geometry="line",
        halves=[10.0],
        values={"setting": ["村镇居民居住区"]},
    )
    demand = Demand("l", Quantity.DISTANCE, within_m=50.0, values=("setting",))
    (near,) = answer(SITE, demand, rails).near
    assert near.edge_m == pytest.approx(20.0)
    assert near.values == {"setting": "村镇居民居住区"}


ROUND_ABOUT = layer_of(
    "l",
    ("all", "区", box(-500, -500, 500, 500)),  # holds the site, its rings are far away
    ("in", "井", box(40, 40, 41, 41)),
    ("next", "区", box(100, 0, 150, 100)),  # shares an edge
    ("far", "井", box(130, 100, 140, 120)),  # 30 m east of the corner
    ("ring", "区", box(-90, -90, 190, 190).difference(box(-60, -60, 180, 180))),  # 60 m around
)


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        ((), [("all", 0.0), ("in", 0.0), ("next", 0.0), ("far", 30.0), ("ring", 60.0)]),
        (("区",), [("all", 0.0), ("next", 0.0), ("ring", 60.0)]),
        (("井",), [("in", 0.0), ("far", 30.0)]),
        (("河",), []),
    ],
)
def test_polygons_around_a_site_in_it_and_beneath_it_are_near(classes, expected) -> None:
    demand = Demand("l", Quantity.DISTANCE, within_m=80.0, classes=classes)
    found = answer(box(0, 0, 100, 100), demand, ROUND_ABOUT).near
    assert sorted((n.feature_id, round(n.axis_m, 9)) for n in found) == sorted(expected)


def test_several_demands_look_for_their_own_classes() -> None:
    wanted = [Demand("l", Quantity.DISTANCE, within_m=80.0, classes=(c,)) for c in "区井"]
    site = box(0, 0, 100, 100)
    area = Area(ellipsoidal_area(site, 4548), site.area)
    plot = Site("t", site, area, CrsDecision(4548, 4548, "given"), Source("wkt", "t", ""))
    found = measure(plot, [ROUND_ABOUT], wanted, coverages={"l": EVERYWHERE}).measures
    assert [len(found[demand].near) for demand in wanted] == [3, 2]


def test_a_sliver_brings_its_outline() -> None:
    strip = layer_of("l", ("a", None, box(99.95, 0, 200, 10)))
    (sliver,) = answer(SITE, Demand("l", Quantity.INSIDE), strip).slivers
    assert drawn(sliver.geometry).equals(box(99.95, 0, 100, 10))


@pytest.mark.parametrize(
    ("geometry", "features", "count", "length"),
    [
        ("point", [point(5, 5), point(99, 99), point(150, 5)], 2, 0.0),
        ("line", [line((-9, 5), (40, 5)), line((0, 0), (0, 100)), line((50, 50), (50, 80))], 2, 70),
        ("polygon", [box(-9, 0, 9, 9), box(100, 0, 109, 9), box(5, 5, 9, 9)], 2, 0.0),
    ],
)
def test_features_on_the_site_are_counted_and_those_along_its_edge_are_not(
    geometry, features, count, length
) -> None:
    rows = [(str(n), None, shape) for n, shape in enumerate(features)]
    layer = layer_of("l", *rows, geometry=geometry)
    found = answer(SITE, Demand("l", Quantity.COUNT), layer)
    assert (found.count, len(found.feature_ids)) == (count, count)
    assert answer(SITE, Demand("l", Quantity.LENGTH), layer).length_m == pytest.approx(length)


# --- less coverage -------------------------------------------------------------------------------


@settings(max_examples=examples(40))
@given(st.integers(0, 10_000), st.sampled_from(["on", "off", "plain"]))
def test_less_coverage_never_shows_more_land_and_says_that_it_may_be_less(seed, place) -> None:
    """What a rule may forbid can only shrink; and then something says that land is unseen."""
    random = np.random.default_rng(seed)

    def spread(name: str) -> LayerIndex:
        at = random.uniform(-300, 300, (5, 2))
        boxes = [box(x, y, x + 60, y + 60) for x, y in at]
        return layer_of(name, *[(str(n), None, b) for n, b in enumerate(boxes)])

    own, other = spread("l"), spread("o")
    more = {} if place == "plain" else {place: (LayerClasses("o"),)}
    demand = around(random.uniform(20, 150), **more)
    border = random.uniform(-200, 400)
    half = box(-1e5, -1e5, border, 1e5)
    full = answer(SITE, demand, own, other)

    def seen(layer: LayerIndex) -> LayerIndex:
        inside = np.array([half.intersects(g) for g in layer.geometries])
        shapes = shapely.intersection(layer.geometries, half)
        cut = {"ids": layer.ids, "classes": layer.classes, "names": layer.names}
        return replace(
            layer,
            geometries=shapes[inside],
            half_widths=layer.half_widths[inside],
            **{k: v[inside] for k, v in cut.items()},
        )

    found = measured(SITE, demand, seen(own), seen(other), l=half, o=half)
    if demand not in found.measures:
        return
    less = found.measures[demand]
    assert less.area.planar_m2 <= full.area.planar_m2 + 1e-3
    if less.area.planar_m2 < full.area.planar_m2 - 1e-3:
        assert not less.reach_covered
