"""What do the feature tables of a GeoPackage hold? Runs only inside the child process.

SQLite reads a file that may be made to harm: read-only, without extensions, under an authorizer
that lets nothing through but plain reading, with a deadline. Views and virtual tables are never
read, so that no text of the file is ever run as a query. The geometry stands in the file as WKB
behind a short head (OGC 12-128r19, clause 2.1.3), so that GDAL is not needed.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
import time
from collections.abc import Mapping
from typing import Any

_MAX_TEXT = 1000
_STEPS_BETWEEN_LOOKS = 10_000
_MAX_OBJECTS = 10_000
_MAX_VALUE_BYTES = 32 * 1024**2
_CORE = ("gpkg_contents", "gpkg_geometry_columns", "gpkg_spatial_ref_sys")
_MODULES = ("rtree", "rtree_i32", "fts3", "fts4", "fts5")
_VIRTUAL = re.compile(r"\s*CREATE\s+VIRTUAL\s+TABLE\b", re.IGNORECASE)
_USING = re.compile(r"\bUSING\s+[\"'`\[]?(\w+)", re.IGNORECASE)
# Bytes of the box in the head by its code: none, xy, xyz, xym, xyzm.
_BOX_BYTES = (0, 32, 48, 48, 64)


class _Refused(Exception):  # noqa: N818 - an answer, not a defect
    """What makes the file unusable; the parent has the words for it."""

    def __init__(self, error: str, found: object = "") -> None:
        self.answer = {"error": error, "found": found}


def read(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return all feature tables, or an error with what was found."""
    late = time.monotonic() + float(request["seconds"])
    with contextlib.closing(_opened(str(request["path"]), late)) as base:
        try:
            return {"layers": _layers(base, request)}
        except _Refused as refused:
            return refused.answer
        except sqlite3.DatabaseError as error:
            if time.monotonic() > late:
                return {"error": "deadline"}
            if "not authorized" in str(error) or "prohibited" in str(error):
                return {"error": "computed"}
            raise


def _opened(path: str, late: float) -> sqlite3.Connection:
    # Immutable: no lock, no journal and no second file is ever looked at.
    base = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
    base.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    for pragma in ("trusted_schema=OFF", "query_only=ON", "cell_size_check=ON", "mmap_size=0"):
        base.execute(f"PRAGMA {pragma}")
    base.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_VALUE_BYTES)
    base.set_progress_handler(lambda: int(time.monotonic() > late), _STEPS_BETWEEN_LOOKS)
    base.set_authorizer(_may)
    return base


def _may(action: int, first: str | None, second: str | None, *_: object) -> int:
    """Let plain reading pass: no functions but counting, no recursion, nothing attached."""
    plain = action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ)
    columns = action == sqlite3.SQLITE_PRAGMA and first == "table_info"
    counting = action == sqlite3.SQLITE_FUNCTION and second == "count"
    return sqlite3.SQLITE_OK if plain or columns or counting else sqlite3.SQLITE_DENY


def _layers(base: sqlite3.Connection, request: Mapping[str, Any]) -> list[dict[str, Any]]:
    objects = _objects(base)
    named = [row for row in _contents(base) if row[1] == "features"]
    if len(named) > int(request["max_layers"]):
        raise _Refused("layers", len(named))
    layers: list[dict[str, Any]] = []
    rows, size = 0, 0
    for name, _, srs in named:
        _require_table(name, objects)
        column, kind = _geometry_column(base, name)
        layer: dict[str, Any] = {
            "name": name,
            "crs": _crs(base, srs),
            "points": 0,
            "flags": [],
        }
        if kind in ("POINT", "MULTIPOINT"):
            count = base.execute(f"SELECT count(*) FROM {_quoted(name)}").fetchone()[0]
            layers.append(layer | {"points": count, "fields": [], "columns": [], "wkb": []})
            continue
        layer |= _features(base, name, column, int(request["max_rows"]) - rows)
        rows += len(layer["wkb"])
        size += sum(len(text) // 2 for text in layer["wkb"] if text is not None)
        if size > int(request["max_bytes"]):
            raise _Refused("vertices")
        layers.append(layer)
    return layers


# --- the catalogue --------------------------------------------------------------------------------


def _objects(base: sqlite3.Connection) -> dict[str, str]:
    """Return the kind of every table and view by its name in lower case."""
    found = base.execute(f"SELECT type, name, sql FROM sqlite_master LIMIT {_MAX_OBJECTS}")
    kinds: dict[str, str] = {}
    for kind, name, sql in found:
        if kind not in ("table", "view"):
            continue
        virtual = kind == "table" and _VIRTUAL.match(sql or "") is not None
        if virtual:
            module = _USING.search(sql)
            if module is None or module[1].lower() not in _MODULES:
                raise _Refused("virtual", name)
        kinds[str(name).lower()] = "virtual" if virtual else kind
    if "gpkg_contents" not in kinds:
        raise _Refused("not_geopackage")
    for name in _CORE:
        if name in kinds:
            _require_table(name, kinds)
    return kinds


def _require_table(name: str, kinds: Mapping[str, str]) -> None:
    kind = kinds.get(name.lower())
    if kind != "table":
        raise _Refused(kind or "missing", name)


def _contents(base: sqlite3.Connection) -> list[tuple[str, str, Any]]:
    rows = base.execute("SELECT table_name, data_type, srs_id FROM gpkg_contents LIMIT 1001")
    found = [(str(name), str(kind).lower(), srs) for name, kind, srs in rows]
    kinds = {kind for _, kind, _ in found}
    if "features" not in kinds:
        raise _Refused("raster" if kinds & {"tiles", "2d-gridded-coverage"} else "no_layers")
    return found


def _geometry_column(base: sqlite3.Connection, name: str) -> tuple[str, str]:
    row = base.execute(
        "SELECT column_name, geometry_type_name FROM gpkg_geometry_columns"
        " WHERE table_name = ? COLLATE NOCASE",
        (name,),
    ).fetchone()
    if row is None:
        raise _Refused("missing", name)
    return str(row[0]), str(row[1]).upper()


def _crs(base: sqlite3.Connection, srs: Any) -> str:
    """Return ``EPSG:…`` or WKT; empty for the two codes that mean "undefined"."""
    if srs in (None, 0, -1):
        return ""
    row = base.execute(
        "SELECT organization, organization_coordsys_id, definition FROM gpkg_spatial_ref_sys"
        " WHERE srs_id = ?",
        (srs,),
    ).fetchone()
    if row is None:
        raise _Refused("no_srs", srs)
    organisation, code, definition = row
    if str(organisation).upper() == "EPSG":
        return f"EPSG:{code}"
    return "" if str(definition).strip().lower() == "undefined" else str(definition)


# --- the features ---------------------------------------------------------------------------------


def _features(base: sqlite3.Connection, name: str, column: str, most: int) -> dict[str, Any]:
    fields, flags = _fields(base, name, column)
    listed = ", ".join(_quoted(f) for f in [column, *fields])
    rows = base.execute(f"SELECT {listed} FROM {_quoted(name)} LIMIT {most + 1}").fetchall()
    if len(rows) > most:
        count = base.execute(f"SELECT count(*) FROM {_quoted(name)}").fetchone()[0]
        raise _Refused("features", count)
    values = [[_plain(row[i], flag) for row in rows] for i, flag in enumerate(flags, start=1)]
    return {
        "fields": fields,
        "columns": values,
        "wkb": [_wkb(row[0], name) for row in rows],
    }


def _fields(base: sqlite3.Connection, name: str, column: str) -> tuple[list[str], list[bool]]:
    """Return the columns with plain values, and which of them hold yes or no."""
    columns = base.execute(f"PRAGMA table_info({_quoted(name)})").fetchall()
    plain = [
        (str(row[1]), str(row[2]).upper() == "BOOLEAN")
        for row in columns
        if str(row[1]).lower() != column.lower() and not str(row[2]).upper().startswith("BLOB")
    ]
    return [field for field, _ in plain], [flag for _, flag in plain]


def _wkb(blob: Any, name: str) -> str | None:
    """Return the WKB behind the head as hexadecimal digits; None where there is no geometry."""
    if blob is None:
        return None
    if not isinstance(blob, bytes) or len(blob) < 8 or blob[:2] != b"GP" or blob[3] & 0x20:
        raise _Refused("geometry", name)
    box = blob[3] >> 1 & 0b111
    if box >= len(_BOX_BYTES):
        raise _Refused("geometry", name)
    return blob[8 + _BOX_BYTES[box] :].hex()


def _plain(value: Any, is_flag: bool) -> Any:
    if is_flag and value in (0, 1):
        return bool(value)
    if isinstance(value, float) and not abs(value) < float("inf"):
        return None
    if isinstance(value, str):
        return value[:_MAX_TEXT]
    return value if isinstance(value, int | float) else None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
