"""Which land lies around the features of a layer, from one distance of their edge to another?

A restriction often begins at an edge: 2,000 m from the bank, 20 m from the land edge of a road.
The edge of a line is its half width away from the line; areas and points are their own edge.

Exactness: the distance from a straight edge is exact. The circle around a corner is drawn with 642
chords to the quarter, inside the true one: it has 1e-6 less area, so a whole ring is short by less
than 1e-6 of itself, and at a distance of 2,000 m the chords lie at most 1.5 mm inside the arc. GEOS
fills concavities that are far narrower than the distance; their outline moves by centimetres.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis.engine.index import Array, LayerIndex
from gis.engine.kernel import Edges, edges_of
from gis.model import Demand, Quantity

# 1 - sin(x) / x of the inscribed polygon with 4 · 642 corners is 9.977e-7.
QUARTER_CHORDS = 642
# Sites of one neighbourhood share what was drawn around it.
_CELL_M = 1_000.0
_KEPT = 4_096
# What is cut away must stay out of reach however its cut edge is rounded.
_MARGIN_M = 1.0


class Surroundings(NamedTuple):
    """Land around features, correct inside the window that was asked for.

    ``edges_known`` is False when the half width of a feature near it is not known; ``edges`` are
    those of its parts.
    """

    land: BaseGeometry
    edges_known: bool
    edges: Edges


def window_of(geometry: BaseGeometry) -> BaseGeometry:
    """Return a box of whole grid cells around a geometry; neighbours get the same one.

    One that is no larger than a cell fits into the two by two cells from that of its corner.
    """
    west, south, east, north = (v / _CELL_M for v in geometry.bounds)
    column, row = math.floor(west), math.floor(south)
    columns, rows = 2, 2
    if east > column + columns or north > row + rows:
        columns, rows = math.ceil(east) - column, math.ceil(north) - row
    return _cells(column, row, columns, rows)


def _cells(column: int, row: int, columns: int, rows: int) -> BaseGeometry:
    west, south = column * _CELL_M, row * _CELL_M
    return shapely.box(west, south, west + columns * _CELL_M, south + rows * _CELL_M)


def in_reach(layer: LayerIndex, demand: Demand, place: BaseGeometry) -> Array:
    """Return the positions of the features of a demand whose surroundings may meet a place."""
    near = layer.within(place, demand.within_m + layer.max_half_width)
    return layer.select(near, demand.classes, excluding=demand.excluding)


def surroundings(
    layer: LayerIndex, demand: Demand, place: BaseGeometry, *, only: int | None = None
) -> Surroundings:
    """Return the land around the features of a demand: ``within_m`` less ``beyond_m``.

    Parameters
    ----------
    layer
        Features in the work CRS.
    demand
        Classes and distances, metres from the edge; ``beyond_m`` 0 keeps the features themselves.
    place
        Geometry that will be cut with the land; the land is right within its window only.
    only
        Position of one feature, when the land around it alone is wanted.

    Notes
    -----
    The last few answers are kept with the layer. Threads that ask at once may draw twice and get
    the same; a dictionary is changed in one step each, so no lock is needed.
    """
    window = window_of(place)
    key = _key(demand, only, window)
    known: Surroundings | None = layer.surroundings.get(key)
    if known is None:
        at = in_reach(layer, demand, window) if only is None else np.array([only])
        known = _drawn(layer, demand, window, at)
        if len(layer.surroundings) >= _KEPT:
            layer.surroundings.clear()
        layer.surroundings[key] = known
    return known


def _key(demand: Demand, only: int | None, window: BaseGeometry) -> tuple[object, ...]:
    return (*_what(demand), only, window.bounds)


def _what(demand: Demand) -> tuple[object, ...]:
    return demand.classes, demand.excluding, demand.within_m, demand.beyond_m


def asks_around(demand: Demand) -> bool:
    """Whether a demand asks for land around features, and not for their distance."""
    on_land = demand.quantity is Quantity.INSIDE or demand.quantity is Quantity.OUTSIDE
    return on_land and demand.within_m > 0 and not demand.divided


def draw_ahead(layer: LayerIndex, demands: Iterable[Demand], most: int) -> int:
    """Draw the land around features that small sites may ask for, window by window.

    Parameters
    ----------
    layer
        Features in the work CRS.
    demands
        Those on the layer that ask for land around features.
    most
        How many windows may be drawn; none are when there would be more.

    Returns
    -------
    drawn
        How many windows are drawn now; those that were known already are not drawn again.
    """
    asked = {_what(demand): demand for demand in demands if asks_around(demand)}
    wanted = [(demand, window) for demand in asked.values() for window in _windows(layer, demand)]
    if len(wanted) > most:
        return 0
    for demand, window in wanted:
        key = _key(demand, None, window)
        if key not in layer.surroundings:
            at = in_reach(layer, demand, window)
            layer.surroundings[key] = _drawn(layer, demand, window, at)
    return len(wanted)


def _windows(layer: LayerIndex, demand: Demand) -> list[BaseGeometry]:
    """Return the windows of small sites that a feature of the demand may reach."""
    features = layer.select(np.arange(len(layer)), demand.classes, excluding=demand.excluding)
    if not len(features):
        return []
    reach = demand.within_m + layer.max_half_width
    box = shapely.total_bounds(layer.geometries[features]) + np.array([-1, -1, 1, 1]) * reach
    low, high = np.floor(box[:2] / _CELL_M).astype(int) - 1, np.floor(box[2:] / _CELL_M).astype(int)
    places = [(x, y) for x in range(low[0], high[0] + 1) for y in range(low[1], high[1] + 1)]
    windows = np.array([_cells(x, y, 2, 2) for x, y in places], dtype=object)
    near, _ = shapely.STRtree(windows).query(
        layer.geometries[features], predicate="dwithin", distance=reach
    )[::-1]
    return windows[np.unique(near)].tolist()  # type: ignore[no-any-return]  # numpy knows no type of a list


def _drawn(layer: LayerIndex, demand: Demand, window: BaseGeometry, at: Array) -> Surroundings:
    halves = layer.half_widths[at]
    reach = demand.within_m + layer.max_half_width + _MARGIN_M
    features = _cropped(layer.geometries[at], window, reach)
    halves_or_axis = np.nan_to_num(halves, nan=0.0)
    land = _grown(features, demand.within_m + halves_or_axis)
    if demand.beyond_m > 0:
        land = shapely.difference(land, _grown(features, demand.beyond_m + halves_or_axis))
    # Arcs beyond the window would be read by every site in it.
    west, south, east, north = window.bounds
    m = _MARGIN_M
    land = shapely.intersection(land, shapely.box(west - m, south - m, east + m, north + m))
    parts = shapely.get_parts(land)
    polygons = parts[shapely.get_dimensions(parts) == 2]
    return Surroundings(land, not bool(np.isnan(halves).any()), edges_of(polygons))


def _cropped(features: Array, window: BaseGeometry, reach: float) -> Array:
    """Return the features without what lies too far off; a canal is longer than a site."""
    west, south, east, north = window.bounds
    near = shapely.box(west - reach, south - reach, east + reach, north + reach)
    bounds = shapely.bounds(features).reshape(-1, 4)
    whole = (bounds[:, :2] >= near.bounds[:2]).all(axis=1)
    whole &= (bounds[:, 2:] <= near.bounds[2:]).all(axis=1)
    cropped: Array = np.where(whole, features, shapely.intersection(features, near))
    return cropped


def _grown(features: Array, distances: Array) -> BaseGeometry:
    return shapely.union_all(shapely.buffer(features, distances, quad_segs=QUARTER_CHORDS))
