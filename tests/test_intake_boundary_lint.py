"""The linter of boundary-point TXT: everything at once, by line, and errors as at the door."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import box

from gis.crs import CrsPolicy
from gis.errors import ClaimError, CrsError, FormatError, InputError, LimitError
from gis.intake.boundary.lint import Level, lint_boundary_txt
from gis.intake.boundary_txt import Plot, boundary_txt

POLICY = CrsPolicy(
    4548, (4490, 4326, 4527, 4548, 4526, 4547, 4498, 4509), (115.80, 36.22, 116.18, 36.47)
)
HEAD = (
    "[属性描述]\r\n坐标系=2000国家大地坐标系\r\n几度分带=3\r\n投影类型=高斯克吕格\r\n"
    "计量单位=米\r\n带号=39\r\n精度=0.001\r\n[地块坐标]\r\n"
)  # the header of the first plot is line 9, its points are lines 10 to 14
TITLE = "5,2.0000,01,甲地块,面,,教育用地,0804,@\r\n"
POINTS = (
    "J1,1,4030511.110,39408498.270\r\n"
    "J2,1,4030511.110,39408698.270\r\n"
    "J3,1,4030411.110,39408698.270\r\n"
    "J4,1,4030411.110,39408498.270\r\n"
    "J1,1,4030511.110,39408498.270\r\n"
)
FORM = HEAD + TITLE + POINTS


def lint(text, **options):
    data = text.encode("gb18030") if isinstance(text, str) else text
    return lint_boundary_txt(data, POLICY, **options)


def found(report, *levels):
    return [(r.code, r.line) for r in report.rows if not levels or r.level in levels]


def test_a_file_that_keeps_to_the_form_has_only_notes_on_decisions():
    report = lint(FORM)
    assert report.is_accepted
    assert found(report) == [("text_encoding", None), ("crs", 9), ("declared_area", 9)]
    assert report.encoding == "GB18030（GBK）"


def test_what_the_writer_writes_has_nothing_to_tell():
    text = boundary_txt([Plot("甲", "1", box(408498, 4030411, 408698, 4030511))], epsg=4548)
    assert found(lint(text), Level.ERROR, Level.WARNING) == []


def test_the_plots_are_told_in_numbers():
    # 200 m x 100 m; 30 is the number of mu, and 20,000 m² planar are 206 ppm too many.
    (plot,) = lint(FORM.replace("2.0000", "30.0")).plots
    assert (plot.name, plot.plot_number, plot.line) == ("甲地块", "01", 9)
    assert (plot.points, plot.rings) == (5, 1)
    assert (plot.stated_area, plot.stated_unit) == (30.0, "亩")
    assert plot.planar_m2 == pytest.approx(20_000, abs=1e-4)
    assert plot.ellipsoidal_m2 == pytest.approx(20_000 / 1.000206, abs=0.1)
    assert plot.mu == pytest.approx(29.9938, abs=1e-3)


def test_everything_wrong_with_all_plots_is_told_at_once():
    crossed = "\r\n".join(POINTS.split("\r\n")[i] for i in (0, 2, 1, 3, 4)) + "\r\n"
    text = FORM.replace("2.0000", "3.0000") + TITLE.replace("01", "02") + crossed
    text += TITLE.replace("5,2.0000,01", "x,,01") + "J1,1,四百,2\r\n" + POINTS[32:]
    report = lint(text)
    assert found(report, Level.ERROR) == [
        ("declared_area", 9),
        ("geometry", 16),
        ("format", 21),
        ("format", 22),
    ]
    assert ("plot_number_repeated", 21) in found(report, Level.WARNING)
    crossing = next(r for r in report.rows if r.code == "geometry")
    assert (crossing.fault.ring, crossing.fault.vertex) == (1, 1)
    assert crossing.fault.coordinate == pytest.approx((39408598.27, 4030461.11))
    assert crossing.fault.marker["type"] == "Point"
    # The plot whose area is wrong is measured nevertheless; the others are not.
    assert [plot.planar_m2 is None for plot in report.plots] == [False, True, True]


def test_crossings_are_told_even_when_the_datum_is_refused():
    lines = POINTS.split("\r\n")
    crossed = "\r\n".join([lines[0], lines[2], lines[1], *lines[3:]])
    report = lint(HEAD.replace("2000国家大地", "1980西安") + TITLE + crossed)
    assert found(report, Level.ERROR) == [("crs", 2), ("geometry", 10)]


@pytest.mark.parametrize(
    ("old", "new", "code", "line", "level"),
    [
        ("精度=0.001\r\n", "", "keys_missing", None, Level.NOTE),
        ("精度=0.001", "经度=0.001", "key_unknown", 7, Level.NOTE),
        ("带号=39", "带号=39\r\n中央经线=117", "crs", 10, Level.NOTE),
        ("\r\n", "\n", "line_end", None, Level.NOTE),
        ("[属性描述]\r\n", "", "marks_missing", None, Level.NOTE),
        (",@", "", "header_mark_missing", 9, Level.WARNING),
        ("01,甲地块", ",", "field_empty", 9, Level.NOTE),
        ("5,2.0", ",2.0", "count_not_stated", 9, Level.NOTE),
        ("5,2.0", "4,2.0", "count_without_closing", 9, Level.NOTE),
        ("411.110,39408498.270", "411.11,39408498.270", "few_decimals", 13, Level.WARNING),
        ("J3,", "J2,", "point_number_repeated", 12, Level.WARNING),
        ("J4,", "J9,", "point_number_gap", 13, Level.NOTE),
        ("甲地块", "锟斤拷", "text_garbled", 9, Level.WARNING),
        ("甲地块", "甲\x00块", "text_replaced", 9, Level.WARNING),
        ("甲地块", "甲,乙", "name_has_comma", 9, Level.WARNING),
        ("分带=3", "份带=3", "key_misspelt", 3, Level.WARNING),
        ("[地块坐标]", "[地块座标]", "section_misspelt", 8, Level.WARNING),
        ("[地块坐标]\r\n", "", "section_missing", 8, Level.WARNING),
        ("J2,1,403", "J2,1,４０３", "full_width", 11, Level.WARNING),
        ("2.0000", "2.0100", "declared_area_differs", 9, Level.WARNING),
    ],
)
def test_each_departure_is_told_with_its_line_and_is_no_error(old, new, code, line, level):
    assert old in FORM
    report = lint(FORM.replace(old, new))
    assert (code, line, level) in [(r.code, r.line, r.level) for r in report.rows]
    assert report.is_accepted


def test_ring_numbers_that_mean_something_else_by_the_letter_are_noted():
    other = POINTS.replace(",1,403", ",2,403").replace("39408", "39409")
    (row,) = [
        r for r in lint(FORM.replace("5,2.0000", ",") + other).rows if r.code == "ring_number"
    ]
    assert (row.level, row.line) == (Level.NOTE, 15)
    small = POINTS.replace("408498.270", "408508.270").replace("411.110", "421.110")
    small = small.replace("511.110", "501.110").replace("408698", "408688")
    text = HEAD + ",,01,甲,面,,,,@\r\n" + small + POINTS.replace(",1,403", ",2,403")
    assert ("ring_number", 10) in found(lint(text), Level.NOTE)


def test_closing_points_and_close_points_are_noted():
    report = lint(FORM[: FORM.rindex("J1")] + "J5,1,4030511.110,39408498.270\r\n")
    assert ("closing_renumbered", 14) in found(report, Level.NOTE)
    assert ("ring_closed", 9) not in found(report)
    two = "J3,1,4030511.090,39408698.270\r\nJ4,"
    near = FORM.replace("J4,", "J5,").replace("J3,", two).replace("5,2.0", "6,2.0")
    assert ("points_close", 11) in found(lint(near), Level.NOTE)


def test_plots_over_each_other_keep_their_numbers_when_one_has_no_site():
    lines = POINTS.splitlines(keepends=True)
    crossed = "".join([lines[0], lines[2], lines[1], *lines[3:]])
    rows = lint(FORM + TITLE + crossed + TITLE + POINTS).rows
    alike = [(r.line, r.message) for r in rows if r.code == "duplicate_site"]
    assert [line for line, _ in alike] == [9, 21]
    assert "第 3 个地块" in alike[0][1]
    assert "第 1 个地块" in alike[1][1]


def test_a_row_is_plain_json():
    row = lint(FORM.replace("J4,", "J9,")).rows[-1].to_dict()
    assert row["level"] in ("note", "warning")
    assert {"level", "code", "line", "where", "message"} <= set(row)


def test_a_list_of_points_with_headings_is_judged_as_the_door_does():
    text = "点号,X,Y\n1,4030511.11,408498.27\n2,4030511.11,408698.27\n3,4030411.11,408698.27\n"
    report = lint(text)
    assert report.is_accepted
    assert report.plots[0].planar_m2 == pytest.approx(10_000)
    assert not lint(text.replace("408698.27", "四百")).is_accepted


@pytest.mark.parametrize(
    "text", ["你好", '{"type":"Point","coordinates":[115.9,36.4]}', "POINT(1 2)"]
)
def test_what_is_no_boundary_file_is_refused(text):
    with pytest.raises(InputError):
        lint(text)


def test_another_format_is_named():
    with pytest.raises(FormatError, match="wkt"):
        lint(box(115.97, 36.40, 115.98, 36.41).wkt)


def test_wrong_options_and_large_files_are_refused():
    with pytest.raises(CrsError):
        lint(FORM, crs="here")
    with pytest.raises(ClaimError):
        lint(FORM, encoding="klingon")
    with pytest.raises(LimitError):
        lint(b"[" * (20 * 1024 * 1024 + 1))


def test_a_file_without_any_plot_is_linted_nevertheless():
    report = lint(HEAD.replace("带号=39", "带号=99"))
    assert not report.is_accepted
    assert ("format", 6) in found(report, Level.ERROR)
    assert report.plots == ()


def test_options_of_the_user_reach_the_judgement():
    assert not lint(FORM.replace("带号=39", "带号=38")).is_accepted
    assert lint(FORM.replace("带号=39", "带号=38"), crs=4527).is_accepted
    line = HEAD + "2,,01,甲,线,,,,@\r\n" + "".join(POINTS.splitlines(keepends=True)[:2])
    assert not lint(line).is_accepted
    assert lint(line, width_m=20).is_accepted


characters = st.sampled_from("0123456789.,@，[]=JX面\r\n \t-" + "\x00\ufeff")
change = st.tuples(st.floats(0, 1), st.integers(0, 12), st.text(characters, max_size=6))


@settings(max_examples=50)
@given(changes=st.lists(change, min_size=1, max_size=4))
def test_a_file_without_errors_is_one_that_the_door_takes_and_the_other_way_round(
    door_and_linter, changes
):
    text = FORM
    for at, cut, put in changes:
        i = int(at * len(text))
        text = text[:i] + put + text[i + cut :]
    taken, linted = door_and_linter(text.encode("gb18030"), POLICY)
    assert taken == linted
