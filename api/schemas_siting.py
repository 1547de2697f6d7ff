"""What does a search for sites ask and answer? Models for the OpenAPI document, field by field.

They describe what ``gis.siting`` computes, and compute nothing. Areas are m² and mu on the
ellipsoid, distances metres.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import ConfigDict, Field

from api.schemas import Answer, FindingOut, GeoJsonObject, ImpactOut, PlanRefOut, VerdictCode

_MOST_WISHES = 40
Verdicts = Literal["pass", "conditional", "undetermined", "fail", "not_applicable"]


class SearchIn(Answer):
    """What is looked for."""

    use: str = Field(description="拟建用途：2023 年版代码", max_length=20, examples=["0803"])
    area_mu: float = Field(description="所需面积，亩", ge=0.01, le=1e7, examples=[100])
    zone: str | None = Field(
        None,
        description="只在一个有名称的范围内找；默认全部",
        max_length=60,
        examples=["Z1"],
    )
    min_width_m: float | None = Field(
        None, description="地块各处的最小宽度，米", gt=0, le=1e6, examples=[60]
    )
    near_road_m: float | None = Field(
        None, description="地块到道路边缘的最大距离，米", gt=0, le=1e6, examples=[300]
    )
    away: dict[str, float] = Field(
        {},
        description="与图层保持的距离，米",
        max_length=_MOST_WISHES,
        examples=[{"power_lines": 100}],
    )
    keep: dict[str, float] = Field(
        {},
        description="占用后要保留的指标，亩",
        max_length=_MOST_WISHES,
        examples=[{"dev_boundary:410": 50}],
    )
    attributes: dict[str, str | bool | float] = Field(
        {},
        description="申请人申报的属性，与选址检测相同",
        max_length=_MOST_WISHES,
        examples=[{"plot_ratio": 1.2, "land_supply": "allocated"}],
    )
    weights: dict[str, float] = Field(
        {},
        description="评分项的权重；未给出的用默认值",
        max_length=_MOST_WISHES,
        examples=[{"road": 0.3}],
    )
    as_of: date | None = Field(
        None, description="法规时点，默认今天（北京时间）", examples=["2026-11-22"]
    )
    most: int = Field(5, description="最多几个候选地块", ge=1, le=20)
    land: bool = Field(False, description="是否给出各类用地的图形")


class QueryOut(Answer):
    """What was looked for, with what was not said filled in."""

    use: str = Field(examples=["0803"])
    use_label: str = Field(examples=["0803 文化用地"])
    area_mu: float
    area_m2: float
    zone: str | None
    within: str = Field(description="在哪个范围内找", examples=["规划范围"])
    min_width_m: float | None
    near_road_m: float | None
    away: dict[str, float]
    keep: dict[str, float]
    attributes: dict[str, str | bool | float]
    as_of: date
    most: int
    weights: dict[str, float]


class ToldRuleOut(Answer):
    """A rule: what it says at worst, what it asks for, what to do."""

    rule: str = Field(examples=["cn.planned-use"])
    title: str = Field(examples=["规划用途"])
    verdict: Verdicts
    verdict_label: str = Field(examples=["需核实"])
    threshold: str
    remedy: str
    office: str


class RuleShareOut(ToldRuleOut):
    """A rule with the land of one class that it makes so."""

    area_m2: float
    area_mu: float
    reason: str = Field(description="只在 everywhere 中有：对全部用地都成立的理由")


class LandClassOut(Answer):
    """Land of one class, by its place."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    cls: Literal["permitted", "conditional", "undetermined", "excluded"] = Field(alias="class")
    label: str = Field(examples=["有条件可用"])
    area_m2: float
    area_mu: float
    share: float = Field(description="占所统计用地的比例，0–1")
    rules: list[RuleShareOut] = Field(description="决定这一类的规则和面积，面积大的在前")
    geometry: GeoJsonObject | None = Field(
        None, description="图形，GeoJSON 经纬度；要求 land 时才有，涉及不公开图层时为 null"
    )


class FeasibleOut(Answer):
    """The land by class, counted on square cells."""

    cell_m: float = Field(description="统计单元的边长，米", examples=[31])
    area_m2: float
    area_mu: float
    edge_m2: float = Field(description="范围边缘不足一个单元、未统计的面积")
    edge_mu: float
    largest_m2: float = Field(description="符合或有条件符合的连片用地中最大的一片")
    largest_mu: float
    classes: list[LandClassOut]
    everywhere: list[RuleShareOut] = Field(
        description="对全部用地都成立、与位置无关的手续和待核实事项，不计入分类"
    )
    note: str


class CriterionOut(Answer):
    """What one criterion says of one site."""

    id: str = Field(examples=["road"])
    title: str = Field(examples=["距道路"])
    unit: Literal["share", "m"]
    value: float | None = Field(description="未知为 null，不计分", examples=[19.0])
    score: float | None = Field(description="0–1", examples=[0.98])
    weight: float = Field(description="在已知各项中的权重", examples=[0.15])


class CandidateOut(Answer):
    """An outline of the wanted size, checked like any site."""

    rank: int = Field(description="从 1 开始；0 为最接近的地块，不是候选", examples=[1])
    name: str = Field(examples=["候选地块 1"])
    verdict: VerdictCode
    verdict_label: str = Field(examples=["有条件符合"])
    deciding_rule: str | None
    score: float = Field(description="各评分项的加权平均，0–1", examples=[0.93])
    criteria: list[CriterionOut]
    area_m2: float
    area_mu: float
    vertices: int
    costs: list[FindingOut] = Field(description="须先办理的事项")
    against: list[FindingOut] = Field(description="不符合和需核实的规则；候选地块没有")
    impact: list[ImpactOut]
    digest: str = Field(description="同一地块用选址检测得到的校验码")
    geometry: GeoJsonObject | None = Field(description="GeoJSON 经纬度；涉及不公开图层时为 null")


class BindingOut(ToldRuleOut):
    """A rule, or a wish of the search, that keeps land from the site."""

    kind: Literal["rule", "wish"]
    excluded_m2: float = Field(description="不符合的面积")
    excluded_mu: float
    open_m2: float = Field(description="需核实的面积")
    open_mu: float
    alone_m2: float = Field(description="假如只有这一条，不能用的面积")
    alone_mu: float
    last_m2: float = Field(description="只因这一条不能用的面积")
    last_mu: float


class NearestMissOut(Answer):
    """What comes nearest where there is no candidate."""

    text: str
    largest_m2: float
    largest_mu: float
    missing_m2: float = Field(description="最大的一片还缺多少")
    missing_mu: float
    open_largest_m2: float = Field(description="连同需核实的用地，最大的一片")
    open_largest_mu: float
    sites: list[CandidateOut]


class RejectedOut(Answer):
    """An outline that was tried and is not offered."""

    reason: str
    rules: list[str]


class SearchOut(Answer):
    """Where a project could stand, or what comes nearest."""

    query: QueryOut
    feasible: FeasibleOut
    candidates: list[CandidateOut] = Field(description="全部符合或有条件符合，最好的在前")
    binding: list[BindingOut] = Field(description="起限制作用的规则，限制最大的在前")
    nearest_miss: NearestMissOut | None = Field(description="有候选地块时为 null")
    rejected: list[RejectedOut]
    hidden_layers: list[str] = Field(description="因不公开坐标而使图形没有给出的图层")
    plan: PlanRefOut
