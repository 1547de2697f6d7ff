"""How are the sites of one request checked: at once, or in a thread and within a time budget?

A plan keeps no prepared geometry, so checks in several threads may share it. Nothing here reads
an upload or stores an answer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import shapely
from starlette.concurrency import run_in_threadpool

from api.answers import json_bytes as plain_json
from api.deps import State
from api.errors import EffortError
from api.options import Options
from gis.canonical import to_dict
from gis.check import Asked, checking, with_remedies
from gis.json_text import json_bytes, text_without_outlines, with_id, without_outlines
from gis.model import Site, SiteCheck, Verdict
from gis.output.export import without_geometry
from gis.plan import Plan
from gis.stages import Staged, finished


@dataclass(frozen=True)
class Answer:
    """What was found for one site, as text to keep and to send, or as a document to leave out of.

    ``id`` is that of its record, or its own where none is kept; ``kept`` the text of the record.
    """

    check: SiteCheck
    id: str
    kept: bytes = b""

    def text(self, state: State, *, geometry: bool) -> bytes:
        """Return the answer as JSON text in UTF-8, with the outlines that may be seen, or none."""
        if geometry and not state.hidden_layers:
            return with_id(self.kept or json_bytes(self.check), self.check.id, self.id)
        if not geometry and not any(remedy.geometry for remedy in self.check.remedies):
            # A record says all of it already, under its own id.
            if self.kept:
                return text_without_outlines(with_id(self.kept, self.check.id, self.id))
            return with_id(json_bytes(without_outlines(self.check)), self.check.id, self.id)
        shown = state.showable if geometry else without_geometry
        return plain_json(shown({**to_dict(self.check), "id": self.id}))


# Measured with the bundled plan: a check takes about 7 ms, plus 0.03 ms per vertex and 6 ms per
# km² that it touches. Within these limits that is 10-50 ms, which others may wait for; waking a
# thread for it would cost every request more than it saves.
_INLINE_SITES = 5
_INLINE_VERTICES = 500
_INLINE_M2 = 1_000_000.0
_INLINE_SHARE = 0.001


def is_small(sites: Sequence[Site], plan: Plan) -> bool:
    """Return whether the sites are checked so fast that no thread is worth its while."""
    # A site whose place is in doubt is judged at a dozen places.
    if len(sites) > _INLINE_SITES or any(site.doubt for site in sites):
        return False
    outlines = [site.geometry for site in sites]
    if sum(map(shapely.get_num_coordinates, outlines)) > _INLINE_VERTICES:
        return False
    # The box counts, not the area: a corridor meets what lies in its box before it is told apart.
    boxes = [outline.bounds for outline in outlines]
    boxes_m2 = sum((east - west) * (north - south) for west, south, east, north in boxes)
    return boxes_m2 <= min(_INLINE_M2, _INLINE_SHARE * plan.bounds_polygon.area)


async def judge(
    sites: Sequence[Site], options: Options, state: State, *, small: bool, deadline: float
) -> Sequence[SiteCheck]:
    """Return what was found for every site, in the given order.

    Parameters
    ----------
    small
        From ``is_small``; small sites are checked right here, in turns with those of others.
    deadline
        When the request has used up its time, on the clock of ``time.monotonic``.

    Raises
    ------
    EffortError
        The time was not enough for all sites; none has an answer then.
    BusyError
        Too many large requests at once.
    """
    done: list[SiteCheck] = []
    searched = options.remedies and not small and len(sites) <= _INLINE_SITES
    # A record shows the outlines, whatever this answer does.
    drawn = options.geometry or state.settings.records
    asked = Asked(options.use, options.attributes or None, options.as_of, searched, drawn)
    how = partial(checking, plan=state.plan, asked=asked)
    if small:
        # Looked at once: what others take meanwhile is not taken from the time of this one.
        if time.monotonic() > deadline:
            raise _too_much(0, len(sites))
        done = [await _in_turns(how(site)) for site in sites]
        # A search for remedies judges a dozen outlines: too long for others to wait.
        if options.remedies and any(check.verdict is not Verdict.PASS for check in done):
            done = await run_in_threadpool(_helped, done, state.plan)
        return done
    work = partial(_check_all, sites, how, deadline, done)
    try:
        await state.heavy.run(work, deadline - time.monotonic())
    except TimeoutError:
        raise _too_much(len(done), len(sites)) from None
    return done


def _helped(checks: Sequence[SiteCheck], plan: Plan) -> list[SiteCheck]:
    return [with_remedies(c, plan) if c.verdict is not Verdict.PASS else c for c in checks]


async def _in_turns(check: Staged[SiteCheck]) -> SiteCheck:
    """Return what a check finds, other requests going on with theirs before each stage of it.

    Those that wait together are then read, measured, judged one after the other, while the
    processor's caches hold the code of one stage (``gis.stages``).
    """
    while True:
        await asyncio.sleep(0)
        try:
            next(check)
        except StopIteration as end:
            found: SiteCheck = end.value
            return found


def _check_all(
    sites: Sequence[Site],
    check: Callable[[Site], Staged[SiteCheck]],
    deadline: float,
    done: list[SiteCheck],
) -> None:
    """Check the sites; many at once get procedures only, no new outlines."""
    for site in sites:
        if time.monotonic() > deadline:
            raise _too_much(len(done), len(sites))
        done.append(finished(check(site)))


def _too_much(done: int, total: int) -> EffortError:
    return EffortError(
        f"一次请求的检测量过大：限定时间内只检测了 {done} 个地块，共 {total} 个，本次未给出结论",
        expected="几秒内可检测完的地块",
        advice="分批提交或简化图形；整批地块、很大的地块可用命令行 wuqu check 检测",
    )
