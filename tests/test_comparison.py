"""In force versus draft: a plan of one square with a redline in force and another in a draft.

The site is a box of 100 m x 100 m on the central meridian, 10,000.00 m² by hand; the draft moves
the redline over its western 30 m, 3,000.00 m².
"""

from __future__ import annotations

import json
import shutil
from datetime import date

import pytest
from small_plan import DRAFT, RULE, SITE, package

from gis.comparison import compare
from gis.errors import NotFoundError, PlanError
from gis.intake import read_site
from gis.plan import Plan, load_plan

AS_OF = date(2026, 11, 22)


@pytest.fixture
def plan(tmp_path) -> Plan:
    return load_plan(package(tmp_path / "p", {"redline": (500, ""), "next": (0, DRAFT)}))


def test_the_draft_of_the_package_takes_the_place_of_the_layer_in_force(plan):
    document = compare(read_site(SITE, plan), plan, as_of=AS_OF)
    assert document["in_force"]["verdict"] == "pass"
    assert document["draft"]["verdict"] == "fail"
    assert document["draft"]["deciding_rule"] == "x.redline"
    assert document["changed"]
    (row,) = document["rules"]
    assert row["in_force"]["verdict"] == "pass"
    assert row["draft"]["measure"]["value"] == pytest.approx(3000.0, abs=0.01)
    assert row["draft"]["decides"]
    json.dumps(document, allow_nan=False)


def test_a_draft_of_its_own_package_says_the_same(plan, tmp_path):
    draft = load_plan(package(tmp_path / "d", {"redline": (0, "")}))
    other = compare(read_site(SITE, plan), plan, draft, as_of=AS_OF)
    own = compare(read_site(SITE, plan), plan, as_of=AS_OF)
    assert other["rules"] == own["rules"]


def test_a_plan_against_itself_changes_nothing(plan):
    document = compare(read_site(SITE, plan), plan, plan, as_of=AS_OF)
    assert not document["changed"]
    assert not any(row["changed"] for row in document["rules"])


def test_a_rule_of_one_plan_alone_is_null_on_the_other_side(plan, tmp_path):
    root = tmp_path / "copy"
    shutil.copytree(plan.root, root)
    (root / "book.toml").write_text(RULE.replace("x.redline", "x.new"), encoding="utf-8")
    rows = compare(read_site(SITE, plan), plan, load_plan(root), as_of=AS_OF)["rules"]
    assert {row["rule"]: row["draft"] is None for row in rows} == {
        "x.redline": True,
        "x.new": False,
    }
    assert all(row["changed"] for row in rows)


def test_a_plan_without_a_draft_says_what_is_missing(tmp_path):
    plan = load_plan(package(tmp_path / "p", {"redline": (500, "")}))
    with pytest.raises(NotFoundError, match=r"没有草案图层.*replaces.*--draft"):
        compare(read_site(SITE, plan), plan, as_of=AS_OF)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('replaces = "redline"', "law_status"),
        (DRAFT.replace('"redline"', '"nothing"'), "不是现行图层的 id"),
        (DRAFT.replace('"redline"', '"next"'), "不是现行图层的 id"),
    ],
)
def test_a_draft_that_fits_nothing_is_refused(tmp_path, more, said):
    root = package(tmp_path / "p", {"redline": (500, ""), "next": (0, more)})
    with pytest.raises(PlanError, match=said):
        load_plan(root)


def test_the_command_prints_both_verdicts_and_the_rule_that_changes(wuqu, plan, tmp_path):
    file = tmp_path / "site.wkt"
    file.write_text(SITE, encoding="utf-8")
    call = ["plan", "compare", str(file), "--plan", str(plan.root), "--as-of", "2026-11-22"]
    code, out, _ = wuqu(*call)
    assert code == 0
    assert "现行：✓ 符合" in out
    assert "草案：✗ 不符合" in out
    assert "3,000.00 m²" in out
    code, out, _ = wuqu(*call, "--format", "json")
    assert code == 0
    assert json.loads(out)["changed"] is True
    code, out, _ = wuqu(*call, "--draft", str(plan.root), "--format", "json")
    assert json.loads(out)["changed"] is False
