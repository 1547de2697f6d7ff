"""Rings of one plot: split by number and closing point, told apart by position."""

import pytest
from shapely.geometry import Polygon, box

from gis.crs import CrsPolicy
from gis.errors import FormatError, GeometryError, SeveralSitesError
from gis.intake.boundary.lines import PointLine
from gis.intake.boundary.rings import parts_by_position, split_rings
from gis.intake.draft import Ring, as_array
from gis.intake.read import read_site, read_sites

POLICY = CrsPolicy(
    4548, (4490, 4326, 4527, 4548, 4526, 4547, 4498, 4509), (115.80, 36.22, 116.18, 36.47)
)
# 200 m x 100 m = 20,000 m² planar; 115.98E 36.40N, practice.md section 2.
SQUARE = box(408498.27, 4030411.11, 408698.27, 4030511.11)
HOLE = box(408550, 4030450, 408560, 4030460)
HEAD = "[属性描述]\n坐标系=2000国家大地坐标系\n几度分带=3\n带号=39\n[地块坐标]\n"


def read(text, **options):
    data = text.encode("gbk") if isinstance(text, str) else text
    return read_site(data, POLICY, **options)


def codes(remarks):
    return {remark.code for remark in remarks}


def fault_places(error):
    return [fault.where for fault in error.value.faults]


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


# --- by hand --------------------------------------------------------------------------------------


def lines(*places, ring="1", labels=None):
    """Points at places, numbered J1 on."""
    labels = labels or [f"J{n}" for n in range(1, len(places) + 1)]
    return [
        PointLine(label, ring, 408_000.0 + x, 4_030_000.0 + y, n)
        for n, (label, (x, y)) in enumerate(zip(labels, places, strict=True), start=14)
    ]


A, B, C, D = (0, 0), (100, 0), (100, 100), (0, 100)


def sizes(rings):
    return [len(run) for run in rings.runs]


def test_a_point_beside_the_first_one_does_not_close_the_ring():
    beside = (0.001, 0.001)
    rings = split_rings(
        lines(A, B, C, beside, A, labels=["J1", "J2", "J3", "J4", "J1"]), closed=True
    )
    assert sizes(rings) == [5]
    assert rings.faults == []


def test_numbers_that_begin_again_begin_a_ring_only_when_the_second_number_follows():
    other = [(x + 500, y) for x, y in (A, B, C)]
    labels = ["J1", "J2", "J3", "J1", "J2", "J3"]
    rings = split_rings(lines(A, B, C, *other, labels=labels), closed=True)
    assert sizes(rings) == [3, 3]
    assert [w.code for w in rings.warnings] == ["ring_split"]
    # Followed by other numbers it is a number used twice.
    labels = ["J1", "J2", "J3", "J1", "J5", "J6"]
    rings = split_rings(lines(A, B, C, *other, labels=labels), closed=True)
    assert sizes(rings) == [6]
    assert [w.code for w in rings.warnings] == ["point_number_repeated"]
    assert "第 17 行的 J1（第 14 行已有）" in rings.warnings[0].message


def test_a_list_with_one_word_in_front_of_every_point_has_no_numbers():
    assert split_rings(lines(A, B, C, D, labels=["界址点"] * 4), closed=True).warnings == []


def test_a_ring_that_fills_a_bay_is_a_part_and_no_hole():
    bay = [(0, 100), (50, 100), (50, 50), (150, 50), (150, 100), (200, 100), (200, 0), (0, 0)]
    filling = [(50, 100), (150, 100), (150, 50), (50, 50)]
    rings = [Ring(as_array(xy), str) for xy in (bay, filling)]
    assert [len(part) for part in parts_by_position(rings)] == [1, 1]


def test_rings_in_rings_alternate_between_part_and_hole():
    squares = [[(r, r), (r, -r), (-r, -r), (-r, r)] for r in (10, 20, 40, 30)]
    rings = [Ring(as_array([(x, y) for x, y in xy]), str) for xy in squares]
    parts = parts_by_position(rings)
    found = [[abs(float(ring.xy[0, 0])) for ring in part] for part in parts]
    assert found == [[20.0, 10.0], [40.0, 30.0]]
