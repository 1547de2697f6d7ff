"""Tables of boundary points as CSV and as Excel, read in the variants that bureaus send."""

import contextlib
import io
import math
import re
import zipfile
from datetime import date, time

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Polygon, box

from gis.crs import CrsPolicy, transform
from gis.errors import (
    CrsError,
    DeclaredAreaError,
    FormatError,
    InputError,
    LimitError,
    OutsidePlanError,
    SeveralSitesError,
)
from gis.intake.read import read_site, read_sites
from gis.intake.table import text as table_text
from gis.intake.table import workbook as spreadsheet
from gis.intake.table.cells import Reading, Unreadable, read_number
from gis.intake.table.headings import Role, heading_of
from gis.intake.table.text import looks_like_table
from gis.intake.table.workbook import read_workbook
from gis.intake.tables import read_csv, read_xlsx

POLICY = CrsPolicy(
    4548, (4490, 4326, 4527, 4548, 4526, 4547, 4498, 4509), (115.80, 36.22, 116.18, 36.47)
)
# 200 m x 100 m = 20,000 m² planar; 115.98E 36.40N, practice.md section 2.
SQUARE = box(408498.27, 4030411.11, 408698.27, 4030511.11)
# Name, northing, easting with zone 39; the last point repeats the first.
POINTS = (
    ("J1", 4030511.11, 39408498.27),
    ("J2", 4030511.11, 39408698.27),
    ("J3", 4030411.11, 39408698.27),
    ("J4", 4030411.11, 39408498.27),
    ("J1", 4030511.11, 39408498.27),
)
HEAD = ("点号", "X", "Y")


def moved(points, east):
    return tuple((label, north, y + east) for label, north, y in points)


def csv_of(*rows, delimiter=","):
    return "\n".join(delimiter.join("" if c is None else str(c) for c in row) for row in rows)


def xlsx_of(*rows, **sheets):
    """A workbook written by openpyxl: rows of one sheet 界址点, or rows by sheet."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, content in (sheets or {"界址点": rows}).items():
        sheet = book.create_sheet(name)
        for row in content:
            sheet.append(row)
    return saved(book)


@pytest.fixture(params=[csv_of, xlsx_of])
def form(request):
    """Writes rows as CSV, and then as Excel."""
    return request.param


def saved(book):
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def with_shared_texts(data):
    """The workbook as Excel writes it: texts in a table of their own, not in their cells."""
    texts = []

    def shared(found):
        texts.append(found[2])
        return f'<c r="{found[1]}" t="s"><v>{len(texts) - 1}</v></c>'

    inline = r'<c r="(\w+)" t="inlineStr"><is><t[^>]*>(.*?)</t></is></c>'
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
    relation = f'<Relationship Id="s1" Type="{kind}" Target="sharedStrings.xml"/></Relationships>'
    content = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    part = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{content}"/></Types>'
    data = edited(
        data,
        **{
            "sheet1": lambda t: re.sub(inline, shared, t),
            "workbook.xml.rels": lambda t: t.replace("</Relationships>", relation),
            "Content_Types": lambda t: t.replace("</Types>", part),
        },
    )
    out = io.BytesIO(data)
    with zipfile.ZipFile(out, "a") as target:
        items = "".join(f"<si><t>{text}</t></si>" for text in texts)
        space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        target.writestr("xl/sharedStrings.xml", f'<sst xmlns="{space}">{items}</sst>')
    return out.getvalue()


def edited(data, **changes):
    """The workbook with members replaced by functions of their text; keys are parts of names."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w", 8) as target:
        for info in source.infolist():
            content = source.read(info)
            for key, change in changes.items():
                if key in info.filename:
                    content = change(content.decode()).encode()
            target.writestr(info.filename, content)
    return out.getvalue()


def read(content, **options):
    data = content.encode("utf-8") if isinstance(content, str) else content
    return read_site(data, POLICY, **options)


def is_square(site):
    """Whether a site is the square, but for the rounding of a change of zone."""
    return site.geometry.hausdorff_distance(SQUARE) < 1e-6


def codes(remarks):
    return {remark.code for remark in remarks}


def faults_of(content, **options):
    with pytest.raises(InputError) as error:
        read(content, **options)
    return {fault.where: fault.message for fault in error.value.faults}


def places(content, **options):
    return list(faults_of(content, **options))


# --- the same table in both forms -----------------------------------------------------------------


def test_x_is_the_northing_and_y_the_easting(form):
    site = read(form(HEAD, *POINTS))
    assert is_square(site)
    assert site.source.kind == {csv_of: "csv", xlsx_of: "xlsx"}[form]
    assert site.warnings == ()
    assert "table_columns" in codes(site.notes)


def test_columns_x_and_y_in_the_wrong_order_are_put_right_with_a_warning(form):
    site = read(form(("点号", "Y", "X"), *POINTS))
    assert is_square(site)
    assert codes(site.warnings) == {"xy_swapped"}


@pytest.mark.parametrize(
    ("north", "east"),
    [
        ("北坐标", "东坐标"),
        ("纵坐标（X）", "横坐标（Y）"),
        ("N", "E"),
        ("Northing(m)", "Easting(m)"),
        ("X（北）", "Y（东）"),
        ("ＰＯＩＮＴ＿Ｙ", "POINT_X"),
        ("2000北坐标", "2000东坐标"),
    ],
)
def test_columns_that_name_east_and_north_are_taken_at_their_word(form, north, east):
    rows = [(label, y, x) for label, x, y in POINTS]
    assert is_square(read(form(("点号", east, north), *rows)))
    with pytest.raises(CrsError, match="顺序相反"):
        read(form(("点号", north, east), *rows))


@pytest.mark.parametrize(
    ("heading", "role", "unit"),
    [
        ("X", Role.X, ""),
        ("Ｘ（ｍ）", Role.X, "m"),
        ("X坐标（米）", Role.X, "米"),
        ("x / m", Role.X, "m"),
        ("界址点X坐标", Role.X, ""),
        ("CGCS2000_Y", Role.Y, ""),
        (" 横 坐 标 ", Role.EAST, ""),
        ("Y坐标(东)", Role.EAST, ""),
        ("纵坐标X(m)", Role.NORTH, "m"),
        ("纬度(°)", Role.NORTH, "°"),
        ("经度（度.分秒）", Role.EAST, "度.分秒"),
        ("lng_gcj02", Role.EAST, ""),
        ("Latitude", Role.NORTH, ""),
        ("东至", None, ""),
        ("北京路", None, ""),
        ("东" * 30_000, None, ""),
        ("坐标" * 15_000 + "x", None, ""),
        ("点　号", Role.LABEL, ""),
        ("DKMC", Role.PLOT_NAME, ""),
        ("边长", None, ""),
    ],
)
def test_headings_are_known_in_their_spellings(heading, role, unit):
    found = heading_of(heading)
    assert (found.role, found.unit) == (role, unit)


def test_titles_a_heading_in_two_rows_and_remarks_are_no_points(form):
    rows = (
        ("一中新校界址点成果表",),
        ("坐标系：2000国家大地坐标系 3度带 中央经线117°",),
        ("序号", "点号", "坐标（m）", None, "边长"),
        (None, None, "X", "Y", None),
        *((i, *point, 100.0) for i, point in enumerate(POINTS, start=1)),
        ("备注：本表坐标为2000国家大地坐标系",),
        ("制表：张三", None, "审核：李四"),
    )
    site = read(form(*rows))
    assert is_square(site)
    assert site.crs.how == "declared"
    assert site.warnings == ()
    note = next(n for n in site.notes if n.code == "rows_skipped")
    assert "第 10、11 行" in note.message


def test_lengths_of_edges_may_stand_in_rows_of_their_own():
    rows = [(*HEAD, "边长")]
    for point in POINTS:
        rows += [(*point, None), (None, None, None, 123.45)]
    assert is_square(read(csv_of(*rows)))
    assert read(xlsx_of(*rows)).warnings == ()


def test_a_row_of_units_below_the_heading_is_no_point(form):
    site = read(form(HEAD, (None, "(m)", "（m）"), *POINTS))
    assert is_square(site)


def test_a_ring_that_is_not_closed_is_closed(form):
    site = read(form(HEAD, *POINTS[:4]))
    assert is_square(site)


# --- rings and plots ------------------------------------------------------------------------------

HOLE = (
    ("J5", 4030450.0, 39408550.0),
    ("J6", 4030460.0, 39408550.0),
    ("J7", 4030460.0, 39408560.0),
    ("J8", 4030450.0, 39408560.0),
    ("J5", 4030450.0, 39408550.0),
)


def test_blank_rows_separate_rings_that_close_and_a_ring_inside_is_a_hole(form):
    site = read(form(HEAD, *POINTS, (), *HOLE))
    assert site.geometry.area == pytest.approx(20_000 - 100)
    assert len(site.geometry.interiors) == 1
    assert site.warnings == ()


def test_ring_numbers_tell_rings_that_do_not_close_and_merged_cells_are_filled():
    rows = [(1, *POINTS[0]), *((None, *p) for p in POINTS[1:4])]
    rows += [(2, *HOLE[0]), *((None, *p) for p in HOLE[1:4])]
    site = read(xlsx_of(("圈号", *HEAD), *rows))
    assert site.geometry.area == pytest.approx(20_000 - 100)


def test_an_open_ring_that_goes_on_after_a_blank_row_is_one_ring_with_a_warning(form):
    site = read(form(HEAD, *POINTS[:2], (), *POINTS[2:4]))
    assert is_square(site)
    assert codes(site.warnings) == {"gap_in_ring", "ring_closed"}
    assert any("第 5 行" in warning.message for warning in site.warnings)


def test_a_heading_repeated_on_every_page_does_not_break_the_ring():
    site = read(csv_of(HEAD, *POINTS[:2], HEAD, *POINTS[2:]))
    assert is_square(site)


def test_a_closing_point_that_lies_elsewhere_is_a_fault_with_its_row():
    wrong = (*POINTS[:4], ("J1", 4030510.11, 39408498.27))
    assert places(csv_of(HEAD, *wrong)) == ["第 6 行"]
    assert places(xlsx_of(HEAD, *wrong)) == ["工作表“界址点”第 6 行"]


def test_plots_are_told_by_their_column_wherever_their_rows_stand(form):
    east = moved(POINTS, 1000)
    first = [("乙", *p) for p in east[:3]]
    middle = [("甲", *p) for p in POINTS]
    rest = [("乙", *p) for p in east[3:]]
    data = form(("地块名称", *HEAD), *first, *middle, *rest)
    with pytest.raises(SeveralSitesError) as error:
        read(data)
    assert error.value.names == ("乙", "甲")
    assert is_square(read(data, which=2))
    assert read(data, which=1).geometry.area == pytest.approx(20_000)


def test_merged_cells_of_the_plot_column_belong_to_all_their_rows():
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(("地块名称", *HEAD))
    for name, points in (("甲", POINTS), ("乙", moved(POINTS, 1000))):
        start = sheet.max_row + 1
        for i, point in enumerate(points):
            sheet.append((name if i == 0 else None, *point))
        sheet.merge_cells(start_row=start, end_row=start + 4, start_column=1, end_column=1)
    sites = read_sites(saved(book), POLICY)
    assert [s.name for s in sites] == ["甲", "乙"]
    assert is_square(sites[0])


def test_number_and_name_of_a_plot_are_kept_and_numbers_tell_the_plots(form):
    rows = [(1, "甲", *p) for p in POINTS] + [(2, "甲", *p) for p in moved(POINTS, 1000)]
    sites = read_sites(
        form(("地块编号", "地块名称", *HEAD), *rows).encode()
        if form is csv_of
        else form(("地块编号", "地块名称", *HEAD), *rows),
        POLICY,
    )
    assert [s.name for s in sites] == ["甲", "甲"]
    # The number tells the plot; it is a claim beside the name.
    assert [s.claims["plot_number"] for s in sites] == ["1", "2"]


def test_two_names_under_one_number_are_a_fault():
    rows = [(1, "甲", *p) for p in POINTS[:3]] + [(1, "乙", *p) for p in POINTS[3:]]
    found = faults_of(csv_of(("地块编号", "地块名称", *HEAD), *rows))
    assert found == {"第 2 行第 2 列": "同一地块“地块名称”一列的值不一致"}


def test_a_name_that_repeats_is_that_of_the_plot_and_one_that_changes_that_of_the_point():
    plots = [("甲", *p[1:]) for p in POINTS] + [("乙", *p[1:]) for p in moved(POINTS, 1000)]
    assert [s.name for s in read_sites(csv_of(("名称", "X", "Y"), *plots).encode(), POLICY)] == [
        "甲",
        "乙",
    ]
    assert read(csv_of(("名称", "X", "Y"), *POINTS), name="文件.csv").name == "文件"


def test_row_numbers_that_start_over_in_every_ring_are_no_plots():
    rows = []
    for east in (0, 1000, 2000, 3000):
        rows += [(i, *p[1:]) for i, p in enumerate(moved(POINTS, east), start=1)]
    for form in (csv_of, xlsx_of):
        site = read(form(("序号", "X", "Y"), *rows))
        assert site.geometry.area == pytest.approx(4 * 20_000)
        assert len(site.geometry.geoms) == 4


def test_names_that_stand_only_in_some_rows_are_not_guessed_to_be_those_of_plots():
    rows = [("甲", *POINTS[0][1:]), *((None, *p[1:]) for p in POINTS[1:])]
    assert read(csv_of(("名称", "X", "Y"), *rows)).name == "甲"
    more = moved(POINTS, 1000)
    rows += [("乙", *more[0][1:]), *((None, *p[1:]) for p in more[1:])]
    found = faults_of(xlsx_of(("名称", "X", "Y"), *rows))
    assert list(found) == ["工作表“界址点”第 1 行 A1"]
    assert "地块名称" in found["工作表“界址点”第 1 行 A1"]


def test_titles_between_the_rows_name_the_plots():
    text = csv_of(
        ("地块名称：甲",), HEAD, *POINTS, (), ("地块名称：乙",), HEAD, *moved(POINTS, 1000)
    )
    sites = read_sites(text.encode(), POLICY)
    assert [s.name for s in sites] == ["甲", "乙"]


def stacked(*tables, close=True):
    """Tables below each other, each a title (or none) and its points from J1."""
    rows = []
    for title, points in tables:
        rows += [(title, None, None)] if title else []
        rows += [HEAD, *(points if close else points[:4])]
    return rows


@pytest.mark.parametrize("close", [True, False])
@pytest.mark.parametrize(
    ("titles", "names"),
    [
        (("甲地块", "乙地块"), ("甲地块", "乙地块")),
        (("一中新校界址点成果表", "二中新校界址点成果表"), ("一中新校", "二中新校")),
        (("界址点成果表", "界址点成果表"), ("地块 1", "地块 2")),
        ((None, None), ("地块 1", "地块 2")),
        ((None, "二号地块"), ("地块 1", "二号地块")),
        (("备注：甲", "单位：米"), ("地块 1", "地块 2")),
    ],
)
def test_tables_below_each_other_are_plots_of_their_own(form, titles, names, close):
    rows = stacked((titles[0], POINTS), (titles[1], moved(POINTS, 1000)), close=close)
    data = form(*rows)
    with pytest.raises(SeveralSitesError) as error:
        read(data)
    assert error.value.names == names
    assert is_square(read(data, which=1))
    second = read(data, which=2)
    assert second.geometry.area == pytest.approx(20_000)
    assert not codes(second.warnings) & {"gap_in_ring", "ring_split", "parts_united"}


def test_a_plot_that_only_a_heading_sets_apart_has_a_note_with_the_row():
    sites = read_sites(
        csv_of(*stacked((None, POINTS), (None, moved(POINTS, 1000)))).encode(), POLICY
    )
    told = [[n.message for n in s.notes if n.code == "plots_stacked"] for s in sites]
    assert told[0] == []
    assert "第 8 行" in told[1][0]


def test_a_title_between_closed_rings_begins_a_plot_without_a_second_heading(form):
    rows = (HEAD, *POINTS, ("二期用地",), *moved(POINTS, 1000))
    with pytest.raises(SeveralSitesError) as error:
        read(form(*rows))
    assert error.value.names == ("地块 1", "二期用地")


def test_tables_numbered_through_are_told_apart_by_their_titles():
    other = [(f"J{n}", *p[1:]) for n, p in enumerate(moved(POINTS[:4], 1000), start=5)]
    rows = (("东区新校",), HEAD, *POINTS[:4], ("西区新校",), HEAD, *other)
    sites = read_sites(csv_of(*rows).encode(), POLICY)
    assert [s.name for s in sites] == ["东区新校", "西区新校"]
    assert is_square(sites[0])


@pytest.mark.parametrize("title", ["一中新校界址点成果表", "甲地块", None])
@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_a_page_that_repeats_title_and_heading_goes_on_with_the_ring(form, title, at):
    """Also where only the closing point stands on the next page."""
    head = [(title, None, None), HEAD] if title else [HEAD]
    site = read(form(*head, *POINTS[:at], *head, *POINTS[at:]))
    assert is_square(site)
    assert "plots_stacked" not in codes(site.notes)


def test_an_inner_ring_under_its_own_words_or_ring_number_stays_a_hole():
    site = read(csv_of(HEAD, *POINTS, ("内环",), *HOLE))
    assert site.geometry.area == pytest.approx(20_000 - 100)
    head = ("圈号", *HEAD)
    rows = (head, *((1, *p) for p in POINTS), head, *((2, *p) for p in HOLE))
    assert read(csv_of(*rows)).geometry.area == pytest.approx(20_000 - 100)


def test_two_closed_rings_under_one_heading_are_united_with_a_warning(form):
    site = read(form(HEAD, *POINTS, (), *moved(POINTS, 1000)))
    assert site.geometry.area == pytest.approx(40_000)
    (warning,) = [w for w in site.warnings if w.code == "parts_united"]
    assert "2 个环互不包含" in warning.message
    named = [("甲", *p) for p in (*POINTS, *moved(POINTS, 1000))]
    assert codes(read(form(("地块名称", *HEAD), *named)).warnings) == set()


def test_titles_that_name_plots_count_however_many_tables_there_are():
    # Each table has two rows of words; a limit on words that are kept must not lose a plot.
    rows = stacked(*((f"{n}号地块", moved(POINTS, n / 100)) for n in range(1, 201)))
    found = read_csv(csv_of(*rows)).drafts
    assert [d.name for d in found] == [f"{n}号地块" for n in range(1, 201)]


def test_all_sheets_are_read_and_named_and_one_without_coordinates_is_told():
    data = xlsx_of(
        说明=[("单位", "测绘院"), ("日期", "2026")],
        东区=[("地块名称", *HEAD), *(("甲", *p) for p in POINTS)],
        西区=[HEAD, *moved(POINTS, 1000)],
        空=[],
    )
    sites = read_sites(data, POLICY)
    assert [s.name for s in sites] == ["东区／甲", "西区"]
    note = next(n for n in sites[0].notes if n.code == "sheets_left_out")
    assert note.message == "工作表“说明”中没有坐标，未读取"


def test_a_sheet_of_remarks_says_the_crs_for_all_and_an_old_datum_there_refuses_all():
    sheet = [HEAD, *POINTS]
    site = read(xlsx_of(说明=[("坐标系", "2000国家大地坐标系"), ("带号", 39)], 点=sheet))
    assert site.crs.how == "declared"
    with pytest.raises(CrsError, match="旧基准"):
        read(xlsx_of(说明=[("坐标系", "1980西安坐标系")], 点=sheet))


def test_an_empty_form_and_a_unit_of_another_sheet_do_not_matter():
    data = xlsx_of(
        道路=[("道路长度", "单位：km")], 点=[HEAD, *POINTS], 模板=[HEAD, ("J1", None, None)]
    )
    assert places(data) == ["工作表“模板”第 2 行 B2", "工作表“模板”第 2 行 C2"]
    site = read(xlsx_of(道路=[("道路长度", "单位：km")], 点=[HEAD, *POINTS], 模板=[HEAD]))
    assert site.name == "地块 1"
    note = next(n for n in site.notes if n.code == "sheets_left_out")
    assert "“道路”、“模板”" in note.message


def test_two_sheets_of_one_name_are_both_read():
    data = edited(
        xlsx_of(甲=[HEAD, *POINTS], 乙=[HEAD, *moved(POINTS, 1000)]),
        **{"xl/workbook.xml": lambda t: t.replace('name="乙"', 'name="甲"')},
    )
    assert len(read_sites(data, POLICY)) == 2


def test_hidden_sheets_and_rows_are_read_and_told():
    book = openpyxl.load_workbook(io.BytesIO(xlsx_of(HEAD, *POINTS)))
    book.create_sheet("显示")
    book["界址点"].sheet_state = "veryHidden"
    book["界址点"].row_dimensions[3].hidden = True
    site = read(saved(book))
    assert is_square(site)
    assert {"sheet_hidden", "rows_hidden"} <= codes(site.notes)


def test_a_sheet_with_unclear_columns_is_a_fault_although_another_one_is_clear():
    found = faults_of(xlsx_of(甲=[HEAD, *POINTS], 乙=[("点号", "X", "边长"), ("J1", 1, 2)]))
    assert list(found) == ["工作表“乙”第 1 行"]
    assert "缺少东坐标（Y）列" in found["工作表“乙”第 1 行"]


def test_more_plots_than_the_service_takes_are_refused():
    rows = [(n, "J1", 4030411.0, 39408498.0) for n in range(1001)]
    with pytest.raises(LimitError):
        read(csv_of(("地块号", *HEAD), *rows))


# --- headings that do not do ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (("点号", "X", "边长"), "表头为 点号、X、边长，缺少东坐标"),
        (("点号", "边长", "东坐标"), "缺少北坐标"),
        (("点号", "X", "Y", "X", "Y"), "左右并排"),
        (("点号", "X", "Y", "经度", "纬度"), "不止一组"),
    ],
)
def test_missing_or_unclear_columns_are_refused_with_the_headings_found(form, head, words):
    with pytest.raises(FormatError, match=words) as error:
        read(form(head, *(("J1", *[4030411.11] * (len(head) - 1)),) * 3))
    assert "X、北坐标、纵坐标" in error.value.expected


def test_a_workbook_without_coordinates_lists_its_headings_sheet_by_sheet():
    found = faults_of(xlsx_of(甲=[("姓名", "年龄"), ("张三", 40)], 乙=[("a", "b", "c"), (1, 2, 3)]))
    assert list(found) == ["工作表“甲”第 1 行", "工作表“乙”第 1 行"]
    assert "姓名、年龄" in found["工作表“甲”第 1 行"]


def test_a_heading_with_nothing_below_it_is_refused():
    with pytest.raises(FormatError, match="没有界址点坐标"):
        read(csv_of(HEAD))
    with pytest.raises(FormatError, match="没有界址点坐标"):
        read(xlsx_of(HEAD))


@pytest.mark.parametrize("unit", ["km", "千米", "ｍｍ", "万米", "弧度"])
def test_a_unit_other_than_metres_is_refused_with_its_cell(form, unit):
    assert places(form(("点号", f"X({unit})", "Y"), *POINTS)) == [
        {csv_of: "第 1 行第 2 列", xlsx_of: "工作表“界址点”第 1 行 B1"}[form]
    ]
    assert places(form(HEAD, (None, unit, unit), *POINTS))[0] in (
        "第 2 行第 2 列",
        "工作表“界址点”第 2 行 B2",
    )
    with pytest.raises(CrsError, match="单位"):
        read(form((f"坐标单位：{unit}",), HEAD, *POINTS))


def test_a_list_of_numbers_without_heading_is_read_like_a_txt_northing_first():
    site = read(xlsx_of(*POINTS))
    assert is_square(site)
    assert "没有表头" in next(n for n in site.notes if n.code == "table_columns").message
    with_ring = [(label, 1, *rest) for label, *rest in POINTS]
    assert is_square(read(xlsx_of(*with_ring)))
    assert is_square(read(xlsx_of(*(p[1:] for p in POINTS))))
    assert is_square(read(xlsx_of(*((*p, 31.5) for p in POINTS))))
    # As CSV such a list is a TXT.
    assert read(csv_of(*POINTS)).source.kind == "boundary_txt"


def test_numbers_that_are_no_coordinates_are_not_taken_for_a_list_of_points():
    with pytest.raises(FormatError, match="没有可用的坐标列"):
        read(xlsx_of((1, 20.5, 30.5), (2, 21.5, 30.0), (3, 20.0, 31.0)))
    with pytest.raises(FormatError):
        read(xlsx_of(*POINTS[:4], ("合计", "四点")))


# --- cells ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("4030411.11", 4030411.11),
        (" ４０３０４１１．１１ ", 4030411.11),
        ("4,030,411.11", 4030411.11),
        ("4 030 411.11", 4030411.11),
        ("4，030，411.11", 4030411.11),
        ("4030411.11米", 4030411.11),
        ("+4.03041111e6", 4030411.11),
        ("115°58′48″", 115.98),
        ("115°58'48\"", 115.98),
        ("115º58’48”", 115.98),
        ("115度58分48秒", 115.98),
        ("115:58:48", 115.98),
        ("115-58-48", 115.98),
        ("115–58–48.0", 115.98),
        ("东经115°58.8′", 115.98),
        ("115°58′48″E", 115.98),
        ("西经115°58′48″", -115.98),
        ("115.98°", 115.98),
    ],
)
def test_numbers_are_read_as_people_write_them(written, value):
    assert read_number(written) == Reading(
        pytest.approx(value, abs=1e-12), read_number(written).is_dms
    )


@pytest.mark.parametrize(
    "written",
    [
        "",
        " ",
        "nan",
        "NaN",
        "inf",
        "1e999",
        "1_000",
        "0x10",
        "-",
        "/",
        "J1",
        "12-3",
        "2026-11-22",
        "115:58",
        "115°61′00″",
        "115°58′61″",
        "4030411,110",
        "1,23",
        "4.030.411,11",
        "१२३",
        "②",
        "4030411²",
        "=1+1",
        "#REF!",
        "\x00",
        "4030411\x00",
        "1" * 400 + "e9",
        True,
        None,
        Unreadable("x"),
    ],
)
def test_what_is_no_number_is_never_guessed(written):
    assert isinstance(read_number(written), Unreadable)


def test_packed_degrees_are_read_only_where_the_heading_says_so():
    points = [(115.5848, 36.2400), (115.5900, 36.2400), (115.5900, 36.2410)]
    packed = csv_of(("经度（度.分秒）", "纬度（度.分秒）"), *points)
    written = csv_of(
        ("经度", "纬度"),
        ("115°58′48″", "36°24′00″"),
        ("115°59′00″", "36°24′00″"),
        ("115°59′00″", "36°24′10″"),
    )
    assert read(packed).geometry.equals_exact(read(written).geometry, 1e-6)
    assert "dms_converted" in codes(read(packed).notes)
    decimal = read(csv_of(("经度", "纬度"), (115.98, 36.4), (115.99, 36.4), (115.99, 36.41)))
    assert "dms_converted" not in codes(decimal.notes)
    wrong = csv_of(("经度(DMS)", "纬度(DMS)"), *points[:2], (115.98, 36.24))
    assert places(wrong) == ["第 4 行第 1 列"]


def test_every_bad_cell_is_told_at_once_with_its_place():
    rows = [
        ("J1", "abc", 39408498.27),
        ("J2", None, 39408698.27),
        ("J3", 4030411.11, True),
        ("J4", "NaN", "1e999"),
        ("J5", None, None),
    ]
    found = faults_of(xlsx_of(HEAD, *rows))
    assert list(found) == [
        f"工作表“界址点”第 {c[1]} 行 {c}" for c in ("B2", "B3", "C4", "B5", "C5", "B6", "C6")
    ]
    assert found["工作表“界址点”第 2 行 B2"] == "X “abc”不是数字"
    assert found["工作表“界址点”第 3 行 B3"] == "X 为空"
    found = faults_of(csv_of(HEAD, *rows))
    assert list(found) == [
        "第 2 行第 2 列",
        "第 3 行第 2 列",
        "第 4 行第 3 列",
        "第 5 行第 2 列",
        "第 5 行第 3 列",
        "第 6 行第 2 列",
        "第 6 行第 3 列",
    ]


def test_errors_dates_and_formulas_without_a_result_are_faults():
    rows = [
        ("J1", "#REF!", 39408498.27),
        ("J2", "=B2+1", 39408698.27),
        ("J3", date(2026, 11, 22), 39408698.27),
        ("J4", 4030411.11, time(11, 58, 48)),
    ]
    found = faults_of(xlsx_of(HEAD, *rows))
    where = "工作表“界址点”第 "
    assert found == {
        f"{where}2 行 B2": "X 是错误值 #REF!",
        f"{where}3 行 B3": "X 是没有计算结果的公式，请在 Excel 中打开并保存，或粘贴为数值",
        f"{where}4 行 B4": "X 是日期或时间，应为数字",
        f"{where}5 行 C5": "Y 是日期或时间，应为数字",
    }


def test_formulas_with_a_stored_result_count_by_it_and_are_never_evaluated():
    data = edited(
        xlsx_of(HEAD, *POINTS),
        sheet1=lambda t: t.replace("<v>4030511.11</v>", "<f>1+1</f><v>4030511.11</v>"),
    )
    assert is_square(read(data))


def test_a_row_of_formulas_without_results_is_not_lost():
    rows = (*POINTS[:4], ("=A1", "=B1", "=C1"))
    assert places(xlsx_of(HEAD, *rows)) == [
        "工作表“界址点”第 6 行 B6",
        "工作表“界址点”第 6 行 C6",
    ]


def test_bad_cells_in_other_columns_do_not_matter():
    rows = [(*p, "#REF!", "=1+1", True) for p in POINTS]
    assert is_square(read(xlsx_of((*HEAD, "边长", "检核", "已埋石"), *rows)))


def test_numbers_of_custom_formats_are_numbers():
    book = openpyxl.load_workbook(io.BytesIO(xlsx_of(HEAD, *POINTS)))
    for row in book.active.iter_rows(min_row=2, min_col=2):
        row[0].number_format = "0.000_);[Red]\\(0.000\\)"
        row[1].number_format = '0.000"m"'
    assert is_square(read(saved(book)))


def test_a_form_with_more_numbers_than_points_is_read_but_a_missing_point_is_told():
    head = ("序号", "X", "Y")
    rows = [(n, *p[1:]) for n, p in enumerate(POINTS, start=1)]
    empty = [(n, None, None) for n in range(6, 20)]
    assert is_square(read(xlsx_of(head, *rows, *empty)))
    assert places(xlsx_of(head, *rows[:2], (3, None, None), *rows[3:])) == ["工作表“界址点”第 4 行"]


def test_a_thousands_comma_that_cuts_a_coordinate_is_told():
    found = faults_of("点号,X,Y\nJ1,4,030,411.11,39,408,498.27\nJ2,4030411.11,39408498.27\n")
    assert "千分位" in found["第 2 行"]
    quoted = csv_of(HEAD, *((a, f'"{x:,.3f}"', f'"{y:,.3f}"') for a, x, y in POINTS))
    assert is_square(read(quoted))


# --- CRS ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "how"),
    [
        ("坐标系：2000国家大地坐标系，3度带，带号39", "declared"),
        ("CGCS2000 3度带 39带", "declared"),
        ("2000国家大地坐标系 中央子午线117", "declared"),
        ("EPSG:4527", "declared"),
        ("2000国家大地坐标系 EPSG:4527", "declared"),
        ("西安市某公司编制", "prefix"),
        ("", "prefix"),
    ],
)
def test_titles_say_the_crs(form, title, how):
    site = read(form((title or "成果表",), HEAD, *POINTS))
    assert (site.crs.source_epsg, site.crs.how) == (4527, how)


def test_columns_of_zone_and_crs_count_like_titles():
    rows = [(*p[:2], p[2] - 39e6, 39) for p in POINTS]
    site = read(csv_of((*HEAD, "带号"), *rows))
    assert (site.crs.source_epsg, site.crs.how) == (4548, "declared")
    assert places(csv_of((*HEAD, "带号"), *rows[:3], (*rows[3][:3], 40), rows[4])) == [
        "第 2 行 与 第 5 行"
    ]


@pytest.mark.parametrize(
    "title",
    [
        "1980西安坐标系",
        "坐标系：西安80",
        "1954年北京坐标系",
        "北京54坐标",
        "80坐标系成果",
        "坐标系：EPSG:2335",
        "Xian 1980",
        "坐标系：聊城市独立坐标系",
    ],
)
def test_old_and_local_datums_are_refused(form, title):
    with pytest.raises(CrsError):
        read(form((title,), HEAD, *POINTS))
    with pytest.raises(CrsError):
        read(form((title, "成果表"), ("点号", "X", "Y"), *POINTS))


def test_an_old_datum_in_a_heading_or_in_the_name_of_a_sheet_is_refused():
    with pytest.raises(CrsError, match="旧基准"):
        read(csv_of(("点号", "X(西安80)", "Y(西安80)"), *POINTS))
    with pytest.raises(CrsError, match="旧基准"):
        read(xlsx_of(西安80=[HEAD, *POINTS]))


def test_contradictions_of_the_titles_are_faults_with_their_rows():
    found = faults_of(xlsx_of(("带号：39",), ("中央经线：120",), HEAD, *POINTS))
    assert list(found) == ["工作表“界址点”第 1 行 与 第 2 行"]
    with pytest.raises(InputError, match="带号"):
        read(csv_of(("带号：40",), HEAD, *POINTS))


def test_degrees_of_a_web_map_are_put_back_or_remembered():
    rows = [(115.98, 36.40), (115.99, 36.40), (115.99, 36.41)]
    plain = read(csv_of(("经度", "纬度"), *rows))
    assert plain.doubt is None
    shifted = read(csv_of(("坐标系：GCJ-02",), ("经度", "纬度"), *rows))
    # 497-527 m due west of what is drawn, practice.md section 2.
    assert 450 < plain.geometry.centroid.distance(shifted.geometry.centroid) < 560
    assert shifted.doubt is not None
    by_heading = read(csv_of(("lng_bd09", "lat_bd09"), *rows))
    assert by_heading.crs.shift == "BD-09"
    traced = read(xlsx_of(("底图：高德地图",), ("经度", "纬度"), *rows))
    assert traced.geometry.equals(plain.geometry)
    assert traced.doubt is not None


def test_longitude_and_latitude_in_the_wrong_columns_are_refused():
    rows = [(115.98, 36.40), (115.99, 36.40), (115.99, 36.41)]
    with pytest.raises(CrsError, match="顺序相反"):
        read(csv_of(("纬度", "经度"), *rows))


def test_degrees_under_x_and_y_are_told_by_their_size():
    rows = [(115.98, 36.40), (115.99, 36.40), (115.99, 36.41)]
    named = read(csv_of(("经度", "纬度"), *rows)).geometry
    for head in (("x", "y"), ("y", "x")):
        site = read(csv_of(head, *rows))
        assert site.geometry.equals(named)
        assert codes(site.warnings) == {"ring_closed"}
        assert "degrees_under_xy" in codes(site.notes)


def test_a_site_far_away_is_refused():
    with pytest.raises(OutsidePlanError):
        read(csv_of(("经度", "纬度"), (100.0, 30.0), (100.1, 30.0), (100.1, 30.1)))


# --- statements -----------------------------------------------------------------------------------


def test_use_attributes_and_area_of_a_plot_are_read(form):
    head = (*HEAD, "use", "容积率", "plot_ratio_x", "面积（公顷）", "公共利益项目", "用途")
    first = (*POINTS[0], "080403", 1.2, 9, 2.0, "是", "教育用地")
    rows = [first, *((*p, None, 1.2, 9, None, None, None) for p in POINTS[1:])]
    site = read(form(head, *rows))
    assert site.use == "080403"
    assert site.claims["plot_ratio"] == 1.2
    assert site.claims["public_interest"] is True
    assert site.claims["land_use_text"] == "教育用地"
    assert site.claims["declared_area_m2"] == pytest.approx(20_000)


def test_an_area_that_differs_from_the_coordinates_is_told_with_its_cell():
    rows = [(*p, 3.0) for p in POINTS]
    with pytest.raises(DeclaredAreaError) as error:
        read(xlsx_of((*HEAD, "面积"), *rows))
    assert error.value.faults[0].where == "工作表“界址点”第 2 行 D2"
    assert places(csv_of((*HEAD, "面积"), *((*p, "待测") for p in POINTS))) == ["第 2 行第 4 列"]
    assert read(csv_of((*HEAD, "面积"), *((*p, "30亩") for p in POINTS))).claims[
        "declared_area_m2"
    ] == pytest.approx(20_000)


def test_attributes_that_vary_within_a_plot_are_left_out_but_a_varying_use_is_a_fault():
    rows = [(*p, i) for i, p in enumerate(POINTS)]
    site = read(csv_of((*HEAD, "plot_ratio"), *rows))
    assert "plot_ratio" not in site.claims
    assert codes(site.warnings) == {"attribute_varies"}
    assert places(csv_of((*HEAD, "use"), *rows)) == ["第 2 行第 4 列"]


# --- CSV ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "，", " "])
def test_the_delimiter_is_found_out(delimiter):
    assert is_square(read(csv_of(HEAD, *POINTS, delimiter=delimiter)))


def test_a_heading_with_full_width_commas_over_rows_with_half_width_ones():
    assert is_square(read("点号，X，Y\n" + csv_of(*POINTS)))


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "gbk", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(codec, end):
    data = csv_of(("成果表",), HEAD, *POINTS).replace("\n", end).encode(codec)
    assert is_square(read(data))
    bad = csv_of(HEAD, *POINTS[:2], ("J3", "x", 1.0)).replace("\n", end).encode(codec)
    assert places(bad) == ["第 4 行第 2 列"]


def test_quotation_marks_keep_delimiters_and_line_ends_and_lines_are_counted_right():
    text = '"X坐标\n(m)","Y坐标\n(m)",点号\n' + "\n".join(f"{x},{y},{a}" for a, x, y in POINTS[:3])
    assert read(text).geometry.area == pytest.approx(10_000)
    assert places(text + "\nx,1,J4") == ["第 7 行第 1 列"]


@pytest.mark.parametrize(
    "text",
    [
        'point,X,Y\n"J1,4030511.11,39408498.27\nJ2,4030511.11,39408698.27\n',
        'point,X,Y\n"J1,4030511.11,39408498.27\nJ2,4030511.11,39408698.27",1,2\n',
        'point,X,Y\n"J"1,4030511.11,39408498.27\n',
    ],
)
def test_quotation_marks_that_do_not_match_never_swallow_rows(text):
    with pytest.raises(FormatError, match="引号不成对"):
        read(text)


def test_decimal_commas_are_told_not_guessed():
    rows = [(a, str(x).replace(".", ","), str(y).replace(".", ",")) for a, x, y in POINTS]
    found = faults_of(csv_of(HEAD, *rows, delimiter=";"))
    assert all("小数点写成了逗号" in message for message in found.values())
    assert len(found) == 10


def test_nul_characters_are_faults_or_replaced():
    assert places(csv_of(HEAD, *POINTS[:3], ("J4", "403\x000411.11", 1))) == ["第 5 行第 2 列"]
    site = read(csv_of(("地块名称", *HEAD), *(("甲\x00乙", *p) for p in POINTS)))
    assert site.name == "甲\ufffd乙"
    assert "text_replaced" in codes(site.warnings)


def test_an_overlong_cell_is_refused():
    with pytest.raises(LimitError, match="过长"):
        read(csv_of(HEAD, *POINTS, ("x" * 200_000, 1, 2)))


def test_more_rows_than_the_limit_are_refused(monkeypatch):
    monkeypatch.setattr(table_text, "MAX_ROWS", 4)
    with pytest.raises(LimitError):
        read_csv(csv_of(HEAD, *POINTS))


def test_more_points_than_the_service_takes_are_refused():
    with pytest.raises(LimitError, match="顶点数超过 200000"):
        read("X,Y\n" + "4030411.11,39408498.27\n" * 200_001)


def test_columns_beyond_the_limit_are_left_out_with_a_note():
    rows = [(*p, *[None] * 80, "远") for p in POINTS]
    for form in (csv_of, xlsx_of):
        assert "columns_cut" in codes(read(form(HEAD, *rows)).notes)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("点号,X,Y\nJ1,1,2", True),
        ("J1,4030411.110,39408498.270\nJ2,4030411.110,39408598.270", False),
        ("[属性描述]\n坐标系=2000国家大地坐标系\n[地块坐标]\n点号,地块圈号,X坐标,Y坐标\n", False),
        ("点号,圈号,X,Y\n5,2.0,01,甲,面,,,,@\nJ1,1,4030411.110,39408498.270", False),
        ("the n th word of e", False),
        ("id,name\n1,a", False),
        ("<html><td>X</td>,<td>Y</td></html>", False),
    ],
)
def test_a_table_is_told_from_a_boundary_point_txt(text, kind):
    assert looks_like_table(text) is kind


# --- WKT in a column ------------------------------------------------------------------------------


def test_a_column_of_wkt_gives_a_site_per_row(form):
    other = Polygon([(408000, 4030000), (408100, 4030000), (408100, 4030100)])
    quote = '"{}"' if form is csv_of else "{}"
    rows = [
        ("甲", quote.format(f"SRID=4548;{SQUARE.wkt}"), "080403", 1.5),
        ("乙", quote.format(other.wkt), None, None),
    ]
    sites = read_sites(
        data
        if isinstance(data := form(("名称", "geometry", "use", "plot_ratio"), *rows), bytes)
        else data.encode(),
        POLICY,
    )
    assert [s.name for s in sites] == ["甲", "乙"]
    assert is_square(sites[0])
    assert sites[0].use == "080403"
    assert sites[0].claims["plot_ratio"] == 1.5
    assert sites[0].crs.how == "declared"
    assert sites[1].geometry.area == pytest.approx(5_000)


def test_faults_of_wkt_are_told_with_row_and_place():
    text = csv_of(
        ("id", "wkt"),
        (1, '"POLYGON ((0 0, 1 0, 1 x, 0 0))"'),
        (2, ""),
        (3, "0103000020"),
        (4, '"POLYGON ((0 0, 1 0"'),
    )
    found = faults_of(text)
    assert list(found) == ["第 2 行第 1 个图形第 1 环第 3 点", "第 3 行", "第 4 行", "第 5 行"]
    assert found["第 3 行"] == "没有图形"


# --- Excel ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("shared", [False, True])
def test_texts_and_numbers_are_read_as_openpyxl_reads_them(shared):
    rows = [
        ("文字", "  blanks  ", "多\n行", "a&b<c>"),
        (1, 1.5, -2e-7, 4030411.11),
        (None, None, True, None),
        (None, None, "最后", None),
    ]
    data = with_shared_texts(xlsx_of(*rows)) if shared else xlsx_of(*rows)
    sheet = openpyxl.load_workbook(io.BytesIO(data), read_only=True).active
    theirs = [tuple(c for c in row) for row in sheet.iter_rows(values_only=True)]
    (table,) = read_workbook(data)
    ours = [(*row.cells, *[None] * (4 - len(row.cells))) for row in table.rows]
    assert ours == theirs
    assert table.sheet == "界址点"


def test_inline_texts_rich_texts_and_guides_to_pronunciation():
    text = "<si><t>甲</t></si><si><r><t>乙</t></r><r><t>丙</t></r><rPh><t>yi</t></rPh></si>"
    sheet = (
        '<c r="A1" t="s"><v>0</v></c><c r="C1" t="s"><v>1</v></c><c t="inlineStr"><is><t>丁</t>'
        '</is></c><c t="s"><v>9</v></c><c t="str"><f>A1</f><v></v></c>'
    )
    data = edited(
        with_shared_texts(xlsx_of(("a", "b"))),
        sharedStrings=lambda t: re.sub("<si>.*</si>", text, t),
        sheet1=lambda t: re.sub("<c .*</c>", sheet, t),
    )
    (row,) = read_workbook(data)[0].rows
    assert row.cells == ("甲", None, "乙丙", "丁", Unreadable("的文字已损坏"))


def test_prefixes_and_strict_workbooks_are_understood():
    def prefixed(text):
        text = re.sub(r"<(/?)(\w)", r"<\1x:\2", text).replace("xmlns=", "xmlns:x=")
        return text.replace("schemas.openxmlformats.org/spreadsheetml/2006/main", "purl.oclc.org/o")

    assert is_square(read(edited(xlsx_of(HEAD, *POINTS), sheet1=prefixed)))


@pytest.mark.parametrize("member", ["sharedStrings", "sheet1", "xl/workbook.xml", "styles"])
def test_a_billion_laughs_and_every_doctype_are_refused(member):
    laughs = '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
    data = with_shared_texts(xlsx_of(HEAD, *POINTS))

    def with_doctype(text):
        return laughs + re.sub(r"<\?xml.*?\?>", "", text)

    with pytest.raises(FormatError, match="DOCTYPE"):
        read(edited(data, **{member: with_doctype}))


def test_a_sheet_that_claims_a_million_rows_is_read_by_what_it_holds():
    data = edited(
        xlsx_of(HEAD, *POINTS),
        sheet1=lambda t: re.sub(r'<dimension ref="[^"]*"', '<dimension ref="A1:XFD1048576"', t),
    )
    assert is_square(read(data))


def test_rows_far_down_are_found_and_rows_that_cannot_be_are_refused():
    data = xlsx_of(HEAD, *POINTS)
    far = edited(data, sheet1=lambda t: re.sub(r'r="([A-C]?)6"', r'r="\g<1>1048576"', t))
    assert is_square(read(far))
    for number in ("1048577", "99999999999", "-1", "2", "²", "1e3"):
        with pytest.raises(FormatError, match="行号"):
            read(edited(data, sheet1=lambda t, n=number: t.replace('<row r="6"', f'<row r="{n}"')))


def test_limits_of_rows_sheets_and_tags(monkeypatch):
    data = xlsx_of(甲=[HEAD, *POINTS], 乙=[HEAD, *POINTS])
    for module, name, value in (
        (spreadsheet, "MAX_ROWS", 11),
        (spreadsheet, "MAX_SHEETS", 1),
        (spreadsheet, "MAX_TAGS", 200),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, value)
            with pytest.raises(LimitError):
                read_xlsx(data)


def test_a_sheet_read_again_and_again_counts_every_time(monkeypatch):
    book = '<sheet name="s{}" sheetId="{}" r:id="rId1"/>'
    many = "".join(book.format(n, n) for n in range(1, 60))
    data = edited(
        xlsx_of(HEAD, *POINTS),
        **{"xl/workbook.xml": lambda t: re.sub(r"<sheet .*?/>", many, t)},
    )
    monkeypatch.setattr(spreadsheet, "MAX_TAGS", 1_500)
    with pytest.raises(LimitError, match="标签"):
        read_xlsx(data)


def test_a_tag_or_text_beyond_reason_is_refused():
    long = " ".join(f'a{n}="1"' for n in range(400_000))
    data = edited(
        xlsx_of(HEAD, *POINTS), sheet1=lambda t: t.replace("<sheetData>", f"<sheetData {long}>")
    )
    with pytest.raises(LimitError, match="过长"):
        read(data)


def test_a_text_longer_than_excel_allows_is_no_cell():
    assert places(xlsx_of(HEAD, *POINTS[:3], ("J4", "9" * 32_767, 1))) == [
        "工作表“界址点”第 5 行 B5"
    ]
    data = edited(
        with_shared_texts(xlsx_of(HEAD, *POINTS[:3], ("J4", "LONG", 1))),
        sharedStrings=lambda t: t.replace("LONG", "9" * 40_000),
    )
    assert faults_of(data) == {"工作表“界址点”第 5 行 B5": "X 文字过长"}


def test_a_zip_bomb_in_a_sheet_is_refused():
    data = edited(
        xlsx_of(HEAD, *POINTS),
        sheet1=lambda t: t.replace("<sheetData>", "<sheetData>" + " " * 40_000_000),
    )
    assert len(data) < 100_000
    with pytest.raises(LimitError, match="解开后过大"):
        read(data)


@pytest.mark.parametrize(
    "change",
    [
        {"sheet1": lambda t: t[: len(t) // 2]},
        {
            "sheet1": lambda t: (
                t.replace("UTF-8", "no-such-codec")
                if "UTF-8" in t
                else "<?xml version='1.0' encoding='no-such'?>" + t
            )
        },
        {"xl/workbook.xml": lambda _: ""},
        {"xl/workbook.xml": lambda t: re.sub("<sheet .*?/>", "", t)},
        {"workbook.xml.rels": lambda t: t.replace("sheet1.xml", "sheet9.xml")},
        {
            "workbook.xml.rels": lambda t: t.replace(
                "/xl/worksheets/sheet1.xml", "../../../etc/passwd"
            )
        },
        {
            "workbook.xml.rels": lambda t: t.replace(
                'Target="/xl/worksheets', 'TargetMode="External" Target="http://a.example'
            )
        },
        {"sharedStrings": lambda t: t + "<a/>"},
        {"styles": lambda _: "<a><b></a>"},
    ],
)
def test_damaged_workbooks_are_refused(change):
    with pytest.raises(FormatError, match="Excel 文件不完整或已损坏"):
        read(edited(with_shared_texts(xlsx_of(HEAD, *POINTS)), **change))


def test_a_workbook_without_styles_is_read():
    data = edited(
        xlsx_of(HEAD, *POINTS),
        **{"workbook.xml.rels": lambda t: re.sub(r"<Relationship [^>]*?styles[^>]*?/>", "", t)},
    )
    assert is_square(read(data))


def test_macros_and_links_are_neither_run_nor_followed():
    out = io.BytesIO(xlsx_of(HEAD, *POINTS))
    with zipfile.ZipFile(out, "a") as target:
        target.writestr("xl/vbaProject.bin", b"macro")
        target.writestr("xl/externalLinks/externalLink1.xml", "<!DOCTYPE a><broken")
    assert is_square(read(out.getvalue()))


def test_old_binary_and_other_workbooks_are_named_with_what_to_do():
    with pytest.raises(FormatError, match=r"另存为 \.xlsx"):
        read(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    for names in (("xl/workbook.bin",), ("mimetype", "content.xml")):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as target:
            for name in names:
                target.writestr(name, "x")
        with pytest.raises(FormatError, match=r"另存为 \.xlsx"):
            read(out.getvalue())


def test_a_workbook_of_other_things_in_a_zip_is_left_out_but_unclear_columns_are_not():
    def zipped(**members):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as target:
            target.writestr("甲.csv", csv_of(HEAD, *POINTS))
            for name, content in members.items():
                target.writestr(f"{name}.xlsx", content)
        return out.getvalue()

    listed = xlsx_of(("姓名", "电话"), ("张三", "123"))
    site = read(zipped(名单=listed))
    assert any("名单.xlsx" in n.message for n in site.notes if n.code == "member_ignored")
    with pytest.raises(FormatError, match=r"乙\.xlsx"):
        read(zipped(名单=listed, 乙=xlsx_of(("点号", "X"), *(p[:2] for p in POINTS))))


def test_tables_in_a_zip_are_read():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as target:
        target.writestr("甲.csv", csv_of(HEAD, *POINTS))
        target.writestr("乙.xlsx", xlsx_of(HEAD, *moved(POINTS, 1000)))
    assert len(read_sites(out.getvalue(), POLICY)) == 2


# --- laws -----------------------------------------------------------------------------------------


def star(radii, *, scale=1.0):
    """A ring around a point that the radii cannot make cross itself; corners in millimetres."""
    corners = []
    for i, radius in enumerate(radii):
        angle = 2 * math.pi * i / len(radii)
        x = 408_500 + scale * radius * math.cos(angle)
        y = 4_030_450 + scale * radius * math.sin(angle)
        corners.append((round(x, 3), round(y, 3)))
    return corners


@settings(max_examples=40)
@given(
    radii=st.lists(st.integers(20_000, 200_000).map(lambda r: r / 1000), min_size=3, max_size=12),
    head=st.sampled_from(
        [("X坐标（米）", "Y坐标（米）"), ("北坐标", "东坐标"), ("纵坐标", "横坐标")]
    ),
    is_closed=st.booleans(),
    is_text=st.booleans(),
    prefix=st.sampled_from([0, 39_000_000]),
    has_hole=st.booleans(),
)
def test_any_polygon_written_as_table_comes_back_within_a_millimetre(
    radii, head, is_closed, is_text, prefix, has_hole
):
    rings = [star(radii), *([star(radii, scale=0.3)] if has_hole else [])]
    drawn = Polygon(rings[0], rings[1:])
    rows = []
    for number, ring in enumerate(rings, start=1):
        points = [*ring, ring[0]] if is_closed else ring
        for i, (x, y) in enumerate(points, start=1):
            values = (y, x + prefix)
            rows.append((number, f"J{i}", *(f"{v:.3f}" if is_text else v for v in values)))
    for form in (csv_of, xlsx_of):
        back = read(form(("圈号", "点号", *head), *rows)).geometry
        assert back.hausdorff_distance(drawn) < 0.001
        assert back.symmetric_difference(drawn).area < 0.001 * drawn.length


@settings(max_examples=40)
@given(
    st.lists(
        st.lists(
            st.one_of(
                st.none(),
                st.text(max_size=8),
                st.floats(),
                st.booleans(),
                st.sampled_from(
                    ["X", "Y", "点号", "经度", "J1", "115°58′48″", 4030411.11, "地块：甲"]
                ),
            ),
            max_size=6,
        ),
        max_size=12,
    )
)
def test_whatever_stands_in_a_table_it_is_a_site_or_an_input_error(rows):
    for text in (csv_of(HEAD, *rows), csv_of(*rows)):
        with contextlib.suppress(InputError):
            read(text)


pieces = st.sampled_from(
    ["<", "&", '"', "<!--", "]]>", "<c", "</row>", "</c>", "1e309", "NaN", "²", "s", "9", "²", " "]
)


@settings(max_examples=50)
@given(
    member=st.sampled_from(["sheet1", "sharedStrings", "xl/workbook.xml", "styles", "rels"]),
    edits=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 30), pieces), min_size=1, max_size=4),
)
def test_whatever_stands_in_a_workbook_it_is_a_site_or_an_input_error(member, edits):
    def change(text):
        for share, cut, piece in edits:
            at = int(share * len(text))
            text = text[:at] + piece + text[at + cut :]
        return text

    with contextlib.suppress(InputError):
        read(edited(with_shared_texts(xlsx_of(HEAD, *POINTS)), **{member: change}))


def test_a_table_in_another_zone_is_the_same_place():
    there = transform(SQUARE, 4548, 4526)
    rows = [(f"J{i}", y, x) for i, (x, y) in enumerate(there.exterior.coords, start=1)]
    site = read(csv_of(HEAD, *rows))
    assert site.geometry.hausdorff_distance(SQUARE) < 0.001
    assert codes(site.warnings) == {"neighbour_zone"}
