"""Can the register be right? Every fault and every doubt, each with its row and column.

A fault stops somebody: a cell that cannot be read, a code, zone or town that is not there, an
outline that cannot be used. A warning is to be looked at: a number of an unusual form, more spent
than planned, an outline of another size than stated. Nothing is changed here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from gis.errors import Fault, InputError
from gis.model import LayerState, Site
from gis.portfolio.approvals import Held, approvals_of
from gis.portfolio.cells import differs, earliest, ends_of
from gis.portfolio.columns import BY_NAME, CLOSED
from gis.portfolio.outlines import feature_of, outline_of, why_unusable
from gis.portfolio.permits import has_usual_form, usual_forms
from gis.portfolio.project import Project, Register, name_key
from gis.portfolio.register import read_register
from gis.portfolio.totals import totals_of
from gis.rulebook.land_classes import uses
from gis.units import m2_to_mu

if TYPE_CHECKING:
    from gis.plan import Plan

# A stated area is compared as the outlines of plots are: to 1 %.
_AREA_SHARE = 0.01
_PERMITS = {"land": "land_approval", "planning": "planning_permit", "building": "building_permit"}


@dataclass(frozen=True, slots=True)
class RegisterReport:
    """What was found in a register: faults, warnings, and how many projects could be read."""

    register: Register
    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "register": self.register.about(),
            "faults": [fault.to_dict() for fault in self.faults],
            "warnings": [fault.to_dict() for fault in self.warnings],
        }


def lint_projects(plan: Plan) -> RegisterReport:
    """Return everything that is wrong or doubtful in the register of a plan package.

    Raises
    ------
    NotFoundError
        The package has no register.
    PlanError
        The file is no table of projects at all.
    """
    register, unread = read_register(plan.root)
    found = list(_findings(register, plan))
    return RegisterReport(
        register,
        (*unread, *(fault for is_fault, fault in found if is_fault)),
        tuple(fault for is_fault, fault in found if not is_fault),
    )


_Found = tuple[bool, Fault]
_FAULT, _WARNING = True, False


def _findings(register: Register, plan: Plan) -> Iterator[_Found]:
    for name in register.extra_columns:
        yield _WARNING, Fault("表头", f"列“{name[:40]}”不是清单的列，内容保留但不使用")
    for project in register.projects:
        for severity, column, text in _of_project(project, plan):
            yield severity, Fault(place(project, column), text)
    yield from _priorities(register)
    for total in totals_of(register):
        for text in total.contradictions:
            yield _WARNING, Fault(f"清单合计“{total.stated.title}”", text)


def place(project: Project, column: str) -> str:
    """Tell a person where a cell stands."""
    title = f"（{BY_NAME[column].title}）" if column in BY_NAME else ""
    return f"第 {project.row} 行 {column}{title}，“{project.name[:40]}”"


_Row = tuple[bool, str, str]


def _of_project(project: Project, plan: Plan) -> Iterator[_Row]:
    yield from _references(project, plan)
    yield from _approvals(project)
    yield from _problem(project)
    yield from _times(project)
    yield from _money(project)
    yield from _outline(project, plan)


# --- what the row names --------------------------------------------------------------------------


def _references(project: Project, plan: Plan) -> Iterator[_Row]:
    if project.use is not None and not uses().exists(project.use):
        text = f"“{project.use[:40]}”不在《用地用海分类指南》2023 年版中"
        yield _FAULT, "use", text
    if project.use is None:
        yield _WARNING, "use", "没有用途代码，取决于用途的规则将无法判定"
    for column, role in (("zone", "zone"), ("town", "district")):
        given, known = getattr(project, column), names_in(plan, role)
        if given is not None and known and given not in known:
            shown = "、".join(sorted(known))[:200]
            yield _FAULT, column, f"“{given[:40]}”不在规划数据包的图层中，应为 {shown}"


def names_in(plan: Plan, role: str) -> frozenset[str]:
    """Return what features of a role are called: zones by their class, districts by their name.

    Empty where the plan has no usable layer of the role, so that nothing can be said.
    """
    found: set[str] = set()
    for layer in plan.with_role(role):
        if layer.state is LayerState.CHECKED:
            index = layer.index
            values = index.names if role == "district" else index.classes
            fallback = index.ids if role == "zone" else index.classes
            found |= {str(v or f) for v, f in zip(values, fallback, strict=True) if v or f}
    return frozenset(found)


def _approvals(project: Project) -> Iterator[_Row]:
    given = approvals_of(project)
    for approval in given:
        column = _PERMITS[approval.stage.value]
        number = getattr(project, column)
        if number is None or approval.state is Held.NOT_YET:
            continue
        if not has_usual_form(approval.stage, number):
            forms = usual_forms(approval.stage)
            yield _WARNING, column, f"“{number[:60]}”不是常见的编号形式：{forms}"
    for earlier, later in ((given[0], given[2]), (given[1], given[2])):
        if later.state is Held.HELD and earlier.state is not Held.HELD:
            column = _PERMITS[earlier.stage.value]
            yield _WARNING, column, f"已有{later.title}，但{earlier.title}{earlier.text}"


def _problem(project: Project) -> Iterator[_Row]:
    stated = project.problem is not None or project.problem_class is not None
    if project.problem is not None and project.problem_class is None:
        yield _WARNING, "problem_class", "有存在问题而没有问题类别，汇总时归入“未分类”"
    if stated and project.problem_state is None:
        yield _WARNING, "problem_state", "没有写明是否销号，按未销号计"
    if not stated and project.problem_state is not None:
        yield _WARNING, "problem_state", f"写了“{project.problem_state}”，但没有存在问题"
    if project.problem_closed_on is not None and project.problem_state != CLOSED:
        yield _FAULT, "problem_closed_on", "写了销号日期，但销号状态不是“已销号”"
    if project.problem_state == CLOSED and project.problem_closed_on is None:
        yield _WARNING, "problem_closed_on", "已销号而没有销号日期"


# --- times and money -----------------------------------------------------------------------------


def _times(project: Project) -> Iterator[_Row]:
    if project.start_date is None or project.period is None:
        return
    begin, end = ends_of(project.period)
    started = earliest(project.start_date)
    if end and started > _last(end):
        text = f"“{project.start_date}”晚于建设期的结束“{end}”"
        yield _WARNING, "start_date", text
    elif started < earliest(begin) and not begin.startswith(project.start_date):
        text = f"“{project.start_date}”早于建设期的开始“{begin}”"
        yield _WARNING, "start_date", text


def _last(text: str) -> date:
    """Return a day on or after the last that a date as written may mean."""
    first = earliest(text)
    if len(text) == 4:
        return date(first.year, 12, 31)
    return first.replace(day=28) if len(text) == 7 else first


def _money(project: Project) -> Iterator[_Row]:
    total = project.investment_wan
    for column, name in (
        ("done_total_wan", "累计完成投资"),
        ("annual_plan_wan", "年度计划投资"),
        ("done_wan", "本期完成投资"),
    ):
        value = getattr(project, column)
        if value is not None and total is not None and value > total:
            yield _WARNING, column, f"{name} {value:,.10g} 万元大于总投资 {total:,.10g} 万元"
    done, whole = project.done_wan, project.done_total_wan
    if done is not None and whole is not None and done > whole:
        text = f"本期完成投资 {done:,.10g} 万元大于累计完成投资 {whole:,.10g} 万元"
        yield _WARNING, "done_wan", text


def _priorities(register: Register) -> Iterator[_Found]:
    first: dict[int, Project] = {}
    for project in register.projects:
        if project.priority is None:
            continue
        earlier = first.setdefault(project.priority, project)
        if earlier is not project:
            text = f"与第 {earlier.row} 行的优先级相同，按清单顺序排列"
            yield _WARNING, Fault(place(project, "priority"), text)


# --- outlines ------------------------------------------------------------------------------------


def _outline(project: Project, plan: Plan) -> Iterator[_Row]:
    if project.site_file is None and project.site_feature is None:
        return
    column = "site_file" if project.site_file is not None else "site_feature"
    if project.site_file is not None and project.site_feature is not None:
        yield _WARNING, "site_feature", "同时写了边界图文件，以文件为准"
    try:
        site = outline_of(project, plan)
    except InputError as problem:
        yield _FAULT, column, why_unusable(problem)
        return
    if column == "site_feature" and project.site_feature is not None:
        yield from _other_name(project, project.site_feature, plan)
    if site is not None:
        yield from _measured(project, site, column)


def _other_name(project: Project, feature: str, plan: Plan) -> Iterator[_Row]:
    layer, at = feature_of(feature, plan)
    name = layer.index.names[at]
    if name and name_key(str(name)) != name_key(project.name):
        yield _WARNING, "site_feature", f"要素的名称是“{str(name)[:40]}”，与项目名称不同"


def _measured(project: Project, site: Site, column: str) -> Iterator[_Row]:
    area_m2, stated = site.area.ellipsoidal_m2, project.area_mu
    if stated is not None and differs(area_m2, stated, _AREA_SHARE):
        text = f"边界图为 {m2_to_mu(area_m2):,.2f} 亩，清单写 {stated:,.10g} 亩，相差超过 1%"
        yield _WARNING, "area_mu", text
    if site.doubt is not None:
        yield _WARNING, column, f"坐标不是测量成果（{site.doubt.reason}）"
