"""The long runs: does anything break when machines try for minutes what the tests try for seconds?

Runs the fuzzers, the OpenAPI examples, the property tests of intake, coordinates, the engine, the
search for sites and the list of projects, checks with every overlap built, the kills of the service
and the crowds, and appends one JSON line per run to ``results.jsonl`` or, for kills and crowds, to
``benchmarks/results/kills.jsonl`` and ``crowd.jsonl``; all are committed. Needs the environment of
``make soak``.

Usage: ``python benchmarks/soak/run.py [txt kml api intake wrong siting projects engine both-ways
kills kills-postgresql job-kills crowd] [--seconds 600] [--examples N] [--kills N] [--minutes 30]``
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from both_ways import both_ways  # noqa: E402 - neither folder is a package
from crowd import RESULTS as CROWD_RESULTS  # noqa: E402  # neither folder is a package
from crowd import crowded  # noqa: E402 - the path is set above
from job_kills import killed_at_work  # noqa: E402 - the path is set above
from kills import RESULTS as KILL_RESULTS  # noqa: E402 - the path is set above
from kills import killed  # noqa: E402 - the path is set above
from lines import keep  # noqa: E402 - the path is set above

REPO = HERE.parents[1]
RESULTS = HERE / "results.jsonl"
# Files, and how many examples for each one of the command line: a property costs less.
TESTS = {
    "api": ("tests/test_api_schema.py", 1),
    "intake": ("tests/test_intake_property.py", 5),
    "wrong": ("tests/test_wrong_input.py", 5),
    "siting": ("tests/test_siting.py", 5),
    "projects": ("tests/test_portfolio_importing.py", 2),
    "engine": ("tests/test_engine_*.py", 1),
}
# Kills of the service: where the records are kept, how many workers, and the share of ``--kills``.
KILLS = {"kills": ("sqlite", 1, 1.0), "kills-postgresql": ("postgresql", 2, 0.2)}
RUNS = ("txt", "kml", *TESTS, "both-ways", *KILLS, "job-kills", "crowd")


def fuzzed(kind: str, seconds: float) -> dict[str, Any]:
    """Return what a fuzzer found."""
    script = [sys.executable, str(HERE / "fuzz_intake.py"), kind, "--seconds", str(seconds)]
    done = subprocess.run(script, stdout=subprocess.PIPE, text=True, check=False)
    if not done.stdout.strip():
        return {"what": f"fuzz {kind}", "failures": ["did not run"]}
    return dict(json.loads(done.stdout.splitlines()[-1]))


def tested(name: str, examples: int) -> dict[str, Any]:
    """Return how the tests of a file ended with so many random examples each."""
    begun = time.monotonic()
    pattern, times = TESTS[name]
    files = sorted(str(path.relative_to(REPO)) for path in REPO.glob(pattern))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files],
        cwd=REPO,
        env={**os.environ, "WUQU_EXAMPLES": str(examples * times)},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    sys.stderr.write(done.stdout)
    counts = {word: int(n) for n, word in re.findall(r"(\d+) (passed|failed|error)", done.stdout)}
    failed = re.findall(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    return {
        "what": f"{name} examples",
        "tests": sum(counts.values()),
        "examples": examples * times,
        "seconds": round(time.monotonic() - begun),
        "failures": failed or (["did not run"] if done.returncode else []),
    }


def ran(name: str, options: argparse.Namespace) -> tuple[dict[str, Any], Path]:
    """Return what one run found, and the file that its line belongs to."""
    if name in KILLS:
        store, workers, share = KILLS[name]
        return killed(max(1, round(options.kills * share)), store, workers), KILL_RESULTS
    if name == "job-kills":
        return killed_at_work(options.kills), KILL_RESULTS
    if name == "crowd":
        return crowded(20, options.minutes, workers=1), CROWD_RESULTS
    if name == "both-ways":
        return both_ways(2 * options.examples), RESULTS
    if name in TESTS:
        return tested(name, options.examples), RESULTS
    return fuzzed(name, options.seconds), RESULTS


def main() -> None:
    """Run, append to the results, and fail when anything failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", choices=[*RUNS, []], help="default: all of them")
    parser.add_argument("--seconds", type=float, default=600, help="for each fuzzer")
    parser.add_argument("--examples", type=int, default=1000, help="for each operation or property")
    parser.add_argument("--kills", type=int, default=200, help="kill -9 of the service")
    parser.add_argument("--minutes", type=float, default=30, help="of traffic for the crowd")
    options = parser.parse_args()
    broken = False
    for name in options.what or RUNS:
        found, results = ran(name, options)
        keep(found, results)
        broken = broken or bool(found["failures"])
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
