"""What do the checks see of a layer: its features as they stand in the file, faults included.

The plan itself refuses or repairs what it cannot use; the checks have to look at exactly that. Data
only: ``gis.plan.quality.raw`` reads it, ``positions`` and ``shifts`` put it where it belongs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import shapely
from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from gis.crs import ellipsoidal_area, ellipsoidal_areas
from gis.engine.index import Array
from gis.model import LayerState
from gis.plan.quality.findings import Finding, Severity, collected, listed
from gis.plan.schema import LayerEntry
from gis.rulebook import RuleBook

DIMENSION = {"point": 0, "line": 1, "polygon": 2}
# Layers that divide their coverage without gap or overlap.
PARTITIONS = frozenset({"district", "zone", "landuse", "planned_use"})
# Lines whose distance rules run to an edge.
CENTRE_LINES = frozenset({"road", "railway", "power_line"})
# What people and programs write where they mean nothing.
_NOTHING = frozenset({"", "null", "<null>", "<空>"})


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What was seen of the files of a shapefile, all empty for other formats.

    ``missing`` are suffixes of absent parts; ``records`` the number of features by part where the
    parts disagree; ``hidden`` the positions of the features that the short part hides; ``deleted``
    how many rows of the table are marked as deleted; ``lacking_bytes`` how much of the .shp is not
    there. ``problem`` is the name of the error when nothing could be read.
    """

    missing: tuple[str, ...] = ()
    records: Mapping[str, int] | None = None
    hidden: tuple[int, ...] = ()
    deleted: int = 0
    lacking_bytes: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class TextFacts:
    """How the text of an attribute table had to be read.

    ``declared`` is what the .cpg says, None when there is none. ``codec`` reads the text;
    ``as_read`` tells how it reads for the plan: ``same``, ``garbled`` or ``fails``. ``broken`` are
    (position, field) of the values that ``codec`` cannot read.
    """

    declared: str | None = None
    codec: str = ""
    as_read: str = "same"
    is_plain: bool = True
    is_known: bool = True
    broken: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, eq=False)
class LayerData:
    """One layer as its file has it.

    ``shapes`` are in the CRS of the file; ``placed`` in the work CRS, where the layer belongs. None
    stands for a feature without geometry, ``placed`` is None as a whole where the numbers have no
    meaning.
    """

    entry: LayerEntry
    state: LayerState
    reason: str
    ids: Array
    columns: Mapping[str, Array]
    shapes: Array
    crs: CRS | None
    file: FileFacts
    text: TextFacts
    work_epsg: int
    placed: Array | None = None

    def __len__(self) -> int:
        """Return the number of features."""
        return len(self.ids)

    @property
    def id(self) -> str:
        """Id of the layer."""
        return self.entry.id

    def column(self, name: str | None) -> Array | None:
        """Return a column; None when the plan names none, or the file has it not."""
        return None if name is None else self.columns.get(name)

    def names_of(self, rows: Sequence[int] | Array) -> tuple[str, ...]:
        """Return the ids of the features at these positions."""
        return tuple(str(self.ids[int(row)]) for row in rows)

    @cached_property
    def usable(self) -> Array:
        """Whether each feature has a placed geometry of the right dimension, all of it finite."""
        if self.placed is None:
            return np.zeros(len(self), dtype=bool)
        dimension = shapely.get_dimensions(self.placed)
        right = (dimension == DIMENSION[self.entry.geometry]) & ~shapely.is_empty(self.placed)
        return np.asarray(right & is_finite(self.placed))

    @cached_property
    def solid(self) -> Array:
        """The placed geometries, invalid ones repaired, None where nothing usable is left."""
        out = np.full(len(self), None, dtype=object)
        if self.placed is None:
            return out
        rows = np.flatnonzero(self.usable)
        shapes = shapely.force_2d(self.placed[rows])
        wrong = ~shapely.is_valid(shapes)
        if wrong.any() and self.entry.geometry == "polygon":
            shapes[wrong] = shapely.make_valid(
                shapes[wrong], method="structure", keep_collapsed=False
            )
        kept = ~shapely.is_empty(shapes)
        out[rows[kept]] = shapes[kept]
        return out

    @cached_property
    def rows(self) -> Array:
        """Positions of the features with a solid geometry."""
        return np.flatnonzero(~shapely.is_missing(self.solid))

    @cached_property
    def areas(self) -> Array:
        """m² on the ellipsoid per feature; NaN where there is no polygon."""
        out = np.full(len(self), np.nan)
        if self.entry.geometry == "polygon" and len(self.rows):
            out[self.rows] = ellipsoidal_areas(self.solid[self.rows], self.work_epsg)
        return out

    @cached_property
    def union(self) -> BaseGeometry:
        """All solid polygons as one; quick where they do not overlap."""
        shapes, tidy = self.solid[self.rows], self.is_tidy[self.rows]
        if len(shapes) and tidy.all():
            return shapely.coverage_union_all(shapes)
        if tidy.any() and shapely.coverage_is_valid(shapes[tidy]):
            return shapely.union_all([shapely.coverage_union_all(shapes[tidy]), *shapes[~tidy]])
        return shapely.union_all(shapes)

    @cached_property
    def union_m2(self) -> float:
        """m² on the ellipsoid of the land that the polygons cover, each spot once."""
        return ellipsoidal_area(self.union, self.work_epsg)

    @property
    def counted_twice_m2(self) -> float:
        """By how much the sum of the polygons exceeds the land that they cover, m²."""
        return max(float(np.nansum(self.areas)) - self.union_m2, 0.0)

    @cached_property
    def is_tidy(self) -> Array:
        """Whether each polygon shares its edges with its neighbours as a coverage should."""
        out = np.ones(len(self), dtype=bool)
        if len(self.rows):
            edges = shapely.coverage_invalid_edges(self.solid[self.rows])
            out[self.rows] = shapely.is_missing(edges) | shapely.is_empty(edges)
        return out

    @cached_property
    def widths(self) -> Array:
        """Mean width 2 · area / perimeter of each polygon, m; NaN where there is none."""
        out = np.full(len(self), np.nan)
        if self.entry.geometry == "polygon" and len(self.rows):
            out[self.rows] = mean_widths(self.solid[self.rows])
        return out

    def spots(self, rows: Sequence[int] | Array) -> BaseGeometry | None:
        """Return one point inside each of the features, as one geometry; lines as they are."""
        shapes = self.solid[np.asarray(rows, dtype=int)]
        return collected(
            shapely.point_on_surface(shapes) if self.entry.geometry == "polygon" else shapes
        )

    def about(
        self,
        code: str,
        severity: Severity,
        rows: Sequence[int] | Array,
        text: str,
        *,
        advice: str,
        field: str | None = None,
        location: BaseGeometry | None = None,
    ) -> Finding:
        """Return one finding about several features, counted and named.

        ``text`` follows the number. The location is a point inside each, unless one is given.
        """
        ids = self.names_of(rows)
        return Finding(
            self.id,
            code,
            severity,
            f"{len(rows)} {text}：{listed(ids)}",
            feature_ids=ids,
            value=float(len(rows)),
            unit="count",
            field=field,
            location=self.spots(rows) if location is None else location,
            advice=advice,
        )


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What a check may know besides its layer.

    ``coverages``: per layer the polygon inside which it should be complete, None when unknown.
    ``shown_by`` names the layer that a coverage comes from, empty for the bounds of the plan.
    """

    coverages: Mapping[str, BaseGeometry | None]
    rulebook: RuleBook

    def shown_by(self, data: LayerData) -> tuple[str, ...]:
        """Return the other layer whose outline is the coverage of this one."""
        return () if data.entry.coverage == "bounds" else (data.entry.coverage,)


def is_finite(shapes: Array) -> Array:
    """Whether each geometry is there and all its coordinates are numbers."""
    xy, owner = shapely.get_coordinates(shapes, return_index=True)
    out = ~shapely.is_missing(shapes)
    out[np.unique(owner[~np.isfinite(xy).all(axis=1)])] = False
    return np.asarray(out)


def mean_widths(shapes: Any) -> Array:
    """Return 2 · area / perimeter of polygons, m; 0 for what has no perimeter."""
    areas, lengths = shapely.area(shapes), shapely.length(shapes)
    out = np.zeros(len(areas))
    np.divide(2.0 * areas, lengths, out=out, where=lengths > 0)
    return out


def is_nothing(value: Any) -> bool:
    """Whether an attribute value says nothing.

    >>> is_nothing("  "), is_nothing("<Null>"), is_nothing("0"), is_nothing(0)
    (True, True, False, False)
    """
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return True
    return isinstance(value, str) and value.strip().lower() in _NOTHING


def rows_by_text(texts: Sequence[str | None]) -> dict[str, list[int]]:
    """Return the positions of each text that says something, sorted by text."""
    out: dict[str, list[int]] = {}
    for row, text in enumerate(texts):
        if text is not None and not is_nothing(text):
            out.setdefault(text, []).append(row)
    return dict(sorted(out.items()))


def blanks(column: Array) -> Array:
    """Return the positions of the values that say nothing."""
    return np.flatnonzero([is_nothing(value) for value in column])
