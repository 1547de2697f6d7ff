"""What is looked for, and does the call make sense in this plan?

A query is checked in full before any land is looked at, so that a slip is told in one sentence.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from gis.check import legal_day
from gis.claims import check_use
from gis.errors import ClaimError, NotFoundError
from gis.model import Claim, LayerState
from gis.model.attributes import parse_attributes
from gis.plan import Plan
from gis.plan.areas import find_area
from gis.plan.budgets import budgets
from gis.rulebook import land_classes
from gis.siting.criteria import weights_of
from gis.units import m2_to_mu, mu_to_m2

MOST = 20
# Less is a slip of the pen, and smaller than any cell.
LEAST_MU = 0.01


@dataclass(frozen=True, slots=True)
class Query:
    """A wish for land, checked.

    Areas in mu, distances in metres; ``away`` by layer id, ``keep`` by budget id. ``within`` is the
    polygon to look in, in the work CRS, and ``within_title`` what it is called.
    """

    use: str
    area_mu: float
    zone: str | None
    min_width_m: float | None
    near_road_m: float | None
    away: Mapping[str, float]
    keep: Mapping[str, float]
    attributes: Mapping[str, Claim]
    as_of: date
    most: int
    weights: Mapping[str, float]
    cell_m: float | None
    within_title: str
    within: BaseGeometry = field(compare=False, repr=False)

    @property
    def wanted_m2(self) -> float:
        """The wanted area in m², on the ellipsoid."""
        return mu_to_m2(self.area_mu)

    @property
    def use_label(self) -> str:
        """The use as people read it."""
        return land_classes.use_label(self.use)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "use": self.use,
            "use_label": self.use_label,
            "area_mu": self.area_mu,
            "area_m2": round(self.wanted_m2, 2),
            "zone": self.zone,
            "within": self.within_title,
            "min_width_m": self.min_width_m,
            "near_road_m": self.near_road_m,
            "away": dict(self.away),
            "keep": dict(self.keep),
            "attributes": dict(self.attributes),
            "as_of": self.as_of.isoformat(),
            "most": self.most,
            "weights": {name: round(value, 4) for name, value in self.weights.items()},
        }


def query_of(
    plan: Plan,
    *,
    use: str,
    area_mu: float,
    zone: str | None = None,
    min_width_m: float | None = None,
    near_road_m: float | None = None,
    away: Mapping[str, float] | None = None,
    keep: Mapping[str, float] | None = None,
    attributes: Mapping[str, object] | None = None,
    as_of: date | None = None,
    most: int = 5,
    weights: Mapping[str, float] | None = None,
    cell_m: float | None = None,
) -> Query:
    """Return the checked query; parameters as for ``find_sites``.

    Raises
    ------
    ClaimError
        What the call asks for does not exist in this plan, or cannot be.
    """
    title, polygon = _within(plan, zone)
    wanted = _positive("面积", area_mu, "亩")
    width = None if min_width_m is None else _positive("最小宽度", min_width_m, "米")
    _check_size(wanted, width, title, polygon, plan)
    road = None if near_road_m is None else _positive("距道路的距离", near_road_m, "米")
    if road is not None and not any(len(x.index) for x in plan.with_role("road")):
        raise ClaimError("规划数据包没有可用的道路图层，不能按距道路的距离找地")
    if isinstance(most, bool) or not isinstance(most, int) or not 1 <= most <= MOST:
        raise ClaimError(f"候选地块数“{most}”不可用", expected=f"1 到 {MOST} 的整数")
    return Query(
        use=check_use(str(use)),
        area_mu=wanted,
        zone=zone,
        min_width_m=width,
        near_road_m=road,
        away={name: _away(plan, name, m) for name, m in sorted((away or {}).items())},
        keep=_kept(plan, keep or {}),
        attributes=dict(sorted(parse_attributes(attributes or {}).items())),
        as_of=as_of or legal_day(),
        most=most,
        weights=weights_of(weights),
        cell_m=None if cell_m is None else _positive("单元边长", cell_m, "米"),
        within_title=title,
        within=polygon,
    )


def _positive(what: str, value: object, unit: str) -> float:
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    if not math.isfinite(number) or number <= 0:
        raise ClaimError(f"{what}为“{str(value)[:40]}”", expected=f"大于 0 的数（{unit}）")
    return float(number)


def _within(plan: Plan, zone: str | None) -> tuple[str, BaseGeometry]:
    """Return where to look: the planning area, as far as the zone goes."""
    known = [x for x in plan.with_role("planning_area") if len(x.index)]
    whole = known[0].index.union if known else plan.bounds_polygon
    if zone is None:
        return (known[0].info.title if known else "规划数据范围"), whole
    try:
        area = find_area(plan, zone)
    except NotFoundError as error:
        raise ClaimError(error.found, expected=error.expected, advice=error.advice) from None
    parts = shapely.get_parts(shapely.get_parts(shapely.intersection(whole, area.polygon)))
    land = shapely.union_all(parts[shapely.get_dimensions(parts) == 2])
    if land.is_empty:
        raise ClaimError(f"范围“{area.title}”不在规划范围内", advice="换一个分区")
    return area.title, land


def _check_size(
    wanted_mu: float, width_m: float | None, title: str, polygon: BaseGeometry, plan: Plan
) -> None:
    wanted = mu_to_m2(wanted_mu)
    if wanted_mu < LEAST_MU:
        raise ClaimError(f"面积 {wanted_mu:g} 亩太小", expected=f"不小于 {LEAST_MU:g} 亩")
    if wanted > polygon.area:
        there = f"{m2_to_mu(float(polygon.area)):,.2f} 亩"
        raise ClaimError(
            f"面积 {wanted_mu:,.2f} 亩大于{title}的总面积 {there}",
            expected=f"不超过 {there}",
            advice="减小面积，或者不限定分区" if plan.with_role("zone") else "减小面积",
        )
    if width_m is not None and width_m**2 > wanted * (1 + 1e-9):
        raise ClaimError(
            f"最小宽度 {width_m:g} 米的正方形已有 {m2_to_mu(width_m**2):,.2f} 亩，"
            f"大于所需面积 {wanted_mu:,.2f} 亩",
            expected=f"不超过 {math.floor(math.sqrt(wanted))} 米的宽度",
            advice="减小最小宽度，或者增大面积",
        )


def _away(plan: Plan, name: str, metres: object) -> float:
    if name not in plan.layers:
        raise ClaimError(
            f"没有图层“{str(name)[:40]}”", expected="、".join(plan.layers), advice="核对图层 id"
        )
    if plan.layers[name].state is not LayerState.CHECKED:
        raise ClaimError(f"图层“{name}”无数据，不能要求与其保持距离")
    return _positive(f"与图层“{name}”的距离", metres, "米")


def _kept(plan: Plan, keep: Mapping[str, float]) -> dict[str, float]:
    if not keep:
        return {}
    free = {b.id: b.amounts.free_m2 for b in budgets(plan)}
    for name in keep:
        own = [m2 for key, m2 in free.items() if belongs_to(key, name)]
        if not own:
            known = dict.fromkeys(k for key in free for k in (key.partition(":")[0], key))
            raise ClaimError(f"没有指标“{str(name)[:40]}”", expected="、".join(known))
        if any(m2 is None for m2 in own):
            raise ClaimError(f"指标“{name}”的剩余数量未知，不能要求保留", advice="先补充指标数据")
    return {name: _positive(f"保留的指标“{name}”", mu, "亩") for name, mu in sorted(keep.items())}


def belongs_to(account: str, name: str) -> bool:
    """Whether an account is the one of a name, or one of its kinds.

    >>> belongs_to("dev_boundary:410", "dev_boundary"), belongs_to("farmland", "farm")
    (True, False)
    """
    return account == name or account.startswith(f"{name}:")
