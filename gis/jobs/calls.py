"""Which calls of processes are there, and how is one let go?

A call is a job with one answer (``model.Call``): what OGC API Processes names a job. It lies beside
the batches and is worked off like them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, delete, func, select, update

from gis.jobs.finding import UNFINISHED, job_of
from gis.jobs.model import Job, JobState
from gis.jobs.statements import drop_tasks
from gis.jobs.store import JobStore
from gis.output.records.engines import writing
from gis.output.records.failures import store_errors
from gis.output.records.job_tables import job_rows, jobs

# As ``Options.to_text`` writes it. Quotes in what a user gives are escaped there, so that no value
# looks like this.
IS_CALL = jobs.c.options.contains('"call": {', autoescape=True)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which calls a list shall have; empty or None for any.

    ``begin`` and ``end`` are when a call was handed in, from an instant to just before another;
    durations are seconds from its start to its end, or to now.
    """

    owner: str | None = None
    states: Sequence[JobState] = ()
    begin: datetime | None = None
    end: datetime | None = None
    shortest_s: float | None = None
    longest_s: float | None = None
    offset: int = 0
    limit: int = 100

    def conditions(self, now_ms: int) -> list[ColumnElement[bool]]:
        """Return what a row has to meet."""
        spent = func.coalesce(jobs.c.finished_ms, now_ms) - jobs.c.started_ms
        found: list[tuple[Any, Any]] = [
            (self.owner, jobs.c.owner == self.owner),
            (self.states or None, jobs.c.state.in_([state.value for state in self.states])),
            (self.begin, jobs.c.created_ms >= _ms(self.begin)),
            (self.end, jobs.c.created_ms < _ms(self.end)),
            (self.shortest_s, spent > 1000 * (self.shortest_s or 0)),
            (self.longest_s, spent < 1000 * (self.longest_s or 0)),
        ]
        return [IS_CALL, *(condition for given, condition in found if given is not None)]


def _ms(moment: datetime | None) -> int:
    return 0 if moment is None else int(moment.timestamp() * 1000)


def calls(engine: Engine, wanted: Wanted, now_ms: int) -> tuple[Job, ...]:
    """Return one page of calls, the newest first."""
    found = (
        select(jobs)
        .where(*wanted.conditions(now_ms))
        .order_by(jobs.c.created_ms.desc(), jobs.c.id)
        .offset(wanted.offset)
        .limit(wanted.limit)
    )
    with store_errors(), engine.connect() as connection:
        return tuple(job_of(row._mapping) for row in connection.execute(found))


def dismiss(store: JobStore, job_id: str, moment_ms: int) -> Job:
    """Stop a call, or forget the answer of one that has ended; its records stay.

    Raises
    ------
    NotFoundError
        There is no such job.
    """
    gone = {"state": JobState.cancelled.value, "purged": 1, "version": jobs.c.version + 1}
    its_end = {"finished_ms": moment_ms, "expires_ms": moment_ms}
    with store_errors(), writing(store.records.engine) as connection:
        connection.execute(update(jobs).where(jobs.c.id == job_id, UNFINISHED).values(**its_end))
        connection.execute(
            update(jobs).where(jobs.c.id == job_id, jobs.c.purged == 0).values(**gone)
        )
        drop_tasks(connection, job_id)
        connection.execute(delete(job_rows).where(job_rows.c.job_id == job_id))
    return store.get(job_id)
