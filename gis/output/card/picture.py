"""How does the ground around a site look on a card? A small SVG in the work CRS, north up.

Layers above the secrecy ceiling are not drawn. It carries a scale bar and a north arrow; the words
of the legend come back beside it, so that the page sets them in its own type. Measures nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import shapely
from shapely.geometry.base import BaseGeometry

from gis.output.drawing import Bounds, Frame, round_length
from gis.output.export import placed
from gis.output.maps import style
from gis.output.maps.card import verdict_of
from gis.output.maps.remedies import KEY
from gis.output.maps.remedies import LOOK as REMEDY
from gis.output.maps.style import Look
from gis.output.maps.visible import drawable

if TYPE_CHECKING:
    from gis.plan.area import Plan

WIDTH, HEIGHT = 640.0, 400.0
_AROUND = 0.55  # ground on each side, as a share of the site's longer side
_LEAST_M = 250.0
_SIMPLER_PX = 0.3
# Bottom to top.
_ROLES = ("built_up", "water", "road", "farmland", "redline", "control_line", "dev_boundary")
# Patterns of the screen pages are tints here: they would be noise at this size.
_TINTS = {"farmland": "#efe3a6", "redline": "#14532d", "built_up": "#e6e8ec"}


@dataclass(frozen=True, slots=True)
class Picture:
    """The drawing and the rows of its legend: label, stroke, fill, and whether it is broken."""

    svg: str
    legend: list[dict[str, Any]]


def picture(document: Mapping[str, Any], plan: Plan, ceiling: str = "public") -> Picture | None:
    """Return the map of one check; None when its document has no outline of the site.

    Parameters
    ----------
    document
        A document without coordinates that must stay in the house.
    plan, ceiling
        The layers that are drawn around it; those above the ceiling are left out.
    """
    outline = document["site"].get("geometry")
    if not outline:
        return None
    site = placed(outline, plan.work_epsg)
    outlined = [r["geometry"] for r in document["remedies"] if r.get("geometry")]
    remedies = [placed(geometry, plan.work_epsg) for geometry in outlined]
    frame = Frame(_around(shapely.union_all([site, *remedies])), WIDTH, HEIGHT)
    paths: list[str] = []
    legend = [_key("地块范围", Look(_colour(document), 3.0))]
    for role in _ROLES:
        for layer in drawable(plan, role, ceiling):
            look = _look(role, layer.info.id, layer.info.title)
            near = layer.frame.geometry.to_numpy()
            near = near[shapely.intersects(near, frame.window)]
            drawn = "".join(_path(frame, g) for g in near)
            if drawn:
                lines = layer.info.geometry == "line"
                paths += _strokes(drawn, look, lines=lines)
                legend.append(_key(layer.info.title, look, lines=lines))
    paths += _over(document, frame, site, plan.work_epsg)
    for outline_of_remedy in remedies:
        paths += _strokes(_path(frame, outline_of_remedy), REMEDY)
    if remedies:
        legend.insert(1, _key(KEY, REMEDY))
    return Picture(_svg(paths, frame.per_m), legend)


def _around(shown: BaseGeometry) -> Bounds:
    """Return the window around what is shown, with some ground on each side."""
    west, south, east, north = shown.bounds
    side = max(east - west, north - south)
    pad = max(side * _AROUND, (_LEAST_M - side) / 2)
    return west - pad, south - pad, east + pad, north + pad


def _path(frame: Frame, geometry: BaseGeometry) -> str:
    return frame.data(geometry, simpler=_SIMPLER_PX)


def _over(
    document: Mapping[str, Any], frame: Frame, site: BaseGeometry, epsg: int
) -> Iterator[str]:
    """Yield the site, and over it what the findings of its verdict mark as areas."""
    own = _colour(document)
    data = _path(frame, site)
    yield f'<path d="{data}" fill="{own}" fill-opacity=".10" stroke="#fff" stroke-width="6"/>'
    for finding in reversed(document["findings"]):
        if finding.get("geometry") and finding["verdict"] == document["verdict"]:
            marked = _path(frame, placed(finding["geometry"], epsg))
            colour = style.VERDICTS[verdict_of(finding["verdict"])].colour
            yield f'<path d="{marked}" fill="{colour}" fill-opacity=".30" stroke="{colour}"/>'
    yield f'<path d="{data}" fill="none" stroke="{own}" stroke-width="3"/>'


def _colour(document: Mapping[str, Any]) -> str:
    return style.VERDICTS[verdict_of(document["verdict"])].colour


def _look(role: str, layer_id: str, title: str) -> Look:
    look = style.control_line(layer_id, title) if role == "control_line" else style.LOOKS[role]
    if role not in _TINTS:
        return look
    opacity = 0.18 if role == "redline" else 0.8
    return Look(look.stroke, look.weight, fill=_TINTS[role], fill_opacity=opacity)


def _key(label: str, look: Look, *, lines: bool = False) -> dict[str, Any]:
    filled = look.fill is not None and not lines
    return {
        "label": label,
        "stroke": look.casing or look.stroke,
        "fill": look.fill if filled else None,
        "opacity": round(look.fill_opacity * 100),
        "dash": look.dash is not None,
        "line": lines,
    }


def _strokes(data: str, look: Look, *, lines: bool = False) -> Iterator[str]:
    fill = "none" if lines or look.fill is None else look.fill
    dash = f' stroke-dasharray="{look.dash}"' if look.dash else ""
    if look.casing:
        wider = look.weight + 2
        yield f'<path d="{data}" fill="none" stroke="{look.casing}" stroke-width="{wider}"/>'
    yield (
        f'<path d="{data}" fill="{fill}" fill-opacity="{look.fill_opacity}" '
        f'fill-rule="evenodd" stroke="{look.stroke}" stroke-width="{look.weight}"{dash}/>'
    )


def _svg(paths: list[str], per_m: float) -> str:
    metres = round_length(WIDTH / 4 / per_m)
    length = metres * per_m
    text = f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m"
    y = HEIGHT - 16
    words = 'font-family="Wuqu Sans SC, Noto Sans CJK SC" font-size="15" fill="#1c2630"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" '
        f'width="{WIDTH:g}" height="{HEIGHT:g}"><defs><clipPath id="w">'
        f'<rect width="{WIDTH:g}" height="{HEIGHT:g}"/></clipPath></defs>'
        f'<g clip-path="url(#w)" stroke-linejoin="round">'
        f'<rect width="{WIDTH:g}" height="{HEIGHT:g}" fill="{style.GROUND.fill}"/>'
        f"{''.join(paths)}</g>"
        f'<rect x="8" y="{y - 24:g}" width="{length + 20:.1f}" height="34" fill="#fff" '
        f'fill-opacity=".85"/>'
        f'<path d="M18,{y - 4:g}v6h{length:.1f}v-6" fill="none" stroke="#1c2630" stroke-width="2"/>'
        f'<text x="{18 + length / 2:.1f}" y="{y - 7:g}" text-anchor="middle" {words}>{text}</text>'
        f'<path d="M{WIDTH - 26:g},14l9,26-9-6-9,6z" fill="#1c2630"/>'
        f'<text x="{WIDTH - 26:g}" y="56" text-anchor="middle" {words}>北</text></svg>'
    )
