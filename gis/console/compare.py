"""How does a comparison of two plans read in a terminal? Nothing is decided here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from gis.console import print_rows, verdict_text


def print_comparison(console: Console, document: Mapping[str, Any]) -> None:
    """Print both verdicts, then every rule whose verdict or number differs."""
    console.print(Text(document["site"]["name"], style="bold"), soft_wrap=True)
    for key, word in (("in_force", "现行"), ("draft", "草案")):
        side = document[key]
        line = Text(f"{word}：").append(verdict_text(side["verdict"], side["verdict_label"]))
        plan = side["plan"]
        line.append(f"  {plan['title']} {plan['version']}", style="dim")
        console.print(line, soft_wrap=True)
    changed = [row for row in document["rules"] if row["changed"]]
    rows = [
        (f"{row['title']}（{row['rule']}）", _side(row["in_force"]), _side(row["draft"]))
        for row in changed
    ]
    if rows:
        print_rows(console, "结论或者数值不同的规则", ("规则", "现行", "草案"), rows)
    same = len(document["rules"]) - len(changed)
    console.print(Text(f"其余 {same} 条规则没有变化", style="dim"), soft_wrap=True)
    console.print(Text(f"法规时点 {document['as_of']}", style="dim"), soft_wrap=True)


def _side(side: Mapping[str, Any] | None) -> Text:
    if side is None:
        return Text("无此规则", style="dim")
    return verdict_text(side["verdict"], side["verdict_label"]).append(
        f"\n{side['reason']}", style="default"
    )
