"""What does a land-class code mean, and what is it counted as?

The door to the tables: name, colour, the three major classes, what is cultivated land, and what
may be called "green and water". A code without scheme and edition is refused, never guessed.
``class_mapping`` leads from one table to another.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from gis.errors import NotFoundError
from gis.rulebook.class_majors import Doubtful, Major, doubtful_majors, major, majors
from gis.rulebook.class_tables import (
    USE_EDITION,
    USE_SCHEME,
    LandClass,
    Rgb,
    Scheme,
    read_toml,
    scheme,
    schemes,
    uses,
)

__all__ = [
    "USE_EDITION",
    "USE_SCHEME",
    "Ambiguous",
    "Doubtful",
    "GreenWater",
    "LandClass",
    "Major",
    "Rgb",
    "Scheme",
    "ambiguous_classes",
    "cultivated",
    "doubtful_majors",
    "green_water",
    "green_water_definitions",
    "label",
    "major",
    "majors",
    "scheme",
    "schemes",
    "use_label",
    "uses",
]


@dataclass(frozen=True, slots=True)
class GreenWater:
    """One definition of "green and water": class patterns of one scheme and edition.

    ``role`` says which layer it speaks of: what is planned, or what is there now.
    """

    id: str
    title: str
    scheme: str
    edition: str
    role: str
    green: tuple[str, ...]
    water: tuple[str, ...]
    note: str = ""


def label(scheme_id: str | None, edition: str | None, code: str) -> str:
    """Return a class as people read it, always with scheme and edition.

    Raises
    ------
    RuleBookError
        No scheme or edition is stated, or it is not one of the tables.
    NotFoundError
        The edition has no such code.

    Examples
    --------
    >>> label("三调", "2019", "1101")
    '三调（2019）1101 河流水面'
    """
    return scheme(scheme_id, edition).label(code)


@lru_cache(maxsize=1_024)
def use_label(code: str | None) -> str:
    """Return a use as people read it; never raises.

    >>> use_label("080403"), use_label(None)
    ('080403 中小学用地', '未说明用途')
    """
    if code is None:
        return "未说明用途"
    return f"{code} {uses().name(code)}" if uses().exists(code) else code


def green_water(definition: str) -> GreenWater:
    """Return one definition of "green and water".

    Raises
    ------
    NotFoundError
        There is no such definition.
    """
    for known in green_water_definitions():
        if known.id == definition:
            return known
    ids = "、".join(d.id for d in green_water_definitions())
    raise NotFoundError(f"没有绿地和水域口径“{definition}”", expected=ids)


@lru_cache(maxsize=1)
def green_water_definitions() -> tuple[GreenWater, ...]:
    """Return every definition of "green and water", in order of id."""
    rows = read_toml("green_water.toml")["definition"]
    return tuple(
        GreenWater(**(row | {"green": tuple(row["green"]), "water": tuple(row["water"])}))
        for row in rows
    )


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Classes that may be counted as green or water, or left out, with good reason."""

    id: str
    title: str
    scheme: str
    edition: str
    classes: tuple[str, ...]
    counts_as: str  # green or water
    note: str


@lru_cache(maxsize=1)
def _ambiguous() -> tuple[Ambiguous, ...]:
    rows = read_toml("green_water.toml")["ambiguous"]
    return tuple(Ambiguous(**(row | {"classes": tuple(row["classes"])})) for row in rows)


def ambiguous_classes(definition: GreenWater) -> tuple[Ambiguous, ...]:
    """Return what is open to argument in the scheme and edition of a definition, in file order."""
    own = (definition.scheme, definition.edition)
    return tuple(a for a in _ambiguous() if (a.scheme, a.edition) == own)


def cultivated(scheme: Scheme, *, adjustable: bool = True) -> tuple[str, ...]:
    """Return the patterns of what counts as cultivated land in 占补平衡.

    Parameters
    ----------
    scheme
        The edition of the layer.
    adjustable
        Whether 可调整地类 (suffix K) count; the office in charge confirms them.

    Raises
    ------
    NotFoundError
        Nothing is stated for the edition. An empty answer would read as "no cultivated land".
    """
    for row in _cultivated():
        if (row["scheme"], row["edition"]) == scheme.key:
            return (*row["classes"], *(row["adjustable"] if adjustable else ()))
    raise NotFoundError(f"没有规定{scheme.id}（{scheme.edition}）中哪些地类按耕地核算")


@lru_cache(maxsize=1)
def _cultivated() -> tuple[dict[str, Any], ...]:
    return tuple(read_toml("cultivated.toml")["cultivated"])
