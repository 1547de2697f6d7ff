"""What is one row of a batch before it is judged, and after?

A row is as it stands in its file, a site that a reader has understood already, or the reason why
it cannot be one. Rows travel to workers and lie in the work folder, so they are plain and small.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import shapely

from gis.canonical import canonical_json
from gis.errors import InputError
from gis.intake.draft import Declared
from gis.model import Claim, Site

# How many faults of one site are told in a cell of a table.
_TOLD = 5


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row cannot be judged: stable code, and a Chinese sentence that says what to do."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Origin:
    """What the rows of one table have in common.

    ``label`` is the name of the file; ``declared`` what it says about its coordinates, ``given``
    what the user says. ``kind`` is that of ``gis.model.Source``.
    """

    kind: str
    label: str
    declared: Declared | None = None
    given: Declared | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the input.

    ``number`` counts all rows of the batch from 0, ``place`` those of its file from 1, ``origin``
    is a place in the list of origins. One of ``wkb`` (with ``properties``), ``site`` and
    ``problem`` is set; a row without a geometry has ``wkb`` empty.
    """

    number: int
    place: int
    origin: int
    name: str
    wkb: bytes = b""
    properties: Mapping[str, Any] = field(default_factory=dict)
    site: Site | None = None
    problem: Problem | None = None

    def fingerprint(self) -> bytes:
        """Return bytes that are equal when two rows are judged alike."""
        said = [self.place, self.origin, self.name, dict(self.properties)]
        if self.problem is not None:
            said += [self.problem.code, self.problem.message]
        text = canonical_json([_plain(said), self.wkb.hex(), _site(self.site)])
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the caller wants, the same for every row.

    ``as_of`` is the day of the law; ``use`` and ``attributes`` win over those of the rows.
    ``repair`` and ``width_m`` are those of ``read_site``. ``rules`` keeps the verdict of each rule,
    ``findings`` each finding as JSON.
    """

    as_of: date
    use: str | None = None
    attributes: Mapping[str, Claim] = field(default_factory=dict)
    repair: bool = False
    width_m: float | None = None
    rules: bool = False
    findings: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, without the day, which is told by itself."""
        return {
            "use": self.use,
            "attributes": dict(sorted(self.attributes.items())),
            "repair": self.repair,
            "width_m": self.width_m,
            "rules": self.rules,
            "findings": self.findings,
        }


def problem_of(error: InputError) -> Problem:
    """Return an error as the cell of a table: one sentence, the first faults with their places."""
    told = [
        f"{f.where}：{f.message}" for f in error.faults[:_TOLD] if f.message not in error.detail
    ]
    more = f" 等 {len(error.faults)} 处" if len(error.faults) > _TOLD else ""
    places = f"位置：{'；'.join(told)}{more}。" if told else ""
    return Problem(error.code, error.detail + places)


def _plain(value: Any) -> Any:
    """Return a value as JSON can say it; numbers that JSON has not are told by their name."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, str | bool | int):
        return value
    return repr(value)


def _site(site: Site | None) -> Any:
    if site is None:
        return None
    doubt = site.doubt
    return [
        site.name,
        shapely.to_wkb(site.geometry, hex=True, byte_order=1),
        site.crs.source,
        site.use,
        site.corridor_width_m,
        _plain(dict(site.claims)),
        None if doubt is None else [doubt.reason, _plain(doubt.reach_m)],
        [] if doubt is None else [shapely.to_wkb(o, hex=True, byte_order=1) for o in doubt.others],
    ]
