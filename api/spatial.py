"""Which features of a layer lie in a box, as GeoJSON in longitude and latitude?

Pages through a layer in the order of its ids. Nothing is measured, and nothing decides whether a
layer may be shown; the router has done so.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import shapely

from gis.crs import geographic_code, to_lonlat, transform
from gis.errors import ClaimError

Box = tuple[float, float, float, float]
# Sides of a box in degrees are curves in the work CRS; short pieces follow them.
_DENSIFY_DEG = 0.05


def parse_bbox(text: str) -> Box:
    """Return ``west,south,east,north`` in degrees; raise ClaimError for anything else."""
    parts = text.split(",")
    try:
        west, south, east, north = (float(part) for part in parts)
    except ValueError:
        west = south = east = north = math.nan
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise ClaimError(
            f"参数 bbox 为“{text[:80]}”",
            expected="西,南,东,北 四个经纬度（度），如 115.9,36.3,116.0,36.4",
            advice="核对顺序：先经度后纬度",
        )
    return west, south, east, north


def features_of(
    frame: Any, work_epsg: int, *, box: Box | None, limit: int, offset: int
) -> dict[str, Any]:
    """Return one page of features and how many match in all.

    Parameters
    ----------
    frame
        The features of a layer in the work CRS, sorted by id.
    box
        Degrees; features whose own box meets it match.
    """
    at = np.arange(len(frame)) if box is None else _meeting(frame, work_epsg, box)
    page = frame.iloc[at[offset : offset + limit]]
    features = [_feature(row, work_epsg) for row in page.itertuples()]
    return {"numberMatched": len(at), "features": features}


def _meeting(frame: Any, work_epsg: int, box: Box) -> Any:
    lonlat = geographic_code(work_epsg)
    # A box far outside the zone has no image in the work CRS, so the layer comes to the box.
    edges = shapely.box(*frame.total_bounds)
    around = transform(edges.segmentize(edges.length / 64), work_epsg, lonlat).buffer(1e-6)
    wanted = shapely.box(*box).intersection(around)
    if wanted.is_empty:
        return np.arange(0)
    west, south, east, north = transform(wanted.segmentize(_DENSIFY_DEG), lonlat, work_epsg).bounds
    bounds = shapely.bounds(frame.geometry.to_numpy())
    meets = (bounds[:, 0] <= east) & (bounds[:, 2] >= west)
    return np.flatnonzero(meets & (bounds[:, 1] <= north) & (bounds[:, 3] >= south))


def _feature(row: Any, work_epsg: int) -> dict[str, Any]:
    properties = {"class": row.cls, "name": row.name}
    if row.half_width and math.isfinite(row.half_width):
        properties["half_width"] = row.half_width
    return {
        "type": "Feature",
        "id": row.id,
        "properties": properties,
        "geometry": to_lonlat(row.geometry, work_epsg),
    }
