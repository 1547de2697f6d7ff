"""What of a check may leave the house? Documents without coordinates above the secrecy ceiling.

Verdicts, areas and texts always stay; only outlines that would show where a layer lies are taken
out. Nothing is drawn or written here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gis.model import may_show

if TYPE_CHECKING:
    from gis.plan.area import Plan

Document = Mapping[str, Any]
_CLEAR = frozenset({"pass", "not_applicable"})


def without_geometry_of(document: Document, layers: Collection[str]) -> dict[str, Any]:
    """Return the document without the coordinates that show where the named layers lie.

    Verdicts, areas and texts stay. A part that lies on one layer and off another shows the borders
    of both, and a remedy those of all layers that it keeps clear of.
    """
    shaping = layers_shown(document)

    def shown(part: str) -> list[dict[str, Any]]:
        pairs = zip(document[part], shaping[part], strict=True)
        return [_without(row, "geometry") if own & set(layers) else dict(row) for row, own in pairs]

    return {**document, **{part: shown(part) for part in shaping}}


def without_geometry(document: Document) -> dict[str, Any]:
    """Return the document without any outline: of the site, findings, contacts and remedies."""
    bare = {
        part: [_without(row, "geometry") for row in document[part]]
        for part in ("findings", "contacts", "remedies")
    }
    return {**document, "site": {**document["site"], "geometry": None}, **bare}


def layers_shown(document: Document) -> dict[str, list[frozenset[str]]]:
    """Return for each finding, remedy and contact the layers whose borders its geometry may show.

    Records of earlier versions name one layer for a finding and none for a remedy; there a remedy
    may show all that stands against the site.
    """
    findings = document["findings"]
    of_rule = {f["rule"]: _layers_of(f) for f in findings}
    against = [of_rule[f["rule"]] for f in findings if f["verdict"] not in _CLEAR]
    earlier = frozenset[str]().union(*against)
    found = {
        "findings": [of_rule[f["rule"]] for f in findings],
        "remedies": [
            frozenset(r["layers"]) if "layers" in r else earlier for r in document["remedies"]
        ],
    }
    if "contacts" in document:
        found["contacts"] = [
            _layers_of(c) | of_rule.get(c["rule"], frozenset()) for c in document["contacts"]
        ]
    return found


def _layers_of(row: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(row.get("layers", ())) | ({row["layer"]} if row["layer"] else set())


def _without(row: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {k: v for k, v in row.items() if k != key}


def public_documents(
    documents: Sequence[Document], plan: Plan | None, ceiling: str
) -> list[Document]:
    """Return the documents without coordinates of layers of the plan above the ceiling."""
    infos = [layer.info for layer in plan.layers.values()] if plan else []
    hidden = frozenset(i.id for i in infos if not may_show(i.secrecy, ceiling))
    return [without_geometry_of(d, hidden) for d in documents] if hidden else list(documents)
