"""A list of projects as a bureau keeps it: title over all columns, headings on two lines, groups.

Money in 10,000 yuan by the line below the title, dates as Excel days and as 2019.8-2023.12, notes
at the foot, a total, cells that several projects share.
"""

from __future__ import annotations

from datetime import date
from io import BytesIO

import openpyxl
from openpyxl.worksheet.worksheet import Worksheet

TITLE = "2022年重点项目推进情况一览表"
UPPER = [
    "序号", "项目单位及项目名称", "建设起止年限", "总投资", "建设规模及主要内容", "2022年投资情况",
    None, "开工时间", "形象进度", "存在问题", None, "审批情况", None, None, "责任单位", "包保领导",
    "所在镇街", "容积率",
]  # fmt: skip
LOWER = [
    None, None, None, None, None, "年度计划", "1—5月完成", None, None, "问题类别", "具体问题",
    "土地（部门、文号）", "规划", "施工许可", None, None, None, None,
]  # fmt: skip
LAND = "市自然资源局 鲁(2020)聊城市不动产权第0008142号"
ROWS = [
    ["一、续建项目（2个）", None, None, 209_619, None, 60_000, 12_345.5],
    [
        1, "某健康公司\n聊城健康科技园", "2019.8-2023.12", 173_619, "224100平方米", 50_000,
        12_000.5, date(2019, 8, 15), "主体封顶", "配套", "供电", LAND, "地字第371501201930004号",
        "正在办理", "卫健局", "某某", "湖西街道", 1.8,
    ],
    [None, None, None, None, None, None, None, None, None, None, "道路连接"],
    [
        2, "现代·明珠广场 ", "2020.2-2022.10", 36_000, "酒店", 10_000, 345, 2020.2, "装修", "规划",
        "绿带", None, "地字第371501201930010号", "/", "卫健局", "某某", "湖西街道", None,
    ],
    ["二、新建项目（2个）", None, None, 35_000, None, 9_000, None],
    [
        3, "现代中药园区", "2022年6月至2023年11月", 15_000, "38000平方米", 9_000, "—", "2022年6月",
        "未开工", "征地", "边界图正在准备", "未办理", None, None, "农业局", "某某", "李海务街道",
        None,
    ],
    [
        4, "新建冷链园", "2022-2024", "2亿元", "仓储", None, None, None, None, None, None, "×",
        None, None, None, "某某", "李海务街道", None,
    ],
    ["合计（4个）", None, None, 244_619, None, 69_000, 12_345.5],
    ["注：本表数据截至2022年5月底。"],
    ["填表人：某某    审核人：某某"],
]  # fmt: skip


def project_list(*, change=None, sheet: str = "项目清单") -> bytes:
    """Return the workbook; ``change`` may do something to its sheet before it is saved."""
    book = openpyxl.Workbook()
    page = book.active
    page.title = sheet
    _fill(page)
    if change is not None:
        change(page)
    stream = BytesIO()
    book.save(stream)
    return stream.getvalue()


def _fill(page: Worksheet) -> None:
    for row in ([TITLE], [*[None] * 16, "单位：万元"], UPPER, LOWER, *ROWS):
        page.append(row)
    page.merge_cells("A1:R1")
    for column in "ABCDEHIOPQR":
        page.merge_cells(f"{column}3:{column}4")
    for cells in ("F3:G3", "J3:K3", "L3:N3", "A5:C5", "A9:C9", "A12:C12", "A13:R13", "A14:R14"):
        page.merge_cells(cells)
    for column in "ABCD":
        page.merge_cells(f"{column}6:{column}7")  # one project, two problems
    page.merge_cells("O6:O8")  # two projects of one responsible unit
