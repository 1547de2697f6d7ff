"""What was decided, as a stored document says it? The decision part, taken out of the document.

It is the same as ``gis.digest.decision_text`` of the check that the document was made from, so
a document proves its own digest, also in records from before the chain.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gis.canonical import canonical_json

_HEAD = ("verdict", "deciding_rule", "as_of")
_FINDING = ("rule", "verdict", "layer", "measure", "origin", "decides")
_CONTACT = ("layer", "rule", "area_m2", "width_m")
_LAYER = ("id", "state", "content_sha256")


def decision_in(document: Mapping[str, Any]) -> str:
    """Return the canonical JSON of the decision part of a document.

    Raises
    ------
    KeyError, TypeError
        The document is none.
    """
    site, plan = document["site"], document["plan"]
    return canonical_json(
        {
            **_part(document, _HEAD),
            "plan": _part(plan, ("id", "version")),
            "rulebook": _part(document["rulebook"], ("id", "sha256")),
            "site": {
                "area": _part(site["area"], ("ellipsoidal_m2", "planar_m2")),
                "claims": site["claims"],
            },
            "evidence": _ordered(document["evidence"]),
            "findings": _ordered(_part(f, _FINDING) for f in document["findings"]),
            "contacts": _ordered(_rounded(_part(c, _CONTACT)) for c in document["contacts"]),
            "layers": _ordered(_part(layer, _LAYER) for layer in document["layers"]),
        }
    )


def _part(row: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: row[name] for name in names}


def _ordered(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(rows, key=canonical_json)


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    return {k: round(v, 2) + 0.0 if isinstance(v, float) else v for k, v in row.items()}
