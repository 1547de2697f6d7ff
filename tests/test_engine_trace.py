"""The smallest piece of what two polygons share: by hand, and against the overlays of GEOS."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.engine import trace_loops
from gis.engine.kernel import UNSURE, Edges, Shared, edges_of, shared

E, N = 400_000.0, 4_020_000.0
ONE = np.array([0])


def polygon(*xy: tuple[float, float], holes: list[list[tuple[float, float]]] | None = None):
    shape = shapely.Polygon(xy, holes or [])
    return shapely.affinity.translate(shape, E, N)


# Three teeth, 2, 4 and 1 m wide, hanging from a beam above y = 10.
COMB = polygon(
    (0, 2), (2, 2), (2, 10), (5, 10), (5, 3), (9, 3), (9, 10), (12, 10), (12, 1), (13, 1),
    (13, 12), (0, 12),
)  # fmt: skip
BAR = polygon((-3, 0), (20, 0), (20, 5), (-3, 5))


def traced(one: Edges, other: Edges, found: Shared) -> float:
    smallest = np.empty(1)
    tables = one.offsets, one.rows, other.offsets, other.rows
    trace_loops.least(*tables, ONE, ONE, found.crossings, found.area, 1e-5, smallest)
    return float(smallest[0])


def least(a: shapely.Polygon, b: shapely.Polygon) -> tuple[float, Shared]:
    one, other = edges_of([a]), edges_of([b])
    found = shared(one, other, ONE, ONE)
    return traced(one, other, found), found


def test_the_smallest_tooth_of_a_comb_is_found() -> None:
    smallest, found = least(COMB, BAR)
    # 2 x 3, 4 x 2 and 1 x 4 m²: by hand.
    assert found.crossings[0] == 6
    assert found.area[0] == pytest.approx(18.0, abs=1e-8)
    assert smallest == pytest.approx(4.0, abs=1e-8)


def test_it_is_the_same_from_either_side_and_whichever_way_the_rings_run() -> None:
    for a, b in ((COMB, BAR), (BAR, COMB), (COMB.reverse(), BAR), (COMB, BAR.reverse())):
        assert least(a, b)[0] == pytest.approx(4.0, abs=1e-8)


def test_a_ring_may_begin_anywhere_also_within_a_piece() -> None:
    xy = shapely.get_coordinates(COMB)[:-1]
    for n in range(len(xy)):
        turned = shapely.Polygon(np.roll(xy, -n, axis=0))
        assert least(turned, BAR)[0] == pytest.approx(4.0, abs=1e-8)


def test_one_edge_may_be_crossed_many_times() -> None:
    teeth = [(x, y) for n in range(20) for x, y in ((2 * n, 8), (2 * n + 1, 8 - (n + 2) / 4))]
    saw = polygon((0, 20), *teeth, (40, 20))
    water = polygon((-5, -5), (50, -5), (50, 7), (-5, 7))
    built = shapely.get_parts(shapely.intersection(saw, water))
    assert len(built) > 10
    assert least(saw, water)[0] == pytest.approx(min(p.area for p in built), abs=1e-7)


def test_a_piece_inside_the_other_is_its_own_smallest() -> None:
    inner = polygon((3, 1), (5, 1), (5, 2), (3, 2))
    assert least(inner, BAR)[0] == pytest.approx(2.0, abs=1e-8)
    assert least(BAR, inner)[0] == pytest.approx(2.0, abs=1e-8)


def test_a_hole_beside_the_shared_land_or_across_its_edge_takes_part_like_any_ring() -> None:
    beside = shapely.difference(BAR, polygon((15, 1), (16, 1), (16, 2), (15, 2)))
    smallest, found = least(COMB, beside)
    assert found.crossings[0] == 6
    assert smallest == pytest.approx(4.0, abs=1e-8)
    # Across the left edge of the first tooth: 6 m² less 1 x 1 m², by hand; then off its foot too.
    across = shapely.difference(BAR, polygon((-1, 3), (1, 3), (1, 4), (-1, 4)))
    smallest, found = least(COMB, across)
    assert found.crossings[0] == 8
    assert smallest == pytest.approx(4.0, abs=1e-8)
    wide = shapely.difference(BAR, polygon((-1, 2.5), (3, 2.5), (3, 4), (-1, 4)))
    smallest, found = least(COMB, wide)  # what is left of that tooth: 2 x 0.5 and 2 x 1 m²
    assert found.crossings[0] == 10
    assert smallest == pytest.approx(1.0, abs=1e-8)


def test_a_hole_is_taken_from_the_piece_that_it_lies_in() -> None:
    pond = polygon((6, 3.5), (7, 3.5), (7, 4), (6, 4))
    smallest, found = least(COMB, shapely.difference(BAR, pond))
    assert found.crossings[0] == 6
    assert smallest == pytest.approx(4.0, abs=1e-8)
    well = polygon((12.2, 2), (12.8, 2), (12.8, 3), (12.2, 3))  # 0.6 x 1 m² of the smallest tooth
    assert least(COMB, shapely.difference(BAR, well))[0] == pytest.approx(3.4, abs=1e-8)
    both = shapely.difference(BAR, shapely.union_all([pond, well]))
    assert least(COMB, both)[0] == pytest.approx(3.4, abs=1e-8)
    assert least(both, COMB)[0] == pytest.approx(3.4, abs=1e-8)


def test_nothing_is_said_where_boundaries_touch() -> None:
    floor = polygon((-3, 0), (20, 0), (20, 3), (-3, 3))  # the middle tooth stands on its edge
    smallest, found = least(COMB, floor)
    assert found.crossings[0] == UNSURE
    assert smallest == 0.0


def test_a_count_of_crossings_that_is_wrong_is_not_believed() -> None:
    one, other = edges_of([COMB]), edges_of([BAR])
    found = shared(one, other, ONE, ONE)
    for count in (4, 8):
        told = found._replace(crossings=np.array([count], dtype=np.int32))
        assert traced(one, other, told) == 0.0
    told = found._replace(area=found.area + 1e-3)
    assert traced(one, other, told) == 0.0


@st.composite
def stars(draw: st.DrawFn) -> shapely.Polygon:
    """Rings around a middle whose radius jumps: they cross each other often."""
    count = draw(st.integers(4, 40))
    radii = draw(st.lists(st.floats(20, 150), min_size=count, max_size=count))
    x, y = draw(st.floats(-80, 80)), draw(st.floats(-80, 80))
    turn = draw(st.floats(0, 1))
    angle = (np.arange(count) + turn) * 2 * np.pi / count
    ring = np.column_stack([x + np.cos(angle) * radii, y + np.sin(angle) * radii])
    return polygon(*map(tuple, ring))


@settings(max_examples=examples(300))
@given(stars(), stars())
def test_what_is_said_is_what_an_overlay_builds(a: shapely.Polygon, b: shapely.Polygon) -> None:
    smallest, found = least(a, b)
    if found.crossings[0] < 0 or smallest == 0.0:
        return
    built = shapely.get_parts(shapely.intersection(a, b))
    areas = [p.area for p in built if p.geom_type == "Polygon"]
    assert smallest == pytest.approx(min(areas), abs=1e-6)


def test_most_pairs_are_settled() -> None:
    random = np.random.default_rng(7)
    angle = np.arange(24) * 2 * np.pi / 24
    settled = 0
    for _ in range(200):
        rings = [
            random.uniform(-40, 40, 2)
            + np.column_stack([np.cos(angle), np.sin(angle)]) * random.uniform(40, 120, (24, 1))
            for _ in range(2)
        ]
        smallest, found = least(*(polygon(*map(tuple, ring)) for ring in rings))
        settled += smallest > 0.0 or found.area[0] == 0.0
    assert settled >= 190
