"""Which sites does a GeoPackage hold, layer by layer?

SQLite reads the registered feature tables in the child process of
:mod:`gis.intake.outside.sandbox`; views and foreign virtual tables are refused there. Here the
file is recognised, its length compared with what its head states, and every layer read in the CRS
that it declares. Tables without geometry and pictures are no sites.
"""

from __future__ import annotations

import struct

from gis.errors import FormatError
from gis.intake.draft import Document, Hints
from gis.intake.outside.answer import Task
from gis.intake.outside.features import document_of
from gis.intake.outside.sandbox import read_in_child
from gis.model import Remark

SQLITE_MAGIC = b"SQLite format 3\x00"
_HEAD_BYTES = 100
_WAL = b"\x02\x02"
_PLAIN = "普通的要素表"
_EXPORT = "在 QGIS 等软件中把图层另存为新的 GeoPackage"
_TASK = Task(
    "GeoPackage",
    "layer.gpkg",
    reader="sqlite",
    refusals={
        "not_geopackage": (
            "内容是 SQLite 数据库，但不是 GeoPackage",
            "有 gpkg_contents 表的 GeoPackage",
            "导出为 GeoPackage 或 Shapefile",
        ),
        "view": ("“{}”是视图，不是表", _PLAIN, _EXPORT),
        "virtual": ("“{}”是虚拟表", _PLAIN, _EXPORT),
        "computed": ("GeoPackage 的表中有计算字段或函数，不予执行", _PLAIN, _EXPORT),
        "missing": ("登记的图层“{}”没有对应的表", "完整的 GeoPackage", _EXPORT),
        "no_srs": ("图层登记的坐标系 {} 没有定义", "gpkg_spatial_ref_sys 中的坐标系", _EXPORT),
        "geometry": ("图层“{}”中有不是 GeoPackage 格式的图形", "标准的图形编码", _EXPORT),
        "raster": (
            "GeoPackage 中只有栅格或瓦片，没有要素图层",
            "有面的要素图层",
            "提交地块图形，不是影像",
        ),
        "no_layers": ("GeoPackage 中没有要素图层", "至少一个有面的要素图层", ""),
    },
)


def read_geopackage(data: bytes, hints: Hints) -> Document:
    """Return the sites of all feature layers.

    Parameters
    ----------
    data
        The file.
    hints
        The policy of the plan, and whether the user names the CRS.

    Raises
    ------
    FormatError
        Another database, damaged, views as layers, or no features.
    CrsError
        A CRS of a layer that is not understood, or an old datum.
    LimitError
        Larger than the limits.
    """
    _check_length(data)
    found = read_in_child({_TASK.path: data}, _TASK, deadline=hints.deadline)
    return document_of(found, "geopackage", "GeoPackage", hints, warnings=_wal_warning(data))


def _check_length(data: bytes) -> None:
    """Compare the length with that in the head: a shorter file has lost features."""
    broken = FormatError("GeoPackage 不完整", advice="重新复制或导出")
    if len(data) < _HEAD_BYTES:
        raise broken
    page, changes = struct.unpack(">H", data[16:18])[0], data[24:28]
    pages, valid_for = struct.unpack(">I", data[28:32])[0], data[92:96]
    size = 65536 if page == 1 else page
    # Old programs leave the number of pages as it was; then the two counters differ.
    if changes == valid_for and pages * size > len(data):
        raise broken


def _wal_warning(data: bytes) -> tuple[Remark, ...]:
    """Warn of a file whose latest changes may stand in a second file, which was not sent."""
    if data[18:20] != _WAL:
        return ()
    text = (
        "GeoPackage 处于 WAL 模式：未合并的最近修改在另外的 -wal 文件中，没有读到；"
        "请在软件中关闭图层后重新复制"
    )
    return (Remark("geopackage_wal", text),)
