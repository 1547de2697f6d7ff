"""The five functional zones and the urban development boundary, as labels of faces.

Zones follow streets inside the core and village cells in the countryside; faces between cells
(rivers, roads) go with the nearest cell. Nothing here is published: names yes, outlines no.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from arrange import Arrangement
from districts import Districts
from fields import Country
from frame import at, facts, point, street_box
from shapely.geometry import LineString, Point, Polygon
from shapely.geometry.base import BaseGeometry
from shapes import merged
from urban import Urban
from water import Water


@dataclass(frozen=True)
class Sketch:
    """Shapes with a zone id each; the first that covers a face wins."""

    shapes: list[BaseGeometry]
    ids: list[str]


def zone_sketch(place: Districts, country: Country, urban: Urban, waters: list[Water]) -> Sketch:
    """Return zone shapes: street boxes of the core, then the industrial ground, then cells."""
    item = facts()["zone_sketch"]
    core = place.core
    out: list[tuple[BaseGeometry, str]] = [(urban.industry, "Z3")]
    for zone, limit in (("Z2", core), ("Z5", core), ("Z1", place.towns["hx"])):
        out += [(street_box(*box) & limit, zone) for box in item[f"{zone}_boxes"]]
    river = next(w.axis for w in waters if w.name == "徒骇河")
    assert river is not None
    ring = Polygon([at(*p) for p in item["Z3_ring"]])
    for cell in country.cells:
        out.append((cell, _zone_of_cell(cell.centroid, place, river, ring)))
    return Sketch([shape for shape, _ in out], [zone for _, zone in out])


def _zone_of_cell(spot: Point, place: Districts, river: LineString, z3: Polygon) -> str:
    item = facts()["zone_sketch"]
    if place.towns["lhw"].contains(spot):
        return "Z3" if z3.contains(spot) else "Z4"
    if place.towns["yj"].contains(spot):
        return "Z4"
    spa = Point(point("A3")).distance(spot) < item["spa_town_reach_m"]
    return "Z1" if spa or river.distance(spot) < item["river_reach_m"] else "Z4"


def zones_of_faces(base: Arrangement, sketch: Sketch) -> np.ndarray:
    """Return the zone id of every face."""
    owner = base.owner_or_nearest(sketch.shapes, np.ones(len(base.faces), bool))
    return np.array(sketch.ids)[owner]


def development(urban: Urban, waters: list[Water]) -> list[tuple[str, str, BaseGeometry]]:
    """Return (code, name, shape) of the parts of the development boundary, first wins."""
    item = facts()["development"]
    boxes = {
        k: merged([street_box(*b) for b in item[k]]) for k in ("concentrated", "elastic", "special")
    }
    rivers = merged([w.dike for w in waters if w.kind in ("河流", "运河")])
    inner = boxes["concentrated"] | boxes["elastic"]
    towns = merged([*urban.centres, urban.industry])
    return [
        ("430", "特别用途区", (rivers & inner) | boxes["special"]),
        ("410", "集中建设区", boxes["concentrated"] | towns),
        ("420", "弹性发展区", boxes["elastic"]),
    ]
