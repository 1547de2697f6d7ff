"""What may an applicant claim about a project, and is the claim well formed?

The use is a code of the 2023 land-use classification; attributes are the closed list below. Claims
are shown as claims: no geometry proves them, and nothing here judges them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from gis.errors import ClaimError, Fault
from gis.model import Claim, Site
from gis.rulebook import land_classes


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute: Chinese title, what is expected, and the parser of its text."""

    title: str
    expected: str
    parse: Callable[[str], Claim]


def _number(low: float, high: float) -> Callable[[str], Claim]:
    def parse(text: str) -> Claim:
        value = float(text)
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
    return date.fromisoformat(text).isoformat()


_SHARE = "0 到 1 之间的数"
ATTRIBUTES: Mapping[str, Attribute] = {
    "plot_ratio": Attribute("容积率", "0 到 30 之间的数", _number(0, 30)),
    "building_density": Attribute("建筑密度", _SHARE, _number(0, 1)),
    "green_rate": Attribute("绿地率", _SHARE, _number(0, 1)),
    "admin_share": Attribute("行政办公及生活服务设施用地占比", _SHARE, _number(0, 1)),
    "height_m": Attribute("建筑高度", "0 到 1000 之间的米数", _number(0, 1000)),
    "storeys": Attribute("层数", "0 到 300 之间的数", _number(0, 300)),
    "floor_area_m2": Attribute("总建筑面积", "不小于 0 的平方米数", _number(0, 1e9)),
    "investment_wan": Attribute("总投资", "不小于 0 的万元数", _number(0, 1e9)),
    "emission_class": Attribute(
        "排放等级",
        "zero（零排放）、low（低排放）或 normal（一般）",
        _one_of("zero", "low", "normal"),
    ),
    "public_interest": Attribute("公共利益项目", "true 或 false", _flag),
    "key_project": Attribute("重点项目", "true 或 false", _flag),
    "land_supply": Attribute(
        "供地方式", "allocated（划拨）或 granted（出让）", _one_of("allocated", "granted")
    ),
    "start_date": Attribute("动工开发日期", "形如 2026-11-22 的日期", _day),
}


def parse_pairs(pairs: Iterable[str], *, separator: str) -> dict[str, str]:
    """Return ``KEY=VALUE`` texts as a mapping; raise ClaimError on a pair without separator."""
    found: dict[str, str] = {}
    for pair in pairs:
        key, mark, value = pair.partition(separator)
        if not mark:
            raise ClaimError(
                f"属性“{pair}”缺少“{separator}”",
                expected=f"形如 plot_ratio{separator}1.8",
                advice="补充属性名和值",
            )
        found[key.strip()] = value.strip()
    return found


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


def check_use(code: str) -> str:
    """Return the code when it stands in the 2023 classification; raise ClaimError otherwise."""
    text = code.strip()
    if not land_classes.uses().exists(text):
        raise ClaimError(
            f"用途代码“{code[:40]}”不在《用地用海分类指南》2023 年版中",
            expected="2023 年版用地用海分类代码，如 080403（中小学用地）",
            advice="核对代码；三调地类编码不能作为用途",
        )
    return text


def with_claims(site: Site, use: str | None, attributes: Mapping[str, object] | None) -> Site:
    """Return the site with its use and attributes checked; what is given here wins.

    Precedence: the call, then what the file says. Claims of the file that are no attributes (a
    declared area, a land class) stay as they are.
    """
    chosen = use or site.use
    code = check_use(chosen) if chosen else None
    of_file = {k: v for k, v in site.claims.items() if k in ATTRIBUTES}
    other = {k: v for k, v in site.claims.items() if k not in ATTRIBUTES and k != "use"}
    claims: dict[str, Claim] = other | parse_attributes(of_file | dict(attributes or {}))
    if code:
        claims["use"] = code
    return replace(site, use=code, claims=dict(sorted(claims.items())))
