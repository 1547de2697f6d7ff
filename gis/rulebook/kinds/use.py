"""The kind that asks whether the use is welcome in the zones that the site touches.

``use_permitted`` reads a zone x use matrix. The longest code wins within a zone, the worst zone
wins over the site, and a use that no cell names is undetermined, never permitted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from gis.model import VERDICTS, Claim, Demand, Measure, Measured, Quantity, Touched, Verdict, worst
from gis.model.attributes import ATTRIBUTES
from gis.rulebook import land_classes, texts
from gis.rulebook.facts import Facts, Outcome
from gis.rulebook.kinds.exceptions import NO_USE, cap, is_coarser, longest_match
from gis.rulebook.kinds.overlap import outside_demand
from gis.rulebook.kinds.parts import (
    Part,
    about_reach,
    apart,
    area_demand,
    join_whole,
    part_of,
    tolerance_text,
    unknown_part,
)
from gis.rulebook.remembered import once
from gis.rulebook.schema import UseCell, UsePermitted, ZoneArea

_VERDICTS = {
    "permitted": Verdict.PASS,
    "conditional": Verdict.CONDITIONAL,
    "prohibited": Verdict.FAIL,
}
_OUTSIDE, _OUTSIDE_NOTE = "分区以外", "分区以外没有准入规定"
_WORDS = {"permitted": "准入", "conditional": "有条件准入", "prohibited": "不准入"}
_GROUNDS = {"statute": "规定", "plan": "功能定位", "assumption": "假定"}


@once
def zones_of(rule: UsePermitted) -> tuple[str, ...]:
    """Return the zones that the matrix knows, in its own order; drawn ones when it draws some."""
    if rule.areas:
        return tuple(area.id for area in rule.areas)
    named = (*rule.zone_names, *(zone for cell in rule.cells for zone in cell.zones))
    return tuple(dict.fromkeys(named))


@once
def cell_for(rule: UsePermitted, zone: str, use: str) -> UseCell | None:
    """Return the cell of a zone that names the use most exactly, or None."""
    cells = [c for c in rule.cells if zone in c.zones and longest_match(use, c.uses)]
    return max(cells, key=lambda c: longest_match(use, c.uses), default=None)


class _Place(NamedTuple):
    """Land of the site in one zone; where drawn zones overlap, in several; without any, outside.

    ``zones`` is None where nobody knows which they are.
    """

    zones: tuple[str, ...] | None
    land: Touched | Measure

    @property
    def area_m2(self) -> float:
        """All that the site has of it, slivers included."""
        land = self.land
        return land.area.ellipsoidal_m2 if isinstance(land, Measure) else land.area_m2


@once
def demands_of_use_permitted(rule: UsePermitted) -> tuple[Demand, ...]:
    """Area of the site in each zone, in zones that the matrix does not know, and in none."""
    if rule.areas:
        return (_drawn_demand(rule), *_unclassed_demands(rule))
    zones = (demand for _, demand in _zone_demands(rule))
    return (*zones, _unnamed_demand(rule), outside_demand(rule))


@once
def _zone_demands(rule: UsePermitted) -> tuple[tuple[str, Demand], ...]:
    return tuple(
        (zone, area_demand(rule, Quantity.INSIDE, (zone,), geometry=True))
        for zone in zones_of(rule)
    )


@once
def _drawn_demand(rule: UsePermitted) -> Demand:
    """Ask how the site divides by the drawn zones: where they overlap, land counts once."""
    lands = tuple(area_demand(rule, Quantity.INSIDE, a.classes, where=a) for a in rule.areas)
    reach = max(area.within_m for area in rule.areas)
    return replace(area_demand(rule, Quantity.INSIDE, geometry=True), within_m=reach, divided=lands)


@once
def _unclassed_demands(rule: UsePermitted) -> tuple[Demand, ...]:
    """Land around features of no class, which may belong to a drawn zone of some classes."""
    return tuple(
        area_demand(rule, Quantity.INSIDE, ("*",), excluding=True, geometry=True, where=area)
        for area in rule.areas
        if area.classes
    )


@once
def _unnamed_demand(rule: UsePermitted) -> Demand:
    return area_demand(rule, Quantity.INSIDE, zones_of(rule), excluding=True, geometry=True)


def use_permitted(rule: UsePermitted, facts: Facts) -> Outcome:
    """Judge the use in every zone that the site touches."""
    demands = demands_of_use_permitted(rule)
    places = _places(rule, facts)
    free = VERDICTS[rule.outside] is Verdict.PASS
    if facts.use is None and not (free and not any(_is_touched(p) for p in places)):
        return about_reach(rule, facts, _without_use(rule, facts, places), demands)
    parts = [_place_part(rule, facts, place, facts.use or "") for place in places]
    parts += _unclassed(rule, facts) if rule.areas else _rest(rule, facts)
    said = dict.fromkeys(
        [t.note for t in [p.trait for p in parts] if t.counts and t.note and not t.restricts]
    )
    found = join_whole(rule, facts, parts, extra={"cells": "；".join(said)})
    # What the matrix says of the zones that are touched holds for a part of the site as well.
    reason = found.clear + found.reason
    outcome = Outcome(found.verdict, reason, found.measure, found.geometry)
    return about_reach(rule, facts, outcome, demands)


def _places(rule: UsePermitted, facts: Facts) -> list[_Place]:
    """Return the land of the site zone by zone."""
    if rule.areas:
        features = facts.measures[_drawn_demand(rule)].features
        found = [_Place(_zones_of_key(rule, f.feature_id), f) for f in features]
        return sorted(found, key=lambda p: _order(rule, p.zones))
    measures = [(zone, facts.measures[demand]) for zone, demand in _zone_demands(rule)]
    return [_Place((zone,), own) for zone, own in measures if not own.is_nothing]


@once
def _order(rule: UsePermitted, zones: tuple[str, ...] | None) -> list[int]:
    """Return where drawn zones stand among others; land in none, or in unknown ones, is last."""
    order = {area.id: n for n, area in enumerate(rule.areas)}
    return [not zones, *(order[zone] for zone in zones or ())]


@once
def _zones_of_key(rule: UsePermitted, key: str) -> tuple[str, ...] | None:
    """Return the drawn zones that a key names by their places in the order."""
    try:
        return tuple(rule.areas[int(n)].id for n in key.split(",")) if key else ()
    except (ValueError, IndexError):
        return None


def _is_touched(place: _Place) -> bool:
    return place.zones != () and place.area_m2 > 0


def _rest(rule: UsePermitted, facts: Facts) -> list[Part]:
    unnamed = facts.measures[_unnamed_demand(rule)]
    off = facts.measures[outside_demand(rule)]
    parts = []
    if not unnamed.is_nothing:
        note = "其中有准入表未列明的分区"
        parts.append(part_of(unnamed, "其他分区", Verdict.UNDETERMINED, note))
    if not off.is_nothing:
        parts.append(part_of(off, _OUTSIDE, VERDICTS[rule.outside], _OUTSIDE_NOTE))
    return parts


def _unclassed(rule: UsePermitted, facts: Facts) -> list[Part]:
    measures = (facts.measures[d] for d in _unclassed_demands(rule))
    label, note = "类别未填的要素周边", "须先查明要素的类别"
    return [unknown_part(m, label, note) for m in measures if not m.is_nothing]


def _without_use(rule: UsePermitted, facts: Facts, places: Sequence[_Place]) -> Outcome:
    touched = [
        f"{_label(rule, p.zones)} {texts.percent(facts.share(p.area_m2))}"
        for p in places
        if _is_touched(p)
    ]
    where = f"地块位于：{'；'.join(touched)}" if touched else ""
    measured = Measured("area", facts.site_area_m2, "m²", facts.share(facts.site_area_m2))
    return Outcome(Verdict.UNDETERMINED, texts.join([NO_USE, where]), measured)


@once
def _label(rule: UsePermitted, zones: tuple[str, ...] | None) -> str:
    if zones is None:
        return "分区不明的部分"
    names = "、".join(rule.zone_names.get(zone, zone) for zone in zones)
    return f"{names}重叠处" if len(zones) > 1 else names or _OUTSIDE


def _place_part(rule: UsePermitted, facts: Facts, place: _Place, use: str) -> Part:
    """Return the land of a place; where zones overlap, each of them must welcome the use."""
    label = _label(rule, place.zones)
    if not place.zones:
        verdict = Verdict.UNDETERMINED if place.zones is None else VERDICTS[rule.outside]
        note = _OUTSIDE_NOTE if place.zones == () else ""
    else:
        said = [_zone_outcome(rule, facts, zone, use) for zone in place.zones]
        verdict = worst([v for v, _ in said])
        note = "；".join([text for v, text in said if v is verdict])
    land = place.land
    if isinstance(land, Measure):
        return part_of(land, label, verdict, note)
    return apart([land], label, verdict, note)


def _zone_outcome(rule: UsePermitted, facts: Facts, zone: str, use: str) -> tuple[Verdict, str]:
    """Return what the matrix says of the use in a zone, with the sentence about it."""
    cell = cell_for(rule, zone, use)
    value = facts.attributes.get(cell.attribute) if cell and cell.attribute else None
    return _told(rule, zone, use, value, type(value))


@once
def _told(
    rule: UsePermitted, zone: str, use: str, value: Claim | None, _: type
) -> tuple[Verdict, str]:
    cell = cell_for(rule, zone, use)
    verdict, text = _cell_outcome(cell, value) if cell else _without_cell(rule, zone, use)
    return verdict, f"{_label(rule, (zone,))}：{land_classes.use_label(use)}{text}"


def _without_cell(rule: UsePermitted, zone: str, use: str) -> tuple[Verdict, str]:
    if any(zone in c.zones and is_coarser(use, c.uses) for c in rule.cells):
        return Verdict.UNDETERMINED, "不够细，准入表按下级用途规定，须补充到下级分类代码"
    return Verdict.UNDETERMINED, rule.unlisted


def _cell_outcome(cell: UseCell, value: Claim | None) -> tuple[Verdict, str]:
    assumed = cell.origin == "assumption"
    doubt = "" if cell.verified else "，原文尚未核实"
    ground = f"（{_GROUNDS[cell.origin]}：{cell.phrase}{doubt}）"
    verdict, word = _VERDICTS[cell.verdict], _WORDS[cell.verdict]
    if cell.attribute:
        title = f"{ATTRIBUTES[cell.attribute].title}（{cell.attribute}）"
        if value is not None and value in cell.refused:
            verdict, word = Verdict.FAIL, f"不准入，申报的{title} = {value}"
        elif value is None or value not in cell.accepted:
            said = f"须先说明{title}。{cell.condition}{ground}"
            return Verdict.UNDETERMINED, said
    if verdict is Verdict.FAIL and not cell.verified:
        word = f"可能{word}"  # nobody has read the text: it can only be asked
    condition = f"，条件：{cell.condition}" if verdict is Verdict.CONDITIONAL else ""
    return cap(verdict, unsure=assumed or not cell.verified), f"{word}{condition}{ground}"


@once
def threshold_of_use_permitted(rule: UsePermitted) -> str:
    """Say what the rule allows."""
    drawn = "、".join(_drawn(rule, area) for area in rule.areas)
    where = f"；分区自图层要素外缘起：{drawn}" if drawn else ""
    return f"用途应列入所在各分区的准入表{where}（{tolerance_text(rule)}）"


def _drawn(rule: UsePermitted, area: ZoneArea) -> str:
    """Say how far from the features a drawn zone reaches."""
    reach = f"{texts.metres(area.within_m)}以内"
    if area.beyond_m:
        reach = f"{texts.metres(area.beyond_m)}～{texts.metres(area.within_m)}"
    return f"{rule.zone_names.get(area.id, area.id)} {reach}"
