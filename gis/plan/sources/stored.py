"""What does a store give of a layer? Its features as they stand there, whatever the store is.

Nothing is checked, repaired or moved here; ``gis.plan.catalogue`` does that for all stores alike.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import shapely
from pyproj import CRS

from gis.engine.index import Array


class LayerUnusableError(Exception):
    """Why a present layer cannot be used; becomes the reason of its ``failed`` state."""


class LayerAbsentError(Exception):
    """There is no such file or table; becomes the reason of the ``no_data`` state."""


@dataclass(slots=True)
class Stored:
    """Features as they are stored: fields by name, shapes, CRS.

    ``names`` are all fields that the store has, ``fields`` those that were read. ``crs`` is None
    where the store names none.
    """

    fields: Mapping[str, Array]
    shapes: Array
    crs: CRS | None
    names: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return the number of features."""
        return len(self.shapes)


@lru_cache(maxsize=64)
def crs_from(text: str) -> CRS:
    """Return the CRS that a text names; kept, because a plan has some dozens of layers."""
    return CRS.from_user_input(text)


@contextmanager
def quietly() -> Iterator[None]:
    """Keep libraries from warning on the screen about damaged data; the state gives the reason."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


def without_single_multis(shapes: Array) -> Array:
    """Return shapes with each multi-geometry of one part as that part.

    A shapefile writes such a feature as a polygon, most loaders of a database as a multipolygon;
    it is the same land, and has to get the same hash and the same answer.
    """
    multi = np.isin(shapely.get_type_id(shapes), (4, 5, 6))
    alone = multi & (shapely.get_num_geometries(shapes) == 1)
    if not alone.any():
        return shapes
    out = shapes.copy()
    out[alone] = shapely.get_geometry(shapes[alone], 0)
    return out
