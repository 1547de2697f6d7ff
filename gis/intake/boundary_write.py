"""How is a plot written as the boundary-point TXT (勘测定界界址点坐标) of the land bureau?

Form as the pre-examination systems (电子报盘) take it: GBK, CRLF, three decimals, point numbers
J1 …, the closing point repeats the first number, each ring starts at its north-west point, outer
rings run clockwise, area in hectares with four decimals. X is the northing, Y the easting. It never
reads a file; the reader is :mod:`gis.intake.boundary_txt`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

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
from gis.errors import CrsError, GeometryError
from gis.units import m2_to_ha

DECIMALS = 3


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
) -> None:
    """Write the plots as one TXT file in GBK with CRLF line ends.

    Parameters
    ----------
    path
        File to write; an existing file is replaced.
    plots
        At least one plot; a MultiPolygon becomes one header per part (编号_1, 编号_2 …).
    epsg
        CRS of the polygons: a CGCS2000 Gauss-Krüger code, with or without zone prefix.
    unit
        数据产生单位.
    produced_on
        数据产生日期; left empty when None, so that equal plots give equal files.

    Raises
    ------
    CrsError
        ``epsg`` is no CGCS2000 Gauss-Krüger zone.
    GeometryError
        A plot is empty or no polygon.
    """
    text = boundary_txt(plots, epsg=epsg, unit=unit, produced_on=produced_on)
    # gb18030 equals GBK wherever GBK has the character, and loses none of the others.
    Path(path).write_bytes(text.encode("gb18030"))


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
    lines = _head(zone, unit, produced_on)
    for plot in plots:
        lines += _plot_lines(plot, epsg)
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


def _plot_lines(plot: Plot, epsg: int) -> list[str]:
    parts = _polygons(plot)
    transform(plot.polygon, epsg, geographic_code(epsg))  # refuses numbers of another CRS
    lines: list[str] = []
    for n, part in enumerate(parts, start=1):
        number = plot.number if len(parts) == 1 else f"{plot.number}_{n}"
        whole_ha = plot.area_ha if len(parts) == 1 else None
        points = list(_point_lines(part))
        area_ha = m2_to_ha(ellipsoidal_area(part, epsg)) if whole_ha is None else whole_ha
        fields = (
            str(len(points)),
            f"{area_ha:.4f}",
            _field(number),
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
    parts = [g for g in getattr(shape, "geoms", [shape]) if isinstance(g, Polygon)]
    if shape.is_empty or not isinstance(shape, Polygon | MultiPolygon):
        raise GeometryError(f"地块“{plot.name}”不是面", expected="非空的面")
    return parts


def _point_lines(part: Polygon) -> Iterator[str]:
    """Point lines of one part: numbers run on through the rings, each ring closes on its first."""
    first = 1
    for ring_no, ring in enumerate([part.exterior, *part.interiors], start=1):
        points = _ring_points(list(ring.coords), clockwise=ring_no == 1)
        for i, (east, north) in enumerate([*points, points[0]]):
            number = first + i % len(points)
            yield f"J{number},{ring_no},{north:.{DECIMALS}f},{east:.{DECIMALS}f}"
        first += len(points)


def _ring_points(
    coords: Sequence[tuple[float, ...]], *, clockwise: bool
) -> list[tuple[float, float]]:
    """Open ring, rounded, without repeated points, in order, from its north-west point."""
    points: list[tuple[float, float]] = []
    for x, y, *_ in coords:
        point = (round(x, DECIMALS), round(y, DECIMALS))
        if not points or point != points[-1]:
            points.append(point)
    if len(points) > 1 and points[0] == points[-1]:
        points.pop()
    if len(points) < 3:
        raise GeometryError("界址点取位到毫米后不足三个", expected="至少三个不同的界址点")
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
    return re.sub(r"[\x00-\x1f\x7f\ud800-\udfff]", " ", text).replace(",", "，").replace("@", "＠")
