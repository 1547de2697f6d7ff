"""A plan package on disk to plant faults in, and what is known of a planted fault.

Sizes are worked out with shapely and ``pyproj.Geod``, with nothing of the toolkit.
"""

from __future__ import annotations

import hashlib
import shutil
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
from pyproj import Geod, Transformer

WORK = 4548
GEOD = Geod(ellps="GRS80")
M2_PER = {"m2": 1.0, "mu": 10000 / 15, "ha": 1e4, "km2": 1e6}
_HEADER = """[plan]
id = "drawn"
version = "1"
title = "测试规划"
status = "schematic"
work_crs = "EPSG:4548"
accepted_crs = ["EPSG:4548"]
bounds = [115.7, 36.1, 116.3, 36.6]
"""
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


def drawn(root: Path, layers: dict[str, tuple[str, list[Any]]]) -> Package:
    """Make a package of layers given by role and shapes, in metres from a point of the plan.

    Without rules, without stated areas, and with the bounds of the plan as coverage.
    """
    root.mkdir(parents=True, exist_ok=True)
    parts, origin = [_HEADER], np.array([408_000.0, 4_030_000.0])
    for layer, (role, shapes) in layers.items():
        placed = shapely.transform(np.array(shapes), lambda xy: xy + origin)
        frame = {"BSM": [f"{n:04d}" for n in range(len(shapes))]}
        pyogrio.write_dataframe(
            geopandas.GeoDataFrame(frame, geometry=placed, crs=WORK), root / f"{layer}.shp"
        )
        kind = {0: "point", 1: "line", 2: "polygon"}[int(shapely.get_dimensions(placed[0]))]
        parts.append(
            f'[[layer]]\nid = "{layer}"\ntitle = "{layer}"\npath = "{layer}.shp"\n'
            f'role = "{role}"\ngeometry = "{kind}"\nvintage = "2026"\nstatus = "schematic"\n'
            'fields = { id = "BSM" }\n'
        )
    package = Package(root)
    package.toml = "\n".join(parts)
    return package


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
