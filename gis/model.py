"""The words of the work as frozen types: site, layer, evidence, rule, finding, verdict, check.

Data only: no file is read, nothing is measured, no geometry library is imported. A geometry is
carried as an opaque object (shapely, in the work CRS of the plan) or, where it is shown, as a
GeoJSON mapping in longitude/latitude.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from gis.units import m2_to_ha, m2_to_mu

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

GeoJson = Mapping[str, Any]
Claim = str | float | bool


class Verdict(StrEnum):
    """Outcome of a rule or of a check; ``not_applicable`` never decides."""

    PASS = "pass"
    CONDITIONAL = "conditional"
    UNDETERMINED = "undetermined"
    FAIL = "fail"
    NOT_APPLICABLE = "not_applicable"

    @property
    def label(self) -> str:
        """The Chinese word that users read."""
        return _LABELS[self]

    @property
    def rank(self) -> int:
        """Worst is highest; ``not_applicable`` is lowest."""
        return _RANKS[self]


_LABELS = {
    Verdict.PASS: "符合",
    Verdict.CONDITIONAL: "有条件符合",
    Verdict.UNDETERMINED: "需核实",
    Verdict.FAIL: "不符合",
    Verdict.NOT_APPLICABLE: "不涉及",
}
_RANKS = {
    Verdict.NOT_APPLICABLE: 0,
    Verdict.PASS: 1,
    Verdict.CONDITIONAL: 2,
    Verdict.UNDETERMINED: 3,
    Verdict.FAIL: 4,
}


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst verdict; ``pass`` when nothing applies.

    >>> worst([Verdict.PASS, Verdict.FAIL, Verdict.NOT_APPLICABLE]).value
    'fail'
    """
    return max([Verdict.PASS, *verdicts], key=lambda v: v.rank)


class LayerState(StrEnum):
    """Whether a layer could answer for this site."""

    CHECKED = "checked"
    NO_DATA = "no_data"
    FAILED = "failed"


class Quantity(StrEnum):
    """What a rule wants measured against a layer."""

    INSIDE = "inside"  # area of the site on the layer
    OUTSIDE = "outside"  # area of the site off the layer
    LENGTH = "length"  # metres of line restriction on the site
    COUNT = "count"  # points on the site
    DISTANCE = "distance"  # metres from the site to the edge of the nearest feature


# --- the site ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Remark:
    """A note or warning: stable code and Chinese sentence."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Area:
    """One area by both formulas, in m²; mu and hectares come from the ellipsoidal one."""

    ellipsoidal_m2: float
    planar_m2: float

    @property
    def mu(self) -> float:
        """Mu, from the ellipsoidal area."""
        return m2_to_mu(self.ellipsoidal_m2)

    @property
    def ha(self) -> float:
        """Hectares, from the ellipsoidal area."""
        return m2_to_ha(self.ellipsoidal_m2)


@dataclass(frozen=True, slots=True)
class CrsDecision:
    """How the coordinates of an input were understood.

    ``how`` is ``declared`` (by the file), ``prefix`` (zone number in the easting), ``guessed``
    (from the bounds of the plan) or ``given`` (by the user).
    """

    source_epsg: int
    work_epsg: int
    how: str


@dataclass(frozen=True, slots=True)
class Source:
    """Where a site came from: kind of content, name shown to people, SHA-256 of the bytes."""

    kind: str
    name: str
    sha256: str


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """A candidate site: valid polygon in the work CRS with both areas.

    ``claims`` are statements of the applicant or of the file (use, plot ratio, declared area …),
    shown as such and never verified by the geometry.
    """

    name: str
    geometry: BaseGeometry
    area: Area
    crs: CrsDecision
    source: Source
    use: str | None = None
    claims: Mapping[str, Claim] = field(default_factory=dict)
    notes: tuple[Remark, ...] = ()
    warnings: tuple[Remark, ...] = ()


# --- layers and what was measured on them ---------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LayerInfo:
    """What the plan says about a layer; ``coverage`` is a layer id or ``bounds``."""

    id: str
    title: str
    role: str
    geometry: str
    vintage: str
    status: str
    law_status: str = "in_force"
    coverage: str = "bounds"
    scheme: str | None = None
    edition: str | None = None
    secrecy: str = "public"
    licence: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class LayerReport:
    """The state of one layer for one site.

    ``uncovered_share`` is the share of the site outside the declared coverage, None when the
    coverage itself is unknown.
    """

    info: LayerInfo
    state: LayerState
    content_sha256: str | None
    uncovered_share: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the site touches on one class of one layer, whatever the rules say.

    Lengths and distances in metres, areas in m², ``share`` 0-1 of the site's ellipsoidal area.
    """

    layer: str
    cls: str | None
    name: str | None
    kind: str
    area_m2: float | None = None
    planar_m2: float | None = None
    length_m: float | None = None
    count: int | None = None
    distance_m: float | None = None
    share: float | None = None
    feature_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Demand:
    """One thing that a rule wants measured.

    ``classes`` are exact class values, or prefixes ending in ``*``; empty means every class.
    ``within_m`` bounds the search of a distance. ``geometry`` asks for the overlap to be shown.
    """

    layer: str
    quantity: Quantity
    classes: tuple[str, ...] = ()
    width_tolerance_m: float = 0.1
    area_tolerance_m2: float = 1.0
    within_m: float = 0.0
    geometry: bool = False


@dataclass(frozen=True, slots=True)
class Sliver:
    """A part under both tolerances: width is 2 · area / perimeter."""

    area_m2: float
    width_m: float


@dataclass(frozen=True, slots=True)
class Near:
    """A feature near the site; ``edge_m`` is None when its half width is not known."""

    feature_id: str
    cls: str | None
    name: str | None
    axis_m: float
    edge_m: float | None


@dataclass(frozen=True, slots=True)
class Measure:
    """The answer to a demand.

    ``area`` is the full sum; ``decisive_m2`` leaves the slivers out and is what a threshold sees.
    """

    demand: Demand
    area: Area = Area(0.0, 0.0)
    share: float = 0.0
    decisive_m2: float = 0.0
    slivers: tuple[Sliver, ...] = ()
    length_m: float = 0.0
    count: int = 0
    near: tuple[Near, ...] = ()
    feature_ids: tuple[str, ...] = ()
    geometry: GeoJson | None = None


# --- rules and findings ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Document:
    """A legal document or plan; one text with its dates."""

    id: str
    title: str
    number: str
    issuer: str
    valid_from: date | None
    valid_to: date | None
    verified: bool
    checked_on: date | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Basis:
    """One article that a rule rests on, with the document it stands in."""

    document: Document
    article: str
    verified: bool

    @property
    def text(self) -> str:
        """Citation as printed, with 依据待核 where it is not verified."""
        number = f"（{self.document.number}）" if self.document.number else ""
        mark = "" if self.verified else "【依据待核】"
        return f"《{self.document.title}》{number}{self.article}{mark}"

    def to_dict(self) -> dict[str, str | bool | None]:
        """Return the citation as plain JSON values."""
        doc = self.document
        return {
            "document": doc.title,
            "number": doc.number,
            "article": self.article,
            "valid_from": doc.valid_from.isoformat() if doc.valid_from else None,
            "valid_to": doc.valid_to.isoformat() if doc.valid_to else None,
            "verified": self.verified,
        }


@dataclass(frozen=True, slots=True)
class Rule:
    """One dated rule; ``params`` is the typed parameter object of its kind.

    ``origin`` is statute, plan or assumption. ``effect_verified`` False, or an assumption, means
    that the worst outcome of the rule is ``undetermined``.
    """

    id: str
    title: str
    kind: str
    params: Any
    origin: str
    effect_verified: bool
    basis: tuple[Basis, ...]
    office: str
    priority: int
    valid_from: date | None
    valid_to: date | None
    checked_on: date
    remedy: str = ""
    layers: tuple[str, ...] = ()
    source_file: str = ""

    def in_force(self, as_of: date) -> bool:
        """Whether the rule applies on a day; ``valid_to`` is the last day."""
        begun = self.valid_from is None or self.valid_from <= as_of
        return begun and (self.valid_to is None or as_of <= self.valid_to)


@dataclass(frozen=True, slots=True)
class Measured:
    """The number that a finding shows: value with unit, and share of the site where it has one."""

    kind: str
    value: float
    unit: str
    share: float | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule says about the site. ``decides`` is False on a layer whose law is changing."""

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
    geometry: GeoJson | None = None


@dataclass(frozen=True, slots=True)
class Contact:
    """A sliver, listed with the rule that left it out."""

    layer: str
    rule: str
    area_m2: float
    width_m: float


@dataclass(frozen=True, slots=True)
class Remedy:
    """What would make the site compliant, with geometry where there is one."""

    rule: str
    text: str
    geometry: GeoJson | None = None


@dataclass(frozen=True, slots=True)
class Impact:
    """What the site takes from one of the plan's scarce budgets, in m² of ellipsoidal area."""

    id: str
    title: str
    area_m2: float
    total_m2: float | None = None


@dataclass(frozen=True, slots=True)
class PlanRef:
    """The version of the plan that an answer rests on."""

    id: str
    version: str
    title: str
    status: str
    status_note: str = ""


@dataclass(frozen=True, slots=True)
class OutOfScope:
    """A topic that this plan package does not check at all, printed on every answer."""

    topic: str
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class SiteCheck:
    """The whole answer for one site; the same object stands behind JSON, map, report and record.

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
