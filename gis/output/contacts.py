"""What does a sliver look like? A small drawing of the place where a site touches a layer.

An SVG for each contact of a check document: the site, the border of the layer near it where its
secrecy allows, the sliver in red, a scale bar and a caption. Works in the work CRS, measures
nothing: size and width are those of the document. Equal input gives equal text.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import shapely
from shapely.geometry import box, shape
from shapely.geometry.base import BaseGeometry

from gis.crs import geographic_code, parse_epsg, transform
from gis.model import may_show

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
        f"<title>{_xml(f'与“{title}”的细碎接触')}</title>"
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fcfbf7"/>'
    )


def _caption(row: Mapping[str, Any], title: str) -> str:
    short = title if len(title) <= 9 else f"{title[:8]}…"
    size = f"{row['area_m2']:.2f} m²，宽 {row['width_m']:.3f} m"
    return f'<text x="8" y="{HEIGHT - 9}" fill="#1c2733">{_xml(f"{short}：{size}")}</text>'


def _xml(text: str) -> str:
    """Return text that may stand in XML: no markup, no control character."""
    return escape("".join(c for c in text if c.isprintable()).encode("utf-8", "replace").decode())


def _border(layer_id: str, frame: _Frame, plan: Plan | None, ceiling: str) -> BaseGeometry:
    """Return the borders of the layer in the window; empty where they must not be shown."""
    layer = plan.layers.get(layer_id) if plan is not None else None
    if layer is None or not may_show(layer.info.secrecy, ceiling) or not len(layer.index):
        return shapely.GeometryCollection()
    near = layer.index.geometries[layer.index.meeting(frame.window)]
    flat = shapely.get_dimensions(near) == 2
    return shapely.union_all([*shapely.boundary(near[flat]), *near[~flat]])


class _Frame:
    """A window around a sliver and the way from metres to pixels."""

    def __init__(self, sliver: BaseGeometry) -> None:
        west, south, east, north = sliver.bounds
        tall = HEIGHT - _FOOT
        wide_m = max(east - west, _LEAST_M) * (1 + 2 * _MARGIN)
        high_m = max(north - south, _LEAST_M) * (1 + 2 * _MARGIN)
        self.px_per_m = min(WIDTH / wide_m, tall / high_m)
        half_x, half_y = WIDTH / self.px_per_m / 2, tall / self.px_per_m / 2
        x, y = (west + east) / 2, (south + north) / 2
        self.window = box(x - half_x, y - half_y, x + half_x, y + half_y)
        self._west, self._north = x - half_x, y + half_y

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
        # A little beyond the window, so that the cut itself is not drawn as a border.
        seen = shapely.intersection(geometry, self.window.buffer(6 / self.px_per_m))
        data = "".join(self._lines(seen))
        if data:
            yield (
                f'<path d="{data}" fill="{fill}" fill-opacity="{opacity:g}" fill-rule="evenodd" '
                f'stroke="{stroke}" stroke-width="{width:g}" stroke-linejoin="round"/>'
            )

    def _lines(self, geometry: BaseGeometry) -> Iterator[str]:
        for part in shapely.get_parts(shapely.get_parts(geometry)):
            if part.geom_type == "Polygon":
                for ring in shapely.get_rings(part):
                    yield f"M{self._points(shapely.get_coordinates(ring)[:-1])}Z"
            elif part.geom_type in {"LineString", "LinearRing"}:
                yield f"M{self._points(shapely.get_coordinates(part))}"

    def _points(self, xy: Iterable[Any]) -> str:
        return "L".join(
            f"{(x - self._west) * self.px_per_m:.1f} {(self._north - y) * self.px_per_m:.1f}"
            for x, y in xy
        )

    def scale_bar(self) -> Iterator[str]:
        """Return a bar of a round length, about a quarter of the width."""
        metres = _round_length(WIDTH / 4 / self.px_per_m)
        end, y = 8 + metres * self.px_per_m, HEIGHT - _FOOT + 13
        yield f'<path d="M8 {y - 4}V{y}H{end:.1f}V{y - 4}" fill="none" stroke="#1c2733"/>'
        yield f'<text x="{end + 6:.1f}" y="{y + 2}" fill="#1c2733">{metres:g} m（上为北）</text>'


def _round_length(metres: float) -> float:
    """Return the largest of 1, 2, 5 x 10^n that is not longer.

    >>> _round_length(37.0), _round_length(0.9), _round_length(5.0)
    (20.0, 0.5, 5.0)
    """
    unit = 10.0 ** math.floor(math.log10(metres))
    return next(float(f * unit) for f in (5, 2, 1) if f * unit <= metres * (1 + 1e-9))
