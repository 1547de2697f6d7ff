"""Land-class codes: a code means nothing without its scheme and edition."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gis.errors import ClaimError, NotFoundError, RuleBookError
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
    assert len(land_classes.schemes()) == 3
    for scheme in land_classes.schemes():
        for code in scheme.classes:
            assert scheme.colour(code) != (200, 200, 200), (scheme.key, code)


# The colour table of the drawing rules for territorial plans, appendix B, as published.
PUBLISHED_COLOURS = """
01 245,248,220; 02 191,233,170; 03 104,177,103; 04 205,245,122; 05 101,205,170; 06 216,215,159
07 255,255,45; 0703 255,211,128; 0704 255,211,128
08 255,0,255; 0802 230,0,92; 0803 255,127,0; 0804 255,133,201; 0805 0,165,124; 0806 255,127,126
0807 255,159,127; 09 255,0,0; 10 187,150,116; 1002 158,108,84; 1003 0,0,255
11 135,97,211; 1102 153,153,255; 12 183,183,183; 1202 173,173,173; 1205 153,153,153
1207 163,163,163; 13 0,99,128; 14 0,255,0; 1401 0,255,0; 1402 20,141,74; 1403 172,255,207
15 133,145,86; 16 255,255,255; 17 51,142,192; 18 148,213,235; 19 86,166,211; 20 108,139,209
21 26,170,230; 22 131,188,214; 23 238,238,238; 24 214,234,243
"""


@pytest.mark.parametrize("edition", ["2023", "2020"])
def test_the_colours_are_those_of_the_drawing_rules(edition: str) -> None:
    plan = land_classes.scheme("用地用海", edition)
    rows = [r.split() for line in PUBLISHED_COLOURS.splitlines() for r in line.split(";") if r]
    assert len(rows) == 41
    for code, rgb in rows:
        assert plan.colour(code) == tuple(int(v) for v in rgb.split(",")), code


def test_a_colour_follows_the_class_and_not_the_number() -> None:
    trial = land_classes.scheme("用地用海", "2020")
    # 村庄内部道路 is drawn as a road, 田间道 as an agricultural facility, 田坎 as other land.
    assert trial.colour("060102") == (163, 163, 163)
    assert trial.colour("060101") == trial.colour("0604") == (216, 215, 159)
    assert trial.colour("2303") == (216, 215, 159)
    assert trial.colour("2302") == (238, 238, 238)
    survey = land_classes.scheme("三调", "2019")
    assert survey.colour("1107A") == survey.colour("1109") == (0, 99, 128)
    assert survey.colour("1107") == (51, 142, 192)


def test_every_table_names_its_document_and_says_that_it_is_not_verified() -> None:
    numbers = {s.key: s.number for s in land_classes.schemes()}
    assert numbers == {
        ("用地用海", "2023"): "自然资发〔2023〕234号",
        ("用地用海", "2020"): "自然资办发〔2020〕51号",
        ("三调", "2019"): "TD/T 1055-2019",
    }
    for scheme in land_classes.schemes():
        assert scheme.source
        assert not scheme.verified
        assert scheme.checked_on.year >= 2026


def test_the_trial_edition_has_its_own_classes_and_says_which_it_could_not_confirm() -> None:
    """175 codes of 2023, less 11 that came with it, and 5 that ended with the trial."""
    trial = land_classes.scheme("用地用海", "2020")
    added = {"0205", "060201", "060202", "060203", "1804", "2004", "2005"}
    added |= {"2203", "2204", "2205", "2206"}
    ended = {"0603", "0604", "090301", "090302", "1313"}
    assert set(trial.classes) == set(land_classes.uses().classes) - added | ended
    by_level = [sum(len(c) == n for c in trial.classes) for n in (2, 4, 6)]
    assert (by_level, len(trial.classes)) == ([24, 106, 39], 169)
    names = {"0203": "橡胶园", "0601": "乡村道路用地", "0903": "娱乐康体用地", "1311": "干渠"}
    names |= {"1207": "城镇道路用地", "2302": "田坎", "2303": "田间道", "2202": "其他特殊用海"}
    assert {c: trial.name(c) for c in names} == names
    unconfirmed = {c for c, entry in trial.classes.items() if not entry.confirmed}
    sea = {c for c in trial.classes if "18" <= c[:2] <= "22" and len(c) > 2}
    assert unconfirmed == sea | {"090103"}


def test_a_code_of_the_survey_says_which_classes_of_the_national_standard_it_stands_for() -> None:
    """GB/T 21010-2017 has 73 second-level classes in 12 groups; the survey regroups some."""
    survey = land_classes.scheme("三调", "2019").classes
    assert survey["05H1"].gb == tuple(f"050{n}" for n in range(1, 8))
    assert survey["08H1"].gb == ("0801", "0802")
    assert survey["08H2"].gb == tuple(f"080{n}" for n in range(3, 9))
    assert survey["09"].gb == tuple(f"090{n}" for n in range(1, 7))
    assert survey["0508"].gb == ("0604",)  # 仓储用地
    sizes = {"01": 3, "02": 4, "03": 7, "04": 4, "05": 7, "06": 4, "07": 2, "08": 10, "09": 6}
    sizes |= {"10": 9, "11": 10, "12": 7}
    standard = {f"{g}{n:02}" for g, size in sizes.items() for n in range(1, size + 1)}
    assert len(standard) == 73
    assert {code for entry in survey.values() for code in entry.gb} == standard
    # A group stands for its members; every other code stands for something.
    groups = {c for c in survey if len(c) == 2 and c != "09"}
    assert {c for c, entry in survey.items() if not entry.gb} == groups


def test_every_class_has_the_class_above_it() -> None:
    for scheme in land_classes.schemes():
        for code, entry in scheme.classes.items():
            assert entry.parent == "" if len(code) == 2 else entry.parent in scheme.classes, code
    survey = land_classes.scheme("三调", "2019")
    # 湿地 gathers classes that are numbered elsewhere.
    wet = ("0303", "0304", "0306", "0402", "0603", "1105", "1106", "1108")
    assert survey.children("00") == wet
    assert survey.children("1104") == ("1104A", "1104K")
    assert survey.children("03") == ("0301", "0302", "0305", "0307")


def test_29_codes_of_the_survey_are_another_name_in_the_plan() -> None:
    survey, plan = land_classes.scheme("三调", "2019"), land_classes.uses()
    both = survey.classes.keys() & plan.classes.keys()
    assert sum(survey.name(c) != plan.name(c) for c in both) == 29


def test_a_class_is_shown_with_scheme_and_edition() -> None:
    assert land_classes.label("三调", "2019", "1101") == "三调（2019）1101 河流水面"
    assert land_classes.label("ydyh", "2023", "1101") == "用地用海（2023）1101 物流仓储用地"
    assert land_classes.label("用地用海", "试行", "1311") == "用地用海（2020）1311 干渠"
    with pytest.raises(RuleBookError, match="没有写明"):
        land_classes.label(None, None, "1101")
    with pytest.raises(NotFoundError, match="9999"):
        land_classes.label("三调", "2019", "9999")


# --- the three major classes ---------------------------------------------------------------------

# GB/T 21010-2017, annex, in the codes of the survey, as a public statistics tool lists them.
ANNEX = {
    "农用地": "0101 0102 0103 0201 0202 0203 0204 0301 0302 0303 0304 0305 0306 0307 0401 0402 0403"
    " 1006 1103 1104 1107 1202 1203",
    "建设用地": "0602 0603 0601 0701 0702 0809 0810 1001 1002 1003 1004 1005 1007 1008 1009 1109"
    " 1201 05H1 0508 08H1 08H2 09",
    "未利用地": "0404 1101 1102 1105 1106 1108 1110 1204 1205 1206 1207",
}


@pytest.mark.parametrize("name", ANNEX)
def test_the_major_classes_of_the_survey_are_those_of_the_annex(name: str) -> None:
    survey = land_classes.scheme("三调", "2019")
    for code in ANNEX[name].split():
        assert land_classes.major(survey, code).value == name, code
        # A sub-class belongs where its class belongs.
        for child in survey.children(code):
            assert land_classes.major(survey, child).value == name, child


def test_the_annex_and_the_groups_are_all_there_is() -> None:
    survey = land_classes.scheme("三调", "2019")
    listed = {c for codes in ANNEX.values() for c in codes.split()}
    rest = {c for c in survey.classes if c not in listed and survey.classes[c].parent not in listed}
    assert all(len(c) == 2 for c in rest)


@pytest.mark.parametrize(
    ("scheme", "code", "approval", "plan", "doubtful"),
    [
        (("三调", "2019"), "0404", "未利用地", "未利用地", "other_grass"),
        (("三调", "2019"), "1006", "农用地", "建设用地", "agricultural_facilities"),
        (("三调", "2019"), "1202", "农用地", "建设用地", "agricultural_facilities"),
        (("三调", "2019"), "1107A", "农用地", "建设用地", "main_canals"),
        (("三调", "2019"), "1107", "农用地", "农用地", ""),
        (("三调", "2019"), "1004", "建设用地", "建设用地", ""),
        (("用地用海", "2023"), "0403", "未利用地", "未利用地", "other_grass"),
        (("用地用海", "2023"), "060102", "农用地", "建设用地", "agricultural_facilities"),
        (("用地用海", "2023"), "1207", "建设用地", "建设用地", ""),
        (("用地用海", "2023"), "1704", "农用地", "农用地", ""),
        (("用地用海", "2023"), "1701", "未利用地", "未利用地", ""),
        (("用地用海", "2023"), "0506", "未利用地", "未利用地", ""),
        (("用地用海", "2023"), "0507", "农用地", "农用地", ""),
        (("用地用海", "2023"), "2301", "建设用地", "建设用地", ""),
        (("用地用海", "2023"), "2302", "未利用地", "未利用地", "reserve_cultivated"),
        (("用地用海", "2023"), "2303", "农用地", "农用地", ""),
        (("用地用海", "2020"), "2302", "农用地", "农用地", ""),
        (("用地用海", "2020"), "0603", "农用地", "建设用地", "agricultural_facilities"),
        (("用地用海", "2020"), "060102", "建设用地", "建设用地", ""),
        (("用地用海", "2020"), "0601", "", "建设用地", "mixed_roads"),
        (("用地用海", "2020"), "1311", "农用地", "建设用地", "main_canals"),
        (("用地用海", "2020"), "1312", "建设用地", "建设用地", ""),
    ],
)
def test_approval_and_plan_may_place_a_class_differently_and_say_so(
    scheme: tuple[str, str], code: str, approval: str, plan: str, doubtful: str
) -> None:
    table = land_classes.scheme(*scheme)
    found = land_classes.major(table, code)
    assert (found.value, found.doubtful) == (approval, doubtful)
    assert land_classes.major(table, code, basis="plan").value == plan
    assert bool(found.note) == bool(doubtful)


def test_a_plan_may_choose_the_reading_of_a_doubtful_class() -> None:
    survey = land_classes.scheme("三调", "2019")
    chosen = {"other_grass": "农用地"}
    assert land_classes.major(survey, "0404", choices=chosen).value == "农用地"
    assert land_classes.majors(survey, choices=chosen)["0404"].value == "农用地"
    # A reading that was chosen stands on every basis; other classes do not move.
    assert land_classes.major(survey, "0404", basis="plan", choices=chosen).value == "农用地"
    assert land_classes.major(survey, "0401", choices=chosen).value == "农用地"
    blank = land_classes.major(land_classes.uses(), "16", choices={"blank_land": ""})
    assert (blank.value, blank.label) == ("", "未分类")


def test_a_choice_that_is_not_offered_is_refused() -> None:
    survey = land_classes.scheme("三调", "2019")
    with pytest.raises(ClaimError, match="other_grass"):
        land_classes.major(survey, "0404", choices={"other_grass": "建设用地"})
    with pytest.raises(ClaimError, match="blank_land"):
        land_classes.majors(survey, choices={"blank_land": ""})
    with pytest.raises(ClaimError, match="basis"):
        land_classes.major(survey, "0404", basis="basis")  # type: ignore[arg-type]  # the mistake that is tested


def test_what_is_not_known_is_unclassified_and_the_sea_is_not_land() -> None:
    plan = land_classes.uses()
    for code in (None, "", "9999"):
        found = land_classes.major(plan, code)
        assert (found.value, found.label) == ("", "未分类")
        assert found.note
    for edition in ("2020", "2023"):
        table = land_classes.scheme("用地用海", edition)
        for code in table.classes:
            sea = code[:2] in {"18", "19", "20", "21", "22", "24"}
            assert ("海域" in land_classes.major(table, code).label) == sea
            assert not (sea and table.classes[code].major)


def test_only_groups_of_different_kinds_are_left_open() -> None:
    open_ones = {
        scheme.key: {c for c, m in land_classes.majors(scheme).items() if m.label == "未分类"}
        for scheme in land_classes.schemes()
    }
    assert open_ones == {
        ("用地用海", "2023"): {"04", "05", "17", "23"},
        ("用地用海", "2020"): {"04", "05", "06", "0601", "17", "23"},
        ("三调", "2019"): {"00", "04", "10", "11", "12"},
    }
    assert all(
        land_classes.major(land_classes.scheme(*key), code).note
        for key, codes in open_ones.items()
        for code in codes
    )


@pytest.mark.parametrize("basis", ["approval", "plan"])
def test_a_group_has_a_major_class_only_if_all_its_classes_share_it(basis) -> None:
    for scheme in land_classes.schemes():
        found = land_classes.majors(scheme, basis=basis)
        for code in scheme.classes:
            sure = [found[c].value for c in scheme.children(code) if not found[c].doubtful]
            if found[code].value and not found[code].doubtful:
                assert set(sure) <= {found[code].value}, (scheme.key, code)


def test_a_doubtful_entry_names_classes_that_exist_and_offers_what_it_uses() -> None:
    names = {"农用地", "建设用地", "未利用地"}
    for scheme in land_classes.schemes():
        for doubt in land_classes.doubtful_majors(scheme):
            codes = [c for c in scheme.classes if class_matches(c, doubt.classes)]
            assert codes, doubt.id
            assert set(doubt.choices) <= names | {""}
            assert len(set(doubt.choices)) > 1
            assert doubt.plan is None or doubt.plan in doubt.choices
            assert {scheme.classes[c].major for c in codes} <= set(doubt.choices), doubt.id
            assert doubt.note


# --- cultivated land -----------------------------------------------------------------------------


def test_cultivated_land_of_the_survey_includes_the_adjustable_classes() -> None:
    survey = land_classes.scheme("三调", "2019")
    patterns = land_classes.cultivated(survey)
    counted = {c for c in survey.classes if class_matches(c, patterns)}
    # The nine classes of the official summary of adjustable land.
    nine = {"0201K", "0202K", "0203K", "0204K", "0301K", "0302K", "0307K", "0403K", "1104K"}
    assert counted == {"01", "0101", "0102", "0103"} | nine
    assert nine == {c for c in survey.classes if c.endswith("K")}
    assert land_classes.cultivated(survey, adjustable=False) == ("01*",)


def test_the_rule_on_cultivated_land_counts_the_same_classes() -> None:
    rule = load_rulebook(["cn"], Path()).rule("cn.cultivated-land")
    survey = land_classes.scheme("三调", "2019")
    assert set(rule.params.class_codes) == set(land_classes.cultivated(survey))


def test_cultivated_land_of_a_plan_is_class_01() -> None:
    for edition in ("2020", "2023"):
        plan = land_classes.scheme("用地用海", edition)
        assert land_classes.cultivated(plan) == ("01*",)


def test_the_tables_are_read_without_a_geometry_library_or_numpy() -> None:
    code = (
        "import sys, gis.rulebook.class_mapping as m\n"
        "m.mappings()\n"
        "print(sorted({'numpy', 'pandas', 'shapely', 'geopandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


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
