"""What follows from a rule alone is worked out once: what it wants measured, what it allows.

A check evaluates a hundred rules, a search for remedies checks dozens of outlines, and the rules
never change. Models cannot be hashed, so they are known by identity; they are kept beside what was
made of them, so that no other object can take their place in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from pydantic import BaseModel

_P = ParamSpec("_P")
_T = TypeVar("_T")
# A book has about a hundred rules, of which some answer for hundreds of uses.
_KEPT = 32_768


def once(make: Callable[_P, _T]) -> Callable[_P, _T]:
    """Return a function that remembers its answers; its arguments are models, or can be hashed.

    Threads that ask at once may work it out twice and get the same; a dictionary is changed in one
    step each, so no lock is needed.
    """
    known: dict[tuple[Any, ...], tuple[tuple[Any, ...], _T]] = {}

    @wraps(make)
    def remembered(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        given = (*args, *kwargs.items())
        key = tuple(id(a) if isinstance(a, BaseModel) else a for a in given)
        found = known.get(key)
        if found is None:
            if len(known) >= _KEPT:
                known.clear()
            found = known[key] = (given, make(*args, **kwargs))
        return found[1]

    return remembered
