"""What does a reader get of the stored rows? Records and decisions as frozen types."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gis.output.records.failures import damaged


@dataclass(frozen=True, slots=True)
class Record:
    """One stored answer; ``document`` is the check as JSON values, its ``id`` the record id.

    ``seq`` is its place in the chain, ``format`` how it was made (``tables``), ``owner`` who asked
    (empty where the service knows nobody). ``inputs`` is what a replay needs beside the outline,
    empty for records from before the chain, as are ``decision`` (canonical JSON of the decision
    part) and ``snapshot`` (hash of what the answer rests on).
    """

    id: str
    seq: int
    format: int
    created_at: str
    owner: str
    request_id: str
    name: str
    verdict: str
    digest: str
    upload_sha256: str
    plan_id: str
    plan_version: str
    as_of: str
    software: Mapping[str, str]
    snapshot: str
    geometry_wkb: bytes | None
    inputs: Mapping[str, Any]
    decision: str
    document: Mapping[str, Any]
    prev_hash: str
    hash: str


@dataclass(frozen=True, slots=True)
class RecordSummary:
    """One line of the list of recent answers."""

    id: str
    created_at: str
    name: str
    verdict: str
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What an officer decided beside a computed answer: which office, why, when, and who wrote it.

    ``record_hash`` is the hash of the record that lay before the officer.
    """

    seq: int
    record_id: str
    record_hash: str
    decided_at: str
    decided_by: str
    office: str
    verdict: str
    reason: str
    request_id: str
    prev_hash: str
    hash: str


def record_of(row: Mapping[str, Any]) -> Record:
    """Return a stored row as a record; raise StoreDamagedError where its JSON is none."""
    fields = {name: row[name] for name in Record.__slots__}
    try:
        fields["software"] = json.loads(row["software"])
        fields["inputs"] = json.loads(row["inputs"] or "{}")
        fields["document"] = json.loads(row["document"])
    except ValueError:
        raise damaged("这条检测记录") from None
    return Record(**fields)


def decision_of(row: Mapping[str, Any]) -> Decision:
    """Return a stored row as a decision."""
    return Decision(**{name: row[name] for name in Decision.__slots__})
