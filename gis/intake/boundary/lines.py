"""What does one line of a boundary-point TXT say: a section mark, a head pair, a plot, a point?

Pure functions of one line, tolerant of everything that was seen in the wild: full-width
punctuation, other separators, braces, missing or additional columns. What cannot be understood
without a guess is nothing, and :func:`why_no_point` says why. It never looks at two lines at once.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from gis.intake.draft import ShapeKind
from gis.model import Remark

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?")
KINDS = {
    "面": ShapeKind.AREA,
    "面状": ShapeKind.AREA,
    "多边形": ShapeKind.AREA,
    "线": ShapeKind.LINE,
    "线状": ShapeKind.LINE,
    "点": ShapeKind.POINT,
    "点状": ShapeKind.POINT,
}
_BRACKETED = re.compile(r"[\[【〔「]\s*([^\[\]【】〔〕「」]{1,40}?)\s*[\]】〕」]")
# What a byte-order mark read in the wrong encoding leaves of the first mark.
_CUT_MARK = re.compile(r"[^=:,]{0,8}?(属性描述|地块坐标)\s*[\]】〕」]")
_FULL_WIDTH = re.compile("[０-９，；．－＋｛｝＠]")
_USUAL_POINT = re.compile(r"(\w{0,20}),(\d{1,4}),(\d+\.(\d+)),(\d+\.(\d+))", re.ASCII)
_RING = re.compile(r"第?\s*(\d{1,4})(?:\.0+)?\s*[圈环]?")
_NAMED = {
    axis: re.compile(rf"(?<![A-Za-z]){axis}(?:\s*坐标)?\s*[=:]\s*({NUMBER.pattern})", re.IGNORECASE)
    for axis in "XY"
}
_THOUSANDS = re.compile(r"(?<!\d)\d{1,3}(,\d{3})+(\.\d+)?(?!\d)")
_HEADING = re.compile("点号|圈号|坐标|序号")
_X_COLUMN, _Y_COLUMN = re.compile(r"[xX]\W"), re.compile(r"[yY]\b")
_LETTER_OR_DIGIT = re.compile(r"[^\W_]")
_FOUR_DIGITS = re.compile(r"(?:\D*+\d){4}")
_FOUR_SEPARATORS = re.compile(r"(?:[^,，;；\t]*+[,，;；\t]){4}")
_FULL_HEADER_COMMAS = 7
_KIND_COLUMN = 4
# A name may hold commas, but nobody writes so many; a point has at most four columns more.
_MOST_COLUMNS = 40
_MOST_POINT_COLUMNS = 8
# The form of some provinces puts the code (9 or 12 digits) and name of the village in front.
_VILLAGE = re.compile(r"\d{6,12}")
# Smaller numbers without decimals are no coordinates but a ring number or a count.
_LEAST_COORDINATE = 1_000.0


class Section(StrEnum):
    """Where in the file a line stands."""

    START = "start"
    HEAD = "head"
    PLOTS = "plots"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Mark:
    """A section mark: which section it begins, and its name as written."""

    section: Section
    name: str

    @property
    def is_misspelt(self) -> bool:
        """Whether a section of the form is meant but spelled otherwise."""
        return self.section in (Section.HEAD, Section.PLOTS) and self.name not in (
            "属性描述",
            "地块坐标",
        )


@dataclass(frozen=True, slots=True)
class Header:
    """The header line of a plot; texts as written, ``changes`` what had to be put right."""

    line: int
    count: str = ""
    area: str = ""
    number: str = ""
    name: str = ""
    kind: str = ""
    use_text: str = ""
    land_class: str = ""
    marked: bool = True
    changes: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True)
class PointLine:
    """One boundary point: number, ring number, easting, northing, and how it was written.

    ``decimals`` of the shorter coordinate; ``more`` columns were left out, ``has_z`` among them.
    """

    label: str
    ring: str
    east: float
    north: float
    line: int
    decimals: int = 3
    has_z: bool = False
    more: bool = False


def plain(text: str) -> str:
    """Half-width form of full-width punctuation, digits and letters."""
    return text.strip() if text.isascii() else _half_width(text)


@lru_cache(maxsize=4)  # one line is asked for several things
def _half_width(text: str) -> str:
    return unicodedata.normalize("NFKC", text).replace("、", ",").strip()


def has_full_width(line: str) -> bool:
    """Whether a line of numbers carries full-width punctuation or digits."""
    return not line.isascii() and _FULL_WIDTH.search(line) is not None


# --- marks and pairs ------------------------------------------------------------------------------


def mark_of(line: str) -> Mark | None:
    """Return the section mark on a line; None for any other line.

    >>> mark_of("【地块 坐标】").section, mark_of("5,2.0,01,甲[一期],面,,,,@")
    (<Section.PLOTS: 'plots'>, None)
    """
    text = plain(line).rstrip(",; \t")
    if not text or text[-1] not in "]】〕」" or len(text) > 60:
        return None
    found = _BRACKETED.fullmatch(text) or _CUT_MARK.fullmatch(text)
    if found is None:
        return None
    name = re.sub(r"\s+", "", found[1])
    return Mark(_section(name), name)


def _section(name: str) -> Section:
    if one_letter_off(name, "属性描述") or name.startswith("坐标系"):
        return Section.HEAD
    if one_letter_off(name, "地块坐标") or re.search("坐标|座标|界址", name):
        return Section.PLOTS
    return Section.OTHER


def one_letter_off(text: str, word: str) -> bool:
    """Whether a text is the word, or differs from it in one character."""
    return len(text) == len(word) and sum(a != b for a, b in zip(text, word, strict=True)) <= 1


def pair_of(line: str) -> tuple[str, str] | None:
    """Return key and value of a head line, half-width; None when it is no such line.

    >>> pair_of("带 号：39"), pair_of("J1,1,4030411.11,39408498.27")
    (('带 号', '39'), None)
    """
    text = plain(line)
    mark = re.search("[=:,;]", text)
    key = text[: mark.start()].rstrip() if mark and mark[0] in "=:" else ""
    return (key, text[mark.end() :].strip(" \t,;")) if mark and 0 < len(key) <= 30 else None


def table_pair_of(line: str) -> tuple[str, str] | None:
    """Return key and value of a head line that a spreadsheet cut at a comma or tab."""
    found = re.match(r"([^=:,;\s]{2,8})[,;\s]+(.*)", plain(line))
    return (found[1], found[2].strip(" \t,;")) if found else None


# --- plot headers ---------------------------------------------------------------------------------


def header_of(line: str, number: int) -> Header | None:
    """Return the plot header on a line; None for any other line.

    The ``@`` at its end tells it; without one it is told by the word 面, 线 or 点 in its place.
    """
    if not ("@" in line or "＠" in line or _FOUR_SEPARATORS.match(line)):
        return None
    fields, marked, after = _header_fields(line)
    at = None if line.isascii() else _kind_column(fields)
    if len(fields) < 2 or not (marked or _is_unmarked_header(fields, at, line)):
        return None
    changes: list[Remark] = []
    if not marked:
        changes.append(Remark("header_mark_missing", f"第 {number} 行地块标题行末缺少 @"))
    if any(after):
        changes.append(Remark("fields_after_mark", f"第 {number} 行 @ 之后的内容已略去"))
    if has_full_width(line) and "," not in line:
        changes.append(Remark("full_width", f"第 {number} 行用了全角标点，已按半角理解"))
    fields, moved = _in_place(fields, at, number)
    count, area, plot_number, name, kind, _, use_text, land_class = [*fields, *[""] * 8][:8]
    told = (*changes, *moved)
    return Header(number, count, area, plot_number, name, kind, use_text, land_class, marked, told)


def _header_fields(line: str) -> tuple[list[str], bool, list[str]]:
    """Return fields, whether the ``@`` is there, and what stands after it.

    A name keeps its full-width commas where the line has enough of the others.
    """
    separated = line if line.count(",") >= _FULL_HEADER_COMMAS else line.replace("，", ",")
    if separated.count(",") < 2:
        separated = separated.replace(";", ",").replace("；", ",").replace("\t", ",")
    most = -1 if "@" in line or "＠" in line else _MOST_COLUMNS
    fields = [f.strip() for f in separated.rstrip(", ").split(",", most)]
    if fields[0][:1] in "\"'":  # a spreadsheet put every field into quotes
        fields = [f.strip(" \"'") for f in fields]
    ends = [i for i, f in enumerate(fields) if f in ("@", "＠") and i]
    if ends:
        return fields[: ends[-1]], True, fields[ends[-1] + 1 :]
    while len(fields) > 1 and not fields[-1]:
        fields.pop()
    if fields[-1].endswith(("@", "＠")):
        fields[-1] = fields[-1][:-1].strip()
        return fields, True, []
    return fields, False, []


def _kind_column(fields: Sequence[str]) -> int | None:
    """Column of the word 面, 线 or 点: the fifth, else the first one that holds it."""
    found = [i for i, f in enumerate(fields[:_MOST_COLUMNS]) if i > 2 and plain(f) in KINDS]
    return _KIND_COLUMN if _KIND_COLUMN in found else next(iter(found), None)


def _is_unmarked_header(fields: Sequence[str], at: int | None, line: str) -> bool:
    first = plain(fields[0])
    if first and not first[0].isdigit():
        return False
    point = point_of(line, 0)
    if point is not None and max(abs(point.east), abs(point.north)) >= _LEAST_COORDINATE:
        return False
    if at is not None:
        return True
    return len(fields) > _FULL_HEADER_COMMAS and not NUMBER.fullmatch(plain(fields[3]))


def _in_place(
    fields: list[str], at: int | None, number: int
) -> tuple[list[str], tuple[Remark, ...]]:
    """Return the fields of the form in their columns, with what was moved.

    The word 面, 线 or 点 belongs into the fifth column: when it stands before it, a field is
    missing; when behind it, the name holds commas, or a village stands in front.
    """
    if at is None or at == _KIND_COLUMN:
        return fields, ()
    if at < _KIND_COLUMN:
        # A count is a whole number; without it the first field is the area.
        whole = re.fullmatch(r"\d*", plain(fields[0])) is not None
        missing, title = (2, "地块编号") if whole else (0, "界址点数")
        moved = [*fields[:missing], "", *fields[missing:]]
        text = f"第 {number} 行地块标题缺少一项，按缺少{title}理解"
        return moved, (Remark("header_field_missing", text),)
    if at == _KIND_COLUMN + 2 and _VILLAGE.fullmatch(plain(fields[2])):
        village = f"{fields[2]} {fields[3]}"
        text = f"第 {number} 行地块标题多出行政区代码和名称（{village}），已略去"
        return [*fields[:2], *fields[4:]], (Remark("village_skipped", text),)
    name = "，".join(fields[3:at])
    text = f"第 {number} 行地块名称中有逗号，按“{name[:40]}”理解"
    return [*fields[:3], name, *fields[at:]], (Remark("name_has_comma", text),)


# --- points ---------------------------------------------------------------------------------------


def usual_point_of(line: str, number: int) -> PointLine | None:
    """Return the point on a line that follows the form to the letter; the quick way for most."""
    found = _USUAL_POINT.fullmatch(line)
    if found is None:
        return None
    label, ring, north, decimals, east, others = found.groups()
    fewest = min(len(decimals), len(others))
    return PointLine(label, str(int(ring)), float(east), float(north), number, decimals=fewest)


@lru_cache(maxsize=4)  # what a line is not is asked before what it is
def point_of(line: str, number: int) -> PointLine | None:
    """Return the point on a line; None when it holds none without a guess.

    Understood are ``number,ring,X,Y``, ``number,X,Y``, ``X,Y`` and ``number X=… Y=…``, each with
    a height or texts behind; X is the northing. Separators are commas, semicolons or blanks.

    >>> point_of("J1,01,4030411.110,39408498.270", 7).ring
    '1'
    """
    layout = _layout(_named(plain(line)) or _columns(line, most=_MOST_POINT_COLUMNS))
    if layout is None:
        return None
    label, ring, north, east, *more = layout
    numbers = [f for f in more if NUMBER.fullmatch(f)]
    if len(numbers) > 1 or len(more) > 4 or (more and _is_cut_in_two(north, east, more[0])):
        return None
    decimals = min(len(f.partition(".")[2]) for f in (north, east))
    return PointLine(
        label[:40],
        ring_number(ring),
        float(east),
        float(north),
        number,
        decimals=decimals,
        has_z=bool(numbers),
        more=any(f not in numbers for f in more),
    )


def ring_number(text: str) -> str:
    """Return a ring number in its short form: ``01``, ``1.0`` and ``第1圈`` are ``1``."""
    found = _RING.fullmatch(text)
    return str(int(found[1])) if found else text[:20]


def _named(text: str) -> list[str]:
    """Columns of ``J1 X=… Y=…``, whatever the order of the two; empty for other lines."""
    if "=" not in text and ":" not in text:
        return []
    found = [_NAMED[axis].search(text) for axis in "XY"]
    if found[0] is None or found[1] is None:
        return []
    label = text[: min(found[0].start(), found[1].start())].strip(" ,;:\t{(")
    return [label, found[0][1], found[1][1]]


def _columns(line: str, *, most: int = 0) -> list[str]:
    """Return the columns of a line; with ``most``, all that are more stay together in one."""
    text = plain(line).strip("{}()<> \t").rstrip(",;")
    fields = [f.strip(" \t\"'") for f in re.split(r"[,;\t]", text, maxsplit=most)]
    return fields if len(fields) > 2 else re.split(r"[,;\s]+", text, maxsplit=most)


def _layout(fields: Sequence[str]) -> list[str] | None:
    """Return number, ring, X, Y and what follows; None when the columns fit no layout."""
    numeric = [bool(NUMBER.fullmatch(f)) for f in fields[:4]]
    if len(fields) >= 4 and _may_be_ring(fields[1]) and numeric[2] and numeric[3]:
        return list(fields)
    if len(fields) >= 3 and numeric[1] and numeric[2] and not _RING.fullmatch(fields[1]):
        return [fields[0], "", *fields[1:]]
    if len(fields) == 2 and all(numeric) and all(_is_coordinate(f) for f in fields):
        return ["", "", *fields]
    return None


def _may_be_ring(text: str) -> bool:
    return not NUMBER.fullmatch(text) or _RING.fullmatch(text) is not None


def _is_coordinate(text: str) -> bool:
    return abs(float(text)) >= _LEAST_COORDINATE or len(text.partition(".")[2]) >= 4


def _is_cut_in_two(north: str, east: str, behind: str) -> bool:
    """Whether a comma cut the easting: ``408,498.27`` or, in place of its point, ``408498,27``."""
    thousands = re.fullmatch(r"\d{1,3}", east) and re.fullmatch(r"\d{3}(\.\d+)?", behind)
    decimals = "." in north and "." not in east and re.fullmatch(r"\d+\w?", behind)
    return bool(thousands or decimals)


def is_heading(line: str) -> bool:
    """Whether a line names the columns of a list of points."""
    text = plain(line)
    if _FOUR_DIGITS.match(text):
        return False
    x = _X_COLUMN.search(text)
    return bool(_HEADING.search(text) or (x and _Y_COLUMN.search(text, x.end())))


def is_ruler(line: str) -> bool:
    """Whether a line holds neither letter nor digit: a ruler, or a brace of its own."""
    return _LETTER_OR_DIGIT.search(line) is None


def why_no_point(line: str) -> str:
    """Return in Chinese why a line among points is none."""
    text = plain(line)
    fields = [f for f in _columns(line) if f]
    if re.search("[°′″º]|度.*分", text):
        return "坐标像是度分秒，应为以米为单位的平面坐标或十进制度"
    if _THOUSANDS.search(re.sub("[\"']", "", text)) and len(fields) > 4:
        return "坐标像是带有千分位逗号，无法确定数值，应去掉千分位"
    if len(fields) > 4 and "." not in fields[3] and NUMBER.fullmatch(fields[3]):
        return "坐标的小数点像是写成了逗号"
    wrong = [f for f in fields[-2:] if not NUMBER.fullmatch(f)]
    if len(fields) in (3, 4) and (len(wrong) < 2 or _RING.fullmatch(fields[1])):
        if not wrong:
            return "缺少一个坐标，应为“点号,圈号,X坐标,Y坐标”"
        return f"坐标{'、'.join(f'“{f[:20]}”' for f in wrong)}不是数字"
    return "既不是地块标题行，也不是“点号,圈号,X坐标,Y坐标”"
