"""How is a loop compiled? Once per machine, without the interpreter's lock, kept on disk.

Import this only from modules that are loaded when the first number is asked for: the compiler
itself takes half a second to import.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from numba import njit

_P = ParamSpec("_P")
_T = TypeVar("_T")


def compiled(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """Return a function of arrays and numbers as machine code."""
    try:
        made = njit(nogil=True, cache=True, error_model="numpy")(function)
    except RuntimeError:  # no folder to keep it in: each process compiles anew
        made = njit(nogil=True, error_model="numpy")(function)
    return cast("Callable[_P, _T]", made)
