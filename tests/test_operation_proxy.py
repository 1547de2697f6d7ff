"""The files of ``deploy``: nginx in front of a real service, and the unit of systemd."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from access_service import SITE
from running_service import Running, running
from waiting import PATIENCE, until

from api.access.keys import KeyStore
from api.access.roles import Role

CHECK = "/v1/site-checks?as_of=2026-11-22&remedies=false"
HALF_OPEN = 800
# What the file tells to put into nginx.conf itself, and what lets nginx run in a folder.
MAIN = """
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections {connections}; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    include {folder}/wuqu.conf;
}}
"""


def needed(program: str) -> str:
    """Path of a program; missing is a failure where all is required."""
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")
    if found is None and os.environ.get("WUQU_REQUIRE_ALL") == "1":
        pytest.fail(f"{program} is required here and was not found")
    return found or pytest.skip(f"{program} is not installed")


@dataclass
class Front:
    """A service and the proxy before it."""

    service: Running
    port: int
    tls: ssl.SSLContext
    key: str
    audit: Path

    def client(self) -> httpx2.Client:
        url = f"https://localhost:{self.port}"
        return httpx2.Client(base_url=url, verify=self.tls, timeout=30)

    def row_of(self, answer: httpx2.Response) -> dict:
        """The line of the log for a request; it is written once the answer is on its way."""
        number = answer.headers["x-request-id"]
        return until(lambda: next((r for r in self.rows() if r["request_id"] == number), None))

    def rows(self) -> list[dict]:
        """All lines that are whole."""
        written = self.audit.read_text() if self.audit.exists() else ""
        return [json.loads(line) for line in written.splitlines(keepends=True) if line[-1] == "\n"]


@pytest.fixture(scope="module")
def front(repo, tmp_path_factory) -> Iterator[Front]:
    needed("nginx")
    folder = tmp_path_factory.mktemp("front")
    certificate = signed_by_itself(folder)
    key = KeyStore(folder / "keys.json").add("窗口一", Role.clerk)[1]
    with (
        running(
            folder, WUQU_TRUSTED_PROXIES="127.0.0.1", WUQU_AUDIT=str(folder / "audit.jsonl"),
            WUQU_PROXY_ROLES="gis-admin=admin",
        ) as service,
        nginx(repo / "deploy" / "nginx.conf", folder, service.port) as port,
    ):  # fmt: skip
        tls = ssl.create_default_context(cafile=certificate)
        yield Front(service, port, tls, key, folder / "audit.jsonl")


def signed_by_itself(folder: Path) -> Path:
    """Make a certificate for this machine; return its file."""
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    files = ["-keyout", str(folder / "tls.key"), "-out", str(folder / "tls.crt")]
    command = [needed("openssl"), *words.split(), *names, *files]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "tls.crt"


@contextmanager
def nginx(site: Path, folder: Path, upstream: int) -> Iterator[int]:
    """Run nginx on the file as it is shipped, but for addresses and places."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    text = site.read_text(encoding="utf-8")
    for shipped, here in (
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl backlog=1024"),
        ("server 127.0.0.1:8000", f"server 127.0.0.1:{upstream}"),
        ("/etc/wuqu/tls", f"{folder}/tls"),
    ):
        assert shipped in text
        text = text.replace(shipped, here)
    (folder / "wuqu.conf").write_text(text, encoding="utf-8")
    connections = re.search(r"worker_connections (\d+);", text)[1]
    user = "user root;" if os.geteuid() == 0 else ""
    main = MAIN.format(folder=folder, user=user, connections=connections)
    (folder / "nginx.conf").write_text(main, encoding="utf-8")
    words = [needed("nginx"), "-c", str(folder / "nginx.conf"), "-g", "daemon off;"]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: takes(port) or process.poll() is not None)
        assert process.poll() is None, (folder / "error.log").read_text()
        yield port
    finally:
        process.terminate()
        process.wait(20)


def takes(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True


def test_a_check_through_the_proxy_is_answered_over_https(front) -> None:
    with front.client() as client:
        headers = {"X-API-Key": front.key, "Content-Type": "application/geo+json"}
        answer = client.post(CHECK, content=SITE, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["strict-transport-security"]
    assert len(answer.headers.get_list("x-request-id")) == 1
    row = front.row_of(answer)
    assert (row["who"], row["from"]) == ("窗口一", "127.0.0.1")


def test_a_browser_signs_in_through_the_proxy_with_a_cookie_for_https_alone(front) -> None:
    with front.client() as client:
        answer = client.post("/sign-in", data={"key": front.key})
        assert answer.headers["set-cookie"].startswith("__Host-wuqu_session=")
        assert "Secure" in answer.headers["set-cookie"]
        assert client.get("/v1/me").json()["name"] == "窗口一"


def test_what_a_client_says_about_itself_does_not_get_through_the_proxy(front) -> None:
    made_up = {
        "X-Forwarded-User": "boss", "X-Forwarded-Groups": "gis-admin",
        "X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "http", "X-Request-ID": "mine",
    }  # fmt: skip
    with front.client() as client:
        answer = client.get("/v1/plan", headers=made_up)
    assert answer.status_code == 401
    assert answer.headers["strict-transport-security"]
    row = front.row_of(answer)
    assert row["request_id"] != "mine"
    assert row["who"] == ""
    # The client runs on the machine of the proxy here, which is believed about who came before it.
    assert row["from"] == "6.6.6.6"


def test_a_body_over_the_limit_ends_at_the_proxy(front) -> None:
    with front.client() as client:
        headers = {"X-API-Key": front.key, "Content-Type": "application/zip"}
        assert client.post(CHECK, content=bytes(21 * 2**20), headers=headers).status_code == 413


def test_eight_hundred_half_open_connections_do_not_stop_normal_users(front) -> None:
    held: list[socket.socket] = []
    try:
        for number in range(HALF_OPEN):
            connection = socket.create_connection(("127.0.0.1", front.port), timeout=30)
            if number % 8 == 0:  # through the handshake, and half a header
                connection = front.tls.wrap_socket(connection, server_hostname="localhost")
                connection.sendall(b"POST /v1/site-checks HTTP/1.1\r\nHost: localhost\r\n")
            held.append(connection)
        waits = []
        with front.client() as client:
            for _ in range(20):
                begun = time.monotonic()
                answer = client.get("/v1/plan", headers={"X-API-Key": front.key})
                assert answer.status_code == 200
                waits.append(time.monotonic() - begun)
        assert sorted(waits)[18] < 1.0 * PATIENCE
        # The service itself has not seen one of them.
        if sys.platform == "linux":
            files = list(Path(f"/proc/{front.service.process.pid}/fd").iterdir())
            assert len(files) < 100
    finally:
        for connection in held:
            connection.close()


def test_a_half_open_connection_ends_at_the_deadline_of_the_proxy(front) -> None:
    plain = socket.create_connection(("127.0.0.1", front.port), timeout=30)
    with front.tls.wrap_socket(plain, server_hostname="localhost") as secure:
        begun = time.monotonic()
        secure.sendall(b"GET /v1/plan HTTP/1.1\r\nHost: localhost\r\n")
        assert secure.recv(100) == b""
        assert 8 < time.monotonic() - begun < 12 * PATIENCE


@pytest.mark.parametrize("fault", ["", "ProtectSytem=strict", "Environment"])
def test_the_unit_is_one_that_systemd_reads_and_a_fault_in_it_would_be_found(
    repo, tmp_path, fault
) -> None:
    analyze = needed("systemd-analyze")
    text = (repo / "deploy" / "wuqu.service").read_text(encoding="utf-8")
    assert "/opt/wuqu/bin/wuqu serve" in text
    unit = tmp_path / "wuqu.service"
    text = text.replace("/opt/wuqu/bin/wuqu", sys.executable)
    text = text.replace("[Service]\n", f"[Service]\n{fault}\n")
    unit.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [analyze, "verify", "--man=no", "--recursive-errors=no", str(unit)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    complaints = [line for line in done.stderr.splitlines() if "wuqu.service" in line]
    assert bool(complaints) is bool(fault)
    assert fault or done.returncode == 0, done.stderr
