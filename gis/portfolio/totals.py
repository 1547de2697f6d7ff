"""Do the rows of the register add up to what its list states?

The list states totals of all its projects; the register may know only some of them. The sum of
what is known stands beside the stated figure, with how many rows it is the sum of. A row without
the figure counts as unknown, never as nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gis.portfolio.columns import SUMMED
from gis.portfolio.project import Project, Register, StatedTotal

LABELS = {"investment_wan": "总投资", "annual_plan_wan": "年度计划", "done_wan": "本期完成"}
_SAME_WAN = 0.005


@dataclass(frozen=True, slots=True)
class Sum:
    """One stated sum beside that of the rows, 10,000 yuan.

    ``known`` is None when no row states the figure; ``rows`` is how many do. ``difference`` is
    stated minus known.
    """

    stated: float
    known: float | None
    rows: int

    @property
    def difference(self) -> float | None:
        """Stated minus known; None when nothing is known."""
        return None if self.known is None else self.stated - self.known


@dataclass(frozen=True, slots=True)
class Total:
    """A stated total beside the rows that it is about.

    ``projects`` is None when no row says that it belongs to the group that is meant.
    """

    stated: StatedTotal
    projects: int | None
    sums: dict[str, Sum]
    text: str

    @property
    def contradictions(self) -> tuple[str, ...]:
        """What cannot be: more known rows, or a larger sum of them, than the list states."""
        found = []
        if self.stated.projects is not None and (self.projects or 0) > self.stated.projects:
            found.append(f"清单写 {self.stated.projects} 个项目，登记册已有 {self.projects} 个")
        for name, own in self.sums.items():
            if own.difference is not None and own.difference < -_SAME_WAN:
                text = f"{LABELS[name]}写 {_wan(own.stated)}，各行之和已是 {_wan(own.known or 0)}"
                found.append(text)
        return tuple(found)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        stated = self.stated
        return {
            "id": stated.id,
            "title": stated.title,
            "projects": {"stated": stated.projects, "known": self.projects},
            **{
                name: {
                    "stated": own.stated,
                    "known": own.known,
                    "rows": own.rows,
                    "difference": own.difference,
                }
                for name, own in self.sums.items()
            },
            "text": self.text,
        }


def totals_of(register: Register) -> tuple[Total, ...]:
    """Return every stated total of the list beside the sum of the rows that are known."""
    return tuple(_total(register, stated) for stated in register.stated)


def _total(register: Register, stated: StatedTotal) -> Total:
    rows: Sequence[Project] | None = register.projects
    if stated.group is not None:
        rows = [p for p in register.projects if p.group == stated.group] or None
    sums = {
        name: _sum(getattr(stated, name), name, rows or ())
        for name in SUMMED
        if getattr(stated, name) is not None
    }
    return Total(stated, None if rows is None else len(rows), sums, _text(stated, rows, sums))


def _sum(stated: float, name: str, rows: Sequence[Project]) -> Sum:
    known = [value for p in rows if (value := getattr(p, name)) is not None]
    return Sum(stated, math.fsum(known) if known else None, len(known))


def _text(stated: StatedTotal, rows: Sequence[Project] | None, sums: dict[str, Sum]) -> str:
    """Return how the stated figures and the known rows differ, and why."""
    count = "" if stated.projects is None else f" {stated.projects} 个"
    parts = [f"{LABELS[name]} {_wan(own.stated)}" for name, own in sums.items()]
    said = f"清单写{stated.title}{count}：{'，'.join(parts)}"
    if rows is None:
        return f"{said}。登记册没有写明哪些项目属于“{stated.group}”，不能比较"
    known = [
        f"{own.rows} 个写明{LABELS[name]}，合计 {_wan(own.known)}"
        if own.known is not None
        else f"没有一个写明{LABELS[name]}"
        for name, own in sums.items()
    ]
    found = f"登记册载明 {len(rows)} 个：{'；'.join(known)}"
    return f"{said}。{found}。{_rest(stated, rows, sums)}"


def _rest(stated: StatedTotal, rows: Sequence[Project], sums: dict[str, Sum]) -> str:
    missing = (stated.projects or len(rows)) - len(rows)
    gaps = [
        f"{LABELS[name]} {_wan(own.difference)}"
        for name, own in sums.items()
        if own.difference is not None and abs(own.difference) > _SAME_WAN
    ]
    if not missing and not gaps:
        return "两者一致"
    if missing < 0 or any((own.difference or 0) < -_SAME_WAN for own in sums.values()):
        return "登记册超过清单的合计，请核对"
    unknown = f"未列入登记册的 {missing} 个项目" if missing else "没有写明金额的项目"
    also = "和没有写明金额的项目" if missing and gaps else ""
    amount = f"，差额 {'、'.join(gaps)}" if gaps else ""
    return f"其余属于{unknown}{also}{amount}"


def _wan(value: float | None) -> str:
    return "未知" if value is None else f"{value:,.10g} 万元"
