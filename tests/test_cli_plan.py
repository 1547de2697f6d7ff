"""``wuqu balance``: what it prints, what it writes, what it refuses."""

from __future__ import annotations

import csv
import json
import math
import re
from pathlib import Path

import geopandas
import pytest
import shapely

from gis.plan import Plan
from gis.plan.land.explain import explain

SAMPLE = Path("data") / "samples" / "yizhong_xinxiao.txt"


@pytest.fixture
def balance(wuqu, plan: Plan, monkeypatch):
    """Run ``wuqu balance`` on the bundled plan, opened once; return exit code, stdout, stderr."""
    monkeypatch.setattr("gis.commands.plan.open_plan", lambda _: plan)

    def call(*args: str | Path) -> tuple[int, str, str]:
        return wuqu("balance", *args)

    return call


def as_document(run, *args: str | Path):
    code, out, err = run(*args, "--format", "json")
    assert code == 0, err
    return json.loads(out)


def test_the_indicator_table_with_reason_layer_and_date(balance) -> None:
    code, out, _ = balance()
    assert code == 0
    flat = "".join(out.split())
    for words in ("226.0000km²", "38.3000km²", "9.6000km²", "52.00%", "核心区规划用地，2026-11"):
        assert words in flat
    for title in ("公布值与计算值", "范围面积", "地类×功能区", "各种口径", "敏感性"):
        assert title in flat
    assert "规划核心区绿地和水域占比 52.00%" in out


def test_every_figure_names_reason_tolerance_layer_and_date(balance) -> None:
    for row in as_document(balance)["stated"]:
        assert row["reason_code"] in {"equal", "rounding"}
        assert row["tolerance"] > 0
        assert row["layer_title"]
        assert row["vintage"] == "2026-11"
        assert row["status"] == "schematic"
        assert (row["ellipsoidal_m2"] is None) == (row["unit"] == "share")


def test_towns_and_zones_are_areas_too(balance) -> None:
    town = as_document(balance, "--area", "371502XX1", "--definition", "D")["land_balance"]
    assert town["area"]["kind"] == "district"
    zone = as_document(balance, "--area", "Z1", "--definition", "D")["land_balance"]
    assert [c["zone"] for c in zone["zones"]["columns"]] == ["Z1"]


def test_land_without_data_is_never_printed_as_nothing(balance) -> None:
    code, out, _ = balance("--area", "Z3")
    assert code == 0
    assert "无法确定" in out
    assert "图层未覆盖" in out
    code, out, _ = balance("--area", "resort")
    assert "不低于 8.81%" in out


def test_what_a_share_is_at_least_is_never_printed_rounded_up(balance, plan: Plan) -> None:
    # 1,991.60 of 22,600 ha are known to count: 8.8124 %; by A 1,986.95 ha: 8.7918 %.
    for area in ("resort", "Z1", "Z4"):
        _, out, _ = balance("--area", area)
        shown = {float(x) for x in re.findall(r"不低于 ([0-9.]+)%", out)}
        lows = [d.share for d in plan.land_balance(area).definitions if not d.range.is_exact]
        assert shown == {math.floor(low * 1e4) / 100 for low in lows}


def test_the_other_share_of_an_area_that_is_covered_in_part_is_marked_as_the_least(
    balance, tmp_path: Path
) -> None:
    for args, marked in ((["--area", "Z1"], True), (["--area", "core"], False)):
        table = tmp_path / "b.csv"
        for more in ([], ["--explain", "share"], ["--explain", "1705"], ["--csv", table]):
            _, out, _ = balance(*args, *more)
            flat = re.sub(r"[\s│┃]", "", out)
            assert "改变后占比" in flat
            assert ("改变后占比（下限）" in flat) is marked
        assert ("改变后占比（下限）" in table.read_text("utf-8-sig")) is marked


def test_a_polygon_of_a_file_is_an_area(balance, repo: Path) -> None:
    land = as_document(balance, "--file", repo / SAMPLE)["land_balance"]
    assert land["area"]["kind"] == "user"
    assert land["area"]["title"] == "聊城一中新校"
    # The file states 27.9447 ha.
    assert land["area"]["ellipsoidal_m2"] == pytest.approx(279_447, abs=0.5)
    code, out, _ = balance("--file", repo / SAMPLE)
    assert code == 0
    assert "按文件声明" in out  # how its coordinates were understood


def test_the_core_as_a_file_gives_the_balance_of_the_core(
    balance, plan: Plan, tmp_path: Path
) -> None:
    file = tmp_path / "core.wkt"
    file.write_text(shapely.to_wkt(plan.layers["core"].index.union, rounding_precision=-1))
    own = as_document(balance, "--file", file, "--crs", "4548")["land_balance"]
    core = as_document(balance)["land_balance"]
    assert own["green_water_share"] == core["green_water_share"]
    assert own["classes"] == core["classes"]


def test_a_polygon_that_is_no_survey_says_so_in_every_form(balance, tmp_path: Path) -> None:
    # Traced on a web map: the outline may lie some metres off.
    ring = [[115.97, 36.37], [115.98, 36.37], [115.98, 36.38], [115.97, 36.37]]
    file = tmp_path / "traced.geojson"
    file.write_text(json.dumps({"type": "Polygon", "coordinates": [ring]}))
    args = ("--file", file, "--crs", "GCJ-02")
    warnings = as_document(balance, *args)["land_balance"]["area"]["warnings"]
    assert "not_survey_grade" in [w["code"] for w in warnings]
    code, out, _ = balance(*args, "--csv", tmp_path / "b.csv")
    assert code == 0
    assert "非测量成果" in out
    assert "非测量成果" in (tmp_path / "b.csv").read_text("utf-8-sig")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--area", "core", "--file", "x.txt"], "--area 和 --file"),
        (["--crs", "4548"], "--crs 没有作用"),
        (["--which", "1", "--repair"], "--which、--repair 没有作用"),
        (["--file", "nirgends.txt"], "文件不存在"),
        (["--area", "roads"], "不是面"),
        (["--area", "control_line"], "green_line"),
        (["--definition", "Q"], "Q"),
        (["--explain", "nix"], "green_water_share"),
        (["--gpkg", "x.gpkg", "--ceiling", "top"], "top"),
        (["--ceiling", "internal"], "--ceiling 没有作用"),
        (["--explain", "resort_area", "--definition", "A"], "口径"),
        (["--explain", "green_water_share", "--area", "resort"], "范围"),
        (["--explain", "core", "--area", "Z1"], "范围"),
        (["--explain", "cultivated_land", "--definition", "A"], "口径"),
        (["--explain", "image_april:ndvi", "--definition", "A"], "口径"),
    ],
)
def test_a_call_that_means_nothing_is_one_clear_message(
    balance, tmp_path: Path, monkeypatch, args: list[str], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = balance(*args)
    assert code == 2
    assert out == ""
    assert words in err
    assert "Traceback" not in err
    assert not list(tmp_path.iterdir())


def test_all_polygons_of_a_file_at_once_are_refused(balance, repo: Path) -> None:
    code, _, err = balance("--file", repo / SAMPLE, "--which", "all")
    assert code == 2
    assert "--which" in err


# --- one number ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("resort_area", ["226.0000km²", "±0.5km²", "度假区范围", "平面226,046,935.19m²"]),
        ("green_water_share", ["口径B", "规划核心区", "未计入", "1401公园绿地", "敏感性", "推断"]),
        ("1403", ["广场用地", "4.65公顷", "绿地", "51.88%"]),
        ("Z1", ["50.5975km²", "五大功能区"]),
        ("share", ["52.00%", "未计入"]),
    ],
)
def test_each_number_is_explained_by_one_argument(balance, name: str, words: list[str]) -> None:
    code, out, _ = balance("--explain", name)
    assert code == 0
    flat = "".join(out.split()).replace("│", "")
    for word in words:
        assert word in flat, word
    found = as_document(balance, "--explain", name)
    assert {"definition", "layer", "layer_title", "vintage", "status", "source"} <= set(found)


def test_a_class_is_explained_in_the_area_that_was_asked_for(balance, plan: Plan) -> None:
    found = as_document(balance, "--explain", "1101", "--area", "resort", "--definition", "D")
    rows = {r.cls: r for r in plan.land_balance("resort", definition="D").rows}
    assert found["area_m2"] == pytest.approx(rows["1101"].area_m2, abs=0.02)
    assert found["denominator"] == "度假区范围"
    assert found["counted_as"] == "water"


def test_every_stated_figure_class_and_area_can_be_explained(plan: Plan) -> None:
    names = [f.id for f in plan.figures()] + [a.id for a in plan.areas]
    for name in (*names, *(r.cls for r in plan.land_balance("core").rows)):
        found = explain(plan, name)
        assert found["definition"], name
        assert found["layer"], name
        assert found["vintage"], name


# --- files ---------------------------------------------------------------------------------------


def test_csv_and_gpkg_are_written_beside_the_answer(balance, tmp_path: Path) -> None:
    table, map_file = tmp_path / "new" / "b.csv", tmp_path / "b.gpkg"
    code, out, err = balance("--csv", table, "--gpkg", map_file, "--format", "json")
    assert code == 0
    document = json.loads(out)
    assert str(table) in err.replace("\n", "")  # a long path may be folded
    rows = {r[0]: r for r in csv.reader(table.read_text("utf-8-sig").splitlines()) if r}
    assert rows["规划状态"][1] == "示意"
    assert float(rows["合计"][-3]) == document["land_balance"]["total"]["ha"]
    frame = geopandas.read_file(map_file, layer="land_balance")
    assert frame["area_m2"].sum() == pytest.approx(38_300_001.17, abs=0.01)


def test_a_file_that_cannot_be_written_is_said(balance, tmp_path: Path) -> None:
    (tmp_path / "b.csv").mkdir()
    code, _, err = balance("--csv", tmp_path / "b.csv")
    assert code == 2
    assert "无法写入" in err
