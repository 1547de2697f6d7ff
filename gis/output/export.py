"""How does a check leave the house? Check documents as GeoJSON, GeoPackage and CSV.

Everything here works from the JSON document of a check (``gis.canonical.to_dict``), so a stored
record can be exported again. Nothing is measured or judged, and coordinates of layers above the
secrecy ceiling are taken out before anything is written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gis import files
from gis.crs import geographic_code, transform
from gis.files import safe_cell
from gis.model import citation

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["COLUMNS", "safe_cell", "to_geojson", "without_geometry_of", "write_csv", "write_gpkg"]

Document = Mapping[str, Any]

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

    Verdicts, areas and texts stay. A remedy follows the boundary of the layer of its rule, so its
    outline goes too.
    """
    layer_of = {f["rule"]: f["layer"] for f in document["findings"]}

    def shown(row: Mapping[str, Any], layer: str | None) -> dict[str, Any]:
        hide = layer in layers
        return {k: v for k, v in row.items() if not (hide and k == "geometry")}

    return {
        **document,
        "findings": [shown(f, f["layer"]) for f in document["findings"]],
        "remedies": [shown(r, layer_of.get(r["rule"])) for r in document["remedies"]],
    }


# --- GeoJSON -------------------------------------------------------------------------------------


def to_geojson(documents: Sequence[Document]) -> dict[str, Any]:
    """Return checks as one FeatureCollection: each site first, then what its findings mark.

    Longitude and latitude as RFC 7946 wants them; ``role`` tells site, finding and remedy apart,
    ``site`` and ``digest`` say whose they are.
    """
    return {"type": "FeatureCollection", "features": [f for d in documents for f in _features(d)]}


def _features(document: Document) -> Iterator[dict[str, Any]]:
    yield _site_feature(document)
    yield from _finding_features(document)
    yield from _remedy_features(document)


def _feature(geometry: Any, properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": dict(properties)}


def _site_feature(document: Document) -> dict[str, Any]:
    row = _sheet_row(document)
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


def _remedy_features(document: Document) -> Iterator[dict[str, Any]]:
    for r in document["remedies"]:
        if r.get("geometry"):
            about = {"role": "remedy", **_owner(document), "rule": r["rule"], "text": r["text"]}
            yield _feature(r["geometry"], about)


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


def write_gpkg(documents: Sequence[Document], path: Path | str, work_epsg: int) -> Path:
    """Write the sites with verdicts and areas as layer ``sites``, in the work CRS of the plan.

    The file is made beside the target and moved over it, so a reader never meets half of it.
    """
    return files.write_gpkg({"sites": _sites_frame(documents, work_epsg)}, Path(path))


def _sites_frame(documents: Sequence[Document], epsg: int) -> gpd.GeoDataFrame:
    import geopandas as gpd

    rows = [_sheet_row(d) for d in documents]
    columns = {key: [files.safe_text(row[key]) for row in rows] for key in COLUMNS}
    return gpd.GeoDataFrame(columns, geometry=list(_outlines(documents, epsg)), crs=epsg)


def _outlines(documents: Iterable[Document], epsg: int) -> Iterator[Any]:
    import shapely.geometry

    for document in documents:
        outline = shapely.geometry.shape(document["site"]["geometry"])
        # One geometry type per layer: desktop programs refuse a mix.
        multi = shapely.geometry.MultiPolygon(getattr(outline, "geoms", [outline]))
        yield transform(multi, geographic_code(epsg), epsg)
