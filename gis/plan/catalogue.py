"""Open the layers of a plan package: read, check, repair visibly, hash.

A layer that is absent is ``no_data``; one that is present but cannot be used is ``failed``, with
the reason. Neither stops the plan from opening, and neither can ever read as "no conflict". Files
and tables of a database (``gis.plan.sources``) go the same way from here on.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from pyproj import CRS, Transformer
from shapely.geometry.base import BaseGeometry

from gis.crs import refuse_old_crs
from gis.engine.index import Array, LayerIndex
from gis.errors import CrsError
from gis.model import LayerInfo, LayerState
from gis.plan.schema import LayerEntry
from gis.plan.sources.files import read_file
from gis.plan.sources.postgis import Databases
from gis.plan.sources.stored import (
    LayerAbsentError,
    LayerUnusableError,
    Stored,
    crs_from,
    quietly,
    without_single_multis,
)

_DIMENSION = {"point": 0, "line": 1, "polygon": 2}
_DIMENSION_LABELS = {"point": "点", "line": "线", "polygon": "面"}
# A repair may close a crossing of rounded vertices; if it moves more than this share of the area,
# the layer says something else than its author drew.
_REPAIR_SHARE = 1e-4
# How the columns of further fields begin, so that none of them hides another column.
_VALUE = "value:"
# Bytes that are hashed at once.
_AT_ONCE = 1_000_000
_LENGTH, _DOUBLE = struct.Struct("<Q"), struct.Struct("<d")


@dataclass(frozen=True, eq=False)
class Layer:
    """A layer of the plan.

    ``path`` is its file, None for a table of a database. ``source`` is its frame, or what makes
    it: tables and maps want one, a check does not.
    """

    info: LayerInfo
    index: LayerIndex
    path: Path | None
    source: Any

    @cached_property
    def frame(self) -> Any:
        """A GeoDataFrame in the work CRS, sorted by id, or None unless the state is ``checked``.

        Columns ``id, cls, name, half_width, geometry`` and one ``value:…`` for each further field
        that the plan names.
        """
        return self.source() if callable(self.source) else self.source

    @property
    def state(self) -> LayerState:
        """Whether the layer could be read."""
        return self.index.state

    @property
    def reason(self) -> str:
        """Why it could not, or what was repaired."""
        return self.index.reason

    @property
    def content_sha256(self) -> str | None:
        """Hash of the features."""
        return self.index.content_sha256


def open_layer(
    entry: LayerEntry,
    root: Path,
    work_epsg: int,
    bounds: BaseGeometry,
    databases: Databases | None = None,
) -> Layer:
    """Open one layer of a plan package; never raises for what is wrong with the data.

    Parameters
    ----------
    entry
        What ``plan.toml`` says about the layer.
    root
        Folder of the plan package.
    work_epsg
        EPSG code of the work CRS.
    bounds
        Bounds of the plan in the work CRS. A layer that lies wholly elsewhere has a wrong CRS.
    databases
        Where layers in tables are read; needed for these only.
    """
    path = None if entry.postgis else root / entry.path
    return opened_from(partial(stored, entry, root, databases), entry, work_epsg, bounds, path=path)


def opened_from(
    read: Callable[[], Stored],
    entry: LayerEntry,
    work_epsg: int,
    bounds: BaseGeometry,
    *,
    path: Path | None = None,
) -> Layer:
    """Open one layer from what ``read`` gives of it; otherwise as ``open_layer``."""
    info = entry.info()
    try:
        with quietly():
            index = _read(read(), entry, work_epsg)
            _lies_in(index.geometries, bounds, entry)
    except LayerAbsentError as problem:
        return Layer(info, LayerIndex(info, LayerState.NO_DATA, str(problem)), path, None)
    except LayerUnusableError as problem:
        reason = f"{entry.store_label}无法使用：{entry.place}：{problem}"
        return Layer(info, LayerIndex(info, LayerState.FAILED, reason), path, None)
    return Layer(info, index, path, partial(_frame_of, index, work_epsg))


def stored(
    entry: LayerEntry, root: Path, databases: Databases | None, *, every: bool = False
) -> Stored:
    """Return a layer as its file or table has it, in the CRS that it is stored in.

    ``every`` asks a database for all its columns, not only for those that the plan names.

    Raises
    ------
    LayerAbsentError, LayerUnusableError
        No such file or table, or one that cannot be read.
    """
    if not entry.postgis:
        return read_file(root / entry.path, entry.encoding, shown=entry.path)
    if databases is None:
        raise LayerUnusableError("没有打开数据库")
    return databases.read(entry, every=every)


def _frame_of(index: LayerIndex, work_epsg: int) -> Any:
    import geopandas
    import pandas as pd

    columns: dict[str, Any] = {
        "id": index.ids.tolist(),
        "cls": index.classes.tolist(),
        "name": index.names.tolist(),
        "half_width": index.half_widths,
    }
    for name, values in index.values.items():
        columns[_VALUE + name] = pd.Series(values.tolist(), dtype=object)
    return geopandas.GeoDataFrame(columns, geometry=index.geometries, crs=work_epsg)


def _read(raw: Stored, entry: LayerEntry, work_epsg: int) -> LayerIndex:
    repaired = put_right(raw, entry, work_epsg)
    return _normalised(raw, entry, repaired)


def put_right(raw: Stored, entry: LayerEntry, work_epsg: int) -> str:
    """Move features to the work CRS and repair them in place; return what was repaired.

    Raises
    ------
    LayerUnusableError
        No CRS or one of an old datum, missing or wrong geometries, or a repair that moves land.
    """
    _move_to_work_crs(raw, work_epsg, entry)
    return _checked_geometries(raw, entry)


def _lies_in(shapes: Array, bounds: BaseGeometry, entry: LayerEntry) -> None:
    if len(shapes) and not shapely.intersects(shapes, bounds).any():
        where = entry.crs_place
        raise LayerUnusableError(f"全部要素都在规划范围之外，请核对坐标系（{where}）和坐标")


def _move_to_work_crs(raw: Stored, work_epsg: int, entry: LayerEntry) -> None:
    if raw.crs is None:
        raise LayerUnusableError(f"缺少坐标系（{entry.crs_place}），请补充后重新载入")
    _refuse_old_datum(raw.crs)
    work = crs_from(f"EPSG:{work_epsg}")
    if raw.crs == work:
        return
    moving = Transformer.from_crs(raw.crs, work, always_xy=True)
    raw.shapes = np.asarray(
        shapely.transform(raw.shapes, lambda xy: np.column_stack(moving.transform(*xy.T))),
        dtype=object,
    )
    if not np.isfinite(shapely.total_bounds(raw.shapes)).all() and len(raw):
        raise LayerUnusableError(f"坐标无法转换到规划坐标系，请核对 {entry.crs_place}")


def _refuse_old_datum(crs: CRS) -> None:
    """PROJ would move Xian 1980 and Beijing 1954 by zero metres without a word."""
    try:
        refuse_old_crs(crs)
    except CrsError as problem:
        raise LayerUnusableError(problem.found) from None


def _checked_geometries(raw: Stored, entry: LayerEntry) -> str:
    """Refuse missing and wrong geometries; repair invalid polygons and say so."""
    missing = int((shapely.is_missing(raw.shapes) | shapely.is_empty(raw.shapes)).sum())
    if missing:
        raise LayerUnusableError(f"有 {missing} 个要素没有图形，数据可能不完整")
    wrong = int((shapely.get_dimensions(raw.shapes) != _DIMENSION[entry.geometry]).sum())
    if wrong:
        raise LayerUnusableError(f"有 {wrong} 个要素不是{_DIMENSION_LABELS[entry.geometry]}")
    flat = np.asarray(shapely.force_2d(raw.shapes), dtype=object)
    raw.shapes = without_single_multis(flat)
    if entry.geometry != "polygon":
        return ""
    invalid = ~shapely.is_valid(raw.shapes)
    return _repair(raw, invalid) if invalid.any() else ""


def _repair(raw: Stored, invalid: Array) -> str:
    before = shapely.area(raw.shapes[invalid])
    fixed = shapely.make_valid(raw.shapes[invalid], method="structure", keep_collapsed=False)
    moved = float(np.abs(shapely.area(fixed) - before).sum())
    if moved > _REPAIR_SHARE * float(before.sum()) or shapely.is_empty(fixed).any():
        raise LayerUnusableError(
            f"有 {int(invalid.sum())} 个图形自相交，修复会改变面积 {moved:.2f} m²，请修改原始数据"
        )
    raw.shapes[invalid] = fixed
    return f"载入时修复了 {int(invalid.sum())} 个自相交图形，面积变化 {moved:.2f} m²"


def _normalised(raw: Stored, entry: LayerEntry, repaired: str) -> LayerIndex:
    """Return the features with the fields that the toolkit knows, sorted by id."""
    names = entry.fields
    order, ids = _in_order_of_ids(raw, names.id) if names.id else _in_order_of_content(raw)
    index = LayerIndex(
        info=entry.info(),
        state=LayerState.CHECKED,
        reason=repaired,
        ids=ids,
        classes=_objects(text_column(_column(raw, names.cls)))[order],
        names=_objects(text_column(_column(raw, names.name)))[order],
        half_widths=_half_widths(raw, entry)[order],
        geometries=raw.shapes[order],
        values={
            key: _objects(value_column(_column(raw, column)))[order]
            for key, column in sorted(names.values.items())
        },
    )
    return replace(index, content_sha256=content_sha256(index))


def _objects(values: list[Any]) -> Array:
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def _in_order_of_ids(raw: Stored, name: str) -> tuple[Array, Array]:
    """Return the order of the features by id, and the ids in this order."""
    ids = text_column(_column(raw, name))
    texts = [i for i in ids if i is not None]
    if len(set(texts)) < len(ids):
        raise LayerUnusableError(f"编号字段 {name} 有空值或重复值")
    order = np.array(sorted(range(len(texts)), key=texts.__getitem__), dtype=int)
    return order, _objects(texts)[order]


def _in_order_of_content(raw: Stored) -> tuple[Array, Array]:
    """Order and number features without ids by their geometry, so that any store does it alike."""
    keys = shapely.to_wkb(shapely.normalize(raw.shapes), hex=True, byte_order=1)
    order = np.argsort(keys.astype(str), kind="stable")
    return order, _objects([f"{n:07d}" for n in range(1, len(raw) + 1)])


def _column(raw: Stored, name: str | None) -> list[Any]:
    if name is None:
        return [None] * len(raw)
    if name not in raw.fields:
        raise LayerUnusableError(f"缺少字段 {name}（现有字段：{'、'.join(raw.names)}）")
    found: list[Any] = raw.fields[name].tolist()
    return found


def text_column(values: Iterable[Any]) -> list[str | None]:
    """Return ids or classes as text, None where there is none."""
    return [None if _is_missing(v) else _plain(v) for v in values]


def value_column(values: Iterable[Any]) -> list[float | str | None]:
    """Return a further field: numbers as float, words without blanks at the ends, else None."""
    return [_number_or_text(v) for v in values]


def _is_missing(value: Any) -> bool:
    """Whether there is nothing: None, or what is not equal to itself (no number, no time)."""
    return value is None or bool(value != value)


def _number_or_text(value: Any) -> float | str | None:
    if _is_missing(value):
        return None
    if isinstance(value, (int, float, np.number)):
        return float(value) if np.isfinite(value) else None
    return str(value).strip() or None


def _plain(value: Any) -> str:
    """Return a class or id as text; a code stored as a number keeps no decimal point."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()


def _half_widths(raw: Stored, entry: LayerEntry) -> Array:
    """Half widths in metres; zero, negative or empty means not known."""
    values = _column(raw, entry.fields.half_width)
    # A polygon or point is measured to itself, so it needs no half width.
    if entry.geometry != "line":
        return np.zeros(len(raw))
    numbers = np.array([_number(v) for v in values], dtype=float)
    return np.where(numbers > 0, numbers, np.nan)


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")


def content_sha256(index: LayerIndex) -> str:
    """Return the hash of the features sorted by id: WKB and the fields in use, whatever the store.

    Rings and parts are normalised, so that a store that turns rings round gives the same hash.
    Further fields count where the plan names them.
    """
    digest, waiting = hashlib.sha256(), bytearray()
    for chunk in _feature_bytes(index):
        waiting += _LENGTH.pack(len(chunk)) + chunk
        if len(waiting) > _AT_ONCE:
            digest.update(waiting)
            waiting.clear()
    digest.update(waiting)
    return digest.hexdigest()


def _feature_bytes(index: LayerIndex) -> Iterator[bytes]:
    wkbs = shapely.to_wkb(shapely.normalize(index.geometries), byte_order=1)
    halves = index.half_widths.tolist()
    for id_, cls, name, half, wkb in zip(
        index.ids, index.classes, index.names, halves, wkbs, strict=True
    ):
        for text in (id_, cls, name):
            yield b"\x00" if text is None else b"\x01" + text.encode()
        yield _DOUBLE.pack(half)
        yield wkb
    for name in sorted(index.values):
        yield (_VALUE + name).encode()
        yield from map(_value_bytes, index.values[name])


def _value_bytes(value: str | float | None) -> bytes:
    if value is None:
        return b"\x00"
    return b"\x01" + value.encode() if isinstance(value, str) else b"\x02" + _DOUBLE.pack(value)
