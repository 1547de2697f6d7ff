"""The store of jobs: leases, one answer a row, cancelling, expiry, on SQLite and PostgreSQL."""

from __future__ import annotations

import threading

import pytest
from job_world import ME, Clock, collection, world
from sqlalchemy import func, select

from gis.errors import NotFoundError, QueueFullError, StoreFullError, StoreLockedError
from gis.jobs.model import CHUNK, JobState, TaskKind
from gis.jobs.statements import LostLeaseError
from gis.jobs.store import LEASE_MS, JobStore
from gis.output.records import Entry, Submission
from gis.output.records.address import address_of
from gis.output.records.audit import audit
from gis.output.records.engines import open_engine
from gis.output.records.job_tables import job_rows, job_tasks
from gis.output.records.schema import migrate
from gis.plan import load_plan

OTHER = "here:2/two"


@pytest.fixture(scope="module")
def small(clean):
    return load_plan(clean)


@pytest.fixture
def here(tmp_path, small):
    made = world(tmp_path, small)
    yield made
    made.store.records.close()


def document(name: str) -> dict:
    return {
        "id": "x",
        "verdict": "pass",
        "digest": "d" * 64,
        "site": {"name": name, "source": {"sha256": "a" * 64}},
        "plan": {"id": "p", "version": "1"},
    }


def answers_of(task) -> list[dict]:
    return [{"row": n, "verdict": "pass", "entry": True} for n in range(task.first, task.last)]


def entries_of(task) -> Submission:
    return Submission([Entry(document(f"s{n}")) for n in range(task.first, task.last)], "a" * 64)


def laid_down(here, total: int, **more):
    """A job whose rows are laid down, without reading anything."""
    job = here.submit(b"{}", **more)
    task = here.store.claim(ME)
    while task.job_id != job.id:
        task = here.store.claim(ME)
    here.store.read(task, total, here.bench.plans.in_force().package)
    return here.store.get(job.id)


def judge(here, task) -> bool:
    return here.store.judged(task, answers_of(task), entries_of(task))


def count(here, table, **wanted) -> int:
    query = select(func.count()).select_from(table)
    for name, value in wanted.items():
        query = query.where(table.c[name] == value)
    with here.store.records.engine.connect() as connection:
        return connection.execute(query).scalar_one()


# --- from the first piece to the last ------------------------------------------------------------


def test_a_new_job_waits_and_its_upload_is_on_disk(here) -> None:
    job = here.submit(b"abc", name="a.txt")
    assert (job.state, job.total, job.done, job.name) == (JobState.queued, None, 0, "a.txt")
    assert (here.bench.root / job.id / "upload.bin").read_bytes() == b"abc"
    assert here.store.has_work()


def test_an_upload_that_cannot_be_kept_leaves_no_job(here) -> None:
    def full(_: str) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(StoreFullError, match="空间已满"):
        here.store.create(
            owner="",
            request_id="",
            name="",
            upload_sha256="",
            options=here.submit(b"x").options,
            plan=("a", "b", "c"),
            keep=full,
        )
    assert len(here.store.recent()) == 1


def test_pieces_are_handed_out_once_and_the_last_one_ends_the_job(here) -> None:
    job = laid_down(here, CHUNK + 1)
    first, second = here.store.claim(ME), here.store.claim(OTHER)
    assert (first.first, first.last, second.first, second.last) == (0, CHUNK, CHUNK, CHUNK + 1)
    assert here.store.claim(OTHER) is None
    assert not judge(here, second)
    assert here.store.get(job.id).done == 1
    assert judge(here, first)
    ended = here.store.get(job.id)
    assert (ended.state, ended.done, ended.counts) == (JobState.done, 26, {"pass": 26})
    assert ended.expires_ms == here.clock.ms + 30 * 86_400_000
    records = {a["record_id"] for a in here.answers(job)}
    assert len(records) == 26
    assert {here.store.records.get(r).id for r in records} == records


def test_an_answer_has_the_record_of_its_own_row(here) -> None:
    job = laid_down(here, 3)
    task = here.store.claim(ME)
    answers = answers_of(task)
    answers[1] = {"row": 1, "problem": ["geometry", "…"], "entry": False}
    here.store.judged(task, answers, Submission([Entry(document(n)) for n in ("s0", "s2")], ""))
    found = here.answers(job)
    assert found[1]["record_id"] is None
    names = [here.store.records.get(found[n]["record_id"]).name for n in (0, 2)]
    assert names == ["s0", "s2"]
    assert here.store.get(job.id).counts == {"pass": 2, "problem": 1}
    assert [p["row"] for p in here.store.problems(job.id, 10)] == [1]


# --- leases --------------------------------------------------------------------------------------


def test_a_lease_that_ran_out_goes_to_another_and_the_first_holder_keeps_nothing(here) -> None:
    job = laid_down(here, 2)
    late = here.store.claim(ME)
    here.clock.ms += LEASE_MS + 1
    taken = here.store.claim(OTHER)
    assert (taken.n, taken.holder) == (late.n, OTHER)
    with pytest.raises(LostLeaseError):
        judge(here, late)
    with pytest.raises(LostLeaseError):
        here.store.renew(late)
    assert here.store.records.head()[0] == 0
    judge(here, taken)
    assert here.store.records.head()[0] == 2
    assert count(here, job_rows, job_id=job.id) == 2


def test_a_renewed_lease_stays_with_its_holder(here) -> None:
    laid_down(here, 2)
    task = here.store.claim(ME)
    for _ in range(5):
        here.clock.ms += LEASE_MS - 1
        here.store.renew(task)
        assert here.store.claim(OTHER) is None
    judge(here, task)


def test_a_piece_is_kept_once_however_often_it_is_handed_in(here) -> None:
    laid_down(here, 2)
    task = here.store.claim(ME)
    judge(here, task)
    with pytest.raises(LostLeaseError):
        judge(here, task)
    assert here.store.records.head()[0] == 2


def test_who_takes_a_place_frees_what_its_former_holder_had_and_nothing_else(here) -> None:
    laid_down(here, 2 * CHUNK)
    mine, others = here.store.claim(ME), here.store.claim(OTHER)
    here.store.take_over("here:1")
    again = here.store.claim("here:1/three")
    assert (again.n, again.attempts) == (mine.n, 0)
    with pytest.raises(LostLeaseError):
        judge(here, mine)
    here.store.renew(others)


def test_a_place_whose_name_begins_alike_is_another_one(here) -> None:
    laid_down(here, 1)
    task = here.store.claim("here:11/x")
    here.store.take_over("here:1")
    here.store.take_over("here%")
    here.store.renew(task)


def test_a_worker_that_dies_over_a_piece_is_counted_against_it(here) -> None:
    laid_down(here, 2)
    for attempts in range(3):
        assert here.store.claim(ME).attempts == attempts
        here.store.blame("here:1")


def test_rows_that_are_split_are_handed_out_one_by_one(here) -> None:
    job = laid_down(here, 3)
    here.store.split(here.store.claim(ME))
    pieces = [here.store.claim(ME) for _ in range(3)]
    assert [(p.first, p.last) for p in pieces] == [(0, 1), (1, 2), (2, 3)]
    assert [judge(here, p) for p in pieces] == [False, False, True]
    assert here.store.get(job.id).state is JobState.done


def test_a_piece_that_is_put_back_waits_for_its_time(here) -> None:
    laid_down(here, 2)
    here.store.give_back(here.store.claim(ME), after_ms=5000)
    assert here.store.claim(ME) is None
    assert not here.store.has_work()
    here.clock.ms += 5000
    assert here.store.claim(ME) is not None


def test_two_threads_never_hold_one_piece(here) -> None:
    laid_down(here, 40 * CHUNK)
    found: list[int] = []

    def take(name: str) -> None:
        while (task := here.store.claim(name)) is not None:
            found.append(task.n)

    threads = [threading.Thread(target=take, args=(f"here:{n}/x",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(found) == list(range(40))


# --- cancelling and failing ----------------------------------------------------------------------


def test_a_cancelled_job_takes_no_more_answers_and_keeps_those_it_has(here) -> None:
    job = laid_down(here, 3 * CHUNK)
    judge(here, here.store.claim(ME))
    under_way = here.store.claim(ME)
    assert here.store.cancel(job.id).state is JobState.cancelled
    with pytest.raises(LostLeaseError):
        here.store.renew(under_way)
    with pytest.raises(LostLeaseError):
        judge(here, under_way)
    assert here.store.claim(ME) is None
    assert (here.store.get(job.id).done, here.store.records.head()[0]) == (CHUNK, CHUNK)


def test_cancelling_twice_or_after_the_end_changes_nothing(here) -> None:
    job = laid_down(here, 1)
    judge(here, here.store.claim(ME))
    done = here.store.get(job.id)
    assert here.store.cancel(job.id) == done
    other = here.store.cancel(here.submit(b"x").id)
    here.clock.ms += 1000
    assert here.store.cancel(other.id) == other
    with pytest.raises(NotFoundError):
        here.store.cancel("0" * 32)


def test_a_job_that_failed_says_why_and_is_not_worked_on(here) -> None:
    job = here.submit(b"x")
    here.store.fail(here.store.claim(ME), {"code": "format", "detail": "…"})
    failed = here.store.get(job.id)
    assert (failed.state, failed.error["code"]) == (JobState.failed, "format")
    assert here.store.claim(ME) is None


# --- limits and order ----------------------------------------------------------------------------


def test_a_user_with_too_many_unfinished_jobs_is_sent_away_and_others_are_not(
    tmp_path, small
) -> None:
    here = world(tmp_path, small, queued=2)
    jobs = [here.submit(b"x") for _ in range(2)]
    with pytest.raises(QueueFullError):
        here.submit(b"x")
    here.submit(b"x", owner="key:b")
    here.store.cancel(jobs[0].id)
    here.submit(b"x")
    assert len(list(here.bench.root.iterdir())) == 4


def test_jobs_are_listed_newest_first_and_by_owner(here) -> None:
    for n, owner in enumerate(("key:a", "key:b", "key:a")):
        here.clock.ms += 1000
        here.submit(b"x", name=str(n), owner=owner)
    assert [j.name for j in here.store.recent()] == ["2", "1", "0"]
    assert [j.name for j in here.store.recent(owner="key:a")] == ["2", "0"]
    assert [j.name for j in here.store.recent(1)] == ["2"]


def test_every_change_has_a_number_of_its_own(here) -> None:
    job = laid_down(here, 2 * CHUNK)
    versions = [job.version]
    for _ in range(2):
        judge(here, here.store.claim(ME))
        versions.append(here.store.get(job.id).version)
    assert versions == sorted(set(versions))


def test_the_pace_is_that_of_the_last_minutes(here) -> None:
    job = laid_down(here, 4 * CHUNK)
    here.clock.ms += 10_000
    judge(here, here.store.claim(ME))
    assert here.store.get(job.id).per_minute == 6 * CHUNK
    here.clock.ms += 110_000
    judge(here, here.store.claim(ME))
    here.clock.ms += 60_000
    judge(here, here.store.claim(ME))
    assert here.store.get(job.id).per_minute == CHUNK


# --- results and expiry --------------------------------------------------------------------------


def test_a_result_is_one_piece_of_work_however_many_ask_for_it(here) -> None:
    job = laid_down(here, 1)
    judge(here, here.store.claim(ME))
    for _ in range(3):
        assert here.store.want(job.id, TaskKind.csv).state == "waiting"
    task = here.store.claim(ME)
    here.store.advance(task, 2, 5)
    assert here.store.want(job.id, TaskKind.csv).done == 2
    here.store.made(task)
    assert here.store.want(job.id, TaskKind.csv).state == "done"
    assert here.store.claim(ME) is None
    # Its file has gone: somebody cleaned up.
    assert here.store.want(job.id, TaskKind.csv, anew=True).state == "waiting"


def test_what_is_over_its_time_is_forgotten_and_its_records_stay(here) -> None:
    job = laid_down(here, 2)
    judge(here, here.store.claim(ME))
    removed: list[str] = []
    here.clock.ms += 30 * 86_400_000 - 1
    assert here.store.purge(removed.append) == 0
    assert not here.store.get(job.id).is_expired(here.clock.ms)
    record = here.answers(job)[0]["record_id"]
    here.clock.ms += 1
    assert here.store.get(job.id).is_expired(here.clock.ms)
    assert here.store.purge(removed.append) == 1
    assert removed == [job.id]
    assert here.answers(job) == []
    assert count(here, job_tasks) == 0
    assert here.store.records.get(record).id == record
    assert here.store.get(job.id).purged
    assert here.store.purge(removed.append) == 0


def test_an_unfinished_job_is_never_forgotten(here) -> None:
    here.submit(b"x")
    here.clock.ms += 10 * 365 * 86_400_000
    assert here.store.purge(lambda _: pytest.fail("removed")) == 0


# --- a bad day -----------------------------------------------------------------------------------


def test_a_store_that_another_program_holds_keeps_nothing_and_loses_nothing(
    here, monkeypatch
) -> None:
    import sqlite3

    job = laid_down(here, 2)
    task = here.store.claim(ME)
    holder = sqlite3.connect(here.store.records.address.file, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    monkeypatch.setattr("gis.output.records.engines.WAIT_S", 0.1)
    quick = world_on(here)
    with pytest.raises(StoreLockedError):
        quick.judged(task, answers_of(task), entries_of(task))
    holder.execute("ROLLBACK")
    holder.close()
    judge(here, task)
    assert here.store.get(job.id).done == 2
    quick.records.close()


def world_on(here) -> JobStore:
    """The same store opened once more."""
    from gis.output.records import RecordStore

    records = RecordStore(here.store.records.address)
    return JobStore(records, here.store.limits, now=here.clock)


def test_jobs_and_records_lie_in_one_postgresql_database(tmp_path, small, database) -> None:
    engine = open_engine(address_of(database))
    migrate(engine)
    engine.dispose()
    here = world(tmp_path, small, db=database)
    job = here.submit(collection(3, bad=(1,)))
    here.finish()
    done = here.store.get(job.id)
    assert (done.state, done.done, done.counts["problem"]) == (JobState.done, 3, 1)
    late = laid_down(here, 2)
    task = here.store.claim(ME)
    here.clock.ms += LEASE_MS + 1
    taken = here.store.claim(OTHER)
    with pytest.raises(LostLeaseError):
        judge(here, task)
    judge(here, taken)
    assert here.store.get(late.id).state is JobState.done
    assert audit(here.store.records).records == 4
    assert here.store.want(job.id, TaskKind.csv) == here.store.want(job.id, TaskKind.csv)
    here.store.records.close()


def test_the_clock_of_the_store_is_that_of_the_machine() -> None:
    import time

    from gis.jobs.store import now_ms

    assert abs(now_ms() / 1000 - time.time()) < 5
    assert Clock()() > 0


# --- numbers -------------------------------------------------------------------------------------


def test_numbers_tell_jobs_by_state_rows_pace_and_how_long_the_oldest_waits(here):
    nothing = here.store.numbers()
    assert set(nothing.states) == set(JobState)
    assert (*nothing.states.values(), nothing.rows, nothing.rows_per_s) == (0,) * 7
    assert nothing.oldest_queued_s == 0
    laid_down(here, 2 * CHUNK)
    here.clock.ms += 10_000
    judge(here, here.store.claim(ME))
    running = here.store.numbers()
    assert running.states[JobState.running] == 1
    assert running.rows == CHUNK
    assert running.rows_per_s == pytest.approx(CHUNK / 10, abs=0.05)  # kept by the minute
    assert running.oldest_queued_s == 0  # it has begun
    judge(here, here.store.claim(ME))
    gone, waits = (here.submit(b"{}", owner=f"key:{n}") for n in range(2))
    here.clock.ms += 4_500
    here.store.cancel(gone.id)
    here.submit(b"{}", owner="key:2")
    here.clock.ms += 1_000
    found = here.store.numbers()
    assert found.states == {
        JobState.queued: 2,
        JobState.running: 0,
        JobState.done: 1,
        JobState.cancelled: 1,
        JobState.failed: 0,
    }
    assert (found.rows, found.rows_per_s, found.oldest_queued_s) == (2 * CHUNK, 0, 5.5)
    task = here.store.claim(ME)
    assert task.job_id == waits.id
    here.store.fail(task, {"code": "x"})
    assert here.store.numbers().states[JobState.failed] == 1
