"""How does a rule book read in a terminal? Nothing is decided here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from gis.console import print_rows
from gis.model import Rule, citation

_LEVELS = {"fault": ("差错", "bold red"), "note": ("提示", "yellow")}


def print_rules(console: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print one row per rule: id, title, kind in words, what it asks for, first citation, dates."""
    heads = ("编号", "名称", "类型", "要求", "依据", "有效期")
    cells = [
        (r["id"], r["title"], r["kind_label"], r["threshold"], _basis(r["basis"]), _period(r))
        for r in rows
    ]
    print_rows(console, f"规则（{len(rows)} 条）", heads, cells)


def _basis(rows: Sequence[Mapping[str, Any]]) -> str:
    more = f" 等 {len(rows)} 项" if len(rows) > 1 else ""
    return citation(rows[0]) + more


def _period(row: Mapping[str, Any]) -> str:
    if not (row["valid_from"] or row["valid_to"]):
        return ""
    return f"{row['valid_from'] or ''}～{row['valid_to'] or ''}"


def print_rule(console: Console, rule: Rule, lines: Iterable[tuple[str, str]]) -> None:
    """Print one rule, heading and text line by line, in full sentences that are not cut."""
    console.print(Text(f"{rule.id}  {rule.title}", style="bold"), soft_wrap=True)
    if rule.title_en:
        console.print(Text(rule.title_en, style="dim"), soft_wrap=True)
    for head, text in lines:
        console.print(Text(f"{head}：", style="cyan").append(text, style="default"), soft_wrap=True)
    console.print(Text(f"文件：{rule.source_file}", style="dim"), soft_wrap=True)


def print_lint(console: Console, document: Mapping[str, Any]) -> None:
    """Print the remarks on a rule book, faults first, then the counts."""
    for row in document["remarks"]:
        label, style = _LEVELS[row["level"]]
        where = f"{row['where']}（{row['file']}）" if row["file"] else row["where"]
        line = Text(f"{label} {where}：", style=style).append(row["message"], style="default")
        console.print(line, soft_wrap=True)
    counts = f"{document['rules']} 条规则、{document['documents']} 个文件"
    result = f"差错 {document['faults']} 处，提示 {document['notes']} 处"
    style = "bold red" if document["faults"] else "bold green"
    console.print(Text(f"{counts}：{result}", style=style), soft_wrap=True)
