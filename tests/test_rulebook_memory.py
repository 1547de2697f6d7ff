"""A finding is given again only where every fact that it rests on is the same once more."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from test_check_chunk import shapes, site_of

from gis.judge import judge
from gis.model import (
    Demand,
    Finding,
    LayerReport,
    LayerState,
    Measure,
    Quantity,
    Rest,
    Rule,
    Verdict,
)
from gis.plan import Plan
from gis.rulebook import Facts, demands, evaluate
from gis.rulebook.beforehand import Beforehand, of_rule
from gis.rulebook.evaluate import finding_of
from gis.rulebook.memory import Memory, Remembered, Watched, changed, recall

DAY = date(2026, 11, 22)
USES = (None, "0803", "080403", "070102", "100101", "0901", "1207", "1401")
CLAIMS: tuple[dict[str, Any], ...] = (
    {},
    {"emission_class": "zero", "key_project": True},
    {"emission_class": "normal", "public_interest": True, "plot_ratio": 1.5},
    {"land_supply": "granted", "investment_wan": 5000.0, "floor_area_m2": 20000.0},
)


def rule(name: str) -> Rule:
    return Rule(
        name, "某线", "forbid_overlap", None, "statute", True, (), "某局", 1, None, None, DAY
    )


LINE, OTHER = (Demand(name, Quantity.INSIDE) for name in ("l", "other"))
REPORT, FAR = (LayerReport(None, LayerState.CHECKED, "", share) for share in (0.0, 0.5))  # type: ignore[arg-type]  # nobody asks for the layer
REST = Rest({LINE: Measure(LINE), OTHER: Measure(OTHER)}, {"l": REPORT, "other": REPORT})
FOUND = replace(Measure(LINE), count=1)


def facts(**more: Any) -> Facts:
    """Facts at rest but for what is given."""
    given = {"use": "08", "attributes": {}, "as_of": DAY, "site_area_m2": 1e4, "rest": REST}
    return Facts(**{**given, "measures": REST.measures, "layers": REST.layers} | more)


class Asked:
    """Evaluates a rule by reading some facts, and counts how often it is asked."""

    def __init__(self, read: Any) -> None:
        self.times = 0
        self._read = read

    def __call__(self, own: Beforehand, known: Facts) -> Finding:
        self.times += 1
        return Finding(
            own.rule.id, "", Verdict.PASS, None, None, "", str(self._read(known)), (), "", "", "", 1
        )


def remembered(memory: Memory, own: Rule, known: Facts, asked: Asked) -> Remembered | None:
    nothing: Any = None
    before = Beforehand(own, nothing, known.use, (), "", (), (), True, False, None)
    table = memory.shelf(known).at(known.rest)
    return table.simple.get(id(own)) or recall(table, before, known, asked, lambda _: ORDER)


def recalled(memory: Memory, own: Rule, known: Facts, asked: Asked) -> str:
    """What a rule says of some facts, remembered or evaluated anew, as ``evaluate`` does it."""
    found = remembered(memory, own, known, asked)
    if found and found.finding and found.reads.isdisjoint(changed(known)):
        return found.finding.reason
    nothing: Any = None
    return asked(
        Beforehand(own, nothing, known.use, (), "", (), (), True, False, None), known
    ).reason


ORDER = (False, 0, 0, "")


# --- what is noted -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("read", "one", "other"),
    [
        (lambda f: f.use, {"use": "08"}, {"use": "09"}),
        (lambda f: f.as_of, {}, {"as_of": DAY + timedelta(1)}),
        (lambda f: f.corridor_width_m, {}, {"corridor_width_m": 12.0}),
        (lambda f: f.attributes.get("a"), {"attributes": {"a": True}}, {"attributes": {"a": 1}}),
        (lambda f: f.attributes.get("a"), {"attributes": {"a": 1}}, {"attributes": {"a": 1.0}}),
        (lambda f: f.attributes.get("a", "?"), {}, {"attributes": {"a": "x"}}),
        (lambda f: "a" in f.attributes, {}, {"attributes": {"a": "x"}}),
        (lambda f: f.layers.get("l"), {}, {"layers": {"l": FAR, "other": REPORT}}),
        (lambda f: f.layers["l"].uncovered_share, {}, {"layers": {"l": FAR, "other": REPORT}}),
        (lambda f: "l" in f.layers, {}, {"layers": {"other": REPORT}}),
        (lambda f: f.measures.get(LINE), {}, {"measures": {LINE: FOUND, OTHER: Measure(OTHER)}}),
        (lambda f: f.measures.get(LINE), {}, {"measures": {OTHER: Measure(OTHER)}}),
        (lambda f: f.measures[LINE].count, {}, {"measures": {LINE: FOUND}}),
        (lambda f: f.site_area_m2, {}, {"site_area_m2": 2e4}),
        (lambda f: f.share(5.0), {}, {"site_area_m2": 2e4}),
        (lambda f: sorted(f.budgets), {}, {"budgets": {"b": 1}}),
        (lambda f: len(f.layers), {}, {"layers": {"l": REPORT}}),
        (lambda f: f.budgets.get("b"), {"budgets": {"b": 1}}, {"budgets": {"b": 2}}),
    ],
)  # fmt: skip
def test_another_fact_is_another_finding(read: Any, one: Any, other: Any) -> None:
    memory, own, asked = Memory(), rule("x"), Asked(read)
    first, second = facts(**one), facts(**other)
    for known in (first, second, first, second):
        assert recalled(memory, own, known, asked) == str(read(known))
    assert asked.times >= 2


def test_the_same_facts_are_looked_at_once_whatever_else_differs() -> None:
    memory, own, asked = (
        Memory(),
        rule("x"),
        Asked(lambda f: (f.use, f.attributes.get("a"), f.share(0.0), f.measures.get(OTHER))),
    )
    for area in (1e4, 2e4, 3e4):
        more = {"site_area_m2": area, "attributes": {"b": area}}
        recalled(
            memory, own, facts(**more, measures={LINE: FOUND, OTHER: REST.measures[OTHER]}), asked
        )
    assert asked.times == 1


def test_what_belongs_to_one_site_is_not_kept() -> None:
    for read in (lambda f: f.site_area_m2, lambda f: f.share(1.0), lambda f: f.budgets.get("b")):
        kept = remembered(Memory(), rule("x"), facts(), Asked(read))
        assert kept is not None
        assert kept.finding is None


def test_without_a_rest_nothing_is_remembered() -> None:
    memory = Memory()
    assert remembered(memory, rule("x"), facts(rest=None), Asked(lambda f: f.use)) is None
    assert changed(facts(rest=None)) == set()
    assert memory.shelf(facts()).known == {}


def test_changed_are_the_demands_and_layers_that_say_more_than_at_rest() -> None:
    assert changed(facts()) == set()
    layers = {"l": FAR, "other": REPORT}
    assert changed(facts(measures={LINE: FOUND}, layers=layers)) == {LINE, OTHER, "l"}


def test_a_book_that_is_dropped_takes_its_memory_along(plan: Plan) -> None:
    import gc
    import weakref

    book = replace(plan.rulebook)
    site = site_of(next(shapes(plan, 1)), plan, "0803")
    evaluate(book, judge(site, plan, DAY).facts)
    gone = weakref.ref(book.memory)
    del book
    gc.collect()
    assert gone() is None


def test_a_book_and_its_demands_are_the_same_in_another_process(plan: Plan) -> None:
    import pickle
    import subprocess
    import sys

    wanted = demands(plan.rulebook, DAY)
    content = pickle.dumps((plan.rulebook, wanted))
    code = (
        "import sys, pickle, datetime\n"
        "from gis.rulebook import demands\n"
        "book, sent = pickle.load(sys.stdin.buffer)\n"
        "own = demands(book, datetime.date(2026, 11, 22))\n"
        "print(len(set(own) & set(sent)), own == sent, sorted(vars(book)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=content, capture_output=True, check=True
    )
    # Texts have another hash in every process; demands that kept theirs would all be strangers.
    assert done.stdout.decode().startswith(f"{len(wanted)} True ")


def test_a_part_of_a_book_shares_its_memory(plan: Plan) -> None:
    part = plan.rulebook.part(frozenset({"cn.green-line"}))
    assert [r.id for r in part.rules] == ["cn.green-line"]
    assert part.memory is plan.rulebook.memory
    assert plan.rulebook.part(frozenset({"cn.green-line"})) is part


def test_two_rules_of_one_name_have_memories_of_their_own() -> None:
    memory, asked, both = Memory(), Asked(lambda f: f.use), (rule("x"), rule("x"))
    for own in both:
        recalled(memory, own, facts(), asked)
    assert asked.times == 2


def test_memory_is_bounded() -> None:
    memory, own = Memory(), rule("x")
    for n in range(1_000):
        recalled(memory, own, facts(use=str(n)), Asked(lambda f: f.use))
        recalled(memory, own, facts(attributes={"a": n}), Asked(lambda f: f.attributes.get("a")))
        recalled(memory, own, facts(rest=Rest({}, {})), Asked(lambda f: f.use))
    assert len(memory._shelves) <= 256
    assert max(len(shelf.known) for shelf in memory._shelves.values()) <= 256
    tables = [table for shelf in memory._shelves.values() for table in shelf.known.values()]
    assert max(len(kept) for table in tables for kept in table.known.values()) == 8


def test_a_watch_says_what_the_facts_say() -> None:
    known = facts(attributes={"a": 1}, corridor_width_m=3.0)
    watched = Watched(known)
    assert (watched.use, watched.corridor_width_m, watched.share(50.0)) == ("08", 3.0, 0.005)
    assert watched.attributes["a"] == 1
    assert list(watched.attributes) == ["a"]
    with pytest.raises(KeyError):
        watched.layers["none"]


# --- on the bundled plan -------------------------------------------------------------------------


def situations(plan: Plan) -> Iterator[Facts]:
    """Facts of random sites, with layers missing, uncovered or unreadable, uses, claims, days.

    Those that differ from the site keep its rest, which must not be taken for what they say.
    """
    random = np.random.default_rng(9)
    for n, shape in enumerate(shapes(plan, 24)):
        site = replace(site_of(shape, plan, USES[n % 8]), claims=CLAIMS[n % 4])
        day = DAY if n % 3 else DAY - timedelta(days=int(random.integers(100, 3000)))
        known = judge(site, plan, day).facts
        yield known
        name = list(known.layers)[int(random.integers(len(known.layers)))]
        report = known.layers[name]
        for change in ({"uncovered_share": 0.3}, {"state": LayerState.NO_DATA, "reason": "无"}):
            yield replace(known, layers={**known.layers, name: replace(report, **change)})
        gone = {d: m for d, m in known.measures.items() if d.layer != name}
        yield replace(known, measures=gone)


def test_remembered_findings_are_those_that_would_be_found_anew(plan: Plan) -> None:
    for known in [*situations(plan), *situations(plan)]:
        rules = plan.rulebook.in_force(known.as_of)
        anew = {r.id: finding_of(of_rule(r, known.use, known.as_of), known) for r in rules}
        found = {f.rule: f for f in evaluate(plan.rulebook, known)}
        assert found == anew


def test_a_part_of_a_book_is_asked_its_own_rules_on_the_facts_of_the_whole(plan: Plan) -> None:
    known = judge(site_of(next(shapes(plan, 1)), plan, "0803"), plan, DAY).facts
    names = frozenset(("cn.green-line", "cn.permanent-farmland"))
    part = plan.rulebook.part(names)
    for _ in range(3):  # both are remembered, in turns
        whole = evaluate(plan.rulebook, known)
        assert len(whole) == len(plan.rulebook.in_force(DAY))
        assert evaluate(part, known) == tuple(f for f in whole if f.rule in names)


def test_findings_without_the_land_they_mark_say_the_same(plan: Plan) -> None:
    marked = 0
    for known in situations(plan):
        found = evaluate(plan.rulebook, known)
        marked += sum(f.geometry is not None for f in found)
        bare = evaluate(plan.rulebook, known, marked=False)
        assert bare == tuple(replace(f, geometry=None) for f in found)
    assert marked


def test_most_rules_are_remembered(plan: Plan) -> None:
    site = site_of(next(shapes(plan, 1)), plan, "0803")
    first, second = (judge(site, plan, DAY).findings for _ in range(2))
    same = sum(a is b for a, b in zip(first, second, strict=True))
    assert same > len(first) / 2


def test_threads_remember_together(plan: Plan) -> None:
    known = list(situations(plan))[:40]
    alone = [evaluate(plan.rulebook, one) for one in known]
    vars(plan.rulebook).pop("memory", None)
    found: dict[int, list[object]] = {}

    def work(n: int) -> None:
        found[n] = [evaluate(plan.rulebook, one) for one in known]

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(own == alone for own in found.values())
