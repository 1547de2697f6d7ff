"""The service as a real process: start and stop, numbers, logs without secrets, readiness."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
import sqlite3
import sys
import threading
import time
from typing import Any

import httpx2
import pytest
from access_service import SITE, service
from record_world import document
from running_service import START_S, STOP_S, Running, numbers, running
from waiting import PATIENCE, until

from api.access.keys import KeyStore
from api.access.roles import Role
from api.recording import Recorder
from gis.errors import StoreFullError, StoreReadOnlyError
from gis.output.records import Entry, RecordStore

CHECK = "/v1/site-checks?as_of=2026-11-22&remedies=false"


# --- one process ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """One process, with keys and an audit log."""
    folder = tmp_path_factory.mktemp("one")
    keys = KeyStore(folder / "keys.json")
    texts = {role.value: keys.add(role.value, role)[1] for role in Role}
    with running(folder, WUQU_AUDIT=str(folder / "audit.jsonl")) as started:
        started.keys, started.folder = texts, folder
        yield started


def test_the_service_starts_within_fifteen_seconds(one) -> None:
    # By the clock that holds on a machine of its own; here others run beside it.
    assert one.started_s < START_S * PATIENCE
    if sys.platform == "linux":
        assert one.cpu_s() < START_S
    assert one.get("/healthz").json() == {"status": "ok"}


def written_by(one: Running, logger: str, request: str) -> list[dict[str, Any]]:
    lines = [line for line in one.lines() if line.get("request_id") == request]
    return [line for line in lines if line["logger"] == logger]


def test_no_line_of_the_log_is_anything_but_json_and_requests_have_their_id(one) -> None:
    one.get("/v1/plan", one.keys["viewer"], **{"X-Request-ID": "asked-1"})
    # The line is written once the answer has gone out.
    (line,) = until(lambda: written_by(one, "wuqu.access", "asked-1"))
    assert (line["route"], line["method"], line["status"]) == ("/v1/plan", "GET", 200)
    assert line["ms"] > 0


def test_no_secret_reaches_the_log_of_a_real_server_wherever_it_was_sent(one) -> None:
    key = one.keys["admin"]
    answer = httpx2.post(f"{one.url}/sign-in", data={"key": key})
    token = answer.cookies["wuqu_session"]
    for path in (
        f"/v1/plan?key={key}",
        f"/{key}",
        f"/v1/site-checks/{key}",
        f"/maps/assets/{token}",
    ):
        one.get(path, key, Cookie=f"wuqu_session={token}", Referer=key, **{"User-Agent": key})
        one.get(path, key[:-1])
    with socket.create_connection(("127.0.0.1", one.port), timeout=30) as connection:
        # No HTTP: the server itself writes about this one.
        connection.sendall(f"GET /{key} HTTP/9.9\r\nX-API-Key: {key}\r\n\r\n".encode())
        connection.recv(1000)
    written = one.log.read_text() + (one.folder / "audit.jsonl").read_text()
    assert "/v1/plan" in written
    for secret in (key, token, key[-20:], token[-20:]):
        assert secret not in written
        assert secret[:24] not in written or secret[:24] == key[:14]


def test_numbers_count_what_was_done_by_route_and_by_verdict(one) -> None:
    before = numbers(one.get("/metrics", one.keys["admin"]).text)
    verdict = one.post(CHECK, SITE, one.keys["clerk"]).json()["verdict"]
    one.get("/v1/plan/unknown", one.keys["viewer"])
    one.get("/v1/plan")
    after = numbers(one.get("/metrics", one.keys["admin"]).text)

    def more(name: str, *labels: str) -> float:
        return after[name, labels] - before.get((name, labels), 0)

    assert more("wuqu_requests_total", "POST", "/v1/site-checks", "200") == 1
    assert more("wuqu_requests_total", "GET", "(none)", "404") == 1
    assert more("wuqu_requests_total", "GET", "/v1/plan", "401") == 1
    assert more("wuqu_request_seconds_count", "/v1/site-checks") == 1
    assert more("wuqu_checks_total", verdict) == 1
    assert more("wuqu_records_total") == 1
    assert more("wuqu_refused_total", "key_needed") == 1
    assert after["process_open_fds", ()] > 0
    routes = {labels[1] for name, labels in after if name == "wuqu_requests_total"}
    assert all(route == "(none)" or route.startswith("/") for route in routes)


def test_numbers_are_for_administrators_and_for_the_monitoring(one) -> None:
    assert one.get("/metrics").status_code == 401
    for role in ("viewer", "clerk", "reviewer"):
        assert one.get("/metrics", one.keys[role]).status_code == 403
    assert one.get("/metrics", one.keys["monitor"]).status_code == 200
    for url in ("/v1/plan", "/v1/site-checks", "/v1/jobs", "/v1/keys", "/"):
        assert one.get(url, one.keys["monitor"]).status_code == 403


def test_many_who_ask_whether_it_is_ready_share_one_look_and_a_failure_is_told_at_once(
    tmp_path, monkeypatch
) -> None:
    store = CountingStore(tmp_path / "records.sqlite")

    async def asked():
        recorder = Recorder(store)
        await asyncio.gather(*(recorder.require_writable() for _ in range(50)))
        assert store.looks == 1
        monkeypatch.setattr("api.recording.FRESH_S", 0.0)
        await recorder.require_writable()
        assert store.looks == 2
        monkeypatch.setattr("api.recording.FRESH_S", 3600.0)
        # A record that was just written is proof enough; one that was refused is the contrary.
        await recorder.save([Entry(document("a"))], "h")
        await recorder.require_writable()
        assert store.looks == 2
        store.fault = StoreFullError("记录库所在磁盘已满")
        with pytest.raises(StoreFullError):
            await recorder.save([Entry(document("b"))], "h")
        for _ in range(2):
            with pytest.raises(StoreFullError):
                await recorder.require_writable()
        assert store.looks == 4
        store.fault = None
        await recorder.require_writable()

    asyncio.run(asked())
    store.close()


def test_one_who_stops_waiting_for_a_look_does_not_end_it_for_the_others(tmp_path) -> None:
    store = CountingStore(tmp_path / "records.sqlite")
    store.go_on.clear()

    async def asked():
        recorder = Recorder(store)
        gone = asyncio.create_task(recorder.require_writable())
        stays = asyncio.create_task(recorder.require_writable())
        while not store.looks:
            await asyncio.sleep(0.001)
        gone.cancel()
        store.go_on.set()
        await stays
        assert gone.cancelled()

    asyncio.run(asked())
    assert store.looks == 1
    store.close()


class CountingStore(RecordStore):
    """Counts how often its lock is taken to look; fails and waits when it is told to."""

    def __init__(self, address) -> None:
        super().__init__(address)
        self.looks, self.fault, self.go_on = 0, None, threading.Event()
        self.go_on.set()

    def require_writable(self) -> None:
        self.looks += 1
        assert self.go_on.wait(20)
        if self.fault:
            raise self.fault
        super().require_writable()

    def save_uploads(self, submissions):
        if self.fault:
            raise self.fault
        return super().save_uploads(submissions)


def test_the_end_waits_for_a_request_under_way_and_for_no_hanging_one(tmp_path) -> None:
    answers: list[httpx2.Response] = []
    sending, go = threading.Event(), threading.Event()

    def body():
        yield SITE[:20].encode()
        sending.set()
        assert go.wait(30)
        yield SITE[20:].encode()

    def ask() -> None:
        headers = {"Content-Type": "application/geo+json"}
        answers.append(
            httpx2.post(f"{started.url}{CHECK}", content=body(), headers=headers, timeout=60)
        )

    with running(tmp_path) as started:
        hanging = [socket.create_connection(("127.0.0.1", started.port)) for _ in range(5)]
        for connection in hanging:
            connection.sendall(
                b"POST /v1/site-checks HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
                b"Content-Length: 100\r\n\r\nPOLY"
            )
        asking = threading.Thread(target=ask)
        asking.start()
        assert sending.wait(30)
        begun = time.monotonic()
        started.process.send_signal(signal.SIGTERM)
        while _takes(started.port):
            assert time.monotonic() - begun < STOP_S
            time.sleep(0.05)
        go.set()
        asking.join(30)
        started.process.wait(STOP_S * PATIENCE)
        assert time.monotonic() - begun < STOP_S
        for connection in hanging:
            connection.close()
    assert answers[0].status_code == 200
    assert answers[0].json()["verdict"]


def _takes(port: int) -> bool:
    """Whether somebody still takes connections."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True


# --- readiness -----------------------------------------------------------------------------------


def test_the_command_refuses_another_address_without_keys(wuqu, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("WUQU_KEYS", str(tmp_path / "keys.json"))
    code, out, err = wuqu("serve", "--host", "0.0.0.0")
    assert (code, out) == (2, "")
    assert re.search(r"还没有密钥.*wuqu keys add", err.replace("\n", ""))


@pytest.mark.parametrize("part", ["keys", "audit", "records"])
def test_what_fails_is_named_by_readiness_and_heals(plan, tmp_path, part, monkeypatch) -> None:
    audit = tmp_path / "audit.jsonl"
    monkeypatch.setattr("api.recording.FRESH_S", 0.0)
    with service(plan, tmp_path, audit=audit) as made:
        assert made.get("/readyz", None).status_code == 200
        store = made.client.app.state.wuqu.store
        if part == "keys":
            made.settings.key_file.write_text("{")
        elif part == "audit":
            made.client.app.state.access.audit.fault = "No space left on device"
        else:

            def broken() -> None:
                raise StoreReadOnlyError("记录库只读，无法保存")

            monkeypatch.setattr(store, "require_writable", broken)
        answer = made.get("/readyz", None)
        assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
        names = {"keys": "访问密钥", "audit": "审计日志", "records": "检测记录库"}
        assert [fault["where"] for fault in answer.json()["errors"]] == [names[part]]
        assert str(tmp_path) not in json.dumps(answer.json(), ensure_ascii=False)
        assert made.get("/healthz", None).status_code == 200
        if part == "keys":
            made.settings.key_file.unlink()
        made.client.app.state.access.audit.fault = ""
        monkeypatch.undo()
        assert made.get("/readyz", None).status_code == 200


def test_a_store_that_another_program_holds_is_not_ready_within_patience(
    plan, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr("api.readiness.PATIENCE_S", 0.3)
    with service(plan, tmp_path) as made:
        holder = sqlite3.connect(tmp_path / "records.sqlite", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        begun = time.monotonic()
        answer = made.get("/readyz", None)
        assert time.monotonic() - begun < 3
        assert answer.status_code == 503
        assert answer.json()["errors"][0]["where"] == "检测记录库"
        holder.execute("ROLLBACK")
        holder.close()


def test_nothing_is_written_to_find_out_whether_it_could_be(plan, tmp_path) -> None:
    with service(plan, tmp_path) as made:
        before = made.client.app.state.wuqu.store.head()
        assert made.get("/readyz", None).status_code == 200
        assert made.client.app.state.wuqu.store.head() == before
