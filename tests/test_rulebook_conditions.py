"""``when``: yes, no, unclaimed, unknown; what is not known never makes anything better."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from gis.model import (
    Area,
    Claim,
    LayerInfo,
    LayerReport,
    LayerState,
    Measure,
    Quantity,
    Sliver,
    Verdict,
)
from gis.rulebook import Facts, evaluate
from gis.rulebook.conditions import Answer, Holds, answers, demands_of_conditions, together
from gis.rulebook.schema import Condition

SITE_M2 = 10_000.0


def report(state: LayerState = LayerState.CHECKED, uncovered: float | None = 0.0) -> LayerReport:
    info = LayerInfo("line", "某图层", "any", "polygon", "2026", "schematic")
    return LayerReport(info, state, None, uncovered)


def facts(
    inside: float = 0.0,
    unclassed: float = 0.0,
    *,
    layer: LayerReport | None = None,
    claims: dict[str, Claim] | None = None,
    width: float | None = None,
    conditions: tuple[Condition, ...] = (),
) -> Facts:
    def land(m2: float) -> Area:
        return Area(m2, m2)

    measures = {}
    for demand in demands_of_conditions(conditions):
        m2 = unclassed if demand.excluding else inside
        if demand.quantity is Quantity.OUTSIDE:
            m2 = SITE_M2 * (1 - ((layer or report()).uncovered_share or 0.0)) - inside
        measures[demand] = Measure(demand, land(m2), m2 / SITE_M2, m2)
    return Facts(
        None,
        claims or {},
        date(2026, 11, 22),
        SITE_M2,
        measures,
        {"line": layer or report()},
        width,
    )


def held(condition: Condition, **known: Any) -> Answer:
    (answer,) = answers([condition], facts(conditions=(condition,), **known))
    return answer


@pytest.mark.parametrize(
    ("given", "area", "holds"),
    [
        ({"at_least": 1.0}, 1.0, "yes"),
        ({"at_least": 1.0}, 0.99, "no"),
        ({"above": 1.0}, 1.0, "no"),
        ({"above": 1.0}, 1.01, "yes"),
        ({"at_most": 1.0}, 1.0, "yes"),
        ({"at_most": 1.0}, 1.01, "no"),
        ({"below": 1.0}, 1.0, "no"),
        ({"below": 1.0}, 0.99, "yes"),
        ({"at_least": 1.0, "below": 2.0}, 2.0, "no"),
    ],
)
def test_a_number_is_compared_exactly_at_its_bound(
    given: dict[str, float], area: float, holds: str
) -> None:
    condition = Condition(site="area_m2", **{k: v * SITE_M2 for k, v in given.items()})
    known = replace(facts(), site_area_m2=area * SITE_M2)
    (answer,) = answers([condition], known)
    assert answer.holds.value == holds
    assert f"{area * SITE_M2:,.2f} m²" in answer.text


@pytest.mark.parametrize(
    ("claims", "holds"),
    [({}, "unclaimed"), ({"storeys": 7.0}, "yes"), ({"storeys": 6.0}, "no")],
)
def test_a_claim_not_made_is_not_a_no(claims: dict[str, Claim], holds: str) -> None:
    answer = held(Condition(attribute="storeys", at_least=7.0), claims=claims)
    assert answer.holds.value == holds
    assert "层数" in answer.text


def test_a_width_is_asked_of_roads_and_pipes_only() -> None:
    wide = Condition(site="corridor_width_m", at_least=12.0)
    assert held(wide).holds is Holds.NO
    assert held(wide, width=12.0).holds is Holds.YES
    assert held(Condition(site="corridor", one_of=(True,)), width=3.0).holds is Holds.YES


LAND = [  # m² of the class, m² of no class, uncovered share, then on / off / within
    (0.0, 0.0, 0.0, "no", "yes", "no"),
    (50.0, 0.0, 0.0, "yes", "no", "no"),
    (SITE_M2, 0.0, 0.0, "yes", "no", "yes"),
    (0.0, 50.0, 0.0, "unknown", "unknown", "unknown"),
    (0.0, 0.0, 0.5, "unknown", "unknown", "unknown"),
    (50.0, 0.0, None, "yes", "no", "unknown"),
    (SITE_M2 / 2, 0.0, 0.5, "yes", "no", "unknown"),  # wholly on it as far as the layer goes
    (SITE_M2 - 0.9, 0.0, 0.0, "yes", "no", "no"),  # a square of 0.9 m² is no sliver
]


@pytest.mark.parametrize(("inside", "unclassed", "uncovered", "on", "off", "within"), LAND)
def test_where_the_site_lies(
    inside: float, unclassed: float, uncovered: float | None, on: str, off: str, within: str
) -> None:
    for lies, holds in (("on", on), ("off", off), ("within", within)):
        condition = Condition(layer="line", lies=lies, classes=("a",))
        layer = report(uncovered=uncovered)
        answer = held(condition, inside=inside, unclassed=unclassed, layer=layer)
        assert answer.holds.value == holds, lies


@pytest.mark.parametrize("state", [LayerState.NO_DATA, LayerState.FAILED])
@pytest.mark.parametrize("lies", ["on", "off", "within"])
def test_a_layer_without_answer_is_unknown(state: LayerState, lies: str) -> None:
    condition = Condition.model_validate({"layer": "line", "lies": lies})
    assert held(condition, layer=report(state)).holds is Holds.UNKNOWN
    assert held(condition, inside=float("nan")).holds is Holds.UNKNOWN


@pytest.mark.parametrize(("count", "open_"), [(1, False), (11, False), (12, True)])
@pytest.mark.parametrize("lies", ["on", "off", "within"])
def test_slivers_are_nothing_until_they_are_many(lies: str, count: int, open_: bool) -> None:
    # Of 0.9 m² each: eleven are 9.90 m², twelve are 10.80 m².
    condition = Condition.model_validate({"layer": "line", "lies": lies, "classes": ("a",)})
    slivers = (Sliver(0.9, 0.05),) * count
    known = facts(conditions=(condition,))
    total = Area(0.9 * count, 0.9 * count)
    measures = {
        d: Measure(d) if d.excluding else Measure(d, total, 0.0, 0.0, slivers)
        for d in known.measures
    }
    (answer,) = answers([condition], replace(known, measures=measures))
    sure = Holds.NO if lies == "on" else Holds.YES
    assert answer.holds is (Holds.UNKNOWN if open_ else sure)
    assert ("共 10.80 m²" in answer.text) is open_


def test_no_beats_unknown_beats_unclaimed_beats_yes_in_any_order() -> None:
    """The strong three-valued "and", with the unknown told apart by what is missing."""
    order = [Holds.NO, Holds.UNKNOWN, Holds.UNCLAIMED, Holds.YES]
    for pair in itertools.product(order, repeat=3):
        found = together([Answer(h, h.value) for h in pair])
        assert found.holds is min(pair, key=order.index)
    assert together([]).holds is Holds.YES


def test_without_the_land_a_quota_is_open_and_never_met(plan) -> None:
    # The layer of current land is gone and nobody stated a quota: nothing says what is taken.
    book = plan.rulebook
    layers = {"landuse": report(LayerState.NO_DATA)}
    unknown = Facts("0804", {}, date(2026, 11, 22), SITE_M2, layers=layers)
    found = {f.rule: f for f in evaluate(book, unknown)}
    for rule in ("cn.conversion-quota", "cn.replacement-quota"):
        assert found[rule].verdict is Verdict.UNDETERMINED
        assert "不能确定本条是否适用" in found[rule].reason
