"""The rasters of a plan as pictures on its map: land cover by class, images in their own colours.

A picture for the eye: it is warped to the projection of the map and made smaller, so no pixel of it
is ever counted. What rasters say in numbers stands in the card, from ``gis.plan.landcover``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import folium
import numpy as np
from markupsafe import Markup

from gis.engine.index import Array
from gis.model import LayerState, may_show
from gis.output.maps.frame import LeafletBounds, image_overlay
from gis.output.maps.layers import list_name
from gis.output.maps.parts import Key
from gis.output.maps.png import png_of
from gis.output.maps.style import Look
from gis.output.maps.text import clean
from gis.plan.landcover import open_rasters
from gis.plan.raster.codes import fill_values

if TYPE_CHECKING:
    from gis.plan.area import Plan
    from gis.plan.raster.file import Raster

GROUP = "遥感影像与覆盖"
RASTER_PANE = ("wq-raster", 415)  # over the theme, under water and lines
# Enough for a projector; a county of 40 km then has a pixel of 30 m.
_LARGEST_PX = 1_400
_WEB_MERCATOR = 3857
_BLANK = 255
_NO_COLOUR = (150, 150, 150)
# The darkest and the brightest pixels, per cent, are left out when an image is stretched.
_STRETCH = (2, 98)
_STEP = 8
_SEEN = ("red", "green", "blue")


@dataclass(frozen=True, eq=False)
class Picture:
    """A raster as it stands on a map."""

    id: str
    title: Markup
    date: Markup
    keys: tuple[Key, ...]
    layer: folium.map.Layer


def raster_pictures(plan: Plan, ceiling: str, pane: str) -> list[Picture]:
    """Return the rasters that can be drawn and may be shown, switched off.

    Parameters
    ----------
    plan
        An opened plan.
    ceiling
        Highest secrecy that may leave.
    pane
        The pane of the map that they lie in.
    """
    found = []
    for raster in open_rasters(plan).values():
        entry = raster.entry
        if raster.state is not LayerState.CHECKED or not may_show(entry.secrecy, ceiling):
            continue
        drawn = _classes(raster) if entry.kind == "classes" else _image(raster)
        if drawn is None:
            continue
        png, bounds, keys = drawn
        day = entry.date.isoformat()
        name = list_name(entry.id, f"{entry.title} {day}", GROUP)
        found.append(
            Picture(
                id=entry.id,
                title=clean(entry.title),
                date=clean(day),
                keys=keys,
                layer=image_overlay(png, bounds, pane, name=name, show=False),
            )
        )
    return found


# --- pixels --------------------------------------------------------------------------------------


def _classes(raster: Raster) -> tuple[bytes, LeafletBounds, tuple[Key, ...]] | None:
    """Return a class raster in the colours of its table."""
    values, blank, bounds = _warped(raster, (1,))
    present = np.unique(values[0][~blank])
    if len(present) > _BLANK:
        return None  # no classes: more values than a legend has rows
    own = np.full(values.shape[1:], _BLANK, dtype=np.uint8)
    colours: dict[int, tuple[int, ...]] = {_BLANK: (0, 0, 0, 0)}
    keys = []
    for number, value in enumerate(present.tolist()):
        code = raster.codes.codes.get(float(value))
        colour = _rgb(code.colour) if code and code.colour else _NO_COLOUR
        colours[number] = (*colour, 255)
        own[(values[0] == value) & ~blank] = number
        name = code.name if code else f"未说明的值 {value:g}"
        look = Look("#8d8d80", 0.4, fill="#{:02x}{:02x}{:02x}".format(*colour), fill_opacity=0.85)
        keys.append(Key(clean(name), look, "area"))
    return png_of(own[None], colours), bounds, tuple(keys)


def _image(raster: Raster) -> tuple[bytes, LeafletBounds, tuple[Key, ...]] | None:
    """Return an image as people see it; one without red, green and blue is not drawn."""
    named = raster.entry.bands
    if not set(_SEEN) <= set(named):
        return None
    bands = tuple(named[b] for b in _SEEN)  # type: ignore[index]  # the names were just looked for
    values, blank, bounds = _warped(raster, bands)
    for fill in fill_values(raster, bands):  # the corners of a tilted image
        blank |= (values == fill).all(axis=0)
    if blank.all():
        return None
    shown = [_stretched(band, ~blank) for band in values]
    alpha = np.where(blank, 0, 255).astype(np.uint8)
    return png_of(np.stack([*shown, alpha])), bounds, ()


def _stretched(band: Array, seen: Array) -> Array:
    low, high = np.percentile(band[seen], _STRETCH)
    scaled = (band.astype(np.float64) - low) / max(float(high - low), 1e-9) * 255
    # Steps that no eye tells apart halve the file.
    stretched: Array = np.clip(scaled, 0, 255).astype(np.uint8) // _STEP * _STEP
    return stretched


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _warped(raster: Raster, bands: tuple[int, ...]) -> tuple[Array, Array, LeafletBounds]:
    """Return some bands in Web Mercator, where nothing is known, and the corners in degrees.

    The nearest pixel stands for each: between classes, or between ground and fill, there is nothing
    to average.
    """
    import rasterio
    from rasterio import Affine, warp

    form = raster.checked
    with rasterio.open(raster.path, driver="GTiff") as source:
        step = max(max(source.height, source.width) / _LARGEST_PX, 1.0)
        rows, cols = round(source.height / step), round(source.width / step)
        values = source.read(list(bands), out_shape=(len(bands), rows, cols))
        seen = source.read_masks(list(bands), out_shape=(len(bands), rows, cols)).min(axis=0)
        crs, bounds, own = source.crs, source.bounds, source.transform
        wide, high = source.width / cols, source.height / rows
    place = Affine(own.a * wide, own.b * high, own.c, own.d * wide, own.e * high, own.f)
    for number in {raster.entry.nodata, *(form.nodata[band - 1] for band in bands)} - {None}:
        seen[(values == number).any(axis=0)] = 0
    box = warp.transform_bounds(crs, _WEB_MERCATOR, *bounds)
    width, height = cols, max(1, round(cols * (box[3] - box[1]) / (box[2] - box[0])))
    goal = Affine((box[2] - box[0]) / width, 0, box[0], 0, (box[1] - box[3]) / height, box[3])
    how = {"src_transform": place, "src_crs": crs, "dst_transform": goal, "dst_crs": _WEB_MERCATOR}
    shown = np.zeros((len(bands), height, width), dtype=values.dtype)
    known = np.zeros((height, width), dtype=np.uint8)
    warp.reproject(values, shown, **how)
    warp.reproject(np.ascontiguousarray(seen), known, **how)
    blank = known == 0
    if shown.dtype.kind == "f":
        blank |= ~np.isfinite(shown).all(axis=0)
    west, south, east, north = warp.transform_bounds(_WEB_MERCATOR, 4326, *box)
    return shown, blank, ((south, west), (north, east))


def picture_groups(pictures: Iterable[Picture]) -> list[dict[str, Any]]:
    """Return the legend rows of the pictures, one section each."""
    return [
        {
            "title": f"{p.title} {p.date}",
            "rows": [{"layer": f"r-{p.id}", "key": key} for key in p.keys],
        }
        for p in pictures
        if p.keys
    ]
