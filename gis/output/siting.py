"""How does a search for sites leave the house? As JSON and as GeoJSON.

Land by class and outlines may show where a layer lies. Where one that shapes them is above the
secrecy ceiling, areas, verdicts and texts go out and coordinates do not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gis.crs import to_lonlat
from gis.model import may_show
from gis.siting import Candidate, SiteSearch
from gis.siting.answer import LandClass

if TYPE_CHECKING:
    from gis.plan.area import Plan


def hidden_layers(search: SiteSearch, plan: Plan, ceiling: str) -> tuple[str, ...]:
    """Return the titles of layers above the ceiling that land and outlines would show."""
    infos = (plan.layers[name].info for name in sorted(search.layers) if name in plan.layers)
    return tuple(info.title for info in infos if not may_show(info.secrecy, ceiling))


def search_document(
    search: SiteSearch, plan: Plan, ceiling: str = "public", *, land: bool = False
) -> dict[str, Any]:
    """Return the search as plain JSON values, without coordinates that may not leave.

    Parameters
    ----------
    search
        From ``find_sites`` on this plan.
    plan, ceiling
        Layers of the plan above the ceiling show no coordinates.
    land
        Whether each class of land has its ``geometry``, longitude/latitude.
    """
    document, hidden = search.to_dict(), hidden_layers(search, plan, ceiling)
    document["hidden_layers"] = list(hidden)
    if hidden:
        miss = document["nearest_miss"] or {"sites": []}
        for site in (*document["candidates"], *miss["sites"]):
            site["geometry"] = None
    if land:
        for row, own in zip(document["feasible"]["classes"], search.feasible.classes, strict=True):
            shown = not (hidden or own.geometry.is_empty)
            row["geometry"] = to_lonlat(own.geometry, search.epsg) if shown else None
    return document


def search_geojson(search: SiteSearch, plan: Plan, ceiling: str = "public") -> dict[str, Any]:
    """Return candidates, or near misses, and the land by class as one FeatureCollection.

    ``role`` tells ``candidate``, ``near_miss`` and ``land`` apart. What may not be shown keeps its
    properties and has no geometry.
    """
    hidden = bool(hidden_layers(search, plan, ceiling))
    features = [
        {
            "type": "Feature",
            "geometry": None if hidden else to_lonlat(geometry, search.epsg),
            "properties": properties,
        }
        for geometry, properties in search_rows(search)
    ]
    return {"type": "FeatureCollection", "features": features}


def search_rows(search: SiteSearch) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Yield outlines, then the land by class: geometry in the work CRS, and properties."""
    for site in search.sites:
        yield site.geometry, _of_site(site, search)
    for land in search.feasible.classes:
        if not land.geometry.is_empty:
            yield land.geometry, _of_land(land)


def _of_site(site: Candidate, search: SiteSearch) -> dict[str, Any]:
    """Return the properties of an outline; name and use make it a site to be checked again."""
    rows = {row.criterion.id: row.to_dict()["value"] for row in site.scores}
    return {
        "role": "candidate" if site.rank else "near_miss",
        "rank": site.rank,
        "name": site.name,
        "use": search.query.use,
        **search.query.attributes,
        "verdict": site.verdict.value,
        "verdict_label": site.verdict.label,
        "deciding_rule": site.check.deciding_rule,
        "score": round(site.score, 4),
        "area_mu": site.to_dict()["area_mu"],
        **rows,
        "costs": "；".join(f.title for f in site.costs),
        "against": "；".join(f.title for f in site.against),
        "digest": site.check.digest,
        "plan_status": search.plan["status"],
    }


def _of_land(land: LandClass) -> dict[str, Any]:
    row = land.to_dict()
    return {
        "role": "land",
        "class": land.id,
        "label": land.label,
        "area_mu": row["area_mu"],
        "rules": "；".join(rule.title for rule in land.rules),
    }
