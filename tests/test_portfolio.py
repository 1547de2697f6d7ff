"""The portfolio of projects: order, verdicts, approvals, problems, budgets, and what is unknown.

Budgets are counted by hand on the plan of ``scarce_dir``: squares of 500 m, 25 hectares each.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from gis.check import check_site
from gis.errors import NotFoundError, PlanError
from gis.intake.read import read_site
from gis.plan import load_plan
from gis.plan.reservations import reserve
from gis.portfolio.check import check_portfolio
from gis.portfolio.columns import COLUMNS
from gis.portfolio.project import Project
from gis.portfolio.register import load_projects

DAY = date(2026, 11, 22)
EAST, NORTH = 408_000, 4_030_000
QUOTA = """[[quota]]
id = "zy"
kind = "conversion"
title = "农用地转用"
value = {}
unit = "ha"
source = "测试"
"""


def wkt(x0: int, y0: int, x1: int, y1: int) -> str:
    west, south, east, north = EAST + x0, NORTH + y0, EAST + x1, NORTH + y1
    ring = f"{west} {south},{east} {south},{east} {north},{west} {north},{west} {south}"
    return f"SRID=4548;POLYGON(({ring}))"


@pytest.fixture
def scarce(scarce_dir):
    """A plan with a register: rows of CSV, and outlines as files of the package."""

    def build(rows, outlines=None, *, quota: float | None = None):
        root: Path = scarce_dir(extra="" if quota is None else QUOTA.format(quota))
        (root / "projects.csv").write_text(rows, encoding="utf-8")
        for name, box in (outlines or {}).items():
            (root / f"{name}.wkt").write_text(wkt(*box), encoding="utf-8")
        return load_plan(root)

    return build


def test_the_columns_are_the_fields_of_a_project() -> None:
    fields = [name for name in Project.__slots__ if name not in ("row", "extra")]
    assert fields == [column.name for column in COLUMNS]


def test_a_plan_without_a_register_says_what_to_do(scarce_dir) -> None:
    with pytest.raises(NotFoundError, match=r"projects\.csv.*wuqu projects import"):
        check_portfolio(load_plan(scarce_dir()))


def test_a_project_without_an_outline_is_named_and_keeps_its_place(scarce) -> None:
    plan = scarce("id,name,site_file,use\nA,甲,,0901\nB,乙,b.wkt,0901\n", {"b": (500, 0, 600, 100)})
    found = check_portfolio(plan, as_of=DAY)
    assert (found.projects[0].project.id, found.projects[0].verdict_label) == ("A", "无边界图")
    document = found.to_dict()
    assert document["without_outline"] == [{"id": "A", "name": "甲", "lacks": "无边界图"}]
    first = document["projects"][0]
    assert (first["verdict"], first["area"], first["takes"]) == (None, None, None)
    assert "无边界图" in first["waits"][0]["text"]
    assert document["projects"][1]["takes"] is not None


def test_an_outline_that_cannot_be_used_stops_neither_the_project_nor_the_others(scarce) -> None:
    plan = scarce(
        "id,name,site_file,use\nA,甲,gone.wkt,0901\nB,乙,b.wkt,0901\nC,丙,c.wkt,0901\n",
        {"b": (500, 0, 600, 100)},
    )
    (plan.root / "c.wkt").write_text("SRID=4548;POLYGON((1 2,3", encoding="utf-8")
    rows = check_portfolio(plan, as_of=DAY).to_dict()["projects"]
    assert [row["verdict_label"] for row in rows[::2]] == ["边界图不能采用"] * 2
    assert "gone.wkt”不存在" in rows[0]["lacks"]
    assert str(plan.root) not in json.dumps(rows, ensure_ascii=False)
    assert rows[1]["verdict"] is not None


def test_a_use_that_does_not_exist_is_told_as_such_and_not_as_a_bad_outline(scarce) -> None:
    plan = scarce("id,name,site_file,use\nA,甲,a.wkt,9999\n", {"a": (500, 0, 600, 100)})
    document = check_portfolio(plan, as_of=DAY).to_dict()
    assert document["sentence"] == "1 个项目，1 个未能检测，没有未销号的问题。"
    (row,) = document["projects"]
    assert (row["verdict"], row["verdict_label"]) == (None, "未能检测")
    assert "9999" in row["lacks"]
    assert "改正清单后才能检测" in row["waits"][0]["text"]


@pytest.mark.parametrize("name", ["../x.wkt", "/etc/passwd", "C:\\x.wkt", "a/../../x.wkt"])
def test_a_file_outside_the_package_is_never_read(scarce, name: str) -> None:
    plan = scarce(f"id,name,site_file,use\nA,甲,{name},0901\n")
    (plan.root.parent / "x.wkt").write_text(wkt(0, 0, 100, 100), encoding="utf-8")
    (row,) = check_portfolio(plan, as_of=DAY).to_dict()["projects"]
    assert row["verdict"] is None
    assert "不在规划数据包内" in row["lacks"]


def test_the_order_is_that_of_priority_then_of_the_list(scarce) -> None:
    plan = scarce("id,name,priority\nA,甲,\nB,乙,2\nC,丙,\nD,丁,1\n")
    found = check_portfolio(plan, as_of=DAY)
    assert [row.project.id for row in found.projects] == ["D", "B", "A", "C"]
    assert "2 个项目没有优先级" in "".join(found.to_dict()["notes"])


def test_a_budget_runs_out_at_the_project_that_the_order_says(scarce) -> None:
    # One hectare each, a quota of 1.5 hectares: half of the second does not fit, whichever it is.
    rows = "id,name,priority,site_file,use\nA,甲,{},a.wkt,0901\nX,无图,3,,\nB,乙,{},b.wkt,0901\n"
    sites = {"a": (600, 100, 700, 200), "b": (700, 100, 800, 200)}
    for first, second in ((1, 4), (4, 1)):
        found = check_portfolio(scarce(rows.format(first, second), sites, quota=1.5), as_of=DAY)
        document = found.to_dict()
        budget = next(b for b in document["budgets"] if b["id"] == "conversion")
        last = {"id": "B", "name": "乙"} if first == 1 else {"id": "A", "name": "甲"}
        assert budget["ends_at"] == last
        assert budget["taken_m2"] == 15_000
        assert budget["short_there_m2"] == pytest.approx(5_000, rel=1e-3)
        assert f"到“{last['name']}”用完" in budget["text"]
        row = document["projects"][-1]
        assert row["id"] == last["id"]
        assert [wait["kind"] for wait in row["waits"]][-1] == "budget"


def test_projects_on_the_same_land_take_it_once_and_name_each_other(scarce) -> None:
    rows = "id,name,site_file,use\nA,甲,a.wkt,0901\nB,乙,a.wkt,0901\n"
    found = check_portfolio(scarce(rows, {"a": (500, 0, 1000, 500)}), as_of=DAY).to_dict()
    second = found["projects"][1]
    assert any("甲" in holder for holder in second["held_by"])
    budget = next(b for b in found["budgets"] if b["id"] == "dev_boundary:410")
    assert budget["taken_m2"] == pytest.approx(250_000, rel=1e-3)


def test_what_is_reserved_already_counts(scarce) -> None:
    plan = scarce("id,name,site_file,use\nA,甲,a.wkt,0901\n", {"a": (500, 0, 1000, 500)})
    reserve(plan, read_site(wkt(0, 500, 1000, 750), plan), project="别的", on=DAY, use="0901")
    budget = check_portfolio(plan, as_of=DAY).budget("dev_boundary:410")
    assert budget.initial_m2 == pytest.approx(250_000, rel=1e-3)
    assert budget.free_m2 == pytest.approx(0, abs=0.01)
    assert budget.ends_at == 1  # what rounding leaves of it is nothing


def test_every_project_has_the_verdict_of_a_check_of_its_own(plan) -> None:
    found = check_portfolio(plan, as_of=DAY)
    assert len(found.projects) == 20
    row = found.get("P06")
    site = read_site(plan.root / "samples" / "zhongyao_yuanqu.geojson", plan, name="现代中药园区")
    claims = {"investment_wan": 15000, "floor_area_m2": 38000}
    own = check_site(site, plan, use="100101", attributes=claims, as_of=DAY)
    assert row.check.digest == own.digest


def test_nothing_that_the_register_does_not_say_is_filled_in(plan) -> None:
    register = load_projects(plan)
    assert [p.id for p in register.projects if p.investment_wan is not None] == [
        f"P0{n}" for n in range(1, 7)
    ]
    assert all(p.annual_plan_wan is None and p.done_wan is None for p in register.projects)
    assert {p.use_basis for p in register.projects} == {"假定"}


def test_the_stated_totals_stand_beside_the_sum_of_the_known_rows(plan) -> None:
    whole, first = check_portfolio(plan, as_of=DAY).to_dict()["totals"]
    assert whole["projects"] == {"stated": 42, "known": 20}
    known = 154_234 + 133_731 + 173_619 + 14_873 + 36_000 + 15_000
    assert whole["investment_wan"] == {
        "stated": 1_702_712,
        "known": known,
        "rows": 6,
        "difference": 1_702_712 - known,
    }
    assert whole["done_wan"] == {"stated": 82_786, "known": None, "rows": 0, "difference": None}
    assert "未列入登记册的 22 个项目" in whole["text"]
    assert first["projects"] == {"stated": 29, "known": None}


def test_what_projects_wait_for_is_told_by_class(plan) -> None:
    waiting = {w["class"]: w for w in check_portfolio(plan, as_of=DAY).to_dict()["waiting"]}
    assert [p["id"] for p in waiting["征地前期"]["projects"]] == ["P06", "P19"]
    (plaza,) = waiting["规划与用地"]["projects"]
    assert "规划绿带" in plaza["problem"]
    assert plaza["verdict"] == "fail"  # the planned green belts stand against it
    assert waiting["未开工"]["investment_wan"] is None  # unknown is not nothing


def test_a_closed_problem_is_waited_for_no_more(scarce) -> None:
    rows = "id,name,problem_class,problem,problem_state,problem_closed_on\n"
    plan = scarce(rows + "A,甲,资金,缺口,已销号,2022-06\nB,乙,资金,缺口,未销号,\nC,丙,,缺口,,\n")
    found = check_portfolio(plan, as_of=DAY).to_dict()
    assert [(w["class"], w["count"]) for w in found["waiting"]] == [("资金", 1), ("未分类", 1)]
    assert [row["problem_open"] for row in found["projects"]] == [False, True, True]


@pytest.mark.parametrize(
    ("cells", "states", "todo"),
    [
        (
            "鲁(2020)甲市不动产权第0008142号,,,",
            "held unknown unknown",
            "核实规划手续（清单未载明）",
        ),
        ("未办结,,,", "not_yet unknown unknown", "办理用地手续（未办结）"),
        (",2021-04-02,,", "held unknown unknown", "核实规划手续（清单未载明）"),
        ("未办理,2021-04-02,,", "held unknown unknown", "核实规划手续（清单未载明）"),
        ("某批〔2020〕1号,,地字第371501201930004号,371501202001010101", "held held held", None),
        (
            ",,地字第371501201930004号,正在办理",
            "unknown held not_yet",
            "核实用地手续（清单未载明）",
        ),
    ],
)
def test_the_next_stage_is_the_first_that_is_not_held(scarce, cells, states, todo) -> None:
    head = "id,name,land_approval,land_on,planning_permit,building_permit\n"
    (row,) = check_portfolio(scarce(f"{head}A,甲,{cells}\n"), as_of=DAY).to_dict()["projects"]
    assert " ".join(a["state"] for a in row["approvals"]) == states
    assert (row["next_stage"] or {"todo": None})["todo"] == todo


def test_an_outline_of_the_caller_goes_before_the_register(scarce) -> None:
    plan = scarce("id,name,site_file,use\nA,甲,,0901\n")
    site = read_site(wkt(500, 0, 600, 100), plan)
    (row,) = check_portfolio(plan, outlines={"A": site}, as_of=DAY).projects
    assert row.check is not None
    assert row.check.site.name == "甲"
    with pytest.raises(NotFoundError, match="Z9"):
        check_portfolio(plan, outlines={"Z9": site}, as_of=DAY)


def test_the_frame_has_a_row_for_every_project_in_order(plan) -> None:
    found = check_portfolio(plan, as_of=DAY)
    frame = found.to_frame()
    assert list(frame.index) == [row.project.id for row in found.projects]
    assert frame.crs.to_epsg() == 4548
    assert frame.loc["P02", "area_mu"] == pytest.approx(419.17, abs=0.001)
    assert frame.geometry.isna().sum() == 12


def test_equal_calls_give_equal_documents(plan) -> None:
    texts = {json.dumps(check_portfolio(plan, as_of=DAY).to_dict()) for _ in range(2)}
    assert len(texts) == 1


def test_a_register_with_faults_is_refused_with_all_of_them(scarce) -> None:
    plan = scarce("id,name,priority,investment_wan\nA,甲,0,12\nA,乙,1,很多\n")
    with pytest.raises(PlanError) as caught:
        check_portfolio(plan, as_of=DAY)
    assert len(caught.value.faults) == 3
    assert "wuqu projects lint" in caught.value.detail
