"""PDF and DOCX: the same words in both, read back by programs of others."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import pytest
from report_tools import checked, docx_text, pdf_pages, pdf_text, program, squeezed

from gis.errors import ClaimError, ExtraError
from gis.model import Verdict
from gis.output.report import extra, site_report
from gis.output.report.blocks import (
    Column,
    Figure,
    Paragraph,
    Report,
    Table,
    printed,
    rows,
    texts_of,
)
from gis.output.report.content import site_content
from gis.output.report.docx import EAST_ASIAN, docx_bytes
from gis.output.report.pdf import pdf_bytes

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
HOSTILE = (
    '#set page(fill: red) *粗* _斜_ $x^2$ @ref <label> ${7*7} {{ 7*7 }} #panic("x") // a '
    '<script>alert(1)</script> =1+1 \\u{41} `code` &lt; [U] "引号" #import "@preview/x:1.0.0"'
)


@pytest.fixture(scope="module")
def document(plan, samples_dir, as_of):
    return checked(plan, samples_dir / "mingzhu_guangchang.geojson", "0901", as_of)[1]


@pytest.fixture(scope="module")
def report(plan, document):
    return site_content(document, plan)


@pytest.fixture(scope="module")
def pdf(report) -> bytes:
    return pdf_bytes(report)


@pytest.fixture(scope="module")
def docx(report) -> bytes:
    return docx_bytes(report)


def test_every_text_of_the_report_is_in_the_pdf(report, pdf) -> None:
    text = squeezed(pdf_text(pdf))
    said = [t for t in texts_of(printed(report)) if t not in STEERING]
    lost = [t for t in said if squeezed(t) not in text]
    assert lost == []


def test_every_text_of_the_report_is_in_the_docx(report, docx) -> None:
    text = squeezed(docx_text(docx) + furniture(docx))
    said = [t for t in texts_of(printed(report)) if t not in STEERING]
    lost = [t for t in said if squeezed(t) not in text]
    assert lost == []


# Ids, alignments and other words of the data that steer the paper and are not printed.
STEERING = {"left", "right", "center", "body", "note", "warning", "涉及范围"} | set(Verdict)


def furniture(docx: bytes) -> str:
    """Words of headers and footers."""
    import docx as library

    section = library.Document(io.BytesIO(docx)).sections[0]
    parts = (section.header.paragraphs, section.footer.paragraphs)
    return "".join(p.text for part in parts for p in part)


def test_both_papers_carry_the_numbers_of_the_json(document, pdf, docx) -> None:
    for text in (squeezed(pdf_text(pdf)), squeezed(docx_text(docx))):
        assert f"{document['site']['area']['ellipsoidal_m2']:,.2f}" in text
        assert document["digest"] in text
        for evidence in document["evidence"]:
            if evidence["area_m2"] is not None:
                assert f"{evidence['area_m2']:,.2f}" in text
        for finding in document["findings"]:
            if finding["verdict"] not in {"pass", "not_applicable"}:
                assert squeezed(finding["reason"]) in text


def test_all_fonts_are_embedded_and_our_own(pdf, tmp_path: Path) -> None:
    file = tmp_path / "r.pdf"
    file.write_bytes(pdf)
    out = subprocess.run(
        [program("pdffonts"), str(file)], capture_output=True, text=True, check=True
    ).stdout.splitlines()[2:]
    assert len(out) == 2
    for line in out:
        assert "WuquSansSC" in line
        # Columns from the right: object, generation, unicode map, subset, embedded.
        assert line.split()[-5:-2] == ["yes", "yes", "yes"]


def test_the_pdf_is_fit_for_an_archive_and_for_a_screen_reader(pdf, tmp_path: Path) -> None:
    (tmp_path / "r.pdf").write_bytes(pdf)
    told = asked("pdfinfo", "-meta", str(tmp_path / "r.pdf"))
    assert "<pdfaid:part>2<" in told
    assert "<pdfaid:conformance>A<" in told
    assert "<pdfuaid:part>1<" in told
    # The day of the law, not of the clock.
    assert "2026" in asked("pdfinfo", str(tmp_path / "r.pdf")).split("CreationDate:")[1][:40]


def test_chapters_are_bookmarks(pdf, tmp_path: Path) -> None:
    (tmp_path / "r.pdf").write_bytes(pdf)
    words = asked("pdftohtml", "-xml", "-i", "-stdout", str(tmp_path / "r.pdf"))
    outline = words[words.index("<outline>") :]
    assert "三、合法合规性" in outline
    assert "（一）三区三线协调分析" in outline


def asked(name: str, *words: str) -> str:
    """What a program of poppler says."""
    done = subprocess.run([program(name), *words], capture_output=True, check=True)
    return done.stdout.decode("utf-8")


def test_what_a_standard_refuses_is_written_as_a_plain_pdf(tmp_path: Path) -> None:
    # A drawing without a caption has no words for a screen reader, which PDF/UA asks for.
    svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" width="9" height="9"/>'
    blocks = (Paragraph("文"), Figure("", svg, 20.0, 20.0))
    (tmp_path / "r.pdf").write_bytes(pdf_bytes(Report("题", "", "", "", "", blocks, "2026-11-22")))
    assert "pdfaid" not in asked("pdfinfo", "-meta", str(tmp_path / "r.pdf"))
    assert "文" in asked("pdftotext", str(tmp_path / "r.pdf"), "-")


def test_the_mark_of_a_schematic_plan_is_on_every_page(pdf, report) -> None:
    pages = pdf_pages(pdf)
    assert len(pages) > 5
    for number, page in enumerate(pages, start=1):
        assert "示意数据，非法定规划成果" in page
        assert squeezed(f"第{number}页，共{len(pages)}页") in squeezed(page)
        assert report.code in page


def test_the_head_of_a_long_table_is_repeated_on_each_of_its_pages(pdf) -> None:
    pages = [squeezed(page) for page in pdf_pages(pdf)]
    head = squeezed("序号 审查事项 要求与实测 依据 结论")
    with_head = [n for n, page in enumerate(pages) if head in page]
    assert len(with_head) > 2
    assert with_head == list(range(with_head[0], with_head[-1] + 1))


def test_every_table_of_the_docx_has_one_head_that_is_repeated(docx, report) -> None:
    import docx as library

    opened = library.Document(io.BytesIO(docx))
    heads = [
        table
        for table in opened.tables
        if table.rows[0]._tr.find(f"{W}trPr/{W}tblHeader") is not None
    ]
    assert len(heads) == sum(isinstance(block, Table) for block in report.blocks)


def test_every_style_of_the_docx_names_its_east_asian_font(docx) -> None:
    import docx as library

    styles = library.Document(io.BytesIO(docx)).styles
    named = [s for s in styles if getattr(s, "font", None) is not None]
    assert len(named) > 20
    for one in named:
        fonts = one.element.find(f"{W}rPr/{W}rFonts")
        assert fonts is not None, one.name
        assert fonts.get(f"{W}eastAsia") == EAST_ASIAN
        assert fonts.get(f"{W}eastAsiaTheme") is None


@pytest.mark.parametrize("write", [pdf_bytes, docx_bytes])
def test_equal_reports_give_equal_bytes(report, write) -> None:
    assert write(report) == write(report)


def test_hostile_text_is_shown_as_text(plan, document) -> None:
    # One place after the other would take seconds each; a mark in front tells them apart.
    places = ("name", "claim", "layer", "title", "reason", "remedy", "document")
    said = {place: f"{place}{HOSTILE}" for place in places}
    site = {**document["site"], "name": said["name"]}
    site["claims"] = {**site["claims"], "plot_number": said["claim"]}
    first = {**document["findings"][0], **{k: said[k] for k in ("title", "reason", "remedy")}}
    first["basis"] = [{**first["basis"][0], "document": said["document"]}]
    layers = [{**document["layers"][0], "title": said["layer"]}, *document["layers"][1:]]
    findings = [first, *document["findings"][1:]]
    report = site_content({**document, "site": site, "findings": findings, "layers": layers}, plan)
    for text in (pdf_text(pdf_bytes(report)), docx_text(docx_bytes(report))):
        squeezed_text = squeezed(text)
        assert [p for p in places if squeezed(said[p]) not in squeezed_text] == []


def test_characters_that_no_file_can_hold_break_neither_paper(plan, document) -> None:
    name = "甲\x00\x0b\ud800\ufffe\uffff\u2028\U0001fffe乙"
    doc = {**document, "site": {**document["site"], "name": name}}
    report = site_content(doc, plan)
    assert pdf_bytes(report)[:5] == b"%PDF-"
    assert "甲" in docx_text(docx_bytes(report))


def test_a_very_long_word_stays_on_the_paper() -> None:
    # A cell of a third of the page and a word of 400 letters: without a break it would run out.
    word = "W" * 400
    table = Table("表", (Column("a"), Column("b"), Column("c")), rows([("x", word, "y")]))
    content = pdf_bytes(Report("题", "", "", "", "", (table, Paragraph(word))))
    boxes = pdf_text(content, "-bbox")
    edges = [float(part.split('"')[0]) for part in boxes.split('xMax="')[1:]]
    assert max(edges) <= 595.3 - 60  # A4 less most of the right margin of 22 mm
    assert squeezed(pdf_text(content)).count("W") >= 800


def test_bold_text_has_the_rare_characters_too() -> None:
    table = Table("表", (Column("㮾䴓𬒈邿"),), ())
    text = pdf_text(pdf_bytes(Report("𬭚㙍", "", "", "", "", (table,))))
    assert set("㮾䴓𬒈邿𬭚㙍") <= set(text)


def test_the_docx_opens_in_an_office_and_says_the_same(docx, document, tmp_path: Path) -> None:
    office = program("soffice")
    (tmp_path / "r.docx").write_bytes(docx)
    subprocess.run(
        [office, "--headless", f"-env:UserInstallation={(tmp_path / 'home').as_uri()}",
         "--convert-to", "pdf", "--outdir", str(tmp_path), str(tmp_path / "r.docx")],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    text = squeezed(pdf_text((tmp_path / "r.pdf").read_bytes()))
    assert document["digest"] in text
    assert squeezed(document["findings"][0]["reason"]) in text
    assert f"{document['site']['area']['ellipsoidal_m2']:,.2f}" in text
    assert text.count(squeezed("序号 审查事项 要求与实测 依据 结论")) > 2


def test_the_suffix_says_which_paper(plan, document, tmp_path: Path) -> None:
    assert site_report(document, plan, tmp_path / "a" / "r.PDF").read_bytes()[:5] == b"%PDF-"
    assert site_report(document, plan, tmp_path / "r.docx").read_bytes()[:2] == b"PK"
    with pytest.raises(ClaimError, match=r"\.pdf 或 \.docx"):
        site_report(document, plan, tmp_path / "r.doc")


@pytest.mark.parametrize(("suffix", "module"), [("pdf", "typst"), ("docx", "docx")])
def test_a_missing_extra_says_what_to_install(
    plan, document, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, module: str
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ExtraError, match=r'pip install "wuqu\[report\]"') as caught:
        site_report(document, plan, tmp_path / f"r.{suffix}")
    assert caught.value.code == "extra"
    assert not list(tmp_path.iterdir())
    monkeypatch.undo()
    extra.require(suffix)
