"""What does the quota ledger look like? Models for the OpenAPI document, field by field.

They describe what ``gis.plan.budgets`` computes, and compute nothing. Areas are m² on the
ellipsoid; null is unknown or not stated, never nothing.
"""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from api.schemas import Answer


class AmountsOut(Answer):
    """What there is of one kind of land."""

    total_m2: float | None = Field(description="总量；指标未提供时为 null")
    used_m2: float | None = Field(description="现状建设用地；只用于城镇开发边界")
    reserved_m2: float | None = Field(description="已预留而尚未使用")
    unknown_m2: float | None = Field(description="现状地类不明")
    free_m2: float | None = Field(description="余量，不等于可建设用地；未知为 null")


class ZoneBudgetOut(AmountsOut):
    """The part of a budget in one zone; ``zone`` is null for land off every zone."""

    zone: str | None = Field(examples=["Z1"])
    name: str


class ClassBudgetOut(Answer):
    """The part of a budget of one current land class."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    cls: str = Field(alias="class", examples=["0102"])
    name: str = Field(examples=["水浇地"])
    total_m2: float | None
    reserved_m2: float | None


class BudgetOut(AmountsOut):
    """One scarce kind of land of the plan."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    id: str = Field(examples=["dev_boundary:410"])
    kind: Literal[
        "dev_boundary",
        "permanent_farmland",
        "cultivated_land",
        "conversion",
        "replacement",
        "planned_green_water",
    ]
    layer: str | None
    cls: str | None = Field(alias="class", examples=["410"])
    vintage: str
    title: str = Field(examples=["城镇开发边界"])
    name: str = Field(examples=["集中建设区"])
    unit: Literal["m2"]
    share: float | None = Field(description="0–1，绿地和水域占比；其他项为 null")
    share_is_lower_bound: bool = Field(description="部分土地没有规划用地类别，占比为下限")
    area: str | None = Field(description="占比的分母", examples=["core"])
    area_title: str | None
    definition: str | None = Field(examples=["B"])
    by_zone: list[ZoneBudgetOut]
    by_class: list[ClassBudgetOut]
    note: str = Field(description="缺什么数据，各数的含义")
