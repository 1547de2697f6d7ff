"""In which character encoding are these bytes?

Order: byte-order mark, strict UTF-8, GB18030. Never the other way round: UTF-8 read as GBK gives
wrong characters and no error. Nothing is replaced silently; the choice becomes a note.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence

from gis.errors import ClaimError, FormatError
from gis.intake.draft import clean_text
from gis.model import Remark

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8（带 BOM）"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
# What tables of the field say, for telling Chinese from what only decodes as something.
_WORDS = re.compile(
    "耕地|水田|旱地|水浇地|园地|林地|草地|湿地|用地|住宅|宅基地|公路|道路|河流|坑塘|沟渠|水面"
    "|工业|商业|学校|绿地|国有|集体|名称|项目|地块|地类|编号|面积|权属|用途|备注"
)
_CHINESE = re.compile("[\u4e00-\u9fff]")
# Code of the remark that the declared encoding was not followed; a warning, not a note.
OVERRULED = "table_encoding_overruled"
# Text codecs of Python that are notations and no character sets.
_NO_CHARSETS = ("idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape")


def named_codec(name: str) -> str:
    """Return the Python codec that a user names: ``gbk``, ``utf-8``, ``cp936``, ``big5`` ….

    Raises
    ------
    ClaimError
        No character encoding has this name.
    """
    codec = _codec(name[:40])
    if codec is None:
        raise ClaimError(
            f"文字编码 encoding 为“{name[:40]}”", expected="编码名称，如 gbk、gb18030、utf-8、big5"
        )
    return codec


def decode_text(data: bytes, given: str | None = None) -> tuple[str, Remark]:
    """Return the text of a file and a note that names its encoding.

    Parameters
    ----------
    data
        The bytes of the file.
    given
        Codec that the user names (from ``named_codec``); nothing else is tried then.

    Raises
    ------
    FormatError
        Neither UTF-8 nor GB18030, or not in the codec given.
    """
    if given is not None:
        return _as_given(data, given).lstrip("\ufeff"), _note(f"{given}（由用户指定）")
    if data.startswith(codecs.BOM_UTF8) and not _begins_as_utf8(data[3:]):
        # Some tools put the mark of UTF-8 in front of GBK.
        return _strict(data[3:], "gb18030"), _note("GB18030（GBK），前面多出 UTF-8 的 BOM")
    for mark, codec, title in _MARKS:
        if data.startswith(mark):
            return _strict(data, codec), _note(title)
    try:
        return data.decode("utf-8"), _note("ASCII" if data.isascii() else "UTF-8")
    except UnicodeDecodeError:
        return _strict(data, "gb18030"), _note("GB18030（GBK）")


def table_codec(
    texts: Sequence[bytes],
    declared: str | None,
    given: str | None = None,
    *,
    what: str = "属性表",
    source: str = ".cpg",
) -> tuple[str, Remark]:
    """Return the codec of an attribute table: the declared one if it decodes all, else detected.

    Where it decodes all but gives no Chinese, and GB18030 gives words of the field, GB18030 is
    taken. Wherever the declared one is not followed, the remark has the code ``OVERRULED`` and is
    a warning.

    Parameters
    ----------
    texts
        All field names and text values as bytes.
    declared
        Content of the ``.cpg``, or None.
    given
        Codec that the user names (from ``named_codec``); nothing else is tried then.
    what, source
        What holds the texts and what declares their codec, for people.

    Raises
    ------
    FormatError
        No codec decodes every text.
    """
    if given is not None:
        if not _decodes(texts, given):
            raise FormatError(
                f"{what}的文字不能按 {given} 读出", advice="换一种编码或省略 encoding"
            )
        return given, Remark("table_encoding", f"{what}编码：{given}，由用户指定")
    stated = _codec(declared) if declared else None
    order = [stated, "utf-8", "gb18030"]
    if stated is not None and stated.startswith(("iso8859", "cp125", "latin")):
        # Western one-byte codecs decode anything; exporters declare them over Chinese text.
        order = ["utf-8", "gb18030", stated]
    if stated == "gb18030" and _decodes(texts, "utf-8") and _has_chinese(texts, "utf-8"):
        # UTF-8 almost always passes as GBK too, as other characters; hardly ever the other way.
        text = f"{what}声明为 GBK，实为 UTF-8，已按 UTF-8 采用"
        return "utf-8", Remark(OVERRULED, text)
    for codec in dict.fromkeys(c for c in order if c):
        if not _decodes(texts, codec):
            continue
        if is_chinese_unseen(texts, codec):
            text = f"{what}按 {codec} 读出的不是汉字，按 GB18030 读出常用词，已按 GB18030 采用"
            return "gb18030", Remark(OVERRULED, text)
        return codec, _chosen(codec, stated, declared, what, source)
    raise FormatError(
        f"{what}的文字既不是 UTF-8 也不是 GB18030", advice="重新导出，或用 encoding 指定编码"
    )


def _chosen(codec: str, stated: str | None, declared: str | None, what: str, source: str) -> Remark:
    """Return how the codec was chosen; a declaration that proved wrong is a warning."""
    if codec == stated:
        return Remark("table_encoding", f"{what}编码：{codec}，按 {source} 声明")
    said = clean_text(declared or "", limit=20)[0]
    if stated is not None:
        text = f"{what}的文字与 {source} 声明的编码“{said}”不符，已按 {codec} 采用"
        return Remark(OVERRULED, text)
    unknown = f"{source} 所写的编码“{said}”无法识别，" if said else ""
    return Remark("table_encoding", f"{what}编码：{codec}，{unknown}自动判定")


def _has_chinese(texts: Sequence[bytes], codec: str) -> bool:
    return any(_CHINESE.search(text.decode(codec)) for text in texts)


def is_chinese_unseen(texts: Sequence[bytes], codec: str) -> bool:
    """Whether a codec gives no Chinese where GB18030 gives words of the field."""
    if codec == "gb18030" or _has_chinese(texts, codec) or not _decodes(texts, "gb18030"):
        return False
    read = "\n".join(text.decode("gb18030") for text in texts)
    return _WORDS.search(read) is not None


def _strict(data: bytes, codec: str) -> str:
    try:
        return data.decode(codec)
    except UnicodeDecodeError as error:
        raise FormatError(
            f"文字编码无法识别（第 {error.start + 1} 个字节起）",
            expected="UTF-8 或 GBK/GB18030 文本",
            advice="用记事本另存为 UTF-8",
        ) from None


def _as_given(data: bytes, codec: str) -> str:
    try:
        return data.decode(codec)
    except UnicodeDecodeError as error:
        raise FormatError(
            f"文字不能按指定的编码 {codec} 读出（第 {error.start + 1} 个字节起）",
            expected="文件实际使用的编码",
            advice="换一种编码，或省略 encoding",
        ) from None


def _note(title: str) -> Remark:
    return Remark("text_encoding", f"文字编码：{title}")


def _codec(declared: str) -> str | None:
    """Python name of what a ``.cpg`` says; None for nonsense and for codecs that are no charset."""
    name = declared.strip().strip("\x00").lower()
    name = {"936": "gb18030", "cp936": "gb18030", "gbk": "gb18030", "65001": "utf-8"}.get(
        name, name
    )
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    is_charset = getattr(found, "_is_text_encoding", False) and found.name not in _NO_CHARSETS
    return found.name if is_charset else None


def _begins_as_utf8(data: bytes) -> bool:
    """Whether the first character beyond ASCII is UTF-8; a later fault is then one of UTF-8."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return not data[: error.start].isascii()
    return True


def _decodes(texts: Sequence[bytes], codec: str) -> bool:
    try:
        for text in texts:
            text.decode(codec)
    except UnicodeDecodeError:
        return False
    return True
