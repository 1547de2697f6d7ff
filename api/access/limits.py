"""How much may one caller ask for, and all of them together?

Counts per worker process, in memory, in tables of bounded size. It knows callers only as texts.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from api.access.errors import OverloadError, TooManyError

Clock = Callable[[], float]
MAX_CALLERS = 4096
# A bucket holds what a caller may ask for in this time at once: the desk opens with some 25 files.
_BURST_S = 10.0
_OVERLOAD_RETRY_S = 2


@dataclass(slots=True)
class _Bucket:
    left: float
    seen: float
    told: bool = False


class Rates:
    """Token buckets: so many requests a minute, some of them at once.

    Parameters
    ----------
    per_minute
        0 means no limit.
    """

    def __init__(self, per_minute: int, now: Clock = time.monotonic) -> None:
        self._per_s = per_minute / 60
        self._size = max(1.0, self._per_s * _BURST_S)
        self._now = now
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, caller: str) -> None:
        """Count one request; raise TooManyError when the caller has to wait.

        The first refusal in a row has ``first``; the log of what was done tells only that one.
        """
        if not self._per_s:
            return
        bucket, now = self._bucket(caller), self._now()
        bucket.left = min(self._size, bucket.left + (now - bucket.seen) * self._per_s)
        bucket.seen = now
        if bucket.left >= 1:
            bucket.left -= 1
            bucket.told = False
            return
        error = TooManyError(
            f"每分钟请求超过 {self._per_s * 60:.0f} 次",
            max(1, round((1 - bucket.left) / self._per_s + 0.5)),
        )
        error.first = not bucket.told
        bucket.told = True
        raise error

    def _bucket(self, caller: str) -> _Bucket:
        found = self._buckets.get(caller)
        if found is None:
            # The one that asked longest ago is forgotten; its bucket is the fullest.
            while len(self._buckets) >= MAX_CALLERS:
                self._buckets.popitem(last=False)
            found = self._buckets[caller] = _Bucket(self._size, self._now())
        self._buckets.move_to_end(caller)
        return found


class UnderWay:
    """Requests under way: of one caller, and of all.

    Parameters
    ----------
    each, together
        The largest numbers at the same time.
    """

    def __init__(self, each: int, together: int) -> None:
        self._each = each
        self._together = together
        # As large as there are requests under way: what is not under way has no row.
        self._counts: dict[str, int] = {}
        self.total = 0

    def __len__(self) -> int:
        return len(self._counts)

    @contextmanager
    def place(self, caller: str) -> Iterator[None]:
        """Hold a place while a request is under way; raise TooManyError when there is none."""
        if self.total >= self._together:
            raise OverloadError(f"同时处理的请求已达 {self._together} 个", _OVERLOAD_RETRY_S)
        own = self._counts.get(caller, 0)
        if own >= self._each:
            raise TooManyError(f"同时提交的请求已达 {self._each} 个", 1)
        self._counts[caller] = own + 1
        self.total += 1
        try:
            yield
        finally:
            self.total -= 1
            if self._counts[caller] == 1:
                del self._counts[caller]
            else:
                self._counts[caller] -= 1


@dataclass(slots=True)
class _Wrong:
    count: int
    last: float


class WrongKeys:
    """Slows down who tries keys.

    Each wrong key of an address is answered later than the one before, and after some of them at
    once with "too many". A right key is never slowed, so nobody behind the same address is locked
    out by others.

    Parameters
    ----------
    sleep
        How to wait, in seconds.
    """

    FREE = 2
    MOST = 20
    FORGET_S = 900.0
    FIRST_DELAY_S = 0.25
    LONGEST_DELAY_S = 4.0
    WAITING = 64

    def __init__(
        self,
        now: Clock = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._now = now
        self._sleep = sleep
        self._wrong: OrderedDict[str, _Wrong] = OrderedDict()
        self._waiting = 0

    def __len__(self) -> int:
        return len(self._wrong)

    async def slow_down(self, address: str) -> None:
        """Count a wrong key and wait; raise TooManyError after too many of them."""
        count = self._count(address)
        if count > self.MOST or self._waiting >= self.WAITING:
            error = TooManyError("不正确的密钥过多", round(self.FORGET_S / 15))
            error.first = count <= self.MOST + 1
            raise error
        if count <= self.FREE:
            return
        delay = min(self.LONGEST_DELAY_S, self.FIRST_DELAY_S * 2 ** (count - self.FREE - 1))
        self._waiting += 1
        try:
            await self._sleep(delay)
        finally:
            self._waiting -= 1

    def _count(self, address: str) -> int:
        now = self._now()
        row = self._wrong.pop(address, None)
        if row is None or now - row.last > self.FORGET_S:
            while len(self._wrong) >= MAX_CALLERS:
                self._wrong.popitem(last=False)
            row = _Wrong(0, now)
        row.count += 1
        row.last = now
        self._wrong[address] = row
        return row.count
