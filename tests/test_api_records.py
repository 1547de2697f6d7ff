"""Records through HTTP: what proves an answer, what an officer decided beside it."""

from __future__ import annotations

import html
import json
import re

import pytest
from record_world import AS_OF, SITE, run_sql
from starlette.testclient import TestClient

from api.app import create_app
from api.schemas_records import RecordOut, VerificationOut
from api.settings import Settings
from gis.output.records.chain import GENESIS
from gis.output.records.verify import Outcome
from gis.plan import load_plan

URL = f"/v1/site-checks?as_of={AS_OF}&use=080403&attr=plot_ratio:1.2"
DECISION = {
    "verdict": "conditional",
    "office": "自然资源局耕保科",
    "reason": "占补平衡方案已批复，同意在落实补划后用地",
}


@pytest.fixture(scope="module")
def small(clean):
    return load_plan(clean)


@pytest.fixture
def client(small, tmp_path):
    app = create_app(Settings(db=tmp_path / "records.sqlite"), plan=small)
    with TestClient(app, raise_server_exceptions=False) as opened:
        yield opened


def checked(client, **more):
    answer = client.post(URL, json=SITE, **more)
    assert answer.status_code == 200
    return answer.json()


def decide(client, record, **more):
    return client.post(f"/v1/records/{record}/decisions", json={**DECISION, **more})


def test_a_record_says_what_it_rests_on_and_where_it_stands(client, small):
    first, second = checked(client), checked(client)
    record = client.get(f"/v1/records/{second['id']}").json()
    assert RecordOut(**record)
    assert (record["digest"], record["verdict"]) == (second["digest"], second["verdict"])
    assert record["plan"] == {"id": small.ref.id, "version": small.ref.version}
    assert record["as_of"] == "2026-11-22"
    assert set(record["software"]) == {"wuqu", "geos", "proj", "gdal"}
    assert re.fullmatch("[0-9a-f]{64}", record["snapshot_sha256"])
    assert record["upload_sha256"] == second["site"]["source"]["sha256"]
    before = client.get(f"/v1/records/{first['id']}").json()["chain"]
    assert (before["seq"], before["prev_hash"]) == (1, GENESIS)
    assert (record["chain"]["seq"], record["chain"]["prev_hash"]) == (2, before["hash"])
    assert record["decisions"] == []


def test_an_untouched_record_is_identical_and_answers_in_the_declared_shape(client):
    answer = checked(client)
    found = client.get(f"/v1/records/{answer['id']}/verify").json()
    assert VerificationOut(**found)
    assert found["outcome"] == "identical"
    assert found["replayed_digest"] == found["digest"] == answer["digest"]
    assert (found["faults"], found["changes"], found["differences"]) == ([], [], [])


def test_every_outcome_is_declared(client):
    del client
    assert set(VerificationOut.model_fields["outcome"].annotation.__args__) == set(Outcome)


@pytest.mark.parametrize("tail", ["", "/verify"])
def test_a_record_that_is_not_there_is_404(client, tail):
    answer = client.get(f"/v1/records/{'0' * 32}{tail}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


# --- decisions -----------------------------------------------------------------------------------


def test_a_decision_stands_beside_the_answer_and_the_answer_stays(client):
    answer = checked(client)
    made = decide(client, answer["id"])
    assert made.status_code == 201
    first = made.json()
    assert {k: first[k] for k in DECISION} == DECISION
    assert (first["verdict_label"], first["seq"], first["decided_by"]) == ("有条件符合", 2, "")
    second = decide(client, answer["id"], verdict="pass", reason="补划已落实").json()
    record = client.get(f"/v1/records/{answer['id']}").json()
    assert record["decisions"] == [first, second]
    assert record["verdict"] == answer["verdict"]
    assert client.get(f"/v1/site-checks/{answer['id']}").json() == answer
    assert client.get(f"/v1/records/{answer['id']}/verify").json()["outcome"] == "identical"


def test_a_map_is_drawn_anew_with_every_decision_beside_its_verdict(client):
    record = checked(client)["id"]
    url = f"/maps/site-checks/{record}.html"
    assert "人工决定" not in client.get(url).text
    decide(client, record, reason="理由 <img src=x onerror=alert(1)> {{ 7*7 }}")
    page = html.unescape(client.get(url).text)
    assert "人工决定：有条件符合（自然资源局耕保科，" in page
    assert "<img src=x" not in client.get(url).text
    assert "49" not in re.findall(r'class="wq-manual">(.*?)</p>', page)[0]
    decide(client, record, verdict="fail", reason="复核不同意")
    page = client.get(url).text
    assert len(re.findall('class="wq-manual"', page)) == 2


def test_a_report_prints_the_decision_beside_its_verdict(client, small):
    from gis.output.report.content import site_content

    record = checked(client)["id"]
    decide(client, record)
    state = client.app.state.wuqu
    kept = state.store.get(record)
    manual = client.portal.call(state.manual, kept)
    blocks = site_content(kept.document, small, manual=manual).blocks
    kinds = [block.kind for block in blocks[:2]]
    assert kinds == ["conclusion", "paragraph"]
    assert blocks[1].text == manual[0]
    assert "理由：占补平衡方案已批复" in manual[0]
    pdf = client.get(f"/v1/site-checks/{record}.pdf")
    assert pdf.status_code == 200
    assert pdf.content.startswith(b"%PDF")


@pytest.mark.parametrize(
    "wrong",
    [
        {"verdict": "maybe"},
        {"verdict": "not_applicable"},
        {"office": ""},
        {"office": "   "},
        {"reason": "两\n行"},
        {"reason": "长" * 2001},
        {"reason": None},
        {"note": "多余"},
        {"decided_by": "别人"},
    ],
)
def test_a_decision_that_says_nothing_clear_is_422_and_not_stored(client, wrong):
    record = checked(client)["id"]
    answer = decide(client, record, **wrong)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert client.get(f"/v1/records/{record}").json()["decisions"] == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff", b"{" * 5000])
def test_a_body_that_is_no_decision_is_a_problem(client, body):
    record = checked(client)["id"]
    headers = {"Content-Type": "application/json"}
    answer = client.post(f"/v1/records/{record}/decisions", content=body, headers=headers)
    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_decision_on_a_record_that_is_not_there_is_404(client):
    assert decide(client, "0" * 32).status_code == 404


def test_a_decision_on_a_damaged_record_is_refused(client):
    answer = checked(client)
    run_sql(client.app.state.wuqu.store, "UPDATE records SET verdict = 'pass'")
    refused = decide(client, answer["id"])
    assert (refused.status_code, refused.json()["code"]) == (503, "store_damaged")


# --- what is kept --------------------------------------------------------------------------------


def test_all_sites_of_an_upload_are_verified_one_by_one(client):
    parts = {"type": "FeatureCollection", "features": []}
    for n in range(3):
        ring = [[x + n * 2e-3, y] for x, y in SITE["coordinates"][0]]
        shape = {"type": "Polygon", "coordinates": [ring]}
        parts["features"].append({"type": "Feature", "properties": {}, "geometry": shape})
    answers = client.post(f"{URL}&which=all", json=parts).json()["checks"]
    assert len({answer["digest"] for answer in answers}) == 3
    for answer in answers:
        found = client.get(f"/v1/records/{answer['id']}/verify").json()
        assert (found["outcome"], found["digest"]) == ("identical", answer["digest"])


def test_the_stored_decision_part_is_canonical_json(client):
    answer = checked(client)
    record = client.app.state.wuqu.store.get(answer["id"])
    decision = json.loads(record.decision)
    assert decision["site"]["claims"] == {"plot_ratio": 1.2, "use": "080403"}
    text = json.dumps(decision, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert text == record.decision


def test_a_service_without_records_has_no_snapshot_and_no_record(small, tmp_path):
    chosen = Settings(db=tmp_path / "records.sqlite", records=False)
    with TestClient(create_app(chosen, plan=small)) as bare:
        answer = checked(bare)
        assert bare.get(f"/v1/records/{answer['id']}").status_code == 404
