"""Which classifications are known, and which classes does each edition have?

The same code means different things in different schemes (1101 is a river in one, a warehouse in
another), so a code without a scheme and an edition is refused, never guessed. The tables stand in
``cn/land_classes``; this file reads them. It converts no code and judges no land.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from gis.errors import NotFoundError, RuleBookError

USE_SCHEME, USE_EDITION = "用地用海", "2023"
_FOLDER = Path(__file__).parent / "cn" / "land_classes"
_UNKNOWN_COLOUR = (200, 200, 200)

Rgb = tuple[int, int, int]
Key = tuple[str | None, str | None]  # scheme, edition


@dataclass(frozen=True, slots=True)
class LandClass:
    """One class of one edition.

    ``major`` is 农用地, 建设用地 or 未利用地 as in the approval of a conversion, where the class
    decides it (see ``land_classes.major``). ``parent`` is the class above. ``gb`` are the classes
    of GB/T 21010-2017 that a code of the land survey stands for; survey codes may divide one.
    ``confirmed`` is False when no public copy of this edition showed the class.
    """

    code: str
    name: str
    major: str = ""
    parent: str = ""
    gb: tuple[str, ...] = ()
    confirmed: bool = True


@dataclass(frozen=True)
class Scheme:
    """One edition of one classification.

    ``verified`` says whether the table was compared with the printed standard, ``checked_on`` when
    it was last looked at.
    """

    id: str
    edition: str
    title: str
    number: str
    source: str
    verified: bool
    checked_on: date
    classes: Mapping[str, LandClass]
    colours: Mapping[str, Rgb]

    @property
    def key(self) -> tuple[str, str]:
        """Scheme and edition, the pair without which a code means nothing."""
        return (self.id, self.edition)

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
        return self.land_class(code).name

    def land_class(self, code: str) -> LandClass:
        """Return one class.

        Raises
        ------
        NotFoundError
            The edition has no such code.
        """
        try:
            return self.classes[code]
        except KeyError:
            raise NotFoundError(
                f"{self.title}（{self.edition}）没有编码“{code}”",
                advice="核对编码所用的分类体系和版本",
            ) from None

    def label(self, code: str) -> str:
        """Return a class as people read it, with scheme and edition.

        Raises
        ------
        NotFoundError
            The edition has no such code.
        """
        return f"{self.id}（{self.edition}）{code} {self.name(code)}"

    def children(self, code: str) -> tuple[str, ...]:
        """Return the codes directly below a class, in the order of the table."""
        return tuple(c.code for c in self.classes.values() if c.parent == code)

    def colour(self, code: str) -> Rgb:
        """Return the colour of the class, or of the nearest class above it; grey when unknown."""
        for length in range(len(code), 0, -1):
            if code[:length] in self.colours:
                return self.colours[code[:length]]
        return _UNKNOWN_COLOUR


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


def schemes() -> tuple[Scheme, ...]:
    """Return every edition of every scheme, in file order."""
    return tuple(_tables().values())


def uses() -> Scheme:
    """Return the scheme of planned uses: 用地用海, edition 2023."""
    return _tables()[(USE_SCHEME, USE_EDITION)]


def read_toml(name: str) -> dict[str, Any]:
    """Return one of the files beside the tables."""
    return tomllib.loads((_FOLDER / name).read_text(encoding="utf-8"))


def read_rows(name: str) -> Iterator[dict[str, str]]:
    """Yield the rows of one of the tables."""
    with (_FOLDER / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


# --- tables --------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _tables() -> Mapping[tuple[str, str], Scheme]:
    rows = read_toml("schemes.toml")["scheme"]
    own = {(row["id"], row["edition"]): row["colours"] for row in rows}
    tables = {}
    for row in rows:
        # An edition may take the colours of another one and name only what differs.
        base = own.get((row["id"], row.get("colours_from", "")), {})
        tables[(row["id"], row["edition"])] = _scheme(row, base | row["colours"])
    return tables


@lru_cache(maxsize=1)
def _aliases() -> Mapping[tuple[str, str], tuple[str, str]]:
    """Other names and editions under which a table is known."""
    return {
        (name, edition): (row["id"], row["edition"])
        for row in read_toml("schemes.toml")["scheme"]
        for name in (row["id"], *row["aliases"])
        for edition in (row["edition"], *row["editions"])
    }


def _scheme(row: Mapping[str, Any], colours: Mapping[str, list[int]]) -> Scheme:
    return Scheme(
        id=row["id"],
        edition=row["edition"],
        title=row["title"],
        number=row["number"],
        source=row["source"],
        verified=row["verified"],
        checked_on=row["checked_on"],
        classes={line["code"]: _land_class(line) for line in read_rows(row["file"])},
        colours={code: (r, g, b) for code, (r, g, b) in colours.items()},
    )


def _land_class(line: Mapping[str, str]) -> LandClass:
    """Read one row; where a table has no column ``parent``, two digits less name the parent."""
    code = line["code"]
    return LandClass(
        code=code,
        name=line["name"],
        major=line["major"],
        parent=line["parent"] if "parent" in line else code[:-2],
        gb=tuple(line.get("gb", "").split()),
        confirmed=line.get("confirmed", "true") == "true",
    )
