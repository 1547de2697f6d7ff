"""What the tests share: the bundled plan, its samples, and the pinned day of the law."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[1]
SHARED_DATA = REPO.parent / "shared" / "data"
AS_OF = date(2026, 11, 22)


@pytest.fixture(scope="session")
def repo() -> Path:
    return REPO


@pytest.fixture(scope="session")
def as_of() -> date:
    return AS_OF


@pytest.fixture(scope="session")
def plan():
    """The bundled plan, opened once."""
    from gis.plan import load_plan

    return load_plan(REPO / "data")


@pytest.fixture(scope="session")
def samples_dir() -> Path:
    return REPO / "data" / "samples"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real inputs made by others; they lie beside the project and are never copied into it."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the folder with real inputs is not beside this checkout")
    return SHARED_DATA


@pytest.fixture(scope="session")
def french_plan_dir(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Path:
    """The plan package of a French town, with its layers linked in."""
    source = REPO / "tests" / "plans" / "plu_30014"
    root = tmp_path_factory.mktemp("plu_30014")
    for item in source.rglob("*"):
        target = root / item.relative_to(source)
        if item.is_dir():
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(item.read_bytes())
    (root / "layers").symlink_to(shared_data / "plu_30014")
    return root


@pytest.fixture(scope="module")
def client(plan, tmp_path_factory: pytest.TempPathFactory):
    """The service on the bundled plan, with a store of records for one file of tests."""
    from starlette.testclient import TestClient

    from api.app import create_app
    from api.settings import Settings

    settings = Settings(db=tmp_path_factory.mktemp("db") / "records.sqlite")
    with TestClient(create_app(settings, plan=plan), raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture
def wuqu(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """Run a command in this process; return exit code, stdout, stderr."""
    from gis.cli import main

    def call(*args: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["wuqu", *map(str, args)])
        with pytest.raises(SystemExit) as caught:
            main()
        out = capsys.readouterr()
        return int(caught.value.code or 0), out.out, out.err

    return call


@pytest.fixture(scope="session")
def door_and_linter():
    """Whether the door takes a TXT, and the linter; both may raise InputError and nothing else."""
    from gis.errors import InputError
    from gis.intake.boundary.lint import lint_boundary_txt
    from gis.intake.read import read_sites

    def call(data: bytes, policy) -> tuple[bool, bool]:
        try:
            taken = bool(read_sites(data, policy))
        except InputError:
            taken = False
        try:
            accepted = lint_boundary_txt(data, policy).is_accepted
        except InputError:
            accepted = False
        return taken, accepted

    return call


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium to look at pages with; missing is a failure where all is required."""
    for path in ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"):
        if Path(path).exists():
            return path
    if os.environ.get("WUQU_REQUIRE_ALL") == "1":
        pytest.fail("Chromium is required here and was not found")
    pytest.skip("Chromium is not installed")
