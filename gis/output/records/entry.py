"""What is kept of one answer? The document as answered, and all that a later replay needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gis.canonical import canonical_json
from gis.digest import decision_text

if TYPE_CHECKING:
    from gis.model import Doubt, Site, SiteCheck


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The canonical JSON of what answers rest on, and its SHA-256; see ``snapshot``."""

    content: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One answer, ready to be kept.

    ``document`` is ``gis.canonical.to_dict``, ``geometry_wkb`` the site in the work CRS,
    ``decision`` the canonical JSON of the decision part, ``inputs`` that of what was asked,
    ``snapshot`` what the answer rests on.
    """

    document: Mapping[str, Any]
    geometry_wkb: bytes | None = None
    decision: str = ""
    inputs: str = ""
    snapshot: Snapshot | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """The answers to one request, kept together or not at all.

    ``sha256`` is that of the bytes that came in, ``owner`` who asked (empty where the service knows
    nobody), ``request_id`` what the logs call the request.
    """

    entries: Sequence[Entry]
    sha256: str = ""
    owner: str = ""
    request_id: str = ""


def entry_of(
    check: SiteCheck, document: Mapping[str, Any], snapshot: Snapshot | None = None
) -> Entry:
    """Return what is kept of a check; ``document`` is its ``to_dict``."""
    return Entry(
        document=document,
        geometry_wkb=bytes(check.site.geometry.wkb),
        decision=decision_text(check),
        inputs=inputs_text(check.site),
        snapshot=snapshot,
    )


def inputs_text(site: Site) -> str:
    """Return what a replay needs of a site beside its outline, as canonical JSON."""
    crs = site.crs
    return canonical_json(
        {
            "name": site.name.encode("utf-8", "replace").decode(),
            "use": site.use,
            "claims": dict(site.claims),
            "corridor_width_m": site.corridor_width_m,
            "crs": {
                "source_epsg": crs.source_epsg,
                "work_epsg": crs.work_epsg,
                "how": crs.how,
                "shift": crs.shift,
            },
            "doubt": None if site.doubt is None else _doubt(site.doubt),
        }
    )


def _doubt(doubt: Doubt) -> dict[str, Any]:
    return {
        "reason": doubt.reason,
        "reach_m": doubt.reach_m,
        "others": [other.wkb_hex for other in doubt.others],
    }
