"""Conditions over attributes: what is not known is neither found nor excluded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pygeofilter.parsers.ecql import parse

from api.errors import QueryError
from api.ogc.columns import Columns, Field, Truth, field_type, objects

FIELDS = {"a": Field("甲"), "n": Field("数", "number"), "z": Field("丙", is_queryable=False)}


def columns(texts, numbers) -> Columns:
    values = {"a": objects(texts), "n": objects(numbers), "z": objects(texts)}
    return Columns(FIELDS, values, len(texts))


TEXTS = ["x", None, "y%", ""]
NUMBERS = [1.0, 2.0, None, -3.5]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("a = 'x'", [True, False, False, False]),
        ("a <> 'x'", [False, False, True, True]),
        ("NOT a = 'x'", [False, False, True, True]),
        ("a IS NULL", [False, True, False, False]),
        ("a IS NOT NULL", [True, False, True, True]),
        ("a = '' OR a IS NULL", [False, True, False, True]),
        ("a NOT IN ('x')", [False, False, True, True]),
        ("a LIKE 'y%'", [False, False, True, False]),
        ("a LIKE '_'", [True, False, False, False]),
        ("a NOT LIKE '%'", [False, False, False, False]),
        ("a ILIKE 'X'", [True, False, False, False]),
        ("n BETWEEN -3.5 AND 1", [True, False, False, True]),
        ("n NOT BETWEEN -3.5 AND 1", [False, True, False, False]),
        # Unknown or true is true, unknown and false is false; both are known.
        ("a = 'x' OR n = 2", [True, True, False, False]),
        ("NOT a = 'x' AND n < 5", [False, False, False, True]),
    ],
)
def test_empty_values_are_neither_equal_nor_different(condition, expected) -> None:
    assert columns(TEXTS, NUMBERS).holds(parse(condition)).tolist() == expected


@pytest.mark.parametrize(
    "condition", ["z = 'x'", "b = 1", "a = 1", "n = 'x'", "n LIKE 'x'", "a = n", "f(a) = 'x'"]
)
def test_what_cannot_be_compared_is_refused(condition) -> None:
    with pytest.raises(QueryError):
        columns(TEXTS, NUMBERS).holds(parse(condition))


def test_a_text_is_no_number_however_it_looks() -> None:
    with pytest.raises(QueryError, match="参数 n 为"):
        columns(TEXTS, NUMBERS).equal([("n", "two")])
    assert columns(["1"], [1.0]).equal([("a", "1.0")]).tolist() == [False]
    assert columns(["1"], [1.0]).equal([("n", "1.00")]).tolist() == [True]


@pytest.mark.parametrize(
    ("values", "kind"),
    [([1.0, None], "number"), ([None, None], "string"), (["1"], "string"), ([1.0, "x"], "string")],
)
def test_a_column_is_a_number_only_when_all_its_values_are(values, kind) -> None:
    assert field_type(objects(values)) == kind


BOOLS = st.lists(st.sampled_from(["yes", "no", "open"]), min_size=3, max_size=3)


def truth(states) -> Truth:
    column = objects([{"yes": "x", "no": "y", "open": None}[state] for state in states])
    return Columns({"a": FIELDS["a"]}, {"a": column}, len(states))._truth(parse("a = 'x'"))


@given(BOOLS, BOOLS)
def test_and_or_not_follow_de_morgan_with_unknowns(left, right) -> None:
    p, q = truth(left), truth(right)
    one, two = ~(p & q), ~p | ~q
    assert one.yes.tolist() == two.yes.tolist()
    assert one.no.tolist() == two.no.tolist()
    assert not (one.yes & one.no).any()


@given(st.lists(st.one_of(st.none(), st.floats(-5, 5)), max_size=8), st.booleans())
def test_sorting_loses_no_row_and_puts_empty_ones_last(numbers, is_falling) -> None:
    import numpy as np

    rows = columns(["x"] * len(numbers), numbers).ordered(
        np.arange(len(numbers)), [("n", is_falling)]
    )
    assert sorted(rows.tolist()) == list(range(len(numbers)))
    told = [numbers[row] for row in rows]
    known = [n for n in told if n is not None]
    assert told == known + [None] * (len(told) - len(known))
    assert known == sorted(known, reverse=is_falling)
