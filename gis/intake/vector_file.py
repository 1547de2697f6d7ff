"""Zipped shapefile: which sites does it hold, in which CRS and encoding?

The zip is checked and unpacked by :mod:`gis.intake.archive`, GDAL reads in the child process of
:mod:`gis.intake.sandbox`. What is missing is restored with a warning (.shx, .dbf) or decided from
the coordinates (.prj); what is damaged is refused, so that no feature is lost without a word.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError as ProjCrsError
from shapely.geometry.base import BaseGeometry

from gis.crs import CrsPolicy, crs_of, refuse_old_crs, refuse_old_datum
from gis.errors import CrsError, FormatError, LimitError
from gis.intake.archive import PackedLayer, unpack_shapefiles
from gis.intake.draft import (
    MAX_BYTES,
    Declared,
    Document,
    Draft,
    Faults,
    Ring,
    Shape,
    ShapeKind,
    check_features,
    clean_text,
)
from gis.intake.encoding import table_codec
from gis.intake.sandbox import DEADLINE_S, LayerRows, read_shapefile
from gis.intake.statements import read_properties
from gis.model import Remark

SHP_MAGIC = b"\x00\x00\x27\x0a"
_HEADER_BYTES = 100
MAX_LAYERS = 20


def read_zipped_shapefile(data: bytes, policy: CrsPolicy, *, ignore_prj: bool = False) -> Document:
    """Return the sites of a zip with one or more shapefiles.

    Parameters
    ----------
    data
        The zip.
    policy
        Its accepted codes name what a ``.prj`` without a code may mean.
    ignore_prj
        The user names the CRS, so an unreadable ``.prj`` does not matter.

    Raises
    ------
    FormatError, LimitError
        Unsafe or damaged.
    CrsError
        A ``.prj`` that is not understood, or layers in different CRS.
    """
    return read_layers(unpack_shapefiles(data), policy, ignore_prj=ignore_prj)


def read_loose_shapefile(path: Path, shp: bytes) -> PackedLayer:
    """Return a shapefile on disk, its files found beside it by name without regard to case."""
    members = {"shp": shp}
    for other in path.parent.iterdir():
        suffix = other.suffix.lower().lstrip(".")
        if other.stem.lower() != path.stem.lower() or suffix not in ("shx", "dbf", "prj", "cpg"):
            continue
        if other.is_file() and other.stat().st_size <= MAX_BYTES:
            members[suffix] = other.read_bytes()
    return PackedLayer(clean_text(path.stem)[0], members)


def read_layers(
    layers: Sequence[PackedLayer], policy: CrsPolicy, *, ignore_prj: bool = False
) -> Document:
    """Return the sites of unpacked shapefiles; see :func:`read_zipped_shapefile`."""
    if len(layers) > MAX_LAYERS:
        raise LimitError(f"压缩包内有 {len(layers)} 个图层", expected=f"不超过 {MAX_LAYERS} 个")
    said = [] if ignore_prj else [_declared(layer, policy) for layer in layers]
    declared = {found for found in said if found is not None}
    if len(declared) > 1:
        raise CrsError(
            "压缩包内各图层的坐标系不同", expected="同一坐标系", advice="每个图层单独提交"
        )
    drafts: list[Draft] = []
    notes: list[Remark] = []
    deadline = time.monotonic() + DEADLINE_S
    for layer in layers:
        drafts += _layer_drafts(layer, notes, several=len(layers) > 1, deadline=deadline)
        check_features(len(drafts))
    return Document(
        "shapefile",
        tuple(drafts),
        declared=next(iter(declared), None),
        clockwise_is_usual=True,
        notes=tuple(dict.fromkeys(notes)),
    )


def _layer_drafts(
    layer: PackedLayer, notes: list[Remark], *, several: bool, deadline: float
) -> list[Draft]:
    _check_header(layer)
    warnings = tuple(
        Remark(code, f"{layer.name} {text}")
        for suffix, code, text in (
            ("shx", "shx_restored", "缺少 .shx，已由 .shp 重建"),
            ("dbf", "dbf_missing", "缺少 .dbf，没有属性"),
        )
        if suffix not in layer.members
    )
    members = {k: v for k, v in layer.members.items() if k in ("shp", "shx", "dbf")}
    found = read_shapefile(members, deadline_s=max(deadline - time.monotonic(), 0.1))
    _refuse_missing(found, layer)
    _refuse_lost(found, layer)
    decode = _decoder(found, layer, notes)
    drafts = []
    for i, (wkb, row) in enumerate(zip(found.wkb, found.rows, strict=True), start=1):
        where = f"{layer.name} 第 {i} 个要素"
        pairs = zip(found.fields, row, strict=True) if row else ()
        said = read_properties({decode(k): decode(v) for k, v in pairs}, where=where)
        default = layer.name if len(found.wkb) == 1 else f"{layer.name} {i}"
        name = f"{layer.name}／{said.name}" if several and said.name else said.name or default
        shape = shape_of(from_wkb(wkb), where)
        drafts.append(Draft(name, shape, said.use, said.claims, warnings=warnings + said.warnings))
    return drafts


def _check_header(layer: PackedLayer) -> None:
    """Compare the length with that in the header: a shorter file has lost features."""
    shp = layer.members["shp"]
    if len(shp) < _HEADER_BYTES or not shp.startswith(SHP_MAGIC):
        raise FormatError(f"{layer.name}.shp 的内容不是 Shapefile", expected="真正的 .shp 文件")
    stated = struct.unpack(">i", shp[24:28])[0] * 2
    if stated > len(shp):
        raise FormatError(
            f"{layer.name}.shp 不完整（应有 {stated} 字节，只有 {len(shp)} 字节）",
            advice="重新复制或导出",
        )


def _refuse_missing(found: LayerRows, layer: PackedLayer) -> None:
    faults = Faults()
    for i, wkb in enumerate(found.wkb, start=1):
        if wkb is None:
            faults.add(f"{layer.name} 第 {i} 个要素", "没有图形")
    if faults:
        raise faults.error(FormatError, "Shapefile 有空图形或已损坏", advice="删除空要素后再导出")
    if not found.wkb:
        raise FormatError(f"{layer.name} 中没有要素", expected="至少一个面")


def _refuse_lost(found: LayerRows, layer: PackedLayer) -> None:
    """Compare what GDAL found with the records of the file: a damaged .shx or .dbf hides some."""
    stated = _record_count(layer.members["shp"])
    if stated is not None and len(found.wkb) < stated - _deleted_rows(layer.members.get("dbf")):
        raise FormatError(
            f"{layer.name}.shp 中有 {stated} 个图形，只能读出 {len(found.wkb)} 个",
            expected=".shp、.shx、.dbf 三个文件一致",
            advice="重新导出后再提交",
        )


def _record_count(shp: bytes) -> int | None:
    """Return the number of records, or None when they do not follow each other without a gap."""
    at, count = _HEADER_BYTES, 0
    while at + 8 <= len(shp):
        number, words = struct.unpack(">ii", shp[at : at + 8])
        count += 1
        if number != count or words < 2:
            return None
        at += 8 + words * 2
    return count if at == len(shp) else None


def _deleted_rows(dbf: bytes | None) -> int:
    """Return how many rows of the table are marked as deleted; GDAL leaves their features out."""
    if dbf is None or len(dbf) < 32:
        return 0
    rows, head, width = struct.unpack("<IHH", dbf[4:12])
    return dbf[head : head + rows * width : width].count(b"*") if width else 0


def _decoder(found: LayerRows, layer: PackedLayer, notes: list[Remark]) -> Callable[[Any], Any]:
    """Return a function that turns one-character-per-byte text into what the bytes mean."""
    texts = [
        text.encode("latin-1")
        for text in [*found.fields, *(v for row in found.rows for v in row if isinstance(v, str))]
    ]
    if all(text.isascii() for text in texts):
        return lambda value: value
    cpg = layer.members.get("cpg")
    codec, note = table_codec(texts, cpg.decode("ascii", "ignore") if cpg else None)
    notes.append(note)
    return lambda value: value.encode("latin-1").decode(codec) if isinstance(value, str) else value


# --- CRS ------------------------------------------------------------------------------------------


def _declared(layer: PackedLayer, policy: CrsPolicy) -> Declared | None:
    """Return what the ``.prj`` says; None when there is none."""
    raw = layer.members.get("prj")
    if raw is None or not raw.strip(b"\x00 \r\n\t"):
        return None
    text = raw.decode("utf-8", "replace").lstrip("\ufeff").strip()
    refuse_old_datum(text[:200])
    try:
        crs = CRS.from_wkt(text[:20_000])
    except ProjCrsError:
        raise CrsError(
            f"{layer.name}.prj 无法理解", advice="重新导出，或用 crs=EPSG 代码 指定"
        ) from None
    refuse_old_crs(crs)
    code = crs.to_epsg(min_confidence=70) or _same_parameters(crs, policy)
    if code is None:
        raise CrsError(
            f"{layer.name}.prj 的坐标系“{crs.name[:60]}”没有对应的 EPSG 代码",
            expected="、".join(f"EPSG:{c}" for c in policy.accepted),
            advice="转换到可接受的坐标系，或用 crs=EPSG 代码 指定",
        )
    return Declared((code,), f"{crs.name[:60]}（EPSG:{code}）")


def _same_parameters(crs: CRS, policy: CrsPolicy) -> int | None:
    """Return the accepted code with the same datum and projection parameters, whatever its name."""
    for code in policy.accepted:
        other = crs_of(code)
        if (
            crs.is_projected == other.is_projected
            and crs.ellipsoid == other.ellipsoid
            and "2000" in str(crs.datum and crs.datum.name)
            and _parameters(crs) == _parameters(other)
        ):
            return code
    return None


def _parameters(crs: CRS) -> Mapping[str, float]:
    operation = crs.coordinate_operation
    return {p.name.lower(): round(float(p.value), 9) for p in operation.params} if operation else {}


# --- geometry -------------------------------------------------------------------------------------


def shape_of(geometry: BaseGeometry, where: str) -> Shape:
    """Return a shapely geometry as plain rings."""
    parts = [g for g in getattr(geometry, "geoms", [geometry]) if not g.is_empty]
    kinds = {g.geom_type for g in parts}
    flags = {"has_z": bool(geometry.has_z), "has_m": bool(getattr(geometry, "has_m", False))}
    if kinds == {"Polygon"}:
        rings = [
            tuple(
                _ring(r, f"{where}第 {p} 个面第 {n} 环")
                for n, r in enumerate([part.exterior, *part.interiors], start=1)
            )
            for p, part in enumerate(parts, start=1)
        ]
        return Shape(ShapeKind.AREA, where, tuple(rings), **flags)
    if kinds == {"LineString"}:
        lines = [(_ring(g, f"{where}第 {n} 条线"),) for n, g in enumerate(parts, start=1)]
        return Shape(ShapeKind.LINE, where, tuple(lines), **flags)
    return Shape(ShapeKind.EMPTY if not parts else ShapeKind.POINT, where)


def from_wkb(wkb: bytes | None) -> BaseGeometry:
    """Return the geometry that the child wrote down."""
    geometry = shapely.from_wkb(wkb, on_invalid="ignore")
    return shapely.GeometryCollection() if geometry is None else geometry


def _ring(line: BaseGeometry, where: str) -> Ring:
    return Ring(shapely.get_coordinates(line), lambda i: f"{where}第 {i + 1} 点")
