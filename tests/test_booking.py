"""Sites booked in order: who takes what, when a budget runs out, and what order can change.

Areas by ``pyproj.Geod`` on densified edges in the package of ``scarce_dir``.
"""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod, Transformer

from gis.check import check_site
from gis.crs import ellipsoidal_area
from gis.errors import ClaimError, CrsError, OutsidePlanError
from gis.model import Area, CrsDecision, Doubt, Site, Source
from gis.plan import Plan, load_plan
from gis.plan.booking import Booking, book
from gis.plan.budgets import budgets
from gis.plan.impact import impact
from gis.plan.reservations import FILE, reserve

EAST, NORTH = 408_000.0, 4_030_000.0
GEOD = Geod(ellps="GRS80")
TO_LONLAT = Transformer.from_crs(4548, 4490, always_xy=True)
DAY = date(2026, 11, 22)
QUOTA = """[[quota]]
id = "year"
title = "年度"
kind = "conversion"
value = {0}
unit = "ha"
source = "测试"
"""


def box(*corners: float) -> shapely.Polygon:
    west, south, east, north = corners
    return shapely.box(EAST + west, NORTH + south, EAST + east, NORTH + north)


def geod_m2(shape: shapely.Geometry) -> float:
    total = 0.0
    parts = shapely.get_parts(shapely.segmentize(shape, 10))
    for part in (p for p in parts if p.geom_type == "Polygon"):
        for n, ring in enumerate([part.exterior, *part.interiors]):
            lonlat = TO_LONLAT.transform(*np.array(ring.coords).T)
            m2 = abs(GEOD.polygon_area_perimeter(*lonlat)[0])
            total += m2 if n == 0 else -m2
    return total


def site(shape: shapely.Geometry, name: str, use: str | None = "0803", epsg: int = 4548) -> Site:
    area = Area(ellipsoidal_area(shape, epsg), shape.area)
    crs = CrsDecision(epsg, epsg, "given")
    return Site(name, shape, area, crs, Source("wkt", name, ""), use=use)


@pytest.fixture(scope="module")
def scarce(scarce_dir) -> Plan:
    return load_plan(scarce_dir(extra=QUOTA.format(2.5)))


# Three hectares of 0102 side by side, then one of 0101.
FIRST = site(box(600, 100, 700, 200), "甲")
SECOND = site(box(700, 100, 800, 200), "乙")
THIRD = site(box(800, 100, 900, 200), "丙")
FOURTH = site(box(1100, 100, 1200, 200), "丁")


def test_sites_are_booked_one_after_another(scarce: Plan) -> None:
    booking = book(scarce, [FIRST, SECOND])
    whole = geod_m2(box(0, 0, 1000, 750)) - geod_m2(box(0, 0, 500, 500))
    first, second = (
        next(row for row in booked.impact if row.id == "dev_boundary:410")
        for booked in booking.sites
    )
    assert first.free_before_m2 == pytest.approx(whole, abs=0.01)
    assert first.free_after_m2 == second.free_before_m2
    left = whole - geod_m2(box(600, 100, 800, 200))
    assert second.free_after_m2 == pytest.approx(left, abs=0.01)
    end = booking.budget("dev_boundary:410")
    assert end.taken_m2 == pytest.approx(geod_m2(box(600, 100, 800, 200)), abs=0.01)
    assert end.free_m2 == second.free_after_m2
    assert end.ends_at is None


def test_booking_one_site_says_what_its_check_says(scarce: Plan) -> None:
    for alone in (FIRST, FOURTH):
        assert book(scarce, [alone]).sites[0].impact == impact(scarce, alone)


def test_the_site_at_which_a_quota_runs_out_is_named_with_what_does_not_fit(scarce: Plan) -> None:
    booking = book(scarce, [FIRST, SECOND, THIRD, FOURTH])
    end = booking.budget("conversion")
    three = math.fsum(geod_m2(s.geometry) for s in (FIRST, SECOND, THIRD))
    assert end.ends_at == 3
    assert end.short_there_m2 == pytest.approx(three - 25_000, abs=0.02)
    assert end.taken_m2 == pytest.approx(25_000, abs=1e-6)
    assert end.free_m2 == 0.0
    fourth = geod_m2(FOURTH.geometry)
    assert end.shortfall_m2 == pytest.approx(three - 25_000 + fourth, abs=0.02)
    assert "第 3 个地块用完" in end.text
    rows = [next(r for r in s.impact if r.id == "conversion") for s in booking.sites]
    assert [row.exceeded for row in rows] == [False, False, True, True]
    # The last finds nothing left: all of it is short.
    assert rows[3].shortfall_m2 == pytest.approx(fourth, abs=0.01)
    assert rows[3].free_before_m2 == rows[3].free_after_m2 == 0.0


def test_a_budget_that_is_used_up_to_the_last_metre_ends_without_shortfall(scarce_dir) -> None:
    exact = ellipsoidal_area(FIRST.geometry, 4548) / 10_000
    plan = load_plan(scarce_dir(extra=QUOTA.format(repr(exact))))
    end = book(plan, [FIRST, SECOND]).budget("conversion")
    assert end.ends_at == 1
    assert end.short_there_m2 == 0.0
    assert end.shortfall_m2 == pytest.approx(geod_m2(SECOND.geometry), abs=0.01)


def test_overlapping_sites_count_their_land_once_and_name_each_other(scarce: Plan) -> None:
    twice = site(box(650, 100, 750, 200), "重叠")
    booking = book(scarce, [FIRST, twice])
    end = booking.budget("dev_boundary:410")
    assert end.taken_m2 == pytest.approx(geod_m2(box(600, 100, 750, 200)), abs=0.01)
    assert booking.sites[1].held_by == ("地块“甲”（第 1 个）",)
    row = next(r for r in booking.sites[1].impact if r.id == "dev_boundary:410")
    assert row.reserved_m2 == pytest.approx(geod_m2(box(650, 100, 700, 200)), abs=0.01)
    assert "地块“甲”" in row.text


def test_sites_on_land_that_is_not_scarce_name_each_other_too(scarce_dir) -> None:
    # Built land off the boundary: no budget is met, the place is taken all the same.
    plan = load_plan(scarce_dir(layers={"dev_boundary": [("410", (1000, 0, 1500, 500))]}))
    shape = box(100, 100, 200, 200)
    booking = book(plan, [site(shape, "甲"), site(shape, "乙")])
    assert [s.impact for s in booking.sites] == [(), ()]
    assert [s.held_by for s in booking.sites] == [(), ("地块“甲”（第 1 个）",)]


def test_a_site_that_is_no_survey_says_so(scarce: Plan) -> None:
    traced = replace(FIRST, doubt=Doubt("描自网络地图", 10.0))
    booking = book(scarce, [traced, SECOND])
    assert [s.doubt for s in booking.sites] == ["描自网络地图", ""]
    assert booking.to_dict()["sites"][0]["doubt"] == "描自网络地图"


def test_a_use_for_a_site_that_is_not_there_is_refused(scarce: Plan) -> None:
    with pytest.raises(ClaimError, match="丙"):
        book(scarce, [FIRST, SECOND], uses={"甲": "1401", "丙": "0803"})


def test_reservations_stand_before_any_site(scarce_dir) -> None:
    plan = load_plan(scarce_dir())
    reserve(plan, site(box(600, 100, 700, 200), "x"), project="场馆", on=DAY)
    before = (plan.root / FILE).read_bytes()
    booking = book(plan, [site(box(650, 100, 750, 200), "甲")])
    end = booking.budget("dev_boundary:410")
    assert end.taken_m2 == pytest.approx(geod_m2(box(700, 100, 750, 200)), abs=0.01)
    assert booking.sites[0].held_by == ("“场馆”（R0001）",)
    assert (plan.root / FILE).read_bytes() == before  # booking writes nothing


def test_the_share_of_green_falls_site_by_site(scarce: Plan) -> None:
    sites = [site(box(100, 600, 200, 700), "甲"), site(box(300, 600, 400, 700), "乙", "1401")]
    sites.append(site(box(150, 600, 250, 700), "丙"))
    end = book(scarce, sites).budget("planned_green_water")
    lost = geod_m2(box(100, 600, 250, 700)) / geod_m2(box(0, 0, 1000, 1000))
    assert end.share_before == pytest.approx(0.5, abs=1e-6)
    assert end.share_before - end.share_after == pytest.approx(lost, abs=1e-8)


def test_uses_come_for_all_for_each_or_by_name(scarce: Plan) -> None:
    bare = [site(box(100, 600, 200, 700), "甲", None), site(box(300, 600, 400, 700), "乙", None)]

    def green(uses: object) -> float:
        return book(scarce, bare, uses=uses).budget("planned_green_water").taken_m2

    both = geod_m2(bare[0].geometry) + geod_m2(bare[1].geometry)
    assert green(None) == pytest.approx(both, abs=0.01)
    assert green("1401") == 0.0
    assert green(["1401", "0803"]) == pytest.approx(geod_m2(bare[1].geometry), abs=0.01)
    assert green({"乙": "1401"}) == pytest.approx(geod_m2(bare[0].geometry), abs=0.01)
    with pytest.raises(ClaimError, match="1 个用途"):
        green(["1401"])
    with pytest.raises(ClaimError, match="9999"):
        green("9999")


def test_checks_may_be_booked_like_their_sites(scarce: Plan) -> None:
    check = check_site(FIRST, scarce, use="0803", as_of=DAY)
    assert book(scarce, [check, SECOND]) == book(scarce, [FIRST, SECOND])


def test_no_site_leaves_everything_as_it_is(scarce: Plan) -> None:
    booking = book(scarce, [])
    free = {b.id: b.amounts.free_m2 for b in budgets(scarce)}
    assert {b.id: b.free_m2 for b in booking.budgets} == free
    assert {b.taken_m2 for b in booking.budgets} == {0.0}


def test_after_a_site_that_nobody_can_measure_nothing_is_known(scarce: Plan) -> None:
    over = site(box(900, -100, 1000, 100), "越界")
    booking = book(scarce, [FIRST, over, SECOND])
    end = booking.budget("dev_boundary:410")
    assert end.unknown_at == 2
    assert end.free_m2 is None
    assert "第 2 个地块" in end.text
    last = next(r for r in booking.sites[2].impact if r.id == "dev_boundary:410")
    assert last.free_before_m2 is None
    assert last.exceeded is None


def test_without_a_quota_the_need_is_summed_and_nothing_is_promised(scarce: Plan) -> None:
    end = book(scarce, [FIRST, SECOND]).budget("replacement")
    assert end.total_m2 is None
    assert end.free_m2 is None
    assert end.taken_m2 == pytest.approx(geod_m2(box(600, 100, 800, 200)), abs=0.01)
    assert "未提供" in end.text


def test_a_site_of_another_plan_is_refused(scarce: Plan) -> None:
    with pytest.raises(CrsError, match="乙"):
        book(scarce, [FIRST, site(box(0, 0, 9, 9), "乙", epsg=4547)])
    with pytest.raises(OutsidePlanError, match="远"):
        book(scarce, [site(shapely.affinity.translate(box(0, 0, 9, 9), 300_000), "远")])


def test_the_json_of_a_booking_is_plain_and_holds_no_outline(scarce: Plan) -> None:
    document = book(scarce, [FIRST, THIRD]).to_dict()
    text = json.dumps(document, allow_nan=False, ensure_ascii=False)
    assert json.loads(text) == document
    assert "coordinates" not in text
    assert [row["id"] for row in document["budgets"]] == [b.id for b in budgets(scarce)]
    assert [s["number"] for s in document["sites"]] == [1, 2]


# --- laws -----------------------------------------------------------------------------------------

_boxes = st.lists(
    st.tuples(st.integers(0, 18), st.integers(0, 8), st.integers(1, 6), st.integers(1, 4)),
    min_size=1,
    max_size=5,
)
_uses = st.lists(st.sampled_from(["0803", "1401", "0103", None]), min_size=5, max_size=5)


def _sites(rows: list[tuple[int, int, int, int]], uses: list[str | None]) -> list[Site]:
    found = []
    for n, ((x, y, w, h), use) in enumerate(zip(rows, uses, strict=False)):
        shape = box(100 * x, 100 * y, min(100 * (x + w), 2000), min(100 * (y + h), 1000))
        found.append(site(shape, f"第{n}", use))
    return found


def _by_id(booking: Booking) -> dict[str, tuple[float, float | None, float | None]]:
    return {b.id: (b.taken_m2, b.free_m2, b.initial_m2) for b in booking.budgets}


@settings(max_examples=40)
@given(_boxes, _uses)
def test_what_is_taken_and_what_is_left_make_what_there_was(scarce: Plan, rows, uses) -> None:
    booking = book(scarce, _sites(rows, uses))
    for taken, free, initial in _by_id(booking).values():
        if initial is not None:
            assert taken + free == pytest.approx(initial, abs=1e-5)
            assert free >= 0
    for budget in booking.budgets:
        each = [r for s in booking.sites for r in s.impact if r.id == budget.id]
        fitted = math.fsum((r.area_m2 or 0.0) - (r.shortfall_m2 or 0.0) for r in each)
        assert fitted == pytest.approx(budget.taken_m2, abs=1e-5)


@settings(max_examples=40)
@given(_boxes, _uses, st.randoms(use_true_random=False))
def test_order_changes_who_fails_but_not_what_is_taken(scarce: Plan, rows, uses, random) -> None:
    sites = _sites(rows, uses)
    mixed = sites.copy()
    random.shuffle(mixed)
    one, other = _by_id(book(scarce, sites)), _by_id(book(scarce, mixed))
    for name in one:
        assert one[name][0] == pytest.approx(other[name][0], abs=0.01), name
        if one[name][1] is not None:
            assert one[name][1] == pytest.approx(other[name][1], abs=0.01), name


@settings(max_examples=25)
@given(_boxes)
def test_all_that_is_taken_is_the_union_of_the_sites(scarce: Plan, rows) -> None:
    sites = _sites(rows, ["0803"] * 5)
    booking = book(scarce, sites)
    union = shapely.union_all([s.geometry for s in sites])
    built, second = box(0, 0, 500, 500), box(1000, 0, 1500, 500)
    first = union & (box(0, 0, 1000, 750) - built)
    assert booking.budget("dev_boundary:410").taken_m2 == pytest.approx(geod_m2(first), abs=0.02)
    assert booking.budget("dev_boundary:420").taken_m2 == pytest.approx(
        geod_m2(union & second), abs=0.02
    )
    farmland = union & box(500, 500, 1000, 1000)
    assert booking.budget("permanent_farmland").taken_m2 == pytest.approx(
        geod_m2(farmland), abs=0.02
    )
