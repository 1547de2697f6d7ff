"""How far does an index move between the dates of a series?

One image is one day: fields are green in April and bare in June. So a series is answered with its
range, the dates of its ends and its median, never with one value. Dates on which too little of the
ground is seen are listed and not used. Thresholds that differ between the dates are said.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from gis.errors import CrsError, PlanError
from gis.model import LayerState
from gis.plan.raster.file import Raster
from gis.plan.raster.place import CrsLike, take_polygons
from gis.plan.raster.share import IndexShare, index_shares

VALID_LIMIT = 0.8


@dataclass(frozen=True, slots=True)
class Dated:
    """One image of a series; ``used`` says whether it counts for the range, ``reason`` why not.

    ``threshold`` is that of the image, None when it could not be measured.
    """

    raster: str
    date: date
    share: float | None
    valid_share: float
    used: bool
    reason: str = ""
    threshold: float | None = None


@dataclass(frozen=True, slots=True)
class SeriesRange:
    """The dates of a series in order, and the range of the used ones."""

    series: str
    index: str
    valid_limit: float
    dates: tuple[Dated, ...]

    @property
    def used(self) -> tuple[Dated, ...]:
        """The dates that count."""
        return tuple(d for d in self.dates if d.used)

    @property
    def lowest(self) -> Dated | None:
        """The date of the smallest share, the first of equals; None when no date counts."""
        return min(self.used, key=lambda d: (d.share or 0.0, d.date), default=None)

    @property
    def highest(self) -> Dated | None:
        """The date of the largest share, the first of equals."""
        return min(self.used, key=lambda d: (-(d.share or 0.0), d.date), default=None)

    @property
    def is_comparable(self) -> bool:
        """Whether one threshold holds on all used dates; else the range is not that of the ground.

        Otsu divides every image in two, also one that is green all over.
        """
        return len({d.threshold for d in self.used}) < 2

    @property
    def median(self) -> float | None:
        """The median share of the used dates."""
        shares = [d.share for d in self.used if d.share is not None]
        return statistics.median(shares) if shares else None


def dated(raster: Raster, found: IndexShare, valid_limit: float = VALID_LIMIT) -> Dated:
    """Return the share of one image as a date of its series."""
    valid = found.seen.valid_share
    used = found.share is not None and valid >= valid_limit
    reason = "" if used else f"有效像元 {valid:.1%}，低于 {valid_limit:.0%}"
    day = raster.entry.date
    return Dated(raster.entry.id, day, found.share, valid, used, reason, found.threshold)


def unusable(raster: Raster, reason: str) -> Dated:
    """Return an image that could not be measured as a date of its series."""
    return Dated(raster.entry.id, raster.entry.date, None, 0.0, False, reason)


def series_range(
    series: str, index: str, dates: Sequence[Dated], valid_limit: float = VALID_LIMIT
) -> SeriesRange:
    """Return the range of the dates, sorted by date."""
    return SeriesRange(
        series, index, valid_limit, tuple(sorted(dates, key=lambda d: (d.date, d.raster)))
    )


def series_ranges(
    rasters: Sequence[Raster],
    polygons: Any,
    *,
    crs: CrsLike = None,
    index: str = "ndvi",
    threshold: float | Literal["otsu"] | None = None,
    valid_limit: float = VALID_LIMIT,
) -> tuple[SeriesRange, ...]:
    """Return the range of an index over the images of a series, for each polygon.

    Parameters
    ----------
    rasters
        The images of one series; one that cannot be read is listed with the reason.
    polygons, crs, index, threshold
        See ``gis.plan.raster.share.index_shares``.
    valid_limit
        Share of a polygon that must be seen for a date to count.
    """
    taken = take_polygons(polygons, crs)
    count = len(taken.shapes)
    dates: list[list[Dated]] = [[] for _ in range(count)]
    for raster in rasters:
        try:
            found = index_shares(raster, taken, index=index, threshold=threshold)
            rows = [dated(raster, share, valid_limit) for share in found]
        except (PlanError, CrsError) as problem:
            reason = raster.reason if raster.state is not LayerState.CHECKED else problem.found
            rows = [unusable(raster, reason)] * count
        for own, row in zip(dates, rows, strict=True):
            own.append(row)
    name = next((r.entry.series for r in rasters if r.entry.series), "")
    return tuple(series_range(str(name), index, own, valid_limit) for own in dates)
