"""convert: what the land is now decides the procedure; what nobody knows is left open."""

from __future__ import annotations

from pathlib import Path

import pytest
from kind_facts import (
    AREA_TEXT,
    Load,
    Numbers,
    area,
    besides,
    inside,
    judge,
    loaded,
    outside,
    report,
)

from gis.model import LayerState, Quantity
from gis.rulebook import demands_of, land_classes
from gis.rulebook.kinds.conversion import known_codes


@pytest.fixture
def load(tmp_path: Path) -> Load:
    return lambda body: loaded(tmp_path, body)


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
    (rest,) = (d for d in demands_of(load(CONVERT).rules[0]) if d.excluding)
    every = land_classes.scheme("三调", "2019").classes
    assert set(every) - set(rest.classes) == {"03"}
    adjustable = known_codes("三调", "2019", ("0201K", "1104K"))
    assert set(every) - set(adjustable) == {"02", "11"}
    assert {"0201", "1104"} <= set(adjustable)


def test_without_a_scheme_only_features_without_class_are_unknown(load: Load) -> None:
    book = load(CONVERT.replace('scheme = "三调"\nedition = "2019"\n', ""))
    assert [d.classes for d in demands_of(book.rules[0]) if d.excluding] == [("*",)]
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


@pytest.mark.parametrize(("m2", "said"), [(600.0, False), (600.004, False), (600.01, True)])
def test_taking_much_of_a_group_asks_for_a_further_procedure(
    load: Load, m2: float, said: bool
) -> None:
    above = 'above = [{ area_m2 = 600.0, procedure = "须报省政府批准" }]\n'
    book = load(CONVERT + above)  # stands in the last group, 林地
    found = judge(book, inside(area(m2), "0301", "0307"))
    assert found.verdict == "conditional"
    assert ("林地超过 600.00 m²：须报省政府批准" in found.reason) is said
    assert "林地超过 600.00 m²的：须报省政府批准" in found.threshold
