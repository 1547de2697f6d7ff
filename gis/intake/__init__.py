"""What comes in: candidate sites from the files that people send.

GeoJSON, WKT, boundary-point TXT, tables (Excel, CSV), KML, GeoPackage, DXF, and zips with
shapefiles, geodatabases or several of these.

One door, :func:`gis.intake.read.read_site`; every file behind it knows one format or one question.
Content is recognised by content, never by name. Nothing is ever fetched, and GDAL meets files from
outside only in a child process that can be killed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gis.intake.read import read_site, read_sites

__all__ = ["read_site", "read_sites"]


def __getattr__(name: str) -> Any:
    # Lazy, so that the writers can be imported without the readers.
    if name in __all__:
        from gis.intake import read

        return getattr(read, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
