"""How fast does a map open and zoom, and how heavy is it? The bundled plan, and 100,000 polygons.

Writes the one-file map of each plan and opens it in headless Chromium, offline and from disk:
``open_s`` from the start of the navigation until the page is ready, every tile in view is drawn
and the next frame has come; ``zoom_ms`` from a step of the zoom until the next frame,
``zoom_tiles_ms`` until the last new tile of it is drawn, both the median; ``heap_mb`` the largest
JavaScript heap seen on the way, garbage included. ``make_s`` is the time that writing the page
takes. Appends JSON lines to ``results/maps.jsonl``; nothing here is a test.

Usage: ``python benchmarks/maps.py [--polygons 100000] [--times 3]``
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import county
import geopandas
import numpy as np
import pyogrio
import shapely
from county_cells import Cells
from lines import keep

import gis
from gis.plan import load_plan

RESULTS = Path(__file__).with_name("results") / "maps.jsonl"
SCREEN = {"width": 1600, "height": 900}
STEPS = (1, 1, 1, -1, -1, -1)
CHROMIUM = "/usr/bin/chromium"
_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
_PLAN = """[plan]
id = "bench-parcels"
version = "1"
title = "基准测试图斑（随机生成）"
status = "schematic"
status_note = "随机生成，仅用于测速。"
work_crs = "EPSG:{epsg}"
accepted_crs = ["EPSG:4490", "EPSG:{epsg}"]
bounds = [115.0, 36.0, 117.0, 37.0]
rulebooks = []

[[layer]]
id = "landuse"
title = "现状用地"
path = "landuse.gpkg"
role = "landuse"
geometry = "polygon"
fields = {{ id = "code", class = "cls", name = "name" }}
scheme = "三调"
edition = "2019"
vintage = "2026-11"
status = "schematic"

[[layer]]
id = "area"
title = "范围"
path = "area.gpkg"
role = "planning_area"
geometry = "polygon"
fields = {{ id = "code" }}
vintage = "2026-11"
status = "schematic"
"""
# Waits until no tile is on its way and the frame after that was drawn.
_SETTLED = """async () => {
    const frame = () => new Promise(done => requestAnimationFrame(done));
    if (wuqu.large) { await wuqu.large.settled(); }
    await frame(); await frame();
    return performance.now();
}"""
_ZOOM = """async ([by]) => {
    const map = Object.values(window).find(v => v instanceof L.Map);
    const frame = () => new Promise(done => requestAnimationFrame(done));
    await frame();
    const start = performance.now();
    map.setZoom(map.getZoom() + by, { animate: false });
    await frame();
    const shown = performance.now() - start;
    await new Promise(done => setTimeout(done));
    if (wuqu.large) { await wuqu.large.settled(); }
    return [shown, performance.now() - start];
}"""


def write_plan(folder: Path, polygons: int, seed: int = 1) -> None:
    """Write a plan package with that many parcels at least: cells of one coverage."""
    random = np.random.default_rng(seed)
    across = int(np.ceil(polygons**0.5))
    west, south = county.WEST, county.SOUTH
    side = county.SIDE_M * across / 447  # cells as large as those of the county
    cells = Cells.of(west, south, side, across, random)
    # Every cell for itself: the worst case for a map, which real land is not.
    classes = random.choice(county.LANDUSE_CLASSES, across**2)
    names = np.array([f"图斑{n:06d}" for n in range(across**2)])
    layers = {
        "landuse": ({"code": names, "cls": classes, "name": names}, cells.polygons()),
        "area": ({"code": ["1"]}, [shapely.box(west, south, west + side, south + side)]),
    }
    for name, (columns, shapes) in layers.items():
        frame = geopandas.GeoDataFrame(columns, geometry=shapes, crs=county.EPSG)
        pyogrio.write_dataframe(frame, folder / f"{name}.gpkg")
    (folder / "plan.toml").write_text(_PLAN.format(epsg=county.EPSG), encoding="utf-8")


def measured(page: Path, times: int) -> dict[str, float]:
    """Return what the browser takes for a page: medians, and the largest heap."""
    from playwright.sync_api import sync_playwright

    opened, steps, heap = [], [], 0.0
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=CHROMIUM, args=[*_FLAGS, "--enable-precise-memory-info"]
        )
        for _ in range(times):
            context = browser.new_context(viewport=SCREEN)
            context.set_offline(True)
            tab = context.new_page()
            tab.goto(page.as_uri())
            tab.wait_for_selector("html.wq-ready", state="attached")
            opened.append(tab.evaluate(_SETTLED) / 1000)
            for by in STEPS:
                steps.append(tab.evaluate(_ZOOM, [by]))
                heap = max(heap, tab.evaluate("performance.memory.usedJSHeapSize") / 1e6)
            context.close()
        browser.close()
    shown, drawn = zip(*steps, strict=True)
    return {
        "open_s": round(statistics.median(opened), 2),
        "zoom_ms": round(statistics.median(shown), 1),
        "zoom_tiles_ms": round(statistics.median(drawn), 1),
        "heap_mb": round(heap, 1),
    }


def row(name: str, plan: gis.Plan, page: Path, times: int) -> dict[str, Any]:
    """Return the line of one plan."""
    began = time.perf_counter()
    page.write_text(gis.plan_map(plan), encoding="utf-8")
    made = time.perf_counter() - began
    polygons = sum(len(layer.frame) for layer in plan.layers.values() if layer.frame is not None)
    return {
        "workload": "maps",
        "engine": "wuqu-kernel",
        "name": name,
        "n": polygons,
        "size_mb": round(page.stat().st_size / 1e6, 2),
        "make_s": round(made, 1),
        **measured(page, times),
        "versions": {name: version(name) for name in ("folium", "pyogrio", "playwright")},
    }


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--polygons", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=3)
    options = parser.parse_args()
    RESULTS.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        keep(row("bundled plan", load_plan(), folder / "a.html", options.times), RESULTS)
        write_plan(folder, options.polygons)
        plan = load_plan(folder)
        keep(row("parcels", plan, folder / "b.html", options.times), RESULTS)


if __name__ == "__main__":
    main()
