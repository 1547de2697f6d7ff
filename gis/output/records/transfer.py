"""How do records move from one store to another? As lines of JSON, chain and all.

The first line says what the file is, the last how many rows it holds and the hash of the last one,
so that a file that was cut off is seen. Rows are written as they are stored; what comes in is
verified row by row and continues the chain of the store, or nothing comes in at all.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from gis.errors import ClaimError, FormatError
from gis.output.records.chain import changed_fields, is_linked
from gis.output.records.engines import writing
from gis.output.records.failures import store_errors
from gis.output.records.store import RecordStore, head_of
from gis.output.records.tables import CHAIN, records, snapshots
from gis.output.records.walk import rows_in_order

FORMAT = "wuqu-records"
VERSION = 1
_TABLES = {**CHAIN, "snapshot": snapshots}


@dataclass(frozen=True, slots=True)
class Moved:
    """How many rows of the chain were written out or taken in, and the end of the chain."""

    rows: int
    seq: int
    hash: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"rows": self.rows, "seq": self.seq, "hash": self.hash}


# --- out -----------------------------------------------------------------------------------------


def export_records(
    store: RecordStore, path: Path, *, each: Callable[[], object] = lambda: None
) -> Moved:
    """Write all rows to a new file, whole or not at all; ``each`` is called after every row.

    Raises
    ------
    OSError
        The file cannot be written.
    StoreError
        The records cannot be read.
    """
    seq, prev_hash = store.head()
    draft = path.with_name(f".{path.name}.part")
    try:
        with draft.open("w", encoding="ascii", newline="\n") as stream:
            rows = _write(store, stream, seq, prev_hash, each)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return Moved(rows, seq, prev_hash)


def _write(
    store: RecordStore, stream: IO[str], seq: int, end: str, each: Callable[[], object]
) -> int:
    told: set[str] = set()
    count = 0
    _line(stream, {"kind": FORMAT, "version": VERSION})
    for kind, row in rows_in_order(store, upto=seq):
        name = row.get("snapshot")
        if name and name not in told:
            told.add(name)
            _line(stream, {"kind": "snapshot", "sha256": name, "content": store.snapshot(name)})
        _line(stream, {"kind": kind, **row})
        count += 1
        each()
    _line(stream, {"kind": "end", "rows": count, "seq": seq, "hash": end})
    return count


def _line(stream: IO[str], row: Mapping[str, Any]) -> None:
    plain = {k: v.hex() if isinstance(v, bytes) else v for k, v in row.items()}
    stream.write(json.dumps(plain, allow_nan=False, separators=(",", ":")) + "\n")


# --- in ------------------------------------------------------------------------------------------


def import_records(
    store: RecordStore, path: Path, *, each: Callable[[], object] = lambda: None
) -> Moved:
    """Take in all rows of a file of ``export_records``, or none.

    The rows must stand right behind the last one of the store: a store that is empty takes a whole
    chain, the store that a copy was made from takes what was added to the copy.

    Raises
    ------
    FormatError
        The file is none of ours, is cut off, or a row is not what was written; the line is named.
    ClaimError
        A record is there already, or the rows do not continue the chain of the store.
    StoreError
        The store cannot be written.
    """
    with path.open(encoding="utf-8") as stream, store_errors(), writing(store.engine) as connection:
        arrival = _Arrival(connection, *head_of(connection))
        for number, row in _lines(stream):
            with _at(number):
                arrival.take(row)
            each()
        if not arrival.ended:
            raise FormatError("文件不完整：没有结束行", advice="重新导出")
        return Moved(arrival.rows, arrival.seq, arrival.hash)


def _lines(stream: IO[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield number and content of the lines behind the first, which must say what the file is."""
    try:
        for number, line in enumerate(stream, start=1):
            row = json.loads(line)
            if number == 1 and row != {"kind": FORMAT, "version": VERSION}:
                raise ValueError
            if number > 1:
                yield number, row
    except (ValueError, RecursionError):
        raise FormatError(
            "不是完好的检测记录导出文件",
            expected="wuqu records export 写出的文件",
            advice="重新导出，或换一份备份",
        ) from None


@contextmanager
def _at(number: int) -> Iterator[None]:
    """Name the line of what is wrong with a row."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        if isinstance(problem, (FormatError, ClaimError)):
            raise
        raise _broken(number, "内容不全或者类型不对") from None
    except IntegrityError:
        raise ClaimError(
            f"第 {number} 行的记录已在库中", expected="库中没有的记录", advice="核对文件和记录库"
        ) from None


class _Arrival:
    """The rows of one file on their way into a store, one after the other."""

    def __init__(self, connection: Connection, seq: int, prev_hash: str) -> None:
        self._connection = connection
        self.seq, self.hash = seq, prev_hash
        self.rows = 0
        self.number = 1
        self.ended = False

    def take(self, row: dict[str, Any]) -> None:
        """Store one row, or say what is wrong with it."""
        self.number += 1
        kind = row.pop("kind")
        if self.ended:
            raise _broken(self.number, "在结束行之后")
        if kind == "end":
            self._end(row)
            return
        if set(row) != set(_TABLES[kind].c.keys()):
            raise _broken(self.number, "字段与本版本不符")
        if kind == "snapshot":
            self._snapshot(row)
            return
        self._chained(kind, row)

    def _snapshot(self, row: Mapping[str, Any]) -> None:
        if hashlib.sha256(row["content"].encode()).hexdigest() != row["sha256"]:
            raise _broken(self.number, "数据清单与其校验值不符")
        if not self._has_snapshot(row["sha256"]):
            self._connection.execute(snapshots.insert(), row)

    def _chained(self, kind: str, row: dict[str, Any]) -> None:
        if row.get("geometry_wkb") is not None:
            row["geometry_wkb"] = bytes.fromhex(row["geometry_wkb"])
        changed = changed_fields(row)
        if changed:
            raise _broken(self.number, f"{'、'.join(changed)} 与写入时不同")
        if not is_linked(row, self.seq, self.hash):
            raise self._unlinked(row)
        if row.get("snapshot") and not self._has_snapshot(row["snapshot"]):
            raise _broken(self.number, "缺少它所依据的数据清单")
        self._connection.execute(CHAIN[kind].insert(), row)
        self.seq, self.hash = row["seq"], row["hash"]
        self.rows += 1

    def _unlinked(self, row: Mapping[str, Any]) -> ClaimError | FormatError:
        if self.rows:
            return _broken(self.number, f"与前一条不相连（第 {row['seq']} 条）")
        known = select(records.c.id).where(records.c.id == row.get("id"))
        if self._connection.execute(known).first() is not None:
            return ClaimError(
                f"第 {self.number} 行的记录已在库中",
                expected="库中没有的记录",
                advice="导入到空的记录库，或只导入其后新增的记录",
            )
        return ClaimError(
            f"文件从第 {row['seq']} 条开始，接不上记录库的第 {self.seq} 条",
            expected="空的记录库，或文件紧接库中的最后一条",
            advice="用 --db 指定一个新的记录库",
        )

    def _has_snapshot(self, sha256: str) -> bool:
        wanted = select(snapshots.c.sha256).where(snapshots.c.sha256 == sha256)
        return self._connection.execute(wanted).first() is not None

    def _end(self, row: Mapping[str, Any]) -> None:
        if (row["rows"], row["seq"], row["hash"]) != (self.rows, self.seq, self.hash):
            raise _broken(self.number, f"应有 {row['rows']} 条，只有 {self.rows} 条")
        self.ended = True


def _broken(number: int, what: str) -> FormatError:
    return FormatError(f"第 {number} 行：{what}", advice="重新导出，或换一份备份；没有导入任何记录")
