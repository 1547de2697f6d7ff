"""The fonts of reports: recorded, free to use, and with every character that must be shown."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from report_tools import pdf_text, squeezed

from gis.output.report import font
from gis.output.report.blocks import Paragraph, Report
from gis.output.report.font import FontError, covered, font_folder, manifest, spelled
from gis.output.report.pdf import pdf_bytes


@pytest.fixture(scope="module")
def fonts(repo: Path) -> Path:
    return repo / "gis" / "output" / "report" / "fonts"


@pytest.fixture(scope="module")
def rare(fonts: Path) -> str:
    lines = (fonts / "rare.txt").read_text(encoding="utf-8").splitlines()
    return "".join(dict.fromkeys("".join(line for line in lines if not line.startswith("#"))))


def test_the_fonts_are_the_recorded_ones_and_carry_their_licence(fonts: Path) -> None:
    record = manifest()
    assert {row["style"] for row in record["fonts"]} == {"Regular", "Bold"}
    for row in record["fonts"]:
        content = (fonts / row["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == row["sha256"]
        assert len(content) == row["bytes"]
    licence = (fonts / record["licence_file"]).read_text(encoding="utf-8")
    assert "SIL OPEN FONT LICENSE Version 1.1" in licence
    assert "Adobe" in licence


def test_the_fonts_stay_small_enough_for_a_package(fonts: Path) -> None:
    assert sum(p.stat().st_size for p in fonts.glob("*.otf")) < 3_300_000


def test_a_font_that_was_changed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    record = manifest()
    record["fonts"][0]["sha256"] = "0" * 64
    monkeypatch.setattr(font, "manifest", lambda: record)
    font_folder.cache_clear()
    try:
        with pytest.raises(FontError, match="not the recorded one"):
            font_folder()
    finally:
        font_folder.cache_clear()


def test_the_list_of_covered_characters_is_that_of_the_font_itself(fonts: Path) -> None:
    from fontTools.ttLib import TTFont

    with TTFont(fonts / "WuquSansSC-Regular.otf") as opened:
        assert {ord(c) for c in covered()} == set(opened.getBestCmap())


def test_a_renamed_font_does_not_pass_for_the_original(fonts: Path) -> None:
    from fontTools.ttLib import TTFont

    for style in ("Regular", "Bold"):
        with TTFont(fonts / f"WuquSansSC-{style}.otf") as opened:
            assert opened["name"].getDebugName(1) == "Wuqu Sans SC"
            assert "Noto" not in opened["name"].getDebugName(6)


def test_the_font_has_all_of_gb2312_and_the_rare_characters(rare: str) -> None:
    # 6,763 Chinese characters stand in rows 16 to 87 of GB 2312.
    cells = [bytes([row, cell]) for row in range(0xB0, 0xF8) for cell in range(0xA1, 0xFF)]
    common = "".join(cell.decode("gb2312", "ignore") for cell in cells)
    assert len(common) == 6763
    assert set(common) <= covered()
    assert len(rare) > 1000
    assert set(rare) <= covered()


def test_the_font_has_every_character_of_the_rules_and_of_the_bundled_plan(repo: Path) -> None:
    # A new rule may need a new character: then scripts/report_fonts.py makes the fonts again.
    texts = [*(repo / "gis" / "rulebook" / "cn").rglob("*.toml"), *(repo / "data").glob("*.toml")]
    texts += [*(repo / "data" / "rules").glob("*.toml")]
    wanted = {c for p in texts for c in p.read_text(encoding="utf-8") if c.isprintable()}
    assert wanted - covered() == set()


def test_units_and_signs_of_land_tables_are_there() -> None:
    assert set("㎡℃²³−≥≤×±°′″①②③㎞〔〕“”—…") <= covered()


def test_every_rare_character_is_shown_on_paper(rare: str) -> None:
    # Place names and names of people: what poppler reads back was set with a real glyph, because a
    # character without one is written as its code point.
    report = Report("题", "", "", "", "", (Paragraph(rare),))
    text = pdf_text(pdf_bytes(report))
    assert "[U+" not in text
    assert set(rare) - set(text) == set()


def test_a_character_without_a_glyph_is_written_as_its_code_point() -> None:
    assert spelled("李\U0001f600家庄") == "李[U+1F600]家庄"
    report = Report("题", "李\U0001f600家庄", "", "", "", ())
    assert "李[U+1F600]家庄" in squeezed(pdf_text(pdf_bytes(report)))
