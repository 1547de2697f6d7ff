"""The stated figures, the land balance and the budgets of a plan as one JSON document."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from gis.errors import NotFoundError
from gis.plan.area import Figure, Plan


def figure_row(figure: Figure) -> dict[str, Any]:
    """Return one figure as plain JSON values."""
    row = asdict(figure)
    for key in ("computed", "difference"):
        row[key] = None if row[key] is None else round(row[key], 8)
    return row


def balance_document(plan: Plan, area: str | None, definition: str) -> dict[str, Any]:
    """Return what ``wuqu balance`` and ``/v1/plan/balance`` answer.

    A plan package without land-class layer has no land balance; its figures are still shown.
    """
    try:
        land: dict[str, Any] | None = plan.land_balance(area, definition=definition).to_dict()
    except NotFoundError:
        if area is not None or any(layer.info.scheme for layer in plan.layers.values()):
            raise
        land = None
    return {
        "plan": {"id": plan.ref.id, "version": plan.ref.version, "status": plan.ref.status},
        "stated": [figure_row(figure) for figure in plan.figures()],
        "land_balance": land,
        "budgets": budget_rows(plan),
    }


def budget_rows(plan: Plan) -> list[dict[str, Any]]:
    """Return the scarce kinds of land with their totals, m² on the ellipsoid."""
    rows = []
    for role in ("dev_boundary", "farmland"):
        for layer in plan.with_role(role):
            for cls, m2 in sorted(plan.class_totals[layer.info.id].items()):
                rows.append(
                    {
                        "layer": layer.info.id,
                        "class": cls or None,
                        "title": layer.info.title,
                        "total_m2": round(m2, 2),
                    }
                )
    return rows
