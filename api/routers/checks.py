"""May this project stand on this site? The check itself, and the records of earlier answers.

A small site is read and checked on the event loop, in 10-50 ms: that is faster than waking a
thread. A large site, or a file with many, may take seconds and goes to a thread with a time
budget; reading a file and writing the record may wait for a disk or for a child process, so these
always run in a thread.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, Response

from api import schemas
from api.access.visit import Visit
from api.answers import GEOJSON_TYPE, geojson_answer, json_answer, problems
from api.deps import KnownQuery, State, StateDep, VisitDep
from api.judging import Answer, is_small, judge
from api.maps import site_page
from api.options import OPTION_NAMES, Options, read_options
from api.reading import (
    AsOfQuery,
    AttrQuery,
    CrsQuery,
    EncodingQuery,
    RepairQuery,
    UseQuery,
    WidthQuery,
    by_name,
    sites_of,
    upload_body,
)
from api.reports import MEDIA_TYPES, report_answer
from api.routes import OwnReading
from api.upload import Upload, read_upload
from gis.model import SiteCheck, Verdict
from gis.output.export import to_geojson
from gis.output.records import Entry, Snapshot, entry_of

router = APIRouter(prefix="/v1/site-checks", tags=["选址检测"], dependencies=[KnownQuery])

_BODY = upload_body(
    {
        "use": {"type": "string", "example": "080403"},
        "attr": {
            "type": "array",
            "items": {"type": "string"},
            "example": ["plot_ratio:1.0"],
        },
        **{name: {"type": "string"} for name in OPTION_NAMES if name not in ("use", "attr")},
    }
)


async def create_site_check(
    request: Request,
    state: StateDep,
    visit: VisitDep,
    use: UseQuery = None,
    attr: AttrQuery = None,
    width_m: WidthQuery = None,
    as_of: AsOfQuery = None,
    repair: RepairQuery = None,
    which: Annotated[str | None, Query(description="多个地块时的序号（从 1 开始），或 all")] = None,
    crs: CrsQuery = None,
    encoding: EncodingQuery = None,
    geometry: Annotated[
        str | None, Query(description="false：答复中不含任何图形（边界、涉及范围），结论不变")
    ] = None,
    remedies: Annotated[
        str | None, Query(description="false：不寻找合规的裁减、平移方案，结论不变")
    ] = None,
) -> Response:
    """Check the sites of one request and keep a record of every answer."""
    # The values are parsed below, together with the form fields that they take precedence over.
    del use, attr, width_m, as_of, repair, which, crs, encoding, geometry, remedies
    query = by_name(request.query_params.multi_items())
    options = read_options(query)
    upload = await read_upload(request, state.settings.body_deadline_s)
    if upload.form:
        options = read_options(query, upload.form)
    content = await checked(upload, options, state, visit)
    return Response(content, media_type="application/json")


async def checked(upload: Upload, options: Options, state: State, visit: Visit) -> bytes:
    """Check the sites of an upload, keep a record of every answer, and return what is sent.

    Raises
    ------
    InputError
        The sites cannot be judged.
    StoreError
        The answers could not be kept, so nobody sees them.
    """
    deadline = time.monotonic() + state.settings.check_budget_s
    sites = await sites_of(upload, options, state)
    small = is_small(sites, state.plan)
    # Before the check: what is reserved meanwhile is not what it rests on.
    snapshot = state.snapshot() if state.settings.records else None
    checks = await judge(sites, options, state, small=small, deadline=deadline)
    answers = [Answer(check, check.id) for check in checks]
    if snapshot is not None:
        answers = await _save(checks, upload, snapshot, state, visit, small=small)
    state.metrics.judged(check.verdict.value for check in checks)
    write = partial(_written, answers, options, state)
    return write() if small else await run_in_threadpool(write)


router.add_api_route(
    "",
    create_site_check,
    methods=["POST"],
    route_class_override=OwnReading,
    operation_id="create_site_check",
    summary="检测一个地块",
    openapi_extra=_BODY,
    responses={
        200: {
            "model": schemas.SiteCheckOut | schemas.SiteChecksOut,
            "description": "检测结果；which=all 时为 {checks: [...]}",
        },
        **problems(400, 408, 413, 415, 422, 503, 507),
    },
    description="提交地块，得到结论、逐条规则的依据与处理办法；每次检测留有记录，`id` 即记录编号。",
)


async def _save(
    checks: Sequence[SiteCheck],
    upload: Upload,
    snapshot: Snapshot,
    state: State,
    visit: Visit,
    *,
    small: bool,
) -> list[Answer]:
    """Store the answers before anybody sees them; return them with the ids of their records."""
    make = partial(_entries, checks, snapshot)
    kept = make() if small else await run_in_threadpool(make)
    ids = await state.recorder.save(
        kept, upload.sha256, owner=visit.caller.owner, request_id=visit.request_id, small=small
    )
    visit.note(*ids)
    state.metrics.recorded(len(ids))
    return [Answer(c, i, entry.text) for c, i, entry in zip(checks, ids, kept, strict=True)]


def _entries(checks: Sequence[SiteCheck], snapshot: Snapshot) -> list[Entry]:
    return [entry_of(check, snapshot=snapshot) for check in checks]


def _written(answers: Sequence[Answer], options: Options, state: State) -> bytes:
    # One by one, because the event loop gets no turn while a text is being written in a thread.
    texts = [answer.text(state, geometry=options.geometry) for answer in answers]
    return b'{"checks":[' + b",".join(texts) + b"]}" if options.which == "all" else texts[0]


# --- records -------------------------------------------------------------------------------------

CheckId = Annotated[str, Path(max_length=64, description="检测编号")]


@router.get(
    "",
    response_model=schemas.RecentChecks,
    responses=problems(422, 503),
    summary="最近的检测",
    description="最近的检测：编号、名称、结论、时间，新的在前。经办角色只看到本密钥或本科室的检测。",
)
async def list_site_checks(
    state: StateDep,
    visit: VisitDep,
    limit: Annotated[int, Query(ge=1, le=100, description="最多列出几条")] = 20,
) -> Mapping[str, Any]:
    """Return the newest records first."""
    recent = await run_in_threadpool(state.store.recent, limit, owner=visit.caller.sees)
    return {
        "checks": [
            {
                "id": r.id,
                "name": r.name,
                "verdict": r.verdict,
                "verdict_label": Verdict(r.verdict).label,
                "created_at": r.created_at,
            }
            for r in recent
        ]
    }


@router.get(
    "/{check_id}.geojson",
    response_class=Response,
    responses={
        200: {"description": "地块与检测结果的图形", "content": {GEOJSON_TYPE: {}}},
        **problems(404, 422, 503),
    },
    summary="一次检测的图形",
    description="一次检测的图形：地块、各条结论标出的范围（经纬度）。",
)
async def get_site_check_geojson(state: StateDep, visit: VisitDep, check_id: CheckId) -> Response:
    """Return the outlines of one record."""
    document = await state.document(check_id, visit)
    cited = await state.citing(document["plan"]["version"])
    return geojson_answer(to_geojson([document], cited.plan, state.settings.secrecy))


@router.get(
    "/{check_id}.html",
    response_class=HTMLResponse,
    responses=problems(404, 422, 503),
    summary="一次检测的地图",
    description="一次检测的地图：单个网页，离线可用。",
)
async def get_site_check_map(state: StateDep, visit: VisitDep, check_id: CheckId) -> HTMLResponse:
    """Return the map of one record."""
    return HTMLResponse(await site_page(state, check_id, visit))


@router.get(
    "/{check_id}.pdf",
    response_class=Response,
    responses={
        200: {"description": "报告", "content": {MEDIA_TYPES["pdf"]: {}}},
        **problems(404, 422, 503),
    },
    summary="一次检测的报告（PDF）",
    description="一次检测的报告：结论、规则和依据、指标表、界址点、附图，供打印和存档。",
)
async def get_site_check_pdf(state: StateDep, visit: VisitDep, check_id: CheckId) -> Response:
    """Return the report of one record as PDF."""
    return await report_answer(state, visit, check_id, "pdf")


@router.get(
    "/{check_id}.docx",
    response_class=Response,
    responses={
        200: {"description": "报告", "content": {MEDIA_TYPES["docx"]: {}}},
        **problems(404, 422, 503),
    },
    summary="一次检测的报告（DOCX）",
    description="内容与 PDF 相同，可在办公软件中编辑。",
)
async def get_site_check_docx(state: StateDep, visit: VisitDep, check_id: CheckId) -> Response:
    """Return the report of one record as DOCX."""
    return await report_answer(state, visit, check_id, "docx")


@router.get("/{check_id}.json", response_model=None, include_in_schema=False)
async def get_site_check_json(state: StateDep, visit: VisitDep, check_id: CheckId) -> Response:
    """Return the same as without the suffix."""
    return json_answer(await state.document(check_id, visit))


@router.get(
    "/{check_id}",
    responses={
        200: {"model": schemas.SiteCheckOut, "description": "检测结果"},
        **problems(404, 422, 503),
    },
    summary="一次检测的结果",
    description="一次检测的完整结果；也可加后缀 .json、.geojson、.html、.pdf 或 .docx。",
)
async def get_site_check(state: StateDep, visit: VisitDep, check_id: CheckId) -> Response:
    """Return the stored answer of one record."""
    return json_answer(await state.document(check_id, visit))
