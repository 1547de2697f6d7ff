"""Which database does a plan mean, and is nothing secret written where it does not belong?

A plan names a connection (``planning``) or gives an address without a password. A name is looked up
in the environment (``WUQU_POSTGIS_PLANNING``), then in the ``[postgis]`` table of ``plan.toml``.
Passwords stand in the environment or in a file of libpq (``~/.pgpass``, a service file); they never
reach a message, a record or a file of the plan. Nothing is connected to here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from urllib.parse import unquote

from gis.errors import ClaimError, PlanError

ENVIRONMENT = "WUQU_POSTGIS_"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_URL = re.compile(r"postgres(?:ql)?(?:\+psycopg)?://", re.IGNORECASE)
# libpq knows a password also as a parameter; every key of its that holds a secret ends so.
_SECRET_KEY = re.compile(r"(?:password|passphrase|secret)\s*=", re.IGNORECASE)
# In an address nothing else has a colon before an @; a password with a slash hides from a parser.
_SECRET_USER = re.compile(r"://[^@]*:[^@]*@")


def is_name(text: str) -> bool:
    """Return whether a text names a connection, and is no address itself.

    >>> is_name("planning"), is_name("service=planning"), is_name("postgresql://host/db")
    (True, False, False)
    """
    return bool(_NAME.fullmatch(text))


def is_address(text: str) -> bool:
    """Return whether a text looks like an address: a URL, or ``key=value`` as libpq has it."""
    return bool(_URL.match(text)) or "=" in text.split("://")[0]


def has_secret(text: str) -> bool:
    """Return whether an address carries a password.

    >>> has_secret("postgresql://reader@host/db"), has_secret("postgresql://reader:x@host/db")
    (False, True)
    """
    plain = unquote(text)
    return any(bool(_SECRET_KEY.search(t) or _SECRET_USER.search(t)) for t in (text, plain))


def checked_address(text: str, what: str) -> str:
    """Return a name or an address of ``plan.toml``; raise ValueError for any other text.

    The text itself is never quoted: it may hold a password.
    """
    if has_secret(text):
        raise ValueError(
            f"{what}中写有密码；plan.toml 不得含密码，请改用连接名称，"
            f"把地址放进环境变量 {ENVIRONMENT}名称，或把密码放进 ~/.pgpass"
        )
    if not is_name(text) and not is_address(text):
        raise ValueError(
            f"{what}应为连接名称（小写字母、数字和 _），"
            "或形如 postgresql://用户@主机:5432/数据库 的地址"
        )
    return text


def address_of(given: str, named: Mapping[str, str]) -> str:
    """Return the address that libpq takes.

    Parameters
    ----------
    given
        A name, or an address.
    named
        The ``[postgis]`` table of the plan: addresses by name.

    Raises
    ------
    PlanError
        No address is known for the name, or what the environment says is none.
    """
    if not is_name(given):
        return _plain(given)
    variable = ENVIRONMENT + given.upper()
    found = os.environ.get(variable) or named.get(given)
    if not found:
        raise PlanError(
            f"数据库连接“{given}”没有地址",
            expected=f"环境变量 {variable}，或 plan.toml 中 [postgis] 表的 {given}",
            advice="形如 postgresql://用户@主机:5432/数据库；密码放在环境变量或 ~/.pgpass 中",
        )
    if not is_address(found):
        raise PlanError(
            f"环境变量 {variable} 的值不是数据库地址",
            expected="postgresql://用户@主机:5432/数据库，或 service=名称",
            advice="改正环境变量（其内容不在此显示）",
        )
    return _plain(found)


def _plain(address: str) -> str:
    """Return an address without the driver that SQLAlchemy wants named in it."""
    return _URL.sub("postgresql://", address, count=1)


def address_on_command_line(given: str) -> str:
    """Return the address of an option, which may hold a password; raise ClaimError for none."""
    if is_name(given) or is_address(given):
        return address_of(given, {})
    raise ClaimError(
        "数据库的写法无法识别",
        expected="连接名称，或 postgresql://用户@主机:5432/数据库",
        advice=f"连接名称的地址取自环境变量 {ENVIRONMENT}名称",
    )
