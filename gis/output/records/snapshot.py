"""What does an answer rest on, beside the site? The plan, as far as it decides, by hashes.

Layers by the hash of their content and of their files, rules one by one, rule files, tolerances
and the state of the reservations. Thousands of records share one snapshot, so it is stored once,
by the hash of its content. Files are hashed when the first answer of a plan is kept; what decides
are the layers as they were loaded, whose content hash stands beside.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from gis.canonical import canonical_json
from gis.errors import PlanError
from gis.output.records.entry import Snapshot
from gis.plan import Plan
from gis.plan.area import PLAN_FILE
from gis.plan.catalogue import Layer
from gis.plan.reservations import reservations
from gis.rulebook import RuleBook
from gis.rulebook.loader import rulebook_files
from gis.rulebook.schema import plain

SCHEMA = 1
_AT_ONCE = 1 << 20
_SETTLED_S = 2.0


def snapshot_of(plan: Plan) -> Snapshot:
    """Return what an answer rests on that is given now.

    Only the reservations of an opened plan can change, so all else is looked at once.
    """
    standing = _reservations(plan)
    known = _KNOWN.get(plan)
    if known is None or known[0] != standing:
        fixed = known[1] if known else _fixed(plan)
        text = canonical_json({**fixed, "reservations": standing})
        made = Snapshot(text, hashlib.sha256(text.encode()).hexdigest())
        known = _KNOWN[plan] = (standing, fixed, made)
    return known[2]


_KNOWN: WeakKeyDictionary[Plan, tuple[Mapping[str, Any], Mapping[str, Any], Snapshot]] = (
    WeakKeyDictionary()
)


def contents_of(plan: Plan) -> dict[str, Any]:
    """Return what answers of a plan rest on, every file read anew."""
    return {**_fixed(plan), "reservations": _reservations(plan)}


def _fixed(plan: Plan) -> dict[str, Any]:
    header = plan.ref
    return {
        "schema": SCHEMA,
        "plan": {
            "id": header.id,
            "version": header.version,
            "status": header.status,
            "work_crs": f"EPSG:{plan.work_epsg}",
            "files": _file_hashes([(plan.root / PLAN_FILE, PLAN_FILE)]),
        },
        "layers": {layer.info.id: _layer(layer) for layer in plan.layers.values()},
        "rulebook": _rulebook(plan),
        "tolerances": _tolerances(plan.rulebook),
    }


def _layer(layer: Layer) -> dict[str, Any]:
    return {
        "state": layer.state.value,
        "content_sha256": layer.content_sha256,
        "files": _file_hashes((path, path.name) for path in layer_files(layer.path)),
    }


def layer_files(path: Path | None) -> Iterator[Path]:
    """Yield the files that a layer is stored in: all parts of a shapefile, all of a folder.

    A layer in a database has none; its content hash says what it was.
    """
    if path is None:
        return
    if path.is_dir():
        yield from sorted(part for part in path.rglob("*") if part.is_file())
    elif path.suffix.lower() == ".shp":
        yield from sorted(p for p in path.parent.glob(f"{path.stem}.*") if p.is_file())
    elif path.is_file():
        yield path


def _rulebook(plan: Plan) -> dict[str, Any]:
    book = plan.rulebook
    return {
        "id": book.id,
        "sha256": book.sha256,
        "rules": {rule.id: _hash_of(plain(rule.params)) for rule in book.rules},
        "files": _file_hashes(rulebook_files(plan.file.plan.rulebooks, plan.root)),
    }


def _tolerances(book: RuleBook) -> dict[str, Any]:
    """Return width (m), area (m²) and limit (m²) of slivers for every rule that has them."""
    names = ("width_tolerance_m", "area_tolerance_m2", "sliver_limit_m2")
    return {
        rule.id: {name: getattr(rule.params, name) for name in names}
        for rule in book.rules
        if hasattr(rule.params, names[0])
    }


def _reservations(plan: Plan) -> dict[str, Any]:
    try:
        register = reservations(plan)
    except PlanError:
        return {"lines": None, "head": None}
    return {"lines": register.lines, "head": register.head}


def _hash_of(value: object) -> str:
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def _file_hashes(files: Iterable[tuple[Path, str]]) -> dict[str, str | None]:
    return {shown: _file_hash(path) for path, shown in files}


def _file_hash(path: Path) -> str | None:
    """Return the SHA-256 of a file, None where it cannot be read.

    A process reads a file again when its size or one of its times has changed.
    """
    try:
        found = path.stat()
        stamp = found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino
        known = _HASHES.get(path)
        if known is None or known[0] != stamp:
            known = stamp, _read_hash(path)
    except OSError:
        return None
    # Clocks of files are coarse: one that has just been written may change again unseen.
    if time.time() - found.st_ctime > _SETTLED_S:
        _HASHES[path] = known
    return known[1]


_HASHES: dict[Path, tuple[tuple[int, ...], str]] = {}


def _read_hash(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_AT_ONCE):
            digest.update(chunk)
    return digest.hexdigest()
