"""Which map pages has this process drawn already?

The plan map is drawn once, and again when land has been reserved or released: nothing else of a
plan changes while the process runs. The map of a record is kept for a while, because a record
never changes; with a decision of an officer beside it, it is drawn anew. A map takes a second or
two, so it is drawn in a thread, one at a time; drawing prepares no geometry, so it may share the
plan with the checks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any
from weakref import finalize

from starlette.concurrency import run_in_threadpool

from api.access.visit import Visit
from api.deps import State
from gis.errors import NotFoundError
from gis.output.maps import ServedMap, comparison_map, plan_map, served_plan_map, site_map
from gis.output.maps.assets import AssetError, asset
from gis.output.maps.pair import What
from gis.output.maps.templates import static_text
from gis.output.sharing import Sharing
from gis.plan import Plan
from gis.plan.reservations import FILE

_KEPT = 64


@dataclass(frozen=True, slots=True)
class File:
    """One file beside a map; ``kept`` tells whether a browser may keep it for good."""

    path: Path | None
    content: bytes
    media_type: str
    kept: bool


_TYPES = {
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "png": "image/png",
    "pmtiles": "application/vnd.pmtiles",
}


# Scripts of the maps that other pages use too.
_SHARED = frozenset({"geodesy.js"})


class MapFiles:
    """The plan map with its files beside it, drawn once for each state of the plan.

    The files lie in a folder of this process, from which parts of them can be sent.
    """

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._key = ""
        self._html = ""
        self._names: frozenset[str] = frozenset()

    async def page(self, state: State) -> str:
        """Return the small page, drawn anew when the plan has changed."""
        key = plan_key(state)
        if self._key != key:
            async with state.drawing:
                if self._key != key:
                    chosen = state.settings
                    # Its policy allows files of this service only: the basemap stays out.
                    drawn = await run_in_threadpool(
                        served_plan_map,
                        state.plan,
                        ceiling=chosen.secrecy,
                        sharing=Sharing(chosen.sharing.recipient),
                    )
                    await run_in_threadpool(self._keep, drawn)
                    self._key = key
        return self._html

    async def file(self, state: State, name: str) -> File:
        """Return a file by its name; raise NotFoundError when no map has it."""
        if name in _SHARED:
            return File(None, static_text(name).encode(), _TYPES["js"], kept=False)
        try:
            found = asset(name)
        except AssetError:
            # Another process may have sent the page that asks for it.
            await self.page(state)
            if name not in self._names:
                raise NotFoundError(f"地图文件 {name[:80]} 不存在", advice="重新打开地图") from None
            kind = name.rsplit(".", 1)[-1]
            return File(self._place(name), b"", _TYPES[kind], kept=True)
        return File(None, found.content, found.media_type, kept=False)

    def close(self) -> None:
        """Remove the files."""
        if self._folder is not None:
            rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _place(self, name: str) -> Path:
        if self._folder is None:
            raise NotFoundError(f"地图文件 {name[:80]} 不存在", advice="重新打开地图")
        return self._folder / name

    def _keep(self, drawn: ServedMap) -> None:
        if self._folder is None:
            self._folder = Path(mkdtemp(prefix="wuqu-maps-"))
            # Also where nobody closes: a server that ends takes its files along.
            finalize(self, rmtree, self._folder, ignore_errors=True)
        folder = self._folder
        for name, content in drawn.files.items():
            (folder / name).write_bytes(content)
        for old in self._names - drawn.files.keys():
            (folder / old).unlink(missing_ok=True)
        self._html, self._names = drawn.html, frozenset(drawn.files)


def plan_key(state: State) -> str:
    """Return what names a plan as it stands: its release, rule book and reservations."""
    ref = state.plan.ref
    return f"plan:{ref.id}:{ref.version}:{state.plan.rulebook.sha256}:{_promised(state.plan)}"


async def plan_page(state: State) -> str:
    """Return the plan map as one HTML page."""
    key = plan_key(state)
    for old in [k for k in state.pages if k.startswith("plan:") and k != key]:
        del state.pages[old]
    return await drawn_once(state, key, _drawer(state, plan_map, state.plan))


def _promised(plan: Plan) -> str:
    """Return what differs once a reservation was written; the map tells what land is left."""
    try:
        found = (plan.register_folder / FILE).stat()
    except OSError:
        return ""
    return f"{found.st_mtime_ns}-{found.st_size}"


async def comparison_page(state: State, what: What) -> str:
    """Return two states of the plan side by side; raise NotFoundError when it has not both."""
    ref = state.plan.ref
    draw = _drawer(state, comparison_map, state.plan, what=what)
    return await drawn_once(state, f"comparison:{what}:{ref.id}:{ref.version}", draw)


async def site_page(state: State, check_id: str, visit: Visit) -> str:
    """Return the map of one record; raise NotFoundError when the caller has none like that."""
    # Asked for even when the map is there: it may have been drawn for somebody else.
    record = await state.record(check_id, visit)
    manual = await state.manual(record)
    # What officers decide is added and never taken back.
    key = f"{check_id}:{len(manual)}"
    document = state.showable(record.document)
    cited = await state.citing(document["plan"]["version"])
    draw = _drawer(state, partial(site_map, manual=manual), document, cited.plan)
    return await drawn_once(state, key, draw)


def _drawer(state: State, draw: Callable[..., str], *given: Any, **more: Any) -> Callable[[], str]:
    """Return what draws a page within the settings of the service."""
    chosen = state.settings
    return partial(draw, *given, **more, ceiling=chosen.secrecy, sharing=chosen.sharing)


async def drawn_once(state: State, key: str, draw: Callable[[], str]) -> str:
    """Return a page by its key, drawn when nobody has asked for it lately; one at a time."""
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
