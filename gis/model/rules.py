"""Documents of law, citations, and rules with their dates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True, slots=True)
class Document:
    """A legal document or plan; one text with its dates."""

    id: str
    title: str
    number: str
    issuer: str
    valid_from: date | None
    valid_to: date | None
    verified: bool
    checked_on: date | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Basis:
    """One article that a rule rests on, with the document it stands in."""

    document: Document
    article: str
    verified: bool

    @property
    def text(self) -> str:
        """Citation as printed, with 依据待核 where it is not verified."""
        return citation(self.to_dict())

    def to_dict(self) -> dict[str, str | bool | None]:
        """Return the citation as plain JSON values."""
        doc = self.document
        return {
            "document": doc.title,
            "number": doc.number,
            "article": self.article,
            "valid_from": doc.valid_from.isoformat() if doc.valid_from else None,
            "valid_to": doc.valid_to.isoformat() if doc.valid_to else None,
            "verified": self.verified,
        }


def citation(row: Mapping[str, Any], *, marked: bool = True) -> str:
    """Return a citation, given as its JSON values, as people read it.

    ``marked`` adds 依据待核 where it is not verified.
    """
    number = f"（{row['number']}）" if row["number"] else ""
    mark = "【依据待核】" if marked and not row["verified"] else ""
    return f"《{row['document']}》{number}{row['article']}{mark}"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number that no text has published; ``value`` stays None until a plan fills it in."""

    id: str
    title: str
    unit: str
    value: float | None = None
    source: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One dated rule; ``params`` is the typed parameter object of its kind.

    ``layers`` are those without which it cannot be judged, ``title_en`` is a short rendering of
    the title. ``origin`` is statute, plan or assumption. ``effect_verified`` False, or an
    assumption, means that the worst outcome of the rule is ``undetermined``.
    """

    id: str
    title: str
    kind: str
    params: Any
    origin: str
    effect_verified: bool
    basis: tuple[Basis, ...]
    office: str
    priority: int
    valid_from: date | None
    valid_to: date | None
    checked_on: date
    remedy: str = ""
    layers: tuple[str, ...] = ()
    source_file: str = ""
    title_en: str = ""

    def in_force(self, as_of: date) -> bool:
        """Whether the rule applies on a day; ``valid_to`` is the last day."""
        begun = self.valid_from is None or self.valid_from <= as_of
        return begun and (self.valid_to is None or as_of <= self.valid_to)
