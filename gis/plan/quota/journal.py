"""Is an append-only file intact, and how does one more line get into it for good?

One JSON object per line. Each line carries its number and the SHA-256 of the line before it, and a
small file beside the journal keeps the SHA-256 of the last one, so that edited, removed and
inserted lines are found, the last line among them. Nothing is ever rewritten or deleted; what a
crash left of an unfinished line is kept aside. What the lines mean is not known here.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gis.errors import PlanError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # there is none on Windows

GENESIS = "0" * 64  # what the first line names as the line before it
LOCK_WAIT_S = 10.0
_LOOK_WAIT_S = 0.5  # a reader only asks whether somebody is writing just now
_POLL_S = 0.02
_WRITABLE = "换到可写的规划数据包文件夹，或检查权限和磁盘空间"


@dataclass(frozen=True, slots=True)
class Journal:
    """The lines of a journal, checked: bytes without line end, and the objects they hold.

    ``torn`` is what stands behind the last line end: the rest of a line that was never finished.
    """

    name: str
    lines: tuple[bytes, ...]
    entries: tuple[Mapping[str, Any], ...]
    torn: bytes = b""

    @property
    def head(self) -> str:
        """SHA-256 of the last line."""
        return _sha256(self.lines[-1]) if self.lines else GENESIS


def read_journal(path: Path) -> Journal:
    """Return the journal, checked line by line; an absent file is an empty journal.

    Raises
    ------
    PlanError
        The file cannot be read, a line is no JSON object, or the chain of lines is broken; the
        line is named.
    """
    found = _read(path)
    if found.torn and fcntl is not None:
        # Perhaps somebody is writing just now: look again when nobody is.
        with suppress(PlanError), _locked(path, shared=True):
            found = _read(path)
    return found


def append(path: Path, compose: Callable[[Journal], Mapping[str, Any]]) -> int:
    """Add one line and return its number once it is on disk.

    Parameters
    ----------
    path
        The journal; created when absent.
    compose
        Gives the entry from the journal as it stands; called with the lock held, so that nobody
        adds a line between looking and writing. What it raises leaves the journal as it was.

    Raises
    ------
    PlanError
        The journal is broken, cannot be written, or is being written for too long.
    """
    with _locked(path, shared=False) as descriptor:
        journal = _read(path)
        number = len(journal.lines) + 1
        entry = {"seq": number, **compose(journal), "prev": journal.head}
        line = json.dumps(entry, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        with _refused(path):
            _keep_aside(path, descriptor, journal.torn)
            _write(path, descriptor, line.encode(), number)
    return number


# --- reading -------------------------------------------------------------------------------------


def _read(path: Path) -> Journal:
    # The anchor first: whoever writes adds the line before the anchor that names it.
    anchor = _anchor(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        data = b""
    except OSError as problem:
        raise PlanError(f"文件无法读取（{problem.strerror}）", file=path.name) from None
    *lines, torn = data.split(b"\n")
    entries = tuple(_entry(path, n, line) for n, line in enumerate(lines, start=1))
    _check_chain(path, lines, entries)
    if anchor is not None:
        _check_anchor(path, lines, *anchor)
    return Journal(path.name, tuple(lines), entries, torn)


def _entry(path: Path, number: int, line: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(
            line.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise PlanError(
            "不是一个完整的 JSON 对象（或有重复的键）",
            file=path.name,
            line=number,
            advice="台账只能由程序追加；请从备份恢复该行",
        )
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key")
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _check_chain(path: Path, lines: list[bytes], entries: tuple[Mapping[str, Any], ...]) -> None:
    before = GENESIS
    for number, (line, entry) in enumerate(zip(lines, entries, strict=True), start=1):
        if entry.get("seq") != number or isinstance(entry.get("seq"), bool):
            raise _broken(path, number, f"序号为 {entry.get('seq')!r}，应为 {number}")
        if entry.get("prev") != before:
            changed = f"第 {number - 1} 行被改动、增加或删除过" if number > 1 else "前面有行被删除"
            raise _broken(path, number, f"所记上一行的校验值不符，{changed}")
        before = _sha256(line)


def _check_anchor(path: Path, lines: list[bytes], count: int, head: str) -> None:
    if count > len(lines):
        raise _broken(path, len(lines) or 1, f"应有至少 {count} 行，只有 {len(lines)} 行")
    if count and _sha256(lines[count - 1]) != head:
        raise _broken(path, count, "与写入时的校验值不符，该行被改动过")


def _broken(path: Path, line: int, found: str) -> PlanError:
    return PlanError(
        f"台账不完整：{found}", file=path.name, line=line, advice="从备份恢复台账，不要手工修改"
    )


def _sha256(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()


# --- writing -------------------------------------------------------------------------------------


def _write(path: Path, descriptor: int, line: bytes, number: int) -> None:
    """Add the line in one write; what could not be written in full is taken back."""
    size = os.fstat(descriptor).st_size
    try:
        if os.write(descriptor, line + b"\n") != len(line) + 1:
            raise OSError(0, "磁盘空间不足")
        os.fsync(descriptor)
        _set_anchor(path, number, _sha256(line))
    except OSError:
        os.ftruncate(descriptor, size)
        os.fsync(descriptor)
        raise


def _keep_aside(path: Path, descriptor: int, torn: bytes) -> None:
    """Move the rest of an unfinished line out of the way, without losing it."""
    if not torn:
        return
    with path.with_suffix(".torn").open("ab") as file:
        file.write(torn + b"\n")
        file.flush()
        os.fsync(file.fileno())
    os.ftruncate(descriptor, os.fstat(descriptor).st_size - len(torn))
    os.fsync(descriptor)


def _anchor(path: Path) -> tuple[int, str] | None:
    """Return how many lines there were at least, and the SHA-256 of the last of them."""
    beside = path.with_suffix(".head")
    try:
        count, head = beside.read_text(encoding="ascii").split()
        return int(count), head
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        raise PlanError("校验文件无法读取", file=beside.name, advice="从备份恢复该文件") from None


def _set_anchor(path: Path, number: int, head: str) -> None:
    beside, new = path.with_suffix(".head"), path.with_suffix(".head.new")
    with new.open("w", encoding="ascii") as file:
        file.write(f"{number} {head}\n")
        file.flush()
        os.fsync(file.fileno())
    new.replace(beside)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make a new name durable; a folder cannot be opened everywhere."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


# --- one writer at a time ------------------------------------------------------------------------


@contextmanager
def _refused(path: Path) -> Iterator[None]:
    """Turn what the file system refuses into one clear message."""
    try:
        yield
    except OSError as problem:
        reason = problem.strerror or type(problem).__name__
        raise PlanError(f"无法写入（{reason}）", file=path.name, advice=_WRITABLE) from None


@contextmanager
def _locked(path: Path, *, shared: bool) -> Iterator[int]:
    """Hold the journal alone, or with other readers; give its descriptor."""
    with _refused(path):
        descriptor = _open(path, shared=shared)
    try:
        with _lock_file(path) if fcntl is None else _flock(path, descriptor, shared=shared):
            yield descriptor
    finally:
        os.close(descriptor)


def _open(path: Path, *, shared: bool) -> int:
    if shared:
        return os.open(path, os.O_RDONLY)
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
    return os.open(path, flags, 0o644)


@contextmanager
def _flock(path: Path, descriptor: int, *, shared: bool) -> Iterator[None]:
    """Hold the lock of the system, which ends with the process, however that ends."""
    mode = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB
    wait_s = _LOOK_WAIT_S if shared else LOCK_WAIT_S
    _patiently(path, lambda: fcntl.flock(descriptor, mode), "稍后重试", wait_s)
    try:
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


@contextmanager
def _lock_file(path: Path) -> Iterator[None]:
    """Hold a lock by a file that only one can create; it outlives a process that is killed."""
    lock = path.with_suffix(".lock")
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY
    advice = f"稍后重试；确认没有程序在写时，删除 {lock.name}"
    _patiently(path, lambda: os.close(os.open(lock, flags)), advice, LOCK_WAIT_S)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def _patiently(path: Path, take: Callable[[], None], advice: str, wait_s: float) -> None:
    deadline = time.monotonic() + wait_s
    while True:
        try:
            return take()
        except (BlockingIOError, FileExistsError):
            if time.monotonic() >= deadline:
                raise PlanError("正被另一个程序写入", file=path.name, advice=advice) from None
        except OSError as problem:
            reason = problem.strerror or type(problem).__name__
            raise PlanError(f"无法锁定（{reason}）", file=path.name, advice=_WRITABLE) from None
        time.sleep(_POLL_S)
