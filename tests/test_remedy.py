"""Remedies: what is cut, moved, or to be applied for, and that each passes when it is fed back in.

All lengths are worked out by hand in the world of ``case_world``, where a square of 100 m is
10,000.00 m² on the ellipsoid too. Marked land is left by 2 cm.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import shapely
from case_world import EPSG, WORLD, Case, box, plan_of, site_of, with_rulebook
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.canonical import to_dict
from gis.check import check_site, with_remedies
from gis.crs import transform
from gis.intake import read_site
from gis.model import Doubt, Remedy, SiteCheck, Verdict
from gis.plan.samples import load_samples
from gis.rulebook import RuleBook, load_rulebook

AS_OF = date(2026, 11, 22)
RULES = """
[[document]]
id = "law"
title = "某法"
verified = true
checked_on = 2026-11-22
source = "全文"
"""
HEAD = """
[[rule]]
id = "x.{id}"
title = "{id}规则"
layer = "{layer}"
kind = "{kind}"
origin = "statute"
effect_verified = true
office = "{office}"
priority = {priority}
checked_on = 2026-11-22
remedy = "处理{id}"
basis = [{{ document = "law", article = "第一条", verified = true }}]
text = {{ clear = "未涉及。", hit = "涉及" }}
"""
KINDS = {
    "redline": ("forbid_overlap", "甲局", 'outcome = "fail"\nstrict_slivers = true\n'),
    "green_line": ("forbid_overlap", "乙局", 'outcome = "fail"\n'),
    "yellow_line": ("forbid_overlap", "甲局", 'outcome = "conditional"\n'),
    "dev_boundary": ("require_within", "丙局", 'outside = "fail"\n'),
    "roads": (
        "min_distance",
        "丁局",
        'edge = "用地外缘"\noutcome = "fail"\nplausible_half_width_m = 30.0\n'
        'distance_m = { "国道" = 20.0 }\n',
    ),
}
SITE = [0, 0, 100, 100]
FAR = 900  # further than any search


@pytest.fixture(scope="session")
def book(tmp_path_factory: pytest.TempPathFactory) -> RuleBook:
    """Five rules, one of each kind that marks land."""
    text = RULES
    for n, (layer, (kind, office, body)) in enumerate(KINDS.items()):
        filled = HEAD.format(id=layer, layer=layer, kind=kind, office=office, priority=n)
        text += filled + body
    root = tmp_path_factory.mktemp("book")
    (root / "rules.toml").write_text(text, encoding="utf-8")
    return load_rulebook(["rules.toml"], root)


@pytest.fixture(scope="session")
def check(book: RuleBook):
    """Check a box among features, given as ``layer=[(class, box), …]``."""

    def _check(site: list[float] = SITE, change: Any = None, **layers: Any) -> SiteCheck:
        drawn = {
            name: [f if isinstance(f, dict) else {"box": f, "class": "410"} for f in features]
            for name, features in layers.items()
        }
        row = {"rule": "x", "shows": "other", "name": "地块", "site": site, "verdict": "fail",
               "use": "080403", "layers": drawn}  # fmt: skip
        case = Case("remedy", 1, row)
        plan = plan_of(case)
        with with_rulebook(plan, book):
            outline = site_of(case)
            outline = change(outline) if change else outline
            return check_site(outline, plan, use="080403", as_of=AS_OF)

    return _check


def with_geometry(check: SiteCheck, kind: str) -> list[Remedy]:
    return [r for r in check.remedies if r.kind == kind]


def outline(remedy: Remedy) -> Any:
    return transform(shapely.geometry.shape(remedy.geometry), 4490, EPSG)


# --- trim ----------------------------------------------------------------------------------------


def test_the_part_off_the_line_is_kept_and_both_parts_add_up(check) -> None:
    found = check(redline=[[60, -FAR, FAR, FAR]])
    (trim,) = with_geometry(found, "trim")
    assert trim.area_m2 == pytest.approx(59.98 * 100, abs=0.05)
    assert trim.area_m2 + trim.lost_m2 == pytest.approx(found.site.area.ellipsoidal_m2, abs=1e-6)
    assert (trim.rule, trim.rules, trim.verdict) == ("x.redline", ("x.redline",), Verdict.PASS)
    assert "占地块 40.0%" in trim.text
    assert "“redline规则”不再受限" in trim.text


def test_a_strip_along_a_road_is_cut_at_the_distance_from_its_edge(check) -> None:
    road = {"class": "国道", "half_width": 12.0, "line": [[110, -FAR], [110, FAR]]}
    (trim,) = with_geometry(check(roads=[road]), "trim")
    # Edge at 110 - 12 = 98, 20 m more to 78; the circle is drawn from outside.
    west, _, east, _ = outline(trim).bounds
    assert east - west == pytest.approx(78.0 - 0.02, abs=0.2)
    assert east - west <= 78.0
    assert trim.verdict is Verdict.PASS


def test_land_outside_the_boundary_is_cut_away(check) -> None:
    (trim,) = with_geometry(check(dev_boundary=[[-FAR, -FAR, 70, FAR]]), "trim")
    assert trim.area_m2 == pytest.approx(69.98 * 100, abs=0.05)


def test_a_neck_that_nobody_can_build_on_is_dropped(check) -> None:
    # Left of x = 50 all is free, right of it a strip 10 m high: less than 20 m.
    (trim,) = with_geometry(check(redline=[[50, 10, FAR, FAR]]), "trim")
    assert trim.area_m2 == pytest.approx(49.98 * 100, abs=2.0)


def test_a_strip_of_thirty_metres_is_kept(check) -> None:
    (trim,) = with_geometry(check(redline=[[50, 30, FAR, FAR]]), "trim")
    assert trim.area_m2 == pytest.approx(49.98 * 100 + 50.02 * 29.98, abs=2.0)


def test_less_than_thirty_percent_is_not_offered(check) -> None:
    assert with_geometry(check(redline=[[31, -FAR, FAR, FAR]]), "trim")
    assert not with_geometry(check(redline=[[29, -FAR, FAR, FAR]]), "trim")


def test_first_without_what_fails_then_without_what_needs_a_procedure(check) -> None:
    found = check(redline=[[80, -FAR, FAR, FAR]], yellow_line=[[-FAR, -FAR, 10, FAR]])
    first, second = with_geometry(found, "trim")
    assert (first.verdict, first.rules) == (Verdict.CONDITIONAL, ("x.redline",))
    assert (second.verdict, second.rules) == (Verdict.PASS, ("x.redline", "x.yellow_line"))
    assert first.area_m2 == pytest.approx(79.98 * 100, abs=0.05)
    assert second.area_m2 == pytest.approx(69.96 * 100, abs=0.05)


def test_a_border_shared_with_a_strict_line_stays_clear_of_it_on_paper(check) -> None:
    # Rounding to nine decimals of a degree may push a shared border 0.1 mm over the line.
    found = check([0.37, 0.11, 431.21, 307.77],
                  redline=[{"polygon": [[431.21, 0.11], [431.21, 307.77], [600, 300], [600, 0]],
                            "class": "x"}],
                  green_line=[[-FAR, 250, FAR, FAR]])  # fmt: skip
    assert found.deciding_rule == "x.green_line"
    (trim, *_) = with_geometry(found, "trim")
    assert trim.verdict is Verdict.PASS


# --- shift ---------------------------------------------------------------------------------------


def test_the_smallest_move_leaves_the_line_behind(check) -> None:
    (shift,) = with_geometry(check(redline=[[60, -FAR, FAR, FAR]]), "shift")
    # 40 m and 2 cm to the west, to the next whole metre.
    assert (shift.shift_m, shift.bearing_deg) == (41.0, 270.0)
    assert shift.verdict is Verdict.PASS
    assert shift.area_m2 == pytest.approx(10_000, abs=0.01)
    moved = outline(shift)
    assert moved.symmetric_difference(box([-41, 0, 59, 100])).area < 0.1
    assert "向西（坐标方位角 270°）平移 41 m" in shift.text


def test_a_move_never_ends_in_another_failure(check) -> None:
    walls = {"green_line": [[-FAR, -FAR, -5, FAR]], "redline": [[60, -FAR, FAR, 300]]}
    (shift,) = with_geometry(check(**walls), "shift")
    moved = outline(shift)
    assert shift.verdict is Verdict.PASS
    assert not moved.intersects(box([60, -FAR, FAR, 300]))
    assert not moved.intersects(box([-FAR, -FAR, -5, FAR]))
    assert moved.bounds[1] >= box([0, 300, 1, 301]).bounds[1]  # only north of y = 300 is room
    # The site never met the green line, yet the new outline tells where it runs.
    assert shift.layers == ("green_line", "redline")
    (trim,) = with_geometry(check(**walls), "trim")
    assert trim.layers == ("redline",)


def test_where_no_place_is_free_within_the_distance_nothing_is_moved(check) -> None:
    found = check(redline=[[-FAR, -FAR, FAR, FAR]])
    assert [r.kind for r in found.remedies] == ["procedure"]


def test_a_site_that_loses_less_than_a_hundredth_need_not_move(check) -> None:
    found = check(redline=[[99.5, -FAR, FAR, FAR]])
    assert [r.kind for r in found.remedies] == ["trim", "procedure"]


# --- procedures ----------------------------------------------------------------------------------


def test_land_that_is_planned_for_something_else_is_cut_away() -> None:
    planned = [
        {"class": "070102", "box": [-500, -500, 120, 500]},
        {"class": "1401", "box": [120, -500, 700, 500]},
    ]
    row = {"rule": "cn.planned-use", "name": "住宅", "site": [0, 0, 200, 100], "use": "070102",
           "layers": {"planned_use": planned}}  # fmt: skip
    case = Case("own", 1, row)
    found = check_site(site_of(case), plan_of(case), use=case.use, as_of=case.day)
    assert found.deciding_rule == "cn.planned-use"
    (trim,) = with_geometry(found, "trim")
    assert "cn.planned-use" in trim.rules
    # The eastern 80 m are planned as a park; 2 cm along it stay clear.
    assert trim.area_m2 == pytest.approx(119.98 * 100, abs=0.1)


def test_procedures_are_grouped_by_office_worst_first(check) -> None:
    found = check(green_line=[[-FAR, -FAR, FAR, FAR]], redline=[[-FAR, -FAR, FAR, FAR]],
                  yellow_line=[[-FAR, -FAR, FAR, FAR]])  # fmt: skip
    rows = [(r.office, r.rules, r.text) for r in with_geometry(found, "procedure")]
    assert rows == [
        ("甲局", ("x.redline", "x.yellow_line"), "1. 处理redline；2. 处理yellow_line"),
        ("乙局", ("x.green_line",), "处理green_line"),
    ]


@pytest.mark.parametrize(
    "change",
    [
        lambda site: replace(site, doubt=Doubt("网络地图", 5.0)),
        lambda site: replace(site, corridor_width_m=100.0),
    ],
    ids=["in doubt", "corridor"],
)
def test_a_site_in_doubt_and_a_corridor_get_procedures_only(check, change) -> None:
    found = check(change=change, redline=[[60, -FAR, FAR, FAR]])
    assert {r.kind for r in found.remedies} == {"procedure"}


def test_a_rule_about_a_layer_that_the_plan_lacks_gets_a_procedure(book) -> None:
    row = {"rule": "x", "shows": "other", "name": "地块", "site": SITE, "verdict": "fail",
           "use": "080403", "layers": {"redline": [{"box": [60, -FAR, FAR, FAR]}]}}  # fmt: skip
    case = Case("remedy", 2, row)
    plan = plan_of(case)
    poor = replace(plan, layers={k: v for k, v in plan.layers.items() if k != "roads"})
    poor.__dict__["coverages"] = plan.coverages
    poor.__dict__["bounds_polygon"] = plan.bounds_polygon
    with with_rulebook(poor, book):
        found = check_site(site_of(case), poor, use="080403", as_of=AS_OF)
    (trim,) = with_geometry(found, "trim")
    # The distance to roads stays open, so the best that cutting can reach is undetermined.
    assert (trim.rules, trim.verdict) == (("x.redline",), Verdict.UNDETERMINED)
    assert ("丁局", ("x.roads",)) in [(r.office, r.rules) for r in found.remedies]


def test_a_site_that_passes_gets_no_remedy(check) -> None:
    assert check().remedies == ()


# --- properties ----------------------------------------------------------------------------------

edges = st.integers(-150, 250)
boxes = st.tuples(edges, edges, st.integers(5, 200), st.integers(5, 200)).map(
    lambda t: [t[0], t[1], t[0] + t[2], t[1] + t[3]]
)


@settings(max_examples=15)
@given(st.lists(boxes, max_size=2), st.lists(boxes, max_size=2), st.lists(boxes, max_size=2))
def test_no_remedy_is_worse_than_the_site_and_no_trim_leaves_it(check, red, green, yellow) -> None:
    found = check(redline=red, green_line=green, yellow_line=yellow)
    for remedy in found.remedies:
        if remedy.kind == "procedure":
            continue
        new = outline(remedy)
        assert new.is_valid
        assert remedy.verdict.rank <= found.verdict.rank
        lines = shapely.union_all([box(b) for b in (*red, *green)])
        assert new.intersection(lines).area < 0.01  # a shared edge, rounded
        if remedy.kind == "trim":
            assert new.difference(found.site.geometry).area < 0.01
            whole = found.site.area.ellipsoidal_m2
            assert remedy.area_m2 + remedy.lost_m2 == pytest.approx(whole, abs=1e-6)
            assert remedy.area_m2 >= 0.3 * whole


# --- the bundled samples -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sample_checks(plan) -> list[SiteCheck]:
    return [
        check_site(
            read_site(s.path, plan, name=s.name, width_m=s.width_m),
            plan,
            use=s.use,
            attributes=s.attributes,
            as_of=s.as_of,
        )
        for s in load_samples(plan)
    ]


def fed_back(found: SiteCheck, remedy: Remedy, plan) -> SiteCheck:
    site = read_site(json.dumps(remedy.geometry), plan, name="方案")
    claims = {k: v for k, v in found.site.claims.items() if k in _ATTRIBUTES}
    return check_site(
        site, plan, use=found.site.use, attributes=claims, as_of=found.as_of, remedies=False
    )


def _attributes() -> frozenset[str]:
    from gis.model.attributes import ATTRIBUTES

    return frozenset(ATTRIBUTES)


_ATTRIBUTES = _attributes()


def outlines(checks: list[SiteCheck]) -> Iterator[tuple[SiteCheck, Remedy]]:
    for found in checks:
        yield from ((found, r) for r in found.remedies if r.geometry)


def test_each_outline_offered_for_a_sample_passes_what_it_remedies(sample_checks, plan) -> None:
    tried = 0
    for found, remedy in outlines(sample_checks):
        again = fed_back(found, remedy, plan)
        for rule in remedy.rules:
            verdict = again.finding(rule).verdict
            assert verdict in {Verdict.PASS, Verdict.NOT_APPLICABLE}, (found.site.name, rule)
        assert again.verdict is remedy.verdict, (found.site.name, remedy.kind)
        assert again.verdict.rank <= found.verdict.rank
        # Nine decimals of a degree along a border of a few kilometres.
        assert again.site.area.ellipsoidal_m2 == pytest.approx(remedy.area_m2, abs=0.1)
        tried += 1
    assert tried >= 2


def test_each_sample_that_does_not_pass_has_a_remedy(sample_checks) -> None:
    for found in sample_checks:
        assert bool(found.remedies) is (found.verdict is not Verdict.PASS), found.site.name


def test_remedies_change_neither_verdict_nor_digest_and_may_come_later(sample_checks, plan) -> None:
    for found in sample_checks:
        bare = check_site(found.site, plan, use=found.site.use, as_of=found.as_of, remedies=False)
        assert (bare.digest, bare.verdict) == (found.digest, found.verdict)
        assert all(r.geometry is None for r in bare.remedies)
        assert to_dict(with_remedies(bare, plan)) == to_dict(found)


def test_the_world_of_these_tests_is_wide_enough() -> None:
    assert WORLD.contains(box([-FAR - 100, -FAR, FAR + 100, FAR]))
