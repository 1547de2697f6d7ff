"""The two pages: the map of a plan, and the map of one checked site.

Joins layers, sites and card into one HTML text. Equal input gives equal bytes. Never measures,
never judges, never reads a file of the plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import folium
from markupsafe import Markup
from shapely.geometry import box

from gis.crs import crs_of, geographic_code, transform
from gis.output.contacts import contact_pictures
from gis.output.maps import card as cards
from gis.output.maps import style
from gis.output.maps.assets import STATIC_PREFIX
from gis.output.maps.frame import LeafletBounds, OfflineMap, empty_map
from gis.output.maps.inset import overview
from gis.output.maps.labels import outline_ring
from gis.output.maps.layers import (
    Shown,
    View,
    add_panes,
    box_of_first,
    ground,
    plan_layers,
    zone_outlines,
)
from gis.output.maps.over import over_the_map
from gis.output.maps.parts import Key
from gis.output.maps.plan_card import plan_card, zone_rows
from gis.output.maps.rasters import RASTER_PANE, picture_groups, raster_pictures
from gis.output.maps.remedies import legend_keys, remedy_layers
from gis.output.maps.shapes import Detail
from gis.output.maps.sheet import ServedMap, Sheet, config_of, stage_of
from gis.output.maps.site_card import site_card
from gis.output.maps.sites import conflict_layer, site_labels, site_layer, site_popup
from gis.output.maps.sizes import STANDARD, Limits
from gis.output.maps.style import Look
from gis.output.maps.templates import fill
from gis.output.maps.text import clean
from gis.output.maps.visible import absences, drawable, secret_layers
from gis.output.secrecy import without_geometry_of
from gis.output.sharing import ALONE, Sharing

_PLAN_TOLERANCE_M = 4.0
_SITE_TOLERANCE_M = 0.5
_SITE_MARGIN_M = 1500.0
_PLAN_FIRST = frozenset(
    {"planning_area", "district", "core", "approval", "water", "road", "railway", "dev_boundary"}
)

if TYPE_CHECKING:
    from gis.plan.area import Plan
_SITE_FIRST = _PLAN_FIRST | {"farmland", "redline", "control_line"}
# These are thousands of features: on the map of a site only its surroundings are drawn.
_EMPTY = Markup()
_HEAVY = frozenset({"landuse", "planned_use", "farmland", "built_up", "ownership"})


def plan_map(
    plan: Plan,
    checks: Iterable[Mapping[str, Any]] = (),
    *,
    assets: str = "inline",
    ceiling: str = "public",
    prefix: str = STATIC_PREFIX,
    limits: Limits = STANDARD,
    rasters: bool = True,
    sharing: Sharing = ALONE,
) -> str:
    """Return the map of a plan as one HTML text.

    Parameters
    ----------
    plan
        An opened plan.
    checks
        Documents of checks (``gis.canonical.to_dict``), shown with their verdicts.
    assets
        ``inline``: one file that needs nothing else; ``static``: vendored files under ``prefix``.
    ceiling
        Highest secrecy whose coordinates may leave: public, internal or restricted.
    prefix
        Path of the vendored files on the serving host, for ``static``.
    limits
        From how many features on layers are drawn on canvases, and from how many from tiles.
    rasters
        Whether land cover and images can be switched on; they make the page larger.
    sharing
        For whom the copy is, and a basemap of the intranet; neither unless given.
    """
    sheet = _plan_sheet(plan, list(checks), ceiling, limits, sharing, rasters=rasters)
    return sheet.page(assets=assets, prefix=prefix)


def site_map(
    document: Mapping[str, Any],
    plan: Plan,
    *,
    assets: str = "inline",
    ceiling: str = "public",
    prefix: str = STATIC_PREFIX,
    limits: Limits = STANDARD,
    sharing: Sharing = ALONE,
    manual: Sequence[str] = (),
) -> str:
    """Return the map of one checked site as one HTML text.

    Parameters
    ----------
    document
        The JSON document of the check, fresh or from a record.
    plan
        The plan that is drawn around it; a difference of version is printed.
    assets, ceiling, prefix, limits, sharing
        As for ``plan_map``; findings on layers above the ceiling keep their text and lose their
        geometry.
    manual
        What officers decided beside the computed verdict, a sentence each.
    """
    sheet = _site_sheet(document, plan, ceiling, limits, sharing, manual)
    return sheet.page(assets=assets, prefix=prefix)


def served_plan_map(
    plan: Plan,
    checks: Iterable[Mapping[str, Any]] = (),
    *,
    ceiling: str = "public",
    prefix: str = STATIC_PREFIX,
    limits: Limits = STANDARD,
    sharing: Sharing = ALONE,
) -> ServedMap:
    """Return the map of a plan as a small page with its files beside it, as for ``plan_map``."""
    return _plan_sheet(plan, list(checks), ceiling, limits, sharing).served(prefix)


# --- the two pages -----


def _plan_sheet(
    plan: Plan,
    documents: list[Mapping[str, Any]],
    ceiling: str,
    limits: Limits,
    sharing: Sharing,
    *,
    rasters: bool = True,
) -> Sheet:
    detail = Detail(plan.work_epsg, _PLAN_TOLERANCE_M)
    view = View("zone", _roles_first(plan, ceiling), lambda _: detail, limits)
    drawn = plan_layers(plan, view, ceiling)
    bounds = _plan_bounds(plan, drawn, ceiling)
    fmap = map_base(plan, drawn, bounds, detail, ceiling)
    names = _names(drawn)
    pictures = raster_pictures(plan, ceiling, RASTER_PANE[0]) if rasters else []
    for picture in pictures:
        names[f"r-{picture.id}"] = picture.layer
        picture.layer.add_to(fmap)
    if documents:
        names["sites"] = site_layer(documents, "检测地块", pins=True)
        names["sites"].add_to(fmap)
    card = plan_card(plan, documents, drawn)
    body = fill(
        "plan.html",
        card=card,
        zones=zone_rows(plan, ceiling),
        absent=absences(plan, ceiling),
        crs=f"EPSG:{plan.work_epsg}（{crs_of(plan.work_epsg).name}）",
    )
    config = config_of(drawn, bounds, bounds, plan.ref.title, card["mark"]) | {
        "sites": [site_popup(d) for d in documents],
        "padding": 18,
    }
    config["labels"] += site_labels(documents)
    config["outline"] = outline_ring(plan, ceiling)
    stage = stage_of(drawn, card["mark"], more=picture_groups(pictures))
    stage += over_the_map(sharing, plan)
    return Sheet(fmap, names, config, body, stage, plan.ref.title, drawn, sharing.basemap)


def _site_sheet(
    document: Mapping[str, Any],
    plan: Plan,
    ceiling: str,
    limits: Limits,
    sharing: Sharing,
    manual: Sequence[str],
) -> Sheet:
    bounds = cards.geojson_bounds(document["site"].get("geometry"))
    near = _near(plan, bounds)
    coarse = Detail(plan.work_epsg, _PLAN_TOLERANCE_M / 2)
    view = View("landuse", _SITE_FIRST, lambda role: near if role in _HEAVY else coarse, limits)
    drawn = plan_layers(plan, view, ceiling)
    whole = _plan_bounds(plan, drawn, ceiling)
    home = _tuple(bounds) if bounds else whole
    fmap = map_base(plan, drawn, home, coarse, ceiling)
    secret = secret_layers(document, plan, ceiling)
    shown = without_geometry_of(document, secret)
    card = site_card(document, secret, contact_pictures(shown, plan, ceiling))
    names = _names(drawn)
    names["sites"] = site_layer([document], "检测地块", pins=False)
    names["sites"].add_to(fmap)
    shown_first = ""
    for finding in (*card["decisive"], *card["passed"], *card["idle"]):
        first = not shown_first and finding["rule"] == document["deciding_rule"]
        layer = conflict_layer(finding, first=first) if finding["geometry"] else None
        if layer is not None:
            names[finding["key"]] = layer
            layer.add_to(fmap)
            shown_first = finding["key"] if first else shown_first
    outlines = remedy_layers(card["remedies"])
    for outline in outlines.values():
        outline.add_to(fmap)
    names |= outlines
    body = fill(
        "site.html",
        card=card,
        manual=manual,
        absent=absences(plan, ceiling),
        basemap_note=basemap_note(document, plan),
    )
    inset = overview(plan, ceiling, bounds) if bounds else _EMPTY
    config = config_of(drawn, home, whole, card["name"], card["mark"]) | {
        "sites": [site_popup(document)],
        "padding": 90,
        "keepClear": home if bounds else None,
        "homeTitle": "回到地块",
        "deciding": shown_first,
        "remedy": next(iter(outlines), ""),
    }
    stage = stage_of(drawn, card["mark"], outline=_outline_keys(card), inset=inset)
    stage += over_the_map(sharing, plan)
    title = f"{card['name']}　{card['verdict']['label']}"
    return Sheet(fmap, names, config, body, stage, title, drawn, sharing.basemap)


# --- pieces -----


def map_base(
    plan: Plan, drawn: Sequence[Shown], bounds: LeafletBounds, detail: Detail, ceiling: str
) -> OfflineMap:
    """Return the map with panes, ground, layers and zone borders, in this order."""
    fmap = empty_map(bounds)
    add_panes(fmap, drawn)
    name, z_index = RASTER_PANE
    folium.map.CustomPane(name, z_index=z_index, pointer_events=False).add_to(fmap)
    folium.map.CustomPane("wq-labels", z_index=640, pointer_events=False).add_to(fmap)
    for layer in (ground(plan, detail, ceiling), zone_outlines(plan, detail, ceiling)):
        if layer is not None:
            layer.add_to(fmap)
    for shown in drawn:
        shown.layer.add_to(fmap)
    return fmap


def _roles_first(plan: Plan, ceiling: str) -> frozenset[str]:
    """Return the roles to open with; a plan with few kinds of layers shows them all."""
    usual = any(drawable(plan, role, ceiling) for role in ("core", "dev_boundary"))
    return _PLAN_FIRST if usual else _SITE_FIRST | {"other", "project"}


def _names(drawn: Iterable[Shown]) -> dict[str, folium.map.Layer]:
    return {f"l-{shown.id}": shown.layer for shown in drawn}


def _plan_bounds(plan: Plan, drawn: Sequence[Shown], ceiling: str) -> LeafletBounds:
    """Return the box of the planning area, else of the zones, else the bounds of the plan."""
    return box_of_first(plan, ("planning_area", "zone", "core") if drawn else (), ceiling)


def _near(plan: Plan, bounds: Sequence[Sequence[float]] | None) -> Detail:
    """Return the fine detail around a site, in the work CRS."""
    if bounds is None:
        return Detail(plan.work_epsg, _PLAN_TOLERANCE_M)
    (south, west), (north, east) = bounds
    frame = box(west, south, east, north)
    moved = transform(frame, geographic_code(plan.work_epsg), plan.work_epsg)
    left, bottom, right, top = moved.bounds
    margin = _SITE_MARGIN_M + max(right - left, top - bottom)
    around = (left - margin, bottom - margin, right + margin, top + margin)
    return Detail(plan.work_epsg, _SITE_TOLERANCE_M, around)


def _tuple(bounds: Sequence[Sequence[float]]) -> LeafletBounds:
    (south, west), (north, east) = bounds
    return (south, west), (north, east)


def basemap_note(document: Mapping[str, Any], plan: Plan) -> str:
    """Return the sentence that tells a reader when the ground is not the one that was judged."""
    judged, drawn = document["plan"], plan.ref
    if (judged["id"], judged["version"]) != (drawn.id, drawn.version):
        return f"检测依据规划版本 {judged['version']}，底图绘自版本 {drawn.version}，两者不同。"
    changed = [
        row["title"]
        for row in document["layers"]
        if row["id"] in plan.layers
        and row["content_sha256"] != plan.layers[row["id"]].content_sha256
    ]
    if changed:
        return f"检测之后下列图层的数据已更新，底图与检测时不同：{'、'.join(changed)}。"
    return ""


def _outline_keys(card: Mapping[str, Any]) -> list[Key]:
    """Return the legend rows of the site itself and of its overlaps, one for each pattern."""
    border = style.VERDICTS[cards.verdict_of(card["verdict"]["id"])]
    keys = [Key(clean("地块范围"), Look(border.colour, 3.2), "line")]
    shown = {f["verdict"]["id"] for f in card["decisive"] if f["geometry"]}
    for verdict in sorted(map(cards.verdict_of, shown), key=lambda v: -v.rank):
        look = style.VERDICTS[verdict]
        area = Look(look.colour, 1.6, pattern=look.pattern, fill_opacity=1.0)
        keys.append(Key(clean(f"重叠部分：{verdict.label}"), area, "area"))
    return [*keys, *legend_keys(card["remedies"])]
