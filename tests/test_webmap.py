"""The shift of Chinese web maps, against distances measured with a geodesic, and its inverse."""

import numpy as np
import pytest
from pyproj import Geod

from gis.webmap import BD09, GCJ02, named_shift, to_bd09, to_gcj02, unshifted

GRS80 = Geod(ellps="GRS80")


@pytest.mark.parametrize(
    ("to_map", "metres", "azimuths"),
    [(to_gcj02, (497, 527), (85, 95)), (to_bd09, (1271, 1315), (57, 61))],
)
def test_the_shift_is_as_far_and_in_the_direction_measured_at_the_bundled_plan(
    to_map, metres, azimuths
):
    for lon, lat in [(115.81, 36.23), (115.98, 36.40), (116.17, 36.46)]:
        azimuth, _, distance = GRS80.inv(lon, lat, *to_map([[lon, lat]])[0])
        assert metres[0] - 15 < distance < metres[1] + 15
        assert azimuths[0] - 3 < azimuth < azimuths[1] + 3


@pytest.mark.parametrize(("to_map", "shift"), [(to_gcj02, GCJ02), (to_bd09, BD09)])
def test_the_way_back_hits_within_a_millimetre(to_map, shift):
    grid = np.array([(x, y) for x in np.linspace(73, 135, 20) for y in np.linspace(18, 53, 20)])
    back = unshifted(to_map(grid), shift)
    _, _, distance = GRS80.inv(*grid.T, *back.T)
    assert distance.max() < 0.001


@pytest.mark.parametrize(
    ("text", "shift"),
    [
        ("GCJ-02", GCJ02),
        ("gcj02", GCJ02),
        ("火星坐标系", GCJ02),
        ("高德地图", GCJ02),
        ("BD-09", BD09),
        ("bd09", BD09),
        ("百度坐标", BD09),
        ("EPSG:4527", ""),
        ("2000国家大地坐标系", ""),
        ("百度云计算中心", ""),
        ("", ""),
    ],
)
def test_a_shifted_datum_is_known_by_its_names(text, shift):
    assert named_shift(text) == shift
