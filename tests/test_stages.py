"""Work that goes on side by side: what it found is as if each had been done alone."""

from dataclasses import replace
from datetime import date

import pytest
from shapely import affinity

import gis
from gis.canonical import to_dict
from gis.check import Asked, check_chunk, check_site, checking
from gis.errors import OutsidePlanError
from gis.stages import Staged, finished, side_by_side

DAY = date(2026, 11, 22)

SAMPLES = ("yizhong_xinxiao.txt", "mingzhu_guangchang.geojson", "fire_station.geojson")


@pytest.fixture(scope="module")
def sample_sites(plan, samples_dir):
    return [gis.read_site(samples_dir / name, plan) for name in SAMPLES]


def work(name: str, stages: int, log: list[str]) -> Staged[str]:
    for n in range(stages):
        log.append(f"{name}{n}")
        yield
    return name.upper()


def failing(log: list[str]) -> Staged[str]:
    log.append("f0")
    yield
    raise ValueError("broken")


def test_work_that_never_pauses_is_finished_too():
    assert finished(work("a", 0, [])) == "A"


def test_no_work_ends_at_once():
    assert side_by_side([]) == []


def test_each_stage_is_done_for_all_before_the_next_one_whoever_ends_first():
    log: list[str] = []
    ended = side_by_side([work("a", 3, log), work("b", 1, log), work("c", 2, log)])
    assert log == ["a0", "b0", "c0", "a1", "c1", "a2"]
    assert [end.result for end in ended] == ["A", "B", "C"]
    assert all(end.error is None for end in ended)


def test_an_error_ends_only_its_own_work():
    log: list[str] = []
    ended = side_by_side([work("a", 2, log), failing(log), work("b", 2, log)])
    assert [end.result for end in ended] == ["A", None, "B"]
    assert str(ended[1].error) == "broken"
    assert log == ["a0", "f0", "b0", "a1", "b1"]


def test_a_check_in_stages_decides_as_one_in_one_go(plan, sample_sites):
    alone = [check_site(site, plan, as_of=DAY) for site in sample_sites]
    ended = side_by_side(checking(site, plan, Asked(as_of=DAY)) for site in sample_sites)
    assert [to_dict(end.result) for end in ended] == [to_dict(c) for c in alone]
    assert len({check.digest for check in alone}) > 1


def test_a_site_outside_the_plan_does_not_hide_the_answers_before_it(plan, sample_sites):
    inside, beyond = sample_sites[0], moved_away(sample_sites[1])
    answers = check_chunk([inside, beyond, inside], plan, as_of=DAY)
    assert next(answers).site.name == inside.name
    with pytest.raises(OutsidePlanError):
        next(answers)


def moved_away(site):
    return replace(site, geometry=affinity.translate(site.geometry, 500_000.0, 0.0))
