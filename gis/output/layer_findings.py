"""How do the findings about a plan package get onto a map? A GeoPackage for desktop programs.

One layer per kind of place (``findings_polygon``, ``findings_line``, ``findings_point``) in the
work CRS, and ``findings_layer`` for findings without a place. Nothing is looked for or hidden here:
what may not be seen has no location in the report.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gis.files import safe_text, write_gpkg

if TYPE_CHECKING:
    from gis.plan.quality import Finding, PlanQuality

LAYERS = {
    "findings_polygon": "MultiPolygon",
    "findings_line": "MultiLineString",
    "findings_point": "MultiPoint",
}
WITHOUT_PLACE = "findings_layer"
COLUMNS = (
    "layer",
    "layer_title",
    "code",
    "title",
    "severity",
    "message",
    "feature_ids",
    "feature_count",
    "value",
    "unit",
    "field",
    "advice",
)
# Desktop programs show an attribute in one line; the count says how many there are.
_MOST_IDS = 50


def write_findings(report: PlanQuality, path: Path | str) -> Path:
    """Write the findings of a report; return the path.

    Parameters
    ----------
    report
        What ``gis.plan.quality.check_plan`` found.
    path
        The GeoPackage; replaced when it exists, equal findings give equal bytes.
    """
    titles = {row.id: row.title for row in report.layers}
    frames = {
        name: _placed(report.findings, kind, titles, report.work_epsg)
        for name, kind in LAYERS.items()
    }
    frames[WITHOUT_PLACE] = _table([f for f in report.findings if f.location is None], titles)
    return write_gpkg(frames, Path(path))


def _placed(findings: Sequence[Finding], kind: str, titles: Mapping[str, str], epsg: int) -> Any:
    import geopandas

    own = [f for f in findings if f.location is not None and f.location.geom_type == kind]
    geometry = geopandas.GeoSeries([f.location for f in own], crs=epsg)
    frame = geopandas.GeoDataFrame(_table(own, titles), geometry=geometry)
    frame.attrs["geometry_type"] = kind
    return frame


def _table(findings: Sequence[Finding], titles: Mapping[str, str]) -> Any:
    import pandas as pd

    rows = [_row(finding, titles[finding.layer]) for finding in findings]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.astype({"feature_count": "int64", "value": "float64"})


def _row(finding: Finding, title: str) -> list[Any]:
    ids = "、".join(finding.feature_ids[:_MOST_IDS])
    more = len(finding.feature_ids) - _MOST_IDS
    row: list[Any] = [
        finding.layer,
        title,
        finding.code,
        finding.title,
        finding.severity.value,
        finding.message,
        ids + (f" 等 {len(finding.feature_ids)} 个" if more > 0 else ""),
        len(finding.feature_ids),
        finding.value,
        finding.unit,
        finding.field or "",
        finding.advice,
    ]
    return [safe_text(value) for value in row]
