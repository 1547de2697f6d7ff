"""How much of each of many sites lies on each layer? A table, without building any overlap.

The fast answer for a whole county: areas, number of features and whether the site is covered, for
every site and layer that meet; distances to the nearest line. Chunk by chunk, so that memory does
not grow with the number of sites. Sums run by site, layer and piece, so equal input gives equal
bits.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import shapely

from gis.engine.index import Array
from gis.engine.kernel import Mode, edges_of
from gis.engine.lines import Lines
from gis.engine.screen import NOISE_M2
from gis.engine.stack import GROUND, Stack

# Sites whose pairs are held in memory at once.
CHUNK = 2_000


class Overlaps(NamedTuple):
    """One row for each site and layer that share land, sorted by both.

    ``site`` is a position among the sites, ``layer`` a place in the ``ids`` of the stack,
    ``area`` planar m², ``x`` and ``y`` the centroid of the shared land, ``features`` the number of
    features of which the site covers more than the tolerance, ``whole`` whether the site lies
    wholly on the layer.
    """

    site: Array
    layer: Array
    area: Array
    x: Array
    y: Array
    features: Array
    whole: Array


def overlaps(
    sites: Array, stack: Stack, *, tolerance_m2: float = 1.0, mode: Mode = "kernel"
) -> Overlaps:
    """Return what valid polygons in the work CRS share with the layers of a stack.

    Parameters
    ----------
    sites
        Polygons and multipolygons.
    stack
        Of the layers, in the same CRS.
    tolerance_m2
        Planar m² that a site must have of a feature to count it.
    mode
        ``kernel``, or ``geos`` to build every overlap: the same numbers within 1e-5 m², slowly.
    """
    found = [
        _of_chunk(sites[start : start + CHUNK], stack, start, tolerance_m2, mode)
        for start in range(0, max(len(sites), 1), CHUNK)
    ]
    return Overlaps(*(np.concatenate(column) for column in zip(*found, strict=True)))


def _of_chunk(sites: Array, stack: Stack, start: int, tolerance_m2: float, mode: Mode) -> Overlaps:
    parts, owner = shapely.get_parts(sites, return_index=True)
    at, piece = stack.near(parts)
    shared = stack.shared(parts, edges_of(parts), at, piece, mode)
    real = shared.area > 0.0
    at, piece = at[real], piece[real]
    area, x, y = shared.area[real], shared.x[real], shared.y[real]
    site, layer = owner[at], stack.layer[piece]
    land = stack.bears_land[piece]
    keys = _Keys(site[land] * len(stack.ids) + layer[land])
    total = keys.sums(area[land])
    features = _features(site, layer, stack.feature[piece], area, len(stack.ids), tolerance_m2)
    own = keys.unique // max(len(stack.ids), 1)
    planar = shapely.area(sites)
    kept = total > NOISE_M2
    rows = (
        own + start,
        keys.unique % max(len(stack.ids), 1),
        total,
        keys.sums(area[land] * x[land]) / total,
        keys.sums(area[land] * y[land]) / total,
        _looked_up(features, keys.unique),
        total >= planar[own] - NOISE_M2,
    )
    return Overlaps(*(column[kept] for column in rows))


class _Keys:
    """Groups rows by a number, in ascending order; sums keep the order of the rows."""

    def __init__(self, keys: Array) -> None:
        self._order = np.argsort(keys, kind="stable")
        sorted_keys = keys[self._order]
        self._starts = np.flatnonzero(np.r_[True, sorted_keys[1:] != sorted_keys[:-1]][: len(keys)])
        self.unique = sorted_keys[self._starts]

    def sums(self, values: Array) -> Array:
        if not len(self._starts):
            return np.array([], dtype=float)
        return np.asarray(np.add.reduceat(values[self._order], self._starts))


def _features(
    site: Array, layer: Array, feature: Array, area: Array, layers: int, tolerance_m2: float
) -> tuple[Array, Array]:
    """Return keys of site and layer, and for each how many features are more than grazed."""
    own = feature != GROUND
    site, layer, feature, area = site[own], layer[own], feature[own], area[own]
    most = int(feature.max()) + 1 if len(feature) else 1
    keys = _Keys((site * layers + layer) * most + feature)
    touched = keys.unique[keys.sums(area) > tolerance_m2] // most
    pairs, counts = np.unique(touched, return_counts=True)
    return pairs, counts


def _looked_up(table: tuple[Array, Array], keys: Array) -> Array:
    """Return the counts of some keys, 0 for those that are not in the table."""
    known, counts = table
    if not len(known):
        return np.zeros(len(keys), dtype=np.int64)
    at = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    return np.where(known[at] == keys, counts[at], 0)


# --- lines ---------------------------------------------------------------------------------------


class Nearest(NamedTuple):
    """For each site the nearest land edge of a line layer.

    ``distance`` in metres, NaN when none is in reach; ``feature`` its position, -1 without one.
    """

    distance: Array
    feature: Array


def nearest(sites: Array, lines: Lines, *, reach_m: float = np.inf) -> Nearest:
    """Return the distance from polygons to the nearest edge of a line feature.

    The edge lies half a width from the line; a site on the road is 0 m away. A line of unknown
    width is its own edge.
    """
    from gis.engine import nearest_loops

    edges = edges_of(sites)
    distance = np.empty(len(sites))
    feature = np.empty(len(sites), dtype=np.int64)
    nearest_loops.nearest(
        edges.offsets, edges.rows, edges.boxes,
        lines.ends, lines.halves, lines.feature,
        lines.starts, lines.items, int(lines.size[0]), int(lines.size[1]),
        float(lines.corner[0]), float(lines.corner[1]), lines.cell, float(reach_m),
        distance, feature,
    )  # fmt: skip
    return Nearest(distance, feature)
