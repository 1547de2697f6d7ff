"""What do the answers about projects look like? Models for the OpenAPI document, field by field.

The columns of the register as ``gis.portfolio.columns`` has them, and the portfolio as
``Portfolio.to_dict`` gives it; nothing is computed here.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api.schemas import Answer, AreaOut, GeoJsonObject, PlanRefOut

Stage = Literal["land", "planning", "building"]
Held = Literal["held", "not_yet", "unknown"]
VerdictId = Literal["pass", "conditional", "undetermined", "fail"]


class ApprovalOut(Answer):
    """One approval as the register tells it."""

    stage: Stage
    title: str = Field(examples=["用地手续"])
    state: Held = Field(description="held：已办理；not_yet：写明未办理；unknown：未载明")
    state_label: str = Field(examples=["未载明"])
    body: str = Field(description="审批单位")
    number: str = Field(description="文号", examples=["地字第371501201930004号"])
    text: str


class NextStageOut(ApprovalOut):
    """The first approval that is not held, and what is to be done."""

    todo: str = Field(examples=["办理用地手续（未办理）"])


class ProjectColumns(Answer):
    """One row of the register; an empty cell is null: nothing is stated."""

    id: str = Field(description="项目编号", examples=["P06"])
    name: str = Field(description="项目名称", examples=["现代中药园区"])
    unit: str | None = Field(description="项目单位")
    group: str | None = Field(description="清单分组")
    town: str | None = Field(description="所在镇街", examples=["某街道"])
    zone: str | None = Field(description="功能区", examples=["Z3"])
    priority: int | None = Field(description="优先级，从 1 开始")
    period: str | None = Field(description="建设起止年限", examples=["2022-06至2023-11"])
    investment_wan: float | None = Field(description="总投资，万元", examples=[15000])
    scale: str | None = Field(description="建设规模")
    area_mu: float | None = Field(description="清单写明的用地面积，亩")
    floor_area_m2: float | None = Field(description="清单写明的建筑面积，平方米")
    content: str | None = Field(description="建设内容")
    annual_plan_wan: float | None = Field(description="年度计划投资，万元")
    start_date: str | None = Field(description="开工时间", examples=["2022-06"])
    done_wan: float | None = Field(description="本期完成投资，万元")
    done_total_wan: float | None = Field(description="累计完成投资，万元")
    progress: str | None = Field(description="形象进度", examples=["未开工"])
    problem_class: str | None = Field(description="问题类别", examples=["征地前期"])
    problem: str | None = Field(description="存在问题", examples=["用地边界图正在准备"])
    problem_state: str | None = Field(description="未销号或已销号", examples=["未销号"])
    problem_closed_on: str | None = Field(description="销号日期")
    land_approval_by: str | None = Field(description="用地手续审批单位")
    land_approval: str | None = Field(description="用地手续文号")
    land_on: str | None = Field(description="取得土地日期")
    planning_permit_by: str | None = Field(description="规划手续审批单位")
    planning_permit: str | None = Field(description="规划手续文号")
    building_permit_by: str | None = Field(description="施工许可审批单位")
    building_permit: str | None = Field(description="施工许可文号")
    responsible_unit: str | None = Field(description="责任单位")
    use: str | None = Field(description="2023 年版用地用海代码", examples=["100101"])
    use_basis: str | None = Field(description="清单载明或假定")
    site_file: str | None = Field(description="边界图文件")
    site_feature: str | None = Field(description="项目图层中的要素编号")
    source: str | None = Field(description="资料来源")
    note: str | None = Field(description="备注")


class ProjectOut(ProjectColumns):
    """A project with its approvals."""

    use_label: str = Field(examples=["100101 一类工业用地"])
    approvals: list[ApprovalOut]
    next_stage: NextStageOut | None = Field(description="第一项没有办理或未载明的手续")
    problem_open: bool = Field(description="有问题且未销号")


class OneProjectOut(ProjectOut):
    """A project with its outline."""

    outline: Literal["usable", "none", "unusable"] = Field(
        description="有可用的边界图；清单没有写明边界图；写明的边界图不能采用"
    )
    lacks: str = Field(description="没有可用边界图的原因", examples=["无边界图"])
    area: AreaOut | None = Field(description="边界图的面积")
    shows_coordinates: bool = Field(description="false：涉密等级超过本服务上限，不给出坐标")
    geometry: GeoJsonObject | None = Field(description="边界图（经纬度）")
    plan: PlanRefOut


class RegisterOut(Answer):
    """Of which list the register is."""

    title: str = Field(examples=["2022年重点项目清单"])
    source: str
    as_of: str = Field(description="清单的时点", examples=["2022-05"])
    year: int | None
    done_period: str = Field(examples=["1—5月"])
    projects: int = Field(description="行数")
    sha256: str


class CountOut(Answer):
    """Number of projects, as stated and as known."""

    stated: int | None
    known: int | None = Field(description="登记册没有写明分组时为 null")


class SumOut(Answer):
    """A stated sum beside the sum of the rows that state it, 10,000 yuan."""

    stated: float
    known: float | None = Field(description="没有一行写明时为 null")
    rows: int = Field(description="写明的行数")
    difference: float | None


class TotalOut(Answer):
    """A total that the list states, beside the known rows."""

    id: str
    title: str = Field(examples=["全部项目"])
    projects: CountOut
    investment_wan: SumOut | None = None
    annual_plan_wan: SumOut | None = None
    done_wan: SumOut | None = None
    text: str


class ProjectsOut(Answer):
    """The register of projects."""

    plan: PlanRefOut
    register_: RegisterOut = Field(alias="register")
    projects: list[ProjectOut]
    totals: list[TotalOut]


# --- the portfolio -------------------------------------------------------------------------------


class TakenOut(Answer):
    """What a project takes of one scarce kind of land, on top of all projects before it, m²."""

    id: str = Field(examples=["dev_boundary:410"])
    title: str
    area_m2: float | None
    free_after_m2: float | None
    shortfall_m2: float | None
    exceeded: bool | None
    text: str


class WaitOut(Answer):
    """One thing that a project waits for."""

    kind: Literal["problem", "outline", "approval", "rule", "budget"]
    text: str = Field(examples=["征地前期：用地边界图正在准备"])


class CheckedProjectOut(ProjectOut):
    """A project with the verdict of its check, what it takes and what it waits for."""

    order: int = Field(description="占用顺序：按优先级，其次按清单")
    lacks: str = Field(description="没有检测的原因")
    area: AreaOut | None
    verdict: VerdictId | None = Field(description="没有可用的边界图时为 null")
    verdict_label: str = Field(examples=["需核实", "无边界图"])
    deciding_rule: str | None
    deciding_title: str | None
    reason: str | None
    remedy: str | None
    digest: str | None
    doubt: str = Field(description="坐标不是测量成果的原因")
    takes: list[TakenOut] | None
    held_by: list[str] = Field(description="同一土地上已有的预留和排在前面的项目")
    waits: list[WaitOut]


class NamedOut(Answer):
    """A project by id and name."""

    id: str
    name: str


class LackingOut(NamedOut):
    """A project without a usable outline."""

    lacks: str


class WaitingProjectOut(NamedOut):
    """A project with an open problem."""

    problem: str | None
    next_stage: str | None
    verdict: VerdictId | None
    verdict_label: str


class WaitingOut(Answer):
    """Open problems of one class."""

    class_: str = Field(alias="class", examples=["征地前期"])
    count: int
    investment_wan: float | None = Field(description="没有一个写明时为 null")
    investment_rows: int
    projects: list[WaitingProjectOut]


class VerdictCountOut(Answer):
    """How many projects have a verdict; null for those that were not checked."""

    verdict: VerdictId | None
    label: str
    projects: list[str]
    count: int


class LeftOut(Answer):
    """What all projects together leave of one budget, m²."""

    id: str
    title: str
    total_m2: float | None
    initial_m2: float | None
    taken_m2: float
    free_m2: float | None
    shortfall_m2: float
    ends_at: NamedOut | None = Field(description="用完该项的项目")
    short_there_m2: float
    unknown_at: NamedOut | None = Field(description="从该项目起占用量未知")
    share_before: float | None
    share_after: float | None
    text: str


class PortfolioOut(Answer):
    """All projects, checked and booked in order."""

    schema_version: str
    plan: PlanRefOut
    as_of: str
    register_: RegisterOut = Field(alias="register")
    sentence: str
    verdicts: list[VerdictCountOut]
    without_outline: list[LackingOut]
    waiting: list[WaitingOut]
    projects: list[CheckedProjectOut]
    budgets: list[LeftOut]
    totals: list[TotalOut]
    notes: list[str]
