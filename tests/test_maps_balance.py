"""The sections of the plan map about its land: what they say, and that they add up as printed.

Small cases are squares that can be added up by hand; the bundled plan is compared with areas from
``pyproj.Geod`` on its parcels, edges densified to 10 m.
"""

from __future__ import annotations

import copy
import re
import shutil
from collections import defaultdict
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod, Transformer
from shapely import box

from gis.engine.index import LayerIndex
from gis.intake.read import read_site
from gis.model import LayerInfo, LayerState
from gis.output.maps import plan_map
from gis.output.maps.balance_card import _ink, balance_card
from gis.output.maps.budget_card import budget_cards
from gis.output.maps.indicator_card import indicator_cards, series_sentences
from gis.output.maps.numbers import share_percent, two_digits
from gis.output.maps.plan_card import figure_row, land_sections, plan_card
from gis.output.maps.templates import fill
from gis.plan import Plan
from gis.plan.budgets import budget_rows
from gis.plan.catalogue import Layer
from gis.plan.landcover import raster_rows
from gis.plan.reservations import reserve
from gis.plan.schema import QuotaEntry
from gis.plan.stated import Reason
from gis.rulebook import land_classes

X, Y = 408_000.0, 4_030_000.0  # EPSG:4548, inside the resort
GREEN, SQUARE, WATER, HOMES, SCHOOL, ROAD = "1401", "1403", "1701", "070102", "080403", "1207"
HOSTILE = "<script>pwned()</script>\"'>${pwned()}`{{ pwned }}{# x"
EMPTY = {"balance": None, "lacking": "", "budgets": [], "indicators": [], "series": []}


def square(x: float, y: float, width: float = 100, height: float = 100):
    return box(X + x, Y + y, X + x + width, Y + y + height)


def layer(layer_id: str, title: str, role: str, parts, **changes) -> Layer:
    """A layer of (class, polygon) pairs; zones are named after their class."""
    info = LayerInfo(layer_id, title, role, "polygon", "2026-11", "schematic", **changes)
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


def small(plan: Plan, use, zones=(), *, scheme=("用地用海", "2023"), title="用地") -> Plan:
    """A plan with a land-class layer and zones, without stated figures, quotas and rasters."""
    names = dict(zip(("scheme", "edition"), scheme, strict=True))
    role = "planned_use" if scheme[0] == "用地用海" else "landuse"
    layers = {"use": layer("use", title, role, use, **names)}
    if zones:
        layers["zones"] = layer("zones", "分区", "zone", zones)
    file = plan.file.model_copy(update={"stated": (), "raster": (), "quota": ()})
    return replace(plan, layers=layers, file=file)


def with_core(plan: Plan, core) -> Plan:
    """The same plan with an outline, so that it has a balance of its own."""
    return replace(
        plan, layers={**plan.layers, "core": layer("core", "核心", "core", [(None, core)])}
    )


def card(plan: Plan, use, area, zones=(), definition=None) -> dict[str, Any]:
    return balance_card(small(plan, use, zones).land_balance(area, definition=definition))


def html(sections: dict[str, Any], **changes: Any) -> str:
    """The card of a plan map with nothing but its land."""
    rest = {"title": "规划", "version": "1", "mark": {"word": "", "text": "", "note": ""},
            "sentence": "", "figures": [], "sites": [], "vintage": "", "layers": [],
            "as_of": ""}  # fmt: skip
    return str(
        fill("plan.html", card=rest | EMPTY | sections | changes, zones=[], absent=[], crs="")
    )


def words(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)).strip()


def number(text: str) -> Decimal:
    """A printed number; a trace is printed as "<0.01" and counts as nothing."""
    return Decimal(0) if text[0] in "<>" else Decimal(text.replace(",", ""))


def total(rows, key: str) -> Decimal:
    return sum((number(row[key]) for row in rows), Decimal(0))


def assert_adds_up(shown: dict[str, Any]) -> None:
    """Groups, classes and zones make the printed total, cell by cell."""
    for rows, keys in ((shown["groups"], ("ha", "percent")), (shown["classes"], ("ha", "mu"))):
        for key in keys:
            made = total(rows, key) + total(shown["remainder"], key)
            assert made == number(shown["total"][key]), key
    assert number(shown["total"]["percent"]) == 100
    zones = shown["zones"]
    if zones is None:
        return
    for row in zones["rows"]:
        assert sum(map(number, row["cells"])) == number(row["total"])
    for n, printed in enumerate(zones["totals"]):
        assert sum(number(row["cells"][n]) for row in zones["rows"]) == number(printed)
    assert sum(map(number, zones["totals"])) == number(zones["total"])
    assert zones["total"] == shown["total"]["ha"]


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


@settings(derandomize=True, max_examples=40, deadline=None)
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


# --- scarce land ---------------------------------------------------------------------------------


def ledger(**changes: Any) -> dict[str, Any]:
    """A budget as ``gis.plan.budgets`` gives it: 1,000 m² in three parts, no zones."""
    row = {"id": "dev_boundary:410", "kind": "dev_boundary", "layer": "dev_boundary",
           "class": "410", "vintage": "2026-11", "title": "城镇开发边界", "name": "集中建设区",
           "unit": "m2", "total_m2": 100_000.0, "used_m2": 33_333.33, "reserved_m2": 33_333.33,
           "unknown_m2": 0.0, "free_m2": 33_333.34, "share": None, "area": None,
           "definition": None, "by_zone": [], "by_class": [], "note": ""}  # fmt: skip
    return row | changes


def amounts(shown: dict[str, Any]) -> dict[str, str]:
    return {row["label"]: row["ha"] for row in shown["amounts"]}


def test_the_parts_of_a_budget_make_its_total_in_hectares_and_mu():
    (shown,) = budget_cards([ledger()])
    for unit, whole in (("ha", "10.00"), ("mu", "150.00")):
        first, *parts = [row[unit] for row in shown["amounts"]]
        assert first == whole
        assert sum(map(number, parts)) == number(whole)
    assert [p["kind"] for p in shown["bar"]] == ["used", "reserved", "free"]
    assert sum(float(p["width"]) for p in shown["bar"]) == pytest.approx(100, abs=0.01)
    text = words(html({"budgets": [shown]}))
    assert "剩余 3.34 公顷" in text or "剩余 3.33 公顷" in text
    assert "已用 3.33" in text


def test_every_budget_of_the_bundled_plan_adds_up_with_its_zones(plan: Plan, bundled):
    rows = budget_rows(plan)
    assert len(bundled["budgets"]) == len(rows) > 4
    for shown, row in zip(bundled["budgets"], rows, strict=True):
        if row["total_m2"] is None:
            continue
        first, *parts = [number(r["ha"]) for r in shown["amounts"]]
        assert first == sum(parts)
        assert float(first) == pytest.approx(row["total_m2"] / 10_000, abs=0.0051)
        for n, whole in enumerate((first, *parts)):
            assert sum(number(z["cells"][n]) for z in shown["zones"]) == whole
        for zone in shown["zones"]:
            head, *rest = map(number, zone["cells"])
            assert head == sum(rest)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(*[st.floats(0, 3e6, allow_nan=False).map(lambda m2: round(m2, 2))] * 4),
        min_size=1,
        max_size=7,
    )
)
def test_random_budgets_add_up_over_parts_and_zones(zones):
    keys = ("used_m2", "reserved_m2", "unknown_m2", "free_m2")

    def line(parts):
        return {"total_m2": round(sum(parts), 2), **dict(zip(keys, parts, strict=True))}

    whole = line([round(sum(column), 2) for column in zip(*zones, strict=True)])
    by_zone = [{"zone": f"Z{n}", "name": "区", **line(z)} for n, z in enumerate(zones)]
    (shown,) = budget_cards([ledger(**whole, by_zone=by_zone)])
    for unit in ("ha", "mu"):
        first, *parts = [number(row[unit]) for row in shown["amounts"]]
        assert first == sum(parts)
    table = [[number(cell) for cell in zone["cells"]] for zone in shown["zones"]]
    assert all(head == sum(rest) for head, *rest in table)
    sums = [sum(column) for column in zip(*table, strict=True)]
    assert sums == [number(row["ha"]) for row in shown["amounts"]]


def test_what_is_not_known_is_called_unknown_and_drawn_as_such():
    row = ledger(used_m2=None, unknown_m2=60_000.0, reserved_m2=None, free_m2=None, note="台账损坏")
    (shown,) = budget_cards([row])
    assert amounts(shown) == {
        "总量": "10.00", "已用": "未知", "已预留": "未知", "现状不明": "6.00", "剩余": "未知",
    }  # fmt: skip
    assert {p["kind"] for p in shown["bar"]} == {"unknown"}
    text = words(html({"budgets": [shown]}))
    assert "剩余 未知" in text
    assert "台账损坏" in text
    assert not re.search(r"(?<![\d,])0\.00", text)


def test_a_budget_without_total_says_no_data_and_why_and_still_sums_what_is_promised():
    row = ledger(kind="conversion", name="农用地转用指标", total_m2=None, used_m2=None,
                 reserved_m2=20_000.0, free_m2=None, note="指标未提供",
                 by_class=[{"class": "0102", "name": "水浇地", "total_m2": None,
                            "reserved_m2": 20_000.0}])  # fmt: skip
    (shown,) = budget_cards([row])
    assert not shown["known"]
    assert shown["bar"] == []
    assert amounts(shown) == {"总量": "未知", "已预留": "2.00", "剩余": "未知"}
    text = words(html({"budgets": [shown]}))
    assert "农用地转用指标 无数据 指标未提供" in text
    assert "0102 水浇地 已预留 2.00" in text


def test_more_promised_than_there_is_is_loud_and_leaves_the_total_as_it_was_granted(
    plan: Plan, tmp_path
):
    use = [("0301", square(0, 0, 400))]
    own = small(plan, use, scheme=("三调", "2019"))
    quota = QuotaEntry(id="a", title="转用", kind="conversion", value=1, unit="ha", source="批文")
    own = replace(own, root=tmp_path, file=own.file.model_copy(update={"quota": (quota,)}))
    site = read_site(square(0, 0, 300).wkt, own, name="厂", crs=4548)
    reserve(own, site, project="厂", on=date(2026, 11, 22), use="100101")
    shown = next(b for b in budget_cards(budget_rows(own)) if b["name"] == "农用地转用指标")
    assert amounts(shown) == {"总量": "1.00", "已预留": "3.00", "剩余": "0.00"}
    assert [p["width"] for p in shown["bar"]] == ["100.000"]
    assert "超出" in shown["note"]
    assert '<em class="is-over">' in html({"budgets": [shown]})
    assert '<em class="is-over">' not in html({"budgets": budget_cards([ledger(note="说明")])})


def test_farmland_is_never_offered_as_left_over(bundled):
    shown = {b["name"]: b for b in bundled["budgets"]}
    for name in ("永久基本农田", "现状耕地", "规划绿地和水域"):
        assert shown[name]["lead"]["label"] == "现有"
        assert shown[name]["bar"] == []  # a full bar would look like land to be taken
        assert "剩余" not in amounts(shown[name])
    (promised,) = budget_cards(
        [ledger(kind="permanent_farmland", used_m2=None, reserved_m2=10_000.0, free_m2=90_000.0)]
    )
    assert [p["kind"] for p in promised["bar"]] == ["reserved", "free"]


def test_every_piece_of_a_budget_has_its_word_beside_its_pattern(bundled):
    page = html({"budgets": bundled["budgets"]})
    for kind, word in (("used", "已用"), ("reserved", "已预留"), ("free", "剩余")):
        assert re.search(rf'<i class="is-{kind}" aria-hidden="true"></i>{word} [\d,.]+', page)


# --- dated indicators ----------------------------------------------------------------------------


def test_indicators_carry_their_date_and_are_kept_apart_from_the_planned_share(plan: Plan, page):
    rows = raster_rows(plan)
    section = page[page.index('class="wq-indicators"') :]
    text = words(section)
    assert "不是规划绿地和水域占比，不计入用地平衡" in text
    for row in rows:
        assert f"{row['share']:.2%}" in text
        assert f"影像日期 {row['date']}" in text
        assert row["sentence"].replace(" ", "") in text.replace(" ", "")
    assert text.index("遥感指标") < text.index("数据说明")
    balance = words(page[: page.index('class="wq-indicators"')])
    assert "NDVI" not in balance


def test_the_range_of_a_series_is_told_once_and_no_line_ends_inside_a_date(plan: Plan):
    rows = raster_rows(plan)
    told = ["".join(pieces) for pieces in series_sentences(rows)]
    assert len(told) == 2  # NDVI and NDWI, each of two dates
    assert all("2026-06-18" in sentence and "2026-04-20" in sentence for sentence in told)
    page = html({"indicators": indicator_cards(rows), "series": series_sentences(rows)})
    assert page.count('<span class="wq-date">2026-06-18</span>') >= 2


def test_a_raster_without_data_says_why_and_shows_no_share(plan: Plan, tmp_path):
    root = tmp_path / "package"
    shutil.copytree(plan.root / "rasters", root / "rasters")
    (root / "rasters" / "image_20260618.tif").unlink()
    rows = [r for r in raster_rows(replace(plan, root=root)) if r["raster"] == "image_june"]
    shown = indicator_cards(rows)
    assert [(s["known"], s["share"]) for s in shown] == [(False, "无数据")] * len(rows)
    text = words(html({"indicators": shown}))
    assert "2026-06-18 栅格文件不存在" in text
    assert "%" not in text


def test_shares_of_rasters_never_read_as_nothing():
    assert [share_percent(s) for s in (None, 0.0, 0.00002, 0.57841, 1.0)] == [
        "无数据", "0.00%", "不足 0.01%", "57.84%", "100.00%",
    ]  # fmt: skip
    assert [two_digits(0.0, m2) for m2 in (0.0, 3.0, -3.0)] == ["0.00", "<0.01", ">-0.01"]


# --- stated figures ------------------------------------------------------------------------------


@pytest.mark.parametrize("code", list(Reason))
def test_a_difference_that_rounding_explains_is_quiet_and_any_other_is_loud(plan: Plan, code):
    figure = replace(plan.figures()[0], reason_code=code, reason="理由如此")
    row = figure_row(figure, plan.work_epsg)
    assert row["loud"] is (code in {Reason.AREA_BASIS, Reason.MISMATCH})
    page = html({}, figures=[row])
    assert ("wq-reason is-loud" in page) is row["loud"]
    assert "理由如此" in page


def test_a_figure_is_explained_by_layer_date_status_tolerance_and_both_areas(plan: Plan):
    core = next(f for f in plan.figures() if f.id == "core_area")
    text = words(html({}, figures=[figure_row(core, plan.work_epsg)]))
    for wanted in ("图层 规划核心区（2026-11，示意）", "取整范围 ±0.05 km²",
                   "椭球面积 38,300,001.17 m²（法定）", "平面面积 38,308,246.59 m²（EPSG:4548）",
                   "说明 差异在公布值取整范围内"):  # fmt: skip
        assert wanted in text, wanted


def test_a_stated_share_on_land_that_is_not_all_known_is_printed_as_a_lower_bound(plan: Plan):
    old = plan.layer("planned_use")
    kept = np.arange(len(old.index.ids)) % 7 != 0
    index = replace(
        old.index,
        **{
            name: getattr(old.index, name)[kept]
            for name in ("ids", "classes", "names", "half_widths", "geometries")
        },
    )
    partly = replace(plan, layers={**plan.layers, "planned_use": replace(old, index=index)})
    row = next(f for f in plan_card(partly, [], [])["figures"] if f["title"] == "绿地和水域占比")
    share = partly.land_balance().green_water_share
    assert row["computed"] == f"不低于 {int(share * 10_000) / 100:.2f}%"
    assert row["difference"].startswith("按下限差 -")


# --- pages ---------------------------------------------------------------------------------------


def test_equal_plans_give_equal_sections(plan: Plan, page):
    assert html(land_sections(replace(plan))) == page


def test_the_sections_are_light(page):
    assert len(page.encode()) - len(html({}).encode()) < 50_000


def test_the_map_of_the_bundled_plan_carries_the_sections(plan: Plan, page):
    whole = plan_map(plan)
    section = page[
        page.index('<section class="wq-balance">') : page.index('<section class="wq-about')
    ]
    assert section in whole


def test_secrecy_of_layers_changes_nothing_because_only_areas_are_told(plan: Plan, page):
    secret = {
        name: replace(x, info=replace(x.info, secrecy="restricted"),
                      index=replace(x.index, info=replace(x.index.info, secrecy="restricted")))
        for name, x in plan.layers.items()
    }  # fmt: skip
    assert html(land_sections(replace(plan, layers=secret))) == page
    assert not re.search(r"\b11\d\.\d{3}|\b3[67]\.\d{4}|\b40\d{4,5}\.\d", words(page))


def tags(page: str) -> list[str]:
    return re.findall(r"<(/?[a-zA-Z][\w-]*)", page)


def poisoned(value: Any, text: str) -> Any:
    """Put a text behind every text of a document but its keys and closed words."""
    closed = {"id", "kind", "state", "date", "index", "layer", "raster", "status", "unit", "series"}
    if isinstance(value, dict):
        return {k: v if k in closed else poisoned(v, text) for k, v in value.items()}
    if isinstance(value, list):
        return [poisoned(v, text) for v in value]
    return value + text if isinstance(value, str) else value


def test_a_hostile_text_in_any_name_of_the_land_stays_text(plan: Plan):
    def sections(text: str) -> dict[str, Any]:
        use = [(GREEN, square(0, 0)), (f"99{text}", square(100, 0)), (SQUARE, square(150, 0))]
        zones = [(f"Z{text}", square(0, 0, 120, 100))]
        own = with_core(small(plan, use, zones, title=f"用地{text}"), square(0, 0, 300))
        return land_sections(own) | {
            "budgets": budget_cards(poisoned(copy.deepcopy(budget_rows(plan)), text)),
            "indicators": indicator_cards(poisoned(copy.deepcopy(raster_rows(plan)), text)),
            "series": [[f"随季节{text}"]],
            "lacking": "",
        }

    page = html(sections(HOSTILE))
    assert tags(page) == tags(html(sections("甲")))
    assert "<script" not in page
    assert "${pwned" not in page
    assert "{{ pwned" not in page
    assert page.count("pwned") > 20  # it is shown, as text


def test_the_service_draws_the_map_anew_when_land_has_been_reserved(plan: Plan, tmp_path):
    from starlette.testclient import TestClient

    from api.app import create_app
    from api.settings import Settings

    use = [("0102", square(0, 0, 400))]
    own = small(plan, use, scheme=("三调", "2019"))
    boundary = layer("dev", "开发边界", "dev_boundary", [("410", square(0, 0, 300))])
    own = replace(own, root=tmp_path, layers={**own.layers, "dev": boundary})
    settings = Settings(db=tmp_path / "records.sqlite")
    with TestClient(create_app(settings, plan=own), raise_server_exceptions=False) as client:
        before = client.get("/maps/plan.html").text
        assert client.get("/maps/plan.html").text == before
        site = read_site(square(0, 0).wkt, own, name="学校", crs=4548)
        reserve(own, site, project="学校", on=date(2026, 11, 22), use="080403")
        after = client.get("/maps/plan.html").text
    assert "剩余 3.00" in words(before)
    assert "已预留 1.00 剩余 2.00" in words(after)
