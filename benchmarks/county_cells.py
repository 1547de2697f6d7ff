"""A true coverage of jittered quadrilaterals: neighbours share every vertex, and nothing is left.

Each edge carries seven displaced points. Every twentieth row and column is a strip of 12 m, a road
or a ditch. Displacements stay below the angle at which two edges of one corner could cross.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

Array = np.ndarray[Any, Any]
STRIP_M = 12.0
# A node moves by this share of its narrowest neighbour, a point by this share of its step; edges
# then lean less than 45 degrees, so that those of one corner never meet again.
_NODE, _POINT, _STEPS = 0.12, 0.33, 8


@dataclass(frozen=True, eq=False)
class Cells:
    """Edges of a grid of cells, as points: ``across[i, j]`` runs east, ``up[i, j]`` runs north.

    Shapes ``(rows + 1, columns, 9, 2)`` and ``(rows, columns + 1, 9, 2)``.
    """

    across: Array
    up: Array

    @classmethod
    def of(cls, west: float, south: float, side: float, count: int, random: Any) -> Cells:
        """Return a square of ``count x count`` cells."""
        lines = _lines(side, count)
        x, y = np.meshgrid(lines, lines)
        room = np.minimum(np.diff(lines, prepend=-np.inf), np.diff(lines, append=np.inf))
        room = np.minimum(room[None, :], room[:, None])
        inner = np.zeros_like(room)
        inner[1:-1, 1:-1] = 1.0  # the frame stays straight
        x = x + inner * room * _NODE * random.uniform(-1, 1, x.shape)
        y = y + inner * room * _NODE * random.uniform(-1, 1, y.shape)
        nodes = np.stack([x + west, y + south], axis=-1)
        across = _bent(nodes[:, :-1], nodes[:, 1:], random)
        up = _bent(nodes[:-1], nodes[1:], random)
        for edges in (across[0], across[-1], up[:, 0], up[:, -1]):
            start, end = edges[:, :1], edges[:, -1:]
            edges[:] = start + (end - start) * np.linspace(0, 1, _STEPS + 1)[:, None]
        return cls(np.round(across, 3), np.round(up, 3))

    def polygons(self) -> Array:
        """Return the cells, row by row from the south-west."""
        rings = np.concatenate(
            [
                self.across[:-1, :, :-1],
                self.up[:, 1:, :-1],
                self.across[1:, :, :0:-1],
                self.up[:, :-1, :0:-1],
                self.across[:-1, :, :1],
            ],
            axis=2,
        )
        return np.asarray(shapely.polygons(rings.reshape(-1, rings.shape[2], 2)))

    @property
    def centres(self) -> Array:
        """South-west corners of the cells, good enough to choose cells by place."""
        return np.asarray(self.across[:-1, :, 0]).reshape(-1, 2)

    def blocks(self, count: int, random: np.random.Generator) -> Array:
        """Return unions of 2 x 2 cells, some of all there are."""
        rows, columns = self.up.shape[0] // 2, self.across.shape[1] // 2
        chosen = np.sort(random.permutation(rows * columns)[: min(count, rows * columns)])
        i, j = 2 * (chosen // columns), 2 * (chosen % columns)
        a, u = self.across, self.up
        rings = np.concatenate(
            [
                a[i, j, :-1], a[i, j + 1, :-1], u[i, j + 2, :-1], u[i + 1, j + 2, :-1],
                a[i + 2, j + 1, :0:-1], a[i + 2, j, :0:-1], u[i + 1, j, :0:-1], u[i, j, :0:-1],
                a[i, j, :1],
            ],
            axis=1,
        )  # fmt: skip
        return np.asarray(shapely.polygons(rings))

    def zones(self, side: float, share: float = 0.141, count: int = 5) -> Array:
        """Return sectors of a disc in the middle, drawn along the cells."""
        middle = np.array([self.across[0, 0, 0, 0] + side / 2, self.across[0, 0, 0, 1] + side / 2])
        away = self.centres - middle
        near = np.hypot(*away.T) <= side * (share / np.pi) ** 0.5
        sector = np.floor((np.arctan2(*away.T) + np.pi) / (2 * np.pi) * count).clip(0, count - 1)
        cells = self.polygons()
        return np.array([_union(cells[near & (sector == n)]) for n in range(count)])

    def above_noise(self, share: float, wavelength_m: float, random: Any) -> Array:
        """Return one multipolygon: the share of the cells where a smooth field is highest."""
        turns = random.uniform(0, 2 * np.pi, 40)
        waves = np.column_stack([np.cos(turns), np.sin(turns)]) * 2 * np.pi / wavelength_m
        waves *= random.uniform(0.6, 1.4, (40, 1))
        field = np.cos(self.centres @ waves.T + random.uniform(0, 2 * np.pi, 40)).sum(axis=1)
        return np.array([_union(self.polygons()[field > np.quantile(field, 1 - share)])])


def _union(cells: Array) -> Any:
    union = shapely.coverage_union_all(cells)
    # Cells that meet in one corner make a ring that touches itself.
    return union if shapely.is_valid(union) else shapely.make_valid(union)


def _lines(side: float, count: int) -> Array:
    """Return the lines of the grid: every twentieth gap is a strip."""
    strip = np.arange(count) % 20 == 10
    width = (side - STRIP_M * strip.sum()) / (~strip).sum()
    return np.concatenate([[0.0], np.cumsum(np.where(strip, STRIP_M, width))])


def _bent(start: Array, end: Array, random: Any) -> Array:
    """Return edges of nine points, the seven inner ones displaced along and across."""
    way = end - start
    at = np.linspace(0, 1, _STEPS + 1)
    points = start[..., None, :] + way[..., None, :] * at[:, None]
    normal = np.stack([-way[..., 1], way[..., 0]], axis=-1) / _STEPS
    shape = (*way.shape[:-1], _STEPS - 1, 1)
    points[..., 1:-1, :] += normal[..., None, :] * random.uniform(-_POINT, _POINT, shape)
    points[..., 1:-1, :] += way[..., None, :] / _STEPS * random.uniform(-0.2, 0.2, shape)
    return points
