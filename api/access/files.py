"""How do several processes share a small JSON file that any of them may replace at any time?

Readers look at the file's stamp before every use, so a change is known to all workers with their
next request. Writers take turns and replace the file in one step, so nobody reads half of it.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

LOCK_WAIT_S = 10.0
_Stamp = tuple[int, int, int]


class SharedFile:
    """One JSON file that only its owner may read.

    Parameters
    ----------
    path
        The file; its folder is made when something is written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp: _Stamp | None = None
        self._content: Any = None

    def changed(self) -> bool:
        """Return whether the file is another one than ``read`` returned last."""
        return self._look() != self._stamp

    def read(self) -> Any:
        """Return the content, None when there is no file.

        Raises
        ------
        OSError
            The file cannot be read.
        ValueError
            It holds no JSON.
        """
        try:
            with self.path.open("rb") as stream:
                # The stamp of what is being read, not of what may take its place meanwhile.
                stamp = _stamp(os.fstat(stream.fileno()))
                content = json.loads(stream.read())
            if content is None:
                raise ValueError("null")
        except FileNotFoundError:
            stamp, content = None, None
        self._stamp, self._content = stamp, content
        return content

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only writer; raise TimeoutError when somebody else is for too long."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_name(f"{self.path.name}.lock")
        lock = FileLock(beside, mode=0o600)
        try:
            lock.acquire(timeout=LOCK_WAIT_S)
        except Timeout:
            raise TimeoutError(self.path.name) from None
        try:
            if beside.exists():
                self._like_before(beside)
            yield
        finally:
            lock.release()

    def write(self, content: Any) -> None:
        """Replace the file; call it inside ``locked``."""
        descriptor, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                json.dump(content, stream, ensure_ascii=False, indent=1)
                stream.flush()
                os.fsync(stream.fileno())
            self._like_before(Path(name))
            Path(name).replace(self.path)
            _sync_folder(self.path.parent)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        self.read()

    def _look(self) -> _Stamp | None:
        try:
            return _stamp(self.path.stat())
        except FileNotFoundError:
            return None

    def _like_before(self, made: Path) -> None:
        """Give the new file to whom the old one, or else the folder, belongs.

        An administrator's command must not take the file away from the account of the service.
        """
        kept = self.path if self.path.exists() else self.path.parent
        if hasattr(os, "chown"):
            owner = kept.stat()
            with suppress(PermissionError):
                os.chown(made, owner.st_uid, owner.st_gid)


def _stamp(found: os.stat_result) -> _Stamp:
    return found.st_ino, found.st_mtime_ns, found.st_size


def _sync_folder(folder: Path) -> None:
    """Make the new name durable, where folders can be opened."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
