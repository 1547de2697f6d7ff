"""Where do the files of a job lie? A folder per job: the upload, its rows, what was written of it.

Every file appears whole: written beside, brought to disk, renamed. No name from outside becomes a
path; a job is named by its own id.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

_UPLOAD = "upload.bin"


class JobFolder:
    """The files of one job.

    Parameters
    ----------
    root
        The folder of all jobs.
    job_id
        Made by the store: 32 hexadecimal digits.
    """

    def __init__(self, root: Path, job_id: str) -> None:
        self.path = root / job_id

    def write_upload(self, content: bytes) -> None:
        """Keep the upload; once this returns it is on disk."""
        write_whole(self.path / _UPLOAD, content)

    def upload(self) -> bytes:
        """Return the upload; raise FileNotFoundError when it is gone."""
        return (self.path / _UPLOAD).read_bytes()

    def rows(self, chunk: int) -> Path:
        """Return where the rows of a chunk lie."""
        return self.path / "rows" / f"{chunk:06d}.rows"

    def report(self, row: int) -> Path:
        """Return where the report of one row lies until all are put together."""
        return self.path / "reports" / f"{row:06d}.pdf"

    def result(self, suffix: str) -> Path:
        """Return where a result lies."""
        return self.path / f"results.{suffix}"

    def forget_rows(self) -> None:
        """Remove what is needed for judging only."""
        shutil.rmtree(self.path / "rows", ignore_errors=True)
        (self.path / _UPLOAD).unlink(missing_ok=True)

    def forget_reports(self) -> None:
        """Remove the single reports: the zip holds them."""
        shutil.rmtree(self.path / "reports", ignore_errors=True)

    def remove(self) -> None:
        """Remove everything."""
        shutil.rmtree(self.path, ignore_errors=True)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that is there whole or not at all, and on disk when this returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    with suppress(OSError, AttributeError):  # a folder cannot be synced everywhere
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
