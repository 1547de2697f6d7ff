"""What do the bytes of a drawing (DXF) state, before GDAL reads it?

Whether it is one and whole, what its head says about version, code page and unit, and which kinds
of entities it holds that GDAL leaves out without a word. It reads no geometry.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from gis.errors import FormatError
from gis.model import Remark

_BINARY_MAGIC = b"AutoCAD Binary DXF\r\n\x1a\x00"
_BINARY_END = b"\0EOF"
# A text DXF begins with a section, behind comments (group 999) at most.
_TEXT_START = re.compile(
    rb"(?:\xef\xbb\xbf)?\s{0,80}(?:999[ \t]*\r?\n[^\n]{0,500}\n\s{0,80}){0,50}"
    rb"0[ \t]*\r?\n\s{0,80}SECTION\s"
)
_TEXT_END = re.compile(rb"\b0[ \t]*\r?\n[ \t]*EOF$")
_HEAD_BYTES = 256 * 1024
# Text: name, group code and value in lines; binary: name, NUL, group code, value.
_VERSION = re.compile(rb"\$ACADVER\s+1\s+(\w+)|\$ACADVER\x00\x01\x00?(\w+)\x00")
_PAGE = re.compile(rb"\$DWGCODEPAGE\s+3\s+([\w.-]+)|\$DWGCODEPAGE\x00\x03\x00?([\w.-]+)")
_UNIT = re.compile(rb"\$INSUNITS\s+70\s+(\d{1,4})|\$INSUNITS\x00F\x00?(.)\x00", re.DOTALL)
_UNITS = {1: "英寸", 2: "英尺", 3: "英里", 4: "毫米", 5: "厘米", 7: "千米", 14: "分米"}
_UTF8_FROM = "AC1021"
# The kind of an entity follows group code 0; no kind is shorter than three letters.
_TEXT_KIND = re.compile(rb"\n[ \t]*0[ \t]*\r?\n[ \t]*([0-9]?[A-Z][A-Z0-9_]{2,})[ \t]*\r?(?=\n)")
_BINARY_KIND = re.compile(rb"\x00\x00([0-9]?[A-Z][A-Z0-9_]{2,})\x00")
_ENTITIES = re.compile(rb"(?:\n[ \t]*2[ \t]*\r?\n[ \t]*|\x02\x00?)ENTITIES\b")
# What GDAL reads, and what is drawn beside the plan or without end: never the border of a plot.
_KNOWN = re.compile(
    rb"POINT|M?TEXT|ATTDEF|ATTRIB|(?:POLY|LWPOLY|M|X)?LINE|VERTEX|SEQEND|CIRCLE|ELLIPSE|ARC|SPLINE"
    rb"|HELIX|INSERT|HATCH|SOLID|TRACE|3DFACE|(?:ARC_|LARGE_RADIAL_)?DIMENSION|(?:M|MULTI)?LEADER"
    rb"|SECTION|ENDSEC|EOF|VIEWPORT|IMAGE|WIPEOUT|OLE2?FRAME|TOLERANCE|RAY|LIGHT|SUN|ACAD_TABLE"
)


def is_dxf(data: bytes) -> bool:
    """Return whether the content begins as a text or binary DXF."""
    return _is_binary(data) or _TEXT_START.match(data) is not None


def _is_binary(data: bytes) -> bool:
    return data.startswith(_BINARY_MAGIC)


def check_end(data: bytes) -> None:
    """Raise FormatError for a drawing that breaks off: what follows would be lost."""
    end = data[-1000:].rstrip(b"\0\x1a \r\n\t")
    whole = end.endswith(_BINARY_END) if _is_binary(data) else _TEXT_END.search(end)
    if not whole:
        raise FormatError("DXF 不完整（没有结尾的 EOF）", advice="重新复制或导出")


def unread_kinds(data: bytes) -> Mapping[str, int]:
    """Return kinds of entities that GDAL leaves out, with their number: regions, proxies …."""
    begin = _ENTITIES.search(data)
    if begin is None:
        return {}
    stop = data.find(b"ENDSEC", begin.end())
    pattern = _BINARY_KIND if _is_binary(data) else _TEXT_KIND
    found = pattern.findall(data, begin.end(), stop if stop > 0 else len(data))
    kinds = Counter(kind for kind in found if not _KNOWN.fullmatch(kind))
    return {kind.decode("ascii"): count for kind, count in kinds.items()}


@dataclass(frozen=True, slots=True)
class Head:
    """What the head of the drawing states: version, code page and unit, as far as they stand."""

    version: str = ""
    code_page: str = ""
    unit: int | None = None

    @classmethod
    def of(cls, data: bytes) -> Head:
        """Return what the first bytes state."""
        head = data[:_HEAD_BYTES]
        unit = _UNIT.search(head)
        number = None
        if unit:
            number = int(unit[1]) if unit[1] else unit[2][0]
        return cls(_word(_VERSION.search(head)), _word(_PAGE.search(head)), number)

    @property
    def codec(self) -> str | None:
        """Name of the codec that the drawing declares."""
        if self.version >= _UTF8_FROM:
            return "utf-8"
        return self.code_page.upper().removeprefix("ANSI_") or None

    def notes(self) -> tuple[Remark, ...]:
        """Return the note on a unit that is not the metre."""
        unit = _UNITS.get(self.unit or 0)
        if unit is None:
            return ()
        text = f"文件头标注图形单位为{unit}（$INSUNITS={self.unit}），坐标仍按文件中的数值理解"
        return (Remark("drawing_unit", text),)


def _word(found: re.Match[bytes] | None) -> str:
    return (found[1] or found[2]).decode("ascii", "replace") if found else ""
