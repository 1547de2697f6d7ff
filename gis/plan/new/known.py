"""By which names and fields does one recognise a layer of a plan database?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from gis.plan.new.found import FoundLayer
from gis.tomlfile import read_model


class KnownFields(BaseModel):
    """Names of fields, the first that a layer has is taken."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: tuple[str, ...]
    name: tuple[str, ...]
    cls: tuple[str, ...]
    area: tuple[str, ...]
    half_width: tuple[str, ...]
    vintage: tuple[str, ...]


class KnownLayer(BaseModel):
    """A layer that plan databases have: names, Chinese words, fields that only it has."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    title: str
    role: str
    geometry: str
    codes: tuple[str, ...]
    words: tuple[str, ...] = ()
    signs: tuple[str, ...] = ()
    cls: tuple[str, ...] = ()
    name: tuple[str, ...] = ()
    area: tuple[str, ...] = ()
    scheme: str | None = None


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    fields: KnownFields
    layer: tuple[KnownLayer, ...]


@lru_cache(maxsize=1)
def known() -> _File:
    """Return the table, read once."""
    return read_model(Path(__file__).with_name("known.toml"), _File)


@dataclass(frozen=True, slots=True)
class Match:
    """A known layer, and by what it was recognised: ``name``, ``word`` or ``fields``."""

    layer: KnownLayer
    by: str


def match(found: FoundLayer) -> Match | None:
    """Return which known layer this is; None when nothing points to one alone."""
    fitting = [k for k in known().layer if k.geometry == found.geometry]
    coded = [(len(code), k) for k in fitting for code in k.codes if _names(found.name, code)]
    if coded:
        return Match(max(coded, key=lambda pair: pair[0])[1], "name")
    worded = [(len(word), k) for k in fitting for word in k.words if word in found.name]
    if worded:
        return Match(max(worded, key=lambda pair: pair[0])[1], "word")
    fields = {f.upper() for f in found.fields}
    signed = [k for k in fitting if k.signs and fields >= set(k.signs)]
    return Match(signed[0], "fields") if len(signed) == 1 else None


def _names(name: str, code: str) -> bool:
    """Whether a name holds a code as a word: between digits, marks, Chinese or its ends."""
    return re.search(rf"(?<![A-Z]){re.escape(code)}(?![A-Z])", name.upper()) is not None


def field_of(found: FoundLayer, *lists: tuple[str, ...]) -> str | None:
    """Return the first field of some lists that a layer has, whatever its case."""
    own: dict[str, Any] = {f.upper(): f for f in found.fields}
    return next((own[n.upper()] for names in lists for n in names if n.upper() in own), None)
