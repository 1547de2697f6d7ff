"""The map of the plan with its files beside it: small, kept by browsers, read in parts."""

from __future__ import annotations

import hashlib
import re
from functools import partial

import pytest

from api import maps
from api.app import create_app
from api.settings import Settings
from gis.output.maps import served_plan_map
from gis.output.maps.sizes import Limits

PAGE = "/maps/plan.html?assets=static"


@pytest.fixture(scope="module")
def served(tmp_path_factory, plan):
    """A service whose plan map has tiles: its limits are low."""
    from starlette.testclient import TestClient

    settings = Settings(db=tmp_path_factory.mktemp("records") / "r.sqlite")
    with pytest.MonkeyPatch.context() as patch:
        low = partial(served_plan_map, limits=Limits(svg=60, canvas=120))
        patch.setattr(maps, "served_plan_map", low)
        with TestClient(create_app(settings, plan=plan)) as client:
            yield client


@pytest.fixture(scope="module")
def files(served) -> dict[str, bytes]:
    """Every file that the page or its scripts name."""
    text = served.get(PAGE).text
    found: dict[str, bytes] = {}
    waiting = set(re.findall(r"/maps/assets/([\w.-]+)", text))
    while waiting:
        name = waiting.pop()
        answer = served.get(f"/maps/assets/{name}")
        assert answer.status_code == 200, name
        found[name] = answer.content
        if re.fullmatch(r"[0-9a-f]{16}\.js", name):
            waiting |= set(re.findall(r"[0-9a-f]{16}\.(?:pmtiles|png)", answer.text))
        waiting -= found.keys()
    return found


def test_the_page_is_small_and_its_policy_allows_scripts_of_the_service_only(served):
    answer = served.get(PAGE)
    assert answer.status_code == 200
    assert len(answer.content) < 100_000
    assert answer.headers["cache-control"] == "no-cache"
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "default-src 'none'" in policy
    assert "eval" not in policy
    assert "blob:" not in policy
    assert not re.search(r"<script(?![^>]*\bsrc=)", answer.text)


def test_every_file_is_there_and_named_by_its_content(files):
    kinds = {name.rsplit(".", 1)[-1] for name in files}
    assert {"js", "css", "png", "pmtiles"} <= kinds
    for name, content in files.items():
        if re.match(r"[0-9a-f]{16}\.", name):
            assert hashlib.sha256(content).hexdigest()[:16] == name[:16]


def test_files_named_by_their_content_are_kept_for_good_and_vendored_ones_for_a_day(served, files):
    for name in files:
        kept = served.get(f"/maps/assets/{name}").headers["cache-control"]
        hashed = re.match(r"[0-9a-f]{16}\.", name)
        assert kept == f"public, max-age={'31536000, immutable' if hashed else '86400'}"


def test_a_part_of_an_archive_is_sent_alone(served, files):
    name = next(n for n in files if n.endswith(".pmtiles"))
    answer = served.get(f"/maps/assets/{name}", headers={"Range": "bytes=0-126"})
    assert answer.status_code == 206
    assert answer.content == files[name][:127]
    assert answer.content[:7] == b"PMTiles"
    assert answer.headers["content-range"] == f"bytes 0-126/{len(files[name])}"
    beyond = served.get(f"/maps/assets/{name}", headers={"Range": f"bytes={len(files[name])}-"})
    assert beyond.status_code == 416


@pytest.mark.parametrize(
    "name", ["nothing.js", "manifest.json", "..%2F..%2Fplan.toml", "%2e%2e", "0" * 16 + ".pmtiles"]
)
def test_any_other_name_is_not_found(served, name):
    answer = served.get(f"/maps/assets/{name}")
    assert answer.status_code == 404
    assert "plan" not in answer.text


def test_the_file_for_saving_stays_the_standard(served):
    saved = served.get("/maps/plan.html")
    assert len(saved.content) > 1_000_000
    assert "/maps/assets/" not in saved.text
    assert "sandbox" in saved.headers["content-security-policy"]


def test_another_word_for_the_assets_is_refused(served):
    answer = served.get("/maps/plan.html?assets=cdn")
    assert answer.status_code == 422
    assert "assets" in answer.text


def test_the_files_go_with_the_service(tmp_path, plan):
    from starlette.testclient import TestClient

    app = create_app(Settings(db=tmp_path / "r.sqlite"), plan=plan)
    with TestClient(app) as service:
        assert service.get("/maps/plan.html?assets=static").status_code == 200
        folder = app.state.map_files._folder
        assert folder.is_dir()
    assert not folder.exists()
