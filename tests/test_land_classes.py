"""Land-class codes: a code means nothing without its scheme and edition."""

from __future__ import annotations

from pathlib import Path

import pytest

from gis.errors import NotFoundError, RuleBookError
from gis.model import class_matches
from gis.rulebook import land_classes, load_rulebook


@pytest.mark.parametrize(
    ("scheme", "edition"), [(None, None), ("三调", None), (None, "2023"), ("", ""), ("三调", "")]
)
def test_a_code_without_scheme_or_edition_is_refused(
    scheme: str | None, edition: str | None
) -> None:
    with pytest.raises(RuleBookError, match="分类体系"):
        land_classes.scheme(scheme, edition)


@pytest.mark.parametrize(
    ("scheme", "edition"), [("用地用海", "1999"), ("别的", "2023"), ("三调", "2023")]
)
def test_an_unknown_scheme_or_edition_is_refused(scheme: str, edition: str) -> None:
    with pytest.raises(RuleBookError, match=scheme):
        land_classes.scheme(scheme, edition)


def test_a_scheme_is_known_under_its_other_names() -> None:
    assert land_classes.scheme("ydyh", "2023") is land_classes.uses()
    assert land_classes.scheme("sandiao", "2019") is land_classes.scheme("三调", "2019")


@pytest.mark.parametrize(
    ("code", "plan", "survey"),
    [
        ("1101", "物流仓储用地", "河流水面"),
        ("1001", "工业用地", "铁路用地"),
        ("0601", "农村道路", "工业用地"),
        ("1202", "公路用地", "设施农用地"),
        ("0702", "城镇社区服务设施用地", "农村宅基地"),
    ],
)
def test_the_same_code_is_another_class_in_the_other_scheme(
    code: str, plan: str, survey: str
) -> None:
    assert land_classes.uses().name(code) == plan
    assert land_classes.scheme("三调", "2019").name(code) == survey


def test_the_tables_are_complete() -> None:
    """24 first classes; 175 codes and 81 codes as in the published comparison tables."""
    uses = land_classes.uses()
    firsts = sorted(c for c in uses.classes if len(c) == 2)
    assert firsts == [f"{n:02}" for n in range(1, 25)]
    assert len(uses.classes) == 175
    assert all(c[:-2] in uses.classes for c in uses.classes if len(c) > 2)
    survey = land_classes.scheme("三调", "2019")
    assert len(survey.classes) == 81
    assert len({c.name for c in survey.classes.values()}) == 81


def test_codes_of_the_2020_trial_that_moved_stand_where_the_2023_edition_has_them() -> None:
    uses = land_classes.uses()
    assert uses.name("0204") == "油料园地"
    assert uses.name("0205") == "其他园地"
    assert uses.name("0602") == "设施农用地"
    assert not uses.exists("0603")
    assert not uses.exists("090301")
    assert uses.name("1311") == "水工设施用地"
    assert uses.name("2302") == "后备耕地"
    assert uses.name("2303") == "田坎"


def test_an_unknown_code_is_named_with_its_scheme() -> None:
    with pytest.raises(NotFoundError, match="0999"):
        land_classes.uses().name("0999")
    assert not land_classes.uses().exists("0999")
    assert land_classes.use_label("0999") == "0999"
    assert land_classes.use_label(None) == "未说明用途"


def test_colours_come_from_the_class_or_the_one_above() -> None:
    uses = land_classes.uses()
    assert uses.colour("01") == (245, 248, 220)
    assert uses.colour("0101") == (245, 248, 220)
    assert uses.colour("080403") == (255, 133, 201)
    assert uses.colour("1402") == (20, 141, 74)
    assert uses.colour("zz") == (200, 200, 200)
    for scheme in (uses, land_classes.scheme("三调", "2019")):
        for code in scheme.classes:
            assert scheme.colour(code) != (200, 200, 200), code


def test_the_tables_say_that_they_are_not_verified() -> None:
    assert not land_classes.uses().verified
    assert land_classes.uses().number == "自然资发〔2023〕234号"


def test_every_class_of_agricultural_land_is_named_by_a_rule_on_its_conversion() -> None:
    book = load_rulebook(["cn"], Path())
    named = [
        code
        for rule in ("cn.cultivated-land", "cn.agricultural-land")
        for code in book.rule(rule).params.class_codes
    ]
    survey = land_classes.scheme("三调", "2019").classes.values()
    # The two digits of a whole group are too coarse to name; they are left open.
    farmed = [c.code for c in survey if c.major == "农用地" and len(c.code) > 2]
    assert [c for c in farmed if not class_matches(c, named)] == []


def chosen(definition: str, part: str) -> set[str]:
    known = land_classes.green_water(definition)
    scheme = land_classes.scheme(known.scheme, known.edition)
    return {c for c in scheme.classes if class_matches(c, getattr(known, part))}


def test_the_four_definitions_of_green_and_water_differ_as_stated() -> None:
    water = {"17", "1701", "1702", "1703", "1704", "1705", "1706"}
    assert chosen("A", "green") == {"1401", "1402"}
    assert chosen("B", "green") == {"14", "1401", "1402", "1403"}
    assert chosen("A", "water") == chosen("B", "water") == water
    assert {"03", "0304", "04", "0501", "0507", "1403"} <= chosen("C", "green")
    assert "0506" in chosen("C", "water") - chosen("C", "green")
    assert "0810" in chosen("D", "green")
    assert "0810A" not in chosen("D", "green")
    assert {"1101", "1102", "1103", "1104", "1104A", "1104K", "1107", "1107A"} == chosen(
        "D", "water"
    )


@pytest.mark.parametrize("definition", ["A", "B", "C", "D"])
def test_no_class_is_green_and_water_at_once(definition: str) -> None:
    assert not chosen(definition, "green") & chosen(definition, "water")


def test_an_unknown_definition_is_refused_with_the_known_ones() -> None:
    with pytest.raises(NotFoundError, match="A、B、C、D"):
        land_classes.green_water("E")
