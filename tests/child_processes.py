"""Which processes has a process started? Read from /proc, so on Linux only."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def children_of(pid: int) -> list[int]:
    """Return the ids of the children, which belong to the thread that started them."""
    found: list[int] = []
    with suppress(OSError):  # gone while it was looked at
        for thread in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (thread / "children").read_text(encoding="utf-8").split())
    return found


def is_spawned(pid: int) -> bool:
    """Whether a process was spawned to work; beside those one tidies up after them."""
    return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
