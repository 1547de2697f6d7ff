"""How does work that takes seconds run, so that the service goes on answering meanwhile?

In a thread of its own, a few at once, with a short queue and a time limit. It knows nothing of
sites or plans.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from threading import Thread
from typing import TypeVar

from gis.errors import BusyError

T = TypeVar("T")
_TOO_MANY = "同时检测的大地块过多"


class HeavyWork:
    """Threads for heavy work of one process.

    Parameters
    ----------
    at_once
        How many run at the same time.
    waiting
        How many more may wait for their turn; everybody after them is sent away.
    wait_s
        The longest wait for a turn.
    changed
        Told how many run and how many wait, whenever that changes.
    """

    def __init__(
        self,
        at_once: int,
        waiting: int,
        wait_s: float,
        changed: Callable[[int, int], None] = lambda _running, _waiting: None,
    ) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._places = self._most_places = waiting
        self._wait_s = wait_s
        self._running = 0
        self._changed = changed

    async def run(self, work: Callable[[], T], limit_s: float) -> T:
        """Return what ``work`` returns, or raise what it raises.

        A thread cannot be stopped from outside. Work over its limit is left alone and keeps its
        place among those that run, so that abandoned work cannot pile up.

        Raises
        ------
        BusyError
            Too many are waiting, or the wait was too long.
        TimeoutError
            The work took longer than its limit.
        """
        await self._enter()
        self._count(+1)
        loop = asyncio.get_running_loop()
        result: asyncio.Future[T] = loop.create_future()
        # A daemon, because a pool would hold up the end of the service until its work is done.
        Thread(target=_carry, args=(work, result, loop, self._leave), daemon=True).start()
        return await asyncio.wait_for(result, max(limit_s, 0.0))

    async def _enter(self) -> None:
        if self._free.locked():
            if not self._places:
                raise BusyError(_TOO_MANY)
            self._places -= 1
            self._count(0)
            try:
                await asyncio.wait_for(self._free.acquire(), self._wait_s)
            except TimeoutError:
                raise BusyError(_TOO_MANY) from None
            finally:
                self._places += 1
                self._count(0)
        else:
            await self._free.acquire()

    def _leave(self) -> None:
        self._free.release()
        self._count(-1)

    def _count(self, more: int) -> None:
        self._running += more
        self._changed(self._running, self._most_places - self._places)


def _carry(
    work: Callable[[], T],
    result: asyncio.Future[T],
    loop: asyncio.AbstractEventLoop,
    leave: Callable[[], None],
) -> None:
    try:
        settle = partial(result.set_result, work())
    except BaseException as error:  # whatever it is belongs to the request, not to this thread
        settle = partial(result.set_exception, error)

    def finish() -> None:
        leave()
        if not result.done():
            settle()

    # The service may have ended while the work went on.
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(finish)
