"""Is anything lost when the service is killed? kill -9 at random moments, while clients record.

A real service process with its workers, several clients that send uploads of one to three sites,
and SIGKILL for the whole group at a moment that nobody chose; then the same again on the same
store. Whatever a client was told must be there, byte for byte; of what it was not told, a whole
upload or nothing; and the chain must verify. Other kinds of traffic are further functions in
``TRAFFIC``.

Usage: ``python benchmarks/soak/kills.py [--kills 200] [--store sqlite|postgresql] [--workers 2]``
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
REPO = HERE.parents[1]
sys.path[:0] = [str(HERE.parent), str(REPO / "tests")]
from lines import keep  # noqa: E402  # neither folder is a package
from postgres_server import server  # noqa: E402 - the path is set above
from sqlalchemy import text  # noqa: E402 - the path is set above

import gis  # noqa: E402 - the path is set above
from gis.output.records import RecordStore, address_of  # noqa: E402 - the path is set above
from gis.output.records.audit import audit  # noqa: E402 - the path is set above
from gis.output.records.engines import open_engine  # noqa: E402 - the path is set above
from gis.output.records.schema import migrate  # noqa: E402 - the path is set above
from gis.output.records.verify import Outcome, verify_record  # noqa: E402 - the path is set above

RESULTS = REPO / "benchmarks" / "results" / "kills.jsonl"
AS_OF = "2026-11-22"
CLIENTS = 4
_START_S = 180.0
_LONGEST_S = 1.0  # from the first answer to the kill
_AUDIT_EVERY = 25
# Over the time of a request, too many at once, no room: an answer without a verdict.
_REFUSALS = {413, 429, 503, 507}
_REPLAYED = 50


@dataclass
class Ledger:
    """What clients sent and what they were told, by the hash of the upload.

    ``told`` holds id and digest of every site of an upload that was answered; what was ``refused``
    because the machine was too slow or too busy must have left nothing.
    """

    sent: dict[str, int] = field(default_factory=dict)
    told: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)


# --- the service ---------------------------------------------------------------------------------


class Service:
    """One group of processes: the service with its workers."""

    def __init__(self, db: str, workers: int) -> None:
        self.port = _free_port()
        environment = {**os.environ, "WUQU_DB": db, "PYTHONPATH": str(REPO)}
        words = [sys.executable, "-m", "gis.cli", "serve", "--port", str(self.port)]
        begun = time.monotonic()
        # A group of its own, so that the kill meets the workers and nobody else.
        self._process = subprocess.Popen(
            [*words, "--workers", str(workers)],
            env=environment, cwd=REPO, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            self._await_start()
        except BaseException:
            self.kill()
            raise
        self.start_s = time.monotonic() - begun

    def _await_start(self) -> None:
        until = time.monotonic() + _START_S
        while time.monotonic() < until:
            if self._process.poll() is not None:
                raise RuntimeError(f"the service ended with {self._process.returncode}")
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                connection.request("GET", "/readyz")
                if connection.getresponse().status == 200:
                    return
            except OSError:
                time.sleep(0.05)
            finally:
                connection.close()
        raise RuntimeError("the service did not start")

    def kill(self) -> None:
        """End every process of the group at once; none of them can do anything about it."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# --- the clients ---------------------------------------------------------------------------------


def single_uploads(port: int, ledger: Ledger, name: str, seed: int) -> None:
    """Send uploads of one to three sites, one after the other, until nobody answers."""
    chance = random.Random(seed)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    url = f"/v1/site-checks?as_of={AS_OF}&use=0803&which=all&geometry=false&remedies=false"
    try:
        for number in range(100_000):
            body, count = _upload(chance, f"{name}-{number}")
            key = hashlib.sha256(body).hexdigest()
            ledger.sent[key] = count
            connection.request("POST", url, body, {"Content-Type": "application/geo+json"})
            answer = connection.getresponse()
            content = answer.read()
            if answer.status in _REFUSALS:
                ledger.refused.add(key)
                continue
            if answer.status != 200:
                ledger.faults.append(f"{answer.status}: {content[:200].decode(errors='replace')}")
                continue
            checks = json.loads(content)["checks"]
            ledger.told[key] = [(check["id"], check["digest"]) for check in checks]
    except (OSError, http.client.HTTPException, ValueError):
        return  # the service was killed
    finally:
        connection.close()


def _upload(chance: random.Random, name: str) -> tuple[bytes, int]:
    features = []
    for number in range(chance.choice((1, 1, 2, 3))):
        x, y = 115.97 + chance.uniform(0, 0.03), 36.365 + chance.uniform(0, 0.02)
        side = 4e-4
        ring = [[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]]
        shape = {"type": "Polygon", "coordinates": [ring]}
        told = {"name": f"{name}-{number}"}
        features.append({"type": "Feature", "properties": told, "geometry": shape})
    whole = {"type": "FeatureCollection", "features": features}
    return json.dumps(whole).encode(), len(features)


# How clients keep a service busy: port, ledger, a name of their own, a seed.
TRAFFIC: tuple[Callable[[int, Ledger, str, int], None], ...] = (single_uploads,)


def one_kill(db: str, workers: int, ledger: Ledger, number: int, chance: random.Random) -> float:
    """Start the service, keep it busy, kill it; return how long it took to start."""
    service = Service(db, workers)
    known = len(ledger.told)
    clients = [
        threading.Thread(target=TRAFFIC[n % len(TRAFFIC)], args=(service.port, ledger, name, seed))
        for n in range(CLIENTS)
        for name, seed in [(f"{number}-{n}", number * 1000 + n)]
    ]
    for client in clients:
        client.start()
    # Most kills meet a service in full work, some its first transaction.
    until = time.monotonic() + 20
    while len(ledger.told) == known and number % 5 and time.monotonic() < until:
        time.sleep(0.001)
    time.sleep(chance.uniform(0, _LONGEST_S))
    service.kill()
    for client in clients:
        client.join(40)
    return service.start_s


# --- what is left --------------------------------------------------------------------------------


def faults_of(store: RecordStore, ledger: Ledger) -> Iterator[str]:
    """Yield what is lost, half, changed or there twice."""
    with store.engine.connect() as connection:
        counts = text("SELECT upload_sha256, count(*) FROM records GROUP BY upload_sha256")
        kept = {row[0]: row[1] for row in connection.execute(counts)}
    for key, count in ledger.sent.items():
        found = kept.pop(key, 0)
        if key in ledger.told and found != count:
            yield f"{found} of {count} acknowledged records of an upload are left"
        if key in ledger.refused and found:
            yield f"{found} records of an upload that was refused"
        if found not in (0, count):
            yield f"an upload is half: {found} of {count}"
    if kept:
        yield f"{len(kept)} uploads that nobody sent"
    yield from (f"chain: {fault.message}" for fault in audit(store).faults)


def differing(store: RecordStore, ledger: Ledger) -> Iterator[str]:
    """Yield acknowledged records that are not what their client was told."""
    for told in ledger.told.values():
        for record_id, digest in told:
            try:
                found = store.get(record_id).digest
            except gis.WuquError as error:
                yield f"{record_id}: {error}"
                continue
            if found != digest:
                yield f"{record_id}: another digest"


def not_identical(store: RecordStore, ledger: Ledger, chance: random.Random) -> Iterator[str]:
    """Yield records that do not give the same decision again, of some chosen at random."""
    plan = gis.load_plan()
    ids = [record_id for told in ledger.told.values() for record_id, _ in told]
    for record_id in chance.sample(ids, min(_REPLAYED, len(ids))):
        found = verify_record(store, record_id, plan)
        if found.outcome is not Outcome.IDENTICAL:
            yield f"{record_id}: {found.outcome.label}"


def killed(kills: int, store: str = "sqlite", workers: int = 1, seed: int = 7) -> dict[str, Any]:
    """Return what was left after so many kills."""
    chance, ledger = random.Random(seed), Ledger()
    starts, faults = [], []
    with _database(store) as db:
        for number in range(1, kills + 1):
            starts.append(one_kill(db, workers, ledger, number, chance))
            if number % _AUDIT_EVERY == 0 or number == kills:
                opened = RecordStore(db)
                faults += faults_of(opened, ledger)
                sys.stderr.write(f"{number} kills, {opened.head()[0]} records, {faults[:3]}\n")
                opened.close()
        opened = RecordStore(db)
        faults += [*differing(opened, ledger), *not_identical(opened, ledger, chance)]
        records = opened.head()[0]
        opened.close()
    told = sum(len(rows) for rows in ledger.told.values())
    return {
        "what": "kills",
        "store": store,
        "workers": workers,
        "clients": CLIENTS,
        "kills": kills,
        "uploads_sent": len(ledger.sent),
        "uploads_acknowledged": len(ledger.told),
        "uploads_refused": len(ledger.refused),
        "records_acknowledged": told,
        "records_kept": records,
        "kept_but_not_acknowledged": records - told,
        "start_s_p50": round(statistics.median(starts), 2),
        "start_s_max": round(max(starts), 2),
        "failures": (faults + ledger.faults)[:20],
    }


@contextmanager
def _database(kind: str) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="kills") as folder:
        if kind == "sqlite":
            yield str(Path(folder) / "records.sqlite")
            return
        with server(shared_buffers="256MB") as own:
            url = own.url("postgres")
            engine = open_engine(address_of(url))
            migrate(engine)
            engine.dispose()
            yield url


def main() -> None:
    """Run, keep the line, and fail when anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--store", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    row = killed(options.kills, options.store, options.workers)
    keep(row, RESULTS)
    sys.exit(1 if row["failures"] else 0)


if __name__ == "__main__":
    main()
