"""How does a person come in with a browser? A form that takes a key, and a cookie in its place.

The key is sent once, in a body; what the browser keeps is a random text that no script can read and
that no other site's page can send along.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from api.access.control import COOKIE, SECURE_COOKIE, caller_of, refuse_foreign_page, session_token
from api.access.errors import AccessError
from api.access.visit import Visit
from api.deps import KnownQuery, StateDep, VisitDep
from api.errors import status_of
from api.pages import templates

router = APIRouter(include_in_schema=False, dependencies=[KnownQuery])

_AFTER = frozenset(("/", "/docs", "/maps/plan.html", "/maps/comparison.html"))
_LONGEST_FORM = 4096
_NOT_KEPT = {"Cache-Control": "no-store"}
NextQuery = Annotated[str, Query(alias="next", max_length=200)]


@router.get("/sign-in")
async def sign_in_form(request: Request, after: NextQuery = "/") -> Response:
    """Return the form."""
    return _form(request, _known(after))


@router.post("/sign-in")
async def sign_in(request: Request, state: StateDep, visit: VisitDep) -> Response:
    """Take a key, give a cookie."""
    fields = await _fields(request)
    after = _known(fields.get("next", "/"))
    try:
        # Else a page elsewhere could sign somebody in with a key of its own, and watch.
        refuse_foreign_page(request.headers, "POST", _scheme(visit))
        state.access.count_stranger(visit)
        key = await state.access.verified(fields.get("key", "").strip(), visit)
        token = await run_in_threadpool(state.access.sessions.open, key)
    except AccessError as error:
        visit.refuse(error)
        return _form(request, after, error)
    visit.caller, visit.result = caller_of(key), "signed_in"
    answer = RedirectResponse(after, status_code=303, headers=_NOT_KEPT)
    answer.set_cookie(
        SECURE_COOKIE if visit.is_secure else COOKIE,
        token,
        max_age=round(state.settings.session_hours * 3600),
        path="/",
        secure=visit.is_secure,
        httponly=True,
        samesite="strict",
    )
    return answer


@router.post("/sign-out")
async def sign_out(request: Request, state: StateDep, visit: VisitDep) -> Response:
    """End the session, in every worker."""
    token = session_token(request.headers, _scheme(visit))
    key = state.access.sessions.key_of(token)
    if key is not None:
        refuse_foreign_page(request.headers, "POST", _scheme(visit), must_tell=True)
        visit.caller, visit.result = caller_of(key), "signed_out"
        await run_in_threadpool(state.access.sessions.end, token)
    answer = RedirectResponse("/sign-in", status_code=303, headers=_NOT_KEPT)
    answer.delete_cookie(
        SECURE_COOKIE if visit.is_secure else COOKIE,
        path="/", secure=visit.is_secure, httponly=True, samesite="strict",
    )  # fmt: skip
    return answer


def _form(request: Request, after: str, error: AccessError | None = None) -> Response:
    context: dict[str, Any] = {"after": after, "error": error}
    status = 200 if error is None else status_of(error)
    headers = {**(error.headers if error else {}), **_NOT_KEPT}
    # A browser would open its own window for this one.
    headers.pop("WWW-Authenticate", None)
    return templates.TemplateResponse(
        request, "sign-in.html", context, status_code=status, headers=headers
    )


async def _fields(request: Request) -> dict[str, str]:
    """Return the text fields of a small form; what is no such form has none."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    size = request.headers.get("content-length", "")
    if kind != "application/x-www-form-urlencoded" or not size.isdigit():
        return {}
    if int(size) > _LONGEST_FORM:
        return {}
    async with request.form(max_files=0, max_fields=4) as form:
        return {name: value for name, value in form.items() if isinstance(value, str)}


def _known(after: str) -> str:
    """Return a page of this service to go to; an address from outside is none."""
    return after if after in _AFTER else "/"


def _scheme(visit: Visit) -> str:
    return "https" if visit.is_secure else "http"
