"""One file per engine; each has ``ENGINE``. What is not installed is said by name when it loads."""

from __future__ import annotations

import importlib

from job import Engine

MODULES = {
    "wuqu-kernel": "wuqu",
    "wuqu-geos": "wuqu",
    "shapely-tuned": "shapely_tuned",
    "geos-floor": "shapely_tuned",
    "geopandas-overlay": "geopandas_overlay",
    "geopandas-sjoin": "geopandas_sjoin",
    "duckdb-spatial": "duckdb_spatial",
    "sedonadb": "sedona",
    "postgis": "postgis",
}


def engine(name: str) -> Engine:
    """Return an engine by name; its libraries are imported when it loads."""
    module = importlib.import_module(f"peers.{MODULES[name]}")
    found: Engine = module.ENGINES[name]
    return found
