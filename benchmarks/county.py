"""The county that is measured on: seeded layers of a whole plan, and parcels to ask about.

A square of 40 x 40 km at scale 1; ``scale`` is a share of its area, and numbers of features go
with it, so that densities stay. Coordinates are rounded to 1 mm. Nothing is downloaded; equal
numbers give equal bytes. Written once as GeoPackages, with a ``plan.toml``, into ``.county``.

Usage: ``python benchmarks/county.py [--scale 0.04] [--seed 1]``
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import county_plan
import geopandas
import numpy as np
import shapely
from county_cells import Cells
from county_shapes import blob, centre_line, meander

Array = np.ndarray[Any, Any]
EPSG = 4548
WEST, SOUTH, SIDE_M = 390_000.0, 4_010_000.0, 40_000.0
# Of every road: the law measures from the edge of its land.
HALF_WIDTH_M = 6.0
VERSION = 1
CACHE = Path(__file__).with_name(".county")
POLYGONS = (
    "landuse", "zones", "farmland", "dev_boundary", "redline", "rivers", "rivers_setback",
    "lakes", "lakes_setback", "flood_belt", "heritage", "road_corridor",
)  # fmt: skip
LANDUSE_CLASSES = ("0103", "0301", "0404", "0702", "0602", "1101")


class County(NamedTuple):
    """Layers by name; ``roads`` are lines with class, the others polygons with class."""

    layers: dict[str, geopandas.GeoDataFrame]
    extent: tuple[float, float, float, float]


class Frame(NamedTuple):
    """Where the county lies and how many features a number at scale 1 becomes."""

    side: float
    scale: float

    def count(self, at_full_scale: int) -> int:
        """Return a number of features of this county, at least one."""
        return max(1, round(at_full_scale * self.scale))

    def across(self, at_full_scale: int) -> int:
        """Return a number of things that each cross the county, at least two."""
        return max(2, round(at_full_scale * self.scale**0.5))

    def places(self, random: np.random.Generator, count: int) -> Array:
        """Return points inside the county."""
        return np.array([WEST, SOUTH]) + random.uniform(0, self.side, (count, 2))

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """West, south, east, north."""
        return WEST, SOUTH, WEST + self.side, SOUTH + self.side


def make(scale: float = 1.0, seed: int = 1) -> County:
    """Return the county of a share of the full area."""
    frame = Frame(SIDE_M * scale**0.5, scale)
    cells = Cells.of(WEST, SOUTH, frame.side, frame.across(447), _random(seed, 0))
    shapes: dict[str, Array] = {"landuse": cells.polygons()}
    shapes["zones"] = cells.zones(frame.side)
    shapes["farmland"] = cells.blocks(frame.count(30_000), _random(seed, 1))
    shapes["dev_boundary"] = cells.above_noise(0.12, 3_000.0, _random(seed, 2))
    shapes["redline"] = _redline(frame, _random(seed, 3))
    shapes |= _water(frame, seed)
    shapes["heritage"] = _heritage(frame, _random(seed, 6))
    roads, ranks = _roads(frame, _random(seed, 7))
    shapes["road_corridor"] = _dissolved(shapely.buffer(roads, 10.0 + 5.0 * ranks, quad_segs=8))
    random = _random(seed, 8)
    layers = {name: _frame(name, _rounded(shapes[name]), random) for name in POLYGONS}
    layers["roads"] = geopandas.GeoDataFrame(
        {"cls": np.array(["国道", "省道", "县道"])[ranks], "half_width": HALF_WIDTH_M},
        geometry=_rounded(roads),
        crs=EPSG,
    )
    return County(layers, frame.extent)


def _random(seed: int, stream: int) -> np.random.Generator:
    """Return numbers of their own for each layer, so that one may change without the others."""
    return np.random.default_rng([seed, stream])


def _redline(frame: Frame, random: np.random.Generator) -> Array:
    """Large smooth blobs, dissolved; some 36 are left at scale 1."""
    places, count = frame.places(random, frame.count(56)), 1_900
    radii = random.uniform(800, 1_950, len(places))
    return _dissolved(
        np.array([blob(p, r, count, random) for p, r in zip(places, radii, strict=True)])
    )


def _water(frame: Frame, seed: int) -> dict[str, Array]:
    """Rivers, lakes, the land beside them and the flood belt of some rivers."""
    random = _random(seed, 4)
    lines = [meander(frame.extent, n, random) for n in range(frame.across(14))]
    rivers = shapely.union_all(shapely.buffer(lines, 55.0, quad_segs=4))
    setback = shapely.union_all(shapely.buffer(lines, 105.0, quad_segs=2))
    random = _random(seed, 5)
    places = frame.places(random, frame.count(420))
    radii = random.uniform(140, 405, len(places))
    lakes = _dissolved(
        np.array([blob(p, r, 240, random) for p, r in zip(places, radii, strict=True)])
    )
    belt = shapely.union_all(shapely.buffer(lines[:: max(1, len(lines) // 4)], 355.0, quad_segs=8))
    return {
        "rivers": np.array([rivers]),
        "rivers_setback": np.array([setback]),
        "lakes": lakes,
        "lakes_setback": _dissolved(shapely.buffer(lakes, 30.0)),
        "flood_belt": np.array([belt]),
    }


def _heritage(frame: Frame, random: np.random.Generator) -> Array:
    points = shapely.points(frame.places(random, frame.count(205)))
    return _dissolved(shapely.buffer(points, random.uniform(80, 270, len(points)), quad_segs=16))


def _roads(frame: Frame, random: np.random.Generator) -> tuple[Array, Array]:
    """Return centre lines of 20 vertices, and the rank of each; one in ten is a short lane."""
    starts = frame.places(random, frame.count(6_000))
    steps = random.choice([72.0, 10.0], len(starts), p=[0.9, 0.1])
    rows = zip(starts, steps, strict=True)
    lines = np.array([centre_line(start, 20, step, random) for start, step in rows])
    return lines, random.choice(3, len(lines), p=[0.1, 0.3, 0.6])


def _dissolved(shapes: Array) -> Array:
    return np.asarray(shapely.get_parts(shapely.union_all(shapes)))


def _rounded(shapes: Array) -> Array:
    """Round to 1 mm as drawings are; what rounding breaks is repaired."""
    rounded = shapely.transform(shapes, lambda xy: np.round(xy, 3))
    broken = ~shapely.is_valid(rounded)
    rounded[broken] = shapely.make_valid(rounded[broken], method="structure", keep_collapsed=False)
    return np.asarray(rounded)


def _frame(name: str, shapes: Array, random: np.random.Generator) -> geopandas.GeoDataFrame:
    classes = {
        "landuse": random.choice(LANDUSE_CLASSES, len(shapes), p=[0.5, 0.1, 0.1, 0.15, 0.05, 0.1]),
        "zones": np.array([f"Z{n + 1}" for n in range(len(shapes))]),
        "heritage": random.choice(["保护范围", "建设控制地带"], len(shapes)),
    }
    own = classes.get(name, np.full(len(shapes), name))
    return geopandas.GeoDataFrame({"cls": own.astype(str)}, geometry=shapes, crs=EPSG)


# --- parcels -------------------------------------------------------------------------------------

_BLOCK = 1_000


def parcels(count: int, scale: float = 1.0, seed: int = 1) -> Array:
    """Return valid parcels; the first thousands are the same whatever the count.

    0.5-20 ha log-uniform, 5-40 vertices, 5 % with a hole, 5 % in two parts; one in a thousand has
    a spike that rounding to 1 mm has closed, and was repaired.
    """
    blocks = [_block(n, SIDE_M * scale**0.5, seed) for n in range(-(-count // _BLOCK))]
    return np.concatenate(blocks)[:count]


def _block(number: int, side: float, seed: int) -> Array:
    random = np.random.default_rng([seed, 100, number])
    margin = min(600.0, side / 8)
    centres = np.array([WEST, SOUTH]) + random.uniform(margin, side - margin, (_BLOCK, 2))
    targets = 1e4 * np.exp(random.uniform(np.log(0.5), np.log(20), _BLOCK))
    counts = random.integers(5, 41, _BLOCK)
    kinds = random.choice(4, _BLOCK, p=[0.899, 0.05, 0.05, 0.001])
    shapes = [_parcel(*row, random) for row in zip(centres, targets, counts, kinds, strict=True)]
    return np.asarray(_rounded(np.array(shapes)))


def _parcel(
    centre: Array, target_m2: float, count: int, kind: int, random: np.random.Generator
) -> shapely.Geometry:
    angles = (np.arange(count) + random.uniform(-0.4, 0.4, count)) * (2 * np.pi / count)
    xy = np.column_stack([np.cos(angles), np.sin(angles)]) * random.uniform(0.7, 1.3, (count, 1))
    x, y = xy.T
    area = float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)) / 2)
    # A hole of a quarter of the size takes a sixteenth; two parts share the area.
    factor = {1: 1 - 0.2**2, 2: 2.0}.get(kind, 1.0)
    xy = xy * (target_m2 / (area * factor)) ** 0.5
    if kind == 1:
        return shapely.Polygon(xy + centre, [xy * 0.2 + centre])
    if kind == 2:
        beside = np.array([2.8 * np.abs(xy).max() / 2, 0.0])
        return shapely.MultiPolygon([shapely.Polygon(xy + centre + s * beside) for s in (-1, 1)])
    if kind == 3:
        spike = np.vstack([xy[0], xy[0] * 1.4, xy[0] + [0.0002, 0.0003]])
        xy = np.vstack([spike, xy[1:]])
    return shapely.Polygon(xy + centre)


# --- on disk -------------------------------------------------------------------------------------


def folder_of(scale: float = 1.0, seed: int = 1) -> Path:
    """Return the plan package of a county, written when it is not there yet."""
    place = CACHE / f"v{VERSION}-{scale:g}-{seed}"
    if not (place / "plan.toml").exists():
        CACHE.mkdir(exist_ok=True)
        beside = Path(tempfile.mkdtemp(dir=CACHE))
        county_plan.write(beside, make(scale, seed).layers, EPSG)
        shutil.rmtree(place, ignore_errors=True)
        beside.rename(place)
    return place


def read(place: Path) -> dict[str, geopandas.GeoDataFrame]:
    """Return the layers of a written county by name."""
    return {n: geopandas.read_file(place / f"{n}.gpkg") for n in (*POLYGONS, "roads")}


def figures(layers: dict[str, geopandas.GeoDataFrame]) -> dict[str, dict[str, float]]:
    """Return features, vertices, vertices of the largest and km² of each layer."""
    found = {}
    for name, frame in layers.items():
        vertices = shapely.get_num_coordinates(frame.geometry.to_numpy())
        found[name] = {
            "features": len(frame),
            "vertices": int(vertices.sum()),
            "largest": int(vertices.max()),
            "km2": round(float(frame.area.sum()) / 1e6, 1),
        }
    return found


def main() -> None:
    """Write a county and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    place = folder_of(options.scale, options.seed)
    for name, row in figures(read(place)).items():
        sys.stdout.write(f"{name:16}" + "".join(f"{k} {v:>12,}  " for k, v in row.items()) + "\n")


if __name__ == "__main__":
    main()
