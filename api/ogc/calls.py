"""How is an execution kept for later, and what does OGC API Processes say of it?

A call of the process that is answered later is a job of the service (``gis.jobs``), worked off like
a batch: it survives restarts, belongs to who made it, and counts among that user's jobs. Here are
its status, its result and its end in the words of the standard; ``/v1/jobs`` tells the same jobs
in ours.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.access.visit import Visit
from api.answers import json_bytes
from api.deps import State
from api.errors import (
    DismissedError,
    NoSuchJobError,
    ResultNotReadyError,
    problem,
    status_of_code,
)
from api.jobs import job_for, taken_in
from api.ogc.execution import SITE_CHECK, Execution
from api.reading import sites_of
from gis.errors import GoneError, NotFoundError
from gis.jobs.model import Call, Job, JobState
from gis.jobs.store import now_ms
from gis.model import Site
from gis.output.export import without_geometry

_RESULTS = "http://www.opengis.net/def/rel/ogc/1.0/results"
# What the standard calls our states.
STATUS: Mapping[JobState, str] = {
    JobState.queued: "accepted",
    JobState.running: "running",
    JobState.done: "successful",
    JobState.failed: "failed",
    JobState.cancelled: "dismissed",
}
# Records that are read together: some megabytes.
_AT_ONCE = 20


async def handed_in(execution: Execution, state: State, visit: Visit) -> Job:
    """Take in a call that is answered later; what cannot be read is refused right now.

    Raises
    ------
    InputError
        The sites cannot be read; the job would fail with the same error.
    QueueFullError
        The caller has as many unfinished jobs as one may have.
    """
    options = execution.options
    sites = await sites_of(execution.upload, options, state)
    call = Call(
        SITE_CHECK,
        which=options.which,
        geometry=options.geometry,
        remedies=options.remedies,
        document=execution.is_document,
    )
    keep = partial(taken_in, state, visit, execution.upload, options, name=_name(sites), call=call)
    job = await run_in_threadpool(keep)
    state.crew.wake()
    return job


def _name(sites: Sequence[Site]) -> str:
    first = sites[0].name
    return first if len(sites) == 1 else f"{first}等 {len(sites)} 个地块"


async def call_for(state: State, visit: Visit, job_id: str) -> Job:
    """Return a call that the caller may see.

    Raises
    ------
    NoSuchJobError
        There is none, or the caller may not see it; a batch of ``/v1`` is none.
    """
    try:
        job = await job_for(state, visit, job_id)
    except NotFoundError:
        raise _no_such_call() from None
    if job.options.call is None:
        raise _no_such_call()
    return job


def _no_such_call() -> NoSuchJobError:
    return NoSuchJobError(
        "没有这个编号的任务", expected="异步执行时返回的编号", advice="清单见 /ogc/jobs"
    )


# --- status --------------------------------------------------------------------------------------


def status_info(job: Job, base: str) -> dict[str, Any]:
    """Return the statusInfo of a call; ``base`` is the address of ``/ogc``."""
    place = f"{base}/jobs/{job.id}"
    links = [_link("self", place, "本任务"), _link("up", f"{base}/jobs", "任务")]
    if job.state is JobState.done and not job.is_expired(now_ms()):
        links.append(_link(_RESULTS, f"{place}/results", "结果"))
    moments = {
        "created": job.created_ms,
        "started": job.started_ms,
        "finished": job.finished_ms,
        "updated": job.finished_ms or job.started_ms or job.created_ms,
    }
    return {
        "processID": job.options.call.process if job.options.call else "",
        "type": "process",
        "jobID": job.id,
        "status": STATUS[job.state],
        "message": _message(job),
        **{name: _time(moment) for name, moment in moments.items() if moment is not None},
        "progress": _progress(job),
        "links": links,
    }


def _message(job: Job) -> str:
    if job.error:
        return str(job.error["detail"])
    if job.state is JobState.done and job.is_expired(now_ms()):
        return "已完成；结果已过保留期，检测记录仍在"
    told = "" if job.total is None else f"：{job.done} / {job.total} 个地块"
    return f"{job.state.label}{told}"


def _progress(job: Job) -> int:
    """Return percent; a call is not ready before it has ended."""
    if job.state is JobState.done:
        return 100
    return min(99, 100 * job.done // job.total) if job.total else 0


def _time(moment_ms: int) -> str:
    return datetime.fromtimestamp(moment_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _link(rel: str, href: str, title: str) -> dict[str, str]:
    return {"rel": rel, "type": "application/json", "title": title, "href": href}


def job_list(jobs: Sequence[Job], base: str, own: str, following: str) -> dict[str, Any]:
    """Return a list of calls; ``own`` and ``following`` are its address and that of the next page.

    ``following`` is empty on the last page.
    """
    links = [_link("self", own, "本页")]
    if following:
        links.append(_link("next", following, "下一页"))
    return {"jobs": [status_info(job, base) for job in jobs], "links": links}


# --- result --------------------------------------------------------------------------------------


def without_result(job: Job) -> Response | None:
    """Return why a call has no result, as its synchronous twin would have said; None when it has.

    Raises
    ------
    ResultNotReadyError
        It goes on.
    GoneError
        It was dismissed (DismissedError), or its time is over.
    """
    if not job.state.is_final:
        raise ResultNotReadyError("任务尚未结束", advice="任务的 status 为 successful 后再取")
    if job.state is JobState.failed:
        error = job.error
        status = status_of_code(error["code"])
        return problem(status, error["code"], error["title"], error["detail"], error["errors"])
    if job.state is JobState.cancelled:
        raise DismissedError("任务已取消，没有结果", advice="需要时重新提交")
    if job.is_expired(now_ms()):
        raise GoneError("结果已过保留期", advice="检测记录仍在，见集合 records；需要时重新提交")
    return None


async def result_of(job: Job, state: State) -> AsyncIterator[bytes]:
    """Yield the answer of a call that has ended: what ``/v1/site-checks`` would have sent."""
    call = job.options.call
    assert call is not None  # of ``call_for``
    several = call.which == "all"
    yield (b'{"check":' if call.document else b"") + (b'{"checks":[' if several else b"")
    after, first = -1, True
    while texts := await run_in_threadpool(_texts, state, job, call, after):
        after += len(texts)
        yield (b"" if first else b",") + b",".join(texts)
        first = False
    yield (b"]}" if several else b"") + (b"}" if call.document else b"")


def _texts(state: State, job: Job, call: Call, after: int) -> list[bytes]:
    shown = state.showable if call.geometry else without_geometry
    found = state.jobs.answers(job.id, after, _AT_ONCE)
    return [json_bytes(shown(state.store.get(row["record_id"]).document)) for row in found]
