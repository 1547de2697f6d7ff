"""use_permitted: the longest code in a zone and the worst zone over the site."""

from __future__ import annotations

from pathlib import Path

import pytest
from kind_facts import (
    SITE_M2,
    Load,
    area,
    besides,
    divided,
    inside,
    judge,
    loaded,
    outside,
    report,
)

from gis.model import Claim
from gis.rulebook import demands_of


@pytest.fixture
def load(tmp_path: Path) -> Load:
    return lambda body: loaded(tmp_path, body)


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


def test_a_site_in_no_zone_and_outside_none_was_not_measured(load: Load) -> None:
    assert judge(load(USES), {}).verdict == "undetermined"


AREAS = """
kind = "use_permitted"
text = { clear = "{cells}", hit = "{parts}" }
outside = "pass"
unlisted = "清单未公布，须由主管部门核实"
zone_names = { core = "一千米以内" }
areas = [
    { id = "core", classes = ["a"], within_m = 1000.0 },
    { id = "rest", classes = ["b"], within_m = 2000.0, beyond_m = 1000.0 },
]

[[rule.cells]]
zones = ["core"]
uses = ["0701"]
verdict = "prohibited"
phrase = "沿岸"
origin = "plan"

[[rule.cells]]
zones = ["core"]
uses = ["0702"]
verdict = "prohibited"
phrase = "未见原文"
origin = "plan"
verified = false
"""


def test_a_zone_may_be_drawn_by_a_distance(load: Load) -> None:
    book = load(AREAS)
    core, rest = demands_of(book.rules[0])[0].divided
    assert (core.classes, core.within_m, core.beyond_m) == (("a",), 1000.0, 0.0)
    assert (rest.classes, rest.within_m, rest.beyond_m) == (("b",), 2000.0, 1000.0)
    found = judge(book, divided({"0": 300.0, "": 9700.0}), use="0701")
    assert found.verdict == "fail"
    assert found.measure is not None
    assert found.measure.value == 300.0
    assert "一千米以内 300.00 m²" in found.reason
    assert judge(book, divided({"": SITE_M2}), use="0701").verdict == "pass"  # outside passes here


def test_an_unpublished_list_and_an_unread_text_leave_a_drawn_zone_open(load: Load) -> None:
    unlisted = judge(load(AREAS), divided({"1": 300.0, "": 9700.0}), use="0701")
    assert unlisted.verdict == "undetermined"
    assert "清单未公布" in unlisted.reason
    unread = judge(load(AREAS), divided({"0": 300.0, "": 9700.0}), use="0702")
    assert unread.verdict == "undetermined"
    assert "原文尚未核实" in unread.reason


def test_where_drawn_zones_overlap_the_worse_one_decides_and_land_counts_once(load: Load) -> None:
    found = judge(load(AREAS), divided({"0,1": 300.0, "1": 700.0, "": 9000.0}), use="0701")
    assert found.verdict == "fail"
    assert found.measure is not None
    # The prohibited overlap and the zone without a list: 300 + 700 of 10,000 m².
    assert (found.measure.value, found.measure.share) == (1000.0, 0.1)
    assert "一千米以内、rest重叠处 300.00 m²" in found.reason
    assert "rest 700.00 m²" in found.reason


def test_land_in_drawn_zones_that_nobody_can_name_is_open(load: Load) -> None:
    for key in ("7", "x", "0,"):
        assert judge(load(AREAS), divided({key: SITE_M2}), use="0701").verdict == "undetermined"


def test_without_a_use_the_drawn_zones_are_named(load: Load) -> None:
    found = judge(load(AREAS), divided({"0": 2500.0, "": 7500.0}), use=None)
    assert found.verdict == "undetermined"
    assert "地块位于：一千米以内 25.0%" in found.reason
