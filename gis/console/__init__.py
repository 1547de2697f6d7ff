"""How do results and errors read in a terminal? Chinese text; nothing is decided here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Literal

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from gis.canonical import deciding_finding, traced_mark
from gis.errors import ClaimError, WuquError, as_problem
from gis.model import citation

STYLES = {
    "pass": "bold green",
    "conditional": "bold yellow",
    "undetermined": "bold magenta",
    "fail": "bold red",
    "not_applicable": "dim",
}
_ICONS = {"pass": "✓", "conditional": "!", "undetermined": "?", "fail": "✗", "not_applicable": "–"}


_OUTLINES = {"trim": "裁减方案", "shift": "平移方案"}


def verdict_text(verdict: str, label: str) -> Text:
    """Return the verdict with its icon, so that colour alone never carries it."""
    return Text(f"{_ICONS[verdict]} {label}", style=STYLES[verdict])


def print_check(console: Console, doc: Mapping[str, Any]) -> None:
    """Print one check: verdict first, then findings with basis and remedy, then what is open."""
    console.print(_headline(doc))
    for table in _open_findings(doc):
        console.print(table)
    for remedy in doc["remedies"]:
        # What to apply for stands with the findings already.
        if kind := _OUTLINES.get(remedy.get("kind", "")):
            console.print(Text(f"{kind}：{remedy['text']}", style="green"), soft_wrap=True)
    for table in _passed_findings(doc):
        console.print(table)
    console.print(_evidence_table(doc))
    if doc["breakdown"]:
        rows = [
            (
                " ".join(filter(None, (r["land_class"], r["land_class_name"]))) or "无数据",
                " ".join(filter(None, (r["zone"], r["zone_name"]))) or "无数据",
                f"{r['area_m2']:,.2f} m²",
                f"{r['share']:.2%}",
            )
            for r in doc["breakdown"]
        ]
        print_rows(console, "现状地类 × 功能区", ("现状地类", "功能区", "面积", "占比"), rows)
    for row in doc["impact"]:
        style = "bold red" if row.get("exceeded") else "default"
        # Records of earlier versions have no sentence.
        text = f"影响：{row.get('text') or row['title']}"
        console.print(Text(text, style=style), soft_wrap=True)
    for warning in doc["warnings"]:
        text = f"注意：{in_options(warning['message'])}"
        console.print(Text(text, style="yellow"))
    for note in doc["site"]["notes"]:
        console.print(Text(f"说明：{note['message']}", style="dim"))
    open_layers = [row for row in doc["layers"] if row["state"] != "checked"]
    for row in open_layers:
        console.print(Text(f"未检查：{row['title']}（{row['reason']}）", style="magenta"))
    if doc["out_of_scope"]:
        topics = "、".join(o["topic"] for o in doc["out_of_scope"])
        console.print(Text(f"本数据包不检查：{topics}", style="dim"))
    console.print(Text(f"规划：{doc['plan']['title']} {doc['plan']['version']}", style="dim"))
    if doc["plan"]["status_note"]:
        console.print(Text(doc["plan"]["status_note"], style="bold"))
    console.print(Text(f"法规时点 {doc['as_of']}    摘要 {doc['digest']}", style="dim"))


def _headline(doc: Mapping[str, Any]) -> Panel:
    area = doc["site"]["area"]
    text = verdict_text(doc["verdict"], doc["verdict_label"])
    text.append(f"  {doc['site']['name']}", style="bold")
    if mark := traced_mark(doc):
        text.append(f"（{mark}）", style="yellow")
    if english := doc.get("verdict_en"):  # records of earlier versions have none
        deciding_en = (deciding_finding(doc) or {}).get("title_en")
        text.append(f"\n{': '.join(filter(None, (english, deciding_en)))}", style="dim")
    text.append(
        f"\n椭球面积 {area['mu']:.2f} 亩 = {area['ha']:.4f} 公顷 = {area['ellipsoidal_m2']:,.2f} m²"
        f"（平面 {area['planar_m2']:,.2f} m²）",
        style="default",
    )
    if deciding := deciding_finding(doc):
        text.append(f"\n决定性规则：{deciding['title']}——{deciding['reason']}", style="default")
    return Panel(text, title="选址合规性检测", border_style=STYLES[doc["verdict"]])


def _open_findings(doc: Mapping[str, Any]) -> Iterator[Table]:
    """Yield what needs work, with all that a person needs for it."""
    todo = [f for f in doc["findings"] if f["verdict"] not in {"pass", "not_applicable"}]
    if todo:
        heads = (("结论", 2), ("规则", 2), ("理由与处理", 6), ("依据", 4))
        table = _grid("需要处理的规则", *heads, lines=True)
        for f in todo:
            reason = f"{f['reason']}\n处理：{f['remedy']}\n主管：{f['office']}"
            basis = "\n".join(citation(b) for b in f["basis"])
            verdict = verdict_text(f["verdict"], f["verdict_label"])
            table.add_row(verdict, f["title"], reason, basis)
        yield table


def _passed_findings(doc: Mapping[str, Any]) -> Iterator[Table]:
    """Yield briefly what passes."""
    passed = [f for f in doc["findings"] if f["verdict"] == "pass"]
    if passed:
        table = _grid(f"符合的规则（{len(passed)}）", ("规则", 3), ("理由", 5), ("依据", 6))
        for f in passed:
            more = f" 等 {len(f['basis'])} 项" if len(f["basis"]) > 1 else ""
            table.add_row(f["title"], f["reason"], citation(f["basis"][0]) + more)
        yield table


def _grid(title: str, *columns: tuple[str, int], lines: bool = False) -> Table:
    table = Table(title=title, title_justify="left", expand=True, show_lines=lines)
    for head, ratio in columns:
        # Chinese has no blanks to break at, so long text must fold anywhere.
        table.add_column(head, ratio=ratio, overflow="fold")
    return table


def _evidence_table(doc: Mapping[str, Any]) -> Table:
    titles = {row["id"]: row["title"] for row in doc["layers"]}
    table = Table(title="叠加明细", title_justify="left")
    for head in ("图层", "类别", "数量", "占地块"):
        side: Literal["left", "right"] = "right" if head in {"数量", "占地块"} else "left"
        table.add_column(head, justify=side, overflow="fold")
    for e in doc["evidence"]:
        share = "" if e["share"] is None else f"{e['share']:.2%}"
        label = " ".join(part for part in (e["class"], e["name"]) if part)
        table.add_row(titles[e["layer"]], label, _amount(e), share)
    return table


def _amount(e: Mapping[str, Any]) -> str:
    match e["kind"]:
        case "area":
            return f"{e['area_m2']:,.2f} m²"
        case "length":
            return f"{e['length_m']:,.2f} m"
        case "distance":
            return f"相距 {e['distance_m']:,.2f} m"
        case _:
            return f"{e['count']} 处"


def print_rows(console: Console, title: str, heads: Iterable[str], rows: Iterable[Any]) -> None:
    """Print a plain table."""
    table = Table(title=title, title_justify="left")
    for head in heads:
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(*[cell if isinstance(cell, Text) else str(cell) for cell in row])
    console.print(table)


def print_summary(console: Console, docs: Sequence[Mapping[str, Any]]) -> None:
    """Print one row per check: site, area, verdict, deciding rule."""
    rows = []
    for doc in docs:
        deciding = deciding_finding(doc)
        mu = f"{doc['site']['area']['mu']:.2f} 亩"
        verdict = verdict_text(doc["verdict"], doc["verdict_label"])
        rows.append((doc["site"]["name"], mu, verdict, deciding["title"] if deciding else "—"))
    print_rows(console, "示例地块", ("地块", "面积", "结论", "决定性规则"), rows)


def wrong_call(error: Any) -> ClaimError:
    """Return a wrong call, which the parser describes in English, as an error of ours."""
    kind, message = type(error).__name__, str(error.format_message())
    quoted = [*re.findall(r"'([^']*)'", message), ""]
    name = getattr(error, "param", None) and error.param.opts[0]
    said = {
        "NoSuchOption": f"没有选项“{quoted[0] or getattr(error, 'option_name', '')}”",
        "MissingParameter": f"缺少参数 {name}",
        "BadParameter": f"参数 {name} 的值无效{_given(error)}",
        "BadOptionUsage": f"选项 {quoted[0]} 后面缺少值",
    }
    found = said.get(
        kind, f"没有命令“{quoted[0]}”" if quoted[0] else "命令写法有误，参数过多或缺失"
    )
    words = re.findall(r"'([^']*)'", message.partition(" is not one of ")[2])
    advice = "用 wuqu --help 或 wuqu 命令 --help 查看写法"
    return ClaimError(found, expected="、".join(words), advice=advice)


def _given(error: Any) -> str:
    """Return the value that an option was given, quoted; empty where the parser keeps it back."""
    faults: list[Any] = getattr(error.__cause__, "errors", list)()
    return f"：“{str(faults[0]['input'])[:80]}”" if faults else ""


# How the toolkit names an option, and how the command line does. ``txt write`` has two files, and
# what the toolkit means are options of the one that it reads.
_OPTIONS = (
    (re.compile(r"\bwhich=(?=all|序号|\d)"), "--which "),
    (re.compile(r"\brepair=true"), "--repair"),
    (re.compile(r"\ballow_overlap=true"), "--allow-overlap"),
    (re.compile(r"\ballow_doubt=true"), "--allow-doubt"),
    (re.compile(r"\bwidth_m\b"), "--width"),
    (re.compile(r"\bcrs=EPSG 代码"), "--{of}crs EPSG:代码"),
    (re.compile(r"\bencoding=(?=[a-z])"), "--{of}encoding "),
    (re.compile(r"(?<=文字编码 )encoding\b"), "--{of}encoding"),
)


def in_options(text: str, *, of_input: bool = False) -> str:
    """Return a text of the toolkit with the options as they are written in a command.

    >>> in_options("用 which=序号 选择其中一个，或用 which=all 全部检测")
    '用 --which 序号 选择其中一个，或用 --which all 全部检测'
    """
    for pattern, option in _OPTIONS:
        text = pattern.sub(option.format(of="from-" if of_input else ""), text)
    return text


def problem_of(error: WuquError, *, of_input: bool = False) -> dict[str, Any]:
    """Return an error as plain JSON values, worded for the command line.

    ``of_input``: the command has two files, so that options of the input have names of their own.
    """
    problem = dict(as_problem(error))
    told = partial(in_options, of_input=of_input)
    problem["detail"] = told(error.detail)
    problem["errors"] = [
        {**fault.to_dict(), "where": told(fault.where), "message": told(fault.message)}
        for fault in error.faults
    ]
    return problem


def print_problem(console: Console, problem: Mapping[str, Any]) -> None:
    """Print one error with the places of its faults.

    Not wrapped by the console, which would cut words and put blanks into Chinese text.
    """
    console.print(f"[bold red]{problem['title']}[/]：", end="")
    console.print(problem["detail"], markup=False, highlight=False, soft_wrap=True)
    for fault in problem["errors"]:
        text = f"  {fault['where']}：{fault['message']}"
        console.print(text, markup=False, highlight=False, soft_wrap=True)
