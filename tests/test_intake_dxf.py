"""Drawings: closed, nearly closed and open lines, layers, blocks, code pages, text and binary."""

import math
import struct

import pytest

from gis.crs import CrsPolicy
from gis.errors import CrsError, FormatError, GeometryError, LimitError, SeveralSitesError
from gis.intake.outside import sandbox
from gis.intake.outside.dxf_bytes import is_dxf
from gis.intake.read import read_site, read_sites

POLICY = CrsPolicy(
    4548, (4490, 4326, 4527, 4548, 4526, 4547, 4498, 4509), (115.80, 36.22, 116.18, 36.47)
)
E, N = 408_000.0, 4_030_000.0
# 200 m by 100 m.
SQUARE = [(E, N), (E + 200, N), (E + 200, N + 100), (E, N + 100)]


def shifted(points, east=0.0, north=0.0):
    return [(x + east, y + north) for x, y in points]


def square(east, north, side):
    corners = [(0, 0), (side, 0), (side, side), (0, side)]
    return [(E + east + x, N + north + y) for x, y in corners]


# --- a drawing, written by hand after the DXF reference -------------------------------------------


def polyline(points, layer="红线", *, closed=True, bulges=None, extra=()):
    """An LWPOLYLINE; ``bulges`` by number of the vertex: 1 is a half circle."""
    tags = [(0, "LWPOLYLINE"), (100, "AcDbEntity"), *extra, (8, layer), (100, "AcDbPolyline")]
    tags += [(90, len(points)), (70, int(closed))]
    for i, (x, y) in enumerate(points):
        tags += [(10, float(x)), (20, float(y))]
        tags += [(42, float(bulges[i]))] if bulges and i in bulges else []
    return tags


def old_polyline(points, layer="0", *, closed=True):
    """A POLYLINE with VERTEX entities, as release 12 has it."""
    tags = [(0, "POLYLINE"), (8, layer), (66, 1), (70, int(closed))]
    for x, y in points:
        tags += [(0, "VERTEX"), (8, layer), (10, float(x)), (20, float(y))]
    return [*tags, (0, "SEQEND")]


def text(words="文字", layer="注记"):
    return [(0, "TEXT"), (8, layer), (10, E), (20, N), (40, 2.5), (1, words)]


def drawing(*entities, version="AC1015", page="ANSI_936", unit=None, blocks=()):
    """All tags of a drawing: head, blocks, entities."""
    tags = [(0, "SECTION"), (2, "HEADER"), (9, "$ACADVER"), (1, version)]
    tags += [(9, "$DWGCODEPAGE"), (3, page)] if page else []
    tags += [(9, "$INSUNITS"), (70, unit)] if unit is not None else []
    tags += [(0, "ENDSEC"), (0, "SECTION"), (2, "BLOCKS")]
    for name, inside in blocks:
        tags += [(0, "BLOCK"), (8, "0"), (2, name), (70, 0), (10, 0.0), (20, 0.0)]
        tags += [tag for entity in inside for tag in entity] + [(0, "ENDBLK"), (8, "0")]
    tags += [(0, "ENDSEC"), (0, "SECTION"), (2, "ENTITIES")]
    return [*tags, *(tag for e in entities for tag in e), (0, "ENDSEC"), (0, "EOF")]


def as_text(tags, codec="gbk", newline="\r\n"):
    return "".join(f"{code:>3}{newline}{value}{newline}" for code, value in tags).encode(codec)


def as_binary(tags, codec="gbk", *, old=False):
    """The binary form; release 12 has group codes of one byte."""
    data = bytearray(b"AutoCAD Binary DXF\r\n\x1a\x00")
    for code, value in tags:
        data += bytes([code]) if old else struct.pack("<H", code)
        if isinstance(value, float):
            data += struct.pack("<d", value)
        elif isinstance(value, int):
            data += struct.pack("<i" if code == 90 else "<h", value)
        else:
            data += value.encode(codec) + b"\0"
    return bytes(data)


def sites(*entities, width_m=None, **options):
    return read_sites(as_text(drawing(*entities, **options)), POLICY, width_m=width_m)


def codes(remarks):
    return {remark.code for remark in remarks}


# --- closed, nearly closed, open ------------------------------------------------------------------


def test_a_closed_polyline_is_an_area_named_after_its_layer():
    (site,) = sites(polyline(SQUARE))
    assert (site.name, site.source.kind) == ("红线", "dxf")
    assert (site.crs.source_epsg, site.crs.how) == (4548, "guessed")
    assert site.area.planar_m2 == pytest.approx(20_000)
    assert site.warnings == ()


def test_a_polyline_that_ends_where_it_began_is_closed_without_the_flag():
    (site,) = sites(polyline([*SQUARE, SQUARE[0]], closed=False))
    assert site.area.planar_m2 == pytest.approx(20_000)
    assert site.warnings == ()


@pytest.mark.parametrize("gap", [0.003, 0.2, 0.5])
def test_a_line_that_misses_closing_by_little_is_closed_with_a_warning_that_gives_the_gap(gap):
    (site,) = sites(polyline([*SQUARE, (E, N + gap)], closed=False))
    assert site.area.planar_m2 == pytest.approx(20_000)
    (warning,) = site.warnings
    assert warning.code == "nearly_closed"
    assert f"{gap:.3g} m" in warning.message


def test_a_gap_of_more_than_half_a_metre_leaves_the_line_open():
    with pytest.raises(GeometryError, match="宽度"):
        sites(polyline([*SQUARE, (E, N + 0.6)], closed=False))


def test_a_gap_of_more_than_a_hundredth_of_the_length_leaves_the_line_open():
    # 10 m by 10 m with a gap of 0.45 m: within half a metre, but 1.1 % of the 39.55 m.
    small = square(0, 0, 10)
    with pytest.raises(GeometryError, match="宽度"):
        sites(polyline([*small, (E, N + 0.45)], closed=False))
    (site,) = sites(polyline([*small, (E, N + 0.3)], closed=False))
    assert codes(site.warnings) == {"nearly_closed"}


def test_degrees_are_never_closed_over_a_gap():
    # 0.0005 degrees are 50 m; in metres the gap would count as closed.
    line = [(116.0, 36.4), (116.1, 36.4), (116.1, 36.45), (116.0, 36.4005)]
    with pytest.raises(GeometryError, match="宽度"):
        sites(polyline(line, closed=False))


def test_an_open_line_needs_a_width():
    line = polyline([(E, N), (E + 100, N)], closed=False)
    with pytest.raises(GeometryError, match="宽度"):
        sites(line)
    assert sites(line, width_m=10)[0].area.planar_m2 == pytest.approx(1_000)


def test_a_half_circle_is_stroked_to_a_degree_and_noted():
    # The right side of the square bulges out as a half circle of radius 50 m: 180 chords.
    (site,) = sites(polyline(SQUARE, bulges={1: 1.0}))
    chords = 180 * 0.5 * 50**2 * math.sin(math.radians(1))
    assert site.area.planar_m2 == pytest.approx(20_000 + chords, abs=0.01)
    assert site.area.planar_m2 == pytest.approx(20_000 + math.pi * 50**2 / 2, rel=1e-5)
    assert "arcs_stroked" in codes(site.notes)
    assert site.warnings == ()


def test_a_circle_is_an_area():
    circle = [(0, "CIRCLE"), (8, "红线"), (10, E), (20, N), (40, 50.0)]
    assert sites(circle)[0].area.planar_m2 == pytest.approx(math.pi * 2_500, rel=1e-4)


def test_a_polyline_of_release_12_is_read():
    data = as_text(drawing(old_polyline(SQUARE), version="AC1009", page=None))
    site = read_site(data, POLICY, name="用地.dxf")
    assert site.name == "用地"
    assert site.area.planar_m2 == pytest.approx(20_000)


def test_a_drawing_of_nothing_but_entities_is_read():
    tags = [(0, "SECTION"), (2, "ENTITIES"), *old_polyline(SQUARE), (0, "ENDSEC"), (0, "EOF")]
    for data in (as_text(tags), as_text([(999, "由程序导出"), *tags]), as_text(tags, newline="\n")):
        assert read_site(data, POLICY).area.planar_m2 == pytest.approx(20_000)


def test_heights_are_dropped_with_a_note():
    solid = [(0, "POLYLINE"), (8, "红线"), (66, 1), (70, 9)]
    for x, y in SQUARE:
        solid += [(0, "VERTEX"), (8, "红线"), (10, x), (20, y), (30, 35.5), (70, 32)]
    (site,) = sites([*solid, (0, "SEQEND")])
    assert site.area.planar_m2 == pytest.approx(20_000)
    assert "z_dropped" in codes(site.notes)


# --- several --------------------------------------------------------------------------------------


def test_several_areas_are_asked_about_with_layer_and_number():
    other = polyline(shifted(SQUARE, 500))
    third = polyline(shifted(SQUARE, 1_000), "临时用地")
    with pytest.raises(SeveralSitesError) as error:
        read_site(as_text(drawing(polyline(SQUARE), other, third)), POLICY)
    assert error.value.names == ("红线／1", "红线／2", "临时用地／1")


def test_a_ring_inside_another_of_its_layer_is_never_a_silent_hole():
    hole = polyline(square(50, 20, 40))
    with pytest.raises(SeveralSitesError):
        read_site(as_text(drawing(polyline(SQUARE), hole)), POLICY)
    outer, inner = sites(polyline(SQUARE), hole)
    assert outer.area.planar_m2 == pytest.approx(20_000)
    assert inner.area.planar_m2 == pytest.approx(1_600)
    for site, words in ((outer, "红线／2"), (inner, "位于")):
        (warning,) = [w for w in site.warnings if w.code == "ring_inside"]
        assert words in warning.message
        assert "未扣除" in warning.message


def test_a_ring_inside_one_of_another_layer_is_not_warned_about():
    for site in sites(polyline(SQUARE), polyline(square(50, 20, 40), "建筑")):
        assert "ring_inside" not in codes(site.warnings)


def test_a_hatch_over_its_own_border_counts_once():
    hatch = [(0, "HATCH"), (100, "AcDbEntity"), (8, "红线"), (100, "AcDbHatch")]
    hatch += [(10, 0.0), (20, 0.0), (30, 0.0), (2, "SOLID"), (70, 1), (71, 0), (91, 1)]
    hatch += [(92, 2), (72, 0), (73, 1), (93, 4)]
    hatch += [tag for x, y in SQUARE for tag in ((10, x), (20, y))]
    hatch += [(97, 0), (75, 0), (76, 1), (98, 0)]
    (alone,) = sites(hatch)
    assert alone.area.planar_m2 == pytest.approx(20_000)
    (site,) = sites(polyline(SQUARE), hatch)
    assert site.area.planar_m2 == pytest.approx(20_000)
    assert codes(site.warnings) == {"drawn_twice"}


def test_a_block_is_drawn_where_it_is_inserted():
    # Block of 100 m by 50 m, inserted at twice its size.
    inside = [polyline([(0, 0), (100, 0), (100, 50), (0, 50)], "0")]
    insert = [(0, "INSERT"), (8, "红线"), (2, "B1"), (10, E), (20, N), (41, 2.0), (42, 2.0)]
    (site,) = sites(insert, blocks=[("B1", inside)])
    assert site.name == "红线"
    assert site.area.planar_m2 == pytest.approx(20_000)
    assert site.geometry.bounds == pytest.approx((E, N, E + 200, N + 100))


# --- what is no site ------------------------------------------------------------------------------


def test_texts_and_points_are_left_out_with_a_warning_that_counts_them():
    point = [(0, "POINT"), (8, "界址点"), (10, E), (20, N)]
    (site,) = sites(polyline(SQUARE), text(), text("红线"), point)
    (warning,) = site.warnings
    assert warning.code == "points_skipped"
    assert "3 个" in warning.message


def test_a_drawing_of_nothing_but_texts_is_refused_as_points():
    with pytest.raises(GeometryError, match="点"):
        sites(text())


def test_what_stands_on_a_layout_is_left_out_with_a_warning():
    frame = polyline(shifted(SQUARE, 300), "图框", extra=[(67, 1)])
    (site,) = sites(polyline(SQUARE), frame)
    assert (site.name, codes(site.warnings)) == ("红线", {"paper_skipped"})
    with pytest.raises(FormatError, match="模型空间"):
        sites(frame)


REGION = [(0, "REGION"), (100, "AcDbEntity"), (8, "红线"), (100, "AcDbModelerGeometry"), (70, 1)]
PROXY = [(0, "ACAD_PROXY_ENTITY"), (100, "AcDbEntity"), (8, "0"), (90, 498)]


@pytest.mark.parametrize("form", [as_text, as_binary])
def test_entities_that_cannot_be_read_are_never_passed_over_in_silence(form):
    data = form(drawing(polyline(SQUARE), REGION, REGION, PROXY))
    (warning,) = read_site(data, POLICY).warnings
    assert warning.code == "entities_unread"
    assert "REGION 2 个、ACAD_PROXY_ENTITY 1 个" in warning.message
    with pytest.raises(FormatError, match="REGION"):
        read_site(form(drawing(REGION)), POLICY)


def test_names_of_layers_and_words_are_no_kinds_of_entities():
    arc = [(0, "ARC"), (8, "0"), (10, E), (20, N), (40, 5.0), (50, 0.0), (51, 90.0)]
    entities = [polyline(SQUARE, "0"), text("REGION", "REGION"), text("0", "0"), arc]
    for form in (as_text, as_binary):
        site = read_site(form(drawing(*entities)), POLICY, which=1)
        assert codes(site.warnings) == {"points_skipped"}


def test_an_empty_drawing_is_refused():
    with pytest.raises(FormatError):
        sites()


def test_a_stroke_there_and_back_is_refused_with_its_place():
    with pytest.raises(GeometryError, match="红线"):
        sites(polyline([(E, N), (E + 10, N), (E, N)]))


# --- unit, code page, form ------------------------------------------------------------------------


def test_a_unit_of_millimetres_is_noted_and_changes_nothing():
    (site,) = sites(polyline(SQUARE), unit=4)
    (note,) = [n for n in site.notes if n.code == "drawing_unit"]
    assert "毫米" in note.message
    assert site.area.planar_m2 == pytest.approx(20_000)
    assert "drawing_unit" not in codes(sites(polyline(SQUARE), unit=6)[0].notes)


def test_numbers_in_millimetres_are_refused_with_the_likely_unit():
    with pytest.raises(CrsError, match="毫米"):
        sites(polyline([(x * 1000, y * 1000) for x, y in SQUARE]), unit=4)


@pytest.mark.parametrize(
    ("version", "page", "codec"),
    [
        ("AC1015", "ANSI_936", "gbk"),
        ("AC1015", "ANSI_1252", "gbk"),
        ("AC1009", None, "gbk"),
        ("AC1027", "ANSI_936", "utf-8"),
        ("AC1021", "ANSI_1252", "utf-8"),
        ("AC1015", "ANSI_936", "utf-8"),
        ("AC1015", "ANSI_950", "big5"),
    ],
)
def test_names_of_layers_are_read_in_their_code_page(version, page, codec):
    tags = drawing(polyline(SQUARE, "用地界線"), version=version, page=page)
    assert read_site(as_text(tags, codec), POLICY).name == "用地界線"


def test_the_user_may_name_the_code_page():
    data = as_text(drawing(polyline(SQUARE, "用地界線"), page="ANSI_936"), "big5")
    assert read_site(data, POLICY, encoding="big5").name == "用地界線"


@pytest.mark.parametrize("page", ["ANSI_936", "ANSI_1252", None])
def test_a_drawing_handed_in_as_text_says_nothing_of_an_encoding(page):
    text = as_text(drawing(polyline(SQUARE, "用地红线"), page=page), "utf-8").decode()
    site = read_site(text, POLICY)
    assert site.name == "用地红线"
    told = codes((*site.notes, *site.warnings))
    assert not told & {"table_encoding", "table_encoding_overruled"}


def test_escaped_characters_in_names_are_read():
    assert sites(polyline(SQUARE, r"\U+7528\U+5730"), page="ANSI_1252")[0].name == "用地"


@pytest.mark.parametrize("old", [False, True])
def test_a_binary_drawing_is_read(old):
    version = "AC1009" if old else "AC1015"
    entity = old_polyline(SQUARE, "红线") if old else polyline(SQUARE)
    data = as_binary(drawing(entity, version=version, unit=4), old=old)
    site = read_site(data, POLICY)
    assert site.name == "红线"
    assert site.area.planar_m2 == pytest.approx(20_000)
    assert "drawing_unit" in codes(site.notes)


def test_a_drawing_pasted_as_text_is_read():
    words = as_text(drawing(polyline(SQUARE)), "utf-8").decode()
    assert read_site(words, POLICY).name == "红线"


@pytest.mark.parametrize(
    "content", [b"0\nSECTIONX", b"0 SECTION", b"SECTION", b"", b"1\nSECTION\n", b"999\n" * 10_000]
)
def test_what_only_resembles_a_drawing_is_none(content):
    assert not is_dxf(content)


# --- hostile --------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_a_drawing_that_breaks_off_is_refused(share):
    # Two polylines, so that the first is whole when the second is not.
    tags = drawing(polyline(SQUARE), polyline(shifted(SQUARE, 500)))
    for data in (as_text(tags), as_binary(tags)):
        with pytest.raises(FormatError, match="EOF"):
            read_sites(data[: int(len(data) * share)], POLICY)


def test_a_vrt_behind_the_first_bytes_of_a_drawing_reads_no_other_file():
    vrt = b"<OGRVRTDataSource><OGRVRTLayer name='x'><SrcDataSource>CSV:/etc/passwd"
    for data in (
        b"  0\nSECTION\n" + vrt + b"\n  0\nEOF\n",
        b"AutoCAD Binary DXF\r\n\x1a\x00" + vrt + b"\0\0\0EOF\0",
    ):
        with pytest.raises(FormatError) as error:
            read_site(data, POLICY, name="x.dxf")
        assert "root" not in str(error.value)


def test_a_bomb_of_blocks_within_blocks_is_stopped(monkeypatch):
    monkeypatch.setattr(sandbox, "DEADLINE_S", 2.0)

    def insert(name):
        return [(0, "INSERT"), (8, "0"), (2, name), (10, 0.0), (20, 0.0)]

    blocks = [("B0", [polyline(SQUARE, "0")] * 10)]
    blocks += [(f"B{n}", [insert(f"B{n - 1}")] * 10) for n in range(1, 12)]
    with pytest.raises((LimitError, FormatError)):
        sites(insert("B11"), blocks=blocks)


def test_a_grid_of_a_thousand_million_blocks_is_stopped():
    grid = [(0, "INSERT"), (8, "0"), (2, "B"), (10, E), (20, N), (70, 32767), (71, 32767)]
    with pytest.raises((LimitError, FormatError)):
        sites([*grid, (44, 1.0), (45, 1.0)], blocks=[("B", [polyline(SQUARE, "0")])])


def test_too_many_lines_are_a_limit_that_says_what_to_do():
    with pytest.raises(LimitError, match="另存为 DXF"):
        sites(*[polyline(square(0, 0, 10 + n)) for n in range(1_001)])


def test_a_drawing_with_thousands_of_texts_is_no_limit():
    (site,) = sites(polyline(SQUARE), *[text() for _ in range(5_000)])
    assert site.area.planar_m2 == pytest.approx(20_000)


def test_a_coordinate_that_is_no_number_is_refused():
    tags = drawing(polyline(SQUARE))
    at = next(i for i, (code, _) in enumerate(tags) if code == 20 and _ == N)
    for value in ("nan", "1e999"):
        broken = [*tags[:at], (20, value), *tags[at + 1 :]]
        with pytest.raises((FormatError, GeometryError, CrsError)):
            read_site(as_text(broken), POLICY)
