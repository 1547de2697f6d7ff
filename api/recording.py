"""How are answers kept, so that a busy service does not wait for the disk once per request?

Requests that arrive while a transaction is being written share the next one (group commit). Each is
told only when its own answers are durable.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool

from gis.errors import StoreError
from gis.output.records import Entry, RecordStore, Submission
from gis.output.records.rows import made_ready

# For how long it is known that records can be written.
FRESH_S = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    """Answers of one upload, and who waits for their ids."""

    submission: Submission
    ids: asyncio.Future[list[str]]


class Recorder:
    """Writes to one store from one event loop."""

    def __init__(self, store: RecordStore) -> None:
        self._store = store
        self._waiting: list[_Waiting] = []
        self._writing: asyncio.Task[None] | None = None
        self._look: asyncio.Task[None] | None = None
        self._proven_at = -math.inf

    async def require_writable(self) -> None:
        """Raise StoreError when a record could not be written now.

        Looking takes the lock that all records wait for, so one look serves everybody who asks
        within a second, and a record that was written in that time is proof enough.
        """
        if time.monotonic() - self._proven_at < FRESH_S:
            return
        if self._look is None or self._look.done():
            self._look = asyncio.create_task(self._looked())
        # One who does not wait any longer must not end the look of the others.
        await asyncio.shield(self._look)

    async def _looked(self) -> None:
        begun = time.monotonic()
        await run_in_threadpool(self._store.require_writable)
        self._proven_at = begun

    async def save(
        self,
        entries: Sequence[Entry],
        sha256: str,
        *,
        owner: str = "",
        request_id: str = "",
        small: bool = True,
    ) -> list[str]:
        """Return the ids of the answers of one upload once all of them are on disk, or none.

        The rows of a ``small`` upload are made ready right here: a thread that competes with the
        event loop for the interpreter gets on slowly, and everybody would wait for it.

        Raises
        ------
        StoreError
            The store could not be written; the subclass says why.
        """
        loop = asyncio.get_running_loop()
        given = Submission(entries, sha256, owner, request_id)
        submission = made_ready(given) if small else await run_in_threadpool(made_ready, given)
        own = _Waiting(submission, loop.create_future())
        self._waiting.append(own)
        if self._writing is None or self._writing.done():
            self._writing = loop.create_task(self._write())
        # A client that leaves must not take the answers of others with it.
        return await asyncio.shield(own.ids)

    async def _write(self) -> None:
        while self._waiting:
            together, self._waiting = self._waiting, []
            begun = time.monotonic()
            try:
                found = await run_in_threadpool(self._save, together)
            except BaseException as error:
                _fail(together, error)
                if not isinstance(error, Exception):
                    raise
                continue
            for one, ids in zip(together, found, strict=True):
                if not isinstance(ids, Exception):
                    self._proven_at = begun
                elif isinstance(ids, StoreError):
                    self._proven_at = -math.inf
                _settle(one, ids)

    def _save(self, together: Sequence[_Waiting]) -> list[list[str] | Exception]:
        """Write all in one transaction; where that fails each for itself, so that one can fail."""
        try:
            return list(self._store.save_uploads([one.submission for one in together]))
        except StoreError as error:
            # The store is out of order for everybody; trying again one by one would take a wait
            # for a lock each.
            return [error] * len(together)
        except Exception as error:
            if len(together) == 1:
                return [error]
            return [self._save([one])[0] for one in together]


def _settle(one: _Waiting, ids: list[str] | Exception) -> None:
    if one.ids.done():
        return
    if isinstance(ids, Exception):
        one.ids.set_exception(ids)
    else:
        one.ids.set_result(ids)


def _fail(together: Sequence[_Waiting], error: BaseException) -> None:
    for one in together:
        if not one.ids.done():
            one.ids.set_exception(error)
