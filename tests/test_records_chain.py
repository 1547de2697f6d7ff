"""The chain of records: one, whoever writes; nothing in it can be changed without being found."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from record_world import document, keep, run_sql, write_rows
from sqlalchemy import text

from gis.errors import ClaimError, NotFoundError, StoreDamagedError
from gis.output.records import Entry, RecordStore, Submission
from gis.output.records.address import address_of
from gis.output.records.audit import audit
from gis.output.records.chain import GENESIS, changed_fields, field_hash, hashed, is_whole, sealed
from gis.output.records.engines import open_engine
from gis.output.records.schema import migrate
from gis.output.records.tables import records

WRITERS, EACH = 2, 12


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request, tmp_path):
    """A store of either kind."""
    if request.param == "sqlite":
        address = tmp_path / "records.sqlite"
    else:
        address = request.getfixturevalue("database")
        engine = open_engine(address_of(address))
        migrate(engine)
        engine.dispose()
    opened = RecordStore(address)
    yield opened
    opened.close()


def address_text(store):
    return store.address.url.render_as_string(hide_password=False)


# --- one row -------------------------------------------------------------------------------------

VALUES = st.one_of(st.text(), st.integers(), st.binary(), st.none())
ROWS = st.dictionaries(st.sampled_from("abcdef"), VALUES, min_size=1)


@given(row=ROWS, other=VALUES, data=st.data())
def test_every_changed_field_is_named_and_nothing_else(row, other, data):
    whole = sealed(row, 7, "p" * 64)
    name = data.draw(st.sampled_from(sorted({*row, "seq", "prev_hash"})))
    assert changed_fields(whole) == ()
    changed = {**whole, name: other}
    same = field_hash(other) == field_hash(whole[name])
    assert changed_fields(changed) == (() if same else (name,))
    assert is_whole(changed, [name]) is same


@given(row=ROWS, text=st.text())
def test_a_text_whose_bytes_are_at_hand_has_the_hash_that_it_has_without(row, text):
    row = {**row, "document": text}
    assert hashed(row, document=text.encode()) == hashed(row)
    assert hashed(row, document=text.encode() + b" ") != hashed(row)


@given(row=ROWS, seal=st.sampled_from(["field_hashes", "hash"]), data=st.data())
def test_a_bit_in_a_seal_is_told_from_a_bit_in_a_field(row, seal, data):
    whole = sealed(row, 7, "p" * 64)
    content = bytearray(whole[seal].encode())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.sampled_from([1, 2, 4, 8, 16, 32, 64, 128]))
    turned = {**whole, seal: content.decode("utf-8", "surrogateescape")}
    assert changed_fields(turned) == (seal,)


@pytest.mark.parametrize(
    ("one", "other"), [("1", 1), ("", None), ("", b""), ("a", b"a"), (b"", None)]
)
def test_values_of_different_kinds_never_have_the_same_hash(one, other):
    assert field_hash(one) != field_hash(other)


# --- all rows ------------------------------------------------------------------------------------


def test_a_new_store_is_a_chain_of_nothing(store):
    assert store.head() == (0, GENESIS)
    found = audit(store)
    assert (found.is_good, found.records, found.hash) == (True, 0, GENESIS)


def test_records_and_decisions_stand_in_one_chain_without_a_gap(store):
    first = keep(store, "甲")
    made = store.decide(first, verdict="fail", office="耕保科", reason="占用永久基本农田")
    second = keep(store, "乙")
    seqs = store.get(first).seq, made.seq, store.get(second).seq
    assert seqs == (1, 2, 3)
    assert made.prev_hash == store.get(first).hash == made.record_hash
    assert store.get(second).prev_hash == made.hash
    found = audit(store)
    assert (found.is_good, found.records, found.decisions, found.seq) == (True, 2, 1, 3)
    assert (found.seq, found.hash) == store.head()


def test_the_answers_of_many_requests_share_a_transaction_and_follow_each_other(store):
    submissions = [Submission([Entry(document(f"{n}"))] * n, owner=f"key{n}") for n in (1, 2, 3)]
    ids = store.save_uploads(submissions)
    records = [store.get(i) for group in ids for i in group]
    assert [r.seq for r in records] == [1, 2, 3, 4, 5, 6]
    assert [r.owner for r in records] == ["key1", "key2", "key2", "key3", "key3", "key3"]
    assert audit(store).is_good


def test_the_list_of_recent_answers_can_be_that_of_one_owner(store):
    for owner in ("甲", "乙", "甲", ""):
        store.save(Entry(document(owner or "无")), owner=owner)
    assert [r.owner for r in store.recent()] == ["", "甲", "乙", "甲"]
    assert [r.owner for r in store.recent(owner="甲")] == ["甲", "甲"]
    assert [r.name for r in store.recent(1, owner="")] == ["无"]
    assert store.recent(owner="丙") == ()


@pytest.mark.parametrize("table", ["records", "decisions", "snapshots"])
@pytest.mark.parametrize("verb", ["UPDATE {0} SET {1} = '0'", "DELETE FROM {0}"])
def test_the_database_itself_refuses_to_change_or_remove_a_row(store, table, verb):
    with store.engine.begin() as connection:
        connection.execute(text("INSERT INTO snapshots VALUES ('a', 'b')"))
    store.decide(keep(store), verdict="pass", office="科", reason="理由")
    column = "sha256" if table == "snapshots" else "hash"
    with pytest.raises(Exception, match="append-only"), store.engine.begin() as connection:
        connection.execute(text(verb.format(table, column)))


def test_postgresql_refuses_to_empty_a_table(database):
    engine = open_engine(address_of(database))
    migrate(engine)
    with pytest.raises(Exception, match="append-only"), engine.begin() as connection:
        connection.execute(text("TRUNCATE records"))
    engine.dispose()


# --- many writers --------------------------------------------------------------------------------


def test_threads_write_one_unbroken_chain(store):
    with ThreadPoolExecutor(6) as pool:
        ids = list(pool.map(lambda n: keep(store, f"线程地块{n}"), range(36)))
    found = audit(store)
    assert (found.is_good, found.records, found.seq) == (True, 36, 36)
    assert len({store.get(i).hash for i in ids}) == 36


def test_processes_write_one_unbroken_chain(store):
    """As several workers do, or several servers on one PostgreSQL database."""
    store.close()
    with multiprocessing.get_context("spawn").Pool(WRITERS) as pool:
        pool.map(write_rows, [(address_text(store), EACH)] * WRITERS, chunksize=1)
    found = audit(store)
    assert found.is_good
    assert (found.records, found.decisions) == (WRITERS * EACH, WRITERS * EACH // 4)


def test_a_writer_that_is_killed_inside_its_transaction_leaves_nothing_half_done(tmp_path):
    path = tmp_path / "records.sqlite"
    store = RecordStore(path)
    keep(store, "先")
    store.close()
    code = (
        "import os, sys; sys.path.insert(0, 'tests')\n"
        "from record_world import document\n"
        "from gis.output.records import Entry, RecordStore, Submission, store as module\n"
        f"own = RecordStore({str(path)!r})\n"
        "appended = module._append\n"
        "def dies(*args):\n"
        "    appended(*args)\n"
        "    os.kill(os.getpid(), 9)\n"
        "module._append = dies\n"
        "own.save_uploads([Submission([Entry(document('半'))] * 5)])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == -9
    store = RecordStore(path)
    assert [r.name for r in store.recent()] == ["先"]
    keep(store, "后")
    assert audit(store).is_good
    store.close()


# --- what tampering leaves behind ----------------------------------------------------------------


def kinds(found):
    return {(fault.kind, fault.where) for fault in found.faults}


@pytest.fixture
def five(store):
    """A chain of five rows; the fourth is a decision."""
    ids = [keep(store, f"地块{n}") for n in range(3)]
    store.decide(ids[1], verdict="conditional", office="规划科", reason="已批复")
    keep(store, "地块3")
    return store


def test_a_row_that_was_taken_out_is_missed(five):
    run_sql(five, "DELETE FROM records WHERE seq = 2")
    assert kinds(audit(five)) == {("chain", "2")}


def test_a_decision_that_was_taken_out_is_missed(five):
    run_sql(five, "DELETE FROM decisions WHERE seq = 4")
    assert kinds(audit(five)) == {("chain", "4")}


def test_the_first_row_that_was_taken_out_is_missed(five):
    run_sql(five, "DELETE FROM records WHERE seq = 1")
    assert kinds(audit(five)) == {("chain", "1")}


def test_a_row_that_was_slipped_in_before_the_first_is_found(five):
    with five.engine.connect() as connection:
        row = connection.execute(text("SELECT * FROM records WHERE seq = 1")).first()._asdict()
    forged = sealed({**row, "id": "f" * 32}, -3, GENESIS)
    with five.engine.begin() as connection:
        connection.execute(records.insert(), forged)
    assert ("chain", "-2") in kinds(audit(five))


def test_two_rows_that_changed_places_are_found(five):
    run_sql(
        five,
        "UPDATE records SET seq = 99 WHERE seq = 1",
        "UPDATE records SET seq = 1 WHERE seq = 2",
        "UPDATE records SET seq = 2 WHERE seq = 99",
    )
    found = kinds(audit(five))
    assert {("record", "1/seq"), ("record", "2/seq"), ("chain", "1"), ("chain", "2")} <= found


def test_a_row_that_was_written_anew_with_all_its_hashes_breaks_the_link_behind_it(five):
    with five.engine.connect() as connection:
        row = connection.execute(text("SELECT * FROM records WHERE seq = 2")).first()._asdict()
    forged = sealed({**row, "verdict": "fail"}, 2, row["prev_hash"])
    changes = ", ".join(f"{k} = '{forged[k]}'" for k in ("verdict", "field_hashes", "hash"))
    run_sql(five, f"UPDATE records SET {changes} WHERE seq = 2")
    assert kinds(audit(five)) == {("chain", "3")}


def test_rows_cut_off_at_the_end_are_seen_by_the_end_that_was_noted(five):
    noted = five.head()
    run_sql(five, "DELETE FROM records WHERE seq = 5")
    found = audit(five)
    assert found.is_good
    assert (found.seq, found.hash) != noted
    assert kinds(audit(five, noted=noted)) == {("chain", "5")}


def test_an_end_that_was_noted_is_found_again_in_the_chain_that_went_on(five):
    noted = five.head()
    keep(five, "后来")
    assert audit(five, noted=noted).is_good
    assert kinds(audit(five, noted=(noted[0], "0" * 64))) == {("chain", "5")}


def test_a_changed_decision_is_named_and_not_handed_out(five):
    record = five.recent(limit=5)[2].id
    assert [d.office for d in five.decisions(record)] == ["规划科"]
    run_sql(five, "UPDATE decisions SET verdict = 'pass' WHERE seq = 4")
    assert kinds(audit(five)) == {("decision", "4/verdict")}
    with pytest.raises(StoreDamagedError):
        five.decisions(record)


def test_a_changed_record_is_neither_handed_out_nor_listed(five):
    run_sql(five, "UPDATE records SET verdict = 'fail' WHERE seq = 3")
    with five.engine.connect() as connection:
        changed = connection.execute(text("SELECT id FROM records WHERE seq = 3")).scalar()
    with pytest.raises(StoreDamagedError) as caught:
        five.get(changed)
    assert "wuqu verify" in caught.value.advice
    assert [r.name for r in five.recent()] == ["地块3", "地块1", "地块0"]


# --- decisions of officers -----------------------------------------------------------------------


def test_a_decision_stands_beside_the_answer_which_stays_as_it_was(store):
    record = keep(store)
    before = store.get(record)
    first = store.decide(record, verdict="fail", office="耕保科", reason="理由一", by="张三")
    second = store.decide(record, verdict="conditional", office="耕保科", reason="复核后同意")
    assert store.get(record) == before
    assert store.decisions(record) == (first, second)
    assert (first.decided_by, second.decided_by) == ("张三", "")
    assert first.decided_at.endswith("+00:00")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"verdict": "maybe"}, "maybe"),
        ({"verdict": "not_applicable"}, "not_applicable"),
        ({"office": "  "}, "机关"),
        ({"reason": ""}, "理由"),
        ({"reason": "一行\n两行"}, "换行"),
        ({"reason": "半个\ud800字"}, "控制字符"),
        ({"reason": "长" * 2001}, "2001"),
        ({"by": "名\0"}, "经办人"),
    ],
)
def test_a_decision_that_says_nothing_clear_is_refused_and_not_stored(store, wrong, said):
    record = keep(store)
    given = {"verdict": "pass", "office": "科", "reason": "理由", **wrong}
    with pytest.raises(ClaimError, match=said):
        store.decide(record, **given)
    assert store.decisions(record) == ()


def test_nobody_decides_on_a_record_that_is_not_there(store):
    with pytest.raises(NotFoundError):
        store.decide("0" * 32, verdict="pass", office="科", reason="理由")
