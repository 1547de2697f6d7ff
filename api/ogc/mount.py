"""OGC API under ``/ogc``: which routes are there?

The routes stand in the table of roles like all others. Where pygeoapi is not installed each of them
answers with the name of the extra. Those of jobs are in ``jobs``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from api.answers import GEOJSON_TYPE, json_bytes
from api.errors import BodyError, BodyTimeoutError
from api.ogc import openapi
from api.ogc.exchange import JSON_TYPE, SCHEMA_TYPE, ExchangeDep
from api.ogc.execution import read_execution
from api.ogc.jobs import answered_later
from api.ogc.query import ITEM, ITEMS, PLAIN, wrong
from api.routers.checks import checked

# It has a description of its own, ``/ogc/openapi``.
router = APIRouter(prefix="/ogc", include_in_schema=False)

CollectionId = Annotated[str, Path(max_length=60)]
ItemId = Annotated[str, Path(max_length=200)]
ProcessId = Annotated[str, Path(max_length=60)]


@router.get("")
@router.get("/")
async def get_landing_page(exchange: ExchangeDep) -> Response:
    """Return where everything is."""
    return await exchange.answer("landing_page", exchange.parameters(PLAIN))


@router.get("/conformance")
async def get_conformance(exchange: ExchangeDep) -> Response:
    """Return the standards that this interface keeps to."""
    exchange.parameters(PLAIN)
    # pygeoapi's own list grows with every request, and claims what is not offered here.
    return Response(json_bytes({"conformsTo": openapi.CONFORMANCE}), media_type=JSON_TYPE)


@router.get("/openapi")
async def get_openapi(exchange: ExchangeDep) -> Response:
    """Return the interface description."""
    exchange.parameters(PLAIN)
    told = openapi.document(
        exchange.base,
        exchange.state.plan.ref.title,
        exchange.sources,
        deep=exchange.sees_jobs,
    )
    return Response(json_bytes(told), media_type=openapi.MEDIA_TYPE)


@router.get("/collections")
async def list_collections(exchange: ExchangeDep) -> Response:
    """Return the collections that the caller may see."""
    return await exchange.answer("collections", exchange.parameters(PLAIN))


@router.get("/collections/{collection_id}")
async def get_collection(exchange: ExchangeDep, collection_id: CollectionId) -> Response:
    """Return one collection."""
    exchange.source(collection_id)
    return await exchange.answer("collections", exchange.parameters(PLAIN), collection_id)


@router.get("/collections/{collection_id}/schema")
async def get_schema(exchange: ExchangeDep, collection_id: CollectionId) -> Response:
    """Return the attributes of a collection as JSON Schema."""
    return await exchange.answer(
        "schema",
        exchange.parameters(PLAIN),
        collection_id,
        media_type=SCHEMA_TYPE,
        described=exchange.source(collection_id),
    )


@router.get("/collections/{collection_id}/queryables")
async def get_queryables(exchange: ExchangeDep, collection_id: CollectionId) -> Response:
    """Return the attributes that one may ask by, as JSON Schema."""
    return await exchange.answer(
        "queryables",
        exchange.parameters(PLAIN),
        collection_id,
        media_type=SCHEMA_TYPE,
        described=exchange.source(collection_id),
    )


@router.get("/collections/{collection_id}/items")
async def list_items(exchange: ExchangeDep, collection_id: CollectionId) -> Response:
    """Return one page of features."""
    fields = exchange.source(collection_id).fields
    asked_by = frozenset(name for name, field in fields.items() if field.is_queryable)
    given = exchange.parameters(ITEMS | asked_by)
    _check_names(given, "sortby", asked_by)
    _check_names(given, "properties", fields)
    return await exchange.answer("items", given, collection_id, media_type=GEOJSON_TYPE)


@router.get("/collections/{collection_id}/items/{item_id:path}")
async def get_item(exchange: ExchangeDep, collection_id: CollectionId, item_id: ItemId) -> Response:
    """Return one feature."""
    exchange.source(collection_id)
    given = exchange.parameters(ITEM)
    return await exchange.answer("item", given, collection_id, item_id, media_type=GEOJSON_TYPE)


@router.get("/processes")
async def list_processes(exchange: ExchangeDep) -> Response:
    """Return the processes that the caller may run."""
    return await exchange.answer("processes", exchange.parameters(PLAIN))


@router.get("/processes/{process_id}")
async def get_process(exchange: ExchangeDep, process_id: ProcessId) -> Response:
    """Return what a process takes and gives."""
    return await exchange.answer("processes", exchange.parameters(PLAIN), process_id)


@router.post("/processes/site-check/execution")
async def execute_site_check(exchange: ExchangeDep) -> Response:
    """Check a site, keep a record, and answer as ``/v1/site-checks`` does; later if preferred.

    An answer that comes later is read from its record, so a service without records has none.
    """
    exchange.parameters(PLAIN)
    state, request = exchange.state, exchange.request
    try:
        async with asyncio.timeout(state.settings.body_deadline_s):
            body = await request.body()
    except TimeoutError:
        raise BodyTimeoutError("请求内容没有按时到齐", advice="检查网络后重新提交") from None
    except ClientDisconnect:
        raise BodyError("连接在上传完成前断开", advice="重新提交") from None
    execution = read_execution(body)
    if state.settings.records and (execution.is_later or _prefers_later(request)):
        return await answered_later(exchange, execution)
    content = await checked(execution.upload, execution.options, state, exchange.visit)
    # Who asked to be answered later has to know that it was not.
    headers = {"Preference-Applied": "wait"} if "prefer" in request.headers else None
    return Response(execution.answer(content), headers=headers, media_type=JSON_TYPE)


def _prefers_later(request: Request) -> bool:
    """Whether the client would rather not wait (RFC 7240)."""
    wishes = ",".join(request.headers.getlist("prefer")).split(",")
    return "respond-async" in (wish.partition(";")[0].strip().lower() for wish in wishes)


def _check_names(given: Mapping[str, str], name: str, allowed: Collection[str]) -> None:
    for part in given[name].split(",") if name in given else ():
        plain = part.removeprefix("-").removeprefix("+") if name == "sortby" else part
        if plain not in allowed:
            raise wrong(name, f"中有“{plain[:40]}”", expected="、".join(sorted(allowed)))
