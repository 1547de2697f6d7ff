"""Jobs for the tests of the runners; workers import them by name, so they load next to nothing."""

from __future__ import annotations

import gc
import hashlib
import os
import signal
import threading
import uuid
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakSet

from gis.runners import Job, Work


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


@dataclass(frozen=True)
class Watched:
    """Does another job; notes who begins which task, and whoever begins first never ends."""

    job: Job
    folder: Path

    def start(self) -> Work:
        work = self.job.start()

        def watched(content: bytes) -> bytes:
            name = f"{hashlib.sha256(content).hexdigest()}.{os.getpid()}"
            (self.folder / f"{name}.{uuid.uuid4().hex}.started").touch()
            try:
                (self.folder / "first").symlink_to(name)  # whole at once, and for one only
            except FileExistsError:
                return work(content)
            threading.Event().wait(_UNTIL_KILLED_S)
            return work(content)

        return watched


# Nobody waits so long for a signal; a test that forgets to send it fails and does not hang.
_UNTIL_KILLED_S = 240


def first_begun(folder: Path) -> tuple[str, int]:
    """Return the task that was begun first, and the process that has it."""
    task, _, process = (folder / "first").readlink().name.partition(".")
    return task, int(process)


def begun(folder: Path) -> dict[str, list[int]]:
    """Return for each task the processes that have begun it."""
    found: dict[str, list[int]] = defaultdict(list)
    for mark in sorted(folder.glob("*.started")):
        task, process, *_ = mark.name.split(".")
        found[task].append(int(process))
    return dict(found)
