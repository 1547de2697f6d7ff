"""The page of a search for sites: land by class, candidates, and the land of each rule that binds.

Joins layers, outlines and card into one HTML text, as ``pages`` does for plans and checks. Never
searches, never judges.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import folium
from shapely.geometry.base import BaseGeometry

from gis.canonical import to_dict
from gis.output.maps import style
from gis.output.maps.assets import STATIC_PREFIX
from gis.output.maps.base import base_map
from gis.output.maps.card import Row, verdict_of
from gis.output.maps.layers import (
    View,
    box_of_first,
    collection,
    geojson,
    list_name,
    plan_layers,
)
from gis.output.maps.over import over_the_map
from gis.output.maps.parts import Key, popup
from gis.output.maps.search_card import VERDICT_OF, search_card
from gis.output.maps.shapes import Detail, to_geojson
from gis.output.maps.sheet import Sheet, config_of, stage_of
from gis.output.maps.sites import PANE, site_labels, site_layer, site_popup
from gis.output.maps.sizes import STANDARD, Limits
from gis.output.maps.style import Look
from gis.output.maps.templates import fill
from gis.output.maps.text import clean
from gis.output.maps.visible import absences
from gis.output.sharing import ALONE, Sharing
from gis.output.siting import search_document

if TYPE_CHECKING:
    from gis.plan.area import Plan
    from gis.siting import SiteSearch

_TOLERANCE_M = 6.0
_FIRST = frozenset({"planning_area", "core", "water", "road", "railway"})
_LEFT_OUT = frozenset({"landuse", "planned_use", "farmland", "built_up", "ownership"})
_LAND_PANE = "wq-areas"


def search_map(
    search: SiteSearch,
    plan: Plan,
    *,
    assets: str = "inline",
    ceiling: str = "public",
    prefix: str = STATIC_PREFIX,
    limits: Limits = STANDARD,
    sharing: Sharing = ALONE,
) -> str:
    """Return the map of a search for sites as one HTML text.

    Parameters
    ----------
    search
        From ``gis.find_sites`` on this plan.
    plan
        The plan that is drawn under it.
    assets, ceiling, prefix, limits, sharing
        As for ``plan_map``. Where a layer above the ceiling shapes the land, no land and no outline
        is drawn; areas, verdicts and texts stay.
    """
    document = search_document(search, plan, ceiling)
    card = search_card(document)
    detail = Detail(plan.work_epsg, _TOLERANCE_M)
    view = View("zone", _FIRST, lambda _: detail, limits)
    drawn = plan_layers(plan, view, ceiling, only=_drawn_ids(plan))
    for quiet in (shown for shown in drawn if shown.theme):
        quiet.layer.show = False  # its colours would mix with those of the classes
    bounds = box_of_first(plan, ("planning_area", "zone", "core") if drawn else (), ceiling)
    fmap = base_map(plan, drawn, bounds, detail, ceiling)
    names = {f"l-{shown.id}": shown.layer for shown in drawn}
    shown = not document["hidden_layers"]
    names |= _land_layers(search, card) if shown else {}
    names |= _rule_layers(search, card) if shown else {}
    checks = [_check_of(site) for site in search.sites] if shown else []
    if checks:
        names["sites"] = site_layer(checks, "候选地块", pins=True)
    for layer in (names[key] for key in names if not key.startswith("l-")):
        layer.add_to(fmap)
    body = fill("search.html", card=card, absent=absences(plan, ceiling))
    config = config_of(drawn, bounds, bounds, card["title"], card["mark"]) | {
        "sites": [site_popup(check) for check in checks],
        "padding": 18,
        "deciding": "",
    }
    config["labels"] += site_labels(checks)
    keys = _legend(card) if shown else []
    stage = stage_of(drawn, card["mark"], more=[{"title": "用地分类", "rows": keys}])
    stage += over_the_map(sharing, plan)
    title = f"找地　{card['title']}"
    return Sheet(fmap, names, config, body, stage, title, drawn, sharing.basemap).page(
        assets=assets, prefix=prefix
    )


def _drawn_ids(plan: Plan) -> list[str]:
    """Return the layers under the land: those with thousands of parcels would hide it."""
    return [x.info.id for x in plan.layers.values() if x.info.role not in _LEFT_OUT]


def _check_of(site: Any) -> dict[str, Any]:
    document = to_dict(site.check)
    return {**document, "site": {**document["site"], "name": site.name}}


def look_of(name: str) -> Look:
    """Return how land of a class is drawn; what is excluded stays quiet, it is most of the plan."""
    own = style.VERDICTS[verdict_of(VERDICT_OF[name])]
    if name == "excluded":
        return Look(own.colour, 0.0, fill=own.colour, fill_opacity=0.13)
    return Look(own.colour, 0.9, pattern=own.pattern, fill_opacity=1.0)


def _land_layers(search: SiteSearch, card: Row) -> dict[str, folium.map.Layer]:
    """Return the land of each class, the worst at the bottom."""
    rows = {row["id"]: row for row in card["classes"]}
    layers: dict[str, folium.map.Layer] = {}
    for land in reversed(search.feasible.classes):
        if land.geometry.is_empty:
            continue
        row = rows[land.id]
        name = list_name(f"k-{land.id}", land.label, "用地分类")
        group = folium.FeatureGroup(name=name, show=True)
        told = [("面积", row["area"]), ("占比", row["share"])]
        told += [(rule["title"], rule["area"]) for rule in row["rules"][:3]]
        properties = popup(land.label, told)
        _add(group, land.geometry, properties, look_of(land.id).options(), search.epsg, _LAND_PANE)
        layers[f"k-{land.id}"] = group
    return layers


def _rule_layers(search: SiteSearch, card: Row) -> dict[str, folium.map.Layer]:
    """Return the land that each rule keeps from the site; it comes when its row is tapped."""
    layers: dict[str, folium.map.Layer] = {}
    for row, own in zip(card["binding"], search.binding, strict=True):
        row["geometry"] = own.geometry is not None and not own.geometry.is_empty
        if not row["geometry"] or own.geometry is None:
            continue
        look = style.VERDICTS[verdict_of(row["verdict"]["id"])]
        group = folium.FeatureGroup(name=row["key"], control=False, show=False)
        options = Look(look.colour, 1.2, fill=look.colour, fill_opacity=0.5).options()
        properties = popup(row["title"], [("单独", row["alone"]), ("唯一", row["last"])])
        _add(group, own.geometry, properties, options, search.epsg, PANE)
        layers[row["key"]] = group
    return layers


def _add(
    group: folium.FeatureGroup,
    land: BaseGeometry,
    properties: dict[str, Any],
    options: Mapping[str, Any],
    epsg: int,
    pane: str,
) -> None:
    data = collection([(to_geojson(land, epsg), properties)])
    geojson(data, dict(options), pane, smooth=1.0).add_to(group)


def _legend(card: Row) -> Sequence[Mapping[str, Any]]:
    return [
        {"layer": f"k-{row['id']}", "key": Key(clean(row["label"]), look_of(row["id"]), "area")}
        for row in card["classes"]
    ]
