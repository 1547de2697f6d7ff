"""Which rows are in the files, tables and sites of a batch?

Tables of geometries (GeoPackage, GeoParquet, FlatGeobuf, shapefile, GeoJSON too large for the door)
are the user's own files and are read in slices, so that memory does not grow with them. Everything
else goes through the one door, ``gis.intake``. A file that cannot be read is one row with a
problem: the others are judged all the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import shapely
from pyproj import CRS, Transformer

from gis.batch.rows import Origin, Problem, Row, problem_of
from gis.crs import CrsPolicy, crs_of, same_datum_code
from gis.errors import ClaimError, CrsError, FormatError, InputError, LimitError
from gis.intake.draft import Declared, Hints, clean_text
from gis.intake.outside.features import declared_crs
from gis.intake.position.naming import declared_by
from gis.intake.read import read_each
from gis.intake.statements import NAME_KEYS
from gis.model import Site
from gis.model.attributes import ATTRIBUTES

Array: TypeAlias = np.ndarray[Any, Any]
Sites: TypeAlias = Any  # a GeoDataFrame, a path, or several paths or sites

# Rows that are read at once.
SLICE = 10_000
# Formats that hold tables of any length, by suffix; the others go through the door.
_TABLES = (".gpkg", ".parquet", ".geoparquet", ".fgb", ".shp")
# What may hold more than the door takes, and GDAL can read in slices.
_LONG = (".zip", ".geojson", ".json")
_OWN_LAYERS = frozenset({"remedies"})  # of the GeoPackage that a check writes
_KEPT = frozenset({"use", *NAME_KEYS, *ATTRIBUTES})


@dataclass(frozen=True, slots=True)
class Slice:
    """Some rows with what they have in common, and their boxes.

    ``boxes`` is (n, 4), west, south, east, north in the work CRS; NaN where a row has none.
    """

    origin: Origin
    rows: list[Row]
    boxes: Array


@dataclass(slots=True)
class _Count:
    """Numbers for rows and origins over all inputs of a batch."""

    rows: int = 0
    origins: int = 0


def read_rows(
    sites: Sites,
    policy: CrsPolicy,
    *,
    crs: int | str | None = None,
    encoding: str | None = None,
    repair: bool = False,
    width_m: float | None = None,
) -> Iterator[Slice]:
    """Yield all rows of a batch in the order of the input.

    Raises
    ------
    CrsError
        A GeoDataFrame without CRS; files without one are told row by row.
    ClaimError
        Something that is neither a table, nor a file, nor a site.
    """
    given = None if crs is None else declared_by(crs)
    options = {"crs": crs, "encoding": encoding, "repair": repair, "width_m": width_m}
    reader = _Reader(policy, given, options)
    if hasattr(sites, "geometry") and hasattr(sites, "columns"):
        yield from reader.frame(sites)
        return
    items: Iterable[Any] = [sites] if isinstance(sites, str | Path | Site) else sites
    waiting: list[Site] = []
    for item in items:
        if isinstance(item, Site):
            waiting.append(item)
            if len(waiting) < SLICE:
                continue
        if waiting:
            yield reader.of_sites(waiting)
            waiting = []
        if isinstance(item, str | Path):
            yield from reader.file(Path(item))
        elif not isinstance(item, Site):
            raise ClaimError(
                f"不能检测 {type(item).__name__}",
                expected="GeoDataFrame、文件或读入的地块",
                advice="图形放进 geopandas.GeoDataFrame(geometry=[…], crs=plan.work_epsg)",
            )
    if waiting:
        yield reader.of_sites(waiting)


class _Reader:
    """Reads one input after another and numbers the rows."""

    def __init__(
        self,
        policy: CrsPolicy,
        given: Declared | None,
        options: Mapping[str, Any],
    ) -> None:
        self.policy = policy
        self.given = given
        self.options = options
        self.encoding = options["encoding"]
        self.hints = Hints(policy, given is not None)
        self.count = _Count()

    # --- what is given as objects ---

    def of_sites(self, sites: Sequence[Site], label: str = "") -> Slice:
        """Return sites that have been read already."""
        return self._understood(Origin("site", label), list(sites))

    def frame(self, frame: Any) -> Iterator[Slice]:
        """Yield the rows of a GeoDataFrame."""
        if frame.crs is None and self.given is None:
            raise CrsError(
                "表没有坐标系", expected="带坐标系的 GeoDataFrame", advice="先用 set_crs 写明坐标系"
            )
        origin = Origin("table", "", self._declared(frame.crs, "表"), self.given)
        number = self._new_origin()
        columns = {str(c): c for c in frame.columns if _is_kept(c) and c != frame.geometry.name}
        for start in range(0, len(frame), SLICE):
            part = frame.iloc[start : start + SLICE]
            fields = {name: part[c].tolist() for name, c in columns.items()}
            shapes = np.asarray(part.geometry.array)
            wkb = shapely.to_wkb(shapes).tolist()
            yield self._raw(origin, number, start, wkb, fields)

    # --- files ---

    def file(self, path: Path) -> Iterator[Slice]:
        """Yield the rows of a file; what is wrong with the whole file is one row."""
        start = self.count.rows
        try:
            if path.suffix.lower() in _TABLES and path.is_file():
                yield from self._table(path)
            else:
                yield from self._door(path)
        except InputError as error:
            yield self._refused(path, error, self.count.rows - start)

    def _door(self, path: Path) -> Iterator[Slice]:
        try:
            found = read_each(path, self.policy, **self.options)
        except LimitError:
            if path.suffix.lower() not in _LONG or _is_no_table(path):
                raise
            yield from self._table(path)
            return
        yield self._understood(Origin("file", path.name), found)

    def _table(self, path: Path) -> Iterator[Slice]:
        if path.suffix.lower() in (".parquet", ".geoparquet"):
            yield from self._parquet(path)
        else:
            yield from self._by_gdal(path)

    def _by_gdal(self, path: Path) -> Iterator[Slice]:
        """Yield the rows of all layers that GDAL finds."""
        import pyogrio

        name = f"/vsizip/{path}" if path.suffix.lower() == ".zip" else str(path)
        try:
            layers = [str(layer) for layer, kind in pyogrio.list_layers(name) if kind is not None]
            for layer in layers:
                if layer not in _OWN_LAYERS:
                    yield from self._layer(path, name, layer, several=len(layers) > 1)
        except (OSError, ValueError, RuntimeError) as problem:
            raise _unreadable(path, problem) from None

    def _layer(self, path: Path, name: str, layer: str, *, several: bool) -> Iterator[Slice]:
        import pyogrio

        info = pyogrio.read_info(name, layer=layer, encoding=self.encoding)
        kept = [str(field) for field in info["fields"] if _is_kept(field)]
        label = f"{path.name}／{layer}" if several else path.name
        declared = self._declared(info["crs"], label)
        origin, number = Origin("table", label, declared, self.given), self._new_origin()
        with pyogrio.raw.open_arrow(
            name, layer=layer, columns=kept, encoding=self.encoding, batch_size=SLICE,
            use_pyarrow=True,
        ) as (meta, batches):  # fmt: skip
            geometry = meta["geometry_name"] or "wkb_geometry"
            start = 0
            for batch in batches:
                fields = {key: batch.column(key).to_pylist() for key in kept}
                wkb = batch.column(geometry).to_pylist()
                yield self._raw(origin, number, start, wkb, fields)
                start += len(wkb)

    def _parquet(self, path: Path) -> Iterator[Slice]:
        import pyarrow  # type: ignore[import-untyped]  # pyarrow has no types
        import pyarrow.parquet  # type: ignore[import-untyped]  # pyarrow has no types

        try:
            file = pyarrow.parquet.ParquetFile(path)
            meta = json.loads((file.schema_arrow.metadata or {})[b"geo"])
            geometry = meta["primary_column"]
            column = meta["columns"][geometry]
            if column["encoding"] != "WKB":
                raise FormatError(f"“{path.name}”的图形不是 WKB 编码", expected="GeoParquet，WKB")
            said = column.get("crs", "OGC:CRS84")
            declared = self._declared(
                None if said is None else CRS.from_user_input(said), path.name
            )
            origin, number = Origin("table", path.name, declared, self.given), self._new_origin()
            kept = [key for key in file.schema_arrow.names if _is_kept(key) and key != geometry]
            start = 0
            for batch in file.iter_batches(SLICE, columns=[geometry, *kept]):
                fields = {key: batch.column(key).to_pylist() for key in kept}
                wkb = batch.column(geometry).to_pylist()
                yield self._raw(origin, number, start, wkb, fields)
                start += len(wkb)
        except (OSError, KeyError, TypeError, json.JSONDecodeError, pyarrow.ArrowException) as bad:
            raise _unreadable(path, bad) from None

    # --- rows ---

    def _new_origin(self) -> int:
        self.count.origins += 1
        return self.count.origins - 1

    def _declared(self, crs: Any, where: str) -> Declared | None:
        if crs is None or self.given is not None:
            return None
        if isinstance(crs, CRS):
            code = crs.to_epsg(min_confidence=100)
            crs = f"EPSG:{code}" if code else crs.to_wkt()
        return declared_crs(str(crs).replace("OGC:CRS84", "EPSG:4326"), where, self.hints)

    def _raw(
        self,
        origin: Origin,
        number: int,
        start: int,
        wkb: Sequence[bytes | None],
        fields: Mapping[str, Sequence[Any]],
    ) -> Slice:
        rows = [
            Row(
                self.count.rows + n,
                start + n + 1,
                number,
                f"{origin.label or '地块'} {start + n + 1}",
                shape or b"",
                {key: kept for key, v in fields.items() if (kept := _value(v[n])) is not None},
            )
            for n, shape in enumerate(wkb)
        ]
        self.count.rows += len(rows)
        return Slice(origin, rows, _boxes(wkb, origin, self.policy))

    def _understood(self, origin: Origin, found: Sequence[Site | InputError]) -> Slice:
        number, boxes = self._new_origin(), np.full((len(found), 4), np.nan)
        rows = []
        for n, item in enumerate(found):
            place = self.count.rows + n, n + 1, number
            if isinstance(item, Site):
                rows.append(Row(*place, item.name, site=item))
                boxes[n] = _reach(item)
            else:
                name = f"{origin.label or '地块'} {n + 1}"
                rows.append(Row(*place, name, problem=problem_of(item)))
        self.count.rows += len(rows)
        return Slice(origin, rows, boxes)

    def _refused(self, path: Path, error: InputError, read: int) -> Slice:
        """Return the row that stands for a file, or for what could not be read of it."""
        told = problem_of(error)
        if read:
            told = Problem(told.code, f"前 {read} 行以后无法读取：{told.message}")
        row = Row(self.count.rows, read + 1, self._new_origin(), path.name, problem=told)
        self.count.rows += 1
        return Slice(Origin("file", path.name), [row], np.full((1, 4), np.nan))


def _is_kept(name: object) -> bool:
    return str(name).strip().lower() in _KEPT


def _is_no_table(path: Path) -> bool:
    """Whether GDAL finds nothing that has rows."""
    import pyogrio

    name = f"/vsizip/{path}" if path.suffix.lower() == ".zip" else str(path)
    try:
        return not len(pyogrio.list_layers(name))
    except (OSError, ValueError, RuntimeError):
        return True


def _unreadable(path: Path, problem: Exception) -> FormatError:
    return FormatError(
        f"文件“{path.name}”无法读取（{type(problem).__name__}）",
        expected="完整的 GeoPackage、GeoParquet、shapefile 或 GeoJSON",
        advice="重新导出后再检测",
    )


def _value(value: Any) -> Any:
    """Return a value of a table as a plain one; None where there is nothing."""
    if value is None or value != value:  # no number is not equal to itself
        return None
    if isinstance(value, np.generic):
        value = value.item()
    return clean_text(value, limit=4096)[0] if isinstance(value, str) else value


def _reach(site: Site) -> Array:
    """Return the box of all outlines that a site may have."""
    doubt = site.doubt
    others = () if doubt is None else doubt.others
    box = shapely.total_bounds(np.array([site.geometry, *others], dtype=object))
    reach = 0.0 if doubt is None else doubt.reach_m
    return np.asarray(box + np.array([-reach, -reach, reach, reach]))


def _boxes(wkb: Sequence[bytes | None], origin: Origin, policy: CrsPolicy) -> Array:
    """Return about where the rows lie in the work CRS: the boxes of their corners."""
    shapes = shapely.from_wkb(np.array(wkb, dtype=object), on_invalid="ignore")
    west, south, east, north = shapely.bounds(shapes).T
    said = origin.given or origin.declared
    code = said.epsgs[0] if said is not None and len(said.epsgs) == 1 and not said.shift else None
    if code is None or same_datum_code(code) == policy.work_epsg:
        return np.column_stack([west, south, east, north])
    move = Transformer.from_crs(
        crs_of(same_datum_code(code)), crs_of(policy.work_epsg), always_xy=True
    )
    x, y = move.transform(
        np.concatenate([west, west, east, east]), np.concatenate([south, north, south, north])
    )
    x, y = (np.where(np.isfinite(v), v, np.nan).reshape(4, -1) for v in (x, y))
    return np.column_stack([x.min(axis=0), y.min(axis=0), x.max(axis=0), y.max(axis=0)])
