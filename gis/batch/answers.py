"""Which answer belongs to which row, once all chunks are done?

Chunks come along a curve through the land, tables are in the order of the input. The answers are
laid into one file and found by their places, so that a table of millions is put together slice by
slice.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import geopandas
import numpy as np
import pandas as pd
import shapely

from gis.batch.building import outlines
from gis.batch.judging import Answer
from gis.batch.rows import Row
from gis.batch.spool import Spool
from gis.model import Verdict
from gis.plan import Plan

Array: TypeAlias = np.ndarray[Any, Any]

# Rows that are put together at once.
SLICE = 20_000
TEXTS = ("file", "name", "verdict", "verdict_label", "deciding_rule", "reason", "use")
AREAS = ("area_m2", "planar_m2", "mu")
COUNTS = {f"n_{verdict.value}": verdict.value for verdict in reversed(Verdict)}
LAST = ("digest", "problem_code", "problem")
RULE = "rule_"


class Answers:
    """The answers of a batch in the order of its input.

    Parameters
    ----------
    path
        Where they are laid together.
    count
        Rows of the batch.
    chunks
        Row numbers of each chunk, in rising order, with its lines.
    """

    def __init__(self, path: Path, count: int, chunks: Iterable[tuple[Array, bytes]]) -> None:
        self.path = path
        self._start = np.zeros(count, dtype=np.int64)
        self._size = np.zeros(count, dtype=np.int64)
        end = 0
        with path.open("wb") as stream:
            for numbers, lines in chunks:
                sizes = np.array([len(line) + 1 for line in lines.splitlines()], dtype=np.int64)
                self._size[numbers] = sizes
                self._start[numbers] = end + np.cumsum(sizes) - sizes
                end += stream.write(lines)

    def of(self, rows: Iterable[Row]) -> list[Answer]:
        """Return the answers of some rows."""
        with self.path.open("rb") as stream:
            return [self._answer(stream, row.number) for row in rows]

    def _answer(self, stream: Any, number: int) -> Answer:
        stream.seek(self._start[number])
        found: Answer = json.loads(stream.read(self._size[number]))
        return found


def frames(
    spool: Spool, answers: Answers, plan: Plan, *, rules: tuple[str, ...], findings: bool
) -> Iterator[geopandas.GeoDataFrame]:
    """Yield the result slice by slice: one row per row of the input, in its order.

    ``rules`` are the rules with a column of their own. A batch without rows has one empty slice.
    """
    labels = [origin.label for origin in spool.origins]
    for rows in spool.in_order(SLICE) if len(spool) else [[]]:
        found = answers.of(rows)
        yield frame_of(rows, found, labels, plan.work_epsg, rules=rules, findings=findings)


def frame_of(
    rows: list[Row],
    found: list[Answer],
    labels: list[str],
    work_epsg: int,
    *,
    rules: tuple[str, ...] = (),
    findings: bool = False,
) -> geopandas.GeoDataFrame:
    """Return rows with their answers as a table; ``labels`` are the file names by origin."""
    columns = _columns(rows, found, labels)
    for rule in rules:
        verdicts = [answer.get("rules", {}).get(rule) for answer in found]
        columns[RULE + rule] = _texts(verdicts)
    if findings:
        texts = [_json(answer.get("findings")) for answer in found]
        columns["findings"] = _texts(texts)
    return geopandas.GeoDataFrame(columns, geometry=_shapes(rows, found, work_epsg), crs=work_epsg)


def _columns(rows: list[Row], found: list[Answer], labels: list[str]) -> dict[str, Any]:
    problems = [answer.get("problem") or (None, None) for answer in found]
    columns: dict[str, Any] = {"row": np.array([row.number + 1 for row in rows], dtype=np.int64)}
    special = {
        "file": [labels[row.origin] or None for row in rows],
        "verdict_label": [_label(answer.get("verdict")) for answer in found],
    }
    for name in TEXTS:
        columns[name] = _texts(special.get(name) or [answer.get(name) or None for answer in found])
    for name in AREAS:
        columns[name] = np.array([answer.get(name, np.nan) for answer in found], dtype=float)
    for name, verdict in COUNTS.items():
        counts = [answer.get("counts", {}).get(verdict, 0) for answer in found]
        columns[name] = np.array(counts, dtype=np.int32)
    columns["digest"] = _texts([answer.get("digest") for answer in found])
    columns["problem_code"] = _texts([code for code, _ in problems])
    columns["problem"] = _texts([message for _, message in problems])
    return columns


def _label(verdict: str | None) -> str | None:
    return None if verdict is None else Verdict(verdict).label


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _texts(values: list[str | None]) -> Any:
    return pd.Series(values, dtype=object)


def _shapes(rows: list[Row], found: list[Answer], work_epsg: int) -> Array:
    """Return the outlines that were judged; None where a row could not be."""
    shapes = np.full(len(rows), None, dtype=object)
    codes = np.array([answer.get("epsg", 0) for answer in found], dtype=np.int64)
    for code in np.unique(codes[codes > 0]):
        at = np.flatnonzero(codes == code)
        shapes[at] = outlines([rows[n] for n in at], int(code), work_epsg)
    for n, answer in enumerate(found):
        if "wkb" in answer:
            shapes[n] = shapely.from_wkb(bytes.fromhex(answer["wkb"]))
    return shapes
