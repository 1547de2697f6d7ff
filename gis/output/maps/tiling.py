"""How do a hundred thousand features become something that a browser opens at once? PMTiles.

Writes vector tiles with GDAL, level by level: each is simplified as one coverage to a third of a
pixel, so that no gap opens between neighbours. Tiles are for showing
only: no area, share or verdict is ever computed from them.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from gis.crs import geographic_code, transform

Array = np.ndarray[Any, Any]
LAYER = "a"  # the name of the one layer in an archive; large.js knows it
# A tile of level z is drawn over 512 pixels at zoom z + 1. Beyond the last level tiles are
# enlarged: their grid of half a metre is finer than a pixel up to zoom 18.
LAST_LEVEL, LAST_EXTENT, EXTENT = 13, 8192, 4096
_EARTH_M = 6_378_137.0
_WORLD_M = 2 * np.pi * _EARTH_M
_SCREEN_PIXELS = 360  # the farthest view shows everything on a phone
TEXTS_FROM = 11  # farther away a parcel is a few pixels: its class is told, not its name
# One tile holds all that lies in it: GDAL would otherwise leave features out without a word.
_NO_LIMIT = {"MAX_SIZE": 100_000_000, "MAX_FEATURES": 10_000_000}


@dataclass(frozen=True, slots=True)
class Archive:
    """The tiles of one level; the name is the hash of the content."""

    name: str
    level: int
    content: bytes


def archives(
    geometries: Sequence[Any] | Array,
    kinds: Sequence[int] | Array,
    texts: Mapping[str, Sequence[str]],
    work_epsg: int,
    extent: tuple[float, float, float, float],
) -> tuple[Archive, ...]:
    """Return the tiles of features, one archive for each level, the farthest view first.

    Parameters
    ----------
    geometries
        Of one kind, in the work CRS.
    kinds
        Number of the look of each feature, in the same order.
    texts
        Columns of cleaned texts in the same order; an empty text is not stored.
    work_epsg
        EPSG code of the work CRS.
    extent
        West, south, east and north of the whole map in the work CRS: what the farthest view shows.
    """
    shapes = _mercator(np.asarray(geometries, dtype=object), work_epsg)
    areas = np.isin(shapely.get_type_id(shapes), (3, 6)).all()
    coverage = bool(areas and shapely.coverage_is_valid(shapes))
    rows = {"k": np.asarray(kinds, dtype=np.int32)}
    rows |= {name: np.array([str(v) or None for v in column]) for name, column in texts.items()}
    result = []
    # Each level is made from the next closer one, which has far fewer points than the original.
    for level in range(LAST_LEVEL, _first_level(extent, work_epsg) - 1, -1):
        shapes = _simplified(shapes, level, coverage=coverage)
        keep = ~(shapely.is_empty(shapes) | shapely.is_missing(shapes))
        shapes = shapes[keep]
        named = level >= TEXTS_FROM
        rows = {name: values[keep] for name, values in rows.items() if named or name == "k"}
        content = _written(shapes, rows, level)
        digest = hashlib.sha256(content).hexdigest()[:16]
        result.append(Archive(f"{digest}.pmtiles", level, content))
    return tuple(reversed(result))


def _first_level(extent: tuple[float, float, float, float], work_epsg: int) -> int:
    """Return the last level at which the whole map fits on the screen of a phone."""
    whole = _mercator(np.array([shapely.box(*extent)]), work_epsg)
    west, south, east, north = shapely.total_bounds(whole)
    side = max(east - west, north - south)
    level = int(np.floor(np.log2(_SCREEN_PIXELS / 512 * _WORLD_M / side)))
    return min(max(level, 0), LAST_LEVEL)


def _mercator(shapes: Array, work_epsg: int) -> Array:
    """Return the shapes as Leaflet will place them: CGCS2000 degrees on a sphere."""
    whole = shapely.GeometryCollection(list(shapes))
    degrees = transform(whole, work_epsg, geographic_code(work_epsg))

    def project(xy: Array) -> Array:
        north = np.log(np.tan(np.pi / 4 + np.radians(xy[:, 1]) / 2))
        return np.column_stack([np.radians(xy[:, 0]), north]) * _EARTH_M

    return np.asarray(shapely.get_parts(shapely.transform(degrees, project)))


def _simplified(shapes: Array, level: int, *, coverage: bool) -> Array:
    """Return the shapes for one level, without what is smaller than a third of a pixel."""
    if level == LAST_LEVEL:
        return shapes
    tolerance_m = _WORLD_M / 512 / 2**level / 3
    if coverage:
        return np.asarray(shapely.coverage_simplify(shapes, tolerance_m))
    return np.asarray(shapely.simplify(shapes, tolerance_m))


def _written(shapes: Array, columns: Mapping[str, Array], level: int) -> bytes:
    """Return the archive that GDAL writes; it needs a file."""
    import geopandas
    import pyogrio

    frame = geopandas.GeoDataFrame(columns, geometry=shapes, crs=3857)
    options = {
        "MINZOOM": level,
        "MAXZOOM": level,
        "EXTENT": LAST_EXTENT if level == LAST_LEVEL else EXTENT,
        "NAME": LAYER,
        **_NO_LIMIT,
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tiles.pmtiles"
        pyogrio.write_dataframe(frame, path, driver="PMTiles", layer=LAYER, dataset_options=options)
        return path.read_bytes()
