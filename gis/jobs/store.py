"""Which jobs are there, and who works on which piece? The jobs in the database of the records.

A piece is handed out on a lease that its holder renews; a lease that runs out is handed out anew.
What becomes of a piece is written in one transaction with its records, and only while the lease
still holds, so that no row is ever judged twice or lost, whoever is killed when. Cancelling takes
the pieces away; whoever works on one learns it when the lease cannot be renewed. It judges nothing.
"""

from __future__ import annotations

import errno
import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from gis.errors import NotFoundError, QueueFullError, StoreError, StoreFullError
from gis.jobs import finding
from gis.jobs.fairness import next_job
from gis.jobs.finding import LEASED, WAITING, job_of
from gis.jobs.model import (
    CHUNK,
    Job,
    JobNumbers,
    JobState,
    Limits,
    Making,
    Options,
    Task,
    TaskKind,
)
from gis.jobs.statements import (
    Moment,
    about,
    answer_row,
    change,
    count_rows,
    drop_tasks,
    end,
    free_overdue,
    held_by,
    hold,
    insert_once,
    job_row,
    of_place,
    task_row,
)
from gis.output.records import RecordStore, Submission
from gis.output.records.engines import writing
from gis.output.records.failures import store_errors
from gis.output.records.job_tables import job_rows, job_tasks, jobs

LEASE_MS = 20_000
_DONE, _FAILED = "done", "failed"


def now_ms() -> int:
    """Return the moment in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class JobStore:
    """The jobs of one database; open in as many processes as needed.

    Parameters
    ----------
    records
        The store that the records go to; the jobs lie beside them.
    limits
        How much one user and one job may ask for.
    now
        The clock. Leases of several servers hold as long as their clocks agree within seconds.
    """

    def __init__(
        self, records: RecordStore, limits: Limits, now: Callable[[], int] = now_ms
    ) -> None:
        self.records = records
        self.limits = limits
        self._now = now

    # --- for those who ask -----------------------------------------------------------------------

    def create(
        self,
        *,
        owner: str,
        request_id: str,
        name: str,
        upload_sha256: str,
        options: Options,
        plan: tuple[str, str, str],
        keep: Callable[[str], None],
    ) -> Job:
        """Take in a job; ``keep`` brings its upload to disk before the job is there.

        ``plan`` is the hash of the package, its id and its version.

        Raises
        ------
        QueueFullError
            The user has as many unfinished jobs as one user may have.
        StoreError
            Nothing was taken in; the subclass says why.
        """
        self._refuse_too_many(owner)
        job_id = secrets.token_hex(16)
        _kept(keep, job_id)
        said = {"owner": owner, "request_id": request_id, "name": name}
        row = job_row(job_id, {**said, "upload_sha256": upload_sha256}, options, plan, self._now())
        with self._writing() as connection:
            self._refuse_too_many(owner, connection)
            connection.execute(jobs.insert(), row)
            connection.execute(job_tasks.insert(), task_row(job_id, TaskKind.read, 0))
        return self.get(job_id)

    def _refuse_too_many(self, owner: str, connection: Connection | None = None) -> None:
        wanted = select(func.count()).where(jobs.c.owner == owner, finding.UNFINISHED)
        if connection is None:
            with self._reading() as own:
                count = own.execute(wanted).scalar_one()
        else:
            count = connection.execute(wanted).scalar_one()
        if count >= self.limits.queued:
            raise QueueFullError(f"未完成的批量检测任务已有 {count} 个")

    def get(self, job_id: str) -> Job:
        """Return a job; raise NotFoundError when there is none."""
        with self._reading() as connection:
            row = connection.execute(select(jobs).where(jobs.c.id == job_id)).first()
        if row is None:
            raise no_such_job()
        return job_of(row._mapping)

    def recent(self, limit: int = 20, *, owner: str | None = None) -> tuple[Job, ...]:
        """Return the newest jobs first; with ``owner`` those of one owner."""
        wanted = select(jobs).order_by(jobs.c.created_ms.desc(), jobs.c.id).limit(limit)
        if owner is not None:
            wanted = wanted.where(jobs.c.owner == owner)
        with self._reading() as connection:
            return tuple(job_of(row._mapping) for row in connection.execute(wanted))

    def cancel(self, job_id: str) -> Job:
        """Stop a job; one that has ended stays as it is. Rows that were judged keep their records.

        Raises
        ------
        NotFoundError
            There is no such job.
        """
        with self._writing() as connection:
            if end(connection, job_id, JobState.cancelled, self._moment()):
                drop_tasks(connection, job_id)
        return self.get(job_id)

    def answers(self, job_id: str, after: int, limit: int) -> list[dict[str, Any]]:
        """Return the answers of the rows after one, in order, each with its ``record_id``."""
        return finding.answers(self.records.engine, job_id, after, limit)

    def problems(self, job_id: str, limit: int) -> list[dict[str, Any]]:
        """Return the first rows that could not be judged."""
        return finding.problems(self.records.engine, job_id, limit)

    def numbers(self) -> JobNumbers:
        """Return how much there is to do, for those who watch the service."""
        with self._reading() as connection:
            return finding.numbers(connection, self._now())

    def want(self, job_id: str, kind: TaskKind, *, anew: bool = False) -> Making:
        """Ask for a result and return how far it is; ``anew`` when its file has gone."""
        with self._reading() as connection:
            found = finding.making(connection, job_id, kind)
        if found is not None and not (anew and found.state == _DONE):
            return found
        with self._writing() as connection:
            if anew:
                connection.execute(
                    delete(job_tasks).where(
                        job_tasks.c.job_id == job_id,
                        job_tasks.c.kind == kind.value,
                        job_tasks.c.state == _DONE,
                    )
                )
            insert_once(connection, task_row(job_id, kind, 0))
            made = finding.making(connection, job_id, kind)
        return made or Making(WAITING, 0, 0, {})

    # --- for those who work ----------------------------------------------------------------------

    def has_work(self) -> bool:
        """Return whether a piece waits, or is held by nobody any more; writes nothing."""
        with self._reading() as connection:
            return finding.has_work(connection, self._now())

    def claim(self, holder: str) -> Task | None:
        """Take the piece whose turn it is; None when there is none."""
        if not self.has_work():
            return None
        moment = self._now()
        with self._writing() as connection:
            free_overdue(connection, moment)
            job_id = next_job(finding.candidates(connection, moment), self.limits.running)
            row = None if job_id is None else finding.first_waiting(connection, job_id, moment)
            if job_id is None or row is None:
                return None
            task = Task(
                job_id, TaskKind(row.kind), row.n, row.first, row.last, row.attempts, holder
            )
            held = {"state": LEASED, "holder": holder, "until_ms": moment + LEASE_MS}
            connection.execute(about(update(job_tasks), task).values(**held))
            begun = {
                "state": JobState.running.value,
                "started_ms": moment,
                "pace_ms": moment,
                "version": jobs.c.version + 1,
            }
            connection.execute(
                update(jobs)
                .where(jobs.c.id == job_id, jobs.c.state == JobState.queued.value)
                .values(**begun)
            )
            connection.execute(update(jobs).where(jobs.c.id == job_id).values(served_ms=moment))
        return task

    def renew(self, task: Task) -> None:
        """Keep a piece for longer; raise LostLeaseError when it is another's now, or nobody's."""
        with self._writing() as connection:
            hold(connection, task, until_ms=self._now() + LEASE_MS)

    def give_back(self, task: Task, *, after_ms: int = 0) -> None:
        """Put a piece back for others, not before some time has passed."""
        free = {"state": WAITING, "holder": "", "until_ms": self._now() + after_ms}
        with self._writing() as connection:
            connection.execute(held_by(update(job_tasks), task).values(**free))

    def take_over(self, place: str) -> None:
        """Free the pieces of a worker that is known to be dead, by its place.

        Who takes the place knows that nobody else has it, so nobody has to wait for the leases.
        """
        with self._writing() as connection:
            connection.execute(of_place(place).values(state=WAITING, holder="", until_ms=0))

    def blame(self, place: str) -> None:
        """Free the pieces of a worker that died over them, and count that against them."""
        with self._writing() as connection:
            more = {"attempts": job_tasks.c.attempts + 1}
            connection.execute(of_place(place).values(state=WAITING, holder="", until_ms=0, **more))

    def read(self, task: Task, total: int, plan: tuple[str, str, str]) -> None:
        """Note that the rows of a job are laid down: ``total`` of them, in chunks.

        ``plan`` is what they will be judged by; a job that waited over an update of the plan is
        judged by the new one, as a whole.
        """
        chunks = [
            task_row(task.job_id, TaskKind.judge, n, first, min(first + CHUNK, total))
            for n, first in enumerate(range(0, total, CHUNK))
        ]
        said = dict(zip(("plan", "plan_id", "plan_version"), plan, strict=True))
        with self._writing() as connection:
            hold(connection, task, state=_DONE, holder="", until_ms=0)
            connection.execute(job_tasks.insert(), chunks)
            change(connection, task.job_id, total=total, pace_ms=self._now(), **said)

    def judged(
        self, task: Task, answers: Sequence[Mapping[str, Any]], submission: Submission
    ) -> bool:
        """Keep the answers of some rows with their records; return whether the job has ended.

        Parameters
        ----------
        task
            The rows; its lease must still hold.
        answers
            One for each row, with ``row``; those with ``entry`` True have a record, in the order of
            the entries of the submission.
        submission
            What is recorded.

        Raises
        ------
        LostLeaseError
            Nothing was kept: the job was cancelled, or the rows are another worker's.
        StoreError
            Nothing was kept.
        """
        ended = False

        def along(connection: Connection, ids: list[list[str]]) -> None:
            nonlocal ended
            hold(connection, task, state=_DONE, holder="", until_ms=0)
            given = iter(ids[0])
            rows = [answer_row(task.job_id, answer, given) for answer in answers]
            connection.execute(job_rows.insert(), rows)
            ended = count_rows(connection, task.job_id, answers, self._moment())

        self.records.save_uploads([submission], along)
        return ended

    def split(self, task: Task) -> None:
        """Replace rows that do not get through together by one piece for each of them."""
        pieces = [
            # Numbers behind all others, so that no two pieces share one.
            task_row(task.job_id, TaskKind.judge, 1_000_000 + row, row, row + 1)
            for row in range(task.first, task.last)
        ]
        with self._writing() as connection:
            hold(connection, task)
            connection.execute(about(delete(job_tasks), task))
            connection.execute(job_tasks.insert(), pieces)

    def fail(self, task: Task, problem: Mapping[str, Any]) -> None:
        """End a job that cannot be done at all, and say why."""
        with self._writing() as connection:
            hold(connection, task)
            text = json.dumps(problem, ensure_ascii=False)
            end(connection, task.job_id, JobState.failed, self._moment(), error=text)
            drop_tasks(connection, task.job_id)

    def advance(self, task: Task, done: int, total: int) -> None:
        """Note how far a result is, and renew the lease."""
        with self._writing() as connection:
            hold(connection, task, done=done, total=total, until_ms=self._now() + LEASE_MS)

    def made(self, task: Task) -> None:
        """Note that a result lies in its file."""
        with self._writing() as connection:
            hold(connection, task, state=_DONE, holder="", until_ms=0)

    def not_made(self, task: Task, problem: Mapping[str, Any]) -> None:
        """Note that a result cannot be written, and why."""
        text = json.dumps(problem, ensure_ascii=False)
        with self._writing() as connection:
            hold(connection, task, state=_FAILED, holder="", until_ms=0, error=text)

    def purge(self, remove: Callable[[str], None]) -> int:
        """Forget rows and files of jobs whose time is over, and return how many; records stay.

        ``remove`` removes the files of a job.
        """
        with self._reading() as connection:
            over = finding.expired(connection, self._now())
        for job_id in over:
            remove(job_id)
            with self._writing() as connection:
                for table in (job_tasks, job_rows):
                    connection.execute(delete(table).where(table.c.job_id == job_id))
                change(connection, job_id, purged=1)
        return len(over)

    # --- connections -----------------------------------------------------------------------------

    def _moment(self) -> Moment:
        return Moment(self._now(), self.limits.days)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with store_errors(), self.records.engine.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with store_errors(), writing(self.records.engine) as connection:
            yield connection


def _kept(keep: Callable[[str], None], job_id: str) -> None:
    try:
        keep(job_id)
    except OSError as error:
        if isinstance(error, StoreError):
            raise
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreFullError(
                "任务文件夹所在的磁盘空间已满，未接收任务", advice="由管理员清理磁盘后重新提交"
            ) from None
        raise StoreError(
            "任务文件夹无法写入，未接收任务", advice="由管理员检查 WUQU_JOBS 后重新提交"
        ) from None


def no_such_job() -> NotFoundError:
    """Return the error about a job that is not there, or not to be seen."""
    return NotFoundError("没有这个编号的任务", expected="提交时返回的编号", advice="核对编号")
