"""How does the outcome of a job leave as a table? GeoPackage, CSV, XLSX or GeoJSON.

The columns are those of ``wuqu batch``, with the number of the record behind; a row that could not
be judged says why. No coordinates but those of the sites themselves are in a table.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas

from gis.batch import tables
from gis.batch.answers import frame_of
from gis.batch.rows import Row
from gis.crs import to_lonlat
from gis.files import safe_text
from gis.jobs.folder import JobFolder, write_whole
from gis.jobs.model import Job, TaskKind
from gis.jobs.store import JobStore
from gis.output.workbook import book_bytes
from gis.plan import Plan

_AT_ONCE = 1_000
RECORD = "record_id"


def slices(store: JobStore, job: Job, plan: Plan) -> Iterator[geopandas.GeoDataFrame]:
    """Yield the table of a job in the order of its rows, some at a time."""
    after, first = -1, True
    while found := store.answers(job.id, after, _AT_ONCE):
        after, first = found[-1]["row"], False
        yield _frame(found, plan.work_epsg)
    if first:
        yield _frame([], plan.work_epsg)


def _frame(found: list[dict[str, Any]], work_epsg: int) -> geopandas.GeoDataFrame:
    labels = sorted({answer.get("file", "") for answer in found})
    rows = [
        Row(answer["row"], 0, labels.index(answer.get("file", "")), answer.get("name", ""))
        for answer in found
    ]
    frame = frame_of(rows, found, labels, work_epsg)
    numbers = [answer[RECORD] for answer in found]
    # Before the outline, which stays the last column.
    frame.insert(len(frame.columns) - 1, RECORD, geopandas.pd.Series(numbers, dtype=object))
    return frame


def write_result(store: JobStore, folder: JobFolder, job: Job, plan: Plan, kind: TaskKind) -> Path:
    """Write one table; it appears whole. Return its path.

    Raises
    ------
    OSError, StoreError
        The disk or the store refuses.
    """
    path = folder.result(kind.value)
    parts = slices(store, job, plan)
    if kind is TaskKind.xlsx:
        write_whole(path, _xlsx(parts))
    elif kind is TaskKind.geojson:
        write_whole(path, _geojson(parts, plan))
    else:
        tables.write(parts, path)
    return path


def _xlsx(parts: Iterator[geopandas.GeoDataFrame]) -> bytes:
    head: list[str] = []
    judged: list[list[Any]] = []
    refused: list[list[Any]] = []
    for line in tables.lines(parts):
        if not head:
            head = line
            continue
        (judged if line[head.index("结论代码")] else refused).append(line)
    told = [head.index(name) for name in ("行号", "文件", "名称", "问题代码", "问题")]
    return book_bytes(
        [
            ("地块", head, judged),
            ("无法检测", [head[n] for n in told], [[line[n] for n in told] for line in refused]),
        ]
    )


def _geojson(parts: Iterator[geopandas.GeoDataFrame], plan: Plan) -> bytes:
    features = [
        json.dumps(feature, ensure_ascii=False, separators=(",", ":"))
        for part in parts
        for feature in _features(part, plan.work_epsg)
    ]
    text = '{"type":"FeatureCollection","features":[' + ",\n".join(features) + "]}"
    return text.encode("utf-8", "replace")


def _features(part: geopandas.GeoDataFrame, work_epsg: int) -> Iterator[dict[str, Any]]:
    names = [name for name in part.columns if name != part.geometry.name]
    for values, outline in zip(
        part[names].itertuples(index=False, name=None), part.geometry, strict=True
    ):
        said = {n: _plain(v) for n, v in zip(names, values, strict=True)}
        drawn = None if outline is None else to_lonlat(outline, work_epsg)
        yield {"type": "Feature", "properties": said, "geometry": drawn}


def _plain(value: Any) -> Any:
    if value is None or value != value:  # no number is not equal to itself
        return None
    return safe_text(value.item() if hasattr(value, "item") else value)
