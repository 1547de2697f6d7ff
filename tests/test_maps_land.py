"""What else the plan map says of land: scarce land, dated images, stated figures, whole pages."""

from __future__ import annotations

import copy
import re
import shutil
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from land_cards import (
    GREEN,
    HOSTILE,
    SQUARE,
    html,
    layer,
    number,
    small,
    square,
    with_core,
    words,
)

from gis.intake.read import read_site
from gis.output.maps.budget_card import budget_cards
from gis.output.maps.indicator_card import indicator_cards, series_sentences
from gis.output.maps.numbers import share_percent, two_digits
from gis.output.maps.plan_card import figure_row, land_sections, plan_card
from gis.plan import Plan
from gis.plan.budgets import budget_rows
from gis.plan.landcover import raster_rows
from gis.plan.reservations import reserve
from gis.plan.schema import QuotaEntry
from gis.plan.stated import Reason


@pytest.fixture(scope="module")
def bundled(plan: Plan) -> dict[str, Any]:
    return land_sections(plan)


@pytest.fixture(scope="module")
def page(bundled) -> str:
    return html(bundled)


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


@settings(max_examples=60)
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


def test_a_closed_row_says_what_its_share_is_of_and_when_little_was_seen(plan: Plan):
    cover = next(row for row in raster_rows(plan) if row["kind"] == "landcover")
    little = indicator_cards([cover | {"valid_share": 0.1}, cover | {"valid_share": 0.9}])
    assert "绿地和水域" in little[0]["title"]
    assert "遥感" in little[0]["title"]
    assert little[0]["known"]
    assert little[0]["reason"] == "有效像元仅 10.00%"
    assert little[1]["reason"] == ""
    closed = re.findall(r"(?s)<summary>(.*?)</summary>", html({"indicators": little}))
    assert "有效像元仅 10.00%" in words(closed[0])


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
    assert row["loud"] is (code in {Reason.AREA_BASIS, Reason.MISMATCH, Reason.UNDETERMINED})
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


def test_the_map_of_the_bundled_plan_carries_the_sections(plan_page: str, page):
    section = page[
        page.index('<section class="wq-balance">') : page.index('<section class="wq-about')
    ]
    assert section in plan_page


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
