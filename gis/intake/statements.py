"""What does the input say about its site: name, use, attributes?

Statements are claims of the applicant: they are carried along as such and verified by nobody here.
Values of the wrong type are left out with a warning; their ranges are judged where they are used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gis.errors import Fault
from gis.intake.draft import clean_text, name_warning
from gis.model import Claim, Remark
from gis.model.attributes import ATTRIBUTES

NAME_KEYS = (
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


@dataclass(frozen=True, slots=True)
class Statements:
    """What a table of properties says."""

    name: str | None
    use: str | None
    claims: Mapping[str, Claim]
    warnings: tuple[Remark, ...]
    faults: tuple[Fault, ...] = ()


def read_properties(properties: Mapping[str, Any], *, where: str) -> Statements:
    """Return name, use and attributes out of GeoJSON properties or a shapefile row.

    Keys are compared without regard to case. Values that are no plain text, number or yes/no are
    left out; for the keys that a check knows, with a warning. A use of another type is a fault of
    the site.
    """
    lowered = {str(key).strip().lower(): value for key, value in properties.items()}
    warnings: list[Remark] = []
    name = _first_text(lowered, NAME_KEYS)
    if name is not None:
        name, changed = clean_text(name)
        warnings += [name_warning(f"{where} 的名称")] if changed else []
    use, faults = _use(lowered.get("use"), where)
    claims: dict[str, Claim] = {}
    for key in sorted(ATTRIBUTES.keys() & lowered.keys()):
        if lowered[key] is None or lowered[key] == "":
            continue
        value = _claim(key, lowered[key])
        if value is None:
            warnings.append(Remark("attribute_ignored", f"{where} 的属性 {key} 类型不对，未采用"))
        else:
            claims[key] = value
    return Statements(name or None, use, claims, tuple(warnings), faults)


def _use(value: Any, where: str) -> tuple[str | None, tuple[Fault, ...]]:
    """Return the use code; anything but text is a fault, because a use that is lost misleads."""
    if value is None or value == "":
        return None, ()
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None, (Fault(where, "属性 use 不是用地用海分类代码（如“080403”）"),)
    return clean_text(str(value))[0].strip() or None, ()


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
