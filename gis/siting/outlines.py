"""How do cells become an outline of the wanted size?

The cells are joined, and what is too much is cut off along one side, as long as nothing is left
that is narrower than wished. Coordinates are those that a file gives back, so that whoever reads
the outline gets the same answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from gis.crs import ellipsoidal_area
from gis.engine.index import Array
from gis.model import Site
from gis.remedy.outlines import as_read, on_paper
from gis.siting.cells import Cells
from gis.siting.kinds import plain_site

# Above the wanted size: a millimetre on the paper must not make an outline too small.
_MARGIN = 0.0005
_STEPS = 50
# Of the area: what an opening takes off rounded corners of coordinates is no neck.
_NECK = 1e-6
_ROUNDING = 1e-9
# So many cells the rim of stairs is drawn in, to be straight.
_SMOOTH = (1.0, 0.72)


def joined(cells: Cells, chosen: Array) -> BaseGeometry:
    """Return cells, a mask over (rows, cols), as one geometry in the work CRS."""
    # The library for rasters is heavy to import, and a service starts without it.
    from rasterio import Affine, features

    grid = Affine(*cells.grid.transform[:3], *cells.grid.transform[3:])
    found = features.shapes(chosen.astype(np.uint8), mask=chosen, connectivity=4, transform=grid)
    parts = [Polygon(rings[0], rings[1:]) for g, _ in found for rings in [g["coordinates"]]]
    # Parts meet in corners at most, which a multipolygon may.
    return parts[0] if len(parts) == 1 else MultiPolygon(parts)


def outline_of(
    cells: Cells,
    chosen: Array,
    wanted_m2: float,
    width_m: float | None,
    keeps: Callable[[BaseGeometry], bool] = lambda _: True,
) -> Site | None:
    """Return an outline inside some cells, at least of the wanted size; None where they are less.

    Parameters
    ----------
    cells, chosen
        The grid, and which of its cells as a mask over (rows, cols).
    wanted_m2
        Ellipsoidal m².
    width_m
        Nothing is cut so that less than this is left, planar metres.
    keeps
        Whether an outline still does what it must; one that does not is not cut there.
    """
    whole = joined(cells, chosen)
    if not isinstance(whole, Polygon):
        return None
    cuts = (_read(cut, cells.epsg) for cut in _cuts(whole, wanted_m2, cells.epsg, width_m))
    # Cells that are just enough must not be too little for the rounding of a file.
    for outline in (*cuts, _read(whole, cells.epsg), whole):
        area = float(ellipsoidal_area(outline, cells.epsg))
        if area >= wanted_m2 * (1 - _ROUNDING) and keeps(outline):
            return plain_site(outline, cells.epsg, area)
    return None


def smoothed(
    cells: Cells,
    chosen: Array,
    wanted_m2: float,
    width_m: float | None,
    keeps: Callable[[BaseGeometry], bool] = lambda _: True,
) -> Site | None:
    """Return the same with few corners in place of stairs; None where the cells are too few.

    The rim is drawn in and its stairs become straight lines, which move by no more than it was
    drawn in: so the outline stays inside the cells.
    """
    whole = joined(cells, chosen)
    for inward in (steps * cells.size_m for steps in _SMOOTH):
        rim = shapely.buffer(whole, -inward, join_style="mitre")
        for outline in _largest(shapely.simplify(rim, inward)):
            for cut in _cuts(outline, wanted_m2, cells.epsg, width_m):
                read = _read(cut, cells.epsg)
                area = float(ellipsoidal_area(read, cells.epsg))
                few = shapely.get_num_coordinates(read) < shapely.get_num_coordinates(whole)
                if few and area >= wanted_m2 and not _has_neck(cut, width_m) and keeps(read):
                    return plain_site(read, cells.epsg, area)
    return None


def _largest(land: BaseGeometry) -> list[Polygon]:
    parts = [p for p in shapely.get_parts(land).tolist() if isinstance(p, Polygon) and p.area > 0]
    return sorted(parts, key=lambda p: -p.area)[:1]


def _read(outline: BaseGeometry, epsg: int) -> BaseGeometry:
    return as_read(on_paper(outline), plain_site(outline, epsg, 0.0))


def _cuts(whole: Polygon, wanted_m2: float, epsg: int, width_m: float | None) -> Iterator[Polygon]:
    """Yield the outline without what is too much, cut off on one side after the other."""
    area = ellipsoidal_area(whole, epsg)
    target = float(whole.area) * wanted_m2 * (1 + _MARGIN) / area
    if target >= whole.area:
        return
    west, south, east, north = whole.bounds
    sides = (
        (west, east, lambda x: shapely.box(west, south, x, north)),
        (south, north, lambda y: shapely.box(west, south, east, y)),
        (-east, -west, lambda x: shapely.box(-x, south, east, north)),
        (-north, -south, lambda y: shapely.box(west, -y, east, north)),
    )
    # The longer side first: a square loses least of its shape there.
    order = (0, 2, 1, 3) if east - west >= north - south else (1, 3, 0, 2)
    for low, high, part in (sides[n] for n in order):
        cut = _cut(whole, target, low, high, part)
        if isinstance(cut, Polygon) and not _has_neck(cut, width_m):
            yield cut


def _cut(
    whole: Polygon, target: float, low: float, high: float, part: Callable[[float], BaseGeometry]
) -> BaseGeometry:
    """Return the part up to where it has the wanted planar area."""
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if shapely.intersection(whole, part(middle)).area < target:
            low = middle
        else:
            high = middle
    return shapely.intersection(whole, part(high))


def _has_neck(outline: Polygon, width_m: float | None) -> bool:
    if width_m is None:
        return False
    half = width_m / 2 * (1 - 1e-6)
    again = outline.buffer(-half, join_style="mitre").buffer(half, join_style="mitre")
    return bool(shapely.difference(outline, again).area > _NECK * outline.area)
