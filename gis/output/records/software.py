"""Which software does a number in a record rest on?"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib import metadata


@lru_cache(maxsize=1)
def software_versions() -> Mapping[str, str]:
    """Return the versions that a number in a record rests on: wuqu, GEOS, PROJ, GDAL."""
    import pyogrio
    import pyproj
    import shapely

    try:
        own = metadata.version("wuqu")
    except metadata.PackageNotFoundError:  # a plain checkout that was never installed
        own = "unknown"
    return {
        "wuqu": own,
        "geos": shapely.geos_version_string,
        "proj": pyproj.proj_version_str,
        "gdal": pyogrio.__gdal_version_string__,
    }
