"""The map pages as HTML: what they say, what they keep secret, and that they never change."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import dataclass, field, replace
from typing import Any

import geopandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, Polygon, box

from gis.canonical import deciding_finding, to_dict
from gis.check import check_site
from gis.crs import CrsPolicy
from gis.intake import read_site
from gis.model import LayerInfo, LayerState, PlanRef, Verdict, may_show
from gis.output.maps import plan_card, plan_map, site_map, style
from gis.output.maps.numbers import percent, short_area, with_unit
from gis.output.maps.site_card import layer_row, measure_text, site_sentence
from gis.plan import Figure
from gis.plan.samples import load_samples
from gis.plan.stated import Reason

X, Y = 408_000.0, 4_030_000.0  # EPSG:4548, inside the resort
HOSTILE = "<script>pwned()</script>\"'>${pwned()}`{{ pwned }}{# x"


@dataclass
class FakeLayer:
    info: LayerInfo
    frame: Any
    state: LayerState = LayerState.CHECKED
    reason: str = ""
    content_sha256: str | None = "0" * 64


@dataclass
class FakePlan:
    ref: PlanRef
    layers: dict[str, FakeLayer]
    stated: tuple[Figure, ...] = ()
    work_epsg: int = 4548
    map_number: str = ""
    out_of_scope: tuple[Any, ...] = ()
    crs_policy: CrsPolicy = field(
        default_factory=lambda: CrsPolicy(4548, (4548,), (115.8, 36.2, 116.2, 36.5))
    )

    def figures(self):
        return self.stated

    def layer(self, layer_id):
        return self.layers[layer_id]

    def with_role(self, role):
        return tuple(x for x in self.layers.values() if x.info.role == role)


@pytest.fixture(scope="module", autouse=True)
def land_of_real_plans_only():
    """A fake plan has no package on disk; its land is shown in test_maps_land.py."""
    from gis.output.maps import pages

    real = plan_card.land_sections
    nothing = {"balance": None, "lacking": "", "budgets": [], "indicators": [], "series": []}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            plan_card, "land_sections", lambda p: nothing if isinstance(p, FakePlan) else real(p)
        )
        drawn = pages.raster_pictures
        patch.setattr(
            pages, "raster_pictures", lambda p, *r: [] if isinstance(p, FakePlan) else drawn(p, *r)
        )
        yield


def square(dx: float, dy: float, side: float) -> Polygon:
    return box(X + dx, Y + dy, X + dx + side, Y + dy + side)


def layer(layer_id, title, role, rows, *, kind="polygon", secrecy="public", scheme=None):
    """Build a layer from (id, class, name, half width, geometry) rows."""
    columns = ["id", "cls", "name", "half_width", "geometry"]
    frame = geopandas.GeoDataFrame(
        [dict(zip(columns, row, strict=True)) for row in rows], columns=columns, crs="EPSG:4548"
    )
    info = LayerInfo(
        layer_id, title, role, kind, "2026-11", "schematic", secrecy=secrecy, scheme=scheme
    )
    return FakeLayer(info, frame)


def small_plan(text: str = "", *, farmland_secrecy: str = "public") -> FakePlan:
    """Two zones, farmland, roads and land use on 2 x 1 km; ``text`` is added to every name."""
    zones = [
        ("1", "Z1", f"甲区{text}", 0.0, square(0, 0, 1000)),
        ("2", "Z2", f"乙区{text}", 0.0, square(1000, 0, 1000)),
    ]
    road = LineString([(X, Y + 500), (X + 2000, Y + 500)])
    layers = [
        layer("resort", f"范围{text}", "planning_area",
              [("1", None, f"度假区{text}", 0.0, box(X, Y, X + 2000, Y + 1000))]),
        layer("zones", f"功能区{text}", "zone", zones),
        layer("farmland", f"永久基本农田{text}", "farmland",
              [("1", "0102", f"水浇地{text}", 0.0, square(600, 100, 300))],
              secrecy=farmland_secrecy),
        layer("roads", f"道路{text}", "road",
              [("1", f"城市主干路{text}", f"湖南路{text}", 20.0, road)], kind="line"),
        layer("landuse", f"现状{text}", "landuse",
              [("1", f"0102{text}", f"水浇地{text}", 0.0, square(0, 0, 1000)),
               ("2", f"0601{text}", f"工业用地{text}", 0.0, square(1000, 0, 1000))],
              scheme="三调"),
    ]  # fmt: skip
    figure = Figure(
        id="resort_area", title=f"总面积{text}", stated=2.0, computed=1.99, unit="km2",
        definition=f"椭球面积{text}", denominator=text, difference=-0.01, reason=f"差异{text}",
        source=f"公布材料{text}", agrees=True, reason_code=Reason.ROUNDING, tolerance=0.01,
        ellipsoidal_m2=1.99e6, planar_m2=1.9904e6, denominator_m2=None, layer="resort",
        layer_title=f"范围{text}", vintage=f"2026-11{text}", status="schematic",
    )  # fmt: skip
    ref = PlanRef("p", f"2026.11{text}", f"某区规划{text}", "schematic", f"示意数据{text}")
    return FakePlan(ref, {x.info.id: x for x in layers}, (figure,))


OUTLINE = {
    "type": "Polygon",
    "coordinates": [
        [[115.981, 36.397], [115.984, 36.397], [115.984, 36.399], [115.981, 36.399],
         [115.981, 36.397]]
    ],
}  # fmt: skip
OVERLAP = {
    "type": "Polygon",
    "coordinates": [
        [[115.9812345, 36.397], [115.983, 36.397], [115.983, 36.398], [115.9812345, 36.397]]
    ],
}


def document(verdict: str = "fail", text: str = "", **changes: Any) -> dict[str, Any]:
    """A check as stored: one finding of the given verdict and one that passes."""
    finding = {
        "rule": "cn.farmland", "title": f"永久基本农田{text}", "verdict": verdict,
        "verdict_label": "", "layer": "farmland",
        "measure": {"kind": "area", "value": 6666.6667, "unit": "m²", "share": 0.25},
        "threshold": f"不得重叠{text}", "reason": f"占用永久基本农田 10 亩{text}。须避让。",
        "basis": [{"document": f"土地管理法{text}", "number": f"主席令{text}",
                   "article": f"第三十五条{text}", "valid_from": "2020-01-01", "valid_to": None,
                   "verified": False}],
        "origin": "statute", "office": f"自然资源局{text}", "remedy": f"调整范围{text}",
        "decides": True, "geometry": OVERLAP,
    }  # fmt: skip
    passing = finding | {"rule": "cn.redline", "title": f"红线{text}", "verdict": "pass"}
    passing.pop("geometry")
    area = {"ellipsoidal_m2": 26666.67, "planar_m2": 26672.0, "mu": 40.0, "ha": 2.6667}
    row = {"id": "farmland", "title": f"永久基本农田{text}", "state": "checked",
           "vintage": "2026-11", "status": "schematic", "law_status": "in_force",
           "content_sha256": "0" * 64, "uncovered_share": 0.0, "reason": ""}  # fmt: skip
    lacking = row | {"id": "mines", "title": f"矿产{text}", "state": "no_data",
                     "reason": f"数据文件不存在{text}", "vintage": ""}  # fmt: skip
    return {
        "schema_version": "1", "id": "x", "verdict": verdict, "verdict_label": "",
        "deciding_rule": None if verdict == "pass" else "cn.farmland",
        "site": {"name": f"一号地{text}", "area": area, "claims": {"use": f"0804{text}"},
                 "crs": {"source": "EPSG:4527", "work": "EPSG:4548", "how": "prefix"},
                 "notes": [{"code": "n", "message": f"备注{text}"}],
                 "source": {"kind": "txt", "name": f"a{text}", "sha256": "0" * 64},
                 "geometry": OUTLINE},
        "evidence": [{"layer": "farmland", "class": f"0102{text}", "name": f"水浇地{text}",
                      "kind": "area", "area_m2": 6666.67, "planar_m2": 6668.0, "length_m": None,
                      "count": None, "distance_m": None, "share": 0.25, "feature_ids": ["1"]}],
        "findings": [finding, passing],
        "contacts": [{"layer": "farmland", "rule": "r", "area_m2": 0.5, "width_m": 0.02}],
        "layers": [row, lacking],
        "impact": [{"id": "i", "title": f"耕地{text}", "area_m2": 6666.67, "total_m2": 1e6}],
        "remedies": [{"rule": "cn.farmland", "text": f"南移 20 米{text}"}],
        "warnings": [{"code": "w", "message": f"外环未闭合{text}"}],
        "out_of_scope": [{"topic": f"矿产压覆{text}", "reason": f"没有图层{text}"}],
        "as_of": "2026-11-22",
        "plan": {"id": "p", "version": f"2026.11{text}", "title": f"某区规划{text}",
                 "status": "schematic", "status_note": f"示意{text}"},
        "rulebook": {"id": f"cn{text}", "sha256": "0" * 64}, "digest": "ab" * 32,
    } | changes  # fmt: skip


def words(page: str) -> str:
    """The text that a reader can see: tags, scripts and styles taken out."""
    page = re.sub(r"<(script|style|title)[^>]*>.*?</\1>", "", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


# --- the plan map --------------------------------------------------------------------------------


def test_equal_input_gives_equal_bytes():
    plan, checks = small_plan(), [document()]
    assert plan_map(plan, checks) == plan_map(plan, checks)
    assert site_map(checks[0], plan) == site_map(checks[0], plan)


def test_no_random_name_of_folium_is_left():
    page = plan_map(small_plan(), [document()])
    ids = set(re.findall(r"_([0-9a-f]{32})\b", page))
    assert ids
    assert all(i.startswith("0" * 24) for i in ids)


def test_the_page_is_chinese_says_schematic_and_shows_stated_beside_computed():
    page = plan_map(small_plan(), [document()])
    assert page.startswith('<!DOCTYPE html>\n<html lang="zh-CN">')
    text = words(page)
    for wanted in ("示意", "非法定规划成果", "版本 2026.11", "数据时点 2026-11",
                   "公布 2.00 平方公里", "1.99 平方公里", "差 -0.01 平方公里", "甲区", "乙区",
                   "一号地", "图例", "功能分区", "现状用地"):  # fmt: skip
        assert wanted in text, wanted


def test_the_sentence_counts_verdicts_worst_first():
    checks = [document("pass"), document("fail"), document("pass"), document("undetermined")]
    text = words(plan_map(small_plan(), checks)).replace("\N{NO-BREAK SPACE}", " ")
    assert "4 个地块检测：1 个不符合，1 个需核实，2 个符合。" in text


def test_an_approved_plan_carries_no_schematic_mark():
    plan = small_plan()
    plan.ref = replace(plan.ref, status="approved")
    assert "非法定规划成果" not in plan_map(plan)


def test_parcels_of_one_class_become_one_feature_with_their_count():
    plan = small_plan()
    rows = [(str(n), "0102", "水浇地", 0.0, square(100 * n, 0, 100)) for n in range(10)]
    plan.layers["landuse"] = layer("landuse", "现状", "landuse", rows, scheme="三调")
    page = plan_map(plan)
    assert "10 \\u4e2a" in page  # 10 个, as JSON in a script
    assert page.count("\\u56fe\\u6591") == 1  # 图斑: one popup, not ten


def test_a_layer_without_data_is_named_and_never_silently_missing():
    plan = small_plan()
    plan.layers["farmland"].state = LayerState.NO_DATA
    plan.layers["farmland"].frame = None
    text = words(plan_map(plan))
    assert "永久基本农田 无数据，未绘制" in text


def pairs(page: str) -> set[str]:
    """Every coordinate pair of the page."""
    return set(re.findall(r"11\d\.\d+, 3\d\.\d+", page))


def test_a_restricted_layer_gives_no_coordinate_under_a_public_ceiling():
    secret = pairs(plan_map(small_plan())) - pairs(
        plan_map(small_plan(farmland_secrecy="restricted"))
    )
    assert len(secret) == 4  # the corners of the farmland square, shared with no other layer
    assert secret <= pairs(
        plan_map(small_plan(farmland_secrecy="restricted"), ceiling="restricted")
    )
    closed = plan_map(small_plan(farmland_secrecy="restricted"))
    assert "永久基本农田 不公开坐标" in words(closed)


@pytest.mark.parametrize(
    ("secrecy", "ceiling", "shown"),
    [
        ("public", "public", True),
        ("internal", "public", False),
        ("internal", "internal", True),
        ("restricted", "internal", False),
        ("restricted", "restricted", True),
        ("topsecret", "restricted", False),
    ],
)
def test_secrecy_above_the_ceiling_is_not_shown(secrecy, ceiling, shown):
    assert may_show(secrecy, ceiling) is shown


def test_an_unknown_ceiling_is_refused():
    with pytest.raises(ValueError, match="ceiling"):
        plan_map(small_plan(), ceiling="secret")


def test_the_bundled_plan_stays_small_and_names_its_five_zones(plan_page):
    assert len(plan_page.encode()) < 6_000_000
    shown = words(plan_page)
    for name in ("休闲旅游度假功能区", "医养大健康产业功能区", "“双碳”科技产业示范区",
                 "黄河生态现代农业示范区", "高端智慧生活区"):  # fmt: skip
        assert name in shown
    for title in ("城镇开发边界", "永久基本农田", "生态保护红线", "城市绿线", "城市蓝线",
                  "城市紫线", "城市黄线", "规划核心区", "省批范围"):  # fmt: skip
        assert json.dumps(title)[1:-1] in plan_page  # folium writes names as escaped JSON


def test_a_plan_from_another_country_can_be_shown(french_plan_dir):
    from gis.plan import load_plan

    page = plan_map(load_plan(french_plan_dir))
    assert len(page) > 100_000


# --- the site map --------------------------------------------------------------------------------


def test_the_verdict_and_its_reason_come_before_everything_else():
    text = words(site_map(document(), small_plan()))
    assert text.index("不符合") < text.index("占用永久基本农田 10 亩") < text.index("需要处理")


def test_a_finding_carries_reason_basis_remedy_office_and_share():
    text = words(site_map(document(), small_plan()))
    for wanted in ("10.00 亩，6,666.67 m²，占 25.0%", "《土地管理法》（主席令）第三十五条",
                   "依据待核",
                   "调整范围", "自然资源局", "不得重叠", "法律法规"):  # fmt: skip
        assert wanted in text, wanted


def test_areas_are_given_in_three_units_and_the_planar_one_is_labelled():
    text = words(site_map(document(), small_plan()))
    assert "40.00 亩" in text
    assert "2.67 公顷" in text
    assert "26,666.67 m²" in text
    assert "平面面积 26,672.00 m²" in text


def test_an_unchecked_layer_never_looks_like_a_checked_one():
    page = site_map(document(), small_plan())
    row = re.search(r'<li class="is-unchecked">.*?</li>', page, flags=re.DOTALL)[0]
    assert "矿产" in row
    assert "未检查" in row
    assert "已检查" not in row
    assert "有 1 个图层 未检查" in words(page)


def test_a_partly_uncovered_layer_is_not_shown_as_checked():
    report = document()["layers"][0] | {"uncovered_share": 0.25}
    row = layer_row(report)
    assert not row["checked"]
    assert row["word"] == "部分未覆盖"
    assert row["uncovered"] == "25.0%"


def test_an_unknown_state_or_verdict_reads_as_unchecked_and_undetermined():
    assert layer_row(document()["layers"][0] | {"state": "fine"})["word"] == "未检查"
    page = site_map(document("splendid"), small_plan())
    assert "wq-lead-undetermined" in page


def test_what_is_out_of_scope_and_the_record_are_printed():
    text = words(site_map(document(), small_plan()))
    for wanted in ("矿产压覆", "没有图层", "ab" * 32, "2026-11-22", "版本 2026.11", "示意",
                   "南移 20 米", "外环未闭合", "拟用途代码"):  # fmt: skip
        assert wanted in text, wanted


def test_the_deciding_overlap_is_on_the_map_with_a_pattern():
    page = site_map(document(), small_plan())
    assert "wq-conflict wq-c-f0 wq-fill-slash" in page
    assert "115.9812345" in page


def test_an_overlap_on_a_secret_layer_keeps_its_text_and_loses_its_geometry():
    plan = small_plan(farmland_secrecy="restricted")
    page = site_map(document(), plan)
    assert "115.9812345" not in page
    assert "不公开坐标，图上不绘重叠部分" in page
    assert "10.00 亩" in words(page)
    assert "115.9812345" in site_map(document(), plan, ceiling="restricted")


def test_an_overlap_on_a_layer_that_the_plan_does_not_know_is_not_drawn():
    plan = small_plan()
    del plan.layers["farmland"]
    assert "115.9812345" not in site_map(document(), plan)


def test_another_version_or_changed_data_under_the_site_is_said():
    judged = document()["plan"] | {"version": "2025.01"}
    text = words(site_map(document(plan=judged), small_plan()))
    assert "检测依据规划版本 2025.01，底图绘自版本 2026.11" in text
    plan = small_plan()
    plan.layers["farmland"].content_sha256 = "1" * 64
    assert "底图与检测时不同：永久基本农田" in words(site_map(document(), plan))


def test_the_headline_says_what_is_against_the_site_and_not_why_the_rule_is_asked(plan, as_of):
    sample = next(s for s in load_samples(plan) if s.path.stem == "mingzhu_guangchang")
    site = read_site(sample.path, plan)
    found = to_dict(check_site(site, plan, use=sample.use, as_of=as_of, remedies=False))
    assert "不是线性工程" in deciding_finding(found)["reason"]
    assert site_sentence(found).startswith("占用城市绿线内用地 994.79 m²")


def test_a_passing_site_says_how_many_rules_it_met():
    assert site_sentence(document("pass")) == "适用的 2 条规则全部符合。"


def test_a_long_reason_gives_way_to_title_and_number():
    long = document()
    long["findings"][0]["reason"] = "很长的理由" * 30
    assert site_sentence(long) == "永久基本农田（10.00 亩，6,666.67 m²，占 25.0%）。"


def test_a_document_without_outline_still_gives_a_page():
    site = document()["site"] | {"geometry": None}
    assert "一号地" in words(site_map(document(site=site), small_plan()))


def test_a_point_overlap_becomes_a_disc_and_not_an_image():
    shaped = document()
    shaped["findings"][0]["geometry"] = {"type": "Point", "coordinates": [115.98, 36.39]}
    page = site_map(shaped, small_plan())
    assert "L.CircleMarker(latlng" in page


def test_an_overlap_of_several_kinds_does_not_stop_the_page():
    shaped = document()
    shaped["findings"][0]["geometry"] = {
        "type": "GeometryCollection",
        "geometries": [{"type": "LineString", "coordinates": [[115.98, 36.39], [115.99, 36.4]]}],
    }
    assert "115.98, 36.39" in site_map(shaped, small_plan())


def test_static_pages_name_the_files_of_the_host():
    page = site_map(document(), small_plan(), assets="static")
    assert 'src="/maps/assets/leaflet.js"' in page
    assert "Leaflet 1.9.4" not in page


# --- hostile text --------------------------------------------------------------------------------


def test_a_hostile_text_in_every_field_stays_text():
    for page in (
        plan_map(small_plan(HOSTILE), [document(text=HOSTILE)]),
        site_map(document(text=HOSTILE), small_plan(HOSTILE)),
    ):
        assert "<script>pwned" not in page
        assert "${pwned" not in page
        assert "{{ pwned" not in page
        assert page.count("<script>") == page.count("</script>")
        assert "pwned" in page  # it is shown, as text


@pytest.mark.parametrize(
    "name",
    ["a src=x", "url(x)", "@import 'x'", "https://example.org/", "style=url(x)", "<p src=x>"],
)
def test_a_name_that_looks_like_an_address_does_not_stop_the_page(name):
    assert "一号地" in site_map(document(text=name), small_plan(name))
    assert "甲区" in plan_map(small_plan(name), [document(text=name)])


@settings(max_examples=6)
@given(st.text(alphabet="<>{}%#$`'\"\\/&;x=", min_size=1, max_size=24))
def test_no_text_changes_the_tags_or_scripts_of_a_page(text):
    plain = plan_map(small_plan("甲"), [document(text="甲")])
    page = plan_map(small_plan(text), [document(text=text)])

    def tags(html: str) -> list[str]:
        html = re.sub(r"(<script>).*?(</script>)", r"\1\2", html, flags=re.DOTALL)
        return re.findall(r"<(/?[a-zA-Z][\w-]*)", html)

    assert tags(page) == tags(plain)


# --- style ---------------------------------------------------------------------------------------

# Machado, Oliveira, Fernandes 2009, severity 1.0, linear RGB.
DEFICIENCIES = {
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216),
               (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413),
               (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602),
               (0.004733, 0.691367, 0.303900)),
}  # fmt: skip


def lab(colour: str, matrix: tuple[tuple[float, ...], ...]) -> tuple[float, float, float]:
    """CIELAB (D65) of a colour as seen with a deficiency."""
    srgb = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in srgb]
    r, g, b = (
        min(max(sum(m * c for m, c in zip(row, linear, strict=True)), 0), 1) for row in matrix
    )
    xyz = (
        (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505,
        0.2126 * r + 0.7152 * g + 0.0722 * b,
        (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089,
    )
    x, y, z = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_verdict_icons_differ_in_colour_for_colour_blind_readers(deficiency):
    matrix = DEFICIENCIES[deficiency]
    fills = {
        v: re.search(r'fill="(#[0-9a-f]{6})"', look.icon)[1]
        for v, look in style.VERDICTS.items()
        if v is not Verdict.NOT_APPLICABLE
    }
    for a, b in itertools.combinations(fills, 2):
        first, second = lab(fills[a], matrix), lab(fills[b], matrix)
        distance = sum((p - q) ** 2 for p, q in zip(first, second, strict=True)) ** 0.5
        assert distance > 15, (a, b, distance)


def test_every_verdict_has_its_own_icon_and_pattern():
    assert set(style.VERDICTS) == set(Verdict)
    assert len({look.icon for look in style.VERDICTS.values()}) == len(Verdict)
    assert len({look.pattern for look in style.VERDICTS.values()}) == len(Verdict)


def test_the_same_code_means_different_things_in_two_schemes():
    # 1101: river in the survey classes, logistics warehouse in the plan classes of 2023.
    assert style.land_class("1101", survey=True)[1] == "陆地水域"
    assert style.land_class("1101", survey=False)[1] == "仓储用地"
    assert style.land_class("0810A", survey=True)[1] == "绿地与开敞空间用地"
    assert style.land_class("1402", survey=False)[1] == "防护绿地"
    assert style.land_class("?", survey=True)[1] == "其他"


# --- numbers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0.0%"), (0.0001, "<0.1%"), (0.9999, ">99.9%"), (1.0, "100.0%"), (None, "")],
)
def test_a_trace_is_never_printed_as_nothing_nor_as_the_whole(share, text):
    assert percent(share) == text


def test_values_carry_chinese_units():
    assert with_unit(0.52, "share") == "52.00 %"
    assert with_unit(-0.0123, "share", signed=True) == "-1.23 个百分点"
    assert with_unit(None, "km2") == "无法计算"
    assert short_area(1_500_000) == "1.50 km²"
    assert short_area(10_000) == "15.00 亩"


def test_an_area_of_nothing_is_not_printed_and_a_distance_says_so():
    assert measure_text({"kind": "area", "value": 0.0, "unit": "m²", "share": 0.0}) == ""
    assert measure_text({"kind": "distance", "value": 18.4, "unit": "m", "share": None}) == (
        "相距 18.40 米"
    )
