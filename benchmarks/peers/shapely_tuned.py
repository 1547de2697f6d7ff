"""Shapely as well as we can write it, and the floor of every engine that builds the overlap.

Layers cut into pieces of at most 128 vertices, one STRtree over all of them, one bulk query, the
covers shortcut both ways, vectorised; parcels are prepared, because each meets several pieces.
Roads are single segments, so that the nearest is found by boxes that fit.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import county
import numpy as np
import shapely
from job import Answers, Array, Engine, empty, gathered


class Layers(NamedTuple):
    """Pieces with their layer and source feature; single segments of roads."""

    pieces: Array
    layer: Array
    feature: Array
    tree: shapely.STRtree
    roads: shapely.STRtree


def layers(place: Path) -> Layers:
    """Return the layers of a county, cut and indexed."""
    from gis.engine.subdivide import subdivide

    read = county.read(place)
    cuts = [subdivide(read[name].geometry.to_numpy()) for name in county.POLYGONS]
    pieces = np.concatenate([p for p, _ in cuts])
    tree = shapely.STRtree(pieces)
    segments = road_segments(read["roads"].geometry.to_numpy())
    roads = shapely.STRtree(segments)
    for one in (tree, roads):
        one.query(shapely.Point(0, 0))
    layer = np.repeat(np.arange(len(cuts)), [len(p) for p, _ in cuts])
    return Layers(pieces, layer, np.concatenate([f for _, f in cuts]), tree, roads)


def road_segments(lines: Array) -> Array:
    """Return the segments of some lines, each by itself."""
    xy, line = shapely.get_coordinates(lines, return_index=True)
    inner = line[1:] == line[:-1]
    ends = np.stack([xy[:-1], xy[1:]], axis=1)[inner]
    return np.asarray(shapely.linestrings(ends))


def load(place: Path, parcels: Array) -> Callable[[], Answers]:
    """Prepare the layers."""
    return partial(run, layers(place), parcels)


def pairs(own: Layers, parcels: Array) -> tuple[Array, Array, Array, Array]:
    """Return parcels and pieces that meet, and whether the one or the other covers its partner."""
    shapely.prepare(parcels)
    at, piece = own.tree.query(parcels, predicate="intersects")
    inside = shapely.covers(parcels[at], own.pieces[piece])
    around = np.zeros(len(at), dtype=bool)
    rest = np.flatnonzero(~inside)
    # The box must fit first; most pieces are too small to hold a parcel.
    a, b = shapely.bounds(parcels)[at[rest]], shapely.bounds(own.pieces)[piece[rest]]
    fits = (a[:, :2] >= b[:, :2]).all(axis=1) & (a[:, 2:] <= b[:, 2:]).all(axis=1)
    rest = rest[fits]
    around[rest] = shapely.covers(own.pieces[piece[rest]], parcels[at[rest]])
    return at, piece, inside, around


def run(own: Layers, parcels: Array) -> Answers:
    """Return the answers."""
    at, piece, inside, around = pairs(own, parcels)
    area = np.where(inside, shapely.area(own.pieces[piece]), shapely.area(parcels)[at])
    cut = ~(inside | around)
    area[cut] = shapely.area(shapely.intersection(parcels[at[cut]], own.pieces[piece[cut]]))
    answers = empty(len(parcels), len(county.POLYGONS))
    gathered(at, own.layer[piece], own.feature[piece], area, answers)
    (near, _), distance = own.roads.query_nearest(parcels, return_distance=True, all_matches=False)
    answers.distance[near] = distance
    return answers


def load_floor(place: Path, parcels: Array) -> Callable[[], Answers]:
    """Find the pairs before the clock starts: only the intersections are measured."""
    own = layers(place)
    at, piece, inside, around = pairs(own, parcels)
    cut = ~(inside | around)
    left, right = parcels[at[cut]], own.pieces[piece[cut]]
    whole = np.where(inside, shapely.area(own.pieces[piece]), shapely.area(parcels)[at])
    distances = run(own, parcels).distance

    def floor() -> Answers:
        whole[cut] = shapely.area(shapely.intersection(left, right))
        answers = empty(len(parcels), len(county.POLYGONS))
        answers.distance[:] = distances
        return gathered(at, own.layer[piece], own.feature[piece], whole, answers)

    return floor


ENGINES = {
    "shapely-tuned": Engine("shapely-tuned", load, ("shapely", "numpy")),
    "geos-floor": Engine("geos-floor", load_floor, ("shapely", "numpy")),
}
