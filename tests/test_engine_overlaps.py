"""The table of overlaps against GEOS, layer by layer, and distances to the nearest land edge."""

from __future__ import annotations

import threading
import tracemalloc

import numpy as np
import pytest
import shapely
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from test_engine_around import E, N, box, layer_of, line
from test_engine_screen import KINDS, fields, grid
from test_engine_stack import BELTS, LAYERS, ZONES

from gis.crs import ellipsoidal_area
from gis.engine import LayerIndex, Stack, screen
from gis.engine.crop import Crops
from gis.engine.cut import Cut
from gis.engine.kernel import edges_of
from gis.engine.known import Known
from gis.engine.overlaps import CHUNK, Overlaps, nearest, overlaps
from gis.engine.ruler import Ruler
from gis.model import Area, CrsDecision, Site, Source

STACK = Stack.of(LAYERS)


def rows(found: Overlaps, stack: Stack = STACK) -> dict[tuple[int, str], tuple[float, int, bool]]:
    return {
        (int(site), stack.ids[layer]): (round(float(area), 6), int(count), bool(whole))
        for site, layer, area, count, whole in zip(
            found.site, found.layer, found.area, found.features, found.whole, strict=True
        )
    }


def test_areas_features_and_whole_sites_by_hand() -> None:
    sites = np.array(
        [
            box(-30, -30, 40, 40),  # both zones; both belts, whole
            box(0, 0, 50, 50),  # one zone along its edge, whole; both belts
            box(130, 0, 140, 10),  # one zone; no belt
            box(490, 490, 510, 510),  # a corner of a zone
            box(500, 0, 510, 10),  # a shared edge is no overlap
            box(2000, 0, 2010, 10),  # nothing
        ],
        dtype=object,
    )
    assert rows(overlaps(sites, STACK)) == {
        (0, "zones"): (4900.0, 2, True),
        (0, "belts"): (4900.0, 2, True),
        (1, "zones"): (2500.0, 1, True),
        (1, "belts"): (2500.0, 2, True),
        (2, "zones"): (100.0, 1, True),
        (3, "zones"): (100.0, 1, False),
    }


def test_land_under_two_features_counts_once_and_both_are_counted() -> None:
    site = np.array([box(-100, -100, 200, 200)], dtype=object)
    # Two squares of 120 m that share 60 m x 60 m.
    found = rows(overlaps(site, STACK))[0, "belts"]
    assert found == (2 * 120**2 - 60**2, 2, False)


@pytest.mark.parametrize(("tolerance", "count"), [(0.0, 2), (0.99, 2), (1.01, 1)])
def test_features_that_are_only_grazed_do_not_count(tolerance: float, count: int) -> None:
    site = np.array([box(-0.1, 0, 50, 10)], dtype=object)  # 1 m² of the western zone
    found = overlaps(site, Stack.of([ZONES]), tolerance_m2=tolerance)
    assert found.features.tolist() == [count]
    assert found.area[0] == pytest.approx(501.0, abs=1e-9)


def test_centroids_are_those_of_the_shared_land() -> None:
    site = shapely.union(box(-300, 20, -280, 40), box(300, 0, 340, 10))
    found = overlaps(np.array([site], dtype=object), Stack.of([ZONES]))
    assert (found.x[0], found.y[0]) == pytest.approx((site.centroid.x, site.centroid.y), abs=1e-6)


@pytest.mark.parametrize("mode", ["kernel", "geos"])
def test_no_sites_and_no_layers_give_an_empty_table(mode) -> None:
    nothing = np.array([], dtype=object)
    assert all(len(column) == 0 for column in overlaps(nothing, STACK, mode=mode))
    some = np.array([box(0, 0, 1, 1)], dtype=object)
    assert all(len(column) == 0 for column in overlaps(some, Stack.of([]), mode=mode))


def blobs(seed: int, count: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    found = []
    for n in range(count):
        size = int(random.integers(5, 30))
        angles = np.sort(random.uniform(0, 2 * np.pi, size))
        radii = random.uniform(5, 120, size)
        x, y = random.uniform(-250, 250, 2)
        xy = np.column_stack([np.cos(angles), np.sin(angles)]) * radii[:, None]
        shape = shapely.make_valid(shapely.Polygon(xy + box(x, y, x + 1, y + 1).bounds[:2]))
        if n % 4 == 0:
            shape = shape.difference(shape.centroid.buffer(4))
        if shape.area > 0:
            found.append(shapely.MultiPolygon([p for p in shapely.get_parts(shape) if p.area > 0]))
    return np.array(found, dtype=object)


def expected(sites: np.ndarray, layer: LayerIndex) -> tuple[np.ndarray, np.ndarray]:
    """Area on the joined layer and number of features over 1 m², by GEOS alone."""
    land = shapely.area(shapely.intersection(sites, shapely.union_all(layer.geometries)))
    each = shapely.area(shapely.intersection(sites[:, None], layer.geometries[None, :]))
    return land, (each > 1.0).sum(axis=1)


@settings(max_examples=examples(25))
@given(st.integers(0, 2**31))
def test_the_table_is_what_geos_says(seed: int) -> None:
    layer = fields(grid(np.random.default_rng(seed).uniform(-30, 30, 72)))
    sites = blobs(seed, 12)
    stack = Stack.of([layer, BELTS])
    for mode in ("kernel", "geos"):
        found = overlaps(sites, stack, mode=mode)
        for number, own in enumerate((layer, BELTS)):
            land, count = expected(sites, own)
            at = found.layer == number
            table = np.zeros((len(sites), 2))
            table[found.site[at]] = np.column_stack([found.area[at], found.features[at]])
            assert table[:, 0] == pytest.approx(land, abs=1e-5)
            seen = table[:, 0] > 0
            assert table[seen, 1].tolist() == count[seen].tolist()


def test_chunks_and_threads_give_the_same_bytes() -> None:
    layer = fields(grid(np.zeros(72)))
    stack = Stack.of([layer, BELTS]).prepare()
    sites = np.resize(blobs(3, 40), CHUNK + 500)
    whole = overlaps(sites, stack)
    results: dict[int, Overlaps] = {}
    threads = [
        threading.Thread(target=lambda n=n: results.__setitem__(n, overlaps(sites, stack)))
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for found in results.values():
        assert all(a.tobytes() == b.tobytes() for a, b in zip(whole, found, strict=True))
    last = overlaps(sites[-100:], stack)
    own = whole.site >= len(sites) - 100
    assert whole.area[own].tobytes() == last.area.tobytes()
    assert len(set(KINDS)) == 3


def test_rows_come_by_site_and_layer_in_whatever_order_sites_are_worked_on(monkeypatch) -> None:
    stack = Stack.of([fields(grid(np.zeros(72))), BELTS])
    sites = blobs(5, 90)
    whole = overlaps(sites, stack)
    monkeypatch.setattr("gis.engine.overlaps.CHUNK", 7)
    chunks = overlaps(sites, stack)
    assert all(a.tobytes() == b.tobytes() for a, b in zip(whole, chunks, strict=True))
    assert (np.diff(chunks.site * len(stack.ids) + chunks.layer) > 0).all()


def test_chunks_leave_no_room_for_their_pairs_behind(monkeypatch) -> None:
    # Each site lies on 400 strips of one layer: as many pairs, and one row of 49 bytes.
    strips = [(str(k), None, box(5 * k, 0, 5 * k + 5, 400)) for k in range(400)]
    stack = Stack.of([layer_of("strips", *strips)])
    monkeypatch.setattr("gis.engine.overlaps.CHUNK", 10)
    site = box(1, 1, 1999, 399)

    def most(chunks: int) -> int:
        sites = np.full(10 * chunks, site, dtype=object)
        tracemalloc.start()
        assert len(overlaps(sites, stack).area) == 10 * chunks
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    most(2)  # what is imported on the way
    # The rows of 290 chunks more, held twice while they are put together, their order and arrays.
    assert most(300) - most(10) < 290 * 10 * (2 * 49 + 8 + 100) + 290 * 7 * 250


# --- lines ---------------------------------------------------------------------------------------

ROADS = layer_of(
    "roads",
    ("narrow", "县道", line((30, -500), (30, 500))),
    ("wide", "国道", line((-60, -500), (-60, 500))),
    ("unknown", "村道", line((-500, 300), (500, 300))),
    geometry="line",
    halves=[3.0, 50.0, float("nan")],
)


def distances(sites: list[shapely.Geometry], **options: float) -> list[tuple[float, str | None]]:
    stack = Stack.of([ROADS])
    found = nearest(np.array(sites, dtype=object), stack.lines(0), **options)
    return [
        (round(float(d), 6), None if f < 0 else str(ROADS.ids[f]))
        for d, f in zip(found.distance, found.feature, strict=True)
    ]


def test_the_nearest_land_edge_is_not_that_of_the_nearest_line() -> None:
    # 20 m to the narrow road's line (17 m to its edge), 60 m to the wide one's (10 m).
    assert distances([box(0, 0, 10, 10)]) == [(10.0, "wide")]


def test_a_site_on_the_road_is_at_no_distance_and_one_without_width_is_its_own_edge() -> None:
    assert distances([box(25, 0, 40, 10), box(400, 280, 410, 290)]) == [
        (0.0, "narrow"),
        (10.0, "unknown"),
    ]


def test_beyond_the_reach_nothing_is_near() -> None:
    far = box(700, 0, 710, 10)
    found = distances([far], reach_m=100.0)
    assert np.isnan(found[0][0])
    assert found[0][1] is None
    assert distances([far])[0] == (pytest.approx((200**2 + 290**2) ** 0.5, abs=1e-6), "unknown")


def test_distances_are_the_same_in_chunks(monkeypatch) -> None:
    sites, lines = blobs(6, 90), Stack.of([ROADS]).lines(0)
    whole = nearest(sites, lines)
    monkeypatch.setattr("gis.engine.overlaps.CHUNK", 7)
    for a, b in zip(whole, nearest(sites, lines), strict=True):
        assert a.tobytes() == b.tobytes()


def test_no_sites_have_no_distances() -> None:
    assert distances([]) == []


@settings(max_examples=examples(20))
@given(st.integers(0, 2**31))
def test_distances_are_the_least_of_all_edges(seed: int) -> None:
    sites = blobs(seed, 10)
    half = np.nan_to_num(ROADS.half_widths)
    axis = shapely.distance(sites[:, None], ROADS.geometries[None, :])
    least = np.maximum(axis - half, 0).min(axis=1)
    assert [d for d, _ in distances(list(sites))] == pytest.approx(least.tolist(), abs=1e-6)


@settings(max_examples=examples(60))
@given(
    st.integers(0, 2**31), st.sampled_from([3, 40, 400]), st.sampled_from([10.0, 200.0, 20_000.0])
)
def test_distances_in_any_net_of_lines_are_those_of_geos(
    seed: int, count: int, size: float
) -> None:
    random = np.random.default_rng(seed)
    starts = random.uniform(-3_000, 3_000, (count, 2))
    lines = [line(tuple(p), tuple(p + random.normal(0, size, 2))) for p in starts]
    halves = random.choice([0.0, 3.0, 25.0], count)
    rows = [(str(n), None, shape) for n, shape in enumerate(lines)]
    layer = layer_of("roads", *rows, geometry="line", halves=halves.tolist())
    # Far outside the net, across it, and holding whole lines.
    sites = np.array(
        [*blobs(seed, 6), box(-9_000, -9_000, -8_900, -8_900), box(-2_000, -2_000, 2_000, 2_000)],
        dtype=object,
    )
    found = nearest(sites, Stack.of([layer]).lines(0))
    axis = shapely.distance(sites[:, None], layer.geometries[None, :])
    edge = np.maximum(axis - halves, 0)
    assert found.distance == pytest.approx(edge.min(axis=1), abs=1e-6)
    own = edge[np.arange(len(sites)), found.feature]
    assert own == pytest.approx(edge.min(axis=1), abs=1e-6)


@settings(max_examples=examples(60))
@given(
    st.integers(0, 2**31),
    st.sampled_from([3, 40, 400]),
    st.sampled_from([10.0, 200.0, 20_000.0]),
    st.sampled_from([0.0, 50.0, 700.0]),
)
def test_all_lines_in_reach_are_those_that_geos_finds(
    seed: int, count: int, size: float, reach: float
) -> None:
    random = np.random.default_rng(seed)
    starts = random.uniform(-3_000, 3_000, (count, 1, 2))
    bends = starts + np.cumsum(random.normal(0, size, (count, 4, 2)), axis=1)
    rows = [(str(n), None, line(*map(tuple, xy))) for n, xy in enumerate(bends)]
    layer = layer_of("roads", *rows, geometry="line")
    lines = Stack.of([layer]).lines_of("roads")
    assert lines is not None
    two = shapely.MultiPolygon([box(-900, 0, -800, 90), box(500, 0, 620, 300)])
    pierced = box(-2_000, -2_000, 2_000, 2_000).difference(box(-1_500, -1_500, 1_500, 1_500))
    for site in (*blobs(seed, 4), two, pierced, box(-9_000, -9_000, -8_900, -8_900)):
        found, apart = lines.near(edges_of(shapely.get_parts(site)), reach)
        axis = shapely.distance(site, layer.geometries)
        assert found.tolist() == np.flatnonzero(axis <= reach).tolist()
        assert apart == pytest.approx(axis[found], abs=1e-6)


@settings(max_examples=examples(40))
@given(st.integers(0, 2**31), st.sampled_from([3, 40]), st.sampled_from([0.0, 50.0, 700.0]))
def test_all_polygons_in_reach_are_those_that_geos_finds(
    seed: int, count: int, reach: float
) -> None:
    kinds = ["x", "y", None]
    rows = [(str(n), kinds[n % 3], shape) for n, shape in enumerate(blobs(seed + 1, count))]
    layer = layer_of("l", *rows)
    stack = Stack.of([layer])
    for site in blobs(seed, 4):
        (met,) = screen(np.array([site], dtype=object), stack)
        area = Area(ellipsoidal_area(site, 4548), site.area)
        plot = Site("t", site, area, CrsDecision(4548, 4548, "given"), Source("wkt", "t", ""))
        known = Known(Ruler(plot, met.edges), None)
        for chosen in (None, frozenset({"x", None}), frozenset({"none"})):
            cut = Cut(Crops(site), layer, known, met)
            found, apart = cut.near(reach, reach, chosen)
            metres = shapely.distance(site, layer.geometries)
            own = [chosen is None or cls in chosen for cls in layer.classes]
            assert found.tolist() == np.flatnonzero(own & (metres <= reach)).tolist()
            assert apart == pytest.approx(metres[found], abs=1e-6)


def test_a_layer_without_lines_has_none_near() -> None:
    empty = layer_of("roads", geometry="line")
    assert Stack.of([empty]).lines_of("roads") is None
    assert Stack.of([empty]).lines_of("others") is None


def test_a_site_that_holds_a_road_is_at_no_distance_and_a_road_in_its_hole_is_apart() -> None:
    road = layer_of("roads", ("a", None, line((-500, 300), (500, 300))), geometry="line")
    around = box(-600, 200, 600, 400)
    sites = np.array([around, around.difference(box(-550, 250, 550, 350))], dtype=object)
    found = nearest(sites, Stack.of([road]).lines(0))
    assert found.distance.tolist() == [0.0, 50.0]


def test_a_site_of_several_parts_counts_a_feature_once() -> None:
    halves = shapely.MultiPolygon(
        [shapely.box(E, N, E + 10, N + 10), shapely.box(E + 20, N, E + 30, N + 10)]
    )
    layer = layer_of("l", ("a", "x", box(-50, -50, 50, 50)), ("b", "x", box(-50, 50, 50, 99)))
    found = overlaps(np.array([halves, halves], dtype=object), Stack.of([layer]))
    assert found.site.tolist() == [0, 1]
    assert found.features.tolist() == [1, 1]
    assert found.area == pytest.approx([200.0, 200.0])
    assert found.x == pytest.approx([E + 15.0] * 2)
    assert found.whole.all()
