"""min_distance: kept, just met, too near, width or setting unknown, land nearby not covered."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from kind_facts import Load, distance, judge, loaded, near, report

from gis.model import LayerState, Rule
from gis.rulebook import RuleBook, demands_of


@pytest.fixture
def load(tmp_path: Path) -> Load:
    return lambda body: loaded(tmp_path, body)


DISTANCE = """
kind = "min_distance"
edge = "公路用地外缘"
plausible_half_width_m = 30.0
no_distance = ["城市*"]
outcome = "fail"
text = { clear = "不在控制区内。", hit = "距{feature} {distance}，小于 {required}" }
distance_m = { "国道" = 20.0, "县道" = 10.0, "铁路" = [8.0, 15.0] }
"""


def test_the_search_reaches_far_enough_for_the_widest_road(load: Load) -> None:
    (demand,) = demands_of(only(load(DISTANCE)))
    assert (demand.within_m, demand.classes) == (50.0, ())


def only(book: RuleBook) -> Rule:
    (rule,) = book.rules
    return rule


@pytest.mark.parametrize(
    ("edge_m", "verdict"),
    # Less than half a millimetre is rounding: boundary points are known to 1 mm.
    [(25.0, "pass"), (20.0, "pass"), (19.9996, "pass"), (19.999, "fail"), (0.0, "fail")],
)
def test_the_distance_is_kept_when_it_is_just_met(load: Load, edge_m: float, verdict: str) -> None:
    found = judge(load(DISTANCE), distance(near(("国道", edge_m + 12, edge_m))))
    assert found.verdict == verdict
    assert found.measure is not None
    assert (found.measure.value, found.measure.unit) == (edge_m, "m")


def test_each_class_has_its_own_distance(load: Load) -> None:
    found = judge(load(DISTANCE), distance(near(("国道", 40.0, 28.0), ("县道", 24.0, 12.0))))
    assert found.verdict == "pass"


def test_too_near_names_feature_distance_and_requirement(load: Load) -> None:
    found = judge(load(DISTANCE), distance(near(("县道", 12.0, 3.25))))
    assert "f0（县道） 3.25 m，小于 10 m" in found.reason


def test_nothing_near_passes(load: Load) -> None:
    found = judge(load(DISTANCE), distance(near()))
    assert (found.verdict, found.measure) == ("pass", None)


@pytest.mark.parametrize(("axis_m", "verdict"), [(49.9, "undetermined"), (50.0, "pass")])
def test_a_centre_line_without_half_width_is_undetermined(
    load: Load, axis_m: float, verdict: str
) -> None:
    # 20 m from the edge plus 30 m of plausible half width.
    found = judge(load(DISTANCE), distance(near(("国道", axis_m, None))))
    assert found.verdict == verdict
    assert ("没有宽度" in found.reason) == (verdict == "undetermined")


def test_city_streets_have_no_distance_and_unknown_classes_are_doubted(load: Load) -> None:
    assert judge(load(DISTANCE), distance(near(("城市主干路", 5.0, 0.0)))).verdict == "pass"
    assert judge(load(DISTANCE), distance(near(("城市主干路", 5.0, None)))).verdict == "pass"
    for cls in ("专用公路", None):
        assert judge(load(DISTANCE), distance(near((cls, 9.0, 5.0)))).verdict == "undetermined"
    assert judge(load(DISTANCE), distance(near(("专用公路", 29.0, 20.0)))).verdict == "pass"


@pytest.mark.parametrize(
    ("edge_m", "hard", "soft"),
    [
        (7.9, "fail", "conditional"),
        (8.0, "undetermined", "conditional"),
        (14.9, "undetermined", "conditional"),
        (15.0, "pass", "pass"),
    ],
)
def test_between_the_least_and_the_most_distance_the_setting_decides(
    load: Load, edge_m: float, hard: str, soft: str
) -> None:
    numbers = distance(near(("铁路", edge_m + 16, edge_m)))
    assert judge(load(DISTANCE), numbers).verdict == hard
    assert judge(load(DISTANCE.replace('"fail"', '"conditional"')), numbers).verdict == soft


def test_a_use_that_may_come_near_is_excused_and_no_use_is_undetermined(load: Load) -> None:
    book = load(
        DISTANCE
        + 'exceptions = [{ uses = ["12"], verdict = "conditional", reason = "涉路许可" }]\n'
    )
    numbers = distance(near(("国道", 20.0, 8.0)))
    found = judge(book, numbers, use="1207")
    assert found.verdict == "conditional"
    assert "涉路许可" in found.reason
    assert judge(book, numbers, use=None).verdict == "undetermined"


@pytest.mark.parametrize(
    ("feature", "verdict"),
    [(("国道", 40.0, 25.0), "undetermined"), (("国道", 40.0, 19.0), "fail")],
)
def test_land_nearby_that_is_not_covered_may_hide_a_road(
    load: Load, feature: tuple[str, float, float], verdict: str
) -> None:
    found = judge(load(DISTANCE), distance(near(feature, covered=False)))
    assert found.verdict == verdict
    # 20 m of the rule and 30 m of plausible half width: an axis at 50 m may have its edge too near.
    assert ("地块周边 50 m 范围内有区域不在“某线图层”图层覆盖范围内" in found.reason) == (
        verdict == "undetermined"
    )
    assert "不在控制区内" not in found.reason


def test_with_nothing_seen_and_land_nearby_not_covered_it_is_open(load: Load) -> None:
    nothing = distance(near(covered=False))
    assert judge(load(DISTANCE), nothing).verdict == "undetermined"
    soft = load(DISTANCE.replace('"fail"', '"conditional"'))
    assert judge(soft, nothing).verdict == "undetermined"
    seen = distance(near(("国道", 20.0, 8.0), covered=False))
    assert judge(soft, seen).verdict == "undetermined"
    assert "f0（国道） 8 m" in judge(soft, seen).reason
    found = judge(load(DISTANCE), nothing, layer=report(uncovered=None))
    assert found.verdict == "undetermined"
    assert found.reason.count("覆盖范围") == 1


def test_a_use_that_may_stand_anywhere_does_not_need_the_land_nearby(load: Load) -> None:
    excuse = 'exceptions = [{ uses = ["14"], verdict = "pass", reason = "绿化不限" }]\n'
    book = load(DISTANCE + excuse)
    for features in ([], [("国道", 20.0, 8.0)], [("国道", 20.0, None)]):
        found = judge(book, distance(near(*features, covered=False)), use="1402")
        assert found.verdict == "pass"
        assert "绿化不限" in found.reason
        assert "不在控制区内" not in found.reason


def test_roads_without_data_are_undetermined(load: Load) -> None:
    gone = report(LayerState.NO_DATA)
    assert judge(load(DISTANCE), {}, layer=gone).verdict == "undetermined"


SETTINGS = DISTANCE.replace("[8.0, 15.0]", '{ "市区" = 8.0, "郊区" = 10.0, "其他" = 15.0 }')


@pytest.mark.parametrize(
    ("setting", "edge_m", "verdict"),
    [
        ("市区", 8.0, "pass"),
        ("市区", 7.99, "fail"),
        ("郊区", 9.99, "fail"),
        (None, 9.99, "undetermined"),  # 8 to 15 m: the setting decides
        ("别处", 14.99, "undetermined"),
        (None, 15.0, "pass"),
        (None, 7.99, "fail"),  # too near whatever the setting is
    ],
)
def test_the_setting_of_the_feature_picks_the_distance(
    load: Load, setting: str | None, edge_m: float, verdict: str
) -> None:
    book = load(SETTINGS + 'setting = "where"\n')
    (rail,) = near(("铁路", edge_m, edge_m)).near
    rail = replace(rail, values={"where": setting})
    (demand,) = demands_of(book.rules[0])
    assert demand.values == ("where",)
    found = judge(book, distance(replace(near(), near=(rail,))))
    assert found.verdict == verdict


@pytest.mark.parametrize(("axis_m", "verdict"), [(19.99, "fail"), (20.0, "pass")])
def test_from_the_axis_no_half_width_is_asked_for(load: Load, axis_m: float, verdict: str) -> None:
    book = load(DISTANCE + "from_axis = true\n")
    found = judge(book, distance(near(("国道", axis_m, None))))
    assert found.verdict == verdict
    assert found.measure is not None
    assert found.measure.value == axis_m
    assert judge(load(DISTANCE), distance(near(("国道", axis_m, None)))).verdict == "undetermined"


def test_a_site_that_keeps_its_distance_is_told_how_far_the_nearest_is(load: Load) -> None:
    found = judge(load(DISTANCE), distance(near(("国道", 40.0, 25.0), ("县道", 60.0, 55.0))))
    assert found.reason == "不在控制区内。最近的f0（国道）距公路用地外缘 25 m，须不少于 20 m。"
