"""An attribute that is worked out when it is first asked for, and kept with its object."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

_T = TypeVar("_T")


class lazy(Generic[_T]):  # noqa: N801 - stands where functools.cached_property does
    """Like ``functools.cached_property``, without the lock that it takes up to Python 3.11.

    For objects of one thread, and for values that may be worked out twice.
    """

    def __init__(self, work: Callable[[Any], _T]) -> None:
        self._work = work
        self.__doc__ = work.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        """Learn under which name the value is kept."""
        self._name = name

    @overload
    def __get__(self, of: None, owner: type) -> lazy[_T]: ...
    @overload
    def __get__(self, of: object, owner: type) -> _T: ...
    def __get__(self, of: object | None, owner: type) -> lazy[_T] | _T:
        """Work the value out; later the object has an attribute of the name, and this is passed."""
        if of is None:
            return self
        value = of.__dict__[self._name] = self._work(of)
        return value
