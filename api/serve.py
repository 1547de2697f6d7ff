"""How does the service start? One process on the loopback address, or several workers behind it.

It never answers a request itself; that is ``api.app``.
"""

from __future__ import annotations

import os
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from api.settings import Settings, require_loopback
from gis.errors import ClaimError

KEEP_ALIVE_S = 5
SHUTDOWN_S = 8  # SIGTERM ends the service within ten seconds even when a request hangs


def serve(
    host: str = "127.0.0.1",
    port: int = 8000,
    workers: int = 1,
    plan: Path | str | None = None,
) -> None:
    """Run the service until it is stopped.

    Raises
    ------
    ClaimError
        The host is no loopback address, or port or number of workers is out of range.
    PlanError
        The plan package cannot be used.
    """
    require_loopback(host)
    _require_range("端口", port, 1, 65535)
    _require_range("进程数", workers, 1, 64)
    if plan is not None:
        # Workers are fresh processes; the environment is how they learn which plan to load.
        os.environ["WUQU_PLAN"] = str(plan)
    settings = Settings(host=host, port=port, workers=workers)
    uvicorn.run(
        "api.app:create_app" if workers > 1 else _app_in_process(settings),
        factory=workers > 1,
        host=host,
        port=port,
        workers=workers if workers > 1 else None,
        limit_concurrency=settings.open_connections,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=SHUTDOWN_S,
        server_header=False,
        log_level="info",
    )


def _require_range(what: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise ClaimError(f"{what}为 {value}", expected=f"{low}–{high}")


def _app_in_process(settings: Settings) -> FastAPI:
    """Load the plan before the server starts, so that a bad plan is one clear message."""
    from api.app import create_app
    from gis.plan import load_plan

    return create_app(settings, plan=load_plan(settings.plan))
