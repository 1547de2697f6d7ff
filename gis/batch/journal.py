"""Which chunks of a batch are done, and may an interrupted batch go on?

A folder beside the output: a header that says what is being judged by what, and one file per
finished chunk. Each appears whole (written beside, then renamed), so that whatever stops a batch
leaves finished chunks and nothing else. Another input, plan, rule book, day or wish is refused: two
answers never get into one table.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gis.errors import ClaimError

FORMAT = 1
_HEADER = "batch.json"
_CHUNK = "{:06d}.jsonl"
_LABELS = {
    "format": "中间结果的格式",
    "input": "输入数据",
    "plan": "规划数据包",
    "rulebook": "规则库",
    "as_of": "法规时点",
    "wishes": "选项",
    "chunk_size": "分块大小",
}


@dataclass(frozen=True, slots=True)
class Header:
    """What is judged by what: hashes of input, plan and rule book, day, options, chunk size."""

    input: str
    plan: str
    rulebook: str
    as_of: str
    wishes: Mapping[str, Any]
    chunk_size: int
    format: int = FORMAT


class Journal:
    """The finished chunks of a batch."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def day(self) -> str | None:
        """Return the day of the law of an interrupted batch, None when there is none."""
        header = self._header()
        return None if header is None else str(header.get("as_of"))

    def open(self, header: Header) -> None:
        """Start, or go on.

        Raises
        ------
        ClaimError
            The folder belongs to a batch with another input, plan or option.
        """
        known, own = self._header(), asdict(header)
        if known is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            for file in self.folder.glob("*.jsonl"):  # without a header nobody knows whose they are
                file.unlink()
            _written(self.folder / _HEADER, json.dumps(own, ensure_ascii=False).encode())
            return
        differing = [label for key, label in _LABELS.items() if known.get(key) != own[key]]
        if differing:
            raise ClaimError(
                f"“{self.folder.name}”中有一次未完成的批量检测，其{'、'.join(differing)}与这次不同",
                expected="与中断时相同的输入、规划和选项",
                advice="恢复原来的输入和选项后继续；或删除该文件夹，或换一个输出文件，重新检测",
            )

    def _header(self) -> dict[str, Any] | None:
        try:
            found = json.loads((self.folder / _HEADER).read_bytes())
        except (FileNotFoundError, json.JSONDecodeError, UnicodeDecodeError):
            return None
        return found if isinstance(found, dict) else None

    def add(self, number: int, lines: bytes) -> None:
        """Enter a finished chunk; once this returns it is on disk."""
        checksum = hashlib.sha256(lines).hexdigest()
        _written(self.folder / _CHUNK.format(number), f"{checksum}\n".encode() + lines)

    def chunk(self, number: int) -> bytes | None:
        """Return the lines of a finished chunk; None when it is missing or damaged."""
        try:
            checksum, _, lines = (self.folder / _CHUNK.format(number)).read_bytes().partition(b"\n")
        except FileNotFoundError:
            return None
        return lines if hashlib.sha256(lines).hexdigest().encode() == checksum else None

    def remove(self) -> None:
        """Forget the batch: its table is written."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _written(path: Path, content: bytes) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with beside.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(path)
    with suppress(OSError, AttributeError):  # a folder cannot be synced everywhere
        descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
