"""Pages in a real browser that finds nothing but this machine, and what they may not do there."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

# Every name but the address of a service of the tests leads nowhere.
NOWHERE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    NOWHERE,
]
DESK = {"viewport": {"width": 1600, "height": 900}, "reduced_motion": "reduce"}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}


@contextmanager
def launched(chromium: str) -> Iterator[Any]:
    """Run Chromium; without Playwright the test is skipped, or fails where all is required."""
    if os.environ.get("WUQU_REQUIRE_ALL") == "1":
        import playwright.sync_api as playwright
    else:
        playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield running
        running.close()


def complains(message: Any) -> bool:
    """Whether a message of the console says that something is wrong."""
    return message.type in {"error", "warning"}


@contextmanager
def watched(
    browser: Any,
    url: str,
    options: dict[str, Any],
    *,
    may_ask: Callable[[str], bool],
    is_trouble: Callable[[Any], bool] = complains,
    offline: bool = False,
) -> Iterator[Any]:
    """Open a page; fail on a request it may not make, an error of a script, a dialog."""
    context = browser.new_context(**options)
    context.set_offline(offline)
    page = context.new_page()
    troubles: list[str] = []
    page.on("request", lambda r: None if may_ask(r.url) else troubles.append(r.url))
    page.on("pageerror", lambda e: troubles.append(str(e)))
    page.on("console", lambda m: troubles.append(m.text) if is_trouble(m) else None)
    page.on("dialog", lambda d: (troubles.append("dialog"), d.dismiss()))
    page.goto(url)
    try:
        yield page
    finally:
        context.close()
    assert troubles == []


@contextmanager
def opened_file(browser: Any, path: Path, options: dict[str, Any]) -> Iterator[Any]:
    """Open a map page offline, when it is drawn; fail on any request but the file."""
    asked: list[str] = []
    only = path.as_uri()
    with watched(
        browser, only, options, may_ask=lambda url: not asked.append(url), offline=True
    ) as page:
        page.wait_for_selector("html.wq-ready", state="attached")
        yield page
    assert asked == [only]


def shown(browser: Any, path: Path, options: dict[str, Any] = DESK) -> Any:
    """Return the page of a map file, when it is drawn; it stays open as long as the browser."""
    page = browser.new_page(**options)
    page.goto(path.as_uri())
    page.wait_for_selector("html.wq-ready", state="attached")
    return page
