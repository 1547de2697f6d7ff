"""Who sees what under /ogc: roles, records by owner, secrecy, another plan, no pygeoapi."""

from __future__ import annotations

import base64
import dataclasses
import importlib.util
import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from access_service import SITE, WRONG, service
from pyproj import Transformer

from gis.model import LayerInfo, LayerState
from gis.plan import load_plan

ITEMS = "/ogc/collections/records/items"
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"


@pytest.fixture(scope="module")
def opened(plan, tmp_path_factory):
    with service(plan, tmp_path_factory.mktemp("ogc"), rate_per_minute=0) as running:
        running.add("viewer", "viewer")
        running.add("one", "clerk")
        running.add("two", "clerk", office="审批科")
        running.add("three", "clerk", office="审批科")
        running.add("reviewer", "reviewer")
        running.ids = {name: running.check(name).json()["id"] for name in ("one", "two", "three")}
        running.process = running.client.post(
            "/ogc/processes/site-check/execution",
            json={"inputs": {"site": json.loads(SITE), "as_of": "2026-11-22"}},
            headers=running.headers("one"),
        ).json()["id"]
        yield running


def records(opened, name, **query) -> list[str]:
    answer = opened.get(ITEMS, name, params=query)
    assert answer.status_code == 200, answer.text
    return [feature["id"] for feature in answer.json()["features"]]


def test_without_a_key_nothing_is_told(opened) -> None:
    for path in ("/ogc", "/ogc/collections", ITEMS, "/ogc/nope", "/ogc/collections/nope"):
        answer = opened.client.get(path)
        assert answer.status_code == 401, path
        assert answer.headers["www-authenticate"].startswith("Bearer")


def basic(user: str, password: str) -> dict[str, str]:
    coded = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {coded}"}


def test_a_key_may_be_the_password_of_a_desktop_program_and_only_here(opened) -> None:
    key = opened.keys["viewer"]
    for user in ("", "qgis", "任何人"):
        found = opened.client.get("/ogc/collections", headers=basic(user, key))
        assert found.status_code == 200
    assert opened.client.get("/v1/plan", headers=basic("qgis", key)).status_code == 401
    wrong = opened.client.get("/ogc", headers=basic("qgis", WRONG))
    assert wrong.json()["code"] == "key_wrong"
    # The password of a proxy in front is no key at all.
    for headers in (basic("qgis", "geheim"), {"Authorization": "Basic ***"}):
        assert opened.client.get("/ogc", headers=headers).json()["code"] == "key_needed"
    assert "Basic" not in opened.client.get("/ogc").headers["www-authenticate"]


def test_a_page_of_another_site_cannot_use_a_password_that_a_browser_keeps(opened) -> None:
    url = "/ogc/processes/site-check/execution"
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        sent = basic("qgis", opened.keys["one"]) | headers
        answer = opened.client.post(url, content=b"{}", headers=sent)
        assert answer.status_code == 403
        assert answer.json()["code"] == "foreign_page"


def test_a_viewer_sees_layers_and_does_not_learn_of_records(opened) -> None:
    told = opened.get("/ogc/collections", "viewer").json()["collections"]
    assert "zones" in {c["id"] for c in told}
    assert "records" not in {c["id"] for c in told}
    assert opened.get("/ogc/collections/zones/items", "viewer").status_code == 200
    nothing = opened.get("/ogc/collections/nope", "viewer")
    for path in ("", "/items", "/schema", "/queryables", f"/items/{opened.ids['one']}"):
        answer = opened.get(f"/ogc/collections/records{path}", "viewer")
        assert answer.status_code == 404
        assert answer.json() == nothing.json()
    assert "records" not in opened.get("/ogc/openapi", "viewer").text
    assert opened.get("/ogc/processes", "viewer").json()["processes"] == []
    assert opened.get("/ogc/processes/site-check", "viewer").status_code == 404
    refused = opened.client.post(
        "/ogc/processes/site-check/execution",
        json={"inputs": {"site": json.loads(SITE)}},
        headers=opened.headers("viewer"),
    )
    assert refused.status_code == 403


def test_a_clerk_finds_its_own_records_and_those_of_its_office(opened) -> None:
    assert records(opened, "one") == [opened.ids["one"], opened.process]
    assert records(opened, "two") == [opened.ids["two"], opened.ids["three"]]
    assert records(opened, "reviewer") == [*opened.ids.values(), opened.process]


def test_a_record_of_others_is_as_absent_as_one_that_never_was(opened) -> None:
    mine = opened.get(f"{ITEMS}/{opened.ids['one']}", "one")
    assert mine.status_code == 200
    assert mine.json()["properties"]["verdict_label"]
    others = opened.get(f"{ITEMS}/{opened.ids['two']}", "one")
    never = opened.get(f"{ITEMS}/{'0' * 32}", "one")
    assert others.status_code == never.status_code == 404
    assert others.json() == never.json()
    assert opened.get(f"{ITEMS}/{opened.ids['two']}", "reviewer").status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        {"bbox": "115.9,36.3,116.0,36.4"},
        {"verdict": "fail"},
        {"filter": "name IS NOT NULL"},
        {"sortby": "-created_at"},
        {"datetime": "2020-01-01/.."},
        {"limit": "1"},
        {"resulttype": "hits"},
    ],
)
def test_no_query_finds_records_of_others(opened, query) -> None:
    own = {opened.ids["one"], opened.process}
    assert set(records(opened, "one", **query)) <= own
    answer = opened.get(ITEMS, "one", params=query).json()
    assert answer["numberMatched"] <= len(own)


def test_records_are_found_by_place_value_and_date(opened) -> None:
    every = records(opened, "reviewer")
    assert records(opened, "reviewer", bbox="115.969,36.369,115.972,36.372") == every
    assert records(opened, "reviewer", bbox="115.90,36.30,115.91,36.31") == []
    metres = {"bbox": "4026000,406000,4029000,409000", "bbox-crs": f"{EPSG}4548"}
    assert records(opened, "reviewer", **metres) == every
    verdict = opened.get(f"{ITEMS}/{every[0]}", "reviewer").json()["properties"]["verdict"]
    assert records(opened, "reviewer", verdict=verdict) == every
    assert records(opened, "reviewer", filter=f"verdict <> '{verdict}'") == []
    today = datetime.now(UTC).date()
    assert records(opened, "reviewer", datetime=f"../{today + timedelta(days=1)}") == every
    assert records(opened, "reviewer", datetime=str(today - timedelta(days=9))) == []
    assert records(opened, "reviewer", datetime="2020-01-01T00:00:00Z/2020-02-01T00:00:00Z") == []
    assert records(opened, "reviewer", sortby="-created_at,name", limit=2, offset=1) != []


def test_an_outline_of_a_record_lies_where_the_site_was_drawn(opened) -> None:
    drawn = np.array(json.loads(SITE)["coordinates"])
    told = opened.get(f"{ITEMS}/{opened.ids['one']}", "one").json()["geometry"]
    assert np.allclose(told["coordinates"], drawn, atol=1e-8)
    metres = opened.get(f"{ITEMS}/{opened.ids['one']}?crs={EPSG}4527", "one").json()["geometry"]
    moving = Transformer.from_crs(4490, 4527, always_xy=True)
    east, north = moving.transform(*drawn[0].T)
    assert np.allclose(metres["coordinates"][0], np.column_stack([north, east]), atol=0.001)


def test_a_changed_record_is_left_out_of_a_page(opened, caplog) -> None:
    from sqlalchemy import text

    store = opened.client.app.state.wuqu.store
    spoiled = opened.check("three").json()["id"]
    with store.engine.begin() as connection:
        connection.execute(text("DROP TRIGGER records_no_update"))
        connection.execute(
            text("UPDATE records SET verdict = 'pass' WHERE id = :id"), {"id": spoiled}
        )
    assert spoiled not in records(opened, "reviewer")
    assert "not what was written" in caplog.text


def test_the_audit_log_names_the_route_and_the_record(opened, caplog) -> None:
    import logging

    with caplog.at_level(logging.INFO, "wuqu.audit"):
        opened.get(f"{ITEMS}/{opened.ids['one']}?crs={EPSG}4527", "one")
    line = caplog.records[-1].fields
    assert line["route"] == "/ogc/collections/{collection_id}/items/{item_id:path}"
    assert line["records"] == [opened.ids["one"]]
    assert line["who"] == "one"


def test_no_log_shows_what_was_asked_for(opened, caplog) -> None:
    import logging

    with caplog.at_level(logging.DEBUG):
        opened.get("/ogc/collections/zones/items?filter=name = 'geheim", "viewer")
        opened.get("/ogc/collections/zones/items?name=geheim&bbox=115.9,36.3,116,36.4", "viewer")
        opened.get("/ogc/collections/zones/items?limit=geheim", "viewer")
    ours = [r for r in caplog.records if not r.name.startswith(("httpx", "httpcore"))]
    assert ours
    assert not [r for r in ours if "geheim" in r.getMessage() or "115.9" in r.getMessage()]


def test_answers_carry_the_headers_of_all_answers(opened) -> None:
    for path in ("/ogc", "/ogc/collections/zones/items", "/ogc/collections/nope"):
        answer = opened.get(path, "viewer")
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "x-powered-by" not in answer.headers


def test_the_limits_of_requests_hold_here_too(small, tmp_path) -> None:
    with service(small, tmp_path, rate_per_minute=6) as running:
        running.add("busy", "viewer")
        statuses = [running.get("/ogc/conformance", "busy").status_code for _ in range(4)]
    assert statuses[0] == 200
    assert statuses[-1] == 429


# --- secrecy -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small(scarce_dir):
    """A plan that opens in no time."""
    return load_plan(scarce_dir()).prepare()


def with_secret(plan, layer_id: str, secrecy: str):
    """The plan with one layer that is secret."""
    layer = plan.layers[layer_id]
    info: LayerInfo = dataclasses.replace(layer.info, secrecy=secrecy)
    secret = dataclasses.replace(
        layer, info=info, index=dataclasses.replace(layer.index, info=info)
    )
    return dataclasses.replace(plan, layers={**plan.layers, layer_id: secret})


@pytest.mark.parametrize(
    ("ceiling", "is_there"), [("public", False), ("internal", True), ("restricted", True)]
)
def test_a_layer_above_the_ceiling_is_no_collection(small, tmp_path, ceiling, is_there) -> None:
    secret = with_secret(small, "farmland", "internal")
    with service(secret, tmp_path, secrecy=ceiling) as running:
        told = running.client.get("/ogc/collections").json()["collections"]
        assert ("farmland" in {c["id"] for c in told}) is is_there
        wanted = 200 if is_there else 404
        for path in ("", "/items", "/schema", "/queryables", "/items/000"):
            status = running.client.get(f"/ogc/collections/farmland{path}").status_code
            assert status == wanted, path
        description = running.client.get("/ogc/openapi").text
        assert ("/collections/farmland" in description) is is_there


def test_a_layer_that_cannot_be_read_is_no_collection(scarce_dir, tmp_path) -> None:
    root = scarce_dir()
    (root / "farmland.geojson").write_bytes(b"broken")
    broken = load_plan(root)
    assert broken.layers["farmland"].state is LayerState.FAILED
    with service(broken, tmp_path) as running:
        told = running.client.get("/ogc/collections").json()["collections"]
        assert {c["id"] for c in told} == {*broken.layers, "records"} - {"farmland"}
        assert running.client.get("/ogc/collections/farmland/items").status_code == 404


# --- another plan, other addresses, no pygeoapi --------------------------------------------------


def test_links_begin_with_the_public_address_when_there_is_one(small, tmp_path) -> None:
    with service(small, tmp_path, public_url="https://gis.example.cn/plan/") as running:
        text = running.client.get("/ogc/collections").text
        assert "https://gis.example.cn/plan/ogc/collections/zones/items" in text
        assert "testserver" not in text
        page = running.client.get("/ogc/collections/landuse/items?limit=1").json()
        (following,) = [link["href"] for link in page["links"] if link["rel"] == "next"]
        assert following.startswith("https://gis.example.cn/plan/ogc/collections/landuse/items?")


@pytest.mark.parametrize("host", ["evil.example/path", "a b", "<script>", "x" * 300])
def test_a_host_that_is_none_stands_in_no_link(small, tmp_path, host) -> None:
    with service(small, tmp_path) as running:
        running.add("viewer", "viewer")
        answer = running.client.get("/ogc", headers=running.headers("viewer", Host=host))
        assert answer.status_code == 200
        assert host not in answer.text
        assert "http://127.0.0.1:8000/ogc" in answer.text


@pytest.mark.parametrize("url", ["gis.example.cn", "ftp://x", "https://x/ y", "https://u:p@x"])
def test_a_public_address_that_is_none_is_refused(url) -> None:
    from api.settings import settings
    from gis.errors import ClaimError

    with pytest.raises(ClaimError, match="public_url"):
        settings(public_url=url)


def test_without_pygeoapi_every_route_names_the_extra(small, tmp_path, monkeypatch) -> None:
    there = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *a: None if name == "pygeoapi" else there(name, *a),
    )
    with service(small, tmp_path) as running:
        for path in ("/ogc", "/ogc/", "/ogc/collections", "/ogc/collections/zones/items"):
            answer = running.client.get(path)
            assert answer.status_code == 503
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["code"] == "extra"
            assert "wuqu[ogc]" in answer.json()["detail"]
        assert running.client.get("/v1/plan").status_code == 200


def test_the_service_starts_without_loading_pygeoapi() -> None:
    import subprocess
    import sys

    code = "import sys, api.app; print([m for m in sys.modules if m.startswith('pygeoapi')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
