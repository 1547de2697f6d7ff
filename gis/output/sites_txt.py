"""How do sites leave the house as the boundary-point TXT of the land bureau, so that nothing moves?

What would be written is read back by the one door for files from outside and compared with the
sites first; a file that would differ is not written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import shapely
from shapely.geometry.base import BaseGeometry

from gis.crs import CrsPolicy, geographic_code, parse_epsg, prefixed_zone, transform
from gis.errors import GeometryError
from gis.intake.boundary.write import Encoding, Plot, boundary_txt, encoded
from gis.intake.read import read_sites
from gis.model import Site

if TYPE_CHECKING:
    from gis.plan.area import Plan

# Three decimals of a metre, as the form has it.
_TOLERANCE_M = 0.001


@dataclass(frozen=True, slots=True)
class Written:
    """A TXT as it is written: ``largest_difference_m`` is how far a point moved on the way."""

    content: bytes
    plots: int
    epsg: int
    largest_difference_m: float


def sites_txt(
    sites: Sequence[Site],
    plan: Plan,
    *,
    crs: int | str | None = None,
    name: str | None = None,
    encoding: Encoding = "gbk",
    unit: str = "",
) -> Written:
    """Return sites as one TXT that reads back as the same sites.

    Parameters
    ----------
    sites
        From ``read_site`` with this plan, in its work CRS.
    plan
        Its zone, with the zone number in front of the eastings, is what is written by default.
    crs
        Another CGCS2000 Gauss-Krüger zone.
    name
        Of every plot; default the name of its site.
    encoding
        Of the text: gbk as the form has it, or utf-8.
    unit
        Who made the data (数据产生单位).

    Raises
    ------
    CrsError
        The work CRS of the plan, or ``crs``, is no zone that the form can name.
    GeometryError
        A site is not the same when its points are rounded to a millimetre.
    """
    epsg = _zone_to_write(crs, plan.work_epsg)
    plots = [_plot(site, n, name, epsg) for n, site in enumerate(sites, start=1)]
    content = encoded(boundary_txt(plots, epsg=epsg, unit=unit), encoding)
    off_m = _read_back(content, sites, plan.crs_policy, epsg)
    count = sum(len(parts_of(site.geometry)) for site in sites)
    return Written(content, count, epsg, off_m)


def write_txt(
    sites: Site | Sequence[Site],
    path: Path | str,
    plan: Plan,
    *,
    crs: int | str | None = None,
    name: str | None = None,
    encoding: Encoding = "gbk",
    unit: str = "",
) -> Path:
    """Write one site or several as the boundary-point TXT of the land bureau; return the path.

    The content is read back and compared before it is written, see ``sites_txt``.

    Parameters
    ----------
    sites
        From ``read_site`` or ``read_sites`` with this plan.
    path
        An existing file is replaced.
    plan, crs, name, encoding, unit
        See ``sites_txt``.
    """
    own = [sites] if isinstance(sites, Site) else sites
    written = sites_txt(own, plan, crs=crs, name=name, encoding=encoding, unit=unit)
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(written.content)
    return target


def parts_of(geometry: BaseGeometry) -> list[Any]:
    """Return the polygons of a site."""
    return list(getattr(geometry, "geoms", [geometry]))


def _zone_to_write(crs: int | str | None, work_epsg: int) -> int:
    """Return the code to write in: as asked, else the work zone of the plan with its prefix."""
    if crs is not None:
        return parse_epsg(crs)
    return prefixed_zone(work_epsg, "用 --crs 指定，如 EPSG:4527")


def _plot(site: Site, number: int, name: str | None, epsg: int) -> Plot:
    """Return the site as a plot in the zone to write."""
    claims = site.claims
    return Plot(
        name if name is not None else site.name,
        str(claims.get("plot_number", number)),
        transform(site.geometry, site.crs.work_epsg, epsg),
        use_text=str(claims.get("land_use_text", "")),
        land_class=str(claims.get("land_class", "")),
    )


def _read_back(data: bytes, sites: Sequence[Site], policy: CrsPolicy, epsg: int) -> float:
    """Read what would be written and return by how much it differs, m.

    Raises
    ------
    GeometryError
        It differs from the sites by more than a millimetre.
    """
    # Parts of one site are plots of their own there, and may lie outside the plan by themselves.
    bounds = _widened(policy.bounds, sites)
    wider = CrsPolicy(policy.work_epsg, (*policy.accepted, epsg), bounds)
    back: list[Any] = [site.geometry for site in read_sites(data, wider)]
    counts = [len(parts_of(site.geometry)) for site in sites]
    worst = 0.0 if len(back) == sum(counts) else float("inf")
    for site, count in zip(sites, counts, strict=True):
        own, back = back[:count], back[count:]
        if own:
            again = shapely.MultiPolygon(own) if count > 1 else own[0]
            worst = max(worst, _distance_m(site.geometry, again))
    if worst > _TOLERANCE_M:
        raise GeometryError(
            f"写出的内容读回后与原图相差 {worst * 1000:.2f} mm，未写出",
            expected=f"不超过 {_TOLERANCE_M * 1000:g} mm",
        )
    return worst


def _widened(
    bounds: tuple[float, float, float, float], sites: Sequence[Site]
) -> tuple[float, float, float, float]:
    """Return bounds in degrees that also meet every part of the sites."""
    outlines = [
        transform(site.geometry, site.crs.work_epsg, geographic_code(site.crs.work_epsg))
        for site in sites
    ]
    west, south, east, north = shapely.total_bounds([shapely.box(*bounds), *outlines]).tolist()
    return west, south, east, north


def _distance_m(a: BaseGeometry, b: BaseGeometry) -> float:
    """Return the largest distance of a vertex of one border from the other border."""
    worst = 0.0
    for one, other in ((a, b), (b, a)):
        border = other.boundary
        shapely.prepare(border)
        vertices = shapely.points(shapely.get_coordinates(one))
        worst = max(worst, float(shapely.distance(border, vertices).max()))
    return worst
