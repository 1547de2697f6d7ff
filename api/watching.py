"""How do clients learn that a job goes on? One look at the store for all who watch the same job.

A look is shared by everybody who asks within half a second, so a hundred open pages cost the store
as much as one. It sends nothing; the events are written in ``api.routers.jobs``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.concurrency import run_in_threadpool

from gis.errors import BusyError
from gis.jobs.model import Job
from gis.jobs.store import JobStore

LOOK_S = 0.5


class Watching:
    """What is known of the jobs that somebody watches.

    Parameters
    ----------
    store
        The jobs.
    most
        How many may watch at the same time.
    """

    def __init__(self, store: JobStore, most: int) -> None:
        self._store = store
        self._most = most
        self._seats = 0
        self.is_closing = False
        # As large as there are jobs that are watched.
        self._known: dict[str, tuple[float, asyncio.Task[Job]]] = {}
        self._watchers: dict[str, int] = {}

    def close(self) -> None:
        """Let every stream end soon: the service is asked to end."""
        self.is_closing = True

    def require_seat(self) -> None:
        """Raise BusyError when no place is free."""
        if self._seats >= self._most:
            raise BusyError(f"同时接收任务进度的连接已达 {self._most} 个")

    @contextmanager
    def seat(self, job_id: str) -> Iterator[None]:
        """Hold a place while somebody watches."""
        self._seats += 1
        self._watchers[job_id] = self._watchers.get(job_id, 0) + 1
        try:
            yield
        finally:
            self._seats -= 1
            self._watchers[job_id] -= 1
            if not self._watchers[job_id]:
                del self._watchers[job_id]
                self._known.pop(job_id, None)

    async def job(self, job_id: str) -> Job:
        """Return a job as it was at most half a second ago; raise what the store raises."""
        at, look = self._known.get(job_id, (0.0, None))
        if look is None or (look.done() and time.monotonic() - at > LOOK_S):
            look = asyncio.create_task(run_in_threadpool(self._store.get, job_id))
            self._known[job_id] = (time.monotonic(), look)
        # One who leaves must not end the look of the others.
        return await asyncio.shield(look)
