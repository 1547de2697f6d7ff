"""``--report``: reports from the command line."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from report_tools import docx_text, pdf_text, squeezed

DAY = ["--as-of", "2026-11-22"]


@pytest.fixture
def run(wuqu, monkeypatch: pytest.MonkeyPatch, repo: Path):
    monkeypatch.setenv("WUQU_PLAN", str(repo / "data"))
    return wuqu


def test_check_writes_a_report_with_the_numbers_it_prints(run, samples_dir, tmp_path) -> None:
    file = samples_dir / "yizhong_xinxiao.txt"
    out = tmp_path / "r.pdf"
    code, stdout, stderr = run(
        "check", file, "--use", "080403", *DAY, "--report", out, "--format", "json"
    )
    assert code == 0
    assert "已写出" in stderr
    document = json.loads(stdout)
    text = squeezed(pdf_text(out.read_bytes()))
    assert document["digest"] in text
    assert "419.17亩" in text
    # The first boundary point of the file, whose zone prefix 39 the work CRS has not: read by hand.
    lines = file.read_bytes().decode("gbk").splitlines()
    _, _, north, east = next(line for line in lines if line.startswith("J1,")).split(",")
    assert north in text
    assert east.removeprefix("39") in text


def test_several_sites_get_a_report_each(run, samples_dir, tmp_path) -> None:
    features = []
    for name in ("fire_station", "mingzhu_guangchang"):
        content = json.loads((samples_dir / f"{name}.geojson").read_text(encoding="utf-8"))
        features += content.get("features", [content])
    both = tmp_path / "both.geojson"
    both.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    code, _, _ = run("check", both, "--which", "all", *DAY, "--report", tmp_path / "r.docx")
    assert code == 0
    assert sorted(p.name for p in tmp_path.glob("*.docx")) == ["r-1.docx", "r-2.docx"]
    assert "现代·明珠广场" in docx_text((tmp_path / "r-2.docx").read_bytes())


def test_another_suffix_is_refused_before_anything_is_checked(run, samples_dir, tmp_path) -> None:
    code, out, err = run("check", samples_dir / "nothing.txt", "--report", tmp_path / "r.doc")
    assert (code, out) == (2, "")
    assert ".pdf" in err


def test_a_missing_extra_is_one_clear_sentence(run, samples_dir, tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    file = samples_dir / "fire_station.geojson"
    code, _, err = run("check", file, *DAY, "--report", tmp_path / "r.pdf")
    assert code == 2
    assert 'pip install "wuqu[report]"' in err


def test_batch_writes_a_summary(run, samples_dir, tmp_path) -> None:
    files = [samples_dir / "fire_station.geojson", samples_dir / "theme_park_2000mu.geojson"]
    report = tmp_path / "s.pdf"
    code, _, err = run("batch", *files, "-o", tmp_path / "o.gpkg", *DAY, "--report", report)
    assert code == 0
    assert "s.pdf" in squeezed(err)
    text = squeezed(pdf_text(report.read_bytes()))
    assert "2个地块中" in text
    assert "2,000.00" in text  # mu of the park
    assert "法规时点2026-11-22" in text


def test_the_demo_goes_on_without_the_extra_and_says_what_is_missing(
    run, tmp_path, monkeypatch
) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    code, _, err = run("demo", "--out", tmp_path)
    assert code == 0
    assert "未写出 report.pdf" in err
    assert {p.name for p in tmp_path.iterdir()} == {"map.html", "checks.json", "sites.gpkg"}
