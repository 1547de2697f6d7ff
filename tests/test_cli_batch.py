"""``wuqu batch``: what it prints, what it writes, what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas
import pytest
from batch_world import table

from gis.plan import Plan

DAY = ("--as-of", "2026-11-22")


@pytest.fixture
def batch(wuqu, plan: Plan, monkeypatch):
    """Run ``wuqu batch`` on the bundled plan, opened once; return exit code, stdout, stderr."""
    monkeypatch.setattr("gis.commands.batch.open_plan", lambda _: plan)

    def call(*args: str | Path) -> tuple[int, str, str]:
        return wuqu("batch", *args, *DAY)

    return call


@pytest.fixture(scope="module")
def source(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four sites; the second has a use that nobody knows."""
    path = tmp_path_factory.mktemp("batch") / "sites.gpkg"
    frame = table(plan, 4)
    frame.assign(use=["0803", "9999", "070102", "1401"]).to_file(path)
    return path


def test_the_summary_counts_verdicts_and_tells_what_could_not_be_judged(batch, source, tmp_path):
    code, out, err = batch(source, "-o", tmp_path / "out.gpkg")
    assert code == 0, err
    found = geopandas.read_file(tmp_path / "out.gpkg")
    for label, count in found["verdict_label"].value_counts().items():
        assert f"{label}  {count} 个" in out
    assert "共 4 个地块，1 个无法判定" in out
    assert "第 2 行 地块1：" in out
    assert "9999" in out
    assert f"已写出：{tmp_path / 'out.gpkg'}" in err.replace("\n", "")


def test_json_is_one_document_and_nothing_else(batch, source, tmp_path, plan: Plan) -> None:
    code, out, err = batch(source, "-o", tmp_path / "out.csv", "--format", "json")
    document = json.loads(out)
    assert (code, err) == (0, "")
    assert document["rows"] == 4
    assert document["problems"] == {"claim": 1}
    assert sum(document["verdicts"].values()) == 3
    assert document["first_problems"][0]["row"] == 2
    assert document["as_of"] == "2026-11-22"
    assert document["plan"]["id"] == plan.ref.id
    assert document["rulebook"]["sha256"] == plan.rulebook.sha256
    assert document["output"] == str(tmp_path / "out.csv")


def test_rules_findings_and_claims_of_the_call_reach_the_table(batch, source, tmp_path) -> None:
    out = tmp_path / "out.parquet"
    words = ("--rules", "--findings", "--use", "0803", "--attr", "plot_ratio=1.5")
    code, _, err = batch(source, "-o", out, *words)
    assert code == 0, err
    found = geopandas.read_parquet(out)
    assert found["use"].tolist() == ["0803"] * 4
    assert found["problem"].isna().all()
    for _, row in found.iterrows():
        findings = json.loads(row["findings"])
        assert {f["rule"]: f["verdict"] for f in findings} == {
            name.removeprefix("rule_"): row[name] for name in found if name.startswith("rule_")
        }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-o", "out.xlsx"), "以 .gpkg、.parquet 或 .csv 结尾"),
        (("-o", "out.csv", "--workers", "0"), "workers 为 0"),
        (("-o", "out.csv", "--use", "9999"), "9999"),
        (("-o", "out.csv", "--attr", "plot_ratio"), "缺少“=”"),
        (("-o", "/dev/null/out.csv"), "无法写入"),
        ((), "缺少参数"),
    ],
)
def test_a_wrong_call_is_one_clear_message(words, said, batch, source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = batch(source, *words)
    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_is_told_before_anything_is_judged(batch, tmp_path) -> None:
    code, _, err = batch(tmp_path / "no.gpkg", "-o", tmp_path / "out.csv")
    assert code == 2
    assert "文件不存在" in err
