"""The rule book as one page of the documentation, in Markdown; generated, never written by hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from gis.model import Rule
from gis.rulebook.describe import KIND_TITLES
from gis.rulebook.in_words import lines_of, parameter_words
from gis.rulebook.loader import RuleBook

_HEAD = """# 规则库

本页由 `wuqu rules page -o docs/rules.md` 从规则库生成，不要直接修改；规则写在
`gis/rulebook/cn/*.toml`（全国）和规划数据包的 `rules/*.toml`（地方）中，写法见
[rule-writing.md](rule-writing.md)。English titles stand under each rule.

【依据待核】表示条款原文尚未核对；效力或者数值待核实的规则，结论至多为“需核实”。
"""


def rules_page(book: RuleBook) -> str:
    """Return the page: an overview by file, every rule, open parameters, documents."""
    return "\n".join(
        [_HEAD, *_overview(book), *_rules(book), *_parameters(book), *_documents(book)]
    )


def _by_file(rules: Iterable[Rule]) -> Iterator[tuple[str, list[Rule]]]:
    ordered = sorted(rules, key=lambda r: (not r.source_file.startswith("cn/"), r.source_file))
    for file, found in groupby(ordered, key=lambda r: r.source_file):
        yield file, sorted(found, key=lambda r: (r.priority, r.id))


def _overview(book: RuleBook) -> Iterator[str]:
    yield f"## 概览：{len(book.rules)} 条规则、{len(book.documents)} 个文件\n"
    yield "| 文件 | 规则 | 名称 | 类型 | 依据 |\n|---|---|---|---|---|"
    for file, rules in _by_file(book.rules):
        for rule in rules:
            mark = "" if all(b.verified for b in rule.basis) else "，部分待核"
            kind = KIND_TITLES[rule.kind]
            cells = (file, f"[{rule.id}](#{_anchor(rule)})", rule.title, kind)
            yield f"| {' | '.join(map(_cell, cells))} | {len(rule.basis)} 条{mark} |"
    yield ""


def _anchor(rule: Rule) -> str:
    """Return the anchor that Markdown gives to a heading that is the id alone."""
    return "".join(c for c in rule.id.lower() if c.isalnum() or c in "-_")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _rules(book: RuleBook) -> Iterator[str]:
    for file, rules in _by_file(book.rules):
        yield f"## {file}\n"
        for rule in rules:
            yield f"### {rule.id}\n"
            yield f"**{rule.title}**" + (f" · {rule.title_en}" if rule.title_en else "") + "\n"
            lines = lines_of(rule, book.parameters)
            yield from (f"- {head}：{' '.join(text.split())}" for head, text in lines)
            yield ""


def _parameters(book: RuleBook) -> Iterator[str]:
    yield "## 规划参数\n"
    yield "没有文件公布过数值的参数，由主管部门在规划数据包中录入（`[[parameter_value]]`）：\n"
    yield from (f"- {parameter_words(p)}" for p in book.parameters.values())
    yield ""


def _documents(book: RuleBook) -> Iterator[str]:
    yield "## 文件\n"
    yield "| 文件 | 文号 | 起 | 止 | 原文 |\n|---|---|---|---|---|"
    for d in book.documents.values():
        first, last = d.valid_from or "", d.valid_to or ""
        read = "已核对" if d.verified else "待核"
        yield f"| {_cell(d.title)} | {_cell(d.number)} | {first} | {last} | {read} |"
    yield ""
