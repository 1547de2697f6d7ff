"""Records to tamper with: stores with real answers, and single bits that turn over in files."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

from sqlalchemy import text

from gis.canonical import to_dict
from gis.check import check_site
from gis.intake.read import read_site
from gis.model import Site
from gis.output.records import Entry, RecordStore, Submission, entry_of
from gis.output.records.snapshot import snapshot_of

RING = [[115.97, 36.37], [115.971, 36.37], [115.971, 36.371], [115.97, 36.371], [115.97, 36.37]]
SITE = {"type": "Polygon", "coordinates": [RING]}
AS_OF = date(2026, 11, 22)
# Columns that SQLite does not open as a stream, because they are numbers or stand in an index.
_BESIDE = {"id": "created_at", "digest": "upload_sha256", "owner": "request_id"}
_NUMBERS = ("seq", "format")


def document(name="一号地块", verdict="pass"):
    """What a store needs of a check document, and no more."""
    return {
        "id": "check-1",
        "verdict": verdict,
        "digest": "d" * 64,
        "site": {"name": name, "source": {"sha256": "a" * 64}},
        "plan": {"id": "p", "version": "1"},
    }


def keep(store: RecordStore, name: str = "一号地块") -> str:
    """Keep an answer that nobody judged."""
    return store.save(Entry(document(name)))


def checked(plan, *, site=SITE, use="080403", attributes=None, as_of=AS_OF) -> Entry:
    """Check a site as the service does, ready to be kept."""
    read = site if isinstance(site, Site) else read_site(site, plan)
    how = {"use": use, "attributes": attributes, "as_of": as_of}
    found = check_site(read, plan, **how, remedies=False)
    return entry_of(found, to_dict(found), snapshot_of(plan))


def keep_checked(store: RecordStore, plan, **how) -> str:
    """Keep the answer of a real check."""
    submission = Submission([checked(plan, **how)], "b" * 64, "窗口一", "request-1")
    return store.save_uploads([submission])[0][0]


def turn_bit(path: Path, offset: int, bit: int = 1) -> None:
    """Turn over one bit of a file."""
    with path.open("r+b") as file:
        file.seek(offset)
        (byte,) = file.read(1)
        file.seek(offset)
        file.write(bytes([byte ^ bit]))


def turn_bit_of(store: RecordStore, table: str, column: str, seq: int, bit: int = 1) -> None:
    """Turn over one bit of a stored value, in the SQLite file; the store is closed before."""
    store.close()
    path = store.address.file
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        if column in _NUMBERS:
            # A small number has no byte of its own.
            connection.execute(f"DROP TRIGGER IF EXISTS {table}_no_update")
            changed = f"UPDATE {table} SET {column} = {column} | 1024 WHERE seq = ?"
            connection.execute(changed, (seq,))
            return
        if table == "snapshots":
            seq = connection.execute("SELECT rowid FROM snapshots").fetchone()[0]
        wanted = f"SELECT * FROM {table} WHERE rowid = ?"
        connection.row_factory = sqlite3.Row
        row = connection.execute(wanted, (seq,)).fetchone()
        if table == "records" and column in _BESIDE:
            # A row holds its values one behind the other; the index has this one alone.
            value = row[column].encode()
            together = value + row[_BESIDE[column]].encode()
            content = path.read_bytes()
            assert content.count(together) == 1
            offset = content.index(together) + len(value) // 2
        else:
            with connection.blobopen(table, column, seq) as cell:
                middle = len(cell) // 2
                cell[middle] ^= bit
            return
    turn_bit(path, offset, bit)


def run_sql(store: RecordStore, *statements: str) -> None:
    """Do to a store what its triggers forbid, as somebody may who owns the file."""
    with store.engine.begin() as connection:
        for table in ("records", "decisions", "snapshots"):
            if store.address.kind == "sqlite":
                for verb in ("update", "delete"):
                    connection.execute(text(f"DROP TRIGGER IF EXISTS {table}_no_{verb}"))
            else:
                connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        for statement in statements:
            connection.execute(text(statement))


# --- run in other processes: they must find these by the name of a module ------------------------


def write_rows(job: tuple[Path | str, int]) -> list[str]:
    """Open an address and write answers, and a decision on every fourth; return the ids."""
    address, count = job
    own = RecordStore(address)
    ids = []
    for n in range(count):
        ids.append(keep(own, f"进程地块{n}"))
        if n % 4 == 0:
            own.decide(ids[-1], verdict="pass", office="科", reason="理由")
    own.close()
    return ids


def count_rows(path: Path) -> int:
    """Open a store, look, close it; return how many records it has."""
    store = RecordStore(path)
    found = len(store.recent(1000))
    store.close()
    return found


def columns_of(table) -> list[str]:
    return [column.name for column in table.c]
