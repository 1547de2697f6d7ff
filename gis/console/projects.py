"""How do the register of projects and its portfolio read in a terminal? Chinese text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gis.console import verdict_text
from gis.portfolio.cells import shown
from gis.portfolio.importing.run import Imported, changes_told
from gis.portfolio.portfolio import flat_row
from gis.portfolio.project import Project, Register
from gis.units import m2_to_ha

_UNKNOWN, _EMPTY = "未知", "—"
Row = Mapping[str, Any]


def print_register(console: Console, register: Register, shown_rows: Sequence[Project]) -> None:
    """Print the projects as the register has them, one line each."""
    about = "，".join(filter(None, (register.title, register.as_of and f"时点 {register.as_of}")))
    table = _table(
        about or "项目清单",
        "编号",
        "项目",
        "镇街",
        "功能区",
        "总投资（万元）",
        "问题",
        "销号",
        "边界图",
    )
    for p in shown_rows:
        state = (p.problem_state or "未写明") if p.problem or p.problem_class else _EMPTY
        cells = (
            p.id,
            p.name,
            p.town or _EMPTY,
            p.zone or _EMPTY,
            shown(p.investment_wan) or _EMPTY,
            p.problem_class or p.problem or _EMPTY,
            state,
            p.site_file or (p.site_feature and f"要素 {p.site_feature}") or "无边界图",
        )
        table.add_row(*map(Text, cells))
    console.print(table)
    _print_source(console, register.about())


def print_portfolio(console: Console, document: Row) -> None:
    """Print the sentence, all projects in order, what they wait for, the budgets, the totals."""
    console.print(Text(document["sentence"], style="bold"), soft_wrap=True)
    console.print(_projects(document["projects"]))
    for row in document["projects"]:
        _print_waits(console, row)
    console.print(_waiting(document["waiting"]))
    console.print(_budgets(document["budgets"]))
    for total in document["totals"]:
        console.print(Text(total["text"]), soft_wrap=True)
    for note in document["notes"]:
        console.print(Text(f"说明：{note}", style="dim"), soft_wrap=True)
    _print_source(console, document["register"])
    plan = document["plan"]
    text = f"规划：{plan['title']} {plan['version']}，法规时点 {document['as_of']}"
    console.print(Text(text, style="dim"), soft_wrap=True)
    if plan["status_note"]:
        console.print(Text(plan["status_note"], style="bold"), soft_wrap=True)


def print_lint(console: Console, document: Row) -> None:
    """Print faults, then warnings, and how many there are."""
    for key, word, style in (("faults", "错误", "bold red"), ("warnings", "警告", "yellow")):
        for fault in document[key]:
            line = Text(f"{word}　", style=style)
            line.append(f"{fault['where']}：{fault['message']}", style="default")
            console.print(line, soft_wrap=True)
    count = document["register"]["projects"]
    faults, warnings = len(document["faults"]), len(document["warnings"])
    console.print(f"{count} 个项目，{faults} 个错误，{warnings} 个警告", highlight=False)


def print_imported(console: Console, done: Imported) -> None:
    """Print what an import took, what it changed, and everything that it left."""
    document = done.to_dict()
    where = f"工作表“{done.sheet}”" if done.sheet else ""
    lines = "、".join(str(n) for n in dict.fromkeys(document["heading_rows"]))
    head = f"{where}表头在第 {lines} 行，{document['listed']} 个项目"
    console.print(Text(head, style="bold"), soft_wrap=True)
    for label, texts, style in _imported(done, document):
        if texts:
            console.print(Text(f"{label}（{len(texts)}）", style=style))
        for text in texts:
            console.print(Text(f"   {text}"), soft_wrap=True)
    state = "已写入 projects.csv" if done.written else "没有写入"
    console.print(Text("；".join((state, *document["notes"])), style="bold"), soft_wrap=True)


def _imported(done: Imported, document: Row) -> Iterator[tuple[str, list[str], str]]:
    placed = [f"{c['heading']} → {c['column']}" for c in document["columns"]]
    yield "对应的列", placed, ""
    yield "没有放入的列", [f"{c['heading']}：{c['why']}" for c in document["unplaced"]], "yellow"
    yield "未导入的单元格和行", [f"{f.where}：{f.message}" for f in done.faults], "bold red"
    yield "新增项目", [f"{p['id']} {p['name']}" for p in document["added"]], "green"
    yield "补充的内容", changes_told(done.merged.filled), "green"
    yield "与登记册不同", changes_told(done.merged.conflicts), "yellow"
    yield "请核对", [f"{f.where}：{f.message}" for f in done.warnings], "yellow"
    yield "清单中没有的项目", [f"{p['id']} {p['name']}" for p in document["unlisted"]], ""
    yield "不是项目的行", [f"第 {s['row']} 行：{s['text']}" for s in document["skipped"]], "dim"


def _print_source(console: Console, about: Row) -> None:
    parts = (
        about["source"] and f"出处：{about['source']}",
        f"{about['projects']} 行",
        f"校验值 {about['sha256'][:16]}",
    )
    console.print(Text("，".join(filter(None, parts)), style="dim"), soft_wrap=True)


def _projects(rows: Sequence[Row]) -> Table:
    table = _table(
        "项目（按优先级和清单顺序）",
        "序",
        "项目",
        "面积（亩）",
        "结论",
        "决定性规则",
        "下一步手续",
        "问题",
    )
    for row in rows:
        flat = flat_row(row)
        area = _EMPTY if flat["area_mu"] is None else f"{flat['area_mu']:,.2f}"
        table.add_row(
            str(row["order"]),
            Text(row["name"]),
            area,
            _verdict(row),
            Text(row["deciding_title"] or _EMPTY),
            Text(flat["next_stage"] or "手续齐备"),
            Text((row["problem_class"] or "未分类") if row["problem_open"] else _EMPTY),
        )
    return table


def _verdict(row: Row) -> Text:
    if row["verdict"] is None:
        return Text(row["verdict_label"], style="dim")
    return verdict_text(row["verdict"], row["verdict_label"])


def _print_waits(console: Console, row: Row) -> None:
    """Print what a project takes and waits for, where there is more than a missing paper."""
    lines = [w["text"] for w in row["waits"] if w["kind"] in ("problem", "rule", "budget")]
    lines += [t["text"] for t in row["takes"] or () if t["area_m2"] != 0 and not t["exceeded"]]
    if row["lacks"] and row["lacks"] != row["verdict_label"]:
        lines.append(row["lacks"])
    if row["held_by"]:
        lines.append(f"与{'、'.join(row['held_by'])}重叠")
    if not lines:
        return
    console.print(Text(f"{row['order']}. {row['name']}", style="bold"), soft_wrap=True)
    for line in lines:
        console.print(Text(f"   {line}"), soft_wrap=True)


def _waiting(rows: Sequence[Row]) -> Table:
    table = _table("未销号的问题（按类别）", "类别", "项目数", "总投资（万元）", "项目")
    for row in rows:
        total, known = row["investment_wan"], row["investment_rows"]
        partly = f"（{known} 个写明）" if known < row["count"] else ""
        table.add_row(
            Text(row["class"]),
            str(row["count"]),
            _UNKNOWN if total is None else f"{total:,.10g}{partly}",
            Text("、".join(p["name"] for p in row["projects"])),
        )
    return table


def _budgets(rows: Sequence[Row]) -> Table:
    table = _table("按顺序占用后的指标，公顷", "项", "原余", "占用", "余", "说明")
    for row in rows:
        style = "bold red" if row["shortfall_m2"] or row["ends_at"] else ""
        taken = None if row["unknown_at"] else row["taken_m2"]
        table.add_row(
            Text(row["title"], style=style),
            _ha(row["initial_m2"]),
            _ha(taken),
            _ha(row["free_m2"]),
            Text(row["text"], style=style),
        )
    return table


def _ha(area_m2: float | None) -> str:
    return _UNKNOWN if area_m2 is None else f"{m2_to_ha(area_m2):,.2f}"


def _table(title: str, *heads: str) -> Table:
    table = Table(title=title, title_justify="left")
    for head in heads:
        number = head in ("序", "面积（亩）", "总投资（万元）", "项目数", "原余", "占用", "余")
        table.add_column(head, justify="right" if number else "left", overflow="fold")
    return table
