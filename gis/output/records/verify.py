"""Is a record what was written, and does it still hold? Its bytes, its place, its decision.

The bytes are compared with their hashes, the place with the rows before and behind, and the
decision is given once more on the plan at hand; where it differs, or something it rests on has
changed, that is named. Nothing is repaired here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gis.errors import InputError, PlanError, RuleBookError, StoreDamagedError
from gis.output.records.chain import GENESIS, changed_fields
from gis.output.records.changes import Change, Fault, changes_between, software_changes
from gis.output.records.decided import decision_in
from gis.output.records.differences import Difference, differences_between
from gis.output.records.kept import Record, record_of
from gis.output.records.replay import Replay, is_replayable, replay
from gis.output.records.snapshot import contents_of
from gis.output.records.software import software_versions
from gis.output.records.store import RecordStore
from gis.output.records.walk import neighbours
from gis.plan import Plan


class Outcome(StrEnum):
    """What a verification found, best first."""

    IDENTICAL = "identical"
    DIGEST_ONLY = "digest_only"
    CHANGED = "changed"
    DAMAGED = "damaged"

    @property
    def label(self) -> str:
        """What stands in front of a person."""
        return _LABELS[self]


_LABELS = {
    Outcome.IDENTICAL: "一致：记录完好，重算结论相同",
    Outcome.DIGEST_ONLY: "一致：记录完好（早于哈希链，只核对摘要，不重算）",
    Outcome.CHANGED: "有变化：记录完好，但结论或依据与记录时不同",
    Outcome.DAMAGED: "已损坏：记录与写入时不一致",
}


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found about one record.

    ``replayed`` is the decision given once more, None where the record cannot be judged again.
    """

    record_id: str
    seq: int
    hash: str
    digest: str
    faults: tuple[Fault, ...]
    changes: tuple[Change, ...] = ()
    differences: tuple[Difference, ...] = ()
    replayed: Replay | None = None
    digest_only: bool = False

    @property
    def outcome(self) -> Outcome:
        """The worst of what was found."""
        if self.faults:
            return Outcome.DAMAGED
        if any(not change.is_expected for change in self.changes):
            return Outcome.CHANGED
        if self.digest_only:
            return Outcome.DIGEST_ONLY
        same = self.replayed is not None and self.replayed.digest == self.digest
        return Outcome.IDENTICAL if same else Outcome.CHANGED

    @property
    def is_good(self) -> bool:
        """Whether nothing was found."""
        return self.outcome in {Outcome.IDENTICAL, Outcome.DIGEST_ONLY}

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; the contract of ``/v1/records/{id}/verify``."""
        return {
            "record": self.record_id,
            "outcome": self.outcome.value,
            "outcome_label": self.outcome.label,
            "seq": self.seq,
            "hash": self.hash,
            "digest": self.digest,
            "replayed_digest": self.replayed.digest if self.replayed else None,
            "faults": [fault.to_dict() for fault in self.faults],
            "changes": [change.to_dict() for change in self.changes],
            "differences": [difference.to_dict() for difference in self.differences],
        }


def verify_record(store: RecordStore, record_id: str, plan: Plan | PlanError) -> Verification:
    """Verify one record: its bytes, its place in the chain, and its decision on a plan.

    Parameters
    ----------
    store
        The records.
    record_id
        The record.
    plan
        The plan at hand, or why it cannot be opened: that is a change, too.

    Raises
    ------
    NotFoundError
        There is no such record.
    StoreError
        The records cannot be read.
    """
    row = store.row(record_id)
    faults = [*_of_bytes(row, record_id), *_of_place(store, row)]
    faults += _of_decisions(store, record_id, str(row["hash"]))
    record = _readable(row)
    if record is None:
        return _verification(row, record_id, faults or [_unreadable()])
    faults += _of_digest(record)
    content = store.snapshot(record.snapshot) if record.snapshot else None
    lost = list(_of_snapshot(record, content))
    faults += lost
    changes = tuple(_changes(record, None if lost else content, plan))
    if not is_replayable(record):
        return _verification(row, record_id, faults, changes, digest_only=True)
    again, refused = _replayed(record, plan)
    same = again is not None and again.digest == record.digest
    found = () if same or again is None else differences_between(record.decision, again.decision)
    return _verification(row, record_id, faults, (*changes, *refused), tuple(found), again)


def _verification(
    row: Mapping[str, Any],
    record_id: str,
    faults: list[Fault],
    changes: tuple[Change, ...] = (),
    differences: tuple[Difference, ...] = (),
    replayed: Replay | None = None,
    *,
    digest_only: bool = False,
) -> Verification:
    seals = int(row["seq"]), str(row["hash"]), str(row["digest"])
    return Verification(
        record_id, *seals, tuple(faults), changes, differences, replayed, digest_only
    )


# --- what is stored ------------------------------------------------------------------------------


def _of_bytes(row: Mapping[str, Any], record_id: str) -> Iterator[Fault]:
    changed = changed_fields(row)
    if row["id"] != record_id and "id" not in changed:
        changed = ("id", *changed)
    for name in changed:
        yield Fault("record", name, f"记录的字段 {name} 与写入时不同")


def _of_place(store: RecordStore, row: Mapping[str, Any]) -> Iterator[Fault]:
    seq = row["seq"]
    # The end first: what is written meanwhile must not look like a hole.
    last, _ = store.head()
    before, behind = neighbours(store, seq)
    if before is None and seq > 1:
        yield Fault("chain", str(seq - 1), f"链上第 {seq - 1} 条不见了")
    elif row["prev_hash"] != (before["hash"] if before else GENESIS):
        yield Fault("chain", str(seq), f"第 {seq} 条与前一条不相连")
    if behind is not None and behind["prev_hash"] != row["hash"]:
        yield Fault("chain", str(seq + 1), f"第 {seq + 1} 条与本条不相连：本条在写入之后被换过")
    if behind is None and last > seq:
        yield Fault("chain", str(seq + 1), f"链上第 {seq + 1} 条不见了")


def _of_decisions(store: RecordStore, record_id: str, record_hash: str) -> Iterator[Fault]:
    for row in store.decision_rows(record_id):
        where = f"{row['seq']}"
        for name in changed_fields(row):
            yield Fault("decision", f"{where}/{name}", f"人工决定（第 {where} 条）的 {name} 被改动")
        if row["record_hash"] != record_hash:
            yield Fault("decision", where, f"人工决定（第 {where} 条）所依据的不是这条记录")


def _of_digest(record: Record) -> Iterator[Fault]:
    """Compare what must say the same: digest, decision part, document and verdict."""
    try:
        said = decision_in(record.document)
    except (KeyError, TypeError, AttributeError):
        yield _unreadable()
        return
    if hashlib.sha256(said.encode("utf-8", "replace")).hexdigest() != record.digest:
        yield Fault("digest", "document", "答复全文与摘要不符")
    if is_replayable(record) and record.decision != said:
        yield Fault("digest", "decision", "结论部分与答复全文不符")
    if record.verdict != record.document.get("verdict"):
        yield Fault("digest", "verdict", "结论与答复全文不符")


def _of_snapshot(record: Record, content: str | None) -> Iterator[Fault]:
    if not record.snapshot:
        return
    if content is None:
        yield Fault("snapshot", record.snapshot, "记录所依据的数据清单不见了")
    elif _sha256(content) != record.snapshot:
        yield Fault("snapshot", record.snapshot, "记录所依据的数据清单与写入时不同")


def _readable(row: Mapping[str, Any]) -> Record | None:
    try:
        return record_of(row)
    except StoreDamagedError:
        return None


def _unreadable() -> Fault:
    return Fault("record", "document", "答复全文无法读取")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


# --- what it rests on ----------------------------------------------------------------------------


def _changes(record: Record, content: str | None, plan: Plan | PlanError) -> Iterator[Change]:
    if isinstance(plan, PlanError):
        kind = "rule_file" if isinstance(plan, RuleBookError) else "plan_file"
        yield Change(kind, plan.file, f"规划数据包无法打开：{plan.detail}")
    elif content is not None:
        yield from changes_between(json.loads(content), contents_of(plan))
    yield from software_changes(record.software, software_versions())


def _replayed(record: Record, plan: Plan | PlanError) -> tuple[Replay | None, tuple[Change, ...]]:
    """Return the decision given once more, or why there is none."""
    if isinstance(plan, PlanError):
        return None, ()
    try:
        return replay(record, plan), ()
    except StoreDamagedError:
        return None, ()  # a fault of the bytes, which is told already
    except InputError as error:
        return None, (Change("plan", "site", f"这份规划不能重算这条记录：{error.detail}"),)
