"""Which records does a query find? First from a few columns, then the records of one page whole.

The columns decide only which records are read; what is handed out is proven, as everywhere.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence

from sqlalchemy import Row, Select, func, select

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
) -> Sequence[Row[tuple[object, ...]]]:
    """Return the columns ``OVERVIEW`` of all records, the oldest first; with ``owner`` of one.

    ``outlines`` adds ``geometry_wkb`` and ``inputs``, which names the CRS of the outline.
    """
    names = (*OVERVIEW, "geometry_wkb", "inputs") if outlines else OVERVIEW
    wanted = _of(select(*(records.c[name] for name in names)), owner).order_by(records.c.seq)
    with store_errors(), store.engine.connect() as connection:
        return connection.execute(wanted).all()


def count(store: RecordStore, *, owner: str | None = None) -> int:
    """Return how many records there are, with ``owner`` of one owner."""
    wanted = _of(select(func.count()).select_from(records), owner)
    with store_errors(), store.engine.connect() as connection:
        return int(connection.execute(wanted).scalar_one())


def numbers(
    store: RecordStore, offset: int, limit: int, *, owner: str | None = None
) -> list[int]:
    """Return the numbers of one page of records, the oldest first."""
    wanted = _of(select(records.c.seq), owner).order_by(records.c.seq).offset(offset).limit(limit)
    with store_errors(), store.engine.connect() as connection:
        return list(connection.execute(wanted).scalars())


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


def _of(wanted: Select[tuple[object, ...]], owner: str | None) -> Select[tuple[object, ...]]:
    return wanted if owner is None else wanted.where(records.c.owner == owner)
