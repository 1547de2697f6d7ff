"""The decision records as a collection: the outline of each checked site, with its verdict.

Who asks finds what they may see, by the same rule as ``/v1/site-checks``: a clerk its own, a
reviewer all. The oldest come first, so that paging goes on while others are added.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import shapely
import shapely.geometry

from api.ogc.columns import Columns, Field, objects
from api.ogc.references import Box, Reference, geojson
from api.ogc.sources import ASKING, Extent, Feature, Interval, Page, Wanted
from gis.crs import geographic_code
from gis.errors import NotFoundError
from gis.model import Verdict
from gis.output.records import Record
from gis.output.records.finding import between, by_number, count, numbers, overview
from gis.plan import Plan

Array = np.ndarray[Any, Any]

RECORDS = "records"
MAX_RECORDS = 1000

_FIELDS: Mapping[str, Field] = {
    "name": Field("地块名称"),
    "verdict": Field("结论代码"),
    "as_of": Field("依据日期", format="date"),
    "created_at": Field("检测时间（UTC）", format="date-time"),
    "plan_id": Field("规划"),
    "plan_version": Field("规划版本"),
    "digest": Field("摘要"),
    "verdict_label": Field("结论", is_queryable=False),
    "deciding_rule": Field("决定规则", is_queryable=False),
    "plan_status": Field("规划状态", is_queryable=False),
    "use": Field("用途代码", is_queryable=False),
    "area_m2": Field("椭球面积（平方米）", "number", is_queryable=False),
    "mu": Field("亩", "number", is_queryable=False),
    "ha": Field("公顷", "number", is_queryable=False),
}
_QUERYABLE = tuple(name for name, field in _FIELDS.items() if field.is_queryable)


class RecordSource:
    """The records that the caller of the present request may see."""

    title = "检测记录"
    description = (
        "检测过的地块及其结论；经办角色只看到本密钥或本科室的记录。"
        "完整结果见 /v1/site-checks/编号。"
    )
    keywords = ("检测记录", "选址")
    most = MAX_RECORDS
    has_dates = True
    fields = _FIELDS

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    @property
    def extent(self) -> Extent:
        """The bounds of the plan: a site outside them is not judged."""
        return self._plan.crs_policy.bounds

    @property
    def interval(self) -> Interval | None:
        """From the first to the last check that the caller may see; None before the first."""
        asking = ASKING.get()
        found = between(asking.state.store, owner=asking.visit.caller.sees)
        return None if found is None else (_instant(found[0]), _instant(found[1]))

    def page(self, wanted: Wanted) -> Page:
        """Return the records that are wanted."""
        asking = ASKING.get()
        store, owner = asking.state.store, asking.visit.caller.sees
        if wanted.is_plain:
            matched = count(store, owner=owner)
            found = numbers(store, wanted.offset, wanted.limit, owner=owner)
        else:
            rows = overview(store, owner=owner, outlines=wanted.box is not None)
            every = _matching(rows, wanted, self._plan.work_epsg)
            matched = len(every)
            found = every[wanted.offset : wanted.offset + wanted.limit]
        if wanted.is_count:
            return Page([], matched)
        return Page([self._feature(r, wanted) for r in by_number(store, found)], matched)

    def item(self, item_id: str, reference: Reference) -> Feature:
        """Return one record by its id."""
        asking = ASKING.get()
        asking.visit.note(item_id)
        try:
            record = asking.state.store.get(item_id, asking.visit.caller.may_see)
        except NotFoundError:
            raise _no_such_record() from None
        return self._feature(record, Wanted(reference))

    def _feature(self, record: Record, wanted: Wanted) -> Feature:
        geometry = None
        if wanted.has_geometry and (outline := record.document["site"]["geometry"]):
            # The outline of the document is in degrees, whatever the work CRS was at that time.
            shapes = np.array([shapely.geometry.shape(outline)], dtype=object)
            degrees = geographic_code(self._plan.work_epsg)
            (geometry,) = geojson(shapes, degrees, wanted.reference)
        values = _values(record)
        shown = wanted.shown or tuple(_FIELDS)
        return {
            "type": "Feature",
            "id": record.id,
            "geometry": geometry,
            "properties": {name: values[name] for name in _FIELDS if name in shown},
        }


def _instant(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _values(record: Record) -> dict[str, Any]:
    document = record.document
    area = document["site"]["area"]
    return {
        "name": record.name,
        "verdict": record.verdict,
        "as_of": record.as_of,
        "created_at": record.created_at,
        "plan_id": record.plan_id,
        "plan_version": record.plan_version,
        "digest": record.digest,
        "verdict_label": Verdict(record.verdict).label,
        "deciding_rule": document["deciding_rule"],
        "plan_status": document["plan"]["status"],
        "use": document["site"]["claims"].get("use"),
        "area_m2": area["ellipsoidal_m2"],
        "mu": area["mu"],
        "ha": area["ha"],
    }


def _matching(rows: Sequence[Any], wanted: Wanted, work_epsg: int) -> list[int]:
    """Return the numbers of the records that match, in order."""
    values = {name: objects([getattr(row, name) for row in rows]) for name in _QUERYABLE}
    columns = Columns(_FIELDS, values, len(rows))
    keep = columns.equal(wanted.equals)
    if wanted.condition is not None:
        keep &= columns.holds(wanted.condition)
    if wanted.period is not None:
        moments = [datetime.fromisoformat(text) for text in values["created_at"]]
        keep &= np.fromiter(map(wanted.period.holds, moments), bool, len(rows))
    if wanted.box is not None:
        keep &= _in_box(rows, wanted.box, work_epsg)
    at = columns.ordered(np.flatnonzero(keep), wanted.sort)
    return [int(rows[row].seq) for row in at]


def _in_box(rows: Sequence[Any], box: Box, work_epsg: int) -> Array:
    """Return which records have an outline that meets the box; records of old have none."""
    found = np.zeros(len(rows), dtype=bool)
    systems = np.array([_work_crs(row, work_epsg) for row in rows], dtype=int)
    for epsg in np.unique(systems[systems > 0]).tolist():
        at = np.flatnonzero(systems == epsg).tolist()
        outlines: list[bytes] = [rows[row].geometry_wkb for row in at]
        found[at] = box.meets(shapely.from_wkb(outlines, on_invalid="ignore"), epsg)
    return found


def _work_crs(row: Any, work_epsg: int) -> int:
    if row.geometry_wkb is None:
        return 0
    try:
        # The work CRS of the plan at that time; the present plan may have another.
        return int(json.loads(row.inputs)["crs"]["work_epsg"])
    except (ValueError, KeyError, TypeError):
        return work_epsg


def _no_such_record() -> NotFoundError:
    return NotFoundError(
        "没有这个编号的检测记录", expected="检测时返回的编号", advice="核对编号，或重新检测"
    )
