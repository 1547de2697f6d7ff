"""The page for leaders: where the projects are, how each stands, and what it waits for.

Joins the map of the plan with the checked projects and their card into one HTML text. Equal input
gives equal bytes. Never measures, never judges.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gis.crs import crs_of
from gis.model import may_show
from gis.output.maps.assets import STATIC_PREFIX
from gis.output.maps.base import PLAN_TOLERANCE_M, base_map, plan_bounds, roles_first, script_names
from gis.output.maps.card import geojson_bounds
from gis.output.maps.frame import LeafletBounds
from gis.output.maps.labels import outline_ring
from gis.output.maps.layers import View, plan_layers
from gis.output.maps.over import over_the_map
from gis.output.maps.portfolio_card import portfolio_card
from gis.output.maps.shapes import Detail
from gis.output.maps.sheet import Sheet, config_of, stage_of
from gis.output.maps.sites import site_labels, site_layer, site_popup
from gis.output.maps.sizes import STANDARD, Limits
from gis.output.maps.templates import fill
from gis.output.maps.text import clean
from gis.output.maps.visible import absences
from gis.output.sharing import ALONE, Sharing
from gis.portfolio.portfolio import Portfolio

if TYPE_CHECKING:
    from gis.plan.area import Plan

Document = Mapping[str, Any]


def portfolio_map(
    portfolio: Portfolio,
    plan: Plan,
    *,
    assets: str = "inline",
    ceiling: str = "public",
    prefix: str = STATIC_PREFIX,
    limits: Limits = STANDARD,
    sharing: Sharing = ALONE,
) -> str:
    """Return all projects of a register as one HTML text.

    Parameters
    ----------
    portfolio
        From ``check_portfolio``.
    plan
        The plan that it was checked against; it is drawn below the projects.
    assets, ceiling, prefix, limits, sharing
        As for ``plan_map``. With a layer of projects above the ceiling no outline of any project
        is drawn; the list stays whole.
    """
    sheet = _sheet(portfolio, plan, ceiling, limits, sharing)
    return sheet.page(assets=assets, prefix=prefix)


def _sheet(
    portfolio: Portfolio, plan: Plan, ceiling: str, limits: Limits, sharing: Sharing
) -> Sheet:
    document, checked = portfolio.to_dict(), portfolio.documents
    hidden = not all(may_show(x.info.secrecy, ceiling) for x in plan.with_role("project"))
    if hidden:
        checked = [_without_outline(check) for check in checked]
    detail = Detail(plan.work_epsg, PLAN_TOLERANCE_M)
    # The projects are drawn from their own outlines, not from the layer of projects.
    shown = [i for i, layer in plan.layers.items() if layer.info.role != "project"]
    view = View("zone", roles_first(plan, ceiling), lambda _: detail, limits)
    drawn = plan_layers(plan, view, ceiling, only=shown)
    bounds = plan_bounds(plan, drawn, ceiling)
    fmap = base_map(plan, drawn, bounds, detail, ceiling)
    names = script_names(drawn)
    names["sites"] = site_layer(checked, "项目", pins=True)
    names["sites"].add_to(fmap)
    ids = [row["id"] for row in document["projects"] if row["verdict"] is not None]
    places = {i: check["site"]["geometry"] for i, check in zip(ids, checked, strict=True)}
    card = portfolio_card(document, places, hidden=hidden and bool(checked))
    body = fill(
        "portfolio.html",
        card=card,
        absent=absences(plan, ceiling),
        crs=f"EPSG:{plan.work_epsg}（{crs_of(plan.work_epsg).name}）",
    )
    rows = {row["id"]: row for row in card["projects"]}
    config = config_of(drawn, _home(checked, bounds), bounds, plan.ref.title, card["mark"]) | {
        "sites": [_popup(check, rows[i]) for i, check in zip(ids, checked, strict=True)],
        "padding": 36,
    }
    config["labels"] += site_labels(checked)
    config["outline"] = outline_ring(plan, ceiling)
    stage = stage_of(drawn, card["mark"]) + over_the_map(sharing, plan)
    title = f"{plan.ref.title}　重点项目"
    styles = ("portfolio.css",)
    return Sheet(fmap, names, config, body, stage, title, drawn, sharing.basemap, styles)


def _without_outline(check: Document) -> dict[str, Any]:
    return {**check, "site": {**check["site"], "geometry": None}}


def _home(checked: Sequence[Document], whole: LeafletBounds) -> LeafletBounds:
    """Return the box of all projects that are drawn, else of the plan."""
    found = [b for c in checked if (b := geojson_bounds(c["site"].get("geometry")))]
    if not found:
        return whole
    south, west = (min(b[0][n] for b in found) for n in (0, 1))
    north, east = (max(b[1][n] for b in found) for n in (0, 1))
    return (south, west), (north, east)


def _popup(check: Document, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the popup of a project: that of its check, with paper and problem."""
    popup = site_popup(check)
    more = [("下一步手续", row["next"])]
    more += [("问题", row["problem"])] if row["problem"] else []
    return popup | {"r": [*popup["r"], *([clean(k), clean(v)] for k, v in more)]}
