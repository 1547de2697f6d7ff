"""The command line: contract of exit codes, stdout and JSON shapes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from gis.commands import maps
from gis.console import in_options

DAY = ["--as-of", "2026-11-22"]


@pytest.fixture
def run(wuqu, monkeypatch: pytest.MonkeyPatch, repo: Path):
    monkeypatch.setenv("WUQU_PLAN", str(repo / "data"))
    return wuqu


def test_check_of_the_txt_sample_prints_area_verdict_and_legal_basis(run, samples_dir) -> None:
    file = samples_dir / "yizhong_xinxiao.txt"
    code, out, _ = run("check", str(file), "--use", "080403", *DAY)
    assert code == 0
    assert "419.17 亩" in out
    assert "符合" in out
    assert "《" in out
    assert "示意" in out


def test_new_outlines_stand_before_the_long_list_of_what_passes(run, samples_dir) -> None:
    file = samples_dir / "mingzhu_guangchang.geojson"
    _, out, _ = run("check", file, "--as-of", "2026-11-22")
    assert out.index("需要处理的规则") < out.index("裁减方案：") < out.index("符合的规则（")


def test_check_with_json_prints_one_document_and_nothing_else(run, samples_dir) -> None:
    file = samples_dir / "theme_park_2000mu.geojson"
    code, out, _ = run("check", str(file), "--use", "0903", *DAY, "--format", "json")
    document = json.loads(out)
    assert code == 0
    assert document["verdict"] == "fail"
    assert {
        "id",
        "verdict",
        "deciding_rule",
        "site",
        "evidence",
        "findings",
        "contacts",
        "layers",
        "impact",
        "remedies",
        "warnings",
        "as_of",
        "plan",
        "rulebook",
        "digest",
    } <= set(document)


def test_check_with_geojson_prints_features_in_degrees(run, samples_dir) -> None:
    file = samples_dir / "mingzhu_guangchang.geojson"
    code, out, _ = run("check", str(file), "--use", "0901", *DAY, "--format", "geojson")
    collection = json.loads(out)
    assert code == 0
    assert collection["type"] == "FeatureCollection"
    assert len(collection["features"]) >= 2  # the site and at least the green-line overlap


def test_attributes_reach_the_check(run, samples_dir) -> None:
    file = str(samples_dir / "zhongyao_yuanqu.geojson")
    options = ["--use", "100101", *DAY, "--format", "json"]
    _, without, _ = run("check", file, *options)
    _, low, _ = run("check", file, "--attr", "emission_class=low", *options)
    _, normal, _ = run("check", file, "--attr", "emission_class=normal", *options)
    verdicts = [
        next(f["verdict"] for f in json.loads(text)["findings"] if f["rule"] == "plan.zone-use")
        for text in (without, low, normal)
    ]
    assert verdicts == ["undetermined", "conditional", "fail"]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["check", "nowhere.txt"], "文件不存在"),
        (["check", "{txt}", "--use", "08H2"], "08H2"),
        (["check", "{txt}", "--attr", "green_rate=35"], "绿地率"),
        (["check", "{txt}", "--attr", "green_rate"], "green_rate"),
        (["check", "{txt}", "--as-of", "yesterday"], "yesterday"),
        (["check", "{txt}", "--which", "2"], "1"),
        (["check", "{txt}", "--which", "²"], "which"),
        (["check", "{txt}", "--use", ""], "用途代码"),
        (["check", "{txt}", "--attr", "storeys=1", "--attr", "storeys=2"], "两次"),
        (["check", "{txt}", "--crs", "EPSG:2343"], "旧基准"),
        (["balance", "--area", "Z9"], "Z9"),
        (["balance", "--definition", "X"], "X"),
        (["rules", "show", "no.such-rule"], "no.such-rule"),
        (["data", "check", "--plan", "nowhere"], "nowhere"),
    ],
)
def test_what_cannot_be_judged_is_one_clear_message_and_exit_2(
    run, samples_dir, args: list[str], said: str
) -> None:
    txt = str(samples_dir / "yizhong_xinxiao.txt")
    code, out, err = run(*[a.format(txt=txt) for a in args])
    assert code == 2
    assert said in err
    assert "Traceback" not in err
    assert out == ""


@pytest.mark.parametrize("option", [["--format", "json"], ["--format=json"]])
def test_with_json_an_error_is_a_json_document_too(run, option: list[str]) -> None:
    code, out, _ = run("check", "nowhere.txt", *option)
    assert code == 2
    assert json.loads(out)["code"] == "claim"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["check"], "缺少参数 file"),
        (["check", "a", "--nosuch"], "没有选项“--nosuch”"),
        (["check", "a", "--format", "xml"], "--format 的值无效"),
        (["check", "a", "--width", "wide"], "--width 的值无效"),
        (["check", "a", "b"], "命令写法有误"),
        (["balance", "--definition"], "后面缺少值"),
        (["no-such-command"], "没有命令“no-such-command”"),
        (["rules", "show"], "缺少参数 rule"),
    ],
)
def test_a_wrong_call_is_exit_2_and_said_in_chinese(run, args: list[str], said: str) -> None:
    code, out, err = run(*args)
    assert code == 2
    assert said in err
    assert out == ""


def test_no_command_shows_the_help_and_is_exit_2(run) -> None:
    code, out, err = run("rules")
    assert code == 2
    assert "规则" in out + err


@pytest.mark.parametrize("target", ["/proc/none/x.html", "."])
def test_a_place_that_cannot_be_written_is_named(run, target: str) -> None:
    code, _, err = run("map", "-o", target)
    assert code == 2
    assert "无法写入" in err


def test_a_fault_of_another_site_does_not_hinder_the_chosen_one(run, tmp_path: Path) -> None:
    def square(lon: float) -> list[list[float]]:
        e, n = lon + 0.001, 36.401
        return [[lon, 36.40], [e, 36.40], [e, n], [lon, n], [lon, 36.40]]

    bow = [[115.97, 36.40], [115.971, 36.401], [115.971, 36.40], [115.97, 36.401], [115.97, 36.40]]
    features = [
        {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [c]}}
        for c in (square(115.96), bow)
    ]
    file = tmp_path / "two.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    assert run("check", str(file))[0] == 2
    assert run("check", str(file), "--which", "2")[0] == 2
    code, out, _ = run("check", str(file), "--which", "1", "--format", "json")
    assert code == 0
    assert json.loads(out)["verdict"]


def test_balance_shows_stated_and_computed(run) -> None:
    code, out, _ = run("balance", "--format", "json")
    document = json.loads(out)
    assert code == 0
    rows = {r["id"]: r for r in document["stated"]}
    assert rows["resort_area"]["computed"] == pytest.approx(226, abs=1e-4)
    assert rows["core_area"]["computed"] == pytest.approx(38.3, abs=1e-4)
    assert rows["approval_area"]["computed"] == pytest.approx(9.6, abs=1e-4)
    assert rows["green_water_share"]["computed"] == pytest.approx(0.52, abs=1e-4)
    assert document["land_balance"]["definition"] == "B"
    code, out, _ = run("balance", "--area", "approval")
    assert code == 0
    assert "省批" in out


def test_rules_are_listed_and_shown(run) -> None:
    code, out, _ = run("rules", "list", *DAY, "--format", "json")
    rules = json.loads(out)["rules"]
    assert code == 0
    assert "cn.permanent-farmland" in {r["id"] for r in rules}
    code, out, _ = run("rules", "show", "cn.permanent-farmland")
    assert code == 0
    assert "土地管理法" in out


def test_data_check_of_the_bundled_plan_finds_nothing(run) -> None:
    code, out, _ = run("data", "check", "--format", "json")
    document = json.loads(out)
    assert code == 0
    assert [row["id"] for row in document["layers"] if row["faults"]] == []


def test_data_check_of_a_poor_plan_is_exit_3(run, tmp_path: Path, repo: Path) -> None:
    import shutil

    root = tmp_path / "plan"
    shutil.copytree(repo / "data", root, ignore=shutil.ignore_patterns("build", "samples"))
    (root / "shapefiles" / "SX.shp").unlink()
    code, out, _ = run("data", "check", "--plan", str(root), "--format", "json")
    assert code == 3
    rows = {row["id"]: row for row in json.loads(out)["layers"]}
    assert rows["water"]["state"] == "no_data"
    assert rows["water"]["faults"]


def test_demo_writes_map_checks_sites_and_a_report(run, tmp_path: Path) -> None:
    import geopandas

    out = tmp_path / "out"
    code, text, _ = run("demo", "--out", str(out))
    assert code == 0
    assert "一中新校" in text
    checks = json.loads((out / "checks.json").read_text(encoding="utf-8"))["checks"]
    assert len(checks) == 8
    assert {c["as_of"] for c in checks} == {"2026-11-22"}
    sites = geopandas.read_file(out / "sites.gpkg", layer="sites")
    assert len(sites) == 8
    assert (out / "map.html").stat().st_size > 100_000
    assert (out / "report.pdf").read_bytes()[:5] == b"%PDF-"


def test_map_draws_the_plan(run, tmp_path: Path) -> None:
    target = tmp_path / "maps" / "plan.html"
    code, _, _ = run("map", "-o", str(target))
    assert code == 0
    assert "示意" in target.read_text(encoding="utf-8")


def test_map_carries_the_recipient_of_the_settings(run, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("WUQU_RECIPIENT", "某区分局")
    target = tmp_path / "plan.html"
    code, _, _ = run("map", "-o", str(target))
    assert code == 0
    assert "某区分局" in target.read_text(encoding="utf-8")


def test_map_says_when_a_file_is_large(run, tmp_path: Path, monkeypatch) -> None:
    target = tmp_path / "plan.html"
    _, _, err = run("map", "-o", str(target))
    assert "MB" not in err
    monkeypatch.setattr(maps, "_LARGE_MAP_MB", 1)
    code, _, err = run("map", "-o", str(target))
    assert code == 0
    assert "assets=static" in err.replace("\n", "")


def test_serve_refuses_an_address_that_others_can_reach(run) -> None:
    code, _, err = run("serve", "--host", "0.0.0.0")
    assert code == 2
    assert "127.0.0.1" in err


@pytest.mark.parametrize("text", ["--format=text", "--format=json"])
def test_errors_name_the_options_of_the_command_line(run, tmp_path: Path, text: str) -> None:
    line = tmp_path / "line.wkt"
    line.write_text("LINESTRING(115.97 36.40, 115.98 36.41)")
    bow = tmp_path / "bow.wkt"
    bow.write_text("POLYGON((115.97 36.4,115.98 36.41,115.98 36.4,115.97 36.41,115.97 36.4))")
    two = Path(__file__).parent / "corpus" / "txt" / "plots_2.txt"
    calls = {
        "用 --width 给出宽度": [line],
        "--width 为 -1": [line, "--width", "-1"],
        "用 --repair 自动修复": [bow],
        "用 --which 序号 选择": [two],
        "--which 1": [two],
        "--which 9": [two, "--which", "9"],
        "文字编码 --encoding 为": [line, "--encoding", "nope"],
    }
    for said, args in calls.items():
        code, out, err = run("check", *args, text)
        assert code == 2
        for told in (err, out) if text.endswith("json") else (err,):
            assert said in told
            assert not re.search(r"width_m|repair=|which=", told)


def test_a_file_without_a_crs_is_told_which_option_of_the_command_names_one() -> None:
    said = "在文件中写明坐标系，或用 crs=EPSG 代码 指定"
    assert in_options(said) == "在文件中写明坐标系，或用 --crs EPSG:代码 指定"
    # ``txt write --crs`` is the CRS of the file that is written.
    assert in_options(said, of_input=True).endswith("或用 --from-crs EPSG:代码 指定")


@pytest.mark.parametrize(
    ("place", "said"),
    [("{tmp}", "是文件夹"), ("/dev/null", "不是普通文件"), ("{tmp}/none.txt", "文件不存在")],
)
def test_what_is_no_file_is_called_what_it_is(run, tmp_path: Path, place: str, said: str) -> None:
    path = place.format(tmp=tmp_path)
    for command in (["check"], ["txt", "lint"], ["txt", "read"]):
        code, _, err = run(*command, path)
        assert code == 2
        assert said in err


@pytest.mark.parametrize("day", ["20261122", "2026-W47-7", "2026-11-2", "２０２６-11-22"])
def test_a_day_in_another_form_than_the_message_asks_for_is_refused(
    run, samples_dir, day: str
) -> None:
    code, _, err = run("check", samples_dir / "yizhong_xinxiao.txt", "--as-of", day)
    assert code == 2
    assert "形如 2026-11-22" in err
