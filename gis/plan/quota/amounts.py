"""How is an area told in a sentence? In hectares, or in square metres where it is small.

A small piece never reads as 0.00 hectares.
"""

from __future__ import annotations

from gis.units import M2_PER_HA

_SMALL_M2 = 1000.0  # under a tenth of a hectare people speak of square metres


def amount(area_m2: float, *, beside: float | None = None) -> str:
    """Return an area with its unit; ``beside`` is the area whose unit it shares.

    >>> amount(279446.7), amount(30), amount(5e6, beside=30)
    ('27.94 公顷', '30.00 平方米', '5,000,000.00 平方米')
    """
    value, unit = scaled(area_m2, area_m2 if beside is None else beside)
    return f"{value:,.2f} {unit}"


def scaled(area_m2: float, beside: float) -> tuple[float, str]:
    """Return an area and its unit, as ``beside`` is told."""
    return (area_m2, "平方米") if beside < _SMALL_M2 else (area_m2 / M2_PER_HA, "公顷")
