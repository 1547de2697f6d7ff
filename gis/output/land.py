"""Which land classes lie inside the checked sites? Pieces of the plan's land layers, to be drawn.

For a desktop program only: the figures of a check stand in its evidence, which counts land once
where features overlap; the pieces here are as the layer draws them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import shapely

from gis.crs import ellipsoidal_areas
from gis.files import safe_text
from gis.output.maps import style
from gis.output.maps.visible import drawable

if TYPE_CHECKING:
    from gis.plan.area import Plan

# Role -> is it surveyed land (codes of 三调), or planned land (codes of 2023)?
_ROLES = {"landuse": True, "planned_use": False}


def land_frames(sites: Any, plan: Plan, ceiling: str = "public") -> dict[str, Any]:
    """Return a frame of land-class pieces for each land layer that may be shown.

    Parameters
    ----------
    sites
        GeoDataFrame with column ``name``, in the work CRS of the plan.
    plan, ceiling
        Layers above the ceiling are left out.

    Returns
    -------
    frames
        ``wuqu_land_`` and the layer id, to a GeoDataFrame with ``site``, ``cls``,
        ``name``, ``group``, ``group_name`` and ``area_m2`` (ellipsoidal); without those that have
        no piece.
    """
    found = {}
    for role, survey in _ROLES.items():
        for layer in drawable(plan, role, ceiling):
            frame = _pieces(sites, layer.frame, plan.work_epsg, survey=survey)
            if frame is not None:
                found[f"wuqu_land_{layer.info.id}"] = frame
    return found


def _pieces(sites: Any, land: Any, epsg: int, *, survey: bool) -> Any:
    import geopandas as gpd

    shapes = land.geometry.to_numpy()
    whose, which = shapely.STRtree(shapes).query(sites.geometry.to_numpy(), predicate="intersects")
    cut = shapely.intersection(sites.geometry.to_numpy()[whose], shapes[which])
    areal = [_areal(piece) for piece in cut]
    kept = [n for n, piece in enumerate(areal) if piece is not None]
    if not kept:
        return None
    outlines = [areal[n] for n in kept]
    rows = land.iloc[which[kept]]
    codes = [str(code or "") for code in rows["cls"]]
    groups = [style.land_class(code, survey=survey) for code in codes]
    columns = {
        "site": [safe_text(name) for name in sites["name"].iloc[whose[kept]]],
        "cls": [safe_text(code) for code in codes],
        "name": [safe_text(str(name or "")) for name in rows["name"]],
        "group": [code for code, _, _ in groups],
        "group_name": [name for _, name, _ in groups],
        "area_m2": ellipsoidal_areas(_array(outlines), epsg).round(2),
    }
    return gpd.GeoDataFrame(columns, geometry=outlines, crs=epsg)


def _areal(piece: Any) -> Any:
    """Return the polygons of an intersection, None when it has none: a touch is no piece."""
    parts = [p for p in shapely.get_parts(piece, return_index=False) if p.geom_type == "Polygon"]
    areas = [p for p in parts if p.area > 0]
    return shapely.multipolygons(areas) if areas else None


def _array(shapes: list[Any]) -> Any:
    import numpy as np

    return np.array(shapes, dtype=object)
