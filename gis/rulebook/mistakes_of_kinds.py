"""What is wrong in the tables of one kind of rule? Words nobody can claim, classes named twice.

A word that no applicant can say and a bound that no claim can keep would make a rule fall silent,
or hold against everybody, without anyone noticing; so they are refused like an unknown key.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from gis.errors import RuleBookError
from gis.model import Claim, class_matches
from gis.model.attributes import ATTRIBUTES, Attribute
from gis.rulebook import land_classes
from gis.rulebook.schema import (
    AttributeLimit,
    CompatibleUse,
    Condition,
    Convert,
    Limit,
    MinDistance,
    Quota,
    RequireWithin,
    RuleEntry,
    ShareLimit,
    UsePermitted,
)
from gis.tomlfile import Location

Found = Iterator[tuple[Location, str]]
# The budgets of ``gis.plan.quota``, and the land that is promised to others.
ACCOUNTS = (
    "dev_boundary",
    "permanent_farmland",
    "cultivated_land",
    "conversion",
    "replacement",
    "planned_green_water",
    "reservations",
)
# In which unit a number is published that an attribute is compared with.
_UNITS = {
    "plot_ratio": "ratio",
    "building_density": "share",
    "green_rate": "share",
    "admin_share": "share",
    "height_m": "m",
    "storeys": "storeys",
    "floor_area_m2": "m2",
    "investment_wan": "wan",
}


def mistakes_of_kind(rule: RuleEntry, parameters: Mapping[str, str]) -> Found:
    """Yield what is wrong in a rule for its kind; ``parameters`` are units by id."""
    checks: dict[type[RuleEntry], Callable[[Any], Found]] = {
        AttributeLimit: _attribute_limit,
        CompatibleUse: _compatible_use,
        Convert: _convert,
        MinDistance: _min_distance,
        Quota: _quota,
        RequireWithin: _require_within,
        UsePermitted: _use_permitted,
    }
    if check := checks.get(type(rule)):
        yield from check(rule)
    yield from _units(rule, parameters)


def claimed(at: Location, name: str, words: Iterable[Claim]) -> Found:
    """Find an attribute that nobody knows, or values of it that nobody can claim."""
    attribute = ATTRIBUTES.get(name)
    if attribute is None:
        yield at, f"未知的申报属性“{name}”；可用：{'、'.join(ATTRIBUTES)}"
        return
    for word in words:
        if not attribute.accepts(word):
            shown = str(word).lower() if isinstance(word, bool) else word
            yield at, f"申报属性“{name}”不会是“{shown}”，应为{attribute.expected}"


def of_condition(at: Location, condition: Condition) -> Found:
    """Find a claim that is compared in a way that fits no value of it."""
    if not condition.attribute:
        return
    attribute = ATTRIBUTES.get(condition.attribute)
    if attribute is not None and condition.is_number != (attribute.kind == "number"):
        word = "范围（at_least 等）" if attribute.kind == "number" else "one_of"
        yield at, f"申报属性“{condition.attribute}”应以{word}比较"
        return
    bounds = (condition.at_least, condition.above, condition.at_most, condition.below)
    values = [*condition.one_of, *(b for b in bounds if b is not None)]
    yield from claimed((*at, "attribute"), condition.attribute, values)


# --- limits --------------------------------------------------------------------------------------


def _attribute_limit(rule: AttributeLimit) -> Found:
    attribute = ATTRIBUTES.get(rule.attribute)
    if attribute is None:
        yield from claimed(("attribute",), rule.attribute, ())
        return
    if rule.per and attribute.kind != "number":
        yield ("per",), f"申报属性“{rule.attribute}”不是数，不能按面积平均"
    for n, row in enumerate(rule.rows):
        at: Location = ("rows", n)
        if bool(row.one_of) == (attribute.kind == "number"):
            yield at, f"申报属性“{rule.attribute}”与这一行的限值类型不符"
            continue
        yield from claimed(at, rule.attribute, row.one_of)
        limits = [limit for limit in (row.at_least, row.at_most) if limit is not None]
        yield from _range(at, rule, attribute, [v for x in limits if (v := x.value) is not None])


def _range(at: Location, rule: AttributeLimit, attribute: Attribute, given: list[float]) -> Found:
    """Find bounds out of the range of the attribute, or the least above the most."""
    if not rule.per:
        yield from claimed(at, rule.attribute, given)
    if len(given) == 2 and given[0] > given[1]:
        yield at, f"{attribute.title}的下限 {given[0]:g} 大于上限 {given[1]:g}"


def _units(rule: RuleEntry, parameters: Mapping[str, str]) -> Found:
    """Find parameters whose unit is not that of the number they are compared with."""
    if isinstance(rule, ShareLimit):
        places: list[tuple[Location, Any]] = [((), rule)]
        asked = "share"
    elif isinstance(rule, AttributeLimit):
        places = [(("rows", n), row) for n, row in enumerate(rule.rows)]
        asked = _UNITS.get(rule.attribute, "") + (f"_per_{rule.per}" if rule.per else "")
    else:
        return
    for at, holder in places:
        for key in ("at_least", "at_most"):
            limit: Limit | None = getattr(holder, key)
            unit = parameters.get(limit.parameter) if limit else None
            if limit and unit and unit != asked:
                said = f"规划参数“{limit.parameter}”的单位为 {unit}，这里应为 {asked}"
                yield (*at, key), said


def _quota(rule: Quota) -> Found:
    # An account that no ledger keeps would never be exceeded.
    if rule.account.partition(":")[0] not in ACCOUNTS:
        yield ("account",), f"没有“{rule.account}”这一账户；可用：{'、'.join(ACCOUNTS)}"


def _min_distance(rule: MinDistance) -> Found:
    for cls in rule.no_distance:
        if cls in rule.distance_m:
            yield ("no_distance",), f"类别“{cls}”既有距离又列入 no_distance"


# --- classes -------------------------------------------------------------------------------------


def _convert(rule: Convert) -> Found:
    yield from _groups("groups", [(g.label, g.classes) for g in rule.groups])


def _require_within(rule: RequireWithin) -> Found:
    yield from _groups("by_class", [(e.label, e.classes) for e in rule.by_class])


def _groups(key: str, groups: list[tuple[str, tuple[str, ...]]]) -> Found:
    """Find labels used twice, and classes of two groups: their land would count twice."""
    for n, (label, classes) in enumerate(groups):
        for other, named in groups[:n]:
            if label == other:
                yield (key, n), f"“{label}”写了两次"
            if shared := [c for c in classes if _meets(c, named)]:
                yield (key, n), f"类别 {'、'.join(shared)} 同时属于“{other}”和“{label}”"


def _meets(pattern: str, others: Iterable[str]) -> bool:
    """Whether a class can match both a pattern and one of others."""
    base = pattern.removesuffix("*")
    return class_matches(base, others) or (
        pattern.endswith("*") and any(o.startswith(base) for o in others)
    )


# --- tables of uses ------------------------------------------------------------------------------


def _use_permitted(rule: UsePermitted) -> Found:
    """Two cells for one zone and one code would let the order of the file decide."""
    drawn = [area.id for area in rule.areas]
    for area, count in Counter(drawn).items():
        if count > 1:
            yield ("areas",), f"分区“{area}”画了两次"
    if unknown := [zone for zone in rule.zone_names if drawn and zone not in drawn]:
        yield ("zone_names",), f"没有分区 {'、'.join(unknown)}；本条分区：{'、'.join(drawn)}"
    seen: set[tuple[str, str]] = set()
    for n, cell in enumerate(rule.cells):
        at: Location = ("cells", n)
        if unknown := [zone for zone in cell.zones if drawn and zone not in drawn]:
            yield (*at, "zones"), f"没有分区 {'、'.join(unknown)}；本条分区：{'、'.join(drawn)}"
        for key in ((zone, use) for zone in cell.zones for use in cell.uses):
            if key in seen:
                yield (*at, "uses"), f"{key[0]} 的用途 {key[1]} 写了两次"
            seen.add(key)
        if cell.attribute:
            yield from claimed((*at, "attribute"), cell.attribute, (*cell.accepted, *cell.refused))
        if both := [str(v) for v in cell.accepted if v in cell.refused]:
            yield (*at, "refused"), f"{'、'.join(both)} 同时列入 accepted 和 refused"


def _compatible_use(rule: CompatibleUse) -> Found:
    try:
        land_classes.scheme(rule.scheme, rule.edition)
    except RuleBookError as problem:
        if not rule.class_codes:  # with codes, whoever looks them up says so
            yield ("scheme",), problem.found
    seen: set[tuple[str, str]] = set()
    for n, entry in enumerate(rule.entries):
        for key in ((planned, use) for planned in entry.planned for use in entry.uses):
            if key in seen:
                yield ("entries", n, "uses"), f"规划 {key[0]} 的用途 {key[1]} 写了两次"
            seen.add(key)
