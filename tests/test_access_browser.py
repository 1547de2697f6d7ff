"""Signing in with a real browser: the form, the cookie, a check, its map, signing out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from desk_service import serving
from waiting import PATIENCE

from api.access.keys import KeyStore
from api.access.roles import Role

READY = "() => document.getElementById('board')?.dataset.ready === 'true'"


@pytest.fixture(scope="module")
def service(plan, tmp_path_factory) -> Iterator[tuple[str, dict[str, str]]]:
    folder = tmp_path_factory.mktemp("signing")
    keys = KeyStore(folder / "keys.json")
    texts = {role.value: keys.add(role.value, role)[1] for role in (Role.viewer, Role.clerk)}
    with serving(plan, folder) as address:
        yield address, texts


@pytest.fixture
def page(browser) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1500, "height": 900})
    # The first map of a process waits until its loops are compiled.
    context.set_default_timeout(30_000 * PATIENCE)
    opened = context.new_page()
    troubles: list[str] = []
    opened.on("pageerror", lambda e: troubles.append(str(e)))
    opened.on(
        "console", lambda m: troubles.append(m.text) if "Content Security" in m.text else None
    )
    yield opened
    context.close()
    assert troubles == []


def sign_in(page, address: str, key: str) -> None:
    page.goto(address)
    page.fill("#key", key)
    page.click("button.go")


def test_a_clerk_signs_in_checks_a_site_sees_its_map_and_signs_out(page, service, samples_dir):
    address, keys = service
    sign_in(page, address, keys["clerk"])
    page.wait_for_function(READY)
    assert page.url == f"{address}/"
    page.set_input_files("#file", samples_dir / "yizhong_xinxiao.txt")
    page.click("button.go")
    page.wait_for_selector("#result .verdict, #result h2")
    # The map stands in a frame with an origin of its own, which has to get the cookie all the same.
    frame = page.wait_for_selector("#result iframe").content_frame()
    frame.wait_for_selector(".leaflet-container")
    assert "#check=" in page.url
    assert page.evaluate("document.cookie") == ""
    page.click("header nav button")
    page.wait_for_url("**/sign-in")
    page.goto(f"{address}/maps/plan.html")
    assert page.url.startswith(f"{address}/sign-in?next=")
    assert keys["clerk"] not in page.content()


def test_a_viewer_is_brought_back_to_the_page_that_was_asked_for_and_cannot_check(page, service):
    address, keys = service
    page.goto(f"{address}/docs")
    page.fill("#key", keys["viewer"])
    page.click("button.go")
    page.wait_for_selector(".swagger-ui .info")
    assert page.url == f"{address}/docs"
    page.goto(address)
    page.wait_for_function(READY)
    assert page.is_disabled("button.go")


def test_a_wrong_key_is_told_and_not_shown_again(page, service):
    address, _ = service
    wrong = "wuqu_00000000_" + "A" * 43
    sign_in(page, address, wrong)
    assert "密钥不正确" in page.inner_text("[role=alert]")
    assert wrong not in page.content()
    assert page.input_value("#key") == ""


def test_who_was_signed_out_meanwhile_is_told_so_and_loses_nothing(page, service):
    address, keys = service
    sign_in(page, address, keys["clerk"])
    page.wait_for_function(READY)
    page.locator('input[name="way"][value="text"]').check(force=True)
    page.fill("#text", "POLYGON((115.97 36.37,115.971 36.37,115.971 36.371,115.97 36.37))")
    page.context.clear_cookies()
    page.click("button.go")
    page.wait_for_selector("#result:has-text('登录已到期')")
    assert "POLYGON" in page.input_value("#text")
