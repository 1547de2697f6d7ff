"""Zipped file geodatabases: layers and their CRS, incomplete folders, damage."""

import io
import struct
import warnings
import zipfile

import geopandas as gpd
import pyogrio
import pytest
from pyproj import CRS
from pyproj.crs import CompoundCRS
from shapely.geometry import LineString, Point, box

from gis.crs import CrsPolicy, transform
from gis.errors import CrsError, FormatError, GeometryError, LimitError, SeveralSitesError
from gis.intake.read import read_site, read_sites

POLICY = CrsPolicy(
    4548, (4490, 4326, 4527, 4548, 4526, 4547, 4498, 4509), (115.80, 36.22, 116.18, 36.47)
)
# 200 m by 100 m, and 100 m by 100 m.
SQUARE = box(408500, 4030400, 408700, 4030500)
OTHER = box(409000, 4030400, 409100, 4030500)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "规划.gdb"


def write(path, layer="地块", shapes=(SQUARE,), crs=4548, **columns):
    """Add a layer, written by GDAL."""
    columns = columns or {"项目名称": [f"第{n}块" for n in range(1, len(shapes) + 1)]}
    frame = gpd.GeoDataFrame(columns, geometry=list(shapes), crs=crs)
    kind = None if shapes else "Polygon"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # whole numbers become fractions here
        pyogrio.write_dataframe(frame, path, layer=layer, driver="OpenFileGDB", geometry_type=kind)
    return path


def write_table(path):
    """Add a table without geometry."""
    rows = gpd.pd.DataFrame({"a": ["x"]})
    pyogrio.write_dataframe(rows, path, layer="表", driver="OpenFileGDB")
    return path


def files(path):
    return {item.name: item.read_bytes() for item in sorted(path.iterdir())}


def packed(members, folder="规划.gdb/"):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in members.items():
            target.writestr(folder + name, content)
    return data.getvalue()


def codes(remarks):
    return {remark.code for remark in remarks}


def test_a_geodatabase_with_chinese_names_becomes_a_site(path):
    site = read_site(packed(files(write(path))), POLICY, name="上传.zip")
    assert (site.name, site.source.kind) == ("第1块", "geodatabase")
    assert (site.crs.source_epsg, site.crs.how) == (4548, "declared")
    assert site.area.planar_m2 == pytest.approx(20_000, abs=0.1)
    assert site.warnings == ()


@pytest.mark.parametrize("folder", ["", "交付/规划.gdb/", "a/b/", "X.GDB/"])
def test_the_folder_may_lie_anywhere_in_the_zip(path, folder):
    data = packed(files(write(path)), folder)
    assert read_site(data, POLICY).area.planar_m2 == pytest.approx(20_000, abs=0.1)


def test_several_layers_are_asked_about_each_in_its_own_crs(path):
    write(path, "甲图", 名称=["甲"])
    write(path, "乙图", [transform(OTHER, 4548, 4527)], 4527, 名称=["乙"])
    data = packed(files(write(path, "丙图", [transform(OTHER, 4548, 4490)], 4490, a=[1])))
    with pytest.raises(SeveralSitesError) as error:
        read_site(data, POLICY)
    assert error.value.names == ("甲图／甲", "乙图／乙", "丙图")
    sites = read_sites(data, POLICY)
    assert [site.crs.source_epsg for site in sites] == [4548, 4527, 4490]
    for site, square in zip(sites, (SQUARE, OTHER, OTHER), strict=True):
        assert site.geometry.symmetric_difference(square).area < 0.5


def test_two_geodatabases_are_asked_about(path, tmp_path):
    write(path)
    other = files(write(tmp_path / "b.gdb", "二", [OTHER], 名称=["乙"]))
    members = {f"a.gdb/{n}": c for n, c in files(path).items()}
    data = packed(members | {f"b.gdb/{n}": c for n, c in other.items()}, "")
    with pytest.raises(SeveralSitesError) as error:
        read_site(data, POLICY)
    assert error.value.names == ("地块／第1块", "二／乙")


def test_layers_of_one_name_in_two_geodatabases_name_the_database(path):
    members = files(write(path))
    folders = ("东/规划.gdb", "西/规划.gdb")
    data = packed({f"{folder}/{n}": c for folder in folders for n, c in members.items()}, "")
    with pytest.raises(SeveralSitesError) as error:
        read_site(data, POLICY)
    assert error.value.names == ("东/规划／地块／第1块", "西/规划／地块／第1块")


def test_points_and_tables_and_empty_layers_are_no_sites(path):
    write(path)
    write(path, "界址点", [Point(408500 + n, 4030400) for n in range(1_200)], a=list(range(1_200)))
    write(path, "空", [], 名称=[])
    site = read_site(packed(files(write_table(path))), POLICY)
    assert codes(site.warnings) == {"points_skipped"}
    assert "layer_empty" in codes(site.notes)


def test_lines_need_a_width_and_nothing_but_points_is_refused(path, tmp_path):
    line = LineString([(408500, 4030400), (408700, 4030400)])
    data = packed(files(write(path, shapes=[line])))
    with pytest.raises(GeometryError, match="宽度"):
        read_site(data, POLICY)
    assert read_site(data, POLICY, width_m=10).area.planar_m2 == pytest.approx(2_000, abs=0.1)
    points = files(write(tmp_path / "p.gdb", shapes=[Point(408500, 4030400)]))
    with pytest.raises(GeometryError, match="点"):
        read_site(packed(points), POLICY)


def test_a_crs_with_a_height_is_read_as_its_plane(path):
    both = CompoundCRS("CGCS2000 + 1985", [CRS(4490), CRS(5737)])
    data = packed(files(write(path, shapes=[transform(SQUARE, 4548, 4490)], crs=both)))
    site = read_site(data, POLICY)
    assert (site.crs.source_epsg, site.crs.how) == (4490, "declared")


def test_an_old_datum_is_refused(path):
    with pytest.raises(CrsError, match="旧基准"):
        read_site(packed(files(write(path, crs=2385))), POLICY)


def test_a_missing_geometry_is_told_with_its_place(path):
    data = packed(files(write(path, shapes=[SQUARE, None])))
    with pytest.raises(FormatError, match="第 2 个要素"):
        read_sites(data, POLICY)


def test_a_geodatabase_without_features_or_layers_is_refused(path, tmp_path):
    with pytest.raises(FormatError, match="没有要素"):
        read_site(packed(files(write(path, shapes=[], 名称=[]))), POLICY)
    with pytest.raises(FormatError, match="要素类"):
        read_site(packed(files(write_table(tmp_path / "t.gdb"))), POLICY)


def test_a_folder_without_its_catalogue_is_refused(path):
    members = files(write(path))
    del members["a00000001.gdbtable"]
    with pytest.raises(FormatError, match="不完整"):
        read_site(packed(members), POLICY)


def test_a_table_that_is_missing_or_cut_off_loses_no_feature(path):
    squares = [box(408500 + 10 * n, 4030400, 408505 + 10 * n, 4030405) for n in range(50)]
    members = files(write(path, shapes=squares))
    table, index = "a00000009.gdbtable", "a00000009.gdbtablx"
    for name in (table, index):
        for size in (0, 30, len(members[name]) // 2, len(members[name]) - 1):
            with pytest.raises(FormatError):
                read_sites(packed(members | {name: members[name][:size]}), POLICY)
    with pytest.raises(FormatError):
        read_sites(packed({n: c for n, c in members.items() if n != table}), POLICY)
    # The index of the rows can be done without.
    rest = {n: c for n, c in members.items() if n != index}
    assert len(read_sites(packed(rest), POLICY)) == 50


def test_indexes_and_unknown_files_are_not_needed(path):
    members = {n: c for n, c in files(write(path)).items() if n.endswith(("gdbtable", "gdbtablx"))}
    members |= {"a00000009.spx": b"x", "../x.lock".replace("../", ""): b"x", "说明.txt": b"x"}
    assert read_site(packed(members), POLICY).name == "第1块"


def test_a_vrt_among_the_tables_reads_no_other_file(path):
    vrt = b"<OGRVRTDataSource><OGRVRTLayer name='x'><SrcDataSource>/etc/passwd</SrcDataSource>"
    for members in ({"a00000001.gdbtable": vrt}, files(write(path)) | {"a00000001.gdbtable": vrt}):
        with pytest.raises(FormatError) as error:
            read_site(packed(members), POLICY)
        assert "root" not in str(error.value)


def test_limits_hold(path, tmp_path):
    shapes = [box(408500 + n, 4030400, 408500.5 + n, 4030401) for n in range(1_001)]
    with pytest.raises(LimitError, match="1001"):
        read_sites(packed(files(write(path, shapes=shapes))), POLICY)
    many = tmp_path / "many.gdb"
    for n in range(21):
        write(many, f"t{n}")
    with pytest.raises(LimitError, match="21 个图层"):
        read_sites(packed(files(many)), POLICY)


def test_a_geodatabase_of_hundreds_of_files_is_no_limit(path):
    members = files(write(path)) | {f"a{n:08x}.atx": b"x" for n in range(100, 900)}
    assert read_site(packed(members), POLICY).name == "第1块"


@pytest.mark.parametrize("count", [0, 0x7FFFFFFF])
def test_a_row_count_that_lies_hides_no_feature(path, count):
    members = files(write(path))
    table = bytearray(members["a00000009.gdbtable"])
    table[4:8] = struct.pack("<I", count)
    try:
        site = read_site(packed(members | {"a00000009.gdbtable": bytes(table)}), POLICY)
    except FormatError:
        return
    assert site.area.planar_m2 == pytest.approx(20_000, abs=0.1)
