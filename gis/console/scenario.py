"""How do scenarios read in a terminal? Nothing is decided here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from gis.console import print_rows, verdict_text
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


# --- plans side by side --------------------------------------------------------------------------


def print_comparison(console: Console, document: Mapping[str, Any]) -> None:
    """Print plans side by side; rows that are equal in all of them are counted only."""
    plans = document["plans"]
    for plan in plans:
        line = Text(f"{plan['version']}  ", style="bold").append(plan["title"], style="default")
        console.print(line.append(f"【{plan['status_label']}】"), soft_wrap=True)
    for plan, layers in zip(plans[1:], document["changes"], strict=True):
        console.print(Text(f"\n{plan['version']} 的改动", style="bold"))
        print_changes(console, layers)
    heads = [plan["version"] for plan in plans]
    _side_by_side(console, "公布指标", ("指标", *heads), map(_figure, document["figures"]))
    _side_by_side(console, "绿地和水域占比", ("范围", *heads), map(_balance, document["balance"]))
    _side_by_side(console, "稀缺指标尚余", ("指标", *heads), map(_budget, document["budgets"]))
    for row in document["feasible"]:
        _print_wish(console, row, heads)
    _side_by_side(console, "项目", ("项目", *heads), map(_project, document["projects"]))
    console.print(Text(f"法规时点 {document['as_of']}", style="dim"))
    for plan in plans[1:]:
        console.print(
            Text(f"{plan['version']}：{plan['status_note']}", style="bold"), soft_wrap=True
        )


def _side_by_side(
    console: Console, title: str, heads: Iterable[str], rows: Iterable[tuple[Any, ...]]
) -> None:
    """Print the rows whose sides differ, and how many do not."""
    told = list(rows)
    different = [row for row in told if len({str(cell) for cell in row[1:]}) > 1]
    if different:
        print_rows(console, title, heads, different)
    same = len(told) - len(different)
    if same:
        word = "其余" if different else "全部"
        console.print(Text(f"{title}：{word} {same} 项没有变化", style="dim"))


def _figure(row: Mapping[str, Any]) -> tuple[str, ...]:
    return row["title"], *("无数据" if v is None else f"{v:,.4f}" for v in row["computed"])


def _balance(row: Mapping[str, Any]) -> tuple[str, ...]:
    return row["title"], *row["share_text"]


def _budget(row: Mapping[str, Any]) -> tuple[str, ...]:
    free = [side and side["free_m2"] for side in row["amounts"]]
    name = row["name"] or row["title"]
    return name, *("无数据" if m2 is None else land_text(m2) or "0" for m2 in free)


def _project(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["name"], *(_verdict(side) for side in row["sides"])


def _verdict(side: Mapping[str, Any]) -> Text:
    if side["verdict"] is None:
        return Text(side["verdict_label"], style="dim")
    text = verdict_text(side["verdict"], side["verdict_label"])
    return text.append(f"\n{side['deciding_title'] or ''}", style="default")


def _print_wish(console: Console, row: Mapping[str, Any], heads: Iterable[str]) -> None:
    query, sides = row["query"], row["plans"]
    title = f"找地：{query['use_label']} {query['area_mu']:g} 亩，{query['within']}"
    rows = [("候选地块", *(f"{side['candidates']} 个" for side in sides))]
    for key, word in _LANDS.items():
        rows.append((word, *(land_text(side["classes"][key]) or "0" for side in sides)))
    rows.append(("最大一片可用地", *(land_text(side["largest_m2"]) or "0" for side in sides)))
    bound = [side["binding"]["title"] if side["binding"] else "—" for side in sides]
    rows.append(("限制最多的规则", *bound))
    print_rows(console, title, ("", *heads), rows)


_LANDS = {"permitted": "可用", "conditional": "有条件可用", "undetermined": "需核实"}
