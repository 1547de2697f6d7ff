"""What has become of a project's red line: which land was added, which given up, and what follows?

Two outlines of one project, the earlier one and the one that is to take its place: areas gained and
lost, both checks rule by rule, and what was recorded about the project before. The areas are those
of the outlines as they are; nothing is snapped, so noise of a survey is told apart, not left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import shapely
from shapely.errors import ShapelyError
from shapely.geometry.base import BaseGeometry

from gis.canonical import SCHEMA_VERSION, to_dict
from gis.check import check_site, legal_day
from gis.comparison import rules_beside
from gis.crs import ellipsoidal_area, to_lonlat
from gis.errors import StoreDamagedError
from gis.model import Area, Site
from gis.output.records import RecordStore
from gis.output.records.walk import ids_in_order
from gis.plan import Plan

Row = dict[str, Any]

# Edges surveyed twice differ by centimetres: the tolerances of a rule that states none.
_SLIVER_M, _SLIVER_M2 = 0.1, 1.0
# A record is about the project when it shares so much of the smaller outline.
_SAME_SHARE = 0.5
# Coordinates of one survey, written by two programs.
_SAME_M = 0.001
# What floating point leaves between edges that are the same.
_DUST_M2 = 1e-6
_HEAD = ("verdict", "verdict_label", "verdict_en", "deciding_rule", "digest")


def compare_sites(
    old: Site,
    new: Site,
    plan: Plan,
    *,
    use: str | None = None,
    attributes: Mapping[str, object] | None = None,
    as_of: date | None = None,
    records: RecordStore | None = None,
) -> Row:
    """Compare two versions of the red line of one project.

    Parameters
    ----------
    old, new
        From ``read_site`` with this plan; both valid, in its work CRS.
    plan
        The plan that both are checked on.
    use, attributes, as_of
        As for ``check_site``; the same for both.
    records
        Where earlier checks of the project are looked for, by outline and by name.

    Returns
    -------
    document
        Plain JSON values: ``old`` and ``new`` (name, area, verdict, deciding rule), ``kept``,
        ``gained`` and ``lost`` (m² on the ellipsoid and planar, mu, ha, number of parts, of which
        ``slivers_m2``, and the outline as GeoJSON in longitude/latitude), ``rules`` with both
        findings, changed ones first, ``history``, ``notes``. Old area + gained - lost is the new
        area.

    Raises
    ------
    ClaimError, OutsidePlanError, CrsError
        As ``check_site``.
    StoreError
        The records cannot be read.
    """
    day = as_of or legal_day()
    asked = {"use": use, "attributes": attributes, "as_of": day, "remedies": False}
    before, after = (to_dict(check_site(site, plan, **asked)) for site in (old, new))  # type: ignore[arg-type]  # the keys are those of check_site
    rules = rules_beside(before, after)
    kept = shapely.intersection(old.geometry, new.geometry)
    return {
        "schema_version": SCHEMA_VERSION,
        "plan": before["plan"],
        "as_of": before["as_of"],
        "old": _side(before),
        "new": _side(after),
        "kept": _land(kept, plan.work_epsg),
        "gained": _land(shapely.difference(new.geometry, old.geometry), plan.work_epsg),
        "lost": _land(shapely.difference(old.geometry, new.geometry), plan.work_epsg),
        "changed": any(row["changed"] for row in rules) or before["verdict"] != after["verdict"],
        "rules": [_renamed(row) for row in rules],
        "history": [] if records is None else list(_history(records, old, new)),
        "notes": list(_notes(old, new, kept)),
    }


def _side(check: Mapping[str, Any]) -> Row:
    site = check["site"]
    return {
        "name": site["name"],
        "area": site["area"],
        "geometry": site["geometry"],
        **{key: check[key] for key in _HEAD},
    }


def _renamed(row: Mapping[str, Any]) -> Row:
    rest = {key: row[key] for key in ("rule", "title", "title_en", "changed")}
    return {**rest, "old": row["in_force"], "new": row["draft"]}


def _notes(old: Site, new: Site, kept: BaseGeometry) -> Iterator[str]:
    if not kept.area:
        yield "两条红线没有重叠，请核对是否为同一项目"
    if old.doubt or new.doubt:
        yield "有红线的坐标不是测量成果，增减面积仅供参考"


# --- land ----------------------------------------------------------------------------------------


def _land(geometry: BaseGeometry, epsg: int) -> Row:
    """Return the polygons of a geometry with their areas; lines that only touch are no land."""
    found = shapely.get_parts(shapely.get_parts(geometry)).tolist()
    parts = [p for p in found if p.geom_type == "Polygon" and p.area > _DUST_M2]
    land = shapely.MultiPolygon(parts)
    area = Area(ellipsoidal_area(land, epsg) if parts else 0.0, float(land.area))
    slivers = [part for part in parts if _is_sliver(part)]
    return {
        "area_m2": round(area.ellipsoidal_m2, 2),
        "planar_m2": round(area.planar_m2, 2),
        "mu": round(area.mu, 4),
        "ha": round(area.ha, 6),
        "parts": len(parts),
        "slivers": len(slivers),
        "slivers_m2": round(sum(ellipsoidal_area(part, epsg) for part in slivers), 2),
        "geometry": to_lonlat(land, epsg) if parts else None,
    }


def _is_sliver(part: BaseGeometry) -> bool:
    return part.area < _SLIVER_M2 and 2.0 * part.area < _SLIVER_M * part.length


# --- what was recorded ---------------------------------------------------------------------------


def _history(records: RecordStore, old: Site, new: Site) -> Iterator[Row]:
    """Yield the records about the project, oldest first: near one of the outlines, or so named."""
    for record_id in ids_in_order(records):
        try:
            record = records.get(record_id)
            outline = shapely.from_wkb(record.geometry_wkb)
        except (StoreDamagedError, ShapelyError):
            continue  # ``wuqu verify --all`` names it
        if outline is None or record.document["site"]["crs"]["work"] != _crs(new):
            continue
        which = _which(outline, old, new)
        if which is None and record.name not in (old.name, new.name):
            continue
        yield {
            "record": record.id,
            "created_at": record.created_at,
            "as_of": record.as_of,
            "name": record.name,
            "outline": which or "other",
            "area_m2": record.document["site"]["area"]["ellipsoidal_m2"],
            "plan_version": record.plan_version,
            "verdict": record.verdict,
            "verdict_label": record.document["verdict_label"],
            "deciding_rule": record.document["deciding_rule"],
            "decisions": [
                {"verdict": d.verdict, "office": d.office, "at": d.decided_at}
                for d in records.decisions(record.id)
            ],
        }


def _crs(site: Site) -> str:
    return f"EPSG:{site.crs.work_epsg}"


def _which(outline: BaseGeometry, old: Site, new: Site) -> str | None:
    """Return ``old`` or ``new`` for the same outline, ``near`` for much of the same land."""
    for name, site in (("old", old), ("new", new)):
        if outline.hausdorff_distance(site.geometry) < _SAME_M:
            return name
    for site in (old, new):
        shared = shapely.intersection(outline, site.geometry).area
        if shared >= _SAME_SHARE * min(outline.area, site.geometry.area):
            return "near"
    return None


# --- as GeoJSON ----------------------------------------------------------------------------------

TITLES = {"lost": "减少", "gained": "增加", "old": "原红线", "new": "新红线"}


def to_geojson(document: Mapping[str, Any]) -> Row:
    """Return the outlines and the land between them as a FeatureCollection."""
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {"part": key, "title": title, **_properties(document[key])},
                "geometry": document[key]["geometry"],
            }
            for key, title in TITLES.items()
            if document[key]["geometry"] is not None
        ],
    }


def _properties(row: Mapping[str, Any]) -> Row:
    if "area" in row:
        area = row["area"]
        return {"area_m2": area["ellipsoidal_m2"], "mu": area["mu"], "verdict": row["verdict"]}
    return {key: row[key] for key in ("area_m2", "mu", "parts", "slivers_m2")}
