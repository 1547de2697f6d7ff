"""Which attributes of a project may an applicant claim, and what are good values?

The closed list that rules may refer to. Claims are shown as claims: no geometry proves them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from gis.errors import ClaimError, Fault
from gis.model.words import Claim


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute: Chinese title, number, word or flag, what is expected, parser of its text.

    ``choices`` are the values of a closed list with the words for them, ``unit`` is Chinese.
    """

    title: str
    kind: Literal["number", "word", "flag"]
    expected: str
    parse: Callable[[str], Claim]
    choices: Mapping[str, str] = field(default_factory=dict)
    unit: str = ""

    @property
    def label(self) -> str:
        """Title with its unit."""
        return f"{self.title}（{self.unit}）" if self.unit else self.title

    def accepts(self, value: Claim) -> bool:
        """Whether an applicant may claim a value, being of the right type and in its range.

        >>> ATTRIBUTES["emission_class"].accepts("zero"), ATTRIBUTES["green_rate"].accepts(35.0)
        (True, False)
        """
        if isinstance(value, bool) is not (self.kind == "flag"):  # True is a number to Python
            return False
        if isinstance(value, str) is not (self.kind == "word"):
            return False
        try:
            self.parse(str(value))
        except (ValueError, KeyError):
            return False
        return True

    def shown(self, value: Claim) -> Claim:
        """Return a value as people read it: the word of a choice, anything else as it is."""
        key = str(value).lower() if isinstance(value, bool) else value
        return self.choices.get(key, value) if isinstance(key, str) else value


def decimal_of(text: str) -> float:
    """Return the number that a text writes; ValueError also for ``1_0``, which Python takes."""
    if "_" in text:
        raise ValueError(text)
    return float(text)


def day_of(text: str) -> date:
    """Return the day that a text writes as ``2026-11-22``; ValueError for any other form.

    >>> day_of("2026-11-22")
    datetime.date(2026, 11, 22)
    """
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):  # no 20261122, no 2026-W47-7
        raise ValueError(text)
    return date.fromisoformat(text)


def _number(low: float, high: float) -> Callable[[str], Claim]:
    def parse(text: str) -> Claim:
        value = decimal_of(text)
        if not (math.isfinite(value) and low <= value <= high):
            raise ValueError(text)
        return value

    return parse


def _one_of(*allowed: str) -> Callable[[str], Claim]:
    def parse(text: str) -> Claim:
        if text not in allowed:
            raise ValueError(text)
        return text

    return parse


def _flag(text: str) -> Claim:
    return {"true": True, "是": True, "1": True, "false": False, "否": False, "0": False}[
        text.lower()
    ]


def _day(text: str) -> Claim:
    return day_of(text).isoformat()


_EMISSIONS = {"zero": "零排放", "low": "低排放", "normal": "一般"}
_SUPPLY = {"allocated": "划拨", "granted": "出让"}
_YES_NO = {"true": "是", "false": "否"}
_AMOUNT = _number(0, 1e9)
_SHARE = "0 到 1 之间的数"
ATTRIBUTES: Mapping[str, Attribute] = {
    "plot_ratio": Attribute("容积率", "number", "0 到 30 之间的数", _number(0, 30)),
    "building_density": Attribute("建筑密度", "number", _SHARE, _number(0, 1)),
    "green_rate": Attribute("绿地率", "number", _SHARE, _number(0, 1)),
    "admin_share": Attribute("行政办公及生活服务设施用地占比", "number", _SHARE, _number(0, 1)),
    "height_m": Attribute(
        "建筑高度", "number", "0 到 1000 之间的米数", _number(0, 1000), unit="米"
    ),
    "storeys": Attribute("层数", "number", "0 到 300 之间的数", _number(0, 300)),
    "floor_area_m2": Attribute(
        "总建筑面积", "number", "不小于 0 的平方米数", _AMOUNT, unit="平方米"
    ),
    "investment_wan": Attribute("总投资", "number", "不小于 0 的万元数", _AMOUNT, unit="万元"),
    "emission_class": Attribute(
        "排放等级",
        "word",
        "zero（零排放）、low（低排放）或 normal（一般）",
        _one_of(*_EMISSIONS),
        _EMISSIONS,
    ),
    "public_interest": Attribute("公共利益项目", "flag", "true 或 false", _flag, _YES_NO),
    "key_project": Attribute("重点项目", "flag", "true 或 false", _flag, _YES_NO),
    "land_supply": Attribute(
        "供地方式", "word", "allocated（划拨）或 granted（出让）", _one_of(*_SUPPLY), _SUPPLY
    ),
    "start_date": Attribute("动工开发日期", "word", "形如 2026-11-22 的日期", _day),
}


def parse_attributes(raw: Mapping[str, object]) -> dict[str, Claim]:
    """Return the attributes as typed claims.

    Raises
    ------
    ClaimError
        An unknown name or a value out of its range; all of them at once.
    """
    claims: dict[str, Claim] = {}
    faults: list[Fault] = []
    for key, value in raw.items():
        attribute = ATTRIBUTES.get(key)
        if attribute is None:
            faults.append(Fault(key, f"未知的属性；可用：{'、'.join(ATTRIBUTES)}"))
            continue
        try:
            claims[key] = attribute.parse(str(value).strip())
        except (ValueError, KeyError):
            faults.append(Fault(key, f"{attribute.title}为“{value}”，应为{attribute.expected}"))
    if faults:
        raise ClaimError(
            "；".join(f"{f.where}：{f.message}" for f in faults), advice="改正属性", faults=faults
        )
    return dict(sorted(claims.items()))
