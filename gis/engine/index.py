"""Which features of a layer does a site meet?

A ``LayerIndex`` is made once when a plan is opened and only read afterwards, so that threads may
share it; no prepared geometry is ever kept (a race over shared prepared geometries crashes GEOS).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis.model import LayerInfo, LayerReport, LayerState, class_matches

Array = np.ndarray[Any, Any]
# Classes of features; None stands for those without one.
Kinds: TypeAlias = frozenset[str | None]


@dataclass(frozen=True, eq=False)
class LayerIndex:
    """Features of one layer in the work CRS, sorted by id.

    Parameters
    ----------
    info
        What the plan says about the layer.
    state
        ``checked`` when the features could be read; otherwise the arrays are empty.
    reason
        Why the layer is not ``checked``, or what was repaired.
    content_sha256
        Hash of the features, None when there are none to hash.
    ids, classes, names
        Text arrays of equal length; class and name may be None.
    half_widths
        Metres from the centre line to the land edge; NaN where not known.
    geometries
        Valid shapely geometries of one dimension.
    values
        Further fields that rules read, by name; numbers, texts, or None where empty.
    """

    info: LayerInfo
    state: LayerState
    reason: str = ""
    content_sha256: str | None = None
    ids: Array = field(default_factory=lambda: np.array([], dtype=object))
    classes: Array = field(default_factory=lambda: np.array([], dtype=object))
    names: Array = field(default_factory=lambda: np.array([], dtype=object))
    half_widths: Array = field(default_factory=lambda: np.array([], dtype=float))
    geometries: Array = field(default_factory=lambda: np.array([], dtype=object))
    values: Mapping[str, Array] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return the number of features."""
        return len(self.ids)

    @cached_property
    def tree(self) -> shapely.STRtree:
        """Spatial index over the features."""
        return shapely.STRtree(self.geometries)

    @cached_property
    def _bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north of all features; NaN without any."""
        west, south, east, north = shapely.total_bounds(self.geometries)
        return float(west), float(south), float(east), float(north)

    def _is_far(self, geometry: BaseGeometry, distance_m: float) -> bool:
        """Whether no feature can be so near, because none is anywhere around."""
        if not len(self):
            return True
        west, south, east, north = geometry.bounds
        own = self._bounds
        beside = own[0] > east + distance_m or own[2] < west - distance_m
        return beside or own[1] > north + distance_m or own[3] < south - distance_m

    @cached_property
    def _kinds(self) -> dict[tuple[tuple[str, ...], bool], frozenset[str | None]]:
        """Which classes match which patterns, as far as anybody has asked."""
        return {}

    @cached_property
    def union(self) -> BaseGeometry:
        """All features as one geometry; used for coverage only."""
        return shapely.union_all(self.geometries)

    @cached_property
    def sizes(self) -> Array:
        """The number of vertices of each feature."""
        return np.asarray(shapely.get_num_coordinates(self.geometries))

    @cached_property
    def report(self) -> LayerReport:
        """What is said of the layer to a site wholly inside its coverage."""
        return LayerReport(self.info, self.state, self.content_sha256, 0.0, self.reason)

    def is_land(self, geometry: BaseGeometry | None) -> bool:
        """Whether a geometry is ``union``, the very object."""
        return geometry is not None and self.__dict__.get("union") is geometry

    @cached_property
    def surroundings(self) -> dict[Any, Any]:
        """What ``around`` has drawn around the features lately."""
        return {}

    @cached_property
    def rings(self) -> dict[Kinds | None, Any]:
        """The rings of the polygons of some classes in a grid, see ``lines.outline_of``."""
        return {}

    @cached_property
    def is_coverage(self) -> bool:
        """Whether the polygons neither overlap nor cross each other's edges."""
        return bool(shapely.coverage_is_valid(self.geometries))

    @cached_property
    def max_half_width(self) -> float:
        """Largest known half width in metres, 0 when none is known."""
        known = self.half_widths[~np.isnan(self.half_widths)]
        return float(known.max()) if known.size else 0.0

    @cached_property
    def edges_known(self) -> bool:
        """Whether the edge of every feature is known: each line has its half width."""
        return not bool(np.isnan(self.half_widths).any())

    def prepare(self) -> None:
        """Build the tree and the other lazy parts now, not in the first request."""
        # A query makes the tree sort itself, which it puts off until then.
        self.tree.query(shapely.Point(0, 0))
        _ = self.max_half_width, self.edges_known
        _ = self.info.geometry == "polygon" and self.is_coverage

    def meeting(self, geometry: BaseGeometry) -> Array:
        """Return the positions of the features that intersect or touch the geometry, sorted."""
        if self._is_far(geometry, 0.0):
            return np.array([], dtype=int)
        return np.sort(self.tree.query(geometry, predicate="intersects"))

    def within(self, geometry: BaseGeometry, distance_m: float) -> Array:
        """Return the positions of the features at most ``distance_m`` away, sorted."""
        if self._is_far(geometry, distance_m):
            return np.array([], dtype=int)
        return np.sort(self.tree.query(geometry, predicate="dwithin", distance=distance_m))

    def near(
        self, geometry: BaseGeometry, distance_m: float, kinds: Kinds | None = None
    ) -> tuple[Array, Array]:
        """Return the features at most ``distance_m`` away, sorted, and their distances, m.

        Those of some classes only, where ``kinds`` are given.
        """
        if self._is_far(geometry, distance_m):
            return np.array([], dtype=int), np.array([], dtype=float)
        west, south, east, north = geometry.bounds
        d = distance_m
        # Each distance is needed anyhow: to ask the tree for them first would work it out twice.
        found = self.tree.query(shapely.box(west - d, south - d, east + d, north + d))
        found.sort()
        if kinds is not None:
            found = found[[self.classes[i] in kinds for i in found]]
        apart = np.asarray(shapely.distance(geometry, self.geometries[found]))
        near = apart <= distance_m
        return found[near], apart[near]

    def select(
        self, positions: Array, patterns: Sequence[str], *, excluding: bool = False
    ) -> Array:
        """Return the positions whose class matches a pattern, or none of them with ``excluding``.

        Without patterns all are returned. A feature without class matches no pattern.
        """
        if not patterns or not len(positions):
            return positions
        kinds = self.kinds(tuple(patterns), excluding=excluding)
        hits = [self.classes[i] in kinds for i in positions]
        return np.asarray(positions[np.array(hits, dtype=bool)])

    def kinds(self, patterns: tuple[str, ...], *, excluding: bool = False) -> frozenset[str | None]:
        """Return the classes of the layer that match a pattern, or none of them."""
        key = patterns, excluding
        found = self._kinds.get(key)
        if found is None:
            own = set(self.classes.tolist())
            found = frozenset(c for c in own if class_matches(c, patterns) is not excluding)
            self._kinds[key] = found
        return found
