"""Exports: GeoJSON, GeoPackage and CSV made from the JSON document of a check."""

import csv
import json
from dataclasses import replace

import geopandas
import pyogrio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.canonical import to_dict
from gis.check import check_site
from gis.intake import read_site, read_sites
from gis.model import may_show
from gis.output.export import (
    COLUMNS,
    safe_cell,
    to_geojson,
    without_geometry_of,
    write_csv,
    write_gpkg,
)
from gis.plan.samples import load_samples

# 0.001 degree squares near 115.97 E, 36.37 N.
RING = [[115.97, 36.37], [115.971, 36.37], [115.971, 36.371], [115.97, 36.371], [115.97, 36.37]]
SQUARE = {"type": "Polygon", "coordinates": [RING]}


def finding(rule="farmland", layer="farmland", geometry=SQUARE):
    row = {
        "rule": rule,
        "title": "永久基本农田",
        "verdict": "fail",
        "verdict_label": "不符合",
        "layer": layer,
        "measure": {"kind": "area", "value": 12.5, "unit": "m²", "share": 0.1},
        "threshold": "0",
        "reason": "占用永久基本农田",
        "basis": [
            {"document": "土地管理法", "number": "", "article": "第三十五条", "verified": False}
        ],
        "remedy": "调整边界",
    }
    return row | ({"geometry": geometry} if geometry else {})


def document(name="一号地块", **changes):
    base = {
        "id": "r1",
        "verdict": "fail",
        "verdict_label": "不符合",
        "deciding_rule": "farmland",
        "site": {
            "name": name,
            "area": {"ellipsoidal_m2": 9958.0, "planar_m2": 9960.0, "mu": 14.937, "ha": 0.9958},
            "crs": {"source": "EPSG:4527", "work": "EPSG:4548", "how": "prefix"},
            "claims": {"use": "0802"},
            "geometry": SQUARE,
        },
        "findings": [finding()],
        "remedies": [{"rule": "farmland", "text": "裁去重叠部分", "geometry": SQUARE}],
        "as_of": "2026-11-22",
        "plan": {
            "id": "demo",
            "version": "1",
            "title": "示意规划",
            "status": "schematic",
            "status_note": "示意数据",
        },
        "digest": "d" * 64,
    }
    return base | changes


def test_geojson_holds_the_site_first_then_findings_and_remedies():
    features = to_geojson([document()])["features"]
    assert [f["properties"]["role"] for f in features] == ["site", "finding", "remedy"]
    assert features[0]["geometry"] == SQUARE
    assert features[1]["properties"]["value"] == 12.5
    assert features[1]["properties"]["basis"] == "《土地管理法》第三十五条【依据待核】"


def test_the_site_in_geojson_says_that_the_plan_is_schematic():
    properties = to_geojson([document()])["features"][0]["properties"]
    assert (properties["plan_status"], properties["plan_note"]) == ("schematic", "示意数据")


def test_a_finding_without_geometry_is_no_feature():
    features = to_geojson([document(findings=[finding(geometry=None)])])["features"]
    assert [f["properties"]["role"] for f in features] == ["site", "remedy"]


def test_a_finding_without_a_measured_value_is_still_exported():
    row = finding() | {"measure": None}
    features = to_geojson([document(findings=[row])])["features"]
    assert features[1]["properties"]["value"] is None


@pytest.mark.parametrize(
    ("secrecy", "ceiling", "hidden"),
    [
        ("public", "public", False),
        ("internal", "public", True),
        ("internal", "internal", False),
        ("restricted", "internal", True),
        ("typo", "restricted", True),
    ],
)
def test_a_layer_above_the_ceiling_hides_its_coordinates(secrecy, ceiling, hidden):
    assert may_show(secrecy, ceiling) is not hidden


def test_a_hidden_layer_keeps_verdict_and_area_but_no_coordinates_not_even_in_the_remedy():
    hidden = without_geometry_of(document(), {"farmland"})
    assert hidden["findings"][0]["measure"]["value"] == 12.5
    assert "geometry" not in hidden["findings"][0]
    assert "geometry" not in hidden["remedies"][0]
    assert [f["properties"]["role"] for f in to_geojson([hidden])["features"]] == ["site"]


def test_hiding_one_layer_leaves_the_others_and_the_original_untouched():
    original = document(findings=[finding(), finding(rule="redline", layer="redline")])
    hidden = without_geometry_of(original, {"farmland"})
    assert "geometry" in hidden["findings"][1]
    assert "geometry" in original["findings"][0]


def test_a_part_off_a_hidden_layer_shows_its_border_and_is_hidden_too():
    canal = finding(rule="canal", layer="grand_canal") | {"layers": ["grand_canal", "built_up"]}
    sliver = {"layer": "grand_canal", "rule": "canal", "area_m2": 0.1, "width_m": 0.01}
    given = document(
        findings=[canal, finding()], contacts=[sliver | {"geometry": SQUARE}], remedies=[]
    )
    hidden = without_geometry_of(given, {"built_up"})
    assert "geometry" not in hidden["findings"][0]
    assert "geometry" not in hidden["contacts"][0]
    assert "geometry" in hidden["findings"][1]


def test_a_remedy_is_hidden_for_what_it_keeps_clear_of_and_for_nothing_else():
    # The site does not touch the redline; it was moved to where it does not touch it either.
    moved = {"rule": "farmland", "text": "平移", "geometry": SQUARE, "layers": ["redline"]}
    given = document(remedies=[moved])
    assert "geometry" not in without_geometry_of(given, {"redline"})["remedies"][0]
    assert "geometry" in without_geometry_of(given, {"farmland"})["remedies"][0]


def test_exports_with_a_plan_take_out_what_its_ceiling_hides(plan, tmp_path):
    layer = plan.layers["farmland"]
    secret = replace(layer, info=replace(layer.info, secrecy="internal"))
    closed = replace(plan, layers={**plan.layers, "farmland": secret})
    moved = {"rule": "farmland", "text": "平移", "kind": "shift", "geometry": SQUARE}
    given = [document(remedies=[moved | {"layers": ["farmland"]}])]

    def roles(ceiling):
        return [f["properties"]["role"] for f in to_geojson(given, closed, ceiling)["features"]]

    assert roles("public") == ["site"]
    assert roles("internal") == ["site", "finding", "remedy"]
    # The land classes of the plan and the styles have no ceiling here.
    others = ["wuqu_land_landuse", "layer_styles"]
    shown = {"public": ["sites"], "internal": ["sites", "wuqu_findings", "remedies"]}
    for ceiling, layers in shown.items():
        path = write_gpkg(given, tmp_path / f"{ceiling}.gpkg", 4548, closed, ceiling)
        assert [name for name, _ in pyogrio.list_layers(path)] == [*layers, *others]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "  ="])
def test_text_that_would_run_as_a_formula_is_neutralised(start):
    assert safe_cell(f"{start}1+1") == f"'{start}1+1"


def test_numbers_stay_numbers_even_when_negative():
    assert safe_cell(-3.5) == -3.5


@settings(max_examples=60)
@given(st.text(max_size=12))
def test_no_text_cell_ever_starts_with_a_formula_sign(text):
    assert not safe_cell(text).lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r"))


def test_csv_opens_in_excel_and_holds_no_formula(tmp_path):
    path = write_csv([document("=HYPERLINK(1)"), document("二号")], tmp_path / "new" / "c.csv")
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(path.read_text("utf-8-sig").splitlines()))
    assert rows[0] == list(COLUMNS.values())
    assert [r[0] for r in rows[1:]] == ["'=HYPERLINK(1)", "二号"]
    assert rows[1][4] == "9958.0"


def test_gpkg_holds_outline_verdict_and_areas_in_the_work_crs(tmp_path):
    path = write_gpkg([document(), document("二号")], tmp_path / "out" / "sites.gpkg", 4548)
    frame = geopandas.read_file(path, layer="sites")
    assert frame.crs.to_epsg() == 4548
    assert list(frame["name"]) == ["一号地块", "二号"]
    assert list(frame["verdict"]) == ["fail", "fail"]
    assert set(frame.geometry.geom_type) == {"MultiPolygon"}
    # By hand: 0.001 deg x 0.001 deg at 36.37 N is about 89.72 m x 110.97 m, planar +206 ppm.
    assert frame.geometry.area.iloc[0] == pytest.approx(9_958, rel=2e-3)


def test_a_multipart_site_stays_one_row(tmp_path):
    far = [[x + 0.01, y] for x, y in RING]
    outline = {"type": "MultiPolygon", "coordinates": [[RING], [far]]}
    site = document()["site"] | {"geometry": outline}
    frame = geopandas.read_file(
        write_gpkg([document(site=site)], tmp_path / "s.gpkg", 4548), layer="sites"
    )
    assert len(frame) == 1
    assert len(frame.geometry.iloc[0].geoms) == 2


def test_gpkg_of_equal_checks_is_byte_equal_and_replaces_the_old_file(tmp_path):
    first = write_gpkg([document()], tmp_path / "a.gpkg", 4548).read_bytes()
    write_gpkg([document("别的")], tmp_path / "b.gpkg", 4548)
    second = write_gpkg([document()], tmp_path / "b.gpkg", 4548).read_bytes()
    assert first == second
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.gpkg", "b.gpkg"]


def test_gpkg_without_any_site_is_a_readable_empty_layer(tmp_path):
    frame = geopandas.read_file(write_gpkg([], tmp_path / "s.gpkg", 4548), layer="sites")
    assert len(frame) == 0
    assert frame.crs.to_epsg() == 4548


def test_geojson_of_several_checks_says_whose_each_feature_is():
    features = to_geojson([document(), document("二号地块", digest="e" * 64)])["features"]
    findings = [f["properties"] for f in features if f["properties"]["role"] == "finding"]
    assert [(f["site"], f["digest"][0]) for f in findings] == [("一号地块", "d"), ("二号地块", "e")]


def test_half_a_surrogate_pair_in_a_name_does_not_stop_an_export(tmp_path):
    bad = document("坏\ud800名")
    frame = geopandas.read_file(write_gpkg([bad], tmp_path / "s.gpkg", 4548), layer="sites")
    assert list(frame["name"]) == ["坏?名"]
    assert "坏?名" in write_csv([bad], tmp_path / "s.csv").read_text("utf-8-sig")
    assert json.dumps(to_geojson([bad]))


def test_what_is_exported_can_be_read_back_as_the_same_sites(plan, as_of, tmp_path):
    checks = [
        to_dict(
            check_site(
                read_site(s.path, plan, name=s.name, width_m=s.width_m),
                plan,
                use=s.use,
                as_of=as_of,
            )
        )
        for s in load_samples(plan)
    ]
    table = write_gpkg(checks, tmp_path / "sites.gpkg", plan.work_epsg)
    text = json.dumps(to_geojson(checks))
    drawn = [s for s in read_sites(text, plan) if s.name in {c["site"]["name"] for c in checks}]
    # The sites are the first layer of the table; the remedies after it are sites to try.
    for sites in (read_sites(table, plan)[: len(checks)], drawn):
        names = [s.name for s in sites]
        assert names == [c["site"]["name"] for c in checks]
        for site, check in zip(sites, checks, strict=True):
            # Nine decimals of a degree are 0.1 mm along borders of a few kilometres.
            expected = check["site"]["area"]["ellipsoidal_m2"]
            assert site.area.ellipsoidal_m2 == pytest.approx(expected, abs=0.1)
            assert site.use == check["site"]["claims"]["use"]


def test_a_written_site_read_again_gives_the_same_verdict(plan, as_of, tmp_path):
    claims = {"plot_ratio": 0.8, "public_interest": True, "land_supply": "allocated"}
    sample = next(s for s in load_samples(plan) if s.path.stem == "fire_station")
    given = [(sample.use, sample.attributes | claims), (sample.use, {})]
    checks = [
        to_dict(
            check_site(
                read_site(sample.path, plan),
                plan,
                use=use,
                attributes=attributes,
                as_of=as_of,
            )
        )
        for use, attributes in given
    ]
    assert checks[0]["verdict"] == "pass"
    assert checks[1]["verdict"] == "undetermined"  # plot ratio and height are not stated
    table = write_gpkg(checks, tmp_path / "sites.gpkg", plan.work_epsg)
    text = json.dumps(to_geojson([{**c, "findings": [], "remedies": []} for c in checks]))
    for sites in (read_sites(table, plan)[:2], read_sites(text, plan)[:2]):
        assert {w.code for site in sites for w in site.warnings} == {"duplicate_site"}
        again = [to_dict(check_site(site, plan, as_of=as_of)) for site in sites]
        assert [c["site"]["claims"] for c in again] == [c["site"]["claims"] for c in checks]
        assert [c["verdict"] for c in again] == [c["verdict"] for c in checks]
