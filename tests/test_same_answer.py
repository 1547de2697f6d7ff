"""One answer on every road: command line, HTTP, notebook API, and the map drawn from the record."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from starlette.testclient import TestClient

import gis
from api.app import create_app
from api.settings import Settings

SAMPLE, USE, AS_OF = "yizhong_xinxiao.txt", "080403", "2026-11-22"


@pytest.fixture(scope="module")
def by_python(repo: Path) -> dict:
    plan = gis.load_plan(repo / "data")
    site = gis.read_site(repo / "data" / "samples" / SAMPLE, plan)
    return gis.to_dict(gis.check_site(site, plan, use=USE, as_of=date.fromisoformat(AS_OF)))


@pytest.fixture(scope="module")
def by_command(repo: Path) -> dict:
    command = [sys.executable, "-m", "gis.cli", "check", f"data/samples/{SAMPLE}", "--use", USE]
    out = subprocess.run(
        [*command, "--as-of", AS_OF, "--plan", "data", "--format", "json"],
        cwd=repo,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    return json.loads(out.stdout)


@pytest.fixture(scope="module")
def by_http(repo: Path, tmp_path_factory: pytest.TempPathFactory):
    settings = Settings(plan=repo / "data", db=tmp_path_factory.mktemp("db") / "records.sqlite")
    with TestClient(create_app(settings)) as client:
        body = (repo / "data" / "samples" / SAMPLE).read_bytes()
        answer = client.post(
            "/v1/site-checks",
            params={"use": USE, "as_of": AS_OF},
            files={"file": (SAMPLE, body)},
        )
        assert answer.status_code == 200
        document = answer.json()
        page = client.get(f"/maps/site-checks/{document['id']}.html").text
        stored = client.get(f"/v1/site-checks/{document['id']}.json").json()
    return document, page, stored


def test_the_digest_is_the_same_everywhere(by_python, by_command, by_http) -> None:
    document, _, stored = by_http
    digests = {d["digest"] for d in (by_python, by_command, document, stored)}
    assert len(digests) == 1
    assert len(digests.pop()) == 64


def test_the_documents_differ_in_the_record_id_only(by_python, by_command, by_http) -> None:
    document, _, _ = by_http

    def bare(d: dict) -> str:
        kept = {k: v for k, v in d.items() if k != "id"}
        return json.dumps(
            kept | {"site": {k: v for k, v in d["site"].items() if k not in {"name", "source"}}},
            sort_keys=True,
        )

    assert bare(by_python) == bare(by_command) == bare(document)


def test_the_map_shows_the_verdict_and_digest_of_the_record(by_http) -> None:
    document, page, _ = by_http
    assert document["verdict_label"] in page
    assert document["digest"][:12] in page
    assert "419.17" in page
