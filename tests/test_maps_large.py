"""Canvases and tiles in a real browser, offline: looks, popups, order of clicks, hostile texts."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser_pages import DESK, opened_file
from browser_pages import PHONE as SHARP_PHONE
from matplotlib.image import imread
from shapely import union_all

from gis.output.maps import plan_map, served_plan_map
from gis.output.maps.sizes import Limits
from gis.output.maps.style import land_class
from gis.plan.catalogue import Layer

HOSTILE = (
    '<img src=x onerror="pwned=1">"\'`${window.pwned=1}{{7*7}}{#</script><script>pwned=1//\u202e'
)
# The largest layers of the bundled plan from tiles, the next ones on canvases.
SMALL = Limits(svg=60, canvas=120)
PHONE = {**SHARP_PHONE, "device_scale_factor": 1}
MAP = "const map = Object.values(window).find(v => v instanceof L.Map);"


def with_text(plan, text: str):
    """The bundled plan with a text behind every title, class and name."""
    layers = {}
    for layer_id, old in plan.layers.items():
        frame = old.frame
        if frame is not None:
            frame = frame.assign(
                name=frame["name"].fillna("").astype(str) + text,
                cls=frame["cls"].fillna("").astype(str) + text,
            )
        info = replace(old.info, title=old.info.title + text)
        layers[layer_id] = Layer(info, old.index, old.path, frame)
    return replace(plan, layers=layers)


@pytest.fixture(scope="module")
def pages(tmp_path_factory, plan) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("large")
    texts = {
        "tiles": plan_map(plan, limits=SMALL),
        "canvas": plan_map(plan, limits=Limits(svg=60, canvas=20_000)),
        "hostile": plan_map(with_text(plan, HOSTILE), limits=SMALL),
    }
    for name, text in texts.items():
        (folder / f"{name}.html").write_text(text, "utf-8")
    return {name: folder / f"{name}.html" for name in texts}


@contextmanager
def opened(browser, path: Path, options: dict[str, Any] = DESK) -> Iterator[Any]:
    """Open a page offline, when everything on it is drawn."""
    with opened_file(browser, path, options) as page:
        settle(page)
        yield page


def settle(page) -> None:
    page.evaluate("() => wuqu.large.settled()")
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => done()))")


def show(page, plan, layer_id: str, *, zoom: float, number: int = 0):
    """Look at a feature of a layer and return the point of the screen that lies on it."""
    frame = plan.layer(layer_id).frame
    inner = frame.geometry.iloc[number].representative_point()
    degrees = frame.iloc[[number]].set_geometry([inner]).to_crs(4490).geometry.iloc[0]
    place = page.evaluate(
        f"""([lat, lng, zoom]) => {{ {MAP}
            map.setView([lat, lng], zoom, {{animate: false}});
            const box = map.getContainer().getBoundingClientRect();
            const point = map.latLngToContainerPoint([lat, lng]);
            return [box.left + point.x, box.top + point.y];
        }}""",
        [degrees.y, degrees.x, zoom],
    )
    settle(page)
    return place


def popup(page, place) -> str:
    page.keyboard.press("Escape")
    # An older popup still catches clicks while it fades out.
    page.wait_for_selector(".leaflet-popup", state="detached")
    page.mouse.click(*place)
    page.wait_for_selector(".leaflet-popup-content", timeout=10_000)
    return page.locator(".leaflet-popup-content").inner_text()


def open_field(plan) -> int:
    """The largest parcel of the land use that no other layer with a fill lies over."""
    frame = plan.layer("landuse").frame
    over = ("dev_boundary", "water", "river_range")
    free = ~frame.intersects(union_all([plan.layer(o).frame.union_all() for o in over]))
    return int(frame.geometry.area.where(free, 0.0).to_numpy().argmax())


def only(page, theme: str) -> None:
    page.get_by_role("radio", name=theme).click()
    settle(page)


def test_the_chosen_sizes_are_those_of_the_limits(pages):
    tiles, canvas = (pages[name].read_text("utf-8") for name in ("tiles", "canvas"))
    assert tiles.count("wuqu.large.tiles(") > 2
    assert canvas.count("wuqu.large.tiles(") == 0
    assert canvas.count("wuqu.large.canvas(") > 1
    # Without tiles the page does not carry their library.
    assert "protomapsL=" in tiles
    assert "protomapsL=" not in canvas


@pytest.mark.parametrize("zoom", [12, 15])
def test_a_tiled_parcel_tells_class_and_name_from_afar_and_from_close_by(
    browser, pages, plan, zoom
):
    largest = open_field(plan)
    row = plan.layer("landuse").frame.iloc[largest]
    with opened(browser, pages["tiles"]) as page:
        only(page, "现状用地")
        text = popup(page, show(page, plan, "landuse", zoom=zoom, number=largest))
    assert row["name"] in text
    assert row["cls"] in text
    assert "面积" not in text  # never measured on a tile


# How many opacities the canvases of the areas have around the middle of the map.
OPACITIES = """() => {
    const map = Object.values(window).find(v => v instanceof L.Map);
    const seen = new Set();
    const size = map.getSize();
    const box = map.getContainer().getBoundingClientRect();
    document.querySelectorAll('[class*="areas-"] canvas').forEach(canvas => {
        const place = canvas.getBoundingClientRect();
        const x = box.left + size.x / 2 - place.left - 16;
        const y = box.top + size.y / 2 - place.top - 16;
        if (x < 0 || y < 0 || x > place.width - 32 || y > place.height - 32) { return; }
        const scale = canvas.width / place.width;
        const part = [x * scale, y * scale, 32, 32];
        const data = canvas.getContext('2d').getImageData(...part).data;
        for (let n = 3; n < data.length; n += 4) { if (data[n]) { seen.add(data[n]); } }
    });
    return seen.size;
}"""


def test_an_area_that_is_hatched_as_paths_is_hatched_on_tiles_and_canvases_too(
    browser, pages, plan
):
    largest = int(plan.layer("farmland").frame.geometry.area.to_numpy().argmax())
    for name in ("tiles", "canvas"):
        with opened(browser, pages[name]) as page:
            page.locator(".leaflet-control-layers-toggle").focus()
            page.keyboard.press("Enter")
            page.locator(".leaflet-control-layers-list").hover()
            page.get_by_role("checkbox", name="永久基本农田").check()
            settle(page)
            show(page, plan, "farmland", zoom=16, number=largest)
            colours = page.evaluate(OPACITIES)
            assert colours > 3, name  # stripes of another opacity than their ground


def test_a_click_reaches_what_lies_on_top_whatever_it_is_drawn_with(browser, pages, plan):
    number = open_field(plan)
    parcel = plan.layer("landuse").frame.iloc[number]
    boundary = plan.layer("dev_boundary").frame
    inside = int(boundary.geometry.area.to_numpy().argmax())
    with opened(browser, pages["tiles"]) as page:
        only(page, "现状用地")
        # Over tiles of land use lies a development boundary, which is a path.
        text = popup(page, show(page, plan, "dev_boundary", zoom=15, number=inside))
        assert boundary.iloc[inside]["name"] in text
        # Where it does not lie, the tile is reached through the empty surfaces above it.
        text = popup(page, show(page, plan, "landuse", zoom=15, number=number))
        assert parcel["name"] in text
        # Under the zones, which are paths too, the land use is switched off.
        only(page, "功能分区")
        text = popup(page, show(page, plan, "landuse", zoom=15, number=number))
        assert "现状" not in text
        assert "功能" in text


def test_canvases_answer_from_top_to_bottom(browser, pages, plan):
    number = open_field(plan)
    _, label, _ = land_class(plan.layer("landuse").frame.iloc[number]["cls"], survey=True)
    farmland = plan.layer("farmland").frame
    field = int(farmland.geometry.area.to_numpy().argmax())
    with opened(browser, pages["canvas"]) as page:
        only(page, "现状用地")
        text = popup(page, show(page, plan, "landuse", zoom=16, number=number))
        assert label in text
        assert "图斑" in text
        page.locator(".leaflet-control-layers-toggle").focus()
        page.keyboard.press("Enter")
        page.locator(".leaflet-control-layers-list").hover()
        page.get_by_role("checkbox", name="永久基本农田").check()
        text = popup(page, show(page, plan, "farmland", zoom=16, number=field))
        assert farmland.iloc[field]["name"] in text
        assert "永久基本农田" in text


def test_hostile_texts_in_tiles_are_shown_as_text_and_nothing_runs(browser, pages, plan):
    largest = open_field(plan)
    with opened(browser, pages["hostile"]) as page:
        page.locator(".wq-themes button").last.click()
        settle(page)
        for zoom in (12, 15):
            text = popup(page, show(page, plan, "landuse", zoom=zoom, number=largest))
            assert '<img src=x onerror="pwned=1">' in text
            assert "{{7*7}}" in text
            assert "\u202e" not in text
        assert page.evaluate("typeof window.pwned") == "undefined"
        assert page.locator(".leaflet-popup-content img").count() == 0


@pytest.mark.parametrize("name", ["tiles", "canvas"])
def test_a_phone_opens_the_page_without_sideways_scrolling(browser, pages, name):
    with opened(browser, pages[name], PHONE) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.locator(".wq-seal").is_visible()


def printed(page, path: Path) -> Any:
    """The first sheet of the printed page as pixels, 0 to 1; skips without poppler."""
    page.pdf(path=str(path), prefer_css_page_size=True, print_background=True)
    assert not page.evaluate("document.documentElement.classList.contains('wq-print')")
    assert page.locator(".wq-copy").count() == 0
    target = path.with_suffix("")
    command = ["pdftoppm", "-r", "40", "-png", "-singlefile", str(path), str(target)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("poppler is not installed")
    return imread(target.with_suffix(".png"))


@pytest.mark.parametrize("name", ["tiles", "canvas"])
def test_on_paper_nothing_covers_what_lies_below_a_canvas(browser, pages, tmp_path, name):
    with opened(browser, pages[name]) as page:
        only(page, "现状用地")
        sheet = printed(page, tmp_path / "plan.pdf")
    # A4 at 40 dpi is 468 x 331 pixels; the map begins below its title on the left. Outside of the
    # planning area it has the grey of the screen: #e6ebec in map.css.
    corner = sheet[60:90, 30:60, :3].reshape(-1, 3).mean(axis=0)
    assert corner.max() < 0.96
    assert corner.min() > 0.85
    # The middle has the colours of the land use.
    middle = sheet[150:200, 60:200, :3].reshape(-1, 3)
    assert len(np.unique(np.round(middle, 1), axis=0)) > 10


def test_paper_that_was_taken_before_its_tiles_came_says_so(browser, pages):
    with opened(browser, pages["tiles"]) as page:
        only(page, "现状用地")
        page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        assert page.evaluate("document.documentElement.classList.contains('wq-incomplete')")
        settle(page)
        page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        assert not page.evaluate("document.documentElement.classList.contains('wq-incomplete')")
        page.evaluate("window.dispatchEvent(new Event('afterprint'))")
        assert page.locator(".wq-copy").count() == 0


def blocks(page: str) -> set[str]:
    """The names of the tiles and pictures inside a page."""
    return set(re.findall(r'id="([0-9a-f]{16}\.(?:pmtiles|png))"', page))


def test_a_restricted_layer_leaves_no_tile_under_a_public_ceiling(plan, pages):
    old = plan.layer("landuse")
    secret = replace(old.info, secrecy="restricted")
    closed = replace(
        plan, layers={**plan.layers, "landuse": Layer(secret, old.index, old.path, old.frame)}
    )
    page = plan_map(closed, limits=SMALL)
    before, after = blocks(pages["tiles"].read_text("utf-8")), blocks(page)
    assert after < before
    assert len(before - after) == 2  # the tiles of the land use and its picture


def test_a_served_page_is_small_and_names_every_file_that_it_needs(plan, pages):
    drawn = served_plan_map(plan, limits=SMALL, prefix="/maps/assets/")
    assert len(drawn.html.encode()) < 100_000
    assert not re.search(r"<script>|<style>", drawn.html)
    assert "script-src 'self'; connect-src 'self'" in drawn.html
    assert "unsafe-eval" not in drawn.html
    named = set(re.findall(r"/maps/assets/([0-9a-f]{16}\.\w+)", drawn.html))
    assert named < drawn.files.keys()
    script = b"".join(drawn.files[name] for name in sorted(named))
    for name in drawn.files.keys() - named:
        assert name.encode() in script  # tiles and pictures, read by the script
    # Drawn a second time, and yet the same bytes: the names are hashes.
    assert drawn.files.keys() - named == blocks(pages["tiles"].read_text("utf-8"))
