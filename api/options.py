"""Which options of the check did the client give, in the query or in the fields of a form?

Every value is parsed here or refused with its name, all that are wrong at once; what it does to a
check is decided elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Literal, TypeVar

from gis.claims import check_use, parse_attributes, parse_pairs
from gis.errors import ClaimError, Fault, InputError
from gis.intake.draft import clean_text
from gis.intake.encoding import named_codec
from gis.intake.position.naming import declared_by
from gis.intake.read import MAX_WIDTH_M
from gis.model.attributes import day_of, decimal_of

_Given = TypeVar("_Given")
_Value = TypeVar("_Value")
OPTION_NAMES = (
    "use",
    "attr",
    "width_m",
    "as_of",
    "repair",
    "which",
    "crs",
    "encoding",
    "geometry",
    "remedies",
)
_MAX_OPTION_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Options:
    """The options of one request, parsed; None means not given.

    ``geometry`` False leaves all outlines out of the answer, ``remedies`` False the search for
    outlines that would comply; neither changes what is decided.
    """

    use: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    width_m: float | None = None
    as_of: date | None = None
    repair: bool = False
    which: int | Literal["all"] | None = None
    crs: str | None = None
    encoding: str | None = None
    geometry: bool = True
    remedies: bool = True


def read_options(
    query: Mapping[str, Sequence[str]], form: Mapping[str, Sequence[str]] | None = None
) -> Options:
    """Return the options; the query wins over a form field of the same name, key by key for attr.

    Raises
    ------
    ClaimError
        Options have an unknown name, are given twice, or have a value that cannot be read.
    CrsError
        Only the CRS is wrong.
    """
    reader = _Reader()
    for source in (form or {}, query):
        reader.take(source)
    options = Options(
        use=reader.value("use", _use),
        attributes=reader.attributes(),
        width_m=reader.value("width_m", _width),
        as_of=reader.value("as_of", _day),
        repair=reader.flag("repair", default=False),
        which=reader.value("which", _which),
        crs=reader.value("crs", _crs),
        encoding=reader.value("encoding", named_codec),
        geometry=reader.flag("geometry", default=True),
        remedies=reader.flag("remedies", default=True),
    )
    reader.refuse()
    return options


class _Reader:
    """Takes the options of query and form, and collects what is wrong with them."""

    def __init__(self) -> None:
        self.given: dict[str, str] = {}
        self.pairs: dict[str, str] = {}
        self.errors: list[InputError] = []
        self.faults: list[Fault] = []

    def take(self, source: Mapping[str, Sequence[str]]) -> None:
        """Take one source; what it gives wins over those before."""
        self._ask("", _refuse_unknown, source)
        self._ask("", _refuse_twice, source)
        for name in OPTION_NAMES:
            # An empty field of a form counts as not given.
            value = source[name][0].strip() if name != "attr" and name in source else ""
            self.given |= {name: value} if value else {}
        self.pairs |= self._ask("attr", _pairs, source.get("attr", ())) or {}

    def value(self, name: str, parse: Callable[[str], _Value]) -> _Value | None:
        """Return the value of one option, None when it is not given or wrong."""
        text = self.given.get(name)
        if text is None:
            return None
        if len(text) > _MAX_OPTION_LENGTH:
            expected = f"不超过 {_MAX_OPTION_LENGTH} 个字符"
            self._add(name, _wrong(name, "过长", expected=expected))
            return None
        return self._ask(name, parse, text)

    def flag(self, name: str, *, default: bool) -> bool:
        """Return a yes or no; the default when it is not given or wrong."""
        value = self.value(name, partial(_flag, name))
        return default if value is None else value

    def attributes(self) -> Mapping[str, str]:
        """Return the attributes as given, after making sure that each of them is one."""
        self._ask("attr", parse_attributes, self.pairs)
        return self.pairs

    def refuse(self) -> None:
        """Raise one error for all that is wrong, the only one as it is."""
        if len(self.errors) == 1:
            raise self.errors[0]
        if self.errors:
            found = "；".join(dict.fromkeys(error.found for error in self.errors))
            raise ClaimError(found, advice="改正所列的参数", faults=self.faults)

    def _ask(self, name: str, parse: Callable[[_Given], _Value], given: _Given) -> _Value | None:
        try:
            return parse(given)
        except InputError as error:
            self._add(name, error)
            return None

    def _add(self, name: str, error: InputError) -> None:
        self.errors.append(error)
        whole = f"{error.found}；应为：{error.expected}" if error.expected else error.found
        self.faults += error.faults or [Fault(f"参数 {name}", whole)]


def _pairs(texts: Sequence[str]) -> dict[str, str]:
    return parse_pairs(texts, separator=":")


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


def _wrong(name: str, found: str, *, expected: str) -> ClaimError:
    """Return the error about the value of one option."""
    faults = [Fault(f"参数 {name}", f"{found}，应为{expected}")]
    return ClaimError(f"参数 {name} {found}", expected=expected, faults=faults)


def _is(text: str) -> str:
    return f"为“{clean_text(text, limit=60)[0]}”"


def _use(text: str) -> str:
    """Return a use as given after making sure that it is one."""
    check_use(text)
    return text


def _width(text: str) -> float:
    try:
        value = decimal_of(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= MAX_WIDTH_M:
        raise _wrong("width_m", _is(text), expected=f"大于 0、不超过 {MAX_WIDTH_M:g} 的米数")
    return value


def _crs(text: str) -> str:
    """Return the name of a CRS after making sure that it is one."""
    declared_by(text)
    return text


def _day(text: str) -> date:
    try:
        return day_of(text)
    except ValueError:
        raise _wrong("as_of", _is(text), expected="日期，如 2026-11-22") from None


def _flag(name: str, text: str) -> bool:
    values = {"true": True, "1": True, "on": True, "false": False, "0": False}
    if text.lower() not in values:
        raise _wrong(name, _is(text), expected="true 或 false")
    return values[text.lower()]


def _which(text: str) -> int | Literal["all"]:
    if text == "all":
        return "all"
    if text.isascii() and text.isdigit() and 1 <= int(text) <= 100_000:
        return int(text)
    raise _wrong("which", _is(text), expected="从 1 开始的序号，或 all")
