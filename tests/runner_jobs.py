"""Jobs for the tests of the runners; workers import them by name, so they load next to nothing."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path

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


@dataclass(frozen=True)
class Unstartable:
    """Cannot open what it needs."""

    def start(self) -> Work:
        raise LookupError("no such plan")
