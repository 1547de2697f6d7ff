"""Make the fonts of the printed reports: subsets of Noto Sans CJK SC under a name of their own.

Regular has GB 2312, every character of the project's own texts and data, rare characters of place
names, and units; bold has the common characters of GB 2312 (level 1) and those of our own texts.
Hints are dropped, for paper and screens of today do not use them. The family is renamed, because a
changed font must not pass for the original one.

Usage: ``python scripts/report_fonts.py [--source FOLDER]`` with fonttools; the folder holds
NotoSansCJK-Regular.ttc and NotoSansCJK-Bold.ttc (Debian: fonts-noto-cjk).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fontTools import subset
from fontTools.ttLib import TTCollection

REPO = Path(__file__).resolve().parents[1]
TARGET = REPO / "gis" / "output" / "report" / "fonts"
SOURCE = Path("/usr/share/fonts/opentype/noto")
FAMILY = "Wuqu Sans SC"
FACE = "Noto Sans CJK SC"
# Texts that can reach a report, and those that cannot but cost nothing to cover.
TEXTS = ("gis", "api", "data", "docs", "tests/cases", "README.zh-CN.md")
SUFFIXES = {".py", ".toml", ".md", ".csv", ".typ", ".html", ".geojson"}
# Latin with accents for names of other countries, and what tables of land bureaus use.
EXTRA = (
    "".join(map(chr, range(0x20, 0x7F)))
    + "".join(map(chr, range(0xA0, 0x180)))
    + "‐‑–—―‘’‚“”„†‡•…‰′″‹›※€℃℉№℡™Ω←↑→↓↔∈∑−√∞∠∥∧∨∩∪∫∴∵∶≈≠≡≤≥⊙⊥①②③④⑤⑥⑦⑧⑨⑩"
    "⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩ─│■□▲△▶▼▽◆◇○◎●★☆〇〈〉《》「」『』【】〒〓〔〕〖〗"
    "㎎㎏㎜㎝㎞㎡㏄㏎㎥㎢￥，。！？；：、（）［］｛｝～·°′″²³½¼×÷±✓✗"
)


def wanted() -> tuple[set[int], set[int]]:
    """Return the code points of regular and of bold."""
    own = {c for text in _own_texts() for c in text if c.isprintable()}
    rare = (TARGET / "rare.txt").read_text(encoding="utf-8")
    names = {c for line in rare.splitlines() if not line.startswith("#") for c in line}
    common = own | set(EXTRA)
    regular = common | names | set(_gb2312(1, 87))
    bold = common | set(_gb2312(1, 55))
    return {ord(c) for c in regular}, {ord(c) for c in bold}


def _own_texts() -> Iterator[str]:
    for top in map(REPO.joinpath, TEXTS):
        for path in [top] if top.is_file() else sorted(top.rglob("*")):
            if path.suffix in SUFFIXES and path.is_file():
                yield path.read_text(encoding="utf-8", errors="ignore")


def _gb2312(first: int, last: int) -> Iterator[str]:
    """Yield the characters of some rows of GB 2312; rows 16-55 are the common ones."""
    for row in range(first, last + 1):
        for cell in range(1, 95):
            try:
                yield bytes([row + 0xA0, cell + 0xA0]).decode("gb2312")
            except UnicodeDecodeError:
                continue  # a cell without a character


def make(source: Path, style: str, codes: set[int]) -> dict[str, Any]:
    """Write one font; return its line of the manifest."""
    collection = TTCollection(source / f"NotoSansCJK-{style}.ttc")
    font = next(f for f in collection if f["name"].getDebugName(1) == FACE)
    options = subset.Options()
    options.hinting = False
    options.desubroutinize = False
    # Kerning and the widths of punctuation; the many forms of other languages are not ours.
    options.layout_features = ["kern", "halt", "palt", "mark", "ccmp"]
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    options.notdef_outline = True
    options.drop_tables += ["vhea", "vmtx", "VORG", "BASE", "DSIG"]
    worker = subset.Subsetter(options)
    worker.populate(unicodes=codes)
    worker.subset(font)
    _rename(font, style)
    font["head"].modified = font["head"].created  # equal sources give equal bytes
    name = f"WuquSansSC-{style}.otf"
    font.recalcTimestamp = False
    font.save(TARGET / name)
    content = (TARGET / name).read_bytes()
    # The mirrored twin of a sign comes along unasked.
    covered = sorted(font.getBestCmap())
    if style == "Regular":
        (TARGET / "covered.txt").write_text("\n".join(_ranges(covered)) + "\n", encoding="ascii")
    return {
        "file": name,
        "family": FAMILY,
        "style": style,
        "characters": len(covered),
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def _ranges(codes: list[int]) -> Iterator[str]:
    """Yield runs of code points as ``4e00-4e03``, in hexadecimal."""
    first = last = codes[0]
    for code in [*codes[1:], -1]:
        if code != last + 1:
            yield f"{first:x}" if first == last else f"{first:x}-{last:x}"
            first = code
        last = code


def _rename(font: Any, style: str) -> None:
    names = font["name"]
    version = names.getDebugName(5)
    texts = {
        1: FAMILY,
        2: style,
        3: f"{FAMILY} {style}, a subset of {FACE}, {version}",
        4: f"{FAMILY} {style}",
        6: f"WuquSansSC-{style}",
    }
    names.names = [n for n in names.names if n.nameID in {0, 5, 13, 14} and n.langID == 0x409]
    for number, text in texts.items():
        names.setName(text, number, 3, 1, 0x409)
    top = font["CFF "].cff
    top.fontNames = [texts[6]]
    for field, number in (("FullName", 4), ("FamilyName", 1)):
        setattr(top.topDictIndex[0], field, texts[number])


def main() -> None:
    """Make both fonts and their manifest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", type=Path, default=SOURCE)
    source: Path = parser.parse_args().source
    regular, bold = wanted()
    rows = [make(source, "Regular", regular), make(source, "Bold", bold)]
    record = {
        "source": FACE,
        "version": "2.004",
        "licence": "OFL-1.1",
        "licence_file": "OFL.txt",
        "copyright": "© 2014-2021 Adobe (http://www.adobe.com/).",
        "changes": "Subset, unhinted, renamed; made by scripts/report_fonts.py.",
        "fonts": rows,
    }
    text = json.dumps(record, ensure_ascii=False, indent=2) + "\n"
    (TARGET / "manifest.json").write_text(text, encoding="utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
