"""Who is asking, and may they? Everything that the gate decides by, put together from settings.

Open is the service only on a loopback address, to this machine, and while no key was ever made.
In every other case a request needs a key, a session, or a user whom a listed proxy vouches for.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.datastructures import Headers
from starlette.requests import cookie_parser

from api.access.audit import AuditLog
from api.access.errors import (
    EndedKeyError,
    ForeignPageError,
    NoKeyError,
    RoleError,
    WrongKeyError,
)
from api.access.keys import Key, KeyStore
from api.access.limits import Rates, UnderWay, WrongKeys
from api.access.peers import Peer, Proxies
from api.access.roles import LONG, Place, RoleTable
from api.access.sessions import SessionStore
from api.access.visit import ON_THIS_MACHINE, Caller, Visit
from api.settings import Settings, is_loopback

COOKIE = "wuqu_session"
# A browser takes this name only over https, for this host and for all paths.
SECURE_COOKIE = "__Host-wuqu_session"
_SAFE = frozenset(("GET", "HEAD", "OPTIONS"))
_LONGEST_KEY = 200
# Where desktop programs ask.
DESKTOP_ROUTES = "/ogc"
KEY_PREFIX = "wuqu_"


class AccessControl:
    """The rules of access of one worker process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.table = RoleTable()
        self.keys = KeyStore(settings.key_file)
        sessions = settings.key_file.with_name(f"{settings.key_file.stem}-sessions.json")
        self.sessions = SessionStore(sessions, self.keys, settings.session_hours)
        self.proxies = Proxies(settings.trusted_proxies, settings.proxy_roles)
        self.audit = AuditLog(settings.audit)
        self.wrong_keys = WrongKeys()
        self._rates = Rates(settings.rate_per_minute)
        self._under_way = UnderWay(settings.concurrent, settings.in_flight)
        self._hosts = {part.strip().lower() for part in settings.hosts.split(",")}
        # Once closed, closed until the end: removing the file of the keys opens nothing.
        self._closed = bool(self.proxies.roles) or not is_loopback(settings.host)

    def is_open_to(self, peer: Peer) -> bool:
        """Return whether this peer needs no key."""
        if not self._closed and self.keys.is_configured():
            self._closed = True
        # A server that was started around ``wuqu serve`` may listen anywhere.
        return not self._closed and not _is_remote(peer.address)

    async def identify(self, headers: Headers, peer: Peer, visit: Visit, method: str) -> Caller:
        """Return who is asking.

        Raises
        ------
        NoKeyError, WrongKeyError, EndedKeyError, ForeignPageError, RoleError, TooManyError
            Nobody who may come in.
        AccessFileError
            The file of the keys cannot be used.
        """
        given = _given_key(headers)
        if given is None and visit.place.route.startswith(DESKTOP_ROUTES):
            given = _key_as_password(headers)
            # A browser that was once told a password sends it by itself, as it does a cookie.
            refuse_foreign_page(headers, method, peer.scheme)
        if given is not None:
            return caller_of(await self.verified(given, visit))
        if self.is_open_to(peer):
            self._refuse_foreign_host(headers)
            refuse_foreign_page(headers, method, peer.scheme)
            return ON_THIS_MACHINE
        if (key := self.sessions.key_of(session_token(headers, peer.scheme))) is not None:
            refuse_foreign_page(headers, method, peer.scheme, must_tell=True)
            return caller_of(key)
        return self._vouched(headers, peer, method)

    def _refuse_foreign_host(self, headers: Headers) -> None:
        """Refuse a page whose name in the internet was made to mean this machine (DNS rebinding).

        For the browser such a page is one of this service. Names without a dot cannot be used so.
        """
        host = headers.get("host", "").lower()
        name = host if host.endswith("]") else host.rpartition(":")[0] or host
        is_plain = "." not in name or _looks_like_ip(name.strip("[]")) or name == "localhost"
        if not (is_plain or name in self._hosts):
            raise ForeignPageError

    def _vouched(self, headers: Headers, peer: Peer, method: str) -> Caller:
        if not (peer.by_proxy and peer.user and self.proxies.roles):
            raise NoKeyError
        role = self.proxies.role_of(peer)
        if role is None:
            raise RoleError(
                f"用户“{peer.user}”不在任何有权限的组中",
                advice="由管理员加入用户组或设置 WUQU_PROXY_ROLES",
            )
        # The proxy knows its user by a cookie too.
        refuse_foreign_page(headers, method, peer.scheme)
        return Caller("user", peer.user, role)

    async def verified(self, text: str, visit: Visit) -> Key:
        """Return the key of a text; a wrong one is counted and answered late."""
        try:
            return self.keys.verify(text)
        except (WrongKeyError, EndedKeyError):
            await self.wrong_keys.slow_down(visit.bucket)
            raise

    @contextmanager
    def admitted(self, visit: Visit) -> Iterator[None]:
        """Hold a place for a request while it is under way.

        Raises
        ------
        RoleError
            The role of the caller does not allow it.
        TooManyError, OverloadError
            The caller, or all callers, ask for too much.
        """
        caller = visit.caller
        subject = f"{caller.kind}:{caller.key_id or caller.name or visit.bucket}"
        # Who works on this machine is its only user and may keep it as busy as it gets.
        if caller.kind != "open":
            self._rates.take(subject)
        require_role(caller, visit.place)
        if visit.place.route in LONG:
            yield
            return
        with self._under_way.place(subject):
            yield

    def count_stranger(self, visit: Visit) -> None:
        """Count a request without a caller; raise TooManyError when its address has too many."""
        self._rates.take(f"nobody:{visit.bucket}")


def require_role(caller: Caller, place: Place) -> None:
    """Raise RoleError unless the caller may use what lies at a place."""
    least = place.least
    if least is not None and not caller.role.covers(least):
        raise RoleError(
            f"“{caller.name}”的角色为{caller.role.label}（{caller.role}）",
            expected=f"{least.label}（{least}）或更高的角色",
            advice="由管理员发放相应角色的密钥",
        )


def caller_of(key: Key) -> Caller:
    """Return the caller that a key stands for."""
    return Caller("key", key.name, key.role, key.office, key.id)


def session_token(headers: Headers, scheme: str) -> str:
    """Return the token of the session cookie, "" when there is none."""
    name = SECURE_COOKIE if scheme == "https" else COOKIE
    return cookie_parser(headers.get("cookie", "")).get(name, "")


def _given_key(headers: Headers) -> str | None:
    """Return the key in the headers, None without one; two are none that could be believed."""
    found = headers.getlist("x-api-key")
    for value in headers.getlist("authorization"):
        scheme, _, text = value.partition(" ")
        # A proxy's own sign-in (Basic) is not for this service.
        if scheme.lower() == "bearer":
            found.append(text.strip())
    if not found:
        return None
    return found[0][:_LONGEST_KEY] if len(set(found)) == 1 else ""


def _key_as_password(headers: Headers) -> str | None:
    """Return the key that stands as the password of a Basic sign-in (RFC 7617), else None.

    Desktop programs know user and password, and no header of one's own. A password that is no key
    is that of a proxy in front, and none of this service's business.
    """
    values = headers.getlist("authorization")
    scheme, _, coded = values[0].partition(" ") if len(values) == 1 else ("", "", "")
    if scheme.lower() != "basic" or len(coded) > 2 * _LONGEST_KEY:
        return None
    try:
        text = base64.b64decode(coded.strip(), validate=True).decode("utf-8")
    except ValueError:
        return None
    password = text.partition(":")[2]
    return password if password.startswith(KEY_PREFIX) else None


def refuse_foreign_page(
    headers: Headers, method: str, scheme: str, *, must_tell: bool = False
) -> None:
    """Refuse a change that a page of another site asks for through somebody's browser.

    Browsers say where a request comes from; programs do not, and ``must_tell`` refuses who says
    nothing although only a browser can hold a session.
    """
    if method in _SAFE:
        return
    site = headers.get("sec-fetch-site")
    if site is not None:
        allowed = site in ("same-origin", "none")
    elif (origin := headers.get("origin")) is not None:
        allowed = origin.lower() == f"{scheme}://{headers.get('host', '')}".lower()
    else:
        allowed = not must_tell
    if not allowed:
        raise ForeignPageError


def _is_remote(address: str) -> bool:
    """Return whether an address is certainly that of another machine."""
    return bool(address) and _looks_like_ip(address) and not is_loopback(address)


def _looks_like_ip(address: str) -> bool:
    return ":" in address or address.replace(".", "").isdigit()
