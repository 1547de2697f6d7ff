"""Tiles and far pictures, read back with GDAL: nothing is lost, no gap opens, bytes are equal."""

from __future__ import annotations

import io
import math

import numpy as np
import pyogrio
import pytest
import shapely
from matplotlib.image import imread
from shapely.geometry import LineString, Point, Polygon, box

from gis.output.maps.png import png_of
from gis.output.maps.tiling import (
    LAST_LEVEL,
    archives,
    levels_of_lines,
    picture,
    to_mercator,
)

X, Y = 408_000.0, 4_030_000.0  # EPSG:4548
EPSG = 4548
ONLY_LAST = range(LAST_LEVEL, LAST_LEVEL + 1)


def squares(count: int, side: float = 100.0) -> list[Polygon]:
    """A coverage of count x count squares."""
    return [
        box(X + side * i, Y + side * j, X + side * (i + 1), Y + side * (j + 1))
        for j in range(count)
        for i in range(count)
    ]


def read_back(archive, tmp_path):
    path = tmp_path / archive.name
    path.write_bytes(archive.content)
    return pyogrio.read_dataframe(path, layer="a")


def test_mercator_is_that_of_web_maps():
    # By the formula of EPSG:3857 on the degrees that PROJ gives for EPSG:4548 -> 4490.
    point = to_mercator([Point(500_000.0, 0.0)], EPSG)[0]
    assert point.x == pytest.approx(117 * math.pi / 180 * 6_378_137, abs=1e-6)
    assert point.y == pytest.approx(0.0, abs=1e-6)


def test_every_feature_is_in_the_tiles_with_its_look_and_texts(tmp_path):
    shapes = to_mercator(squares(12), EPSG)
    names = [f"地块{n}" for n in range(144)]
    (archive,) = archives(
        shapes, [n % 3 for n in range(144)], {"n": names, "c": ["01"] * 144}, 0.0, ONLY_LAST
    )
    frame = read_back(archive, tmp_path)
    assert set(frame["n"]) == set(names)
    assert set(frame["c"]) == {"01"}
    looks = frame.drop_duplicates("n").set_index("n")["k"]
    assert [looks[name] for name in names] == [n % 3 for n in range(144)]


def test_an_empty_text_takes_no_room(tmp_path):
    shapes = to_mercator(squares(1), EPSG)
    (archive,) = archives(shapes, [0], {"n": [""]}, 0.0, ONLY_LAST)
    frame = read_back(archive, tmp_path)
    assert "n" not in frame.columns or frame["n"].isna().all()


def test_neighbours_stay_neighbours_when_outlines_are_simplified(tmp_path):
    rng = np.random.default_rng(5)
    bend = np.column_stack([np.linspace(0, 500, 60), 250 + rng.uniform(-8, 8, 60)])
    bend[[0, -1], 1] = 250
    line = [(X + x, Y + y) for x, y in bend]
    south = Polygon([(X, Y), (X + 500, Y), *line[::-1]])
    north = Polygon([*line, (X + 500, Y + 500), (X, Y + 500)])
    shapes = to_mercator([south, north], EPSG)
    made = archives(shapes, [0, 1], {}, 4.0, range(11, LAST_LEVEL + 1))
    for archive in made:
        # A square that needs no clipping: what both cover is the square, but for the tile's grid.
        frame = read_back(archive, tmp_path)
        drawn = frame.dissolve("k").geometry.tolist()
        grid = 40_075_017 / 2**archive.level / 4096
        assert drawn[0].intersection(drawn[1]).area < 500 * grid
        whole = shapely.union_all(shapes)
        assert shapely.union_all(drawn).symmetric_difference(whole).area < 2_600 * 2 * grid


def test_each_level_has_its_own_archive_named_by_its_content():
    shapes = to_mercator(squares(3), EPSG)
    made = archives(shapes, [0] * 9, {}, 4.0, range(9, LAST_LEVEL + 1))
    assert [archive.level for archive in made] == [9, 10, 11, 12, 13]
    for archive in made:
        # Bytes 100 and 101 of a PMTiles header are the least and the closest zoom.
        assert archive.content[:8] == b"PMTiles\x03"
        assert set(archive.content[100:102]) == {archive.level}
    assert len({archive.name for archive in made}) == 5


def test_equal_features_give_equal_bytes():
    shapes = to_mercator(squares(20), EPSG)
    names = [f"{n}" for n in range(400)]
    first, second = (
        archives(shapes, [0] * 400, {"n": names}, 4.0, range(10, LAST_LEVEL + 1)) for _ in range(2)
    )
    assert first == second
    assert picture(shapes, [0] * 400, [(1, 2, 3, 4)]) == picture(shapes, [0] * 400, [(1, 2, 3, 4)])


def test_lines_are_kept_at_every_level(tmp_path):
    lines = to_mercator([LineString([(X, Y + 50 * n), (X + 3000, Y)]) for n in range(30)], EPSG)
    for archive in archives(lines, [0] * 30, {}, 4.0, range(9, LAST_LEVEL + 1)):
        frame = read_back(archive, tmp_path)
        assert set(frame.geometry.geom_type) <= {"LineString", "MultiLineString"}
        assert len(frame) >= 30


@pytest.mark.parametrize(
    ("side_m", "first"),
    # By hand: 40,075 km / 2**level * 360 / 512 * cos(36.4°) = 22.1 km for 10, 44.3 km for 9;
    # the box leans by 0.6° against the meridian and needs 2 % more.
    [(1_000.0, 13), (21_000.0, 10), (24_000.0, 9), (43_000.0, 9), (46_000.0, 8)],
)
def test_the_farthest_level_shows_the_whole_map_on_a_phone(side_m, first):
    assert levels_of_lines((X, Y, X + side_m, Y + side_m), EPSG) == range(first, LAST_LEVEL + 1)


def test_the_picture_has_the_colours_and_shares_of_the_areas():
    shapes = to_mercator([box(X, Y, X + 750, Y + 1000), box(X + 750, Y, X + 1000, Y + 1000)], EPSG)
    drawn = picture(shapes, [0, 1], [(255, 0, 0, 128), (0, 0, 255, 255)])
    pixels = np.round(255 * imread(io.BytesIO(drawn.content), format="png")).reshape(-1, 4)
    colours, counts = np.unique(pixels, axis=0, return_counts=True)
    found = {tuple(map(int, c)): int(n) for c, n in zip(colours, counts, strict=True)}
    found.pop((0, 0, 0, 0), None)  # the corners outside: north leans by half a degree
    assert found.keys() == {(255, 0, 0, 128), (0, 0, 255, 255)}
    assert found[255, 0, 0, 128] / sum(found.values()) == pytest.approx(0.75, abs=0.02)
    west, south, east, north = drawn.box
    assert (west, south, east, north) == tuple(shapely.total_bounds(shapes))


def test_the_picture_of_a_large_land_stays_small_enough_for_a_phone():
    shapes = to_mercator([box(X, Y, X + 200_000, Y + 50_000)], EPSG)
    drawn = picture(shapes, [0], [(1, 2, 3, 255)])
    height, width, _ = imread(io.BytesIO(drawn.content), format="png").shape
    assert height < width <= 3_000


def test_a_palette_image_is_read_by_others_to_the_last_cell():
    cells = np.arange(35, dtype=np.uint8).reshape(5, 7)
    colours = [(n, 2 * n, 255 - n, 100 + n) for n in range(35)]
    read = np.round(
        255 * imread(io.BytesIO(png_of(cells[None], dict(enumerate(colours)))), format="png")
    )
    assert read.astype(int).reshape(-1, 4).tolist() == [list(c) for c in colours]
