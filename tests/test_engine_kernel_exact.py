"""The area kernel against exact rationals: its error bound, its shortcuts, degenerate rings.

GEOS rounds new vertices, which hides errors as small as the bound. Here a polygon is cut by a
convex one in fractions (Sutherland and Hodgman, Reentrant polygon clipping, 1974): nothing is
rounded.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import shapely
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from test_engine_kernel import COMB, RING, E, N, area, at, blob, pair, square

from gis.engine.kernel import UNSURE, edges_of

Point = tuple[Fraction, Fraction]


def exact(shape: shapely.Polygon, convex: shapely.Polygon) -> Fraction:
    """Return the area that a polygon shares with a convex one."""
    rings = [shape.exterior, *shape.interiors]
    sizes = [abs(shoelace(clipped(ring, convex))) for ring in rings]
    return sizes[0] - sum(sizes[1:], Fraction(0))


def clipped(ring: shapely.LinearRing, convex: shapely.Polygon) -> list[Point]:
    corners = [(Fraction(x), Fraction(y)) for x, y in ring.coords[:-1]]
    frame = shapely.geometry.polygon.orient(convex).exterior.coords
    sides = [(Fraction(x), Fraction(y)) for x, y in frame]
    for begin, end in pairwise(sides):
        corners = [p for two in _edges(corners) for p in _left_of(*two, begin, end)]
    return corners


def _edges(corners: list[Point]) -> list[tuple[Point, Point]]:
    return list(zip(corners, corners[1:] + corners[:1], strict=True))


def _left_of(p: Point, q: Point, begin: Point, end: Point) -> list[Point]:
    """What of an edge lies left of a side, without the point that it begins at."""
    here, there = _turn(begin, end, p), _turn(begin, end, q)
    met = [] if (here < 0) == (there < 0) else [_between(p, q, here / (here - there))]
    return [*met, q] if there >= 0 else met


def _turn(a: Point, b: Point, c: Point) -> Fraction:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _between(p: Point, q: Point, part: Fraction) -> Point:
    return p[0] + part * (q[0] - p[0]), p[1] + part * (q[1] - p[1])


def shoelace(corners: list[Point]) -> Fraction:
    twice = (p[0] * q[1] - q[0] * p[1] for p, q in _edges(corners))
    return sum(twice, Fraction(0)) / 2


def bound(a: shapely.Geometry, b: shapely.Geometry) -> float:
    """The bound of the docstring, for all pairs of edges."""
    both = edges_of([a]), edges_of([b])
    west, south = np.maximum(both[0].boxes[0, :2], both[1].boxes[0, :2])
    east, north = np.minimum(both[0].boxes[0, 2:], both[1].boxes[0, 2:])
    lengths = [np.hypot(*(rows[:, 2:] - rows[:, :2]).T) for rows in (e.rows for e in both)]
    longest = max(float(each.max(initial=0.0)) for each in lengths)
    width, height = max(east - west, 0.0), max(north - south, 0.0)
    pairs = len(both[0].rows) * len(both[1].rows)
    return 4 * pairs * width * (height + longest) * 2.0**-53


def test_the_yardstick_itself_by_hand() -> None:
    assert exact(square(10), square(10, 5, 5)) == 25
    assert exact(RING, square(40, 10, 10)) == 1600 - 400
    assert exact(COMB, square(30)) == 30 * 10 + 2 * 10 * 20
    assert exact(square(1), square(1, 5, 5)) == 0


@settings(max_examples=examples(80))
@given(
    st.integers(0, 2**32),
    st.sampled_from([1.0, 50.0, 450.0, 5_000.0]),
    st.sampled_from([(0.0, 0.0), (E, N), (40_400_000.0, N)]),
)
def test_no_area_is_off_by_more_than_the_bound(seed: int, size: float, origin) -> None:
    random = np.random.default_rng(seed)
    shape = at(blob(random, size, int(random.integers(3, 40)), holes=False), *origin)
    hull = at(blob(random, size, int(random.integers(3, 12)), holes=False), *origin).convex_hull
    if shape.geom_type != "Polygon" or hull.geom_type != "Polygon":
        return
    for found in (area(shape, hull), area(hull, shape)):
        assert abs(Fraction(found) - exact(shape, hull)) <= bound(shape, hull)


@settings(max_examples=examples(60))
@given(st.integers(0, 2**32), st.sampled_from([1_000.0, 20_000.0, 50_000.0]))
def test_long_edges_over_a_small_box_keep_the_bound(seed: int, far: float) -> None:
    random = np.random.default_rng(seed)
    # An edge through the middle of the square, far beyond it on both sides.
    way = np.exp(1j * random.uniform(0, 2 * np.pi)) * far
    ends = np.array([way, -way * random.uniform(0.01, 1), 1j * way]) + complex(E + 0.5, N + 0.5)
    shape = shapely.Polygon(np.column_stack([ends.real, ends.imag]).round(3))
    found, small = area(shape, square(1.0)), square(1.0)
    assert 0.4 < found < 0.6
    assert abs(Fraction(found) - exact(shape, small)) <= bound(shape, small)


# --- one boundary stays clear of the box that both share ------------------------------------------

LEANING = shapely.affinity.rotate(square(4), 20)


@pytest.mark.parametrize(
    ("large", "x", "y", "is_inside"),
    [
        (square(100), 50, 50, True),
        (RING, 15, 15, True),  # between the hole and the outside
        (RING, 50, 50, False),  # in the hole
        (COMB, 5, 40, True),  # in a tooth
        (COMB, 15, 40, False),  # between two teeth
        (shapely.affinity.rotate(square(100), 45), 50, 50, True),
        (shapely.affinity.rotate(square(100), 45), 2, 2, False),  # in a corner of its box
        (shapely.affinity.rotate(square(100), 45), 98, 98, False),
    ],
)
def test_what_lies_clear_of_a_boundary_is_taken_whole_or_not_at_all(
    large, x: float, y: float, is_inside: bool
) -> None:
    small = shapely.affinity.translate(LEANING, x, y)
    for found in (pair(small, large), pair(large, small)):
        assert found.area[0] == pytest.approx(16.0 if is_inside else 0.0, abs=1e-9)
        assert found.crossings[0] == 0
        middle = (found.x[0], found.y[0])
        assert middle == pytest.approx((E + x + 2, N + y + 2), abs=1e-9) or not is_inside
        assert np.isnan(middle).all() != is_inside


def test_a_whole_polygon_leaves_out_its_holes_and_takes_all_its_parts() -> None:
    parts = shapely.union(RING, square(20, 200, 0))
    around = shapely.affinity.rotate(square(900, -300, -300), 10)
    whole = 100.0**2 - 40.0**2 + 20.0**2
    for found in (pair(parts, around), pair(around, parts)):
        assert found.area[0] == pytest.approx(whole, abs=1e-9)
        assert found.x[0] - E == pytest.approx((8_400 * 50 + 400 * 210) / whole, abs=1e-9)


@pytest.mark.parametrize("gap", [0.0, 1e-9, 5e-8])
def test_a_wall_that_runs_along_the_outside_of_the_box_is_doubted(gap: float) -> None:
    # A tall wall ends at the box of the square or just before.
    wall = shapely.box(E - 9, N - 5, E - gap, N + 15)
    around = shapely.box(E - 20, N - 20, E + 30, N + 30).difference(wall)
    for found in (pair(square(10), around), pair(around, square(10))):
        assert found.area[0] == pytest.approx(100.0, abs=1e-9)
        assert found.crossings[0] == UNSURE


# --- degenerate rings ----------------------------------------------------------------------------


def test_vertices_given_twice_change_nothing() -> None:
    corners = [(E, N), (E + 10, N), (E + 10, N + 10), (E, N + 10)]
    twice = shapely.Polygon([corner for corner in corners for _ in range(2)])
    for other in (square(10, 5, 5), square(4, 3, 3), LEANING):
        assert area(twice, other) == area(square(10), other)


def test_vertices_on_straight_edges_change_nothing() -> None:
    along = np.linspace(0, 10, 11)
    ring = [*((E + x, N) for x in along), *((E + x, N + 10) for x in along[::-1])]
    for other in (square(10, 5, 5), square(4, 3, 3), LEANING):
        both = area(shapely.Polygon(ring), other), area(square(10), other)
        assert both[0] == pytest.approx(both[1], abs=1e-9)


def test_a_needle_of_a_micrometre_has_its_area() -> None:
    needle = shapely.Polygon([(E - 50, N + 5), (E + 50, N + 5 + 2.0**-20), (E + 50, N + 5)])
    assert abs(Fraction(area(needle, square(10))) - exact(needle, square(10))) <= 1e-15
