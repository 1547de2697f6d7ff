"""Land told apart: by class, and by the lands of several demands. Expected values by hand, planar.

The helpers draw layers in metres from a corner; how planar areas become ellipsoidal is tested in
test_crs.py.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
import shapely
from test_engine_around import EVERYWHERE, answer, around, box, layer_of, line

from gis.crs import ellipsoidal_area
from gis.engine import drawn, measure
from gis.model import (
    Area,
    CrsDecision,
    Demand,
    LayerClasses,
    Measure,
    Quantity,
    Site,
    Source,
)
from gis.rulebook import Facts, demands, evaluate, load_rulebook

SITE = box(0, 0, 100, 100)
BY_CLASS = Demand("l", Quantity.INSIDE, by_class=True, geometry=True)


def sizes(found: Measure) -> dict[str, float]:
    """Planar m² by name of what was told apart."""
    return {f.feature_id: round(drawn(f.geometry).area, 3) for f in found.features}


# --- by class ------------------------------------------------------------------------------------


def test_land_of_a_class_is_one_whatever_the_features_are() -> None:
    layer = layer_of(
        "l",
        ("a", "0701", box(0, 0, 40, 100)),
        ("b", "0901", box(40, 0, 70, 100)),
        ("c", "0701", box(70, 0, 200, 100)),
    )
    found = answer(SITE, BY_CLASS, layer)
    assert sizes(found) == {"0701": 7_000.0, "0901": 3_000.0}
    assert found.area.planar_m2 == pytest.approx(10_000)
    assert found.feature_ids == ("a", "b", "c")
    assert [f.cls for f in found.features] == ["0701", "0901"]


def test_features_of_one_class_that_overlap_count_once() -> None:
    twice = layer_of("l", ("a", "0701", box(0, 0, 60, 100)), ("b", "0701", box(40, 0, 100, 100)))
    assert sizes(answer(SITE, BY_CLASS, twice)) == {"0701": 10_000.0}


def test_strips_of_one_class_side_by_side_are_no_slivers() -> None:
    # Two strips of 0.08 m by 10 m lie beside each other: together 0.16 m by 10 m, over 0.1 m.
    strips = (
        ("b", "0901", box(99.84, 0, 99.92, 10)),
        ("c", "0901", box(99.92, 0, 110, 10)),
    )
    whole = ("a", "0701", box(0, 0, 99.84, 100))
    one = answer(SITE, BY_CLASS, layer_of("l", whole, *strips))
    assert {f.cls: f.decisive_m2 > 0 for f in one.features} == {"0701": True, "0901": True}
    apart = replace(BY_CLASS, by_class=False, values=("x",))
    features = answer(SITE, apart, layer_of("l", whole, *strips)).features
    assert [f.decisive_m2 > 0 for f in features] == [True, False, False]


def test_a_sliver_of_another_class_is_listed_though_both_together_are_one_part() -> None:
    layer = layer_of(
        "l", ("a", "0701", box(0, 0, 99.95, 100)), ("b", "0901", box(99.95, 0, 120, 9))
    )
    found = answer(SITE, BY_CLASS, layer)
    # 0.05 m by 9 m; its width is 2 · 0.45 / 18.1.
    assert [round(drawn(s.geometry).area, 3) for s in found.slivers] == [0.45]
    assert found.slivers[0].width_m == pytest.approx(0.0497, abs=1e-4)
    assert [len(f.slivers) for f in found.features] == [0, 1]
    assert answer(SITE, Demand("l", Quantity.INSIDE), layer).slivers == ()


def test_rounding_that_stands_alone_is_no_land_beside_a_sliver() -> None:
    # A strip of 5 mm by 100 m, and three specks of 9 mm by 1 cm, under a square centimetre each.
    specks = [box(10 * n, 10, 10 * n + 9e-3, 10.01) for n in (1, 2, 3)]
    shape = shapely.union_all([box(99.995, 0, 120, 100), *specks])
    found = answer(SITE, Demand("l", Quantity.INSIDE), layer_of("l", ("a", "0901", shape)))
    assert [s.area_m2 for s in found.slivers] == [pytest.approx(0.5, rel=1e-3)]
    assert found.decisive_m2 == 0.0


def test_land_without_class_is_a_kind_of_its_own() -> None:
    layer = layer_of("l", ("a", None, box(0, 0, 40, 100)), ("b", "", box(40, 0, 70, 100)))
    found = answer(SITE, BY_CLASS, layer)
    assert [(f.cls, round(drawn(f.geometry).area)) for f in found.features] == [
        (None, 4000),
        ("", 3000),
    ]


def test_land_by_class_is_kept_on_and_off_other_layers() -> None:
    layer = layer_of("l", ("a", "0701", box(0, 0, 50, 100)), ("b", "0901", box(50, 0, 100, 100)))
    other = layer_of("o", ("x", "k", box(0, 0, 100, 20)))
    on = replace(BY_CLASS, on=(LayerClasses("o", ("k",)),))
    off = replace(BY_CLASS, off=(LayerClasses("o", ("k",)),))
    assert sizes(answer(SITE, on, layer, other)) == {"0701": 1_000.0, "0901": 1_000.0}
    assert sizes(answer(SITE, off, layer, other)) == {"0701": 4_000.0, "0901": 4_000.0}


# --- divided by several lands --------------------------------------------------------------------

BANK = layer_of("l", ("a", "河道", box(-50, -900, 0, 900)))


def split(*parts: Demand) -> Demand:
    return Demand("l", Quantity.INSIDE, geometry=True, divided=parts)


def test_a_site_divides_by_lands_that_overlap_and_every_piece_counts_once() -> None:
    # Within 60 m, and from 30 m to 80 m of the bank: 0-30 | 30-60 both | 60-80 | 80-100 none.
    found = answer(SITE, split(around(60), around(80, 30)), BANK)
    assert sizes(found) == {"": 2_000.0, "0": 3_000.0, "0,1": 3_000.0, "1": 2_000.0}
    assert found.area.planar_m2 == pytest.approx(10_000)
    assert found.share == pytest.approx(1.0)
    assert found.feature_ids == ("a",)


def test_the_rest_lies_inside_the_coverage_of_every_layer_that_was_asked() -> None:
    other = layer_of("o", ("x", "k", box(0, 0, 100, 20)))
    demand = split(around(60, off=(LayerClasses("o"),)))
    whole = answer(SITE, demand, BANK, other)
    assert sizes(whole) == {"": 10_000 - 60 * 80.0, "0": 60 * 80.0}
    part = answer(SITE, demand, BANK, other, o=box(-9, -9, 90, 200))
    # Nothing is known of the last 10 m: neither off the other layer nor in none of the lands.
    assert sizes(part) == {"": 9_000 - 60 * 80.0, "0": 60 * 80.0}


def test_a_division_is_as_sure_as_the_lands_that_it_is_made_of() -> None:
    near = box(-70, -70, 170, 170)
    assert answer(SITE, split(around(60)), BANK, l=near).reach_covered
    assert not answer(SITE, split(around(60), around(80)), BANK, l=near).reach_covered


def test_a_division_has_no_answer_when_one_of_its_layers_has_none() -> None:
    demand = split(around(60, on=(LayerClasses("o"),)))
    plot = Site("t", SITE, Area(ellipsoidal_area(SITE, 4548), SITE.area),
                CrsDecision(4548, 4548, "given"), Source("wkt", "t", ""))  # fmt: skip
    assert measure(plot, [BANK], [demand], coverages={"l": EVERYWHERE}).measures == {}


# --- rings at holes, borders, ends ---------------------------------------------------------------


def test_a_hole_is_outside_and_its_edge_is_an_edge() -> None:
    # A lake with an island of 100 m by 100 m: within 20 m of the water lie its four margins.
    lake = layer_of("l", ("a", None, box(-500, -500, 600, 600).difference(SITE)))
    found = answer(SITE, around(20), lake)
    assert found.area.planar_m2 == pytest.approx(10_000 - 60 * 60)
    # Inside the ring of 10 to 20 m no corner is round: the island is convex.
    assert answer(SITE, around(20, 10), lake).area.planar_m2 == pytest.approx(80 * 80 - 60 * 60)


def test_a_ring_of_a_line_ends_in_half_circles() -> None:
    road = layer_of("l", ("a", None, line((0, 0), (100, 0))), geometry="line", halves=[5.0])
    found = answer(box(-300, -300, 400, 300), around(10), road)
    # 15 m to both sides of 100 m, and two half circles.
    assert found.area.planar_m2 == pytest.approx(3_000 + 3.14159265 * 15**2, rel=1e-6)


def test_a_ring_that_crosses_the_border_of_the_coverage_is_measured_and_said_to_be_open() -> None:
    found = answer(SITE, around(60), BANK, l=box(-900, -900, 50, 900))
    assert found.area.planar_m2 == pytest.approx(6_000)
    assert not found.reach_covered


def test_the_area_of_a_ring_is_that_of_the_ellipsoid() -> None:
    # 30 km west of the central meridian planar areas are (30 / 6371)² = 22 ppm larger.
    far = shapely.affinity.translate(SITE, 70_000, 0)
    layer = layer_of("l", ("a", None, shapely.affinity.translate(box(-50, -900, 0, 900), 70_000)))
    found = answer(far, around(60), layer)
    strip = shapely.affinity.translate(box(0, 0, 60, 100), 70_000)
    assert found.area.ellipsoidal_m2 == pytest.approx(ellipsoidal_area(strip, 4548), abs=1e-4)
    assert found.area.planar_m2 == pytest.approx(6_000)
    assert found.area.planar_m2 - found.area.ellipsoidal_m2 == pytest.approx(0.133, abs=0.002)


# --- the whole way: a rule with drawn zones ------------------------------------------------------

BOOK = """
[[document]]
id = "law"
title = "某法"
verified = true
checked_on = 2026-11-22
source = "全文"

[[rule]]
id = "x.bank"
title = "沿岸分区"
kind = "use_permitted"
layer = "l"
outside = "fail"
origin = "statute"
effect_verified = true
office = "某局"
priority = 10
checked_on = 2026-11-22
remedy = "避让"
text = { clear = "{cells}", hit = "{parts}" }
basis = [{ document = "law", article = "第一条", verified = true }]
areas = [{ id = "near", within_m = 60.0 }, { id = "wide", within_m = 70.0 }]

[[rule.cells]]
zones = ["near", "wide"]
uses = ["08"]
verdict = "permitted"
phrase = "略"
origin = "plan"
"""


def test_land_outside_is_not_hidden_by_zones_that_overlap(tmp_path) -> None:
    (tmp_path / "book.toml").write_text(BOOK, encoding="utf-8")
    book = load_rulebook(["book.toml"], tmp_path)
    plot = Site("t", SITE, Area(ellipsoidal_area(SITE, 4548), SITE.area),
                CrsDecision(4548, 4548, "given"), Source("wkt", "t", ""))  # fmt: skip
    day = date(2026, 11, 22)
    found = measure(plot, [BANK], demands(book, day), coverages={"l": EVERYWHERE})
    facts = Facts(
        use="0804",
        attributes={},
        as_of=day,
        site_area_m2=plot.area.ellipsoidal_m2,
        measures=found.measures,
        layers={r.info.id: r for r in found.reports},
    )
    (finding,) = evaluate(book, facts)
    # 60 m and 70 m of 100 m add up to more than the site; 30 m lie in neither.
    assert finding.verdict == "fail"
    assert finding.measure is not None
    assert finding.measure.share == pytest.approx(0.3)
    assert drawn(finding.geometry).area == pytest.approx(3_000)
