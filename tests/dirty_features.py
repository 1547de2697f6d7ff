"""Plants one fault at a time in features of a clean layer: outlines, attributes, stated areas.

Each ``plant_*`` function changes the files of a package and returns what has to be found: code,
features, place and size. ``also`` are codes that follow from the fault: a parcel without geometry
leaves a gap.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import pairwise
from typing import Any

import geopandas
import numpy as np
import shapely
from dirty_package import (
    AREA,
    FAILED,
    MISFIT,
    Package,
    Planted,
    beside,
    edge,
    ellipsoidal,
    shared_edges,
)

# --- gaps, overlaps, slivers ---------------------------------------------------------------------


def _strip_planted(layer: str, code: str, ids: tuple, strip: Any, width: float) -> Planted:
    """Return what has to be found of a strip; under 10 cm it is a sliver and a warning."""
    if width < 0.1:
        return Planted(layer, f"{code}_sliver", "warning", ids, strip, ellipsoidal(strip))
    return Planted(layer, code, "error", ids, strip, ellipsoidal(strip))


def plant_gap(package: Package, layer: str, number: int, width: float) -> Planted:
    """Take a strip off a parcel along an edge, so that nobody has it."""
    row, other, strip = edge(package, layer, number, width, inward=True)
    frame = package.read(layer)
    shape = frame.geometry[row].difference(strip)
    own = package.set_shape(layer, row, shape)
    ids = (own, str(frame.loc[other, package.field(layer, "id")]))
    return _strip_planted(layer, "gap", ids, strip, width)


def plant_overlap(package: Package, layer: str, number: int, width: float) -> Planted:
    """Draw a parcel over the edge of its neighbour."""
    row, other, strip = edge(package, layer, number, width, inward=False)
    frame = package.read(layer)
    shape = frame.geometry[row].union(strip)
    own = package.set_shape(layer, row, shape)
    ids = (own, str(frame.loc[other, package.field(layer, "id")]))
    return _strip_planted(layer, "overlap", ids, strip, width)


def plant_hole(package: Package, layer: str, row: int, size: float) -> Planted:
    """Cut a square out of the middle of a parcel."""
    frame = package.read(layer)
    x, y = frame.geometry[row].representative_point().coords[0]
    hole = shapely.box(x - size / 2, y - size / 2, x + size / 2, y + size / 2)
    assert frame.geometry[row].covers(hole)
    own = package.set_shape(layer, row, frame.geometry[row].difference(hole))
    return Planted(layer, "gap", "error", (own,), hole, ellipsoidal(hole))


def plant_lost_parcel(package: Package, layer: str, row: int) -> Planted:
    """Delete a parcel."""
    frame = package.read(layer)
    lost = frame.geometry[row]
    package.write(layer, frame.drop(index=row).reset_index(drop=True))
    return Planted(layer, "gap", "error", None, lost, ellipsoidal(lost))


def plant_sliver_feature(package: Package, layer: str, number: int, width: float) -> Planted:
    """Make a strip of a parcel a feature of its own."""
    row, _, strip = edge(package, layer, number, width, inward=True)
    package.set_shape(layer, row, package.read(layer).geometry[row].difference(strip))
    frame = package.read(layer)
    extra = frame.iloc[[row]].copy()
    extra["geometry"] = [strip]
    extra[package.field(layer, "id")] = ["SLIVER1"]
    extra[package.field(layer, "area")] = [round(ellipsoidal(strip), 2)]
    joined = geopandas.pd.concat([frame, extra], ignore_index=True)
    package.write(layer, geopandas.GeoDataFrame(joined, crs=frame.crs))
    return Planted(layer, "sliver_feature", "warning", ("SLIVER1",), strip, ellipsoidal(strip))


def plant_outside(
    package: Package, layer: str, coverage: str, number: int, depth: float
) -> Planted:
    """Draw a feature over the border of the coverage."""
    frame, border = package.read(layer), package.read(coverage).geometry[0]
    found = 0
    for row in range(len(frame)):
        shape = frame.geometry[row]
        if shape.geom_type != "Polygon":
            continue
        xy = shapely.get_coordinates(shapely.orient_polygons(shape).exterior)
        for start, end in pairwise(xy):
            strip = beside(start, end, depth, inward=False)
            middle = shapely.Point((start + end) / 2)
            if np.hypot(*(end - start)) < 60 or border.boundary.distance(middle) > 1e-3:
                continue
            if border.intersection(strip).area > 1e-6:
                continue
            if found == number:
                own = package.set_shape(layer, row, shape.union(strip))
                is_sliver = depth < 0.1
                return Planted(
                    layer,
                    "outside_sliver" if is_sliver else "outside_coverage",
                    "warning",
                    (own,),
                    strip,
                    ellipsoidal(strip),
                )
            found += 1
    raise LookupError("no such edge")


def plant_duplicate(package: Package, layer: str, row: int) -> Planted:
    """Repeat a feature under another id."""
    frame = package.read(layer)
    extra = frame.iloc[[row]].copy()
    extra[package.field(layer, "id")] = ["TWICE1"]
    joined = geopandas.pd.concat([frame, extra], ignore_index=True)
    package.write(layer, geopandas.GeoDataFrame(joined, crs=frame.crs))
    shape = frame.geometry[row]
    is_polygon = package.entry(layer)["geometry"] == "polygon"
    partition = package.entry(layer)["role"] in ("landuse", "planned_use", "zone", "district")
    return Planted(
        layer,
        "geometry_duplicate",
        "error" if partition else "warning",
        (str(frame.loc[row, package.field(layer, "id")]), "TWICE1"),
        shape,
        ellipsoidal(shape) if is_polygon else float(shape.length),
    )


# --- geometries ----------------------------------------------------------------------------------


def plant_bow_tie(package: Package, layer: str, number: int, size: float) -> Planted:
    """Let the outline of a parcel cross itself on one of its edges."""
    frame = package.read(layer)
    long = [e for e in shared_edges(frame) if frame.geometry[e[0]].area > 5000]
    row, _, start, end = long[number]
    along = (end - start) / np.hypot(*(end - start))
    across = np.array([-along[1], along[0]])
    middle = (start + end) / 2
    ring = shapely.get_coordinates(shapely.orient_polygons(frame.geometry[row]).exterior)
    at = int(np.flatnonzero((ring[:-1] == start).all(axis=1))[0])
    loop = [
        middle - along * 2 * size,
        middle + along * size + across * size,
        middle - along * size + across * size,
        middle + along * 2 * size,
    ]
    crossed = shapely.Polygon(
        np.vstack([ring[: at + 1], loop, ring[at + 1 :]]), frame.geometry[row].interiors
    )
    own = package.set_shape(layer, row, crossed, restate=False)
    # From (-2s, 0) to (s, s) and from (-s, s) to (2s, 0): the two meet at (0, 2s / 3).
    place = shapely.Point(middle + across * size * 2 / 3)
    return Planted(layer, "geometry_invalid", "error", (own,), place, also=MISFIT | AREA | FAILED)


def plant_null_geometry(package: Package, layer: str, row: int) -> Planted:
    frame = package.read(layer)
    own = str(frame.loc[row, package.field(layer, "id")])
    frame.loc[row, "geometry"] = None
    package.write(layer, frame)
    return Planted(layer, "geometry_missing", "error", (own,), value=1.0, also=MISFIT | FAILED)


def plant_zero_length(package: Package, layer: str, row: int) -> Planted:
    frame = package.read(layer)
    x, y = frame.geometry[row].interpolate(0.5, normalized=True).coords[0]
    own = str(frame.loc[row, package.field(layer, "id")])
    frame.loc[row, "geometry"] = shapely.LineString([(x, y), (x, y)])
    package.write(layer, frame)
    return Planted(layer, "zero_length", "error", (own,), shapely.Point(x, y), 1.0)


# --- attributes ----------------------------------------------------------------------------------


def plant_value(
    package: Package, layer: str, what: str, row: int, value: Any, code: str, severity: str
) -> Planted:
    """Write a value into one of the key fields of a feature."""
    frame = package.read(layer)
    field = package.field(layer, what)
    frame[field] = frame[field].astype(object)
    frame.loc[row, field] = value
    package.write(layer, frame)
    own = str(frame.loc[row, package.field(layer, "id")])
    return Planted(layer, code, severity, (own,), frame.geometry[row], 1.0)


def plant_duplicate_id(package: Package, layer: str, row: int, other: int) -> Planted:
    frame = package.read(layer)
    field = package.field(layer, "id")
    own = str(frame.loc[row, field])
    frame.loc[other, field] = own
    package.write(layer, frame)
    place = shapely.union_all([frame.geometry[row], frame.geometry[other]])
    return Planted(layer, "id_duplicate", "error", (own,), place, 2.0, also=FAILED)


def plant_lost_field(package: Package, layer: str, what: str) -> Planted:
    field = package.field(layer, what)
    package.change(layer, lambda frame: frame.drop(columns=field))
    return Planted(
        layer, "field_missing", "error", (), also=FAILED if what != "area" else frozenset()
    )


# --- stated areas --------------------------------------------------------------------------------


def plant_area(
    package: Package, layer: str, rows: Collection[int], factor: float, decimals: int
) -> Planted:
    """Multiply stated areas: 15 / 10000 is mu for m², 1e-4 hectares."""
    frame = package.read(layer)
    field = package.field(layer, "area")
    for row in rows:
        frame.loc[row, field] = round(frame.loc[row, field] * factor, decimals)
    package.write(layer, frame)
    ids = tuple(str(frame.loc[row, package.field(layer, "id")]) for row in rows)
    place = shapely.union_all([frame.geometry[row] for row in rows])
    return Planted(layer, "area_unit", "error", ids, place, factor)


def plant_area_off(package: Package, layer: str, row: int, share: float) -> Planted:
    """State an area that is wrong by a share."""
    frame = package.read(layer)
    field = package.field(layer, "area")
    true = frame.loc[row, field]
    frame.loc[row, field] = round(true * (1 + share), 2)
    package.write(layer, frame)
    own = str(frame.loc[row, package.field(layer, "id")])
    is_large = abs(share) > 0.01
    return Planted(
        layer,
        "area_mismatch" if is_large else "area_differs",
        "error" if is_large else "warning",
        (own,),
        frame.geometry[row],
        true * share,
    )


def plant_planar(package: Package, layer: str) -> Planted:
    """State planar areas in the whole layer."""
    frame = package.read(layer)
    field, ids = package.field(layer, "area"), package.field(layer, "id")
    true = frame[field].to_numpy()
    frame[field] = frame.geometry.area.round(2)
    package.write(layer, frame)
    excess = frame[field].to_numpy() - true
    off = np.abs(excess) > 1.0
    return Planted(
        layer, "area_planar", "note", tuple(frame[ids][off]), None, float(excess[off].sum())
    )
