"""Which land does a rule keep from the site? What findings mark, and the strips along edges.

Findings of area rules carry the land that they mark. A distance rule marks nothing: its strip is
drawn here, at the largest distance that may be asked for. Land off the coverage of a layer leaves
a rule open and is marked too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import shapely
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from gis.crs import ellipsoidal_area
from gis.engine import LayerIndex, drawn
from gis.model import Area, Finding, Rule, Site, Verdict, class_matches
from gis.rulebook.schema import MinDistance

# A quarter circle in eight chords lies inside the circle: the radius grows until it does not.
_QUARTER = 8
_OUTSIDE = 1 / math.cos(math.pi / (4 * _QUARTER))
# A line or point on the site keeps at least this much land around itself, m.
_LINE_M = 0.05

Judge = Callable[[Site, frozenset[str] | None], tuple[Finding, ...]]


@dataclass(frozen=True, slots=True)
class Ground:
    """What a search for remedies may ask.

    ``judge`` gives the findings for an outline, geometry in the work CRS, of all rules in force or
    only of those named; ``rules`` are the rules in force by id; ``layers`` and ``coverages`` belong
    to the plan.
    """

    judge: Judge
    rules: Mapping[str, Rule]
    layers: Mapping[str, LayerIndex]
    coverages: Mapping[str, BaseGeometry | None]


def against(findings: Iterable[Finding], least: Verdict) -> list[Finding]:
    """Return the deciding findings that are at least as bad as a verdict."""
    return [f for f in findings if f.decides and f.verdict.rank >= least.rank]


def layers_of(ground: Ground, rules: Iterable[str]) -> frozenset[str]:
    """Return the layers whose borders the land marked by the rules may show."""
    return frozenset(layer for rule in rules for layer in ground.rules[rule].layers)


def marked(ground: Ground, findings: Iterable[Finding], where: BaseGeometry) -> BaseGeometry:
    """Return the land of a place that the findings mark, in the work CRS; empty when none."""
    parts = [part for finding in findings for part in _marks(ground, finding, where)]
    return shapely.union_all([p for p in parts if not p.is_empty])


def _marks(ground: Ground, finding: Finding, where: BaseGeometry) -> list[BaseGeometry]:
    rule = ground.rules[finding.rule]
    parts = []
    if (land := drawn(finding.geometry)) is not None:
        parts.append(land.buffer(_LINE_M) if shapely.get_dimensions(land) < 2 else land)
    layer = ground.layers.get(rule.params.layer)
    if isinstance(rule.params, MinDistance) and layer is not None:
        parts.extend(_strips(rule.params, layer, where))
    if finding.verdict is Verdict.UNDETERMINED:
        covers = [ground.coverages.get(layer) for layer in rule.layers]
        parts.extend(shapely.difference(where, c) for c in covers if c is not None)
    return parts


def _strips(rule: MinDistance, layer: LayerIndex, where: BaseGeometry) -> Iterable[BaseGeometry]:
    """Land nearer to an edge than the rule may allow."""
    reach = max(_most(value) for value in rule.distance_m.values())
    half = max(layer.max_half_width, rule.plausible_half_width_m)
    for i in layer.within(where, reach + half) if len(layer) else ():
        distance = _asked(rule, layer, int(i))
        if distance is None:
            continue
        width = float(layer.half_widths[i])
        axis = distance + (rule.plausible_half_width_m if math.isnan(width) else width)
        yield layer.geometries[i].buffer(axis * _OUTSIDE, quad_segs=_QUARTER)


def _asked(rule: MinDistance, layer: LayerIndex, i: int) -> float | None:
    """Return the largest distance that may be asked for from one feature, None when none is."""
    for pattern, value in rule.distance_m.items():
        if class_matches(layer.classes[i], (pattern,)):
            settings = layer.values.get(rule.setting)
            known = isinstance(value, Mapping) and settings is not None and settings[i] in value
            return value[settings[i]] if known else _most(value)  # type: ignore[index]  # known
    if class_matches(layer.classes[i], rule.no_distance):
        return None
    return max(_most(value) for value in rule.distance_m.values())


def _most(value: float | tuple[float, float] | Mapping[str, float]) -> float:
    if isinstance(value, Mapping):
        return max(value.values())
    return max(value) if isinstance(value, tuple) else value


# --- outlines ------------------------------------------------------------------------------------


def at(site: Site, outline: BaseGeometry) -> Site:
    """Return the site with another outline in the work CRS."""
    area = Area(ellipsoidal_area(outline, site.crs.work_epsg), float(shapely.area(outline)))
    return replace(site, geometry=outline, area=area)


def polygons(geometry: BaseGeometry) -> list[Polygon]:
    """Return the polygons of a geometry, largest first, without lines and points."""
    flat = shapely.get_parts(shapely.get_parts(geometry))
    real = (p for p in flat if p.geom_type == "Polygon" and not p.is_empty)
    return sorted(real, key=lambda p: -p.area)


def joined(parts: list[Polygon]) -> BaseGeometry:
    """Return one polygon as it is, several as a multipolygon."""
    return parts[0] if len(parts) == 1 else MultiPolygon(parts)
