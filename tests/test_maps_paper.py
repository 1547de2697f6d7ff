"""Maps on paper: A4 or A3 as asked, nothing over anything else, in a real browser."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from browser_pages import shown

from gis.canonical import to_dict
from gis.check import check_site
from gis.intake import read_site
from gis.output.maps import site_map
from gis.plan import Plan

# ISO 216 in points: 297 x 210 mm and 420 x 297 mm.
SHEETS = {"A4": (842, 595), "A3": (1191, 842)}
_PRESS = """size => {
    window.print = () => { window.asked = size; };
    document.querySelector(`[data-paper="${size}"]`).click();
}"""


@pytest.fixture(scope="module")
def pages(
    plan: Plan,
    bare_plan_page: str,
    land_pair_page: str,
    samples_dir: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("paper")
    site = read_site(samples_dir / "theme_park_2000mu.geojson", plan)
    document = to_dict(check_site(site, plan, use="0903", remedies=False))
    texts = {
        "plan": bare_plan_page,
        "pair": land_pair_page,
        "site": site_map(document, plan),
    }
    for name, text in texts.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return {name: folder / f"{name}.html" for name in texts}


def sheets(page: Any) -> tuple[tuple[int, int], int]:
    """Size of the first sheet in points, and how many there are."""
    paper = page.pdf(prefer_css_page_size=True, print_background=True)
    box = re.search(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", paper)
    assert box
    size = (round(float(box[1])), round(float(box[2])))
    return size, len(re.findall(rb"/Type\s*/Page\b", paper))


@pytest.mark.parametrize(("name", "usual"), [("plan", "A4"), ("site", "A4"), ("pair", "A3")])
def test_the_button_prints_on_its_own_sheet_and_the_browser_on_the_usual_one(
    browser: Any, pages: dict[str, Path], name: str, usual: str
) -> None:
    page = shown(browser, pages[name])
    assert sheets(page)[0] == SHEETS[usual]
    for size, points in SHEETS.items():
        page.evaluate(_PRESS, size)
        assert page.evaluate("window.asked") == size
        assert sheets(page)[0] == points
        assert sheets(page)[0] == SHEETS[usual]


def test_the_map_of_the_plan_takes_its_sheet_and_its_land_another_on_both_sizes(
    browser: Any, pages: dict[str, Path]
) -> None:
    page = shown(browser, pages["plan"])
    for size in SHEETS:
        page.evaluate(_PRESS, size)
        assert sheets(page) == (SHEETS[size], 2)


def test_both_sides_of_a_comparison_stand_on_one_sheet_of_either_size(
    browser: Any, pages: dict[str, Path]
) -> None:
    page = shown(browser, pages["pair"])
    for size in SHEETS:
        page.evaluate(_PRESS, size)
        assert sheets(page) == (SHEETS[size], 1)


@pytest.mark.parametrize("size", SHEETS)
@pytest.mark.parametrize("theme", ["功能分区", "规划用地", "现状用地"])
def test_the_legend_ends_above_the_note_and_inside_the_sheet(
    browser: Any, pages: dict[str, Path], theme: str, size: str
) -> None:
    page = shown(browser, pages["plan"])
    page.click(f'.wq-themes button:has-text("{theme}")')
    page.evaluate(_PRESS, size)
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    legend, note, body = (
        page.locator(which).bounding_box() for which in (".wq-legend", ".wq-about", "body")
    )
    assert legend["y"] + legend["height"] <= note["y"]
    assert legend["x"] + legend["width"] <= body["x"] + body["width"] + 1
    rows = page.locator(".wq-legend li:visible")
    assert rows.count() > 10
    for n in range(rows.count()):
        row = rows.nth(n).bounding_box()
        assert row["x"] + row["width"] <= legend["x"] + legend["width"] + 1


def test_rules_that_passed_take_less_than_a_sheet(browser: Any, pages: dict[str, Path]) -> None:
    page = shown(browser, pages["site"])
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    passed = page.locator(".wq-quiet").first
    assert passed.locator("li:visible").count() > 30
    # 190 mm of A4 at 96 dpi are 718 pixels.
    assert passed.bounding_box()["height"] < 718 / 2
