"""How is a search for sites kept in a file? As a GeoPackage with the looks of the desk in QGIS."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gis import files
from gis.files import safe_cell
from gis.output import qgis
from gis.output.siting import hidden_layers, search_rows

if TYPE_CHECKING:
    from gis.plan.area import Plan
    from gis.siting import SiteSearch

_SITES, _LAND = "sites", "wuqu_land"


def write_search(
    search: SiteSearch, path: Path, plan: Plan, ceiling: str = "public"
) -> tuple[str, ...]:
    """Write a GeoPackage in the work CRS: ``sites``, which can be checked again, and ``wuqu_land``.

    Returns
    -------
    hidden
        Titles of the layers for whose sake the geometry was left out; empty when it is there.
    """
    import geopandas

    hidden = hidden_layers(search, plan, ceiling)
    frames = {}
    for name, is_land in ((_SITES, False), (_LAND, True)):
        own = [(g, p) for g, p in search_rows(search) if (p["role"] == "land") is is_land]
        if own:
            rows = [{key: safe_cell(value) for key, value in p.items()} for _, p in own]
            shapes = [None if hidden else g for g, _ in own]
            frames[name] = geopandas.GeoDataFrame(rows, geometry=shapes, crs=search.epsg)
    if _SITES in frames:
        looks = qgis.verdict_categories(frames[_SITES]["verdict"], hatched=False)
        label = '"name" || \'\\n\' || "verdict_label"'
        styles = {_SITES: qgis.categorized("verdict", looks, label)}
        frames[qgis.TABLE] = qgis.style_table(styles)
    files.write_gpkg(frames, path)
    return hidden
