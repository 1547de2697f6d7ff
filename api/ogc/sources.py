"""What is a collection, and what does a query of it want? The words that all parts here share."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol

from api.access.visit import Visit
from api.deps import State
from api.ogc.columns import Field
from api.ogc.query import Period
from api.ogc.references import Box, Reference

# Stands in links of pygeoapi for the address of the service, which every request knows for itself.
PLACEHOLDER = "http://ogc.invalid/ogc"
DEFAULT_LIMIT = 1000

Feature = dict[str, Any]
Extent = tuple[float, float, float, float]
# From an instant to another, each None for "open".
Interval = tuple[str | None, str | None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One page of features.

    ``equals`` are values as texts, ``condition`` is a parsed CQL text; ``sort`` has for each
    attribute whether it goes down. ``shown`` are the attributes to tell, empty for all.
    """

    reference: Reference
    box: Box | None = None
    period: Period | None = None
    equals: tuple[tuple[str, str], ...] = ()
    condition: Any = None
    sort: tuple[tuple[str, bool], ...] = ()
    shown: tuple[str, ...] = ()
    has_geometry: bool = True
    is_count: bool = False
    offset: int = 0
    limit: int = 1000

    @property
    def is_plain(self) -> bool:
        """Whether everything is wanted, in the order in which it is kept."""
        asked = (self.box, self.period, self.condition)
        return all(part is None for part in asked) and not self.equals and not self.sort


@dataclass(frozen=True, slots=True)
class Page:
    """Features, and how many match in all."""

    features: list[Feature]
    matched: int


class Source(Protocol):
    """A collection: what it says of itself, and its features."""

    @property
    def title(self) -> str:
        """The name for people."""
        ...

    @property
    def description(self) -> str:
        """What it is, how old, and with which legal force."""
        ...

    @property
    def keywords(self) -> tuple[str, ...]:
        """Words to find it by."""
        ...

    @property
    def extent(self) -> Extent:
        """West, south, east, north in degrees."""
        ...

    @property
    def interval(self) -> Interval | None:
        """The time that its features are of; None when that is not known."""
        ...

    @property
    def fields(self) -> Mapping[str, Field]:
        """The attributes of its features."""
        ...

    @property
    def most(self) -> int:
        """The largest number of features of one page."""
        ...

    @property
    def has_dates(self) -> bool:
        """Whether its features have a date."""
        ...

    def page(self, wanted: Wanted) -> Page:
        """Return the features that are wanted."""
        ...

    def item(self, item_id: str, reference: Reference) -> Feature:
        """Return one feature; raise NotFoundError when there is none, or none for who asks."""
        ...


@dataclass(frozen=True, slots=True)
class Asking:
    """The request that a provider of pygeoapi is made for, which pygeoapi does not tell it.

    ``sources`` are the collections of the plan that the request is answered by.
    """

    state: State
    visit: Visit
    sources: Mapping[str, Source]
    known: Mapping[str, Reference]
    box: Box | None = None
    period: Period | None = None


# Set for each request before pygeoapi is called, in the same thread or one that copies it.
ASKING: ContextVar[Asking] = ContextVar("ogc_asking")
