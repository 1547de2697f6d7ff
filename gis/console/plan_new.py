"""How does a new plan package read in a terminal? Nothing is decided here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from gis.console import print_rows
from gis.console.data import print_quality

if TYPE_CHECKING:
    from gis.plan.quality import PlanQuality

_BY = {"name": "图层名", "word": "中文名", "fields": "字段", "answer": "回答"}


def print_new(
    console: Console, document: Mapping[str, Any], report: PlanQuality, folder: str
) -> None:
    """Print what each layer was taken for, doubts, then what is wrong with the data."""
    plan = document["plan"]
    head = Text(f"{plan['title']}（{plan['id']}）", style="bold")
    head.append(f"  工作坐标系 {plan['work_crs']}，规则库 {'、'.join(plan['rulebooks']) or '无'}")
    console.print(head, soft_wrap=True)
    rows = [_row(layer) for layer in document["layers"]]
    print_rows(console, "收录的图层", ("图层", "来自", "识别依据", "字段", "时点"), rows)
    for layer in document["layers"]:
        for note in layer["notes"]:
            console.print(Text(f"待核：{layer['id']}：{note}", style="yellow"), soft_wrap=True)
    for line in document["passed_over"]:
        console.print(Text(f"未收录：{line}", style="yellow"), soft_wrap=True)
    print_quality(console, report)
    console.print(Text(f"已生成：{folder}", style="bold"), soft_wrap=True)
    console.print(Text(f"下一步：wuqu check 地块文件 --plan {folder}", style="dim"), soft_wrap=True)


def _row(layer: Mapping[str, Any]) -> tuple[str, ...]:
    fields = "，".join(f"{key}={name}" for key, name in layer["fields"].items())
    scheme = f"，{layer['scheme']}" if layer["scheme"] else ""
    title = f"{layer['title']}（{layer['id']}）"
    return title, layer["from"], _BY[layer["recognised_by"]], fields + scheme, layer["vintage"]
