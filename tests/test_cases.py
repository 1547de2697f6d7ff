"""The rule book in sentences: ``tests/cases/*.toml``, and what they must cover.

Every expected number in the sentences was worked out from the coordinates beside it. The last test
changes every number of every rule by one hundredth, up and down, and demands that a sentence
notices.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from case_world import (
    Case,
    bundled,
    checked,
    disagreements,
    load_cases,
    plan_of,
    with_rulebook,
)
from pydantic import BaseModel

from gis.model import Rule
from gis.rulebook import RuleBook

LOADED = load_cases()
BY_RULE: dict[str, list[Case]] = defaultdict(list)
for _case in LOADED:
    BY_RULE[_case.rule].append(_case)
RULES = bundled().rulebook.rules
FOUR = ("clear", "edge", "over", "missing")
# Numbers that do not decide by themselves: how slivers are told, and how far to look.
IDLE = {
    "width_tolerance_m",
    "area_tolerance_m2",
    "sliver_limit_m2",
    "plausible_half_width_m",
    "priority",
}
# A threshold of nothing at all becomes this many square metres.
FROM_NOTHING_M2 = 100.0


@pytest.mark.parametrize("case", LOADED, ids=[c.id for c in LOADED])
def test_the_sentence_is_true(case: Case) -> None:
    assert disagreements(case, checked(case)) == []


def test_there_are_two_hundred_sentences_with_names_of_their_own() -> None:
    assert len(LOADED) >= 200
    names = [(case.file, case.row["name"]) for case in LOADED]
    assert len(set(names)) == len(names)


def test_no_sentence_speaks_of_an_unknown_rule() -> None:
    assert {case.rule for case in LOADED} <= {rule.id for rule in RULES}


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.id)
def test_every_rule_is_shown_clear_at_the_edge_over_it_and_without_data(rule: Rule) -> None:
    shown: dict[str, set[tuple[Any, ...]]] = defaultdict(set)
    for case in BY_RULE[rule.id]:
        row = case.row
        shown[row["shows"]].add((case.wanted, row.get("measure"), row.get("share")))
    assert not set(FOUR) - set(shown), f"no case shows {sorted(set(FOUR) - set(shown))}"
    for n, one in enumerate(FOUR):
        for other in FOUR[n + 1 :]:
            differs = any(a != b for a in shown[one] for b in shown[other])
            assert differs, f"{one} and {other} are told apart by nothing: {shown[one]}"


# --- a wrong number is noticed -------------------------------------------------------------------


def numbers(model: BaseModel) -> Iterator[tuple[tuple[Any, ...], float]]:
    """Yield the place and value of every number that decides in a rule."""
    for name in type(model).model_fields:
        if name not in IDLE:
            yield from _numbers(getattr(model, name), (name,))


def _numbers(value: Any, at: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], float]]:
    if isinstance(value, bool | str) or value is None:
        return
    if isinstance(value, float):
        yield at, value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            if name not in IDLE:
                yield from _numbers(getattr(value, name), (*at, name))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _numbers(item, (*at, key))
    elif isinstance(value, tuple):
        for n, item in enumerate(value):
            yield from _numbers(item, (*at, n))


def changed(value: Any, at: tuple[Any, ...], number: float) -> Any:
    """Return a copy with one number replaced."""
    if not at:
        return number
    head, rest = at[0], at[1:]
    if isinstance(value, BaseModel):
        return value.model_copy(update={head: changed(getattr(value, head), rest, number)})
    if isinstance(value, dict):
        return {**value, head: changed(value[head], rest, number)}
    return tuple(changed(v, rest, number) if n == head else v for n, v in enumerate(value))


def wrong(params: BaseModel, at: tuple[Any, ...], value: float) -> list[float]:
    """Return wrong values for a number: a hundredth more and less; a whole storey for storeys."""
    if at[-1] == "threshold_m2" and value == 0:
        return [FROM_NOTHING_M2]
    if value == 0:
        return []
    if _counts_storeys(params, at):
        return [value + 1, value - 1]
    return [value * 1.01, value * 0.99]


def _counts_storeys(params: BaseModel, at: tuple[Any, ...]) -> bool:
    holder: Any = params
    for step in at[:-1]:
        holder = getattr(holder, step) if isinstance(holder, BaseModel) else holder[step]
    return getattr(holder, "attribute", "") == "storeys"


MUTATIONS = [
    pytest.param(rule, at, bad, id=f"{rule.id}-{'.'.join(map(str, at))}-{bad:g}")
    for rule in RULES
    for at, value in numbers(rule.params)
    for bad in wrong(rule.params, at, value)
]


@pytest.mark.parametrize(("rule", "at", "bad"), MUTATIONS)
def test_a_wrong_number_makes_a_sentence_fail(rule: Rule, at: tuple[Any, ...], bad: float) -> None:
    mutated = replace(rule, params=changed(rule.params, at, bad))
    book = RuleBook("mutated", "", (mutated,))
    for case in BY_RULE[rule.id]:
        with with_rulebook(plan_of(case), book):
            if disagreements(case, checked(case), whole=False):
                return
    pytest.fail(f"{at} = {bad:g} instead of the number of the rule: no sentence notices")
