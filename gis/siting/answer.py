"""What does a search answer: land by class, candidates, rules that bind, the nearest miss?

Frozen types with plain values; each becomes JSON by its ``to_dict``. Areas are ellipsoidal m²; land
counted by cells says so by the side of a cell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import shapely
from shapely.geometry.base import BaseGeometry

from gis.canonical import finding_row, impact_row
from gis.crs import to_lonlat
from gis.model import Finding, SiteCheck, Verdict
from gis.siting.criteria import Scored
from gis.siting.query import Query
from gis.units import m2_to_mu
from gis.viewable import Viewable

if TYPE_CHECKING:
    import geopandas

CLASS_LABELS = {
    "permitted": "可用",
    "conditional": "有条件可用",
    "undetermined": "需核实",
    "excluded": "不可用",
}


def areas(m2: float, prefix: str = "area") -> dict[str, float]:
    """Return an area in m² and mu as JSON values."""
    return {f"{prefix}_m2": round(m2, 2), f"{prefix}_mu": round(m2_to_mu(m2), 2)}


@dataclass(frozen=True, slots=True)
class RuleShare:
    """A rule with the land of one class that it makes so.

    ``finding`` is what it says of one kind of that land. Its sentence has the numbers of a sample,
    so that it is told only where it holds for all land alike: ``everywhere``.
    """

    rule: str
    title: str
    area_m2: float
    finding: Finding | None = None
    everywhere: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values: how much land, and what would have to be done."""
        said = _told(self.finding)
        if self.everywhere and self.finding is not None:
            said["reason"] = self.finding.reason
        return {"rule": self.rule, "title": self.title, **areas(self.area_m2), **said}


def _told(finding: Finding | None) -> dict[str, Any]:
    """Return what a rule asks for and what to do; a wish asks for what its title says."""
    return {
        "verdict": finding.verdict.value if finding else Verdict.FAIL.value,
        "verdict_label": finding.verdict.label if finding else Verdict.FAIL.label,
        "threshold": finding.threshold if finding else "",
        "reason": "",
        "remedy": finding.remedy if finding else "",
        "office": finding.office if finding else "",
    }


@dataclass(frozen=True, slots=True)
class LandClass:
    """Land of one class: how much, which rules make it so, where it lies (work CRS)."""

    id: str
    area_m2: float
    share: float
    rules: tuple[RuleShare, ...]
    geometry: BaseGeometry = field(compare=False, repr=False)

    @property
    def label(self) -> str:
        """The Chinese word for the class."""
        return CLASS_LABELS[self.id]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, without the geometry."""
        return {
            "class": self.id,
            "label": self.label,
            **areas(self.area_m2),
            "share": round(self.share, 6),
            "rules": [rule.to_dict() for rule in self.rules],
        }


@dataclass(frozen=True, slots=True)
class Feasible:
    """The land by class, counted on cells.

    ``everywhere`` are rules that say something of all land, wherever it lies: a procedure that
    every site needs, or a question that is open for all, so that no site complies before it is
    answered. They make no class; the classes tell one place from another. ``edge_m2`` is land along
    the border of what was looked at, on no whole cell. ``largest_m2`` is the largest connected
    piece of land that complies, perhaps under conditions, and is nowhere narrower than wished.
    """

    cell_m: float
    area_m2: float
    edge_m2: float
    classes: tuple[LandClass, ...]
    everywhere: tuple[RuleShare, ...]
    largest_m2: float
    note: str

    def of(self, name: str) -> LandClass:
        """Return one class: permitted, conditional, undetermined or excluded."""
        return next(c for c in self.classes if c.id == name)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "cell_m": round(self.cell_m, 3),
            **areas(self.area_m2),
            **areas(self.edge_m2, "edge"),
            **areas(self.largest_m2, "largest"),
            "classes": [c.to_dict() for c in self.classes],
            "everywhere": [rule.to_dict() for rule in self.everywhere],
            "note": self.note,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """An outline of the wanted size, checked like any site.

    ``rank`` counts from 1, 0 for a near miss; ``score`` is 0-1. ``costs`` are the findings that ask
    for something first, ``against`` those that leave the site open or fail it.
    """

    rank: int
    name: str
    check: SiteCheck
    scores: tuple[Scored, ...]
    score: float

    @property
    def verdict(self) -> Verdict:
        """The verdict of the check."""
        return self.check.verdict

    @property
    def geometry(self) -> BaseGeometry:
        """The outline in the work CRS."""
        return self.check.site.geometry

    @property
    def area_m2(self) -> float:
        """Ellipsoidal area."""
        return self.check.site.area.ellipsoidal_m2

    @property
    def costs(self) -> tuple[Finding, ...]:
        """What is to be done first."""
        return self._of(Verdict.CONDITIONAL)

    @property
    def against(self) -> tuple[Finding, ...]:
        """What leaves the site open or fails it."""
        return self._of(Verdict.FAIL) + self._of(Verdict.UNDETERMINED)

    def _of(self, verdict: Verdict) -> tuple[Finding, ...]:
        return tuple(f for f in self.check.findings if f.decides and f.verdict is verdict)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, the outline in longitude/latitude."""
        check = self.check
        return {
            "rank": self.rank,
            "name": self.name,
            "verdict": check.verdict.value,
            "verdict_label": check.verdict.label,
            "deciding_rule": check.deciding_rule,
            "score": round(self.score, 4),
            "criteria": [row.to_dict() for row in self.scores],
            **areas(self.area_m2),
            "vertices": _vertices(self.geometry),
            "costs": [_said(f) for f in self.costs],
            "against": [_said(f) for f in self.against],
            "impact": [impact_row(row) for row in check.impact],
            "digest": check.digest,
            "geometry": to_lonlat(self.geometry, check.site.crs.work_epsg),
        }


def _said(finding: Finding) -> dict[str, Any]:
    """Return a finding as in a check, without what it marks."""
    row = dict(finding_row(finding))
    row.pop("geometry", None)
    return row


def _vertices(outline: BaseGeometry) -> int:
    rings = shapely.get_rings(outline)  # the first corner of a ring is its last one, too
    return int(shapely.get_num_coordinates(rings).sum()) - len(rings)


@dataclass(frozen=True, slots=True)
class Binding:
    """A rule, or a wish, that keeps land from the site.

    ``excluded_m2`` it fails, ``open_m2`` it leaves open; ``alone_m2`` is both together: what it
    would keep from the site if there were no other rule. ``last_m2`` is what it and no other keeps
    from the site: what would be gained without it. ``geometry`` is all that it keeps from the site,
    in the work CRS; only the rules that bind most have it.
    """

    rule: str
    title: str
    excluded_m2: float
    open_m2: float
    last_m2: float
    finding: Finding | None = None
    geometry: BaseGeometry | None = field(default=None, compare=False, repr=False)

    @property
    def alone_m2(self) -> float:
        """What it keeps from the site by itself."""
        return self.excluded_m2 + self.open_m2

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        said = _told(self.finding)
        said.pop("reason")
        return {
            "rule": self.rule,
            "title": self.title,
            "kind": "rule" if self.finding else "wish",
            **said,
            **areas(self.excluded_m2, "excluded"),
            **areas(self.open_m2, "open"),
            **areas(self.alone_m2, "alone"),
            **areas(self.last_m2, "last"),
        }


@dataclass(frozen=True, slots=True, eq=False)
class NearestMiss:
    """What comes nearest where there is no site.

    ``largest_m2`` and ``missing_m2`` speak of permitted and conditional land; ``open_largest_m2``
    counts land that is to be verified as well. ``sites`` are outlines of the wanted size that fail
    least, each with its check.
    """

    text: str
    largest_m2: float
    missing_m2: float
    open_largest_m2: float
    sites: tuple[Candidate, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "text": self.text,
            **areas(self.largest_m2, "largest"),
            **areas(self.missing_m2, "missing"),
            **areas(self.open_largest_m2, "open_largest"),
            "sites": [site.to_dict() for site in self.sites],
        }


@dataclass(frozen=True, slots=True)
class Rejected:
    """An outline that was tried and not offered, and why."""

    reason: str
    rules: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"reason": self.reason, "rules": list(self.rules)}


@dataclass(frozen=True, slots=True, eq=False)
class SiteSearch(Viewable):
    """The whole answer to a search.

    ``candidates`` all pass, or comply under conditions, under ``check_site``; the best is first.
    ``nearest_miss`` is None when there are any. ``layers`` are those whose borders the land and the
    outlines may show. ``plan`` cites the plan as a check does.
    """

    query: Query
    feasible: Feasible
    candidates: tuple[Candidate, ...]
    binding: tuple[Binding, ...]
    nearest_miss: NearestMiss | None
    rejected: tuple[Rejected, ...]
    layers: frozenset[str]
    plan: Mapping[str, str]
    epsg: int

    @property
    def sites(self) -> tuple[Candidate, ...]:
        """The candidates, or the near misses where there are none."""
        return self.candidates or (self.nearest_miss.sites if self.nearest_miss else ())

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values: ``{query, feasible, candidates, binding, nearest_miss, …}``."""
        return {
            "query": self.query.to_dict(),
            "feasible": self.feasible.to_dict(),
            "candidates": [site.to_dict() for site in self.candidates],
            "binding": [row.to_dict() for row in self.binding],
            "nearest_miss": self.nearest_miss.to_dict() if self.nearest_miss else None,
            "rejected": [row.to_dict() for row in self.rejected],
            "plan": dict(self.plan),
        }

    def to_frame(self) -> geopandas.GeoDataFrame:
        """Return one row per candidate, or near miss, with outline and scores, in the work CRS.

        The column ``candidate`` tells them apart; a criterion is a column with its value, and one
        named ``…_score`` with its score.
        """
        import geopandas

        rows = [_frame_row(site) for site in self.sites]
        columns = [*(rows[0] if rows else _COLUMNS)]
        outlines = [site.geometry for site in self.sites]
        return geopandas.GeoDataFrame(rows, columns=columns, geometry=outlines, crs=self.epsg)


_COLUMNS = ("rank", "name", "candidate", "verdict", "deciding_rule", "score", "area_mu")


def _frame_row(site: Candidate) -> dict[str, object]:
    head = (site.rank, site.name, site.rank > 0, site.verdict.value, site.check.deciding_rule,
            site.score, m2_to_mu(site.area_m2))  # fmt: skip
    told = {row.criterion.id: row.value for row in site.scores}
    marks = {f"{row.criterion.id}_score": row.score for row in site.scores}
    return {**dict(zip(_COLUMNS, head, strict=True)), **told, **marks}
