"""The boundary-point TXT of the land bureau, written, read, and read in its variants."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Polygon, box

from gis.crs import CrsPolicy, transform
from gis.errors import (
    CrsError,
    DeclaredAreaError,
    FormatError,
    GeometryError,
    LimitError,
    SeveralSitesError,
)
from gis.intake.boundary_txt import Plot, boundary_txt, write_boundary_txt
from gis.intake.read import read_site, read_sites

POLICY = CrsPolicy(
    4548, (4490, 4326, 4527, 4548, 4526, 4547, 4498, 4509), (115.80, 36.22, 116.18, 36.47)
)
# 200 m x 100 m = 20,000 m² planar; 115.98E 36.40N, practice.md section 2.
SQUARE = box(408498.27, 4030411.11, 408698.27, 4030511.11)
HOLE = box(408550, 4030450, 408560, 4030460)
HEAD = "[属性描述]\n坐标系=2000国家大地坐标系\n几度分带=3\n带号=39\n[地块坐标]\n"
TITLE = "5,2.0,01,甲地块,面,,教育用地,0804,@\n"
POINTS = (
    "J1,1,4030511.110,39408498.270\n"
    "J2,1,4030511.110,39408698.270\n"
    "J3,1,4030411.110,39408698.270\n"
    "J4,1,4030411.110,39408498.270\n"
    "J1,1,4030511.110,39408498.270\n"
)


def read(text, **options):
    data = text.encode("gbk") if isinstance(text, str) else text
    return read_site(data, POLICY, **options)


def codes(remarks):
    return {remark.code for remark in remarks}


def fault_places(error):
    return [fault.where for fault in error.value.faults]


# --- writing --------------------------------------------------------------------------------------


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


def test_writer_gives_each_part_a_header_of_its_own():
    parts = MultiPolygon([SQUARE, box(409000, 4030411, 409100, 4030511)])
    text = boundary_txt([Plot("两块", "07", parts)], epsg=4548)
    assert ",07_1,两块,面" in text
    assert ",07_2,两块,面" in text


def test_writer_keeps_a_name_with_comma_and_at_sign_in_its_field():
    text = boundary_txt([Plot("甲,乙@丙\n丁", "1", SQUARE)], epsg=4548)
    assert read(text).name == "甲，乙＠丙 丁"


def test_writer_loses_no_character_outside_gbk(tmp_path):
    path = tmp_path / "a.txt"
    write_boundary_txt(path, [Plot("𠮷村", "1", SQUARE)], epsg=4548)
    assert read_site(path, POLICY).name == "𠮷村"


def test_writer_refuses_degrees_and_lines():
    with pytest.raises(CrsError):
        boundary_txt([Plot("a", "1", SQUARE)], epsg=4490)
    with pytest.raises(GeometryError):
        boundary_txt([Plot("a", "1", SQUARE.exterior)], epsg=4548)
    with pytest.raises(GeometryError):
        boundary_txt([Plot("a", "1", Polygon())], epsg=4548)


corner = st.tuples(st.floats(0, 400), st.floats(0, 400))


@settings(max_examples=40, derandomize=True, deadline=None)
@given(
    points=st.lists(corner, min_size=3, max_size=12),
    epsg=st.sampled_from([4548, 4527, 4498, 4509, 4547, 4526]),
)
def test_writing_and_reading_gives_the_polygon_within_a_millimetre(points, epsg):
    hull = MultiPolygon([Polygon(points).convex_hull]) if len(set(points)) > 2 else None
    if hull is None or hull.is_empty or not hull.is_valid or hull.geoms[0].area < 100:
        return
    x0, y0, _, _ = SQUARE.bounds
    polygon = Polygon([(x0 + x, y0 + y) for x, y in hull.geoms[0].exterior.coords])
    text = boundary_txt([Plot("a", "1", transform(polygon, 4548, epsg))], epsg=epsg)
    back = read(text)
    assert back.geometry.hausdorff_distance(polygon) < 0.001
    assert abs(back.geometry.area - polygon.area) < 0.001 * polygon.length


def test_bytes_and_path_give_identical_numbers(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes((HEAD + TITLE + POINTS).encode("gbk"))
    one, two = read_site(path, POLICY), read(HEAD + TITLE + POINTS, name="a.txt")
    assert one.area == two.area
    assert one.geometry.wkb == two.geometry.wkb
    assert one.source == two.source


# --- reading the form -----------------------------------------------------------------------------


def test_the_plain_form_becomes_a_site_with_claims():
    site = read(HEAD + TITLE + POINTS)
    assert site.name == "甲地块"
    assert site.use is None  # the land class of a TXT is a claim, never the use
    assert site.claims["land_class"] == "0804"
    assert site.claims["land_use_text"] == "教育用地"
    assert site.claims["plot_number"] == "01"
    assert site.claims["declared_area_m2"] == pytest.approx(20_000)
    assert site.crs.source_epsg == 4527
    assert site.source.kind == "boundary_txt"
    assert site.area.planar_m2 == pytest.approx(20_000, abs=1e-4)
    assert site.warnings == ()


@pytest.mark.parametrize("codec", ["gbk", "utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends_do_not_matter(codec, line_end):
    data = (HEAD + TITLE + POINTS).replace("\n", line_end).encode(codec)
    assert read(data).name == "甲地块"


@pytest.mark.parametrize(
    "title",
    [
        "5,2.0,01,甲地块,面,,教育用地,0804,@",
        "5,2.0,01,甲地块,面,,教育用地,0804,耕地,10,11,@",
        "5,2.0,01,甲地块,面,,教育用地,0804,图斑,耕地,10,11,备注,@",
        "5，2.0，01，甲地块，面，，教育用地，0804，＠",
        "4,2.0,01,甲地块,,,教育用地,0804,@",
    ],
)
def test_headers_with_more_fields_or_full_width_commas_are_understood(title):
    site = read(HEAD + title + "\n" + POINTS)
    assert (site.name, site.claims["land_class"]) == ("甲地块", "0804")


def test_full_width_marks_braces_and_digits_are_understood():
    text = HEAD.replace("[", "【").replace("]", "】").replace("=", "＝") + TITLE
    text += "".join("{" + line + "}\n" for line in POINTS.splitlines()).replace(
        "4030511", "４０３０５１１"
    )
    assert read(text.encode()).area.planar_m2 == pytest.approx(20_000, abs=1e-4)


def test_a_name_keeps_its_full_width_brackets():
    assert read(HEAD + TITLE.replace("甲地块", "甲地块（一期）") + POINTS).name == "甲地块（一期）"


def test_a_missing_mark_at_the_end_of_the_header_is_a_warning():
    site = read(HEAD + TITLE.replace(",@", "") + POINTS)
    assert "header_mark_missing" in codes(site.warnings)


def test_other_sections_and_unreadable_lines_before_the_form_are_passed_over():
    text = "???\n[扩展信息]\n说明=无\n项目,甲,乙\n" + HEAD + TITLE + POINTS
    assert read(text).name == "甲地块"


@pytest.mark.parametrize("drop", ["带号=39\n", "几度分带=3\n", "坐标系=2000国家大地坐标系\n"])
def test_a_missing_key_of_the_head_is_no_obstacle(drop):
    assert read(HEAD.replace(drop, "") + TITLE + POINTS).crs.source_epsg == 4527


def test_an_empty_zone_number_leaves_the_prefix_to_decide():
    site = read(HEAD.replace("带号=39", "带号=") + TITLE + POINTS)
    assert (site.crs.source_epsg, site.crs.how) == (4527, "prefix")


def test_coordinates_without_prefix_take_the_zone_of_the_head():
    site = read(HEAD + TITLE + POINTS.replace(",394", ",4"))
    assert (site.crs.source_epsg, site.crs.how, site.warnings) == (4548, "declared", ())


def test_coordinates_without_prefix_and_zone_are_placed_by_the_plan():
    site = read(HEAD.replace("带号=39\n", "") + TITLE + POINTS.replace(",394", ",4"))
    assert (site.crs.source_epsg, site.crs.how) == (4548, "guessed")


@pytest.mark.parametrize("zone", ["38", "20"])
def test_a_declared_zone_against_the_prefix_is_refused(zone):
    head = HEAD.replace("带号=39", f"带号={zone}").replace("几度分带=3\n", "")
    with pytest.raises(CrsError, match=f"带号为 {zone}.*带号 39"):
        read(head + TITLE + POINTS)


def test_a_zone_that_contradicts_the_width_is_a_fault_with_its_line():
    with pytest.raises(FormatError) as error:
        read(HEAD.replace("几度分带=3", "几度分带=6") + TITLE + POINTS)
    assert fault_places(error) == ["第 4 行"]


@pytest.mark.parametrize(
    "datum", ["1980西安坐标系", "西安80", "1954北京坐标系", "北京54", "80", "Xian_1980"]
)
def test_old_datums_are_refused(datum):
    with pytest.raises(CrsError, match="旧基准"):
        read(HEAD.replace("2000国家大地坐标系", datum) + TITLE + POINTS)


def test_a_local_datum_another_projection_or_unit_is_refused():
    for old, new in (
        ("坐标系=2000国家大地坐标系", "坐标系=聊城独立坐标系"),
        ("几度分带=3", "投影类型=UTM"),
        ("几度分带=3", "计量单位=千米"),
    ):
        with pytest.raises(CrsError):
            read(HEAD.replace(old, new) + TITLE + POINTS)


def test_columns_in_the_wrong_order_are_put_right_with_a_warning():
    for points in (POINTS, POINTS.replace(",394", ",4")):
        lines = [line.split(",") for line in points.splitlines()]
        text = "".join(f"{a},{b},{d},{c}\n" for a, b, c, d in lines)
        site = read(HEAD + TITLE + text)
        assert "xy_swapped" in codes(site.warnings)
        assert site.area.planar_m2 == pytest.approx(20_000, abs=1e-4)


def test_a_neighbour_zone_file_is_reprojected_with_a_warning():
    moved = transform(SQUARE, 4548, 4526)
    site = read(boundary_txt([Plot("邻带", "1", moved)], epsg=4526))
    assert "neighbour_zone" in codes(site.warnings)
    assert site.geometry.symmetric_difference(SQUARE).area < 0.5


# --- rings ----------------------------------------------------------------------------------------


def rows(polygon, ring, first=1, closing=None):
    points = list(polygon.exterior.coords)[:-1]
    names = [f"J{first + i}" for i in range(len(points))]
    lines = [f"{n},{ring},{y:.3f},{x:.3f}" for n, (x, y) in zip(names, points, strict=True)]
    if closing is not None:
        lines.append(f"{closing},{ring},{points[0][1]:.3f},{points[0][0]:.3f}")
    return "\n".join(lines) + "\n"


PLAIN = HEAD + ",,01,甲,面,,,,@\n"


def test_a_hole_is_cut_out():
    site = read(PLAIN + rows(SQUARE, 1, closing="J1") + rows(HOLE, 2, 5, "J5"))
    assert site.area.planar_m2 == pytest.approx(20_000 - 100)


def test_a_second_outer_part_with_the_next_ring_number_is_no_hole():
    other = box(409000, 4030411, 409100, 4030511)
    site = read(PLAIN + rows(SQUARE, 1, closing="J1") + rows(other, 2, 5, "J5"))
    assert site.geometry.geom_type == "MultiPolygon"
    assert site.area.planar_m2 == pytest.approx(30_000)


def test_a_hole_before_its_shell_and_an_island_in_the_hole_find_their_places():
    island = box(408553, 4030453, 408555, 4030455)
    text = rows(HOLE, 1, closing="J1") + rows(island, 2, 5, "J5") + rows(SQUARE, 3, 9, "J9")
    assert read(PLAIN + text).area.planar_m2 == pytest.approx(20_000 - 100 + 4)


def test_a_hole_that_touches_its_shell_in_a_point_is_a_hole():
    touching = Polygon([(408498.27, 4030450), (408520, 4030440), (408520, 4030460)])
    site = read(PLAIN + rows(SQUARE, 1, closing="J1") + rows(touching, 2, 5, "J5"))
    assert site.area.planar_m2 == pytest.approx(20_000 - touching.area)


@pytest.mark.parametrize("closing", ["J1", "J5"])
def test_the_closing_point_may_repeat_the_first_number_or_have_a_new_one(closing):
    site = read(PLAIN + rows(SQUARE, 1, closing=closing))
    assert site.warnings == ()
    assert site.area.planar_m2 == pytest.approx(20_000)


def test_a_missing_closing_point_is_a_warning():
    assert codes(read(PLAIN + rows(SQUARE, 1)).warnings) == {"ring_closed"}


def test_a_closing_point_number_at_another_place_is_a_fault_with_its_line():
    text = PLAIN + rows(SQUARE, 1) + "J1,1,4030499.000,408600.000\n"
    with pytest.raises(FormatError) as error:
        read(text)
    assert fault_places(error) == ["第 11 行"]


def test_two_closed_rings_with_one_number_are_two_rings():
    other = box(409000, 4030411, 409100, 4030511)
    site = read(PLAIN + rows(SQUARE, 1, closing="J1") + rows(other, 1, 5, "J5"))
    assert site.area.planar_m2 == pytest.approx(30_000)


def test_two_plots_with_equal_headers_stay_two():
    title = ",,01,甲,面,,,,@\n"
    other = box(409000, 4030411, 409100, 4030511)
    text = PLAIN + rows(SQUARE, 1, closing="J1") + title + rows(other, 1, closing="J1")
    with pytest.raises(SeveralSitesError) as error:
        read(text)
    assert error.value.names == ("甲", "甲")
    assert [round(s.area.planar_m2) for s in read_sites(text.encode("gbk"), POLICY)] == [
        20_000,
        10_000,
    ]
    assert round(read(text, which=2).area.planar_m2) == 10_000


def test_a_bare_list_of_points_is_one_plot():
    site = read(
        "".join(
            f"{n},4030{y}.11,408{x}.27\n"
            for n, y, x in ((1, 511, 498), (2, 511, 698), (3, 411, 698))
        )
    )
    assert site.area.planar_m2 == pytest.approx(10_000)
    assert "no_plot_header" in codes(site.notes)


def test_a_list_with_blanks_and_heights_is_understood():
    site = read(
        "A 4030511.11 408498.27 33.1\nB 4030511.11 408698.27 33.2\nC 4030411.11 408698.27 33\n"
    )
    assert site.area.planar_m2 == pytest.approx(10_000)


def test_a_line_plot_needs_a_width():
    text = PLAIN.replace("面", "线") + "1,1,4030411.11,408498.27\n2,1,4030411.11,408598.27\n"
    with pytest.raises(GeometryError, match="宽度"):
        read(text)
    assert read(text, width_m=20).area.planar_m2 == pytest.approx(2_000)


# --- faults ---------------------------------------------------------------------------------------


def test_all_faults_are_told_at_once_with_their_lines():
    text = HEAD + TITLE + POINTS.replace("4030411.110", "四百") + "J9,1,1e999,39408498.27\n"
    with pytest.raises(FormatError) as error:
        read(text)
    # Line 6 is the header: five points declared, two of its lines left.
    assert fault_places(error) == ["第 9 行", "第 10 行", "第 12 行", "第 6 行"]


def test_nan_is_no_coordinate():
    with pytest.raises(FormatError):
        read(HEAD + TITLE + POINTS.replace("4030411.110", "NaN"))


def test_fewer_points_than_declared_are_a_fault_more_are_a_warning():
    with pytest.raises(FormatError, match="可能有缺失"):
        read(HEAD + TITLE.replace("5,", "9,", 1) + POINTS)
    assert "point_count_differs" in codes(
        read(HEAD + TITLE.replace("5,", "3,", 1) + POINTS).warnings
    )


def test_a_crossing_names_both_lines_and_the_point():
    lines = POINTS.splitlines()
    text = "\n".join([lines[0], lines[2], lines[1], lines[3], lines[0]])
    with pytest.raises(GeometryError) as error:
        read(HEAD + TITLE + text)
    fault = error.value.faults[0]
    assert fault.where == "第 7 行 与 第 9 行"
    assert "东 39408598.270，北 4030461.110" in fault.message


def test_a_mistyped_vertex_far_away_is_named_by_its_line():
    with pytest.raises(ValueError, match="第 8 行"):
        read(HEAD + TITLE + POINTS.replace("39408698.270", "39908698.270", 1))


@pytest.mark.parametrize(
    ("number", "unit"), [("2.0", "公顷"), ("20000", "平方米"), ("30", "亩"), ("0.02", "平方公里")]
)
def test_the_unit_of_the_declared_area_is_inferred_and_named(number, unit):
    site = read(HEAD + TITLE.replace("2.0", number) + POINTS)
    assert site.claims["declared_area_m2"] == pytest.approx(20_000, rel=1e-3)
    assert any(n.code == "declared_area" and unit in n.message for n in site.notes)


def test_a_declared_area_off_by_more_than_one_percent_is_refused_with_its_line():
    with pytest.raises(DeclaredAreaError, match=r"第 6 行.*按公顷理解.*超过 1 %") as error:
        read(HEAD + TITLE.replace("2.0", "2.03") + POINTS)
    assert fault_places(error) == ["第 6 行"]


def test_a_declared_area_off_by_less_than_one_percent_is_a_warning():
    warnings = read(HEAD + TITLE.replace("2.0", "2.01") + POINTS).warnings
    assert codes(warnings) == {"declared_area_differs"}


def test_a_declared_area_within_its_own_rounding_agrees():
    # 19,995.89 m² on the ellipsoid, 20,000 m² planar; two decimals of a hectare: 50 m² either way.
    assert read(HEAD + TITLE.replace("2.0", "2.00") + POINTS).warnings == ()


def test_text_that_is_no_boundary_file_is_refused():
    with pytest.raises(FormatError):
        read("你好，世界\n")
    with pytest.raises(FormatError):
        read("[地块坐标]\n")


def test_an_endless_line_is_refused_at_once():
    with pytest.raises(LimitError):
        read("[地块坐标]\n" + "[" * 3_000_000)


def test_a_name_with_a_nul_is_replaced_with_a_warning():
    site = read(HEAD + TITLE.replace("甲地块", "甲\x00块") + POINTS)
    assert site.name == "甲\ufffd块"
    assert "text_replaced" in codes(site.warnings)
