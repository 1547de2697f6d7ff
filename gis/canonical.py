"""A check as JSON: one shape for API, files and records, and the part of it that was decided.

The decision part holds what decides and nothing else: no clock, host, path, text or random id.
Equal input, plan and rule book give equal bytes, whatever process computed them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gis.model import (
    Contact,
    CrossRow,
    Evidence,
    Finding,
    Impact,
    LayerReport,
    Remark,
    Remedy,
    Site,
    SiteCheck,
)

SCHEMA_VERSION = "1"
METRES, SHARES = 2, 6  # decimals of areas and lengths, and of shares


def _m(value: float | None) -> float | None:
    # + 0.0 turns -0.0 into 0.0, which would be other bytes.
    return None if value is None else round(value, METRES) + 0.0


def _s(value: float | None) -> float | None:
    return None if value is None else round(value, SHARES) + 0.0


def _drop_none(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if value is not None}


def to_dict(check: SiteCheck) -> dict[str, Any]:
    """Return the check as plain JSON values; the contract of ``POST /v1/site-checks``."""
    return document_of(
        check, [finding_row(f) for f in check.findings], [layer_row(r) for r in check.layers]
    )


def document_of(
    check: SiteCheck,
    findings: Sequence[Any],
    layers: Sequence[Any],
    evidence: Sequence[Any] | None = None,
) -> dict[str, Any]:
    """Return the check as plain JSON values around given rows of findings, layers, evidence."""
    touched = [_evidence(e) for e in check.evidence] if evidence is None else evidence
    return {
        "schema_version": SCHEMA_VERSION,
        "id": check.id,
        "verdict": check.verdict.value,
        "verdict_label": check.verdict.label,
        "verdict_en": check.verdict.label_en,
        "deciding_rule": check.deciding_rule,
        "site": _site(check),
        "evidence": touched,
        "findings": findings,
        "contacts": [contact_row(c) | _located(c.geometry) for c in check.contacts],
        "layers": layers,
        "impact": [impact_row(i) for i in check.impact],
        "breakdown": [_breakdown(row) for row in check.breakdown],
        "remedies": [_remedy(r) for r in check.remedies],
        "warnings": _remarks(check.warnings),
        "out_of_scope": [{"topic": o.topic, "reason": o.reason} for o in check.out_of_scope],
        "as_of": check.as_of.isoformat(),
        "plan": check.plan.to_dict(),
        "rulebook": {"id": check.rulebook_id, "sha256": check.rulebook_sha256},
        "digest": check.digest,
    }


def decision_part(check: SiteCheck) -> dict[str, Any]:
    """Return what was decided, rounded and ordered, as the digest sees it."""
    return {
        **decision_head(check, check.site),
        # In an order of their own: the order of the layers in a plan file decides nothing.
        "evidence": _ordered(_evidence(e) for e in check.evidence),
        "findings": _ordered(_decided(f) for f in check.findings),
        "contacts": _ordered(rounded(contact_row(c)) for c in check.contacts),
        "layers": _ordered(
            {"id": r.info.id, "state": r.state.value, "content_sha256": r.content_sha256}
            for r in check.layers
        ),
    }


def decision_head(check: SiteCheck, site: Site) -> dict[str, Any]:
    """Return what the decision part says beside its lists."""
    return {
        "verdict": check.verdict.value,
        "deciding_rule": check.deciding_rule,
        "as_of": check.as_of.isoformat(),
        "plan": {"id": check.plan.id, "version": check.plan.version},
        "rulebook": {"id": check.rulebook_id, "sha256": check.rulebook_sha256},
        "site": {
            "area": {
                "ellipsoidal_m2": _m(site.area.ellipsoidal_m2),
                "planar_m2": _m(site.area.planar_m2),
            },
            "claims": dict(sorted(site.claims.items())),
        },
    }


def _ordered(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=canonical_json)


def canonical_json(value: Any) -> str:
    """Return the canonical JSON text: keys sorted, no blanks, UTF-8, no NaN."""
    return _encode(value)


_encode = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
).encode


def deciding_finding(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the finding of a document that decided, None when everything passes."""
    rule = document["deciding_rule"]
    return next((f for f in document["findings"] if rule and f["rule"] == rule), None)


def traced_mark(document: Mapping[str, Any]) -> str:
    """Return the words that stand beside a verdict on a site that nobody surveyed; else nothing.

    Records of earlier versions do not say it; they knew survey coordinates only.
    """
    return "" if document["site"]["crs"].get("survey_grade", True) else "非测量成果，仅供参考"


# --- rows ----------------------------------------------------------------------------------------


def _remarks(remarks: Iterable[Remark]) -> list[dict[str, str]]:
    return [{"code": r.code, "message": r.message} for r in remarks]


def _site(check: SiteCheck) -> dict[str, Any]:
    site = check.site
    return {
        "name": site.name,
        "area": {
            "ellipsoidal_m2": _m(site.area.ellipsoidal_m2),
            "planar_m2": _m(site.area.planar_m2),
            "mu": round(site.area.mu, 4),
            "ha": round(site.area.ha, 6),
        },
        "crs": {
            "source": site.crs.source,
            "work": f"EPSG:{site.crs.work_epsg}",
            "how": site.crs.how,
            "survey_grade": site.doubt is None,
        },
        "claims": dict(site.claims),
        "notes": _remarks(site.notes),
        "source": {
            "kind": site.source.kind,
            "name": site.source.name,
            "sha256": site.source.sha256,
        },
        "geometry": check.outline,
    }


def _evidence(e: Evidence) -> dict[str, Any]:
    row = {
        "layer": e.layer,
        "class": e.cls,
        "name": e.name,
        "kind": e.kind,
        "area_m2": e.area_m2,
        "planar_m2": e.planar_m2,
        "length_m": e.length_m,
        "count": e.count,
        "distance_m": e.distance_m,
        "share": e.share,
        "feature_ids": list(e.feature_ids),
    }
    return rounded(row)


def finding_numbers(f: Finding) -> dict[str, Any] | None:
    """Return what a finding measured as JSON values, None where it measured nothing."""
    m = f.measure
    if m is None:
        return None
    return rounded({"kind": m.kind, "value": m.value, "unit": m.unit, "share": m.share})


def finding_row(f: Finding) -> dict[str, Any]:
    """Return a finding as JSON values, as it stands in an answer."""
    row = {
        "rule": f.rule,
        "title": f.title,
        "title_en": f.title_en,
        "verdict": f.verdict.value,
        "verdict_label": f.verdict.label,
        "verdict_en": f.verdict.label_en,
        "layer": f.layer,
        "layers": list(f.layers),
        "measure": finding_numbers(f),
        "threshold": f.threshold,
        "reason": f.reason,
        "basis": [b.to_dict() for b in f.basis],
        "origin": f.origin,
        "office": f.office,
        "remedy": f.remedy,
        "decides": f.decides,
    }
    return row | _located(f.geometry)


def _decided(f: Finding) -> dict[str, Any]:
    """Return a finding without geometry and texts."""
    return {
        "rule": f.rule,
        "verdict": f.verdict.value,
        "layer": f.layer,
        "measure": finding_numbers(f),
        "origin": f.origin,
        "decides": f.decides,
    }


def _located(geometry: Any) -> dict[str, Any]:
    return {"geometry": geometry} if geometry else {}


def contact_row(c: Contact) -> dict[str, Any]:
    """Return a sliver without its place, as the decision part has it."""
    return {
        "layer": c.layer,
        "rule": c.rule,
        "area_m2": _m(c.area_m2),
        "width_m": round(c.width_m, 3),  # slivers are often thinner than a centimetre
    }


def _remedy(r: Remedy) -> dict[str, Any]:
    """Return a remedy; what does not belong to its kind is left out."""
    row = {
        "kind": r.kind,
        "rule": r.rule,
        "rules": list(r.rules or (r.rule,)),
        "text": r.text,
        "office": r.office or None,
        "verdict": r.verdict.value if r.verdict else None,
        "verdict_label": r.verdict.label if r.verdict else None,
        "area_m2": _m(r.area_m2),
        "lost_m2": _m(r.lost_m2),
        "shift_m": _m(r.shift_m),
        "bearing_deg": _m(r.bearing_deg),
        "layers": list(r.layers) if r.geometry else None,
    }
    return _drop_none(row) | _located(r.geometry)


def layer_row(r: LayerReport) -> dict[str, Any]:
    """Return the state of a layer as JSON values, as it stands in an answer."""
    return {
        "id": r.info.id,
        "title": r.info.title,
        "state": r.state.value,
        "vintage": r.info.vintage,
        "status": r.info.status,
        "law_status": r.info.law_status,
        "content_sha256": r.content_sha256,
        "uncovered_share": _s(r.uncovered_share),
        "reason": r.reason,
    }


def impact_row(i: Impact) -> dict[str, Any]:
    """Return what a site takes from one budget as plain JSON values; null is unknown."""
    return {
        "id": i.id,
        "title": i.title,
        "area_m2": _m(i.area_m2),
        "total_m2": _m(i.total_m2),
        "covered_m2": _m(i.covered_m2),
        "used_m2": _m(i.used_m2),
        "reserved_m2": _m(i.reserved_m2),
        "unknown_m2": _m(i.unknown_m2),
        "free_before_m2": _m(i.free_before_m2),
        "free_after_m2": _m(i.free_after_m2),
        "shortfall_m2": _m(i.shortfall_m2),
        "share_before": _s(i.share_before),
        "share_after": _s(i.share_after),
        "exceeded": i.exceeded,
        "held_by": list(i.held_by),
        "classes": [{"class": c.cls, "name": c.name, "area_m2": _m(c.area_m2)} for c in i.classes],
        "text": i.text,
    }


def _breakdown(row: CrossRow) -> dict[str, Any]:
    return rounded(
        {
            "land_class": row.first,
            "land_class_name": row.first_name,
            "zone": row.second,
            "zone_name": row.second_name,
            "area_m2": row.area_m2,
            "share": row.share,
        }
    )


def rounded(row: dict[str, Any]) -> dict[str, Any]:
    """Round the numbers of one row: shares to 1e-6, everything else to 0.01."""
    return {
        key: (_s(value) if key == "share" else _m(value)) if isinstance(value, float) else value
        for key, value in row.items()
    }
