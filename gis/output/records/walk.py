"""In which order were the rows written? Both tables of the chain, read as one, some at a time."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Table, func, select

from gis.output.records.failures import store_errors
from gis.output.records.store import RecordStore
from gis.output.records.tables import CHAIN, records

# A record has a few hundred kilobytes at most.
_AT_ONCE = 100
# A row that was slipped in before the first one must not go unseen.
_BEFORE_ALL = -(1 << 62)

Numbered = tuple[str, Mapping[str, Any]]


def rows_in_order(store: RecordStore, *, upto: int) -> Iterator[Numbered]:
    """Yield kind (``record`` or ``decision``) and row, to a number that was the last of the chain.

    Every batch is a transaction of its own, so that a long walk holds up nobody; what is written
    meanwhile has greater numbers.
    """
    walks = [_rows(store, kind, table, upto) for kind, table in CHAIN.items()]
    yield from heapq.merge(*walks, key=lambda numbered: numbered[1]["seq"])


def _rows(store: RecordStore, kind: str, table: Table, upto: int) -> Iterator[Numbered]:
    after = _BEFORE_ALL
    while True:
        wanted = select(table).where(table.c.seq > after, table.c.seq <= upto)
        with store_errors(), store.engine.connect() as connection:
            rows = connection.execute(wanted.order_by(table.c.seq).limit(_AT_ONCE)).all()
        yield from ((kind, row._asdict()) for row in rows)
        if len(rows) < _AT_ONCE:
            return
        after = rows[-1].seq


def count_of(store: RecordStore) -> int:
    """Return how many rows the chain has."""
    with store_errors(), store.engine.connect() as connection:
        return sum(_count(connection, table) for table in CHAIN.values())


def neighbours(store: RecordStore, seq: int) -> tuple[Mapping[str, Any] | None, ...]:
    """Return seals of the row before and of the row behind a number, None where there is none."""
    with store_errors(), store.engine.connect() as connection:
        return _seal(connection, seq - 1), _seal(connection, seq + 1)


def _seal(connection: Connection, seq: int) -> Mapping[str, Any] | None:
    for table in CHAIN.values():
        wanted = select(table.c.seq, table.c.prev_hash, table.c.hash).where(table.c.seq == seq)
        row = connection.execute(wanted).first()
        if row is not None:
            return row._asdict()
    return None


def _count(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def ids_in_order(store: RecordStore) -> list[str]:
    """Return the ids of all records, the oldest first."""
    with store_errors(), store.engine.connect() as connection:
        return list(connection.execute(select(records.c.id).order_by(records.c.seq)).scalars())
