"""How does the service start? One process on the loopback address, or several workers behind it.

It never answers a request itself; that is ``api.app``.
"""

from __future__ import annotations

import os
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from api.settings import Settings, require_loopback, settings
from gis.output.records import RecordStore

KEEP_ALIVE_S = 5
SHUTDOWN_S = 8  # SIGTERM ends the service within ten seconds even when a request hangs


def serve(
    host: str | None = None,
    port: int | None = None,
    workers: int | None = None,
    plan: Path | str | None = None,
) -> None:
    """Run the service until it is stopped; what is not given comes from the environment.

    Raises
    ------
    ClaimError
        The host is no loopback address, port or number of workers is out of range, or a variable
        of the environment has a value that cannot be used.
    PlanError
        The plan package cannot be used.
    StoreError
        The decision records cannot be opened.
    """
    if plan is not None:
        # Workers are fresh processes; the environment is how they learn which plan to load.
        os.environ["WUQU_PLAN"] = str(plan)
    chosen = settings(host=host, port=port, workers=workers)
    require_loopback(chosen.host)
    if chosen.records:
        # What is wrong with the records is one clear message, before the server starts.
        RecordStore(chosen.db).close()
    uvicorn.run(
        "api.app:create_app" if chosen.workers > 1 else _app_in_process(chosen),
        factory=chosen.workers > 1,
        host=chosen.host,
        port=chosen.port,
        workers=chosen.workers if chosen.workers > 1 else None,
        limit_concurrency=chosen.open_connections,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=SHUTDOWN_S,
        server_header=False,
        log_level="info",
    )


def _app_in_process(settings: Settings) -> FastAPI:
    """Load the plan before the server starts, so that a bad plan is one clear message."""
    from api.app import create_app
    from gis.plan import load_plan

    return create_app(settings, plan=load_plan(settings.plan))
