"""What does a sliver look like? A small drawing of the place where a site touches a layer.

An SVG for each contact of a check document: the site, the border of the layer near it where its
secrecy allows, the sliver in red, a scale bar and a caption. Works in the work CRS, measures
nothing: size and width are those of the document. Equal input gives equal text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from gis.crs import geographic_code, parse_epsg, transform
from gis.model import may_show
from gis.output.drawing import Frame, round_length, xml

if TYPE_CHECKING:
    from gis.plan.area import Plan

WIDTH, HEIGHT = 320, 240
_FOOT = 46  # pixels under the drawing for scale bar and caption
_LEAST_M = 10.0  # a smaller window would show nothing but the sliver
_MARGIN = 0.25
_SITE, _LAYER, _SLIVER = "#14365f", "#1f7a3d", "#d1232f"

Document = Mapping[str, Any]


def contact_pictures(
    document: Document, plan: Plan | None = None, ceiling: str = "public"
) -> tuple[str, ...]:
    """Return one SVG for each contact, in their order; empty for one without coordinates.

    Parameters
    ----------
    document
        The JSON document of a check.
    plan
        Whose layers are drawn near the sliver; without it, and for a layer above the ceiling, the
        drawing shows the site and the sliver only.
    ceiling
        Highest secrecy whose coordinates may leave: public, internal or restricted.
    """
    rows = document.get("contacts", ())
    if not any(row.get("geometry") for row in rows):
        return tuple("" for _ in rows)
    epsg = plan.work_epsg if plan else parse_epsg(document["site"]["crs"]["work"])
    site = _worked(document["site"]["geometry"], epsg)
    titles = {layer["id"]: layer["title"] for layer in document.get("layers", ())}
    return tuple(_picture(row, site, epsg, titles, plan, ceiling) for row in rows)


def contact_text(contact: Mapping[str, Any], title: str) -> str:
    """Return one contact as a sentence."""
    return f"{title}：{contact['area_m2']:.2f} m²，宽 {contact['width_m']:.3f} 米（按容差不计）"


def _worked(geometry: Any, epsg: int) -> BaseGeometry:
    return transform(shape(geometry), geographic_code(epsg), epsg)


def _picture(
    row: Mapping[str, Any],
    site: BaseGeometry,
    epsg: int,
    titles: Mapping[str, str],
    plan: Plan | None,
    ceiling: str,
) -> str:
    if not row.get("geometry"):
        return ""
    sliver = _worked(row["geometry"], epsg)
    frame = _Frame(sliver)
    title = titles.get(row["layer"], row["layer"])
    pieces = [
        _head(title),
        *frame.path(site, fill=_SITE, opacity=0.10, stroke=_SITE, width=1.6),
        *frame.path(_border(row["layer"], frame, plan, ceiling), stroke=_LAYER, width=1.4),
        *frame.path(sliver, fill=_SLIVER, opacity=0.85, stroke=_SLIVER, width=2.2),
        f'<rect x="0" y="{HEIGHT - _FOOT}" width="{WIDTH}" height="{_FOOT}" fill="#ffffff"/>',
        *frame.scale_bar(),
        _caption(row, title),
        "</svg>",
    ]
    return "".join(pieces)


def _head(title: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" role="img" font-family="sans-serif" font-size="14">'
        f"<title>{xml(f'与“{title}”的细碎接触')}</title>"
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fcfbf7"/>'
    )


def _caption(row: Mapping[str, Any], title: str) -> str:
    short = title if len(title) <= 9 else f"{title[:8]}…"
    size = f"{row['area_m2']:.2f} m²，宽 {row['width_m']:.3f} m"
    return f'<text x="8" y="{HEIGHT - 9}" fill="#1c2733">{xml(f"{short}：{size}")}</text>'


def _border(layer_id: str, frame: _Frame, plan: Plan | None, ceiling: str) -> BaseGeometry:
    """Return the borders of the layer in the window; empty where they must not be shown."""
    layer = plan.layers.get(layer_id) if plan is not None else None
    if layer is None or not may_show(layer.info.secrecy, ceiling) or not len(layer.index):
        return shapely.GeometryCollection()
    near = layer.index.geometries[layer.index.meeting(frame.window)]
    flat = shapely.get_dimensions(near) == 2
    return shapely.union_all([*shapely.boundary(near[flat]), *near[~flat]])


class _Frame(Frame):
    """A window around a sliver."""

    def __init__(self, sliver: BaseGeometry) -> None:
        west, south, east, north = sliver.bounds
        half_x = max(east - west, _LEAST_M) * (0.5 + _MARGIN)
        half_y = max(north - south, _LEAST_M) * (0.5 + _MARGIN)
        x, y = (west + east) / 2, (south + north) / 2
        super().__init__((x - half_x, y - half_y, x + half_x, y + half_y), WIDTH, HEIGHT - _FOOT)

    def path(
        self,
        geometry: BaseGeometry,
        *,
        stroke: str,
        width: float,
        fill: str = "none",
        opacity: float = 1.0,
    ) -> Iterator[str]:
        """Return the SVG path of what lies in the window, none when nothing does."""
        data = self.data(geometry)
        if data:
            yield (
                f'<path d="{data}" fill="{fill}" fill-opacity="{opacity:g}" fill-rule="evenodd" '
                f'stroke="{stroke}" stroke-width="{width:g}" stroke-linejoin="round"/>'
            )

    def scale_bar(self) -> Iterator[str]:
        """Return a bar of a round length, about a quarter of the width."""
        metres = round_length(WIDTH / 4 / self.per_m)
        end, y = 8 + metres * self.per_m, HEIGHT - _FOOT + 13
        yield f'<path d="M8 {y - 4}V{y}H{end:.1f}V{y - 4}" fill="none" stroke="#1c2733"/>'
        yield f'<text x="{end + 6:.1f}" y="{y + 2}" fill="#1c2733">{metres:g} m（上为北）</text>'
