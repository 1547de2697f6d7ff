"""Where things stand: facts.toml, control points in EPSG:4548, and the leaning street frame.

Answers "what are the metres of this fact?". It draws nothing.
"""

from __future__ import annotations

import math
import sys
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from pyproj import Transformer
from shapely.geometry.base import BaseGeometry

HERE = Path(__file__).resolve().parent
try:
    from gis.crs import ellipsoidal_area as _ellipsoidal_area
except ModuleNotFoundError:  # run from a checkout that is not installed
    sys.path.insert(0, str(HERE.parents[1]))
    from gis.crs import ellipsoidal_area as _ellipsoidal_area

EPSG = 4548
PRECISION_M = 0.001


@lru_cache(maxsize=1)
def facts() -> dict[str, Any]:
    """Return facts.toml; every constant of the plan stands there with source and certainty."""
    with (HERE / "facts.toml").open("rb") as file:
        return tomllib.load(file)


def fact(group: str, name: str) -> float:
    """Return the bare number of one stated fact."""
    return float(facts()[group][name]["value"])


def rng(name: str) -> np.random.Generator:
    """Return a generator of its own for each subject, so that one change does not stir the rest."""
    return np.random.default_rng([int(facts()["frame"]["seed"]), *name.encode()])


@lru_cache(maxsize=1)
def _to_work() -> Transformer:
    return Transformer.from_crs(4490, EPSG, always_xy=True)


@lru_cache(maxsize=128)
def point(name: str) -> tuple[float, float]:
    """Return a control point in EPSG:4548."""
    found = facts()["points"][name]
    x, y = _to_work().transform(found["lon"], found["lat"])
    return float(x), float(y)


def at(x: float, y: float) -> tuple[float, float]:
    """Return the EPSG:4548 position of metres from the drawing origin."""
    ox, oy = facts()["frame"]["origin"]
    return ox + x, oy + y


def course(items: list[Any]) -> np.ndarray:
    """Resolve a mixed list of control point names and drawn [x, y] metres.

    A name with a trailing ``-`` is a run-in: the point mirrored at the next one, so that a river
    enters the area from outside instead of starting at its border.
    """
    out: list[tuple[float, float]] = []
    for index, item in enumerate(items):
        if not isinstance(item, str):
            out.append(at(*item))
        elif item.endswith("-"):
            here, after = np.array(point(item[:-1])), np.array(_one(items[index + 2]))
            out.append(tuple(here - (after - here)))
        else:
            out.append(point(item))
    return np.array(out)


def _one(item: Any) -> tuple[float, float]:
    return point(item) if isinstance(item, str) else at(*item)


@lru_cache(maxsize=1)
def _street_axes() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    frame = facts()["frame"]
    tilt = math.radians(frame["street_tilt_deg"])
    east = np.array([math.cos(tilt), math.sin(tilt)])
    return np.array(point(frame["street_origin"])), east, np.array([-east[1], east[0]])


def street(u: float, v: float) -> tuple[float, float]:
    """Return the EPSG:4548 position of street-frame metres (east, north of the service centre)."""
    origin, east, north = _street_axes()
    x, y = origin + u * east + v * north
    return float(x), float(y)


def street_box(u0: float, v0: float, u1: float, v1: float) -> shapely.Polygon:
    """Return a rectangle of the street frame."""
    return shapely.Polygon([street(u0, v0), street(u1, v0), street(u1, v1), street(u0, v1)])


def street_ring(points: list[list[float]]) -> shapely.Polygon:
    """Return a polygon drawn in the street frame."""
    return shapely.Polygon([street(u, v) for u, v in points])


def on_grid(shape: BaseGeometry) -> BaseGeometry:
    """Return a shape on the millimetre grid, in normal form.

    The grid itself is taken off again: it would also round the vertices that measuring adds.
    """
    return shapely.normalize(shapely.set_precision(shapely.set_precision(shape, PRECISION_M), 0))


def area(geometry: BaseGeometry) -> float:
    """Return the legal area: m² on the CGCS2000 ellipsoid."""
    return _ellipsoidal_area(geometry, f"EPSG:{EPSG}")


def areas(geometries: list[BaseGeometry]) -> np.ndarray:
    """Return the ellipsoidal areas of many polygons."""
    return np.array([area(geometry) for geometry in geometries])
