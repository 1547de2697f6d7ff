"""attribute_limit, document_required, quota, share_limit, compatible_use: both sides of a limit.

Facts are made by hand: a site of one hectare (15 mu), so that every expected number can be worked
out on paper.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from gis.model import (
    Area,
    Demand,
    Impact,
    LayerInfo,
    LayerReport,
    LayerState,
    Measure,
    Quantity,
    Sliver,
    Touched,
)
from gis.rulebook import Facts
from gis.rulebook.facts import Outcome
from gis.rulebook.kinds import KINDS
from gis.rulebook.schema import (
    AttributeLimit,
    CompatibleUse,
    DocumentRequired,
    Quota,
    RuleEntry,
    ShareLimit,
)

SITE_M2 = 10_000.0
HEAD: dict[str, Any] = {
    "id": "x.rule",
    "title": "某规则",
    "origin": "statute",
    "effect_verified": True,
    "basis": [{"document": "law", "verified": True}],
    "office": "某局",
    "priority": 10,
    "checked_on": date(2026, 11, 22),
    "remedy": "改正",
}


def told(rule: RuleEntry, *, use: str | None = "0701", **known: Any) -> Outcome:
    """Return what the kind of a rule says; ``known`` are fields of the facts."""
    info = LayerInfo("line", "某图层", "any", "polygon", "2026", "schematic")
    layer = LayerReport(info, LayerState.CHECKED, None, known.pop("uncovered", 0.0))
    given = known.pop("answers", {})
    demands = KINDS[rule.kind].demands(rule)  # type: ignore[attr-defined]  # every kind has one
    facts = Facts(
        use=use,
        attributes=known.pop("attributes", {}),
        as_of=date(2026, 11, 22),
        site_area_m2=SITE_M2,
        measures={d: given.get(_key(d), Measure(d)) for d in demands},
        layers={"line": layer},
        **known,
    )
    return KINDS[rule.kind].judge(rule, facts)  # type: ignore[attr-defined]  # every kind has one


def _key(demand: Demand) -> str:
    return "not" if demand.excluding else demand.quantity.value


def land(m2: float, *features: Touched, covered: bool = True) -> Measure:
    demand = Demand("line", Quantity.INSIDE)
    return Measure(demand, Area(m2, m2), m2 / SITE_M2, m2, features=features, reach_covered=covered)


# --- attribute_limit -----------------------------------------------------------------------------


def limits(*rows: Mapping[str, Any], attribute: str = "plot_ratio", **more: Any) -> AttributeLimit:
    text = {"clear": "{label} {value} 符合 {limit}", "hit": "{label} {value} 不符 {limit}"}
    given = HEAD | {"kind": "attribute_limit", "outcome": "fail", "text": text} | more
    return AttributeLimit(attribute=attribute, rows=[{"label": "甲", **r} for r in rows], **given)


@pytest.mark.parametrize(
    ("limit", "value", "verdict"),
    [
        ({"at_least": 0.8}, 0.8, "pass"),
        ({"at_least": 0.8}, 0.1 + 0.7, "pass"),  # 0.7999999999999999 in binary
        ({"at_least": 0.8}, 0.7999, "fail"),
        ({"at_most": 24.0}, 24.0, "pass"),
        ({"at_most": 24.0}, 24.01, "fail"),
        ({"at_least": 1.0, "at_most": 1.1}, 0.99, "fail"),
        ({"at_least": 1.0, "at_most": 1.1}, 1.1, "pass"),
    ],
)
def test_a_claim_exactly_at_its_limit_keeps_it(
    limit: dict[str, float], value: float, verdict: str
) -> None:
    found = told(limits(limit), attributes={"plot_ratio": value})
    assert found.verdict == verdict
    assert found.measure is not None
    assert (found.measure.kind, found.measure.value) == ("plot_ratio", value)


def test_a_limit_that_is_missed_narrowly_is_not_printed_as_equal() -> None:
    found = told(limits({"at_least": 0.8}), attributes={"plot_ratio": 0.79999})
    assert found.reason == "甲 0.79999 不符 0.8。"


def test_a_claim_not_made_is_open_and_named_with_its_limit() -> None:
    found = told(limits({"at_least": 0.8}))
    assert found.verdict == "undetermined"
    assert found.reason == "未申报容积率（plot_ratio），甲的要求是不低于 0.8。"


@pytest.mark.parametrize(("per", "limit"), [("ha", 300.0), ("mu", 20.0)])
def test_investment_is_divided_by_the_area_of_the_site(per: str, limit: float) -> None:
    """By hand: 300 wan on 1 ha = 15 mu are 300 wan per ha and 20 wan per mu."""
    rule = limits({"at_least": limit}, attribute="investment_wan", per=per)
    found = told(rule, attributes={"investment_wan": 300.0})
    assert found.verdict == "pass"
    assert found.measure is not None
    assert found.measure.value == pytest.approx(limit)
    assert told(rule, attributes={"investment_wan": 299.0}).verdict == "fail"


def test_a_number_that_nobody_has_published_leaves_it_open() -> None:
    rule = limits({"at_least": {"parameter": "z.ratio", "title": "某下限"}})
    found = told(rule, attributes={"plot_ratio": 9.0})
    assert found.verdict == "undetermined"
    assert "规划参数“某下限”未公布，须由主管部门录入" in found.reason


def test_the_row_of_the_longest_use_and_of_the_other_claims_decides() -> None:
    rule = limits(
        {"at_most": 1.0},
        {"at_most": 2.0, "uses": ["07"]},
        {"at_most": 3.0, "uses": ["07"], "when": [{"attribute": "storeys", "above": 9.0}]},
    )
    claims = {"plot_ratio": 2.5}
    assert told(rule, attributes={**claims, "storeys": 10.0}).verdict == "pass"
    assert told(rule, attributes={**claims, "storeys": 9.0}).verdict == "fail"
    assert told(rule, use="0901", attributes=claims).verdict == "fail"
    open_ = told(rule, attributes=claims)
    assert open_.verdict == "undetermined"
    assert "未申报层数（storeys）" in open_.reason
    # Whatever the storeys are, 1.5 keeps both limits.
    assert told(rule, attributes={"plot_ratio": 1.5}).verdict == "pass"


def test_a_use_without_a_row_is_not_what_the_rule_is_about() -> None:
    rule = limits({"at_most": 1.0, "uses": ["10"]})
    assert told(rule, attributes={"plot_ratio": 2.0}).verdict == "not_applicable"
    assert told(rule, use=None, attributes={"plot_ratio": 2.0}).verdict == "undetermined"


@pytest.mark.parametrize(("value", "verdict"), [("low", "pass"), ("normal", "fail")])
def test_a_word_must_be_one_of_those_allowed(value: str, verdict: str) -> None:
    rule = limits({"one_of": ["zero", "low"]}, attribute="emission_class")
    found = told(rule, attributes={"emission_class": value})
    assert found.verdict == verdict
    assert "零排放或低排放" in found.clear + found.reason


def plots(*values: float | None) -> dict[str, Measure]:
    rows = (
        Touched(f"f{n}", None, f"B0{n}", 100.0, 100.0, {"max": v}) for n, v in enumerate(values)
    )
    return {"inside": land(200.0, *rows)}


@pytest.mark.parametrize(
    ("values", "verdict", "word"),
    [
        ((2.0, 1.5), "pass", "B01"),
        ((2.0, 1.4), "fail", "B01 1.5 不符 1.4"),
        ((2.0, None), "undetermined", "B01：规划没有写明限值"),
        ((1.4, None), "fail", "B00 1.5 不符 1.4"),
        ((), "not_applicable", "地块不在“某图层”内"),
    ],
)
def test_every_plot_that_is_touched_sets_its_own_limit(
    values: tuple[float | None, ...], verdict: str, word: str
) -> None:
    rule = limits({"at_most": {"field": "max"}}, layer="line")
    found = told(rule, attributes={"plot_ratio": 1.5}, answers=plots(*values))
    assert found.verdict == verdict
    assert word in found.clear + found.reason


def test_a_plot_that_is_only_grazed_sets_no_limit() -> None:
    grazed = Touched("f", None, "B9", 0.5, 0.0, {"max": 0.1})
    rule = limits({"at_most": {"field": "max"}}, layer="line")
    found = told(rule, attributes={"plot_ratio": 1.5}, answers={"inside": land(0.5, grazed)})
    assert found.verdict == "not_applicable"


@pytest.mark.parametrize("plots_touched", [0, 1])
def test_many_slivers_on_plots_leave_their_limits_open(plots_touched: int) -> None:
    # Twelve slivers of 0.9 m² are 10.80 m², more than a rule leaves out; eleven are not.
    def grazing(count: int) -> Outcome:
        slivers = (Sliver(0.9, 0.05),)
        rows = [
            Touched(f"g{n}", None, f"G{n}", 0.9, 0.0, {"max": 0.1}, slivers) for n in range(count)
        ]
        rows += [Touched("f", None, "B1", 500.0, 500.0, {"max": 2.0})] * plots_touched
        rule = limits({"at_most": {"field": "max"}}, layer="line")
        return told(rule, attributes={"plot_ratio": 1.5}, answers={"inside": land(0.0, *rows)})

    assert grazing(11).verdict == ("pass" if plots_touched else "not_applicable")
    assert grazing(12).verdict == "undetermined"
    assert "12 处细碎接触，共 10.80 m²" in grazing(12).reason


# --- document_required ---------------------------------------------------------------------------


def documents(*rows: Mapping[str, Any], **more: Any) -> DocumentRequired:
    text = {"clear": "不需要", "hit": "须提交：{documents}"}
    given = HEAD | {"kind": "document_required", "text": text} | more
    return DocumentRequired(documents=list(rows), **given)


LARGE = {"title": "勘探报告", "office": "文物局", "when": [{"site": "area_m2", "at_least": 2e4}]}
CLAIMED = {"title": "选址意见书", "when": [{"attribute": "land_supply", "one_of": ["allocated"]}]}


def test_documents_are_named_and_those_in_doubt_with_their_condition() -> None:
    found = told(documents({"title": "调查报告", "office": "环保局"}, LARGE, CLAIMED))
    assert found.verdict == "conditional"
    assert found.reason == (
        "须提交：调查报告（环保局）；如需要：选址意见书（未申报供地方式（land_supply））。"
    )


def test_no_document_needed_does_not_apply_and_says_why() -> None:
    found = told(documents(LARGE))
    assert found.verdict == "not_applicable"
    assert "地块面积 10,000.00 m²" in found.reason
    assert "20,000.00 m²" in found.reason


def test_usual_steps_are_listed_and_pass() -> None:
    found = told(documents({"title": "许可证"}, outcome="pass"))
    assert (found.verdict, found.reason) == ("pass", "须提交：许可证。")


def test_a_layer_without_answer_never_makes_a_document_merely_conditional() -> None:
    row = {"title": "论证", "when": [{"layer": "other", "lies": "on"}]}
    assert told(documents(row)).verdict == "undetermined"


# --- quota ---------------------------------------------------------------------------------------


def budget(*rows: Impact, account: str = "conversion") -> Outcome:
    text = {"clear": "没有超出。", "hit": "需要 {taken}，剩余 {left}，缺 {short}"}
    rule = Quota(kind="quota", outcome="fail", account=account, text=text, **HEAD)
    return told(rule, budgets={r.id: r for r in rows})


def taken(m2: float | None, short: float | None, key: str = "conversion") -> Impact:
    left = None if short is None or m2 is None else m2 - short if short else m2 + 500.0
    exceeded = None if short is None else short > 0
    return Impact(
        key, "农用地转用", m2, covered_m2=m2, reserved_m2=0.0, free_before_m2=left,
        shortfall_m2=short, exceeded=exceeded, text="占用若干",
    )  # fmt: skip


def test_a_budget_that_is_exceeded_says_by_how_much() -> None:
    found = budget(taken(3000.0, 1000.0))
    assert found.verdict == "fail"
    assert found.reason == (
        "需要 3,000.00 m²（4.50 亩），剩余 2,000.00 m²（3.00 亩），缺 1,000.00 m²（1.50 亩）。"
    )


@pytest.mark.parametrize(
    ("rows", "verdict"),
    [
        ((), "pass"),
        ((taken(3000.0, 0.0),), "pass"),
        ((taken(0.0, None),), "pass"),
        ((taken(3000.0, None),), "undetermined"),
        ((taken(None, None),), "undetermined"),
        ((taken(5.0, 0.0, "replacement"), taken(9.0, 9.0, "conversions")), "pass"),
        ((taken(5.0, 0.0, "conversion:a"), taken(9.0, 9.0, "conversion:b")), "fail"),
    ],
)
def test_what_nobody_knows_of_a_budget_stays_open(rows: tuple[Impact, ...], verdict: str) -> None:
    assert budget(*rows).verdict == verdict


@pytest.mark.parametrize(("m2", "verdict"), [(0.0, "pass"), (0.01, "fail")])
def test_any_land_promised_to_others_is_too_much(m2: float, verdict: str) -> None:
    row = Impact("reservations", "预留", m2, text="与某项目重叠")
    assert budget(row, account="reservations").verdict == verdict


def test_an_unreadable_register_is_open() -> None:
    row = Impact("reservations", "与预留用地重叠", None, text="预留台账读取失败")
    found = budget(row, account="reservations")
    assert found.verdict == "undetermined"
    assert "预留台账读取失败" in found.reason


# --- share_limit ---------------------------------------------------------------------------------


def share(**limit: Any) -> ShareLimit:
    text = {"clear": "占 {share}", "hit": "占 {share}，应为 {limit}"}
    given = HEAD | {"kind": "share_limit", "layer": "line", "outcome": "fail", "text": text}
    return ShareLimit(**given, classes=["a"], **limit)


@pytest.mark.parametrize(
    ("limit", "m2", "doubtful", "verdict"),
    [
        ({"at_most": 0.3}, 3000.0, 0.0, "pass"),
        ({"at_most": 0.3}, 3001.0, 0.0, "fail"),
        ({"at_most": 0.3}, 2999.0, 2.0, "undetermined"),
        ({"at_least": 0.3}, 3000.0, 0.0, "pass"),
        ({"at_least": 0.3}, 2999.0, 0.0, "fail"),
        ({"at_least": 0.3}, 2999.0, 2.0, "undetermined"),
    ],
)
def test_a_share_is_kept_when_it_is_just_met_and_land_without_class_counts_against_it(
    limit: dict[str, float], m2: float, doubtful: float, verdict: str
) -> None:
    found = told(share(**limit), answers={"inside": land(m2), "not": land(doubtful)})
    assert found.verdict == verdict


def test_a_least_share_that_the_unseen_rest_may_complete_is_open() -> None:
    answers = {"inside": land(2500.0)}
    assert told(share(at_least=0.3), answers=answers, uncovered=0.1).verdict == "undetermined"
    assert told(share(at_least=0.3), answers=answers, uncovered=0.01).verdict == "fail"


def test_a_largest_share_is_open_where_land_nearby_may_hide_more() -> None:
    answers = {"inside": land(0.0, covered=False)}
    assert told(share(at_most=0.3, within_m=50.0), answers=answers).verdict == "undetermined"
    assert told(share(at_least=0.0, within_m=50.0), answers=answers).verdict == "pass"


# --- compatible_use ------------------------------------------------------------------------------


def planned_rule() -> CompatibleUse:
    text = {"clear": "相符。", "hit": "{parts} 不同"}
    entries = [
        {"planned": ["09"], "uses": ["0701"], "verdict": "prohibited", "phrase": "甲",
         "origin": "plan"},
        {"planned": ["0901"], "uses": ["0701"], "verdict": "conditional", "phrase": "乙",
         "origin": "plan", "condition": "论证"},
        {"planned": ["12"], "uses": ["0701"], "verdict": "prohibited", "phrase": "丙",
         "origin": "plan", "verified": False},
    ]  # fmt: skip
    given = HEAD | {"kind": "compatible_use", "layer": "line", "text": text}
    return CompatibleUse(**given, scheme="用地用海", edition="2023", entries=entries)


def compatible(use: str | None, *planned: tuple[str | None, float]) -> Outcome:
    rows = (Touched(f"f{n}", c, None, m2, m2) for n, (c, m2) in enumerate(planned))
    measure = land(sum(m2 for _, m2 in planned), *rows)
    return told(planned_rule(), use=use, answers={"inside": measure})


@pytest.mark.parametrize(
    ("use", "planned", "verdict"),
    [
        ("0701", "0701", "pass"),
        ("070102", "0701", "pass"),
        ("07", "0701", "undetermined"),  # too coarse: 0702 would differ
        ("0701", "0902", "fail"),
        ("0701", "0901", "conditional"),  # the longer planned code decides
        ("0701", "1207", "undetermined"),  # nobody has read the text
        ("0701", "0803", "undetermined"),  # nobody has listed it
        ("0701", None, "undetermined"),
        ("0701", "ZZ", "undetermined"),
        (None, "0701", "undetermined"),
    ],
)
def test_the_planned_class_decides_what_may_be_built(
    use: str | None, planned: str | None, verdict: str
) -> None:
    assert compatible(use, (planned, SITE_M2)).verdict == verdict


def test_slivers_on_other_planned_land_are_left_out_and_many_of_them_are_not() -> None:
    def grazed(count: int) -> Outcome:
        slivers = (Sliver(0.9, 0.05),) * count
        rest = SITE_M2 - 0.9 * count
        rows = (
            Touched("0701", "0701", None, rest, rest),
            Touched("0902", "0902", None, 0.9 * count, 0.0, {}, slivers),
        )
        return told(planned_rule(), use="0701", answers={"inside": land(SITE_M2, *rows)})

    assert grazed(1).verdict == "pass"
    assert "1 处细碎接触，共 0.90 m²" in grazed(1).reason
    # Twelve of 0.9 m² are 10.80 m², more than the 10 m² that a rule leaves out.
    assert grazed(12).verdict == "undetermined"
    assert "10.80 m²" in grazed(12).reason


def test_the_worst_planned_class_wins_and_is_measured() -> None:
    found = compatible("0701", ("0701", 9000.0), ("0902", 1000.0))
    assert found.verdict == "fail"
    assert found.measure is not None
    assert found.measure.value == 1000.0
    assert "1,000.00 m²" in found.reason
