"""The boundary-point TXT of the land bureau, read in its variants and refused with its faults."""

import pytest
from shapely.geometry import box

from gis.crs import CrsPolicy, transform
from gis.errors import (
    CrsError,
    DeclaredAreaError,
    FormatError,
    GeometryError,
    InputError,
    LimitError,
)
from gis.intake.boundary import parse
from gis.intake.boundary.lines import header_of, is_heading, pair_of, point_of, why_no_point
from gis.intake.boundary_txt import Plot, boundary_txt
from gis.intake.draft import MAX_FAULTS
from gis.intake.read import read_site

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


# --- faults ---------------------------------------------------------------------------------------


def test_all_faults_are_told_at_once_with_their_lines():
    text = HEAD + TITLE + POINTS.replace("4030411.110", "四百") + "J9,1,1e999,39408498.27\n"
    with pytest.raises(FormatError) as error:
        read(text)
    # Of the five declared points none is missing: two of them could not be read.
    assert fault_places(error) == ["第 9 行", "第 10 行", "第 12 行"]


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


def test_no_more_faults_are_explained_than_are_told(monkeypatch):
    explained = []

    def explain(line):
        explained.append(line)
        return why_no_point(line)

    monkeypatch.setattr(parse, "why_no_point", explain)
    with pytest.raises(FormatError, match="共 1000 处") as error:
        read(HEAD + TITLE + POINTS + "J5,1,40304x1,39408498.270\n" * 1000)
    assert len(explained) == MAX_FAULTS
    assert len(error.value.faults) == MAX_FAULTS
    assert all("40304x1" in fault.message for fault in error.value.faults)


# With any pattern that goes back over what it has taken, one of these lines takes minutes.
@pytest.mark.parametrize(
    "line",
    [
        "aa" + " " * 300_000 + "b",
        "X" + " " * 300_000 + "=",
        "X坐标" + " " * 300_000 + ":",
        "x" + " " * 300_000 + "z",
        "x " * 150_000,
        "1," * 150_000 + "x",
    ],
)
def test_a_line_of_any_length_is_looked_at_once(line):
    assert point_of(line, 1) is None
    assert header_of(line, 1) is None
    assert not is_heading(line) or "坐标" in line
    assert pair_of(line) in (None, (line[:-1].strip(), ""))


def test_a_header_of_many_columns_is_still_one():
    # A spreadsheet as wide as its widest table ends every line in empty columns.
    header = header_of(TITLE.strip().rstrip("@") + "," * 60, 7)
    assert header is not None
    assert (header.name, header.kind, header.marked) == ("甲地块", "面", False)


def test_columns_named_x_and_y_are_a_heading_in_this_order_only():
    assert is_heading("X(m), Y(m)")
    assert not is_heading("Y(m), X(m)")
    assert not is_heading("x")


def test_a_name_with_a_nul_is_replaced_with_a_warning():
    site = read(HEAD + TITLE.replace("甲地块", "甲\x00块") + POINTS)
    assert site.name == "甲\ufffd块"
    assert "text_replaced" in codes(site.warnings)


# --- the user knows better ------------------------------------------------------------------------


def test_a_crs_from_the_user_goes_before_the_head_with_a_warning():
    text = HEAD.replace("带号=39", "带号=99").replace("坐标系=2000", "坐标系=某市") + TITLE + POINTS
    site = read(text, crs=4527)
    assert [w.code for w in site.warnings] == ["head_overruled"] * 2
    assert "第 4 行" in site.warnings[0].message
    assert site.crs.how == "given"


@pytest.mark.parametrize("crs", [4527, 4548, "EPSG:4527"])
def test_a_zone_that_is_not_that_of_the_user_is_overruled_with_a_warning(crs):
    points = POINTS if crs != 4548 else POINTS.replace(",39408", ",408")
    site = read(HEAD.replace("带号=39", "带号=38") + TITLE + points, crs=crs)
    (warning,) = [w for w in site.warnings if w.code == "head_overruled"]
    assert "第 4 行的“带号=38”" in warning.message
    assert "用户指定的 EPSG:45" in warning.message
    assert site.area.planar_m2 == pytest.approx(20_000, abs=1e-3)


@pytest.mark.parametrize("zone", ["带号=39", "带号=", "中央子午线=117"])
def test_a_zone_that_is_that_of_the_user_is_not_worth_a_word(zone):
    site = read(HEAD.replace("带号=39", zone) + TITLE + POINTS, crs=4527)
    assert "head_overruled" not in codes(site.warnings)


def test_a_zone_that_is_refused_is_told_in_one_chinese_sentence():
    with pytest.raises(CrsError) as error:
        read(HEAD.replace("带号=39", "带号=45") + TITLE + POINTS)
    assert error.value.found.startswith("坐标系（第 4 行的“带号=45”）不在可接受之列")
    text = HEAD.replace("带号=39", "带号=38") + TITLE + POINTS.replace(",39408", ",408")
    with pytest.raises(CrsError) as error:
        read(text)
    assert error.value.found.startswith("声明的坐标系（第 4 行的“带号=38”）与坐标（")


def test_an_old_datum_is_refused_whatever_the_user_says():
    text = HEAD.replace("坐标系=2000国家大地坐标系", "坐标系=1980西安坐标系") + TITLE + POINTS
    with pytest.raises(CrsError, match="旧基准"):
        read(text, crs=4527)


def test_a_web_map_datum_is_put_back_and_never_survey_grade():
    text = "[属性描述]\n坐标系=火星坐标系\n[地块坐标]\n" + TITLE
    text += "J1,1,36.400950,115.985646\nJ2,1,36.400976,115.987882\nJ3,1,36.400074,115.987894\n"
    text += "J4,1,36.400049,115.985658\nJ1,1,36.400950,115.985646\n"
    site = read(text)
    assert site.crs.shift == "GCJ-02"
    # The corners of SQUARE by the public formula, written with six decimals (0.1 m).
    assert site.geometry.hausdorff_distance(SQUARE) < 0.2


# --- limits and strange texts ---------------------------------------------------------------------


def test_more_faults_than_are_told_one_by_one_are_counted():
    with pytest.raises(FormatError, match="共 60 处") as error:
        read(HEAD + TITLE + POINTS + "界桩\n" * 60)
    assert len(error.value.faults) == 50


def test_too_many_plots_rings_or_points_are_refused_while_reading():
    with pytest.raises(LimitError, match="1001 个图形"):
        read(HEAD + ",,,,面,,,,@\n" * 1001)
    with pytest.raises(LimitError, match="超过 1000 个环"):
        read(HEAD + TITLE + "".join(f"J1,{n},4030511.110,39408498.270\n" for n in range(1001)))
    with pytest.raises(LimitError, match="200000 个"):
        read(HEAD + TITLE + "J1,1,4030511.110,39408498.270\n" * 200_001)


@pytest.mark.parametrize("digit", ["፩", "②", "٣", "²"])
def test_digits_of_other_scripts_in_the_head_are_no_crash(digit):
    for key in ("坐标系", "带号", "几度分带", "中央子午线"):
        text = f"[属性描述]\n{key}={digit}\n[地块坐标]\n" + TITLE + POINTS
        with pytest.raises(InputError):
            read(text.encode())
