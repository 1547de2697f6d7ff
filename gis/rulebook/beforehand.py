"""What is known of a rule before any site: for one use of the land, on one day.

Whether the rule speaks of the use at all, which of its documents are in force, what it allows and
what it wants measured. A table of sites asks for these thousands of times.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from gis.model import Basis, Demand, Rest, Rule, Verdict
from gis.rulebook import land_classes
from gis.rulebook.facts import Facts, Outcome
from gis.rulebook.kinds import KINDS, demands_of, threshold_of
from gis.rulebook.kinds.exceptions import is_coarser, longest_match
from gis.rulebook.remembered import once
from gis.rulebook.schema import RuleEntry


class Ground(NamedTuple):
    """What the states of the layers mean for a rule.

    ``blocked`` says why it cannot be judged at all, ``uncovered`` names the first layer that does
    not cover the whole site, with the share that it lacks; ``decides`` is False where the law of a
    layer is changing.
    """

    blocked: str
    uncovered: tuple[str, float | None] | None
    decides: bool


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
    grounds
        What the states of the layers mean for it, where they are those of many sites.
    layer, judge
        The layer that a finding of the rule names, and what its kind finds in some facts.
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
    grounds: dict[Rest, Ground] = field(default_factory=dict, compare=False)
    layer: str | None = field(init=False, repr=False, compare=False)
    judge: Callable[[Any, Facts], Outcome] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Look up what every site would ask the rule for."""
        object.__setattr__(self, "layer", self.rule.layers[0] if self.rule.layers else None)
        object.__setattr__(self, "judge", KINDS[self.rule.kind].judge)


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
