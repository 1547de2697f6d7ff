"""The record store: nothing acknowledged is lost, whoever writes, and ids cannot be guessed."""

import json
import multiprocessing
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest
from record_world import document, write_rows

from gis.errors import NotFoundError
from gis.output.records import Entry, RecordStore, Submission, software_versions


@pytest.fixture
def store(tmp_path):
    opened = RecordStore(tmp_path / "deep" / "records.sqlite")
    yield opened
    opened.close()


def test_a_record_comes_back_with_its_own_id_inside_the_document(store):
    record_id = store.save(Entry(document()))
    record = store.get(record_id)
    assert record.document == {**document(), "id": record_id}
    assert record.digest == "d" * 64
    assert record.upload_sha256 == "a" * 64


def test_the_upload_hash_and_the_exact_geometry_are_kept(store):
    record_id = store.save(Entry(document(), b"\x01\x02"), sha256="b" * 64)
    record = store.get(record_id)
    assert (record.upload_sha256, record.geometry_wkb) == ("b" * 64, b"\x01\x02")


def test_a_record_names_the_software_it_rests_on(store):
    record = store.get(store.save(Entry(document())))
    assert record.software == dict(software_versions())
    assert set(record.software) == {"wuqu", "geos", "proj", "gdal"}


@pytest.mark.parametrize("unknown", ["", "1", "x' OR 1=1 --", "\ud800", "a" * 10_000, "空"])
def test_an_unknown_id_is_not_found_whatever_it_looks_like(store, unknown):
    with pytest.raises(NotFoundError):
        store.get(unknown.encode("utf-8", "replace").decode())


def test_equal_documents_get_different_unguessable_ids(store):
    ids = {store.save(Entry(document())) for _ in range(20)}
    assert len(ids) == 20
    # 128 random bits as 32 hexadecimal digits, with no common beginning as a counter would have.
    assert all(len(i) == 32 and int(i, 16) >= 0 for i in ids)
    assert len({i[:6] for i in ids}) > 15


def test_the_newest_record_is_listed_first_and_the_list_is_bounded(store):
    ids = [store.save(Entry(document(f"地块{n}"))) for n in range(5)]
    recent = store.recent(limit=3)
    assert [r.id for r in recent] == ids[:1:-1]
    assert (recent[0].name, recent[0].verdict) == ("地块4", "pass")


def test_the_file_is_in_wal_mode_and_every_commit_is_synced(store):
    with store._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL


def test_a_new_file_is_for_its_owner_alone(store):
    for path in store.address.file.parent.iterdir():
        assert path.stat().st_mode & 0o077 == 0, path.name


def test_records_survive_closing_and_reopening(tmp_path):
    first = RecordStore(tmp_path / "r.sqlite")
    record_id = first.save(Entry(document()))
    first.close()
    again = RecordStore(tmp_path / "r.sqlite")
    assert again.get(record_id).id == record_id
    again.close()


def test_a_second_reader_sees_a_record_as_soon_as_it_is_acknowledged(store):
    record_id = store.save(Entry(document()))
    other = sqlite3.connect(store.address.file)
    rows = other.execute("SELECT id FROM records").fetchall()
    other.close()
    assert rows == [(record_id,)]


def test_threads_share_one_store_without_losing_a_record(store):
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda n: store.save(Entry(document(f"线程地块{n}"))), range(40)))
    assert len(set(ids)) == 40
    assert {r.id for r in store.recent(limit=100)} == set(ids)


def test_processes_opening_the_same_new_file_at_once_lose_no_record(tmp_path):
    path = tmp_path / "shared.sqlite"
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        written = pool.map(write_rows, [(path, 10), (path, 10)], chunksize=1)
    store = RecordStore(path)
    found = {r.id for r in store.recent(limit=100)}
    store.close()
    assert found == {i for ids in written for i in ids}
    assert len(found) == 20


def test_a_store_inherited_through_a_fork_starts_its_own_connections(store, monkeypatch):
    before = store.save(Entry(document("父进程")))
    inherited = store._engine.pool
    monkeypatch.setattr("gis.output.records.store.os.getpid", lambda: -1)
    after = store.save(Entry(document("子进程")))
    assert store._engine.pool is not inherited
    assert [r.id for r in store.recent()] == [after, before]


def test_half_a_surrogate_pair_in_a_name_is_stored_readably(store):
    record = store.get(store.save(Entry(document("坏\ud800名"))))
    assert json.dumps(record.document).encode()
    assert store.recent()[0].name == "坏?名"


def test_not_a_number_is_refused_before_anything_is_written(store):
    with pytest.raises(ValueError, match="JSON"):
        store.save(Entry({**document(), "impact": float("nan")}))
    assert store.recent() == ()


def test_the_sites_of_one_upload_are_stored_together_or_not_at_all(store):
    good = [Entry(document(f"地块{n}"), bytes([n])) for n in range(3)]
    (ids,) = store.save_uploads([Submission(good, "c" * 64)])
    assert [store.get(i).geometry_wkb for i in ids] == [b"\x00", b"\x01", b"\x02"]
    bad = [Entry(document()), Entry({**document(), "impact": float("inf")})]
    with pytest.raises(ValueError, match="JSON"):
        store.save_uploads([Submission(bad)])
    assert len(store.recent()) == 3
