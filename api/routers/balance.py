"""What does an area of the plan consist of, and what share of it is green and water?

For the named areas of the plan, and for a polygon that is sent like the site of a check. Areas and
shares only; no coordinates leave.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool

from api.answers import problems
from api.deps import KnownQuery, State, StateDep
from api.errors import EffortError
from api.judging import is_small
from api.options import Options, read_options, unknown_parameters
from api.reading import (
    CrsQuery,
    EncodingQuery,
    RepairQuery,
    by_name,
    sites_of,
    upload_body,
)
from api.schemas_plan import BalanceOut
from api.upload import read_upload
from gis.errors import ClaimError, Fault
from gis.model import Site
from gis.plan.figures import balance_document

router = APIRouter(prefix="/v1/plan/balance", tags=["规划"], dependencies=[KnownQuery])

_READING = ("width_m", "repair", "which", "crs", "encoding")
_FIELDS = ("definition", *_READING)
_MAX_LETTER = 10
Definition = Annotated[
    str | None,
    Query(description="绿地和水域口径：A、B、C 或 D，默认 B", max_length=_MAX_LETTER),
]


@router.get(
    "",
    response_model=BalanceOut,
    responses=problems(404, 422),
    summary="用地平衡与公布指标",
    description=(
        "公布指标与计算值、各范围面积、各类用地在各功能区的面积、绿地和水域占比（各种口径及敏感性）、"
        "稀缺用地总量。"
    ),
)
async def get_balance(
    request: Request,
    state: StateDep,
    area: Annotated[
        str | None,
        Query(description="resort、core、approval、镇街或功能区编号，默认核心区", max_length=60),
    ] = None,
    definition: Definition = None,
) -> dict[str, Any]:
    """Return stated figures, areas, land balance and budgets."""
    query = by_name(request.query_params.multi_items())
    area, definition = (_one(query, name) for name in ("area", "definition"))
    # What large images say of a named area takes seconds and much memory, but only once.
    async with state.measuring:
        return await run_in_threadpool(_document, state, area, definition)


@router.post(
    "",
    response_model=BalanceOut,
    responses=problems(400, 404, 408, 413, 415, 422, 503),
    summary="自定义范围的用地平衡",
    description="提交一个范围（格式与选址检测相同），得到该范围的用地平衡。不留记录。",
    openapi_extra=upload_body({name: {"type": "string"} for name in _FIELDS}),
)
async def post_balance(
    request: Request,
    state: StateDep,
    definition: Definition = None,
    width_m: Annotated[str | None, Query(description="线状范围的宽度（米）")] = None,
    repair: RepairQuery = None,
    which: Annotated[str | None, Query(description="多个范围时的序号（从 1 开始）")] = None,
    crs: CrsQuery = None,
    encoding: EncodingQuery = None,
) -> dict[str, Any]:
    """Return the same for a polygon of the client's."""
    # The values are parsed below, together with the form fields that they take precedence over.
    del definition, width_m, repair, which, crs, encoding
    query = by_name(request.query_params.multi_items())
    _options(query, {})
    upload = await read_upload(request, state.settings.body_deadline_s)
    letter, options = _options(query, upload.form)
    deadline = time.monotonic() + state.settings.check_budget_s
    site = (await sites_of(upload, options, state))[0]
    work = partial(_document, state, site, letter)
    if is_small([site], state.plan):
        return await run_in_threadpool(work)
    try:
        return await state.heavy.run(work, deadline - time.monotonic())
    except TimeoutError:
        raise EffortError(
            "一次请求的计算量过大：限定时间内没有算完这个范围",
            expected="几秒内可算完的范围",
            advice="简化图形或缩小范围；很大的范围可用命令行 wuqu balance --file 计算",
        ) from None


def _document(state: State, area: str | Site | None, definition: str | None) -> dict[str, Any]:
    document = balance_document(state.plan, area, definition)
    return {**document, "plan": asdict(state.plan.ref)}


def _options(
    query: Mapping[str, Sequence[str]], form: Mapping[str, Sequence[str]]
) -> tuple[str | None, Options]:
    """Return the definition and how the body is to be read; the query wins over the form."""
    for source in (form, query):
        if unknown := sorted(set(source) - set(_FIELDS)):
            raise unknown_parameters(unknown, _FIELDS)
    reading = [{k: v for k, v in source.items() if k in _READING} for source in (query, form)]
    options = read_options(*reading)
    if options.which == "all":
        raise ClaimError(
            "参数 which 为“all”",
            expected="一个范围的序号，从 1 开始",
            faults=[Fault("参数 which", "应为一个序号")],
        )
    letter = _one(query if "definition" in query else form, "definition")
    if letter is not None and len(letter) > _MAX_LETTER:
        raise ClaimError(
            "参数 definition 过长",
            expected="A、B、C 或 D",
            faults=[Fault("参数 definition", "过长")],
        )
    return letter, options


def _one(source: Mapping[str, Sequence[str]], name: str) -> str | None:
    """Return the only value of a parameter; of two, one would be ignored."""
    values = source.get(name, ())
    if len(values) > 1:
        raise ClaimError(
            f"参数 {name} 重复", expected="一个值", faults=[Fault(f"参数 {name}", "重复")]
        )
    return next(iter(values), "").strip() or None
