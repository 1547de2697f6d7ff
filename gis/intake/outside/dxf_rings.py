"""What do the lines of a drawing enclose?

A closed line is an area; so is one whose ends miss each other by a hand's breadth, with a warning
that gives the gap. A drawing does not say whether a ring inside another is a hole or a site, so
every closed line is a site of its own and both are warned about: nothing is ever cut out silently.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely
from shapely.geometry import Polygon

from gis.intake.draft import Draft, FloatArray, Ring, Shape, ShapeKind, first_of
from gis.model import Remark

# Ends that miss each other by no more than this, and by less than this share of the length.
MAX_GAP_M = 0.5
MAX_GAP_SHARE = 0.01
# Numbers no larger than this may be degrees, in which a gap has no such measure.
_DEGREES = 360.0
_SAME_M = 0.001
_PLAIN_LAYERS = ("0", "defpoints", "")
_MAX_NAMED = 3


@dataclass(frozen=True, slots=True, eq=False)
class Entity:
    """One line or area of a drawing; ``gap_m`` is how far its ends missed each other."""

    layer: str
    shape: Shape
    gap_m: float | None = None


def entities_of(shape: Shape, layer: str) -> list[Entity]:
    """Return an area as it is, and every part of a line on its own, closed where it closes."""
    if shape.kind is ShapeKind.AREA:
        parts = tuple(tuple(_without_repeats(ring) for ring in part) for part in shape.parts)
        return [Entity(layer, replace(shape, parts=parts))]
    found = []
    for (ring,) in shape.parts:
        line = _without_repeats(ring)
        gap = _gap(line.xy)
        if gap is None:
            found.append(Entity(layer, replace(shape, parts=((line,),))))
            continue
        closed = Ring(np.vstack([line.xy, line.xy[:1]]), line.place) if gap else line
        area = replace(shape, kind=ShapeKind.AREA, parts=((closed,),))
        found.append(Entity(layer, area, gap or None))
    return found


def _without_repeats(ring: Ring) -> Ring:
    """Return a ring without repeated points: GDAL writes the ends of arcs twice."""
    keep = np.ones(len(ring.xy), dtype=bool)
    keep[1:] = (ring.xy[1:] != ring.xy[:-1]).any(axis=1)
    return ring if keep.all() else Ring(ring.xy[keep], ring.place)


def _gap(xy: FloatArray) -> float | None:
    """Return how far the ends of a line miss each other; None for a line that is open."""
    if len(np.unique(xy, axis=0)) < 3:
        return None
    gap = float(np.hypot(*(xy[0] - xy[-1])))
    if gap == 0.0:
        return 0.0
    length = float(np.hypot(*np.diff(xy, axis=0).T).sum())
    is_metric = float(np.abs(xy).max()) > _DEGREES
    return gap if is_metric and gap <= MAX_GAP_M and gap < MAX_GAP_SHARE * length else None


def drafts_of(entities: Sequence[Entity]) -> tuple[tuple[Draft, ...], tuple[Remark, ...]]:
    """Return one draft per entity, named ``图层／n``, and a warning about those drawn twice.

    The only entity of a drawing takes the name of its layer, or none when that says nothing.
    """
    kept, doubled = _without_doubles(entities)
    seen: Counter[str] = Counter()
    drafts: list[Draft] = []
    for entity in kept:
        seen[entity.layer] += 1
        name = f"{entity.layer}／{seen[entity.layer]}"
        if len(kept) == 1:
            name = "地块 1" if entity.layer.lower() in _PLAIN_LAYERS else entity.layer
        drafts.append(_draft(entity, name))
    warnings = _inside_warnings(kept, [draft.name for draft in drafts])
    told = [replace(d, warnings=(*d.warnings, *warnings[i])) for i, d in enumerate(drafts)]
    return tuple(told), doubled


def _draft(entity: Entity, name: str) -> Draft:
    parts = tuple(
        tuple(Ring(ring.xy, _place(name, p, n)) for n, ring in enumerate(part, start=1))
        for p, part in enumerate(entity.shape.parts, start=1)
    )
    shape = replace(entity.shape, where=name, parts=parts)
    if entity.gap_m is None:
        return Draft(name, shape)
    text = f"“{name}”首尾相差 {entity.gap_m:.3g} m，没有闭合，已连接首尾按面处理"
    return Draft(name, shape, warnings=(Remark("nearly_closed", text),))


def _place(name: str, part: int, ring: int) -> Callable[[int], str]:
    where = f"“{name}”" + (f"第 {part} 个面第 {ring} 环" if (part, ring) != (1, 1) else "")
    return lambda i: f"{where}第 {i + 1} 点"


# --- twice, and inside each other -----------------------------------------------------------------


def _outline(entity: Entity) -> Polygon | None:
    """Return what the outer ring of an area encloses; None for lines and for a bare stroke."""
    if entity.shape.kind is not ShapeKind.AREA or len(entity.shape.parts) != 1:
        return None
    xy = entity.shape.parts[0][0].xy
    return Polygon(xy) if len(np.unique(xy, axis=0)) >= 3 else None


def _without_doubles(entities: Sequence[Entity]) -> tuple[list[Entity], tuple[Remark, ...]]:
    """Leave out an area that lies exactly over another of its layer, such as a hatch."""
    kept: list[Entity] = []
    known: dict[tuple[str, int, int], list[Polygon]] = defaultdict(list)
    doubled: Counter[str] = Counter()
    for entity in entities:
        outline = _outline(entity)
        if outline is None:
            kept.append(entity)
            continue
        normal = shapely.normalize(outline)
        middle = np.round(np.array(outline.bounds).reshape(2, 2).mean(axis=0)).astype(int)
        alike = known[entity.layer, int(middle[0]), int(middle[1])]
        if any(shapely.equals_exact(normal, other, _SAME_M) for other in alike):
            doubled[entity.layer] += 1
            continue
        alike.append(normal)
        kept.append(entity)
    return kept, tuple(
        Remark("drawn_twice", f"图层 {layer} 中有 {count} 个图形与同层另一图形完全重合，已略去")
        for layer, count in doubled.items()
    )


def _inside_warnings(entities: Sequence[Entity], names: Sequence[str]) -> list[list[Remark]]:
    """Return for every entity the warnings about rings of its layer inside each other."""
    told: list[list[Remark]] = [[] for _ in entities]
    layers: dict[str, list[int]] = defaultdict(list)
    outlines = [_outline(entity) for entity in entities]
    for i, entity in enumerate(entities):
        if outlines[i] is not None:
            layers[entity.layer].append(i)
    for members in layers.values():
        first = np.array([shapely.get_coordinates(outlines[i])[0] for i in members])
        boxes = shapely.bounds(np.array([outlines[i] for i in members], dtype=object))
        for k, outer in enumerate(members):
            shapely.prepare(outlines[outer])
            within = shapely.contains_xy(outlines[outer], first[:, 0], first[:, 1])
            within &= (boxes[:, :2] >= boxes[k, :2]).all(axis=1)
            within &= (boxes[:, 2:] <= boxes[k, 2:]).all(axis=1)
            inner = [members[j] for j in np.flatnonzero(within) if j != k]
            if not inner:
                continue
            listed = first_of([names[i] for i in inner], most=_MAX_NAMED, counted="个")
            told[outer].append(_told(f"“{names[outer]}”内还有同层闭合线 {listed}"))
            for i in inner:
                told[i].append(_told(f"“{names[i]}”位于同层闭合线“{names[outer]}”之内"))
    return told


def _told(found: str) -> Remark:
    text = f"{found}：图中没有说明是洞还是另一地块，各按独立地块处理，未扣除"
    return Remark("ring_inside", text)
