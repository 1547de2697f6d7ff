"""From where does a request really come, and what may a proxy say about its sender?

Headers that speak of the sender count only when the connection comes from a listed proxy; from
anybody else they are what a client made up.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

from starlette.datastructures import Headers
from starlette.types import Scope

from api.access.roles import Role
from gis.errors import ClaimError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_MAX_NAME = 120
_MAX_GROUPS = 200
# What oauth2-proxy and its like send after a sign-in with OpenID Connect.
USER_HEADER = "x-forwarded-user"
GROUPS_HEADER = "x-forwarded-groups"


@dataclass(frozen=True, slots=True)
class Peer:
    """The sender of one request.

    ``address`` is that of the client, "" when there is none (a socket file); ``user`` and
    ``groups`` are what a trusted proxy vouches for.
    """

    address: str
    scheme: str
    by_proxy: bool = False
    user: str = ""
    groups: tuple[str, ...] = ()

    @property
    def bucket(self) -> str:
        """What limits count by: the address, of IPv6 the network that one customer gets."""
        return _bucket(self.address)


@lru_cache(maxsize=1024)
def _bucket(address: str) -> str:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return address


class Proxies:
    """The proxies that are believed, and the roles that their groups have.

    Parameters
    ----------
    trusted
        Addresses or networks, separated by commas.
    roles
        ``group=role`` pairs, separated by commas; of several groups the highest role counts.

    Raises
    ------
    ClaimError
        An address or a role that does not exist, or roles without a proxy that could vouch.
    """

    def __init__(self, trusted: str = "", roles: str = "") -> None:
        self._networks = tuple(_network(part) for part in _parts(trusted))
        self.roles = dict(_role(part) for part in _parts(roles))
        if self.roles and not self._networks:
            raise ClaimError(
                "设置了 WUQU_PROXY_ROLES，但没有可信的代理",
                expected="WUQU_TRUSTED_PROXIES 列出代理的地址",
                advice="补上代理地址，或去掉 WUQU_PROXY_ROLES",
            )

    def peer(self, scope: Scope) -> Peer:
        """Return the sender of a request."""
        client = scope.get("client")
        direct = client[0] if client else ""
        if not self.trusts(direct):
            return Peer(direct, scope.get("scheme", "http"))
        headers = Headers(scope=scope)
        return Peer(
            self._before_proxies(headers.getlist("x-forwarded-for")) or direct,
            _scheme(headers.getlist("x-forwarded-proto"), scope),
            by_proxy=True,
            user=_one_text(headers, USER_HEADER),
            groups=_groups(headers),
        )

    def role_of(self, peer: Peer) -> Role | None:
        """Return the highest role of the groups that a proxy vouches for; None when there is none.

        Two headers of one name say nothing: whose is the client's own, nobody can tell.
        """
        if not (peer.by_proxy and peer.user):
            return None
        found = [self.roles[group] for group in peer.groups if group in self.roles]
        return max(found, key=list(Role).index, default=None)

    def trusts(self, address: str) -> bool:
        """Return whether an address is that of a listed proxy."""
        if not self._networks:
            return False
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self._networks)

    def _before_proxies(self, forwarded: Sequence[str]) -> str:
        """Return the last address that no trusted proxy has; those before it may be made up."""
        for part in reversed(",".join(forwarded).split(",")):
            address = part.strip().strip("[]")
            if not address or self.trusts(address):
                continue
            try:
                return str(ipaddress.ip_address(address))
            except ValueError:
                return ""
        return ""


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ClaimError(
            f"WUQU_TRUSTED_PROXIES 中有“{text[:80]}”",
            expected="IP 地址或网段，如 10.0.0.5,10.1.0.0/16",
        ) from None


def _role(text: str) -> tuple[str, Role]:
    group, _, role = text.rpartition("=")
    if not group or role not in list(Role):
        raise ClaimError(
            f"WUQU_PROXY_ROLES 中有“{text[:80]}”",
            expected=f"组名=角色，角色为 {'、'.join(Role)} 之一",
        )
    return group.strip(), Role(role)


def _scheme(values: Sequence[str], scope: Scope) -> str:
    given = values[0].strip().lower() if len(values) == 1 else ""
    return given if given in ("http", "https") else str(scope.get("scheme", "http"))


def _one_text(headers: Headers, name: str) -> str:
    values = headers.getlist(name)
    return _text(values[0]) if len(values) == 1 else ""


def _groups(headers: Headers) -> tuple[str, ...]:
    values = headers.getlist(GROUPS_HEADER)
    found = [_text(part) for part in values[0].split(",")] if len(values) == 1 else []
    return tuple(group for group in found if group)[:_MAX_GROUPS]


def _text(value: str) -> str:
    """Return the text of a header: UTF-8, plain or percent-encoded; "" for anything else."""
    try:
        text = unquote(value.encode("latin-1").decode("utf-8"), errors="strict").strip()
    except UnicodeError:
        return ""
    return text if text.isprintable() and len(text) <= _MAX_NAME else ""
