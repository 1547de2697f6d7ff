"""What does a moved red line look like? A small map: old and new outline, and what lies between.

Land gained and land lost are hatched in opposite directions, so that they stay apart in print and
for those who do not see the colours. Works in the work CRS and measures nothing; equal input gives
equal text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from gis.crs import geographic_code, transform
from gis.output.drawing import Frame, round_length, xml

WIDTH, HEIGHT = 640, 520
_FOOT = 70
_MARGIN = 0.08
_LEAST_M = 10.0
_OLD, _NEW, _GAINED, _LOST = "#5b6470", "#14365f", "#1f7a3d", "#d1232f"
_INK = "#1c2733"


def picture(document: Mapping[str, Any], epsg: int) -> str:
    """Return the small map of a comparison of two red lines as SVG.

    Parameters
    ----------
    document
        From ``compare_sites``.
    epsg
        The work CRS: the map is drawn in it, north up.
    """
    land = {
        key: _worked(document[key]["geometry"], epsg) for key in ("old", "new", "gained", "lost")
    }
    frame = Frame(_bounds(land), WIDTH, HEIGHT - _FOOT)
    pieces = [
        _head(document),
        _path(frame, land["lost"], fill="url(#lost)", stroke=_LOST, width=0.8),
        _path(frame, land["gained"], fill="url(#gained)", stroke=_GAINED, width=0.8),
        _path(frame, land["old"], stroke=_OLD, width=1.8, dash="7 4"),
        _path(frame, land["new"], stroke=_NEW, width=2.4),
        f'<rect x="0" y="{HEIGHT - _FOOT}" width="{WIDTH}" height="{_FOOT}" fill="#ffffff"/>',
        *_scale_bar(frame),
        *_legend(document),
        "</svg>",
    ]
    return "".join(pieces)


def _worked(geometry: Any, epsg: int) -> BaseGeometry:
    if geometry is None:
        return shapely.MultiPolygon()
    return transform(shape(geometry), geographic_code(epsg), epsg)


def _bounds(land: Mapping[str, BaseGeometry]) -> tuple[float, float, float, float]:
    west, south, east, north = shapely.union(land["old"].envelope, land["new"].envelope).bounds
    x, y = (west + east) / 2, (south + north) / 2
    half_x = max(east - west, _LEAST_M) * (0.5 + _MARGIN)
    half_y = max(north - south, _LEAST_M) * (0.5 + _MARGIN)
    return x - half_x, y - half_y, x + half_x, y + half_y


def _head(document: Mapping[str, Any]) -> str:
    title = xml(f"{document['new']['name']}：红线变化")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" role="img" font-family="sans-serif" font-size="14">'
        f"<title>{title}</title><defs>{_hatch('gained', _GAINED, 45)}{_hatch('lost', _LOST, -45)}"
        f'</defs><rect width="{WIDTH}" height="{HEIGHT}" fill="#fcfbf7"/>'
    )


def _hatch(name: str, colour: str, turn: int) -> str:
    return (
        f'<pattern id="{name}" width="7" height="7" patternUnits="userSpaceOnUse" '
        f'patternTransform="rotate({turn})"><rect width="7" height="7" fill="{colour}" '
        f'fill-opacity="0.12"/><path d="M0 0V7" stroke="{colour}" stroke-width="2.4"/></pattern>'
    )


def _path(
    frame: Frame,
    geometry: BaseGeometry,
    *,
    stroke: str,
    width: float,
    fill: str = "none",
    dash: str = "",
) -> str:
    data = frame.data(geometry)
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return data and (
        f'<path d="{data}" fill="{fill}" fill-rule="evenodd" stroke="{stroke}" '
        f'stroke-width="{width:g}" stroke-linejoin="round"{dashed}/>'
    )


def _scale_bar(frame: Frame) -> Iterator[str]:
    metres = round_length(WIDTH / 4 / frame.per_m)
    end, y = 12 + metres * frame.per_m, HEIGHT - _FOOT + 18
    yield f'<path d="M12 {y - 4}V{y}H{end:.1f}V{y - 4}" fill="none" stroke="{_INK}"/>'
    yield f'<text x="{end + 6:.1f}" y="{y + 2}" fill="{_INK}">{metres:g} m（上为北）</text>'


def _legend(document: Mapping[str, Any]) -> Iterator[str]:
    y = HEIGHT - 20
    yield f'<path d="M12 {y - 5}h26" stroke="{_OLD}" stroke-width="1.8" stroke-dasharray="7 4"/>'
    yield f'<text x="44" y="{y}" fill="{_INK}">原红线</text>'
    yield f'<path d="M104 {y - 5}h26" stroke="{_NEW}" stroke-width="2.4"/>'
    yield f'<text x="136" y="{y}" fill="{_INK}">新红线</text>'
    for x, key, word in ((200, "gained", "增加"), (400, "lost", "减少")):
        text = f"{word} {document[key]['area_m2']:,.2f} m²"
        yield f'<rect x="{x}" y="{y - 12}" width="22" height="14" fill="url(#{key})"/>'
        yield f'<text x="{x + 28}" y="{y}" fill="{_INK}">{xml(text)}</text>'
