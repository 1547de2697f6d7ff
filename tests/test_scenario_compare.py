"""Plans side by side: every number is that of the plan alone, and by hand where it is small."""

from __future__ import annotations

import csv
import json
from datetime import date

import geopandas
import pytest
from shapely.geometry import box
from small_plan import EAST, NORTH, package
from typer.testing import CliRunner

import gis
from gis.cli import app
from gis.errors import ClaimError, CrsError
from gis.scenario import Change, Wish, compare_scenarios, make_scenario

DAY = date(2026, 11, 22)
RESORT = """
[[layer]]
id = "resort"
title = "规划范围"
path = "resort.gpkg"
role = "planning_area"
geometry = "polygon"
vintage = "2026"
status = "approved"

[[stated]]
id = "whole"
title = "总面积"
value = 8.0
unit = "ha"
measure = "area"
layer = "resort"
source = "手算：400 m × 200 m"

[[stated]]
id = "red"
title = "红线面积"
value = 0.6
unit = "ha"
measure = "area"
layer = "redline"
source = "手算：30 m × 200 m"
"""
REGISTER = "id,name,use,site_file\nP1,西侧,0901,west.wkt\nP2,无图,0901,\n"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A plan of 400 m x 200 m with a redline of 30 m x 200 m, and a draft without half of it.

    The project lies on the southern half of the redline, which the draft takes off.
    """
    tmp = tmp_path_factory.mktemp("scenarios")
    root = package(tmp / "plan", {"redline": (100, "")})
    header = root / "plan.toml"
    header.write_text(header.read_text(encoding="utf-8") + RESORT, encoding="utf-8")
    area = box(EAST, NORTH - 50, EAST + 400, NORTH + 150)
    geopandas.GeoDataFrame({"n": [1]}, geometry=[area], crs=4548).to_file(root / "resort.gpkg")
    site = box(EAST + 90, NORTH, EAST + 140, NORTH + 20)
    (root / "west.wkt").write_text(f"SRID=4548;{site.wkt}", encoding="utf-8")
    (root / "projects.csv").write_text(REGISTER, encoding="utf-8")
    plan = gis.load_plan(root)
    south = box(EAST + 100, NORTH - 50, EAST + 130, NORTH + 50)
    draft = make_scenario(plan, tmp / "half", [Change("redline", "remove", south)], title="减半")
    return plan, draft, tmp


@pytest.fixture(scope="module")
def compared(world):
    plan, draft, _ = world
    wishes = [Wish("0901", 60.0), Wish("0901", 90.0)]
    return compare_scenarios(plan, [draft], wishes=wishes, as_of=DAY)


def test_figures_of_both_plans_stand_beside_the_stated_one(compared) -> None:
    whole, red = compared.to_dict()["figures"]
    # At the central meridian a planar square metre is an ellipsoidal one to 1e-5.
    assert whole["computed"] == pytest.approx([8.0, 8.0], rel=1e-5)
    assert red["stated"] == 0.6
    assert red["computed"] == pytest.approx([0.6, 0.3], rel=1e-5)


def test_the_change_is_what_was_taken_off(compared) -> None:
    ((row,),) = compared.to_dict()["changes"]
    (whole,) = row["classes"]
    assert row["layer"] == "redline"
    assert (whole["gained_m2"], whole["lost_m2"]) == (0, pytest.approx(3_000, rel=1e-5))


def test_a_project_on_the_land_taken_off_changes_its_verdict_and_one_without_outline_has_none(
    compared, world
) -> None:
    west, none = compared.to_dict()["projects"]
    assert [side["verdict"] for side in west["sides"]] == ["fail", "pass"]
    assert west["changed"]
    assert [side["verdict"] for side in none["sides"]] == [None, None]
    for plan, side in zip(world[:2], west["sides"], strict=True):
        alone = gis.check_portfolio(plan, as_of=DAY).get("P1").check
        assert side["digest"] == alone.digest


def test_feasible_land_grows_by_the_land_taken_off(compared) -> None:
    first = compared.to_dict()["feasible"][0]["plans"]
    # By hand: 80,000 m² without 6,000 m², then without 3,000 m²; less the cells along the border.
    cell = compared.searches[0][0].feasible.cell_m
    grown = first[1]["classes"]["permitted"] - first[0]["classes"]["permitted"]
    assert grown == pytest.approx(3_000, abs=4 * cell * 60)
    excluded = [side["classes"]["excluded"] for side in first]
    assert excluded[0] - excluded[1] == pytest.approx(grown)


def test_a_site_that_only_the_draft_has_room_for_is_found_there_only(compared) -> None:
    # 90 mu = 60,000 m²: east of the redline there are 54,000 m², in the draft more hang together.
    sides = compared.to_dict()["feasible"][1]["plans"]
    assert [side["candidates"] > 0 for side in sides] == [False, True]
    assert sides[0]["nearest_miss"]
    assert sides[1]["best"]["verdict"] == "pass"


def test_the_table_has_a_column_for_each_plan(compared, tmp_path) -> None:
    frame = compared.to_frame()
    assert list(frame.columns) == ["topic", "subject", "unit", "1", "1+half"]
    path = compared.to_csv(tmp_path / "c.csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert len(rows) == len(frame) + 1
    assert ["项目", "西侧", "", "不符合", "符合"] in rows


def test_plans_that_cannot_be_told_apart_or_laid_upon_each_other_are_refused(
    world, tmp_path
) -> None:
    plan, _, _ = world
    with pytest.raises(ClaimError, match="没有情景可比"):
        compare_scenarios(plan, [])
    with pytest.raises(ClaimError, match="都是“1”"):
        compare_scenarios(plan, [plan])
    root = package(tmp_path / "other", {}, "2")
    text = (root / "plan.toml").read_text(encoding="utf-8").replace("4548", "4547")
    (root / "plan.toml").write_text(text, encoding="utf-8")
    with pytest.raises(CrsError, match="EPSG:4547、EPSG:4548"):
        compare_scenarios(plan, [gis.load_plan(root)])


def test_command_line_makes_and_compares_a_scenario(world, tmp_path) -> None:
    plan, _, _ = world
    land = box(EAST + 100, NORTH - 50, EAST + 130, NORTH + 50)
    file = tmp_path / "south.wkt"
    file.write_text(f"SRID=4548;{land.wkt}", encoding="utf-8")
    given = ["--plan", str(plan.root), "--format", "json"]
    made = run("scenario", "new", str(tmp_path / "s"), "--title", "减半", "--remove",
               f"redline={file}", *given)  # fmt: skip
    assert made["layers"][0]["classes"][0]["lost_m2"] == pytest.approx(3_000, abs=0.1)
    page, table = tmp_path / "m.html", tmp_path / "c.csv"
    document = run("scenario", "compare", str(tmp_path / "s"), "--find", "0901:90", "--as-of",
                   "2026-11-22", "--map", str(page), "--csv", str(table), *given)  # fmt: skip
    assert [p["version"] for p in document["plans"]] == ["1", "1+s"]
    assert [s["candidates"] > 0 for s in document["feasible"][0]["plans"]] == [False, True]
    text = page.read_text(encoding="utf-8")
    assert "版本 1+s（草案）" in text
    assert table.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["new", "x", "--title", "t", "--add", "zones"], "--add 为“zones”"),
        (["new", "x", "--title", "t", "--remove", "zones/1=a.geojson"], "--remove 为"),
        (["new", "x", "--title", "t", "--add", "zones=none.geojson"], "文件不存在"),
        (["compare", "x", "--find", "0901"], "--find 为“0901”"),
    ],
)
def test_a_wrong_option_says_how_it_is_written(words, said) -> None:
    result = CliRunner().invoke(app, ["scenario", *words])
    assert said in str(result.exception)


def run(*words: str) -> dict:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)
