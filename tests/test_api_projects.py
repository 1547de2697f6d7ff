"""The register and the portfolio over HTTP, and joined to the collection of desktop programs."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import date

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.ogc.projects import ProjectSource, project_sources
from api.projects import outline_fields
from api.schemas_projects import ProjectColumns
from api.settings import Settings
from gis.portfolio.check import check_portfolio
from gis.portfolio.columns import COLUMNS
from gis.portfolio.register import load_projects

DAY = "2026-11-22"


def get(client: TestClient, path: str, status: int = 200):
    answer = client.get(path)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_the_document_describes_every_column_of_the_register() -> None:
    assert list(ProjectColumns.model_fields) == [column.name for column in COLUMNS]


def test_the_register_is_listed_with_its_totals(client) -> None:
    answer = get(client, "/v1/projects")
    assert len(answer["projects"]) == 20
    assert answer["totals"][0]["investment_wan"]["stated"] == 1_702_712
    row = answer["projects"][5]
    assert (row["id"], row["problem_state"], row["annual_plan_wan"]) == ("P06", "未销号", None)
    assert row["next_stage"]["todo"] == "办理用地手续（未办理）"


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("problem_open=true", ["P03", "P05", "P06", "P19", "P20"]),
        ("problem_open=true&zone=Z3", ["P06", "P20"]),
        ("town=于集镇", ["P10"]),
        ("problem_class=征地前期", ["P06", "P19"]),
        ("zone=Z9", []),
    ],
)
def test_projects_are_picked_by_place_and_problem(client, query, ids) -> None:
    assert [p["id"] for p in get(client, f"/v1/projects?{query}")["projects"]] == ids


def test_one_project_has_its_outline_or_says_why_not(client) -> None:
    herbal = get(client, "/v1/projects/P06")
    assert herbal["geometry"]["type"] == "Polygon"
    assert herbal["area"]["mu"] == pytest.approx(60, abs=0.01)
    hotel = get(client, "/v1/projects/P07")
    assert (hotel["outline"], hotel["lacks"], hotel["geometry"]) == ("none", "无边界图", None)
    problem = get(client, "/v1/projects/P99", 404)
    assert "P99" in problem["detail"]
    assert client.get("/v1/projects?nope=1").status_code == 422


def test_the_portfolio_is_that_of_the_notebook_and_so_is_its_map(client, plan) -> None:
    own = check_portfolio(plan, as_of=date.fromisoformat(DAY))
    assert get(client, f"/v1/portfolio?as_of={DAY}") == json.loads(json.dumps(own.to_dict()))
    page = client.get(f"/maps/projects.html?as_of={DAY}").text
    assert own.to_dict()["sentence"] in page
    assert all(row.project.name.split("“")[0] in page for row in own.projects)
    assert client.get("/v1/portfolio?as_of=gestern").status_code == 422


def test_a_portfolio_is_made_once_and_again_when_the_register_changes(
    scarce_dir, tmp_path, monkeypatch
) -> None:
    from gis.plan import load_plan

    plan = load_plan(scarce_dir())
    register = plan.root / "projects.csv"
    register.write_text("id,name\nA,甲\n", encoding="utf-8")
    made = []

    def counted(*given, **more):
        made.append(given)
        return check_portfolio(*given, **more)

    monkeypatch.setattr("api.projects.check_portfolio", counted)
    with TestClient(create_app(Settings(db=tmp_path / "r.sqlite"), plan=plan)) as own:
        for _ in range(2):
            assert get(own, f"/v1/portfolio?as_of={DAY}")["register"]["projects"] == 1
        assert len(made) == 1
        register.write_text("id,name\nA,甲\nB,乙\n", encoding="utf-8")
        assert get(own, f"/v1/portfolio?as_of={DAY}")["register"]["projects"] == 2
        assert len(made) == 2
        register.write_text("id,name\nA,甲\nA,乙\n", encoding="utf-8")
        problem = get(own, f"/v1/portfolio?as_of={DAY}", 503)
        assert str(plan.root) not in json.dumps(problem)
        register.unlink()
        for path in ("/v1/projects", "/v1/projects/A", "/v1/portfolio", "/maps/projects.html"):
            assert "projects.csv" in get(own, path, 404)["detail"]


def test_above_the_ceiling_a_project_tells_its_area_and_no_place(plan) -> None:
    layer = plan.layers["projects"]
    hidden = replace(layer, info=replace(layer.info, secrecy="restricted"))
    secret = replace(plan, layers={**plan.layers, "projects": hidden})
    row = outline_fields(load_projects(secret).get("P06"), secret, "public")
    assert (row["outline"], row["shows_coordinates"], row["geometry"]) == ("usable", False, None)
    assert row["area"]["mu"] == pytest.approx(60, abs=0.01)
    assert outline_fields(load_projects(secret).get("P06"), secret, "restricted")["geometry"]
    assert project_sources(secret, frozenset({"projects"})) == {}


def test_the_collection_of_projects_carries_the_register(client) -> None:
    items = get(client, "/ogc/collections/projects/items")
    assert items["numberMatched"] == 20
    found = {f["properties"]["name"]: f["properties"] for f in items["features"]}
    herbal = found["现代中药园区"]
    assert (herbal["project_id"], herbal["investment_wan"]) == ("P06", 15_000)
    assert herbal["class"] == "征地前期"  # what programs have had until now
    assert found["盛景温泉酒店"]["project_id"] == "P07"  # joined by its name
    assert found["盛景温泉酒店"]["investment_wan"] is None
    query = "filter=investment_wan > 100000 AND problem_state = '未销号'"
    some = get(client, f"/ogc/collections/projects/items?{query}")
    assert [f["properties"]["project_id"] for f in some["features"]] == ["P03"]
    schema = get(client, "/ogc/collections/projects/schema")
    assert schema["properties"]["investment_wan"]["title"] == "总投资（万元）"
    assert schema["properties"]["investment_wan"]["type"] == "number"


def test_a_broken_register_leaves_the_layer_as_it_is(plan, tmp_path) -> None:
    root = tmp_path / "plan"
    root.mkdir()
    shutil.copy(plan.root / "projects.csv", root)
    (root / "projects.csv").write_text("id,name\nA,甲\nA,乙\n", encoding="utf-8")
    source = ProjectSource(replace(plan, root=root), plan.layers["projects"])
    assert source.fields["name"].title == "名称"
    assert all(value is None for value in source._values["project_id"])
