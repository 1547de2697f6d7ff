"""Which kinds of rule exist, what each demands, and how each judges.

The register only; every kind is a few pure functions in a file of this room. To add one: a model
in ``schema/``, its functions, one entry here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gis.model import Demand, Rule
from gis.rulebook import texts
from gis.rulebook.facts import Facts, Outcome
from gis.rulebook.kinds import (
    attribute,
    compatible,
    conversion,
    distance,
    document,
    overlap,
    quota,
    share,
    use,
)
from gis.rulebook.kinds.parts import tolerance_text
from gis.rulebook.remembered import once
from gis.rulebook.schema import AreaRule, RuleEntry


@dataclass(frozen=True, slots=True)
class Kind:
    """The functions of one kind; each takes the typed parameters of a rule."""

    demands: Callable[[Any], tuple[Demand, ...]]
    judge: Callable[[Any, Facts], Outcome]
    threshold: Callable[[Any], str]


KINDS: Mapping[str, Kind] = {
    "forbid_overlap": Kind(
        overlap.demands_of_forbid_overlap,
        overlap.forbid_overlap,
        overlap.threshold_of_forbid_overlap,
    ),
    "require_within": Kind(
        overlap.demands_of_require_within,
        overlap.require_within,
        overlap.threshold_of_require_within,
    ),
    "convert": Kind(
        conversion.demands_of_convert,
        conversion.convert,
        conversion.threshold_of_convert,
    ),
    "use_permitted": Kind(
        use.demands_of_use_permitted,
        use.use_permitted,
        use.threshold_of_use_permitted,
    ),
    "min_distance": Kind(
        distance.demands_of_min_distance,
        distance.min_distance,
        distance.threshold_of_min_distance,
    ),
    "share_limit": Kind(
        share.demands_of_share_limit,
        share.share_limit,
        share.threshold_of_share_limit,
    ),
    "compatible_use": Kind(
        compatible.demands_of_compatible_use,
        compatible.compatible_use,
        compatible.threshold_of_compatible_use,
    ),
    "attribute_limit": Kind(
        attribute.demands_of_attribute_limit,
        attribute.attribute_limit,
        attribute.threshold_of_attribute_limit,
    ),
    "document_required": Kind(
        document.demands_of_document_required,
        document.document_required,
        document.threshold_of_document_required,
    ),
    "quota": Kind(
        quota.demands_of_quota,
        quota.quota,
        quota.threshold_of_quota,
    ),
}


def demands_of(rule: Rule) -> tuple[Demand, ...]:
    """Return what one rule wants measured."""
    return KINDS[rule.kind].demands(rule.params)


def threshold_of(rule: Rule) -> str:
    """Say what a rule allows, in its own words where it has some.

    In them ``{numbers}`` stands for what the kind says, so that a number stands in one place only;
    a rule on areas adds its tolerance.
    """
    return _threshold_of(rule.params, rule.kind)


@once
def _threshold_of(params: RuleEntry, kind: str) -> str:
    numbers = KINDS[kind].threshold(params)
    if not params.threshold:
        return numbers
    said = texts.fill(params.threshold, {"numbers": numbers})
    if isinstance(params, AreaRule) and tolerance_text(params) not in said:
        return f"{said}（{tolerance_text(params)}）"
    return said
