"""How do decision records read in a terminal? Nothing is decided here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from gis.console import print_rows
from gis.model import Verdict

if TYPE_CHECKING:
    from gis.output.records.verify import Verification

# More differences than anybody reads at a terminal; all of them stand in the JSON.
_SHOWN = 12


def print_records(console: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print one row per record, the newest first."""
    cells = [(r["id"], r["created_at"], r["name"], Verdict(r["verdict"]).label) for r in rows]
    print_rows(
        console, f"检测记录（{len(rows)} 条）", ("编号", "时间（UTC）", "名称", "结论"), cells
    )


def print_record(console: Console, row: Mapping[str, Any]) -> None:
    """Print what there is to say about a record, and what officers decided beside it."""
    chain = row["chain"]
    before = "（早于哈希链）" if chain["before_the_chain"] else ""
    _lines(
        console,
        ("记录", f"{row['id']}  {row['name']}"),
        ("时间", row["created_at"]),
        ("检测结论", f"{row['verdict_label']}（依据日期 {row['as_of']}）"),
        ("规划", f"{row['plan']['id']} {row['plan']['version']}"),
        ("软件", "、".join(f"{name} {version}" for name, version in row["software"].items())),
        ("上传文件 SHA-256", row["upload_sha256"]),
        ("结论摘要", row["digest"]),
        ("链上位置", f"第 {chain['seq']} 条，{chain['hash']}{before}"),
    )
    for made in row["decisions"]:
        by = f"，经办人 {made['decided_by']}" if made["decided_by"] else ""
        said = f"{made['verdict_label']}：{made['reason']}"
        _lines(console, ("人工决定", f"{said}（{made['office']}{by}，{made['decided_at']}）"))


def print_verification(console: Console, found: Verification) -> None:
    """Print the outcome first, then what is damaged, what has changed, and in what it differs."""
    style = "bold green" if found.is_good else "bold red"
    console.print(Text(found.outcome.label, style=style), soft_wrap=True)
    _lines(console, ("记录", f"{found.record_id}（链上第 {found.seq} 条）"), ("摘要", found.digest))
    if found.replayed and found.replayed.digest != found.digest:
        _lines(console, ("重算摘要", found.replayed.digest))
    _lines(console, *(("损坏", fault.message) for fault in found.faults))
    _lines(console, *(("变化", change.message) for change in found.changes))
    for difference in found.differences[:_SHOWN]:
        _lines(
            console,
            ("差异", f"{difference.where}：{_short(difference.recorded)} → "
             f"{_short(difference.found)}"),
        )  # fmt: skip
    more = len(found.differences) - _SHOWN
    if more > 0:
        console.print(f"另有 {more} 处差异，用 --format json 查看。")


def print_audit(console: Console, document: Mapping[str, Any]) -> None:
    """Print what was found in the chain, the number and hash of its end, and what differs."""
    faults, differing = document["faults"], document.get("differing", [])
    counts = f"{document['records']} 条记录、{document['decisions']} 条人工决定"
    if document["before_the_chain"]:
        counts += f"（其中 {document['before_the_chain']} 条早于哈希链）"
    good = not faults and not differing
    result = "哈希链完好" if not faults else f"发现 {len(faults)} 处损坏"
    console.print(Text(f"{counts}：{result}", style="bold green" if good else "bold red"))
    _lines(console, ("链尾", f"{document['seq']}:{document['hash']}"))
    _lines(console, *(("损坏", fault["message"]) for fault in faults))
    for row in differing:
        named = "；".join(change["message"] for change in row["changes"]) or "结论不同"
        _lines(console, ("有变化", f"{row['record']}：{named}"))


def _lines(console: Console, *rows: tuple[str, object]) -> None:
    for head, text in rows:
        console.print(
            Text(f"{head}：", style="cyan").append(str(text), style="default"), soft_wrap=True
        )


def _short(value: object) -> str:
    text = "无" if value is None else str(value)
    return text if len(text) <= 120 else f"{text[:119]}…"
