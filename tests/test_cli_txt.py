"""``wuqu txt``: boundary-point TXT files read, written and linted at a terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gis.plan import load_plan

CORPUS = Path(__file__).parent / "corpus" / "txt"


@pytest.fixture
def run(wuqu, monkeypatch: pytest.MonkeyPatch, plan):
    # The bundled plan is loaded once, not for each of the many calls.
    monkeypatch.setattr("gis.plan.load_plan", lambda path: load_plan(path) if path else plan)
    return wuqu


# --- read -----------------------------------------------------------------------------------------


def test_read_prints_the_plots_with_points_and_areas(run):
    code, out, _ = run("txt", "read", CORPUS / "plots_2.txt")
    assert code == 0
    assert "甲地块" in out
    assert "乙地块" in out
    assert "20,000.00" in out  # planar, 200 m x 100 m
    assert "EPSG:4527" in out


def test_read_as_json_gives_rings_in_the_work_crs(run):
    code, out, _ = run("txt", "read", CORPUS / "hole.txt", "--format", "json")
    document = json.loads(out)
    assert code == 0
    assert document["crs"] == "EPSG:4548"
    (plot,) = document["plots"]
    assert plot["area"]["planar_m2"] == pytest.approx(19_900, abs=1e-3)
    assert [(ring["part"], ring["role"]) for ring in plot["rings"]] == [(1, "outer"), (1, "hole")]
    # The south-west corner of the corpus, without its zone prefix; rings are closed.
    assert [408498.27, 4030411.11] in plot["rings"][0]["coordinates"]
    assert plot["rings"][1]["coordinates"][0] == plot["rings"][1]["coordinates"][-1]
    assert plot["points"] == 8
    assert plot["claims"]["plot_number"] == "01"
    assert {note["code"] for note in plot["notes"]} >= {"crs", "text_encoding"}


def test_read_as_geojson_gives_features_in_degrees(run):
    code, out, _ = run("txt", "read", CORPUS / "plots_2.txt", "--format", "geojson")
    collection = json.loads(out)
    assert code == 0
    assert [f["properties"]["number"] for f in collection["features"]] == [1, 2]
    lon, lat = collection["features"][0]["geometry"]["coordinates"][0][0]
    assert (lon, lat) == (pytest.approx(115.98, abs=0.01), pytest.approx(36.40, abs=0.01))


def test_read_takes_one_plot_and_keeps_its_number(run):
    path = CORPUS / "plots_2.txt"
    _, out, _ = run("txt", "read", path, "--which", "2", "--format", "json")
    assert [(p["number"], p["name"]) for p in json.loads(out)["plots"]] == [(2, "乙地块")]


def test_read_tells_every_fault_with_its_line(run):
    code, out, err = run("txt", "read", CORPUS / "fault_three_plots.txt")
    assert code == 2
    assert out == ""
    for place in ("第 13 行", "第 20 行 与 第 22 行", "第 25 行", "第 26 行"):
        assert place in err


def test_read_takes_no_other_format(run, samples_dir):
    code, _, err = run("txt", "read", samples_dir / "mingzhu_guangchang.geojson")
    assert code == 2
    assert "wuqu txt write" in err


def test_read_understands_options_of_the_user(run):
    line = CORPUS / "fault_line_without_width.txt"
    assert run("txt", "read", line)[0] == 2
    code, out, _ = run("txt", "read", line, "--width", "10", "--format", "json")
    assert code == 0
    assert json.loads(out)["plots"][0]["area"]["planar_m2"] == pytest.approx(2_000)
    assert run("txt", "read", CORPUS / "fault_bow_tie.txt", "--repair")[0] == 0
    assert run("txt", "read", CORPUS / "utf8.txt", "--encoding", "utf-8")[0] == 0
    assert run("txt", "read", CORPUS / "form.txt", "--encoding", "utf-8")[0] == 2
    assert run("txt", "read", CORPUS / "fault_zone_against_prefix.txt", "--crs", "4527")[0] == 0


# --- write ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sample", ["yizhong_xinxiao.txt", "yixiao_sanguan.zip", "jiankang_kejiyuan.geojson"]
)
def test_write_turns_any_format_into_a_txt_that_reads_the_same(run, samples_dir, tmp_path, sample):
    out = tmp_path / "new" / "out.txt"
    code, text, _ = run("txt", "write", samples_dir / sample, "-o", out, "--format", "json")
    document = json.loads(text)
    assert code == 0
    assert (document["plots"], document["crs"]) == (1, "EPSG:4527")
    assert document["largest_difference_m"] <= 0.001
    assert document["bytes"] == out.stat().st_size
    head = out.read_bytes().decode("gb18030")
    assert "带号=39\r\n" in head
    assert ",394" in head  # the zone prefix of the plan's work zone
    _, before, _ = run("check", samples_dir / sample, "--format", "json")
    _, after, _ = run("check", out, "--format", "json")
    areas = [json.loads(t)["site"]["area"]["ellipsoidal_m2"] for t in (before, after)]
    assert areas[0] == pytest.approx(areas[1], rel=1e-6)


def test_write_takes_zone_name_encoding_and_one_of_several(run, tmp_path):
    out = tmp_path / "out.txt"
    options = ["--crs", "EPSG:4548", "--name", "新名", "--encoding", "utf-8", "--which", "2"]
    code, text, _ = run(
        "txt", "write", CORPUS / "plots_2.txt", "-o", out, *options, "--unit", "测绘院"
    )
    assert code == 0
    assert "读回比对一致" in text
    written = out.read_bytes().decode("utf-8")
    assert ",1.0000," not in written  # the area is that of the ellipsoid: 0.9998 ha
    assert ",0.9998,02,新名,面" in written
    assert ",408998.270" in written
    assert "数据产生单位=测绘院" in written


@pytest.mark.parametrize("epsg", [4526, 4549, 4498, 4509])
def test_write_can_use_a_zone_that_the_plan_does_not_name(run, tmp_path, epsg):
    out = tmp_path / "out.txt"
    options = ["--crs", str(epsg), "--format", "json"]
    code, text, _ = run("txt", "write", CORPUS / "hole.txt", "-o", out, *options)
    assert code == 0
    assert json.loads(text)["largest_difference_m"] <= 0.001


def test_write_gives_every_plot_and_part_a_header(run, tmp_path):
    out = tmp_path / "out.txt"
    assert run("txt", "write", CORPUS / "plots_2.txt", "-o", out, "--which", "all")[0] == 0
    assert out.read_bytes().count(b",@\r\n") == 2
    assert run("txt", "write", CORPUS / "part_as_ring_2.txt", "-o", out)[0] == 0
    assert b",01_2," in out.read_bytes()


def test_write_never_writes_over_its_input(run, tmp_path):
    file = tmp_path / "a.txt"
    data = (CORPUS / "form.txt").read_bytes()
    file.write_bytes(data)
    (tmp_path / "link.txt").symlink_to(file)
    for out in (file, tmp_path / "." / "a.txt", tmp_path / "link.txt"):
        code, _, err = run("txt", "write", file, "-o", out)
        assert code == 2
        assert "就是输入文件" in err
    assert file.read_bytes() == data


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--crs", "EPSG:4490"], "不是 CGCS2000 高斯-克吕格投影"),
        (["--crs", "EPSG:4513"], "范围"),
        (["--crs", "EPSG:2343"], "旧基准"),
        (["--encoding", "big5"], "--encoding"),
        (["--which", "9"], "--which 9"),
        (["--from-encoding", "klingon"], "--from-encoding 为“klingon”"),
    ],
)
def test_write_refuses_what_it_cannot_write(run, tmp_path, args, said):
    out = tmp_path / "out.txt"
    code, _, err = run("txt", "write", CORPUS / "form.txt", "-o", out, *args)
    assert code == 2
    assert said in err
    assert not out.exists()


def test_write_names_a_place_that_cannot_be_written(run, tmp_path):
    code, _, err = run("txt", "write", CORPUS / "form.txt", "-o", tmp_path)
    assert code == 2
    assert "无法写入" in err


def test_write_does_not_say_that_it_succeeded_when_the_text_reads_otherwise(
    run, tmp_path, monkeypatch
):
    from gis.output import sites_txt

    true_text = sites_txt.boundary_txt

    def moved(*args, **options):
        return true_text(*args, **options).replace("4030511.110", "4030511.115")

    monkeypatch.setattr(sites_txt, "boundary_txt", moved)
    out = tmp_path / "out.txt"
    code, text, err = run("txt", "write", CORPUS / "form.txt", "-o", out)
    assert (code, text) == (2, "")
    assert "相差 5.00 mm" in err
    assert not out.exists()


# --- lint -----------------------------------------------------------------------------------------


def test_lint_of_a_clean_file_is_exit_0(run, samples_dir):
    code, out, _ = run("txt", "lint", samples_dir / "yizhong_xinxiao.txt")
    assert code == 0
    assert "错误 0" in out
    assert "可以采用" in out


def test_lint_with_warnings_only_is_exit_0(run):
    code, out, _ = run("txt", "lint", CORPUS / "unclosed.txt")
    assert code == 0
    assert "警告" in out


def test_lint_of_a_file_with_errors_is_exit_3_and_lists_all(run):
    code, out, _ = run("txt", "lint", CORPUS / "fault_three_plots.txt")
    assert code == 3
    assert "不能采用" in out
    for said in ("超过 1 %", "相交", "不是整数", "abc"):
        assert said in out.replace("\n", "")


def test_lint_as_json_is_one_document(run):
    code, out, _ = run("txt", "lint", CORPUS / "fault_three_plots.txt", "--format", "json")
    document = json.loads(out)
    assert code == 3
    assert document["file"] == "fault_three_plots.txt"
    assert (document["plots"], document["errors"]) == (3, 4)
    assert document["encoding"] == "GB18030（GBK）"
    assert len(document["rows"]) == sum(document[k] for k in ("errors", "warnings", "notes"))
    errors = [row for row in document["rows"] if row["level"] == "error"]
    assert [row["line"] for row in errors] == [13, 20, 25, 26]
    crossing = errors[1]
    assert crossing["marker"]["type"] == "Point"
    assert (crossing["ring"], crossing["vertex"]) == (1, 1)
    lines = [row["line"] or 0 for row in document["rows"]]
    assert lines == sorted(lines)
    assert [row["line"] for row in document["table"]] == [13, 19, 25]


@pytest.mark.parametrize("name", ["nowhere.txt", "yixiao_sanguan.zip", "theme_park_2000mu.geojson"])
def test_lint_of_what_is_no_txt_is_exit_2(run, samples_dir, name):
    code, out, err = run("txt", "lint", samples_dir / name)
    assert (code, out) == (2, "")
    assert err
    code, out, _ = run("txt", "lint", samples_dir / name, "--format", "json")
    assert code == 2
    assert json.loads(out)["code"] in ("format", "claim")


def test_lint_takes_the_options_of_the_user(run):
    path = CORPUS / "fault_zone_against_prefix.txt"
    assert run("txt", "lint", path)[0] == 3
    assert run("txt", "lint", path, "--crs", "EPSG:4527")[0] == 0
    assert run("txt", "lint", CORPUS / "fault_line_without_width.txt", "--width", "5")[0] == 0
    assert run("txt", "lint", CORPUS / "fault_bow_tie.txt", "--repair")[0] == 0


# --- the calls ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["txt", "read"], "缺少参数 file"),
        (["txt", "lint", "a", "--nosuch"], "没有选项“--nosuch”"),
        (["txt", "write", "a"], "缺少参数"),
        (["txt", "check"], "没有命令“check”"),
        (["txt", "read", "{form}", "--which", "x"], "--which"),
        (["txt", "read", "{form}", "--plan", "nowhere"], "nowhere"),
        (["txt", "lint", "{form}", "--format", "geojson"], "--format"),
    ],
)
def test_a_wrong_call_is_exit_2_and_said_in_chinese(run, args, said):
    code, _, err = run(*[a.format(form=CORPUS / "form.txt") for a in args])
    assert code == 2
    assert said in err


def test_the_help_of_every_command_is_chinese(run):
    code, out, err = run("txt")
    assert code == 2
    for word in ("读取", "写", "检查"):
        assert word in out + err


def test_write_takes_a_site_of_which_one_part_lies_outside_the_plan(run, tmp_path):
    # The check takes it with a warning; the second part is 24 km to the east, beyond the bounds.
    rings = [
        f"(({x} 4031000,{x + 200} 4031000,{x + 200} 4031100,{x} 4031100,{x} 4031000))"
        for x in (406_300, 431_000)
    ]
    source, out = tmp_path / "two.wkt", tmp_path / "two.txt"
    source.write_text(f"MULTIPOLYGON({','.join(rings)})")
    code, said, err = run("txt", "write", source, "-o", out)
    assert code == 0
    assert "2 个地块" in said
    assert "超出规划数据的范围" in err
    assert "39431000.000" in out.read_text(encoding="gbk")


def test_write_still_refuses_a_site_outside_the_plan(run, tmp_path):
    source = tmp_path / "far.wkt"
    source.write_text("POLYGON((431000 4031000,431200 4031000,431200 4031100,431000 4031000))")
    code, _, err = run("txt", "write", source, "-o", tmp_path / "far.txt")
    assert code == 2
    assert "不在规划范围内" in err
    assert not (tmp_path / "far.txt").exists()
