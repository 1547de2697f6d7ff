"""How much of each of many sites lies on each layer? A table, without building any overlap.

The fast answer for a whole county: areas, number of features and whether the site is covered, for
every site and layer that meet; distances to the nearest line. Chunk by chunk, so that memory does
not grow with the number of sites; neighbours together, so that their pieces are in the caches. Sums
run by site, layer and piece, so equal input gives equal bits, in any order of sites.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import shapely

from gis.engine.index import Array
from gis.engine.kernel import Mode, edges_of
from gis.engine.lines import Lines
from gis.engine.screen import NOISE_M2
from gis.engine.stack import Stack

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
    if len(sites) <= CHUNK:
        return _of_chunk(sites, stack, tolerance_m2, mode)
    from gis.engine.chunks import along_curve

    order, found = along_curve(shapely.bounds(sites)), []
    for start in range(0, len(sites), CHUNK):
        own = order[start : start + CHUNK]
        some = _of_chunk(sites[own], stack, tolerance_m2, mode)
        found.append(some._replace(site=own[some.site]))
    return _by_site(found)


def _by_site(found: list[Overlaps]) -> Overlaps:
    """Put tables together whose sites differ."""
    site = np.concatenate([some.site for some in found])
    order = np.argsort(site, kind="stable")
    rest = list(zip(*found, strict=True))[1:]
    return Overlaps(site[order], *(np.concatenate(column)[order] for column in rest))


def _of_chunk(sites: Array, stack: Stack, tolerance_m2: float, mode: Mode) -> Overlaps:
    from gis.engine import overlap_loops

    parts, owner = shapely.get_parts(sites, return_index=True)
    at, piece = stack.near(parts)
    area, x, y, _ = stack.shared(parts, edges_of(parts), at, piece, mode)
    pieces = stack.layer, stack.feature, stack.bears_land, len(stack.ids)
    rows = Overlaps(*(np.empty(len(at), dtype=kind) for kind in _KINDS))
    planar = shapely.area(sites)
    count = overlap_loops.summed(
        owner[at], area, x, y, piece, *pieces, planar, NOISE_M2, tolerance_m2, *rows
    )
    # Views would keep room for all pairs, of every chunk until the last.
    return Overlaps(*(column[:count].copy() for column in rows))


_KINDS = (np.int64, np.int64, float, float, float, np.int64, bool)


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
    if len(sites) <= CHUNK:
        edges = edges_of(sites)
        return Nearest(*lines.nearest(edges.offsets, edges.rows, edges.boxes, float(reach_m)))
    chunks = (sites[start : start + CHUNK] for start in range(0, len(sites), CHUNK))
    found = [nearest(some, lines, reach_m=reach_m) for some in chunks]
    return Nearest(*(np.concatenate(column) for column in zip(*found, strict=True)))
