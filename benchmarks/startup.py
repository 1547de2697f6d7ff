"""Where does the time of a cold start go? Part of W4.

Fresh processes, with byte code and compiled loops on disk as after a first run: ``python -c pass``,
``import gis``, ``wuqu --help`` and ``wuqu check`` of the bundled sample. The check is also taken
apart: imports by library (``-X importtime``) and the steps of the command. ``first run ever`` has
no compiled loops yet. Appends JSON lines to ``results/w4.jsonl``; nothing here is a test.

Usage: ``python benchmarks/startup.py [--times 7]``
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lines import REPO, keep

RESULTS = Path(__file__).with_name("results") / "w4.jsonl"
SAMPLE = REPO / "data" / "samples" / "yizhong_xinxiao.txt"
WUQU = (sys.executable, "-m", "gis.cli")
COMMANDS: dict[str, tuple[str, ...]] = {
    "python -c pass": (sys.executable, "-c", "pass"),
    "import gis": (sys.executable, "-c", "import gis"),
    "wuqu --help": (*WUQU, "--help"),
    "wuqu check": (*WUQU, "check", str(SAMPLE)),
}
PACKAGES = ("geopandas", "numba", "numpy", "pandas", "pyogrio", "shapely")
_IMPORT = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)")
# What one check does, step by step; each prints its CPU seconds.
_STEPS = """
import gc, json, sys, time
gc.set_threshold(50_000)
laps, last = {}, time.process_time()
def lap(name):
    global last
    now = time.process_time(); laps[name] = round(now - last, 4); last = now
import gis.cli; lap("command line")
import numpy, shapely; lap("import numpy, shapely")
import pyogrio; lap("import pandas, geopandas, pyogrio")
import pydantic, pyproj; lap("import pydantic, pyproj")
import gis.canonical, gis.check, gis.console, gis.intake.read, gis.plan; lap("import gis, the rest")
from gis.plan import area, catalogue
from gis.tomlfile import read_model
root = area.find_plan(None); file = read_model(root / "plan.toml", area.PlanFile)
bounds = area._bounds_polygon(file.plan); lap("plan.toml")
layers = {e.id: catalogue.open_layer(e, root, file.plan.work_crs, bounds) for e in file.layer}
lap("open the layers")
for layer in layers.values():
    if layer.state == "checked": catalogue.content_sha256(layer.index)
lap("hash them (once more)")
book = area.load_rulebook(file.plan.rulebooks, root); lap("rule books")
plan = area.Plan(root, file, layers, book)
site = gis.intake.read.read_site(sys.argv[1], plan); lap("read the site")
import gis.engine.kernel_loops; lap("import numba")
plan.stack; lap("pieces of all layers")
from gis.plan.quota.ledger import ledger_of
ledger_of(plan); lap("quota ledger")
check = gis.check.check_site(site, plan); lap("check, loading compiled loops")
gis.check.check_site(site, plan); lap("the same check once more")
from rich.console import Console
nowhere = Console(file=open("/dev/null", "w"))
gis.console.print_check(nowhere, gis.canonical.to_dict(check)); lap("print")
print(json.dumps(laps))
"""


def run(command: tuple[str, ...], env: Mapping[str, str]) -> tuple[float, float]:
    """Return CPU and wall seconds of a process."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL, cwd=REPO)
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def imports(env: Mapping[str, str]) -> dict[str, float]:
    """Return the seconds that modules of each library took to import in a check, largest first."""
    command = [sys.executable, "-X", "importtime", *WUQU[1:], "check", str(SAMPLE)]
    out = subprocess.run(command, env=env, check=True, capture_output=True, text=True, cwd=REPO)
    sums: Counter[str] = Counter()
    for own, module in _IMPORT.findall(out.stderr):
        library = module.split(".")[0].lstrip("_")
        sums["standard library" if library in sys.stdlib_module_names else library] += int(own)
    return {name: round(own / 1e6, 3) for name, own in sums.most_common(12)}


def results(times: int, env: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Yield one row per command, then where the time of the check goes."""
    for name, command in COMMANDS.items():
        run(command, env)  # writes byte code
        found = [run(command, env) for _ in range(times)]
        cpu, wall = zip(*found, strict=True)
        yield {
            "name": name,
            "cpu_s": round(statistics.median(cpu), 3),
            "cpu_min_s": round(min(cpu), 3),
            "wall_s": round(statistics.median(wall), 3),
        }
    with tempfile.TemporaryDirectory() as empty:
        cpu_s, wall_s = run(COMMANDS["wuqu check"], env | {"NUMBA_CACHE_DIR": empty})
    yield {
        "name": "wuqu check, first run ever",
        "cpu_s": round(cpu_s, 3),
        "wall_s": round(wall_s, 3),
    }
    yield {"name": "wuqu check, imports by library", "cpu_s_of": imports(env)}
    out = subprocess.run(
        [sys.executable, "-c", _STEPS, str(SAMPLE)],
        env=env, check=True, capture_output=True, text=True, cwd=REPO,
    )  # fmt: skip
    yield {"name": "wuqu check, step by step", "cpu_s_of": json.loads(out.stdout)}


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=7)
    options = parser.parse_args()
    RESULTS.parent.mkdir(exist_ok=True)
    versions = {name: version(name) for name in PACKAGES}
    with tempfile.TemporaryDirectory() as folder:
        env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        env |= {"PYTHONPYCACHEPREFIX": folder}
        for row in results(options.times, env):
            keep(
                {"workload": "W4", "engine": "wuqu-kernel", "n": 1} | row | {"versions": versions},
                RESULTS,
            )


if __name__ == "__main__":
    main()
