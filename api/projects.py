"""How does the service read the register of projects, and check all of them without standing still?

The register is read for each request, so that what was imported shows at once. A portfolio takes a
while: it is made in a thread with a time limit, one at a time, and the last one is kept until the
plan, the register, a reservation or the day changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from starlette.concurrency import run_in_threadpool

from api.deps import State
from api.errors import EffortError
from api.maps import drawn_once, plan_key
from gis.crs import to_lonlat
from gis.errors import InputError
from gis.model import may_show
from gis.output.maps import portfolio_map
from gis.plan import Plan
from gis.portfolio.approvals import approvals_of, next_stage
from gis.portfolio.check import check_portfolio
from gis.portfolio.outlines import outline_of, why_unusable
from gis.portfolio.portfolio import NO_OUTLINE, Portfolio
from gis.portfolio.project import Project, Register
from gis.portfolio.register import load_projects
from gis.rulebook.land_classes import use_label


@dataclass(frozen=True, slots=True)
class Kept:
    """The last portfolio, and what it was made from."""

    key: str
    portfolio: Portfolio


async def register_of(state: State) -> Register:
    """Return the register as the file stands now."""
    return await run_in_threadpool(load_projects, state.plan)


async def portfolio_of(state: State, day: date) -> Portfolio:
    """Return the portfolio of a day, from the last time where nothing has changed.

    Raises
    ------
    EffortError
        The projects take longer to check than one request may take.
    """
    register = await register_of(state)
    key = _key(state, register, day)
    async with state.portfolio_lock:
        kept: Kept | None = state.portfolio
        if kept is None or kept.key != key:
            work = partial(check_portfolio, state.plan, register, as_of=day)
            try:
                made = await state.heavy.run(work, state.settings.check_budget_s)
            except TimeoutError:
                raise EffortError(
                    f"清单有 {len(register.projects)} 个项目，限定时间内没有检测完",
                    expected="几秒内可检测完的清单",
                    advice="用命令 wuqu projects check 检测",
                ) from None
            kept = state.portfolio = Kept(key, made)
        return kept.portfolio


async def portfolio_page(state: State, day: date) -> str:
    """Return the map of all projects as one HTML page."""
    portfolio = await portfolio_of(state, day)
    chosen = state.settings
    draw = partial(
        portfolio_map, portfolio, state.plan, ceiling=chosen.secrecy, sharing=chosen.sharing
    )
    return await drawn_once(state, f"projects:{_key(state, portfolio.register, day)}", draw)


def _key(state: State, register: Register, day: date) -> str:
    return f"{day}:{register.sha256}:{plan_key(state)}"


def project_fields(project: Project) -> dict[str, Any]:
    """Return a project of the register with its approvals, as plain JSON values."""
    approvals = approvals_of(project)
    following = next_stage(approvals)
    return {
        **project.to_dict(),
        "use_label": use_label(project.use),
        "approvals": [approval.to_dict() for approval in approvals],
        "next_stage": following and following.to_dict() | {"todo": following.todo},
        "problem_open": project.has_open_problem,
    }


def outline_fields(project: Project, plan: Plan, ceiling: str) -> dict[str, Any]:
    """Return whether a project has an outline, its area, and where it may be shown the outline."""
    shows = all(may_show(x.info.secrecy, ceiling) for x in plan.with_role("project"))
    row: dict[str, Any] = {"area": None, "geometry": None, "shows_coordinates": shows}
    try:
        site = outline_of(project, plan)
    except InputError as problem:
        return row | {"outline": "unusable", "lacks": why_unusable(problem)}
    if site is None:
        return row | {"outline": "none", "lacks": NO_OUTLINE}
    area = site.area
    measured = {
        "ellipsoidal_m2": round(area.ellipsoidal_m2, 2),
        "planar_m2": round(area.planar_m2, 2),
        "mu": round(area.mu, 4),
        "ha": round(area.ha, 6),
    }
    drawn = to_lonlat(site.geometry, plan.work_epsg) if shows else None
    return row | {"outline": "usable", "lacks": "", "area": measured, "geometry": drawn}
