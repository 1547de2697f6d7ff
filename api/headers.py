"""Which security headers does an answer carry?

A plain ASGI layer around the whole app. It looks at the path and at who asks, never at content.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access.visit import Visit, visit_of

REQUEST_ID = "X-Request-ID"
# A year. Only over https: a browser must not learn it from who may have changed the answer.
_HSTS = "max-age=31536000"
# Everything comes from this service; nothing may be loaded from, or sent to, anywhere else.
_SAME_ORIGIN = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; frame-src 'self'; font-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'self'"
)
# Swagger UI sets style attributes in the markup it builds.
_DOCS = _SAME_ORIGIN.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
# A map is one file with its scripts inside. It runs sandboxed, in an origin of its own, and has
# no way to send anything anywhere.
_MAP = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:; connect-src 'none'; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'self'; "
    "sandbox allow-scripts allow-modals allow-downloads allow-popups"
)

# The same map with its files beside it: scripts are files of this service, none stands in the page,
# so it needs no origin of its own. It reads tiles and has no form.
SERVED_MAP = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'self'"
)


def security_headers(path: str, basemap: str = "", *, is_secure: bool = False) -> Mapping[str, str]:
    """Return the headers of every answer under a path.

    ``basemap`` is the origin that maps may load pictures from, and nothing else; ``is_secure`` is
    whether the client came by https.
    """
    if path == "/docs":
        policy = _DOCS
    elif path.endswith(".html"):
        policy = _MAP.replace("img-src ", f"img-src {basemap} ") if basemap else _MAP
    else:
        policy = _SAME_ORIGIN
    secure = {"Strict-Transport-Security": _HSTS} if is_secure else {}
    return {
        **secure,
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "X-Frame-Options": "SAMEORIGIN",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    }


class SecurityHeaders:
    """Add the security headers to every answer."""

    def __init__(self, app: ASGIApp, basemap: str = "") -> None:
        self._app = app
        self._basemap = basemap

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                visit = visit_of(scope)
                found = security_headers(scope["path"], self._basemap, is_secure=visit.is_secure)
                for name, value in found.items():
                    headers.setdefault(name, value)
                _keep_private(headers, visit)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _keep_private(headers: MutableHeaders, visit: Visit) -> None:
    """Let no cache keep what not everybody may read; what it may keep, only for this reader."""
    if visit.place.least is None:
        return
    kept = headers.setdefault("Cache-Control", "no-store")
    if kept.startswith("public") and visit.caller.kind != "open":
        headers["Cache-Control"] = kept.replace("public", "private", 1)
