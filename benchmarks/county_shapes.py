"""Smooth random outlines and lines that stand for waters, red lines and roads."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

Array = np.ndarray[Any, Any]


def blob(centre: Array, radius: float, vertices: int, random: np.random.Generator) -> Any:
    """Return a closed outline about a centre, its radius a sum of waves; never crosses itself."""
    angles = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
    orders = np.arange(2, 14)
    heights = random.normal(size=len(orders)) / orders
    phases = random.uniform(0, 2 * np.pi, len(orders))
    waves = (heights[:, None] * np.cos(orders[:, None] * angles + phases[:, None])).sum(axis=0)
    radii = radius * (1 + 0.45 * waves / max(float(np.abs(waves).max()), 1e-9))
    xy = np.column_stack([np.cos(angles), np.sin(angles)]) * radii[:, None]
    return shapely.Polygon(xy + centre)


def meander(extent: tuple[float, float, float, float], number: int, random: Any) -> Any:
    """Return a winding line across the extent, from west to east or, every other, south to north.

    A vertex each 30 m.
    """
    west, south, east, _north = extent
    side = east - west
    along = np.linspace(0, side, max(int(side / 30), 10))
    across = np.full(len(along), random.uniform(0.1, 0.9) * side)
    for wavelength, height in ((9_000.0, 900.0), (2_700.0, 130.0), (700.0, 18.0)):
        phase, share = random.uniform(0, 2 * np.pi), random.uniform(0.7, 1.3)
        across += height * share * np.sin(2 * np.pi * along / wavelength + phase)
    xy = np.column_stack([along, across] if number % 2 else [across, along])
    return shapely.LineString(xy + np.array([west, south]))


def centre_line(start: Array, vertices: int, step_m: float, random: np.random.Generator) -> Any:
    """Return a road that turns a little at each vertex."""
    headings = random.uniform(0, 2 * np.pi) + np.cumsum(random.normal(0, 0.12, vertices - 1))
    steps = step_m * random.uniform(0.7, 1.3, vertices - 1)
    moves = np.column_stack([np.cos(headings), np.sin(headings)]) * steps[:, None]
    return shapely.LineString(np.vstack([start, start + np.cumsum(moves, axis=0)]))
