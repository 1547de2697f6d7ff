"""Records become a chain; officers' decisions and snapshots get tables; nothing can be changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from gis.output.records.chain import GENESIS, sealed

revision = "v0002"
down_revision = "v0001"

_AT_ONCE = 200
_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_TABLES = ("records", "decisions", "snapshots")


def upgrade() -> None:
    """Lay the answers of the time before into the chain, in their order, and close the tables."""
    op.drop_index("records_digest", "records")
    op.rename_table("records", "records_before")
    records = _create_tables()
    _move(records)
    op.drop_table("records_before")
    op.create_index("records_digest", "records", ["digest"])
    op.create_index("records_owner", "records", ["owner", "seq"])
    op.create_index("decisions_record", "decisions", ["record_id"])
    for statement in _guards(op.get_bind().dialect.name):
        op.execute(statement)


def _create_tables() -> sa.Table:
    # A table that is renamed keeps the names of its constraints; PostgreSQL wants them unique.
    records = op.create_table(
        "records",
        sa.Column("seq", _NUMBER, autoincrement=False),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("format", sa.Integer, nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("verdict", sa.String(20), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("upload_sha256", sa.String(64), nullable=False),
        sa.Column("plan_id", sa.Text, nullable=False),
        sa.Column("plan_version", sa.Text, nullable=False),
        sa.Column("as_of", sa.String(10), nullable=False),
        sa.Column("software", sa.Text, nullable=False),
        sa.Column("snapshot", sa.String(64), nullable=False),
        sa.Column("geometry_wkb", sa.LargeBinary),
        sa.Column("inputs", sa.Text, nullable=False),
        sa.Column("decision", sa.Text, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        *_seals(),
        sa.PrimaryKeyConstraint("seq", name="records_in_order"),
        sa.UniqueConstraint("id", name="records_by_id"),
    )
    op.create_table(
        "decisions",
        sa.Column("seq", _NUMBER, primary_key=True, autoincrement=False),
        sa.Column("record_id", sa.String(32), nullable=False),
        sa.Column("record_hash", sa.String(64), nullable=False),
        sa.Column("decided_at", sa.String(32), nullable=False),
        sa.Column("decided_by", sa.Text, nullable=False),
        sa.Column("office", sa.Text, nullable=False),
        sa.Column("verdict", sa.String(20), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        *_seals(),
    )
    op.create_table(
        "snapshots",
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("content", sa.Text, nullable=False),
    )
    return records


def _seals() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("field_hashes", sa.Text, nullable=False),
        sa.Column("prev_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )


def _move(records: sa.Table) -> None:
    connection = op.get_bind()
    count = sa.text("SELECT count(*) FROM records_before")
    expected, moved, prev_hash = connection.execute(count).scalar_one(), 0, GENESIS
    for batch in _batches(connection):
        rows = []
        for row in batch:
            moved += 1
            rows.append(sealed(row, moved, prev_hash))
            prev_hash = rows[-1]["hash"]
        connection.execute(records.insert(), rows)
    if moved != expected:
        raise RuntimeError(f"{moved} of {expected} records were moved")


def _batches(connection: sa.Connection) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows of the time before, as rows of now without a place in the chain."""
    query = sa.text("SELECT * FROM records_before WHERE seq > :after ORDER BY seq LIMIT :most")
    after = -(1 << 62)
    while found := connection.execute(query, {"after": after, "most": _AT_ONCE}).mappings().all():
        after = found[-1]["seq"]
        yield [_row(before) for before in found]


def _row(before: Any) -> dict[str, Any]:
    kept = {name: value for name, value in before.items() if name != "seq"}
    return {
        **kept,
        "format": 0,
        "owner": "",
        "request_id": "",
        "as_of": _day_of(before["document"]),
        "snapshot": "",
        "inputs": "",
        "decision": "",
    }


def _day_of(document: str) -> str:
    try:
        return str(json.loads(document).get("as_of", ""))[:10]
    except (ValueError, AttributeError):
        return ""


def _guards(dialect: str) -> Iterator[str]:
    """Yield what makes the tables refuse every change and removal."""
    if dialect == "sqlite":
        for table in _TABLES:
            for verb in ("UPDATE", "DELETE"):
                yield (
                    f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                    "BEGIN SELECT RAISE(ABORT, 'records are append-only'); END"
                )
        return
    yield (
        "CREATE FUNCTION wuqu_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'records are append-only'; END $$"
    )
    for table in _TABLES:
        yield (
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION wuqu_append_only()"
        )
