"""Is this well-formed XML within the limits, and what does it hold?

Bytes are decoded here, because expat knows only a handful of encodings. DOCTYPE, entities and
external references are refused, and size, depth and number of elements are counted while reading.
Prefixes are dropped, declared or not. It knows nothing of KML, and follows no address in a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.sax import SAXParseException
from xml.sax.handler import ContentHandler, LexicalHandler, property_lexical_handler
from xml.sax.xmlreader import AttributesImpl

from defusedxml.common import DefusedXmlException
from defusedxml.expatreader import DefusedExpatParser

from gis.errors import ClaimError, FormatError, LimitError
from gis.intake.draft import MAX_BYTES, clean_text
from gis.intake.encoding import decode_text, named_codec
from gis.model import Remark

MAX_DEPTH = 100
MAX_ELEMENTS = 500_000
# One tag or comment: expat builds it whole, attributes cost twenty times their length.
MAX_TOKEN = 1024 * 1024
_CHUNK = 64 * 1024
_MAX_COMMENTS = 20

# UTF-8 and its relatives, UTF-16 little-endian, UTF-16 big-endian; each with or without its mark.
_START = re.compile(
    rb"(\xef\xbb\xbf)?\s*<[?!\w]|(\xff\xfe)?<\x00[?!\w]\x00|(\xfe\xff)?\x00<\x00[?!\w]"
)
_DECLARED = re.compile(rb"\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([^\"'>]{1,60})[\"']")
# Three-byte characters: GBK text that is also valid UTF-8 has practically none of them.
_WIDE = re.compile(r"[\u3000-\uffef]")
_CUT_OFF = ("no element found", "unclosed token", "unclosed CDATA section", "partial character")
_WORDS = {
    "mismatched tag": "开始标签与结束标签不配对",
    "undefined entity": "有未定义的实体（如 &nbsp;），应写成字符本身",
    "duplicate attribute": "一个标签里有重复的属性",
    "junk after document element": "根元素之后还有内容",
}


@dataclass(slots=True, eq=False)
class Node:
    """One element: name without prefix, its attribute ``name``, line, text and children."""

    name: str
    title: str = ""
    line: int = 0
    pieces: list[str] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Its own text, without that of its children."""
        return "".join(self.pieces)

    def every(self, *names: str) -> list[Node]:
        """Return the children with one of these names."""
        return [child for child in self.children if child.name in names]

    def said(self, name: str) -> str:
        """Return the text of the first child with this name; empty when there is none."""
        return next((child.text.strip() for child in self.children if child.name == name), "")

    def walk(self) -> Iterator[Node]:
        """Yield the element and everything in it, in the order of the file."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, slots=True, eq=False)
class XmlTree:
    """What an XML text holds, and how its bytes were read."""

    root: Node
    comments: tuple[str, ...]
    notes: tuple[Remark, ...] = ()
    warnings: tuple[Remark, ...] = ()


def looks_like_xml(source: bytes | str) -> bool:
    """Whether bytes in any encoding, or a text, begin like XML."""
    head = source[:1000]
    data = head.encode("utf-8", "replace") if isinstance(head, str) else head
    return _START.match(data) is not None


def parse_xml(source: bytes | str, *, encoding: str | None = None) -> XmlTree:
    """Return the elements of an XML text.

    Parameters
    ----------
    source
        The bytes of a file, or a text that is decoded already.
    encoding
        Codec that the user names (from ``named_codec``); goes before the declaration.

    Raises
    ------
    FormatError
        Not well-formed, cut off, in no known encoding, or with a DOCTYPE; tells the line.
    LimitError
        Too long, too deep, too many elements, or one tag beyond reason.
    """
    if len(source) > MAX_BYTES:
        raise LimitError(
            f"XML 为 {len(source) / 1024**2:.1f} MB", expected=f"不超过 {MAX_BYTES // 1024**2} MB"
        )
    if isinstance(source, str):
        return _parse(source)
    text, note, warnings = _decoded(source, encoding)
    tree = _parse(text)
    return XmlTree(tree.root, tree.comments, (note,), warnings)


# --- encoding -------------------------------------------------------------------------------------


def _decoded(data: bytes, given: str | None) -> tuple[str, Remark, tuple[Remark, ...]]:
    """Return the text, a note that names its encoding, and a warning where the file lies."""
    for start, codec in ((b"<\x00", "utf-16-le"), (b"\x00<", "utf-16-be")):
        if given is None and data.startswith(start):
            return decode_text(data, codec)[0], Remark("text_encoding", "文字编码：UTF-16"), ()
    found = _DECLARED.match(data)
    if given is not None or found is None:
        return (*decode_text(data, given), ())
    declared = found[1].decode("ascii", "replace")
    codec = _charset(declared)
    try:
        text = data.decode(codec)
        if not (codec == "gb18030" and _is_utf8(data)):
            note = Remark("text_encoding", f"文字编码：{declared}，按文件声明")
            return text, note, ()
    except UnicodeDecodeError:
        pass
    text, note = decode_text(data)
    said = f"文件声明的编码是 {clean_text(declared, limit=20)[0]}，实际不是，已按实际编码读取"
    return text, note, (Remark("encoding_differs", said),)


def _charset(declared: str) -> str:
    try:
        codec = named_codec(declared)
    except ClaimError:
        raise FormatError(
            f"第 1 行声明的文字编码“{clean_text(declared, limit=20)[0]}”无法识别",
            expected="UTF-8、UTF-16 或 GBK/GB18030",
            advice="另存为 UTF-8 再提交",
        ) from None
    # Readable bytes are not UTF-16, whatever they declare; GB2312 is written for its supersets.
    return {"gb2312": "gb18030", "gbk": "gb18030", "utf-16": "utf-8"}.get(codec, codec)


def _is_utf8(data: bytes) -> bool:
    """Whether bytes are Chinese text in UTF-8; read as GBK it gives wrong characters, no error."""
    try:
        return _WIDE.search(data.decode("utf-8")) is not None
    except UnicodeDecodeError:
        return False


# --- parsing --------------------------------------------------------------------------------------


class _Parser(DefusedExpatParser):  # type: ignore[misc]  # defusedxml ships no types
    """Hands over texts in large pieces; without it every line end is a call of its own."""

    def reset(self) -> None:
        super().reset()
        self._parser.buffer_text = True
        self._parser.buffer_size = _CHUNK


class _Builder(ContentHandler, LexicalHandler):
    """Builds the elements and stops at the limits."""

    def __init__(self, parser: _Parser, lines_before: int) -> None:
        super().__init__()
        self.parser = parser
        self.lines_before = lines_before
        self.top = Node("")
        self.open = [self.top]
        self.comments: list[str] = []
        self.elements = 0
        self.events = 0

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802 - a name of xml.sax
        self.events += 1
        self.elements += 1
        if len(self.open) > MAX_DEPTH:
            raise LimitError(f"XML 第 {self.line} 行嵌套过深", expected=f"不超过 {MAX_DEPTH} 层")
        if self.elements > MAX_ELEMENTS:
            raise LimitError(f"XML 的元素超过 {MAX_ELEMENTS} 个", advice="分成几个文件提交")
        node = Node(name.rpartition(":")[2], attrs.get("name", ""), self.line)
        self.open[-1].children.append(node)
        self.open.append(node)

    def endElement(self, name: str) -> None:  # noqa: ARG002, N802 - a name of xml.sax
        self.events += 1
        self.open.pop()

    def characters(self, content: str) -> None:
        self.events += 1
        self.open[-1].pieces.append(content)

    def comment(self, content: str) -> None:
        self.events += 1
        if len(self.comments) < _MAX_COMMENTS:
            self.comments.append(content[:2000])

    def processingInstruction(self, target: str, data: str) -> None:  # noqa: ARG002, N802 - a name of xml.sax
        self.events += 1

    @property
    def line(self) -> int:
        return int(self.parser.getLineNumber() or 1) + self.lines_before


def _parse(text: str) -> XmlTree:
    # Blanks before the XML declaration are an error to expat; the lines stay where they are.
    started = text.lstrip("\ufeff \t\r\n")
    if not started:
        raise FormatError("内容为空", expected="XML 文本")
    parser = _Parser(forbid_dtd=True)
    builder = _Builder(parser, text[: len(text) - len(started)].count("\n"))
    parser.setContentHandler(builder)
    parser.setProperty(property_lexical_handler, builder)
    try:
        _feed(parser, builder, started)
    except DefusedXmlException:
        raise FormatError(
            f"XML 第 {builder.line} 行有 DOCTYPE 或实体声明",
            expected="不含 DOCTYPE 的 KML",
            advice="删去 <!DOCTYPE …> 一段",
        ) from None
    except SAXParseException as error:
        line = (error.getLineNumber() or 1) + builder.lines_before
        raise _malformed(str(error.getMessage()), line) from None
    except UnicodeEncodeError:
        raise FormatError("XML 中有不成对的代理字符", expected="有效的文字") from None
    return XmlTree(builder.top.children[0], tuple(builder.comments))


def _feed(parser: _Parser, builder: _Builder, text: str) -> None:
    silent, heard = 0, 0
    for start in range(0, len(text), _CHUNK):
        parser.feed(text[start : start + _CHUNK])
        silent = silent + _CHUNK if builder.events == heard else 0
        heard = builder.events
        if silent > MAX_TOKEN:
            raise LimitError(f"XML 第 {builder.line} 行的一个标签或注释过长")
    parser.close()


def _malformed(message: str, line: int) -> FormatError:
    if message in _CUT_OFF:
        return FormatError(
            f"XML 不完整，在第 {line} 行中断", expected="完整的文件", advice="重新导出或重新传送"
        )
    said = _WORDS.get(message, "不是有效的 XML")
    return FormatError(
        f"XML 第 {line} 行有错误：{said}", expected="完整、有效的 XML", advice="重新导出再提交"
    )
