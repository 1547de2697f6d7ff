"""``wuqu rules`` and ``wuqu corridor``, and the page of the documentation made from the book."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import pytest

from gis.plan import load_plan
from gis.rulebook import load_rulebook
from gis.rulebook.in_words import KIND_WORDS
from gis.rulebook.kinds import KINDS
from gis.rulebook.lint import lint
from gis.rulebook.page import rules_page


@pytest.fixture
def run(wuqu, monkeypatch: pytest.MonkeyPatch, repo: Path):
    monkeypatch.setenv("WUQU_PLAN", str(repo / "data"))
    return wuqu


def test_the_list_says_of_each_rule_what_it_asks_for_and_on_what_ground(run):
    code, out, _ = run("rules", "list", "--as-of", "2026-11-22", "--format", "json")
    rows = {row["id"]: row for row in json.loads(out)["rules"]}
    assert code == 0
    farmland = rows["cn.permanent-farmland"]
    assert farmland["title_en"]
    assert farmland["kind_label"] == "禁止占用"
    assert farmland["basis"][0]["document"]
    code, out, _ = run("rules", "list")
    assert code == 0
    assert "禁止占用" in out


def test_a_rule_is_shown_in_words_with_its_empty_parameters(run):
    code, out, _ = run("rules", "show", "cn.permanent-farmland")
    assert code == 0
    for word in ("类型：不得占用图层所示范围", "依据：《", "主管部门：", "有效期：1999-01-01 起"):
        assert word in out
    out = run("rules", "show", "plan.z3-investment")[1]
    assert "规划参数：" in out
    assert "由主管部门录入" in out


def test_lint_ends_with_three_when_there_are_faults(run, repo, tmp_path):
    code, out, _ = run("rules", "lint", "--format", "json")
    document = json.loads(out)
    assert (code, document["faults"]) == (0, 0)
    text = (repo / "data" / "plan.toml").read_text(encoding="utf-8")
    assert 'id = "green_line"' in text
    shutil.copytree(repo / "data" / "rules", tmp_path / "rules")
    renamed = text.replace('id = "green_line"', 'id = "green_lines"')
    (tmp_path / "plan.toml").write_text(renamed, encoding="utf-8")
    code, out, _ = run("rules", "lint", "--plan", str(tmp_path))
    assert code == 3
    assert "没有图层“green_line”" in out


def test_lint_of_a_book_that_cannot_be_read_ends_with_two(wuqu, tmp_path):
    code, _, err = wuqu("rules", "lint", "--plan", str(tmp_path))
    assert code == 2
    assert "plan.toml" in err


def test_a_corridor_is_checked_as_with_width_and_prints_the_cross_table(run, samples_dir):
    file = str(samples_dir / "mingzhu_roads.geojson")
    same = [file, "--width", "16", "--use", "1207", "--as-of", "2026-11-22", "--which", "1"]
    code, out, _ = run("corridor", *same, "--format", "json")
    made = json.loads(out)
    assert code == 0
    assert made["breakdown"]
    total = sum(row["area_m2"] for row in made["breakdown"])
    assert total == pytest.approx(made["site"]["area"]["ellipsoidal_m2"], abs=0.05)
    again = json.loads(run("check", *same, "--format", "json")[1])
    assert again["digest"] == made["digest"]
    assert "现状地类 × 功能区" in run("corridor", *same)[1]


def test_a_corridor_without_width_is_a_wrong_call(run, samples_dir):
    code, _, err = run("corridor", str(samples_dir / "mingzhu_roads.geojson"))
    assert code == 2
    assert "--width" in err


def test_the_terminal_says_verdict_and_deciding_rule_in_english_too(run, samples_dir):
    file = samples_dir / "theme_park_2000mu.geojson"
    _, out, _ = run("check", str(file), "--use", "0903", "--as-of", "2026-11-22")
    assert "does not comply: " in out


# --- pages ---------------------------------------------------------------------------------------


def test_the_page_of_the_rules_is_the_one_made_from_the_book(repo):
    page = (repo / "docs" / "rules.md").read_text(encoding="utf-8")
    made = rules_page(load_plan(repo / "data").rulebook)
    assert page == made, "run: wuqu rules page -o docs/rules.md"


def test_every_kind_has_words_and_an_example_that_the_loader_takes(repo, tmp_path):
    page = (repo / "docs" / "rule-writing.md").read_text(encoding="utf-8")
    blocks = [part.partition("```")[0] for part in page.split("```toml\n")[1:]]
    whole = "\n".join(b for b in blocks if "[[case]]" not in b)
    (tmp_path / "example.toml").write_text(whole, encoding="utf-8")
    book = load_rulebook(["example.toml"], tmp_path)
    assert {rule.kind for rule in book.rules} == set(KINDS) == set(KIND_WORDS)
    found = lint(book, date(2026, 11, 27))
    assert [r.code for r in found] == ["empty-parameter"]
