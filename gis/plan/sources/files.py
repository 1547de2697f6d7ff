"""How is a layer read from a file of the plan package? By GDAL, all records or none.

Files of a plan package are trusted (the bureau's own); uploads go through ``gis.intake``.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pyogrio.raw
import shapely

from gis.plan.sources.stored import LayerAbsentError, LayerUnusableError, Stored, crs_from


def read_file(path: Path, encoding: str | None, *, shown: str) -> Stored:
    """Return the features of a file.

    Parameters
    ----------
    path
        Any vector format that GDAL reads.
    encoding
        Of an attribute table that does not say so itself.
    shown
        The name of the file in messages.

    Raises
    ------
    LayerAbsentError
        No such file.
    LayerUnusableError
        The file cannot be read, holds no geometry, or the parts of a shapefile disagree.
    """
    if not path.exists():
        raise LayerAbsentError(f"数据文件不存在：{shown}")
    stored = _read(path, encoding)
    if path.suffix.lower() == ".shp":
        _all_records_read(path, len(stored))
    return stored


def _read(path: Path, encoding: str | None) -> Stored:
    # Arrays, not frames: with some dozens of layers, half the time of opening a plan.
    try:
        meta, _, wkb, columns = pyogrio.raw.read(path, encoding=encoding)
        shapes = None if wkb is None else np.asarray(shapely.from_wkb(wkb), dtype=object)
        crs = crs_from(meta["crs"]) if meta["crs"] else None
    except Exception as problem:
        # GDAL reports a damaged file in many ways; every one of them means the same here.
        raise LayerUnusableError(f"读取失败（{type(problem).__name__}）") from None
    if shapes is None:
        raise LayerUnusableError("没有图形")
    fields = dict(zip(meta["fields"].tolist(), columns, strict=True))
    return Stored(fields, shapes, crs, tuple(fields))


def part_beside(path: Path, suffix: str) -> Path:
    """Return the path of another file of a shapefile; Windows often writes suffixes in capitals."""
    wanted = path.with_suffix(suffix)
    capital = path.with_suffix(suffix.upper())
    return capital if capital.exists() and not wanted.exists() else wanted


def _records_of(table: Path) -> int:
    """Return the number of records that the head of a dBase table states."""
    head = table.read_bytes()[:8]
    if len(head) < 8:
        raise LayerUnusableError("属性文件（.dbf）不完整")
    return int(struct.unpack("<I", head[4:8])[0])


def _all_records_read(path: Path, read: int) -> None:
    """Refuse a shapefile whose parts disagree: a short .shx or .dbf silently hides features."""
    table = part_beside(path, ".dbf")
    counts = {(part_beside(path, ".shx").stat().st_size - 100) // 8, read}
    counts |= {_records_of(table)} if table.exists() else set()
    if len(counts) > 1:
        shown = "、".join(str(n) for n in sorted(counts))
        raise LayerUnusableError(f"各文件的记录数不一致（{shown}），文件可能不完整")
