"""Many sites at once: an upload becomes a job, and the answer says where to watch it.

Nothing of the upload is read here but its size and the table of contents of a zip; a worker reads
it. Stands before the router of the checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.access.visit import Visit
from api.answers import json_bytes, problems
from api.deps import KnownQuery, State, StateDep, VisitDep
from api.jobs import document_of, taken_in
from api.options import Options, read_options, unknown_parameters
from api.reading import (
    AsOfQuery,
    AttrQuery,
    CrsQuery,
    EncodingQuery,
    RepairQuery,
    UseQuery,
    WidthQuery,
    by_name,
    upload_body,
)
from api.schemas_jobs import EXAMPLE_ID, JobOut
from api.upload import Upload, read_upload
from gis.intake.draft import clean_text
from gis.jobs.model import Job
from gis.jobs.reading import examine

PATH = "/v1/site-checks/batch"
router = APIRouter(tags=["批量检测"], dependencies=[KnownQuery])

_NAMES = ("use", "attr", "width_m", "as_of", "repair", "crs", "encoding")
_BODY = upload_body(
    {
        "use": {"type": "string", "example": "080403"},
        "attr": {"type": "array", "items": {"type": "string"}, "example": ["plot_ratio:1.0"]},
        **{name: {"type": "string"} for name in _NAMES if name not in ("use", "attr")},
    },
    "装有界址点 TXT 等文件的 zip、GeoPackage、Excel/CSV 坐标表、GeoJSON FeatureCollection 等，"
    "任意多个地块；以表单文件 file 上传，或直接以文件为请求内容。单个文件不超过 20 MB，"
    "zip 默认不超过 50 MB。",
)


@router.post(
    PATH,
    operation_id="create_job",
    summary="批量检测",
    status_code=202,
    openapi_extra=_BODY,
    responses={
        202: {
            "model": JobOut,
            "description": "任务已接收；`Location` 为任务地址",
            "headers": {
                "Location": {
                    "description": "任务的地址",
                    "schema": {
                        "type": "string",
                        "example": f"/v1/jobs/{EXAMPLE_ID}",
                    },
                }
            },
        },
        **problems(400, 408, 413, 415, 422, 429, 503, 507),
    },
    description=(
        "提交许多地块，得到任务编号；检测在后台进行，服务重启后继续。每个地块各留一条检测记录，"
        "无法检测的行列在任务和结果表中，不影响其他地块。进度见 `/v1/jobs/{id}/events`，"
        "结果见 `/v1/jobs/{id}/results.*`。"
    ),
)
async def create_job(
    request: Request,
    state: StateDep,
    visit: VisitDep,
    use: UseQuery = None,
    attr: AttrQuery = None,
    width_m: WidthQuery = None,
    as_of: AsOfQuery = None,
    repair: RepairQuery = None,
    crs: CrsQuery = None,
    encoding: EncodingQuery = None,
) -> Response:
    """Take in a job."""
    # The values are parsed below, together with the form fields that they take precedence over.
    del use, attr, width_m, as_of, repair, crs, encoding
    query = by_name(request.query_params.multi_items())
    read_options(query)
    upload = await read_upload(request, state.settings.body_deadline_s)
    _refuse_foreign(upload.form)
    asked = read_options(query, upload.form)
    job = await run_in_threadpool(partial(_taken_in, state, visit, upload, asked))
    state.crew.wake()
    content = json_bytes(await document_of(state, job))
    headers = {"Location": f"/v1/jobs/{job.id}"}
    return Response(content, 202, headers, media_type="application/json")


def _refuse_foreign(form: Mapping[str, Any]) -> None:
    """Refuse fields that mean something for a single check only."""
    unknown = sorted(set(form) - set(_NAMES))
    if unknown:
        raise unknown_parameters(unknown, _NAMES)


def _taken_in(state: State, visit: Visit, upload: Upload, asked: Options) -> Job:
    examine(upload.content)
    name, _ = clean_text((upload.name or "").replace("\\", "/").rpartition("/")[2])
    return taken_in(state, visit, upload, asked, name=name)
