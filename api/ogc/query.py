"""What does a request for features ask for? Its parameters, each parsed here or refused by name.

Stricter than pygeoapi, which passes over what it does not know: a misspelt parameter that is
ignored gives a confident answer to another question. What pygeoapi reads itself is checked here and
handed on; boxes and dates are read here, because it turns boxes into the CRS of the store corner by
corner.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import shapely
from shapely.geometry.base import BaseGeometry

from api.errors import QueryError
from api.ogc.references import CRS84, Box, Reference
from gis.errors import Fault
from gis.intake.draft import clean_text

MAX_OFFSET = 10_000_000
_LONGEST = 2000
# What this module reads, so that pygeoapi does not.
OWN = frozenset(("bbox", "bbox-crs", "datetime", "filter-lang"))
ITEMS = (
    frozenset(
        (
            "f",
            "limit",
            "offset",
            "crs",
            "sortby",
            "properties",
            "skipGeometry",
            "resulttype",
            "filter",
        )
    )
    | OWN
)
ITEM = frozenset(("f", "crs"))
PLAIN = frozenset(("f",))

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INSTANT = re.compile(
    r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Period:
    """From an instant to just before another; None is open."""

    begin: datetime | None
    end: datetime | None

    def holds(self, moment: datetime) -> bool:
        """Return whether a moment lies in the period."""
        after = self.begin is None or self.begin <= moment
        return after and (self.end is None or moment < self.end)


def read_parameters(items: Sequence[tuple[str, str]], allowed: Collection[str]) -> dict[str, str]:
    """Return the parameters of a request by name.

    Raises
    ------
    QueryError
        One is unknown, given twice, empty, too long, or has a value that cannot be used.
    """
    names = [name for name, _ in items]
    if unknown := [name for name in dict.fromkeys(names) if name not in allowed]:
        shown = [clean_text(name, limit=40)[0] for name in unknown[:10]]
        raise QueryError(
            f"未知的参数：{'、'.join(shown)}",
            expected="、".join(sorted(allowed)),
            faults=[Fault(f"参数 {name}", "未知的参数") for name in shown],
        )
    for name, value in items:
        if names.count(name) > 1:
            raise wrong(name, "重复", expected="只给一次")
        if not value.strip() or len(value) > _LONGEST:
            raise wrong(name, "为空或过长", expected=f"1 至 {_LONGEST} 个字符")
    found = {name: value.strip() for name, value in items}
    _check(found)
    return found


def _check(found: Mapping[str, str]) -> None:
    """Check what is handed on to pygeoapi."""
    if found.get("f", "json") != "json":
        raise wrong("f", _is(found["f"]), expected="json：本接口只提供 JSON")
    for name, least, most in (("limit", 1, 10**9), ("offset", 0, MAX_OFFSET)):
        text = found.get(name, "1")
        if not (text.isascii() and text.isdigit() and least <= int(text[:18]) <= most):
            raise wrong(name, _is(text), expected=f"{least} 至 {most} 的整数")
    if found.get("resulttype", "hits") not in ("hits", "results"):
        raise wrong("resulttype", _is(found["resulttype"]), expected="results 或 hits")
    if found.get("skipGeometry", "true") not in ("true", "false"):
        raise wrong("skipGeometry", _is(found["skipGeometry"]), expected="true 或 false")
    if found.get("filter-lang", "cql2-text") not in ("cql2-text", "cql-text"):
        raise wrong("filter-lang", _is(found["filter-lang"]), expected="cql2-text 或 cql-text")


def parse_box(parameters: Mapping[str, str], known: Mapping[str, Reference]) -> Box | None:
    """Return the ``bbox``, read in its ``bbox-crs``; None when none is given.

    Raises
    ------
    QueryError
        No four (or six) numbers in order, or a CRS that is not offered.
    """
    text, name = parameters.get("bbox"), parameters.get("bbox-crs", CRS84)
    if text is None:
        if "bbox-crs" in parameters:
            raise wrong("bbox-crs", "没有 bbox", expected="与 bbox 同时给出")
        return None
    reference = reference_of(name, known, "bbox-crs")
    numbers = _numbers(text)
    half = len(numbers) // 2
    (west, south), (east, north) = numbers[:2], numbers[half : half + 2]
    if reference.is_north_first:
        west, south, east, north = south, west, north, east
    return Box(_outline(west, south, east, north, reference, text), reference)


def _numbers(text: str) -> list[float]:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in (4, 6) or not all(map(math.isfinite, numbers)):
        raise _wrong_box(text)
    return numbers


def _outline(
    west: float, south: float, east: float, north: float, reference: Reference, text: str
) -> BaseGeometry:
    if south > north:
        raise _wrong_box(text)
    if not reference.is_geographic:
        if west > east:
            raise _wrong_box(text)
        return shapely.box(west, south, east, north)
    if not (-180 <= west <= 180 and -180 <= east <= 180 and south >= -90 and north <= 90):
        raise _wrong_box(text)
    if west <= east:
        return shapely.box(west, south, east, north)
    # Across 180 degrees (RFC 7946, section 5.2).
    both = (shapely.box(west, south, 180, north), shapely.box(-180, south, east, north))
    return shapely.union_all(both)


def _wrong_box(text: str) -> QueryError:
    return wrong(
        "bbox",
        _is(text),
        expected="西,南,东,北 四个数（按 bbox-crs 的轴序，默认经度在前），如 115.9,36.3,116.0,36.4",
    )


def reference_of(uri: str, known: Mapping[str, Reference], parameter: str) -> Reference:
    """Return a CRS by its name; raise QueryError when it is not offered."""
    if uri not in known:
        raise wrong(parameter, _is(uri), expected="、".join(known))
    return known[uri]


def parse_period(text: str | None) -> Period | None:
    """Return the ``datetime`` of a request: a day, an instant, or an interval of these.

    Raises
    ------
    QueryError
        Anything else.
    """
    if text is None:
        return None
    parts = text.split("/")
    if len(parts) == 1:
        return _span(text, text)
    begin, end = parts if len(parts) == 2 else ("?", "?")
    period = Period(
        None if begin in ("", "..") else _span(begin, text).begin,
        None if end in ("", "..") else _span(end, text).end,
    )
    if period.begin and period.end and period.begin >= period.end:
        raise _wrong_time(text)
    return period


def _span(part: str, text: str) -> Period:
    """Return the day or the instant that a part names; both have an end."""
    try:
        if _DAY.fullmatch(part):
            day = datetime.fromisoformat(part).replace(tzinfo=UTC)
            return Period(day, day + timedelta(days=1))
        if _INSTANT.fullmatch(part):
            moment = datetime.fromisoformat(part).astimezone(UTC)
            # Records tell whole seconds.
            return Period(moment, moment + timedelta(seconds=1))
    except (ValueError, OverflowError):
        pass
    raise _wrong_time(text)


def _wrong_time(text: str) -> QueryError:
    return wrong(
        "datetime",
        _is(text),
        expected="日期、带时区的时刻或起止，如 2026-11-22、2026-11-01/2026-11-30、2026-11-01/..",
    )


def wrong(name: str, found: str, *, expected: str) -> QueryError:
    """Return the error about the value of one parameter."""
    faults = [Fault(f"参数 {name}", f"{found}，应为：{expected}")]
    return QueryError(f"参数 {name} {found}", expected=expected, faults=faults)


def _is(text: str) -> str:
    return f"为“{clean_text(text, limit=80)[0]}”"
