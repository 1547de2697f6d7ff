"""Which map pages has this process drawn already?

The plan map is drawn once per process: plan and rule book never change while it runs. The map of a
record is kept for a while, because a record never changes either. A map takes a second or two, so
it is drawn in a thread, one at a time; drawing prepares no geometry, so it may share the plan with
the checks.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from starlette.concurrency import run_in_threadpool

from api.deps import State
from gis.output.maps import plan_map, site_map

_KEPT = 64


async def plan_page(state: State) -> str:
    """Return the plan map as one HTML page."""
    key = f"plan:{state.plan.ref.id}:{state.plan.ref.version}:{state.plan.rulebook.sha256}"
    return await _page(state, key, partial(plan_map, state.plan, ceiling=state.settings.secrecy))


async def site_page(state: State, check_id: str) -> str:
    """Return the map of one record; raise NotFoundError when there is none."""
    if check_id in state.pages:
        return state.pages[check_id]
    document = await state.document(check_id)
    draw = partial(site_map, document, state.plan, ceiling=state.settings.secrecy)
    return await _page(state, check_id, draw)


async def _page(state: State, key: str, draw: Callable[[], str]) -> str:
    if key not in state.pages:
        async with state.drawing:
            # Another request may have drawn it while this one waited.
            if key not in state.pages:
                page = await run_in_threadpool(draw)
                _forget_oldest(state)
                state.pages[key] = page
    return state.pages[key]


def _forget_oldest(state: State) -> None:
    while len(state.pages) >= _KEPT:
        del state.pages[next(k for k in state.pages if not k.startswith("plan:"))]
