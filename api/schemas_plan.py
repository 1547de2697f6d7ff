"""What do the answers about the plan look like? Models for the OpenAPI document, field by field.

They describe figures, layers, zones and rules as the service sends them, and compute nothing.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from api.schemas import (
    Answer,
    AreaOut,
    BasisOut,
    GeoJsonObject,
    OutOfScopeOut,
    PlanRefOut,
    RuleBookRef,
)
from api.schemas_balance import AreaRowOut, LandBalanceOut
from api.schemas_budgets import BudgetOut


class ParameterOut(Answer):
    """A number that no text has published; rules that need it stay undetermined without it."""

    id: str = Field(examples=["z3.investment-per-mu"])
    title: str
    unit: str = Field(examples=["wan_per_mu"])
    value: float | None = Field(description="未录入为 null")
    source: str
    note: str


class FigureOut(Answer):
    """A stated figure beside the computed one."""

    id: str = Field(examples=["core_area"])
    title: str = Field(examples=["规划核心区"])
    stated: float = Field(examples=[38.3])
    computed: float | None = Field(examples=[38.3])
    unit: str = Field(examples=["km2"])
    definition: str
    denominator: str
    difference: float | None
    reason: str
    reason_code: Literal[
        "equal", "rounding", "area_basis", "mismatch", "undetermined", "no_data"
    ] = Field(description="一致、公布值取整、面积口径不同、不符、图层未全覆盖而无法判定、无数据")
    source: str
    agrees: bool = Field(description="差异在公布值取整范围内；无法计算时为 false")
    tolerance: float = Field(description="公布值的取整范围（±），单位同 unit", examples=[0.05])
    computed_max: float | None = Field(
        description="图层未覆盖全部范围时，未知土地全部计入的占比；computed 为下限。否则为 null"
    )
    ellipsoidal_m2: float | None = Field(description="椭球面积；只用于面积指标")
    planar_m2: float | None = Field(description="工作坐标系平面面积；只用于面积指标")
    denominator_m2: float | None = Field(description="分母；只用于占比指标")
    layer: str = Field(description="计算所用图层", examples=["core"])
    layer_title: str
    vintage: str = Field(description="图层时点", examples=["2026-11"])
    status: str = Field(description="图层状态", examples=["schematic"])


class PlanOut(PlanRefOut):
    """The plan in use."""

    status_label: str = Field(examples=["示意"])
    work_crs: str = Field(examples=["EPSG:4548"])
    accepted_crs: list[str] = Field(examples=[["EPSG:4490", "EPSG:4527", "EPSG:4548"]])
    bounds: tuple[float, float, float, float] = Field(description="西、南、东、北，度")
    figures: list[FigureOut]
    out_of_scope: list[OutOfScopeOut]
    rulebook: RuleBookRef
    parameters: list[ParameterOut] = Field(description="没有文件公布过数值、由主管部门录入的参数")


class BalanceOut(Answer):
    """Stated figures, named areas, the land balance of one area, and the scarce budgets."""

    plan: PlanRefOut
    stated: list[FigureOut]
    areas: list[AreaRowOut]
    land_balance: LandBalanceOut | None
    land_balance_note: str = Field(description="没有用地平衡时说明原因")
    budgets: list[BudgetOut]
    rasters: list[dict[str, Any]] = Field([], description="遥感影像和栅格，各有日期")


class LayerOut(Answer):
    """A layer of the plan, without its coordinates."""

    id: str
    title: str
    role: str
    geometry: str
    state: Literal["checked", "no_data", "failed"]
    reason: str
    vintage: str
    status: str
    law_status: str
    secrecy: str
    licence: str
    source: str
    scheme: str | None
    edition: str | None
    content_sha256: str | None
    feature_count: int | None
    classes: dict[str, int] = Field(description="各类要素个数", examples=[{"0101": 12}])
    shows_coordinates: bool = Field(description="false：涉密等级超过本服务上限，只提供属性")


class LayersOut(Answer):
    """The layers of the plan."""

    plan: PlanRefOut
    layers: list[LayerOut]


class UsesOut(Answer):
    """2023 land-use codes by what a zone says to them."""

    permitted: list[str] = Field(examples=[["0802", "080403"]])
    conditional: list[str]
    prohibited: list[str]


class ZoneOut(Answer):
    """One functional zone."""

    id: str = Field(examples=["Z1"])
    name: str | None = Field(examples=["休闲旅游功能区"])
    area: AreaOut
    uses: UsesOut
    layer: str
    geometry: GeoJsonObject | None = None


class ZonesOut(Answer):
    """The functional zones."""

    plan: PlanRefOut
    zones: list[ZoneOut]


class RuleParameterOut(Answer):
    """A number that no text has published, as far as a rule needs it."""

    id: str = Field(examples=["z3.investment-per-mu"])
    title: str
    value: float | None = Field(description="由主管部门录入；未录入为 null，规则结论为需核实")


class RuleOut(Answer):
    """One rule of the book in use."""

    id: str = Field(examples=["cn.permanent-farmland"])
    title: str
    title_en: str
    kind: str = Field(examples=["forbid_overlap"])
    kind_label: str = Field(examples=["禁止占用"])
    parameters: list[RuleParameterOut] = Field(description="本条引用的规划参数")
    params: dict[str, Any]
    origin: Literal["statute", "plan", "assumption"]
    effect_verified: bool
    basis: list[BasisOut]
    office: str
    priority: int
    valid_from: str | None
    valid_to: str | None
    checked_on: str
    in_force: bool = Field(description="在 as_of 当日是否有效")
    remedy: str
    threshold: str
    layers: list[str]
    source_file: str


class RulesOut(Answer):
    """The rules in use."""

    plan: PlanRefOut
    rulebook: RuleBookRef
    as_of: str
    rules: list[RuleOut]


class Health(Answer):
    """Whether the service runs, and whether it can answer.

    The others where the service follows the releases of a plan.
    """

    status: Literal["ok"]
    release: str = Field(default="", description="正在应答的规划发布版本")
    wanted: str = Field(default="", description="生效而未能打开的版本")
    problem: str = Field(default="", description="生效的版本未能打开的原因；此间由原版本应答")
