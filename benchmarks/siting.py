"""How long does a search for sites take on the bundled plan, after the plan is loaded?

Each question is asked twice in a process of its own, of a plan that is opened and prepared: the
first time nothing is known of its grid, the second time what does not depend on the use is. CPU
seconds; compiled loops are on disk as after a first run. Appends JSON lines to
``results/siting.jsonl``; nothing here is a test.

Usage: ``python benchmarks/siting.py [--times 3]``
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lines import keep, peak_mb

RESULTS = Path(__file__).with_name("results") / "siting.jsonl"
AS_OF = date(2026, 11, 22)
QUESTIONS: dict[str, dict[str, Any]] = {
    "animal kingdom, 2,000 mu of 0903": {"use": "0903", "area_mu": 2000},
    "museum cluster, 6,000 mu of 0803": {"use": "0803", "area_mu": 6000},
    "museum, 100 mu of 0803": {"use": "0803", "area_mu": 100},
    "school, 100 mu of 080403": {"use": "080403", "area_mu": 100},
    "factory, 200 mu of 100101 in Z3": {"use": "100101", "area_mu": 200, "zone": "Z3"},
}
_MOST_S = 5.0


def asked(name: str) -> dict[str, Any]:
    """Return what one question takes, in this process."""
    from gis import find_sites, load_plan

    plan = load_plan().prepare()
    took, search = [], None
    for _ in range(2):
        begun = time.process_time()
        search = find_sites(plan, as_of=AS_OF, **QUESTIONS[name])
        took.append(time.process_time() - begun)
    assert search is not None  # the loop ran
    return {
        "first_s": took[0],
        "again_s": took[1],
        "cell_m": round(search.feasible.cell_m, 2),
        "candidates": len(search.candidates),
        "verdict": search.sites[0].verdict.value if search.sites else None,
        "peak_mb": round(peak_mb()),
    }


def main() -> None:
    """Ask every question some times, each time in a fresh process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--only", choices=QUESTIONS, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.only:
        sys.stdout.write(json.dumps(asked(chosen.only)))
        return
    for name in QUESTIONS:
        script = [sys.executable, __file__, "--only", name]
        runs = [
            json.loads(subprocess.run(script, capture_output=True, text=True, check=True).stdout)
            for _ in range(chosen.times)
        ]
        times = ("first_s", "again_s")
        middle = {key: round(statistics.median(r[key] for r in runs), 3) for key in times}
        made_with = {library: version(library) for library in ("numpy", "shapely")}
        row = {"what": name, **runs[-1], **middle, "times": len(runs), "to_reach_s": _MOST_S}
        keep({**row, **made_with}, RESULTS)


if __name__ == "__main__":
    main()
