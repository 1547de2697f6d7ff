"""How does a search for sites read in a terminal? Chinese text; nothing is decided here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from gis.console import print_rows, verdict_text

_MOST_RULES = 12


def print_search(console: Console, document: Mapping[str, Any]) -> None:
    """Print the answer in one sentence, then candidates, land by class, and the rules that bind."""
    console.print(Text(headline(document), style="bold"), soft_wrap=True)
    sites = document["candidates"] or (document["nearest_miss"] or {}).get("sites", ())
    if sites:
        title = "候选地块" if document["candidates"] else "最接近的地块（不能作为候选）"
        heads = ("地块", "亩", "结论", "得分", "评分项", "须先办理或受限于")
        print_rows(console, title, heads, (_site_row(site) for site in sites))
    _print_land(console, document["feasible"])
    _print_binding(console, document["binding"])
    for row in document["rejected"]:
        console.print(f"未采用一处：{row['reason']}。", markup=False, soft_wrap=True)
    if hidden := document.get("hidden_layers"):
        console.print(f"{'、'.join(hidden)}不公开坐标，未给出图形。", soft_wrap=True)
    plan, query = document["plan"], document["query"]
    last = f"{plan['title']} {plan['version']}　法规时点 {query['as_of']}"
    console.print(Text(last, style="dim"), soft_wrap=True)
    if plan["status_note"]:
        console.print(Text(plan["status_note"], style="dim"), soft_wrap=True)


def headline(document: Mapping[str, Any]) -> str:
    """Return the answer in one sentence."""
    found, query = document["candidates"], document["query"]
    if not found:
        return str(document["nearest_miss"]["text"])
    wanted = f"{query['area_mu']:,.2f}".rstrip("0").rstrip(".")
    return (
        f"在{query['within']}内找到 {len(found)} 处可容纳 {wanted} 亩、"
        f"用途 {query['use_label']} 的地块，"
        f"最好的一处检测结论为“{found[0]['verdict_label']}”。"
    )


def _site_row(site: Mapping[str, Any]) -> tuple[Any, ...]:
    criteria = "\n".join(map(criterion_text, site["criteria"]))
    titles = dict.fromkeys(f["title"] for f in (*site["against"], *site["costs"]))
    return (
        site["name"],
        f"{site['area_mu']:,.2f}",
        verdict_text(site["verdict"], site["verdict_label"]),
        f"{site['score']:.3f}",
        criteria,
        "\n".join(titles) or "—",
    )


def criterion_text(row: Mapping[str, Any]) -> str:
    """Return one criterion with its value, its score and its weight."""
    if row["value"] is None:
        return f"{row['title']}：未知，不计"
    value = f"{row['value']:.1%}" if row["unit"] == "share" else f"{row['value']:,.0f} 米"
    return f"{row['title']}：{value}（{row['score']:.2f} × {row['weight']:.2f}）"


def _print_land(console: Console, land: Mapping[str, Any]) -> None:
    rows = [
        (row["label"], f"{row['area_mu']:,.2f}", f"{row['share']:.2%}", _first(row["rules"]))
        for row in land["classes"]
    ]
    heads = ("用地分类", "亩", "占比", "主要规则（亩）")
    print_rows(console, "按位置分类的用地", heads, rows)
    for rule in land["everywhere"]:
        said = f"全部用地：{rule['title']}（{rule['verdict_label']}）　{rule['reason']}"
        console.print(said, markup=False, soft_wrap=True)
    console.print(Text(land["note"], style="dim"), soft_wrap=True)


def _first(rules: list[Mapping[str, Any]]) -> str:
    named = [f"{rule['title']} {rule['area_mu']:,.0f}" for rule in rules[:3]]
    more = [f"等 {len(rules)} 条"] if len(rules) > 3 else []
    return "；".join([*named, *more])


def _print_binding(console: Console, binding: list[Mapping[str, Any]]) -> None:
    if not binding:
        return
    heads = ("规则", "排除（亩）", "需核实（亩）", "单独（亩）", "唯一（亩）")
    print_rows(console, "起限制作用的规则", heads, _binding_rows(binding))
    said = "单独：假如只有这一条规则，不能用的面积；唯一：只因这一条规则不能用的面积。"
    console.print(Text(said, style="dim"), soft_wrap=True)
    if len(binding) > _MOST_RULES:
        rest = f"其余 {len(binding) - _MOST_RULES} 条见 --format json。"
        console.print(Text(rest, style="dim"), soft_wrap=True)


def _binding_rows(binding: list[Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
    for row in binding[:_MOST_RULES]:
        numbers = (row[f"{key}_mu"] for key in ("excluded", "open", "alone", "last"))
        yield f"{row['title']}（{row['rule']}）", *(f"{mu:,.2f}" for mu in numbers)
