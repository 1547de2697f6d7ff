"""Which answers were given? The store of decision records: a SQLite file or a PostgreSQL database.

A record is written before its answer goes out, so an acknowledged answer is never lost: WAL mode
with ``synchronous=FULL`` survived every kill -9 in trials where a rewritten JSON file did not.
Safe across threads, processes and servers: whoever writes holds the end of the chain. It never
judges a site, never changes a stored row, and hands out no record whose bytes have changed.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from sqlalchemy import Connection, Engine, Table, select

from gis.errors import NotFoundError
from gis.output.records.address import SQLITE, Address, address_of
from gis.output.records.chain import (
    GENESIS,
    Hashed,
    Row,
    changed_fields,
    is_whole,
    sealed,
)
from gis.output.records.engines import enter_wal, open_engine, writing
from gis.output.records.entry import Entry, Snapshot, Submission
from gis.output.records.failures import damaged, store_errors
from gis.output.records.kept import Decision, Record, RecordSummary, decision_of, record_of
from gis.output.records.rows import decision_row, made_ready
from gis.output.records.schema import require_current
from gis.output.records.tables import CHAIN, decisions, records, snapshots

_LOG = logging.getLogger("wuqu")
Along: TypeAlias = Callable[[Connection, list[list[str]]], None]
# What the list of recent answers shows; with these two it is proven without the whole row.
_LISTED = ("id", "created_at", "name", "verdict", "owner")
_SEALS = ("field_hashes", "hash")


class RecordStore:
    """The decision records; open the same address in as many processes as needed.

    Parameters
    ----------
    address
        A SQLite file (created when absent, with its folder, and migrated when it is of an earlier
        version), or a URL of SQLite or PostgreSQL.

    Raises
    ------
    ClaimError
        An address that cannot be used.
    StoreError
        The records cannot be opened; the subclass says why. Tables of a PostgreSQL database are
        created and migrated by ``gis.output.records.schema.migrate`` only.
    """

    def __init__(self, address: Path | str | Address) -> None:
        self.address = address_of(address)
        self._pid = os.getpid()
        self._engine = open_engine(self.address)
        self._snapshots: set[str] = set()
        try:
            with store_errors():
                if self.address.kind == SQLITE:
                    enter_wal(self._engine)
                require_current(self._engine)
        except BaseException:
            self._engine.dispose()
            raise

    # --- writing ---------------------------------------------------------------------------------

    def save(self, entry: Entry, *, sha256: str = "", owner: str = "") -> str:
        """Store one answer and return its new, unguessable id once it is on disk."""
        ((record_id,),) = self.save_uploads([Submission([entry], sha256, owner)])
        return record_id

    def save_uploads(
        self, submissions: Sequence[Submission], along: Along | None = None
    ) -> list[list[str]]:
        """Store the answers of several requests, all or none; return the ids per request.

        One transaction, so one wait for the disk. The stored document carries the id of its record.
        ``along`` writes into the same transaction what must be there exactly when the records are;
        it is given the ids, and what it raises takes the records back.

        Raises
        ------
        StoreError
            Nothing was stored; the subclass says why.
        ValueError
            A document holds what JSON cannot say.
        """
        groups = [made_ready(one).rows for one in submissions]
        rows = [row for group in groups for row in group]
        resting_on = [e.snapshot for one in submissions for e in one.entries if e.snapshot]
        with self._writing() as connection:
            new = self._keep_snapshots(connection, resting_on)
            _append(connection, records, rows)
            ids = [[one.row["id"] for one in group] for group in groups]
            if along is not None:
                along(connection, ids)
        self._snapshots |= new
        return ids

    def decide(
        self,
        record_id: str,
        *,
        verdict: str,
        office: str,
        reason: str,
        by: str = "",
        request_id: str = "",
    ) -> Decision:
        """Add what an officer decided beside the computed answer, which stays as it is.

        Parameters
        ----------
        record_id
            The record that the officer decides on.
        verdict
            A verdict, see ``gis.model.Verdict``.
        office, reason
            Which office decides, and why; one line each.
        by
            Who wrote it: the name of a key, or of a person at the command line.

        Raises
        ------
        NotFoundError
            There is no such record.
        ClaimError
            An unknown verdict, or a text that is missing, too long or cannot be printed.
        StoreError
            Nothing was stored.
        """
        record = self.get(record_id)
        row = decision_row(
            record, verdict=verdict, office=office, reason=reason, by=by, request_id=request_id
        )
        with self._writing() as connection:
            (stored,) = _append(connection, decisions, [row])
        return decision_of(stored)

    def _keep_snapshots(self, connection: Connection, wanted: Sequence[Snapshot]) -> set[str]:
        """Store the snapshots that are not stored yet, and return all that are new to us."""
        new = {s.sha256: s for s in wanted if s.sha256 not in self._snapshots}
        for sha256, snapshot in new.items():
            known = select(snapshots.c.sha256).where(snapshots.c.sha256 == sha256)
            if connection.execute(known).first() is None:
                row = {"sha256": sha256, "content": snapshot.content}
                connection.execute(snapshots.insert(), row)
        return set(new)

    # --- reading ---------------------------------------------------------------------------------

    def get(self, record_id: str, may_see: Callable[[str], bool] | None = None) -> Record:
        """Return one record.

        Parameters
        ----------
        record_id
            Its id.
        may_see
            Whether who asks may see the records of an owner; default: of everybody.

        Raises
        ------
        NotFoundError
            There is none with this id that may be seen.
        StoreDamagedError
            Its bytes are not those that were written; nothing of it can be relied on.
        """
        row = self.row(record_id)
        changed = changed_fields(row)
        # The record of another answer, damaged into this id, is none; and what became of a record
        # concerns only who may see it. An owner that is not proven is nobody.
        is_other = row["id"] == record_id and "id" in changed
        owner = row["owner"] if is_whole(row, ("owner",)) else ""
        if is_other or not (may_see is None or may_see(owner)):
            raise _no_such_record()
        if changed or row["id"] != record_id:
            raise damaged("这条检测记录")
        return record_of(row)

    def row(self, record_id: str) -> Mapping[str, Any]:
        """Return the stored row of a record as it is, whole or not; raise NotFoundError."""
        with self._reading() as connection:
            # By its number: found by its id, SQLite would take the id from the index, and a changed
            # one in the row itself would go unseen.
            place = select(records.c.seq).where(records.c.id == record_id)
            seq = connection.execute(place).scalar()
            row = connection.execute(select(records).where(records.c.seq == seq)).first()
        if row is None:
            raise _no_such_record()
        return row._asdict()

    def recent(self, limit: int = 20, *, owner: str | None = None) -> tuple[RecordSummary, ...]:
        """Return the newest records first, at most ``limit``; with ``owner`` those of one owner.

        A record whose bytes have changed is left out; the log names it.
        """
        wanted = select(*(records.c[name] for name in (*_LISTED, *_SEALS)))
        if owner is not None:
            wanted = wanted.where(records.c.owner == owner)
        with self._reading() as connection:
            rows = connection.execute(wanted.order_by(records.c.seq.desc()).limit(limit)).all()
        return tuple(_summaries(row._asdict() for row in rows))

    def decisions(self, record_id: str) -> tuple[Decision, ...]:
        """Return what officers decided on a record, in order.

        Raises
        ------
        StoreDamagedError
            The bytes of a decision are not those that were written.
        """
        rows = self.decision_rows(record_id)
        if any(changed_fields(row) for row in rows):
            raise damaged("这条记录的人工决定")
        return tuple(decision_of(row) for row in rows)

    def decision_rows(self, record_id: str) -> tuple[Mapping[str, Any], ...]:
        """Return the stored rows of decisions on a record as they are, whole or not."""
        wanted = select(decisions).where(decisions.c.record_id == record_id)
        with self._reading() as connection:
            rows = connection.execute(wanted.order_by(decisions.c.seq)).all()
        return tuple(row._asdict() for row in rows)

    def snapshot(self, sha256: str) -> str | None:
        """Return the content of a snapshot as it is stored, None when there is none."""
        wanted = select(snapshots.c.content).where(snapshots.c.sha256 == sha256)
        with self._reading() as connection:
            found: str | None = connection.execute(wanted).scalar()
        return found

    def head(self) -> tuple[int, str]:
        """Return number and hash of the last row of the chain; 0 and ``GENESIS`` when empty."""
        with self._reading() as connection:
            return head_of(connection)

    def require_writable(self) -> None:
        """Raise StoreError when a record could not be written now; nothing is written."""
        with self._writing() as connection:
            head_of(connection)

    # --- connections -----------------------------------------------------------------------------

    def close(self) -> None:
        """Close every connection of this process."""
        self._engine.dispose()

    @property
    def engine(self) -> Engine:
        """The engine of this process, for those that read many rows or move them."""
        # A connection must never be used on both sides of a fork; the child starts its own pool.
        if os.getpid() != self._pid:
            self._engine.dispose(close=False)
            self._pid = os.getpid()
        return self._engine

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with store_errors(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with store_errors(), writing(self.engine) as connection:
            yield connection


def _no_such_record() -> NotFoundError:
    return NotFoundError(
        "没有这个编号的检测记录", expected="检测时返回的编号", advice="核对编号，或重新检测"
    )


def _append(
    connection: Connection, table: Table, rows: Sequence[Row | Hashed]
) -> list[dict[str, Any]]:
    """Put rows at the end of the chain; the caller holds its lock."""
    seq, prev_hash = head_of(connection)
    chained = []
    for row in rows:
        seq += 1
        chained.append(sealed(row, seq, prev_hash))
        prev_hash = chained[-1]["hash"]
    if chained:
        connection.execute(table.insert(), chained)
    return chained


def head_of(connection: Connection) -> tuple[int, str]:
    """Return number and hash of the last row, as a transaction sees it."""
    ends = [(0, GENESIS)]
    for table in CHAIN.values():
        last = select(table.c.seq, table.c.hash).order_by(table.c.seq.desc()).limit(1)
        ends += [(row.seq, row.hash) for row in connection.execute(last)]
    return max(ends)


def _summaries(rows: Iterator[Mapping[str, Any]]) -> Iterator[RecordSummary]:
    for row in rows:
        if is_whole(row, _LISTED):
            yield RecordSummary(*(row[name] for name in _LISTED))
        else:
            _LOG.error("a record is not what was written: %s", json.dumps(row["id"]))
