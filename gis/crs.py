"""Which coordinates do we have, and how large is an area on the ellipsoid?

A CRS mistake is the most expensive silent error of a site check, so nothing here is tolerant: a
code is accepted when the plan lists it, refused with a reason when it is an old Chinese datum, and
every transformed coordinate must be finite.

Sources: EPSG registry (codes and zones); CGCS2000 3-degree zones 25-45 with prefix 4513-4533,
without 4534-4554, 6-degree zones 13-23 with prefix 4491-4501, without 4502-4512.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any, Protocol

import numpy as np
import shapely
from pyproj import CRS, Transformer
from pyproj.crs import ProjectedCRS
from pyproj.crs.coordinate_operation import LambertAzimuthalEqualAreaConversion
from pyproj.exceptions import CRSError as ProjCrsError
from shapely.geometry.base import BaseGeometry

from gis.errors import CrsError

CGCS2000 = 4490
# Edges are straight in the work CRS. At 50 m the chord of one edge misses its curve by less than
# 1e-6 m at 100 km from the central meridian: 3e-5 m² an edge, far under the promised 0.01 m².
DENSIFY_M = 50.0

_XIAN80 = {4610, *range(2327, 2391)}
_BEIJING54 = {4214, *range(2401, 2443), *range(21413, 21424), *range(21453, 21464)}
_OLD_DATUM_NAMES = (
    "xian",
    "beijing",
    "西安",
    "北京54",
    "北京1954",
    "1980西安",
    "1954北京",
    "80坐标",
)


@dataclass(frozen=True, slots=True)
class GaussKruger:
    """One CGCS2000 Gauss-Krüger zone.

    ``width`` is 3 or 6 degrees, ``zone`` the national number, ``prefixed`` whether eastings carry
    the zone number in front (39 408 498 instead of 408 498).
    """

    epsg: int
    width: int
    zone: int
    prefixed: bool

    @property
    def central_meridian(self) -> float:
        """Central meridian in degrees east."""
        return self.zone * 3.0 if self.width == 3 else self.zone * 6.0 - 3.0


def gauss_kruger(epsg: int) -> GaussKruger | None:
    """Return the CGCS2000 zone behind an EPSG code, or None for any other CRS.

    >>> gauss_kruger(4527)
    GaussKruger(epsg=4527, width=3, zone=39, prefixed=True)
    >>> gauss_kruger(4548).central_meridian
    117.0
    """
    if 4513 <= epsg <= 4533:
        return GaussKruger(epsg, 3, epsg - 4488, True)
    if 4534 <= epsg <= 4554:
        return GaussKruger(epsg, 3, epsg - 4509, False)
    if 4491 <= epsg <= 4501:
        return GaussKruger(epsg, 6, epsg - 4478, True)
    if 4502 <= epsg <= 4512:
        return GaussKruger(epsg, 6, epsg - 4489, False)
    return None


def gauss_kruger_epsg(zone: int, *, prefixed: bool) -> int | None:
    """Return the EPSG code of a zone number: 25-45 are 3-degree, 13-23 are 6-degree zones.

    >>> gauss_kruger_epsg(39, prefixed=True)
    4527
    """
    if 25 <= zone <= 45:
        return zone + (4488 if prefixed else 4509)
    if 13 <= zone <= 23:
        return zone + (4478 if prefixed else 4489)
    return None


def prefixed_zone(work_epsg: int, advice: str) -> int:
    """Return the zone of a plan with its prefix: without it a reader would have to guess.

    Raises
    ------
    CrsError
        The work CRS is no CGCS2000 Gauss-Kruger zone; ``advice`` tells what to do instead.
    """
    zone = gauss_kruger(work_epsg)
    epsg = gauss_kruger_epsg(zone.zone, prefixed=True) if zone else None
    if epsg is None:
        raise CrsError(
            f"规划的工作坐标系 EPSG:{work_epsg} 不是 CGCS2000 高斯-克吕格投影",
            expected="界址点 TXT 的投影带",
            advice=advice,
        )
    return epsg


def parse_epsg(text: str | int) -> int:
    """Return the EPSG number of ``4548``, ``EPSG:4548``, an OGC URN/URL or ``CRS84``.

    Raises
    ------
    CrsError
        The text names no EPSG code, or an old Chinese datum.
    """
    raw = str(text).strip()
    refuse_old_datum(raw)
    upper = raw.upper()
    if upper.endswith("CRS84"):
        return 4326
    digits = upper.replace("/", ":").split(":")[-1]
    if not (digits.isascii() and digits.isdigit()):
        raise CrsError(
            f"坐标系写作“{raw[:60]}”", expected="EPSG 代码，如 EPSG:4527", advice="改写为 EPSG 代码"
        )
    refuse_old_datum(digits)
    return int(digits)


def refuse_old_datum(name_or_epsg: str | int) -> None:
    """Raise when the name or code is Xian 1980 or Beijing 1954.

    PROJ would shift them by zero metres without a word; the true shift is tens of metres.
    """
    epsg = int(name_or_epsg) if str(name_or_epsg).isdecimal() else -1  # "²" is a digit, too
    text = str(name_or_epsg).lower()
    if epsg in _XIAN80 | _BEIJING54 or any(n in text for n in _OLD_DATUM_NAMES):
        raise CrsError(
            f"坐标系为旧基准“{name_or_epsg}”（1980西安或1954北京）",
            expected="2000国家大地坐标系（CGCS2000）",
            advice="请有资质的测绘单位用省级转换参数转换后再提交；本工具不做近似转换",
        )


def refuse_old_crs(crs: CRS) -> None:
    """Raise when a CRS, read from a file, is Xian 1980 or Beijing 1954 by name or by code."""
    refuse_old_datum(f"{crs.name} {crs.geodetic_crs.name if crs.geodetic_crs else ''}")
    refuse_old_datum(crs.to_epsg() or "")


@dataclass(frozen=True, slots=True)
class CrsPolicy:
    """What a plan accepts: work CRS, accepted codes, and bounds (west, south, east, north; deg)."""

    work_epsg: int
    accepted: tuple[int, ...]
    bounds: tuple[float, float, float, float]


class HasCrsPolicy(Protocol):
    """Anything with a CRS policy; in practice a plan."""

    @property
    def crs_policy(self) -> CrsPolicy:
        """The policy."""
        ...


@lru_cache(maxsize=64)
def crs_of(epsg: int) -> CRS:
    """Return the CRS of an EPSG code; raise CrsError when unknown or an old Chinese datum."""
    refuse_old_datum(epsg)
    try:
        return CRS.from_epsg(epsg)
    except ProjCrsError:
        raise CrsError(
            f"EPSG:{epsg} 不是已知的坐标系", expected="有效的 EPSG 代码", advice="核对坐标系代码"
        ) from None


@lru_cache(maxsize=64)
def is_geographic(epsg: int) -> bool:
    """Return whether the coordinates of a CRS are degrees; raises what ``crs_of`` raises."""
    return bool(crs_of(epsg).is_geographic)


@lru_cache(maxsize=64)
def _transformer(source: int, target: int) -> Transformer:
    return Transformer.from_crs(crs_of(source), crs_of(target), always_xy=True)


def same_datum_code(epsg: int) -> int:
    """Return the code to compute with: WGS 84 (4326) is taken as CGCS2000 (4490).

    The ellipsoids differ by 0.1 mm and PROJ knows no transformation between the two, so calling
    them equal is honest and exact; the caller records it as a note.
    """
    return CGCS2000 if epsg == 4326 else epsg


def transform(geometry: BaseGeometry, source: int, target: int) -> BaseGeometry:
    """Return the geometry in another CRS, x = east or longitude, y = north or latitude.

    Raises
    ------
    CrsError
        A coordinate has no finite image: the numbers do not belong to the source CRS.
    """
    if source == target:
        return geometry
    moved: BaseGeometry = _moved(geometry, source, target)
    return moved


def transform_all(
    geometries: np.ndarray[Any, Any], source: int, target: int
) -> np.ndarray[Any, Any]:
    """Return an array of geometries in another CRS at once; raises what ``transform`` raises."""
    return geometries if source == target else _moved(geometries, source, target)


def _moved(geometry: Any, source: int, target: int) -> Any:
    return shapely.transform(geometry, lambda xy: _finite_xy(xy, source, target))


def _finite_xy(xy: np.ndarray[Any, Any], source: int, target: int) -> np.ndarray[Any, Any]:
    moved = _moved_xy(xy, _transformer(source, target))
    if not np.isfinite(moved).all():
        raise CrsError(
            f"坐标按 EPSG:{source} 解释时超出其适用范围",
            expected=f"EPSG:{source} 的有效坐标",
            advice="核对坐标系、X/Y（北/东）顺序和带号",
        )
    return moved


def transform_point(point: tuple[float, float], source: int, target: int) -> tuple[float, float]:
    """Return one point in another CRS, as :func:`transform` does; not finite without an image."""
    if source == target:
        return point
    x, y = _transformer(source, target).transform(*point)
    return float(x), float(y)


def _apply(geometry: Any, transformer: Transformer) -> Any:
    return shapely.transform(geometry, lambda xy: _moved_xy(xy, transformer))


def _moved_xy(xy: np.ndarray[Any, Any], transformer: Transformer) -> np.ndarray[Any, Any]:
    """Return (n, 2) coordinates moved; not finite where a point has no image."""
    columns = xy.T.copy()  # each column in one piece, which PROJ fills without copies of its own
    transformer.transform(columns[0], columns[1], inplace=True)
    return columns.T


@lru_cache(maxsize=64)
def _equal_area(epsg: int, lon: int, lat: int) -> Transformer:
    """Return the way from a projected CRS to an equal-area projection of its own ellipsoid."""
    base = crs_of(epsg)
    local = ProjectedCRS(
        conversion=LambertAzimuthalEqualAreaConversion(lat, lon), geodetic_crs=base.geodetic_crs
    )
    return Transformer.from_crs(base, local, always_xy=True)


def _code_of(crs: int | str | CRS) -> int:
    if isinstance(crs, int):
        return crs
    return int(crs.to_epsg() or 0) if isinstance(crs, CRS) else parse_epsg(crs)


def ellipsoidal_area(geometry: BaseGeometry, crs: int | str | CRS) -> float:
    """Return the area in m² on the ellipsoid of the CRS (CGCS2000 = GRS 80), edges straight in it.

    Edges are densified to 50 m and projected to a Lambert azimuthal equal-area projection centred
    within half a degree; the planar area there is the ellipsoidal area. Agrees with the survey
    formula of 国土调查办发〔2008〕32号 on densified edges to 0.01 m² on 38 km².

    Parameters
    ----------
    geometry
        Polygon or multipolygon in ``crs``; anything else has area 0.
    crs
        A projected CRS: EPSG number, ``EPSG:4548`` or a pyproj CRS with an EPSG code.
    """
    epsg = _code_of(crs)
    if geometry.is_empty or shapely.get_dimensions(geometry) < 2:
        return 0.0
    west, south, east, north = geometry.bounds
    centre = ((west + east) / 2, (south + north) / 2)
    lon, lat = _transformer(epsg, _geographic(epsg)).transform(*centre)
    dense = densified(np.array([geometry]), DENSIFY_M)[0]
    return float(_apply(dense, _equal_area(epsg, round(lon), round(lat))).area)


def ellipsoidal_areas(geometries: np.ndarray[Any, Any], epsg: int) -> np.ndarray[Any, Any]:
    """Return ``ellipsoidal_area`` of each polygon of an array, m²; one projection for all."""
    if not len(geometries):
        return np.zeros(0)
    west, south, east, north = shapely.total_bounds(geometries)
    centre = ((west + east) / 2, (south + north) / 2)
    lon, lat = _transformer(epsg, _geographic(epsg)).transform(*centre)
    dense = densified(geometries, DENSIFY_M)
    return np.asarray(shapely.area(_apply(dense, _equal_area(epsg, round(lon), round(lat)))))


# What a new vertex may move an edge sideways by rounding, with a margin, in units of the CRS.
_ROUNDED = 1e-8


def densified(geometries: np.ndarray[Any, Any], step: float) -> np.ndarray[Any, Any]:
    """Return geometries with a vertex at least every ``step``, in the unit of their coordinates.

    ``shapely.segmentize`` repairs a polygon that rounding of its new vertices makes invalid, and a
    polygon with a needle may come back empty: land would vanish. Where the planar area moves by
    more than rounding, the rings are densified one by one, which repairs nothing.
    """
    dense = np.asarray(shapely.segmentize(geometries, step), dtype=object)
    moved = np.abs(shapely.area(dense) - shapely.area(geometries))
    lost = moved > _ROUNDED * shapely.length(geometries)
    if lost.any():
        dense[lost] = _densified_by_ring(np.asarray(geometries, dtype=object)[lost], step)
    return dense


def _densified_by_ring(areas: np.ndarray[Any, Any], step: float) -> np.ndarray[Any, Any]:
    parts, part_of = shapely.get_parts(areas, return_index=True)
    rings, ring_of = shapely.get_rings(parts, return_index=True)
    whole = np.asarray(shapely.polygons(shapely.segmentize(rings, step), indices=ring_of))
    return np.asarray(shapely.multipolygons(whole, indices=part_of), dtype=object)


@lru_cache(maxsize=64)
def _geographic(epsg: int) -> int:
    base = crs_of(epsg).geodetic_crs
    code = base.to_epsg() if base is not None else None
    return int(code or CGCS2000)


def geographic_code(epsg: int) -> int:
    """Return the EPSG code of the longitude/latitude CRS under a projected CRS."""
    return _geographic(epsg)


def to_lonlat(geometry: BaseGeometry, epsg: int) -> dict[str, Any]:
    """Return the geometry as GeoJSON in longitude/latitude, for showing.

    Nine decimals are 0.1 mm on the ground; with seven, a 7.5 ha parcel is off by 4.6 m².
    """
    xy, target = shapely.get_coordinates(geometry), geographic_code(epsg)
    lonlat = xy if target == epsg else _finite_xy(xy, epsg, target)
    return {"type": geometry.geom_type, "coordinates": _nested(geometry, _rounded(lonlat))}


def coordinates_of(geometry: BaseGeometry, decimals: int = 9) -> list[Any]:
    """Return the coordinates as GeoJSON nests them; a way through JSON text takes ten times it."""
    return _nested(geometry, _rounded(shapely.get_coordinates(geometry), decimals))


def _rounded(xy: np.ndarray[Any, Any], decimals: int = 9) -> Iterator[list[float]]:
    return iter(np.round(xy, decimals).tolist())


def _nested(geometry: Any, positions: Iterator[list[float]]) -> list[Any]:
    """Take the positions of a geometry, in its order, and nest them as GeoJSON does."""
    match geometry.geom_type:
        case "Polygon":
            sizes = shapely.get_num_points(shapely.get_rings(geometry)).tolist()
            return [list(islice(positions, size)) for size in sizes]
        case "Point":
            return [] if geometry.is_empty else next(positions)
        case "LineString" | "LinearRing":
            return list(islice(positions, len(geometry.coords)))
        case _:
            return [_nested(part, positions) for part in geometry.geoms]
