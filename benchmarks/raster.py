"""How much memory and time does a large raster take?

A raster of 15,000 x 15,000 pixels is written tile by tile to a temporary folder: once as land-cover
classes, once as a four-band image with a corner of unmarked fill. An area of most of it, five
zones and 1,000 parcels are measured, each in a process of its own, so that the peak of its memory
is its own. Peer: the same polygons with ``rasterio.features.geometry_mask`` and numpy, the way a
user would write it (the whole raster in memory; for parcels a window around each). Appends one JSON
line per result to ``raster.jsonl``, which is committed; nothing here is a test. ``make bench``
leaves the peer out, which needs 9 GB of memory and two minutes; the rest takes about one.

Usage: ``python benchmarks/raster.py [--size 15000] [--parcels 1000] [--seed 1] [--no-peer]``
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from lines import keep

RESULTS = Path(__file__).with_name("raster.jsonl")
PIXEL_M, EPSG = 10.0, 4548
WEST, NORTH = 425_000.0, 4_100_000.0  # 150 km across the central meridian
TILE = 512
CLASSES = 8
MB = 1024.0  # ru_maxrss is in kB


def write_classes(path: Path, size: int, seed: int) -> None:
    """Write classes in patches of 40 x 40 pixels with a few odd pixels, tile by tile."""
    rng = np.random.default_rng(seed)
    for out, window in _tiles(path, size, 1, nodata=0):
        patches = rng.integers(1, CLASSES + 1, (TILE // 40 + 1, TILE // 40 + 1), dtype=np.uint8)
        tile = np.kron(patches, np.ones((40, 40), dtype=np.uint8))[:TILE, :TILE]
        odd = rng.random(tile.shape) < 0.01
        tile[odd] = rng.integers(1, CLASSES + 1, int(odd.sum()))
        out.write(tile[: window.height, : window.width], 1, window=window)


def write_image(path: Path, size: int, seed: int) -> None:
    """Write four bands of 16 bits; the first tenth of the rows ends in a wedge of zeros."""
    rng = np.random.default_rng(seed)
    for out, window in _tiles(path, size, 4):
        tile = rng.integers(300, 3000, (4, 1, 1)) + rng.integers(0, 200, (4, TILE, TILE))
        row, col = np.indices((TILE, TILE))
        wedge = (row + window.row_off) * 10 + col + window.col_off < size
        tile[:, wedge] = 0
        cut = tile[:, : window.height, : window.width]
        out.write(cut.astype(np.uint16), window=window)


def _tiles(path: Path, size: int, count: int, **options: Any) -> Iterator[tuple[Any, Any]]:
    import rasterio
    from rasterio.windows import Window

    with rasterio.open(
        path, "w", driver="GTiff", width=size, height=size, count=count, crs=EPSG,
        dtype="uint8" if count == 1 else "uint16", compress="lzw", tiled=True, blockxsize=TILE,
        blockysize=TILE, transform=rasterio.Affine(PIXEL_M, 0, WEST, 0, -PIXEL_M, NORTH),
        photometric="MINISBLACK", **options,
    ) as out:  # fmt: skip
        for row in range(0, size, TILE):
            for col in range(0, size, TILE):
                yield out, Window(col, row, min(TILE, size - col), min(TILE, size - row))


def polygons(size: int, parcels: int, seed: int) -> dict[str, list[shapely.Polygon]]:
    """Return an area of most of the raster, five zones that divide it, and parcels of 0.5-20 ha."""
    rng = np.random.default_rng(seed)
    extent = size * PIXEL_M
    middle = np.array([WEST + extent / 2, NORTH - extent / 2])
    turn = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    waves = sum(rng.normal() / k * np.cos(k * turn + rng.uniform(0, 6)) for k in range(2, 40))
    radii = extent * (0.46 + 0.03 * waves / np.abs(waves).max())
    ring = np.column_stack([np.cos(turn), np.sin(turn)]) * radii[:, None]
    pieces = [np.vstack([[0, 0], ring[k : k + 81]]) for k in range(0, 320, 80)]
    pieces.append(np.vstack([[0, 0], ring[320:], ring[:1]]))
    plots = []
    for _ in range(parcels):
        across = np.sqrt(10_000 * np.exp(rng.uniform(np.log(0.5), np.log(20))))
        x, y = middle + rng.uniform(-0.3, 0.3, 2) * extent
        box = shapely.box(x, y, x + across * rng.uniform(0.7, 1.4), y + across)
        plots.append(shapely.affinity.rotate(box, rng.uniform(0, 90)))
    zones = [shapely.Polygon(piece + middle) for piece in pieces]
    return {"area": [shapely.Polygon(ring + middle)], "zones": zones, "parcels": plots}


# --- measured in a process of its own ------------------------------------------------------------


def measure(folder: Path, kind: str, engine: str, size: int, parcels: int, seed: int) -> None:
    """Measure and print one JSON line with seconds, peak memory and a share to compare."""
    shapes = polygons(size, parcels, seed)
    begun = time.perf_counter()
    run = ours if engine == "wuqu" else peer
    shares = run(folder / f"{kind}.tif", kind, shapes)
    took = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MB
    row = {"total_s": took, "peak_mb": round(peak), "shares": shares}
    sys.stdout.write(json.dumps(row) + "\n")


def ours(path: Path, kind: str, shapes: dict[str, list[shapely.Polygon]]) -> list[float]:
    """Return the share of classes 1 and 2, or of an index above its threshold, per polygon."""
    from gis.plan.raster.file import open_raster
    from gis.plan.raster.share import class_shares, index_shares
    from gis.plan.schema import RasterEntry

    values: dict[str, Any] = {"id": kind, "title": kind, "path": path.name, "kind": kind}
    values |= {"date": date(2026, 1, 1), "status": "schematic"}
    values |= {"table": "codes.csv"} if kind == "classes" else {"bands": {"red": 3, "nir": 4}}
    raster = open_raster(RasterEntry.model_validate(values), path.parent)
    every = [shape for group in shapes.values() for shape in group]
    if kind == "classes":
        return [float(s.share or 0) for s in class_shares(raster, every, crs=EPSG)]
    return [float(s.share or 0) for s in index_shares(raster, every, crs=EPSG, threshold=0.1)]


def peer(path: Path, kind: str, shapes: dict[str, list[shapely.Polygon]]) -> list[float]:
    """Return the same shares with the whole raster in memory and a mask per polygon."""
    import rasterio
    from rasterio.features import geometry_mask, geometry_window

    with rasterio.open(path, driver="GTiff") as source:
        whole = source.read() if kind == "classes" else source.read([3, 4])
        transform = source.transform
        shares = []
        for shape in (s for group in shapes.values() for s in group):
            window = geometry_window(source, [shape])
            rows, cols = window.toslices()
            cut = whole[:, rows, cols]
            place = transform @ rasterio.Affine.translation(window.col_off, window.row_off)
            inside = geometry_mask([shape], cut.shape[1:], place, invert=True)
            values = cut[:, inside].astype(float)
            if kind == "classes":
                shares.append(float((values[0] <= 2).mean()))
                continue
            red, nir = values[:, (values > 0).all(axis=0)]
            shares.append(float(((nir - red) / (nir + red) > 0.1).mean()))
    return shares


def results(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield one row per measurement."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        codes = [f"{v},c{v},{'green' if v <= 2 else ''}" for v in range(1, CLASSES + 1)]
        (folder / "codes.csv").write_text("\n".join(["value,name,counted_as", *codes]) + "\n")
        for kind, write in (("classes", write_classes), ("bands", write_image)):
            write(folder / f"{kind}.tif", options.size, options.seed)
            own = _child(folder, kind, "wuqu", options)
            row = {
                "name": f"{options.size} x {options.size} {kind}",
                "polygons": len(own["shares"]),
            }
            row |= {"total_s": round(own["total_s"], 2), "peak_mb": own["peak_mb"]}
            if options.peer:
                other = _child(folder, kind, "peer", options)
                gap = np.abs(np.subtract(own["shares"], other["shares"]))
                row |= {
                    "peer_s": round(other["total_s"], 2),
                    "peer_mb": other["peak_mb"],
                    "ratio": round(other["total_s"] / own["total_s"], 2),
                    "difference_large": float(gap[:6].max()),
                    "difference_parcels": round(float(gap[6:].max()), 4),
                }
            (folder / f"{kind}.tif").unlink()
            yield row


def _child(folder: Path, kind: str, engine: str, options: argparse.Namespace) -> dict[str, Any]:
    command = [sys.executable, __file__, "--child", str(folder), kind, engine]
    command += ["--size", str(options.size), "--parcels", str(options.parcels)]
    command += ["--seed", str(options.seed)]
    out = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(out.stdout)
    return found


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=15_000)
    parser.add_argument("--parcels", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-peer", dest="peer", action="store_false")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        folder, kind, engine = options.child
        measure(Path(folder), kind, engine, options.size, options.parcels, options.seed)
        return
    for row in results(options):
        keep(row, RESULTS)


if __name__ == "__main__":
    main()
