"""What is in the tables of the jobs? Questions only; whoever changes something is ``store``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Engine, case, func, or_, select

from gis.jobs.fairness import Candidate
from gis.jobs.model import Job, JobNumbers, JobState, Making, Options, TaskKind
from gis.output.records.failures import store_errors
from gis.output.records.job_tables import job_rows, job_tasks, jobs

WAITING, LEASED = "waiting", "leased"
UNFINISHED = jobs.c.state.in_([JobState.queued.value, JobState.running.value])
_WORK = (TaskKind.read.value, TaskKind.judge.value)


def job_of(row: Mapping[Any, Any]) -> Job:
    """Return the job of a row."""
    taken = {
        key: row[key]
        for key in (
            *("id", "owner", "request_id", "name", "upload_sha256", "plan", "plan_id"),
            *("plan_version", "created_ms", "started_ms", "finished_ms", "expires_ms", "total"),
            *("done", "version", "per_minute"),
        )
    }
    return Job(
        **taken,
        options=Options.from_text(row["options"]),
        state=JobState(row["state"]),
        counts=json.loads(row["counts"]),
        error=json.loads(row["error"]) if row["error"] else {},
        purged=bool(row["purged"]),
    )


def has_work(connection: Connection, moment: int) -> bool:
    """Return whether a piece waits, or a lease has run out."""
    is_open = or_(job_tasks.c.state == WAITING, job_tasks.c.state == LEASED)
    wanted = select(job_tasks.c.n).where(is_open, job_tasks.c.until_ms <= moment).limit(1)
    return connection.execute(wanted).first() is not None


def candidates(connection: Connection, moment: int) -> list[Candidate]:
    """Return every job with open pieces, and the user's other unfinished jobs that have none."""
    is_ready = (job_tasks.c.state == WAITING) & (job_tasks.c.until_ms <= moment)
    wanted = (
        select(
            jobs.c.id,
            jobs.c.owner,
            jobs.c.created_ms,
            jobs.c.served_ms,
            jobs.c.state,
            func.sum(case((is_ready, 1), else_=0)).label("waiting"),
            func.sum(case((job_tasks.c.state == LEASED, 1), else_=0)).label("under_way"),
        )
        .join(job_tasks, job_tasks.c.job_id == jobs.c.id)
        .where(job_tasks.c.state.in_([WAITING, LEASED]))
        .group_by(jobs.c.id, jobs.c.owner, jobs.c.created_ms, jobs.c.served_ms, jobs.c.state)
    )
    return [
        Candidate(
            row.id,
            row.owner,
            row.created_ms,
            row.served_ms,
            int(row.waiting),
            int(row.under_way),
            is_result=JobState(row.state).is_final,
        )
        for row in connection.execute(wanted)
    ]


def first_waiting(connection: Connection, job_id: str, moment: int) -> Any:
    """Return the first piece of a job that waits: the rows in their order, then the results."""
    wanted = (
        select(job_tasks)
        .where(
            job_tasks.c.job_id == job_id,
            job_tasks.c.state == WAITING,
            job_tasks.c.until_ms <= moment,
        )
        .order_by(case((job_tasks.c.kind.in_(_WORK), 0), else_=1), job_tasks.c.n, job_tasks.c.kind)
        .limit(1)
    )
    return connection.execute(wanted).first()


def making(connection: Connection, job_id: str, kind: TaskKind) -> Making | None:
    """Return how far a result is; None when nobody asked for it."""
    wanted = select(job_tasks).where(
        job_tasks.c.job_id == job_id, job_tasks.c.kind == kind.value, job_tasks.c.n == 0
    )
    row = connection.execute(wanted).first()
    if row is None:
        return None
    return Making(row.state, row.done, row.total, json.loads(row.error) if row.error else {})


def answers(engine: Engine, job_id: str, after: int, limit: int) -> list[dict[str, Any]]:
    """Return the answers of the rows after one, in order, each with its ``record_id``."""
    wanted = (
        select(job_rows.c.record_id, job_rows.c.answer)
        .where(job_rows.c.job_id == job_id, job_rows.c.row > after)
        .order_by(job_rows.c.row)
        .limit(limit)
    )
    with store_errors(), engine.connect() as connection:
        rows = connection.execute(wanted).all()
    return [{**json.loads(row.answer), "record_id": row.record_id} for row in rows]


def problems(engine: Engine, job_id: str, limit: int) -> list[dict[str, Any]]:
    """Return the first rows that could not be judged, in order."""
    wanted = (
        select(job_rows.c.answer)
        .where(job_rows.c.job_id == job_id, job_rows.c.problem.is_not(None))
        .order_by(job_rows.c.row)
        .limit(limit)
    )
    with store_errors(), engine.connect() as connection:
        return [json.loads(row.answer) for row in connection.execute(wanted)]


def numbers(connection: Connection, moment: int) -> JobNumbers:
    """Return how much there is to do; states that no job is in are 0."""
    wanted = select(
        jobs.c.state,
        func.count().label("jobs"),
        func.sum(jobs.c.done).label("done"),
        func.sum(jobs.c.per_minute).label("per_minute"),
        func.min(jobs.c.created_ms).label("oldest_ms"),
    ).group_by(jobs.c.state)
    found = {JobState(row.state): row for row in connection.execute(wanted)}
    running, queued = found.get(JobState.running), found.get(JobState.queued)
    return JobNumbers(
        states={state: int(found[state].jobs) if state in found else 0 for state in JobState},
        rows=sum(int(row.done) for row in found.values()),
        rows_per_s=int(running.per_minute) / 60 if running else 0.0,
        oldest_queued_s=max(0, moment - int(queued.oldest_ms)) / 1000 if queued else 0.0,
    )


def expired(connection: Connection, moment: int) -> list[str]:
    """Return the jobs whose results have been kept for their time and are still there."""
    over = select(jobs.c.id).where(jobs.c.expires_ms <= moment, jobs.c.purged == 0).limit(100)
    return [row.id for row in connection.execute(over)]
