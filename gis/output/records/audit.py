"""Is the whole chain what was written? Every row, every link, every snapshot, from first to last.

It reads everything and judges no site. What nobody can see in a chain alone is whether its last
rows were cut off: for that, number and hash of the last row are told, to be kept elsewhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from gis.errors import StoreDamagedError
from gis.output.records.address import SQLITE
from gis.output.records.chain import GENESIS, changed_fields
from gis.output.records.changes import Fault
from gis.output.records.failures import store_errors
from gis.output.records.store import RecordStore
from gis.output.records.tables import BEFORE_THE_CHAIN, snapshots
from gis.output.records.walk import rows_in_order

_LABELS = {"record": "记录", "decision": "人工决定"}
# More faults than anybody reads; a file that is damaged all over must not fill the memory.
_MOST = 1_000


@dataclass(slots=True)
class Audit:
    """What was found in the chain.

    ``records`` and ``decisions`` count rows, ``before_the_chain`` the records of the time before;
    ``seq`` and ``hash`` are those of the last row.
    """

    records: int = 0
    decisions: int = 0
    before_the_chain: int = 0
    seq: int = 0
    hash: str = GENESIS
    faults: list[Fault] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether every row is what was written and every link holds."""
        return not self.faults

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "records": self.records,
            "decisions": self.decisions,
            "before_the_chain": self.before_the_chain,
            "seq": self.seq,
            "hash": self.hash,
            "faults": [fault.to_dict() for fault in self.faults],
        }


def audit(
    store: RecordStore,
    *,
    noted: tuple[int, str] | None = None,
    each: Callable[[], object] = lambda: None,
) -> Audit:
    """Return what was found from the first row to the one that is the last now.

    Parameters
    ----------
    store
        The records.
    noted
        Number and hash of a row that were kept elsewhere, of an earlier end of the chain: a chain
        that was cut off behind that row, or written anew as a whole, does not have it.
    each
        Called after every row, to show progress.

    Raises
    ------
    StoreError
        The records cannot be read, for another reason than damage.
    """
    found = Audit()
    try:
        last, _ = store.head()
        intact = dict(_snapshots(store))
        for kind, row in rows_in_order(store, upto=last):
            _take(found, kind, row, intact)
            if noted is not None and (row["seq"], row["hash"]) == noted:
                noted = None
            each()
    except StoreDamagedError as error:
        found.faults.append(Fault("store", "", error.found))
    else:
        if found.seq < last:
            found.faults.append(_missing(found.seq + 1, last))
    if noted is not None:
        said = f"链上没有所记的第 {noted[0]} 条（{noted[1][:16]}…）：链尾被截去，或者整条链被重写"
        found.faults.append(Fault("chain", str(noted[0]), said))
    found.faults += [Fault("store", "", text) for text in _of_file(store)]
    del found.faults[_MOST:]
    return found


def _take(found: Audit, kind: str, row: Mapping[str, Any], intact: Mapping[str, bool]) -> None:
    seq = row["seq"]
    where = f"{_LABELS[kind]} {row.get('id') or row.get('record_id')}（第 {seq} 条）"
    if len(found.faults) < _MOST:
        found.faults += _of_row(found, kind, row, where)
        name = row.get("snapshot")
        if name and not intact.get(name, False):
            said = "被改动" if name in intact else "不见了"
            found.faults.append(Fault("snapshot", name, f"{where}：所依据的数据清单{said}"))
    found.seq, found.hash = seq, row["hash"]
    if kind == "record":
        found.records += 1
        found.before_the_chain += row["format"] == BEFORE_THE_CHAIN
    else:
        found.decisions += 1


def _of_row(found: Audit, kind: str, row: Mapping[str, Any], where: str) -> Iterator[Fault]:
    seq = row["seq"]
    for name in changed_fields(row):
        yield Fault(kind, f"{seq}/{name}", f"{where}：字段 {name} 与写入时不同")
    if seq > found.seq + 1:
        yield _missing(found.seq + 1, seq - 1)
    elif row["prev_hash"] != found.hash:
        yield Fault("chain", str(seq), f"{where}：与前一条不相连")


def _missing(first: int, last: int) -> Fault:
    which = f"第 {first} 条" if first == last else f"第 {first} 至 {last} 条"
    return Fault("chain", str(first), f"链上{which}不见了")


def _snapshots(store: RecordStore) -> Iterator[tuple[str, bool]]:
    """Yield every snapshot and whether it is what was written."""
    with store_errors(), store.engine.connect() as connection:
        for sha256, content in connection.execute(select(snapshots.c.sha256, snapshots.c.content)):
            encoded = content.encode("utf-8", "surrogateescape")
            yield sha256, hashlib.sha256(encoded).hexdigest() == sha256


def _of_file(store: RecordStore) -> Iterator[str]:
    """Yield what SQLite itself finds wrong with its file: pages, indexes, the order of rows."""
    if store.address.kind != SQLITE:
        return
    try:
        with store_errors(), store.engine.connect() as connection:
            rows = connection.exec_driver_sql("PRAGMA integrity_check(20)").scalars().all()
    except StoreDamagedError as error:
        rows = [error.found]
    yield from (f"记录库文件检查：{row}" for row in rows if row != "ok")
