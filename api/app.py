"""The HTTP service put together: settings, one plan, one record store, routers, errors, headers."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from api.access.control import AccessControl
from api.access.gate import Gate
from api.access.openapi import with_access
from api.deps import State
from api.errors import add_error_handlers
from api.examples import body_examples
from api.following import Following, following_of
from api.headers import SecurityHeaders
from api.jobs import crew_of
from api.logs import guard_loggers
from api.maps import MapFiles
from api.metrics import Metrics
from api.ogc import jobs as ogc_jobs
from api.ogc import mount as ogc
from api.ogc.exchange import OgcApi
from api.openapi import complete
from api.routers import (
    balance,
    batch,
    checks,
    exports,
    health,
    jobs,
    keys,
    maps,
    pages,
    plan,
    projects,
    records,
    sign_in,
    siting,
)
from api.settings import Settings
from api.settings import settings as read_settings
from api.stopping import told_of_the_end
from api.upload import BodyLimit
from api.watch import Watch
from gis.jobs.store import JobStore
from gis.output.records import RecordStore, software_versions
from gis.output.records.snapshot import snapshot_of
from gis.plan import Plan, load_plan

_PAGES = Path(__file__).parent / "pages"
# A check leaves some hundred objects and hardly a cycle; with the usual 700 the collector looks
# through them at every other request. Cycles of this many objects take a few megabytes.
_OBJECTS_BETWEEN_COLLECTIONS = 50_000
_ABOUT = (
    "把候选地块提交给 `POST /v1/site-checks`，得到结论、逐条规则的依据与处理办法。"
    "面积以 CGCS2000 椭球面积为准。所有结论都注明规划版本和状态；状态为“示意”时不具法律效力。"
)


def create_app(settings: Settings | None = None, *, plan: Plan | None = None) -> FastAPI:
    """Return the service.

    Parameters
    ----------
    settings
        Default: from the environment.
    plan
        An opened plan; default: the one that the settings name, opened when the service starts.
    """
    chosen = settings or read_settings()
    access, metrics = AccessControl(chosen), Metrics()
    guard_loggers()
    given = [] if plan is None else [plan]
    del plan

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        store = RecordStore(chosen.db)
        was_given = bool(given)
        opened = given.pop() if was_given else load_plan(chosen.plan)
        following = following_of(opened, chosen.plan, records=chosen.records)
        jobs = JobStore(store, chosen.job_limits)
        crew = crew_of(chosen, following.folder if following else opened.root, jobs)
        ready = opened.prepare()
        app.state.wuqu = State(chosen, ready, store, access, metrics, jobs, crew, following)
        if chosen.records:
            # The files are hashed once, now that they have just been read.
            snapshot_of(opened)
        if was_given and following is None:
            given.append(opened)
        # Once another release answers, nothing here may keep the first one in memory.
        del opened, ready
        app.state.map_files = MapFiles()
        with _out_of_rounds() as settle:
            settle()
            crew.start()
            async with _followed(app, following, chosen.follow_s, settle):
                with told_of_the_end(app.state.wuqu.watching.close):
                    yield
            crew.stop()
        app.state.map_files.close()
        store.close()
        access.audit.close()

    app = FastAPI(
        title="五区 · 选址合规性检测",
        description=_ABOUT,
        version=software_versions()["wuqu"],
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        # A redirect would quote the Host header that a client made up.
        redirect_slashes=False,
    )
    app.state.access = access
    app.state.ogc = OgcApi()
    _add_parts(app)
    # From the inside out: what is added last is asked first.
    app.add_middleware(
        BodyLimit, limit_bytes=chosen.body_limit_bytes, others={batch.PATH: chosen.job_limit_bytes}
    )
    app.add_middleware(Gate, control=access)
    basemap = chosen.sharing.basemap
    app.add_middleware(SecurityHeaders, basemap=basemap.origin if basemap else "")
    app.add_middleware(Watch, audit=access.audit, metrics=metrics)
    return app


@asynccontextmanager
async def _followed(
    app: FastAPI, following: Following | None, every_s: float, settle: Callable[[], None]
) -> AsyncIterator[None]:
    """Change over to other releases of the plan while the service runs."""
    if following is None:
        yield
        return

    def switch(plan: Plan) -> None:
        app.state.wuqu = app.state.wuqu.on(plan)
        # Files of the old map are removed once nobody reads them any more.
        app.state.map_files = MapFiles()
        app.state.ogc.forget()
        app.openapi_schema = None
        settle()

    task = asyncio.create_task(following.run(switch, every_s))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@contextmanager
def _out_of_rounds() -> Iterator[Callable[[], None]]:
    """Give what spares the collector the opened plan, until the service stops.

    A host that froze objects of its own in this process minds the collector itself: to thaw them
    and to look through them at each start is not for the service.
    """
    if gc.get_freeze_count():
        yield lambda: None
        return
    usual = gc.get_threshold()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, *usual[1:])
    try:
        yield _settle
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()


def _settle() -> None:
    """Take what was opened out of the collector's rounds: it stays until another plan answers."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def _add_parts(app: FastAPI) -> None:
    first = (batch, exports, checks, records, jobs, plan, projects, balance, siting, maps, keys)
    for part in (*first, health, sign_in, ogc, ogc_jobs, pages):
        app.include_router(part.router)
    app.mount("/static", StaticFiles(directory=_PAGES / "static"))
    app.mount("/vendor", StaticFiles(directory=_PAGES / "vendor"))
    add_error_handlers(app)
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            examples = body_examples(app.state.wuqu.plan)
            app.openapi_schema = with_access(complete(describe(), examples))
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way
