"""Which answer was given, does it still hold, and what did an officer decide beside it?

The answer itself is ``GET /v1/site-checks/{id}``; here is what proves it. Records are verified in
a thread of the heavy work: the files of the plan are read anew.
"""

from __future__ import annotations

import time
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.concurrency import run_in_threadpool

from api.answers import problems
from api.deps import KnownQuery, StateDep, VisitDep
from api.schemas_records import DecisionIn, DecisionOut, RecordOut, VerificationOut
from gis.errors import BusyError
from gis.output.records.described import decision_dict, described
from gis.output.records.verify import verify_record

router = APIRouter(prefix="/v1/records", tags=["检测记录"], dependencies=[KnownQuery])

RecordId = Annotated[str, Path(max_length=64, description="记录编号，即检测编号")]


@router.get(
    "/{record_id}",
    response_model=RecordOut,
    responses=problems(404, 422, 503),
    summary="一条检测记录",
    description="记录的时间、校验值、版本、链上位置和人工决定；检测结果见 /v1/site-checks。",
)
async def get_record(state: StateDep, visit: VisitDep, record_id: RecordId) -> dict[str, Any]:
    """Return what there is to say about a record beside its answer."""
    record = await state.record(record_id, visit)
    return described(record, await run_in_threadpool(state.store.decisions, record_id))


@router.get(
    "/{record_id}/verify",
    response_model=VerificationOut,
    responses=problems(404, 422, 503),
    summary="核对一条检测记录",
    description=(
        "核对记录的每个字段和链上位置，按记录中的地块、用途、属性和日期重算，比较摘要；"
        "不一致时指出变化的图层、规则、文件或软件。"
    ),
)
async def verify(state: StateDep, visit: VisitDep, record_id: RecordId) -> dict[str, Any]:
    """Verify one record, on the release that it cites where the service follows releases."""
    visit.note(record_id)
    row = await run_in_threadpool(state.store.row, record_id)
    cited = await state.citing(str(row["plan_version"]))
    work = partial(verify_record, state.store, record_id, cited.plan)
    until = time.monotonic() + state.settings.check_budget_s
    try:
        found = await state.heavy.run(work, until - time.monotonic())
    except TimeoutError:
        raise BusyError("核对没有在限定时间内完成") from None
    return found.to_dict()


@router.post(
    "/{record_id}/decisions",
    response_model=DecisionOut,
    status_code=201,
    responses=problems(400, 404, 413, 422, 503, 507),
    summary="记下人工决定",
    description="在检测结论旁记下机关的人工决定、理由和时间；检测结论原样保留，决定记下后不能更改，可再记新的决定。",
)
async def create_decision(
    state: StateDep, visit: VisitDep, record_id: RecordId, decision: DecisionIn
) -> dict[str, Any]:
    """Add what an officer decided beside a computed answer."""
    visit.note(record_id)
    by = {"by": visit.caller.name, "request_id": visit.request_id}
    work = partial(state.store.decide, record_id, **decision.model_dump(), **by)
    return decision_dict(await run_in_threadpool(work))
