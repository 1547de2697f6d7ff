"""How is a feature cut out of a very large outline without reading all of it each time?

An overlay reads every vertex of both sides. An outline with hundreds of thousands of vertices is
cropped once around each cell of a coarse grid, and a feature is cut out of the crop around it. The
crop is larger than the feature's box, so the result is the same; it never decides what is cut.
"""

from __future__ import annotations

import math

import numpy as np
import shapely
from shapely.geometry import MultiPolygon
from shapely.geometry.base import BaseGeometry

# Below this the overlay itself is as fast as the bookkeeping.
_FROM_VERTICES = 5_000
_VERTICES_PER_CELL = 400
_MAX_CELLS = 24


class Crops:
    """Crops of one outline, made when they are first needed."""

    def __init__(self, outline: BaseGeometry) -> None:
        self._outline = outline
        self._strips: dict[int, BaseGeometry] = {}
        self._crops: dict[tuple[int, int], BaseGeometry] = {}
        count = int(shapely.get_num_coordinates(outline))
        self._cells = (
            min(_MAX_CELLS, round(math.sqrt(count / _VERTICES_PER_CELL)))
            if count >= _FROM_VERTICES
            else 0
        )
        west, south, east, north = self._bounds = outline.bounds
        self._origin = np.array([west, south])
        self._size = np.array([east - west, north - south]) / max(self._cells, 1)

    def around(self, feature: BaseGeometry) -> BaseGeometry:
        """Return a part of the outline that holds all of it within the feature's box."""
        if not self._cells:
            return self._outline
        low, high = np.array(feature.bounds).reshape(2, 2)
        cell = np.floor(((low + high) / 2 - self._origin) / self._size)
        reach = np.vstack([cell - 1, cell + 2]) * self._size + self._origin
        if (low <= reach[0]).any() or (high >= reach[1]).any():
            return self._outline
        key = int(cell[0]), int(cell[1])
        if key not in self._crops:
            strip = self._strip(key[0], *reach[:, 0])
            self._crops[key] = _polygons(strip, shapely.box(*reach.ravel()))
        return self._crops[key]

    def _strip(self, column: int, west: float, east: float) -> BaseGeometry:
        """Return the outline within three columns; cells are cut from it, not from the whole."""
        if column not in self._strips:
            _, south, _, north = self._bounds
            box = shapely.box(west, south - 1, east, north + 1)
            self._strips[column] = _polygons(self._outline, box)
        return self._strips[column]


def _polygons(outline: BaseGeometry, box: BaseGeometry) -> BaseGeometry:
    """Return the overlap without points and lines where the outline only touches the box."""
    parts = shapely.get_parts(shapely.intersection(outline, box))
    return MultiPolygon([p for p in parts if p.geom_type == "Polygon"])
