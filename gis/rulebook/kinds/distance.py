"""The kind that asks how near the site comes to a road, a railway or a power line.

``min_distance`` measures to the *edge* that the law names. A centre line without a half width, a
class that the rule does not know, or land nearby that the layer does not cover gives undetermined,
never a guess.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from gis.model import Demand, Measured, Near, Quantity, Verdict, class_matches
from gis.rulebook import land_classes, texts
from gis.rulebook.facts import Facts, Outcome
from gis.rulebook.kinds.parts import cap, resolve
from gis.rulebook.schema import MinDistance


@dataclass(frozen=True, slots=True)
class _Doubt:
    """A feature that leaves the question open; ``measured`` when only its setting is unknown."""

    near: Near
    why: str
    measured: bool


def demands_of_min_distance(rule: MinDistance) -> tuple[Demand, ...]:
    """Nearby features of every class: an unknown class must be seen to be doubted."""
    return (
        Demand(
            rule.layer,
            Quantity.DISTANCE,
            within_m=_reach(rule),
        ),
    )


def _span(value: float | tuple[float, float]) -> tuple[float, float]:
    return value if isinstance(value, tuple) else (value, value)


def _most(rule: MinDistance) -> float:
    return max(_span(v)[1] for v in rule.distance_m.values())


def _reach(rule: MinDistance) -> float:
    """How far an axis may lie whose edge is still too near."""
    return _most(rule) + rule.plausible_half_width_m


def required_of(rule: MinDistance, cls: str | None) -> tuple[float, float] | None:
    """Return least and most distance for a class, None when the rule leaves the class alone.

    A class that the rule does not know gets the largest distance of all, from zero.
    """
    for pattern, value in rule.distance_m.items():
        if class_matches(cls, (pattern,)):
            return _span(value)
    if class_matches(cls, rule.no_distance):
        return None
    return 0.0, _most(rule)


def min_distance(rule: MinDistance, facts: Facts) -> Outcome:
    """Judge a site that must keep its distance."""
    (demand,) = demands_of_min_distance(rule)
    hits: list[Near] = []
    doubts: list[_Doubt] = []
    edges: list[float] = []
    measure = facts.measures[demand]
    for near in measure.near:
        if (span := required_of(rule, near.cls)) is None:
            continue
        if near.edge_m is not None:
            edges.append(near.edge_m)
        if near.edge_m is not None and near.edge_m < span[0]:
            hits.append(near)
        elif doubt := _doubt(rule, near, span):
            doubts.append(doubt)
    outcome = _outcome(rule, facts, hits, doubts, edges)
    return outcome if measure.reach_covered else _about_reach(rule, facts, outcome)


def _about_reach(rule: MinDistance, facts: Facts, outcome: Outcome) -> Outcome:
    """Leave open what an unseen feature nearby could change: all but a failure and an excuse."""
    if outcome.verdict is Verdict.FAIL:
        return outcome
    verdict, excuse = resolve(rule, facts, Verdict(rule.outcome))
    if verdict is Verdict.PASS:
        reason = texts.join([excuse]) if outcome.clear else outcome.reason
        return replace(outcome, reason=reason, clear="")
    report = facts.layers.get(rule.layer)
    note = ""
    if report is not None and report.uncovered_share is not None:
        around = f"地块周边 {texts.metres(_reach(rule))} 范围内有区域"
        note = f"{around}不在“{report.info.title}”图层覆盖范围内，可能有未见的要素，需核实"
    reason = texts.join([outcome.reason, note])  # with an unknown coverage the evaluation says so
    return replace(outcome, verdict=Verdict.UNDETERMINED, reason=reason, clear="")


def _doubt(rule: MinDistance, near: Near, span: tuple[float, float]) -> _Doubt | None:
    """Return why a feature leaves the question open, None when it does not."""
    least, most = span
    if near.edge_m is None:
        if near.axis_m >= most + rule.plausible_half_width_m:
            return None
        why = f"距中心线 {texts.metres(near.axis_m)}，但没有宽度，不能量到{rule.edge}"
        return _Doubt(near, why, measured=False)
    if near.edge_m >= most:
        return None
    apart = f"距{rule.edge} {texts.metres(near.edge_m)}"
    if not _is_known(rule, near.cls):
        why = f"{apart}，但类别“{near.cls or '未填'}”没有对应的距离"
        return _Doubt(near, why, measured=False)
    why = f"{apart}，所需距离视区段在 {texts.metres(least)} 至 {texts.metres(most)} 之间"
    return _Doubt(near, why, measured=True)


def _is_known(rule: MinDistance, cls: str | None) -> bool:
    return class_matches(cls, tuple(rule.distance_m))


def _outcome(
    rule: MinDistance, facts: Facts, hits: list[Near], doubts: list[_Doubt], edges: list[float]
) -> Outcome:
    verdict, note = resolve(rule, facts, Verdict(rule.outcome))
    nearest = Measured("distance", min(edges), "m") if edges else None
    if hits:
        # A feature in doubt could not be worse than this: one rule has one outcome.
        hit = min(hits, key=lambda n: (n.edge_m or 0.0, n.feature_id))
        said = [texts.fill(rule.text.hit, _values(rule, facts, hit)), note]
        if len(hits) > 1:
            said.append(f"共有 {len(hits)} 处距离不足")
        return Outcome(verdict, texts.join(said), Measured("distance", hit.edge_m or 0.0, "m"))
    if verdict is Verdict.PASS and doubts:
        return Outcome(Verdict.PASS, texts.join([note]), nearest)
    if doubts:
        said = [f"{_name(d.near)}{d.why}" for d in doubts[:3]]
        # Only the setting is unknown: the rule's own outcome is the worst that can come of it.
        settled = all(d.measured for d in doubts)
        against = cap(verdict, unsure=True) if settled else Verdict.UNDETERMINED
        return Outcome(against, texts.join([*said, note]), nearest)
    values = {"use": land_classes.use_label(facts.use), "required": _required_text(rule)}
    return Outcome(Verdict.PASS, "", nearest, clear=texts.fill(rule.text.clear, values))


def _values(rule: MinDistance, facts: Facts, hit: Near) -> dict[str, str]:
    span = required_of(rule, hit.cls) or (0.0, 0.0)
    return {
        "feature": _name(hit),
        "distance": texts.metres(hit.edge_m) if hit.edge_m else "0 m（压占或者紧邻）",
        "required": texts.metres(span[0]),
        "use": land_classes.use_label(facts.use),
    }


def _name(near: Near) -> str:
    name = near.name or near.feature_id
    return f"{name}（{near.cls}）" if near.cls else name


def _required_text(rule: MinDistance) -> str:
    return "、".join(f"{cls} {_span_text(value)}" for cls, value in rule.distance_m.items())


def _span_text(value: float | tuple[float, float]) -> str:
    least, most = _span(value)
    return texts.metres(most) if least == most else f"{texts.metres(least)}～{texts.metres(most)}"


def threshold_of_min_distance(rule: MinDistance) -> str:
    """Say what the rule allows."""
    return f"自{rule.edge}起：{_required_text(rule)}"
