"""How is the work of jobs written down? Rows and statements, without a transaction of their own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, delete, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from gis.jobs.finding import LEASED, WAITING
from gis.jobs.model import Task, TaskKind
from gis.output.records.job_tables import job_tasks


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
