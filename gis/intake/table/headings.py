"""What does a heading of a column mean?

Judged by its words alone. Surveyors write X for the northing and Y for the easting; a heading that
names east or north, longitude or latitude is taken at its word. It never looks at a number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from gis.intake.table.cells import Row, plain


class Role(StrEnum):
    """What a column holds."""

    EAST = "east"
    NORTH = "north"
    X = "x"
    Y = "y"
    WKT = "wkt"
    LABEL = "label"
    COUNT = "count"
    NAME = "name"
    RING = "ring"
    PLOT_NUMBER = "plot_number"
    PLOT_NAME = "plot_name"
    AREA = "area"
    HEIGHT = "height"
    CRS = "crs"


_BEFORE = (
    r"(?:界址点|拐点|顶点|平面|高斯|大地|国家|投影|cgcs2000|2000|wgs84|gcj02|bd09|高德|百度|火星"
    r"|坐标|point|coord)*"
)
_AFTER = (
    r"(?:坐标值?|值|coordinates?|coord|方向|向|轴|gcj02|bd09|wgs84|cgcs2000|2000|高德|百度|火星)*"
)
# Letters beside a word that decides: 纵坐标X, X北坐标, 经度L.
_PATTERNS = tuple(
    (role, re.compile(f"{_BEFORE}(?:{core}){_AFTER}"))
    for role, core in (
        (
            Role.EAST,
            r"[xyl]?(?:坐标)?(?:东|横|东距)(?:坐标)?[xy]?|[xyl]?(?:经度|东经)[xyl]?"
            r"|easting|east|e|longitude|long|lon|lng|l",
        ),
        (
            Role.NORTH,
            r"[xyb]?(?:坐标)?(?:北|纵|北距)(?:坐标)?[xy]?|[xyb]?(?:纬度|北纬)[xyb]?"
            r"|northing|north|n|latitude|lat|b",
        ),
        (Role.X, "x"),
        (Role.Y, "y"),
    )
)
_WORDS = {
    Role.WKT: "wkt geometry the_geom geom 几何 图形 几何图形 shape_wkt wkt_geom",
    Role.LABEL: "点号 界址点号 界址点 点名 点编号 界址点编号 拐点编号 拐点号 拐点 顶点号 顶点 桩号 "
    "界址点名 界桩号 point pointid pointno pt ptno ptid vertex",
    Role.COUNT: "序号 顺序号 no id fid oid objectid index 编号",
    Role.NAME: "名称 name 点名称",
    Role.RING: "圈号 地块圈号 环号 界址圈号 ring ringno ringid 内外圈",
    Role.PLOT_NUMBER: "地块号 地块编号 地块代码 dkbh dkh 宗地号 宗地代码 宗地编号 图斑号 图斑编号 "
    "tbbh plot plotno plotid parcel parcelid parcelno zddm",
    Role.PLOT_NAME: "地块名称 地块名 地块 dkmc 宗地 宗地名称 图斑 图斑名称 项目名称 xmmc plotname "
    "parcelname",
    Role.AREA: "面积 地块面积 用地面积 宗地面积 图斑面积 mj dkmj tbmj area 占地面积 总面积",
    Role.HEIGHT: "h z 高程 z坐标 大地高 elevation height elev zcoord",
    Role.CRS: "坐标系 坐标系统 坐标系名称 带号 投影带号 中央经线 中央子午线 epsg crs",
}
_ROLES = {word.replace("_", ""): role for role, words in _WORDS.items() for word in words.split()}
# What ArcGIS calls the coordinates that it adds: x is the easting there.
_ROLES |= {"pointx": Role.EAST, "pointy": Role.NORTH}

# With brackets and blanks, and without.
_MAX_TEXT = 200
_MAX_HEADING = 40
_METRES = {"m", "米", "公尺", "meter", "meters", "metre", "metres"}
_DEGREES = {"°", "度", "deg", "degree", "degrees", "十进制度", "dd", "小数度"}
PACKED = {"度.分秒", "度分秒", "dms", "d.ms", "dd.mmss", "ddd.mmss", "ddmmss", "°'\"", "d°m's\""}
OTHER_LENGTHS = {
    "km": "千米",
    "千米": "千米",
    "公里": "千米",
    "mm": "毫米",
    "毫米": "毫米",
    "cm": "厘米",
    "厘米": "厘米",
    "dm": "分米",
    "分米": "分米",
    "万米": "万米",
    "百米": "百米",
    "ft": "英尺",
    "feet": "英尺",
    "英尺": "英尺",
    "尺": "尺",
    "里": "里",
    "rad": "弧度",
    "弧度": "弧度",
    "分": "角分",
    "秒": "角秒",
}


@dataclass(frozen=True, slots=True)
class Heading:
    """One heading: its text, its role, and the unit it names (empty when none)."""

    text: str
    role: Role | None
    unit: str = ""


@lru_cache(maxsize=4096)
def heading_of(text: str) -> Heading:
    """Return what a heading says.

    >>> heading_of("Ｘ坐标（米）")
    Heading(text='Ｘ坐标（米）', role=<Role.X: 'x'>, unit='米')
    >>> heading_of("横坐标(Y)").role.value
    'east'
    """
    if len(text) > _MAX_TEXT:
        return Heading(text, None)
    flat = re.sub(r"\s+", "", plain(text)).lower()
    inner = re.findall(r"[(\[【〔]([^)\]】〕]*)[)\]】〕]", flat)
    base = re.sub(r"[(\[【〔][^)\]】〕]*[)\]】〕]", "", flat)
    base, slash, after = base.partition("/")
    words = [re.sub(r"^单位[:：]?", "", word) for word in (*inner, after if slash else "") if word]
    unit = next((word for word in words if is_unit(word)), "")
    role = _role(base)
    if role in (Role.X, Role.Y):
        told = {_role(word) for word in words} & {Role.EAST, Role.NORTH}
        role = told.pop() if len(told) == 1 else role
    return Heading(text, role, unit)


def _role(base: str) -> Role | None:
    word = re.sub(r"[_\-.:：、]", "", base)
    if word in _ROLES or len(word) > _MAX_HEADING:
        return _ROLES.get(word)
    return next((role for role, pattern in _PATTERNS if pattern.fullmatch(word)), None)


def is_unit(word: str) -> bool:
    """Whether a half-width word without blanks is a unit of length or angle."""
    return word in _METRES or word in _DEGREES or word in PACKED or word in OTHER_LENGTHS


def wrong_unit(text: str) -> str:
    """Return the name of a unit in which coordinates are not read; empty for any other text.

    >>> wrong_unit("km"), wrong_unit("米")
    ('千米', '')
    """
    return OTHER_LENGTHS.get(re.sub(r"[\s()]", "", plain(text)).lower(), "")


def units_of(row: Row) -> dict[int, str] | None:
    """Return the units of a row that holds nothing but units, such as ``(m)``; else None."""
    found: dict[int, str] = {}
    for column, cell in enumerate(row.cells):
        if cell is None or cell == "":
            continue
        text = plain(cell).lower() if isinstance(cell, str) else ""
        word = re.sub(r"[\s()]|单位[:：]?", "", text)
        is_area = word in ("公顷", "亩", "㎡", "m2", "平方米", "hm2", "ha")
        if not is_unit(word) and not is_area:
            return None
        found[column] = word
    return found or None
