"""The kind that asks whether the use is welcome in the zones that the site touches.

``use_permitted`` reads a zone x use matrix. The longest code wins within a zone, the worst zone
wins over the site, and a use that no cell names is undetermined, never permitted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from gis.model import Demand, Measured, Quantity, Verdict
from gis.model.attributes import ATTRIBUTES
from gis.rulebook import land_classes, texts
from gis.rulebook.facts import Facts, Outcome
from gis.rulebook.kinds.overlap import outside_demand
from gis.rulebook.kinds.parts import (
    NO_USE,
    Part,
    about_reach,
    area_demand,
    cap,
    is_coarser,
    join_whole,
    longest_match,
    part_of,
    tolerance_text,
    unknown_part,
)
from gis.rulebook.schema import UseCell, UsePermitted, ZoneArea

_VERDICTS = {
    "permitted": Verdict.PASS,
    "conditional": Verdict.CONDITIONAL,
    "prohibited": Verdict.FAIL,
}
# Areas of the parts and of the whole are summed apart and differ by rounding.
_ROUNDING = 1e-6
_WORDS = {"permitted": "准入", "conditional": "有条件准入", "prohibited": "不准入"}
_GROUNDS = {"statute": "规定", "plan": "功能定位", "assumption": "假定"}


def zones_of(rule: UsePermitted) -> tuple[str, ...]:
    """Return the zones that the matrix knows, in its own order; drawn ones when it draws some."""
    if rule.areas:
        return tuple(area.id for area in rule.areas)
    named = (*rule.zone_names, *(zone for cell in rule.cells for zone in cell.zones))
    return tuple(dict.fromkeys(named))


def cell_for(rule: UsePermitted, zone: str, use: str) -> UseCell | None:
    """Return the cell of a zone that names the use most exactly, or None."""
    cells = [c for c in rule.cells if zone in c.zones and longest_match(use, c.uses)]
    return max(cells, key=lambda c: longest_match(use, c.uses), default=None)


def demands_of_use_permitted(rule: UsePermitted) -> tuple[Demand, ...]:
    """Area of the site in each zone, in zones that the matrix does not know, and in none."""
    zones = (_zone_demand(rule, z) for z in zones_of(rule))
    if rule.areas:
        return (*zones, *_unclassed_demands(rule))
    return (*zones, _unnamed_demand(rule), outside_demand(rule))


def _zone_demand(rule: UsePermitted, zone: str) -> Demand:
    for area in rule.areas:
        if area.id == zone:
            return area_demand(rule, Quantity.INSIDE, area.classes, geometry=True, where=area)
    return area_demand(rule, Quantity.INSIDE, (zone,), geometry=True)


def _unclassed_demands(rule: UsePermitted) -> tuple[Demand, ...]:
    """Land around features of no class, which may belong to a drawn zone of some classes."""
    return tuple(
        area_demand(rule, Quantity.INSIDE, ("*",), excluding=True, geometry=True, where=area)
        for area in rule.areas
        if area.classes
    )


def _unnamed_demand(rule: UsePermitted) -> Demand:
    return area_demand(rule, Quantity.INSIDE, zones_of(rule), excluding=True, geometry=True)


def use_permitted(rule: UsePermitted, facts: Facts) -> Outcome:
    """Judge the use in every zone that the site touches."""
    demands = demands_of_use_permitted(rule)
    if facts.use is None and not _is_outside(rule, facts):
        return about_reach(rule, facts, _without_use(rule, facts), demands)
    parts = [_zone_part(rule, facts, zone, facts.use or "") for zone in zones_of(rule)]
    parts += _drawn_rest(rule, facts, parts) if rule.areas else _rest(rule, facts)
    said = dict.fromkeys(p.note for p in parts if p.counts and not p.restricts)
    outcome = join_whole(rule, facts, parts, extra={"cells": "；".join(said)})
    # What the matrix says of the zones that are touched holds for a part of the site as well.
    outcome = replace(outcome, reason=texts.join([outcome.clear, outcome.reason]), clear="")
    return about_reach(rule, facts, outcome, demands)


def _is_outside(rule: UsePermitted, facts: Facts) -> bool:
    """Whether the site touches no zone and the rule lets every use pass out there."""
    touched = (facts.measures[_zone_demand(rule, zone)] for zone in zones_of(rule))
    free = Verdict(rule.outside) is Verdict.PASS
    return free and not any(m.area.ellipsoidal_m2 > 0 for m in touched)


def _rest(rule: UsePermitted, facts: Facts) -> list[Part]:
    unnamed = facts.measures[_unnamed_demand(rule)]
    off = facts.measures[outside_demand(rule)]
    return [
        part_of(unnamed, "其他分区", Verdict.UNDETERMINED, "其中有准入表未列明的分区"),
        part_of(off, "分区以外", Verdict(rule.outside), "分区以外没有准入规定"),
    ]


def _drawn_rest(rule: UsePermitted, facts: Facts, zones: Sequence[Part]) -> list[Part]:
    """Return the land in none of the drawn zones, as far as the layers are covered.

    It is the site less the zones; where these overlap, less of it is left than there is.
    """
    reports = [facts.layers[name] for name in rule.layers if name in facts.layers]
    unseen = max((r.uncovered_share or 0.0 for r in reports), default=0.0)
    covered = facts.site_area_m2 * (1.0 - unseen)
    rest = max(covered - math.fsum(p.area_m2 for p in zones), 0.0)
    real = rest > max(rule.area_tolerance_m2, _ROUNDING * facts.site_area_m2)
    measures = [facts.measures[d] for d in _unclassed_demands(rule)]
    return [
        *(unknown_part(m, "类别未填的要素周边", "须先查明要素的类别") for m in measures),
        Part(
            "分区以外",
            Verdict(rule.outside),
            "分区以外没有准入规定",
            rest,
            rest if real else 0.0,
        ),
    ]


def _without_use(rule: UsePermitted, facts: Facts) -> Outcome:
    touched = [
        f"{rule.zone_names.get(zone, zone)} {texts.percent(facts.share(area))}"
        for zone in zones_of(rule)
        if (area := facts.measures[_zone_demand(rule, zone)].area.ellipsoidal_m2) > 0
    ]
    where = f"地块位于：{'；'.join(touched)}" if touched else ""
    measured = Measured("area", facts.site_area_m2, "m²", facts.share(facts.site_area_m2))
    return Outcome(Verdict.UNDETERMINED, texts.join([NO_USE, where]), measured)


def _zone_part(rule: UsePermitted, facts: Facts, zone: str, use: str) -> Part:
    label = rule.zone_names.get(zone, zone)
    cell = cell_for(rule, zone, use)
    verdict, said = _cell_outcome(cell, facts) if cell else _without_cell(rule, zone, use)
    note = f"{label}：{land_classes.use_label(use)}{said}"
    return part_of(facts.measures[_zone_demand(rule, zone)], label, verdict, note)


def _without_cell(rule: UsePermitted, zone: str, use: str) -> tuple[Verdict, str]:
    if any(zone in c.zones and is_coarser(use, c.uses) for c in rule.cells):
        return Verdict.UNDETERMINED, "不够细，准入表按下级用途规定，须补充到下级分类代码"
    return Verdict.UNDETERMINED, rule.unlisted


def _cell_outcome(cell: UseCell, facts: Facts) -> tuple[Verdict, str]:
    assumed = cell.origin == "assumption"
    doubt = "" if cell.verified else "，原文尚未核实"
    ground = f"（{_GROUNDS[cell.origin]}：{cell.phrase}{doubt}）"
    verdict, word = _VERDICTS[cell.verdict], _WORDS[cell.verdict]
    if cell.attribute:
        title = f"{ATTRIBUTES[cell.attribute].title}（{cell.attribute}）"
        value = facts.attributes.get(cell.attribute)
        if value is not None and value in cell.refused:
            verdict, word = Verdict.FAIL, f"不准入，申报的{title} = {value}"
        elif value is None or value not in cell.accepted:
            said = f"须先说明{title}。{cell.condition}{ground}"
            return Verdict.UNDETERMINED, said
    if verdict is Verdict.FAIL and not cell.verified:
        word = f"可能{word}"  # nobody has read the text: it can only be asked
    condition = f"，条件：{cell.condition}" if verdict is Verdict.CONDITIONAL else ""
    return cap(verdict, unsure=assumed or not cell.verified), f"{word}{condition}{ground}"


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
