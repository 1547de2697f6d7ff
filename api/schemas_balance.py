"""What does a land balance look like? Models for the OpenAPI document, field by field.

They describe what ``gis`` computes and prints, and compute nothing. All areas are m² on the
ellipsoid unless they say otherwise; printed parts add up to printed wholes.
"""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from api.schemas import Answer

Counted = Literal["green", "water"]
_LOW = "图层没有覆盖全部范围时为下限，见 share_range"


class _Coded(Answer):
    """Base of rows with a field that Python cannot call by its name."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    cls: str = Field(alias="class", examples=["1401"])


class AreaRowOut(Answer):
    """A named area of the plan, by both formulas."""

    id: str = Field(examples=["core"])
    title: str = Field(examples=["规划核心区"])
    kind: str = Field(description="所在图层的角色", examples=["core"])
    ellipsoidal_m2: float = Field(description="椭球面积（法定口径）", examples=[38300001.17])
    km2: float
    ha: float
    mu: float
    planar_m2: float = Field(description="工作坐标系平面面积")
    planar_difference_m2: float = Field(description="平面面积减椭球面积")
    layer: str | None
    layer_title: str | None
    vintage: str | None
    status: str | None
    source: str


class RemarkOut(Answer):
    """A note or warning about the polygon that was sent."""

    code: str
    message: str


class BalanceAreaOut(Answer):
    """The area that is the denominator."""

    id: str = Field(description="user：请求中提交的范围", examples=["core"])
    title: str
    kind: str
    ellipsoidal_m2: float
    planar_m2: float
    ha: float
    mu: float
    notes: list[RemarkOut]
    warnings: list[RemarkOut]


class ClassAreaOut(_Coded):
    """One land class; share and percent are of the whole area."""

    name: str = Field(examples=["公园绿地"])
    area_m2: float
    ha: float
    mu: float
    share: float
    percent: float
    counted_as: Counted | None


class CountedOut(_Coded):
    """A class that counts as green or water, or does not."""

    name: str
    area_m2: float
    ha: float
    counted_as: Counted | None


class RestOut(Answer):
    """What makes the classes the whole area; what is counted twice is negative."""

    kind: Literal["uncovered", "overlap"]
    name: str
    area_m2: float
    ha: float
    mu: float
    share: float
    percent: float


class TotalOut(Answer):
    """The whole area as printed."""

    area_m2: float
    ha: float
    mu: float


class MajorOut(Answer):
    """The classes summed to one of the three major classes, as an approval has them."""

    label: str = Field(description="农用地、建设用地、未利用地，或未分类", examples=["建设用地"])
    area_m2: float
    ha: float
    mu: float
    percent: float
    classes: list[str]
    notes: list[str] = Field(description="归类有争议或无法归类的地类")


class ZoneColumnOut(Answer):
    """One column of the table of classes by zones."""

    kind: Literal["zone", "outside", "overlap"]
    zone: str | None = Field(examples=["Z1"])
    name: str
    area_m2: float
    ha: float
    green_water_share: float | None = Field(description="占该功能区，0–1；无数据时为 null")
    share_is_lower_bound: bool


class ZoneRowOut(Answer):
    """One row of the table; its cells are in the order of the columns."""

    kind: Literal["class", "uncovered", "overlap"]
    cls: str | None = Field(alias="class")
    name: str
    cells_m2: list[float]
    cells_ha: list[float]
    total_m2: float
    total_ha: float

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class ZoneTableOut(Answer):
    """Classes by zones; rows, columns and the whole add up as printed."""

    layer: str
    layer_title: str
    vintage: str
    status: str
    columns: list[ZoneColumnOut]
    rows: list[ZoneRowOut]
    total_m2: float
    total_ha: float


class ShareRangeOut(Answer):
    """What the share is at least, and at most if all unknown land counted; 0-1."""

    min: float
    max: float


class SensitivityOut(Answer):
    """Classes open to argument, and the share if they were treated the other way round."""

    id: str = Field(examples=["squares"])
    title: str = Field(examples=["广场用地"])
    note: str
    classes: list[str] = Field(examples=[["1403"]])
    counts_as: Counted
    counted: bool = Field(description="当前口径是否计入")
    area_m2: float
    ha: float
    other_share: float
    difference_points: float = Field(description="百分点")


class DefinitionOut(Answer):
    """The share of the same area by one definition."""

    id: str = Field(examples=["B"])
    text: str
    layer: str | None
    layer_title: str | None
    vintage: str | None
    status: str | None
    denominator: str
    denominator_m2: float
    share: float | None = Field(description=f"无数据时为 null；{_LOW}")
    share_max: float | None
    share_text: str = Field(examples=["52.00%", "不低于 8.81%", "无数据"])
    is_lower_bound: bool
    reason: str = Field(description="为何无数据")


class StatedShareOut(Answer):
    """The share that the plan's own documents state of this area by this definition."""

    id: str
    value: float
    source: str


class LandBalanceOut(Answer):
    """The land of one area by class, and its share of green and water."""

    area: BalanceAreaOut
    layer: str
    layer_title: str
    vintage: str
    status: str
    source: str
    scheme: str
    edition: str
    definition: str
    definition_text: str
    denominator_m2: float
    green_m2: float | None
    water_m2: float | None
    green_water_m2: float | None = Field(description="绿地与水域重叠的部分只计一次")
    counted_twice_m2: float | None
    green_water_share: float | None = Field(description=f"0–1，无数据时为 null；{_LOW}")
    share_is_lower_bound: bool
    share_range: ShareRangeOut
    sentence: str
    uncovered_m2: float = Field(description="图层未覆盖的面积")
    uncovered_ha: float
    unknown_m2: float = Field(description="图层未覆盖或编码不明的面积")
    overlap_m2: float = Field(description="不同地类重复占用的面积，合计时已扣除")
    overlap_ha: float
    repeated_m2: float = Field(description="同类图斑重复占用的面积，只计一次")
    classes: list[ClassAreaOut]
    rest: list[RestOut]
    total: TotalOut
    majors: list[MajorOut]
    counted: list[CountedOut]
    not_counted: list[CountedOut]
    zones: ZoneTableOut | None
    zones_note: str
    sensitivity: list[SensitivityOut]
    definitions: list[DefinitionOut]
    stated: StatedShareOut | None
