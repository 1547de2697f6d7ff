"""Do the figures that the plan's own documents state agree with the geometry?

Each stated figure stands beside the computed one with everything that explains it: definition,
denominator, layer and date, tolerance, and the reason of a difference. A difference that another
way of measuring would explain is named as such, and is still a difference.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
from shapely.geometry.base import BaseGeometry

from gis.crs import DENSIFY_M, densified, gauss_kruger, transform
from gis.errors import CrsError, NotFoundError
from gis.model import Area, LayerState
from gis.plan.balance import DEFAULT_DEFINITION, LandBalance, definition_text
from gis.plan.land.rows import share_text
from gis.plan.schema import Stated
from gis.units import M2_PER

if TYPE_CHECKING:
    from gis.plan.area import Plan

UNITS = {"km2": "km²", "ha": "公顷", "mu": "亩", "m2": "m²"}
_WEB_MERCATOR = 3857


class Reason(StrEnum):
    """Why the computed figure is not the stated one, or why it is."""

    EQUAL = "equal"
    ROUNDING = "rounding"
    AREA_BASIS = "area_basis"
    MISMATCH = "mismatch"
    UNDETERMINED = "undetermined"
    NO_DATA = "no_data"


@dataclass(frozen=True, slots=True)
class Figure:
    """A stated figure beside the computed one.

    ``computed`` and ``difference`` are None when the layer has no data; ``reason`` says why, or
    how large the difference is against ``tolerance``, the rounding of the stated value in its
    unit. ``agrees`` is False when there is nothing to compare, or the difference exceeds it.
    Where a layer does not cover all of the denominator, ``computed`` is what the share is at least
    and ``computed_max`` what it is at most. Areas are given in m² by both formulas; ``layer`` is
    what was measured.
    """

    id: str
    title: str
    stated: float
    computed: float | None
    unit: str
    definition: str
    denominator: str
    difference: float | None
    reason: str
    source: str
    agrees: bool
    reason_code: Reason = Reason.NO_DATA
    tolerance: float = 0.0
    computed_max: float | None = None
    ellipsoidal_m2: float | None = None
    planar_m2: float | None = None
    denominator_m2: float | None = None
    layer: str = ""
    layer_title: str = ""
    vintage: str = ""
    status: str = ""


def figure_of(plan: Plan, stated: Stated) -> Figure:
    """Return one stated figure beside the computed one."""
    if stated.measure == "green_water_share":
        return _share(plan, stated)
    return _area(plan, stated)


def _blank(plan: Plan, stated: Stated, title: str, definition: str) -> Figure:
    """Return the figure before anything is computed."""
    info = plan.layer(stated.layer).info
    return Figure(
        id=stated.id,
        title=stated.title or title,
        stated=stated.value,
        computed=None,
        unit=stated.unit,
        definition=definition,
        denominator=plan.layer(stated.within).info.title if stated.within else "",
        difference=None,
        reason="",
        source=stated.source,
        agrees=False,
        tolerance=stated.tolerance,
        layer=info.id,
        layer_title=info.title,
        vintage=info.vintage,
        status=info.status,
    )


def _lacking(plan: Plan, stated: Stated) -> str:
    names = [n for n in (stated.layer, stated.within) if n is not None]
    layers = {name: plan.layer(name) for name in names}
    usable = {n for n, x in layers.items() if x.state is LayerState.CHECKED and len(x.index)}
    lacking = [n for n in names if n not in usable]
    return f"图层 {'、'.join(lacking)} 无数据，无法计算" if lacking else ""


def _area(plan: Plan, stated: Stated) -> Figure:
    title = plan.layer(stated.layer).info.title
    figure = _blank(plan, stated, title, title + "的椭球面积")
    if lacking := _lacking(plan, stated):
        return replace(figure, reason=lacking)
    area = plan.area_of(stated.layer)
    found = _compared(stated, figure, area.ellipsoidal_m2 / M2_PER[stated.unit])
    found = replace(found, ellipsoidal_m2=area.ellipsoidal_m2, planar_m2=area.planar_m2)
    if found.agrees:
        return found
    shape = plan.layer(stated.layer).index.union
    for basis, m2 in _other_bases(shape, area, plan.work_epsg):
        value = m2 / M2_PER[stated.unit]
        if _within_rounding(stated, value):
            text = f"公布值与{basis}面积 {amount(value, stated.unit)} 相符，与法定的椭球面积不符"
            return replace(found, reason=text, reason_code=Reason.AREA_BASIS)
    return found


def _share(plan: Plan, stated: Stated) -> Figure:
    letter = stated.definition or DEFAULT_DEFINITION
    # The title of the layer would mislead.
    figure = _blank(plan, stated, "绿地和水域占比", f"口径 {letter}：{definition_text(letter)}")
    if lacking := _lacking(plan, stated):
        return replace(figure, reason=lacking)
    try:
        balance = plan.land_balance(stated.within, definition=letter)
    except NotFoundError as problem:
        return replace(figure, reason=f"{problem.found}，无法计算")
    return _compared_share(stated, figure, balance)


def _compared_share(stated: Stated, figure: Figure, balance: LandBalance) -> Figure:
    info, found = balance.source, balance.share_range
    figure = replace(
        figure,
        denominator=balance.area.title,
        denominator_m2=balance.denominator_m2,
        layer=info.id,
        layer_title=info.title,
        vintage=info.vintage,
        status=info.status,
    )
    share = balance.green_water_share
    if share is None:
        return replace(figure, reason=f"图层“{info.title}”没有覆盖{balance.area.title}，无法计算")
    figure = _compared(stated, figure, share)
    if found.is_exact:
        return figure
    text = f"图层未覆盖全部范围，计算值为{share_text(share, found)}"
    figure = replace(figure, computed_max=found.high)
    ends = (found.low, found.high)
    if all(_within_rounding(stated, end) for end in ends) or not _may_be(stated, *ends):
        return replace(figure, reason=f"{text}；{figure.reason}")
    text += f"，未知土地全部计入则为 {found.high:.2%}，无法判定是否与公布值相符"
    return replace(figure, reason=text, reason_code=Reason.UNDETERMINED, agrees=False)


# --- comparison ----------------------------------------------------------------------------------


def _compared(stated: Stated, figure: Figure, computed: float) -> Figure:
    difference = computed - stated.value
    agrees = _within_rounding(stated, computed)
    room = f"±{amount(stated.tolerance, stated.unit)}"
    if abs(difference) <= _same(stated):
        code, text = Reason.EQUAL, "一致"
    elif agrees:
        code, text = Reason.ROUNDING, f"差异在公布值取整范围内（{room}）"
    else:
        code = Reason.MISMATCH
        shown = amount(difference, stated.unit, signed=True)
        text = f"差异 {shown} 超出公布值取整范围（{room}），请核对边界或口径"
    return replace(
        figure,
        computed=computed,
        difference=difference,
        agrees=agrees,
        reason_code=code,
        reason=text,
    )


def _same(stated: Stated) -> float:
    return 1e-9 * max(1.0, abs(stated.value))


def _within_rounding(stated: Stated, computed: float) -> bool:
    difference = abs(computed - stated.value)
    near = difference <= max(stated.tolerance, _same(stated))
    return near or math.isclose(difference, stated.tolerance)


def _may_be(stated: Stated, low: float, high: float) -> bool:
    """Whether some value of a range would agree."""
    return _within_rounding(stated, min(max(stated.value, low), high))


def _other_bases(shape: BaseGeometry, area: Area, epsg: int) -> Iterator[tuple[str, float]]:
    """Yield the areas that others may have taken for it, with their names, m²."""
    yield f"工作坐标系（EPSG:{epsg}）平面", area.planar_m2
    dense = densified(np.array([shape]), DENSIFY_M)[0]
    for code, name in (*_neighbours(epsg), (_WEB_MERCATOR, "网络墨卡托（EPSG:3857）平面")):
        try:
            yield name, float(transform(dense, epsg, code).area)
        except CrsError:  # too far away to be meant
            continue


def _neighbours(epsg: int) -> Iterator[tuple[int, str]]:
    own = gauss_kruger(epsg)
    for code in (epsg - 1, epsg + 1):
        zone = gauss_kruger(code)
        if own and zone and (zone.width, zone.prefixed) == (own.width, own.prefixed):
            name = f"邻带（EPSG:{code}，中央经线 {zone.central_meridian:g}°）平面"
            yield code, name


def amount(value: float, unit: str, *, signed: bool = False) -> str:
    """Return a value with its unit, in the digits that people compare.

    >>> amount(0.05, "km2"), amount(-0.0123, "share", signed=True)
    ('0.05 km²', '-1.23 个百分点')
    """
    sign = "+" if signed else ""
    if unit == "share":
        return f"{_short(100 * value, 4, sign)} 个百分点"
    return f"{_short(value, 6, sign)} {UNITS[unit]}"


def _short(value: float, digits: int, sign: str) -> str:
    """Return a number without the zeros that say nothing."""
    text = f"{value:{sign},.{digits}f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "+0") else text
