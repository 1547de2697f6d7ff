"""Which rows are judged together, and where do they lie?"""

from __future__ import annotations

from typing import Any, TypeAlias

import geopandas
import numpy as np
import shapely

from gis.batch.crop import Box

Array: TypeAlias = np.ndarray[Any, Any]


def chunks_of(boxes: Array, size: int) -> list[Array]:
    """Return row numbers in chunks along a Hilbert curve, rising within each chunk.

    Neighbours meet the same features, so a worker finds them in its caches and a crop is small.
    Rows without a place come last.
    """
    west, south, east, north = boxes.T
    centre = np.column_stack([(west + east) / 2, (south + north) / 2])
    placed = np.isfinite(centre).all(axis=1)
    curve = np.full(len(boxes), np.iinfo(np.int64).max)
    if placed.any():
        points = geopandas.GeoSeries(shapely.points(centre[placed]))
        curve[placed] = points.hilbert_distance().to_numpy(dtype=np.int64)
    order = np.argsort(curve, kind="stable")
    return [np.sort(order[start : start + size]) for start in range(0, len(order), size)]


def box_of(boxes: Array) -> Box:
    """Return the box of some boxes, those without a place left out; nowhere when all are."""
    placed = boxes[np.isfinite(boxes).all(axis=1)]
    if not len(placed):
        return (0.0, 0.0, 0.0, 0.0)
    west, south = placed[:, :2].min(axis=0).tolist()
    east, north = placed[:, 2:].max(axis=0).tolist()
    return (west, south, east, north)
