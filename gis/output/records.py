"""Which answers were given? The store of decision records, one SQLite file.

A record is written before its answer goes out, so an acknowledged answer is never lost: WAL mode
with ``synchronous=FULL`` survived every kill -9 in trials where a rewritten JSON file did not.
Safe across threads and processes. It never judges a site and never changes a stored document.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Index, LargeBinary, String, Text, create_engine, event, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from gis.errors import NotFoundError

# Documents of one upload, each with the site in the work CRS (WKB).
Answers = Sequence[tuple[Mapping[str, Any], bytes | None]]
BUSY_TIMEOUT_S = 10.0
_WAL_ATTEMPTS = 50


class _Base(DeclarativeBase):
    pass


class _Row(_Base):
    __tablename__ = "records"

    seq: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(String(32), unique=True)
    created_at: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(Text)
    verdict: Mapped[str] = mapped_column(String(20))
    digest: Mapped[str] = mapped_column(String(64))
    upload_sha256: Mapped[str] = mapped_column(String(64))
    plan_id: Mapped[str] = mapped_column(Text)
    plan_version: Mapped[str] = mapped_column(Text)
    software: Mapped[str] = mapped_column(Text)
    geometry_wkb: Mapped[bytes | None] = mapped_column(LargeBinary)
    document: Mapped[str] = mapped_column(Text)

    __table_args__ = (Index("records_digest", "digest"),)


@dataclass(frozen=True, slots=True)
class Record:
    """One stored answer; ``document`` is the check as JSON values, its ``id`` the record id."""

    id: str
    created_at: str
    digest: str
    upload_sha256: str
    software: Mapping[str, str]
    geometry_wkb: bytes | None
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RecordSummary:
    """One line of the list of recent answers."""

    id: str
    created_at: str
    name: str
    verdict: str


class RecordStore:
    """The decision records in one SQLite file; open the same path in as many processes as needed.

    Parameters
    ----------
    path
        The file; it and its folder are created when absent.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._pid = os.getpid()
        self._engine = _engine(self.path)
        _enter_wal(self._engine)
        _create_tables(self._engine)

    def save(
        self,
        document: Mapping[str, Any],
        *,
        upload_sha256: str = "",
        geometry_wkb: bytes | None = None,
    ) -> str:
        """Store one check document and return its new, unguessable id once it is on disk.

        Parameters
        ----------
        document
            ``gis.canonical.to_dict``; the stored copy carries the record id as ``id``.
        upload_sha256
            SHA-256 of the uploaded bytes; taken from ``site.source`` when empty.
        geometry_wkb
            The site in the work CRS, so that the record can be judged again exactly.
        """
        (record_id,) = self.save_all([(document, geometry_wkb)], upload_sha256=upload_sha256)
        return record_id

    def save_all(self, answers: Answers, *, upload_sha256: str = "") -> list[str]:
        """Store the documents (each with its geometry) of one upload: all of them, or none."""
        (ids,) = self.save_uploads([(answers, upload_sha256)])
        return ids

    def save_uploads(self, uploads: Sequence[tuple[Answers, str]]) -> list[list[str]]:
        """Store the answers of several uploads, each with the hash of its bytes, all or none.

        One transaction, so one wait for the disk.
        """
        groups = [[_row(doc, sha256, wkb) for doc, wkb in answers] for answers, sha256 in uploads]
        ids = [[row.id for row in rows] for rows in groups]
        with Session(self._connected()) as session, session.begin():
            session.add_all(row for rows in groups for row in rows)
        return ids

    def get(self, record_id: str) -> Record:
        """Return one record; raise NotFoundError when there is none with this id."""
        with Session(self._connected()) as session:
            row = session.scalar(select(_Row).where(_Row.id == record_id))
        if row is None:
            raise NotFoundError(
                "没有这个编号的检测记录", expected="检测时返回的编号", advice="核对编号，或重新检测"
            )
        return _record(row)

    def recent(self, limit: int = 20) -> tuple[RecordSummary, ...]:
        """Return the newest records first, at most ``limit``."""
        columns = select(_Row.id, _Row.created_at, _Row.name, _Row.verdict)
        with Session(self._connected()) as session:
            rows = session.execute(columns.order_by(_Row.seq.desc()).limit(limit)).all()
        return tuple(RecordSummary(*row) for row in rows)

    def close(self) -> None:
        """Close every connection of this process."""
        self._engine.dispose()

    def _connected(self) -> Engine:
        # A connection must never be used on both sides of a fork; the child starts its own pool.
        if os.getpid() != self._pid:
            self._engine.dispose(close=False)
            self._pid = os.getpid()
        return self._engine


@lru_cache(maxsize=1)
def software_versions() -> Mapping[str, str]:
    """Return the versions that a number in a record rests on: wuqu, GEOS, PROJ, GDAL."""
    import pyogrio
    import pyproj
    import shapely

    try:
        own = metadata.version("wuqu")
    except metadata.PackageNotFoundError:  # a plain checkout that was never installed
        own = "unknown"
    return {
        "wuqu": own,
        "geos": shapely.geos_version_string,
        "proj": pyproj.proj_version_str,
        "gdal": pyogrio.__gdal_version_string__,
    }


def _engine(path: Path) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}", connect_args={"timeout": BUSY_TIMEOUT_S}, hide_parameters=True
    )

    @event.listens_for(engine, "connect")
    def _durable(connection: Any, _: Any) -> None:
        # The default, NORMAL, may lose the last acknowledged rows when power fails.
        connection.execute("PRAGMA synchronous=FULL")

    return engine


def _enter_wal(engine: Engine) -> None:
    """Switch the file to WAL once; it stays so.

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


def _create_tables(engine: Engine) -> None:
    with engine.connect() as connection:
        # IMMEDIATE takes the write lock before looking whether the tables exist: a deferred
        # transaction that reads first cannot wait for another writer and fails at once.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        _Base.metadata.create_all(connection)
        connection.commit()


def _row(document: Mapping[str, Any], upload_sha256: str, geometry_wkb: bytes | None) -> _Row:
    record_id = secrets.token_hex(16)
    site = document["site"]
    stored = {**document, "id": record_id}
    return _Row(
        id=record_id,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        # A name with half a surrogate pair is no UTF-8; SQLite would refuse the whole row.
        name=site["name"].encode("utf-8", "replace").decode(),
        verdict=document["verdict"],
        digest=document["digest"],
        upload_sha256=upload_sha256 or site["source"]["sha256"],
        plan_id=document["plan"]["id"],
        plan_version=document["plan"]["version"],
        software=json.dumps(dict(software_versions())),
        geometry_wkb=geometry_wkb,
        document=json.dumps(stored, allow_nan=False, separators=(",", ":")),
    )


def _record(row: _Row) -> Record:
    return Record(
        id=row.id,
        created_at=row.created_at,
        digest=row.digest,
        upload_sha256=row.upload_sha256,
        software=json.loads(row.software),
        geometry_wkb=row.geometry_wkb,
        document=json.loads(row.document),
    )
