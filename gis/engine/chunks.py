"""Which sites are worked on together? Neighbours, so that what they meet is at hand."""

from __future__ import annotations

import geopandas
import numpy as np
import shapely

from gis.engine.index import Array


def along_curve(boxes: Array) -> Array:
    """Return row numbers in the order of a Hilbert curve through the middles of n x 4 boxes.

    Rows without a place (NaN) come last, in their own order.
    """
    west, south, east, north = boxes.T
    centre = np.column_stack([(west + east) / 2, (south + north) / 2])
    placed = np.isfinite(centre).all(axis=1)
    curve = np.full(len(boxes), np.iinfo(np.int64).max)
    if placed.any():
        points = geopandas.GeoSeries(shapely.points(centre[placed]))
        curve[placed] = points.hilbert_distance().to_numpy(dtype=np.int64)
    return np.argsort(curve, kind="stable")


def chunks_of(boxes: Array, size: int) -> list[Array]:
    """Return row numbers in chunks along a Hilbert curve, rising within each chunk.

    Neighbours meet the same features, so a worker finds them in its caches and a crop is small.
    """
    order = along_curve(boxes)
    return [np.sort(order[start : start + size]) for start in range(0, len(order), size)]
