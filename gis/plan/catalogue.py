"""Open the layers of a plan package: read, check, repair visibly, hash.

A layer that is absent is ``no_data``; one that is present but cannot be used is ``failed``, with
the reason. Neither stops the plan from opening, and neither can ever read as "no conflict".
Files of a plan package are trusted (the bureau's own); uploads go through ``gis.intake``.
"""

from __future__ import annotations

import hashlib
import struct
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pyogrio
import shapely
from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from gis.crs import refuse_old_crs
from gis.engine.index import Array, LayerIndex
from gis.errors import CrsError
from gis.model import LayerInfo, LayerState
from gis.plan.schema import LayerEntry

_DIMENSION = {"point": 0, "line": 1, "polygon": 2}
_DIMENSION_LABELS = {"point": "点", "line": "线", "polygon": "面"}
# A repair may close a crossing of rounded vertices; if it moves more than this share of the area,
# the layer says something else than its author drew.
_REPAIR_SHARE = 1e-4
# How the columns of further fields begin, so that none of them hides another column.
_VALUE = "value:"


class LayerUnusableError(Exception):
    """Why a present layer cannot be used; becomes the reason of its ``failed`` state."""


@dataclass(frozen=True, eq=False)
class Layer:
    """A layer of the plan.

    ``frame`` is a GeoDataFrame in the work CRS with columns ``id, cls, name, half_width,
    geometry`` and one ``value:…`` for each further field that the plan names, sorted by id, or
    None unless the state is ``checked``.
    """

    info: LayerInfo
    index: LayerIndex
    path: Path
    frame: Any

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


def open_layer(entry: LayerEntry, root: Path, work_epsg: int, bounds: BaseGeometry) -> Layer:
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
    """
    path, info = root / entry.path, entry.info()
    if not path.exists():
        reason = f"数据文件不存在：{entry.path}"
        return Layer(info, LayerIndex(info, LayerState.NO_DATA, reason), path, None)
    try:
        with quietly():
            frame, repaired = _read(entry, path, work_epsg)
            _lies_in(frame, bounds)
    except LayerUnusableError as problem:
        reason = f"数据文件无法使用：{entry.path}：{problem}"
        return Layer(info, LayerIndex(info, LayerState.FAILED, reason), path, None)
    index = LayerIndex(
        info=info,
        state=LayerState.CHECKED,
        reason=repaired,
        content_sha256=content_sha256(frame),
        ids=_texts(frame["id"]),
        classes=_texts(frame["cls"]),
        names=_texts(frame["name"]),
        half_widths=frame["half_width"].to_numpy(dtype=float),
        geometries=frame.geometry.to_numpy(),
        values=_values(frame),
    )
    return Layer(info, index, path, frame)


def _texts(column: Any) -> Array:
    return np.array([None if v is None or pd.isna(v) else str(v) for v in column], dtype=object)


def _values(frame: Any) -> dict[str, Array]:
    """Return the further fields by the name that rules use, None where empty."""
    return {
        name.removeprefix(_VALUE): np.array(list(frame[name]), dtype=object)
        for name in _value_columns(frame)
    }


def _value_columns(frame: Any) -> list[str]:
    return sorted(str(c) for c in frame.columns if str(c).startswith(_VALUE))


def _read(entry: LayerEntry, path: Path, work_epsg: int) -> tuple[Any, str]:
    try:
        raw = pyogrio.read_dataframe(path, encoding=entry.encoding)
    except Exception as problem:
        # GDAL reports a damaged file in many ways; every one of them means the same here.
        raise LayerUnusableError(f"读取失败（{type(problem).__name__}）") from None
    if not isinstance(raw, geopandas.GeoDataFrame):
        raise LayerUnusableError("没有图形")
    if path.suffix.lower() == ".shp":
        _all_records_read(path, len(raw))
    raw = _in_work_crs(raw, work_epsg)
    repaired = _checked_geometries(raw, entry)
    return _normalised(raw, entry), repaired


@contextmanager
def quietly() -> Iterator[None]:
    """Keep libraries from warning on the screen about damaged data; the state gives the reason."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


def part_beside(path: Path, suffix: str) -> Path:
    """Return the path of another file of a shapefile; Windows often writes suffixes in capitals."""
    wanted = path.with_suffix(suffix)
    capital = path.with_suffix(suffix.upper())
    return capital if capital.exists() and not wanted.exists() else wanted


def _all_records_read(path: Path, read: int) -> None:
    """Refuse a shapefile whose parts disagree: a short .shx or .dbf silently hides features."""
    table = part_beside(path, ".dbf")
    counts = {(part_beside(path, ".shx").stat().st_size - 100) // 8, read}
    counts |= {struct.unpack("<I", table.read_bytes()[4:8])[0]} if table.exists() else set()
    if len(counts) > 1:
        shown = "、".join(str(n) for n in sorted(counts))
        raise LayerUnusableError(f"各文件的记录数不一致（{shown}），文件可能不完整")


def _lies_in(frame: Any, bounds: BaseGeometry) -> None:
    if len(frame) and not frame.geometry.intersects(bounds).any():
        raise LayerUnusableError("全部要素都在规划范围之外，请核对坐标系（.prj）和坐标")


def _in_work_crs(raw: Any, work_epsg: int) -> Any:
    if raw.crs is None:
        raise LayerUnusableError("缺少坐标系（.prj），请补充后重新载入")
    _refuse_old_datum(raw.crs)
    if raw.crs == CRS.from_epsg(work_epsg):
        return raw
    moved = raw.to_crs(epsg=work_epsg)
    if not np.isfinite(moved.total_bounds).all() and len(moved):
        raise LayerUnusableError("坐标无法转换到规划坐标系，请核对 .prj")
    return moved


def _refuse_old_datum(crs: CRS) -> None:
    """PROJ would move Xian 1980 and Beijing 1954 by zero metres without a word."""
    try:
        refuse_old_crs(crs)
    except CrsError as problem:
        raise LayerUnusableError(problem.found) from None


def _checked_geometries(raw: Any, entry: LayerEntry) -> str:
    """Refuse missing and wrong geometries; repair invalid polygons and say so."""
    missing = int(raw.geometry.isna().sum() + raw.geometry.is_empty.sum())
    if missing:
        raise LayerUnusableError(f"有 {missing} 个要素没有图形，文件可能不完整")
    wrong = int((shapely.get_dimensions(raw.geometry) != _DIMENSION[entry.geometry]).sum())
    if wrong:
        raise LayerUnusableError(f"有 {wrong} 个要素不是{_DIMENSION_LABELS[entry.geometry]}")
    raw.geometry = shapely.force_2d(raw.geometry.to_numpy())
    invalid = ~raw.geometry.is_valid.to_numpy()
    return _repair(raw, invalid) if entry.geometry == "polygon" and invalid.any() else ""


def _repair(raw: Any, invalid: Array) -> str:
    before = raw.geometry[invalid].area
    fixed = shapely.make_valid(
        raw.geometry[invalid].to_numpy(), method="structure", keep_collapsed=False
    )
    moved = float(np.abs(shapely.area(fixed) - before).sum())
    if moved > _REPAIR_SHARE * float(before.sum()) or shapely.is_empty(fixed).any():
        raise LayerUnusableError(
            f"有 {int(invalid.sum())} 个图形自相交，修复会改变面积 {moved:.2f} m²，请修改原始数据"
        )
    raw.loc[invalid, raw.geometry.name] = fixed
    return f"载入时修复了 {int(invalid.sum())} 个自相交图形，面积变化 {moved:.2f} m²"


def _normalised(raw: Any, entry: LayerEntry) -> Any:
    """Return the frame with the columns that the toolkit knows, sorted by id."""
    names = entry.fields
    raw = raw if names.id else _in_order_of_content(raw)
    ids = _column(raw, names.id) if names.id else [f"{n:07d}" for n in range(1, len(raw) + 1)]
    data: Mapping[str, Any] = {
        "id": text_column(ids),
        "cls": text_column(_column(raw, names.cls)),
        "name": text_column(_column(raw, names.name)),
        "half_width": _half_widths(raw, entry),
        **{_VALUE + key: value_column(_column(raw, col)) for key, col in names.values.items()},
    }
    frame = geopandas.GeoDataFrame(data, geometry=raw.geometry.to_numpy(), crs=raw.crs)
    if frame["id"].isna().any() or frame["id"].duplicated().any():
        raise LayerUnusableError(f"编号字段 {names.id} 有空值或重复值")
    return frame.sort_values("id", kind="stable", ignore_index=True)


def _in_order_of_content(raw: Any) -> Any:
    """Sort features that have no ids by their geometry, so that any store numbers them alike."""
    keys = shapely.to_wkb(shapely.normalize(raw.geometry.to_numpy()), hex=True, byte_order=1)
    return raw.iloc[np.argsort(keys.astype(str), kind="stable")]


def _column(raw: Any, name: str | None) -> Any:
    if name is None:
        return [None] * len(raw)
    if name not in raw.columns:
        have = "、".join(str(c) for c in raw.columns if c != raw.geometry.name)
        raise LayerUnusableError(f"缺少字段 {name}（现有字段：{have}）")
    return raw[name]


def text_column(values: Any) -> list[str | None]:
    """Return ids or classes as text, None where there is none."""
    return [None if v is None or pd.isna(v) else _plain(v) for v in values]


def value_column(values: Any) -> pd.Series[Any]:
    """Return a further field: numbers as float, words without blanks at the ends, else None."""
    return pd.Series([_number_or_text(v) for v in values], dtype=object)


def _number_or_text(value: Any) -> float | str | None:
    if value is None or pd.isna(value):
        return None
    if isinstance(value, (int, float, np.number)):
        return float(value) if np.isfinite(value) else None
    return str(value).strip() or None


def _plain(value: Any) -> str:
    """Return a class or id as text; a code stored as a number keeps no decimal point."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()


def _half_widths(raw: Any, entry: LayerEntry) -> Any:
    """Half widths in metres; zero, negative or empty means not known."""
    values = pd.to_numeric(
        pd.Series(_column(raw, entry.fields.half_width), dtype=object), errors="coerce"
    ).to_numpy(dtype=float)
    # A polygon or point is measured to itself, so it needs no half width.
    if entry.geometry != "line":
        return np.zeros(len(raw))
    return np.where(values > 0, values, np.nan)


def content_sha256(frame: Any) -> str:
    """Return the hash of the features sorted by id: WKB and the fields in use, whatever the store.

    Rings and parts are normalised, so that a store that turns rings round gives the same hash.
    Further fields count where the plan names them.
    """
    digest = hashlib.sha256()
    for chunk in _feature_bytes(frame):
        digest.update(struct.pack("<Q", len(chunk)))
        digest.update(chunk)
    return digest.hexdigest()


def _feature_bytes(frame: Any) -> Iterator[bytes]:
    wkbs = shapely.to_wkb(shapely.normalize(frame.geometry.to_numpy()), byte_order=1)
    rows = zip(frame["id"], frame["cls"], frame["name"], frame["half_width"], wkbs, strict=True)
    for id_, cls, name, half, wkb in rows:
        for text in (id_, cls, name):
            yield b"\x00" if text is None or pd.isna(text) else b"\x01" + str(text).encode()
        yield struct.pack("<d", half)
        yield wkb
    for name in _value_columns(frame):
        yield name.encode()
        yield from map(_value_bytes, frame[name])


def _value_bytes(value: str | float | None) -> bytes:
    if value is None:
        return b"\x00"
    return (
        b"\x01" + value.encode() if isinstance(value, str) else b"\x02" + struct.pack("<d", value)
    )
