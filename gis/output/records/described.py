"""What is there to say about a record, beside its answer? Times, hashes, versions, decisions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from gis.model import Verdict
from gis.output.records.kept import Decision, Record
from gis.output.records.tables import BEFORE_THE_CHAIN


def described(record: Record, decisions: Sequence[Decision]) -> dict[str, Any]:
    """Return a record as plain JSON values; the contract of ``GET /v1/records/{id}``."""
    return {
        "id": record.id,
        "name": record.name,
        "created_at": record.created_at,
        "owner": record.owner,
        "request_id": record.request_id,
        "verdict": record.verdict,
        "verdict_label": Verdict(record.verdict).label,
        "digest": record.digest,
        "as_of": record.as_of,
        "plan": {"id": record.plan_id, "version": record.plan_version},
        "software": dict(record.software),
        "upload_sha256": record.upload_sha256,
        "snapshot_sha256": record.snapshot or None,
        "chain": {
            "seq": record.seq,
            "hash": record.hash,
            "prev_hash": record.prev_hash,
            "before_the_chain": record.format == BEFORE_THE_CHAIN,
        },
        "decisions": [decision_dict(decision) for decision in decisions],
    }


# China has one time zone and no summer time.
_CHINA = timezone(timedelta(hours=8))


def decision_sentence(decision: Decision) -> str:
    """Return what an officer decided as it stands beside the computed verdict, in one sentence."""
    day = datetime.fromisoformat(decision.decided_at).astimezone(_CHINA).date()
    label = Verdict(decision.verdict).label
    return f"人工决定：{label}（{decision.office}，{day}）。理由：{decision.reason}"


def decision_dict(decision: Decision) -> dict[str, Any]:
    """Return what an officer decided as plain JSON values."""
    return {
        "verdict": decision.verdict,
        "verdict_label": Verdict(decision.verdict).label,
        "office": decision.office,
        "reason": decision.reason,
        "decided_at": decision.decided_at,
        "decided_by": decision.decided_by,
        "seq": decision.seq,
        "hash": decision.hash,
    }
