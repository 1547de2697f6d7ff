"""How are records kept twice? A SQLite file is copied while the service goes on writing.

The copy is one file; its chain is verified, and it is on disk, before it gets its name. A database
server has tools of its own; see docs/records.md.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from gis.errors import ClaimError, StoreDamagedError
from gis.output.records.address import SQLITE
from gis.output.records.audit import audit
from gis.output.records.failures import store_errors
from gis.output.records.store import RecordStore


def backup(store: RecordStore, path: Path) -> int:
    """Copy the records to a new SQLite file; return its size in bytes.

    Raises
    ------
    ClaimError
        The file exists, or the records are in a database server.
    StoreDamagedError
        The chain of the copy is not whole, because that of the original is not.
    OSError
        The file cannot be written.
    """
    if store.address.kind != SQLITE:
        raise ClaimError(
            "记录在 PostgreSQL 数据库中，不能这样备份",
            expected="SQLite 记录库",
            advice="用 pg_dump --format=custom 备份，见 docs/records.md",
        )
    if path.exists():
        raise ClaimError(f"“{path}”已存在", expected="新的文件名", advice="换一个文件名")
    draft = path.with_name(f".{path.name}.part")
    try:
        _copy(store, draft)
        _check(draft)
        with draft.open("rb+") as stream:
            os.fsync(stream.fileno())
        draft.replace(path)
    finally:
        for leftover in path.parent.glob(f"{draft.name}*"):
            leftover.unlink()
    return path.stat().st_size


def _copy(store: RecordStore, draft: Path) -> None:
    draft.unlink(missing_ok=True)
    draft.touch(0o600)
    with store_errors(), closing(sqlite3.connect(draft)) as target:
        source = store.engine.raw_connection()
        try:
            # All pages in one step: a reader of a WAL file holds up no writer, and a copy in
            # several steps would begin again with every record that is written meanwhile.
            source.driver_connection.backup(target)  # type: ignore[union-attr]  # an open connection has a driver
        except sqlite3.Error as error:
            raise _failed(error) from error
        finally:
            source.close()


def _check(draft: Path) -> None:
    """Raise StoreDamagedError unless the copy is a whole chain; leave it as one file."""
    copy = RecordStore(draft)
    try:
        faults = audit(copy).faults
    finally:
        copy.close()
    if faults:
        raise StoreDamagedError(
            f"备份未通过核对：{faults[0].message}",
            advice="原记录库已损坏，运行 wuqu verify --all，再从较早的备份恢复",
        )
    with closing(sqlite3.connect(draft)) as target:
        # Without a log beside it, it can be copied like any other file.
        target.execute("PRAGMA journal_mode=DELETE")


def _failed(error: sqlite3.Error) -> OSError:
    return OSError(0, f"备份没有完成（{error}）")
