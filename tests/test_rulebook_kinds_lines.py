"""forbid_overlap on lines and points, and around features: length, number, unseen features."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from kind_facts import AREA_TEXT, Load, area, inside, judge, loaded

from gis.model import Demand, Measure, Quantity

FORBID = 'kind = "forbid_overlap"\noutcome = "fail"\n' + AREA_TEXT


@pytest.fixture
def load(tmp_path: Path) -> Load:
    return lambda body: loaded(tmp_path, body)


@pytest.mark.parametrize(
    ("measure", "hit", "words", "value"),
    [
        ("length", Measure(Demand("line", Quantity.LENGTH), length_m=12.5), "长 12.5 m", 12.5),
        ("count", Measure(Demand("line", Quantity.COUNT), count=2), "2 处", 2.0),
    ],
)
def test_lines_are_measured_by_length_and_points_by_number(
    load: Load, measure: str, hit: Measure, words: str, value: float
) -> None:
    book = load(FORBID + f'measure = "{measure}"\nclasses = ["a"]\n')
    quantity = hit.demand.quantity
    found = judge(book, {(quantity, ("a",)): hit})
    assert found.verdict == "fail"
    assert words in found.reason
    assert found.measure is not None
    assert found.measure.value == value
    assert judge(book, {}).verdict == "pass"
    assert judge(book, {("not", "*"): hit}).verdict == "undetermined"


def test_land_around_features_is_open_where_more_of_them_may_be_unseen(load: Load) -> None:
    book = load(FORBID + "within_m = 200.0\n")
    nothing = replace(area(0.0), reach_covered=False)
    found = judge(book, inside(nothing))
    assert found.verdict == "undetermined"
    assert "地块周边 200 m 范围内有区域不在“某线图层”图层覆盖范围内" in found.reason
    assert judge(book, inside(replace(area(50.0), reach_covered=False))).verdict == "fail"
