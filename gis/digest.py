"""What bytes stand for a decision? The canonical JSON of its part of a check, and their hash.

The same text as ``canonical_json`` of ``gis.canonical.decision_part``, written row by row: most
findings and layers are those of many sites, and their text is known.
"""

from __future__ import annotations

import hashlib
import math
from functools import lru_cache

from gis.canonical import METRES, SHARES, canonical_json, contact_row, decision_head, rounded
from gis.model import Evidence, Finding, LayerReport, SiteCheck, Verdict
from gis.written import Written


def digest(check: SiteCheck) -> str:
    """Return the SHA-256 of the canonical JSON of the decision part."""
    return hashlib.sha256(decision_text(check).encode()).hexdigest()


def decision_text(check: SiteCheck) -> str:
    """Return the canonical JSON of the decision part."""
    lists = {
        "contacts": _list([canonical_json(rounded(contact_row(c))) for c in check.contacts]),
        "evidence": _list([_evidence_text(e) for e in check.evidence]),
        "findings": _list(_decided_at_rest.each(check.findings, _finding_text)),
        "layers": _layers_text(check.layers),
    }
    head = {key: canonical_json(value) for key, value in decision_head(check, check.site).items()}
    return "{" + ",".join([f'"{k}":{v}' for k, v in sorted({**head, **lists}.items())]) + "}"


def _list(rows: list[str]) -> str:
    """Return a list in an order of its own."""
    rows.sort()
    return f"[{','.join(rows)}]"


def _evidence_text(e: Evidence) -> str:
    """Return the canonical JSON of a row of evidence, whose keys are sorted here."""
    return (
        f'{{"area_m2":{number_text(e.area_m2, METRES)},"class":{string_text(e.cls)},'
        f'"count":{number_text(e.count, METRES)},"distance_m":{number_text(e.distance_m, METRES)},'
        f'"feature_ids":[{",".join([string_text(i) for i in e.feature_ids])}],'
        f'"kind":{string_text(e.kind)},"layer":{string_text(e.layer)},'
        f'"length_m":{number_text(e.length_m, METRES)},"name":{string_text(e.name)},'
        f'"planar_m2":{number_text(e.planar_m2, METRES)},"share":{number_text(e.share, SHARES)}}}'
    )


def _finding_text(f: Finding) -> str:
    """Return the canonical JSON of what was decided by a rule."""
    return _decided_at_rest(f) if is_shared(f) else _written(f)


def is_shared(finding: Finding) -> bool:
    """Whether other sites may have the very finding: it has measured nothing."""
    m = finding.measure
    return finding.geometry is None and (m is None or not m.value)


def _written(f: Finding) -> str:
    m = f.measure
    if m is None:
        return _decided_text(f.rule, f.verdict, f.layer, f.origin, f.decides, None, None)
    text = _decided_text(f.rule, f.verdict, f.layer, f.origin, f.decides, m.kind, m.unit)
    return text % (number_text(m.share, SHARES), number_text(m.value, METRES))


_decided_at_rest = Written[Finding, str](_written)


def number_text(value: float | None, decimals: int) -> str:
    """Return a number as JSON writes it, rounded; whole ones stay whole."""
    if value is None:
        return "null"
    if type(value) is float:
        if _SMALLEST < value < _LARGEST:
            text = _FORMS[decimals] % value
            if text[-1] != "0":
                return text
            text = text.rstrip("0")
            return text if text[-1] != "." else f"{text}0"
        if math.isfinite(value):
            return repr(round(value, decimals) + 0.0)
    return canonical_json(value)


# Up to fifteen digits a number is the shortest text of itself, so that writing it with its decimals
# rounds as ``round`` does; smaller and larger ones are written with an exponent.
_SMALLEST, _LARGEST = 1e-4, 1e8
_FORMS = {METRES: "%.2f", SHARES: "%.6f"}


@lru_cache(maxsize=16_384)
def string_text(text: str | None) -> str:
    """Return a text as JSON writes it; for the few that stand in every answer."""
    return canonical_json(text)


@lru_cache(maxsize=8_192)
def _decided_text(
    rule: str,
    verdict: Verdict,
    layer: str | None,
    origin: str,
    decides: bool,
    kind: str | None,
    unit: str | None,
) -> str:
    """Return the text of a finding; with a measure it is a pattern for its share and value."""
    blank = {"kind": kind, "share": _BLANK, "unit": unit, "value": _BLANK}
    measure = None if kind is None else blank
    said = {"rule": rule, "verdict": verdict.value, "layer": layer, "measure": measure}
    text = canonical_json({**said, "origin": origin, "decides": decides})
    if kind is None:
        return text
    return text.replace("%", "%%").replace(f'"{_BLANK}"', "%s")


_BLANK = "\N{OBJECT REPLACEMENT CHARACTER}"


def _layers_of(layers: tuple[LayerReport, ...]) -> str:
    return _list([_layer_text(r.info.id, r.state.value, r.content_sha256) for r in layers])


_layers_text = Written[tuple[LayerReport, ...], str](_layers_of)


@lru_cache(maxsize=8_192)
def _layer_text(layer: str, state: str, sha256: str | None) -> str:
    return canonical_json({"id": layer, "state": state, "content_sha256": sha256})
