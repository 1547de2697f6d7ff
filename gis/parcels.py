"""How much of each parcel lies on each layer of a plan? A table for a notebook, county-sized.

No rule is asked and nothing is decided; for that there is ``check_sites``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from gis.engine.areal import factors_at
from gis.engine.kernel import Mode
from gis.engine.overlaps import nearest, overlaps
from gis.errors import ClaimError, CrsError, GeometryError
from gis.plan import Plan, as_plan

if TYPE_CHECKING:
    import geopandas
    import pandas

# How far a line is looked for, metres.
REACH_M = 2_000.0


def overlap_table(
    sites: geopandas.GeoDataFrame,
    plan: Plan,
    *,
    tolerance_m2: float = 1.0,
    reach_m: float = REACH_M,
    mode: Mode = "kernel",
) -> pandas.DataFrame:
    """Return what each parcel shares with each layer of a plan, without building any overlap.

    Parameters
    ----------
    sites
        Polygons in any CRS that pyproj knows; they are brought into the work CRS of the plan.
    plan
        An opened plan package.
    tolerance_m2
        Planar m² that a parcel must have of a feature to count it.
    reach_m
        How far the nearest land edge of a line layer is looked for, metres.
    mode
        ``geos`` builds every overlap instead: the same numbers within 1e-5 m², slowly.

    Returns
    -------
    table
        One row for each parcel and layer that meet, in the order of the parcels and of the plan:
        ``site`` (index of the frame), ``layer`` (id), ``title``, ``area_m2`` on the ellipsoid of
        the work CRS, ``planar_m2``, ``share`` of the parcel (0-1), ``features`` more than grazed,
        ``whole``; and for a line layer in reach ``distance_m`` to the land edge and ``nearest``
        (feature id). Overlapping features count once. Ellipsoidal areas are exact to 0.1 ppm for
        parcels up to 8 km across.

    Raises
    ------
    CrsError
        The frame has no CRS.
    GeometryError
        A parcel is no valid polygon; its index is named.

    Examples
    --------
    >>> import geopandas
    >>> import gis
    >>> plan = gis.load_plan()
    >>> site = gis.read_site("data/samples/yizhong_xinxiao.txt", plan)
    >>> parcels = geopandas.GeoDataFrame(geometry=[site.geometry], crs=4548)
    >>> table = gis.overlap_table(parcels, plan)
    >>> table[table.layer == "zones"][["share", "whole"]].values.tolist()
    [[1.0, True]]
    """
    import pandas

    _check_call(sites, plan)
    outlines = _outlines(sites, plan)
    rows = [_areas(outlines, plan, tolerance_m2, mode), *_distances(outlines, plan, reach_m)]
    found = pandas.concat([pandas.DataFrame(row) for row in rows], ignore_index=True)
    found = found.sort_values(["site", "layer"], kind="stable", ignore_index=True)
    titles = np.array([layer.info.title for layer in plan.layers.values()], dtype=object)
    names = np.array(list(plan.layers), dtype=object)
    order = found["layer"].to_numpy(dtype=int)
    found["layer"] = names[order]
    found.insert(2, "title", titles[order])
    found["site"] = sites.index.to_numpy()[found["site"].to_numpy(dtype=int)]
    return found


def _check_call(sites: object, plan: object) -> None:
    """Raise ClaimError for what people hand in by mistake, before it fails far inside."""
    as_plan(plan)
    if not hasattr(sites, "to_crs"):
        raise ClaimError(
            f"sites 是 {type(sites).__name__}",
            expected="GeoDataFrame",
            advice="先写 geopandas.GeoDataFrame(geometry=[…], crs=plan.work_epsg)",
        )


def _outlines(sites: geopandas.GeoDataFrame, plan: Plan) -> np.ndarray[Any, Any]:
    if sites.crs is None:
        raise CrsError(
            "地块表没有坐标系",
            expected="带坐标系的 GeoDataFrame",
            advice="先用 set_crs 说明坐标系",
        )
    shapes = sites.geometry.to_crs(plan.work_epsg).to_numpy()
    sound = shapely.is_valid(shapes) & (shapely.area(shapes) > 0)
    sound &= np.isin(shapely.get_type_id(shapes), (3, 6))  # Polygon, MultiPolygon
    if not sound.all():
        at = sites.index[int(np.flatnonzero(~sound)[0])]
        raise GeometryError(
            f"第 {at} 行不是有效的面，共 {int((~sound).sum())} 行",
            expected="有效的面图形",
            advice="用 shapely.make_valid 修复，或先去掉这些行",
        )
    return np.asarray(shapes, dtype=object)


def _areas(outlines: Any, plan: Plan, tolerance_m2: float, mode: Mode) -> dict[str, Any]:
    found = overlaps(outlines, plan.stack, tolerance_m2=tolerance_m2, mode=mode)
    area = found.area * factors_at(plan.work_epsg, found.x, found.y)
    centres = shapely.get_coordinates(shapely.centroid(outlines))
    sites = shapely.area(outlines) * factors_at(plan.work_epsg, *centres.T)
    share = np.where(found.whole, 1.0, np.minimum(area / sites[found.site], 1.0))
    return {
        "site": found.site,
        "layer": _places(plan)[found.layer],
        "area_m2": np.where(found.whole, sites[found.site], area),
        "planar_m2": found.area,
        "share": share,
        "features": found.features,
        "whole": found.whole,
    }


def _distances(outlines: Any, plan: Plan, reach_m: float) -> list[dict[str, Any]]:
    rows = []
    for number, name in enumerate(plan.stack.ids):
        layer = plan.layers[name].index
        if layer.info.geometry == "line" and len(layer):
            found = nearest(outlines, plan.stack.lines(number), reach_m=reach_m)
            near = np.flatnonzero(found.feature >= 0)
            rows.append(
                {
                    "site": near,
                    "layer": np.full(len(near), _places(plan)[number]),
                    "distance_m": found.distance[near],
                    "nearest": layer.ids[found.feature[near]],
                }
            )
    return rows


def _places(plan: Plan) -> np.ndarray[Any, Any]:
    """Return for each layer of the stack its place in the plan."""
    order = list(plan.layers)
    return np.array([order.index(name) for name in plan.stack.ids], dtype=int)
