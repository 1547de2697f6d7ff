"""The service as real processes: start and stop, several workers, numbers, logs without secrets."""

from __future__ import annotations

import json
import re
import signal
import socket
import sys
import threading
import time
from pathlib import Path

import httpx2
import pytest
from access_service import SITE
from prometheus_client.parser import text_string_to_metric_families
from running_service import PATIENCE, START_S, STOP_S, running

from api.access.keys import KeyStore
from api.access.roles import Role

LINUX_ONLY = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
CHECK = "/v1/site-checks?as_of=2026-11-22&remedies=false"


def numbers(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    """Samples by name and label values, these in the order of the names of the labels."""
    return {
        (sample.name, tuple(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


# --- one process ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """One process, with keys and an audit log."""
    folder = tmp_path_factory.mktemp("one")
    keys = KeyStore(folder / "keys.json")
    texts = {role.value: keys.add(role.value, role)[1] for role in Role}
    with running(folder, WUQU_AUDIT=str(folder / "audit.jsonl")) as service:
        service.keys, service.folder = texts, folder
        yield service


def test_the_service_starts_within_fifteen_seconds(one) -> None:
    # The limit itself holds on a machine of its own; tests share theirs with each other.
    assert one.started_s < START_S * PATIENCE
    assert one.get("/healthz").json() == {"status": "ok"}


def test_no_line_of_the_log_is_anything_but_json_and_requests_have_their_id(one) -> None:
    one.get("/v1/plan", one.keys["viewer"], **{"X-Request-ID": "asked-1"})
    found = [line for line in one.lines() if line.get("request_id") == "asked-1"]
    (line,) = [line for line in found if line["logger"] == "wuqu.access"]
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
    for secret in (key, token, key.rpartition("_")[2], token.rpartition("_")[2]):
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


def test_numbers_are_for_administrators(one) -> None:
    assert one.get("/metrics").status_code == 401
    assert one.get("/metrics", one.keys["reviewer"]).status_code == 403


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
            httpx2.post(f"{service.url}{CHECK}", content=body(), headers=headers, timeout=60)
        )

    with running(tmp_path) as service:
        hanging = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(5)]
        for connection in hanging:
            connection.sendall(
                b"POST /v1/site-checks HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
                b"Content-Length: 100\r\n\r\nPOLY"
            )
        asking = threading.Thread(target=ask)
        asking.start()
        assert sending.wait(30)
        begun = time.monotonic()
        service.process.send_signal(signal.SIGTERM)
        while _takes(service.port):
            assert time.monotonic() - begun < STOP_S
            time.sleep(0.05)
        go.set()
        asking.join(30)
        service.process.wait(STOP_S * PATIENCE)
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


# --- several workers -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def large_plan(scarce_dir) -> Path:
    """A plan with so many vertices that its index is kept on disk and mapped."""
    import numpy as np
    import shapely

    from gis.engine.stack_file import FROM_VERTICES

    turns = np.linspace(0, 2 * np.pi, FROM_VERTICES // 2 + 10, endpoint=False)
    ring = np.column_stack([np.cos(turns), np.sin(turns)])
    centres = ((500, 500), (1500, 500))
    zones = [(f"Z{n}", shapely.Polygon(ring * 400 + at)) for n, at in enumerate(centres, 1)]
    return scarce_dir(layers={"zones": zones})


@pytest.fixture(scope="module")
def several(tmp_path_factory, large_plan):
    """Two workers on a large plan."""
    folder = tmp_path_factory.mktemp("several")
    keys = KeyStore(folder / "keys.json")
    texts = {name: keys.add(name, Role.admin)[1] for name in ("a", "b")}
    with running(folder, "--workers", "2", "--plan", str(large_plan)) as service:
        service.keys, service.store = texts, keys
        yield service


@LINUX_ONLY
def test_workers_map_one_index_instead_of_holding_one_each(several, large_plan) -> None:
    deadline = time.monotonic() + 15 * PATIENCE
    mapped: list[set[tuple[str, int]]] = []
    while not (len(mapped) == 2 and all(mapped)) and time.monotonic() < deadline:
        time.sleep(0.05)
        mapped = [_mapped(pid, large_plan / ".index") for pid in several.workers()]
    one, other = mapped
    assert one == other
    assert sum(size for _, size in one) > 1_000_000


def _mapped(pid: int, folder: Path) -> set[tuple[str, int]]:
    """Inode and size of the files of a folder that a process has mapped."""
    rows = Path(f"/proc/{pid}/maps").read_text().splitlines()
    found = [row.split(maxsplit=5) for row in rows if str(folder) in row]
    return {
        (row[4], int(row[0].split("-")[1], 16) - int(row[0].split("-")[0], 16)) for row in found
    }


@LINUX_ONLY
def test_numbers_are_those_of_all_workers_together(several) -> None:
    asked = 40
    before = numbers(several.get("/metrics", several.keys["a"]).text)
    for _ in range(asked):
        assert several.get("/v1/me", several.keys["a"]).status_code == 200
    after = numbers(several.get("/metrics", several.keys["a"]).text)
    row = ("wuqu_requests_total", ("GET", "/v1/me", "200"))
    assert after[row] - before.get(row, 0) == asked


def test_a_revoked_key_is_refused_by_every_worker_at_once(several) -> None:
    assert {several.get("/v1/me", several.keys["b"]).status_code for _ in range(10)} == {200}
    several.store.revoke("b")
    # Few: ended keys are answered later and later.
    assert {several.get("/v1/me", several.keys["b"]).status_code for _ in range(6)} == {401}


def test_who_signs_in_with_one_worker_is_known_to_the_others_and_signs_out_of_all(several) -> None:
    answer = httpx2.post(f"{several.url}/sign-in", data={"key": several.keys["a"]})
    cookie = f"wuqu_session={answer.cookies['wuqu_session']}"
    assert {several.get("/v1/me", Cookie=cookie).status_code for _ in range(20)} == {200}
    sent = {"Cookie": cookie, "Sec-Fetch-Site": "same-origin"}
    assert httpx2.post(f"{several.url}/sign-out", headers=sent).status_code == 303
    assert {several.get("/v1/me", Cookie=cookie).status_code for _ in range(20)} == {401}


@LINUX_ONLY
def test_a_worker_that_dies_is_replaced_and_numbers_go_on(several) -> None:
    import os

    before = several.workers()
    os.kill(before[0], signal.SIGKILL)
    until = time.monotonic() + 30 * PATIENCE
    while time.monotonic() < until:
        now = several.workers()
        if before[0] not in now and len(now) == 2:
            break
        time.sleep(0.1)
    assert len(several.workers()) == 2
    found = set()
    while not found >= {200} and time.monotonic() < until:
        try:
            found.add(several.get("/v1/me", several.keys["a"]).status_code)
        except httpx2.TransportError:  # accepted by the worker that was just killed
            continue
    assert found == {200}
    assert several.get("/metrics", several.keys["a"]).status_code == 200


def test_several_workers_end_together_within_ten_seconds(several) -> None:
    children = several.workers() if sys.platform == "linux" else []
    assert several.stop() < STOP_S
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]


# --- readiness -----------------------------------------------------------------------------------


def test_the_command_refuses_another_address_without_keys(wuqu, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("WUQU_KEYS", str(tmp_path / "keys.json"))
    code, out, err = wuqu("serve", "--host", "0.0.0.0")
    assert (code, out) == (2, "")
    assert re.search(r"还没有密钥.*wuqu keys add", err.replace("\n", ""))


@pytest.mark.parametrize("part", ["keys", "audit", "records"])
def test_what_fails_is_named_by_readiness_and_heals(plan, tmp_path, part, monkeypatch) -> None:
    from access_service import service

    from gis.errors import StoreReadOnlyError

    audit = tmp_path / "audit.jsonl"
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
    import sqlite3

    from access_service import service

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
    from access_service import service

    with service(plan, tmp_path) as made:
        before = made.client.app.state.wuqu.store.head()
        assert made.get("/readyz", None).status_code == 200
        assert made.client.app.state.wuqu.store.head() == before
