"""Does the service run, and can it answer?"""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.answers import problems
from api.deps import KnownQuery, StateDep
from api.metrics import MEDIA_TYPE
from api.readiness import require_ready
from api.schemas_plan import Health
from gis.errors import StoreError
from gis.jobs.model import JobNumbers
from gis.jobs.store import JobStore

router = APIRouter(tags=["运行状态"], dependencies=[KnownQuery])


@router.get(
    "/healthz",
    response_model=Health,
    response_model_exclude_unset=True,
    summary="进程是否在运行",
    description="进程在运行。",
)
async def healthz() -> dict[str, str]:
    """Return that the process runs."""
    return {"status": "ok"}


@router.get(
    "/readyz",
    response_model=Health,
    response_model_exclude_unset=True,
    responses=problems(503),
    summary="能否应答",
    description="规划已载入，记录库可写，密钥和审计日志可用；否则在 `errors` 中逐项说明原因。",
)
async def readyz(state: StateDep) -> dict[str, str]:
    """Return that everything works that an answer needs."""
    await require_ready(state)
    return {"status": "ok", **(state.following.told() if state.following else {})}


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {"description": "Prometheus 文本格式", "content": {"text/plain": {}}},
        **problems(422),
    },
    summary="运行指标",
    description="请求数和耗时（按路由）、检测数（按结论）、记录数、排队数、批量任务；多进程时为合计。",
)
async def metrics(state: StateDep) -> Response:
    """Return the numbers of all workers."""
    audit_faulty = bool(state.access.audit.fault)
    jobs = await run_in_threadpool(_jobs, state.jobs)
    text = partial(state.metrics.text, audit_faulty=audit_faulty, jobs=jobs)
    return Response(await run_in_threadpool(text), media_type=MEDIA_TYPE)


def _jobs(store: JobStore) -> JobNumbers | None:
    """Return the numbers of the jobs; without the database, the other numbers still matter."""
    try:
        return store.numbers()
    except StoreError:
        return None
