"""Records that move: exported and taken in again, backed up and restored, never half of them."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import threading
from contextlib import closing

import pytest
from record_world import document, keep, keep_checked, run_sql, turn_bit_of
from waiting import until

from gis.errors import ClaimError, FormatError, StoreDamagedError
from gis.output.records import Entry, RecordStore
from gis.output.records.address import address_of
from gis.output.records.audit import audit
from gis.output.records.backup import backup
from gis.output.records.engines import open_engine
from gis.output.records.schema import migrate
from gis.output.records.transfer import export_records, import_records
from gis.output.records.verify import Outcome, verify_record
from gis.plan import load_plan


@pytest.fixture(scope="module")
def small(clean):
    return load_plan(clean)


@pytest.fixture
def make(tmp_path):
    """Open stores in one folder; all are closed in the end."""
    opened = []

    def store(name="records.sqlite"):
        opened.append(RecordStore(tmp_path / name))
        return opened[-1]

    yield store
    for one in opened:
        one.close()


@pytest.fixture
def full(make, small):
    """Two records that nobody judged, one real one, and a decision on it."""
    store = make()
    keep(store, "甲")
    record = keep_checked(store, small)
    store.decide(record, verdict="conditional", office="耕保科", reason="已批复", by="张三")
    keep(store, "坏\ud800名")
    return store


def rows(store):
    return {r.id: (store.get(r.id), store.decisions(r.id)) for r in store.recent(100)}


def lines_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def write_lines(path, lines):
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


# --- out and in ----------------------------------------------------------------------------------


def test_everything_that_goes_out_comes_in_with_the_same_chain(full, make, tmp_path, small):
    out = export_records(full, tmp_path / "all.jsonl")
    other = make("other.sqlite")
    taken = import_records(other, tmp_path / "all.jsonl")
    assert out == taken
    assert (taken.rows, taken.seq, taken.hash) == (4, *full.head())
    assert rows(other) == rows(full)
    assert audit(other).is_good
    (judged,) = [r.id for r in other.recent() if other.get(r.id).inputs]
    assert verify_record(other, judged, small).outcome is Outcome.IDENTICAL
    again = tmp_path / "again.jsonl"
    export_records(other, again)
    assert again.read_bytes() == (tmp_path / "all.jsonl").read_bytes()


def test_records_move_from_sqlite_to_postgresql_and_back(full, tmp_path, database):
    export_records(full, tmp_path / "all.jsonl")
    engine = open_engine(address_of(database))
    migrate(engine)
    engine.dispose()
    server = RecordStore(database)
    import_records(server, tmp_path / "all.jsonl")
    assert rows(server) == rows(full)
    export_records(server, tmp_path / "back.jsonl")
    server.close()
    assert (tmp_path / "back.jsonl").read_bytes() == (tmp_path / "all.jsonl").read_bytes()


def test_an_imported_chain_goes_on(full, make, tmp_path):
    export_records(full, tmp_path / "all.jsonl")
    other = make("other.sqlite")
    import_records(other, tmp_path / "all.jsonl")
    added = other.get(keep(other, "新"))
    assert (added.seq, added.prev_hash) == (5, full.head()[1])


def test_what_was_added_to_a_copy_comes_back_to_the_original(full, make, tmp_path):
    export_records(full, tmp_path / "all.jsonl")
    copy = make("copy.sqlite")
    import_records(copy, tmp_path / "all.jsonl")
    keep(copy, "外业")
    export_records(copy, tmp_path / "more.jsonl")
    lines = lines_of(tmp_path / "more.jsonl")
    end = {**lines[-1], "rows": 1}
    write_lines(tmp_path / "new.jsonl", [lines[0], lines[-2], end])
    assert import_records(full, tmp_path / "new.jsonl").rows == 1
    assert rows(full) == rows(copy)


def test_an_empty_store_is_exported_and_taken_in(make, tmp_path):
    assert export_records(make(), tmp_path / "none.jsonl").rows == 0
    assert import_records(make("other.sqlite"), tmp_path / "none.jsonl").rows == 0


def test_records_that_are_there_already_are_refused(full, tmp_path):
    export_records(full, tmp_path / "all.jsonl")
    before = rows(full)
    with pytest.raises(ClaimError, match="已在库中"):
        import_records(full, tmp_path / "all.jsonl")
    assert rows(full) == before
    assert audit(full).is_good


def test_records_that_do_not_continue_the_chain_are_refused(full, make, tmp_path):
    export_records(full, tmp_path / "all.jsonl")
    other = make("other.sqlite")
    keep(other, "别的")
    with pytest.raises(ClaimError, match="接不上"):
        import_records(other, tmp_path / "all.jsonl")
    assert [r.name for r in other.recent()] == ["别的"]


def _changed(lines):
    lines[3]["reason" if lines[3]["kind"] == "decision" else "name"] = "别的"


def _cut_off(lines):
    del lines[-1]


def _without_a_row(lines):
    del lines[1]


def _without_the_last_row(lines):
    del lines[-2]


def _swapped(lines):
    lines[1], lines[2], lines[3] = lines[3], lines[1], lines[2]


def _without_a_snapshot(lines):
    lines[:] = [line for line in lines if line["kind"] != "snapshot"]


def _other_snapshot(lines):
    next(line for line in lines if line["kind"] == "snapshot")["content"] += " "


def _unknown_field(lines):
    lines[1]["extra"] = 1


def _missing_field(lines):
    del lines[1]["owner"]


def _unknown_kind(lines):
    lines[1]["kind"] = "note"


def _no_kind(lines):
    del lines[1]["kind"]


def _wrong_type(lines):
    lines[1]["geometry_wkb"] = 5


def _behind_the_end(lines):
    lines.append(lines[1])


def _no_object(lines):
    lines[1] = [1]


@pytest.mark.parametrize(
    "damage",
    [
        _changed,
        _cut_off,
        _without_a_row,
        _without_the_last_row,
        _swapped,
        _without_a_snapshot,
        _other_snapshot,
        _unknown_field,
        _missing_field,
        _unknown_kind,
        _no_kind,
        _wrong_type,
        _behind_the_end,
        _no_object,
    ],
)
def test_a_file_that_is_not_what_was_written_is_refused_and_nothing_comes_in(
    full, make, tmp_path, damage
):
    export_records(full, tmp_path / "all.jsonl")
    lines = lines_of(tmp_path / "all.jsonl")
    damage(lines)
    other = make("other.sqlite")
    with pytest.raises((FormatError, ClaimError)):
        import_records(other, write_lines(tmp_path / "broken.jsonl", lines))
    assert other.recent() == ()
    assert other.head()[0] == 0


@pytest.mark.parametrize(
    "content", [b"", b"{}\n", b"\xff\xfe", b'{"kind":"wuqu-records","version":2}\n', b"[" * 10_000]
)
def test_a_file_of_another_kind_is_refused(make, tmp_path, content):
    path = tmp_path / "other.jsonl"
    path.write_bytes(content)
    with pytest.raises(FormatError):
        import_records(make(), path)


def test_the_line_that_is_wrong_is_named(full, make, tmp_path):
    export_records(full, tmp_path / "all.jsonl")
    lines = lines_of(tmp_path / "all.jsonl")
    lines[1]["name"] = "别的"
    with pytest.raises(FormatError, match=r"第 2 行：name"):
        import_records(make("other.sqlite"), write_lines(tmp_path / "broken.jsonl", lines))


# --- backup --------------------------------------------------------------------------------------


def test_a_backup_is_one_file_that_opens_as_the_store_it_was(full, tmp_path, make):
    copy = tmp_path / "backup.sqlite"
    size = backup(full, copy)
    assert copy.stat().st_size == size
    assert not list(tmp_path.glob("backup.sqlite-*")) + list(tmp_path.glob(".backup*"))
    restored = make("backup.sqlite")
    assert rows(restored) == rows(full)
    assert audit(restored).is_good


def test_a_backup_is_made_while_others_write(full, tmp_path, make):
    go_on = threading.Event()
    written = []

    def write():
        while not go_on.is_set():
            written.append(keep(full, "同时"))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        until(lambda: len(written) >= 5)
        backup(full, tmp_path / "backup.sqlite")
        before = len(written)
        until(lambda: len(written) >= before + 2)
    finally:
        go_on.set()
        writer.join()
    restored = make("backup.sqlite")
    found = audit(restored)
    assert found.is_good
    assert found.records >= 7
    assert audit(full).is_good


def test_a_damaged_store_is_restored_from_its_backup(full, tmp_path):
    """What docs/records.md says: stop, put the copy in its place, verify, go on."""
    copy = tmp_path / "backup.sqlite"
    backup(full, copy)
    before = rows(full)
    path = full.address.file
    full.close()
    content = bytearray(path.read_bytes())
    content[4096 : 3 * 4096] = b"\xa5" * 8192
    path.write_bytes(content)
    with pytest.raises(StoreDamagedError):
        RecordStore(path).recent()
    for leftover in path.parent.glob(f"{path.name}-*"):
        leftover.unlink()
    shutil.copyfile(copy, path)
    restored = RecordStore(path)
    assert rows(restored) == before
    assert audit(restored).is_good
    assert keep(restored, "恢复之后")
    restored.close()


def test_a_backup_never_goes_over_a_file(full, tmp_path):
    copy = tmp_path / "backup.sqlite"
    copy.write_text("old")
    with pytest.raises(ClaimError, match="已存在"):
        backup(full, copy)
    assert copy.read_text() == "old"


def test_a_damaged_store_gives_no_backup_that_looks_whole(make, tmp_path):
    store = make()
    for n in range(40):
        store.save(Entry({**document(f"{n}"), "filler": "x" * 3000}))
    store.close()
    path = store.address.file
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    content = bytearray(path.read_bytes())
    content[12 * 4096 : 13 * 4096] = b"\0" * 4096
    path.write_bytes(content)
    with pytest.raises(StoreDamagedError):
        backup(store, tmp_path / "backup.sqlite")
    assert not (tmp_path / "backup.sqlite").exists()


def test_a_database_server_is_backed_up_and_restored_by_its_own_tools(
    full, tmp_path, database, postgres
):
    engine = open_engine(address_of(database))
    migrate(engine)
    engine.dispose()
    export_records(full, tmp_path / "all.jsonl")
    server = RecordStore(database)
    import_records(server, tmp_path / "all.jsonl")
    with pytest.raises(ClaimError, match="PostgreSQL"):
        backup(server, tmp_path / "backup.sqlite")
    dump = tmp_path / "records.dump"
    _program(postgres, "pg_dump", "--format=custom", f"--file={dump}", database)
    run_sql(server, "DELETE FROM records WHERE seq = 1", "DELETE FROM decisions")
    assert not audit(server).is_good
    _program(postgres, "pg_restore", "--clean", "--if-exists", f"--dbname={database}", str(dump))
    assert audit(server).is_good
    assert rows(server) == rows(full)
    with pytest.raises(Exception, match="append-only"):
        _delete(server)
    server.close()


def _delete(store):
    from sqlalchemy import text

    with store.engine.begin() as connection:
        connection.execute(text("DELETE FROM records"))


def _program(postgres, name, *words):
    subprocess.run([str(postgres.programs / name), *words], check=True, capture_output=True)


def test_turned_bits_are_exported_as_they_are_and_refused_on_arrival(full, make, tmp_path):
    turn_bit_of(full, "records", "name", 1)
    export_records(full, tmp_path / "all.jsonl")
    with pytest.raises(FormatError, match=r"第 2 行：name"):
        import_records(make("other.sqlite"), tmp_path / "all.jsonl")
