"""What a rule has found before, for sites of which it knew exactly the same.

Most rules speak of layers that are nowhere near a site, and what they say then is the same for
every such site. A rule is evaluated under a watch that notes every fact it reads. The finding is
kept with these notes, and is given again only when each noted fact is the same once more. A rule
cannot read a fact past the watch, so no kind of rule needs to be trusted, or know of it.

Kept are findings whose measures found nothing: a measure that found something belongs to one site.
Nothing is shared but finished findings, which never change; a dictionary is changed in one step
each, so that threads need no lock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, cast

from gis.model import Demand, Finding, LayerReport, Measure, Rule
from gis.rulebook.beforehand import Beforehand
from gis.rulebook.facts import Facts

Evaluate = Callable[[Beforehand, Facts], Finding]

# Uses and days for which anything is remembered, and findings of one rule for one of them.
_SITUATIONS = 256
_FINDINGS = 8


@dataclass(frozen=True, slots=True)
class Remembered:
    """A finding, and every fact that it rests on; measures and layers by identity."""

    rule: Rule
    finding: Finding
    measures: tuple[tuple[Demand, Measure | None], ...]
    layers: tuple[tuple[str, LayerReport | None], ...]
    others: tuple[tuple[str, Any, Any], ...]

    def holds(self, facts: Facts) -> bool:
        """Whether the facts are the same as they were."""
        found, reports = facts.measures, facts.layers
        for demand, measure in self.measures:
            if found.get(demand) is not measure:
                return False
        for name, report in self.layers:
            if reports.get(name) is not report:
                return False
        return all(_same(_read(facts, name, key), value) for name, key, value in self.others)


@dataclass(frozen=True, slots=True)
class Shelf:
    """What is remembered for one use and day, by identity of the rule, which the book keeps.

    ``beforehand`` is what is known of a rule without any site.

    ``in_vain`` counts how often a rule was watched and read what belongs to one site: after a few
    times in a row it is no longer watched.
    """

    known: dict[int, tuple[Remembered, ...]] = field(default_factory=dict)
    in_vain: dict[int, int] = field(default_factory=dict)
    beforehand: dict[int, Beforehand] = field(default_factory=dict)


# Vain watches, since the last one that was not, after which a rule is left alone.
_ATTEMPTS = 5


class Memory:
    """What the rules of one book remember; it goes with the book."""

    def __init__(self) -> None:
        self._shelves: dict[tuple[str | None, date], Shelf] = {}

    def shelf(self, facts: Facts) -> Shelf:
        """Return what is remembered for the use and the day of some facts."""
        key = facts.use, facts.as_of
        shelf = self._shelves.get(key)
        if shelf is None:
            if len(self._shelves) >= _SITUATIONS:
                self._shelves.clear()
            shelf = self._shelves[key] = Shelf()
        return shelf


def recall(shelf: Shelf, rule: Rule, facts: Facts) -> Finding | None:
    """Return what a rule found when it knew the same facts; None when it never did."""
    for remembered in shelf.known.get(id(rule), ()):
        if remembered.holds(facts):
            return remembered.finding
    return None


def learn(shelf: Shelf, known: Beforehand, facts: Facts, evaluate: Evaluate) -> Finding:
    """Return what a rule finds, and remember it if other sites may know the same facts."""
    rule = known.rule
    attempts = shelf.in_vain.get(id(rule), 0)
    if attempts >= _ATTEMPTS:
        return evaluate(known, facts)
    watched = Watched(facts)
    finding = evaluate(known, cast("Facts", watched))
    if (kept := watched.remembered(rule, finding)) is not None:
        shelf.known[id(rule)] = (kept, *shelf.known.get(id(rule), ())[: _FINDINGS - 1])
        shelf.in_vain[id(rule)] = 0
    else:
        shelf.in_vain[id(rule)] = attempts + 1
    return finding


class Watched:
    """Facts that note what is read of them."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._noted: dict[tuple[str, Any], Any] = {}
        self.measures = _Table(facts.measures, "measures", self._noted)
        self.layers = _Table(facts.layers, "layers", self._noted)
        self.attributes = _Table(facts.attributes, "attributes", self._noted)
        self.budgets = _Table(facts.budgets, "budgets", self._noted)

    def __getattr__(self, name: str) -> Any:
        """Return one of the plain facts."""
        value = self._noted[name, None] = getattr(self._facts, name)
        return value

    def share(self, area_m2: float) -> float:
        """Return an area as a share of the site; of no area it is 0, whatever the site."""
        if area_m2 == 0:
            return 0.0
        _ = self.site_area_m2
        return self._facts.share(area_m2)

    def remembered(self, rule: Rule, finding: Finding) -> Remembered | None:
        """Return a finding with what it rests on; None when that belongs to this site alone."""
        measures, layers, others = [], [], []
        for (name, key), value in self._noted.items():
            if name == "measures":
                if value is not None and not value.is_nothing:
                    return None
                measures.append((key, value))
            elif name == "layers":
                layers.append((key, value))
            elif name in ("site_area_m2", "budgets", _EVERYTHING):
                return None
            elif name not in ("use", "as_of"):  # told by the shelf
                others.append((name, key, value))
        return Remembered(rule, finding, tuple(measures), tuple(layers), tuple(others))


_EVERYTHING = "everything"


class _Table(Mapping[Any, Any]):
    """A mapping that notes which of its keys were asked for, also those that it lacks."""

    def __init__(self, table: Mapping[Any, Any], name: str, noted: dict[Any, Any]) -> None:
        self._table = table
        self._name = name
        self._noted = noted

    def get(self, key: Any, default: Any = None) -> Any:
        value = self._noted[self._name, key] = self._table.get(key)
        return default if value is None else value

    def __getitem__(self, key: Any) -> Any:
        self._noted[self._name, key] = self._table.get(key)
        return self._table[key]

    def __contains__(self, key: object) -> bool:
        self._noted[self._name, key] = self._table.get(key)
        return key in self._table

    def __iter__(self) -> Iterator[Any]:
        self._noted[_EVERYTHING, self._name] = None
        return iter(self._table)

    def __len__(self) -> int:
        self._noted[_EVERYTHING, self._name] = None
        return len(self._table)


def _read(facts: Facts, name: str, key: Any) -> Any:
    return facts.attributes.get(key) if name == "attributes" else getattr(facts, name)


def _same(one: Any, other: Any) -> bool:
    # True is 1 to Python, and a claim of either is not one of the other.
    return type(one) is type(other) and bool(one == other)
