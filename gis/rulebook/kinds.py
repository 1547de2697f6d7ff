"""Which kinds of rule exist, what each demands, and how each judges.

The register only; every kind is a few pure functions in a ``kind_*`` file. To add one: a model in
``schema.py``, its functions, one line here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gis.model import Demand, Rule
from gis.rulebook import kind_distance, kind_overlap, kind_use
from gis.rulebook.facts import Facts, Outcome


@dataclass(frozen=True, slots=True)
class Kind:
    """The functions of one kind; each takes the typed parameters of a rule."""

    demands: Callable[[Any], tuple[Demand, ...]]
    judge: Callable[[Any, Facts], Outcome]
    threshold: Callable[[Any], str]


KINDS: Mapping[str, Kind] = {
    "forbid_overlap": Kind(
        kind_overlap.demands_of_forbid_overlap,
        kind_overlap.forbid_overlap,
        kind_overlap.threshold_of_forbid_overlap,
    ),
    "require_within": Kind(
        kind_overlap.demands_of_require_within,
        kind_overlap.require_within,
        kind_overlap.threshold_of_require_within,
    ),
    "convert": Kind(
        kind_overlap.demands_of_convert,
        kind_overlap.convert,
        kind_overlap.threshold_of_convert,
    ),
    "use_permitted": Kind(
        kind_use.demands_of_use_permitted,
        kind_use.use_permitted,
        kind_use.threshold_of_use_permitted,
    ),
    "min_distance": Kind(
        kind_distance.demands_of_min_distance,
        kind_distance.min_distance,
        kind_distance.threshold_of_min_distance,
    ),
}


def demands_of(rule: Rule) -> tuple[Demand, ...]:
    """Return what one rule wants measured."""
    return KINDS[rule.kind].demands(rule.params)
