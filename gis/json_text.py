"""A check as JSON text, for those who only send it on: that of its document, written sooner.

Two thirds of the findings of a check, and the states of nearly all layers, are those of many sites
and the very same objects each time. Their text is known; the others are written anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Generic, TypeVar

from gis.canonical import document_of, finding_numbers, finding_row, layer_row
from gis.model import Finding, LayerReport, SiteCheck

_T = TypeVar("_T")
# Texts of one generation; a finding has about a thousand characters.
_KEPT = 2_048

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def json_text(check: SiteCheck) -> str:
    """Return the document of a check, ``gis.canonical.to_dict``, as compact JSON text."""
    rows = {"findings": _findings.list_of(check.findings), "layers": _layers.list_of(check.layers)}
    others = document_of(check, (), ())
    fields = (f'"{key}":{rows.get(key) or _encode(value)}' for key, value in others.items())
    return "{" + ",".join(fields) + "}"


class _Texts(Generic[_T]):
    """The texts of rows by the identity of what they say, which is kept beside them.

    There are two generations: what is asked for again moves on to the younger one, what is not goes
    with the older. A dictionary is changed in one step each, so that threads need no lock.
    """

    def __init__(self, write: Callable[[_T], str]) -> None:
        self._write = write
        self._young: dict[int, tuple[_T, str]] = {}
        self._old: dict[int, tuple[_T, str]] = {}

    def list_of(self, things: Iterable[_T]) -> str:
        """Return the JSON list of some rows."""
        return f"[{','.join([self._text(thing) for thing in things])}]"

    def _text(self, thing: _T) -> str:
        key = id(thing)
        found = self._young.get(key)
        if found is not None:
            return found[1]
        found = self._old.get(key) or (thing, self._write(thing))
        if len(self._young) >= _KEPT:
            self._old, self._young = self._young, {}
        self._young[key] = found
        return found[1]


def _finding_text(finding: Finding) -> str:
    """Write a finding; what it says of its rule, whatever the site, is written once."""
    said = finding.rule, finding.title, finding.title_en, finding.verdict, finding.decides
    where = finding.layer, finding.layers, finding.origin, finding.office, finding.remedy
    key = (*said, *where, finding.threshold, id(finding.basis))
    frame = _frames.get(key)
    if frame is None:
        if len(_frames) >= _KEPT:
            _frames.clear()
        frame = _frames[key] = (finding.basis, *_frame(finding))
    _, head, middle, tail = frame
    row = finding_numbers(finding)
    shown = f',"geometry":{_encode(finding.geometry)}' if finding.geometry else ""
    return f"{head}{_encode(row)}{middle}{_encode(finding.reason)}{tail}{shown}}}"


# With the basis, known by identity, so that no other can take its place.
_frames: dict[tuple[object, ...], tuple[object, str, str, str]] = {}


def _frame(finding: Finding) -> tuple[str, str, str]:
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
    return texts[0], texts[1], texts[2]


_findings = _Texts[Finding](_finding_text)
_layers = _Texts[LayerReport](lambda report: _encode(layer_row(report)))
