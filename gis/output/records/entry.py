"""What is kept of one answer? The document as answered, and all that a later replay needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gis.canonical import canonical_json
from gis.digest import decision_text
from gis.json_text import json_bytes
from gis.output.records.chain import Hashed

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

    ``document`` is ``gis.canonical.to_dict``; where ``text`` is that document written down already
    (``gis.json_text.json_bytes``), its head is enough. ``geometry_wkb`` is the site in the work
    CRS, ``decision`` the canonical JSON of the decision part, ``inputs`` that of what was asked,
    ``snapshot`` what the answer rests on.
    """

    document: Mapping[str, Any]
    geometry_wkb: bytes | None = None
    decision: str = ""
    inputs: str = ""
    snapshot: Snapshot | None = None
    text: bytes = b""


@dataclass(frozen=True, slots=True)
class Submission:
    """The answers to one request, kept together or not at all.

    ``sha256`` is that of the bytes that came in, ``owner`` who asked (empty where the service knows
    nobody), ``request_id`` what the logs call the request. ``rows`` are the answers as they will be
    stored (``rows.made_ready``); empty: the store makes them when it writes.
    """

    entries: Sequence[Entry]
    sha256: str = ""
    owner: str = ""
    request_id: str = ""
    rows: Sequence[Hashed] = ()


def entry_of(
    check: SiteCheck, document: Mapping[str, Any] | None = None, snapshot: Snapshot | None = None
) -> Entry:
    """Return what is kept of a check; ``document`` is its ``to_dict`` where that is at hand."""
    return Entry(
        document=_head(check) if document is None else document,
        geometry_wkb=bytes(check.site.geometry.wkb),
        decision=decision_text(check),
        inputs=inputs_text(check.site),
        snapshot=snapshot,
        text=json_bytes(check) if document is None else b"",
    )


def _head(check: SiteCheck) -> dict[str, Any]:
    """Return what a row tells of a document, as it stands there."""
    return {
        "id": check.id,
        "site": {"name": check.site.name, "source": {"sha256": check.site.source.sha256}},
        "verdict": check.verdict.value,
        "digest": check.digest,
        "plan": {"id": check.plan.id, "version": check.plan.version},
        "as_of": check.as_of.isoformat(),
    }


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
