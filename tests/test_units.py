"""Units: expected values by hand from 1 mu = 10000/15 m²."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.units import m2_to_ha, m2_to_km2, m2_to_mu, mu_to_m2, round_parts


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


@settings(max_examples=200, derandomize=True)
@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=12), st.integers(0, 4))
def test_printed_parts_add_up_to_the_printed_whole(parts: list[float], digits: int) -> None:
    rounded = round_parts(parts, digits)
    unit = 10**-digits
    assert math.fsum(rounded) == pytest.approx(round(math.fsum(parts), digits), abs=unit * 1e-3)
    assert all(abs(r - p) <= unit * (1 + 1e-6) for r, p in zip(rounded, parts, strict=True))
