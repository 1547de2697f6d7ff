"""How does the balance of a plan read in a terminal? Chinese text; nothing is decided here."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gis.console import in_options, print_rows
from gis.console.budgets import print_remainders
from gis.plan.budgets import Budget
from gis.plan.land.rows import COUNTED_LABELS, share_text
from gis.plan.land.share import ShareRange
from gis.plan.quota.accounts import Kind
from gis.plan.schema import STATUS_LABELS
from gis.plan.stated import UNITS, amount
from gis.units import m2_to_ha

# Tables of zones are cut into pieces of this many columns, which fit a terminal.
_ACROSS = 4
_KINDS = {
    "planning_area": "规划范围",
    "core": "核心区",
    "approval": "批准范围",
    "dev_boundary": "开发边界",
    "district": "镇街",
    "zone": "功能区",
}


def print_balance(console: Console, document: Mapping[str, Any], budgets: Sequence[Budget]) -> None:
    """Print the share in one sentence, then figures, areas, land balance, budgets and rasters."""
    if document["land_balance"]:
        console.print(Text(document["land_balance"]["sentence"], style="bold"), soft_wrap=True)
    print_stated(console, document["stated"])
    print_areas(console, document["areas"])
    if document["land_balance"]:
        print_land(console, document["land_balance"])
    else:
        console.print(f"没有用地平衡：{document['land_balance_note']}。", soft_wrap=True)
    if budgets:
        print_remainders(console, budgets)
    print_rasters(console, document["rasters"])


def print_stated(console: Console, figures: Sequence[Mapping[str, Any]]) -> None:
    """Print what the plan's documents state beside what the geometry gives."""
    if not figures:
        return console.print("规划数据包没有列出公布指标。")
    rows = [
        (
            f["title"],
            figure_text(f["stated"], f["unit"]),
            _computed(f),
            f["reason"],
            _layer_text(f),
        )
        for f in figures
    ]
    return print_rows(
        console, "公布值与计算值", ("指标", "公布", "计算", "说明", "图层和时点"), rows
    )


def print_areas(console: Console, areas: Sequence[Mapping[str, Any]]) -> None:
    """Print the named areas by both formulas."""
    heads = ("范围", "名称", "椭球 km²", "亩", "平面 − 椭球 m²", "图层和时点")
    table = _numbers("范围面积（法定面积为椭球面积）", heads, first=2, last=1)
    for a in areas:
        table.add_row(
            f"{_KINDS.get(a['kind'], '')} {a['id']}".strip(),
            a["title"],
            f"{a['km2']:,.4f}",
            f"{a['mu']:,.2f}",
            f"{a['planar_difference_m2']:+,.2f}",
            _layer_text(a),
        )
    console.print(table)


def _layer_text(row: Mapping[str, Any]) -> str:
    status = STATUS_LABELS.get(row["status"], row["status"])
    return f"{row['layer_title']}，{row['vintage']}，{status}"


def _numbers(title: str, heads: Sequence[str], *, first: int = 1, last: int = 0) -> Table:
    """Return a table whose middle columns are numbers."""
    table = Table(title=title, title_justify="left")
    for n, head in enumerate(heads):
        words = n < first or n >= len(heads) - last
        table.add_column(head, justify="left" if words else "right", overflow="fold")
    return table


# --- land balance --------------------------------------------------------------------------------


def print_land(console: Console, land: Mapping[str, Any]) -> None:
    """Print the classes, the same by zone, the share by each definition, and what moves it."""
    for warning in land["area"]["warnings"]:
        console.print(Text(f"注意：{in_options(warning['message'])}", style="yellow"))
    for note in land["area"]["notes"]:
        console.print(Text(f"说明：{note['message']}", style="dim"))
    _print_classes(console, land)
    _print_majors(console, land["majors"])
    if land["zones"]:
        _print_zones(console, land)
    if land["zones_note"]:
        console.print(f"功能区：{land['zones_note']}", soft_wrap=True)
    _print_definitions(console, land)
    _print_sensitivity(console, land)
    _print_defects(console, land)


def _print_classes(console: Console, land: Mapping[str, Any]) -> None:
    title = f"{land['area']['title']}用地平衡（{land['scheme']} {land['edition']}）"
    table = _numbers(title, ("地类", "公顷", "亩", "占比", "计入"), last=1)
    for c in land["classes"]:
        counted = COUNTED_LABELS.get(c["counted_as"] or "", "")
        label = f"{c['class']} {c['name']}".strip()
        table.add_row(label, f"{c['ha']:,.2f}", f"{c['mu']:,.2f}", f"{c['percent']:.2f}%", counted)
    for row in land["rest"]:
        percent = f"{row['percent']:.2f}%"
        table.add_row(row["name"], f"{row['ha']:,.2f}", f"{row['mu']:,.2f}", percent, "")
    total = land["total"]
    table.add_section()
    table.add_row("合计", f"{total['ha']:,.2f}", f"{total['mu']:,.2f}", "100.00%", "")
    console.print(table)


def _print_majors(console: Console, majors: Sequence[Mapping[str, Any]]) -> None:
    table = _numbers(
        "三大类（按农用地转用审批的归类）", ("类别", "公顷", "亩", "占比", "说明"), last=1
    )
    for m in majors:
        notes = "；".join(m["notes"])
        table.add_row(
            m["label"], f"{m['ha']:,.2f}", f"{m['mu']:,.2f}", f"{m['percent']:.2f}%", notes
        )
    if majors:
        console.print(table)


def _print_zones(console: Console, land: Mapping[str, Any]) -> None:
    """Print classes by zones in hectares, a few zones at a time; the total stands in each."""
    zones = land["zones"]
    columns = zones["columns"]
    for start in range(0, len(columns), _ACROSS):
        part = range(start, min(start + _ACROSS, len(columns)))
        heads = [" ".join(filter(None, (columns[n]["zone"], columns[n]["name"]))) for n in part]
        table = _numbers("地类 × 功能区（公顷）", ("地类", *heads, "合计"))
        table.columns[0].no_wrap = True
        for row in zones["rows"]:
            label = " ".join(filter(None, (row["class"], row["name"])))
            cells = [f"{row['cells_ha'][n]:,.2f}" for n in part]
            table.add_row(label, *cells, f"{row['total_ha']:,.2f}")
        table.add_section()
        totals = [f"{columns[n]['ha']:,.2f}" for n in part]
        table.add_row("合计", *totals, f"{zones['total_ha']:,.2f}")
        console.print(table)


def _print_definitions(console: Console, land: Mapping[str, Any]) -> None:
    rows = []
    for d in land["definitions"]:
        layer = "" if d["layer"] is None else _layer_text(d)
        mark = "▶" if d["id"] == land["definition"] else ""
        rows.append((f"{mark}{d['id']}", d["text"], d["share_text"], layer or d["reason"]))
    title = f"绿地和水域占比：各种口径（分母：{land['area']['title']}）"
    print_rows(console, title, ("口径", "内容", "占比", "图层和时点"), rows)


def _print_sensitivity(console: Console, land: Mapping[str, Any]) -> None:
    rows = land.get("sensitivity", ())
    if not rows:
        return
    share = "改变后占比（下限）" if land["share_is_lower_bound"] else "改变后占比"
    heads = ("有争议的地类", "公顷", "现计入", share, "变化（百分点）", "说明")
    table = _numbers("敏感性：逐项改变是否计入", heads, last=1)
    for s in rows:
        label = f"{s['title']} {'、'.join(s['classes'])}"
        table.add_row(
            label,
            f"{s['ha']:,.2f}",
            "是" if s["counted"] else "否",
            f"{s['other_share']:.2%}",
            f"{s['difference_points']:+.2f}",
            s["note"],
        )
    console.print(table)


def _print_defects(console: Console, land: Mapping[str, Any]) -> None:
    for key, text in (
        ("uncovered_m2", "图层未覆盖"),
        ("overlap_m2", "不同地类相互重叠（重复计算，已扣除）"),
        ("repeated_m2", "同类图斑相互重叠（只计一次）"),
        ("counted_twice_m2", "计入绿地和水域的地类之间重叠（只计一次）"),
    ):
        if land[key]:
            console.print(f"{text}：{land[key]:,.2f} m²", style="yellow")


def _computed(figure: Mapping[str, Any]) -> str:
    """Return what was computed; a share that unknown land may raise says 不低于."""
    low, high = figure["computed"], figure["computed_max"]
    if high is None:
        return figure_text(low, figure["unit"])
    return share_text(low, ShareRange(low, high, math.inf))


def figure_text(value: float | None, unit: str) -> str:
    """Return a figure with its unit; one that could not be computed says 无数据."""
    if value is None:
        return "无数据"
    return f"{value:.2%}" if unit == "share" else f"{value:,.4f} {UNITS[unit]}"


# --- budgets and rasters -------------------------------------------------------------------------


def print_rasters(console: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print what the images say, each with its date and in its own words."""
    if not rows:
        return
    table = _numbers("遥感影像和栅格", ("栅格", "日期", "占比", "有效像元", "说明"), last=1)
    for r in rows:
        table.add_row(
            r["title"],
            str(r["date"]),
            share_or_none(r["share"]),
            share_or_none(r["valid_share"]),
            "；".join(filter(None, _said(r))),
        )
    console.print(table)
    for sentence in dict.fromkeys(r["series"]["sentence"] for r in rows if r["series"]):
        console.print(Text(sentence), soft_wrap=True)


def _said(row: Mapping[str, Any]) -> Iterator[str]:
    """Yield what explains the figure of an image: why none, what it is not, how it was made."""
    yield row["reason"]
    yield row["sentence"]
    yield _threshold(row) and f"阈值 {_threshold(row)}"
    if agreement := row["agreement"]:
        points = agreement["difference_points"]
        yield f"同一口径按图斑计 {agreement['vector_share']:.2%}，相差 {points:+.2f} 个百分点"
    yield from row["notes"]


def _threshold(row: Mapping[str, Any]) -> str:
    if row.get("threshold") is None:
        return ""
    return f"{row['threshold']:.4g}（{row['method'].removeprefix('阈值')}）"


def share_or_none(share: float | None) -> str:
    """Return a share in percent; an unknown one is no zero."""
    return "无数据" if share is None else f"{share:.2%}"


# --- one number ----------------------------------------------------------------------------------

_BUDGET_LINES = (
    ("total_m2", "总量"),
    ("used_m2", "已用"),
    ("reserved_m2", "预留"),
    ("unknown_m2", "地类不明"),
    ("free_m2", "余量"),
)
_LINES = (
    ("definition", "定义"),
    ("denominator", "分母"),
    ("layer_title", "图层"),
    ("vintage", "时点"),
    ("status", "状态"),
    ("source", "来源"),
    ("layer_source", "图层来源"),
    ("date", "日期"),
    ("reason", "说明"),
    ("note", "说明"),
    ("sentence", "结论"),
)


def print_explained(console: Console, found: Mapping[str, Any]) -> None:
    """Print what explains one number, line by line, then what counts and what may."""
    rows = [("指标", f"{found['title']}（{found['id']}）"), *_values(found)]
    for key, label in _LINES:
        if found.get(key):
            value = found[key]
            rows.append((label, STATUS_LABELS.get(value, value) if key == "status" else value))
    for key, label in (("counted", "计入"), ("not_counted", "未计入")):
        if key in found:
            names = [f"{c['class']} {c['name']} {c['ha']:,.2f} 公顷".strip() for c in found[key]]
            rows.append((label, "；".join(names) or "无"))
    print_rows(console, "指标说明", ("项", "内容"), rows)
    _print_sensitivity(console, found)


def _values(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    match found["kind"]:
        case "figure":
            unit = found["unit"]
            return [
                ("公布值", figure_text(found["stated"], unit)),
                ("计算值", _computed(found)),
                ("公布值取整范围", f"±{amount(found['tolerance'], unit)}"),
                *_both_areas(found),
            ]
        case "area":
            return [
                ("面积", f"{found['km2']:,.4f} km² = {found['mu']:,.2f} 亩"),
                *_both_areas(found),
            ]
        case "class":
            size = f"{found['ha']:,.2f} 公顷 = {found['mu']:,.2f} 亩，占 {found['percent']:.2f}%"
            counted = COUNTED_LABELS.get(found["counted_as"] or "", "不计入")
            return [("面积", size), ("绿地和水域", f"{counted}（{found['counted_by']}）")]
        case "budget":
            meant = found["budget"] == Kind.DEV_BOUNDARY
            lines = [line for line in _BUDGET_LINES if meant or line[0] != "used_m2"]
            return [(label, _hectares(found[key])) for key, label in lines]
        case "raster":
            shares = (("share", "占比"), ("valid_share", "有效像元"))
            lines = [(label, share_or_none(found[key])) for key, label in shares]
            return [*lines, *([("阈值", text)] if (text := _threshold(found)) else [])]
        case _:
            return []


def _hectares(area_m2: float | None) -> str:
    return "未知" if area_m2 is None else f"{m2_to_ha(area_m2):,.2f} 公顷"


def _both_areas(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    if found["ellipsoidal_m2"] is None:
        return []
    text = f"椭球 {found['ellipsoidal_m2']:,.2f} m²，平面 {found['planar_m2']:,.2f} m²"
    return [("两种面积", text)]
