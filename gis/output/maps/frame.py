"""How does a folium map become a page with our own panels around it?

Builds the empty folium map (no basemap, no stock controls), adds prepared HTML and script to its
figure, gives every element a fixed id and renders. Knows nothing about plans or checks.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import folium
from branca.element import Element, Figure, MacroElement
from markupsafe import Markup

from gis.output.maps.assets import STATIC_PREFIX, offline
from gis.output.sharing import Basemap

LeafletBounds = tuple[tuple[float, float], tuple[float, float]]
# The stock tag forbids zooming with two fingers; people with weak eyes need it.
_VIEWPORT = (
    '<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">'
)
_LEAFLET = [("leaflet", "vendor:leaflet.js")]
_LEAFLET_CSS = [("leaflet_css", "vendor:leaflet.css")]


class Raw(Element):
    """Prepared HTML or script; unlike ``Element(text)`` it is never evaluated as a template."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self._content = content

    def render(self, **_: Any) -> str:
        """Return the content as it is."""
        return self._content


class Late(MacroElement):
    """Prepared content that must come after everything the map itself puts there.

    ``part`` is ``header``, ``html`` or ``script``; add it to the map last.
    """

    def __init__(self, part: str, content: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # branca annotates only half of it
        self._name = "Late"
        self.part = part
        self.content = content

    def render(self, **_: Any) -> str:
        """Append the content to its part of the figure; nothing stands here itself."""
        getattr(self.get_root(), self.part).add_child(Raw(self.content), name=self.get_name())
        return ""


class OfflineMap(folium.Map):
    """A folium map whose page needs Leaflet and nothing else."""

    # Lists of this class: the stock lists are shared by every folium map of the process.
    default_js = _LEAFLET
    default_css = _LEAFLET_CSS


def image_overlay(
    png: bytes, bounds: LeafletBounds, pane: str, *, name: str | None = None, show: bool = True
) -> folium.map.Layer:
    """Return a picture in Web Mercator as a layer of a map, held in the page itself."""
    address = "data:image/png;base64," + base64.b64encode(png).decode("ascii")
    return folium.raster_layers.ImageOverlay(
        address,
        [list(corner) for corner in bounds],
        name=name,
        control=name is not None,
        show=show,
        opacity=1.0 if name is None else 0.85,
        pane=pane,
    )


def empty_map(bounds: LeafletBounds) -> OfflineMap:
    """Return a map without tiles and without stock controls, centred on the bounds."""
    (south, west), (north, east) = bounds
    return OfflineMap(
        location=[(south + north) / 2, (west + east) / 2],
        zoom_start=12,
        tiles=None,
        zoom_control=False,
        zoom_snap=0.25,
        zoom_delta=0.5,
        wheel_px_per_zoom_level=90,
        min_zoom=9,
        max_zoom=20,
    )


@dataclass(frozen=True, slots=True)
class Pieces:
    """Prepared HTML and script around the map, in the order of the page."""

    head: str
    before_map: str
    after_map: str
    first_script: str
    last_script: Callable[[], str]  # called when the names of the layers are fixed


def render(
    fmap: OfflineMap,
    pieces: Pieces,
    *,
    title: Markup,
    assets: str,
    prefix: str = STATIC_PREFIX,
    vendored: Sequence[str] = (),
    basemap: Basemap | None = None,
) -> str:
    """Return the finished page; equal maps give equal bytes.

    ``vendored`` names the scripts that the page needs besides Leaflet.
    """
    fmap.default_js = [*_LEAFLET, *((name, f"vendor:{name}") for name in vendored)]
    figure = cast(Figure, fmap.get_root())
    figure.title = title
    figure.html.add_child(Raw(pieces.before_map), name="wq_before")
    figure.script.add_child(Raw(pieces.first_script), name="wq_first")
    # After Leaflet's own sheet, so that our rules win.
    fmap.add_child(Late("header", pieces.head))
    fmap.add_child(Late("html", pieces.after_map))
    last = Late("script", "")
    fmap.add_child(last)
    _fix_ids(figure)
    last.content = pieces.last_script()
    html: str = figure.render()
    start = html.index('<meta name="viewport"')
    html = html[:start] + _VIEWPORT + html[html.index("/>", start) + 2 :]
    return offline(html, assets=assets, prefix=prefix, basemap=basemap)


def _fix_ids(figure: Figure) -> None:
    """Replace the random ids, which end up in the names of script variables."""
    for number, element in enumerate(_walk(figure)):
        element._id = f"{number:032x}"


def _walk(element: Element) -> Iterator[Element]:
    yield element
    for child in element._children.values():
        yield from _walk(child)
