"""What is known of a rule before any site: for one use of the land, on one day.

Whether the rule speaks of the use at all, which of its documents are in force, what it allows and
what it wants measured. A table of sites asks for these thousands of times.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from gis.model import Basis, Demand, Rule, Verdict
from gis.rulebook import land_classes
from gis.rulebook.facts import Outcome
from gis.rulebook.kinds import demands_of, threshold_of
from gis.rulebook.kinds.parts import is_coarser, longest_match
from gis.rulebook.remembered import once
from gis.rulebook.schema import RuleEntry


@dataclass(frozen=True, slots=True)
class Beforehand:
    """A rule for one use and day.

    Parameters
    ----------
    rule, params
        The rule, and what it says of its own kind.
    use
        Land-use code, or None when none was given.
    basis
        The citations whose documents are in force.
    threshold
        What the rule allows.
    demands
        What it wants measured.
    layers
        All layers that it looks at, those of its conditions too.
    applies
        Whether it surely speaks of the use.
    unsure
        Whether its ground is an assumption, or nobody has verified its effect.
    silent
        What it says of every site, where it does not speak of the use; else None.
    """

    rule: Rule
    params: RuleEntry
    use: str | None
    basis: tuple[Basis, ...]
    threshold: str
    demands: tuple[Demand, ...]
    layers: tuple[str, ...]
    applies: bool
    unsure: bool
    silent: Outcome | None


def of_rule(rule: Rule, use: str | None, as_of: date) -> Beforehand:
    """Return what is known of a rule for a use and a day."""
    params: RuleEntry = rule.params
    speaks = use is None or may_apply(params, use)
    return Beforehand(
        rule=rule,
        params=params,
        use=use,
        basis=basis_in_force(rule, as_of),
        threshold=threshold_of(rule),
        demands=demands_of(rule),
        layers=(*rule.layers, *params.when_layers),
        applies=applies(params, use),
        unsure=rule.origin == "assumption" or not rule.effect_verified,
        silent=None if speaks or use is None else _not_applicable(use),
    )


def basis_in_force(rule: Rule, as_of: date) -> tuple[Basis, ...]:
    """Return the citations whose documents are in force on a day."""
    return tuple(b for b in rule.basis if _is_valid(b, as_of))


def _is_valid(basis: Basis, as_of: date) -> bool:
    doc = basis.document
    begun = doc.valid_from is None or doc.valid_from <= as_of
    return begun and (doc.valid_to is None or as_of <= doc.valid_to)


def applies(params: RuleEntry, use: str | None) -> bool:
    """Whether the rule surely speaks of the use."""
    if not params.applies_to:
        return True
    return use is not None and longest_match(use, params.applies_to) > 0


@once
def may_apply(params: RuleEntry, use: str | None) -> bool:
    """Whether the rule may speak of the use: none was given, or one above those of the rule."""
    return use is None or applies(params, use) or is_coarser(use, params.applies_to)


def _not_applicable(use: str) -> Outcome:
    reason = f"本规则不针对拟建用途 {land_classes.use_label(use)}。"
    return Outcome(Verdict.NOT_APPLICABLE, reason)
