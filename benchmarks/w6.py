"""W6: how many requests a second does the service answer, beside an endpoint that does nothing?

One real server process on the loopback address (a second one keeps records), eight connections
that stay open, a load generator in a process of its own. The endpoint that does nothing belongs to
the same app and stands behind the same layers. Requests are parcels of their own each, as GeoJSON,
judged by all rules. The tasks take turns, round after round, because a machine does not go at one
speed for a minute: each has the same share of slow moments.

Usage: ``python benchmarks/w6.py [--seconds 10] [--connections 8] [--rounds 5]``
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lines import REPO, keep
from run import AS_OF, parcels

import gis
from gis.crs import to_lonlat

RESULTS = REPO / "benchmarks" / "results" / "w6.jsonl"
LEAN = f"/v1/site-checks?as_of={AS_OF}&geometry=false&remedies=false"
# What is measured: path, whether it sends a parcel, whether records are kept.
TASKS = {
    "no-op": ("/noop", False, False),
    "check": (LEAN, True, False),
    "check with records": (LEAN, True, True),
    "check with outlines and remedies": (f"/v1/site-checks?as_of={AS_OF}", True, False),
}
PACKAGES = ("fastapi", "numba", "numpy", "shapely", "uvicorn")
_START_S = 60


def app() -> Any:
    """Return the service with one more endpoint, which does nothing."""
    from fastapi import Response

    from api.app import create_app

    service = create_app()

    @service.get("/noop", include_in_schema=False)
    async def noop() -> Response:
        return Response(b"{}", media_type="application/json")

    return service


# --- the server ----------------------------------------------------------------------------------


class Server:
    """One uvicorn process; its CPU seconds are read from the kernel."""

    def __init__(self, folder: Path, *, records: bool) -> None:
        self.port = _free_port()
        environment = os.environ | {
            "WUQU_DB": str(folder / "records.sqlite"),
            "WUQU_RECORDS": str(records).lower(),
            "PYTHONPATH": str(REPO / "benchmarks"),
        }
        words = [sys.executable, "-m", "uvicorn", "w6:app", "--factory", "--log-level", "warning"]
        words += ["--host", "127.0.0.1", "--port", str(self.port), "--no-access-log"]
        self._process = subprocess.Popen(words, env=environment, cwd=REPO)
        self._await_start()

    def _await_start(self) -> None:
        until = time.monotonic() + _START_S
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise RuntimeError("the server did not start")

    def cpu_s(self) -> float:
        """CPU seconds of the server so far."""
        stat = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii")
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_mb(self) -> float:
        """Resident memory of the server."""
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        line = next(x for x in status.splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) / 1024

    def stop(self) -> None:
        """End the server by its own process id."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# --- the load ------------------------------------------------------------------------------------


async def _talk(
    port: int, requests: Iterator[bytes], until: float, times: list[float], bad: list[bytes]
) -> None:
    """Send requests over one connection, one after another, until the time is over."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for request in requests:
        begun = time.perf_counter()
        if begun > until:
            break
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        body = await reader.readexactly(length)
        times.append(time.perf_counter() - begun)
        if not head.startswith(b"HTTP/1.1 200"):
            bad.append(body[:300])
    writer.close()


def _requests(path: str, bodies: list[bytes], start: int) -> Iterator[bytes]:
    number = start
    while True:
        if bodies:
            body = bodies[number % len(bodies)]
            kind = "application/geo+json"
            head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n"
            yield head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body
        else:
            yield f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        number += 37  # connections ask for different parcels at any moment


async def _load(
    port: int, path: str, bodies: list[bytes], connections: int, seconds: float
) -> tuple[list[float], list[bytes]]:
    times: list[float] = []
    bad: list[bytes] = []
    until = time.perf_counter() + seconds
    talks = [
        _talk(port, _requests(path, bodies, n * 101), until, times, bad) for n in range(connections)
    ]
    await asyncio.gather(*talks)
    return times, bad


def generate(options: argparse.Namespace) -> None:
    """Run the load as a process of its own and print what it saw."""
    bodies = json.loads(Path(options.bodies).read_text(encoding="utf-8")) if options.bodies else []
    raw = [body.encode() for body in bodies]
    begun = time.process_time()
    times, bad = asyncio.run(
        _load(options.port, options.path, raw, options.connections, options.seconds)
    )
    row = {
        "times_s": [round(seconds, 6) for seconds in times],
        "client_cpu_s": time.process_time() - begun,
        "bad": len(bad),
        "first_bad": bad[0].decode("utf-8", "replace") if bad else "",
    }
    sys.stdout.write(json.dumps(row))


# --- both together -------------------------------------------------------------------------------


@dataclass
class Told:
    """What was seen of one task in all rounds so far."""

    times_s: list[float] = field(default_factory=list)
    wall_s: float = 0.0
    cpu_s: float = 0.0
    client_cpu_s: float = 0.0

    def row(self) -> dict[str, Any]:
        """Return the numbers of a line."""
        cuts = statistics.quantiles(self.times_s, n=100)
        return {
            "per_s": round(len(self.times_s) / self.wall_s, 1),
            "cpu_s": round(self.cpu_s, 2),
            "wall_s": self.wall_s,
            "n": len(self.times_s),
            "p50_ms": round(cuts[49] * 1e3, 2),
            "p99_ms": round(cuts[98] * 1e3, 2),
            "client_cpu_s": round(self.client_cpu_s, 2),
        }


def results(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield one row per task; ``ratio`` is to the endpoint that does nothing, in the same run."""
    plan = gis.load_plan()
    with tempfile.TemporaryDirectory() as name, ExitStack() as running:
        folder = Path(name)
        bodies = folder / "bodies.json"
        bodies.write_text(json.dumps(_bodies(plan, options.parcels, options.seed)), "utf-8")
        servers: dict[bool, Server] = {}
        for records in (False, True):
            servers[records] = Server(folder, records=records)
            running.callback(servers[records].stop)
        told = _in_rounds(servers, bodies, options)
        memory = {records: round(server.rss_mb()) for records, server in servers.items()}
    common = {"workload": "W6", "engine": "wuqu-kernel", "connections": options.connections}
    versions = {"versions": {name: version(name) for name in PACKAGES}}
    noop_rate = told["no-op"].row()["per_s"]
    for task, (_, _, records) in TASKS.items():
        row = told[task].row()
        about = {"task": task, "rounds": options.rounds, "rss_mb": memory[records]}
        yield common | about | row | {"ratio": round(row["per_s"] / noop_rate, 4)} | versions


def _in_rounds(
    servers: Mapping[bool, Server], bodies: Path, options: argparse.Namespace
) -> dict[str, Told]:
    """Run all tasks by turns; a first round only fills the caches, as a day's work does."""
    told = {task: Told() for task in TASKS}
    each_s = options.seconds / options.rounds
    for number in range(options.rounds + 1):
        seconds = each_s if number else 2.0
        for task, (path, sends, records) in TASKS.items():
            server = servers[records]
            before = server.cpu_s()
            words = [str(server.port), path, str(options.connections), str(seconds)]
            found = _run([*words, str(bodies) if sends else ""])
            if number:
                own = told[task]
                own.times_s += found["times_s"]
                own.wall_s += seconds
                own.cpu_s += server.cpu_s() - before
                own.client_cpu_s += found["client_cpu_s"]
    return told


def _bodies(plan: Any, count: int, seed: int) -> list[str]:
    return [
        json.dumps(
            {
                "type": "Feature",
                "properties": {"use": "0803"},
                "geometry": to_lonlat(site.geometry, plan.work_epsg),
            }
        )
        for site in parcels(plan, count, seed)
    ]


def _run(words: list[str]) -> dict[str, Any]:
    port, path, connections, seconds, bodies = words
    command = [sys.executable, __file__, "--port", port, "--path", path, "--bodies", bodies]
    command += ["--connections", connections, "--seconds", seconds]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=REPO)
    found: dict[str, Any] = json.loads(done.stdout)
    if found["bad"]:
        raise RuntimeError(f"{found['bad']} requests were refused: {found['first_bad']}")
    return found


def main() -> None:
    """Measure and keep the lines; with ``--port``, only send requests."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--parcels", type=int, default=500)
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--port", type=int)
    parser.add_argument("--path", default="")
    parser.add_argument("--bodies", default="")
    options = parser.parse_args()
    if options.port:
        generate(options)
        return
    for row in results(options):
        keep(row, RESULTS)


if __name__ == "__main__":
    main()
