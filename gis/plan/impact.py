"""What does a site take from the land that is scarce, and what is left of it then?

One row per account that the site meets: development boundary by kind, permanent farmland,
cultivated land, the quotas of conversion and replacement, planned green and water. Nothing is
reserved by asking, and no verdict depends on it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import shapely

from gis.engine import Screened
from gis.engine.areal import is_small
from gis.model import Impact, Site
from gis.plan.quota.accounts import Kind
from gis.plan.quota.amounts import amount
from gis.plan.quota.cut import areas_of
from gis.plan.quota.drawing import Drawing, Drawn
from gis.plan.quota.ledger import ledger_of
from gis.plan.quota.seen import Seen
from gis.plan.quota.sentences import sentence, title_of
from gis.plan.quota.standing import Standing, standing_of
from gis.plan.reservations import overlaps

if TYPE_CHECKING:
    from gis.plan.area import Plan

_OVERLAP = "与预留用地重叠"


def impact(plan: Plan, site: Site, met: Screened | None = None) -> tuple[Impact, ...]:
    """Return what a site takes from each scarce kind of land, m² on the ellipsoid.

    Parameters
    ----------
    plan
        An opened plan package; its reservations are read as they stand now.
    site
        In the work CRS of the plan, with its use where one is known.
    met
        What the site meets, where it was screened.
    """
    standing = standing_of(plan)
    seen = None if met is None or not is_small(site) else _seen(plan, site, met)
    drawing = Drawing(standing.ledger, site.geometry, site.use, standing.holdings, seen)
    rows = [impact_of(drawn, standing.problem) for drawn in drawing.draw(standing.left)]
    return (*rows, *_overlapped(site, standing))


def _seen(plan: Plan, site: Site, met: Screened) -> Seen:
    """Return what the screening tells of the lands that budgets count."""
    lands = ledger_of(plan).lands
    names = {*lands.values(), *(role.only for role in ledger_of(plan).roles.values())}
    layers = {name: plan.layers[name].index for name in names if name}
    return Seen(site, met, layers, lands)


def impact_of(drawn: Drawn, problem: str = "") -> Impact:
    """Return what a site draws from one account as a row of an answer.

    ``problem`` says why nobody knows what is reserved.
    """
    account, land = drawn.account, drawn.land
    short = drawn.shortfall_m2
    text = sentence(drawn)
    return Impact(
        id=account.id,
        title=title_of(drawn),
        area_m2=drawn.area_m2,
        total_m2=account.total_m2,
        covered_m2=None if drawn.lacks else land.covered_m2,
        used_m2=_used(drawn),
        reserved_m2=None if problem else drawn.reserved_m2,
        unknown_m2=drawn.rest.unknown_m2,
        free_before_m2=drawn.before.free_m2,
        free_after_m2=drawn.after.free_m2,
        shortfall_m2=short,
        share_before=drawn.share(drawn.before),
        share_after=drawn.share(drawn.after),
        exceeded=None if short is None else short > 0,
        held_by=drawn.held_by,
        classes=drawn.rest.parts if drawn.taking else (),
        text=f"{text}；{problem}" if problem else text,
    )


def _used(drawn: Drawn) -> float | None:
    if drawn.account.kind is not Kind.DEV_BOUNDARY or drawn.lacks:
        return None
    return drawn.land.used_m2 if drawn.land.is_known else None


def _overlapped(site: Site, standing: Standing) -> tuple[Impact, ...]:
    """Return the land that is promised to others, whatever it counts as."""
    if standing.problem:
        unread = "预留台账读取失败，不知道地块是否与预留用地重叠，需核实"
        return (Impact("reservations", _OVERLAP, None, text=unread),)
    entries = standing.register.open if standing.register else ()
    found = overlaps(site.geometry, entries, standing.ledger.epsg)
    if not found:
        return ()
    # Land that two reservations claim is overlapped once.
    union = shapely.union_all([r.geometry for r, _ in found])
    parts = shapely.get_parts(shapely.intersection(union, site.geometry))
    total = math.fsum(areas_of(parts, standing.ledger.epsg))
    each = "；".join(f"与{r.label}重叠 {amount(m2)}，{r.reserved_on} 预留" for r, m2 in found)
    labels = tuple(r.label for r, _ in found)
    return (Impact("reservations", _OVERLAP, total, held_by=labels, text=each),)
