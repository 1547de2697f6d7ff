"""Whatever is asked under /ogc, the answer is features or a problem that names the reason."""

from __future__ import annotations

import pytest
from access_service import service
from examples import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.ogc.query import ITEMS
from gis.plan import load_plan

EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
EXAMPLES = examples(150)
NUMBER = st.one_of(
    st.integers(-(10**20), 10**20), st.floats(), st.floats(-200, 200), st.floats(3e5, 5e6)
).map(str)
VALUES = st.one_of(
    st.text(max_size=30),
    NUMBER,
    st.lists(NUMBER, min_size=3, max_size=7).map(",".join),
    st.sampled_from([f"{EPSG}{code}" for code in (4490, 4527, 4548, 3857, 0)]),
    st.lists(st.sampled_from(["class", "-name", "+id", "", "name"]), max_size=4).map(",".join),
    st.datetimes().map(lambda d: f"{d.isoformat()}Z"),
    st.datetimes().map(lambda d: f"{d.date()}/.."),
    st.lists(
        st.sampled_from(
            ["class", "name", "=", "<>", "LIKE", "IN", "(", ")", "'0102'", "5", "AND", "NOT", "%"]
        ),
        max_size=9,
    ).map(" ".join),
)
QUERY = st.dictionaries(st.sampled_from(sorted(ITEMS | {"class", "name"})), VALUES, max_size=4)


@pytest.fixture(scope="module")
def opened(scarce_dir, tmp_path_factory):
    plan = load_plan(scarce_dir())
    with service(plan, tmp_path_factory.mktemp("ogc-fuzz")) as running:
        # A record inside that plan, so that there is something to find.
        headers = {"Content-Type": "text/plain"}
        site = "POLYGON((408100 4030100, 408200 4030100, 408200 4030200, 408100 4030100))"
        answer = running.client.post(
            "/v1/site-checks?as_of=2026-11-22&crs=EPSG:4548", content=site, headers=headers
        )
        assert answer.status_code == 200, answer.text
        yield running.client


@settings(
    max_examples=EXAMPLES,
    suppress_health_check=list(HealthCheck),
)
@given(query=QUERY, collection=st.sampled_from(["landuse", "zones", "records"]))
def test_any_query_is_answered_or_refused(opened, query, collection) -> None:
    answer = opened.get(f"/ogc/collections/{collection}/items", params=query)
    assert answer.status_code in (200, 400), (answer.status_code, query)
    if answer.status_code == 200:
        page = answer.json()
        assert page["numberReturned"] == len(page["features"]) <= page["numberMatched"]
    else:
        assert answer.json()["code"] == "query"
        assert not answer.json()["detail"].isascii()


@settings(
    max_examples=EXAMPLES // 3,
    suppress_health_check=list(HealthCheck),
)
@given(
    body=st.recursive(
        st.one_of(
            st.none(),
            st.booleans(),
            st.floats(allow_nan=False, allow_infinity=False),
            st.text(max_size=8),
        ),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(
                st.sampled_from(["inputs", "site", "use", "attr", "value", "type", "response"]),
                inner,
                max_size=3,
            ),
        ),
        max_leaves=12,
    )
)
def test_any_execute_request_is_answered_or_refused(opened, body) -> None:
    for document in (body, {"inputs": body}, {"inputs": {"site": body}}):
        answer = opened.post("/ogc/processes/site-check/execution", json=document)
        assert 400 <= answer.status_code < 500, (answer.status_code, document)
        assert answer.headers["content-type"] == "application/problem+json"
