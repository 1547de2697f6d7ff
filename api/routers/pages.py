"""The desk: one page for people without a program of their own, and the API documentation.

Templates and files of this service only; nothing is loaded from anywhere else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from functools import lru_cache
from typing import Any

from fastapi import APIRouter, Request
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, Response

from api.access.roles import Role
from api.deps import KnownQuery, State, StateDep, VisitDep
from api.examples import point_lines
from api.ground import ground_bytes
from api.pages import templates
from api.settings import MEGABYTE
from gis.check import CHINA
from gis.claims import ATTRIBUTES
from gis.errors import NotFoundError
from gis.model import Verdict
from gis.output.maps.assets import STATIC_PREFIX
from gis.output.maps.style import VERDICTS
from gis.output.records import RecordSummary
from gis.rulebook import land_classes
from gis.units import M2_PER_MU

router = APIRouter(include_in_schema=False, dependencies=[KnownQuery])

_RECENT = 12
# What a record can be taken away as, in the order in which it is offered.
_DOWNLOADS = {
    "pdf": "PDF 报告",
    "docx": "Word 报告",
    "png": "结论图片",
    "html": "地图网页",
    "geojson": "GeoJSON",
    "json": "JSON",
}


@router.get("/")
async def desk(request: Request, state: StateDep, visit: VisitDep) -> Response:
    """Return the desk page, with the records that the caller may see."""
    plan, caller = state.plan, visit.caller
    may_check = caller.role.covers(Role.clerk)
    recent: tuple[RecordSummary, ...] = ()
    if may_check:
        recent = await run_in_threadpool(state.store.recent, _RECENT, owner=caller.sees)
    context = {
        "plan": plan.ref,
        "status_label": plan.status_label,
        "rulebook": plan.rulebook,
        "out_of_scope": "、".join(o.topic for o in plan.out_of_scope),
        "accepted": plan.crs_policy.accepted,
        "points": point_lines(plan),
        "verdicts": [{"id": v.value, "icon": Markup(VERDICTS[v].icon)} for v in Verdict],
        "uses": _uses(),
        "attributes": list(_attributes()),
        "samples": _samples(state),
        "recent": [_recent(r) for r in recent],
        "limit_mb": f"{state.settings.body_limit_bytes / MEGABYTE:g}",
        "m2_per_mu": M2_PER_MU,
        "assets": STATIC_PREFIX,
        "downloads": _downloads(request),
        "caller": caller,
        "may_check": may_check,
    }
    return templates.TemplateResponse(request, "desk.html", context)


@router.get("/docs")
async def docs(request: Request) -> Response:
    """Return the API documentation; its scripts are served from here."""
    return templates.TemplateResponse(request, "docs.html")


@router.get("/desk/ground.json")
async def desk_ground(state: StateDep) -> Response:
    """Return what lies under the map of the desk."""
    return Response(await ground_bytes(state), media_type="application/json")


@router.get("/samples/{number}")
async def sample(state: StateDep, number: int) -> Response:
    """Return the file of one sample site of the plan package."""
    if not 1 <= number <= len(state.samples):
        raise NotFoundError("没有这个示例地块")
    path = state.samples[number - 1].path
    return FileResponse(path, media_type="application/octet-stream", filename=path.name)


def _downloads(request: Request) -> list[tuple[str, str]]:
    """Return suffix and name of every form in which this service gives a record."""
    offered = set(request.app.openapi()["paths"])
    # The JSON of a record is the record itself; its suffix has no path of its own there.
    known = [k for k in _DOWNLOADS if f"/v1/site-checks/{{check_id}}.{k}" in offered or k == "json"]
    return [(suffix, _DOWNLOADS[suffix]) for suffix in known]


def _recent(row: RecordSummary) -> dict[str, Any]:
    made = datetime.fromisoformat(row.created_at).astimezone(CHINA)
    return {
        **asdict(row),
        "label": Verdict(row.verdict).label,
        "shown_at": made.strftime("%m-%d %H:%M"),
    }


@lru_cache(maxsize=1)
def _uses() -> list[dict[str, Any]]:
    """Land-use codes by first level, as the select box shows them."""
    classes = land_classes.uses().classes
    groups: dict[str, list[tuple[str, str]]] = {}
    for code, entry in classes.items():
        groups.setdefault(code[:2], []).append((code, entry.name))
    return [
        {"title": f"{top} {classes[top].name}" if top in classes else top, "rows": sorted(rows)}
        for top, rows in sorted(groups.items())
    ]


def _attributes() -> Iterator[dict[str, Any]]:
    for key, attribute in ATTRIBUTES.items():
        yield {
            "key": key,
            "title": attribute.title,
            "expected": attribute.expected,
            "choices": list(attribute.choices.items()),
            "type": "date" if key == "start_date" else "number",
        }


def _samples(state: State) -> list[dict[str, Any]]:
    return [
        {
            "name": s.name,
            "file": s.path.name,
            "use": s.use,
            "width_m": s.width_m,
            "as_of": s.as_of.isoformat(),
            "note": s.note,
            # In the words of the query: true and false, not True and False.
            "attributes": {
                k: str(v).lower() if isinstance(v, bool) else v for k, v in s.attributes.items()
            },
        }
        for s in state.samples
    ]
