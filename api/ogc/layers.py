"""A layer of the plan as a collection: attributes as they are stored, coordinates of the work CRS.

A layer that could not be read, or whose coordinates are above the secrecy ceiling, is no
collection: an empty answer would look like "nothing lies there".
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import shapely

from api.ogc.columns import Columns, Field, field_type, objects
from api.ogc.references import Reference, geojson
from api.ogc.sources import Extent, Feature, Interval, Page, Wanted
from api.ogc.vintages import span_of
from api.routers.plan import uses_of_zone
from gis.crs import geographic_code, transform
from gis.errors import NotFoundError
from gis.model import LayerState
from gis.plan import Plan
from gis.plan.catalogue import Layer
from gis.plan.schema import STATUS_LABELS

Array = np.ndarray[Any, Any]

MAX_FEATURES = 5000
_USES = {
    "permitted": "准入的用途代码",
    "conditional": "有条件准入的用途代码",
    "prohibited": "禁止的用途代码",
}


def layer_sources(plan: Plan, hidden: frozenset[str]) -> dict[str, LayerSource]:
    """Return the collections of a plan by id, without layers that may not be shown."""
    return {
        layer_id: LayerSource(plan, layer)
        for layer_id, layer in plan.layers.items()
        if layer_id not in hidden and layer.state is LayerState.CHECKED
    }


class LayerSource:
    """The features of one layer."""

    most = MAX_FEATURES
    has_dates = False

    def __init__(self, plan: Plan, layer: Layer) -> None:
        self._plan = plan
        self._info = layer.info
        self._index = layer.index

    @property
    def title(self) -> str:
        """The title of the layer."""
        return self._info.title

    @property
    def description(self) -> str:
        """Source, age and legal force."""
        info = self._info
        status = STATUS_LABELS.get(info.status, info.status)
        parts = [
            info.source,
            f"现势性 {info.vintage}",
            f"状态：{status}",
            self._plan.ref.status_note,
        ]
        return "；".join(part.rstrip("。；") for part in parts if part) + "。"

    @property
    def keywords(self) -> tuple[str, ...]:
        """Title of the plan, and of the layer."""
        return (self._plan.ref.title, self._info.title)

    @cached_property
    def extent(self) -> Extent:
        """The box of all features in degrees; the bounds of the plan where there are none."""
        if not len(self._index):
            return self._plan.crs_policy.bounds
        box = shapely.box(*shapely.total_bounds(self._index.geometries))
        work = self._plan.work_epsg
        edges = box.segmentize(max(box.length, 1.0) / 256)
        west, south, east, north = transform(edges, work, geographic_code(work)).bounds
        return west, south, east, north

    @property
    def interval(self) -> Interval | None:
        """The year, month or day of the layer; None when its vintage names none."""
        return span_of(self._info.vintage)

    @cached_property
    def fields(self) -> Mapping[str, Field]:
        """Class and name, the half width of lines, further fields, and the uses of a zone."""
        values = self._values
        titles = {"class": "类别代码", "name": "名称", "half_width": "半宽（米）"}
        titles |= {f"uses_{key}": title for key, title in _USES.items()}
        numbers = {"half_width": "number"}
        return {
            name: Field(titles.get(name, name), numbers.get(name) or field_type(column))
            for name, column in values.items()
        }

    def page(self, wanted: Wanted) -> Page:
        """Return the features that are wanted, in the order of their ids unless sorted."""
        index = self._index
        keep = self._columns.equal(wanted.equals)
        if wanted.condition is not None:
            keep &= self._columns.holds(wanted.condition)
        if wanted.box is not None:
            keep &= wanted.box.meets(index.geometries, self._plan.work_epsg)
        at = self._columns.ordered(np.flatnonzero(keep), wanted.sort)
        shown = at[:0] if wanted.is_count else at[wanted.offset : wanted.offset + wanted.limit]
        return Page(self._features(shown, wanted), len(at))

    def item(self, item_id: str, reference: Reference) -> Feature:
        """Return one feature by its id."""
        at = np.flatnonzero(self._index.ids == item_id)
        if not len(at):
            raise NotFoundError(
                f"图层“{self._info.title}”中没有这个编号的要素",
                expected="要素清单中的编号",
                advice=f"清单见 /ogc/collections/{self._info.id}/items",
            )
        return self._features(at, Wanted(reference))[0]

    def _features(self, at: Array, wanted: Wanted) -> list[Feature]:
        index = self._index
        drawn: list[Any] = [None] * len(at)
        if wanted.has_geometry:
            drawn = geojson(index.geometries[at], self._plan.work_epsg, wanted.reference)
        values = self._values
        names = [n for n in values if not wanted.shown or n in wanted.shown]
        return [
            {
                "type": "Feature",
                "id": index.ids[row],
                "geometry": geometry,
                "properties": {name: values[name][row] for name in names},
            }
            for row, geometry in zip(at, drawn, strict=True)
        ]

    @cached_property
    def _columns(self) -> Columns:
        return Columns(self.fields, self._values, len(self._index))

    @cached_property
    def _values(self) -> dict[str, Array]:
        index = self._index
        values = {key: _one_type(column) for key, column in index.values.items()}
        values |= {"class": index.classes, "name": index.names}
        if self._info.geometry == "line":
            halves = index.half_widths.tolist()
            values["half_width"] = objects([h if np.isfinite(h) else None for h in halves])
        if self._info.role == "zone":
            values |= self._uses()
        return values

    def _uses(self) -> dict[str, Array]:
        """Return what the zone x use matrix says of the zone of each feature."""
        zones = [cls or id_ for cls, id_ in zip(self._index.classes, self._index.ids, strict=True)]
        uses = {zone: uses_of_zone(self._plan, zone) for zone in set(zones)}
        return {
            f"uses_{key}": objects([",".join(uses[zone][key]) for zone in zones]) for key in _USES
        }


def _one_type(column: Array) -> Array:
    """Return a column with numbers only, or with texts only."""
    if field_type(column) == "number":
        return column
    return objects([f"{v:g}" if isinstance(v, float) else v for v in column])
