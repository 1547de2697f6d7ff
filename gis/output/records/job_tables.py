"""How are jobs laid down, beside the records that they make? In tables that change as work goes on.

``jobs`` are the jobs, ``job_tasks`` the pieces of work that they fall into, ``job_rows`` what
became of each row: its key makes sure that a row has one answer and one record, whatever was
interrupted. They stand in the database of the records, so that a record and the row it belongs to
are written together or not at all. Moments are milliseconds since 1970, because every database has
whole numbers.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from gis.output.records.tables import METADATA

_Moment = BigInteger().with_variant(Integer, "sqlite")

jobs = Table(
    "jobs",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("owner", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("upload_sha256", String(64), nullable=False),
    Column("options", Text, nullable=False),
    Column("plan", String(64), nullable=False),
    Column("plan_id", Text, nullable=False),
    Column("plan_version", Text, nullable=False),
    Column("as_of", String(10), nullable=False),
    Column("state", String(12), nullable=False),
    Column("created_ms", _Moment, nullable=False),
    Column("started_ms", _Moment),
    Column("finished_ms", _Moment),
    Column("expires_ms", _Moment),
    Column("total", Integer),
    Column("done", Integer, nullable=False),
    Column("counts", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("served_ms", _Moment, nullable=False),
    Column("pace_ms", _Moment, nullable=False),
    Column("pace_done", Integer, nullable=False),
    Column("per_minute", Integer, nullable=False),
    Column("purged", Integer, nullable=False),
    Index("jobs_owner", "owner", "created_ms"),
    Index("jobs_state", "state"),
)

job_tasks = Table(
    "job_tasks",
    METADATA,
    Column("job_id", String(32), primary_key=True),
    Column("kind", String(8), primary_key=True),
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("first", Integer, nullable=False),
    Column("last", Integer, nullable=False),
    Column("state", String(8), nullable=False),
    Column("holder", String(100), nullable=False),
    Column("until_ms", _Moment, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("error", Text, nullable=False),
    Index("job_tasks_state", "state"),
)

job_rows = Table(
    "job_rows",
    METADATA,
    Column("job_id", String(32), primary_key=True),
    Column("row", Integer, primary_key=True, autoincrement=False),
    Column("record_id", String(32)),
    Column("problem", String(40)),
    Column("answer", Text, nullable=False),
    Index("job_rows_problem", "job_id", "problem"),
    Index("job_rows_record", "record_id", unique=True),
)
