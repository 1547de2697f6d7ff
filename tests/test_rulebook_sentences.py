"""Sentences about parts are prepared once, and say of each site what belongs to that site."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kind_facts import AS_OF, SITE_M2, Load, area, inside, judge, loaded, outside

from gis.check import check_site
from gis.intake import read_site
from gis.model import Verdict
from gis.plan import Plan
from gis.plan.samples import load_samples
from gis.rulebook import RuleBook, texts
from gis.rulebook.kinds.sentences import Trait, prepared

FORBID = 'kind = "forbid_overlap"\noutcome = "fail"\n'
WITHIN = """
kind = "require_within"
outside = "fail"
by_class = [
  { label = "甲 50% 类", classes = ["A"], outcome = "conditional" },
  { label = "乙类", classes = ["B"], outcome = "pass" },
]
"""
TEXT = (
    'text = { clear = "已核 100%，含 {parts}", hit = "占 {area}（即 {area}）：{parts}；%s 照写" }\n'
)


@pytest.fixture
def load(tmp_path: Path) -> Load:
    return lambda body: loaded(tmp_path, body)


@pytest.fixture(scope="module")
def within(tmp_path_factory: pytest.TempPathFactory) -> RuleBook:
    return loaded(tmp_path_factory.mktemp("rules"), WITHIN + TEXT)


def said(m2: float) -> str:
    return texts.area(m2, m2 / SITE_M2)


def test_a_per_cent_sign_of_a_rule_stays_and_an_area_may_be_named_twice(load: Load) -> None:
    book = load(FORBID + TEXT)
    found = judge(book, inside(area(1000.0)))
    assert found.reason == f"占 {said(1000)}（即 {said(1000)}）：重叠部分 {said(1000)}；%s 照写。"


def test_a_clear_sentence_without_areas_is_told_as_it_stands(load: Load) -> None:
    book = load(FORBID + 'text = { clear = " 已核 100%，未涉及；", hit = "占用" }\n')
    assert judge(book, {}).reason == "已核 100%，未涉及。"


@given(*[st.sampled_from((0.0, 0.004, 12.34, 4000.0)) | st.floats(0.01, 5000.0)] * 3)
def test_the_numbers_are_those_of_the_site_whatever_was_told_of_others(
    within: RuleBook, first: float, second: float, off: float
) -> None:
    numbers = inside(area(first), "A") | inside(area(second), "B") | outside(area(off))
    found = judge(within, numbers)
    parts = [("甲 50% 类", first), ("乙类", second), ("界外", off)]
    named = "；".join(f"{label} {said(m2)}" for label, m2 in parts if m2)
    against = said(first + off)
    if first or off:
        assert found.reason == f"占 {against}（即 {against}）：{named}；%s 照写。"
        assert found.measure is not None
        assert found.measure.value == first + off
    elif second:
        assert (found.verdict, found.reason) == ("pass", f"已核 100%，含 {named}。")
    else:
        assert found.verdict == "undetermined"


def test_parts_of_other_kinds_are_not_told_alike(within: RuleBook) -> None:
    rule = within.rules[0].params
    plain = Trait("甲", Verdict.FAIL, "", counts=True)
    others = [
        plain._replace(counts=False),
        plain._replace(label="乙"),
        plain._replace(note="注"),
        plain._replace(verdict=Verdict.PASS),
        plain._replace(verdict=Verdict.PASS, excused=True),
        plain._replace(verdict=Verdict.UNDETERMINED, unknown=True),
    ]
    told = [prepared(rule, "0803", (trait,)) for trait in (plain, *others)]
    assert len({repr(one) for one in told}) == len(told)
    assert prepared(rule, "0803", (plain,)) is told[0]
    assert prepared(rule, "0803", (plain, plain)).shown == (0, 1)


@pytest.mark.parametrize("use", [None, "0803", "14"])
def test_whatever_a_rule_says_is_made_of_whole_sentences(plan: Plan, use: str | None) -> None:
    for sample in load_samples(plan):
        site = read_site(sample.path, plan, name=sample.name, width_m=sample.width_m)
        check = check_site(site, plan, use=use, as_of=AS_OF, remedies=False, geometry=False)
        for finding in check.findings:
            assert finding.reason == texts.join([finding.reason])
            assert finding.reason
