"""Many sites on the desk, in a browser without internet: offered, followed, taken away."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest
from browser_pages import PHONE
from desk_service import serving
from job_world import collection
from test_desk_browser import LEAN, opened, submit

from gis.plan import load_plan

LONG_MS = 120_000


@pytest.fixture(scope="module")
def address(clean, tmp_path_factory) -> Iterator[str]:
    with serving(load_plan(clean), tmp_path_factory.mktemp("db")) as started:
        yield started


def many(tmp_path, count: int, **more):
    path = tmp_path / "第一批.geojson"
    path.write_bytes(collection(count, **more))
    return path


def until_done(page) -> None:
    page.wait_for_function(
        "() => document.querySelector('.job-status')?.textContent.startsWith('已完成')",
        timeout=LONG_MS,
    )


def test_a_file_with_many_sites_is_offered_as_a_batch_and_its_table_can_be_taken_away(
    browser, address, tmp_path
) -> None:
    with opened(browser, address, LEAN) as page:
        submit(page, many(tmp_path, 60))
        # By keyboard alone, as everything on the desk.
        page.get_by_role("button", name="批量检测").focus()
        page.keyboard.press("Enter")
        page.wait_for_selector(".job progress")
        until_done(page)
        assert page.locator(".job-status").inner_text().endswith("60 / 60 个")
        with page.expect_download(timeout=LONG_MS) as taken:
            page.click("[data-result=csv]")
        assert taken.value.suggested_filename == "第一批-结果.csv"
        text = taken.value.path().read_text("utf-8-sig")
        assert len(list(csv.DictReader(io.StringIO(text)))) == 60
        # The job has an address of its own: opened again, it is there again.
        place = page.url
    assert "#job=" in place
    with opened(browser, address, LEAN) as page:
        page.goto(place)
        until_done(page)
        page.reload()
        until_done(page)
        page.wait_for_selector("[data-result=zip]")
        assert page.locator("[data-result]").count() == 5


def test_few_sites_are_answered_as_ever(browser, address, tmp_path) -> None:
    with opened(browser, address, LEAN) as page:
        submit(page, many(tmp_path, 3))
        page.wait_for_selector(".problem.is-question")
        assert page.get_by_role("button", name="批量检测").count() == 0


def test_many_files_become_one_job_and_a_bad_one_is_listed(browser, address, tmp_path) -> None:
    files = []
    for n in range(51):
        files.append(tmp_path / f"{n:02d}.geojson")
        files[-1].write_bytes(collection(1, bad=(0,) if n == 7 else ()))
    with opened(browser, address, LEAN) as page:
        submit(page, *files)
        until_done(page)
        assert page.locator(".job h2").inner_text() == "51个文件.zip"
        assert "无法检测 1" in page.locator(".job .counted").inner_text()
        page.click(".job details summary")
        assert "第 8 行 07.geojson" in page.locator(".refusals").inner_text()


def test_more_sites_than_a_check_takes_are_offered_and_can_be_cancelled_on_a_phone(
    browser, address, tmp_path
) -> None:
    with opened(browser, address, PHONE) as page:
        submit(page, many(tmp_path, 1_300))
        page.get_by_role("button", name="批量检测").click()
        page.wait_for_selector(".job progress")
        page.get_by_role("button", name="取消").click()
        page.wait_for_function(
            "() => document.querySelector('.job-status').textContent.startsWith('已取消')",
            timeout=LONG_MS,
        )
        page.locator(".job button", has_text="取消").wait_for(state="hidden")
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
