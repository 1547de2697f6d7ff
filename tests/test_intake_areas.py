"""The area that a file states: its unit, its rounding, and whether the coordinates agree."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.intake.areas import AREA_TOLERANCE, area_unit, compared, read_area
from gis.intake.draft import StatedArea
from gis.model import Area

# 2 ha; planar 206 ppm more, as in the right zone at the bundled plan.
TWO_HA = Area(20_000.0, 20_004.12)


def verdict(text, area=TWO_HA, unit=""):
    """What becomes of a stated text: note, warning or fault."""
    found = compared(read_area(text, where="第 6 行", unit=unit), area)
    return "fault" if found.fault else "warning" if found.warnings else "note"


@pytest.mark.parametrize("stated", [None, StatedArea(0.0)])
def test_no_stated_area_is_no_claim(stated):
    assert compared(stated, TWO_HA).claims == {}


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("2.0000", "note"),  # to the last decimal of the form
        ("2.0001", "note"),  # 1 m²
        ("2.0004", "note"),  # that is the planar area
        ("2.0009", "warning"),  # 5 m² from the nearer one
        ("2.00", "note"),
        ("2", "note"),
        ("2.01", "warning"),  # 0.5 %, and more than half of its last decimal
        ("1.99", "warning"),
        ("2.03", "fault"),
        ("1.97", "fault"),
        ("3", "fault"),  # the rounding of a whole number excuses no percent
        ("2.0", "note"),
        ("20000", "note"),
        ("20100", "warning"),
        ("20300", "fault"),
        ("30", "note"),
        ("30.00", "note"),
        ("0.02", "note"),
        ("2公顷", "note"),
        ("30 亩", "note"),
        ("20,000.00 平方米", "note"),
        ("2万㎡", "note"),
        ("2 hm²", "note"),
        ("0.02km2", "note"),
        ("0.003万亩", "note"),
        ("30平方米", "fault"),  # a unit that is written binds
        ("2平方米", "fault"),
        ("2亩", "fault"),
        ("30公顷", "fault"),
    ],
)
def test_a_stated_area_agrees_warns_or_is_refused(text, outcome):
    assert verdict(text) == outcome


def test_no_number_of_decimals_excuses_a_percent():
    # 1.4897 ha against a stated "1.0000", 24,894 m² against "2.0000": points are missing.
    assert verdict("1.0000", Area(14_897, 14_900)) == "fault"
    assert verdict("2.0000", Area(24_894, 24_900)) == "fault"
    assert verdict("2", Area(24_894, 24_900)) == "fault"


def test_the_rounding_of_the_form_is_no_fault_of_a_tiny_plot():
    # Four decimals of a hectare: 30.4 m² is written 0.0030, 1.3 % less.
    assert verdict("0.0030", Area(30.4, 30.4)) == "note"
    assert verdict("0.0029", Area(30.4, 30.4)) == "fault"


def test_the_unit_of_a_heading_speaks_for_bare_numbers_only():
    assert verdict("30", unit="亩") == "note"
    assert verdict("2", unit="亩") == "fault"
    assert verdict("2 公顷", unit="亩") == "note"


@pytest.mark.parametrize(
    ("number", "area_m2", "unit"),
    [
        (2, 20_000, "公顷"),
        (3, 20_000, "公顷"),
        (20_000, 20_000, "平方米"),
        (25_000, 19_996, "平方米"),
        (30, 20_000, "亩"),
        (20, 24_667, "亩"),
        (226, 226e6, "平方公里"),
    ],
)
def test_a_bare_number_is_taken_in_the_unit_that_comes_nearest(number, area_m2, unit):
    assert area_unit(StatedArea(number), Area(area_m2, area_m2)) == unit


def test_a_fault_tells_place_number_unit_and_both_areas():
    fault = compared(read_area("3", where="第 6 行"), TWO_HA).fault
    assert fault.where == "第 6 行"
    for part in ("文件填写的面积 3 按公顷理解为 30000.00 m²", "20000.00 m²", "50.0%", "超过 1 %"):
        assert part in fault.message
    fault = compared(read_area("2亩", where="第 6 行"), TWO_HA).fault
    assert "文件填写的面积 2 亩为 1333.33 m²" in fault.message


@pytest.mark.parametrize("text", ["", "/", "abc", "-2", "nan", "1e999", "2.0.0", "二"])
def test_what_is_no_positive_number_is_told_as_such(text):
    with pytest.raises(ValueError, match="不是正数"):
        read_area(text, where="")


@pytest.mark.parametrize("text", ["2米", "2 万", "2英亩"])
def test_a_unit_that_nobody_knows_is_told_as_such(text):
    with pytest.raises(ValueError, match="单位"):
        read_area(text, where="")


@settings(max_examples=50)
@given(st.floats(10, 1e7), st.floats(0.5, 2), st.integers(0, 4))
def test_a_difference_of_more_than_a_percent_is_never_taken(area_m2, factor, decimals):
    text = f"{area_m2 * factor:.{decimals}f}平方米"
    found = compared(read_area(text, where=""), Area(area_m2, area_m2))
    off = abs(float(text[:-3]) - area_m2)
    assert (found.fault is not None) == (off > max(AREA_TOLERANCE * area_m2, 0.5)) or math.isclose(
        off, max(AREA_TOLERANCE * area_m2, 0.5)
    )
