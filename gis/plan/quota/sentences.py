"""How is it said what a site takes from a scarce kind of land? Chinese sentences; no arithmetic.

What is printed adds up as printed, and what is not known is said with its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gis.plan.quota.accounts import Kind, takes
from gis.plan.quota.amounts import amount, scaled
from gis.plan.quota.drawing import Drawn
from gis.units import round_parts

_STRAY_M2 = 0.005
_LANDS = {Kind.CONVERSION: "农用地", Kind.REPLACEMENT: "耕地"}
_KEPT = {
    Kind.DEV_BOUNDARY: "不属建设用地，不占用该项余量",
    Kind.FARMLAND: "仍为耕地，不减少该项",
    Kind.CULTIVATED: "仍为耕地，不减少该项",
    Kind.CONVERSION: "不属建设用地，不需要农用地转用",
    Kind.REPLACEMENT: "仍为耕地，不需要占补平衡",
    Kind.GREEN_WATER: "计入绿地和水域，占比不变",
}


def title_of(drawn: Drawn) -> str:
    """Return what the site does, in a few words."""
    account = drawn.account
    match account.kind:
        case Kind.CONVERSION:
            return "农用地转用"
        case Kind.REPLACEMENT:
            return "耕地占补平衡"
        case _:
            return f"占用{account.name}"


def sentence(drawn: Drawn) -> str:
    """Return what the site takes from an account, and what is left of it."""
    return _sentence(drawn) + ("（图层正在调整，仅供参考）" if drawn.account.is_changing else "")


def _sentence(drawn: Drawn) -> str:
    if drawn.lacks:
        return f"{_label(drawn)}：{drawn.lacks}，占用量未知"
    if drawn.area_m2 is None:
        return _unknown(drawn)
    if not drawn.taking:
        return _kept(drawn)
    if drawn.area_m2 <= _STRAY_M2 and drawn.held_by:
        return _held(drawn)
    text = _SENTENCES[drawn.account.kind](drawn) + _others(drawn)
    if drawn.use is None and drawn.area_m2 > _STRAY_M2:
        text += "（未说明用途，按最不利情况计）"
    return text


def _label(drawn: Drawn) -> str:
    account = drawn.account
    if account.kind is Kind.DEV_BOUNDARY and account.name != account.title:
        return account.title + account.name
    return account.name


# --- sentences -----------------------------------------------------------------------------------


def _unknown(drawn: Drawn) -> str:
    land, label = drawn.rest, _label(drawn)
    why = []
    if land.unclassed_m2 > _STRAY_M2:
        why.append(f"其中 {amount(land.unclassed_m2)}的现状地类不明")
    if land.beyond_m2 > _STRAY_M2:
        what = "超出数据覆盖范围"
        if drawn.account.kind in {Kind.CULTIVATED, Kind.CONVERSION, Kind.REPLACEMENT}:
            what = "没有现状地类"
        elif drawn.account.kind is Kind.GREEN_WATER:
            what = "没有规划用地类别"
        why.append(f"地块有 {amount(land.beyond_m2)}{what}")
    known = f"已知涉及{label} {amount(land.covered_m2)}，" if land.covered_m2 > _STRAY_M2 else ""
    head = known or f"{label}："
    return f"{head}{'，'.join(why)}，占用量未知"


def _kept(drawn: Drawn) -> str:
    return f"{_lies(drawn)}，拟建用途{_KEPT[drawn.account.kind]}"


def _held(drawn: Drawn) -> str:
    """Return that all the land that could be taken belongs to others already."""
    used = drawn.land.used_m2
    built = f"，其中 {amount(used)}已是建设用地" if used > _STRAY_M2 else ""
    reserved = amount(drawn.reserved_m2 or 0.0)
    return f"{_lies(drawn)}{built}，{reserved}已归{'、'.join(drawn.held_by)}，不另占用"


def _lies(drawn: Drawn) -> str:
    label = _LANDS.get(drawn.account.kind) or _label(drawn)
    return f"位于{label} {amount(drawn.land.covered_m2)}"


def _boundary(drawn: Drawn) -> str:
    land, label = drawn.rest, _label(drawn)
    taken, free = drawn.area_m2 or 0.0, drawn.before.free_m2
    if taken <= _STRAY_M2:
        why = "均已是建设用地，" if land.used_m2 > _STRAY_M2 else ""
        left = "" if free is None else f"；该项尚余 {amount(free)}"
        return f"{_lies(drawn)}，{why}不占用该项余量{left}"
    also = ""
    if land.used_m2 > _STRAY_M2:
        also = f"；地块内另有 {amount(land.used_m2)}已是建设用地，不计占用"
    return f"占用{label} {_left(drawn, '该项尚余')}{also}"


def _stock(drawn: Drawn) -> str:
    free, total = drawn.before.free_m2, drawn.account.total_m2
    untouched = free is None or total is None or total - free <= _STRAY_M2
    return f"占用{_label(drawn)} {_left(drawn, '现有' if untouched else '扣除已安排的尚有')}"


def _quota(drawn: Drawn) -> str:
    taken = drawn.area_m2 or 0.0
    if drawn.account.kind is Kind.CONVERSION:
        head, name = f"占用农用地 {amount(taken)}，须办理农用地转用", "农用地转用指标"
    else:
        head = f"占用耕地 {amount(taken)}{_classes(drawn)}，{_replaced_by(drawn)}"
        name = "补充耕地指标"
    if drawn.account.total_m2 is None:
        return f"{head}；{name}未提供，不能判断是否足够"
    if drawn.before.free_m2 is None:
        return f"{head}；{name}余量未知，不能判断是否足够"
    free, short = drawn.before.free_m2, drawn.shortfall_m2 or 0.0
    if short:
        lacking = amount(short, beside=taken)
        return f"{head}；{name}尚余 {amount(free, beside=taken)}，不足 {lacking}"
    before, after = summed(taken, drawn.after.free_m2 or 0.0)
    return f"{head}；{name}尚余 {before}，占用后余 {after}"


def _replaced_by(drawn: Drawn) -> str:
    """Return who replaces cultivated land that is taken, for building or for anything else."""
    if takes(Kind.CONVERSION, drawn.use):
        return "须补充数量相同、质量相当的耕地"
    return "不属非农建设，但同样纳入耕地占补管理，由县级统筹补充耕地"


def _green(drawn: Drawn) -> str:
    taken, inside = drawn.area_m2 or 0.0, drawn.rest.inside_m2
    head = f"占用规划绿地和水域 {amount(taken)}"
    if drawn.area is None:
        return f"{head}；没有核算占比的范围"
    title = drawn.area.title
    if inside <= _STRAY_M2:
        return f"{head}，不在{title}内，其占比不变"
    before, after = drawn.share(drawn.before), drawn.share(drawn.after)
    if before is None or after is None:
        return f"{head}；{title}绿地和水域占比未知"
    first, second = _shares(before, after)
    # What nobody has planned may be green, too.
    least = "" if drawn.account.open_m2 is not None else "不低于 "
    return f"{head}，{title}绿地和水域占比由{least or ' '}{first} % 降为{least or ' '}{second} %"


_SENTENCES: Mapping[Kind, Callable[[Drawn], str]] = {
    Kind.DEV_BOUNDARY: _boundary,
    Kind.FARMLAND: _stock,
    Kind.CULTIVATED: _stock,
    Kind.CONVERSION: _quota,
    Kind.REPLACEMENT: _quota,
    Kind.GREEN_WATER: _green,
}


# --- parts ---------------------------------------------------------------------------------------


def _left(drawn: Drawn, word: str) -> str:
    """Return what is taken, what was there and what is left, adding up as printed."""
    taken, after = drawn.area_m2 or 0.0, drawn.after.free_m2
    classes = _classes(drawn) if drawn.account.kind is Kind.CULTIVATED else ""
    if after is None:
        return f"{amount(taken)}{classes}，余量未知"
    before, rest = summed(taken, after)
    return f"{amount(taken)}{classes}，{word} {before}，占用后余 {rest}"


def summed(taken: float, after: float) -> tuple[str, str]:
    """Return what was there before and what is left, in the unit of what is taken, adding up.

    >>> summed(35_375.0, 143_957_754.0)
    ('14,399.31 公顷', '14,395.77 公顷')
    """
    whole, unit = scaled(taken + after, taken)
    part, _ = scaled(taken, taken)
    total, first = round(whole, 2), round(part, 2)
    return f"{total:,.2f} {unit}", f"{total - first:,.2f} {unit}"


def _classes(drawn: Drawn) -> str:
    parts = drawn.rest.parts
    if not parts:
        return ""
    taken = drawn.area_m2 or 0.0
    values = [scaled(p.area_m2, taken) for p in parts]
    # One part alone adds up by itself.
    printed = round_parts([value for value, _ in values], 2) if len(values) > 1 else [values[0][0]]
    rows = [f"{p.name or p.cls} {n:,.2f}" for p, n in zip(parts, printed, strict=True)]
    return f"（{'、'.join(rows)} {values[0][1]}）"


def _shares(before: float, after: float) -> tuple[str, str]:
    """Return both shares in per cent with as many decimals as it takes to tell them apart."""
    for digits in range(2, 7):
        first, second = f"{before * 100:.{digits}f}", f"{after * 100:.{digits}f}"
        if first != second or before == after:
            break
    return first, second


def _others(drawn: Drawn) -> str:
    reserved = drawn.reserved_m2 or 0.0
    if reserved <= _STRAY_M2 or not drawn.held_by:
        return ""
    return f"；另有 {amount(reserved)}已归{'、'.join(drawn.held_by)}，不计入可用"
