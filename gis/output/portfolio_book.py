"""How does a portfolio of projects stand in a spreadsheet? One XLSX, or one CSV of the projects.

Works from the document of ``Portfolio.to_dict``; nothing is computed here. What nobody knows is an
empty cell or a word that says so, never a nought.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gis.files import write_table
from gis.output.workbook import book_bytes
from gis.portfolio.portfolio import flat_row
from gis.portfolio.totals import LABELS

Document = Mapping[str, Any]
Row = Sequence[Any]

HEADS = {
    "order": "顺序",
    "id": "项目编号",
    "name": "项目名称",
    "town": "所在镇街",
    "zone": "功能区",
    "use": "用途代码",
    "use_basis": "用途依据",
    "investment_wan": "总投资_万元",
    "done_total_wan": "累计完成投资_万元",
    "area_mu": "边界图面积_亩",
    "area_ha": "边界图面积_公顷",
    "verdict_label": "结论",
    "deciding_title": "决定性规则",
    "land_approval": "用地手续",
    "planning_permit": "规划手续",
    "building_permit": "施工许可",
    "next_stage": "下一步手续",
    "problem_class": "问题类别",
    "problem": "存在问题",
    "problem_state": "销号状态",
    "takes": "占用稀缺用地",
    "waits": "等待事项",
}
_PROBLEM_HEADS = (
    "问题类别", "项目数", "总投资_万元", "项目名称", "存在问题", "下一步手续", "结论",
)  # fmt: skip
_TAKEN_HEADS = (
    "顺序", "项目名称", "项", "占用_平方米", "占用后余_平方米", "不足_平方米", "说明",
)  # fmt: skip
_BUDGET_HEADS = (
    "项", "原余_平方米", "占用_平方米", "余_平方米", "不足_平方米", "用完处", "说明",
)  # fmt: skip
_TOTAL_HEADS = ("范围", "项", "清单写明", "登记册合计", "写明的行数", "差额", "说明")


def portfolio_xlsx(document: Document) -> bytes:
    """Return the projects, what each takes, the budgets and the totals as an XLSX workbook."""
    return book_bytes(_sheets(document))


def write_portfolio(document: Document, path: Path) -> Path:
    """Write a portfolio as .xlsx, or its projects as .csv, by the ending of the name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix.lower() == ".csv":
        return write_table([list(HEADS.values()), *_projects(document)], path)
    path.write_bytes(portfolio_xlsx(document))
    return path


def _sheets(document: Document) -> Iterator[tuple[str, Row, Iterable[Row]]]:
    yield "项目", list(HEADS.values()), _projects(document)
    yield "问题清单", _PROBLEM_HEADS, _problems(document)
    yield "占用", _TAKEN_HEADS, _taken(document)
    yield "指标", _BUDGET_HEADS, _budgets(document)
    yield "清单合计", _TOTAL_HEADS, (line for t in document["totals"] for line in _total(t))
    yield "说明", ["内容"], ([text] for text in _about(document))


def _problems(document: Document) -> Iterator[Row]:
    for group in document["waiting"]:
        for row in group["projects"]:
            own = [row[key] for key in ("name", "problem", "next_stage", "verdict_label")]
            yield [group["class"], group["count"], group["investment_wan"], *own]


def _taken(document: Document) -> Iterator[Row]:
    keys = ("title", "area_m2", "free_after_m2", "shortfall_m2", "text")
    for row in document["projects"]:
        for taken in row["takes"] or ():
            yield [row["order"], row["name"], *(taken[key] for key in keys)]


def _budgets(document: Document) -> Iterator[Row]:
    keys = ("title", "initial_m2", "taken_m2", "free_m2", "shortfall_m2")
    for row in document["budgets"]:
        ends = row["ends_at"]["name"] if row["ends_at"] else None
        yield [*(row[key] for key in keys), ends, row["text"]]


def _projects(document: Document) -> Iterator[list[Any]]:
    for row in document["projects"]:
        flat = flat_row(row)
        yield [flat[key] for key in HEADS]


def _total(total: Mapping[str, Any]) -> Iterator[list[Any]]:
    count = total["projects"]
    yield [total["title"], "项目数", count["stated"], count["known"], None, None, total["text"]]
    for name, label in LABELS.items():
        if name in total:
            own = total[name]
            cells = [own["stated"], own["known"], own["rows"], own["difference"]]
            yield [total["title"], f"{label}_万元", *cells, None]


def _about(document: Document) -> Iterator[str]:
    plan, register = document["plan"], document["register"]
    yield document["sentence"]
    yield f"规划：{plan['title']} {plan['version']}；法规时点 {document['as_of']}"
    yield f"清单：{register['title']}；出处：{register['source']}；时点：{register['as_of']}"
    if plan["status_note"]:
        yield plan["status_note"]
    yield from document["notes"]
