"""The table of the first versions: answers without a chain, in one SQLite file."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "v0001"
down_revision = None


def upgrade() -> None:
    """Create the table; a file of that time has it, and does not say which revision it is."""
    if sa.inspect(op.get_bind()).has_table("records"):
        return
    op.create_table(
        "records",
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("id", sa.String(32), nullable=False, unique=True),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("verdict", sa.String(20), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("upload_sha256", sa.String(64), nullable=False),
        sa.Column("plan_id", sa.Text, nullable=False),
        sa.Column("plan_version", sa.Text, nullable=False),
        sa.Column("software", sa.Text, nullable=False),
        sa.Column("geometry_wkb", sa.LargeBinary),
        sa.Column("document", sa.Text, nullable=False),
    )
    op.create_index("records_digest", "records", ["digest"])
