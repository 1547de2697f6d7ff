"""A check as JSON, for those who only send it on: the bytes of its document, written sooner.

Most findings of a check, and the states of its layers, are those of many sites and the very same
objects each time. Their text is known; of the others only what belongs to the site is written.
"""

from __future__ import annotations

import json
from dataclasses import replace
from json.encoder import encode_basestring as _quoted
from typing import TypeVar

from gis.canonical import METRES, SHARES, document_of, finding_row, layer_row
from gis.digest import is_shared, number_text, string_text
from gis.model import Contact, Evidence, Finding, LayerReport, Remedy, SiteCheck
from gis.written import KEPT, Written

_Drawn = TypeVar("_Drawn", Finding, Contact, Remedy)
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def utf8(text: str) -> bytes:
    """Return a text in UTF-8; half surrogate pairs, which UTF-8 cannot say, become ``?``."""
    return text.encode("utf-8", "replace")


def with_id(text: bytes, own: str, other: str) -> bytes:
    """Return the text of a check under another id than its own: that of its record.

    The id is the first of all, behind the version of the shape.
    """
    return text.replace(b'"id":"%b"' % own.encode(), b'"id":"%b"' % other.encode(), 1)


def json_bytes(check: SiteCheck) -> bytes:
    """Return the document of a check, ``gis.canonical.to_dict``, as compact JSON in UTF-8."""
    rows = {
        "evidence": utf8(f"[{','.join([_evidence(e) for e in check.evidence])}]"),
        "findings": b"[%b]" % b",".join(_at_rest.each(check.findings, _finding)),
        "layers": _layers(check.layers),
    }
    others = document_of(check, (), (), ())
    fields = [b'"%b":%b' % (utf8(k), rows.get(k) or utf8(_encode(v))) for k, v in others.items()]
    return b"{%b}" % b",".join(fields)


def without_outlines(check: SiteCheck) -> SiteCheck:
    """Return a check without the outlines of site, findings, contacts and remedies."""
    return replace(
        check,
        outline=None,
        findings=_bare(check.findings),
        contacts=_bare(check.contacts),
        remedies=_bare(check.remedies),
    )


def text_without_outlines(text: bytes) -> bytes:
    """Return the text of a check that was drawn, but for its remedies, without any outline.

    To cut them out takes a third of writing it again. No text of a person looks like the beginning
    of one, because a quote in it is escaped; and the first of all is that of the site.
    """
    head, *drawn = text.split(b',"geometry":{')
    return b'%b,"geometry":null%b' % (head, b"".join([row.partition(b"}")[2] for row in drawn]))


def _bare(rows: tuple[_Drawn, ...]) -> tuple[_Drawn, ...]:
    return tuple([row if row.geometry is None else replace(row, geometry=None) for row in rows])


def _evidence(e: Evidence) -> str:
    """Write a row of evidence."""
    return (
        f'{{"layer":{string_text(e.layer)},"class":{string_text(e.cls)},'
        f'"name":{string_text(e.name)},"kind":{string_text(e.kind)},'
        f'"area_m2":{number_text(e.area_m2, METRES)},'
        f'"planar_m2":{number_text(e.planar_m2, METRES)},'
        f'"length_m":{number_text(e.length_m, METRES)},"count":{number_text(e.count, METRES)},'
        f'"distance_m":{number_text(e.distance_m, METRES)},'
        f'"share":{number_text(e.share, SHARES)},'
        f'"feature_ids":[{",".join([string_text(i) for i in e.feature_ids])}]}}'
    )


def _finding(finding: Finding) -> bytes:
    return _at_rest(finding) if is_shared(finding) else _finding_bytes(finding)


def _finding_bytes(finding: Finding) -> bytes:
    """Write a finding; what it says of its rule, whatever the site, is written once."""
    said = finding.rule, finding.title, finding.title_en, finding.verdict, finding.decides
    where = finding.layer, finding.layers, finding.origin, finding.office, finding.remedy
    key = (*said, *where, finding.threshold, id(finding.basis))
    frame = _frames.get(key)
    if frame is None:
        if len(_frames) >= KEPT:
            _frames.clear()
        frame = _frames[key] = (finding.basis, *_frame(finding))
    _, head, middle, tail = frame
    m = finding.measure
    row = "null"
    if m is not None:
        row = (
            f'{{"kind":{string_text(m.kind)},"value":{number_text(m.value, METRES)},'
            f'"unit":{string_text(m.unit)},"share":{number_text(m.share, SHARES)}}}'
        )
    shown = f',"geometry":{_encode(finding.geometry)}' if finding.geometry else ""
    reason = _quoted(finding.reason)
    return b"".join((head, utf8(row), middle, utf8(reason), tail, utf8(shown), b"}"))


# With the basis, known by identity, so that no other can take its place.
_frames: dict[tuple[object, ...], tuple[object, bytes, bytes, bytes]] = {}


def _frame(finding: Finding) -> tuple[bytes, bytes, bytes]:
    """Return the text before the measure of a finding, up to its reason, and after that."""
    row = finding_row(replace(finding, measure=None, reason="", geometry=None))
    texts = ["{", "", ""]
    at = 0
    for n, (name, value) in enumerate(row.items()):
        texts[at] += f'{"," if n else ""}"{name}":'
        if name in ("measure", "reason"):
            at += 1
        else:
            texts[at] += _encode(value)
    return utf8(texts[0]), utf8(texts[1]), utf8(texts[2])


def _layers_bytes(layers: tuple[LayerReport, ...]) -> bytes:
    return b"[%b]" % b",".join([_layer(report) for report in layers])


_at_rest = Written[Finding, bytes](_finding_bytes)
_layer = Written[LayerReport, bytes](lambda report: utf8(_encode(layer_row(report))))
_layers = Written[tuple[LayerReport, ...], bytes](_layers_bytes)
