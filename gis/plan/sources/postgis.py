"""How are the layers of a plan read from a PostGIS database? All of them as of one moment.

Each database is read in one transaction that sees one snapshot and can write nothing, so that a
plan never mixes the land of before and after somebody's edit. A table that cannot be read makes its
layer unusable and no other one. Nothing is measured in the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from gis.errors import PlanError
from gis.plan.schema import LayerEntry, PlanFile
from gis.plan.sources import tables
from gis.plan.sources.addresses import address_of
from gis.plan.sources.faults import connecting, library, reading
from gis.plan.sources.stored import LayerUnusableError, Stored

if TYPE_CHECKING:
    import psycopg

    Connection = psycopg.Connection[tuple[Any, ...]]

# What a connection gets unless its address says otherwise: a server that is gone, or does not
# answer, must not keep a plan from opening for ever.
CONNECTING: Mapping[str, str | int] = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    "application_name": "wuqu",
}
STATEMENT_TIMEOUT_S = 120


def databases_of(file: PlanFile) -> Databases:
    """Return what reads the layers of a plan that stand in databases; connects to none yet.

    Raises
    ------
    PlanError
        A layer names a connection whose address nobody knows.
    ExtraError
        There are such layers, and the extra ``postgis`` is not installed.
    """
    wanted = {entry.postgis for entry in file.layer if entry.postgis}
    if wanted:
        library()
    return Databases({given: address_of(given, file.postgis) for given in sorted(wanted)})


class Databases:
    """The databases of a plan; use it as a context, and the snapshots end with it.

    Parameters
    ----------
    addresses
        Per connection, as layers name it, the address for libpq.
    """

    def __init__(self, addresses: Mapping[str, str]) -> None:
        self._addresses = addresses
        # One snapshot per database, also where two names mean the same one.
        self._open: dict[str, Connection | LayerUnusableError] = {}
        self._closing = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.clear()
        self._closing.close()

    def read(self, entry: LayerEntry, *, every: bool = False) -> Stored:
        """Return the features of a layer as of the snapshot.

        Parameters
        ----------
        entry
            A layer with ``postgis`` and ``table``.
        every
            Whether to read all columns that can be attributes, not only those that the plan names.

        Raises
        ------
        LayerAbsentError
            The database has no such table.
        LayerUnusableError
            No connection, no right, no geometry, a column that is not there, too slow …
        """
        address = self._addresses[entry.postgis]
        if address not in self._open:
            self._open[address] = self._connected(address)
        found = self._open[address]
        if isinstance(found, LayerUnusableError):
            raise found.with_traceback(None)
        return _read(found, entry, every=every)

    def _connected(self, address: str) -> Connection | LayerUnusableError:
        psycopg = library()
        try:
            connection = connect(address)
        except psycopg.Error as problem:
            # Each layer says so, without waiting for the server once more.
            return LayerUnusableError(connecting(problem))
        self._closing.callback(_quietly_closed, connection)
        return connection


def _quietly_closed(connection: Connection) -> None:
    with suppress(Exception):  # nothing was written, so nothing can be lost
        connection.close()


def _read(connection: Connection, entry: LayerEntry, *, every: bool) -> Stored:
    psycopg = library()
    try:
        # A savepoint: what fails takes neither the snapshot nor the other layers with it.
        with connection.transaction():
            return tables.read(connection, entry, every=every)
    except psycopg.Error as problem:
        raise LayerUnusableError(reading(problem)) from None
    except UnicodeError:
        raise LayerUnusableError("文字编码无法转换为 UTF-8") from None


def connect(address: str, *, writing: bool = False) -> Connection:
    """Return a connection whose transaction sees one snapshot; one that writes nothing by default.

    Raises
    ------
    psycopg.Error
        There is no connection; say it with ``gis.plan.sources.faults.connecting``.
    """
    psycopg = library()
    given = psycopg.conninfo.conninfo_to_dict(address)
    # ``timezone`` so that moments read the same everywhere.
    asked: Connection = psycopg.connect(address, **{**CONNECTING, **given}, client_encoding="utf8")
    try:
        asked.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        asked.read_only = not writing
        # A pooler hands the session to others; what is set here ends with the transaction.
        asked.prepare_threshold = None
        asked.execute("SET TIME ZONE 'UTC'")
        # Rows that a policy hides would be missing without a word; now the server refuses.
        asked.execute("SET row_security = off")
        if not writing and "statement_timeout" not in str(given.get("options", "")):
            asked.execute(f"SET statement_timeout = '{STATEMENT_TIMEOUT_S}s'")
    except psycopg.Error:
        asked.close()
        raise
    return asked


def connected(address: str, *, writing: bool = False) -> Connection:
    """Return a connection like ``connect``; raise PlanError, in Chinese, where there is none."""
    psycopg = library()
    try:
        return connect(address, writing=writing)
    except psycopg.Error as problem:
        raise PlanError(
            connecting(problem), advice="核对地址、用户、密码和网络；密码可放在 ~/.pgpass"
        ) from None
