"""How does a layer look once land is added to it, taken off it, or another file takes its place?

On one layer every place has one class: land that is added belongs to its new class alone, so a
zone line is moved, and a development boundary enlarged, by drawing the land that changes hands.
Nothing is judged here, and the layer that is changed is never touched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import shapely
from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from gis.crs import ellipsoidal_area
from gis.engine.index import Array
from gis.errors import ClaimError
from gis.model import Site
from gis.plan.schema import LayerEntry
from gis.plan.sources.stored import Stored, without_single_multis
from gis.units import M2_PER

How = Literal["add", "remove", "replace"]
_HOWS = ("add", "remove", "replace")
# Land that a cut leaves of a feature and that is thinner than the drawing: rounding, no land.
_NO_LAND_M2 = 1e-4
_NEW_ID = "new-{:03d}"


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one layer.

    Parameters
    ----------
    layer
        Id of a layer of the plan.
    how
        ``add`` land (to the class ``cls``; other features of the layer give it up), ``remove``
        land from all features, or ``replace`` the whole layer.
    land
        A site, a polygon in the work CRS, or a file that ``read_sites`` reads. For ``replace`` a
        vector file with the fields that the plan names.
    cls
        Class of added land, as the layer writes it; needed where the layer has classes.
    name
        What the added land is called.
    """

    layer: str
    how: How
    land: Site | BaseGeometry | Path | str
    cls: str | None = None
    name: str | None = None


def check_change(change: Change, entry: LayerEntry | None, known: list[str]) -> LayerEntry:
    """Return the entry of the layer that is changed.

    Raises
    ------
    ClaimError
        No such layer or way, points or lines to be cut, or a class where none belongs.
    """
    if entry is None:
        raise ClaimError(f"没有图层“{change.layer}”", expected="、".join(known))
    if change.how not in _HOWS:
        raise ClaimError(f"改法为“{change.how}”", expected="add（划入）、remove（划出）或 replace")
    if change.how != "replace" and entry.geometry != "polygon":
        raise ClaimError(
            f"图层“{entry.title}”不是面，不能划入、划出",
            expected="面图层",
            advice="用 replace 换成另一个文件",
        )
    if change.how != "add" and (change.cls or change.name):
        raise ClaimError("只有划入（add）才写类别和名称", advice="去掉类别和名称")
    return entry


def with_land(raw: Stored, entry: LayerEntry, change: Change, land: BaseGeometry, epsg: int) -> int:
    """Add land to a layer, or take it off, in place; return how many features were cut or new.

    Parameters
    ----------
    raw
        The features in the work CRS, valid, with all their fields.
    entry
        What the plan says of the layer.
    change
        ``add`` or ``remove``.
    land
        Valid polygon in the work CRS.
    epsg
        EPSG code of the work CRS: the stated areas of cut features are those on its ellipsoid.

    Raises
    ------
    ClaimError
        The class is missing or not one of the layer, or the change changes nothing.
    """
    frame = pd.DataFrame({name: list(values) for name, values in raw.fields.items()})
    frame = frame.convert_dtypes()
    cut = shapely.area(shapely.intersection(raw.shapes, land)) > _NO_LAND_M2
    if change.how == "remove" and not cut.any():
        raise ClaimError(f"图层“{entry.title}”在所给范围内没有图形，划出不改变任何内容")
    shapes = raw.shapes.copy()
    shapes[cut] = _polygons_of(shapely.difference(shapes[cut], land))
    touched = cut.copy()
    if change.how == "add":
        row = _new_row(frame, entry, change)
        frame = pd.concat([frame, pd.DataFrame([row]).reindex(columns=frame.columns)])
        frame = frame.reset_index(drop=True)
        shapes = np.append(shapes, np.array([land], dtype=object))
        touched = np.append(touched, True)
    kept = shapely.area(shapes) > _NO_LAND_M2
    if not kept.any():
        raise ClaimError(f"划出后图层“{entry.title}”没有剩余图形", advice="缩小划出的范围")
    _restate(frame, entry, shapes, touched & kept, epsg)
    fields = {n: frame[n].to_numpy(dtype=object)[kept] for n in frame.columns}
    raw.shapes, raw.fields = without_single_multis(shapes[kept]), fields
    return int(touched.sum())


def _polygons_of(shapes: Array) -> Array:
    """Return what is left of polygons without the lines and points that a cut may leave."""
    out = np.empty(len(shapes), dtype=object)
    for n, shape in enumerate(shapes):
        parts = [p for p in shapely.get_parts(shape) if p.area > _NO_LAND_M2]
        out[n] = shapely.MultiPolygon(parts) if parts else shapely.Polygon()
    return out


def _new_row(frame: pd.DataFrame, entry: LayerEntry, change: Change) -> Mapping[str, Any]:
    """Return the attributes of added land, in the fields that the plan names."""
    names = entry.fields
    row: dict[str, Any] = {}
    if names.id:
        row[names.id] = _free_id(frame[names.id])
    if names.cls:
        row[names.cls] = _class_of(frame[names.cls], entry, change)
        if names.name and not change.name:
            row[names.name] = _usual_name(frame, names.cls, names.name, row[names.cls])
    if names.name and change.name:
        row[names.name] = change.name
    return row


def _free_id(column: pd.Series) -> Any:
    """Return an id that no feature has, of the kind that the column holds."""
    if pd.api.types.is_numeric_dtype(column):
        return column.max() + 1
    taken, number = {str(v) for v in column}, 1
    while _NEW_ID.format(number) in taken:
        number += 1
    return _NEW_ID.format(number)


def _class_of(column: pd.Series, entry: LayerEntry, change: Change) -> Any:
    known = {str(v): v for v in column.dropna().unique()}
    if change.cls is None and len(known) == 1:
        return next(iter(known.values()))
    if change.cls not in known:
        found = "没有写明划入土地的类别" if change.cls is None else f"没有类别“{change.cls}”"
        raise ClaimError(
            f"图层“{entry.title}”{found}",
            expected="、".join(sorted(known)),
            advice="写明其中一个类别",
        )
    return known[change.cls]


def _usual_name(frame: pd.DataFrame, cls: str, name: str, value: Any) -> Any:
    """Return what features of a class are called, where they are all called the same."""
    names = frame.loc[frame[cls] == value, name].dropna().unique()
    return names[0] if len(names) == 1 else None


def _restate(frame: pd.DataFrame, entry: LayerEntry, shapes: Array, cut: Array, epsg: int) -> None:
    """Write the areas of features that were cut or added into the column that states them."""
    column = entry.fields.area
    if column is None or column not in frame:
        return
    values = frame[column].astype(object)
    for n in np.flatnonzero(cut):
        m2 = ellipsoidal_area(shapes[n], epsg)
        values.iloc[n] = round(m2 / M2_PER[entry.fields.area_unit], 2)
    frame[column] = pd.to_numeric(values, errors="coerce")


def frame_of(raw: Stored, epsg: int) -> Any:
    """Return features as a GeoDataFrame in the work CRS, ready to be written."""
    import geopandas

    columns = {
        name: pd.Series(list(values)).convert_dtypes() for name, values in raw.fields.items()
    }
    return geopandas.GeoDataFrame(columns, geometry=list(raw.shapes), crs=CRS.from_epsg(epsg))
