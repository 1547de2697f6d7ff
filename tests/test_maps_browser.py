"""The map pages in a real browser, without network: what a reader sees and can do."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from browser_pages import DESK, PHONE, opened_file

from gis.canonical import to_dict
from gis.check import check_site
from gis.intake.read import read_site
from gis.output.maps import plan_map, site_map
from gis.plan.catalogue import Layer

HOSTILE = '<img src=x onerror="pwned=1">"\'`${window.pwned=1}{{7*7}}{#</script><script>pwned=1//'


@pytest.fixture(scope="module")
def documents(plan, as_of) -> list[dict[str, Any]]:
    """A large site on farmland that fails, and a small one in the core."""
    frames = {name: plan.layer(name).frame for name in ("farmland", "core")}
    field = max(frames["farmland"].geometry, key=lambda g: g.area).representative_point()
    core = frames["core"].geometry.iloc[0].representative_point()
    rows = []
    for name, point, side, use in (
        ("农田里的工厂", field, 400, "100101"),
        ("学校", core, 150, "080403"),
    ):
        site = read_site(point.buffer(side, cap_style="square").wkt, plan, name=name, crs=4548)
        rows.append(to_dict(check_site(site, plan, use=use, as_of=as_of)))
    return rows


def with_points(plan):
    """The bundled plan with a layer of points: Leaflet's own markers would load an image."""
    old = plan.layer("zones")
    frame = old.frame.set_geometry(old.frame.geometry.representative_point())
    info = replace(old.info, id="wells", title="井", role="project", geometry="point")
    layers = {**plan.layers, "wells": Layer(info, old.index, old.path, frame)}
    return replace(plan, layers=layers)


@pytest.fixture(scope="module")
def pages(tmp_path_factory, plan, documents) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("maps")
    texts = {"plan": plan_map(with_points(plan), documents), "site": site_map(documents[0], plan)}
    for name, text in texts.items():
        (folder / f"{name}.html").write_text(text, "utf-8")
    return {name: folder / f"{name}.html" for name in texts}


@pytest.mark.parametrize("name", ["plan", "site"])
@pytest.mark.parametrize("options", [DESK, PHONE], ids=["desk", "phone"])
def test_a_page_opens_offline_without_request_error_or_sideways_scrolling(
    browser, pages, name, options
):
    with opened_file(browser, pages[name], options) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= options["viewport"]["width"]
        assert page.locator(".wq-seal").is_visible()
        assert page.locator(".leaflet-control-scale-line").is_visible()
        # No text on the page is smaller than 14 px.
        smallest = page.evaluate(
            """() => Math.min(...[...document.querySelectorAll('body *')]
                .filter(e => e.offsetParent && [...e.childNodes].some(
                    n => n.nodeType === 3 && n.textContent.trim()))
                .map(e => parseFloat(getComputedStyle(e).fontSize)))"""
        )
        assert smallest >= 14


def test_zones_are_named_on_the_map_and_no_two_labels_overlap(browser, pages):
    with opened_file(browser, pages["plan"], DESK) as page:
        boxes = page.evaluate(
            """() => [...document.querySelectorAll('.wq-label')]
                .filter(e => e.style.display !== 'none')
                .map(e => e.firstChild.getBoundingClientRect())
                .map(r => [r.left, r.top, r.right, r.bottom])"""
        )
        shown = page.evaluate(
            """() => [...document.querySelectorAll('.wq-label-zone')]
                .filter(e => e.style.display !== 'none').length"""
        )
    assert shown == 5
    for n, a in enumerate(boxes):
        for b in boxes[n + 1 :]:
            assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


def test_switching_the_theme_switches_layer_and_legend(browser, pages):
    with opened_file(browser, pages["plan"], DESK) as page:
        legend = page.locator(".wq-legend")
        assert "耕地" not in legend.inner_text()
        page.get_by_role("radio", name="现状用地").click()
        assert "耕地" in legend.inner_text()
        assert page.get_by_role("radio", name="功能分区").get_attribute("aria-checked") == "false"
        page.keyboard.press("ArrowLeft")
        assert page.get_by_role("radio", name="规划用地").get_attribute("aria-checked") == "true"
        assert "耕地" not in legend.inner_text()


def test_the_layer_list_is_chinese_and_grouped(browser, pages):
    with opened_file(browser, pages["plan"], DESK) as page:
        page.locator(".leaflet-control-layers-toggle").focus()
        page.keyboard.press("Enter")
        page.wait_for_selector(".leaflet-control-layers-expanded")
        # Leaflet swallows a click in the very moment in which the pointer enters the list.
        page.locator(".leaflet-control-layers-list").hover()
        text = page.locator(".leaflet-control-layers-list").inner_text()
        for word in ("范围界线", "控制线", "水系与交通", "生态保护红线", "永久基本农田"):
            assert word in text
        page.get_by_label("井").check()
        page.get_by_label("生态保护红线").check()
        row = page.locator(".wq-legend li:visible", has_text="生态保护红线")
        row.wait_for(timeout=2000)  # the legend follows in the next frame


def test_a_pin_opens_a_popup_with_verdict_and_reason(browser, pages):
    with opened_file(browser, pages["plan"], DESK) as page:
        page.locator(".wq-pin-fail").first.click()
        text = page.locator(".leaflet-popup-content").inner_text()
        assert "农田里的工厂" in text
        assert "不符合" in text
        assert page.locator(".leaflet-popup-close-button").get_attribute("aria-label") == "关闭"


def test_the_site_is_in_view_on_opening_and_a_finding_shows_its_overlap(browser, pages):
    with opened_file(browser, pages["site"], DESK) as page:
        outline = page.locator("path.wq-site-outline").bounding_box()
        stage = page.locator(".wq-stage").bounding_box()
        assert stage["x"] <= outline["x"]
        assert outline["x"] + outline["width"] <= stage["x"] + stage["width"]
        assert outline["height"] > 200
        assert page.locator("path.wq-conflict").count() == 1  # the deciding one
        finding = page.locator("details.wq-finding[data-layer-key]").nth(1)
        finding.locator("summary").click()
        key = finding.get_attribute("data-layer-key")
        page.wait_for_selector(f"path.wq-c-{key}.is-chosen")
        assert page.locator("path.wq-conflict").count() == 1
        assert "依据" in finding.inner_text()
        fill = page.evaluate("getComputedStyle(document.querySelector('path.wq-conflict')).fill")
        assert "url(" in fill  # a pattern, not only a colour


def test_on_a_phone_the_sheet_opens_and_the_scale_stays_above_it(browser, pages):
    with opened_file(browser, pages["site"], PHONE) as page:
        assert not page.locator(".wq-legend").is_visible()
        page.locator(".wq-legend-button").click()
        assert page.locator(".wq-legend").is_visible()
        page.keyboard.press("Escape")
        page.locator(".wq-handle").click()
        page.wait_for_timeout(500)  # the transition of the sheet
        sheet = page.locator(".wq-card").bounding_box()
        scale = page.locator(".leaflet-control-scale").bounding_box()
        assert sheet["y"] < 500
        assert scale["y"] + scale["height"] <= sheet["y"] + 1
        assert page.locator(".wq-handle").get_attribute("aria-expanded") == "true"


def test_paper_is_a4_landscape_with_map_legend_scale_north_and_version(browser, pages, tmp_path):
    with opened_file(browser, pages["plan"], DESK) as page:
        page.pdf(path=str(tmp_path / "plan.pdf"), prefer_css_page_size=True, print_background=True)
        # After printing the page is as before.
        assert not page.evaluate("document.documentElement.classList.contains('wq-print')")
    content = (tmp_path / "plan.pdf").read_bytes()
    assert len(re.findall(rb"/Type\s*/Page\b", content)) == 2  # the map, and its land
    box = re.search(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", content)
    assert (round(float(box[1])), round(float(box[2]))) == (842, 595)  # A4 landscape in points
    try:
        text = subprocess.run(
            ["pdftotext", "-layout", str(tmp_path / "plan.pdf"), "-"],
            capture_output=True,
            check=True,
        ).stdout.decode()
    except FileNotFoundError:
        return  # without poppler the words of the paper are not read
    first, second = text.split("\f")[:2]
    for word in ("图例", "北", "km", "版本 2026.11", "示意", "2026-11-22", "52.00 %"):
        assert word in first, word
    for word in ("版本 2026.11", "非法定规划成果", "占比 52.00%", "绿地与开敞空间用地", "3,830.00",
                 "口径 D", "永久基本农田", "影像日期 2026-06-18"):  # fmt: skip
        assert word in second, word
    # The long tables stay on the screen.
    assert "全部地类" not in text
    assert "公园绿地 " not in text


PROTRUDING = """() => {
    const body = document.querySelector('.wq-card-body');
    const padding = parseFloat(getComputedStyle(body).paddingRight);
    const right = body.getBoundingClientRect().left + body.clientWidth - padding;
    return [...body.querySelectorAll('*')]
        .filter(e => e.offsetParent && !e.closest('.wq-scroll > *'))
        .filter(e => e.getBoundingClientRect().right > right + 0.6)
        .map(e => e.className + ' ' + e.textContent.slice(0, 30));
}"""


@pytest.mark.parametrize("width", [1600, 390, 360])
def test_with_every_fold_open_no_text_leaves_the_card_or_gets_small(browser, pages, width):
    options = {"viewport": {"width": width, "height": 844}, "reduced_motion": "reduce"}
    with opened_file(browser, pages["plan"], options) as page:
        page.evaluate("document.querySelectorAll('.wq-card details').forEach(d => d.open = true)")
        assert page.locator(".wq-balance tbody tr").count() > 60
        assert page.evaluate(PROTRUDING) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        smallest = page.evaluate(
            """() => Math.min(...[...document.querySelectorAll('.wq-card-body *')]
                .filter(e => e.offsetParent && [...e.childNodes].some(
                    n => n.nodeType === 3 && n.textContent.trim()))
                .map(e => parseFloat(getComputedStyle(e).fontSize)))"""
        )
        assert smallest >= 14


def test_the_table_by_zone_opens_and_scrolls_in_itself_by_keyboard(browser, pages):
    with opened_file(browser, pages["plan"], PHONE) as page:
        page.locator(".wq-handle").click()
        page.locator(".wq-handle").click()  # the whole sheet
        page.locator(".wq-balance summary", has_text="分功能区面积").focus()
        page.keyboard.press("Enter")
        region = page.get_by_role("region", name="分功能区面积")
        assert region.is_visible()
        assert region.evaluate("e => e.scrollWidth > e.clientWidth + 100")
        page.keyboard.press("Tab")
        assert region.evaluate("e => e === document.activeElement")
        page.keyboard.press("ArrowRight")
        page.wait_for_function(
            "() => document.querySelector('.wq-balance .wq-scroll').scrollLeft > 10"
        )
        # The names of the classes stay in view.
        name, box = (
            page.locator(f".wq-matrix tbody tr:first-child {cell}").first.bounding_box()
            for cell in ("th", "td")
        )
        assert name["x"] == pytest.approx(region.bounding_box()["x"], abs=1)
        assert box["x"] < name["x"] + name["width"]
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_one_click_explains_a_stated_figure(browser, pages):
    with opened_file(browser, pages["plan"], DESK) as page:
        figure = page.locator(".wq-figures details", has_text="绿地和水域占比")
        figure.locator("summary").click()
        text = figure.inner_text()
        for word in (
            "口径 B",
            "规划核心区",
            "核心区规划用地（2026-11，示意）",
            "取整范围",
            "公布值出处",
        ):
            assert word in text, word


def hostile(plan):
    """The bundled plan with a hostile text in every title, class and name."""
    layers = {}
    for layer_id, old in plan.layers.items():
        frame = None
        if old.frame is not None:
            frame = old.frame.assign(
                name=old.frame["name"].fillna("").astype(str) + HOSTILE,
                cls=old.frame["cls"].fillna("").astype(str) + HOSTILE,
            )
        info = replace(old.info, title=old.info.title + HOSTILE, vintage=HOSTILE)
        layers[layer_id] = Layer(info, old.index, old.path, frame)
    header = plan.file.plan.model_copy(
        update={"title": HOSTILE, "version": HOSTILE, "status_note": HOSTILE}
    )
    return replace(plan, layers=layers, file=plan.file.model_copy(update={"plan": header}))


def poisoned(value: Any) -> Any:
    """Put the hostile text behind every text of a document but its keys and closed words."""
    closed = {"verdict", "rule", "deciding_rule", "kind", "unit", "state", "id", "layer", "type",
              "content_sha256", "origin", "law_status"}  # fmt: skip
    if isinstance(value, dict):
        return {k: v if k in closed else poisoned(v) for k, v in value.items()}
    if isinstance(value, list):
        return [poisoned(v) for v in value]
    return value + HOSTILE if isinstance(value, str) else value


def test_hostile_text_in_plan_and_document_never_runs(browser, plan, documents, tmp_path):
    bad_plan = hostile(plan)
    bad_documents = [poisoned(d) for d in documents]
    # Parts that a poisoned text may not replace: the geometry itself.
    for bad, good in zip(bad_documents, documents, strict=True):
        bad["site"]["geometry"] = good["site"]["geometry"]
        for found, original in zip(bad["findings"], good["findings"], strict=True):
            found.update({k: original[k] for k in ("geometry",) if k in original})
    texts = {
        "plan": plan_map(bad_plan, bad_documents),
        "site": site_map(bad_documents[0], bad_plan),
    }
    for name, text in texts.items():
        path = tmp_path / f"{name}.html"
        path.write_text(text, "utf-8")
        with opened_file(browser, path, DESK) as page:
            for summary in page.locator("summary:visible").all()[:4]:
                summary.click()
            for pin in page.locator(".wq-pin").all()[:1]:
                pin.click()
                page.wait_for_selector(".leaflet-popup-content")
            for theme in page.locator(".wq-themes button").all():
                theme.click()
            page.mouse.click(900, 500)
            page.wait_for_timeout(200)
            assert page.evaluate("typeof window.pwned") == "undefined"
            assert page.locator("img[src='x']").count() == 0
            assert "{{7*7}}" in page.content() or "{{7*7}}" in page.inner_text("body")


def test_a_tapped_remedy_shows_its_outline_and_the_first_one_shows_again(
    browser, tmp_path, plan, documents
):
    outline = documents[0]["site"]["geometry"]
    west, south = outline["coordinates"][0][0]
    moved = {
        "type": "Polygon",
        "coordinates": [[[x + 0.002, y] for x, y in ring] for ring in outline["coordinates"]],
    }
    about = {"rule": "r", "rules": ["r"], "verdict": "pass", "verdict_label": "符合"}
    rows = [
        about | {"kind": "trim", "text": "裁去", "area_m2": 9e4, "lost_m2": 1e4,
                 "geometry": outline},
        about | {"kind": "shift", "text": "平移", "shift_m": 180.0, "bearing_deg": 90.0,
                 "area_m2": 1e5, "geometry": moved},
        {"kind": "procedure", "rule": "r", "rules": ["r"], "text": "报批", "office": "某局"},
    ]  # fmt: skip
    assert (west, south) != tuple(moved["coordinates"][0][0])
    path = tmp_path / "site.html"
    path.write_text(site_map(documents[0] | {"remedies": rows}, plan), "utf-8")
    with opened_file(browser, path, DESK) as page:
        shown = "() => [...document.querySelectorAll('path.wq-remedy')].map(e => e.classList[1])"
        assert page.evaluate(shown) == ["wq-r-r0"]
        page.locator("details[data-layer-key=r1] summary").click()
        page.wait_for_function(
            "() => document.querySelectorAll('path.wq-r-r1').length === 1 "
            "&& !document.querySelector('path.wq-r-r0')"
        )
        page.locator("details[data-layer-key=r1] summary").click()
        page.wait_for_function("() => document.querySelectorAll('path.wq-r-r0').length === 1")
        assert page.get_by_text("裁减或平移后的范围").first.is_visible()
        assert page.get_by_text("须办理的事项（按主管部门）1 项").is_visible()
