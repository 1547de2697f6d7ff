"""What a check answers: findings, contacts, remedies, impact, and the whole check."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from gis.model.measures import CrossRow, Evidence, LayerReport
from gis.model.record import quickly_made
from gis.model.rules import Basis
from gis.model.site import Remark, Site
from gis.model.words import GeoJson, Verdict
from gis.viewable import Viewable


@dataclass(frozen=True, slots=True)
class Measured:
    """The number that a finding shows: value with unit, and share of the site where it has one."""

    kind: str
    value: float
    unit: str
    share: float | None = None


@quickly_made
@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule says about the site. ``decides`` is False on a layer whose law is changing.

    ``geometry`` is what the rule marks: an opaque object in the work CRS as evaluated, GeoJSON in
    longitude/latitude in a whole check; ``layers`` are all those whose borders it may show, the
    first is ``layer``.
    """

    rule: str
    title: str
    verdict: Verdict
    layer: str | None
    measure: Measured | None
    threshold: str
    reason: str
    basis: tuple[Basis, ...]
    origin: str
    office: str
    remedy: str
    priority: int
    decides: bool = True
    geometry: Any = None
    title_en: str = ""
    layers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Contact:
    """A sliver, listed with the rule that left it out.

    ``geometry`` is the sliver: an opaque object in the work CRS as evaluated, GeoJSON in
    longitude/latitude in a whole check.
    """

    layer: str
    rule: str
    area_m2: float
    width_m: float
    geometry: Any = None


@quickly_made
@dataclass(frozen=True, slots=True)
class Remedy:
    """What would make the site comply with the rules it names.

    ``kind``: ``trim`` (the largest part that complies), ``shift`` (the same outline, moved) or
    ``procedure`` (what to apply for, and where). ``rules`` are those that pass once it is done,
    ``rule`` the worst of them; ``verdict`` is the verdict of the whole check on the new outline, as
    the engine found it. ``geometry`` is the new outline: an opaque object in the work CRS as
    offered, GeoJSON in longitude/latitude in a whole check;
    ``area_m2`` its ellipsoidal area, ``lost_m2`` what a trim gives up, ``shift_m`` how far and
    ``bearing_deg`` in which direction (clockwise from grid north) a shift goes. ``layers`` are
    those that the new outline keeps clear of, so whose borders it may show.
    """

    rule: str
    text: str
    kind: str = "procedure"
    rules: tuple[str, ...] = ()
    office: str = ""
    verdict: Verdict | None = None
    geometry: Any = None
    area_m2: float | None = None
    lost_m2: float | None = None
    shift_m: float | None = None
    bearing_deg: float | None = None
    layers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClassTaken:
    """One land class of what a site takes, m²."""

    cls: str
    name: str
    area_m2: float


@quickly_made
@dataclass(frozen=True, slots=True)
class Impact:
    """What the site takes from one of the plan's scarce budgets, in m² of ellipsoidal area.

    ``area_m2`` is what it takes of the land that is still free, None when that cannot be known;
    ``covered_m2`` is all that it covers. Of that ``used_m2`` is construction land already (None
    where that does not matter), ``reserved_m2`` is promised to others, named in ``held_by``,
    and about ``unknown_m2`` nobody knows. ``total_m2`` is what the plan has in all,
    ``free_before_m2`` and ``free_after_m2`` what is left; ``shortfall_m2`` does not fit any more.
    ``exceeded`` is None when nobody can tell. Shares are 0-1 and belong to budgets that have one.
    ``text`` says all of it in a sentence, and why something is unknown.
    """

    id: str
    title: str
    area_m2: float | None
    total_m2: float | None = None
    covered_m2: float | None = None
    used_m2: float | None = None
    reserved_m2: float | None = None
    unknown_m2: float = 0.0
    free_before_m2: float | None = None
    free_after_m2: float | None = None
    shortfall_m2: float | None = None
    share_before: float | None = None
    share_after: float | None = None
    exceeded: bool | None = None
    held_by: tuple[str, ...] = ()
    classes: tuple[ClassTaken, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class PlanRef:
    """The version of the plan that an answer rests on."""

    id: str
    version: str
    title: str
    status: str
    status_note: str = ""

    def to_dict(self) -> dict[str, str]:
        """Return plain JSON values, as every answer cites the plan."""
        return {
            "id": self.id,
            "version": self.version,
            "title": self.title,
            "status": self.status,
            "status_note": self.status_note,
        }


@dataclass(frozen=True, slots=True)
class OutOfScope:
    """A topic that this plan package does not check at all, printed on every answer."""

    topic: str
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class SiteCheck(Viewable):
    """The whole answer for one site; the same object stands behind JSON, map, report and record.

    ``breakdown`` divides a corridor by current land class and planned zone.
    ``outline`` is the site as GeoJSON in longitude/latitude, for showing only. ``digest`` is the
    SHA-256 of the decision part (``gis.canonical``); ``gis.canonical.to_dict`` gives the JSON.
    """

    id: str
    verdict: Verdict
    deciding_rule: str | None
    site: Site
    evidence: tuple[Evidence, ...]
    findings: tuple[Finding, ...]
    contacts: tuple[Contact, ...]
    layers: tuple[LayerReport, ...]
    impact: tuple[Impact, ...]
    remedies: tuple[Remedy, ...]
    as_of: date
    plan: PlanRef
    rulebook_id: str
    rulebook_sha256: str
    out_of_scope: tuple[OutOfScope, ...] = ()
    outline: GeoJson | None = None
    breakdown: tuple[CrossRow, ...] = ()
    digest: str = ""

    @property
    def warnings(self) -> tuple[Remark, ...]:
        """Defects of this input."""
        return self.site.warnings

    def finding(self, rule: str) -> Finding:
        """Return the finding of one rule; raise KeyError when the rule is not in force."""
        for found in self.findings:
            if found.rule == rule:
                return found
        raise KeyError(rule)

    def to_frame(self) -> Any:
        """Return a data frame with one row per finding, in the order of the answer.

        Columns ``verdict, label, rule, title, layer, value, unit, share, reason, remedy, office,
        decides``.
        """
        import pandas as pd

        rows = [
            {
                "verdict": f.verdict.value,
                "label": f.verdict.label,
                "rule": f.rule,
                "title": f.title,
                "layer": f.layer,
                "value": f.measure.value if f.measure else None,
                "unit": f.measure.unit if f.measure else None,
                "share": f.measure.share if f.measure else None,
                "reason": f.reason,
                "remedy": f.remedy,
                "office": f.office,
                "decides": f.decides,
            }
            for f in self.findings
        ]
        return pd.DataFrame(rows)
