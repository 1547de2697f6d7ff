"""How does the report about a plan package read in a terminal? Nothing is decided here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from gis.plan.quality import Finding, LayerQuality, PlanQuality
    from gis.plan.sources.loading import Loaded

_STYLES = {"error": "bold red", "warning": "yellow", "note": "dim"}
# A terminal shows the worst; all of them stand in the JSON and the GeoPackage.
_SHOWN = 30
_MOST_TEXT = 200
# Narrower than this, a table of sentences is a column of syllables.
_WIDE = 100


def print_quality(console: Console, report: PlanQuality) -> None:
    """Print the layers with their faults, the worst findings with their places, the figures."""
    is_wide = console.width >= _WIDE
    console.print(_layers(report.layers, is_wide=is_wide))
    if not is_wide:
        _print_notes(console, report.layers)
    if report.findings:
        worst = sorted(report.findings, key=lambda f: f.severity.rank)
        if is_wide:
            console.print(_findings(worst[:_SHOWN]))
        else:
            _print_findings(console, worst[:_SHOWN])
        if len(worst) > _SHOWN:
            text = f"另有 {len(worst) - _SHOWN} 条未列出，用 --format json 或 --gpkg 查看全部。"
            console.print(text)
    for fault in report.figures:
        console.print(Text(f"指标：{fault}"))
    if not report.findings and not report.figures:
        console.print("没有发现问题。")


def _layers(rows: Sequence[LayerQuality], *, is_wide: bool) -> Table:
    table = Table(title="图层", title_justify="left")
    heads = ("图层", "名称", "要素", "km²", "错误", "警告", "提示", "问题")
    for head in heads if is_wide else heads[:-1]:
        # Chinese has no blanks to break at, so long text must fold anywhere.
        table.add_column(head, overflow="fold")
    for row in rows:
        texts = [*row.faults, *([row.note] if row.note else [])]
        cells: list[str | Text] = [
            row.id,
            Text(row.title),
            str(row.features),
            "" if row.area_m2 is None else f"{row.area_m2 / 1e6:,.4f}",
            _count(row.errors, "error"),
            _count(row.warnings, "warning"),
            _count(row.notes, "note"),
            Text(_short("；".join(texts)) or "无"),
        ]
        table.add_row(*(cells if is_wide else cells[:-1]))
    return table


def _print_notes(console: Console, rows: Sequence[LayerQuality]) -> None:
    """Print what only the rows say; their faults follow one by one."""
    for row in rows:
        if row.note:
            console.print(Text(f"{row.id}：{row.note}"))


def _count(number: int, severity: str) -> Text:
    return Text(str(number) if number else "", style=_STYLES[severity])


def _findings(findings: Sequence[Finding]) -> Table:
    table = Table(title="问题", title_justify="left")
    for head in ("级别", "图层", "问题", "位置（东，北）", "处理办法"):
        table.add_column(head, overflow="fold")
    for f in findings:
        at = f.at
        table.add_row(
            Text(f.severity.label, style=_STYLES[f.severity.value]),
            f.layer,
            Text(_short(f.message)),
            "" if at is None else f"{at[0]:.1f}, {at[1]:.1f}",
            Text(f.advice),
        )
    return table


def _print_findings(console: Console, findings: Sequence[Finding]) -> None:
    for f in findings:
        at = f.at
        place = "" if at is None else f"\n  位置（东，北）：{at[0]:.1f}, {at[1]:.1f}"
        head = Text(f.severity.label, style=_STYLES[f.severity.value])
        advice = f"\n  处理办法：{f.advice}" if f.advice else ""
        console.print(head, Text(f"{f.layer}：{_short(f.message)}{place}{advice}"))


def _short(text: str) -> str:
    return text if len(text) <= _MOST_TEXT else text[: _MOST_TEXT - 1] + "…"


def print_loaded(console: Console, layers: Sequence[Loaded], connection: str) -> None:
    """Print the tables that were written, and the lines of ``plan.toml`` that use them."""
    from gis.plan.sources.rewriting import lines_of

    table = Table(title="已载入并读回核对", title_justify="left")
    for head in ("图层", "表", "要素", "内容校验值"):
        table.add_column(head, overflow="fold")
    for layer in layers:
        digest = (layer.content_sha256 or "图层不能使用，原样载入")[:16]
        table.add_row(layer.id, layer.table, str(layer.features), digest)
    console.print(table)
    console.print("在 plan.toml 中，用以下各行替换各图层的 path：")
    for layer in layers:
        lines = "\n".join(lines_of(layer, connection))
        console.print(Text(f"# {layer.id}\n{lines}"), soft_wrap=True)
    name = connection.upper()
    console.print(f"连接的地址放在环境变量 WUQU_POSTGIS_{name}，不写进 plan.toml。", markup=False)
