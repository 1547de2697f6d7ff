"""Write shapefiles, byte for byte the same on every run and machine.

A library writes the day of the run into the .dbf header and chooses field widths by content. The
widths here follow the plan-database tables (BSM Text 18, areas with two decimals), the header date
is a constant, coordinates lie on the millimetre grid.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely
from frame import EPSG
from pyproj import CRS
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

DATE = bytes([126, 11, 22])  # years since 1900, month, day: the as-of day of the bundled plan
SHAPE = {"polygon": 5, "line": 3}


@dataclass(frozen=True)
class Field:
    """One attribute column; ``width`` counts bytes, ``decimals`` None means text."""

    name: str
    width: int
    decimals: int | None = None


def write_shapefile(
    stem: Path,
    geometry: str,
    fields: Sequence[Field],
    rows: Sequence[Sequence[object]],
    shapes: Sequence[BaseGeometry],
    *,
    encoding: str = "utf-8",
) -> list[Path]:
    """Write stem.shp, .shx, .dbf, .prj and, for UTF-8 only, .cpg; return the files."""
    main, index = _geometry_files(SHAPE[geometry], shapes)
    files = {
        ".shp": main,
        ".shx": index,
        ".dbf": _table(fields, rows, encoding),
        ".prj": CRS.from_epsg(EPSG).to_wkt("WKT1_ESRI").encode("ascii"),
    }
    if encoding == "utf-8":
        files[".cpg"] = b"UTF-8"
    stem.parent.mkdir(parents=True, exist_ok=True)
    for suffix, content in files.items():
        stem.with_suffix(suffix).write_bytes(content)
    return [stem.with_suffix(suffix) for suffix in files]


def _geometry_files(kind: int, shapes: Sequence[BaseGeometry]) -> tuple[bytes, bytes]:
    body, index, offset = [], [], 50
    for number, shape in enumerate(shapes, start=1):
        content = _record(kind, shape)
        words = len(content) // 2
        body.append(struct.pack(">ii", number, words) + content)
        index.append(struct.pack(">ii", offset, words))
        offset += words + 4
    # A layer without features has no extent; the format then asks for zeros.
    bounds = shapely.total_bounds(np.array(shapes, dtype=object)) if shapes else np.zeros(4)
    return (
        _header(kind, offset, bounds) + b"".join(body),
        _header(kind, 50 + 4 * len(shapes), bounds) + b"".join(index),
    )


def _header(kind: int, words: int, bounds: np.ndarray) -> bytes:
    start = struct.pack(">7i", 9994, 0, 0, 0, 0, 0, words)
    return (
        start
        + struct.pack("<2i", 1000, kind)
        + struct.pack("<8d", *np.round(bounds, 3), 0, 0, 0, 0)
    )


def _record(kind: int, shape: BaseGeometry) -> bytes:
    rings = (
        _rings(shape)
        if kind == 5
        else [shapely.get_coordinates(part) for part in shapely.get_parts(shape)]
    )
    starts = np.cumsum([0, *[len(ring) for ring in rings[:-1]]]).astype("<i4")
    xy = np.round(np.vstack(rings), 3).astype("<f8")
    head = (
        struct.pack("<i", kind)
        + np.concatenate([xy.min(axis=0), xy.max(axis=0)]).astype("<f8").tobytes()
    )
    return head + struct.pack("<2i", len(rings), len(xy)) + starts.tobytes() + xy.tobytes()


def _rings(shape: BaseGeometry) -> list[np.ndarray]:
    """Return outer rings clockwise and holes counter-clockwise, as the format asks."""
    out = []
    for part in shapely.get_parts(shape):
        part = shapely.orient_polygons(part, exterior_cw=True)
        if not isinstance(part, Polygon):
            raise TypeError(f"not a polygon: {part.geom_type}")
        out += [shapely.get_coordinates(ring) for ring in (part.exterior, *part.interiors)]
    return out


def _table(fields: Sequence[Field], rows: Sequence[Sequence[object]], encoding: str) -> bytes:
    size = 1 + sum(field.width for field in fields)
    head = struct.pack(
        "<B3sIHH17sBH", 3, DATE, len(rows), 33 + 32 * len(fields), size, bytes(17), 0, 0
    )
    columns = b"".join(
        struct.pack(
            "<11sc4xBB14x",
            f.name.encode("ascii"),
            b"C" if f.decimals is None else b"N",
            f.width,
            f.decimals or 0,
        )
        for f in fields
    )
    body = b"".join(
        b" " + b"".join(_cell(f, v, encoding) for f, v in zip(fields, row, strict=True))
        for row in rows
    )
    return head + columns + b"\r" + body + b"\x1a"


def _cell(field: Field, value: object, encoding: str) -> bytes:
    if field.decimals is None:
        text = str(value).encode(encoding)
        if len(text) > field.width:
            raise ValueError(f"{field.name}: {value} is longer than {field.width} bytes")
        return text.ljust(field.width)
    if value is None:  # not published, which is not zero
        return b" " * field.width
    return f"{float(str(value)):.{field.decimals}f}".encode("ascii").rjust(field.width)
