"""In what do two decisions differ? Verdict, rules, areas, layers, each by name."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from gis.canonical import canonical_json

# More than a person reads.
_MOST = 100


@dataclass(frozen=True, slots=True)
class Difference:
    """One value of a decision that is another one now, as JSON values; None where it is absent."""

    where: str
    recorded: Any
    found: Any

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"where": self.where, "recorded": self.recorded, "found": self.found}


def differences_between(recorded: str, found: str) -> tuple[Difference, ...]:
    """Return in what two decision parts (canonical JSON) differ, the verdict first."""
    try:
        old, new = json.loads(recorded), json.loads(found)
        return tuple(islice(_differences(old, new), _MOST))
    except (ValueError, KeyError, TypeError, AttributeError):
        return ()  # a damaged decision part is a fault of its own


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    for key in ("verdict", "deciding_rule", "as_of", "plan", "rulebook", "site"):
        if old[key] != new[key]:
            yield Difference(key, old[key], new[key])
    yield from _by_name("findings", old, new, ("rule",))
    yield from _by_name("layers", old, new, ("id",))
    yield from _by_name("evidence", old, new, ("layer", "class", "kind", "name"))
    yield from _by_name("contacts", old, new, ("layer", "rule", "area_m2"))


def _by_name(
    section: str, old: Mapping[str, Any], new: Mapping[str, Any], names: tuple[str, ...]
) -> Iterator[Difference]:
    before, after = _named(old[section], names), _named(new[section], names)
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            yield Difference(f"{section}/{name}", before.get(name), after.get(name))


def _named(rows: list[dict[str, Any]], names: tuple[str, ...]) -> dict[str, Any]:
    """Return rows by name; rows of one name are numbered in the order of their content."""
    found: dict[str, Any] = {}
    for row in sorted(rows, key=canonical_json):
        name = "/".join(str(row[part]) for part in names if row[part] is not None)
        while name in found:
            name += "+"
        found[name] = row
    return found
