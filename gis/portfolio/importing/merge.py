"""How does a list change the register without losing what is there?

Projects are known by their id where the list has one of the register, else by their name; ids stay.
An empty cell of the register is filled, an equal one stays, another one is a conflict: it stays as
it is unless the caller wants the list to win, and is named either way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gis.portfolio.cells import Value, shown
from gis.portfolio.importing.listing import Listed
from gis.portfolio.project import Project, name_key

_ALIKE = 4  # names that hold each other and have this many characters may mean one project
# A name that is written differently is the same name; an id is never changed.
_KEPT = frozenset({"id", "name"})


@dataclass(frozen=True, slots=True)
class Change:
    """One cell of the register that the list fills or contradicts."""

    id: str
    name: str
    column: str
    old: Value
    new: Value
    place: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {slot: getattr(self, slot) for slot in self.__slots__}


@dataclass(slots=True)
class Merged:
    """The register after a list, and what the list did to it."""

    projects: list[Project] = field(default_factory=list)
    added: list[Project] = field(default_factory=list)
    filled: list[Change] = field(default_factory=list)
    conflicts: list[Change] = field(default_factory=list)
    unlisted: list[Project] = field(default_factory=list)
    alike: list[tuple[Listed, Project]] = field(default_factory=list)


def merged(
    projects: Sequence[Project], listed: Sequence[Listed], *, source: str, list_wins: bool
) -> Merged:
    """Return the register with the projects of a list.

    Parameters
    ----------
    projects
        The rows of the register.
    listed
        The projects of the list.
    source
        What added projects name as their source.
    list_wins
        Whether the list replaces what it contradicts.
    """
    found = Merged()
    by_id = {p.id: n for n, p in enumerate(projects)}
    by_name = {name_key(p.name): n for n, p in enumerate(projects)}
    rows = list(projects)
    met: set[int] = set()
    ids = _ids([*(p.id for p in projects), *(str(own.values.get("id", "")) for own in listed)])
    for own in listed:
        at = by_id.get(str(own.values.get("id", "")), by_name.get(name_key(own.name)))
        if at is None:
            key = name_key(own.name)
            found.alike += [(own, projects[n]) for k, n in by_name.items() if _alike(key, k)]
            found.added.append(_new(own, _own_id(own, projects, found) or next(ids), source))
        elif at not in met:
            met.add(at)
            rows[at] = _changed(rows[at], own, found, list_wins=list_wins)
    found.unlisted = [p for n, p in enumerate(projects) if n not in met]
    found.projects = [*rows, *found.added]
    return found


def _changed(project: Project, own: Listed, found: Merged, *, list_wins: bool) -> Project:
    """Return a project with what the list says of it."""
    new: dict[str, Any] = {}
    for column, value in own.values.items():
        old = getattr(project, column)
        if column in _KEPT or value is None or _same(old, value):
            continue
        change = Change(project.id, project.name, column, old, value, own.places.get(column, ""))
        if old is None:
            found.filled.append(change)
        else:
            found.conflicts.append(change)
        if old is None or list_wins:
            new[column] = value
    return replace(project, **new) if new else project


def _own_id(own: Listed, projects: Sequence[Project], found: Merged) -> str:
    """Return the id that the list gives a project, unless another one has it; else empty."""
    given = str(own.values.get("id") or "")
    taken = {p.id for p in (*projects, *found.added)}
    return "" if given in taken else given


def _new(own: Listed, project_id: str, source: str) -> Project:
    values: Mapping[str, Any] = {k: v for k, v in own.values.items() if k != "id"}
    return Project(**{"source": source, **values, "id": project_id})


def _same(old: Value, new: Value) -> bool:
    if isinstance(old, float) and isinstance(new, float):
        return abs(old - new) <= 1e-6 * max(1.0, abs(old))
    return old is not None and (old == new or name_key(shown(old)) == name_key(shown(new)))


def _ids(taken: Sequence[str]) -> Iterator[str]:
    """Yield the next free ids, in the way of those that are there: P21 after P20."""
    known = set(taken)
    counted = [found for i in known if (found := re.fullmatch(r"([A-Za-z_-]*)(\d{1,9})", i))]
    last = max(counted, key=lambda found: int(found[2]), default=None)
    prefix, width = (last[1], len(last[2])) if last else ("P", 2)
    number = int(last[2]) if last else 0
    while True:
        number += 1
        project_id = f"{prefix}{number:0{width}d}"
        if project_id not in known:
            yield project_id


def _alike(one: str, two: str) -> bool:
    return min(len(one), len(two)) >= _ALIKE and (one in two or two in one)
