"""How is the land of an area divided, and what share of it is green and water?

Areas of the classes of one land-class layer inside one area, on the ellipsoid. The share of green
and water depends on the definition and on the denominator, so both are always named.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis.crs import ellipsoidal_area, ellipsoidal_areas
from gis.engine.index import Array
from gis.errors import NotFoundError
from gis.model import LayerState, class_matches
from gis.plan.areas import find_area
from gis.plan.catalogue import Layer
from gis.rulebook import land_classes
from gis.units import m2_to_ha, m2_to_mu, round_parts

if TYPE_CHECKING:
    from gis.plan.area import Plan

DEFAULT_DEFINITION = "B"


@dataclass(frozen=True, slots=True)
class ClassArea:
    """One land class inside the area; ``share`` is of the whole area."""

    cls: str
    name: str
    area_m2: float
    share: float
    counted_as: str  # green, water or ""


@dataclass(frozen=True, slots=True)
class LandBalance:
    """Areas of the land classes of an area, and the share of green and water by one definition.

    ``uncovered_m2`` is the part of the area on which the layer says nothing, ``overlap_m2`` what
    features of different classes claim twice: 0 in sound data.
    """

    area_id: str
    area_title: str
    layer: str
    scheme: str
    edition: str
    definition: str
    definition_text: str
    denominator_m2: float
    uncovered_m2: float
    overlap_m2: float
    rows: tuple[ClassArea, ...]

    def _sum(self, kind: str) -> float:
        return math.fsum(row.area_m2 for row in self.rows if row.counted_as == kind)

    @property
    def green_m2(self) -> float:
        """Area counted as green."""
        return self._sum("green")

    @property
    def water_m2(self) -> float:
        """Area counted as water."""
        return self._sum("water")

    @property
    def green_water_share(self) -> float:
        """Green and water over the whole area, 0-1."""
        return (self.green_m2 + self.water_m2) / self.denominator_m2

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; printed hectares add up to the printed whole."""
        parts = [row.area_m2 for row in self.rows] + [self.uncovered_m2]
        hectares = round_parts([m2_to_ha(p) for p in parts], 2)
        return {
            "area": {"id": self.area_id, "title": self.area_title},
            "layer": self.layer,
            "scheme": self.scheme,
            "edition": self.edition,
            "definition": self.definition,
            "definition_text": self.definition_text,
            "denominator_m2": round(self.denominator_m2, 2),
            "green_m2": round(self.green_m2, 2),
            "water_m2": round(self.water_m2, 2),
            "green_water_share": round(self.green_water_share, 6),
            "uncovered_m2": round(self.uncovered_m2, 2),
            "uncovered_ha": hectares[-1],
            "overlap_m2": round(self.overlap_m2, 2) + 0.0,
            "classes": [
                {
                    "class": row.cls,
                    "name": row.name,
                    "area_m2": round(row.area_m2, 2),
                    "ha": ha,
                    "mu": round(m2_to_mu(row.area_m2), 2),
                    "share": round(row.share, 6),
                    "counted_as": row.counted_as or None,
                }
                for row, ha in zip(self.rows, hectares, strict=False)
            ],
        }


def definition_text(definition: str) -> str:
    """Return what a definition counts, in Chinese; raise NotFoundError for an unknown letter."""
    chosen = land_classes.green_water(definition.upper())
    return f"{chosen.title}（{chosen.note}）" if chosen.note else chosen.title


def land_balance(plan: Plan, area: str | None, definition: str) -> LandBalance:
    """Return the land balance of an area of the plan; see ``Plan.land_balance``."""
    chosen = land_classes.green_water(definition.upper())
    layer = _class_layer(plan, chosen)
    found = find_area(plan, area)
    polygon, denominator = found.polygon, found.area.ellipsoidal_m2
    classes = land_classes.scheme(chosen.scheme, chosen.edition)
    rows = [
        ClassArea(cls, classes.name(cls), m2, m2 / denominator, _counted(cls, chosen))
        for cls, m2 in sorted(class_areas(layer, polygon, plan.work_epsg).items())
    ]
    counted = math.fsum(row.area_m2 for row in rows)
    covered = counted
    if not layer.index.is_coverage:
        covered = ellipsoidal_area(shapely.union_all(_cut(layer, polygon)[1]), plan.work_epsg)
    return LandBalance(
        area_id=found.id,
        area_title=found.title,
        layer=layer.info.id,
        scheme=chosen.scheme,
        edition=chosen.edition,
        definition=chosen.id,
        definition_text=definition_text(definition),
        denominator_m2=denominator,
        uncovered_m2=max(denominator - covered, 0.0),
        overlap_m2=counted - covered,
        rows=tuple(rows),
    )


def _counted(cls: str, chosen: land_classes.GreenWater) -> str:
    if class_matches(cls, chosen.green):
        return "green"
    return "water" if class_matches(cls, chosen.water) else ""


def _class_layer(plan: Plan, chosen: land_classes.GreenWater) -> Layer:
    """Return the layer whose scheme and edition the definition speaks of."""
    for layer in plan.layers.values():
        same = (layer.info.scheme, layer.info.edition) == (chosen.scheme, chosen.edition)
        if same and layer.state is LayerState.CHECKED:
            return layer
    raise NotFoundError(
        f"规划数据包没有可用的《{chosen.scheme}》{chosen.edition} 年版用地图层",
        expected=f"口径 {chosen.id} 所需的用地图层",
        advice="补充图层，或换用其他口径",
    )


def class_areas(layer: Layer, polygon: BaseGeometry | None, epsg: int) -> dict[str, float]:
    """Return m² by class of a layer, inside a polygon or in whole.

    Overlapping features of one class count once. Features of different classes that overlap are
    counted in both; ``LandBalance.overlap_m2`` says how much that is.
    """
    index = layer.index
    at, shapes = _cut(layer, polygon)
    groups: dict[str, list[int]] = {}
    for n, position in enumerate(at):
        groups.setdefault(index.classes[position] or "", []).append(n)
    totals = {}
    for cls, members in groups.items():
        own = shapes[members]
        if not index.is_coverage:
            own = shapely.get_parts(shapely.union_all(own))
        totals[cls] = math.fsum(float(m2) for m2 in ellipsoidal_areas(own, epsg))
    return {cls: m2 for cls, m2 in totals.items() if m2 > 0}


def _cut(layer: Layer, polygon: BaseGeometry | None) -> tuple[Array, Array]:
    """Return positions and shapes of the features inside a polygon; only the border is cut."""
    index = layer.index
    if polygon is None:
        return np.arange(len(index)), index.geometries
    at = index.meeting(polygon)
    shapes = index.geometries[at].copy()
    border = ~np.isin(at, index.tree.query(polygon, predicate="contains"))
    shapes[border] = shapely.intersection(shapes[border], polygon)
    return at, shapes
