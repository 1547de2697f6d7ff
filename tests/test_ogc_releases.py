"""OGC API while releases of the plan change: the list follows, a request ends as it began."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from small_plan import ReleaseWorld
from starlette.testclient import TestClient
from waiting import until

from api.app import create_app
from api.ogc import exchange
from api.ogc.exchange import OgcApi
from api.settings import Settings


@pytest.fixture
def world(tmp_path) -> ReleaseWorld:
    made = ReleaseWorld(tmp_path)
    made.put(made.make("2026.1"))
    return made


@pytest.fixture
def client(world):
    settings = Settings(plan=world.folder, db=world.tmp / "records.sqlite", follow_s=0.02)
    with TestClient(create_app(settings), raise_server_exceptions=False) as opened:
        assert opened.get("/openapi.json").status_code == 200
        assert "2026.1" in told(opened)
        yield opened


def told(client) -> str:
    return client.get("/ogc").json()["description"]


def answers_by(client, version: str) -> Callable[[], bool]:
    return lambda: client.get("/v1/plan").json()["version"] == version


def test_the_collections_are_those_of_the_release_in_force(world, client) -> None:
    source = world.make("2026.2", east=0)
    file = source / "plan.toml"
    text = file.read_text(encoding="utf-8")
    before = client.get("/ogc/collections").json()["collections"]
    title = before[0]["title"]
    file.write_text(text.replace(f'title = "{title}"', 'title = "改名的图层"'), encoding="utf-8")
    world.put(source)
    until(answers_by(client, "2026.2"), "release 2026.2")
    assert "2026.2" in told(client)
    after = client.get("/ogc/collections").json()["collections"]
    assert [c["id"] for c in after] == [c["id"] for c in before]
    assert after[0]["title"] == "改名的图层"
    assert "改名的图层" in client.get("/ogc/openapi").text


def test_features_move_with_the_release(world, client) -> None:
    state = client.app.state
    names = [layer for layer in state.wuqu.plan.layers if len(state.wuqu.plan.layers[layer].index)]

    def drawn() -> list:
        return [client.get(f"/ogc/collections/{n}/items").json()["features"] for n in names]

    first = drawn()
    world.put(world.make("2026.2", east=0))
    until(answers_by(client, "2026.2"), "release 2026.2")
    assert drawn() != first


def test_the_earlier_release_is_let_go_though_nobody_asks_again(world, client) -> None:
    before = weakref.ref(client.app.state.wuqu.plan)
    world.put(world.make("2026.2", east=0))
    until(answers_by(client, "2026.2"), "release 2026.2")

    def gone() -> bool:
        gc.collect()
        return before() is None

    until(gone, "the old plan is still held")


def test_a_request_on_an_earlier_plan_is_answered_by_it_and_keeps_nothing(monkeypatch) -> None:
    made = []

    def service(state):
        made.append(state.plan)
        return SimpleNamespace(plan=state.plan)

    monkeypatch.setattr(exchange, "_service", service)
    earlier, present = SimpleNamespace(plan="earlier"), SimpleNamespace(plan="present")

    async def ask() -> list[str]:
        kept = OgcApi()
        orders = [(present, True), (earlier, False), (present, True), (earlier, False)]
        return [(await kept.of(state, lambda c=current: c)).plan for state, current in orders]

    assert asyncio.run(ask()) == ["present", "earlier", "present", "earlier"]
    assert made == ["present", "earlier", "earlier"]


def test_requests_that_come_together_make_one_service(monkeypatch) -> None:
    made = []

    def service(state):
        made.append(state.plan)
        return SimpleNamespace(plan=state.plan)

    monkeypatch.setattr(exchange, "_service", service)
    state = SimpleNamespace(plan="present")

    async def ask() -> None:
        kept = OgcApi()
        await asyncio.gather(*(kept.of(state, lambda: True) for _ in range(20)))

    asyncio.run(ask())
    assert made == ["present"]
