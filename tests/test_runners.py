"""Runners: every task once, a lost worker costs no result, a deadly task stops nobody else."""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
from batch_world import LIMIT_BYTES, Processes, cluster, table
from distributed import Client
from runner_jobs import Deadly, Kept, Reverse, Unstartable, Watched, begun, first_begun

from gis.batch import check_sites
from gis.batch.judging import CroppedPlan, OpenPlan, content_of
from gis.batch.reading import read_rows
from gis.batch.rows import Wishes
from gis.errors import ClaimError
from gis.plan import Plan
from gis.runners import Cluster, InProcess, ProcessPool, Runner, Task, _there

TASKS = [Task(n, f"task {n}".encode()) for n in range(12)]
WANTED = {n: f"task {n}".encode()[::-1] for n in range(12)}
COUNT, CHUNK = 48, 6


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    with cluster(tmp_path_factory.mktemp("dask"), nannies=True) as started:
        yield started


@pytest.fixture(scope="module")
def sites(plan: Plan):
    return table(plan, COUNT)


@pytest.fixture(scope="module")
def in_process(sites, plan: Plan, as_of: date):
    return check_sites(sites, plan, as_of=as_of, findings=True, chunk_size=CHUNK)


@pytest.mark.parametrize("runner", [InProcess(), ProcessPool(2)])
def test_every_task_comes_back_once(runner: Runner) -> None:
    found = [(done.number, done.result) for done in runner.run(TASKS, Reverse())]
    assert sorted(found) == sorted(WANTED.items())


@pytest.mark.parametrize("runner", [InProcess(), ProcessPool(2)])
def test_no_task_is_no_work(runner: Runner) -> None:
    assert list(runner.run([], Reverse())) == []


@pytest.mark.parametrize(("runner", "most"), [(InProcess(), 1), (ProcessPool(2), 5)])
def test_tasks_are_drawn_only_as_fast_as_they_are_worked_off(runner: Runner, most: int) -> None:
    drawn = 0

    def tasks() -> Iterator[Task]:
        nonlocal drawn
        for task in TASKS:
            drawn += 1
            yield task

    for done, _ in enumerate(runner.run(tasks(), Reverse())):
        # Two tasks for each worker, and the one that has just been handed out.
        assert drawn - done <= most


def test_a_process_that_dies_costs_no_result(tmp_path: Path) -> None:
    tasks = [*TASKS[:3], Task(50, b"once"), *TASKS[3:]]
    found = [(d.number, d.result) for d in ProcessPool(2).run(tasks, Deadly(tmp_path))]
    assert (tmp_path / "killed").exists()
    assert sorted(found) == sorted({**WANTED, 50: b"ecno"}.items())


def test_a_task_that_kills_every_process_is_handed_back_and_stops_no_other(tmp_path: Path) -> None:
    tasks = [*TASKS[:3], Task(50, b"kill"), *TASKS[3:]]
    found = [(d.number, d.result) for d in ProcessPool(2).run(tasks, Deadly(tmp_path))]
    assert sorted(found, key=lambda f: f[0]) == sorted({**WANTED, 50: None}.items())


def test_a_job_that_cannot_start_is_an_error_and_no_lost_worker() -> None:
    with pytest.raises(LookupError, match="no such plan"):
        list(ProcessPool(2).run(TASKS, Unstartable()))


def test_no_scheduler_at_the_address_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gis.runners._CONNECT_S", 1)
    with pytest.raises(ClaimError, match=r"dask 集群 tcp://127\.0\.0\.1:9") as caught:
        list(Cluster("tcp://127.0.0.1:9").run(TASKS, Reverse()))
    assert "dask scheduler" in caught.value.advice


def test_a_task_that_kills_the_workers_of_a_cluster_is_handed_back_alone(tmp_path: Path) -> None:
    # dask blames every task of a dying worker; with no failure allowed, at the first time.
    settings = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"}
    tasks = [*TASKS[:3], Task(50, b"kill"), *TASKS[3:]]
    with cluster(tmp_path, workers=3, **settings) as started:
        done = Cluster(started.address).run(tasks, Deadly(tmp_path))
        found = [(d.number, d.result) for d in done]
        ended = [worker for worker in started.workers if worker.poll() is not None]
    assert sorted(found, key=lambda f: f[0]) == sorted({**WANTED, 50: None}.items())
    assert len(ended) == 2


# --- memory --------------------------------------------------------------------------------------


def test_workers_that_are_started_as_the_readme_says_have_a_limit(
    processes: Processes, repo: Path
) -> None:
    assert "--nthreads 1 --memory-limit 4GB" in (repo / "README.md").read_text(encoding="utf-8")
    with Client(processes.address, set_as_default=False) as client:
        client.wait_for_workers(2)
        workers = client.scheduler_info()["workers"].values()
    assert [worker["memory_limit"] for worker in workers] == [LIMIT_BYTES] * 2


def test_a_task_of_many_megabytes_goes_to_a_cluster_without_a_warning(processes: Processes) -> None:
    large = Task(0, b"12" * 6_000_000)
    (done,) = Cluster(processes.address).run([large], Reverse())
    assert done.result == b"21" * 6_000_000


def test_a_worker_of_a_cluster_keeps_few_jobs_however_many_batches_it_works_for() -> None:
    for number in range(20):
        job = pickle.dumps(Kept(number))
        # The second task of a batch finds the job started.
        assert [_there(job, b""), _there(job, b"")] == [b"1", b"2"]
    assert len(Kept.alive()) <= 4


# --- the same decisions everywhere ---------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_threads_decide_the_same_byte_for_byte(
    threads: int, sites, in_process, plan, as_of
) -> None:
    rows = next(read_rows(sites, plan.crs_policy))
    chunks = [rows.rows[n : n + CHUNK] for n in range(0, COUNT, CHUNK)]
    work = OpenPlan(plan, Wishes(as_of)).start()
    contents = [content_of(chunk, [rows.origin]) for chunk in chunks]
    with ThreadPoolExecutor(threads) as pool:
        lines = b"".join(pool.map(work, contents)).decode().splitlines()
    assert len(lines) == COUNT
    for line, digest in zip(lines, in_process["digest"], strict=True):
        assert f'"digest":"{digest}"' in line


def test_a_pool_decides_the_same_byte_for_byte(sites, in_process, plan, as_of) -> None:
    found = check_sites(sites, plan, as_of=as_of, findings=True, chunk_size=CHUNK, workers=2)
    assert found.equals(in_process)


def test_a_cluster_that_loses_a_worker_with_its_task_decides_the_same_byte_for_byte(
    sites, in_process, plan, as_of, processes: Processes, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(
        "gis.batch.run.CroppedPlan", lambda wishes: Watched(CroppedPlan(wishes), tmp_path)
    )
    told: list[int] = []

    def kill_the_first(done: int, _: int) -> None:
        told.append(done)
        if len(told) == 2:  # another worker has done a chunk, the first one has its own in hand
            os.kill(first_begun(tmp_path)[1], signal.SIGKILL)

    found = check_sites(
        sites,
        plan,
        as_of=as_of,
        findings=True,
        chunk_size=CHUNK,
        dask=processes.address,
        progress=kill_the_first,
    )
    task, lost = first_begun(tmp_path)
    assert lost not in processes.nursed()
    by = begun(tmp_path)
    assert len(by) == 8
    assert sorted(len(processes_of) for processes_of in by.values()) == [1] * 7 + [2]
    assert [task for task, of in by.items() if lost in of] == [task]
    assert len(set(by[task])) == 2
    assert told == list(range(0, COUNT + 1, CHUNK))
    assert found.equals(in_process)
