"""How does a comparison of two red lines read in a terminal? Nothing is decided here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from gis.console import print_rows, verdict_text

_OUTLINES = {"old": "原红线", "new": "新红线", "near": "相近", "other": "同名"}


def print_revision(console: Console, document: Mapping[str, Any]) -> None:
    """Print areas and verdicts of both outlines, the land between, the rules and the history."""
    rows: list[tuple[Any, ...]] = []
    for key, word in (("old", "原红线"), ("new", "新红线")):
        side = document[key]
        verdict = verdict_text(side["verdict"], side["verdict_label"])
        area = side["area"]
        rows.append((word, side["name"], f"{area['ellipsoidal_m2']:,.2f}", _mu(area), verdict))
    for key, word in (("gained", "增加"), ("lost", "减少"), ("kept", "不变")):
        land = document[key]
        rows.append((word, _parts(land), f"{land['area_m2']:,.2f}", _mu(land), ""))
    print_rows(console, "红线变化", ("", "", "椭球面积 m²", "亩", "结论"), rows)
    changed = [
        (f"{row['title']}（{row['rule']}）", _side(row["old"]), _side(row["new"]))
        for row in document["rules"]
        if row["changed"]
    ]
    if changed:
        print_rows(console, "结论或者数值不同的规则", ("规则", "原红线", "新红线"), changed)
    if document["history"]:
        _print_history(console, document)
    for note in document["notes"]:
        console.print(Text(f"注意：{note}", style="yellow"), soft_wrap=True)
    plan = document["plan"]
    text = f"规划 {plan['title']} {plan['version']}，法规时点 {document['as_of']}"
    console.print(Text(text, style="dim"), soft_wrap=True)


def _mu(row: Mapping[str, Any]) -> str:
    return f"{row['mu']:,.4f}"


def _parts(land: Mapping[str, Any]) -> str:
    text = f"{land['parts']} 块"
    if land["slivers"]:
        text += f"，其中细缝 {land['slivers']} 块 {land['slivers_m2']:,.2f} m²"
    return text


def _side(side: Mapping[str, Any] | None) -> Text:
    if side is None:
        return Text("无此规则", style="dim")
    return verdict_text(side["verdict"], side["verdict_label"]).append(
        f"\n{side['reason']}", style="default"
    )


def _print_history(console: Console, document: Mapping[str, Any]) -> None:
    rows = [
        (
            row["created_at"].removesuffix("+00:00").replace("T", " "),
            _OUTLINES[row["outline"]],
            row["name"],
            f"{row['area_m2']:,.2f}",
            row["plan_version"],
            verdict_text(row["verdict"], row["verdict_label"]),
            "；".join(d["office"] for d in row["decisions"]),
        )
        for row in document["history"]
    ]
    heads = ("检测时间（UTC）", "红线", "名称", "m²", "规划版本", "结论", "人工决定")
    print_rows(console, "历次检测", heads, rows)
