"""The safety table, row by row: bad input has the stated outcome through Python and through HTTP.

No case ends in a 5xx, hangs, speaks to another host, or leaves a file behind. The rows that are not
about one input (drivers, maps, exports, connections) stand in ``test_safety_service.py``.
"""

import io
import json
import random
import re
import signal
import socket
import sqlite3
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import geopandas
import pytest
from shapely.geometry import Point, box, mapping
from starlette.testclient import TestClient

from api.app import create_app
from api.schemas import Problem
from api.settings import MEGABYTE, Settings
from gis.crs import transform
from gis.errors import InputError
from gis.intake.read import read_site

HANG_S = 10
# 200 m x 100 m in the middle of the bundled plan, in the work CRS, with zone number, in degrees.
SQUARE = box(408498.27, 4030411.11, 408698.27, 4030511.11)
OTHER = box(409000, 4030411, 409100, 4030511)
LONLAT = transform(SQUARE, 4548, 4490)
RING = [list(point) for point in LONLAT.exterior.coords]
WORK = [list(point) for point in SQUARE.exterior.coords]


# --- cases ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """One input and its outcome.

    ``body`` is the content, or a function of a folder that makes it. A refusal has ``code``,
    ``status`` and ``word`` (a regular expression); an accepted input has the codes of its
    ``warnings`` and ``notes`` among others. ``where`` is the place of the first fault.
    """

    row: str
    name: str
    body: bytes | Callable[[Path], bytes]
    code: str = ""
    status: int = 422
    word: str = ""
    where: str = ""
    warnings: frozenset[str] = frozenset()
    notes: frozenset[str] = frozenset()
    options: Mapping[str, str] = field(default_factory=dict)
    file_name: str | None = None


def text(value):
    return json.dumps(value).encode()


def polygon(*rings, **more):
    return text({"type": "Polygon", "coordinates": list(rings), **more})


def feature(geometry=None, **properties):
    shape = mapping(LONLAT) if geometry is None else geometry
    return text({"type": "Feature", "properties": properties, "geometry": shape})


def number(word):
    """The square with one longitude replaced by a word."""
    return polygon(RING).replace(repr(RING[1][0]).encode(), word.encode(), 1)


def wkt(points, prefix=""):
    ring = ",".join(f"{x} {y}" for x, y in points)
    return f"{prefix}POLYGON(({ring}))".encode()


def moved(shape, epsg):
    return [list(p) for p in transform(shape, 4548, epsg).exterior.coords]


def tangle(count):
    rng = random.Random(1)
    points = [[115.97 + rng.random() / 100, 36.37 + rng.random() / 100] for _ in range(count)]
    return polygon([*points, points[0]])


def boundary_txt(points, datum="2000国家大地坐标系", name="一号"):
    lines = [f"J{i},1,{y},{x}" for i, (x, y) in enumerate(points, start=1)]
    head = f"[属性描述]\n坐标系={datum}\n几度分带=3\n带号=39\n[地块坐标]\n"
    return (head + f"{len(points)},2.0,1,{name},面,,,,@\n" + "\n".join(lines)).encode()


def packed(files):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def shapefile(folder, shapes=(SQUARE,), *, stem="dk", epsg=4548, encoding="utf-8", names=("一中",)):
    """The files of a shapefile by name."""
    target = Path(tempfile.mkdtemp(dir=folder))
    frame = geopandas.GeoDataFrame(
        {"XMMC": [names[i % len(names)] for i in range(len(shapes))]},
        geometry=list(shapes),
        crs=epsg,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        frame.to_file(target / f"{stem}.shp", encoding=encoding)
    return {path.name: path.read_bytes() for path in sorted(target.iterdir())}


def zipped_shapefile(change=lambda files: files, **how):
    """Make the zip of a shapefile after a change of its files."""
    return lambda folder: packed(change(shapefile(folder, **how)))


def without(*suffixes):
    return lambda files: {name: data for name, data in files.items() if not name.endswith(suffixes)}


def geopackage(*statements, shapes=(SQUARE,)):
    """Make a GeoPackage and run SQL on it."""

    def make(folder):
        path = Path(tempfile.mkdtemp(dir=folder)) / "a.gpkg"
        frame = geopandas.GeoDataFrame(geometry=list(shapes), crs=4548)
        frame.to_file(path, layer="dk", driver="GPKG")
        base = sqlite3.connect(path)
        for statement in statements:
            base.execute("PRAGMA writable_schema=ON")
            base.execute(statement)
        base.commit()
        base.close()
        return path.read_bytes()

    return make


def kml(inside, head=""):
    return f'{head}<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{inside}</Document></kml>'.encode()


def placemark(name="一号", points=RING):
    ring = " ".join(f"{x},{y},0" for x, y in points)
    shell = f"<LinearRing><coordinates>{ring}</coordinates></LinearRing>"
    shape = f"<outerBoundaryIs>{shell}</outerBoundaryIs>"
    return f"<Placemark><name>{name}</name><Polygon>{shape}</Polygon></Placemark>"


VRT = b"""<OGRVRTDataSource><OGRVRTLayer name="dk"><SrcDataSource>/etc/passwd</SrcDataSource>
<SrcLayer>passwd</SrcLayer></OGRVRTLayer></OGRVRTDataSource>"""
RASTER_VRT = b"""<VRTDataset rasterXSize="1" rasterYSize="1">
<VRTRasterBand dataType="Byte" band="1"><SimpleSource><SourceFilename>/etc/passwd</SourceFilename>
</SimpleSource></VRTRasterBand></VRTDataset>"""
ENDLESS = (
    "CREATE VIEW endless AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
    "SELECT dk.fid, dk.geom FROM dk, n WHERE n.i < 0"
)
AS_FEATURES = (
    "INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id) "
    "VALUES ('endless', 'features', 'endless', 4548)"
)
AS_GEOMETRY = "INSERT INTO gpkg_geometry_columns VALUES ('endless', 'geom', 'POLYGON', 4548, 0, 0)"
LINK = {"type": "link", "properties": {"href": "http://127.0.0.1:9/crs", "type": "proj4"}}


def named_crs(name):
    return {"type": "name", "properties": {"name": name}}


def refused(row, name, body, code, word="", **more):
    return Case(row, name, body, code=code, word=word, **more)


def accepted(row, name, body, *warned, notes=(), **more):
    return Case(row, name, body, warnings=frozenset(warned), notes=frozenset(notes), **more)


def _coordinates():
    row = "coordinates without a CRS"
    yield accepted(row, "metres of the work CRS", wkt(WORK), notes=["crs"])
    yield accepted(row, "metres with the zone number", wkt(moved(SQUARE, 4527)), notes=["crs"])
    yield refused(row, "metres of the next zone of UTM", wkt(moved(SQUARE, 32651)), "crs")
    yield refused(
        row, "small metres", wkt([[1, 1], [101, 1], [101, 101], [1, 101]]), "crs|outside_plan"
    )
    for kind, swap in (
        ("geojson", polygon([[y, x] for x, y in RING])),
        ("wkt", wkt([[y, x] for x, y in RING])),
    ):
        yield refused(row, f"latitude first in {kind}", swap, "crs", "顺序相反")
    yield refused(row, "web mercator", wkt(moved(SQUARE, 3857)), "crs", "3857")
    yield refused(
        row,
        "web mercator as degrees",
        polygon(moved(SQUARE, 3857), crs=named_crs("EPSG:4490")),
        "crs|outside_plan",
    )
    yield refused(
        row,
        "numbers with no finite image",
        wkt([[1e15, 1e15], [1e15, 2e14], [2e14, 1e15]]),
        "crs|outside_plan",
    )
    far = [*RING[:2], [RING[2][0] + 100, RING[2][1]], *RING[3:]]
    yield refused(
        row, "one mistyped digit", polygon(far), "outside_plan", where="$.coordinates[0][2]"
    )
    yield refused(row, "another place", wkt([[2, 48], [2.01, 48], [2.01, 48.01]]), "outside_plan")


def _numbers():
    row = "what is no number"
    for word in (
        "NaN",
        "Infinity",
        "-Infinity",
        "1e999",
        '"115.98"',
        "true",
        "null",
        "[1]",
        "9" * 5000,
    ):
        yield refused(
            row, f"{word[:10]} in GeoJSON", number(word), "format", where="$.coordinates[0][1][0]"
        )
    yield refused(
        row,
        "NaN in the properties",
        feature(a=[0]).replace(b"[0]", b"[NaN]"),
        "format",
        where="$.properties.a[0]",
    )
    for word in ("nan", "inf", "1e999", "0x1F", "x"):
        yield refused(row, f"{word} in WKT", wkt([[word, 36.4], *RING[1:]]), "format")
        points = [[word, 4030411.11], *WORK[1:]]
        yield refused(row, f"{word} in TXT", boundary_txt(points), "format", "第 6 行|第 7 行")
    for nesting in (RING, [[RING]], [[]], [RING[0]], "x", None, 7, {}):
        yield refused(
            row,
            f"nesting {str(nesting)[:9]}",
            text({"type": "Polygon", "coordinates": nesting}),
            "format|geometry",
        )
    yield refused(
        row,
        "a repeated key",
        polygon(RING)[:-1] + b',"type":"Polygon"}',
        "format",
        "重复",
        where="$.type",
    )
    yield refused(row, "depth of 100,000", b'{"a":' + b"[" * 100_000, "limit", status=413)
    yield refused(row, "something behind the end", polygon(RING) + b"{}", "format", "后面还有内容")


def _drawings():
    row = "invalid drawings"
    bow = polygon([RING[i] for i in (0, 2, 1, 3, 0)])
    yield refused(
        row, "bow-tie", bow, "geometry", "相交", where="$.coordinates[0][0] 与 $.coordinates[0][2]"
    )
    yield accepted(row, "bow-tie with repair", bow, "repaired", options={"repair": "true"})
    out = [[x + 0.01, y] for x, y in RING]
    yield refused(row, "hole outside its shell", polygon(RING, out), "geometry", "洞")
    yield accepted(
        row, "hole outside with repair", polygon(RING, out), "repaired", options={"repair": "true"}
    )
    over = {"type": "MultiPolygon", "coordinates": [[RING], [[[x + 0.001, y] for x, y in RING]]]}
    yield refused(row, "overlapping parts", text(over), "geometry")
    yield refused(
        row, "the same part twice", text({**over, "coordinates": [[RING], [RING]]}), "geometry"
    )
    yield refused(row, "a ring on itself", polygon([*RING[:4], *RING]), "geometry")
    yield refused(row, "a line there and back", polygon([RING[0], RING[1], RING[0]]), "geometry")
    yield refused(
        row,
        "bow-tie in TXT",
        boundary_txt([WORK[i] for i in (0, 2, 1, 3, 0)]),
        "geometry|declared_area",
    )


def _costs():
    row = "costs that run away"
    yield refused(row, "300 random vertices", tangle(300), "geometry", "相交")
    yield refused(row, "500 random vertices", tangle(500), "geometry", "相交")
    yield accepted(
        row, "150 random vertices with repair", tangle(150), "repaired", options={"repair": "true"}
    )
    yield refused(row, "20,000 random vertices", tangle(20_000), "limit|geometry", status=0)
    yield refused(
        row,
        "20,000 random vertices with repair",
        tangle(20_000),
        "limit",
        status=413,
        options={"repair": "true"},
    )
    yield refused(
        row,
        "a tangled line with a width",
        tangle(3000)
        .replace(b"Polygon", b"LineString")
        .replace(b"[[[", b"[[")
        .replace(b"]]]", b"]]"),
        "limit",
        status=413,
        options={"width_m": "1000"},
    )
    yield refused(
        row, "200,001 vertices", polygon([[115.97, 36.4]] * 200_001), "limit", "200000", status=413
    )
    yield refused(
        row,
        "1,001 features",
        text({"type": "FeatureCollection", "features": [json.loads(feature())] * 1001}),
        "limit",
        status=413,
    )
    yield refused(row, "1,001 rings", polygon(*[RING] * 1001), "limit", status=413)
    yield refused(
        row,
        "21 MB",
        polygon(RING) + b" " * (21 * MEGABYTE),
        "limit|body_limit",
        "20 MB",
        status=413,
    )


def _small_defects():
    yield accepted("put right with a warning", "an open ring", polygon(RING[:-1]), "ring_closed")
    yield accepted(
        "put right with a warning",
        "repeated vertices",
        polygon([RING[0], *RING]),
        "duplicate_points",
    )
    m = [[x, y, 30.0, 1.0] for x, y in RING]
    yield accepted("put right with a warning", "M values", polygon(m), "m_dropped")
    yield accepted(
        "put right with a warning",
        "M values in WKT",
        wkt(RING).replace(b"((", b" M ((").replace(b",", b" 5,").replace(b"))", b" 5))"),
        "m_dropped",
    )
    yield accepted(
        "noted only",
        "clockwise",
        polygon(RING if not LONLAT.exterior.is_ccw else RING[::-1]),
        notes=["clockwise"],
    )
    yield accepted("noted only", "Z values", polygon([p[:3] for p in m]), notes=["z_dropped"])


def _no_area():
    row = "no area"
    for kind, coordinates in (
        ("Point", RING[0]),
        ("MultiPoint", RING),
        ("LineString", RING[:2]),
        ("Polygon", []),
        ("MultiPolygon", []),
    ):
        yield refused(row, kind, text({"type": kind, "coordinates": coordinates}), "geometry")
    yield refused(
        row, "null", text({"type": "Feature", "properties": {}, "geometry": None}), "geometry"
    )
    yield refused(row, "no features", text({"type": "FeatureCollection", "features": []}), "format")
    yield refused(row, "POLYGON EMPTY", b"POLYGON EMPTY", "geometry")
    yield refused(row, "an empty shapefile", zipped_shapefile(shapes=()), "format|geometry")
    yield refused(
        row, "a shapefile of points", zipped_shapefile(shapes=(Point(408498, 4030411),)), "geometry"
    )
    yield refused(row, "nothing at all", b" \r\n", "format")


def _old_datums():
    row = "old datums"
    for code in (4610, 2363, 4214, 2415, 21420):
        yield refused(
            row,
            f"EPSG:{code}",
            polygon(RING, crs=named_crs(f"EPSG:{code}")),
            "crs",
            "有资质的测绘单位",
        )
        yield refused(
            row, f"crs={code}", polygon(RING), "crs", "有资质的测绘单位", options={"crs": str(code)}
        )
    yield refused(
        row,
        "inside a geometry",
        feature({**mapping(LONLAT), "crs": named_crs("EPSG:4610")}),
        "crs",
        "有资质的测绘单位",
    )
    yield refused(row, "SRID in WKT", wkt(RING, "SRID=4610;"), "crs", "有资质的测绘单位")
    for name in ("1980西安坐标系", "1954年北京坐标系", "西安80", "北京54"):
        yield refused(
            row, f"{name} in TXT", boundary_txt(WORK, datum=name), "crs", "有资质的测绘单位"
        )
    prj = (
        'GEOGCS["Xian 1980",DATUM["D_Xian_1980",SPHEROID["Xian_1980",6378140,298.257]],'
        'PRIMEM["Greenwich",0],UNIT["Degree",0.0174532925199433]]'
    )
    yield refused(
        row,
        "in a .prj",
        zipped_shapefile(lambda files: files | {"dk.prj": prj.encode()}),
        "crs",
        "有资质的测绘单位",
    )


def _links():
    row = "links"
    yield refused(row, "crs of type link", polygon(RING, crs=LINK), "crs", "链接")
    yield refused(
        row,
        "crs named by an address",
        polygon(RING, crs=named_crs("http://127.0.0.1:9/crs")),
        "crs",
    )
    yield refused(
        row, "crs= with an address", polygon(RING), "crs", options={"crs": "http://127.0.0.1:9/"}
    )
    yield refused(
        row, "a link inside a feature", feature({**mapping(LONLAT), "crs": LINK}), "crs", "链接"
    )


def _virtual_files():
    row = "virtual files"
    for name in (None, "a.geojson", "a.shp", "a.tif", "a.vrt", "a.gpkg"):
        yield refused(row, f"VRT as {name}", VRT, "format", file_name=name)
        yield refused(row, f"raster VRT as {name}", RASTER_VRT, "format", file_name=name)
    parts = {"a.shx": b"", "a.dbf": b""}
    yield refused(row, "VRT named .shp in a zip", packed({"a.shp": VRT, **parts}), "format")
    yield refused(row, "VRT in a zip", packed({"a.vrt": VRT}), "format")
    yield refused(row, "VRT beside nothing else", packed({"a.geojson": VRT}), "format")
    yield refused(
        row,
        "VRT behind the magic of a shapefile",
        packed({"a.shp": b"\0\0\x27\x0a" + bytes(96) + VRT}),
        "format",
    )
    yield refused(row, "a real TIFF", b"II*\0" + bytes(100), "format", file_name="a.tif")


def _databases():
    row = "GeoPackage"
    yield accepted(row, "an ordinary one", geopackage())
    yield refused(
        row, "an endless view", geopackage(ENDLESS, AS_FEATURES, AS_GEOMETRY), "format", "视图"
    )
    replaced = ENDLESS.replace("VIEW endless", "VIEW dk").replace("FROM dk, n", "FROM dk2 AS dk, n")
    renamed = "ALTER TABLE dk RENAME TO dk2"
    yield refused(
        row,
        "a view in place of the table",
        geopackage(
            "DROP TRIGGER IF EXISTS trigger_insert_feature_count_dk",
            "DROP TRIGGER IF EXISTS trigger_delete_feature_count_dk",
            renamed,
            replaced,
        ),
        "format",
        "视图",
    )
    foreign = (
        "INSERT INTO sqlite_master (type, name, tbl_name, rootpage, sql) VALUES "
        "('table', 'v', 'v', 0, 'CREATE VIRTUAL TABLE v USING VirtualOGR(''/etc/passwd'')')"
    )
    yield refused(row, "a foreign virtual table", geopackage(foreign), "format", "虚拟表")
    yield refused(row, "no database behind the magic", b"SQLite format 3\0" + bytes(5000), "format")
    yield refused(row, "cut off", lambda folder: geopackage()(folder)[:30_000], "format")


def _archives():
    row = "zip"
    for name in ("../../x.shp", "/etc/x.shp", "C:\\x.shp", "..\\x.shp", "a/../../x.shp"):
        yield refused(row, f"traversal {name}", packed({name: b"a"}), "format", "越界")
    bomb = {"a.shp": bytes(150_000_000), "a.shx": b"", "a.dbf": b""}
    yield refused(row, "bomb", lambda _: packed(bomb), "limit", "过大", status=413)
    yield refused(
        row,
        "bomb under the total limit",
        lambda _: packed({"a.shp": bytes(50_000_000)}),
        "limit",
        status=413,
    )
    yield refused(
        row, "a zip in a zip", packed({"a.zip": packed({"a.shp": b"x"})}), "format", "还有压缩包"
    )
    yield refused(
        row, "1,000 members", packed({f"{i}.shp": b"" for i in range(1000)}), "limit", status=413
    )

    def damaged(folder):
        data = bytearray(zipped_shapefile()(folder))
        at = data.find(b".shp") + 60
        data[at : at + 8] = bytes(8)
        return bytes(data)

    yield refused(row, "a CRC error", damaged, "format", "损坏")

    def two(folder):
        second = shapefile(folder, (OTHER,), stem="other", names=("二中",))
        return packed(shapefile(folder) | second)

    yield refused(row, "two shapefiles", two, "several_sites", "which")
    yield accepted(row, "two shapefiles, one picked", two, options={"which": "2"})

    def litter(files):
        moved = {f"图/{name}": data for name, data in files.items()}
        return moved | {"__MACOSX/图/._dk.shp": b"x", "图/.DS_Store": b"x"}

    yield accepted(row, "a sub-folder and the litter of macOS", zipped_shapefile(litter))
    yield refused(row, "cut off", lambda folder: zipped_shapefile()(folder)[:-40], "format")
    yield refused(row, "empty", packed({}), "format")


def _shapefiles():
    row = "shapefile"
    yield accepted(row, "no .shx", zipped_shapefile(without(".shx")), "shx_restored")
    yield accepted(row, "no .prj", zipped_shapefile(without(".prj")), notes=["crs"])
    yield accepted(row, "no .dbf", zipped_shapefile(without(".dbf")), "dbf_missing")
    yield accepted(
        row,
        "no .cpg, GBK table",
        zipped_shapefile(without(".cpg"), encoding="gbk"),
        notes=["table_encoding"],
    )
    yield accepted(
        row, "no .cpg, UTF-8 table", zipped_shapefile(without(".cpg")), notes=["table_encoding"]
    )
    yield accepted(
        row,
        "a wrong .cpg",
        zipped_shapefile(lambda f: f | {"dk.cpg": b"UTF-8"}, encoding="gbk"),
        "table_encoding_overruled",
    )
    yield refused(
        row,
        "a truncated .shp",
        zipped_shapefile(lambda f: f | {"dk.shp": f["dk.shp"][:-10]}),
        "format",
        "不完整",
    )
    yield refused(
        row, "no geometry in a row", zipped_shapefile(shapes=(SQUARE, None)), "format", "没有图形"
    )
    yield refused(row, "only the .shp", lambda folder: shapefile(folder)["dk.shp"], "format", "zip")


def _kml():
    row = "KML"
    doctype = '<!DOCTYPE kml [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    yield accepted(row, "one placemark", kml(placemark()))
    yield refused(
        row, "DOCTYPE with an entity", kml(placemark("&a;"), doctype), "format", "DOCTYPE"
    )
    yield refused(
        row,
        "DOCTYPE with an address",
        kml(placemark(), '<!DOCTYPE kml SYSTEM "http://127.0.0.1:9/a.dtd">'),
        "format",
        "DOCTYPE",
    )
    laughs = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 9))
    yield refused(
        row,
        "a billion laughs",
        kml(placemark("&a8;"), f'<!DOCTYPE kml [<!ENTITY a0 "ha">{laughs}]>'),
        "format",
        "DOCTYPE",
    )
    link = "<NetworkLink><Link><href>http://127.0.0.1:9/a.kml</href></Link></NetworkLink>"
    yield refused(row, "only a network link", kml(link), "format|geometry")
    yield accepted(
        row, "a network link beside a placemark", kml(link + placemark()), "links_skipped"
    )
    first, second = (f"<Folder><name>{n}</name>{placemark(n)}</Folder>" for n in "甲乙")
    folders = first + second
    yield refused(row, "two folders", kml(folders), "several_sites", "which")
    yield accepted(row, "two folders, one picked", kml(folders), options={"which": "2"})
    yield refused(row, "depth of 10,000", kml("<Folder>" * 10_000), "limit|format", status=0)
    yield refused(
        row, "KML in a zip with a traversal", packed({"../doc.kml": kml(placemark())}), "format"
    )


def _names():
    row = "names"
    for shown, name in (
        ("half a surrogate pair", "甲\ud800"),
        ("NUL", "a\x00b"),
        ("a direction override", "\u202eabc"),
    ):
        yield accepted(row, f"{shown} in a property", feature(name=name), "text_replaced")
    yield accepted(row, "NUL in a file name", polygon(RING), "text_replaced", file_name="a\x00b")
    yield accepted(row, "half a surrogate pair as a key", feature(**{"\ud800": "x"}))
    for name in ("../../x", "/etc/passwd", "C:\\x.shp", "NUL"):
        yield accepted(row, f"file name {name}", polygon(RING), file_name=name)


ROWS = (
    *(_coordinates, _numbers, _drawings, _costs, _small_defects, _no_area, _old_datums),
    *(_links, _virtual_files, _databases, _archives, _shapefiles, _kml, _names),
)
TABLE = [case for row in ROWS for case in row()]


# --- what must never happen ----------------------------------------------------------------------


@pytest.fixture
def guarded(monkeypatch, tmp_path):
    """No connection, no hang, no file: whatever the case does."""
    folders = {name: tmp_path / name for name in ("here", "home", "temporary")}
    for folder in folders.values():
        folder.mkdir()
    monkeypatch.chdir(folders["here"])
    monkeypatch.setenv("HOME", str(folders["home"]))
    monkeypatch.setattr(tempfile, "tempdir", str(folders["temporary"]))
    spoken = []

    def spoke(*args, **_options):
        spoken.append(args[-1])
        raise OSError("this test allows no connection")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, spoke)
    monkeypatch.setattr(socket, "getaddrinfo", spoke)

    def hang(*_args):
        raise AssertionError(f"no answer within {HANG_S} s")

    if hasattr(signal, "SIGALRM"):
        before = signal.signal(signal.SIGALRM, hang)
        signal.alarm(HANG_S)
    yield tmp_path
    if hasattr(signal, "SIGALRM"):
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    assert spoken == []
    assert [path for folder in folders.values() for path in folder.rglob("*")] == []


def body_of(case, tmp_path_factory):
    return case.body if isinstance(case.body, bytes) else case.body(tmp_path_factory.mktemp("made"))


def assert_refused(case, found, told):
    assert re.fullmatch(case.code, found["code"]), found
    assert re.search(case.word, found["detail"]), found["detail"]
    assert "root:" not in json.dumps(found)
    if case.where:
        assert told[0]["where"] == case.where
    assert all(row["where"] and row["message"] for row in told)


def ids(case):
    return f"{case.row}: {case.name}"


@pytest.mark.usefixtures("guarded")
@pytest.mark.parametrize("case", TABLE, ids=ids)
def test_the_table_through_python(case, plan, tmp_path_factory):
    body = body_of(case, tmp_path_factory)
    options = dict(case.options)
    how = {"repair": options.pop("repair", None) == "true", "name": case.file_name}
    how |= {"width_m": float(options["width_m"])} if "width_m" in options else {}
    how |= {"which": int(options["which"])} if "which" in options else {}
    how |= {"crs": options["crs"]} if "crs" in options else {}
    if not case.code:
        site = read_site(body, plan, **how)
        assert site.geometry.is_valid
        assert site.area.ellipsoidal_m2 > 1
        assert case.warnings == {warning.code for warning in site.warnings}
        assert case.notes <= {note.code for note in site.notes}
        return
    with pytest.raises(InputError) as error:
        read_site(body, plan, **how)
    found = {"code": error.value.code, "detail": error.value.detail}
    assert_refused(case, found, [fault.to_dict() for fault in error.value.faults])


@pytest.fixture(scope="module")
def client(plan, tmp_path_factory):
    settings = Settings(db=tmp_path_factory.mktemp("db") / "records.sqlite")
    with TestClient(create_app(settings, plan=plan), raise_server_exceptions=False) as opened:
        yield opened


@pytest.mark.usefixtures("guarded")
@pytest.mark.parametrize("case", TABLE, ids=ids)
def test_the_table_through_http(case, client, tmp_path_factory):
    body = body_of(case, tmp_path_factory)
    url = "/v1/site-checks?as_of=2026-11-22"
    if case.file_name is None:
        headers = {"Content-Type": "application/octet-stream"}
        answer = client.post(url, params=case.options, content=body, headers=headers)
    else:
        head = f'Content-Disposition: form-data; name="file"; filename="{case.file_name}"'
        form = b"--xx\r\n" + head.encode() + b"\r\n\r\n" + body + b"\r\n--xx--\r\n"
        headers = {"Content-Type": "multipart/form-data; boundary=xx"}
        answer = client.post(url, params=case.options, content=form, headers=headers)
    if not case.code:
        assert answer.status_code == 200, answer.text[:500]
        assert case.warnings == {warning["code"] for warning in answer.json()["warnings"]}
        assert case.notes <= {note["code"] for note in answer.json()["site"]["notes"]}
        return
    assert answer.status_code in ({case.status} if case.status else {413, 422}), answer.text[:500]
    assert answer.headers["content-type"] == "application/problem+json"
    Problem.model_validate(answer.json())
    assert_refused(case, answer.json(), answer.json()["errors"])


@pytest.mark.usefixtures("guarded")
@pytest.mark.parametrize("suffix", [".shp", ".geojson", ".tif", ".gpkg", ".kml", ".txt"])
@pytest.mark.parametrize("content", [VRT, RASTER_VRT])
def test_a_virtual_file_on_disk_is_refused_whatever_it_is_called(
    plan, tmp_path_factory, suffix, content
):
    path = tmp_path_factory.mktemp("disk") / f"a{suffix}"
    path.write_bytes(content)
    with pytest.raises(InputError):
        read_site(path, plan)
