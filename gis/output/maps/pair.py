"""Two maps of one place side by side: land as it is and as planned, law in force and being changed.

Both move together. Under each stands what it shows, with the areas of the land balance where there
is one; nothing else is measured here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import folium
from branca.element import Figure
from markupsafe import Markup

from gis.errors import NotFoundError
from gis.output.maps import card as cards
from gis.output.maps.assets import STATIC_PREFIX
from gis.output.maps.frame import OfflineMap, Pieces, empty_map, render
from gis.output.maps.groups import groups_of
from gis.output.maps.large import from_afar
from gis.output.maps.layers import (
    PANES,
    View,
    box_of_first,
    ground,
    pane_of,
    plan_layers,
    zone_outlines,
)
from gis.output.maps.numbers import percent, short_area
from gis.output.maps.over import over_the_map
from gis.output.maps.page import Page
from gis.output.maps.parts import Key
from gis.output.maps.shapes import Detail
from gis.output.maps.sizes import Limits, Size
from gis.output.maps.templates import fill, script_of, style_of
from gis.output.maps.text import clean, script_json
from gis.output.maps.visible import drawable
from gis.output.sharing import ALONE, Sharing
from gis.plan.balance import DEFAULT_DEFINITION
from gis.rulebook.land_classes import green_water_definitions

if TYPE_CHECKING:
    from gis.plan.area import Plan
    from gis.plan.catalogue import Layer

What = Literal["land", "law"]
_TOLERANCE_M = 4.0
# Lines that stay on both maps, so that a place is found again.
_ALWAYS = ("planning_area", "core", "road", "railway")
_LISTED = 12
# Land is dissolved to about fifteen shapes a side; more parcels than this become one picture.
_DISSOLVED = Limits(svg=10**9)
_PICTURE_FROM = 20_000


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two maps: its name, the layers on it, and the sentence under it."""

    title: str
    plan: Plan
    layers: tuple[str, ...]
    sentence: str = ""
    rows: tuple[Mapping[str, str], ...] = ()


def comparison_map(
    plan: Plan,
    other: Plan | None = None,
    *,
    what: What = "land",
    assets: str = "inline",
    ceiling: str = "public",
    prefix: str = STATIC_PREFIX,
    sharing: Sharing = ALONE,
) -> str:
    """Return two maps side by side as one HTML text.

    Parameters
    ----------
    plan
        An opened plan.
    other
        A second version of it, a draft for instance; then both versions are shown.
    what
        Without a second plan: ``land`` for land as it is and as planned, ``law`` for the layers in
        force and those that are being changed.
    assets, ceiling, prefix, sharing
        As for ``plan_map``.

    Raises
    ------
    NotFoundError
        The plan has no layers for one of the sides.
    """
    if other is not None:
        sides = [_version(plan, ceiling), _version(other, ceiling)]
    elif what == "land":
        sides = [_land(plan, "现状用地", "landuse", ceiling)]
        sides.append(_land(plan, "规划用地", "planned_use", ceiling))
    else:
        sides = _law(plan, ceiling)
    return _page(plan, sides, ceiling, sharing, assets=assets, prefix=prefix)


# --- what stands on each side --------------------------------------------------------------------


def _land(plan: Plan, title: str, role: str, ceiling: str) -> Side:
    layers = tuple(layer.info.id for layer in drawable(plan, role, ceiling))
    if not layers:
        raise NotFoundError(
            f"规划数据包没有可用的{title}图层（{role}），无法对照",
            expected="landuse 与 planned_use 两类图层",
            advice="在 plan.toml 中补充该图层，或改用 law、两个版本的对照",
        )
    letters = [d.id for d in green_water_definitions() if d.role == role]
    letter = DEFAULT_DEFINITION if DEFAULT_DEFINITION in letters else next(iter(letters), None)
    sentence, rows = _balance(plan, letter) if letter else ("", ())
    return Side(title, plan, layers, sentence, rows)


def _balance(plan: Plan, letter: str) -> tuple[str, tuple[Mapping[str, str], ...]]:
    """Return the sentence about green and water, and the largest classes with their areas."""
    try:
        balance = plan.land_balance(definition=letter)
    except NotFoundError:
        return "", ()
    largest = sorted(balance.rows, key=lambda row: -row.area_m2)[:_LISTED]
    rows = tuple(
        {"name": row.name, "area": short_area(row.area_m2), "share": percent(row.share)}
        for row in largest
    )
    return balance.sentence, rows


def _law(plan: Plan, ceiling: str) -> list[Side]:
    """Return the roles of which a layer is being changed: as in force, and as they will be."""
    changing = {
        layer.info.role: layer.info.id
        for layer in plan.layers.values()
        if layer.info.law_status == "changing"
    }
    roles = [role for role in changing if drawable(plan, role, ceiling)]
    shown = [layer for role in roles for layer in drawable(plan, role, ceiling)]
    new = tuple(x.info.id for x in shown if x.info.law_status == "changing")
    old = tuple(x.info.id for x in shown if x.info.law_status != "changing")
    if not (new and old):
        raise NotFoundError(
            "规划数据包没有可对照的“修改中”图层",
            expected="同一类图层中，一个现行、一个 law_status = changing",
            advice="把修改中的图层写入 plan.toml，或给出另一版本的规划数据包",
        )
    titles = "、".join(dict.fromkeys(x.info.title for x in shown))
    return [Side("现行", plan, old, titles), Side("修改中", plan, new, "尚未生效，不作为审批依据")]


def _version(plan: Plan, ceiling: str) -> Side:
    roles = ("planned_use", "zone", "dev_boundary", "farmland", "redline", "control_line")
    shown = [layer.info.id for role in roles for layer in drawable(plan, role, ceiling)]
    if not shown:
        raise NotFoundError(
            f"“{plan.ref.title}”没有可以绘制的规划图层",
            expected="规划用地、分区或控制线图层",
            advice="核对规划数据包和保密上限",
        )
    sentence, rows = _balance(plan, DEFAULT_DEFINITION)
    title = f"版本 {plan.ref.version}（{plan.status_label}）"
    return Side(title, plan, tuple(shown), sentence, rows)


# --- the page ------------------------------------------------------------------------------------


def _page(
    plan: Plan,
    sides: Sequence[Side],
    ceiling: str,
    sharing: Sharing,
    *,
    assets: str,
    prefix: str,
) -> Page:
    # The core, which both sides speak of, else the whole plan.
    bounds = box_of_first(plan, ("core", "planning_area", "zone"), ceiling)
    figure = Figure()
    maps, views = [], []
    for side in sides:
        fmap = empty_map(bounds)
        figure.add_child(fmap)
        views.append({**_draw(fmap, side, ceiling), "over": over_the_map(sharing, side.plan)})
        maps.append(fmap)
    # What is least settled marks the page: a draft beside a plan in force is still a draft.
    unsettled = next((s.plan.ref for s in sides if s.plan.ref.status != "approved"), plan.ref)
    mark = cards.status_mark(unsettled.status, unsettled.status_note)
    address = sharing.basemap.url if sharing.basemap else ""
    config = {"bounds": bounds, "attribution": clean(mark["text"]), "basemap": address}

    def start() -> str:
        names = ",".join(fmap.get_name() for fmap in maps)
        return f"wuquPair.start([{names}], {script_json(config)});\n"

    title = f"{plan.ref.title}　{sides[0].title}与{sides[1].title}"
    body = fill("pair.html", title=plan.ref.title, version=plan.ref.version, mark=mark, sides=views)
    pieces = Pieces(
        head=style_of("map.css", "paper.css", "pair.css"),
        before_map=body,
        after_map=Markup(""),
        first_script=script_of("paper.js", "map.js", "pair.js"),
        last_script=start,
    )
    html = render(
        maps[-1],
        pieces,
        title=clean(title),
        assets=assets,
        prefix=prefix,
        basemap=sharing.basemap,
    )
    return Page(html)


def _draw(fmap: OfflineMap, side: Side, ceiling: str) -> Mapping[str, Any]:
    """Draw one side; return what the page says of it."""
    for name, z_index in PANES:
        folium.map.CustomPane(name, z_index=z_index, pointer_events=True).add_to(fmap)
    plan = side.plan
    detail = Detail(plan.work_epsg, _TOLERANCE_M)
    for below in (ground(plan, detail, ceiling), zone_outlines(plan, detail, ceiling)):
        if below is not None:
            below.add_to(fmap)
    kept = _kept(plan, side.layers, ceiling)
    many = [plan.layers[i] for i in plan.layers if i in kept and _is_large(plan.layers[i])]
    keys: list[Key] = []
    for layer in many:
        drawn = _add_picture(fmap, layer, plan.work_epsg)
        keys += drawn if layer.info.id in side.layers else ()
    view = View("", frozenset(), lambda _: detail, _DISSOLVED)
    for shown in plan_layers(plan, view, ceiling, only=kept - {x.info.id for x in many}):
        shown.layer.show = True
        shown.layer.overlay = True
        shown.layer.add_to(fmap)
        keys += list(shown.keys) if shown.id in side.layers else []
    vintage = "、".join(dict.fromkeys(plan.layers[i].info.vintage for i in side.layers))
    return {
        "title": side.title,
        "vintage": vintage,
        "sentence": side.sentence,
        "rows": side.rows,
        "keys": keys,
        "note": _note(many),
    }


def _is_large(layer: Layer) -> bool:
    return layer.info.geometry == "polygon" and len(layer.frame) > _PICTURE_FROM


def _add_picture(fmap: OfflineMap, layer: Layer, work_epsg: int) -> Sequence[Key]:
    groups = groups_of(layer)
    from_afar(groups, work_epsg, pane_of(layer.info.role, Size.SVG)).add_to(fmap)
    return [Key(clean(g.label), g.look, "area", g.number) for g in groups]


def _note(many: Sequence[Layer]) -> str:
    named = "、".join(f"{x.info.title}（{len(x.frame):,} 个图斑）" for x in many)
    return f"{named}以缩小的图片显示，放大不再变细" if named else ""


def _kept(plan: Plan, own: Collection[str], ceiling: str) -> frozenset[str]:
    always = {layer.info.id for role in _ALWAYS for layer in drawable(plan, role, ceiling)}
    return frozenset(own) | always
