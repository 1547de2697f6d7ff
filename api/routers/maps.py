"""Maps as pages: the whole plan, two states of it, and one checked site."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import FileResponse, HTMLResponse, Response

from api.answers import problems
from api.deps import KnownQuery, StateDep, VisitDep
from api.headers import SERVED_MAP
from api.maps import MapFiles, comparison_page, plan_page, site_page
from gis.output.maps.pair import What

router = APIRouter(prefix="/maps", tags=["地图"], dependencies=[KnownQuery])
# A name with a hash never means anything else; vendored files change with the release.
_KEPT = "public, max-age=31536000, immutable"
_DAY = "public, max-age=86400"


@router.get(
    "/plan.html",
    response_class=HTMLResponse,
    responses=problems(422),
    summary="规划图",
    description="规划图：功能区、控制线、用地与设施。",
)
async def get_plan_map(
    request: Request,
    state: StateDep,
    assets: Annotated[
        Literal["inline", "static"],
        Query(description="inline：一个文件，可离线保存；static：小页面，脚本和瓦片另行读取。"),
    ] = "inline",
) -> HTMLResponse:
    """Return the map of the plan."""
    if assets == "inline":
        return HTMLResponse(await plan_page(state))
    files: MapFiles = request.app.state.map_files
    headers = {"Content-Security-Policy": SERVED_MAP, "Cache-Control": "no-cache"}
    return HTMLResponse(await files.page(state), headers=headers)


@router.get(
    "/assets/{name}",
    response_class=Response,
    responses=problems(404, 422),
    summary="地图文件",
    description="规划图（static）用到的脚本、样式、图片和瓦片；支持分段读取（Range）。",
)
async def get_map_file(
    request: Request, state: StateDep, name: Annotated[str, Path(max_length=80)]
) -> Response:
    """Return one file beside the map of the plan, or a part of it."""
    files: MapFiles = request.app.state.map_files
    file = await files.file(state, name)
    headers = {"Cache-Control": _KEPT if file.kept else _DAY}
    if file.path is None:
        return Response(file.content, media_type=file.media_type, headers=headers)
    return FileResponse(file.path, media_type=file.media_type, headers=headers)


@router.get(
    "/comparison.html",
    response_class=HTMLResponse,
    responses=problems(404, 422),
    summary="左右对照图",
    description="左右对照：现状与规划（land），或现行与修改中（law）。",
)
async def get_comparison_map(
    state: StateDep,
    what: Annotated[What, Query(description="land：现状与规划；law：现行与修改中")] = "land",
) -> HTMLResponse:
    """Return two states of the plan side by side."""
    return HTMLResponse(await comparison_page(state, what))


@router.get(
    "/site-checks/{check_id}.html",
    response_class=HTMLResponse,
    responses=problems(404, 422, 503),
    summary="一次检测的地图",
    description="一次检测的地图。",
)
async def get_site_map(
    state: StateDep, visit: VisitDep, check_id: Annotated[str, Path(max_length=64)]
) -> HTMLResponse:
    """Return the map of one record."""
    return HTMLResponse(await site_page(state, check_id, visit))
