"""Which column of a bureau's list is which column of the register?

Judged by the words of the heading, of one or two lines. What could mean two things is not taken and
named with the reason; columns with people's names and telephones are never taken.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from gis.intake.table.cells import plain

# What a column is for, beside the columns of the register.
NUMBER = "number"
_MAX_TEXT = 120
_YEAR = re.compile(r"(20\d{2})年?")
_MONTHS = re.compile(r"(?:1|一)月?份?[-—–~至到](?:\d{1,2}|[一二三四五六七八九十]{1,2})月份?")
_MONEY = re.compile(r"亿元|万元|(?<![亿万美])元")
_AREA = re.compile(r"万平方米|万㎡|平方米|㎡|m2|公顷|hm2|亩")
_PERSON = re.compile(r"责任人|负责人|联系人|联系方式|电话|手机|领导|姓名|联络员|法人代表")

# In this order; the first that fits the whole heading counts.
_PATTERNS: tuple[tuple[str, str], ...] = (
    (NUMBER, r"序号|顺序|no\.?"),
    ("id", r"项目编号|项目id|编号"),
    (
        "name",
        r"(?:重点)?(?:项目|工程)(?:名称)?|(?:(?:项目|建设)?单位)?[及和与、]?(?:项目|工程)名称"
        r"|(?:项目|建设)单位[及和与、]名称",
    ),
    ("group", r"(?:项目)?(?:分组|组别)"),
    ("responsible_unit", r"(?:责任|包保|牵头|主管|推进|服务)(?:单位|部门)|责任主体"),
    ("unit", r"(?:项目|建设|业主|实施|投资|申报|承建)(?:主体|单位|业主)|企业名称|投资方|业主"),
    (
        "town",
        r"(?:所在|所属|属地)?(?:镇街|乡镇|镇办|镇街道|乡镇街道|镇|街道|乡镇办)(?:名称)?|属地",
    ),
    ("zone", r"(?:所在)?功能(?:分)?区"),
    (
        "period",
        r"(?:建设)?起止(?:年限|时间|日期|年月)|建设(?:年限|周期|工期|期限|时间|起止年限"
        r"|起止时间|起止年月)|工期",
    ),
    ("land_on", r"(?:取得土地|供地|摘牌|拿地|土地取得)(?:时间|日期)"),
    ("problem_closed_on", r"(?:问题)?(?:存在问题)?销号(?:时间|日期)"),
    ("problem_state", r"(?:问题)?(?:存在问题)?(?:是否)?(?:已)?销号(?:情况|状态)?"),
    ("problem_class", r"(?:存在)?的?(?:主要)?问题(?:类别|类型|分类)"),
    (
        "problem",
        r"(?:目前|当前)?(?:存在|需要?(?:协调)?解决|急需解决|制约)的?(?:主要|突出)?"
        r"(?:困难和?|瓶颈和?)?问题(?:描述|内容|具体问题)?|问题(?:描述|内容|表述)|(?:主要)?问题",
    ),
    ("start_date", r"(?:实际|计划|预计)?(?:开工|动工)(?:时间|日期|年月)"),
    ("progress", r"(?:项目|工程|建设|目前|当前)?(?:形象)?(?:进度|进展)(?:情况)?|推进情况"),
    ("area_mu", r"(?:规划|项目|总)?(?:用地|占地)(?:总)?面积"),
    ("floor_area_m2", r"(?:总)?建筑(?:总)?面积"),
    (
        "content",
        r"(?:主要|项目)?建设(?:主要)?内容(?:及规模)?|建设规模[及和与](?:主要)?(?:建设)?内容"
        r"|项目(?:简介|概况|内容)",
    ),
    ("scale", r"(?:建设|建筑|项目)?规模"),
    ("use", r"用途代码|用地(?:用海)?(?:分类)?代码"),
    ("priority", r"优先级|优先(?:次序|顺序)"),
    ("site_file", r"边界图(?:文件)?"),
    ("note", r"备注|其他说明"),
)
_COMPILED = tuple((name, re.compile(pattern)) for name, pattern in _PATTERNS)

_STAGES = (
    ("building_permit", re.compile(r"施工(?!单位|进度)|开工许可")),
    ("planning_permit", re.compile(r"规划(?!用地面积|面积|条件|总)|建设用地许可|工程许可")),
    ("land_approval", re.compile(r"土地|用地|供地|不动产")),
)
_PAPER = re.compile(r"手续|审批|批复|许可|证|文号|批文|批准|编号|审批情况|办理情况|单位|部门|机关")
_BODY = re.compile(r"(?:单位|部门|机关|机构)$")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a heading says.

    ``column`` is that of the register, ``number`` for a column that counts the rows, or None with
    the reason in ``why``. ``unit`` is that of money or area, empty when none is named; ``year`` and
    ``months`` are what the heading says of its time.
    """

    column: str | None
    why: str = ""
    unit: str = ""
    year: int | None = None
    months: str = ""


@lru_cache(maxsize=2048)
def meaning_of(text: str) -> Meaning:
    """Return what a heading means; two lines of a heading are given one after the other.

    >>> meaning_of("2022年1-5月完成投资（万元）").column, meaning_of("总投资(亿元)").unit
    ('done_wan', '亿元')
    >>> meaning_of("审批情况 土地手续 文号").column, meaning_of("完成投资").column
    ('land_approval', None)
    """
    flat = re.sub(r"\s+", "", plain(text)).lower()[:_MAX_TEXT]
    bare = re.sub(r"[(\[【〔][^)\]】〕]*[)\]】〕]", "", flat)
    if not bare:
        return Meaning(None, "没有名称")
    if _PERSON.search(bare):
        return Meaning(None, "是个人信息，不导入")
    money = _money(bare)
    if money is not None:
        return _timed(money, flat)
    last = re.sub(r"\s+", "", plain(text.split("\n")[-1])).lower()
    for candidate in (bare, re.sub(r"[(\[【〔][^)\]】〕]*[)\]】〕]", "", last)):
        for name, pattern in _COMPILED:
            if pattern.fullmatch(candidate):
                return _timed(name, flat)
    return _paper(bare)


def _money(bare: str) -> str | None:
    """Return the column of a sum of money; "" for one that is ambiguous."""
    if re.search(r"总投资|投资总额|投资额度$|概算投资|估算投资", bare) and "完成" not in bare:
        return "investment_wan"
    if not re.search(r"投资|完成额", bare) or re.search(r"单位|主体|方$|强度", bare):
        return None
    if re.search(r"累计|开工以来|至今|截至|截止", bare):
        return "done_total_wan"
    if "计划" in bare and re.search(r"年|本期", bare) and "完成情况" not in bare:
        return "annual_plan_wan"
    if "完成" in bare and (_MONTHS.search(bare) or re.search(r"本[年月期]|年内|当年", bare)):
        return "done_wan"
    return ""


def _timed(column: str, flat: str) -> Meaning:
    if not column:
        return Meaning(None, "看不出是年度计划、本期完成还是累计完成")
    year, months = _YEAR.search(flat), _MONTHS.search(flat)
    unit = _MONEY.search(flat) if column.endswith("_wan") else None
    if column in ("area_mu", "floor_area_m2"):
        unit = _AREA.search(flat)
    return Meaning(
        column,
        unit=unit[0] if unit else "",
        year=int(year[1]) if year else None,
        months=months[0] if months else "",
    )


def _paper(bare: str) -> Meaning:
    """Return the column of an approval: its number, or who gave it."""
    if not _PAPER.search(bare) or "面积" in bare:
        return Meaning(None, "没有对应的列")
    for column, pattern in _STAGES:
        if pattern.search(bare):
            return Meaning(f"{column}_by" if _BODY.search(bare) else column)
    return Meaning(None, "看不出是用地、规划还是施工手续")


def money_unit(text: str) -> str:
    """Return the unit of money that a title names (单位：万元); empty for none.

    >>> money_unit("单位：万元"), money_unit("2022年重点项目清单")
    ('万元', '')
    """
    found = re.search(r"单位[:：]\s*(?:人民币)?\s*(亿元|万元|元)", plain(text))
    return found[1] if found else ""


def year_in(text: str) -> int | None:
    """Return the year that a title names; None for none or several."""
    found = set(_YEAR.findall(plain(text)))
    return int(found.pop()) if len(found) == 1 else None
