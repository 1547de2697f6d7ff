"""The ground of workload W3: a class raster of 17 x 17 km, five zones, parcels.

The same ground at every resolution: fields of 80 m, odd spots of 10 m, from one seed. Zones divide
an area of 226 km² along a wavy border; parcels are 0.5-20 ha (log-uniform) with 5-40 vertices, one
in twenty with a hole, one in twenty in two parts.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely import affinity

EPSG = 4548
WEST, NORTH = 401_500.0, 4_028_500.0
EXTENT_M, FIELD_M, SPOT_M = 17_000, 80, 10
ZONES_M2 = 226e6
CLASSES = 8
GREEN_WATER = (1, 2)  # the values that count
TILE = 512


def ground(seed: int) -> np.ndarray[Any, Any]:
    """Return the classes (1-8) of spots of 10 m as an array of 1,700 x 1,700."""
    rng = np.random.default_rng(seed)
    count, fields = EXTENT_M // SPOT_M, -(-EXTENT_M // FIELD_M)
    patches = rng.integers(1, CLASSES + 1, (fields, fields), dtype=np.uint8)
    spots = np.kron(patches, np.ones((FIELD_M // SPOT_M,) * 2, dtype=np.uint8))[:count, :count]
    odd = rng.random(spots.shape) < 0.03
    spots[odd] = rng.integers(1, CLASSES + 1, int(odd.sum()))
    return spots


def write_raster(path: Path, pixel_m: int, seed: int) -> None:
    """Write the ground with square pixels of 1, 2, 5 or 10 m as a tiled GeoTIFF."""
    import rasterio

    spots, times, size = ground(seed), SPOT_M // pixel_m, EXTENT_M // pixel_m
    with rasterio.open(
        path, "w", driver="GTiff", width=size, height=size, count=1, crs=EPSG, dtype="uint8",
        compress="lzw", tiled=True, blockxsize=TILE, blockysize=TILE, nodata=0,
        transform=rasterio.Affine(pixel_m, 0, WEST, 0, -pixel_m, NORTH),
    ) as out:  # fmt: skip
        for row in range(0, size, TILE):
            rows = np.arange(row, min(row + TILE, size)) // times
            strip = np.repeat(spots[rows], times, axis=1)
            out.write(strip, 1, window=((row, row + len(rows)), (0, size)))


def zones(seed: int) -> list[shapely.Polygon]:
    """Return five zones of 3,300 vertices or so; together they have 226 km²."""
    rng = np.random.default_rng(seed)
    count = 16_000
    turn = np.linspace(0, 2 * np.pi, count, endpoint=False)
    waves = sum(rng.normal() / k * np.cos(k * turn + rng.uniform(0, 6)) for k in range(3, 400))
    radii = 1 + 0.04 * waves / np.abs(waves).max()
    # A square with round corners fills the raster without leaving it.
    radii /= (np.cos(turn) ** 4 + np.sin(turn) ** 4) ** 0.25
    ring = np.column_stack([np.cos(turn), np.sin(turn)]) * radii[:, None]
    ring *= np.sqrt(ZONES_M2 / shapely.Polygon(ring).area)
    middle = np.array([WEST + EXTENT_M / 2, NORTH - EXTENT_M / 2])
    ring = np.round(ring + middle, 3)
    step, closed = count // 5, np.vstack([ring, ring[:1]])
    return [
        shapely.Polygon(np.vstack([middle, closed[k : k + step + 1]]))
        for k in range(0, count, step)
    ]


def parcels(count: int, seed: int) -> list[shapely.Polygon | shapely.MultiPolygon]:
    """Return valid parcels whose centres lie in the zones, coordinates rounded to 1 mm."""
    rng = np.random.default_rng(seed)
    area = shapely.union_all(zones(seed))
    shapely.prepare(area)
    found: list[shapely.Polygon | shapely.MultiPolygon] = []
    while len(found) < count:
        x, y = WEST + rng.uniform(0, EXTENT_M), NORTH - rng.uniform(0, EXTENT_M)
        shape = _parcel(rng)
        if not shapely.contains_xy(area, x, y):
            continue
        placed = shapely.set_precision(affinity.translate(shape, x, y), 0.001)
        if placed.is_valid and placed.geom_type in {"Polygon", "MultiPolygon"} and placed.area:
            found.append(placed)
    return found


def _parcel(rng: np.random.Generator) -> shapely.Polygon | shapely.MultiPolygon:
    area_m2 = 10_000 * np.exp(rng.uniform(np.log(0.5), np.log(20)))
    shape = _blob(rng, area_m2, int(rng.integers(5, 41)))
    kind = rng.random()
    if kind < 0.05:  # a hole of a twentieth around the middle
        return shape.difference(_blob(rng, area_m2 / 20, 6))
    if kind < 0.10:
        west, _, east, _ = shape.bounds
        other = _blob(rng, area_m2 / 4, 8)
        return shapely.union(shape, affinity.translate(other, 1.2 * (east - west), 0))
    return shape


def _blob(rng: np.random.Generator, area_m2: float, count: int) -> shapely.Polygon:
    # Equal steps with a little noise keep the middle inside, so that a hole stays in it.
    turn = (np.arange(count) + rng.uniform(-0.3, 0.3, count)) * 2 * np.pi / count
    radii = rng.uniform(0.7, 1.3, count)
    xy = np.column_stack([np.cos(turn), np.sin(turn)]) * radii[:, None]
    return shapely.Polygon(xy * np.sqrt(area_m2 / shapely.Polygon(xy).area))
