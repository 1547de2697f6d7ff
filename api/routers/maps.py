"""Maps as pages: the whole plan, two states of it, and one checked site."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import HTMLResponse

from api.answers import problems
from api.deps import KnownQuery, StateDep
from api.maps import comparison_page, plan_page, site_page
from gis.output.maps.pair import What

router = APIRouter(prefix="/maps", tags=["地图"], dependencies=[KnownQuery])


@router.get(
    "/plan.html",
    response_class=HTMLResponse,
    responses=problems(422),
    summary="规划图",
    description="规划图：功能区、控制线、用地与设施。",
)
async def get_plan_map(state: StateDep) -> HTMLResponse:
    """Return the map of the plan."""
    return HTMLResponse(await plan_page(state))


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
    state: StateDep, check_id: Annotated[str, Path(max_length=64)]
) -> HTMLResponse:
    """Return the map of one record."""
    return HTMLResponse(await site_page(state, check_id))
