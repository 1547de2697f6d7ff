"""What share of polygons does a raster show as a class, or above the threshold of an index?

Measures; it knows no plan. Shares are of the ground that the raster really shows (``valid``);
what it does not show is stated beside them, and the parts add up to the whole polygon.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from gis.engine.index import Array
from gis.engine.raster import Counter, Tally, exact_rule
from gis.engine.spectral import Threshold
from gis.plan.raster import codes as pixel
from gis.plan.raster.codes import ClassCoder, IndexReader, index_reader
from gis.plan.raster.file import Pixels, Raster, read_pixels
from gis.plan.raster.place import CrsLike, Placed, Polygons, place, take_polygons
from gis.plan.raster.table import RasterCode
from gis.plan.raster.threshold import find_threshold

Rule = Literal["pixel_centre", "exact_coverage"]
# What is left of a whole after its parts are taken away may be rounding.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Seen:
    """How much of a polygon the raster shows; the four shares add up to 1.

    ``nodata_share`` is what file or plan declare as no data and what lies beyond the raster
    (``outside_share``). ``fill_share`` is unmarked fill, most of it with the number
    ``fill_value``. ``unexplained_share`` are values without meaning: codes that no table explains,
    pixels whose index is undefined.
    """

    valid_share: float
    nodata_share: float
    outside_share: float
    fill_share: float
    unexplained_share: float
    fill_value: float | None = None


@dataclass(frozen=True, slots=True)
class ClassShare:
    """One class in a polygon: pixels, m² on the ellipsoid, share of the valid ground."""

    value: float
    name: str
    colour: str
    counted_as: str
    pixels: float
    area_m2: float
    share: float


@dataclass(frozen=True, slots=True)
class UnknownValue:
    """A value that nothing explains: pixels, and share of the whole polygon."""

    value: float
    pixels: float
    share: float


@dataclass(frozen=True, slots=True)
class CoverShares:
    """Classes of a class raster in one polygon; sorted by value, unknown values apart."""

    m2: float
    rule: Rule
    seen: Seen
    classes: tuple[ClassShare, ...]
    unknown: tuple[UnknownValue, ...]

    @property
    def has_data(self) -> bool:
        """Whether anything valid was seen; shares are None otherwise."""
        return self.seen.valid_share > 0

    def share_of(self, counted_as: str) -> float | None:
        """Return the share of the valid ground that counts as green or as water."""
        if not self.has_data:
            return None
        return math.fsum(c.share for c in self.classes if c.counted_as == counted_as)

    @property
    def share(self) -> float | None:
        """The share of the valid ground that counts as green or water."""
        if not self.has_data:
            return None
        return math.fsum(c.share for c in self.classes if c.counted_as)


@dataclass(frozen=True, slots=True)
class IndexShare:
    """What lies above the threshold of an index in one polygon.

    ``share`` is of the valid ground, None when nothing valid is seen. ``saturated_pixels`` are
    valid pixels in which a band is at the end of its range; their index is too low or too high.
    """

    m2: float
    rule: Rule
    seen: Seen
    index: str
    threshold: float
    method: str
    separability: float | None
    area_m2: float
    share: float | None
    saturated_pixels: float


def class_shares(
    raster: Raster, polygons: Any, *, crs: CrsLike = None, exact: bool | None = None
) -> tuple[CoverShares, ...]:
    """Return the classes of a class raster in each polygon, in the order of the polygons.

    Parameters
    ----------
    raster
        A class raster.
    polygons, crs
        A frame with a CRS, or polygons and their CRS; it need not be the raster's.
    exact
        True for exact coverage of pixels, False for pixel centres; by default by size.

    Raises
    ------
    PlanError
        The raster cannot be used, or is no class raster.
    CrsError, GeometryError
        The polygons have no CRS, cannot be moved to the raster's, or are not valid.
    """
    counted = count_classes(raster, take_polygons(polygons, crs), exact=exact)
    return tuple(_cover(raster, counted, n) for n in range(len(counted.polygons.shapes)))


def index_shares(
    raster: Raster,
    polygons: Any,
    *,
    crs: CrsLike = None,
    index: str = "ndvi",
    threshold: float | Literal["otsu"] | None = None,
    exact: bool | None = None,
) -> tuple[IndexShare, ...]:
    """Return the share above the threshold of an index in each polygon.

    Parameters
    ----------
    raster
        An image.
    polygons, crs, exact
        See ``class_shares``.
    index
        ``ndvi`` or ``ndwi``.
    threshold
        A number, or ``otsu``: found from all valid pixels of the image. By default what
        ``plan.toml`` says; else 0 for NDWI (McFeeters 1996) and Otsu for NDVI, for which nobody
        has published a number that holds everywhere.

    Raises
    ------
    NotFoundError
        The image has no bands for the index.
    ClaimError
        The threshold is not between -1 and 1.
    PlanError, CrsError, GeometryError
        See ``class_shares``.
    """
    taken = take_polygons(polygons, crs)
    reader = index_reader(raster, index)
    found, method = find_threshold(reader, index, threshold)
    counted = _count(
        raster, taken, reader.bands, lambda pixels: reader.codes(pixels, found.value), exact
    )
    return tuple(
        _indicator(reader, counted, n, index, found, method) for n in range(len(taken.shapes))
    )


# --- counting ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Counted:
    """Codes counted in polygons, and for class rasters the values behind codes from 1."""

    polygons: Polygons
    placed: Placed
    tally: Tally
    values: tuple[float, ...] = ()

    def amounts(self, polygon: int) -> dict[int, float]:
        """Return the pixels of each code in one polygon."""
        own = ((code, float(areas[polygon])) for code, areas in self.tally.areas.items())
        return {code: amount for code, amount in own if amount > 0}

    def total(self, polygon: int) -> float:
        """Return the pixels of the whole polygon."""
        return float(self.tally.total[polygon])

    def m2_per_pixel(self, polygon: int) -> float:
        """Return the m² on the ellipsoid of a pixel there."""
        return float(self.placed.m2_per_unit[polygon])

    def rule(self, polygon: int) -> Rule:
        """Return how pixels on the border were counted."""
        return "exact_coverage" if self.tally.exact[polygon] else "pixel_centre"


def count_classes(raster: Raster, polygons: Polygons, *, exact: bool | None = None) -> Counted:
    """Return the codes of a class raster counted in polygons."""
    _ = raster.codes  # pixels without meaning are not counted
    coder = ClassCoder(raster.checked.dtype)
    counted = _count(raster, polygons, (1,), coder.encode, exact)
    return Counted(counted.polygons, counted.placed, counted.tally, tuple(coder.values))


def _count(
    raster: Raster,
    polygons: Polygons,
    bands: tuple[int, ...],
    codes: Callable[[Pixels], Array],
    exact: bool | None,
) -> Counted:
    form = raster.checked
    placed = place(polygons, form.grid, form.crs)
    chosen = exact_rule(placed.shapes) if exact is None else np.full(len(placed.shapes), exact)
    counting = Counter(form.grid, placed.edges, chosen, placed.weights)
    for pixels in read_pixels(raster, bands, needed=counting.needed):
        counting.add(pixels.window, codes(pixels))
    return Counted(polygons, placed, counting.result())


# --- results -------------------------------------------------------------------------------------


def _cover(raster: Raster, counted: Counted, n: int) -> CoverShares:
    table, per_pixel, total = raster.codes, counted.m2_per_pixel(n), counted.total(n)
    known: list[tuple[float, RasterCode, float]] = []
    unknown: list[tuple[float, float]] = []
    amounts = counted.amounts(n)
    nodata = amounts.pop(pixel.NO_DATA, 0.0)
    for code, amount in amounts.items():
        value = counted.values[code - 1]
        meaning = table.codes.get(value)
        if meaning is None:
            unknown.append((value, amount))
        else:
            known.append((value, meaning, amount))
    valid = math.fsum(amount for _, _, amount in known)
    classes = [
        ClassShare(v, m.name, m.colour, m.counted_as, amount, amount * per_pixel, amount / valid)
        for v, m, amount in sorted(known, key=lambda row: row[0])
    ]
    others = [UnknownValue(value, amount, amount / total) for value, amount in sorted(unknown)]
    seen = _seen(total, valid, math.fsum(amount for _, amount in unknown), nodata, counted, n)
    m2 = float(counted.polygons.m2[n])
    return CoverShares(m2, counted.rule(n), seen, tuple(classes), tuple(others))


def _indicator(
    reader: IndexReader, counted: Counted, n: int, index: str, found: Threshold, method: str
) -> IndexShare:
    amounts, total = counted.amounts(n), counted.total(n)
    above = math.fsum(amounts.get(c, 0.0) for c in (pixel.ABOVE, pixel.ABOVE_SATURATED))
    below = math.fsum(amounts.get(c, 0.0) for c in (pixel.BELOW, pixel.BELOW_SATURATED))
    saturated = (pixel.BELOW_SATURATED, pixel.ABOVE_SATURATED)
    fills = {
        fill: amounts[pixel.FIRST_FILL + i]
        for i, fill in enumerate(reader.fills)
        if pixel.FIRST_FILL + i in amounts
    }
    valid = above + below
    return IndexShare(
        m2=float(counted.polygons.m2[n]),
        rule=counted.rule(n),
        seen=_seen(
            total,
            valid,
            amounts.get(pixel.UNDEFINED, 0.0),
            amounts.get(pixel.NO_DATA, 0.0),
            counted,
            n,
            fills,
        ),
        index=index,
        threshold=found.value,
        method=method,
        separability=found.separability,
        area_m2=above * counted.m2_per_pixel(n),
        share=above / valid if valid > 0 else None,
        saturated_pixels=math.fsum(amounts.get(c, 0.0) for c in saturated),
    )


def _seen(
    total: float,
    valid: float,
    unexplained: float,
    marked: float,
    counted: Counted,
    n: int,
    fills: dict[float, float] | None = None,
) -> Seen:
    """Return the parts of the whole polygon as shares that add up to 1."""
    if not total > 0:  # no pixel centre lies in it: nothing is seen, and all of it is no data
        return Seen(0.0, 1.0, 0.0, 0.0, 0.0)
    fills = fills or {}
    outside = float(counted.tally.outside[n]) / total
    outside = outside if outside > _ROUNDING else 0.0
    nodata = marked / total + outside
    return Seen(
        valid_share=min(valid / total, 1.0),
        nodata_share=nodata,
        outside_share=outside,
        fill_share=math.fsum(fills.values()) / total,
        unexplained_share=unexplained / total,
        fill_value=max(fills, key=lambda f: fills[f]) if fills else None,
    )
