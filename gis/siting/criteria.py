"""By what are candidate sites ranked, and how much does each criterion weigh?

The one table of weights. Every criterion gives a value that a planner can check on the map, and a
score between 0 and 1; the score of a site is their weighted mean. A value that nobody knows is left
out, and the others weigh accordingly. Nothing here is law, and nothing here decides a verdict.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gis.errors import ClaimError

_HEAVIEST = 1000.0


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion; ``best`` is the value that scores 1, ``worst`` the one that scores 0."""

    id: str
    title: str
    unit: str
    weight: float
    best: float
    worst: float
    meaning: str

    def score(self, value: float) -> float:
        """Return 0-1, in a straight line between the worst and the best value."""
        score = (value - self.worst) / (self.best - self.worst)
        return min(max(score, 0.0), 1.0)


CRITERIA = (
    Criterion("conditional", "有条件用地占比", "share", 0.25, 0.0, 1.0,
              "地块中须先办手续（有条件符合）的用地所占比例，越小越好"),
    Criterion("farmland", "占用耕地占比", "share", 0.20, 0.0, 1.0,
              "地块中现状耕地（含可调整地类）所占比例，越小越好"),
    Criterion("compact", "形状紧凑度", "share", 0.20, 1.0, 0.0,
              "等周商与正方形之比，正方形为 1，越狭长越小"),
    Criterion("road", "距道路", "m", 0.15, 0.0, 1000.0,
              "地块到最近道路边缘的距离，1 公里及以上得 0 分"),
    Criterion("built_up", "距建成区", "m", 0.10, 0.0, 3000.0,
              "地块到最近建成区的距离，3 公里及以上得 0 分"),
    Criterion("budget", "指标余量", "share", 0.10, 1.0, 0.0,
              "所涉各项指标占用后剩余比例中最小的一项，数量未知的不计"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scored:
    """What one criterion says of one site; value and score are None where nobody knows."""

    criterion: Criterion
    weight: float
    value: float | None
    score: float | None

    def to_dict(self) -> dict[str, object]:
        """Return plain JSON values."""
        own = self.criterion
        return {
            "id": own.id,
            "title": own.title,
            "unit": own.unit,
            "value": None if self.value is None else round(self.value, 4),
            "score": None if self.score is None else round(self.score, 4),
            "weight": round(self.weight, 4),
        }


def weights_of(given: Mapping[str, float] | None) -> dict[str, float]:
    """Return the weights of the table, with those given in their place.

    Raises
    ------
    ClaimError
        A criterion that the table does not have, or a weight that is no number from 0 up.
    """
    weights = {c.id: c.weight for c in CRITERIA}
    for name, value in (given or {}).items():
        if name not in weights:
            raise ClaimError(
                f"没有名为“{str(name)[:40]}”的评分项",
                expected="、".join(weights),
                advice="核对评分项名称",
            )
        if not 0 <= value <= _HEAVIEST:
            raise ClaimError(f"评分项“{name}”的权重为 {value}", expected=f"0 到 {_HEAVIEST:g} 的数")
        weights[name] = float(value)
    if not any(weights.values()):
        raise ClaimError("所有评分项的权重都是 0", expected="至少一项大于 0")
    return weights


def scored(values: Mapping[str, float | None], weights: Mapping[str, float]) -> tuple[Scored, ...]:
    """Return what each criterion says; the weights add up to 1 over those that are known."""
    known = math.fsum(weights[c.id] for c in CRITERIA if values.get(c.id) is not None)
    found = []
    for criterion in CRITERIA:
        value = values.get(criterion.id)
        if value is None:
            found.append(Scored(criterion, 0.0, None, None))
        else:
            weight = weights[criterion.id] / known if known else 0.0
            found.append(Scored(criterion, weight, value, criterion.score(value)))
    return tuple(found)


def total(rows: Sequence[Scored]) -> float:
    """Return the weighted mean, 0-1."""
    return math.fsum(row.weight * (row.score or 0.0) for row in rows)
