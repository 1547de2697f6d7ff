"""What is asked of all layers is sorted once; a site gets the answers that it would get alone."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
import shapely
from test_check_chunk import shapes, site_of
from test_engine_around import E, N, box, layer_of

from gis.crs import ellipsoidal_area
from gis.engine import Measurement, Stack, Survey, measure, screen, surveyed
from gis.engine.survey import Here, Sort, sort_of
from gis.model import (
    Area,
    CrsDecision,
    Demand,
    LayerClasses,
    LayerState,
    Quantity,
    Site,
    Source,
)
from gis.plan import Plan
from gis.rulebook import demands

DAY = date(2026, 11, 22)
ON = (LayerClasses("z"),)


def plot(shape: shapely.Geometry) -> Site:
    area = Area(ellipsoidal_area(shape, 4548), shape.area)
    return Site("t", shape, area, CrsDecision(4548, 4548, "given"), Source("wkt", "t", ""))


def measured(site: Site, survey: Survey, stack: Stack) -> Measurement:
    (met,) = screen(np.array([site.geometry], dtype=object), stack)
    return surveyed(site, survey, met)


@pytest.mark.parametrize(
    ("demand", "sort"),
    [
        (Demand("l", Quantity.INSIDE), Sort.HERE),
        (Demand("l", Quantity.INSIDE, ("a",), excluding=True, by_class=True), Sort.HERE),
        (Demand("l", Quantity.INSIDE, on=ON), Sort.KEPT),
        (Demand("l", Quantity.INSIDE, off=ON), Sort.KEPT),
        (Demand("l", Quantity.INSIDE, within_m=5.0), Sort.AROUND),
        (Demand("l", Quantity.INSIDE, within_m=5.0, on=ON), Sort.OTHER),
        (Demand("l", Quantity.OUTSIDE), Sort.OFF),
        (Demand("l", Quantity.OUTSIDE, on=ON), Sort.OTHER),
        (Demand("l", Quantity.OUTSIDE, within_m=5.0), Sort.OTHER),
        (Demand("l", Quantity.DISTANCE, within_m=5.0), Sort.AROUND),
        (Demand("l", Quantity.COUNT), Sort.OTHER),
        (
            Demand("l", Quantity.INSIDE, divided=(Demand("l", Quantity.INSIDE, within_m=1.0),)),
            Sort.OTHER,
        ),
    ],
)
def test_a_demand_is_sorted_by_where_its_land_lies(demand: Demand, sort: Sort) -> None:
    assert sort_of(demand) is sort


def test_demands_for_the_same_land_and_slivers_stand_together() -> None:
    every = Demand("l", Quantity.INSIDE)
    grain = Demand("l", Quantity.INSIDE, ("01*",))
    shown = Demand("l", Quantity.INSIDE, ("01*",), geometry=True)
    strict = Demand("l", Quantity.INSIDE, ("01*",), area_tolerance_m2=0.0)
    unclassed = Demand("l", Quantity.INSIDE, ("*",), excluding=True)
    here = Here((every, grain, shown, strict, unclassed))
    assert here.about(frozenset()) == ()
    groups = {own.demands: own.classes for own in here.about(frozenset({"0101", "03", None}))}
    assert groups == {
        (every,): {"0101", "03", None},
        (grain, shown): {"0101"},
        (strict,): {"0101"},
        (unclassed,): {None},
    }


def test_sites_in_the_same_coverages_rest_on_the_same_objects(plan: Plan) -> None:
    survey = plan.survey(DAY)
    found = [measured(site_of(s, plan, None), survey, plan.stack) for s in shapes(plan, 30)]
    plain = [m for m in found if all(r.uncovered_share in (0.0, 1.0) for r in m.reports)]
    assert len(plain) > 10
    assert 1 <= len({id(m.rest) for m in plain}) <= 2  # inside and outside the planned core
    for own in plain:
        assert own.layers is own.rest.layers
        assert own.reports is own.rest.reports
    for own in found:
        assert own.measures.keys() == own.rest.measures.keys()
        changed = [d for d, m in own.measures.items() if m is not own.rest.measures[d]]
        assert all(not own.measures[d].is_nothing for d in changed)
        assert len(changed) < len(own.measures) / 2


def test_what_is_kept_of_one_site_says_nothing_of_the_next(plan: Plan) -> None:
    layers = [layer.index for layer in plan.layers.values()]
    wanted = demands(plan.rulebook, DAY)
    survey = Survey(layers, wanted, plan.coverages)
    for shape in shapes(plan, 12):
        site = site_of(shape, plan, None)
        kept = measured(site, survey, plan.stack)
        fresh = measured(site, Survey(layers, wanted, plan.coverages), plan.stack)
        assert kept.evidence == fresh.evidence
        assert kept.reports == fresh.reports
        for demand in wanted:
            assert (demand in kept.measures) == (demand in fresh.measures)
            if demand in kept.measures:
                one, other = kept.measures[demand], fresh.measures[demand]
                assert (one.area, one.decisive_m2, one.slivers) == (
                    other.area,
                    other.decisive_m2,
                    other.slivers,
                )
                assert (one.near, one.feature_ids) == (other.near, other.feature_ids)


def test_a_site_off_a_coverage_but_for_a_hair_has_no_data_and_its_own_share() -> None:
    layer = layer_of("l", ("a", "x", box(-100, -100, 100, 100)))
    ask = Demand("l", Quantity.INSIDE)
    cover = box(-200, -200, 0, 200)
    for east, state, rests in ((-150, LayerState.CHECKED, True), (50, LayerState.NO_DATA, True)):
        site = plot(shapely.box(E + east, N, E + east + 40, N + 40))
        found = measure(site, [layer], [ask], coverages={"l": cover})
        assert found.reports[0].state is state
        assert (found.layers is found.rest.layers) is rests
        assert (ask in found.measures) is (state is LayerState.CHECKED)
    half = measure(
        plot(shapely.box(E - 20, N, E + 20, N + 40)), [layer], [ask], coverages={"l": cover}
    )
    assert half.reports[0].uncovered_share == pytest.approx(0.5, abs=1e-6)
    assert half.layers is not half.rest.layers
    assert half.measures[ask].share == pytest.approx(1.0)  # on the layer, whatever is covered


def test_a_coverage_that_nobody_knows_stays_unknown() -> None:
    layer = layer_of("l", ("a", "x", box(-100, -100, 100, 100)))
    found = measure(
        plot(shapely.box(E, N, E + 40, N + 40)),
        [layer],
        [Demand("l", Quantity.DISTANCE, within_m=10.0)],
        coverages={"l": None},
    )
    assert found.reports[0].uncovered_share is None
    assert found.layers is found.rest.layers
    (distance,) = found.measures.values()
    assert not distance.reach_covered


def test_a_plan_keeps_its_surveys_by_day_and_rules(plan: Plan) -> None:
    some = frozenset({"cn.green-line"})
    assert plan.survey(DAY) is plan.survey(DAY)
    assert plan.survey(DAY, some) is plan.survey(DAY, frozenset(some))
    assert plan.survey(DAY, some) is not plan.survey(DAY)
    assert {layer.info.id for layer in plan.survey(DAY, some).layers} >= {"green_line"}
    assert len(plan.survey(DAY, some).layers) < len(plan.survey(DAY).layers)
