"""Which area does the input state, in which unit, and is it that of the coordinates?

A unit that is written binds; a bare number is taken in the unit in which it comes nearest to the
computed area. What a file states is a claim; the computed area is what counts.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

from gis.errors import Fault
from gis.intake.draft import StatedArea, clean_text
from gis.model import Area, Claim, Remark
from gis.units import M2_PER_HA, M2_PER_KM2, M2_PER_MU

# Review standard: areas within 1 % agree.
AREA_TOLERANCE = 0.01
# The form has four decimals of a hectare: a square metre, of which half is rounding.
_FORM_STEP_M2 = 1.0
_FLOAT_M2 = 1e-6
# What a bare number may mean, and what people write behind one.
_BARE = {"公顷": M2_PER_HA, "平方米": 1.0, "亩": M2_PER_MU, "平方公里": M2_PER_KM2}
_UNITS = _BARE | {"万平方米": M2_PER_HA, "万亩": 1e4 * M2_PER_MU}
_SPELLED = {
    "ha": "公顷",
    "hm2": "公顷",
    "m2": "平方米",
    "平米": "平方米",
    "mu": "亩",
    "市亩": "亩",
    "km2": "平方公里",
    "平方千米": "平方公里",
    "万m2": "万平方米",
    "万平米": "万平方米",
} | {name: name for name in _UNITS}
_AREA = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d{1,3})?)([^\d.].*)?")
_THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+(?![\d,])")


@dataclass(frozen=True, slots=True)
class ComparedArea:
    """What became of a stated area: the claim in m², and whether it agrees."""

    claims: Mapping[str, Claim] = field(default_factory=dict)
    notes: tuple[Remark, ...] = ()
    warnings: tuple[Remark, ...] = ()
    fault: Fault | None = None


def read_area(text: str, *, where: str, unit: str = "") -> StatedArea:
    """Return an area as it is written.

    Parameters
    ----------
    text
        A number, with or without a unit behind it.
    where
        Where it stands, for a person.
    unit
        The unit of the heading, for numbers that have none of their own.

    Raises
    ------
    ValueError
        No positive number, or a unit that nobody knows; the message says which.
    """
    plain = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).lower()
    thousands = _THOUSANDS.match(plain)
    if thousands:
        plain = thousands[0].replace(",", "") + plain[thousands.end() :]
    shown = clean_text(text, limit=20)[0]
    found = _AREA.fullmatch(plain)
    number = float(found[1]) if found else math.nan
    if found is None or not math.isfinite(number) or number < 0:
        raise ValueError(f"面积“{shown}”不是正数")
    own = unit_named(found[2]) if found[2] else unit
    if found[2] and not own:
        raise ValueError(f"面积“{shown}”的单位不是公顷、平方米、亩或平方公里")
    return StatedArea(number, own, _step(found[1]), where)


def unit_named(text: str) -> str:
    """Return the unit that a text is, in its Chinese name; empty when it is none.

    >>> unit_named("hm²"), unit_named("㎡"), unit_named("米")
    ('公顷', '平方米', '')
    """
    return _SPELLED.get(unicodedata.normalize("NFKC", text).strip("()[] ").lower(), "")


def area_unit(stated: StatedArea, area: Area) -> str:
    """Return the unit of a stated area: the one written, else the one that comes nearest."""
    if stated.unit:
        return stated.unit
    ratio = stated.number / area.ellipsoidal_m2
    return min(_BARE, key=lambda name: abs(math.log(ratio * _BARE[name])))


def compared(stated: StatedArea | None, area: Area) -> ComparedArea:
    """Compare what a file states with the computed area, planar or ellipsoidal.

    A difference within the rounding of the number, or within the square metre of the form, is a
    note, up to 1 % a warning. Beyond 1 % it is a fault, whatever the rounding: points are missing,
    or the number belongs to another plot.
    """
    if stated is None or stated.number <= 0:
        return ComparedArea()
    unit = area_unit(stated, area)
    stated_m2 = stated.number * _UNITS[unit]
    off = min(abs(stated_m2 - c) for c in (area.ellipsoidal_m2, area.planar_m2))
    claims: dict[str, Claim] = {"declared_area_m2": stated_m2}
    said = f"文件填写的面积 {stated.number:.10g} {unit if stated.unit else f'按{unit}理解'}"
    differs = (
        f"{said}为 {stated_m2:.2f} m²，与计算面积 {area.ellipsoidal_m2:.2f} m² 相差 {off:.2f} m²"
    )
    share = off / area.ellipsoidal_m2
    if share > AREA_TOLERANCE and off > _FORM_STEP_M2 / 2:
        fault = Fault(stated.where, f"{differs}（{share:.1%}），超过 1 %")
        return ComparedArea(claims, fault=fault)
    if off <= max(_FORM_STEP_M2, stated.step / 2 * _UNITS[unit]) + _FLOAT_M2:
        return ComparedArea(claims, notes=(Remark("declared_area", f"{said}，与计算面积一致"),))
    text = f"{differs}（{share:.3%}），在 1 % 以内"
    return ComparedArea(claims, warnings=(Remark("declared_area_differs", text),))


def _step(number: str) -> float:
    """Return the value of the last decimal place of a number as written."""
    mantissa, _, exponent = number.partition("e")
    decimals = len(mantissa.partition(".")[2])
    return float(10.0 ** (int(exponent or 0) - decimals))
