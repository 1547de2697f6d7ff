"""How is the work of jobs written down? Rows and statements, without a transaction of their own.

Whoever calls them holds the lock of the store, so that what is read here is what is changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from gis.jobs.finding import LEASED, UNFINISHED, WAITING
from gis.jobs.model import PROBLEM, JobState, Options, Task, TaskKind
from gis.output.records.job_tables import job_tasks, jobs

_PACE_MS = 60_000
_DAY_MS = 86_400_000


class LostLeaseError(Exception):
    """The piece is no longer this worker's: cancelled, or given to another one."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When something is written (milliseconds since 1970), and for how long results are kept."""

    ms: int
    days: int


def job_row(
    job_id: str, said: Mapping[str, str], options: Options, plan: tuple[str, str, str], moment: int
) -> dict[str, Any]:
    """Return the row of a new job; ``said`` is who handed in what, under which name."""
    return {
        "id": job_id,
        **said,
        "options": options.to_text(),
        **dict(zip(("plan", "plan_id", "plan_version"), plan, strict=True)),
        "as_of": options.as_of.isoformat(),
        "state": JobState.queued.value,
        "created_ms": moment,
        **dict.fromkeys(("started_ms", "finished_ms", "expires_ms", "total")),
        **dict.fromkeys(("done", "version", "served_ms", "pace_done", "per_minute"), 0),
        "counts": "{}",
        "error": "",
        "pace_ms": moment,
        "purged": 0,
    }


def task_row(job_id: str, kind: TaskKind, n: int, first: int = 0, last: int = 0) -> dict[str, Any]:
    """Return the row of a new piece."""
    return {
        "job_id": job_id,
        "kind": kind.value,
        "n": n,
        "first": first,
        "last": last,
        "state": WAITING,
        "holder": "",
        **dict.fromkeys(("until_ms", "attempts", "done", "total"), 0),
        "error": "",
    }


def answer_row(job_id: str, answer: Mapping[str, Any], ids: Iterator[str]) -> dict[str, Any]:
    """Return the row of an answer; ``ids`` are those of the records, in order."""
    kept = {key: value for key, value in answer.items() if key != "entry"}
    return {
        "job_id": job_id,
        "row": answer["row"],
        "record_id": next(ids) if answer.get("entry") else None,
        "problem": answer["problem"][0][:40] if "problem" in answer else None,
        # Escaped to ASCII: every database stores it, whatever a name holds.
        "answer": json.dumps(kept, separators=(",", ":")),
    }


def about(statement: Any, task: Task) -> Any:
    """Return a statement about one piece."""
    return statement.where(
        job_tasks.c.job_id == task.job_id,
        job_tasks.c.kind == task.kind.value,
        job_tasks.c.n == task.n,
    )


def held_by(statement: Any, task: Task) -> Any:
    """Return a statement about one piece while its worker holds it."""
    return about(statement, task).where(
        job_tasks.c.state == LEASED, job_tasks.c.holder == task.holder
    )


def of_place(place: str) -> Any:
    """Return a change of every piece that the workers of a place hold."""
    mine = job_tasks.c.holder.startswith(f"{place}/", autoescape=True)
    return update(job_tasks).where(job_tasks.c.state == LEASED, mine)


def free_overdue(connection: Connection, moment: int) -> None:
    """Free the pieces whose lease has run out."""
    overdue = (job_tasks.c.state == LEASED, job_tasks.c.until_ms < moment)
    connection.execute(
        update(job_tasks).where(*overdue).values(state=WAITING, holder="", until_ms=0)
    )


def drop_tasks(connection: Connection, job_id: str) -> None:
    """Remove the pieces of a job."""
    connection.execute(delete(job_tasks).where(job_tasks.c.job_id == job_id))


def insert_once(connection: Connection, row: Mapping[str, Any]) -> None:
    """Insert a piece unless it is there: two may ask for one result at the same time."""
    on_sqlite = connection.engine.dialect.name == "sqlite"
    insert = sqlite_insert(job_tasks) if on_sqlite else postgresql_insert(job_tasks)
    connection.execute(insert.on_conflict_do_nothing(), row)


def hold(connection: Connection, task: Task, **values: Any) -> None:
    """Change a piece that this worker holds; raise LostLeaseError when it does not."""
    wanted = values or {"holder": task.holder}
    if connection.execute(held_by(update(job_tasks), task).values(**wanted)).rowcount != 1:
        raise LostLeaseError(task.job_id)


def change(connection: Connection, job_id: str, **values: Any) -> None:
    """Change a job, which those who watch it notice."""
    changed = update(jobs).where(jobs.c.id == job_id)
    connection.execute(changed.values(version=jobs.c.version + 1, **values))


def end(
    connection: Connection, job_id: str, state: JobState, moment: Moment, **values: Any
) -> bool:
    """End a job; return False when it had ended."""
    ended = (
        update(jobs)
        .where(jobs.c.id == job_id, UNFINISHED)
        .values(
            state=state.value,
            finished_ms=moment.ms,
            expires_ms=moment.ms + moment.days * _DAY_MS,
            version=jobs.c.version + 1,
            **values,
        )
    )
    return connection.execute(ended).rowcount == 1


def count_rows(
    connection: Connection, job_id: str, answers: Sequence[Mapping[str, Any]], moment: Moment
) -> bool:
    """Count rows that were judged; return whether the job has ended with them."""
    row = connection.execute(select(jobs).where(jobs.c.id == job_id)).one()
    counts = json.loads(row.counts)
    for answer in answers:
        key = answer.get("verdict") or PROBLEM
        counts[key] = counts.get(key, 0) + 1
    done = row.done + len(answers)
    values: dict[str, Any] = {"done": done, "counts": json.dumps(counts, sort_keys=True)}
    spent = moment.ms - row.pace_ms
    if spent > 0:
        values["per_minute"] = round((done - row.pace_done) * 60_000 / spent)
    if spent > _PACE_MS:
        values |= {"pace_ms": moment.ms, "pace_done": done}
    change(connection, job_id, **values)
    return bool(done == row.total and end(connection, job_id, JobState.done, moment))
