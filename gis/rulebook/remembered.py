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
_MODELS: dict[type, bool] = {}


def once(make: Callable[_P, _T]) -> Callable[_P, _T]:
    """Return a function that remembers its answers; its arguments are models, or can be hashed.

    Threads that ask at once may work it out twice and get the same; a dictionary is changed in one
    step each, so no lock is needed.
    """
    known: dict[Any, tuple[tuple[Any, ...], _T]] = {}

    @wraps(make)
    def remembered(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        # Most have one argument, and are asked for thousands of times in a second.
        key: Any = _key(args[0]) if len(args) == 1 and not kwargs else _keys(args, kwargs)
        found = known.get(key)
        if found is None:
            if len(known) >= _KEPT:
                known.clear()
            found = known[key] = ((*args, *kwargs.items()), make(*args, **kwargs))
        return found[1]

    return remembered


def _keys(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    return (*map(_key, args), *kwargs.items())


def _key(value: Any) -> Any:
    """Return what a value is known by: models, which cannot be hashed, by identity."""
    kind = type(value)
    is_model = _MODELS.get(kind)
    if is_model is None:  # asking a model's class for it is slow
        is_model = _MODELS[kind] = isinstance(value, BaseModel)
    return id(value) if is_model else value
