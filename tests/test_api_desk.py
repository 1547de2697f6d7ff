"""The desk in a real browser: a site goes in, the verdict comes out, nothing leaves the machine."""

import json

import numpy as np
import pytest
import shapely
from desk_service import is_outside, serving
from pyproj import Transformer

RING = [[115.97, 36.37], [115.971, 36.37], [115.971, 36.371], [115.97, 36.371], [115.97, 36.37]]
EVIL = "<img src=x onerror='window.hit=1'>"


@pytest.fixture(scope="module")
def address(plan, tmp_path_factory):
    with serving(plan, tmp_path_factory.mktemp("db")) as started:
        yield started


BOTH_WIDTHS = pytest.mark.parametrize("desk", [1600, 390], indirect=True)


@pytest.fixture
def desk(browser, address, request):
    """The desk page, at phone width unless asked; fails on script errors and outside calls."""
    width = getattr(request, "param", 390)
    page = browser.new_page(viewport={"width": width, "height": 900})
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda r: faults.append(r.url) if is_outside(r.url, address) else None)
    page.goto(address)
    yield page
    page.close()
    assert faults == []


def paste(page, text):
    page.locator('input[value="text"]').check(force=True)
    page.fill("#text", text)
    page.click("button.go")


def choose_use(page, words):
    page.fill("#use-search", words)
    page.keyboard.press("Enter")


def collection():
    rows = [
        {"type": "Feature", "properties": {"name": name}, "geometry": geometry}
        for name, geometry in (
            (EVIL, {"type": "Polygon", "coordinates": [RING]}),
            ("二号", {"type": "Polygon", "coordinates": [[[x + 0.01, y] for x, y in RING]]}),
        )
    ]
    return json.dumps({"type": "FeatureCollection", "features": rows})


def test_pasted_points_become_a_verdict_and_the_address_remembers_it(desk):
    paste(desk, "1, 115.97, 36.37\n2, 115.971, 36.37\n3, 115.971, 36.371\n4, 115.97, 36.371")
    desk.wait_for_selector(".verdict")
    shown = desk.inner_text(".verdict")
    # By hand: 0.001 x 0.001 degree at 36.37 N is 89.7 m x 111.0 m, about 14.9 mu.
    assert "14.9" in shown
    assert "亩" in shown
    desk.reload()
    desk.wait_for_selector(".verdict")
    assert desk.inner_text(".verdict") == shown


@BOTH_WIDTHS
def test_a_file_is_checked_with_the_chosen_use(desk, samples_dir):
    desk.set_input_files("#file", samples_dir / "yizhong_xinxiao.txt")
    choose_use(desk, "080403")
    desk.click("button.go")
    desk.wait_for_selector(".verdict")
    assert "419.17" in desk.inner_text(".verdict")
    links = [a.get_attribute("href") for a in desk.locator(".downloads a").all()]
    kinds = ["docx", "geojson", "html", "html", "json", "pdf", "png"]
    assert sorted(link.rpartition(".")[2] for link in links) == kinds


def test_one_of_several_sites_is_chosen_and_a_name_is_never_run(desk):
    paste(desk, collection())
    desk.wait_for_selector(".problem.is-question")
    assert EVIL in desk.inner_text(".problem")
    desk.click(".problem .pick >> nth=0")
    desk.wait_for_selector(".verdict")
    assert EVIL in desk.inner_text(".verdict")
    assert desk.evaluate("window.hit") is None


def test_all_sites_of_a_file_are_shown_side_by_side(desk):
    paste(desk, collection())
    desk.click(".problem .go")
    desk.wait_for_selector(".choices")
    desk.click(".choices button >> nth=1")
    assert "二号" in desk.inner_text(".verdict")


def test_what_nobody_knows_of_the_budgets_is_shown_as_unknown(desk, plan):
    # Half of the site lies west of the resort, where no layer says anything.
    west, south, _, north = plan.layer("resort").index.union.bounds
    edge = plan.layer("resort").index.union.intersection(
        shapely.LineString([(west - 1, (south + north) / 2), (west + 5000, (south + north) / 2)])
    )
    x, y = edge.bounds[0], (south + north) / 2
    ring = shapely.transform(shapely.box(x - 50, y - 50, x + 50, y + 50), to_degrees)
    paste(desk, json.dumps(shapely.geometry.mapping(ring)))
    desk.wait_for_selector(".verdict")
    section = desk.locator("section", has=desk.get_by_role("heading", name="占用指标")).last
    assert "未知" in section.inner_text()
    assert "占用量未知" in section.inner_text()


def to_degrees(xy):
    lon, lat = Transformer.from_crs(4548, 4490, always_xy=True).transform(*xy.T)
    return np.column_stack([lon, lat])


def test_a_problem_says_what_and_where(desk):
    paste(desk, '{"type":"Polygon","coordinates":[[[NaN,36.37]]]}')
    desk.wait_for_selector(".problem")
    assert "$.coordinates[0][0][0]" in desk.inner_text(".problem")


@BOTH_WIDTHS
def test_the_page_never_scrolls_sideways(desk):
    paste(desk, collection())
    desk.click(".problem .go")
    desk.wait_for_selector(".verdict")
    assert desk.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_everything_is_reached_with_the_keyboard(desk):
    reached = set()
    for _ in range(60):
        desk.keyboard.press("Tab")
        reached.add(desk.evaluate("document.activeElement.id || document.activeElement.className"))
    assert {"skip", "file", "use-search", "go"} <= reached
