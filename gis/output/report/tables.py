"""Which tables stand in a report of one site?

Rules, control lines, land classes, layers, budgets. Every number is that of the JSON document of
the check; hectares and shares are rounded so that the printed parts add up to the printed whole.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gis.model import Verdict, citation
from gis.output.contacts import contact_text
from gis.output.maps.card import verdict_of
from gis.output.maps.numbers import two_digits
from gis.output.maps.site_card import evidence_row, layer_row, measure_text
from gis.output.report.blocks import Cell, Column, Table, rows
from gis.plan.quota.amounts import amount
from gis.plan.quota.sentences import summed
from gis.plan.schema import STATUS_LABELS
from gis.units import m2_to_ha, m2_to_mu, round_parts

if TYPE_CHECKING:
    from gis.plan.area import Plan

Document = Mapping[str, Any]
# The lines of a plan in the order of a 三区三线 table.
_LINE_ROLES = ("farmland", "redline", "dev_boundary", "control_line")
_QUIET = frozenset({Verdict.PASS, Verdict.NOT_APPLICABLE})


def titles_of(document: Document) -> dict[str, str]:
    """Return the title of each layer by its id."""
    return {layer["id"]: layer["title"] for layer in document["layers"]}


def verdict_cell(value: object) -> Cell:
    """Return the word of a verdict as a cell of its colour."""
    verdict = verdict_of(value)
    return Cell(verdict.label, verdict=verdict.value)


def basis_text(finding: Mapping[str, Any]) -> str:
    """Return the citations of a finding, one a line, unverified ones marked."""
    return "\n".join(citation(b) for b in finding["basis"])


# --- rules ---------------------------------------------------------------------------------------


def rule_table(document: Document) -> Table:
    """Return every rule that applies with measure, basis and outcome, worst first."""
    applied = [f for f in document["findings"] if f["verdict"] != Verdict.NOT_APPLICABLE]
    found = [
        (n, _rule_cell(f), _required(f), basis_text(f), verdict_cell(f["verdict"]))
        for n, f in enumerate(applied, start=1)
    ]
    heads = (
        Column("序号", 0.6, "center"),
        Column("审查事项", 1.9),
        Column("要求与实测", 3.5),
        Column("依据", 3.7),
        Column("结论", 1.25, "center"),
    )
    return Table("规则审查表", heads, rows(found), dense=True)


def _rule_cell(finding: Mapping[str, Any]) -> str:
    # A rule on a layer whose law is changing is told and does not decide.
    return str(finding["title"]) + ("" if finding.get("decides", True) else "（修改中，不作结论）")


def _required(finding: Mapping[str, Any]) -> str:
    measured = measure_text(finding.get("measure"))
    return "\n".join(filter(None, (finding["threshold"], f"实测：{measured}" if measured else "")))


# --- the three lines -----------------------------------------------------------------------------


def line_table(document: Document, plan: Plan) -> Table:
    """Return how much of each control line the site takes; a line without data says so."""
    found: list[Sequence[object]] = []
    for role in _LINE_ROLES:
        for layer in document["layers"]:
            known = plan.layers.get(layer["id"])
            if known is not None and known.info.role == role:
                found += _line_rows(document, layer)
    heads = (
        Column("控制线", 2.6),
        Column("是否涉及", 1.2, "center"),
        Column("面积（m²）", 1.7, "right"),
        Column("面积（亩）", 1.4, "right"),
        Column("占地块", 1.0, "right"),
        Column("数据年度", 1.2, "center"),
        Column("数据状态", 1.1, "center"),
    )
    note = "面积为 CGCS2000 椭球面积。“未检查”表示没有可用数据，不等于不涉及。"
    return Table("三区三线指标汇总表", heads, rows(found), note=note)


def _line_rows(document: Document, layer: Mapping[str, Any]) -> list[Sequence[object]]:
    last = (layer["vintage"], STATUS_LABELS.get(layer["status"], layer["status"]))
    own = [e for e in document["evidence"] if e["layer"] == layer["id"] and e["kind"] == "area"]
    if layer["state"] != "checked":
        return [(layer["title"], Cell("未检查", bold=True), "—", "—", "—", *last)]
    if not own:
        uncovered = bool(layer["uncovered_share"])
        word = "覆盖部分不涉及" if uncovered else "不涉及"
        return [(layer["title"], word, "0.00", "0.00", "0.00%", *last)]
    return [
        (
            _named(layer["title"], e),
            Cell("涉及", bold=True),
            f"{e['area_m2']:,.2f}",
            two_digits(m2_to_mu(e["area_m2"]), e["area_m2"]),
            _share(e["share"]),
            *last,
        )
        for e in own
    ]


def _named(title: str, evidence: Mapping[str, Any]) -> str:
    # A class that is a bare code says nothing beside the name of the line.
    code = evidence["class"] or ""
    what = evidence["name"] or ("" if code.isascii() else code)
    return f"{title}：{what}" if what and what not in title else title


def _share(share: float | None) -> str:
    if share is None:
        return "—"
    return "<0.01%" if 0 < share < 5e-5 else f"{share:.2%}"


# --- land ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Land:
    code: str
    name: str
    area_m2: float


def land_table(document: Document, plan: Plan, role: str, caption: str) -> Table | None:
    """Return the land classes of the site on the layers of a role; None without such a layer.

    Hectares and shares add up to those of the site; land that no parcel covers has a row of its
    own.
    """
    ids = [layer.info.id for layer in plan.with_role(role)]
    layers = [row for row in document["layers"] if row["id"] in ids]
    whole = document["site"]["area"]["ellipsoidal_m2"]
    parts = [
        _Land(e["class"] or "—", e["name"] or "未注明", e["area_m2"])
        for e in document["evidence"]
        if e["layer"] in ids and e["kind"] == "area"
    ]
    if not layers or not parts:
        return None
    missing = whole - math.fsum(p.area_m2 for p in parts)
    # What is left of the sum of rounded numbers is no land.
    if missing > 0.005 * (len(parts) + 1):
        parts.append(_Land("—", "图层未覆盖", missing))
    total = ("合计", "", f"{whole:,.2f}", *_summed(whole))
    heads = (
        Column("地类编码", 1.1, "center"),
        Column("地类名称", 2.6),
        Column("面积（m²）", 1.6, "right"),
        Column("面积（公顷）", 1.4, "right"),
        Column("面积（亩）", 1.4, "right"),
        Column("占地块", 1.0, "right"),
    )
    note = "；".join(_source(layer, plan) for layer in layers)
    found = [*_land_rows(parts, whole), total]
    return Table(caption, heads, rows(found), totals=1, note=f"数据：{note}。")


def _land_rows(parts: Sequence[_Land], whole: float) -> list[tuple[str, ...]]:
    hectares = _adding_up([m2_to_ha(p.area_m2) for p in parts], m2_to_ha(whole), 4)
    acres = _adding_up([m2_to_mu(p.area_m2) for p in parts], m2_to_mu(whole), 2)
    shares = _adding_up([100 * p.area_m2 / whole for p in parts], 100.0, 2)
    return [
        (p.code, p.name, f"{p.area_m2:,.2f}", f"{ha:,.4f}", f"{mu:,.2f}", f"{share:.2f}%")
        for p, ha, mu, share in zip(parts, hectares, acres, shares, strict=True)
    ]


def _adding_up(values: Sequence[float], whole: float, digits: int) -> list[float]:
    try:
        return round_parts(values, digits, whole=whole)
    except ValueError:
        # Land that is drawn twice is more than the whole, and is printed as it was measured.
        return [round(value, digits) for value in values]


def _summed(whole: float) -> tuple[str, str, str]:
    return f"{m2_to_ha(whole):,.4f}", f"{m2_to_mu(whole):,.2f}", "100.00%"


def _source(layer: Mapping[str, Any], plan: Plan) -> str:
    info = plan.layers[layer["id"]].info
    scheme = " ".join(filter(None, (info.scheme, info.edition)))
    status = STATUS_LABELS.get(layer["status"], layer["status"])
    return f"{layer['title']}（{'，'.join(filter(None, (layer['vintage'], status, scheme)))}）"


def breakdown_table(document: Document) -> Table | None:
    """Return a corridor by current land class and zone; None for a site that is no corridor."""
    if not document["breakdown"]:
        return None
    found = [
        (
            " ".join(filter(None, (r["land_class"], r["land_class_name"]))) or "无数据",
            " ".join(filter(None, (r["zone"], r["zone_name"]))) or "无数据",
            f"{r['area_m2']:,.2f}",
            f"{m2_to_mu(r['area_m2']):,.2f}",
            _share(r["share"]),
        )
        for r in document["breakdown"]
    ]
    heads = (
        Column("现状地类", 2.4),
        Column("功能区", 2.4),
        Column("面积（m²）", 1.5, "right"),
        Column("面积（亩）", 1.3, "right"),
        Column("占地块", 1.0, "right"),
    )
    return Table("线性工程现状地类与功能区交叉表", heads, rows(found))


# --- what was measured, and on which data --------------------------------------------------------


def evidence_table(document: Document) -> Table:
    """Return everything that the site touches, whatever the rules say."""
    titles = titles_of(document)
    told = [evidence_row(e, titles) for e in document["evidence"]]
    found = [
        (row["layer"], _class_of(e), row["amount"], _share(e["share"]))
        for row, e in zip(told, document["evidence"], strict=True)
    ]
    heads = (
        Column("图层", 2.0),
        Column("类别与名称", 3.2),
        Column("数量", 1.7, "right"),
        Column("占地块", 1.0, "right"),
    )
    notes = [contact_text(c, titles.get(c["layer"], c["layer"])) for c in document["contacts"]]
    note = f"细碎接触：{'；'.join(notes)}。" if notes else ""
    return Table("地块涉及的要素", heads, rows(found), note=note, dense=True)


def _class_of(evidence: Mapping[str, Any]) -> str:
    return " ".join(filter(None, (evidence["class"], evidence["name"]))) or "—"


def impact_table(document: Document) -> Table | None:
    """Return what the site takes from each scarce budget; None where the plan has none.

    What is taken and what is left add up as printed, in the words of the sentence beside them.
    """
    if not document["impact"]:
        return None
    found = [
        (i["title"], *_budget(i), _exceeded(i.get("exceeded")), i.get("text") or "")
        for i in document["impact"]
    ]
    heads = (
        Column("指标", 1.7),
        Column("占用", 1.35, "right"),
        Column("占用前余量", 1.55, "right"),
        Column("占用后余量", 1.55, "right"),
        Column("是否超出", 1.1, "center"),
        Column("说明", 4.3),
    )
    return Table("指标占用表", heads, rows(found), dense=True)


def _budget(impact: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return what is taken, what was left before and what is left after, each with its unit."""
    taken = impact["area_m2"]
    before, after = impact.get("free_before_m2"), impact.get("free_after_m2")
    if taken is None:
        return "未知", _amount(before), _amount(after)
    if not taken or before is None or after is None or impact.get("shortfall_m2"):
        return "0" if not taken else amount(taken), _amount(before), _amount(after)
    return amount(taken), *summed(taken, after)


def _amount(area_m2: float | None) -> str:
    return "—" if area_m2 is None else amount(area_m2)


def _exceeded(value: bool | None) -> Cell:
    if value is None:
        return Cell("未知", bold=True)
    return Cell("超出", verdict=Verdict.FAIL.value) if value else Cell("未超出")


def source_table(document: Document, plan: Plan) -> Table:
    """Return every layer with date, status and whether it could answer; what could not first."""
    ordered = sorted(document["layers"], key=lambda row: row["state"] == "checked")
    found = [_source_row(row, plan) for row in ordered]
    heads = (
        Column("图层", 2.3),
        Column("数据年度", 1.15, "center"),
        Column("性质", 0.8, "center"),
        Column("检查情况", 1.6),
        Column("来源", 3.2),
        Column("校验（前 12 位）", 1.7),
    )
    return Table("数据来源表", heads, rows(found), dense=True)


def _source_row(layer: Mapping[str, Any], plan: Plan) -> tuple[object, ...]:
    told = layer_row(layer)
    known = plan.layers.get(layer["id"])
    state = told["word"] + (f"（{told['uncovered']}）" if told["uncovered"] else "")
    if told["changing"]:
        state += "；修改中"
    source = (known.info.source if known else "") or "—"
    return (
        layer["title"],
        layer["vintage"] or "未注明",
        STATUS_LABELS.get(layer["status"], layer["status"]),
        Cell(state, bold=not told["checked"]),
        source,
        (layer["content_sha256"] or "—")[:12],
    )


def open_table(document: Document) -> Table | None:
    """Return what was not decided: rules to be verified, layers without data, topics left out."""
    found: list[Sequence[object]] = [
        ("规则需核实", f["title"], f["reason"])
        for f in document["findings"]
        if f["verdict"] == Verdict.UNDETERMINED
    ]
    for row in map(layer_row, document["layers"]):
        if not row["checked"]:
            why = row["why"] or (f"未覆盖地块的 {row['uncovered']}" if row["uncovered"] else "")
            found.append((f"图层{row['word']}", row["title"], why))
    found += [("不在检查范围", o["topic"], o["reason"]) for o in document["out_of_scope"]]
    if not found:
        return None
    heads = (Column("类别", 1.3), Column("事项", 2.4), Column("原因", 5.0))
    return Table("未检查和未定事项", heads, rows(found), dense=True)


def gist_table(document: Document, most: int) -> Table | None:
    """Return the worst findings in one line each, for the first page; None when all is clear."""
    found = open_findings(document)
    if not found:
        return None
    told = [
        (n, f["title"], verdict_cell(f["verdict"]), measure_text(f.get("measure")) or "—")
        for n, f in enumerate(found[:most], start=1)
    ]
    heads = (
        Column("序号", 0.5, "center"),
        Column("需要处理的事项", 3.4),
        Column("结论", 1.1, "center"),
        Column("实测", 3.4),
    )
    left = len(found) - len(told)
    note = f"其余 {left} 项见第三部分。" if left else "要求、依据和处理办法见第三部分。"
    return Table("需要处理的事项一览", heads, rows(told), note=note, dense=True)


def quiet_rules(document: Document) -> str:
    """Return the titles of the rules that do not apply, as one text."""
    idle = [f["title"] for f in document["findings"] if f["verdict"] == Verdict.NOT_APPLICABLE]
    return "、".join(idle)


def open_findings(document: Document) -> list[Mapping[str, Any]]:
    """Return the findings that need work, worst first as in the document."""
    return [f for f in document["findings"] if verdict_of(f["verdict"]) not in _QUIET]
