"""The land balance on the plan map: what it says, and that it adds up as printed.

Small cases are squares that can be added up by hand; the bundled plan is compared with areas from
``pyproj.Geod`` on its parcels, edges densified to 10 m.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from land_cards import (
    GREEN,
    HOMES,
    ROAD,
    SCHOOL,
    SQUARE,
    WATER,
    assert_adds_up,
    card,
    html,
    number,
    small,
    square,
    total,
    with_core,
    words,
)
from pyproj import Geod, Transformer

from gis.engine.index import LayerIndex
from gis.model import LayerState
from gis.output.maps.balance_card import _ink
from gis.output.maps.plan_card import land_sections
from gis.plan import Plan
from gis.rulebook import land_classes


@pytest.fixture(scope="module")
def bundled(plan: Plan) -> dict[str, Any]:
    return land_sections(plan)


@pytest.fixture(scope="module")
def page(bundled) -> str:
    return html(bundled)


# --- the land balance ----------------------------------------------------------------------------


def test_the_sentence_names_share_definition_denominator_layer_and_date(page):
    text = words(page)
    for wanted in ("规划核心区绿地和水域占比 52.00%", "口径 B：规划口径", "分母 3,830.00 公顷",
                   "核心区规划用地", "2026-11，示意"):  # fmt: skip
        assert wanted in text, wanted


def test_first_level_areas_agree_with_a_geodesic_computation(plan: Plan, bundled):
    geod, back = Geod(ellps="GRS80"), Transformer.from_crs(4548, 4490, always_xy=True)
    areas: dict[str, float] = defaultdict(float)
    frame = plan.layer("planned_use").frame
    for cls, shape in zip(frame["cls"], frame.geometry, strict=True):
        for part in shapely.get_parts(shape):
            for n, ring in enumerate([part.exterior, *part.interiors]):
                xy = shapely.get_coordinates(shapely.segmentize(ring, 10))
                m2 = abs(geod.polygon_area_perimeter(*back.transform(xy[:, 0], xy[:, 1]))[0])
                areas[cls[:2]] += m2 if n == 0 else -m2
    shown = {g["code"]: number(g["ha"]) for g in bundled["balance"]["groups"]}
    assert shown.keys() == areas.keys()
    for code, m2 in areas.items():
        # Several printed classes make a group, each rounded by less than 0.01 ha.
        assert abs(float(shown[code]) - m2 / 10_000) < 0.05, code


def test_the_bundled_balance_adds_up_as_printed(bundled):
    assert_adds_up(bundled["balance"])
    groups, classes = bundled["balance"]["groups"], bundled["balance"]["classes"]
    for group in groups:
        own = [row for row in classes if row["code"].startswith(group["code"])]
        assert total(own, "ha") == number(group["ha"])
        assert total(own, "percent") == number(group["percent"])


def test_the_numbers_stand_in_the_page_as_they_are_in_the_card(page, bundled):
    text = words(page)
    for row in (*bundled["balance"]["groups"], *bundled["balance"]["classes"]):
        assert f"{row['code']} {row['name']}" in text
        assert f" {row['ha']} " in text
    for head in bundled["balance"]["zones"]["heads"]:
        assert f"{head['id']} {head['name']}" in text


def test_the_bar_shows_green_then_water_then_the_rest_in_the_colours_of_the_classes(plan: Plan):
    use = [(HOMES, square(0, 0)), (GREEN, square(100, 0)), (WATER, square(200, 0, 200))]
    shown = card(plan, use, square(0, 0, 400))
    assert [(p["code"], p["kind"]) for p in shown["bar"]] == [
        ("14", "green"), ("17", "water"), ("07", ""),
    ]  # fmt: skip
    assert [round(float(p["width"])) for p in shown["bar"]] == [25, 50, 25]
    assert float(shown["bracket"]["width"]) == pytest.approx(75, abs=0.01)
    red, green, blue = land_classes.uses().colour("17")
    assert shown["bar"][1]["colour"] == f"#{red:02x}{green:02x}{blue:02x}"
    assert [p["label"] for p in shown["bar"]] == ["14", "17", "07"]


def test_a_class_that_counts_in_part_says_how_much_and_is_drawn_in_two_pieces(plan: Plan):
    # Definition A counts parks and not squares, which are both of class 14.
    use = [(GREEN, square(0, 0, 300)), (SQUARE, square(300, 0))]
    shown = card(plan, use, square(0, 0, 400), definition="A")
    (group,) = shown["groups"]
    assert (group["counted"], group["kind"]) == ("部分", "")
    assert group["part"] == "其中计入绿地 3.00"
    assert [(p["code"], p["kind"]) for p in shown["bar"]] == [("14", "green"), ("14", "")]
    assert float(shown["bracket"]["width"]) == pytest.approx(75, abs=0.01)


def test_land_without_data_has_its_own_row_and_pattern_and_makes_the_share_a_lower_bound(
    plan: Plan,
):
    # 2 of 3 ha are green, of the third nothing is known: the share must not be rounded up to 66.67.
    shown = card(plan, [(GREEN, square(0, 0, 200))], square(0, 0, 300))
    assert shown["head"].endswith("占比不低于 66.66%")
    assert shown["bracket"]["share"] == "不低于 66.66%"
    (row,) = shown["remainder"]
    assert (row["kind"], row["name"]) == ("uncovered", "图层未覆盖")
    assert number(row["percent"]) == Decimal("33.33")
    bare = shown["bar"][-1]
    assert (bare["colour"], bare["kind"], bare["label"]) == ("", "", "")
    text = words(html({"balance": shown}))
    assert "图层未覆盖 1.00 公顷，不计为任何地类" in text
    assert "口径 B 本表采用 不低于 66.66%" in text
    assert_adds_up(shown)


def test_land_that_is_claimed_twice_is_deducted_and_counted_once(plan: Plan):
    use = [(GREEN, square(0, 0)), (WATER, square(50, 0))]
    shown = card(plan, use, square(0, 0, 150))
    (row,) = shown["remainder"]
    assert (row["kind"], row["ha"]) == ("overlap", "-0.50")
    assert number(row["percent"]) < 0
    assert shown["bracket"]["share"] == " 100.00%"
    assert "不同地类重叠 0.50 公顷" in words(html({"balance": shown}))
    assert sum(float(p["width"]) for p in shown["bar"]) == pytest.approx(100, abs=0.01)
    assert_adds_up(shown)


def test_codes_that_the_table_lacks_are_no_class_and_take_no_colour(plan: Plan):
    use = [("9901", square(0, 0)), (None, square(100, 0)), (HOMES, square(200, 0, 200))]
    shown = card(plan, use, square(0, 0, 400))
    assert [(g["code"], g["name"], g["colour"] == "") for g in shown["groups"]] == [
        ("07", "居住用地", False), ("", "未填编码", True), ("", "编码不在分类表中", True),
    ]  # fmt: skip
    assert shown["bracket"]["share"] == "不低于 0.00%"
    assert html({"balance": shown}).count("wq-key is-bare") == 4  # by first level and in full


def test_an_area_that_the_layer_does_not_cover_has_no_share_and_no_bracket(plan: Plan):
    shown = card(plan, [(GREEN, square(0, 0))], square(500, 500))
    assert shown["bracket"] is None
    assert "没有覆盖" in shown["head"]
    text = words(html({"balance": shown}))
    assert "图层未覆盖 1.00 100.00" in text
    assert "0.00%" not in text.replace("100.00%", "")
    definitions = {d["id"]: d for d in shown["definitions"]}
    assert definitions["B"]["share"] == "无数据"
    assert "没有覆盖该范围" in definitions["B"]["reason"]


def test_a_trace_of_a_class_is_not_printed_as_nothing(plan: Plan):
    use = [(GREEN, square(0, 0, 5, 5)), (HOMES, square(0, 0, 1000, 1000) - square(0, 0, 5, 5))]
    shown = card(plan, use, square(0, 0, 1000, 1000))
    green = next(g for g in shown["groups"] if g["code"] == "14")
    assert (green["ha"], green["percent"]) == ("<0.01", "<0.01")
    assert shown["bracket"]["parts"][0]["ha"] == "<0.01"
    assert_adds_up(shown)


def test_classes_by_zone_add_up_and_land_outside_every_zone_has_a_column(plan: Plan):
    zones = [("Z1", square(0, 0, 150, 150)), ("Z2", square(150, 0, 100, 150))]
    use = [(GREEN, square(0, 0, 200, 150)), (HOMES, square(200, 0, 100, 150))]
    shown = card(plan, use, square(0, 0, 300, 150), zones)
    assert [(h["id"], h["name"]) for h in shown["zones"]["heads"]] == [
        ("Z1", "Z1区"), ("Z2", "Z2区"), ("", "不在功能区内"),
    ]  # fmt: skip
    assert_adds_up(shown)
    assert "分功能区面积" in html({"balance": shown})


def test_without_zones_there_is_no_table_by_zone_and_the_reason_is_said(plan: Plan):
    shown = card(plan, [(GREEN, square(0, 0))], square(0, 0))
    page = html({"balance": shown})
    assert shown["zones"] is None
    assert "分功能区面积" not in page
    assert "规划数据包没有功能区图层" in page


def test_every_definition_has_a_share_or_a_reason(plan: Plan, bundled):
    shares = {d["id"]: d["share"] for d in bundled["balance"]["definitions"]}
    assert shares["B"] == "52.00%"
    assert all(re.fullmatch(r"\d\d\.\d\d%", share) for share in shares.values())
    shown = card(plan, [(GREEN, square(0, 0))], square(0, 0))
    lacking = next(d for d in shown["definitions"] if d["id"] == "D")
    assert (lacking["share"], lacking["known"]) == ("无数据", False)
    assert "三调" in lacking["reason"]
    assert lacking["reason"] in html({"balance": shown})


def test_each_doubtful_class_says_what_the_other_reading_would_give(plan: Plan):
    # 1 of 4 ha is a square, 1 ha a park: 50 %, and 25 % when squares are left out.
    use = [(GREEN, square(0, 0)), (SQUARE, square(100, 0)), (HOMES, square(200, 0, 200))]
    shown = card(plan, use, square(0, 0, 400))
    (row,) = shown["sensitivity"]
    assert (row["title"], row["now"], row["ha"]) == ("广场用地", "现计入绿地", "1.00")
    assert row["other"] == "若不计入，占比 25.00%"
    assert row["points"] == "-25.00 个百分点"


def test_a_doubtful_class_in_unknown_land_keeps_the_lower_bound_and_a_tiny_one_says_so(plan: Plan):
    use = [(GREEN, square(0, 0, 500, 500)), (SQUARE, square(500, 0, 1, 1))]
    (row,) = card(plan, use, square(0, 0, 1000, 500))["sensitivity"]
    assert row["other"].startswith("若不计入，占比不低于 ")
    assert row["points"] == "变化不足 0.01 个百分点"


def test_a_plan_that_has_only_surveyed_land_is_shown_by_the_definition_that_fits(plan: Plan):
    use = [("0810", square(0, 0)), ("0810A", square(100, 0)), ("1101", square(200, 0, 200))]
    only = with_core(small(plan, use, scheme=("三调", "2019")), square(0, 0, 400))
    shown = land_sections(only)["balance"]
    assert shown["head"] == "核心绿地和水域占比 75.00%"
    assert {d["id"]: d["share"] for d in shown["definitions"] if d["known"]} == {"D": "75.00%"}
    assert next(d for d in shown["definitions"] if d["chosen"])["id"] == "D"
    # The square 0810A is no green by this definition.
    assert next(g for g in shown["groups"] if g["code"] == "08")["part"] == "其中计入绿地 1.00"


def test_a_plan_without_land_class_layer_has_no_section_about_it(plan: Plan):
    bare = small(plan, [(GREEN, square(0, 0))])
    page = html(land_sections(replace(bare, layers={})))
    for word in ("用地平衡", "稀缺用地", "遥感指标", "wq-sheet"):
        assert word not in page


def test_a_land_class_layer_without_data_is_named_with_the_reason(plan: Plan):
    bare = with_core(small(plan, []), square(0, 0))
    old = bare.layers["use"]
    index = LayerIndex(old.info, LayerState.NO_DATA, "数据文件不存在：a.shp")
    sections = land_sections(
        replace(bare, layers={**bare.layers, "use": replace(old, index=index)})
    )
    text = words(html(sections))
    assert sections["balance"] is None
    assert "用地平衡 无数据 图层“用地”无数据（数据文件不存在：a.shp）" in text
    assert "%" not in text


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([GREEN, SQUARE, WATER, HOMES, SCHOOL, ROAD, "9901", None]),
            st.integers(0, 12), st.integers(0, 6), st.integers(1, 9), st.integers(1, 7),
        ),
        min_size=1, max_size=9,
    ),
    st.integers(1, 11),
)  # fmt: skip
def test_random_coverages_with_gaps_and_overlaps_add_up_as_printed(plan: Plan, cells, border):
    use = [(c, square(37 * x, 41 * y, 37.3 * w, 40.7 * h)) for c, x, y, w, h in cells]
    zones = [("Z1", square(0, 0, 53 * border, 400)), ("Z2", square(53 * border, 0, 300, 200))]
    shown = card(plan, use, square(-5, -5, 800, 390), zones)
    assert_adds_up(shown)
    assert sum(float(p["width"]) for p in shown["bar"]) == pytest.approx(100, abs=0.02)


def test_codes_on_the_bar_are_read_on_every_class_colour():
    # WCAG 2.2: contrast of at least 4.5 to 1 for text of this size.
    def light(colour: str) -> float:
        r, g, b = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
        r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (r, g, b))
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    for scheme in land_classes.schemes():
        for rgb in scheme.colours.values():
            colour = "#" + "".join(f"{c:02x}" for c in rgb)
            low, high = sorted((light(colour), light(_ink(colour))))
            assert (high + 0.05) / (low + 0.05) >= 4.5, colour
