"""On which cells is land looked for, and how large are they?

The search runs on a grid of squares over the planning area, or over one zone of it. Nothing here
knows a rule; what lies on a cell is told by exact cover (``gis.engine.cover``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis.crs import ellipsoidal_area
from gis.engine.cover import cover
from gis.engine.grid import Grid
from gis.engine.index import Array

# More cells than these cost seconds, and no planner draws a boundary by hand that fine.
MAX_CELLS = 250_000
SMALLEST_M, LARGEST_M = 5.0, 25.0
# The side of a square of the wanted size is about so many cells.
_PER_SIDE = 40
# Planar m² on a cell, or off it, that rounding leaves.
_ROUNDING_M2 = 1e-3
FULL = 255


@dataclass(frozen=True, eq=False)
class Cells:
    """Squares inside a polygon; arrays run over them, row by row.

    Parameters
    ----------
    grid
        Size and place of all squares over its box, rows from the north, in the work CRS.
    polygon
        Where land is looked for. Squares that its border cuts are left out: ``edge_m2``.
    epsg
        Code of the work CRS.
    """

    grid: Grid
    polygon: BaseGeometry
    epsg: int

    @property
    def size_m(self) -> float:
        """Side of a cell, planar metres."""
        return self.grid.transform[0]

    @cached_property
    def at(self) -> Array:
        """Places of the cells in the flat grid."""
        off = 1.0 - cover(self.grid, np.array([self.polygon], dtype=object))
        return np.flatnonzero(off.ravel() * self.size_m**2 <= _ROUNDING_M2)

    @cached_property
    def cell_m2(self) -> float:
        """Ellipsoidal area of a cell, on the average of the polygon."""
        return self.size_m**2 / self.planar_per_m2

    @cached_property
    def edge_m2(self) -> float:
        """Ellipsoidal area of the polygon along its border, on no whole cell."""
        return max(self.area_m2 - len(self) * self.cell_m2, 0.0)

    @cached_property
    def area_m2(self) -> float:
        """Ellipsoidal area of the polygon."""
        return float(ellipsoidal_area(self.polygon, self.epsg))

    @cached_property
    def planar_per_m2(self) -> float:
        """Planar m² of one ellipsoidal m², on the average of the polygon."""
        return float(self.polygon.area) / self.area_m2

    def __len__(self) -> int:
        """Return the number of cells."""
        return len(self.at)

    def covered(self, shapes: Array) -> Array:
        """Return how much of each cell lies on polygons: 0 nothing, 255 all, between them some."""
        share = np.clip(cover(self.grid, shapes).ravel()[self.at], 0.0, 1.0)
        told: Array = np.clip(np.rint(share * FULL), 1, FULL - 1).astype(np.uint8)
        whole = self.size_m**2
        told[share * whole <= _ROUNDING_M2] = 0
        told[(1.0 - share) * whole <= _ROUNDING_M2] = FULL
        return told

    def on_grid(self, values: Array, elsewhere: object = 0) -> Array:
        """Return values of the cells as (rows, cols)."""
        flat = np.full(self.grid.rows * self.grid.cols, elsewhere, dtype=values.dtype)
        flat[self.at] = values
        return flat.reshape(self.grid.rows, self.grid.cols)

    def centres(self, places: Array) -> Array:
        """Return x, y of the middle of cells in the flat grid."""
        row, col = np.divmod(places, self.grid.cols)
        return np.column_stack(self.grid.to_coordinates(col + 0.5, row + 0.5))

    def boxes(self, places: Array) -> Array:
        """Return cells in the flat grid as polygons."""
        x, y = self.centres(places).T
        half = self.size_m / 2
        return np.asarray(shapely.box(x - half, y - half, x + half, y + half))


def cells_over(
    polygon: BaseGeometry,
    epsg: int,
    wanted_m2: float,
    width_m: float | None,
    cell_m: float | None = None,
) -> Cells:
    """Return the cells to look for a site of a size on.

    Their side is a whole part of the least width, so that a square just as wide fits the grid. The
    grid begins in the south-western corner of the box of the polygon.
    """
    side = _side(polygon, wanted_m2, width_m, cell_m)
    west, south, east, north = polygon.bounds
    cols, rows = (
        max(math.ceil((b - a) / side - 1e-9), 1) for a, b in ((west, east), (south, north))
    )
    return Cells(
        Grid(rows, cols, (side, 0.0, west, 0.0, -side, south + rows * side)), polygon, epsg
    )


def _side(
    polygon: BaseGeometry, wanted_m2: float, width_m: float | None, cell_m: float | None
) -> float:
    coarse = math.sqrt(float(polygon.area) / MAX_CELLS)
    usual = max(min(math.sqrt(wanted_m2) / _PER_SIDE, LARGEST_M), SMALLEST_M)
    side = max(cell_m or usual, coarse)
    if width_m is None:
        # Round numbers are easier to tell: 25 m, not 24.8 m.
        return cell_m if side == cell_m else float(math.ceil(side))
    if width_m < side:
        return side  # whatever is made of cells is wider than wished
    return width_m / round(width_m / side)
