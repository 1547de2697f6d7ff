"""Notebooks run from top to bottom, stand stripped in the tree, and tell the story they promise."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import re
import subprocess
import sys
import warnings
from base64 import b64decode
from html import unescape
from pathlib import Path
from typing import Any

import pytest

REPO = Path(__file__).resolve().parents[1]
SCRIPTS = sorted((REPO / "notebooks").glob("[0-9]*.py"))
DAY = "2026-11-22"
PARCELS = 1200


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda p: p.stem)
def test_the_ipynb_is_the_script_without_outputs(script: Path) -> None:
    spec = importlib.util.spec_from_file_location("strip", REPO / "notebooks" / "strip.py")
    strip = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(strip)
    assert script.with_suffix(".ipynb").read_text(encoding="utf-8") == strip.stripped(script)


class Told:
    """What a notebook shows: printed texts, tables and maps as HTML, pictures."""

    def __init__(self, cells: list[Any]) -> None:
        outputs = [output for cell in cells for output in cell.get("outputs", [])]
        shown = [output["data"] for output in outputs if "data" in output]
        said = [output for output in outputs if output["output_type"] == "stream"]
        self.text = "".join(output["text"] for output in said if output["name"] == "stdout")
        self.complaints = "".join(output["text"] for output in said if output["name"] == "stderr")
        html = [data["text/html"] for data in shown if "text/html" in data]
        frames = [text for text in html if text.startswith("<iframe")]
        self.maps = [unescape(text) for text in frames]
        self.each_table = [text for text in html if text not in frames]
        self.tables = " ".join(self.each_table)
        self.plain = " ".join(data.get("text/plain", "") for data in shown)
        self.pictures = [b64decode(d["image/png"]) for d in shown if "image/png" in d]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch):
    """Run a notebook from top to bottom and return what it shows."""
    # Every process that collects the tests would load them, for one file that runs in one.
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("WUQU_PLAN", str(REPO / "data"))
    monkeypatch.setenv("PYTHONPATH", str(REPO))
    # A notebook that shows the real size when somebody runs it, and the same steps here.
    monkeypatch.setenv("WUQU_NOTEBOOK_PARCELS", str(PARCELS))

    def run(name: str) -> Told:
        notebook = nbformat.read(REPO / "notebooks" / f"{name}.ipynb", as_version=4)
        with warnings.catch_warnings():
            # The kernel client of jupyter warns about its own event loop and sockets.
            warnings.simplefilter("ignore")
            if sys.platform == "win32":
                asyncio.set_event_loop_policy(asyncio.WindowsSelectorEventLoopPolicy())
            done = NotebookClient(notebook, timeout=180, kernel_name="python3").execute()
        return Told(done.cells)

    return run


def test_every_notebook_is_run_by_a_test_below() -> None:
    here = Path(__file__).read_text(encoding="utf-8")
    assert len(SCRIPTS) == 8
    assert [p.stem for p in SCRIPTS if f'told("{p.stem}")' not in here] == []


def test_plan_and_site_check_gives_the_digest_of_the_command_line(told) -> None:
    shown = told("01_plan_and_site_check")
    assert "聊城一中新校：有条件符合" in shown.text
    assert "419.17 亩" in shown.text
    assert school_check()["digest"] in shown.text
    assert len(shown.maps) == 1
    assert "两千亩主题公园（假想）" in shown.maps[0]


def test_land_balance_gives_the_sentence_of_the_command_line(told) -> None:
    shown = told("02_land_balance")
    # The share that the resort states of itself is 52 %.
    assert "规划核心区绿地和水域占比 52.00%" in shown.text
    document = command_line("balance")
    assert document["land_balance"]["sentence"] in shown.text
    assert all(row["sentence"] in shown.text for row in document["rasters"])
    assert len(shown.pictures) == 1


def test_a_txt_is_linted_checked_printed_and_written_as_the_same_site(told) -> None:
    shown = told("03_txt_to_report")
    assert shown.complaints == ""
    assert shown.text.index("可以采用") < shown.text.index("不能采用")
    assert "界址点数填写 9，其下只有 8 行坐标" in shown.tables
    assert school_check()["digest"] in shown.text
    assert re.search(r"聊城一中新校\.pdf [1-9]\d\d KB", shown.text)
    assert "面积相差 0.000 m²\n结论相同" in shown.text
    assert "聊城一中新校" in shown.maps[0]


def test_where_it_could_stand_has_the_numbers_of_command_and_map(told, wuqu, tmp_path) -> None:
    shown = told("04_where_could_it_stand")
    assert len(shown.maps) == 3
    assert len(shown.pictures) == 1
    for page, (use, mu) in zip(shown.maps, (("0903", 2000), ("0803", 6000)), strict=False):
        path = tmp_path / f"{use}.html"
        answer = asked(
            wuqu, "find-sites", "--use", use, "--area-mu", mu, "--as-of", DAY, "--map", path
        )
        assert answer["nearest_miss"]["text"] in shown.text
        # The map of the notebook is the one that the command writes, letter by letter.
        assert path.read_text(encoding="utf-8") in page
        for row in answer["feasible"]["classes"]:
            assert f"{row['area_mu']:,.0f} 亩" in shown.tables
            assert f"{row['area_mu']:,.0f} 亩" in page
        for row in answer["binding"][:5]:
            assert row["title"] in shown.tables
            assert row["title"] in page
            assert f">{row['alone_mu']:,.0f}</td>" in shown.tables
            assert f"{row['alone_mu']:,.0f} 亩" in page
    school = asked(
        wuqu, "find-sites", "--use", "080403", "--area-mu", 100, "--zone", "Z5", "--as-of", DAY
    )
    assert f"{len(school['candidates'])} 个候选地块" in shown.text


def test_satellite_figures_are_those_of_the_command_line_and_move(told) -> None:
    shown = told("05_satellite")
    assert len(shown.pictures) == 2
    rows = {row["id"]: row for row in command_line("balance")["rasters"]}
    april, june = (rows[f"image_{month}:ndvi"] for month in ("april", "june"))
    for row in (april, june):
        assert f"NDVI {row['date']} 阈值 0.4：核心区 {row['share']:.2%}" in shown.text
        assert f"{row['share']:.2%}" in shown.tables
    assert april["share"] - june["share"] > 0.3  # wheat


def test_projects_wait_for_the_same_in_notebook_command_and_map(
    told, wuqu, plan_page, tmp_path
) -> None:
    shown, path = told("06_projects_and_budgets"), tmp_path / "projects.html"
    answer = asked(wuqu, "projects", "check", "--as-of", DAY, "--map", path)
    assert path.read_text(encoding="utf-8") in shown.maps[0]
    assert answer["sentence"] in shown.text
    assert answer["waiting"]
    for group in answer["waiting"]:
        assert f"{group['class']} {group['count']} 个" in shown.text
        for project in group["projects"]:
            assert project["name"] in shown.text
            assert project["name"] in shown.maps[0]
    for budget in answer["budgets"]:
        assert budget["text"] in shown.text
    code, text, _ = wuqu("budgets", "show", "--plan", "data")
    assert code == 0
    left_is_the_same(shown, asked(wuqu, "budgets", "show"), text, plan_page)


def left_is_the_same(shown: Told, answer: dict, text: str, page: str) -> None:
    """What is left zone by zone: in the notebook, by the command, and on the map of the plan."""
    table = next(t for t in shown.each_table if "集中建设区" in t and "Z5 高端智慧生活区" in t)
    told = re.findall(r">([\d,]+\.\d\d)</td>", table)
    zones = [row["free_m2"] for budget in answer["budgets"] for row in budget["by_zone"]]
    assert len(told) >= len(zones) > 10
    for number in told:
        assert number in text
        assert number in page
    # Printed parts add up to printed wholes, so one may differ by its last digit.
    hectares = [float(number.replace(",", "")) for number in told]
    assert all(min(abs(m2 / 10_000 - ha) for ha in hectares) < 0.011 for m2 in zones)


def test_a_hundred_thousand_parcels_are_told_with_their_true_number(told) -> None:
    shown = told("07_hundred_thousand_parcels")
    assert f"{PARCELS:,} 个地块\n" in shown.text
    assert "摘要相同： True" in shown.text
    assert "与单进程逐个相同：True" in shown.text
    counts = re.search(r"^(?:不?符合|需核实|有条件符合) .*", shown.text, re.MULTILINE).group()
    assert sum(int(n.replace(",", "")) for n in re.findall(r"[\d,]+", counts)) == PARCELS
    assert f"/{PARCELS} " in shown.plain + shown.complaints  # the bar of the progress
    assert len(shown.pictures) == 1


def test_your_own_county_measures_what_the_bundled_plan_measures(told, wuqu) -> None:
    shown = told("08_your_own_county")
    assert shown.complaints == ""
    assert "layer.data1" in shown.tables
    assert "【草案】我的县区（练习）：8 个图层；数据检查没有发现问题" in shown.text
    park = "data/samples/theme_park_2000mu.geojson"
    answer = asked(wuqu, "check", park, "--use", "0903", "--as-of", DAY)
    lost = next(f for f in answer["findings"] if f["rule"] == "cn.permanent-farmland")
    assert f"占用永久基本农田 {lost['measure']['value']:,.2f} m²" in shown.tables
    assert "草案" in shown.maps[0]


def asked(wuqu, *words: object) -> dict:
    """Answer of the command line, given in this process."""
    code, out, err = wuqu(*words, "--plan", "data", "--format", "json")
    assert code == 0, err
    return json.loads(out)


def school_check() -> dict:
    return command_line(
        "check", "data/samples/yizhong_xinxiao.txt", "--use", "080403", "--as-of", DAY
    )


def command_line(*words: str) -> dict:
    """Answer of the command line to the same question, in a process of its own."""
    out = subprocess.run(
        [sys.executable, "-m", "gis.cli", *words, "--plan", "data", "--format", "json"],
        cwd=REPO,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    return json.loads(out.stdout)
