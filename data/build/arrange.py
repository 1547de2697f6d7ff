"""One arrangement of faces under all layers.

All outlines of all layers are noded together on the millimetre grid and polygonised. Each layer is
then a union of whole faces, so layers that touch share every vertex, partitions have neither gaps
nor overlaps, and a file of one layer fits the file of another exactly.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from frame import PRECISION_M
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry


class Arrangement:
    """Faces of the noded outlines inside the resort, with their neighbours."""

    def __init__(self, outlines: Sequence[BaseGeometry], resort: Polygon) -> None:
        lines = [g.boundary if shapely.get_dimensions(g) == 2 else g for g in outlines]
        near = resort.buffer(1.0)
        clipped = shapely.intersection(np.array([g for g in lines if not g.is_empty]), near)
        parts = shapely.get_parts(shapely.set_precision(clipped, 0))
        parts = np.append(parts[shapely.get_dimensions(parts) == 1], resort.exterior)
        noded = shapely.union_all(parts, grid_size=PRECISION_M)
        faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
        reps = shapely.point_on_surface(faces)
        shapely.prepare(resort)
        inside = shapely.contains_properly(resort, reps)
        order = np.lexsort((shapely.get_y(reps[inside]), shapely.get_x(reps[inside])))
        self.faces: np.ndarray = faces[inside][order]
        self.reps: np.ndarray = reps[inside][order]
        self.links = _links(self.faces)

    def owner(self, shapes: Sequence[BaseGeometry]) -> np.ndarray:
        """Return for each face the first shape that covers it, -1 where none does."""
        out = np.full(len(self.faces), len(shapes))
        tree = shapely.STRtree(self.reps)
        shape_index, face_index = tree.query(np.array(shapes, dtype=object), predicate="intersects")
        np.minimum.at(out, face_index, shape_index)
        return np.where(out == len(shapes), -1, out)

    def owner_or_nearest(self, shapes: Sequence[BaseGeometry], where: np.ndarray) -> np.ndarray:
        """Return the owner of the faces in ``where`` (-1 elsewhere); hairs go to the nearest."""
        out = np.where(where, self.owner(shapes), -1)
        lost = np.flatnonzero(where & (out < 0))
        tree = shapely.STRtree(np.array(shapes, dtype=object))
        asked, nearest = tree.query_nearest(self.reps[lost], all_matches=False)
        out[lost[asked]] = nearest
        return out

    def inside(self, shape: BaseGeometry) -> np.ndarray:
        """Return which faces a shape covers."""
        return self.owner([shape]) == 0

    def union(self, chosen: np.ndarray) -> BaseGeometry:
        """Return the union of faces; vertices on outer edges stay."""
        return shapely.normalize(shapely.coverage_union_all(self.faces[chosen]))

    def groups(self, label: np.ndarray) -> np.ndarray:
        """Return the number of the connected patch of equal label each face belongs to."""
        parent = np.arange(len(self.faces))

        def root(i: int) -> int:
            while parent[i] != i:
                parent[i] = parent[parent[i]]
                i = parent[i]
            return i

        left, right, _ = self.links
        for a, b in zip(left.tolist(), right.tolist(), strict=True):
            if label[a] == label[b]:
                ra, rb = root(a), root(b)
                parent[max(ra, rb)] = min(ra, rb)
        roots = np.array([root(i) for i in range(len(parent))])
        return np.unique(roots, return_inverse=True)[1]


def _links(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return pairs of neighbouring faces and the length of the edge they share."""
    rings, face_of_ring = shapely.get_rings(faces, return_index=True)
    xy, ring_of_point = shapely.get_coordinates(rings, return_index=True)
    key = np.round(xy / PRECISION_M).astype(np.int64)
    step = ring_of_point[1:] == ring_of_point[:-1]
    start, end = key[:-1][step], key[1:][step]
    swap = (start[:, 0] > end[:, 0]) | ((start[:, 0] == end[:, 0]) & (start[:, 1] > end[:, 1]))
    edge = np.hstack([np.where(swap[:, None], end, start), np.where(swap[:, None], start, end)])
    face = face_of_ring[ring_of_point[:-1][step]]
    order = np.lexsort(edge.T)
    edge, face = edge[order], face[order]
    twin = (edge[1:] == edge[:-1]).all(axis=1)
    length = np.hypot(*((edge[:-1, :2] - edge[:-1, 2:]) * PRECISION_M).T)
    return face[:-1][twin], face[1:][twin], length[twin]
