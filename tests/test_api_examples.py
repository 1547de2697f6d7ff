"""The calls that the documentation shows are all there are, and each of them does what it says.

Run against a real service: curl by a shell, Python as it stands, JavaScript by Node.js or, where
that is missing, by Chromium in a page of the service.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from dirty_package import reduced
from fastapi import FastAPI
from job_world import collection, packed
from running_service import Running, running
from waiting import until

from api.access.keys import KeyStore
from api.access.roles import ROUTES, Role
from api.app import create_app
from api.settings import Settings

PAGES = ("checks", "jobs", "plan", "projects", "service", "ogc")
LANGUAGES = ("sh", "python", "js")
CALL = re.compile(r"^### `(?P<call>[A-Z]+ /\S*)` → (?P<status>\d+)$", re.MULTILINE)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RING = [[115.99, 36.345], [115.995, 36.345], [115.995, 36.348], [115.99, 36.348], [115.99, 36.345]]
SITE = {
    "type": "Feature",
    "properties": {"name": "中学新校区", "use": "080403"},
    "geometry": {"type": "Polygon", "coordinates": [RING]},
}
EXECUTION = "/ogc/processes/site-check/execution"
EXECUTE = {"inputs": {"site": SITE, "use": "080403", "as_of": "2026-11-22"}}
# What the calls show; all others would only take their time.
LAYERS = (
    *("resort", "core", "zones", "planned_use", "landuse", "farmland"),
    *("green_line", "water", "roads"),
)
# Places of the service's own pages, which people open and programs do not call.
NO_CALLS = {"/ogc/"}


@dataclass(frozen=True)
class Example:
    """A call of the documentation: which one, the status that it promises, and its code."""

    page: str
    call: str
    status: int
    code: dict[str, str]


def blocks(text: str) -> dict[str, str]:
    found = BLOCK.findall(text)
    assert len({language for language, _ in found}) == len(found), text[:200]
    return dict(found)


def examples(repo: Path) -> list[Example]:
    """Every call, in the order of the pages."""
    found = []
    for page in PAGES:
        text = (repo / "docs" / "api" / f"{page}.md").read_text(encoding="utf-8")
        heads = list(CALL.finditer(text))
        ends = [head.start() for head in heads[1:]] + [len(text)]
        for head, end in zip(heads, ends, strict=True):
            part = re.split(r"^##? ", text[head.end() : end], flags=re.MULTILINE)[0]
            found.append(Example(page, head["call"], int(head["status"]), blocks(part)))
    return found


@dataclass(frozen=True)
class World:
    """A service with what the examples ask for, and a folder with their files."""

    service: Running
    key: str
    folder: Path
    check: str
    job: str
    # One for each language: the last example dismisses it.
    calls: dict[str, str]

    def known(self, example: Example, language: str) -> dict[str, str]:
        job = self.calls[language] if example.page == "ogc" else self.job
        return {"WUQU": self.service.url, "KEY": self.key, "ID": self.check, "JOB": job}


@pytest.fixture(scope="module")
def world(repo, tmp_path_factory):
    folder = tmp_path_factory.mktemp("examples")
    site, boundary = json.dumps(SITE, ensure_ascii=False), _boundary_txt(repo)
    (folder / "site.geojson").write_text(site, encoding="utf-8")
    (folder / "execute.json").write_text(json.dumps(EXECUTE), encoding="utf-8")
    (folder / "地块.txt").write_bytes(boundary)
    (folder / "batch.zip").write_bytes(packed({"a.geojson": collection(2)}))
    # A site for which there is an outline that would comply, so that every file exists.
    trimmed = (repo / "data" / "samples" / "mingzhu_guangchang.geojson").read_text(encoding="utf-8")
    _, key = KeyStore(folder / "keys.json").add("管理员", Role.admin)
    root = reduced(repo / "data", folder / "plan", LAYERS)
    _register_one(repo / "data", root)
    # Time counts by the clock; on a machine that others use too it is not what is tested here.
    with running(folder, WUQU_PLAN=str(root), WUQU_CHECK_BUDGET_S="120") as service:
        check = service.post("/v1/site-checks?as_of=2026-11-22", trimmed, key).json()["id"]
        batch = service.post("/v1/site-checks/batch", collection(2).decode(), key).json()["id"]
        later = {"Prefer": "respond-async"}
        calls = {
            language: service.post(EXECUTION, json.dumps(EXECUTE), key, **later).json()["jobID"]
            for language in LANGUAGES
        }
        for job in (batch, *calls.values()):
            _await_end(service, f"/v1/jobs/{job}", key)
        yield World(service, key, folder, check, batch, calls)


def _register_one(source: Path, target: Path) -> None:
    """Give a package the register of the bundled one with a single project, and its outline."""
    shutil.copy(source / "projects.toml", target)
    rows = (source / "projects.csv").read_text(encoding="utf-8-sig").splitlines()
    (row,) = [row for row in rows if row.startswith("P03,")]
    (target / "projects.csv").write_text(f"{rows[0]}\n{row}\n", encoding="utf-8")
    (target / "samples").mkdir()
    shutil.copy(source / "samples" / "jiankang_kejiyuan.geojson", target / "samples")


def _boundary_txt(repo: Path) -> bytes:
    (sample,) = (repo / "data" / "samples").glob("*.txt")
    return sample.read_bytes()


def _await_end(service: Running, path: str, key: str) -> None:
    def ended() -> str | None:
        state = service.get(path, key).json()["state"]
        return None if state in ("queued", "running") else state

    assert until(ended) == "done"


# --- what there is -------------------------------------------------------------------------------


def test_every_operation_is_shown_in_all_three_languages_and_no_other(repo) -> None:
    document = FastAPI.openapi(create_app(Settings()))["paths"]
    wanted = {f"{method.upper()} {path}" for path, ways in document.items() for method in ways}
    wanted |= {
        f"{method} {path.replace(':path', '')}"
        for method, path in ROUTES
        if path.startswith("/ogc") and path not in NO_CALLS
    }
    shown = examples(repo)
    assert {example.call for example in shown} == wanted
    for example in shown:
        assert set(example.code) == set(LANGUAGES), example.call


def test_the_index_names_every_page(repo) -> None:
    index = (repo / "docs" / "api.md").read_text(encoding="utf-8")
    there = {path.stem for path in (repo / "docs" / "api").glob("*.md")}
    assert set(re.findall(r"\(api/(\w+)\.md\)", index)) == there == set(PAGES)


# --- curl ----------------------------------------------------------------------------------------


def test_each_call_of_curl_answers_as_shown(repo, world) -> None:
    shown = examples(repo)
    script = ["curl() { command curl -w '%{stderr}%{http_code}\\n' \"$@\"; }"]
    script += [_preamble(repo, world)["sh"]]
    for number, example in enumerate(shown):
        known = world.known(example, "sh")
        script += [f"ID={known['ID']} JOB={known['JOB']}", f"echo '# {number}' >&2"]
        script.append(f"{{ {example.code['sh']}\n}} >/dev/null")
    done = subprocess.run(
        ["bash", "-euc", "\n".join(script)],
        cwd=world.folder,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-500:]
    told = [part.split("\n", 1)[1].split() for part in done.stderr.split("# ")[1:]]
    for example, statuses in zip(shown, told, strict=True):
        assert statuses, example.call
        assert set(statuses) == {str(example.status)}, (example.call, statuses)


# --- Python --------------------------------------------------------------------------------------


def test_each_call_of_python_answers_as_shown(repo, world, monkeypatch, capsys) -> None:
    monkeypatch.chdir(world.folder)
    names: dict[str, object] = {}
    exec(_preamble(repo, world)["python"], names)
    try:
        for example in examples(repo):
            own = {**names, **world.known(example, "python")}
            exec(compile(example.code["python"], example.call, "exec"), own)
            answer = own["answer"]
            assert isinstance(answer, httpx.Response)
            assert answer.status_code == example.status, (example.call, answer.read()[:300])
    finally:
        names["client"].close()
    assert "wuqu_" in capsys.readouterr().out


# --- JavaScript ----------------------------------------------------------------------------------


def test_each_call_of_javascript_answers_as_shown(repo, world, request) -> None:
    shown = examples(repo)
    script = _javascript(shown, _preamble(repo, world)["js"], world)
    node = shutil.which("node")
    told = _by_node(node, script, world) if node else _by_chromium(request, script, world)
    for example, status in zip(shown, told, strict=True):
        assert status == example.status, (example.call, status)


def _javascript(shown: list[Example], preamble: str, world: World) -> str:
    """Return the body of a function that gives the status of each call."""
    batch = list((world.folder / "batch.zip").read_bytes())
    boundary = list((world.folder / "地块.txt").read_bytes())
    lines = [
        "const console = { log() {} };",
        preamble,
        f"const SITE = {json.dumps(SITE)};",
        f"const BOUNDARY = new Uint8Array({boundary});",
        f"const BATCH = new Blob([new Uint8Array({batch})]);",
        "const told = [];",
    ]
    for example in shown:
        known = world.known(example, "js")
        own = f"const ID = '{known['ID']}', JOB = '{known['JOB']}';"
        lines.append(f"{{ {own}\n{example.code['js']}\ntold.push(answer.status); }}")
    return "\n".join([*lines, "return told;"])


def _by_node(node: str, script: str, world: World) -> list[int]:
    whole = f"(async () => {{ {script} }})().then((told) => process.stdout.write(`${{told}}`));"
    done = subprocess.run(
        [node, "-"],
        input=whole,
        cwd=world.folder,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-800:]
    return [int(status) for status in done.stdout.split(",")]


def _by_chromium(request: pytest.FixtureRequest, script: str, world: World) -> list[int]:
    from playwright.sync_api import sync_playwright

    path = request.getfixturevalue("chromium")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page()
        # A page of the service itself, which may ask it.
        page.goto(f"{world.service.url}/sign-in")
        told = page.evaluate(f"async () => {{ {script} }}")
        browser.close()
    return [int(status) for status in told]


def _preamble(repo: Path, world: World) -> dict[str, str]:
    """The code before the examples, for this service and a key of it."""
    text = (repo / "docs" / "api.md").read_text(encoding="utf-8")
    part = text.partition("## Before the examples")[2].partition("\n## ")[0]
    return {
        language: code.replace("http://127.0.0.1:8000", world.service.url).replace(
            "wuqu_…", world.key
        )
        for language, code in blocks(part).items()
    }
