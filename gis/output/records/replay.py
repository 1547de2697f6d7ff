"""Does a record still give the same decision? The site as it was stored, and the check once more.

The outline is exact (WKB in the work CRS), so the replay of a record on the plan that it rests on
gives the same digest to the last byte.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import shapely
from shapely.errors import ShapelyError
from shapely.geometry.base import BaseGeometry

from gis.check import check_site
from gis.crs import ellipsoidal_area
from gis.digest import decision_text
from gis.model import Area, CrsDecision, Doubt, Site, Source, Verdict
from gis.output.records.failures import damaged
from gis.output.records.kept import Record
from gis.output.records.tables import BEFORE_THE_CHAIN
from gis.plan import Plan


@dataclass(frozen=True, slots=True)
class Replay:
    """A decision given once more: its digest, its verdict, and its canonical JSON."""

    digest: str
    verdict: Verdict
    deciding_rule: str | None
    decision: str


def replay(record: Record, plan: Plan) -> Replay:
    """Return the decision of a record as a plan gives it now, for the day of the record.

    Raises
    ------
    InputError
        The plan cannot judge the site, because it has another work CRS or lies elsewhere.
    StoreDamagedError
        The record does not say what was asked.
    """
    check = check_site(site_of(record), plan, as_of=day_of(record), remedies=False, geometry=False)
    return Replay(check.digest, check.verdict, check.deciding_rule, decision_text(check))


def day_of(record: Record) -> date:
    """Return the day of the law of a record; raise StoreDamagedError when it names none."""
    try:
        return date.fromisoformat(record.as_of)
    except ValueError:
        raise damaged("这条记录的依据日期") from None


def site_of(record: Record) -> Site:
    """Return the site of a record in the work CRS, with what was claimed about it.

    A record from before the chain does not say how wide a corridor was; its outline is exact.

    Raises
    ------
    StoreDamagedError
        The record has no outline, or says in no known way what was asked.
    """
    try:
        inputs = record.inputs or _inputs_of(record.document)
        return _site(record, inputs)
    except (KeyError, TypeError, ValueError, ShapelyError):
        raise damaged("这条记录中的地块") from None


def _site(record: Record, inputs: Mapping[str, Any]) -> Site:
    crs = CrsDecision(**inputs["crs"])
    outline = shapely.from_wkb(record.geometry_wkb)
    if outline is None:
        raise ValueError("no outline")
    return Site(
        name=inputs["name"],
        geometry=outline,
        area=Area(ellipsoidal_area(outline, crs.work_epsg), float(outline.area)),
        crs=crs,
        source=Source("record", record.id, record.upload_sha256),
        use=inputs["use"],
        corridor_width_m=inputs["corridor_width_m"],
        doubt=_doubt(inputs["doubt"]),
        claims=inputs["claims"],
    )


def _doubt(row: Mapping[str, Any] | None) -> Doubt | None:
    if row is None:
        return None
    others: tuple[BaseGeometry, ...] = tuple(shapely.from_wkb(hexes) for hexes in row["others"])
    return Doubt(row["reason"], row["reach_m"], others)


def _inputs_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a document of the time before the chain says of what was asked."""
    site = document["site"]
    if not site["crs"].get("survey_grade", True):
        # Where else the site may lie is not in the document, and the decision rests on it.
        raise ValueError("no alternatives")
    work = int(site["crs"]["work"].removeprefix("EPSG:"))
    return {
        "name": site["name"],
        "use": site["claims"].get("use"),
        "claims": site["claims"],
        "corridor_width_m": None,
        "crs": {"source_epsg": work, "work_epsg": work, "how": site["crs"]["how"], "shift": ""},
        "doubt": None,
    }


def is_replayable(record: Record) -> bool:
    """Return whether a record holds all that its decision rests on."""
    return record.format != BEFORE_THE_CHAIN and bool(record.inputs)
