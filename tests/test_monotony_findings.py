"""Worse data never makes one rule say something better: every rule, every layer it looks at.

The places are those of the sentence cases, one that a rule is against and one that it is not. Of
each layer the data are taken away, made unreadable, robbed of a column, or cut off at a border, as
a county would have them that has mapped half of its land. What the rule says then may be open where
it was against; it may not become a pass, a condition or "does not apply".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import shapely
from case_world import (
    WORLD,
    Case,
    bundled,
    load_cases,
    plan_of,
    site_of,
)

from gis.claims import with_claims
from gis.engine import LayerIndex
from gis.judge import judge
from gis.model import Finding, LayerState, Verdict
from gis.plan import Plan

GOOD = {Verdict.PASS, Verdict.CONDITIONAL, Verdict.NOT_APPLICABLE}
# What a budget is made of, though no rule on budgets names it.
OF_BUDGETS = ("landuse", "dev_boundary", "farmland")


def chosen() -> dict[str, list[Case]]:
    """Of each rule in force the first case that is over and the first that is clear."""
    found: dict[str, dict[str, Case]] = {}
    for case in load_cases():
        drawn = not (
            isinstance(case.row["site"], dict) and {"sample", "lonlat"} & set(case.row["site"])
        )
        if drawn and case.row["shows"] in ("over", "clear"):
            found.setdefault(case.rule, {}).setdefault(case.row["shows"], case)
    return {rule: list(cases.values()) for rule, cases in sorted(found.items())}


CASES = chosen()


def said(case: Case, plan: Plan) -> Finding:
    site = with_claims(site_of(case), case.use, case.row.get("attributes"))
    rules = frozenset([case.rule])
    (finding,) = judge(site, plan, case.day, rules, with_evidence=False).findings
    return finding


def kept(index: LayerIndex, mask: np.ndarray) -> LayerIndex:
    columns = ("ids", "classes", "names", "half_widths", "geometries")
    own: dict[str, Any] = {name: getattr(index, name)[mask] for name in columns}
    return replace(index, **own, values={k: v[mask] for k, v in index.values.items()})


def empty_column(length: int) -> np.ndarray:
    return np.full(length, None, dtype=object)


def poorer(index: LayerIndex) -> Iterator[tuple[str, LayerIndex]]:
    """Yield the layer without some of its data."""
    count = len(index)
    nothing = kept(index, np.zeros(count, dtype=bool))
    for state in (LayerState.NO_DATA, LayerState.FAILED):
        yield state.value, replace(nothing, state=state, content_sha256=None)
    if not count:
        return
    yield "no classes", replace(index, classes=empty_column(count))
    yield "no values", replace(index, values={})
    yield "empty values", replace(index, values=dict.fromkeys(index.values, empty_column(count)))
    if index.info.geometry == "line":
        yield "no half widths", replace(index, half_widths=np.full(count, np.nan))


def borders(site: shapely.Geometry) -> dict[str, shapely.Polygon]:
    """Return coverages that cut through the site, follow it, or end just beyond it."""
    west, south, east, north = site.bounds
    middle, far = (west + east) / 2, 20_000.0
    return {
        "western half": shapely.box(west - far, south - far, middle, north + far),
        "eastern half": shapely.box(middle, south - far, east + far, north + far),
        "the site": shapely.box(west, south, east, north),
        "5 m around": shapely.box(west - 5, south - 5, east + 5, north + 5),
    }


def cut_off(index: LayerIndex, coverage: shapely.Geometry) -> LayerIndex:
    """Return what is left of the features inside a coverage."""
    cut = shapely.intersection(index.geometries, coverage)
    same = shapely.get_dimensions(cut) == shapely.get_dimensions(index.geometries)
    mask = np.asarray(same & ~shapely.is_empty(cut), dtype=bool)
    return replace(kept(index, mask), geometries=np.asarray(cut, dtype=object)[mask])


def with_layer(plan: Plan, name: str, index: LayerIndex, coverage: Any) -> Plan:
    layers = plan.layers | {name: replace(plan.layers[name], index=index)}
    changed = Plan(plan.root, plan.file, layers, plan.rulebook)
    # Computed once by a plan; here they are said.
    changed.__dict__["coverages"] = plan.coverages | {name: coverage}
    changed.__dict__["bounds_polygon"] = WORLD
    return changed


def spoiled(case: Case, plan: Plan) -> Iterator[tuple[str, Plan]]:
    """Yield the plan of a case with one of the layers that its rule looks at made worse."""
    rule = plan.rulebook.rule(case.rule)
    names = (*rule.layers, *rule.params.when_layers, *(OF_BUDGETS if rule.kind == "quota" else ()))
    for name in dict.fromkeys(names):
        index, coverage = plan.layers[name].index, plan.coverages[name]
        for what, worse in poorer(index):
            yield f"{name}: {what}", with_layer(plan, name, worse, coverage)
        for what, border in borders(site_of(case).geometry).items():
            less = shapely.intersection(border, coverage)
            if not less.is_empty:
                yield f"{name}: {what}", with_layer(plan, name, cut_off(index, less), less)
        yield f"{name}: coverage unknown", with_layer(plan, name, index, None)


@pytest.mark.parametrize("rule", CASES)
def test_a_rule_never_says_something_better_of_poorer_data(rule: str) -> None:
    for case in CASES[rule]:
        plan = plan_of(case)
        before = said(case, plan)
        for what, poor in spoiled(case, plan):
            after = said(case, poor)
            better = after.verdict in GOOD and before.verdict not in GOOD
            assert not better, (what, case.row["name"], before.reason, after.reason)


def test_every_rule_is_looked_at() -> None:
    assert set(CASES) == {rule.id for rule in bundled().rulebook.rules}
