"""What the area kernel settles without building an overlap is what GEOS finds when it builds it.

Sites and features are laid so that they nearly coincide: shared edges, cracks and slivers of
centimetres, holes, several parts. The measures of both ways must agree in areas (1e-5 m²), slivers
and features; the second way knows nothing but GEOS.
"""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from examples import examples
from hypothesis import example, given, settings
from hypothesis import strategies as st
from test_engine_around import EVERYWHERE, E, N, box, layer_of
from test_engine_stack import star

from gis.crs import ellipsoidal_area
from gis.engine import LayerIndex, Stack, Survey, drawn, screen, surveyed
from gis.engine.kernel import Mode
from gis.engine.screen import ground_of
from gis.model import Area, CrsDecision, Demand, LayerClasses, Measure, Quantity, Site, Source

KINDS = ("0101", "0301", "0701")
ASKED = (
    *(
        Demand("l", quantity, classes, excluding=excluding, by_class=by_class)
        for quantity in (Quantity.INSIDE, Quantity.OUTSIDE)
        for classes in ((), ("0101",), ("0101", "03*"))
        for excluding in (False, True)
        for by_class in (False, True)
        if classes or not excluding
    ),
    Demand("l", Quantity.INSIDE, ("0101",), on=(LayerClasses("z", ("a",)),)),
    Demand("l", Quantity.INSIDE, ("03*",), off=(LayerClasses("z", ("a",)),)),
    Demand("z", Quantity.OUTSIDE),
    Demand("l", Quantity.COUNT, ("0101",)),
    Demand("l", Quantity.INSIDE, values=("x",)),
)


def measures(
    site: shapely.Geometry, layers: list[LayerIndex], mode: Mode, asked: tuple[Demand, ...] = ASKED
) -> dict[Demand, Measure]:
    area = Area(ellipsoidal_area(site, 4548), site.area)
    plot = Site("t", site, area, CrsDecision(4548, 4548, "given"), Source("wkt", "t", ""))
    outlines = np.array([site], dtype=object)
    met = screen(outlines, Stack.of(layers), mode=mode)[0]
    cover = {layer.info.id: EVERYWHERE for layer in layers}
    return dict(surveyed(plot, Survey(layers, asked, cover), met).measures)


def told(measure: Measure) -> list[object]:
    """What a measure says, but for areas, which are compared apart."""
    slivers = [round(s.width_m, 4) for s in measure.slivers]
    features = [(f.feature_id, f.cls, len(f.slivers)) for f in measure.features]
    return [measure.feature_ids, slivers, features, measure.count]


def areas(measure: Measure) -> list[float]:
    rows = [x for f in measure.features for x in (f.area_m2, f.decisive_m2)]
    slivers = [s.area_m2 for s in measure.slivers]
    area = measure.area
    return [area.ellipsoidal_m2, area.planar_m2, measure.decisive_m2, *rows, *slivers]


def assert_both_ways_agree(site: shapely.Geometry, layers: list[LayerIndex]) -> None:
    fast, built = (measures(site, layers, mode) for mode in ("kernel", "geos"))
    for demand in ASKED:
        assert told(fast[demand]) == told(built[demand]), demand
        assert areas(fast[demand]) == pytest.approx(areas(built[demand]), abs=1e-5), demand


def fields(corners: np.ndarray) -> LayerIndex:
    """A coverage of quads over a grid of corners, classes in turn."""
    rows, columns = corners.shape[:2]
    quads = [
        shapely.Polygon(
            [corners[r, c], corners[r, c + 1], corners[r + 1, c + 1], corners[r + 1, c]]
        )
        for r in range(rows - 1)
        for c in range(columns - 1)
    ]
    rows_of = [(f"f{n:03}", KINDS[n % 3], quad) for n, quad in enumerate(quads)]
    return layer_of("l", *rows_of)


def grid(jitter: np.ndarray) -> np.ndarray:
    base = np.stack(np.meshgrid(np.arange(6) * 100.0, np.arange(6) * 100.0), axis=-1)
    return base + jitter.reshape(6, 6, 2) + [E - 250, N - 250]


ZONES = layer_of("z", ("z1", "a", box(-400, -400, 20, 400)), ("z2", "b", box(20, -400, 400, 400)))
OVERLAPPING = layer_of(
    "l",
    ("a", "0101", box(-300, -300, 50, 300)),
    ("b", "0301", box(0, -300, 300, 300)),
    ("c", "0701", box(-20, -20, 20, 20)),
)


@settings(max_examples=examples(60))
@given(
    st.integers(0, 2**31),
    st.sampled_from([0.0, 0.005, 0.03, 0.08, 0.3, 4.0]),
    st.integers(1, 6),
)
@example(1, 0.0, 3)
def test_sites_along_the_edges_of_fields(seed: int, shift: float, count: int) -> None:
    random = np.random.default_rng(seed)
    layer = fields(grid(random.uniform(-30, 30, 72)))
    chosen = random.choice(len(layer), count, replace=False)
    site = shapely.union_all(layer.geometries[chosen])
    # Every vertex by something else, the first and the last of a ring by the same.
    moved = shapely.transform(site, lambda xy: xy + shift * np.sin(7.3 * xy[:, ::-1] + seed % 97))
    if moved.is_valid and moved.geom_type in ("Polygon", "MultiPolygon"):
        assert_both_ways_agree(moved, [layer, ZONES])


@settings(max_examples=examples(40))
@given(st.integers(0, 2**31), st.booleans(), st.booleans())
def test_sites_anywhere_with_holes_and_parts(seed: int, hole: bool, parts: bool) -> None:
    random = np.random.default_rng(seed)
    layer = fields(grid(random.uniform(-30, 30, 72)))
    angles = np.sort(random.uniform(0, 2 * np.pi, 12))
    radii = random.uniform(20, 200, 12)
    centre = np.array([E, N]) + random.uniform(-150, 150, 2)
    xy = centre + np.column_stack([np.cos(angles), np.sin(angles)]) * radii[:, None]
    site = shapely.make_valid(shapely.Polygon(xy))
    if hole:
        site = site.difference(shapely.Point(centre).buffer(9))
    if parts:
        site = site.union(shapely.box(E + 230, N + 230, E + 230.05, N + 240))
    if site.is_valid and site.geom_type in ("Polygon", "MultiPolygon"):
        assert_both_ways_agree(site, [layer, ZONES])


@pytest.mark.parametrize(
    "site",
    [
        box(-10, -10, 10, 10),
        box(0, 0, 50, 50),
        box(49.97, 0, 90, 50),
        box(50, 0, 90, 50),
        box(-5, 10, 5, 19.99),
        box(-20, -20, 20, 20),
        box(-320, 0, -299.95, 10),
        shapely.union(box(-10, -10, 10, 10), box(100, 100, 110, 110)),
    ],
    ids=["inside", "two edges", "crack", "edge", "hole", "same", "sliver", "parts"],
)
def test_features_that_overlap_count_once_both_ways(site: shapely.Geometry) -> None:
    assert_both_ways_agree(site, [OVERLAPPING, ZONES])


@pytest.mark.parametrize("gap", [0.0, 1e-9, 1e-6, 1e-4, 0.01, 0.099, 0.101])
def test_a_site_beside_a_field_sees_what_lies_between(gap: float) -> None:
    left = layer_of("l", ("a", "0101", box(-100, -100, 0, 100)))
    for x in (-gap, gap):
        assert_both_ways_agree(box(x, -50, 60, 50), [left, ZONES])


def test_a_field_with_a_hole_around_the_site_leaves_nothing_on_it() -> None:
    ring = box(-100, -100, 100, 100).difference(box(-20, -20, 20, 20))
    assert_both_ways_agree(box(-20, -20, 20, 20), [layer_of("l", ("a", "0101", ring)), ZONES])
    assert_both_ways_agree(box(-19, -19, 19, 19), [layer_of("l", ("a", "0101", ring)), ZONES])
    assert_both_ways_agree(box(-40, -40, 40, 40), [layer_of("l", ("a", "0101", ring)), ZONES])


def test_a_site_of_ten_kilometres_is_measured_part_by_part() -> None:
    wide = layer_of("l", ("a", "0101", box(-9000, -9000, 1000, 9000)))
    assert_both_ways_agree(box(-5000, -5000, 5000, 5000), [wide, ZONES])


def test_a_layer_without_features_and_one_that_is_not_there() -> None:
    found = screen(np.array([box(0, 0, 1, 1)]), Stack.of([layer_of("l")]))
    assert found == [{}]
    assert screen(np.array([], dtype=object), Stack.of([ZONES])) == []


def test_pieces_that_only_touch_a_site_share_nothing_whatever_stood_in_memory_before() -> None:
    layer = fields(grid(np.zeros(72)))
    stack = Stack.of([layer])
    for position in range(len(layer)):
        _ = [np.full(32, np.nan) for _ in range(64)]  # left behind for whoever asks for room
        (met,) = screen(layer.geometries[[position]], stack)
        assert list(met["l"].areas) == [position]
        (share,) = met["l"].shares[position]
        assert share.area == pytest.approx(1e4, abs=1e-6)
        assert np.isfinite([share.x, share.y, share.least]).all()


# --- features of thousands of vertices -----------------------------------------------------------

STAR = star(5_000)
LARGE = layer_of("l", ("a", "0101", STAR), ("b", "0301", box(-900, -900, 900, 900) - STAR))
SITES_ON_LARGE = {
    "over the hole": box(-200, -120, 90, 150),
    "at a bay": box(300, -400, 700, 20),
    "inside": box(100, 100, 180, 190),
    "with a hole": box(-700, -300, -100, 300) - box(-400, -100, -300, 50),
    "two parts": shapely.union(box(-850, 300, -400, 700), star(60, 150.0)),
    "over all of it": box(-950, -950, 950, 950),
}


@pytest.mark.parametrize("place", SITES_ON_LARGE)
def test_a_large_feature_joined_from_its_pieces_is_the_same_land_on_the_site(place: str) -> None:
    site = SITES_ON_LARGE[place]
    (met,) = screen(np.array([site], dtype=object), Stack.of([LARGE]))
    assert met["l"].areas
    for position in met["l"].areas:
        feature = LARGE.geometries[position]
        ground = ground_of(LARGE, met["l"], position)
        assert ground is not feature
        assert_same_land(site & ground, site & feature)
        assert (ground - feature).area < 1e-6


ON_STAR = Demand("l", Quantity.INSIDE, ("0101",), geometry=True)
OFF_STAR = Demand("l", Quantity.OUTSIDE, ("0101",), geometry=True)
ON_BOTH = Demand("l", Quantity.INSIDE, geometry=True)


@pytest.mark.parametrize("mode", ["kernel", "geos"])
@pytest.mark.parametrize("place", SITES_ON_LARGE)
def test_evidence_on_large_features_is_what_the_whole_features_give(place: str, mode: Mode) -> None:
    site = SITES_ON_LARGE[place]
    wanted = {
        ON_STAR: site & STAR,
        OFF_STAR: site - STAR,
        ON_BOTH: site & shapely.union_all(LARGE.geometries),
    }
    for demand, found in measures(site, [LARGE], mode, tuple(wanted)).items():
        assert_same_land(drawn(found.geometry) or shapely.Polygon(), wanted[demand])
        assert found.area.planar_m2 == pytest.approx(wanted[demand].area, abs=1e-6)


def assert_same_land(one: shapely.Geometry, two: shapely.Geometry) -> None:
    assert one.area == pytest.approx(two.area, abs=1e-6)
    assert (one ^ two).area < 1e-6
