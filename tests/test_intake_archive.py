"""Zips from outside: hostile archives, and files of every kind in them."""

import io
import json
import struct
import time
import zipfile
import zlib

import geopandas as gpd
import pytest
from shapely.geometry import box

from gis.crs import CrsPolicy, transform
from gis.errors import CrsError, FormatError, LimitError, SeveralSitesError
from gis.intake.outside import archive
from gis.intake.read import read_site, read_sites

POLICY = CrsPolicy(
    4548, (4490, 4326, 4527, 4548, 4526, 4547, 4498, 4509), (115.80, 36.22, 116.18, 36.47)
)
# 200 m by 100 m, and 100 m by 100 m.
SQUARE = box(408500, 4030400, 408700, 4030500)
OTHER = box(409000, 4030400, 409100, 4030500)


def shapefile(folder, shape=SQUARE, *, epsg=4548, stem="dk", name="聊城一中"):
    """The files of a shapefile by name, written by geopandas."""
    folder.mkdir(exist_ok=True)
    frame = gpd.GeoDataFrame({"XMMC": [name]}, geometry=[shape], crs=epsg)
    frame.to_file(folder / f"{stem}.shp", encoding="utf-8", engine="pyogrio")
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def packed(files, *, method=zipfile.ZIP_DEFLATED):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as target:
        for name, content in files.items():
            target.writestr(name, content)
    return data.getvalue()


def codes(remarks):
    return {remark.code for remark in remarks}


@pytest.fixture
def files(tmp_path):
    return shapefile(tmp_path / "a")


# --- hostile --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["../dk.shp", "a/../../dk.shp", "/etc/dk.shp", "C:\\dk.shp", "..\\dk.shp"]
)
def test_traversal_is_refused(files, name):
    with pytest.raises(FormatError, match="越界"):
        read_site(packed(files | {name: b"x"}), POLICY)


def test_a_link_is_refused(files):
    data = io.BytesIO(packed(files))
    with zipfile.ZipFile(data, "a") as target:
        link = zipfile.ZipInfo("link.shp")
        link.external_attr = 0o120777 << 16
        target.writestr(link, "/etc/passwd")
    with pytest.raises(FormatError, match="链接"):
        read_site(data.getvalue(), POLICY)


def test_a_bomb_is_stopped_while_it_inflates(files):
    bomb = packed(files | {"dk.dbf": bytes(30 * 1024 * 1024)})
    assert len(bomb) < 100_000
    start = time.perf_counter()
    with pytest.raises(LimitError, match="解开后过大"):
        read_site(bomb, POLICY)
    assert time.perf_counter() - start < 2


def test_the_sum_of_all_members_is_limited(files, monkeypatch):
    monkeypatch.setattr(archive, "MAX_UNPACKED_BYTES", 100)
    with pytest.raises(LimitError):
        read_site(packed(files), POLICY)


def test_too_many_members_or_layers_are_limits(files):
    with pytest.raises(LimitError):
        read_site(packed(files | {f"{n}.txt": b"" for n in range(200)}), POLICY)
    with pytest.raises(LimitError, match="图层"):
        read_site(packed({f"{n}.shp": files["dk.shp"] for n in range(21)}), POLICY)


def test_a_nested_archive_is_refused(files):
    with pytest.raises(FormatError, match="还有压缩包"):
        read_site(packed({"里面.zip": packed(files)}), POLICY)


def test_an_encrypted_archive_is_refused(files):
    data = bytearray(packed(files))
    at = 0
    while (at := data.find(b"PK\x01\x02", at)) >= 0:
        data[at + 8] |= 1
        at += 4
    with pytest.raises(FormatError, match="密码"):
        read_site(bytes(data), POLICY)


def test_a_damaged_archive_is_refused(files):
    stored = packed(files, method=zipfile.ZIP_STORED)
    at = stored.index(files["dk.shp"]) + 150
    flipped = stored[:at] + bytes([stored[at] ^ 0xFF]) + stored[at + 1 :]
    assert zlib.crc32(flipped) != zlib.crc32(stored)
    for broken in (flipped, stored[:-30], stored[: len(stored) // 2], b"PK\x03\x04", b"PK\x05\x06"):
        with pytest.raises(FormatError):
            read_site(broken, POLICY)


def test_an_archive_without_a_shapefile_names_what_it_holds():
    with pytest.raises(FormatError, match="readme"):
        read_site(packed({"readme.txt": b"x", "dk.dbf": b"x"}), POLICY)


def test_two_members_with_one_name_are_refused(files):
    data = io.BytesIO(packed(files))
    with zipfile.ZipFile(data, "a") as target:
        target.writestr("DK.SHP", files["dk.shp"])
    with pytest.raises(FormatError, match="同名"):
        read_site(data.getvalue(), POLICY)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_method_that_may_ask_for_any_memory_is_refused(files, method):
    with pytest.raises(FormatError, match="压缩方式"):
        read_site(packed(files, method=method), POLICY)


def test_a_list_of_hundreds_of_thousands_of_members_is_not_even_built(monkeypatch):
    entry = struct.pack(
        "<4s4B4HL2L5H2L", b"PK\x01\x02", 20, 3, 20, 0, 0, 0, 0, 0, 0, 0, 0, 1, *[0] * 6
    )
    count = 300_000
    directory = (entry + b"a") * count
    end = struct.pack(
        "<4s4H2LH", b"PK\x05\x06", 0, 0, count & 0xFFFF, count & 0xFFFF, len(directory), 0, 0
    )
    monkeypatch.setattr(archive.zipfile, "ZipFile", None)
    with pytest.raises(LimitError, match="个文件"):
        archive.Package(directory + end)


def test_members_are_handed_out_by_suffix_after_the_same_checks():
    data = packed({"xl/workbook.xml": b"<x/>", "a/B.KML": b"<kml/>", "c.png": b"x"})
    assert archive.unpack_members(data, (".kml", ".xml")) == {
        "xl/workbook.xml": b"<x/>",
        "a/B.KML": b"<kml/>",
    }
    package = archive.Package(data)
    assert package.names == ("xl/workbook.xml", "a/B.KML", "c.png")
    assert package.read("c.png") == b"x"
    for name in ("../a.kml", "/a.kml"):
        with pytest.raises(FormatError, match="越界"):
            archive.unpack_members(packed({name: b"x"}), (".kml",))
    bomb = packed({"a.kml": bytes(30 * 1024**2)})
    with pytest.raises(LimitError, match="解开后过大"):
        archive.unpack_members(bomb, (".kml",))


def test_all_reading_of_a_package_shares_one_budget(monkeypatch):
    monkeypatch.setattr(archive, "MAX_UNPACKED_BYTES", 100)
    package = archive.Package(packed({"a": bytes(80), "b": bytes(80)}))
    package.read("a")
    with pytest.raises(LimitError):
        package.read("b")


# --- files of every kind --------------------------------------------------------------------------

RING = [[408500, 4030400], [408700, 4030400], [408700, 4030500], [408500, 4030500]]


def geojson(east=0.0):
    """20,000 m² in degrees, by pyproj."""
    import shapely

    shape = transform(box(408500 + east, 4030400, 408700 + east, 4030500), 4548, 4490)
    return json.dumps(json.loads(shapely.to_geojson(shape))).encode()


def wkt(east=0.0):
    return box(408500 + east, 4030400, 408700 + east, 4030500).wkt.encode()


def boundary_txt(name="甲地块"):
    lines = ["[属性描述]", "坐标系=2000国家大地坐标系", "几度分带=3", "带号=39", "[地块坐标]"]
    lines += [f"4,2.0000,1,{name},面,,,,@"]
    lines += [f"J{n},1,{y:.3f},{x:.3f}" for n, (x, y) in enumerate(RING, start=1)]
    return "\r\n".join(lines).encode("gbk")


def kml():
    ring = " ".join(f"{x},{y}" for x, y in json.loads(geojson())["coordinates"][0])
    return (
        "<kml><Placemark><name>乙</name><Polygon><outerBoundaryIs><LinearRing><coordinates>"
        f"{ring}</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark></kml>"
    ).encode()


def geopackage(folder, shape=OTHER, name="乙"):
    frame = gpd.GeoDataFrame({"名称": [name]}, geometry=[shape], crs=4548)
    frame.to_file(folder / "x.gpkg", layer="图层", driver="GPKG", engine="pyogrio")
    return (folder / "x.gpkg").read_bytes()


def dxf():
    tags = [(0, "SECTION"), (2, "ENTITIES"), (0, "POLYLINE"), (8, "红线"), (66, 1), (70, 1)]
    for x, y in RING:
        tags += [(0, "VERTEX"), (8, "红线"), (10, x), (20, y)]
    tags += [(0, "SEQEND"), (0, "ENDSEC"), (0, "EOF")]
    return "".join(f"{code}\n{value}\n" for code, value in tags).encode("gbk")


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.geojson", geojson, "geojson"),
        ("资料/a.json", geojson, "geojson"),
        ("a.wkt", wkt, "wkt"),
        ("界址点.txt", boundary_txt, "boundary_txt"),
        ("a.TXT", wkt, "wkt"),
        ("a.dxf", dxf, "dxf"),
    ],
)
def test_a_zip_of_one_file_is_read_as_that_file(name, content, kind):
    data = packed({name: content(), "__MACOSX/._x": b"x"})
    site = read_site(data, POLICY, name="上传.zip")
    assert site.source.kind == kind
    assert site.area.planar_m2 == pytest.approx(20_000, abs=0.1)


def test_a_zip_of_a_geopackage_is_read(tmp_path):
    site = read_site(packed({"x.gpkg": geopackage(tmp_path)}), POLICY)
    assert (site.name, site.source.kind) == ("乙", "geopackage")


def test_what_a_file_is_decides_its_content_not_its_suffix(tmp_path):
    site = read_site(packed({"x.json": geopackage(tmp_path)}), POLICY)
    assert site.source.kind == "geopackage"


def test_several_files_are_all_read_and_asked_about_with_their_names(tmp_path):
    files = {"a.geojson": geojson(), "b.wkt": wkt(300), "c.txt": boundary_txt()}
    files |= {"x.gpkg": geopackage(tmp_path), "y.dxf": dxf()}
    data = packed(files)
    with pytest.raises(SeveralSitesError) as error:
        read_site(data, POLICY)
    assert error.value.names == (
        "a.geojson／地块 1",
        "b.wkt／地块 1",
        "c.txt／甲地块",
        "x.gpkg／乙",
        "y.dxf／红线",
    )
    sites = read_sites(data, POLICY)
    areas = [site.area.planar_m2 for site in sites]
    assert areas == pytest.approx([20_000, 20_000, 20_000, 10_000, 20_000], abs=0.1)
    assert [site.crs.source_epsg for site in sites] == [4490, 4548, 4548, 4548, 4548]
    assert {site.source.kind for site in sites} == {"zip"}


def test_a_shapefile_and_its_boundary_txt_are_both_asked_about(files):
    data = packed(files | {"界址点.txt": boundary_txt()})
    with pytest.raises(SeveralSitesError) as error:
        read_site(data, POLICY)
    assert error.value.names == ("dk／聊城一中", "界址点.txt／甲地块")


def test_a_readme_beside_a_layer_is_noted(files):
    site = read_site(packed(files | {"readme.txt": b"hello", "说明.pdf": b"x"}), POLICY)
    (note,) = [n for n in site.notes if n.code == "member_ignored"]
    assert "readme.txt、说明.pdf" in note.message
    assert site.warnings == ()


def test_what_programs_lay_beside_a_shapefile_is_not_worth_a_word(files):
    side = dict.fromkeys(("dk.sbn", "dk.sbx", "dk.shp.xml", "dk.qpj", "dk.qix"), b"x")
    site = read_site(packed(files | side), POLICY)
    assert not codes((*site.notes, *site.warnings)) & {"member_ignored", "member_unread"}


@pytest.mark.parametrize("damage", ["byte", "faults", "cut"])
def test_a_broken_file_beside_a_good_one_is_never_left_out(files, damage):
    bad = {
        "byte": boundary_txt().replace(b"4030500", b"403\xff500", 1),
        "faults": boundary_txt() + b"\r\nJ9,1,40304x0.000,408500.000" * 60,
        "cut": boundary_txt()[:40],
    }[damage]
    for good in ({"1.txt": boundary_txt()}, files):
        for which in (None, 1):
            with pytest.raises(FormatError) as error:
                read_site(packed(good | {"2.txt": bad}), POLICY, which=which)
            assert "2.txt" in error.value.found


def test_all_files_that_cannot_be_read_are_told_at_once_with_their_names():
    bad = {"2.txt": boundary_txt()[:40], "3.geojson": b"{", "1.txt": boundary_txt()}
    with pytest.raises(FormatError, match="2 个文件") as error:
        read_sites(packed(bad), POLICY)
    named = {fault.where.partition("：")[0] for fault in error.value.faults}
    assert named == {"2.txt", "3.geojson"}


def test_drawings_of_kinds_that_are_not_read_are_warned_about_by_name():
    others = {"图/红线.DWG": b"AC1032", "总图.mdb": b"x", "照片.jpg": b"x"}
    site = read_site(packed({"1.txt": boundary_txt()} | others), POLICY)
    (warning,) = [w for w in site.warnings if w.code == "member_unread"]
    assert "红线.DWG、总图.mdb" in warning.message
    assert "DXF" in warning.message
    (note,) = [n for n in site.notes if n.code == "member_ignored"]
    assert "照片.jpg" in note.message
    site = read_site(packed({"doc.kml": kml()} | others), POLICY)
    assert "member_unread" in codes(site.warnings)


def test_an_ovkml_in_a_zip_is_read():
    data = packed({"1.txt": boundary_txt(), "红线.ovkml": kml()})
    assert [s.name for s in read_sites(data, POLICY)] == ["1.txt／甲地块", "红线.ovkml／乙"]


def test_equal_names_are_told_apart_by_as_much_of_their_folders_as_is_needed(tmp_path):
    texts = {f"{where}/红线.txt": boundary_txt() for where in ("2026/东区", "2026/西区")}
    texts |= {"2026/东区/界址点.txt": boundary_txt(), "甲/a/x.txt": boundary_txt()}
    texts |= {"乙/a/x.txt": boundary_txt(), "x.txt": boundary_txt()}
    with pytest.raises(SeveralSitesError) as error:
        read_site(packed(texts), POLICY)
    assert {name.removesuffix("／甲地块") for name in error.value.names} == {
        "东区/红线.txt",
        "界址点.txt",
        "西区/红线.txt",
        "x.txt",
        "乙/a/x.txt",
        "甲/a/x.txt",
    }
    layers = {
        f"{where}/{name}": content
        for where, shape in (("东", SQUARE), ("西", OTHER))
        for name, content in shapefile(tmp_path / where, shape).items()
    }
    with pytest.raises(SeveralSitesError) as error:
        read_site(packed(layers), POLICY)
    assert set(error.value.names) == {"东/dk／聊城一中", "西/dk／聊城一中"}


def test_a_broken_file_that_may_be_the_site_is_never_left_out(files, tmp_path):
    for name, content in (
        ("a.geojson", b"{"),
        ("x.gpkg", geopackage(tmp_path)[:5000]),
        ("y.dxf", dxf()[:60]),
    ):
        with pytest.raises(FormatError, match=name):
            read_sites(packed(files | {name: content}), POLICY)


def test_faults_of_several_files_are_told_with_their_names():
    bad = boundary_txt().replace(b"4030500.000,408700.000", b"x,408700.000")
    with pytest.raises(FormatError) as error:
        read_sites(packed({"a.txt": bad, "b.txt": boundary_txt()}), POLICY)
    assert any(fault.where.startswith("a.txt：") for fault in error.value.faults)


def test_files_in_two_crs_keep_each_its_own(tmp_path):
    moved = transform(OTHER, 4548, 4527)
    frame = gpd.GeoDataFrame({"名称": ["乙"]}, geometry=[moved], crs=4527)
    frame.to_file(tmp_path / "x.gpkg", driver="GPKG", engine="pyogrio")
    data = packed(shapefile(tmp_path / "a") | {"x.gpkg": (tmp_path / "x.gpkg").read_bytes()})
    assert [site.crs.source_epsg for site in read_sites(data, POLICY)] == [4548, 4527]


def test_an_unknown_crs_of_one_file_is_told_whatever_the_others_say(files):
    with pytest.raises(CrsError):
        read_sites(packed(files | {"dk.prj": b"hello", "a.geojson": geojson()}), POLICY)


def test_a_zip_by_another_name_is_still_a_zip_in_a_zip(files):
    for name in ("a.txt", "a.json", "a.gpkg", "a.xlsx"):
        with pytest.raises(FormatError):
            read_site(packed({name: packed(files)}), POLICY)


def test_a_zip_of_nothing_readable_says_what_to_do():
    with pytest.raises(FormatError, match="另存为 DXF"):
        read_site(packed({"总图.dwg": b"AC1032"}), POLICY)
    with pytest.raises(FormatError):
        read_site(packed({}), POLICY)
    with pytest.raises(FormatError, match=r"说明\.txt"):
        read_site(packed({"说明.txt": "你好".encode()}), POLICY)


def test_vrt_files_by_any_name_leak_nothing():
    vrt = (
        b'<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource relativeToVRT="0">CSV:/etc/passwd'
        b"</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"
    )
    for name in ("a.shp", "a.geojson", "a.gpkg", "a.dxf", "a.kml", "a.txt", "a.gdb/gdb", "a.csv"):
        with pytest.raises(FormatError) as error:
            read_site(packed({name: vrt}), POLICY)
        assert "root" not in str(error.value)


def test_one_member_of_a_zip_may_not_be_larger_than_a_file():
    with pytest.raises(LimitError, match="MB"):
        read_site(
            packed({"a.txt": wkt() + b" " * (21 * 1024**2)}, method=zipfile.ZIP_STORED), POLICY
        )
