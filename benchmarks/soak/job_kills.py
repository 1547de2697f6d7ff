"""Is a row lost or judged twice when the service is killed during batches?

A real service with its workers, a client that hands in batches of sites, and kill -9 for the whole
group at a moment that nobody chose: while an upload arrives, is read, is judged, is recorded; then
the same again on the same store. In the end a last service finishes what is left. Whatever batch a
client was told of must be done, with one answer and one record for each row; a batch it was not
told of is whole or not there; and the chain must verify.

Usage: ``python benchmarks/soak/job_kills.py [--kills 200] [--workers 1]``
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
REPO = HERE.parents[1]
sys.path[:0] = [str(HERE), str(HERE.parent), str(REPO / "tests")]
from dirty_package import reduced  # noqa: E402  # no folder of these is a package
from kills import RESULTS, Service  # noqa: E402 - the path is set above
from lines import keep  # noqa: E402 - the path is set above
from sqlalchemy import func, select  # noqa: E402 - the path is set above

from gis.jobs.model import JobState, Limits  # noqa: E402 - the path is set above
from gis.jobs.store import JobStore  # noqa: E402 - the path is set above
from gis.output.records import RecordStore  # noqa: E402 - the path is set above
from gis.output.records.audit import audit  # noqa: E402 - the path is set above
from gis.output.records.job_tables import job_rows, jobs  # noqa: E402 - the path is set above

AS_OF = "2026-11-22"
LAYERS = ("resort", "core", "zones", "planned_use", "green_line", "water", "roads")
_LONGEST_S = 2.0  # from the first rows that a service has judged to the kill
_PATIENCE_S = 60.0  # for these rows: a worker opens the plan first
_UNFINISHED = 6
_FINISH_S = 900.0
_AUDIT_EVERY = 25


@dataclass
class Ledger:
    """What was handed in: sites by name of the batch, and the jobs that were acknowledged.

    ``rows`` are those that the newest jobs have judged, as the client saw last.
    """

    sent: dict[str, int] = field(default_factory=dict)
    told: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    rows: int = 0


def hand_in(port: int, ledger: Ledger, number: int, seed: int) -> None:
    """Hand in batches, a few at a time, until nobody answers."""
    chance = random.Random(seed)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        for n in range(10_000):
            if _unfinished(connection, ledger) >= _UNFINISHED:
                time.sleep(0.1)
                continue
            name = f"{number}-{n}"
            sites = chance.randint(20, 90)
            ledger.sent[name] = sites
            url = f"/v1/site-checks/batch?as_of={AS_OF}&use=0803"
            kind = {"Content-Type": "application/geo+json"}
            connection.request("POST", url, _batch(chance, name, sites), kind)
            answer = connection.getresponse()
            content = answer.read()
            if answer.status == 202:
                ledger.told[json.loads(content)["id"]] = name
            else:
                ledger.faults.append(f"{answer.status}: {content[:200].decode(errors='replace')}")
    except (OSError, http.client.HTTPException, ValueError):
        return  # the service was killed
    finally:
        connection.close()


def _unfinished(connection: http.client.HTTPConnection, ledger: Ledger | None = None) -> int:
    connection.request("GET", "/v1/jobs?limit=100")
    found = json.loads(connection.getresponse().read())["jobs"]
    if ledger is not None:
        ledger.rows = sum(job["done"] for job in found)
    return sum(job["state"] in ("queued", "running") for job in found)


def _batch(chance: random.Random, name: str, sites: int) -> bytes:
    features = []
    for n in range(sites):
        x, y = 115.96 + chance.uniform(0, 0.04), 36.355 + chance.uniform(0, 0.03)
        side = 3e-4
        ring = [[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]]
        if n % 17 == 16:
            ring[1], ring[2] = ring[2], ring[1]  # cannot be judged
        shape = {"type": "Polygon", "coordinates": [ring]}
        told = {"name": f"{name}/{n}"}
        features.append({"type": "Feature", "properties": told, "geometry": shape})
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def one_kill(db: str, workers: int, ledger: Ledger, number: int, chance: random.Random) -> float:
    """Start the service, hand in batches, kill it; return how long it took to start."""
    service = Service(db, workers)
    client = threading.Thread(target=hand_in, args=(service.port, ledger, number, number))
    client.start()
    # Most kills meet workers in full work; some meet a service that takes in, or reads.
    known, until = ledger.rows, time.monotonic() + _PATIENCE_S
    while ledger.rows <= known and number % 5 and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(chance.uniform(0, _LONGEST_S))
    service.kill()
    client.join(40)
    return service.start_s


def finish(db: str, workers: int) -> None:
    """Let a service do what is left."""
    service = Service(db, workers)
    try:
        connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
        until = time.monotonic() + _FINISH_S
        while _unfinished(connection) and time.monotonic() < until:
            time.sleep(0.5)
    finally:
        service.kill()


# --- what is left --------------------------------------------------------------------------------


def faults_of(store: RecordStore, ledger: Ledger) -> Iterator[str]:
    """Yield what is wrong at any time: a broken chain, a row or a record that is there twice."""
    yield from (f"chain: {fault.message}" for fault in audit(store).faults)
    with store.engine.connect() as connection:
        known = {row.id for row in connection.execute(select(jobs.c.id))}
        recorded = connection.execute(select(job_rows.c.record_id)).scalars().all()
    own = [record for record in recorded if record]
    if len(own) != len(set(own)):
        yield "a record belongs to two rows"
    if store.head()[0] != len(own):
        yield f"{store.head()[0]} records, {len(own)} rows with a record"
    for job_id, name in ledger.told.items():
        if job_id not in known:
            yield f"acknowledged and lost: {name}"


def unfinished_of(store: RecordStore, ledger: Ledger) -> Iterator[str]:
    """Yield acknowledged jobs that did not end with one answer for each of their rows."""
    opened = JobStore(store, Limits())
    for job_id, name in ledger.told.items():
        job, sites = opened.get(job_id), ledger.sent[name]
        with store.engine.connect() as connection:
            wanted = select(func.count()).where(job_rows.c.job_id == job_id)
            rows = connection.execute(wanted).scalar_one()
        if job.state is not JobState.done or not sites == job.total == job.done == rows:
            yield f"{name}: {job.state}, {job.done} of {job.total}, {rows} rows, {sites} sites"
        bad = sum(n % 17 == 16 for n in range(sites))
        if job.counts.get("problem", 0) != bad:
            yield f"{name}: {job.counts} with {bad} rows that cannot be judged"


def killed_at_work(kills: int, workers: int = 1, seed: int = 11) -> dict[str, Any]:
    """Return what was left after so many kills during batches."""
    chance, ledger = random.Random(seed), Ledger()
    starts, faults = [], []
    with tempfile.TemporaryDirectory(prefix="job-kills") as name:
        db = str(Path(name) / "records.sqlite")
        os.environ["WUQU_PLAN"] = str(reduced(REPO / "data", Path(name) / "plan", LAYERS))
        for number in range(1, kills + 1):
            starts.append(one_kill(db, workers, ledger, number, chance))
            if number % _AUDIT_EVERY == 0:
                store = RecordStore(db)
                faults += faults_of(store, ledger)
                told = f"{number} kills, {len(ledger.told)} jobs, {store.head()[0]} records"
                sys.stderr.write(f"{told}, {faults[:3]}\n")
                store.close()
        finish(db, workers)
        store = RecordStore(db)
        faults += [*faults_of(store, ledger), *unfinished_of(store, ledger)]
        records = store.head()[0]
        store.close()
    return {
        "what": "kills during batches",
        "store": "sqlite",
        "workers": workers,
        "kills": kills,
        "jobs_sent": len(ledger.sent),
        "jobs_acknowledged": len(ledger.told),
        "rows_acknowledged": sum(ledger.sent[name] for name in ledger.told.values()),
        "records_kept": records,
        "start_s_p50": round(statistics.median(starts), 2),
        "start_s_max": round(max(starts), 2),
        "load": round(os.getloadavg()[1], 1),
        "failures": (faults + ledger.faults)[:20],
    }


def main() -> None:
    """Run, keep the line, and fail when anything was lost or done twice."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    row = killed_at_work(options.kills, options.workers)
    keep(row, RESULTS)
    sys.exit(1 if row["failures"] else 0)


if __name__ == "__main__":
    main()
