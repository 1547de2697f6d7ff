"""Whatever the facts are: no rule raises, order does not matter, more restricted land is no better.

The rule book is the bundled one, with every kind in it; facts are drawn by chance from a fixed
seed, with claims of wrong types, empty values and numbers that are none among them.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from gis.model import (
    Area,
    Demand,
    Impact,
    LayerInfo,
    LayerReport,
    LayerState,
    Measure,
    Near,
    Sliver,
    Touched,
    Verdict,
)
from gis.plan import load_plan
from gis.rulebook import Facts, RuleBook, demands, demands_of, evaluate

BOOK: RuleBook = load_plan(Path(__file__).resolve().parents[1] / "data").rulebook
AS_OF = date(2026, 11, 22)
WANTED = demands(BOOK, AS_OF)
NAMES = sorted({name for r in BOOK.rules for name in (*r.layers, *r.params.when_layers)})
USES = [None, "07", "0701", "070102", "080403", "1001", "0101", "1207", "14", "9999"]
CLASSES = [None, "", "0701", "1207", "国道", "一级保护区", "Z3", "?"]
CLAIMS = {
    "plot_ratio": [1.2, 0.0, 1e9],
    "storeys": [3.0, 6.0, "many"],
    "investment_wan": [0.0, 5000.0],
    "emission_class": ["zero", "normal", ""],
    "public_interest": [True, False],
    "land_supply": ["granted", "allocated"],
}


def number(dice: random.Random) -> float:
    return dice.choice([0.0, 0.004, 0.9, 49.99, 1e3, 1e4, float("nan"), float("inf"), -1.0])


def measure(dice: random.Random, demand: Demand) -> Measure:
    m2 = number(dice) if dice.random() < 0.05 else dice.choice([0.0, 0.0, 3.0, 5e3, 1e4])
    near = tuple(
        Near(f"n{k}", dice.choice(CLASSES), None, dice.uniform(0, 80), dice.choice([None, 3.0]),
             {"setting": dice.choice([None, "城市市区", "?", 3.0])})
        for k in range(dice.randrange(3))
    )  # fmt: skip
    values = {v: dice.choice([None, 1.5, "x", float("nan")]) for v in demand.values}
    touched = tuple(
        Touched(f"t{k}", dice.choice(CLASSES), None, m2, m2, values)
        for k in range(dice.randrange(3))
    )
    slivers = (Sliver(0.5, 0.01),) * dice.choice([0, 0, 1, 40])
    covered = dice.random() < 0.8
    return Measure(
        demand, Area(m2, m2), 0.1, m2, slivers, m2, dice.randrange(3), near, touched, covered
    )


def layer(dice: random.Random, name: str) -> LayerReport:
    info = LayerInfo(name, f"图层{name}", "any", "polygon", "2026", "schematic")
    state = dice.choice([LayerState.CHECKED] * 8 + [LayerState.NO_DATA, LayerState.FAILED])
    return LayerReport(info, state, None, dice.choice([0.0, 0.0, 0.0, 0.3, None]))


def budget(dice: random.Random, key: str) -> Impact:
    amounts = [None, 0.0, 500.0]
    return Impact(
        key, "某项", dice.choice(amounts), covered_m2=dice.choice(amounts),
        reserved_m2=dice.choice(amounts), free_before_m2=dice.choice(amounts),
        shortfall_m2=dice.choice(amounts), exceeded=dice.choice([None, True, False]),
    )  # fmt: skip


def by_chance(seed: int) -> Facts:
    dice = random.Random(seed)
    claims = {k: dice.choice(v) for k, v in CLAIMS.items() if dice.random() < 0.5}
    accounts = ("conversion", "replacement", "dev_boundary:410", "reservations")
    return Facts(
        use=dice.choice(USES),
        attributes=claims,
        as_of=AS_OF,
        site_area_m2=dice.choice([1e4, 1e4, 1e4, 0.0]),
        measures={d: measure(dice, d) for d in WANTED if dice.random() < 0.98},
        layers={name: layer(dice, name) for name in NAMES if dice.random() < 0.98},
        corridor_width_m=dice.choice([None, 12.0]),
        budgets={k: budget(dice, k) for k in accounts if dice.random() < 0.5},
    )


@pytest.mark.parametrize("seed", range(40))
def test_no_facts_make_a_rule_raise_and_every_finding_has_a_reason(seed: int) -> None:
    for found in evaluate(BOOK, by_chance(seed)):
        assert isinstance(found.verdict, Verdict)
        assert found.reason.endswith("。"), found.rule
        assert "nan" not in found.reason, found.rule


@pytest.mark.parametrize("seed", range(10))
def test_the_order_of_features_and_measures_does_not_matter(seed: int) -> None:
    facts = by_chance(seed)
    turned = {
        d: replace(m, near=m.near[::-1], features=m.features[::-1], slivers=m.slivers[::-1])
        for d, m in reversed(facts.measures.items())
    }
    other = replace(
        facts,
        measures=turned,
        layers=dict(reversed(facts.layers.items())),
        budgets=dict(reversed(facts.budgets.items())),
    )
    assert evaluate(BOOK, other) == evaluate(BOOK, facts)


@pytest.mark.parametrize("seed", range(10))
def test_more_land_on_a_forbidden_layer_never_makes_a_rule_better(seed: int) -> None:
    facts = by_chance(seed)
    before = {f.rule: f.verdict.rank for f in evaluate(BOOK, facts)}
    for rule in BOOK.in_force(AS_OF):
        if rule.kind != "forbid_overlap" or rule.params.measure != "area":
            continue
        demand = demands_of(rule)[0]
        old = facts.measures.get(demand)
        if old is None or any(c.layer == rule.params.layer for c in rule.params.when):
            continue
        m2 = old.decisive_m2 + 700.0
        more = replace(old, area=Area(m2, m2), decisive_m2=m2)
        grown = replace(facts, measures={**facts.measures, demand: more})
        after = next(f for f in evaluate(RuleBook("", "", (rule,)), grown) if f.rule == rule.id)
        assert after.verdict.rank >= before[rule.id], rule.id
