"""How does a check leave the house? Check documents as GeoJSON, GeoPackage and CSV.

Everything here works from the JSON document of a check (``gis.canonical.to_dict``), so a stored
record can be exported again. Nothing is measured or judged, and coordinates of layers above the
secrecy ceiling are taken out before anything is written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gis import files
from gis.crs import geographic_code, transform
from gis.files import safe_cell
from gis.model import citation, may_show
from gis.model.attributes import ATTRIBUTES
from gis.output.contacts import contact_pictures

if TYPE_CHECKING:
    import geopandas as gpd

    from gis.plan.area import Plan

__all__ = ["COLUMNS", "safe_cell", "to_geojson", "without_geometry_of", "write_csv", "write_gpkg"]

Document = Mapping[str, Any]
_CLEAR = frozenset({"pass", "not_applicable"})
_REMEDY_KEYS = (
    "kind", "rule", "text", "verdict", "verdict_label", "area_m2", "lost_m2", "shift_m",
    "bearing_deg",
)  # fmt: skip
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


def without_geometry_of(document: Document, layers: Collection[str]) -> dict[str, Any]:
    """Return the document without the coordinates that show where the named layers lie.

    Verdicts, areas and texts stay. A part that lies on one layer and off another shows the borders
    of both, and a remedy those of all layers that it keeps clear of.
    """
    shaping = layers_shown(document)

    def shown(part: str) -> list[dict[str, Any]]:
        pairs = zip(document[part], shaping[part], strict=True)
        return [_without(row, "geometry") if own & set(layers) else dict(row) for row, own in pairs]

    return {**document, **{part: shown(part) for part in shaping}}


def without_geometry(document: Document) -> dict[str, Any]:
    """Return the document without any outline: of the site, findings, contacts and remedies."""
    bare = {
        part: [_without(row, "geometry") for row in document[part]]
        for part in ("findings", "contacts", "remedies")
    }
    return {**document, "site": {**document["site"], "geometry": None}, **bare}


def layers_shown(document: Document) -> dict[str, list[frozenset[str]]]:
    """Return for each finding, remedy and contact the layers whose borders its geometry may show.

    Records of earlier versions name one layer for a finding and none for a remedy; there a remedy
    may show all that stands against the site.
    """
    findings = document["findings"]
    of_rule = {f["rule"]: _layers_of(f) for f in findings}
    against = [of_rule[f["rule"]] for f in findings if f["verdict"] not in _CLEAR]
    earlier = frozenset[str]().union(*against)
    found = {
        "findings": [of_rule[f["rule"]] for f in findings],
        "remedies": [
            frozenset(r["layers"]) if "layers" in r else earlier for r in document["remedies"]
        ],
    }
    if "contacts" in document:
        found["contacts"] = [
            _layers_of(c) | of_rule.get(c["rule"], frozenset()) for c in document["contacts"]
        ]
    return found


def _layers_of(row: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(row.get("layers", ())) | ({row["layer"]} if row["layer"] else set())


def _without(row: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {k: v for k, v in row.items() if k != key}


def _public(documents: Sequence[Document], plan: Plan | None, ceiling: str) -> list[Document]:
    """Return the documents without coordinates of layers of the plan above the ceiling."""
    infos = [layer.info for layer in plan.layers.values()] if plan else []
    hidden = frozenset(i.id for i in infos if not may_show(i.secrecy, ceiling))
    return [without_geometry_of(d, hidden) for d in documents] if hidden else list(documents)


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
    features = (f for d in _public(documents, plan, ceiling) for f in _features(d, plan, ceiling))
    return {"type": "FeatureCollection", "features": list(features)}


def _features(document: Document, plan: Plan | None, ceiling: str) -> Iterator[dict[str, Any]]:
    yield _site_feature(document)
    yield from _finding_features(document)
    for row, geometry in _contact_rows(document, plan, ceiling):
        yield _feature(geometry, {"role": "contact", **row})
    for row, geometry in _remedy_rows(document):
        yield _feature(geometry, {"role": "remedy", **row})


def _feature(geometry: Any, properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": dict(properties)}


def _site_feature(document: Document) -> dict[str, Any]:
    row = _sheet_row(document) | _attributes(document)
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


def _remedy_rows(document: Document) -> Iterator[tuple[dict[str, Any], Any]]:
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


def _sheet_row(document: Document) -> dict[str, Any]:
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
    rows = (_sheet_row(document).values() for document in documents)
    return files.write_table([COLUMNS.values(), *rows], Path(path))


# --- GeoPackage ----------------------------------------------------------------------------------


def write_gpkg(
    documents: Sequence[Document],
    path: Path | str,
    work_epsg: int,
    plan: Plan | None = None,
    ceiling: str = "public",
) -> Path:
    """Write a GeoPackage in the work CRS: layers ``sites``, ``remedies`` and ``contacts``.

    Remedies and contacts are written where there are any. A contact is a point with its ``picture``
    (SVG): desktop programs find a point at any scale. The file is made beside the target and moved
    over it, so a reader never meets half of it. ``plan`` and ``ceiling`` are those of
    ``to_geojson``.
    """
    documents = _public(documents, plan, ceiling)
    remedies = [row for d in documents for row in _remedy_rows(d)]
    contacts = [row for d in documents for row in _contact_rows(d, plan, ceiling)]
    layers = {"sites": _sites_frame(documents, work_epsg)}
    if remedies:
        layers["remedies"] = _frame(remedies, work_epsg, _multi)
    if contacts:
        layers["contacts"] = _frame(contacts, work_epsg, lambda shown: shown.point_on_surface())
    return files.write_gpkg(layers, Path(path))


def _sites_frame(documents: Sequence[Document], epsg: int) -> gpd.GeoDataFrame:
    import geopandas as gpd

    rows = [_sheet_row(d) | _attributes(d) for d in documents]
    outlines = [_multi(_placed(d["site"]["geometry"], epsg)) for d in documents]
    return gpd.GeoDataFrame(_columns(rows, COLUMNS), geometry=outlines, crs=epsg)


def _frame(
    rows: Sequence[tuple[Mapping[str, Any], Any]], epsg: int, drawn: Callable[[Any], Any]
) -> gpd.GeoDataFrame:
    import geopandas as gpd

    columns = _columns([row for row, _ in rows], ())
    geometry = [drawn(_placed(shown, epsg)) for _, shown in rows]
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


def _placed(geometry: Any, epsg: int) -> Any:
    import shapely.geometry

    return transform(shapely.geometry.shape(geometry), geographic_code(epsg), epsg)


def _multi(outline: Any) -> Any:
    """Return a multipolygon: desktop programs refuse a layer with a mix of types."""
    import shapely.geometry

    return shapely.geometry.MultiPolygon(getattr(outline, "geoms", [outline]))
