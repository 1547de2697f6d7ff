"""What the rule book lint finds, each fault written into a small book of its own."""

from __future__ import annotations

from datetime import date

import pytest

from gis.plan import load_plan
from gis.rulebook import load_rulebook
from gis.rulebook.lint import days_without_law, lint, lint_document

TODAY = date(2026, 11, 27)
DOCUMENT = """
[[document]]
id = "law"
title = "某法"
valid_from = 2010-01-01
verified = true
checked_on = 2026-11-22
source = "原文"
"""
RULE = """
[[rule]]
id = "x.stay-off"
title = "不得占用"
title_en = "Stay off"
kind = "forbid_overlap"
layer = "green"
classes = ["公园绿地"]
outcome = "fail"
origin = "statute"
effect_verified = true
office = "主管部门"
priority = 10
valid_from = 2010-01-01
checked_on = 2026-11-22
remedy = "避让。"
text = { clear = "未占用。", hit = "占用 {area}" }
basis = [{ document = "law", article = "第一条", verified = true }]
"""
LIMIT = """
[[rule]]
id = "x.ratio"
title = "容积率"
title_en = "Plot ratio"
kind = "attribute_limit"
attribute = "plot_ratio"
outcome = "fail"
origin = "statute"
effect_verified = true
office = "主管部门"
priority = 11
valid_from = 2010-01-01
checked_on = 2026-11-22
remedy = "调整。"
text = { clear = "合格。", hit = "{value}" }
basis = [{ document = "law", article = "第二条", verified = true }]
rows = [{ label = "住宅", uses = ["0701"], at_most = 2.0 }]
"""


@pytest.fixture
def remarks(tmp_path):
    def find(text, layers=None):
        (tmp_path / "book.toml").write_text(text, encoding="utf-8")
        book = load_rulebook(["book.toml"], tmp_path)
        return [(r.level, r.code, r.where) for r in lint(book, TODAY, layers)]

    return find


def test_a_sound_book_has_no_remark(remarks):
    assert remarks(DOCUMENT + RULE + LIMIT, {"green": frozenset({"公园绿地"})}) == []


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('title_en = "Stay off"\n', "", "no-english-title"),
        ("checked_on = 2026-11-22\nremedy", "checked_on = 2026-11-28\nremedy", "checked-in-future"),
        ("valid_from = 2010-01-01\nv", "valid_to = 2020-12-31\nv", "no-law-in-force"),
        ("valid_from = 2010-01-01\nc", "valid_to = 2009-12-31\nc", "basis-never-in-force"),
        (
            "outcome",
            'when = [{ site = "area_m2", above = 5.0, below = 5.0 }]\noutcome',
            "unreachable",
        ),
        (
            "outcome",
            'when = [{ attribute = "key_project", one_of = [true] }, '
            '{ attribute = "key_project", one_of = [false] }]\noutcome',
            "unreachable",
        ),
        (
            "outcome",
            'when = [{ layer = "z", lies = "on" }, { layer = "z", lies = "off" }]\noutcome',
            "unreachable",
        ),
        (
            "outcome",
            'applies_to = ["08"]\n'
            'exceptions = [{ uses = ["0701"], verdict = "pass", reason = "x" }]\noutcome',
            "unreachable",
        ),
        (
            "outcome",
            'exceptions = [{ uses = ["08"], verdict = "pass", reason = "x" }, '
            '{ uses = ["08"], verdict = "fail", reason = "y" }]\noutcome',
            "unreachable",
        ),
        (
            "outcome",
            'exceptions = [{ uses = ["08"], verdict = "pass", reason = "x", '
            "valid_to = 2009-12-31 }]\noutcome",
            "unreachable",
        ),
    ],
)
def test_one_wrong_line_gives_one_fault(remarks, old, new, code):
    book = DOCUMENT + RULE
    assert old in book
    assert ("fault", code) in {(level, c) for level, c, _ in remarks(book.replace(old, new, 1))}


def test_a_document_that_nobody_cites_is_a_fault(remarks):
    other = DOCUMENT.replace('"law"', '"other"')
    assert remarks(DOCUMENT + other + RULE) == [("fault", "unused-document", "other")]


def test_two_rows_for_one_case_are_a_fault(remarks):
    row = '{ label = "住宅", uses = ["0701"], at_most = 2.0 }'
    doubled = LIMIT.replace(row, f"{row}, {row.replace('2.0', '3.0')}")
    assert remarks(DOCUMENT + doubled) == [("fault", "unreachable", "x.ratio")]


def test_two_rules_that_ask_for_the_same_are_a_fault(remarks):
    twin = RULE.replace("x.stay-off", "x.twin").replace("不得占用", "另一条")
    assert remarks(DOCUMENT + RULE + twin) == [("fault", "same-as-another", "x.twin")]


def test_an_empty_parameter_is_a_note_and_an_unused_one_is_a_fault(remarks):
    declared = '[[parameter]]\nid = "p"\ntitle = "某限值"\nunit = "ratio"\n'
    limit = LIMIT.replace("at_most = 2.0", 'at_most = { parameter = "p" }')
    assert remarks(DOCUMENT + declared + limit) == [("note", "empty-parameter", "p")]
    assert remarks(DOCUMENT + declared + RULE) == [("fault", "unused-parameter", "p")]


def test_what_is_not_verified_is_a_note(remarks):
    book = (DOCUMENT + RULE).replace("verified = true }]", "verified = false }]")
    assert remarks(book) == [
        ("note", "effect-without-verified-basis", "x.stay-off"),
        ("note", "unverified-basis", "x.stay-off"),
    ]


def test_a_statement_not_checked_for_two_years_is_a_note(remarks):
    book = DOCUMENT + RULE.replace("checked_on = 2026-11-22", "checked_on = 2024-11-22")
    assert remarks(book) == [("note", "checked-long-ago", "x.stay-off")]


def test_the_plan_must_have_the_layer_and_its_data_should_have_the_class(remarks):
    book = DOCUMENT + RULE
    assert remarks(book, {}) == [("fault", "no-such-layer", "x.stay-off")]
    assert remarks(book, {"green": None}) == []
    held = {"green": frozenset({"防护绿地"})}
    assert remarks(book, held) == [("note", "class-not-in-data", "x.stay-off")]


def test_days_between_two_laws_are_named_to_the_day(tmp_path):
    second = DOCUMENT.replace('"law"', '"new"').replace("2010-01-01", "2015-07-01")
    first = DOCUMENT.replace("verified", "valid_to = 2014-12-31\nverified", 1)
    cites = RULE.replace(
        "basis = [", 'basis = [{ document = "new", article = "第一条", verified = true }, '
    )
    (tmp_path / "book.toml").write_text(first + second + cites, encoding="utf-8")
    rule = load_rulebook(["book.toml"], tmp_path).rules[0]
    assert days_without_law(rule) == ((date(2015, 1, 1), date(2015, 6, 30)),)


def test_the_bundled_rule_book_has_no_fault():
    plan = load_plan()
    layers = {
        name: frozenset(str(c) for c in layer.index.classes if c) or None
        for name, layer in plan.layers.items()
    }
    found = lint(plan.rulebook, TODAY, layers)
    assert [r for r in found if r.level == "fault"] == []
    document = lint_document(found, plan.rulebook)
    assert document["notes"] == len(document["remarks"]) > 0
