"""How does a site divide by two layers at once: current land class by planned zone?

Used for corridors, which cross many of both. Every piece of the site counts once: overlapping
features of a layer give their land to the first class in order, land without feature to none.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import shapely
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from gis.crs import ellipsoidal_areas
from gis.engine.index import LayerIndex
from gis.engine.ruler import parts_of
from gis.model import CrossRow, Site

Label = tuple[str | None, str | None]


def cross(site: Site, first: LayerIndex, second: LayerIndex) -> tuple[CrossRow, ...]:
    """Return the areas of a site by class of two polygon layers, sorted by both classes."""
    rows = [
        _row(site, one, two, shapes)
        for one, ground in _divided(site.geometry, first)
        for two, piece in _divided(ground, second)
        if (shapes := parts_of(piece))
    ]
    return tuple(sorted(rows, key=lambda r: (r.first or "~", r.second or "~")))


def _divided(ground: BaseGeometry, layer: LayerIndex) -> Iterator[tuple[Label, BaseGeometry]]:
    """Yield the ground class by class, then what no feature covers."""
    hits = layer.meeting(ground)
    by_class: dict[str | None, list[int]] = {}
    for i in hits:
        by_class.setdefault(layer.classes[i], []).append(int(i))
    rest = ground
    for cls in sorted(by_class, key=lambda c: c or ""):
        cover = shapely.union_all(layer.geometries[by_class[cls]])
        names = {layer.names[i] for i in by_class[cls]}
        yield (cls, names.pop() if len(names) == 1 else None), shapely.intersection(rest, cover)
        rest = shapely.difference(rest, cover)
    yield (None, None), rest


def _row(site: Site, one: Label, two: Label, shapes: list[Polygon]) -> CrossRow:
    area = float(ellipsoidal_areas(np.array(shapes, dtype=object), site.crs.work_epsg).sum())
    return CrossRow(*one, *two, area, min(area / site.area.ellipsoidal_m2, 1.0))
