"""Sites traced on web maps: usable, said to be no survey, and open wherever metres decide."""

from __future__ import annotations

import json

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import box, mapping

from gis.canonical import to_dict
from gis.check import check_site
from gis.crs import transform
from gis.doubt import alternatives
from gis.intake import read_site
from gis.model import Verdict
from gis.output.maps.site_card import site_sentence
from gis.plan.samples import load_samples
from gis.webmap import BD09, GCJ02, REACH_M, to_bd09, to_gcj02

TO_MAP = {GCJ02: to_gcj02, BD09: to_bd09}


@pytest.fixture(scope="module")
def samples(plan):
    found = load_samples(plan)
    return {s.path.stem: (s, read_site(s.path, plan, width_m=s.width_m)) for s in found}


def drawn(geometry, shift):
    """GeoJSON of an outline of the work CRS as a web map of that datum draws it."""
    return mapping(shapely.transform(transform(geometry, 4548, 4490), TO_MAP[shift]))


def judged(site, sample, plan, as_of):
    return check_site(site, plan, use=sample.use, attributes=sample.attributes, as_of=as_of)


@pytest.mark.parametrize("shift", [GCJ02, BD09])
def test_a_declared_web_map_datum_is_put_back_within_a_millimetre(samples, plan, shift):
    _, true = samples["yizhong_xinxiao"]
    site = read_site(drawn(true.geometry, shift), plan, crs=shift)
    assert shapely.hausdorff_distance(site.geometry, true.geometry) < 0.001
    assert site.crs.source == shift
    assert site.doubt is not None
    assert [w.code for w in site.warnings] == ["not_survey_grade"]


def test_without_the_declaration_the_site_would_lie_half_a_kilometre_east(samples, plan):
    _, true = samples["yizhong_xinxiao"]
    site = read_site(drawn(true.geometry, GCJ02), plan)
    assert site.geometry.centroid.x - true.geometry.centroid.x == pytest.approx(503, abs=25)


def test_the_answer_says_that_it_is_no_survey(samples, plan, as_of):
    sample, true = samples["yizhong_xinxiao"]
    site = read_site(drawn(true.geometry, GCJ02), plan, crs="gcj02")
    document = to_dict(judged(site, sample, plan, as_of))
    assert document["site"]["crs"] == {
        "source": "GCJ-02",
        "work": "EPSG:4548",
        "how": "given",
        "survey_grade": False,
    }
    assert any("非测量成果" in w["message"] for w in document["warnings"])
    assert site_sentence(document).endswith("非测量成果，仅供参考。")
    assert "非测量成果" not in site_sentence(to_dict(judged(true, sample, plan, as_of)))


def test_a_verdict_that_metres_cannot_change_stands(samples, plan, as_of):
    # The theme park covers farmland widely; the school takes 28 ha wherever it lies exactly.
    sample, true = samples["theme_park_2000mu"]
    site = read_site(drawn(true.geometry, GCJ02), plan, crs=GCJ02)
    assert judged(site, sample, plan, as_of).verdict is Verdict.FAIL
    sample, true = samples["yizhong_xinxiao"]
    site = read_site(drawn(true.geometry, GCJ02), plan, crs=GCJ02)
    finding = judged(site, sample, plan, as_of).finding("shandong.archaeology")
    assert finding.verdict is Verdict.CONDITIONAL


def test_a_verdict_that_hangs_on_metres_is_open(samples, plan, as_of):
    # The plaza reaches less than 10 m into two green belts: a failure as drawn, none when shrunk.
    sample, true = samples["mingzhu_guangchang"]
    assert judged(true, sample, plan, as_of).verdict is Verdict.FAIL
    site = read_site(drawn(true.geometry, GCJ02), plan, crs=GCJ02)
    finding = judged(site, sample, plan, as_of).finding("cn.green-line")
    assert finding.verdict is Verdict.UNDETERMINED
    assert "不是测量成果" in finding.reason
    assert "实测坐标" in finding.remedy


def test_a_file_that_names_a_web_map_is_suspected_and_judged_at_both_places(samples, plan, as_of):
    sample, true = samples["yizhong_xinxiao"]
    content = json.dumps(mapping(transform(true.geometry, 4548, 4490))).encode()
    site = read_site(content, plan, name="高德地图勾绘.geojson")
    assert site.doubt is not None
    assert len(site.doubt.others) == 1
    # If the numbers were GCJ-02 the site would lie half a kilometre further west.
    west = true.geometry.centroid.x - site.doubt.others[0].centroid.x
    assert west == pytest.approx(503, abs=25)
    assert judged(site, sample, plan, as_of).verdict is Verdict.UNDETERMINED


def test_naming_the_crs_takes_the_suspicion_away(samples, plan):
    _, true = samples["yizhong_xinxiao"]
    content = json.dumps(mapping(transform(true.geometry, 4548, 4490))).encode()
    assert read_site(content, plan, name="高德.geojson", crs=4490).doubt is None


def test_survey_coordinates_in_metres_are_never_suspected(samples, plan):
    _, true = samples["yizhong_xinxiao"]
    assert read_site(true.geometry.wkt.encode(), plan, name="高德地图公司.wkt").doubt is None


def test_a_site_too_narrow_to_shrink_is_moved_in_all_directions(plan):
    line = "LINESTRING (408000 4027000, 409000 4027000)"
    corridor = read_site(line, plan, width_m=12).geometry
    site = read_site(drawn(corridor, GCJ02), plan, crs=GCJ02)
    others = alternatives(site)
    assert len(others) == 1 + 8
    for other in others[1:]:
        assert other.area.planar_m2 == pytest.approx(site.area.planar_m2, abs=1e-6)
        moved = other.geometry.centroid.distance(site.geometry.centroid)
        assert moved == pytest.approx(REACH_M, abs=1e-6)


@settings(max_examples=12)
@given(
    east=st.floats(404_000, 412_000),
    north=st.floats(4_020_000, 4_030_000),
    size=st.floats(30, 400),
)
def test_doubt_never_makes_a_finding_better(plan, as_of, east, north, size):
    true = read_site(box(east, north, east + size, north + size).wkt, plan)
    site = read_site(drawn(true.geometry, GCJ02), plan, crs=GCJ02)
    sure = check_site(true, plan, use="080403", as_of=as_of)
    open_ = check_site(site, plan, use="080403", as_of=as_of)
    for finding in open_.findings:
        before = sure.finding(finding.rule).verdict
        assert finding.verdict in (before, Verdict.UNDETERMINED)
