"""The process that works: takes one piece of a job after the other until there is nothing to do.

Started by ``crew`` with its orders on standard input, which then stays open: when it ends, the one
who started this process has ended, and so does this process. It runs with low priority, so that
single checks go before. It may be killed at any moment.

Usage: ``python -m gis.jobs.worker`` with the orders as one line of JSON on standard input.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gis.errors import PlanError, StoreError
from gis.jobs.model import Limits, Task
from gis.jobs.plans import Plans
from gis.jobs.statements import LostLeaseError
from gis.jobs.store import LEASE_MS, JobStore
from gis.jobs.work import Bench
from gis.output.records import RecordStore

_LOG = logging.getLogger("wuqu")
IDLE_S = 60.0
_LOOK_S = 0.3
_RENEW_S = min(2.0, LEASE_MS / 4000)
# Single checks get three times the share of a busy processor; jobs go on all the same.
_NICE = 5
# One thread each: the processes are the pool.
_SINGLE = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class Orders:
    """What a worker is told.

    ``db`` is the URL of the records, with its password if it has one; ``root`` the folder of the
    jobs' files, ``plan`` that of the plan package or of its releases, ``place`` which place in the
    crew it takes.
    """

    db: str
    root: str
    plan: str
    place: str
    limits: Limits
    ceiling: str = "public"
    records: bool = True
    idle_s: float = IDLE_S

    def to_line(self) -> bytes:
        """Return the orders as a line."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Orders:
        """Return the orders of a line."""
        row: Mapping[str, Any] = json.loads(line)
        return cls(**{**row, "limits": Limits(**row["limits"])})


class Lease:
    """Keeps a piece while it is worked on; ``is_lost`` when that was not possible."""

    def __init__(self, store: JobStore) -> None:
        self._store = store
        self._task: Task | None = None
        self._lost = False
        self._wake = threading.Event()
        threading.Thread(target=self._renew, daemon=True).start()

    def hold(self, task: Task | None) -> None:
        """Renew the lease of this piece from now on; None for no piece."""
        self._lost = False
        self._task = task
        self._wake.set()

    def is_lost(self) -> bool:
        """Return whether the piece that is worked on is another's now, or nobody's."""
        return self._lost

    def _renew(self) -> None:
        while True:
            # Most pieces are done before their lease has to be renewed at all.
            if self._wake.wait(None if self._task is None else _RENEW_S):
                self._wake.clear()
                continue
            task = self._task
            if task is None:
                continue
            try:
                self._store.renew(task)
            except LostLeaseError:
                # A piece that was finished meanwhile is held by nobody as well.
                if self._task is task:
                    self._lost = True
            except StoreError:
                continue  # locked or full; the lease still has some time


def work(orders: Orders, stop: threading.Event) -> None:
    """Work until told to stop or until nothing has been to do for a while.

    Raises
    ------
    PlanError, StoreError
        The plan or the store cannot be opened.
    """
    records = RecordStore(orders.db)
    store = JobStore(records, orders.limits)
    holder = f"{orders.place}/{secrets.token_hex(6)}"
    lease = Lease(store)
    plans = Plans(Path(orders.plan))
    bench = Bench(
        store, Path(orders.root), plans, orders.ceiling, orders.records, lost=lease.is_lost
    )
    idle_s = 0.0
    while not stop.is_set() and idle_s < orders.idle_s:
        task = _claimed(store, holder)
        if task is None:
            stop.wait(_LOOK_S)
            idle_s += _LOOK_S
            continue
        idle_s = 0.0
        lease.hold(task)
        bench.work(task)
        lease.hold(None)
    records.close()


def _claimed(store: JobStore, holder: str) -> Task | None:
    try:
        return store.claim(holder)
    except StoreError as error:
        _LOG.warning("no piece of a job can be taken: %s", error)
        return None


def main() -> int:
    """Read the orders, work, and end with the one who gave them."""
    for name in _SINGLE:
        os.environ.setdefault(name, "1")
    line = sys.stdin.buffer.readline()
    if not line.strip():
        return 2
    if hasattr(os, "nice"):
        with suppress(OSError):
            os.nice(_NICE)
    stop = threading.Event()
    threading.Thread(target=_end_with_parent, args=(stop,), daemon=True).start()
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        work(Orders.from_line(line), stop)
    except (PlanError, StoreError) as error:
        _LOG.error("a worker of the jobs cannot start: %s", error)
        return 3
    return 0


def _end_with_parent(stop: threading.Event) -> None:
    # Below the buffer: whoever waits in that holds a lock which the end of Python needs.
    while os.read(sys.stdin.fileno(), 1):
        pass
    # Nothing is lost by ending in the middle of a piece: it is done again, by whoever comes.
    stop.set()
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
