"""Each kind of rule: clear, on the edge, over it, sliver, layer missing, partly uncovered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import pytest

from gis.model import (
    Area,
    Claim,
    Demand,
    Finding,
    LayerInfo,
    LayerReport,
    LayerState,
    Measure,
    Near,
    Quantity,
    Rule,
    Sliver,
)
from gis.rulebook import Facts, RuleBook, demands_of, evaluate, load_rulebook

AS_OF = date(2026, 11, 22)
SITE_M2 = 10_000.0  # one hectare, 15 mu
HEAD = """
[[document]]
id = "law"
title = "某法"
verified = true
checked_on = 2026-11-22
source = "全文"

[[rule]]
id = "x.rule"
title = "某规则"
layer = "line"
origin = "statute"
effect_verified = true
office = "某局"
priority = 10
checked_on = 2026-11-22
remedy = "避让"
basis = [{ document = "law", article = "第一条", verified = true }]
"""
AREA_TEXT = 'text = { clear = "未涉及。", hit = "占用 {area}：{parts}，用途 {use}" }\n'

Load = Callable[[str], RuleBook]
Numbers = Mapping[tuple[Quantity, tuple[str, ...]], Measure]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def _load(body: str) -> RuleBook:
        (tmp_path / "rules.toml").write_text(HEAD + body, encoding="utf-8")
        return load_rulebook(["rules.toml"], tmp_path)

    return _load


def area(m2: float, *slivers: tuple[float, float]) -> Measure:
    """A measure of ``m2`` that decide, plus slivers as (area, width)."""
    small = tuple(Sliver(a, w) for a, w in slivers)
    total = m2 + sum(s.area_m2 for s in small)
    demand = Demand("line", Quantity.INSIDE)
    shown = {"type": "Polygon", "coordinates": []} if total else None
    return Measure(demand, Area(total, total), total / SITE_M2, m2, small, geometry=shown)


def near(*features: tuple[str | None, float, float | None]) -> Measure:
    """A measure of features as (class, metres to the axis, metres to the edge)."""
    rows = tuple(Near(f"f{n}", c, None, axis, edge) for n, (c, axis, edge) in enumerate(features))
    return Measure(Demand("line", Quantity.DISTANCE), near=rows)


def report(
    state: LayerState = LayerState.CHECKED, uncovered: float | None = 0.0, reason: str = ""
) -> LayerReport:
    info = LayerInfo("line", "某线图层", "control_line", "polygon", "2026", "schematic")
    return LayerReport(info, state, None, uncovered, reason)


def judge(
    book: RuleBook,
    numbers: Numbers,
    *,
    use: str | None = "080403",
    attributes: Mapping[str, Claim] | None = None,
    layer: LayerReport | None = None,
) -> Finding:
    (rule,) = book.rules
    facts = Facts(
        use=use,
        attributes=attributes or {},
        as_of=AS_OF,
        site_area_m2=SITE_M2,
        measures={d: answer(d, numbers) for d in demands_of(rule)},
        layers={"line": layer or report()},
    )
    (finding,) = evaluate(book, facts)
    return finding


def answer(demand: Demand, numbers: Numbers) -> Measure:
    return numbers.get((demand.quantity, demand.classes), area(0.0))


def inside(measure: Measure, *classes: str) -> Numbers:
    return {(Quantity.INSIDE, classes): measure}


def outside(measure: Measure) -> Numbers:
    return {(Quantity.OUTSIDE, ()): measure}


def distance(measure: Measure) -> Numbers:
    return {(Quantity.DISTANCE, ()): measure}


# --- forbid_overlap ------------------------------------------------------------------------------

FORBID = 'kind = "forbid_overlap"\noutcome = "fail"\n' + AREA_TEXT
ROAD = (
    'exceptions = [{ uses = ["1207"], verdict = "conditional", reason = "核对规划道路" }, '
    '{ uses = ["14"], verdict = "pass", reason = "用途一致" }, '
    '{ uses = ["1403"], verdict = "fail", reason = "广场不是绿地" }]\n'
)


def test_off_the_line_passes_and_says_so(load: Load) -> None:
    found = judge(load(FORBID), {})
    assert (found.verdict, found.reason) == ("pass", "未涉及。")
    assert found.measure is not None
    assert found.measure.value == 0.0
    assert found.remedy == ""


def test_over_the_line_fails_with_square_metres_mu_and_share(load: Load) -> None:
    # By hand: 1,000 m² is 1.50 mu and 10 % of one hectare.
    found = judge(load(FORBID), inside(area(1000.0)))
    assert found.verdict == "fail"
    assert "1,000.00 m²（1.50 亩，占地块 10.0%）" in found.reason
    assert "080403 中小学用地" in found.reason
    assert found.measure is not None
    assert (found.measure.value, found.measure.unit) == (1000.0, "m²")
    assert found.measure.share == pytest.approx(0.1)
    assert found.geometry is not None
    assert found.remedy == "避让"


@pytest.mark.parametrize(("m2", "verdict"), [(50.0, "pass"), (50.01, "fail")])
def test_a_threshold_is_passed_when_it_is_just_met(load: Load, m2: float, verdict: str) -> None:
    assert judge(load(FORBID + "threshold_m2 = 50.0\n"), inside(area(m2))).verdict == verdict


def test_small_slivers_do_not_decide_but_are_mentioned(load: Load) -> None:
    found = judge(load(FORBID), inside(area(0.0, (0.5, 0.02), (0.3, 0.01))))
    assert found.verdict == "pass"
    assert "2 处细碎接触" in found.reason
    assert "0.80 m²" in found.reason


def test_slivers_of_exactly_ten_square_metres_pass_and_more_are_undetermined(load: Load) -> None:
    ten = [(0.5, 0.05)] * 20
    assert judge(load(FORBID), inside(area(0.0, *ten))).verdict == "pass"
    found = judge(load(FORBID), inside(area(0.0, *ten, (0.01, 0.01))))
    assert found.verdict == "undetermined"
    assert "未涉及" not in found.reason


def test_where_slivers_are_strict_one_is_enough_to_leave_it_open(load: Load) -> None:
    found = judge(load(FORBID + "strict_slivers = true\n"), inside(area(0.0, (0.001, 0.001))))
    assert found.verdict == "undetermined"
    assert "未涉及" not in found.reason
    assert "不设容差" in found.threshold
    # What is open is shown: the size of the sliver and where it lies.
    assert found.measure is not None
    assert found.measure.value == 0.001
    assert found.geometry is not None


def test_a_sliver_beside_a_real_overlap_does_not_soften_the_failure(load: Load) -> None:
    strict = load(FORBID + "strict_slivers = true\n")
    assert judge(strict, inside(area(5.0, (0.5, 0.02)))).verdict == "fail"


@pytest.mark.parametrize(
    ("use", "verdict", "words"),
    [
        ("1207", "conditional", "核对规划道路"),
        ("1401", "pass", "用途一致"),
        ("1403", "fail", "广场不是绿地"),  # the longer code wins over 14
        ("0901", "fail", "0901 商业用地"),
    ],
)
def test_exceptions_follow_the_longest_code(load: Load, use: str, verdict: str, words: str) -> None:
    found = judge(load(FORBID + ROAD), inside(area(100.0)), use=use)
    assert found.verdict == verdict
    assert words in found.reason
    assert "未涉及" not in found.reason


def test_without_a_use_an_overlap_with_exceptions_is_undetermined(load: Load) -> None:
    found = judge(load(FORBID + ROAD), inside(area(100.0)), use=None)
    assert found.verdict == "undetermined"
    assert "未说明拟建用途" in found.reason
    assert judge(load(FORBID + ROAD), {}, use=None).verdict == "pass"
    # Without exceptions the use does not matter.
    assert judge(load(FORBID), inside(area(100.0)), use=None).verdict == "fail"


def test_an_exception_may_ask_for_a_claim(load: Load) -> None:
    book = load(
        FORBID + 'exceptions = [{ uses = ["12"], verdict = "conditional", reason = "重点项目", '
        "attributes = { key_project = true } }]\n"
    )
    hit = inside(area(100.0))
    assert judge(book, hit, use="1202").verdict == "fail"
    assert judge(book, hit, use="1202", attributes={"key_project": False}).verdict == "fail"
    assert judge(book, hit, use="1202", attributes={"key_project": True}).verdict == "conditional"


def test_an_exception_begins_on_its_day(load: Load) -> None:
    later = (
        'exceptions = [{ uses = ["08"], verdict = "pass", reason = "略", '
        "valid_from = 2026-11-23 }]\n"
    )
    today = later.replace("2026-11-23", "2026-11-22")
    assert judge(load(FORBID + later), inside(area(100.0))).verdict == "fail"
    assert judge(load(FORBID + today), inside(area(100.0))).verdict == "pass"


def test_an_unverified_exception_cannot_fail_a_site(load: Load) -> None:
    book = load(
        FORBID.replace('"fail"', '"conditional"')
        + 'exceptions = [{ uses = ["08"], verdict = "fail", reason = "略", verified = false }]\n'
    )
    assert judge(book, inside(area(100.0))).verdict == "undetermined"


@pytest.mark.parametrize("state", [LayerState.NO_DATA, LayerState.FAILED])
def test_a_layer_without_answer_is_undetermined_and_named(load: Load, state: LayerState) -> None:
    found = judge(load(FORBID), {}, layer=report(state, reason="文件缺失"))
    assert found.verdict == "undetermined"
    assert "某线图层" in found.reason
    assert "文件缺失" in found.reason
    assert ("无数据" if state is LayerState.NO_DATA else "读取失败") in found.reason
    assert found.measure is None


def test_a_partly_uncovered_site_is_undetermined_unless_the_rest_fails(load: Load) -> None:
    part = report(uncovered=0.25)
    found = judge(load(FORBID), {}, layer=part)
    assert found.verdict == "undetermined"
    assert "25.0%" in found.reason
    assert judge(load(FORBID), inside(area(100.0)), layer=part).verdict == "fail"
    soft = load(FORBID.replace('"fail"', '"conditional"'))
    assert judge(soft, inside(area(100.0)), layer=part).verdict == "undetermined"


def test_rounding_at_the_coverage_edge_is_covered_and_unknown_coverage_is_not(load: Load) -> None:
    assert judge(load(FORBID), {}, layer=report(uncovered=1e-9)).verdict == "pass"
    found = judge(load(FORBID), {}, layer=report(uncovered=None))
    assert found.verdict == "undetermined"
    assert "覆盖范围不明" in found.reason


# --- require_within ------------------------------------------------------------------------------

WITHIN = 'kind = "require_within"\noutside = "fail"\n' + AREA_TEXT
BY_CLASS = (
    WITHIN
    + """
[[rule.by_class]]
label = "集中建设区"
classes = ["集中建设区", "410"]
outcome = "pass"

[[rule.by_class]]
label = "弹性发展区"
classes = ["弹性发展区", "420"]
outcome = "conditional"

[[rule.by_class]]
label = "特别用途区"
classes = ["430"]
outcome = "fail"
"""
)
CORE, FLEX, SPECIAL = ("集中建设区", "410"), ("弹性发展区", "420"), ("430",)


def test_wholly_within_passes(load: Load) -> None:
    found = judge(load(WITHIN), outside(area(0.0)))
    assert (found.verdict, found.reason) == ("pass", "未涉及。")


def test_partly_outside_fails_with_the_part(load: Load) -> None:
    found = judge(load(WITHIN), outside(area(250.0)))
    assert found.verdict == "fail"
    assert "界外 250.00 m²（0.38 亩，占地块 2.5%）" in found.reason
    assert found.measure is not None
    assert found.measure.value == 250.0


def test_a_sliver_outside_is_a_contact_and_passes(load: Load) -> None:
    assert judge(load(WITHIN), outside(area(0.0, (0.9, 0.05)))).verdict == "pass"


@pytest.mark.parametrize(
    ("parts", "verdict"),
    [
        ({CORE: 10_000.0}, "pass"),
        ({CORE: 6_000.0, FLEX: 4_000.0}, "conditional"),
        ({CORE: 9_000.0, FLEX: 500.0, SPECIAL: 500.0}, "fail"),
        ({CORE: 9_990.0}, "undetermined"),  # 10 m² of a class that the rule does not name
        ({CORE: 9_999.5}, "pass"),  # half a square metre is rounding between classes
    ],
)
def test_the_worst_class_wins(
    load: Load, parts: dict[tuple[str, ...], float], verdict: str
) -> None:
    numbers = {(Quantity.INSIDE, c): area(m2) for c, m2 in parts.items()}
    assert judge(load(BY_CLASS), numbers).verdict == verdict


def test_land_outside_the_coverage_is_unknown_not_outside(load: Load) -> None:
    # A quarter of the site is not covered, and the engine counts it as off the layer.
    quarter = report(uncovered=0.25)
    found = judge(load(WITHIN), outside(area(2500.0)), layer=quarter)
    assert found.verdict == "undetermined"
    assert judge(load(WITHIN), outside(area(2600.0)), layer=quarter).verdict == "fail"


def test_an_exception_for_uses_outside_says_where_the_site_lies(load: Load) -> None:
    book = load(WITHIN + 'exceptions = [{ uses = ["01"], verdict = "pass", reason = "仍为耕地" }]')
    found = judge(book, outside(area(400.0)), use="0103")
    assert found.verdict == "pass"
    assert "界外 400.00 m²" in found.reason
    assert "仍为耕地" in found.reason
    assert judge(book, outside(area(400.0)), use=None).verdict == "undetermined"


def test_an_exception_for_one_class_leaves_the_others_alone(load: Load) -> None:
    book = load(
        WITHIN
        + 'exceptions = [{ uses = ["08"], verdict = "pass", reason = "略", '
        + 'classes = ["弹性发展区"] }]\n'
        + BY_CLASS.removeprefix(WITHIN)
    )
    flex = {(Quantity.INSIDE, FLEX): area(10_000.0)}
    special = {(Quantity.INSIDE, SPECIAL): area(10_000.0)}
    assert judge(book, flex).verdict == "pass"
    assert judge(book, special).verdict == "fail"


# --- convert -------------------------------------------------------------------------------------

CONVERT = (
    'kind = "convert"\nscheme = "三调"\nedition = "2019"\n'
    + AREA_TEXT
    + """
exceptions = [{ uses = ["01"], verdict = "pass", reason = "仍为耕地" }]

[[rule.groups]]
label = "耕地"
classes = ["01*"]
procedure = "须办理农用地转用"

[[rule.groups]]
label = "林地"
classes = ["0301", "0307"]
procedure = "须林草部门同意"
"""
)


def test_no_land_of_the_classes_passes(load: Load) -> None:
    assert judge(load(CONVERT), {}).verdict == "pass"


def test_land_of_a_class_is_conditional_and_names_only_its_procedure(load: Load) -> None:
    found = judge(load(CONVERT), inside(area(2000.0), "01*"))
    assert found.verdict == "conditional"
    assert "耕地 2,000.00 m²（3.00 亩，占地块 20.0%）" in found.reason
    assert "须办理农用地转用" in found.reason
    assert "林草" not in found.reason


def test_several_classes_add_up_in_the_measure(load: Load) -> None:
    numbers = {**inside(area(2000.0), "01*"), **inside(area(500.0), "0301", "0307")}
    found = judge(load(CONVERT), numbers)
    assert found.measure is not None
    assert found.measure.value == 2500.0


def test_a_use_that_converts_nothing_passes(load: Load) -> None:
    found = judge(load(CONVERT), inside(area(2000.0), "01*"), use="0101")
    assert found.verdict == "pass"
    assert "仍为耕地" in found.reason


def test_slivers_of_cultivated_land_do_not_ask_for_a_procedure(load: Load) -> None:
    assert judge(load(CONVERT), inside(area(0.0, (0.4, 0.03)), "01*")).verdict == "pass"


def test_a_rule_for_some_uses_does_not_apply_to_others(load: Load) -> None:
    book = load('applies_to = ["14", "17"]\n' + CONVERT)
    numbers = inside(area(2000.0), "01*")
    assert judge(book, numbers, use="0804").verdict == "not_applicable"
    assert judge(book, numbers, use="1402").verdict == "conditional"
    assert judge(book, numbers, use=None).verdict == "undetermined"
    assert judge(book, {}, use=None).verdict == "pass"
    # A rule that does not apply does not need its layer either.
    gone = report(LayerState.NO_DATA)
    assert judge(book, {}, use="0804", layer=gone).verdict == "not_applicable"
    assert judge(book, {}, use=None, layer=gone).verdict == "undetermined"


# --- min_distance --------------------------------------------------------------------------------

DISTANCE = """
kind = "min_distance"
edge = "公路用地外缘"
plausible_half_width_m = 30.0
no_distance = ["城市*"]
outcome = "fail"
text = { clear = "不在控制区内。", hit = "距{feature} {distance}，小于 {required}" }
distance_m = { "国道" = 20.0, "县道" = 10.0, "铁路" = [8.0, 15.0] }
"""


def test_the_search_reaches_far_enough_for_the_widest_road(load: Load) -> None:
    (demand,) = demands_of(only(load(DISTANCE)))
    assert (demand.within_m, demand.classes) == (50.0, ())


def only(book: RuleBook) -> Rule:
    (rule,) = book.rules
    return rule


@pytest.mark.parametrize(
    ("edge_m", "verdict"),
    [(25.0, "pass"), (20.0, "pass"), (19.99, "fail"), (0.0, "fail")],
)
def test_the_distance_is_kept_when_it_is_just_met(load: Load, edge_m: float, verdict: str) -> None:
    found = judge(load(DISTANCE), distance(near(("国道", edge_m + 12, edge_m))))
    assert found.verdict == verdict
    assert found.measure is not None
    assert (found.measure.value, found.measure.unit) == (edge_m, "m")


def test_each_class_has_its_own_distance(load: Load) -> None:
    found = judge(load(DISTANCE), distance(near(("国道", 40.0, 28.0), ("县道", 24.0, 12.0))))
    assert found.verdict == "pass"


def test_too_near_names_feature_distance_and_requirement(load: Load) -> None:
    found = judge(load(DISTANCE), distance(near(("县道", 12.0, 3.25))))
    assert "f0（县道） 3.25 m，小于 10 m" in found.reason


def test_nothing_near_passes(load: Load) -> None:
    found = judge(load(DISTANCE), distance(near()))
    assert (found.verdict, found.measure) == ("pass", None)


@pytest.mark.parametrize(("axis_m", "verdict"), [(49.9, "undetermined"), (50.0, "pass")])
def test_a_centre_line_without_half_width_is_undetermined(
    load: Load, axis_m: float, verdict: str
) -> None:
    # 20 m from the edge plus 30 m of plausible half width.
    found = judge(load(DISTANCE), distance(near(("国道", axis_m, None))))
    assert found.verdict == verdict
    assert ("没有宽度" in found.reason) == (verdict == "undetermined")


def test_city_streets_have_no_distance_and_unknown_classes_are_doubted(load: Load) -> None:
    assert judge(load(DISTANCE), distance(near(("城市主干路", 5.0, 0.0)))).verdict == "pass"
    assert judge(load(DISTANCE), distance(near(("城市主干路", 5.0, None)))).verdict == "pass"
    for cls in ("专用公路", None):
        assert judge(load(DISTANCE), distance(near((cls, 9.0, 5.0)))).verdict == "undetermined"
    assert judge(load(DISTANCE), distance(near(("专用公路", 29.0, 20.0)))).verdict == "pass"


@pytest.mark.parametrize(
    ("edge_m", "hard", "soft"),
    [
        (7.9, "fail", "conditional"),
        (8.0, "undetermined", "conditional"),
        (14.9, "undetermined", "conditional"),
        (15.0, "pass", "pass"),
    ],
)
def test_between_the_least_and_the_most_distance_the_setting_decides(
    load: Load, edge_m: float, hard: str, soft: str
) -> None:
    numbers = distance(near(("铁路", edge_m + 16, edge_m)))
    assert judge(load(DISTANCE), numbers).verdict == hard
    assert judge(load(DISTANCE.replace('"fail"', '"conditional"')), numbers).verdict == soft


def test_a_use_that_may_come_near_is_excused_and_no_use_is_undetermined(load: Load) -> None:
    book = load(
        DISTANCE
        + 'exceptions = [{ uses = ["12"], verdict = "conditional", reason = "涉路许可" }]\n'
    )
    numbers = distance(near(("国道", 20.0, 8.0)))
    found = judge(book, numbers, use="1207")
    assert found.verdict == "conditional"
    assert "涉路许可" in found.reason
    assert judge(book, numbers, use=None).verdict == "undetermined"


def test_roads_without_data_are_undetermined(load: Load) -> None:
    gone = report(LayerState.NO_DATA)
    assert judge(load(DISTANCE), {}, layer=gone).verdict == "undetermined"


# --- use_permitted -------------------------------------------------------------------------------

USES = """
kind = "use_permitted"
text = { clear = "{cells}", hit = "{parts}" }
zone_names = { A = "甲区", B = "乙区" }

[[rule.cells]]
zones = ["A"]
uses = ["08"]
verdict = "permitted"
phrase = "公共服务"
origin = "plan"

[[rule.cells]]
zones = ["A"]
uses = ["0802"]
verdict = "conditional"
phrase = "研发"
origin = "plan"
condition = "须论证"

[[rule.cells]]
zones = ["A", "B"]
uses = ["080403"]
verdict = "prohibited"
phrase = "略"
origin = "assumption"

[[rule.cells]]
zones = ["B"]
uses = ["08"]
verdict = "prohibited"
phrase = "生态"
origin = "plan"

[[rule.cells]]
zones = ["A"]
uses = ["1001"]
verdict = "conditional"
phrase = "零碳"
origin = "plan"
condition = "零排放或低排放"
attribute = "emission_class"
accepted = ["zero", "low"]
refused = ["normal"]
"""


@pytest.mark.parametrize(
    ("use", "verdict"),
    [
        ("0806", "permitted"),
        ("0802", "conditional"),  # four digits beat two
        ("080403", "undetermined"),  # six digits beat two; an assumption cannot fail
        ("0701", "undetermined"),  # no cell names it
    ],
)
def test_the_longest_code_of_the_zone_decides(load: Load, use: str, verdict: str) -> None:
    expected = {"permitted": "pass"}.get(verdict, verdict)
    assert judge(load(USES), inside(area(SITE_M2), "A"), use=use).verdict == expected


def test_the_worst_zone_wins_and_the_shares_are_said(load: Load) -> None:
    numbers = {**inside(area(7500.0), "A"), **inside(area(2500.0), "B")}
    found = judge(load(USES), numbers, use="0806")
    assert found.verdict == "fail"
    assert "甲区 7,500.00 m²（11.25 亩，占地块 75.0%）" in found.reason
    assert "乙区 2,500.00 m²（3.75 亩，占地块 25.0%）" in found.reason
    assert found.measure is not None
    assert found.measure.value == 2500.0


def test_a_sliver_of_another_zone_does_not_decide(load: Load) -> None:
    numbers = {**inside(area(9999.5), "A"), **inside(area(0.0, (0.5, 0.02)), "B")}
    assert judge(load(USES), numbers, use="0806").verdict == "pass"


def test_without_a_use_it_is_undetermined_and_says_where_the_site_lies(load: Load) -> None:
    found = judge(load(USES), inside(area(SITE_M2), "A"), use=None)
    assert found.verdict == "undetermined"
    assert "甲区 100%" in found.reason


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        (None, "undetermined"),
        ("zero", "conditional"),
        ("low", "conditional"),
        ("normal", "fail"),
        ("unknown", "undetermined"),
        (True, "undetermined"),
    ],
)
def test_a_cell_may_depend_on_a_claim(load: Load, value: Claim | None, verdict: str) -> None:
    claims = {} if value is None else {"emission_class": value}
    numbers = inside(area(SITE_M2), "A")
    found = judge(load(USES), numbers, use="100101", attributes=claims)
    assert found.verdict == verdict
    assert "1001" in found.reason


def test_land_in_no_zone_and_in_an_unnamed_zone_is_undetermined(load: Load) -> None:
    numbers = {**inside(area(8000.0), "A"), **outside(area(2000.0))}
    found = judge(load(USES), numbers, use="0806")
    assert found.verdict == "undetermined"
    assert "分区以外" in found.reason
    found = judge(load(USES), inside(area(8000.0), "A"), use="0806")
    assert found.verdict == "undetermined"
    assert "其他分区" in found.reason


def test_a_use_code_that_no_table_knows_is_undetermined_not_an_error(load: Load) -> None:
    found = judge(load(USES), inside(area(SITE_M2), "A"), use="zz")
    assert found.verdict == "undetermined"
