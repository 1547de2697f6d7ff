"""How is a number printed for people: areas, shares, lengths, differences.

Prints only; every number arrives unrounded and leaves as text.
"""

from __future__ import annotations

from gis.units import M2_PER_KM2, m2_to_ha, m2_to_km2, m2_to_mu

_UNITS = {"km2": "平方公里", "ha": "公顷", "mu": "亩", "m2": "平方米", "share": "%", "m": "米"}


PopupRow = tuple[object, object]


def area_rows(area_m2: float) -> list[PopupRow]:
    """Return the rows of a popup for an area; none for a line or point."""
    if area_m2 <= 0:
        return []
    large = area_m2 >= M2_PER_KM2
    first = f"{m2_to_km2(area_m2):,.2f} 平方公里" if large else f"{m2_to_ha(area_m2):,.2f} 公顷"
    return [("面积", f"{first}（{m2_to_mu(area_m2):,.0f} 亩）")]


def short_area(area_m2: float) -> str:
    """Return an area in the unit in which it is spoken of: km² for a town, mu for a plot."""
    if area_m2 >= M2_PER_KM2:
        return f"{m2_to_km2(area_m2):,.2f} km²"
    return f"{m2_to_mu(area_m2):,.2f} 亩"


def percent(share: float | None) -> str:
    """Return a share of 0-1 as per cent; a trace is never printed as nothing."""
    if share is None:
        return ""
    if 0 < share < 0.0005:
        return "<0.1%"
    if 0.9995 < share < 1:
        return ">99.9%"
    return f"{share * 100:.1f}%"


def two_digits(printed: float, measured: float) -> str:
    """Return a printed number; one that was rounded to nothing is a trace and says so.

    >>> two_digits(1353.16, 13531634.94), two_digits(0.0, 12.5), two_digits(0.0, 0.0)
    ('1,353.16', '<0.01', '0.00')
    """
    if measured and not round(printed, 2):
        return "<0.01" if measured > 0 else ">-0.01"
    return f"{printed:,.2f}"


def share_percent(share: float | None) -> str:
    """Return a share of 0-1 as per cent with two decimals; a trace is never printed as nothing."""
    if share is None:
        return "无数据"
    return "不足 0.01%" if 0 < share < 1e-4 else f"{share:.2%}"


def with_unit(value: float | None, unit: str, *, signed: bool = False) -> str:
    """Return a value with its Chinese unit; shares become per cent."""
    if value is None:
        return "无法计算"
    sign = "+" if signed else ""
    if unit == "share":
        return f"{value * 100:{sign}.2f} {'个百分点' if signed else '%'}"
    if unit in {"count", "个"}:
        return f"{value:{sign}.0f} 个"
    return f"{value:{sign},.2f} {_UNITS.get(unit, unit)}"
