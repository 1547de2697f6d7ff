"""What stands in a layer file or table, read even where the plan has to refuse it?

Features without geometry, short index files, tables in another encoding: all of it is read as far
as it goes, and what had to be done is told as facts. Nothing is judged and nothing is changed.
"""

from __future__ import annotations

import shutil
import struct
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pyogrio

from gis.engine.index import Array
from gis.model import LayerState
from gis.plan.catalogue import Layer, stored, text_column
from gis.plan.quality.encodings import decoded
from gis.plan.quality.layer_data import FileFacts, LayerData, TextFacts, is_nothing
from gis.plan.schema import LayerEntry
from gis.plan.sources.files import part_beside
from gis.plan.sources.postgis import Databases
from gis.plan.sources.stored import LayerAbsentError, LayerUnusableError, Stored, quietly

_PARTS = (".shx", ".dbf")
# One character per byte; what the bytes mean is decided afterwards.
_BYTES = "ISO-8859-1"


def read_raw(
    entry: LayerEntry, layer: Layer, work_epsg: int, databases: Databases | None = None
) -> LayerData:
    """Return a layer as its file or table has it; never raises for what is wrong with either.

    Parameters
    ----------
    entry
        What ``plan.toml`` says about the layer.
    layer
        The same layer as the plan opened it: gives path, state and reason.
    work_epsg
        EPSG code of the work CRS.
    databases
        Where layers in tables are read.
    """
    if layer.state is LayerState.NO_DATA:
        return _data(entry, layer, work_epsg, None, {}, FileFacts(), TextFacts())
    if layer.path is None:
        return _from_table(entry, layer, work_epsg, databases)
    path = layer.path
    is_shapefile = path.suffix.lower() == ".shp"
    facts, frame = FileFacts(), None
    try:
        facts = _file_facts(path) if is_shapefile else facts
        frame = _read(path, entry, facts, is_shapefile=is_shapefile)
    except Exception as problem:
        # A damaged file is reported in many ways; every one of them means the same here.
        facts = FileFacts(facts.missing, facts.records, problem=type(problem).__name__)
    if frame is None:
        return _data(entry, layer, work_epsg, None, {}, facts, TextFacts())
    columns, text = _columns(frame), TextFacts()
    if is_shapefile:
        declared = _declared(path)
        columns, text = decoded(columns, declared, lambda: _as_the_plan_reads(entry, path))
    return _data(entry, layer, work_epsg, frame, columns, facts, text)


def _from_table(
    entry: LayerEntry, layer: Layer, work_epsg: int, databases: Databases | None
) -> LayerData:
    try:
        # No folder: the layer has none.
        found = stored(entry, Path(), databases, every=True)
    except (LayerAbsentError, LayerUnusableError) as problem:
        facts = FileFacts(problem=str(problem))
        return _data(entry, layer, work_epsg, None, {}, facts, TextFacts())
    return _data(entry, layer, work_epsg, found, found.fields, FileFacts(), TextFacts())


def _data(
    entry: LayerEntry,
    layer: Layer,
    work_epsg: int,
    frame: Any,
    columns: Mapping[str, Array],
    facts: FileFacts,
    text: TextFacts,
) -> LayerData:
    shapes, crs = np.array([], dtype=object), None
    if isinstance(frame, geopandas.GeoDataFrame):
        shapes, crs = frame.geometry.to_numpy(dtype=object), frame.crs
    elif isinstance(frame, Stored):
        shapes, crs = frame.shapes, frame.crs
    elif frame is not None:
        shapes = np.full(len(frame), None, dtype=object)
    return LayerData(
        entry=entry,
        state=layer.state,
        reason=layer.reason,
        ids=_ids(columns.get(entry.fields.id or ""), len(shapes)),
        columns=columns,
        shapes=shapes,
        crs=crs,
        file=facts,
        text=text,
        work_epsg=work_epsg,
    )


def _ids(column: Array | None, count: int) -> Array:
    """Return how each feature is named to a person: its id, or its row in the file from 1."""
    known = [None] * count if column is None else text_column(column)
    names = [f"第 {n} 行" if is_nothing(value) else value for n, value in enumerate(known, start=1)]
    return np.array(names, dtype=object)


def _columns(frame: Any) -> dict[str, Array]:
    geometry = frame.geometry.name if isinstance(frame, geopandas.GeoDataFrame) else None
    return {
        str(name): frame[name].to_numpy(dtype=object) for name in frame.columns if name != geometry
    }


# --- shapefiles ----------------------------------------------------------------------------------


def _file_facts(path: Path) -> FileFacts:
    missing = tuple(suffix for suffix in _PARTS if not part_beside(path, suffix).exists())
    records = {"shp": _records_of_shp(path)}
    deleted = 0
    if ".shx" not in missing:
        records["shx"] = max(part_beside(path, ".shx").stat().st_size - 100, 0) // 8
    if ".dbf" not in missing:
        records["dbf"], deleted = _records_of_dbf(part_beside(path, ".dbf"))
    shortest = min(records.values())
    differ = len(set(records.values())) > 1
    return FileFacts(
        missing=missing,
        records=records if differ else None,
        hidden=tuple(range(shortest, max(records.values()))) if differ else (),
        deleted=deleted,
        lacking_bytes=_lacking_bytes(path),
    )


def _records_of_shp(path: Path) -> int:
    """Return how many complete records follow each other from the start."""
    data, at, count = path.read_bytes(), 100, 0
    while at + 8 <= len(data):
        words = struct.unpack(">i", data[at + 4 : at + 8])[0]
        at += 8 + words * 2
        if words < 2 or at > len(data):
            break
        count += 1
    return count


def _records_of_dbf(path: Path) -> tuple[int, int]:
    """Return the number of rows, and how many of them are marked as deleted."""
    data = path.read_bytes()
    rows, head, width = struct.unpack("<IHH", data[4:12])
    return rows, data[head : head + rows * width : width].count(b"*") if width else 0


def _lacking_bytes(path: Path) -> int:
    with path.open("rb") as file:
        head = file.read(28)
    stated = struct.unpack(">i", head[24:28])[0] * 2 if len(head) == 28 else 0
    return max(stated - path.stat().st_size, 0)


def _read(path: Path, entry: LayerEntry, facts: FileFacts, *, is_shapefile: bool) -> Any:
    if not is_shapefile:
        with quietly():
            return pyogrio.read_dataframe(path, encoding=entry.encoding, on_invalid="ignore")
    if facts.records is None and ".shx" not in facts.missing:
        return _read_bytes(path)
    with tempfile.TemporaryDirectory(prefix="wuqu-") as folder:
        return _read_bytes(_without_index(path, Path(folder)))


def _without_index(path: Path, folder: Path) -> Path:
    """Copy a shapefile without its index, which is then made anew from the .shp."""
    for suffix in (".shp", ".dbf", ".prj"):
        part = part_beside(path, suffix)
        if part.exists():
            shutil.copyfile(part, folder / f"layer{suffix}")
    return folder / "layer.shp"


def _read_bytes(path: Path) -> Any:
    with quietly(), _config("SHAPE_RESTORE_SHX", "YES"):
        return pyogrio.read_dataframe(path, encoding=_BYTES, on_invalid="ignore")


@contextmanager
def _config(name: str, value: str) -> Iterator[None]:
    before = pyogrio.get_gdal_config_option(name)
    pyogrio.set_gdal_config_options({name: value})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({name: before})


def _declared(path: Path) -> str | None:
    """Return what the .cpg says, None when there is none."""
    file = part_beside(path, ".cpg")
    if not file.exists():
        return None
    return file.read_bytes()[:40].decode("ascii", "replace").strip()


def _as_the_plan_reads(entry: LayerEntry, path: Path) -> Mapping[str, Array] | None:
    """Return the text as the plan reads it, None when it cannot."""
    try:
        with quietly():
            frame = pyogrio.read_dataframe(path, encoding=entry.encoding, read_geometry=False)
    except Exception:
        # Whatever GDAL or a codec raises, the plan cannot read the table either.
        return None
    return _columns(frame)
