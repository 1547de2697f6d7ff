"""What does the service say of a job, to whom, and who works on it?

Documents, access and set-up; the routes are in ``api.routers.jobs`` and ``api.routers.batch``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool

from api.access.errors import RoleError
from api.access.roles import Role
from api.access.visit import Visit
from api.deps import State
from api.options import Options as Asked
from api.settings import Settings
from api.upload import Upload
from gis.batch.identity import package_sha256
from gis.check import legal_day
from gis.errors import GoneError, NotFinishedError, NotFoundError
from gis.jobs.crew import Crew
from gis.jobs.folder import JobFolder
from gis.jobs.model import PROBLEM, RESULTS, Call, Job, JobState, Options, TaskKind
from gis.jobs.store import JobStore, no_such_job, now_ms
from gis.jobs.worker import Orders
from gis.model import Verdict

# Rows that could not be judged and are told in the job itself; the results tell all.
_PROBLEMS_TOLD = 50


def crew_of(settings: Settings, plan: Path, jobs: JobStore) -> Crew:
    """Return the workers of a service, which it has to start.

    ``plan`` is the folder of the plan package, or that of its releases.
    """
    orders = Orders(
        # To a child on its standard input, which nobody else reads.
        db=settings.db.url.render_as_string(hide_password=False),
        root=str(settings.job_folder),
        plan=str(plan),
        place="",
        limits=settings.job_limits,
        ceiling=settings.secrecy,
        records=settings.records,
    )
    return Crew(jobs, orders, settings.job_workers)


def taken_in(
    state: State,
    visit: Visit,
    upload: Upload,
    asked: Asked,
    *,
    name: str,
    call: Call | None = None,
) -> Job:
    """Keep an upload and what was asked about it as a job of the caller.

    Raises
    ------
    QueueFullError
        The caller has as many unfinished jobs as one may have.
    StoreError
        Nothing was taken in; the subclass says why.
    """
    plan, root = state.plan, state.settings.job_folder
    return state.jobs.create(
        owner=visit.caller.owner,
        request_id=visit.request_id,
        name=name,
        upload_sha256=upload.sha256,
        options=Options(
            as_of=asked.as_of or legal_day(),
            use=asked.use,
            attributes=dict(asked.attributes),
            width_m=asked.width_m,
            repair=asked.repair,
            crs=asked.crs,
            encoding=asked.encoding or upload.charset,
            call=call,
        ),
        plan=(package_sha256(plan), plan.ref.id, plan.ref.version),
        keep=lambda job_id: JobFolder(root, job_id).write_upload(upload.content),
    )


async def job_for(state: State, visit: Visit, job_id: str) -> Job:
    """Return a job that the caller may see.

    Raises
    ------
    NotFoundError
        There is none, or the caller may not see it: the answer does not tell which.
    """
    job = await run_in_threadpool(state.jobs.get, job_id)
    if not visit.caller.may_see(job.owner):
        raise no_such_job()
    return job


def require_own(visit: Visit, job: Job) -> None:
    """Raise RoleError unless the job is the caller's, or the caller an administrator."""
    caller = visit.caller
    if caller.role.covers(Role.admin) or (job.owner and job.owner == caller.owner):
        return
    raise RoleError(
        "这是其他人的任务",
        expected=f"本人（本科室）的任务，或{Role.admin.label}（{Role.admin}）角色",
        advice="请提交人或管理员取消",
    )


def require_results(job: Job, kind: TaskKind, state: State) -> None:
    """Raise the error that fits when a job has no such result.

    Raises
    ------
    NotFinishedError
        The job has not ended.
    GoneError
        The results were kept for their time.
    NotFoundError
        The job has no results, or too many sites for a zip of reports.
    """
    if job.is_expired(now_ms()):
        raise GoneError(
            "结果已过保留期，文件已删除",
            advice="各地块的检测记录仍在，按记录编号取得；需要表格时重新提交",
        )
    if not job.state.is_final:
        raise NotFinishedError("任务尚未结束", advice="结束后再取结果；进度见 events")
    if not job.done:
        raise NotFoundError("任务没有结果", advice="查看任务的 error 和 state")
    most = state.settings.job_reports
    if kind is TaskKind.zip and job.done > most:
        raise NotFoundError(
            f"任务有 {job.done} 个地块，不生成报告合集",
            expected=f"不超过 {most} 个地块",
            advice="取 .gpkg、.xlsx 等表格，个别地块的报告按记录编号下载",
        )
    if kind is TaskKind.zip and not state.settings.records:
        raise NotFoundError("服务不保存检测记录，没有报告", advice="取 .gpkg、.xlsx 等表格")


def progress_of(job: Job) -> dict[str, Any]:
    """Return how far a job is: what an event tells."""
    pace = job.per_minute / 60 if job.state is JobState.running else 0.0
    left = None if job.total is None else job.total - job.done
    return {
        "id": job.id,
        "state": job.state.value,
        "state_label": job.state.label,
        "total": job.total,
        "done": job.done,
        "rate_per_s": round(pace, 2) if pace else None,
        "remaining_s": round(left / pace) if pace and left is not None else None,
        "counts": _counts(job.counts),
    }


def _counts(counts: Mapping[str, int]) -> dict[str, int]:
    named = [v.value for v in sorted(Verdict, key=lambda v: v.rank) if v.rank >= 0]
    known = [name for name in named if name != Verdict.NOT_APPLICABLE.value]
    return {name: counts.get(name, 0) for name in (*known, PROBLEM)}


async def document_of(state: State, job: Job) -> dict[str, Any]:
    """Return all that there is to say about a job."""
    problems = await run_in_threadpool(state.jobs.problems, job.id, _PROBLEMS_TOLD)
    return described(job, problems)


def described(job: Job, problems: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a job as JSON; ``problems`` are answers of rows that could not be judged."""
    options = job.options
    return {
        **progress_of(job),
        "name": job.name,
        "created_at": _time(job.created_ms),
        "started_at": _time(job.started_ms),
        "finished_at": _time(job.finished_ms),
        "expires_at": _time(job.expires_ms),
        "expired": job.is_expired(now_ms()),
        "as_of": options.as_of.isoformat(),
        "use": options.use,
        "attributes": dict(options.attributes),
        "plan": {"id": job.plan_id, "version": job.plan_version},
        "upload_sha256": job.upload_sha256,
        "problems": [_problem(answer) for answer in problems],
        "error": dict(job.error) or None,
        "links": _links(job),
    }


def _problem(answer: Mapping[str, Any]) -> dict[str, Any]:
    code, message = answer["problem"]
    return {
        "row": answer["row"] + 1,
        "file": answer.get("file") or None,
        "name": answer.get("name") or "",
        "code": code,
        "message": message,
    }


def _links(job: Job) -> dict[str, Any]:
    base = f"/v1/jobs/{job.id}"
    ready = job.state.is_final and job.done > 0 and not job.is_expired(now_ms())
    return {
        "self": base,
        "events": f"{base}/events",
        "cancel": None if job.state.is_final else f"{base}/cancel",
        "results": {k.value: f"{base}/results.{k.value}" for k in RESULTS} if ready else {},
    }


def _time(moment_ms: int | None) -> str | None:
    if moment_ms is None:
        return None
    return datetime.fromtimestamp(moment_ms // 1000, UTC).isoformat()
