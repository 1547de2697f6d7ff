"""What a copy that is handed on carries: recipient, 审图号, and one basemap of the intranet."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import Settings
from gis.errors import ClaimError
from gis.output.maps import plan_map
from gis.output.maps.assets import AssetError, offline
from gis.output.sharing import ALONE, Basemap, Sharing, sharing_of, sharing_of_environment

TILES = (
    "http://map.bureau.local:8090/wmts?layer=img&style=default"
    "&TILEMATRIX={z}&TILEROW={y}&TILECOL={x}"
)
ORIGIN = "http://map.bureau.local:8090"
HOSTILE = '<img src=x onerror="pwned=1">${1}{{7*7}}</script>'
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def policy_of(page):
    start = page.index('http-equiv="Content-Security-Policy" content="') + 46
    return page[start : page.index('">', start)]


@pytest.fixture(scope="module")
def shared_page(plan):
    return plan_map(plan, sharing=Sharing("某区分局", Basemap(TILES)))


@pytest.mark.parametrize(
    "url",
    [
        "map.bureau.local/{z}/{x}/{y}",
        "ftp://map.bureau.local/{z}/{x}/{y}",
        "http://map.bureau.local/{z}/{x}",
        "http://map.bureau.local/{z}/{x}/{y}/{s}",
        "http://{s}.bureau.local/{z}/{x}/{y}",
        "http://map.bureau.local/{z}/{x}/{y}; script-src *",
        'http://map.bureau.local/{z}/{x}/{y}"><script>',
        "http://user:secret@map.bureau.local/{z}/{x}/{y}",
        "http://map.bureau.local:99999/{z}/{x}/{y}",
        "http://map.bureau.local/" + "a" * 500 + "{z}{x}{y}",
    ],
)
def test_an_address_that_is_no_tile_service_is_refused(url):
    with pytest.raises(ClaimError, match="不能采用"):
        Basemap(url)


def test_the_policy_of_a_page_allows_pictures_of_the_one_host_and_nothing_else(
    plan_page, shared_page
):
    alone = policy_of(plan_page)
    assert "http" not in alone
    allowed = dict(part.strip().split(" ", 1) for part in policy_of(shared_page).split(";"))
    assert allowed["img-src"] == f"{ORIGIN} data:"
    assert [k for k, v in allowed.items() if "http" in v] == ["img-src"]
    assert "connect-src" not in allowed  # default-src 'none' holds


def test_a_page_may_name_the_address_of_its_basemap_and_no_other():
    page = '<html><head></head><body><script>var a = "http://else.local/";</script></body></html>'
    with pytest.raises(AssetError, match="not vendored"):
        offline(page, basemap=Basemap(TILES))


def test_without_settings_a_page_names_neither_recipient_nor_number(plan_page):
    assert '<div class="wq-recipient"' not in plan_page
    assert '<div class="wq-approval"' not in plan_page


def test_recipient_and_map_number_stand_on_the_map_and_are_text(plan):
    header = plan.file.plan.model_copy(update={"map_number": "鲁SG(2026)001号"})
    numbered = replace(plan, file=plan.file.model_copy(update={"plan": header}))
    page = plan_map(numbered, sharing=Sharing(HOSTILE))
    assert "审图号：鲁SG(2026)001号" in page
    assert "<img src=x" not in page
    assert page.count("专用</span>") == 24


def test_the_settings_come_from_the_environment(monkeypatch):
    monkeypatch.delenv("WUQU_RECIPIENT", raising=False)
    monkeypatch.delenv("WUQU_BASEMAP", raising=False)
    assert sharing_of_environment() == ALONE == sharing_of(None, "")
    monkeypatch.setenv("WUQU_RECIPIENT", "甲")
    monkeypatch.setenv("WUQU_BASEMAP", TILES)
    assert sharing_of_environment() == Sharing("甲", Basemap(TILES))
    assert sharing_of_environment("乙").recipient == "乙"


def test_the_service_sends_maps_with_the_basemap_in_page_and_header(plan, tmp_path):
    chosen = Settings(db=tmp_path / "r.sqlite", basemap=TILES, recipient="某区分局")
    with TestClient(create_app(chosen, plan=plan), base_url="http://127.0.0.1") as client:
        answer = client.get("/maps/plan.html")
        assert f"img-src {ORIGIN} data: blob:;" in answer.headers["content-security-policy"]
        assert "某区分局" in answer.text
        assert ORIGIN not in client.get("/").headers["content-security-policy"]
        served = client.get("/maps/plan.html?assets=static")
        assert "某区分局" in served.text
        assert ORIGIN not in served.text + served.headers["content-security-policy"]


# --- in a browser --------------------------------------------------------------------------------


@pytest.mark.parametrize("reachable", [True, False])
def test_the_map_works_with_its_basemap_and_without(browser, shared_page, tmp_path, reachable):
    (tmp_path / "m.html").write_text(shared_page, "utf-8")
    page = browser.new_page(viewport={"width": 1200, "height": 800})
    asked, troubles = [], []

    def tile(route):
        asked.append(route.request.url)
        if reachable:
            route.fulfill(body=PNG, content_type="image/png")
        else:
            route.abort()

    page.route(f"{ORIGIN}/**", tile)
    page.on("pageerror", lambda e: troubles.append(str(e)))
    page.goto((tmp_path / "m.html").as_uri())
    page.wait_for_selector("html.wq-ready", state="attached")
    page.wait_for_function("() => document.querySelectorAll('path.leaflet-interactive').length")
    if reachable:
        page.wait_for_selector("html.wq-has-basemap", state="attached")
    else:
        assert not page.locator("html.wq-has-basemap").count()
    page.close()
    assert troubles == []
    assert asked
    assert all("{" not in url and url.startswith(ORIGIN) for url in asked)
