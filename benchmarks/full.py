"""All workloads one after the other, then the table: small for every day, full on a quiet machine.

Usage: ``python benchmarks/full.py [--small] [--million]``
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lines import ELSEWHERE

HERE = Path(__file__).parent
Steps = list[tuple[str, ...]]
SMALL: Steps = [
    ("w1.py", "--scale", "0.04", "-n", "2000"),
    ("w2.py", "--scale", "0.04", "-n", "300"),
    ("whole.py", "--scale", "0.04", "-n", "1000", "3000"),
    ("w3_raster.py", "--pixels", "10", "--parcels", "1000"),
    ("startup.py", "--times", "3"),
    ("report.py", "--times", "2"),
    ("w6.py", "--seconds", "2"),
]
FULL: Steps = [
    ("w1.py", "--scale", "1", "-n", "10000"),
    ("w1.py", "--scale", "1", "-n", "100000", "--engines", "wuqu-kernel", "shapely-tuned"),
    ("w2.py", "--scale", "1", "-n", "2000"),
    ("whole.py", "--scale", "1", "-n", "10000", "100000"),
    ("workers.py", "-n", "10000", "40000"),
    ("w3_raster.py",),
    ("startup.py",),
    ("report.py",),
    ("w6.py",),
]
# An hour of their own.
MILLION: Steps = [
    ("w1.py", "--scale", "1", "-n", "1000000", "--engines", "wuqu-kernel"),
    ("whole.py", "--scale", "1", "-n", "10000", "1000000"),
]


def run(steps: Steps, environment: dict[str, str]) -> list[str]:
    """Run scripts one after the other, also after one has failed; return those that failed."""
    failed = []
    for script, *words in steps:
        begun = time.perf_counter()
        command = [sys.executable, str(HERE / script), *words]
        done = subprocess.run(command, check=False, env=os.environ | environment)
        failed += [script] if done.returncode else []
        sys.stderr.write(f"{script} {' '.join(words)}: {time.perf_counter() - begun:.0f} s\n")
    return failed


def main() -> None:
    """Run the steps and make the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="a county of 1/25 of the area")
    parser.add_argument("--million", action="store_true", help="also a million parcels")
    options = parser.parse_args()
    begun = time.perf_counter()
    if options.small:
        # Lines of a small county are for the screen; those of the full one are committed.
        with tempfile.TemporaryDirectory() as folder:
            words = ("--print", "--scale", "0.04", "--results", folder)
            failed = run([*SMALL, ("table.py", *words)], {ELSEWHERE: folder})
    else:
        failed = run([*FULL, *(MILLION if options.million else []), ("table.py",)], {})
    sys.stderr.write(f"all of it: {(time.perf_counter() - begun) / 60:.1f} min\n")
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
