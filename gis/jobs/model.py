"""What is a job, and which pieces of work does it fall into?

Plain values; nothing here reads or writes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Literal

# Sites that are judged and recorded together: a second or so, so that a cancelled job stops soon,
# progress is seen, and nobody waits long for a turn.
CHUNK = 25
PROBLEM = "problem"


class JobState(StrEnum):
    """How far a job is."""

    queued = "queued"
    running = "running"
    done = "done"
    cancelled = "cancelled"
    failed = "failed"

    @property
    def label(self) -> str:
        """The word that people read."""
        return _LABELS[self]

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen to the rows."""
        return self not in (JobState.queued, JobState.running)


_LABELS = {
    JobState.queued: "排队中",
    JobState.running: "检测中",
    JobState.done: "已完成",
    JobState.cancelled: "已取消",
    JobState.failed: "失败",
}


class TaskKind(StrEnum):
    """What a piece of work is: reading the upload, judging some rows, or writing one result."""

    read = "read"
    judge = "judge"
    gpkg = "gpkg"
    csv = "csv"
    xlsx = "xlsx"
    geojson = "geojson"
    zip = "zip"

    @property
    def is_result(self) -> bool:
        """Whether it writes a file that somebody asked for."""
        return self not in (TaskKind.read, TaskKind.judge)


RESULTS = tuple(kind for kind in TaskKind if kind.is_result)


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a process that is answered later: one request, answered as a whole or not at all.

    ``which`` is that of the reading of an input; ``geometry`` and ``remedies`` are what the answer
    holds, ``document`` whether it is wrapped by the name of the output.
    """

    process: str
    which: int | Literal["all"] | None = None
    geometry: bool = True
    remedies: bool = True
    document: bool = False


@dataclass(frozen=True, slots=True)
class Options:
    """What the user said about all rows of a job, as given; ``as_of`` is the day of the law.

    ``call`` is None for a batch.
    """

    as_of: date
    use: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    width_m: float | None = None
    repair: bool = False
    crs: str | None = None
    encoding: str | None = None
    call: Call | None = None

    def to_text(self) -> str:
        """Return the options as JSON."""
        return json.dumps({**asdict(self), "as_of": self.as_of.isoformat()}, ensure_ascii=False)

    @classmethod
    def from_text(cls, text: str) -> Options:
        """Return the options that ``to_text`` wrote."""
        row = json.loads(text)
        call = Call(**row["call"]) if row.get("call") else None
        return cls(**{**row, "as_of": date.fromisoformat(row["as_of"]), "call": call})


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one user and one job may ask for.

    ``queued`` unfinished jobs of one user, ``running`` of them worked on at once, ``sites`` in a
    job, ``reports`` in a zip of reports; results are kept for ``days``.
    """

    queued: int = 20
    running: int = 2
    sites: int = 10_000
    reports: int = 1_000
    days: int = 30


@dataclass(frozen=True, slots=True)
class Job:
    """One job as it is stored.

    ``counts`` are rows by verdict, ``problem`` those that could not be judged. ``version`` grows
    with every change. ``error`` says why the whole failed, as a problem document. ``per_minute`` is
    the pace of the last minutes.
    """

    id: str
    owner: str
    request_id: str
    name: str
    upload_sha256: str
    options: Options
    plan: str
    plan_id: str
    plan_version: str
    state: JobState
    created_ms: int
    started_ms: int | None
    finished_ms: int | None
    expires_ms: int | None
    total: int | None
    done: int
    counts: Mapping[str, int]
    error: Mapping[str, Any]
    version: int
    per_minute: int
    purged: bool

    def is_expired(self, now_ms: int) -> bool:
        """Return whether the results have been kept for their time."""
        return self.purged or (self.expires_ms is not None and now_ms >= self.expires_ms)


@dataclass(frozen=True, slots=True)
class JobNumbers:
    """How much there is to do: jobs by state, rows that are done since ever, the pace of now.

    ``oldest_queued_s`` is how long the job waits that nobody has begun; 0 without one.
    """

    states: Mapping[JobState, int]
    rows: int
    rows_per_s: float
    oldest_queued_s: float


@dataclass(frozen=True, slots=True)
class Task:
    """One piece of work in the hands of a worker; rows from ``first`` up to before ``last``."""

    job_id: str
    kind: TaskKind
    n: int
    first: int
    last: int
    attempts: int
    holder: str


@dataclass(frozen=True, slots=True)
class Making:
    """How far the writing of a result is; ``error`` says why it cannot be written."""

    state: str
    done: int
    total: int
    error: Mapping[str, Any]
