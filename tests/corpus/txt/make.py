"""Write the corpus of boundary-point TXT files: one file per variant and per fault of the format.

``python tests/corpus/txt/make.py`` writes them beside this file; equal bytes every time. What a
reader must make of each file stands in ``expected.csv``, which is written by hand.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from form_lines import (
    DEGREES,
    FIRST,
    GCJ_02,
    HOLE,
    SECOND,
    TITLE_2,
    ZONE_38,
    box,
    head,
    points,
    title,
    written,
)

HERE = Path(__file__).parent
CRLF = "\r\n"
FILES: dict[str, bytes] = {}


def put(name: str, *lines: str | Iterable[str], codec: str = "gbk", end: str = CRLF) -> None:
    """Keep one file: lines or lists of lines, each ended by ``end``."""
    flat = [part for line in lines for part in ([line] if isinstance(line, str) else line)]
    assert name not in FILES, name
    FILES[name] = "".join(line + end for line in flat).encode(codec)


def text_variants() -> None:
    """Encodings, line ends, and what stands around the text."""
    form = [*head(), title(), *FIRST]
    put("form.txt", form)
    put("utf8.txt", form, codec="utf-8")
    put("utf8_bom.txt", form, codec="utf-8-sig")
    put("utf16.txt", "\ufeff" + form[0], form[1:], codec="utf-16-le")
    put("ends_lf.txt", form, end="\n")
    put("ends_cr.txt", form, end="\r")
    put("ends_crcrlf.txt", form, end="\r\r\n")
    FILES["ends_mixed.txt"] = CRLF.join(form).replace(f"@{CRLF}", "@\r").encode("gbk")
    FILES["gbk_behind_utf8_bom.txt"] = b"\xef\xbb\xbf" + FILES["form.txt"]
    FILES["tail_of_nul_and_ctrl_z.txt"] = FILES["form.txt"] + b"\x1a\x00\x00\x00"
    put("mark_of_bom_in_gbk.txt", "锘縖属性描述]", form[1:], codec="utf-8")
    put("garbage_in_front.txt", "鍦板潡 ???", form)
    put("blank_lines_and_indents.txt", [x for line in form for x in ("", f" \t{line}　")])


def mark_variants() -> None:
    """Section marks: other brackets, spelling, order, and sections of others."""
    form = [*head(), title(), *FIRST]
    put("marks_full_width.txt", [x.replace("[", "【").replace("]", "】") for x in form])
    put("marks_misspelt.txt", "［属性描叙］", form[1:11], "[地块 座标]", form[12:])
    put("plots_mark_missing.txt", form[:11], form[12:])
    put("marks_missing.txt", form[1:11], form[12:])
    put("head_missing.txt", "[地块坐标]", form[12:])
    put("head_behind_plots.txt", form[11:], form[:11])
    put(
        "sections_of_others_in_front.txt",
        ["[扩展信息]", "说明=无", "[项目信息]", "单位=某某公司", "坐标系=1980西安坐标系"],
        form,
    )
    put("section_of_others_behind.txt", form, "[扩展信息]", "合计面积=2.0000", "制图：张三")
    put("section_of_others_with_points.txt", form, "[控制点]", SECOND[:2])
    put("two_files_in_one.txt", form, head(), TITLE_2, SECOND)


def key_variants() -> None:
    """Keys of the head: missing, empty, misspelt, with a colon, and other ways to name a zone."""
    body = [title(), *FIRST]
    bare = [title(), *points(box(), zone="")]
    put("keys_missing.txt", "[属性描述]", "坐标系=2000国家大地坐标系", "[地块坐标]", body)
    misspelt = ["座标系=2000国家大地坐标系", "几度份带=3", "投影类形=高斯克吕格", "带 号=39"]
    put("keys_misspelt.txt", "[属性描述]", misspelt, "[地块坐标]", body)
    put("keys_with_colons.txt", [x.replace("=", "：") for x in head()], body)
    put("keys_other_names.txt", head(("几度分带", "带号"), 分带="3度带", 代号="第39带"), body)
    put("keys_cut_by_a_spreadsheet.txt", [x.replace("=", ",") + ",,," for x in head()], body)
    put("key_among_plots.txt", head(("带号",)), "带号=39", body)
    put("zone_empty.txt", head(带号=""), body)
    put("zone_without_prefix.txt", head(), bare)
    put("zone_nowhere.txt", head(("带号", "几度分带")), bare)
    put("zone_by_meridian.txt", head(("带号",), 中央子午线="117°E"), bare)
    put("zone_by_meridian_alone.txt", head(("带号", "几度分带"), 中央经线="117"), bare)
    put("zone_with_words.txt", head(带号="3度带第39带", 几度分带="三度分带"), body)
    put("datum_by_code.txt", head(("带号",), 坐标系="CGCS2000 EPSG:4548"), bare)
    put("datum_code_geographic.txt", head(坐标系="CGCS2000(EPSG:4490)"), body)
    put("datum_wgs84.txt", head(坐标系="WGS84坐标系"), body)
    put("datum_missing.txt", head(("坐标系",)), body)


def header_variants() -> None:
    """Header lines with more, fewer and moved fields."""
    h = head()
    put("fields_12.txt", h, title(rest=",教育用地,0804,图斑,耕地,备注,@"), FIRST)
    put("fields_13.txt", h, title(rest=",教育用地,0804,,1,B,C,备注,@"), FIRST)
    put("fields_15.txt", h, title(rest=",教育用地,0804,a,b,c,d,e,f,@"), FIRST)
    put("fields_behind_mark.txt", h, title(rest=",教育用地,0804,@,备注,二期"), FIRST)
    put("fields_5.txt", h, "5,2.0000,01,甲地块,@", FIRST)
    put("mark_at_missing.txt", h, title(rest=",教育用地,0804"), FIRST)
    put("mark_at_missing_short.txt", h, "5,2.0000,01,甲地块,面", FIRST)
    put("kind_empty.txt", h, title(kind=""), FIRST)
    put("village_in_front.txt", h, "5,2.0000,371502001,某某村,D8-003,甲地块,面,,,,@", FIRST)
    put("count_missing.txt", h, "2.0000公顷,,甲地块,面,,,,@", FIRST)
    put("number_missing.txt", h, "5,2.0000,甲地块,面,,,,@", FIRST)
    put("count_and_area_zero.txt", h, title(0, 0), FIRST)
    put("count_without_closing.txt", h, title(4), FIRST)
    put("count_too_small.txt", h, title(3), FIRST)
    put("name_with_comma.txt", h, title(name="甲地块,二期"), FIRST)
    put("name_with_brackets.txt", h, title(name="甲地块（一期）[西]"), FIRST)
    put("name_empty.txt", h, title(name=""), FIRST)
    put("name_with_nul.txt", h, title(name="甲\x00块"), FIRST)
    put("header_full_width.txt", h, title().replace(",", "，").replace("@", "＠"), FIRST)
    put("header_tabs.txt", h, title().replace(",", "\t"), FIRST)
    of_form = "界址点数,地块面积,地块编号,地块名称,面,图幅号,地块用途,,@"
    of_points = "点号,地块圈号,X坐标,Y坐标"
    put("header_of_the_form_left_in.txt", h, of_form, title(), of_points, FIRST, "......")


def area_variants() -> None:
    """Units of the stated area; 200 m x 100 m are 19,995.89 m2 on the ellipsoid."""
    for name, area in (
        ("m2", "20000.00"),
        ("mu", "30.00"),
        ("km2", "0.0200"),
        ("with_unit", "30亩"),
        ("empty", ""),
        ("off_by_half_a_percent", "2.0100"),
    ):
        put(f"area_{name}.txt", head(), title(area=area), FIRST)


def point_variants() -> None:
    """Point lines: separators, additional columns, swapped columns, lists without any form."""
    form = [*head(), title()]
    put(
        "points_full_width.txt",
        form,
        [p.replace(",", "，").replace("403", "４０３") for p in FIRST],
    )
    put("points_in_braces.txt", form, [f"{{{p}}}" for p in FIRST])
    put("points_in_one_brace.txt", form, f"{{{FIRST[0]}", FIRST[1:4], f"{FIRST[4]}}}")
    put("points_blanks.txt", form, [p.replace(",", "  ") for p in FIRST])
    put("points_tabs.txt", form, [p.replace(",", "\t") for p in FIRST])
    put("points_semicolons.txt", form, [p.replace(",", ";") for p in FIRST])
    put("points_quoted.txt", form, [f'"{p}"'.replace(",", '","') for p in FIRST])
    put("points_with_height.txt", form, [f"{p},33.12" for p in FIRST])
    put("points_with_texts.txt", form, [f"{p},界桩,围墙" for p in FIRST])
    put("points_swapped.txt", form, points(box(), form="J{n},{ring},{east},{north}"))
    plain = points(box(), zone="", form="J{n},{ring},{east},{north}")
    put("points_swapped_without_prefix.txt", form, plain)
    put("points_two_decimals.txt", form, points(box(), decimals=2))
    put("points_numbered_plainly.txt", form, points(box(), form="{n},{ring},{north},{east}"))
    put("points_without_number.txt", form, points(box(), form=",{ring},{north},{east}"))
    put("points_without_ring.txt", form, points(box(), form="J{n},{north},{east}"))
    put("list_name_x_y_z.txt", points(box(), form="A{n} {north} {east} 33.1", zone=""))
    put("list_id_x_y.txt", "id,x,y", points(box(), form="{n},{north},{east}", zone=""))
    put("list_x_y.txt", points(box(), form="{north},{east}", zone=""))
    put("list_named_axes.txt", points(box(), form="J{n} Y={east} X={north}"))
    put(
        "list_with_a_heading.txt",
        "甲地块界址点成果",
        "点号 X Y",
        points(box(), form="J{n} {north} {east}"),
    )
    comb = [(x / 2, 100 + x % 2) for x in range(2001)]  # mean height 100.5 m over 1,000 m
    put("points_2004.txt", head(), title(2004, "10.0500"), points([*comb, (1000, 0), (0, 0)]))


def crs_variants() -> None:
    """Other zones and degrees, the same place."""
    put("six_degree_zone.txt", head(几度分带="6", 带号="20"), title(), points(box(), zone="20"))
    put("neighbour_zone.txt", head(带号="38"), title(), written(ZONE_38))
    put(
        "degrees.txt",
        head(("带号", "几度分带", "投影类型"), 计量单位="度"),
        title(),
        written(DEGREES),
    )
    put("degrees_undeclared.txt", "[地块坐标]", title(), written(DEGREES))
    put("degrees_with_zone.txt", head(计量单位="度"), title(), written(DEGREES))
    put("degrees_gcj02.txt", head(坐标系="GCJ-02", 计量单位="度"), title(), written(GCJ_02))
    west = points(box(-16_300, 185, 400, 100))  # 115.80E is at 392,350 m east
    put("partly_outside_bounds.txt", head(), title(5, "4.0000"), west)


def ring_variants() -> None:
    """Holes, parts and closing points."""
    form = [*head(), title("", "")]
    hole = points(HOLE, 2, 5)
    put("hole.txt", head(), title(10, "1.9900"), FIRST, hole)
    put("hole_before_shell.txt", form, points(HOLE, 1), points(box(), 2, 5))
    put("hole_touching_shell.txt", form, FIRST, points([(0, 40), (20, 30), (20, 50)], 2, 5))
    put("holes_touching_each_other.txt", form, FIRST, hole, points(box(60, 50, 10, 10), 3, 9))
    put("island_in_hole.txt", form, FIRST, hole, points(box(53, 43, 2, 2), 3, 9))
    put("part_as_ring_2.txt", form, FIRST, points(box(500, 0, 100, 100), 2, 5))
    bay = [(0, 100), (50, 100), (50, 50), (150, 50), (150, 100), (200, 100), (200, 0), (0, 0)]
    put("part_in_a_bay.txt", form, points(bay), points(box(60, 60, 80, 30), 2, 9))
    put("fault_part_filling_a_bay.txt", form, points(bay), points(box(50, 50, 100, 50), 2, 9))
    put("parts_touching.txt", form, FIRST, points(box(200, 100, 100, 100), 2, 5))
    put("ring_numbers_01.txt", form, points(box(), "01"), points(HOLE, "02", 5))
    put("ring_numbers_in_words.txt", form, points(box(), "第1圈"), points(HOLE, "第2圈", 5))
    put("ring_numbers_equal.txt", form, FIRST, points(box(500, 0, 100, 100), 1, 5))
    put("point_numbers_restart.txt", form, FIRST, points(HOLE, 2, 1))
    open_one = points(box(), closing="none")
    put(
        "open_rings_numbered_again.txt",
        form,
        open_one,
        points(box(500, 0, 100, 100), closing="none"),
    )
    put("unclosed.txt", head(), title(4), open_one)
    put("closing_renumbered.txt", head(), title(), points(box(), closing="next"))
    put("closing_twice.txt", head(), title(6), FIRST, FIRST[-1])
    rounded = FIRST[-1].replace("511.110", "511.111")
    put("closing_off_by_a_millimetre.txt", head(), title(), FIRST[:-1], rounded)
    put("points_twice.txt", head(), title(6), FIRST[:2], FIRST[1:])
    put("point_numbers_twice.txt", head(), title(), [p.replace("J3,", "J2,") for p in FIRST])
    put("point_numbers_with_a_gap.txt", head(), title(), [p.replace("J4,", "J7,") for p in FIRST])


def plot_variants() -> None:
    """Several plots, lines and points."""
    put("plots_2.txt", head(), title(), FIRST, TITLE_2, SECOND)
    same = title("", "")
    put("plots_with_equal_headers.txt", head(), same, FIRST, same, SECOND)
    put(
        "plots_of_one_site.txt",
        head(),
        [title(number="07_1"), *FIRST, title(5, "1.0000", "07_2"), *SECOND],
    )
    over = points(box(150, 0, 100, 100))
    put("plots_overlapping.txt", head(), title(), FIRST, TITLE_2, over)
    put("plots_alike.txt", head(), title(), FIRST, title(number="02"), FIRST)
    put("plots_sharing_an_edge.txt", head(), title(), FIRST, TITLE_2, points(box(200, 0, 100, 100)))
    dot = [title(1, "", "09", "图根点", "点"), points([(10, 10)], closing="none")[0]]
    put("point_beside_plot.txt", head(), dot, title(), FIRST)
    put("sliver.txt", head(), title(), FIRST, title(5, "", "02"), points(box(500, 0, 10, 0.05)))
    spike = [(0, 100), (200, 100), (200, 50.2), (260, 50.1), (200, 50), (200, 0), (0, 0)]
    put("spike.txt", head(), title(8, ""), points(spike))


def head_faults() -> None:
    """Statements of the head that cannot be accepted, and contradictions."""
    body = [title(), *FIRST]
    for name, changes in {
        "datum_xian80": {"坐标系": "1980西安坐标系"},
        "datum_beijing54": {"坐标系": "北京54"},
        "datum_80": {"坐标系": "80国家大地坐标系"},
        "datum_code_xian80": {"坐标系": "EPSG:2363"},
        "datum_local": {"坐标系": "某市2000独立坐标系"},
        "projection_utm": {"投影类型": "UTM"},
        "unit_km": {"计量单位": "千米"},
        "unit_dms": {"计量单位": "度分秒"},
        "zone_against_prefix": {"带号": "38"},
        "zone_against_width": {"几度分带": "6"},
        "width_against_prefix": {"几度分带": "6", "带号": ""},
        "zone_unknown": {"带号": "50"},
        "zone_is_a_meridian": {"带号": "117"},
        "zone_no_number": {"带号": "三十九"},
        "zone_against_meridian": {"中央子午线": "120"},
        "zone_against_code": {"坐标系": "EPSG:4547"},
        "width_wrong": {"几度分带": "1.5"},
        "meridian_of_no_zone": {"带号": "", "中央子午线": "116.5"},
        "unit_degrees_for_metres": {"计量单位": "度"},
    }.items():
        put(f"fault_{name}.txt", head(**changes), body)
    put("fault_zone_38_without_prefix.txt", head(带号="38"), title(), points(box(), zone=""))
    many = head(坐标系="1954北京坐标系", 投影类型="UTM", 计量单位="毫米", 带号="99")
    put("fault_head_many.txt", many, body)
    put("fault_heads_contradict.txt", head(), body, head(带号="38"), TITLE_2, SECOND)


def point_faults() -> None:
    """Lines that are no points, and points that are lost."""
    form = [*head(), title()]
    bad = list(FIRST)
    bad[1] = bad[1].replace("4030511.110", "四百零三万")
    bad[3] = bad[3].replace("408498.270", "408498，27O")
    put("fault_points_unreadable.txt", form, bad)
    put("fault_points_not_finite.txt", form, FIRST[:2], "J3,1,1e999,39408698.270", FIRST[3:])
    put("fault_points_nan.txt", form, FIRST[:2], "J3,1,NaN,39408698.270", FIRST[3:])
    put("fault_points_thousands.txt", form, FIRST[:2], "J3,1,4,030,411.11,39,408,698.27", FIRST[3:])
    put("fault_points_dms.txt", form, FIRST[:2], "J3,1,36°24′03″,115°58′48″", FIRST[3:])
    put("fault_point_cut.txt", form, FIRST[:2], "J3,1,4030411.110", FIRST[3:])
    put("fault_words_among_points.txt", form, FIRST[:2], "此处有界桩", FIRST[2:])
    put("fault_points_missing.txt", head(), title(9), FIRST)
    put("fault_cut_off.txt", head(), title(), FIRST[:3])
    put("fault_plot_without_points.txt", head(), title(), TITLE_2, SECOND)
    put("fault_no_plot.txt", head())
    put("fault_count_no_number.txt", head(), title("【总点数】", "【宗地面积】"), FIRST)
    put("fault_area_negative.txt", head(), title(area="-2.0"), FIRST)
    put("fault_kind.txt", head(), title(kind="体"), FIRST)


def geometry_faults() -> None:
    """Outlines that enclose nothing or cross themselves, far points, wrong areas, all at once."""
    form = [*head(), title("", "")]
    a, b, c, d = box()
    put("fault_bow_tie.txt", form, points([a, c, b, d]))
    put("fault_two_points.txt", form, points([a, b]))
    put("fault_on_a_line.txt", form, points([a, b, (100, 100)]))
    put("fault_closing_mistyped.txt", head(), title(), FIRST[:4], FIRST[0].replace("511", "512"))
    put("fault_ring_twice.txt", form, FIRST, points(box(), 2, 5))
    put("fault_hole_crosses_shell.txt", form, FIRST, points(box(190, 40, 20, 10), 2, 5))
    put("fault_parts_overlap.txt", form, FIRST, points(box(150, 50, 100, 100), 2, 5))
    put("fault_point_far_away.txt", form, FIRST[:2], FIRST[2].replace("39408", "39908"), FIRST[3:])
    put("fault_prefix_mixed.txt", form, FIRST[:3], points(box(), zone="")[3], FIRST[4:])
    put("fault_outside_plan.txt", form, points(box(100_000)))
    put("fault_area.txt", head(), title(area="2.0300"), FIRST)
    put("fault_area_of_another_plot.txt", head(), title(area="7.7777"), FIRST)
    put(
        "fault_line_without_width.txt",
        head(),
        title(2, "", kind="线"),
        points([a, b], closing="none"),
    )
    put("fault_points_only.txt", head(), title(1, "", kind="点"), points([a], closing="none"))
    crossed = [SECOND[0], SECOND[2], SECOND[1], *SECOND[3:]]
    third = [title("x", "", "03", "丙地块"), "J1,1,abc,def", *FIRST[1:]]
    put("fault_three_plots.txt", head(), title(area="3.0000"), FIRST, TITLE_2, crossed, third)


def build() -> dict[str, bytes]:
    """Return all files by name."""
    FILES.clear()
    for group in (
        text_variants,
        mark_variants,
        key_variants,
        header_variants,
        area_variants,
        point_variants,
        crs_variants,
        ring_variants,
        plot_variants,
        head_faults,
        point_faults,
        geometry_faults,
    ):
        group()
    return dict(FILES)


if __name__ == "__main__":
    for name, data in build().items():
        (HERE / name).write_bytes(data)
