"""Where could a project stand? One search is some seconds of work, like a large check.

Nothing is recorded: a candidate is not an application.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Body
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.answers import json_answer, problems
from api.deps import KnownQuery, State, StateDep
from api.errors import EffortError
from api.schemas_siting import SearchIn, SearchOut

if TYPE_CHECKING:
    from gis.siting.query import Query

router = APIRouter(prefix="/v1", tags=["找地"], dependencies=[KnownQuery])


@router.post(
    "/site-search",
    response_model=SearchOut,
    responses=problems(400, 413, 422, 503),
    summary="找地",
    description=(
        "按全部规则找出可容纳项目的地块：用地分类、候选地块及其评分、起限制作用的规则；"
        "没有候选地块时给出最接近的情形。候选地块都已按选址检测复核。不留记录。"
    ),
)
async def search_sites(state: StateDep, wanted: Annotated[SearchIn, Body()]) -> Response:
    """Return where a project could stand."""
    deadline = time.monotonic() + state.settings.check_budget_s
    # What makes no sense is told at once, and takes nobody's turn.
    query = await run_in_threadpool(_query, state, wanted)
    work = partial(_document, state, query, land=wanted.land)
    try:
        document = await state.heavy.run(work, deadline - time.monotonic())
    except TimeoutError:
        raise EffortError(
            "找地的计算量过大：限定时间内没有算完",
            expected="几秒内可算完的范围",
            advice="用 zone 限定一个分区，或用命令行 wuqu find-sites 计算",
        ) from None
    return json_answer(document)


def _query(state: State, wanted: SearchIn) -> Query:
    # The search brings libraries that a service does not need to start.
    from gis.siting.query import query_of

    return query_of(state.plan, **wanted.model_dump(exclude={"land"}))


def _document(state: State, query: Query, *, land: bool) -> dict[str, Any]:
    from gis.output.siting import search_document
    from gis.siting.search import search_for

    search = search_for(state.plan, query)
    return search_document(search, state.plan, state.settings.secrecy, land=land)
