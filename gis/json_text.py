"""A check as JSON text, for those who only send it on: that of its document, written sooner.

Two thirds of the findings of a check, and the states of nearly all layers, are those of many sites
and the very same objects each time. Their text is known; the others are written anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

from gis.canonical import document_of, finding_row, layer_row
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

    def __init__(self, row: Callable[[_T], dict[str, Any]]) -> None:
        self._row = row
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
        found = self._old.get(key) or (thing, _encode(self._row(thing)))
        if len(self._young) >= _KEPT:
            self._old, self._young = self._young, {}
        self._young[key] = found
        return found[1]


_findings = _Texts[Finding](finding_row)
_layers = _Texts[LayerReport](layer_row)
