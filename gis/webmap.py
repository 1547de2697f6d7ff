"""Where do Chinese web maps draw a position, and back again? GCJ-02 and BD-09.

The public approximation formula of the "map offset", good to a few metres. It serves display, and
to put an outline that was traced on such a map roughly where it belongs; what comes out is never
survey grade, and whoever decides by it must say so.

Source: the formula as published in many places (eviltransform among them); BD-09 adds a rotation
of 0.0065 degrees and 0.006 degrees on top of GCJ-02.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

GCJ02 = "GCJ-02"
BD09 = "BD-09"
# The formula misses the real shift by 3.4 m on average and the trace of a border on a map adds to
# that; an outline put back this way may be off by this much.
REACH_M = 10.0

_A, _EE = 6378245.0, 0.00669342162296594323
_BD_TURN = np.pi * 3000.0 / 180.0
_NAMES = (
    (re.compile(r"bd[-_ ]?0?9|百度(坐标|地图|经纬)|baidu", re.IGNORECASE), BD09),
    (
        re.compile(
            r"gcj[-_ ]?0?2?|火星坐标|国测局坐标|高德|amap|autonavi|腾讯地图|qq ?map", re.IGNORECASE
        ),
        GCJ02,
    ),
)


def named_shift(text: str) -> str:
    """Return the shifted datum that a text names (``GCJ-02`` or ``BD-09``), or an empty text.

    >>> named_shift("坐标系=BD09"), named_shift("高德地图"), named_shift("EPSG:4527")
    ('BD-09', 'GCJ-02', '')
    """
    return next(iter(named_shifts(text)), "")


def named_shifts(text: str) -> tuple[str, ...]:
    """Return every shifted datum that a text names."""
    return tuple(name for pattern, name in _NAMES if pattern.search(text))


def to_gcj02(lonlat: npt.ArrayLike) -> FloatArray:
    """Return the positions that GCJ-02 maps draw for WGS 84 / CGCS2000 positions, (n, 2) degrees.

    >>> to_gcj02([[115.98, 36.40]]).round(6).tolist()
    [[115.985657, 36.400049]]
    """
    xy = np.asarray(lonlat, dtype=np.float64).reshape(-1, 2)
    lon, lat = xy.T
    x, y = lon - 105.0, lat - 35.0
    wave = (20 * np.sin(6 * x * np.pi) + 20 * np.sin(2 * x * np.pi)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x)) + wave
    north += (20 * np.sin(y * np.pi) + 40 * np.sin(y / 3 * np.pi)) * 2 / 3
    north += (160 * np.sin(y / 12 * np.pi) + 320 * np.sin(y * np.pi / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x)) + wave
    east += (20 * np.sin(x * np.pi) + 40 * np.sin(x / 3 * np.pi)) * 2 / 3
    east += (150 * np.sin(x / 12 * np.pi) + 300 * np.sin(x / 30 * np.pi)) * 2 / 3
    phi = np.radians(lat)
    magic = 1 - _EE * np.sin(phi) ** 2
    d_lat = np.degrees(north / ((_A * (1 - _EE)) / (magic * np.sqrt(magic))))
    d_lon = np.degrees(east / (_A / np.sqrt(magic) * np.cos(phi)))
    return np.column_stack([lon + d_lon, lat + d_lat])


def to_bd09(lonlat: npt.ArrayLike) -> FloatArray:
    """Return the positions that BD-09 maps draw for WGS 84 / CGCS2000 positions, (n, 2) degrees."""
    x, y = to_gcj02(lonlat).T
    radius = np.hypot(x, y) + 0.00002 * np.sin(y * _BD_TURN)
    angle = np.arctan2(y, x) + 0.000003 * np.cos(x * _BD_TURN)
    return np.column_stack([radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006])


_FORWARD: dict[str, Callable[[Any], FloatArray]] = {GCJ02: to_gcj02, BD09: to_bd09}


def unshifted(lonlat: npt.ArrayLike, shift: str) -> FloatArray:
    """Return WGS 84 / CGCS2000 positions of positions in ``GCJ-02`` or ``BD-09``.

    Fixed-point inverse of the public formula, within 1 mm of it after six rounds.
    """
    drawn = np.asarray(lonlat, dtype=np.float64).reshape(-1, 2)
    guess = drawn.copy()
    for _ in range(6):
        guess += drawn - _FORWARD[shift](guess)
    return guess
