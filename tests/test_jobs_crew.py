"""The crew: places, what a dead worker leaves behind, workers that cannot start or that die."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from dataclasses import replace

import pytest
from filelock import FileLock
from job_world import collection, world
from waiting import until

from gis.jobs.crew import Crew
from gis.jobs.model import CHUNK, JobState, Limits
from gis.jobs.worker import Orders, work
from gis.plan import load_plan


@pytest.fixture(scope="module")
def small(clean):
    return load_plan(clean)


@pytest.fixture
def here(tmp_path, small):
    made = world(tmp_path, small)
    made.bench.root.mkdir()
    yield made
    made.store.records.close()


def orders(here, clean, **more) -> Orders:
    return Orders(
        db=here.store.records.address.url.render_as_string(hide_password=False),
        root=str(here.bench.root),
        plan=str(clean),
        place="",
        limits=here.store.limits,
        **more,
    )


@pytest.fixture
def stand_in(monkeypatch):
    """Workers that do nothing but what they are told: wait for their end, or end with a code."""

    def use(program: str = "import sys; sys.stdin.read()") -> list[subprocess.Popen[bytes]]:
        started: list[subprocess.Popen[bytes]] = []

        def start(told: Orders) -> subprocess.Popen[bytes]:
            del told
            pipes = {"stdin": subprocess.PIPE, "stderr": subprocess.DEVNULL}
            started.append(subprocess.Popen([sys.executable, "-c", program], **pipes))
            return started[-1]

        monkeypatch.setattr(Crew, "_started", staticmethod(start))
        return started

    return use


def test_what_a_dead_worker_had_in_hands_is_free_as_soon_as_a_crew_begins(here, clean) -> None:
    here.submit(collection(1))
    crew = Crew(here.store, orders(here, clean), 2)
    assert here.store.claim(f"{crew._place(2)}/dead") is not None
    assert not here.store.has_work()
    crew._clear_places()
    assert here.store.has_work()


def test_what_a_living_worker_of_another_process_has_in_hands_stays_its_own(here, clean) -> None:
    here.submit(collection(1))
    crew = Crew(here.store, orders(here, clean), 1)
    task = here.store.claim(f"{crew._place(1)}/alive")
    with FileLock(here.bench.root / "worker-1.lock"):
        crew._clear_places()
    here.store.renew(task)


def test_two_crews_never_have_more_workers_than_places(here, clean, stand_in) -> None:
    started = stand_in()
    here.submit(collection(1))
    crews = [Crew(here.store, orders(here, clean), 2) for _ in range(2)]
    for _ in range(3):
        for crew in crews:
            crew._look()
    assert len(started) == 2
    assert sorted(len(crew.pids()) for crew in crews) == [0, 2] or [
        len(crew.pids()) for crew in crews
    ] == [1, 1]
    for crew in crews:
        crew._ending = True
        for member in crew._members:
            member.process.stdin.close()
            member.process.wait(30)
            member.lock.release()


def test_nobody_is_started_while_there_is_nothing_to_do(here, clean, stand_in) -> None:
    started = stand_in()
    Crew(here.store, orders(here, clean), 1)._look()
    assert started == []


def test_a_service_without_workers_takes_jobs_in_and_starts_nobody(here, clean, stand_in) -> None:
    started = stand_in()
    here.submit(collection(1))
    crew = Crew(here.store, orders(here, clean), 0)
    crew.start()
    crew.stop()
    assert started == []
    assert here.store.has_work()


@pytest.mark.parametrize(("code", "blamed"), [(1, 1), (-9, 1), (0, 0), (3, 0)])
def test_only_a_worker_that_died_over_its_piece_counts_against_it(
    here, clean, stand_in, code, blamed
) -> None:
    end = "import os; os.kill(os.getpid(), 9)" if code < 0 else f"raise SystemExit({code})"
    stand_in(end)
    here.submit(collection(1))
    crew = Crew(here.store, orders(here, clean), 1)
    crew._look()
    task = here.store.claim(f"{crew._place(1)}/x")
    until(lambda: crew._members[0].process.poll() is not None)
    crew._bury()
    assert crew.pids() == []
    crew._clear_places()
    again = here.store.claim("other:1/y")
    assert (again.n, again.attempts) == (task.n, blamed)
    with FileLock(here.bench.root / "worker-1.lock", timeout=0):
        pass


def test_a_worker_does_a_job_and_ends_when_nothing_is_left(here, clean) -> None:
    job = here.submit(collection(CHUNK + 2, bad=(1,)))
    told = replace(orders(here, clean), place="here:1", idle_s=0.5)
    work(told, threading.Event())
    done = here.store.get(job.id)
    assert (done.state, done.done, done.counts["problem"]) == (JobState.done, CHUNK + 2, 1)


def test_orders_are_one_line_and_come_back_as_they_were(here, clean) -> None:
    told = replace(orders(here, clean, ceiling="internal"), limits=Limits(days=3), db="a\nb")
    line = told.to_line()
    assert line.count(b"\n") == 1
    assert Orders.from_line(line) == told
    assert json.loads(line)["limits"]["days"] == 3


def test_what_a_worker_says_stands_in_the_log_of_the_service(here, clean, caplog) -> None:
    here.submit(collection(1))
    crew = Crew(here.store, replace(orders(here, clean), plan="/nowhere/at/all"), 1)
    with caplog.at_level(logging.WARNING, logger="wuqu"):
        crew._look()
        until(lambda: crew._members[0].process.poll() is not None)
        until(lambda: "cannot start" in caplog.text)
        crew._bury()
    # It is not started again at once, and nothing is counted against the piece.
    crew._look()
    assert crew.pids() == []
    assert here.store.claim("other:1/y").attempts == 0
