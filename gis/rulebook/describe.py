"""How is a rule listed? One rule as plain JSON values, the shape of ``/v1/rules`` and the CLI."""

from __future__ import annotations

from typing import Any

from gis.model import Rule
from gis.rulebook.kinds import KINDS
from gis.rulebook.schema import RuleEntry, plain

# What every rule has stands at the top of the row; the rest are the parameters of its kind.
_COMMON = set(RuleEntry.model_fields) - {"text", "applies_to", "exceptions"} | {"kind"}


def describe(rule: Rule) -> dict[str, Any]:
    """Return a rule with its parameters, citations, dates and origin."""
    params = {k: v for k, v in plain(rule.params).items() if k not in _COMMON}
    return {
        "id": rule.id,
        "title": rule.title,
        "kind": rule.kind,
        "layers": list(rule.layers),
        "origin": rule.origin,
        "effect_verified": rule.effect_verified,
        "threshold": rule.params.threshold or KINDS[rule.kind].threshold(rule.params),
        "valid_from": rule.valid_from and rule.valid_from.isoformat(),
        "valid_to": rule.valid_to and rule.valid_to.isoformat(),
        "checked_on": rule.checked_on.isoformat(),
        "office": rule.office,
        "priority": rule.priority,
        "remedy": rule.remedy,
        "basis": [b.to_dict() for b in rule.basis],
        "params": params,
        "source_file": rule.source_file,
    }
