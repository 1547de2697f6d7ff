"""How do the layers of a plan package get into a PostGIS database, and is what came in the same?

Everything as the files have it: all features and fields, faults included, with SRID, index and
comments; one table per layer, named after its id. One transaction: all layers or none, and each
is read back and compared by its content hash before it counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from gis.engine.index import Array
from gis.errors import ClaimError, Fault, PlanError
from gis.plan.area import Plan
from gis.plan.catalogue import Layer, opened_from
from gis.plan.schema import STATUS_LABELS, LayerEntry
from gis.plan.sources import tables
from gis.plan.sources.faults import library, reading
from gis.plan.sources.files import read_file
from gis.plan.sources.postgis import connected
from gis.plan.sources.stored import LayerAbsentError, LayerUnusableError, Stored, quietly

if TYPE_CHECKING:
    from gis.plan.sources.postgis import Connection

_GEOMETRY, _ROW = "geom", "wuqu_row"
_MULTI = {"polygon": "MultiPolygon", "line": "MultiLineString", "point": "MultiPoint"}
_DIMENSION = {"point": 0, "line": 1, "polygon": 2}
# PostgreSQL cuts longer names off, in silence.
_LONGEST_NAME = 63
_TYPES = {"i": "bigint", "u": "bigint", "f": "double precision", "b": "boolean"}


@dataclass(frozen=True, slots=True)
class Loaded:
    """One layer that came into the database."""

    id: str
    table: str
    features: int
    geometry_column: str
    content_sha256: str | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    """A layer as it will be written."""

    entry: LayerEntry
    stored: Stored
    srid: int
    geometry: str

    @property
    def kind(self) -> str:
        """The declared type: multi, where all features are of the kind that the plan states."""
        found = shapely.get_dimensions(self.stored.shapes)
        there = ~shapely.is_missing(self.stored.shapes)
        fits = bool((found[there] == _DIMENSION[self.entry.geometry]).all())
        return _MULTI[self.entry.geometry] if fits else "Geometry"


def load(
    plan: Plan,
    address: str,
    schema: str,
    *,
    replacing: bool = False,
    told: Callable[[str], None] = lambda _: None,
) -> tuple[Loaded, ...]:
    """Write every layer of a plan package that stands in a file into a database.

    Parameters
    ----------
    plan
        The opened package.
    address
        For libpq; its user must be allowed to create the schema or tables in it.
    schema
        Where the tables go; created when absent.
    replacing
        Whether tables of the same names are replaced; refused otherwise.
    told
        Called with the title of each layer before it is written.

    Raises
    ------
    PlanError
        A file that cannot be read or has no EPSG code, or the database refuses; nothing was
        written.
    ClaimError
        A name that PostgreSQL cannot take, or tables that are there already.
    """
    psycopg = library()
    written = [*_to_write(plan)]
    if not written:
        raise ClaimError("规划数据包没有可载入的图层文件", advice="核对 plan.toml 中的 path")
    _refuse_long(schema, "模式名")
    connection = connected(address, writing=True)
    try:
        with connection:
            _prepare(connection, schema, [table.entry.id for table in written], replacing=replacing)
            return tuple(_one(connection, schema, table, plan, told) for table in written)
    except psycopg.Error as problem:
        raise _refused(problem) from None


def _refused(problem: Any) -> PlanError:
    said = {
        "42501": "没有建表的权限",
        "42704": "数据库没有安装 PostGIS 扩展，或扩展不在搜索路径中",
        "53100": "数据库磁盘已满",
        "22P05": "文字含有数据库不能保存的字符",
        "22021": "文字含有数据库不能保存的字符",
    }
    text = said.get(problem.sqlstate or "") or reading(problem)
    return PlanError(f"数据库未能写入（{text}），没有载入任何图层", advice="处理后重新载入")


# --- what is to be written -----------------------------------------------------------------------


def _to_write(plan: Plan) -> Iterator[_Table]:
    faults: list[Fault] = []
    for entry in plan.file.layer:
        if entry.postgis:
            continue
        try:
            with quietly():
                stored = read_file(plan.root / entry.path, entry.encoding, shown=entry.path)
            yield _Table(entry, stored, _srid(stored), _free_name(stored))
        except LayerAbsentError:
            continue  # its rules are undetermined, from a table as from a file
        except LayerUnusableError as problem:
            faults.append(Fault(f"图层 {entry.id}", str(problem)))
    if faults:
        raise PlanError(
            f"{len(faults)} 个图层的文件不能载入：{faults[0].where}：{faults[0].message}",
            advice="先用 wuqu data check 查看并改正",
            faults=faults,
        )


def _srid(stored: Stored) -> int:
    if stored.crs is None:
        return 0
    found = stored.crs.to_epsg()
    if found is None:
        raise LayerUnusableError("坐标系没有 EPSG 代码，数据库无法记录")
    return int(found)


def _free_name(stored: Stored) -> str:
    for name in stored.names:
        _refuse_long(name, "字段名")
    for name, column in stored.fields.items():
        if column.dtype.kind == "O" and any(isinstance(value, bytes) for value in column):
            raise LayerUnusableError(f"字段 {name} 含有二进制内容，不能按文字保存")
    taken = {name.lower() for name in stored.names}
    if _ROW in taken:
        raise LayerUnusableError(f"字段名 {_ROW} 留作行号，请改名")
    return _GEOMETRY if _GEOMETRY not in taken else "wuqu_geom"


def _refuse_long(name: str, what: str) -> None:
    if not name or len(name.encode()) > _LONGEST_NAME or "\x00" in name:
        raise ClaimError(
            f"{what}“{name[:40]}”不能用作数据库名称",
            expected=f"1 至 {_LONGEST_NAME} 字节（一个汉字 3 字节）",
            advice="改短后重新载入",
        )


# --- writing -------------------------------------------------------------------------------------


def _prepare(connection: Connection, schema: str, names: Sequence[str], *, replacing: bool) -> None:
    from psycopg import sql

    there = connection.execute(
        "SELECT c.relname::text FROM pg_catalog.pg_class c "
        "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = %s AND c.relname = ANY(%s) ORDER BY 1",
        (schema, list(names)),
    ).fetchall()
    if there and not replacing:
        shown = "、".join(name for (name,) in there[:5])
        raise ClaimError(
            f"模式 {schema} 中已有 {len(there)} 张同名表：{shown}",
            advice="换一个 --schema，或用 --replace 替换",
        )
    # Asked for only when absent: the right to create schemas is rarer than that to create tables.
    known = connection.execute(
        "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = %s", (schema,)
    )
    if known.fetchone() is None:
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    for (name,) in there:
        connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(schema, name)))


def _one(
    connection: Connection,
    schema: str,
    table: _Table,
    plan: Plan,
    told: Callable[[str], None],
) -> Loaded:
    entry = table.entry
    told(entry.title)
    columns = [(name, _type_of(table.stored.fields[name])) for name in table.stored.names]
    _create(connection, schema, table, columns)
    _copy(connection, schema, table, columns)
    _describe(connection, schema, table)
    there = entry.model_copy(
        update={
            "path": "",
            "encoding": None,
            "postgis": "written",
            "table": f"{schema}.{entry.id}",
            "geometry_column": table.geometry,
        }
    )
    found = _read_back(connection, there, plan)
    _compare(plan.layers[entry.id], found)
    return Loaded(entry.id, there.table, len(table.stored), table.geometry, found.content_sha256)


def _type_of(column: Array) -> str:
    """Return the type of a column; whatever is neither number nor date is text."""
    if column.dtype.kind == "M":
        return "date" if np.datetime_data(column.dtype)[0] == "D" else "timestamp"
    return _TYPES.get(column.dtype.kind, "text")


def _create(
    connection: Connection, schema: str, table: _Table, columns: Sequence[tuple[str, str]]
) -> None:
    from psycopg import sql

    place = sql.Identifier(schema, table.entry.id)
    fields = [
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in columns
    ]
    # The number of the row in the file: desktop programs want a key, and files have none.
    row = sql.SQL("{} integer PRIMARY KEY").format(sql.Identifier(_ROW))
    shape = sql.SQL("{} geometry({}, {})").format(
        sql.Identifier(table.geometry),
        sql.SQL(table.kind),
        sql.Literal(table.srid),
    )
    connection.execute(
        sql.SQL("CREATE TABLE {} ({})").format(place, sql.SQL(", ").join([row, *fields, shape]))
    )
    connection.execute(
        sql.SQL("CREATE INDEX ON {} USING gist ({})").format(place, sql.Identifier(table.geometry))
    )


def _copy(
    connection: Connection, schema: str, table: _Table, columns: Sequence[tuple[str, str]]
) -> None:
    from psycopg import sql

    names = [_ROW, *(name for name, _ in columns), table.geometry]
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(schema, table.entry.id), sql.SQL(", ").join(map(sql.Identifier, names))
    )
    values = [_values(table.stored.fields[name]) for name, _ in columns]
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for number, (*row, shape) in enumerate(zip(*values, _hex(table), strict=True), start=1):
            copy.write_row((number, *row, shape))


def _values(column: Array) -> list[Any]:
    # A number or time that is none stands for an empty cell.
    return [None if value is None or value != value else value for value in column.tolist()]


def _hex(table: _Table) -> list[str | None]:
    """Return EWKB in hexadecimal, every coordinate to the last bit; height plays no part."""
    shapes = shapely.force_2d(table.stored.shapes)
    if table.kind.startswith("Multi"):
        shapes = _as_multi(shapes)
    shapes = shapely.set_srid(shapes, table.srid)
    found: list[str | None] = shapely.to_wkb(shapes, hex=True, include_srid=True).tolist()
    return found


def _as_multi(shapes: Array) -> Array:
    wrap: Mapping[int, Callable[[list[Any]], Any]] = {
        0: shapely.multipoints,
        1: shapely.multilinestrings,
        3: shapely.multipolygons,
    }
    out = shapes.copy()
    for n, kind in enumerate(shapely.get_type_id(shapes).tolist()):
        if kind in wrap:
            out[n] = wrap[kind]([shapes[n]])
    return out


def _describe(connection: Connection, schema: str, table: _Table) -> None:
    """Write what the layer is where desktop programs show it."""
    from psycopg import sql

    entry, place = table.entry, sql.Identifier(schema, table.entry.id)
    parts = [entry.title, f"现势性 {entry.vintage}", f"状态 {STATUS_LABELS[entry.status]}"]
    parts += [f"密级 {entry.secrecy}", *([entry.source] if entry.source else [])]
    _comment(connection, sql.SQL("TABLE {}").format(place), "；".join(parts))
    for field, meaning in _meanings(entry).items():
        if field in table.stored.names:
            column = sql.SQL("COLUMN {}.{}").format(place, sql.Identifier(field))
            _comment(connection, column, meaning)


def _meanings(entry: LayerEntry) -> Mapping[str, str]:
    names = entry.fields
    known = {
        names.id: "编号",
        names.cls: "分类",
        names.name: "名称",
        names.half_width: "半宽（米）",
        names.area: f"面积（{names.area_unit}）",
    }
    known |= {column: f"规则字段 {name}" for name, column in names.values.items()}
    return {field: meaning for field, meaning in known.items() if field}


def _comment(connection: Connection, what: Any, text: str) -> None:
    from psycopg import sql

    connection.execute(sql.SQL("COMMENT ON {} IS {}").format(what, sql.Literal(text)))


# --- is it the same ------------------------------------------------------------------------------


def _read_back(connection: Connection, entry: LayerEntry, plan: Plan) -> Layer:
    return opened_from(
        lambda: tables.read(connection, entry), entry, plan.work_epsg, plan.bounds_polygon
    )


def _compare(before: Layer, after: Layer) -> None:
    same = before.state is after.state and before.content_sha256 == after.content_sha256
    if not same:
        raise PlanError(
            f"图层 {before.info.id} 写入数据库后与文件不同"
            f"（文件 {before.state.value}，数据库 {after.state.value}），没有载入任何图层",
            expected="内容校验值相同",
            advice="核对文件，用 wuqu data check 查看",
        )
