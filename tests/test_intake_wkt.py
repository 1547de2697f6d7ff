"""WKT and EWKT, with the faults that a text field brings."""

import pytest
import shapely
from shapely.geometry import box

from gis.crs import CrsPolicy
from gis.errors import CrsError, FormatError, GeometryError, LimitError, SeveralSitesError
from gis.intake.read import read_site, read_sites

POLICY = CrsPolicy(
    4548, (4490, 4326, 4527, 4548, 4526, 4547, 4498, 4509), (115.80, 36.22, 116.18, 36.47)
)
SQUARE = box(408498.27, 4030411.11, 408698.27, 4030511.11)
HOLED = SQUARE.difference(box(408550, 4030450, 408560, 4030460))


def codes(remarks):
    return {remark.code for remark in remarks}


@pytest.mark.parametrize(
    "shape", [SQUARE, HOLED, HOLED.union(box(409000, 4030411, 409100, 4030511))]
)
def test_numbers_arrive_unchanged(shape):
    site = read_site(shape.wkt, POLICY)
    assert shapely.equals_exact(site.geometry.normalize(), shape.normalize(), 0)


@pytest.mark.parametrize("text", ["SRID=4548;", "srid = 4548 ;\n", "SRID=4509;", "SRID=4548; "])
def test_ewkt_declares_its_crs(text):
    site = read_site(text + SQUARE.wkt, POLICY)
    assert site.crs.how == "declared"
    assert site.area.planar_m2 == pytest.approx(20_000)


def test_bytes_with_bom_small_letters_and_blanks_are_read():
    data = b"\xef\xbb\xbf  " + SQUARE.wkt.lower().replace(",", " ,\n ").encode()
    assert read_site(data, POLICY).area.planar_m2 == pytest.approx(20_000)


@pytest.mark.parametrize("word", ["POLYGON Z ", "POLYGONZ", "POLYGON", "polygon z"])
def test_z_is_dropped_with_a_note(word):
    body = ", ".join(f"{x} {y} 30" for x, y in SQUARE.exterior.coords)
    site = read_site(f"{word}(({body}))", POLICY)
    assert codes(site.notes) >= {"z_dropped"}
    assert not site.geometry.has_z


@pytest.mark.parametrize("flag", ["M", "ZM"])
def test_m_is_dropped_with_a_warning(flag):
    tail = " 1" * len(flag)
    body = ", ".join(f"{x} {y}{tail}" for x, y in SQUARE.exterior.coords)
    site = read_site(f"POLYGON {flag} (({body}))", POLICY)
    assert codes(site.warnings) == {"m_dropped"}
    assert ("z_dropped" in codes(site.notes)) == (flag == "ZM")


def test_several_geometries_are_several_sites():
    text = SQUARE.wkt + ";\n" + HOLED.wkt
    with pytest.raises(SeveralSitesError):
        read_site(text, POLICY)
    assert [round(s.area.planar_m2) for s in read_sites(text, POLICY)] == [20_000, 19_900]


@pytest.mark.parametrize("bad", ["nan", "inf", "1e999", "abc", "0x10", "1_000", "408498,27"])
def test_a_member_that_is_no_finite_number_is_refused(bad):
    with pytest.raises(FormatError):
        read_site(SQUARE.wkt.replace("408698.27", bad, 1), POLICY)


def test_all_bad_members_are_told_with_their_places():
    text = SQUARE.wkt.replace("408498.27", "nan")
    with pytest.raises(FormatError) as error:
        read_site(text, POLICY)
    assert [f.where for f in error.value.faults] == [
        "第 1 个图形第 1 环第 3 点",
        "第 1 个图形第 1 环第 4 点",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "POLYGON EMPTY",
        "MULTIPOLYGON EMPTY",
        "POINT (408498 4030411)",
        "POINT EMPTY",
        "MULTIPOINT ((408498 4030411))",
        "LINESTRING (408498 4030411, 408598 4030411)",
        "POLYGON ((408498 4030411, 408598 4030411, 408498 4030411))",
        "POLYGON ((408498 4030411, 408598 4030411, 408698 4030411, 408498 4030411))",
    ],
)
def test_what_has_no_area_is_refused(text):
    with pytest.raises(GeometryError):
        read_site(text, POLICY)


@pytest.mark.parametrize(
    "text",
    [
        "POLYGON",
        "POLYGON (",
        "POLYGON ((",
        "POLYGON (())",
        "POLYGON ((1 2, 3 4, 5 6)",
        "POLYGON ((1, 3, 5))",
        "POLYGON ((1 2 3 4 5, 3 4, 5 6))",
        "POLYGON ((1 2, 3 4, 5 6)) x",
        "GEOMETRYCOLLECTION (POINT (1 2))",
        "CURVEPOLYGON ((1 2, 3 4, 5 6))",
        "POLYGON ((1 2; 3 4))",
        "POLYGON " + "(" * 100_000,
    ],
)
def test_broken_or_foreign_wkt_is_refused(text):
    with pytest.raises(FormatError):
        read_site(text, POLICY)


def test_an_old_datum_or_foreign_code_is_refused():
    for srid in (4610, 2362, 4214, 3857, 32650, 999999):
        with pytest.raises(CrsError):
            read_site(f"SRID={srid};{SQUARE.wkt}", POLICY)


def test_too_many_vertices_are_a_limit():
    with pytest.raises(LimitError):
        read_site("POLYGON ((" + "1 2," * 200_001 + "1 2))", POLICY)
