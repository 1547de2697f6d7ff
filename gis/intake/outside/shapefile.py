"""Which sites does a shapefile hold, in which CRS and encoding?

GDAL reads in the child process of :mod:`gis.intake.outside.sandbox`. What is missing is restored
with a warning (.shx, .dbf) or decided from the coordinates (.prj); what is damaged is refused, so
that no feature is lost without a word.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from gis.errors import FormatError
from gis.intake.draft import MAX_BYTES, Declared, Document, Hints, clean_text
from gis.intake.encoding import OVERRULED, table_codec
from gis.intake.outside.answer import MAX_LAYERS, LayerRows, Task
from gis.intake.outside.archive import SHAPEFILE_PARTS, PackedLayer
from gis.intake.outside.features import Decode, Gathering, Layer, check_layers, declared_crs
from gis.intake.outside.sandbox import deadline_from_now, read_in_child
from gis.model import Remark

SHP_MAGIC = b"\x00\x00\x27\x0a"
_HEADER_BYTES = 100
_GIVEN = ("shp", "shx", "dbf")
_MISSING = (
    ("shx", "shx_restored", "缺少 .shx，已由 .shp 重建"),
    ("dbf", "dbf_missing", "缺少 .dbf，没有属性"),
)
_TASK = Task(
    "Shapefile",
    "layer.shp",
    driver="ESRI Shapefile",
    # One character per byte: what the bytes mean is decided here.
    encoding="ISO-8859-1",
    options={"SHAPE_RESTORE_SHX": "YES"},
    refusals={"driver": ("内容不是 Shapefile", "由 .shp/.shx/.dbf 组成的 Shapefile", "")},
)


def loose_shapefile(path: Path, shp: bytes) -> PackedLayer:
    """Return a shapefile on disk, its files found beside it by name without regard to case."""
    members = {"shp": shp}
    for other in path.parent.iterdir():
        suffix = other.suffix.lower().lstrip(".")
        if other.stem.lower() != path.stem.lower() or suffix not in SHAPEFILE_PARTS[1:]:
            continue
        if other.is_file() and other.stat().st_size <= MAX_BYTES:
            members[suffix] = other.read_bytes()
    return PackedLayer(clean_text(path.stem)[0], members)


def read_shapefiles(packed: Sequence[PackedLayer], hints: Hints) -> Document:
    """Return the sites of one or more shapefiles.

    Parameters
    ----------
    packed
        The files of each, by suffix.
    hints
        The policy of the plan, and what the user knows about CRS and encoding.

    Raises
    ------
    FormatError, LimitError
        Damaged, or larger than the limits.
    CrsError
        A ``.prj`` that is not understood, or an old datum.
    """
    check_layers(len(packed), MAX_LAYERS)
    # Each layer has its own; one without .prj does not take that of its neighbours.
    said = [declared_crs(_prj(one), f"{one.name}.prj", hints) for one in packed]
    if hints.deadline is None:
        hints = replace(hints, deadline=deadline_from_now())
    gathering = Gathering(several=len(packed) > 1)
    told: list[Remark] = []
    for one, declared in zip(packed, said, strict=True):
        gathering.add(_layer(one, declared, hints, told))
    return gathering.document(
        "shapefile",
        notes=[remark for remark in told if remark.code != OVERRULED],
        warnings=[remark for remark in told if remark.code == OVERRULED],
    )


def _prj(packed: PackedLayer) -> str:
    return packed.members.get("prj", b"").decode("utf-8", "replace")


def _layer(
    packed: PackedLayer, declared: Declared | None, hints: Hints, told: list[Remark]
) -> Layer:
    _check_header(packed)
    files = {f"layer.{k}": packed.members[k] for k in _GIVEN if k in packed.members}
    (rows,) = read_in_child(files, _TASK, deadline=hints.deadline)
    if not rows.wkb and not rows.points:
        raise FormatError(f"{packed.name} 中没有要素", expected="至少一个面")
    _refuse_lost(rows, packed)
    warnings = tuple(
        Remark(code, f"{packed.name} {text}")
        for suffix, code, text in _MISSING
        if suffix not in packed.members
    )
    decode = _decoder(rows, packed, hints, told)
    return Layer(packed.name, rows, decode, declared, warnings)


def _check_header(packed: PackedLayer) -> None:
    """Compare the length with that in the header: a shorter file has lost features."""
    shp = packed.members["shp"]
    if len(shp) < _HEADER_BYTES or not shp.startswith(SHP_MAGIC):
        raise FormatError(f"{packed.name}.shp 的内容不是 Shapefile", expected="真正的 .shp 文件")
    stated = struct.unpack(">i", shp[24:28])[0] * 2
    if stated > len(shp):
        raise FormatError(
            f"{packed.name}.shp 不完整（应有 {stated} 字节，只有 {len(shp)} 字节）",
            advice="重新复制或导出",
        )


def _refuse_lost(rows: LayerRows, packed: PackedLayer) -> None:
    """Compare what GDAL found with the records of the file: a damaged .shx or .dbf hides some."""
    stated = _record_count(packed.members["shp"])
    found = len(rows.wkb) + rows.points
    if stated is not None and found < stated - _deleted_rows(packed.members.get("dbf")):
        raise FormatError(
            f"{packed.name}.shp 中有 {stated} 个图形，只能读出 {found} 个",
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


def _decoder(rows: LayerRows, packed: PackedLayer, hints: Hints, told: list[Remark]) -> Decode:
    """Return a function that turns one-character-per-byte text into what the bytes mean."""
    texts = [
        text.encode("latin-1")
        for text in [*rows.fields, *(v for row in rows.rows for v in row if isinstance(v, str))]
    ]
    if all(text.isascii() for text in texts) and hints.encoding is None:
        return lambda value: value
    cpg = packed.members.get("cpg")
    codec, remark = table_codec(
        texts, cpg.decode("ascii", "ignore") if cpg else None, hints.encoding
    )
    told.append(remark)
    return lambda value: value.encode("latin-1").decode(codec) if isinstance(value, str) else value
