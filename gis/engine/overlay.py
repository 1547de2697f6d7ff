"""How much of a site lies on each layer, and how near is what it must keep away from?

Measures one site against all layers of a plan with GEOS overlays. Knows no rule: it answers the
demands that it is given, and lists evidence for every layer whatever the demands are.

The cutting is done in ``cut``, the demands are answered in ``answers``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from shapely.geometry.base import BaseGeometry

from gis.engine.answers import Answers
from gis.engine.crop import Crops
from gis.engine.cut import Cut
from gis.engine.index import LayerIndex
from gis.engine.known import Known, share_of
from gis.engine.ruler import Ruler
from gis.engine.screen import NOTHING_MET, Screened, screen
from gis.engine.stack import Stack
from gis.model import (
    Demand,
    Evidence,
    LayerReport,
    LayerState,
    Measure,
    Near,
    Quantity,
    Site,
    class_matches,
)

# Of a layer of this role, who owns the land is the question, not only of which kind the owner is.
_PER_NAME = "ownership"


@dataclass(frozen=True, slots=True)
class Measurement:
    """Everything measured for one site; a demand on a layer without answer has no measure."""

    evidence: tuple[Evidence, ...]
    measures: Mapping[Demand, Measure]
    reports: tuple[LayerReport, ...]


def measure(
    site: Site,
    layers: Iterable[LayerIndex],
    demands: Iterable[Demand],
    *,
    coverages: Mapping[str, BaseGeometry | None],
    met: Screened | None = None,
    with_evidence: bool = True,
) -> Measurement:
    """Measure one site.

    Parameters
    ----------
    site
        Valid polygon in the work CRS.
    layers
        The layers of the plan, in the order of the answer.
    demands
        What the rules want to know; several may name one layer.
    coverages
        Per layer id the polygon inside which absence of a feature means absence, or None when
        that is unknown.
    met
        What the site meets, from ``screen``; found here when it is not given.
    with_evidence
        Whether to list what the site touches; rules do not look at it.
    """
    ordered = tuple(layers)
    by_id = {layer.info.id: layer for layer in ordered}
    if met is None:
        met = screen(np.array([site.geometry], dtype=object), Stack.of(ordered))[0]
    crops, ruler = Crops(site.geometry), Ruler(site, met.edges)
    known: dict[int, Known] = {}
    cuts: dict[str, Cut] = {}
    reports: list[LayerReport] = []
    for layer in ordered:
        name = layer.info.id
        ground = by_id.get(layer.info.coverage)
        own = _known(ruler, known, coverages.get(name), ground, met)
        reports.append(_report(layer, own.uncovered_share))
        if reports[-1].state is LayerState.CHECKED:
            cuts[name] = Cut(crops, layer, own, met)
    wanted = _sorted(frozenset(demands))
    measures = _answered(Answers(ruler, cuts, wanted.reach), cuts, wanted)
    evidence: list[Evidence] = []
    near = [m for m in measures.values() if m.near]
    for name, cut in cuts.items() if with_evidence else ():
        evidence.extend(_evidence(cut))
        evidence.extend(_distances(cut.layer, [m for m in near if m.demand.layer == name]))
    return Measurement(tuple(evidence), measures, tuple(reports))


def _known(
    ruler: Ruler,
    known: dict[int, Known],
    coverage: BaseGeometry | None,
    ground: LayerIndex | None,
    met: Screened,
) -> Known:
    """Return how far the site lies inside the coverage of a layer; layers share the answer.

    Where the coverage is the land of a whole layer, ``ground``, the screening has told it.
    """
    own = known.get(id(coverage))
    if own is None:
        areas = None
        if ground is not None and ground.is_land(coverage):
            areas = met.get(ground.info.id, NOTHING_MET).areas.values()
        told = areas is not None and any(ruler.is_whole(area) for area in areas)
        off = areas is not None and not areas and ruler.site.area.planar_m2 > 1.0
        own = known[id(coverage)] = Known(ruler, coverage, whole=told, off=off)
    return own


class Here(NamedTuple):
    """Demands for land on the features of the same layers, each with the answer ``nothing``.

    ``layers`` are all that the answers depend on, the first one's features are counted; ``asked``
    has the demands that look at some of its classes, as far as a site has met them.
    """

    layer: str
    layers: frozenset[str]
    nothing: Mapping[Demand, Measure]
    asked: dict[frozenset[str | None], tuple[Demand, ...]]

    def about(self, classes: frozenset[str | None]) -> tuple[Demand, ...]:
        """Return the demands that ask for one of some classes; all others find nothing there."""
        known = self.asked.get(classes)
        if known is None:
            if len(self.asked) >= _KEPT:
                self.asked.clear()
            known = self.asked[classes] = tuple(d for d in self.nothing if _asks_for(d, classes))
        return known


# Combinations of classes on one site that are remembered, for the demands on one layer.
_KEPT = 1_024


def _asks_for(demand: Demand, classes: frozenset[str | None]) -> bool:
    if not demand.classes:
        return True
    return any(class_matches(c, demand.classes) is not demand.excluding for c in classes)


class Sorted(NamedTuple):
    """Demands in one order, whatever order the rules stand in.

    ``here`` ask for land on a layer, ``others`` look further; each has the measure of a site that
    is nowhere near it, which is most of them. ``reach`` is how far they look, by layer.
    """

    here: tuple[Here, ...]
    others: Mapping[Demand, Measure]
    reach: Mapping[str, float]


@lru_cache(maxsize=64)
def _sorted(demands: frozenset[Demand]) -> Sorted:
    here: dict[tuple[str, frozenset[str]], Here] = {}
    others: dict[Demand, Measure] = {}
    for demand in sorted(demands, key=_demand_order):
        own = others
        if demand.quantity is Quantity.INSIDE and not (demand.within_m or demand.divided):
            key = demand.layer, demand.layers
            own = here.setdefault(key, Here(*key, {}, {})).nothing  # type: ignore[assignment]  # filled here, only read afterwards
        own[demand] = Measure(demand)
    reach: dict[str, float] = {}
    for demand in (inner for d in others for inner in (d, *d.divided)):
        reach[demand.layer] = max(reach.get(demand.layer, 0.0), demand.within_m)
    return Sorted(tuple(here.values()), others, reach)


def _answered(answers: Answers, cuts: Mapping[str, Cut], wanted: Sorted) -> dict[Demand, Measure]:
    found: dict[Demand, Measure] = {}
    for group in wanted.here:
        if not cuts.keys() >= group.layers:
            continue
        found.update(group.nothing)
        for demand in group.about(cuts[group.layer].hit_classes):
            found[demand] = answers.answer(demand, group.nothing[demand])
    for demand, nothing in wanted.others.items():
        if cuts.keys() >= demand.layers:
            found[demand] = answers.answer(demand, nothing)
    return found


def _demand_order(d: Demand) -> tuple[object, ...]:
    others = (repr(d.on), repr(d.off), d.values, d.by_class, repr(d.divided))
    return (d.layer, d.quantity.value, d.classes, d.excluding, d.within_m, d.beyond_m, *others)


def _report(layer: LayerIndex, uncovered: float | None) -> LayerReport:
    """State of the layer for this site; a site wholly outside the coverage has no data."""
    if uncovered == 0.0:
        return layer.report
    info, state, reason = layer.info, layer.state, layer.reason
    if state is LayerState.CHECKED and uncovered is not None and uncovered >= 1 - 1e-9:
        state, reason = LayerState.NO_DATA, "地块在该图层的数据覆盖范围之外"
    return LayerReport(info, state, layer.content_sha256, uncovered, reason)


def _distances(layer: LayerIndex, measures: Sequence[Measure]) -> list[Evidence]:
    """One evidence row per class: the nearest feature whose edge is known."""
    nearest: dict[str, Near] = {}
    for near in (n for m in measures for n in m.near if n.edge_m is not None):
        best = nearest.get(near.cls or "")
        if best is None or (near.edge_m, near.feature_id) < (best.edge_m, best.feature_id):
            nearest[near.cls or ""] = near
    return [
        Evidence(
            layer.info.id,
            n.cls,
            n.name,
            "distance",
            distance_m=n.edge_m,
            feature_ids=(n.feature_id,),
        )
        for _, n in sorted(nearest.items())
    ]


# --- evidence ------------------------------------------------------------------------------------


def _evidence(cut: Cut) -> list[Evidence]:
    """Return one row per class that the site overlaps, sorted; of ownership one per owner."""
    groups: dict[tuple[str, str], list[int]] = {}
    per_name = cut.layer.info.role == _PER_NAME
    for i in cut.hits:
        name = (cut.layer.names[i] or "") if per_name else ""
        groups.setdefault((cut.layer.classes[i] or "", name), []).append(i)
    rows = [_row(cut, key[0] or None, groups[key]) for key in sorted(groups)]
    return [row for row in rows if row is not None]


def _row(cut: Cut, cls: str | None, positions: list[int]) -> Evidence | None:
    match cut.layer.info.geometry:
        case "polygon":
            return _area_row(cut, cls, tuple(positions))
        case "line":
            return _length_row(cut, cls, positions)
        case _:
            return _made(cut, cls, positions, "count", count=len(positions))


def _area_row(cut: Cut, cls: str | None, touched: tuple[int, ...]) -> Evidence | None:
    parts = cut.on(touched)
    if not parts:
        return None
    area = parts.area
    share = share_of(area.ellipsoidal_m2, cut.site)
    sizes = {"area_m2": area.ellipsoidal_m2, "planar_m2": area.planar_m2, "share": share}
    return _made(cut, cls, touched, "area", **sizes)


def _length_row(cut: Cut, cls: str | None, positions: list[int]) -> Evidence | None:
    lengths = cut.lengths(tuple(positions))
    kept = [i for i, length in zip(positions, lengths, strict=True) if length > 0]
    return _made(cut, cls, kept, "length", length_m=math.fsum(lengths)) if kept else None


def _made(cut: Cut, cls: str | None, at: Sequence[int], kind: str, **numbers: float) -> Evidence:
    names = {cut.layer.names[i] for i in at}
    name = names.pop() if len(names) == 1 else None
    ids = tuple(str(cut.layer.ids[i]) for i in at)
    return Evidence(cut.layer.info.id, cls, name, kind, feature_ids=ids, **numbers)  # type: ignore[arg-type]  # numbers are the fields of Evidence
