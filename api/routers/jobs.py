"""How far is a job, and what came of it? Documents, events, cancelling, results.

A result is written by a worker when it is first asked for, and kept; whoever asks waits some
seconds for it and is then told to ask again.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query
from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, Response

from api.answers import json_answer, json_bytes, problems
from api.deps import KnownQuery, State, StateDep, VisitDep
from api.errors import problem
from api.jobs import (
    described,
    document_of,
    job_for,
    progress_of,
    require_own,
    require_results,
)
from api.schemas_jobs import JobList, JobOut, ResultPending
from api.watching import LOOK_S
from gis.errors import NotFoundError, StoreError
from gis.jobs.folder import JobFolder
from gis.jobs.model import RESULTS, Job, TaskKind
from gis.output.report import require

router = APIRouter(prefix="/v1/jobs", tags=["批量检测"], dependencies=[KnownQuery])

JobId = Annotated[str, Path(max_length=64, description="任务编号")]
_TYPES = {
    TaskKind.gpkg: "application/geopackage+sqlite3",
    TaskKind.csv: "text/csv; charset=utf-8",
    TaskKind.xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    TaskKind.geojson: "application/geo+json",
    TaskKind.zip: "application/zip",
}
_EVENT_DATA = '{"state":"running","done":175,"total":300}'
# Of one event, as FastAPI and readers of the description take it.
_EVENT_SCHEMA = {
    "type": "object",
    "required": ["event", "data", "id"],
    "properties": {
        "event": {"type": "string", "enum": ["state", "progress"]},
        "data": {"type": "string", "description": "进度，JSON 文本（JobProgress）"},
        "id": {"type": "string", "description": "随每次变化增大"},
    },
}
KEEP_ALIVE_S = 15.0
# Then the client comes again by itself, and it is seen anew whether it still may.
STREAM_S = 600.0
RESULT_WAIT_S = 8.0
_RETRY_S = 3


@router.get(
    "",
    response_model=JobList,
    responses=problems(422, 503),
    summary="批量检测任务",
    description="最近的任务，新的在前。经办角色只看到本密钥或本科室的任务。",
)
async def list_jobs(
    state: StateDep,
    visit: VisitDep,
    limit: Annotated[int, Query(ge=1, le=100, description="最多列出几条")] = 20,
) -> Response:
    """Return the newest jobs first."""
    jobs = await run_in_threadpool(state.jobs.recent, limit, owner=visit.caller.sees)
    return json_answer({"jobs": [described(job, []) for job in jobs]})


@router.get(
    "/{job_id}/events",
    response_class=Response,
    responses={
        200: {
            "description": "事件流：`state`（状态改变）和 `progress`（进度），内容同任务的进度部分",
            "content": {
                "text/event-stream": {
                    "schema": _EVENT_SCHEMA,
                    "example": {"event": "progress", "data": _EVENT_DATA, "id": "9"},
                }
            },
        },
        204: {"description": "`Last-Event-ID` 之后不会再有事件：任务已结束"},
        **problems(404, 422, 503),
    },
    summary="任务的进度（事件流）",
    description=(
        "server-sent events：先发当前状态，此后每有变化发一个事件，每 15 秒一行注释保持连接；"
        "任务结束时发出最后的 `state` 并关闭。断线后带 `Last-Event-ID` 重连，只收到新的变化。"
    ),
)
async def job_events(
    state: StateDep,
    visit: VisitDep,
    job_id: JobId,
    last_event_id: Annotated[
        str | None, Header(max_length=20, description="收到的最后一个事件的 id")
    ] = None,
) -> Response:
    """Tell how a job goes on until it ends."""
    job = await job_for(state, visit, job_id)
    known = int(last_event_id) if last_event_id and last_event_id.isdecimal() else -1
    if job.state.is_final and known >= job.version:
        return Response(status_code=204)
    state.watching.require_seat()
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return EventSourceResponse(_seated(state, job, known), headers=headers)


async def _seated(state: State, job: Job, known: int) -> AsyncIterator[bytes]:
    # The place is taken here: an answer that nobody takes is never begun, and never ended.
    with state.watching.seat(job.id):
        async for event in _events(state, job, known):
            yield event


async def _events(state: State, job: Job, known: int) -> AsyncIterator[bytes]:
    told = ""
    heard = begun = time.monotonic()
    while time.monotonic() - begun < STREAM_S and not state.watching.is_closing:
        if job.version > known:
            known = job.version
            kind = "progress" if job.state.value == told else "state"
            told = job.state.value
            data = json.dumps(progress_of(job), ensure_ascii=False, separators=(",", ":"))
            yield format_sse_event(event=kind, data_str=data, id=str(job.version))
            heard = time.monotonic()
        elif time.monotonic() - heard > KEEP_ALIVE_S:
            yield KEEPALIVE_COMMENT
            heard = time.monotonic()
        if job.state.is_final:
            return
        await asyncio.sleep(LOOK_S)
        # A store that is locked or away comes back; the client need not notice.
        with suppress(StoreError):
            job = await state.watching.job(job.id)


@router.post(
    "/{job_id}/cancel",
    responses={200: {"model": JobOut, "description": "任务"}, **problems(403, 404, 422, 503, 507)},
    summary="取消任务",
    description=(
        "停止任务；已检测的地块保留记录和结果，其余不再检测。已结束的任务保持原样。"
        "经办可取消本密钥或本科室的任务，管理角色可取消任何任务。"
    ),
)
async def cancel_job(state: StateDep, visit: VisitDep, job_id: JobId) -> Response:
    """Stop a job."""
    require_own(visit, await job_for(state, visit, job_id))
    job = await run_in_threadpool(state.jobs.cancel, job_id)
    folder = JobFolder(state.settings.job_folder, job.id)
    await run_in_threadpool(folder.forget_rows)
    return json_answer(await document_of(state, job))


@router.get(
    "/{job_id}/results.{suffix}",
    response_class=Response,
    responses={
        200: {
            "description": "结果文件",
            "content": {kind.partition(";")[0]: {} for kind in _TYPES.values()},
        },
        202: {"model": ResultPending, "description": "正在生成；按 Retry-After 再取"},
        **problems(404, 409, 410, 422, 503, 507),
    },
    summary="任务的结果",
    description=(
        "任务结束后的结果，首次请求时生成并保留到期满：`.gpkg`、`.csv`、`.xlsx`、`.geojson` 为"
        "一行一个地块的表（含记录编号），`.zip` 为每个地块一份 PDF 报告、汇总报告和总表。"
        "生成需要较长时间时先答复 202。"
    ),
)
async def job_results(
    state: StateDep,
    visit: VisitDep,
    job_id: JobId,
    suffix: Annotated[
        str, Path(max_length=10, description="gpkg、csv、xlsx、geojson 或 zip", examples=["gpkg"])
    ],
) -> Response:
    """Return one result; have it written when it is not there."""
    job = await job_for(state, visit, job_id)
    kind = _kind(suffix)
    require_results(job, kind, state)
    path = JobFolder(state.settings.job_folder, job.id).result(kind.value)
    if not path.exists():
        if kind is TaskKind.zip:
            require("pdf")
        waiting = await _made(state, job, kind)
        if waiting is not None:
            return waiting
    name = f"{job.id}.{kind.value}"
    return FileResponse(path, media_type=_TYPES[kind], filename=name)


def _kind(suffix: str) -> TaskKind:
    for kind in RESULTS:
        if kind.value == suffix:
            return kind
    raise NotFoundError(
        "没有这种结果", expected="、".join(f".{kind.value}" for kind in RESULTS), advice="改正后缀"
    )


async def _made(state: State, job: Job, kind: TaskKind) -> Response | None:
    """Wait until a result is there; return what to say when it is not."""
    path = JobFolder(state.settings.job_folder, job.id).result(kind.value)
    until = time.monotonic() + RESULT_WAIT_S
    making = await run_in_threadpool(state.jobs.want, job.id, kind, anew=True)
    state.crew.wake()
    while True:
        if making.state == "failed":
            return _not_made(making.error)
        if path.exists():
            return None
        if time.monotonic() > until:
            pending = {"state": "making", "kind": kind.value}
            body = json_bytes({**pending, "done": making.done, "total": making.total})
            headers = {"Retry-After": str(_RETRY_S)}
            return Response(body, 202, headers, media_type="application/json")
        await asyncio.sleep(0.1)
        making = await run_in_threadpool(state.jobs.want, job.id, kind)


def _not_made(error: Any) -> Response:
    return problem(503, error["code"], error["title"], error["detail"], error["errors"])


@router.get(
    "/{job_id}",
    responses={200: {"model": JobOut, "description": "任务"}, **problems(404, 422, 503)},
    summary="一个任务",
    description="任务的状态、进度、速度、剩余时间、各结论的数量、无法检测的行和结果的地址。",
)
async def get_job(state: StateDep, visit: VisitDep, job_id: JobId) -> Response:
    """Return a job."""
    job = await job_for(state, visit, job_id)
    return json_answer(await document_of(state, job))
