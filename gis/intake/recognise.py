"""Which format is this content?

Content is recognised by content, never by name: magic bytes, then the first characters of the text.
Formats that people send and that are not read here are named, so that they know what to do.
"""

from __future__ import annotations

from dataclasses import replace

from gis.errors import FormatError
from gis.intake.boundary_txt import looks_like_boundary_txt, read_boundary_txt
from gis.intake.draft import Document, Hints
from gis.intake.encoding import decode_text
from gis.intake.geojson import read_geojson
from gis.intake.kml import is_kmz, read_kml, read_kmz
from gis.intake.outside.dxf import read_dxf
from gis.intake.outside.dxf_bytes import is_dxf
from gis.intake.outside.geopackage import SQLITE_MAGIC, read_geopackage
from gis.intake.outside.packed import read_zip
from gis.intake.outside.shapefile import SHP_MAGIC
from gis.intake.placemarks.xml_tree import looks_like_xml
from gis.intake.table.text import looks_like_table
from gis.intake.table.workbook import is_workbook
from gis.intake.tables import read_csv, read_xlsx
from gis.intake.wkt import START as WKT_START
from gis.intake.wkt import read_wkt

# Formats that people send and that are not read here: named, so that they know what to do.
_KNOWN_MAGIC = (
    (b"%PDF", "PDF"),
    (b"AC10", "DWG（请另存为 DXF）"),
    (b"Rar!", "RAR 压缩包"),
    (b"7z\xbc\xaf\x27\x1c", "7z 压缩包"),
    (b"\x1f\x8b", "gzip 压缩包"),
    (b"\xd0\xcf\x11\xe0", "旧版 Excel（.xls）或有密码的 Office 文件（请去掉密码，另存为 .xlsx）"),
    (b"\x00\x01\x00\x00Standard", "MDB 数据库（请导出为 GDB 或 Shapefile）"),
)
_ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
ACCEPTED = (
    "GeoJSON、WKT、勘测定界界址点 TXT、Excel/CSV 坐标表、KML、GeoPackage、DXF，"
    "或 Shapefile、GDB 的 zip"
)


class _UnknownError(FormatError):
    """The content is in no format that is read here."""


def recognise(content: bytes | str, hints: Hints) -> Document:
    """Return the document that the content holds.

    Raises
    ------
    InputError
        No format that is read here, or what the reader of the format refuses.
    """
    if isinstance(content, str):
        if is_dxf(content[:10_000].encode("utf-8", "replace")):
            return read_dxf(content.encode("utf-8", "replace"), hints, is_decoded=True)
        return _recognise_text(content, hints)
    if content.startswith(b"{"):  # no mark of any other format begins so
        return _recognise_bytes(content, hints)
    if not content.strip(b"\x00 \r\n\t"):
        raise FormatError("内容为空", expected=ACCEPTED)
    if content.startswith(_ZIP_MAGIC):
        if is_kmz(content):
            return read_kmz(content, encoding=hints.encoding, crs_given=hints.crs_given)
        if is_workbook(content):
            return read_xlsx(content, crs_given=hints.crs_given)
        return read_zip(content, hints, _read_member)
    if content.startswith(SQLITE_MAGIC):
        return read_geopackage(content, hints)
    if is_dxf(content):
        return read_dxf(content, hints)
    if content.startswith(SHP_MAGIC):
        raise FormatError(
            "只有 .shp 一个文件", advice="把 .shp、.shx、.dbf、.prj 一起压缩成 zip 再提交"
        )
    for magic, title in _KNOWN_MAGIC:
        if content.startswith(magic):
            raise FormatError(f"内容是 {title}", expected=ACCEPTED, advice="转换格式后再提交")
    if looks_like_xml(content):  # it says itself how it is encoded
        return read_kml(content, encoding=hints.encoding, crs_given=hints.crs_given)
    return _recognise_bytes(content, hints)


def _recognise_bytes(content: bytes, hints: Hints) -> Document:
    """Return the document that a text holds, in whatever encoding."""
    text, note = decode_text(content, hints.encoding)
    try:
        document = _recognise_text(text, hints)
    except _UnknownError as error:
        if hints.encoding is None:
            raise
        raise _UnknownError(
            f"按指定的编码 {hints.encoding} 读出后，{error.found}",
            expected=error.expected,
            advice="换一种编码，或省略 encoding",
        ) from None
    return replace(document, notes=(note, *document.notes))


def _recognise_text(text: str, hints: Hints) -> Document:
    start = text.lstrip("\ufeff \t\r\n")
    if not start:
        raise FormatError("内容为空", expected=ACCEPTED)
    if start.startswith("{"):
        return read_geojson(text.lstrip("\ufeff"))  # blanks stay: a fault names its line
    if WKT_START.match(start):
        return read_wkt(start)
    if looks_like_xml(text):  # before the TXT, whose commas it has too
        return read_kml(text, crs_given=hints.crs_given)
    if looks_like_table(text):  # before the TXT, which skips a heading and reads columns in order
        return read_csv(text, crs_given=hints.crs_given)
    if looks_like_boundary_txt(text):
        return read_boundary_txt(text, crs_given=hints.crs_given)
    raise _UnknownError("内容不是可识别的格式", expected=ACCEPTED)


def _read_member(content: bytes, hints: Hints) -> Document | None:
    """Read one file of a zip; None when it is in no format that is read here."""
    if content.startswith(_ZIP_MAGIC) and not is_workbook(content):
        raise FormatError("压缩包内还有压缩包", advice="解开后把其中的文件直接压缩")
    try:
        return recognise(content, hints)
    except _UnknownError:
        return None
