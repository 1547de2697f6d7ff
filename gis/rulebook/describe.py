"""How is a rule listed? One rule as plain JSON values, the shape of ``/v1/rules`` and the CLI."""

from __future__ import annotations

from typing import Any

from gis.model import Rule
from gis.rulebook.kinds import threshold_of
from gis.rulebook.mistakes import limits_of
from gis.rulebook.schema import RuleEntry, plain

# What every rule has stands at the top of the row; the rest are the parameters of its kind.
_COMMON = set(RuleEntry.model_fields) - {"text", "applies_to", "when", "exceptions"} | {"kind"}
# The kinds of rule as short Chinese words.
KIND_TITLES = {
    "forbid_overlap": "禁止占用",
    "require_within": "位于范围内",
    "share_limit": "占比限值",
    "min_distance": "最小距离",
    "use_permitted": "分区准入",
    "compatible_use": "用途兼容",
    "attribute_limit": "指标限值",
    "convert": "地类转用",
    "quota": "指标余额",
    "document_required": "须办手续",
}


def describe(rule: Rule) -> dict[str, Any]:
    """Return a rule with its parameters, citations, dates and origin."""
    params = {k: v for k, v in plain(rule.params).items() if k not in _COMMON}
    return {
        "id": rule.id,
        "title": rule.title,
        "title_en": rule.title_en,
        "kind": rule.kind,
        "kind_label": KIND_TITLES[rule.kind],
        "layers": list(rule.layers),
        "origin": rule.origin,
        "effect_verified": rule.effect_verified,
        "threshold": threshold_of(rule),
        "valid_from": rule.valid_from and rule.valid_from.isoformat(),
        "valid_to": rule.valid_to and rule.valid_to.isoformat(),
        "checked_on": rule.checked_on.isoformat(),
        "office": rule.office,
        "priority": rule.priority,
        "remedy": rule.remedy,
        "basis": [b.to_dict() for b in rule.basis],
        "parameters": _parameters(rule.params),
        "params": params,
        "source_file": rule.source_file,
    }


def _parameters(params: RuleEntry) -> list[dict[str, Any]]:
    """Return the plan parameters that set limits of the rule; ``value`` null is not published."""
    named = {limit.parameter: limit for _, limit in limits_of(params) if limit.parameter}
    return [{"id": p, "title": limit.title, "value": limit.value} for p, limit in named.items()]
