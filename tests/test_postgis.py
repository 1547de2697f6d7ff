"""Layers in PostGIS: the same decisions as from files, and a clear reason for all that is wrong.

Against a real server; the tables of the bundled plan are written by ``wuqu data load``.
"""

from __future__ import annotations

import logging
import os
import pickle
import shutil
from collections.abc import Iterator
from pathlib import Path

import geopandas
import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_plan import package as small_package

import gis
from gis.crs import ellipsoidal_area
from gis.digest import decision_text
from gis.model import Area, CrsDecision, LayerState, Site, Source, Verdict
from gis.plan import Plan, load_plan
from gis.plan.catalogue import Layer, open_layer
from gis.plan.quality import check_plan
from gis.plan.samples import load_samples
from gis.plan.schema import LayerEntry
from gis.plan.sources.loading import load
from gis.plan.sources.postgis import Databases
from gis.plan.sources.rewriting import with_tables

NAME = "WUQU_POSTGIS_PLANNING"
BOUNDS = shapely.box(350_000, 3_990_000, 450_000, 4_050_000)
SQUARE = "POLYGON((400000 4020000,400100 4020000,400100 4020100,400000 4020100,400000 4020000))"


def package(plan: Plan, root: Path, text: str) -> Path:
    """A package like the bundled one whose layers stand elsewhere."""
    root.mkdir()
    for name in ("rules", "rasters", "samples"):
        shutil.copytree(plan.root / name, root / name)
    (root / "plan.toml").write_text(text, encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def address(postgis: str) -> str:
    return postgis


def as_user(address: str, user: str, password: str = "") -> str:
    """The same database, asked as somebody else."""
    return address.replace("bench@", f"{user}:{password}@" if password else f"{user}@")


@pytest.fixture(scope="module")
def loaded(plan: Plan, address: str):
    return load(plan, address, "bundled")


@pytest.fixture(scope="module")
def package_dir(plan: Plan, loaded, tmp_path_factory) -> Path:
    text = (plan.root / "plan.toml").read_text(encoding="utf-8")
    return package(
        plan, tmp_path_factory.mktemp("tables") / "plan", with_tables(text, loaded, "planning")
    )


@pytest.fixture(scope="module")
def tables(package_dir: Path, address: str) -> Plan:
    """The bundled plan, every layer of it in a table."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(NAME, address)
        return load_plan(package_dir)


# --- the same from files and tables --------------------------------------------------------------


def test_every_layer_has_the_hash_that_it_has_from_its_file(plan: Plan, tables: Plan) -> None:
    assert all(entry.postgis and not entry.path for entry in tables.file.layer)
    assert {k: v.content_sha256 for k, v in tables.layers.items()} == {
        k: v.content_sha256 for k, v in plan.layers.items()
    }
    assert len(tables.layer("landuse").index) == 8346


def test_the_samples_are_decided_byte_for_byte_alike(plan: Plan, tables: Plan) -> None:
    samples = load_samples(plan)
    assert len(samples) == 8
    for sample in samples:
        both = []
        for one in (plan, tables):
            site = gis.read_site(sample.path, one, name=sample.name, width_m=sample.width_m)
            asked = {"use": sample.use, "attributes": sample.attributes, "as_of": sample.as_of}
            both.append(gis.check_site(site, one, **asked))
        assert decision_text(both[0]) == decision_text(both[1]), sample.name
        assert both[0].digest == both[1].digest
        assert gis.to_dict(both[0]) == gis.to_dict(both[1]), sample.name


def test_random_sites_are_decided_byte_for_byte_alike(plan: Plan, tables: Plan, as_of) -> None:
    random = np.random.default_rng(20)
    west, south, east, north = plan.layer("resort").index.union.bounds
    verdicts = set()
    for n in range(40):
        x, y, turn = random.uniform(west, east), random.uniform(south, north), random.uniform(0, 90)
        shape = shapely.affinity.rotate(shapely.box(x, y, x + 30 + 9 * n, y + 200), turn)
        measured = Area(ellipsoidal_area(shape, 4548), shape.area)
        where = CrsDecision(4548, 4548, "given"), Source("wkt", f"s{n}", "")
        site = Site(f"s{n}", shape, measured, *where)
        use = ("0803", "070102", "100101", None)[n % 4]
        found = [
            gis.check_site(site, p, use=use, as_of=as_of, remedies=False) for p in (plan, tables)
        ]
        assert decision_text(found[0]) == decision_text(found[1])
        verdicts.add(found[0].verdict)
    assert len(verdicts) > 1


def test_the_check_of_the_data_finds_the_same(clean: Path, address: str, tmp_path, monkeypatch):
    from dirty_package import Package

    dirty = Package(shutil.copytree(clean, tmp_path / "files"))
    frame = dirty.read("zones")
    frame.loc[0, "geometry"] = shapely.affinity.translate(frame.geometry[0], 25.0, 0)
    frame.loc[1, dirty.field("zones", "name")] = None
    frame.loc[2, dirty.field("zones", "area")] = 1.0
    dirty.write("zones", frame)
    files = load_plan(dirty.root)
    written = load(files, address, "dirty")
    shutil.copytree(dirty.root, tmp_path / "tables")
    toml = with_tables(dirty.toml, written, "planning")
    (tmp_path / "tables" / "plan.toml").write_text(toml, encoding="utf-8")
    monkeypatch.setenv(NAME, address)
    reports = [check_plan(p).to_dict() for p in (files, load_plan(tmp_path / "tables"))]
    assert {"gap", "overlap", "name_missing", "area_mismatch"} <= {
        f["code"] for f in reports[0]["findings"]
    }
    assert reports[0] == reports[1]


def test_a_single_part_is_the_same_land_as_a_polygon_and_as_a_multipolygon(db) -> None:
    db(f"CREATE TABLE one AS SELECT '1' AS id, 'SRID=4548;{SQUARE}'::geometry AS g")
    db("CREATE TABLE many AS SELECT id, ST_Multi(ST_Reverse(g)) AS g FROM one")
    found = [opened(db, table=name) for name in ("one", "many")]
    assert found[0].state is LayerState.CHECKED
    assert found[0].content_sha256 == found[1].content_sha256


def test_height_plays_no_part(db) -> None:
    squares(db)
    db("CREATE TABLE high AS SELECT id, ST_Force4D(g) AS g FROM l")
    assert opened(db, table="high").content_sha256 == opened(db).content_sha256


# --- what tables may be --------------------------------------------------------------------------


@pytest.fixture
def db(address: str):
    """Run statements in a schema of this test; ``db.address`` finds its tables first."""
    import psycopg

    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS t CASCADE; CREATE SCHEMA t")
        connection.execute("SET search_path = t, public")

        def run(statement: str) -> None:
            connection.execute(statement)

        run.address = address + "&options=-c%20search_path%3Dt,public"
        yield run


def entry(**changes: object) -> LayerEntry:
    values = {
        "id": "l",
        "title": "图层",
        "postgis": "planning",
        "table": "l",
        "role": "other",
        "geometry": "polygon",
        "fields": {"id": "id"},
        "vintage": "2026",
        "status": "draft",
    }
    return LayerEntry.model_validate(values | changes)


def opened(db, address: str = "", **changes: object) -> Layer:
    with Databases({"planning": address or db.address}) as databases:
        return open_layer(entry(**changes), Path(), 4548, BOUNDS, databases)


def squares(db, more: str = "", rows: int = 2, srid: int = 4548) -> None:
    db(
        f"CREATE TABLE l AS SELECT n::text AS id, ST_SetSRID(ST_Translate('{SQUARE}'::geometry, "
        f"200 * n, 0), {srid}) AS g {more} FROM generate_series(1, {rows}) n"
    )


def test_columns_read_as_those_of_a_file(db) -> None:
    db("CREATE TYPE kind AS ENUM ('甲', '乙'); CREATE DOMAIN code AS text")
    squares(
        db,
        ", '乙'::kind AS 类别, '0803 '::char(6) AS 名称, 2.50::numeric AS ratio, "
        "12345678901234567890::numeric AS long, TIMESTAMPTZ '2026-11-22 08:00+08' AS at, "
        "DATE '2026-11-22' AS day, "
        "NULL::int AS none, 'x'::code AS code",
    )
    values = {n: n for n in ("ratio", "long", "at", "day", "none", "code")}
    fields = {"id": "id", "class": "类别", "name": "名称", "values": values}
    layer = opened(db, fields=fields)
    assert layer.reason == ""
    assert list(layer.index.classes) == ["乙", "乙"]
    assert list(layer.index.names) == ["0803", "0803"]
    found = {name: column[0] for name, column in layer.index.values.items()}
    assert found == {
        "ratio": 2.5,
        "long": 12345678901234567890.0,
        "at": "2026-11-22 00:00:00",
        "day": "2026-11-22",
        "none": None,
        "code": "x",
    }


@pytest.mark.parametrize("kind", ["VIEW", "MATERIALIZED VIEW"])
def test_a_view_is_a_layer_too(db, kind: str) -> None:
    squares(db)
    db(f"CREATE {kind} v AS SELECT * FROM l")
    assert opened(db, table="v").content_sha256 == opened(db).content_sha256


def test_a_table_is_found_by_schema_and_by_capitals(db) -> None:
    squares(db)
    db('CREATE TABLE "GHYDYH" AS SELECT * FROM l')
    assert opened(db, table="t.GHYDYH").state is LayerState.CHECKED
    assert opened(db, table="t.ghydyh").state is LayerState.NO_DATA
    assert opened(db, table="public.l").state is LayerState.NO_DATA


def test_another_srid_is_brought_into_the_work_crs_by_its_epsg_code(db) -> None:
    squares(db)
    db("CREATE TABLE degrees AS SELECT id, ST_Transform(g, 4490) AS g FROM l")
    layer = opened(db, table="degrees")
    assert layer.state is LayerState.CHECKED
    assert layer.frame.geometry[0].area == pytest.approx(10_000, abs=0.01)


def test_a_number_of_the_bureau_means_what_its_definition_says(db) -> None:
    db(
        "INSERT INTO spatial_ref_sys SELECT 990001, 'BUREAU', 1, srtext, proj4text "
        "FROM spatial_ref_sys WHERE srid = 4548 ON CONFLICT DO NOTHING"
    )
    squares(db, srid=990001)
    assert opened(db).frame.geometry[0].area == pytest.approx(10_000, abs=0.01)


def test_an_empty_table_says_its_crs_in_its_type(db) -> None:
    db("CREATE TABLE l (id text, g geometry(Polygon, 4548))")
    assert opened(db).state is LayerState.CHECKED
    db("CREATE TABLE vague (id text, g geometry)")
    assert "SRID" in opened(db, table="vague").reason


# --- what is wrong with a table ------------------------------------------------------------------

_OTHER = "INSERT INTO l SELECT '9', {} "
WRONG = {
    "no_column": ("", {"fields": {"id": "id", "class": "DLBM"}}, ["缺少字段 DLBM", "id"]),
    "no_geometry_column": ("", {"geometry_column": "geom"}, ["缺少几何字段 geom", "g"]),
    "geometry_is_text": ("", {"geometry_column": "id"}, ["类型为 text", "geometry"]),
    "no_geometry": ("ALTER TABLE l DROP g", {}, ["没有 geometry 类型的字段"]),
    "geography": (
        "ALTER TABLE l ALTER g TYPE geography USING ST_Transform(g, 4326)::geography",
        {},
        ["geography"],
    ),
    "two_geometries": ("ALTER TABLE l ADD h geometry", {}, ["g、h", "geometry_column"]),
    "srid_0": ("UPDATE l SET g = ST_SetSRID(g, 0)", {}, ["缺少坐标系（SRID）"]),
    "two_srids": (_OTHER.format("ST_Transform(g, 4490) FROM l LIMIT 1"), {}, ["4490、4548"]),
    "unknown_srid": ("UPDATE l SET g = ST_SetSRID(g, 990002)", {}, ["990002", "spatial_ref_sys"]),
    "old_datum": ("UPDATE l SET g = ST_SetSRID(g, 2379)", {}, ["西安"]),
    "null_geometry": (_OTHER.format("NULL"), {}, ["1 个要素没有图形"]),
    "empty_geometry": (
        _OTHER.format("'SRID=4548;POLYGON EMPTY'::geometry"),
        {},
        ["1 个要素没有图形"],
    ),
    "a_line": (_OTHER.format("ST_Boundary(g) FROM l LIMIT 1"), {}, ["1 个要素不是面"]),
    "a_curve": (
        _OTHER.format(
            "ST_GeomFromEWKT('SRID=4548;CURVEPOLYGON(CIRCULARSTRING(400000 4020000,400050 4020050,"
            "400100 4020000,400050 4019950,400000 4020000))')"
        ),
        {},
        ["圆弧"],
    ),
    "bow_tie": (
        _OTHER.format(
            "'SRID=4548;POLYGON((400000 4020000,400100 4020100,400100 4020000,400000 4020100,"
            "400000 4020000))'::geometry"
        ),
        {},
        ["自相交"],
    ),
    "same_ids": ("UPDATE l SET id = '1'", {}, ["编号字段 id 有空值或重复值"]),
    "elsewhere": ("UPDATE l SET g = ST_Translate(g, 0, 400000)", {}, ["规划范围之外", "SRID"]),
    "json": ("ALTER TABLE l ADD j json", {"fields": {"id": "id", "name": "j"}}, ["j 的类型 json"]),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_fails_the_layer_and_is_said(db, case: str) -> None:
    statement, changes, said = WRONG[case]
    squares(db)
    if statement:
        db(statement)
    layer = opened(db, **changes)
    assert layer.state is LayerState.FAILED, layer.reason
    assert layer.content_sha256 is None
    assert layer.reason.startswith("数据库表无法使用：planning：l：")
    assert not [word for word in said if word not in layer.reason], layer.reason


_PLAN = """[plan]
id = "one"
version = "1"
title = "一层"
status = "draft"
work_crs = "EPSG:4548"
accepted_crs = ["EPSG:4548"]
bounds = [115.2, 36.0, 116.6, 36.6]

[[layer]]
id = "l"
title = "图层"
postgis = "planning"
table = "l"
role = "other"
geometry = "polygon"
vintage = "2026"
status = "draft"
"""


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_a_finding_of_the_check_of_the_data(
    db, case: str, tmp_path: Path, monkeypatch
) -> None:
    statement, changes, _ = WRONG[case]
    squares(db)
    if statement:
        db(statement)
    fields = changes.get("fields", {"id": "id"})
    lines = ["fields = { " + ", ".join(f'{k} = "{v}"' for k, v in fields.items()) + " }"]
    lines += [f'{k} = "{v}"' for k, v in changes.items() if k != "fields"]
    (tmp_path / "plan.toml").write_text(_PLAN + "\n".join(lines), encoding="utf-8")
    monkeypatch.setenv(NAME, db.address)
    report = check_plan(load_plan(tmp_path))
    found = {f.code for f in report.findings if f.severity.value == "error"}
    assert "layer_failed" in found
    # More than the reason: what exactly, or that the table cannot be read.
    assert found - {"layer_failed"}, report.to_dict()
    assert "check_failed" not in {f.code for f in report.findings}


def test_a_missing_table_is_no_data_like_a_missing_file(db) -> None:
    layer = opened(db, table="t.nothing")
    assert layer.state is LayerState.NO_DATA
    assert layer.reason == "数据库中没有这张表：planning：t.nothing"


def test_a_table_without_the_right_to_read_is_failed(db) -> None:
    squares(db)
    db("DROP ROLE IF EXISTS nobody; CREATE ROLE nobody LOGIN; GRANT USAGE ON SCHEMA t TO nobody")
    layer = opened(db, as_user(db.address, "nobody"))
    assert layer.state is LayerState.FAILED
    assert "没有读取权限" in layer.reason


def test_rows_that_a_policy_hides_are_not_missing_in_silence(db) -> None:
    squares(db)
    db("DROP ROLE IF EXISTS partly; CREATE ROLE partly LOGIN; GRANT USAGE ON SCHEMA t TO partly")
    db("GRANT SELECT ON l TO partly; ALTER TABLE l ENABLE ROW LEVEL SECURITY")
    db("CREATE POLICY own ON l FOR SELECT TO partly USING (id = '1')")
    assert "没有读取权限" in opened(db, as_user(db.address, "partly")).reason
    assert len(opened(db).index) == 2


def test_a_locked_table_fails_in_time_and_not_for_ever(db, address: str) -> None:
    import psycopg

    squares(db)
    with psycopg.connect(address) as other:
        other.execute("LOCK TABLE t.l IN ACCESS EXCLUSIVE MODE")
        limit = db.address + "%20-c%20statement_timeout%3D200"
        assert "超过读取时限" in opened(db, limit).reason


def test_a_view_that_writes_is_stopped(db) -> None:
    squares(db)
    db("CREATE SEQUENCE s; CREATE VIEW v AS SELECT nextval('s')::text AS id, g FROM l")
    assert opened(db, table="v").state is LayerState.FAILED
    assert "25006" in opened(db, table="v").reason


def test_one_bad_table_spoils_no_other(db) -> None:
    squares(db)
    db("CREATE VIEW broken AS SELECT (1 / (id::int - 1))::text AS id, g FROM l")
    with Databases({"planning": db.address}) as databases:
        bad, good = (
            open_layer(entry(table=name), Path(), 4548, BOUNDS, databases)
            for name in ("broken", "l")
        )
    assert bad.state is LayerState.FAILED
    assert good.state is LayerState.CHECKED


def test_all_layers_are_of_one_moment(db) -> None:
    squares(db)
    db("CREATE TABLE m AS SELECT * FROM l")
    with Databases({"planning": db.address}) as databases:
        open_layer(entry(), Path(), 4548, BOUNDS, databases)
        db("DELETE FROM m WHERE id = '1'; INSERT INTO l SELECT '3', g FROM m")
        layer = open_layer(entry(table="m"), Path(), 4548, BOUNDS, databases)
    assert list(layer.index.ids) == ["1", "2"]
    assert list(opened(db, table="m").index.ids) == ["2"]


def test_a_connection_that_breaks_fails_what_was_not_read_yet(db) -> None:
    squares(db)
    with Databases({"planning": db.address}) as databases:
        first = open_layer(entry(), Path(), 4548, BOUNDS, databases)
        db(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'wuqu' AND state LIKE 'idle in%'"
        )
        second = open_layer(entry(), Path(), 4548, BOUNDS, databases)
        third = open_layer(entry(), Path(), 4548, BOUNDS, databases)
    assert first.state is LayerState.CHECKED
    assert "连接中断" in second.reason
    assert "连接中断" in third.reason


# --- connections ---------------------------------------------------------------------------------


@pytest.fixture
def locked_user(postgres) -> Iterator[str]:
    """A user who needs a password: ``s3cret-word``."""
    import psycopg

    rules = postgres.folder / "data" / "pg_hba.conf"
    before = rules.read_text()
    with psycopg.connect(**postgres.connection, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS locked")
        connection.execute("CREATE ROLE locked LOGIN PASSWORD 's3cret-word'")
        rules.write_text(f"local all locked scram-sha-256\n{before}")
        connection.execute("SELECT pg_reload_conf()")
        yield "locked"
        rules.write_text(before)
        connection.execute("SELECT pg_reload_conf()")


def test_a_wrong_password_is_said_and_not_shown(db, address: str, locked_user: str, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    layer = opened(db, as_user(address, locked_user, "wrong-word"))
    assert layer.state is LayerState.FAILED
    assert "用户名或密码不被接受" in layer.reason
    assert "wrong-word" not in layer.reason + caplog.text
    right = as_user(address, locked_user, "s3cret-word")
    assert opened(db, right, table="public.spatial_ref_sys").reason.endswith(
        "没有 geometry 类型的字段"
    )


def test_a_password_may_come_from_a_file_of_libpq(db, address, locked_user, tmp_path, monkeypatch):
    passes = tmp_path / "pgpass"
    passes.write_text("*:*:*:locked:s3cret-word\n")
    passes.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(passes))
    layer = opened(db, as_user(address, locked_user), table="public.spatial_ref_sys")
    assert "geometry" in layer.reason


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("postgresql://u@127.0.0.1:1/x", "服务器没有应答或拒绝连接"),
        ("postgresql://u@/x?host=/nowhere/at/all", "服务器没有应答或拒绝连接"),
        ("service=nothing-known", "没有这个服务名（pg_service.conf）"),
        ("postgresql://u@127.0.0.1:1/x?nonsense=1", "地址写法有误"),
    ],
)
def test_a_server_that_is_not_there_fails_the_layer(db, where: str, said: str) -> None:
    layer = opened(db, where)
    assert layer.state is LayerState.FAILED
    assert layer.reason == f"数据库表无法使用：planning：l：无法连接数据库（{said}）"


def test_a_database_that_is_not_there_is_named_as_such(db, postgres) -> None:
    assert "没有这个数据库" in opened(db, postgres.url("nothing")).reason


def test_without_a_server_no_site_complies(package_dir: Path, plan, as_of, monkeypatch) -> None:
    monkeypatch.setenv(NAME, "postgresql://u@127.0.0.1:1/x")
    alone = load_plan(package_dir)
    assert {layer.state for layer in alone.layers.values()} == {LayerState.FAILED}
    for sample in load_samples(plan):
        site = gis.read_site(sample.path, alone, name=sample.name, width_m=sample.width_m)
        asked = {"use": sample.use, "attributes": sample.attributes}
        check = gis.check_site(site, alone, as_of=as_of, **asked)
        assert check.verdict in (Verdict.UNDETERMINED, Verdict.FAIL)
    report = check_plan(alone)
    assert {f.code for f in report.findings} == {
        "file_unreadable",
        "layer_failed",
        "coverage_unknown",
    }
    assert "127.0.0.1" not in str(report.to_dict())


def test_the_address_stays_in_the_environment(tables: Plan, address: str, as_of) -> None:
    site = gis.read_site(
        "POINT(409000 4030000)".replace("POINT", "POLYGON").replace(
            "(409000 4030000)",
            "((409000 4030000,409100 4030000,409100 4030100,409000 4030100,409000 4030000))",
        ),
        tables,
        crs=4548,
    )
    document = str(gis.to_dict(gis.check_site(site, tables, as_of=as_of)))
    host = address.partition("host=")[2]
    assert host not in document
    assert host not in tables.file.model_dump_json()
    assert host.encode() not in pickle.dumps(tables.file)


# --- loading -------------------------------------------------------------------------------------


def test_tables_come_with_type_index_and_comments(loaded, address: str) -> None:
    import psycopg

    assert len(loaded) == 39
    with psycopg.connect(address) as connection:
        kind, srid = connection.execute(
            "SELECT type, srid FROM geometry_columns "
            "WHERE f_table_schema = 'bundled' AND f_table_name = 'zones'"
        ).fetchone()
        about, column = connection.execute(
            "SELECT obj_description(c.oid), col_description(c.oid, a.attnum) FROM pg_class c "
            "JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.oid = 'bundled.zones'::regclass "
            "AND a.attname = 'GNFQDM'"
        ).fetchone()
        indexes = connection.execute(
            "SELECT indexdef FROM pg_indexes WHERE schemaname = 'bundled' AND tablename = 'zones'"
        ).fetchall()
    assert (kind, srid) == ("MULTIPOLYGON", 4548)
    assert about.startswith("五大功能区；现势性 2026-11")
    assert "示意" in about
    assert column == "分类"
    assert sum("gist" in row[0] for row in indexes) == 1


_TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=12)


@settings(max_examples=20, suppress_health_check=list(HealthCheck))
@given(
    rows=st.lists(
        st.tuples(_TEXT, _TEXT, st.one_of(st.none(), st.floats(allow_nan=False))),
        min_size=1,
        max_size=6,
    ),
    corner=st.tuples(*[st.floats(0, 1000)] * 2),
)
def test_whatever_stands_in_a_layer_comes_out_of_its_table(address, tmp_path, rows, corner) -> None:
    # ``load`` itself compares the hash of what it reads back, and raises where it differs.
    x, y = 500_000 + corner[0], 4_020_000 + corner[1]
    shapes = [shapely.box(x + 20 * n, y, x + 20 * n + 7.3, y + 1 / 3) for n in range(len(rows))]
    cls, name, value = zip(*rows, strict=True)
    columns = {
        "编号": range(len(rows)),
        "类": cls,
        "名称": name,
        "值": np.array(value, dtype=float),
    }
    frame = geopandas.GeoDataFrame(columns, geometry=shapes, crs=4548)
    root = tmp_path / "any"
    shutil.rmtree(root, ignore_errors=True)
    package = small_package(root, {"redline": (0, "")})
    frame.to_file(root / "redline.gpkg", driver="GPKG", engine="pyogrio")
    fields = 'fields = { id = "编号", class = "类", name = "名称", values = { v = "值" } }'
    text = (package / "plan.toml").read_text(encoding="utf-8")
    (package / "plan.toml").write_text(f"{text}\n{fields}\n", encoding="utf-8")
    (found,) = load(load_plan(package), address, "any", replacing=True)
    assert found.content_sha256


def test_tables_that_are_there_are_not_overwritten_unasked(clean: Path, address) -> None:
    small = load_plan(clean)
    load(small, address, "twice")
    with pytest.raises(gis.errors.ClaimError, match=r"已有 7 张同名表.*--replace"):
        load(small, address, "twice")
    assert len(load(small, address, "twice", replacing=True)) == 7


def test_all_layers_come_in_or_none(package, address: str) -> None:
    import psycopg

    package.file("water").write_bytes(b"no shapefile")
    with pytest.raises(gis.errors.PlanError, match=r"图层 water"):
        load(load_plan(package.root), address, "halfway")
    with psycopg.connect(address) as connection:
        found = connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = 'halfway'")
        assert found.fetchone() is None


def test_what_is_wrong_in_a_file_is_as_wrong_in_its_table(package, address) -> None:
    package.change("water", lambda f: f.assign(geometry=[None, *f.geometry[1:]]))
    before = load_plan(package.root)
    (water,) = [row for row in load(before, address, "faulty") if row.id == "water"]
    assert water.content_sha256 is None
    text = package.toml
    package.toml = with_tables(text, [water], "planning")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(NAME, address)
        after = load_plan(package.root)
    assert after.layer("water").reason.endswith("有 1 个要素没有图形，数据可能不完整")
    assert "geometry_missing" in {f.code for f in check_plan(before).findings}


def test_a_name_that_the_database_would_cut_is_refused(clean: Path, address) -> None:
    with pytest.raises(gis.errors.ClaimError, match="63"):
        load(load_plan(clean), address, "规划" * 11)


def test_the_command_loads_writes_a_plan_and_that_plan_is_checked(
    wuqu, clean: Path, address: str, tmp_path: Path, monkeypatch
) -> None:
    import json

    monkeypatch.setenv(NAME, address)
    root = shutil.copytree(clean, tmp_path / "p")
    command = ["data", "load", "--to", "planning", "--schema", "命令", "--plan", clean]
    code, out, err = wuqu(*command, "--toml", root / "plan.toml", "--format", "json")
    assert code == 0, err
    rows = {row["id"]: row for row in json.loads(out)["layers"]}
    assert rows["zones"]["toml"] == [
        'postgis = "planning"',
        'table = "命令.zones"',
        'geometry_column = "geom"',
    ]
    for file in (root / "shapefiles").iterdir():
        file.unlink()
    code, out, err = wuqu("data", "check", "--plan", root)
    assert (code, "没有发现问题" in out) == (0, True), out + err
    code, out, err = wuqu(*command)
    assert code == 2
    assert os.environ[NAME] not in out + err
