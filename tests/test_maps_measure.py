"""Measuring on a map page: tapped lengths and areas agree with PROJ, and taps open nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from browser_pages import PHONE, shown
from pyproj import Geod

# The ellipsoid of CGCS2000; PROJ measures along geodesics.
GEOD = Geod(a=6378137, rf=298.257222101)
# By side: 100 m, 3 km and 20 km, corners not on a grid.
RINGS = {
    "small": [(115.98, 36.40), (115.9811, 36.4002), (115.9809, 36.4011), (115.9798, 36.4008)],
    "site": [(115.95, 36.35), (115.98, 36.352), (115.979, 36.381), (115.949, 36.378)],
    "plan": [(115.85, 36.25), (116.10, 36.26), (116.09, 36.44), (115.84, 36.43)],
}


@pytest.fixture(scope="module")
def file(bare_plan_page: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("measure") / "plan.html"
    path.write_text(bare_plan_page, encoding="utf-8")
    return path


def middle(page: Any) -> tuple[float, float]:
    box = page.locator(".folium-map").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


@pytest.mark.parametrize("name", RINGS)
def test_lengths_and_areas_are_those_of_proj(browser: Any, file: Path, name: str) -> None:
    ring = RINGS[name]
    page = shown(browser, file)
    points = [{"lng": x, "lat": y} for x, y in ring]
    length, area = page.evaluate(
        "points => [wuquGeodesy.length(points), wuquGeodesy.area(points)]", points
    )
    lon, lat = zip(*ring, strict=True)
    assert length == pytest.approx(GEOD.line_length(lon, lat), rel=1e-6)
    # Edges are straight in another projection than geodesics are: 1e-5 at 20 km.
    assert area == pytest.approx(abs(GEOD.polygon_area_perimeter(lon, lat)[0]), rel=2e-5)


def test_no_point_and_one_point_measure_nothing(browser: Any, file: Path) -> None:
    page = shown(browser, file)
    for points in ([], [{"lng": 116, "lat": 36}], [{"lng": 116, "lat": 36}] * 3):
        found = page.evaluate("p => [wuquGeodesy.length(p), wuquGeodesy.area(p)]", points)
        assert found == [0, 0]


def test_taps_measure_and_open_no_popup_until_the_tool_is_put_away(
    browser: Any, file: Path
) -> None:
    page = shown(browser, file)
    x, y = middle(page)
    scale = page.evaluate(
        "() => { const bar = document.querySelector('.leaflet-control-scale-line');"
        " return [bar.offsetWidth, bar.innerText]; }"
    )
    page.click(".wq-measure-button")
    assert page.get_attribute(".wq-measure-button", "aria-pressed") == "true"
    for dx, dy in ((0, 0), (100, 0), (100, 100)):
        page.mouse.click(x + dx, y + dy)
    assert page.locator(".leaflet-popup").count() == 0
    said = page.inner_text(".wq-measure output")
    told = re.fullmatch(r"长约 ([\d.]+) 公里；合围面积约 ([\d,.]+) 亩（([\d,.]+) 公顷）", said)
    assert told, said
    # By the scale bar of the page: two sides of 100 pixels, and half of their square.
    metres = float(scale[1].split()[0]) * 1000 / scale[0]
    assert float(told[1]) * 1000 == pytest.approx(200 * metres, rel=0.02)
    hectares = float(told[3].replace(",", ""))
    assert hectares == pytest.approx((100 * metres) ** 2 / 2 / 1e4, rel=0.03)
    assert float(told[2].replace(",", "")) == pytest.approx(hectares * 15, rel=1e-4)
    page.click('.wq-measure button[data-do="undo"]')
    assert "面积" not in page.inner_text(".wq-measure output")
    page.click('.wq-measure button[data-do="end"]')
    assert not page.locator(".wq-measure").is_visible()
    page.mouse.click(x, y)
    page.wait_for_selector(".leaflet-popup")


def test_the_keyboard_alone_measures(browser: Any, file: Path) -> None:
    page = shown(browser, file)
    page.locator(".wq-measure-button").focus()
    page.keyboard.press("Enter")
    page.locator(".folium-map").focus()
    page.keyboard.press("Enter")
    before = page.evaluate("document.querySelector('.leaflet-map-pane').style.transform")
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "old => document.querySelector('.leaflet-map-pane').style.transform !== old", arg=before
    )
    page.keyboard.press("Enter")
    assert page.inner_text(".wq-measure output").startswith("长约")
    page.keyboard.press("Escape")
    assert not page.locator(".wq-measure").is_visible()
    assert page.evaluate("document.activeElement.className") == "wq-measure-button"


def test_on_a_phone_a_finger_measures_and_the_answer_covers_no_control(
    browser: Any, file: Path
) -> None:
    page = shown(browser, file, PHONE)
    page.tap(".wq-measure-button")
    for at in ((150, 260), (250, 300), (180, 380)):
        page.touchscreen.tap(*at)
    assert "公顷" in page.inner_text(".wq-measure output")
    panel = page.locator(".wq-measure").bounding_box()
    assert panel["x"] + panel["width"] <= 390
    for other in (".leaflet-control-layers", ".wq-legend-button", ".wq-measure-button"):
        box = page.locator(other).bounding_box()
        apart = (
            box["y"] + box["height"] <= panel["y"]
            or panel["y"] + panel["height"] <= box["y"]
            or box["x"] + box["width"] <= panel["x"]
        )
        assert apart, other
