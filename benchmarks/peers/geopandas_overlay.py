"""``geopandas.overlay`` with each layer, and ``sjoin_nearest``: the way a user would write it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import county
import geopandas
import numpy as np
from job import Answers, Array, Engine, empty, gathered

Frames = dict[str, geopandas.GeoDataFrame]


def load(place: Path, parcels: Array) -> Callable[[], Answers]:
    """Read the layers; their trees are built, as a second call would find them."""
    layers = county.read(place)
    for name, layer in layers.items():
        layers[name] = layer[["geometry"]].assign(feature=np.arange(len(layer)))
        _ = layers[name].sindex
    frame = geopandas.GeoDataFrame(
        {"parcel": np.arange(len(parcels))}, geometry=parcels, crs=county.EPSG
    )
    return partial(run, layers, frame)


def run(layers: Frames, frame: geopandas.GeoDataFrame) -> Answers:
    """Return the answers."""
    answers = empty(len(frame), len(county.POLYGONS))
    for number, name in enumerate(county.POLYGONS):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # lines and points where features touch
            cut = geopandas.overlay(frame, layers[name], keep_geom_type=True)
        parcel, feature = cut["parcel"].to_numpy(), cut["feature"].to_numpy()
        column = np.full(len(cut), number)
        gathered(parcel, column, feature, cut.area.to_numpy(), answers)
    return with_distances(answers, layers, frame)


def with_distances(answers: Answers, layers: Frames, frame: geopandas.GeoDataFrame) -> Answers:
    """Fill in the distances to the nearest road."""
    near = geopandas.sjoin_nearest(frame, layers["roads"], distance_col="away")
    near = near.drop_duplicates("parcel")
    answers.distance[near["parcel"]] = near["away"]
    return answers


ENGINES = {"geopandas-overlay": Engine("geopandas-overlay", load, ("geopandas", "shapely"), 2_000)}
