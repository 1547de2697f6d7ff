"""Large sites: the service goes on answering, and no request takes it over."""

import asyncio
import gc
import json
import threading
from types import SimpleNamespace

import httpx2
import pytest
from starlette.testclient import TestClient

from api import judging
from api.app import create_app
from api.examples import point_lines
from api.heavy import HeavyWork
from api.routers import checks
from api.settings import Settings
from gis.check import checking
from gis.errors import BusyError
from gis.intake.read import read_site, read_sites

RING = [[115.97, 36.37], [115.971, 36.37], [115.971, 36.371], [115.97, 36.371], [115.97, 36.37]]
# 0.02 x 0.02 degrees are about 1.8 km x 2.2 km: larger than what is checked inline.
LARGE = [[115.97, 36.37], [115.99, 36.37], [115.99, 36.39], [115.97, 36.39], [115.97, 36.37]]
HEADERS = {"Content-Type": "application/geo+json"}


def polygon(ring):
    return {"type": "Polygon", "coordinates": [ring]}


def collection(ring, count):
    row = {"type": "Feature", "properties": {}, "geometry": polygon(ring)}
    return {"type": "FeatureCollection", "features": [row] * count}


def post(client, body, query=""):
    url = f"/v1/site-checks?as_of=2026-11-22{query}"
    return client.post(url, content=json.dumps(body), headers=HEADERS)


@pytest.fixture
def service(plan, tmp_path):
    """Open a service with other settings than the default."""
    opened = []

    def serve(**settings):
        chosen = Settings(db=tmp_path / "records.sqlite", **settings)
        client = TestClient(create_app(chosen, plan=plan), raise_server_exceptions=False)
        opened.append(client)
        return client.__enter__()

    yield serve
    for client in opened:
        client.__exit__(None, None, None)


@pytest.fixture
def held(monkeypatch):
    """Hold every check before its first stage until the test lets it go."""
    hold = Hold()
    monkeypatch.setattr(judging, "checking", hold.checking)
    yield hold
    hold.go.set()


class Hold:
    def __init__(self):
        self.entered = threading.Semaphore(0)
        self.go = threading.Event()

    def checking(self, *args, **kwargs):
        self.entered.release()
        assert self.go.wait(30)
        return (yield from checking(*args, **kwargs))

    def wait_for_one(self):
        assert self.entered.acquire(timeout=30)


class Posting(threading.Thread):
    """One request on its way."""

    def __init__(self, client, body, query=""):
        super().__init__()
        self._ask = lambda: post(client, body, query)
        self.answer = None
        self.start()

    def run(self):
        self.answer = self._ask()

    def result(self):
        self.join(30)
        return self.answer


def stored(client):
    return client.get("/v1/site-checks").json()["checks"]


# --- the service goes on answering ---------------------------------------------------------------


def test_others_are_answered_while_a_large_site_is_checked(service, held):
    client = service()
    large = Posting(client, polygon(LARGE))
    held.wait_for_one()
    assert client.get("/healthz").status_code == 200
    assert large.answer is None
    held.go.set()
    assert large.result().status_code == 200


def test_a_small_site_is_checked_on_the_event_loop_and_a_large_one_is_not(service, monkeypatch):
    seen = []

    def noted(*args, **kwargs):
        seen.append(threading.current_thread())
        return (yield from checking(*args, **kwargs))

    async def loop_thread():
        return threading.current_thread()

    client = service()
    monkeypatch.setattr(judging, "checking", noted)
    for ring in (RING, LARGE):
        assert post(client, polygon(ring)).status_code == 200
    event_loop = client.portal.call(loop_thread)
    assert [thread is event_loop for thread in seen] == [True, False]


def test_small_sites_that_wait_together_go_on_side_by_side_and_get_their_own_answers(
    service, monkeypatch
):
    log, rings = [], [[[x + 0.002 * n, y] for x, y in RING] for n in range(4)]

    def noted(site, **kwargs):
        stages = checking(site, **kwargs)
        for stage in range(10):
            log.append((stage, site.geometry.bounds))
            try:
                next(stages)
            except StopIteration as end:
                return end.value
            yield

    client = service()
    alone = [post(client, polygon(ring)).json() for ring in rings]
    monkeypatch.setattr(judging, "checking", noted)

    async def together():
        transport = httpx2.ASGITransport(app=client.app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as asking:
            bodies = [json.dumps(polygon(ring)) for ring in rings]
            url = "/v1/site-checks?as_of=2026-11-22"
            asked = [asking.post(url, content=body, headers=HEADERS) for body in bodies]
            return await asyncio.gather(*asked)

    answers = [answer.json() for answer in client.portal.call(together)]
    assert [answer["digest"] for answer in answers] == [answer["digest"] for answer in alone]
    assert len({answer["digest"] for answer in answers}) == len(rings)
    first = [site for stage, site in log if stage == 0]
    # Every site was begun before any of them was ended.
    assert [site for _, site in log[: len(rings)]] == first
    assert len(set(first)) == len(rings)


def test_a_site_has_the_same_digest_inline_and_in_a_thread(service, monkeypatch):
    client = service()
    inline = post(client, polygon(RING)).json()
    monkeypatch.setattr(judging, "_INLINE_SITES", 0)
    assert post(client, polygon(RING)).json()["digest"] == inline["digest"]


@pytest.mark.parametrize(
    ("body", "small"),
    [
        (polygon(RING), True),
        (polygon(LARGE), False),
        (collection(RING, 5), True),
        (collection(RING, 6), False),
    ],
)
def test_size_and_number_decide_what_is_small(plan, body, small):
    assert judging.is_small(read_sites(json.dumps(body).encode(), plan), plan) is small


def test_many_vertices_are_not_small_however_small_the_site(plan):
    # 600 points along the northern side of a square of about 90 m.
    side = [[115.971 - n * 0.001 / 600, 36.371 + n % 2 * 1e-6] for n in range(600)]
    ring = [RING[0], RING[1], *side, RING[3], RING[0]]
    assert not judging.is_small([read_site(json.dumps(polygon(ring)).encode(), plan)], plan)


# --- not too many, not too long ------------------------------------------------------------------


def test_a_large_site_beyond_the_queue_is_asked_to_come_again(service, held):
    client = service(heavy_checks=1, heavy_waiting=0)
    first = Posting(client, polygon(LARGE))
    held.wait_for_one()
    busy = post(client, polygon(LARGE))
    assert (busy.status_code, busy.json()["code"]) == (503, "busy")
    assert busy.headers["content-type"] == "application/problem+json"
    assert int(busy.headers["retry-after"]) > 0
    held.go.set()
    assert first.result().status_code == 200
    assert post(client, polygon(LARGE)).status_code == 200


def test_a_large_site_waits_its_turn_in_the_queue(service, held):
    client = service(heavy_checks=1, heavy_waiting=1, heavy_wait_s=30)
    requests = [Posting(client, polygon(LARGE)) for _ in range(2)]
    held.wait_for_one()
    held.go.set()
    assert [request.result().status_code for request in requests] == [200, 200]


def test_who_waits_too_long_is_asked_to_come_again(service, held):
    client = service(heavy_checks=1, heavy_waiting=1, heavy_wait_s=0)
    first = Posting(client, polygon(LARGE))
    held.wait_for_one()
    assert post(client, polygon(LARGE)).json()["code"] == "busy"
    held.go.set()
    assert first.result().status_code == 200


def test_too_much_for_one_request_names_what_was_done_and_keeps_no_record(service, monkeypatch):
    clock = iter(range(100))
    client = service(check_budget_s=5)
    # One second per look at the clock: start 0, limit of the thread 1, then one per site.
    ticking = SimpleNamespace(monotonic=lambda: float(next(clock)))
    for module in (checks, judging):
        monkeypatch.setattr(module, "time", ticking)
    answer = post(client, collection(RING, 9), "&which=all")
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (413, "effort")
    # The sites at 2, 3, 4 and 5 s are done, the one at 6 s is over the budget.
    assert "4 个" in problem["detail"]
    assert "9 个" in problem["detail"]
    assert "分批" in problem["detail"]
    assert stored(client) == []


def test_one_check_over_the_budget_is_answered_and_keeps_its_place(service, held):
    client = service(check_budget_s=0.5, heavy_checks=1, heavy_waiting=0)
    problem = post(client, polygon(LARGE)).json()
    assert (problem["status"], problem["code"]) == (413, "effort")
    held.wait_for_one()
    # The thread cannot be stopped, so the next large site must not start beside it.
    assert post(client, polygon(LARGE)).json()["code"] == "busy"
    assert stored(client) == []


def test_an_error_of_a_check_in_a_thread_reaches_the_client(service):
    answer = post(service(), polygon(LARGE), "&use=9999999")
    assert (answer.status_code, answer.json()["code"]) == (422, "claim")


def test_a_defect_in_a_thread_is_a_problem_and_frees_its_place(service, monkeypatch):
    def broken(*_args, **_kwargs):
        raise RuntimeError("secret")

    client = service(heavy_checks=1, heavy_waiting=0)
    with monkeypatch.context() as patch:
        patch.setattr(judging, "checking", broken)
        answer = post(client, polygon(LARGE))
    assert (answer.status_code, answer.json()["code"]) == (500, "defect")
    assert post(client, polygon(LARGE)).status_code == 200


def test_work_left_alone_gives_its_place_back_when_it_ends():
    go = threading.Event()

    async def scene():
        heavy = HeavyWork(1, 0, 0)
        with pytest.raises(TimeoutError):
            await heavy.run(go.wait, 0.01)
        with pytest.raises(BusyError):
            await heavy.run(lambda: 1, 1)
        go.set()
        while True:
            try:
                return await heavy.run(lambda: 1, 30)
            except BusyError:
                await asyncio.sleep(0)

    assert asyncio.run(scene()) == 1


def test_the_end_of_the_service_does_not_wait_for_work_left_alone():
    go, ended = threading.Event(), threading.Event()

    def work():
        go.wait()
        ended.set()

    async def scene():
        with pytest.raises(TimeoutError):
            await HeavyWork(1, 0, 0).run(work, 0.01)

    asyncio.run(scene())
    assert not ended.is_set()
    go.set()
    assert ended.wait(30)


# --- what the pages and the documentation say ----------------------------------------------------


def test_the_example_of_the_desk_is_a_site_of_the_plan_in_use(service, plan):
    client = service()
    lines = point_lines(plan)
    page = client.get("/").text
    assert all(line in page for line in lines)
    headers = {"Content-Type": "text/plain"}
    # As the page sends pasted lines.
    ring = ", ".join(line.replace(",", "") for line in (*lines, lines[0]))
    answer = client.post("/v1/site-checks", content=f"POLYGON(({ring}))", headers=headers)
    assert answer.status_code == 200
    assert answer.json()["site"]["crs"]["source"] == f"EPSG:{plan.work_epsg}"


def test_the_example_of_the_desk_follows_the_plan(french_plan_dir, tmp_path):
    from gis.plan import load_plan

    other = load_plan(french_plan_dir)
    app = create_app(Settings(db=tmp_path / "r.sqlite"), plan=other)
    with TestClient(app) as client:
        page = client.get("/").text
    assert all(line in page for line in point_lines(other))
    assert "39408000" not in page


def test_openapi_says_where_vintage_and_status_of_a_layer_stand(service):
    shapes = service().get("/openapi.json").json()["components"]["schemas"]
    for name in ("FindingOut", "EvidenceOut", "ContactOut"):
        assert "layers[]" in shapes[name]["properties"]["layer"]["description"]


# --- the collector -------------------------------------------------------------------------------


def test_the_collector_runs_less_often_while_the_service_runs_and_as_before_afterwards(
    plan, tmp_path
):
    before = gc.get_threshold()
    # A command that ran in this process has set its own.
    gc.set_threshold(700, 10, 10)
    usual = gc.get_threshold()
    gc.unfreeze()
    try:
        with TestClient(create_app(Settings(db=tmp_path / "records.sqlite"), plan=plan)):
            assert gc.get_threshold()[0] > usual[0]
        assert gc.get_threshold() == usual
    finally:
        gc.freeze()
        gc.set_threshold(*before)


def test_the_opened_plan_is_spared_the_collector_until_the_service_stops(plan, tmp_path):
    app = create_app(Settings(db=tmp_path / "records.sqlite"), plan=plan)
    gc.unfreeze()
    try:
        with TestClient(app):
            assert gc.get_freeze_count() > 0
        assert gc.get_freeze_count() == 0
    finally:
        gc.freeze()


def test_what_the_host_of_the_service_froze_stays_as_it_is(plan, tmp_path):
    gc.freeze()
    frozen = gc.get_freeze_count()
    with TestClient(create_app(Settings(db=tmp_path / "records.sqlite"), plan=plan)):
        assert gc.get_freeze_count() <= frozen
    assert 0 < gc.get_freeze_count() <= frozen
