"""How is the result of a batch written: GeoPackage, GeoParquet or CSV?

Slice by slice, beside the target and moved over it, so that nobody meets half a table; equal
content gives equal bytes. Nothing is decided here.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import geopandas

from gis.errors import ClaimError
from gis.files import write_gpkg_slices, write_table

LAYER = "sites"
_HEADINGS = {
    "row": "行号",
    "file": "文件",
    "name": "名称",
    "verdict": "结论代码",
    "verdict_label": "结论",
    "deciding_rule": "决定规则",
    "reason": "理由",
    "use": "用途代码",
    "area_m2": "椭球面积_平方米",
    "planar_m2": "平面面积_平方米",
    "mu": "亩",
    "n_fail": "不符合_项",
    "n_undetermined": "需核实_项",
    "n_conditional": "有条件符合_项",
    "n_pass": "符合_项",
    "n_not_applicable": "不涉及_项",
    "digest": "摘要",
    "problem_code": "问题代码",
    "problem": "问题",
    "findings": "各项结果",
    "record_id": "记录编号",
}


def check_suffix(path: Path) -> None:
    """Raise ClaimError unless the suffix names a format that can be written."""
    if path.suffix.lower() not in _WRITERS:
        raise ClaimError(
            f"不能写出“{path.name}”",
            expected="以 .gpkg、.parquet 或 .csv 结尾的文件名",
            advice="改写 -o 的文件名",
        )


def write(slices: Iterable[geopandas.GeoDataFrame], path: Path) -> Path:
    """Write the slices of a result as one file; return its path.

    Raises
    ------
    ClaimError
        A suffix that names no format.
    OSError
        The file system refuses.
    """
    check_suffix(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".batch-") as folder:
        draft = Path(folder) / f"draft{path.suffix.lower()}"
        _WRITERS[path.suffix.lower()](slices, draft)
        draft.replace(path)
    return path


def read_back(path: Path) -> Any:
    """Return a finished result as a table with the columns of ``check_sites``.

    A CSV has no outlines, and its counts and areas are those that were printed.
    """
    match path.suffix.lower():
        case ".gpkg":
            return geopandas.read_file(path, layer=LAYER, engine="pyogrio")
        case ".parquet":
            return geopandas.read_parquet(path)
        case _:
            import pandas as pd

            names = {heading: name for name, heading in _HEADINGS.items()}
            texts = {
                _HEADINGS[name]: str for name in ("name", "use", "file", "digest", "record_id")
            }
            # Only an empty cell is empty: a site may be called "NA".
            return pd.read_csv(
                path, encoding="utf-8-sig", dtype=texts, keep_default_na=False, na_values=[""]
            ).rename(columns=names)


def _gpkg(slices: Iterable[geopandas.GeoDataFrame], path: Path) -> None:
    write_gpkg_slices(LAYER, slices, path)


def _csv(slices: Iterable[geopandas.GeoDataFrame], path: Path) -> None:
    write_table(lines(slices), path)


def lines(slices: Iterable[geopandas.GeoDataFrame]) -> Iterator[list[Any]]:
    """Yield a result line by line without outlines, Chinese headings first."""
    first = True
    for part in slices:
        table = part.drop(columns=part.geometry.name)
        if first:
            yield [_HEADINGS.get(str(name), str(name)) for name in table.columns]
            first = False
        for row in table.itertuples(index=False):
            # An area that is not known is an empty cell, never the word "nan".
            yield [None if value != value else value for value in row]


def _parquet(slices: Iterable[geopandas.GeoDataFrame], path: Path) -> None:
    import pyarrow.parquet  # type: ignore[import-untyped]  # pyarrow has no types

    writer = None
    try:
        for part in slices:
            table = _arrow(part)
            writer = writer or pyarrow.parquet.ParquetWriter(path, table.schema, compression="zstd")
            writer.write_table(table)
    finally:
        if writer is not None:
            writer.close()


def _arrow(part: geopandas.GeoDataFrame) -> Any:
    """Return a slice as an Arrow table whose schema depends on no value."""
    import pyarrow
    import shapely

    fields, columns = [], []
    for name in part.columns.drop(part.geometry.name):
        values = part[name]
        kind = (
            pyarrow.string() if values.dtype == object else pyarrow.from_numpy_dtype(values.dtype)
        )
        fields.append(pyarrow.field(str(name), kind))
        columns.append(pyarrow.array(values, type=kind, from_pandas=True))
    fields.append(pyarrow.field("geometry", pyarrow.binary()))
    shapes = shapely.to_wkb(part.geometry.array, byte_order=1)
    columns.append(pyarrow.array(shapes.tolist(), type=pyarrow.binary()))
    schema = pyarrow.schema(fields, metadata={"geo": json.dumps(_geo(part.crs))})
    return pyarrow.table(columns, schema=schema)


def _geo(crs: Any) -> dict[str, Any]:
    column = {"encoding": "WKB", "geometry_types": [], "crs": crs.to_json_dict()}
    return {"version": "1.0.0", "primary_column": "geometry", "columns": {"geometry": column}}


_WRITERS = {".gpkg": _gpkg, ".parquet": _parquet, ".csv": _csv}
