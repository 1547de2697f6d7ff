"""Exports of real checks: styles for QGIS, workbooks without formulas, remedies as TXT."""

import csv
import io
import xml.etree.ElementTree as ET
from dataclasses import replace

import openpyxl
import pyogrio
import pytest
import shapely
from shapely.geometry import shape
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import Settings
from gis.canonical import to_dict
from gis.check import check_site
from gis.commands.outputs import Outputs
from gis.crs import ellipsoidal_area, transform
from gis.errors import ClaimError, NotFoundError
from gis.intake import read_site, read_sites
from gis.output import qgis
from gis.output.export import write_csv, write_gpkg
from gis.output.maps import style
from gis.output.remedy_txt import remedies_txt, write_remedies
from gis.output.workbook import write_xlsx
from gis.plan.samples import load_samples

LANDUSE, PLANNED_USE = "wuqu_land_landuse", "wuqu_land_planned_use"
HOSTILE = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =1", "甲\x0b乙", "\ud800"]


@pytest.fixture(scope="module")
def checked(plan):
    """The sample with a trim and a shift, checked."""
    sample = next(s for s in load_samples(plan) if "明珠广场" in s.name and "道路" not in s.name)
    site = read_site(sample.path, plan, name=sample.name)
    done = check_site(site, plan, use=sample.use, attributes=sample.attributes, as_of=sample.as_of)
    return to_dict(done)


@pytest.fixture(scope="module")
def gpkg(checked, plan, tmp_path_factory):
    return write_gpkg([checked], tmp_path_factory.mktemp("x") / "a.gpkg", plan.work_epsg, plan)


def named(document, name):
    return document | {"site": document["site"] | {"name": name}}


# --- GeoPackage with styles ----------------------------------------------------------------------


def test_every_layer_has_a_style_and_the_table_of_styles_is_registered(gpkg):
    names = {str(name) for name, _ in pyogrio.list_layers(gpkg)}
    styles = pyogrio.read_dataframe(gpkg, layer="layer_styles")
    assert set(styles["f_table_name"]) == names - {"layer_styles"}
    assert {"sites", "remedies", "wuqu_findings", LANDUSE, PLANNED_USE} <= names
    # QGIS 3.22 sorts by update_time and finds no style in a table without it (seen by opening).
    assert {"f_geometry_column", "styleQML", "useAsDefault", "update_time"} <= set(styles.columns)
    listed = pyogrio.read_dataframe(
        gpkg, sql="SELECT data_type FROM gpkg_contents WHERE table_name = 'layer_styles'"
    )
    assert list(listed["data_type"]) == ["attributes"]


@pytest.mark.parametrize(
    ("layer", "field"),
    [
        ("sites", "verdict"),
        ("wuqu_findings", "verdict"),
        (LANDUSE, "group"),
        (PLANNED_USE, "group"),
    ],
)
def test_the_categories_of_a_style_are_the_values_in_the_data(gpkg, layer, field):
    styles = pyogrio.read_dataframe(gpkg, layer="layer_styles").set_index("f_table_name")
    renderer = ET.fromstring(styles.loc[layer, "styleQML"]).find("renderer-v2")
    values = {c.get("value") for c in renderer.iter("category")}
    assert renderer.get("attr") == field
    assert values == set(pyogrio.read_dataframe(gpkg, layer=layer)[field])
    assert {c.get("symbol") for c in renderer.iter("category")} == {
        s.get("name") for s in renderer.iter("symbol")
    }


def test_land_classes_are_filled_with_the_colours_of_the_map_pages():
    qml = ET.fromstring(qgis.categorized("group", qgis.class_categories({"01": "耕地"})))
    # 01 is RGB 245, 248, 220 in the symbol set of the standard.
    assert style.LAND_CLASSES["01"][1] == "#f5f8dc"
    colours = [o.get("value") for o in qml.iter("Option") if o.get("name") == "color"]
    assert colours == ["245,248,220,255"]


def test_a_finding_is_hatched_because_colour_alone_tells_nothing_to_many():
    (failed,) = qgis.verdict_categories(["fail"], hatched=True)
    (cleared,) = qgis.verdict_categories(["fail"], hatched=False)
    assert [kind for kind, _ in failed.symbol] == ["SimpleFill", "LinePatternFill"]
    assert [kind for kind, _ in cleared.symbol] == ["SimpleFill"]


def test_the_geopackage_has_the_area_and_the_verdict_of_the_check(gpkg, checked, plan):
    (row,) = pyogrio.read_dataframe(gpkg, layer="sites").to_dict("records")
    assert row["verdict"] == checked["verdict"]
    assert row["area_m2"] == checked["site"]["area"]["ellipsoidal_m2"]
    # Nine decimals of a degree are 0.1 mm; along 1 km of outline that is 0.1 m².
    assert ellipsoidal_area(row["geometry"], plan.work_epsg) == pytest.approx(
        row["area_m2"], abs=0.2
    )


def test_the_pieces_of_land_use_cover_the_site(gpkg, checked):
    pieces = pyogrio.read_dataframe(gpkg, layer=LANDUSE)
    assert pieces["area_m2"].sum() == pytest.approx(
        checked["site"]["area"]["ellipsoidal_m2"], abs=1.0
    )


def test_land_above_the_ceiling_is_not_drawn(checked, plan, tmp_path):
    secret = {
        k: replace(v, info=replace(v.info, secrecy="restricted")) if k == "landuse" else v
        for k, v in plan.layers.items()
    }
    path = write_gpkg([checked], tmp_path / "s.gpkg", plan.work_epsg, replace(plan, layers=secret))
    names = {str(name) for name, _ in pyogrio.list_layers(path)}
    assert LANDUSE not in names
    assert PLANNED_USE in names


def test_equal_checks_give_equal_geopackages(gpkg, checked, plan, tmp_path):
    again = write_gpkg([checked], tmp_path / "b.gpkg", plan.work_epsg, plan)
    assert again.read_bytes() == gpkg.read_bytes()


def test_a_geopackage_of_results_read_again_holds_the_sites_and_remedies_only(gpkg, checked, plan):
    sites = read_sites(gpkg, plan)
    outlined = sum(bool(r.get("geometry")) for r in checked["remedies"])
    assert len(sites) == 1 + outlined
    assert "layer_result" in {note.code for note in sites[0].notes}


# --- tables --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_becomes_a_formula_in_a_workbook_or_a_table(checked, tmp_path, name):
    book = openpyxl.load_workbook(write_xlsx([named(checked, name)], tmp_path / "a.xlsx"))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert not [c.coordinate for c in cells if c.data_type == "f"]
    text = write_csv([named(checked, name)], tmp_path / "a.csv").read_text("utf-8-sig")
    shown = [book["地块"]["A2"].value, next(iter(list(csv.reader(io.StringIO(text)))[1]))]
    assert not [s for s in shown if s.lstrip().startswith(("=", "+", "-", "@"))]


def test_a_workbook_tells_every_finding_and_keeps_numbers_as_numbers(checked, tmp_path):
    book = openpyxl.load_workbook(write_xlsx([checked], tmp_path / "a.xlsx"))
    assert book.sheetnames == ["地块", "各项结论", "涉及面积", "用地指标", "数据来源"]
    assert book["各项结论"].max_row == 1 + len(checked["findings"])
    assert book["涉及面积"].max_row == 1 + len(checked["evidence"])
    assert book["地块"]["E2"].value == checked["site"]["area"]["ellipsoidal_m2"]


# --- remedies ------------------------------------------------------------------------------------


def test_a_remedy_read_again_from_its_txt_has_the_same_outline_within_a_millimetre(
    checked, plan, tmp_path
):
    path = write_remedies([checked], tmp_path / "r.txt", plan)
    wanted = [r["geometry"] for r in checked["remedies"] if r.get("geometry")]
    found = read_sites(path, plan)
    outlines = [
        part
        for g in wanted
        for part in shapely.get_parts(transform(shape(g), 4490, plan.work_epsg))
    ]
    assert len(outlines) == len(found) >= 2
    for site, outline in zip(found, outlines, strict=True):
        assert shapely.hausdorff_distance(site.geometry, outline) < 0.001


def test_a_check_without_an_outlined_remedy_has_no_txt(checked, plan):
    bare = checked | {"remedies": [r for r in checked["remedies"] if not r.get("geometry")]}
    with pytest.raises(NotFoundError, match="没有可以写出"):
        remedies_txt([bare], plan)


# --- over HTTP -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    chosen = Settings(db=tmp_path_factory.mktemp("db") / "r.sqlite")
    with TestClient(create_app(chosen), base_url="http://127.0.0.1") as opened:
        yield opened


def test_a_kept_check_is_downloaded_in_every_format(client, checked):
    answer = client.post(
        "/v1/site-checks?as_of=2026-11-22&use=0901", json=checked["site"]["geometry"]
    ).json()
    address = f"/v1/site-checks/{answer['id']}"
    starts = {"gpkg": b"SQLite format 3", "xlsx": b"PK", "csv": b"\xef\xbb\xbf", "txt": b"["}
    for suffix, start in starts.items():
        got = client.get(f"{address}.{suffix}")
        assert got.status_code == 200, got.text
        assert got.content.startswith(start)
        assert got.headers["content-disposition"].endswith(f'.{suffix}"')
    assert "[地块坐标]" in client.get(f"{address}.txt").content.decode("gbk")


def test_the_card_of_a_kept_check_is_a_picture(client, checked):
    answer = client.post("/v1/site-checks?use=0901", json=checked["site"]["geometry"]).json()
    got = client.get(f"/v1/site-checks/{answer['id']}.png")
    assert got.headers["content-type"] == "image/png"
    assert got.content.startswith(b"\x89PNG")


def test_an_unknown_check_is_not_found_in_any_format(client):
    for suffix in ("gpkg", "xlsx", "csv", "txt", "png"):
        assert client.get(f"/v1/site-checks/nothing.{suffix}").status_code == 404


# --- at the terminal -----------------------------------------------------------------------------


def test_the_command_refuses_an_unknown_ending_before_it_reads_anything(tmp_path):
    with pytest.raises(ClaimError, match="--out 不能写出"):
        Outputs(out=tmp_path / "a.dwg").refuse_unknown()
    with pytest.raises(ClaimError, match="--remedies 不能写出"):
        Outputs(remedies=tmp_path / "a.shp").refuse_unknown()


@pytest.mark.parametrize("suffix", [".gpkg", ".geojson", ".csv", ".xlsx"])
def test_the_command_writes_every_format_it_names(checked, plan, tmp_path, suffix):
    asked = Outputs(out=tmp_path / "new" / f"a{suffix}", remedies=tmp_path / "r.TXT")
    asked.refuse_unknown()
    asked.write([checked], [], plan)
    assert asked.out.stat().st_size > 100
    assert read_sites(asked.remedies, plan)
