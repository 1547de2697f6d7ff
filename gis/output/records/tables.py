"""How are records laid down? Three tables, each of them written once and never changed.

``records`` are the answers, ``decisions`` what officers decided beside them; both stand in one
chain and share its numbers. ``snapshots`` say what answers rest on, by the hash of their content:
thousands of records share one. ``migrations`` creates these tables; a test compares the two.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

# The revision of ``migrations`` that these tables are.
REVISION = "v0003"
# How a record was made: before there was a chain (verified by its digest only), or with it.
BEFORE_THE_CHAIN, CHAINED = 0, 1

METADATA = MetaData()
_Number = BigInteger().with_variant(Integer, "sqlite")

records = Table(
    "records",
    METADATA,
    Column("seq", _Number, primary_key=True, autoincrement=False),
    Column("id", String(32), nullable=False, unique=True),
    Column("format", Integer, nullable=False),
    Column("created_at", String(32), nullable=False),
    Column("owner", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("verdict", String(20), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("upload_sha256", String(64), nullable=False),
    Column("plan_id", Text, nullable=False),
    Column("plan_version", Text, nullable=False),
    Column("as_of", String(10), nullable=False),
    Column("software", Text, nullable=False),
    Column("snapshot", String(64), nullable=False),
    Column("geometry_wkb", LargeBinary),
    Column("inputs", Text, nullable=False),
    Column("decision", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("field_hashes", Text, nullable=False),
    Column("prev_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index("records_digest", "digest"),
    Index("records_owner", "owner", "seq"),
)

decisions = Table(
    "decisions",
    METADATA,
    Column("seq", _Number, primary_key=True, autoincrement=False),
    Column("record_id", String(32), nullable=False),
    Column("record_hash", String(64), nullable=False),
    Column("decided_at", String(32), nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("office", Text, nullable=False),
    Column("verdict", String(20), nullable=False),
    Column("reason", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("field_hashes", Text, nullable=False),
    Column("prev_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index("decisions_record", "record_id"),
)

snapshots = Table(
    "snapshots",
    METADATA,
    Column("sha256", String(64), primary_key=True),
    Column("content", Text, nullable=False),
)

# In the chain, in the order of their numbers.
CHAIN = {"record": records, "decision": decisions}
