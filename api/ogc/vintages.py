"""Which span of time does the vintage of a layer name? A year, a month or a day, or none.

A vintage is written for people ("2026-11", "2022年6月", "三调 2019"), so only what is a date is
taken for one; a guess would make a client leave out layers that it asked for.
"""

from __future__ import annotations

import calendar
import re
from datetime import date

from api.ogc.sources import Interval

_PART = re.compile(
    r"(?P<year>\d{4})(?:[-./年](?P<month>\d{1,2})(?:[-./月](?P<day>\d{1,2})日?|月?)|年?)", re.ASCII
)
_BETWEEN = re.compile(r"\s*(?:/|—+|–|~|至)\s*")


def span_of(vintage: str) -> Interval | None:
    """Return from which instant to which a vintage goes, in UTC; None when it names no date.

    >>> span_of("2024")
    ('2024-01-01T00:00:00Z', '2024-12-31T23:59:59Z')
    >>> span_of("2024-02")
    ('2024-02-01T00:00:00Z', '2024-02-29T23:59:59Z')
    >>> span_of("2019至2022年6月")
    ('2019-01-01T00:00:00Z', '2022-06-30T23:59:59Z')
    >>> span_of("未注明") is None
    True
    """
    text = vintage.strip()
    whole = _days(text)
    if whole is None:
        parts = _BETWEEN.split(text)
        ends = [_days(part) for part in parts] if len(parts) == 2 else []
        if len(ends) != 2 or ends[0] is None or ends[1] is None or ends[0][0] > ends[1][1]:
            return None
        whole = ends[0][0], ends[1][1]
    first, last = whole
    return f"{first}T00:00:00Z", f"{last}T23:59:59Z"


def _days(text: str) -> tuple[date, date] | None:
    """Return the first and the last day of a year, a month or a day."""
    found = _PART.fullmatch(text)
    if found is None:
        return None
    year, month, day = (int(part) if part else None for part in found.groups())
    assert year is not None  # the pattern has it
    try:
        if month is None:
            return date(year, 1, 1), date(year, 12, 31)
        last = calendar.monthrange(year, month)[1]
        return date(year, month, day or 1), date(year, month, day or last)
    except ValueError:
        return None
