"""Which map pages has this process drawn already?

The plan map is drawn once, and again when land has been reserved or released: nothing else of a
plan changes while the process runs. The map of a record is kept for a while, because a record
never changes either. A map takes a second or two, so
it is drawn in a thread, one at a time; drawing prepares no geometry, so it may share the plan with
the checks.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.concurrency import run_in_threadpool

from api.deps import State
from gis.output.maps import plan_map, site_map
from gis.plan import Plan
from gis.plan.reservations import FILE

_KEPT = 64


async def plan_page(state: State) -> str:
    """Return the plan map as one HTML page."""
    ref = state.plan.ref
    key = f"plan:{ref.id}:{ref.version}:{state.plan.rulebook.sha256}:{_promised(state.plan)}"
    for old in [k for k in state.pages if k.startswith("plan:") and k != key]:
        del state.pages[old]
    return await _page(state, key, _drawer(state, plan_map, state.plan))


def _promised(plan: Plan) -> str:
    """Return what differs once a reservation was written; the map tells what land is left."""
    try:
        found = (plan.root / FILE).stat()
    except OSError:
        return ""
    return f"{found.st_mtime_ns}-{found.st_size}"


async def site_page(state: State, check_id: str) -> str:
    """Return the map of one record; raise NotFoundError when there is none."""
    if check_id in state.pages:
        return state.pages[check_id]
    document = await state.document(check_id)
    return await _page(state, check_id, _drawer(state, site_map, document, state.plan))


def _drawer(state: State, draw: Callable[..., str], *what: Any) -> Callable[[], str]:
    """Return what draws a page within the settings of the service."""
    chosen = state.settings
    return partial(draw, *what, ceiling=chosen.secrecy, sharing=chosen.sharing)


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
