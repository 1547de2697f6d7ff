"""What is a finding about a layer, how bad is it, and who may see where it is?

A finding says what is wrong, with which features, how large, where, and what to do. Nothing is
looked for here.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis.crs import to_lonlat
from gis.engine.index import Array
from gis.errors import CrsError
from gis.model import may_show
from gis.plan.quality.thresholds import TOLD_ONE_BY_ONE


class Severity(StrEnum):
    """How bad: an error spoils results, a warning may, a note is only to be known."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    @property
    def label(self) -> str:
        """The Chinese word that users read."""
        return {"error": "错误", "warning": "警告", "note": "提示"}[self.value]

    @property
    def rank(self) -> int:
        """Worst is lowest, for sorting."""
        return ("error", "warning", "note").index(self.value)


ERROR, WARNING, NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE

# What each code stands for, in the words of a summary.
TITLES: Mapping[str, str] = {
    "file_missing": "数据文件不存在",
    "file_unreadable": "数据文件无法读取",
    "file_truncated": "数据文件不完整",
    "file_part_missing": "缺少配套文件",
    "record_counts": "各文件记录数不一致",
    "no_features": "没有要素",
    "not_empty": "应无要素而有",
    "layer_failed": "图层无法使用",
    "check_failed": "检查未能完成",
    "encoding_undeclared": "没有声明文字编码",
    "encoding_unknown": "声明的文字编码无法识别",
    "encoding_wrong": "声明的文字编码不对",
    "text_undecodable": "文字无法读出",
    "text_garbled": "文字为乱码",
    "crs_missing": "缺少坐标系",
    "crs_old": "坐标系为旧基准",
    "crs_other": "坐标系不是规划坐标系",
    "crs_wrong": "坐标与坐标系不符",
    "zone_prefix": "东坐标的带号不对",
    "axes_swapped": "东、北坐标写反",
    "outside_plan": "全部要素在规划范围之外",
    "coordinates_far": "要素坐标远离规划范围",
    "shifted": "图层整体偏移",
    "geometry_missing": "要素没有图形",
    "geometry_dimension": "图形类型不对",
    "geometry_invalid": "图形无效",
    "geometry_duplicate": "图形重复",
    "zero_length": "线的长度为零",
    "sliver_feature": "要素过窄",
    "field_missing": "缺少字段",
    "id_missing": "编号为空",
    "id_duplicate": "编号重复",
    "class_missing": "分类为空",
    "name_missing": "名称为空",
    "code_unknown": "分类代码不在分类体系中",
    "scheme_unknown": "分类体系未知",
    "class_without_rule": "没有规则提到的分类",
    "half_width_missing": "中心线没有半宽",
    "area_missing": "面积字段为空",
    "area_unit": "面积字段的单位不对",
    "area_planar": "按平面面积填写",
    "area_mismatch": "面积字段与图形不符",
    "area_differs": "面积字段与图形略有出入",
    "coverage_unknown": "覆盖范围不明",
    "gap": "覆盖范围内有空白",
    "gap_sliver": "覆盖范围内有狭缝",
    "overlap": "要素相互重叠",
    "overlap_sliver": "要素边缘相互压盖",
    "outside_coverage": "要素超出覆盖范围",
    "outside_sliver": "要素边缘超出覆盖范围",
    "rounding": "坐标取整产生的细缝",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault of a layer.

    ``feature_ids`` name the features as their id field does, or ``第 n 行`` where there is none.
    ``value`` is in ``unit``: ``m2`` on the ellipsoid, ``m``, ``count``, ``ratio``, ``bytes``.
    ``location`` is a geometry in the work CRS: the gap, the overlap, the point where an outline
    crosses itself. It shows the layer where it belongs; where it lies displaced, a line says from
    where to where.
    ``beside`` names other layers whose outline the location gives away.
    """

    layer: str
    code: str
    severity: Severity
    message: str
    feature_ids: tuple[str, ...] = ()
    value: float | None = None
    unit: str = ""
    field: str | None = None
    location: BaseGeometry | None = None
    advice: str = ""
    beside: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What the code stands for."""
        return TITLES[self.code]

    @property
    def at(self) -> tuple[float, float] | None:
        """One point of the location, (east, north) in the work CRS, rounded to 1 mm."""
        if self.location is None or self.location.is_empty:
            return None
        x, y = shapely.get_coordinates(shapely.point_on_surface(self.location))[0]
        return round(float(x), 3), round(float(y), 3)

    def to_dict(self, epsg: int) -> dict[str, Any]:
        """Return the finding as plain JSON values; ``location`` as GeoJSON in longitude/latitude.

        ``at`` is one point of it in the work CRS.
        """
        at = self.at
        return {
            "layer": self.layer,
            "code": self.code,
            "title": self.title,
            "severity": self.severity.value,
            "message": self.message,
            "feature_ids": list(self.feature_ids),
            "value": None if self.value is None else round(self.value, 6),
            "unit": self.unit,
            "field": self.field,
            "at": None if at is None else list(at),
            "location": self._shown(epsg),
            "advice": self.advice,
        }

    def _shown(self, epsg: int) -> dict[str, Any] | None:
        """Return the location in degrees; a layer displaced beyond reason has none to show."""
        try:
            return None if self.location is None else to_lonlat(self.location, epsg)
        except CrsError:
            return None


def in_order(findings: Iterable[Finding], layers: Sequence[str]) -> tuple[Finding, ...]:
    """Return findings by layer in the order of the plan, worst first, largest first."""
    place = {layer: n for n, layer in enumerate(layers)}
    return tuple(
        sorted(
            findings,
            key=lambda f: (
                place[f.layer],
                f.severity.rank,
                f.code,
                -abs(f.value or 0.0),
                f.feature_ids,
                f.message,
            ),
        )
    )


def in_short(findings: Sequence[Finding], most: int = TOLD_ONE_BY_ONE) -> tuple[Finding, ...]:
    """Return findings with the largest of each kind one by one, the others of it in one more.

    Nothing is lost, and nothing is endless: a layer moved by a centimetre has a sliver at every
    parcel. The findings must be in order.
    """
    out: list[Finding] = []
    for _, group in groupby(findings, key=lambda f: (f.layer, f.code)):
        own = list(group)
        out += own[:most] if len(own) > most + 1 else own
        if len(own) > most + 1:
            out.append(_together(own[most:]))
    return tuple(out)


def _together(findings: Sequence[Finding]) -> Finding:
    first = findings[0]
    units = {f.unit for f in findings}
    adds_up = units <= {"m2"} or units <= {"m"} or units <= {"count"}
    total = math.fsum(f.value or 0.0 for f in findings) if adds_up else None
    size = f"，合计 {total:,.2f} m²" if total is not None and units == {"m2"} else ""
    return replace(
        first,
        message=f"{first.title}：其余 {len(findings)} 处{size}",
        feature_ids=tuple(dict.fromkeys(i for f in findings for i in f.feature_ids)),
        value=total,
        unit=first.unit if adds_up else "",
        location=collected([f.location for f in findings]),
        beside=tuple(dict.fromkeys(b for f in findings for b in f.beside)),
    )


def without_places(
    findings: Iterable[Finding], secrecy: Mapping[str, str], ceiling: str
) -> tuple[Finding, ...]:
    """Return the findings, without the location where a layer in it is above the ceiling.

    Parameters
    ----------
    findings
        What was found.
    secrecy
        Per layer id its level: ``public``, ``internal`` or ``restricted``.
    ceiling
        The highest level whose coordinates may be seen.

    Raises
    ------
    ValueError
        The ceiling is no level.
    """
    hidden = {layer for layer, level in secrecy.items() if not may_show(level, ceiling)}
    return tuple(
        replace(f, location=None) if hidden & {f.layer, *f.beside} else f for f in findings
    )


def listed(names: Collection[str], most: int = 5) -> str:
    """Return a few names as a person reads them, and how many more there are.

    >>> listed(["a", "b", "c"], most=2)
    'a、b 等 3 个'
    """
    shown = "、".join(list(names)[:most])
    return shown if len(names) <= most else f"{shown} 等 {len(names)} 个"


def collected(shapes: Sequence[BaseGeometry | None] | Array) -> BaseGeometry | None:
    """Return geometries of one dimension as one multi-geometry; None when there are none."""
    parts = shapely.get_parts(np.array(shapes, dtype=object))
    parts = parts[np.isfinite(shapely.bounds(parts)).all(axis=1)]
    if not len(parts):
        return None
    dimensions = shapely.get_dimensions(parts)
    kind = (shapely.MultiPoint, shapely.MultiLineString, shapely.MultiPolygon)
    highest = int(dimensions.max())
    multi: BaseGeometry = kind[highest](list(parts[dimensions == highest]))
    return multi
