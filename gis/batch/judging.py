"""What is the answer for each row of a chunk?

The work of a batch, the same in this process, in a pool and on a cluster: rows in, one line of
JSON per row out. Equal rows, plan and wishes give equal bytes.
"""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import shapely

from gis.batch.building import build, name_of
from gis.batch.crop import Box, unpacked
from gis.batch.identity import plan_sha256
from gis.batch.rows import Origin, Problem, Row, Wishes, problem_of
from gis.canonical import canonical_json, finding_row
from gis.check import check_chunk
from gis.errors import InputError, PlanError
from gis.model import Site, SiteCheck
from gis.plan import Plan, load_plan
from gis.runners import Work

Answer: TypeAlias = dict[str, Any]


# --- what workers start with ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OpenPlan:
    """The plan that this process has open."""

    plan: Plan
    wishes: Wishes

    def start(self) -> Work:
        """Return the work on the plan as it is."""
        return partial(_work, self.plan, self.wishes)


@dataclass(frozen=True, slots=True)
class PlanFolder:
    """A plan package that each worker opens for itself; ``sha256`` is that of the plan meant."""

    root: Path
    sha256: str
    wishes: Wishes

    def start(self) -> Work:
        """Open the plan.

        Raises
        ------
        PlanError
            The folder holds another plan than the one that the batch was started with.
        """
        plan = load_plan(self.root)
        if plan_sha256(plan) != self.sha256:
            raise PlanError(
                "规划数据包在检测期间有改动，或与已打开的规划不同",
                advice="重新打开规划后再检测；只在内存中的规划用 workers=1",
            )
        return partial(_work, plan, self.wishes)


@dataclass(frozen=True, slots=True)
class CroppedPlan:
    """Each task brings the part of the plan that it needs."""

    wishes: Wishes

    def start(self) -> Work:
        """Return the work on what a task brings."""
        return partial(_work_on_crop, self.wishes)


def content_of(
    rows: Sequence[Row], origins: Sequence[Origin], crop: bytes = b"", box: Box | None = None
) -> bytes:
    """Return what a worker needs for some rows."""
    return pickle.dumps((list(rows), list(origins), crop, box), protocol=5)


def _work(plan: Plan, wishes: Wishes, content: bytes) -> bytes:
    rows, origins, _, _ = pickle.loads(content)
    return as_lines(judged(rows, origins, plan, wishes))


def _work_on_crop(wishes: Wishes, content: bytes) -> bytes:
    rows, origins, crop, box = pickle.loads(content)
    return as_lines(judged(rows, origins, unpacked(crop), wishes, box))


def as_lines(answers: Sequence[Answer]) -> bytes:
    """Return answers as lines of JSON in the order of their rows."""
    ordered = sorted(answers, key=lambda answer: int(answer["row"]))
    return b"".join(f"{canonical_json(answer)}\n".encode() for answer in ordered)


# --- rows ----------------------------------------------------------------------------------------


def judged(
    rows: Sequence[Row],
    origins: Sequence[Origin],
    plan: Plan,
    wishes: Wishes,
    box: Box | None = None,
    *,
    seen: Callable[[Row, SiteCheck], None] | None = None,
) -> list[Answer]:
    """Return the answer for each row, in order.

    Parameters
    ----------
    rows, origins
        Of one chunk, near each other.
    plan
        The whole plan, or what of it matters inside ``box``.
    wishes
        What the caller wants.
    box
        Where the plan is complete, with the reach of its rules; None everywhere. A site beyond it
        gets the answer ``again``: it has to be judged with the whole plan.
    seen
        Told every check with its row, for those who keep more than a line of a table; the checks
        then have outlines for showing.
    """
    built, plain = build(rows, origins, plan.crs_policy, wishes)
    answers: list[Answer] = [{} for _ in rows]
    at: list[int] = []
    for n, (row, site) in enumerate(zip(rows, built, strict=True)):
        if isinstance(site, Problem):
            answers[n] = refused(row, site)
        elif box is not None and not _holds(box, site):
            answers[n] = {"row": row.number, "again": True}
        else:
            at.append(n)
    sites = [site for n in at if isinstance(site := built[n], Site)]
    drawn = seen is not None
    for n, found in zip(at, _checks(sites, plan, wishes, geometry=drawn), strict=True):
        if isinstance(found, Problem):
            answers[n] = refused(rows[n], found)
        else:
            answers[n] = _answer(rows[n], found, wishes, plain=plain[n])
            if seen is not None:
                seen(rows[n], found)
    return answers


def refused(row: Row, problem: Problem) -> Answer:
    """Return the answer for a row that cannot be judged."""
    return {"row": row.number, "name": name_of(row), "problem": [problem.code, problem.message]}


def _checks(
    sites: Sequence[Site], plan: Plan, wishes: Wishes, *, geometry: bool
) -> Iterator[SiteCheck | Problem]:
    """Yield check after check; one site that is refused does not stop those behind it."""
    start = 0
    while start < len(sites):
        try:
            rest = sites[start:]
            for check in check_chunk(rest, plan, as_of=wishes.as_of, geometry=geometry):
                start += 1
                yield check
        except InputError as error:
            start += 1
            yield problem_of(error)


def _holds(box: Box, site: Site) -> bool:
    doubt = site.doubt
    others = () if doubt is None else doubt.others
    reach = 0.0 if doubt is None else doubt.reach_m
    west, south, east, north = shapely.total_bounds(
        np.array([site.geometry, *others], dtype=object)
    )
    return bool(
        west - reach >= box[0]
        and south - reach >= box[1]
        and east + reach <= box[2]
        and north + reach <= box[3]
    )


def _answer(row: Row, check: SiteCheck, wishes: Wishes, *, plain: bool) -> Answer:
    """Return what a table tells of a check.

    The outline of a plain row can be drawn again from the row and the CRS that it was read in.
    """
    site, rule = check.site, check.deciding_rule
    answer: Answer = {
        "row": row.number,
        "name": site.name,
        "verdict": check.verdict.value,
        "deciding_rule": rule,
        "reason": check.finding(rule).reason if rule else "",
        "use": site.use,
        "area_m2": round(site.area.ellipsoidal_m2, 2),
        "planar_m2": round(site.area.planar_m2, 2),
        "mu": round(site.area.mu, 4),
        "counts": _counts(check),
        "digest": check.digest,
    }
    if plain:
        answer["epsg"] = site.crs.source_epsg
    else:
        answer["wkb"] = shapely.to_wkb(site.geometry, hex=True, byte_order=1)
    if wishes.rules:
        answer["rules"] = {f.rule: f.verdict.value for f in check.findings}
    if wishes.findings:
        answer["findings"] = [finding_row(f) for f in check.findings]
    return answer


def _counts(check: SiteCheck) -> Mapping[str, int]:
    return dict(Counter(f.verdict.value for f in check.findings))
