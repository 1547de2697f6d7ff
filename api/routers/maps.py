"""Maps as pages: the whole plan, and one checked site."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import HTMLResponse

from api.answers import problems
from api.deps import KnownQuery, StateDep
from api.maps import plan_page, site_page

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
