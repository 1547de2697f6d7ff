"""What does each rule in force say about the site, and which rule decides?

Around the pure functions of the kinds stand the promises that hold for every rule: a layer that
could not answer gives ``undetermined``, unverified law never fails a site, a layer whose law is
changing does not decide. Never raises on any facts.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from operator import itemgetter

from gis.errors import RuleBookError
from gis.model import (
    Contact,
    Demand,
    Finding,
    LayerInfo,
    LayerState,
    Quantity,
    Rule,
    Verdict,
)
from gis.rulebook import land_classes, texts
from gis.rulebook.beforehand import Beforehand, Ground, may_apply, of_rule
from gis.rulebook.conditions import (
    ALWAYS,
    TINY_SHARE,
    Answer,
    Holds,
    answers,
    demands_of_conditions,
    together,
)
from gis.rulebook.facts import Facts, Outcome, is_sound
from gis.rulebook.kinds import demands_of
from gis.rulebook.kinds.exceptions import NO_USE, cap, needs_finer
from gis.rulebook.loader import RuleBook
from gis.rulebook.memory import Order, Remembered, Shelf, Table, changed, recall
from gis.rulebook.remembered import once
from gis.rulebook.schema import RuleEntry

_AGAINST = (Verdict.FAIL, Verdict.CONDITIONAL)
_SETTLED = (Verdict.PASS, Verdict.NOT_APPLICABLE)
# Kinds of rest of which it is kept what they mean for a rule.
_GROUNDS = 16
_STATES = {LayerState.NO_DATA: "无数据", LayerState.FAILED: "读取失败"}


def demands(book: RuleBook, as_of: date | None = None) -> tuple[Demand, ...]:
    """Return what the rules in force on a day want measured, each demand once.

    Without a day those of all rules.
    """
    found: tuple[Demand, ...] = book.derived("demands", as_of, lambda: _wanted(book, as_of))
    return found


def _wanted(book: RuleBook, as_of: date | None) -> tuple[Demand, ...]:
    rules = book.rules if as_of is None else book.in_force(as_of)
    wanted = (d for rule in rules for d in demands_of(rule))
    asked = (d for rule in rules for d in _asked(rule.params))
    return tuple(dict.fromkeys((*wanted, *asked)))


@once
def _asked(params: RuleEntry) -> tuple[Demand, ...]:
    return demands_of_conditions(params.conditions)


def evaluate(book: RuleBook, facts: Facts, *, marked: bool = True) -> tuple[Finding, ...]:
    """Return one finding per rule in force, the deciding one first.

    ``marked`` says whether somebody wants the land that a finding marks.
    """
    shelf, new = book.memory.shelf(facts), changed(facts)
    table = shelf.at(facts.rest)
    rules = book.in_force(facts.as_of)
    resting = table.resting(rules, lambda rule: _beforehand(shelf, rule, facts))
    moved = {id(known): known for fact in new for known in resting.readers.get(fact, ())}
    found = [(order, own) for order, own, known in resting.findings if known not in moved]
    for known in resting.others:
        own = _at_rest(table, known, facts)
        if own is not None and own.finding is not None and own.reads.isdisjoint(new):
            found.append((own.order, own.finding))
        else:
            moved[id(known)] = known
    for known in moved.values():
        anew = finding_of(known, facts, marked=marked)
        found.append((_order(anew), anew))
    found.sort(key=_FIRST)
    return tuple([finding for _, finding in found])


def _at_rest(table: Table, known: Beforehand, facts: Facts) -> Remembered | None:
    own = table.simple.get(id(known.rule))
    return recall(table, known, facts, finding_of, _order) if own is None else own


_FIRST = itemgetter(0)


def _beforehand(shelf: Shelf, rule: Rule, facts: Facts) -> Beforehand:
    known = shelf.beforehand.get(id(rule))
    if known is None:
        known = shelf.beforehand[id(rule)] = of_rule(rule, facts.use, facts.as_of)
    return known


def sort_findings(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings that decide first, then worst first, then by priority and id."""
    return tuple(sorted(findings, key=_order))


def _order(finding: Finding) -> Order:
    return not finding.decides, -finding.verdict.rank, finding.priority, finding.rule


def decide(findings: Iterable[Finding]) -> tuple[Verdict, str | None]:
    """Return the verdict of all findings together and the rule that decides it.

    The rule is None when everything passes. Without any rule that applies nothing was examined, and
    that is ``undetermined``, not ``pass``.
    """
    deciding = [f for f in findings if f.decides]
    worst = max([f.verdict.rank for f in deciding], default=_SILENT)
    if worst == _SILENT:
        return Verdict.UNDETERMINED, None
    first = min([f for f in deciding if f.verdict.rank == worst], key=_order)
    return first.verdict, None if first.verdict is Verdict.PASS else first.rule


def contacts(book: RuleBook, facts: Facts) -> tuple[Contact, ...]:
    """Return the slivers that the rules in force left out, sorted."""
    if not [m for m in facts.measures.values() if m.slivers]:
        return ()
    grazed = {demand: m.slivers for demand, m in facts.measures.items() if m.slivers}
    asking = book.derived("areas", facts.as_of, lambda: _asking(book, facts.as_of))
    found = [
        Contact(demand.layer, rule.id, sliver.area_m2, sliver.width_m, sliver.geometry)
        for rule, wanted in asking
        if not grazed.keys().isdisjoint(wanted) and _may_speak(rule, facts)
        for demand in wanted
        for sliver in grazed.get(demand, ())
    ]
    return tuple(sorted(found, key=lambda c: (c.layer, c.rule, -c.area_m2, -c.width_m)))


def _asking(book: RuleBook, as_of: date) -> tuple[tuple[Rule, tuple[Demand, ...]], ...]:
    """Return the rules in force with the areas that each wants measured."""
    areas = (Quantity.INSIDE, Quantity.OUTSIDE)
    return tuple(
        (rule, tuple(d for d in demands_of(rule) if d.quantity in areas))
        for rule in book.in_force(as_of)
    )


def _may_speak(rule: Rule, facts: Facts) -> bool:
    """Whether the use and the conditions of a rule leave open that it speaks of the site."""
    if not may_apply(rule.params, facts.use):
        return False
    return together(answers(rule.params.when, facts)).holds is not Holds.NO


# --- one rule ------------------------------------------------------------------------------------


def finding_of(known: Beforehand, facts: Facts, *, marked: bool = True) -> Finding:
    """Return what one rule says of the facts, for the use and the day of what is known of it."""
    rule, ground = known.rule, _ground(known, facts)
    verdict, reason, measure, geometry, clear = _outcome(known, ground, facts)
    needs_remedy = verdict.rank > _PASSED
    return Finding(
        rule.id,
        rule.title,
        verdict,
        known.layer,
        measure,
        known.threshold,
        clear + reason,
        known.basis,
        rule.origin,
        rule.office,
        rule.remedy if needs_remedy else "",
        rule.priority,
        ground.decides,
        geometry if marked and needs_remedy else None,
        rule.title_en,
        rule.layers,
    )


_PASSED, _SILENT = Verdict.PASS.rank, Verdict.NOT_APPLICABLE.rank


def _outcome(known: Beforehand, ground: Ground, facts: Facts) -> Outcome:
    if known.silent is not None:
        return known.silent
    params = known.params
    condition = together(answers(params.when, facts)) if params.when else ALWAYS
    if condition.holds is Holds.NO:
        return Outcome(Verdict.NOT_APPLICABLE, f"不满足本条的适用条件。{condition.text}")
    blocked = ground.blocked or _unsound(known, facts)
    if blocked:
        return Outcome(Verdict.UNDETERMINED, texts.join([blocked]))
    outcome = known.judge(params, facts)
    if not known.applies:
        outcome = _about_use(known, outcome)
    if condition is not ALWAYS:
        outcome = _about_conditions(known.rule, condition, outcome)
    if ground.uncovered is not None and outcome.verdict.rank <= _OPEN:
        said = texts.join(_said_of_covered(outcome, *ground.uncovered))
        outcome = outcome._replace(verdict=Verdict.UNDETERMINED, reason=said, clear="")
    if known.unsure and outcome.verdict is Verdict.FAIL:
        outcome = _about_certainty(known, outcome)
    return outcome


_OPEN = Verdict.UNDETERMINED.rank


def _ground(known: Beforehand, facts: Facts) -> Ground:
    """Return what the states of the layers mean for a rule; at rest it is the same every time."""
    rest = facts.rest
    if rest is None or facts.layers is not rest.layers:
        return _looked_at(known, facts)
    found = known.grounds.get(rest)
    if found is None:
        if len(known.grounds) >= _GROUNDS:
            known.grounds.clear()
        found = known.grounds[rest] = _looked_at(known, facts)
    return found


def _looked_at(known: Beforehand, facts: Facts) -> Ground:
    blocked = _blocked(known, facts)
    uncovered = None if blocked else _uncovered(known.rule, facts)
    return Ground(blocked, uncovered, _decides(known, facts))


def _decides(known: Beforehand, facts: Facts) -> bool:
    """Whether no layer that the rule looks at stands under a law that is changing."""
    for name in known.layers:
        report = facts.layers.get(name)
        if report is not None and report.info.law_status == "changing":
            return False
    return True


def _blocked(known: Beforehand, facts: Facts) -> str:
    """Say why the rule cannot be judged at all; empty when it can."""
    if not known.basis:
        return f"规则库没有 {facts.as_of.isoformat()} 有效的依据，需核实"
    for name in known.rule.layers:
        report = facts.layers.get(name)
        if report is None:
            return f"规划数据包没有图层“{name}”，无数据，不能判定，需核实"
        if report.state is not LayerState.CHECKED:
            why = f"（{report.reason.rstrip('。')}）" if report.reason else ""
            return f"“{report.info.title}”图层{_STATES[report.state]}{why}，不能判定，需核实"
        if known.params.land_scheme is not None and not _same_scheme(known.params, report.info):
            own = f"{report.info.scheme}（{report.info.edition}）"
            return f"“{report.info.title}”图层的分类体系 {own} 与本条所用的不同，不能判定，需核实"
    return ""


def _unsound(known: Beforehand, facts: Facts) -> str:
    """Say that a measure is missing or no number; empty when all are there."""
    measures = facts.measures
    for demand in known.demands:
        measure = measures.get(demand)
        if measure is None or not (measure.is_nothing or is_sound(measure)):
            return "本条所需的量测没有结果，不能判定，需核实"
    return ""


def _uncovered(rule: Rule, facts: Facts) -> tuple[str, float | None] | None:
    """Return the first layer that does not cover the whole site, and the share that it lacks."""
    for name in rule.layers:
        report = facts.layers[name]
        share = report.uncovered_share
        if share is None or share > TINY_SHARE:
            return report.info.title, share
    return None


@once
def _same_scheme(params: RuleEntry, info: LayerInfo) -> bool:
    """Whether the codes of rule and layer speak one language, as far as the layer says it."""
    if params.land_scheme is None or info.scheme is None:
        return True
    try:
        own = land_classes.scheme(info.scheme, info.edition)
        return own is land_classes.scheme(*params.land_scheme)
    except RuleBookError:
        return False


def _about_use(known: Beforehand, outcome: Outcome) -> Outcome:
    """Without a use fine enough, a rule for some uses says pass or undetermined, nothing else."""
    if outcome.verdict in _SETTLED:
        return outcome
    why = NO_USE if known.use is None else needs_finer(known.use)
    said = [outcome.reason] if why in outcome.reason else [why, outcome.reason]
    return outcome._replace(verdict=Verdict.UNDETERMINED, reason=texts.join(said))


def _about_conditions(rule: Rule, condition: Answer, outcome: Outcome) -> Outcome:
    """Say why the rule applies; where nobody knows whether it does, it can only stay open.

    A document that is needed under a claim not made yet is named with its condition.
    """
    settled = outcome.verdict in _SETTLED
    # A budget answers through what the site takes, which the missing layer would have said.
    settled &= not (rule.kind == "quota" and condition.holds is Holds.UNKNOWN)
    if settled or condition.holds is Holds.YES:
        verdict, reason, measure, geometry, clear = outcome
        # A headline prints the first sentence: what stands against the site, not why it is asked.
        if verdict in _AGAINST and rule.kind != "document_required":
            return Outcome(verdict, reason + condition.text, measure, geometry, clear)
        return Outcome(verdict, condition.text + reason, measure, geometry, clear)
    why = f"不能确定本条是否适用：{condition.text}"
    said = texts.join([why, outcome.reason])
    named = condition.holds is Holds.UNCLAIMED and rule.kind == "document_required"
    if named and outcome.verdict is Verdict.CONDITIONAL:
        return outcome._replace(reason=said)
    return outcome._replace(verdict=Verdict.UNDETERMINED, reason=said)


def _said_of_covered(outcome: Outcome, title: str, share: float | None) -> list[str]:
    """Say what was found as far as the layer goes, and that the rest is open.

    Land that the layer does not cover is unknown: undetermined unless the rest fails.
    """
    if share is None:
        return [outcome.reason, f"“{title}”图层的覆盖范围不明，没有要素不等于不涉及，需核实"]
    part = texts.percent(share)
    if outcome.verdict is not Verdict.PASS:
        return [outcome.reason, f"地块有 {part} 不在“{title}”图层覆盖范围内，该部分需核实"]
    rest = f"其余 {part} 不在“{title}”图层覆盖范围内，需核实"
    found = outcome.reason if not outcome.clear else "未发现不符合本条的情形"
    return [f"已覆盖部分：{found}", outcome.reason if outcome.clear else "", rest]


def _about_certainty(known: Beforehand, outcome: Outcome) -> Outcome:
    """Keep a rule whose effect nobody has verified from failing a site."""
    verdict = cap(outcome.verdict, unsure=known.unsure)
    what = "假定" if known.rule.origin == "assumption" else "效力或数值尚未核实的规定"
    note = f"本条为{what}，结论至多为需核实"
    return outcome._replace(verdict=verdict, reason=texts.join([outcome.reason, note]))
