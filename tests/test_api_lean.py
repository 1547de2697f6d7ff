"""Answers without outlines, without a search for remedies, without records; records in groups."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace

import httpx2
import pytest
from sqlalchemy import event
from starlette.testclient import TestClient
from test_api_checks import AS_OF, SQUARE, feature, post

from api import judging
from api.app import create_app
from api.recording import Recorder
from api.routers import checks
from api.schemas import SiteCheckOut
from api.settings import Settings
from gis.output.export import without_geometry
from gis.output.records import Entry, RecordStore

WITHOUT = "&geometry=false&remedies=false"


def outlines(document: object) -> int:
    """How many outlines stand anywhere in a document."""
    if isinstance(document, dict):
        own = isinstance(document.get("geometry"), dict)
        return own + sum(outlines(value) for value in document.values())
    return sum(map(outlines, document)) if isinstance(document, list) else 0


def test_without_geometry_no_outline_is_left_and_nothing_else_changes(client) -> None:
    full = post(client, SQUARE).json()
    lean = post(client, SQUARE, "&geometry=false").json()
    assert outlines(full) > 3
    assert outlines(lean) == 0
    SiteCheckOut.model_validate(lean)
    assert lean["digest"] == full["digest"]
    for name in ("verdict", "deciding_rule", "evidence", "impact", "layers", "warnings"):
        assert lean[name] == full[name]
    bare = [{k: v for k, v in row.items() if k != "geometry"} for row in full["findings"]]
    assert lean["findings"] == bare
    assert len(lean["remedies"]) == len(full["remedies"])


def test_without_a_search_only_procedures_are_offered(client, samples_dir) -> None:
    plaza = (samples_dir / "mingzhu_guangchang.geojson").read_bytes()
    full = post(client, plaza, "&use=0901").json()
    lean = post(client, plaza, "&use=0901&remedies=false").json()
    kinds = {row["kind"] for row in lean["remedies"]}
    assert kinds == {"procedure"}
    assert {row["kind"] for row in full["remedies"]} > kinds
    assert lean["digest"] == full["digest"]


def test_a_record_keeps_the_outlines_that_an_answer_left_out(client) -> None:
    lean = post(client, SQUARE, WITHOUT).json()
    stored = client.get(f"/v1/site-checks/{lean['id']}").json()
    assert outlines(stored) > 3
    assert client.get(f"/v1/site-checks/{lean['id']}.html").status_code == 200


@pytest.mark.parametrize("geometry", ["true", "false"])
@pytest.mark.parametrize("remedies", ["true", "false"])
def test_what_was_sent_is_what_is_kept(client, samples_dir, geometry, remedies) -> None:
    plaza = (samples_dir / "mingzhu_guangchang.geojson").read_bytes()
    sent = post(client, plaza, f"&use=0901&geometry={geometry}&remedies={remedies}").json()
    kept = client.get(f"/v1/site-checks/{sent['id']}").json()
    assert sent == (kept if geometry == "true" else without_geometry(kept))
    found = client.get(f"/v1/records/{sent['id']}/verify").json()
    assert found["outcome"] == "identical"


def test_many_sites_may_be_answered_without_outlines(client) -> None:
    body = {"type": "FeatureCollection", "features": [feature(n) for n in range(3)]}
    answer = post(client, body, f"&which=all{WITHOUT}").json()
    assert len(answer["checks"]) == 3
    assert outlines(answer) == 0


@pytest.mark.parametrize("name", ["geometry", "remedies"])
def test_yes_and_no_are_the_only_answers(client, name: str) -> None:
    for value, status in (("true", 200), ("0", 200), ("perhaps", 422), ("", 200)):
        assert post(client, SQUARE, f"&{name}={value}").status_code == status
    twice = client.post(
        f"/v1/site-checks?as_of={AS_OF}&{name}=1&{name}=1",
        content=json.dumps(SQUARE),
        headers={"Content-Type": "application/geo+json"},
    )
    assert twice.status_code == 422


def test_a_form_may_ask_for_it_as_well(client) -> None:
    answer = client.post(
        "/v1/site-checks",
        files={"file": ("a.geojson", json.dumps(SQUARE))},
        data={"geometry": "false", "remedies": "false", "as_of": AS_OF},
    ).json()
    assert outlines(answer) == 0


def test_without_records_nothing_is_kept_and_the_answer_is_the_same(client, plan, tmp_path) -> None:
    settings = Settings(db=tmp_path / "r.sqlite", records=False)
    with TestClient(create_app(settings, plan=plan)) as bare:
        answer = post(bare, SQUARE).json()
        assert bare.get("/v1/site-checks").json() == {"checks": []}
        assert bare.get(f"/v1/site-checks/{answer['id']}").status_code == 404
    kept = post(client, SQUARE).json()
    assert {**answer, "id": ""} == {**kept, "id": ""}
    assert answer["id"] == answer["digest"][:16]


# --- many at once --------------------------------------------------------------------------------


def test_requests_that_come_together_are_all_read_before_the_first_is_checked(
    plan, tmp_path, monkeypatch
) -> None:
    app = create_app(Settings(db=tmp_path / "r.sqlite", records=False), plan=plan)
    steps: list[str] = []

    plain_read, plain_check = checks.sites_of, judging.checking

    async def read(*given, **more):
        steps.append("read")
        return await plain_read(*given, **more)

    def checked(*given, **more):
        steps.append("checked")
        return (yield from plain_check(*given, **more))

    monkeypatch.setattr(checks, "sites_of", read)
    monkeypatch.setattr(judging, "checking", checked)
    sent = {"content": json.dumps(SQUARE), "headers": {"Content-Type": "application/geo+json"}}

    async def all_at_once():
        transport = httpx2.ASGITransport(app=app)
        async with (
            app.router.lifespan_context(app),
            httpx2.AsyncClient(transport=transport, base_url="http://test") as client,
        ):
            path = f"/v1/site-checks?as_of={AS_OF}{WITHOUT}"
            return await asyncio.gather(*(client.post(path, **sent) for _ in range(4)))

    assert [answer.status_code for answer in asyncio.run(all_at_once())] == [200] * 4
    assert steps == ["read"] * 4 + ["checked"] * 4


def test_what_others_take_meanwhile_takes_nothing_from_the_time_of_a_check(
    client, monkeypatch
) -> None:
    now = [0.0]

    async def others(_seconds: float) -> None:
        now[0] += 1000.0

    clock = SimpleNamespace(monotonic=lambda: now[0])
    for module in (checks, judging):
        monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(judging, "asyncio", SimpleNamespace(sleep=others))
    assert post(client, SQUARE, WITHOUT).status_code == 200
    assert now[0] > 3000


# --- group commit --------------------------------------------------------------------------------


class CountingStore(RecordStore):
    """Counts transactions; refuses uploads whose hash says so, and every group with one of them."""

    transactions = 0

    def save_uploads(self, submissions):
        self.transactions += 1
        if any(one.sha256 == "bad" for one in submissions):
            raise ValueError("no JSON")
        return super().save_uploads(submissions)


@pytest.fixture
def store(tmp_path):
    opened = CountingStore(tmp_path / "records.sqlite")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def document(client):
    return post(client, SQUARE).json()


def save(store, document, hashes):
    """Save one answer per hash, all at once; return ids or errors."""

    async def all_at_once():
        recorder = Recorder(store)
        tasks = [recorder.save([Entry(document)], sha256) for sha256 in hashes]
        return await asyncio.gather(*tasks, return_exceptions=True)

    return asyncio.run(all_at_once())


def test_requests_that_come_together_share_a_transaction_and_are_all_kept(store, document) -> None:
    found = save(store, document, [f"h{n}" for n in range(40)])
    ids = [own for (own,) in found]
    assert len(set(ids)) == 40
    assert store.transactions <= 3
    assert [store.get(own).upload_sha256 for own in ids] == [f"h{n}" for n in range(40)]


def test_a_group_goes_into_the_store_with_one_statement(store, document) -> None:
    """Beside a busy event loop each statement of a thread costs a wait for the interpreter."""
    said: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda *given: said.append(given[2]))
    save(store, document, [f"h{n}" for n in range(30)])
    inserts = [text for text in said if text.startswith("INSERT INTO records")]
    assert len(inserts) == store.transactions
    assert sum(text.count("(?, ") for text in inserts) == 30
    assert len(said) <= 5 * store.transactions


def test_one_that_cannot_be_kept_does_not_take_the_others_with_it(store, document) -> None:
    first, bad, last = save(store, document, ["a", "bad", "b"])
    assert isinstance(bad, ValueError)
    assert {store.get(own).upload_sha256 for own in (*first, *last)} == {"a", "b"}
    assert len(store.recent()) == 2


def test_a_request_that_is_given_up_leaves_the_others_alone(store, document) -> None:
    async def leave():
        recorder = Recorder(store)
        gone = asyncio.create_task(recorder.save([Entry(document)], "gone"))
        stays = asyncio.create_task(recorder.save([Entry(document)], "stays"))
        await asyncio.sleep(0)
        gone.cancel()
        return await stays

    (own,) = asyncio.run(leave())
    assert store.get(own).upload_sha256 == "stays"


def test_requests_in_a_row_are_kept_one_by_one(store, document) -> None:
    async def in_a_row():
        recorder = Recorder(store)
        return [await recorder.save([Entry(document)], str(n)) for n in range(3)]

    assert len({own for (own,) in asyncio.run(in_a_row())}) == 3
    assert store.transactions == 3


def test_concurrent_requests_are_all_answered_and_kept(plan, tmp_path) -> None:
    settings = Settings(db=tmp_path / "records.sqlite")
    app = create_app(settings, plan=plan)

    async def many():
        transport = httpx2.ASGITransport(app=app)
        async with (
            app.router.lifespan_context(app),
            httpx2.AsyncClient(transport=transport, base_url="http://test") as client,
        ):
            requests = [
                client.post(
                    f"/v1/site-checks?as_of={AS_OF}{WITHOUT}",
                    content=json.dumps(feature(n)),
                    headers={"Content-Type": "application/geo+json"},
                )
                for n in range(12)
            ]
            answers = [a.json() for a in await asyncio.gather(*requests)]
            stored = [(await client.get(f"/v1/site-checks/{a['id']}")).json() for a in answers]
            return answers, stored

    answers, stored = asyncio.run(many())
    assert len({a["id"] for a in answers}) == 12
    assert [a["digest"] for a in answers] == [s["digest"] for s in stored]
