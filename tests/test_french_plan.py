"""Another country, another CRS, another vocabulary: the same commands and the same code.

Expected areas by QGIS-independent means: pyogrio + shapely on the raw files, in this file.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pyogrio
import pytest
import shapely

from gis.check import check_site
from gis.cli import main
from gis.intake import read_site
from gis.model import LayerState, Verdict
from gis.output.maps import plan_map
from gis.plan import Plan, load_plan

AS_OF = date(2026, 11, 22)
SQUARE = "SRID=2154;POLYGON(({0} {1},{2} {1},{2} {3},{0} {3},{0} {1}))"


@pytest.fixture(scope="module")
def french(french_plan_dir: Path) -> Plan:
    return load_plan(french_plan_dir)


def raw(french_plan_dir: Path, name: str):
    return pyogrio.read_dataframe(french_plan_dir / "layers" / f"30014_{name}_20171013.shp")


def test_all_layers_open_with_their_accents(french: Plan) -> None:
    states = {name: layer.state for name, layer in french.layers.items()}
    assert states.pop("routes") is LayerState.NO_DATA  # not among the published files
    assert set(states.values()) == {LayerState.CHECKED}
    assert len(french.layer("zones").index) == 90
    assert "Elément de paysage à préserver" in set(french.layer("prescriptions").index.names)


def test_a_code_stored_as_a_number_reads_like_the_others(french: Plan) -> None:
    # TYPEPSC is text in the area file and a number in the line file.
    assert set(french.layer("prescription_lines").index.classes) == {"15"}


def test_overlapping_zones_count_once(french: Plan, french_plan_dir: Path) -> None:
    zones = raw(french_plan_dir, "ZONE_URBA")
    # The published file overlaps itself by 8,367 m².
    assert zones.area.sum() - zones.union_all().area == pytest.approx(8367, abs=1)
    assert french.area_of("zones").planar_m2 == pytest.approx(zones.union_all().area, abs=0.01)


def test_a_house_in_the_fields_is_prohibited(french: Plan, french_plan_dir: Path) -> None:
    site = read_site(SQUARE.format(809500, 6322800, 809700, 6323000), french)
    check = check_site(site, french, use="0701", as_of=AS_OF)
    assert check.verdict is Verdict.FAIL
    assert check.deciding_rule == "plu.zone-use"
    zones = raw(french_plan_dir, "ZONE_URBA")
    farmed = zones[zones.TYPEZONE == "A"].union_all().intersection(site.geometry).area
    row = next(e for e in check.evidence if e.layer == "zones" and e.cls == "A")
    assert row.planar_m2 == pytest.approx(farmed, abs=1e-3)


def test_a_house_in_the_town_is_permitted(french: Plan, french_plan_dir: Path) -> None:
    zones = raw(french_plan_dir, "ZONE_URBA")
    blocked = raw(french_plan_dir, "PRESCRIPTION_SURF").union_all()
    town = zones[zones.TYPEZONE == "U"].union_all()
    others = zones[zones.TYPEZONE != "U"].union_all()
    free = max(
        shapely.get_parts(town.difference(blocked).difference(others).buffer(-15)),
        key=lambda part: part.area,
    )
    x, y = free.representative_point().coords[0]
    site = read_site(SQUARE.format(x - 5, y - 5, x + 5, y + 5), french)
    check = check_site(site, french, use="0701", as_of=AS_OF)
    # What keeps the answer open are the heights and footprints of a text nobody has filled in.
    opened = {f.rule for f in check.findings if f.verdict is Verdict.UNDETERMINED}
    assert (
        {"plu.height", "plu.footprint"}
        <= opened
        <= {"plu.height", "plu.footprint", "plu.landscape"}
    )
    assert check.finding("plu.zone-use").verdict is Verdict.PASS


def test_classified_woodland_fails_and_reserved_land_is_conditional(
    french: Plan, french_plan_dir: Path
) -> None:
    surfaces = raw(french_plan_dir, "PRESCRIPTION_SURF")
    for code, rule, verdict in (
        ("01", "plu.classified-woodland", Verdict.FAIL),
        ("05", "plu.reserved-site", Verdict.CONDITIONAL),
    ):
        part = surfaces[code == surfaces.TYPEPSC].geometry.iloc[0]
        x, y = part.representative_point().coords[0]
        site = read_site(SQUARE.format(x - 2, y - 2, x + 2, y + 2), french)
        found = check_site(site, french, use="0701", as_of=AS_OF).finding(rule)
        assert found.verdict is verdict


def test_points_and_lines_of_the_plan_stand_in_the_evidence(
    french: Plan, french_plan_dir: Path
) -> None:
    x, y = raw(french_plan_dir, "PRESCRIPTION_PCT").geometry.iloc[0].coords[0][:2]
    site = read_site(SQUARE.format(x - 5, y - 5, x + 5, y + 5), french)
    check = check_site(site, french, use="0701", as_of=AS_OF)
    assert any(e.layer == "heritage_points" and e.count for e in check.evidence)


def test_degrees_are_accepted_and_chinese_coordinates_are_not(french: Plan) -> None:
    site = read_site(
        "POLYGON((4.36 43.99, 4.361 43.99, 4.361 43.991, 4.36 43.99))", french, crs="EPSG:4326"
    )
    assert site.crs.work_epsg == 2154
    with pytest.raises(ValueError, match="4548"):
        read_site("SRID=4548;POLYGON((4e5 4e6,4e5 4.1e6,4.1e5 4e6,4e5 4e6))", french)


def test_the_map_of_the_french_plan_draws(french: Plan) -> None:
    page = plan_map(french)
    assert "Zonage" in page
    assert "PLU 30014" in page


def test_the_command_line_answers_for_the_french_plan(
    french_plan_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch
) -> None:
    file = tmp_path / "site.wkt"
    file.write_text(SQUARE.format(809500, 6322800, 809700, 6323000), encoding="utf-8")
    monkeypatch.setattr(
        "sys.argv",
        [
            "wuqu",
            "check",
            str(file),
            "--use",
            "0701",
            "--plan",
            str(french_plan_dir),
            "--as-of",
            "2026-11-22",
            "--format",
            "json",
        ],
    )
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 0
    assert json.loads(capsys.readouterr().out)["plan"]["id"] == "plu-30014"
