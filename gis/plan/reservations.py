"""Which land of a plan is promised to a project, and how is a promise entered or released?

``reservations.jsonl`` in the plan package: one line per reservation or release, only ever added to
(``gis.plan.quota.journal``). A check never writes here. The outlines are internal to the bureau:
they serve for measuring and never leave in an answer, which carries names and areas only.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis.crs import ellipsoidal_area
from gis.errors import ClaimError, Fault, PlanError
from gis.model import Site
from gis.plan.areas import belongs
from gis.plan.quota.accounts import checked_use
from gis.plan.quota.cut import areas_of
from gis.plan.quota.journal import Journal, append, read_journal
from gis.plan.quota.register import Register, Reservation, is_storable, register_of
from gis.units import m2_to_ha

if TYPE_CHECKING:
    from gis.plan.area import Plan

FILE = "reservations.jsonl"
_GRID_M = 0.001  # outlines are stored to the millimetre
# Edges drawn twice make slivers, not overlaps: the tolerances of a rule that states none.
_SLIVER_M, _SLIVER_M2 = 0.1, 1.0
_LENGTHS = {"project": 200, "office": 200, "basis": 500, "note": 500, "reason": 500}
_LABELS = {
    "project": "项目名称",
    "office": "经办单位",
    "basis": "依据",
    "note": "备注",
    "reason": "释放原因",
}


def reservations(plan: Plan) -> Register:
    """Return the reservations of a plan as the file stands now.

    Read again when the file has changed, so that a running service sees what was added; otherwise
    this costs one look at the file's date and size.

    Raises
    ------
    PlanError
        The file cannot be read, or a line is broken, changed or missing; the line is named.
    """
    # Every check looks; a path costs more than the look.
    stamp = _stamp(f"{plan.register_folder}/{FILE}")
    known = _READ.get(plan)
    if known is None or known[0] != stamp:
        known = _READ[plan] = (stamp, _read(plan.register_folder / FILE, plan))
    if isinstance(known[1], PlanError):
        raise known[1].with_traceback(None)
    return known[1]


_Stamp = tuple[int, int, int, int] | None
_READ: WeakKeyDictionary[Plan, tuple[_Stamp, Register | PlanError]] = WeakKeyDictionary()


def _stamp(path: str) -> _Stamp:
    try:
        found = os.stat(path)  # noqa: PTH116 - of a text
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino


def _read(path: Path, plan: Plan) -> Register | PlanError:
    try:
        return register_of(read_journal(path), plan.work_epsg)
    except PlanError as problem:
        return problem


# --- what overlaps --------------------------------------------------------------------------------


def overlaps(
    geometry: BaseGeometry, entries: Iterable[Reservation], epsg: int
) -> list[tuple[Reservation, float]]:
    """Return the reservations that a polygon overlaps, with the overlap in m²; no slivers."""
    given = list(entries)
    if not given:
        return []
    shapes = np.array([entry.geometry for entry in given], dtype=object)
    entries = [given[n] for n in np.flatnonzero(shapely.intersects(shapes, geometry))]
    cuts = [shapely.intersection(entry.geometry, geometry) for entry in entries]
    return [
        (entry, math.fsum(areas_of(shapely.get_parts(cut), epsg)))
        for entry, cut in zip(entries, cuts, strict=True)
        if not is_sliver(cut)
    ]


def is_sliver(overlap: BaseGeometry) -> bool:
    """Whether an overlap is no more than edges drawn twice: every part of it small and narrow."""
    parts = shapely.get_parts(overlap)
    areas, lengths = shapely.area(parts), shapely.length(parts)
    small = (areas < _SLIVER_M2) & (2 * areas < _SLIVER_M * lengths)
    return bool((small | (areas == 0)).all())


# --- what is written ------------------------------------------------------------------------------


def reserve(
    plan: Plan,
    site: Site,
    *,
    project: str,
    on: date,
    use: str | None = None,
    office: str = "",
    basis: str = "",
    note: str = "",
    allow_overlap: bool = False,
    allow_doubt: bool = False,
) -> Reservation:
    """Enter a reservation and return it once it is on disk.

    Parameters
    ----------
    plan
        An opened plan package; the entry goes into its folder.
    site
        From ``read_site`` with this plan. Its outline is stored to the millimetre.
    project
        Name of the project.
    on
        The day of the reservation.
    use
        2023 land-use code; default the one of the site.
    office, basis, note
        Who reserves, on which document it rests, and what else is to be known.
    allow_overlap
        Enter it even where another reservation stands.
    allow_doubt
        Enter it even when the place of the site is uncertain; the note then says why.

    Raises
    ------
    ClaimError
        An unknown use, a text that cannot be stored, an outline that is no survey, or land that is
        reserved already.
    CrsError, OutsidePlanError
        The site was read for another plan, or lies outside this one.
    PlanError
        The file is broken, or the folder cannot be written.
    """
    note = _with_doubt(note, site, allow_doubt=allow_doubt)
    texts = _texts(project=project, office=office, basis=basis, note=note)
    outline = _stored(plan, site)
    chosen = checked_use(use if use is not None else site.use)

    def compose(journal: Journal) -> Mapping[str, Any]:
        standing = register_of(journal, plan.work_epsg).open
        if not allow_overlap:
            _refuse_overlap(overlaps(outline, standing, plan.work_epsg))
        return {
            "id": f"R{len(journal.lines) + 1:04d}",
            "action": "reserve",
            "project": texts["project"],
            "use": chosen,
            "crs": f"EPSG:{plan.work_epsg}",
            "geometry": _geojson(outline),
            "area_m2": round(ellipsoidal_area(outline, plan.work_epsg), 4),
            "reserved_on": on.isoformat(),
            "office": texts["office"],
            "basis": texts["basis"],
            "note": texts["note"],
            "plan": {"id": plan.ref.id, "version": plan.ref.version},
        }

    number = append(plan.register_folder / FILE, compose)
    return reservations(plan).get(f"R{number:04d}")


def release(
    plan: Plan, reservation_id: str, *, reason: str, on: date, office: str = ""
) -> Reservation:
    """Enter the release of a reservation and return the reservation as it stands then.

    Raises
    ------
    NotFoundError
        There is no such reservation.
    ClaimError
        It was released before, the day is before that of the reservation, or no reason is given.
    PlanError
        The file is broken, or the folder cannot be written.
    """
    texts = _texts(reason=reason, office=office)
    reservations(plan).get(reservation_id)  # a wrong number leaves no file behind

    def compose(journal: Journal) -> Mapping[str, Any]:
        found = register_of(journal, plan.work_epsg).get(reservation_id)
        if found.released_on is not None:
            raise ClaimError(
                f"预留{found.label}已于 {found.released_on} 释放", advice="核对预留编号"
            )
        if on < found.reserved_on:
            raise ClaimError(
                f"释放日期 {on} 早于预留{found.label}的日期",
                expected=f"{found.reserved_on} 或以后",
                advice="核对日期",
            )
        return {
            "id": reservation_id,
            "action": "release",
            "released_on": on.isoformat(),
            "reason": texts["reason"],
            "office": texts["office"],
            "plan": {"id": plan.ref.id, "version": plan.ref.version},
        }

    append(plan.register_folder / FILE, compose)
    return reservations(plan).get(reservation_id)


def _with_doubt(note: str, site: Site, *, allow_doubt: bool) -> str:
    """Return the note with why the place of the site is uncertain; refuse it unless allowed."""
    if site.doubt is None:
        return note
    if not allow_doubt:
        raise ClaimError(
            f"地块“{site.name}”的坐标不是测量成果（{site.doubt.reason}）",
            expected="实测坐标，如勘测定界界址点文件",
            advice="用实测坐标预留；确需先行预留时写明 allow_doubt=true",
        )
    return "；".join(filter(None, (note.strip(), f"坐标不是测量成果（{site.doubt.reason}）")))


def _texts(**given: str) -> dict[str, str]:
    """Return the texts without outer blanks; refuse what cannot be stored or read again."""
    found = {name: text.strip() for name, text in given.items()}
    for name, text in found.items():
        if not text and name in {"project", "reason"}:
            raise ClaimError(f"没有写明{_LABELS[name]}", advice=f"补充{_LABELS[name]}")
        if not is_storable(text):
            raise ClaimError(f"{_LABELS[name]}含有换行或控制字符", advice="改写为一行文字")
        if len(text) > _LENGTHS[name]:
            raise ClaimError(
                f"{_LABELS[name]}有 {len(text)} 个字", expected=f"不超过 {_LENGTHS[name]} 个字"
            )
    return found


def _stored(plan: Plan, site: Site) -> BaseGeometry:
    """Return the outline as it is stored."""
    belongs(site, plan)
    snapped = shapely.set_precision(site.geometry, _GRID_M)
    if snapped.is_empty or snapped.geom_type not in {"Polygon", "MultiPolygon"}:
        raise ClaimError(f"地块“{site.name}”取整到毫米后没有面积", advice="核对坐标单位")
    # As it will be read: a snapped geometry keeps its grid, and would measure on it as well.
    return shapely.geometry.shape(_geojson(snapped))


def _refuse_overlap(found: Sequence[tuple[Reservation, float]]) -> None:
    if not found:
        return
    rows = [Fault(r.id, f"与{r.label}重叠 {m2_to_ha(m2):,.4f} 公顷") for r, m2 in found]
    raise ClaimError(
        "；".join(row.message for row in rows[:3]),
        expected="没有其他未释放预留的土地",
        advice="调整范围或先释放原预留；确需重叠预留时写明 allow_overlap=true",
        faults=rows,
    )


def _geojson(outline: BaseGeometry) -> dict[str, Any]:
    rings = {
        part: [np.round(shapely.get_coordinates(ring), 3).tolist() for ring in shapely.get_rings(p)]
        for part, p in enumerate(shapely.get_parts(outline))
    }
    if outline.geom_type == "Polygon":
        return {"type": "Polygon", "coordinates": rings[0]}
    return {"type": "MultiPolygon", "coordinates": list(rings.values())}
