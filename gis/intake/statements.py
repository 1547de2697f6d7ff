"""What does the input say about its site: name, use, attributes, area?

Statements are claims of the applicant: they are carried along as such and verified by nobody here.
Values of the wrong type are left out with a warning; their ranges are judged where they are used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gis.errors import ClaimError, Fault
from gis.intake.draft import clean_text, name_warning
from gis.model import Area, Claim, Remark
from gis.model.attributes import ATTRIBUTES
from gis.units import M2_PER_HA, M2_PER_KM2, M2_PER_MU

_NAME_KEYS = (
    "name",
    "名称",
    "项目名称",
    "地块名称",
    "xmmc",
    "dkmc",
    "mc",
    "title",
    "地块编号",
)
# Review standard: areas within 1 % agree.
AREA_TOLERANCE = 0.01
# Four decimals of a hectare, as the form has it.
_FORM_STEP_M2 = 1.0
_UNITS = (("公顷", M2_PER_HA), ("平方米", 1.0), ("亩", M2_PER_MU), ("平方公里", M2_PER_KM2))
# Farther off than this a declared number is no area of this site in any unit.
_NO_UNIT_FITS = 0.2


@dataclass(frozen=True, slots=True)
class Statements:
    """What a table of properties says."""

    name: str | None
    use: str | None
    claims: Mapping[str, Claim]
    warnings: tuple[Remark, ...]


def read_properties(properties: Mapping[str, Any], *, where: str) -> Statements:
    """Return name, use and attributes out of GeoJSON properties or a shapefile row.

    Keys are compared without regard to case. Values that are no plain text, number or yes/no are
    left out; for the keys that a check knows, with a warning.
    """
    lowered = {str(key).strip().lower(): value for key, value in properties.items()}
    warnings: list[Remark] = []
    name = _first_text(lowered, _NAME_KEYS)
    if name is not None:
        name, changed = clean_text(name)
        warnings += [name_warning(f"{where} 的名称")] if changed else []
    use = _use(lowered.get("use"), where)
    claims: dict[str, Claim] = {}
    for key in sorted(ATTRIBUTES.keys() & lowered.keys()):
        if lowered[key] is None or lowered[key] == "":
            continue
        value = _claim(key, lowered[key])
        if value is None:
            warnings.append(Remark("attribute_ignored", f"{where} 的属性 {key} 类型不对，未采用"))
        else:
            claims[key] = value
    return Statements(name or None, use, claims, tuple(warnings))


def _use(value: Any, where: str) -> str | None:
    """Return the use code; anything but text is refused, because a use that is lost misleads."""
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ClaimError(
            f"{where} 的属性 use 不是代码",
            expected="用地用海分类代码，如 “080403”",
            advice="改正属性 use，或在检测时给出用途",
        )
    return clean_text(str(value))[0].strip() or None


@dataclass(frozen=True, slots=True)
class StatedArea:
    """What became of the area that a file states: the claim in m², and whether it agrees."""

    claims: Mapping[str, Claim] = field(default_factory=dict)
    notes: tuple[Remark, ...] = ()
    warnings: tuple[Remark, ...] = ()
    fault: Fault | None = None


def declared_area(number: float | None, area: Area, *, where: str) -> StatedArea:
    """Compare the number that a file states with the computed area.

    Files state hectares by the form, but square metres and mu occur: the unit is the one in which
    the number comes nearest to the computed area, planar or ellipsoidal. A difference within the
    rounding of the number (or 1 m², the last decimal of the form) is a note, up to 1 % a warning,
    beyond it a fault: points are missing, or the number belongs to another plot.
    """
    if number is None or number <= 0:
        return StatedArea()
    unit, unit_m2, off = _nearest_unit(number, area)
    stated_m2 = number * unit_m2
    share = off / area.ellipsoidal_m2
    claims = {"declared_area_m2": stated_m2}
    said = f"文件填写的面积 {number:.10g} 按{unit}理解"
    if off <= max(_FORM_STEP_M2, _rounding(number) * unit_m2):
        return StatedArea(claims, notes=(Remark("declared_area", f"{said}，与计算面积一致"),))
    differs = (
        f"{said}为 {stated_m2:.2f} m²，与计算面积 {area.ellipsoidal_m2:.2f} m² 相差 {off:.2f} m²"
    )
    if share <= AREA_TOLERANCE:
        text = f"{differs}（{share:.3%}），在 1 % 以内"
        return StatedArea(claims, warnings=(Remark("declared_area_differs", text),))
    return StatedArea(claims, fault=Fault(where, f"{differs}（{share:.1%}），超过 1 %"))


def area_unit(number: float, area: Area) -> str:
    """Return in Chinese the unit in which a stated number comes nearest to the computed area."""
    return _nearest_unit(number, area)[0]


def _nearest_unit(number: float, area: Area) -> tuple[str, float, float]:
    """Return unit, its m², and how many m² the number is off in it; hectares when none fits."""
    computed = (area.ellipsoidal_m2, area.planar_m2)

    def off(unit_m2: float) -> float:
        return min(abs(number * unit_m2 - c) for c in computed)

    unit, unit_m2 = min(_UNITS, key=lambda row: off(row[1]))
    if off(unit_m2) > _NO_UNIT_FITS * area.ellipsoidal_m2:
        unit, unit_m2 = _UNITS[0]
    return unit, unit_m2, off(unit_m2)


def _rounding(number: float) -> float:
    """Half of the last decimal place of a number as written."""
    decimals = len(repr(number).partition(".")[2].rstrip("0")) if "e" not in repr(number) else 0
    return 0.5 * 10.0**-decimals


def _first_text(lowered: Mapping[str, Any], keys: Iterable[str]) -> str | None:
    for key in keys:
        value = lowered.get(key)
        if isinstance(value, bool) or not isinstance(value, str | int):
            continue
        if str(value).strip():
            return str(value).strip()
    return None


def _claim(key: str, value: Any) -> Claim | None:
    kind = ATTRIBUTES[key].kind
    if kind == "flag":
        return _flag(value)
    if kind == "word":
        return clean_text(value)[0] if isinstance(value, str) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if abs(number) < 1e15 else None


def _flag(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return {"true": True, "false": False, "是": True, "否": False}.get(value.strip().lower())
    return None
