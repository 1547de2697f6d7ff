"""What does a rule say when the site lies partly here and partly there?

The area kinds cut the site into parts, each with the outcome it would have alone. This file joins
them: slivers are left out, the worst of the rest wins, and the sentence names the areas. Land of
which the layer does not say what it is makes a part of its own. Exceptions are in ``exceptions``,
the words in ``sentences``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from gis.model import (
    VERDICTS,
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
from gis.rulebook import texts
from gis.rulebook.facts import Facts, Outcome
from gis.rulebook.kinds.exceptions import resolve
from gis.rulebook.kinds.sentences import Blanks, Prepared, Trait, prepared
from gis.rulebook.remembered import once
from gis.rulebook.schema import AreaRule, RuleEntry, ZoneArea


class Part(NamedTuple):
    """One part of the site: what it is, its full size, and what of it is too thin to count."""

    trait: Trait
    area_m2: float
    slivers: tuple[Sliver, ...] = ()
    geometry: Any = None

    @property
    def restricts(self) -> bool:
        """Whether the part would keep the site from a plain pass."""
        return self.trait.restricts


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
    """Return a measured part; it counts where more than slivers exceeds the threshold."""
    decisive = measure.decisive_m2
    # Compared as printed with a threshold.
    counts = round(decisive, 2) > threshold_m2 if threshold_m2 else decisive > 0.0
    trait = Trait(label, verdict, note, counts, excused, unknown)
    return Part(trait, measure.area.ellipsoidal_m2, measure.slivers, measure.geometry)


def apart(
    features: Sequence[Touched],
    label: str,
    verdict: Verdict,
    note: str,
    *,
    excused: bool = False,
    unknown: bool = False,
) -> Part:
    """Return a part of land that was measured apart: by class, or by drawn zones."""
    counts = math.fsum([f.decisive_m2 for f in features]) > 0.0
    return Part(
        Trait(label, verdict, note, counts, excused, unknown),
        math.fsum([f.area_m2 for f in features]),
        tuple([s for f in features for s in f.slivers]),
        next((f.geometry for f in features if f.geometry is not None), None),
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
    base = VERDICTS[outcome]
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
    """Return the outcome of the parts together; the worst part that is no sliver wins.

    ``extra`` are further texts that the sentence of a clear site may name.
    """
    told = prepared(rule, facts.use, tuple([p.trait for p in parts]))
    grazing = [p for p in parts if p.slivers and p.restricts]
    if grazing:
        return _grazed(rule, facts, parts, told, grazing, extra)
    measured = _measured(facts, [parts[i] for i in told.shown])
    geometry = _geometry([parts[i] for i in told.against], told.verdict) if told.against else None
    if told.said is not None:
        return Outcome(told.verdict, _filled(told.said, facts, parts), measured, geometry)
    return Outcome(told.verdict, "", measured, geometry, _clear(told, facts, parts, extra))


def _grazed(
    rule: AreaRule,
    facts: Facts,
    parts: Sequence[Part],
    told: Prepared,
    grazing: Sequence[Part],
    extra: Mapping[str, str] | None,
) -> Outcome:
    """Return the outcome of parts of which some touch what restricts the site by slivers."""
    slivers = [s for p in grazing for s in p.slivers]
    total = math.fsum([s.area_m2 for s in slivers])
    doubtful = rule.strict_slivers or total > rule.sliver_limit_m2
    note = _sliver_note(rule, slivers, total, doubtful)
    verdict = worst((told.verdict, Verdict.UNDETERMINED)) if doubtful else told.verdict
    against = [parts[i] for i in told.against]
    if doubtful and not against:  # anything else would deny what the slivers ask to look at
        geometry = _geometry(grazing, verdict)
        return Outcome(verdict, texts.join((note,)), _measured(facts, grazing), geometry)
    measured = _measured(facts, [parts[i] for i in told.shown])
    geometry = _geometry(against, verdict)
    if told.said is not None:
        said = _filled(told.said, facts, parts)
        return Outcome(verdict, texts.join((said, note)), measured, geometry)
    clear = _clear(told, facts, parts, extra)
    return Outcome(verdict, texts.join((note,)), measured, geometry, clear)


def _measured(facts: Facts, parts: Iterable[Part]) -> Measured:
    area = math.fsum([p.area_m2 for p in parts])
    return Measured("area", area, "m²", facts.share(area))


def _clear(
    told: Prepared, facts: Facts, parts: Sequence[Part], extra: Mapping[str, str] | None
) -> str:
    clear = told.clear
    return texts.join((_filled(clear, facts, parts, extra),)) if clear.gaps else clear.text


def _filled(
    blanks: Blanks, facts: Facts, parts: Sequence[Part], extra: Mapping[str, str] | None = None
) -> str:
    """Return a prepared text with its blanks filled."""
    if not blanks.gaps:
        return blanks.text
    said = []
    for gap in blanks.gaps:
        if isinstance(gap, str):
            said.append(extra.get(gap, "") if extra else "")
        else:
            area = math.fsum([parts[i].area_m2 for i in gap])
            said.append(texts.area(area, facts.share(area)))
    return blanks.text % tuple(said)


def join_whole(
    rule: AreaRule, facts: Facts, parts: Sequence[Part], *, extra: Mapping[str, str] | None = None
) -> Outcome:
    """Return the outcome of parts that make up the whole site; none at all is no answer."""
    outcome = join_parts(rule, facts, parts, extra=extra)
    if outcome.verdict is not Verdict.PASS or any(p.trait.counts for p in parts):
        return outcome
    reason = texts.join(["没有量到地块在图层上的位置，不能判定，需核实"])
    return outcome._replace(verdict=Verdict.UNDETERMINED, reason=reason, clear="")


def _geometry(parts: Sequence[Part], verdict: Verdict) -> Any:
    """Return the geometry of the worst part that has one."""
    drawn = [p for p in parts if p.geometry is not None]
    if len(drawn) > 1:
        drawn.sort(key=lambda p: p.trait.verdict is not verdict)
    return drawn[0].geometry if drawn else None


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
