"""Which routes of ``/ogc`` tell of executions that are answered later? Status, result, dismissal.

The jobs are those of the service; see ``calls`` for what is said of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Path
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from api.answers import json_bytes
from api.jobs import require_own
from api.ogc import calls
from api.ogc.exchange import JSON_TYPE, Exchange, ExchangeDep
from api.ogc.execution import SITE_CHECK, Execution
from api.ogc.query import PLAIN, parse_period, wrong
from gis.errors import NotFoundError
from gis.jobs.calls import Wanted, dismiss
from gis.jobs.calls import calls as calls_of
from gis.jobs.folder import JobFolder
from gis.jobs.store import now_ms

# Described in ``/ogc/openapi``.
router = APIRouter(prefix="/ogc", include_in_schema=False)

JobId = Annotated[str, Path(max_length=64)]
_LIST = frozenset(
    (
        *("f", "limit", "offset", "type", "processID", "status", "datetime"),
        *("minDuration", "maxDuration"),
    )
)
_USUAL, _MOST = 100, 1000
_STATES = {name: state for state, name in calls.STATUS.items()}


async def answered_later(exchange: Exchange, execution: Execution) -> Response:
    """Take in an execution, and say where its job is."""
    job = await calls.handed_in(execution, exchange.state, exchange.visit)
    # By its path, unless somebody said how clients reach this service.
    base = exchange.base if exchange.state.settings.public_url else "/ogc"
    headers = {"Location": f"{base}/jobs/{job.id}", "Preference-Applied": "respond-async"}
    content = json_bytes(calls.status_info(job, exchange.base))
    return Response(content, 201, headers, JSON_TYPE)


@router.get("/jobs")
async def list_jobs(exchange: ExchangeDep) -> Response:
    """Return the newest jobs that the caller may see."""
    given = exchange.parameters(_LIST)
    wanted = _wanted(given, exchange.visit.caller.sees)
    state, most = exchange.state, wanted.limit - 1
    engine = state.jobs.records.engine
    found = await run_in_threadpool(calls_of, engine, wanted, now_ms())
    own = f"{exchange.base}/jobs{'?' if given else ''}{urlencode(given)}"
    more = {**given, "offset": wanted.offset + most}
    following = f"{exchange.base}/jobs?{urlencode(more)}" if len(found) > most else ""
    return _json(calls.job_list(found[:most], exchange.base, own, following))


@router.get("/jobs/{job_id}")
async def get_job(exchange: ExchangeDep, job_id: JobId) -> Response:
    """Return the status of a job."""
    exchange.parameters(PLAIN)
    job = await calls.call_for(exchange.state, exchange.visit, job_id)
    return _json(calls.status_info(job, exchange.base))


@router.get("/jobs/{job_id}/results")
async def get_results(exchange: ExchangeDep, job_id: JobId) -> Response:
    """Return the answer of a job as its execution would have given it at once."""
    exchange.parameters(PLAIN)
    job = await calls.call_for(exchange.state, exchange.visit, job_id)
    refused = calls.without_result(job)
    if refused is not None:
        return refused
    return StreamingResponse(calls.result_of(job, exchange.state), media_type=JSON_TYPE)


@router.delete("/jobs/{job_id}")
async def dismiss_job(exchange: ExchangeDep, job_id: JobId) -> Response:
    """Stop a job, or forget the answer of one that has ended; records stay."""
    exchange.parameters(PLAIN)
    state, visit = exchange.state, exchange.visit
    require_own(visit, await calls.call_for(state, visit, job_id))
    job = await run_in_threadpool(partial(dismiss, state.jobs, job_id, now_ms()))
    await run_in_threadpool(JobFolder(state.settings.job_folder, job.id).remove)
    return _json(calls.status_info(job, exchange.base))


def _json(content: Mapping[str, object]) -> Response:
    return Response(json_bytes(content), media_type=JSON_TYPE)


# --- parameters of the list ----------------------------------------------------------------------


def _wanted(given: Mapping[str, str], owner: str | None) -> Wanted:
    """Return what a list shall have: one more than a page, to see whether another one follows.

    Raises
    ------
    QueryError
        A value cannot be used.
    NotFoundError
        A process that is not there.
    """
    for process in _several(given, "processID"):
        if process != SITE_CHECK:
            raise NotFoundError(
                "没有这个处理过程", expected=SITE_CHECK, advice="清单见 /ogc/processes"
            )
    if unknown := [kind for kind in _several(given, "type") if kind != "process"]:
        raise wrong("type", f"为“{unknown[0][:40]}”", expected="process")
    names = _several(given, "status")
    if strange := [name for name in names if name not in _STATES]:
        raise wrong("status", f"中有“{strange[0][:40]}”", expected="、".join(_STATES))
    period = parse_period(given.get("datetime"))
    return Wanted(
        owner=owner,
        states=tuple(_STATES[name] for name in names),
        begin=period.begin if period else None,
        end=period.end if period else None,
        shortest_s=_seconds(given, "minDuration"),
        longest_s=_seconds(given, "maxDuration"),
        offset=int(given.get("offset", 0)),
        limit=min(int(given.get("limit", _USUAL)), _MOST) + 1,
    )


def _several(given: Mapping[str, str], name: str) -> list[str]:
    return given[name].split(",") if name in given else []


def _seconds(given: Mapping[str, str], name: str) -> float | None:
    if name not in given:
        return None
    try:
        value = float(given[name])
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1e9:
        raise wrong(name, f"为“{given[name][:40]}”", expected="秒数，如 60")
    return value
