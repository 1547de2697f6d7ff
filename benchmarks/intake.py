"""How long does the largest site that is taken take, and how soon is a larger one refused?

One irregular ring of 200,000 vertices inside the bundled plan, written with so many decimals that
the text is just under 20 MB, is read, validated and checked in every format; inputs over the limits
are refused. Peer: ``geopandas.read_file``, ``is_valid`` and an overlay with the same layers, the
way a user would write it. Appends one JSON line per result to ``intake.jsonl``, which is committed,
then prints a table; nothing here is a test.

Usage: ``python benchmarks/intake.py [--vertices 200000] [--seed 1] [--no-peer]``
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import shapely
from lines import keep
from peer import overlaid_m2
from starlette.testclient import TestClient

import gis
from api.app import create_app
from api.settings import Settings
from gis.crs import transform
from gis.errors import InputError
from gis.intake.draft import MAX_BYTES, MAX_VERTICES
from gis.intake.read import read_site
from gis.plan import Plan

RESULTS = Path(__file__).with_name("intake.jsonl")
AS_OF = date(2026, 11, 22)
_GEOJSON = {"Content-Type": "application/geo+json"}


def outline(plan: Plan, vertices: int, seed: int) -> shapely.Polygon:
    """Return a valid, irregular ring in the work CRS with so many vertices, inside the plan."""
    random = np.random.default_rng(seed)
    area = plan.with_role("planning_area")[0].index.union
    centre = area.representative_point()
    angles = np.linspace(0, 2 * np.pi, vertices - 1, endpoint=False)
    waves = sum(
        random.normal() / k * np.cos(k * angles + random.uniform(0, 6)) for k in range(1, 200)
    )
    reach = centre.distance(area.boundary)
    radii = reach * (0.6 + 0.3 * waves / np.abs(waves).max())
    radii += random.uniform(-0.05, 0.05, len(angles))
    xy = np.column_stack([np.cos(angles) * radii + centre.x, np.sin(angles) * radii + centre.y])
    shape = shapely.Polygon(xy)
    if not shape.is_valid:
        raise SystemExit("the ring is not valid; choose another seed")
    return shape


# --- formats -------------------------------------------------------------------------------------


def padded(xy: np.ndarray, budget: int, decimals: int) -> Iterator[tuple[str, str]]:
    """Yield the two numbers of each vertex with zeros behind them, to fill the budget in bytes."""
    width = budget // len(xy) // 2
    for x, y in xy:
        yield f"{x:.{decimals}f}".ljust(width, "0"), f"{y:.{decimals}f}".ljust(width, "0")


def geojson(lonlat: np.ndarray, budget: int = MAX_BYTES) -> bytes:
    """Return the ring as GeoJSON."""
    points = ",".join(f"[{x},{y}]" for x, y in padded(lonlat, budget - 100 - 4 * len(lonlat), 12))
    return f'{{"type":"Polygon","coordinates":[[{points}]]}}'.encode()


def wkt(lonlat: np.ndarray, budget: int = MAX_BYTES) -> bytes:
    """Return the ring as WKT."""
    points = ",".join(f"{x} {y}" for x, y in padded(lonlat, budget - 100 - 2 * len(lonlat), 12))
    return f"POLYGON(({points}))".encode()


def kml(lonlat: np.ndarray, budget: int = MAX_BYTES) -> bytes:
    """Return the ring as KML."""
    points = " ".join(f"{x},{y}" for x, y in padded(lonlat, budget - 500 - 2 * len(lonlat), 12))
    return (
        '<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2">'
        "<Placemark><Polygon><outerBoundaryIs><LinearRing><coordinates>"
        f"{points}</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark></kml>"
    ).encode()


def boundary_txt(work: np.ndarray, budget: int = MAX_BYTES) -> bytes:
    """Return the ring as a boundary-point TXT, northing before easting."""
    head = (
        "[属性描述]\n坐标系=2000国家大地坐标系\n几度分带=3\n投影类型=高斯克吕格\n计量单位=米\n"
        f"带号=39\n[地块坐标]\n{len(work)},,1,地块,面,,,,@\n"
    )
    rows = padded(work[:, ::-1], budget - 500 - 12 * len(work), 6)
    lines = (f"J{i},1,{y},{x}\n" for i, (y, x) in enumerate(rows, start=1))
    return (head + "".join(lines)).encode()


def written_by_gdal(shape: shapely.Polygon, epsg: int, suffix: str) -> bytes:
    """Return the ring as a zipped shapefile or a GeoPackage."""
    frame = geopandas.GeoDataFrame({"name": ["site"]}, geometry=[shape], crs=epsg)
    with tempfile.TemporaryDirectory() as folder:
        frame.to_file(Path(folder) / f"site.{suffix}")
        if suffix != "shp":
            return (Path(folder) / f"site.{suffix}").read_bytes()
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(Path(folder).iterdir()):
                archive.write(path, path.name)
        return stream.getvalue()


def inputs(plan: Plan, vertices: int, seed: int) -> dict[str, bytes]:
    """Return the same ring in every format."""
    shape = outline(plan, vertices, seed)
    work = shapely.get_coordinates(shape)
    lonlat = shapely.get_coordinates(transform(shape, plan.work_epsg, 4490))
    return {
        "geojson": geojson(lonlat),
        "wkt": wkt(lonlat),
        "boundary_txt": boundary_txt(work),
        "kml": kml(lonlat),
        "shapefile": written_by_gdal(shape, plan.work_epsg, "shp"),
        "gpkg": written_by_gdal(shape, plan.work_epsg, "gpkg"),
    }


def over_the_limits() -> dict[str, bytes]:
    """Return inputs that are refused."""
    random = np.random.default_rng(1)
    tangle = np.column_stack([115.97 + random.random(300) / 100, 36.37 + random.random(300) / 100])
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("a.shp", "a.shx", "a.dbf"):
            archive.writestr(name, bytes(500 * 1024**2 // 3))
    line = np.column_stack([np.linspace(115.9, 116.0, MAX_VERTICES + 2), np.full(200_002, 36.4)])
    one = b'{"type":"Polygon","coordinates":['
    return {
        "21 MB": geojson(tangle, 21 * 1024**2),
        "200,002 vertices": geojson(line, 10 * 1024**2),
        "200,002 vertices of WKT": wkt(line, 10 * 1024**2),
        "200,002 vertices of KML": kml(line, 10 * 1024**2),
        "200,002 vertices of TXT": boundary_txt(line, 10 * 1024**2),
        "20 MB of [1,2]": one + b"[1,2]," * (MAX_BYTES // 6 - 20) + b"[1,2]]}",
        "10 million brackets": one + b"[" * 10_000_000,
        "20 MB of NaN": one + b"NaN," * (MAX_BYTES // 4 - 20) + b"1]}",
        "1 MB of duplicate keys": b"{" + b'"type":1,' * (2**20 // 9) + b'"type":2}',
        "zip bomb of 500 MB": stream.getvalue(),
        "tangle of 300 vertices": geojson(tangle, 30_000),
    }


# --- measuring -----------------------------------------------------------------------------------


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return seconds on the wall, and the result."""
    begun = time.perf_counter()
    result = work()
    return time.perf_counter() - begun, result


def read_or_refused(data: bytes, plan: Plan) -> Any:
    """Return the site, or the error that it is refused with."""
    try:
        return read_site(data, plan)
    except InputError as error:
        return error


def naive(path: Path, plan: Plan) -> float:
    """Read, validate and overlay with every polygon layer; return the summed planar area."""
    frame = geopandas.read_file(path)
    if not frame.is_valid.all():
        frame.geometry = frame.make_valid()
    frame = frame.to_crs(plan.work_epsg)
    return overlaid_m2(frame, plan)


def largest(plan: Plan, found: dict[str, bytes]) -> Iterator[dict[str, Any]]:
    """Yield one row per format."""
    for kind, data in found.items():
        row: dict[str, Any] = {
            "name": f"largest {kind}",
            "megabytes": round(len(data) / 1024**2, 2),
        }
        row["read_s"], site = timed(lambda data=data: read_or_refused(data, plan))
        if isinstance(site, InputError):
            yield {**row, "refused": site.code, "detail": site.detail[:120]}
            continue
        row["check_s"], answer = timed(
            lambda site=site: gis.check_site(site, plan, use="0803", as_of=AS_OF)
        )
        row["vertices"] = int(shapely.get_num_coordinates(site.geometry))
        yield {**row, "total_s": row["read_s"] + row["check_s"], "verdict": str(answer.verdict)}


def refusals(plan: Plan, client: TestClient) -> Iterator[dict[str, Any]]:
    """Yield one row per input over the limits: read directly, and through HTTP."""
    for name, data in over_the_limits().items():
        took, error = timed(lambda data=data: read_or_refused(data, plan))
        http, answer = timed(
            lambda data=data: client.post("/v1/site-checks", content=data, headers=_GEOJSON)
        )
        yield {
            "name": f"refuse {name}",
            "read_s": took,
            "refused": error.code if isinstance(error, InputError) else "accepted",
            "http_s": http,
            "status": answer.status_code,
        }


def results(vertices: int, seed: int, *, peer: bool) -> Iterator[dict[str, Any]]:
    """Yield one row per measurement."""
    plan = gis.load_plan().prepare()
    read_or_refused(geojson(np.array([[115.97, 36.37], [115.98, 36.37], [115.98, 36.38]])), plan)
    found = inputs(plan, vertices, seed)
    rows = list(largest(plan, found))
    yield from rows
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Settings(db=Path(folder) / "records.sqlite"), plan=plan)
        with TestClient(app) as client:
            took, answer = timed(
                lambda: client.post(
                    "/v1/site-checks?use=0803", content=found["geojson"], headers=_GEOJSON
                )
            )
            yield {"name": "largest geojson, HTTP", "total_s": took, "status": answer.status_code}
            yield from refusals(plan, client)
        if peer:
            path = Path(folder) / "site.geojson"
            path.write_bytes(found["geojson"])
            took, _ = timed(lambda: naive(path, plan))
            ours = next(row["total_s"] for row in rows if row["name"] == "largest geojson")
            yield {"name": "geopandas", "total_s": took, "ratio": took / ours}


def main() -> None:
    """Run, print lines and a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vertices", type=int, default=MAX_VERTICES)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-peer", dest="peer", action="store_false")
    options = parser.parse_args()
    rows = []
    for row in results(options.vertices, options.seed, peer=options.peer):
        rows.append({k: round(v, 3) if isinstance(v, float) else v for k, v in row.items()})
        keep(rows[-1], RESULTS)
    keys = ("name", "read_s", "check_s", "total_s", "http_s", "refused", "status", "ratio")
    for row in ({k: k for k in keys}, *rows):
        name, *rest = (str(row.get(key, "")) for key in keys)
        sys.stdout.write(name.ljust(28) + "".join(cell.rjust(10) for cell in rest) + "\n")


if __name__ == "__main__":
    main()
