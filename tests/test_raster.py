"""Counting pixels in polygons: exact coverage, pixel centres, weights, indices and Otsu.

Expected values come from shapely intersections with the squares of the pixels, from GDAL's own
rasteriser (rasterio), or from a hand calculation that stands beside the test.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import affinity

from gis.engine.grid import Grid, Window, edges_of
from gis.engine.raster import counter, exact_rule, sizes, tally
from gis.engine.spectral import histogram, normalised_difference, otsu

UNIT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
quiet = settings(max_examples=60)


def geoms(*shapes: object) -> np.ndarray:
    return np.array([*shapes, None], dtype=object)[:-1]


def squares(window: Window) -> np.ndarray:
    """The pixels of a window as polygons, for shapely to intersect."""
    row, col = np.mgrid[: window.rows, : window.cols]
    row, col = row + window.row, col + window.col
    return shapely.box(col, row, col + 1, row + 1)


def coverage(shape: object, window: Window) -> np.ndarray:
    """The covered part of every pixel of a window; each pixel has a code of its own."""
    grid = Grid(window.row + window.rows, window.col + window.cols, UNIT)
    counting = counter(grid, geoms(shape), exact=True)
    counting.add(window, np.arange(window.rows * window.cols).reshape(window.rows, window.cols))
    found = np.zeros(window.rows * window.cols)
    for code, areas in counting.result().areas.items():
        found[code] = areas[0]
    return found.reshape(window.rows, window.cols)


@st.composite
def blobs(draw, middle: float = 6.0, reach: float = 6.0):
    """A star-shaped polygon with up to 12 vertices, often with a hole or a second part."""
    count = draw(st.integers(3, 12))
    turns = sorted(draw(st.lists(st.floats(0, 6.28), min_size=count, max_size=count, unique=True)))
    radii = draw(st.lists(st.floats(0.3, reach), min_size=count, max_size=count))
    x, y = draw(st.floats(-2, 2 * middle)), draw(st.floats(-2, 2 * middle))
    ring = [(x + r * math.cos(a), y + r * math.sin(a)) for a, r in zip(turns, radii, strict=True)]
    shape = shapely.make_valid(shapely.Polygon(ring), method="structure", keep_collapsed=False)
    kind = draw(st.sampled_from(["plain", "hole", "parts"]))
    if kind == "hole" and shape.area:
        inside = shape.representative_point()
        shape = shape - inside.buffer(inside.distance(shape.boundary) * 0.7, quad_segs=2)
    if kind == "parts":
        shape = shape | affinity.translate(shape, 2.3 * reach, 0.7)
    return shape


# --- exact coverage ------------------------------------------------------------------------------


@quiet
@given(blobs())
def test_every_pixel_is_covered_as_shapely_intersects_it(shape) -> None:
    window = Window(-1, 2, 11, 9)  # the polygon reaches beyond it on all sides
    found = coverage(shape, window)
    truth = shapely.area(shapely.intersection(squares(window), shape))
    assert found == pytest.approx(truth, abs=1e-9)


@quiet
@given(blobs())
def test_the_size_of_a_polygon_is_its_area_row_by_row(shape) -> None:
    shapes = geoms(shape, shapely.box(0, 0, 2, 3), shapely.Polygon())
    exact = np.ones(3, dtype=bool)
    assert sizes(edges_of(shapes), exact) == pytest.approx([shape.area, 6, 0], abs=1e-9)
    for number in range(-12, 24):
        strip = shapely.box(-100, number, 100, number + 1)
        found = sizes(edges_of(shapes), exact, lambda row, n=number: (row == n) * 1.0)[0]
        assert found == pytest.approx(shape.intersection(strip).area, abs=1e-9)


def test_a_polygon_inside_one_pixel_covers_its_own_area() -> None:
    triangle = shapely.Polygon([(3.2, 4.1), (3.7, 4.1), (3.2, 4.5)])  # 0.5 · 0.4 / 2
    found = coverage(triangle, Window(0, 0, 8, 8))
    assert found[4, 3] == pytest.approx(0.1, abs=1e-12)
    assert np.count_nonzero(found) == 1


def test_a_sliver_narrower_than_a_pixel_is_seen() -> None:
    strip = shapely.box(1.5, 2.45, 5.5, 2.55)
    codes = np.zeros((6, 8), dtype=int)
    codes[:, 4:] = 1
    found = tally(codes, geoms(strip))
    assert found.exact[0]
    assert found.areas[0][0] == pytest.approx(0.25, abs=1e-12)  # 2.5 columns of 0.1
    assert found.areas[1][0] == pytest.approx(0.15, abs=1e-12)


def test_rounding_does_not_bring_a_class_that_is_not_there() -> None:
    # In row 2 the triangle is left of x = 4.2; right of it the pieces cancel to 1.4e-17 only.
    triangle = shapely.Polygon([(3.7, 2.3), (6.0, 5.9), (4.1, 3.9)])
    codes = np.arange(49).reshape(7, 7)
    found = tally(codes, geoms(triangle), exact=True).areas
    assert {17, 18} <= found.keys()
    assert 19 not in found


def test_edges_on_the_lines_of_the_grid_leak_into_no_neighbour() -> None:
    shape = shapely.box(2, 1, 5, 4) - shapely.box(3, 2, 4, 3)
    found = coverage(shape, Window(0, 0, 6, 7))
    truth = np.zeros((6, 7))
    truth[1:4, 2:5] = 1
    truth[2, 3] = 0
    assert (found == truth).all()


def test_millions_of_metres_cost_no_digits() -> None:
    # A parcel 4,000 km from the origin of the coordinates, at 10 m; truth from shapely in metres.
    grid = Grid(200, 200, (10.0, 0.0, 402_835.0, 0.0, -10.0, 4_033_565.0))
    parcel = shapely.Polygon(
        [(403_001.137, 4_033_411.023), (403_080.541, 4_033_418.777), (403_061.002, 4_033_350.1)]
    )
    window = Window(10, 10, 30, 30)
    found = coverage(grid.to_pixels(geoms(parcel))[0], window)
    x, y = 402_835 + 10.0 * np.arange(10, 40), 4_033_565 - 10.0 * np.arange(10, 40)
    cells = shapely.box(x[None, :], y[:, None] - 10, x[None, :] + 10, y[:, None])
    assert found == pytest.approx(shapely.area(shapely.intersection(cells, parcel)) / 100, abs=1e-9)


# --- pixel centres -------------------------------------------------------------------------------


@quiet
@given(blobs(middle=10, reach=9))
def test_the_centre_rule_takes_the_pixels_that_gdal_takes(shape) -> None:
    from rasterio.features import geometry_mask
    from rasterio.transform import Affine

    # Vertices on a grid of 1/8: edges through centres and corners happen all the time.
    shape = shapely.set_precision(shape, 0.125)
    if shape.is_empty or shape.geom_type not in {"Polygon", "MultiPolygon"}:
        return
    taken = ~geometry_mask([shape], (20, 20), Affine(*UNIT))
    codes = np.arange(400).reshape(20, 20)
    found = tally(codes, geoms(shape), exact=False)
    assert {c for c, a in found.areas.items() if a[0]} == set(codes[taken])


def test_a_centre_on_a_shared_edge_belongs_to_one_neighbour() -> None:
    cuts = [0, 2.5, 4.5, 9]  # through the centres of column 2 and column 4
    parts = [shapely.box(a, 0, b, 4) for a, b in pairwise(cuts)]
    stacked = [shapely.box(0, a, 9, b) for a, b in ((0, 1.5), (1.5, 4))]
    codes = np.zeros((4, 9), dtype=int)
    assert tally(codes, geoms(*parts), exact=False).areas[0].sum() == 36
    assert tally(codes, geoms(*stacked), exact=False).areas[0].sum() == 36


def test_holes_and_parts_are_left_out_and_added() -> None:
    shape = (shapely.box(0, 0, 6, 6) - shapely.box(1, 1, 3, 5)) | shapely.box(8, 2, 10, 4)
    codes = np.zeros((8, 12), dtype=int)
    for exact in (True, False):
        assert tally(codes, geoms(shape), exact=exact).areas[0][0] == pytest.approx(36 - 8 + 4)


@quiet
@given(st.lists(blobs(middle=10, reach=8), min_size=1, max_size=4), st.integers(1, 7))
def test_windows_add_up_to_the_whole_raster(shapes, step) -> None:
    rng = np.random.default_rng(step)
    codes = rng.integers(0, 70, (17, 23))  # more codes than share one running sum
    for exact in (True, False):
        whole = tally(codes, geoms(*shapes), exact=exact)
        counting = counter(Grid(17, 23, UNIT), geoms(*shapes), exact=exact)
        for row in range(0, 17, step):
            for col in range(0, 23, 2 * step):
                rest = Window(row, col, min(step, 17 - row), min(2 * step, 23 - col))
                need = counting.needed(rest)
                if need is not None:
                    rows, cols = slice(need.row, need.row + need.rows), need.col + need.cols
                    counting.add(need, codes[rows, need.col : cols])
        found = counting.result()
        assert found.total == pytest.approx(whole.total)
        nothing = np.zeros(len(shapes))
        for code in found.areas.keys() | whole.areas.keys():
            areas = whole.areas.get(code, nothing)
            assert found.areas.get(code, nothing) == pytest.approx(areas, abs=1e-9)


@quiet
@given(st.lists(blobs(middle=10, reach=8), min_size=1, max_size=3), st.integers(1, 60))
def test_strips_of_rows_add_up_to_the_same_numbers(shapes, pixels) -> None:
    codes = np.random.default_rng(pixels).integers(0, 9, (17, 23))
    whole = [tally(codes, geoms(*shapes), exact=exact) for exact in (True, False)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gis.engine.raster.STRIP_PIXELS", pixels)
        strips = [tally(codes, geoms(*shapes), exact=exact) for exact in (True, False)]
    for one, other in zip(whole, strips, strict=True):
        assert one.areas.keys() == other.areas.keys()
        for code, areas in one.areas.items():
            # A strip only changes which rows are added first; centres are whole numbers.
            assert other.areas[code] == pytest.approx(areas, abs=1e-12)


@quiet
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=6))
def test_neighbours_divide_every_centre_and_every_area_between_them(points) -> None:
    # Triangles around random corners on a grid of 1/4: edges run through centres and along lines.
    corners = [(0, 0), (10, 0), (10, 10), (0, 10), *((x / 4, y / 4) for x, y in points)]
    parts = shapely.get_parts(shapely.delaunay_triangles(shapely.MultiPoint(corners)))
    codes = np.random.default_rng(len(points)).integers(0, 3, (10, 10))
    counts = np.bincount(codes.ravel())
    for exact in (True, False):
        found = tally(codes, parts, exact=exact)
        for code, areas in found.areas.items():
            assert areas.sum() == pytest.approx(counts[code], abs=1e-9)


@pytest.mark.parametrize("low", [0, 3])
@pytest.mark.parametrize("kinds", [1, 12, 13, 31, 40, 300])
def test_any_number_of_codes_is_counted_as_numpy_counts_them(low: int, kinds: int) -> None:
    codes = np.random.default_rng(kinds).integers(low, low + kinds, (40, 70))
    shapes = geoms(shapely.box(3, 2, 66, 31), shapely.box(5, 0, 6, 40), shapely.box(0, 0, 70, 40))
    for exact in (True, False):
        found = tally(codes, shapes, exact=exact).areas
        for number, cut in enumerate((codes[2:31, 3:66], codes[:, 5:6], codes)):
            own = {int(c): int(n) for c, n in zip(*np.unique(cut, return_counts=True), strict=True)}
            assert {c: a[number] for c, a in found.items() if a[number]} == pytest.approx(own)


def test_codes_may_be_of_any_type_and_lie_in_memory_in_any_way() -> None:
    codes = np.random.default_rng(2).integers(0, 5, (30, 20))
    shape = geoms(shapely.Polygon([(1, 1), (18.3, 4), (11, 27.6), (2, 15)]))
    for exact in (True, False):
        truth = tally(codes, shape, exact=exact).areas
        for other in (codes.astype(np.uint8), np.asfortranarray(codes.astype(np.int16)),
                      np.repeat(codes, 2, axis=1)[:, ::2]):  # fmt: skip
            found = tally(other, shape, exact=exact).areas
            assert all((found[c] == truth[c]).all() for c in truth)


def test_a_polygon_as_wide_as_a_row_of_a_hundred_thousand_pixels_is_counted() -> None:
    # 17 bits per code: three to a word, so that five codes need both words.
    codes = np.tile(np.arange(5), 20_000)[None, :].repeat(2, axis=0)
    found = tally(codes, geoms(shapely.box(0, 0, 100_000, 1.5)), exact=True).areas
    assert [float(found[c][0]) for c in range(5)] == pytest.approx([30_000.0] * 5, rel=1e-12)
    centres = tally(codes, geoms(shapely.box(0, 0, 100_000, 1.5)), exact=False).areas
    assert [float(centres[c][0]) for c in range(5)] == [20_000.0] * 5  # row 1's lie on the edge


# --- edges of polygons ---------------------------------------------------------------------------


@quiet
@given(st.lists(blobs(), max_size=4), st.booleans())
def test_edges_run_as_shapely_orients_the_rings(shapes, turned: bool) -> None:
    given_shapes = geoms(*shapes, shapely.Polygon(), shapely.MultiPolygon())
    if turned:
        given_shapes = shapely.reverse(given_shapes)
    edges = edges_of(given_shapes)
    found = list(zip(edges.owner, edges.x0, edges.y0, edges.x1, edges.y1, strict=True))
    truth = []
    for owner, shape in enumerate(shapely.orient_polygons(given_shapes, exterior_cw=True)):
        for part in shapely.get_parts(shape):
            for ring in (part.exterior, *part.interiors):
                truth += [(owner, *a, *b) for a, b in pairwise(ring.coords)]
    assert sorted(found) == sorted(truth)
    assert edges.starts.tolist() == np.searchsorted(edges.owner, range(len(shapes) + 3)).tolist()


# --- edges of the raster -------------------------------------------------------------------------


@pytest.mark.parametrize("exact", [True, False])
def test_the_part_beyond_the_raster_is_kept_as_outside(exact: bool) -> None:
    codes = np.ones((4, 4), dtype=int)
    shapes = geoms(shapely.box(-2, -1, 2, 3), shapely.box(2, 2, 6, 9), shapely.box(10, 10, 12, 13))
    found = tally(codes, shapes, exact=exact)
    assert found.areas[1] == pytest.approx([6, 4, 0])
    assert found.outside == pytest.approx([10, 24, 6])
    assert found.total == pytest.approx([16, 28, 6])


def test_a_polygon_on_the_edge_of_the_raster_has_nothing_outside() -> None:
    codes = np.array([[1, 2], [3, 4]])
    for exact in (True, False):
        found = tally(codes, geoms(shapely.box(0, 0, 2, 2)), exact=exact)
        assert [found.areas[c][0] for c in (1, 2, 3, 4)] == [1, 1, 1, 1]
        assert found.outside[0] == 0


def test_no_polygons_and_no_pixels_give_nothing() -> None:
    assert tally(np.ones((3, 3), dtype=int), geoms()).total.shape == (0,)
    empty = tally(np.zeros((0, 5), dtype=int), geoms(shapely.box(0, 0, 2, 2)))
    assert empty.areas == {}
    assert empty.outside == pytest.approx([4])


# --- grids ---------------------------------------------------------------------------------------


def placed(transform: tuple[float, ...], codes: np.ndarray, shape) -> dict[int, float]:
    grid = Grid(*codes.shape, transform)
    found = tally(codes, grid.to_pixels(geoms(shape)), exact=True)
    return {code: float(areas[0]) * grid.pixel_area for code, areas in found.areas.items()}


@pytest.mark.parametrize(
    "transform",
    [
        (10.0, 0.0, 500.0, 0.0, -10.0, 900.0),  # north up
        (10.0, 0.0, 500.0, 0.0, 10.0, 800.0),  # south up
        (-10.0, 0.0, 620.0, 0.0, -10.0, 900.0),  # mirrored
        (8.0, 6.0, 500.0, 6.0, -8.0, 850.0),  # rotated
        (8.0, -3.0, 520.0, 1.0, -12.0, 900.0),  # rotated and sheared
    ],
)
def test_any_affine_position_gives_the_areas_of_the_pixels_on_the_ground(transform) -> None:
    codes = np.random.default_rng(3).integers(0, 3, (10, 12))
    a, b, c, d, e, f = transform
    shape = shapely.Polygon([(540, 820), (600, 835), (585, 870), (550, 880)])
    truth: dict[int, float] = {}
    for (row, col), code in np.ndenumerate(codes):
        corners = [(col, row), (col + 1, row), (col + 1, row + 1), (col, row + 1)]
        cell = shapely.Polygon([(a * x + b * y + c, d * x + e * y + f) for x, y in corners])
        truth[int(code)] = truth.get(int(code), 0.0) + cell.intersection(shape).area
    found = placed(transform, codes, shape)
    assert sum(found.values()) > 1000
    for code, area in truth.items():
        assert found[code] == pytest.approx(area, abs=1e-7)


def test_rows_are_weighted_also_beyond_the_raster() -> None:
    codes = np.array([[0, 0], [1, 1]])
    shape = geoms(shapely.box(0, 0.5, 2, 3))  # half of row 0, row 1, and row 2 outside
    found = tally(codes, shape, exact=True, weights=lambda row: row + 1.0)
    assert found.areas[0][0] == pytest.approx(2 * 0.5 * 1)
    assert found.areas[1][0] == pytest.approx(2 * 2)
    assert found.outside[0] == pytest.approx(2 * 3)
    centres = tally(codes, shape, exact=False, weights=lambda row: row + 1.0)
    assert centres.areas[1][0] == 4
    assert centres.outside[0] == 6


def test_small_and_thin_polygons_are_measured_exactly() -> None:
    small, large = shapely.box(0, 0, 70, 70), shapely.box(0, 0, 71, 71)  # 4,900 and 5,041 pixels
    strip = shapely.box(0, 0, 4000, 7)
    assert exact_rule(geoms(small, large, strip)).tolist() == [True, False, True]


# --- indices -------------------------------------------------------------------------------------


def test_eight_bits_do_not_overflow_in_an_index() -> None:
    nir, red = np.array([200, 30], dtype=np.uint8), np.array([100, 90], dtype=np.uint8)
    assert normalised_difference(nir, red) == pytest.approx([100 / 300, -60 / 120])


def test_a_sum_of_zero_or_less_is_no_value() -> None:
    found = normalised_difference(np.array([0.0, 0.1, -0.3]), np.array([0.0, -0.1, 0.1]))
    assert np.isnan(found).all()


def test_otsu_by_hand() -> None:
    # Ten bins from 0 to 10 with 3, 1 and 4 values at 1.5, 2.5 and 7.5. Split between the second and
    # third group: means 1.75 and 7.5, halves, so between = 0.25 · 5.75² = 8.265625; the whole
    # variance is (3 · 3.125² + 2.125² + 4 · 2.875²) / 8 = 8.359375. All splits from 3 to 7 are
    # equal; their middle is 5.
    counts = np.zeros(10)
    counts[[1, 2, 7]] = 3, 1, 4
    found = otsu(counts, 0, 10)
    assert found.value == pytest.approx(5)
    assert found.separability == pytest.approx(8.265625 / 8.359375)


@quiet
@given(st.lists(st.integers(0, 9), min_size=4, max_size=12))
def test_otsu_agrees_with_trying_every_split(counts) -> None:
    centres = np.arange(len(counts)) + 0.5
    values = np.repeat(centres, counts)
    between = [
        0.0
        if not (low := values[values < t]).size or not (high := values[values > t]).size
        else low.size * high.size * (low.mean() - high.mean()) ** 2
        for t in range(1, len(counts))
    ]
    found = otsu(np.array(counts), 0, len(counts))
    if max(between, default=0) == 0:
        assert found is None
        return
    best = [t for t, b in enumerate(between, start=1) if b >= max(between) * (1 - 1e-9)]
    assert best[0] <= found.value <= best[-1]


def test_a_single_bell_is_known_by_its_separability() -> None:
    # A normal distribution split at its mean has 2 / pi = 0.64 between the halves.
    values = np.random.default_rng(1).normal(0, 0.1, 200_000)
    assert otsu(histogram(values)).separability == pytest.approx(2 / math.pi, abs=0.01)


def test_values_beyond_the_ends_count_in_the_outer_bins() -> None:
    counts = histogram(np.array([-1.2, -1.0, 1.0, 1.07, np.nan]))
    assert (counts[0], counts[-1], counts.sum()) == (2, 2, 4)
