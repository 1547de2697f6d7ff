"""How long does the report of one site take, as PDF and as DOCX? Promise: under 3 s each.

The bundled sample with the most to report, a park of 2,000 mu, brought to 20 findings that need
work by repeating those that are drawn, so that every kind of content is there. ``cold`` is a fresh
process from the finished check to the file, with all imports; ``warm`` the same once more. Appends
JSON lines to ``results/report.jsonl``; nothing here is a test.

Usage: ``python benchmarks/report.py [--times 5]``
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from importlib.metadata import version
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from lines import REPO, keep

RESULTS = Path(__file__).with_name("results") / "report.jsonl"
SAMPLE = REPO / "data" / "samples" / "theme_park_2000mu.geojson"
FINDINGS = 20
_CLEAR = {"pass", "not_applicable"}
# One process: the plan is open and the check is done before the clock starts.
_TIMED = """
import json, sys, time
import gis
document = json.load(open(sys.argv[1], encoding="utf-8"))
plan = gis.load_plan()
laps = []
for _ in range(2):
    wall, cpu = time.perf_counter(), time.process_time()
    path = gis.site_report(document, plan, sys.argv[2])
    laps.append([time.perf_counter() - wall, time.process_time() - cpu])
print(json.dumps({"laps": laps, "bytes": path.stat().st_size}))
"""


def document() -> dict[str, Any]:
    """Return the check of the park with 20 findings that need work."""
    import gis

    plan = gis.load_plan()
    site = gis.read_site(SAMPLE, plan)
    made = gis.to_dict(gis.check_site(site, plan, use="0903", as_of=date(2026, 11, 22)))
    todo = [f for f in made["findings"] if f["verdict"] not in _CLEAR]
    drawn = [f for f in todo if f.get("geometry")]
    more = list(islice(cycle(drawn), FINDINGS - len(todo)))
    return {**made, "findings": [*more, *made["findings"]]}


def results(times: int) -> Iterator[dict[str, Any]]:
    """Yield one row for each kind of paper."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "check.json"
        source.write_text(json.dumps(document()), encoding="utf-8")
        for kind in ("pdf", "docx"):
            command = [sys.executable, "-c", _TIMED, str(source), f"{folder}/report.{kind}"]
            found = [
                json.loads(
                    subprocess.run(command, check=True, capture_output=True, cwd=REPO).stdout
                )
                for _ in range(times)
            ]
            row: dict[str, Any] = {"name": f"report as {kind}, {FINDINGS} findings"}
            for place, lap in enumerate(("cold", "warm")):
                wall, cpu = zip(*(one["laps"][place] for one in found), strict=True)
                row[f"{lap}_wall_s"] = round(statistics.median(wall), 3)
                row[f"{lap}_cpu_s"] = round(statistics.median(cpu), 3)
            yield row | {"bytes": found[0]["bytes"]}


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    times: int = parser.parse_args().times
    RESULTS.parent.mkdir(exist_ok=True)
    versions = {name: version(name) for name in ("typst", "python-docx", "shapely")}
    for row in results(times):
        keep(
            {"workload": "report", "engine": "wuqu-kernel", "n": 1} | row | {"versions": versions},
            RESULTS,
        )


if __name__ == "__main__":
    main()
