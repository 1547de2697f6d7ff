"""How is a measurement kept? As one JSON line with its date and the commit that it speaks of.

The files of lines are committed; they carry no host, path or name of a person.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[1]
# A folder for lines that are not to be committed, in place of that of the script.
ELSEWHERE = "BENCH_RESULTS"
# What the scripts write themselves: lines of one script say nothing about the code of the next.
_WRITTEN = (":!benchmarks/results", ":!benchmarks/*.jsonl", ":!benchmarks/README.md")


def keep(row: Mapping[str, Any], path: Path) -> None:
    """Print one line and append it to a file of lines."""
    stamp = {"date": datetime.now(UTC).date().isoformat(), "commit": commit()}
    line = json.dumps({**stamp, **row}, ensure_ascii=False) + "\n"
    folder = os.environ.get(ELSEWHERE)
    place = Path(folder) / path.name if folder else path
    with place.open("a", encoding="utf-8") as file:
        file.write(line)
    sys.stdout.write(line)
    sys.stdout.flush()


def peak_mb(pid: int | str = "self") -> float:
    """Return the peak memory of a process since it was started.

    Not ``ru_maxrss``: a child begins with that of its parent.
    """
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    raise ValueError("no VmHWM")


def commit(repo: Path = REPO) -> str:
    """Return the commit that is tried, with a mark when files other than results differ from it."""

    def git(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["git", *words], cwd=repo, capture_output=True, text=True, check=False
        )

    head = git("rev-parse", "--short=12", "HEAD").stdout.strip()
    changed = git("diff", "--quiet", "HEAD", "--", ".", *_WRITTEN).returncode != 0
    return f"{head}-dirty" if changed else head
