"""Which records does a query find? First from a few columns, then the records of one page whole.

The columns decide only which records are read; what is handed out is proven, as everywhere.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select, true

from gis.output.records.chain import changed_fields
from gis.output.records.failures import store_errors
from gis.output.records.kept import Record, record_of
from gis.output.records.store import RecordStore
from gis.output.records.tables import records

_LOG = logging.getLogger("wuqu")
# A record has a few hundred kilobytes at most.
_AT_ONCE = 50
OVERVIEW = (
    "seq", "id", "created_at", "name", "verdict", "digest", "plan_id", "plan_version", "as_of",
)  # fmt: skip


def overview(
    store: RecordStore, *, owner: str | None = None, outlines: bool = False
) -> Sequence[Row[Any]]:
    """Return the columns ``OVERVIEW`` of all records, the oldest first; with ``owner`` of one.

    ``outlines`` adds ``geometry_wkb`` and ``inputs``, which names the CRS of the outline.
    """
    names = (*OVERVIEW, "geometry_wkb", "inputs") if outlines else OVERVIEW
    wanted = select(*(records.c[name] for name in names)).where(_of(owner)).order_by(records.c.seq)
    with store_errors(), store.engine.connect() as connection:
        return connection.execute(wanted).all()


def count(store: RecordStore, *, owner: str | None = None) -> int:
    """Return how many records there are, with ``owner`` of one owner."""
    wanted = select(func.count()).select_from(records).where(_of(owner))
    with store_errors(), store.engine.connect() as connection:
        return int(connection.execute(wanted).scalar_one())


def between(store: RecordStore, *, owner: str | None = None) -> tuple[str, str] | None:
    """Return when the first and the last record were made; None when there is none."""
    moment = records.c.created_at
    wanted = select(func.min(moment), func.max(moment)).where(_of(owner))
    with store_errors(), store.engine.connect() as connection:
        first, last = connection.execute(wanted).one()
    return None if first is None else (first, last)


def numbers(store: RecordStore, offset: int, limit: int, *, owner: str | None = None) -> list[int]:
    """Return the numbers of one page of records, the oldest first."""
    wanted = select(records.c.seq).where(_of(owner)).order_by(records.c.seq)
    with store_errors(), store.engine.connect() as connection:
        return list(connection.execute(wanted.offset(offset).limit(limit)).scalars())


def by_number(store: RecordStore, wanted: Sequence[int]) -> Iterator[Record]:
    """Yield the records of some numbers in their order.

    A record whose bytes have changed is left out; the log names it.
    """
    for first in range(0, len(wanted), _AT_ONCE):
        part = wanted[first : first + _AT_ONCE]
        with store_errors(), store.engine.connect() as connection:
            found = connection.execute(select(records).where(records.c.seq.in_(part))).all()
        rows = {row.seq: row._asdict() for row in found}
        for row in (rows[seq] for seq in part if seq in rows):
            if changed_fields(row):
                _LOG.error("a record is not what was written: %s", json.dumps(row["id"]))
                continue
            yield record_of(row)


def _of(owner: str | None) -> ColumnElement[bool]:
    return true() if owner is None else records.c.owner == owner
