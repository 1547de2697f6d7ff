"""What is a table of a database made of, and what do its rows say as features of a layer?

Looks into the catalogue of the database first, so that a missing table, column or SRID is told by
its name; then fetches the columns in use, binary and piece by piece. The geometry is the EWKB that
PostGIS sends, to the last bit; no function of PostGIS is called.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from pyproj import CRS

from gis.engine.index import Array
from gis.plan.schema import FieldNames, LayerEntry
from gis.plan.sources.stored import LayerAbsentError, LayerUnusableError, Stored, crs_from

if TYPE_CHECKING:
    import psycopg

    Connection = psycopg.Connection[tuple[Any, ...]]

# Rows that are fetched at once; a county has a million.
_AT_ONCE = 10_000
# Types whose values are attributes as a file has them; the others need a view that says what is
# meant.
_NUMBERS = frozenset({"int2", "int4", "int8", "float4", "float8", "numeric", "bool"})
_WORDS = frozenset({"text", "varchar", "bpchar", "name", "uuid"})
_PLAIN = _NUMBERS | _WORDS | frozenset({"date", "timestamp", "timestamptz"})
_AS_TEXT = frozenset({"citext", "enum"})
# Polygons, lines and points; the types behind them are curves and surfaces.
_LAST_STRAIGHT = 7

_TABLE = """
SELECT c.oid, c.relkind::text FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = %(table)s AND c.relkind IN ('r', 'v', 'm', 'f', 'p')
AND CASE WHEN %(schema)s = '' THEN pg_catalog.pg_table_is_visible(c.oid)
    ELSE n.nspname = %(schema)s END
"""
_COLUMNS = """
SELECT a.attname::text,
  CASE WHEN b.typtype = 'e' THEN 'enum' ELSE b.typname::text END,
  pg_catalog.format_type(a.atttypid, a.atttypmod)
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
JOIN pg_catalog.pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
_HOME = """
SELECT n.nspname::text FROM pg_catalog.pg_extension e
JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'postgis'
"""


@dataclass(frozen=True, slots=True)
class Column:
    """A column by name, with the name of its type, plain and as it was declared."""

    name: str
    kind: str
    declared: str

    @property
    def srid(self) -> int:
        """The SRID that ``geometry(Polygon,4548)`` declares; 0 where it declares none."""
        found = re.search(r",(\d+)\)$", self.declared)
        return int(found.group(1)) if found else 0

    @property
    def is_attribute(self) -> bool:
        """Whether its values can be attributes of a feature."""
        return self.kind in _PLAIN or self.kind in _AS_TEXT


def read(connection: Connection, entry: LayerEntry, *, every: bool = False) -> Stored:
    """Return the features of a table in the snapshot of a connection.

    Raises
    ------
    LayerAbsentError
        No such table.
    LayerUnusableError
        What the table is made of cannot be a layer.
    psycopg.Error
        The database refuses.
    """
    if connection.info.parameter_status("server_encoding") == "SQL_ASCII":
        raise LayerUnusableError("数据库没有规定文字编码（SQL_ASCII），中文无法可靠读出")
    schema, name = split(entry.table)
    columns = _columns(connection, schema, name, entry)
    geometry = _geometry_column(columns, entry.geometry_column)
    chosen = _chosen(columns, entry.fields, every=every)
    with closing(_rows(connection, schema, name, [geometry, *chosen])) as rows:
        shapes, values = _gathered(rows, len(chosen))
    fields = {column.name: one for column, one in zip(chosen, values, strict=True)}
    names = tuple(column.name for column in columns if column.is_attribute)
    crs = _crs_of(connection, shapes, geometry)
    return Stored(fields, shapely.set_srid(shapes, 0), crs, names)


def split(table: str) -> tuple[str, str]:
    """Return schema and name; the schema is empty where the search path finds the table.

    >>> split("planning.GHYDYH"), split("zones")
    (('planning', 'GHYDYH'), ('', 'zones'))
    """
    schema, dot, name = table.partition(".")
    return (schema, name) if dot else ("", schema)


# --- what there is -------------------------------------------------------------------------------


def _columns(
    connection: Connection, schema: str, name: str, entry: LayerEntry
) -> tuple[Column, ...]:
    found = connection.execute(_TABLE, {"schema": schema, "table": name}).fetchone()
    if found is None:
        raise LayerAbsentError(f"数据库中没有这张表：{entry.place}")
    return tuple(Column(*row) for row in connection.execute(_COLUMNS, (found[0],)).fetchall())


def _geometry_column(columns: Sequence[Column], wanted: str | None) -> Column:
    spatial = [column for column in columns if column.kind == "geometry"]
    if wanted is not None:
        found = [column for column in columns if column.name == wanted]
        if not found:
            known = "、".join(column.name for column in spatial) or "无"
            raise LayerUnusableError(f"缺少几何字段 {wanted}（现有几何字段：{known}）")
        if found[0].kind != "geometry":
            raise LayerUnusableError(f"字段 {wanted} 的类型为 {found[0].kind}，应为 geometry")
        return found[0]
    if not spatial:
        others = [column for column in columns if column.kind in ("geography", "raster")]
        hint = f"（字段 {others[0].name} 的类型为 {others[0].kind}）" if others else ""
        raise LayerUnusableError(f"没有 geometry 类型的字段{hint}")
    if len(spatial) > 1:
        names = "、".join(column.name for column in spatial)
        raise LayerUnusableError(f"有几个几何字段（{names}），请用 geometry_column 写明一个")
    return spatial[0]


def _chosen(columns: Sequence[Column], fields: FieldNames, *, every: bool) -> list[Column]:
    """Return the columns to fetch; one that is missing is told where it is used."""
    used = {fields.id, fields.cls, fields.name, fields.half_width, *fields.values.values()}
    for column in columns:
        if column.name in used and not column.is_attribute:
            raise LayerUnusableError(f"字段 {column.name} 的类型 {column.kind} 不能作为属性")
    used = used if not every else {column.name for column in columns}
    return [column for column in columns if column.name in used and column.is_attribute]


def _crs_of(connection: Connection, shapes: Array, column: Column) -> CRS | None:
    """Return the CRS of the geometries, or of the column where it is empty; None for SRID 0."""
    srids = np.unique(shapely.get_srid(shapes[~shapely.is_missing(shapes)]))
    if len(srids) > 1:
        shown = "、".join(str(srid) for srid in srids)
        raise LayerUnusableError(f"几何字段 {column.name} 中有几种 SRID（{shown}），应只有一种")
    srid = int(srids[0]) if len(srids) else column.srid
    return _crs(connection, srid) if srid else None


def _crs(connection: Connection, srid: int) -> CRS:
    """Return what the database means by a number: mostly, not always, that of EPSG."""
    sql = _sql()
    home = connection.execute(_HOME).fetchone()
    if home is None:
        raise LayerUnusableError("数据库没有安装 PostGIS 扩展")
    query = sql.SQL(
        "SELECT auth_name, auth_srid, srtext FROM {}.spatial_ref_sys WHERE srid = %s"
    ).format(sql.Identifier(home[0]))
    found = connection.execute(query, (srid,)).fetchone()
    if found is None:
        raise LayerUnusableError(f"SRID {srid} 不在数据库的 spatial_ref_sys 中")
    authority, code, text = found
    try:
        return crs_from(f"EPSG:{code}" if (authority or "").upper() == "EPSG" else text)
    except Exception:
        # Whatever PROJ raises about a text that somebody wrote into the table.
        raise LayerUnusableError(f"SRID {srid} 的坐标系定义无法识别") from None


# --- rows ----------------------------------------------------------------------------------------


def _sql() -> Any:
    from psycopg import sql

    return sql


def _rows(
    connection: Connection, schema: str, name: str, columns: Sequence[Column]
) -> Generator[list[tuple[Any, ...]], None, None]:
    """Yield the rows of a table piece by piece, by a cursor of the server."""
    sql = _sql()
    asked = [
        sql.SQL("{}::text" if column.kind in _AS_TEXT else "{}").format(sql.Identifier(column.name))
        for column in columns
    ]
    place = sql.Identifier(schema, name) if schema else sql.Identifier(name)
    query = sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(asked), place)
    with connection.cursor(name="wuqu_layer", binary=True) as cursor:
        cursor.execute(query)
        while rows := cursor.fetchmany(_AT_ONCE):
            yield rows


def _gathered(pieces: Iterator[list[tuple[Any, ...]]], count: int) -> tuple[Array, list[Array]]:
    shapes: list[Array] = []
    columns: list[list[Any]] = [[] for _ in range(count)]
    for rows in pieces:
        wkb, *values = zip(*rows, strict=True)
        shapes.append(_shapes(wkb))
        for column, found in zip(columns, values, strict=True):
            column.extend(_plain(value) for value in found)
    whole = np.concatenate(shapes) if shapes else np.array([], dtype=object)
    return whole, [_objects(column) for column in columns]


def _objects(values: Sequence[Any]) -> Array:
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def _shapes(wkb: Sequence[bytes | None]) -> Array:
    """Return the geometries of EWKB, with their SRID; None stays None."""
    try:
        shapes = np.asarray(shapely.from_wkb(_objects(wkb)), dtype=object)
        straight = not (shapely.get_type_id(shapes) > _LAST_STRAIGHT).any()
    except NotImplementedError:
        straight = False
    except shapely.errors.ShapelyError:
        raise LayerUnusableError("几何字段含有无法识别的图形类型") from None
    if not straight:
        raise LayerUnusableError("几何字段含有圆弧或者曲面，请先用 ST_CurveToLine 转成折线")
    return shapes


def _plain(value: Any) -> Any:
    """Return a value as a file gives it: numbers as such, moments in UTC without saying so."""
    if isinstance(value, Decimal):
        whole = value.is_finite() and value == value.to_integral_value()
        return int(value) if whole else float(value)
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.replace(tzinfo=None)
    return value
