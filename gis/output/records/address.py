"""Where are the records kept? A SQLite file or a PostgreSQL database, named without its password.

An address may hold a password; it is shown to nobody, not even in an error about the address.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from gis.errors import ClaimError

SQLITE, POSTGRESQL = "sqlite", "postgresql"
_DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg"}
_EXPECTED = "文件路径、sqlite:///路径，或 postgresql://用户@主机/数据库"


@dataclass(frozen=True, slots=True)
class Address:
    """Where records are kept; its text never shows the password."""

    url: URL = field(repr=False)

    def __str__(self) -> str:
        # Options behind the question mark may hold secrets, too.
        hidden = {key: "hidden" for key in self.url.query if "pass" in key.lower()}
        return self.url.update_query_dict(hidden).render_as_string(hide_password=True)

    @property
    def kind(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self.url.get_backend_name()

    @property
    def file(self) -> Path | None:
        """The SQLite file; None for a database server."""
        if self.kind != SQLITE or not self.url.database:
            return None
        return Path(self.url.database.removeprefix("file:"))


def address_of(text: Path | str | Address) -> Address:
    """Return the address that a path or a URL names.

    Raises
    ------
    ClaimError
        A URL of another kind, or one that cannot be read.

    >>> str(address_of("postgresql://clerk:secret@db/records"))
    'postgresql+psycopg://clerk:***@db/records'
    >>> str(address_of("postgresql://clerk@db/records?password=secret"))
    'postgresql+psycopg://clerk@db/records?password=hidden'
    >>> address_of("out/records.sqlite").kind
    'sqlite'
    """
    if isinstance(text, Address):
        return text
    if isinstance(text, Path) or "://" not in text:
        return Address(URL.create("sqlite", database=str(text)))
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise _refused("无法识别") from None
    if url.drivername not in {*_DRIVERS, *_DRIVERS.values()}:
        raise _refused(f"的类型为“{url.drivername[:40]}”")
    if url.get_backend_name() == SQLITE and url.database in (None, "", ":memory:"):
        raise _refused("没有文件路径")
    return Address(url.set(drivername=_DRIVERS[url.get_backend_name()]))


def _refused(found: str) -> ClaimError:
    return ClaimError(f"记录库地址{found}", expected=_EXPECTED, advice="核对 WUQU_DB 或 --db")
