"""Which classes claim which land of an area, and in which zones does it lie?

The area is divided into pieces that do not overlap. Each piece carries the classes that claim it:
one in a sound layer, several where features overlap, none where the layer says nothing. So every
area of a balance is a sum over pieces, and nothing counts twice unnoticed. What a class means is
not known here.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis.engine.index import Array
from gis.engine.ruler import parts_of
from gis.plan.areas import divisions
from gis.plan.catalogue import Layer
from gis.plan.quota.cut import Features, areas_of, cut, whole

_Key = TypeVar("_Key")
# Classes or zones that claim a piece, sorted; empty where nothing does.
Label = tuple[str, ...]

# Under this, land between two layers is the noise of digitising and gets no column of its own.
STRAY_M2 = 0.01
# What is left of an area when all features are taken away may be a rest of the arithmetic.
DUST_M2 = 1e-4


@dataclass(frozen=True, eq=False)
class Ground:
    """The pieces of an area: labels, polygons in the work CRS, m² on the ellipsoid.

    ``depth`` says how many features cover the piece: more than its label has classes where
    features of one class overlap.
    """

    labels: Sequence[Label]
    depth: Array
    shapes: Array
    areas: Array
    epsg: int

    @cached_property
    def by_label(self) -> dict[Label, float]:
        """The m² of each set of classes that occurs."""
        return _summed(zip(self.labels, self.areas.tolist(), strict=True))

    def classes(self) -> list[str]:
        """Return the classes that occur, sorted."""
        return sorted({cls for label in self.by_label for cls in label})

    def union_m2(self, classes: Collection[str]) -> float:
        """Return the m² that at least one of the classes claims."""
        wanted = set(classes)
        return math.fsum(m2 for label, m2 in self.by_label.items() if not wanted.isdisjoint(label))

    @property
    def uncovered_m2(self) -> float:
        """The m² on which the layer says nothing."""
        return self.by_label.get((), 0.0)

    @property
    def overlap_m2(self) -> float:
        """The m² that are claimed once too often by another class, twice where three claim it."""
        return math.fsum((len(label) - 1) * m2 for label, m2 in self.by_label.items() if label)

    @property
    def repeated_m2(self) -> float:
        """The m² that features of one class cover once too often."""
        classes = np.array([len(label) for label in self.labels])
        return math.fsum((self.depth - classes) * self.areas)


@dataclass(frozen=True, eq=False)
class Zoned:
    """The pieces of a ground, divided by zone; a piece outside every zone has an empty label."""

    labels: Sequence[Label]
    zones: Sequence[Label]
    shapes: Array
    areas: Array

    @cached_property
    def cells(self) -> dict[tuple[Label, Label], float]:
        """The m² of each pair of a set of classes and a set of zones."""
        pairs = zip(self.labels, self.zones, strict=True)
        return _summed(zip(pairs, self.areas.tolist(), strict=True))


def _summed(pairs: Iterable[tuple[_Key, float]]) -> dict[_Key, float]:
    found: dict[_Key, list[float]] = {}
    for key, m2 in pairs:
        found.setdefault(key, []).append(m2)
    return {key: math.fsum(parts) for key, parts in found.items()}


def divide(layer: Layer, polygon: BaseGeometry | None, epsg: int) -> Ground:
    """Return the ground of an area by the classes of a layer.

    Parameters
    ----------
    layer
        A usable polygon layer; a feature without class has the class ``""``.
    polygon
        The area in the work CRS; None for the whole layer, and then nothing is uncovered.
    epsg
        EPSG code of the work CRS.
    """
    index = layer.index
    names: list[str] = [cls or "" for cls in index.classes]
    if index.is_coverage:
        features = Features.of([index], epsg)
        labels: list[Label] = [(name,) for name in names]
        depth = np.ones(len(names), dtype=int)
    else:
        at = np.arange(len(index)) if polygon is None else index.meeting(polygon)
        faces, labels, depth = arrange(index.geometries[at], [names[i] for i in at])
        features = Features(faces, shapely.STRtree(faces), True, epsg)
    found = whole(features) if polygon is None else cut(features, polygon)
    ground = Ground([labels[i] for i in found.at], depth[found.at], found.shapes, found.areas, epsg)
    if polygon is None:
        return ground
    covered = shapely.coverage_union_all(features.geometries[found.at])
    return _with_bare(ground, parts_of(shapely.difference(polygon, covered)))


def _with_bare(ground: Ground, bare: Sequence[BaseGeometry]) -> Ground:
    """Return the ground with the land on which the layer says nothing."""
    areas = areas_of(bare, ground.epsg)
    if math.fsum(areas) <= DUST_M2:
        return ground
    return Ground(
        [*ground.labels, *([()] * len(bare))],
        np.append(ground.depth, np.zeros(len(bare), dtype=int)),
        np.append(ground.shapes, np.array(bare, dtype=object)),
        np.append(ground.areas, areas),
        ground.epsg,
    )


def arrange(geometries: Array, names: Sequence[str]) -> tuple[Array, list[Label], Array]:
    """Return overlapping polygons as faces that do not overlap.

    All edges are noded against each other, so that each face lies in a polygon wholly or not at
    all; a point inside it tells.

    Returns
    -------
    faces, labels, depth
        The faces that lie in at least one polygon, the names of their polygons without repeats,
        sorted, and the number of polygons.
    """
    edges = shapely.union_all(shapely.boundary(geometries))
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(edges)))
    points = shapely.point_on_surface(faces)
    face, polygon = shapely.STRtree(geometries).query(points, predicate="within")
    claims: dict[int, list[str]] = {}
    for f, p in zip(face.tolist(), polygon.tolist(), strict=True):
        claims.setdefault(f, []).append(names[p])
    kept = sorted(claims)
    labels = [tuple(sorted(set(claims[f]))) for f in kept]
    depth = np.array([len(claims[f]) for f in kept], dtype=int)
    return np.asarray(faces[kept], dtype=object), labels, depth


# --- zones ---------------------------------------------------------------------------------------


Zone = tuple[Label, BaseGeometry]


def zone_polygons(layer: Layer, polygon: BaseGeometry, epsg: int) -> list[Zone]:
    """Return the zones that an area meets, and the part of the area outside of them.

    Where zones overlap, the land in both is a part of its own, labelled with both. Land outside is
    left out when it is no more than the noise of digitising.
    """
    zones = [(label, shape) for label, shape in _merged(layer) if shape.intersects(polygon)]
    outside = shapely.difference(polygon, shapely.union_all([shape for _, shape in zones]))
    bare = parts_of(outside)
    if not zones or math.fsum(areas_of(bare, epsg)) > STRAY_M2:
        zones.append(((), shapely.MultiPolygon(bare)))
    return zones


def _merged(layer: Layer) -> Iterator[Zone]:
    index, parts = layer.index, divisions(layer)
    if index.is_coverage:
        for name, at in parts.items():
            yield (name,), shapely.union_all(index.geometries[at])
        return
    names = {int(i): name for name, at in parts.items() for i in at}
    faces, labels, _ = arrange(index.geometries, [names[i] for i in range(len(index))])
    for label in sorted(set(labels)):
        own = [face for face, found in zip(faces, labels, strict=True) if found == label]
        yield label, shapely.union_all(own)


def divide_by_zone(ground: Ground, zones: Sequence[Zone]) -> Zoned:
    """Return the pieces of a ground by zone; only pieces on the border of a zone are cut."""
    tree = shapely.STRtree(ground.shapes)
    labels: list[Label] = []
    found: list[Label] = []
    shapes, areas = [], []
    for zone, polygon in zones:
        inside = np.sort(tree.query(polygon, predicate="contains"))
        border = np.setdiff1d(tree.query(polygon, predicate="intersects"), inside)
        cuts = shapely.intersection(ground.shapes[border], polygon)
        m2 = np.append(ground.areas[inside], areas_of(cuts, ground.epsg))
        at = np.append(inside, border)
        real = m2 > 0
        labels += [ground.labels[i] for i in at[real]]
        found += [zone] * int(real.sum())
        shapes.append(np.append(ground.shapes[inside], cuts)[real])
        areas.append(m2[real])
    return Zoned(labels, found, np.concatenate(shapes), np.concatenate(areas))
