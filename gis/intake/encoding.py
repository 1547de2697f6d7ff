"""In which character encoding are these bytes?

Order: byte-order mark, strict UTF-8, GB18030. Never the other way round: UTF-8 read as GBK gives
wrong characters and no error. Nothing is replaced silently; the choice becomes a note.
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence

from gis.errors import ClaimError, FormatError
from gis.model import Remark

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8（带 BOM）"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)


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
        return _strict(data, given).lstrip("\ufeff"), _note(f"{given}（由用户指定）")
    for mark, codec, title in _MARKS:
        if data.startswith(mark):
            return _strict(data, codec), _note(title)
    try:
        return data.decode("utf-8"), _note("ASCII" if data.isascii() else "UTF-8")
    except UnicodeDecodeError:
        return _strict(data, "gb18030"), _note("GB18030（GBK）")


def table_codec(
    texts: Sequence[bytes], declared: str | None, given: str | None = None
) -> tuple[str, Remark]:
    """Return the codec of an attribute table: the declared one if it decodes all, else detected.

    Parameters
    ----------
    texts
        All field names and text values as bytes.
    declared
        Content of the ``.cpg``, or None.
    given
        Codec that the user names (from ``named_codec``); nothing else is tried then.

    Raises
    ------
    FormatError
        No codec decodes every text.
    """
    if given is not None:
        if not _decodes(texts, given):
            raise FormatError(
                f"属性表的文字不能按 {given} 读出", advice="换一种编码或省略 encoding"
            )
        return given, Remark("table_encoding", f"属性表编码：{given}，由用户指定")
    stated = _codec(declared) if declared else None
    order = [stated, "utf-8", "gb18030"]
    if stated is not None and stated.startswith(("iso8859", "cp125", "latin")):
        # Western one-byte codecs decode anything; exporters declare them over Chinese text.
        order = ["utf-8", "gb18030", stated]
    for codec in dict.fromkeys(c for c in order if c):
        if _decodes(texts, codec):
            how = "按 .cpg 声明" if codec == stated else "自动判定"
            return codec, Remark("table_encoding", f"属性表编码：{codec}，{how}")
    raise FormatError("属性表的文字既不是 UTF-8 也不是 GB18030", advice="重新导出并附上 .cpg 文件")


def _strict(data: bytes, codec: str) -> str:
    try:
        return data.decode(codec)
    except UnicodeDecodeError as error:
        raise FormatError(
            f"文字编码无法识别（第 {error.start + 1} 个字节起）",
            expected="UTF-8 或 GBK/GB18030 文本",
            advice="用记事本另存为 UTF-8",
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
    return found.name if getattr(found, "_is_text_encoding", False) else None


def _decodes(texts: Sequence[bytes], codec: str) -> bool:
    try:
        for text in texts:
            text.decode(codec)
    except UnicodeDecodeError:
        return False
    return True
