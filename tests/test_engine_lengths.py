"""Metres of lines inside a polygon: by hand, and against the overlays of GEOS.

Where nothing is said an overlay tells; how often that is so is counted too.
"""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.engine.kernel import edges_of
from gis.engine.lines import Lines, Segments

E, N = 400_000.0, 4_020_000.0
CORNER = np.array([E, N])
SITE = shapely.box(E, N, E + 10, N + 10)


def line(*places: tuple[float, float]) -> shapely.LineString:
    return shapely.LineString(np.array(places) + CORNER)


def inside(site: shapely.Geometry, *lines: shapely.LineString) -> dict[int, float] | None:
    rows, feature = [], []
    for number, one in enumerate(lines):
        xy = shapely.get_coordinates(one)
        rows.append(np.hstack([xy[:-1], xy[1:]]))
        feature += [number] * (len(xy) - 1)
    own = np.array(feature, dtype=np.int64)
    segments = Segments(np.vstack(rows), np.zeros(len(own), np.int64), own, np.zeros(len(own)))
    return Lines(segments).inside_m(edges_of(shapely.get_parts([site])))


def test_a_line_across_a_site_is_as_long_as_the_site_is_wide() -> None:
    assert inside(SITE, line((-5, 5), (25, 5))) == {0: pytest.approx(10.0)}
    # A staircase of 3 + 4 metres, and a line that ends inside.
    stairs, stub = line((2, 2), (5, 2), (5, 6)), line((-3, 5), (4, 5))
    assert inside(SITE, stairs, stub) == {0: pytest.approx(7.0), 1: pytest.approx(4.0)}


def test_a_line_beside_a_site_is_not_in_it_and_one_that_touches_runs_no_metre() -> None:
    assert inside(SITE, line((11, -5), (11, 15))) == {}
    assert inside(SITE, line((-5, 5), (5, -5))) == {}  # through the corner outside it
    assert inside(SITE, line((-5, 5), (0, 5))) in ({}, None)


def test_a_line_through_corners_is_not_cut_twice() -> None:
    assert inside(SITE, line((-5, -5), (15, 15))) == {0: pytest.approx(10 * 2**0.5)}


def test_holes_and_the_gap_between_parts_are_left_out() -> None:
    pond = SITE.difference(shapely.box(E + 4, N + 4, E + 6, N + 6))
    assert inside(pond, line((-5, 5), (25, 5))) == {0: pytest.approx(8.0)}
    two = shapely.MultiPolygon([SITE, shapely.box(E + 20, N, E + 30, N + 10)])
    assert inside(two, line((-5, 5), (45, 5))) == {0: pytest.approx(20.0)}


def test_what_runs_along_an_edge_or_along_itself_is_left_to_an_overlay() -> None:
    assert inside(SITE, line((-5, 10), (25, 10))) is None
    assert inside(SITE, line((2, 0), (8, 0))) is None
    there_and_back = line((-5, 5), (25, 5), (-5, 5))
    assert inside(SITE, there_and_back) is None
    assert inside(SITE, line((-5, 5), (25, 5)), line((25, 5), (-5, 5))) == {
        0: pytest.approx(10.0),
        1: pytest.approx(10.0),
    }  # two lines on one are two


def test_no_more_than_a_touch_is_left_to_an_overlay() -> None:
    assert inside(SITE, line((-5, 5), (5e-4, 5))) is None


def test_a_vertex_that_stands_twice_takes_nothing_from_a_line() -> None:
    assert inside(SITE, line((-5, 5), (4, 5), (4, 5), (25, 5))) == {0: pytest.approx(10.0)}


def test_a_segment_counts_once_in_however_many_cells_it_stands() -> None:
    short = [line((n / 10, 1), (n / 10, 1.1)) for n in range(1, 60)]
    found = inside(SITE, line((-40, 5), (60, 6)), *short)
    assert found is not None
    assert found[0] == pytest.approx(10 * np.hypot(1, 0.01))
    assert [found[n] for n in range(1, 60)] == pytest.approx([0.1] * 59)


@settings(max_examples=examples(200))
@given(st.integers(0, 2**32), st.sampled_from([0.0, 5.0]))
def test_metres_are_those_of_an_overlay(seed: int, step: float) -> None:
    random = np.random.default_rng(seed)
    ring = random.uniform(-60, 60, 2) + np.column_stack(
        [f(np.arange(12) / 12 * 2 * np.pi) for f in (np.cos, np.sin)]
    ) * random.uniform(20, 120, (12, 1))
    lines = random.uniform(-150, 150, (6, 8, 2))
    if step:
        ring, lines = np.round(ring / step) * step, np.round(lines / step) * step
    site = shapely.Polygon(ring + CORNER)
    ways = [shapely.LineString(xy + CORNER) for xy in lines]
    if not site.is_valid or site.is_empty:
        return
    found = inside(site, *ways)
    if found is None:
        return
    cut = shapely.difference(shapely.intersection(site, ways), site.boundary)
    wanted = {n: length for n, length in enumerate(shapely.length(cut)) if length > 0}
    assert found == pytest.approx(wanted, abs=1e-7)


def test_most_is_said_of_lines_that_are_drawn_anyhow() -> None:
    random = np.random.default_rng(3)
    said = 0
    for _ in range(200):
        turn = np.sort(random.uniform(0, 2 * np.pi, 10))
        ring = np.column_stack([np.cos(turn), np.sin(turn)]) * random.uniform(50, 100, (10, 1))
        way = shapely.LineString(random.uniform(-150, 150, (10, 2)) + CORNER)
        said += inside(shapely.Polygon(ring + CORNER), way) is not None
    assert said >= 198
