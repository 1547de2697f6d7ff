"""What is known of one request: its id, where it goes, who asks, which records it touched.

One object per request, made by the outermost layer and filled on the way in; what is written about
the request afterwards reads it. It holds no header, no body and no secret.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from typing import Literal

from fastapi import Request
from starlette.types import Scope

from api.access.errors import AccessError
from api.access.roles import NOWHERE, Place, Role

_KEY = "wuqu.visit"
# Long enough for a UUID and for what gateways make, too short to hide anything in.
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_SECRET = re.compile(r"wuqu_", re.ASCII)
RECORD_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: somebody on this machine (``open``), a key, or a user whom a proxy vouches for."""

    kind: Literal["nobody", "open", "key", "user"]
    name: str = ""
    role: Role = Role.viewer
    office: str = ""
    key_id: str = ""

    @property
    def owner(self) -> str:
        """To whom records of this caller belong: its office, else itself, "" for nobody.

        The kind stands before the name, so that a key called like an office is not that office.
        """
        if self.office:
            return f"office:{self.office}"
        return f"{self.kind}:{self.name}" if self.name else ""

    def may_see(self, owner: str) -> bool:
        """Return whether this caller may see a record of an owner."""
        return self.role.covers(Role.reviewer) or (bool(owner) and owner == self.owner)

    @property
    def sees(self) -> str | None:
        """The only owner whose records this caller may see; None for all."""
        return None if self.role.covers(Role.reviewer) else self.owner


NOBODY = Caller("nobody")
ON_THIS_MACHINE = Caller("open", role=Role.admin)


@dataclass(slots=True)
class Visit:
    """One request.

    ``bucket`` is what limits of an address count by. ``refusal`` is the code of why the request was
    not let in, ``result`` what the audit log calls its end ("": by status), ``is_told`` whether it
    gets an audit line. ``records`` are the ids of those that it made or asked for.
    """

    request_id: str
    place: Place = NOWHERE
    caller: Caller = NOBODY
    address: str = ""
    bucket: str = ""
    is_secure: bool = False
    result: str = ""
    refusal: str = ""
    is_told: bool = True
    records: list[str] = field(default_factory=list)

    def refuse(self, error: AccessError) -> None:
        """Note why the request is not let in."""
        self.refusal, self.result = error.code, error.result
        self.is_told = error.first

    def note(self, *record_ids: str) -> None:
        """Remember which records the request is about; what is no id of a record is left out."""
        self.records.extend(i for i in record_ids if RECORD_ID.fullmatch(i))


def begin(scope: Scope, given: str | None) -> Visit:
    """Put a new visit into a scope; a request id of the client is kept when it is harmless."""
    fits = given is not None and _REQUEST_ID.fullmatch(given) and not _SECRET.search(given)
    visit = Visit(str(given) if fits else secrets.token_hex(8))
    scope[_KEY] = visit
    return visit


def visit_of(where: Request | Scope) -> Visit:
    """Return the visit of a request; a new one where nothing made it."""
    scope = where.scope if isinstance(where, Request) else where
    found = scope.get(_KEY)
    return found if isinstance(found, Visit) else begin(scope, None)
