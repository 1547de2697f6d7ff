"""What does a land-class code mean, in which scheme and edition?

The same code means different things in different schemes (1101 is a river in one, a warehouse in
another), so a code without a scheme is refused, never guessed. The tables stand in
``cn/land_classes``; this file reads them and answers for name, existence, colour, and for the
definitions of "green and water". It converts no code from one scheme to another.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from gis.errors import NotFoundError, RuleBookError

USE_SCHEME, USE_EDITION = "用地用海", "2023"
_FOLDER = Path(__file__).parent / "cn" / "land_classes"

Rgb = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class LandClass:
    """One class; ``major`` is 农用地, 建设用地 or 未利用地 where the scheme says so."""

    code: str
    name: str
    major: str = ""


@dataclass(frozen=True)
class Scheme:
    """One edition of one classification."""

    id: str
    edition: str
    title: str
    number: str
    source: str
    verified: bool
    classes: Mapping[str, LandClass]
    colours: Mapping[str, Rgb]

    def exists(self, code: str) -> bool:
        """Whether the edition has the code."""
        return code in self.classes

    def name(self, code: str) -> str:
        """Return the name of a class.

        Raises
        ------
        NotFoundError
            The edition has no such code.
        """
        try:
            return self.classes[code].name
        except KeyError:
            raise NotFoundError(
                f"{self.title}（{self.edition}）没有编码“{code}”",
                advice="核对编码所用的分类体系和版本",
            ) from None

    def colour(self, code: str) -> Rgb:
        """Return the colour of the class, or of the nearest class above it; grey when unknown."""
        for length in range(len(code), 0, -1):
            if code[:length] in self.colours:
                return self.colours[code[:length]]
        return (200, 200, 200)


@dataclass(frozen=True, slots=True)
class GreenWater:
    """One definition of "green and water": class patterns of one scheme and edition."""

    id: str
    title: str
    scheme: str
    edition: str
    green: tuple[str, ...]
    water: tuple[str, ...]
    note: str = ""


def scheme(scheme_id: str | None, edition: str | None) -> Scheme:
    """Return one edition of a scheme.

    Parameters
    ----------
    scheme_id
        Name of the scheme or one of its other names.
    edition
        The edition as the layer states it.

    Raises
    ------
    RuleBookError
        No scheme or edition is stated, or it is not one of the tables.
    """
    known = "；".join(f"{s.id}（{s.edition}）" for s in _tables().values())
    if not scheme_id or not edition:
        raise RuleBookError(
            "地类编码没有写明分类体系和版本，同一编码在不同体系中含义不同",
            expected=known,
            advice="在图层中写明 scheme 和 edition",
        )
    found = _tables().get(_aliases().get((scheme_id, edition), (scheme_id, edition)))
    if found is None:
        raise RuleBookError(f"未知的分类体系“{scheme_id}”（版本“{edition}”）", expected=known)
    return found


def uses() -> Scheme:
    """Return the scheme of planned uses: 用地用海, edition 2023."""
    return _tables()[(USE_SCHEME, USE_EDITION)]


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
    rows = _toml("green_water.toml")["definition"]
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
    rows = _toml("green_water.toml")["ambiguous"]
    return tuple(Ambiguous(**(row | {"classes": tuple(row["classes"])})) for row in rows)


def ambiguous_classes(definition: GreenWater) -> tuple[Ambiguous, ...]:
    """Return what is open to argument in the scheme and edition of a definition, in file order."""
    own = (definition.scheme, definition.edition)
    return tuple(a for a in _ambiguous() if (a.scheme, a.edition) == own)


# --- tables --------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _tables() -> Mapping[tuple[str, str], Scheme]:
    return {(row["id"], row["edition"]): _scheme(row) for row in _toml("schemes.toml")["scheme"]}


@lru_cache(maxsize=1)
def _aliases() -> Mapping[tuple[str, str], tuple[str, str]]:
    """Other names and editions under which a table is known."""
    return {
        (name, edition): (row["id"], row["edition"])
        for row in _toml("schemes.toml")["scheme"]
        for name in (row["id"], *row["aliases"])
        for edition in (row["edition"], *row["editions"])
    }


def _scheme(row: Mapping[str, Any]) -> Scheme:
    with (_FOLDER / row["file"]).open(encoding="utf-8", newline="") as file:
        classes = {
            line["code"]: LandClass(line["code"], line["name"], line.get("major") or "")
            for line in csv.DictReader(file)
        }
    return Scheme(
        id=row["id"],
        edition=row["edition"],
        title=row["title"],
        number=row["number"],
        source=row["source"],
        verified=row["verified"],
        classes=classes,
        colours={code: (r, g, b) for code, (r, g, b) in row["colours"].items()},
    )


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads((_FOLDER / name).read_text(encoding="utf-8"))
