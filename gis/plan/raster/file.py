"""Open the rasters of a plan package and read them window by window.

A raster that is absent is ``no_data``; one that is present but cannot be used is ``failed``, with
the reason, as with layers. Opening reads the header only. Pixels come in windows of a few million,
in the blocks of the file, so that a raster of any size needs the same memory; nothing is resampled
or reprojected. GeoTIFF only, from the plan package, which is trusted.
"""

from __future__ import annotations

import hashlib
import struct
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError as ProjCrsError
from shapely.geometry.base import BaseGeometry

from gis.crs import refuse_old_crs
from gis.engine.grid import Grid, Window
from gis.engine.index import Array
from gis.errors import CrsError, NotFoundError, PlanError
from gis.model import LayerState
from gis.plan.raster.place import moved
from gis.plan.raster.table import CodeTable, TableError, open_table
from gis.plan.schema import RasterEntry

if TYPE_CHECKING:
    from gis.plan.area import Plan

WINDOW_PIXELS = 4_000_000
# GDAL keeps up to 5 % of the machine's memory otherwise, which on a large server is gigabytes.
_CACHE_BYTES = 64 * 1024 * 1024
# With more bands than these, fill is looked for in the named ones only.
_FILL_BANDS = 16


class RasterUnusableError(Exception):
    """Why a present raster cannot be used; becomes the reason of its ``failed`` state."""


@dataclass(frozen=True, slots=True)
class Form:
    """What the header of a raster says.

    ``bands`` are the numbers (from 1) of the bands that carry data, an alpha band left out;
    ``scale``, ``offset`` and ``nodata`` are per band of the file, in its order. ``has_masks`` is
    whether the file marks pixels in some other way than by such a number.
    """

    grid: Grid
    crs: CRS
    dtype: np.dtype[Any]
    bands: tuple[int, ...]
    block: tuple[int, int]
    scale: tuple[float, ...]
    offset: tuple[float, ...]
    nodata: tuple[float | None, ...]
    has_masks: bool


@dataclass(frozen=True, eq=False)
class Raster:
    """A raster of the plan: its entry, its state and, when ``checked``, its form."""

    entry: RasterEntry
    path: Path
    state: LayerState
    reason: str = ""
    form: Form | None = None
    table: CodeTable | None = None

    @property
    def checked(self) -> Form:
        """The form; raise PlanError with the reason when the raster cannot be used."""
        if self.form is None:
            raise PlanError(self.reason, advice="补充或修复栅格文件后重试")
        return self.form

    @property
    def codes(self) -> CodeTable:
        """What explains the values of a class raster; raise PlanError when nothing does."""
        if self.table is None:
            raise PlanError(
                self.reason or f"栅格 {self.entry.id} 不是分类栅格", expected='kind = "classes"'
            )
        return self.table

    @cached_property
    def content_sha256(self) -> str:
        """Hash of grid, CRS and pixels, whatever the compression or the blocks of the file."""
        form = self.checked
        digest = hashlib.sha256(_header_bytes(form))
        for start in range(0, form.grid.rows, 512):
            strip = Window(start, 0, min(512, form.grid.rows - start), form.grid.cols)
            for pixels in read_pixels(self, form.bands, windows=[strip]):
                values = np.ascontiguousarray(pixels.values)
                digest.update(values.astype(form.dtype.newbyteorder("<"), copy=False).tobytes())
                digest.update(np.packbits(pixels.masked).tobytes())
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Pixels:
    """One window of a raster: values as stored (bands, rows, cols), and where one is no data."""

    window: Window
    values: Array
    masked: Array


_OPENED: WeakKeyDictionary[Plan, Mapping[str, Raster]] = WeakKeyDictionary()


def open_rasters(plan: Plan) -> Mapping[str, Raster]:
    """Return the rasters of a plan by id, in the order of ``plan.toml``; never raises for data.

    Headers are read at the first call; like its layers they do not change while a plan is open.
    """
    found = _OPENED.get(plan)
    if found is None:
        opened = {
            entry.id: open_raster(entry, plan.root, bounds=plan.bounds_polygon, epsg=plan.work_epsg)
            for entry in plan.file.raster
        }
        found = _OPENED.setdefault(plan, opened)  # of two threads the first one
    return found


def find_raster(plan: Plan, raster_id: str) -> Raster:
    """Return one raster; raise NotFoundError when the plan has none of that id."""
    opened = open_rasters(plan)
    if raster_id in opened:
        return opened[raster_id]
    known = "、".join(opened) or "（没有栅格）"
    raise NotFoundError(f"没有栅格“{raster_id}”", expected=known, advice="核对栅格 id")


def open_raster(
    entry: RasterEntry,
    root: Path,
    *,
    bounds: BaseGeometry | None = None,
    epsg: int | None = None,
) -> Raster:
    """Open one raster; never raises for what is wrong with the data.

    Parameters
    ----------
    entry
        What ``plan.toml`` says about the raster.
    root
        Folder of the plan package.
    bounds, epsg
        Bounds of the plan in its work CRS: a raster that lies wholly elsewhere has a wrong CRS.
    """
    path = root / entry.path
    if not path.exists():
        return Raster(entry, path, LayerState.NO_DATA, f"栅格文件不存在：{entry.path}")
    try:
        form = _read_form(path, frozenset(entry.bands.values()))
        _bands_exist(entry, form)
        _nodata_is_possible(entry, form)
        if bounds is not None and epsg is not None:
            _lies_in(form, bounds, epsg)
        table = open_table(entry, root) if entry.kind == "classes" else None
    except (RasterUnusableError, TableError) as problem:
        reason = f"栅格文件无法使用：{entry.path}：{problem}"
        return Raster(entry, path, LayerState.FAILED, reason)
    return Raster(entry, path, LayerState.CHECKED, "", form, table)


def read_pixels(
    raster: Raster,
    bands: tuple[int, ...],
    *,
    windows: list[Window] | None = None,
    needed: Callable[[Window], Window | None] = lambda window: window,
) -> Iterator[Pixels]:
    """Yield windows of some bands, by default of the whole raster in the order of the file.

    ``needed`` cuts a window to the part that is wanted, or returns None to skip it. No data is what
    the file or ``plan.toml`` declares, a mask or alpha band of zero, and NaN, in any of the bands.

    Raises
    ------
    PlanError
        The raster is not ``checked``, its pixels are damaged, or it is another file by now.
    """
    form = raster.checked
    with _dataset(raster.path) as dataset:
        _is_the_same(dataset, form, raster.path)
        for window in _windows(form) if windows is None else windows:
            part = needed(window)
            if part is not None:
                yield _read(raster, dataset, bands, part)


def fill_bands(raster: Raster, used: tuple[int, ...]) -> tuple[int, ...]:
    """Return the bands in which unmarked fill must show: all of them, unless they are very many."""
    bands = raster.checked.bands
    return bands if len(bands) <= _FILL_BANDS else used


# --- header --------------------------------------------------------------------------------------


@contextmanager
def _dataset(path: Path) -> Iterator[Any]:
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning, RasterioError

    with rasterio.Env(GDAL_CACHEMAX=_CACHE_BYTES):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", NotGeoreferencedWarning)  # said in our own words
                opened = rasterio.open(path, driver="GTiff")
            with opened as dataset:
                yield dataset
        except RasterioError:
            raise PlanError(
                f"栅格文件读取失败：{path.name}",
                expected="完整的 GeoTIFF 文件",
                advice="重新导出或复制该文件",
            ) from None


def _read_form(path: Path, named: frozenset[int]) -> Form:
    try:
        with _dataset(path) as dataset:
            return _form(dataset, named)
    except PlanError:
        raise RasterUnusableError("不是可读取的 GeoTIFF") from None


def _form(dataset: Any, named: frozenset[int]) -> Form:
    from rasterio.enums import ColorInterp

    crs, grid = _crs(dataset), _grid(dataset)
    # Writers take the fourth band of four for transparency. When the plan names it as data, it is.
    alpha = {n for n in dataset.indexes if dataset.colorinterp[n - 1] is ColorInterp.alpha}
    bands = tuple(n for n in dataset.indexes if n not in alpha or n in named)
    dtypes = {np.dtype(dataset.dtypes[n - 1]) for n in bands}
    if len(dtypes) != 1 or next(iter(dtypes)).kind not in "iuf":
        raise RasterUnusableError("波段的数据类型不一致，或不是整数、实数")
    return Form(
        grid=grid,
        crs=crs,
        dtype=next(iter(dtypes)),
        bands=bands,
        block=dataset.block_shapes[0],
        scale=dataset.scales,
        offset=dataset.offsets,
        nodata=dataset.nodatavals,
        has_masks=_has_masks(dataset, bands, alpha & named != set()),
    )


def _has_masks(dataset: Any, bands: tuple[int, ...], false_alpha: bool) -> bool:
    from rasterio.enums import MaskFlags

    flags = {flag for n in bands for flag in dataset.mask_flag_enums[n - 1]}
    return MaskFlags.per_dataset in flags and not (false_alpha and MaskFlags.alpha in flags)


def _crs(dataset: Any) -> CRS:
    if dataset.crs is None:
        raise RasterUnusableError("缺少坐标系，请写入后重新载入")
    try:
        epsg = dataset.crs.to_epsg()
        crs = CRS.from_epsg(epsg) if epsg else CRS.from_wkt(dataset.crs.to_wkt())
        refuse_old_crs(crs)
    except ProjCrsError:
        raise RasterUnusableError("坐标系无法识别") from None
    except CrsError as problem:
        raise RasterUnusableError(problem.found) from None
    if not (crs.is_geographic or crs.is_projected):
        raise RasterUnusableError(f"坐标系“{crs.name}”不是地理坐标系或投影坐标系")
    return crs


def _grid(dataset: Any) -> Grid:
    t = dataset.transform
    grid = Grid(dataset.height, dataset.width, (t.a, t.b, t.c, t.d, t.e, t.f))
    # Without a position GDAL reports pixels as coordinates; such numbers must not become a place.
    if t.is_identity or not grid.pixel_area or not np.isfinite(grid.transform).all():
        raise RasterUnusableError("没有有效的地理参考（像元大小和原点）")
    return grid


def _bands_exist(entry: RasterEntry, form: Form) -> None:
    wanted = {1} if entry.kind == "classes" else set(entry.bands.values())
    lacking = sorted(wanted - set(form.bands))
    if lacking:
        numbers = "、".join(map(str, lacking))
        raise RasterUnusableError(f"没有波段 {numbers}（文件有 {len(form.bands)} 个数据波段）")
    if entry.kind == "classes" and len(form.bands) > 1:
        raise RasterUnusableError(
            f"分类栅格应只有一个波段（文件有 {len(form.bands)} 个数据波段），请只导出类别所在的波段"
        )


def _nodata_is_possible(entry: RasterEntry, form: Form) -> None:
    """Refuse a number that no pixel can hold: it would mark nothing, and fill would be data."""
    if entry.nodata is None or form.dtype.kind == "f":
        return
    info = np.iinfo(form.dtype)
    if not (entry.nodata.is_integer() and info.min <= entry.nodata <= info.max):
        raise RasterUnusableError(
            f"像元类型是 {form.dtype}（{info.min} 至 {info.max}），"
            f"plan.toml 写的 nodata = {entry.nodata:g} 不可能出现"
        )


def _lies_in(form: Form, bounds: BaseGeometry, epsg: int) -> None:
    rows, cols = form.grid.rows, form.grid.cols
    x, y = form.grid.to_coordinates(np.array([0, cols, cols, 0]), np.array([0, 0, rows, rows]))
    outline = np.array([shapely.Polygon(np.column_stack([x, y]))])
    try:
        own = moved(np.array([bounds]), CRS.from_epsg(epsg), form.crs)
    except CrsError:
        raise RasterUnusableError("规划范围无法换算到栅格坐标系，请核对坐标系") from None
    if not shapely.intersects(own, outline).any():
        raise RasterUnusableError("整幅栅格都在规划范围之外，请核对坐标系和地理参考")


def _header_bytes(form: Form) -> bytes:
    grid, crs = form.grid, form.crs.to_epsg() or form.crs.to_wkt()
    text = f"{crs}|{form.dtype.str[1:]}|{len(form.bands)}|{grid.rows}|{grid.cols}"
    return text.encode() + struct.pack("<6d", *grid.transform)


# --- pixels --------------------------------------------------------------------------------------


def _is_the_same(dataset: Any, form: Form, path: Path) -> None:
    size = (dataset.height, dataset.width, len(dataset.scales))
    same = size == (form.grid.rows, form.grid.cols, len(form.scale))
    if not same or tuple(dataset.transform)[:6] != form.grid.transform:
        raise PlanError(f"栅格文件在打开后被更换：{path.name}", advice="重新打开规划数据包")


def _windows(form: Form) -> list[Window]:
    """Return windows that follow the blocks of the file, each of a few million pixels at most."""
    grid, (high, wide) = form.grid, form.block
    cols = min(max(WINDOW_PIXELS // high // wide, 1) * wide, grid.cols)
    rows = min(max(WINDOW_PIXELS // cols // high, 1) * high, grid.rows)
    # A file in one single block is decoded as a whole by GDAL; the windows still stay small.
    rows = min(rows, max(WINDOW_PIXELS // cols, 1))
    return [
        Window(row, col, min(rows, grid.rows - row), min(cols, grid.cols - col))
        for row in range(0, grid.rows, rows)
        for col in range(0, grid.cols, cols)
    ]


def _read(raster: Raster, dataset: Any, bands: tuple[int, ...], window: Window) -> Pixels:
    place = ((window.row, window.row + window.rows), (window.col, window.col + window.cols))
    values = dataset.read(list(bands), window=place)
    masked = np.zeros(values.shape[1:], dtype=bool)
    if raster.checked.has_masks:
        masked |= (dataset.read_masks(list(bands), window=place) == 0).any(axis=0)
    for n, band in enumerate(bands):
        for number in {raster.checked.nodata[band - 1], raster.entry.nodata} - {None}:
            masked |= values[n] == number
    if values.dtype.kind == "f":
        masked |= ~np.isfinite(values).all(axis=0)
    return Pixels(window, values, masked)
