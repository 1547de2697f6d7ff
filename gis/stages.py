"""How do several checks go on side by side, one stage of all of them before the next stage?

A check runs through more code and tables than a core keeps near itself. Whoever measures several
sites, then judges them, then writes, spares a tenth of the time of doing all of it for one site
after the other. Work that can be divided so is a generator that yields between its stages.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import Generic, NamedTuple, ParamSpec, TypeAlias, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")
# Work that pauses after each stage and returns its result.
Staged: TypeAlias = Generator[None, None, _T]


class Ended(NamedTuple, Generic[_T]):
    """How work ended: with a result, or with an error instead."""

    result: _T | None
    error: Exception | None = None


def finished(work: Staged[_T]) -> _T:
    """Return the result of all stages, one after the other."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: _T = end.value
            return result


def in_one_go(work: Callable[_P, Staged[_T]]) -> Callable[_P, _T]:
    """Return a function that does all stages of some work and returns its result."""

    def whole(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        return finished(work(*args, **kwargs))

    return whole


def side_by_side(works: Iterable[Staged[_T]]) -> list[Ended[_T]]:
    """Return how each work ended; all go on in turns, an error ends only its own."""
    going = dict(enumerate(works))
    ended: list[Ended[_T]] = [Ended(None)] * len(going)
    while going:
        for number, work in list(going.items()):
            try:
                next(work)
                continue
            except StopIteration as end:
                ended[number] = Ended(end.value)
            except Exception as error:  # told to whoever asks for this result
                ended[number] = Ended(None, error)
            del going[number]
    return ended
