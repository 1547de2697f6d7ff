"""The rows of the safety table that are not about one input: drivers, maps, tables, connections."""

import ast
import asyncio
import csv
import json
import re
import socket
import subprocess
import sys
import tempfile
import threading
from html.parser import HTMLParser
from pathlib import Path

import pytest
import uvicorn
from starlette.testclient import TestClient

import gis
from api.app import create_app
from api.settings import MEGABYTE, Settings
from gis.canonical import to_dict
from gis.intake.outside import sandbox
from gis.intake.read import read_site
from gis.output.export import write_csv

REPO = Path(__file__).resolve().parents[1]
RING = [[115.97, 36.37], [115.971, 36.37], [115.971, 36.371], [115.97, 36.371], [115.97, 36.37]]
SITE = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [RING]}}
URL = "/v1/site-checks?as_of=2026-11-22"
WAIT_S = 10


@pytest.fixture(scope="module")
def client(plan, tmp_path_factory):
    settings = Settings(db=tmp_path_factory.mktemp("db") / "records.sqlite")
    with TestClient(create_app(settings, plan=plan), raise_server_exceptions=False) as opened:
        yield opened


# --- drivers and rasters -------------------------------------------------------------------------


def test_the_child_starts_with_every_other_driver_switched_off():
    code = (
        "import sys; sys.modules['pandas'] = sys.modules['geopandas'] = None\n"
        "import pyogrio; print('\\n'.join(pyogrio.list_drivers()))"
    )
    out = subprocess.run(
        [sys.executable, "-I", "-c", code],
        env=sandbox._environment(tempfile.gettempdir()),
        capture_output=True,
        text=True,
        check=True,
    )
    drivers = set(out.stdout.split("\n")) - {""}
    assert drivers
    assert not drivers & {
        "OGR_VRT",
        "HTTP",
        "WFS",
        "GeoJSON",
        "CSV",
        "OAPIF",
        "PDF",
        "Carto",
        "KML",
    }


def test_rasters_are_opened_as_geotiff_and_as_nothing_else():
    for top in ("gis", "api", "data", "notebooks"):
        for path in (REPO / top).rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
                name = ast.unparse(call.func)
                if path.name == "png.py" and name == "MemoryFile":
                    continue  # written from arrays, never opened for reading
                if name.endswith(("rasterio.open", "MemoryFile", "WarpedVRT")):
                    driver = {k.arg: ast.unparse(k.value) for k in call.keywords}.get("driver")
                    assert driver == "'GTiff'", f"{path.name} line {call.lineno}"


# --- texts that reach a page or a table ----------------------------------------------------------

SCRIPTS = [
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "${alert(1)}",
    "`+alert(1)+`",
    "{{ 7*7 }}{{ alert(1) }}",
    "{# alert(1)",
    "{% for x in alert(1) %}",
    '"onmouseover="alert(1)',
    "javascript:alert(1)//",
]


class Page(HTMLParser):
    """What a browser would run of a page: scripts, handlers and addresses."""

    def __init__(self, text):
        super().__init__()
        self.running = []
        self.in_script = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.in_script = tag == "script"
        for key, value in attrs:
            if key.startswith("on") or str(value).lower().startswith("javascript:"):
                self.running.append(f"{key}={value}")

    def handle_endtag(self, tag):
        self.in_script = self.in_script and tag != "script"

    def handle_data(self, data):
        if self.in_script:
            self.running.append(data)


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_text_of_an_upload_runs_in_a_map(client, name):
    body = json.dumps({**SITE, "properties": {"name": name, "备注": name}}).encode()
    answer = client.post(URL, files={"file": (name, body)})
    assert answer.json()["site"]["name"] == name
    for place in ("/v1", "/maps"):
        page = client.get(f"{place}/site-checks/{answer.json()['id']}.html")
        assert page.status_code == 200
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert "49" not in re.findall(r"<h1>(.*?)</h1>", page.text, re.DOTALL)[0]
        # Inside a script a name is text with every character that could end it written as entity.
        assert not [part for part in Page(page.text).running if name in part]


@pytest.mark.parametrize(
    "name", ["=1+1", "+1+1", "-1+1", "@SUM(1)", "\t=1+1", "\r=1+1", "=cmd|' /C calc'!A0"]
)
def test_no_text_of_an_upload_is_a_formula_in_a_table(plan, as_of, tmp_path, name):
    site = read_site({**SITE, "properties": {"name": name}}, plan)
    path = tmp_path / "checks.csv"
    write_csv([to_dict(gis.check_site(site, plan, as_of=as_of))], path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert any(name.strip() in cell for cell in cells)
    assert not [cell for cell in cells if re.match(r"[=+@\t\r]|-(?![\d.]+$)", cell)]


# --- sizes and connections -----------------------------------------------------------------------


@pytest.fixture
def address(plan, tmp_path):
    """A service on a real socket that takes 16 connections."""
    app = create_app(Settings(db=tmp_path / "records.sqlite"), plan=plan)
    config = uvicorn.Config(app, port=0, log_level="critical", limit_concurrency=16)
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
    thread.start()
    yield listener.getsockname()
    server.should_exit = True
    thread.join(20)
    assert not thread.is_alive()


def ask(address):
    with socket.create_connection(address, timeout=WAIT_S) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return connection.recv(100)


def test_half_open_connections_meet_a_limit_and_leave_no_trace(address):
    assert ask(address).startswith(b"HTTP/1.1 200")
    held = [socket.create_connection(address, timeout=WAIT_S) for _ in range(100)]
    for connection in held:
        connection.sendall(b"POST /v1/site-checks HTTP/1.1\r\nHost: x\r\n")
    assert ask(address).startswith(b"HTTP/1.1 503")
    for connection in held:
        connection.close()
    while not (answer := ask(address)).startswith(b"HTTP/1.1 200"):
        assert answer.startswith(b"HTTP/1.1 503")


def test_a_stream_without_an_end_is_cut_at_the_limit(address):
    with socket.create_connection(address, timeout=WAIT_S) as connection:
        head = b"POST /v1/site-checks HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
        connection.sendall(head + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n")
        chunk = b"100000\r\n" + b" " * MEGABYTE + b"\r\n"
        for _ in range(21):
            connection.sendall(chunk)
        answer = connection.recv(100_000)
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"application/problem+json" in answer
