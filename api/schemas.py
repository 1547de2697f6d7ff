"""What do the answers look like? Models for the OpenAPI document, field by field.

The service sends the documents of ``gis`` as they are; these models describe them and are compared
with real answers in the tests. They compute nothing and convert nothing.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

VerdictCode = Literal["pass", "conditional", "undetermined", "fail"]
FindingVerdict = Literal["pass", "conditional", "undetermined", "fail", "not_applicable"]
GeoJsonObject = dict[str, Any]
_LAYER_ID = "图层编号；名称、数据时点（vintage）与状态（status、state）见 layers[] 中 id 相同的一项"


class Answer(BaseModel):
    """Base of all models: no field that is not declared."""

    model_config = ConfigDict(extra="forbid")


# --- problems ------------------------------------------------------------------------------------


class ProblemFault(Answer):
    """One defect with its place."""

    where: str = Field(description="JSON 路径、行号、坐标或参数名", examples=["第 12 行"])
    message: str = Field(examples=["边线自相交，位置（东 408498.270，北 4030411.110）"])
    ring: int | None = Field(None, description="第几环，从 1 开始", examples=[1])
    vertex: int | None = Field(None, description="该环第几点，从 1 开始", examples=[12])
    coordinate: tuple[float, float] | None = Field(
        None, description="原坐标，东（经度）在前", examples=[(408498.27, 4030411.11)]
    )
    marker: GeoJsonObject | None = Field(None, description="位置的 GeoJSON（经纬度），供地图显示")


class Problem(Answer):
    """RFC 9457 problem document."""

    type: str = Field(examples=["urn:wuqu:problem:geometry"])
    title: str = Field(examples=["图形有错误"])
    status: int = Field(examples=[422])
    detail: str = Field(
        examples=["图形自相交；应为：有效的多边形；处理办法：改正界址点，或用 repair=true 修复。"]
    )
    code: str = Field(description="供程序使用的稳定代码", examples=["geometry"])
    errors: list[ProblemFault]
    outline: GeoJsonObject | None = Field(
        None, description="有错误的图形的边线，GeoJSON 经纬度，供地图与错误位置一并显示；可能没有"
    )


# --- a check -------------------------------------------------------------------------------------


class AreaOut(Answer):
    """One area by both formulas; mu and hectares come from the ellipsoidal one."""

    ellipsoidal_m2: float = Field(description="CGCS2000 椭球面积（法定口径）", examples=[279446.67])
    planar_m2: float = Field(description="工作坐标系平面面积", examples=[279504.24])
    mu: float = Field(examples=[419.17])
    ha: float = Field(examples=[27.944667])


class CrsOut(Answer):
    """How the coordinates were understood."""

    source: str = Field(description="EPSG 代码，或 GCJ-02、BD-09", examples=["EPSG:4527"])
    work: str = Field(examples=["EPSG:4548"])
    how: str = Field(description="declared、prefix、guessed 或 given", examples=["prefix"])
    survey_grade: bool = Field(description="false：非测量成果，几米之差决定的结论为需核实")


class RemarkOut(Answer):
    """A note or a warning."""

    code: str = Field(examples=["unclosed_ring"])
    message: str = Field(examples=["地块边界未闭合，已自动闭合"])


class SourceOut(Answer):
    """Where the site came from."""

    kind: str = Field(examples=["boundary_txt"])
    name: str = Field(examples=["中学新校区.txt"])
    sha256: str


class SiteOut(Answer):
    """The site as it was understood."""

    name: str = Field(examples=["中学新校区"])
    area: AreaOut
    crs: CrsOut
    claims: dict[str, str | float | bool] = Field(
        description="申请人申报的内容，未经核实", examples=[{"use": "080403", "plot_ratio": 1.0}]
    )
    notes: list[RemarkOut]
    source: SourceOut
    geometry: GeoJsonObject | None = Field(description="地块边界，GeoJSON 经纬度，仅供显示")


class EvidenceOut(Answer):
    """What the site touches on one class of one layer."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    layer: str = Field(description=_LAYER_ID, examples=["farmland"])
    cls: str | None = Field(alias="class", examples=["0101"])
    name: str | None = Field(examples=["水田"])
    kind: Literal["area", "length", "count", "distance"]
    area_m2: float | None = None
    planar_m2: float | None = None
    length_m: float | None = None
    count: int | None = None
    distance_m: float | None = None
    share: float | None = Field(None, description="0–1，占地块椭球面积")
    feature_ids: list[str]


class MeasureOut(Answer):
    """The number of a finding."""

    kind: str = Field(examples=["area"])
    value: float = Field(examples=[1234.56])
    unit: str = Field(examples=["m²"])
    share: float | None = Field(None, examples=[0.0123])


class BasisOut(Answer):
    """One legal basis."""

    document: str = Field(examples=["中华人民共和国土地管理法"])
    number: str = Field(examples=[""])
    article: str = Field(examples=["第三十五条"])
    valid_from: str | None = Field(examples=["2020-01-01"])
    valid_to: str | None = None
    verified: bool = Field(description="false 时显示“依据待核”")


class FindingOut(Answer):
    """What one rule says about the site."""

    rule: str = Field(examples=["farmland.permanent"])
    title: str = Field(examples=["不得占用永久基本农田"])
    title_en: str = Field(examples=["No construction on permanent basic farmland"])
    verdict: FindingVerdict
    verdict_label: str = Field(examples=["不符合"])
    verdict_en: str = Field(examples=["does not comply"])
    layer: str | None = Field(
        description=f"{_LAYER_ID}；不涉及图层时为 null", examples=["farmland"]
    )
    layers: list[str] = Field([], description="判定本条所用的全部图层", examples=[["farmland"]])
    measure: MeasureOut | None
    threshold: str = Field(examples=["0 m²"])
    reason: str = Field(examples=["占用永久基本农田 1234.56 m²"])
    basis: list[BasisOut]
    origin: Literal["statute", "plan", "assumption"]
    office: str = Field(examples=["自然资源主管部门"])
    remedy: str = Field(examples=["调整边界，避让永久基本农田"])
    decides: bool
    geometry: GeoJsonObject | None = None


class ContactOut(Answer):
    """A sliver, listed with the rule that left it out."""

    layer: str = Field(description=_LAYER_ID, examples=["farmland"])
    rule: str
    area_m2: float
    width_m: float
    geometry: GeoJsonObject | None = Field(
        None, description="细碎接触的位置，GeoJSON 经纬度；图层不公开坐标时没有"
    )


class LayerReportOut(Answer):
    """The state of one layer for this site."""

    id: str = Field(examples=["farmland"])
    title: str = Field(examples=["永久基本农田"])
    state: Literal["checked", "no_data", "failed"]
    vintage: str = Field(examples=["2022"])
    status: str = Field(description="schematic 示意、draft 草案、approved 法定")
    law_status: str
    content_sha256: str | None
    uncovered_share: float | None
    reason: str


class ClassTakenOut(Answer):
    """One land class of what the site takes."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    cls: str = Field(alias="class", examples=["0102"])
    name: str = Field(examples=["水浇地"])
    area_m2: float


class ImpactOut(Answer):
    """What the site takes from a scarce budget; null is unknown, never nothing."""

    id: str = Field(
        description="dev_boundary:类别、permanent_farmland、cultivated_land、conversion、"
        "replacement、planned_green_water；reservations 为与预留用地的重叠",
        examples=["dev_boundary:410"],
    )
    title: str = Field(examples=["占用集中建设区"])
    area_m2: float | None = Field(description="占用尚可用的面积；未知为 null")
    total_m2: float | None = Field(description="规划中的总量；未提供为 null")
    covered_m2: float | None = Field(description="地块在该项土地上的全部面积")
    used_m2: float | None = Field(description="其中已是建设用地；只用于城镇开发边界")
    reserved_m2: float | None = Field(description="其中已预留给其他项目，见 held_by")
    unknown_m2: float = Field(description="其中无数据或地类不明")
    free_before_m2: float | None = Field(description="占用前尚余（已扣除预留）")
    free_after_m2: float | None
    shortfall_m2: float | None = Field(description="超出尚余的面积")
    share_before: float | None = Field(description="0–1，绿地和水域占比；其他项为 null")
    share_after: float | None
    exceeded: bool | None = Field(description="是否超出尚余；无法判断为 null")
    held_by: list[str] = Field(examples=[["“某项目”（R0001）"]])
    classes: list[ClassTakenOut] = Field(description="占用的现状地类")
    text: str = Field(
        examples=[
            "占用城镇开发边界集中建设区 27.94 公顷，该项尚余 312.40 公顷，占用后余 284.46 公顷"
        ]
    )


class BreakdownOut(Answer):
    """Area of the site on one present land class and one zone."""

    land_class: str | None = Field(description="现状地类；null 表示无数据", examples=["0101"])
    land_class_name: str | None = Field(examples=["水田"])
    zone: str | None = Field(description="功能分区编号；null 表示不在任何分区内", examples=["Z1"])
    zone_name: str | None = Field(examples=["休闲旅游功能区"])
    area_m2: float
    share: float | None = Field(None, description="0–1，占地块椭球面积")


class RemedyOut(Answer):
    """What would make the site compliant; outlines have been checked again before they are offered.

    A key that does not belong to the kind of remedy is left out.
    """

    kind: Literal["trim", "shift", "procedure"] = Field(
        description="trim 裁减为符合的最大部分、shift 整体平移、procedure 须办理的事项"
    )
    rule: str = Field(examples=["cn.green-line"])
    rules: list[str] = Field(description="调整后符合的规则；procedure 为事项所对应的规则")
    text: str
    office: str | None = Field(None, description="办理事项的主管部门")
    verdict: VerdictCode | None = Field(None, description="按新范围检测的整体结论")
    verdict_label: str | None = None
    area_m2: float | None = Field(None, description="新范围的椭球面积")
    lost_m2: float | None = Field(None, description="裁去的椭球面积")
    shift_m: float | None = Field(None, description="平移的距离，米")
    bearing_deg: float | None = Field(None, description="平移的坐标方位角，自坐标北顺时针，度")
    layers: list[str] | None = Field(
        None, description="新范围所避让的图层；其中有不公开坐标的图层时，不给出新范围"
    )
    geometry: GeoJsonObject | None = Field(None, description="新范围，GeoJSON 经纬度")


class OutOfScopeOut(Answer):
    """A topic that the plan package does not check."""

    topic: str
    reason: str


class PlanRefOut(Answer):
    """The version of the plan that an answer rests on."""

    id: str = Field(examples=["resort"])
    version: str
    title: str = Field(examples=["某市国土空间规划（示意）"])
    status: Literal["schematic", "draft", "approved"]
    status_note: str


class RuleBookRef(Answer):
    """The rule book that an answer rests on."""

    id: str = Field(examples=["cn"])
    sha256: str


class SiteCheckOut(Answer):
    """The whole answer for one site; ``id`` is the id of its record."""

    schema_version: str
    id: str = Field(examples=["7d1f3c6a0b9e4f52a8c1d0e2f3a4b5c6"])
    verdict: VerdictCode
    verdict_label: str = Field(examples=["有条件符合"])
    verdict_en: str = Field(examples=["complies under conditions"])
    deciding_rule: str | None
    site: SiteOut
    evidence: list[EvidenceOut]
    findings: list[FindingOut]
    contacts: list[ContactOut]
    layers: list[LayerReportOut] = Field(
        description="所检图层：数据时点、状态、是否检查；findings、evidence、contacts 以 id 引用"
    )
    impact: list[ImpactOut]
    breakdown: list[BreakdownOut] = Field(description="地块的现状地类与功能分区交叉面积")
    remedies: list[RemedyOut]
    warnings: list[RemarkOut]
    out_of_scope: list[OutOfScopeOut]
    as_of: str = Field(examples=["2026-11-22"])
    plan: PlanRefOut
    rulebook: RuleBookRef
    digest: str


class SiteChecksOut(Answer):
    """Several sites of one file, with ``which=all``."""

    checks: list[SiteCheckOut]


class RecentCheck(Answer):
    """One line of the list of recent checks."""

    id: str = Field(examples=["7d1f3c6a0b9e4f52a8c1d0e2f3a4b5c6"])
    name: str = Field(examples=["中学新校区"])
    verdict: VerdictCode
    verdict_label: str
    created_at: str = Field(description="UTC", examples=["2026-11-22T01:20:00+00:00"])


class RecentChecks(Answer):
    """The newest checks first."""

    checks: list[RecentCheck]
