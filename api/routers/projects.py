"""Which projects does the plan know, how do they stand, and what do they wait for?

Read-only. Outlines of projects leave only where their layer may be shown.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse

from api import schemas_projects as schemas
from api.answers import problems
from api.deps import KnownQuery, StateDep
from api.projects import (
    outline_fields,
    portfolio_of,
    portfolio_page,
    project_fields,
    register_of,
)
from api.routers.plan import AsOf
from gis.check import legal_day
from gis.portfolio.totals import totals_of

router = APIRouter(tags=["项目"], dependencies=[KnownQuery])


@router.get(
    "/v1/projects",
    response_model=schemas.ProjectsOut,
    response_model_exclude_unset=True,
    responses=problems(404, 422, 503),
    summary="项目清单",
    description="项目清单：投资、手续、问题和销号状态；清单写明的合计与登记册各行之和。",
)
async def list_projects(
    state: StateDep,
    town: Annotated[str | None, Query(description="只列一个镇街", max_length=100)] = None,
    zone: Annotated[str | None, Query(description="只列一个功能区", max_length=60)] = None,
    problem_class: Annotated[str | None, Query(description="只列一类问题", max_length=100)] = None,
    problem_open: Annotated[bool, Query(description="只列有未销号问题的项目")] = False,
) -> dict[str, Any]:
    """Return the register, or the projects of it that are asked for."""
    register = await register_of(state)
    wanted = {"town": town, "zone": zone, "problem_class": problem_class}
    return {
        "plan": asdict(state.plan.ref),
        "register": register.about(),
        "projects": [
            project_fields(project)
            for project in register.projects
            if all(v is None or getattr(project, k) == v for k, v in wanted.items())
            and (project.has_open_problem or not problem_open)
        ],
        "totals": [total.to_dict() for total in totals_of(register)],
    }


@router.get(
    "/v1/projects/{project_id}",
    response_model=schemas.OneProjectOut,
    responses=problems(404, 422, 503),
    summary="一个项目",
    description="一个项目：清单各列、手续、边界图及其面积。边界图由数据包中的文件或图层要素得到。",
)
async def get_project(
    state: StateDep, project_id: Annotated[str, Path(max_length=60)]
) -> dict[str, Any]:
    """Return one project with its outline."""
    project = (await register_of(state)).get(project_id)
    drawn = await run_in_threadpool(outline_fields, project, state.plan, state.settings.secrecy)
    return {**project_fields(project), **drawn, "plan": asdict(state.plan.ref)}


@router.get(
    "/v1/portfolio",
    response_model=schemas.PortfolioOut,
    response_model_exclude_unset=True,
    responses=problems(404, 413, 422, 503),
    summary="全部项目的检测",
    description=(
        "按优先级和清单顺序检测全部项目：结论和决定性规则、下一步手续、未销号问题、占用，"
        "以及哪个项目用完哪项指标。与命令 wuqu projects check 相同；不留记录，不写入预留台账。"
    ),
)
async def get_portfolio(state: StateDep, as_of: AsOf = None) -> dict[str, Any]:
    """Return all projects, checked and booked in order."""
    return (await portfolio_of(state, as_of or legal_day())).to_dict()


@router.get(
    "/maps/projects.html",
    response_class=HTMLResponse,
    responses=problems(404, 413, 422, 503),
    summary="项目图",
    description="全部项目一张图：结论、在等什么、还剩多少指标。一个文件，可离线打开和打印。",
)
async def get_projects_map(state: StateDep, as_of: AsOf = None) -> HTMLResponse:
    """Return the map of all projects."""
    return HTMLResponse(await portfolio_page(state, as_of or legal_day()))
