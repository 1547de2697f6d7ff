"""The kind that holds a claim of the applicant against limits: attribute_limit.

The row of the table that fits the use and the other claims decides. A claim that was not made, a
number that nobody has published and a feature without the value leave the rule open; they never
count as kept.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gis.model import Claim, Demand, Measured, Quantity, Touched, Verdict, worst
from gis.model.attributes import ATTRIBUTES, Attribute
from gis.rulebook import land_classes, texts
from gis.rulebook.conditions import Holds, answers, together
from gis.rulebook.facts import Facts, Outcome
from gis.rulebook.kinds.exceptions import NO_USE, is_coarser, longest_match, needs_finer, resolve
from gis.rulebook.kinds.limits import NOT_PUBLISHED, Bounds, number, with_unit
from gis.rulebook.remembered import once
from gis.rulebook.schema import SLIVER_LIMIT_M2, AttributeLimit, Limit, LimitRow
from gis.units import m2_to_mu

_PER = {"ha": "公顷", "mu": "亩"}
_HECTARE_M2 = 10_000.0


@dataclass(frozen=True, slots=True)
class _Said:
    """What one limit says of the claim: verdict, sentence, and whether it is the clear one."""

    verdict: Verdict
    text: str
    is_clear: bool = False


@once
def demands_of_attribute_limit(rule: AttributeLimit) -> tuple[Demand, ...]:
    """Ask for the features that the site touches with their values, where these set limits."""
    if not rule.fields:
        return ()
    return (Demand(rule.layer, Quantity.INSIDE, values=rule.fields, geometry=True),)


def attribute_limit(rule: AttributeLimit, facts: Facts) -> Outcome:
    """Judge a claim of the applicant."""
    touched = _touched(rule, facts)
    if rule.fields and not touched:
        return _off_the_layer(rule, facts)
    rows, why = _rows(rule, facts)
    if not rows:
        verdict = Verdict.UNDETERMINED if why else Verdict.NOT_APPLICABLE
        reason = why or f"本条没有规定拟建用途 {land_classes.use_label(facts.use)} 的限值"
        return Outcome(verdict, texts.join([reason]))
    claim = _claim(rule, facts)
    said = [s for row in rows for s in _of_row(rule, facts, row, claim, touched)]
    verdict = worst(s.verdict for s in said)
    # Where the row is sure, the reason says which claim of the applicant led to it.
    ground = "" if why else together(answers(rows[0].when, facts)).text
    told = (s.text for s in said if s.verdict is verdict)
    shown = [text for text in dict.fromkeys((ground, *told)) if text]
    measured = None if isinstance(claim, bool | str | None) else _measured(rule, claim)
    if why and verdict is not Verdict.PASS:
        verdict, shown = Verdict.UNDETERMINED, [why, *shown]
    geometry = _geometry(rule, facts)
    grazed = _grazed(rule, facts)
    if grazed and verdict.rank < Verdict.UNDETERMINED.rank:
        return Outcome(Verdict.UNDETERMINED, texts.join([grazed, *shown]), measured, geometry)
    if all(s.is_clear for s in said):
        return Outcome(verdict, "", measured, geometry, clear=texts.join(shown))
    return Outcome(verdict, texts.join(shown), measured, geometry)


def _off_the_layer(rule: AttributeLimit, facts: Facts) -> Outcome:
    """Return what is said to a site that no feature with a limit touches."""
    if grazed := _grazed(rule, facts):
        return Outcome(Verdict.UNDETERMINED, texts.join([grazed]), geometry=_geometry(rule, facts))
    report = facts.layers.get(rule.layer)
    title = report.info.title if report else rule.layer
    return Outcome(Verdict.NOT_APPLICABLE, texts.join([f"地块不在“{title}”内"]))


def _grazed(rule: AttributeLimit, facts: Facts) -> str:
    """Say that the slivers on features are together more than may be left out; else nothing."""
    measures = (facts.measures[d] for d in demands_of_attribute_limit(rule))
    slivers = [s for m in measures for f in m.features if not f.decisive_m2 for s in f.slivers]
    total = math.fsum(s.area_m2 for s in slivers)
    if not total > SLIVER_LIMIT_M2:
        return ""
    what = f"与界线有 {len(slivers)} 处细碎接触，共 {texts.square_metres(total)}"
    return f"{what}，合计超过 {texts.square_metres(SLIVER_LIMIT_M2)}，须以界址点与界线成果复核"


def _geometry(rule: AttributeLimit, facts: Facts) -> object:
    return next((facts.measures[d].geometry for d in demands_of_attribute_limit(rule)), None)


def _touched(rule: AttributeLimit, facts: Facts) -> tuple[Touched | None, ...]:
    """Return the features whose values set limits, [None] where the rule has its own numbers."""
    if not rule.fields:
        return (None,)
    (demand,) = demands_of_attribute_limit(rule)
    found = (f for f in facts.measures[demand].features if f.decisive_m2 > 0)
    return tuple(sorted(found, key=lambda f: (f.name or "", f.feature_id)))


# --- which row -----------------------------------------------------------------------------------


def _rows(rule: AttributeLimit, facts: Facts) -> tuple[list[LimitRow], str]:
    """Return the rows that may hold, and why it is open which of them does.

    From the most exact row down to the first that surely fits; one row and no reason when nothing
    is open.
    """
    open_: list[str] = []
    coarse = _coarse(rule, facts)
    if coarse:
        open_.append(NO_USE if facts.use is None else needs_finer(facts.use))
    found: list[LimitRow] = []
    for row in _by_exactness(rule.rows, facts.use or ""):
        condition = together(answers(row.when, facts))
        if condition.holds is Holds.NO:
            continue
        if row in coarse:
            found.append(row)
            continue
        found.append(row)
        if condition.holds is Holds.YES:
            break
        open_.append(condition.text)
    sure_none = bool(found) and not open_
    return found, "" if sure_none else _why_open(open_)


def _why_open(reasons: Sequence[str]) -> str:
    texts_ = [r.rstrip("。") for r in dict.fromkeys(reasons) if r]
    return f"不能确定适用哪一档限值：{'；'.join(texts_)}" if texts_ else ""


def _coarse(rule: AttributeLimit, facts: Facts) -> tuple[LimitRow, ...]:
    """Return the rows that a use not given, or given too coarsely, may turn out to mean."""
    if facts.use is None:
        return tuple(r for r in rule.rows if r.uses)
    return tuple(r for r in rule.rows if is_coarser(facts.use, r.uses))


def _by_exactness(rows: Sequence[LimitRow], use: str) -> list[LimitRow]:
    fitting = [
        r for r in rows if not r.uses or longest_match(use, r.uses) or is_coarser(use, r.uses)
    ]
    # What a coarse use may turn out to be is more exact than what it is.
    key = [
        (not is_coarser(use, r.uses), -longest_match(use, r.uses), -len(r.when)) for r in fitting
    ]
    return [fitting[n] for n in sorted(range(len(fitting)), key=lambda n: (key[n], n))]


# --- the claim against a row ---------------------------------------------------------------------


def _claim(rule: AttributeLimit, facts: Facts) -> Claim | None:
    """Return the claim, divided by the area of the site where the rule says per what."""
    value = facts.attributes.get(rule.attribute)
    if value is None or not rule.per:
        return value
    if isinstance(value, bool | str) or not facts.site_area_m2 > 0:
        return None
    whole = facts.site_area_m2 / _HECTARE_M2 if rule.per == "ha" else m2_to_mu(facts.site_area_m2)
    return value / whole


def _of_row(
    rule: AttributeLimit,
    facts: Facts,
    row: LimitRow,
    claim: Claim | None,
    touched: Sequence[Touched | None],
) -> Iterator[_Said]:
    for feature in touched:
        yield _judged(rule, facts, row, claim, feature)


def _judged(
    rule: AttributeLimit, facts: Facts, row: LimitRow, claim: Claim | None, feature: Touched | None
) -> _Said:
    verdict, note = resolve(rule, facts, Verdict(rule.outcome))
    if verdict is Verdict.PASS:
        return _Said(Verdict.PASS, note)
    if row.one_of:
        bounds, lacks = None, ""
    else:
        bounds, lacks = _bounds(rule, row, feature)
    label = _label(row, feature)
    if lacks:
        return _Said(Verdict.UNDETERMINED, f"{label}：{lacks}")
    asked = bounds.sentence() if bounds else f"应为{_words(rule, row)}"
    if claim is None:
        title = ATTRIBUTES[rule.attribute].title
        return _Said(
            Verdict.UNDETERMINED, f"未申报{title}（{rule.attribute}），{label}的要求是{asked}"
        )
    kept = _is_listed(claim, row.one_of) if bounds is None else _is_kept(claim, bounds)
    if kept is None:
        title = ATTRIBUTES[rule.attribute].title
        return _Said(Verdict.UNDETERMINED, f"申报的{title}“{claim}”不是数，不能与限值比较")
    values = {
        "value": _shown(rule, claim),
        "limit": bounds.text() if bounds else _words(rule, row),
        "label": label,
        "use": land_classes.use_label(facts.use),
    }
    if kept:
        return _Said(Verdict.PASS, texts.fill(rule.text.clear, values), is_clear=True)
    said = texts.fill(rule.text.hit, values)
    return _Said(verdict, texts.join([said, note]) if note else said)


def _bounds(rule: AttributeLimit, row: LimitRow, feature: Touched | None) -> tuple[Bounds, str]:
    """Return the bounds of a row for one feature, and what is lacking to know them."""
    numbers: list[float | None] = []
    for limit in (row.at_least, row.at_most):
        value, lacks = _limit(limit, feature) if limit else (None, "")
        if lacks:
            return Bounds(None, None), lacks
        numbers.append(value)
    return Bounds(numbers[0], numbers[1], _unit(rule)), ""


def _limit(limit: Limit, feature: Touched | None) -> tuple[float | None, str]:
    if not limit.field:
        title = limit.title or limit.parameter
        lacks = NOT_PUBLISHED.format(title=title) if limit.value is None else ""
        return limit.value, lacks
    value = feature.values.get(limit.field) if feature else None
    if value is None or value == "":
        return None, "规划没有写明限值，须由主管部门核实"
    if isinstance(value, str) or not math.isfinite(value) or value < 0:
        shown = f"“{value}”" if isinstance(value, str) else ""
        return None, f"规划写明的限值{shown}不是有效的数，须由主管部门核实"
    return float(value), ""


def _is_kept(claim: Claim, bounds: Bounds) -> bool | None:
    if isinstance(claim, bool | str):
        return None
    return bounds.holds(claim)


def _is_listed(claim: Claim, allowed: Sequence[bool | str]) -> bool:
    # True == 1 in Python; a claim of 1 is no flag.
    return any(
        claim == word and isinstance(claim, bool) == isinstance(word, bool) for word in allowed
    )


# --- words ---------------------------------------------------------------------------------------


def _label(row: LimitRow, feature: Touched | None) -> str:
    return f"{row.label} {feature.name or feature.feature_id}" if feature else row.label


def _attribute(rule: AttributeLimit) -> Attribute:
    return ATTRIBUTES[rule.attribute]


def _unit(rule: AttributeLimit) -> str:
    unit = _attribute(rule).unit
    return f"{unit}/{_PER[rule.per]}" if rule.per else unit


def _shown(rule: AttributeLimit, claim: Claim) -> str:
    if isinstance(claim, bool | str):
        return str(_attribute(rule).shown(claim))
    return with_unit(number(claim), _unit(rule))


def _words(rule: AttributeLimit, row: LimitRow) -> str:
    return "或".join(str(_attribute(rule).shown(word)) for word in row.one_of)


def _measured(rule: AttributeLimit, claim: float) -> Measured:
    return Measured(rule.attribute, claim, _unit(rule))


@once
def threshold_of_attribute_limit(rule: AttributeLimit) -> str:
    """Say what the rule allows, row by row."""
    title = _attribute(rule).title + (f"（每{_PER[rule.per]}）" if rule.per else "")
    rows = [f"{row.label}{_asked(rule, row)}" for row in rule.rows]
    return f"{title}：{'；'.join(rows)}"


def _asked(rule: AttributeLimit, row: LimitRow) -> str:
    if row.one_of:
        return f"应为{_words(rule, row)}"
    limits = (("不低于", row.at_least), ("不超过", row.at_most))
    return "、".join(f"{word} {_printed(rule, limit)}" for word, limit in limits if limit)


def _printed(rule: AttributeLimit, limit: Limit) -> str:
    if limit.field:
        return "所在地块的规划值"
    if limit.value is None:
        return f"规划参数“{limit.title or limit.parameter}”（未公布）"
    return with_unit(number(limit.value), _unit(rule))
