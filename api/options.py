"""Which options of the check did the client give, in the query or in the fields of a form?

Every value is parsed here or refused with its name; what it does to a check is decided elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from gis.claims import parse_pairs
from gis.errors import ClaimError, Fault
from gis.intake.draft import clean_text
from gis.intake.encoding import named_codec
from gis.intake.position.naming import declared_by
from gis.intake.read import MAX_WIDTH_M

OPTION_NAMES = ("use", "attr", "width_m", "as_of", "repair", "which", "crs", "encoding")
_MAX_OPTION_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Options:
    """The options of one request, parsed; None means not given."""

    use: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    width_m: float | None = None
    as_of: date | None = None
    repair: bool = False
    which: int | Literal["all"] | None = None
    crs: str | None = None
    encoding: str | None = None


def read_options(
    query: Mapping[str, Sequence[str]], form: Mapping[str, Sequence[str]] | None = None
) -> Options:
    """Return the options; the query wins over a form field of the same name, key by key for attr.

    Raises
    ------
    ClaimError
        An option has an unknown name, is given twice, or has a value that cannot be read.
    """
    form = form or {}
    for source in (query, form):
        _refuse_unknown(source)
        _refuse_twice(source)
    given = {**_single(form), **_single(query)}
    attributes = {
        **parse_pairs(form.get("attr", ()), separator=":"),
        **parse_pairs(query.get("attr", ()), separator=":"),
    }
    return Options(
        use=given.get("use"),
        attributes=attributes,
        width_m=_width(given.get("width_m")),
        as_of=_day(given.get("as_of")),
        repair=_flag(given.get("repair")),
        which=_which(given.get("which")),
        crs=_crs(given.get("crs")),
        encoding=named_codec(given["encoding"]) if "encoding" in given else None,
    )


def _refuse_unknown(source: Mapping[str, Sequence[str]]) -> None:
    unknown = sorted(set(source) - set(OPTION_NAMES))
    if unknown:
        raise unknown_parameters(unknown, OPTION_NAMES)


def unknown_parameters(unknown: Sequence[str], allowed: Sequence[str]) -> ClaimError:
    """Return the error that names unknown parameters and the allowed ones."""
    shown = [clean_text(name, limit=40)[0] for name in unknown[:10]]
    return ClaimError(
        f"未知的参数：{'、'.join(shown)}",
        expected="、".join(allowed) or "没有参数",
        advice="改正参数名；项目属性写作 attr=属性名:值" if "attr" in allowed else "去掉该参数",
        faults=[Fault(f"参数 {name}", "未知的参数") for name in shown],
    )


def _refuse_twice(source: Mapping[str, Sequence[str]]) -> None:
    keys = [pair.partition(":")[0].strip() for pair in source.get("attr", ())]
    twice = [name for name, values in source.items() if name != "attr" and len(values) > 1]
    twice += sorted({f"attr={key}" for key in keys if keys.count(key) > 1})
    if twice:
        shown = [clean_text(t, limit=60)[0] for t in twice[:10]]
        raise ClaimError(
            f"参数重复：{'、'.join(shown)}",
            expected="每个参数只给一次",
            faults=[Fault(f"参数 {name}", "重复") for name in shown],
        )


def _single(source: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the single-valued options; an empty field of a form counts as not given."""
    given = {name: values[0].strip() for name, values in source.items() if name != "attr"}
    for name, value in given.items():
        if len(value) > _MAX_OPTION_LENGTH:
            raise _wrong(name, "过长", expected=f"不超过 {_MAX_OPTION_LENGTH} 个字符")
    return {name: value for name, value in given.items() if value}


def _wrong(name: str, found: str, *, expected: str) -> ClaimError:
    """Return the error about the value of one option."""
    faults = [Fault(f"参数 {name}", f"{found}，应为{expected}")]
    return ClaimError(f"参数 {name} {found}", expected=expected, faults=faults)


def _is(text: str) -> str:
    return f"为“{clean_text(text, limit=60)[0]}”"


def _width(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= MAX_WIDTH_M:
        raise _wrong("width_m", _is(text), expected=f"大于 0、不超过 {MAX_WIDTH_M:g} 的米数")
    return value


def _crs(text: str | None) -> str | None:
    """Return the name of a CRS after making sure that it is one."""
    if text is not None:
        declared_by(text)
    return text


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _wrong("as_of", _is(text), expected="日期，如 2026-11-22") from None


def _flag(text: str | None) -> bool:
    values = {None: False, "true": True, "1": True, "on": True, "false": False, "0": False}
    lowered = text.lower() if text else None
    if lowered not in values:
        raise _wrong("repair", _is(text or ""), expected="true 或 false")
    return values[lowered]


def _which(text: str | None) -> int | Literal["all"] | None:
    if text is None:
        return None
    if text == "all":
        return "all"
    if text.isascii() and text.isdigit() and 1 <= int(text) <= 100_000:
        return int(text)
    raise _wrong("which", _is(text), expected="从 1 开始的序号，或 all")
