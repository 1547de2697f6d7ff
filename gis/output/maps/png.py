"""Arrays as PNG: the one place that writes pictures; nothing from outside is ever read here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gis.engine.index import Array

Rgba = tuple[int, int, int, int]


def png_of(bands: Array, colours: Mapping[int, Sequence[int]] | None = None) -> bytes:
    """Return 8-bit bands (bands, rows, columns) as a PNG, one band with a table of colours."""
    from rasterio import Affine
    from rasterio.io import MemoryFile

    count, height, width = bands.shape
    form = {"width": width, "height": height, "count": count, "dtype": "uint8"}
    # A place of its own, because a picture without any is warned of.
    place = Affine(1, 0, 0, 0, -1, height)
    with MemoryFile() as memory:
        with memory.open(driver="PNG", transform=place, **form) as target:
            target.write(bands)
            if colours:
                target.write_colormap(1, {k: tuple(v) for k, v in colours.items()})
        return bytes(memory.read())
