"""How does a comparison of two versions of a plan read in a terminal? Nothing is decided here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from gis.console import print_rows, verdict_text
from gis.model import Verdict

# A terminal shows the gravest; all of them stand in the JSON and in the table.
_SHOWN = 30


def print_versions(console: Console, document: Mapping[str, Any]) -> None:
    """Print the counts, what becomes of which verdict, and the sites that change."""
    for key, word in (("old", "原版本"), ("new", "新版本")):
        plan = document[key]["plan"]
        console.print(Text(f"{word}：{plan['title']} {plan['version']}"), soft_wrap=True)
    layers = "、".join(row["title"] for row in document["layers"]) or "无"
    console.print(Text(f"内容不同的图层：{layers}", style="dim"), soft_wrap=True)
    text = (
        f"记录 {document['records']} 条，比较地块 {document['compared']} 个："
        f"结论改变 {document['verdict_changed']} 个，"
        f"仅规则结果改变 {document['changed'] - document['verdict_changed']} 个，"
        f"不变 {document['unchanged']} 个；无法比较 {len(document['problems'])} 个"
    )
    console.print(Text(text, style="bold"), soft_wrap=True)
    moves = [
        (_verdict(row["old"]), _verdict(row["new"]), row["sites"])
        for row in document["transitions"]
        if row["changed"]
    ]
    if moves:
        print_rows(console, "结论的改变", ("原结论", "新结论", "地块"), moves)
    rows = list(_sites(document))
    if rows:
        heads = ("地块", "原结论", "新结论", "有变化的规则")
        print_rows(console, "有变化的地块", heads, rows[:_SHOWN])
    if len(rows) > _SHOWN:
        more = f"另有 {len(rows) - _SHOWN} 个未列出，用 --format json 或 --csv 查看全部"
        console.print(Text(more), soft_wrap=True)
    for row in document["problems"][:_SHOWN]:
        name = row["name"] or row["records"][0]
        console.print(Text(f"无法比较：{name}：{row['problem']}"), soft_wrap=True)


def _verdict(verdict: str) -> Text:
    return verdict_text(verdict, Verdict(verdict).label)


def _sites(document: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    for row in document["sites"]:
        changed = "；".join(_rule(rule) for rule in row["rules"][:5])
        yield row["name"], _verdict(row["old"]["verdict"]), _verdict(row["new"]["verdict"]), changed


def _rule(row: Mapping[str, Any]) -> str:
    old, new = (row[side]["verdict_label"] if row[side] else "无" for side in ("old", "new"))
    return f"{row['title']}：{old}→{new}" if old != new else f"{row['title']}：{old}，数值不同"
