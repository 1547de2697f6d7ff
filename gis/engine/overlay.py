"""How much of a site lies on each layer, and how near is what it must keep away from?

Measures one site against all layers of a plan. Knows no rule: it answers the demands that it is
given, and lists evidence for every layer whatever the demands are.

What is asked stands in ``survey``; the cutting is done in ``cut``, the answering in ``answers``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from shapely.geometry.base import BaseGeometry

from gis.engine.answers import Answers
from gis.engine.cut import Cut, Cuts
from gis.engine.index import LayerIndex
from gis.engine.known import share_of
from gis.engine.ruler import Ruler
from gis.engine.screen import Screened, screen
from gis.engine.stack import Stack
from gis.engine.survey import Setting, Survey
from gis.model import Demand, Evidence, LayerReport, Measure, Near, Rest, Site

# Of a layer of this role, who owns the land is the question, not only of which kind the owner is.
_PER_NAME = "ownership"


@dataclass(frozen=True, slots=True)
class Measurement:
    """Everything measured for one site; a demand on a layer without answer has no measure.

    ``layers`` are their states by id, in the order of the plan; ``rest`` is what measures and
    layers would be if the site met nothing.
    """

    evidence: tuple[Evidence, ...]
    measures: Mapping[Demand, Measure]
    layers: Mapping[str, LayerReport]
    rest: Rest

    @property
    def reports(self) -> tuple[LayerReport, ...]:
        """The states of the layers."""
        whole = self.layers is self.rest.layers
        return self.rest.reports if whole else tuple(self.layers.values())


def measure(
    site: Site,
    layers: Iterable[LayerIndex],
    demands: Iterable[Demand],
    *,
    coverages: Mapping[str, BaseGeometry | None],
    with_evidence: bool = True,
) -> Measurement:
    """Measure one site against some layers; for many, make one ``Survey`` of them.

    Parameters
    ----------
    site
        Valid polygon in the work CRS.
    layers, demands, coverages
        As for ``Survey``.
    with_evidence
        Whether to list what the site touches; rules do not look at it.
    """
    survey = Survey(layers, demands, coverages)
    met = screen(np.array([site.geometry], dtype=object), Stack.of(survey.layers))[0]
    return surveyed(site, survey, met, with_evidence=with_evidence)


def surveyed(
    site: Site, survey: Survey, met: Screened, *, with_evidence: bool = True
) -> Measurement:
    """Measure one site.

    Parameters
    ----------
    site
        Valid polygon in the work CRS.
    survey
        What is asked of which layers.
    met
        What the site meets of them, from ``screen``.
    with_evidence
        Whether to list what the site touches; rules do not look at it.
    """
    ruler = Ruler(site, met.edges, may_trace=met.may_trace)
    known = survey.known(ruler, met)
    setting = survey.setting(known)
    cuts = Cuts(ruler, known, setting.usable, met)
    measures = Answers(ruler, cuts, survey.looks).to(setting, met)
    evidence = tuple(_listed(cuts, setting, met, measures)) if with_evidence else ()
    cuts.let_go()
    return Measurement(evidence, measures, survey.layers_of(known, setting.rest), setting.rest)


def _listed(
    cuts: Cuts, setting: Setting, met: Screened, measures: Mapping[Demand, Measure]
) -> Iterator[Evidence]:
    """Yield what the site touches, and what was found near it, layer by layer."""
    near: dict[str, list[Measure]] = {}
    for measure in measures.values():
        if measure.near:
            near.setdefault(measure.demand.layer, []).append(measure)
    for name, (layer, _) in setting.usable.items():
        if name in met or name in setting.thin:
            yield from _evidence(cuts[name])
        if name in near:
            yield from _distances(layer, near[name])


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
