"""One portfolio in a notebook, at a terminal, in a workbook and on a map: the same numbers."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date
from io import BytesIO

import openpyxl
import pytest

import gis.plan
from gis.output.maps import portfolio_map
from gis.output.portfolio_book import HEADS, portfolio_xlsx
from gis.portfolio.check import check_portfolio
from gis.units import m2_to_ha

DAY = date(2026, 11, 22)


@pytest.fixture(autouse=True)
def opened_once(plan, monkeypatch) -> None:
    """Commands of this file take the bundled plan as it is open already."""
    real = gis.plan.load_plan
    monkeypatch.setattr(
        "gis.plan.load_plan", lambda path=None: plan if path == plan.root else real(path)
    )


@pytest.fixture(scope="module")
def portfolio(plan):
    return check_portfolio(plan, as_of=DAY)


@pytest.fixture(scope="module")
def document(portfolio):
    return portfolio.to_dict()


@pytest.fixture(scope="module")
def drawn(plan):
    """The plan with a few of its layers: what is drawn below the projects is not looked at here."""
    kept = ("resort", "core", "zones", "water", "projects")
    return replace(plan, layers={name: plan.layers[name] for name in kept})


@pytest.fixture(scope="module")
def page(portfolio, drawn) -> str:
    return portfolio_map(portfolio, drawn)


def seen(page: str) -> str:
    """The text of a page without tags and entities, blanks removed."""
    import html

    body = page[page.index("<aside") : page.index("</aside>")]
    return re.sub(r"\s+", "", html.unescape(re.sub(r"<[^>]+>", "", body)))


def test_the_question_what_projects_wait_for_has_one_answer_everywhere(
    portfolio, document, page, plan, wuqu
) -> None:
    call = ("projects", "check", "--as-of", DAY.isoformat(), "--plan", plan.root)
    code, out, _ = wuqu(*call, "--format", "json")
    assert code == 0
    assert json.loads(out) == json.loads(json.dumps(document))
    _, text, _ = wuqu(*call)
    frame, shown, typed = portfolio.to_frame(), seen(page), re.sub(r"\s+", "", text)
    for place in (shown, typed):
        assert re.sub(r"\s+", "", document["sentence"]) in place
    for row in document["projects"]:
        assert re.sub(r"\s+", "", row["name"]) in shown
        assert frame.loc[row["id"], "verdict_label"] == row["verdict_label"]
        if row["area"]:
            mu = f"{row['area']['mu']:,.2f}"
            assert f"{mu}亩" in shown
            assert mu in typed
            assert f"{frame.loc[row['id'], 'area_mu']:,.2f}" == mu
    for group in document["waiting"]:
        assert group["class"] in shown
        assert f"{group['count']}个项目" in shown
    for budget in document["budgets"]:
        if budget["free_m2"] is not None:
            left = f"{m2_to_ha(budget['free_m2']):,.2f}"
            assert left in shown
            assert left in typed
    for total in document["totals"]:
        assert re.sub(r"\s+", "", total["text"]) in shown
        assert re.sub(r"\s+", "", total["text"]) in typed


def test_the_workbook_has_the_rows_of_the_document_and_no_formula(document) -> None:
    book = openpyxl.load_workbook(BytesIO(portfolio_xlsx(document)))
    assert book.sheetnames == ["项目", "问题清单", "占用", "指标", "清单合计", "说明"]
    heads = [cell.value for cell in book["项目"][1]]
    assert heads == list(HEADS.values())
    rows = [
        dict(zip(heads, row, strict=True)) for row in book["项目"].iter_rows(2, values_only=True)
    ]
    assert [row["项目编号"] for row in rows] == [row["id"] for row in document["projects"]]
    assert rows[1]["边界图面积_亩"] == document["projects"][1]["area"]["mu"]
    assert rows[6]["边界图面积_亩"] is None  # unknown is not nothing
    assert rows[6]["结论"] == "无边界图"
    left = {row[0]: row[3] for row in book["指标"].iter_rows(2, values_only=True)}
    assert left == {row["title"]: row["free_m2"] for row in document["budgets"]}
    cells = [c for sheet in book for line in sheet.iter_rows() for c in line]
    assert all(c.data_type != "f" for c in cells)


def test_a_name_that_begins_as_a_formula_is_text_in_the_tables(drawn, portfolio, tmp_path) -> None:
    from gis.output.portfolio_book import write_portfolio

    row = portfolio.projects[0]
    bad = replace(row, project=replace(row.project, name="=1+1", problem="<b>x</b>{{7*7}}"))
    changed = replace(portfolio, projects=(bad, *portfolio.projects[1:]))
    text = write_portfolio(changed.to_dict(), tmp_path / "p.csv").read_text(encoding="utf-8-sig")
    assert "'=1+1" in text
    html = portfolio_map(changed, drawn)
    assert "<b>x</b>{{7*7}}" not in html
    assert "x{{7*7}}" not in seen(html).replace("<b>x</b>{{7*7}}", "")


def test_a_row_zooms_to_its_outline_and_one_without_outline_cannot_be_tapped(
    page, document
) -> None:
    body = page[page.index("<aside") : page.index("</aside>")]
    listed = body[body.index('class="wq-sites"') : body.index('class="wq-sheet"')]
    buttons = re.findall(
        r'<button type="button" class="wq-site" (data-bounds="[^"]+"|disabled)>', listed
    )
    assert 'class=\\"wq-pin ' in page
    assert ["data-bounds" in b for b in buttons] == [
        r["verdict"] is not None for r in document["projects"]
    ]


def test_the_page_needs_no_network_and_is_equal_for_equal_input(page, portfolio, drawn) -> None:
    # Nothing but what stands in the page itself may be loaded; the maps refuse unknown addresses.
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)[1]
    assert "default-src 'none'" in policy
    assert not re.search(r"(?:connect|img|script)-src[^;]*http", policy)
    assert page == portfolio_map(portfolio, drawn)


def test_above_the_secrecy_ceiling_no_place_of_a_project_leaves(drawn, portfolio) -> None:
    layer = drawn.layers["projects"]
    hidden = replace(layer, info=replace(layer.info, secrecy="restricted"))
    secret = replace(drawn, layers={**drawn.layers, "projects": hidden})
    html = portfolio_map(portfolio, secret)
    assert "项目位置不公开坐标" in html
    body = html[html.index("<aside") : html.index("</aside>")]
    assert 'class="wq-site" data-bounds' not in body
    assert 'class=\\"wq-pin ' not in html


def test_the_command_writes_table_and_map_and_refuses_other_endings(plan, wuqu, tmp_path) -> None:
    call = ("projects", "check", "--as-of", DAY.isoformat(), "--plan", plan.root)
    code, _, err = wuqu(*call, "-o", tmp_path / "p.xlsx", "--map", tmp_path / "p.html")
    assert code == 0
    assert "p.xlsx" in err
    assert (tmp_path / "p.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert openpyxl.load_workbook(tmp_path / "p.xlsx").sheetnames[0] == "项目"
    code, _, err = wuqu(*call, "-o", tmp_path / "p.pdf")
    assert code == 2
    assert ".xlsx" in err


def test_a_project_of_no_outline_is_named_in_every_output(document, page, plan, wuqu) -> None:
    names = [row["name"] for row in document["without_outline"]]
    assert len(names) == 12
    _, text, _ = wuqu("projects", "check", "--as-of", DAY.isoformat(), "--plan", plan.root)
    for name in names:
        assert re.sub(r"\s+", "", name) in seen(page)
        assert name[:9] in text


def test_a_plan_without_register_or_projects_still_answers(scarce_dir, wuqu) -> None:
    root = scarce_dir()
    code, _, err = wuqu("projects", "check", "--plan", root)
    assert code == 2
    assert "projects.csv" in err
    (root / "projects.csv").write_text("id,name\n", encoding="utf-8")
    plan = gis.plan.load_plan(root)
    empty = check_portfolio(plan, as_of=DAY)
    assert empty.to_dict()["sentence"] == "0 个项目，没有未销号的问题。"
    assert "没有未销号的问题" in portfolio_map(empty, plan)
    assert len(empty.to_frame()) == 0
    assert portfolio_xlsx(empty.to_dict())[:2] == b"PK"


def test_list_shows_all_projects_or_those_with_an_open_problem(plan, wuqu) -> None:
    code, out, _ = wuqu("projects", "list", "--plan", plan.root, "--format", "json")
    assert code == 0
    assert len(json.loads(out)["projects"]) == 20
    _, out, _ = wuqu("projects", "list", "--open", "--plan", plan.root, "--format", "json")
    assert [p["id"] for p in json.loads(out)["projects"]] == ["P03", "P05", "P06", "P19", "P20"]
    _, text, _ = wuqu("projects", "list", "--plan", plan.root)
    assert "无边界图" in text
