"""The table of results in ``README.md``, written from the raw lines: newest line of each kind.

A ratio was written by the run that measured both sides. What is not met is marked, and
what is not measured has no mark. Nothing is typed in by hand but the targets.

Usage: ``python benchmarks/table.py [--print] [--results FOLDER] [--scale 1]``
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
README = HERE / "README.md"
START, END = "<!-- results -->", "<!-- end of results -->"
Line = dict[str, Any]
MOST_SIDE_BY_SIDE = 10_000


@dataclass(frozen=True)
class Target:
    """One row: what is measured, the limit if any, and whether less or more is better."""

    what: str
    value: float | None
    limit: float | None
    unit: str
    at_least: bool

    @property
    def mark(self) -> str:
        """met, missed, or nothing."""
        if self.value is None or self.limit is None:
            return "–"
        good = self.value >= self.limit if self.at_least else self.value <= self.limit
        return "met" if good else "**missed**"

    def row(self) -> str:
        """Return the row of the table."""
        sign = "≥" if self.at_least else "≤"
        limit = "–" if self.limit is None else f"{sign} {self.limit:g} {self.unit}"
        value = "not measured" if self.value is None else f"{self.value:,.3g} {self.unit}"
        if self.value is not None and self.value >= 1_000:
            value = f"{self.value:,.0f} {self.unit}"
        return f"| {self.what} | {limit} | {value} | {self.mark} |"


def lines(folder: Path, scale: float) -> list[Line]:
    """Return the raw lines of a county of one size, and those that need none; oldest first."""
    found: list[Line] = []
    for path in sorted(folder.glob("*.jsonl")):
        found += [json.loads(text) for text in path.read_text(encoding="utf-8").splitlines()]
    # Lines of the long runs of the service stand beside these and belong to no workload.
    return [x for x in found if "workload" in x and x.get("scale", scale) == scale]


class Newest:
    """Finds the newest line with some values."""

    def __init__(self, found: Sequence[Line]) -> None:
        self._found = found

    def __call__(self, key: str, /, **wanted: Any) -> float | None:
        """Return one value of it, None when there is no such line."""
        line = self.line(**wanted)
        return None if line is None or line.get(key) is None else float(line[key])

    def line(self, **wanted: Any) -> Line | None:
        """Return the whole line."""
        fits = (x for x in reversed(self._found) if all(x.get(k) == v for k, v in wanted.items()))
        return next(fits, None)

    def before(self, line: Line, **wanted: Any) -> Line | None:
        """Return the newest line of the same commit that stands before another, or none."""
        place = next(n for n, x in enumerate(self._found) if x is line)
        return Newest(self._found[:place]).line(commit=line.get("commit"), **wanted)


_PEERS = (
    ("geopandas-overlay", "geopandas.overlay per layer", 80.0),
    ("geopandas-sjoin", "sjoin + intersection", 80.0),
    ("shapely-tuned", "shapely, well made", 5.0),
    ("postgis", "PostGIS, subdivided + GiST", 15.0),
    ("sedonadb", "SedonaDB, subdivided", 12.0),
    ("duckdb-spatial", "DuckDB spatial, subdivided", 15.0),
)


def side_by_side(found: Sequence[Line]) -> Newest:
    """Leave out the runs of W1 that only ours and one peer took part in, with more parcels."""
    return Newest([x for x in found if x["workload"] != "W1" or x.get("n", 0) <= MOST_SIDE_BY_SIDE])


def compared(line: Line) -> bool:
    """Return whether the answers of a line of W1 were held against those of another engine.

    Lines of the first engine of a run once said that it differs in nothing from itself.
    """
    return "max_abs_diff_m2" in line and ("ratio" in line or "checked" in line)


def beside_peers(newest: Newest) -> Line | None:
    """Return the line of our kernel that the newest peers were measured beside.

    A run of ours alone may be newer; its figures say nothing about those peers.
    """
    ours = {"workload": "W1", "engine": "wuqu-kernel"}
    last = newest.line(workload="W1", engine="wuqu-geos")
    own = None if last is None else newest.before(last, **ours)
    return own or newest.line(**ours)


def targets(found: Sequence[Line]) -> Iterator[Target]:
    """Yield the rows, in the order of the workloads."""
    newest, every, w1 = side_by_side(found), Newest(found), {"workload": "W1"}
    for engine, title, limit in _PEERS:
        value = newest("ratio", engine=engine, **w1)
        yield Target(f"W1 against {title}", value, limit, "x", True)
    floor = newest("ratio", engine="geos-floor", **w1)
    share = None if floor is None else 1 / floor
    yield Target("W1 whole run / GEOS intersections alone", share, 0.30, "", False)
    ours = beside_peers(newest)
    per_s = ours["per_s"] if ours is not None and ours.get("n") == 10_000 else None
    yield Target("W1 parcels per CPU second", per_s, 7_000, "/s", True)
    told = [
        newest.line(engine=engine, **w1)
        for engine in ("wuqu-geos", "geos-floor", *(e for e, _, _ in _PEERS))
    ]
    gaps = [line["max_abs_diff_m2"] for line in told if line is not None and compared(line)]
    yield Target("W1 largest difference to any peer", max(gaps, default=None), 1e-5, "m²", False)
    yield from _million(every)
    yield from _single(newest)
    yield from _county(newest)
    yield from _raster(newest)
    yield from _start(newest)
    yield from _maps(newest)
    yield from _service(newest)
    yield from _paper(newest)


def _million(every: Newest) -> Iterator[Target]:
    ours: Line = {"workload": "W1", "engine": "wuqu-kernel"}
    line = every.line(**ours, n=1_000_000) or {}
    yield Target("W1 1 M parcels, memory", line.get("rss_mb"), 4_096, "MB", False)
    gap = line["max_abs_diff_m2"] if compared(line) else None
    what = "W1 1 M parcels, largest difference to GEOS in 10,000 of them"
    yield Target(what, gap, 1e-5, "m²", False)
    # Of the same state of the code: a faster one makes no earlier run dearer.
    few = every.before(line, **ours, n=10_000) if line else None
    cost = few["per_s"] / line["per_s"] if few else None
    yield Target("W1 1 M parcels, cost per parcel against 10k", cost, 1.1, "x", False)


_MAPS = (
    ("parcels", "100,000 polygons", {"size_mb": 25, "open_s": 3, "zoom_ms": 50, "heap_mb": 200}),
    ("bundled plan", "bundled plan", {"size_mb": 5, "open_s": 1.5}),
)
_MAP_WORDS = {"size_mb": "size", "open_s": "opening", "zoom_ms": "zoom", "heap_mb": "heap"}


def _maps(newest: Newest) -> Iterator[Target]:
    for name, title, limits in _MAPS:
        for key, limit in limits.items():
            value = newest(key, workload="maps", name=name)
            unit = key.rsplit("_", 1)[-1].replace("mb", "MB")
            yield Target(f"map of {title}, {_MAP_WORDS[key]}", value, limit, unit, False)


_TABLES = {
    "county": "all layers in one table",
    "county, a table per layer": "a table per layer",
}


def _single(newest: Newest) -> Iterator[Target]:
    for name in ("p50", "p99"):
        for plan, title in _TABLES.items():
            value = newest(f"ratio_{name}", workload="W2", engine="postgis", plan=plan)
            yield Target(f"W2 {name} against PostGIS prepared, {title}", value, 20.0, "x", True)
    told = [newest.line(workload="W2", engine="postgis", plan=plan) for plan in _TABLES]
    gaps = [line["max_abs_diff_m2"] for line in told if line and "max_abs_diff_m2" in line]
    yield Target("W2 largest difference to PostGIS", max(gaps, default=None), 1e-5, "m²", False)
    for name, limit in (("p50", 2.0), ("p99", 5.0)):
        value = newest(f"{name}_ms", workload="W2b", plan="bundled plan")
        what = f"W2b check_site, bundled plan, no remedies, no outlines, {name}"
        yield Target(what, value, limit, "ms", False)
    whole = {"workload": "W2b", "plan": "bundled plan, with remedies and outlines"}
    for name in ("p50", "p99"):
        value = newest(f"{name}_ms", **whole)
        yield Target(f"W2b check_site with remedies, {name}", value, None, "ms", False)


def _county(newest: Newest) -> Iterator[Target]:
    peaks = [
        newest("rss_mb", workload="W4", name="load the county, pieces made"),
        newest("rss_mb", workload="W1b", n=10_000),
    ]
    peak = None if None in peaks else max(x for x in peaks if x is not None)
    what = "W1b memory with a polygon of 444,000 vertices, loading it and 10k parcels"
    yield Target(what, peak, 2_560, "MB", False)
    million = {"workload": "W1b", "n": 1_000_000}
    value = newest("rss_mb", **million)
    yield Target("W1b 1 M parcels with rules, memory", value, 4_096, "MB", False)
    value = newest("ratio", **million)
    yield Target("W1b 1 M parcels, cost per parcel against 10k", value, 1.1, "x", False)
    for name in ("pool of 2", "dask, 2 workers"):
        own = {"workload": "W1c", "name": name, "n": 40_000}
        what = f"W1c memory of a worker ({name}), 40k parcels"
        yield Target(what, newest("rss_mb", **own), 4_096, "MB", False)
        yield Target(f"{what} against 10k", newest("ratio", **own), 1.1, "x", False)


def _raster(newest: Newest) -> Iterator[Target]:
    for engine, limit in (("exactextract", 8.0), ("rasterstats", 12.0)):
        value = newest("ratio", workload="W3", engine=engine, task="parcels", pixel_m=2)
        yield Target(f"W3 parcels at 2 m against {engine}", value, limit, "x", True)


def _start(newest: Newest) -> Iterator[Target]:
    for name, limit in (("import gis", 0.1), ("wuqu --help", 0.3), ("wuqu check", 3.0)):
        yield Target(f"W4 {name}", newest("wall_s", workload="W4", name=name), limit, "s", False)


def _service(newest: Newest) -> Iterator[Target]:
    for task, what, limit in (
        ("check", "checks per second", 0.08),
        ("check with records", "checks with records", None),
    ):
        value = newest("ratio", workload="W6", task=task)
        yield Target(f"W6 {what} / requests of a no-op endpoint", value, limit, "", True)


def _paper(newest: Newest) -> Iterator[Target]:
    for kind in ("PDF", "DOCX"):
        name = f"report as {kind.lower()}, 20 findings"
        value = newest("cold_wall_s", workload="report", name=name)
        yield Target(f"Report of 20 findings as {kind}, new process", value, 3.0, "s", False)


def machine() -> str:
    """Return processor, cores and memory; no name of the machine."""
    model = "unknown processor"
    info = Path("/proc/cpuinfo")
    if info.exists():
        for text in info.read_text().splitlines():
            if text.startswith("model name"):
                model = text.partition(":")[2].strip()
                break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GB, Python {platform.python_version()}"


def engines(newest: Newest) -> Iterator[str]:
    """Yield the raw figures of W1 behind the ratios."""
    names = ("wuqu-kernel", "wuqu-geos", "geos-floor", *(e for e, _, _ in _PEERS))
    for name in names:
        line = newest.line(workload="W1", engine=name)
        line = beside_peers(newest) if name == "wuqu-kernel" else line
        if line is None or "missing" in line:
            yield f"| {name} | {line['missing'] if line else 'not measured'} |||||||"
            continue
        gap, same = "–", "–"
        if compared(line):
            gap = f"{line['max_abs_diff_m2']:.1e}"
            same = "yes" if line["counts_equal"] else f"{line['counts_differing']} differ"
        yield (
            f"| {name} | {line['n']:,} | {line['cpu_s']:,.2f} | {line['per_s']:,.0f} "
            f"| {line['rss_mb']:,} | {gap} | {same} | {line['date']} |"
        )


def text(found: Sequence[Line]) -> str:
    """Return the part of the README between the marks."""
    newest = side_by_side(found)
    dates = sorted({line["date"] for line in found})
    versions = dict(sorted(pair for line in found for pair in line.get("versions", {}).items()))
    rows = [
        f"Machine: {machine()}. Runs: {dates[0]} to {dates[-1]}." if dates else "No runs yet.",
        "Versions: " + ", ".join(f"{k} {v}" for k, v in versions.items()) + ".",
        "",
        "| what | to reach | measured | |",
        "|---|---|---|---|",
        *(target.row() for target in targets(found)),
        "",
        "W1, CPU seconds of one core; for PostGIS those of the backend:",
        "",
        "| engine | parcels | CPU s | parcels/s | MB | difference m² | counts equal | date |",
        "|---|---|---|---|---|---|---|---|",
        *engines(newest),
    ]
    return "\n".join(rows) + "\n"


def main() -> None:
    """Replace the part of the README between the marks, or print it for another size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=HERE / "results")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--print", action="store_true", help="leave the README alone")
    options = parser.parse_args()
    made = text(lines(options.results, options.scale))
    if options.print:
        if options.scale != 1.0:
            sys.stdout.write("What is to be reached holds for the full county, not for this one.\n")
        sys.stdout.write(made)
        return
    before, _, rest = README.read_text(encoding="utf-8").partition(START)
    _, _, after = rest.partition(END)
    README.write_text(f"{before}{START}\n\n{made}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
