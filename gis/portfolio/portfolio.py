"""How do all projects stand: verdict, next approval, open problem, and what they take together?

The answer of ``check_portfolio`` as one object. The document of ``to_dict`` is what command, table,
workbook and map print; nothing is measured or judged here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from gis.canonical import SCHEMA_VERSION, to_dict
from gis.errors import NotFoundError
from gis.model import PlanRef, SiteCheck, Verdict
from gis.plan.booking import BookedBudget, BookedSite, Booking
from gis.portfolio.approvals import Approval, next_stage
from gis.portfolio.columns import CLOSED, OPEN
from gis.portfolio.project import Project, Register
from gis.portfolio.summary import notes_of, sentence_of, waiting_of
from gis.portfolio.totals import Total
from gis.portfolio.waits import Wait, waits_of
from gis.rulebook.land_classes import use_label
from gis.viewable import Viewable

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

NO_OUTLINE, UNUSABLE, UNCHECKED = "无边界图", "边界图不能采用", "未能检测"
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ProjectCheck:
    """One project in its place of the order.

    ``check`` is None when there is nothing to check: the register names no outline, one that cannot
    be used, or a use that does not exist; ``lacks`` says which. ``booked`` is what it takes on top
    of all before it.
    """

    order: int
    project: Project
    approvals: tuple[Approval, ...]
    check: SiteCheck | None = None
    booked: BookedSite | None = None
    lacks: str = ""

    @property
    def verdict_label(self) -> str:
        """The verdict, or why there is none: 无边界图, 边界图不能采用, 未能检测."""
        if self.check is not None:
            return self.check.verdict.label
        return self.lacks.partition("：")[0]

    @property
    def waits(self) -> tuple[Wait, ...]:
        """What the project waits for."""
        return waits_of(self.project, self.approvals, self.check, self.booked, self.lacks)


@dataclass(frozen=True, slots=True)
class Portfolio(Viewable):
    """The projects of a register, checked and booked in order.

    ``projects`` are in the order in which they were booked, all of the register among them.
    """

    plan: PlanRef
    as_of: date
    register: Register
    projects: tuple[ProjectCheck, ...]
    booking: Booking
    totals: tuple[Total, ...]
    work_epsg: int

    def get(self, project_id: str) -> ProjectCheck:
        """Return one project; raise NotFoundError when the register has none of that id."""
        self.register.get(project_id)
        return next(row for row in self.projects if row.project.id == project_id)

    @property
    def documents(self) -> list[dict[str, Any]]:
        """The JSON documents of the checks that were made, in order."""
        return [to_dict(row.check) for row in self.projects if row.check is not None]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, without any outline."""
        rows = [project_row(row) for row in self.projects]
        return {
            "schema_version": SCHEMA_VERSION,
            "plan": self.plan.to_dict(),
            "as_of": self.as_of.isoformat(),
            "register": self.register.about(),
            "sentence": sentence_of(rows),
            "verdicts": _counts(rows),
            "without_outline": [_named(r) for r in rows if r["verdict"] is None],
            "waiting": waiting_of(rows),
            "projects": rows,
            "budgets": [self._budget(budget) for budget in self.booking.to_dict()["budgets"]],
            "totals": [total.to_dict() for total in self.totals],
            "notes": notes_of(rows),
        }

    def to_frame(self) -> GeoDataFrame:
        """Return one row per project, in order, in the work CRS; no outline is an empty geometry.

        Index is the id of the project; areas in mu and hectares, money in 10,000 yuan.
        """
        import geopandas

        rows = [flat_row(project_row(row)) for row in self.projects]
        shapes = [None if r.check is None else r.check.site.geometry for r in self.projects]
        frame = geopandas.GeoDataFrame(rows, geometry=shapes, crs=self.work_epsg)
        return frame.set_index("id") if rows else frame

    def budget(self, budget_id: str) -> BookedBudget:
        """Return what is left of one budget; raise NotFoundError when the plan has none such."""
        try:
            return self.booking.budget(budget_id)
        except KeyError:
            known = "、".join(b.id for b in self.booking.budgets)
            raise NotFoundError(f"没有指标“{budget_id[:40]}”", expected=known) from None

    def _budget(self, row: Mapping[str, Any]) -> Row:
        """Return a budget with the projects that it names by their id, instead of numbers."""
        booked = {r.booked.number: r.project for r in self.projects if r.booked is not None}
        named: Row = {}
        text = row["text"]
        for key in ("ends_at", "unknown_at"):
            project = booked.get(row[key])
            named[key] = None if project is None else {"id": project.id, "name": project.name}
            if project is not None:
                text = text.replace(f"第 {row[key]} 个地块", f"“{project.name}”")
        return {**row, **named, "text": text.replace("该地块", "该项目")}


# --- rows ----------------------------------------------------------------------------------------


def project_row(row: ProjectCheck) -> Row:
    """Return one project as plain JSON values: the register, the check, the booking, the waits."""
    project = row.project
    following = next_stage(row.approvals)
    return {
        "order": row.order,
        **project.to_dict(),
        "use_label": use_label(project.use),
        "approvals": [approval.to_dict() for approval in row.approvals],
        "next_stage": following and following.to_dict() | {"todo": following.todo},
        "problem_open": project.has_open_problem,
        "lacks": row.lacks,
        **_checked(row),
        **_taken(row.booked),
        "waits": [wait.to_dict() for wait in row.waits],
    }


def _checked(row: ProjectCheck) -> Row:
    if row.check is None:
        empty = dict.fromkeys(
            ("area", "verdict", "deciding_rule", "deciding_title", "reason", "remedy", "digest")
        )
        return {**empty, "verdict_label": row.verdict_label, "doubt": ""}
    check, area = row.check, row.check.site.area
    deciding = next((f for f in check.findings if f.rule == check.deciding_rule), None)
    return {
        "area": {
            "ellipsoidal_m2": round(area.ellipsoidal_m2, 2),
            "planar_m2": round(area.planar_m2, 2),
            "mu": round(area.mu, 4),
            "ha": round(area.ha, 6),
        },
        "verdict": check.verdict.value,
        "deciding_rule": check.deciding_rule,
        "deciding_title": deciding.title if deciding else None,
        "reason": deciding.reason if deciding else None,
        "remedy": deciding.remedy if deciding else None,
        "digest": check.digest,
        "verdict_label": row.verdict_label,
        "doubt": check.site.doubt.reason if check.site.doubt else "",
    }


def _taken(booked: BookedSite | None) -> Row:
    """Return what a project takes; None where nobody knows, for want of an outline."""
    if booked is None:
        return {"takes": None, "held_by": []}
    takes = [
        {
            "id": row.id,
            "title": row.title,
            "area_m2": None if row.area_m2 is None else round(row.area_m2, 2) + 0.0,
            "free_after_m2": None
            if row.free_after_m2 is None
            else round(row.free_after_m2, 2) + 0.0,
            "shortfall_m2": None if row.shortfall_m2 is None else round(row.shortfall_m2, 2) + 0.0,
            "exceeded": row.exceeded,
            "text": row.text,
        }
        for row in booked.impact
    ]
    return {"takes": takes, "held_by": list(booked.held_by)}


def flat_row(row: Mapping[str, Any]) -> Row:
    """Return a row of the document without nested values: a line of a table or a frame."""
    area = row["area"] or {"mu": None, "ha": None}
    following = row["next_stage"]
    states = {a["stage"]: a["text"] for a in row["approvals"]}
    known = row["takes"] or ()
    return {
        "order": row["order"],
        "id": row["id"],
        "name": row["name"],
        "town": row["town"],
        "zone": row["zone"],
        "use": row["use"],
        "use_basis": row["use_basis"],
        "investment_wan": row["investment_wan"],
        "done_total_wan": row["done_total_wan"],
        "area_mu": area["mu"],
        "area_ha": area["ha"],
        "verdict": row["verdict"],
        "verdict_label": row["verdict_label"],
        "deciding_title": row["deciding_title"],
        "land_approval": states["land"],
        "planning_permit": states["planning"],
        "building_permit": states["building"],
        "next_stage": following["todo"] if following else "",
        "problem_class": row["problem_class"],
        "problem": row["problem"],
        "problem_state": _state(row),
        "takes": "；".join(t["text"] for t in known if t["area_m2"] != 0),
        "waits": "；".join(wait["text"] for wait in row["waits"]),
    }


def _state(row: Mapping[str, Any]) -> str:
    if row["problem_open"]:
        return OPEN
    return CLOSED if row["problem_state"] == CLOSED else ""


def _counts(rows: list[Row]) -> list[Row]:
    """Return how many projects have each verdict, worst first, and how many have none."""
    order = sorted((v for v in Verdict if v is not Verdict.NOT_APPLICABLE), key=lambda v: -v.rank)
    found: list[Row] = [
        {
            "verdict": v.value,
            "label": v.label,
            "projects": [r["id"] for r in rows if r["verdict"] == v],
        }
        for v in order
    ]
    found.append(
        {
            "verdict": None,
            "label": "未检测",
            "projects": [r["id"] for r in rows if r["verdict"] is None],
        }
    )
    return [{**row, "count": len(row["projects"])} for row in found]


def _named(row: Row) -> Row:
    return {"id": row["id"], "name": row["name"], "lacks": row["lacks"]}
