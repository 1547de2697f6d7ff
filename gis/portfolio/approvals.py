"""Which approvals does a project have, and which stage comes next?

Land, then planning, then building. The register tells three things apart: a number stands there
(held), somebody wrote that it is not done (not yet), or nothing is said (unknown). Silence is no
proof that a paper is missing, so the next step is then to look it up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gis.portfolio.project import Project

_NOT_YET = re.compile(r"(尚|暂|还)?(未|没有|无(?!锡|棣|为|极)|正在|待|拟)")


class Stage(StrEnum):
    """The stages in their order."""

    LAND = "land"
    PLANNING = "planning"
    BUILDING = "building"


class Held(StrEnum):
    """What the register says of one approval."""

    HELD = "held"
    NOT_YET = "not_yet"
    UNKNOWN = "unknown"


TITLES = {Stage.LAND: "用地手续", Stage.PLANNING: "规划手续", Stage.BUILDING: "施工许可"}
WORDS = {Held.HELD: "已办理", Held.NOT_YET: "未办理", Held.UNKNOWN: "未载明"}


@dataclass(frozen=True, slots=True)
class Approval:
    """One approval of a project: who gave it, its number, and the word of the list otherwise."""

    stage: Stage
    state: Held
    body: str = ""
    number: str = ""
    said: str = ""

    @property
    def title(self) -> str:
        """用地手续, 规划手续 or 施工许可."""
        return TITLES[self.stage]

    @property
    def text(self) -> str:
        """What the register says, in a few words."""
        if self.state is Held.HELD:
            return "　".join(filter(None, (self.body, self.number))) or WORDS[self.state]
        return self.said or WORDS[self.state]

    @property
    def todo(self) -> str:
        """What is to be done about it; empty when it is held."""
        if self.state is Held.HELD:
            return ""
        if self.state is Held.UNKNOWN:
            return f"核实{self.title}（清单未载明）"
        return f"办理{self.title}（{self.said or WORDS[self.state]}）"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "stage": self.stage.value,
            "title": self.title,
            "state": self.state.value,
            "state_label": WORDS[self.state],
            "body": self.body,
            "number": self.number,
            "text": self.text,
        }


def approvals_of(project: Project) -> tuple[Approval, ...]:
    """Return the three approvals of a project in their order.

    Land that was acquired on a stated day is held, also where no number is told.
    """
    land = _approval(Stage.LAND, project.land_approval_by, project.land_approval)
    if land.state is not Held.HELD and project.land_on is not None:
        land = Approval(
            Stage.LAND, Held.HELD, land.body, f"{project.land_on} 取得土地（文号未载明）"
        )
    return (
        land,
        _approval(Stage.PLANNING, project.planning_permit_by, project.planning_permit),
        _approval(Stage.BUILDING, project.building_permit_by, project.building_permit),
    )


def next_stage(approvals: tuple[Approval, ...]) -> Approval | None:
    """Return the first approval that is not held; None when all are."""
    return next((a for a in approvals if a.state is not Held.HELD), None)


def is_not_yet(text: str) -> bool:
    """Whether a cell says that an approval is not there yet, instead of its number.

    >>> is_not_yet("未办理"), is_not_yet("正在组卷报批"), is_not_yet("地字第371501201930004号")
    (True, True, False)
    """
    return _NOT_YET.match(text) is not None


def _approval(stage: Stage, body: str | None, number: str | None) -> Approval:
    if number is None:
        return Approval(stage, Held.UNKNOWN, body or "")
    if is_not_yet(number):
        return Approval(stage, Held.NOT_YET, body or "", said=number)
    return Approval(stage, Held.HELD, body or "", number)
