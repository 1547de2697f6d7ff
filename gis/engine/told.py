"""How is land told in a measure? Slivers apart, features with their values, lines by their length.

The last step of an answer: what was found becomes numbers. Nothing is searched here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from gis.engine.cut import Cut
from gis.engine.index import LayerIndex
from gis.engine.outlines import SmallLand
from gis.engine.ruler import Parts, Piece, Ruler, Shape
from gis.engine.screen import NOISE_M2
from gis.model import Demand, Measure, Sliver, Touched


def sorted_out(ruler: Ruler, demand: Demand, parts: Parts) -> tuple[tuple[Sliver, ...], float]:
    """Return the slivers among the parts, and the ellipsoidal area of all others together."""
    small = parts.small(demand.area_tolerance_m2)
    if small is not None and not small:
        return (), math.fsum(parts.areas)
    if small is None:
        slivers, others = _built(ruler, demand, parts)
    else:
        slivers, others = _traced(ruler, demand, parts, small)
    # What is left of the whole, so that it is the same number whether parts had to be built or not.
    rest = math.fsum([*parts.areas, *(-s.area_m2 for s in slivers)]) if others else 0.0
    return tuple(sorted(slivers, key=lambda s: (s.area_m2, s.width_m))), rest


def _built(ruler: Ruler, demand: Demand, parts: Parts) -> tuple[list[Sliver], bool]:
    """Return the slivers among the polygons, and whether there is more than slivers."""
    slivers, others = [], False
    for part, area in ruler.built(parts):
        width = 2 * part.area / part.length
        if width < demand.width_tolerance_m and part.area < demand.area_tolerance_m2:
            slivers.append(Sliver(area, width, part))
        else:
            others = True
    return slivers, others


def _traced(
    ruler: Ruler, demand: Demand, parts: Parts, small: Sequence[SmallLand]
) -> tuple[list[Sliver], bool]:
    """Return the same from the small pieces of land, whose polygons are drawn when looked at."""
    slivers, planar = [], 0.0
    # Rounding that stands alone is in the area, and among no outlines.
    whole = parts.outlines.planar_m2 if parts.outlines else parts.planar_m2
    for land in small:
        width = 2 * land.planar_m2 / land.perimeter_m
        if width < demand.width_tolerance_m:
            slivers.append(Sliver(ruler.size(land), width, Piece(parts, land.centre)))
            planar += land.planar_m2
    return slivers, whole - planar > NOISE_M2


def as_touched(
    ruler: Ruler,
    demand: Demand,
    who: tuple[str, str | None, str | None],
    parts: Parts,
    values: Mapping[str, str | float | None],
) -> Touched:
    """Return one feature, or all land of one kind, with the slivers apart."""
    slivers, rest = sorted_out(ruler, demand, parts)
    shown = Shape(parts) if demand.geometry else None
    area = parts.area.ellipsoidal_m2
    return Touched(*who, area, rest, values, slivers, shown)


def values_of(layer: LayerIndex, position: int, demand: Demand) -> dict[str, str | float | None]:
    """Return the values that were asked for; a field that the plan does not name is empty."""
    return {
        name: layer.values[name][position] if name in layer.values else None
        for name in demand.values
    }


# --- lengths, counts -----------------------------------------------------------------------------


def length_or_count(cut: Cut, demand: Demand) -> Measure:
    """Measure lines in metres and count features; a line or area that only touches is none."""
    layer = cut.layer
    hit = cut.chosen(demand.classes, excluding=demand.excluding)
    lengths: list[float] = []
    if layer.info.geometry == "line" and hit:
        each = list(zip(hit, cut.lengths(hit), strict=True))
        hit = tuple(i for i, length in each if length > 0)
        lengths = [length for _, length in each]
    return Measure(
        demand,
        length_m=math.fsum(lengths),
        count=len(hit),
        feature_ids=tuple(str(layer.ids[i]) for i in hit),
    )
