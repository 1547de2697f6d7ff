"""The kind that asks how near the site comes to a road, a railway or a power line.

``min_distance`` measures to the *edge* that the law names. A centre line without a half width, a
class that the rule does not know, or land nearby that the layer does not cover gives undetermined,
never a guess.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gis.model import VERDICTS, Demand, Measured, Near, Quantity, Verdict, class_matches
from gis.rulebook import land_classes, texts
from gis.rulebook.facts import Facts, Outcome
from gis.rulebook.kinds.exceptions import cap, resolve
from gis.rulebook.kinds.parts import about_reach
from gis.rulebook.remembered import once
from gis.rulebook.schema import MinDistance
from gis.rulebook.schema.distance import Distance


@dataclass(frozen=True, slots=True)
class _Doubt:
    """A feature that leaves the question open; ``measured`` when only its setting is unknown."""

    near: Near
    why: str
    measured: bool


@once
def demands_of_min_distance(rule: MinDistance) -> tuple[Demand, ...]:
    """Nearby features of every class: an unknown class must be seen to be doubted."""
    return (
        Demand(
            rule.layer,
            Quantity.DISTANCE,
            within_m=_reach(rule),
            values=(rule.setting,) if rule.setting else (),
        ),
    )


def _span(value: Distance, setting: object = None) -> tuple[float, float]:
    """Return least and most; of several settings the whole span when nobody says which it is."""
    if isinstance(value, Mapping):
        known = value.get(setting) if isinstance(setting, str) else None
        return (min(value.values()), max(value.values())) if known is None else (known, known)
    return value if isinstance(value, tuple) else (value, value)


def _most(rule: MinDistance) -> float:
    return max(_span(v)[1] for v in rule.distance_m.values())


@once
def _reach(rule: MinDistance) -> float:
    """How far an axis may lie whose edge is still too near."""
    return _most(rule) + (0.0 if rule.from_axis else rule.plausible_half_width_m)


@once
def required_of(
    rule: MinDistance, cls: str | None, setting: object = None
) -> tuple[float, float] | None:
    """Return least and most distance for a class, None when the rule leaves the class alone.

    ``setting`` is the value of the feature that tells one distance of its class from another. A
    class that the rule does not know gets the largest distance of all, from zero.
    """
    for pattern, value in rule.distance_m.items():
        if class_matches(cls, (pattern,)):
            return _span(value, setting)
    if class_matches(cls, rule.no_distance):
        return None
    return 0.0, _most(rule)


def _required(rule: MinDistance, near: Near) -> tuple[float, float] | None:
    return required_of(rule, near.cls, near.values.get(rule.setting) if rule.setting else None)


def _apart(rule: MinDistance, near: Near) -> float | None:
    """Return the distance that the law counts: from the edge, or from the centre line."""
    return near.axis_m if rule.from_axis else near.edge_m


def min_distance(rule: MinDistance, facts: Facts) -> Outcome:
    """Judge a site that must keep its distance."""
    (demand,) = demands_of_min_distance(rule)
    hits: list[Near] = []
    doubts: list[_Doubt] = []
    seen: list[Near] = []
    measure = facts.measures[demand]
    for near in sorted(measure.near, key=lambda n: (n.axis_m, n.feature_id)):
        if (span := _required(rule, near)) is None:
            continue
        apart = _apart(rule, near)
        if apart is not None:
            seen.append(near)
        if apart is not None and _is_nearer(apart, span[0]):
            hits.append(near)
        elif doubt := _doubt(rule, near, span):
            doubts.append(doubt)
    outcome = _outcome(rule, facts, hits, doubts, seen)
    return about_reach(rule, facts, outcome, [demand])


def _is_nearer(apart_m: float, asked_m: float) -> bool:
    """Whether a distance falls short by more than rounding: boundary points are known to 1 mm."""
    return round(apart_m, 3) < asked_m


def _doubt(rule: MinDistance, near: Near, span: tuple[float, float]) -> _Doubt | None:
    """Return why a feature leaves the question open, None when it does not."""
    least, most = span
    distance = _apart(rule, near)
    if distance is None:
        if near.axis_m >= most + rule.plausible_half_width_m:
            return None
        why = f"距中心线 {texts.metres(near.axis_m)}，但没有宽度，不能量到{rule.edge}"
        return _Doubt(near, why, measured=False)
    if not _is_nearer(distance, most):
        return None
    apart = f"距{rule.edge} {texts.metres(distance)}"
    if not _is_known(rule, near.cls):
        why = f"{apart}，但类别“{near.cls or '未填'}”没有对应的距离"
        return _Doubt(near, why, measured=False)
    why = f"{apart}，所需距离视区段在 {texts.metres(least)} 至 {texts.metres(most)} 之间"
    return _Doubt(near, why, measured=True)


def _is_known(rule: MinDistance, cls: str | None) -> bool:
    return class_matches(cls, tuple(rule.distance_m))


def _outcome(
    rule: MinDistance, facts: Facts, hits: list[Near], doubts: list[_Doubt], seen: list[Near]
) -> Outcome:
    verdict, note = resolve(rule, facts, VERDICTS[rule.outcome])
    closest = min(seen, key=lambda n: (_apart(rule, n) or 0.0, n.feature_id), default=None)
    nearest = None if closest is None else _measured(rule, closest)
    if hits:
        # A feature in doubt could not be worse than this: one rule has one outcome.
        hit = min(hits, key=lambda n: (_apart(rule, n) or 0.0, n.feature_id))
        said = [texts.fill(rule.text.hit, _values(rule, facts, hit)), note]
        if len(hits) > 1:
            said.append(f"共有 {len(hits)} 处距离不足")
        return Outcome(verdict, texts.join(said), _measured(rule, hit))
    if verdict is Verdict.PASS and doubts:
        return Outcome(Verdict.PASS, texts.join([note]), nearest)
    if doubts:
        said = [f"{_name(d.near)}{d.why}" for d in doubts[:3]]
        # Only the setting is unknown: the rule's own outcome is the worst that can come of it.
        settled = all(d.measured for d in doubts)
        against = cap(verdict, unsure=True) if settled else Verdict.UNDETERMINED
        return Outcome(against, texts.join([*said, note]), nearest)
    clear = [texts.fill(rule.text.clear, _clear_values(rule, facts, closest))]
    return Outcome(Verdict.PASS, "", nearest, clear=texts.join([*clear, _nearest(rule, closest)]))


def _measured(rule: MinDistance, near: Near) -> Measured:
    return Measured("distance", _apart(rule, near) or 0.0, "m")


def _nearest(rule: MinDistance, near: Near | None) -> str:
    """Say how far the nearest feature is, when one was seen at all."""
    if near is None:
        return ""
    span = _required(rule, near) or (0.0, 0.0)
    apart = texts.metres(_apart(rule, near) or 0.0)
    return f"最近的{_name(near)}距{rule.edge} {apart}，须不少于 {_span_text(span)}"


def _clear_values(rule: MinDistance, facts: Facts, near: Near | None) -> dict[str, str]:
    reach = texts.metres(_reach(rule))
    return {
        "use": land_classes.use_label(facts.use),
        "required": _required_text(rule),
        "feature": _name(near) if near else "",
        "distance": texts.metres(_apart(rule, near) or 0.0) if near else f"{reach} 以上",
    }


def _values(rule: MinDistance, facts: Facts, hit: Near) -> dict[str, str]:
    span = _required(rule, hit) or (0.0, 0.0)
    apart = _apart(rule, hit)
    return {
        "feature": _name(hit),
        "distance": texts.metres(apart) if apart else "0 m（压占或者紧邻）",
        "required": texts.metres(span[0]),
        "use": land_classes.use_label(facts.use),
    }


def _name(near: Near) -> str:
    name = near.name or near.feature_id
    return f"{name}（{near.cls}）" if near.cls else name


@once
def _required_text(rule: MinDistance) -> str:
    classes = ((cls.removesuffix("*"), value) for cls, value in rule.distance_m.items())
    return "、".join(f"{cls} {_span_text(value)}" for cls, value in classes)


def _span_text(value: Distance) -> str:
    if isinstance(value, Mapping):
        return "、".join(f"{name} {texts.metres(m)}" for name, m in value.items())
    least, most = _span(value)
    return texts.metres(most) if least == most else f"{texts.metres(least)}～{texts.metres(most)}"


@once
def threshold_of_min_distance(rule: MinDistance) -> str:
    """Say what the rule allows."""
    return f"自{rule.edge}起：{_required_text(rule)}"
