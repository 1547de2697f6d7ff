"""``geopandas.sjoin`` with each layer, then the intersections of the pairs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import county
import geopandas
import numpy as np
import shapely
from job import Answers, Array, Engine, empty, gathered

from peers import geopandas_overlay
from peers.geopandas_overlay import Frames


def load(place: Path, parcels: Array) -> Callable[[], Answers]:
    """Read the layers."""
    prepared = geopandas_overlay.load(place, parcels)
    layers, frame = prepared.args  # type: ignore[attr-defined]  # a partial
    return partial(run, layers, frame)


def run(layers: Frames, frame: geopandas.GeoDataFrame) -> Answers:
    """Return the answers."""
    answers = empty(len(frame), len(county.POLYGONS))
    shapes = frame.geometry.to_numpy()
    for number, name in enumerate(county.POLYGONS):
        layer = layers[name]
        met = geopandas.sjoin(frame, layer, predicate="intersects")
        parcel, feature = met["parcel"].to_numpy(), met["feature"].to_numpy()
        right = layer.geometry.to_numpy()[feature]
        area = shapely.area(shapely.intersection(shapes[parcel], right))
        gathered(parcel, np.full(len(met), number), feature, area, answers)
    return geopandas_overlay.with_distances(answers, layers, frame)


ENGINES = {"geopandas-sjoin": Engine("geopandas-sjoin", load, ("geopandas", "shapely"), 2_000)}
