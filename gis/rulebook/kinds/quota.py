"""The kind that holds what the site takes against what is left in a budget of the plan: quota."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gis.model import VERDICTS, Demand, Impact, Measured, Verdict
from gis.rulebook import land_classes, texts
from gis.rulebook.facts import Facts, Outcome
from gis.rulebook.kinds.exceptions import resolve
from gis.rulebook.schema import Quota
from gis.units import m2_to_mu

RESERVATIONS = "reservations"  # land that is promised to others: any of it is too much
# Half of the last printed digit, a hundredth of a square metre, is nothing.
_NOTHING_M2 = 0.005


def demands_of_quota(_: Quota) -> tuple[Demand, ...]:
    """Nothing: the budgets are measured by the ledger of the plan."""
    return ()


def quota(rule: Quota, facts: Facts) -> Outcome:
    """Judge what the site takes from a budget; what nobody knows stays open."""
    rows = [r for key, r in sorted(facts.budgets.items()) if _belongs(key, rule.account)]
    exceeded = [r for r in rows if _is_exceeded(rule, r)]
    taken = math.fsum(r.area_m2 or 0.0 for r in exceeded or rows)
    measured = Measured("area", taken, "m²", facts.share(taken))
    unknown = [r for r in rows if r not in exceeded and _is_unknown(rule, r)]
    if not (exceeded or unknown):
        values = _values(facts, rows)
        clear = texts.fill(rule.text.clear, values)
        return Outcome(Verdict.PASS, texts.join([clear, *(r.text for r in rows)]), measured)
    verdict, note = resolve(rule, facts, VERDICTS[rule.outcome])
    if verdict is Verdict.PASS:
        return Outcome(Verdict.PASS, texts.join([note]), measured)
    if exceeded:
        hit = texts.fill(rule.text.hit, _values(facts, exceeded))
        return Outcome(verdict, texts.join([hit, *map(_held, exceeded), note]), measured)
    return Outcome(Verdict.UNDETERMINED, texts.join([_plain(r) for r in unknown]), measured)


def _belongs(key: str, account: str) -> bool:
    return key == account or key.startswith(f"{account}:")


def _is_exceeded(rule: Quota, row: Impact) -> bool:
    if rule.account == RESERVATIONS:
        return (row.area_m2 or 0.0) > _NOTHING_M2
    return row.exceeded is True


def _is_unknown(rule: Quota, row: Impact) -> bool:
    """Whether it is open what the site takes, or whether it fits when it takes something."""
    if row.area_m2 is None or not math.isfinite(row.area_m2):
        return True
    if rule.account == RESERVATIONS:
        return False
    return row.exceeded is None and row.area_m2 > _NOTHING_M2


def _plain(row: Impact) -> str:
    return row.text or f"{row.title}：数量未知，需核实"


def _held(row: Impact) -> str:
    return row.text if row.id == RESERVATIONS else ""


def _values(facts: Facts, rows: Sequence[Impact]) -> dict[str, str]:
    return {
        "taken": _amount([r.area_m2 for r in rows]),
        "left": _amount([r.free_before_m2 for r in rows]),
        "short": _amount([r.shortfall_m2 for r in rows]),
        "use": land_classes.use_label(facts.use),
    }


def _amount(areas: Sequence[float | None]) -> str:
    known = [a for a in areas if a is not None]
    if len(known) < len(areas):
        return "数量未知"
    total = math.fsum(known)
    return f"{texts.square_metres(total)}（{m2_to_mu(total):,.2f} 亩）"


def threshold_of_quota(rule: Quota) -> str:
    """Say what the rule allows."""
    if rule.account == RESERVATIONS:
        return "不占用为其他项目预留的用地"
    return "占用面积不超过剩余指标"
