"""A service that runs follows the releases of its plan, and no answer mixes two of them.

Of release 2026.1 the site passes, of 2026.2 it fails, so version and verdict tell of one plan.
"""

from __future__ import annotations

import gc
import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import weakref
from pathlib import Path

import pytest
from small_plan import SITE, ReleaseWorld
from starlette.testclient import TestClient
from waiting import until

import api.judging
from api.app import create_app
from api.settings import Settings
from gis.plan.quota.journal import append
from gis.plan.releases.folder import HISTORY, history
from gis.plan.releases.publishing import rollback

MEANING = {"2026.1": "pass", "2026.2": "fail", "2026.3": "pass"}
PARAMS = {"as_of": "2026-11-22"}
HEADERS = {"Content-Type": "text/plain"}


@pytest.fixture
def world(tmp_path: Path) -> ReleaseWorld:
    made = ReleaseWorld(tmp_path)
    made.put(made.make("2026.1"))
    return made


@pytest.fixture
def client(world: ReleaseWorld):
    settings = Settings(plan=world.folder, db=world.tmp / "records.sqlite", follow_s=0.02)
    with TestClient(create_app(settings), raise_server_exceptions=False) as opened:
        # Routes are built when they are first asked, with warnings silenced for the whole process;
        # so is the opening of a plan in its thread, and the one would end the silence of the other.
        assert opened.get("/openapi.json").status_code == 200
        asked(opened)
        version_of(opened)
        yield opened


def asked(client) -> tuple[str, str]:
    answer = client.post("/v1/site-checks", params=PARAMS, content=SITE, headers=HEADERS)
    assert answer.status_code == 200, answer.text
    document = answer.json()
    return document["plan"]["version"], document["verdict"]


def version_of(client) -> str:
    answer = client.get("/v1/plan")
    assert answer.status_code == 200, answer.text
    return answer.json()["version"]


def test_an_activation_is_followed_and_a_rollback_too(world, client) -> None:
    assert asked(client) == ("2026.1", "pass")
    ground = client.get("/desk/ground.json").content
    world.put(world.make("2026.2", east=0))
    until(lambda: version_of(client) == "2026.2", "release 2026.2")
    assert asked(client) == ("2026.2", "fail")
    assert client.get("/desk/ground.json").content != ground
    assert "2026.2" in client.get("/maps/plan.html").text
    rollback(world.folder, "2026.1", by="x")
    until(lambda: version_of(client) == "2026.1", "back to 2026.1")
    assert asked(client) == ("2026.1", "pass")


def test_every_answer_while_releases_change_is_of_one_release(world, client) -> None:
    found: list[tuple[str, str]] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            found.append(asked(client))

    askers = [threading.Thread(target=ask) for _ in range(3)]
    for asker in askers:
        asker.start()
    world.put(world.make("2026.2", east=0))
    for name in ("2026.1", "2026.2", "2026.1", "2026.2"):
        until(lambda: asked(client)[0] == history(world.folder)[-1].version, "the release before")
        rollback(world.folder, name, by="x")
    until(lambda: asked(client)[0] == "2026.2", "the last one")
    stop.set()
    for asker in askers:
        asker.join()
    assert {version for version, _ in found} == {"2026.1", "2026.2"}
    assert not [pair for pair in found if MEANING[pair[0]] != pair[1]]


def test_a_check_under_way_ends_on_the_release_that_it_began_with(
    world, client, monkeypatch
) -> None:
    began, go_on = threading.Event(), threading.Event()
    checking = api.judging.checking

    def slow(*args, **options):
        began.set()
        assert go_on.wait(20)
        return checking(*args, **options)

    monkeypatch.setattr(api.judging, "checking", slow)
    # In a thread beside the loop, as a large site is.
    monkeypatch.setattr("api.routers.checks.is_small", lambda *_: False)
    found: list[tuple[str, str]] = []
    asker = threading.Thread(target=lambda: found.append(asked(client)))
    asker.start()
    assert began.wait(20)
    world.put(world.make("2026.2", east=0))
    until(lambda: version_of(client) == "2026.2", "release 2026.2")
    assert asker.is_alive()
    go_on.set()
    asker.join()
    assert found == [("2026.1", "pass")]
    assert asked(client) == ("2026.2", "fail")


def test_a_release_that_cannot_be_opened_leaves_the_old_one_and_says_why(
    world, client, caplog
) -> None:
    following = client.app.state.wuqu.following
    world.put(world.make("2026.2", east=0))
    until(lambda: following.serving.startswith("2026.2"), "release 2026.2")
    first = history(world.folder)[0]
    book = world.folder / first.release / "book.toml"
    text = book.read_bytes()
    book.chmod(0o644)
    book.write_bytes(text + b"#")
    # ``rollback`` would refuse; somebody has touched the files after it looked.
    line = {**first.to_dict(), "event": "rollback"}
    line.pop("seq")
    append(world.folder / HISTORY, lambda _: line)
    until(lambda: bool(following.problem), "the problem")
    assert following.wanted == first.release
    assert following.serving.startswith("2026.2-")
    assert "book.toml 被改动过" in following.problem
    assert str(world.tmp) not in following.problem
    assert asked(client) == ("2026.2", "fail")
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["problem"]) == (200, following.problem)
    assert ready.json()["wanted"] == first.release
    assert "cannot be opened" in caplog.text
    world.put(world.make("2026.3", east=300))
    until(lambda: not following.problem, "the next release")
    assert client.get("/readyz").json() == {"status": "ok", "release": following.serving}
    assert asked(client) == ("2026.3", "pass")


def test_a_release_that_failed_is_tried_again(world, client, monkeypatch) -> None:
    following = client.app.state.wuqu.following
    right = api.following.load_plan

    def away(root):
        raise OSError(f"{root} is away")

    monkeypatch.setattr(api.following, "load_plan", away)
    monkeypatch.setattr(api.following, "RETRY_S", 0.01)
    world.put(world.make("2026.2", east=0))
    until(lambda: following.problem == "版本无法打开", "the problem")
    assert asked(client) == ("2026.1", "pass")
    monkeypatch.setattr(api.following, "load_plan", right)
    until(lambda: not following.problem, "the second try")
    assert asked(client) == ("2026.2", "fail")


def test_the_release_that_answered_before_is_let_go(world, client) -> None:
    asked(client)
    before = weakref.ref(client.app.state.wuqu.plan)
    world.put(world.make("2026.2", east=0))
    until(lambda: asked(client)[0] == "2026.2", "release 2026.2")

    def gone() -> bool:
        gc.collect()
        return before() is None

    until(gone, "the old plan is still held")


def test_an_earlier_answer_is_drawn_and_proven_on_the_release_that_it_cites(world, client) -> None:
    answer = client.post("/v1/site-checks", params=PARAMS, content=SITE, headers=HEADERS).json()
    before = client.get(f"/v1/site-checks/{answer['id']}.json").json()
    source = world.make("2026.2", east=0)
    text = (source / "plan.toml").read_text(encoding="utf-8")
    (source / "plan.toml").write_text(text.replace("小规划", "改名的规划"), encoding="utf-8")
    world.put(source)
    until(lambda: version_of(client) == "2026.2", "release 2026.2")
    assert client.get(f"/v1/site-checks/{answer['id']}.json").json() == before
    page = client.get(f"/maps/site-checks/{answer['id']}.html").text
    assert "小规划" in page
    assert "改名的规划" not in page
    proof = client.get(f"/v1/records/{answer['id']}/verify").json()
    assert proof["replayed_digest"] == answer["digest"]
    assert proof["changes"] == []
    assert client.get(f"/v1/site-checks/{answer['id']}.gpkg").status_code == 200
    assert asked(client) == ("2026.2", "fail")


def test_limits_and_records_stay_those_of_the_process(world, client) -> None:
    heavy, recorder = (getattr(client.app.state.wuqu, n) for n in ("heavy", "recorder"))
    world.put(world.make("2026.2", east=0))
    until(lambda: version_of(client) == "2026.2", "release 2026.2")
    assert client.app.state.wuqu.heavy is heavy
    assert client.app.state.wuqu.recorder is recorder


def test_a_plain_package_is_not_followed(world) -> None:
    source = world.make("2026.9")
    settings = Settings(plan=source, db=world.tmp / "other.sqlite")
    with TestClient(create_app(settings)) as opened:
        assert opened.app.state.wuqu.following is None
        assert asked(opened) == ("2026.9", "pass")


def test_every_worker_follows(world, repo: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    environment = {
        **os.environ,
        "WUQU_DB": str(world.tmp / "records.sqlite"),
        "WUQU_FOLLOW_S": "0.05",
        "PYTHONPATH": str(repo),
    }
    command = [sys.executable, "-m", "gis.cli", "serve", "--port", str(port), "--workers", "2"]
    process = subprocess.Popen(
        [*command, "--plan", str(world.folder)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def sent(method: str, path: str, body: str = "") -> tuple[int, bytes]:
        """Over a connection of its own, so that either worker may answer."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        try:
            connection.request(method, path, body, HEADERS)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except OSError:
            return 0, b""
        finally:
            connection.close()

    def versions() -> set[str]:
        answers = [sent("POST", "/v1/site-checks?as_of=2026-11-22", SITE) for _ in range(20)]
        assert {status for status, _ in answers} == {200}
        found = {(d["plan"]["version"], d["verdict"]) for d in (json.loads(b) for _, b in answers)}
        assert not [pair for pair in found if MEANING[pair[0]] != pair[1]]
        return {version for version, _ in found}

    try:
        until(lambda: sent("GET", "/readyz")[0] == 200, "the service")
        assert versions() == {"2026.1"}
        world.put(world.make("2026.2", east=0))
        until(lambda: versions() == {"2026.2"}, "both workers")
    finally:
        process.terminate()
        assert process.wait(15) is not None
