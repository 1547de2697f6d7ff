"""The kind that holds what the site takes against what is left in a budget of the plan: quota."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter

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
    rows = _rows(rule.account, facts.budgets)
    exceeded = [r for r in rows if _is_exceeded(rule, r)]
    taken = math.fsum([r.area_m2 or 0.0 for r in exceeded or rows])
    measured = Measured("area", taken, "m²", facts.share(taken))
    unknown = [r for r in rows if r not in exceeded and _is_unknown(rule, r)]
    if not (exceeded or unknown):
        clear = _filled(rule.text.clear, facts, rows)
        return Outcome(Verdict.PASS, texts.join([clear, *[r.text for r in rows]]), measured)
    verdict, note = resolve(rule, facts, VERDICTS[rule.outcome])
    if verdict is Verdict.PASS:
        return Outcome(Verdict.PASS, texts.join([note]), measured)
    if exceeded:
        hit = _filled(rule.text.hit, facts, exceeded)
        return Outcome(verdict, texts.join([hit, *map(_held, exceeded), note]), measured)
    return Outcome(Verdict.UNDETERMINED, texts.join([_plain(r) for r in unknown]), measured)


def _rows(account: str, budgets: Mapping[str, Impact]) -> list[Impact]:
    """Return what the site takes from an account or from its parts, in the order of their ids."""
    parts = f"{account}:"
    own = [key for key in budgets if key == account or key.startswith(parts)]
    return [budgets[key] for key in sorted(own)]


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


def _filled(template: str, facts: Facts, rows: Sequence[Impact]) -> str:
    """Return a sentence about budgets with what it names."""
    values: dict[str, str] = {}
    for name in texts.names(template):
        if name == "use":
            values[name] = land_classes.use_label(facts.use)
        elif name in _AMOUNTS:
            values[name] = _amount([_AMOUNTS[name](r) for r in rows])
    return texts.fill(template, values)


_AMOUNTS: Mapping[str, Callable[[Impact], float | None]] = {
    "taken": attrgetter("area_m2"),
    "left": attrgetter("free_before_m2"),
    "short": attrgetter("shortfall_m2"),
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
