"""What holds for every rule: states of layers, caps, order, dates; and the demonstration cases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.vendor.pretty import RepresentationPrinter

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
    Verdict,
)
from gis.rulebook import (
    Facts,
    RuleBook,
    contacts,
    decide,
    demands,
    demands_of,
    evaluate,
    land_classes,
    load_rulebook,
    sort_findings,
)

DATA = Path(__file__).resolve().parents[1] / "data"
BOOK = load_rulebook(("cn", "rules/zones.toml", "rules/local.toml"), DATA)
AS_OF = date(2026, 11, 22)
SITE_M2 = 30_000.0
REDLINE = "cn.ecological-redline"
LAYERS = sorted({name for rule in BOOK.rules for name in rule.layers})


def report(
    name: str,
    state: LayerState = LayerState.CHECKED,
    uncovered: float | None = 0.0,
    law_status: str = "in_force",
) -> LayerReport:
    info = LayerInfo(name, f"图层{name}", "any", "polygon", "2026", "schematic", law_status)
    return LayerReport(info, state, None, uncovered)


def area(demand: Demand, m2: float, *slivers: Sliver) -> Measure:
    total = m2 + sum(s.area_m2 for s in slivers)
    return Measure(demand, Area(total, total), min(total / SITE_M2, 1), m2, slivers)


def clean_facts(
    use: str | None = "080403",
    zone: str = "Z5",
    *,
    on: Mapping[str, float] | None = None,
    roads: tuple[Near, ...] = (),
    attributes: Mapping[str, Claim] | None = None,
    as_of: date = AS_OF,
    changes: Mapping[str, LayerReport] | None = None,
) -> Facts:
    """A site wholly in one zone and in 集中建设区; ``on`` puts m² on a layer or layer:class.

    ``-layer`` is land off the layer, ``~layer`` land of a class that no rule names.
    """
    home = {"resort": SITE_M2, "dev_boundary": SITE_M2, "dev_boundary:410": SITE_M2}
    home |= {"landuse": SITE_M2, "ownership": SITE_M2, "ownership:国有": SITE_M2}
    touched = home | {f"zones:{zone}": SITE_M2, "planned_use": SITE_M2} | dict(on or {})
    somewhere = {key.lstrip("~").partition(":")[0] for key in touched}

    def answer(demand: Demand) -> Measure:
        if demand.quantity is Quantity.DISTANCE:
            return Measure(demand, near=roads if demand.layer == "roads" else ())
        if demand.quantity is Quantity.OUTSIDE:
            elsewhere = 0.0 if demand.layer in somewhere else SITE_M2
            return area(demand, touched.get(f"-{demand.layer}", elsewhere))
        if demand.excluding:
            return area(demand, touched.get(f"~{demand.layer}", 0.0))
        keys = [f"{demand.layer}:{c}" for c in demand.classes] or [demand.layer]
        total = area(demand, sum(touched.get(k, 0.0) for k in keys))
        if not demand.by_class:
            return total
        planned = Touched("p1", use or "0701", None, SITE_M2, SITE_M2)
        return replace(total, features=(planned,))

    return Facts(
        use=use,
        attributes=attributes or {},
        as_of=as_of,
        site_area_m2=SITE_M2,
        measures={d: answer(d) for d in demands(BOOK, as_of)},
        layers={name: report(name) for name in LAYERS} | dict(changes or {}),
    )


def verdict_of(facts: Facts) -> tuple[str, str | None]:
    verdict, rule = decide(evaluate(BOOK, facts))
    return verdict.value, rule


def finding(facts: Facts, rule: str) -> Finding:
    return next(f for f in evaluate(BOOK, facts) if f.rule == rule)


# --- the demonstration cases ---------------------------------------------------------------------


def test_a_clean_school_in_the_living_zone_passes() -> None:
    street = Near("s", "城市主干路", "弘山路", 20.0, 0.0)
    # 公路安全保护条例 第十三条: schools keep 50 m from the 20 m of a national road.
    highway = Near("h", "国道", None, 94.0, 70.0)
    assert verdict_of(clean_facts(roads=(street, highway))) == ("pass", None)


def test_the_same_school_on_some_cultivated_land_is_conditional() -> None:
    facts = clean_facts(on={"landuse:01*": 1200.0})
    assert verdict_of(facts) == ("conditional", "cn.cultivated-land")
    # By hand: 1,200 m² are 1.80 mu and 4 % of 30,000 m².
    assert "1,200.00 m²（1.80 亩，占地块 4.0%）" in finding(facts, "cn.cultivated-land").reason


def test_industry_in_the_carbon_zone_needs_its_emission_class() -> None:
    for use in ("1001", "100101", "0802"):
        assert verdict_of(clean_facts(use, "Z3")) == ("undetermined", "plan.zone-use")
        for emission, expected in (("zero", "conditional"), ("low", "conditional")):
            facts = clean_facts(use, "Z3", attributes={"emission_class": emission})
            assert finding(facts, "plan.zone-use").verdict == expected
        facts = clean_facts(use, "Z3", attributes={"emission_class": "normal"})
        assert verdict_of(facts) == ("fail", "plan.zone-use")


def test_a_plaza_across_the_green_line_fails_and_a_road_is_conditional() -> None:
    on = {"green_line": 1010.0}
    assert verdict_of(clean_facts("0901", on=on)) == ("fail", "cn.green-line")
    assert verdict_of(clean_facts("1207", on=on)) == ("conditional", "cn.green-line")
    assert verdict_of(clean_facts("1402", on=on)) == ("pass", None)
    # Without a use both outcomes are possible, and the zone rule is open too.
    assert verdict_of(clean_facts(None, on=on))[0] == "undetermined"


def test_a_theme_park_on_permanent_farmland_fails_whatever_else_is_wrong() -> None:
    on = {"farmland": 8000.0, "-dev_boundary": SITE_M2, "dev_boundary:410": 0.0}
    assert verdict_of(clean_facts("0903", "Z4", on=on)) == ("fail", "cn.permanent-farmland")


def test_ploughing_permanent_farmland_is_no_breach() -> None:
    facts = clean_facts("0103", "Z4", on={"farmland": 8000.0, "landuse:01*": 8000.0})
    assert finding(facts, "cn.permanent-farmland").verdict == "pass"
    assert finding(facts, "cn.cultivated-land").verdict == "pass"


def test_one_sliver_on_permanent_farmland_leaves_it_open() -> None:
    facts = clean_facts()
    demand = next(d for d in facts.measures if d.layer == "farmland")
    measures = {**facts.measures, demand: area(demand, 0.0, Sliver(0.002, 0.01))}
    touched = replace(facts, measures=measures)
    assert verdict_of(touched) == ("undetermined", "cn.permanent-farmland")
    (contact,) = contacts(BOOK, touched)
    assert (contact.layer, contact.rule, contact.area_m2) == (
        "farmland",
        "cn.permanent-farmland",
        0.002,
    )


def test_a_green_belt_on_cultivated_land_names_the_law_against_it() -> None:
    facts = clean_facts("1402", on={"landuse:01*": 900.0})
    found = finding(facts, "cn.greening-on-cultivated-land")
    assert found.verdict == "conditional"
    assert "food-security-2023" in {b.document.id for b in found.basis}
    assert finding(clean_facts(), "cn.greening-on-cultivated-land").verdict == "not_applicable"


@pytest.mark.parametrize(
    ("cls", "use", "expected"),
    [
        ("410", "0901", "pass"),
        ("集中建设区", "0901", "pass"),
        ("420", "0901", "conditional"),
        ("430", "0901", "undetermined"),  # no article on 特别用途区 has been read
        ("430", "1401", "conditional"),
        ("430", "0103", "pass"),
    ],
)
def test_the_kind_of_the_development_boundary_decides(cls: str, use: str, expected: str) -> None:
    on = {"dev_boundary:410": 0.0, f"dev_boundary:{cls}": SITE_M2}
    facts = clean_facts(use, on=on)
    assert finding(facts, "cn.development-boundary-kind").verdict == expected
    assert finding(facts, "cn.development-boundary").verdict == "pass"


@pytest.mark.parametrize(
    ("use", "expected"),
    [("0901", "fail"), ("0703", "undetermined"), ("1202", "undetermined"), ("0602", "pass")],
)
def test_outside_the_development_boundary_urban_uses_fail(use: str, expected: str) -> None:
    facts = clean_facts(use, on={"-dev_boundary": SITE_M2, "dev_boundary:410": 0.0})
    assert finding(facts, "cn.development-boundary").verdict == expected
    assert finding(facts, "cn.development-boundary-kind").verdict == "pass"


@pytest.mark.parametrize("key", ["~landuse", "-landuse"])
def test_land_without_a_land_class_leaves_conversion_open(key: str) -> None:
    facts = clean_facts(on={key: 600.0})
    assert verdict_of(facts) == ("undetermined", "cn.cultivated-land")
    reason = finding(facts, "cn.cultivated-land").reason
    assert "600.00 m²" in reason
    assert "没有耕地" not in reason
    ploughed = clean_facts("0103", "Z4", on={key: 600.0})
    assert finding(ploughed, "cn.cultivated-land").verdict == "pass"
    # It may be forest, which must not be cleared for fields.
    assert finding(ploughed, "cn.agricultural-land").verdict == "undetermined"


def test_a_site_partly_off_the_data_is_never_said_to_lie_wholly_inside() -> None:
    facts = clean_facts(changes={"resort": report("resort", uncovered=0.3)})
    found = finding(facts, "local.inside-resort")
    assert found.verdict == "undetermined"
    assert "全部" not in found.reason
    assert "其余 30.0% 不在“图层resort”图层覆盖范围内" in found.reason


def test_a_use_of_two_digits_may_fall_under_the_exceptions_of_the_redline() -> None:
    on = {"redline": 100.0}
    for use, expected in (("12", "undetermined"), ("09", "fail"), ("1401", "conditional")):
        assert finding(clean_facts(use, "Z4", on=on), "cn.ecological-redline").verdict == expected


def test_partly_outside_the_area_fails_with_the_share() -> None:
    found = finding(clean_facts(on={"-resort": 7500.0}), "local.inside-resort")
    assert found.verdict == "fail"
    assert found.measure is not None
    assert found.measure.share == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("cls", "least"),
    [("高速公路", 30.0), ("国道", 20.0), ("省道", 15.0), ("县道", 10.0), ("乡道", 5.0)],
)
def test_highways_keep_buildings_off(cls: str, least: float) -> None:
    for edge, expected in ((least, "pass"), (least - 0.01, "fail")):
        facts = clean_facts(roads=(Near("r", cls, None, edge + 10, edge),))
        assert finding(facts, "cn.highway-control").verdict == expected
    facts = clean_facts(roads=(Near("r", "村道", None, 5.0, 2.0),))
    assert finding(facts, "cn.highway-control").verdict == "pass"
    assert finding(facts, "local.village-road-control").verdict == "conditional"


def test_a_highway_without_half_width_is_open() -> None:
    facts = clean_facts(roads=(Near("r", "国道", "某线", 12.0, None),))
    assert verdict_of(facts) == ("undetermined", "cn.highway-control")


def test_the_river_range_asks_for_consent() -> None:
    assert verdict_of(clean_facts(on={"river_range": 300.0})) == ("conditional", "cn.river-range")


def test_the_purple_line_is_open_because_its_articles_were_not_read() -> None:
    facts = clean_facts(on={"purple_line": 300.0})
    assert verdict_of(facts) == ("undetermined", "cn.purple-line")
    assert "至多为需核实" in finding(facts, "cn.purple-line").reason


# --- dates ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "in_2022", "in_2026", "in_2027"),
    [
        (
            "cn.permanent-farmland",
            {"land-law-2019", "land-regulation-2021", "basic-farmland-1998"},
            {"permanent-farmland-2025", "food-security-2023", "eco-code-2026"},
            {"cultivated-land-2026"},
        ),
        (
            "cn.cultivated-land",
            {"land-law-2019", "land-regulation-2021", "balance-2021"},
            {"balance-2024"},
            {"cultivated-land-2026"},
        ),
        (
            "cn.greening-on-cultivated-land",
            {"land-law-2019"},
            {"food-security-2023"},
            {"cultivated-land-2026"},
        ),
        (
            "cn.ecological-redline",
            {"three-lines-2019"},
            {"redline-2022", "eco-code-2026", "food-security-2023"},
            set(),
        ),
        (
            "cn.development-boundary",
            {"planning-law-2019", "land-regulation-2021", "three-lines-2019"},
            {"dev-boundary-2026"},
            set(),
        ),
    ],
)
def test_the_day_of_the_check_chooses_the_legal_bases(
    rule: str, in_2022: set[str], in_2026: set[str], in_2027: set[str]
) -> None:
    """Each later day adds its texts; the order of 2021 ended when the notice of 2024 took over."""

    def cited(day: date) -> set[str]:
        facts = clean_facts("1402", on={"landuse:01*": 10.0}, as_of=day)
        return {b.document.id for b in finding(facts, rule).basis}

    ended = {"balance-2021"}
    assert cited(date(2022, 6, 30)) == in_2022
    assert cited(date(2026, 11, 22)) == (in_2022 - ended) | in_2026
    assert cited(date(2027, 1, 1)) == (in_2022 - ended) | in_2026 | in_2027


def test_a_law_counts_from_its_first_day() -> None:
    def cited(day: date) -> set[str]:
        facts = clean_facts(as_of=day)
        return {b.document.id for b in finding(facts, "cn.permanent-farmland").basis}

    assert "permanent-farmland-2025" not in cited(date(2025, 9, 30))
    assert "permanent-farmland-2025" in cited(date(2025, 10, 1))


def test_before_the_book_knows_any_text_the_answer_is_open() -> None:
    facts = clean_facts(as_of=date(2015, 1, 1))
    assert finding(facts, "cn.cultivated-land").verdict == "undetermined"
    assert verdict_of(facts)[0] == "undetermined"
    assert verdict_of(clean_facts(as_of=date(1900, 1, 1))) == ("undetermined", None)


@pytest.mark.parametrize(
    ("day", "use", "verdict"),
    [
        (date(2019, 11, 1), "1202", "undetermined"),
        (date(2022, 8, 15), "1202", "undetermined"),
        (date(2022, 8, 15), "1401", "undetermined"),
        (date(2022, 8, 15), "0804", "fail"),
        (date(2022, 8, 16), "1202", "conditional"),
        (date(2022, 8, 16), "1401", "conditional"),
        (date(2022, 8, 16), "0804", "fail"),
        (AS_OF, "1202", "conditional"),
    ],
)
def test_the_exceptions_on_the_redline_begin_with_their_notice(
    day: date, use: str, verdict: str
) -> None:
    """Before it an opinion held that was not read, so what may be allowed is open."""
    found = finding(clean_facts(use, "Z4", on={"redline": 100.0}, as_of=day), REDLINE)
    assert found.verdict == verdict
    assert ("厅字〔2019〕48号" in found.reason) == (verdict == "undetermined")


def test_one_finding_for_every_rule_in_force() -> None:
    for day in (date(2022, 6, 30), AS_OF):
        found = {f.rule for f in evaluate(BOOK, clean_facts(as_of=day))}
        assert found == {r.id for r in BOOK.in_force(day)}


# --- caps, order, layers -------------------------------------------------------------------------


def test_an_unverified_citation_alone_does_not_soften_a_rule() -> None:
    found = finding(clean_facts(on={"redline": 50.0}), "cn.ecological-redline")
    assert found.verdict == "fail"
    assert any("依据待核" in b.text for b in found.basis)


def test_an_assumed_rule_is_open_at_worst(tmp_path: Path) -> None:
    text = (DATA / "rules" / "local.toml").read_text(encoding="utf-8")
    text = text.replace('origin = "plan"', 'origin = "assumption"')
    (tmp_path / "local.toml").write_text(text, encoding="utf-8")
    book = load_rulebook(["local.toml"], tmp_path)
    found = evaluate(book, clean_facts(on={"-resort": 7500.0}))
    assert decide(found) == (Verdict.UNDETERMINED, "local.inside-resort")


def test_a_layer_whose_law_is_changing_is_shown_but_does_not_decide() -> None:
    changing = {"green_line": report("green_line", law_status="changing")}
    facts = clean_facts("0901", on={"green_line": 500.0}, changes=changing)
    found = evaluate(BOOK, facts)
    assert decide(found) == (Verdict.PASS, None)
    line = next(f for f in found if f.rule == "cn.green-line")
    assert (line.verdict, line.decides) == ("fail", False)


def test_findings_are_sorted_by_verdict_then_priority_then_id() -> None:
    facts = clean_facts("0901", on={"green_line": 5.0, "blue_line": 5.0, "landuse:01*": 5.0})
    found = evaluate(BOOK, facts)
    keys = [(-f.verdict.rank, f.priority, f.rule) for f in found]
    assert keys == sorted(keys)
    assert [f.rule for f in found[:3]] == ["cn.green-line", "cn.blue-line", "cn.cultivated-land"]
    assert found[-1].verdict == "not_applicable"
    assert sort_findings(reversed(found)) == found


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("state", [LayerState.NO_DATA, LayerState.FAILED])
def test_without_any_one_layer_a_clean_site_is_open(name: str, state: LayerState) -> None:
    facts = clean_facts(changes={name: report(name, state)})
    verdict, rule = verdict_of(facts)
    assert verdict == "undetermined"
    assert rule is not None
    assert name in BOOK.rule(rule).layers


def test_a_layer_that_the_plan_does_not_have_is_open() -> None:
    facts = clean_facts()
    without = replace(facts, layers={k: v for k, v in facts.layers.items() if k != "redline"})
    assert verdict_of(without) == ("undetermined", "cn.ecological-redline")


def test_a_measure_that_is_missing_or_no_number_is_open() -> None:
    facts = clean_facts()
    demand = next(d for d in facts.measures if d.layer == "green_line")
    missing = {d: m for d, m in facts.measures.items() if d != demand}
    for measures in (missing, {**missing, demand: area(demand, float("nan"))}):
        assert verdict_of(replace(facts, measures=measures)) == ("undetermined", "cn.green-line")


def test_demands_are_asked_once_and_only_for_rules_in_force() -> None:
    wanted = demands(BOOK, AS_OF)
    assert len(wanted) == len(set(wanted))
    assert {d.layer for d in wanted} == set(LAYERS)
    assert demands(BOOK, date(1900, 1, 1)) == ()


def test_an_empty_book_decides_nothing() -> None:
    empty = RuleBook("", "", ())
    assert evaluate(empty, clean_facts()) == ()
    assert decide(()) == (Verdict.UNDETERMINED, None)


def test_rules_that_all_do_not_apply_decide_nothing() -> None:
    rule = BOOK.rule("cn.greening-on-cultivated-land")
    book = RuleBook("", "", (rule,))
    found = evaluate(book, clean_facts("0804"))
    assert [f.verdict for f in found] == ["not_applicable"]
    assert decide(found) == (Verdict.UNDETERMINED, None)


# --- laws ----------------------------------------------------------------------------------------

INSIDE, AREA = Quantity.INSIDE, (Quantity.INSIDE, Quantity.OUTSIDE)
USES = st.sampled_from([None, *land_classes.uses().classes])
AREAS = st.sampled_from([0.0, 0.0, 0.0, 0.5, 30.0, 3000.0, SITE_M2])
EDGES = st.sampled_from([None, 0.0, 2.0, 9.0, 16.0, 40.0])
ROADS = st.sampled_from([None, "国道", "乡道", "村道", "城市支路", "未知", "普速铁路", "110kV"])
SLIVERS = st.lists(st.builds(Sliver, st.sampled_from([0.01, 0.9]), st.just(0.05)), max_size=20)
REPORTS = st.sampled_from([0.0, 0.0, 0.0, 0.2, None])


class DrawnFacts(Facts):
    """Facts of a property test; in full they would be longer than hypothesis wants to print."""

    def _repr_pretty_(self, printer: RepresentationPrinter, _cycle: bool) -> None:
        """Print what tells one example from another."""
        found = [f"{d.layer} {d.quantity} {m.share:g}" for d, m in self.measures.items() if m.share]
        printer.text(f"use={self.use} as_of={self.as_of} {self.attributes} {found}")


@st.composite
def any_facts(draw: st.DrawFn) -> Facts:
    """Facts that an engine could give: sound numbers in any combination."""

    def answer(demand: Demand) -> Measure:
        if demand.quantity is Quantity.DISTANCE:
            cls, edge = draw(ROADS), draw(EDGES)
            axis = 18.0 if edge is None else edge + 8.0
            near = (Near("f", cls, None, axis, edge),)
            return Measure(demand, near=near, reach_covered=draw(st.booleans()))
        return area(demand, draw(AREAS), *draw(SLIVERS))

    return DrawnFacts(
        use=draw(USES),
        attributes=draw(
            st.dictionaries(
                st.sampled_from(["emission_class", "key_project"]),
                st.sampled_from(["zero", "normal", True, 3.0]),
                max_size=2,
            )
        ),
        as_of=draw(st.sampled_from([date(2022, 6, 30), AS_OF, date(2027, 1, 1)])),
        site_area_m2=SITE_M2,
        measures={d: answer(d) for d in demands(BOOK, AS_OF)},
        layers={name: report(name, uncovered=draw(REPORTS)) for name in LAYERS},
    )


@settings(max_examples=20)
@given(any_facts(), st.sampled_from(LAYERS), st.sampled_from(["no_data", "failed", "absent"]))
def test_losing_a_layer_never_improves_the_answer(facts: Facts, name: str, how: str) -> None:
    """Open or failing before means open or failing after; the rules on the layer are open."""
    before, _ = decide(evaluate(BOOK, facts))
    layers = dict(facts.layers)
    if how == "absent":
        del layers[name]
    else:
        layers[name] = replace(layers[name], state=LayerState(how))
    measures = {d: m for d, m in facts.measures.items() if d.layer != name}
    found = evaluate(BOOK, replace(facts, layers=layers, measures=measures))
    after, _ = decide(found)
    own = {r.id for r in BOOK.rules if name in r.layers}
    assert {f.verdict for f in found if f.rule in own} <= {"undetermined", "not_applicable"}
    if before in ("undetermined", "fail"):
        assert after in ("undetermined", "fail")


OPEN_OR_WORSE = (Verdict.UNDETERMINED, Verdict.FAIL)


def moved(facts: Facts, layer: str, target: Callable[[Demand], bool]) -> Facts:
    """The land that the rules find on a layer, moved to the demands that are a target."""
    measures = dict(facts.measures)
    for rule in BOOK.rules:
        own = [d for d in demands_of(rule) if d.layer == layer and d.quantity in AREA]
        taken = [facts.measures[d] for d in own if not target(d) and d.quantity is INSIDE]
        for demand in own:
            if target(demand):
                parts = [facts.measures[demand], *taken]
                m2 = sum(m.decisive_m2 for m in parts)
                measures[demand] = area(demand, m2, *(s for m in parts for s in m.slivers))
            elif demand.quantity is INSIDE:
                measures[demand] = area(demand, 0.0)
    return replace(facts, measures=measures)


def never_better(before: Facts, after: Facts, layer: str) -> None:
    open_before = {f.rule for f in evaluate(BOOK, before) if f.verdict in OPEN_OR_WORSE}
    for found in evaluate(BOOK, after):
        if found.rule in open_before and BOOK.rule(found.rule).layers == (layer,):
            assert found.verdict in OPEN_OR_WORSE, found.rule
    if decide(evaluate(BOOK, before))[0] in OPEN_OR_WORSE:
        assert decide(evaluate(BOOK, after))[0] in OPEN_OR_WORSE


@settings(max_examples=20)
@given(any_facts(), st.sampled_from(["landuse", "zones", "dev_boundary"]))
def test_losing_the_classes_of_a_layer_never_improves_the_answer(facts: Facts, name: str) -> None:
    never_better(facts, moved(facts, name, lambda d: d.excluding), name)


@settings(max_examples=20)
@given(any_facts(), st.sampled_from(["landuse", "zones"]))
def test_losing_features_of_a_layer_without_gaps_never_improves_the_answer(
    facts: Facts, name: str
) -> None:
    never_better(facts, moved(facts, name, lambda d: d.quantity is Quantity.OUTSIDE), name)


@settings(max_examples=20)
@given(any_facts(), st.sampled_from(LAYERS), st.sampled_from([0.2, None]))
def test_losing_coverage_never_improves_the_answer(
    facts: Facts, name: str, share: float | None
) -> None:
    gone = {d: Measure(d, reach_covered=False) for d in facts.measures if d.layer == name}
    layers = {**facts.layers, name: report(name, uncovered=share)}
    after = replace(facts, layers=layers, measures={**facts.measures, **gone})
    never_better(facts, after, name)
    for found in evaluate(BOOK, after):
        if found.layer == name:
            assert found.verdict in ("undetermined", "not_applicable")


@settings(max_examples=20)
@given(any_facts(), st.sampled_from(["roads", "railways", "power_lines"]))
def test_not_seeing_the_land_nearby_never_improves_the_answer(facts: Facts, name: str) -> None:
    blind = {
        d: replace(m, near=(), reach_covered=False)
        for d, m in facts.measures.items()
        if d.layer == name
    }
    never_better(facts, replace(facts, measures={**facts.measures, **blind}), name)


@settings(max_examples=20)
@given(any_facts())
def test_reasons_are_whole_sentences_with_numbers_filled_in(facts: Facts) -> None:
    for found in evaluate(BOOK, facts):
        assert found.reason.endswith("。"), found.rule
        for broken in ("{", "}", "。。", "nan", "None", "：。"):
            assert broken not in found.reason, (found.rule, found.reason)


@settings(max_examples=20)
@given(
    use=st.none() | st.text(max_size=8),
    attributes=st.dictionaries(
        st.text(max_size=14), st.booleans() | st.floats() | st.text(max_size=5), max_size=3
    ),
    as_of=st.dates(),
    site_area=st.floats(),
    number=st.floats(),
    known=st.booleans(),
    uncovered=st.none() | st.floats(),
)
def test_evaluate_never_raises(
    use: str | None,
    attributes: dict[str, Claim],
    as_of: date,
    site_area: float,
    number: float,
    known: bool,
    uncovered: float | None,
) -> None:
    layers = {n: report(n, uncovered=uncovered) for n in LAYERS} if known else {}
    measures = {
        d: replace(
            area(d, number, Sliver(number, 1.0)), near=(Near("f", use, use, number, number),)
        )
        for d in demands(BOOK, as_of)
    }
    facts = Facts(use, attributes, as_of, site_area, measures, layers)
    verdict, _ = decide(evaluate(BOOK, facts))
    contacts(BOOK, facts)
    assert verdict in Verdict
