"""Contacts: the place of a sliver, and the small drawing that goes out with it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import geopandas
import pytest
import shapely
from case_world import EPSG, Case, box, checked, plan_of

from gis.canonical import decision_part, to_dict
from gis.crs import transform
from gis.output.contacts import HEIGHT, WIDTH, contact_pictures
from gis.output.export import to_geojson, without_geometry_of, write_gpkg
from gis.output.maps import site_map

SVG = "{http://www.w3.org/2000/svg}"
# A strip of green belt 4 cm wide on the eastern edge of the site, 20 m long: 0.8 m².
ROW = {
    "rule": "cn.green-line",
    "shows": "edge",
    "name": "学校",
    "site": [0, 0, 100, 100],
    "use": "080403",
    "verdict": "pass",
    "layers": {"green_line": [{"box": [99.96, 40, 160, 60], "class": "绿线"}]},
}
CASE = Case("contacts", 1, ROW)


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    return to_dict(checked(CASE))


def green(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [c for c in document["contacts"] if c["layer"] == "green_line"]


def layer_paths(svg: str) -> list[str]:
    """Paths in the colour of the layer."""
    return re.findall(r'<path d="([^"]+)"[^>]*stroke="#1f7a3d"', svg)


def test_a_contact_says_where_it_is(found) -> None:
    contact = green(found)[0]
    assert (contact["area_m2"], contact["width_m"]) == (0.8, 0.04)
    place = transform(shapely.geometry.shape(contact["geometry"]), 4490, EPSG)
    # Nine decimals of a degree are 0.1 mm: 20 m of border make 2 cm².
    assert place.symmetric_difference(box([99.96, 40, 100, 60])).area < 0.01


def test_the_place_is_no_part_of_the_decision() -> None:
    contacts = decision_part(checked(CASE))["contacts"]
    assert contacts
    assert {tuple(sorted(c)) for c in contacts} == {("area_m2", "layer", "rule", "width_m")}


def test_the_drawing_shows_site_layer_sliver_scale_and_size(found) -> None:
    svg = contact_pictures(found, plan_of(CASE))[0]
    root = ElementTree.fromstring(svg)
    assert root.get("viewBox") == f"0 0 {WIDTH} {HEIGHT}"
    colours = [p.get("stroke") for p in root.iter(f"{SVG}path")]
    assert colours == ["#14365f", "#1f7a3d", "#d1232f", "#1c2733"]
    words = [t.text for t in root.iter(f"{SVG}text")]
    assert words[1] == "城市绿线：0.80 m²，宽 0.040 m"
    # 20 m of border and a quarter on both sides make 30 m in 194 pixels.
    scale = 194 / 30
    metres = float(words[0].split(" ")[0])
    assert metres == 10.0  # the longest of 1, 2, 5 x 10^n within a quarter of 49.5 m
    bar = next(p.get("d") for p in root.iter(f"{SVG}path") if p.get("stroke") == "#1c2733")
    assert float(re.search(r"H([\d.]+)", bar)[1]) == pytest.approx(8 + metres * scale, abs=0.1)


def test_the_sliver_stands_in_the_middle_of_the_drawing(found) -> None:
    svg = contact_pictures(found, plan_of(CASE))[0]
    path = re.search(r'<path d="([^"]+)" fill="#d1232f"', svg)[1]
    points = [tuple(map(float, p.split())) for p in re.findall(r"[\d.]+ [\d.]+", path)]
    xs, ys = zip(*points, strict=True)
    assert (min(xs) + max(xs)) / 2 == pytest.approx(WIDTH / 2, abs=0.2)
    assert (max(ys) - min(ys)) == pytest.approx(20 * 194 / 30, abs=0.3)


def test_a_drawing_without_a_plan_shows_the_site_and_the_sliver_only(found) -> None:
    svg = contact_pictures(found)[0]
    assert layer_paths(svg) == []
    assert 'fill="#d1232f"' in svg


def test_a_layer_above_the_ceiling_is_not_drawn_and_without_its_place_there_is_no_drawing(found):
    plan = plan_of(CASE)
    layer = plan.layers["green_line"]
    secret = with_secrecy(plan, layer, "internal")
    assert layer_paths(contact_pictures(found, secret)[0]) == []
    assert layer_paths(contact_pictures(found, secret, "internal")[0])
    hidden = without_geometry_of(found, {"green_line"})
    assert "geometry" not in green(hidden)[0]
    assert contact_pictures(hidden, secret)[0] == ""
    assert green(hidden)[0]["area_m2"] == 0.8


def with_secrecy(plan: Any, layer: Any, secrecy: str) -> Any:
    """The plan with another secrecy of one layer."""
    info = replace(layer.info, secrecy=secrecy)
    index = replace(layer.index, info=info)
    return replace(plan, layers={**plan.layers, info.id: replace(layer, info=info, index=index)})


def test_a_hostile_title_stays_text(found) -> None:
    bad = "</text><script>alert(1)</script>&\x00\ud800"
    layers = [row | {"title": bad} for row in found["layers"]]
    svg = contact_pictures(found | {"layers": layers})[0]
    assert not list(ElementTree.fromstring(svg).iter(f"{SVG}script"))
    assert "<script" not in svg


def test_equal_checks_give_equal_drawings(found) -> None:
    again = to_dict(checked(CASE))
    assert contact_pictures(found, plan_of(CASE)) == contact_pictures(again, plan_of(CASE))


def test_a_record_without_contacts_or_without_their_place_has_no_drawing(found) -> None:
    old = {k: v for k, v in found.items() if k != "contacts"}
    assert contact_pictures(old) == ()
    bare = [{k: v for k, v in c.items() if k != "geometry"} for c in found["contacts"]]
    assert set(contact_pictures(found | {"contacts": bare})) == {""}


def test_exports_carry_the_drawing(found, tmp_path) -> None:
    plan = plan_of(CASE)
    features = to_geojson([found], plan)["features"]
    contacts = [f for f in features if f["properties"]["role"] == "contact"]
    assert len(contacts) == len(found["contacts"])
    assert all(f["properties"]["picture"].startswith("<svg") for f in contacts)
    assert json.dumps(features)
    table = geopandas.read_file(
        write_gpkg([found], tmp_path / "s.gpkg", EPSG, plan), layer="contacts"
    )
    pictures = contact_pictures(found, plan)
    assert list(table["picture"]) == list(pictures)
    assert set(table.geometry.geom_type) == {"Point"}
    place = box([99.96, 40, 100, 60]).buffer(0.001)
    assert all(place.contains(point) for point in table.geometry)


def test_the_map_shows_the_drawing_under_the_contact(found, plan) -> None:
    page = site_map(found, plan)
    assert page.count('<div class="wq-picture"><svg') == len(found["contacts"])
    secret = with_secrecy(plan, plan.layers["green_line"], "restricted")
    shown = site_map(found, secret)
    others = [c for c in found["contacts"] if c["layer"] != "green_line"]
    assert shown.count('<div class="wq-picture"><svg') == len(others)


def test_a_remedy_near_a_hidden_layer_keeps_its_words_only(plan) -> None:
    row = ROW | {"layers": {"green_line": [{"box": [60, -900, 160, 900], "class": "绿线"}]}}
    document = to_dict(checked(Case("contacts", 2, row), remedies=True))
    drawn = [r for r in document["remedies"] if "geometry" in r]
    assert {r["kind"] for r in drawn} == {"trim", "shift"}
    hidden = without_geometry_of(document, {"green_line"})
    assert not [r for r in hidden["remedies"] if "geometry" in r]
    assert [r["text"] for r in hidden["remedies"]] == [r["text"] for r in document["remedies"]]
    names = [
        f["properties"]["name"]
        for f in to_geojson([document])["features"]
        if f["properties"]["role"] == "remedy"
    ]
    assert names == ["学校（裁减方案 1）", "学校（平移方案 1）"]
    page = site_map(document, plan)
    assert "wq-remedy" in page
    assert "裁减或平移后的范围" in page
    closed = site_map(document, with_secrecy(plan, plan.layers["green_line"], "restricted"))
    assert "wq-remedy" not in closed
    assert "裁减方案 1" in closed
