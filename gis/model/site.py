"""A candidate site and how it was understood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gis.model.words import Claim
from gis.units import m2_to_ha, m2_to_mu

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry


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
    (from the bounds of the plan) or ``given`` (by the user). ``shift`` is ``GCJ-02`` or ``BD-09``
    when the numbers were those of a web map and have been put back by its public formula.
    """

    source_epsg: int
    work_epsg: int
    how: str
    shift: str = ""

    @property
    def source(self) -> str:
        """Name of the coordinates as the input has them."""
        return self.shift or f"EPSG:{self.source_epsg}"


@dataclass(frozen=True, slots=True, eq=False)
class Doubt:
    """Why the position of a site is not survey grade, and where it may lie instead.

    ``reach_m`` is how far the outline may be off in any direction; ``others`` are outlines in the
    work CRS that are as likely as the one in use, because the datum of the input is in doubt.
    """

    reason: str
    reach_m: float
    others: tuple[BaseGeometry, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """Where a site came from: kind of content, name shown to people, SHA-256 of the bytes."""

    kind: str
    name: str
    sha256: str


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """A candidate site: valid polygon in the work CRS with both areas.

    ``corridor_width_m`` is set when the input was a line: a road or pipe project.
    ``claims`` are statements of the applicant or of the file (use, plot ratio, declared area …),
    shown as such and never verified by the geometry. ``doubt`` is None for survey-grade input.
    """

    name: str
    geometry: BaseGeometry
    area: Area
    crs: CrsDecision
    source: Source
    use: str | None = None
    corridor_width_m: float | None = None
    doubt: Doubt | None = None
    claims: Mapping[str, Claim] = field(default_factory=dict)
    notes: tuple[Remark, ...] = ()
    warnings: tuple[Remark, ...] = ()
