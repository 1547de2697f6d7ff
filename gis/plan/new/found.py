"""Which layers lie in the files that somebody gives, and what do their fields look like?

The bureau's own files, in any vector format that GDAL reads. They are looked at and never changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import shapely
from pyproj import CRS, Transformer
from pyproj.exceptions import ProjError

from gis.errors import ClaimError
from gis.plan.sources.stored import crs_from

SUFFIXES = (".shp", ".gpkg", ".geojson", ".json", ".gdb", ".zip", ".fgb", ".kml", ".dxf")
_KINDS = ("point", "line", "polygon")
_EMPTY = "没有要素，未收录；查过而确实没有的，在 plan.toml 中登记并写 empty = true"
_MIXED = "没有图形，或点、线、面混在一起，未收录"
_RASTERS = (".tif", ".tiff", ".img")
_LONLAT = 4326


@dataclass(frozen=True, eq=False)
class FoundLayer:
    """One layer of a file, read whole.

    ``name`` is what the layer is called: that of the file, or of the layer in a file of several.
    ``frame`` has its features with texts decoded and no CRS assumed.
    """

    file: Path
    name: str
    frame: Any
    encoding: str

    @property
    def shown(self) -> str:
        """File and layer, as a person knows them."""
        own = self.file.stem == self.name
        return self.file.name if own else f"{self.file.name}：{self.name}"

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields, without the geometry."""
        return tuple(c for c in self.frame.columns if c != self.frame.geometry.name)

    @property
    def crs(self) -> CRS | None:
        """What the file says of its CRS."""
        return None if self.frame.crs is None else CRS(self.frame.crs)

    @cached_property
    def geometry(self) -> str | None:
        """``point``, ``line`` or ``polygon``; None where there is none, or several kinds."""
        shapes = self.frame.geometry.to_numpy()
        kinds = set(np.unique(shapely.get_dimensions(shapes[~shapely.is_missing(shapes)])).tolist())
        kinds.discard(-1)
        return _KINDS[kinds.pop()] if len(kinds) == 1 else None

    def values(self, field: str) -> list[str]:
        """Return the different values of a field as text, numbers without a needless ``.0``."""
        return sorted({_plain(v) for v in self.frame[field].dropna().unique()})

    def is_unique(self, field: str) -> bool:
        """Whether a field tells every feature apart."""
        column = self.frame[field]
        return bool(column.notna().all() and column.astype(str).is_unique)

    def box(self, crs: CRS | None) -> tuple[float, float, float, float] | None:
        """Return west, south, east, north in degrees; None when it cannot be told."""
        bounds = self.frame.total_bounds
        if crs is None or not np.isfinite(bounds).all():
            return None
        try:
            moved = Transformer.from_crs(crs, _LONLAT, always_xy=True).transform_bounds(*bounds)
        except ProjError:
            return None
        return moved if np.isfinite(moved).all() else None


def _plain(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()


def look(given: Sequence[Path]) -> tuple[list[FoundLayer], list[str]]:
    """Return the layers of files and folders, and what was passed over, in Chinese.

    Raises
    ------
    ClaimError
        A path that does not exist, or nothing that can be read as layers.
    """
    layers: list[FoundLayer] = []
    passed: list[str] = []
    for path in _files(given, passed):
        for found in _layers_of(path, passed):
            if len(found.frame) == 0 or found.geometry is None:
                passed.append(f"{found.shown}：{_EMPTY if len(found.frame) == 0 else _MIXED}")
            else:
                layers.append(found)
    if not layers:
        raise ClaimError(
            "所给位置没有可用的图层" + (f"（{'；'.join(passed[:5])}）" if passed else ""),
            expected=f"{'、'.join(SUFFIXES)} 文件，或含有它们的文件夹",
        )
    return layers, passed


def _files(given: Iterable[Path], passed: list[str]) -> Iterator[Path]:
    for path in given:
        if not path.exists():
            raise ClaimError(f"“{path}”不存在", advice="核对路径")
        if path.is_file() or path.suffix.lower() == ".gdb":
            yield path
            continue
        for inner in sorted(_walk(path, frozenset())):
            if inner.suffix.lower() in SUFFIXES:
                yield inner
            elif inner.suffix.lower() in _RASTERS:
                passed.append(
                    f"{inner.name}：栅格未收录，按数据包说明在 plan.toml 中登记 [[raster]]"
                )


def _walk(folder: Path, above: frozenset[Path]) -> Iterator[Path]:
    """Yield files of a folder and below; a geodatabase is one file, hidden ones are none.

    A link to a folder further up is passed over: it would show the same layers again and again.
    """
    real = folder.resolve()
    if real in above:
        return
    for path in folder.iterdir():
        if path.name.startswith("."):
            continue
        if path.is_dir() and path.suffix.lower() != ".gdb":
            yield from _walk(path, above | {real})
        else:
            yield path


def _layers_of(path: Path, passed: list[str]) -> Iterator[FoundLayer]:
    try:
        names = [(str(name), kind) for name, kind in pyogrio.list_layers(path)]
    except Exception as problem:
        # GDAL reports a damaged file in many ways; every one of them means the same here.
        passed.append(f"{path.name}：读取失败（{type(problem).__name__}），未收录")
        return
    for name, kind in names:
        if kind is None:
            passed.append(f"{path.name}：{name} 是没有图形的表，未收录")
            continue
        try:
            frame, encoding = _read(path, name)
        except Exception as problem:
            passed.append(f"{path.name}：{name} 读取失败（{type(problem).__name__}），未收录")
            continue
        own = path.stem if len(names) == 1 and path.suffix.lower() != ".zip" else name
        yield FoundLayer(path, own, _told_apart(frame), encoding)


def _read(path: Path, name: str) -> tuple[Any, str]:
    """Read a layer; a table that does not name its encoding is UTF-8 or else GBK."""
    silent = path.suffix.lower() == ".shp" and not _names_its_encoding(path)
    for encoding in ("UTF-8", "GB18030") if silent else (None,):
        try:
            frame = pyogrio.read_dataframe(path, layer=name, encoding=encoding, fid_as_index=False)
        except UnicodeDecodeError:
            continue
        return frame, encoding or ""
    return pyogrio.read_dataframe(path, layer=name), ""


def _names_its_encoding(path: Path) -> bool:
    """Whether a shapefile comes with a .cpg, or its table names a code page."""
    if any(path.with_suffix(suffix).exists() for suffix in (".cpg", ".CPG")):
        return True
    table = next((p for s in (".dbf", ".DBF") if (p := path.with_suffix(s)).exists()), None)
    head = table.read_bytes()[:32] if table else b""
    return len(head) == 32 and head[29] != 0


def _told_apart(frame: Any) -> Any:
    """Return the frame with names that a GeoPackage can hold: none twice, none called ``fid``."""
    taken: set[str] = {"fid", "geom"}
    renamed = {}
    for column in frame.columns:
        if column == frame.geometry.name:
            continue
        new, n = column, 1
        while new.lower() in taken:
            new, n = f"{column}_{n}", n + 1
        taken.add(new.lower())
        if new != column:
            renamed[column] = new
    return frame.rename(columns=renamed)


def crs_text(text: str) -> CRS:
    """Return a CRS that a person names; raise ClaimError when nobody knows it."""
    try:
        return crs_from(text if ":" in text or not re.fullmatch(r"\d+", text) else f"EPSG:{text}")
    except ProjError:
        raise ClaimError(f"坐标系“{text}”无法识别", expected="如 EPSG:4548") from None
