"""How does a layer with more features than a browser can hold as paths stand on a map?

Makes the elements that the page's script ``large.js`` draws on canvases and from tiles. What may be
shown and how it looks is decided elsewhere; popups of tiles tell class and name, never an area.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import folium
import numpy as np
import pandas as pd
import shapely
from branca.element import MacroElement
from folium.template import Template
from markupsafe import Markup

from gis.output.maps.frame import image_overlay
from gis.output.maps.groups import Group
from gis.output.maps.png import Rgba
from gis.output.maps.shapes import Detail, leaflet_bounds
from gis.output.maps.style import Look
from gis.output.maps.text import clean, script_json
from gis.output.maps.tiling import (
    LAST_LEVEL,
    Archive,
    Extent,
    Picture,
    archives,
    degrees_of,
    levels_of_lines,
    picture,
    to_mercator,
)

if TYPE_CHECKING:
    from gis.plan.catalogue import Layer


class Canvas(MacroElement):
    """Tells the page that the paths of a pane are drawn on one canvas; add it before them."""

    _template = Template(
        "{% macro script(this, kwargs) %}"
        "wuqu.large.canvas({{ this._parent.get_name() }}, {{ this.pane|tojson }});\n"
        "{% endmacro %}"
    )

    def __init__(self, pane: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # branca annotates only half of it
        self._name = "Canvas"
        self.pane = pane


class TileLayer(MacroElement):
    """A layer drawn from archives; the page has them, or its host serves them."""

    _template = Template(
        "{% macro script(this, kwargs) %}"
        "var {{ this.get_name() }} = wuqu.large.tiles({{ this.spec }});\n"
        "{{ this.get_name() }}.addTo({{ this._parent.get_name() }});\n"
        "{% endmacro %}"
    )

    def __init__(self, spec: Mapping[str, Any]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # folium has no types
        self._name = "Tiles"
        self.spec = script_json(spec)


def tiled(
    layer: Layer, groups: Sequence[Group], pane: str, detail: Detail, extent: Extent
) -> tuple[TileLayer, tuple[Archive | Picture, ...]]:
    """Return the element of a layer and the files that it draws from.

    Bottom to top as the groups stand; every text in an archive is cleaned.
    """
    frame, kinds = _together(groups)
    texts = {"n": _cleaned(frame["name"]), "c": _cleaned(frame["cls"])}
    shapes = to_mercator(frame.geometry.to_numpy(), detail.work_epsg)
    far = None
    levels = levels_of_lines(extent, detail.work_epsg)
    if layer.info.geometry == "polygon":
        far = picture(shapes, kinds, _far_colours(groups))
        levels = range(LAST_LEVEL, LAST_LEVEL + 1)
    made = archives(shapes, kinds, texts, detail.tolerance_m, levels)
    frame_box = shapely.geometry.box(*frame.total_bounds)
    spec = {
        "pane": pane,
        "title": clean(layer.info.title),
        "looks": [_look(group) for group in groups],
        "far": far and {"name": far.name, "box": far.box},
        "bands": [{"level": archive.level, "name": archive.name} for archive in made],
        "bounds": leaflet_bounds(frame_box, detail.work_epsg),
    }
    return TileLayer(spec), (*made, *([far] if far else ()))


def from_afar(groups: Sequence[Group], work_epsg: int, pane: str) -> folium.map.Layer:
    """Return areas as one picture of their colours, for a page that only shows them from afar."""
    frame, kinds = _together(groups)
    shapes = to_mercator(frame.geometry.to_numpy(), work_epsg)
    drawn = picture(shapes, kinds, _far_colours(groups))
    return image_overlay(drawn.content, degrees_of(drawn.box), pane)


def _together(groups: Sequence[Group]) -> tuple[Any, Any]:
    """Return all rows of the groups, bottom to top, and the number of the group of each."""
    frame = pd.concat([group.frame for group in groups])
    return frame, np.repeat(np.arange(len(groups)), [len(group.frame) for group in groups])


def _far_colours(groups: Sequence[Group]) -> list[Rgba]:
    return [_far_colour(group.look) for group in groups]


# A pattern has no place in a pixel; its line colour stands for it, about as dark from afar.
_PATTERN_OPACITY = 0.35


def _far_colour(look: Look) -> Rgba:
    red, green, blue = bytes.fromhex((look.fill or look.stroke).removeprefix("#"))
    opacity = _PATTERN_OPACITY if look.pattern else look.fill_opacity
    return red, green, blue, round(255 * opacity)


def _look(group: Group) -> dict[str, Any]:
    return group.look.options() | {"casing": group.look.casing, "label": clean(group.label)}


def _cleaned(column: Any) -> list[Markup]:
    """Return the texts of a column, cleaned; a class of a hundred thousand is cleaned once."""
    texts = column.fillna("").astype(str)
    known = {text: clean(text) for text in texts.unique()}
    return [known[text] for text in texts]
