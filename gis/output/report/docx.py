"""How does a report become a DOCX that an office can edit? By python-docx, block by block.

Every style names its East Asian font, so that Word never falls back to one of its own; drawings
are pictures of the same SVG that the PDF prints. Equal reports give equal bytes.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from gis.model import Verdict
from gis.output.maps import style
from gis.output.maps.card import verdict_of
from gis.output.report import blocks as parts
from gis.output.report.blocks import Block, Cell, Figure, Item, Report, printed
from gis.output.report.extra import needed
from gis.output.report.pack import repacked
from gis.output.report.pdf import pictures

LATIN, EAST_ASIAN = "Arial", "微软雅黑"
_PAGE_MM, _MARGIN_MM = (210, 297), 22
_WIDTH_MM = _PAGE_MM[0] - 2 * _MARGIN_MM
_INK, _SOFT, _BRAND = "1C2733", "5B6770", "14365F"
_TINT, _RULE = "F1F4F6", "C9D0D6"
_STAMP = datetime(2000, 1, 1)


def docx_bytes(report: Report) -> bytes:
    """Return a report as DOCX; raise ExtraError without the extra."""
    writer = _Writer(printed(report))
    return writer.written()


class _Writer:
    """Writes one report into one document."""

    def __init__(self, report: Report) -> None:
        self._api = needed("docx")
        self._shared = needed("docx.shared")
        self._report = report
        self._doc = self._api.Document()
        figures = [f for block in report.blocks for f in _figures(block)]
        self._pictures: Iterator[bytes] = iter(pictures(figures))

    def written(self) -> bytes:
        """Return the bytes of the document."""
        self._set_page()
        self._set_styles()
        self._paragraph(self._report.title, "Title")
        self._paragraph(self._report.subtitle, "Subtitle")
        writers: dict[str, Callable[[Any], None]] = {
            "heading": self._heading, "paragraph": self._text, "facts": self._facts,
            "table": self._table, "figure": self._figure, "points": self._points,
            "conclusion": self._conclusion, "item": self._item, "signatures": self._signatures,
        }  # fmt: skip
        for block in self._report.blocks:
            writers[block.kind](block)
        core = self._doc.core_properties
        core.title = f"{self._report.title} {self._report.subtitle}"
        core.author = core.last_modified_by = "wuqu"
        core.created = core.modified = _STAMP
        core.comments = ""
        out = io.BytesIO()
        self._doc.save(out)
        return repacked(out.getvalue())

    # --- page and styles ---

    def _set_page(self) -> None:
        mm = self._shared.Mm
        section = self._doc.sections[0]
        section.page_width, section.page_height = mm(_PAGE_MM[0]), mm(_PAGE_MM[1])
        section.left_margin = section.right_margin = mm(_MARGIN_MM)
        section.top_margin, section.bottom_margin = mm(24), mm(21)
        for name in ("Header", "Footer"):
            stops = self._doc.styles[name].paragraph_format.tab_stops
            stops.clear_all()
            stops.add_tab_stop(mm(_WIDTH_MM), self._api.enum.text.WD_TAB_ALIGNMENT.RIGHT)
        head = section.header.paragraphs[0]
        self._run(head, f"{self._report.title}\t", size=8, colour=_SOFT)
        self._run(head, self._report.mark, size=8, colour="B3261E", bold=True)
        foot = section.footer.paragraphs[0]
        code = f"，校验码 {self._report.code}" if self._report.code else ""
        self._run(foot, f"{self._report.running}{code}\t第 ", size=8, colour=_SOFT)
        self._field(foot, "PAGE")
        self._run(foot, " 页，共 ", size=8, colour=_SOFT)
        self._field(foot, "NUMPAGES")
        self._run(foot, " 页", size=8, colour=_SOFT)

    def _field(self, paragraph: Any, name: str) -> None:
        """Add a number that the office program works out; each part is a run of its own."""
        for kind in ("begin", "order", "separate", "result", "end"):
            run = self._run(paragraph, "1" if kind == "result" else "", size=8, colour=_SOFT)
            if kind == "order":
                order = self._element("w:instrText", {"xml:space": "preserve"})
                order.text = f" {name} "
                run._r.append(order)
            elif kind != "result":
                run._r.append(self._element("w:fldChar", {"w:fldCharType": kind}))

    def _set_styles(self) -> None:
        for one in self._doc.styles:
            if getattr(one, "font", None) is not None:
                self._letters(one.element.get_or_add_rPr())
        self._set_language()
        sizes = {
            "Normal": (9.5, _INK, False), "Title": (20, _BRAND, True),
            "Subtitle": (13, _INK, False), "Heading 1": (14, _BRAND, True),
            "Heading 2": (11, _INK, True), "Caption": (9, _INK, True),
        }  # fmt: skip
        for name, (size, colour, bold) in sizes.items():
            font = self._doc.styles[name].font
            font.size, font.bold, font.italic = self._shared.Pt(size), bold, False
            font.color.rgb = self._shared.RGBColor.from_string(colour)
        title = self._doc.styles["Title"].paragraph_format
        title.space_after = self._shared.Pt(4)
        self._doc.styles["Subtitle"].paragraph_format.space_after = self._shared.Pt(4)
        normal = self._doc.styles["Normal"].paragraph_format
        normal.space_after, normal.line_spacing = self._shared.Pt(4), 1.25

    def _letters(self, properties: Any) -> None:
        """Name the fonts of a run or style; a theme font would win over ``w:eastAsia``."""
        fonts = properties.get_or_add_rFonts()
        for key in list(fonts.attrib):
            del fonts.attrib[key]
        names = {"ascii": LATIN, "hAnsi": LATIN, "cs": LATIN, "eastAsia": EAST_ASIAN}
        qualified = needed("docx.oxml.ns").qn
        for key, value in names.items():
            fonts.set(qualified(f"w:{key}"), value)

    def _set_language(self) -> None:
        """Say that the text is Chinese: commas of Taiwan stand in the middle of their square."""
        qualified = needed("docx.oxml.ns").qn
        for found in self._doc.styles.element.iter(qualified("w:lang")):
            found.set(qualified("w:eastAsia"), "zh-CN")

    def _element(self, tag: str, attributes: dict[str, str]) -> Any:
        qualified = needed("docx.oxml.ns").qn
        made = needed("docx.oxml").OxmlElement(tag)
        for key, value in attributes.items():
            made.set(qualified(key), value)
        return made

    # --- words ---

    def _paragraph(self, text: str, style_name: str = "Normal", into: Any = None) -> Any:
        made = (into or self._doc).add_paragraph(style=self._doc.styles[style_name])
        self._run(made, text)
        return made

    def _run(
        self,
        paragraph: Any,
        text: str,
        *,
        size: float | None = None,
        colour: str = "",
        bold: bool | None = None,
    ) -> Any:
        made = paragraph.add_run(text)
        self._letters(made._r.get_or_add_rPr())
        if size:
            made.font.size = self._shared.Pt(size)
        if colour:
            made.font.color.rgb = self._shared.RGBColor.from_string(colour)
        if bold is not None:
            made.font.bold = bold
        return made

    def _heading(self, block: parts.Heading) -> None:
        made = self._paragraph(block.text, f"Heading {block.level}")
        made.paragraph_format.page_break_before = block.fresh
        made.paragraph_format.keep_with_next = True

    def _text(self, block: parts.Paragraph) -> None:
        made = self._doc.add_paragraph()
        small = {"note": 8.0, "warning": 9.5}.get(block.style)
        colour = {"note": _SOFT, "warning": "8A6100"}.get(block.style, "")
        self._run(made, block.text, size=small, colour=colour)

    def _points(self, block: parts.Points) -> None:
        for item in block.items:
            self._paragraph(item, "List Bullet")

    # --- tables ---

    def _grid(self, count: int, widths_mm: Sequence[float]) -> Any:
        made = self._doc.add_table(rows=0, cols=count)
        made.autofit = False
        made.alignment = 1  # else the text of its cells, not its border, stands at the margin
        made.style = self._doc.styles["Table Grid"]
        for column, width in zip(made.columns, widths_mm, strict=True):
            column.width = self._shared.Mm(width)
        self._borders(made)
        return made

    def _borders(self, table: Any) -> None:
        sides = self._element("w:tblBorders", {})
        for side in ("top", "left", "bottom", "right", "insideH", "insideV"):
            sides.append(
                self._element(
                    f"w:{side}", {"w:val": "single", "w:sz": "4", "w:color": _RULE, "w:space": "0"}
                )
            )
        table._tbl.tblPr.append(sides)
        inner = self._element("w:tblCellMar", {})
        for side, twips in (("top", "15"), ("left", "70"), ("bottom", "15"), ("right", "70")):
            inner.append(self._element(f"w:{side}", {"w:w": twips, "w:type": "dxa"}))
        table._tbl.tblPr.append(inner)

    def _row(self, table: Any, widths_mm: Sequence[float], *, head: bool = False) -> list[Any]:
        row = table.add_row()
        properties = row._tr.get_or_add_trPr()
        properties.append(self._element("w:cantSplit", {}))
        if head:
            properties.append(self._element("w:tblHeader", {}))
        for cell, width in zip(row.cells, widths_mm, strict=True):
            cell.width = self._shared.Mm(width)
        return list(row.cells)

    def _fill(self, cell: Any, colour: str) -> None:
        shade = {"w:val": "clear", "w:color": "auto", "w:fill": colour.lstrip("#")}
        cell._tc.get_or_add_tcPr().append(self._element("w:shd", shade))

    def _say(
        self, cell: Any, text: str, *, size: float, colour: str = "", bold: bool = False,
        align: str = "left",
    ) -> None:  # fmt: skip
        paragraph = cell.paragraphs[0]
        paragraph.paragraph_format.space_after = self._shared.Pt(0)
        paragraph.paragraph_format.line_spacing = 1.0
        paragraph.alignment = {"left": 0, "center": 1, "right": 2}[align]
        self._run(paragraph, text, size=size, colour=colour, bold=bold)

    def _table(self, block: parts.Table) -> None:
        caption = self._paragraph(block.caption, "Caption")
        caption.alignment, caption.paragraph_format.keep_with_next = 1, True
        widths = _shares([c.width for c in block.columns])
        size = 7.5 if block.dense else 8.5
        made = self._grid(len(widths), widths)
        for cell, column in zip(self._row(made, widths, head=True), block.columns, strict=True):
            self._fill(cell, _TINT)
            self._say(cell, column.head, size=size, bold=True, align="center")
        first_total = len(block.rows) - block.totals
        for n, row in enumerate(block.rows):
            cells = self._row(made, widths)
            for cell, column, value in zip(cells, block.columns, row, strict=True):
                self._value(cell, value, size, column.align, bold=n >= first_total)
        self._paragraph_small(block.note)

    def _value(self, cell: Any, value: Cell, size: float, align: str, *, bold: bool) -> None:
        colour = _colour(value.verdict) if value.verdict else ""
        strong = bold or value.bold or bool(value.verdict)
        self._say(cell, value.text, size=size, colour=colour, bold=strong, align=align)

    def _paragraph_small(self, text: str) -> None:
        made = self._doc.add_paragraph()
        made.paragraph_format.space_after = self._shared.Pt(2)
        self._run(made, text, size=7.5, colour=_SOFT)

    def _facts(self, block: parts.Facts) -> None:
        self._pairs(block.rows, 9.0)
        self._paragraph_small("")

    def _pairs(self, pairs: Iterable[tuple[str, str]], size: float, tint: str = "") -> None:
        widths = (28.0, _WIDTH_MM - 28.0)
        made = self._grid(2, widths)
        for name, text in pairs:
            first, second = self._row(made, widths)
            self._say(first, name, size=size, colour=_SOFT)
            self._say(second, text, size=size)
            if tint:
                self._fill(first, tint)
                self._fill(second, tint)

    # --- what is put together ---

    def _conclusion(self, block: parts.Conclusion) -> None:
        look = style.VERDICTS[verdict_of(block.verdict)]
        made = self._grid(1, (_WIDTH_MM,))
        (cell,) = self._row(made, (_WIDTH_MM,))
        self._fill(cell, look.tint)
        self._say(cell, block.label, size=20, colour=_colour(block.verdict), bold=True)
        self._run(cell.add_paragraph(), block.sentence, size=11.5, bold=True)
        counts = cell.add_paragraph()
        for one in block.counts:
            self._run(counts, f"{one.text}　", size=9, colour=_colour(one.verdict), bold=True)
        self._pairs(block.facts, 9.0, look.tint)
        self._paragraph_small("")

    def _item(self, block: Item) -> None:
        """Write one finding: its drawing beside the first facts, the others below."""
        look = style.VERDICTS[verdict_of(block.verdict)]
        picture_mm = block.figure.width_mm + 3 if block.figure else 0.0
        widths = [20.0, _WIDTH_MM - 20.0 - picture_mm]
        widths += [picture_mm] if block.figure else []
        made = self._grid(len(widths), widths)
        cells = self._row(made, widths)
        head = cells[0].merge(cells[-1])
        self._fill(head, look.tint)
        self._say(head, f"{block.number}. {block.title}　", size=10, bold=True)
        first = head.paragraphs[0]
        self._run(first, block.label, size=10, colour=_colour(block.verdict), bold=True)
        first.paragraph_format.keep_with_next = True
        for n, (name, text) in enumerate(block.facts):
            cells = self._row(made, widths)
            self._say(cells[0], name, size=8.5, colour=_SOFT)
            words = cells[1].merge(cells[2]) if block.figure and n >= block.beside else cells[1]
            self._say(words, text, size=8.5)
            cells[0].paragraphs[0].paragraph_format.keep_with_next = n < len(block.facts) - 1
        if block.figure:
            place = made.cell(1, 2).merge(made.cell(block.beside, 2))
            self._picture(block.figure, place.paragraphs[0])
        self._paragraph_small("")

    def _figure(self, block: Figure) -> None:
        self._picture(block)
        caption = self._paragraph(block.caption, "Caption")
        caption.alignment = 1

    def _picture(self, figure: Figure, into: Any = None) -> None:
        made = into if into is not None else self._doc.add_paragraph()
        made.alignment = 1
        made.paragraph_format.keep_with_next = into is None
        image = io.BytesIO(next(self._pictures))
        shape = made.add_run().add_picture(image, width=self._shared.Mm(figure.width_mm))
        shape._inline.docPr.set("descr", figure.caption)

    def _signatures(self, block: parts.Signatures) -> None:
        for name in block.names:
            made = self._paragraph(f"{name}：＿＿＿＿＿＿＿＿＿＿＿＿　　　　年　　月　　日")
            made.paragraph_format.space_before = self._shared.Pt(14)


def _figures(block: Block) -> Iterator[Figure]:
    if isinstance(block, Figure):
        yield block
    elif isinstance(block, Item) and block.figure:
        yield block.figure


def _shares(parts_of_width: Sequence[float]) -> list[float]:
    whole = sum(parts_of_width)
    return [_WIDTH_MM * part / whole for part in parts_of_width]


def _colour(verdict: str) -> str:
    known = verdict_of(verdict) if verdict else Verdict.NOT_APPLICABLE
    return style.VERDICTS[known].colour.lstrip("#").upper()
