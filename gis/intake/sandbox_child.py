"""The child process: opens one shapefile layer with GDAL and writes down what it found.

Run by path, isolated (``python -I``), with only pyogrio, shapely and numpy: it knows nothing of
the house and cannot harm it. Limits are set before GDAL is loaded; the drivers that read other
files or the network are switched off by the environment of its parent.

Arguments: layer file, driver expected, result file, feature limit, vertex limit.
"""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import Any

MEMORY_BYTES = 2 * 1024**3
CPU_SECONDS = 8
FILE_BYTES = 256 * 1024**2


def set_limits() -> None:
    """Limit memory, processor time and file size, and leave the network, where the system can."""
    try:
        import resource
    except ImportError:  # Windows: the parent's deadline alone
        return
    for kind, value in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (value, value))
    with contextlib.suppress(Exception):
        import ctypes

        new_user, new_net = 0x10000000, 0x40000000
        ctypes.CDLL(None).unshare(new_user | new_net)


def read_layer(path: str, driver: str, max_features: int, max_vertices: int) -> dict[str, Any]:
    """Return geometries as hex WKB (None where missing) and attribute columns."""
    for heavy in ("geopandas", "pandas", "pyarrow", "pyproj"):
        # pyogrio tries to import these and does without; they cost more than the reading.
        sys.modules[heavy] = None  # type: ignore[assignment]
    import numpy as np
    import pyogrio
    import shapely

    # One-byte text keeps every byte of the table; the parent decides what the bytes mean.
    info = pyogrio.read_info(path, encoding="ISO-8859-1", force_total_bounds=False)
    if info.get("driver") != driver:
        return {"error": "driver", "found": str(info.get("driver"))}
    if int(info["features"]) > max_features:
        return {"error": "features", "found": int(info["features"])}
    meta, _, geometry, columns = pyogrio.raw.read(
        path, encoding="ISO-8859-1", datetime_as_string=True, max_features=max_features + 1
    )
    shapes = shapely.from_wkb(geometry, on_invalid="ignore")
    vertices = int(shapely.get_num_coordinates(shapes).sum())
    if vertices > max_vertices:
        return {"error": "vertices", "found": vertices}
    return {
        "fields": [str(f) for f in meta["fields"]],
        "columns": [[plain(v, np) for v in column] for column in columns],
        "types": [str(t) for t in meta["dtypes"]],
        "geometry_type": str(meta["geometry_type"]),
        "wkb": [None if g is None else bytes(g).hex() for g in geometry],
    }


def plain(value: Any, np: Any) -> Any:
    """Return a table value as JSON can carry it."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def main() -> int:
    """Read, write the answer as JSON; an error becomes an answer too."""
    path, driver, result, max_features, max_vertices = sys.argv[1:6]
    set_limits()
    try:
        answer = read_layer(path, driver, int(max_features), int(max_vertices))
    except Exception as error:  # the answer goes to the parent, which knows what to say
        answer = {"error": "unreadable", "found": type(error).__name__}
    Path(result).write_text(json.dumps(answer), encoding="ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main())
