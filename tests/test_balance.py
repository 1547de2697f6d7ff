"""The land balance: unions, zones, adding up, shares with their range, exports.

Expected areas are computed with plain shapely (unions and intersections in the work CRS) and
``pyproj.Geod`` on edges densified to 10 m; small cases are squares that can be added up by hand.
"""

from __future__ import annotations

import csv
import math
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import geopandas
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod, Transformer
from shapely import box

from gis.engine.index import LayerIndex
from gis.errors import ClaimError, NotFoundError
from gis.model import LayerInfo, LayerState
from gis.plan import LandBalance, Plan
from gis.plan.balance import land_balance
from gis.plan.catalogue import Layer

X, Y = 408_000.0, 4_030_000.0  # EPSG:4548, inside the resort
GEOD = Geod(ellps="GRS80")
BACK = Transformer.from_crs(4548, 4490, always_xy=True)
# Codes of 用地用海 2023: by definition B the first three are green, green and water.
GREEN, SQUARE, WATER, HOMES, ROAD, WOOD = "1401", "1403", "1701", "070102", "1207", "0301"


def geodesic_m2(shape) -> float:
    """Area on the ellipsoid, edges straight in the work CRS."""
    total = 0.0
    for part in shapely.get_parts(shapely.get_parts(shape)):
        if part.geom_type != "Polygon":
            continue
        for n, ring in enumerate([part.exterior, *part.interiors]):
            xy = shapely.get_coordinates(shapely.segmentize(ring, 10))
            m2 = abs(GEOD.polygon_area_perimeter(*BACK.transform(xy[:, 0], xy[:, 1]))[0])
            total += m2 if n == 0 else -m2
    return total


def square(x: float, y: float, width: float = 100, height: float = 100):
    return box(X + x, Y + y, X + x + width, Y + y + height)


def layer(layer_id: str, role: str, parts, **changes) -> Layer:
    """A layer of (class, polygon) pairs; zones are named after their class."""
    scheme = {"scheme": "用地用海", "edition": "2023"} if role == "planned_use" else {}
    if role == "landuse":
        scheme = {"scheme": "三调", "edition": "2019"}
    info = LayerInfo(
        layer_id, f"{layer_id}图层", role, "polygon", "2026-11", "schematic", **(scheme | changes)
    )
    index = LayerIndex(
        info,
        LayerState.CHECKED,
        ids=np.array([f"{n:05d}" for n in range(len(parts))], dtype=object),
        classes=np.array([cls for cls, _ in parts], dtype=object),
        names=np.array([f"{cls}区" if role == "zone" else None for cls, _ in parts], dtype=object),
        half_widths=np.zeros(len(parts)),
        geometries=np.array([shape for _, shape in parts], dtype=object),
    )
    return Layer(info, index, Path("none"), None)


def small(plan: Plan, use, zones=None, **changes) -> Plan:
    """A plan of a land-class layer and, unless None, of zones."""
    layers = {"use": layer("use", "planned_use", use, **changes)}
    if zones is not None:
        layers["zones"] = layer("zones", "zone", zones)
    return replace(plan, layers=layers, file=plan.file.model_copy(update={"stated": ()}))


def without_data(plan: Plan, layer_id: str, reason: str = "数据文件不存在") -> Plan:
    old = plan.layers[layer_id]
    index = LayerIndex(old.info, LayerState.NO_DATA, reason)
    return replace(plan, layers={**plan.layers, layer_id: replace(old, index=index)})


def areas(balance: LandBalance) -> dict[str, float]:
    return {row.cls: row.area_m2 for row in balance.rows}


def total_m2(balance: LandBalance) -> float:
    return (
        math.fsum(row.area_m2 for row in balance.rows) + balance.uncovered_m2 - balance.overlap_m2
    )


# --- small cases, by hand ------------------------------------------------------------------------


def test_two_neighbours_share_an_edge_and_make_the_whole(plan: Plan) -> None:
    use = [(GREEN, square(0, 0)), (HOMES, square(100, 0, 300))]
    balance = small(plan, use).land_balance(square(0, 0, 400))
    assert [row.cls for row in balance.rows] == [HOMES, GREEN]
    assert areas(balance)[GREEN] == pytest.approx(geodesic_m2(square(0, 0)), abs=1e-6)
    assert balance.green_water_share == pytest.approx(0.25, abs=1e-6)
    assert (balance.uncovered_m2, balance.overlap_m2, balance.repeated_m2) == (0, 0, 0)


def test_a_feature_that_only_touches_the_area_is_not_in_it(plan: Plan) -> None:
    use = [(GREEN, square(0, 0)), (WATER, square(100, 0)), (ROAD, square(100, 100))]
    balance = small(plan, use).land_balance(square(0, 0))
    assert [row.cls for row in balance.rows] == [GREEN]
    assert balance.green_water_share == pytest.approx(1, abs=1e-9)


def test_holes_and_several_parts_are_measured_as_drawn(plan: Plan) -> None:
    ring = square(0, 0, 300, 300) - square(100, 100)
    two = shapely.union_all([square(110, 110, 20, 20), square(150, 150, 30, 30)])
    balance = small(plan, [(HOMES, ring), (WATER, two)]).land_balance(square(0, 0, 300, 300))
    assert areas(balance)[HOMES] == pytest.approx(geodesic_m2(ring), abs=1e-5)
    assert areas(balance)[WATER] == pytest.approx(geodesic_m2(two), abs=1e-5)
    assert balance.uncovered_m2 == pytest.approx(geodesic_m2(square(100, 100) - two), abs=1e-5)


def test_a_sliver_between_parcels_is_measured_and_never_counted(plan: Plan) -> None:
    use = [(GREEN, square(0, 0, 100)), (GREEN, square(100.02, 0, 99.98))]
    balance = small(plan, use).land_balance(square(0, 0, 200))
    assert balance.uncovered_m2 == pytest.approx(2.0, abs=1e-3)  # 0.02 m x 100 m
    assert not balance.share_range.is_exact
    assert balance.share_range.high == pytest.approx(1, abs=1e-9)


def test_green_over_water_counts_once_in_their_sum(plan: Plan) -> None:
    # A park of 100 x 100 m with a lake of 60 x 50 m drawn over it.
    use = [(GREEN, square(0, 0)), (WATER, square(20, 20, 60, 50))]
    balance = small(plan, use).land_balance(square(0, 0, 200))
    unit = geodesic_m2(square(0, 0)) / 10_000
    assert balance.green_m2 == pytest.approx(10_000 * unit, abs=0.01)
    assert balance.water_m2 == pytest.approx(3_000 * unit, abs=0.01)
    assert balance.green_water_m2 == pytest.approx(10_000 * unit, abs=0.01)
    assert balance.overlap_m2 == pytest.approx(3_000 * unit, abs=0.01)
    assert balance.green_water_share == pytest.approx(0.5, abs=1e-6)
    document = balance.to_dict()
    assert document["counted_twice_m2"] == pytest.approx(3_000 * unit, abs=0.02)
    assert [row["kind"] for row in document["rest"]] == ["uncovered", "overlap"]
    assert document["rest"][1]["area_m2"] == -document["overlap_m2"]


def test_two_features_of_one_class_on_one_place_count_once_and_are_told(plan: Plan) -> None:
    use = [(GREEN, square(0, 0)), (GREEN, square(50, 0)), (GREEN, square(50, 0))]
    balance = small(plan, use).land_balance(square(0, 0, 150))
    unit = geodesic_m2(square(0, 0)) / 10_000
    assert areas(balance)[GREEN] == pytest.approx(15_000 * unit, abs=0.01)
    assert balance.overlap_m2 == 0
    # 50 x 100 m lie under all three, another 50 x 100 m under two.
    assert balance.repeated_m2 == pytest.approx((2 + 1) * 5_000 * unit, abs=0.01)


def test_three_classes_on_one_place_are_counted_twice_too_often(plan: Plan) -> None:
    use = [(cls, square(0, 0)) for cls in (GREEN, WATER, HOMES)]
    balance = small(plan, use).land_balance(square(0, 0))
    assert balance.overlap_m2 == pytest.approx(2 * balance.denominator_m2, abs=0.01)
    assert total_m2(balance) == pytest.approx(balance.denominator_m2, abs=0.01)


def test_a_feature_inside_another_is_found_although_no_edges_cross(plan: Plan) -> None:
    use = [(HOMES, square(0, 0, 300, 300)), (ROAD, square(100, 100, 10, 10))]
    balance = small(plan, use).land_balance(square(0, 0, 300, 300))
    assert balance.overlap_m2 == pytest.approx(geodesic_m2(square(100, 100, 10, 10)), abs=1e-5)


def test_an_empty_layer_says_nothing_about_any_land(plan: Plan) -> None:
    balance = small(plan, []).land_balance(square(0, 0))
    assert balance.rows == ()
    assert balance.green_water_share is None
    assert balance.uncovered_m2 == pytest.approx(balance.denominator_m2, abs=1e-6)


def test_an_area_that_the_layer_does_not_reach_has_no_share_and_no_zero(plan: Plan) -> None:
    balance = small(plan, [(GREEN, square(0, 0))]).land_balance(square(500, 0))
    assert balance.green_water_share is None
    document = balance.to_dict()
    assert (document["green_water_share"], document["green_m2"]) == (None, None)
    assert document["share_range"] == {"min": 0.0, "max": 1.0}
    assert "无法确定" in balance.sentence
    assert "0.00%" not in balance.sentence


def test_a_share_of_an_area_that_is_covered_in_part_is_the_least(plan: Plan) -> None:
    # Green 1/4, homes 1/4, nothing known of the other half.
    use = [(GREEN, square(0, 0)), (HOMES, square(100, 0))]
    balance = small(plan, use).land_balance(square(0, 0, 400))
    assert balance.share_range.low == pytest.approx(0.25, abs=1e-6)
    assert balance.share_range.high == pytest.approx(0.75, abs=1e-6)
    assert balance.to_dict()["share_is_lower_bound"]
    # 0.2499 or 0.2500: the least is never rounded up, the most never down.
    assert "不低于 25.00%" in balance.sentence or "不低于 24.99%" in balance.sentence
    assert "不高于 75.00%" in balance.sentence or "不高于 75.01%" in balance.sentence


def test_an_unknown_code_is_shown_and_may_be_anything(plan: Plan) -> None:
    # 1499 begins like the green classes and is no class of the edition.
    use = [("1499", square(0, 0)), (None, square(100, 0)), (GREEN, square(200, 0, 200))]
    balance = small(plan, use).land_balance(square(0, 0, 400))
    names = {row.cls: (row.name, row.counted_as) for row in balance.rows}
    assert names["1499"] == ("编码不在分类表中", "")
    assert names[""] == ("未填编码", "")
    assert balance.green_water_share == pytest.approx(0.5, abs=1e-6)
    assert balance.share_range.high == pytest.approx(1.0, abs=1e-6)
    assert balance.share_range.unknown_m2 == pytest.approx(balance.denominator_m2 / 2, rel=1e-6)


def test_every_definition_counts_what_it_says(plan: Plan) -> None:
    # Six squares: park, square, river, wood, homes, road; definitions by hand.
    parts = [GREEN, SQUARE, WATER, WOOD, HOMES, ROAD]
    use = [(cls, square(100 * n, 0)) for n, cls in enumerate(parts)]
    poor = small(plan, use)
    by_letter = {d.id: d for d in poor.land_balance(square(0, 0, 600)).definitions}
    for letter, sixths in {"A": 2, "B": 3, "C": 4}.items():
        assert by_letter[letter].share == pytest.approx(sixths / 6, abs=1e-6)
        own = poor.land_balance(square(0, 0, 600), definition=letter.lower())
        assert own.green_water_share == by_letter[letter].share
    assert by_letter["D"].share is None
    assert by_letter["D"].layer is None
    assert "三调" in by_letter["D"].reason


def test_sensitivity_turns_each_doubtful_group_round(plan: Plan) -> None:
    parts = [GREEN, SQUARE, WATER, WOOD, HOMES, ROAD]
    use = [(cls, square(100 * n, 0)) for n, cls in enumerate(parts)]
    balance = small(plan, use).land_balance(square(0, 0, 600))
    groups = {s.id: s for s in balance.sensitivity}
    assert set(groups) == {"squares", "woods"}
    assert (groups["squares"].counted, groups["woods"].counted) == (True, False)
    assert groups["squares"].other_share == pytest.approx(2 / 6, abs=1e-6)
    assert groups["squares"].difference == pytest.approx(-1 / 6, abs=1e-6)
    assert groups["woods"].other_share == pytest.approx(4 / 6, abs=1e-6)
    assert groups["woods"].area_m2 == pytest.approx(geodesic_m2(square(300, 0)), abs=1e-5)


def test_sensitivity_of_land_that_counts_anyway_moves_nothing(plan: Plan) -> None:
    use = [(GREEN, square(0, 0)), (SQUARE, square(0, 0))]
    (group,) = small(plan, use).land_balance(square(0, 0, 200)).sensitivity
    assert group.area_m2 == pytest.approx(geodesic_m2(square(0, 0)), abs=1e-5)
    assert group.difference == 0


def test_a_definition_whose_layer_is_missing_is_refused_with_the_reason(plan: Plan) -> None:
    poor = small(plan, [(GREEN, square(0, 0))])
    with pytest.raises(NotFoundError, match="三调"):
        poor.land_balance(square(0, 0), definition="D")
    with pytest.raises(NotFoundError, match=r"use图层.*数据文件不存在"):
        without_data(poor, "use").land_balance(square(0, 0))


def test_what_is_planned_is_never_taken_from_what_is_there_now(plan: Plan) -> None:
    now = layer("now", "landuse", [(HOMES, square(0, 0))], scheme="用地用海", edition="2023")
    farm = layer("farm", "farmland", [("0101", square(0, 0))], scheme="三调", edition="2019")
    survey = layer("survey", "landuse", [("0301", square(0, 0))])
    use = layer("use", "planned_use", [(GREEN, square(0, 0))])
    made = small(plan, [])
    full = replace(made, layers={x.info.id: x for x in (farm, now, survey, use)})
    planned = full.land_balance(square(0, 0), definition="B")
    assert (planned.layer, planned.green_water_share) == ("use", 1.0)
    current = full.land_balance(square(0, 0), definition="D")
    assert (current.layer, current.green_water_share) == ("survey", 1.0)
    # A planned layer without data is not replaced by the current one.
    with pytest.raises(NotFoundError, match="use图层"):
        without_data(full, "use").land_balance(square(0, 0), definition="B")
    # Where nothing is planned, the current land is measured, and named.
    poor = replace(made, layers={"now": now})
    assert poor.land_balance(square(0, 0), definition="B").layer == "now"
    # Farmland alone is no table of land use.
    with pytest.raises(NotFoundError):
        replace(made, layers={"farm": farm}).land_balance(square(0, 0), definition="D")


def test_wetland_named_by_its_first_level_code_counts_like_its_classes(plan: Plan) -> None:
    made = small(plan, [("05", square(0, 0)), (HOMES, square(100, 0))])
    wanted = square(0, 0, 200)
    assert made.land_balance(wanted, definition="C").green_water_share == pytest.approx(0.5)
    (wet,) = made.land_balance(wanted, definition="B").sensitivity
    assert (wet.id, wet.counted, wet.other_share) == ("wetlands", False, pytest.approx(0.5))


def test_the_classes_that_count_print_the_share_of_the_sentence(plan: Plan) -> None:
    # By hand, of 10,000 m²: green 2,033.3, water 3,033.3, homes 4,933.4. Together 50.666 %, printed
    # 50.67 %, although the homes have the largest remainder.
    parts = [
        (GREEN, square(0, 0, 20.333)),
        (WATER, square(20.333, 0, 30.333)),
        (HOMES, square(50.666, 0, 49.334)),
    ]
    balance = small(plan, parts).land_balance(square(0, 0))
    counted = [row.percent for row in balance.printed.rows if row.row.counted_as]
    assert math.fsum(counted) == pytest.approx(50.67, abs=1e-9)
    assert " 50.67%" in balance.sentence


def test_zones_that_are_left_out_of_the_table_are_named(plan: Plan) -> None:
    made = small(plan, [(GREEN, square(0, 0))], [("Z1", square(0, 0))])
    more = replace(made, layers={**made.layers, "z2": layer("z2", "zone", [("A", square(0, 0))])})
    assert "z2图层" in more.land_balance(square(0, 0)).to_dict()["zones_note"]


def test_a_zone_with_an_empty_class_has_its_own_share_and_not_that_of_the_land_outside(
    plan: Plan,
) -> None:
    made = small(plan, [(GREEN, square(0, 0)), (HOMES, square(100, 0))], [("", square(0, 0))])
    zones = made.land_balance(square(0, 0, 200)).to_dict()["zones"]
    shares = {c["kind"]: c["green_water_share"] for c in zones["columns"]}
    assert shares == {"zone": 1.0, "outside": 0.0}


def test_another_name_of_the_scheme_is_the_same_scheme(plan: Plan) -> None:
    named = small(plan, [(GREEN, square(0, 0))], scheme="国土空间用地用海分类", edition="2023版")
    assert named.land_balance(square(0, 0)).green_water_share == pytest.approx(1, abs=1e-9)


def test_the_three_major_classes_add_up_with_the_printed_classes(plan: Plan) -> None:
    document = plan.land_balance("resort", definition="D").to_dict()
    majors = {m["label"]: m for m in document["majors"]}
    assert list(majors)[:3] == ["农用地", "建设用地", "未利用地"]
    for key in ("area_m2", "ha", "mu", "percent"):
        assert decimals(m[key] for m in majors.values()) == decimals(
            c[key] for c in document["classes"]
        )
    # GB/T 21010-2017, annex: 0404 is 未利用地 and doubtful; fields are 农用地, homes 建设用地.
    assert {"0102", "0103"} <= set(majors["农用地"]["classes"])
    assert {"0701", "0702"} <= set(majors["建设用地"]["classes"])
    assert "0404" in majors["未利用地"]["classes"]
    assert any("0404" in note for note in majors["未利用地"]["notes"])


def test_an_unknown_code_is_in_none_of_the_major_classes(plan: Plan) -> None:
    use = [("1499", square(0, 0)), (None, square(100, 0))]
    (row,) = small(plan, use).land_balance(square(0, 0, 200)).to_dict()["majors"]
    assert (row["label"], row["classes"]) == ("未分类", ["", "1499"])


# --- zones ---------------------------------------------------------------------------------------


def test_classes_by_zones_by_hand(plan: Plan) -> None:
    # Park on the left, homes on the right; zone A below, B above, 50 m on top in none.
    use = [(GREEN, square(0, 0, 100, 250)), (HOMES, square(100, 0, 100, 250))]
    zones = [("A", square(0, 0, 200, 100)), ("B", square(0, 100, 200, 100))]
    balance = small(plan, use, zones).land_balance(square(0, 0, 200, 250))
    unit = geodesic_m2(square(0, 0)) / 10_000
    assert [c.kind for c in balance.matrix.columns] == ["zone", "zone", "outside"]
    for row in balance.matrix.cells:
        assert row == pytest.approx([10_000 * unit, 10_000 * unit, 5_000 * unit], abs=0.01)
    share = balance.share_in("A")
    assert share is not None
    assert share.low == pytest.approx(0.5, abs=1e-6)
    assert balance.to_dict()["zones"]["columns"][2]["name"] == "不在功能区内"


def test_land_in_two_zones_is_deducted_once(plan: Plan) -> None:
    zones = [("A", square(0, 0, 120)), ("B", square(100, 0, 100))]
    balance = small(plan, [(GREEN, square(0, 0, 200))], zones).land_balance(square(0, 0, 200))
    unit = geodesic_m2(square(0, 0)) / 10_000
    assert [c.kind for c in balance.matrix.columns] == ["zone", "zone", "overlap"]
    (row,) = balance.matrix.cells
    assert row == pytest.approx([12_000 * unit, 10_000 * unit, -2_000 * unit], abs=0.01)


def test_land_claimed_twice_in_two_zones_still_adds_up(plan: Plan) -> None:
    use = [(GREEN, square(0, 0, 200)), (WATER, square(90, 10, 30, 30))]
    zones = [("A", square(0, 0, 120)), ("B", square(100, 0, 150))]
    balance = small(plan, use, zones).land_balance(square(0, 0, 300))
    total = math.fsum(v for row in balance.matrix.cells for v in row)
    assert total == pytest.approx(balance.denominator_m2, abs=0.01)
    assert [r.kind for r in balance.matrix.rows] == ["class", "class", "uncovered", "overlap"]


def test_a_strip_of_noise_outside_the_zones_gets_no_column(plan: Plan) -> None:
    zones = [("A", square(0, 0, 100, 99.9999))]  # 0.0001 m x 100 m = 0.01 m²
    balance = small(plan, [(GREEN, square(0, 0))], zones).land_balance(square(0, 0))
    assert [c.kind for c in balance.matrix.columns] == ["zone"]
    assert balance.printed.rows[0].total_ha == 1.0


def test_a_plan_without_zones_has_no_table_by_zone(plan: Plan) -> None:
    balance = small(plan, [(GREEN, square(0, 0))]).land_balance(square(0, 0))
    document = balance.to_dict()
    assert document["zones"] is None
    assert "没有功能区图层" in document["zones_note"]
    assert list(balance.table().columns) == ["合计"]


def test_zones_without_data_are_said(plan: Plan) -> None:
    poor = without_data(small(plan, [(GREEN, square(0, 0))], [("A", square(0, 0))]), "zones")
    document = poor.land_balance(square(0, 0)).to_dict()
    assert document["zones"] is None
    assert "数据文件不存在" in document["zones_note"]


def test_an_area_outside_all_zones_has_one_column(plan: Plan) -> None:
    poor = small(plan, [(GREEN, square(0, 0))], [("A", square(900, 0))])
    document = poor.land_balance(square(0, 0)).to_dict()
    assert [c["kind"] for c in document["zones"]["columns"]] == ["outside"]


# --- adding up -----------------------------------------------------------------------------------


def decimals(values) -> Decimal:
    return sum((Decimal(repr(v)) for v in values), Decimal(0))


def assert_adds_up(balance: LandBalance) -> None:
    """Classes to zones to total: within 0.01 m² unrounded, and exactly as printed."""
    whole = balance.denominator_m2
    assert total_m2(balance) == pytest.approx(whole, abs=0.01)
    cells = balance.matrix.cells
    assert math.fsum(v for row in cells for v in row) == pytest.approx(whole, abs=0.01)
    for row, line in zip(balance.matrix.rows, cells, strict=True):
        if row.kind == "class":
            assert math.fsum(line) == pytest.approx(areas(balance)[row.cls], abs=0.01)
    document = balance.to_dict()
    rows = [*document["classes"], *document["rest"]]
    for key, printed in (("area_m2", round(whole, 2)), ("ha", round(whole / 1e4, 2))):
        assert decimals(r[key] for r in rows) == Decimal(repr(document["total"][key]))
        assert document["total"][key] == printed
    assert decimals(r["mu"] for r in rows) == Decimal(repr(document["total"]["mu"]))
    assert decimals(r["percent"] for r in rows) == 100
    if document["zones"]:
        assert_table_adds_up(document)


def assert_table_adds_up(document) -> None:
    table = document["zones"]
    by_class = {(c["class"], c["name"]): c for c in document["classes"]}
    for cells, column, total in (
        ("cells_m2", "area_m2", "total_m2"),
        ("cells_ha", "ha", "total_ha"),
    ):
        for row in table["rows"]:
            assert decimals(row[cells]) == Decimal(repr(row[total]))
            if row["kind"] == "class":
                assert by_class[row["class"], row["name"]][column] == row[total]
        for n, head in enumerate(table["columns"]):
            own = decimals(row[cells][n] for row in table["rows"])
            assert own == Decimal(repr(head[column]))
        assert decimals(c[column] for c in table["columns"]) == Decimal(repr(table[total]))


@pytest.mark.parametrize(
    ("area", "definition"),
    [("core", "B"), ("core", "D"), ("resort", "D"), ("resort", "B"), ("approval", "A"), ("Z1", "B"),
     ("Z4", "D"), ("371502XX1", "C"), ("dev_boundary", "D")],
)  # fmt: skip
def test_the_bundled_plan_adds_up(plan: Plan, area: str, definition: str) -> None:
    assert_adds_up(plan.land_balance(area, definition=definition))


def test_classes_by_zones_of_the_core_are_those_of_another_overlay(plan: Plan) -> None:
    # geopandas.overlay of the two layers, then the geodesic area of each dissolved cell.
    use, zones = plan.layers["planned_use"].frame, plan.layers["zones"].frame
    cut = geopandas.overlay(
        use[["cls", "geometry"]], zones[["cls", "geometry"]], keep_geom_type=True
    )
    cut["m2"] = [geodesic_m2(shape) for shape in cut.geometry]
    expected = cut.groupby(["cls_1", "cls_2"])["m2"].sum().to_dict()
    frame = plan.land_balance("core").to_frame()
    found = {(r["class"], r["zone"]): r["area_m2"] for r in frame.to_dict("records")}
    assert set(found) == {key for key, m2 in expected.items() if m2 > 1e-6}
    for key, m2 in found.items():
        assert m2 == pytest.approx(expected[key], abs=0.01)


def random_cells(rng, count: int, around):
    """Cells of a Voronoi diagram over more than a box, clipped to its surroundings."""
    west, south, east, north = around.bounds
    points = shapely.MultiPoint(rng.uniform((west, south), (east, north), (count, 2)))
    diagram = shapely.voronoi_polygons(points, extend_to=around)
    return list(shapely.intersection(shapely.get_parts(diagram), around))


@st.composite
def coverages(draw):
    """Random cells with random classes, some missing, some grown over their neighbours; zones."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    side = draw(st.sampled_from([60.0, 900.0, 6_000.0]))
    ground = square(0, 0, side, side)
    codes = draw(st.lists(st.sampled_from([GREEN, SQUARE, WATER, HOMES, ROAD, "1499", None]),
                          min_size=2, max_size=7))  # fmt: skip
    cells = random_cells(rng, draw(st.integers(3, 40)), ground)
    use = [(codes[rng.integers(len(codes))], cell) for cell in cells]
    grown = draw(st.sampled_from([0, 0, 1, 3]))
    for n in rng.choice(len(use), min(grown, len(use)), replace=False):
        use[n] = (use[n][0], shapely.intersection(use[n][1].buffer(side / 40), ground))
    use = use[draw(st.sampled_from([0, 0, 2])) :]
    zones = [(f"Z{n}", z) for n, z in enumerate(random_cells(rng, draw(st.integers(2, 6)), ground))]
    if draw(st.booleans()):
        zones = zones[1:]
    if draw(st.integers(0, 3)) == 0:
        zones.append(("Z9", square(side / 3, side / 3, side / 3, side / 4)))
    area = draw(st.sampled_from(["all", "disc", "beyond"]))
    shapes = {
        "all": ground,
        "disc": ground.centroid.buffer(side / 3),
        "beyond": square(-side / 5, side / 6, side, side / 2),
    }
    return use, zones, shapes[area]


@settings(max_examples=120)
@given(drawn=coverages())
def test_random_coverages_add_up_and_are_those_of_plain_shapely(plan: Plan, drawn) -> None:
    use, zones, area = drawn
    poor = small(plan, use, zones)
    balance = land_balance(poor, area, "B")
    assert_adds_up(balance)
    by_class: dict[str, list] = {}
    for cls, shape in use:
        by_class.setdefault(cls or "", []).append(shape)
    unions = {cls: shapely.union_all(shapes) & area for cls, shapes in by_class.items()}
    for cls, union in unions.items():
        assert areas(balance).get(cls, 0.0) == pytest.approx(geodesic_m2(union), abs=0.01)
    covered = shapely.union_all(list(unions.values()))
    assert balance.uncovered_m2 == pytest.approx(geodesic_m2(area - covered), abs=0.01)
    twice = sum(map(geodesic_m2, unions.values())) - geodesic_m2(covered)
    assert balance.overlap_m2 == pytest.approx(twice, abs=0.02)
    counted = shapely.union_all([u for c, u in unions.items() if c in (GREEN, SQUARE, WATER)])
    assert balance.green_water_m2 == pytest.approx(geodesic_m2(counted), abs=0.01)
    cells = {(r["class"], r["zone"]): r["area_m2"] for r in balance.to_frame().to_dict("records")}
    for zone in {z for z, _ in zones}:
        ground = shapely.union_all([s for z, s in zones if z == zone])
        for cls, union in unions.items():
            expected = geodesic_m2(union & ground)
            assert cells.get((cls, zone), 0.0) == pytest.approx(expected, abs=0.01)


def test_a_layer_with_one_percent_of_overlaps_gives_unions_and_says_what_was_twice(
    plan: Plan,
) -> None:
    old = plan.layers["planned_use"]
    rng = np.random.default_rng(7)
    shapes, classes = list(old.index.geometries), list(old.index.classes)
    # Copies of some parcels, moved by 30 m, until they are 1 % of the core.
    wanted, grown = 0.01 * plan.area_of("core").planar_m2, 0.0
    while grown < wanted:
        n = int(rng.integers(len(old.index)))
        shapes.append(shapely.transform(shapes[n], lambda xy: xy + 30))
        classes.append(classes[int(rng.integers(len(old.index)))])
        grown += shapes[-1].area
    poor_layer = layer("planned_use", "planned_use", list(zip(classes, shapes, strict=True)))
    poor = replace(plan, layers={**plan.layers, "planned_use": poor_layer})
    balance = poor.land_balance("core")
    assert_adds_up(balance)
    core = plan.layers["core"].index.union
    unions = {
        cls: shapely.union_all([s for c, s in zip(classes, shapes, strict=True) if c == cls]) & core
        for cls in set(classes)
    }
    for cls, union in unions.items():
        assert areas(balance)[cls] == pytest.approx(geodesic_m2(union), abs=0.05)
    summed = math.fsum(geodesic_m2(s & core) for s in shapes)
    covered = geodesic_m2(shapely.union_all(list(unions.values())))
    found = balance.overlap_m2 + balance.repeated_m2
    assert found == pytest.approx(summed - covered, abs=0.1)
    assert found / balance.denominator_m2 == pytest.approx(0.01, rel=0.2)
    green = [u for c, u in unions.items() if c.startswith(("14", "17"))]
    expected = geodesic_m2(shapely.union_all(green)) / balance.denominator_m2
    assert balance.green_water_share == pytest.approx(expected, abs=1e-8)


def test_named_balances_are_kept_and_polygons_are_not(plan: Plan) -> None:
    assert plan.land_balance("core") is plan.land_balance(None, definition="b")
    core = plan.layers["core"].index.union
    own = plan.land_balance(core)
    assert own is not plan.land_balance(core)
    assert own.area.kind == "user"
    assert areas(own) == pytest.approx(areas(plan.land_balance("core")), abs=1e-3)


def test_the_stated_share_belongs_to_its_area_and_definition_alone(plan: Plan) -> None:
    stated = plan.land_balance("core").stated
    assert stated is not None
    assert stated.value == 0.52
    assert plan.land_balance("core", definition="A").stated is None
    assert plan.land_balance("resort").stated is None


def test_counted_and_not_counted_are_all_classes_as_printed(plan: Plan) -> None:
    document = plan.land_balance("core").to_dict()
    both = [c["class"] for c in (*document["counted"], *document["not_counted"])]
    assert sorted(both) == [c["class"] for c in document["classes"]]
    green = decimals(c["area_m2"] for c in document["counted"] if c["counted_as"] == "green")
    assert green == Decimal(repr(document["green_m2"]))
    assert decimals(c["area_m2"] for c in document["counted"]) == Decimal(
        repr(document["green_water_m2"])
    )


# --- frames and files ----------------------------------------------------------------------------


def test_the_table_is_in_hectares_with_all_totals(plan: Plan) -> None:
    table = plan.land_balance("resort", definition="D").table()
    assert list(table.columns)[-1] == list(table.index)[-1] == "合计"
    inner = table.iloc[:-1, :-1]
    assert (inner.sum(axis=1) - table.iloc[:-1, -1]).abs().max() < 1e-6
    assert (inner.sum() - table.iloc[-1, :-1]).abs().max() < 1e-6
    assert table.iloc[-1, -1] == 22_600.0


def test_the_csv_opens_in_excel_says_what_it_is_and_holds_no_formula(
    plan: Plan, tmp_path: Path
) -> None:
    use = [(GREEN, square(0, 0)), (WATER, square(50, 0))]
    zones = [("=1+1", square(0, 0, 200))]
    path = (
        small(plan, use, zones).land_balance(square(0, 0, 150)).to_csv(tmp_path / "new" / "b.csv")
    )
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(path.read_text("utf-8-sig").splitlines()))
    head = {row[0]: row[1:] for row in reversed(rows) if row}
    assert head["规划状态"][0] == "示意"
    assert head["图层现势性和状态"] == ["2026-11", "示意"]
    assert head["绿地和水域口径"][0] == "B"
    assert head["范围（分母）"][0] == "自定义范围"
    assert head["地类（公顷）"] == ["'=1+1 =1+1区", "合计", "占比 %", "计入"]
    assert head["重叠（重复计算，扣除）"][1] == "-0.50"  # a number, not neutralised
    assert head["合计"][:3] == ["1.50", "1.50", "100.00"]
    assert head["1401 公园绿地"][-1] == "绿地"


def test_the_gpkg_reads_back_with_areas_that_make_the_whole(plan: Plan, tmp_path: Path) -> None:
    balance = plan.land_balance("core")
    path = balance.to_gpkg(tmp_path / "out" / "b.gpkg")
    frame = geopandas.read_file(path, layer="land_balance")
    assert frame.crs.to_epsg() == 4548
    assert frame["area_m2"].sum() == pytest.approx(balance.denominator_m2, abs=0.01)
    assert frame.geometry.is_valid.all()
    assert set(frame.geometry.geom_type) == {"MultiPolygon"}
    for shape, m2, planar in zip(frame.geometry, frame["area_m2"], frame["planar_m2"], strict=True):
        assert geodesic_m2(shape) == pytest.approx(m2, abs=0.01)
        assert shape.area == pytest.approx(planar, abs=0.01)
    by_class = frame.groupby("class")["area_m2"].sum().to_dict()
    assert by_class == pytest.approx(areas(balance), abs=0.01)
    assert set(frame["plan_status"]) == {"示意"}
    assert set(frame["vintage"]) == {"2026-11"}
    figures = geopandas.read_file(path, layer="figures").set_index("id")
    assert figures.loc["green_water_share", "value"] == 0.52
    assert figures.loc["green_water_share_D", "value"] == pytest.approx(0.261373, abs=1e-6)
    assert "geometry" not in figures


def test_overlapping_land_is_a_polygon_of_its_own(plan: Plan, tmp_path: Path) -> None:
    use = [(GREEN, square(0, 0)), (WATER, square(50, 0))]
    balance = small(plan, use).land_balance(square(0, 0, 200))
    frame = geopandas.read_file(balance.to_gpkg(tmp_path / "b.gpkg"), layer="land_balance")
    classes = sorted(frame["class"].fillna("-"))
    assert classes == ["-", "1401", "1401、1701", "1701"]
    assert frame["area_m2"].sum() == pytest.approx(balance.denominator_m2, abs=0.01)


def test_equal_balances_give_equal_bytes(plan: Plan, tmp_path: Path) -> None:
    first, second = (land_balance(plan, "approval", "B") for _ in range(2))
    assert (
        first.to_gpkg(tmp_path / "a.gpkg").read_bytes()
        == second.to_gpkg(tmp_path / "b.gpkg").read_bytes()
    )
    assert (
        first.to_csv(tmp_path / "a.csv").read_bytes()
        == second.to_csv(tmp_path / "b.csv").read_bytes()
    )
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.csv", "a.gpkg", "b.csv", "b.gpkg"]


@pytest.mark.parametrize("secret", ["use", "zones"])
def test_a_secret_layer_gives_a_table_and_no_polygons(
    plan: Plan, tmp_path: Path, secret: str
) -> None:
    poor = small(plan, [(GREEN, square(0, 0))], [("A", square(0, 0))])
    old = poor.layers[secret]
    info = replace(old.info, secrecy="internal")
    hidden = replace(old, info=info, index=replace(old.index, info=info))
    balance = replace(poor, layers={**poor.layers, secret: hidden}).land_balance(square(0, 0))
    with pytest.raises(ClaimError, match=r"internal.*public"):
        balance.to_gpkg(tmp_path / "b.gpkg")
    assert not list(tmp_path.iterdir())
    assert balance.to_gpkg(tmp_path / "b.gpkg", ceiling="internal").exists()
    assert balance.to_csv(tmp_path / "b.csv").exists()


def test_the_outline_of_a_secret_area_is_not_written(plan: Plan, tmp_path: Path) -> None:
    old = plan.layers["core"]
    info = replace(old.info, secrecy="restricted")
    hidden = replace(old, info=info, index=replace(old.index, info=info))
    balance = replace(plan, layers={**plan.layers, "core": hidden}).land_balance("core")
    with pytest.raises(ClaimError, match="规划核心区"):
        balance.to_gpkg(tmp_path / "b.gpkg", ceiling="internal")


def test_an_unknown_ceiling_is_refused(plan: Plan, tmp_path: Path) -> None:
    with pytest.raises(ClaimError, match="typo"):
        plan.land_balance("core").to_gpkg(tmp_path / "b.gpkg", ceiling="typo")
