"""How does a check leave the house? Check documents as GeoJSON, GeoPackage and CSV.

Everything here works from the JSON document of a check (``gis.canonical.to_dict``), so a stored
record can be exported again. Nothing is measured or judged, and coordinates of layers above the
secrecy ceiling are taken out before anything is written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gis import files
from gis.crs import geographic_code, transform
from gis.files import safe_cell
from gis.model import citation
from gis.model.attributes import ATTRIBUTES
from gis.output import qgis
from gis.output.contacts import contact_pictures
from gis.output.land import land_frames
from gis.output.secrecy import public_documents, without_geometry, without_geometry_of

if TYPE_CHECKING:
    import geopandas as gpd

    from gis.plan.area import Plan

__all__ = [
    "COLUMNS",
    "safe_cell",
    "to_geojson",
    "without_geometry",
    "without_geometry_of",
    "write_csv",
    "write_gpkg",
]

Document = Mapping[str, Any]
_REMEDY_KEYS = (
    "kind", "rule", "text", "verdict", "verdict_label", "area_m2", "lost_m2", "shift_m",
    "bearing_deg",
)  # fmt: skip
# Layers of results that are no sites: the reader of sites knows them by the beginning.
_FINDINGS = "wuqu_findings"
_KINDS = {"trim": "裁减方案", "shift": "平移方案"}

COLUMNS = {
    "name": "名称",
    "verdict": "结论代码",
    "verdict_label": "结论",
    "deciding_rule": "决定规则",
    "area_m2": "椭球面积_平方米",
    "planar_m2": "平面面积_平方米",
    "mu": "亩",
    "ha": "公顷",
    "use": "用途代码",
    "as_of": "依据日期",
    "plan": "规划",
    "plan_version": "规划版本",
    "plan_status": "规划状态",
    "digest": "摘要",
    "id": "编号",
}


# --- GeoJSON -------------------------------------------------------------------------------------


def to_geojson(
    documents: Sequence[Document], plan: Plan | None = None, ceiling: str = "public"
) -> dict[str, Any]:
    """Return checks as one FeatureCollection: each site first, then what its findings mark.

    Longitude and latitude as RFC 7946 wants them; ``role`` tells site, finding, contact and remedy
    apart, ``site`` and ``digest`` say whose they are.

    Parameters
    ----------
    documents
        The JSON documents of checks.
    plan, ceiling
        Coordinates of layers of this plan above the ceiling stay in the house, in the drawings of
        contacts too.
    """
    features = (
        f for d in public_documents(documents, plan, ceiling) for f in _features(d, plan, ceiling)
    )
    return {"type": "FeatureCollection", "features": list(features)}


def _features(document: Document, plan: Plan | None, ceiling: str) -> Iterator[dict[str, Any]]:
    yield _site_feature(document)
    yield from _finding_features(document)
    for row, geometry in _contact_rows(document, plan, ceiling):
        yield _feature(geometry, {"role": "contact", **row})
    for row, geometry in remedy_rows(document):
        yield _feature(geometry, {"role": "remedy", **row})


def _feature(geometry: Any, properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": dict(properties)}


def _site_feature(document: Document) -> dict[str, Any]:
    row = sheet_row(document) | _attributes(document)
    note = document["plan"]["status_note"]
    return _feature(document["site"]["geometry"], {"role": "site", **row, "plan_note": note})


def _finding_features(document: Document) -> Iterator[dict[str, Any]]:
    keys = ("rule", "title", "verdict", "verdict_label", "layer", "threshold", "reason", "remedy")
    for f in document["findings"]:
        if not f.get("geometry"):
            continue
        measure = f["measure"] or {}
        yield _feature(
            f["geometry"],
            {
                "role": "finding",
                **_owner(document),
                **{key: f[key] for key in keys},
                "value": measure.get("value"),
                "unit": measure.get("unit"),
                "share": measure.get("share"),
                "basis": "；".join(citation(b) for b in f["basis"]),
            },
        )


def _contact_rows(
    document: Document, plan: Plan | None, ceiling: str
) -> Iterator[tuple[dict[str, Any], Any]]:
    rows = document.get("contacts", ())
    for row, picture in zip(rows, contact_pictures(document, plan, ceiling), strict=True):
        if row.get("geometry"):
            told = {key: row[key] for key in ("layer", "rule", "area_m2", "width_m")}
            yield {**_owner(document), **told, "picture": picture}, row["geometry"]


def remedy_rows(document: Document) -> Iterator[tuple[dict[str, Any], Any]]:
    """Yield remedies with an outline; name, use and claims make each a site to be checked."""
    count: Counter[str] = Counter()
    for r in document["remedies"]:
        if not r.get("geometry"):
            continue
        kind = _KINDS.get(r.get("kind", ""), "方案")
        count[kind] += 1
        yield (
            {
                "name": f"{document['site']['name']}（{kind} {count[kind]}）",
                **_owner(document),
                "use": document["site"]["claims"].get("use"),
                **_attributes(document),
                **{key: r.get(key) for key in _REMEDY_KEYS},
                "rules": "、".join(r.get("rules", ())),
            },
            r["geometry"],
        )


def _attributes(document: Document) -> dict[str, Any]:
    """Return the attributes that the applicant claims: without them another verdict comes out."""
    claims = document["site"]["claims"]
    return {key: claims[key] for key in ATTRIBUTES if key in claims}


def _owner(document: Document) -> dict[str, str]:
    return {"site": document["site"]["name"], "digest": document["digest"]}


# --- tables --------------------------------------------------------------------------------------


def sheet_row(document: Document) -> dict[str, Any]:
    """Return the one row of a check in a table; the keys are those of ``COLUMNS``."""
    site, plan = document["site"], document["plan"]
    return {
        "name": site["name"],
        "verdict": document["verdict"],
        "verdict_label": document["verdict_label"],
        "deciding_rule": document["deciding_rule"],
        "area_m2": site["area"]["ellipsoidal_m2"],
        "planar_m2": site["area"]["planar_m2"],
        "mu": site["area"]["mu"],
        "ha": site["area"]["ha"],
        "use": site["claims"].get("use"),
        "as_of": document["as_of"],
        "plan": plan["title"],
        "plan_version": plan["version"],
        "plan_status": plan["status"],
        "digest": document["digest"],
        "id": document["id"],
    }


def write_csv(documents: Sequence[Document], path: Path | str) -> Path:
    """Write one line per check, with Chinese heads, readable by Excel; return the path."""
    rows = (sheet_row(document).values() for document in documents)
    return files.write_table([COLUMNS.values(), *rows], Path(path))


# --- GeoPackage ----------------------------------------------------------------------------------


def write_gpkg(
    documents: Sequence[Document],
    path: Path | str,
    work_epsg: int,
    plan: Plan | None = None,
    ceiling: str = "public",
) -> Path:
    """Write a GeoPackage in the work CRS, with styles that QGIS opens by itself.

    Layers ``sites`` and, where there are any: ``remedies``, ``contacts``, ``wuqu_findings`` (what
    each finding marks) and ``wuqu_land_…`` (the land classes inside the sites, one for each land
    layer); when the file is read again as sites, those named ``wuqu_…`` are left out. A contact is
    a point with its ``picture`` (SVG): desktop programs find a point at any scale. The file is made
    beside the target and moved over it, so a reader never meets half of it. ``plan`` and
    ``ceiling`` are those of ``to_geojson``; without a plan no land classes are drawn.
    """
    documents = public_documents(documents, plan, ceiling)
    frames = _frames(documents, work_epsg, plan, ceiling)
    if plan is not None:
        frames |= land_frames(frames["sites"], plan, ceiling)
    styles = {name: _qml(name, frame) for name, frame in frames.items()}
    return files.write_gpkg({**frames, qgis.TABLE: qgis.style_table(styles)}, Path(path))


def _frames(
    documents: Sequence[Document], epsg: int, plan: Plan | None, ceiling: str
) -> dict[str, gpd.GeoDataFrame]:
    """Return the layers that come from the documents alone; empty ones are left out."""
    rows = {
        _FINDINGS: [row for d in documents for row in _marked_areas(d)],
        "remedies": [row for d in documents for row in remedy_rows(d)],
        "contacts": [row for d in documents for row in _contact_rows(d, plan, ceiling)],
    }
    drawn: dict[str, Callable[[Any], Any]] = {
        _FINDINGS: _multi,
        "remedies": _multi,
        "contacts": lambda shown: shown.point_on_surface(),
    }
    frames = {"sites": _sites_frame(documents, epsg)}
    return frames | {k: _frame(v, epsg, drawn[k]) for k, v in rows.items() if v}


def _marked_areas(document: Document) -> Iterator[tuple[dict[str, Any], Any]]:
    """Yield what findings mark as areas; lines and points stand in the GeoJSON."""
    for feature in _finding_features(document):
        row, geometry = feature["properties"], feature["geometry"]
        if geometry["type"] in ("Polygon", "MultiPolygon"):
            yield {key: value for key, value in row.items() if key != "role"}, geometry


def _qml(name: str, frame: gpd.GeoDataFrame) -> str:
    """Return the style of a layer: by verdict, by land class, or one symbol."""
    if name == "sites":
        drawn = qgis.verdict_categories(frame["verdict"], hatched=False)
        return qgis.categorized("verdict", drawn, '"name" || \'\\n\' || "verdict_label"')
    if name == _FINDINGS:
        drawn = qgis.verdict_categories(frame["verdict"], hatched=True)
        return qgis.categorized("verdict", drawn)
    if name == "remedies":
        return qgis.remedies_qml()
    if name == "contacts":
        return qgis.contacts_qml()
    groups = dict(zip(frame["group"], frame["group_name"], strict=True))
    return qgis.categorized("group", qgis.class_categories(groups))


def _sites_frame(documents: Sequence[Document], epsg: int) -> gpd.GeoDataFrame:
    import geopandas as gpd

    rows = [sheet_row(d) | _attributes(d) for d in documents]
    outlines = [_multi(placed(d["site"]["geometry"], epsg)) for d in documents]
    return gpd.GeoDataFrame(_columns(rows, COLUMNS), geometry=outlines, crs=epsg)


def _frame(
    rows: Sequence[tuple[Mapping[str, Any], Any]], epsg: int, drawn: Callable[[Any], Any]
) -> gpd.GeoDataFrame:
    import geopandas as gpd

    columns = _columns([row for row, _ in rows], ())
    geometry = [drawn(placed(shown, epsg)) for _, shown in rows]
    return gpd.GeoDataFrame(columns, geometry=geometry, crs=epsg)


def _columns(rows: Sequence[Mapping[str, Any]], first: Iterable[str]) -> dict[str, list[Any]]:
    """Return the columns of a table; a key that only some rows have is empty in the others."""
    keys = dict.fromkeys([*first, *(key for row in rows for key in row)])
    return {key: [_cell(row.get(key)) for row in rows] for key in keys}


def _cell(value: Any) -> Any:
    # A column of yes, no and nothing has no type that every program reads.
    if isinstance(value, bool):
        return "是" if value else "否"
    return files.safe_text(value)


def placed(geometry: Any, epsg: int) -> Any:
    """Return a GeoJSON geometry of a document in a CRS of its datum."""
    import shapely.geometry

    return transform(shapely.geometry.shape(geometry), geographic_code(epsg), epsg)


def _multi(outline: Any) -> Any:
    """Return a multipolygon: desktop programs refuse a layer with a mix of types."""
    import shapely.geometry

    return shapely.geometry.MultiPolygon(getattr(outline, "geoms", [outline]))
