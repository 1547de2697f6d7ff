"""The service as real processes: started by its command, asked over a socket, stopped by its id."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from prometheus_client.parser import text_string_to_metric_families
from waiting import PATIENCE, until

START_S = 15.0
STOP_S = 10.0


@dataclass
class Running:
    """One ``wuqu serve`` and its workers."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    started_s: float

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, key: str = "", **headers: str) -> httpx2.Response:
        """One request on a connection of its own, so that any worker may get it."""
        sent = {"Connection": "close", **headers} | ({"X-API-Key": key} if key else {})
        return httpx2.get(f"{self.url}{path}", headers=sent, timeout=60)

    def post(self, path: str, content: str, key: str = "", **headers: str) -> httpx2.Response:
        sent = {"Content-Type": "application/geo+json", "Connection": "close", **headers}
        sent |= {"X-API-Key": key} if key else {}
        return httpx2.post(f"{self.url}{path}", content=content, headers=sent, timeout=60)

    def workers(self) -> list[int]:
        """Process ids of the children that answer requests."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [
            int(pid)
            for pid in children.split()
            if b"resource_tracker" not in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]

    def cpu_s(self) -> float:
        """Seconds of processor that the process has used."""
        return cpu_s_of(self.process.pid)

    def stop(self, with_signal: int = signal.SIGTERM) -> float:
        """Ask it to end; return how long that took."""
        begun = time.monotonic()
        self.process.send_signal(with_signal)
        self.process.wait(STOP_S * PATIENCE)
        return time.monotonic() - begun

    def lines(self) -> list[dict[str, Any]]:
        """The lines of the log."""
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]


def cpu_s_of(pid: int) -> float:
    """Seconds of processor that a process has used, without its children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def numbers(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    """Samples by name and label values, these in the order of the names of the labels."""
    return {
        (sample.name, tuple(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@contextmanager
def running(
    folder: Path, *words: str, host: str = "127.0.0.1", **environment: str
) -> Iterator[Running]:
    """Start the service and wait until it is ready."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    own = {
        "WUQU_DB": str(folder / "records.sqlite"),
        "WUQU_KEYS": str(folder / "keys.json"),
        "WUQU_LOG": "json",
        "PYTHONUNBUFFERED": "1",
    }
    command = [
        sys.executable,
        "-m",
        "gis.cli",
        "serve",
        "--host",
        host,
        "--port",
        str(port),
        *words,
    ]
    log = folder / "service.log"
    begun = time.monotonic()
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command, env=_clean(os.environ) | own | environment, stdout=stream, stderr=stream
        )
    made = Running(process, port, log, 0.0)
    try:
        _await(made)
        made.started_s = time.monotonic() - begun
        yield made
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_S * PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _clean(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without settings of whoever runs the tests."""
    kept = ("WUQU_REQUIRE_ALL", "WUQU_PATIENCE")
    return {k: v for k, v in environment.items() if not k.startswith("WUQU_") or k in kept}


def _await(made: Running) -> None:
    def ready() -> bool:
        assert made.process.poll() is None, made.log.read_text()
        try:
            return made.get("/readyz").status_code == 200
        except httpx2.TransportError:
            return False

    until(ready, made.log.read_text, START_S)
