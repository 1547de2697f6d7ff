"""Which columns does the register of projects have, and what may stand in each?

The one table of columns: reading, writing, checking, importing and every answer go by it. A cell
is a text until ``cells`` reads it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How a cell is read."""

    ID = "id"
    TEXT = "text"
    AMOUNT = "amount"  # a number of at least 0
    ORDER = "order"  # a whole number from 1
    DAY = "day"  # 2022, 2022-06 or 2022-06-15
    PERIOD = "period"  # two of these, joined by 至
    STATE = "state"  # 未销号 or 已销号
    BASIS = "basis"  # 清单载明 or 假定


OPEN, CLOSED = "未销号", "已销号"
GIVEN, ASSUMED = "清单载明", "假定"
WORDS = {Kind.STATE: (OPEN, CLOSED), Kind.BASIS: (GIVEN, ASSUMED)}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name in file and JSON, its title for people, how it is read."""

    name: str
    title: str
    kind: Kind = Kind.TEXT


COLUMNS = (
    Column("id", "项目编号", Kind.ID),
    Column("name", "项目名称"),
    Column("unit", "项目单位"),
    Column("group", "清单分组"),
    Column("town", "所在镇街"),
    Column("zone", "功能区"),
    Column("priority", "优先级", Kind.ORDER),
    Column("period", "建设起止年限", Kind.PERIOD),
    Column("investment_wan", "总投资（万元）", Kind.AMOUNT),
    Column("scale", "建设规模"),
    Column("area_mu", "用地面积（亩）", Kind.AMOUNT),
    Column("floor_area_m2", "建筑面积（平方米）", Kind.AMOUNT),
    Column("content", "建设内容"),
    Column("annual_plan_wan", "年度计划投资（万元）", Kind.AMOUNT),
    Column("start_date", "开工时间", Kind.DAY),
    Column("done_wan", "本期完成投资（万元）", Kind.AMOUNT),
    Column("done_total_wan", "累计完成投资（万元）", Kind.AMOUNT),
    Column("progress", "形象进度"),
    Column("problem_class", "问题类别"),
    Column("problem", "存在问题"),
    Column("problem_state", "销号状态", Kind.STATE),
    Column("problem_closed_on", "销号日期", Kind.DAY),
    Column("land_approval_by", "用地手续审批单位"),
    Column("land_approval", "用地手续文号"),
    Column("land_on", "取得土地日期", Kind.DAY),
    Column("planning_permit_by", "规划手续审批单位"),
    Column("planning_permit", "规划手续文号"),
    Column("building_permit_by", "施工许可审批单位"),
    Column("building_permit", "施工许可文号"),
    Column("responsible_unit", "责任单位"),
    Column("use", "用途代码"),
    Column("use_basis", "用途依据", Kind.BASIS),
    Column("site_file", "边界图文件"),
    Column("site_feature", "边界图要素编号"),
    Column("source", "资料来源"),
    Column("note", "备注"),
)
BY_NAME = {column.name: column for column in COLUMNS}
REQUIRED = ("id", "name")
# Sums of these are compared with the totals that a list states.
SUMMED = ("investment_wan", "annual_plan_wan", "done_wan")
