"""Does the service hold when many come at once, and when good and bad traffic goes on for long?

A real service process with keys and an audit log. First 50 users, each with a key and a connection
of its own, asking without a pause, of a service without records and of one with them; then 200;
then good and bad requests for minutes, while memory, open files and temporary files are watched.
Failures: an error or a 95th percentile over a second for 50, anything but 200, 429 and 503 for 200,
growth over the minutes. Whoever asks shares the machine with who answers, so the processor time of
both stands in the line, each for itself; on a busy machine these are the numbers to compare.

Usage: ``python benchmarks/soak/crowd.py [--seconds 20] [--minutes 30] [--per-second 0]``
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

HERE = Path(__file__).resolve().parent
REPO = HERE.parents[1]
sys.path[:0] = [str(HERE.parent), str(REPO / "tests")]
from lines import keep  # noqa: E402  # neither folder is a package
from running_service import Running, cpu_s_of, running  # noqa: E402 - the path is set above

from api.access.keys import KeyStore  # noqa: E402 - the path is set above
from api.access.roles import Role  # noqa: E402 - the path is set above

RESULTS = REPO / "benchmarks" / "results" / "crowd.jsonl"
URL = "/v1/site-checks?as_of=2026-11-22&use=0803&geometry=false&remedies=false"
FEW, MANY = 50, 200
LONGEST_S = 1.0
MOST_GROWTH = 0.10
_WARM_SHARE = 0.2  # of the minutes, in which caches fill
_MIXED_USERS = 4
_WARM_S = 3.0
_FIRST_S = 300.0


@dataclass
class Tally:
    """What was answered, how fast, and what it took: seconds of processor of either side."""

    statuses: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    service_cpu_s: float = 0.0
    client_cpu_s: float = 0.0

    def row(self) -> dict[str, Any]:
        """Return the tally as values of one line."""
        ranked = sorted(self.seconds) or [0.0]
        at = {f"p{p}_ms": round(ranked[len(ranked) * p // 100] * 1000) for p in (50, 95, 99)}
        spent = {
            "service_cpu_s": round(self.service_cpu_s, 2),
            "client_cpu_s": round(self.client_cpu_s, 2),
            "service_cpu_ms_each": round(self.service_cpu_s * 1000 / len(ranked), 2),
        }
        return {"requests": len(self.seconds), "statuses": dict(self.statuses), **at, **spent}


@contextmanager
def spent(service: Running, tally: Tally) -> Iterator[None]:
    """Note what the service and this process spend meanwhile."""
    before = cpu_s(service), time.process_time()
    yield
    tally.service_cpu_s = cpu_s(service) - before[0]
    tally.client_cpu_s = time.process_time() - before[1]


def cpu_s(service: Running) -> float:
    """Seconds of processor of the service and its workers so far."""
    return service.cpu_s() + sum(cpu_s_of(pid) for pid in service.workers())


def site(chance: random.Random) -> str:
    """Return a square of some 80 m in the middle of the bundled plan."""
    x, y = chance.uniform(115.93, 116.02), chance.uniform(36.34, 36.42)
    ring = [[x, y], [x + 0.0009, y], [x + 0.0009, y + 0.0007], [x, y + 0.0007], [x, y]]
    return json.dumps({"type": "Polygon", "coordinates": [ring]})


# --- crowds --------------------------------------------------------------------------------------


async def crowd(service: Running, keys: list[str], seconds: float) -> Tally:
    """Ask with one user per key, each as fast as it is answered."""
    tally = Tally()
    until = time.monotonic() + seconds
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx2.AsyncClient(base_url=service.url, timeout=60, limits=limits) as client:
        with spent(service, tally):
            await asyncio.gather(*(_user(client, key, until, tally) for key in keys))
    return tally


async def _user(client: httpx2.AsyncClient, key: str, until: float, tally: Tally) -> None:
    chance = random.Random(key)
    headers = {"X-API-Key": key, "Content-Type": "application/geo+json"}
    while time.monotonic() < until:
        begun = time.monotonic()
        try:
            answer = await client.post(URL, content=site(chance), headers=headers)
            what, wait = str(answer.status_code), float(answer.headers.get("retry-after", 0))
        except httpx2.HTTPError as error:
            what, wait = type(error).__name__, 0.1
        tally.statuses[what] += 1
        tally.seconds.append(time.monotonic() - begun)
        # A polite client waits as long as it is told to.
        await asyncio.sleep(min(wait, 2.0))


# --- good and bad, for long ----------------------------------------------------------------------


def requests_of(keys: list[str], chance: random.Random) -> list[Callable[[], dict[str, Any]]]:
    """Kinds of traffic: what people do, what they do wrong, and what nobody should."""
    samples = sorted((REPO / "data" / "samples").glob("*.txt"))

    def post(content: Any, kind: str, key: str | None = None) -> dict[str, Any]:
        headers = {"X-API-Key": key or chance.choice(keys), "Content-Type": kind}
        return {"method": "POST", "url": URL, "content": content, "headers": headers}

    def get(url: str) -> dict[str, Any]:
        return {"method": "GET", "url": url, "headers": {"X-API-Key": chance.choice(keys)}}

    def upload() -> dict[str, Any]:
        file = chance.choice(samples)
        return {
            "method": "POST", "url": URL, "files": {"file": (file.name, file.read_bytes())},
            "headers": {"X-API-Key": chance.choice(keys)},
        }  # fmt: skip

    return [
        lambda: post(site(chance), "application/geo+json"),
        lambda: post(site(chance), "application/geo+json"),
        upload,
        lambda: post("POLYGON((1 2,3", "text/plain"),
        lambda: post("{" * 5000, "application/json"),
        lambda: post(bytes(chance.randrange(200_000)), "application/zip"),
        lambda: post(site(chance), "application/geo+json", "wuqu_00000000_" + "A" * 43),
        lambda: get("/v1/plan/balance"),
        lambda: get("/v1/layers/zones?limit=5"),
        lambda: get(f"/v1/site-checks/{chance.randbytes(16).hex()}"),
        lambda: get(f"/{chance.randbytes(8).hex()}"),
        lambda: get("/readyz"),
    ]


async def mixed(
    service: Running, keys: list[str], minutes: float, per_second: float = 0.0
) -> tuple[Tally, list[Any]]:
    """Send traffic of all kinds; return what was answered and what was measured on the way.

    ``per_second`` is how much of it there is at most; 0: as much as is answered.
    """
    tally, seen = Tally(), []
    pause = _MIXED_USERS / per_second if per_second else 0.0
    until = time.monotonic() + minutes * 60
    async with httpx2.AsyncClient(base_url=service.url, timeout=60) as client:

        async def send(seed: int) -> None:
            chance = random.Random(seed)
            kinds = requests_of(keys, chance)
            while time.monotonic() < until:
                begun = time.monotonic()
                try:
                    answer = await client.request(**chance.choice(kinds)())
                    tally.statuses[str(answer.status_code)] += 1
                except httpx2.HTTPError as error:
                    tally.statuses[type(error).__name__] += 1
                tally.seconds.append(time.monotonic() - begun)
                await asyncio.sleep(max(0.0, begun + pause - time.monotonic()))

        async def watch() -> None:
            while time.monotonic() < until:
                seen.append(measured(service))
                await asyncio.sleep(max(1.0, minutes))

        with spent(service, tally):
            await asyncio.gather(watch(), *(send(seed) for seed in range(_MIXED_USERS)))
    seen.append(measured(service))
    return tally, seen


def measured(service: Running) -> dict[str, int]:
    """Memory and open files of the processes that answer, and temporary files of the service."""
    pids = service.workers() or [service.process.pid]
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids)
    return {
        "mb": pages * os.sysconf("SC_PAGE_SIZE") // 2**20,
        "files": sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in pids),  # noqa: PTH208 - names alone
        "temporary": sum(1 for _ in Path(os.environ["TMPDIR"]).iterdir()),
    }


def growth(seen: list[dict[str, int]], what: str) -> float:
    """Return how much the last third is over the first after warming up, as a share."""
    kept = [row[what] for row in seen[int(len(seen) * _WARM_SHARE) :]]
    third = max(1, len(kept) // 3)
    first, last = sum(kept[:third]) / third, sum(kept[-third:]) / third
    return max(0.0, last / max(first, 1) - 1)


# --- all together --------------------------------------------------------------------------------


def crowded(
    seconds: float, minutes: float, workers: int, per_second: float = 0.0
) -> dict[str, Any]:
    """Run the parts on a service with records, the first one without them too; return one line."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["TMPDIR"] = str(folder / "tmp")
        (folder / "tmp").mkdir()
        store = KeyStore(folder / "keys.json")
        keys = [store.add(f"u{n}", Role.clerk)[1] for n in range(MANY)]
        words = ["--workers", str(workers)]
        common = {"WUQU_AUDIT": str(folder / "audit.jsonl")}
        with running(folder, *words, **common, WUQU_RECORDS="false") as service:
            bare = asyncio.run(warmed_up(service, keys[:FEW], seconds))
        with running(folder, *words, **common) as service:
            few = asyncio.run(warmed_up(service, keys[:FEW], seconds))
            many = asyncio.run(crowd(service, keys, seconds))
            rest, seen = asyncio.run(mixed(service, keys, minutes, per_second))
            stop_s = service.stop()
    grown = {what: round(growth(seen, what), 3) for what in ("mb", "files", "temporary")}
    found = {
        "what": "crowd", "workers": workers, "load": round(os.getloadavg()[0], 1),
        "few_without_records": bare.row(), "few": few.row(), "many": many.row(),
        "mixed": {"minutes": minutes, **rest.row(), "first": seen[0], "last": seen[-1]},
        "growth": grown, "stop_s": round(stop_s, 1),
    }  # fmt: skip
    return found | {"failures": failures(few, many, rest, grown)}


async def warmed_up(service: Running, keys: list[str], seconds: float) -> Tally:
    """Return what a crowd met once caches are filled, as in a day's work."""
    # A service that was never run before compiles its kernel with the first check.
    headers = {"X-API-Key": keys[0], "Content-Type": "application/geo+json"}
    async with httpx2.AsyncClient(base_url=service.url, timeout=_FIRST_S) as client:
        await client.post(URL, content=site(random.Random(0)), headers=headers)
    await crowd(service, keys, min(seconds, _WARM_S))
    return await crowd(service, keys, seconds)


def failures(few: Tally, many: Tally, rest: Tally, grown: dict[str, float]) -> list[str]:
    """Return what of the promises did not hold."""
    found = []
    if set(few.statuses) != {"200"}:
        found.append(f"{FEW} users: {dict(few.statuses)}")
    if few.row()["p95_ms"] > LONGEST_S * 1000:
        found.append(f"{FEW} users: p95 {few.row()['p95_ms']} ms")
    if set(many.statuses) - {"200", "429", "503"}:
        found.append(f"{MANY} users: {dict(many.statuses)}")
    if broken := [s for s in rest.statuses if not s.isdigit() or s == "500"]:
        found.append(f"mixed traffic: {broken}")
    worse = [what for what, share in grown.items() if share > MOST_GROWTH]
    return found + [f"{what} grew by {grown[what]:.0%}" for what in worse]


def main() -> None:
    """Run, append to the results, and fail when anything failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20, help="for each crowd")
    parser.add_argument("--minutes", type=float, default=30, help="for the mixed traffic")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument(
        "--per-second", type=float, default=0, help="mixed traffic at most; 0: as much as goes"
    )
    options = parser.parse_args()
    found = crowded(options.seconds, options.minutes, options.workers, options.per_second)
    keep(found, RESULTS)
    sys.exit(1 if found["failures"] else 0)


if __name__ == "__main__":
    main()
