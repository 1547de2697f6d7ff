"""The compiled loop that sums what sites share with pieces, by layer; see ``overlaps``."""

from __future__ import annotations

from typing import Any

import numpy as np

from gis.engine.compiled import compiled

Array = np.ndarray[Any, Any]


@compiled
def summed(
    site_of: Array, area: Array, x: Array, y: Array, piece: Array,
    layer_of: Array, feature_of: Array, bears_land: Array,
    layers: int, planar: Array, noise: float, tolerance: float,
    site: Array, layer: Array, total: Array, cx: Array, cy: Array, features: Array, whole: Array,
) -> int:  # fmt: skip
    """Fill a row for each site and layer that share land; return how many.

    Pairs of a site and a piece come site by site, pieces in ascending order; ``layer_of``,
    ``feature_of`` and ``bears_land`` belong to the pieces, ``planar`` to the sites.
    """
    sums = np.empty((layers, 3))
    counts = np.empty(layers, dtype=np.int64)
    n, begin = 0, 0
    while begin < len(area):
        own, end = site_of[begin], begin
        sums[:] = 0.0
        while end < len(area) and site_of[end] == own:
            at, here = piece[end], area[end]
            if here > 0.0 and bears_land[at]:
                sums[layer_of[at], 0] += here
                sums[layer_of[at], 1] += here * x[end]
                sums[layer_of[at], 2] += here * y[end]
            end += 1
        _count(piece[begin:end], area[begin:end], layer_of, feature_of, tolerance, counts)
        for k in range(layers):
            land = sums[k, 0]
            if land > noise:
                site[n], layer[n], total[n] = own, k, land
                cx[n], cy[n] = sums[k, 1] / land, sums[k, 2] / land
                features[n], whole[n] = counts[k], land >= planar[own] - noise
                n += 1
        begin = end
    return n


@compiled
def _count(
    piece: Array, area: Array, layer_of: Array, feature_of: Array, tolerance: float, counts: Array
) -> None:
    """Count for each layer the features of which one site has more than the tolerance."""
    counts[:] = 0
    layers = len(counts)
    keys = np.empty(len(piece), dtype=np.int64)
    for p in range(len(piece)):  # ground belongs to no feature
        own = feature_of[piece[p]]
        keys[p] = own * layers + layer_of[piece[p]] if own >= 0 else -1
    order = np.argsort(keys, kind="mergesort")
    p = 0
    while p < len(order):
        key, together = keys[order[p]], 0.0
        while p < len(order) and keys[order[p]] == key:
            together += max(area[order[p]], 0.0)
            p += 1
        if key >= 0 and together > tolerance:
            counts[key % layers] += 1
