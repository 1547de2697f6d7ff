"""How do scenarios read in a terminal? Nothing is decided here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from gis.console import print_rows
from gis.units import m2_to_ha, m2_to_mu


def print_scenario(console: Console, document: Mapping[str, Any]) -> None:
    """Print where a scenario was saved, and which land changed hands."""
    plan = document["plan"]
    console.print(Text(f"{plan['title']} {plan['version']}", style="bold"), soft_wrap=True)
    print_changes(console, document["layers"])
    console.print(Text(plan["status_note"], style="bold"), soft_wrap=True)
    console.print(Text(f"已保存：{document['folder']}"), soft_wrap=True)


def print_changes(console: Console, layers: Iterable[Mapping[str, Any]]) -> None:
    """Print what each class of each changed layer gains and loses."""
    rows = [row for layer in layers for row in _rows(layer)]
    if rows:
        print_rows(console, "改动的图层", ("图层", "类别", "增加", "减少"), rows)
    else:
        console.print(Text("图层没有改动", style="dim"))


def _rows(layer: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    title = f"{layer['title']}（{layer['layer']}）"
    if layer["classes"] is None:
        yield title, "内容不同", "", ""
        return
    if not layer["classes"]:
        yield title, "只有属性或图形拆分不同", "", ""
    for row in layer["classes"]:
        label = " ".join(filter(None, (row["class"], row["name"]))) or "—"
        yield title, label, land_text(row["gained_m2"]), land_text(row["lost_m2"])


def land_text(m2: float) -> str:
    """Return an area in hectares and mu, empty for nothing."""
    return f"{m2_to_ha(m2):,.2f} 公顷（{m2_to_mu(m2):,.2f} 亩）" if m2 else ""
