"""What does a rule say when the site lies partly here and partly there?

The area kinds cut the site into parts, each with the outcome it would have alone. This file joins
them: slivers are left out, the worst of the rest wins, and the sentence names the areas. Land of
which the layer does not say what it is makes a part of its own. Exceptions are in ``exceptions``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from gis.model import (
    Demand,
    LayerClasses,
    Measure,
    Measured,
    Quantity,
    Sliver,
    Touched,
    Verdict,
    worst,
)
from gis.rulebook import land_classes, texts
from gis.rulebook.facts import Facts, Outcome
from gis.rulebook.kinds.exceptions import resolve
from gis.rulebook.remembered import once
from gis.rulebook.schema import AreaRule, RuleEntry, ZoneArea


class Part(NamedTuple):
    """One part of the site, with the outcome that it would have alone.

    ``decisive_m2`` is what counts against ``threshold_m2``; ``area_m2`` is the full sum.
    ``excused`` means that an exception lifted it to pass, ``unknown`` that the layer does not say
    what the land is, so that the sentences of the rule do not fit it.
    """

    label: str
    verdict: Verdict
    note: str
    area_m2: float
    decisive_m2: float
    slivers: tuple[Sliver, ...] = ()
    threshold_m2: float = 0.0
    geometry: Any = None
    excused: bool = False
    unknown: bool = False

    @property
    def counts(self) -> bool:
        """Whether enough of the part is more than slivers; compared as printed with a threshold."""
        area = round(self.decisive_m2, 2) if self.threshold_m2 else self.decisive_m2
        return area > self.threshold_m2

    @property
    def restricts(self) -> bool:
        """Whether the part would keep the site from a plain pass."""
        return self.verdict.rank > Verdict.PASS.rank


def part_of(
    measure: Measure,
    label: str,
    verdict: Verdict,
    note: str = "",
    *,
    threshold_m2: float = 0.0,
    excused: bool = False,
    unknown: bool = False,
) -> Part:
    """Return a measured part."""
    return Part(
        label,
        verdict,
        note,
        measure.area.ellipsoidal_m2,
        measure.decisive_m2,
        measure.slivers,
        threshold_m2,
        measure.geometry,
        excused,
        unknown,
    )


def apart(features: Sequence[Touched], label: str, verdict: Verdict, note: str) -> Part:
    """Return a part of land that was measured apart: by class, or by drawn zones."""
    return Part(
        label,
        verdict,
        note,
        math.fsum(f.area_m2 for f in features),
        math.fsum(f.decisive_m2 for f in features),
        tuple(s for f in features for s in f.slivers),
        geometry=next((f.geometry for f in features if f.geometry is not None), None),
    )


def unknown_part(measure: Measure, label: str, note: str, *, threshold_m2: float = 0.0) -> Part:
    """Return measured land of which the layer does not say what it is: open, never clear."""
    verdict = Verdict.UNDETERMINED
    return part_of(measure, label, verdict, note, threshold_m2=threshold_m2, unknown=True)


def area_demand(
    rule: AreaRule,
    quantity: Quantity,
    classes: Sequence[str] = (),
    *,
    excluding: bool = False,
    geometry: bool = False,
    where: AreaRule | ZoneArea | None = None,
) -> Demand:
    """Return the demand of an area kind, with the tolerances of its rule.

    ``where`` says around, on and off what the land lies; default what the rule itself says.
    """
    place = where or rule
    return Demand(
        rule.layer,
        quantity,
        classes=tuple(classes),
        excluding=excluding,
        width_tolerance_m=rule.width_tolerance_m,
        area_tolerance_m2=rule.area_tolerance_m2,
        within_m=place.within_m,
        beyond_m=place.beyond_m,
        on=tuple(LayerClasses(p.layer, p.classes) for p in place.on),
        off=tuple(LayerClasses(p.layer, p.classes) for p in place.off),
        geometry=geometry,
    )


@once
def unclassed_demand(rule: AreaRule) -> Demand:
    """Return the demand for features of the layer that have no class at all."""
    return area_demand(rule, Quantity.INSIDE, ("*",), excluding=True, geometry=True)


def resolved_part(
    rule: AreaRule,
    facts: Facts,
    demand: Demand,
    label: str,
    outcome: str,
    *,
    cls: str = "",
    note: str = "",
    threshold_m2: float = 0.0,
) -> Part:
    """Return a measured part with the outcome that the use of the site gives it."""
    base = Verdict(outcome)
    verdict, note = resolve(rule, facts, base, cls=cls, note=note)
    excused = verdict is Verdict.PASS and base is not Verdict.PASS
    measure = facts.measures[demand]
    return part_of(measure, label, verdict, note, threshold_m2=threshold_m2, excused=excused)


def about_reach(
    rule: RuleEntry, facts: Facts, outcome: Outcome, demands: Iterable[Demand]
) -> Outcome:
    """Leave open what an unseen feature nearby could change: all but a failure and an excuse."""
    open_ = [d for d in demands if not facts.measures[d].reach_covered]
    if outcome.verdict is Verdict.FAIL or not open_:
        return outcome
    verdict, excuse = resolve(rule, facts, Verdict.FAIL)
    if verdict is Verdict.PASS:
        reason = texts.join([excuse]) if outcome.clear else outcome.reason
        return outcome._replace(reason=reason, clear="")
    reach = max(d.within_m for d in open_)
    report = facts.layers.get(rule.layer)
    note = ""
    if report is not None and report.uncovered_share is not None:
        around = f"地块周边 {texts.metres(reach)} 范围内有区域"
        note = f"{around}不在“{report.info.title}”图层覆盖范围内，可能有未见的要素，需核实"
    reason = texts.join([outcome.reason, note])  # with an unknown coverage the evaluation says so
    return outcome._replace(verdict=Verdict.UNDETERMINED, reason=reason, clear="")


# --- joining parts -------------------------------------------------------------------------------


def join_parts(
    rule: AreaRule, facts: Facts, parts: Sequence[Part], *, extra: Mapping[str, str] | None = None
) -> Outcome:
    """Return the outcome of the parts together; the worst part that is no sliver wins."""
    counting = [p for p in parts if p.counts]
    against = [p for p in counting if p.restricts]
    grazing = [p for p in parts if p.slivers and p.restricts]
    slivers = [s for p in grazing for s in p.slivers]
    total = math.fsum(s.area_m2 for s in slivers) if slivers else 0.0
    doubtful = bool(slivers) and (rule.strict_slivers or total > rule.sliver_limit_m2)
    verdict = worst([p.verdict for p in counting])
    if doubtful:
        verdict = worst((verdict, Verdict.UNDETERMINED))
    touching = grazing if doubtful else []
    shown = [p for p in against if not p.unknown] or against or touching or counting
    area = math.fsum([p.area_m2 for p in shown])
    note = _sliver_note(rule, slivers, total, doubtful) if slivers else ""
    measured = Measured("area", area, "m²", facts.share(area))
    geometry = _geometry(against or touching, verdict)
    if doubtful and not against:  # anything else would deny what the slivers ask to look at
        return Outcome(verdict, texts.join((note,)), measured, geometry)
    said = _said(rule, facts, counting, against)
    if said:
        return Outcome(verdict, texts.join((*said, note)), measured, geometry)
    clear = _filled(rule.text.clear, facts, counting, extra)
    return Outcome(verdict, texts.join((note,)), measured, geometry, clear)


def join_whole(
    rule: AreaRule, facts: Facts, parts: Sequence[Part], *, extra: Mapping[str, str] | None = None
) -> Outcome:
    """Return the outcome of parts that make up the whole site; none at all is no answer."""
    outcome = join_parts(rule, facts, parts, extra=extra)
    if outcome.verdict is not Verdict.PASS or any(p.counts for p in parts):
        return outcome
    reason = texts.join(["没有量到地块在图层上的位置，不能判定，需核实"])
    return outcome._replace(verdict=Verdict.UNDETERMINED, reason=reason, clear="")


def _said(
    rule: AreaRule, facts: Facts, counting: Sequence[Part], against: Sequence[Part]
) -> list[str]:
    """Say what stands against the site or is excused; empty when the site is clear."""
    known = [p for p in counting if not p.unknown]
    restricting = [p for p in known if p.restricts]
    if restricting:
        hit = _filled(rule.text.hit, facts, known)
        said = [hit, *dict.fromkeys([p.note for p in restricting])]
    else:
        said = _listed([p for p in known if p.excused], facts)
    return [*said, *_listed([p for p in against if p.unknown], facts)] if against else said


def _listed(parts: Sequence[Part], facts: Facts) -> list[str]:
    if not parts:
        return []
    return [_named_together(parts, facts), *dict.fromkeys(p.note for p in parts)]


def _filled(
    template: str, facts: Facts, parts: Sequence[Part], extra: Mapping[str, str] | None = None
) -> str:
    """Fill in what a sentence of an area rule names: the restricting area, else all."""
    values: dict[str, str] = {}
    for name in texts.names(template):
        if name == "area":
            restricting = [p for p in parts if p.restricts]
            area = math.fsum([p.area_m2 for p in restricting or parts])
            values[name] = texts.area(area, facts.share(area))
        elif name == "parts":
            values[name] = _named_together(parts, facts)
        elif name == "use":
            values[name] = land_classes.use_label(facts.use)
    return texts.fill(template, {**values, **(extra or {})})


def _named_together(parts: Sequence[Part], facts: Facts) -> str:
    return "；".join([_named(p, facts) for p in parts])


def _geometry(parts: Sequence[Part], verdict: Verdict) -> Any:
    """Return the geometry of the worst part that has one."""
    drawn = [p for p in parts if p.geometry is not None]
    worst_first = [*(p for p in drawn if p.verdict is verdict), *drawn] if drawn else drawn
    return worst_first[0].geometry if worst_first else None


def _named(part: Part, facts: Facts) -> str:
    return f"{part.label} {texts.area(part.area_m2, facts.share(part.area_m2))}"


def _sliver_note(rule: AreaRule, slivers: Sequence[Sliver], total: float, doubtful: bool) -> str:
    width = max(s.width_m for s in slivers)
    what = f"{len(slivers)} 处细碎接触，共 {texts.square_metres(total)}，最宽 {texts.metres(width)}"
    if not doubtful:
        return f"另有{what}，小于容差，不计入判定，另行列出"
    if rule.strict_slivers:
        return f"与界线有{what}，此类管控不设容差，须以界址点与界线成果复核"
    limit = texts.square_metres(rule.sliver_limit_m2)
    return f"与界线有{what}，合计超过 {limit}，须以界址点与界线成果复核"


@once
def tolerance_text(rule: AreaRule) -> str:
    """Return the sliver tolerance of a rule as printed with its threshold."""
    if rule.strict_slivers:
        return "不设容差，任何细碎接触均须核实"
    width, area = rule.width_tolerance_m, rule.area_tolerance_m2
    return f"容差：宽小于 {width:g} m 且面积小于 {area:g} m² 的碎片另列"
