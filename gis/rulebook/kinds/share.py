"""The kind that asks what share of the site lies on a layer: share_limit.

The share is one of the ellipsoidal area of the site. Land without class and land beyond the
coverage may belong to the classes of the rule: it counts for whatever would make the answer worse.
"""

from __future__ import annotations

from gis.model import Demand, Measured, Quantity, Verdict
from gis.rulebook import land_classes, texts
from gis.rulebook.facts import Facts, Outcome
from gis.rulebook.kinds.exceptions import resolve
from gis.rulebook.kinds.limits import NOT_PUBLISHED
from gis.rulebook.kinds.parts import about_reach, area_demand, tolerance_text, unclassed_demand
from gis.rulebook.remembered import once
from gis.rulebook.schema import ShareLimit

# Areas of parts and of the whole are summed apart and differ by rounding.
_ROUNDING = 1e-6


@once
def demands_of_share_limit(rule: ShareLimit) -> tuple[Demand, ...]:
    """Area of the site on the layer; where classes are named, also on features without class."""
    own = area_demand(rule, Quantity.INSIDE, rule.classes, geometry=rule.at_most is not None)
    return (own, unclassed_demand(rule)) if rule.classes else (own,)


def share_limit(rule: ShareLimit, facts: Facts) -> Outcome:
    """Judge a site of which a share must lie on the layer, or must not.

    A least share counts all land on the layer, a largest one leaves the slivers out.
    """
    own, *unclassed = (facts.measures[d] for d in demands_of_share_limit(rule))
    least = rule.at_least is not None
    area = own.area.ellipsoidal_m2 if least else own.decisive_m2
    measured = Measured("area", area, "m²", facts.share(area))
    limit = (rule.at_least or rule.at_most).value  # type: ignore[union-attr]  # the schema wants one
    if limit is None:
        return _without_limit(rule, facts, measured)
    doubtful = sum(m.area.ellipsoidal_m2 for m in unclassed) + _unseen_m2(rule, facts, least=least)
    values = _values(rule, facts, area)
    if _keeps(area, limit, facts, least=least):
        if not least and not _keeps(area + doubtful, limit, facts, least=False):
            return _open(values, doubtful, measured)
        whole = texts.join([texts.fill(rule.text.clear, values)])
        clear = Outcome(Verdict.PASS, "", measured, clear=whole)
        # More features nearby can only add to the share.
        return clear if least else about_reach(rule, facts, clear, demands_of_share_limit(rule))
    if least and _keeps(area + doubtful, limit, facts, least=True):
        return _open(values, doubtful, measured)
    verdict, note = resolve(rule, facts, Verdict(rule.outcome))
    said = [texts.fill(rule.text.hit, values)] if verdict is not Verdict.PASS else []
    hit = Outcome(verdict, texts.join([*said, note]), measured, own.geometry)
    if least and not own.reach_covered and verdict is not Verdict.PASS:
        why = "周边有区域不在图层覆盖范围内，可能有未见的要素，需核实"
        return Outcome(Verdict.UNDETERMINED, texts.join([hit.reason, why]), measured, own.geometry)
    return hit


def _keeps(area: float, limit: float, facts: Facts, *, least: bool) -> bool:
    bound, rounding = limit * facts.site_area_m2, _ROUNDING * facts.site_area_m2
    return area >= bound - rounding if least else area <= bound + rounding


def _unseen_m2(rule: ShareLimit, facts: Facts, *, least: bool) -> float:
    """Return the land beyond the coverage, which the evaluation speaks of when there is a limit."""
    report = facts.layers.get(rule.layer)
    if not least or report is None:
        return 0.0
    share = 1.0 if report.uncovered_share is None else report.uncovered_share
    return share * facts.site_area_m2


def _open(values: dict[str, str], doubtful_m2: float, measured: Measured) -> Outcome:
    said = (
        f"已知 {values['share']}，限值为 {values['limit']}；"
        f"另有 {texts.square_metres(doubtful_m2)} 没有类别或者不在图层覆盖范围内，须先查明"
    )
    return Outcome(Verdict.UNDETERMINED, texts.join([said]), measured)


def _without_limit(rule: ShareLimit, facts: Facts, measured: Measured) -> Outcome:
    limit = rule.at_least or rule.at_most
    share = texts.percent(facts.share(measured.value))
    title = limit.title or limit.parameter if limit else ""
    said = [f"占比 {share}", NOT_PUBLISHED.format(title=title)]
    verdict, note = resolve(rule, facts, Verdict(rule.outcome))
    if verdict is Verdict.PASS:
        return Outcome(Verdict.PASS, texts.join([note]), measured)
    return Outcome(Verdict.UNDETERMINED, texts.join(said), measured)


def _values(rule: ShareLimit, facts: Facts, area: float) -> dict[str, str]:
    limit = (rule.at_least or rule.at_most).value  # type: ignore[union-attr]  # the schema wants one
    return {
        "area": texts.area(area, facts.share(area)),
        "share": texts.percent(facts.share(area)),
        "limit": texts.percent(limit or 0.0),
        "use": land_classes.use_label(facts.use),
    }


@once
def threshold_of_share_limit(rule: ShareLimit) -> str:
    """Say what the rule allows."""
    word = "不低于" if rule.at_least is not None else "不超过"
    limit = rule.at_least or rule.at_most
    known = limit is not None and limit.value is not None
    shown = texts.percent(limit.value or 0.0) if limit and known else "规划参数（未公布）"
    return f"占地块的比例{word} {shown}（{tolerance_text(rule)}）"
