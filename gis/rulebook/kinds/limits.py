"""How is a number compared with the limit of a rule, and how do both read?

A value that equals its limit keeps it, whatever the last bit says.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

# A claim such as a plot ratio is a quotient; the last bits of a double are no violation.
_RELATIVE = 1e-9
NOT_PUBLISHED = "规划参数“{title}”未公布，须由主管部门录入"


@dataclass(frozen=True, slots=True)
class Bounds:
    """Least and most, None where there is no bound, in ``unit`` (Chinese, may be empty)."""

    least: float | None
    most: float | None
    unit: str = ""

    def holds(self, value: float) -> bool:
        """Whether a value keeps both bounds; exactly at a bound it does."""
        low = self.least is None or value > self.least or is_equal(value, self.least)
        high = self.most is None or value < self.most or is_equal(value, self.most)
        return low and high

    def text(self) -> str:
        """Return the bounds as read: one number, or both with a dash.

        >>> Bounds(1.0, 1.1).text(), Bounds(None, 24.0, "米").text()
        ('1～1.1', '24 米')
        """
        given = [number(b) for b in (self.least, self.most) if b is not None]
        return with_unit("～".join(given), self.unit)

    def sentence(self) -> str:
        """Return what the bounds ask for.

        >>> Bounds(1.0, 1.1).sentence()
        '不低于 1、不超过 1.1'
        """
        asked = []
        if self.least is not None:
            asked.append(f"不低于 {with_unit(number(self.least), self.unit)}")
        if self.most is not None:
            asked.append(f"不超过 {with_unit(number(self.most), self.unit)}")
        return "、".join(asked)


def is_equal(value: float, limit: float) -> bool:
    """Whether two numbers are the same but for rounding.

    >>> is_equal(0.1 + 0.7, 0.8), is_equal(0.7999, 0.8)
    (True, False)
    """
    return math.isclose(value, limit, rel_tol=_RELATIVE, abs_tol=0.0)


def number(value: float) -> str:
    """Return a number with as many decimals as it takes, at least four when it has them.

    >>> number(0.35), number(12000.0), number(1 / 3), number(0.79999)
    ('0.35', '12,000', '0.3333', '0.79999')
    """
    for digits in (4, 6, 9):
        text = f"{value:,.{digits}f}".rstrip("0").rstrip(".")
        # Rounding must not turn a number into another one that looks exact.
        if abs(value - float(text.replace(",", ""))) <= 1e-4 * abs(value) and (
            len(text.partition(".")[2]) >= digits or is_equal(value, float(text.replace(",", "")))
        ):
            return text
    return repr(value)


def with_unit(text: str, unit: str) -> str:
    """Return a printed number with its unit, if it has one."""
    return f"{text} {unit}" if unit else text
