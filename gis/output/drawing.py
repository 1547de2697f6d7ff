"""How does a piece of ground become a drawing? Metres of the work CRS to lines of an SVG.

One frame for every drawing on paper and beside a contact: north is up, east is right, equal
geometry gives equal text. Nothing is measured; what is drawn is cut to the window.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any
from xml.sax.saxutils import escape

import shapely
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

Bounds = tuple[float, float, float, float]


class Frame:
    """A window of the ground and the way from metres to units of the drawing.

    Parameters
    ----------
    bounds
        West, south, east, north in metres of the work CRS: what must be seen.
    width, height
        Size of the drawing in its own units; the window grows to that shape around its middle.
    """

    def __init__(self, bounds: Bounds, width: float, height: float) -> None:
        west, south, east, north = bounds
        self.per_m = min(width / (east - west), height / (north - south))
        half_x, half_y = width / self.per_m / 2, height / self.per_m / 2
        x, y = (west + east) / 2, (south + north) / 2
        self.window = box(x - half_x, y - half_y, x + half_x, y + half_y)
        self._west, self._north = x - half_x, y + half_y

    def data(self, geometry: BaseGeometry, margin: float = 6.0, *, simpler: float = 0.0) -> str:
        """Return the path data of what lies in the window, empty when nothing does.

        Both in units of the drawing: ``margin`` goes a little beyond the window, so that the cut
        itself is not drawn as a border; lines may leave their course by ``simpler``.
        """
        seen = shapely.intersection(geometry, self.window.buffer(margin / self.per_m))
        return self.lines(shapely.simplify(seen, simpler / self.per_m) if simpler else seen)

    def lines(self, geometry: BaseGeometry) -> str:
        """Return the path data of a geometry as it is; points have none."""
        return "".join(self._lines(geometry))

    def _lines(self, geometry: BaseGeometry) -> Iterator[str]:
        for part in shapely.get_parts(shapely.get_parts(geometry)):
            if part.geom_type == "Polygon":
                for ring in shapely.get_rings(part):
                    yield f"M{self._points(shapely.get_coordinates(ring)[:-1])}Z"
            elif part.geom_type in {"LineString", "LinearRing"}:
                yield f"M{self._points(shapely.get_coordinates(part))}"

    def _points(self, xy: Iterable[Any]) -> str:
        return "L".join("{:.1f} {:.1f}".format(*self.place(x, y)) for x, y in xy)

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Return where a point of the work CRS stands in the drawing."""
        return (x - self._west) * self.per_m, (self._north - y) * self.per_m


def round_length(metres: float) -> float:
    """Return the largest of 1, 2, 5 x 10^n that is not longer.

    >>> round_length(37.0), round_length(0.9), round_length(5.0)
    (20.0, 0.5, 5.0)
    """
    unit = 10.0 ** math.floor(math.log10(metres))
    return next(float(f * unit) for f in (5, 2, 1) if f * unit <= metres * (1 + 1e-9))


def xml(text: str) -> str:
    """Return text that may stand in XML: no markup, no control character."""
    return escape("".join(c for c in text if c.isprintable()).encode("utf-8", "replace").decode())
