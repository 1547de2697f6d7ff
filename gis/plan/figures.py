"""What does ``wuqu balance`` answer? Figures, areas, land balance and budgets as JSON values.

Everything is computed elsewhere; here it is put in one document and printed areas add up.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from shapely.geometry.base import BaseGeometry

from gis.errors import NotFoundError
from gis.model import Site
from gis.plan.area import Plan
from gis.plan.areas import PlanArea
from gis.plan.budgets import budget_rows
from gis.plan.land.ground import STRAY_M2
from gis.plan.landcover import raster_rows
from gis.plan.stated import Figure
from gis.units import m2_to_ha, m2_to_km2, m2_to_mu, round_parts

# Areas in m², km², hectares and mu: name, from m², decimals that are printed.
_PRINTED = (
    ("ellipsoidal_m2", float, 2),
    ("km2", m2_to_km2, 4),
    ("ha", m2_to_ha, 2),
    ("mu", m2_to_mu, 2),
)


def figure_row(figure: Figure) -> dict[str, Any]:
    """Return one figure as plain JSON values."""
    row = asdict(figure) | {"reason_code": figure.reason_code.value}
    for key, digits in (
        ("computed", 8),
        ("computed_max", 8),
        ("difference", 8),
        ("ellipsoidal_m2", 2),
        ("planar_m2", 2),
        ("denominator_m2", 2),
    ):
        row[key] = None if row[key] is None else round(row[key], digits)
    return row


def area_rows(plan: Plan) -> list[dict[str, Any]]:
    """Return every named area with both areas and its layer, m² on the ellipsoid first.

    Towns and zones that divide the planning area add up to it as printed.
    """
    areas = plan.areas
    rows = [_area_row(area) for area in areas]
    for kind in ("district", "zone"):
        at = [n for n, area in enumerate(areas) if area.kind == kind]
        whole = _whole_of([areas[n] for n in at], areas)
        for name, unit, digits in _PRINTED if whole else ():
            parts = [unit(areas[n].area.ellipsoidal_m2) for n in at]
            total = unit(whole.area.ellipsoidal_m2) if whole else None
            for n, value in zip(at, round_parts(parts, digits, whole=total), strict=True):
                rows[n][name] = value
    for row in rows:
        row["planar_difference_m2"] = round(row["planar_m2"] - row["ellipsoidal_m2"], 2)
    return rows


def _area_row(area: PlanArea) -> dict[str, Any]:
    m2, info = area.area, area.layer
    return {
        "id": area.id,
        "title": area.title,
        "kind": area.kind,
        **{name: round(unit(m2.ellipsoidal_m2), digits) for name, unit, digits in _PRINTED},
        "planar_m2": round(m2.planar_m2, 2),
        "layer": info.id if info else None,
        "layer_title": info.title if info else None,
        "vintage": info.vintage if info else None,
        "status": info.status if info else None,
        "source": info.source if info else "",
    }


def _whole_of(parts: Sequence[PlanArea], areas: Sequence[PlanArea]) -> PlanArea | None:
    """Return the planning area when the parts make exactly that."""
    total = math.fsum(part.area.ellipsoidal_m2 for part in parts)
    for area in areas:
        missing = abs(area.area.ellipsoidal_m2 - total)
        # Half a unit of the last digit could not be shared out.
        if area.kind == "planning_area" and parts and missing < STRAY_M2 / 2:
            return area
    return None


def balance_document(
    plan: Plan,
    area: str | Site | BaseGeometry | None = None,
    definition: str | None = None,
) -> dict[str, Any]:
    """Return what ``wuqu balance`` and ``/v1/plan/balance`` answer.

    A plan package without land-class layer has no land balance; its figures are still shown, and
    ``land_balance_note`` says what is missing.

    Raises
    ------
    NotFoundError
        The area or definition that was asked for does not exist or has no data.
    """
    land, note = _land(plan, area, definition)
    return {
        "plan": {"id": plan.ref.id, "version": plan.ref.version, "status": plan.ref.status},
        "stated": [figure_row(figure) for figure in plan.figures()],
        "areas": area_rows(plan),
        "land_balance": land,
        "land_balance_note": note,
        "budgets": budget_rows(plan),
        "rasters": raster_rows(plan, area),
    }


def _land(
    plan: Plan, area: str | Site | BaseGeometry | None, definition: str | None
) -> tuple[dict[str, Any] | None, str]:
    try:
        return plan.land_balance(area, definition=definition).to_dict(), ""
    except NotFoundError as problem:
        # Nobody asked for anything that is not there.
        if area is None and definition is None:
            return None, problem.found
        raise
