"""An outline that is offered must still comply when somebody reads it back from a file.

Coordinates are put on a millimetre grid and taken the way that GeoJSON takes them, nine decimals of
a degree, before they are judged; the margin is wider than both can move an edge.
"""

from __future__ import annotations

import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from gis.crs import geographic_code, to_lonlat, transform
from gis.model import Site

# Kept from marked land, m: twenty times the grid, below the 5 cm of a boundary point.
MARGIN_M = 0.02
_GRID_M = 0.001


def on_paper(outline: BaseGeometry) -> BaseGeometry:
    """Return the outline on a grid of millimetres, valid."""
    return shapely.set_precision(outline, _GRID_M)


def as_read(outline: BaseGeometry, site: Site) -> BaseGeometry:
    """Return the outline in the work CRS as it comes back from longitude/latitude."""
    epsg = site.crs.work_epsg
    return transform(shape(to_lonlat(outline, epsg)), geographic_code(epsg), epsg)
