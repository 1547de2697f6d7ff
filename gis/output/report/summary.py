"""What does the summary of many sites say? From the table of ``check_sites``, judged nothing anew.

How many with which verdict, which rules stand in the way, which rows could not be judged, where
all of them lie, and one line for each site.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from gis.errors import ClaimError, NotFoundError
from gis.model import Verdict
from gis.output.drawing import Frame
from gis.output.maps import style
from gis.output.maps.card import status_mark, verdict_of
from gis.output.report.blocks import (
    Block,
    Cell,
    Column,
    Conclusion,
    Figure,
    Heading,
    Paragraph,
    Report,
    Signatures,
    Table,
    rows,
)
from gis.output.report.figure import Painter
from gis.output.report.sheet import Layout, LegendRow, look_attributes, sheet, window
from gis.rulebook.land_classes import use_label
from gis.units import m2_to_ha, m2_to_mu, round_parts

if TYPE_CHECKING:
    from gis.plan.area import Plan

TITLE = "地块批量检测汇总报告"
# More sites are handed on as a table; a list on paper of so many is read by nobody.
MOST_SITES = 1000
_COLUMNS = ("row", "name", "verdict", "deciding_rule", "reason", "use", "area_m2", "mu")
_MAP = Layout(166.0, 112.0)
_LEAST_PX = 14.0
_CROWD = 300


def summary_content(
    frame: Any, plan: Plan, *, name: str = "", as_of: date | None = None, ceiling: str = "public"
) -> Report:
    """Return the summary of a set of sites as plain data.

    Parameters
    ----------
    frame
        The result of ``gis.check_sites``, or a slice of it.
    plan
        The plan that they were checked against.
    name
        What the set is called; default the file names in it.
    as_of
        The day of the law, printed when given.
    ceiling
        Highest secrecy whose coordinates may leave: public, internal or restricted.

    Raises
    ------
    ClaimError
        The table is not one of ``check_sites``.
    """
    missing = [c for c in (*_COLUMNS, "problem", "problem_code") if c not in frame.columns]
    if missing:
        raise ClaimError(
            f"表中缺少列 {'、'.join(missing)}", expected="gis.check_sites 或 wuqu batch 的结果"
        )
    files = [str(f) for f in frame["file"].dropna().unique()] if "file" in frame.columns else []
    mark = status_mark(plan.ref.status, plan.ref.status_note)
    day = f"，法规时点 {as_of.isoformat()}" if as_of else ""
    writer = _Summary(frame, plan, ceiling)
    return Report(
        title=TITLE,
        subtitle=name or "、".join(files[:3]) + (f" 等 {len(files)} 个文件" if files[3:] else ""),
        mark=f"{mark['word']}｜{mark['text']}" if mark["word"] else "",
        running=f"{plan.ref.title} {plan.ref.version}{day}",
        code="",
        blocks=tuple(writer.blocks()),
        date=as_of.isoformat() if as_of else "",
    )


@dataclass(frozen=True, eq=False)
class _Summary:
    """The parts of one summary."""

    frame: Any
    plan: Plan
    ceiling: str

    def blocks(self) -> Iterator[Block]:
        """Yield everything, numbered."""
        count = 0
        for block in self._all():
            if isinstance(block, Table):
                count += 1
                block = replace(block, caption=f"表 {count}　{block.caption}")
            yield block

    def _all(self) -> Iterator[Block]:
        yield self._conclusion()
        if self.plan.ref.status_note:
            yield Paragraph(self.plan.ref.status_note, "warning")
        yield Heading("一、结论汇总")
        yield self._by_verdict()
        yield Heading("二、主要问题")
        yield from self._by_rule()
        yield from self._unjudged()
        figure = self._map()
        if figure:
            yield Heading("三、地块分布")
            yield figure
        yield Heading("四、地块清单" if figure else "三、地块清单")
        yield self._list()
        left = len(self.frame) - MOST_SITES
        if left > 0:
            yield Paragraph(f"其余 {left:,} 个地块未列出，见结果表。", "note")
        yield Paragraph(
            "每个地块只列起决定作用的规则；其余规则、依据和处理办法见各地块的审查报告。", "note"
        )
        yield Signatures(("编制", "校核", "审核", "单位（盖章）"))

    @property
    def _judged(self) -> Any:
        return self.frame[self.frame["verdict"].notna()]

    def _conclusion(self) -> Conclusion:
        judged = self._judged
        found = [verdict_of(v) for v in judged["verdict"]]
        clear = sum(v in {Verdict.PASS, Verdict.CONDITIONAL} for v in found)
        sentence = (
            f"{len(self.frame):,} 个地块中，{clear:,} 个符合或有条件符合，"
            f"{len(found) - clear:,} 个不符合或需核实"
        )
        bad = len(self.frame) - len(found)
        sentence += f"，{bad:,} 个无法判定。" if bad else "。"
        area = float(math.fsum(judged["area_m2"]))
        facts = (("合计面积", f"{m2_to_mu(area):,.2f} 亩，合 {m2_to_ha(area):,.2f} 公顷"),)
        counts = tuple(
            Cell(f"{v.label} {found.count(v):,} 个", verdict=v.value)
            for v in sorted(Verdict, key=lambda v: -v.rank)
            if v in found
        )
        return Conclusion("", f"共 {len(self.frame):,} 个地块", sentence, facts, counts)

    def _by_verdict(self) -> Table:
        judged = self._judged
        groups = [
            (v, judged[judged["verdict"] == v.value]["area_m2"].tolist())
            for v in sorted(Verdict, key=lambda v: -v.rank)
            if v is not Verdict.NOT_APPLICABLE
        ]
        sums = [math.fsum(own) for _, own in groups]
        found = [
            (Cell(v.label, verdict=v.value), f"{len(own):,}", *numbers)
            for (v, own), numbers in zip(groups, _numbers(sums), strict=True)
        ]
        total = ("合计", f"{len(judged):,}", *_total(math.fsum(sums)))
        heads = (
            Column("结论", 1.6),
            Column("地块数", 1.0, "right"),
            Column("面积（亩）", 1.6, "right"),
            Column("面积（公顷）", 1.6, "right"),
            Column("占总面积", 1.1, "right"),
        )
        return Table("按结论汇总", heads, rows([*found, total]), totals=1)

    def _by_rule(self) -> Iterator[Block]:
        judged = self._judged
        open_rows = judged[judged["deciding_rule"].notna()]
        if not len(open_rows):
            yield Paragraph("没有地块存在需要处理的问题。")
            return
        found = []
        for (rule, verdict), part in open_rows.groupby(["deciding_rule", "verdict"], sort=True):
            area = math.fsum(part["area_m2"])
            rank = (-verdict_of(verdict).rank, -len(part), str(rule))
            word = Cell(verdict_of(verdict).label, verdict=str(verdict))
            found.append((rank, (self._title(rule), word, f"{len(part):,}", _mu(area))))
        heads = (
            Column("决定性规则", 4.2),
            Column("结论", 1.4, "center"),
            Column("地块数", 1.0, "right"),
            Column("地块面积（亩）", 1.6, "right"),
        )
        ordered = [row for _, row in sorted(found, key=lambda pair: pair[0])]
        yield Table("按问题汇总", heads, rows(ordered))

    def _unjudged(self) -> Iterator[Block]:
        bad = self.frame[self.frame["verdict"].isna()]
        if len(bad):
            heads = (
                Column("行号", 0.7, "right"),
                Column("名称", 1.8),
                Column("原因", 5.5),
            )
            told = bad.head(MOST_SITES)[["row", "name", "problem"]].itertuples(index=False)
            yield Table("无法判定的地块", heads, rows(_texts(row) for row in told), dense=True)

    def _title(self, rule: object) -> str:
        try:
            return self.plan.rulebook.rule(str(rule)).title
        except NotFoundError:  # a table of an earlier version of the book
            return str(rule)

    def _list(self) -> Table:
        found = [self._line(row) for row in self.frame.head(MOST_SITES).to_dict("records")]
        heads = (
            Column("行号", 0.65, "right"),
            Column("名称", 2.0),
            Column("用途", 1.6),
            Column("面积（亩）", 1.1, "right"),
            Column("结论", 1.15, "center"),
            Column("决定性规则与理由", 4.2),
        )
        return Table("地块清单", heads, rows(found), dense=True)

    def _line(self, row: dict[str, Any]) -> Sequence[object]:
        if not isinstance(row["verdict"], str):
            return (row["row"], _text(row["name"]), "—", "—", Cell("无法判定", bold=True), "—")
        verdict = verdict_of(row["verdict"])
        rule = _text(row["deciding_rule"])
        why = "：".join(filter(None, (self._title(rule) if rule else "", _text(row["reason"]))))
        use = use_label(_text(row["use"]) or None)
        word = Cell(verdict.label, verdict=verdict.value)
        return (row["row"], _text(row["name"]), use, f"{row['mu']:,.2f}", word, why or "—")

    # --- where they lie ---

    def _map(self) -> Figure | None:
        if "geometry" not in self.frame.columns:
            return None
        judged = self._judged
        judged = judged[judged.geometry.notna()]
        if not len(judged):
            return None
        painter = Painter(self.plan, self.ceiling)
        shapes = judged.geometry.to_numpy()
        bounds = shapely.total_bounds(shapes)
        if painter.layers(["planning_area"]):
            bounds = shapely.total_bounds([painter.whole, shapely.box(*bounds)])
        frame, scale = window(tuple(bounds), _MAP, 0.03)
        base = painter.layers(("zone", "planning_area", "water", "road"))
        paths, _ = painter.paint(frame, base, least_road=2.0)
        pale = [f'<g opacity=".35">{"".join(paths)}</g>']
        keys: list[LegendRow] = []
        marks: list[str] = []
        for verdict in sorted(Verdict, key=lambda v: v.rank):
            own = shapes[(judged["verdict"] == verdict.value).to_numpy()]
            if len(own):
                keys.append(LegendRow(verdict.label, _look(verdict), "point"))
                marks += _marks(frame, own, verdict)
        svg = sheet(_MAP, [*pale, *marks], keys[::-1], frame, scale, self._notes())
        return Figure("图 1　地块分布和结论", svg, _MAP.width_mm, _MAP.height_mm)

    def _notes(self) -> list[str]:
        notes = [f"EPSG:{self.plan.work_epsg}"]
        if self.plan.ref.status != "approved":
            notes.insert(0, f"{self.plan.status_label}图，非法定成果")
        return notes


def _marks(frame: Frame, shapes: Any, verdict: Verdict) -> Iterator[str]:
    """Yield outlines, and discs where an outline would be too small; equal places are drawn once.

    So the drawing of a hundred thousand sites is no larger than its paper.
    """
    west, south, east, north = shapely.bounds(shapes).T
    large = np.maximum(east - west, north - south) * frame.per_m > _LEAST_PX
    for shape in shapes[large]:
        yield f'<path d="{frame.data(shape)}" {look_attributes(_look(verdict))}/>'
    middles = shapely.get_coordinates(shapely.centroid(shapes[~large]))
    places = {tuple(map(round, frame.place(x, y))) for x, y in middles}
    if places:
        # A white edge tells few discs apart; of many it would leave nothing but white.
        crowded = len(places) > _CROWD
        r = 1 if crowded else 4
        ring = f"a{r} {r} 0 1 0 {2 * r} 0a{r} {r} 0 1 0 {-2 * r} 0Z"
        dots = "".join(f"M{x - r} {y}{ring}" for x, y in sorted(places))
        edge = "none" if crowded else "#fff"
        colour = style.VERDICTS[verdict].colour
        yield f'<path class="sites" d="{dots}" fill="{colour}" stroke="{edge}"/>'


def _look(verdict: Verdict) -> style.Look:
    colour = style.VERDICTS[verdict].colour
    return style.Look(colour, 1.6, fill=colour, fill_opacity=0.45)


def _numbers(areas: Sequence[float]) -> list[tuple[str, str, str]]:
    """Return mu, hectares and share of each area, so that the printed ones add up."""
    whole = math.fsum(areas)
    acres = round_parts([m2_to_mu(a) for a in areas], 2, whole=m2_to_mu(whole))
    hectares = round_parts([m2_to_ha(a) for a in areas], 4, whole=m2_to_ha(whole))
    shares = round_parts([100 * a / whole if whole else 0.0 for a in areas], 2)
    return [
        (f"{mu:,.2f}", f"{ha:,.4f}", f"{share:.2f}%")
        for mu, ha, share in zip(acres, hectares, shares, strict=True)
    ]


def _total(whole: float) -> tuple[str, str, str]:
    return f"{m2_to_mu(whole):,.2f}", f"{m2_to_ha(whole):,.4f}", "100.00%" if whole else "0.00%"


def _mu(area_m2: float) -> str:
    return f"{m2_to_mu(area_m2):,.2f}"


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(values: Sequence[object]) -> tuple[str, ...]:
    return tuple("" if value is None else str(value) for value in values)
