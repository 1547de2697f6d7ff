"""How do map, card, legend and settings become one page, or a page with files beside it?

Receives what was drawn and writes HTML. Knows nothing about plans or checks.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import folium
from markupsafe import Markup

from gis.output.maps import card as cards
from gis.output.maps.assets import STATIC_PREFIX, apart
from gis.output.maps.frame import LeafletBounds, OfflineMap, Pieces, render
from gis.output.maps.layers import GROUPS, Shown
from gis.output.maps.page import Page
from gis.output.maps.parts import Key
from gis.output.maps.sizes import Size
from gis.output.maps.templates import fill, script_of, style_of
from gis.output.maps.text import clean, script_json
from gis.output.maps.tiling import Archive, Picture
from gis.output.sharing import Basemap
from gis.units import M2_PER_MU

_EMPTY = Markup()
_SCRIPTS = ("geodesy.js", "measure.js", "paper.js", "map.js")
_THEME_WORDS = {"zone": "功能分区", "planned_use": "规划用地", "landuse": "现状用地"}


@dataclass(frozen=True, slots=True)
class ServedMap:
    """A small page and the files that its host serves under one path, by name.

    Names of files carry the hash of their content, or are those of vendored files: a browser may
    keep them.
    """

    html: str
    files: Mapping[str, bytes]


@dataclass(frozen=True, eq=False)
class Sheet:
    """Everything that stands on a page, before it is written."""

    fmap: OfflineMap
    names: Mapping[str, folium.map.Layer]  # the script's name of each layer
    config: Mapping[str, Any]
    body: Markup
    stage: Markup
    title: str
    drawn: Sequence[Shown]
    basemap: Basemap | None = None
    styles: tuple[str, ...] = ()  # style sheets that this kind of page has of its own

    def page(self, *, assets: str, prefix: str = STATIC_PREFIX) -> Page:
        """Return the page; ``static`` leaves vendored files to the host, tiles stay inside."""
        html = self._render("", assets, prefix)
        return Page(_before_end(html, map(_block, self._files())))

    def served(self, prefix: str) -> ServedMap:
        """Return the page with scripts, style and tiles beside it under the prefix."""
        html, files = apart(self._render(prefix, "static", prefix), prefix)
        return ServedMap(html, files | {a.name: a.content for a in self._files()})

    def _files(self) -> list[Archive | Picture]:
        return list({a.name: a for shown in self.drawn for a in shown.files}.values())

    def _render(self, tiles: str, assets: str, prefix: str) -> str:
        control = folium.LayerControl(collapsed=True, position="topright").add_to(self.fmap)
        extra = " wq-has-inset" if "wq-inset" in self.stage else ""
        own, vendored = self._scripts(tiles)

        def start() -> str:
            pairs = (f"{json.dumps(k)}:{v.get_name()}" for k, v in self.names.items())
            address = self.basemap.url if self.basemap else ""
            settings = script_json({**self.config, "basemap": address})
            layers = f"{{{','.join(pairs)}}}"
            return (
                f"wuqu.start({self.fmap.get_name()}, {layers}, {control.get_name()}, {settings});\n"
            )

        pieces = Pieces(
            head=style_of("map.css", "paper.css", *self.styles),
            before_map=self.body + Markup(f'<main class="wq-stage{extra}">'),
            after_map=self.stage + Markup("</main>"),
            first_script=own,
            last_script=start,
        )
        return render(
            self.fmap,
            pieces,
            title=clean(self.title),
            assets=assets,
            prefix=prefix,
            vendored=vendored,
            basemap=self.basemap,
        )

    def _scripts(self, tiles: str) -> tuple[str, tuple[str, ...]]:
        """Return the page's own script and the vendored ones that it needs besides Leaflet."""
        used = {shown.size for shown in self.drawn} - {Size.SVG}
        if not used:
            return script_of(*_SCRIPTS), ()
        own = script_of(*_SCRIPTS, "large.js")
        own += f"wuqu.large.prefix = {script_json(tiles)};\n"
        return own, ("pmtiles.js", "protomaps-leaflet.js") if Size.TILES in used else ()


def _block(file: Archive | Picture) -> str:
    """Return a file as a data block: no script, so the policy need not name it."""
    text = base64.b64encode(file.content).decode()
    return f'<script type="application/octet-stream" id="{file.name}">{text}</script>\n'


def _before_end(html: str, blocks: Iterable[str]) -> str:
    start, end = html.rsplit("</html>", 1)
    return "".join([start, *blocks, "</html>", end])


def stage_of(
    drawn: Sequence[Shown],
    mark: Mapping[str, Any],
    *,
    outline: Sequence[Key] = (),
    inset: Markup = _EMPTY,
    more: Sequence[Mapping[str, Any]] = (),
) -> Markup:
    """Return what lies over the map: themes, legend with ``more`` groups, north arrow, mark."""
    groups = [
        {
            "title": title,
            "rows": [
                {"layer": f"l-{s.id}", "key": key}
                for s in drawn
                if s.group == title
                for key in s.keys
            ],
        }
        for title in GROUPS
    ]
    themes = [
        {"id": f"l-{s.id}", "title": _THEME_WORDS[s.role], "first": s.first}
        for s in drawn
        if s.theme
    ]
    return fill(
        "stage.html",
        groups=[g for g in (*groups, *more) if g["rows"]],
        verdicts=[] if outline else cards.verdict_keys(),
        outline=outline,
        themes=themes,
        mark=mark,
        inset=inset,
    )


def config_of(
    drawn: Sequence[Shown],
    bounds: LeafletBounds,
    area: LeafletBounds,
    title: str,
    mark: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what the script of a page needs to know; every text in it is cleaned."""
    labels = [
        {
            "at": label.at,
            "text": label.text,
            "short": label.short,
            "room": label.room,
            "kind": label.kind,
            "rank": label.rank,
            "minZoom": label.min_zoom,
            "layer": "" if shown.role == "zone" else f"l-{shown.id}",
        }
        for shown in drawn
        for label in shown.labels
    ]
    return {
        "bounds": bounds,
        "area": area,
        "labels": labels,
        "homeTitle": "全图",
        "m2PerMu": M2_PER_MU,
        "mapLabel": clean(f"{title} 地图"),
        "attribution": clean(mark["text"]),
    }
