"""What does a text say about its coordinates: an EPSG code, a datum by name, or a web map?

Used for the option ``crs`` and for what files write in words. It never looks at a coordinate, and
names nothing that is not written there.
"""

from __future__ import annotations

from collections.abc import Iterable

from gis.crs import CGCS2000, parse_epsg
from gis.intake.draft import Declared, Trace
from gis.webmap import named_shift, named_shifts


def declared_by(text: str | int) -> Declared:
    """Return what a name of a CRS says: an EPSG code in any spelling, or GCJ-02 or BD-09.

    Raises
    ------
    CrsError
        The text names neither, or an old Chinese datum.
    """
    shift = named_shift(str(text)[:60])
    if shift:
        return Declared((CGCS2000,), shift, shift)
    epsg = parse_epsg(str(text)[:60])
    return Declared((epsg,), f"EPSG:{epsg}")


def traced(texts: Iterable[str], *, where: str) -> Trace | None:
    """Return why an outline in degrees may come from a web map, judged by words beside it.

    ``where`` names the texts for people: 文件名, 文件说明 …. A file that mentions such a map may
    still hold true positions, so both readings stay possible.
    """
    shifts = tuple(dict.fromkeys(s for text in texts for s in named_shifts(text[:2000])))
    if not shifts:
        return None
    return Trace(f"{where}提到网络地图（{'、'.join(shifts)}），坐标可能有偏移", shifts)
