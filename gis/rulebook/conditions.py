"""Do the conditions of a rule hold for this site: yes, no, or nobody knows?

No code is evaluated: a condition compares a number of the site, a claim of the applicant, or where
the site lies. A claim that was not made and a layer that could not answer are unknown; the rule is
then judged as if it applied, and may not say anything better than the worst of both answers.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from typing import NamedTuple

from gis.model import Demand, LayerState, Measure, Quantity
from gis.model.attributes import ATTRIBUTES
from gis.rulebook import texts
from gis.rulebook.facts import Facts, is_sound
from gis.rulebook.remembered import once
from gis.rulebook.schema import SLIVER_LIMIT_M2, Condition

# A site drawn along the edge of a coverage differs from it by rounding only.
TINY_SHARE = 1e-6


class Holds(Enum):
    """Whether conditions hold; ``UNCLAIMED`` and ``UNKNOWN`` say what is missing."""

    YES = "yes"
    NO = "no"
    UNCLAIMED = "unclaimed"  # the applicant has not said it
    UNKNOWN = "unknown"  # the layer could not answer


class Answer(NamedTuple):
    """What a condition says of a site, in a sentence with the numbers."""

    holds: Holds
    text: str


ALWAYS = Answer(Holds.YES, "")


def demands_of_conditions(conditions: Iterable[Condition]) -> tuple[Demand, ...]:
    """Return what conditions on layers want measured."""
    return tuple(d for c in conditions if c.layer for d in _demands(c))


@once
def _demands(condition: Condition) -> tuple[Demand, ...]:
    """Land of the classes, or off them, and land of no class that may belong to them."""
    asked = Quantity.OUTSIDE if condition.lies == "within" else Quantity.INSIDE
    own = Demand(condition.layer, asked, condition.classes)
    unclassed = Demand(condition.layer, Quantity.INSIDE, ("*",), excluding=True)
    return (own, unclassed) if condition.classes else (own,)


def answers(conditions: Sequence[Condition], facts: Facts) -> tuple[Answer, ...]:
    """Return the answer of each condition."""
    return tuple([_answer(c, facts) for c in conditions])


def together(found: Sequence[Answer]) -> Answer:
    """Return the answer of all conditions: no beats unknown, unknown beats unclaimed beats yes.

    Its text is made of whole sentences.
    """
    if not found:
        return ALWAYS
    if len(found) == 1:
        return Answer(found[0].holds, texts.join((found[0].text,)))
    for wanted in (Holds.NO, Holds.UNKNOWN, Holds.UNCLAIMED):
        of_kind = [a for a in found if a.holds is wanted]
        if of_kind:
            return Answer(wanted, texts.join([a.text for a in of_kind]))
    return Answer(Holds.YES, texts.join([a.text for a in found]))


def _answer(condition: Condition, facts: Facts) -> Answer:
    if condition.layer:
        return _of_layer(condition, facts)
    if condition.attribute:
        return _of_claim(condition, facts)
    return _of_site(condition, facts)


# --- the site and the claims ---------------------------------------------------------------------


def _of_site(condition: Condition, facts: Facts) -> Answer:
    if condition.site == "area_m2":
        # Compared as printed: a plot of 20,000.00 m² reaches 20,000 m², whatever the last digits.
        area = round(facts.site_area_m2, 2)
        shown = texts.square_metres(area)
        return _compared(condition, area, f"地块面积 {shown}", texts.square_metres)
    width = facts.corridor_width_m
    if condition.site == "corridor":
        linear = width is not None
        said = "地块是道路、管线等线性工程" if linear else "地块不是线性工程"
        return _yes_no(said, holds=linear in condition.one_of)
    if width is None:
        return Answer(Holds.NO, "地块不是线性工程")
    return _compared(condition, width, f"线性工程宽 {texts.metres(width)}", texts.metres)


def _of_claim(condition: Condition, facts: Facts) -> Answer:
    attribute = ATTRIBUTES[condition.attribute]
    value = facts.attributes.get(condition.attribute)
    if value is None:
        return Answer(Holds.UNCLAIMED, f"未申报{attribute.title}（{condition.attribute}）")
    shown = f"{value:g}" if isinstance(value, float) else attribute.shown(value)
    said = f"申报的{attribute.title}为 {shown}{attribute.unit}"
    if condition.is_number:
        if isinstance(value, bool | str):
            return Answer(Holds.UNCLAIMED, f"申报的{attribute.title}“{value}”不是数")
        number = float(value)
        return _compared(condition, number, said, lambda x: f"{x:g}{attribute.unit}")
    return _yes_no(said, holds=value in condition.one_of)


def _yes_no(text: str, *, holds: bool) -> Answer:
    return Answer(Holds.YES if holds else Holds.NO, text)


def _compared(
    condition: Condition, value: float, said: str, tell: Callable[[float], str]
) -> Answer:
    failed, met = [], []
    for bound, test, yes, no in _bounds(condition):
        if test(value, bound):
            met.append(f"{yes} {tell(bound)}")
        else:
            failed.append(f"{no} {tell(bound)}")
    return _yes_no(f"{said}，{'、'.join(failed or met)}", holds=not failed)


_Test = Callable[[float, float], bool]


@once
def _bounds(condition: Condition) -> tuple[tuple[float, _Test, str, str], ...]:
    """Return the bounds of a condition, each with its test and the words for yes and no."""
    tests: tuple[tuple[float | None, _Test, str, str], ...] = (
        (condition.at_least, operator.ge, "达到", "未达到"),
        (condition.above, operator.gt, "超过", "未超过"),
        (condition.at_most, operator.le, "不超过", "超过"),
        (condition.below, operator.lt, "小于", "不小于"),
    )
    return tuple((bound, *words) for bound, *words in tests if bound is not None)  # type: ignore[misc]  # a test and two words


# --- where the site lies -------------------------------------------------------------------------


def _of_layer(condition: Condition, facts: Facts) -> Answer:
    report = facts.layers.get(condition.layer)
    title = report.info.title if report else condition.layer
    if report is None or report.state is not LayerState.CHECKED:
        return Answer(Holds.UNKNOWN, f"“{title}”图层无数据，不知道地块是否在其范围内")
    found = []
    for demand in _demands(condition):
        measure = facts.measures.get(demand)
        if measure is None or not is_sound(measure):
            return Answer(Holds.UNKNOWN, f"“{title}”图层没有量测结果")
        found.append(measure)
    uncovered = report.uncovered_share is None or report.uncovered_share > TINY_SHARE
    open_ = uncovered or any(m.decisive_m2 > 0 for m in found[1:])
    name = _named(condition, title)
    if condition.lies == "within":
        return _within(facts, found[0], name, open_=open_)
    return _touches(condition, facts, found[0], name, open_=open_)


@once
def _named(condition: Condition, title: str) -> str:
    """Return the layer of a condition as people read it, with the classes that are meant."""
    classes = condition.label or "、".join(condition.classes)
    return title + (f"（{classes}）" if classes else "")


def _within(facts: Facts, off: Measure, name: str, *, open_: bool) -> Answer:
    area = off.decisive_m2
    if area > 0:
        said = f"地块有 {texts.area(area, facts.share(area))} 不在{name}内"
        return Answer(Holds.UNKNOWN if open_ else Holds.NO, said)
    if open_ or _grazes(off):
        return Answer(Holds.UNKNOWN, f"不能确定地块是否全部位于{name}内{_grazed(off)}")
    return Answer(Holds.YES, f"地块全部位于{name}内")


def _touches(
    condition: Condition, facts: Facts, inside: Measure, name: str, *, open_: bool
) -> Answer:
    area = inside.decisive_m2
    if area > 0:
        said = f"地块位于{name}内 {texts.area(area, facts.share(area))}"
        return _yes_no(said, holds=condition.lies == "on")
    if open_ or _grazes(inside):
        return Answer(Holds.UNKNOWN, f"不能确定地块是否位于{name}内{_grazed(inside)}")
    return _yes_no(f"地块不在{name}内", holds=condition.lies == "off")


def _grazes(measure: Measure) -> bool:
    """Whether the slivers together are more than may be left out."""
    slivers = measure.slivers
    return bool(slivers) and math.fsum([s.area_m2 for s in slivers]) > SLIVER_LIMIT_M2


def _grazed(measure: Measure) -> str:
    if not _grazes(measure):
        return ""
    total = texts.square_metres(math.fsum(s.area_m2 for s in measure.slivers))
    return f"：与界线有 {len(measure.slivers)} 处细碎接触，共 {total}"
