"""Databases of earlier shapes: migrated without losing a record, or refused and left alone."""

from __future__ import annotations

import json
import multiprocessing
import sqlite3
from contextlib import closing

import pytest
from record_world import AS_OF, SITE, count_rows, keep, run_sql, turn_bit_of
from sqlalchemy import (
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    inspect,
    text,
)

from gis.canonical import to_dict
from gis.check import check_site
from gis.errors import StoreOutdatedError
from gis.intake.read import read_site
from gis.output.records import RecordStore
from gis.output.records.address import address_of
from gis.output.records.audit import audit
from gis.output.records.engines import open_engine
from gis.output.records.job_tables import jobs as _jobs  # noqa: F401  # completes METADATA
from gis.output.records.schema import migrate
from gis.output.records.tables import METADATA, REVISION
from gis.output.records.verify import Outcome, verify_record
from gis.plan import load_plan

# The table as versions before the chain created it, word for word.
OLD = Table(
    "records",
    MetaData(),
    Column("seq", Integer, primary_key=True),
    Column("id", String(32), unique=True, nullable=False),
    Column("created_at", String(32), nullable=False),
    Column("name", Text, nullable=False),
    Column("verdict", String(20), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("upload_sha256", String(64), nullable=False),
    Column("plan_id", Text, nullable=False),
    Column("plan_version", Text, nullable=False),
    Column("software", Text, nullable=False),
    Column("geometry_wkb", LargeBinary),
    Column("document", Text, nullable=False),
    Index("records_digest", "digest"),
)


@pytest.fixture(scope="module")
def small(clean):
    return load_plan(clean)


@pytest.fixture(scope="module")
def answer(small):
    return check_site(read_site(SITE, small), small, use="080403", as_of=AS_OF)


def old_row(answer, number):
    whole = to_dict(answer)
    # Most are short, so that a migration has several batches without taking its time.
    short = {k: whole[k] for k in ("verdict", "digest", "plan", "as_of")}
    document = {**(whole if number < 4 else short), "id": f"{number:032x}"}
    return {
        "seq": number,
        "id": document["id"],
        "created_at": f"2026-11-01T00:00:{number % 60:02d}+00:00",
        "name": f"旧地块{number}",
        "verdict": document["verdict"],
        "digest": document["digest"],
        "upload_sha256": "a" * 64,
        "plan_id": document["plan"]["id"],
        "plan_version": document["plan"]["version"],
        "software": json.dumps({"wuqu": "0.1.0", "geos": "3.13.0"}),
        "geometry_wkb": None if number == 3 else bytes(answer.site.geometry.wkb),
        "document": json.dumps(document, separators=(",", ":")),
    }


def old_store(path, rows):
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        OLD.metadata.create_all(connection)
        connection.execute(OLD.insert(), rows)
    engine.dispose()
    return path


@pytest.fixture
def old(tmp_path, answer):
    """A store of the time before the chain, in which one number was never given."""
    numbers = [1, 2, 3, 5, *range(6, 256)]
    return old_store(tmp_path / "records.sqlite", [old_row(answer, n) for n in numbers])


def test_a_store_of_the_time_before_the_chain_keeps_every_record(old):
    with closing(sqlite3.connect(old)) as connection:
        before = connection.execute(
            "SELECT id, created_at, name, verdict, digest, upload_sha256, geometry_wkb, document "
            "FROM records ORDER BY seq"
        ).fetchall()
    store = RecordStore(old)
    assert len(before) == 254
    for seq, row in enumerate(before, start=1):
        record = store.get(row[0])
        kept = (record.created_at, record.name, record.verdict, record.digest)
        assert kept == row[1:5]
        assert (record.upload_sha256, record.geometry_wkb) == row[5:7]
        assert record.document == json.loads(row[7])
        assert (record.seq, record.format, record.as_of) == (seq, 0, "2026-11-22")
        assert record.software == {"wuqu": "0.1.0", "geos": "3.13.0"}
    found = audit(store)
    assert (found.is_good, found.records, found.before_the_chain) == (True, 254, 254)
    store.close()


def test_new_records_follow_the_old_ones_in_the_chain(old):
    store = RecordStore(old)
    end = store.head()
    added = store.get(keep(store, "新"))
    assert (added.seq, added.prev_hash, added.format) == (end[0] + 1, end[1], 1)
    assert audit(store).before_the_chain == 254
    store.close()


def test_an_old_record_is_verified_by_its_digest_only(old, small):
    store = RecordStore(old)
    found = verify_record(store, f"{2:032x}", small)
    assert found.outcome is Outcome.DIGEST_ONLY
    assert found.is_good
    assert found.replayed is None
    store.close()


def test_an_old_record_whose_document_does_not_fit_its_digest_is_found(tmp_path, answer, small):
    row = old_row(answer, 1)
    assert row["document"].count('"verdict":"fail"') > 1
    forged = {**row, "document": row["document"].replace('"verdict":"fail"', '"verdict":"pass"', 1)}
    store = RecordStore(old_store(tmp_path / "records.sqlite", [forged]))
    found = verify_record(store, row["id"], small)
    assert {(f.kind, f.where) for f in found.faults} == {
        ("digest", "document"),
        ("digest", "verdict"),
    }
    store.close()


def test_a_bit_turned_after_the_migration_is_found_in_an_old_record(old, small):
    store = RecordStore(old)
    turn_bit_of(store, "records", "document", 2)
    found = verify_record(store, f"{2:032x}", small)
    assert ("record", "document") in {(f.kind, f.where) for f in found.faults}
    store.close()


def test_an_old_record_that_is_no_json_is_kept_and_told(tmp_path, answer, small):
    row = {**old_row(answer, 1), "document": "{broken"}
    store = RecordStore(old_store(tmp_path / "records.sqlite", [row, old_row(answer, 2)]))
    assert audit(store).records == 2
    assert verify_record(store, row["id"], small).outcome is Outcome.DAMAGED
    store.close()


def test_of_processes_that_open_an_old_file_together_one_migrates(old):
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert pool.map(count_rows, [old, old], chunksize=1) == [254, 254]
    store = RecordStore(old)
    assert audit(store).is_good
    store.close()


def test_a_migration_that_fails_leaves_the_old_file_as_it_was(old, monkeypatch):
    def fails(*_):
        raise RuntimeError("power")

    content = dump(old)
    # Alembic reads the file of the migration anew, so that it imports what stands here now.
    monkeypatch.setattr("gis.output.records.chain.sealed", fails)
    with pytest.raises(RuntimeError):
        RecordStore(old)
    monkeypatch.undo()
    assert dump(old) == content
    store = RecordStore(old)
    assert audit(store).records == 254
    store.close()


def dump(path):
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def test_a_migrated_file_is_not_migrated_again(old):
    RecordStore(old).close()
    content = dump(old)
    store = RecordStore(old)
    assert migrate(store.engine) == REVISION
    store.close()
    assert dump(old) == content


def test_a_file_of_a_later_version_is_left_alone(tmp_path):
    store = RecordStore(tmp_path / "records.sqlite")
    keep(store)
    run_sql(store, "UPDATE alembic_version SET version_num = 'v9999'")
    store.close()
    content = dump(tmp_path / "records.sqlite")
    with pytest.raises(StoreOutdatedError, match="v9999"):
        RecordStore(tmp_path / "records.sqlite")
    assert dump(tmp_path / "records.sqlite") == content


# --- PostgreSQL ----------------------------------------------------------------------------------


def test_a_server_without_tables_is_refused_until_somebody_migrates_it(database):
    with pytest.raises(StoreOutdatedError, match="还没有建表") as caught:
        RecordStore(database)
    assert "wuqu records migrate" in caught.value.advice
    engine = open_engine(address_of(database))
    assert migrate(engine) is None
    engine.dispose()
    store = RecordStore(database)
    keep(store)
    assert audit(store).is_good
    store.close()


def test_a_server_of_an_earlier_version_is_refused_until_somebody_migrates_it(database, answer):
    engine = open_engine(address_of(database))
    with engine.begin() as connection:
        OLD.metadata.create_all(connection)
        connection.execute(OLD.insert(), [old_row(answer, n) for n in (1, 2, 3)])
        connection.execute(text("CREATE TABLE alembic_version (version_num varchar(32))"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('v0001')"))
    with pytest.raises(StoreOutdatedError, match="v0001"):
        RecordStore(database)
    assert migrate(engine) == "v0001"
    engine.dispose()
    store = RecordStore(database)
    assert [r.name for r in store.recent()] == ["旧地块3", "旧地块2", "旧地块1"]
    assert audit(store).is_good
    store.close()


# --- the tables ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_migrations_make_the_tables_that_the_store_writes(kind, tmp_path, request):
    where = tmp_path / "r.sqlite" if kind == "sqlite" else request.getfixturevalue("database")
    engine = open_engine(address_of(where))
    migrate(engine)
    seen = inspect(engine)
    for table in METADATA.sorted_tables:
        made = {c["name"]: (str(c["type"]), c["nullable"]) for c in seen.get_columns(table.name)}
        wanted = {
            c.name: (str(c.type.compile(engine.dialect)), bool(c.nullable)) for c in table.columns
        }
        assert made == wanted
        indexes = {i["name"] for i in seen.get_indexes(table.name)}
        assert {str(index.name) for index in table.indexes} <= indexes
        key = seen.get_pk_constraint(table.name)["constrained_columns"]
        assert key == [c.name for c in table.primary_key.columns]
    assert set(seen.get_table_names()) == {*METADATA.tables, "alembic_version"}
    engine.dispose()
