"""What does GDAL find in this file? Runs only inside the child process, with nothing of the house.

The driver that opened the file is checked before anything is read. Geometries leave as WKB, texts
as they stand; what they mean is decided by the parent.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyogrio

_MAX_TEXT = 1000


def read(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return all layers that draw something, or an error with what was found."""
    path = str(request["path"])
    drawn = [(str(n), str(kind)) for n, kind in pyogrio.list_layers(path) if kind is not None]
    if not drawn:
        return {"error": "no_layers"}
    if len(drawn) > int(request["max_layers"]):
        return {"error": "layers", "found": len(drawn)}
    layers: list[dict[str, Any]] = []
    rows, size = 0, 0
    for name, kind in drawn:
        info = pyogrio.read_info(
            path, layer=name, encoding=request["encoding"], force_total_bounds=False
        )
        if info.get("driver") != request["driver"]:
            return {"error": "driver", "found": str(info.get("driver"))}
        points = "Point" in kind
        rows += 0 if points else max(int(info["features"]), 0)
        if rows > int(request["max_rows"]):
            return {"error": "features", "found": rows}
        layers.append(_points(name, info) if points else _layer(request, name))
        size += sum(len(text) // 2 for text in layers[-1]["wkb"] if text is not None)
        if size > int(request["max_bytes"]):
            return {"error": "vertices"}
    return {"layers": layers}


def _points(name: str, info: Mapping[str, Any]) -> dict[str, Any]:
    """Return a layer of points, of which only the number matters."""
    count = max(int(info["features"]), 0)
    return _row(name, crs=str(info["crs"] or ""), points=count)


def _layer(request: Mapping[str, Any], name: str) -> dict[str, Any]:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        meta, _, geometry, columns = pyogrio.raw.read(
            str(request["path"]),
            layer=name,
            encoding=request["encoding"],
            columns=request["columns"],
            datetime_as_string=True,
            max_features=int(request["max_rows"]) + 1,
        )
    measured = any("Measured" in str(warning.message) for warning in told)
    return _row(
        name,
        crs=str(meta["crs"] or ""),
        fields=[str(f) for f in meta["fields"]],
        columns=[[_plain(value) for value in column] for column in columns],
        wkb=[None if g is None else bytes(g).hex() for g in geometry],
        flags=["measured"] if measured else [],
    )


def _row(name: str, **found: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {
        "name": name,
        "crs": "",
        "fields": [],
        "columns": [],
        "wkb": [],
        "points": 0,
        "flags": [],
    }
    return empty | found


def _plain(value: Any) -> Any:
    """Return a table value as JSON can carry it; what is no text, number or yes/no is left out."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    if isinstance(value, str):
        return value[:_MAX_TEXT]
    return value if isinstance(value, int | float | bool) else None
