"""The desk in a browser without internet: faults on the map, drawing, several files, keyboard."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import shapely
from browser_pages import DESK, PHONE, complains, watched
from desk_service import is_outside, serving
from marionette import firefox
from pyproj import Transformer

CORPUS = Path(__file__).parent / "corpus" / "txt"
# Too narrow for the map of a verdict, which takes longer to draw than all the rest.
LEAN = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"}
HOSTILE = '<img src=x onerror="window.hit=1">`${window.hit=1}{{7*7}}'
READY = "() => document.getElementById('board').dataset.ready === 'true'"
# The corners of fault_bow_tie.txt are (39408498.27, 4030411.11) and (39408698.27, 4030511.11); its
# two diagonals cross in the middle.
CROSSING = Transformer.from_crs(4527, 4490, always_xy=True).transform(39408598.27, 4030461.11)


@pytest.fixture(scope="module")
def address(plan, tmp_path_factory) -> Iterator[str]:
    with serving(plan, tmp_path_factory.mktemp("db")) as started:
        yield started


@contextmanager
def opened(browser, address: str, options: dict[str, Any]) -> Iterator[Any]:
    """Open the desk; fail on an outside request, an error of a script, or a refused one."""
    with watched(
        browser,
        address,
        options,
        may_ask=lambda url: not is_outside(url, address),
        is_trouble=is_trouble,
    ) as page:
        page.wait_for_function(READY)
        yield page


def is_trouble(message) -> bool:
    """Whether the console says that something is wrong; a refused site is an answer like others."""
    refused = re.search("status of 4(13|22)", message.text)
    return complains(message) and not refused


@pytest.fixture
def desk(browser, address) -> Iterator[Any]:
    with opened(browser, address, LEAN) as page:
        yield page


@pytest.fixture
def wide(browser, address) -> Iterator[Any]:
    with opened(browser, address, DESK) as page:
        yield page


@pytest.fixture
def phone(browser, address) -> Iterator[Any]:
    with opened(browser, address, PHONE) as page:
        yield page


def submit(page, *files: Path) -> None:
    page.set_input_files("#file", files)
    page.click("button.go")


def way(page, name: str) -> None:
    page.locator(f'input[name="way"][value="{name}"]').check(force=True)


def home(page) -> tuple[float, float, float, float]:
    """A point on land in the middle of the plan, as the map sees it, and 100 m around."""
    page.evaluate("() => { board.map.setView([36.36, 115.96], 16, { animate: false }); }")
    box = page.locator("#map").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def draw(page, *steps: tuple[float, float]) -> None:
    """Tap at pixels from the middle of the map."""
    way(page, "draw")
    page.locator("#map").scroll_into_view_if_needed()
    x, y = home(page)
    for dx, dy in steps:
        page.mouse.click(x + dx, y + dy)


SQUARE = ((-60, -60), (60, -60), (60, 60), (-60, 60))


def test_on_paper_stands_the_answer_and_not_the_form(desk, samples_dir):
    submit(desk, samples_dir / "mingzhu_guangchang.geojson")
    desk.wait_for_selector(".verdict")
    closed = desk.locator("#result details[open]").count()
    desk.emulate_media(media="print")
    desk.evaluate("() => window.dispatchEvent(new Event('beforeprint'))")
    for away in ("#desk", ".recent", ".downloads", "#board-place", ".top nav"):
        assert not desk.locator(away).first.is_visible(), away
    # What asks for action is told in full, with its basis; rules that passed by their names.
    acting = desk.locator("#result section .finding.is-fail")
    assert acting.count() == 2
    for n in range(2):
        assert acting.nth(n).locator("dl").is_visible()
    passed = desk.locator("#result .fold .finding.is-pass")
    assert passed.first.is_visible()
    assert not passed.first.locator("dl").is_visible()
    desk.evaluate("() => window.dispatchEvent(new Event('afterprint'))")
    assert desk.locator("#result details[open]").count() == closed


# --- faults of a file ---------------------------------------------------------------------------


def test_a_broken_file_shows_its_fault_at_its_place_on_the_map(desk):
    submit(desk, CORPUS / "fault_bow_tie.txt")
    desk.wait_for_selector(".fault button")
    desk.click(".fault button")
    shown = desk.evaluate(
        """() => {
            const at = document.querySelector('.pin-box').getBoundingClientRect();
            const map = document.getElementById('map').getBoundingClientRect();
            const point = [at.x + at.width / 2 - map.x, at.bottom - map.y];
            const place = board.map.containerPointToLatLng(point);
            return [place.lng, place.lat, board.map.getZoom()];
        }"""
    )
    # At the zoom of one fault a pixel is a third of a metre, 3e-6 degrees.
    assert shown[:2] == pytest.approx(CROSSING, abs=1e-5)
    assert shown[2] == 19
    assert desk.locator("path.mark-outline").count() == 1
    assert desk.locator(".pin.chosen").inner_text() == "1"


def test_a_fault_quotes_the_lines_of_the_file_it_names(desk):
    submit(desk, CORPUS / "fault_hole_crosses_shell.txt")
    desk.wait_for_selector(".fault")
    lines = (CORPUS / "fault_hole_crosses_shell.txt").read_text("gb18030").splitlines()
    for row in desk.locator(".fault").all():
        named = [int(n) for n in re.findall(r"第 (\d+) 行", row.locator(".what b").inner_text())]
        assert len(named) == 2
        assert row.locator("code").all_inner_texts() == [lines[n - 1] for n in named]


def test_a_tapped_pin_marks_its_row_and_a_tapped_row_its_pin(desk):
    submit(desk, CORPUS / "fault_parts_overlap.txt")
    desk.wait_for_selector(".fault")
    # The pins stand 50 m apart; tapped in the middle of its head.
    desk.locator(".pin", has_text="2").click()
    assert desk.locator(".fault.chosen .badge").inner_text() == "2"
    desk.locator(".fault button").first.click()
    assert desk.locator(".pin.chosen").inner_text() == "1"
    assert desk.locator('.fault button[aria-pressed="true"] .badge').inner_text() == "1"


def test_what_to_do_is_told_and_the_offered_repair_gives_a_verdict(desk):
    submit(desk, CORPUS / "fault_bow_tie.txt")
    desk.wait_for_selector(".problem")
    assert "改正坐标" in desk.inner_text(".problem dl")
    assert "repair=" not in desk.inner_text(".problem")
    desk.click("text=修复图形后检测")
    desk.wait_for_selector(".verdict")
    assert "修复" in desk.inner_text(".reasons .warning")


def test_faults_without_a_place_on_earth_are_listed_without_a_map(desk):
    submit(desk, CORPUS / "fault_head_many.txt")
    desk.wait_for_selector(".fault")
    assert desk.locator(".fault").count() == 4
    assert not desk.locator("#board").is_visible()
    assert "1954北京坐标系" in desk.locator(".fault").first.inner_text()


def test_hostile_text_of_a_file_is_shown_as_text(desk, tmp_path):
    path = tmp_path / f"{HOSTILE.replace('/', '')}.txt"
    text = (CORPUS / "fault_bow_tie.txt").read_text("gb18030")
    lines = text.replace("甲地块", HOSTILE).splitlines()
    point = next(n for n, line in enumerate(lines) if line.startswith("J1,"))
    lines[point] = lines[point].replace("J1,", f"J1{HOSTILE},")
    path.write_text("\n".join(lines), "gb18030")
    submit(desk, path)
    desk.wait_for_selector(".problem")
    assert HOSTILE in desk.inner_text("#result")
    assert HOSTILE in desk.inner_text("#file-name")
    assert desk.evaluate("() => window.hit") is None
    assert desk.locator("img[src='x']").count() == 0


def test_hostile_names_of_a_plan_are_shown_as_text(desk):
    """As a plan would have them whose layers and features were named by somebody hostile."""
    ground = desk.request.get(desk.url.split("#")[0] + "desk/ground.json").json()
    for row in ground["layers"]:
        row["title"] = row["vintage"] = HOSTILE
        row["parts"] = [part | {"label": HOSTILE} for part in row["parts"]]
    for label in ground["labels"]:
        label["text"] = HOSTILE
    desk.route("**/desk/ground.json", lambda route: route.fulfill(json=ground))
    desk.reload()
    desk.wait_for_function(READY)
    desk.click("#board-layers summary")
    assert HOSTILE in desk.inner_text("#board-layers")
    assert HOSTILE in desk.locator(".name").first.inner_text()
    assert desk.locator("img[src='x']").count() == 0
    assert desk.evaluate("() => window.hit") is None


def test_a_dropped_file_is_asked_about_at_once(desk):
    text = (CORPUS / "fault_bow_tie.txt").read_text("gb18030")
    held = desk.evaluate_handle(
        """(text) => {
            const data = new DataTransfer();
            data.items.add(new File([text], '地块.txt'));
            return data;
        }""",
        text,
    )
    desk.dispatch_event("body", "drop", {"dataTransfer": held})
    desk.wait_for_selector(".fault.placed")
    assert "地块.txt" in desk.inner_text("#file-name")


# --- drawing ------------------------------------------------------------------------------------


def test_a_drawn_polygon_is_checked_and_measures_what_was_said_while_drawing(desk):
    draw(desk, *SQUARE, SQUARE[0])  # a tap on the first point closes
    assert not desk.locator(".crosshair").is_visible()
    said = desk.inner_text("#draw-status")
    assert said.startswith("已闭合：4 个界址点")
    desk.fill("#draw-name", HOSTILE)
    desk.click("button.go")
    desk.wait_for_selector(".verdict")
    assert desk.inner_text(".verdict h2") == HOSTILE
    estimate, measured = (
        float(re.search(r"([\d.,]+) 亩", text)[1].replace(",", ""))
        for text in (said, desk.inner_text(".verdict .sizes"))
    )
    # The page estimates by a formula of its own; the service measures on the ellipsoid.
    assert estimate == pytest.approx(measured, abs=0.02)
    # 120 pixels at zoom 16 and 36.36 N: 120 x 156543.034 x cos(36.36) / 2^16 = 230.8 m a side.
    assert measured == pytest.approx(230.8**2 * 3 / 2000, rel=0.01)
    assert "非测量成果，仅供参考" in desk.inner_text(".verdict .sentence")
    assert "范围是在图上手绘的" in desk.inner_text("#result .warning")
    assert desk.evaluate("() => window.hit") is None


def test_every_step_of_a_drawing_can_be_taken_back(desk):
    draw(desk, *SQUARE[:3])
    assert desk.locator(".vertex").count() == 3
    desk.click("#draw-finish")
    assert desk.locator("path.drawn.closed").count() == 1
    desk.click("#draw-undo")
    assert desk.locator("path.drawn.closed").count() == 0
    desk.click("#draw-undo")
    assert desk.locator(".vertex").count() == 2
    desk.click("#draw-clear")
    assert desk.locator(".vertex").count() == 0
    desk.click("#draw-undo")
    assert desk.locator(".vertex").count() == 2
    assert desk.is_disabled("#draw-finish")


def test_a_vertex_can_be_dragged(desk):
    draw(desk, *SQUARE)
    desk.click("#draw-finish")
    before = desk.evaluate("() => drawing.geometry().coordinates[0]")
    x, y = home(desk)
    desk.mouse.move(x + 60, y - 60)
    desk.mouse.down()
    desk.mouse.move(x + 90, y - 90, steps=4)
    desk.mouse.up()
    after = desk.evaluate("() => drawing.geometry().coordinates[0]")
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, False, True, True, True]
    assert after[1][0] > before[1][0]
    assert after[1][1] > before[1][1]
    desk.click("#draw-undo")
    assert desk.evaluate("() => drawing.geometry().coordinates[0]") == before


def test_a_drawing_that_crosses_itself_is_told_where(desk):
    draw(desk, SQUARE[0], SQUARE[2], SQUARE[1], SQUARE[3])
    desk.click("#draw-finish")
    desk.click("button.go")
    desk.wait_for_selector(".fault.placed")
    # The diagonals of a square meet in its middle, where the map was put.
    marked = desk.evaluate("() => board.marks.getLayers().at(-1).getLatLng()")
    assert (marked["lat"], marked["lng"]) == pytest.approx((36.36, 115.96), abs=2e-5)


def test_a_drawing_that_is_not_closed_is_not_sent(desk):
    draw(desk, *SQUARE[:2])
    desk.click("button.go")
    assert "至少三个界址点" in desk.inner_text("#draw-status")
    assert desk.locator(".verdict, .problem").count() == 0


COLOUR = """([lat, lng]) => {
    const at = board.map.latLngToContainerPoint([lat, lng]);
    const map = document.getElementById('map').getBoundingClientRect();
    const canvas = document.querySelector('.leaflet-ground-pane canvas');
    const here = canvas.getBoundingClientRect();
    const x = (at.x + map.x - here.x) * canvas.width / here.width;
    const y = (at.y + map.y - here.y) * canvas.height / here.height;
    const one = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
    one.drawImage(canvas, x, y, 1, 1, 0, 0, 1, 1);
    return [...one.getImageData(0, 0, 1, 1).data].join();
}"""


def test_a_layer_is_switched_on_and_off(desk, plan):
    field = max(plan.layer("farmland").frame.geometry, key=lambda g: g.area)
    middle = field.representative_point()
    to_degrees = Transformer.from_crs(plan.work_epsg, 4490, always_xy=True)
    lon, lat = to_degrees.transform(middle.x, middle.y)
    colours = []
    desk.click("#board-layers summary")
    box = desk.get_by_label(re.compile("永久基本农田"))
    for on in (False, True, False):
        box.set_checked(on)
        desk.wait_for_timeout(100)  # the canvas is drawn with the next frame
        colours.append(desk.evaluate(COLOUR, [lat, lon]))
    assert colours[0] == colours[2] != colours[1]


# --- files, pasting, claims ---------------------------------------------------------------------


def test_the_loose_parts_of_a_shapefile_become_one_site(desk, plan, tmp_path):
    import geopandas

    middle = plan.layer("core").frame.geometry.iloc[0].representative_point()
    square = middle.buffer(50, cap_style="square")
    frame = geopandas.GeoDataFrame({"NAME": ["一号"]}, geometry=[square], crs=4548)
    frame.to_file(tmp_path / "site.shp", encoding="gb18030")
    (tmp_path / "site.sbn").write_bytes(b"an index that nobody reads")
    submit(desk, *tmp_path.glob("site.*"))
    desk.wait_for_selector(".verdict")
    # 100 m x 100 m is 15 mu; the plane of the plan and the ellipsoid differ by 2e-4 here.
    assert float(desk.inner_text(".sizes b >> nth=0")) == pytest.approx(15, abs=0.01)


def test_many_files_are_told_one_by_one_and_a_broken_one_stops_none(wide, samples_dir):
    good = samples_dir / "yizhong_xinxiao.txt", samples_dir / "fire_station.geojson"
    submit(wide, good[0], CORPUS / "fault_bow_tie.txt", good[1])
    wide.wait_for_selector(".choices button >> nth=2")
    assert "419.17" in wide.inner_text(".verdict")
    wide.locator(".choices button", has_text="fault_bow_tie.txt").click()
    wide.wait_for_selector(".fault.placed")
    assert wide.locator("#board").is_visible()
    wide.locator(".choices button").last.click()
    wide.wait_for_selector(".verdict")
    assert not wide.locator("#board").is_visible()
    assert wide.inner_text("#live").startswith("3 个文件检测完毕：")
    assert "有误 1" in wide.inner_text(".counted")
    inside = wide.frame_locator(".mapside iframe")
    inside.locator("html.wq-ready").wait_for(state="attached")
    assert "消防站" in inside.locator(".wq-card").inner_text()


PASTED = {
    "table": "点号\tX坐标\tY坐标\nJ1\t4030411.11\t39408498.27\nJ2\t4030411.11\t39408598.27\n"
    "J3\t4030511.11\t39408598.27\nJ4\t4030511.11\t39408498.27",
    "wkt": "POLYGON((39408498.27 4030411.11,39408598.27 4030411.11,"
    "39408598.27 4030511.11,39408498.27 4030511.11,39408498.27 4030411.11))",
    "points": "39408498.27, 4030411.11\n39408598.27, 4030411.11\n39408598.27, 4030511.11\n"
    "39408498.27, 4030511.11",
}


def test_pasted_coordinates_of_any_form_are_the_same_site(desk):
    way(desk, "text")
    for form, text in PASTED.items():
        desk.fill("#text", text)
        desk.click("button.go")
        desk.wait_for_selector(".verdict")
        mu = float(desk.inner_text(".sizes b >> nth=0"))
        assert mu == pytest.approx(15, abs=0.01), form
        desk.evaluate("() => { document.querySelector('.verdict').remove(); }")


def test_a_pasted_txt_quotes_its_own_lines(desk):
    way(desk, "text")
    desk.fill("#text", (CORPUS / "fault_bow_tie.txt").read_text("gb18030"))
    desk.click("button.go")
    desk.wait_for_selector(".fault code")
    assert desk.locator(".fault code").first.inner_text().startswith("J1,1,4030511.110")


def test_a_use_is_found_by_name_or_code_and_nonsense_is_none(desk):
    chosen = "() => document.getElementById('use').value"
    desk.fill("#use-search", "中小学")
    options = desk.locator("#use-list").get_by_role("option")
    assert options.all_inner_texts() == ["080403 中小学用地"]
    desk.keyboard.press("Enter")
    assert desk.evaluate(chosen) == "080403"
    desk.fill("#use-search", "0804")
    assert options.count() > 3
    desk.keyboard.press("ArrowDown")
    desk.keyboard.press("Enter")
    assert re.fullmatch(r"0804\d\d", desk.evaluate(chosen))
    desk.fill("#use-search", "火星用地")
    assert options.count() == 0
    desk.keyboard.press("Tab")
    assert desk.evaluate(chosen) == ""
    assert desk.input_value("#use-search") == ""


def test_every_download_that_is_offered_is_there(desk, samples_dir):
    submit(desk, samples_dir / "fire_station.geojson")
    desk.wait_for_selector(".downloads")
    links = [a.get_attribute("href") for a in desk.locator(".downloads a[download]").all()]
    assert {link.rpartition(".")[2] for link in links} >= {"json", "geojson", "html"}
    for link in links:
        assert desk.request.get(desk.evaluate("(u) => new URL(u, location).href", link)).ok, link


# --- keyboard, screen reader, phone --------------------------------------------------------------


def tab_to(page, wanted: str) -> None:
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("(s) => document.activeElement.matches(s)", wanted):
            return
    pytest.fail(f"Tab never reaches {wanted}")


def test_a_site_is_drawn_and_checked_with_the_keyboard_alone(desk):
    tab_to(desk, 'input[name="way"]')
    desk.keyboard.press("ArrowRight")
    desk.keyboard.press("ArrowRight")
    tab_to(desk, "#map")
    assert desk.locator(".crosshair").is_visible()
    desk.evaluate("() => { board.map.setView([36.36, 115.96], 16, { animate: false }); }")
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft"):
        desk.keyboard.press("Enter")
        start = desk.evaluate("() => board.map.getCenter()")
        desk.keyboard.press(key)
        desk.wait_for_function(
            "(c) => { const now = board.map.getCenter(); return !board.map._panAnim?._inProgress "
            "&& (now.lat !== c.lat || now.lng !== c.lng); }",
            arg=start,
        )
    desk.keyboard.press("Enter")
    assert desk.locator(".vertex").count() == 4
    desk.keyboard.press("Backspace")
    assert desk.locator(".vertex").count() == 3
    tab_to(desk, "#draw-finish")
    desk.keyboard.press("Enter")
    assert desk.locator("path.drawn.closed").count() == 1
    desk.focus("#use-search")
    desk.keyboard.type("080403")
    desk.keyboard.press("Enter")
    tab_to(desk, "button.go")
    desk.keyboard.press("Enter")
    desk.wait_for_selector(".verdict")
    assert desk.evaluate("() => document.activeElement.id") == "stage"
    # Two steps of 80 pixels at zoom 16 and 36.36 N (1.923 m each) span half a square.
    assert float(desk.inner_text(".sizes b >> nth=0").replace(",", "")) == pytest.approx(
        (80 * 1.923) ** 2 / 2 * 3 / 2000, rel=0.02
    )


def test_the_answer_is_announced(desk, samples_dir):
    live = desk.locator('[role="status"][aria-live="polite"]')
    submit(desk, samples_dir / "fire_station.geojson")
    desk.wait_for_selector(".verdict")
    assert live.inner_text().startswith("检测完毕：")
    submit(desk, CORPUS / "fault_bow_tie.txt")
    desk.wait_for_selector(".fault")
    assert live.inner_text() == "图形有错误。共 1 处。"


NAMELESS = """() => [...document.querySelectorAll('button, a, input, select, textarea, summary')]
    .filter(e => e.offsetParent && !e.labels?.length && !e.getAttribute('aria-label')
        && !e.textContent.trim() && !e.title).map(e => e.outerHTML.slice(0, 120))"""
SMALLEST = """() => Math.min(...[...document.querySelectorAll('body *')]
    .filter(e => e.offsetParent && !e.closest('.leaflet-control-scale') && [...e.childNodes].some(
        n => n.nodeType === 3 && n.textContent.trim()))
    .map(e => parseFloat(getComputedStyle(e).fontSize)))"""


def test_every_control_has_a_name_and_no_text_is_tiny(desk, samples_dir):
    def look(state):
        assert desk.evaluate(NAMELESS) == [], state
        assert desk.evaluate(SMALLEST) >= 14, state

    look("start")
    submit(desk, CORPUS / "fault_bow_tie.txt")
    desk.wait_for_selector(".fault")
    look("faults")
    draw(desk, *SQUARE)
    look("drawing")
    way(desk, "file")
    submit(desk, samples_dir / "fire_station.geojson")
    desk.wait_for_selector(".verdict")
    look("verdict")


def test_a_phone_shows_everything_without_sideways_scrolling(phone):
    width = "() => document.documentElement.scrollWidth"
    assert phone.evaluate(width) <= 390
    submit(phone, CORPUS / "fault_bow_tie.txt")
    phone.wait_for_selector(".fault.placed")
    assert phone.locator(".pin").is_visible()
    assert phone.evaluate(width) <= 390
    way(phone, "draw")
    assert phone.locator("#map").bounding_box()["width"] > 300
    assert phone.evaluate(width) <= 390


def test_a_site_is_drawn_with_the_finger(phone):
    way(phone, "draw")
    phone.locator("#map").scroll_into_view_if_needed()
    x, y = home(phone)
    for dx, dy in (*SQUARE, SQUARE[0]):
        phone.touchscreen.tap(x + dx, y + dy)
    assert phone.locator("path.drawn.closed").count() == 1
    assert phone.locator(".vertex").count() == 4
    phone.locator("button.go").tap()
    phone.wait_for_selector(".verdict")
    assert phone.evaluate("() => document.documentElement.scrollWidth") <= 390


# --- the other browser ---------------------------------------------------------------------------


def firefox_program() -> str:
    found = shutil.which("firefox-esr") or shutil.which("firefox")
    if found is None:
        if os.environ.get("WUQU_REQUIRE_ALL") == "1":
            pytest.fail("Firefox is required here and was not found")
        pytest.skip("Firefox is not installed")
    return found


def test_the_desk_works_in_firefox(address, samples_dir, tmp_path):
    with firefox(firefox_program(), tmp_path) as window:
        window.resize(1600, 900)
        window.open(address)
        window.wait("return document.getElementById('board').dataset.ready === 'true'")
        window.type("#file", str(CORPUS / "fault_bow_tie.txt"))
        window.click("button.go")
        window.wait("return document.querySelectorAll('.pin').length === 1")
        window.click(".fault button")
        assert window.run("return document.querySelectorAll('.pin.chosen').length") == 1
        window.open(address)
        window.wait("return document.getElementById('board').dataset.ready === 'true'")
        window.type("#file", str(samples_dir / "yizhong_xinxiao.txt"))
        window.type("#use-search", "080403\n")
        window.click("button.go")
        window.wait("return document.querySelector('.verdict') !== null")
        assert "419.17" in window.run("return document.querySelector('.verdict').innerText")
        asked = window.run("return performance.getEntriesByType('resource').map(r => r.name)")
        assert asked
        assert [url for url in asked if is_outside(url, address)] == []


# --- what lies under the map ---------------------------------------------------------------------


def test_the_ground_lies_where_the_plan_lies(client, plan):
    ground = client.get("/desk/ground.json").json()
    (sheet,), rows = ground["sheets"], ground["layers"]
    drawn = shapely.from_geojson(json.dumps(sheet["shapes"][0]))
    to_degrees = Transformer.from_crs(plan.work_epsg, 4490, always_xy=True).transform
    resort = shapely.transform(plan.layer("resort").index.union, to_degrees, interleaved=False)
    # Drawn to 3 m, which is 3e-5 degrees; some corners are cut.
    assert drawn.hausdorff_distance(resort) < 6e-5
    assert [row["title"] for row in rows if row["id"] == "zones"] == ["五大功能区"]
    assert len(json.dumps(ground)) < 1_500_000


def test_the_ground_shows_no_layer_above_the_secrecy_ceiling(plan):
    from dataclasses import replace

    from api.ground import ground

    old = plan.layer("farmland")
    secret = replace(old, info=replace(old.info, secrecy="restricted"))
    hidden = replace(plan, layers={**plan.layers, "farmland": secret})
    assert "farmland" in {row["id"] for row in ground(plan, "public")["layers"]}
    assert "farmland" not in {row["id"] for row in ground(hidden, "public")["layers"]}
    assert "farmland" in {row["id"] for row in ground(hidden, "restricted")["layers"]}


def test_a_plan_without_a_planning_area_has_a_ground_too(plan):
    from dataclasses import replace

    from api.ground import ground

    few = replace(plan, layers={"water": plan.layer("water")})
    found = ground(few, "public")
    assert found["sheets"] == []
    assert [row["id"] for row in found["layers"]] == ["water"]
    (south, west), (north, east) = found["home"]
    # The bounds that plan.toml states, in degrees.
    assert (west, south, east, north) == pytest.approx(plan.crs_policy.bounds, abs=0.01)


@pytest.mark.parametrize("name", ["manifest.json", "..%2Fassets.py", "%2E%2E/a.py", "x", ""])
def test_only_vendored_files_are_served_as_assets(client, name):
    assert client.get("/maps/assets/leaflet.js").status_code == 200
    assert client.get(f"/maps/assets/{name}").status_code == 404
