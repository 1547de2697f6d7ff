"""The area kernel against GEOS and against hand calculation; what crossings promise, tried hard.

Coordinates are those of a work CRS (4e5, 4e6) unless a test says otherwise: that is where sums of
products lose digits.
"""

from __future__ import annotations

import threading

import numpy as np
import pytest
import shapely
from examples import examples
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gis.engine.kernel import (
    TOUCH_M,
    UNSURE,
    Shared,
    edges_of,
    polygon_of,
    polygons_of,
    shared,
    shared_by_geos,
)

E, N = 400_000.0, 4_020_000.0
ONE = np.array([0])


def at(shape: shapely.Geometry, x: float = E, y: float = N) -> shapely.Geometry:
    return shapely.affinity.translate(shape, x, y)


def square(size: float, x: float = 0.0, y: float = 0.0) -> shapely.Polygon:
    return shapely.box(E + x, N + y, E + x + size, N + y + size)


def pair(a: shapely.Geometry, b: shapely.Geometry) -> Shared:
    return shared(edges_of([a]), edges_of([b]), ONE, ONE)


def area(a: shapely.Geometry, b: shapely.Geometry) -> float:
    return float(pair(a, b).area[0])


RING = square(100).difference(square(40, 30, 30))
COMB = shapely.union_all(
    [
        shapely.box(E, N, E + 90, N + 10),
        *(shapely.box(E + 20 * n, N, E + 20 * n + 10, N + 90) for n in range(5)),
    ]
)
TILTED = shapely.affinity.rotate(square(60, 10, 10), 30)
TWO = shapely.union(square(20), square(20, 50, 50))


# --- by hand -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "b", "expected", "crossings"),
    [
        (square(10), square(10, 5, 5), 25.0, 2),
        (square(10), square(10, 20, 0), 0.0, 0),
        (square(10), square(10, 10, 0), 0.0, 0),  # a shared edge: the boxes share no area
        (square(10), square(10, 10, 10), 0.0, 0),  # a shared corner
        (square(10), square(10), 100.0, UNSURE),
        (square(10), square(4, 3, 3), 16.0, 0),
        (RING, square(20, 40, 40), 0.0, 0),  # inside the hole
        (RING, square(40, 30, 30), 0.0, UNSURE),  # filling the hole
        (RING, square(40, 10, 10), 1600.0 - 400.0, 2),  # over one corner of the hole
        (RING, shapely.box(E - 5, N + 40, E + 105, N + 60), 2000.0 - 800.0, 8),
        (TWO, square(60, 10, 10), 100.0 + 400.0, UNSURE),
        (square(10), shapely.box(E - 5, N + 5, E + 15, N + 5.001), 0.01, 4),  # a sliver of 1 mm
    ],
)
def test_areas_and_crossings_by_hand(a, b, expected: float, crossings: int) -> None:
    for found in (pair(a, b), pair(b, a)):
        assert found.area[0] == pytest.approx(expected, abs=1e-8)  # coordinates round to 5e-10
        assert found.crossings[0] == crossings


def test_the_centroid_is_that_of_the_shared_land() -> None:
    found = pair(square(10), square(10, 5, 5))
    assert (found.x[0] - E, found.y[0] - N) == pytest.approx((7.5, 7.5), abs=1e-9)
    nothing = pair(square(10), square(10, 50, 50))
    assert np.isnan([nothing.x[0], nothing.y[0]]).all()


def test_vertical_edges_bear_no_area_but_are_crossed() -> None:
    wall = shapely.box(E + 4, N - 10, E + 6, N + 20)
    assert pair(square(10), wall).crossings[0] == 4
    assert pair(TILTED, wall).crossings[0] in (0, 2, 4)
    assert area(square(10), wall) == pytest.approx(20.0, abs=1e-9)


@pytest.mark.parametrize(
    "b",
    [
        shapely.Polygon([(E + 5, N), (E + 8, N - 5), (E + 2, N - 5)]),  # a vertex on an edge
        shapely.box(E + 10, N + 3, E + 20, N + 7),  # edges that run along each other
        shapely.Polygon([(E, N), (E + 20, N + 20), (E + 20, N)]),  # through two corners
        shapely.box(E + 3, N + 10 - 1e-9, E + 7, N + 20),  # a billionth of a metre
    ],
)
def test_where_boundaries_touch_nothing_is_promised(b) -> None:
    found = pair(square(10), b)
    assert found.crossings[0] == UNSURE or found.area[0] == 0.0
    assert found.area[0] == pytest.approx(shapely.intersection(square(10), b).area, abs=1e-7)


def test_no_pairs_and_empty_polygons() -> None:
    none = np.array([], dtype=int)
    assert len(shared(edges_of([square(1)]), edges_of([square(1)]), none, none).area) == 0
    assert len(edges_of([]).rows) == 0
    assert area(square(10), shapely.Polygon()) == 0.0
    assert edges_of(np.array([square(1), shapely.Polygon()])).offsets.tolist() == [0, 4, 4]


def test_holes_parts_and_direction_of_rings_do_not_matter() -> None:
    table = edges_of([RING, TWO])
    assert (table.parts.tolist(), table.rings.tolist()) == ([1, 2], [2, 2])
    backwards = shapely.Polygon(RING.exterior.coords[::-1], [RING.interiors[0].coords[::-1]])
    assert pair(TILTED, RING).area[0] == pair(TILTED, backwards).area[0]


# --- against GEOS --------------------------------------------------------------------------------


def blob(
    random: np.random.Generator, size: float, corners: int, *, holes: bool
) -> shapely.Geometry:
    angles = np.sort(random.uniform(0, 2 * np.pi, corners))
    radii = random.uniform(0.2, 1.0, corners) * size
    centre = random.uniform(-size, size, 2)
    ring = centre + np.column_stack([np.cos(angles), np.sin(angles)]) * radii[:, None]
    shape = shapely.make_valid(shapely.Polygon(ring))
    if holes:
        shape = shape.difference(shapely.Point(centre).buffer(size / 9))
    parts = [p for p in shapely.get_parts(shape) if p.geom_type == "Polygon"]
    return shapely.MultiPolygon(parts) if len(parts) > 1 else (parts or [shapely.Polygon()])[0]


@settings(max_examples=examples(150))
@given(
    st.integers(0, 2**32),
    st.sampled_from([1.0, 50.0, 450.0, 5_000.0]),
    st.sampled_from([(0.0, 0.0), (E, N), (40_400_000.0, N)]),
    st.booleans(),
)
def test_areas_are_those_of_geos_within_the_bound(seed: int, size: float, origin, holes) -> None:
    random = np.random.default_rng(seed)
    a, b = (
        at(blob(random, size, int(random.integers(3, 60)), holes=holes), *origin) for _ in range(2)
    )
    both = shapely.intersection(a, b).area
    edges = edges_of([a]), edges_of([b])
    west, south = np.maximum(edges[0].boxes[0, :2], edges[1].boxes[0, :2])
    east, north = np.minimum(edges[0].boxes[0, 2:], edges[1].boxes[0, 2:])
    # The bound of the docstring without its part for long edges, plus what GEOS rounds: its new
    # vertices lie on doubles. See test_engine_kernel_exact for the bound alone.
    terms = len(edges[0].rows) * len(edges[1].rows)
    bound = 4 * terms * max(east - west, 0) * max(north - south, 0) * 2.0**-53
    largest = max((abs(v) for v in (*a.bounds, *b.bounds) if np.isfinite(v)), default=1.0)
    rounding = (a.length + b.length) * np.spacing(largest)
    assert area(a, b) == pytest.approx(both, abs=bound + rounding + 1e-12)
    assert area(a, b) == pytest.approx(area(b, a), abs=bound + 1e-12)
    assert area(a, a) == pytest.approx(a.area, abs=1e-5)


@settings(max_examples=examples(60))
@given(st.integers(0, 2**32))
def test_the_parts_of_a_cut_polygon_add_up(seed: int) -> None:
    random = np.random.default_rng(seed)
    a, b = (at(blob(random, 300.0, 40, holes=True)) for _ in range(2))
    west, south, east, north = b.bounds if not b.is_empty else (E, N, E + 1, N + 1)
    middle = random.uniform(west, east)
    halves = [shapely.box(west, south, middle, north), shapely.box(middle, south, east, north)]
    parts = [shapely.intersection(b, half) for half in halves]
    assert sum(area(a, p) for p in parts if p.area > 0) == pytest.approx(area(a, b), abs=1e-6)


def test_a_polygon_of_a_hundred_thousand_vertices() -> None:
    angles = np.linspace(0, 2 * np.pi, 100_000, endpoint=False)
    radii = 5_000 + 300 * np.sin(37 * angles)
    star = shapely.Polygon(
        np.column_stack([E + radii * np.cos(angles), N + radii * np.sin(angles)])
    )
    probe = at(shapely.Point(0, 0).buffer(400, quad_segs=16), E + 4_900, N)
    assert area(probe, star) == pytest.approx(shapely.intersection(probe, star).area, abs=1e-5)


@pytest.mark.parametrize("far", [1e3, 1e4])
def test_very_unequal_sizes(far: float) -> None:
    wide = at(shapely.Point(0, 0).buffer(far), E, N)
    small = square(1.0, 0.3 * far, 0.2 * far)
    assert area(small, wide) == pytest.approx(1.0, abs=1e-9)


# --- what crossings promise ----------------------------------------------------------------------


def boundary_crossings(a: shapely.Geometry, b: shapely.Geometry) -> int:
    points = shapely.intersection(a.boundary, b.boundary)
    return 0 if points.is_empty else int(shapely.get_num_geometries(points))


def land(shape: shapely.Geometry) -> int:
    """How many polygons a shape has, without noise."""
    parts = shapely.get_parts(shapely.get_parts([shape]))
    return sum(1 for p in parts if p.geom_type == "Polygon" and p.area > 1e-4)


@settings(max_examples=examples(250))
@given(st.integers(0, 2**32), st.booleans())
def test_crossings_are_counted_and_two_leave_one_piece(seed: int, holes: bool) -> None:
    random = np.random.default_rng(seed)
    a, b = (at(blob(random, 100.0, int(random.integers(3, 9)), holes=holes)) for _ in range(2))
    if a.geom_type != "Polygon" or b.geom_type != "Polygon" or a.is_empty or b.is_empty:
        return
    found = pair(a, b)
    crossings = int(found.crossings[0])
    if crossings == UNSURE:
        return
    if found.area[0] > 0 or crossings:
        assert crossings == boundary_crossings(a, b)
    if crossings <= 2:
        assert land(shapely.intersection(a, b)) <= 1
        if not b.interiors:
            assert land(shapely.difference(a, b)) <= 1


@pytest.mark.parametrize("shift", [0.0, 1e-12, 1e-9, 5e-8, 9e-8, 1.1e-7, 1e-6, 1e-4])
@pytest.mark.parametrize("angle", [0.0, 1e-9, 1e-4, 17.0, 45.0, 89.9999999, 90.0])
def test_near_touching_shapes_never_promise_a_piece_too_few(shift: float, angle: float) -> None:
    comb = shapely.affinity.rotate(COMB, angle, origin=(E, N))
    boxes = (
        shapely.box(E - 5, N + 90 - shift, E + 95, N + 95),
        shapely.box(E - 5, N + 10 - shift, E + 95, N + 50),
        shapely.box(E + 10 - shift, N + 5, E + 40 + shift, N + 85),
    )
    for b in shapely.affinity.rotate(shapely.MultiPolygon(boxes), angle, origin=(E, N)).geoms:
        found = pair(comb, b)
        if 0 <= found.crossings[0] <= 2:
            assert land(shapely.intersection(comb, b)) <= 1


def notched(tip: tuple[float, float], side: float, *, wide: float = 0.0) -> shapely.Polygon:
    """A square with a notch from the left (side -1) or the right (1) that ends in a tip."""
    x0, y0, x1, y1 = -wide, -wide, 10 + wide, 10 + wide
    corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
    mouth = x0 if side < 0 else x1
    at_end = 4 if side < 0 else 2
    # The notch is 1 m wide at its mouth.
    low, high = (mouth, tip[1] - 0.5), (mouth, tip[1] + 0.5)
    notch = [high, tip, low] if side < 0 else [low, tip, high]
    ring = [*corners[:at_end], *notch, *corners[at_end:]]
    return at(shapely.Polygon(ring))


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize("apart", [0.0, 1e-9, 1e-7, 1e-3, -1e-9, -1e-7, -1e-3])
def test_two_notches_that_meet_tip_to_tip_leave_two_pieces(turn: int, apart: float) -> None:
    a, b = notched((5.0, 5.0), -1), notched((5.0 + apart, 5.0), 1, wide=2.0)
    a, b = (shapely.affinity.rotate(s, turn, origin=(E + 5, N + 5)) for s in (a, b))
    for found in (pair(a, b), pair(b, a)):
        if 0 <= found.crossings[0] <= 2:
            assert land(shapely.intersection(a, b)) == 1


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_a_notch_that_reaches_the_side_of_the_other_s_box_leaves_two_pieces(turn: int) -> None:
    # The tip of the notch in the first lies on the wall of the second from outside: what is left
    # of the first hangs together at one point only.
    a = notched((7.0, 5.0), -1)
    b = at(shapely.Polygon([(7, -2), (12, -2), (12, 12), (7, 12)]))
    a, b = (shapely.affinity.rotate(s, turn, origin=(E + 5, N + 5)) for s in (a, b))
    assert land(shapely.difference(a, b)) == 2
    assert pair(a, b).crossings[0] == UNSURE
    assert pair(b, a).crossings[0] == UNSURE


@settings(max_examples=examples(400))
@given(st.integers(0, 2**32), st.sampled_from([4, 6, 10]))
@example(200_000, 10)
def test_on_a_coarse_grid_where_vertices_coincide_no_promise_is_broken(
    seed: int, size: int
) -> None:
    random = np.random.default_rng(seed)
    drawn = []
    for _ in range(2):
        corners = random.integers(0, size + 1, (int(random.integers(3, 9)), 2)).astype(float)
        shape = at(shapely.Polygon(corners))
        if not shape.is_valid or shape.area == 0:
            return
        drawn.append(shape)
    a, b = drawn
    found = pair(a, b)
    assert found.area[0] == pytest.approx(shapely.intersection(a, b).area, abs=1e-7)
    if 0 <= found.crossings[0] <= 2:
        assert land(shapely.intersection(a, b)) <= 1
        assert land(shapely.difference(a, b)) <= 1


def test_a_crossing_is_doubted_exactly_within_the_touching_distance() -> None:
    # The edges that graze have a slope of 1:2, so that the distance is half as large again.
    for gap, sure in ((TOUCH_M * 1.4, False), (TOUCH_M * 1.7, True)):
        grazing = shapely.Polygon([(E - 5, N - 5), (E + 5, N + gap), (E + 15, N - 5)])
        flat = shapely.Polygon([(E - 20, N), (E + 30, N), (E + 30, N + 40), (E - 20, N + 40)])
        assert bool(pair(grazing, flat).crossings[0] != UNSURE) is sure


# --- tables --------------------------------------------------------------------------------------


def many(count: int) -> np.ndarray:
    random = np.random.default_rng(4)
    shapes = [at(blob(random, 120.0, 25, holes=n % 3 == 0)) for n in range(count)]
    return np.array([s for s in shapes if s.area > 0], dtype=object)


def test_a_large_table_is_that_of_its_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = edges_of(many(60))
    monkeypatch.setattr("gis.engine.kernel._AT_ONCE", 7)
    for one, other in zip(whole, edges_of(many(60)), strict=True):
        assert one.tolist() == other.tolist()


def test_polygons_come_back_from_their_edges() -> None:
    shapes = shapely.get_parts(many(40))
    table = edges_of(shapes)
    drawn = polygons_of(table)
    for i, (one, other) in enumerate(zip(shapes, drawn, strict=True)):
        assert one.equals(other)
        rows = table.rows[table.offsets[i] : table.offsets[i + 1]]
        assert polygon_of(rows).equals(one)


def test_threads_give_the_same_bytes_and_geos_the_same_numbers() -> None:
    shapes = many(80)
    table = edges_of(shapes)
    ia, ib = (x.ravel() for x in np.meshgrid(np.arange(len(shapes)), np.arange(len(shapes))))
    alone = shared(table, table, ia, ib)
    found: dict[int, Shared] = {}
    threads = [
        threading.Thread(target=lambda n=n: found.__setitem__(n, shared(table, table, ia, ib)))
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for other in found.values():
        assert all(a.tobytes() == b.tobytes() for a, b in zip(alone, other, strict=True))
    built = shared_by_geos(shapes, shapes, ia, ib)
    assert alone.area == pytest.approx(built.area, abs=1e-6)
    real = built.area > 1e-2
    assert alone.x[real] == pytest.approx(built.x[real], abs=1e-5)
    assert (built.crossings == UNSURE).all()
