"""Which format is this content?

Content is recognised by content, never by name: magic bytes, then the first characters of the text.
Formats that people send and that are not read here are named, so that they know what to do.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from gis.crs import CrsPolicy
from gis.errors import FormatError
from gis.intake.boundary_txt import looks_like_boundary_txt, read_boundary_txt
from gis.intake.draft import Document
from gis.intake.encoding import decode_text
from gis.intake.geojson import read_geojson
from gis.intake.vector_file import SHP_MAGIC, read_zipped_shapefile
from gis.intake.wkt import START as WKT_START
from gis.intake.wkt import read_wkt

# Formats that people send and that are not read here: named, so that they know what to do.
_KNOWN_MAGIC = (
    (b"SQLite format 3\x00", "SQLite/GeoPackage"),
    (b"%PDF", "PDF"),
    (b"AC10", "DWG"),
    (b"Rar!", "RAR 压缩包"),
    (b"7z\xbc\xaf\x27\x1c", "7z 压缩包"),
    (b"\x1f\x8b", "gzip 压缩包"),
    (b"\xd0\xcf\x11\xe0", "旧版 Office 文件"),
    (b"\x00\x01\x00\x00Standard", "MDB 数据库"),
)
ACCEPTED = "GeoJSON、WKT、勘测定界界址点 TXT，或 Shapefile 的 zip"


@dataclass(frozen=True, slots=True)
class Hints:
    """What the caller knows and the content may not say.

    ``crs_given``: the user names the CRS, so what the file declares does not matter. ``encoding``:
    the codec that the user names for texts and attribute tables.
    """

    policy: CrsPolicy
    crs_given: bool = False
    encoding: str | None = None


def recognise(content: bytes | str, hints: Hints) -> Document:
    """Return the document that the content holds.

    Raises
    ------
    InputError
        No format that is read here, or what the reader of the format refuses.
    """
    if isinstance(content, str):
        return _recognise_text(content)
    if not content.strip(b"\x00 \r\n\t"):
        raise FormatError("内容为空", expected=ACCEPTED)
    if content.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return read_zipped_shapefile(content, hints.policy, ignore_prj=hints.crs_given)
    if content.startswith(SHP_MAGIC):
        raise FormatError(
            "只有 .shp 一个文件", advice="把 .shp、.shx、.dbf、.prj 一起压缩成 zip 再提交"
        )
    for magic, title in _KNOWN_MAGIC:
        if content.startswith(magic):
            raise FormatError(f"内容是 {title}", expected=ACCEPTED, advice="转换格式后再提交")
    text, note = decode_text(content, hints.encoding)
    document = _recognise_text(text)
    return replace(document, notes=(note, *document.notes))


def _recognise_text(text: str) -> Document:
    start = text.lstrip("\ufeff \t\r\n")
    if not start:
        raise FormatError("内容为空", expected=ACCEPTED)
    if start.startswith("{"):
        return read_geojson(start)
    if WKT_START.match(start):
        return read_wkt(start)
    if looks_like_boundary_txt(text):
        return read_boundary_txt(text)
    if start.startswith("<"):
        raise FormatError("内容是 XML（KML、VRT 等）", expected=ACCEPTED, advice="转换格式后再提交")
    raise FormatError("内容不是可识别的格式", expected=ACCEPTED)
