"""How do the projects of a register stand, one after another, in order of priority?

Each project with an outline goes through ``check_site`` as any other site, with the use and the
figures of the register as its claims, and is booked on top of all before it against what is left of
the scarce land. A project without an outline is told as such and takes its place in the list;
nothing is written anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from gis.check import check_site, legal_day
from gis.claims import with_claims
from gis.errors import ClaimError, InputError
from gis.model import Site
from gis.plan.booking import Booking, book
from gis.portfolio.approvals import approvals_of
from gis.portfolio.outlines import outline_of, why_unusable
from gis.portfolio.portfolio import (
    NO_OUTLINE,
    UNCHECKED,
    UNUSABLE,
    Portfolio,
    ProjectCheck,
)
from gis.portfolio.project import Project, Register
from gis.portfolio.register import load_projects
from gis.portfolio.totals import totals_of

if TYPE_CHECKING:
    from gis.plan import Plan


def check_portfolio(
    plan: Plan,
    register: Register | None = None,
    *,
    outlines: Mapping[str, Site] | None = None,
    as_of: date | None = None,
) -> Portfolio:
    """Check every project of a register and book them in order of priority.

    Parameters
    ----------
    plan
        An opened plan package; its reservations count as they stand now.
    register
        From ``load_projects``; default the register of the plan.
    outlines
        Sites by the id of their project, from ``read_site`` with this plan: they go before what
        the register names.
    as_of
        The day of the law; default today in China.

    Returns
    -------
    portfolio
        All projects of the register: verdict and deciding rule, next approval, open problem, what
        each takes (m² on the ellipsoid), and at which of them a budget runs out.

    Raises
    ------
    NotFoundError
        The plan has no register, or ``outlines`` names a project that it does not have.
    PlanError
        The register cannot be read; every fault is listed.

    Examples
    --------
    >>> import gis
    >>> portfolio = gis.check_portfolio(gis.load_plan())
    >>> print(portfolio.to_dict()["sentence"])
    20 个项目，8 个有边界图并已检测...
    """
    own = load_projects(plan) if register is None else register
    for project_id in outlines or ():
        own.get(project_id)
    day = as_of or legal_day()
    rows = [
        _checked(number, project, plan, (outlines or {}).get(project.id), day)
        for number, project in enumerate(own.in_order, start=1)
    ]
    booking = book(plan, [row.check.site for row in rows if row.check is not None])
    return Portfolio(
        plan=plan.ref,
        as_of=day,
        register=own,
        projects=tuple(_booked(rows, booking)),
        booking=booking,
        totals=totals_of(own),
        work_epsg=plan.work_epsg,
    )


def _checked(
    order: int, project: Project, plan: Plan, given: Site | None, day: date
) -> ProjectCheck:
    """Return one project with its check; what stands in the way of one is told, not raised."""
    row = ProjectCheck(order, project, approvals_of(project))
    try:
        site = given if given is not None else outline_of(project, plan)
        if site is None:
            return replace(row, lacks=NO_OUTLINE)
        site = with_claims(replace(site, name=project.name), project.use, project.claims)
        return replace(row, check=check_site(site, plan, as_of=day, remedies=False))
    except ClaimError as problem:
        return replace(row, lacks=f"{UNCHECKED}：{why_unusable(problem)}")
    except InputError as problem:
        return replace(row, lacks=f"{UNUSABLE}：{why_unusable(problem)}")


def _booked(rows: Sequence[ProjectCheck], booking: Booking) -> list[ProjectCheck]:
    sites = iter(booking.sites)
    return [row if row.check is None else replace(row, booked=next(sites)) for row in rows]
