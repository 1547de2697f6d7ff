"""The boundary-point TXT of the land bureau, written, and read back as the same plots."""

import csv
import math
from datetime import date
from pathlib import Path

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.affinity import translate
from shapely.geometry import MultiPolygon, Polygon, box

from gis.crs import CrsPolicy, transform
from gis.errors import CrsError, DeclaredAreaError, GeometryError, LimitError
from gis.intake.boundary_txt import Plot, boundary_txt, write_boundary_txt
from gis.intake.read import read_site, read_sites

POLICY = CrsPolicy(
    4548, (4490, 4326, 4527, 4548, 4526, 4547, 4498, 4509), (115.80, 36.22, 116.18, 36.47)
)
X0, Y0 = 408498.27, 4030411.11
# 200 m x 100 m = 20,000 m² planar; 115.98E 36.40N, practice.md section 2.
SQUARE = box(X0, Y0, X0 + 200, Y0 + 100)
HOLE = box(408550, 4030450, 408560, 4030460)
ZONES = st.sampled_from([4548, 4527, 4498, 4509, 4547, 4526])
CORPUS = Path(__file__).parent / "corpus" / "txt"


def back(text):
    """Read a text as the bytes that are written."""
    return read_sites(text.encode("gb18030"), POLICY)


def assert_same(polygon, sites, reach_m=0.001):
    """The union of the plots is the polygon to a millimetre, by vertices and by area."""
    again = shapely.union_all([site.geometry for site in sites])
    assert shapely.hausdorff_distance(polygon, again) <= reach_m
    assert shapely.symmetric_difference(polygon, again).area <= reach_m * polygon.length


# --- the form -------------------------------------------------------------------------------------


def test_writer_follows_the_defaults_of_the_form(tmp_path):
    path = tmp_path / "a.txt"
    plot = Plot("一中新校", "01", SQUARE, "教育用地", "0804", 2.0)
    write_boundary_txt(path, [plot], epsg=4548, unit="测绘院", produced_on=date(2026, 11, 22))
    lines = path.read_bytes().decode("gbk").split("\r\n")
    assert lines[0] == "[属性描述]"
    assert "带号=39" in lines
    assert "几度分带=3" in lines
    assert "数据产生日期=2026-11-22" in lines
    start = lines.index("[地块坐标]")
    assert lines[start + 1 : start + 7] == [
        "5,2.0000,01,一中新校,面,,教育用地,0804,@",
        "J1,1,4030511.110,408498.270",  # the north-west point, then clockwise
        "J2,1,4030511.110,408698.270",
        "J3,1,4030411.110,408698.270",
        "J4,1,4030411.110,408498.270",
        "J1,1,4030511.110,408498.270",
    ]
    assert lines[start + 7 :] == [""]


def test_equal_plots_give_equal_text_whatever_point_they_start_at():
    turned = Polygon([*SQUARE.exterior.coords[2:], *SQUARE.exterior.coords[1:3]])
    texts = {boundary_txt([Plot("a", "1", p)], epsg=4548) for p in (SQUARE, turned)}
    assert len(texts) == 1


def test_writer_numbers_the_points_of_a_hole_on_and_calls_it_ring_2():
    text = boundary_txt([Plot("a", "1", SQUARE.difference(HOLE))], epsg=4548)
    assert "J5,2,4030460.000,408550.000" in text
    assert text.count("J5,2,") == 2


@pytest.mark.parametrize(("number", "written"), [("07", ("07_1", "07_2")), ("", ("1", "2"))])
def test_writer_gives_each_part_a_header_of_its_own(number, written):
    parts = MultiPolygon([SQUARE, box(409000, 4030411, 409100, 4030511)])
    sites = back(boundary_txt([Plot("两块", number, parts)], epsg=4548))
    assert tuple(site.claims["plot_number"] for site in sites) == written
    assert [site.name for site in sites] == ["两块", "两块"]
    assert_same(parts, sites)


def test_the_area_is_written_in_hectares_of_the_ellipsoid():
    # 20,000 m² planar are 206 ppm more than on the ellipsoid here, practice.md section 3.
    assert "\r\n5,1.9996,1,a," in boundary_txt([Plot("a", "1", SQUARE)], epsg=4548)


# --- texts ----------------------------------------------------------------------------------------


def test_writer_keeps_a_name_with_comma_and_at_sign_in_its_field():
    text = boundary_txt([Plot("甲,乙@丙\n丁", "1", SQUARE)], epsg=4548)
    assert back(text)[0].name == "甲，乙＠丙 丁"


@pytest.mark.parametrize("encoding", ["gbk", "utf-8"])
def test_writer_loses_no_character_outside_gbk(tmp_path, encoding):
    path = tmp_path / "a.txt"
    write_boundary_txt(path, [Plot("𠮷村", "1", SQUARE)], epsg=4548, encoding=encoding)
    assert read_site(path, POLICY).name == "𠮷村"


HOSTILE = [
    "[地块坐标]",
    "[属性描述]",
    "【扩展信息】",
    "J1,1,4030411.110,39408498.270",
    "5,2.0000,01,乙,面,,,,@",
    "带号=38",
    "@",
    "面",
    "点",
    '"甲"',
    "{甲}",
    "a;b\tc",
    "\r\nJ9,1,1,1",
    "甲" * 500,
    "\ud800甲\x00\u202e",
    "=1+1",
    "界址点数",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_can_break_the_file_or_lose_a_plot(text):
    plots = [
        Plot(text, text, SQUARE, text, text, sheet=text),
        Plot("乙", "2", box(409000, 4030411, 409100, 4030511)),
    ]
    sites = back(boundary_txt(plots, epsg=4548, unit=text))
    assert [round(site.area.planar_m2) for site in sites] == [20_000, 10_000]
    assert (sites[1].name, sites[1].claims["plot_number"]) == ("乙", "2")
    assert sites[0].crs.source_epsg == 4548


@settings(max_examples=50)
@given(
    text=st.text(
        st.one_of(st.characters(), st.sampled_from(",@，＠[]【】=:;\t\"'{}面线点J1.\r\n \ufeff")),
        max_size=30,
    )
)
def test_any_text_is_written_as_a_reader_shows_it(text):
    (site,) = back(boundary_txt([Plot(text, text, SQUARE, text, text)], epsg=4548, unit=text))
    assert_same(SQUARE, [site])
    # Written again it does not change: what was replaced stays as it was replaced.
    claims = {key: site.claims.get(key, "") for key in ("plot_number", "land_use_text")}
    (again,) = back(
        boundary_txt([Plot("", claims["plot_number"], SQUARE, claims["land_use_text"])], epsg=4548)
    )
    assert claims == {key: again.claims.get(key, "") for key in claims}


# --- what is refused ------------------------------------------------------------------------------


def test_writer_refuses_degrees_lines_and_nothing():
    with pytest.raises(CrsError):
        boundary_txt([Plot("a", "1", SQUARE)], epsg=4490)
    for shape in (SQUARE.exterior, Polygon(), MultiPolygon()):
        with pytest.raises(GeometryError):
            boundary_txt([Plot("a", "1", shape)], epsg=4548)
    with pytest.raises(GeometryError):
        boundary_txt([], epsg=4548)


def test_writer_refuses_an_outline_that_crosses_itself():
    bow = Polygon([(X0, Y0), (X0 + 9, Y0 + 9), (X0 + 9, Y0), (X0, Y0 + 9)])
    with pytest.raises(GeometryError, match="自相交"):
        boundary_txt([Plot("a", "1", bow)], epsg=4548)


def test_writer_refuses_numbers_of_another_zone():
    prefixed = transform(SQUARE, 4548, 4527)
    far = translate(SQUARE, 1_500_000)
    # A prefix that is missing, one that is too much, and a place far from the meridian.
    for polygon, epsg in ((SQUARE, 4527), (prefixed, 4548), (far, 4548)):
        with pytest.raises(CrsError, match="范围"):
            boundary_txt([Plot("a", "1", polygon)], epsg=epsg)


def test_writer_refuses_an_area_that_no_reader_would_accept():
    for area in (2.03, 30.0, -2.0, math.nan, math.inf):
        with pytest.raises(DeclaredAreaError):
            boundary_txt([Plot("a", "1", SQUARE, area_ha=area)], epsg=4548)


@pytest.mark.parametrize(
    "coords",
    [
        [(0, 0), (0.0004, 0), (0, 0.0004)],  # three points become one
        [(0, 0), (50, 0), (50, 0.0004)],  # three points become two
        [(0, 0), (0.1, 0), (0.1, 0.1)],  # 0.005 m²
    ],
)
def test_writer_refuses_what_a_millimetre_swallows(coords):
    tiny = Polygon([(X0 + x, Y0 + y) for x, y in coords])
    with pytest.raises(GeometryError):
        boundary_txt([Plot("a", "1", tiny)], epsg=4548)


def test_writer_refuses_an_outline_that_touches_itself_once_rounded():
    # A slit 0.4 mm wide from the border into the middle: its sides become one line.
    slit = [(0, 0), (50, 0), (50, 60), (50.0004, 60), (50.0004, 0), (100, 0), (100, 100), (0, 100)]
    polygon = Polygon([(408500 + x, 4030400 + y) for x, y in slit])
    assert polygon.is_valid
    with pytest.raises(GeometryError, match="取位到毫米后"):
        boundary_txt([Plot("a", "1", polygon)], epsg=4548)


def test_writer_keeps_the_limits_of_the_reader():
    corners = [(X0 + i / 100, Y0 + 100 + i % 2) for i in range(200_001)]
    many = Polygon([*corners, (X0 + 2000, Y0), (X0, Y0)])
    with pytest.raises(LimitError):
        boundary_txt([Plot("a", "1", many)], epsg=4548)
    with pytest.raises(LimitError):
        boundary_txt([Plot("a", "1", SQUARE)] * 1001, epsg=4548)


# --- there and back -------------------------------------------------------------------------------


def test_touching_rings_and_parts_come_back():
    hole_at_shell = SQUARE.difference(
        Polygon([(X0, Y0 + 40), (X0 + 20, Y0 + 30), (X0 + 20, Y0 + 50)])
    )
    parts_at_corner = MultiPolygon([SQUARE, box(X0 + 200, Y0 + 100, X0 + 300, Y0 + 200)])
    around = box(X0, Y0, X0 + 300, Y0 + 300).difference(box(X0 + 50, Y0 + 50, X0 + 250, Y0 + 250))
    island = shapely.union(around, box(X0 + 100, Y0 + 100, X0 + 200, Y0 + 200))
    for shape in (hole_at_shell, parts_at_corner, island):
        assert_same(shape, back(boundary_txt([Plot("a", "1", shape)], epsg=4548)))


def test_two_points_of_a_ring_a_millimetre_apart_stay_two():
    # The last point lies 1.4 mm from the first and does not close the ring.
    coords = [(0, 0), (100, 0), (100, 100), (0, 100), (-0.001, 0.001)]
    polygon = Polygon([(408500 + x, 4030400 + y) for x, y in coords])
    assert_same(polygon, back(boundary_txt([Plot("a", "1", polygon)], epsg=4548)), 1e-6)


@st.composite
def stars(draw, x, y):
    """A star-shaped polygon around a point, often with a hole of its own shape."""
    count = draw(st.integers(3, 9))
    radii = draw(st.lists(st.floats(8, 190), min_size=count, max_size=count))
    turn = draw(st.floats(0, 1))

    def ring(scale):
        angles = [2 * math.pi * (i + turn) / count for i in range(count)]
        return [
            (x + scale * r * math.cos(a), y + scale * r * math.sin(a))
            for r, a in zip(radii, angles, strict=True)
        ]

    hole = draw(st.one_of(st.none(), st.floats(0.2, 0.7)))
    return Polygon(ring(1), [ring(hole)] if hole else [])


@settings(max_examples=50)
@given(data=st.data(), count=st.integers(1, 3), epsg=ZONES)
def test_writing_and_reading_gives_the_polygon_within_a_millimetre(data, count, epsg):
    parts = [data.draw(stars(X0 + 500 * i, Y0)) for i in range(count)]
    shape = MultiPolygon(parts) if count > 1 else parts[0]
    sites = back(boundary_txt([Plot("a", "1", transform(shape, 4548, epsg))], epsg=epsg))
    assert len(sites) == count
    assert_same(shape, sites)


millimetres = st.integers(-8, 8).map(lambda n: n * 4e-4)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 3), millimetres, millimetres), min_size=3, max_size=9))
def test_points_a_millimetre_apart_come_back_or_are_refused(moves):
    corners = [(0, 0), (2, 0), (2, 2), (0, 2)]
    coords = [(corners[i][0] + dx, corners[i][1] + dy) for i, dx, dy in sorted(moves)]
    polygon = Polygon([(408500 + x, 4030400 + y) for x, y in coords])
    if not polygon.is_valid or polygon.area == 0:
        return
    try:
        text = boundary_txt([Plot("a", "1", polygon)], epsg=4548)
    except GeometryError:
        return
    assert_same(polygon, back(text))


with (CORPUS / "expected.csv").open(encoding="utf-8", newline="") as table:
    READABLE = [row["file"] for row in csv.DictReader(table) if row["outcome"] == "ok"]


@pytest.mark.parametrize("name", READABLE)
def test_a_file_of_the_corpus_written_again_is_the_same_plots(name):
    sites = read_sites((CORPUS / name).read_bytes(), POLICY)
    plots = [Plot(s.name, str(n), s.geometry) for n, s in enumerate(sites, start=1)]
    text = boundary_txt(plots, epsg=4548)
    again = back(text)
    assert_same(
        shapely.union_all([site.geometry for site in sites]),
        again,
    )
    if all(site.geometry.geom_type == "Polygon" for site in sites):
        for before, after in zip(sites, again, strict=True):
            assert before.name == after.name
            assert_same(before.geometry, [after])
        third = [Plot(s.name, str(n), s.geometry) for n, s in enumerate(again, start=1)]
        assert boundary_txt(third, epsg=4548) == text
