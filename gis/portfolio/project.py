"""What is a project of the register, and what is the register as a whole?

Frozen types without any reading or judging. An empty cell is None: nobody has said it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gis.errors import NotFoundError
from gis.portfolio.columns import CLOSED, COLUMNS

# What people write differently in one and the same name.
_IDLE = re.compile(r"[\s·•・.,，。、“”\"'‘’()\[\]【】《》<>_—–\-]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """One row of the register; the columns stand in ``columns.COLUMNS``.

    Money is in 10,000 yuan (``_wan``), ``area_mu`` and ``floor_area_m2`` are what the list states,
    not what is measured. Dates are texts as exact as they were stated: ``2022``, ``2022-06``.
    ``row`` is the line in the file, ``extra`` what columns hold that nobody here knows.
    """

    id: str
    name: str
    unit: str | None = None
    group: str | None = None
    town: str | None = None
    zone: str | None = None
    priority: int | None = None
    period: str | None = None
    investment_wan: float | None = None
    scale: str | None = None
    area_mu: float | None = None
    floor_area_m2: float | None = None
    content: str | None = None
    annual_plan_wan: float | None = None
    start_date: str | None = None
    done_wan: float | None = None
    done_total_wan: float | None = None
    progress: str | None = None
    problem_class: str | None = None
    problem: str | None = None
    problem_state: str | None = None
    problem_closed_on: str | None = None
    land_approval_by: str | None = None
    land_approval: str | None = None
    land_on: str | None = None
    planning_permit_by: str | None = None
    planning_permit: str | None = None
    building_permit_by: str | None = None
    building_permit: str | None = None
    responsible_unit: str | None = None
    use: str | None = None
    use_basis: str | None = None
    site_file: str | None = None
    site_feature: str | None = None
    source: str | None = None
    note: str | None = None
    row: int = 0
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_open_problem(self) -> bool:
        """Whether a problem is stated that nobody has struck off the list."""
        stated = self.problem is not None or self.problem_class is not None
        return stated and self.problem_state != CLOSED

    @property
    def claims(self) -> dict[str, float]:
        """What the list states of the project that rules ask for."""
        stated = {"investment_wan": self.investment_wan, "floor_area_m2": self.floor_area_m2}
        return {key: value for key, value in stated.items() if value is not None}

    def to_dict(self) -> dict[str, Any]:
        """Return the columns as plain JSON values, null where nothing is stated."""
        return {column.name: getattr(self, column.name) for column in COLUMNS}


@dataclass(frozen=True, slots=True)
class StatedTotal:
    """What the list as a whole states: number of projects and sums in 10,000 yuan.

    ``group`` limits it to the projects of one group of the list.
    """

    id: str
    title: str
    projects: int | None
    investment_wan: float | None
    annual_plan_wan: float | None
    done_wan: float | None
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Register:
    """The projects of a plan package in the order of the file.

    ``sha256`` is that of the file; ``as_of`` the state of the list, ``year`` and ``done_period``
    say which year's plan and which months its columns mean.
    """

    projects: tuple[Project, ...]
    sha256: str
    title: str = ""
    source: str = ""
    as_of: str = ""
    year: int | None = None
    done_period: str = ""
    stated: tuple[StatedTotal, ...] = ()
    extra_columns: tuple[str, ...] = ()

    def get(self, project_id: str) -> Project:
        """Return one project; raise NotFoundError when there is none of that id."""
        for project in self.projects:
            if project.id == project_id:
                return project
        raise NotFoundError(
            f"项目清单中没有编号“{project_id[:40]}”",
            expected="清单中的项目编号",
            advice="清单见 wuqu projects list 或 /v1/projects",
        )

    @property
    def in_order(self) -> tuple[Project, ...]:
        """The projects by priority; those without one follow in the order of the list."""
        ranked = [p for p in self.projects if p.priority is not None]
        rest = [p for p in self.projects if p.priority is None]
        return (*sorted(ranked, key=lambda p: p.priority or 0), *rest)

    def about(self) -> dict[str, Any]:
        """Return what names the register, without its rows."""
        return {
            "title": self.title,
            "source": self.source,
            "as_of": self.as_of,
            "year": self.year,
            "done_period": self.done_period,
            "projects": len(self.projects),
            "sha256": self.sha256,
        }


def name_key(name: str) -> str:
    """Return what two ways of writing one name have in common.

    >>> name_key("某市“一校三馆”") == name_key('某市 "一校三馆"')
    True
    """
    return _IDLE.sub("", unicodedata.normalize("NFKC", name)).lower()
