"""How do releases of a plan read in a terminal? Nothing is decided here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from gis.plan.releases.folder import Activation
    from gis.plan.releases.publishing import Published

_EVENTS = {"publish": "发布", "rollback": "退回"}


def print_published(console: Console, done: Published) -> None:
    """Print which release is in force now, and which was before."""
    if not done.changed:
        console.print(Text(f"{done.release} 已经生效，没有改动"), soft_wrap=True)
        return
    console.print(Text(f"已生效：{done.release}", style="bold"), soft_wrap=True)
    console.print(Text(f"内容校验值 {done.sha256}", style="dim"), soft_wrap=True)
    if done.before:
        console.print(Text(f"此前生效：{done.before}"), soft_wrap=True)
    if done.warnings or done.notes:
        text = f"检查：警告 {done.warnings} 条，规则库待办 {done.notes} 条"
        console.print(Text(text), soft_wrap=True)


def print_history(console: Console, found: Sequence[Activation]) -> None:
    """Print every activation, newest first."""
    table = Table(title="发布历史", title_justify="left")
    for head in ("", "版本", "事件", "时间（UTC）", "经办", "说明"):
        table.add_column(head, overflow="fold")
    for row in reversed(found):
        mark = "现行" if row.seq == found[-1].seq else ""
        table.add_row(
            Text(mark, style="bold"),
            Text(row.release),
            _EVENTS[row.event],
            row.at.removesuffix("+00:00").replace("T", " "),
            Text(row.by),
            Text(row.note),
        )
    console.print(table)
