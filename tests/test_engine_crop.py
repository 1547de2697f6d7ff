"""A feature cut out of a crop is the same as one cut out of the whole outline."""

import numpy as np
import pytest
import shapely
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import box

from gis.engine.crop import Crops

X, Y = 408_000.0, 4_025_000.0


def star(vertices: int, hole: bool = False) -> shapely.Polygon:
    """An outline with deep bays, about 8 km across, in eastings and northings of the work CRS."""
    angle = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
    radius = 3000 * (1 + 0.3 * np.sin(7 * angle) + 0.2 * np.sin(53 * angle))
    ring = np.column_stack([X + radius * np.cos(angle), Y + radius * np.sin(angle)])
    holes = [shapely.Point(X, Y).buffer(500, quad_segs=64).exterior] if hole else []
    return shapely.Polygon(ring, holes)


LARGE = star(30_000, hole=True)


def test_a_small_outline_is_never_cropped():
    outline = star(1_000)
    assert Crops(outline).around(box(X, Y, X + 10, Y + 10)) is outline


def test_a_feature_larger_than_a_cell_is_cut_out_of_the_whole():
    assert Crops(LARGE).around(box(X - 3000, Y - 3000, X + 3000, Y + 3000)) is LARGE


def test_a_crop_holds_only_what_lies_around_the_feature():
    # 30,000 vertices make 5 x 5 cells; a crop covers 3 x 3 of them, here at the eastern edge 2 x 3.
    crop = Crops(LARGE).around(box(X + 2900, Y, X + 2950, Y + 50))
    assert shapely.get_num_coordinates(crop) < shapely.get_num_coordinates(LARGE) / 2


def test_a_feature_that_only_touches_the_outline_shares_no_area():
    west = LARGE.bounds[0]
    feature = box(west - 50, Y - 4000, west, Y + 4000)
    assert shapely.intersection(Crops(LARGE).around(feature), feature).area == 0


@settings(max_examples=examples(50))
@given(st.floats(-4500, 4500), st.floats(-4500, 4500), st.floats(1, 2500), st.floats(1, 2500))
def test_the_cut_is_that_of_the_whole_outline(east, north, width, height):
    feature = box(X + east, Y + north, X + east + width, Y + north + height)
    whole = shapely.intersection(LARGE, feature)
    cut = shapely.intersection(Crops(LARGE).around(feature), feature)
    assert cut.area == pytest.approx(whole.area, abs=1e-5)
    assert shapely.symmetric_difference(cut, whole).area < 1e-4
