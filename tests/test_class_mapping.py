"""From one land-class table to another: what is known is converted, what divides is never decided.

Expected rows are typed from published comparisons of 三调 with 用地用海, and of its editions.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.errors import InputError, NotFoundError, RuleBookError, SplitClassError
from gis.rulebook import class_mapping, land_classes
from gis.rulebook.class_mapping import CodeState, MappingKind, convert, convert_codes

SURVEY, TRIAL, PLAN = ("三调", "2019"), ("用地用海", "2020"), ("用地用海", "2023")
PAIRS = [(SURVEY, PLAN), (TRIAL, PLAN), (SURVEY, TRIAL)]
PROPERTY = settings(max_examples=60)


# --- the published rows --------------------------------------------------------------------------

SURVEY_TO_PLAN = """
0101 0101; 0102 0102; 0103 0103
0201 0201; 0202 0202
0301 0301; 0302 0302; 0305 0303; 0307 0304
0401 0401; 0403 0402; 0404 0403
0303 0507; 0304 0501; 0306 0502; 0402 0503; 1105 0505; 1106 0506; 1108 0504
05H1 09; 0508 1101
0601 1001; 0602 1002; 0603 1003
0701 0701; 0702 0703
08H1 0801; 0810 1401; 0810A 1403
1001 1201; 1002 1206; 1003 1202; 1004 1207; 1007 1203; 1008 1204; 1009 1205
1101 1701; 1102 1702; 1103 1703; 1104 1704; 1104A 1704; 1104K 1704
1107 1705; 1107A 1311; 1109 1311; 1110 1706
1201 2301; 1203 2303; 1204 2304; 1205 2305; 1206 2306; 1207 2307
"""

SURVEY_SPLITS = {
    "0204": "0204 0205",
    "08H2": "0802 0803 0804 0805 0806 0807",
    "08H2A": "0802 0803 0804 0805 0806 0807",
    "0809": "1301 1302 1303 1304 1305 1306 1307 1308 1309 1310 1312",
    "09": "1501 1502 1503 1504 1505 1506 1507",
    "1005": "120801 120802 120803 1209",
    "1006": "060101 060102",
    "1202": "060201 060202 060203",
}

TRIAL_TO_PLAN = """
0204 0205; 060102 1207; 0602 060201; 0603 060202; 0604 060203; 090301 0903; 090302 0903
1311 1311; 1312 1311; 1313 1312; 2302 2303; 2303 060102
"""


def pairs(text: str) -> list[tuple[str, str]]:
    rows = (row.split() for line in text.splitlines() for row in line.split(";") if row.strip())
    return [(source, target) for source, target in rows]


@pytest.mark.parametrize(("code", "target"), pairs(SURVEY_TO_PLAN))
def test_a_class_of_the_survey_becomes_the_published_class_of_the_plan(
    code: str, target: str
) -> None:
    assert convert(code, source=SURVEY, target=PLAN).single().code == target


@pytest.mark.parametrize(("code", "candidates"), SURVEY_SPLITS.items())
def test_a_class_of_the_survey_that_divides_has_candidates_and_no_default(
    code: str, candidates: str
) -> None:
    found = convert(code, source=SURVEY, target=PLAN)
    assert [t.code for t in found.targets] == candidates.split()
    assert found.kind is MappingKind.SPLIT
    assert found.kind.label == "待细分"
    with pytest.raises(SplitClassError, match="待细分"):
        found.single()


@pytest.mark.parametrize(("code", "target"), pairs(TRIAL_TO_PLAN))
def test_a_code_of_the_trial_edition_that_moved_goes_where_its_class_went(
    code: str, target: str
) -> None:
    assert convert(code, source=TRIAL, target=PLAN).single().code == target


def test_the_adjustable_classes_follow_the_class_they_are_now_and_say_that_they_are_farmland() -> (
    None
):
    for code, target in pairs("0201K 0201; 0202K 0202; 0301K 0301; 0302K 0302; 0307K 0304"):
        found = convert(code, source=SURVEY, target=PLAN)
        assert (found.single().code, found.kind) == (target, MappingKind.MERGED)
        assert "耕地" in found.note
    assert convert("0204K", source=SURVEY, target=PLAN).kind is MappingKind.SPLIT


def test_a_main_canal_becomes_a_water_work_and_not_a_ditch() -> None:
    # 1107A is a sub-class of 1107 沟渠, which is 1705: a conversion by prefix gets it wrong.
    assert convert("1107A", source=SURVEY, target=PLAN).single().name == "水工设施用地"
    assert convert("1107", source=SURVEY, target=PLAN).single().name == "沟渠"


def test_green_belts_are_not_silently_lost_in_parks() -> None:
    assert "防护绿地" in convert("0810", source=SURVEY, target=PLAN).note


def test_the_trial_edition_takes_the_survey_class_by_class() -> None:
    """干渠, 水工建筑, 田坎 as in a published converter; roads and facilities have to be split."""
    for code, target in pairs("1107A 1311; 1109 1312; 1203 2302; 0204 0204; 0203 0203; 1110 1706"):
        assert convert(code, source=SURVEY, target=TRIAL).single().code == target
    for code, candidates in {
        "1004": "1207 060102",
        "1006": "060101 2303",
        "1202": "0602 0603 0604",
    }.items():
        targets = convert(code, source=SURVEY, target=TRIAL).targets
        assert [t.code for t in targets] == candidates.split()


# --- refusals ------------------------------------------------------------------------------------


def test_the_refusal_names_code_scheme_candidates_and_what_to_look_at() -> None:
    with pytest.raises(SplitClassError) as caught:
        convert("1006", source=SURVEY, target=PLAN).single()
    text = str(caught.value)
    assert "三调（2019）1006 农村道路" in text
    assert "060101 村道用地、060102 田间道" in text
    assert "用地用海（2023）" in text
    assert isinstance(caught.value, InputError)
    assert caught.value.code == "split_class"


@pytest.mark.parametrize("code", ["9999", "", "1101K", "01 01", "101", "0205"])
def test_an_unknown_code_is_refused(code: str) -> None:
    with pytest.raises(NotFoundError, match="没有编码"):
        convert(code, source=SURVEY, target=PLAN)


@pytest.mark.parametrize(
    ("source", "target"),
    [((None, None), PLAN), (("三调", None), PLAN), (("", "2019"), PLAN), (SURVEY, (None, "2023"))],
)
def test_a_code_without_scheme_and_edition_is_refused(source, target) -> None:
    with pytest.raises(RuleBookError, match="没有写明分类体系"):
        convert("1101", source=source, target=target)


@pytest.mark.parametrize(
    ("source", "target"),
    [(PLAN, SURVEY), (PLAN, TRIAL), (TRIAL, SURVEY), (PLAN, PLAN), (SURVEY, SURVEY)],
)
def test_a_pair_without_a_table_is_refused_with_the_known_pairs(source, target) -> None:
    with pytest.raises(RuleBookError, match="没有从") as caught:
        convert("0101", source=source, target=target)
    assert "三调（2019）→用地用海（2023）" in str(caught.value)


def test_an_unknown_edition_is_refused() -> None:
    with pytest.raises(RuleBookError, match="2017"):
        convert("0101", source=SURVEY, target=("用地用海", "2017"))


def test_other_names_of_a_scheme_lead_to_the_same_table() -> None:
    assert convert("1101", source=("sandiao", "2019"), target=("ydyh", "2023版")) == convert(
        "1101", source=SURVEY, target=PLAN
    )


# --- the tables as a whole -----------------------------------------------------------------------


def rows_of(pair) -> list[dict[str, str]]:
    table = class_mapping.mapping(*pair)
    name = next(
        row["file"]
        for row in class_mapping.read_toml("mappings.toml")["mapping"]
        if (tuple(row["source"]), tuple(row["target"])) == (table.source.key, table.target.key)
    )
    return list(class_mapping.read_rows(name))


@pytest.mark.parametrize("pair", PAIRS)
def test_every_class_of_the_source_stands_in_the_table_exactly_once(pair) -> None:
    listed = Counter(row["from"] for row in rows_of(pair))
    assert listed == Counter(land_classes.scheme(*pair[0]).classes.keys())


@pytest.mark.parametrize("pair", PAIRS)
def test_every_target_exists_and_no_candidate_is_named_twice(pair) -> None:
    target = land_classes.scheme(*pair[1])
    for row in rows_of(pair):
        codes = row["to"].split()
        assert codes, row
        assert len(set(codes)) == len(codes), row
        assert all(target.exists(code) for code in codes), row


def ancestors(scheme: land_classes.Scheme, code: str) -> set[str]:
    found: set[str] = set()
    while parent := scheme.classes[code].parent:
        found.add(parent)
        code = parent
    return found


@pytest.mark.parametrize("pair", PAIRS)
def test_the_kind_of_a_row_is_what_its_codes_and_names_say(pair) -> None:
    table = class_mapping.mapping(*pair)
    for code, row in table.conversions.items():
        rivals = [
            other
            for other, found in table.conversions.items()
            if other != code
            and found.targets == row.targets
            and code not in ancestors(table.source, other)
        ]
        if len(row.targets) > 1:
            expected = MappingKind.SPLIT
        elif rivals:
            expected = MappingKind.MERGED
        elif (code, row.name) == (row.targets[0].code, row.targets[0].name):
            expected = MappingKind.SAME
        else:
            expected = MappingKind.RENAMED
        assert row.kind is expected, (code, rivals)


def test_a_class_goes_where_its_sub_classes_go() -> None:
    """A parent of the trial edition has a target for each of its children, at or above theirs."""
    table = class_mapping.mapping(TRIAL, PLAN)
    for code in table.source.classes:
        above = [t.code for t in table.conversions[code].targets]
        for child in table.source.children(code):
            for target in table.conversions[child].targets:
                assert any(target.code.startswith(a) for a in above), (code, child, target.code)


def test_no_code_that_became_another_class_is_carried_over() -> None:
    """Of the codes that both editions have, eight are another class and four another name."""
    trial, plan = land_classes.scheme(*TRIAL), land_classes.scheme(*PLAN)
    both = trial.classes.keys() & plan.classes.keys()
    differ = {c for c in both if trial.name(c) != plan.name(c)}
    another_class = {"0204", "0602", "060102", "1311", "1312", "2302", "2303", "2202"}
    renamed = {"0203", "0601", "0903", "1207"}
    assert differ == another_class | renamed
    for code in another_class - {"1311", "2202"}:
        assert convert(code, source=TRIAL, target=PLAN).single().code != code
    # 水工设施用地 took the number of 干渠, and 干渠 with it; 其他特殊用海 was divided.
    assert convert("1311", source=TRIAL, target=PLAN).kind is MappingKind.MERGED
    assert convert("2202", source=TRIAL, target=PLAN).kind is MappingKind.SPLIT


def test_by_way_of_the_trial_edition_nothing_arrives_where_the_direct_way_does_not_lead() -> None:
    direct = class_mapping.mapping(SURVEY, PLAN)
    for code, row in class_mapping.mapping(SURVEY, TRIAL).conversions.items():
        if len(code) == 2 and direct.source.children(code):
            continue  # a whole group: its candidates are of different levels
        arrived = {
            t.code
            for step in row.targets
            for t in convert(step.code, source=TRIAL, target=PLAN).targets
        }
        assert arrived <= {t.code for t in direct.conversions[code].targets}, code


@pytest.mark.parametrize("pair", PAIRS)
def test_a_converted_class_stays_in_its_major_class_unless_that_is_open_to_argument(pair) -> None:
    table = class_mapping.mapping(*pair)
    for code, row in table.conversions.items():
        if row.kind is MappingKind.SPLIT:
            continue
        before = land_classes.major(table.source, code)
        after = land_classes.major(table.target, row.single().code)
        if not (before.doubtful or after.doubtful):
            assert before.value == after.value, code


@pytest.mark.parametrize("pair", PAIRS)
def test_a_converted_class_keeps_its_colour(pair) -> None:
    table = class_mapping.mapping(*pair)
    for code, row in table.conversions.items():
        if row.kind is not MappingKind.SPLIT:
            assert table.source.colour(code) == table.target.colour(row.single().code), code


def test_a_mapping_says_where_it_comes_from_and_that_it_is_not_verified() -> None:
    assert [(m.source.key, m.target.key) for m in class_mapping.mappings()] == PAIRS
    for mapping in class_mapping.mappings():
        assert mapping.origin
        assert not mapping.verified
        assert mapping.checked_on.year >= 2026


# --- a whole layer -------------------------------------------------------------------------------


def test_a_layer_is_sorted_into_converted_to_be_split_unknown_and_missing() -> None:
    codes = ["0101", "1006", "0101", None, "9999", " 1107A ", "", float("nan"), "1006", "0101"]
    rows = convert_codes(codes, source=SURVEY, target=PLAN)
    assert [(r.code, r.count, r.state, r.targets) for r in rows] == [
        ("", 3, CodeState.MISSING, ()),
        ("0101", 3, CodeState.CONVERTED, ("0101",)),
        ("1006", 2, CodeState.SPLIT, ("060101", "060102")),
        ("1107A", 1, CodeState.CONVERTED, ("1311",)),
        ("9999", 1, CodeState.UNKNOWN, ()),
    ]
    assert [r.state.label for r in rows] == ["无编码", "可转换", "待细分", "可转换", "未知编码"]
    assert "三调（2019）" in rows[4].note


def test_a_column_an_array_and_a_list_give_the_same_rows() -> None:
    codes = ["0101", "09", "0101"]
    expected = convert_codes(codes, source=SURVEY, target=PLAN)
    for column in (
        np.array(codes),
        pd.Series(codes),
        pd.Series(codes, dtype="string"),
        iter(codes),
    ):
        assert convert_codes(column, source=SURVEY, target=PLAN) == expected
    gaps = pd.Series(["0101", pd.NA, None, "09", "0101"], dtype="string")
    assert convert_codes(gaps, source=SURVEY, target=PLAN)[0].count == 2
    assert len(pd.DataFrame(expected)) == 2


def test_a_code_that_lost_its_leading_zero_is_unknown_and_not_guessed() -> None:
    rows = convert_codes([101, 1101, 101.0], source=SURVEY, target=PLAN)
    states = {r.code: r.state for r in rows}
    assert states == {
        "101": CodeState.UNKNOWN,
        "101.0": CodeState.UNKNOWN,
        "1101": CodeState.CONVERTED,
    }


def test_no_code_gives_no_row_and_a_layer_without_scheme_is_refused() -> None:
    assert convert_codes([], source=SURVEY, target=PLAN) == ()
    with pytest.raises(RuleBookError, match="没有写明"):
        convert_codes(["0101"], source=(None, None), target=PLAN)


@PROPERTY
@given(
    st.lists(
        st.one_of(
            st.sampled_from(sorted(land_classes.scheme(*SURVEY).classes)),
            st.text(max_size=6),
            st.none(),
            st.integers(0, 3000),
        ),
        max_size=40,
    )
)
def test_every_feature_is_counted_once_and_a_split_never_has_one_target(codes: list) -> None:
    rows = convert_codes(codes, source=SURVEY, target=PLAN)
    assert sum(r.count for r in rows) == len(codes)
    assert [r.code for r in rows] == sorted({r.code for r in rows})
    for row in rows:
        assert (row.state is CodeState.SPLIT) == (len(row.targets) > 1)
        assert (row.state is CodeState.CONVERTED) == (len(row.targets) == 1)
