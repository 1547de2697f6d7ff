"""A hundred rule books with one mistake each: all refused, in Chinese, with file and line.

A mistake that is read without a word is worse than none: a misspelt class or word makes a rule fall
silent, a percentage where a share belongs makes it hold against nobody or everybody.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from gis.errors import RuleBookError
from gis.plan.quota.accounts import Kind
from gis.rulebook import RuleBook, load_rulebook
from gis.rulebook.kinds.quota import RESERVATIONS
from gis.rulebook.mistakes_of_kinds import ACCOUNTS

DOCUMENT = """\
[[document]]
id = "law"
title = "某法"
valid_from = 2020-01-01
verified = true
checked_on = 2026-11-22
source = "全文"
"""
PARAMETERS = """
[[parameter]]
id = "p.share"
title = "某占比"
unit = "share"
[[parameter]]
id = "p.output"
title = "亩均产值"
unit = "wan_per_mu"
"""
HEAD = """
[[rule]]
id = "x.line"
title = "某线"
origin = "statute"
effect_verified = true
office = "某局"
priority = 10
checked_on = 2026-11-22
remedy = "避让"
text = { clear = "未涉及", hit = "占用" }
basis = [{ document = "law", article = "第一条", verified = true }]
"""
KINDS = {
    "": "",
    "forbid": 'kind = "forbid_overlap"\nlayer = "line"\noutcome = "fail"\n',
    "within": 'kind = "require_within"\nlayer = "line"\noutside = "fail"\n',
    "share": 'kind = "share_limit"\nlayer = "line"\noutcome = "fail"\n',
    "convert": 'kind = "convert"\nlayer = "line"\nscheme = "用地用海"\nedition = "2023"\n',
    "zones": 'kind = "use_permitted"\nlayer = "zones"\n',
    "planned": 'kind = "compatible_use"\nlayer = "p"\nscheme = "用地用海"\nedition = "2023"\n',
    "distance": 'kind = "min_distance"\nlayer = "roads"\nedge = "外缘"\n'
    'plausible_half_width_m = 50.0\noutcome = "fail"\n',
    "limit": 'kind = "attribute_limit"\noutcome = "fail"\n',
    "document": 'kind = "document_required"\n',
    "quota": 'kind = "quota"\noutcome = "fail"\n',
}


def cell(more: str = "", verdict: str = "permitted", zone: str = "A") -> str:
    own = f'zones = ["{zone}"], uses = ["08"], verdict = "{verdict}", phrase = "略"'
    return f'cells = [{{ {own}, origin = "plan"{more} }}]\n'


def entry(planned: str = "08", use: str = "09", verdict: str = "permitted") -> str:
    own = f'planned = ["{planned}"], uses = ["{use}"], verdict = "{verdict}"'
    return f'{{ {own}, phrase = "略", origin = "plan" }}'


def exception(more: str, use: str = "08") -> str:
    return f'exceptions = [{{ uses = ["{use}"], verdict = "pass", reason = "略", {more} }}]\n'


# kind, what is written, a word of what is said about it
MISTAKES = [
    # --- numbers
    ("distance", 'distance_m = { "国道" = -20.0 }', "不得小于 0"),
    ("distance", 'distance_m = { "国道" = nan }', "有限的数"),
    ("distance", 'distance_m = { "国道" = [20.0, 10.0] }', "由小到大"),
    ("distance", 'distance_m = { "国道" = [20.0] }', "国道"),
    ("distance", 'distance_m = { "国道" = "20" }', "应为数"),
    ("distance", 'distance_m = { "国道" = true }', "应为数"),
    ("distance", "distance_m = {}", "至少应有 1 项"),
    ("distance", 'distance_m = { "国道" = { "城市" = 8.0 } }', "setting"),
    ("distance", 'setting = "s"\ndistance_m = { "国道" = {} }', "setting"),
    ("forbid", "threshold_m2 = -1.0", "不得小于 0"),
    ("forbid", "within_m = inf", "有限的数"),
    ("forbid", "within_m = 10.0\nbeyond_m = 20.0", "beyond_m 应小于 within_m"),
    ("forbid", "beyond_m = 20.0", "beyond_m 应小于 within_m"),
    ("forbid", 'measure = "length"\nthreshold_m2 = 1.0', "threshold_m2"),
    ("forbid", 'measure = "volume"', "允许范围"),
    # --- limits and units
    ("share", "at_most = 0.1\nat_least = 0.1", "之一"),
    ("share", "", "之一"),
    ("share", "at_most = 7", "0 到 1"),
    ("share", "at_most = true", "应为一个数"),
    ("share", 'at_most = "0.07"', "应为一个数"),
    ("share", "at_most = nan", "有限的数"),
    ("share", 'at_most = { parameter = "p.shar" }', "没有登记"),
    ("share", 'at_most = { parameter = "p.output" }', "单位为 wan_per_mu"),
    ("share", 'at_most = { field = "x" }', "0 到 1"),
    ("share", 'at_most = { value = 0.1, parameter = "p.share" }', "之一"),
    ("share", 'at_most = { parameter = "p.share", unit = "m" }', "未知的键"),
    ("limit", 'attribute = "investment_wan"\nrows = [{ label = "a", at_least = '
     '{ parameter = "p.output" } }]', "单位为 wan_per_mu，这里应为 wan"),
    ("limit", 'attribute = "colour"\nrows = [{ label = "a", at_most = 1.0 }]', "colour"),
    ("limit", 'attribute = "storeys"\nrows = [{ label = "a", one_of = ["三"] }]', "不符"),
    ("limit", 'attribute = "emission_class"\nrows = [{ label = "a", at_most = 1.0 }]', "不符"),
    ("limit", 'attribute = "emission_class"\nrows = [{ label = "a", one_of = ["zeor"] }]', "zeor"),
    ("limit", 'attribute = "green_rate"\nrows = [{ label = "a", at_least = 35 }]', "0 到 1"),
    ("limit", 'attribute = "plot_ratio"\nrows = [{ label = "a", at_most = 1.0, at_least = 2.0 }]',
     "下限 2 大于上限 1"),
    ("limit", 'attribute = "plot_ratio"\nrows = [{ label = "a", at_most = { field = "x" } }]',
     "layer"),
    ("limit", 'layer = "x"\nattribute = "plot_ratio"\nrows = [{ label = "a", at_most = 1.0 }]',
     "layer"),
    ("limit", 'attribute = "plot_ratio"\nrows = []', "至少应有 1 项"),
    ("limit", 'attribute = "investment_wan"\nper = "km"\nrows = [{ label = "a", at_least = 3 }]',
     "允许范围"),
    ("limit", 'attribute = "emission_class"\nper = "mu"\nrows = [{ label = "a", '
     'one_of = ["zero"] }]', "不是数"),
    ("quota", 'account = "convertion"', "没有“convertion”这一账户"),
    ("quota", "", "缺少必填的键"),
    ("quota", 'layer = "landuse"\naccount = "conversion"', "不写 layer"),
    # --- layers and classes
    ("forbid", 'on = [{ classes = ["a"] }]', "缺少必填的键"),
    ("forbid", 'on = [{ layer = "x", class = ["a"] }]', "未知的键"),
    ("forbid", 'on = ["x"]', "应为表"),
    ("forbid", 'classes = "0101"', "应为数组"),
    ("forbid", 'classes = [""]', "不得为空"),
    ("forbid", "classes = [101]", "应为文字"),
    ("forbid", 'classes = ["01*1"]', "写法不符"),
    ("distance", 'distance_m = { "国*道" = 20.0 }', "写法不符"),
    ("distance", 'distance_m = { "" = 20.0 }', "不得为空"),
    ("distance", 'distance_m = { "国道" = 20.0 }\nno_distance = ["国道"]', "国道"),
    ("", 'kind = "forbid_overlap"\nlayer = ""\noutcome = "fail"', "layer"),
    ("convert", "groups = []", "至少应有 1 项"),
    ("convert", 'groups = [{ label = "a", classes = ["0101"], outcome = "pass" }]', "允许范围"),
    ("convert", 'groups = [{ label = "a", classes = ["0101"] }, '
     '{ label = "b", classes = ["01*"] }]', "同时属于“a”和“b”"),
    ("convert", 'groups = [{ label = "a", classes = ["01*"] }, '
     '{ label = "b", classes = ["0101"] }]', "同时属于“a”和“b”"),
    ("convert", 'groups = [{ label = "a", classes = ["0101"] }, '
     '{ label = "a", classes = ["0102"] }]', "写了两次"),
    ("convert", 'groups = [{ label = "a", classes = ["0101"], '
     'above = [{ area_m2 = -1.0, procedure = "x" }] }]', "不得小于 0"),
    ("convert", 'groups = [{ label = "a", classes = ["0999"] }]', "0999"),
    ("", 'kind = "convert"\nlayer = "l"\nscheme = "用地"\nedition = "2023"\n'
     'groups = [{ label = "a", classes = ["0101"] }]', "用地"),
    ("within", 'by_class = [{ label = "a", classes = ["1"], outcome = "okay" }]', "允许范围"),
    ("within", 'by_class = [{ label = "a", classes = ["1"], outcome = "pass" }, '
     '{ label = "a", classes = ["2"], outcome = "fail" }]', "写了两次"),
    ("within", 'by_class = [{ label = "a", classes = ["1"], outcome = "pass" }, '
     '{ label = "b", classes = ["1"], outcome = "fail" }]', "同时属于"),
    # --- conditions
    ("forbid", 'when = [{ site = "area_m2", attribute = "storeys", above = 1 }]', "之一"),
    ("forbid", "when = [{ above = 1 }]", "之一"),
    ("forbid", 'when = [{ site = "perimeter", above = 1 }]', "允许范围"),
    ("forbid", 'when = [{ attribute = "colour", one_of = ["red"] }]', "colour"),
    ("forbid", 'when = [{ attribute = "emission_class", above = 1 }]', "one_of"),
    ("forbid", 'when = [{ attribute = "storeys", one_of = ["3"] }]', "范围"),
    ("forbid", 'when = [{ attribute = "emission_class", one_of = ["zeor"] }]', "zeor"),
    ("forbid", 'when = [{ attribute = "public_interest", one_of = ["yes"] }]', "yes"),
    ("forbid", 'when = [{ attribute = "green_rate", below = 35 }]', "0 到 1"),
    ("forbid", 'when = [{ layer = "x" }]', "lies"),
    ("forbid", 'when = [{ layer = "x", lies = "near" }]', "允许范围"),
    ("forbid", 'when = [{ layer = "x", lies = "on", above = 3 }]', "layer 条件都不写"),
    ("forbid", 'when = [{ site = "area_m2", above = 1, classes = ["x"] }]', "classes"),
    ("forbid", 'when = [{ site = "area_m2", above = "1" }]', "应为数"),
    ("forbid", 'when = [{ site = "area_m2", above = -1 }]', "不得小于 0"),
    ("forbid", 'when = [{ site = "corridor", one_of = ["yes"] }]', "true 或 false"),
    ("forbid", 'when = "area_m2 > 3"', "应为数组"),
    ("document", 'documents = [{ title = "x", when = [{ attribute = "zzz", above = 1 }] }]', "zzz"),
    ("document", "documents = []", "至少应有 1 项"),
    ("document", 'documents = [{ title = "x" }]\noutcome = "maybe"', "允许范围"),
    ("document", 'layer = "x"\ndocuments = [{ title = "x" }]', "不写 layer"),
    # --- uses and exceptions
    ("forbid", 'applies_to = ["99"]', "99"),
    ("forbid", 'applies_to = "08"', "应为数组"),
    ("forbid", 'exceptions = [{ uses = [], verdict = "pass", reason = "略" }]', "至少应有 1 项"),
    ("forbid", 'exceptions = [{ uses = ["08"], verdict = "ok", reason = "略" }]', "允许范围"),
    ("forbid", exception('attributes = { emission_class = "zeor" }'), "zeor"),
    ("forbid", exception('attributes = { public_interest = "yes" }'), "yes"),
    ("forbid", exception("valid_from = 2026-01-01, valid_to = 2025-01-01"), "首尾颠倒"),
    ("zones", cell(verdict="conditional"), "condition"),
    ("zones", cell(', attribute = "emission_class"'), "accepted"),
    ("zones", cell(', accepted = ["zero"]'), "attribute"),
    ("zones", cell(', attribute = "colour", accepted = ["x"]'), "colour"),
    ("zones", cell(', attribute = "emission_class", accepted = ["zeor"]'), "zeor"),
    ("zones", cell(', attribute = "emission_class", accepted = ["low"], refused = ["low"]'),
     "同时"),
    ("zones", 'areas = [{ id = "b", within_m = 10.0 }]\n' + cell(), "没有分区 A"),
    ("zones", 'areas = [{ id = "A", within_m = 10.0 }]\nzone_names = { B = "乙" }\n' + cell(),
     "没有分区 B"),
    ("zones", 'areas = [{ id = "A", within_m = 9.0 }, { id = "A", within_m = 5.0 }]\n' + cell(),
     "画了两次"),
    ("zones", 'areas = [{ id = "A", within_m = 9.0, beyond_m = 20.0 }]\n' + cell(), "beyond_m"),
    ("zones", 'within_m = 5.0\nareas = [{ id = "A", within_m = 9.0 }]\n' + cell(), "areas"),
    ("zones", 'outside = "no"\n' + cell(), "允许范围"),
    ("", 'kind = "compatible_use"\nlayer = "p"\nscheme = "用地"\nedition = "2023"', "用地"),
    ("planned", f"entries = [{entry(planned='99')}]", "99"),
    ("planned", f"entries = [{entry(use='9')}]", "用途编码“9”"),
    ("planned", f"entries = [{entry(verdict='conditional')}]", "condition"),
    ("planned", f"entries = [{entry()}, {entry(verdict='prohibited')}]", "写了两次"),
    ("planned", "within_m = 10.0", "within_m"),
    # --- the frame of a rule
    ("", 'layer = "x"\noutcome = "fail"', "缺少类型"),
    ("", 'kind = 3\nlayer = "x"\noutcome = "fail"', "未知的类型"),
    ("forbid", "valid_from = 2020-01-01T00:00:00", "应为日期"),
    ("forbid", 'valid_from = "2020-01-01"', "应为日期"),
    ("forbid", "valid_from = 2020-02-30", "语法错误"),
    ("forbid", 'threshold = "{x}"', "占位符"),
]  # fmt: skip


def load(folder: Path, text: str) -> RuleBook:
    (folder / "book.toml").write_text(text, encoding="utf-8")
    return load_rulebook(["book.toml"], folder)


@pytest.mark.parametrize(("kind", "written", "said"), MISTAKES)
def test_a_book_with_one_mistake_is_refused_in_chinese_with_its_line(
    tmp_path: Path, kind: str, written: str, said: str
) -> None:
    text = DOCUMENT + PARAMETERS + HEAD + KINDS[kind] + written + "\n"
    with pytest.raises(RuleBookError) as caught:
        load(tmp_path, text)
    first = text.splitlines().index("[[rule]]") + 1
    assert caught.value.file == "book.toml"
    assert caught.value.line is not None
    assert caught.value.line >= first
    assert said in str(caught.value)
    assert not any(word in str(caught.value) for word in ("Input", "should", "validation"))


@pytest.mark.parametrize(
    "text",
    [
        DOCUMENT + PARAMETERS.replace('"share"', '"percent"'),
        DOCUMENT + PARAMETERS + PARAMETERS,
        DOCUMENT + PARAMETERS + '[[parameter_value]]\nparameter = "p.x"\nvalue = 1\nsource = "s"',
        DOCUMENT + PARAMETERS + '[[parameter_value]]\nparameter = "p.share"\nvalue = 30\n'
        'source = "s"',
        DOCUMENT + PARAMETERS + '[[parameter_value]]\nparameter = "p.share"\nvalue = 0.3\n'
        'source = ""',
        DOCUMENT + PARAMETERS + '[[parameter_value]]\nparameter = "p.share"\nvalue = true\n'
        'source = "s"',
        DOCUMENT + DOCUMENT,
        DOCUMENT.replace("2020-01-01", '"2020-01-01"'),
        DOCUMENT.replace("[[document]]", "[document]"),
        DOCUMENT.replace('"law"', '""'),
        DOCUMENT.replace("verified = true", "verified = 1"),
        DOCUMENT + '[[rules]]\nid = "x"',
    ],
)  # fmt: skip
def test_a_mistake_outside_the_rules_is_refused_as_well(tmp_path: Path, text: str) -> None:
    with pytest.raises(RuleBookError) as caught:
        load(tmp_path, text)
    assert caught.value.line is not None
    assert not any(word in str(caught.value) for word in ("Input", "should", "validation"))


def test_the_same_books_without_the_mistake_are_read(tmp_path: Path) -> None:
    sound = [
        KINDS["forbid"] + 'classes = ["01*"]\n' + exception('attributes = { key_project = true }'),
        KINDS["share"] + 'at_most = { parameter = "p.share" }',
        KINDS["distance"] + 'distance_m = { "国道*" = [10.0, 20.0] }',
        KINDS["zones"] + cell(', attribute = "emission_class", accepted = ["zero"]'),
        KINDS["zones"] + 'areas = [{ id = "A", within_m = 10.0 }]\n' + cell(),
        KINDS["planned"] + f"entries = [{entry()}]",
        KINDS["limit"] + 'attribute = "green_rate"\nrows = [{ label = "a", at_least = 0.35 }]',
        KINDS["quota"] + 'account = "dev_boundary:410"',
    ]  # fmt: skip
    for rule in sound:
        book = load(tmp_path, DOCUMENT + PARAMETERS + HEAD + rule + "\n")
        assert [r.id for r in book.rules] == ["x.line"]


def test_a_mark_at_the_start_of_a_file_is_no_mistake(tmp_path: Path) -> None:
    book = load(tmp_path, "\ufeff" + DOCUMENT + HEAD + KINDS["forbid"])
    assert len(book.rules) == 1


def test_the_accounts_that_a_rule_may_name_are_those_of_the_ledger() -> None:
    assert sorted(ACCOUNTS) == sorted([*Kind, RESERVATIONS])
