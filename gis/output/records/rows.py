"""How does an answer become a row? Texts, numbers and bytes, before they get their place."""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from gis.canonical import canonical_json
from gis.errors import ClaimError, Fault
from gis.json_text import with_id
from gis.model import Verdict
from gis.output.records.chain import Hashed, hashed
from gis.output.records.entry import Entry, Submission
from gis.output.records.kept import Record
from gis.output.records.software import software_versions
from gis.output.records.tables import CHAINED

_LONGEST = {"office": 200, "reason": 2000, "by": 200}
_LABELS = {"office": "机关（科室）", "reason": "理由", "by": "经办人"}


def made_ready(submission: Submission) -> Submission:
    """Return a submission with the rows that will be stored, hashed; only their places are missing.

    Whoever makes them ready keeps the store, which writes for one at a time, from doing it.

    Raises
    ------
    ValueError
        A document holds a number that JSON cannot say.
    """
    if submission.rows:
        return submission
    rows = [_hashed(entry, submission) for entry in submission.entries]
    return replace(submission, rows=rows)


def _hashed(entry: Entry, submission: Submission) -> Hashed:
    row = record_row(entry, submission)
    if not entry.text:
        return hashed(row)
    return hashed(row, document=with_id(entry.text, entry.document["id"], row["id"]))


def record_row(entry: Entry, submission: Submission) -> dict[str, Any]:
    """Return the row of one answer, with a new, unguessable id.

    Raises
    ------
    ValueError
        The document holds a number that JSON cannot say.
    """
    record_id = secrets.token_hex(16)
    document = entry.document
    snapshot = entry.snapshot
    return {
        "id": record_id,
        "format": CHAINED,
        "created_at": now(),
        "owner": submission.owner,
        "request_id": submission.request_id,
        "name": _text(document["site"]["name"]),
        "verdict": document["verdict"],
        "digest": document["digest"],
        "upload_sha256": submission.sha256 or document["site"]["source"]["sha256"],
        "plan_id": document["plan"]["id"],
        "plan_version": document["plan"]["version"],
        "as_of": document.get("as_of", ""),
        "software": canonical_json(dict(software_versions())),
        "snapshot": snapshot.sha256 if snapshot else "",
        "geometry_wkb": entry.geometry_wkb,
        "inputs": entry.inputs,
        "decision": entry.decision,
        "document": _document_text(entry, record_id),
    }


def decision_row(
    record: Record, *, verdict: str, office: str, reason: str, by: str, request_id: str
) -> dict[str, Any]:
    """Return the row of a decision of an officer.

    Raises
    ------
    ClaimError
        An unknown verdict, or a text that is missing, too long or cannot be printed.
    """
    known = [v for v in Verdict if v is not Verdict.NOT_APPLICABLE]
    if verdict not in known:
        raise ClaimError(
            f"结论“{verdict[:40]}”无法识别",
            expected="、".join(f"{v.value}（{v.label}）" for v in known),
            advice="改正结论",
        )
    texts = {"office": office.strip(), "reason": reason.strip(), "by": by.strip()}
    faults = [Fault(name, said) for name, text in texts.items() if (said := _fault(name, text))]
    if faults:
        raise ClaimError(
            "；".join(fault.message for fault in faults),
            expected="写明机关（科室）和理由，各为一行文字",
            advice="补充或改正",
            faults=faults,
        )
    return {
        "record_id": record.id,
        "record_hash": record.hash,
        "decided_at": now(),
        "decided_by": texts["by"],
        "office": texts["office"],
        "verdict": verdict,
        "reason": texts["reason"],
        "request_id": request_id,
    }


def _fault(name: str, text: str) -> str:
    from gis.plan.quota.register import is_storable

    if not text and name != "by":
        return f"没有写明{_LABELS[name]}"
    if not is_storable(text):
        return f"{_LABELS[name]}含有换行或控制字符"
    if len(text) > _LONGEST[name]:
        return f"{_LABELS[name]}有 {len(text)} 个字，最多 {_LONGEST[name]} 个"
    return ""


def now() -> str:
    """Return the time as records state it: UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _document_text(entry: Entry, record_id: str) -> str:
    if entry.text:
        return with_id(entry.text, entry.document["id"], record_id).decode()
    # Escaped to ASCII: half a surrogate pair or a zero character can be stored as well.
    document = {**entry.document, "id": record_id}
    return json.dumps(document, allow_nan=False, separators=(",", ":"))


def _text(value: str) -> str:
    """Return a name as every database stores it: no half of a surrogate pair, no zero character."""
    return value.encode("utf-8", "replace").decode().replace("\0", "?")
