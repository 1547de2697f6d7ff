"""The map of the projects in a real browser: rows zoom, a phone is enough, two sheets of paper."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from gis.output.maps import portfolio_map
from gis.portfolio.check import check_portfolio

if os.environ.get("WUQU_REQUIRE_ALL") == "1":
    import playwright.sync_api as playwright
else:
    playwright = pytest.importorskip("playwright.sync_api")

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
DESK = {"viewport": {"width": 1600, "height": 900}, "reduced_motion": "reduce"}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


@pytest.fixture(scope="module")
def file(plan, tmp_path_factory) -> Path:
    kept = ("resort", "core", "zones", "dev_boundary", "water", "projects")
    drawn = replace(plan, layers={name: plan.layers[name] for name in kept})
    portfolio = check_portfolio(plan, as_of=date(2026, 11, 22))
    path = tmp_path_factory.mktemp("projects") / "projects.html"
    path.write_text(portfolio_map(portfolio, drawn), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture
def opened(browser, file: Path):
    """Open the page; nothing may be asked of the network, no script may fail."""
    pages: list[Any] = []
    wrong: list[str] = []

    def call(options: dict[str, Any]) -> Any:
        page = browser.new_context(**options, offline=True).new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda r: wrong.append(r.url) if r.url.startswith("http") else None)
        page.goto(file.as_uri())
        page.wait_for_selector(".leaflet-container .wq-pin")
        pages.append(page)
        return page

    yield call
    assert wrong == []
    for page in pages:
        page.context.close()


def scale(page) -> str:
    return page.inner_text(".leaflet-control-scale")


def test_tapping_a_project_of_a_problem_zooms_to_its_outline(opened) -> None:
    page = opened(DESK)
    before = scale(page)
    page.click(".wq-problems summary:has-text('规划与用地')")
    page.click(".wq-problems .wq-site:has-text('现代·明珠广场')")
    page.wait_for_function(
        "before => document.querySelector('.leaflet-control-scale').innerText !== before",
        arg=before,
    )
    assert scale(page).endswith(" m")  # from kilometres
    assert page.is_disabled(".wq-sites .wq-site:has-text('盛景温泉酒店')")


def test_a_pin_tells_verdict_paper_and_problem(opened) -> None:
    page = opened(DESK)
    page.click(".wq-pin-undetermined >> nth=-1")
    text = page.inner_text(".leaflet-popup-content")
    assert "需核实" in text
    assert "下一步手续" in text


def test_a_phone_shows_the_sentence_and_scrolls_no_way_but_down(opened) -> None:
    page = opened(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.is_visible(".wq-sentence")
    page.click(".wq-handle")
    page.wait_for_function("document.documentElement.dataset.sheet === 'half'")
    assert page.is_visible("text=项目在等什么")


def test_on_paper_the_table_has_every_project(opened) -> None:
    page = opened(DESK)
    assert not page.is_visible(".wq-plist")
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.is_visible(".wq-plist")
    assert page.locator(".wq-plist tbody tr").count() == 20
    wide = page.evaluate(
        "() => { const t = document.querySelector('.wq-plist table');"
        " return t.scrollWidth <= document.body.clientWidth; }"
    )
    assert wide
    data = page.pdf(prefer_css_page_size=True, print_background=True)
    assert data.count(b"/Type /Page\n") in (2, 3)
