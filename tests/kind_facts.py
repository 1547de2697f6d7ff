"""Rules of one kind on a layer "line", and measures as the engine would answer them.

Helpers of the tests of the kinds; the site is one hectare.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

from gis.model import (
    Area,
    Claim,
    Demand,
    Finding,
    LayerInfo,
    LayerReport,
    LayerState,
    Measure,
    Near,
    Quantity,
    Sliver,
    Touched,
)
from gis.rulebook import Facts, RuleBook, demands_of, evaluate, load_rulebook

AS_OF = date(2026, 11, 22)
SITE_M2 = 10_000.0  # one hectare, 15 mu
HEAD = """
[[document]]
id = "law"
title = "某法"
verified = true
checked_on = 2026-11-22
source = "全文"

[[rule]]
id = "x.rule"
title = "某规则"
layer = "line"
origin = "statute"
effect_verified = true
office = "某局"
priority = 10
checked_on = 2026-11-22
remedy = "避让"
basis = [{ document = "law", article = "第一条", verified = true }]
"""
AREA_TEXT = 'text = { clear = "未涉及。", hit = "占用 {area}：{parts}，用途 {use}" }\n'

Load = Callable[[str], RuleBook]
Numbers = Mapping[tuple[object, ...], Measure]


def loaded(tmp_path: Path, body: str) -> RuleBook:
    """Return a rule book of one rule on the layer "line", written as a planner writes it."""
    (tmp_path / "rules.toml").write_text(HEAD + body, encoding="utf-8")
    return load_rulebook(["rules.toml"], tmp_path)


def area(m2: float, *slivers: tuple[float, float]) -> Measure:
    """A measure of ``m2`` that decide, plus slivers as (area, width)."""
    small = tuple(Sliver(a, w) for a, w in slivers)
    total = m2 + sum(s.area_m2 for s in small)
    demand = Demand("line", Quantity.INSIDE)
    shown = {"type": "Polygon", "coordinates": []} if total else None
    return Measure(demand, Area(total, total), total / SITE_M2, m2, small, geometry=shown)


def near(*features: tuple[str | None, float, float | None], covered: bool = True) -> Measure:
    """A measure of features as (class, metres to the axis, metres to the edge)."""
    rows = tuple(Near(f"f{n}", c, None, axis, edge) for n, (c, axis, edge) in enumerate(features))
    return Measure(Demand("line", Quantity.DISTANCE), near=rows, reach_covered=covered)


def report(
    state: LayerState = LayerState.CHECKED,
    uncovered: float | None = 0.0,
    reason: str = "",
    scheme: tuple[str, str] | None = None,
) -> LayerReport:
    name, edition = scheme or (None, None)
    info = LayerInfo(
        "line",
        "某线图层",
        "control_line",
        "polygon",
        "2026",
        "schematic",
        scheme=name,
        edition=edition,
    )
    return LayerReport(info, state, None, uncovered, reason)


def judge(
    book: RuleBook,
    numbers: Numbers,
    *,
    use: str | None = "080403",
    attributes: Mapping[str, Claim] | None = None,
    layer: LayerReport | None = None,
) -> Finding:
    (rule,) = book.rules
    facts = Facts(
        use=use,
        attributes=attributes or {},
        as_of=AS_OF,
        site_area_m2=SITE_M2,
        measures={d: answer(d, numbers) for d in demands_of(rule)},
        layers={"line": layer or report()},
    )
    (finding,) = evaluate(book, facts)
    return finding


def answer(demand: Demand, numbers: Numbers) -> Measure:
    if demand.excluding:
        exact = numbers.get(("not", *demand.classes))
        return exact or numbers.get(("not",), area(0.0))
    return numbers.get((demand.quantity, demand.classes), area(0.0))


def inside(measure: Measure, *classes: str) -> Numbers:
    return {(Quantity.INSIDE, classes): measure}


def divided(places: Mapping[str, float]) -> Numbers:
    """Land by the drawn zones that it lies in, by their numbers ("0,1"), "" for none of them."""
    rows = tuple(Touched(key, None, None, m2, m2) for key, m2 in places.items())
    return inside(replace(area(sum(places.values())), features=rows))


def besides(measure: Measure, *classes: str) -> Numbers:
    """Land of none of the classes; without classes the answer to every demand of that sort."""
    return {("not", *classes): measure}


def outside(measure: Measure) -> Numbers:
    return {(Quantity.OUTSIDE, ()): measure}


def distance(measure: Measure) -> Numbers:
    return {(Quantity.DISTANCE, ()): measure}
