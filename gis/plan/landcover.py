"""What do the plan's rasters say of its areas: land cover, and indices of dated images?

A remote-sensing share is a separate, dated indicator. It is never the planned share of green and
water: it has another definition, another date, and changes with the season. So every answer carries
its kind, its date, its definition and how much of the area was seen at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from weakref import WeakKeyDictionary

from shapely.geometry.base import BaseGeometry

from gis.crs import crs_of
from gis.errors import CrsError, NotFoundError, PlanError
from gis.model import LayerState, Site
from gis.plan.areas import PlanArea, find_area, plan_areas
from gis.plan.raster import print as raster_print
from gis.plan.raster.agreement import Agreement, vector_agreement
from gis.plan.raster.codes import available_indices
from gis.plan.raster.file import Raster, find_raster, open_rasters
from gis.plan.raster.place import Polygons
from gis.plan.raster.series import (
    VALID_LIMIT,
    Dated,
    SeriesRange,
    dated,
    series_range,
    series_ranges,
    unusable,
)
from gis.plan.raster.share import CoverShares, IndexShare, class_shares, index_shares

if TYPE_CHECKING:
    from gis.plan.area import Plan

__all__ = [
    "Indicator",
    "LandCover",
    "cover_by_area",
    "index_by_area",
    "index_series",
    "index_share",
    "open_rasters",
    "raster_rows",
    "raster_share",
]

AreaLike = str | Site | BaseGeometry | PlanArea | None
Threshold = float | Literal["otsu"] | None


@dataclass(frozen=True, slots=True)
class LandCover:
    """The classes of a class raster in an area; ``shares.share`` is its green and water."""

    raster: Raster
    area: PlanArea
    shares: CoverShares
    kind: Literal["landcover"] = "landcover"

    @property
    def definition(self) -> str:
        """What counts as green and as water, in Chinese."""
        return self.raster.table.definition if self.raster.table else ""


@dataclass(frozen=True, slots=True)
class Indicator:
    """The share of an area above the threshold of an index on one date."""

    raster: Raster
    area: PlanArea
    shares: IndexShare
    kind: Literal["indicator"] = "indicator"

    @property
    def sentence(self) -> str:
        """What the number is, and what it is not."""
        return raster_print.index_sentence(self.shares.index, self.raster.entry.date)


def raster_share(
    plan: Plan, raster_id: str, area: AreaLike = None, *, exact: bool | None = None
) -> LandCover:
    """Return the classes of a class raster in one area.

    Parameters
    ----------
    plan
        An opened plan package.
    raster_id
        Id of a class raster of the plan.
    area
        See ``gis.plan.areas.find_area``.
    exact
        See ``gis.plan.raster.share.class_shares``.

    Raises
    ------
    NotFoundError
        The plan has no such raster or area.
    PlanError
        The raster has no data, cannot be used, or is no class raster.

    Examples
    --------
    >>> import gis
    >>> plan = gis.load_plan()
    >>> cover = gis.raster_share(plan, "landcover", "core")
    >>> next((c.name, round(c.share, 4)) for c in cover.shares.classes if c.counted_as == "water")
    ('水体', 0.1355)
    """
    return cover_by_area(plan, raster_id, [area], exact=exact)[0]


def cover_by_area(
    plan: Plan,
    raster_id: str,
    areas: Iterable[AreaLike] | None = None,
    *,
    exact: bool | None = None,
) -> tuple[LandCover, ...]:
    """Return the classes of a class raster in several areas, the raster read once.

    By default in every named area of the plan: outlines, towns and zones. See ``raster_share``.
    """
    raster, chosen = find_raster(plan, raster_id), _areas(plan, areas)
    found = class_shares(raster, _polygons(plan, chosen), exact=exact)
    return tuple(LandCover(raster, a, f) for a, f in zip(chosen, found, strict=True))


def index_share(
    plan: Plan,
    raster_id: str,
    area: AreaLike = None,
    *,
    index: str = "ndvi",
    threshold: Threshold = None,
    exact: bool | None = None,
) -> Indicator:
    """Return the share of one area above the threshold of an index.

    Parameters
    ----------
    plan, raster_id, area
        See ``raster_share``; the raster is an image.
    index, threshold, exact
        See ``gis.plan.raster.share.index_shares``.

    Raises
    ------
    NotFoundError
        The plan has no such raster or area, or the image no bands for the index.
    PlanError
        The raster has no data or cannot be used.
    ClaimError
        The threshold is not between -1 and 1.
    """
    return index_by_area(plan, raster_id, [area], index=index, threshold=threshold, exact=exact)[0]


def index_by_area(
    plan: Plan,
    raster_id: str,
    areas: Iterable[AreaLike] | None = None,
    *,
    index: str = "ndvi",
    threshold: Threshold = None,
    exact: bool | None = None,
) -> tuple[Indicator, ...]:
    """Return the share of several areas above one threshold, the image read once.

    By default of every named area of the plan. See ``index_share``.
    """
    raster, chosen = find_raster(plan, raster_id), _areas(plan, areas)
    polygons = _polygons(plan, chosen)
    found = index_shares(raster, polygons, index=index, threshold=threshold, exact=exact)
    return tuple(Indicator(raster, a, f) for a, f in zip(chosen, found, strict=True))


def index_series(
    plan: Plan,
    series: str,
    area: AreaLike = None,
    *,
    index: str = "ndvi",
    threshold: Threshold = None,
    valid_limit: float = VALID_LIMIT,
) -> SeriesRange:
    """Return how far the share of an area moves between the dates of a series.

    Raises
    ------
    NotFoundError
        The plan has no such series or area.
    """
    rasters = [r for r in open_rasters(plan).values() if r.entry.series == series]
    if not rasters:
        known = sorted({e.series for e in plan.file.raster if e.series})
        raise NotFoundError(f"没有影像序列“{series}”", expected="、".join(known) or "（没有序列）")
    polygons = _polygons(plan, _areas(plan, [area]))
    return series_ranges(
        rasters, polygons, index=index, threshold=threshold, valid_limit=valid_limit
    )[0]


# --- rows of the balance -------------------------------------------------------------------------


def raster_rows(plan: Plan, area: AreaLike = None) -> list[dict[str, Any]]:
    """Return what every raster of the plan says of an area, as plain JSON values.

    A class raster gives one row, an image one row per index. A raster without data is a row with
    its state and the reason. Never raises for what is wrong with a raster. A named area is measured
    once.

    Raises
    ------
    NotFoundError
        The plan has no such area.
    """
    rasters = open_rasters(plan).values()
    if not rasters:
        return []
    try:
        chosen = _area(plan, area)
    except NotFoundError as problem:
        if area is not None:
            raise
        return [_without_area(r, i, problem.found) for r in rasters for i in _indices(r)]
    if chosen.layer is None:
        return _rows(plan, chosen)
    known = _KNOWN.setdefault(plan, {})
    if chosen.id not in known:
        known[chosen.id] = _rows(plan, chosen)
    return deepcopy(known[chosen.id])


# Nothing of an opened plan changes, and its named areas are few.
_KNOWN: WeakKeyDictionary[Plan, dict[str, list[dict[str, Any]]]] = WeakKeyDictionary()


def _rows(plan: Plan, chosen: PlanArea) -> list[dict[str, Any]]:
    """Return the rows of one area, each with the range of its series."""
    rows: list[dict[str, Any]] = []
    dates: dict[tuple[str, str], list[Dated]] = {}
    for raster in open_rasters(plan).values():
        for index in _indices(raster):
            row, date = _row(plan, raster, index, chosen)
            rows.append(row)
            if date is not None:
                dates.setdefault((str(raster.entry.series), str(index)), []).append(date)
    ranges = {key: series_range(*key, own) for key, own in dates.items()}
    return [raster_print.with_series(row, ranges) for row in rows]


def _without_area(raster: Raster, index: str | None, reason: str) -> dict[str, Any]:
    """Return the row of a raster in a plan that has neither a core nor a planning area."""
    row = raster_print.empty_row(raster, index, None, LayerState.NO_DATA, reason)
    return row | {"series": None}


def _indices(raster: Raster) -> Sequence[str | None]:
    if raster.entry.kind == "classes":
        return [None]
    return available_indices(raster) or [None]


def _row(
    plan: Plan, raster: Raster, index: str | None, area: PlanArea
) -> tuple[dict[str, Any], Dated | None]:
    """Return one row and, for an image of a series, its date."""
    in_series = index is not None and raster.entry.series is not None
    try:
        if raster.entry.kind == "classes":
            cover = class_shares(raster, _polygons(plan, [area]))[0]
            agreement: Agreement | None = vector_agreement(plan, raster, cover, area)
            return raster_print.cover_row(raster, area, cover, agreement), None
        if index is None:
            reason = "没有写明 NDVI、NDWI 所需的波段"
            return raster_print.empty_row(raster, None, area, LayerState.FAILED, reason), None
        found = index_shares(raster, _polygons(plan, [area]), index=index)[0]
        date = dated(raster, found) if in_series else None
        return raster_print.index_row(raster, area, found), date
    except (PlanError, CrsError) as problem:
        state, reason = raster.state, raster.reason
        if state is LayerState.CHECKED:  # sound by its header, damaged further on
            state, reason = LayerState.FAILED, problem.found
        row = raster_print.empty_row(raster, index, area, state, reason)
        return row, unusable(raster, reason) if in_series else None


# --- areas ---------------------------------------------------------------------------------------


def _areas(plan: Plan, areas: Iterable[AreaLike] | None) -> list[PlanArea]:
    return list(plan_areas(plan)) if areas is None else [_area(plan, area) for area in areas]


def _area(plan: Plan, area: AreaLike) -> PlanArea:
    return area if isinstance(area, PlanArea) else find_area(plan, area)


def _polygons(plan: Plan, areas: Sequence[PlanArea]) -> Polygons:
    """Return areas of the plan as polygons; their m² are known."""
    return Polygons.of(
        [a.polygon for a in areas], crs_of(plan.work_epsg), [a.area.ellipsoidal_m2 for a in areas]
    )
