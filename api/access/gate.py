"""The door: no request reaches a route before somebody known asked for it and may.

A plain ASGI layer. It finds the row of the table and the caller, and leaves both in the visit; what
it refuses is answered right here, and no byte of a body is read for it.
"""

from __future__ import annotations

from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from api.access.control import AccessControl
from api.access.errors import AccessError, NoKeyError
from api.access.peers import Peer
from api.access.roles import NOWHERE, Role
from api.access.visit import Visit, visit_of
from api.errors import not_found, problem_of

# What a person opens in a browser: there the answer to "no key" is the sign-in form.
_PAGES = frozenset(("/", "/docs", "/maps/plan.html", "/maps/comparison.html"))


class Gate:
    """Let in who may come in.

    Parameters
    ----------
    control
        The rules of access of this process.
    """

    def __init__(self, app: ASGIApp, control: AccessControl) -> None:
        self._app = app
        self._control = control

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] == "websocket":
            # No route speaks it; nothing may come in beside the table.
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        visit = visit_of(scope)
        peer = self._control.proxies.peer(scope)
        visit.address, visit.bucket = peer.address, peer.bucket
        visit.is_secure = peer.scheme == "https"
        visit.place = self._control.table.find(scope["method"], scope["path"])
        if visit.place.least is None:
            await self._app(scope, receive, send)
            return
        try:
            await self._let_in(scope, receive, send, peer, visit)
        except AccessError as error:
            visit.refuse(error)
            answer = _sign_in(scope) if isinstance(error, NoKeyError) else None
            await (answer or problem_of(error))(scope, receive, send)

    async def _let_in(
        self, scope: Scope, receive: Receive, send: Send, peer: Peer, visit: Visit
    ) -> None:
        control = self._control
        try:
            visit.caller = await control.identify(
                Headers(scope=scope), peer, visit, scope["method"]
            )
        except NoKeyError:
            control.count_stranger(visit)
            raise
        if visit.place is NOWHERE and not visit.caller.role.covers(Role.admin):
            # Neither what the table forgot nor what does not exist is told apart.
            await not_found()(scope, receive, send)
            return
        with control.admitted(visit):
            await self._app(scope, receive, send)


def _sign_in(scope: Scope) -> RedirectResponse | None:
    """Return the way to the sign-in form for a person who opens a page, else None."""
    path = scope["path"]
    wants_page = "text/html" in Headers(scope=scope).get("accept", "")
    if scope["method"] != "GET" or path not in _PAGES or not wants_page:
        return None
    after = "" if path == "/" else f"?next={quote(path)}"
    return RedirectResponse(f"/sign-in{after}", status_code=303)
