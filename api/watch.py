"""What is written about every request? Its id, its line in the log, its numbers, its audit line.

The outermost layer of the app. It reads nothing of a request but method and request id, and writes
neither path nor query: what a client types into an address may be a coordinate or a secret.
"""

from __future__ import annotations

import logging
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access.audit import AuditLog
from api.access.visit import Visit, begin
from api.headers import REQUEST_ID
from api.logs import current_request_id
from api.metrics import Metrics

LOGGER = logging.getLogger("wuqu.access")


class Watch:
    """Give every request an id and write down how it ended."""

    def __init__(self, app: ASGIApp, audit: AuditLog, metrics: Metrics) -> None:
        self._app = app
        self._audit = audit
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).getlist(REQUEST_ID)
        visit = begin(scope, given[0] if len(given) == 1 else None)
        status = 500  # what a client gets when nothing below answers

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID] = visit.request_id
            await send(message)

        begun = time.perf_counter()
        # Stays set: the server that reports a defect afterwards does so in the same task.
        current_request_id.set(visit.request_id)
        try:
            await self._app(scope, receive, send_with_id)
        finally:
            self._write(visit, scope["method"], status, time.perf_counter() - begun)

    def _write(self, visit: Visit, method: str, status: int, seconds: float) -> None:
        route = visit.place.route or "(none)"
        self._metrics.count(method, route, status, seconds)
        if visit.refusal:
            self._metrics.refuse(visit.refusal)
        if visit.is_told and (visit.place.least is not None or visit.result):
            self._audit.of_visit(visit, method, status)
        if LOGGER.isEnabledFor(logging.INFO):
            fields = {"method": method, "route": route, "status": status}
            LOGGER.info(
                "%s %s %d %.0f ms",
                method,
                route,
                status,
                seconds * 1000,
                extra={"fields": {**fields, "ms": round(seconds * 1000, 1)}},
            )
