"""How much land does each class of a layer gain and lose from one plan to another?

Both layers are dissolved by class first, so that a feature that was only cut in two is no change.
Areas are those on the ellipsoid, m².
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from gis.crs import ellipsoidal_area
from gis.model import LayerState
from gis.plan.area import Plan
from gis.plan.catalogue import Layer

# Less than this is rounding of the cuts.
_STRAY_M2 = 0.01
_NOTHING: BaseGeometry = shapely.Polygon()
Row = dict[str, Any]


def changed_layers(base: Plan, other: Plan) -> Iterator[Row]:
    """Yield each layer whose content differs, with what each of its classes gains and loses.

    ``classes`` is None where there is nothing to measure: lines and points, or a side without data.
    """
    for name in dict.fromkeys((*base.layers, *other.layers)):
        sides = [plan.layers.get(name) for plan in (base, other)]
        before, after = (_mark(layer) for layer in sides)
        if before == after:
            continue
        yield {
            "layer": name,
            "title": next(layer.info.title for layer in reversed(sides) if layer),
            "before": before[0],
            "after": after[0],
            "classes": _classes(sides[0], sides[1], base.work_epsg),
        }


def _mark(layer: Layer | None) -> tuple[str | None, str | None]:
    return (layer.state.value, layer.content_sha256) if layer else (None, None)


def _is_land(layer: Layer) -> bool:
    return layer.state is LayerState.CHECKED and layer.info.geometry == "polygon"


def _classes(before: Layer | None, after: Layer | None, epsg: int) -> list[Row] | None:
    if not (before and after and _is_land(before) and _is_land(after)):
        return None
    old, new = _dissolved(before), _dissolved(after)
    names = {**_names(before), **_names(after)}
    rows = []
    for cls in sorted(old.keys() | new.keys()):
        was, comes = old.get(cls, _NOTHING), new.get(cls, _NOTHING)
        gained, lost = _beyond(comes, was, epsg), _beyond(was, comes, epsg)
        if gained > _STRAY_M2 or lost > _STRAY_M2:
            row = {"class": cls or None, "name": names[cls]}
            rows.append({**row, "gained_m2": round(gained, 2), "lost_m2": round(lost, 2)})
    return rows


def _beyond(land: BaseGeometry, other: BaseGeometry, epsg: int) -> float:
    """Return the area of what one has and the other has not."""
    parts = shapely.get_parts(shapely.difference(land, other))
    return sum(ellipsoidal_area(part, epsg) for part in parts if part.area > 0)


def _dissolved(layer: Layer) -> dict[str, BaseGeometry]:
    index = layer.index
    rows: dict[str, list[int]] = {}
    for n, cls in enumerate(index.classes):
        rows.setdefault(str(cls or ""), []).append(n)
    return {cls: shapely.union_all(index.geometries[found]) for cls, found in rows.items()}


def _names(layer: Layer) -> dict[str, str | None]:
    """Return what the features of each class are called; None where they differ."""
    told: dict[str, set[str]] = {}
    for cls, name in zip(layer.index.classes, layer.index.names, strict=True):
        told.setdefault(str(cls or ""), set()).add(str(name or ""))
    return {cls: names.pop() or None if len(names) == 1 else None for cls, names in told.items()}
