"""What is the text of a row that many answers share? Written once, known by identity afterwards.

Two thirds of the findings of a check, and the states of nearly all layers, are the very same
objects each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

_Row = TypeVar("_Row")
_Text = TypeVar("_Text", str, bytes)
# Texts of one generation; a finding has about a thousand characters.
KEPT = 2_048


class Written(Generic[_Row, _Text]):
    """The texts of rows by the identity of what they say, which is kept beside them.

    There are two generations: what is asked for again moves on to the younger one, what is not goes
    with the older. A dictionary is changed in one step each, so that threads need no lock.
    """

    def __init__(self, write: Callable[[_Row], _Text]) -> None:
        self._write: Callable[[_Row], _Text] = write
        self._young: dict[int, tuple[_Row, _Text]] = {}
        self._old: dict[int, tuple[_Row, _Text]] = {}

    def __call__(self, row: _Row) -> _Text:
        """Return the text of a row."""
        key = id(row)
        found = self._young.get(key)
        if found is not None:
            return found[1]
        found = self._old.get(key) or (row, self._write(row))
        if len(self._young) >= KEPT:
            self._old, self._young = self._young, {}
        self._young[key] = found
        return found[1]

    def each(self, rows: Iterable[_Row], other: Callable[[_Row], _Text]) -> list[_Text]:
        """Return the texts of rows; ``other`` writes those that are not known."""
        young = self._young
        return [other(row) if (found := young.get(id(row))) is None else found[1] for row in rows]
