"""Is the text of a layer read in the encoding that it was written in?

Detects the encoding of an attribute table, compares it with what the plan reads, and finds single
values that are garbled. Nothing is repaired: the plan package has to say its encoding.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from gis.engine.index import Array
from gis.errors import FormatError, InputError
from gis.intake.encoding import is_chinese_unseen, named_codec, table_codec
from gis.plan.quality.findings import ERROR, NOTE, WARNING, Finding, Severity, listed
from gis.plan.quality.layer_data import LayerData, Surroundings, TextFacts
from gis.plan.quality.thresholds import READABLE_SHARE

_WESTERN = ("iso8859", "cp125", "latin")
# So many texts are no chance.
_CHANCE = 3
_HAN = re.compile("[\u4e00-\u9fff]")
_LEAST_HAN = 2
_CHINESE = re.compile("^[\x20-\x7e\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]*$")
# What is left where something did not fit: replacement characters, the two famous words that they
# make in GBK, controls of the second half of Latin 1, rows of question marks.
_LEFTOVERS = re.compile("\ufffd|锟斤拷|烫烫|[\x80-\x9f]|^\\?{2,}$")


# --- the table as a whole ------------------------------------------------------------------------


def decoded(
    columns: Mapping[str, Array],
    declared: str | None,
    as_read: Callable[[], Mapping[str, Array] | None],
) -> tuple[dict[str, Array], TextFacts]:
    """Return an attribute table with its text decoded, and how that was done.

    Parameters
    ----------
    columns
        Values by field, text with one character per byte.
    declared
        What the .cpg says, None when there is none.
    as_read
        Returns the same table as the plan reads it, None when it cannot. Asked only where text
        beyond ASCII stands in it.
    """
    texts = _texts(columns)
    codec, is_known = _codec_of(texts, declared)
    broken: list[tuple[int, str]] = []
    out: dict[str, Array] = {}
    for name, values in columns.items():
        heading = _decoded_text(name, codec) or name
        column = [_decoded_text(v, codec) if isinstance(v, str) else v for v in values]
        lost = [i for i, v in enumerate(column) if v is None and isinstance(values[i], str)]
        broken += [(row, heading) for row in lost]
        for row in lost:
            column[row] = values[row].encode("latin-1").decode(codec, "replace")
        out[heading] = np.array(column, dtype=object)
    facts = TextFacts(
        declared=declared,
        codec=codec,
        as_read=_compared(out, as_read()) if texts else "same",
        is_plain=not texts,
        is_known=is_known,
        broken=tuple(broken),
    )
    return out, facts


def _texts(columns: Mapping[str, Array]) -> list[bytes]:
    """Return the distinct texts and field names beyond ASCII, as bytes."""
    found = {name for name in columns if not name.isascii()}
    for values in columns.values():
        found |= {v for v in values if isinstance(v, str) and not v.isascii()}
    return sorted(text.encode("latin-1", "replace") for text in found)


def _codec_of(texts: Sequence[bytes], declared: str | None) -> tuple[str, bool]:
    """Return the codec that reads the texts, and whether the declared one is known at all."""
    stated: str | None = None
    if declared:
        try:
            stated = named_codec({"936": "gbk", "65001": "utf-8"}.get(declared, declared))
        except InputError:
            stated = None
    is_known = stated is not None or not declared
    if _proves_utf8(texts):
        return "utf-8", is_known
    is_western = stated is not None and stated.startswith(_WESTERN)
    if stated and is_western and all(_decodes(text, stated) for text in texts):
        # Exporters declare Western codecs over Chinese text, too.
        return ("gb18030" if is_chinese_unseen(texts, stated) else stated), is_known
    try:
        return table_codec(texts, declared)[0], is_known
    except FormatError:
        # Single values are damaged; the codec that reads most of the others is meant.
        tried = [stated] if stated else []
        return max((*tried, "utf-8", "gb18030"), key=lambda c: _readable(texts, c)), is_known


def _proves_utf8(texts: Sequence[bytes]) -> bool:
    """Whether the texts are UTF-8 whatever is declared: other text passes as it by rare chance."""
    if not texts or not all(_decodes(text, "utf-8") for text in texts):
        return False
    return len(texts) > _CHANCE or any(_HAN.search(text.decode("utf-8")) for text in texts)


def _readable(texts: Sequence[bytes], codec: str) -> float:
    """Return the share of the texts that a codec reads; UTF-8 proves itself and goes first."""
    share = sum(_decodes(text, codec) for text in texts) / max(len(texts), 1)
    return 1.0 + share if codec == "utf-8" and share >= READABLE_SHARE else share


def _decodes(text: bytes, codec: str) -> bool:
    try:
        text.decode(codec)
    except UnicodeDecodeError:
        return False
    return True


def _decoded_text(value: str, codec: str) -> str | None:
    if value.isascii():
        return value
    try:
        return value.encode("latin-1").decode(codec)
    except (UnicodeDecodeError, UnicodeEncodeError):
        return None


def _compared(out: Mapping[str, Array], as_read: Mapping[str, Array] | None) -> str:
    if as_read is None:
        return "fails"
    if list(as_read) != list(out):
        return "garbled"
    for name, values in out.items():
        other = as_read[name]
        for value, seen in zip(values, other, strict=False):
            if isinstance(value, str) and isinstance(seen, str) and value != seen:
                return "garbled"
    return "same"


def encoding_findings(data: LayerData, _: Surroundings) -> Iterator[Finding]:
    """Yield what is wrong with the encoding that a table declares, or does not."""
    text = data.text
    if text.is_plain:
        return
    name = _shown(text.codec)
    advice = f"在数据文件旁放置内容为 {name} 的 .cpg，或在 plan.toml 中写 encoding"
    if text.broken:
        yield _undecodable(data)
        return
    if text.declared is None and data.entry.encoding is None:
        wrong = text.as_read != "same"
        message = f"属性表没有 .cpg，实为 {name}" + ("，目前读出的文字是乱码" if wrong else "")
        code, severity = "encoding_undeclared", ERROR if wrong else NOTE
    elif not text.is_known and data.entry.encoding is None:
        message = f".cpg 写作“{(text.declared or '')[:20]}”，无法识别，实为 {name}"
        code, severity = "encoding_unknown", WARNING if text.as_read == "same" else ERROR
    elif text.as_read != "same":
        said = data.entry.encoding or text.declared
        effect = "无法读出" if text.as_read == "fails" else "读出的文字是乱码"
        message = f"属性表声明为 {said}，实为 {name}，{effect}"
        code, severity = "encoding_wrong", ERROR
    else:
        return
    yield Finding(data.id, code, severity, message, advice=advice)


def _undecodable(data: LayerData) -> Finding:
    rows = sorted({row for row, _ in data.text.broken})
    fields = sorted({field for _, field in data.text.broken})
    return Finding(
        data.id,
        "text_undecodable",
        ERROR,
        f"{len(rows)} 个要素的字段 {'、'.join(fields)} 中有不能按 {_shown(data.text.codec)} 读出的"
        f"文字：{listed(data.names_of(rows))}",
        feature_ids=data.names_of(rows),
        value=float(len(rows)),
        unit="count",
        field=fields[0],
        location=data.spots(rows),
        advice="文字可能被截断，或混用了几种编码；改正后重新导出",
    )


def _shown(codec: str) -> str:
    known = {"utf-8": "UTF-8", "gb18030": "GBK", "gbk": "GBK", "gb2312": "GBK"}
    return known.get(codec, codec)


# --- single values -------------------------------------------------------------------------------


def garbled_findings(data: LayerData, _: Surroundings) -> Iterator[Finding]:
    """Yield the fields in which single values were garbled before they were saved."""
    names, told = data.entry.fields, set(data.text.broken)
    for field, values in data.columns.items():
        distinct = {v for v in values if isinstance(v, str) and (not v.isascii() or "??" in v)}
        bad = {value for value in distinct if is_garbled(value)}
        rows = [i for i, v in enumerate(values) if isinstance(v, str) and v in bad]
        rows = [row for row in rows if (row, field) not in told]
        if not rows:
            continue
        severity: Severity = ERROR if field in (names.id, names.cls) else WARNING
        yield Finding(
            data.id,
            "text_garbled",
            severity,
            f"字段 {field} 有 {len(rows)} 个值是乱码，如“{sorted(bad)[0][:20]}”："
            f"{listed(data.names_of(rows))}",
            feature_ids=data.names_of(rows),
            value=float(len(rows)),
            unit="count",
            field=field,
            location=data.spots(rows),
            advice="从来源数据重新取得这些值；转换编码时不要替换读不出的字符",
        )


def is_garbled(text: str) -> bool:
    """Whether a text was decoded in a wrong encoding, or lost characters, before it was saved.

    >>> is_garbled("水浇地"), is_garbled("姘存祰鍦"), is_garbled("æ°´æµ‡åœ°"), is_garbled("???")
    (False, True, True, True)
    >>> is_garbled("Elément de paysage à préserver"), is_garbled("浜北")
    (False, False)
    """
    return bool(_LEFTOVERS.search(text)) or any(
        _was_other(text, wrong) for wrong in ("latin-1", "cp1252", "gb18030")
    )


def _was_other(text: str, wrong: str) -> bool:
    """Whether undoing one wrong decoding gives Chinese."""
    try:
        data = text.encode(wrong)
    except UnicodeEncodeError:
        return False
    if data.isascii():
        return False
    if wrong != "gb18030" and is_chinese_unseen([data], "latin-1"):
        return True
    try:
        meant = data.decode("utf-8")
    except UnicodeDecodeError as problem:
        # UTF-8 read as GBK often loses its last byte.
        is_cut = wrong == "gb18030" and problem.start >= len(data) - 2
        meant = data[: problem.start].decode("utf-8") if is_cut else ""
    # One character may come out by chance: the place name 浜北 is such a case.
    least = _LEAST_HAN if wrong == "gb18030" else 1
    return len(_HAN.findall(meant)) >= least and bool(_CHINESE.match(meant))
