"""The peer of the benchmarks: the overlay with a plan's layers as a user would write it."""

from __future__ import annotations

import warnings

import geopandas

from gis.plan import Plan


def overlaid_m2(frame: geopandas.GeoDataFrame, plan: Plan) -> float:
    """Overlay a frame in the work CRS with every polygon layer; return the summed planar area."""
    total = 0.0
    for layer in plan.layers.values():
        if layer.info.geometry == "polygon" and layer.frame is not None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # lines and points where features touch
                cut = geopandas.overlay(frame, layer.frame[["geometry"]], keep_geom_type=True)
            total += float(cut.area.sum())
    return total
