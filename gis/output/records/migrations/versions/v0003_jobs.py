"""Jobs get their tables beside the records that they make."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "v0003"
down_revision = "v0002"

_MOMENT = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Create the tables; records stay as they are."""
    _create_jobs()
    op.create_table(
        "job_tasks",
        sa.Column("job_id", sa.String(32), primary_key=True),
        sa.Column("kind", sa.String(8), primary_key=True),
        sa.Column("n", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("first", sa.Integer, nullable=False),
        sa.Column("last", sa.Integer, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("holder", sa.String(100), nullable=False),
        sa.Column("until_ms", _MOMENT, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("done", sa.Integer, nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
    )
    op.create_table(
        "job_rows",
        sa.Column("job_id", sa.String(32), primary_key=True),
        sa.Column("row", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("record_id", sa.String(32)),
        sa.Column("problem", sa.String(40)),
        sa.Column("answer", sa.Text, nullable=False),
    )
    op.create_index("jobs_owner", "jobs", ["owner", "created_ms"])
    op.create_index("jobs_state", "jobs", ["state"])
    op.create_index("job_tasks_state", "job_tasks", ["state"])
    op.create_index("job_rows_problem", "job_rows", ["job_id", "problem"])
    op.create_index("job_rows_record", "job_rows", ["record_id"], unique=True)


def _create_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(32), primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("owner", "request_id", "name")),
        sa.Column("upload_sha256", sa.String(64), nullable=False),
        sa.Column("options", sa.Text, nullable=False),
        sa.Column("plan", sa.String(64), nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("plan_id", "plan_version")),
        sa.Column("as_of", sa.String(10), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("created_ms", _MOMENT, nullable=False),
        *(sa.Column(name, _MOMENT) for name in ("started_ms", "finished_ms", "expires_ms")),
        sa.Column("total", sa.Integer),
        sa.Column("done", sa.Integer, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("counts", "error")),
        sa.Column("version", sa.Integer, nullable=False),
        *(sa.Column(name, _MOMENT, nullable=False) for name in ("served_ms", "pace_ms")),
        *(
            sa.Column(name, sa.Integer, nullable=False)
            for name in ("pace_done", "per_minute", "purged")
        ),
    )
