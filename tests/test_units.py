"""Units: expected values by hand from 1 mu = 10000/15 m²."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.units import m2_to_ha, m2_to_km2, m2_to_mu, mu_to_m2, round_parts, round_table


def test_one_hectare_is_fifteen_mu() -> None:
    assert m2_to_mu(10_000) == pytest.approx(15, abs=1e-12)
    assert m2_to_ha(10_000) == 1
    assert m2_to_km2(1_000_000) == 1


def test_260_mu_are_17_33_hectares() -> None:
    # 260 / 15 = 17.3333 ha
    assert mu_to_m2(260) == pytest.approx(173_333.3333, abs=1e-4)


def test_three_thirds_print_as_a_whole() -> None:
    assert round_parts([1 / 3] * 3, 2) == [0.34, 0.33, 0.33]


def test_no_parts_round_to_no_parts() -> None:
    assert round_parts([], 2) == []


@pytest.mark.parametrize("bad", [[math.nan], [math.inf], [-0.01]])
def test_parts_that_are_no_areas_are_refused(bad: list[float]) -> None:
    with pytest.raises(ValueError, match="finite"):
        round_parts(bad, 2)


@settings(max_examples=200)
@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=12), st.integers(0, 4))
def test_printed_parts_add_up_to_the_printed_whole(parts: list[float], digits: int) -> None:
    rounded = round_parts(parts, digits)
    unit = 10**-digits
    assert math.fsum(rounded) == pytest.approx(round(math.fsum(parts), digits), abs=unit * 1e-3)
    assert all(abs(r - p) <= unit * (1 + 1e-6) for r, p in zip(rounded, parts, strict=True))


def test_parts_follow_a_whole_that_was_measured_by_itself() -> None:
    # By hand: the parts make 0.995, which would print as 0.99 or 1.00; the whole says 1.004.
    assert round_parts([0.331, 0.332, 0.332], 2, whole=1.004) == [0.33, 0.34, 0.33]
    assert math.fsum(round_parts([0.331, 0.332, 0.332], 2, whole=0.994)) == pytest.approx(0.99)


@pytest.mark.parametrize("whole", [1.02, 0.97])
def test_parts_that_cannot_make_the_whole_are_refused(whole: float) -> None:
    with pytest.raises(ValueError, match="cannot"):
        round_parts([0.33, 0.34, 0.33], 2, whole=whole)


# --- tables --------------------------------------------------------------------------------------


def printed_units(value: float, digits: int) -> int:
    """The value in units of its last printed digit; it has no more digits than that."""
    units = round(value * 10**digits)
    assert units / 10**digits == value
    return units


def is_rounded(true: Fraction, shown: int) -> bool:
    """Whether a number of units is the true one rounded down or up; integers stay.

    A value of 3e8 with two decimals has an error of 4e-6 units as a binary number.
    """
    noise = Fraction(1, 10_000)
    if abs(true - round(true)) < Fraction(1, 10**9):
        return shown == round(true)
    return math.floor(true - noise) <= shown <= math.ceil(true + noise)


def test_four_cells_of_04_make_rows_columns_and_a_whole() -> None:
    # By hand: rows and columns are 0.8, so 0 or 1; the whole is 1.6, printed 2.
    table = round_table([[0.4, 0.4], [0.4, 0.4]], 0)
    assert sorted(map(sum, table)) == [1, 1]
    assert sorted(map(sum, zip(*table, strict=True))) == [1, 1]


def test_a_table_of_one_column_is_a_list_of_parts() -> None:
    parts = [1 / 3, 1 / 3, 1 / 3, 2.0]
    rows = round_table([[p] for p in parts], 2)
    assert [row[0] for row in rows] == round_parts(parts, 2)


def test_empty_tables_stay_empty() -> None:
    assert round_table([], 2) == []
    assert round_table([[], []], 2) == [[], []]


def test_a_deduction_is_rounded_like_any_cell() -> None:
    # By hand: 1.236 - 0.124 = 1.112, printed 1.11: 1.23 - 0.12 or 1.24 - 0.13.
    (first,), (second,) = round_table([[1.236], [-0.124]], 2)
    assert (first, second) in [(1.23, -0.12), (1.24, -0.13)]


def test_the_grand_total_follows_the_whole() -> None:
    cells = [[0.31, 0.22], [0.26, 0.17]]  # 0.96
    assert math.fsum(map(math.fsum, round_table(cells, 1, whole=0.94))) == pytest.approx(0.9)
    assert math.fsum(map(math.fsum, round_table(cells, 1, whole=0.96))) == pytest.approx(1.0)


@pytest.mark.parametrize("bad", [[[math.nan]], [[1.0], [1.0, 2.0]], [[math.inf, 1.0]]])
def test_what_is_no_table_is_refused(bad: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="finite"):
        round_table(bad, 2)


def test_cells_that_cannot_make_the_whole_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot"):
        round_table([[0.5, 0.25]], 2, whole=9.0)


cell = st.one_of(
    st.just(0.0), st.floats(-50, 50), st.floats(0, 3e8), st.integers(0, 999).map(lambda n: n / 100)
)


@st.composite
def tables(draw):
    """A table with zeros, deductions, whole cells and areas of a county, and groups of its rows."""
    width = draw(st.integers(1, 7))
    rows = draw(st.lists(st.lists(cell, min_size=width, max_size=width), min_size=1, max_size=14))
    groups = draw(st.lists(st.integers(0, 3), min_size=len(rows), max_size=len(rows)))
    return rows, groups


def test_groups_may_lie_in_groups() -> None:
    # By hand: 20.333 + 30.333 = 50.666 is printed 50.67 although each alone is rounded down, and
    # although 49.334 has the largest remainder.
    cells = [[20.333], [30.333], [49.334]]
    (green,), (water,), (rest,) = round_table(
        cells, 2, groups=[("counted", "green"), ("counted", "water"), ("rest",)]
    )
    assert rest == 49.33
    assert (green, water) in [(20.34, 30.33), (20.33, 30.34)]


@settings(max_examples=150)
@given(tables(), st.integers(0, 2))
def test_groups_of_groups_are_rounded_down_or_up_too(drawn, digits: int) -> None:
    rows, labels = drawn
    paths = [(label % 2, label) if label else (0,) for label in labels]
    shown = round_table(rows, digits, groups=paths)
    for prefix in {path[:n] for path in paths for n in (1, 2)}:
        own = [n for n, path in enumerate(paths) if path[: len(prefix)] == prefix]
        exact = sum(Fraction(v) * 10**digits for n in own for v in rows[n])
        assert is_rounded(exact, sum(printed_units(v, digits) for n in own for v in shown[n]))


@settings(max_examples=250)
@given(tables(), st.integers(0, 2))
def test_cells_totals_and_subtotals_are_all_rounded_down_or_up(drawn, digits: int) -> None:
    rows, groups = drawn
    table = round_table(rows, digits, groups=groups)
    shown = [[printed_units(value, digits) for value in row] for row in table]
    exact = [[Fraction(value) * 10**digits for value in row] for row in rows]
    for true, row in zip(exact, shown, strict=True):
        assert all(is_rounded(t, s) and (t or not s) for t, s in zip(true, row, strict=True))
        assert is_rounded(sum(true), sum(row))
    for true, column in zip(zip(*exact, strict=True), zip(*shown, strict=True), strict=True):
        assert is_rounded(sum(true), sum(column))
    for group in set(groups):
        own = [n for n, g in enumerate(groups) if g == group]
        assert is_rounded(sum(sum(exact[n]) for n in own), sum(sum(shown[n]) for n in own))
    total = math.fsum(value for row in rows for value in row)
    assert sum(map(sum, shown)) == printed_units(round(total, digits), digits)
