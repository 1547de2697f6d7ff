"""Why can records not be written or read? The reason behind an error of the database, in Chinese.

Whatever a database reports becomes a ``StoreError``, so that nobody mistakes it for an answer, and
no text of a driver, which may name hosts, users or paths, reaches a client.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from gis.errors import (
    StoreDamagedError,
    StoreError,
    StoreFullError,
    StoreLockedError,
    StoreOutdatedError,
    StoreReadOnlyError,
)

_FULL = StoreFullError, "记录库所在磁盘已满，本次没有保存，也没有给出结论", "清理磁盘后重试"
_LOCKED = (
    StoreLockedError,
    "记录库被其他程序占用，本次没有保存",
    "稍后重试；备份请用 wuqu records backup",
)
_READ_ONLY = StoreReadOnlyError, "记录库只读，无法保存", "检查文件权限、磁盘挂载方式或数据库权限"
_DAMAGED = StoreDamagedError, "记录库文件已损坏", "停止服务，按 docs/records.md 从备份恢复"
_OUTDATED = StoreOutdatedError, "记录库的表不是本版本的", "运行 wuqu records migrate"
_AWAY = StoreError, "无法连接记录库", "检查数据库服务是否在运行，以及地址、用户和密码"
_OTHER = StoreError, "记录库暂时无法读写", "稍后重试；仍不行请联系管理员"

_Reason = tuple[type[StoreError], str, str]
# Primary result codes of SQLite, without the detail in their upper bytes.
_SQLITE: dict[int, _Reason] = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_PERM: _READ_ONLY,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_CANTOPEN: _AWAY,
}
# A write that the system cuts short: a full disk or a limit of the process.
_SHORT_WRITES = {sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE}
# Conditions of PostgreSQL; where the class of two characters says enough, that.
_POSTGRESQL: dict[str, _Reason] = {
    "53100": _FULL,
    "53": _LOCKED,
    "55": _LOCKED,
    "57014": _LOCKED,
    "40": _LOCKED,
    "25006": _READ_ONLY,
    "42501": _READ_ONLY,
    "XX001": _DAMAGED,
    "XX002": _DAMAGED,
    "42P01": _OUTDATED,
    "42703": _OUTDATED,
    "08": _AWAY,
    "28": _AWAY,
    "3D": _AWAY,
    "57": _AWAY,
}


@contextmanager
def store_errors() -> Iterator[None]:
    """Raise what a database reports as the StoreError that says why."""
    try:
        yield
    except SQLAlchemyError as error:
        raise store_error(error) from error


def store_error(error: SQLAlchemyError) -> StoreError:
    """Return the error of the project behind one of the database."""
    cls, found, advice = _reason(getattr(error, "orig", None))
    return cls(found, advice=advice)


def damaged(what: str) -> StoreDamagedError:
    """Return the error about a record whose bytes are not what was written."""
    return StoreDamagedError(
        f"{what}与写入时不一致，不予采用",
        advice="用 wuqu verify 查明改动之处，按 docs/records.md 从备份恢复",
    )


def _reason(cause: object) -> _Reason:
    code = getattr(cause, "sqlite_errorcode", None)
    if isinstance(code, int):
        return _FULL if code in _SHORT_WRITES else _SQLITE.get(code & 0xFF, _OTHER)
    if isinstance(cause, sqlite3.DatabaseError):
        return _OTHER
    if cause is None:
        return _OTHER
    state = getattr(cause, "sqlstate", None)
    if not isinstance(state, str):
        return _AWAY  # without a connection there is no state
    return _POSTGRESQL.get(state) or _POSTGRESQL.get(state[:2], _OTHER)
