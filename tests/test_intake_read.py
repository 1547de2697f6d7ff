"""The one door: content decides, names do not, and nothing but an InputError comes out."""

import hashlib
import json
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import box, mapping

from gis.crs import CrsPolicy, transform
from gis.errors import FormatError, InputError, LimitError
from gis.intake import draft, encoding, read_site, read_sites
from gis.intake.boundary_txt import Plot, boundary_txt

POLICY = CrsPolicy(
    4548, (4490, 4326, 4527, 4548, 4526, 4547, 4498, 4509), (115.80, 36.22, 116.18, 36.47)
)
SQUARE = box(408498.27, 4030411.11, 408698.27, 4030511.11)
TXT = boundary_txt([Plot("甲", "1", SQUARE)], epsg=4548)
GEOJSON = json.dumps(mapping(transform(SQUARE, 4548, 4490)))


@pytest.mark.parametrize(
    ("count", "named", "lines"),
    [
        (1, "1", "第 1 行"),
        (5, "1、2、3、4、5", "第 1、2、3、4、5 行"),
        (6, "1、2、3、4、5 等", "第 1、2、3、4、5 等 6 行"),
    ],
)
def test_a_sentence_names_the_first_five_and_says_that_there_are_more(count, named, lines):
    numbers = list(range(1, count + 1))
    assert (draft.first_of(numbers), draft.in_rows(numbers)) == (named, lines)
    assert draft.first_of(numbers, most=count, counted="处") == "、".join(map(str, numbers))


def test_a_plan_serves_as_well_as_its_policy():
    class Plan:
        crs_policy = POLICY

    assert read_site(SQUARE.wkt, Plan()).area == read_site(SQUARE.wkt, POLICY).area


@pytest.mark.parametrize("suffix", [".txt", ".geojson", ".zip", ".exe", ""])
@pytest.mark.parametrize(
    ("content", "kind"), [(TXT, "boundary_txt"), (GEOJSON, "geojson"), (SQUARE.wkt, "wkt")]
)
def test_the_name_of_a_file_does_not_matter(tmp_path, suffix, content, kind):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content.encode("gb18030"))
    assert read_site(path, POLICY).source.kind == kind


def test_every_form_of_one_polygon_gives_the_same_area():
    areas = [read_site(s, POLICY).area for s in (TXT, TXT.encode("gbk"), SQUARE.wkt, GEOJSON)]
    for area in areas:
        assert area.planar_m2 == pytest.approx(20_000, abs=1e-4)
        assert area.ellipsoidal_m2 == pytest.approx(areas[0].ellipsoidal_m2, abs=1e-4)
        # 4548 is +206 ppm above the ellipsoid here (practice.md section 3).
        assert area.planar_m2 / area.ellipsoidal_m2 - 1 == pytest.approx(206e-6, abs=3e-6)


def test_the_hash_is_that_of_the_bytes_given(tmp_path):
    data = TXT.encode("gbk")
    path = tmp_path / "a.txt"
    path.write_bytes(data)
    expected = hashlib.sha256(data).hexdigest()
    assert read_site(data, POLICY).source.sha256 == expected
    assert read_site(path, POLICY).source.sha256 == expected


def test_a_mapping_is_hashed_in_its_canonical_form():
    shape = json.loads(GEOJSON)
    turned = dict(reversed(list(shape.items())))
    assert read_site(shape, POLICY).source.sha256 == read_site(turned, POLICY).source.sha256


def test_the_site_takes_the_name_of_the_source_when_it_has_none():
    assert read_site(SQUARE.wkt, POLICY).name == "地块 1"
    assert read_site(SQUARE.wkt, POLICY, name="C:\\x\\一中.wkt").name == "一中"
    assert read_site(SQUARE.wkt, POLICY, name="../../etc/passwd").source.name == "passwd"
    assert read_site(TXT, POLICY, name="b.txt").name == "甲"


def test_a_name_of_the_source_is_cleaned_with_a_warning():
    site = read_site(SQUARE.wkt, POLICY, name="甲\x00\ud800.wkt")
    assert "text_replaced" in {w.code for w in site.warnings}
    assert "\x00" not in site.name


def test_the_name_of_a_file_is_its_path_but_bytes_never_are(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text(SQUARE.wkt)
    assert read_site(str(path), POLICY).source.name == "a.txt"
    with pytest.raises(FormatError):
        read_site(str(path).encode(), POLICY)


@pytest.mark.parametrize("text", ["nowhere.txt", "a\x00b", "x" * 5000, "~", ".", "/"])
def test_a_text_that_names_no_file_is_content(text):
    with pytest.raises(FormatError):
        read_site(text, POLICY)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path / "none.txt", tmp_path):
        with pytest.raises(FormatError, match="不存在"):
            read_site(path, POLICY)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"  \r\n ",
        b"\x00" * 100,
        b"SQLite format 3\x00" + b"x" * 100,
        b"%PDF-1.7",
        b"AC1027" + bytes(50),
        b"Rar!\x1a\x07",
        b"7z\xbc\xaf\x27\x1c",
        b"\x1f\x8b\x08",
        b"\xd0\xcf\x11\xe0",
        b"\x89PNG\r\n",
        b"\xff\xfe\x00\xd8",
        b"\xff\xff\xff",
        b"<?xml version='1.0'?><kml></kml>",
        b"<OGRVRTDataSource/>",
        b'"text"',
        b"[1, 2]",
        b"7",
        b"null",
        "没有图形".encode("gbk"),
    ],
)
def test_foreign_content_is_refused(content):
    with pytest.raises(FormatError):
        read_site(content, POLICY)


@pytest.mark.parametrize("source", [None, 7, ["x"], SQUARE])
def test_an_object_of_another_type_is_refused(source):
    with pytest.raises(FormatError):
        read_site(source, POLICY)


def test_the_size_is_limited_whatever_the_form(tmp_path, monkeypatch):
    monkeypatch.setattr("gis.intake.read.MAX_BYTES", 50)
    path = tmp_path / "a.txt"
    path.write_bytes(TXT.encode("gbk"))
    for source in (path, TXT, TXT.encode("gbk"), json.loads(GEOJSON)):
        with pytest.raises(LimitError):
            read_site(source, POLICY)
    assert draft.MAX_BYTES == 20 * 1024 * 1024


def test_geojson_wkt_and_txt_are_read_without_gdal():
    code = (
        "import sys\n"
        "from gis.crs import CrsPolicy\n"
        "from gis.intake import read_site\n"
        "p = CrsPolicy(4548, (4548,), (115.80, 36.22, 116.18, 36.47))\n"
        f"read_site({SQUARE.wkt!r}, p)\n"
        f"read_site({TXT!r}, p)\n"
        "bad = {'pyogrio', 'geopandas', 'rasterio', 'pandas', 'osgeo'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {bad}' if bad else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_read_sites_gives_one_site_as_a_tuple():
    (site,) = read_sites(TXT, POLICY)
    assert site.name == "甲"


@settings(max_examples=150)
@given(data=st.binary(max_size=60))
def test_any_bytes_give_a_site_or_an_input_error(data):
    try:
        read_sites(data, POLICY)
    except InputError:
        return


PIECES = [
    *("[地块坐标]", "[属性描述]", "坐标系", "带号", "=", "面", "线", "J1,1,4030511.11,39408498.27"),
    *("POLYGON", "SRID=4548;", "EMPTY", "Z", "(", ")", "1 2", "1e999", "9", ",", "，", "@", "\n"),
    *("{", "}", "[", "]", ":", '"type"', '"Polygon"', '"coordinates"', "\x00"),
]


@settings(max_examples=300)
@given(parts=st.lists(st.sampled_from(PIECES), max_size=25))
def test_any_mixture_of_the_words_of_the_formats_gives_a_site_or_an_input_error(parts):
    try:
        read_sites("".join(parts), POLICY)
    except InputError:
        return


json_value = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["type", "coordinates", "geometry", "properties", "features", "crs", "name"]
            ),
            inner | st.sampled_from(["Polygon", "Feature", "FeatureCollection", "MultiPolygon"]),
            max_size=5,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=300)
@given(
    value=st.dictionaries(
        st.sampled_from(["type", "coordinates", "geometry", "features", "crs"]),
        json_value | st.sampled_from(["Polygon", "Feature", "FeatureCollection"]),
    )
)
def test_any_json_object_gives_a_site_or_an_input_error(value):
    try:
        read_sites(value, POLICY)
    except InputError:
        return


# --- encodings ------------------------------------------------------------------------------------


def test_utf8_is_tried_before_gb18030():
    # GBK reads these UTF-8 bytes without an error, as 鑱婂煄.
    assert encoding.decode_text("聊城".encode())[0] == "聊城"
    assert encoding.decode_text("聊城".encode("gbk"))[0] == "聊城"


def test_bytes_in_no_known_encoding_are_refused():
    with pytest.raises(FormatError, match="编码"):
        encoding.decode_text(b"abc\xff\xff")
    with pytest.raises(FormatError):
        encoding.table_codec([b"\xff\xff"], None)


@pytest.mark.parametrize(
    ("given", "text"), [("utf-16", "聊城1"), ("utf-8", "聊城"), ("ascii", "聊")]
)
def test_an_encoding_of_the_user_that_does_not_fit_is_told_as_such(given, text):
    data = text.encode("gbk" if given == "utf-8" else "utf-8")
    with pytest.raises(FormatError, match=f"指定的编码 {given}") as error:
        encoding.decode_text(data if given != "utf-16" else data[:-1] + b"x\x00y", given)
    assert "encoding" in error.value.advice


def test_a_text_that_only_decodes_as_the_user_says_names_the_encoding():
    # An even number of bytes of UTF-8 is always some UTF-16.
    data = b"POLYGON((408500 4030400,408700 4030400,408700 4030500,408500 4030400))"
    data += b" " * (len(data) % 2)
    with pytest.raises(FormatError, match="指定的编码 utf-16"):
        read_site(data, POLICY, encoding="utf-16")


# --- declared area --------------------------------------------------------------------------------
