"""What does a project wait for?

In the order in which somebody can act: the open problem of the list, the outline, the next
approval, the rule that stands against it, the land that is not left. Each in one sentence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from gis.model import SiteCheck, Verdict
from gis.plan.booking import BookedSite
from gis.portfolio.approvals import Approval, next_stage
from gis.portfolio.project import Project


class For(StrEnum):
    """What kind of thing is waited for."""

    PROBLEM = "problem"
    OUTLINE = "outline"  # or whatever else keeps it from being checked
    APPROVAL = "approval"
    RULE = "rule"
    BUDGET = "budget"


@dataclass(frozen=True, slots=True)
class Wait:
    """One thing that a project waits for."""

    kind: For
    text: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def waits_of(
    project: Project,
    approvals: tuple[Approval, ...],
    check: SiteCheck | None,
    booked: BookedSite | None,
    lacks: str,
) -> tuple[Wait, ...]:
    """Return what a project waits for; nothing when all is held and complies."""
    return tuple(_waits(project, approvals, check, booked, lacks))


def _waits(
    project: Project,
    approvals: tuple[Approval, ...],
    check: SiteCheck | None,
    booked: BookedSite | None,
    lacks: str,
) -> Iterator[Wait]:
    if project.has_open_problem:
        yield Wait(For.PROBLEM, "：".join(filter(None, (project.problem_class, project.problem))))
    if check is None:
        need = "补充用地边界图" if "边界图" in lacks.partition("：")[0] else "改正清单"
        yield Wait(For.OUTLINE, f"{lacks}，{need}后才能检测")
    following = next_stage(approvals)
    if following is not None:
        yield Wait(For.APPROVAL, following.todo)
    if check is not None and check.verdict is not Verdict.PASS:
        deciding = next((f for f in check.findings if f.rule == check.deciding_rule), None)
        if deciding is not None:
            text = f"{check.verdict.label}（{deciding.title}）：{deciding.remedy}"
            yield Wait(For.RULE, text)
    for row in booked.impact if booked else ():
        if row.exceeded:
            yield Wait(For.BUDGET, row.text)
