"""The append-only file: every later change is found, and no acknowledged line is ever lost."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gis.errors import PlanError
from gis.plan.quota import journal
from gis.plan.quota.journal import GENESIS, append, read_journal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "j.jsonl"


def written(path: Path, count: int) -> Path:
    for n in range(count):
        append(path, lambda _, n=n: {"what": f"第 {n} 条"})
    return path


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().split(b"\n")[:-1]


def put(path: Path, lines: list[bytes]) -> None:
    path.write_bytes(b"".join(line + b"\n" for line in lines))


def test_an_absent_file_is_an_empty_journal(path: Path) -> None:
    found = read_journal(path)
    assert (found.lines, found.torn, found.head) == ((), b"", GENESIS)
    assert not path.exists()


def test_each_line_names_its_number_and_the_line_before(path: Path) -> None:
    found = read_journal(written(path, 3))
    assert [entry["seq"] for entry in found.entries] == [1, 2, 3]
    assert [entry["what"] for entry in found.entries] == ["第 0 条", "第 1 条", "第 2 条"]
    before = [GENESIS, *(hashlib.sha256(line).hexdigest() for line in found.lines)]
    assert [entry["prev"] for entry in found.entries] == before[:-1]
    assert found.head == before[-1]


# --- changes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [0, 1, 2, 3])
def test_an_edited_line_is_found_the_last_one_too(path: Path, at: int) -> None:
    lines = lines_of(written(path, 4))
    lines[at] = lines[at].replace("条".encode(), "项".encode())
    put(path, lines)
    with pytest.raises(PlanError, match="台账不完整") as caught:
        read_journal(path)
    # The line after an edited one does not fit any more; the last is held by the anchor.
    assert caught.value.line == min(at + 2, 4)


@pytest.mark.parametrize("at", [0, 1, 2, 3])
def test_a_removed_line_is_found_the_last_one_too(path: Path, at: int) -> None:
    lines = lines_of(written(path, 4))
    del lines[at]
    put(path, lines)
    with pytest.raises(PlanError, match="台账不完整"):
        read_journal(path)


def test_lines_put_in_or_exchanged_are_found(path: Path) -> None:
    lines = lines_of(written(path, 3))
    for changed in (
        [lines[0], lines[0], lines[1], lines[2]],
        [lines[1], lines[0], lines[2]],
        [*lines, lines[2]],
    ):
        put(path, changed)
        with pytest.raises(PlanError, match="台账不完整"):
            read_journal(path)


def test_a_whole_file_that_vanished_is_found(path: Path) -> None:
    written(path, 2).unlink()
    with pytest.raises(PlanError, match="应有至少 2 行"):
        read_journal(path)
    with pytest.raises(PlanError, match="应有至少 2 行"):
        append(path, lambda _: {})


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"null",
        b"[]",
        b"\xff\xfe",
        b'{"seq":1,"seq":2}',
        b'{"seq":NaN}',
        b"[" * 100_000,
        b"\x00" * 50,
    ],
)
def test_a_line_that_is_no_object_is_named(path: Path, line: bytes) -> None:
    put(path, [line])
    with pytest.raises(PlanError, match="第 1 行"):
        read_journal(path)


@pytest.mark.parametrize("seq", [True, "1", 1.5, None, 2])
def test_a_number_that_is_not_that_of_the_line_is_refused(path: Path, seq: object) -> None:
    put(path, [json.dumps({"seq": seq, "prev": GENESIS}).encode()])
    with pytest.raises(PlanError, match="第 1 行"):
        read_journal(path)


def test_without_its_anchor_the_chain_still_holds(path: Path) -> None:
    # A package that was copied without the small file beside the journal.
    lines = lines_of(written(path, 3))
    path.with_suffix(".head").unlink()
    assert len(read_journal(path).lines) == 3
    put(path, [lines[0], lines[1].replace(b"1", b"7"), lines[2]])
    with pytest.raises(PlanError):
        read_journal(path)


def test_an_anchor_that_says_nothing_is_refused(path: Path) -> None:
    written(path, 1)
    path.with_suffix(".head").write_text("nonsense", encoding="ascii")
    with pytest.raises(PlanError, match="校验文件"):
        read_journal(path)


# --- crashes --------------------------------------------------------------------------------------


def test_a_line_torn_at_any_byte_is_kept_aside_and_never_used(path: Path) -> None:
    whole = written(path, 3).read_bytes()
    start = len(b"\n".join(whole.split(b"\n")[:2])) + 1
    # As a crash leaves it: the anchor is written after the line, so it still names the second.
    anchor = f"2 {hashlib.sha256(whole.split(bytes([10]))[1]).hexdigest()}\n"
    for end in range(start + 1, len(whole)):
        path.write_bytes(whole[:end])
        path.with_suffix(".head").write_text(anchor, encoding="ascii")
        found = read_journal(path)
        assert len(found.lines) == 2
        assert found.torn == whole[start:end]
        assert path.read_bytes() == whole[:end]  # reading changes nothing
    append(path, lambda _: {"what": "新"})
    found = read_journal(path)
    assert [entry.get("what") for entry in found.entries] == ["第 0 条", "第 1 条", "新"]
    assert found.torn == b""
    assert path.with_suffix(".torn").read_bytes() == whole[start:-1] + b"\n"


def test_a_line_without_anchor_counts_because_it_is_whole(path: Path) -> None:
    # Killed between the line and the anchor: nobody was told, but nothing is torn either.
    whole = written(path, 3).read_bytes()
    anchor = f"2 {hashlib.sha256(whole.split(bytes([10]))[1]).hexdigest()}\n"
    path.with_suffix(".head").write_text(anchor, encoding="ascii")
    assert len(read_journal(path).lines) == 3
    assert append(path, lambda _: {}) == 4


CHILD = """
import sys
from pathlib import Path
from gis.plan.quota.journal import append
path, count, name = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
for n in range(count):
    number = append(path, lambda _: {"what": f"{name}-{n}", "fill": "土" * 400})
    print(number, flush=True)
"""


def start(path: Path, count: int, name: str, repo: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CHILD, str(path), str(count), name]
    return subprocess.Popen(command, cwd=repo, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("after", [1, 7, 30])
def test_a_killed_writer_loses_no_acknowledged_line(path: Path, repo: Path, after: int) -> None:
    child = start(path, 1_000_000, "甲", repo)
    acknowledged = [int(child.stdout.readline()) for _ in range(after)]
    child.kill()
    # What it managed to say before the kill arrived was acknowledged, too.
    acknowledged += [int(line) for line in child.stdout.read().split("\n")[:-1]]
    child.wait()
    child.stdout.close()
    found = read_journal(path)
    assert len(found.lines) >= len(acknowledged)
    assert acknowledged == list(range(1, len(acknowledged) + 1))
    assert [e["what"] for e in found.entries] == [f"甲-{n}" for n in range(len(found.lines))]
    assert append(path, lambda _: {"what": "乙"}) == len(found.lines) + 1
    assert read_journal(path).entries[-1]["what"] == "乙"


def test_two_writers_at_once_never_break_the_chain(path: Path, repo: Path) -> None:
    children = [start(path, 25, name, repo) for name in ("甲", "乙")]
    said = [int(n) for child in children for n in child.communicate()[0].split()]
    assert sorted(said) == list(range(1, 51))
    found = read_journal(path)
    for name in ("甲", "乙"):
        own = [e["what"] for e in found.entries if e["what"].startswith(name)]
        assert own == [f"{name}-{n}" for n in range(25)]


# --- what the system refuses ----------------------------------------------------------------------


def test_a_full_disk_leaves_the_journal_as_it_was(path: Path, monkeypatch) -> None:
    before = written(path, 2).read_bytes()
    real = os.write
    monkeypatch.setattr(journal.os, "write", lambda fd, data: real(fd, data[: len(data) // 2]))
    with pytest.raises(PlanError, match="无法写入"):
        append(path, lambda _: {"what": "第三条"})
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert append(path, lambda _: {}) == 3


def test_an_anchor_that_cannot_be_written_takes_the_line_back(path: Path, monkeypatch) -> None:
    before = written(path, 2).read_bytes()

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(journal, "_set_anchor", refuse)
    with pytest.raises(PlanError, match="No space left"):
        append(path, lambda _: {"what": "第三条"})
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert len(read_journal(path).lines) == 2


def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="无法写入"):
        append(tmp_path / "absent" / "j.jsonl", lambda _: {})
    (tmp_path / "j.jsonl").mkdir()
    with pytest.raises(PlanError, match="无法写入"):
        append(tmp_path / "j.jsonl", lambda _: {})
    with pytest.raises(PlanError, match="无法读取"):
        read_journal(tmp_path / "j.jsonl")


def test_a_read_only_folder_is_one_clear_error(path: Path, monkeypatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(journal.os, "open", refuse)
    with pytest.raises(PlanError, match=r"Read-only file system.*可写"):
        append(path, lambda _: {})


def test_what_the_caller_refuses_leaves_no_line(path: Path) -> None:
    before = written(path, 1).read_bytes()

    def refuse(_: object) -> dict[str, object]:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        append(path, refuse)
    assert path.read_bytes() == before
    assert append(path, lambda _: {}) == 2  # and the lock is free again


# --- one writer at a time -------------------------------------------------------------------------


@pytest.fixture(params=["system", "file"])
def lock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The lock of the system, and the one by a file where there is none."""
    if request.param == "file":
        monkeypatch.setattr(journal, "fcntl", None)
    return request.param


@pytest.mark.usefixtures("lock")
def test_nobody_writes_while_somebody_else_does(path: Path, monkeypatch) -> None:
    monkeypatch.setattr(journal, "LOCK_WAIT_S", 0.0)

    def inside(_: object) -> dict[str, object]:
        with pytest.raises(PlanError, match="正被另一个程序写入"):
            append(path, lambda _: {"what": "乙"})
        return {"what": "甲"}

    assert append(path, inside) == 1
    assert append(path, lambda _: {"what": "丙"}) == 2
    assert [e["what"] for e in read_journal(path).entries] == ["甲", "丙"]


def test_a_lock_file_that_a_crash_left_says_what_to_do(path: Path, monkeypatch) -> None:
    monkeypatch.setattr(journal, "fcntl", None)
    monkeypatch.setattr(journal, "LOCK_WAIT_S", 0.0)
    path.with_suffix(".lock").touch()
    with pytest.raises(PlanError, match=r"删除 j\.lock"):
        append(path, lambda _: {})
    path.with_suffix(".lock").unlink()
    assert append(path, lambda _: {}) == 1
    assert not path.with_suffix(".lock").exists()


@pytest.mark.usefixtures("lock")
def test_reading_needs_no_lock_and_leaves_no_file(path: Path) -> None:
    written(path, 2)
    names = {p.name for p in path.parent.iterdir()}
    assert len(read_journal(path).lines) == 2
    assert {p.name for p in path.parent.iterdir()} == names
    assert names == {"j.jsonl", "j.head"}
