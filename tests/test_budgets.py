"""The quota ledger as a table: what there is, used, promised and free, by kind and by zone.

Expected areas: squares of the package of ``scarce_dir``, measured by ``pyproj.Geod`` on edges
densified to 10 m in this file, and on the bundled plan a plain overlay with shapely.
"""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod, Transformer

from gis.errors import PlanError
from gis.model import Area, CrsDecision, Site, Source
from gis.plan import Plan, load_plan
from gis.plan.budgets import OFF_ZONES, Budget, budget_rows, budgets
from gis.plan.impact import impact
from gis.plan.quota.ledger import ledger_of
from gis.plan.quota.probe import Probe
from gis.plan.reservations import FILE, release, reserve

EAST, NORTH = 408_000.0, 4_030_000.0
GEOD = Geod(ellps="GRS80")
TO_LONLAT = Transformer.from_crs(4548, 4490, always_xy=True)
DAY = date(2026, 11, 22)
LANDUSE = {
    "0701": (0, 0),
    "0102": (1, 0),
    "0101": (2, 0),
    "0404": (3, 0),
    "0201K": (0, 1),
    "0103": (1, 1),
    "1006": (2, 1),
    "0301": (3, 1),
}


def square(i: int, j: int) -> tuple[int, int, int, int]:
    return 500 * i, 500 * j, 500 * i + 500, 500 * j + 500


def geod_m2(shape: shapely.Geometry | tuple[float, float, float, float]) -> float:
    """The area of a polygon, or of a box in metres from the corner of the package."""
    if isinstance(shape, tuple):
        west, south, east, north = shape
        shape = shapely.box(EAST + west, NORTH + south, EAST + east, NORTH + north)
    total = 0.0
    for part in shapely.get_parts(shapely.segmentize(shape, 10)):
        rings = [part.exterior, *part.interiors]
        areas = [
            abs(GEOD.polygon_area_perimeter(*TO_LONLAT.transform(*np.array(r.coords).T))[0])
            for r in rings
        ]
        total += areas[0] - sum(areas[1:])
    return total


def site(*box: float, use: str | None = None, shape: shapely.Geometry | None = None) -> Site:
    if shape is None:
        west, south, east, north = box
        shape = shapely.box(EAST + west, NORTH + south, EAST + east, NORTH + north)
    area = Area(geod_m2(shape), shape.area)
    crs = CrsDecision(4548, 4548, "given")
    return Site("甲", shape, area, crs, Source("wkt", "甲", ""), use=use)


def by_id(plan: Plan) -> dict[str, Budget]:
    return {budget.id: budget for budget in budgets(plan)}


@pytest.fixture(scope="module")
def scarce(scarce_dir) -> Plan:
    return load_plan(scarce_dir())


# --- what there is --------------------------------------------------------------------------------


def test_the_boundary_is_divided_into_used_and_free_by_kind(scarce: Plan) -> None:
    rows = by_id(scarce)
    first, second = rows["dev_boundary:410"].amounts, rows["dev_boundary:420"].amounts
    assert first.total_m2 == pytest.approx(geod_m2((0, 0, 1000, 750)), abs=0.01)
    assert first.used_m2 == pytest.approx(geod_m2(square(0, 0)), abs=0.01)  # only 0701 is built
    assert first.free_m2 == pytest.approx(first.total_m2 - first.used_m2, abs=1e-6)
    assert first.reserved_m2 == 0.0
    assert second.total_m2 == second.free_m2 == pytest.approx(geod_m2(square(2, 0)), abs=0.01)
    assert second.used_m2 == 0.0


def test_a_boundary_over_two_zones_is_divided_between_them(scarce_dir) -> None:
    plan = load_plan(scarce_dir(layers={"dev_boundary": [("410", (200, 100, 1700, 400))]}))
    budget = by_id(plan)["dev_boundary:410"]
    zones = {z.zone: z.amounts for z in budget.by_zone}
    assert zones["Z1"].used_m2 == pytest.approx(geod_m2((200, 100, 500, 400)), abs=0.01)
    assert zones["Z1"].free_m2 == pytest.approx(geod_m2((500, 100, 1000, 400)), abs=0.01)
    # 0404 is unused land, so it is as free as fields are.
    assert zones["Z2"].free_m2 == pytest.approx(geod_m2((1000, 100, 1700, 400)), abs=0.01)


def test_land_off_every_zone_has_a_row_of_its_own(scarce_dir) -> None:
    plan = load_plan(scarce_dir(layers={"zones": [("Z1", (0, 0, 600, 1000))]}))
    budget = by_id(plan)["dev_boundary:410"]
    assert [z.zone for z in budget.by_zone] == ["Z1", None]
    off = budget.by_zone[1]
    assert off.name == OFF_ZONES
    assert off.amounts.total_m2 == pytest.approx(geod_m2((600, 0, 1000, 750)), abs=0.01)
    assert off.amounts.used_m2 == pytest.approx(0, abs=0.01)


def test_overlapping_zones_do_not_count_land_twice(scarce_dir) -> None:
    zones = [("Z1", (0, 0, 1200, 1000)), ("Z2", (800, 0, 2000, 1000))]
    plan = load_plan(scarce_dir(layers={"zones": zones}))
    for budget in budgets(plan):
        if budget.by_zone:
            total = math.fsum(z.amounts.total_m2 for z in budget.by_zone)
            assert total == pytest.approx(budget.amounts.total_m2, abs=0.01)


def test_built_land_drawn_twice_is_used_once(scarce_dir) -> None:
    rows = [(cls, square(*at)) for cls, at in LANDUSE.items()]
    plan = load_plan(scarce_dir(layers={"landuse": [*rows, ("0601", (100, 100, 700, 200))]}))
    budget = by_id(plan)["dev_boundary:410"].amounts
    both = shapely.box(0, 0, 500, 500) | shapely.box(100, 100, 700, 200)
    both = shapely.affinity.translate(both, EAST, NORTH)
    assert budget.used_m2 == pytest.approx(geod_m2(both), abs=0.01)


def test_a_boundary_with_a_hole_and_two_parts_is_measured_as_drawn(scarce_dir) -> None:
    ring = shapely.box(1000, 0, 1500, 500) - shapely.box(1100, 100, 1200, 200)
    shape = shapely.MultiPolygon([ring, shapely.box(1600, 600, 1700, 700)])
    plan = load_plan(scarce_dir(layers={"dev_boundary": [("410", shape)]}))
    amounts = by_id(plan)["dev_boundary:410"].amounts
    expected = geod_m2(shapely.affinity.translate(shape, EAST, NORTH))
    assert amounts.free_m2 == pytest.approx(expected, abs=0.01)


def test_cultivated_land_is_kept_apart_by_class_and_counts_adjustable_land(scarce: Plan) -> None:
    budget = by_id(scarce)["cultivated_land"]
    parts = {c.cls: c for c in budget.by_class}
    assert set(parts) == {"0101", "0102", "0103", "0201K"}  # no 1006, no 0301
    assert parts["0101"].name == "水田"
    assert parts["0101"].total_m2 == pytest.approx(geod_m2(square(2, 0)), abs=0.01)
    total = math.fsum(geod_m2(square(*LANDUSE[cls])) for cls in parts)
    assert budget.amounts.total_m2 == pytest.approx(total, abs=0.01)


def test_permanent_farmland_is_a_stock_without_used_land(scarce: Plan) -> None:
    budget = by_id(scarce)["permanent_farmland"]
    assert budget.amounts.total_m2 == pytest.approx(geod_m2(square(1, 1)), abs=0.01)
    assert budget.amounts.used_m2 is None
    assert "保有量" in budget.note


def test_the_share_of_green_and_water_is_that_of_the_land_balance(scarce: Plan, plan: Plan) -> None:
    budget = by_id(scarce)["planned_green_water"]
    assert budget.share == pytest.approx(0.5, abs=1e-6)  # two squares of four
    assert (budget.area, budget.definition) == ("core", "B")
    share = by_id(plan)["planned_green_water"].share
    assert share == pytest.approx(plan.land_balance().green_water_share, abs=1e-9)


# --- quotas ---------------------------------------------------------------------------------------

QUOTA = """[[quota]]
id = "{0}"
title = "指标"
kind = "{1}"
value = {2}
unit = "{3}"
source = "测试"
"""


def test_a_quota_that_nobody_stated_is_unknown_and_not_unlimited(scarce: Plan) -> None:
    for name in ("conversion", "replacement"):
        budget = by_id(scarce)[name]
        assert budget.amounts.total_m2 is None
        assert budget.amounts.free_m2 is None
        assert "未提供" in budget.note


def test_stated_quotas_of_a_kind_add_up_in_their_units(scarce_dir) -> None:
    extra = QUOTA.format("a", "conversion", 3, "ha") + QUOTA.format("b", "conversion", 15, "mu")
    rows = by_id(load_plan(scarce_dir(extra=extra + QUOTA.format("c", "replacement", 0, "m2"))))
    assert rows["conversion"].amounts.total_m2 == pytest.approx(40_000)  # 15 mu are one hectare
    assert rows["replacement"].amounts.total_m2 == 0.0  # a stated zero is a number


# --- what is not known ----------------------------------------------------------------------------


def test_without_current_land_classes_nothing_is_called_free(scarce_dir) -> None:
    root = scarce_dir(layers={"landuse": None})
    rows = by_id(load_plan(root))
    boundary = rows["dev_boundary:410"]
    assert boundary.amounts.total_m2 == pytest.approx(geod_m2((0, 0, 1000, 750)), abs=0.01)
    assert boundary.amounts.used_m2 is None
    assert boundary.amounts.free_m2 is None
    assert "无数据" in boundary.note
    for name in ("cultivated_land", "conversion", "replacement"):
        amounts = rows[name].amounts
        assert (amounts.total_m2, amounts.reserved_m2, amounts.free_m2) == (None, None, None)
        assert "无数据" in rows[name].note


def test_a_hole_in_the_land_classes_makes_its_kind_unknown_and_no_other(scarce_dir) -> None:
    rows = [(cls, square(*at)) for cls, at in LANDUSE.items() if cls != "0102"]
    found = by_id(load_plan(scarce_dir(layers={"landuse": rows})))
    first, second = found["dev_boundary:410"], found["dev_boundary:420"]
    assert first.amounts.used_m2 is None
    assert first.amounts.free_m2 is None
    assert first.amounts.unknown_m2 == pytest.approx(geod_m2(square(1, 0)), abs=0.01)
    assert "现状地类" in first.note
    assert second.amounts.free_m2 == pytest.approx(geod_m2(square(2, 0)), abs=0.01)


def test_a_gap_between_parcels_is_neither_used_nor_free(scarce_dir) -> None:
    rows = {cls: square(*at) for cls, at in LANDUSE.items()}
    rows["0102"] = (500.001, 0, 1000, 500)  # a gap of half a square metre
    found = by_id(load_plan(scarce_dir(layers={"landuse": list(rows.items())})))
    amounts = found["dev_boundary:410"].amounts
    assert amounts.unknown_m2 == pytest.approx(0.5, abs=0.01)
    free = geod_m2((500.001, 0, 1000, 500)) + geod_m2((0, 500, 1000, 750))
    assert amounts.free_m2 == pytest.approx(free, abs=0.01)
    parts = (amounts.used_m2, amounts.reserved_m2, amounts.unknown_m2, amounts.free_m2)
    assert math.fsum(parts) == pytest.approx(amounts.total_m2, abs=1e-6)


@pytest.mark.parametrize("cls", ["9999", None, "10"])
def test_a_class_that_decides_nothing_is_unknown(scarce_dir, cls) -> None:
    # 10 is a group of roads and farm tracks: construction land or not, nobody can tell.
    rows = [(cls if c == "0102" else c, square(*at)) for c, at in LANDUSE.items()]
    found = by_id(load_plan(scarce_dir(layers={"landuse": rows})))
    assert found["dev_boundary:410"].amounts.used_m2 is None
    assert found["dev_boundary:410"].amounts.unknown_m2 == pytest.approx(
        geod_m2(square(1, 0)), abs=0.01
    )
    assert found["cultivated_land"].amounts.free_m2 is None


@pytest.mark.parametrize(
    ("layer", "budget"),
    [
        ("dev_boundary", "dev_boundary"),
        ("farmland", "permanent_farmland"),
        ("planned_use", "planned_green_water"),
    ],
)
def test_a_layer_without_data_is_a_row_without_numbers(scarce_dir, layer, budget) -> None:
    found = by_id(load_plan(scarce_dir(layers={layer: None})))[budget]
    row = found.to_dict()
    assert [row[k] for k in ("total_m2", "used_m2", "reserved_m2", "free_m2")] == [None] * 4
    assert "无数据" in row["note"]
    assert row["share"] is None


def test_planned_use_in_another_edition_has_no_share(scarce_dir) -> None:
    root = scarce_dir()
    file = root / "plan.toml"
    text = file.read_text(encoding="utf-8").replace('edition = "2023"', 'edition = "2020"')
    file.write_text(text, encoding="utf-8")
    found = by_id(load_plan(root))["planned_green_water"]
    assert found.share is None
    assert "2023" in found.note


def test_without_a_core_the_share_is_that_of_the_planning_area(scarce_dir) -> None:
    root = scarce_dir()
    file = root / "plan.toml"
    text = file.read_text(encoding="utf-8").replace('role = "core"', 'role = "other"')
    file.write_text(text, encoding="utf-8")
    found = by_id(load_plan(root))["planned_green_water"]
    assert found.area == "resort"
    assert found.share == pytest.approx(0.25, abs=1e-6)


def test_a_plan_of_another_kind_has_no_budgets(french_plan_dir) -> None:
    assert budget_rows(load_plan(french_plan_dir)) == []


# --- several layers of a kind, and layers that do not decide -----------------------------------


def added(root: Path, role: str, rows: list[tuple[str | None, tuple[int, ...]]], more: str = ""):
    """Add a layer ``second`` of a role to a package."""
    import geopandas

    frame = geopandas.GeoDataFrame(
        {"n": [str(n) for n in range(len(rows))], "c": [c for c, _ in rows]},
        geometry=[
            shapely.box(EAST + w, NORTH + s, EAST + e, NORTH + n) for _, (w, s, e, n) in rows
        ],
        crs=4548,
    )
    frame["c"] = frame["c"].astype(object)
    frame.to_file(root / "second.geojson", engine="pyogrio")
    file = root / "plan.toml"
    entry = f"""
[[layer]]
id = "second"
title = "另一图层"
path = "second.geojson"
role = "{role}"
geometry = "polygon"
fields = {{ id = "n", class = "c" }}
coverage = "resort"
vintage = "2020"
status = "schematic"
{more}
"""
    file.write_text(file.read_text(encoding="utf-8") + entry, encoding="utf-8")
    return load_plan(root)


def test_of_two_layers_of_land_classes_on_one_place_the_first_decides(scarce_dir) -> None:
    scheme = 'scheme = "三调"\nedition = "2019"'
    plan = added(scarce_dir(), "landuse", [("0102", (0, 0, 2000, 1000))], scheme)
    found = by_id(plan)
    cultivated = [square(*LANDUSE[c]) for c in ("0102", "0101", "0201K", "0103")]
    assert found["cultivated_land"].amounts.total_m2 == pytest.approx(
        math.fsum(map(geod_m2, cultivated)), abs=0.01
    )
    assert "同类图层重叠 199.96 公顷" in found["cultivated_land"].note
    # Built land is built, and no field that has to be converted as well.
    rows = {row.id: row for row in impact(plan, site(100, 100, 200, 200, use="0803"))}
    assert set(rows) == {"dev_boundary:410"}


def test_a_second_sheet_beside_the_first_only_adds_its_land(scarce_dir) -> None:
    scheme = 'scheme = "三调"\nedition = "2019"'
    west = [(c, square(*at)) for c, at in LANDUSE.items() if at[0] < 2]
    east = [(c, square(*at)) for c, at in LANDUSE.items() if at[0] >= 2]
    plan = added(scarce_dir(layers={"landuse": west}), "landuse", east, scheme)
    one, two = by_id(load_plan(scarce_dir())), by_id(plan)
    for name in ("dev_boundary:410", "dev_boundary:420", "cultivated_land"):
        assert two[name].amounts.free_m2 == pytest.approx(one[name].amounts.free_m2, abs=0.01)
        assert "重叠" not in two[name].note


def test_a_layer_that_is_being_changed_does_not_count_beside_one_in_force(scarce_dir) -> None:
    rows = [(None, (500, 0, 1000, 500))]
    plan = added(scarce_dir(), "farmland", rows, 'law_status = "changing"')
    found = by_id(plan)["permanent_farmland"]
    assert found.amounts.total_m2 == pytest.approx(geod_m2(square(1, 1)), abs=0.01)
    assert "图层“另一图层”正在调整，未计入" in found.note


def test_a_kind_whose_only_layer_is_being_changed_says_so(scarce_dir) -> None:
    root = scarce_dir()
    file = root / "plan.toml"
    text = file.read_text(encoding="utf-8")
    for role in ("dev_boundary", "farmland"):
        text = text.replace(f'role = "{role}"', f'role = "{role}"\nlaw_status = "changing"')
    file.write_text(text, encoding="utf-8")
    plan = load_plan(root)
    rows = {row.id: row for row in impact(plan, site(600, 600, 700, 700, use="0803"))}
    for name in ("dev_boundary:410", "permanent_farmland"):
        assert "正在调整，仅供参考" in by_id(plan)[name].note
        assert rows[name].text.endswith("（图层正在调整，仅供参考）")
    assert "正在调整" not in rows["cultivated_land"].text


def test_kinds_of_boundary_that_share_land_say_that_they_do_not_add_up(scarce_dir) -> None:
    rows = [("410", (0, 0, 1000, 750)), ("420", (500, 0, 1500, 500))]
    found = by_id(load_plan(scarce_dir(layers={"dev_boundary": rows})))
    shared = geod_m2((500, 0, 1000, 500)) / 10_000
    for one, other in (("410", "420"), ("420", "410")):
        note = found[f"dev_boundary:{one}"].note
        assert f"与“dev_boundary{other}”重叠 {shared:.2f} 公顷" in note
    assert "重叠" not in by_id(load_plan(scarce_dir()))["dev_boundary:410"].note


def test_two_layers_of_zones_do_not_double_a_total(scarce_dir) -> None:
    # The printed total is the sum of the printed zones.
    plan = added(scarce_dir(), "zone", [("Y1", (0, 0, 1500, 1000)), ("Y2", (1500, 0, 2000, 1000))])
    row = by_id(plan)["dev_boundary:410"].to_dict()
    assert row["total_m2"] == pytest.approx(geod_m2((0, 0, 1000, 750)), abs=0.01)
    assert [zone["zone"] for zone in row["by_zone"]] == ["Z1"]  # as in the land balance


def test_a_zone_without_class_is_a_zone_all_the_same(scarce_dir) -> None:
    rows = [(None, (0, 0, 1000, 1000)), ("Z2", (1000, 0, 2000, 1000))]
    found = by_id(load_plan(scarce_dir(layers={"zones": rows})))["dev_boundary:410"]
    assert [zone.name for zone in found.by_zone] == ["000"]  # by its id


def test_zones_that_cannot_be_read_are_said_to_be_missing(scarce_dir) -> None:
    found = by_id(load_plan(scarce_dir(layers={"zones": None})))["dev_boundary:410"]
    assert found.by_zone == ()
    assert "功能区图层无数据" in found.note


def test_cultivated_land_is_a_lower_bound_where_no_parcel_was_drawn(scarce_dir) -> None:
    rows = [("0102", (0, 0, 500, 1000))]
    found = by_id(load_plan(scarce_dir(layers={"landuse": rows})))["cultivated_land"]
    assert found.amounts.total_m2 == pytest.approx(geod_m2((0, 0, 500, 1000)), abs=0.01)
    assert found.amounts.free_m2 is None
    assert [zone.amounts.free_m2 for zone in found.by_zone] == [None]
    assert "下限" in found.note


@pytest.mark.parametrize("second", [[], [("9999", (500, 500, 1000, 1000))]])
def test_the_share_is_a_lower_bound_where_nobody_has_planned(scarce_dir, second) -> None:
    rows = [("1401", (0, 500, 500, 1000)), ("0701", (0, 0, 1000, 500)), *second]
    plan = load_plan(scarce_dir(layers={"planned_use": rows}))
    found = by_id(plan)["planned_green_water"]
    balance = plan.land_balance("core")
    assert found.share == pytest.approx(balance.green_water_share, abs=1e-9)
    assert found.share_is_lower_bound
    assert found.to_dict()["share_is_lower_bound"] is True
    assert found.amounts.free_m2 is None
    assert "下限" in found.note
    told = {row.id: row for row in impact(plan, site(100, 600, 200, 700, use="0803"))}
    assert "占比由不低于 25.00 % 降为不低于 24.00 %" in told["planned_green_water"].text
    # Where nobody has planned anything, a site may or may not take green.
    told = {row.id: row for row in impact(plan, site(600, 600, 700, 700, use="0803"))}
    assert told["planned_green_water"].area_m2 is None
    assert "没有规划用地类别" in told["planned_green_water"].text


def test_the_share_of_a_core_that_is_planned_throughout_is_no_lower_bound(scarce: Plan) -> None:
    assert not by_id(scarce)["planned_green_water"].share_is_lower_bound


def test_what_is_left_of_a_boundary_names_the_water_in_it(scarce_dir) -> None:
    rows = [("1103" if c == "0102" else c, square(*at)) for c, at in LANDUSE.items()]
    found = by_id(load_plan(scarce_dir(layers={"landuse": rows})))
    assert "已用指现状建设用地，未用部分有水面 24.99 公顷" in found["dev_boundary:410"].note
    assert "水面" not in found["dev_boundary:420"].note


def test_a_quota_without_end_is_refused_with_its_line(scarce_dir) -> None:
    root = scarce_dir(extra=QUOTA.format("a", "conversion", "inf", "ha"))
    with pytest.raises(PlanError, match=r"第 \d+ 行：quota\[1\]\.value：须为有限的数"):
        load_plan(root)


# --- reservations ---------------------------------------------------------------------------------


@pytest.fixture
def own(scarce_dir) -> Plan:
    """A plan of one's own to write reservations into."""
    extra = QUOTA.format("a", "conversion", 3, "ha")
    return load_plan(scarce_dir(extra=extra))


def test_a_reservation_takes_what_is_not_built_and_no_more(own: Plan) -> None:
    before = by_id(own)["dev_boundary:410"].amounts
    # 400 m on built land, 100 m on fields.
    reserve(own, site(100, 100, 600, 200), project="学校", on=DAY)
    after = by_id(own)["dev_boundary:410"].amounts
    assert after.used_m2 == before.used_m2
    assert after.reserved_m2 == pytest.approx(geod_m2((500, 100, 600, 200)), abs=0.01)
    assert after.free_m2 == pytest.approx(before.free_m2 - after.reserved_m2, abs=1e-6)
    rows = by_id(own)
    field = geod_m2((500, 100, 600, 200))
    assert rows["conversion"].amounts.reserved_m2 == pytest.approx(field, abs=0.01)
    assert rows["conversion"].amounts.free_m2 == pytest.approx(30_000 - field, abs=0.01)
    assert rows["replacement"].by_class[0].reserved_m2 == pytest.approx(field, abs=0.01)
    assert rows["replacement"].amounts.free_m2 is None


def test_more_promised_than_granted_is_said_and_the_grant_stays_what_it_is(own: Plan) -> None:
    reserve(own, site(600, 100, 1000, 200), project="学校", on=DAY)  # four hectares of three
    budget = by_id(own)["conversion"]
    row = budget.to_dict()
    assert row["total_m2"] == 30_000.0
    assert row["reserved_m2"] == pytest.approx(geod_m2((600, 100, 1000, 200)), abs=0.01)
    assert row["free_m2"] == 0.0
    assert "预留已超出 1.00 公顷" in row["note"]


def test_a_reservation_stands_in_its_zone(own: Plan) -> None:
    reserve(own, site(900, 100, 1100, 200), project="学校", on=DAY)
    zones = {z.zone: z.amounts for z in by_id(own)["cultivated_land"].by_zone}
    assert zones["Z1"].reserved_m2 == pytest.approx(geod_m2((900, 100, 1000, 200)), abs=0.01)
    assert zones["Z2"].reserved_m2 == pytest.approx(geod_m2((1000, 100, 1100, 200)), abs=0.01)


def test_overlapping_reservations_count_their_land_once(own: Plan) -> None:
    reserve(own, site(600, 100, 800, 200), project="甲", on=DAY)
    reserve(own, site(700, 100, 900, 200), project="乙", on=DAY, allow_overlap=True)
    amounts = by_id(own)["dev_boundary:410"].amounts
    assert amounts.reserved_m2 == pytest.approx(geod_m2((600, 100, 900, 200)), abs=0.01)


def test_released_land_is_free_again(own: Plan) -> None:
    before = by_id(own)["dev_boundary:410"].amounts
    made = reserve(own, site(600, 100, 800, 200), project="甲", on=DAY)
    assert by_id(own)["dev_boundary:410"].amounts != before
    release(own, made.id, reason="项目取消", on=DAY)
    assert by_id(own)["dev_boundary:410"].amounts == before


def test_a_reserved_park_takes_no_planned_green(own: Plan) -> None:
    reserve(own, site(100, 600, 200, 700, use="1401"), project="公园", on=DAY)
    assert by_id(own)["planned_green_water"].amounts.reserved_m2 == 0.0
    reserve(own, site(300, 600, 400, 700, use="0803"), project="场馆", on=DAY)
    amounts = by_id(own)["planned_green_water"].amounts
    assert amounts.reserved_m2 == pytest.approx(geod_m2((300, 600, 400, 700)), abs=0.01)
    # The share is that of the plan; what is reserved stands beside it.
    assert by_id(own)["planned_green_water"].share == pytest.approx(0.5, abs=1e-6)


def test_a_register_that_cannot_be_read_leaves_nothing_known_to_be_free(own: Plan) -> None:
    (own.root / FILE).write_text("{}\n", encoding="utf-8")
    for budget in budgets(own):
        assert budget.amounts.reserved_m2 is None
        assert budget.amounts.free_m2 is None
        assert all(z.amounts.free_m2 is None for z in budget.by_zone)
        assert f"{FILE} 第 1 行" in budget.note
    with pytest.raises(PlanError):
        reserve(own, site(600, 100, 800, 200), project="甲", on=DAY)


def test_a_reservation_in_a_plan_without_its_boundary_leaves_the_boundary_unknown(
    scarce_dir,
) -> None:
    poor = load_plan(scarce_dir(layers={"dev_boundary": None}))
    reserve(poor, site(600, 100, 800, 200), project="甲", on=DAY)
    rows = {row.id: row for row in impact(poor, site(600, 100, 700, 200, use="0803"))}
    assert rows["dev_boundary"].area_m2 is None
    assert rows["reservations"].area_m2 == pytest.approx(geod_m2((600, 100, 700, 200)), abs=0.01)


def test_a_plan_can_be_let_go_with_all_that_was_measured_of_it(own: Plan) -> None:
    import gc
    import weakref

    plan = load_plan(own.root)
    reserve(plan, site(600, 100, 800, 200), project="甲", on=DAY)
    assert budgets(plan)
    alive = weakref.ref(plan)
    del plan
    gc.collect()
    assert alive() is None


# --- adding up ------------------------------------------------------------------------------------


def test_kinds_and_zones_of_the_bundled_plan_add_up(plan: Plan) -> None:
    for budget in budgets(plan):
        if not budget.by_zone:
            continue
        assert [z.zone for z in budget.by_zone if z.zone is None] == []  # the zones cover it all
        for key in ("total_m2", "reserved_m2", "unknown_m2", "free_m2"):
            parts = math.fsum(getattr(z.amounts, key) for z in budget.by_zone)
            assert parts == pytest.approx(getattr(budget.amounts, key), abs=0.01), budget.id
    boundary = [b for b in budgets(plan) if b.kind == "dev_boundary"]
    kinds = math.fsum(b.amounts.total_m2 for b in boundary)
    whole = plan.area_of("dev_boundary").ellipsoidal_m2
    assert kinds == pytest.approx(whole, abs=0.01)
    for budget in boundary:
        used = math.fsum(z.amounts.used_m2 for z in budget.by_zone)
        assert used == pytest.approx(budget.amounts.used_m2, abs=0.01)


def test_printed_numbers_add_up_as_printed(plan: Plan) -> None:
    parts = ("used_m2", "reserved_m2", "unknown_m2", "free_m2")
    for row in budget_rows(plan):
        for key in ("total_m2", *parts) if row["by_zone"] else ():
            column = [z[key] for z in row["by_zone"]]
            if None not in column:
                assert round(math.fsum(column), 2) == row[key], (row["id"], key)
        for printed in (row, *row["by_zone"]):
            if printed["free_m2"] is not None:
                given = [printed[key] for key in parts if printed[key] is not None]
                assert round(math.fsum(given), 2) == printed["total_m2"], row["id"]


def test_used_and_free_agree_with_a_plain_overlay(plan: Plan) -> None:
    # Independent: every land-use polygon cut with shapely, areas by pyproj.Geod; zone Z3 only.
    frame = plan.layer("landuse").frame
    dev = plan.layer("dev_boundary").frame
    zones = plan.layer("zones").frame
    region = dev[dev.cls == "410"].union_all() & zones[zones.cls == "Z3"].union_all()
    built = frame[frame.cls.str[:2].isin(["05", "06", "07", "08", "09"])]
    also = frame[frame.cls.isin(["1001", "1003", "1004", "1005", "1109"])]
    used = 0.0
    for part in (built, also):
        cut = part.intersection(region)
        used += sum(
            geod_m2(s) for s in cut if s.geom_type in {"Polygon", "MultiPolygon"} and s.area
        )
    zone = {z.zone: z for z in by_id(plan)["dev_boundary:410"].by_zone}["Z3"]
    assert zone.amounts.used_m2 == pytest.approx(used, abs=0.5)
    assert zone.amounts.total_m2 == pytest.approx(geod_m2(region), abs=0.05)


corners = st.tuples(
    st.floats(-100, 1900), st.floats(-100, 900), st.floats(20, 900), st.floats(20, 900)
)


@settings(max_examples=40)
@given(corners)
def test_what_a_polygon_covers_is_used_unknown_or_open(scarce: Plan, box) -> None:
    west, south, width, height = box
    shape = site(west, south, west + width, south + height).geometry
    ledger = ledger_of(scarce)
    probe = Probe(ledger, shape)
    for account in ledger.accounts:
        land = probe.measure(account)
        parts = land.used_m2 + land.unclassed_m2 + land.open_m2
        assert parts == pytest.approx(land.covered_m2, abs=1e-6)
        whole = account.land.covered_m2 if account.land else math.inf
        assert land.covered_m2 <= whole + 0.01
    resort = shapely.box(EAST, NORTH, EAST + 2000, NORTH + 1000)
    beyond = geod_m2(shape) - (geod_m2(shape & resort) if shape.intersects(resort) else 0.0)
    assert probe.measure(ledger.accounts[0]).beyond_m2 == pytest.approx(beyond, abs=0.01)


@settings(max_examples=25)
@given(st.floats(0, 1), st.floats(0, 1), st.floats(100, 1500))
def test_a_polygon_is_divided_without_rest_by_any_cut(plan: Plan, u, v, size) -> None:
    west, south, east, north = plan.layer("core").index.union.bounds
    x, y = west + u * (east - west), south + v * (north - south)
    shape = shapely.Point(x, y).buffer(size / 2, quad_segs=5)
    ledger = ledger_of(plan)
    halves = [shape & shapely.box(x - size, y - size, x, y + size)]
    halves.append(shape & shapely.box(x, y - size, x + size, y + size))
    for account in ledger.accounts:
        whole = Probe(ledger, shape).measure(account)
        parts = [Probe(ledger, half).measure(account) for half in halves]
        for key in ("covered_m2", "used_m2", "unclassed_m2", "beyond_m2", "inside_m2"):
            total = math.fsum(getattr(p, key) for p in parts)
            assert total == pytest.approx(getattr(whole, key), abs=0.01), (account.id, key)
