"""A generator of dirty variants: takes a clean plan package and plants one fault at a time in it.

Each ``plant_*`` function changes the files of a package and returns what has to be found: code,
features, place and size, worked out here with shapely and ``pyproj.Geod`` and nothing of the
toolkit. ``also`` are codes that follow from the fault: a parcel without geometry leaves a gap.
"""

from __future__ import annotations

import hashlib
import shutil
import struct
import tomllib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pyogrio
import shapely
from pyproj import CRS, Geod, Transformer

WORK = 4548
GEOD = Geod(ellps="GRS80")
M2_PER = {"m2": 1.0, "mu": 10000 / 15, "ha": 1e4, "km2": 1e6}
# What a parcel that does not fit its neighbours any more also shows.
MISFIT = frozenset({"gap", "gap_sliver", "overlap", "overlap_sliver", "rounding"})
AREA = frozenset({"area_mismatch", "area_differs"})
FAILED = frozenset({"layer_failed"})


@dataclass(frozen=True)
class Planted:
    """What must be found: ``place`` in the work CRS, ``value`` within 1 %."""

    layer: str
    code: str
    severity: str = "error"
    features: tuple[str, ...] | None = None
    place: Any = None
    value: float | None = None
    also: frozenset[str] = frozenset()


class Package:
    """A plan package on disk whose layers can be read and written again."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def toml(self) -> str:
        return (self.root / "plan.toml").read_text(encoding="utf-8")

    @toml.setter
    def toml(self, text: str) -> None:
        (self.root / "plan.toml").write_text(text, encoding="utf-8")

    def entry(self, layer: str) -> dict[str, Any]:
        return next(e for e in tomllib.loads(self.toml)["layer"] if e["id"] == layer)

    def file(self, layer: str, suffix: str = ".shp") -> Path:
        return (self.root / self.entry(layer)["path"]).with_suffix(suffix)

    def field(self, layer: str, what: str) -> str:
        return self.entry(layer)["fields"][what]

    def read(self, layer: str) -> Any:
        return pyogrio.read_dataframe(self.file(layer))

    def write(self, layer: str, frame: Any, *, encoding: str = "UTF-8") -> None:
        path = self.file(layer)
        for suffix in (".shp", ".shx", ".dbf", ".prj", ".cpg"):
            path.with_suffix(suffix).unlink(missing_ok=True)
        pyogrio.write_dataframe(frame, path, encoding=encoding)

    def change(self, layer: str, edit: Callable[[Any], Any]) -> None:
        self.write(layer, edit(self.read(layer)))

    def set_shape(self, layer: str, row: int, shape: Any, *, restate: bool = True) -> str:
        """Give a feature another outline, and the area of it; return its id."""
        frame = self.read(layer)
        frame.loc[row, "geometry"] = shape
        if restate:
            frame.loc[row, self.field(layer, "area")] = round(ellipsoidal(shape), 2)
        self.write(layer, frame)
        return str(frame.loc[row, self.field(layer, "id")])


def reduced(source: Path, target: Path, layers: Collection[str]) -> Path:
    """Copy a package with some of its layers only, and without its stated figures."""
    target.mkdir(parents=True)
    shutil.copytree(source / "rules", target / "rules")
    text = (source / "plan.toml").read_text(encoding="utf-8")
    blocks = text.split("\n[[")
    kept = [blocks[0]]
    for block in blocks[1:]:
        entry = tomllib.loads("[[" + block)
        (kind, (row,)) = next(iter(entry.items()))
        if kind == "layer" and row["id"] in layers:
            kept.append(block)
            copy_layer(source / row["path"], target / row["path"])
    (target / "plan.toml").write_text("\n[[".join(kept), encoding="utf-8")
    return target


def copy_layer(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    for part in source.parent.glob(f"{source.stem}.*"):
        shutil.copyfile(part, target.parent / part.name)


def ellipsoidal(shape: Any) -> float:
    """Area on GRS 80 with edges straight in the work CRS, by pyproj.Geod."""
    to_degrees = Transformer.from_crs(WORK, 4490, always_xy=True)
    dense = shapely.segmentize(shapely.orient_polygons(shape), 10.0)
    degrees = shapely.transform(
        dense, lambda xy: np.column_stack(to_degrees.transform(xy[:, 0], xy[:, 1]))
    )
    return abs(GEOD.geometry_area_perimeter(degrees)[0])


# --- places to plant a fault ---------------------------------------------------------------------


Edge = tuple[int, int, np.ndarray, np.ndarray]
_SEEN: dict[bytes, list[Edge]] = {}


def shared_edges(frame: Any) -> list[Edge]:
    """Return (row, neighbour, start, end) of the edges over 60 m that two parcels share."""
    key = hashlib.sha256(b"".join(shapely.to_wkb(frame.geometry.to_numpy()))).digest()
    if key not in _SEEN:
        _SEEN[key] = list(_shared_edges(frame))
    return _SEEN[key]


def _shared_edges(frame: Any) -> Iterator[Edge]:
    for row in range(len(frame)):
        shape = frame.geometry[row]
        if shape.geom_type != "Polygon":
            continue
        xy = shapely.get_coordinates(shapely.orient_polygons(shape).exterior)
        for start, end in pairwise(xy):
            if np.hypot(*(end - start)) < 60.0:
                continue
            middle = shapely.Point((start + end) / 2)
            near = [r for r in frame.sindex.query(middle.buffer(0.5)) if r != row]
            own = [r for r in near if frame.geometry[r].distance(middle) < 1e-3]
            if len(own) == 1 and frame.geometry[own[0]].geom_type == "Polygon":
                yield row, own[0], start, end


def beside(start: np.ndarray, end: np.ndarray, depth: float, *, inward: bool) -> Any:
    """Rectangle on the middle half of an edge of a counter-clockwise ring, to one side of it."""
    along = (end - start) / np.hypot(*(end - start))
    across = np.array([-along[1], along[0]]) * (1 if inward else -1)
    a, b = start + (end - start) * 0.25, start + (end - start) * 0.75
    return shapely.Polygon([a, b, b + across * depth, a + across * depth])


def edge(
    package: Package, layer: str, number: int, depth: float, *, inward: bool
) -> tuple[int, int, Any]:
    """Return row, neighbour and rectangle at the ``number``-th edge where it fits."""
    frame = package.read(layer)
    found = 0
    for row, other, start, end in shared_edges(frame):
        strip = beside(start, end, depth, inward=inward)
        room = frame.geometry[row] if inward else frame.geometry[other]
        if room.buffer(1e-6).covers(strip) and room.area > 4 * strip.area:
            if found == number:
                return row, other, strip
            found += 1
    raise LookupError("no such edge")


# --- gaps, overlaps, slivers ---------------------------------------------------------------------


def plant_gap(package: Package, layer: str, number: int, width: float) -> Planted:
    """Take a strip off a parcel along an edge, so that nobody has it."""
    row, other, strip = edge(package, layer, number, width, inward=True)
    frame = package.read(layer)
    shape = frame.geometry[row].difference(strip)
    own = package.set_shape(layer, row, shape)
    ids = (own, str(frame.loc[other, package.field(layer, "id")]))
    is_sliver = width < 0.1
    return Planted(
        layer,
        "gap_sliver" if is_sliver else "gap",
        "warning" if is_sliver else "error",
        ids,
        strip,
        ellipsoidal(strip),
    )


def plant_overlap(package: Package, layer: str, number: int, width: float) -> Planted:
    """Draw a parcel over the edge of its neighbour."""
    row, other, strip = edge(package, layer, number, width, inward=False)
    frame = package.read(layer)
    shape = frame.geometry[row].union(strip)
    own = package.set_shape(layer, row, shape)
    ids = (own, str(frame.loc[other, package.field(layer, "id")]))
    is_sliver = width < 0.1
    return Planted(
        layer,
        "overlap_sliver" if is_sliver else "overlap",
        "warning" if is_sliver else "error",
        ids,
        strip,
        ellipsoidal(strip),
    )


def plant_hole(package: Package, layer: str, row: int, size: float) -> Planted:
    """Cut a square out of the middle of a parcel."""
    frame = package.read(layer)
    x, y = frame.geometry[row].representative_point().coords[0]
    hole = shapely.box(x - size / 2, y - size / 2, x + size / 2, y + size / 2)
    assert frame.geometry[row].covers(hole)
    own = package.set_shape(layer, row, frame.geometry[row].difference(hole))
    return Planted(layer, "gap", "error", (own,), hole, ellipsoidal(hole))


def plant_lost_parcel(package: Package, layer: str, row: int) -> Planted:
    """Delete a parcel."""
    frame = package.read(layer)
    lost = frame.geometry[row]
    package.write(layer, frame.drop(index=row).reset_index(drop=True))
    return Planted(layer, "gap", "error", None, lost, ellipsoidal(lost))


def plant_sliver_feature(package: Package, layer: str, number: int, width: float) -> Planted:
    """Make a strip of a parcel a feature of its own."""
    row, _, strip = edge(package, layer, number, width, inward=True)
    package.set_shape(layer, row, package.read(layer).geometry[row].difference(strip))
    frame = package.read(layer)
    extra = frame.iloc[[row]].copy()
    extra["geometry"] = [strip]
    extra[package.field(layer, "id")] = ["SLIVER1"]
    extra[package.field(layer, "area")] = [round(ellipsoidal(strip), 2)]
    joined = geopandas.pd.concat([frame, extra], ignore_index=True)
    package.write(layer, geopandas.GeoDataFrame(joined, crs=frame.crs))
    return Planted(layer, "sliver_feature", "warning", ("SLIVER1",), strip, ellipsoidal(strip))


def plant_outside(
    package: Package, layer: str, coverage: str, number: int, depth: float
) -> Planted:
    """Draw a feature over the border of the coverage."""
    frame, border = package.read(layer), package.read(coverage).geometry[0]
    found = 0
    for row in range(len(frame)):
        shape = frame.geometry[row]
        if shape.geom_type != "Polygon":
            continue
        xy = shapely.get_coordinates(shapely.orient_polygons(shape).exterior)
        for start, end in pairwise(xy):
            strip = beside(start, end, depth, inward=False)
            middle = shapely.Point((start + end) / 2)
            if np.hypot(*(end - start)) < 60 or border.boundary.distance(middle) > 1e-3:
                continue
            if border.intersection(strip).area > 1e-6:
                continue
            if found == number:
                own = package.set_shape(layer, row, shape.union(strip))
                is_sliver = depth < 0.1
                return Planted(
                    layer,
                    "outside_sliver" if is_sliver else "outside_coverage",
                    "warning",
                    (own,),
                    strip,
                    ellipsoidal(strip),
                )
            found += 1
    raise LookupError("no such edge")


def plant_duplicate(package: Package, layer: str, row: int) -> Planted:
    """Repeat a feature under another id."""
    frame = package.read(layer)
    extra = frame.iloc[[row]].copy()
    extra[package.field(layer, "id")] = ["TWICE1"]
    joined = geopandas.pd.concat([frame, extra], ignore_index=True)
    package.write(layer, geopandas.GeoDataFrame(joined, crs=frame.crs))
    shape = frame.geometry[row]
    is_polygon = package.entry(layer)["geometry"] == "polygon"
    partition = package.entry(layer)["role"] in ("landuse", "planned_use", "zone", "district")
    return Planted(
        layer,
        "geometry_duplicate",
        "error" if partition else "warning",
        (str(frame.loc[row, package.field(layer, "id")]), "TWICE1"),
        shape,
        ellipsoidal(shape) if is_polygon else float(shape.length),
    )


# --- geometries ----------------------------------------------------------------------------------


def plant_bow_tie(package: Package, layer: str, number: int, size: float) -> Planted:
    """Let the outline of a parcel cross itself on one of its edges."""
    frame = package.read(layer)
    long = [e for e in shared_edges(frame) if frame.geometry[e[0]].area > 5000]
    row, _, start, end = long[number]
    along = (end - start) / np.hypot(*(end - start))
    across = np.array([-along[1], along[0]])
    middle = (start + end) / 2
    ring = shapely.get_coordinates(shapely.orient_polygons(frame.geometry[row]).exterior)
    at = int(np.flatnonzero((ring[:-1] == start).all(axis=1))[0])
    loop = [
        middle - along * 2 * size,
        middle + along * size + across * size,
        middle - along * size + across * size,
        middle + along * 2 * size,
    ]
    crossed = shapely.Polygon(
        np.vstack([ring[: at + 1], loop, ring[at + 1 :]]), frame.geometry[row].interiors
    )
    own = package.set_shape(layer, row, crossed, restate=False)
    # From (-2s, 0) to (s, s) and from (-s, s) to (2s, 0): the two meet at (0, 2s / 3).
    place = shapely.Point(middle + across * size * 2 / 3)
    return Planted(layer, "geometry_invalid", "error", (own,), place, also=MISFIT | AREA | FAILED)


def plant_null_geometry(package: Package, layer: str, row: int) -> Planted:
    frame = package.read(layer)
    own = str(frame.loc[row, package.field(layer, "id")])
    frame.loc[row, "geometry"] = None
    package.write(layer, frame)
    return Planted(layer, "geometry_missing", "error", (own,), value=1.0, also=MISFIT | FAILED)


def plant_zero_length(package: Package, layer: str, row: int) -> Planted:
    frame = package.read(layer)
    x, y = frame.geometry[row].interpolate(0.5, normalized=True).coords[0]
    own = str(frame.loc[row, package.field(layer, "id")])
    frame.loc[row, "geometry"] = shapely.LineString([(x, y), (x, y)])
    package.write(layer, frame)
    return Planted(layer, "zero_length", "error", (own,), shapely.Point(x, y), 1.0)


# --- attributes ----------------------------------------------------------------------------------


def plant_value(
    package: Package, layer: str, what: str, row: int, value: Any, code: str, severity: str
) -> Planted:
    """Write a value into one of the key fields of a feature."""
    frame = package.read(layer)
    field = package.field(layer, what)
    frame[field] = frame[field].astype(object)
    frame.loc[row, field] = value
    package.write(layer, frame)
    own = str(frame.loc[row, package.field(layer, "id")])
    return Planted(layer, code, severity, (own,), frame.geometry[row], 1.0)


def plant_duplicate_id(package: Package, layer: str, row: int, other: int) -> Planted:
    frame = package.read(layer)
    field = package.field(layer, "id")
    own = str(frame.loc[row, field])
    frame.loc[other, field] = own
    package.write(layer, frame)
    place = shapely.union_all([frame.geometry[row], frame.geometry[other]])
    return Planted(layer, "id_duplicate", "error", (own,), place, 2.0, also=FAILED)


def plant_lost_field(package: Package, layer: str, what: str) -> Planted:
    field = package.field(layer, what)
    package.change(layer, lambda frame: frame.drop(columns=field))
    return Planted(
        layer, "field_missing", "error", (), also=FAILED if what != "area" else frozenset()
    )


# --- stated areas --------------------------------------------------------------------------------


def plant_area(
    package: Package, layer: str, rows: Collection[int], factor: float, decimals: int
) -> Planted:
    """Multiply stated areas: 15 / 10000 is mu for m², 1e-4 hectares."""
    frame = package.read(layer)
    field = package.field(layer, "area")
    for row in rows:
        frame.loc[row, field] = round(frame.loc[row, field] * factor, decimals)
    package.write(layer, frame)
    ids = tuple(str(frame.loc[row, package.field(layer, "id")]) for row in rows)
    place = shapely.union_all([frame.geometry[row] for row in rows])
    return Planted(layer, "area_unit", "error", ids, place, factor)


def plant_area_off(package: Package, layer: str, row: int, share: float) -> Planted:
    """State an area that is wrong by a share."""
    frame = package.read(layer)
    field = package.field(layer, "area")
    true = frame.loc[row, field]
    frame.loc[row, field] = round(true * (1 + share), 2)
    package.write(layer, frame)
    own = str(frame.loc[row, package.field(layer, "id")])
    is_large = abs(share) > 0.01
    return Planted(
        layer,
        "area_mismatch" if is_large else "area_differs",
        "error" if is_large else "warning",
        (own,),
        frame.geometry[row],
        true * share,
    )


def plant_planar(package: Package, layer: str) -> Planted:
    """State planar areas in the whole layer."""
    frame = package.read(layer)
    field, ids = package.field(layer, "area"), package.field(layer, "id")
    true = frame[field].to_numpy()
    frame[field] = frame.geometry.area.round(2)
    package.write(layer, frame)
    excess = frame[field].to_numpy() - true
    off = np.abs(excess) > 1.0
    return Planted(
        layer, "area_planar", "note", tuple(frame[ids][off]), None, float(excess[off].sum())
    )


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
