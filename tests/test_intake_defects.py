"""Every defect of a drawing with ring, vertex, coordinate, and a marker for a map."""

import json
from pathlib import Path

import numpy as np
import pytest
import shapely
from shapely.geometry import MultiPolygon, Polygon, box, mapping, shape

from gis.crs import CrsPolicy, transform
from gis.errors import DeclaredAreaError, FormatError, GeometryError, LimitError, as_problem
from gis.intake import read_site, read_sites
from gis.intake.boundary_txt import Plot, boundary_txt

POLICY = CrsPolicy(4548, (4490, 4326, 4527, 4548, 4547), (115.80, 36.22, 116.18, 36.47))
X, Y = 408_500.0, 4_030_400.0
CORPUS = Path(__file__).parent / "corpus" / "txt"
SQUARE = box(X, Y, X + 200, Y + 100)


def ring(*points):
    return [(X + x, Y + y) for x, y in points]


def faults_of(polygon, **options):
    content = polygon if isinstance(polygon, str) else polygon.wkt
    with pytest.raises(GeometryError) as error:
        read_sites(content, POLICY, **options)
    return error.value.faults


def marked(fault):
    """The marker of a fault, back in the work CRS."""
    return transform(shape(fault.marker), 4490, 4548)


# --- invalid --------------------------------------------------------------------------------------


def test_a_bow_tie_names_both_edges_and_the_crossing():
    (fault,) = faults_of(Polygon(ring((0, 0), (100, 100), (100, 0), (0, 100))))
    assert (fault.ring, fault.vertex) == (1, 1)
    assert fault.coordinate == pytest.approx((X + 50, Y + 50))
    assert "第 1 点" in fault.where
    assert "第 3 点" in fault.where
    assert marked(fault).distance(shapely.Point(X + 50, Y + 50)) < 0.001


def test_a_hole_outside_its_shell_is_marked_where_it_lies():
    hole = ring((300, 10), (320, 10), (320, 30), (300, 30))
    (fault,) = faults_of(Polygon(SQUARE.exterior.coords, [hole]))
    assert fault.ring == 2
    assert "洞" in fault.message
    assert marked(fault).distance(Polygon(hole)) < 0.001


def test_a_hole_that_crosses_its_shell_is_told_at_both_crossings():
    hole = ring((150, 20), (250, 20), (250, 40), (150, 40))
    faults = faults_of(Polygon(SQUARE.exterior.coords, [hole]))
    spots = {
        tuple(round(v - o, 3) for v, o in zip(f.coordinate, (X, Y), strict=True)) for f in faults
    }
    assert {(200.0, 20.0), (200.0, 40.0)} <= spots


def test_overlapping_parts_are_told():
    faults = faults_of(MultiPolygon([SQUARE, box(X + 150, Y + 50, X + 300, Y + 150)]))
    assert {f.ring for f in faults} <= {1, 2}
    assert len(faults) == 2
    assert all(f.marker["type"] == "Point" for f in faults)


def test_a_part_drawn_twice_is_marked_along_its_edges():
    faults = faults_of(MultiPolygon([SQUARE, SQUARE]))
    assert any("重叠" in f.message for f in faults)
    assert any(f.marker["type"] == "LineString" for f in faults)


def test_a_nested_hole_is_told():
    outer = ring((20, 20), (80, 20), (80, 80), (20, 80))
    inner = ring((40, 40), (60, 40), (60, 60), (40, 60))
    (fault,) = faults_of(Polygon(SQUARE.exterior.coords, [outer, inner]))
    assert "洞中套洞" in fault.message
    assert fault.ring in (2, 3)


@pytest.mark.parametrize(
    ("points", "word"),
    [
        (((0, 0), (100, 100), (50, 50)), "一条直线"),
        (((0, 0), (0, 0), (100, 0), (0, 0)), "2 个不同的点"),
    ],
)
def test_a_ring_without_area_is_marked_by_its_points(points, word):
    (fault,) = faults_of(Polygon(ring(*points)))
    assert word in fault.message
    assert (fault.ring, fault.vertex) == (1, 1)
    assert fault.marker["type"] == "MultiPoint"


def test_vertices_are_counted_in_the_input_although_repeated_points_are_dropped():
    # Points 1 and 2 are equal: the crossing edges begin at points 2 (as drawn: 1) and 4.
    points = ring((0, 0), (0, 0), (100, 100), (100, 0), (0, 100))
    (fault,) = faults_of(Polygon(points))
    assert "第 1 点" in fault.where
    assert "第 4 点" in fault.where


def test_the_marker_of_degrees_lies_where_the_fault_is():
    bow = transform(Polygon(ring((0, 0), (100, 100), (100, 0), (0, 100))), 4548, 4490)
    (fault,) = faults_of(json.dumps(mapping(bow)))
    assert marked(fault).distance(shapely.Point(X + 50, Y + 50)) < 0.01
    assert fault.where.startswith("$.coordinates[0][0]")


def test_a_txt_tells_lines_and_marks_the_crossing():
    text = boundary_txt([Plot("甲", "1", SQUARE)], epsg=4548)
    rows = text.split("\r\n")
    at = rows.index(next(r for r in rows if r.startswith("J1,")))
    rows[at + 1], rows[at + 2] = rows[at + 2], rows[at + 1]
    faults = faults_of("\r\n".join(rows))
    assert faults[0].where.startswith(f"第 {at + 1} 行") or "行" in faults[0].where
    assert faults[0].marker is not None


def test_a_problem_carries_place_and_marker():
    with pytest.raises(GeometryError) as error:
        read_site(Polygon(ring((0, 0), (100, 100), (100, 0), (0, 100))).wkt, POLICY)
    (row,) = as_problem(error.value)["errors"]
    assert set(row) == {"where", "message", "ring", "vertex", "coordinate", "marker"}
    json.dumps(row)


def outline_of(content):
    """The outline that an error carries, back in the work CRS; None when it carries none."""
    with pytest.raises(GeometryError) as error:
        read_sites(content, POLICY)
    given = as_problem(error.value).get("outline")
    return None if given is None else transform(shape(given), 4490, 4548)


def test_an_error_carries_the_lines_that_were_drawn_holes_and_all():
    hole = ring((150, 20), (250, 20), (250, 40), (150, 40))
    drawn = Polygon(SQUARE.exterior.coords, [hole])
    lines = outline_of(drawn.wkt)
    assert len(lines.geoms) == 2
    # Nine decimals of a degree are a tenth of a millimetre.
    for line, given in zip(lines.geoms, (drawn.exterior, *drawn.interiors), strict=True):
        assert line.hausdorff_distance(given) < 0.001


def test_a_fault_of_a_text_that_knows_its_coordinate_has_a_marker_too():
    rows = (CORPUS / "fault_closing_mistyped.txt").read_bytes()
    with pytest.raises(FormatError) as error:
        read_sites(rows, POLICY)
    (fault,) = error.value.faults
    spot = shapely.Point(fault.coordinate)
    # The file is in zone 39 of 3 degrees with its prefix, EPSG:4527.
    assert transform(shape(fault.marker), 4490, 4527).distance(spot) < 0.001


def test_a_wrong_stated_area_is_told_with_the_outline_that_belies_it():
    with pytest.raises(DeclaredAreaError) as error:
        read_sites((CORPUS / "fault_area.txt").read_bytes(), POLICY)
    (line,) = shape(error.value.outline).geoms
    # The corners of the plot in the file, EPSG:4527.
    west, south, east, north = transform(line, 4490, 4527).bounds
    corners = (39408498.270, 4030411.110, 39408698.270, 4030511.110)
    assert (west, south, east, north) == pytest.approx(corners, abs=0.001)


def test_the_outlines_of_several_broken_sites_come_together():
    bows = [
        Polygon([(x + east, y) for x, y in ring((0, 0), (100, 100), (100, 0), (0, 100))])
        for east in (0, 500)
    ]
    rows = [{"type": "Feature", "properties": {}, "geometry": mapping(b)} for b in (*bows, SQUARE)]
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4548"}}
    content = json.dumps({"type": "FeatureCollection", "crs": crs, "features": rows})
    outlines = outline_of(content)
    assert outlines.bounds == pytest.approx((X, Y, X + 600, Y + 100), abs=0.001)
    assert len(outlines.geoms) == 2


def test_a_huge_outline_is_left_out_of_the_error():
    angles = np.linspace(0, 2 * np.pi, 21_000, endpoint=False)
    wheel = np.column_stack([X + 100 + 90 * np.cos(angles), Y + 100 + 90 * np.sin(angles)])
    wheel[[5, 7]] = wheel[[7, 5]]
    assert outline_of(Polygon(wheel).wkt) is None


def test_a_repair_on_request_tells_both_areas():
    # By hand: two triangles of 2,500 m² each; in the order of the vertices they cancel out.
    site = read_site(Polygon(ring((0, 0), (100, 100), (100, 0), (0, 100))).wkt, POLICY, repair=True)
    (text,) = [w.message for w in site.warnings if w.code == "repaired"]
    assert "0.00 m²" in text
    assert "5000.00 m²" in text
    assert site.area.planar_m2 == pytest.approx(5000)


# --- valid, but not meant -------------------------------------------------------------------------


def codes(site):
    return {w.code for w in site.warnings}


def test_a_sliver_part_is_named_with_area_and_width():
    sliver = box(X + 300, Y, X + 300.05, Y + 10)
    site = read_site(MultiPolygon([SQUARE, sliver]).wkt, POLICY)
    (text,) = [w.message for w in site.warnings if w.code == "sliver"]
    # By hand: 0.05 x 10 m = 0.5 m²; 2 x 0.5 / 20.1 m = 0.0498 m.
    assert "0.500 m²" in text
    assert "0.050 m" in text


def test_a_sliver_hole_is_named_too():
    gap = [(X + 50, Y + 50), (X + 59, Y + 50), (X + 59, Y + 50.04), (X + 50, Y + 50.04)]
    assert "sliver" in codes(read_site(Polygon(SQUARE.exterior.coords, [gap]).wkt, POLICY))


def test_a_narrow_part_of_real_size_is_no_sliver():
    lane = box(X + 300, Y, X + 300.09, Y + 100)
    assert "sliver" not in codes(read_site(MultiPolygon([SQUARE, lane]).wkt, POLICY))


def test_a_spike_is_named_at_its_tip():
    spiked = Polygon(
        ring((0, 0), (200, 0), (200, 50), (260, 50.2), (200, 50.4), (200, 100), (0, 100))
    )
    (text,) = [w.message for w in read_site(spiked.wkt, POLICY).warnings if w.code == "spike"]
    assert "东 408760.000，北 4030450.200" in text


def test_a_sharp_corner_is_no_spike():
    corner = Polygon(ring((0, 0), (200, 0), (0, 20)))
    assert "spike" not in codes(read_site(corner.wkt, POLICY))


def test_repeated_points_are_named_each():
    points = ring((0, 0), (200, 0), (200, 0), (200, 100), (0, 100), (0, 100))
    (text,) = [
        w.message
        for w in read_site(Polygon(points).wkt, POLICY).warnings
        if w.code == "duplicate_points"
    ]
    assert "2 个连续重复的点" in text
    assert "第 3 点" in text
    assert "第 6 点" in text


# --- sites of one file ----------------------------------------------------------------------------


def test_a_plot_given_twice_is_named_in_both():
    first, second = read_sites(f"{SQUARE.wkt} {SQUARE.wkt}", POLICY)
    assert [w.code for w in first.warnings] == ["duplicate_site"]
    assert "第 2 个地块" in first.warnings[0].message
    assert "第 1 个地块" in second.warnings[0].message


def test_overlapping_plots_tell_how_much():
    other = box(X + 150, Y, X + 350, Y + 100)
    first, _ = read_sites(f"{SQUARE.wkt} {other.wkt}", POLICY)
    # By hand: 50 x 100 m of 200 x 100 m.
    assert "5000.00 m²（占较小地块的 25.0%）" in first.warnings[0].message


def test_plots_that_share_an_edge_do_not_overlap():
    other = box(X + 200, Y, X + 350, Y + 100)
    assert all(not s.warnings for s in read_sites(f"{SQUARE.wkt} {other.wkt}", POLICY))


def test_everything_wrong_with_several_plots_is_told_at_once():
    bow = Polygon(ring((0, 0), (100, 100), (100, 0), (0, 100)))
    far = box(500_000, 4_500_000, 500_100, 4_500_100)
    with pytest.raises(GeometryError) as error:
        read_sites(f"{bow.wkt} {far.wkt} {SQUARE.wkt}", POLICY)
    assert len(error.value.faults) == 2
    assert "2 个地块有错误" in error.value.detail


# --- many, and elsewhere --------------------------------------------------------------------------


def swapped_pairs(count, at):
    """A ring of so many points around a circle, with pairs of neighbours in the wrong order."""
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    xy = np.column_stack([X + 200 * np.cos(angle), Y + 200 * np.sin(angle)])
    for i in at:
        xy[[i, i + 1]] = xy[[i + 1, i]]
    return Polygon(xy)


@pytest.mark.parametrize("count", [400, 700, 5000])
def test_every_crossing_of_a_long_ring_is_told(count):
    at = [count // 8, count // 3, count // 2]
    faults = faults_of(swapped_pairs(count, at))
    # Two points in the wrong order make the edges before and behind them cross.
    assert [f.vertex for f in faults] == at
    assert all("相交" in f.message for f in faults)


def test_a_tangle_too_large_to_be_listed_says_so():
    xy = np.random.default_rng(1).uniform((X, Y), (X + 300, Y + 300), size=(3000, 2))
    faults = faults_of(Polygon(xy))
    assert "只列出其中一部分" in faults[-1].message


def test_many_parts_that_touch_in_one_point_are_told_within_the_limit():
    centre = (X, Y)
    parts = [
        Polygon([centre, (X + r, Y + 1), (X + r, Y + 2), centre, (X - r, Y - 2), (X - r, Y - 1)])
        for r in np.linspace(10, 50, 200)
    ]
    faults = faults_of(MultiPolygon(parts))
    assert len(faults) <= 50


def test_parts_that_share_an_edge_are_told_once_along_it():
    faults = faults_of(MultiPolygon([SQUARE, box(X + 200, Y, X + 300, Y + 100)]))
    assert [f.marker["type"] for f in faults] == ["LineString"]
    assert "重叠" in faults[0].message


# A hole 1 m inside a border of 22 km: straight in degrees, that border bows out by more.
BOWED = Polygon(
    [(115.85, 36.30), (116.10, 36.30), (116.10, 36.40), (115.85, 36.40)],
    [[(115.975, 36.30001), (115.976, 36.30001), (115.976, 36.3005), (115.975, 36.3005)]],
)


def test_edges_that_meet_only_in_the_work_crs_are_told_with_their_place():
    faults = faults_of(json.dumps(mapping(BOWED)))
    assert faults
    assert all(f.marker is not None and f.where.startswith("$.coordinates") for f in faults)


def test_edges_that_meet_only_in_the_work_crs_are_repaired_on_request():
    site = read_site(json.dumps(mapping(BOWED)), POLICY, repair=True)
    assert site.geometry.is_valid
    assert "repaired" in codes(site)


def test_many_duplicates_are_counted_where_they_are_not_named():
    sites = read_sites(" ".join([SQUARE.wkt] * 60), POLICY)
    for site in sites:
        assert len(site.warnings) == 11
        assert "另与本文件 49 个地块" in site.warnings[-1].message


def test_a_closed_line_has_no_ends_to_speak_of():
    loop = f"LINESTRING ({X} {Y}, {X + 100} {Y}, {X + 100} {Y + 100}, {X} {Y})"
    site = read_site(loop, POLICY, width_m=6)
    (text,) = [n.message for n in site.notes if n.code == "corridor"]
    assert "平头" not in text


def test_an_outline_too_winding_to_be_grown_is_refused_when_it_was_traced():
    teeth = [(X + i // 2 * 0.4, Y + (i % 4 in (1, 2)) * 200.0) for i in range(12_000)]
    comb = Polygon([*teeth, (teeth[-1][0], Y - 10), (X, Y - 10)])
    lonlat = json.dumps(mapping(transform(comb, 4548, 4490)))
    assert read_site(lonlat, POLICY).doubt is None
    with pytest.raises(LimitError, match="过于复杂"):
        read_site(lonlat, POLICY, crs="GCJ-02")
