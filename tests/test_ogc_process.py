"""The process site-check: the same answer as /v1/site-checks, read strictly, with a record."""

from __future__ import annotations

import json

import pytest
from access_service import SITE

EXECUTION = "/ogc/processes/site-check/execution"
FEATURE = {"type": "Feature", "properties": {"name": "测试地块"}, "geometry": json.loads(SITE)}
ATTR = {"plot_ratio": 1.0, "public_interest": True}


def execute(client, *, headers=None, **document):
    return client.post(EXECUTION, json=document, headers=headers)


def alike(answer: dict) -> dict:
    """An answer without what differs from check to check: its id, and the hash of what was sent."""
    site = {key: value for key, value in answer["site"].items() if key != "source"}
    return {**answer, "id": "", "site": site}


def test_the_answer_is_that_of_the_site_checks(client) -> None:
    inputs = {"site": FEATURE, "use": "080403", "attr": ATTR, "as_of": "2026-11-22"}
    answer = execute(client, inputs=inputs)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    same = client.post(
        "/v1/site-checks?use=080403&attr=plot_ratio:1.0&attr=public_interest:true&as_of=2026-11-22",
        json=FEATURE,
    )
    told = answer.json()
    assert alike(told) == alike(same.json())
    assert told["digest"] == same.json()["digest"]
    kept = client.get(f"/v1/site-checks/{told['id']}")
    assert kept.status_code == 200
    assert kept.json()["digest"] == told["digest"]


def test_the_record_rests_on_the_bytes_that_arrived(client) -> None:
    import hashlib

    body = json.dumps({"inputs": {"site": FEATURE, "as_of": "2026-11-22"}}, indent=3).encode()
    answer = client.post(EXECUTION, content=body, headers={"Content-Type": "application/json"})
    store = client.app.state.wuqu.store
    record = store.get(answer.json()["id"])
    assert record.upload_sha256 == hashlib.sha256(body).hexdigest()
    verified = client.get(f"/v1/records/{record.id}/verify").json()
    assert verified["outcome"] == "identical", verified


@pytest.mark.parametrize(
    "inputs",
    [
        {"site": {"value": FEATURE, "mediaType": "application/geo+json"}, "use": "080403"},
        {"site": FEATURE, "use": {"value": "080403"}, "attr": []},
        {"site": {"type": "FeatureCollection", "features": [FEATURE]}, "use": "080403"},
        {"site": FEATURE["geometry"], "use": "080403", "geometry": True},
    ],
)
def test_inputs_may_be_wrapped_and_sites_may_be_any_geojson(client, inputs) -> None:
    answer = execute(client, inputs={**inputs, "as_of": "2026-11-22"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["site"]["claims"]["use"] == "080403"


def test_all_outputs_by_name_when_a_document_is_wanted(client) -> None:
    document = {"inputs": {"site": FEATURE, "as_of": "2026-11-22"}, "outputs": {"check": {}}}
    raw = execute(client, **document).json()
    wrapped = execute(client, **document, response="document").json()
    assert set(wrapped) == {"check"}
    assert alike(wrapped["check"]) == alike(raw)


def test_several_sites_are_checked_when_all_are_wanted(client) -> None:
    site = {"type": "FeatureCollection", "features": [FEATURE, FEATURE]}
    several = execute(client, inputs={"site": site})
    assert several.status_code == 422
    assert several.json()["code"] == "several_sites"
    answer = execute(client, inputs={"site": site, "which": "all", "as_of": "2026-11-22"})
    assert len(answer.json()["checks"]) == 2
    one = execute(client, inputs={"site": site, "which": 2, "as_of": "2026-11-22"})
    assert one.status_code == 200


def test_the_example_of_the_description_can_be_executed(client) -> None:
    example = client.get("/ogc/processes/site-check").json()["example"]
    answer = execute(client, **example)
    assert answer.status_code == 200, answer.text
    assert answer.json()["verdict"] in ("pass", "conditional", "undetermined", "fail")


BAD = [
    (b"", 422),
    (b"{", 422),
    (b"\xff", 422),
    (b"[]", 400),
    (b'{"inputs": {}, "inputs": {}}', 422),
    (b'{"inputs": {"site": {"type": "Point", "coordinates": [NaN, 1]}}}', 422),
    (b"[" * 100_000, 413),
    ({}, 400),
    ({"inputs": []}, 400),
    ({"inputs": {}}, 400),
    ({"inputs": {"site": "POINT(1 2)"}}, 400),
    ({"inputs": {"site": {"href": "http://127.0.0.1:1/site.json"}}}, 422),
    ({"inputs": {"site": FEATURE, "colour": "red"}}, 400),
    ({"inputs": {"site": FEATURE, "use": "no-use"}}, 422),
    ({"inputs": {"site": FEATURE, "use": ["080403"]}}, 400),
    ({"inputs": {"site": FEATURE, "attr": {"colour": "red"}}}, 422),
    ({"inputs": {"site": FEATURE, "attr": "plot_ratio"}}, 422),
    ({"inputs": {"site": FEATURE, "as_of": "tomorrow"}}, 422),
    ({"inputs": {"site": FEATURE, "repair": "perhaps"}}, 422),
    ({"inputs": {"site": FEATURE}, "response": "xml"}, 400),
    ({"inputs": {"site": FEATURE}, "mode": ["async"]}, 400),
    ({"inputs": {"site": FEATURE}, "outputs": {"map": {}}}, 400),
    ({"inputs": {"site": FEATURE}, "subscriber": {"successUri": "http://127.0.0.1:1/"}}, 400),
]


@pytest.mark.parametrize(("body", "status"), BAD, ids=lambda value: str(value)[:50])
def test_what_cannot_be_executed_is_refused_in_chinese(client, body, status) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = client.post(EXECUTION, content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == status, answer.text[:300]
    assert answer.headers["content-type"] == "application/problem+json"
    assert not answer.json()["detail"].isascii()


def test_a_body_beyond_the_limit_is_refused_before_it_is_read(client) -> None:
    length = client.app.state.wuqu.settings.body_limit_bytes + 1
    answer = client.post(EXECUTION, content=b" " * length)
    assert answer.status_code == 413
