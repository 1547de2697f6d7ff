"""Measuring: every expected area is planar and by hand; ellipsoidal ones come from gis.crs."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.crs import ellipsoidal_area
from gis.engine import LayerIndex, Measurement, cross, drawn, measure
from gis.engine.ruler import parts_of
from gis.model import (
    Area,
    CrsDecision,
    Demand,
    LayerInfo,
    LayerState,
    Quantity,
    Site,
    Source,
)

E, N = 400_000.0, 4_020_000.0


def box(x0: float, y0: float, x1: float, y1: float) -> shapely.Polygon:
    """A rectangle given in metres from the origin of these tests."""
    return shapely.box(E + x0, N + y0, E + x1, N + y1)


def site_of(geometry) -> Site:
    area = Area(ellipsoidal_area(geometry, 4548), geometry.area)
    return Site("t", geometry, area, CrsDecision(4548, 4548, "given"), Source("wkt", "t", ""))


def layer_of(
    features: list[tuple[str, str | None, object]],
    *,
    geometry: str = "polygon",
    half_widths: list[float] | None = None,
    state: LayerState = LayerState.CHECKED,
) -> LayerIndex:
    info = LayerInfo("l", "图层", "other", geometry, "2026", "draft")
    halves = half_widths or [0.0] * len(features)
    return LayerIndex(
        info=info,
        state=state,
        content_sha256="x",
        ids=np.array([f[0] for f in features], dtype=object),
        classes=np.array([f[1] for f in features], dtype=object),
        names=np.array([None] * len(features), dtype=object),
        half_widths=np.array(halves, dtype=float),
        geometries=np.array([f[2] for f in features], dtype=object),
    )


EVERYWHERE = box(-1e5, -1e5, 1e5, 1e5)
INSIDE = Demand("l", Quantity.INSIDE)
OUTSIDE = Demand("l", Quantity.OUTSIDE)


def measured(site, layer: LayerIndex, *demands: Demand, coverage=EVERYWHERE) -> Measurement:
    return measure(site_of(site), [layer], demands, coverages={"l": coverage})


SITE = box(0, 0, 100, 100)


def test_a_shared_edge_or_corner_is_no_overlap() -> None:
    layer = layer_of([("a", None, box(100, 0, 200, 100)), ("b", None, box(100, 100, 200, 200))])
    found = measured(SITE, layer, INSIDE)
    assert found.evidence == ()
    assert found.measures[INSIDE].area == Area(0.0, 0.0)
    assert found.measures[INSIDE].slivers == ()


def test_a_quarter_of_the_site_is_a_quarter() -> None:
    layer = layer_of([("a", "x", box(50, 50, 300, 300))])
    answer = measured(SITE, layer, INSIDE).measures[INSIDE]
    assert answer.area.planar_m2 == pytest.approx(2500, abs=1e-6)
    assert answer.share == pytest.approx(0.25, abs=1e-7)
    assert answer.feature_ids == ("a",)


def test_the_hole_of_a_feature_is_not_counted() -> None:
    ring = shapely.difference(box(-50, -50, 150, 150), box(20, 20, 60, 60))
    answer = measured(SITE, layer_of([("a", None, ring)]), INSIDE).measures[INSIDE]
    assert answer.area.planar_m2 == pytest.approx(10_000 - 1_600, abs=1e-6)


def test_overlapping_features_count_once() -> None:
    layer = layer_of([("a", "x", box(0, 0, 60, 100)), ("b", "x", box(40, 0, 100, 100))])
    found = measured(SITE, layer, INSIDE)
    assert found.measures[INSIDE].area.planar_m2 == pytest.approx(10_000, abs=1e-6)
    assert found.evidence[0].planar_m2 == pytest.approx(10_000, abs=1e-6)
    assert found.evidence[0].feature_ids == ("a", "b")


def test_a_site_of_two_parts_is_measured_in_both() -> None:
    two = shapely.union(box(0, 0, 10, 10), box(50, 50, 60, 60))
    answer = measured(two, layer_of([("a", None, box(5, 0, 55, 100))]), INSIDE).measures[INSIDE]
    assert answer.area.planar_m2 == pytest.approx(50 + 50, abs=1e-6)


def test_inside_and_outside_add_up_to_the_site() -> None:
    layer = layer_of([("a", None, box(-10, -10, 33.3, 120)), ("b", None, box(33.3, 70, 200, 200))])
    found = measured(SITE, layer, INSIDE, OUTSIDE).measures
    total = found[INSIDE].area.ellipsoidal_m2 + found[OUTSIDE].area.ellipsoidal_m2
    assert total == pytest.approx(ellipsoidal_area(SITE, 4548), abs=1e-4)


def test_a_strip_under_both_tolerances_is_a_sliver_and_stays_in_the_sum() -> None:
    # 0.005 m x 100 m = 0.5 m², width 2 * 0.5 / 200.01 = 0.005 m: under 0.1 m and under 1 m².
    answer = measured(SITE, layer_of([("a", None, box(99.995, -5, 150, 150))]), INSIDE).measures[
        INSIDE
    ]
    assert answer.decisive_m2 == 0.0
    assert [round(s.area_m2, 2) for s in answer.slivers] == [0.5]
    assert answer.slivers[0].width_m == pytest.approx(0.005, abs=1e-4)
    assert answer.area.planar_m2 == pytest.approx(0.5, abs=1e-4)


def test_a_long_thin_encroachment_over_the_area_tolerance_is_no_sliver() -> None:
    # 0.05 m x 100 m = 5 m²: thin, but too large for digitising noise.
    answer = measured(SITE, layer_of([("a", None, box(99.95, -5, 150, 150))]), INSIDE).measures[
        INSIDE
    ]
    assert answer.slivers == ()
    assert answer.decisive_m2 == pytest.approx(5.0, abs=0.01)


def test_a_small_square_over_the_width_tolerance_is_no_sliver() -> None:
    # 0.5 m x 0.5 m: area 0.25 m² is small, but width 0.25 m is not.
    answer = measured(SITE, layer_of([("a", None, box(99.5, 99.5, 150, 150))]), INSIDE).measures[
        INSIDE
    ]
    assert answer.slivers == ()
    assert answer.decisive_m2 == pytest.approx(0.25, abs=1e-3)


def test_neighbouring_features_of_one_demand_are_one_part() -> None:
    # Alone, the strip would be a sliver; joined to its neighbour it is part of a real overlap.
    layer = layer_of(
        [("a", "01", box(50, -5, 99.995, 150)), ("b", "01", box(99.995, -5, 150, 150))]
    )
    answer = measured(SITE, layer, INSIDE).measures[INSIDE]
    assert answer.slivers == ()
    assert answer.decisive_m2 == pytest.approx(answer.area.ellipsoidal_m2, abs=1e-9)


def test_classes_are_chosen_exactly_or_by_prefix() -> None:
    layer = layer_of(
        [
            ("a", "0101", box(0, 0, 10, 100)),
            ("b", "0102K", box(10, 0, 30, 100)),
            ("c", "0201", box(30, 0, 100, 100)),
            ("d", None, box(0, 0, 1, 1)),
        ]
    )
    by_prefix = Demand("l", Quantity.INSIDE, classes=("01*",))
    exact = Demand("l", Quantity.INSIDE, classes=("0201",))
    found = measured(SITE, layer, by_prefix, exact).measures
    assert found[by_prefix].area.planar_m2 == pytest.approx(3000, abs=1e-6)
    assert found[exact].area.planar_m2 == pytest.approx(7000, abs=1e-6)


def test_evidence_has_one_row_per_class_in_order() -> None:
    layer = layer_of([("2", "b", box(0, 0, 50, 100)), ("1", "a", box(50, 0, 100, 100))])
    rows = measured(SITE, layer).evidence
    assert [(r.cls, r.feature_ids) for r in rows] == [("a", ("1",)), ("b", ("2",))]
    assert math.fsum(r.share or 0 for r in rows) == pytest.approx(1.0, abs=1e-9)


def test_the_overlap_is_shown_only_when_asked() -> None:
    layer = layer_of([("a", None, box(50, 50, 300, 300))])
    shown = Demand("l", Quantity.INSIDE, geometry=True)
    found = measured(SITE, layer, INSIDE, shown).measures
    assert found[INSIDE].geometry is None
    assert drawn(found[shown].geometry).equals(SITE.intersection(box(50, 50, 300, 300)))


def test_a_line_is_measured_in_metres_and_along_the_border_it_does_not_count() -> None:
    layer = layer_of(
        [
            ("a", "k", shapely.LineString([(E - 50, N + 50), (E + 150, N + 50)])),
            ("b", "k", shapely.LineString([(E, N), (E + 100, N)])),
        ],
        geometry="line",
    )
    demand = Demand("l", Quantity.LENGTH)
    found = measured(SITE, layer, demand)
    assert found.measures[demand].length_m == pytest.approx(100, abs=1e-6)
    assert found.evidence[0].kind == "length"
    assert found.evidence[0].feature_ids == ("a",)


def test_points_are_counted() -> None:
    layer = layer_of(
        [("a", "k", shapely.Point(E + 5, N + 5)), ("b", "k", shapely.Point(E + 500, N + 5))],
        geometry="point",
    )
    demand = Demand("l", Quantity.COUNT)
    found = measured(SITE, layer, demand)
    assert found.measures[demand].count == 1
    assert found.evidence[0].count == 1


def road(x: float) -> shapely.LineString:
    return shapely.LineString([(E + x, N - 500), (E + x, N + 500)])


def test_a_distance_runs_to_the_edge_and_not_to_the_centre_line() -> None:
    # Site edge at x = 100, axis at 130, half width 12: 18 m to the land edge.
    layer = layer_of([("a", "国道", road(130))], geometry="line", half_widths=[12.0])
    demand = Demand("l", Quantity.DISTANCE, within_m=20)
    found = measured(SITE, layer, demand)
    assert found.measures[demand].near[0].edge_m == pytest.approx(18.0, abs=1e-6)
    assert found.evidence[0].distance_m == pytest.approx(18.0, abs=1e-6)


def test_a_wide_road_is_found_though_its_axis_is_far() -> None:
    layer = layer_of([("a", "国道", road(155))], geometry="line", half_widths=[40.0])
    demand = Demand("l", Quantity.DISTANCE, within_m=20)
    assert measured(SITE, layer, demand).measures[demand].near[0].edge_m == pytest.approx(15.0)


def test_a_centre_line_without_half_width_has_no_edge() -> None:
    layer = layer_of([("a", "国道", road(110))], geometry="line", half_widths=[math.nan])
    demand = Demand("l", Quantity.DISTANCE, within_m=20)
    found = measured(SITE, layer, demand)
    near = found.measures[demand].near[0]
    assert near.edge_m is None
    assert near.axis_m == pytest.approx(10.0)
    assert found.evidence == ()


def test_a_road_beyond_the_search_is_not_near() -> None:
    layer = layer_of([("a", "国道", road(200))], geometry="line", half_widths=[5.0])
    demand = Demand("l", Quantity.DISTANCE, within_m=20)
    assert measured(SITE, layer, demand).measures[demand].near == ()


@pytest.mark.parametrize("state", [LayerState.NO_DATA, LayerState.FAILED])
def test_a_layer_without_data_answers_nothing(state: LayerState) -> None:
    found = measured(SITE, layer_of([], state=state), INSIDE)
    assert found.measures == {}
    assert found.reports[0].state is state


def test_an_empty_layer_with_coverage_is_checked() -> None:
    found = measured(SITE, layer_of([]), INSIDE)
    assert found.reports[0].state is LayerState.CHECKED
    assert found.measures[INSIDE].area.ellipsoidal_m2 == 0.0


def test_a_site_wholly_outside_the_coverage_has_no_data() -> None:
    found = measured(SITE, layer_of([]), INSIDE, coverage=box(500, 500, 900, 900))
    assert found.reports[0].state is LayerState.NO_DATA
    assert found.measures == {}


def test_a_site_partly_outside_the_coverage_says_how_much() -> None:
    found = measured(SITE, layer_of([]), INSIDE, coverage=box(0, 0, 75, 100))
    assert found.reports[0].state is LayerState.CHECKED
    assert found.reports[0].uncovered_share == pytest.approx(0.25, abs=1e-7)


def test_unknown_coverage_stays_unknown_and_nothing_is_off_the_layer() -> None:
    found = measured(SITE, layer_of([]), OUTSIDE, coverage=None)
    assert found.reports[0].uncovered_share is None
    assert found.measures[OUTSIDE].area.ellipsoidal_m2 == 0.0


def test_land_off_the_layer_counts_inside_the_coverage_only() -> None:
    # Covered: the left 75 m; the layer takes 25 m of them; so 50 m x 100 m are off the layer.
    layer = layer_of([("a", None, box(0, 0, 25, 100))])
    answer = measured(SITE, layer, OUTSIDE, coverage=box(0, 0, 75, 100)).measures[OUTSIDE]
    assert answer.area.planar_m2 == pytest.approx(5000, abs=1e-6)


def test_all_other_classes_are_measured_and_those_without_class_among_them() -> None:
    layer = layer_of(
        [
            ("a", "01", box(0, 0, 50, 100)),
            ("b", "99", box(50, 0, 70, 100)),
            ("c", None, box(60, 0, 80, 100)),
        ]
    )
    other = Demand("l", Quantity.INSIDE, classes=("01",), excluding=True)
    missing = Demand("l", Quantity.INSIDE, classes=("*",), excluding=True)
    found = measured(SITE, layer, other, missing).measures
    assert found[other].area.planar_m2 == pytest.approx(3000, abs=1e-6)
    assert found[missing].area.planar_m2 == pytest.approx(2000, abs=1e-6)


@pytest.mark.parametrize(("edge", "covered"), [(129.0, False), (131.0, True)])
def test_a_distance_says_whether_its_reach_was_covered(edge: float, covered: bool) -> None:
    demand = Demand("l", Quantity.DISTANCE, within_m=30)
    layer = layer_of([], geometry="line")
    coverage = box(-1000, -1000, edge, 1000)
    assert (
        measured(SITE, layer, demand, coverage=coverage).measures[demand].reach_covered is covered
    )


def test_lines_points_and_noise_of_an_overlay_are_no_parts() -> None:
    mixed = shapely.GeometryCollection(
        [box(0, 0, 1, 1), shapely.Point(E, N), road(0), box(0, 0, 1e-5, 1e-5)]
    )
    assert [p.area for p in parts_of(mixed)] == pytest.approx([1.0])


@settings(max_examples=examples(40))
@given(
    st.lists(
        st.tuples(st.floats(-40, 120), st.floats(-40, 120), st.floats(5, 80), st.floats(5, 80)),
        min_size=1,
        max_size=6,
    )
)
def test_measured_areas_equal_an_overlay_made_in_one_piece(boxes) -> None:
    shapes = [box(x, y, x + w, y + h) for x, y, w, h in boxes]
    layer = layer_of([(str(i), "x", s) for i, s in enumerate(shapes)])
    answer = measured(SITE, layer, INSIDE, OUTSIDE).measures
    oracle = shapely.intersection(SITE, shapely.union_all(shapes)).area
    assert answer[INSIDE].area.planar_m2 == pytest.approx(oracle, abs=1e-3)
    assert answer[OUTSIDE].area.planar_m2 == pytest.approx(10_000 - oracle, abs=1e-3)


def test_a_corridor_divides_by_two_layers_and_every_piece_counts_once() -> None:
    # 100 m x 100 m: land classes split at x = 40, zones at y = 30; the top 20 m have no zone.
    land = layer_of([("a", "01", box(0, 0, 40, 100)), ("b", "07", box(40, 0, 100, 100))])
    zones = layer_of([("1", "Z1", box(0, 0, 100, 30)), ("2", "Z2", box(0, 30, 100, 80))])
    rows = cross(site_of(SITE), land, zones)
    planar = {(r.first, r.second): round(r.share * 10_000) for r in rows}
    assert planar == {
        ("01", "Z1"): 1200,
        ("01", "Z2"): 2000,
        ("01", None): 800,
        ("07", "Z1"): 1800,
        ("07", "Z2"): 3000,
        ("07", None): 1200,
    }


def test_overlapping_classes_do_not_count_a_piece_twice() -> None:
    land = layer_of([("a", "01", box(0, 0, 60, 100)), ("b", "07", box(40, 0, 100, 100))])
    zones = layer_of([("1", "Z1", box(0, 0, 100, 100))])
    rows = cross(site_of(SITE), land, zones)
    assert math.fsum(r.share for r in rows) == pytest.approx(1.0, abs=1e-6)
