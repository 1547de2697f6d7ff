"""What stands against several sites, rule by rule, on the map of a plan."""

from __future__ import annotations

from typing import Any

from gis.output.maps import plan_map
from gis.output.maps.plan_card import problem_rows
from gis.plan import Plan


def finding(rule: str, verdict: str, *, decides: bool = True) -> dict[str, Any]:
    return {"rule": rule, "title": f"规则{rule}", "verdict": verdict, "decides": decides}


def document(name: str, *findings: dict[str, Any]) -> dict[str, Any]:
    return {
        "site": {"name": name, "area": {"mu": 1.0}, "geometry": None},
        "verdict": "fail",
        "deciding_rule": findings[0]["rule"],
        "findings": list(findings),
    }


CHECKS = [
    document("甲", finding("a", "conditional"), finding("b", "fail"), finding("c", "pass")),
    document("乙", finding("a", "conditional"), finding("d", "fail", decides=False)),
    document("丙", finding("a", "undetermined"), finding("e", "conditional")),
]


def test_the_worst_problem_stands_first_then_the_most_frequent() -> None:
    rows = problem_rows(CHECKS)
    assert [(row["title"], row["count"]) for row in rows] == [
        ("规则b", 1),  # one site fails
        ("规则a", 3),  # one is open
        ("规则e", 1),
    ]


def test_what_passes_and_what_decides_nothing_is_no_problem() -> None:
    titles = {row["title"] for row in problem_rows(CHECKS)}
    assert not titles & {"规则c", "规则d"}


def test_each_site_keeps_its_own_verdict_under_a_problem() -> None:
    sites = problem_rows(CHECKS)[1]["sites"]
    assert [(s["name"], s["verdict"]["id"]) for s in sites] == [
        ("甲", "conditional"),
        ("乙", "conditional"),
        ("丙", "undetermined"),
    ]


def test_no_checks_have_no_problems() -> None:
    assert problem_rows([]) == []


def test_one_site_alone_needs_no_list_of_problems(plan: Plan, as_of) -> None:
    from gis.canonical import to_dict
    from gis.check import check_site
    from gis.intake import read_site

    core = plan.layer("core").frame.geometry.iloc[0].representative_point()
    site = read_site(core.buffer(90, cap_style="square").wkt, plan, name="<b>校</b>", crs=4548)
    found = to_dict(check_site(site, plan, use="080403", as_of=as_of))
    assert "按问题" not in plan_map(plan, [found], rasters=False)
    page = plan_map(plan, [found, found], rasters=False)
    assert "按问题" in page
    assert "<b>校</b>" not in page
