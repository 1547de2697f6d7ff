"""How do a hundred thousand features become something that a browser opens at once?

Close views draw vector tiles (PMTiles, written by GDAL), simplified as one coverage so that no gap
opens between neighbours. From afar a parcel is a few pixels: there areas are one picture, which
costs the same however many they are. Both are for showing only: no area, share or verdict is ever
computed from them.
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
from gis.output.maps.frame import LeafletBounds
from gis.output.maps.png import Rgba, png_of

Array = np.ndarray[Any, Any]
Extent = tuple[float, float, float, float]  # west, south, east, north
LAYER = "a"  # the name of the one layer in an archive; large.js knows it
# A tile of level z is drawn over 512 pixels at zoom z + 1. Beyond the last level tiles are
# enlarged: their grid of half a metre is finer than a pixel up to zoom 18.
LAST_LEVEL, LAST_EXTENT, EXTENT = 13, 8192, 4096
_EARTH_M = 6_378_137.0
_WORLD_M = 2 * np.pi * _EARTH_M
_SCREEN_PIXELS = 360  # the farthest view shows everything on a phone
# The picture has two pixels for one of the screen at its closest zoom, as sharp screens have, but
# is never wider or higher than this: a phone must hold it.
_PICTURE_PIXELS = 3_000
# One tile holds all that lies in it: GDAL would otherwise leave features out without a word.
_NO_LIMIT = {"MAX_SIZE": 100_000_000, "MAX_FEATURES": 10_000_000}


@dataclass(frozen=True, slots=True)
class Archive:
    """The tiles of one level; the name is the hash of the content."""

    name: str
    content: bytes
    level: int


@dataclass(frozen=True, slots=True)
class Picture:
    """Areas from afar as a PNG; ``box`` in metres of Web Mercator."""

    name: str
    content: bytes
    box: Extent


def levels_of_lines(extent: Extent, work_epsg: int) -> range:
    """Return the levels that lines and points need: from all on a phone's screen to the last.

    Parameters
    ----------
    extent
        What the whole map shows, in the work CRS.
    work_epsg
        EPSG code of the work CRS.
    """
    west, south, east, north = shapely.total_bounds(
        to_mercator([shapely.geometry.box(*extent)], work_epsg)
    )
    side = max(east - west, north - south)
    first = int(np.floor(np.log2(_SCREEN_PIXELS / 512 * _WORLD_M / side)))
    return range(min(max(first, 0), LAST_LEVEL), LAST_LEVEL + 1)


def archives(
    shapes: Array,
    kinds: Sequence[int] | Array,
    texts: Mapping[str, Sequence[str]],
    tolerance_m: float,
    levels: range,
) -> tuple[Archive, ...]:
    """Return the tiles of features, one archive for each level, the farthest view first.

    Parameters
    ----------
    shapes
        Of one kind, in Web Mercator.
    kinds
        Number of the look of each feature, in the same order.
    texts
        Columns of cleaned texts in the same order; an empty text is not stored.
    tolerance_m
        How far the last level may leave the outlines, in metres of Web Mercator; the others leave
        them by a third of a pixel.
    levels
        The levels to write.
    """
    areas = np.isin(shapely.get_type_id(shapes), (3, 6)).all()
    coverage = bool(areas and shapely.coverage_is_valid(shapes))
    rows = {"k": np.asarray(kinds, dtype=np.int32)}
    rows |= {name: np.array([str(v) or None for v in column]) for name, column in texts.items()}
    result = []
    # Each level is made from the next closer one, which has far fewer points than the original.
    for level in reversed(levels):
        within_m = tolerance_m if level == LAST_LEVEL else _WORLD_M / 512 / 2**level / 3
        shapes = _simplified(shapes, within_m, coverage=coverage)
        keep = ~(shapely.is_empty(shapes) | shapely.is_missing(shapes))
        shapes = shapes[keep]
        rows = {name: values[keep] for name, values in rows.items()}
        content = _written(shapes, rows, level)
        result.append(Archive(f"{_digest(content)}.pmtiles", content, level))
    return tuple(reversed(result))


def picture(shapes: Array, kinds: Sequence[int] | Array, colours: Sequence[Rgba]) -> Picture:
    """Return areas as they look from afar: colours only, a pixel belongs to what has its middle.

    Parameters
    ----------
    shapes
        Polygons in Web Mercator; later ones lie over earlier ones.
    kinds
        Number of the colour of each, in the same order.
    colours
        At most 255; red, green, blue and opacity.
    """
    from rasterio import Affine
    from rasterio.features import rasterize

    west, south, east, north = (float(v) for v in shapely.total_bounds(shapes))
    pixel_m = max(_WORLD_M / 512 / 2**LAST_LEVEL, max(east - west, north - south) / _PICTURE_PIXELS)
    width, height = (max(1, int(np.ceil(s / pixel_m))) for s in (east - west, north - south))
    affine = Affine((east - west) / width, 0, west, 0, (south - north) / height, north)
    burned = ((s, int(k) + 1) for s, k in zip(shapes, kinds, strict=True) if not s.is_empty)
    cells = rasterize(burned, (height, width), transform=affine, dtype="uint8")
    content = png_of(cells[None], dict(enumerate(((0, 0, 0, 0), *colours))))
    return Picture(f"{_digest(content)}.png", content, (west, south, east, north))


def to_mercator(geometries: Sequence[Any] | Array, work_epsg: int) -> Array:
    """Return geometries of the work CRS as Leaflet will place them: degrees on a sphere, metres."""
    degrees = transform(
        shapely.GeometryCollection(list(geometries)), work_epsg, geographic_code(work_epsg)
    )

    def project(xy: Array) -> Array:
        north = np.log(np.tan(np.pi / 4 + np.radians(xy[:, 1]) / 2))
        return np.column_stack([np.radians(xy[:, 0]), north]) * _EARTH_M

    return np.asarray(shapely.get_parts(shapely.transform(degrees, project)))


def degrees_of(box: Extent) -> LeafletBounds:
    """Return a box of Web Mercator as south-west and north-east corner, latitude first."""
    west, south, east, north = (value / _EARTH_M for value in box)
    return (
        (float(np.degrees(np.arctan(np.sinh(south)))), float(np.degrees(west))),
        (float(np.degrees(np.arctan(np.sinh(north)))), float(np.degrees(east))),
    )


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _simplified(shapes: Array, tolerance_m: float, *, coverage: bool) -> Array:
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
