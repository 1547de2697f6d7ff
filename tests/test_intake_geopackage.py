"""GeoPackages from outside: layers and their CRS, and databases that are made to harm."""

import contextlib
import sqlite3
import struct

import geopandas as gpd
import pyogrio
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, MultiPolygon, Point, Polygon, box

from gis.crs import CrsPolicy, transform
from gis.errors import (
    CrsError,
    FormatError,
    GeometryError,
    InputError,
    LimitError,
    SeveralSitesError,
)
from gis.intake.read import read_site, read_sites

POLICY = CrsPolicy(
    4548, (4490, 4326, 4527, 4548, 4526, 4547, 4498, 4509), (115.80, 36.22, 116.18, 36.47)
)
# 200 m by 100 m, and 100 m by 100 m.
SQUARE = box(408500, 4030400, 408700, 4030500)
OTHER = box(409000, 4030400, 409100, 4030500)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.gpkg"


def write(path, layer="地块", shapes=(SQUARE,), epsg=4548, **columns):
    """Add a layer, written by GDAL."""
    columns = columns or {"项目名称": [f"第{n}块" for n in range(1, len(shapes) + 1)]}
    frame = gpd.GeoDataFrame(columns, geometry=list(shapes), crs=epsg)
    frame.to_file(path, layer=layer, driver="GPKG", engine="pyogrio")
    return path


def change(path, *statements):
    """Run statements on the database and return its bytes."""
    base = sqlite3.connect(path)
    base.execute("PRAGMA writable_schema=ON")
    for statement in statements:
        base.execute(statement)
    base.commit()
    base.close()
    return path.read_bytes()


def without_triggers(path):
    """Drop the triggers of GDAL: they call functions that only GDAL has."""
    base = sqlite3.connect(path)
    names = [row[0] for row in base.execute("SELECT name FROM sqlite_master WHERE type='trigger'")]
    base.close()
    change(path, *(f'DROP TRIGGER "{name}"' for name in names))
    return path


def codes(remarks):
    return {remark.code for remark in remarks}


# --- what it holds --------------------------------------------------------------------------------


def test_a_layer_with_chinese_names_becomes_a_site(path):
    site = read_site(write(path).read_bytes(), POLICY, name="上传.gpkg")
    assert (site.name, site.source.kind) == ("第1块", "geopackage")
    assert (site.crs.source_epsg, site.crs.how) == (4548, "declared")
    assert site.area.planar_m2 == pytest.approx(20_000)
    assert site.warnings == ()


def test_a_file_on_disk_is_read_by_its_content(path):
    renamed = write(path).rename(path.with_name("地块.dat"))
    assert read_site(renamed, POLICY).area.planar_m2 == pytest.approx(20_000)


def test_a_feature_without_a_name_is_called_after_its_layer(path):
    assert read_site(write(path, a=[1]).read_bytes(), POLICY).name == "地块"


def test_several_layers_are_asked_about_each_in_its_own_crs(path):
    write(path, "甲图", 名称=["甲"])
    write(path, "乙图", [transform(OTHER, 4548, 4527)], 4527, 名称=["乙"])
    data = write(path, "丙图", [transform(OTHER, 4548, 4490)], 4490, a=[1]).read_bytes()
    with pytest.raises(SeveralSitesError) as error:
        read_site(data, POLICY)
    assert error.value.names == ("甲图／甲", "乙图／乙", "丙图")
    sites = read_sites(data, POLICY)
    assert [site.crs.source_epsg for site in sites] == [4548, 4527, 4490]
    for site, square in zip(sites, (SQUARE, OTHER, OTHER), strict=True):
        assert site.geometry.symmetric_difference(square).area < 0.01


def test_several_features_are_several_sites(path):
    data = write(path, shapes=[SQUARE, OTHER]).read_bytes()
    with pytest.raises(SeveralSitesError):
        read_site(data, POLICY)
    assert [site.name for site in read_sites(data, POLICY)] == ["第1块", "第2块"]


def test_a_multipolygon_with_a_hole_is_one_site(path):
    ring = Polygon(SQUARE.exterior, [box(408550, 4030420, 408560, 4030430).exterior])
    data = write(path, shapes=[MultiPolygon([ring, OTHER])]).read_bytes()
    assert read_site(data, POLICY).area.planar_m2 == pytest.approx(20_000 - 100 + 10_000)


def test_points_beside_areas_are_left_out_with_a_warning_that_counts_them(path):
    write(path)
    points = [Point(408500 + n, 4030400) for n in range(1_500)]
    data = write(path, "界址点", points, 点号=list(range(1_500))).read_bytes()
    site = read_site(data, POLICY)
    (warning,) = site.warnings
    assert (warning.code, site.name) == ("points_skipped", "地块／第1块")
    assert "界址点（1500 个点）" in warning.message


def test_nothing_but_points_is_refused_and_lines_need_a_width(path, tmp_path):
    with pytest.raises(GeometryError, match="点"):
        read_site(write(path, shapes=[Point(408500, 4030400)]).read_bytes(), POLICY)
    line = LineString([(408500, 4030400), (408700, 4030400)])
    data = write(tmp_path / "b.gpkg", shapes=[line]).read_bytes()
    with pytest.raises(GeometryError, match="宽度"):
        read_site(data, POLICY)
    assert read_site(data, POLICY, width_m=10).area.planar_m2 == pytest.approx(2_000)


def test_tables_without_geometry_are_left_aside(path):
    write(path)
    rows = gpd.pd.DataFrame({"a": [1, 2]})
    pyogrio.write_dataframe(rows, path, layer="属性", driver="GPKG")
    assert read_site(path.read_bytes(), POLICY).name == "第1块"


def test_an_empty_layer_beside_a_full_one_is_noted(path):
    write(path)
    data = write(path, "空", [], 名称=[]).read_bytes()
    site = read_site(data, POLICY)
    assert "layer_empty" in codes(site.notes)
    assert (site.name, site.warnings) == ("第1块", ())


def test_use_and_claims_are_read_by_their_type(path):
    data = write(path, use=["0804"], plot_ratio=[1.5], public_interest=[True]).read_bytes()
    site = read_site(data, POLICY)
    assert site.use == "0804"
    assert dict(site.claims) == {"plot_ratio": 1.5, "public_interest": True}


def test_heights_and_measures_are_dropped(path, tmp_path):
    solid = shapely.force_3d(SQUARE, 35.0)
    assert "z_dropped" in codes(read_site(write(path, shapes=[solid]).read_bytes(), POLICY).notes)
    points = [(x, y, 1.0) for x, y in SQUARE.exterior.coords]
    wkb = struct.pack("<BIII", 1, 2003, 1, len(points))
    wkb += b"".join(struct.pack("<ddd", *point) for point in points)
    site = read_site(with_geometry(tmp_path / "m.gpkg", blob(wkb)), POLICY)
    assert codes(site.warnings) == {"m_dropped"}
    assert site.area.planar_m2 == pytest.approx(20_000)


# --- CRS ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("srs", [-1, 0])
def test_an_undefined_crs_leaves_the_coordinates_to_decide(path, srs):
    write(path)
    data = change(
        path,
        f"UPDATE gpkg_contents SET srs_id = {srs}",
        f"UPDATE gpkg_geometry_columns SET srs_id = {srs}",
    )
    site = read_site(data, POLICY)
    assert (site.crs.source_epsg, site.crs.how) == (4548, "guessed")


def test_a_crs_without_a_code_is_read_from_its_definition(path):
    write(path)
    data = change(path, "UPDATE gpkg_spatial_ref_sys SET organization = 'NONE' WHERE srs_id = 4548")
    assert read_site(data, POLICY).crs.how == "declared"


def test_a_crs_that_is_not_defined_is_refused(path):
    write(path)
    data = change(path, "DELETE FROM gpkg_spatial_ref_sys WHERE srs_id = 4548")
    with pytest.raises(FormatError, match="4548"):
        read_site(data, POLICY)


@pytest.mark.parametrize("epsg", [4610, 2385, 4214, 2436])
def test_an_old_datum_is_refused(path, epsg):
    with pytest.raises(CrsError, match="旧基准"):
        read_site(write(path, epsg=epsg).read_bytes(), POLICY)


def test_a_crs_of_nonsense_is_refused_unless_the_user_names_it(path):
    write(path)
    data = change(
        path,
        "UPDATE gpkg_spatial_ref_sys SET organization = 'NONE', definition = 'hello'"
        " WHERE srs_id = 4548",
    )
    with pytest.raises(CrsError, match="地块"):
        read_site(data, POLICY)
    assert read_site(data, POLICY, crs=4548).crs.how == "given"


# --- made to harm ---------------------------------------------------------------------------------

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS fid FROM n"


def refused_at_once(data, match):
    # A child killed at its deadline would be told in other words.
    with pytest.raises(FormatError, match=match):
        read_site(data, POLICY)


def test_an_endless_view_as_a_layer_is_refused(path):
    write(path)
    data = change(
        path,
        f'CREATE VIEW "无穷" AS {ENDLESS}',
        "INSERT INTO gpkg_contents (table_name, data_type, srs_id) VALUES ('无穷','features',4548)",
        "INSERT INTO gpkg_geometry_columns VALUES ('无穷', 'fid', 'POLYGON', 4548, 0, 0)",
    )
    refused_at_once(data, "“无穷”是视图")


@pytest.mark.parametrize("name", ["gpkg_contents", "gpkg_geometry_columns", "gpkg_spatial_ref_sys"])
def test_an_endless_view_in_the_place_of_a_table_of_the_standard_is_refused(path, name):
    without_triggers(write(path))
    data = change(path, f"DROP TABLE {name}", f"CREATE VIEW {name} AS {ENDLESS}")
    refused_at_once(data, "是视图")


def test_an_endless_view_that_is_no_layer_harms_nobody(path):
    write(path)
    data = change(path, f"CREATE VIEW v AS {ENDLESS}")
    assert read_site(data, POLICY).area.planar_m2 == pytest.approx(20_000)


@pytest.mark.parametrize("module", ["dbstat", "csv", "virtualtext", "VirtualShape", "tcl"])
def test_a_foreign_virtual_table_is_refused(path, module):
    write(path)
    sql = f"CREATE VIRTUAL TABLE x USING {module}(''/etc/passwd'')"
    data = change(path, f"INSERT INTO sqlite_master VALUES ('table', 'x', 'x', 0, '{sql}')")
    refused_at_once(data, "虚拟表")


def test_a_layer_that_is_a_virtual_table_is_refused(path):
    write(path)
    data = change(
        path,
        "CREATE VIRTUAL TABLE f USING fts4(geom)",
        "INSERT INTO gpkg_contents (table_name, data_type, srs_id) VALUES ('f', 'features', 4548)",
        "INSERT INTO gpkg_geometry_columns VALUES ('f', 'geom', 'POLYGON', 4548, 0, 0)",
    )
    refused_at_once(data, "虚拟表")


def test_a_computed_column_is_not_computed(path):
    without_triggers(write(path))
    data = change(
        path, 'ALTER TABLE "地块" ADD COLUMN big GENERATED ALWAYS AS (hex(randomblob(9e8)))'
    )
    refused_at_once(data, "计算字段")


def test_names_that_look_like_queries_are_names(path):
    name = 'a"; DROP TABLE gpkg_contents; --'
    assert read_site(write(path, name, a=[1]).read_bytes(), POLICY).name == name


def test_a_layer_whose_table_is_missing_is_refused(path):
    write(path)
    data = change(
        path, "INSERT INTO gpkg_contents (table_name, data_type, srs_id) VALUES ('无','features',0)"
    )
    refused_at_once(data, "没有对应的表")


def test_other_databases_and_pictures_are_told_from_layers(path, tmp_path):
    write(path)
    tiles = change(path, "UPDATE gpkg_contents SET data_type = 'tiles'")
    refused_at_once(tiles, "栅格")
    attributes = change(path, "UPDATE gpkg_contents SET data_type = 'attributes'")
    refused_at_once(attributes, "没有要素图层")
    other = tmp_path / "other.sqlite"
    refused_at_once(change(other, "CREATE TABLE t (a)"), "不是 GeoPackage")


def test_a_vrt_by_another_name_reads_no_other_file():
    vrt = b"<OGRVRTDataSource><OGRVRTLayer name='x'><SrcDataSource>/etc/passwd</SrcDataSource>"
    for data in (vrt, b"SQLite format 3\x00" + vrt, b"SQLite format 3\x00" + bytes(84) + vrt):
        with pytest.raises(FormatError) as error:
            read_site(data, POLICY, name="x.gpkg")
        assert "root" not in str(error.value)


# --- damaged --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [16, 60, 99, 100, 4096, 50_000, -4096, -1])
def test_a_truncated_file_is_refused(path, size):
    data = write(path).read_bytes()
    with pytest.raises(FormatError):
        read_site(data[:size], POLICY)


def test_a_damaged_page_is_refused(path):
    data = write(path).read_bytes()
    page = struct.unpack(">H", data[16:18])[0]
    hurt = 0
    for at in range(page, len(data), page):
        broken = data[:at] + b"\xff" * page + data[at + page :]
        try:
            site = read_site(broken, POLICY)
        except InputError:
            hurt += 1
        else:  # a page that is not needed, such as one of the spatial index
            assert site.area.planar_m2 == pytest.approx(20_000)
    assert hurt >= 3


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return write(tmp_path_factory.mktemp("small") / "a.gpkg").read_bytes()


@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.tuples(st.integers(0, 98_303), st.integers(0, 255)), min_size=1, max_size=30))
def test_random_damage_gives_an_input_error_or_a_site(small, changes):
    data = bytearray(small)
    for at, value in changes:
        data[at % len(data)] = value
    with contextlib.suppress(InputError):
        read_sites(bytes(data), POLICY)


def test_a_file_in_wal_mode_is_read_with_a_warning(path):
    write(path)
    base = sqlite3.connect(path)
    base.execute("PRAGMA journal_mode=WAL")
    base.execute("CREATE TABLE later (a)")
    base.commit()
    base.close()
    data = path.read_bytes()
    assert data[18:20] == b"\x02\x02"
    site = read_site(data, POLICY)
    assert codes(site.warnings) == {"geopackage_wal"}
    assert site.area.planar_m2 == pytest.approx(20_000)


# --- geometries -----------------------------------------------------------------------------------


def with_geometry(path, blob):
    """Put bytes in the place of the geometry of the only feature."""
    base = sqlite3.connect(without_triggers(write(path)))
    base.execute('UPDATE "地块" SET geom = ?', (blob,))
    base.commit()
    base.close()
    return path.read_bytes()


def blob(wkb, flags=1):
    return b"GP\x00" + bytes([flags]) + struct.pack("<i", 4548) + wkb


def ring_wkb(points, kind=3):
    head = struct.pack("<BIII", 1, kind, 1, len(points))
    return head + b"".join(struct.pack("<dd", *point) for point in points)


def test_a_missing_geometry_is_told_with_its_place(path):
    data = write(path, shapes=[SQUARE, None, OTHER]).read_bytes()
    with pytest.raises(FormatError, match="第 2 个要素") as error:
        read_sites(data, POLICY)
    assert "没有图形" in str(error.value)


def test_an_empty_geometry_is_refused(path):
    data = write(path, shapes=[Polygon()]).read_bytes()
    with pytest.raises(GeometryError, match="空"):
        read_site(data, POLICY)


def test_a_ring_that_is_not_closed_is_closed_with_a_warning(path):
    data = with_geometry(path, blob(ring_wkb(SQUARE.exterior.coords[:-1])))
    site = read_site(data, POLICY)
    assert codes(site.warnings) == {"ring_closed"}
    assert site.area.planar_m2 == pytest.approx(20_000)


def test_a_curve_is_refused_by_name(path):
    with pytest.raises(FormatError, match="曲线"):
        read_site(with_geometry(path, blob(struct.pack("<BII", 1, 10, 0))), POLICY)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_coordinate_that_is_no_number_is_told_with_its_place(path, value):
    points = list(SQUARE.exterior.coords)
    points[2] = (value, points[2][1])
    with pytest.raises(FormatError, match="第 3 点"):
        read_site(with_geometry(path, blob(ring_wkb(points))), POLICY)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GP",
        b"XX" + bytes(30),
        blob(ring_wkb(SQUARE.exterior.coords), flags=0x21),
        blob(ring_wkb(SQUARE.exterior.coords), flags=0x0F),
        blob(ring_wkb(SQUARE.exterior.coords)[:-1]),
        blob(ring_wkb(SQUARE.exterior.coords) + b"x"),
        blob(struct.pack("<BII", 1, 3, 0xFFFFFFFF)),
        blob(struct.pack("<BIII", 1, 3, 1, 0xFFFFFFFF)),
        blob(struct.pack("<BII", 1, 6, 0xFFFFFFFF)),
        blob(struct.pack("<BII", 1, 7, 1) * 50),
        blob(b""),
        "text",
        5,
    ],
)
def test_a_geometry_of_garbage_is_refused(path, content):
    with pytest.raises(FormatError):
        read_site(with_geometry(path, content), POLICY)


def test_a_name_that_is_not_utf8_is_replaced_with_a_warning(path):
    without_triggers(write(path, 名称=["甲"]))
    data = change(path, """UPDATE "地块" SET "名称" = CAST(X'B5D8BFE9' AS TEXT)""")
    site = read_site(data, POLICY)
    assert codes(site.warnings) == {"text_replaced"}


# --- limits ---------------------------------------------------------------------------------------


def test_too_many_features_are_a_limit(path):
    shapes = [box(408500 + n, 4030400, 408500.5 + n, 4030401) for n in range(1_001)]
    with pytest.raises(LimitError, match="1001"):
        read_sites(write(path, shapes=shapes).read_bytes(), POLICY)


def test_too_many_vertices_are_a_limit(path):
    dense = shapely.segmentize(SQUARE, 600 / 200_010)
    assert shapely.get_num_coordinates(dense) > 200_000
    with pytest.raises(LimitError, match="顶点"):
        read_site(write(path, shapes=[dense]).read_bytes(), POLICY)


def test_too_many_layers_are_a_limit(path):
    write(path)
    rows = [f"('t{n}', 'features', 4548)" for n in range(20)]
    data = change(
        path,
        f"INSERT INTO gpkg_contents (table_name, data_type, srs_id) VALUES {', '.join(rows)}",
    )
    with pytest.raises(LimitError, match="21 个图层"):
        read_site(data, POLICY)
