"""What do the words around a table say about its coordinates?

Titles, headings and remarks name datum, zone, central meridian, an EPSG code or a web map in free
text. What they name is brought into the form of the head of a boundary-point TXT and judged there.
It never looks at a coordinate, and a place name such as 西安市 is no datum.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from gis.errors import CrsError, Fault, InputError
from gis.intake.boundary.head import Head, Statement, statement_of
from gis.intake.draft import Declared, Faults, Trace, clean_text
from gis.intake.position.naming import traced
from gis.intake.table.cells import Row, Table, plain
from gis.intake.table.headings import wrong_unit
from gis.model import Remark

_IS = r"\s*[:：=为]\s*"
_VALUE = r"([^\s,;，；。]+)"
_KEY = re.compile(
    r"坐标系(统|名称|类型)?|(投影)?带号|中央(经线|子午线)|(几度)?分带|epsg|crs|(坐标|计量|长度)?单位",
    re.IGNORECASE,
)
_CGCS2000 = "2000国家大地坐标系"
# What only mentions a datum, without 坐标系 before it, and the word of the form for it.
_MENTIONED = (
    (r"(?:19)?80\s*年?\s*西安|西安\s*年?\s*(?:19)?80|xi.?an[ _-]?(?:19)?80", "1980西安坐标系"),
    (
        r"(?:19)?54\s*年?\s*北京|北京\s*年?\s*(?:19)?54(?!\d)|beijing[ _-]?(?:19)?54",
        "1954北京坐标系",
    ),
    (r"(?<!\d)(?:19)?80\s*年?\s*(?:国家)?(?:大地)?坐标", "1980西安坐标系"),
    (r"(?<!\d)(?:19)?54\s*年?\s*(?:国家)?(?:大地)?坐标", "1954北京坐标系"),
    (r"gcj[-_ ]?02|火星坐标|国测局坐标", "GCJ-02"),
    (r"bd[-_ ]?09|百度(?:坐标|经纬)", "BD-09"),
    (r"2000\s*国家|国家\s*2000|cgcs\s*-?\s*2000|2000\s*坐标系", _CGCS2000),
)
_DATUM = re.compile(rf"(?:坐标系(?:统|名称|类型)?|crs){_IS}{_VALUE}", re.IGNORECASE)
_NO_DATUM = re.compile(r"(经纬度|(大地|地理|平面|直角|高斯|投影|平面直角)(坐标系?)?)\W*")
_EPSG = re.compile(r"epsg\W{0,3}(\d{4,6})(?!\d)", re.IGNORECASE)
_PATTERNS = (
    ("带号", re.compile(rf"带号(?:{_IS})?第?\s*(\d{{1,3}})(?!\d)")),
    ("带号", re.compile(r"(?<![\d.])(1[3-9]|2[0-35-9]|3\d|4[0-5])\s*带(?!号)")),
    ("几度分带", re.compile(r"(?<!\d)([36三六])\s*[度°]\s*(?:分)?带")),
    ("几度分带", re.compile(rf"分带{_IS}([36三六])")),
    ("中央子午线", re.compile(rf"中央(?:经线|子午线)(?:{_IS})?\s*(?:东经|E)?\s*(\d+(?:\.\d+)?)")),
)
_UNIT = re.compile(rf"(?:坐标|计量|长度)?单位{_IS}([^\s,;，；。)）]+)")
_MAX_TEXT = 2_000


@dataclass(frozen=True, slots=True)
class Title:
    """A text beside the coordinates, half-width, and the row where it stands."""

    text: str
    row: int


@dataclass(frozen=True, slots=True)
class Stated:
    """What the words say: CRS, trace of a web map, or why the table is refused."""

    declared: Declared | None = None
    trace: Trace | None = None
    refused: InputError | None = None
    faults: tuple[Fault, ...] = ()
    notes: tuple[Remark, ...] = ()


def title_of(row: Row) -> Title:
    """Return a row as one text; a key in one cell and its value in the next belong together."""
    text = ""
    for piece in row.texts:
        text += piece + ("：" if _KEY.fullmatch(plain(piece)) else "；")
    shown = clean_text(text, limit=_MAX_TEXT)[0]
    return Title(plain(shown).rstrip(":; "), row.number)


def read_titles(
    titles: Sequence[Title], table: Table, *, crs_given: bool = False, with_units: bool = True
) -> Stated:
    """Return what the texts around the coordinates of a table say about them.

    Parameters
    ----------
    titles
        The texts, in the order of the table.
    table
        Where they stand, so that a fault can be told with its place.
    crs_given
        The user names the CRS, so that only an old datum is refused.
    with_units
        A unit that is named is that of coordinates.
    """
    head = Head()
    pairs = [(*pair, title.row) for title in titles for pair in _pairs(title.text)]
    has_code = any(value.startswith("EPSG") for _, value, _ in pairs)
    for key, value, row in pairs:
        if not (has_code and value == _CGCS2000):  # the code says more
            head.add(key, value, row)
    said = statement_of(head, crs_given=crs_given)
    faults = tuple(replace(f, where=_placed(f.where, table)) for f in said.faults)
    refused = _refused(said, titles if with_units else (), table)
    declared = said.declared
    if declared is not None and declared.place:
        declared = replace(declared, place=_placed(declared.place, table))
    shifted = declared is not None and declared.shift
    trace = None if shifted else traced((t.text for t in titles), where="表中文字")
    return Stated(declared, trace, refused, faults, said.notes)


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    """Yield what a text says, as the pairs of the head of a TXT."""
    for pattern, value in _MENTIONED:
        if re.search(pattern, text, re.IGNORECASE):
            yield "坐标系", value
    for code in _EPSG.findall(text):
        yield "坐标系", f"EPSG:{code}"
    for value in _DATUM.findall(text):
        known = any(re.search(p, value, re.IGNORECASE) for p, _ in _MENTIONED)
        if not (known or _NO_DATUM.fullmatch(value) or _EPSG.search(value)):
            yield "坐标系", value
    for key, shape in _PATTERNS:
        for value in shape.findall(text):
            yield key, value


def _placed(where: str, table: Table) -> str:
    return f"{table.prefix}{where}"


def _refused(said: Statement, titles: Sequence[Title], table: Table) -> InputError | None:
    """Return the error of the head, told with the places of the table; or that of a unit."""
    if said.refused is not None:
        faults = Faults()
        for fault in said.refused.faults:
            faults.add_fault(replace(fault, where=_placed(fault.where, table)))
        return faults.error(
            CrsError,
            "表中的坐标说明无法采用",
            expected=said.refused.expected,
            advice=said.refused.advice,
        )
    for title in titles:
        for value in _UNIT.findall(title.text):
            if wrong_unit(value):
                return _unit_error(table.row_place(title.row), wrong_unit(value))
    return None


def _unit_error(where: str, unit: str) -> CrsError:
    """Return the error for coordinates in a unit that is not read."""
    fault = Fault(where, f"写明单位为{unit}")
    return CrsError(
        f"{where}，写明单位为{unit}",
        expected="投影坐标用米，经纬度用度或度分秒",
        advice="换算为米后再提交",
        faults=[fault],
    )
