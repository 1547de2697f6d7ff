"""What does the card beside the map of one checked site say?

The verdict sentence first, then areas, findings with basis and remedy, layers, and what was not
checked. Formats the JSON document of a check; every verdict and number stands in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from gis.canonical import deciding_finding, traced_mark
from gis.model import Claim, Verdict, citation
from gis.model.attributes import ATTRIBUTES
from gis.output.contacts import contact_text
from gis.output.maps.card import (
    Row,
    geojson_bounds,
    status_mark,
    verdict_of,
    verdict_view,
    vintage_span,
)
from gis.output.maps.numbers import percent, short_area, with_unit
from gis.output.maps.remedies import outline_rows, procedure_rows
from gis.units import M2_PER_KM2, m2_to_mu

# Claims of a file that are no attributes.
_CLAIMS = {
    "use": "拟用途代码",
    "declared_area_m2": "文件填写的面积（平方米）",
    "land_class": "文件填写的地类编码",
    "land_use_text": "文件填写的地块用途",
    "plot_number": "文件填写的地块编号",
}
_GIST_LENGTH = 70
_MOST_PICTURES = 24
_ORIGINS = {"statute": "法律法规", "plan": "规划要求", "assumption": "假定条件"}
_NO_DATA = {
    "no_data": ("未检查", "无数据"),
    "failed": ("未检查", "数据读取失败"),
}


def site_card(
    document: Mapping[str, Any],
    secret: frozenset[str] = frozenset(),
    pictures: Sequence[str] = (),
) -> Row:
    """Return the rows of the card of one check.

    Parameters
    ----------
    document
        The JSON document of a check.
    secret
        Ids of layers whose geometry the page must not show.
    pictures
        The drawings of its contacts, from ``contact_pictures``.
    """
    site, plan = document["site"], document["plan"]
    titles = {layer["id"]: layer["title"] for layer in document["layers"]}
    findings = [finding_row(f, n, titles, secret) for n, f in enumerate(document["findings"])]
    decisive = [f for f in findings if f["verdict"]["id"] not in {"pass", "not_applicable"}]
    return {
        "name": site["name"],
        "verdict": verdict_view(document["verdict"]),
        "sentence": site_sentence(document),
        "areas": area_view(site["area"]),
        "claims": [claim_row(k, v) for k, v in sorted(site["claims"].items())],
        "chips": chips(findings),
        "decisive": decisive,
        "passed": [f for f in findings if f["verdict"]["id"] == "pass"],
        "idle": [f for f in findings if f["verdict"]["id"] == "not_applicable"],
        "evidence": [evidence_row(e, titles) for e in document["evidence"]],
        "impact": [impact_row(i) for i in document["impact"]],
        "remedies": outline_rows(document, secret),
        "procedures": procedure_rows(document),
        "contacts": contact_rows(document["contacts"], titles, pictures),
        # What was not checked stands first.
        "layers": sorted(map(layer_row, document["layers"]), key=lambda row: bool(row["checked"])),
        "unchecked": sum(r["state"] != "checked" for r in document["layers"]),
        "warnings": document["warnings"],
        "notes": site["notes"],
        "out_of_scope": document["out_of_scope"],
        "crs": site["crs"],
        "as_of": document["as_of"],
        "plan": plan,
        "mark": status_mark(plan["status"], plan["status_note"]),
        "rulebook": document["rulebook"],
        "digest": document["digest"],
        "vintage": vintage_span(row["vintage"] for row in document["layers"]),
    }


def site_sentence(document: Mapping[str, Any]) -> str:
    """Return what decided, as one sentence; the verdict word stands before it."""
    mark = traced_mark(document)
    return _decided(document) + (f"{mark}。" if mark else "")


def _decided(document: Mapping[str, Any]) -> str:
    deciding = deciding_finding(document)
    if deciding is None:
        count = sum(f["verdict"] == Verdict.PASS for f in document["findings"])
        return f"适用的 {count} 条规则全部符合。"
    more = sum(
        f["verdict"] == document["verdict"] and f["rule"] != deciding["rule"]
        for f in document["findings"]
    )
    also = f"；另有 {more} 项{verdict_of(document['verdict']).label}" if more else ""
    return f"{_gist(deciding)}{also}。"


def _gist(finding: Mapping[str, Any]) -> str:
    """Return the shortest honest reason: its first clause, or title and number where it is long."""
    sentences = [s for s in str(finding["reason"]).split("。") if s.strip()]
    # What is to be verified stands last in a reason, what is taken stands first.
    wanted = sentences[-1:] if finding["verdict"] == Verdict.UNDETERMINED else sentences[:1]
    clause = wanted[0].split("，拟建")[0].strip() if wanted else ""
    if len(clause) > _GIST_LENGTH:
        clause = clause.split("（")[0]
    if 0 < len(clause) <= _GIST_LENGTH:
        return clause
    measure = measure_text(finding.get("measure"))
    return f"{finding['title']}（{measure}）" if measure else str(finding["title"])


def area_view(area: Mapping[str, float]) -> Row:
    """Return the areas of the site as printed."""
    return {
        "mu": f"{area['mu']:,.2f}",
        "ha": f"{area['ha']:,.2f}",
        "m2": f"{area['ellipsoidal_m2']:,.2f}",
        "planar": f"{area['planar_m2']:,.2f}",
    }


def claim_row(key: str, value: Claim) -> Row:
    """Return one claim of the applicant."""
    attribute = ATTRIBUTES.get(key)
    if attribute is None:
        return {"title": _CLAIMS.get(key, key), "value": value}
    return {"title": attribute.label, "value": attribute.shown(value)}


def chips(findings: Sequence[Row]) -> list[Row]:
    """Return how many findings each verdict has, worst first."""
    order = sorted(Verdict, key=lambda v: -v.rank)
    counts = [(v, sum(f["verdict"]["id"] == v.value for f in findings)) for v in order]
    return [verdict_view(v) | {"count": n} for v, n in counts if n]


def measure_text(measure: Mapping[str, Any] | None) -> str:
    """Return a measured value as people read it: areas in mu and m², with the share."""
    if not measure or measure["value"] is None:
        return ""
    if measure["kind"] == "area" and measure["value"] == 0:
        return ""
    value, unit = measure["value"], measure["unit"]
    if unit in {"m2", "m²"}:
        metric = f"{value:,.2f} m²" if value < M2_PER_KM2 else short_area(value)
        text = f"{m2_to_mu(value):,.2f} 亩，{metric}"
    elif isinstance(value, int | float):
        text = with_unit(float(value), unit)
    else:
        text = f"{value} {unit}"
    if measure["kind"] == "distance":
        text = f"相距 {text}"
    share = percent(measure.get("share"))
    return f"{text}，占 {share}" if share else text


def finding_row(
    finding: Mapping[str, Any], number: int, titles: Mapping[str, str], secret: frozenset[str]
) -> Row:
    """Return one finding with everything that stands one tap away."""
    layer = finding.get("layer")
    is_secret = bool(secret & {layer, *finding.get("layers", ())})
    geometry = None if is_secret else finding.get("geometry")
    bounds = geojson_bounds(geometry)
    return {
        "key": f"f{number}",
        "rule": finding["rule"],
        "title": finding["title"],
        "verdict": verdict_view(finding["verdict"]),
        "measure": measure_text(finding.get("measure")),
        "threshold": finding["threshold"],
        "reason": finding["reason"],
        "basis": [basis_text(b) for b in finding["basis"]],
        "origin": _ORIGINS.get(finding["origin"], finding["origin"]),
        "office": finding["office"],
        "remedy": finding["remedy"],
        "layer": titles.get(layer, layer) if layer else "",
        "decides": finding.get("decides", True),
        "geometry": geometry if bounds else None,
        "hidden": bool(finding.get("geometry")) and is_secret,
    }


def basis_text(basis: Mapping[str, Any]) -> Row:
    """Return one citation; unverified ones carry 依据待核."""
    return {
        "text": citation(basis, marked=False),  # the page sets the mark apart
        "verified": basis["verified"],
        "from": basis.get("valid_from") or "",
    }


def evidence_row(evidence: Mapping[str, Any], titles: Mapping[str, str]) -> Row:
    """Return one row of what the site touches."""
    if evidence["kind"] == "length":
        amount = with_unit(evidence["length_m"], "m")
    elif evidence["kind"] == "count":
        amount = f"{evidence['count']} 个"
    elif evidence["kind"] == "distance":
        amount = "距 " + with_unit(evidence["distance_m"], "m")
    else:
        amount = with_unit(evidence["area_m2"], "m2")
    return {
        "layer": titles.get(evidence["layer"], evidence["layer"]),
        "what": evidence["name"] or evidence["class"] or "—",
        "amount": amount,
        "share": percent(evidence["share"]),
    }


def impact_row(impact: Mapping[str, Any]) -> Row:
    """Return what the site takes from one scarce budget; what is unknown never looks like nothing.

    Records of earlier versions have no sentence.
    """
    area, total = impact["area_m2"], impact["total_m2"]
    return {
        "title": impact["title"],
        "area": "未知" if area is None else short_area(area),
        "share": percent(area / total) if total and area is not None else "",
        "text": impact.get("text", ""),
    }


def contact_rows(
    contacts: Sequence[Mapping[str, Any]], titles: Mapping[str, str], pictures: Sequence[str]
) -> list[Row]:
    """Return the slivers as sentences, the first of them with a drawing."""
    drawn = [*pictures[:_MOST_PICTURES], *[""] * len(contacts)]
    return [
        # The drawing is ours, its texts are escaped where it is made.
        {"text": contact_text(c, titles.get(c["layer"], c["layer"])), "picture": Markup(picture)}
        for c, picture in zip(contacts, drawn, strict=False)
    ]


def layer_row(report: Mapping[str, Any]) -> Row:
    """Return the state of one layer; what was not checked never looks like fine."""
    checked = report["state"] == "checked"
    word, why = ("已检查", "") if checked else _NO_DATA.get(report["state"], ("未检查", ""))
    uncovered = report["uncovered_share"]
    partly = checked and bool(uncovered)
    return {
        "title": report["title"],
        "checked": checked and not partly,
        "word": "部分未覆盖" if partly else word,
        "why": report["reason"] or why,
        "vintage": report["vintage"],
        "uncovered": percent(uncovered) if partly else "",
        "changing": report["law_status"] == "changing",
    }
