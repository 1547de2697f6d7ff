"""Shapefiles from outside: CRS, encodings, missing parts, damage."""

import io
import struct
import warnings
import zipfile

import geopandas as gpd
import pytest
import shapely
from shapely.geometry import LineString, Point, box

from gis.crs import CrsPolicy, transform
from gis.errors import CrsError, FormatError, GeometryError, LimitError, SeveralSitesError
from gis.intake.outside import archive
from gis.intake.read import read_site, read_sites

POLICY = CrsPolicy(
    4548, (4490, 4326, 4527, 4548, 4526, 4547, 4498, 4509), (115.80, 36.22, 116.18, 36.47)
)
SQUARE = box(408498.27, 4030411.11, 408698.27, 4030511.11)
OTHER = box(409000, 4030411, 409100, 4030511)


def shapefile(folder, shapes=(SQUARE,), *, epsg=4548, encoding="utf-8", stem="dk", **columns):
    """The files of a shapefile by name, written by geopandas."""
    columns = columns or {"XMMC": ["聊城一中"] * len(shapes)}
    frame = gpd.GeoDataFrame(columns, geometry=list(shapes), crs=epsg)
    folder.mkdir(exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a missing CRS is what some tests want
        frame.to_file(folder / f"{stem}.shp", encoding=encoding, engine="pyogrio")
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def packed(files):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in files.items():
            target.writestr(name, content)
    return data.getvalue()


def without(files, *suffixes):
    return {name: data for name, data in files.items() if not name.endswith(suffixes)}


def codes(remarks):
    return {remark.code for remark in remarks}


@pytest.fixture
def files(tmp_path):
    return shapefile(tmp_path / "a")


def test_a_zipped_shapefile_becomes_a_site(files):
    site = read_site(packed(files), POLICY, name="上传.zip")
    assert site.name == "聊城一中"
    assert site.source.kind == "shapefile"
    assert (site.crs.source_epsg, site.crs.how) == (4548, "declared")
    assert site.area.planar_m2 == pytest.approx(20_000)
    assert site.warnings == ()


@pytest.mark.parametrize("epsg", [4527, 4490, 4509, 4498, 4326])
def test_the_prj_declares_the_crs(tmp_path, epsg):
    moved = transform(SQUARE, 4548, 4490 if epsg == 4326 else epsg)
    site = read_site(packed(shapefile(tmp_path / "a", [moved], epsg=epsg)), POLICY)
    assert site.crs.source_epsg == (4490 if epsg == 4326 else epsg)
    assert site.geometry.symmetric_difference(SQUARE).area < 0.01


def test_an_esri_prj_is_understood(files):
    esri = (
        'PROJCS["CGCS2000_3_Degree_GK_Zone_39",GEOGCS["GCS_China_Geodetic_Coordinate_System_2000",'
        'DATUM["D_China_2000",SPHEROID["CGCS2000",6378137.0,298.257222101]],'
        'PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],'
        'PROJECTION["Gauss_Kruger"],PARAMETER["False_Easting",39500000.0],'
        'PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",117.0],'
        'PARAMETER["Scale_Factor",1.0],PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]'
    )
    site = read_site(packed(files | {"dk.prj": esri}), POLICY)
    # The file says zone 39 with prefix, its numbers have none.
    assert site.crs.source_epsg == 4548
    assert codes(site.warnings) == {"zone_prefix"}


def test_a_prj_of_an_old_datum_or_foreign_code_is_refused(files):
    old = 'PROJCS["Xian_1980_3_Degree_GK_Zone_39",GEOGCS["GCS_Xian_1980",DATUM["D_Xian_1980"]]]'
    with pytest.raises(CrsError, match="旧基准") as error:
        read_site(packed(files | {"dk.prj": old}), POLICY)
    assert "dk.prj的坐标系“Xian_1980_3_Degree_GK_Zone_39”" in error.value.found
    assert "PROJCS" not in error.value.found
    from pyproj import CRS

    for code in (2385, 2436, 3857, 32650, 4549):
        with pytest.raises(CrsError):
            read_site(packed(files | {"dk.prj": CRS(code).to_wkt("WKT1_ESRI")}), POLICY)


def test_a_prj_of_nonsense_is_refused_unless_the_crs_is_given(files):
    nonsense = files | {"dk.prj": b"hello"}
    with pytest.raises(CrsError, match="prj"):
        read_site(packed(nonsense), POLICY)
    assert read_site(packed(nonsense), POLICY, crs=4548).crs.how == "given"


def test_a_missing_prj_leaves_the_coordinates_to_decide(files):
    site = read_site(packed(without(files, ".prj")), POLICY)
    assert (site.crs.source_epsg, site.crs.how) == (4548, "guessed")


def test_a_missing_shx_is_restored_with_a_warning(files):
    site = read_site(packed(without(files, ".shx")), POLICY)
    assert codes(site.warnings) == {"shx_restored"}
    assert site.area.planar_m2 == pytest.approx(20_000)


def test_a_missing_dbf_is_a_warning(files):
    site = read_site(packed(without(files, ".dbf", ".cpg")), POLICY)
    assert codes(site.warnings) == {"dbf_missing"}
    assert site.name == "dk"


# --- encodings ------------------------------------------------------------------------------------


def with_language_byte(dbf, value):
    return dbf[:29] + bytes([value]) + dbf[30:]


@pytest.mark.parametrize("language", [0x00, 0x57, 0x4D])
def test_a_gbk_table_without_cpg_is_read_right(tmp_path, language):
    files = without(shapefile(tmp_path / "a", encoding="gbk"), ".cpg")
    files["dk.dbf"] = with_language_byte(files["dk.dbf"], language)
    site = read_site(packed(files), POLICY)
    assert site.name == "聊城一中"
    assert "table_encoding" in codes(site.notes)


def test_a_utf8_table_without_cpg_is_read_right(files):
    assert read_site(packed(without(files, ".cpg")), POLICY).name == "聊城一中"


@pytest.mark.parametrize("cpg", [b"UTF-8", b"ISO-8859-1", b"nonsense", b"rot13", b"\xff\x00"])
def test_a_wrong_cpg_is_overruled_by_the_bytes(tmp_path, cpg):
    files = shapefile(tmp_path / "a", encoding="gbk") | {"dk.cpg": cpg}
    assert read_site(packed(files), POLICY).name == "聊城一中"


@pytest.mark.parametrize("cpg", [b"GBK", b"936", b"cp936", b"GB18030", b" gbk\r\n"])
def test_a_right_cpg_is_followed(tmp_path, cpg):
    files = shapefile(tmp_path / "a", encoding="gbk") | {"dk.cpg": cpg}
    assert read_site(packed(files), POLICY).name == "聊城一中"


def test_a_gbk_field_name_is_read_right(tmp_path):
    files = shapefile(tmp_path / "a", encoding="gbk", 名称=["甲地"], use=["0804"])
    site = read_site(packed(without(files, ".cpg")), POLICY)
    assert (site.name, site.use) == ("甲地", "0804")


@pytest.mark.parametrize("stem", ["地块", "乗村"])  # the second byte of 乗 is a backslash
def test_member_names_in_gbk_without_the_utf8_flag_are_read(files, stem):
    # Windows tools write the bytes of the code page and no flag: ASCII names of that length do.
    data = packed({name.replace("dk", "QQQQ"): content for name, content in files.items()})
    site = read_site(data.replace(b"QQQQ", stem.encode("gbk")), POLICY)
    assert site.area.planar_m2 == pytest.approx(20_000)
    layers = archive.unpack(data.replace(b"QQQQ", stem.encode("gbk"))).shapefiles
    assert [layer.name for layer in layers] == [stem]


@pytest.mark.parametrize("cpg", [b"KOI8-R", b"cp437", b"macintosh", b"UTF-8", b"ISO-8859-1"])
def test_a_cpg_that_only_decodes_gives_way_to_chinese_that_makes_sense(tmp_path, cpg):
    files = shapefile(tmp_path / "a", encoding="gbk", DLMC=["水浇地"]) | {"dk.cpg": cpg}
    site = read_site(packed(files), POLICY)
    told = {remark.message for remark in (*site.notes, *site.warnings)}
    assert any("gb18030" in text.lower() for text in told)
    assert codes(site.warnings) == {"table_encoding_overruled"}


def test_a_cpg_that_was_wrong_is_told_and_one_that_names_nothing_is_noted(tmp_path):
    files = shapefile(tmp_path / "a", encoding="gbk")
    site = read_site(packed(files | {"dk.cpg": b"UTF-8"}), POLICY)
    (warning,) = site.warnings
    assert ".cpg 声明的编码“UTF-8”不符" in warning.message
    assert "gb18030" in warning.message
    site = read_site(packed(files | {"dk.cpg": b"nonsense"}), POLICY)
    assert site.warnings == ()
    (note,) = [n for n in site.notes if n.code == "table_encoding"]
    assert "“nonsense”无法识别" in note.message


def test_letters_of_another_script_stay_what_the_cpg_says(tmp_path):
    files = shapefile(tmp_path / "a", encoding="koi8-r", XMMC=["Москва"])
    site = read_site(packed(files | {"dk.cpg": b"KOI8-R"}), POLICY)
    assert (site.name, site.warnings) == ("Москва", ())


def test_a_utf8_table_declared_as_gbk_is_read_as_utf8_with_a_warning(files):
    site = read_site(packed(files | {"dk.cpg": b"GBK"}), POLICY)
    assert site.name == "聊城一中"
    assert codes(site.warnings) == {"table_encoding_overruled"}


def test_gbk_that_passes_as_utf8_is_told_by_its_words(tmp_path):
    # In GBK each of these characters has two bytes that are also one letter of UTF-8.
    words = "模块用地"
    files = without(shapefile(tmp_path / "a", encoding="gbk", XMMC=[words]), ".cpg")
    assert read_site(packed(files), POLICY).name == words


def test_the_user_may_name_the_encoding(tmp_path):
    files = without(shapefile(tmp_path / "a", encoding="big5", XMMC=["聊城學校"]), ".cpg")
    site = read_site(packed(files), POLICY, encoding="big5")
    assert site.name == "聊城學校"
    (note,) = [n for n in site.notes if n.code == "table_encoding"]
    assert "由用户指定" in note.message


def test_an_encoding_of_the_user_that_does_not_fit_is_refused(tmp_path):
    files = shapefile(tmp_path / "a", encoding="gbk")
    with pytest.raises(FormatError, match="utf-8"):
        read_site(packed(files), POLICY, encoding="utf-8")


# --- several --------------------------------------------------------------------------------------


def test_two_shapefiles_are_asked_about_and_one_can_be_picked(tmp_path, files):
    second = shapefile(tmp_path / "b", [OTHER], stem="er", XMMC=["二号"])
    data = packed(files | {f"子目录/{name}": content for name, content in second.items()})
    with pytest.raises(SeveralSitesError) as error:
        read_site(data, POLICY)
    assert error.value.names == ("dk／聊城一中", "er／二号")
    assert read_site(data, POLICY, which=2).area.planar_m2 == pytest.approx(10_000)


def test_several_features_are_several_sites(tmp_path):
    data = packed(shapefile(tmp_path / "a", [SQUARE, OTHER], XMMC=["甲", "乙"]))
    with pytest.raises(SeveralSitesError):
        read_site(data, POLICY)
    assert [site.name for site in read_sites(data, POLICY)] == ["甲", "乙"]


def test_sub_folders_and_the_litter_of_other_systems_are_no_second_layer(files):
    tidy = {f"图层/{name}": content for name, content in files.items()}
    litter = {f"__MACOSX/图层/._{name}": b"\x00\x05\x16\x07" for name in files}
    site = read_site(
        packed(tidy | litter | {"图层/.DS_Store": b"x", "图层/说明.txt": b"x"}), POLICY
    )
    assert site.area.planar_m2 == pytest.approx(20_000)


def test_layers_in_different_crs_keep_each_its_own(tmp_path, files):
    moved = transform(OTHER, 4548, 4527)
    data = packed(files | shapefile(tmp_path / "b", [moved], epsg=4527, stem="er"))
    sites = read_sites(data, POLICY)
    assert [(s.crs.source_epsg, s.crs.how) for s in sites] == [
        (4548, "declared"),
        (4527, "declared"),
    ]
    assert sites[1].geometry.hausdorff_distance(OTHER) < 1e-3
    assert read_site(data, POLICY, which=1).crs.source_epsg == 4548


def test_a_layer_without_prj_does_not_take_the_crs_of_its_neighbour(tmp_path, files):
    moved = transform(OTHER, 4548, 4490)
    second = without(shapefile(tmp_path / "b", [moved], epsg=4490, stem="er"), ".prj")
    sites = read_sites(packed(files | second), POLICY)
    assert [s.crs.how for s in sites] == ["declared", "guessed"]
    assert sites[1].geometry.hausdorff_distance(OTHER) < 1e-3


# --- what it holds --------------------------------------------------------------------------------


def test_points_are_refused_and_lines_need_a_width(tmp_path):
    points = packed(shapefile(tmp_path / "a", [Point(408500, 4030400)]))
    with pytest.raises(GeometryError):
        read_site(points, POLICY)
    line = packed(shapefile(tmp_path / "b", [LineString([(408500, 4030400), (408700, 4030400)])]))
    with pytest.raises(GeometryError, match="宽度"):
        read_site(line, POLICY)
    assert read_site(line, POLICY, width_m=10).area.planar_m2 == pytest.approx(2_000)


def test_an_empty_layer_and_a_missing_geometry_are_refused(tmp_path):
    with pytest.raises(FormatError, match="没有图形"):
        read_sites(packed(shapefile(tmp_path / "a", [SQUARE, None])), POLICY)
    files = shapefile(tmp_path / "b")
    empty = struct.pack(">i", 50)
    shp, shx = files["dk.shp"][:100], files["dk.shx"][:100]
    files["dk.shp"] = shp[:24] + empty + shp[28:]
    files["dk.shx"] = shx[:24] + empty + shx[28:]
    files["dk.dbf"] = files["dk.dbf"][:4] + bytes(4) + files["dk.dbf"][8:]
    with pytest.raises(FormatError):
        read_site(packed(files), POLICY)


def first_record(shp, offset, value, form="<d"):
    """Change a value in the first record; its content begins at byte 108."""
    at = 108 + offset
    return shp[:at] + struct.pack(form, value) + shp[at + struct.calcsize(form) :]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e300])
def test_a_coordinate_that_is_no_place_is_refused(files, value):
    # Kind (4), box (32), parts (4), points (4), first part (4): the second vertex at 64.
    shp = first_record(files["dk.shp"], 64, value)
    with pytest.raises(ValueError, match="第 2 点"):
        read_site(packed(files | {"dk.shp": shp}), POLICY)


def test_a_ring_that_is_not_closed_is_closed_with_a_warning(files):
    # The closing vertex, the fifth, moves one metre north: four corners and a stroke.
    shp = first_record(files["dk.shp"], 48 + 4 * 16 + 8, 4030412.11)
    site = read_site(packed(files | {"dk.shp": shp}), POLICY)
    assert "ring_closed" in codes(site.warnings)


def test_measures_are_dropped_with_a_warning():
    # A PolygonM, written by hand after the description of the format.
    corners = list(SQUARE.exterior.coords)[::-1]
    points = b"".join(struct.pack("<dd", *c) for c in corners)
    content = struct.pack("<i4diii", 25, *SQUARE.bounds, 1, 5, 0) + points
    content += struct.pack("<dd5d", 1.0, 5.0, 1.0, 2.0, 3.0, 4.0, 5.0)
    record = struct.pack(">ii", 1, len(content) // 2) + content
    head = struct.pack(">7i", 9994, 0, 0, 0, 0, 0, (100 + len(record)) // 2)
    head += struct.pack("<ii8d", 1000, 25, *SQUARE.bounds, 0.0, 0.0, 1.0, 5.0)
    site = read_site(packed({"dk.shp": head + record}), POLICY)
    assert "m_dropped" in codes(site.warnings)
    assert site.area.planar_m2 == pytest.approx(20_000)


def test_heights_are_dropped_with_a_note(tmp_path):
    site = read_site(packed(shapefile(tmp_path / "a", [shapely.force_3d(SQUARE, 35)])), POLICY)
    assert "z_dropped" in codes(site.notes)
    assert site.warnings == ()


def test_many_points_are_refused_as_points_not_as_too_many(tmp_path):
    shapes = [Point(408500 + n, 4030400) for n in range(1_200)]
    with pytest.raises(GeometryError, match="点"):
        read_sites(packed(shapefile(tmp_path / "a", shapes)), POLICY)


def test_too_many_features_or_vertices_are_limits(tmp_path):
    squares = [box(408500 + n, 4030400, 408500.5 + n, 4030401) for n in range(1_001)]
    with pytest.raises(LimitError, match="1001"):
        read_sites(packed(shapefile(tmp_path / "a", squares)), POLICY)
    dense = shapely.segmentize(SQUARE, 600 / 200_010)
    with pytest.raises(LimitError, match="顶点"):
        read_site(packed(shapefile(tmp_path / "b", [dense])), POLICY)


@pytest.mark.parametrize("size", [0, 3, 60, 99, 120, -1])
def test_a_truncated_shp_is_refused(files, size):
    with pytest.raises(FormatError):
        read_site(packed(files | {"dk.shp": files["dk.shp"][:size]}), POLICY)


def test_damaged_bytes_give_an_input_error(files):
    shp = bytearray(files["dk.shp"])
    for position in range(100, len(shp), 7):
        shp[position] ^= 0xFF
    with pytest.raises(ValueError, match="。"):
        read_site(packed(files | {"dk.shp": bytes(shp)}), POLICY)


def test_a_table_or_index_that_hides_features_is_refused(tmp_path):
    files = shapefile(tmp_path / "a", [SQUARE, OTHER], XMMC=["甲", "乙"])
    dbf, shx = files["dk.dbf"], files["dk.shx"]
    one_row = dbf[:4] + struct.pack("<I", 1) + dbf[8:]
    one_entry = shx[:24] + struct.pack(">i", 54) + shx[28:108]
    for change in ({"dk.dbf": one_row}, {"dk.dbf": one_row, "dk.shx": one_entry}):
        with pytest.raises(FormatError, match="只能读出 1 个"):
            read_sites(packed(files | change), POLICY)


def test_a_deleted_feature_is_left_out(tmp_path):
    files = shapefile(tmp_path / "a", [SQUARE, OTHER], XMMC=["甲", "乙"])
    dbf = bytearray(files["dk.dbf"])
    head = struct.unpack("<H", dbf[8:10])[0]
    dbf[head] = ord("*")
    assert read_site(packed(files | {"dk.dbf": bytes(dbf)}), POLICY).name == "乙"


def test_a_vrt_is_never_opened_whatever_it_is_called(files):
    vrt = (
        b'<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource relativeToVRT="0">CSV:/etc/passwd'
        b"</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"
    )
    for source in (vrt, packed({"dk.vrt": vrt}), packed(files | {"dk.shp": vrt})):
        with pytest.raises(FormatError) as error:
            read_site(source, POLICY, name="x.shp")
        assert "root" not in str(error.value)


# --- on disk --------------------------------------------------------------------------------------


def test_a_shapefile_on_disk_is_read_with_the_files_beside_it(tmp_path):
    shapefile(tmp_path / "a")
    site = read_site(tmp_path / "a" / "dk.shp", POLICY)
    assert (site.name, site.crs.source_epsg) == ("聊城一中", 4548)


def test_a_shapefile_on_disk_takes_the_encoding_of_the_user(tmp_path):
    shapefile(tmp_path / "a", encoding="big5", XMMC=["聊城學校"])
    (tmp_path / "a" / "dk.cpg").unlink()
    site = read_site(tmp_path / "a" / "dk.shp", POLICY, encoding="big5")
    assert site.name == "聊城學校"


def test_the_bytes_of_a_shp_alone_are_refused_with_advice(files):
    with pytest.raises(FormatError, match="zip"):
        read_site(files["dk.shp"], POLICY)
