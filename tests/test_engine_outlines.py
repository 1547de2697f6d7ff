"""Land over land by its outlines: by hand, and against the overlays of GEOS.

What an outline is said to be must be what GEOS builds, also where boundaries run along each other;
where nothing is said there is nothing to compare, so that how often that is so is counted too.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import shapely
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.engine.kernel import edges_of, polygons_of
from gis.engine.outlines import Outlines, apart, common, shared_with, small_lands

E, N = 400_000.0, 4_020_000.0
NOISE_M2 = 1e-4
CORNER = np.array([E, N])


def box(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    return shapely.box(E + west, N + south, E + east, N + north)


def areas(found: Outlines | None) -> list[float] | None:
    return None if found is None else sorted(found.sums[:, 0].tolist())


def both(a: shapely.Geometry, *b: shapely.Geometry) -> list[float] | None:
    return areas(common(edges_of([a]), edges_of(b)))


def off(a: shapely.Geometry, *b: shapely.Geometry) -> list[float] | None:
    return areas(apart(edges_of([a]), edges_of(b)))


SITE = box(0, 0, 10, 10)


def test_a_shared_edge_is_no_land_and_takes_none() -> None:
    beside = box(10, -5, 20, 5)
    assert both(SITE, beside) == []
    assert off(SITE, beside) == pytest.approx([100.0])


def test_land_that_is_cut_along_an_edge_of_the_site_is_found() -> None:
    below = box(-5, -5, 5, 5)  # 5 x 5 m² of it
    along = box(0, 0, 4, 10)  # shares three sides with the site
    assert both(SITE, below) == pytest.approx([25.0])
    assert both(SITE, along) == pytest.approx([40.0])
    assert off(SITE, along) == pytest.approx([60.0])
    assert both(SITE, SITE) == pytest.approx([100.0])
    assert off(SITE, SITE) == []


def test_neighbours_may_be_taken_off_one_after_the_other() -> None:
    left, right = box(-5, -5, 3, 5), box(3, -5, 15, 5)
    assert both(SITE, left, right) == pytest.approx([15.0, 35.0])
    assert off(SITE, left, right) == pytest.approx([50.0])
    middle = box(-5, 4, 15, 6)
    assert off(SITE, middle) == pytest.approx([40.0, 40.0])
    assert off(SITE, middle, left) == pytest.approx([28.0, 40.0])


def test_land_that_meets_at_a_point_is_in_two_pieces() -> None:
    # Two triangles of 5 x 5 / 2 m² that meet at the middle of the site.
    bow = shapely.Polygon([(E, N), (E + 10, N), (E + 5, N + 5)])
    up = shapely.Polygon([(E, N + 10), (E + 5, N + 5), (E + 10, N + 10)])
    assert off(SITE, bow, up) in (None, pytest.approx([25.0, 25.0]))


def test_a_hole_in_the_result_belongs_to_the_piece_around_it() -> None:
    pond = box(4, 4, 6, 6)
    assert off(SITE, pond) == pytest.approx([96.0])
    assert both(SITE, box(-5, -5, 15, 15).difference(pond)) == pytest.approx([96.0])
    assert both(SITE, pond) == pytest.approx([4.0])
    # A strip across the site leaves 2 x 10 m² below and 7 x 10 m² above, that with the pond in it.
    assert off(SITE.difference(pond), box(-5, 2, 15, 3)) == pytest.approx([20.0, 66.0])


def test_an_island_in_a_hole_is_land_of_its_own() -> None:
    lake, island = box(2, 2, 8, 8), box(4, 4, 6, 6)
    assert off(SITE, lake.difference(island)) == pytest.approx([4.0, 64.0])
    assert off(SITE, lake.difference(island), island) == pytest.approx([64.0])
    found = apart(edges_of([SITE]), edges_of([lake.difference(island)]))
    assert found is not None
    shapes = sorted(polygons_of(found.edges), key=lambda p: p.area)
    assert [len(p.interiors) for p in shapes] == [0, 1]
    assert shapes[1].equals(SITE.difference(lake))


def test_neighbours_in_the_middle_of_a_site_leave_one_hole() -> None:
    left, right = box(2, 3, 5, 6), box(5, 3, 7, 6)
    found = apart(edges_of([SITE]), edges_of([left, right]))
    assert found is not None
    (shape,) = polygons_of(found.edges)
    assert shape.area == pytest.approx(85.0)
    assert [shapely.Polygon(ring).area for ring in shape.interiors] == [pytest.approx(15.0)]


def test_a_hole_that_touches_its_shell_is_left_to_an_overlay() -> None:
    # A diamond that touches the edge of the site at one point: an overlay sees a hole there.
    pond = shapely.Polygon(np.array([(5, 0), (7, 3), (5, 6), (3, 3)]) + CORNER)
    assert off(SITE, pond) is None
    assert off(SITE.difference(pond), box(-5, 8, 15, 20)) is None


def test_a_hole_beside_the_site_or_across_its_edge_is_followed() -> None:
    beside = box(-5, -5, 30, 5).difference(box(15, 1, 16, 2))
    assert both(SITE, beside) == pytest.approx([50.0])
    across = box(-5, -5, 30, 5).difference(box(8, 1, 12, 3))  # takes 2 x 2 m²
    assert both(SITE, across) == pytest.approx([46.0])


def test_a_hole_that_touches_its_shell_does_not_join_what_falls_apart() -> None:
    # The hole touches the shell at (0, 5): off the lower half, two pieces hang at that point.
    hole = shapely.Polygon([(E, N + 5), (E + 4, N + 4), (E + 4, N + 6)])
    pierced = SITE.difference(hole)
    built = shapely.difference(pierced, box(2, -5, 15, 20))
    wanted = sorted(p.area for p in shapely.get_parts(built))
    assert len(wanted) == 2
    assert off(pierced, box(2, -5, 15, 20)) in (None, pytest.approx(wanted))


def test_sums_are_those_of_the_polygons() -> None:
    comb = shapely.union_all([box(0, 0, 10, 2), box(1, -6, 2, 0), box(4, -4, 7, 0)])
    found = common(edges_of([comb]), edges_of([box(-5, -10, 20, -1)]))
    assert found is not None
    shapes = polygons_of(found.edges)
    assert sorted(shapely.area(shapes)) == pytest.approx([5.0, 9.0])  # 1 x 5 and 3 x 3 m²
    centres = shapely.get_coordinates(shapely.centroid(shapes))
    assert found.sums[:, 1:] == pytest.approx(centres, abs=1e-6)
    assert found.edges.boxes == pytest.approx(shapely.bounds(shapes))


def test_areas_are_told_whatever_touches() -> None:
    pond = box(4, 4, 6, 6)
    land = edges_of([SITE.difference(pond)])
    others = edges_of([box(0, 0, 5, 10), box(5, 0, 10, 10), box(10, 0, 20, 10)])
    rows = shared_with(land, others, np.array([2, 1, 0]))
    assert [(piece, round(area, 6)) for piece, area, _, _ in sorted(rows)] == [(0, 48.0), (1, 48.0)]


@st.composite
def stars(draw: st.DrawFn, step: float) -> shapely.Geometry:
    """Rings around a middle whose radius jumps, on a grid where the step is not 0."""
    count = draw(st.integers(4, 30))
    radii = draw(st.lists(st.floats(20, 150), min_size=count, max_size=count))
    turn, x, y = draw(st.floats(0, 1)), draw(st.floats(-60, 60)), draw(st.floats(-60, 60))
    angle = (np.arange(count) + turn) * 2 * np.pi / count
    ring = np.column_stack([x + np.cos(angle) * radii, y + np.sin(angle) * radii])
    ring = np.round(ring / step) * step if step else ring
    return largest(shapely.make_valid(shapely.Polygon(ring + CORNER)))


def largest(shape: shapely.Geometry) -> shapely.Geometry:
    polygons = [p for p in shapely.get_parts(shape) if p.geom_type == "Polygon"]
    return max(polygons, key=lambda p: p.area, default=shapely.Polygon())


def compare(
    how: Callable[..., Outlines | None],
    built: shapely.Geometry,
    a: shapely.Geometry,
    b: shapely.Geometry,
) -> bool:
    """Whether something was said; what is said must be what was built."""
    found = areas(how(edges_of([a]), edges_of([b])))
    if found is None:
        return False
    wanted = sorted(
        p.area for p in shapely.get_parts(built) if p.geom_type == "Polygon" and p.area > NOISE_M2
    )
    assert sum(found) == pytest.approx(sum(wanted), abs=1e-5)
    # No piece may be said to be larger than what an overlay builds.
    assert not wanted or found[0] <= wanted[0] + 1e-5
    return True


@settings(max_examples=examples(150))
@given(st.data(), st.sampled_from([0.0, 5.0, 20.0]))
def test_what_is_said_is_what_an_overlay_builds(data: st.DataObject, step: float) -> None:
    a, b = data.draw(stars(step)), data.draw(stars(step))
    if a.is_empty or b.is_empty:
        return
    compare(common, shapely.intersection(a, b), a, b)
    compare(apart, shapely.difference(a, b), a, b)


@settings(max_examples=examples(150))
@given(st.data(), st.sampled_from([0.0, 5.0, 20.0]))
def test_so_it_is_of_land_with_holes(data: st.DataObject, step: float) -> None:
    shells = [data.draw(stars(step)) for _ in range(4)]
    small = [shapely.affinity.scale(hole, 0.2, 0.2) for hole in shells[2:]]
    a, b = (largest(shell.difference(hole)) for shell, hole in zip(shells, small, strict=False))
    if a.is_empty or b.is_empty:
        return
    for how, built in ((common, shapely.intersection(a, b)), (apart, shapely.difference(a, b))):
        if not compare(how, built, a, b):
            continue
        shapes = polygons_of(how(edges_of([a]), edges_of([b])).edges)
        # Where both run along one line an overlay may keep ways out and back of no width.
        plain = shapely.set_precision(built, 1e-6)
        wanted = [p for p in shapely.get_parts(plain) if p.area > NOISE_M2]
        told = sorted(len(p.interiors) for p in shapes)
        real = sorted(sum(shapely.Polygon(r).area > NOISE_M2 for r in p.interiors) for p in wanted)
        assert told == real
        assert sum(p.length for p in shapes) == pytest.approx(
            sum(p.length for p in wanted), abs=1e-3
        )


@settings(max_examples=examples(150))
@given(st.data(), st.sampled_from([0.0, 5.0]))
def test_so_it_is_where_both_were_cut_along_the_same_line(data: st.DataObject, step: float) -> None:
    site, a, b = (data.draw(stars(step)) for _ in range(3))
    a, b = (largest(shapely.intersection(site, land)) for land in (a, b))
    if a.is_empty or b.is_empty:
        return
    compare(common, shapely.intersection(a, b), a, b)
    compare(apart, shapely.difference(a, b), a, b)


def test_most_is_said_also_along_shared_lines() -> None:
    random = np.random.default_rng(5)
    said = asked = 0
    for _ in range(100):
        rings = [
            random.uniform(-40, 40, 2)
            + np.column_stack([np.cos(angle), np.sin(angle)]) * random.uniform(40, 120, (24, 1))
            for angle in [np.arange(24) * 2 * np.pi / 24] * 3
        ]
        site, *lands = (shapely.Polygon(ring + CORNER) for ring in rings)
        a, b = (largest(shapely.intersection(site, land)) for land in lands)
        for how, build in ((common, shapely.intersection), (apart, shapely.difference)):
            asked += 1
            said += compare(how, build(a, b), a, b)
    assert said >= 0.95 * asked


def small(below_m2: float, *shapes: shapely.Geometry) -> list[tuple[float, float]] | None:
    land = common(edges_of(shapes), edges_of([box(-50, -50, 50, 50)]))
    assert land is not None
    found = small_lands(land, below_m2)
    return None if found is None else sorted((s.planar_m2, s.perimeter_m) for s in found)


def test_small_pieces_that_share_an_edge_are_one_piece_of_land() -> None:
    # Strips of 1 m x 2 m: two beside each other make 2 m x 2 m, the third one is apart.
    pair, lonely = [box(0, 0, 1, 2), box(1, 0, 2, 2)], box(5, 0, 6, 2)
    assert small(3.0, *pair) == []
    assert small(5.0, *pair) == [pytest.approx((4.0, 8.0))]
    assert small(3.0, *pair, lonely) == [pytest.approx((2.0, 6.0))]
    assert small(5.0, *pair, lonely) == [pytest.approx((2.0, 6.0)), pytest.approx((4.0, 8.0))]
    assert small(3.0, box(0, 0, 5, 5), box(5, 0, 6, 2)) == []  # 27 m² together
    assert small(3.0, box(0, 0, 5, 5)) == []


def test_a_ring_of_small_pieces_has_the_perimeter_of_its_hole_too() -> None:
    ring = box(0, 0, 3, 1), box(2, 1, 3, 3), box(0, 2, 2, 3), box(0, 1, 1, 2)
    assert small(9.0, *ring) == [pytest.approx((8.0, 12.0 + 4.0))]


def test_pieces_with_a_hair_in_common_are_one() -> None:
    first, hair = box(0, 0, 1, 2), box(1, 2 - 1e-5, 2, 4)  # ten micrometres of an edge
    (found,) = small(5.0, first, hair) or []
    assert found == pytest.approx((4.00001, 12.0), abs=1e-4)
    assert shapely.union(first, hair).geom_type == "Polygon"


def test_pieces_that_meet_at_a_point_or_nearly_are_not_sure() -> None:
    first = box(0, 0, 1, 2)
    assert small(3.0, first, box(1, 2, 2, 4)) is None
    assert small(3.0, first, box(1 + 5e-7, 0, 2, 2)) is None
    assert small(3.0, first, box(1 + 1e-5, 0, 2, 2)) == [pytest.approx((2.0, 6.0), abs=1e-4)] * 2


def test_a_way_out_and_back_has_a_length_and_no_area_and_is_not_sure() -> None:
    ring = [(0, 0), (2, 0), (2, 1), (2, 9), (2, 1), (0, 1), (0, 0)]
    ends = np.array(ring) + CORNER
    rows = np.hstack([ends[:-1], ends[1:]])
    plain = edges_of([box(0, 0, 2, 1)])
    there_and_back = plain._replace(offsets=np.array([0, len(rows)]), rows=rows)
    sums = np.array([[2.0, E + 1, N + 0.5]])
    assert small_lands(Outlines(plain, sums), 3.0) is not None
    assert small_lands(Outlines(there_and_back, sums), 3.0) is None


def test_noise_beside_land_that_it_is_whole_with_is_kept_and_alone_left_out() -> None:
    thin, rest = box(-5, 0, 5e-6, 10), box(5e-6, 0, 1, 10)  # 5e-5 m² of the site, and 9.99995 m²
    assert both(SITE, rest) == pytest.approx([9.99995], abs=1e-6)
    assert both(SITE, thin) == []
    assert both(SITE, thin, rest) == pytest.approx([5e-5, 9.99995], abs=1e-6)
    assert both(SITE, thin, box(2, 0, 12, 10)) == pytest.approx([80.0])


def test_nothing_is_said_of_noise_that_touches_land_and_shares_no_edge_with_it() -> None:
    # 5 mm x 2 cm / 2 of the site, whose one corner is that of the land above it.
    edge = shapely.Polygon(np.array([(-5, 5), (5e-3, 4.98), (5e-3, 5), (-5, 5)]) + CORNER)
    above = shapely.Polygon(np.array([(5e-3, 5), (5, 5), (5, 8), (5e-3, 8)]) + CORNER)
    assert both(SITE, edge) == []
    assert both(SITE, edge, above) is None


def test_a_corner_that_is_cut_off_by_less_than_a_neck_is_no_pinch() -> None:
    # Both have the last three corners; the edge of the land runs into the site 60 nm before the
    # first of them, four micrometres off the edge of the site at its other end.
    shared = [(409699.827, 4026001.696), (409822.208, 4026022.64), (409734.443, 4026124.813)]
    a = shapely.Polygon([
        (409693.77543515473, 4026172.156192659), (409668.0349430462, 4026154.268455277), *shared,
    ])  # fmt: skip
    b = shapely.Polygon([(409676.072, 4026115.698), *shared])
    assert both(a, b) == pytest.approx([a.intersection(b).area], abs=1e-6)


def test_the_centre_of_a_piece_is_that_of_all_its_outlines() -> None:
    land = common(edges_of([box(0, 0, 1, 2), box(1, 0, 4, 1)]), edges_of([box(-9, -9, 9, 9)]))
    assert land is not None
    (found,) = small_lands(land, 6.0) or []
    shape = shapely.union(box(0, 0, 1, 2), box(1, 0, 4, 1))
    assert found.centre == pytest.approx((shape.centroid.x, shape.centroid.y))


@settings(max_examples=examples(150))
@given(stars(0.0), st.integers(0, 2**32), st.lists(st.floats(-100, 100), max_size=4))
def test_slivers_along_an_edge_are_those_of_an_overlay(
    site: shapely.Polygon, seed: int, cuts: list[float]
) -> None:
    # A neighbour drawn a hand apart, and kept in strips as a subdivided layer is.
    random = np.random.default_rng(seed)
    ring = shapely.get_coordinates(site)[:-1]
    beside = shapely.Polygon(ring + random.uniform(-0.05, 0.05, ring.shape))
    if site.is_empty or not beside.is_valid:
        return
    bounds = [-400.0, *sorted({round(cut, 2) for cut in cuts}), 400.0]
    strips = [
        part
        for west, east in pairwise(bounds)
        for part in shapely.get_parts(beside.intersection(box(west, -400, east, 400)))
        if part.geom_type == "Polygon" and part.area > 1.0
    ]
    for how, build in ((common, shapely.intersection), (apart, shapely.difference)):
        land = how(edges_of([site]), edges_of(strips))
        found = None if land is None else small_lands(land, 1.0)
        if found is None:
            continue
        built = shapely.get_parts(build(site, shapely.union_all(strips)))
        # What is near a limit may be on either side of it.
        near = [p for p in built if abs(p.area - 1) < 1e-4 or abs(p.area - NOISE_M2) < 1e-5]
        if near or any(1e-6 < p.area < NOISE_M2 for p in built):
            continue
        wanted = sorted((p.area, p.length) for p in built if NOISE_M2 < p.area < 1)
        told = sorted((s.planar_m2, s.perimeter_m) for s in found)
        assert len(told) == len(wanted)
        for one, other in zip(told, wanted, strict=True):
            assert one == pytest.approx(other, abs=1e-4)
