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
from gis.rulebook import Facts, RuleBook, demands_of, evaluate, land_classes, load_rulebook
from gis.rulebook.kinds.overlap import known_codes

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
Numbers = Mapping[tuple[object, ...], Measure]


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


def near(*features: tuple[str | None, float, float | None], covered: bool = True) -> Measure:
    """A measure of features as (class, metres to the axis, metres to the edge)."""
    rows = tuple(Near(f"f{n}", c, None, axis, edge) for n, (c, axis, edge) in enumerate(features))
    return Measure(Demand("line", Quantity.DISTANCE), near=rows, reach_covered=covered)


def report(
    state: LayerState = LayerState.CHECKED,
    uncovered: float | None = 0.0,
    reason: str = "",
    scheme: tuple[str, str] | None = None,
) -> LayerReport:
    name, edition = scheme or (None, None)
    info = LayerInfo(
        "line",
        "某线图层",
        "control_line",
        "polygon",
        "2026",
        "schematic",
        scheme=name,
        edition=edition,
    )
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
    if demand.excluding:
        exact = numbers.get(("not", *demand.classes))
        return exact or numbers.get(("not",), area(0.0))
    return numbers.get((demand.quantity, demand.classes), area(0.0))


def inside(measure: Measure, *classes: str) -> Numbers:
    return {(Quantity.INSIDE, classes): measure}


def besides(measure: Measure, *classes: str) -> Numbers:
    """Land of none of the classes; without classes the answer to every demand of that sort."""
    return {("not", *classes): measure}


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


@pytest.mark.parametrize(
    ("use", "verdict"),
    [
        ("0804", "fail"),
        ("08", "undetermined"),  # 0803 is excused, the rest of 08 is not
        ("12", "undetermined"),  # 1202 and 1207 are conditional, the rest of 12 fails
        ("13", "conditional"),  # 1301 is conditional as well
        ("14", "undetermined"),  # 14 passes, 1403 under it fails
        ("1402", "pass"),
        ("1403", "fail"),
    ],
)
def test_a_use_above_those_of_the_exceptions_takes_none_of_their_outcomes(
    load: Load, use: str, verdict: str
) -> None:
    book = load(
        FORBID
        + 'exceptions = [{ uses = ["0803", "14"], verdict = "pass", reason = "略" }, '
        + '{ uses = ["1202", "1207", "13", "1301"], verdict = "conditional", reason = "略" }, '
        + '{ uses = ["1403"], verdict = "fail", reason = "略" }]\n'
    )
    found = judge(book, inside(area(100.0)), use=use)
    assert found.verdict == verdict
    assert ("下级分类代码" in found.reason) == (verdict == "undetermined")
    assert judge(book, {}, use=use).verdict == "pass"


def test_a_finer_exception_counts_only_with_its_claim(load: Load) -> None:
    book = load(
        FORBID + 'exceptions = [{ uses = ["1202"], verdict = "conditional", reason = "重点项目", '
        "attributes = { key_project = true } }]\n"
    )
    hit = inside(area(100.0))
    assert judge(book, hit, use="12").verdict == "fail"
    assert judge(book, hit, use="12", attributes={"key_project": True}).verdict == "undetermined"


def test_features_without_class_may_be_of_a_forbidden_class(load: Load) -> None:
    book = load(FORBID + 'classes = ["A*", "B"]\n')
    found = judge(book, besides(area(40.0), "*"))
    assert found.verdict == "undetermined"
    assert "类别未填的部分 40.00 m²" in found.reason
    assert "未涉及" not in found.reason
    # What is sure stays sure, and its area stands alone in the measure.
    found = judge(book, {**besides(area(40.0), "*"), **inside(area(100.0), "A*", "B")})
    assert found.verdict == "fail"
    assert "占用 100.00 m²" in found.reason
    assert found.measure is not None
    assert found.measure.value == 100.0
    assert judge(book, besides(area(0.0, (0.5, 0.02)), "*")).verdict == "pass"


def test_features_without_class_add_to_the_area_under_a_threshold(load: Load) -> None:
    book = load(FORBID + 'classes = ["A"]\nthreshold_m2 = 50.0\n')
    hit = inside(area(30.0), "A")
    assert judge(book, {**hit, **besides(area(20.0), "*")}).verdict == "pass"
    assert judge(book, {**hit, **besides(area(20.01), "*")}).verdict == "undetermined"


def test_a_use_that_may_be_on_the_line_may_be_on_features_without_class(load: Load) -> None:
    book = load(FORBID + 'classes = ["A"]\n' + ROAD)
    assert judge(book, besides(area(40.0), "*"), use="1402").verdict == "pass"
    assert judge(book, besides(area(40.0), "*"), use="1207").verdict == "undetermined"


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
    assert "已覆盖部分" in found.reason
    assert "其余 25.0% 不在“某线图层”图层覆盖范围内，需核实" in found.reason
    assert "未涉及" not in found.reason
    failed = judge(load(FORBID), inside(area(100.0)), layer=part)
    assert failed.verdict == "fail"
    assert failed.reason == judge(load(FORBID), inside(area(100.0))).reason
    excused = judge(load(FORBID + ROAD), inside(area(100.0)), use="1402", layer=part)
    assert excused.verdict == "undetermined"
    assert "已覆盖部分：重叠部分 100.00 m²" in excused.reason
    soft = load(FORBID.replace('"fail"', '"conditional"'))
    assert judge(soft, inside(area(100.0)), layer=part).verdict == "undetermined"


def test_rounding_at_the_coverage_edge_is_covered_and_unknown_coverage_is_not(load: Load) -> None:
    assert judge(load(FORBID), {}, layer=report(uncovered=1e-9)).verdict == "pass"
    found = judge(load(FORBID), {}, layer=report(uncovered=None))
    assert found.verdict == "undetermined"
    assert "覆盖范围不明" in found.reason
    assert "未涉及" not in found.reason


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
    found = judge(load(WITHIN), inside(area(SITE_M2)))
    assert (found.verdict, found.reason) == ("pass", "未涉及。")


def test_a_site_that_is_neither_within_nor_outside_was_not_measured(load: Load) -> None:
    for book in (load(WITHIN), load(BY_CLASS), load(USES)):
        found = judge(book, {})
        assert found.verdict == "undetermined"
        assert "没有量到" in found.reason


def test_partly_outside_fails_with_the_part(load: Load) -> None:
    found = judge(load(WITHIN), outside(area(250.0)))
    assert found.verdict == "fail"
    assert "界外 250.00 m²（0.38 亩，占地块 2.5%）" in found.reason
    assert found.measure is not None
    assert found.measure.value == 250.0


def test_a_sliver_outside_is_a_contact_and_passes(load: Load) -> None:
    numbers = {**inside(area(9999.1)), **outside(area(0.0, (0.9, 0.05)))}
    assert judge(load(WITHIN), numbers).verdict == "pass"


@pytest.mark.parametrize(
    ("parts", "verdict"),
    [
        ({CORE: 10_000.0}, "pass"),
        ({CORE: 6_000.0, FLEX: 4_000.0}, "conditional"),
        ({CORE: 9_000.0, FLEX: 500.0, SPECIAL: 500.0}, "fail"),
    ],
)
def test_the_worst_class_wins(
    load: Load, parts: dict[tuple[str, ...], float], verdict: str
) -> None:
    numbers = {(Quantity.INSIDE, c): area(m2) for c, m2 in parts.items()}
    assert judge(load(BY_CLASS), numbers).verdict == verdict


@pytest.mark.parametrize(
    ("rest", "verdict"),
    [(area(10.0), "undetermined"), (area(0.0, (0.5, 0.05)), "pass"), (area(0.0), "pass")],
)
def test_an_unlisted_class_is_open_even_under_a_listed_one(
    load: Load, rest: Measure, verdict: str
) -> None:
    # The site lies wholly on 集中建设区; a feature of another class overlaps it.
    numbers = {**inside(area(SITE_M2), *CORE), **besides(rest, *CORE, *FLEX, *SPECIAL)}
    found = judge(load(BY_CLASS), numbers)
    assert found.verdict == verdict
    assert ("其他类别" in found.reason) == (verdict == "undetermined")


def test_where_unlisted_classes_pass_a_missing_class_is_open(load: Load) -> None:
    book = load(BY_CLASS.replace('outside = "fail"', 'outside = "fail"\nunlisted = "pass"'))
    named = (*CORE, *FLEX, *SPECIAL)
    assert judge(book, besides(area(500.0), *named)).verdict == "pass"
    found = judge(book, besides(area(500.0)))
    assert found.verdict == "undetermined"
    assert "类别未填的部分" in found.reason


def test_land_outside_the_coverage_is_unknown_and_never_said_to_be_within(load: Load) -> None:
    # The engine measures as outside only what the layer covers.
    quarter = report(uncovered=0.25)
    book = load(WITHIN.replace("未涉及。", "地块全部位于范围内。"))
    found = judge(book, {(Quantity.INSIDE, ()): area(7500.0)}, layer=quarter)
    assert found.verdict == "undetermined"
    assert "全部" not in found.reason
    assert "25.0%" in found.reason
    assert judge(book, outside(area(100.0)), layer=quarter).verdict == "fail"
    unknown = judge(book, {}, layer=report(uncovered=None))
    assert unknown.verdict == "undetermined"
    assert "全部" not in unknown.reason


def test_what_lies_within_is_measured(load: Load) -> None:
    numbers = {**outside(area(2500.0)), (Quantity.INSIDE, ()): area(7500.0)}
    assert "界内 7,500.00 m²" in judge(load(WITHIN), numbers).reason


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


UNKNOWN_LAND = [
    (besides(area(300.0)), "地类为空、编码过粗或者不在“三调（2019）”中的部分 300.00 m²"),
    ({(Quantity.OUTSIDE, ()): area(300.0)}, "没有现状地类数据的部分 300.00 m²"),
]


@pytest.mark.parametrize(("numbers", "words"), UNKNOWN_LAND)
def test_land_of_which_the_class_is_not_known_is_open_and_not_called_clear(
    load: Load, numbers: Numbers, words: str
) -> None:
    found = judge(load(CONVERT), numbers)
    assert found.verdict == "undetermined"
    assert words in found.reason
    assert "未涉及" not in found.reason
    assert "占用" not in found.reason
    assert found.geometry is not None
    both = judge(load(CONVERT), {**numbers, **inside(area(2000.0), "01*")})
    assert both.verdict == "undetermined"
    assert "占用 2,000.00 m²" in both.reason
    assert words in both.reason
    assert judge(load(CONVERT), numbers, use=None).verdict == "undetermined"


@pytest.mark.parametrize(("numbers", "_words"), UNKNOWN_LAND)
def test_unknown_land_does_not_matter_to_a_use_that_converts_nothing(
    load: Load, numbers: Numbers, _words: str
) -> None:
    assert judge(load(CONVERT), numbers, use="0101").verdict == "pass"
    only_fields = CONVERT.replace('uses = ["01"]', 'uses = ["01"], classes = ["耕地"]')
    assert judge(load(only_fields), numbers, use="0101").verdict == "undetermined"


def test_a_gap_of_a_few_centimetres_between_two_land_classes_is_a_contact(load: Load) -> None:
    assert judge(load(CONVERT), outside(area(0.0, (0.9, 0.05)))).verdict == "pass"


def test_the_known_classes_are_the_codes_of_the_scheme_but_not_those_above_a_named_one(
    load: Load,
) -> None:
    """By hand: 03 may be 0301 and is left out; 01 is named; 0201 is not 0201K, one letter more."""
    (rest,) = (d for d in demands_of(only(load(CONVERT))) if d.excluding)
    every = land_classes.scheme("三调", "2019").classes
    assert set(every) - set(rest.classes) == {"03"}
    adjustable = known_codes("三调", "2019", ("0201K", "1104K"))
    assert set(every) - set(adjustable) == {"02", "11"}
    assert {"0201", "1104"} <= set(adjustable)


def test_without_a_scheme_only_features_without_class_are_unknown(load: Load) -> None:
    book = load(CONVERT.replace('scheme = "三调"\nedition = "2019"\n', ""))
    assert [d.classes for d in demands_of(only(book)) if d.excluding] == [("*",)]
    found = judge(book, besides(area(300.0)))
    assert found.verdict == "undetermined"
    assert "地类为空的部分" in found.reason


@pytest.mark.parametrize(
    ("scheme", "verdict"),
    [
        (("三调", "2019"), "pass"),
        (("DLBM", "2019"), "pass"),  # another name of the same table
        (("用地用海", "2023"), "undetermined"),
        (("三调", "2007"), "undetermined"),
    ],
)
def test_a_layer_in_another_scheme_cannot_answer(
    load: Load, scheme: tuple[str, str], verdict: str
) -> None:
    found = judge(load(CONVERT), {}, layer=report(scheme=scheme))
    assert found.verdict == verdict
    assert ("分类体系" in found.reason) == (verdict == "undetermined")


def test_a_use_above_those_of_the_rule_may_fall_under_it(load: Load) -> None:
    book = load('applies_to = ["1402", "1701"]\n' + CONVERT)
    numbers = inside(area(2000.0), "01*")
    assert judge(book, numbers, use="1402").verdict == "conditional"
    assert judge(book, numbers, use="1401").verdict == "not_applicable"
    found = judge(book, numbers, use="14")
    assert found.verdict == "undetermined"
    assert "14 绿地与开敞空间用地 不够细" in found.reason
    assert judge(book, {}, use="14").verdict == "pass"
    assert judge(book, {}, use="14", layer=report(LayerState.NO_DATA)).verdict == "undetermined"


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


@pytest.mark.parametrize(
    ("feature", "verdict"),
    [(("国道", 40.0, 25.0), "undetermined"), (("国道", 40.0, 19.0), "fail")],
)
def test_land_nearby_that_is_not_covered_may_hide_a_road(
    load: Load, feature: tuple[str, float, float], verdict: str
) -> None:
    found = judge(load(DISTANCE), distance(near(feature, covered=False)))
    assert found.verdict == verdict
    # 20 m of the rule and 30 m of plausible half width: an axis at 50 m may have its edge too near.
    assert ("地块周边 50 m 范围内有区域不在“某线图层”图层覆盖范围内" in found.reason) == (
        verdict == "undetermined"
    )
    assert "不在控制区内" not in found.reason


def test_with_nothing_seen_and_land_nearby_not_covered_it_is_open(load: Load) -> None:
    nothing = distance(near(covered=False))
    assert judge(load(DISTANCE), nothing).verdict == "undetermined"
    soft = load(DISTANCE.replace('"fail"', '"conditional"'))
    assert judge(soft, nothing).verdict == "undetermined"
    seen = distance(near(("国道", 20.0, 8.0), covered=False))
    assert judge(soft, seen).verdict == "undetermined"
    assert "f0（国道） 8 m" in judge(soft, seen).reason
    found = judge(load(DISTANCE), nothing, layer=report(uncovered=None))
    assert found.verdict == "undetermined"
    assert found.reason.count("覆盖范围") == 1


def test_a_use_that_may_stand_anywhere_does_not_need_the_land_nearby(load: Load) -> None:
    excuse = 'exceptions = [{ uses = ["14"], verdict = "pass", reason = "绿化不限" }]\n'
    book = load(DISTANCE + excuse)
    for features in ([], [("国道", 20.0, 8.0)], [("国道", 20.0, None)]):
        found = judge(book, distance(near(*features, covered=False)), use="1402")
        assert found.verdict == "pass"
        assert "绿化不限" in found.reason
        assert "不在控制区内" not in found.reason


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
    numbers = {**inside(area(SITE_M2), "A"), **besides(area(2000.0), "A", "B")}
    found = judge(load(USES), numbers, use="0806")
    assert found.verdict == "undetermined"
    assert "其他分区 2,000.00 m²" in found.reason


def test_a_partly_covered_site_keeps_what_the_zones_say(load: Load) -> None:
    found = judge(load(USES), inside(area(7500.0), "A"), use="0806", layer=report(uncovered=0.25))
    assert found.verdict == "undetermined"
    assert "已覆盖部分：甲区：0806 医疗卫生用地准入" in found.reason
    assert "其余 25.0%" in found.reason


def test_a_use_above_the_cells_is_open_unless_it_has_its_own_cell(load: Load) -> None:
    in_a = inside(area(SITE_M2), "A")
    assert judge(load(USES), in_a, use="08").verdict == "pass"  # 0802 under it is conditional
    found = judge(load(USES), in_a, use="10")
    assert found.verdict == "undetermined"
    assert "下级分类代码" in found.reason


def test_a_use_code_that_no_table_knows_is_undetermined_not_an_error(load: Load) -> None:
    found = judge(load(USES), inside(area(SITE_M2), "A"), use="zz")
    assert found.verdict == "undetermined"
