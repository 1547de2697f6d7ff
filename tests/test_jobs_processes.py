"""Jobs on a real service: killed and begun again, shared, cancelled, followed, stopped."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
from child_processes import children_of
from job_world import AS_OF, collection
from running_service import STOP_S, running
from waiting import PATIENCE, WAIT_S, until

from gis.batch import check_sites
from gis.output.records import RecordStore
from gis.output.records.audit import audit
from gis.plan import load_plan

LINUX_ONLY = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
BATCH = f"/v1/site-checks/batch?as_of={AS_OF.isoformat()}"
COUNT = 130
# So many that a client can leave and come back before they are done.
MANY = 500


def submit(service, content: bytes, **headers: str) -> str:
    """Hand in a job and return its address."""
    answer = service.post(BATCH, content, **headers)
    assert answer.status_code == 202, answer.text
    return answer.headers["location"]


def state_of(service, place: str) -> dict[str, Any]:
    return service.get(place).json()


def finished(service, place: str) -> dict[str, Any]:
    return until(
        lambda: (job := state_of(service, place))["state"] not in ("queued", "running") and job
    )


def table_of(service, place: str) -> list[dict[str, Any]]:
    """The rows of a finished job."""
    answer = until(
        lambda: (got := service.get(f"{place}/results.geojson")).status_code == 200 and got
    )
    return [feature["properties"] for feature in answer.json()["features"]]


def workers_of(pid: int) -> list[int]:
    """Process ids of the workers of the jobs below a process."""
    found: list[int] = []
    for child in children_of(pid):
        found += workers_of(child)
        with suppress(FileNotFoundError):  # gone while it was looked at
            if b"gis.jobs.worker" in Path(f"/proc/{child}/cmdline").read_bytes():
                found.append(child)
    return found


@pytest.fixture(scope="module")
def expected(clean, tmp_path_factory) -> list[tuple[str, str]]:
    """Verdict and digest of every row, as a batch of the command line gives them."""
    path = tmp_path_factory.mktemp("batch") / "sites.geojson"
    path.write_bytes(collection(COUNT, bad=(50,)))
    batch = check_sites(path, load_plan(clean), as_of=AS_OF)
    return list(zip(batch["verdict"].fillna(""), batch["digest"].fillna(""), strict=True))


def test_a_service_that_is_killed_again_and_again_ends_with_what_a_batch_gives(
    tmp_path, clean, expected
) -> None:
    place = ""
    # Before the upload is read, and in the middle of the rows; the long runs do it by chance.
    for least in (None, 25):
        environment = {"WUQU_JOB_WORKERS": "0"} if least is None else {}
        with running(tmp_path, "--plan", str(clean), **environment) as service:
            place = place or submit(service, collection(COUNT, bad=(50,)))
            if least is not None:
                until(lambda: state_of(service, place)["done"] >= least)  # noqa: B023 - asked before the loop goes on
            service.process.kill()
            service.process.wait()
    with running(tmp_path, "--plan", str(clean)) as service:
        job = finished(service, place)
        rows = table_of(service, place)
    assert (job["state"], job["done"], job["counts"]["problem"]) == ("done", COUNT, 1)
    assert [(row["verdict"] or "", row["digest"] or "") for row in rows] == expected
    records = [row["record_id"] for row in rows if row["record_id"]]
    assert len(set(records)) == COUNT - 1
    store = RecordStore(tmp_path / "records.sqlite")
    found = audit(store)
    assert (found.is_good, found.records) == (True, COUNT - 1)
    store.close()


@pytest.fixture(scope="module")
def several(tmp_path_factory, clean) -> Iterator[Any]:
    """Two processes that answer and two that work."""
    folder = tmp_path_factory.mktemp("several")
    words = ("--workers", "2", "--plan", str(clean))
    with running(folder, *words, WUQU_JOB_WORKERS="2") as service:
        service.folder = folder
        yield service


@LINUX_ONLY
def test_two_workers_share_a_job_and_one_that_dies_is_replaced(several, expected) -> None:
    # So much that the second has something to do when it has started.
    places = [submit(several, collection(COUNT, bad=(50,))) for _ in range(6)]
    both = until(lambda: len(found := workers_of(several.process.pid)) == 2 and found)
    until(lambda: any(state_of(several, place)["done"] for place in places))
    os.kill(both[0], signal.SIGKILL)
    records: list[str] = []
    for place in places:
        job = finished(several, place)
        rows = table_of(several, place)
        assert (job["state"], job["done"]) == ("done", COUNT)
        assert [(row["verdict"] or "", row["digest"] or "") for row in rows] == expected
        records += [row["record_id"] for row in rows if row["record_id"]]
    assert len(set(records)) == len(records) == 6 * (COUNT - 1)
    # Never more than there are places, whoever starts them.
    assert len(workers_of(several.process.pid)) <= 2


def events(answer) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Event, id and data, read line by line as they come."""
    found: dict[str, str] = {}
    for line in answer.iter_lines():
        if line:
            name, _, value = line.partition(": ")
            found[name] = value
        elif "data" in found:
            yield found["event"], found["id"], json.loads(found["data"])
            found = {}


def test_a_client_follows_a_job_by_its_events_over_a_lost_connection(several) -> None:
    place = submit(several, collection(MANY))
    with httpx2.stream("GET", f"{several.url}{place}/events", timeout=WAIT_S * PATIENCE) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        # The first one: a fast machine tells of no other before the last.
        last = next(number for _, number, _ in events(answer))
    sent = {"Last-Event-ID": last}
    with httpx2.stream(
        "GET", f"{several.url}{place}/events", headers=sent, timeout=WAIT_S * PATIENCE
    ) as answer:
        rest = list(events(answer))
    assert all(int(number) > int(last) for _, number, _ in rest)
    kind, number, final = rest[-1]
    assert (kind, final["state"], final["done"]) == ("state", "done", MANY)
    assert [told["done"] for _, _, told in rest] == sorted(told["done"] for _, _, told in rest)
    assert several.get(f"{place}/events", **{"Last-Event-ID": number}).status_code == 204


def test_a_cancelled_job_stops_within_seconds(several) -> None:
    place = submit(several, collection(2000))
    until(lambda: state_of(several, place)["done"])
    begun = time.monotonic()
    answer = httpx2.post(f"{several.url}{place}/cancel", timeout=30)
    assert answer.json()["state"] == "cancelled"
    small = submit(several, collection(1))
    assert finished(several, small)["state"] == "done"
    assert time.monotonic() - begun < 5 * PATIENCE
    assert state_of(several, place)["done"] == answer.json()["done"]


def test_single_checks_go_on_while_a_job_is_worked_on(several) -> None:
    place = submit(several, collection(1500))
    until(lambda: state_of(several, place)["done"])
    site = json.loads(collection(1))["features"][0]
    took: list[float] = []
    while len(took) < 20 and state_of(several, place)["state"] == "running":
        begun = time.monotonic()
        answer = several.post("/v1/site-checks?remedies=false", json.dumps(site))
        took.append(time.monotonic() - begun)
        assert answer.status_code == 200
    assert took
    assert sorted(took)[len(took) // 2] < 1.0 * PATIENCE
    assert httpx2.post(f"{several.url}{place}/cancel", timeout=30).status_code == 200


@LINUX_ONLY
def test_the_end_of_the_service_leaves_no_worker_behind(several) -> None:
    place = submit(several, collection(500))
    until(lambda: state_of(several, place)["done"])
    workers = workers_of(several.process.pid)
    assert workers
    with httpx2.stream("GET", f"{several.url}{place}/events", timeout=WAIT_S * PATIENCE) as answer:
        following = events(answer)
        assert next(following)[2]["state"] == "running"
        # Streams end too, instead of being waited for; a client comes again by itself.
        assert several.stop() < STOP_S
        assert all(told["state"] == "running" for _, _, told in following)
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))
    store = RecordStore(several.folder / "records.sqlite")
    assert audit(store).is_good
    store.close()
