"""Plants one fault at a time in a clean layer as a whole: where it lies, and its files.

Each ``plant_*`` function changes the files of a package and returns what has to be found: code,
features, place and size. ``also`` are codes that follow from the fault: a parcel without geometry
leaves a gap.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import geopandas
import numpy as np
import shapely
from dirty_package import FAILED, MISFIT, WORK, Package, Planted
from pyproj import CRS, Transformer

# --- positions -----------------------------------------------------------------------------------


def middle(frame: Any) -> np.ndarray:
    west, south, east, north = frame.total_bounds
    return np.array([(west + east) / 2, (south + north) / 2])


def plant_prj(package: Package, layer: str, epsg: int | None, code: str) -> Planted:
    """Put another .prj beside the same coordinates, or none."""
    place = shapely.Point(middle(package.read(layer)))
    prj = package.file(layer, ".prj")
    if epsg is None:
        prj.unlink()
    else:
        prj.write_text(CRS.from_epsg(epsg).to_wkt("WKT1_ESRI"), encoding="ascii")
    shown = None if code in ("crs_missing", "crs_old") else place
    return Planted(layer, code, "error", (), shown, also=FAILED)


def plant_numbers(
    package: Package, layer: str, change: Callable[[np.ndarray], np.ndarray], code: str
) -> Planted:
    """Change all coordinates under the same .prj."""
    frame = package.read(layer)
    place = shapely.Point(middle(frame))
    frame["geometry"] = shapely.transform(frame.geometry.to_numpy(), change)
    package.write(layer, frame)
    return Planted(layer, code, "error", (), place, also=FAILED)


def plant_other_crs(package: Package, layer: str, epsg: int) -> Planted:
    """Bring a layer into another CRS, properly."""
    package.change(layer, lambda frame: frame.to_crs(epsg))
    also = frozenset({"rounding"})
    return Planted(layer, "crs_other", "note", (), also=also)


def plant_shift(package: Package, layer: str, move: Callable[[np.ndarray], np.ndarray]) -> Planted:
    """Displace a whole layer; ``move`` works on coordinates of the work CRS."""
    frame = package.read(layer)
    shifted = shapely.transform(frame.geometry.to_numpy(), move)
    frame["geometry"] = shifted
    package.write(layer, frame)
    here = middle(geopandas.GeoSeries(shifted))
    # Where the middle of the displaced layer came from, by fixed-point iteration.
    back = here.copy()
    for _ in range(20):
        back = back + here - move(back.reshape(1, 2))[0]
    line = shapely.LineString([here, back])
    return Planted(layer, "shifted", "error", (), line, float(line.length))


def gcj02(xy: np.ndarray) -> np.ndarray:
    """Positions as Amap draws them; the published formula, written down once more."""
    lon, lat = Transformer.from_crs(WORK, 4490, always_xy=True).transform(*xy.T)
    out = np.column_stack(_gcj(lon, lat))
    return np.column_stack(Transformer.from_crs(4490, WORK, always_xy=True).transform(*out.T))


def bd09(xy: np.ndarray) -> np.ndarray:
    """Positions as Baidu draws them."""
    lon, lat = Transformer.from_crs(WORK, 4490, always_xy=True).transform(*xy.T)
    x, y = _gcj(lon, lat)
    turn = np.pi * 3000 / 180
    z = np.sqrt(x * x + y * y) + 0.00002 * np.sin(y * turn)
    theta = np.arctan2(y, x) + 0.000003 * np.cos(x * turn)
    out = np.column_stack([z * np.cos(theta) + 0.0065, z * np.sin(theta) + 0.006])
    return np.column_stack(Transformer.from_crs(4490, WORK, always_xy=True).transform(*out.T))


def _gcj(lon: Any, lat: Any) -> tuple[Any, Any]:
    a, ee, pi = 6378245.0, 0.00669342162296594323, np.pi
    x, y = lon - 105, lat - 35
    root = np.sqrt(np.abs(x))
    d_lat = -100 + 2 * x + 3 * y + 0.2 * y**2 + 0.1 * x * y + 0.2 * root
    d_lat = d_lat + (20 * np.sin(6 * x * pi) + 20 * np.sin(2 * x * pi)) * 2 / 3
    d_lat = d_lat + (20 * np.sin(y * pi) + 40 * np.sin(y / 3 * pi)) * 2 / 3
    d_lat = d_lat + (160 * np.sin(y / 12 * pi) + 320 * np.sin(y * pi / 30)) * 2 / 3
    d_lon = 300 + x + 2 * y + 0.1 * x**2 + 0.1 * x * y + 0.1 * root
    d_lon = d_lon + (20 * np.sin(6 * x * pi) + 20 * np.sin(2 * x * pi)) * 2 / 3
    d_lon = d_lon + (20 * np.sin(x * pi) + 40 * np.sin(x / 3 * pi)) * 2 / 3
    d_lon = d_lon + (150 * np.sin(x / 12 * pi) + 300 * np.sin(x / 30 * pi)) * 2 / 3
    rad = lat / 180 * pi
    magic = 1 - ee * np.sin(rad) ** 2
    d_lat = d_lat * 180 / (a * (1 - ee) / (magic * np.sqrt(magic)) * pi)
    d_lon = d_lon * 180 / (a / np.sqrt(magic) * np.cos(rad) * pi)
    return lon + d_lon, lat + d_lat


def plant_stray(
    package: Package, layer: str, row: int, change: Callable[[np.ndarray], np.ndarray]
) -> Planted:
    """Change the coordinates of one feature so that it lies in another part of the world."""
    frame = package.read(layer)
    frame.loc[row, "geometry"] = shapely.transform(frame.geometry[row], change)
    package.write(layer, frame)
    own = str(frame.loc[row, package.field(layer, "id")])
    return Planted(layer, "coordinates_far", "error", (own,), value=1.0, also=MISFIT)


# --- files ---------------------------------------------------------------------------------------


def plant_encoding(
    package: Package, layer: str, written: str, declared: str | None, code: str
) -> Planted:
    """Write the table in one encoding and declare another one, or none."""
    package.write(layer, package.read(layer), encoding=written)
    cpg = package.file(layer, ".cpg")
    cpg.unlink(missing_ok=True)
    if declared is not None:
        cpg.write_text(declared, encoding="ascii")
    table = package.file(layer, ".dbf")
    data = bytearray(table.read_bytes())
    data[29] = 0  # the language byte says nothing
    table.write_bytes(data)
    return Planted(layer, code, "error", (), also=FAILED)


def plant_broken_text(package: Package, layer: str, row: int) -> Planted:
    """Damage one byte of a Chinese name, as a cut in the middle of a character does."""
    frame = package.read(layer)
    name = "断开的字"
    frame.loc[row, package.field(layer, "name")] = name
    package.write(layer, frame)
    table = package.file(layer, ".dbf")
    data = bytearray(table.read_bytes())
    at = data.index(name.encode())
    data[at + 1] = ord(" ")
    table.write_bytes(data)
    own = str(frame.loc[row, package.field(layer, "id")])
    place = frame.geometry[row]
    return Planted(layer, "text_undecodable", "error", (own,), place, 1.0, also=FAILED)


def plant_short_index(package: Package, layer: str, kept: int) -> Planted:
    """Cut the .shx after some records, with a header that agrees."""
    frame = package.read(layer)
    index = package.file(layer, ".shx")
    data = bytearray(index.read_bytes()[: 100 + 8 * kept])
    data[24:28] = struct.pack(">i", len(data) // 2)
    index.write_bytes(data)
    hidden = frame.iloc[kept:]
    ids = tuple(str(v) for v in hidden[package.field(layer, "id")])
    place = shapely.union_all(hidden.geometry.to_numpy())
    return Planted(layer, "record_counts", "error", ids, place, float(len(ids)), also=FAILED)
