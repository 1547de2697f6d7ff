"""The question as SQL, and the tables that the databases get: pieces, roads, parcels."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import county
import numpy as np
import shapely
from job import Answers, Array, empty, gathered

from peers.shapely_tuned import layers

# Roads are looked for this far first, then as far as any can be.
NEAR_M, FAR_M = 300.0, 60_000.0
COVERED = """
SELECT p.id AS parcel, l.layer AS layer, l.feature AS feature,
  SUM(CASE WHEN ST_Covers(p.geom, l.geom) THEN l.area
           WHEN ST_Covers(l.geom, p.geom) THEN p.area
           ELSE ST_Area(ST_Intersection(p.geom, l.geom)) END) AS m2
FROM parcels p JOIN pieces l ON ST_Intersects(p.geom, l.geom)
GROUP BY p.id, l.layer, l.feature
"""


class Tables(NamedTuple):
    """Columns of the three tables, geometries as WKB."""

    pieces: dict[str, object]
    roads: dict[str, object]
    parcels: dict[str, object]


def tables(place: Path, parcels: Array) -> Tables:
    """Return the tables; layers are cut into pieces of at most 128 vertices."""
    own = layers(place)
    roads = county.read(place)["roads"].geometry.to_numpy()
    return Tables(
        {"layer": own.layer, "feature": own.feature} | _with_area(own.pieces),
        {"id": np.arange(len(roads)), "wkb": shapely.to_wkb(roads)},
        {"id": np.arange(len(parcels))} | _with_area(parcels),
    )


def _with_area(shapes: Array) -> dict[str, object]:
    return {"area": shapely.area(shapes), "wkb": shapely.to_wkb(shapes)}


def answers_of(count: int, rows: tuple[Array, ...], near: tuple[Array, Array]) -> Answers:
    """Return answers from rows of parcel, layer, feature, m², and from distances by parcel."""
    parcel, layer, feature, m2 = rows
    answers = empty(count, len(county.POLYGONS))
    gathered(parcel.astype(int), layer.astype(int), feature.astype(int), m2, answers)
    answers.distance[near[0].astype(int)] = near[1]
    return answers
