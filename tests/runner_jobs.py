"""Jobs for the tests of the runners; workers import them by name, so they load next to nothing."""

from __future__ import annotations

import gc
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakSet

from gis.runners import Work


@dataclass(frozen=True)
class Reverse:
    """Turns bytes round."""

    def start(self) -> Work:
        return lambda content: content[::-1]


@dataclass(frozen=True)
class Deadly:
    """Kills its process at the content ``kill``; at ``once`` only the first time."""

    folder: Path

    def start(self) -> Work:
        return self._work

    def _work(self, content: bytes) -> bytes:
        mark = self.folder / "killed"
        if content == b"kill" or (content == b"once" and not mark.exists()):
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return content[::-1]


class _Counting:
    """Work that counts its tasks."""

    def __init__(self) -> None:
        self.tasks = 0

    def __call__(self, _: bytes) -> bytes:
        self.tasks += 1
        return str(self.tasks).encode()


_STARTED: WeakSet[_Counting] = WeakSet()


@dataclass(frozen=True)
class Kept:
    """A job of which it is known how many of its works are kept."""

    number: int

    def start(self) -> Work:
        work = _Counting()
        _STARTED.add(work)
        return work

    @staticmethod
    def alive() -> list[Work]:
        gc.collect()
        return list(_STARTED)


@dataclass(frozen=True)
class Unstartable:
    """Cannot open what it needs."""

    def start(self) -> Work:
        raise LookupError("no such plan")
