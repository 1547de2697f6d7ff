"""forbid_overlap and require_within: clear, on the edge, over it, sliver, layer missing."""

from __future__ import annotations

from pathlib import Path

import pytest
from kind_facts import (
    AREA_TEXT,
    SITE_M2,
    Load,
    area,
    besides,
    inside,
    judge,
    loaded,
    outside,
    report,
)

from gis.model import LayerState, Measure, Quantity


@pytest.fixture
def load(tmp_path: Path) -> Load:
    return lambda body: loaded(tmp_path, body)


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


@pytest.mark.parametrize(("m2", "verdict"), [(50.0, "pass"), (50.004, "pass"), (50.01, "fail")])
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
    for book in (load(WITHIN), load(BY_CLASS)):
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
