"""The ground of the raster benchmark: the same for a seed, and of the size that it claims."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import shapely

FILE = Path(__file__).resolve().parents[1] / "benchmarks" / "w3_ground.py"


def load() -> Any:
    spec = importlib.util.spec_from_file_location("w3_ground", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


w3_ground = load()


def test_zones_divide_226_square_kilometres_within_the_raster() -> None:
    zones = w3_ground.zones(1)
    west, north = w3_ground.WEST, w3_ground.NORTH
    extent = shapely.box(west, north - w3_ground.EXTENT_M, west + w3_ground.EXTENT_M, north)
    assert shapely.is_valid(zones).all()
    assert shapely.covered_by(zones, extent).all()
    # Corners are rounded to 1 mm along a border of some 100 km.
    assert abs(shapely.area(zones).sum() - 226e6) < 100
    assert shapely.coverage_is_valid(np.array(zones))


def test_parcels_are_valid_of_the_promised_size_and_the_same_for_a_seed() -> None:
    parcels = np.array(w3_ground.parcels(300, 7), dtype=object)
    assert (parcels == np.array(w3_ground.parcels(300, 7), dtype=object)).all()
    assert shapely.is_valid(parcels).all()
    # A hole takes a twentieth of the smallest, a second part adds a quarter to the largest.
    areas = shapely.area(parcels)
    assert (areas > 0.94 * 5_000).all()
    assert (areas < 1.26 * 200_000).all()
    assert 4 <= (shapely.get_num_geometries(parcels) > 1).sum() <= 35  # one in twenty: 15
    holes = sum(len(p.interiors) for p in shapely.get_parts(parcels))
    assert 4 <= holes <= 35


def test_every_resolution_shows_the_same_ground(tmp_path: Path) -> None:
    import rasterio

    for pixel_m in (10, 5):
        w3_ground.write_raster(tmp_path / f"{pixel_m}.tif", pixel_m, 3)
    with rasterio.open(tmp_path / "10.tif") as coarse, rasterio.open(tmp_path / "5.tif") as fine:
        spots, pixels = coarse.read(1), fine.read(1)
        assert coarse.bounds == fine.bounds
    assert (spots == w3_ground.ground(3)).all()
    for row in (0, 1):
        for col in (0, 1):
            assert (pixels[row::2, col::2] == spots).all()
    assert np.unique(spots).tolist() == list(range(1, 9))
