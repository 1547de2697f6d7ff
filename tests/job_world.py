"""Jobs for tests: uploads of every kind, and a store with a worker in this process."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from batch_world import table

from gis.jobs.folder import JobFolder
from gis.jobs.model import Job, Limits, Options, TaskKind
from gis.jobs.plans import Plans
from gis.jobs.store import JobStore
from gis.jobs.work import Bench
from gis.output.records import RecordStore

AS_OF = date(2026, 11, 22)
ME = "here:1/one"


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.ms = 1_800_000_000_000

    def __call__(self) -> int:
        return self.ms


@dataclass
class World:
    """A store of jobs, the folder of their files, and a worker."""

    store: JobStore
    bench: Bench
    clock: Clock

    def submit(self, content: bytes, name="多个地块.geojson", owner="key:a", **options) -> Job:
        """Take in an upload as the service does."""
        return self.store.create(
            owner=owner,
            request_id="request-1",
            name=name,
            upload_sha256=hashlib.sha256(content).hexdigest(),
            options=Options(options.pop("as_of", AS_OF), **options),
            plan=self.bench.plans.in_force().package,
            keep=lambda i: JobFolder(self.bench.root, i).write_upload(content),
        )

    def step(self, holder: str = ME):
        """Work off one piece and return it; None when there is none."""
        task = self.store.claim(holder)
        if task is not None:
            self.bench.work(task)
        return task

    def finish(self) -> None:
        """Work until nothing is left to do."""
        for _ in range(500):
            if self.step() is None:
                return
        raise AssertionError("endless")

    def result(self, job: Job, kind: str) -> Path:
        """Have a result written and return its file."""
        self.store.want(job.id, TaskKind(kind))
        self.finish()
        return JobFolder(self.bench.root, job.id).result(kind)

    def answers(self, job: Job) -> list[dict]:
        return self.store.answers(job.id, -1, 100_000)


def world(folder: Path, plan, *, db: str | None = None, **limits) -> World:
    """Open a store of jobs."""
    clock = Clock()
    records = RecordStore(db or folder / "records.sqlite")
    store = JobStore(records, Limits(**limits), now=clock)
    return World(store, Bench(store, folder / "jobs", Plans(plan)), clock)


# --- uploads -------------------------------------------------------------------------------------


def collection(count: int, *, bad: tuple[int, ...] = (), prefix: str = "地块") -> bytes:
    """A FeatureCollection of small squares in the plan; those of ``bad`` cross themselves."""
    features = []
    for n in range(count):
        x, y = 115.970 + 0.001 * (n % 20), 36.365 + 0.001 * (n // 20)
        side = 4e-4
        ring = [[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]]
        if n in bad:
            ring[1], ring[2] = ring[2], ring[1]
        shape = {"type": "Polygon", "coordinates": [ring]}
        named = {"name": f"{prefix}{n + 1}"}
        features.append({"type": "Feature", "properties": named, "geometry": shape})
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def geopackage(plan, folder: Path, count: int) -> bytes:
    """A GeoPackage with sites all over the plan."""
    path = folder / "sites.gpkg"
    table(plan, count).to_file(path, engine="pyogrio")
    return path.read_bytes()


def packed(members: dict[str, bytes]) -> bytes:
    """A zip."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in members.items():
            package.writestr(name, content)
    return stream.getvalue()
