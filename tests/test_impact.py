"""What one site takes from each budget, in numbers and in a sentence.

Expected areas: boxes in the package of ``scarce_dir`` by ``pyproj.Geod``, and the evidence of the
same check, which the engine measures by itself.
"""

from __future__ import annotations

import json
import math
import re
import threading
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod, Transformer

from gis.canonical import to_dict
from gis.check import check_site
from gis.crs import ellipsoidal_area
from gis.intake import read_site
from gis.model import Area, CrsDecision, Doubt, Impact, LayerState, Site, Source
from gis.output.maps.site_card import impact_row
from gis.plan import Plan, load_plan
from gis.plan.impact import impact
from gis.plan.quota.amounts import amount
from gis.plan.reservations import FILE, reserve
from gis.plan.samples import load_samples

EAST, NORTH = 408_000.0, 4_030_000.0
GEOD = Geod(ellps="GRS80")
TO_LONLAT = Transformer.from_crs(4548, 4490, always_xy=True)
DAY = date(2026, 11, 22)


def box(*corners: float) -> shapely.Polygon:
    west, south, east, north = corners
    return shapely.box(EAST + west, NORTH + south, EAST + east, NORTH + north)


def geod_m2(*corners: float) -> float:
    ring = np.array(shapely.segmentize(box(*corners), 10).exterior.coords)
    return abs(GEOD.polygon_area_perimeter(*TO_LONLAT.transform(*ring.T))[0])


def site_of(shape: shapely.Geometry, use: str | None = None, name: str = "甲") -> Site:
    area = Area(ellipsoidal_area(shape, 4548), shape.area)
    crs = CrsDecision(4548, 4548, "given")
    return Site(name, shape, area, crs, Source("wkt", name, ""), use=use)


def rows(plan: Plan, shape: shapely.Geometry, use: str | None = "0803") -> dict[str, Impact]:
    return {row.id: row for row in impact(plan, site_of(shape, use))}


@pytest.fixture(scope="module")
def scarce(scarce_dir) -> Plan:
    return load_plan(scarce_dir())


@pytest.fixture
def own(scarce_dir) -> Plan:
    return load_plan(scarce_dir())


# --- the boundary ---------------------------------------------------------------------------------


def test_built_land_inside_the_boundary_takes_nothing_from_what_is_free(scarce: Plan) -> None:
    row = rows(scarce, box(300, 100, 600, 200))["dev_boundary:410"]
    assert row.covered_m2 == pytest.approx(geod_m2(300, 100, 600, 200), abs=0.01)
    assert row.used_m2 == pytest.approx(geod_m2(300, 100, 500, 200), abs=0.01)
    assert row.area_m2 == pytest.approx(geod_m2(500, 100, 600, 200), abs=0.01)
    free = geod_m2(0, 0, 1000, 750) - geod_m2(0, 0, 500, 500)
    assert row.free_before_m2 == pytest.approx(free, abs=0.01)
    assert row.free_after_m2 == pytest.approx(free - row.area_m2, abs=0.01)
    assert row.exceeded is False
    assert "另有 2.00 公顷已是建设用地" in row.text


def test_a_site_on_built_land_only_says_that_it_takes_nothing(scarce: Plan) -> None:
    found = rows(scarce, box(100, 100, 300, 200))
    row = found["dev_boundary:410"]
    assert row.area_m2 == 0.0
    assert row.free_before_m2 == row.free_after_m2
    assert "均已是建设用地" in row.text
    assert set(found) == {"dev_boundary:410"}  # no field, no forest, no green


def test_a_site_over_two_kinds_takes_from_both(scarce: Plan) -> None:
    found = rows(scarce, box(900, 100, 1100, 200))
    assert found["dev_boundary:410"].area_m2 == pytest.approx(
        geod_m2(900, 100, 1000, 200), abs=0.01
    )
    assert found["dev_boundary:420"].area_m2 == pytest.approx(
        geod_m2(1000, 100, 1100, 200), abs=0.01
    )


def test_land_outside_the_boundary_is_not_counted(scarce: Plan) -> None:
    row = rows(scarce, box(600, 700, 700, 800))["dev_boundary:410"]
    assert row.covered_m2 == pytest.approx(geod_m2(600, 700, 700, 750), abs=0.01)


@pytest.mark.parametrize(
    "corners",
    [(600, 700, 700, 800), (450, 450, 1100, 800), (-50, -50, 650, 120), (900, 700, 1300, 900)],
)
def test_what_is_built_is_the_same_where_all_classes_are_cut(
    scarce: Plan, corners: tuple[float, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    # With a negative tolerance nothing is taken for known, so that every class is cut and added up.
    short = rows(scarce, box(*corners))
    monkeypatch.setattr("gis.plan.quota.probe._ROUNDING_M2", -1.0)
    long = rows(scarce, box(*corners))
    assert short.keys() == long.keys()
    for name, row in short.items():
        for field in ("area_m2", "covered_m2", "used_m2", "unknown_m2", "free_after_m2"):
            expected = getattr(long[name], field)
            assert getattr(row, field) == (expected and pytest.approx(expected, abs=1e-4)), field


def test_a_shared_edge_takes_nothing(scarce: Plan) -> None:
    # South of the permanent farmland, touching it along 100 m.
    assert "permanent_farmland" not in rows(scarce, box(600, 400, 700, 500))


def test_a_hole_and_two_parts_are_measured_as_drawn(scarce: Plan) -> None:
    shape = shapely.MultiPolygon(
        [box(600, 100, 800, 300) - box(650, 150, 700, 200), box(1100, 100, 1200, 200)]
    )
    found = rows(scarce, shape)
    expected = geod_m2(600, 100, 800, 300) - geod_m2(650, 150, 700, 200)
    assert found["dev_boundary:410"].area_m2 == pytest.approx(expected, abs=0.01)
    assert {c.cls: c.name for c in found["cultivated_land"].classes} == {
        "0101": "水田",
        "0102": "水浇地",
    }


# --- fields and quotas ----------------------------------------------------------------------------


def test_a_field_counts_as_cultivated_converted_and_to_be_replaced(scarce: Plan) -> None:
    found = rows(scarce, box(900, 400, 1100, 600))
    # A hundred metres each way of 0102, 0101, 0103 and 1006: the farm track is no cultivated land.
    field = geod_m2(900, 400, 1000, 600) + geod_m2(1000, 400, 1100, 500)
    for name in ("cultivated_land", "replacement"):
        assert found[name].area_m2 == pytest.approx(field, abs=0.01)
        assert {c.cls for c in found[name].classes} == {"0101", "0102", "0103"}
    assert found["conversion"].area_m2 == pytest.approx(geod_m2(900, 400, 1100, 600), abs=0.01)
    for quality in ("水田", "水浇地", "旱地"):
        assert quality in found["replacement"].text


def test_a_quota_that_nobody_stated_is_never_taken_for_unlimited(scarce: Plan) -> None:
    row = rows(scarce, box(600, 100, 700, 200))["conversion"]
    assert row.total_m2 is None
    assert row.free_after_m2 is None
    assert row.exceeded is None
    assert "未提供" in row.text


@pytest.mark.parametrize(("hectares", "exceeded"), [(2, False), (0.5, True), (0, True)])
def test_a_stated_quota_is_drawn_down(scarce_dir, hectares, exceeded) -> None:
    extra = (
        '[[quota]]\nid = "y"\ntitle = "年度"\nkind = "conversion"\n'
        f'value = {hectares}\nunit = "ha"\nsource = "测试"\n'
    )
    row = rows(load_plan(scarce_dir(extra=extra)), box(600, 100, 700, 200))["conversion"]
    taken = geod_m2(600, 100, 700, 200)
    assert row.exceeded is exceeded
    assert row.free_before_m2 == pytest.approx(hectares * 10_000)
    assert row.free_after_m2 == pytest.approx(max(hectares * 10_000 - taken, 0), abs=0.01)
    assert row.shortfall_m2 == pytest.approx(max(taken - hectares * 10_000, 0), abs=0.01)
    assert ("不足" in row.text) is exceeded


# --- the use --------------------------------------------------------------------------------------


def test_green_and_water_fall_by_what_is_built_over(scarce: Plan) -> None:
    # The core is 1,000,000 m² on paper; half of it is green and water.
    row = rows(scarce, box(100, 600, 200, 800))["planned_green_water"]
    core = geod_m2(0, 0, 1000, 1000)
    assert row.area_m2 == pytest.approx(geod_m2(100, 600, 200, 800), abs=0.01)
    assert row.share_before == pytest.approx(0.5, abs=1e-6)
    assert row.share_before - row.share_after == pytest.approx(row.area_m2 / core, abs=1e-9)
    assert "由 50.00 % 降为 48.00 %" in row.text


def test_a_use_that_is_green_or_water_itself_loses_nothing(scarce: Plan) -> None:
    for use in ("1401", "1403", "1703"):
        row = rows(scarce, box(100, 600, 200, 800), use)["planned_green_water"]
        assert row.area_m2 == 0.0
        assert row.share_before == row.share_after
        assert "计入绿地和水域" in row.text


def test_green_outside_the_core_leaves_its_share_as_it_is(scarce_dir) -> None:
    planned = [("1401", (0, 0, 2000, 1000))]
    plan = load_plan(scarce_dir(layers={"planned_use": planned}))
    row = rows(plan, box(1200, 100, 1300, 200))["planned_green_water"]
    assert row.area_m2 == pytest.approx(geod_m2(1200, 100, 1300, 200), abs=0.01)
    assert row.share_before == row.share_after == pytest.approx(1.0, abs=1e-6)
    assert "不在core内" in row.text
    # Half in, half out: only the half inside counts for the share.
    row = rows(plan, box(900, 100, 1100, 200))["planned_green_water"]
    lost = geod_m2(900, 100, 1000, 200) / geod_m2(0, 0, 1000, 1000)
    assert row.share_before - row.share_after == pytest.approx(lost, abs=1e-9)


def test_without_a_use_the_worst_is_assumed_and_said(scarce: Plan) -> None:
    shape = box(100, 600, 600, 700)
    worst, known = rows(scarce, shape, None), rows(scarce, shape, "0803")
    for name, row in worst.items():
        assert row.area_m2 == known[name].area_m2
        assert "未说明用途" in row.text, name
        assert "未说明用途" not in known[name].text, name


def test_a_field_or_a_barn_converts_no_farmland(scarce: Plan) -> None:
    shape = box(600, 600, 700, 700)  # dry field, permanent farmland, in the boundary
    field, barn = rows(scarce, shape, "0103"), rows(scarce, shape, "060202")
    for name in ("dev_boundary:410", "conversion"):
        assert field[name].area_m2 == barn[name].area_m2 == 0.0
    # A barn stands on the field all the same, and the field has to be replaced: by
    # 自然资发〔2024〕204号 orchards, woods and farm works count like any other taking.
    for name in ("cultivated_land", "permanent_farmland", "replacement"):
        assert field[name].area_m2 == 0.0
        assert barn[name].area_m2 == pytest.approx(geod_m2(600, 600, 700, 700), abs=0.01)


@pytest.mark.parametrize("use", ["0201", "0301", "0401", "060202", "1704"])
def test_no_taking_of_a_field_is_told_to_need_no_replacement(scarce: Plan, use: str) -> None:
    found = rows(scarce, box(600, 100, 700, 200), use)
    assert found["replacement"].area_m2 == found["cultivated_land"].area_m2 > 0
    assert "不需要占补平衡" not in found["replacement"].text
    assert "纳入耕地占补管理" in found["replacement"].text
    assert found["conversion"].area_m2 == 0.0
    assert "不需要占补平衡" in rows(scarce, box(600, 100, 700, 200), "0103")["replacement"].text


# --- where it lies --------------------------------------------------------------------------------


def traced(shape: shapely.Geometry, *others: shapely.Geometry) -> Site:
    return replace(site_of(shape, "0803"), doubt=Doubt("描自网络地图", 10.0, others))


def impacts(plan: Plan, site: Site) -> dict[str, Impact]:
    return {row.id: row for row in check_site(site, plan, as_of=DAY).impact}


def test_a_traced_site_says_how_much_it_may_take_elsewhere(scarce: Plan) -> None:
    shape = box(600, 100, 700, 200)
    row, known = impacts(scarce, traced(shape))["cultivated_land"], rows(scarce, shape)
    assert row.area_m2 == known["cultivated_land"].area_m2  # numbers stay those as drawn
    span = re.search(r"([\d,.]+) 至 ([\d,.]+) 平方米", row.text)
    low, high = (float(n.replace(",", "")) for n in span.groups())
    assert low == pytest.approx(geod_m2(610, 110, 690, 190), abs=0.01)
    grown = ellipsoidal_area(shape.buffer(10.0), 4548)
    assert high == pytest.approx(grown, abs=0.01)
    assert "坐标不是测量成果（描自网络地图）" in row.text
    assert "坐标" not in known["cultivated_land"].text


def test_a_budget_that_a_traced_site_meets_only_elsewhere_is_told_as_unknown(scarce: Plan) -> None:
    shape = box(600, 390, 700, 495)  # five metres south of the permanent farmland
    assert "permanent_farmland" not in rows(scarce, shape)
    row = impacts(scarce, traced(shape))["permanent_farmland"]
    assert (row.area_m2, row.free_after_m2, row.exceeded) == (None, None, None)
    assert row.total_m2 == pytest.approx(geod_m2(500, 500, 1000, 1000), abs=0.01)
    assert "可能为 0.00 至" in row.text
    # Nor is it known where the other place lies beyond the data.
    row = impacts(scarce, traced(shape, box(600, -300, 700, -200)))["cultivated_land"]
    assert "实际面积未知" in row.text


def test_a_quota_that_only_some_places_exceed_is_undecided(scarce_dir) -> None:
    quota = """[[quota]]
id = "year"
title = "年度"
kind = "conversion"
value = 1.0
unit = "ha"
source = "测试"
"""
    plan = load_plan(scarce_dir(extra=quota))
    shape = box(600, 100, 699, 199)  # 0.98 hectares, 1.4 when grown
    assert rows(plan, shape)["conversion"].exceeded is False
    assert impacts(plan, traced(shape))["conversion"].exceeded is None


# --- what is not known ----------------------------------------------------------------------------


def test_beyond_the_coverage_the_answer_is_unknown_and_says_how_much(scarce: Plan) -> None:
    found = rows(scarce, box(900, -100, 1000, 100))  # half of it south of the resort
    row = found["dev_boundary:410"]
    assert row.area_m2 is None
    assert row.free_after_m2 is None
    assert row.exceeded is None
    assert row.unknown_m2 == pytest.approx(geod_m2(900, -100, 1000, 0), abs=0.01)
    assert "超出数据覆盖范围" in row.text
    assert "占用量未知" in row.text
    assert found["conversion"].area_m2 is None
    assert found["permanent_farmland"].area_m2 is None  # none seen, but not all was looked at


def test_beyond_the_coverage_of_the_boundary_it_is_said_once(scarce: Plan) -> None:
    found = rows(scarce, box(1900, 900, 2100, 950))
    assert [name for name in found if name.startswith("dev_boundary")] == ["dev_boundary:410"]
    assert found["dev_boundary:410"].area_m2 is None


@pytest.mark.parametrize(
    ("layer", "names"),
    [
        ("dev_boundary", ["dev_boundary"]),
        ("farmland", ["permanent_farmland"]),
        ("landuse", ["dev_boundary:410", "cultivated_land", "conversion", "replacement"]),
        ("planned_use", ["planned_green_water"]),
    ],
)
def test_a_missing_layer_reads_as_no_data_and_never_as_zero(scarce_dir, layer, names) -> None:
    found = rows(load_plan(scarce_dir(layers={layer: None})), box(600, 600, 700, 700))
    for name in names:
        assert found[name].area_m2 is None
        assert found[name].exceeded is None
        assert "未知" in found[name].text
        shown = impact_row(to_row(found[name]))
        assert shown["area"] == "未知"
    missing = [found[name].text for name in names if name != "dev_boundary:410"]
    assert all("无数据" in text for text in missing)


def to_row(row: Impact) -> dict:
    from gis.canonical import impact_row as as_row

    return json.loads(json.dumps(as_row(row), allow_nan=False))


def test_land_of_an_unknown_class_is_not_free(scarce_dir) -> None:
    layers = {"landuse": [("9999", (0, 0, 2000, 1000))]}
    row = rows(load_plan(scarce_dir(layers=layers)), box(600, 100, 700, 200))["dev_boundary:410"]
    assert row.area_m2 is None
    assert row.used_m2 is None
    assert "现状地类不明" in row.text


# --- reservations ---------------------------------------------------------------------------------


def test_reserved_land_is_named_and_not_taken_again(own: Plan) -> None:
    made = reserve(own, site_of(box(600, 100, 700, 200), "0803"), project="场馆", on=DAY)
    found = rows(own, box(650, 100, 850, 200))
    for name in ("dev_boundary:410", "cultivated_land", "conversion", "replacement"):
        row = found[name]
        assert row.reserved_m2 == pytest.approx(geod_m2(650, 100, 700, 200), abs=0.01)
        assert row.area_m2 == pytest.approx(geod_m2(700, 100, 850, 200), abs=0.01)
        assert row.held_by == (f"“场馆”（{made.id}）",)
        assert "“场馆”" in row.text
    free = geod_m2(0, 0, 1000, 750) - geod_m2(0, 0, 500, 500) - geod_m2(600, 100, 700, 200)
    assert found["dev_boundary:410"].free_before_m2 == pytest.approx(free, abs=0.01)
    overlap = found["reservations"]
    assert overlap.area_m2 == pytest.approx(geod_m2(650, 100, 700, 200), abs=0.01)
    assert "“场馆”（R0001）" in overlap.text


def test_land_that_two_reservations_claim_is_overlapped_once(own: Plan) -> None:
    shape = site_of(box(600, 100, 700, 200), "0803")
    for project in ("甲", "乙"):
        reserve(own, shape, project=project, on=DAY, allow_overlap=True)
    row = rows(own, box(600, 100, 700, 200))["reservations"]
    assert row.area_m2 == pytest.approx(geod_m2(600, 100, 700, 200), abs=0.01)
    assert row.held_by == ("“甲”（R0001）", "“乙”（R0002）")


def test_a_neighbour_of_a_reservation_overlaps_nothing(own: Plan) -> None:
    reserve(own, site_of(box(600, 100, 700, 200)), project="场馆", on=DAY)
    found = rows(own, box(700, 100, 800, 200))
    assert "reservations" not in found
    assert all(row.held_by == () for row in found.values())


def test_a_reserved_park_holds_the_land_but_not_the_green(own: Plan) -> None:
    reserve(own, site_of(box(100, 600, 200, 700), "1401"), project="公园", on=DAY)
    found = rows(own, box(100, 600, 200, 700))
    green = found["planned_green_water"]
    assert green.area_m2 == pytest.approx(geod_m2(100, 600, 200, 700), abs=0.01)
    assert green.held_by == ()
    assert found["dev_boundary:410"].area_m2 == pytest.approx(0, abs=0.01)
    assert "“公园”" in found["reservations"].text


def test_a_broken_register_stops_no_check_and_leaves_nothing_known(own: Plan) -> None:
    (own.root / FILE).write_text("broken\n", encoding="utf-8")
    row = rows(own, box(600, 100, 700, 200))["dev_boundary:410"]
    assert row.reserved_m2 is None
    assert row.free_before_m2 is None
    assert "预留台账无法读取" in row.text
    check = check_site(site_of(box(600, 100, 700, 200)), own, use="0803", as_of=DAY)
    assert {row.id: row.area_m2 for row in check.impact}["reservations"] is None


def test_a_broken_register_is_open_even_where_nothing_else_can_be_measured(scarce_dir) -> None:
    poor = load_plan(scarce_dir(layers={"dev_boundary": None, "landuse": None}))
    (poor.root / FILE).write_text("broken\n", encoding="utf-8")
    found = rows(poor, box(600, 100, 700, 200))["reservations"]
    assert found.area_m2 is None
    assert "预留台账读取失败" in found.text


def test_outlines_of_reservations_never_leave_in_an_answer(own: Plan) -> None:
    # A corner that nothing else has: 408123.457 E, 4030111.113 N.
    secret = box(600, 100, 700, 200) | box(123.457, 111.113, 300, 200)
    reserve(own, site_of(shapely.box(*secret.bounds)), project="内部", on=DAY)
    check = check_site(site_of(box(100, 50, 800, 400)), own, use="0803", as_of=DAY)
    text = json.dumps(to_dict(check), ensure_ascii=False)
    assert "“内部”" in text
    lon, lat = TO_LONLAT.transform(EAST + 123.457, NORTH + 111.113)
    for number in ("408123.45", "4030111.11", f"{lon:.6f}", f"{lat:.6f}"):
        assert number not in text


# --- the whole check ------------------------------------------------------------------------------


def test_rows_of_budgets_are_no_part_of_the_decision(plan: Plan) -> None:
    for sample in load_samples(plan):
        site = read_site(sample.path, plan, name=sample.name, width_m=sample.width_m)
        check = check_site(
            site, plan, use=sample.use, attributes=sample.attributes, as_of=sample.as_of
        )
        assert check.impact
        bare = replace(check, impact=())
        from gis.canonical import decision_part

        assert decision_part(bare) == decision_part(check)


def test_the_impact_of_the_samples_is_that_of_their_evidence(plan: Plan) -> None:
    for sample in load_samples(plan):
        site = read_site(sample.path, plan, name=sample.name, width_m=sample.width_m)
        check = check_site(site, plan, use=sample.use, as_of=sample.as_of)
        seen = {(e.layer, e.cls): e.area_m2 for e in check.evidence if e.kind == "area"}
        found = {row.id: row for row in check.impact}
        for cls in ("410", "420", "430"):
            if ("dev_boundary", cls) in seen:
                row = found[f"dev_boundary:{cls}"]
                assert row.covered_m2 == pytest.approx(seen["dev_boundary", cls], abs=0.01)
        fields = [m2 for (layer, c), m2 in seen.items() if layer == "landuse" and c[:2] == "01"]
        if fields:
            assert found["cultivated_land"].area_m2 == pytest.approx(math.fsum(fields), abs=0.01)


_PRINTED = re.compile(
    r"占用\S+ ([\d,.]+) (公顷|平方米).*?(?:尚余|现有) ([\d,.]+) .*?后余 ([\d,.]+) "
)


def test_printed_sentences_add_up(scarce: Plan, plan: Plan) -> None:
    seen = 0
    core = plan.layer("core").index.union.centroid
    shapes = [(scarce, box(600, 100, 600 + w, 200 + w / 3)) for w in (3, 31.7, 99.9, 333.33)]
    shapes += [(plan, core.buffer(r)) for r in (20, 77.7, 150, 321)]
    for chosen, shape in shapes:
        for row in rows(chosen, shape).values():
            if found := _PRINTED.search(row.text):
                taken, before, after = (float(found[n].replace(",", "")) for n in (1, 3, 4))
                assert round(before - taken, 2) == after, row.text
                assert taken > 0, row.text
                seen += 1
    assert seen > 8


def test_small_pieces_are_told_in_square_metres() -> None:
    assert amount(0.4) == "0.40 平方米"
    assert amount(999.99) == "999.99 平方米"
    assert amount(1000) == "0.10 公顷"


def test_a_small_loss_of_share_is_not_printed_as_none(plan: Plan) -> None:
    green = plan.layer("planned_use").frame
    shape = green[green.cls == "1401"].geometry.iloc[0].representative_point().buffer(3)
    row = rows(plan, shape)["planned_green_water"]
    first, second = re.search(r"由 ([\d.]+) % 降为 ([\d.]+) %", row.text).groups()
    assert float(second) < float(first)


@settings(max_examples=30)
@given(
    st.floats(0, 1), st.floats(0, 1), st.floats(10, 400), st.sampled_from([None, "0803", "1401"])
)
def test_numbers_of_any_site_hold_together(plan: Plan, u, v, radius, use) -> None:
    west, south, east, north = plan.layer("resort").index.union.bounds
    x, y = west + u * (east - west), south + v * (north - south)
    for row in impact(plan, site_of(shapely.Point(x, y).buffer(radius, quad_segs=4), use)):
        if row.area_m2 is None:
            assert row.unknown_m2 > 0
            continue
        assert 0 <= row.area_m2 <= row.covered_m2 + 0.01
        if row.used_m2 is not None and use == "0803":
            assert row.area_m2 + row.used_m2 == pytest.approx(row.covered_m2, abs=0.02)
        if row.free_before_m2 is not None:
            assert row.free_before_m2 - row.area_m2 == pytest.approx(row.free_after_m2, abs=1e-6)
        if row.share_before is not None:
            assert row.share_after <= row.share_before


def test_threads_get_the_same_numbers(scarce_dir) -> None:
    plan = load_plan(scarce_dir())  # nothing is built yet
    shapes = [box(600 + n, 100, 900, 700) for n in range(8)]
    expected = [impact(load_plan(plan.root), site_of(s, "0803")) for s in shapes]
    found: dict[int, object] = {}

    def work(n: int) -> None:
        found[n] = [impact(plan, site_of(shapes[n], "0803")) for _ in range(5)]

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for n, want in enumerate(expected):
        assert found[n] == [want] * 5


def test_all_layers_of_the_package_could_be_read(scarce: Plan) -> None:
    assert {layer.state for layer in scarce.layers.values()} == {LayerState.CHECKED}
