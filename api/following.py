"""Does the service follow when another release of its plan comes into force?

Once a second it looks at the journal of the releases, one ``stat``. A new release is opened in a
thread beside the one in use, and only when it is ready the service changes over: requests under way
finish with the plan that they began with. A release that cannot be opened changes nothing; the
reason stands in ``problem`` and in the log, and is looked at again from time to time. Each worker
follows for itself.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from gis.errors import WuquError
from gis.output.records.snapshot import snapshot_of
from gis.plan import Plan, load_plan
from gis.plan.releases.folder import Stamp, active_root, find_release, is_releases, stamp_of

_LOG = logging.getLogger("wuqu")
# A database that was away may be back; nothing else makes a release better that failed.
RETRY_S = 30.0

_T = TypeVar("_T")
Switch = Callable[[Plan], None]


class Following:
    """The releases that a service follows.

    ``serving`` is the release that answers, ``wanted`` the one in force, ``problem`` why the
    service does not answer by it, empty while all is well.

    Parameters
    ----------
    folder
        The folder of releases.
    serving
        Name of the release that the service starts with.
    records
        Whether answers are kept: then the files of a release are hashed before it answers.
    """

    def __init__(self, folder: Path, serving: str, *, records: bool = True) -> None:
        self.folder = folder
        self.serving = serving
        self.wanted = serving
        self.problem = ""
        self._records = records
        self._seen: Stamp | None = None
        self._retry_at = 0.0
        self._older: tuple[str, Plan] | None = None
        self._opening = asyncio.Lock()

    async def run(self, switch: Switch, every_s: float) -> None:
        """Follow until cancelled; ``switch`` is called with each plan that is ready to answer."""
        while True:
            await asyncio.sleep(every_s)
            # A folder on the network may hang, and must not take the service with it.
            stamp = await _beside(stamp_of, self.folder)
            again = bool(self.problem) and time.monotonic() >= self._retry_at
            if stamp != self._seen or again:
                self._seen = stamp
                await self._follow(switch)

    async def _follow(self, switch: Switch) -> None:
        try:
            root = await _beside(active_root, self.folder)
            self.wanted = root.name
            if root.name != self.serving:
                _LOG.info("release %s is being opened", root.name)
                plan = await _beside(self._opened, root)
                switch(plan)
                _LOG.info("release %s answers instead of %s", root.name, self.serving)
                self.serving = root.name
        except Exception as error:
            # Whatever it is: the release in use goes on, and the next one is still waited for.
            self.problem = error.detail if isinstance(error, WuquError) else "版本无法打开"
            self._retry_at = time.monotonic() + RETRY_S
            _LOG.error("the release in force cannot be opened, %s goes on: %s", self.serving, error)
        else:
            self.problem = ""

    def told(self) -> dict[str, str]:
        """Return what operators are told: the release that answers, and what went wrong."""
        if not self.problem:
            return {"release": self.serving}
        return {"release": self.serving, "wanted": self.wanted, "problem": self.problem}

    def _opened(self, root: Path) -> Plan:
        plan = load_plan(root).prepare()
        if self._records:
            snapshot_of(plan)
        return plan

    async def older(self, version: str) -> Plan | None:
        """Return the plan of an earlier version, to draw what was decided by it.

        None when no such release was published here, or it cannot be opened any more. The last one
        is kept.
        """
        async with self._opening:
            if self._older is None or self._older[0] != version:
                try:
                    plan = await _beside(partial(_older, version), self.folder)
                except (WuquError, OSError) as error:
                    _LOG.warning("version %r cannot be opened: %s", version, error)
                    return None
                self._older = (version, plan)
            return self._older[1]


def _older(version: str, folder: Path) -> Plan:
    return load_plan(folder / find_release(folder, version).release)


def following_of(plan: Plan, given: Path | None, *, records: bool) -> Following | None:
    """Return what follows the releases that a service was given; None for a plain package."""
    if given is None or not is_releases(given):
        return None
    return Following(given, plan.root.name, records=records)


async def _beside(work: Callable[[Path], _T], root: Path) -> _T:
    """Do work that may take long, or hang, in a thread that keeps no process from ending."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[_T] = loop.create_future()

    def settle(result: _T | None, error: Exception | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]  # of ``work``, which raised nothing

    def run() -> None:
        result, error = None, None
        try:
            result = work(root)
        except Exception as problem:
            error = problem
        try:
            loop.call_soon_threadsafe(settle, result, error)
        except RuntimeError:  # the service has ended meanwhile
            return

    threading.Thread(target=run, daemon=True, name="wuqu-release").start()
    return await done
