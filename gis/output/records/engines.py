"""How is a database of records opened, so that what it acknowledges is on disk?

SQLite: WAL with ``synchronous=FULL``; PostgreSQL: ``synchronous_commit`` on, whatever the server
says. Both wait a few seconds for others and no longer: a client waits behind them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import OperationalError

from gis.errors import ExtraError, StoreError
from gis.output.records.address import SQLITE, Address

WAIT_S = 4.0
# For one of the connections of this process.
_POOL_WAIT_S = 8.0
_WAL_ATTEMPTS = 50
# The lock of the chain among all servers that write to one database; any number would do.
_CHAIN_LOCK = 0x77757175


def open_engine(address: Address) -> Engine:
    """Return the engine of an address; nothing is connected yet.

    Raises
    ------
    ExtraError
        The driver of PostgreSQL is not installed.
    """
    return _sqlite(address) if address.kind == SQLITE else _postgresql(address)


def _sqlite(address: Address) -> Engine:
    if address.file is not None and not address.url.query:
        _make_file(address.file)
    engine = create_engine(
        address.url,
        connect_args={"timeout": WAIT_S},
        hide_parameters=True,
        pool_timeout=_POOL_WAIT_S,
    )
    # Rows of one group go in with one statement. Row by row, a thread that writes gives up the
    # interpreter twice for each, and beside a busy event loop waits some milliseconds to get it.
    engine.dialect.use_insertmanyvalues_wo_returning = True

    @event.listens_for(engine, "connect")
    def _durable(connection: Any, _: Any) -> None:
        # The default, NORMAL, may lose the last acknowledged rows when power fails.
        connection.execute("PRAGMA synchronous=FULL")
        # A damaged text must reach the one who compares hashes, not fail on the way.
        connection.text_factory = _text

    if address.file is not None:
        _stay_with(engine, address.file)
    return engine


def _stay_with(engine: Engine, file: Path) -> None:
    """Refuse to go on once the file is gone or another one lies in its place.

    SQLite keeps writing into a file that has no name any more: what it acknowledges would be lost.
    """
    opened: list[tuple[int, int]] = []

    # Before connecting as well: that would make a new, empty file.
    @event.listens_for(engine, "do_connect")
    @event.listens_for(engine, "checkout")
    def _same(*_: Any) -> None:
        try:
            found = file.stat()
        except FileNotFoundError:
            raise _moved("被移走或删除") from None
        except OSError:
            return  # whoever reads or writes it is told more
        opened.extend([(found.st_dev, found.st_ino)] if not opened else [])
        if opened[0] != (found.st_dev, found.st_ino):
            raise _moved("换成了另一个文件")


def _moved(what: str) -> StoreError:
    return StoreError(
        f"记录库文件在运行中{what}，不再读写", advice="停止服务，核对或恢复文件后重新启动"
    )


def _make_file(file: Path) -> None:
    """Make the file where there is none, for its owner alone: outlines are not for everybody."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            file.touch(0o600)
    except OSError as problem:
        reason = problem.strerror or type(problem).__name__
        raise StoreError(
            f"无法建立记录库（{reason}）",
            advice="核对 WUQU_DB 或 --db，以及文件夹的权限",
        ) from None


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def _postgresql(address: Address) -> Engine:
    limit = f"{WAIT_S * 1000:.0f}"
    options = f"-c lock_timeout={limit} -c synchronous_commit=on -c timezone=UTC"
    limits = {
        "connect_timeout": max(int(WAIT_S), 1),
        "tcp_user_timeout": int(_POOL_WAIT_S * 1000),
    }
    try:
        return create_engine(
            address.url,
            connect_args={**limits, "options": options},
            hide_parameters=True,
            # A server that was restarted is found again without an error.
            pool_pre_ping=True,
            pool_timeout=_POOL_WAIT_S,
        )
    except ImportError:
        raise ExtraError(
            "没有安装 PostgreSQL 的驱动", advice='运行 pip install "wuqu[postgis]"'
        ) from None


def enter_wal(engine: Engine) -> None:
    """Switch a SQLite file to WAL once; it stays so.

    The switch needs the file alone and SQLite does not wait for it, so when several processes
    start together the losers look again.
    """
    for attempt in range(_WAL_ATTEMPTS):
        try:
            with engine.connect() as connection:
                if connection.exec_driver_sql("PRAGMA journal_mode=WAL").scalar() == "wal":
                    return
        except OperationalError:
            if attempt == _WAL_ATTEMPTS - 1:
                raise
        time.sleep(0.02)


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Yield a transaction that nobody else writes beside: the chain has one end.

    The lock is taken before anything is read, so that the end of the chain that is read is the end.
    """
    with engine.connect() as connection:
        if engine.dialect.name == SQLITE:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            lock = text("SELECT pg_advisory_xact_lock(:key)")
            connection.execute(lock, {"key": _CHAIN_LOCK})
        yield connection
        connection.commit()
