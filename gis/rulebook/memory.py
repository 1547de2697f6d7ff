"""What does a rule find where nothing that it reads has been met? Worked out once, for all sites.

Most rules speak of layers that are nowhere near a site, and what they say then is the same for
every such site. A rule is evaluated once on what there is to say of a site that meets nothing
(``gis.model.Rest``), under a watch that notes every fact it reads. Its finding is given again where
none of them has changed. A rule cannot read a fact past the watch, so no kind of rule needs to be
trusted, or know of it. What belongs to one site alone, its area or its budgets, is never kept.

Nothing is shared but finished findings, which never change; a dictionary is changed in one step
each, so that threads need no lock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import date
from operator import itemgetter
from typing import Any, NamedTuple, cast

from gis.model import Demand, Finding, Rest, Rule
from gis.rulebook.beforehand import Beforehand
from gis.rulebook.facts import Facts

Evaluate = Callable[[Beforehand, Facts], Finding]
Order = tuple[bool, int, int, str]

# Uses and days for which anything is remembered, and findings of one rule for one of them.
_SITUATIONS = 256
_FINDINGS = 8
# Kinds of rest: one for a plan and a selection of its rules, several where coverages differ.
_RESTS = 256


@dataclass(frozen=True, slots=True)
class Remembered:
    """A finding at rest, and what it rests on; None where it belongs to one site.

    ``reads`` are demands and ids of layers, ``others`` further facts with their values, ``order``
    is the place of the finding among others.
    """

    finding: Finding | None
    reads: frozenset[Demand | str]
    others: tuple[tuple[str, Any, Any], ...]
    order: Order

    def holds(self, facts: Facts) -> bool:
        """Whether the further facts are the same as they were."""
        return all(_same(_read(facts, name, key), value) for name, key, value in self.others)


class Resting(NamedTuple):
    """Rules in force, divided once they are known, so that a site looks only at those it moves.

    A part of a book shares the memory of the whole, so ``rules`` tells which they are.
    ``findings`` are those that hold wherever none of their facts has changed, in order, each with
    the identity of what is known of its rule; ``readers`` tells who reads a fact; ``others`` are
    asked every time.
    """

    rules: Sequence[Rule]
    findings: tuple[tuple[Order, Finding, int], ...]
    readers: Mapping[Demand | str, tuple[Beforehand, ...]]
    others: tuple[Beforehand, ...]


@dataclass(slots=True)
class Table:
    """What rules have found at rest, by identity: all of it, and ``simple`` what holds always."""

    known: dict[int, tuple[Remembered, ...]] = field(default_factory=dict)
    simple: dict[int, Remembered] = field(default_factory=dict)
    _resting: Resting | None = None

    def resting(self, rules: Sequence[Rule], about: Callable[[Rule], Beforehand]) -> Resting:
        """Return the rules in force divided by what is known of them; all are asked at first.

        ``about`` tells what is known of a rule before any site.
        """
        known = self._resting
        if known is not None and known.rules is rules:
            return known
        asked = tuple(about(rule) for rule in rules)
        if any(id(rule) not in self.known for rule in rules):
            return Resting(rules, (), {}, asked)
        divided = self._resting = _divided(rules, asked, self.simple)
        return divided


def _divided(
    rules: Sequence[Rule], asked: Iterable[Beforehand], simple: Mapping[int, Remembered]
) -> Resting:
    findings: list[tuple[Order, Finding, int]] = []
    readers: dict[Demand | str, list[Beforehand]] = {}
    others = []
    for known in asked:
        own = simple.get(id(known.rule))
        if own is None or own.finding is None:
            others.append(known)
            continue
        findings.append((own.order, own.finding, id(known)))
        for fact in own.reads:
            readers.setdefault(fact, []).append(known)
    findings.sort(key=itemgetter(0))
    by_fact = {fact: tuple(own) for fact, own in readers.items()}
    return Resting(rules, tuple(findings), by_fact, tuple(others))


@dataclass(frozen=True, slots=True)
class Shelf:
    """What is remembered for one use and day; rules by identity, which the book keeps.

    ``beforehand`` is what is known of a rule without any site, ``known`` what it has found at rest.
    """

    known: dict[Rest, Table] = field(default_factory=dict)
    beforehand: dict[int, Beforehand] = field(default_factory=dict)

    def at(self, rest: Rest | None) -> Table:
        """Return what rules have found at rest; nothing where nobody knows what that is."""
        if rest is None:
            return Table()
        found = self.known.get(rest)
        if found is None:
            if len(self.known) >= _RESTS:
                self.known.clear()
            found = self.known[rest] = Table()
        return found


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


def changed(facts: Facts) -> Set[Demand | str]:
    """Return the demands and the ids of the layers of which the facts say more than at rest."""
    rest, measures, layers = facts.rest, facts.measures, facts.layers
    if rest is None:
        return frozenset()
    found: set[Demand | str] = {d for d, own in rest.measures.items() if measures.get(d) is not own}
    if layers is not rest.layers:
        found.update([name for name, own in rest.layers.items() if layers.get(name) is not own])
    return found


def recall(
    table: Table,
    known: Beforehand,
    facts: Facts,
    evaluate: Evaluate,
    order: Callable[[Finding], Order],
) -> Remembered | None:
    """Return what a rule finds at rest, worked out if need be; None when nobody knows a rest."""
    if facts.rest is None:
        return None
    remembered = table.known.get(id(known.rule), ())
    for own in remembered:
        if own.holds(facts):
            return own
    at_rest = replace(facts, measures=facts.rest.measures, layers=facts.rest.layers)
    watched = Watched(at_rest)
    finding = evaluate(known, cast("Facts", watched))
    own = watched.remembered(finding, order(finding))
    table.known[id(known.rule)] = (own, *remembered[: _FINDINGS - 1])
    if not own.others:
        table.simple[id(known.rule)] = own
    return own


class Watched:
    """Facts that note what is read of them."""

    rest = None  # whoever reads it would know that they are watched

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

    def remembered(self, finding: Finding, order: Order) -> Remembered:
        """Return a finding at rest with what it rests on, without it where that is one site's."""
        reads: set[Demand | str] = set()
        others = []
        alone = False
        for (name, key), value in self._noted.items():
            if name in ("measures", "layers"):
                reads.add(key)
            elif name in ("site_area_m2", "budgets", _EVERYTHING):
                alone = True
            elif name not in ("use", "as_of"):  # told by the shelf
                others.append((name, key, value))
        if alone:
            return Remembered(None, frozenset(), (), order)
        return Remembered(finding, frozenset(reads), tuple(others), order)


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
