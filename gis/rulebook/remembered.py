"""What follows from a rule alone is worked out once: what it wants measured, what it allows.

A check evaluates a hundred rules, a search for remedies checks dozens of outlines, and the rules
never change. Models cannot be hashed, so they are known by identity; they are kept beside what was
made of them, so that no other object can take their place in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any, ParamSpec, TypeVar, cast

_P = ParamSpec("_P")
_T = TypeVar("_T")
# A book has about a hundred rules, of which some answer for hundreds of uses.
_KEPT = 32_768


def once(make: Callable[_P, _T]) -> Callable[_P, _T]:
    """Return a function that remembers its answers; the first argument is a model.

    All others can be hashed. Threads that ask at once may work it out twice and get the
    same; a dictionary is changed in one step each, so no lock is needed.
    """
    known: dict[Any, tuple[tuple[Any, ...], _T]] = {}

    # Most have one argument, and are asked for thousands of times in a second.
    def of_one(model: Any) -> _T:
        found = known.get(id(model))
        return found[1] if found is not None else _kept(known, id(model), (model,), make)

    def of_several(*args: Any) -> _T:
        key = (id(args[0]), *args[1:])
        found = known.get(key)
        return found[1] if found is not None else _kept(known, key, args, make)

    one = len(signature(make).parameters) == 1
    return cast("Callable[_P, _T]", wraps(make)(of_one if one else of_several))


def _kept(known: dict[Any, Any], key: Any, args: tuple[Any, ...], make: Callable[..., _T]) -> _T:
    """Work an answer out and keep it beside its arguments."""
    if len(known) >= _KEPT:
        known.clear()
    found = make(*args)
    known[key] = args, found
    return found
