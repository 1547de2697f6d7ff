"""The map of the projects in a real browser: rows zoom, a phone is enough, few sheets of paper."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from browser_pages import DESK, PHONE, opened_file

from gis.output.maps import portfolio_map
from gis.portfolio.check import check_portfolio


@pytest.fixture(scope="module")
def file(plan, tmp_path_factory) -> Path:
    kept = ("resort", "core", "zones", "dev_boundary", "water", "projects")
    drawn = replace(plan, layers={name: plan.layers[name] for name in kept})
    portfolio = check_portfolio(plan, as_of=date(2026, 11, 22))
    path = tmp_path_factory.mktemp("projects") / "projects.html"
    path.write_text(portfolio_map(portfolio, drawn), encoding="utf-8")
    return path


def scale(page) -> str:
    return page.inner_text(".leaflet-control-scale")


def test_tapping_a_project_of_a_problem_zooms_to_its_outline(browser, file) -> None:
    with opened_file(browser, file, DESK) as page:
        before = scale(page)
        page.click(".wq-problems summary:has-text('规划与用地')")
        page.click(".wq-problems .wq-site:has-text('现代·明珠广场')")
        page.wait_for_function(
            "before => document.querySelector('.leaflet-control-scale').innerText !== before",
            arg=before,
        )
        assert scale(page).endswith(" m")  # from kilometres
        assert page.is_disabled(".wq-sites .wq-site:has-text('盛景温泉酒店')")


def test_a_pin_tells_verdict_paper_and_problem(browser, file) -> None:
    with opened_file(browser, file, DESK) as page:
        page.click(".wq-pin-undetermined >> nth=-1")
        text = page.inner_text(".leaflet-popup-content")
        assert "需核实" in text
        assert "下一步手续" in text


def test_a_phone_shows_the_sentence_and_scrolls_no_way_but_down(browser, file) -> None:
    with opened_file(browser, file, PHONE) as page:
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        assert page.is_visible(".wq-sentence")
        page.click(".wq-handle")
        page.wait_for_function("document.documentElement.dataset.sheet === 'half'")
        assert page.is_visible("text=项目在等什么")


def test_on_paper_the_table_has_every_project(browser, file) -> None:
    with opened_file(browser, file, DESK) as page:
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
