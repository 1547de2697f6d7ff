"""How is a plot written as the boundary-point TXT (勘测定界界址点坐标) of the land bureau?

Form as the pre-examination systems (电子报盘) take it: GBK, CRLF, three decimals, point numbers
J1 …, the closing point repeats the first number, each ring starts at its north-west point, outer
rings run clockwise, area in hectares with four decimals. X is the northing, Y the easting. What
could not be read back as the same plot is refused. It never reads a file; the reader is
:mod:`gis.intake.boundary_txt`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal, TypeAlias

import shapely
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from gis.crs import (
    GaussKruger,
    ellipsoidal_area,
    gauss_kruger,
    geographic_code,
    transform,
)
from gis.errors import CrsError, DeclaredAreaError, GeometryError
from gis.intake.areas import AREA_TOLERANCE
from gis.intake.draft import check_features, check_rings, check_vertices, clean_text
from gis.units import M2_PER_HA, m2_to_ha

DECIMALS = 3
Encoding: TypeAlias = Literal["gbk", "utf-8"]
RingPoints: TypeAlias = list[tuple[float, float]]

# gb18030 equals GBK wherever GBK has the character, and loses none of the others.
_CODECS = {"gbk": "gb18030", "utf-8": "utf-8"}
# A little more than the least area of a site, so that the scale of a zone cannot undercut it.
_MIN_AREA_M2 = 0.011
# No zone is used farther from its meridian, and no part of the country lies farther north.
_MAX_OFF_MERIDIAN = 6.0
_NORTHERNMOST = 60.0
# The last decimal of the area.
_AREA_STEP_HA = 1e-4
_LONGEST_NUMBER = 100


@dataclass(frozen=True, slots=True, eq=False)
class Plot:
    """One plot to write.

    ``polygon`` is a Polygon or MultiPolygon, x = easting, y = northing, in the CRS that is handed
    to the writer. ``area_ha`` None means: ellipsoidal area of the polygon.
    """

    name: str
    number: str
    polygon: BaseGeometry
    use_text: str = ""
    land_class: str = ""
    area_ha: float | None = None
    sheet: str = ""


def write_boundary_txt(
    path: Path | str,
    plots: Sequence[Plot],
    *,
    epsg: int,
    unit: str = "",
    produced_on: date | None = None,
    encoding: Encoding = "gbk",
) -> None:
    """Write the plots as one TXT file with CRLF line ends.

    Parameters
    ----------
    path
        File to write; an existing file is replaced.
    plots
        At least one plot; a MultiPolygon becomes one header per part (编号_1, 编号_2 …). Texts are
        written as a reader shows them: no control characters, at most 120 characters, and ``,``
        and ``@``, which end a field, as their full-width twins.
    epsg
        CRS of the polygons: a CGCS2000 Gauss-Krüger code, with or without zone prefix.
    unit
        数据产生单位.
    produced_on
        数据产生日期; left empty when None, so that equal plots give equal files.
    encoding
        ``gbk``, which every receiver expects, or ``utf-8``.

    Raises
    ------
    CrsError
        ``epsg`` is no CGCS2000 Gauss-Krüger zone, or the coordinates do not belong to it.
    GeometryError
        A plot is empty, no polygon or not valid, or no longer valid when rounded to a millimetre.
    DeclaredAreaError
        ``area_ha`` differs from the polygon by more than 1 %.
    LimitError
        More plots, rings or points than a reader takes.
    """
    text = boundary_txt(plots, epsg=epsg, unit=unit, produced_on=produced_on)
    Path(path).write_bytes(encoded(text, encoding))


def encoded(text: str, encoding: Encoding) -> bytes:
    """Return the bytes of a TXT file."""
    return text.encode(_CODECS[encoding])


def boundary_txt(
    plots: Sequence[Plot], *, epsg: int, unit: str = "", produced_on: date | None = None
) -> str:
    """Return the text of the TXT file, lines ended by CRLF; see :func:`write_boundary_txt`."""
    zone = gauss_kruger(epsg)
    if zone is None:
        raise CrsError(
            f"EPSG:{epsg} 不是 CGCS2000 高斯-克吕格投影",
            expected="3度带或6度带的投影坐标系",
            advice="先转换到如 EPSG:4527 再写出",
        )
    if not plots:
        raise GeometryError("没有可写出的地块", expected="至少一个地块")
    lines = _head(zone, unit, produced_on)
    headers = 0
    for plot in plots:
        headers += len(_polygons(plot))
        check_features(headers)
        lines += _plot_lines(plot, zone)
        check_vertices(len(lines))
    return "".join(f"{line}\r\n" for line in lines)


def _head(zone: GaussKruger, unit: str, produced_on: date | None) -> list[str]:
    return [
        "[属性描述]",
        "格式版本号=1.01",
        f"数据产生单位={_field(unit)}",
        f"数据产生日期={produced_on.isoformat() if produced_on else ''}",
        "坐标系=2000国家大地坐标系",
        f"几度分带={zone.width}",
        "投影类型=高斯克吕格",
        "计量单位=米",
        f"带号={zone.zone}",
        f"精度={10**-DECIMALS:.{DECIMALS}f}",
        "转换参数=,,,,,,",
        "[地块坐标]",
    ]


def _plot_lines(plot: Plot, zone: GaussKruger) -> list[str]:
    _check_place(plot, zone)
    parts = _polygons(plot)
    number = _field(plot.number)[:_LONGEST_NUMBER]
    lines: list[str] = []
    for n, part in enumerate(parts, start=1):
        rings = _rounded_rings(part, plot.name)
        points = list(_point_lines(rings))
        whole_ha = plot.area_ha if len(parts) == 1 else None
        fields = (
            str(len(points)),
            f"{_area_ha(plot.name, rings, zone, whole_ha):.4f}",
            number if len(parts) == 1 else "_".join(filter(None, (number, str(n)))),
            _field(plot.name),
            "面",
            _field(plot.sheet),
            _field(plot.use_text),
            _field(plot.land_class),
            "@",
        )
        lines += [",".join(fields), *points]
    return lines


def _polygons(plot: Plot) -> list[Polygon]:
    shape = plot.polygon
    if not isinstance(shape, Polygon | MultiPolygon) or shape.is_empty:
        raise GeometryError(f"地块“{plot.name[:40]}”不是面", expected="非空的面")
    return [shape] if isinstance(shape, Polygon) else list(shape.geoms)


def _check_place(plot: Plot, zone: GaussKruger) -> None:
    """Refuse numbers of another CRS, and drawings that are not valid."""
    lonlat = transform(plot.polygon, zone.epsg, geographic_code(zone.epsg))
    west, south, east, north = lonlat.bounds
    off = max(abs(west - zone.central_meridian), abs(east - zone.central_meridian))
    if off > _MAX_OFF_MERIDIAN or south < 0 or north > _NORTHERNMOST:
        raise CrsError(
            f"地块“{plot.name[:40]}”的坐标不在 EPSG:{zone.epsg} 的范围内",
            expected=f"中央经线 {zone.central_meridian:g}° 附近的坐标",
            advice="核对坐标系和带号",
        )
    if not shapely.is_valid(plot.polygon):
        reason = shapely.is_valid_reason(plot.polygon)
        raise GeometryError(
            f"地块“{plot.name[:40]}”的边线自相交或环的位置有误（{reason}）", expected="有效的面"
        )


def _area_ha(
    name: str,
    rings: Sequence[RingPoints],
    zone: GaussKruger,
    stated: float | None,
) -> float:
    """Return the area to write: as stated, or that of the rounded part."""
    computed_m2 = ellipsoidal_area(Polygon(rings[0], rings[1:]), zone.epsg)
    if computed_m2 < _MIN_AREA_M2:
        raise GeometryError(f"地块“{name[:40]}”面积不足 0.01 m²", expected="有面积的面")
    if stated is None:
        return m2_to_ha(computed_m2)
    # As it will stand in the file, and as a reader will judge it.
    off_m2 = abs(round(stated, 4) * M2_PER_HA - computed_m2)
    allowed_m2 = max(AREA_TOLERANCE * computed_m2, _AREA_STEP_HA * M2_PER_HA / 2)
    if not math.isfinite(off_m2) or off_m2 > allowed_m2:
        raise DeclaredAreaError(
            f"地块“{name[:40]}”填写的面积 {stated} 公顷与计算面积 {m2_to_ha(computed_m2):.4f} 公顷"
            "相差超过 1 %",
            advice="改正 area_ha，或省略它以写出计算面积",
        )
    return stated


# --- points ---------------------------------------------------------------------------------------


def _rounded_rings(part: Polygon, name: str) -> list[RingPoints]:
    """Return the open rings of a part, rounded, the outer one clockwise.

    Rounding moves a vertex by up to 0.7 mm; where that makes rings touch or cross, the plot cannot
    be written with three decimals.
    """
    outlines = [part.exterior, *part.interiors]
    check_rings(len(outlines))
    rings = [ring_points(list(r.coords), clockwise=not i) for i, r in enumerate(outlines)]
    if any(len(points) < 3 for points in rings):
        raise GeometryError(
            f"地块“{name[:40]}”的界址点取位到毫米后不足三个", expected="至少三个不同的界址点"
        )
    rounded = Polygon(rings[0], rings[1:])
    if not shapely.is_valid(rounded):
        reason = shapely.is_valid_reason(rounded)
        raise GeometryError(
            f"地块“{name[:40]}”的界址点取位到毫米后边线相交或相接（{reason}）",
            expected="取位到毫米后仍有效的面",
            advice="去掉相距不足几毫米的界址点",
        )
    return rings


def _point_lines(rings: Sequence[RingPoints]) -> Iterator[str]:
    """Point lines of one part: numbers run on through the rings, each ring closes on its first."""
    first = 1
    for ring_no, points in enumerate(rings, start=1):
        for i, (east, north) in enumerate([*points, points[0]]):
            number = first + i % len(points)
            yield f"J{number},{ring_no},{north:.{DECIMALS}f},{east:.{DECIMALS}f}"
        first += len(points)


def ring_points(coords: Sequence[tuple[float, ...]], *, clockwise: bool) -> RingPoints:
    """Return an open ring, rounded, without repeated points, from its north-west point.

    ``coords`` are x, y; outer rings run clockwise, holes the other way round.
    """
    points: RingPoints = []
    for x, y, *_ in coords:
        point = (round(x, DECIMALS), round(y, DECIMALS))
        if not points or point != points[-1]:
            points.append(point)
    if len(points) > 1 and points[0] == points[-1]:
        points.pop()
    if len(points) < 3:
        return points
    if shapely.LinearRing(points).is_ccw == clockwise:
        points.reverse()
    west, north = min(p[0] for p in points), max(p[1] for p in points)
    start = min(range(len(points)), key=lambda i: _corner_distance(points[i], west, north))
    return points[start:] + points[:start]


def _corner_distance(point: tuple[float, float], west: float, north: float) -> tuple[float, float]:
    # The northing breaks ties, so that equal rings always start at the same point.
    return ((point[0] - west) ** 2 + (north - point[1]) ** 2, -point[1])


def _field(text: str) -> str:
    """Text of one field: no comma, @, line end or other control character may end it early."""
    flat = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", text)
    return clean_text(flat)[0].replace(",", "，").replace("@", "＠").strip()
