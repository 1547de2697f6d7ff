"""Outlines of the sample sites, solved for their stated areas.

They are needed before the land use is painted (a built school stands on school land) and again
when the samples are written; both times they are the same polygons on the millimetre grid.
"""

from __future__ import annotations

import shapely
from frame import area, at, fact, facts, street, street_ring
from parcels import outline
from shapely import affinity
from shapely.geometry import MultiLineString, MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry
from solve import solve

MU_M2 = 10000 / 15


def build_sites() -> dict[str, BaseGeometry]:
    """Return all sites by their key in facts.toml, and the parcel of the fire station."""
    items = facts()["sites"]
    out: dict[str, BaseGeometry] = {
        key: _solved_box(items[key]) for key in ("yizhong", "sanguan", "health")
    }
    out["sanguan_field"] = _box(items["sanguan_field"], items["sanguan_field"]["height"])
    out["plaza"] = _box(items["plaza"], items["plaza"]["height"])
    corridors = [
        _on_grid(street_ring([[a, b], [c, b], [c, d], [a, d]]))
        for a, b, c, d in items["plaza_corridors"]
    ]
    out["mingzhu"] = MultiPolygon([out["plaza"], *corridors])
    ways = [[street(u, v) for u, v in way] for way in items["plaza_roads"]]
    out["mingzhu_roads"] = _on_grid(MultiLineString(ways))
    out["fire"] = outline("B0512")
    out["herbal"] = _solved_tilted(items["herbal"])
    out["theme"] = _solved_tilted(items["theme"])
    return out


def _on_grid(shape: BaseGeometry) -> BaseGeometry:
    return shapely.set_precision(shape, 0.001)


def _box(item: dict, height: float) -> Polygon:
    """Return a street-frame block with its corners cut for sight lines."""
    (u, v, width), c = item["box"], item.get("corner", 0)
    east, north = u + width, v + height
    ring = [
        [u + c, v],
        [east - c, v],
        [east, v + c],
        [east, north - c],
        [east - c, north],
        [u + c, north],
        [u, north - c],
        [u, v + c],
    ]
    return _on_grid(
        street_ring(ring if c else ring[::2])
        if c
        else street_ring([[u, v], [east, v], [east, north], [u, north]])
    )


def _solved_box(item: dict) -> Polygon:
    target, guess = fact("areas", item["area"]) * MU_M2, item["height"]
    height = solve(lambda h: area(_box(item, h)) - target, guess - 30, guess + 30, 1.0)
    return _box(item, height)


def _solved_tilted(item: dict) -> Polygon:
    """Scale a tilted rectangle with a notched corner until its area is the stated one."""
    target = fact("areas", item["area"]) * MU_M2

    def shape(scale: float) -> Polygon:
        w, h = (side * scale / 2 for side in item["size"])
        ring = Polygon(
            [(-w, -h), (0.55 * w, -h), (0.55 * w, -0.86 * h), (w, -0.86 * h), (w, h), (-w, h)]
        )
        turned = affinity.rotate(ring, item["tilt_deg"], origin=(0, 0))
        return _on_grid(affinity.translate(turned, *at(*item["centre"])))

    return shape(solve(lambda s: area(shape(s)) - target, 0.8, 1.4, 1.0))
