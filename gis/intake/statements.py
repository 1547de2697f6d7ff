"""What does the input say about its site: name, use, attributes, area?

Statements are claims of the applicant: they are carried along as such and verified by nobody here.
Values of the wrong type are left out with a warning; their ranges are judged where they are used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gis.errors import ClaimError
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


def declared_area(number: float | None, area: Area) -> tuple[Mapping[str, Claim], list[Remark]]:
    """Return the claim ``declared_area_m2`` with the unit it was read in, and whether it agrees.

    Files state hectares by the form, but square metres and mu occur: the unit is the one in which
    the number comes nearest to the computed area, planar or ellipsoidal.
    """
    if number is None or number <= 0:
        return {}, []
    units = (("公顷", M2_PER_HA), ("平方米", 1.0), ("亩", M2_PER_MU), ("平方公里", M2_PER_KM2))
    computed = (area.ellipsoidal_m2, area.planar_m2)

    def off(unit_m2: float) -> float:
        return min(abs(number * unit_m2 - c) / c for c in computed)

    unit, unit_m2 = min(units, key=lambda row: off(row[1]))
    if off(unit_m2) > _NO_UNIT_FITS:
        unit, unit_m2 = units[0]
    stated_m2 = number * unit_m2
    if off(unit_m2) <= AREA_TOLERANCE:
        text = f"文件填写的面积 {number:g} 按{unit}理解，与计算面积相差 {off(unit_m2):.2%}"
        return {"declared_area_m2": stated_m2}, [Remark("declared_area", text)]
    text = (
        f"文件填写的面积 {number:g}（按{unit}理解为 {stated_m2:.2f} m²）与计算面积"
        f" {area.ellipsoidal_m2:.2f} m² 相差 {off(unit_m2):.1%}，超过 1 %"
    )
    return {"declared_area_m2": stated_m2}, [Remark("declared_area_differs", text)]


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
