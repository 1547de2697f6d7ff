"""What does the report of one site say, and in which order?

The eight parts of a 规划选址论证报告 by its usual outline, with the conclusion in front: overview,
conditions, compliance, reasonableness, economy of land, conclusions, annexes, drawings. Formats
the JSON document of a check and draws its maps; nothing is measured or judged here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from shapely.geometry.base import BaseGeometry

from gis.canonical import deciding_finding, traced_mark
from gis.model import Verdict, citation
from gis.output.export import without_geometry_of
from gis.output.maps.card import status_mark, verdict_of
from gis.output.maps.pages import basemap_note
from gis.output.maps.site_card import area_view, claim_row, measure_text, site_sentence
from gis.output.maps.visible import absences, secret_layers
from gis.output.report import tables
from gis.output.report.blocks import (
    Block,
    Cell,
    Column,
    Conclusion,
    Facts,
    Figure,
    Heading,
    Item,
    Paragraph,
    Points,
    Report,
    Signatures,
    Table,
    rows,
)
from gis.output.report.boundary import boundary_table
from gis.output.report.figure import Painter, SiteMaps
from gis.rulebook.land_classes import use_label

if TYPE_CHECKING:
    from gis.plan.area import Plan

TITLE = "建设项目选址合规性审查报告"
_ORIGINS = {"statute": "法律法规", "plan": "规划要求", "assumption": "假定条件，仅供参考"}
_OUTLINES = {"trim": "裁减方案", "shift": "平移方案"}
# Room beside the drawing of a finding, as the template sets it.
_BESIDE_LINES, _BESIDE_CHARACTERS = 15, 25
_MOST_GISTS = 6
_DISCLAIMER = (
    "本报告由软件按所列图层和规则库自动编制，体例参照规划选址论证报告的通用提纲，供审查人员参考；"
    "不代替自然资源主管部门的行政审批意见。申报属性由申请人填报，未经核实。"
)


def site_content(
    document: Mapping[str, Any],
    plan: Plan,
    *,
    ceiling: str = "public",
    geometry: BaseGeometry | None = None,
    manual: Sequence[str] = (),
) -> Report:
    """Return the report of one check as plain data.

    Parameters
    ----------
    document
        The JSON document of a check, fresh or from a record.
    plan
        The plan that the maps are drawn from, in whose work CRS the boundary points stand.
    ceiling
        Highest secrecy whose coordinates may leave: public, internal or restricted.
    geometry
        The site in the work CRS; without it the outline of the document, which is exact to 0.1 mm.
    manual
        What officers decided beside the computed verdict, a sentence each.
    """
    shown = without_geometry_of(document, secret_layers(document, plan, ceiling))
    maps = SiteMaps(Painter(plan, ceiling), shown)
    outline = geometry if geometry is not None else maps.site
    writer = _Writer(shown, plan, maps, ceiling, outline, tuple(manual))
    ref = document["plan"]
    mark = status_mark(ref["status"], ref["status_note"])
    return Report(
        title=TITLE,
        subtitle=str(document["site"]["name"]),
        mark=f"{mark['word']}｜{mark['text']}" if mark["word"] else "",
        running=f"{ref['title']} {ref['version']}，法规时点 {document['as_of']}",
        code=str(document["digest"])[:16],
        blocks=tuple(writer.blocks()),
        date=str(document["as_of"]),
    )


@dataclass(frozen=True, eq=False)
class _Writer:
    """The chapters of one report; figures and tables are numbered in the order of the paper."""

    document: Mapping[str, Any]
    plan: Plan
    maps: SiteMaps
    ceiling: str
    outline: BaseGeometry | None
    manual: tuple[str, ...] = ()

    def blocks(self) -> Iterator[Block]:
        """Yield everything, numbered."""
        figures = numbered = 0
        for block in self._all():
            if isinstance(block, Figure):
                figures += 1
                yield _numbered(block, f"图 {figures}")
            elif isinstance(block, Table):
                numbered += 1
                yield _numbered(block, f"表 {numbered}")
            else:
                yield block

    def _all(self) -> Iterator[Block]:
        yield from self._front()
        yield from self._overview()
        yield from self._conditions()
        yield from self._compliance()
        yield from self._land()
        yield from self._economy()
        yield from self._conclusions()
        yield from self._annexes()
        yield from self._drawings()

    # --- in front: the conclusion ---

    def _front(self) -> Iterator[Block]:
        doc = self.document
        deciding = deciding_finding(doc)
        area = area_view(doc["site"]["area"])
        facts = [("地块面积", f"{area['mu']} 亩，合 {area['ha']} 公顷（{area['m2']} m²）")]
        if deciding:
            facts += [
                ("决定性规则", str(deciding["title"])),
                ("实测", measure_text(deciding.get("measure")) or "—"),
                ("依据", "；".join(citation(b) for b in deciding["basis"]) or "—"),
                ("主管部门", deciding["office"] or "—"),
            ]
        verdict = verdict_of(doc["verdict"])
        yield Conclusion(
            verdict.value, verdict.label, site_sentence(doc), tuple(facts), tuple(self._counts())
        )
        yield from (Paragraph(text, "warning") for text in self.manual)
        if doc["plan"]["status_note"]:
            yield Paragraph(doc["plan"]["status_note"], "warning")
        overview = self.maps.overview("地块在规划范围中的位置")
        if overview:
            yield overview
        gist = tables.gist_table(doc, _MOST_GISTS)
        if gist:
            yield gist

    def _counts(self) -> Iterator[Cell]:
        for verdict in sorted(Verdict, key=lambda v: -v.rank):
            count = sum(f["verdict"] == verdict for f in self.document["findings"])
            if count:
                yield Cell(f"{verdict.label} {count} 项", verdict=verdict.value)

    # --- 1 overview ---

    def _overview(self) -> Iterator[Block]:
        doc, site = self.document, self.document["site"]
        area = area_view(site["area"])
        yield Heading("一、项目概况", fresh=True)
        place = [
            str(e["name"] or e["class"])
            for e in doc["evidence"]
            if self._role(e["layer"]) == "district" and (e["name"] or e["class"])
        ]
        grade = traced_mark(doc)
        facts = [
            ("项目名称", str(site["name"])),
            ("拟建用途", use_label(site["claims"].get("use"))),
            ("所在镇街", "、".join(place) or "—"),
            ("椭球面积", f"{area['m2']} m²（{area['mu']} 亩，{area['ha']} 公顷）"),
            ("平面面积", f"{area['planar']} m²（仅供对照）"),
            ("坐标系", f"{site['crs']['source']}，按 {site['crs']['work']} 计算"),
            ("文件校验", f"{site['source']['sha256']}"),
        ]
        if grade:
            facts.append(("坐标精度", grade))
        claims = sorted((k, v) for k, v in site["claims"].items() if k != "use")
        told = [claim_row(key, value) for key, value in claims]
        facts += [(str(row["title"]), str(row["value"])) for row in told]
        yield Facts(tuple(facts))
        remarks = [f"注意：{w['message']}" for w in doc["warnings"]]
        remarks += [f"说明：{n['message']}" for n in site["notes"]]
        if remarks:
            yield Points(tuple(remarks))

    def _role(self, layer_id: str) -> str:
        layer = self.plan.layers.get(layer_id)
        return layer.info.role if layer else ""

    # --- 2 conditions ---

    def _conditions(self) -> Iterator[Block]:
        yield Heading("二、选址条件")
        yield Paragraph("地块与各图层叠加的结果如下；是否允许由第三部分按规则判定。")
        yield tables.evidence_table(self.document)

    # --- 3 compliance ---

    def _compliance(self) -> Iterator[Block]:
        doc = self.document
        yield Heading("三、合法合规性")
        yield Heading("（一）三区三线协调分析", 2)
        yield tables.line_table(doc, self.plan)
        yield Heading("（二）需要处理的事项", 2)
        found = tables.open_findings(doc)
        if not found:
            yield Paragraph("没有需要处理的事项。")
        for number, finding in enumerate(found, start=1):
            yield self._item(number, finding)
        yield Heading("（三）规则审查", 2)
        yield tables.rule_table(doc)
        idle = tables.quiet_rules(doc)
        if idle:
            yield Paragraph(f"不涉及的规则：{idle}。", "note")

    def _item(self, number: int, finding: Mapping[str, Any]) -> Item:
        verdict = verdict_of(finding["verdict"])
        facts = (
            ("要求", str(finding["threshold"])),
            ("实测", measure_text(finding.get("measure"))),
            ("理由", str(finding["reason"])),
            ("依据", tables.basis_text(finding)),
            ("规则来源", _ORIGINS.get(finding["origin"], str(finding["origin"]))),
            ("主管部门", str(finding["office"] or "")),
            ("处理办法", str(finding["remedy"] or "")),
        )
        told = tuple((name, text) for name, text in facts if text)
        figure = self.maps.finding(finding, "涉及范围")
        beside = _fitting([text for _, text in told]) if figure else len(told)
        title = str(finding["title"])
        return Item(str(number), title, verdict.value, verdict.label, told, figure, beside)

    # --- 4 reasonableness, 5 economy ---

    def _land(self) -> Iterator[Block]:
        doc = self.document
        yield Heading("四、选址合理性")
        own = (
            tables.land_table(doc, self.plan, "landuse", "土地利用现状分类面积表"),
            tables.land_table(doc, self.plan, "planned_use", "规划用地分类面积表"),
            tables.breakdown_table(doc),
        )
        if not any(own):
            yield Paragraph("地块所在位置没有现状用地和规划用地数据。")
        yield from (table for table in own if table)

    def _economy(self) -> Iterator[Block]:
        yield Heading("五、节约集约用地")
        table = tables.impact_table(self.document)
        if table is None:
            yield Paragraph("本规划数据包没有设定指标台账，未核算指标占用。")
            return
        yield table

    # --- 6 conclusions ---

    def _conclusions(self) -> Iterator[Block]:
        doc = self.document
        yield Heading("六、结论与建议")
        verdict = verdict_of(doc["verdict"])
        yield Paragraph(f"结论：{verdict.label}。{site_sentence(doc)}")
        parts = iter("一二三")
        plans = [r for r in doc["remedies"] if r.get("kind") in _OUTLINES]
        if plans:
            yield Heading(f"（{next(parts)}）可行的调整方案", 2)
            yield Points(tuple(f"{_OUTLINES[r['kind']]}：{r['text']}" for r in plans))
            figure = self.maps.remedies("可行的调整方案")
            if figure:
                yield figure
        procedures = [r for r in doc["remedies"] if r.get("kind", "procedure") not in _OUTLINES]
        if procedures:
            heads = (
                Column("序号", 0.5, "center"),
                Column("办理事项", 5.6),
                Column("主管部门", 2.4),
            )
            found = [(n, r["text"], r.get("office", "")) for n, r in enumerate(procedures, start=1)]
            yield Heading(f"（{next(parts)}）需要办理的事项", 2)
            yield Table("需要办理的事项", heads, rows(found), dense=True)
        opened = tables.open_table(doc)
        if opened:
            yield Heading(f"（{next(parts)}）未检查和未定事项", 2)
            yield Paragraph("下列事项没有得出结论，不得理解为没有冲突。", "warning")
            yield opened

    # --- 7 annexes ---

    def _annexes(self) -> Iterator[Block]:
        doc = self.document
        yield Heading("七、附件")
        yield Heading("（一）界址点成果", 2)
        if self.outline is None:
            yield Paragraph("检测记录中没有地块图形，界址点未列出。")
        else:
            yield boundary_table(self.outline, self.plan.work_epsg)
        yield Heading("（二）数据来源", 2)
        yield tables.source_table(doc, self.plan)
        hidden = [a for a in absences(self.plan, self.ceiling) if "不公开" in str(a.why)]
        if hidden:
            names = "、".join(str(a.title) for a in hidden)
            yield Paragraph(f"图上不绘的图层（不公开坐标，仍参与检测）：{names}。", "note")
        yield Heading("（三）校验", 2)
        yield Facts(
            (
                ("检测编号", str(doc["id"])),
                ("校验码", str(doc["digest"])),
                ("规则库", f"{doc['rulebook']['id']}"),
                ("规则库校验", str(doc["rulebook"]["sha256"])),
                ("规划版本", f"{doc['plan']['title']} {doc['plan']['version']}"),
                ("法规时点", str(doc["as_of"])),
            )
        )
        yield Paragraph(_DISCLAIMER, "note")
        yield Signatures(("编制", "校核", "审核", "单位（盖章）"))

    # --- 8 drawings ---

    def _drawings(self) -> Iterator[Block]:
        drawn = (
            self.maps.theme("landuse", "土地利用现状套合图"),
            self.maps.theme("planned_use", "规划用地套合图"),
            self.maps.lines("三区三线和控制线套合图"),
            self.maps.theme("zone", "功能分区套合图"),
        )
        if any(drawn):
            yield Heading("八、附图", fresh=True)
            note = basemap_note(self.document, self.plan)
            if note:
                yield Paragraph(note, "warning")
        yield from (figure for figure in drawn if figure)


def _fitting(texts: Sequence[str]) -> int:
    """Return how many of the texts fit beside a drawing; the rest stands below it."""
    used = 0
    for count, text in enumerate(texts):
        used += sum(1 + len(line) // _BESIDE_CHARACTERS for line in text.split("\n"))
        if used > _BESIDE_LINES:
            return max(count, 1)
    return len(texts)


def _numbered(block: Any, number: str) -> Any:
    return replace(block, caption=f"{number}　{block.caption}")
