"""Are there enough processes that work? Started when there is something to do, replaced on death.

All processes of a service, and several services on one machine, share the places of one crew: a
place is a locked file in the folder of the jobs, so there are never more workers than places. Who
takes a place knows that its former holder is dead and frees what that one had in hands; so a job
goes on as soon as anybody is there, however the one before ended.
"""

from __future__ import annotations

import hashlib
import logging
import os
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock, Timeout

from gis.errors import StoreError
from gis.jobs.folder import JobFolder
from gis.jobs.store import JobStore
from gis.jobs.worker import Orders

_LOG = logging.getLogger("wuqu")
_LOOK_S = 0.5
_PURGE_S = 600.0
_STOP_S = 0.5
_LONGEST_LINE = 2_000
# A worker that cannot start (a plan that is being replaced) is not started again at once.
_REST_S = 5.0


@dataclass
class _Member:
    """One worker of this process, and the place that it has."""

    process: subprocess.Popen[bytes]
    place: str
    lock: FileLock


class Crew:
    """The workers that one process of the service keeps.

    Parameters
    ----------
    store
        The jobs.
    orders
        What every worker is told; the place is filled in.
    size
        How many work at once, on this machine.
    """

    def __init__(self, store: JobStore, orders: Orders, size: int) -> None:
        self._store = store
        self._orders = orders
        self._size = size
        self._root = Path(orders.root)
        self._members: list[_Member] = []
        self._wake = threading.Event()
        self._ending = False
        self._purged_at = 0.0
        self._rest_until = 0.0
        self._thread = threading.Thread(target=self._run, daemon=True)
        # Two machines may share a database, and each has places of its own.
        where = f"{platform.node()}\n{self._root.resolve()}"
        self._name = hashlib.sha256(where.encode()).hexdigest()[:16]

    def start(self) -> None:
        """Begin to look for work."""
        self._thread.start()

    def wake(self) -> None:
        """Say that there is work."""
        self._wake.set()

    def stop(self) -> None:
        """End the workers; what they had in hands goes on with whoever comes next."""
        self._ending = True
        self._wake.set()
        self._thread.join(_STOP_S)
        for member in self._members:
            _hang_up(member)
        until = time.monotonic() + _STOP_S
        for member in self._members:
            try:
                member.process.wait(max(until - time.monotonic(), 0.01))
            except subprocess.TimeoutExpired:
                member.process.kill()
                member.process.wait()
            self._quietly(self._free, member)
            member.lock.release()
        self._members = []

    def pids(self) -> list[int]:
        """Process ids of the workers."""
        return [member.process.pid for member in self._members]

    def _free(self, member: _Member) -> None:
        self._store.take_over(member.place)

    def _run(self) -> None:
        self._quietly(self._clear_places)
        while not self._ending:
            self._quietly(self._look)
            self._wake.wait(_LOOK_S)
            self._wake.clear()

    def _quietly(self, action: Callable[..., None], *args: object) -> None:
        try:
            action(*args)
        except StoreError:
            return  # locked, full or away: the next look is soon
        except Exception:
            _LOG.exception("the crew of the jobs")

    def _look(self) -> None:
        self._bury()
        self._purge()
        if time.monotonic() < self._rest_until or len(self._members) >= self._size:
            return
        if self._store.has_work():
            self._recruit()

    def _clear_places(self) -> None:
        """Free what workers had in hands that died with the service before this one."""
        for number in range(1, self._size + 1):
            if (lock := self._locked(number)) is not None:
                try:
                    self._store.take_over(self._place(number))
                finally:
                    lock.release()

    def _place(self, number: int) -> str:
        return f"{self._name}:{number}"

    def _locked(self, number: int) -> FileLock | None:
        """Return the lock of a place, None when another process has it."""
        self._root.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._root / f"worker-{number}.lock", thread_local=False)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return None
        return lock

    def _bury(self) -> None:
        for member in list(self._members):
            code = member.process.poll()
            if code is None:
                continue
            self._members.remove(member)
            try:
                if code < 0 or code not in (0, 2, 3):
                    _LOG.warning("a worker of the jobs ended with %d", code)
                    self._store.blame(member.place)
                elif code:
                    self._rest_until = time.monotonic() + _REST_S
            finally:
                _close(member)

    def _purge(self) -> None:
        if time.monotonic() - self._purged_at < _PURGE_S and self._purged_at:
            return
        self._purged_at = time.monotonic()
        self._store.purge(lambda job_id: JobFolder(self._root, job_id).remove())

    def _recruit(self) -> None:
        """Start a worker in a free place; none is free when other processes have them all."""
        for number in range(1, self._size + 1):
            if self._ending or (lock := self._locked(number)) is None:
                continue
            place = self._place(number)
            try:
                self._store.take_over(place)
                process = self._started(replace(self._orders, place=place))
            except BaseException:
                lock.release()
                raise
            self._members.append(_Member(process, place, lock))
            return

    @staticmethod
    def _started(orders: Orders) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "gis.jobs.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        threading.Thread(target=_pass_on, args=(process,), daemon=True).start()
        if process.stdin is not None:
            # If it has ended already, the next look will see it.
            with suppress(BrokenPipeError):
                process.stdin.write(orders.to_line())
                process.stdin.flush()
        return process


def _pass_on(process: subprocess.Popen[bytes]) -> None:
    """Write what a worker has to say into the log of the service, in the form of its log."""
    if process.stderr is not None:
        with process.stderr as lines:
            for line in lines:
                text = line.decode("utf-8", "replace").rstrip()[:_LONGEST_LINE]
                if text:
                    _LOG.warning("worker of the jobs: %s", text)


def _hang_up(member: _Member) -> None:
    if member.process.stdin is not None:
        with suppress(BrokenPipeError):
            member.process.stdin.close()


def _close(member: _Member) -> None:
    _hang_up(member)
    member.lock.release()
