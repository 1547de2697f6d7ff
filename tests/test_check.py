"""The whole check on the bundled plan: verdicts, agreement, and what missing data does."""

from __future__ import annotations

import json
import shutil
import threading
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from gis.canonical import canonical_json, decision_part, to_dict
from gis.check import check_site
from gis.errors import ClaimError, CrsError, OutsidePlanError
from gis.intake import read_site
from gis.model import LayerState, SiteCheck, Verdict
from gis.plan import Plan, load_plan
from gis.plan.samples import load_samples


@pytest.fixture(scope="session")
def sample_checks(plan: Plan) -> dict[str, SiteCheck]:
    found = {}
    for s in load_samples(plan):
        site = read_site(s.path, plan, name=s.name, width_m=s.width_m)
        found[s.path.stem] = check_site(
            site, plan, use=s.use, attributes=s.attributes, as_of=s.as_of
        )
    return found


EXPECTED = {
    "fire_station": Verdict.PASS,
    "yizhong_xinxiao": Verdict.CONDITIONAL,
    "jiankang_kejiyuan": Verdict.CONDITIONAL,
    "mingzhu_roads": Verdict.UNDETERMINED,
    "yixiao_sanguan": Verdict.UNDETERMINED,
    "zhongyao_yuanqu": Verdict.UNDETERMINED,
    "mingzhu_guangchang": Verdict.FAIL,
    "theme_park_2000mu": Verdict.FAIL,
}


@pytest.mark.parametrize(("name", "verdict"), EXPECTED.items())
def test_each_sample_has_the_verdict_of_its_story(sample_checks, name, verdict) -> None:
    assert sample_checks[name].verdict is verdict


def test_the_samples_cover_all_four_verdicts(sample_checks) -> None:
    assert {c.verdict for c in sample_checks.values()} == set(Verdict) - {Verdict.NOT_APPLICABLE}


@pytest.mark.parametrize(
    ("name", "mu"),
    [("yizhong_xinxiao", 419.17), ("yixiao_sanguan", 260.0), ("theme_park_2000mu", 2000.0)],
)
def test_sample_areas_are_the_stated_ones(sample_checks, name: str, mu: float) -> None:
    assert sample_checks[name].site.area.mu == pytest.approx(mu, abs=0.01)


def test_the_planar_area_is_larger_by_about_206_ppm(sample_checks) -> None:
    area = sample_checks["yizhong_xinxiao"].site.area
    assert 150e-6 < area.planar_m2 / area.ellipsoidal_m2 - 1 < 290e-6


def test_the_plaza_fails_by_the_green_line_and_the_park_by_farmland(sample_checks) -> None:
    assert sample_checks["mingzhu_guangchang"].deciding_rule == "cn.green-line"
    assert sample_checks["theme_park_2000mu"].deciding_rule == "cn.permanent-farmland"
    assert sample_checks["zhongyao_yuanqu"].deciding_rule == "plan.zone-use"
    assert sample_checks["yizhong_xinxiao"].deciding_rule == "shandong.archaeology"
    assert sample_checks["fire_station"].deciding_rule is None


def test_evidence_names_owner_village_and_whether_fields_are_irrigated(sample_checks) -> None:
    check = sample_checks["yixiao_sanguan"]
    owners = {e.name: e for e in check.evidence if e.layer == "ownership"}
    collective = {name: e for name, e in owners.items() if e.cls == "集体"}
    assert set(owners) - set(collective) == {"国家所有（湖西街道）"}
    assert all("示意村" in name for name in collective)
    # Only the fields inside the site are collective; the rest is state-owned.
    fields = next(e for e in check.evidence if (e.layer, e.cls) == ("landuse", "0102"))
    assert fields.name == "水浇地"
    assert sum(e.area_m2 for e in collective.values()) == pytest.approx(fields.area_m2, abs=5)
    assert sum(e.share for e in owners.values()) == pytest.approx(1.0, abs=1e-6)


def test_land_of_several_villages_is_listed_village_by_village(sample_checks) -> None:
    rows = [e for e in sample_checks["theme_park_2000mu"].evidence if e.layer == "ownership"]
    assert len({e.name for e in rows if e.cls == "集体"}) > 1
    assert len({(e.cls, e.name) for e in rows}) == len(rows)


def test_the_roads_of_the_plaza_wait_for_the_belt_the_fields_and_the_village(sample_checks) -> None:
    check = sample_checks["mingzhu_roads"]
    assert check.site.corridor_width_m == 16.0
    found = {f.rule: f.verdict for f in check.findings}
    for rule in ("cn.green-line-crossing", "cn.cultivated-land", "cn.land-acquisition"):
        assert found[rule] is Verdict.CONDITIONAL, rule
    assert {(row.first, row.second) for row in check.breakdown} == {("0102", "Z5")}
    assert {e.cls for e in check.evidence if e.layer == "planned_use"} == {"1402"}


def test_every_finding_has_a_basis_a_reason_and_an_office(sample_checks) -> None:
    for check in sample_checks.values():
        for finding in check.findings:
            assert finding.basis, finding.rule
            assert finding.reason, finding.rule
            assert finding.office, finding.rule
            if finding.verdict.rank > Verdict.PASS.rank:
                assert finding.remedy, finding.rule


def test_findings_stand_worst_first_and_the_first_decides(sample_checks) -> None:
    for check in sample_checks.values():
        ranks = [f.verdict.rank for f in check.findings if f.decides]
        assert ranks == sorted(ranks, reverse=True)
        if check.verdict is not Verdict.PASS:
            assert check.findings[0].rule == check.deciding_rule


def test_land_classes_of_a_site_add_up_to_the_site(sample_checks) -> None:
    for check in sample_checks.values():
        rows = [e for e in check.evidence if e.layer == "landuse"]
        total = sum(e.area_m2 or 0 for e in rows)
        assert total == pytest.approx(check.site.area.ellipsoidal_m2, abs=0.01)
        assert sum(e.share or 0 for e in rows) == pytest.approx(1.0, abs=1e-6)


def test_the_site_is_inside_the_resort_and_in_zones_that_add_up(sample_checks) -> None:
    for check in sample_checks.values():
        zones = [e.share or 0 for e in check.evidence if e.layer == "zones"]
        assert sum(zones) == pytest.approx(1.0, abs=1e-6)


def test_schematic_status_stands_in_every_answer(sample_checks) -> None:
    for check in sample_checks.values():
        document = to_dict(check)
        assert document["plan"]["status"] == "schematic"
        assert "示意" in document["plan"]["status_note"]
        assert document["out_of_scope"]


def test_impact_names_what_the_site_takes(sample_checks) -> None:
    park = {i.id: i for i in sample_checks["theme_park_2000mu"].impact}
    evidence = {e.layer: e for e in sample_checks["theme_park_2000mu"].evidence}
    assert park["permanent_farmland"].area_m2 == pytest.approx(evidence["farmland"].area_m2)
    assert park["permanent_farmland"].total_m2 > park["permanent_farmland"].area_m2
    assert park["cultivated_land"].area_m2 > 0


# --- one answer, whatever the road ---------------------------------------------------------------


def test_the_same_input_gives_the_same_bytes(plan: Plan, samples_dir: Path, as_of: date) -> None:
    def decided() -> str:
        site = read_site(samples_dir / "yizhong_xinxiao.txt", plan)
        return canonical_json(decision_part(check_site(site, plan, use="080403", as_of=as_of)))

    assert decided() == decided()


def test_a_plan_opened_anew_gives_the_same_digest(repo: Path, plan: Plan, as_of: date) -> None:
    again = load_plan(repo / "data")
    path = repo / "data" / "samples" / "theme_park_2000mu.geojson"
    digests = {
        check_site(read_site(path, p), p, use="0903", as_of=as_of).digest for p in (plan, again)
    }
    assert len(digests) == 1


def test_threads_give_the_same_digest(plan: Plan, samples_dir: Path, as_of: date) -> None:
    found: list[str] = []

    def work() -> None:
        site = read_site(samples_dir / "mingzhu_guangchang.geojson", plan)
        found.append(check_site(site, plan, use="0901", as_of=as_of).digest)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_the_name_of_the_site_is_not_part_of_the_decision(plan, samples_dir, as_of) -> None:
    path = samples_dir / "yizhong_xinxiao.txt"
    digests = {
        check_site(read_site(path, plan, name=n), plan, use="080403", as_of=as_of).digest
        for n in ("甲", "乙")
    }
    assert len(digests) == 1


def test_use_day_and_claims_are_part_of_the_decision(plan, samples_dir, as_of) -> None:
    site = read_site(samples_dir / "yizhong_xinxiao.txt", plan)
    base = check_site(site, plan, use="080403", as_of=as_of).digest
    changed = [
        check_site(site, plan, use="0803", as_of=as_of).digest,
        check_site(site, plan, use="080403", as_of=as_of - timedelta(days=1)).digest,
        check_site(site, plan, use="080403", attributes={"plot_ratio": 1.5}, as_of=as_of).digest,
    ]
    assert base not in changed


def test_the_answer_is_json_without_nan(sample_checks) -> None:
    for check in sample_checks.values():
        json.dumps(to_dict(check), allow_nan=False)


# --- missing data --------------------------------------------------------------------------------


def without(plan: Plan, layer_id: str, tmp_path: Path) -> Plan:
    """The plan package with the files of one layer removed."""
    root = tmp_path / "plan"
    left_out = shutil.ignore_patterns("build", "samples", f"{plan.layer(layer_id).path.stem}.*")
    shutil.copytree(plan.root, root, ignore=left_out)
    poorer = load_plan(root)
    # The other layers are equal; those of the opened plan have their indexes already.
    return replace(poorer, layers={**plan.layers, layer_id: poorer.layer(layer_id)})


# Layers that the samples lie on; ``test_rule_properties`` takes away every layer there is.
RULE_LAYERS = [
    "resort",
    "zones",
    "farmland",
    "redline",
    "dev_boundary",
    "landuse",
    "green_line",
    "blue_line",
    "purple_line",
    "yellow_line",
    "roads",
    "river_range",
]


@pytest.mark.parametrize("layer_id", RULE_LAYERS)
def test_removing_a_layer_never_improves_a_verdict(
    plan: Plan, sample_checks, tmp_path: Path, layer_id: str
) -> None:
    poorer = without(plan, layer_id, tmp_path)
    assert poorer.layer(layer_id).state is LayerState.NO_DATA
    for sample in load_samples(plan):
        full = sample_checks[sample.path.stem]
        site = read_site(sample.path, poorer, name=sample.name, width_m=sample.width_m)
        check = check_site(site, poorer, use=sample.use, as_of=sample.as_of, remedies=False)
        for finding in check.findings:
            needs_it = layer_id in poorer.rulebook.rule(finding.rule).layers
            if needs_it and full.finding(finding.rule).verdict is not Verdict.NOT_APPLICABLE:
                assert finding.verdict is Verdict.UNDETERMINED, finding.rule
        assert check.verdict in {Verdict.UNDETERMINED, Verdict.FAIL}
        state = {r.info.id: r.state for r in check.layers}
        assert state[layer_id] is LayerState.NO_DATA


def test_a_damaged_layer_is_failed_and_its_rules_are_open(plan, tmp_path, samples_dir) -> None:
    root = tmp_path / "plan"
    shutil.copytree(plan.root, root, ignore=shutil.ignore_patterns("build"))
    shape = root / "shapefiles" / "YJJBNTTB.shp"
    shape.write_bytes(shape.read_bytes()[: shape.stat().st_size // 2])
    broken = load_plan(root)
    assert broken.layer("farmland").state is LayerState.FAILED
    site = read_site(samples_dir / "theme_park_2000mu.geojson", broken)
    finding = check_site(site, broken, use="0903").finding("cn.permanent-farmland")
    assert finding.verdict is Verdict.UNDETERMINED


def test_a_road_project_is_divided_by_land_class_and_zone(plan: Plan, as_of: date) -> None:
    line = "SRID=4548;LINESTRING(404000 4027000, 409000 4027500)"
    site = read_site(line, plan, width_m=40)
    check = check_site(site, plan, use="1207", as_of=as_of)
    document = to_dict(check)
    # 5,024.9 m long (hypot of 5000 and 500) and 40 m wide.
    assert site.area.planar_m2 == pytest.approx(40 * 5024.938, rel=1e-6)
    total = sum(row["area_m2"] for row in document["breakdown"])
    assert total == pytest.approx(site.area.ellipsoidal_m2, abs=0.5)
    by_land = {e.cls: e.area_m2 for e in check.evidence if e.layer == "landuse"}
    fields = sum(r["area_m2"] for r in document["breakdown"] if r["land_class"] == "0102")
    assert fields == pytest.approx(by_land["0102"], abs=0.1)


def test_other_sites_have_no_breakdown(sample_checks) -> None:
    plots = [c for c in sample_checks.values() if c.site.corridor_width_m is None]
    assert {c.breakdown for c in plots} == {()}


# --- what is refused -----------------------------------------------------------------------------


def test_no_use_leaves_the_use_rules_open(plan: Plan, samples_dir: Path, as_of: date) -> None:
    site = read_site(samples_dir / "yizhong_xinxiao.txt", plan)
    check = check_site(site, plan, as_of=as_of)
    assert check.verdict is Verdict.UNDETERMINED
    assert check.finding("plan.zone-use").verdict is Verdict.UNDETERMINED


def test_an_unknown_use_is_refused(plan: Plan, samples_dir: Path) -> None:
    site = read_site(samples_dir / "yizhong_xinxiao.txt", plan)
    with pytest.raises(ClaimError, match="08H2"):
        check_site(site, plan, use="08H2")


def test_an_unknown_attribute_is_refused(plan: Plan, samples_dir: Path) -> None:
    site = read_site(samples_dir / "yizhong_xinxiao.txt", plan)
    with pytest.raises(ClaimError, match="colour"):
        check_site(site, plan, attributes={"colour": "red"})


def test_a_site_far_away_is_refused(plan: Plan) -> None:
    with pytest.raises(OutsidePlanError):
        read_site("POLYGON((120 30, 120.01 30, 120.01 30.01, 120 30))", plan)


def test_a_site_read_for_another_plan_is_refused(plan: Plan, french_plan_dir: Path) -> None:
    other = load_plan(french_plan_dir)
    site = read_site(
        "SRID=2154;POLYGON((809500 6322800, 809700 6322800, 809700 6323000, 809500 6322800))", other
    )
    with pytest.raises(CrsError, match="工作坐标系"):
        check_site(site, plan)


def test_a_site_partly_outside_the_resort_fails_with_its_share(plan: Plan, as_of: date) -> None:
    x, y = plan.layer("resort").index.union.exterior.coords[0]
    site = read_site(
        f"SRID=4548;POLYGON(({x - 200} {y - 200},{x + 200} {y - 200},"
        f"{x + 200} {y + 200},{x - 200} {y + 200},{x - 200} {y - 200}))",
        plan,
    )
    check = check_site(site, plan, use="0803", as_of=as_of)
    inside = check.finding("local.inside-resort")
    assert inside.verdict is Verdict.FAIL
    assert 0 < inside.measure.share < 1


def test_today_in_china_is_the_default_day(plan: Plan, samples_dir: Path) -> None:
    site = read_site(samples_dir / "yizhong_xinxiao.txt", plan)
    day = check_site(site, plan, use="080403").as_of
    assert abs(day - date.today()) <= timedelta(days=1)
