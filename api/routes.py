"""How is an endpoint called that reads its request itself?

FastAPI takes a request apart by the signature of the endpoint: a fifth of a millisecond for ten
parameters, and a check reads them again in its own way, together with the fields of a form. Such an
endpoint is still described by its signature, but called with nothing more than what it uses.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, cast

from fastapi import Request, Response
from fastapi.routing import APIRoute

from api.access.visit import Visit, visit_of
from api.deps import State, refuse_unknown_query

Endpoint = Callable[[Request, State, Visit], Awaitable[Response]]


class OwnReading(APIRoute):
    """A route whose endpoint is called with the request, the state of the app, and who asks.

    All other parameters of the endpoint have defaults and stand for the document only. A query
    parameter that is not among them is refused, as everywhere.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request."""
        endpoint = cast("Endpoint", self.endpoint)

        async def handle(request: Request) -> Response:
            await refuse_unknown_query(request)
            return await endpoint(request, request.app.state.wuqu, visit_of(request))

        return handle
